//! What a query gives.
//!
//! In: rows of values. Out: the same in `NerdGraph`'s shape. What always holds: a row keeps apart what it is grouped by, when it is,
//! and what was selected; only [`ResultRow::fields`] and [`Answer::json`] put them under New Relic's names.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json as object};

use super::function::display;
use super::value::Value;

/// A name and a value.
pub type Field = (Arc<str>, Value);

/// Which window a row is of, under `COMPARE WITH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The one asked for.
    Current,
    /// The earlier one.
    Previous,
}

/// One row of a result.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResultRow {
    /// Of a query of rows: when the row happened, ms since 1970.
    pub timestamp_ms: Option<i64>,
    /// By what the row is grouped, in the order of `FACET`.
    pub facets: Vec<Field>,
    /// Begin and end of the bucket, ms since 1970.
    pub bucket_ms: Option<(i64, i64)>,
    /// Under `COMPARE WITH`.
    pub window: Option<Window>,
    /// What was selected, in the order of `SELECT`.
    pub values: Vec<Field>,
}

impl ResultRow {
    /// All fields under the names of `NerdGraph`: `timestamp`, `facet` and each facet, `beginTimeSeconds`, `endTimeSeconds`,
    /// `comparison`, then the values.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        if let Some(ms) = self.timestamp_ms {
            fields.push(("timestamp".into(), Value::Number(ms as f64)));
        }
        match &*self.facets {
            [] => {}
            [(_, value)] => fields.push(("facet".into(), label(value))),
            facets => fields.push(("facet".into(), Value::List(facets.iter().map(|(_, value)| label(value)).collect()))),
        }
        fields.extend(self.facets.iter().cloned());
        if let Some((begin, end)) = self.bucket_ms {
            fields.push(("beginTimeSeconds".into(), Value::Number(begin as f64 / 1_000.0)));
            fields.push(("endTimeSeconds".into(), Value::Number(end as f64 / 1_000.0)));
        }
        if let Some(window) = self.window {
            let name = if window == Window::Current { "current" } else { "previous" };
            fields.push(("comparison".into(), Value::text(name)));
        }
        fields.extend(self.values.iter().cloned());
        fields
    }

    /// The values that `IN` finds in a row of one column: a list's items, or the value. None if there are several columns.
    pub(super) fn members(&self) -> Option<Vec<Value>> {
        match &*self.values {
            [(_, Value::List(items))] => Some(items.to_vec()),
            [(_, value)] => Some(vec![value.clone()]),
            _ => None,
        }
    }

    /// The fields as an object. A value takes the place of a facet of the same name.
    #[must_use]
    pub fn json(&self) -> Json {
        Json::Object(self.fields().iter().map(|(name, value)| (name.to_string(), json(value))).collect())
    }
}

/// A value of a facet as its label, which is a text.
fn label(value: &Value) -> Value {
    match value {
        Value::Null | Value::Text(_) => value.clone(),
        other => Value::text(display(other, None)),
    }
}

/// About the query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata {
    /// What stands in `FROM`.
    pub event_types: Vec<Arc<str>>,
    /// Names of the facets.
    pub facets: Vec<Arc<str>>,
    /// What the reader should know.
    pub messages: Vec<String>,
    /// The window, ms since 1970: its begin is that of the first bucket under `TIMESERIES`.
    pub begin_ms: i64,
    /// Not included.
    pub end_ms: i64,
    /// `SINCE`, as written.
    pub since: Option<String>,
    /// `UNTIL`, as written.
    pub until: Option<String>,
    /// How far back `COMPARE WITH` looks, ms.
    pub compare_ms: Option<i64>,
    /// Width of a bucket, ms; none without `TIMESERIES`.
    pub bucket_ms: Option<i64>,
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// Rows in order; under `COMPARE WITH` first those of the current window.
    pub results: Vec<ResultRow>,
    /// With `FACET`: all groups as one. A row for each bucket.
    pub total: Vec<ResultRow>,
    /// With `FACET`: the groups beyond `LIMIT` as one.
    pub other: Vec<ResultRow>,
    /// About the query.
    pub metadata: Metadata,
    /// Rows in the window.
    pub inspected_count: u64,
    /// Rows that satisfied `WHERE`.
    pub match_count: u64,
}

impl Answer {
    /// In the shape of `NerdGraph`'s `actor.account.nrql`.
    #[must_use]
    pub fn json(&self) -> Json {
        let rows = |rows: &mut dyn Iterator<Item = &ResultRow>| Json::Array(rows.map(ResultRow::json).collect());
        let aside = |rows: &[ResultRow]| match (self.metadata.facets.is_empty(), self.metadata.bucket_ms, rows) {
            (true, _, _) => Json::Null,
            (false, Some(_), rows) => Json::Array(rows.iter().map(ResultRow::json).collect()),
            (false, None, rows) => rows.first().map_or(Json::Null, ResultRow::json),
        };
        let compared = |window: Window| match self.metadata.compare_ms {
            Some(_) => rows(&mut self.results.iter().filter(|row| row.window == Some(window))),
            None => Json::Null,
        };
        object!({
            "results": rows(&mut self.results.iter()),
            "totalResult": aside(&self.total),
            "otherResult": aside(&self.other),
            "currentResults": compared(Window::Current),
            "previousResults": compared(Window::Previous),
            "metadata": {
                "eventTypes": self.metadata.event_types.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "facets": (!self.metadata.facets.is_empty()).then(|| self.metadata.facets.iter().map(ToString::to_string).collect::<Vec<_>>()),
                "messages": self.metadata.messages,
                "timeWindow": {
                    "begin": self.metadata.begin_ms,
                    "end": self.metadata.end_ms,
                    "since": self.metadata.since,
                    "until": self.metadata.until,
                    "compareWith": self.metadata.compare_ms,
                },
            },
        })
    }
}

/// A value as JSON. A whole number that a double holds exactly has no fraction.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
pub fn json(value: &Value) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) if number.fract() == 0.0 && number.abs() <= EXACT => Json::from(*number as i64),
        Value::Number(number) => Json::from(*number),
        Value::Text(text) => Json::from(&**text),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Object(fields) => {
            Json::Object(fields.iter().map(|(name, value)| (name.to_string(), json(value))).collect::<Map<_, _>>())
        }
    }
}
