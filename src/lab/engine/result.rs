//! What a query gives.
//!
//! In: rows of values. Out: the same in `NerdGraph`'s shape. What always holds: a row keeps apart what it is grouped by, when it is,
//! and what was selected; only [`ResultRow::fields`] and [`Answer::json`] put them under New Relic's names.

use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};
use serde_json::Value as Json;

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
    /// `comparison`, then the values. A value takes the place of a facet of the same name.
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
        let before = fields.len();
        for (name, value) in &self.values {
            match fields.iter_mut().take(before).find(|(known, _)| known == name) {
                Some((_, known)) => known.clone_from(value),
                None => fields.push((Arc::clone(name), value.clone())),
            }
        }
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

    /// The fields as an object.
    #[must_use]
    pub fn json(&self) -> Json {
        of(self)
    }
}

/// As JSON: nothing here can fail, for every name is a text.
fn of(told: &impl Serialize) -> Json {
    serde_json::to_value(told).unwrap_or_default()
}

/// The fields in order.
impl Serialize for ResultRow {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(self.fields().iter().map(|(name, value)| (&**name, value)))
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
    /// In the shape of `NerdGraph`'s `actor.account.nrql`. Written as text (it can be serialized) the names of a row stay in order.
    #[must_use]
    pub fn json(&self) -> Json {
        of(self)
    }

    /// The total, or the rest, of all groups: nothing without groups, a list under `TIMESERIES`.
    fn aside<'a>(&self, rows: &'a [ResultRow]) -> Aside<'a> {
        match (self.metadata.facets.is_empty(), self.metadata.bucket_ms, rows) {
            (true, _, _) | (false, None, []) => Aside::Nothing,
            (false, Some(_), rows) => Aside::Rows(rows),
            (false, None, [row, ..]) => Aside::Row(row),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Aside<'a> {
    Nothing,
    Row(&'a ResultRow),
    Rows(&'a [ResultRow]),
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let compared = |window: Window| -> Option<Vec<&ResultRow>> {
            self.metadata.compare_ms.map(|_| self.results.iter().filter(|row| row.window == Some(window)).collect())
        };
        let mut whole = out.serialize_struct("Answer", 6)?;
        whole.serialize_field("results", &self.results)?;
        whole.serialize_field("totalResult", &self.aside(&self.total))?;
        whole.serialize_field("otherResult", &self.aside(&self.other))?;
        whole.serialize_field("currentResults", &compared(Window::Current))?;
        whole.serialize_field("previousResults", &compared(Window::Previous))?;
        whole.serialize_field("metadata", &self.metadata)?;
        whole.end()
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let texts = |texts: &[Arc<str>]| texts.iter().map(ToString::to_string).collect::<Vec<String>>();
        let mut about = out.serialize_struct("Metadata", 4)?;
        about.serialize_field("eventTypes", &texts(&self.event_types))?;
        about.serialize_field("facets", &(!self.facets.is_empty()).then(|| texts(&self.facets)))?;
        about.serialize_field("messages", &self.messages)?;
        about.serialize_field(
            "timeWindow",
            &TimeWindow {
                begin: self.begin_ms,
                end: self.end_ms,
                since: self.since.as_deref(),
                until: self.until.as_deref(),
                compare_with: self.compare_ms,
            },
        )?;
        about.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TimeWindow<'a> {
    begin: i64,
    end: i64,
    since: Option<&'a str>,
    until: Option<&'a str>,
    compare_with: Option<i64>,
}

/// A value as JSON.
#[must_use]
pub fn json(value: &Value) -> Json {
    of(value)
}

/// A whole number that a double holds exactly has no fraction; what is no number of JSON is nothing.
impl Serialize for Value {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Self::Null => out.serialize_unit(),
            Self::Bool(flag) => out.serialize_bool(*flag),
            Self::Number(number) if number.fract() == 0.0 && number.abs() <= EXACT => out.serialize_i64(*number as i64),
            Self::Number(number) => out.serialize_f64(*number),
            Self::Text(text) => out.serialize_str(text),
            Self::List(items) => out.collect_seq(items.iter()),
            Self::Object(fields) => out.collect_map(fields.iter().map(|(name, value)| (&**name, value))),
        }
    }
}
