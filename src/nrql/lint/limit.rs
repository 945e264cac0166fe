//! How many rows or groups a query asks for.

use super::super::ast::{Argument, Cases, ExprKind, Limit, Query, Source};
use super::super::walk;
use super::{Lint, Outer, holds_aggregate, may_say_more, plain_arguments, rule, values};

/// Most rows or groups (docs: limits).
const LIMIT: u64 = 5_000;
/// Most rows of an uploaded table (docs: lookups).
const LOOKUP_LIMIT: u64 = 20_000;
/// Most rows with a long text stored apart (docs: blob).
const BLOB_LIMIT: u64 = 20;
/// Groups without `LIMIT` (docs: FACET).
const GROUPS: usize = 10;

impl Lint<'_> {
    pub(super) fn limits(&mut self, query: &Query, outer: &Outer<'_>) {
        self.limit(query);
        if query.limit.is_none() && !may_say_more(query) && !self.is_condition() {
            match outer {
                Outer::None => self.facet(query),
                Outer::From(_) | Outer::Join(_) | Outer::Value(_) | Outer::In(_) => self.nested_limit(query, outer),
            }
        }
        if let Outer::In(_) = outer {
            self.lists(query);
        }
    }

    /// `LIMIT` over what is allowed.
    fn limit(&mut self, query: &Query) {
        let Some(Limit::Count(count)) = query.limit else { return };
        if count == 0 {
            let at = self.clauses.find(query, "LIMIT");
            self.tell(&rule::OVER_LIMIT, at, "LIMIT 0 gives nothing; at least 1 is allowed", "");
        }
        let mut has_blob = false;
        for value in values(query) {
            walk::within(value, &mut |inner| {
                has_blob |= matches!(&inner.kind, ExprKind::Call(call) if call.name.text.eq_ignore_ascii_case("blob"));
            });
        }
        let (most, of) = if has_blob {
            (BLOB_LIMIT, " with blob()")
        } else if query.from.iter().any(|source| matches!(source, Source::Lookup(_))) {
            (LOOKUP_LIMIT, " of an uploaded table")
        } else {
            (LIMIT, "")
        };
        if count > most {
            let at = self.clauses.find(query, "LIMIT");
            self.tell(&rule::OVER_LIMIT, at, format!("LIMIT {count}; at most {most}{of} are allowed"), "");
        }
    }

    /// `FACET` of the outermost query without `LIMIT`.
    fn facet(&mut self, query: &Query) {
        if query.facet.is_some() && groups(query).is_none_or(|groups| groups > GROUPS) {
            let at = self.clauses.find(query, "FACET");
            let message = format!("FACET without LIMIT shows {GROUPS} groups and hides the rest");
            self.tell(&rule::FACET_WITHOUT_LIMIT, at, message, "say how many");
        }
    }

    /// A query in another without `LIMIT`.
    fn nested_limit(&mut self, query: &Query, outer: &Outer<'_>) {
        let is_one = query.facet.is_none() && values(query).any(holds_aggregate) || query.from.is_empty();
        let of_cases = groups(query).is_some_and(|groups| groups <= GROUPS);
        // A subquery used as a value is told that it gives one.
        let told = matches!(outer, Outer::Value(_));
        if is_one || of_cases || told {
            return;
        }
        let (rows, of) = match (outer, &query.facet) {
            (Outer::Join(_), _) => ("10 rows", "a joined query"),
            (_, Some(_)) => ("10 groups", "a query in another"),
            (_, None) => ("100 rows", "a query in another"),
        };
        let message = format!("{of} without LIMIT gives {rows}, and nobody sees the rest");
        self.tell(&rule::NESTED_WITHOUT_LIMIT, query.span, message, "say LIMIT MAX, or how many");
    }

    /// `IN (SELECT uniques(x) …)` without a number.
    fn lists(&mut self, query: &Query) {
        for value in values(query) {
            if let ExprKind::Call(call) = &value.kind
                && call.name.text.eq_ignore_ascii_case("uniques")
                && plain_arguments(&call.arguments).count() == 1
                && !matches!(call.arguments.first(), Some(Argument::All(_)))
            {
                let message = "`uniques` gives 1,000 values, and nobody sees the rest";
                self.tell(&rule::UNIQUES_CUT, value.span, message, "say `uniques(…, 10000)`");
            }
        }
    }
}

/// How many groups there can be, if that is known: those of `CASES`.
fn groups(query: &Query) -> Option<usize> {
    let items = query.facet.as_ref()?.items.iter();
    let counts = items.map(|item| match &item.value.kind {
        ExprKind::Cases(Cases { cases, otherwise: None }) => Some(cases.len()),
        _ => None,
    });
    counts.sum::<Option<usize>>().filter(|_| query.facet.as_ref().is_some_and(|facet| facet.items.len() == 1))
}
