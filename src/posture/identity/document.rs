//! A policy document, as far as it is judged here.
//!
//! In: JSON text. Out: its statements. What always holds: what is no policy document (another shape, an element twice, an effect that
//! IAM does not know, actions and their opposite in one statement) is an error for the whole document, and never half of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// Some texts, written as a list or alone.
#[derive(Debug, Default)]
pub(super) struct Texts(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }))
    }
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

/// Who a statement speaks of.
#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
pub(super) enum Principals {
    /// Written as `"*"`.
    Word(String),
    /// By type: `AWS`, `Service`, `Federated`, `CanonicalUser`.
    Types(BTreeMap<String, Texts>),
}

/// What a list of actions or resources means.
#[derive(Debug)]
pub(super) enum Scope {
    /// These.
    Of(Vec<String>),
    /// All but these.
    AllBut(Vec<String>),
}

/// One statement.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) allows: bool,
    pub(super) actions: Scope,
    /// `None`: the document belongs to a resource, as trust policies do.
    pub(super) resources: Option<Scope>,
    pub(super) principals: Option<Principals>,
    /// `NotPrincipal` is there.
    pub(super) is_for_all_but: bool,
    /// There is a condition, whatever it asks for.
    pub(super) is_conditional: bool,
}

/// The statements of a document.
pub(super) fn statements(document: &str) -> Result<Vec<Statement>, serde_json::Error> {
    Ok(serde_json::from_str::<Document>(document)?.0)
}

struct Document(Vec<Statement>);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a policy document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut statements = None;
        while let Some(key) = map.next_key::<String>()? {
            if key.eq_ignore_ascii_case("statement") {
                once(&mut statements, "Statement", map.next_value()?)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        match statements.ok_or_else(|| Error::missing_field("Statement"))? {
            OneOrMany::One(one) => Ok(Document(vec![one])),
            OneOrMany::Many(many) => Ok(Document(many)),
        }
    }
}

impl<'de> Deserialize<'de> for Statement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StatementVisitor)
    }
}

struct StatementVisitor;

impl<'de> Visitor<'de> for StatementVisitor {
    type Value = Statement;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a statement")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Statement, A::Error> {
        let (mut effect, mut principals, mut not_principals, mut condition) = (None, None, None, None);
        let (mut actions, mut not_actions, mut resources, mut not_resources) = (None, None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            // IAM does not look at the case of elements.
            match key.to_ascii_lowercase().as_str() {
                "effect" => once(&mut effect, "Effect", map.next_value::<String>()?)?,
                "action" => once(&mut actions, "Action", map.next_value::<Texts>()?)?,
                "notaction" => once(&mut not_actions, "NotAction", map.next_value::<Texts>()?)?,
                "resource" => once(&mut resources, "Resource", map.next_value::<Texts>()?)?,
                "notresource" => once(&mut not_resources, "NotResource", map.next_value::<Texts>()?)?,
                "principal" => once(&mut principals, "Principal", map.next_value::<Principals>()?)?,
                "notprincipal" => once(&mut not_principals, "NotPrincipal", map.next_value::<IgnoredAny>()?)?,
                "condition" => once(&mut condition, "Condition", map.next_value::<BTreeMap<String, IgnoredAny>>()?)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let allows = match effect.as_deref() {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err(Error::custom("an Effect that is neither Allow nor Deny")),
        };
        let actions = scope(actions, not_actions, "Action")?.ok_or_else(|| Error::missing_field("Action"))?;
        let resources = scope(resources, not_resources, "Resource")?;
        let is_conditional = condition.is_some_and(|condition| !condition.is_empty());
        Ok(Statement { allows, actions, resources, principals, is_for_all_but: not_principals.is_some(), is_conditional })
    }
}

fn once<T, E: Error>(into: &mut Option<T>, name: &'static str, value: T) -> Result<(), E> {
    if into.replace(value).is_some() { Err(Error::duplicate_field(name)) } else { Ok(()) }
}

fn scope<E: Error>(these: Option<Texts>, not_these: Option<Texts>, name: &'static str) -> Result<Option<Scope>, E> {
    match (these, not_these) {
        (Some(_), Some(_)) => Err(Error::custom(format_args!("{name} and Not{name} in one statement"))),
        (Some(these), None) => Ok(Some(Scope::Of(these.0))),
        (None, Some(these)) => Ok(Some(Scope::AllBut(these.0))),
        (None, None) => Ok(None),
    }
}
