//! Conditions on past rows: what they would have told people, before anybody is told.
//!
//! In: rows with their arrival, conditions, muting rules. Out: for each condition what the streaming evaluation gives, the incidents by
//! day, the issues they make, and whether a budget of pages holds. What always holds: conditions are judged each by itself, in the
//! order given, as if it had been made long before the first row; one that New Relic would refuse is told and stops no other; nothing
//! is made up of the time after the last row: windows with rows are closed as time alone would (under `EVENT_FLOW` none is) where more
//! rows could only make them tell more, all others are never judged and counted as unclosed; no signal is lost, nothing filled and no
//! incident closed by time; the same rows give the same answer.

mod budget;
mod issues;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub use budget::{Budget, Period};
pub use issues::IssueOf;

use super::engine::QueryError;
use super::store::Snapshot;
use super::streaming::issue::Preference;
use super::streaming::{Evaluation, Incident, Range, Settings, Settles, SignalRun, evaluate};
use crate::nrql::ast::{Query, Source};
use crate::nrql::condition::{Condition, Priority};
use crate::nrql::muting::MutingRule;
use crate::nrql::{self, Statement};

/// How long before the first arrival conditions were made, ms: longer than any window with the lateness of what is in it.
const MADE_BEFORE_MS: i64 = 2 * 86_400_000;

/// A condition and where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested {
    /// Names its policy for ever.
    pub policy: String,
    /// Its policy's name in New Relic.
    pub policy_name: String,
    /// Which incidents of the policy share an issue.
    pub preference: Preference,
    /// Names it for ever.
    pub id: String,
    /// Whether it is on when it is made.
    pub enabled: bool,
    /// Where the steps are.
    pub runbook: String,
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
    /// Event types that it reads.
    pub event_types: Vec<String>,
    /// There are rows of one of them: without, nothing was tested.
    pub has_rows: bool,
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
    /// Which arrivals counted. Incidents that the last of them open may open after it.
    pub range: Range,
    /// In the order of the conditions.
    pub outcomes: Vec<Outcome>,
    /// What the incidents became, oldest first.
    pub issues: Vec<IssueOf>,
}

/// Tests conditions on the rows that arrived in a range. What comes after the last of all rows is unknown, wherever the range ends.
#[must_use]
pub fn backtest(snapshots: &[Snapshot], tested: Vec<Tested>, range: Range, settings: &Settings) -> Backtest {
    let known = arrivals(snapshots).map_or(range.end_ms, |(_, last)| last.saturating_add(1));
    let range = Range { end_ms: range.end_ms.min(known.max(range.begin_ms.saturating_add(1))), ..range };
    let settings = Settings { settles: Settles::Sure, ..settings.clone() };
    let is_whole = arrivals(snapshots).is_none_or(|(first, _)| first >= range.begin_ms);
    let watched = if is_whole { long_before(range) } else { range };
    let outcomes = tested.into_iter().map(|tested| outcome(snapshots, tested, watched, &settings)).collect::<Vec<_>>();
    Backtest { range, issues: issues::grouped(&outcomes, &[], |_| true), outcomes }
}

/// A range as conditions see it that were there before its rows: a sliding window is evaluated only a whole window after its condition was
/// made, and what happened just before the first arrival is in one, too.
pub(in crate::lab) fn long_before(range: Range) -> Range {
    Range { begin_ms: range.begin_ms.saturating_sub(MADE_BEFORE_MS), ..range }
}

fn outcome(snapshots: &[Snapshot], tested: Tested, range: Range, settings: &Settings) -> Outcome {
    let result = evaluate(snapshots, &tested.condition, range, settings);
    let mut event_types = Vec::new();
    if let Ok(Statement::Select(query)) = nrql::parse(&tested.condition.query) {
        read(&query, &mut event_types);
    }
    let has = |name: &String| snapshots.iter().any(|snapshot| snapshot.table(name).is_some_and(|table| table.rows() > 0));
    let has_rows = event_types.iter().any(has);
    Outcome { tested, result, event_types, has_rows }
}

/// Event types that a query reads, each once.
fn read(query: &Query, event_types: &mut Vec<String>) {
    for source in &query.from {
        match source {
            Source::Type(name) if !event_types.contains(&name.text) => event_types.push(name.text.clone()),
            Source::Query(inner) => read(inner, event_types),
            _ => {}
        }
    }
}

impl Backtest {
    /// The same with muting rules: what they mute tells nobody.
    #[must_use]
    pub fn muted_by(mut self, rules: &[MutingRule]) -> Self {
        self.regroup(rules);
        self
    }

    /// Makes the issues anew: after an outcome was put in the place of another.
    pub fn regroup(&mut self, rules: &[MutingRule]) {
        self.issues = issues::grouped(&self.outcomes, rules, |_| true);
    }

    /// Makes the issues of some policies anew.
    pub fn regroup_of(&mut self, policies: &BTreeSet<String>, rules: &[MutingRule]) {
        self.issues.retain(|issue| !policies.contains(&issue.policy));
        self.issues.extend(issues::grouped(&self.outcomes, rules, |policy| policies.contains(policy)));
        issues::sort(&mut self.issues);
    }

    /// Whether the pages stay within a budget: the one place that says so.
    #[must_use]
    pub fn keeps(&self, budget: Budget) -> bool {
        budget.exceeded(&self.opened(Priority::Critical), self.range).is_empty()
    }

    /// Every day from the first arrival to the last or, if later, to the last incident, in a zone.
    #[must_use]
    pub fn days(&self, zone: &TimeZone) -> Vec<Date> {
        let opened = self.outcomes.iter().flat_map(Outcome::incidents).map(|(_, incident)| incident.opened_ms).max();
        let last_ms = self.range.end_ms.saturating_sub(1).max(opened.unwrap_or(i64::MIN));
        let ends = (day(self.range.begin_ms, zone), day(last_ms, zone));
        let (Some(first), Some(last)) = ends else { return Vec::new() };
        first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).collect()
    }

    /// When somebody was told: when issues of conditions that are on reached this priority, muted incidents aside, oldest first; ms
    /// since 1970. With [`Priority::Critical`] the pages that a [`Budget`] counts.
    #[must_use]
    pub fn opened(&self, least: Priority) -> Vec<i64> {
        let on = self.issues.iter().filter(|issue| issue.enabled);
        let mut opened: Vec<i64> = on.filter_map(|issue| issue.reached_ms(least)).collect();
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
