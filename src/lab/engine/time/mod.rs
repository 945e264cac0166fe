//! Time in a query: moments, spans, buckets, zones.
//!
//! In: what a query says (`SINCE monday`, `TIMESERIES AUTO`) and a [`Context`]. Out: milliseconds since 1970. What always holds: the
//! clock is never asked, `now` is given; days, weeks and months are those of the query's zone, `n units ago` is not: it has fixed
//! lengths; nothing here panics on any text.

mod moment;
mod width;

pub use moment::{MomentError, Role, resolve, shift_ms};
pub use width::{
    AUTO_WIDTHS, BUCKETS_MAX, MAX_WIDTHS, Series, WidthError, auto_width_ms, max_width_ms, series, span_ms, unit_ms,
};

pub(crate) use crate::nrql::time::offset_seconds;
pub use crate::nrql::time::{DateTimeText, TextError, zone};

use jiff::{Timestamp, Zoned, tz::TimeZone};

/// When and where a query is run.
#[derive(Debug, Clone)]
pub struct Context {
    /// `WITH TIMEZONE`, UTC without: where days begin.
    pub zone: TimeZone,
    /// The moment of execution, milliseconds since 1970.
    pub now_ms: i64,
}

impl Context {
    /// In UTC, at this moment.
    #[must_use]
    pub fn utc(now_ms: i64) -> Self {
        Self { zone: TimeZone::UTC, now_ms }
    }

    /// A moment as the clock on the wall shows it; none outside the years -9999 to 9999.
    pub(crate) fn at(&self, ms: i64) -> Option<Zoned> {
        Timestamp::from_millisecond(ms).ok().map(|time| time.to_zoned(self.zone.clone()))
    }
}

/// A number as a whole one, cut towards zero; none if it is none or does not fit.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
pub fn whole(number: f64) -> Option<i64> {
    // 2^63 is the first number that does not fit, and a double holds it exactly.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (-LIMIT..LIMIT).contains(&number).then_some(number as i64)
}

#[cfg(test)]
mod tests;
