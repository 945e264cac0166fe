//! Dates and times as text, by a pattern.

use std::sync::LazyLock;

use jiff::{Timestamp, tz::TimeZone};

use super::{DatePattern, Named, Prepared, RowFunction, maybe_text, text_at};
use crate::lab::engine::{
    time::{self, Context, whole},
    value::Value,
};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction::new("toDatetime", 1, 3, to_datetime)
        .aliases(&["fromTimestamp"])
        .named(&["timezone"])
        .prepare(|pattern| Ok(Prepared::Format(DatePattern::compile(pattern)?))),
    RowFunction::new("toTimestamp", 1, 3, to_timestamp)
        .aliases(&["fromDatetime"])
        .named(&["timezone"])
        .prepare(|pattern| Ok(Prepared::Parse(DatePattern::compile(pattern)?))),
];

/// What the two functions do without a pattern: New Relic's page on them. A pattern that did not compile would give null, and fail
/// the tests of these functions.
static FORMAT_DEFAULT: LazyLock<Option<DatePattern>> =
    LazyLock::new(|| DatePattern::compile("yyyy-MM-dd'T'HH:mm:ss.SSSXXX").ok());
static PARSE_DEFAULT: LazyLock<Option<DatePattern>> =
    LazyLock::new(|| DatePattern::compile("yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]").ok());

fn to_datetime(context: &Context, args: &[Value], named: &Named<'_>) -> Value {
    with_pattern(args, FORMAT_DEFAULT.as_ref(), |pattern| format(pattern, args.first(), zone_of(context, args, named)))
}

fn to_timestamp(context: &Context, args: &[Value], named: &Named<'_>) -> Value {
    with_pattern(args, PARSE_DEFAULT.as_ref(), |pattern| parse(pattern, args.first(), zone_of(context, args, named)))
}

fn with_pattern(args: &[Value], default: Option<&DatePattern>, compute: impl FnOnce(&DatePattern) -> Value) -> Value {
    match args.get(1) {
        None => default.map_or(Value::Null, compute),
        Some(Value::Text(pattern)) => DatePattern::compile(pattern).as_ref().map_or(Value::Null, compute),
        Some(_) => Value::Null,
    }
}

/// The zone an argument names, else the query's; none if the name is unknown.
pub(super) fn zone_of(context: &Context, args: &[Value], named: &Named<'_>) -> Option<TimeZone> {
    match named.get("timezone").or_else(|| args.get(2)) {
        None => Some(context.zone.clone()),
        Some(_) if named.get("timezone").is_none() => text_at(args, 2).and_then(time::zone),
        Some(name) => name.as_text().and_then(time::zone),
    }
}

/// A time in milliseconds since 1970 as text.
pub(super) fn format(pattern: &DatePattern, time: Option<&Value>, zone: Option<TimeZone>) -> Value {
    let time = time.and_then(Value::as_number).and_then(whole).and_then(|ms| Timestamp::from_millisecond(ms).ok());
    maybe_text(time.zip(zone).map(|(time, zone)| pattern.format(&time.to_zoned(zone))))
}

/// The time a text names, in milliseconds since 1970; null if the pattern does not fit.
pub(super) fn parse(pattern: &DatePattern, text: Option<&Value>, zone: Option<TimeZone>) -> Value {
    let time = text.and_then(Value::as_text).zip(zone).and_then(|(text, zone)| pattern.parse(text, &zone));
    time.map_or(Value::Null, |ms| Value::Number(ms as f64))
}
