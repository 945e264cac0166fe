//! What a query in another may hold, and which clauses need others.

use super::super::ast::{Limit, Query, Selected, Source, Width};
use super::super::function;
use super::super::walk::{self, Part};
use super::{ExprKind, Lint, Outer, holds_aggregate, may_say_more, rule, values};

/// Most subqueries of a query (docs: subqueries).
const SUBQUERIES: usize = 3;
/// Most calls of `capture` (docs: capture).
const CAPTURES: usize = 5;

/// A clause that may be refused: its first word, its name, whether it stands.
type Clause = (&'static str, &'static str, bool);

fn since(query: &Query) -> Clause {
    ("SINCE", "SINCE", query.since.is_some())
}

fn until(query: &Query) -> Clause {
    ("UNTIL", "UNTIL", query.until.is_some())
}

fn compare(query: &Query) -> Clause {
    ("COMPARE", "COMPARE WITH", query.compare.is_some())
}

fn timeseries(query: &Query) -> Clause {
    ("TIMESERIES", "TIMESERIES", query.timeseries.is_some())
}

impl Lint<'_> {
    /// Clauses that may not stand where the query stands, or not without others.
    pub(super) fn clauses_of(&mut self, query: &Query, outer: &Outer<'_>) {
        let (refused, place, hint): (Vec<Clause>, _, _) = match outer {
            Outer::None => (Vec::new(), "", ""),
            Outer::From(_) => {
                let clauses = vec![since(query), until(query), compare(query)];
                (clauses, "a query in FROM", "say it in the outermost query: it counts for all")
            }
            Outer::Join(_) => (vec![timeseries(query), compare(query)], "a joined query", ""),
            Outer::Value(_) | Outer::In(_) => (vec![timeseries(query), compare(query)], "a subquery", ""),
        };
        for (word, clause, _) in refused.into_iter().filter(|(.., stands)| *stands) {
            let at = self.clauses.find(query, word);
            self.tell(&rule::CLAUSE_IN_NESTED, at, format!("{clause} in {place}"), hint);
        }
        if query.from.iter().any(|source| matches!(source, Source::Lookup(_))) {
            let extrapolate = ("EXTRAPOLATE", "EXTRAPOLATE", query.extrapolate);
            for (word, clause, _) in [timeseries(query), compare(query), extrapolate].into_iter().filter(|(.., stands)| *stands) {
                let at = self.clauses.find(query, word);
                self.tell(&rule::CLAUSE_IN_NESTED, at, format!("{clause} on an uploaded table, which has no times"), "");
            }
        }
        if let Outer::Join(_) = outer {
            self.joined(query);
        }
        if let Outer::Value(_) | Outer::In(_) = outer {
            self.one_column(query, matches!(outer, Outer::Value(_)));
        }
        self.alone(query);
    }

    /// Clauses that need others.
    fn alone(&mut self, query: &Query) {
        let at = |lint: &Self, word: &str| lint.clauses.find(query, word);
        if let Some(series) = &query.timeseries
            && series.slide.is_some()
            && matches!(series.width, Width::Auto | Width::Max)
        {
            let at = at(self, "SLIDE");
            self.tell(&rule::CLAUSE_ALONE, at, "SLIDE BY needs TIMESERIES with a width", "say `TIMESERIES 1 hour SLIDE BY …`");
        }
        if let Some(predict) = &query.predict {
            let at = predict.span;
            if query.timeseries.is_none() && !may_say_more(query) {
                self.tell(&rule::CLAUSE_ALONE, at, "PREDICT needs TIMESERIES", "");
            }
            if query.compare.is_some() {
                self.tell(&rule::CLAUSE_ALONE, at, "PREDICT does not stand beside COMPARE WITH", "");
            }
        }
    }

    fn joined(&mut self, query: &Query) {
        for item in &query.select {
            if let Selected::All(span) = item.value {
                self.tell(&rule::CLAUSE_IN_NESTED, span, "`*` in a joined query", "name the columns");
            }
        }
        for value in values(query) {
            let mut lists = Vec::new();
            walk::within(value, &mut |inner| {
                if let ExprKind::Call(call) = &inner.kind
                    && call.name.text.eq_ignore_ascii_case("uniques")
                {
                    lists.push(inner.span);
                }
            });
            for span in lists {
                self.tell(&rule::CLAUSE_IN_NESTED, span, "`uniques` in a joined query", "FACET the attribute instead");
            }
        }
    }

    fn one_column(&mut self, query: &Query, is_value: bool) {
        let columns = query.select.iter().map(|item| item.alias.len().max(1)).sum::<usize>();
        let all = query.select.iter().find_map(|item| match item.value {
            Selected::All(span) => Some(span),
            Selected::Value(_) => None,
        });
        let place = if is_value { "a subquery used as a value" } else { "a subquery after IN" };
        if let Some(span) = all {
            self.tell(&rule::ONE_COLUMN, span, format!("{place} gives one column, not all"), "");
        } else if columns > 1 {
            self.tell(&rule::ONE_COLUMN, query.span, format!("{place} gives one column, not {columns}"), "");
        } else if is_value {
            let is_one = query.facet.is_none() && values(query).any(holds_aggregate) || query.from.is_empty();
            let may_be_one = matches!(query.limit, Some(Limit::Count(1) | Limit::Template(_))) || may_say_more(query);
            if !is_one && !may_be_one {
                let message = format!("{place} gives one value; this one gives many");
                self.tell(&rule::ONE_COLUMN, query.span, message, "say LIMIT 1, or an aggregate without FACET");
            }
        }
    }

    /// What is counted over a whole text.
    pub(super) fn whole(&mut self, query: &Query) {
        let (mut subqueries, mut captures) = (Vec::new(), Vec::new());
        walk::query(query, &mut |part| {
            let Part::Expr(value) = part else { return };
            match &value.kind {
                ExprKind::Call(call) if function::function(&call.name.text).is_some_and(|one| one.name == "capture") => {
                    captures.push(call.name.span);
                }
                _ => walk::children(value, &mut |child| {
                    if let Part::Query(subquery) = child {
                        subqueries.push(subquery.span);
                    }
                }),
            }
        });
        if let Some(span) = subqueries.get(SUBQUERIES) {
            let message = format!("{} subqueries; at most {SUBQUERIES} are allowed", subqueries.len());
            self.tell(&rule::TOO_MANY_SUBQUERIES, *span, message, "");
        }
        if let Some(span) = captures.get(CAPTURES) {
            let message = format!("{} calls of `capture`; at most {CAPTURES} are allowed", captures.len());
            self.tell(&rule::OVER_LIMIT, *span, message, "");
        }
    }
}
