//! Functions of one row: values in, a value out.
//!
//! In: a name, a [`Context`], values. Out: a value. What always holds: no function converts by itself (a number in a text is a text); a
//! missing or null argument, or one of another type, gives null unless the function's line says otherwise; no function panics, asks
//! the clock or keeps anything between two calls. Lists of rows belong to the aggregates, conditions to the expressions.

mod calendar;
mod choice;
mod convert;
mod date_pattern;
mod datetime;
mod json;
mod json_path;
mod like;
mod network;
mod number;
mod pattern;
mod text;

use std::sync::Arc;

pub use date_pattern::{DatePattern, DatePatternError};
pub use json::parse as parse_json;
pub use json_path::{JsonPath, JsonPathError};
pub use like::Like;
pub use pattern::{Aparse, CAPTURE_GROUPS_MAX, Capture, PatternError, Rlike};
pub use text::{display, field};

use super::{
    time::{Context, whole},
    value::Value,
};

/// Arguments written as `name: value`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Named<'a>(pub &'a [(&'a str, Value)]);

impl Named<'_> {
    /// The value of this name, written in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// What computes a function.
pub type Call = fn(&Context, &[Value], &Named<'_>) -> Value;

/// A function of one row.
#[derive(Debug, Clone, Copy)]
pub struct RowFunction {
    /// As New Relic's documentation writes it.
    pub name: &'static str,
    /// Other names for the same.
    pub aliases: &'static [&'static str],
    /// Fewest arguments, without named ones.
    pub min_args: usize,
    /// Most arguments, without named ones.
    pub max_args: usize,
    /// Names of named arguments.
    pub named: &'static [&'static str],
    /// The argument (from 0) that may be a bare word instead of a text: `hourOf(timestamp, numeric)`, `getField(metric, count)`.
    pub word: Option<usize>,
    /// How to make the second argument ready once, when it is a constant text.
    pub prepare: Option<Prepare>,
    /// The function itself.
    pub call: Call,
}

impl RowFunction {
    /// A function with this many arguments.
    const fn new(name: &'static str, min_args: usize, max_args: usize, call: Call) -> Self {
        Self { name, aliases: &[], min_args, max_args, named: &[], word: None, prepare: None, call }
    }

    const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    const fn named(self, named: &'static [&'static str]) -> Self {
        Self { named, ..self }
    }

    const fn word(self, argument: usize) -> Self {
        Self { word: Some(argument), ..self }
    }

    const fn prepare(self, prepare: Prepare) -> Self {
        Self { prepare: Some(prepare), ..self }
    }

    /// Whether this is a name of the function, in any case.
    fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }
}

/// Most arguments of functions that take any number.
pub const ARGUMENTS_MAX: usize = 64;

/// The tables, one for each kind.
const TABLES: [&[RowFunction]; 9] = [
    text::FUNCTIONS,
    number::FUNCTIONS,
    choice::FUNCTIONS,
    convert::FUNCTIONS,
    calendar::FUNCTIONS,
    datetime::FUNCTIONS,
    json::FUNCTIONS,
    pattern::FUNCTIONS,
    network::FUNCTIONS,
];

/// The function of this name, in any case.
#[must_use]
pub fn row(name: &str) -> Option<&'static RowFunction> {
    all().find(|function| function.is_called(name))
}

/// All functions, kind by kind.
pub fn all() -> impl Iterator<Item = &'static RowFunction> {
    TABLES.into_iter().flatten()
}

/// Makes a constant text ready.
pub type Prepare = fn(&str) -> Result<Prepared, PrepareError>;

/// A constant second argument, made ready once for all rows.
#[derive(Debug, Clone)]
pub enum Prepared {
    /// Of `capture`.
    Capture(Capture),
    /// Of `aparse`.
    Aparse(Aparse),
    /// Of `jparse`.
    Path(JsonPath),
    /// Of `toDatetime`.
    Format(DatePattern),
    /// Of `toTimestamp`.
    Parse(DatePattern),
}

impl Prepared {
    /// The function's value for one row; the second of `args` is not read.
    #[must_use]
    pub fn call(&self, context: &Context, args: &[Value], named: &Named<'_>) -> Value {
        let zone = || datetime::zone_of(context, args, named);
        match self {
            Self::Capture(capture) => text_at(args, 0).map_or(Value::Null, |text| capture.apply(text)),
            Self::Aparse(aparse) => text_at(args, 0).map_or(Value::Null, |text| aparse.apply(text)),
            Self::Path(path) => text_at(args, 0).and_then(parse_json).map_or(Value::Null, |json| path.apply(&json)),
            Self::Format(pattern) => datetime::format(pattern, args.first(), zone()),
            Self::Parse(pattern) => datetime::parse(pattern, args.first(), zone()),
        }
    }

    /// The most bytes its regular expression takes, compiled; 0 without one.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Capture(capture) => capture.bytes(),
            Self::Aparse(aparse) => aparse.bytes(),
            Self::Path(_) | Self::Format(_) | Self::Parse(_) => 0,
        }
    }

    /// How many values come out for one row: a list of as many, if more than one.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match self {
            Self::Capture(capture) => capture.outputs(),
            Self::Aparse(aparse) => aparse.outputs(),
            Self::Path(_) | Self::Format(_) | Self::Parse(_) => 1,
        }
    }
}

/// Why a constant argument cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// Of `capture` and `aparse`.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// Of `jparse`.
    #[error(transparent)]
    Path(#[from] JsonPathError),
    /// Of `toDatetime` and `toTimestamp`.
    #[error(transparent)]
    Date(#[from] DatePatternError),
}

/// The argument at this place, if it is a text.
fn text_at(args: &[Value], at: usize) -> Option<&str> {
    args.get(at).and_then(Value::as_text)
}

/// The argument at this place, if it is a number.
fn number_at(args: &[Value], at: usize) -> Option<f64> {
    args.get(at).and_then(Value::as_number)
}

/// The argument at this place, if it is a number, cut to a whole one.
fn whole_at(args: &[Value], at: usize) -> Option<i64> {
    number_at(args, at).and_then(whole)
}

/// A number, or null where the result is none.
fn number(number: f64) -> Value {
    // A negative zero would print as one.
    if number.is_finite() { Value::Number(if number == 0.0 { 0.0 } else { number }) } else { Value::Null }
}

/// A whole number that a double holds exactly.
fn count(count: usize) -> Value {
    Value::Number(count as f64)
}

/// A list.
fn list(values: impl IntoIterator<Item = Value>) -> Value {
    Value::List(values.into_iter().collect::<Arc<[Value]>>())
}

/// A text, or null where there is none.
fn maybe_text(text: Option<impl Into<Arc<str>>>) -> Value {
    text.map_or(Value::Null, Value::text)
}

#[cfg(test)]
mod tests;
