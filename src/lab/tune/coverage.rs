//! Which attacks a condition tells.
//!
//! In: a condition, the rows of attacks, the incidents of all rows. Out: the attacks that opened an incident that pages. What
//! always holds: an attack is told by an incident that its own rows helped to open: one of its signal (the same facets) with one of its
//! rows in the windows that opened it. What only joins an incident that noise has opened is not told: nobody is woken again.

use std::collections::BTreeSet;

use super::attack::Attack;
use crate::lab::backtest::{Outcome, Tested};
use crate::lab::engine::Field;
use crate::lab::streaming::{Cause, Evaluation, Incident, Range, Settings, SignalRun, evaluate};
use crate::nrql::condition::{Condition, Method, Priority};

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
    let trace = |(number, attack): (usize, &Attack)| {
        let had_none = before.get(number).is_some_and(|trace| trace.windows.is_empty());
        if had_none || attack.rows.rows() == 0 {
            return Trace::default();
        }
        let result = evaluate(std::slice::from_ref(&attack.rows), &patient, range, settings);
        Trace { windows: result.map(windows).unwrap_or_default() }
    };
    attacks.iter().enumerate().map(trace).collect()
}

/// The windows with rows of an evaluation.
fn windows(evaluation: Evaluation) -> Vec<(Vec<Field>, Vec<i64>)> {
    let of = |signal: SignalRun| {
        let with_rows = signal.points.iter().filter(|point| point.value.is_some() && !point.filled);
        let ends = with_rows.map(|point| point.end_ms).collect();
        (signal.facets, ends)
    };
    evaluation.signals.into_iter().map(of).collect()
}

/// Numbers of the attacks that an outcome tells.
pub(super) fn told(traces: &[Trace], outcome: &Outcome) -> BTreeSet<usize> {
    if !outcome.tested.enabled {
        return BTreeSet::new();
    }
    let is_told = |trace: &Trace| {
        trace.windows.iter().any(|(facets, ends)| {
            let own = outcome.incidents().filter(|(signal, _)| signal.facets == *facets);
            own.into_iter().any(|(_, incident)| ends.iter().any(|end| is_covered(*end, incident, &outcome.tested)))
        })
    };
    traces.iter().enumerate().filter(|(_, trace)| is_told(trace)).map(|(number, _)| number).collect()
}

/// Whether the window that ends then is one of those that opened an incident that pages.
fn is_covered(end_ms: i64, incident: &Incident, tested: &Tested) -> bool {
    let Some(opened_by_ms) = incident.window_end_ms.filter(|_| incident.cause == Cause::Threshold) else { return false };
    let term = tested.condition.terms.iter().find(|term| term.priority == incident.priority);
    let duration_ms = term.map_or(0, |term| i64::from(term.duration_s) * 1_000);
    incident.priority == Priority::Critical && end_ms > opened_by_ms - duration_ms && end_ms <= opened_by_ms
}
