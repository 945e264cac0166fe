//! Which attributes a column of an answer shows.
//!
//! In: the tree of a query. Out: column → attributes, for columns that were renamed by `AS`, in inner queries too. What always
//! holds: too many attributes rather than too few; a column that is not here has its attribute in its own name.

use std::collections::{BTreeMap, BTreeSet};

use crate::nrql::ast::{Argument, Call, Cases, Expr, ExprKind, Facet, NamedValue, Query, Selected, Source, Statement};

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

/// The names of the steps of a funnel, in order; a step without a name has none.
pub(super) fn steps(statement: &Statement) -> Vec<Option<String>> {
    let step = |argument: &Argument| match argument {
        Argument::Where { alias, .. } => Some(alias.as_ref().map(|alias| alias.text.clone())),
        _ => None,
    };
    calls(statement, "funnel").flat_map(|call| &call.arguments).filter_map(step).collect()
}

/// Where the first bucket of a histogram begins, and how wide each is: `histogram(attribute, width, buckets, start)`.
pub(super) fn buckets(statement: &Statement) -> Option<(f64, f64)> {
    let call = calls(statement, "histogram").next()?;
    let mut unnamed = call.arguments.iter().filter(|argument| !matches!(argument, Argument::Named { .. })).skip(1);
    let mut number = |wanted: &str, otherwise: f64| {
        let named = call.arguments.iter().find_map(|argument| match argument {
            Argument::Named { name, value: NamedValue::Value(value) } if name.text.eq_ignore_ascii_case(wanted) => Some(value),
            _ => None,
        });
        let in_order = unnamed.next().and_then(|argument| if let Argument::Value(value) = argument { Some(value) } else { None });
        let Some(value) = named.or(in_order) else { return Some(otherwise) };
        if let ExprKind::Number(number) = value.kind { Some(number) } else { None }
    };
    let (width, many, start) = (number("width", 10.0)?, number("buckets", 40.0)?, number("start", 0.0)?);
    Some((start, width / many))
}

/// The calls of a function that are items of `SELECT`.
fn calls<'s>(statement: &'s Statement, name: &'static str) -> impl Iterator<Item = &'s Call> {
    let query = if let Statement::Select(query) = statement { Some(query) } else { None };
    query.into_iter().flat_map(|query| &query.select).filter_map(move |item| match &item.value {
        Selected::Value(Expr { kind: ExprKind::Call(call), .. }) if call.name.text.eq_ignore_ascii_case(name) => Some(call),
        _ => None,
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nrql;

    #[test]
    fn columns_show_attributes() {
        for (name, query, expected) in [
            ("own name", "SELECT latest(a.b) FROM T", vec![]),
            ("renamed", "SELECT latest(a.b) AS 'x' FROM T", vec![("x", vec!["a.b"])]),
            ("facet", "SELECT count(*) FROM T FACET a.b AS 'x', c", vec![("x", vec!["a.b"])]),
            ("a choice", "SELECT latest(if(a = 1, b, c)) AS 'x' FROM T", vec![("x", vec!["a", "b", "c"])]),
            ("a condition shows nothing", "SELECT filter(latest(a), WHERE b = 1) AS x FROM T", vec![("x", vec!["a"])]),
            ("twice", "SELECT max(n) AS m FROM (SELECT latest(a) AS n FROM T)", vec![("m", vec!["a"]), ("n", vec!["a"])]),
        ] {
            let origins = of(&nrql::parse(query).unwrap());
            let read: Vec<(&str, Vec<&str>)> =
                origins.iter().map(|(column, from)| (column.as_str(), from.iter().map(String::as_str).collect())).collect();
            assert_eq!(read, expected, "{name}");
        }
    }

    #[test]
    fn facets_that_can_filter() {
        for (name, query, expected) in [
            ("attributes", "SELECT count(*) FROM T FACET a.b, c AS 'x'", vec![Some("a.b"), Some("c")]),
            ("an expression", "SELECT count(*) FROM T FACET weekdayOf(timestamp), a", vec![None, Some("a")]),
            ("of rows of a query", "SELECT count(*) FROM (SELECT count(*) AS n FROM T FACET a) FACET a", vec![None]),
            ("none", "SELECT count(*) FROM T", vec![]),
        ] {
            let found = facets(&nrql::parse(query).unwrap());
            assert_eq!(found.iter().map(Option::as_deref).collect::<Vec<_>>(), expected, "{name}");
        }
    }

    #[test]
    fn steps_of_a_funnel() {
        let query = "SELECT funnel(a, WHERE b = 1 AS 'Seen', WHERE b = 2) FROM T";
        assert_eq!(steps(&nrql::parse(query).unwrap()), [Some("Seen".to_owned()), None]);
    }

    #[test]
    fn buckets_of_a_histogram() {
        for (name, query, expected) in [
            ("in order", "SELECT histogram(a, 2000, 10) FROM T", Some((0.0, 200.0))),
            ("as documented without", "SELECT histogram(a) FROM T", Some((0.0, 0.25))),
            ("by name", "SELECT histogram(a, buckets: 5, width: 10, start: 3) FROM T", Some((3.0, 2.0))),
            ("none", "SELECT count(*) FROM T", None),
        ] {
            assert_eq!(buckets(&nrql::parse(query).unwrap()), expected, "{name}");
        }
    }
}
