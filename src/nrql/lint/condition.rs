//! What a condition of an alert may hold (NRQL reference, alert conditions; docs, create NRQL alert conditions).

use super::super::ast::{Argument, Expr, ExprKind, Query, Selected, Source, Span};
use super::super::function;
use super::super::walk;
use super::kind::{self, Type};
use super::scope::Scope;
use super::{Lint, Purpose, aggregate_of, holds_aggregate, plain_arguments, rule, values};

/// How a term compares (NerdGraph: `AlertsNrqlConditionTermsOperator`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "New Relic's own words")]
pub enum Comparison {
    Above,
    AboveOrEquals,
    Below,
    BelowOrEquals,
    Equals,
    NotEquals,
}

impl Comparison {
    fn as_str(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::AboveOrEquals => "above or equal to",
            Self::Below => "below",
            Self::BelowOrEquals => "below or equal to",
            Self::Equals => "equal to",
            Self::NotEquals => "not equal to",
        }
    }
}

/// When a condition opens an incident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// How the value is compared.
    pub comparison: Comparison,
    /// With what.
    pub threshold: f64,
}

impl Term {
    /// Whether a whole number from 0 on breaches it.
    fn holds(self, value: f64) -> bool {
        match self.comparison {
            Comparison::Above => value > self.threshold,
            Comparison::AboveOrEquals => value >= self.threshold,
            Comparison::Below => value < self.threshold,
            Comparison::BelowOrEquals => value <= self.threshold,
            Comparison::Equals => (value - self.threshold).abs() < f64::EPSILON,
            Comparison::NotEquals => (value - self.threshold).abs() >= f64::EPSILON,
        }
    }

    /// Whether a count from 1 on ever breaches it.
    fn holds_above_zero(self) -> bool {
        let next = self.threshold.floor();
        [1.0, 2.0, next, next + 1.0].into_iter().filter(|value| *value >= 1.0).any(|value| self.holds(value))
    }
}

/// Functions that New Relic refuses in conditions, or that give no number.
const REFUSED: [&str; 6] = ["histogram", "bytecountestimate", "cardinality", "funnel", "uniques", "keyset"];

impl Lint<'_> {
    /// Judges the outermost query of a condition.
    pub(super) fn condition(&mut self, query: &Query, scope: &Scope<'_>) {
        self.clauses_of_condition(query);
        self.selected(query, scope);
        self.facets(query);
        self.zero(query);
        let mut inner = query;
        while let Some(nested) = inner.from.iter().find_map(|source| match source {
            Source::Query(nested) => Some(&**nested),
            _ => None,
        }) {
            self.clauses_of_condition(nested);
            if nested.facet.is_none() {
                let message = "the query in FROM of a condition has FACET";
                self.tell(&rule::CONDITION_CLAUSE, nested.span, message, "");
            }
            inner = nested;
        }
    }

    /// Clauses and subqueries that are refused.
    fn clauses_of_condition(&mut self, query: &Query) {
        let clauses = [
            ("SINCE", "SINCE", query.since.is_some(), "the condition's window counts"),
            ("UNTIL", "UNTIL", query.until.is_some(), "the condition's window counts"),
            ("TIMESERIES", "TIMESERIES", query.timeseries.is_some(), "the condition's window counts"),
            ("COMPARE", "COMPARE WITH", query.compare.is_some(), "a condition of type BASELINE compares with the past"),
            ("LIMIT", "LIMIT", query.limit.is_some(), "every group is a signal of its own"),
            ("OFFSET", "OFFSET", query.offset.is_some(), ""),
            ("ORDER", "ORDER BY", !query.order_by.is_empty(), ""),
            ("PREDICT", "PREDICT", query.predict.is_some(), "a term of the condition has `prediction`"),
            ("EXTRAPOLATE", "EXTRAPOLATE", query.extrapolate, ""),
            ("RAW", "RAW", query.raw, ""),
            ("JOIN", "JOIN", !query.joins.is_empty(), ""),
        ];
        for (word, clause, _, hint) in clauses.into_iter().filter(|(_, _, stands, _)| *stands) {
            // Alone, its word could be a name.
            let predict = query.predict.as_ref().filter(|_| word == "PREDICT").map(|predict| predict.span);
            let at = predict.unwrap_or_else(|| self.clauses.find(query, word));
            self.tell(&rule::CONDITION_CLAUSE, at, format!("{clause} in a condition"), hint);
        }
        if query.facet.as_ref().is_some_and(|facet| facet.order_by.is_some()) {
            let at = self.clauses.find(query, "ORDER");
            self.tell(&rule::CONDITION_CLAUSE, at, "FACET … ORDER BY in a condition", "every group is a signal of its own");
        }
        for source in &query.from {
            if let Source::Lookup(table) = source {
                self.tell(&rule::CONDITION_CLAUSE, table.span, "an uploaded table in a condition", "");
            }
        }
        for part in super::parts(query) {
            let (mut subqueries, mut calls) = (Vec::new(), Vec::new());
            walk::within(part.value, &mut |inner| {
                if let ExprKind::Call(call) = &inner.kind
                    && let Some(function) = function::function(&call.name.text)
                    && REFUSED.contains(&function.name)
                {
                    calls.push((function.name, call.name.span));
                }
                walk::children(inner, &mut |child| {
                    if let walk::Part::Query(subquery) = child {
                        subqueries.push(subquery.span);
                    }
                });
            });
            for span in subqueries {
                self.tell(&rule::CONDITION_CLAUSE, span, "a subquery in a condition", "");
            }
            for (name, span) in calls {
                self.tell(&rule::CONDITION_CLAUSE, span, format!("`{name}` in a condition"), "");
            }
        }
    }

    /// One number.
    fn selected(&mut self, query: &Query, scope: &Scope<'_>) {
        if let [_, second, ..] = query.select.as_slice() {
            let span = match &second.value {
                Selected::All(span) => *span,
                Selected::Value(value) => value.span,
            };
            let message = format!("a condition selects one number, not {}", query.select.len());
            self.tell(&rule::CONDITION_VALUE, span, message, "make a condition of each");
            return;
        }
        let Some(item) = query.select.first() else { return };
        let value = match &item.value {
            Selected::All(span) => {
                self.tell(&rule::CONDITION_VALUE, *span, "a condition selects one number, not `*`", "");
                return;
            }
            Selected::Value(value) => value,
        };
        if !holds_aggregate(value) {
            let message = format!("`{value}` is of one row; a condition selects an aggregate");
            self.tell(&rule::CONDITION_VALUE, value.span, message, format!("say `latest({value})`, `max({value})` or the like"));
            return;
        }
        let several = several(value);
        match kind::of(value, scope) {
            Some(found @ (Type::Text | Type::List | Type::Truth)) => {
                let message = format!("`{value}` is {}; a condition selects a number", found.as_str());
                let hint = if found == Type::Truth { "select the number; a term of the condition compares it" } else { "" };
                self.tell(&rule::CONDITION_VALUE, value.span, message, hint);
            }
            _ => {
                if let Some((inner, several)) = several {
                    let message = format!("`{inner}` gives {several} numbers; a condition selects one");
                    self.tell(&rule::CONDITION_VALUE, inner.span, message, "ask for one of them");
                }
            }
        }
    }

    /// Names that titles and muting rules can say.
    fn facets(&mut self, query: &Query) {
        for item in query.facet.iter().flat_map(|facet| &facet.items) {
            let (name, span) = match (&item.alias, &item.value.kind) {
                (Some(alias), _) => (alias.text.as_str(), alias.span),
                (None, ExprKind::Name(name)) => (name.as_str(), item.value.span),
                (None, _) => ("", item.value.span),
            };
            let mut letters = name.chars();
            let is_plain = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
                && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            if !is_plain {
                let written = if name.is_empty() { self.clauses.at(span).to_owned() } else { name.to_owned() };
                let message = format!("`{written}` is no plain name");
                self.tell(&rule::CONDITION_FACET, span, message, format!("say `AS {}`", plain(&written)));
            }
        }
    }

    /// Thresholds that wait for a count of 0.
    fn zero(&mut self, query: &Query) {
        let Purpose::Condition { terms, fills_gaps: false } = self.purpose else { return };
        let Some((name, span)) = values(query).next().and_then(count_like) else { return };
        for term in terms.clone() {
            if !term.holds(0.0) {
                continue;
            }
            let when = format!("{} {}", term.comparison.as_str(), term.threshold);
            let hint = "widen WHERE and say `filter(count(*), WHERE …)`, fill gaps with 0, or open an incident at loss of signal";
            if term.holds_above_zero() {
                // `NOT_EQUALS 5` and its like are about what is there.
                if matches!(term.comparison, Comparison::Below | Comparison::BelowOrEquals) {
                    let message = format!("`{name}` {when}: where no row passes WHERE there is no value, and no incident");
                    self.tell(&rule::COUNT_BLIND_TO_SILENCE, span, message, hint);
                }
            } else {
                let message = format!("`{name}` is never {when}: where no row passes WHERE there is no value, not 0");
                self.tell(&rule::COUNT_NEVER_ZERO, span, message, hint);
            }
        }
    }
}

/// Functions that give a number for each argument behind the first.
const ONE_EACH: [&str; 2] = ["percentile", "cdfPercentage"];

/// The first part of a value that gives several numbers, and how many, where none of them is taken.
fn several(value: &Expr) -> Option<(&Expr, usize)> {
    match &value.kind {
        ExprKind::Index { .. } => None,
        ExprKind::Call(call) if call.name.text.eq_ignore_ascii_case("getField") => None,
        ExprKind::Call(call) if ONE_EACH.iter().any(|name| name.eq_ignore_ascii_case(&call.name.text)) => {
            let numbers = plain_arguments(&call.arguments).count().saturating_sub(1);
            (numbers > 1).then_some((value, numbers))
        }
        _ => {
            let mut first = None;
            walk::children(value, &mut |part| {
                if let (None, walk::Part::Expr(inner)) = (first, part) {
                    first = several(inner);
                }
            });
            first
        }
    }
}

/// The count that a value is, if it is at least 1 wherever there is one.
fn count_like(value: &Expr) -> Option<(&'static str, Span)> {
    let function = aggregate_of(value)?;
    let ExprKind::Call(call) = &value.kind else { return None };
    let counts_rows = match (function.name, call.arguments.first()) {
        ("count", Some(Argument::All(_))) => true,
        // Of an attribute it may be 0 beside other rows.
        ("count", Some(Argument::Value(argument))) => matches!(argument.kind, ExprKind::Number(_) | ExprKind::Text(_)),
        ("uniqueCount", _) => true,
        _ => false,
    };
    counts_rows.then_some((function.name, value.span))
}

/// A plain name made of another: `aws.accountId` gives `awsAccountId`.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    let mut capital = false;
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            plain.push(if capital && !plain.is_empty() { letter.to_ascii_uppercase() } else { letter });
            capital = false;
        } else {
            capital = true;
        }
    }
    if plain.is_empty() { "name".to_owned() } else { plain }
}
