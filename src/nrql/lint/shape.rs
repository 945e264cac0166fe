//! Rows or aggregates: what may stand in `SELECT` together, and which clauses with it.

use std::collections::BTreeSet;

use super::super::ast::{Argument, Expr, ExprKind, Query, Selected, Span};
use super::super::function;
use super::super::walk;
use super::kind::{self, Type};
use super::scope::Scope;
use super::{Lint, Part, Place, aggregate_of, holds_aggregate, parts, rule, values};

impl Lint<'_> {
    pub(super) fn shape(&mut self, query: &Query, scope: &Scope<'_>) {
        let constants = constants(query);
        let is_aggregate = values(query).any(holds_aggregate);
        if is_aggregate {
            self.mixed(query, &constants);
            for (stands, word) in [(!query.order_by.is_empty(), "ORDER"), (query.offset.is_some(), "OFFSET")] {
                if stands {
                    let clause = if word == "ORDER" { "ORDER BY" } else { word };
                    let at = self.clauses.find(query, word);
                    self.tell(&rule::CLAUSE_OF_ROWS, at, format!("{clause} changes nothing beside aggregates"), "");
                }
            }
        } else if is_of_rows(query, &constants) {
            let clauses = [
                (query.facet.is_some(), "FACET", "FACET"),
                (query.timeseries.is_some(), "TIMESERIES", "TIMESERIES"),
                (query.compare.is_some(), "COMPARE", "COMPARE WITH"),
            ];
            for (_, word, clause) in clauses.into_iter().filter(|(stands, ..)| *stands) {
                let at = self.clauses.find(query, word);
                let message = format!("{clause} needs an aggregate in SELECT, such as `count(*)`");
                self.tell(&rule::CLAUSE_OF_AGGREGATES, at, message, "");
            }
        }
        for part in parts(query) {
            self.aggregates_of_rows(&part, is_aggregate);
            self.blobs(&part);
        }
        self.survivors(query);
        for item in query.facet.iter().flat_map(|facet| &facet.items) {
            let has_decimals = matches!(item.value.kind, ExprKind::Name(_) | ExprKind::Binary(..)) || gives_decimals(&item.value);
            if has_decimals && kind::of(&item.value, scope) == Some(Type::Number) {
                let message = format!("`{}` is a number: a facet loses its decimals", item.value);
                let hint = format!("say `string({})` or `buckets({}, …)`", item.value, item.value);
                self.tell(&rule::NUMERIC_FACET, item.value.span, message, hint);
            }
        }
    }

    /// Items that are of one row, beside aggregates.
    fn mixed(&mut self, query: &Query, constants: &BTreeSet<&str>) {
        for item in &query.select {
            let found = match &item.value {
                Selected::All(span) => Some(("*", *span)),
                Selected::Value(value) => free_name(value, constants),
            };
            if let Some((name, span)) = found {
                let message = format!("`{name}` is of one row, other items are of all");
                let hint = if name == "*" { String::new() } else { format!("say `latest({name})`, or FACET {name}") };
                self.tell(&rule::MIXED_SELECT, span, message, hint);
            }
        }
    }

    /// Aggregates where one row is asked about.
    fn aggregates_of_rows(&mut self, part: &Part<'_>, beside_aggregates: bool) {
        let clause = match part.place {
            Place::Where => "WHERE",
            Place::Facet => "FACET",
            Place::With => "WITH",
            Place::JoinKey => "ON",
            // Beside aggregates it is told that it changes nothing.
            Place::Order if !beside_aggregates => "ORDER BY",
            Place::Select | Place::FacetOrder | Place::Order => "",
        };
        if clause.is_empty() {
            let mut conditions = Vec::new();
            walk::within(part.value, &mut |inner| {
                if let ExprKind::Call(call) = &inner.kind {
                    conditions.extend(call.arguments.iter().filter_map(|argument| match argument {
                        Argument::Where { condition, .. } => Some(condition),
                        _ => None,
                    }));
                }
            });
            for condition in conditions {
                self.aggregate_in(condition, "WHERE");
            }
        } else {
            self.aggregate_in(part.value, clause);
        }
    }

    /// `blob` anywhere but in `SELECT` of rows.
    fn blobs(&mut self, part: &Part<'_>) {
        let clause = match part.place {
            Place::Where => "WHERE",
            Place::Facet | Place::FacetOrder => "FACET",
            Place::Order => "ORDER BY",
            Place::JoinKey => "ON",
            // Beside aggregates its attribute is told to be of one row; a name of WITH may stand in SELECT alone.
            Place::Select | Place::With => return,
        };
        let mut blobs = Vec::new();
        walk::within(part.value, &mut |inner| {
            if let ExprKind::Call(call) = &inner.kind
                && call.name.text.eq_ignore_ascii_case("blob")
            {
                blobs.push(inner.span);
            }
        });
        for span in blobs {
            self.tell(&rule::BLOB_OF_ROWS, span, format!("`blob` in {clause}"), "it stands in SELECT of rows alone");
        }
    }

    /// `FACET … ORDER BY … ASC`.
    fn survivors(&mut self, query: &Query) {
        let Some(order) = query.facet.as_ref().and_then(|facet| facet.order_by.as_ref()) else { return };
        if let Some(span) = self.clauses.word_behind(order.value.span, "ASC") {
            let message = "ASC changes nothing in FACET … ORDER BY: the greatest groups stay";
            self.tell(&rule::FACET_ASCENDING, span, message, "leave it out");
        }
    }

    fn aggregate_in(&mut self, value: &Expr, clause: &str) {
        let mut first = None;
        walk::within(value, &mut |inner| {
            if first.is_none() {
                first = aggregate_of(inner).map(|function| (function.name, inner.span));
            }
        });
        if let Some((name, span)) = first {
            let message = format!("`{name}` in {clause}, which asks about one row");
            let hint = "ask in a query around this one, or compare with a subquery";
            self.tell(&rule::AGGREGATE_IN_WHERE, span, message, hint);
        }
    }
}

/// Functions of numbers whose results are seldom whole.
const OF_DECIMALS: [&str; 7] = ["sqrt", "exp", "ln", "log2", "log10", "log", "convert"];

/// Whether an expression is a call that gives decimals: `round(x, .1)`.
fn gives_decimals(value: &Expr) -> bool {
    let ExprKind::Call(call) = &value.kind else { return false };
    let to = kind::argument_number(call, "", 1);
    match function::function(&call.name.text).map_or("", |function| function.name) {
        "round" => to.is_some_and(|(to, _)| to.fract() != 0.0),
        name => OF_DECIMALS.contains(&name),
    }
}

/// Names of `WITH` whose value reads no row.
fn constants(query: &Query) -> BTreeSet<&str> {
    let mut constants = BTreeSet::new();
    for variable in &query.variables {
        if free_name(&variable.value, &constants).is_none() {
            constants.extend(variable.names.iter().map(|name| name.text.as_str()));
        }
    }
    constants
}

/// Whether a query without aggregates surely selects rows: nothing in it may yet turn out to be an aggregate.
fn is_of_rows(query: &Query, constants: &BTreeSet<&str>) -> bool {
    let may_be = |value: &Expr| {
        let mut may = false;
        walk::within(value, &mut |inner| {
            may |= match &inner.kind {
                ExprKind::Template(_) => true,
                ExprKind::Call(call) => function::function(&call.name.text).is_none(),
                _ => false,
            };
        });
        may
    };
    let reads = query.select.iter().any(|item| match &item.value {
        Selected::All(_) => true,
        Selected::Value(value) => free_name(value, constants).is_some(),
    });
    reads && !values(query).any(may_be)
}

/// The first name in an expression that stands in no aggregate and for no constant.
fn free_name<'q>(value: &'q Expr, constants: &BTreeSet<&str>) -> Option<(&'q str, Span)> {
    if aggregate_of(value).is_some() {
        return None;
    }
    match &value.kind {
        // What a variable stands for may be an aggregate.
        ExprKind::Call(call) if call.is_template() => None,
        ExprKind::Name(name) if constants.contains(name.as_str()) => None,
        ExprKind::Name(name) => Some((name, value.span)),
        // Behind the first argument some functions have words of their own.
        ExprKind::Call(call) if kind::takes_words(&call.name.text) => match call.arguments.first() {
            Some(Argument::Value(first)) => free_name(first, constants),
            _ => None,
        },
        _ => {
            let mut first = None;
            walk::children(value, &mut |part| {
                if let (None, walk::Part::Expr(inner)) = (first, part) {
                    first = free_name(inner, constants);
                }
            });
            first
        }
    }
}
