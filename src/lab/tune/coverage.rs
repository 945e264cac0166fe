//! Which attacks the conditions tell.
//!
//! In: conditions, the rows of attacks, the issues of all rows. Out: the attacks of which somebody was paged. What always holds: an
//! attack is told by an incident that paged and that its own rows helped to open: of its signal (the same facets), with one of its rows
//! in the windows that opened it, where it added to the value. What joins an incident or an issue that noise has opened, or is muted,
//! is not told: nobody is woken again. A row counts in its window though it may have come too late for it.

use std::collections::BTreeSet;

use super::attack::Attack;
use crate::lab::backtest::{Backtest, Tested, long_before};
use crate::lab::engine::Field;
use crate::lab::streaming::issue::Origin;
use crate::lab::streaming::{Cause, Evaluation, Incident, Range, Settings, Settles, SignalRun, evaluate};
use crate::nrql::condition::{Condition, Method, Occurrences, Priority};

/// Longest `aggregationTimer`, s.
const TIMER_S: u32 = 1_200;

/// Where the rows of an attack lie, for one condition.
#[derive(Debug, Clone, Default)]
pub(super) struct Trace {
    /// Facets, and ends of windows, ms since 1970.
    windows: Vec<(Vec<Field>, Vec<i64>)>,
}

/// The traces of all attacks, in their order. `before`: those of the same condition when it read at least as much: an attack without
/// one has none now; empty where nothing is known.
pub(super) fn traces(
    attacks: &[Attack],
    before: &[Trace],
    condition: &Condition,
    range: Range,
    settings: &Settings,
) -> Vec<Trace> {
    // Which windows the rows are in does not depend on when windows close; with the longest timer all rows of an attack are in one.
    let mut patient = condition.clone();
    patient.signal.method = Method::EventTimer { timer_s: TIMER_S };
    patient.expiration = None;
    // The rows end with the attack; its windows are closed all the same.
    let settings = Settings { settles: Settles::All, ..settings.clone() };
    let trace = |(number, attack): (usize, &Attack)| {
        let had_none = before.get(number).is_some_and(|trace| trace.windows.is_empty());
        if had_none || attack.rows.rows() == 0 {
            return Trace::default();
        }
        let result = evaluate(std::slice::from_ref(&attack.rows), &patient, long_before(range), &settings);
        Trace { windows: result.map(|evaluation| windows(evaluation, condition)).unwrap_or_default() }
    };
    attacks.iter().enumerate().map(trace).collect()
}

/// The windows of an evaluation whose rows tell the condition something. Where it asks for much, rows that come to 0 add nothing:
/// `filter()` has left them out.
fn windows(evaluation: Evaluation, condition: &Condition) -> Vec<(Vec<Field>, Vec<i64>)> {
    let is_above = condition.opens_above();
    let of = |signal: SignalRun| {
        let tells = |value: f64| !is_above || value.abs() > 0.0;
        let with_rows = signal.points.iter().filter(|point| point.value.is_some_and(tells) && !point.filled);
        let ends = with_rows.map(|point| point.end_ms).collect();
        (signal.facets, ends)
    };
    evaluation.signals.into_iter().map(of).collect()
}

/// Numbers of the attacks that are told: of which an incident paged somebody. `traces`: of each condition.
pub(super) fn told(result: &Backtest, traces: &[Vec<Trace>]) -> BTreeSet<usize> {
    let mut told = BTreeSet::new();
    for issue in result.issues.iter().filter(|issue| issue.enabled) {
        let Some(paged_ms) = issue.reached_ms(Priority::Critical) else { continue };
        // What joins an issue that has paged, or is muted, wakes nobody.
        let paging = |origin: &&Origin| {
            let is_loud = origin.muted.is_none() && origin.incident.priority == Priority::Critical;
            is_loud && origin.incident.opened_ms == paged_ms
        };
        for origin in issue.origins.iter().filter(paging) {
            let (Some(outcome), Some(traces)) = (result.outcomes.get(origin.condition), traces.get(origin.condition)) else {
                continue;
            };
            let Some(signal) = outcome.result.as_ref().ok().and_then(|evaluation| evaluation.signals.get(origin.signal)) else {
                continue;
            };
            let is_told = |trace: &Trace| {
                let own = trace.windows.iter().filter(|(facets, _)| *facets == signal.facets);
                own.flat_map(|(_, ends)| ends).any(|end| has_opened(*end, &origin.incident, &outcome.tested))
            };
            told.extend(traces.iter().enumerate().filter(|(_, trace)| is_told(trace)).map(|(number, _)| number));
        }
    }
    told
}

/// Whether the window that ends then is one of those that opened an incident: the last one, or where every value counts those of the
/// term's duration.
fn has_opened(end_ms: i64, incident: &Incident, tested: &Tested) -> bool {
    let Some(opened_by_ms) = incident.window_end_ms.filter(|_| incident.cause == Cause::Threshold) else { return false };
    let term = tested.condition.terms.iter().find(|term| term.priority == incident.priority);
    let duration_ms =
        term.filter(|term| term.occurrences == Occurrences::All).map_or(0, |term| i64::from(term.duration_s) * 1_000);
    end_ms == opened_by_ms || (opened_by_ms - duration_ms < end_ms && end_ms <= opened_by_ms)
}
