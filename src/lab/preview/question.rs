//! From what the page asks to what is run.
//!
//! In: a query of a dashboard, the values of its variables, the window of the time picker, the filters that were clicked. Out: one
//! statement. What always holds: variables are replaced as text, before parsing, as New Relic does; the picker's window replaces
//! `SINCE` and `UNTIL` of the outer query; a filter is one more `WHERE`.

use serde::Deserialize;
use serde_json::Number;

use crate::nrql;
use crate::nrql::ast::{BinaryOp, Expr, ExprKind, IsWhat, Moment, Query, Source, Span, Statement};

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
    /// When the filled-in query is none.
    pub(super) fn asked(&self, now_ms: i64) -> Result<Asked, (String, Refusal)> {
        let text = fill(&self.query, &self.variables);
        let mut statement = match nrql::parse(&text) {
            Ok(statement) => statement,
            Err(error) => {
                let position = Position { start: error.span.start, end: error.span.end.max(error.span.start) };
                return Err((text, Refusal { message: error.to_string(), position: Some(position) }));
            }
        };
        apply(&mut statement, self.since, self.until, &self.filters);
        Ok(Asked { text, statement, accounts: self.accounts.clone(), now_ms })
    }
}

/// Puts the picker's window and the filters into a statement.
fn apply(statement: &mut Statement, picked_since: Option<i64>, picked_until: Option<i64>, filters: &[Filter]) {
    let (since, until) = match statement {
        Statement::ShowEventTypes { since, until } => (since, until),
        Statement::Select(query) => {
            for filter in filters {
                add(query, filter);
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

/// A filter is about events: of a nested query it goes to the innermost.
fn add(query: &mut Query, filter: &Filter) {
    let mut nested = false;
    for source in &mut query.from {
        if let Source::Query(inner) = source {
            add(inner, filter);
            nested = true;
        }
    }
    if nested {
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

/// Replaces `{{name}}` by the values of the variable of that name; others stay, and are refused where they stand.
fn fill(query: &str, variables: &[Chosen]) -> String {
    let mut filled = String::with_capacity(query.len());
    let mut rest = query;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            continue;
        };
        match variables.iter().find(|variable| variable.name == name.trim()) {
            Some(variable) => {
                let values: Vec<String> = variable.values.iter().map(|value| variable.strategy.write(value)).collect();
                filled.push_str(&values.join(", "));
            }
            None => filled.push_str(&format!("{{{{{name}}}}}")),
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

impl Strategy {
    fn write(self, value: &str) -> String {
        let quoted = || format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"));
        match self {
            Self::Identifier | Self::Number => value.to_owned(),
            Self::String => quoted(),
            Self::Default if value.parse::<f64>().is_ok() => value.to_owned(),
            Self::Default => quoted(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(name: &str, strategy: Strategy, values: &[&str]) -> Chosen {
        Chosen { name: name.to_owned(), strategy, values: values.iter().map(|value| (*value).to_owned()).collect() }
    }

    #[test]
    fn variables_become_text() {
        for (name, query, variables, expected) in [
            ("text", "a LIKE {{x}}", vec![chosen("x", Strategy::String, &["%"])], "a LIKE '%'"),
            ("several", "a IN ({{ x }})", vec![chosen("x", Strategy::String, &["b", "c"])], "a IN ('b', 'c')"),
            ("a quote", "a = {{x}}", vec![chosen("x", Strategy::String, &["o'b\\"])], "a = 'o\\'b\\\\'"),
            ("a number", "a > {{x}}", vec![chosen("x", Strategy::Number, &["5"])], "a > 5"),
            ("an attribute", "FACET {{x}}", vec![chosen("x", Strategy::Identifier, &["control.id"])], "FACET control.id"),
            ("guessed", "{{x}}, {{y}}", vec![chosen("x", Strategy::Default, &["1.5"]), chosen("y", Strategy::Default, &["b"])], "1.5, 'b'"),
            ("unknown", "a = {{x}}", vec![], "a = {{x}}"),
            ("not closed", "a = {{x", vec![chosen("x", Strategy::String, &["b"])], "a = {{x"),
        ] {
            assert_eq!(fill(query, &variables), expected, "{name}");
        }
    }
}
