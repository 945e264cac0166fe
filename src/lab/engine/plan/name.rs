//! What columns are called when the query does not say.
//!
//! What always holds: a name is that of New Relic's answers: the function, a dot and its attribute if it has one.

use super::super::function;
use super::aggregate::canonical;
use super::expression::bare_name;
use crate::nrql::ast::{Argument, Expr, ExprKind, Key};

/// What an item whose name New Relic's documentation leaves open is called.
const RESULT: &str = "result";

/// The fields of an item's value that stand in the row themselves, by the name the item has.
pub(super) fn fields(name: &str) -> &'static [&'static str] {
    let function = name.split_once('.').map_or(name, |(function, _)| function);
    SPREAD.iter().find(|(known, _)| *known == function).map_or(&[], |(_, fields)| fields)
}

/// Aggregates whose value is fields that stand in the row themselves, and those fields.
const SPREAD: [(&str, &[&str]); 2] =
    [("apdex", &["score", "s", "t", "f", "count"]), ("keyset", &["allKeys", "stringKeys", "numericKeys", "booleanKeys"])];

/// The name of an item of `SELECT`, and whether the fields of its value stand in the row themselves.
pub(super) fn item(value: &Expr) -> (String, bool) {
    match &value.kind {
        ExprKind::Name(name) => (name.clone(), false),
        ExprKind::Call(call) => {
            let name = canonical(&call.name.text)
                .or_else(|| function::row(&call.name.text).map(|function| function.name))
                .unwrap_or(&call.name.text);
            let spread = SPREAD.iter().any(|(function, _)| *function == name);
            if name == "funnel" {
                return ("steps".to_owned(), false);
            }
            let attribute = match call.arguments.first() {
                Some(Argument::Value(first)) => bare_name(first),
                _ => None,
            };
            (attribute.map_or_else(|| name.to_owned(), |attribute| format!("{name}.{attribute}")), spread)
        }
        ExprKind::Cases(_) => ("cases".to_owned(), false),
        ExprKind::Index { value, key } => match (&value.kind, key) {
            (ExprKind::Name(name), Key::Field(field)) => (format!("{name}[{field}]"), false),
            (ExprKind::Name(name), Key::Position(position)) => (format!("{name}[{position}]"), false),
            _ => (RESULT.to_owned(), false),
        },
        _ => (RESULT.to_owned(), false),
    }
}

/// The name of an item of `FACET`: the attribute, or the expression as text.
pub(super) fn facet(value: &Expr) -> String {
    match &value.kind {
        ExprKind::Name(name) => name.clone(),
        ExprKind::Cases(_) => "cases".to_owned(),
        _ => value.to_string(),
    }
}
