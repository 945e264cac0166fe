//! How far back a query looks, and how long New Relic keeps what it asks for.
//!
//! In: the tree of a query. Out: the farthest it can look, in days; what is kept how long. What always holds: a calendar unit
//! counts with its longest: `last month` on the last day of a month begins 62 days ago. Facts: docs, "Manage data retention": custom
//! events and logs 30 days, metrics 13 months; `n months ago` is n times 30 days.

use crate::nrql::ast::{Duration, Moment, Query, Source, Unit};

/// Days that New Relic keeps events and logs.
const EVENT_DAYS: f64 = 30.0;
/// Days that New Relic keeps metrics: 13 months.
const METRIC_DAYS: f64 = 395.0;
/// The type of metrics.
const METRIC: &str = "Metric";

/// Days that everything is kept that a query reads itself; `None`: it reads nothing itself.
pub(super) fn kept_days(query: &Query) -> Option<f64> {
    let days = query.from.iter().filter_map(|source| match source {
        Source::Type(name) if name.text == METRIC => Some(METRIC_DAYS),
        Source::Type(_) | Source::Template(_) => Some(EVENT_DAYS),
        Source::Lookup(_) | Source::Query(_) => None,
    });
    days.reduce(f64::min)
}

/// Days back to the beginning of the window at most; `None`: that is not told by a moment relative to now.
pub(super) fn back_days(moment: &Moment) -> Option<f64> {
    Some(match moment {
        Moment::Now => 0.0,
        Moment::Ago(duration) => days(*duration),
        // A day word reaches back a week at most, `today AT` a later time a day.
        Moment::Day { .. } => 7.0,
        Moment::This(unit) => longest(*unit),
        Moment::Last(unit) => 2.0 * longest(*unit),
        Moment::Epoch(_) | Moment::Text(_) | Moment::Template(_) => return None,
    })
}

fn days(Duration { count, unit }: Duration) -> f64 {
    let fixed = match unit {
        Unit::Millisecond => 1.0 / 86_400_000.0,
        Unit::Second => 1.0 / 86_400.0,
        Unit::Minute => 1.0 / 1_440.0,
        Unit::Hour => 1.0 / 24.0,
        Unit::Day => 1.0,
        Unit::Week => 7.0,
        Unit::Month => 30.0,
        Unit::Quarter => 91.0,
        Unit::Year => 365.0,
    };
    count * fixed
}

/// Days of the longest such calendar unit.
fn longest(unit: Unit) -> f64 {
    match unit {
        Unit::Month => 31.0,
        Unit::Quarter => 92.0,
        Unit::Year => 366.0,
        Unit::Millisecond | Unit::Second | Unit::Minute | Unit::Hour | Unit::Day | Unit::Week => {
            days(Duration { count: 1.0, unit })
        }
    }
}
