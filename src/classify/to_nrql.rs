//! A rule as a `WHERE` of NRQL over raw trail records.
//!
//! In: a rule's condition and its samples. Out: a condition that a log of a record meets when the rule matches the record, or every
//! reason why NRQL cannot say it. What always holds: the text does not lean on what `NOT` makes of a missing attribute, which New
//! Relic does not document: each negated test also asks whether what it compares is there, an attribute or what a function makes of it. A log keeps the fields of objects as
//! attributes with dotted names and a list as JSON text, so what stands in lists cannot be asked; which fields are lists only the
//! samples tell.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::expr::Expr;
use super::field::ANYWHERE;
use super::pattern::{Part, Pattern};
use super::predicate::{Compare, Network, Relation, Spec};
use super::read::Read;
use super::sigma::Item;

/// Any run of characters, new lines too, in a regular expression.
const ANY_RUN: &str = r"[\s\S]*";

/// A condition of NRQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NrqlCondition {
    /// What stands behind `WHERE`; several tests joined by `AND` stand without parentheses.
    pub text: String,
    /// The paths of the record whose values it compares: a log that hides one of them cannot be asked.
    pub compared: Vec<String>,
}

/// The condition, or all that stands against it.
///
/// # Errors
/// What cannot be said in NRQL, one sentence each.
pub(super) fn condition(read: &Read) -> Result<NrqlCondition, Vec<String>> {
    if read.correlation.is_some() {
        return Err(vec!["it counts several records: ask for the detections of its rules over a window".to_owned()]);
    }
    let mut writer = Writer { read, compared: BTreeSet::new(), refused: BTreeSet::new() };
    let text = writer.expr(&read.condition, false, true);
    let Writer { compared, refused, .. } = writer;
    if refused.is_empty() {
        Ok(NrqlCondition { text, compared: compared.into_iter().collect() })
    } else {
        Err(refused.into_iter().collect())
    }
}

struct Writer<'r> {
    read: &'r Read,
    compared: BTreeSet<String>,
    refused: BTreeSet<String>,
}

/// What the samples have at a path.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Seen {
    list: bool,
    object: bool,
    /// A number or truth value.
    scalar: bool,
}

impl Writer<'_> {
    /// A tree; `negated`: its opposite. `top`: nothing stands around it, so it needs no parentheses as an `AND`.
    fn expr(&mut self, expr: &Expr<Item>, negated: bool, top: bool) -> String {
        match expr {
            Expr::Const(value) => if *value == negated { "FALSE" } else { "TRUE" }.to_owned(),
            Expr::Leaf(item) => self.item(item, negated),
            Expr::Not(inner) => self.expr(inner, !negated, top),
            Expr::All(parts) | Expr::Any(parts) => {
                let all = matches!(expr, Expr::All(_)) != negated;
                let parts: Vec<String> = parts.iter().map(|part| self.expr(part, negated, false)).collect();
                let joined = parts.join(if all { " AND " } else { " OR " });
                if top && all { joined } else { format!("({joined})") }
            }
        }
    }

    fn refuse(&mut self, why: String) -> String {
        self.refused.insert(why);
        String::new()
    }

    fn item(&mut self, item: &Item, negated: bool) -> String {
        if item.field == ANYWHERE {
            return self.refuse("a keyword is looked for in every value of the record; a log has no one text of them".to_owned());
        }
        let Some(attribute) = self.attribute(&item.field) else { return String::new() };
        if !matches!(item.spec, Spec::Present) {
            self.compared.insert(item.field.clone());
        }
        let test = match &item.spec {
            Spec::Present => return format!("{} IS {}NULL", attribute.name, if negated { "" } else { "NOT " }),
            Spec::Text { patterns, cased } => of_texts(&attribute.text, patterns, *cased),
            Spec::Regex(regex) => Ok(format!("{} RLIKE {}", attribute.text, quoted(&whole(regex.as_str())))),
            Spec::Cidr(networks) => of_networks(&attribute.name, networks),
            Spec::Date(..) => Err("a part of a date".to_owned()),
            Spec::Number(compare, limit) => {
                let sign = match compare {
                    Compare::Less => "<",
                    Compare::LessOrEqual => "<=",
                    Compare::Equal => "=",
                    Compare::Greater => ">",
                    Compare::GreaterOrEqual => ">=",
                };
                Ok(format!("numeric({}) {sign} {limit}", attribute.name))
            }
            Spec::Field { other, relation, cased } => return self.field(&attribute, other, *relation, *cased, negated),
        };
        // A function may make nothing of a value that is there: of the name of a service no address, of a word no number.
        let compared = match &item.spec {
            Spec::Cidr(networks) => {
                networks.iter().find_map(Network::v4).map(|(_, length)| format!("cidrAddress({}, {length})", attribute.name))
            }
            Spec::Number(..) => Some(format!("numeric({})", attribute.name)),
            _ => None,
        };
        let compared = compared.unwrap_or(attribute.name);
        match test {
            Ok(test) if negated => format!("({compared} IS NULL OR NOT {test})"),
            Ok(test) => test,
            Err(why) => self.refuse(why),
        }
    }

    fn field(&mut self, one: &Attribute, other: &str, relation: Relation, cased: bool, negated: bool) -> String {
        self.compared.insert(other.to_owned());
        let Some(other) = self.attribute(other) else { return String::new() };
        let lower = |text: &str| if cased { text.to_owned() } else { format!("lower({text})") };
        let (a, b) = (lower(&one.text), lower(&other.text));
        let test = match relation {
            Relation::Equal => format!("{a} = {b}"),
            // `position` of what is not there is null.
            Relation::Contains if negated => return format!("position({a}, {b}) IS NULL"),
            Relation::Contains => format!("position({a}, {b}) IS NOT NULL"),
            Relation::StartsWith if negated => return format!("(position({a}, {b}) IS NULL OR position({a}, {b}) != 0)"),
            Relation::StartsWith => format!("position({a}, {b}) = 0"),
            // A start before the text counts from its end.
            Relation::EndsWith => {
                format!("(length({a}) >= length({b}) AND substring({a}, length({a}) - length({b})) = {b})")
            }
        };
        if negated { format!("({} IS NULL OR {} IS NULL OR NOT {test})", one.name, other.name) } else { test }
    }

    /// What a path of a record is called in a log; `None`: it is refused.
    fn attribute(&mut self, path: &str) -> Option<Attribute> {
        let seen = self.seen(path);
        if seen.list {
            self.refuse(format!("{path} lies in a list, which a log keeps as text"));
            return None;
        }
        if seen.object {
            self.refuse(format!("{path} is an object: a log has its fields, not itself"));
            return None;
        }
        // The Log API drops these two names; `encode::log` renames them.
        let name = match path {
            "eventType" => "trail.eventType".to_owned(),
            "accountId" => "trail.accountId".to_owned(),
            path if path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte)) => path.to_owned(),
            path => format!("`{path}`"),
        };
        // Sigma compares numbers and truth values as text; NRQL converts nothing by itself.
        let text = if seen.scalar { format!("string({name})") } else { name.clone() };
        Some(Attribute { name, text })
    }

    fn seen(&self, path: &str) -> Seen {
        let parts: Vec<&str> = path.split('.').collect();
        let mut seen = Seen::default();
        for record in self.read.rule.samples.iter().flat_map(|sample| &sample.records) {
            let mut at: Option<Json> = serde_json::from_str(record).ok();
            for part in &parts {
                seen.list |= matches!(at, Some(Json::Array(_)));
                at = match at {
                    Some(Json::Object(mut fields)) => fields.remove(*part),
                    _ => None,
                };
            }
            match at {
                Some(Json::Array(_)) => seen.list = true,
                Some(Json::Object(_)) => seen.object = true,
                Some(Json::Bool(_) | Json::Number(_)) => seen.scalar = true,
                _ => {}
            }
        }
        seen
    }
}

/// A field of a record in a log.
struct Attribute {
    name: String,
    /// Its value as text.
    text: String,
}

/// Any of the patterns, in parentheses if there are several tests.
fn of_texts(value: &str, patterns: &[Pattern], cased: bool) -> Result<String, String> {
    let (mut equal, mut tests) = (Vec::new(), Vec::new());
    for pattern in patterns {
        let like: Option<String> = pattern
            .0
            .iter()
            .map(|part| match part {
                Part::Text(text) if !text.contains('%') => Some(text.as_str()),
                Part::Many => Some("%"),
                _ => None,
            })
            .collect();
        match (pattern.as_literal(), like) {
            (Some(text), _) if cased => equal.push(text.to_owned()),
            (Some(text), _) => equal.push(text.to_lowercase()),
            (None, Some(like)) if !cased => tests.push(format!("{value} LIKE {}", quoted(&like))),
            (None, _) => {
                let start = if cased { "" } else { "(?i)" };
                let parts = pattern.0.iter().map(|part| match part {
                    Part::Text(text) => regex::escape(text),
                    Part::Many => ANY_RUN.to_owned(),
                    Part::One => r"[\s\S]".to_owned(),
                });
                tests.push(format!("{value} RLIKE {}", quoted(&(start.to_owned() + &parts.collect::<String>()))));
            }
        }
    }
    let folded = if cased { value.to_owned() } else { format!("lower({value})") };
    match equal.as_slice() {
        [] => {}
        // `LIKE` without `%` is an equality in any case.
        [text] if !cased && !text.contains('%') => {
            tests.insert(0, format!("{value} LIKE {}", quoted(patterns_literal(patterns))));
        }
        [text] => tests.insert(0, format!("{folded} = {}", quoted(text))),
        texts => {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            tests.insert(0, format!("{folded} IN ({})", texts.join(", ")));
        }
    }
    match tests.len() {
        0 => Err("a list of values without a value".to_owned()),
        1 => Ok(tests.concat()),
        _ => Ok(format!("({})", tests.join(" OR "))),
    }
}

/// The one literal among patterns, as it is written.
fn patterns_literal(patterns: &[Pattern]) -> &str {
    patterns.iter().find_map(Pattern::as_literal).unwrap_or_default()
}

fn of_networks(name: &str, networks: &[Network]) -> Result<String, String> {
    let mut tests = Vec::new();
    for network in networks {
        let Some((base, length)) = network.v4() else {
            return Err("a range of IPv6 addresses: cidrAddress() knows IPv4 alone".to_owned());
        };
        tests.push(format!("cidrAddress({name}, {length}) = '{base}/{length}'"));
    }
    Ok(if tests.len() == 1 { tests.concat() } else { format!("({})", tests.join(" OR ")) })
}

/// A regular expression that is found anywhere, as one that fits the whole value.
fn whole(regex: &str) -> String {
    format!("{ANY_RUN}(?:{regex}){ANY_RUN}")
}

/// A text of NRQL: `\` and `'` lose their meaning, a `\` only where it has one.
fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\'' || c == '\\' && rest.peek().is_none_or(|next| matches!(next, '\\' | '\'')) {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('\'');
    out
}
