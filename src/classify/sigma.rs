//! The `detection` of a Sigma rule.
//!
//! In: the YAML under `detection`. Out: one condition over field tests. Reads Sigma 2.1 as far as `CloudTrail` rules use it;
//! whatever it does not know is a fault with its line, never ignored. Decisions where Sigma leaves room: `DESIGN.md`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::condition;
use super::expr::Expr;
use super::fault::Faults;
use super::field::ANYWHERE;
use super::pattern::{Part, Pattern};
use super::predicate::{Compare, Network, Relation, Spec};
use super::yaml::{Entry, Node, Value};

/// One test of one field.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Dotted path, or [`ANYWHERE`].
    pub(super) field: String,
    pub(super) spec: Spec,
}

/// What stands for `%name%` under the modifier `expand`. An empty list matches nothing.
pub(super) type Placeholders = BTreeMap<String, Vec<String>>;

/// Most parts one rule's condition may grow to, so that no file can exhaust memory.
const PARTS: usize = 100_000;

const MODIFIERS: &str = "contains, startswith, endswith, all, cased, re (with i, m, s), cidr, exists, lt, lte, gt, gte, neq, \
                         fieldref, base64, base64offset, expand";

/// Reads a detection. `None`: it has faults.
pub(super) fn parse(detection: &Node, placeholders: &Placeholders, faults: &mut Faults) -> Option<Expr<Item>> {
    let Value::Map(entries) = &detection.value else {
        faults.add(detection.line, format!("detection is {}; a map of selections is needed", detection.value.describe()));
        return None;
    };
    let before = faults.found.len();
    let mut names = Vec::new();
    let mut selections = Vec::new();
    let mut conditions = None;
    for entry in entries {
        match entry.key.as_str() {
            "condition" => conditions = Some(&entry.node),
            "timeframe" => faults.add_with_hint(
                entry.line,
                "detection.timeframe: a rule looks at one record",
                "for thresholds use an alert condition over the rule's events",
            ),
            name => {
                let mut reader = Reader { name, placeholders, faults };
                selections.push(reader.selection(&entry.node));
                names.push(name);
            }
        }
    }
    let Some(conditions) = conditions else {
        faults.add(detection.line, "detection.condition is missing");
        return None;
    };
    let texts = match &conditions.value {
        Value::List(items) => items.iter().collect(),
        _ => vec![conditions],
    };
    let mut alternatives = Vec::new();
    for node in texts {
        match &node.value {
            Value::Text(text) => match condition::parse(text, &names) {
                Ok(condition) => alternatives.push(condition),
                Err(problem) => faults.add(node.line, format!("detection.condition: {problem}")),
            },
            other => faults.add(node.line, format!("detection.condition is {}; a text is needed", other.describe())),
        }
    }
    if faults.found.len() > before {
        return None;
    }
    let mut room = PARTS;
    let expr = Expr::any(alternatives).replace(&mut |number| {
        let selection = selections.get(*number).unwrap_or(&Expr::Const(false));
        room = room.saturating_sub(selection.size());
        if room == 0 { Expr::Const(false) } else { selection.clone() }
    });
    if room == 0 {
        faults.add(conditions.line, format!("detection.condition: more than {PARTS} parts when written out"));
        return None;
    }
    Some(expr)
}

struct Reader<'r> {
    name: &'r str,
    placeholders: &'r Placeholders,
    faults: &'r mut Faults,
}

impl Reader<'_> {
    fn fault(&mut self, line: u64, problem: &str) -> Expr<Item> {
        self.faults.add(line, format!("detection.{}: {problem}", self.name));
        Expr::Const(false)
    }

    /// A map (all of it), a list of maps or keywords (any of it), or one keyword.
    fn selection(&mut self, node: &Node) -> Expr<Item> {
        match &node.value {
            Value::Map(entries) if entries.is_empty() => self.fault(node.line, "an empty map; at least one field is needed"),
            Value::Map(entries) => Expr::all(entries.iter().map(|entry| self.field(entry)).collect::<Vec<_>>()),
            Value::List(items) if items.is_empty() => self.fault(node.line, "an empty list; at least one entry is needed"),
            Value::List(items) => Expr::any(items.iter().map(|item| self.selection_or_keyword(item)).collect::<Vec<_>>()),
            Value::Null => self.fault(node.line, "nothing; a map of fields or a list of keywords is needed"),
            _ => self.selection_or_keyword(node),
        }
    }

    fn selection_or_keyword(&mut self, node: &Node) -> Expr<Item> {
        match &node.value {
            Value::Map(_) => self.selection(node),
            Value::List(_) | Value::Null => {
                let problem = format!("{} among the alternatives; allowed: a map or a keyword", node.value.describe());
                self.fault(node.line, &problem)
            }
            _ => self.values(ANYWHERE, &Modifiers::default(), std::slice::from_ref(node), node.line),
        }
    }

    fn field(&mut self, entry: &Entry) -> Expr<Item> {
        let mut names = entry.key.split('|');
        let field = names.next().unwrap_or_default();
        let modifiers = match Modifiers::parse(names) {
            Ok(modifiers) => modifiers,
            Err(problem) => return self.fault(entry.line, &format!("field \"{}\": {problem}", entry.key)),
        };
        if field.is_empty() && !entry.key.starts_with('|') || field.split('.').any(str::is_empty) && !field.is_empty() {
            return self.fault(entry.line, &format!("field \"{}\": a part of the path is empty", entry.key));
        }
        let values = match &entry.node.value {
            Value::List(values) if values.is_empty() => {
                return self.fault(entry.line, &format!("field \"{}\": an empty list of values", entry.key));
            }
            Value::List(values) => values.as_slice(),
            _ => std::slice::from_ref(&entry.node),
        };
        self.values(field, &modifiers, values, entry.line)
    }

    /// Any of the values, or all of them with `all`; none of them with `neq`.
    fn values(&mut self, field: &str, modifiers: &Modifiers, values: &[Node], line: u64) -> Expr<Item> {
        let values = if modifiers.expand { self.expand(values) } else { values.to_vec() };
        let mut specs: Vec<Expr<Spec>> = Vec::new();
        for node in &values {
            let keyword = field == ANYWHERE;
            match modifiers.spec(&node.value, keyword) {
                // One predicate for a list of texts: looked up, not walked.
                Ok(Expr::Leaf(Spec::Text { patterns, cased })) if !modifiers.all => {
                    if let Some(Expr::Leaf(Spec::Text { patterns: list, .. })) =
                        specs.iter_mut().find(|spec| matches!(spec, Expr::Leaf(Spec::Text { .. })))
                    {
                        list.extend(patterns);
                    } else {
                        specs.push(Expr::Leaf(Spec::Text { patterns, cased }));
                    }
                }
                Ok(Expr::Leaf(Spec::Cidr(networks))) if !modifiers.all => {
                    if let Some(Expr::Leaf(Spec::Cidr(list))) = specs.first_mut() {
                        list.extend(networks);
                    } else {
                        specs.push(Expr::Leaf(Spec::Cidr(networks)));
                    }
                }
                Ok(spec) => specs.push(spec),
                Err(problem) => {
                    let line = if node.line == 0 { line } else { node.line };
                    let name = if field.is_empty() { "keyword".to_owned() } else { format!("field \"{field}\"") };
                    self.fault(line, &format!("{name}: {problem}"));
                }
            }
        }
        let joined = if modifiers.all { Expr::all(specs) } else { Expr::any(specs) };
        let joined = if modifiers.neq { joined.negate() } else { joined };
        joined.replace(&mut |spec| Expr::Leaf(Item { field: field.to_owned(), spec: spec.clone() }))
    }

    /// Puts the configured values in the place of `%name%`; a value without placeholder stays.
    fn expand(&mut self, values: &[Node]) -> Vec<Node> {
        let mut expanded = Vec::new();
        for node in values {
            let name = match &node.value {
                Value::Text(text) => text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')),
                _ => None,
            };
            match name.map(|name| (name, self.placeholders.get(name))) {
                None => expanded.push(node.clone()),
                Some((_, Some(texts))) => {
                    expanded.extend(texts.iter().map(|text| Node { line: node.line, value: Value::Text(text.clone()) }));
                }
                Some((name, None)) => {
                    self.faults.add_with_hint(
                        node.line,
                        format!("detection.{}: placeholder %{name}% has no values", self.name),
                        "copy the rule to a rule folder and write the values in its place",
                    );
                }
            }
        }
        expanded
    }
}

/// The modifiers of one field, valid together.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each modifier that a rule may write or leave out")]
struct Modifiers {
    kind: What,
    all: bool,
    cased: bool,
    neq: bool,
    expand: bool,
    encode: Option<Encode>,
    relation: Option<Relation>,
    flags: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum What {
    #[default]
    Text,
    Regex,
    Cidr,
    Exists,
    Number(Compare),
    Field,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encode {
    Base64,
    Base64Offset,
}

impl Modifiers {
    fn parse<'m>(names: impl Iterator<Item = &'m str>) -> Result<Self, String> {
        let mut all = Self::default();
        for name in names {
            match name {
                "contains" => all.relate(Relation::Contains)?,
                "startswith" => all.relate(Relation::StartsWith)?,
                "endswith" => all.relate(Relation::EndsWith)?,
                "all" => all.all = true,
                "cased" => all.cased = true,
                "neq" => all.neq = true,
                "expand" => all.expand = true,
                "base64" => all.encode = Some(Encode::Base64),
                "base64offset" => all.encode = Some(Encode::Base64Offset),
                "re" => all.become_kind(What::Regex)?,
                "i" | "m" | "s" if all.kind == What::Regex => all.flags.push_str(name),
                "i" | "m" | "s" => return Err(format!("modifier \"{name}\" stands only behind re")),
                "cidr" => all.become_kind(What::Cidr)?,
                "exists" => all.become_kind(What::Exists)?,
                "fieldref" => all.become_kind(What::Field)?,
                "lt" => all.become_kind(What::Number(Compare::Less))?,
                "lte" => all.become_kind(What::Number(Compare::LessOrEqual))?,
                "gt" => all.become_kind(What::Number(Compare::Greater))?,
                "gte" => all.become_kind(What::Number(Compare::GreaterOrEqual))?,
                other => return Err(format!("unknown modifier \"{other}\"; allowed: {MODIFIERS}")),
            }
        }
        let text_or_field = matches!(all.kind, What::Text | What::Field);
        if !text_or_field && (all.relation.is_some() || all.cased) || all.kind != What::Text && all.encode.is_some() {
            return Err(
                "modifiers that do not go together; contains, startswith, endswith, cased and base64 are for texts".to_owned()
            );
        }
        if all.encode == Some(Encode::Base64Offset) && all.relation != Some(Relation::Contains) {
            return Err("base64offset without contains; use base64offset|contains".to_owned());
        }
        Ok(all)
    }

    fn relate(&mut self, relation: Relation) -> Result<(), String> {
        match self.relation.replace(relation) {
            None => Ok(()),
            Some(_) => Err("two of contains, startswith, endswith; one is allowed".to_owned()),
        }
    }

    fn become_kind(&mut self, kind: What) -> Result<(), String> {
        match std::mem::replace(&mut self.kind, kind) {
            What::Text => Ok(()),
            _ => Err("two of re, cidr, exists, fieldref, lt, lte, gt, gte; one is allowed".to_owned()),
        }
    }

    /// What one value asks. A keyword is looked for inside the values.
    fn spec(&self, value: &Value, keyword: bool) -> Result<Expr<Spec>, String> {
        let leaf = |spec| Ok(Expr::Leaf(spec));
        match (self.kind, value) {
            (_, Value::List(_) | Value::Map(_)) => Err(format!("{} as a value; a single value is needed", value.describe())),
            (What::Text, Value::Null) if self.relation.is_none() && self.encode.is_none() && !keyword => {
                Ok(Expr::Leaf(Spec::Present).negate())
            }
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
            (What::Number(compare), other) => match plain(other).and_then(|text| text.parse().ok()) {
                Some(limit) => leaf(Spec::Number(compare, limit)),
                None => Err(format!("{} is no number", other.describe())),
            },
            (What::Field, Value::Text(other)) if !other.is_empty() => {
                leaf(Spec::Field { other: other.clone(), relation: self.relation.unwrap_or(Relation::Equal), cased: self.cased })
            }
            (What::Regex | What::Cidr | What::Field, other) => Err(format!("{}; a text is needed", other.describe())),
        }
    }

    fn text(&self, value: &Value, keyword: bool) -> Result<Spec, String> {
        let Some(plain) = plain(value) else { return Err(format!("{} as a text", value.describe())) };
        let parsed = if let Value::Text(text) = value { Pattern::parse(text) } else { Pattern::literal(&plain) };
        let mut patterns = match self.encode {
            None => vec![parsed],
            Some(encode) => {
                let Some(text) = parsed.as_literal() else {
                    return Err(format!("wildcards in {}; base64 needs a plain text", value.describe()));
                };
                encode.texts(text).iter().map(|text| Pattern::literal(text)).collect()
            }
        };
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

impl Encode {
    fn texts(self, text: &str) -> Vec<String> {
        match self {
            Self::Base64 => vec![STANDARD.encode(text)],
            // The part of the encoding that does not depend on the bytes around, for each of the three positions.
            Self::Base64Offset => [(0, 0), (1, 2), (2, 3)]
                .into_iter()
                .map(|(shift, skip)| {
                    let padded = [" ".repeat(shift).as_bytes(), text.as_bytes()].concat();
                    let encoded = STANDARD.encode(&padded);
                    let cut = match padded.len() % 3 {
                        0 => 0,
                        1 => 3,
                        _ => 2,
                    };
                    encoded.get(skip..encoded.len() - cut).unwrap_or_default().to_owned()
                })
                .collect(),
        }
    }
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
