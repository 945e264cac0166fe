//! The pen that writes rows into a table.
//!
//! In: borrowed names and values. Out: nothing; the table grows. What always holds: nothing is built between the caller's text and
//! the column: a text seen before costs one look.

use serde_json::{Map, Value as Json};

use super::table::Table;
use crate::lab::engine::value::{Key, Value};

/// Below this a timestamp is in seconds (milliseconds would lie before 1974, seconds after 5138): the Event API takes both.
const SECONDS_BELOW: f64 = 1e11;

/// A point of a metric, as the Metric API has them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Point {
    /// How much since the last point.
    Count(f64),
    /// How much at this moment.
    Gauge(f64),
    /// Several measurements at once.
    Summary {
        /// How many.
        count: f64,
        /// Their sum.
        total: f64,
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
    },
}

impl Point {
    /// From an object with the fields that [`Point::value`] gives; none if it is no such object.
    fn from_json(value: &Json) -> Option<Self> {
        let number = |name: &str| value.get(name).and_then(Json::as_f64);
        match value.get("type").and_then(Json::as_str)? {
            "count" => number("count").map(Self::Count),
            "gauge" => number("latest").map(Self::Gauge),
            "summary" => {
                Some(Self::Summary { count: number("count")?, total: number("total")?, min: number("min")?, max: number("max")? })
            }
            _ => None,
        }
    }

    /// As a value with the fields `type`, `count`, `total`, `max`, `min`, `latest`, as far as the kind has them.
    #[must_use]
    pub fn value(self) -> Value {
        let fields: Vec<(&str, Value)> = match self {
            Self::Count(count) => vec![("type", Value::text("count")), ("count", Value::Number(count))],
            Self::Gauge(value) => vec![
                ("type", Value::text("gauge")),
                ("count", Value::Number(1.0)),
                ("total", Value::Number(value)),
                ("max", Value::Number(value)),
                ("min", Value::Number(value)),
                ("latest", Value::Number(value)),
            ],
            Self::Summary { count, total, min, max } => vec![
                ("type", Value::text("summary")),
                ("count", Value::Number(count)),
                ("total", Value::Number(total)),
                ("max", Value::Number(max)),
                ("min", Value::Number(min)),
            ],
        };
        Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

/// Writes rows: first [`Rows::begin`], then the row's attributes in any order.
#[derive(Debug)]
pub struct Rows<'t> {
    table: &'t mut Table,
    row: usize,
    guess: usize,
}

impl<'t> Rows<'t> {
    pub(super) fn new(table: &'t mut Table) -> Self {
        Self { table, row: 0, guess: 0 }
    }

    /// Opens the next row. Both times in milliseconds since 1970.
    pub fn begin(&mut self, timestamp_ms: i64, received_ms: i64) {
        self.row = self.table.begin(timestamp_ms, received_ms);
        self.guess = 0;
    }

    /// A text.
    pub fn text(&mut self, name: &str, text: &str) {
        let (position, column) = self.table.column(name, self.guess);
        self.guess = position + 1;
        if let Some(column) = column {
            column.set_text(self.row, text);
        }
    }

    /// A number. NaN is no value. The number named `timestamp` moves the row in time.
    pub fn number(&mut self, name: &str, number: f64) {
        if name == "timestamp" {
            self.table.set_timestamp(self.row, milliseconds(number));
            return;
        }
        self.plain_number(name, number);
    }

    fn plain_number(&mut self, name: &str, number: f64) {
        let (position, column) = self.table.column(name, self.guess);
        self.guess = position + 1;
        if let Some(column) = column.filter(|_| !number.is_nan()) {
            column.set_number(self.row, number);
        }
    }

    /// A truth value.
    pub fn flag(&mut self, name: &str, flag: bool) {
        let (position, column) = self.table.column(name, self.guess);
        self.guess = position + 1;
        if let Some(column) = column {
            column.set_flag(self.row, flag);
        }
    }

    /// Any value; null is no value.
    pub fn value(&mut self, name: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Bool(flag) => self.flag(name, *flag),
            Value::Number(number) => self.number(name, *number),
            Value::Text(text) => self.text(name, text),
            Value::List(_) | Value::Object(_) => {
                let (position, column) = self.table.column(name, self.guess);
                self.guess = position + 1;
                if let Some(column) = column {
                    column.set_other(self.row, Key(value.clone()));
                }
            }
        }
    }

    /// Any value of a row that a query made: `timestamp` is a value like any other.
    pub(in crate::lab) fn plain(&mut self, name: &str, value: &Value) {
        match value {
            Value::Number(number) => self.plain_number(name, *number),
            other => self.value(name, other),
        }
    }

    /// A point of a metric. The row also gets `metricName`; its other attributes are the point's dimensions.
    pub fn metric(&mut self, name: &str, point: Point) {
        self.text("metricName", name);
        self.value(name, &point.value());
    }

    /// One row as JSON: opens it and writes all of it. See [`super::Store::append_json`].
    pub fn json(&mut self, row: &Map<String, Json>, received_ms: i64) {
        self.begin(received_ms, received_ms);
        let metric = row.get("metricName").and_then(Json::as_str);
        for (name, value) in row.iter().filter(|(name, _)| *name != "eventType") {
            match Point::from_json(value).filter(|_| metric == Some(name)) {
                Some(point) => self.value(name, &point.value()),
                None => self.json_value(name, value),
            }
        }
    }

    fn json_value(&mut self, name: &str, value: &Json) {
        match value {
            Json::Null => {}
            Json::Bool(flag) => self.flag(name, *flag),
            Json::Number(number) => self.number(name, number.as_f64().unwrap_or(f64::NAN)),
            Json::String(text) => self.text(name, text),
            Json::Array(items) => self.value(name, &Value::List(items.iter().map(json_item).collect())),
            Json::Object(fields) => {
                for (field, value) in fields {
                    self.json_value(&format!("{name}.{field}"), value);
                }
            }
        }
    }
}

/// An item of a list. Lists hold plain values; anything deeper becomes its JSON text, as the Event API does it.
fn json_item(item: &Json) -> Value {
    match item {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => number.as_f64().map_or(Value::Null, Value::Number),
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(_) | Json::Object(_) => Value::text(item.to_string()),
    }
}

/// A timestamp in milliseconds, given in seconds or milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "a double out of range becomes the end of the range")]
fn milliseconds(number: f64) -> i64 {
    if number.abs() < SECONDS_BELOW { (number * 1_000.0) as i64 } else { number as i64 }
}
