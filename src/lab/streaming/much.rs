//! Whether a condition asks for much: whether more rows could only make the value of a window greater, and only a great value opens.
//!
//! In: a condition and its query. Out: yes or no. What always holds: no is said wherever it is not sure. So a window of which only some
//! rows came may be judged where yes is said: what it would tell with all its rows, it tells now or later, never less. One thing is
//! taken for granted: what is summed up is a count or an amount, never less than nothing, unless the query subtracts.

use crate::nrql::ast::{Argument, BinaryOp, Call, Expr, ExprKind, Query, Selected, Source};
use crate::nrql::condition::{Condition, Kind};

/// Whether it does.
pub(super) fn asks_for_much(condition: &Condition, query: &Query) -> bool {
    // What a baseline expects is learnt of the windows before: one with too little would make the next one stand out.
    let is_static = condition.kind == Kind::Static;
    is_static && condition.opens_above() && grows(query)
}

/// Whether no row that is added makes the value less, or a value of an inner query.
fn grows(query: &Query) -> bool {
    let inner: Vec<&Query> = query.from.iter().filter_map(inner).collect();
    // A query around this one may read any of its values.
    let values: Option<Vec<&Expr>> = query.select.iter().map(|item| value_of(&item.value)).collect();
    let Some(values) = values else { return false };
    if !query.joins.is_empty() || !query.variables.is_empty() {
        return false;
    }
    if inner.is_empty() {
        return values.into_iter().all(|value| value_grows(value, false));
    }
    // A condition, or a group, may be of an inner value that is not known yet.
    query.conditions.is_empty()
        && query.facet.is_none()
        && inner.into_iter().all(grows)
        && values.into_iter().all(|value| value_grows(value, true))
}

fn inner(source: &Source) -> Option<&Query> {
    match source {
        Source::Query(inner) => Some(inner),
        _ => None,
    }
}

fn value_of(selected: &Selected) -> Option<&Expr> {
    match selected {
        Selected::Value(value) => Some(value),
        Selected::All(_) => None,
    }
}

fn value_grows(value: &Expr, is_nested: bool) -> bool {
    match &value.kind {
        ExprKind::Call(call) => call_grows(call, is_nested),
        ExprKind::Number(_) => true,
        ExprKind::Binary(BinaryOp::Add, one, other) => value_grows(one, is_nested) && value_grows(other, is_nested),
        ExprKind::Binary(BinaryOp::Multiply, one, other) => {
            is_amount(one) && value_grows(other, is_nested) || is_amount(other) && value_grows(one, is_nested)
        }
        ExprKind::Binary(BinaryOp::Divide, one, other) => value_grows(one, is_nested) && is_amount(other),
        _ => false,
    }
}

fn call_grows(call: &Call, is_nested: bool) -> bool {
    let argument = call.arguments.first();
    match (call.name.text.to_ascii_lowercase().as_str(), argument) {
        ("count", Some(Argument::All(_))) => true,
        ("count" | "uniquecount", Some(Argument::Value(_))) => !is_nested,
        ("max", Some(Argument::Value(of))) => !is_nested || matches!(of.kind, ExprKind::Name(_)),
        ("sum", Some(Argument::Value(of))) => is_no_loss(of) && (!is_nested || matches!(of.kind, ExprKind::Name(_))),
        // Which rows pass is known of each row, not of a value that may change.
        ("filter", Some(Argument::Value(of))) => !is_nested && value_grows(of, false),
        _ => false,
    }
}

/// Whether what is summed up cannot be less than nothing, if attributes cannot.
fn is_no_loss(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Name(_) => true,
        ExprKind::Number(_) => is_amount(value),
        ExprKind::Binary(BinaryOp::Add | BinaryOp::Multiply, one, other) => is_no_loss(one) && is_no_loss(other),
        ExprKind::Call(call) if call.name.text.eq_ignore_ascii_case("if") => {
            let is_value = |argument: &Argument| matches!(argument, Argument::Value(value) if is_no_loss(value));
            call.arguments.iter().skip(1).all(is_value)
        }
        _ => false,
    }
}

fn is_amount(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::Number(number) if number >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nrql::{self, Statement};

    #[test]
    fn what_only_grows_is_known_by_its_query() {
        for (value, grown) in [
            ("count(*)", true),
            ("uniqueCount(event.id, precision: 50000)", true),
            ("filter(count(*), WHERE a = 1)", true),
            ("filter(average(a), WHERE a = 1)", false),
            ("max(a) / 1000", true),
            ("sum(a) + sum(b)", true),
            ("sum(if(severity = 'CRITICAL', open, 0))", true),
            ("sum(a - b)", false),
            ("sum(if(a > 1, 0 - b, 0))", false),
            ("sum(a) - sum(b)", false),
            ("100 * sum(a) / sum(b)", false),
            ("-1 * count(*)", false),
            ("0 - latest(a)", false),
            ("latest(a)", false),
            ("min(a)", false),
            ("average(a)", false),
            ("percentage(count(*), WHERE a = 1)", false),
        ] {
            let of = |text: &str| match nrql::parse(text) {
                Ok(Statement::Select(query)) => grows(&query),
                other => panic!("{text}: {other:?}"),
            };
            assert_eq!(of(&format!("SELECT {value} FROM T WHERE c != 2 FACET d")), grown, "{value}");
            let nested = format!("(SELECT {value} AS n FROM T FACET d)");
            assert_eq!(of(&format!("SELECT max(n) FROM {nested}")), grown, "{value}");
            for outer in ["average(n)", "uniqueCount(n)", "max(0 - n)", "filter(count(*), WHERE n < 5)", "sum(if(n < 5, 1, 0))"] {
                assert!(!of(&format!("SELECT {outer} FROM {nested}")), "{outer}");
            }
            assert!(!of(&format!("SELECT max(m) FROM (SELECT {value} AS n, average(a) AS m FROM T FACET d)")));
            assert!(!of(&format!("SELECT count(*) FROM {nested} WHERE n < 5")));
            assert!(!of(&format!("SELECT count(*) FROM {nested} FACET n")));
        }
    }
}
