//! From what the page asks to what is run.
//!
//! In: a query of a dashboard, the values of its variables, the window of the time picker, the filters that were clicked. Out:
//! one statement. What always holds: variables are replaced as text, before parsing, as New Relic does; the picker's window
//! replaces `SINCE` and `UNTIL` of the outer query; a filter is one more `WHERE`.

use serde::Deserialize;
use serde_json::Number;

use crate::nrql;
use crate::nrql::ast::{BinaryOp, Expr, ExprKind, IsWhat, Moment, Query, Source, Span, Statement};
use crate::nrql::template::{self, Replacement};

/// One question to [`Answers`](super::Answers).
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The query with variables filled in, as positions count in it.
    pub text: String,
    /// What to run: the query with the window and the filters.
    pub statement: Statement,
    /// New Relic accounts to ask; empty or 0: all there are.
    pub accounts: Vec<u64>,
    /// The present, milliseconds since 1970.
    pub now_ms: i64,
}

/// Where in [`Asked::text`], in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// First byte.
    pub start: usize,
    /// The byte after the last; at least `start`.
    pub end: usize,
}

/// Why there are no rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// For people.
    pub message: String,
    /// Where, if it is about a place.
    pub position: Option<Position>,
}

/// What the page sends.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Request {
    /// As the dashboard has it.
    pub(super) query: String,
    /// Variables of the dashboard.
    #[serde(default)]
    pub(super) variables: Vec<Chosen>,
    /// Begin of the picker's window, milliseconds since 1970; without it the query's own window holds.
    #[serde(default)]
    pub(super) since: Option<i64>,
    /// Its end.
    #[serde(default)]
    pub(super) until: Option<i64>,
    /// What was clicked.
    #[serde(default)]
    pub(super) filters: Vec<Filter>,
    /// New Relic accounts.
    #[serde(default)]
    pub(super) accounts: Vec<u64>,
}

/// A variable with the values that are chosen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chosen {
    /// Its name.
    pub(super) name: String,
    /// How values become text.
    #[serde(default)]
    pub(super) strategy: Strategy,
    /// In the order chosen.
    pub(super) values: Vec<String>,
}

/// `replacementStrategy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Strategy {
    /// A number as it is, anything else in quotes.
    #[default]
    Default,
    /// As it is: event types, attributes, facets.
    Identifier,
    /// As it is.
    Number,
    /// In quotes.
    String,
}

/// One group that was clicked: only rows with this value count.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Which attribute.
    pub attribute: String,
    /// Its value; `null`: only rows without it.
    pub value: Wanted,
}

/// The value of a [`Filter`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Wanted {
    /// None.
    Null,
    /// A flag.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
}

impl Request {
    /// What to run.
    ///
    /// # Errors
    /// When a value does not fit its variable, or the filled-in query is none; with the text of which positions speak.
    pub(super) fn asked(&self, now_ms: i64, knows: &Knows<'_>) -> Result<Asked, (String, Refusal)> {
        let text = fill(&self.query, &self.variables).map_err(|refusal| (self.query.clone(), refusal))?;
        let mut statement = match nrql::parse(&text) {
            Ok(statement) => statement,
            Err(error) => {
                let position = Position { start: error.span.start, end: error.span.end.max(error.span.start) };
                return Err((text, Refusal { message: error.to_string(), position: Some(position) }));
            }
        };
        apply(&mut statement, self.since, self.until, &self.filters, knows);
        Ok(Asked { text, statement, accounts: self.accounts.clone(), now_ms })
    }
}

/// Whether rows of an event type may have an attribute.
pub(super) type Knows<'a> = dyn Fn(&str, &str) -> bool + 'a;

/// Puts the picker's window and the filters into a statement.
fn apply(statement: &mut Statement, picked_since: Option<i64>, picked_until: Option<i64>, filters: &[Filter], knows: &Knows<'_>) {
    let (since, until) = match statement {
        Statement::ShowEventTypes { since, until } => (since, until),
        Statement::Select(query) => {
            for filter in filters {
                add(query, filter, knows);
            }
            let query = query.as_mut();
            (&mut query.since, &mut query.until)
        }
    };
    if let Some(begin) = picked_since {
        *since = Some(Moment::Epoch(begin));
        *until = picked_until.map(Moment::Epoch);
    }
}

/// A filter is about events: of a nested query it goes to the innermost. One that no row could satisfy is for other widgets.
fn add(query: &mut Query, filter: &Filter, knows: &Knows<'_>) {
    let mut nested = false;
    for source in &mut query.from {
        if let Source::Query(inner) = source {
            add(inner, filter, knows);
            nested = true;
        }
    }
    let known = query.from.iter().any(|source| matches!(source, Source::Type(name) if knows(&name.text, &filter.attribute)));
    if nested || !known {
        return;
    }
    let at = |kind| Expr { kind, span: Span::default() };
    let attribute = Box::new(at(ExprKind::Name(filter.attribute.clone())));
    let equal = |value| ExprKind::Binary(BinaryOp::Equal, attribute.clone(), Box::new(at(value)));
    let kind = match &filter.value {
        Wanted::Null => ExprKind::Is { value: attribute, negated: false, what: IsWhat::Null },
        Wanted::Bool(flag) => equal(ExprKind::Bool(*flag)),
        Wanted::Number(number) => equal(ExprKind::Number(number.as_f64().unwrap_or(f64::NAN))),
        Wanted::Text(text) => equal(ExprKind::Text(text.clone())),
    };
    query.conditions.push(at(kind));
}

impl Strategy {
    fn replacement(self) -> template::Strategy {
        match self {
            Self::Default => template::Strategy::Default,
            Self::Identifier => template::Strategy::Identifier,
            Self::Number => template::Strategy::Number,
            Self::String => template::Strategy::Text,
        }
    }
}

/// The query with its variables as text.
fn fill(query: &str, variables: &[Chosen]) -> Result<String, Refusal> {
    let replacement =
        |variable: &Chosen| Replacement { values: variable.values.clone(), strategy: variable.strategy.replacement() };
    let replacements: Vec<(&str, Replacement)> =
        variables.iter().map(|variable| (variable.name.as_str(), replacement(variable))).collect();
    template::fill(query, &replacements).map_err(|error| Refusal { message: error.to_string(), position: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(json: &str) -> Request {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn variables_window_and_filters_come_into_the_query() {
        for (name, json, expected) in [
            ("nothing", r#"{"query":"SELECT count(*) FROM A SINCE 1 day ago"}"#, "SELECT count(*) FROM A SINCE 1 day ago"),
            (
                "a variable",
                r#"{"query":"SELECT count(*) FROM A WHERE b IN ({{x}})","variables":[{"name":"x","strategy":"STRING","values":["c","d"]}]}"#,
                "SELECT count(*) FROM A WHERE b IN ('c', 'd')",
            ),
            (
                "an attribute",
                r#"{"query":"SELECT count(*) FROM A FACET {{x}}","variables":[{"name":"x","strategy":"IDENTIFIER","values":["b.c"]}]}"#,
                "SELECT count(*) FROM A FACET b.c",
            ),
            (
                "the picker wins",
                r#"{"query":"SELECT count(*) FROM A SINCE 1 day ago UNTIL 1 hour ago","since":1000,"until":2000}"#,
                "SELECT count(*) FROM A SINCE 1000 UNTIL 2000",
            ),
            (
                "the picker wins without an end",
                r#"{"query":"SELECT count(*) FROM A UNTIL 1 hour ago","since":1000}"#,
                "SELECT count(*) FROM A SINCE 1000",
            ),
            (
                "filters",
                r#"{"query":"SELECT count(*) FROM A WHERE b = 1","filters":[{"attribute":"c.d","value":"it's"},{"attribute":"e","value":null},{"attribute":"f","value":2},{"attribute":"g","value":true}]}"#,
                "SELECT count(*) FROM A WHERE b = 1 WHERE c.d = 'it\\'s' WHERE e IS NULL WHERE f = 2 WHERE g = true",
            ),
            (
                "a filter of other widgets",
                r#"{"query":"SELECT count(*) FROM Other","filters":[{"attribute":"c","value":"d"}]}"#,
                "SELECT count(*) FROM Other",
            ),
            (
                "a nested query",
                r#"{"query":"SELECT max(n) FROM (SELECT count(*) AS n FROM A FACET b)","since":5,"filters":[{"attribute":"c","value":"d"}]}"#,
                "SELECT max(n) FROM (SELECT count(*) AS n FROM A WHERE c = 'd' FACET b) SINCE 5",
            ),
        ] {
            let asked = request(json).asked(7, &|event_type, _| event_type != "Other").unwrap();
            assert_eq!(asked.statement, nrql::parse(expected).unwrap(), "{name}");
            assert_eq!(asked.now_ms, 7, "{name}");
        }
    }

    #[test]
    fn what_is_no_query_is_refused_where_it_stands() {
        let (text, refusal) = request(r#"{"query":"SELECT count(*) FRM A"}"#).asked(0, &|_, _| true).unwrap_err();
        assert_eq!(refusal.position, Some(Position { start: 16, end: 19 }));
        assert_eq!(text, "SELECT count(*) FRM A");
        assert!(refusal.message.starts_with("NRQL Syntax Error"), "{refusal}");
        let json = r#"{"query":"SELECT 1 WHERE a = {{x}}","variables":[{"name":"x","strategy":"NUMBER","values":["no"]}]}"#;
        let (text, refusal) = request(json).asked(0, &|_, _| true).unwrap_err();
        assert_eq!((text.as_str(), refusal.position), ("SELECT 1 WHERE a = {{x}}", None));
        assert_eq!(refusal.message, "variable `x` at byte 19 is `no`, expected a number");
    }
}
