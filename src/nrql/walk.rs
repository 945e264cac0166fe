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
            argument(one, &mut |part| {
                if let Part::Expr(value) = part {
                    expr(value, see);
                }
            });
        }
    }
}

/// Shows an expression and every part of it.
pub fn expr<'t>(whole: &'t Expr, see: &mut impl FnMut(Part<'t>)) {
    see(Part::Expr(whole));
    children(whole, &mut |part| match part {
        Part::Query(nested) => query(nested, see),
        Part::Expr(inner) => expr(inner, see),
    });
}

/// Shows an expression and every part of it that is of the same query: what a subquery says is not shown.
pub fn within<'t>(whole: &'t Expr, see: &mut dyn FnMut(&'t Expr)) {
    see(whole);
    children(whole, &mut |part| {
        if let Part::Expr(inner) = part {
            within(inner, see);
        }
    });
}

/// Shows what an expression is made of, without what that is made of.
pub fn children<'t>(whole: &'t Expr, see: &mut dyn FnMut(Part<'t>)) {
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
            cases.cases.iter().for_each(|case| see(Part::Expr(&case.condition)));
            cases.otherwise.iter().for_each(|otherwise| see(Part::Expr(otherwise)));
        }
        ExprKind::Index { value, .. } | ExprKind::Unary(_, value) | ExprKind::Is { value, .. } => see(Part::Expr(value)),
        ExprKind::Binary(_, left, right) => {
            see(Part::Expr(left));
            see(Part::Expr(right));
        }
        ExprKind::In { value, among, .. } => {
            see(Part::Expr(value));
            match among {
                Among::Values(values) => values.iter().for_each(|value| see(Part::Expr(value))),
                Among::Query(nested) => see(Part::Query(nested)),
                Among::Template(_) => {}
            }
        }
        ExprKind::Like { value, pattern, .. } | ExprKind::Rlike { value, pattern, .. } => {
            see(Part::Expr(value));
            see(Part::Expr(pattern));
        }
        ExprKind::Query(nested) => see(Part::Query(nested)),
    }
}

fn argument<'t>(one: &'t Argument, see: &mut dyn FnMut(Part<'t>)) {
    match one {
        Argument::Value(value)
        | Argument::Where { condition: value, .. }
        | Argument::Named { value: NamedValue::Value(value), .. } => see(Part::Expr(value)),
        Argument::All(_)
        | Argument::Duration(..)
        | Argument::Named { value: NamedValue::Duration(..) | NamedValue::Names(_), .. } => {}
    }
}
