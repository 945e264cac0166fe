//! Which attributes a column of an answer shows.
//!
//! In: the tree of a query. Out: column → attributes, for columns that were renamed by `AS`, in inner queries too. What always
//! holds: too many attributes rather than too few; a column that is not here has its attribute in its own name.

use std::collections::{BTreeMap, BTreeSet};

use crate::nrql::ast::{Argument, Cases, Expr, ExprKind, Facet, Query, Selected, Source, Statement};

/// Column → the attributes it shows.
pub(super) type Origins = BTreeMap<String, BTreeSet<String>>;

/// Of every column that has a name of its own.
pub(super) fn of(statement: &Statement) -> Origins {
    let mut origins = Origins::new();
    if let Statement::Select(query) = statement {
        query_origins(query, &mut origins);
    }
    origins
}

/// The attribute of every item of `FACET`, if it is one and not an expression: a click on a group can filter by it.
pub(super) fn facets(statement: &Statement) -> Vec<Option<String>> {
    let Statement::Select(query) = statement else { return Vec::new() };
    let inner = query.from.iter().any(|source| matches!(source, Source::Query(_)));
    let items = query.facet.iter().flat_map(|Facet { items, .. }| items);
    let name = |value: &Expr| match &value.kind {
        // A column of an inner query is no attribute of other widgets' events.
        ExprKind::Name(name) if !inner => Some(name.clone()),
        _ => None,
    };
    items.map(|item| name(&item.value)).collect()
}

/// Inner queries first: what is outside may show their columns.
fn query_origins(query: &Query, origins: &mut Origins) {
    for source in &query.from {
        if let Source::Query(inner) = source {
            query_origins(inner, origins);
        }
    }
    for join in &query.joins {
        query_origins(&join.query, origins);
    }
    let mut note = |name: &str, values: BTreeSet<String>| {
        let shown = values.into_iter().flat_map(|value| origins.get(&value).cloned().unwrap_or_else(|| BTreeSet::from([value])));
        let shown: BTreeSet<String> = shown.collect();
        origins.entry(name.to_owned()).or_default().extend(shown);
    };
    for variable in &query.variables {
        let shown = names(&variable.value);
        for name in &variable.names {
            note(&name.text, shown.clone());
        }
    }
    for item in &query.select {
        if let Selected::Value(value) = &item.value {
            let shown = names(value);
            for alias in &item.alias {
                note(&alias.text, shown.clone());
            }
        }
    }
    for item in query.facet.iter().flat_map(|facet| &facet.items) {
        if let Some(alias) = &item.alias {
            note(&alias.text, names(&item.value));
        }
    }
}

/// The names in an expression whose values it may show; conditions show nothing.
fn names(value: &Expr) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Expr, found: &mut BTreeSet<String>) {
    match &value.kind {
        ExprKind::Name(name) => {
            found.insert(name.clone());
        }
        ExprKind::Call(call) => {
            for argument in &call.arguments {
                if let Argument::Value(value) = argument {
                    collect(value, found);
                }
            }
        }
        ExprKind::Cases(Cases { otherwise: Some(value), .. }) => collect(value, found),
        ExprKind::Index { value, .. } | ExprKind::Unary(_, value) => collect(value, found),
        ExprKind::Binary(_, left, right) => {
            collect(left, found);
            collect(right, found);
        }
        ExprKind::Query(query) => {
            for item in &query.select {
                if let Selected::Value(value) = &item.value {
                    collect(value, found);
                }
            }
        }
        _ => {}
    }
}
