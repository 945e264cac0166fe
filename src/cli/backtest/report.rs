//! What a back-test is told from.
//!
//! In: outcomes, a zone, a budget, a language. Out: lines by condition and day, incidents in words, the verdict; as JSON. What always
//! holds: whatever form it takes, the same numbers are told.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::lab::backtest::{Backtest, Budget, Outcome};
use crate::lab::engine::{self, Field};
use crate::lab::streaming::{Cause, Incident, Reason, SignalRun};
use crate::nrql::condition::Priority;
use crate::publish::dashboard::Language;
use crate::record::time;

/// A back-test, ready to be told.
pub(super) struct Report {
    pub(super) language: Language,
    pub(super) begin_ms: i64,
    pub(super) end_ms: i64,
    pub(super) zone: String,
    pub(super) rows: usize,
    pub(super) days: Vec<Date>,
    pub(super) lines: Vec<Line>,
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
    pub(super) approximate: bool,
    /// Signals with a window that was closed.
    pub(super) signals: usize,
    /// Rows that came after their window.
    pub(super) late: u64,
    pub(super) notes: Vec<String>,
    pub(super) incidents: Vec<Told>,
    /// Incidents of each day of the report.
    pub(super) by_day: Vec<u64>,
}

/// One incident.
pub(super) struct Told {
    pub(super) opened_ms: i64,
    pub(super) priority: Priority,
    /// Of the signal: alias and value.
    pub(super) facets: Vec<(String, String)>,
    pub(super) cause: String,
    pub(super) closed: Option<(i64, &'static str)>,
}

/// Whether the budget held.
pub(super) struct Verdict {
    pub(super) budget: Budget,
    /// Begin and pages of every period.
    pub(super) periods: Vec<(i64, u64)>,
    pub(super) exceeded: Vec<(i64, u64)>,
}

impl Report {
    pub(super) fn new(result: &Backtest, zone: &TimeZone, budget: Option<Budget>, rows: usize, language: Language) -> Self {
        let days = result.days(zone);
        let lines = result.outcomes.iter().map(|outcome| line(outcome, zone, &days)).collect();
        let opened = result.opened(Priority::Critical);
        let budget = budget.map(|budget| Verdict {
            budget,
            periods: budget.periods(&opened, result.range),
            exceeded: budget.exceeded(&opened, result.range),
        });
        let (begin_ms, end_ms) = (result.range.begin_ms, result.range.end_ms);
        Self { language, begin_ms, end_ms, zone: zone.iana_name().unwrap_or("UTC").to_owned(), rows, days, lines, budget }
    }

    /// Whether every condition could be tested, and the budget held.
    pub(super) fn is_good(&self) -> bool {
        self.lines.iter().all(|line| line.refused.is_none())
            && self.budget.as_ref().is_none_or(|verdict| verdict.exceeded.is_empty())
    }

    /// How many incidents there were of conditions that are on.
    pub(super) fn pages(&self, priority: Priority) -> usize {
        let on = self.lines.iter().filter(|line| line.enabled);
        on.flat_map(|line| &line.incidents).filter(|told| told.priority == priority).count()
    }

    pub(super) fn json(&self) -> Value {
        let incident = |told: &Told| {
            let facets: Map<String, Value> =
                told.facets.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
            json!({
                "opened": time::format_ms(told.opened_ms), "priority": told.priority.word(), "facets": facets, "cause": told.cause,
                "closed": told.closed.map(|(ms, _)| time::format_ms(ms)), "closedBecause": told.closed.map(|(_, why)| why),
            })
        };
        let line = |line: &Line| {
            let days: Map<String, Value> = self
                .days
                .iter()
                .zip(&line.by_day)
                .filter(|(_, number)| **number > 0)
                .map(|(day, number)| (day.to_string(), (*number).into()))
                .collect();
            json!({
                "policy": line.policy, "id": line.id, "name": line.name, "enabled": line.enabled, "refused": line.refused,
                "approximate": line.approximate, "signals": line.signals, "lateRows": line.late, "notes": line.notes,
                "incidents": line.incidents.iter().map(incident).collect::<Vec<_>>(), "byDay": days,
            })
        };
        let budget = self.budget.as_ref().map(|verdict| {
            let period = |(begin, number): &(i64, u64)| json!({ "begin": time::format_ms(*begin), "pages": number });
            json!({
                "budget": verdict.budget.to_string(), "holds": verdict.exceeded.is_empty(),
                "periods": verdict.periods.iter().map(period).collect::<Vec<_>>(),
                "exceeded": verdict.exceeded.iter().map(period).collect::<Vec<_>>(),
            })
        });
        json!({
            "from": time::format_ms(self.begin_ms), "to": time::format_ms(self.end_ms), "timeZone": self.zone, "rows": self.rows,
            "critical": self.pages(Priority::Critical), "warning": self.pages(Priority::Warning),
            "conditions": self.lines.iter().map(line).collect::<Vec<_>>(), "budget": budget,
        })
    }
}

fn line(outcome: &Outcome, zone: &TimeZone, days: &[Date]) -> Line {
    let tested = &outcome.tested;
    let by_day = outcome.by_day(zone);
    let evaluation = outcome.result.as_ref().ok();
    let mut incidents: Vec<Told> = outcome.incidents().map(|(signal, incident)| told(signal, incident)).collect();
    incidents.sort_by(|a, b| (a.opened_ms, &a.facets).cmp(&(b.opened_ms, &b.facets)));
    Line {
        policy: tested.policy.clone(),
        id: tested.id.clone(),
        name: tested.condition.name.clone(),
        enabled: tested.enabled,
        refused: outcome.result.as_ref().err().map(|error| error.message.clone()),
        approximate: evaluation.is_some_and(|evaluation| evaluation.approximate),
        signals: evaluation.map_or(0, |evaluation| evaluation.signals.len()),
        late: evaluation.map_or(0, |evaluation| evaluation.late),
        notes: evaluation.map(|evaluation| evaluation.notes.clone()).unwrap_or_default(),
        incidents,
        by_day: days.iter().map(|day| by_day.get(day).copied().unwrap_or(0)).collect(),
    }
}

fn told(signal: &SignalRun, incident: &Incident) -> Told {
    let facet = |(name, value): &Field| {
        let text = value.as_text().map_or_else(|| engine::json(value).to_string(), str::to_owned);
        (name.to_string(), text)
    };
    let cause = match (incident.cause, incident.value) {
        (Cause::SignalLost, _) => "signal lost".to_owned(),
        (Cause::Threshold, Some(value)) => format!("value {}", short(value)),
        (Cause::Threshold, None) => "threshold".to_owned(),
    };
    let closed = incident.closed.map(|closed| {
        let why = match closed.reason {
            Reason::Recovered => "recovered",
            Reason::TimeLimit => "time limit",
            Reason::SignalLost => "signal lost",
            Reason::DataReturned => "data returned",
        };
        (closed.at_ms, why)
    });
    Told {
        opened_ms: incident.opened_ms,
        priority: incident.priority,
        facets: signal.facets.iter().map(facet).collect(),
        cause,
        closed,
    }
}

/// A number without digits that say nothing.
fn short(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.2}") }
}
