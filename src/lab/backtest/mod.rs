//! Conditions on past rows: what they would have told people, before anybody is told.
//!
//! In: rows with their arrival, conditions. Out: for each condition what the streaming evaluation gives, the incidents by day, and
//! whether a budget of pages holds. What always holds: conditions are judged each by itself, in the order given; one that New Relic
//! would refuse is told and stops no other; the same rows give the same answer.

mod budget;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub use budget::{Budget, Period};

use super::engine::QueryError;
use super::store::Snapshot;
use super::streaming::{Evaluation, Incident, Range, Settings, SignalRun, evaluate};
use crate::nrql::condition::{Condition, Priority};

/// A condition and where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested {
    /// Its policy's name.
    pub policy: String,
    /// Names it for ever.
    pub id: String,
    /// Whether it is on when it is made.
    pub enabled: bool,
    /// What decides.
    pub condition: Condition,
}

/// What a condition would have done.
#[derive(Debug)]
pub struct Outcome {
    /// The condition.
    pub tested: Tested,
    /// Signals and incidents, or why New Relic would refuse it.
    pub result: Result<Evaluation, QueryError>,
}

impl Outcome {
    /// Its incidents, with their signals.
    pub fn incidents(&self) -> impl Iterator<Item = (&SignalRun, &Incident)> {
        self.result.iter().flat_map(Evaluation::incidents)
    }

    /// Its incidents by the day they opened.
    #[must_use]
    pub fn by_day(&self, zone: &TimeZone) -> BTreeMap<Date, u64> {
        let mut days = BTreeMap::new();
        for (_, incident) in self.incidents() {
            if let Some(day) = day(incident.opened_ms, zone) {
                *days.entry(day).or_insert(0) += 1;
            }
        }
        days
    }
}

/// Everything that was tested.
#[derive(Debug)]
pub struct Backtest {
    /// Which arrivals counted.
    pub range: Range,
    /// In the order of the conditions.
    pub outcomes: Vec<Outcome>,
}

/// Tests conditions on the rows that arrived in a range.
#[must_use]
pub fn backtest(snapshots: &[Snapshot], tested: Vec<Tested>, range: Range, settings: &Settings) -> Backtest {
    let outcomes = tested
        .into_iter()
        .map(|tested| {
            let result = evaluate(snapshots, &tested.condition, range, settings);
            Outcome { tested, result }
        })
        .collect();
    Backtest { range, outcomes }
}

impl Backtest {
    /// Every day of the range, in a zone.
    #[must_use]
    pub fn days(&self, zone: &TimeZone) -> Vec<Date> {
        let ends = (day(self.range.begin_ms, zone), day(self.range.end_ms.saturating_sub(1), zone));
        let (Some(first), Some(last)) = ends else { return Vec::new() };
        first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).collect()
    }

    /// When incidents of this priority or above opened, of conditions that are on, oldest first; ms since 1970.
    #[must_use]
    pub fn opened(&self, least: Priority) -> Vec<i64> {
        let on = self.outcomes.iter().filter(|outcome| outcome.tested.enabled);
        let incidents = on.flat_map(Outcome::incidents).filter(|(_, incident)| incident.priority >= least);
        let mut opened: Vec<i64> = incidents.map(|(_, incident)| incident.opened_ms).collect();
        opened.sort_unstable();
        opened
    }
}

/// The day of a moment.
#[must_use]
pub fn day(ms: i64, zone: &TimeZone) -> Option<Date> {
    Some(Timestamp::from_millisecond(ms).ok()?.to_zoned(zone.clone()).date())
}

/// The first and the last arrival of all rows; `None`: there are none.
#[must_use]
pub fn arrivals(snapshots: &[Snapshot]) -> Option<(i64, i64)> {
    let mut ends: Option<(i64, i64)> = None;
    for received in snapshots.iter().flat_map(Snapshot::received) {
        let (first, last) = ends.unwrap_or((received, received));
        ends = Some((first.min(received), last.max(received)));
    }
    ends
}
