//! How the counts of each account were, hour by hour, for eight days: what deltas to yesterday and last week are made of.
//!
//! In: counts of now. Out: a [`Delta`] to one or seven days ago; the whole as gzip of one JSON object, `history.json.gz`. What
//! always holds: at most one point per account and hour, the newest of that hour; a delta is to a point near the asked time, else
//! absent: never to whatever is oldest; a percent that is not there has no delta.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::counts::{AccountCounts, percent};
use crate::posture::stored::{StoredError, VERSION};
use crate::record::time::{DAY_MS, HOUR_MS};

/// How long points are kept: a week, and how far from it a point may be.
const KEPT_MS: i64 = 8 * DAY_MS;

/// A point may be this part of the asked time away from it: three hours of a day, 21 of a week.
const TOLERANCE: i64 = 8;

/// Most bytes of a history unpacked: 10,000 accounts need about 100 MB.
const UNPACKED_MAX: u64 = 256 << 20;

/// gzip of one member, as it is written here.
#[expect(clippy::disallowed_types, reason = "read up to `UNPACKED_MAX` only")]
type Unpacked<'a> = flate2::bufread::GzDecoder<&'a [u8]>;

/// Counts of one account at one time: time in milliseconds, compliant and violating rules, compliant and violating resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Point(i64, u64, u64, u64, u64);

/// What is different now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta {
    /// Of the percent of rules, in hundredths; `None`: one of the two is not there.
    pub percent_rules: Option<i64>,
    /// Of the percent of resources, in hundredths; `None`: one of the two is not there.
    pub percent_resources: Option<i64>,
    /// Of the rules that are violated.
    pub violating_rules: i64,
    /// Of the resources that violate.
    pub violating_resources: i64,
}

/// Points of every account, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trend {
    accounts: BTreeMap<Box<str>, Vec<Point>>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    accounts: BTreeMap<Box<str>, Vec<Point>>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Trend {
    /// Takes the counts of now, and forgets what is older than eight days.
    pub fn note(&mut self, now_ms: i64, counts: &BTreeMap<Box<str>, AccountCounts>) {
        for (account, counts) in counts {
            let points = self.accounts.entry(account.clone()).or_default();
            // A clock that was set back: what it noted ahead of now is no past.
            let hour = now_ms.div_euclid(HOUR_MS);
            points.retain(|point| point.0.div_euclid(HOUR_MS) < hour);
            points.push(Point::of(now_ms, counts));
        }
        self.accounts.retain(|_, points| {
            points.retain(|point| point.0 >= now_ms.saturating_sub(KEPT_MS));
            !points.is_empty()
        });
    }

    /// What is different in an account from what it was so many days ago; `None`: there is no point near that time.
    #[must_use]
    pub fn delta(&self, account: &str, counts: &AccountCounts, now_ms: i64, days: u16) -> Option<Delta> {
        let span = i64::from(days) * DAY_MS;
        let then_ms = now_ms.saturating_sub(span);
        let points = self.accounts.get(account)?.iter();
        let nearest = points.min_by_key(|point| point.0.abs_diff(then_ms))?;
        if nearest.0.abs_diff(then_ms) > (span / TOLERANCE).unsigned_abs() {
            return None;
        }
        let now = Point::of(now_ms, counts);
        let percents = |of: fn(&Point) -> Option<u64>| Some(signed(of(&now)?) - signed(of(nearest)?));
        Some(Delta {
            percent_rules: percents(|point| percent(point.1, point.2)),
            percent_resources: percents(|point| percent(point.3, point.4)),
            violating_rules: signed(now.2).saturating_sub(signed(nearest.2)),
            violating_resources: signed(now.4).saturating_sub(signed(nearest.4)),
        })
    }

    /// The history as it is written.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        let written = Written { version: VERSION, accounts: self.accounts.clone() };
        // Writing to memory cannot fail; what failed all the same would be cut, and is refused when it is read.
        let _written = serde_json::to_writer(&mut out, &written).is_ok() && out.flush().is_ok();
        out.finish().unwrap_or_default()
    }

    /// Reads a history as it was written.
    ///
    /// # Errors
    /// [`StoredError`] says what is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, StoredError> {
        let damaged = |what: &dyn std::fmt::Display| StoredError::Damaged(what.to_string());
        let mut text = Vec::new();
        Unpacked::new(bytes).take(UNPACKED_MAX).read_to_end(&mut text).map_err(|error| damaged(&error))?;
        let version: Version = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
        if version.version > VERSION {
            return Err(StoredError::Newer(version.version));
        }
        let mut written: Written = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
        written.accounts.values_mut().for_each(|points| points.sort_by_key(|point| point.0));
        Ok(Self { accounts: written.accounts })
    }
}

impl Point {
    fn of(now_ms: i64, counts: &AccountCounts) -> Self {
        let AccountCounts { rules, resources, .. } = counts;
        Self(now_ms, rules.compliant, rules.violating, resources.compliant, resources.violating)
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::counts::Results;
    use super::*;

    const NOW: i64 = 1_795_292_071_000;

    fn counts(compliant: u64, violating: u64) -> AccountCounts {
        let results = Results { compliant, violating, ..Results::default() };
        AccountCounts { rules: results, resources: results, regions: 1 }
    }

    fn noted(points: &[(i64, u64, u64)]) -> Trend {
        let mut trend = Trend::default();
        for &(ms, compliant, violating) in points {
            trend.note(ms, &BTreeMap::from([("111122223333".into(), counts(compliant, violating))]));
        }
        trend
    }

    fn delta(trend: &Trend, now: &AccountCounts, days: u16) -> Option<Delta> {
        trend.delta("111122223333", now, NOW, days)
    }

    /// S0-12: what became better or worse in a day and in a week.
    #[test]
    fn a_delta_is_to_the_point_nearest_the_asked_time() {
        let trend = noted(&[
            (NOW - 7 * DAY_MS, 1, 3),
            (NOW - DAY_MS - 2 * HOUR_MS, 0, 4),
            (NOW - DAY_MS + HOUR_MS, 2, 2),
            (NOW - HOUR_MS, 4, 0),
        ]);
        let now = counts(3, 1);
        let day = delta(&trend, &now, 1).expect("a point");
        assert_eq!((day.percent_rules, day.violating_rules), (Some(2_500), -1), "to 50 %, one hour beside the day");
        let week = delta(&trend, &now, 7).expect("a point");
        assert_eq!((week.percent_resources, week.violating_resources), (Some(5_000), -2));
        assert_eq!(delta(&trend, &counts(0, 4), 1).and_then(|delta| delta.percent_rules), Some(-5_000), "worse");
    }

    #[test]
    fn without_a_point_near_the_asked_time_there_is_no_delta() {
        let now = counts(3, 1);
        for (name, point, days, is_there) in [
            ("a day, 3 h off", NOW - DAY_MS + 3 * HOUR_MS, 1, true),
            ("a day, more than 3 h off", NOW - DAY_MS + 3 * HOUR_MS + 1, 1, false),
            ("a week, 21 h off", NOW - 7 * DAY_MS + 21 * HOUR_MS, 7, true),
            ("a week, six days", NOW - 6 * DAY_MS, 7, false),
            ("now", NOW, 1, false),
        ] {
            assert_eq!(delta(&noted(&[(point, 1, 1)]), &now, days).is_some(), is_there, "{name}");
        }
        assert_eq!(noted(&[(NOW - DAY_MS, 1, 1)]).delta("444455556666", &now, NOW, 1), None, "another account");
    }

    #[test]
    fn no_percent_has_no_delta_but_counts_have() {
        let before_any = noted(&[(NOW - DAY_MS, 0, 0)]);
        let day = delta(&before_any, &counts(3, 1), 1).expect("a point");
        assert_eq!((day.percent_rules, day.percent_resources, day.violating_rules), (None, None, 1));
        let day = delta(&noted(&[(NOW - DAY_MS, 1, 1)]), &counts(0, 0), 1).expect("a point");
        assert_eq!((day.percent_rules, day.violating_rules), (None, -1));
    }

    #[test]
    fn an_hour_has_one_point_and_old_ones_go() {
        let hour = NOW.div_euclid(HOUR_MS) * HOUR_MS;
        let trend = noted(&[(hour, 1, 1), (hour + 1, 2, 2), (hour + HOUR_MS, 3, 3), (hour + HOUR_MS / 2, 4, 4)]);
        assert_eq!(trend.accounts["111122223333"], [Point(hour + HOUR_MS / 2, 4, 4, 4, 4)], "the clock was set back");
        let mut trend = noted(&(0..300).map(|at| (NOW + at * HOUR_MS, 1, 1)).collect::<Vec<_>>());
        assert_eq!(trend.accounts["111122223333"].len(), 8 * 24 + 1);
        trend.note(NOW + 600 * HOUR_MS, &BTreeMap::new());
        assert_eq!(trend, Trend::default(), "an account that is gone");
    }

    #[test]
    fn what_is_written_reads_back_and_what_is_damaged_is_told() {
        let trend = noted(&[(NOW - DAY_MS, 1, 3), (NOW, 2, 2)]);
        let bytes = trend.write();
        assert_eq!(Trend::read(&bytes).expect("a history"), trend);
        for cut in [0, 5, bytes.len() / 2, bytes.len() - 1] {
            assert!(matches!(Trend::read(&bytes[..cut]), Err(StoredError::Damaged(_))), "{cut} of {}", bytes.len());
        }
        let packed = |text: &str| {
            let mut out = GzEncoder::new(Vec::new(), Compression::fast());
            out.write_all(text.as_bytes()).expect("memory");
            out.finish().expect("memory")
        };
        assert!(matches!(Trend::read(&packed(r#"{"version":2,"days":[]}"#)), Err(StoredError::Newer(2))));
        for text in ["{}", "[]", r#"{"version":1}"#, r#"{"version":1,"accounts":{"a":[[1,-1,0,0,0]]}}"#] {
            assert!(matches!(Trend::read(&packed(text)), Err(StoredError::Damaged(_))), "{text}");
        }
        let unsorted = packed(r#"{"version":1,"accounts":{"a":[[2,0,0,0,0],[1,0,0,0,0]]}}"#);
        assert_eq!(Trend::read(&unsorted).expect("a history").accounts["a"].first().map(|point| point.0), Some(1));
    }
}
