//! The modifiers of a field.
//!
//! In: the words behind a field's name, and a value. Out: what the value asks of the field. What always holds: words that make no
//! sense together are refused with what is allowed, never ignored. [`MODIFIERS`] is the whole list.

use super::super::expr::Expr;
use super::super::pattern::{Part, Pattern};
use super::super::predicate::{Compare, Network, Relation, Spec, Unit};
use super::super::yaml::Value;
use super::encode::{self, Base64, Bytes};

/// What a word does.
#[derive(Debug, Clone, Copy)]
pub(in crate::classify) enum Modifier {
    Relate(Relation),
    All,
    Cased,
    Neq,
    Expand,
    Windash,
    Bytes(Bytes),
    Base64(Base64),
    Become(What),
    Flag,
    Date(Unit),
}

use Modifier::{All, Become, Cased, Date, Expand, Flag, Neq, Relate, Windash};

/// Every word, as messages list them (Sigma modifiers appendix 2.1).
#[rustfmt::skip]
pub(in crate::classify) const MODIFIERS: &[(&str, Modifier)] = &[
    ("contains", Relate(Relation::Contains)),
    ("startswith", Relate(Relation::StartsWith)),
    ("endswith", Relate(Relation::EndsWith)),
    ("all", All),
    ("cased", Cased),
    ("re", Become(What::Regex)),
    ("i", Flag),
    ("m", Flag),
    ("s", Flag),
    ("cidr", Become(What::Cidr)),
    ("exists", Become(What::Exists)),
    ("lt", Become(What::Number(Compare::Less))),
    ("lte", Become(What::Number(Compare::LessOrEqual))),
    ("gt", Become(What::Number(Compare::Greater))),
    ("gte", Become(What::Number(Compare::GreaterOrEqual))),
    ("neq", Neq),
    ("fieldref", Become(What::Field)),
    ("base64", Modifier::Base64(Base64::Whole)),
    ("base64offset", Modifier::Base64(Base64::Offset)),
    ("utf16le", Modifier::Bytes(Bytes::Utf16Le)),
    ("wide", Modifier::Bytes(Bytes::Utf16Le)),
    ("utf16be", Modifier::Bytes(Bytes::Utf16Be)),
    ("utf16", Modifier::Bytes(Bytes::Utf16)),
    ("windash", Windash),
    ("expand", Expand),
    ("minute", Date(Unit::Minute)),
    ("hour", Date(Unit::Hour)),
    ("day", Date(Unit::Day)),
    ("week", Date(Unit::Week)),
    ("month", Date(Unit::Month)),
    ("year", Date(Unit::Year)),
];

/// The modifiers of one field, valid together.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each modifier that a rule may write or leave out")]
pub(super) struct Modifiers {
    kind: What,
    pub(super) all: bool,
    cased: bool,
    pub(super) neq: bool,
    pub(super) expand: bool,
    windash: bool,
    bytes: Bytes,
    base64: Base64,
    unit: Option<Unit>,
    relation: Option<Relation>,
    flags: String,
}

/// What a value is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::classify) enum What {
    #[default]
    Text,
    Regex,
    Cidr,
    Exists,
    Number(Compare),
    Field,
}

impl Modifiers {
    pub(super) fn parse<'m>(names: impl Iterator<Item = &'m str>) -> Result<Self, String> {
        let mut all = Self::default();
        for name in names {
            let Some((_, modifier)) = MODIFIERS.iter().find(|(known, _)| *known == name) else {
                let known: Vec<&str> = MODIFIERS.iter().map(|(known, _)| *known).collect();
                return Err(format!("unknown modifier \"{name}\"; allowed: {}", known.join(", ")));
            };
            match *modifier {
                Relate(relation) => once(all.relation.replace(relation).is_none(), "contains, startswith, endswith")?,
                All => all.all = true,
                Cased => all.cased = true,
                Neq => all.neq = true,
                Expand => all.expand = true,
                Windash => all.windash = true,
                Modifier::Bytes(bytes) => {
                    once(std::mem::replace(&mut all.bytes, bytes) == Bytes::Utf8, "utf16le, wide, utf16be, utf16")?;
                }
                Modifier::Base64(base64) => {
                    once(std::mem::replace(&mut all.base64, base64) == Base64::Not, "base64, base64offset")?;
                }
                Become(kind) => {
                    let kinds = "re, cidr, exists, fieldref, lt, lte, gt, gte";
                    once(std::mem::replace(&mut all.kind, kind) == What::Text, kinds)?;
                }
                Flag if all.kind == What::Regex => all.flags.push_str(name),
                Flag => return Err(format!("modifier \"{name}\" stands only behind re")),
                Date(unit) => once(all.unit.replace(unit).is_none(), "minute, hour, day, week, month, year")?,
            }
        }
        all.fit_together()?;
        Ok(all)
    }

    fn fit_together(&self) -> Result<(), String> {
        let is_text = self.kind == What::Text && self.unit.is_none();
        let is_encoded = self.windash || self.bytes != Bytes::Utf8 || self.base64 != Base64::Not;
        let is_compared = self.relation.is_some() || self.cased;
        if is_encoded && !is_text || is_compared && !is_text && self.kind != What::Field {
            return Err(
                "modifiers that do not go together; contains, startswith, endswith, cased, windash, UTF-16 and base64 are \
                        for texts"
                    .to_owned(),
            );
        }
        if self.unit.is_some() && !matches!(self.kind, What::Text | What::Number(_)) {
            return Err("modifiers that do not go together; with a part of a date go lt, lte, gt, gte and neq".to_owned());
        }
        if self.kind == What::Exists && self.neq {
            return Err("modifiers that do not go together; write exists: false for the opposite".to_owned());
        }
        if self.base64 == Base64::Offset && self.relation.is_none() {
            return Err("base64offset without contains; use base64offset|contains".to_owned());
        }
        Ok(())
    }

    /// Whether values are regular expressions.
    pub(super) fn is_regex(&self) -> bool {
        self.kind == What::Regex
    }

    /// What one value asks. A keyword is looked for inside the values.
    pub(super) fn spec(&self, value: &Value, keyword: bool) -> Result<Expr<Spec>, String> {
        let leaf = |spec| Ok(Expr::Leaf(spec));
        if let Value::List(_) | Value::Map(_) = value {
            return Err(format!("{} as a value; a single value is needed", value.describe()));
        }
        if let Some(unit) = self.unit {
            let compare = if let What::Number(compare) = self.kind { compare } else { Compare::Equal };
            return leaf(Spec::Date(unit, compare, number(value)?));
        }
        match (self.kind, value) {
            (What::Text, Value::Null) if self.takes_null() && !keyword => Ok(Expr::Leaf(Spec::Present).negate()),
            (_, Value::Null) => Err("null with a modifier; a value is needed".to_owned()),
            (What::Text, _) => leaf(self.text(value, keyword)?),
            (What::Regex, Value::Text(text)) => {
                let pattern = if self.flags.is_empty() { text.clone() } else { format!("(?{}){text}", self.flags) };
                let regex = regex::bytes::Regex::new(&pattern)
                    .map_err(|error| format!("regular expression \"{text}\": {}", first_reason(&error)))?;
                leaf(Spec::Regex(regex))
            }
            (What::Cidr, Value::Text(text)) => match Network::parse(text) {
                Some(network) => leaf(Spec::Cidr(vec![network])),
                None => Err(format!("\"{text}\" is no network; allowed: 192.0.2.0/24, 2001:db8::/32 and the like")),
            },
            (What::Exists, Value::Bool(present)) => {
                Ok(if *present { Expr::Leaf(Spec::Present) } else { Expr::Leaf(Spec::Present).negate() })
            }
            (What::Exists, other) => Err(format!("exists: {}; allowed: true, false", other.describe())),
            (What::Number(compare), other) => leaf(Spec::Number(compare, number(other)?)),
            (What::Field, Value::Text(other)) if !other.is_empty() => {
                leaf(Spec::Field { other: other.clone(), relation: self.relation.unwrap_or(Relation::Equal), cased: self.cased })
            }
            (What::Regex | What::Cidr | What::Field, other) => Err(format!("{}; a text is needed", other.describe())),
        }
    }

    fn takes_null(&self) -> bool {
        self.relation.is_none() && self.base64 == Base64::Not && self.bytes == Bytes::Utf8 && !self.windash
    }

    fn text(&self, value: &Value, keyword: bool) -> Result<Spec, String> {
        let Some(plain) = plain(value) else { return Err(format!("{} as a text", value.describe())) };
        let parsed = if let Value::Text(text) = value { Pattern::parse(text) } else { Pattern::literal(&plain) };
        let mut patterns = if self.windash { encode::windash(&parsed)? } else { vec![parsed] };
        if self.base64 != Base64::Not || self.bytes != Bytes::Utf8 {
            let mut encoded = Vec::new();
            for pattern in &patterns {
                let Some(text) = pattern.as_literal() else {
                    return Err(format!("wildcards in {}; base64 and UTF-16 need a plain text", value.describe()));
                };
                let texts = encode::texts(text, self.bytes, self.base64)?;
                if self.base64 == Base64::Offset && texts.iter().any(String::is_empty) {
                    return Err(format!("{} is too short for base64offset; two letters are needed", value.describe()));
                }
                encoded.extend(texts.iter().map(|text| Pattern::literal(text)));
            }
            patterns = encoded;
        }
        let relation = if keyword { self.relation.or(Some(Relation::Contains)) } else { self.relation };
        let (before, after) = match relation {
            Some(Relation::Contains) => (true, true),
            Some(Relation::StartsWith) => (false, true),
            Some(Relation::EndsWith) => (true, false),
            Some(Relation::Equal) | None => (false, false),
        };
        patterns = patterns.into_iter().map(|pattern| pattern.open(before, after)).collect();
        if keyword && patterns.iter().any(|pattern| pattern.0 == [Part::Many]) {
            return Err("a keyword that every record holds".to_owned());
        }
        Ok(Spec::Text { patterns, cased: self.cased })
    }
}

/// An error unless a group of modifiers is used for the first time.
fn once(is_first: bool, group: &str) -> Result<(), String> {
    if is_first { Ok(()) } else { Err(format!("two of {group}; one is allowed")) }
}

fn number(value: &Value) -> Result<f64, String> {
    let number = plain(value).and_then(|text| text.parse().ok()).filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| format!("{} is no number", value.describe()))
}

/// A single value as the text a record holds.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Float(value) => Some(value.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

/// The last line of a regex error is its reason; the lines before draw the place.
fn first_reason(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
