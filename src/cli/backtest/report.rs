//! What a back-test is told from.
//!
//! In: outcomes and issues, muting rules, a zone, a budget, a language. Out: lines by condition and day, incidents and issues in
//! words, the verdict. What always holds: whatever form it takes, the same numbers are told; what was not tested has no number.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cli::bars;
use crate::lab::backtest::{Backtest, Budget, IssueOf, Outcome, Tested};
use crate::lab::engine::{self, Field};
use crate::lab::streaming::{Cause, Incident, Reason};
use crate::nrql::condition::{Kind, Priority};
use crate::nrql::muting::MutingRule;
use crate::publish::dashboard::Language;

/// What a budget counts.
pub(super) const PAGES: &str = "pages: issues that became critical, of conditions that are on, not muted";

/// A back-test, ready to be told.
pub(super) struct Report {
    pub(super) language: Language,
    /// The first and the last arrival.
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    pub(super) zone: String,
    pub(super) rows: usize,
    pub(super) days: Vec<Date>,
    pub(super) lines: Vec<Line>,
    pub(super) issues: Vec<IssueLine>,
    /// Muting rules that ask for what is not known here: name, attributes.
    pub(super) muting_notes: Vec<(String, String)>,
    /// How many pages there were.
    pub(super) pages: usize,
    pub(super) budget: Option<Verdict>,
}

/// One condition.
pub(super) struct Line {
    pub(super) policy: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) enabled: bool,
    /// Why New Relic would refuse it.
    pub(super) refused: Option<String>,
    /// Why nothing can be said of it.
    pub(super) untested: Option<String>,
    pub(super) approximate: bool,
    /// Signals with a window that was closed.
    pub(super) signals: usize,
    /// Rows that came after their window.
    pub(super) late: u64,
    /// Windows with rows that nothing closed.
    pub(super) unclosed: u64,
    pub(super) notes: Vec<String>,
    pub(super) incidents: Vec<Told>,
    /// Incidents of each day of the report.
    by_day: Vec<u64>,
}

/// One incident.
pub(super) struct Told {
    pub(super) incident: Incident,
    /// Of the signal: alias and value.
    pub(super) facets: Vec<(String, String)>,
    /// Its value is in standard deviations.
    pub(super) is_baseline: bool,
    /// Name of the rule that muted it.
    pub(super) muted: Option<String>,
    /// Number of its issue.
    pub(super) issue: usize,
}

/// One issue.
pub(super) struct IssueLine {
    /// From 1, by the time they opened.
    pub(super) number: usize,
    pub(super) policy: String,
    pub(super) enabled: bool,
    pub(super) opened_ms: i64,
    /// When it paged: became critical.
    pub(super) paged_ms: Option<i64>,
    pub(super) closed_ms: Option<i64>,
    pub(super) priority: Priority,
    /// All its incidents were muted, the first by this rule.
    pub(super) muted: Option<String>,
    /// Ids.
    pub(super) conditions: BTreeSet<String>,
    pub(super) incidents: usize,
    /// What opened it.
    pub(super) cause: String,
    pub(super) facets: Vec<(String, String)>,
}

/// Whether the budget held.
pub(super) struct Verdict {
    pub(super) budget: Budget,
    /// Begin and pages of every period.
    pub(super) periods: Vec<(i64, u64)>,
    pub(super) exceeded: Vec<(i64, u64)>,
}

/// What the report is made with, beside the result.
pub(super) struct Manner<'a> {
    pub(super) zone: &'a TimeZone,
    pub(super) budget: Option<Budget>,
    pub(super) rules: &'a [MutingRule],
    pub(super) language: Language,
}

impl Report {
    pub(super) fn new(result: &Backtest, rows: usize, manner: &Manner<'_>) -> Self {
        let days = result.days(manner.zone);
        let mut lines: Vec<Line> = result.outcomes.iter().map(|outcome| line(outcome, manner.zone, &days)).collect();
        let mut issues = Vec::new();
        for (number, of) in (1..).zip(&result.issues) {
            let mut first = None;
            for origin in &of.origins {
                let Some(outcome) = result.outcomes.get(origin.condition) else { continue };
                let signal = outcome.result.iter().find_map(|evaluation| evaluation.signals.get(origin.signal));
                let told = Told {
                    incident: origin.incident,
                    facets: signal.iter().flat_map(|signal| &signal.facets).map(facet).collect(),
                    is_baseline: matches!(outcome.tested.condition.kind, Kind::Baseline(..)),
                    muted: origin.muted.and_then(|muted| manner.rules.get(muted.rule)).map(|rule| rule.name.clone()),
                    issue: number,
                };
                first.get_or_insert_with(|| (told.cause(), told.facets.clone(), told.muted.clone()));
                if let Some(line) = lines.get_mut(origin.condition) {
                    line.incidents.push(told);
                }
            }
            issues.extend(first.map(|first| issue(number, of, result, first)));
        }
        for line in &mut lines {
            line.incidents.sort_by(|a, b| (a.incident.opened_ms, &a.facets).cmp(&(b.incident.opened_ms, &b.facets)));
        }
        let opened = result.opened(Priority::Critical);
        let budget = manner.budget.map(|budget| Verdict {
            budget,
            periods: budget.periods(&opened, result.range),
            exceeded: budget.exceeded(&opened, result.range),
        });
        Self {
            language: manner.language,
            first_ms: result.range.begin_ms,
            last_ms: result.range.end_ms - 1,
            zone: manner.zone.iana_name().unwrap_or("UTC").to_owned(),
            rows,
            days,
            lines,
            issues,
            muting_notes: muting_notes(manner.rules),
            pages: opened.len(),
            budget,
        }
    }

    /// Whether every condition could be tested, and the budget held.
    pub(super) fn is_good(&self) -> bool {
        self.lines.iter().all(|line| line.refused.is_none())
            && self.budget.as_ref().is_none_or(|verdict| verdict.exceeded.is_empty())
    }

    /// The incidents of conditions that are on.
    pub(super) fn incidents(&self) -> impl Iterator<Item = &Told> {
        self.lines.iter().filter(|line| line.enabled).flat_map(|line| &line.incidents)
    }

    /// How many incidents of conditions that are on had a priority.
    pub(super) fn number(&self, priority: Priority) -> usize {
        self.incidents().filter(|told| told.incident.priority == priority).count()
    }

    /// Days that a bar of a chart stands for.
    pub(super) fn bar_days(&self) -> usize {
        bars::width(self.days.len())
    }

    /// The highest bar.
    pub(super) fn highest(&self) -> u64 {
        self.lines.iter().flat_map(|line| line.bars(self.bar_days())).max().unwrap_or(0)
    }
}

impl Line {
    pub(super) fn number(&self, priority: Priority) -> usize {
        self.incidents.iter().filter(|told| told.incident.priority == priority).count()
    }

    /// Incidents that were open when the rows ended.
    pub(super) fn still_open(&self) -> usize {
        self.incidents.iter().filter(|told| told.incident.closed.is_none()).count()
    }

    pub(super) fn muted(&self) -> usize {
        self.incidents.iter().filter(|told| told.muted.is_some()).count()
    }

    /// Incidents of so many days each.
    pub(super) fn bars(&self, days: usize) -> Vec<u64> {
        self.by_day.chunks(days.max(1)).map(|days| days.iter().sum()).collect()
    }

    /// Incidents of each day that had one.
    pub(super) fn days<'a>(&'a self, days: &'a [Date]) -> impl Iterator<Item = (Date, u64)> + 'a {
        days.iter().copied().zip(self.by_day.iter().copied()).filter(|(_, number)| *number > 0)
    }
}

impl Told {
    /// What opened it.
    pub(super) fn cause(&self) -> String {
        match (self.incident.cause, self.incident.value) {
            (Cause::SignalLost, _) => "signal lost".to_owned(),
            (Cause::Threshold, Some(value)) if self.is_baseline => format!("{} standard deviations", short(value)),
            (Cause::Threshold, Some(value)) => format!("value {}", short(value)),
            (Cause::Threshold, None) => "threshold".to_owned(),
        }
    }

    /// When it closed, ms, and why.
    pub(super) fn closed(&self) -> Option<(i64, &'static str)> {
        let closed = self.incident.closed?;
        let why = match closed.reason {
            Reason::Recovered => "recovered",
            Reason::TimeLimit => "time limit",
            Reason::SignalLost => "signal lost",
            Reason::DataReturned => "data returned",
        };
        Some((closed.at_ms, why))
    }
}

fn line(outcome: &Outcome, zone: &TimeZone, days: &[Date]) -> Line {
    let tested = &outcome.tested;
    let by_day = outcome.by_day(zone);
    let evaluation = outcome.result.as_ref().ok();
    let untested = || format!("no rows of {}", outcome.event_types.join(", "));
    Line {
        policy: tested.policy.clone(),
        id: tested.id.clone(),
        name: tested.condition.name.clone(),
        enabled: tested.enabled,
        refused: outcome.result.as_ref().err().map(|error| error.message.clone()),
        untested: (evaluation.is_some() && !outcome.has_rows).then(untested),
        approximate: evaluation.is_some_and(|evaluation| evaluation.approximate),
        signals: evaluation.map_or(0, |evaluation| evaluation.signals.len()),
        late: evaluation.map_or(0, |evaluation| evaluation.late),
        unclosed: evaluation.map_or(0, |evaluation| evaluation.unclosed),
        notes: evaluation.filter(|_| outcome.has_rows).map(|evaluation| evaluation.notes.clone()).unwrap_or_default(),
        incidents: Vec::new(),
        by_day: days.iter().map(|day| by_day.get(day).copied().unwrap_or(0)).collect(),
    }
}

fn issue(
    number: usize,
    of: &IssueOf,
    result: &Backtest,
    (cause, facets, muted): (String, Vec<(String, String)>, Option<String>),
) -> IssueLine {
    let id = |place: usize| result.outcomes.get(place).map(|outcome| outcome.tested.id.clone());
    IssueLine {
        number,
        policy: of.policy.clone(),
        enabled: of.enabled,
        opened_ms: of.issue.opened_ms,
        paged_ms: of.reached_ms(Priority::Critical).filter(|_| of.enabled),
        closed_ms: of.issue.closed_ms,
        priority: of.issue.priority,
        muted: muted.filter(|_| of.issue.told_ms.is_none()),
        conditions: of.origins.iter().filter_map(|origin| id(origin.condition)).collect(),
        incidents: of.origins.len(),
        cause,
        facets,
    }
}

/// What muting rules ask that past rows do not tell.
fn muting_notes(rules: &[MutingRule]) -> Vec<(String, String)> {
    let note = |rule: &MutingRule| {
        let asked = rule.conditions.iter().map(|test| test.attribute.as_str());
        let unknown: BTreeSet<&str> = asked.filter(|asked| Tested::UNKNOWN.contains(asked)).collect();
        let names: Vec<&str> = unknown.into_iter().collect();
        (!names.is_empty()).then(|| (rule.name.clone(), names.join(", ")))
    };
    rules.iter().filter_map(note).collect()
}

fn facet((name, value): &Field) -> (String, String) {
    let text = value.as_text().map_or_else(|| engine::json(value).to_string(), str::to_owned);
    (name.to_string(), text)
}

/// A number without digits that say nothing.
fn short(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.2}") }
}
