//! What a query says twice: event types, names of columns.
//!
//! What always holds: only what New Relic's documentation does not explain is told; `*` and items whose name it leaves open are not
//! judged.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ast::{Expr, ExprKind, Query, Selected, Source, Span};
use super::scope::{self, Found, Scope};
use super::{Lint, rule};

impl Lint<'_> {
    pub(super) fn twice(&mut self, query: &Query, scope: &Scope<'_>) {
        let mut types = BTreeSet::new();
        for source in &query.from {
            if let Source::Type(name) = source
                && !types.insert(name.text.as_str())
            {
                let message = format!("`{}` stands twice in FROM", name.text);
                self.tell(
                    &rule::TYPE_TWICE,
                    name.span,
                    message,
                    "say it once: its rows are read once or twice, nobody says which",
                );
            }
        }
        let mut columns: BTreeMap<String, &Expr> = BTreeMap::new();
        for Column { names, value, span } in items(query).chain(facets(query, scope)) {
            // The same twice is the same under either name.
            if let Some(name) = names.iter().find(|name| columns.get(*name).is_some_and(|other| *other != value)) {
                let message = format!("two columns are called `{name}`");
                self.tell(&rule::NAME_TWICE, span, message, "give each a name of its own with AS");
            }
            columns.extend(names.into_iter().map(|name| (name, value)));
        }
        if let (Some(span), false) = (star(query), query.joins.is_empty()) {
            let message = "`*` over a JOIN: no page says which columns it gives";
            self.tell(&rule::UNDOCUMENTED, span, message, "name the columns");
        }
    }
}

/// The columns that an item or facet makes.
struct Column<'q> {
    names: Vec<String>,
    value: &'q Expr,
    /// Where they get their names.
    span: Span,
}

fn items(query: &Query) -> impl Iterator<Item = Column<'_>> {
    query.select.iter().filter_map(|item| {
        let Selected::Value(value) = &item.value else { return None };
        let names = || item.alias.iter().map(|name| name.text.clone()).collect();
        Some(match item.alias.first() {
            Some(first) => Column { names: names(), value, span: first.span },
            None => Column { names: scope::answer_names(value), value, span: value.span },
        })
    })
}

fn facets<'q>(query: &'q Query, scope: &Scope<'_>) -> impl Iterator<Item = Column<'q>> {
    let items = query.facet.iter().flat_map(|facet| &facet.items);
    items.filter_map(|item| match (&item.alias, &item.value.kind) {
        (Some(alias), _) => Some(Column { names: vec![alias.text.clone()], value: &item.value, span: alias.span }),
        // What a variable stands for is nobody's to know; of a name that does not exist that is told.
        (None, ExprKind::Template(_)) => None,
        (None, ExprKind::Name(name)) if scope.find(name) == Found::Missing => None,
        (None, _) => Some(Column { names: vec![scope::facet_name(&item.value)], value: &item.value, span: item.value.span }),
    })
}

fn star(query: &Query) -> Option<Span> {
    query.select.iter().find_map(|item| match item.value {
        Selected::All(span) => Some(span),
        Selected::Value(_) => None,
    })
}
