//! What tuning found, ready to be told.
//!
//! In: the back-tests before and after, the steps, who made the rows. Out: lines; as JSON. What always holds: both forms tell the same
//! numbers; a number that was estimated says so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::diff::Diff;
use super::labels::Labels;
use crate::lab::backtest::{Backtest, Budget, Outcome};
use crate::lab::tune::{Change, Contribution, Contributor, Edit, Exclusion, Muted, Step};
use crate::nrql::condition::Priority;
use crate::record::time;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) before: Backtest,
    pub(super) after: Backtest,
    pub(super) steps: Vec<Step>,
    pub(super) paged_before: BTreeSet<String>,
    pub(super) paged_after: BTreeSet<String>,
    /// Attacks of which no row is there.
    pub(super) undetected: Vec<String>,
    pub(super) made: Vec<Contribution>,
}

/// Pages of one period.
#[derive(Debug)]
pub(super) struct Period {
    pub(super) begin_ms: i64,
    pub(super) before: u64,
    pub(super) after: u64,
}

/// Critical incidents of one condition.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) before: usize,
    pub(super) after: usize,
}

/// The report.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) found: Found,
    pub(super) budget: Budget,
    pub(super) periods: Vec<Period>,
    pub(super) lines: Vec<Line>,
    pub(super) days: Vec<Date>,
    /// Labelled attacks.
    pub(super) labelled: Vec<String>,
    pub(super) is_estimate: bool,
    /// Conditions that New Relic would refuse, and why.
    pub(super) refused: Vec<(String, String)>,
    /// Conditions whose event types have no rows.
    pub(super) untested: Vec<String>,
    /// Conditions with windows that were still open when the rows ended.
    pub(super) unclosed: Vec<String>,
}

impl Report {
    pub(super) fn new(found: Found, budget: Budget, zone: &TimeZone, labels: &Labels, is_estimate: bool) -> Self {
        let opened = |result: &Backtest| budget.periods(&result.opened(Priority::Critical), found.before.range);
        let (before, after) = (opened(&found.before), opened(&found.after));
        // Both count from the same moment; what opens after the last arrival may make either longer.
        let number = |periods: &[(i64, u64)], at: usize| periods.get(at).map_or(0, |(_, number)| *number);
        let longer = if before.len() < after.len() { &after } else { &before };
        let period = |(at, (begin_ms, _)): (usize, &(i64, u64))| Period {
            begin_ms: *begin_ms,
            before: number(&before, at),
            after: number(&after, at),
        };
        let periods = longer.iter().enumerate().map(period).collect();
        let then: BTreeMap<&str, usize> =
            found.after.outcomes.iter().map(|outcome| (outcome.tested.id.as_str(), criticals(outcome))).collect();
        let line = |outcome: &Outcome| Line {
            id: outcome.tested.id.clone(),
            name: outcome.tested.condition.name.clone(),
            before: criticals(outcome),
            after: then.get(outcome.tested.id.as_str()).copied().unwrap_or_default(),
        };
        let mut lines: Vec<Line> = found.before.outcomes.iter().map(line).collect();
        lines.retain(|line| line.before + line.after > 0);
        lines.sort_by(|one, other| other.before.cmp(&one.before).then_with(|| one.id.cmp(&other.id)));
        let days = found.before.days(zone);
        let refused = |outcome: &Outcome| {
            let why = outcome.result.as_ref().err().map(|error| error.message.clone())?;
            Some((outcome.tested.id.clone(), why))
        };
        let refused = found.after.outcomes.iter().filter_map(refused).collect();
        let untested = found.before.outcomes.iter().filter(|outcome| !outcome.has_rows);
        let untested = untested.map(|outcome| outcome.tested.id.clone()).collect();
        let is_open = |outcome: &&Outcome| outcome.result.as_ref().is_ok_and(|evaluation| evaluation.unclosed > 0);
        let unclosed = found.before.outcomes.iter().filter(is_open).map(|outcome| outcome.tested.id.clone()).collect();
        Self {
            refused,
            untested,
            unclosed,
            found,
            budget,
            periods,
            lines,
            days,
            labelled: labels.events.keys().cloned().collect(),
            is_estimate,
        }
    }

    /// Whether the budget holds after the changes.
    pub(super) fn holds(&self) -> bool {
        self.found.after.keeps(self.budget)
    }

    /// Whether it does, and every condition could be judged.
    pub(super) fn is_good(&self) -> bool {
        self.holds() && self.refused.is_empty()
    }

    /// Controls that would tell nobody of anybody.
    pub(super) fn muted_for_everybody(&self) -> BTreeSet<&str> {
        let changes = self.found.steps.iter().map(|step| &step.change);
        changes
            .filter_map(|change| match change {
                Change::Exclude(Exclusion { control, muted: Muted::Everybody }) => Some(control.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Conditions that would page nobody any more, whatever comes.
    pub(super) fn silenced(&self) -> BTreeSet<&str> {
        let changes = self.found.steps.iter().map(|step| &step.change);
        changes
            .filter_map(|change| match change {
                Change::Edit { condition, edit: Edit::Warn | Edit::Off } => Some(condition.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Labelled attacks that were told and would be missed.
    pub(super) fn missed(&self) -> Vec<&String> {
        self.found.paged_before.difference(&self.found.paged_after).collect()
    }

    /// Labelled attacks that no page tells, with the conditions as they are.
    pub(super) fn unpaged(&self) -> Vec<&String> {
        let is_unpaged = |name: &&String| !self.found.paged_before.contains(*name) && !self.found.undetected.contains(*name);
        self.labelled.iter().filter(is_unpaged).collect()
    }

    pub(super) fn json(&self, diff: &Diff) -> Value {
        let contributors =
            |all: &[Contributor]| -> Vec<Value> { all.iter().map(|one| json!({ "name": one.name, "rows": one.rows })).collect() };
        let rule = |made: &Contribution| {
            let days: Map<String, Value> = made.by_day.iter().map(|(day, rows)| (day.to_string(), (*rows).into())).collect();
            json!({
                "control": made.control, "rows": made.rows, "byDay": days, "actors": contributors(&made.actors),
                "accounts": contributors(&made.accounts), "sources": contributors(&made.sources),
            })
        };
        let step = |step: &Step| {
            json!({
                "change": step.change.to_string(), "pagesBefore": step.before, "pagesAfter": step.after, "missed": step.missed,
            })
        };
        let period = |period: &Period| json!({ "begin": time::format_ms(period.begin_ms), "before": period.before, "after": period.after });
        let line = |line: &Line| json!({ "id": line.id, "name": line.name, "before": line.before, "after": line.after });
        json!({
            "budget": self.budget.to_string(), "holds": self.holds(), "estimated": self.is_estimate,
            "periods": self.periods.iter().map(period).collect::<Vec<_>>(),
            "steps": self.found.steps.iter().map(step).collect::<Vec<_>>(),
            "conditions": self.lines.iter().map(line).collect::<Vec<_>>(),
            "silenced": self.silenced(), "mutedForEverybody": self.muted_for_everybody(), "unclosed": self.unclosed,
            "attacks": {
                "labelled": self.labelled.len(), "pagedBefore": self.found.paged_before, "pagedAfter": self.found.paged_after,
                "missed": self.missed(), "neverPaged": self.unpaged(), "undetected": self.found.undetected,
            },
            "rules": self.found.made.iter().map(rule).collect::<Vec<_>>(),
            "refused": self.refused.iter().map(|(id, why)| json!({ "id": id, "why": why })).collect::<Vec<_>>(),
            "untested": self.untested, "diff": diff.text, "applyIn": diff.folder.as_deref().unwrap_or("."),
            "casesToRedo": diff.stale,
        })
    }
}

fn criticals(outcome: &Outcome) -> usize {
    let is_on = outcome.tested.enabled;
    outcome.incidents().filter(|(_, incident)| is_on && incident.priority == Priority::Critical).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::backtest::{Tested, backtest};
    use crate::lab::store::Store;
    use crate::lab::streaming::issue::Preference;
    use crate::lab::streaming::{Range, Settings};
    use crate::nrql::condition::{Comparison, Condition, Fill, Kind, Method, Occurrences, Signal, Term};

    const DAY_MS: i64 = 86_400_000;

    fn condition(timer_s: u32) -> Tested {
        let term = Term {
            priority: Priority::Critical,
            comparison: Comparison::Above,
            threshold: 0.0,
            duration_s: 60,
            occurrences: Occurrences::AtLeastOnce,
        };
        let signal = Signal {
            window_s: 60,
            slide_s: None,
            method: Method::EventTimer { timer_s },
            fill: Fill::None,
            evaluation_delay_s: 0,
        };
        Tested {
            policy: "own".to_owned(),
            policy_name: "Our own".to_owned(),
            preference: Preference::Condition,
            id: "one".to_owned(),
            enabled: true,
            runbook: String::new(),
            condition: Condition {
                name: "one".to_owned(),
                query: "SELECT count(*) FROM T".to_owned(),
                kind: Kind::Static,
                signal,
                terms: vec![term],
                expiration: None,
                time_limit_s: 86_400,
            },
        }
    }

    /// S3-14: what opens later than anything before is in the report, and decides.
    #[test]
    fn a_page_after_the_last_period_of_before_is_told() {
        let store = Store::in_memory();
        store.append("T", |pen| {
            for at in [0, 7 * DAY_MS - 300_000] {
                pen.begin(at, at);
            }
        });
        let report = |before, after| {
            let report = found(&store, before, after, Vec::new());
            let periods: Vec<(u64, u64)> = report.periods.iter().map(|period| (period.before, period.after)).collect();
            (periods, report.holds())
        };
        assert_eq!(report(60, 1_200), (vec![(2, 1), (0, 1)], true));
        assert_eq!(report(1_200, 60), (vec![(1, 2), (1, 0)], false));
    }

    /// What is a warning or off pages nobody, also of an attack that nobody labelled: it is named.
    #[test]
    fn conditions_that_page_nobody_any_more_are_named() {
        let store = Store::in_memory();
        store.append("T", |pen| pen.begin(0, 0));
        let step = |edit| {
            let change = Change::Edit { condition: "one".to_owned(), edit };
            Step { change, before: 1, after: 0, missed: Vec::new() }
        };
        let silenced = |edit| found(&store, 60, 60, vec![step(edit)]).silenced().len();
        assert_eq!([Edit::Warn, Edit::Off, Edit::Duration { from: 60, to: 120 }].map(silenced), [1, 1, 0]);
        let report = found(&store, 60, 60, vec![step(Edit::Warn), step(Edit::Off)]);
        assert_eq!(report.json(&Diff::default())["silenced"], json!(["one"]));
    }

    /// A report on rows, with timers before and after.
    fn found(store: &Store, before_s: u32, after_s: u32, steps: Vec<Step>) -> Report {
        let snapshots = [store.snapshot()];
        let range = Range { begin_ms: 0, end_ms: 7 * DAY_MS };
        let of = |timer_s| backtest(&snapshots, vec![condition(timer_s)], range, &Settings::default());
        let found = Found {
            before: of(before_s),
            after: of(after_s),
            steps,
            paged_before: BTreeSet::new(),
            paged_after: BTreeSet::new(),
            undetected: Vec::new(),
            made: Vec::new(),
        };
        let budget = "1/week".parse().expect("a budget");
        Report::new(found, budget, &TimeZone::UTC, &Labels::default(), false)
    }
}
