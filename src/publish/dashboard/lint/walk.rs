//! Every query and call in the tree of a query.

use crate::nrql::ast::{Among, Argument, Call, Expr, ExprKind, NamedValue, Query, Selected, Source};

/// What a walk hears of.
pub(super) trait Listener<'a> {
    /// A query, before what is in it; `outer` is the one it stands in.
    fn query(&mut self, query: &'a Query, outer: Option<&'a Query>);
    /// A call of a function, before what is in it.
    fn call(&mut self, call: &'a Call);
}

/// Tells everything in `query`, outside in.
pub(super) fn walk<'a>(query: &'a Query, listener: &mut dyn Listener<'a>) {
    Walk { listener }.query(query, None);
}

struct Walk<'l, 'a> {
    listener: &'l mut dyn Listener<'a>,
}

impl<'a> Walk<'_, 'a> {
    fn query(&mut self, query: &'a Query, outer: Option<&'a Query>) {
        self.listener.query(query, outer);
        for source in &query.from {
            if let Source::Query(inner) = source {
                self.query(inner, Some(query));
            }
        }
        for join in &query.joins {
            self.query(&join.query, Some(query));
            self.expr(&join.key, query);
        }
        let selected = query.select.iter().filter_map(|item| match &item.value {
            Selected::Value(value) => Some(value),
            Selected::All(_) => None,
        });
        let facets = query
            .facet
            .iter()
            .flat_map(|facet| facet.items.iter().map(|item| &item.value).chain(facet.order_by.iter().map(|order| &order.value)));
        let rest = query.order_by.iter().map(|order| &order.value).chain(query.variables.iter().map(|one| &one.value));
        for value in selected.chain(&query.conditions).chain(facets).chain(rest) {
            self.expr(value, query);
        }
    }

    fn expr(&mut self, expr: &'a Expr, inside: &'a Query) {
        match &expr.kind {
            ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Raw(_)
            | ExprKind::Bool(_)
            | ExprKind::Null
            | ExprKind::Template(_)
            | ExprKind::Name(_) => {}
            ExprKind::Call(call) => self.call(call, inside),
            ExprKind::Cases(cases) => {
                cases.cases.iter().for_each(|case| self.expr(&case.condition, inside));
                cases.otherwise.iter().for_each(|otherwise| self.expr(otherwise, inside));
            }
            ExprKind::Index { value, .. } | ExprKind::Unary(_, value) | ExprKind::Is { value, .. } => self.expr(value, inside),
            ExprKind::Binary(_, left, right) => {
                self.expr(left, inside);
                self.expr(right, inside);
            }
            ExprKind::Like { value, pattern, .. } | ExprKind::Rlike { value, pattern, .. } => {
                self.expr(value, inside);
                self.expr(pattern, inside);
            }
            ExprKind::In { value, among, .. } => {
                self.expr(value, inside);
                match among {
                    Among::Values(values) => values.iter().for_each(|value| self.expr(value, inside)),
                    Among::Query(query) => self.query(query, Some(inside)),
                    Among::Template(_) => {}
                }
            }
            ExprKind::Query(query) => self.query(query, Some(inside)),
        }
    }

    fn call(&mut self, call: &'a Call, inside: &'a Query) {
        self.listener.call(call);
        for argument in &call.arguments {
            match argument {
                Argument::Value(value) | Argument::Where { condition: value, .. } => self.expr(value, inside),
                Argument::Named { value: NamedValue::Value(value), .. } => self.expr(value, inside),
                Argument::All(_) | Argument::Named { .. } | Argument::Duration(..) => {}
            }
        }
    }
}
