//! The `detection` of a Sigma rule.
//!
//! In: the YAML under `detection` or `filter`. Out: one condition over field tests. Reads Sigma 2.1 as far as it can apply to JSON
//! records; whatever it does not know is a fault with its line, never ignored. Decisions where Sigma leaves room: `DESIGN.md`.

mod encode;
mod modifier;
mod placeholder;

use super::condition;
use super::expr::Expr;
use super::fault::Faults;
use super::field::ANYWHERE;
use super::predicate::Spec;
use super::yaml::{Entry, Node, Value};
#[cfg(test)]
pub(super) use modifier::MODIFIERS;
use modifier::Modifiers;
pub(super) use placeholder::Placeholders;

/// One test of one field.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Dotted path, or [`ANYWHERE`].
    pub(super) field: String,
    pub(super) spec: Spec,
}

/// Most parts one rule's condition may grow to, so that no file can exhaust memory.
const PARTS: usize = 100_000;

/// Reads a detection. `None`: it has faults.
pub(super) fn parse(detection: &Node, placeholders: &Placeholders, faults: &mut Faults) -> Option<Expr<Item>> {
    selections(Section::Detection, detection, placeholders, faults)
}

/// Reads the selections and the condition of a filter. `None`: they have faults.
pub(super) fn parse_filter(filter: &Node, placeholders: &Placeholders, faults: &mut Faults) -> Option<Expr<Item>> {
    selections(Section::Filter, filter, placeholders, faults)
}

/// Where selections and a condition stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Detection,
    Filter,
}

impl Section {
    fn name(self) -> &'static str {
        match self {
            Self::Detection => "detection",
            Self::Filter => "filter",
        }
    }
}

fn selections(section: Section, detection: &Node, placeholders: &Placeholders, faults: &mut Faults) -> Option<Expr<Item>> {
    let place = section.name();
    let Value::Map(entries) = &detection.value else {
        faults.add(detection.line, format!("{place} is {}; a map of selections is needed", detection.value.describe()));
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
                format!("{place}.timeframe: a rule looks at one record"),
                "write a correlation with a `timespan` that names the rule",
            ),
            // Which rules a filter is for is read by who reads filters.
            "rules" if section == Section::Filter => {}
            name => {
                let mut reader = Reader { place, name, placeholders, faults };
                selections.push(reader.selection(&entry.node));
                names.push(name);
            }
        }
    }
    let Some(conditions) = conditions else {
        faults.add(detection.line, format!("{place}.condition is missing"));
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
                Err(condition::Refused { problem, hint: None }) => faults.add(node.line, format!("{place}.condition: {problem}")),
                Err(condition::Refused { problem, hint: Some(hint) }) => {
                    faults.add_with_hint(node.line, format!("{place}.condition: {problem}"), hint);
                }
            },
            other => faults.add(node.line, format!("{place}.condition is {}; a text is needed", other.describe())),
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
        faults.add(conditions.line, format!("{place}.condition: more than {PARTS} parts when written out"));
        return None;
    }
    Some(expr)
}

struct Reader<'r> {
    place: &'static str,
    name: &'r str,
    placeholders: &'r Placeholders,
    faults: &'r mut Faults,
}

impl Reader<'_> {
    fn fault(&mut self, line: u64, problem: &str) -> Expr<Item> {
        self.faults.add(line, format!("{}.{}: {problem}", self.place, self.name));
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
        let mut specs: Vec<Expr<Spec>> = Vec::new();
        for node in values {
            let expanded = if modifiers.expand { self.expand(node, modifiers) } else { None };
            let nodes = expanded.as_deref().unwrap_or(std::slice::from_ref(node));
            if nodes.is_empty() {
                // What has no values matches nothing, and `all` asks for it too.
                specs.push(Expr::Const(false));
            }
            for node in nodes {
                match modifiers.spec(&node.value, field == ANYWHERE) {
                    Ok(found) => join(&mut specs, found, modifiers.all),
                    Err(problem) => {
                        let line = if node.line == 0 { line } else { node.line };
                        let name = if field.is_empty() { "keyword".to_owned() } else { format!("field \"{field}\"") };
                        self.fault(line, &format!("{name}: {problem}"));
                    }
                }
            }
        }
        let joined = if modifiers.all { Expr::all(specs) } else { Expr::any(specs) };
        let joined = if modifiers.neq { joined.negate() } else { joined };
        joined.replace(&mut |spec| Expr::Leaf(Item { field: field.to_owned(), spec: spec.clone() }))
    }

    /// The values that stand for a text with placeholders; `None`: it has none, and stays.
    fn expand(&mut self, node: &Node, modifiers: &Modifiers) -> Option<Vec<Node>> {
        let Value::Text(text) = &node.value else { return None };
        match self.placeholders.expand(text, modifiers.is_regex()) {
            Ok(expanded) => {
                for name in expanded.unfilled {
                    self.faults.unfilled(&name);
                }
                let node = |text| Node { line: node.line, value: Value::Text(text) };
                expanded.texts.map(|texts| texts.into_iter().map(node).collect())
            }
            Err(problem) => {
                let hint =
                    "add it under rules.placeholders in the configuration: `Name: [value, value]`; an empty list matches nothing";
                self.faults.add_with_hint(node.line, format!("{}.{}: {problem}", self.place, self.name), hint);
                Some(Vec::new())
            }
        }
    }
}

/// Adds what one value asks. Texts and networks of a list are one predicate: looked up, not walked.
fn join(specs: &mut Vec<Expr<Spec>>, found: Expr<Spec>, all: bool) {
    if !all {
        for spec in specs.iter_mut() {
            match (spec, &found) {
                (Expr::Leaf(Spec::Text { patterns: list, cased }), Expr::Leaf(Spec::Text { patterns, cased: as_cased }))
                    if cased == as_cased =>
                {
                    return list.extend(patterns.iter().cloned());
                }
                (Expr::Leaf(Spec::Cidr(list)), Expr::Leaf(Spec::Cidr(networks))) => return list.extend(networks),
                _ => {}
            }
        }
    }
    specs.push(found);
}
