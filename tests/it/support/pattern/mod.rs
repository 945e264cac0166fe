//! `EventBridge`'s pattern language, written a second time for the tests.
//!
//! In: a pattern and an event. Out: whether a rule with that pattern would send that event; and, stricter than `EventBridge`,
//! what in a pattern is a trap. What always holds: a pattern that `EventBridge` would not take, or whose meaning hangs on the order
//! in which it is written, is refused and never matched. It works as AWS's Event Ruler does, on the paths of the leaves, so that it
//! shares no step with an emulator that walks both trees. [User guide: comparison operators; Event Ruler's README, 2026-11]

mod leaf;
mod lint;
mod operator;

use serde_json::{Map, Value};

use leaf::{Leaf, leaves};
pub(crate) use lint::traps;
use operator::Operator;

/// A pattern, as the sums of products it stands for.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// Any of these has to hold; without `$or` there is one.
    alternatives: Vec<Alternative>,
}

/// Fields that must all hold.
type Alternative = Vec<Field>;

/// A path, joined with dots, and the operators of which any must hold for a leaf at that path.
#[derive(Debug, Clone)]
struct Field {
    path: String,
    operators: Vec<Operator>,
}

impl Pattern {
    /// Reads a pattern; an error says what `EventBridge` would refuse, or what nobody should rely on.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let pattern: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
        let fields = pattern.as_object().ok_or("not an object")?;
        let alternatives = compile(fields, "")?;
        for alternative in &alternatives {
            let mut paths: Vec<_> = alternative.iter().map(|field| field.path.as_str()).collect();
            paths.sort_unstable();
            if let Some([twice, ..]) = paths.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(format!("`{twice}` is asked about twice: the last one written would win"));
            }
        }
        Ok(Self { alternatives })
    }

    /// Whether a rule with this pattern sends the event.
    pub(crate) fn matches(&self, event: &Value) -> bool {
        let leaves = leaves(event);
        self.alternatives.iter().any(|fields| hold(fields, &leaves, &[]))
    }
}

fn compile(fields: &Map<String, Value>, parent: &str) -> Result<Vec<Alternative>, String> {
    if fields.is_empty() {
        return Err(format!("`{parent}` is empty"));
    }
    let mut alternatives = vec![Vec::new()];
    for (key, value) in fields {
        let path = if parent.is_empty() { key.clone() } else { format!("{parent}.{key}") };
        let further = match value {
            Value::Array(members) if key == "$or" => one_of(members, parent)?,
            Value::Object(fields) => compile(fields, &path)?,
            Value::Array(values) if values.is_empty() => return Err(format!("`{path}` has no value")),
            Value::Array(values) => {
                let operators = values.iter().map(Operator::parse).collect::<Result<_, _>>();
                let operators = operators.map_err(|fault| format!("`{path}`: {fault}"))?;
                vec![vec![Field { path, operators }]]
            }
            _ => return Err(format!("`{path}` must be an object or an array")),
        };
        alternatives = product(&alternatives, &further);
    }
    Ok(alternatives)
}

fn one_of(members: &[Value], parent: &str) -> Result<Vec<Alternative>, String> {
    if members.len() < 2 {
        return Err("`$or` needs two objects at least".to_owned());
    }
    let mut alternatives = Vec::new();
    for member in members {
        alternatives.extend(compile(member.as_object().ok_or("`$or` takes objects")?, parent)?);
    }
    Ok(alternatives)
}

fn product(left: &[Alternative], right: &[Alternative]) -> Vec<Alternative> {
    let both = |left: &Alternative, right: &Alternative| left.iter().chain(right).cloned().collect();
    left.iter().flat_map(|left| right.iter().map(move |right| both(left, right))).collect()
}

/// Whether a leaf can be found for each field, so that no two are in different elements of one array.
fn hold(fields: &[Field], leaves: &[Leaf<'_>], places: &[(usize, usize)]) -> bool {
    let Some((field, rest)) = fields.split_first() else { return true };
    let mut there = leaves.iter().filter(|leaf| leaf.path == field.path).peekable();
    if there.peek().is_none() {
        return field.operators.iter().any(Operator::wants_nothing) && hold(rest, leaves, places);
    }
    there.any(|leaf| {
        field.operators.iter().any(|operator| operator.holds(leaf.value))
            && leaf.fits_beside(places)
            && hold(rest, leaves, &[places, &leaf.places].concat())
    })
}
