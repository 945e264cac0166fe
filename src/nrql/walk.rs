//! Every query and expression of a tree, outer before inner, left before right.
//!
//! In: a tree. Out: its parts, one call for each. What always holds: nothing is left out, subqueries, arguments and conditions of
//! cases included; a part comes before what stands in it.

use super::ast::{Among, Argument, Expr, ExprKind, NamedValue, Query, Selected, Source, Statement};

/// A part of a tree.
#[derive(Debug, Clone, Copy)]
pub enum Part<'t> {
    /// A query, whole or nested.
    Query(&'t Query),
    /// An expression.
    Expr(&'t Expr),
}

/// Shows every part of a statement.
pub fn statement<'t>(statement: &'t Statement, see: &mut impl FnMut(Part<'t>)) {
    if let Statement::Select(whole) = statement {
        query(whole, see);
    }
}

/// Shows a query and every part of it.
pub fn query<'t>(whole: &'t Query, see: &mut impl FnMut(Part<'t>)) {
    see(Part::Query(whole));
    whole.variables.iter().for_each(|variable| expr(&variable.value, see));
    for item in &whole.select {
        if let Selected::Value(value) = &item.value {
            expr(value, see);
        }
    }
    for source in &whole.from {
        if let Source::Query(nested) = source {
            query(nested, see);
        }
    }
    for join in &whole.joins {
        query(&join.query, see);
        expr(&join.key, see);
    }
    whole.conditions.iter().for_each(|condition| expr(condition, see));
    whole.order_by.iter().for_each(|item| expr(&item.value, see));
    if let Some(facet) = &whole.facet {
        facet.items.iter().for_each(|item| expr(&item.value, see));
        facet.order_by.iter().for_each(|item| expr(&item.value, see));
    }
    if let Some(arguments) = whole.predict.as_ref().and_then(|predict| predict.holtwinters.as_ref()) {
        for one in arguments {
            argument(one, see);
        }
    }
}

/// Shows an expression and every part of it.
pub fn expr<'t>(whole: &'t Expr, see: &mut impl FnMut(Part<'t>)) {
    see(Part::Expr(whole));
    match &whole.kind {
        ExprKind::Number(_)
        | ExprKind::Text(_)
        | ExprKind::Raw(_)
        | ExprKind::Bool(_)
        | ExprKind::Null
        | ExprKind::Template(_)
        | ExprKind::Name(_) => {}
        ExprKind::Call(call) => call.arguments.iter().for_each(|one| argument(one, see)),
        ExprKind::Cases(cases) => {
            cases.cases.iter().for_each(|case| expr(&case.condition, see));
            cases.otherwise.iter().for_each(|otherwise| expr(otherwise, see));
        }
        ExprKind::Index { value, .. } | ExprKind::Unary(_, value) | ExprKind::Is { value, .. } => expr(value, see),
        ExprKind::Binary(_, left, right) => {
            expr(left, see);
            expr(right, see);
        }
        ExprKind::In { value, among, .. } => {
            expr(value, see);
            match among {
                Among::Values(values) => values.iter().for_each(|value| expr(value, see)),
                Among::Query(nested) => query(nested, see),
                Among::Template(_) => {}
            }
        }
        ExprKind::Like { value, pattern, .. } | ExprKind::Rlike { value, pattern, .. } => {
            expr(value, see);
            expr(pattern, see);
        }
        ExprKind::Query(nested) => query(nested, see),
    }
}

fn argument<'t>(one: &'t Argument, see: &mut impl FnMut(Part<'t>)) {
    match one {
        Argument::Value(value)
        | Argument::Where { condition: value, .. }
        | Argument::Named { value: NamedValue::Value(value), .. } => expr(value, see),
        Argument::All(_)
        | Argument::Duration(..)
        | Argument::Named { value: NamedValue::Duration(..) | NamedValue::Names(_), .. } => {}
    }
}
