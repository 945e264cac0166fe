//! The complete, slow way: one row, one value.
//!
//! In: a node and a row. Out: its value. Every node is known here; the fast ways fall back on it.

use super::super::function::{Like, Named};
use super::super::settings::Switches;
use super::super::time::Context;
use super::super::value::{Key, Value};
use super::operator::{Truth, number, number_of};
use super::{CallNode, Node};

/// A row, or a group of rows after aggregation.
pub(in super::super) trait Row {
    /// The value of a column.
    fn column(&self, column: usize) -> Value;
    /// When it happened, ms.
    fn timestamp(&self) -> Value;
    /// Its type.
    fn event_type(&self) -> Value;
    /// The value of an aggregate.
    fn aggregate(&self, _index: usize) -> Value {
        Value::Null
    }
    /// End of the bucket or window, ms, and its length, ms.
    fn window(&self) -> (f64, f64) {
        (f64::NAN, f64::NAN)
    }
    /// What a node with a memory remembers for this row, if it has one.
    fn remembered(&self, _node: &Node) -> Option<Value> {
        None
    }
}

/// What every row shares.
#[derive(Debug, Clone)]
pub(in super::super) struct Scalars {
    /// Zone and moment.
    pub(in super::super) context: Context,
    /// What is undecided.
    pub(in super::super) switches: Switches,
}

/// The value of an expression for a row.
pub(in super::super) fn value(scalars: &Scalars, node: &Node, row: &dyn Row) -> Value {
    match node {
        Node::Constant(value) => value.clone(),
        Node::Column(column) => row.column(*column),
        Node::Timestamp => row.timestamp(),
        Node::EventType => row.event_type(),
        Node::Aggregate { index, whole: true } => row.aggregate(*index),
        Node::Aggregate { index, whole: false } => match row.aggregate(*index) {
            object @ Value::Object(_) => number(number_of(&object)),
            other => other,
        },
        Node::WindowEnd => number(row.window().0),
        Node::Rate(node, interval_ms) => {
            let (_, length_ms) = row.window();
            number(number_of(&value(scalars, node, row)) * interval_ms / length_ms)
        }
        Node::Minus(one) => number(-number_of(&value(scalars, one, row))),
        Node::Arithmetic(operation, one, two) => {
            let (one, two) = (number_of(&value(scalars, one, row)), number_of(&value(scalars, two, row)));
            number(operation.numbers(one, two, scalars.switches.division_by_zero))
        }
        Node::Coalesce(one, two) => match value(scalars, one, row) {
            Value::Null => value(scalars, two, row),
            there => there,
        },
        Node::If(condition, then, otherwise) => {
            let chosen = if truth(scalars, condition, row) == Truth::True { then } else { otherwise };
            value(scalars, chosen, row)
        }
        Node::Cases(cases, otherwise) => {
            let case = cases.iter().find(|(condition, _)| truth(scalars, condition, row) == Truth::True);
            case.map_or_else(|| value(scalars, otherwise, row), |(_, name)| name.clone())
        }
        Node::Call(call) => call_value(scalars, call, row),
        Node::Output(node, at, name) => match value(scalars, node, row) {
            Value::List(items) => items.get(*at).cloned().unwrap_or_default(),
            Value::Object(fields) => {
                fields.iter().find(|(field, _)| **field == **name).map_or(Value::Null, |(_, value)| value.clone())
            }
            other if *at == 0 => other,
            _ => Value::Null,
        },
        Node::Memo { node, .. } => value(scalars, node, row),
        Node::Calendar { call, .. } => row.remembered(node).unwrap_or_else(|| call_value(scalars, call, row)),
        Node::Compare(..)
        | Node::And(..)
        | Node::Or(..)
        | Node::Not(_)
        | Node::IsNull(_)
        | Node::IsBool(..)
        | Node::In(..)
        | Node::InList(..)
        | Node::Like(..)
        | Node::LikeValue(..)
        | Node::Rlike(..) => truth(scalars, node, row).value(),
    }
}

/// The truth of a condition for a row.
pub(in super::super) fn truth(scalars: &Scalars, node: &Node, row: &dyn Row) -> Truth {
    match node {
        Node::Compare(comparison, one, two) => {
            let (one, two) = (value(scalars, one, row), value(scalars, two, row));
            comparison.values(&one, &two, scalars.switches.null_satisfies_negation)
        }
        Node::And(one, two) => match truth(scalars, one, row) {
            Truth::False => Truth::False,
            first => first.and(truth(scalars, two, row)),
        },
        Node::Or(one, two) => match truth(scalars, one, row) {
            Truth::True => Truth::True,
            first => first.or(truth(scalars, two, row)),
        },
        // A negated test of a missing value: unknown, unless the switch says that a missing value satisfies it.
        Node::Not(one) => match truth(scalars, one, row) {
            Truth::Unknown if scalars.switches.null_satisfies_negation && is_test(one) => Truth::True,
            other => other.not(),
        },
        Node::IsNull(one) => Truth::of(value(scalars, one, row).is_null()),
        Node::IsBool(one, which) => Truth::of(value(scalars, one, row) == Value::Bool(*which)),
        Node::In(one, among) => match value(scalars, one, row) {
            Value::Null => Truth::Unknown,
            Value::List(_) | Value::Object(_) => Truth::False,
            there => found(among.contains(&Key(there)), || among.contains(&Key(Value::Null))),
        },
        Node::InList(one, among) => match value(scalars, one, row) {
            Value::Null => Truth::Unknown,
            there => {
                let items: Vec<Value> = among.iter().map(|item| value(scalars, item, row)).collect();
                found(items.contains(&there), || items.iter().any(Value::is_null))
            }
        },
        Node::Like(one, like) => text_truth(&value(scalars, one, row), |text| like.matches(text)),
        Node::LikeValue(one, two) => match value(scalars, two, row) {
            Value::Text(pattern) => text_truth(&value(scalars, one, row), |text| Like::new(&pattern).matches(text)),
            _ => Truth::Unknown,
        },
        Node::Rlike(one, rlike) => text_truth(&value(scalars, one, row), |text| rlike.matches(text)),
        Node::Memo { node, .. } => truth(scalars, node, row),
        _ => Truth::from_value(&value(scalars, node, row)),
    }
}

/// Whether a value is in a list: what is not found may be what a missing item stands for.
fn found(is_there: bool, misses: impl FnOnce() -> bool) -> Truth {
    match is_there {
        true => Truth::True,
        false if misses() => Truth::Unknown,
        false => Truth::False,
    }
}

/// Whether a node tests one value, so that its negation is an operator of the language: `NOT IN`, `NOT LIKE`, `NOT RLIKE`.
fn is_test(node: &Node) -> bool {
    matches!(node, Node::In(..) | Node::InList(..) | Node::Like(..) | Node::LikeValue(..) | Node::Rlike(..))
}

/// A test of texts: nothing is unknown, what is no text does not match.
fn text_truth(value: &Value, test: impl FnOnce(&str) -> bool) -> Truth {
    match value {
        Value::Null => Truth::Unknown,
        Value::Text(text) => Truth::of(test(text)),
        _ => Truth::False,
    }
}

/// The value of a function.
pub(super) fn call_value(scalars: &Scalars, call: &CallNode, row: &dyn Row) -> Value {
    let arguments: Vec<Value> = call.arguments.iter().map(|argument| value(scalars, argument, row)).collect();
    call_with(scalars, call, &arguments, row)
}

/// The value of a function whose arguments are known.
pub(super) fn call_with(scalars: &Scalars, call: &CallNode, arguments: &[Value], row: &dyn Row) -> Value {
    let named: Vec<(&str, Value)> = call.named.iter().map(|(name, node)| (name.as_str(), value(scalars, node, row))).collect();
    match &call.prepared {
        Some(prepared) => prepared.call(&scalars.context, arguments, &Named(&named)),
        None => (call.function.call)(&scalars.context, arguments, &Named(&named)),
    }
}
