//! How wide the buckets of a series are, and where each begins.
//!
//! In: `TIMESERIES` and `SLIDE BY` of the tree and a window. Out: a [`Series`]. What always holds: all buckets have the same width and lie
//! whole inside the window; without `SLIDE BY` the last one ends where the window ends, so that the window's start moves, never its
//! end; there are at most [`BUCKETS_MAX`].

use super::whole;
use crate::nrql::ast::{Duration, Timeseries, Unit, Width};

/// Most buckets a series may have. New Relic's page on `TIMESERIES`, and what its clients compute with.
pub const BUCKETS_MAX: i64 = 366;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// `TIMESERIES AUTO`: windows up to the first number of milliseconds get buckets as wide as the second. Documented or seen for 1 hour,
/// 6 hours, 1 day and 1 week; the rest lies between.
pub const AUTO_WIDTHS: [(i64, i64); 9] = [
    (30 * MINUTE, 30 * SECOND),
    (HOUR, MINUTE),
    (3 * HOUR, 5 * MINUTE),
    (6 * HOUR, 15 * MINUTE),
    (DAY, 30 * MINUTE),
    (3 * DAY, HOUR),
    (WEEK, 6 * HOUR),
    (31 * DAY, DAY),
    (366 * DAY, WEEK),
];

/// `TIMESERIES MAX`: the narrowest of these that makes at most [`BUCKETS_MAX`] buckets, milliseconds. Beyond the last, whole days.
pub const MAX_WIDTHS: [i64; 20] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    3 * MINUTE,
    4 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
];

/// Milliseconds in a unit: a month has 30 days, a quarter 91, a year 365.
#[must_use]
pub const fn unit_ms(unit: Unit) -> i64 {
    match unit {
        Unit::Millisecond => 1,
        Unit::Second => SECOND,
        Unit::Minute => MINUTE,
        Unit::Hour => HOUR,
        Unit::Day => DAY,
        Unit::Week => WEEK,
        Unit::Month => 30 * DAY,
        Unit::Quarter => 91 * DAY,
        Unit::Year => 365 * DAY,
    }
}

/// Milliseconds in a span, fractions included.
#[must_use]
pub const fn span_ms(duration: &Duration) -> f64 {
    duration.count * unit_ms(duration.unit) as f64
}

/// The width `AUTO` means for a window this long, milliseconds.
#[must_use]
pub fn auto_width_ms(window_ms: i64) -> i64 {
    AUTO_WIDTHS
        .iter()
        .find(|(up_to, _)| window_ms <= *up_to)
        // Past a year, whole weeks, as many as keep the series below a year's count.
        .map_or_else(|| WEEK * divide_up(window_ms, 53 * WEEK), |(_, width)| *width)
}

/// The width `MAX` means for a window this long, milliseconds.
#[must_use]
pub fn max_width_ms(window_ms: i64) -> i64 {
    MAX_WIDTHS
        .iter()
        .copied()
        .find(|width| window_ms <= width.saturating_mul(BUCKETS_MAX))
        .unwrap_or_else(|| DAY * divide_up(window_ms, DAY * BUCKETS_MAX))
}

/// `number / by`, rounded up, for positive numbers.
const fn divide_up(number: i64, by: i64) -> i64 {
    number / by + (number % by != 0) as i64
}

/// Why a series cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WidthError {
    /// More buckets than allowed.
    #[error("the series would have {buckets} buckets: at most {BUCKETS_MAX} are allowed")]
    TooMany {
        /// How many.
        buckets: i64,
    },
    /// A width or step below a millisecond.
    #[error("a bucket is at least one millisecond wide")]
    TooNarrow,
    /// A width greater than the window.
    #[error("a bucket of {width_ms} ms is wider than the window of {window_ms} ms")]
    TooWide {
        /// The width.
        width_ms: i64,
        /// The window.
        window_ms: i64,
    },
    /// `TIMESERIES AUTO SLIDE BY …`.
    #[error("SLIDE BY needs TIMESERIES with a width of its own, not AUTO or MAX")]
    SlideWithoutWidth,
    /// A dashboard variable that nobody filled in.
    #[error("the variable {{{{{name}}}}} at {at} has no value: a width is needed")]
    Template {
        /// Its name.
        name: String,
        /// The byte of the query where it stands.
        at: usize,
    },
}

/// The buckets of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    /// Start of the first bucket, milliseconds since 1970.
    pub begin_ms: i64,
    /// Width of each, milliseconds.
    pub width_ms: i64,
    /// From the start of one to the start of the next, milliseconds: the width, without `SLIDE BY`.
    pub step_ms: i64,
    /// How many.
    pub count: i64,
}

impl Series {
    /// Start (included) and end (not included) of a bucket, milliseconds since 1970.
    #[must_use]
    pub const fn edges(&self, bucket: i64) -> (i64, i64) {
        let start = self.begin_ms + bucket * self.step_ms;
        (start, start + self.width_ms)
    }

    /// The end of the last bucket, milliseconds since 1970.
    #[must_use]
    pub const fn end_ms(&self) -> i64 {
        self.edges(self.count - 1).1
    }

    /// In how many buckets a moment lies at most.
    #[must_use]
    pub fn overlap(&self) -> i64 {
        divide_up(self.width_ms, self.step_ms).clamp(1, self.count.max(1))
    }

    /// The bucket that begins at a moment; none if none does.
    #[must_use]
    pub fn begins(&self, ms: i64) -> std::ops::Range<i64> {
        let after = ms.saturating_sub(self.begin_ms);
        let bucket = after.div_euclid(self.step_ms);
        if after.rem_euclid(self.step_ms) == 0 && (0..self.count).contains(&bucket) { bucket..bucket + 1 } else { 0..0 }
    }

    /// The buckets that hold a moment: none in a gap, several where they overlap.
    #[must_use]
    pub fn buckets(&self, ms: i64) -> std::ops::Range<i64> {
        let after = ms - self.begin_ms;
        if after < 0 {
            return 0..0;
        }
        // The last that began, and the first that has not ended.
        let last = after / self.step_ms;
        let first = (after - self.width_ms).div_euclid(self.step_ms) + 1;
        first.max(0)..(last + 1).min(self.count).max(first.max(0))
    }
}

/// The series of a window `[since, until)`, both in milliseconds since 1970.
///
/// # Errors
/// When there would be too many buckets, a width is no width, or a variable is not filled in.
pub fn series(timeseries: &Timeseries, since_ms: i64, until_ms: i64) -> Result<Series, WidthError> {
    let window_ms = until_ms.saturating_sub(since_ms);
    if timeseries.slide.is_some() && matches!(timeseries.width, Width::Auto | Width::Max) {
        return Err(WidthError::SlideWithoutWidth);
    }
    let width_ms = wide(&timeseries.width, window_ms)?;
    let step_ms = timeseries.slide.as_ref().map_or(Ok(width_ms), |slide| wide(slide, window_ms))?;
    if width_ms > window_ms {
        return Err(WidthError::TooWide { width_ms, window_ms });
    }
    let begin_ms = until_ms - window_ms / width_ms * width_ms;
    let count = (until_ms - begin_ms - width_ms) / step_ms + 1;
    if count > BUCKETS_MAX {
        return Err(WidthError::TooMany { buckets: count });
    }
    Ok(Series { begin_ms, width_ms, step_ms, count })
}

/// A width in milliseconds.
fn wide(width: &Width, window_ms: i64) -> Result<i64, WidthError> {
    match width {
        // A window shorter than the narrowest width is one bucket.
        Width::Auto => Ok(auto_width_ms(window_ms).min(window_ms).max(1)),
        Width::Max => Ok(max_width_ms(window_ms).min(window_ms).max(1)),
        // A span beyond what can be counted is wider than any window.
        Width::Exact(duration) if span_ms(duration) >= i64::MAX as f64 => Ok(i64::MAX),
        Width::Exact(duration) => whole(span_ms(duration)).filter(|ms| *ms >= 1).ok_or(WidthError::TooNarrow),
        Width::Template(name) | Width::TemplateUnits { name, .. } => {
            Err(WidthError::Template { name: name.text.clone(), at: name.span.start })
        }
    }
}
