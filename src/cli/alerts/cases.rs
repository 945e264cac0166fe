//! The cases of a condition, in the lab: what each would have told people, and when.
//!
//! In: a condition, a case. Out: its incidents. What always holds: rows come when the case says, late ones late, and the evaluator of
//! streams does the rest: window, slide, timer, delay, fill, duration, loss of signal and time limit are judged as much as the query.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value as Json};

use crate::lab::engine::{json, value::Value};
use crate::lab::store::Store;
use crate::lab::streaming::{Cause, Incident, Range, Settings, SignalRun, evaluate};
use crate::nrql::condition::{Condition, Method};
use crate::publish::alert::{Case, ExpectedIncident, RowSource};

/// 2026-01-01T00:00:00Z: a multiple of every window.
const BEGIN_MS: i64 = 1_767_225_600_000;

/// Times of the copies of a row, ms after the begin.
fn times(row: &RowSource) -> impl Iterator<Item = i64> {
    let (at, every) = (i64::from(row.at), i64::from(row.every));
    (0..i64::from(row.times)).map(move |nth| (at + nth * every) * 1_000)
}

fn store(case: &Case) -> Store {
    let store = Store::in_memory();
    for row in &case.rows {
        for time in times(row) {
            let mut attributes: Map<String, Json> = row.with.clone();
            attributes.insert("timestamp".to_owned(), (BEGIN_MS + time).into());
            store.append_json(&row.event, &attributes, BEGIN_MS + time + i64::from(row.late) * 1_000);
        }
    }
    store
}

/// When a case ends, ms after the begin.
fn end_ms(case: &Case, condition: &Condition) -> i64 {
    if case.until > 0 {
        return i64::from(case.until) * 1_000;
    }
    let arrivals = case.rows.iter().flat_map(|row| times(row).map(|time| time + i64::from(row.late) * 1_000));
    let last = arrivals.max().unwrap_or_default();
    let wait = match condition.signal.method {
        Method::EventFlow { delay_s } | Method::Cadence { delay_s } => delay_s,
        Method::EventTimer { timer_s } => timer_s,
    };
    // Where silence opens, a case says how long it lasts.
    let silence = condition.expiration.filter(|expiration| !expiration.opens).map_or(0, |expiration| expiration.after_s);
    last + (i64::from(condition.signal.window_s) * 2 + i64::from(wait) + i64::from(silence) + 60) * 1_000
}

/// What a case tells of an incident.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) struct Told {
    pub(in crate::cli) facet: BTreeMap<String, String>,
    pub(in crate::cli) priority: &'static str,
    pub(in crate::cli) silence: bool,
    pub(in crate::cli) opens: i64,
    pub(in crate::cli) closes: Option<i64>,
}

impl fmt::Display for Told {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { facet, priority, silence, opens, closes } = self;
        let silence = if *silence { ", of silence" } else { "" };
        write!(out, "{priority} {facet:?}{silence}, opens: {opens}")?;
        closes.map_or(Ok(()), |closes| write!(out, ", closes: {closes}"))
    }
}

/// A value in words.
pub(in crate::cli) fn text(value: &Value) -> String {
    match json(value) {
        Json::String(text) => text,
        other => other.to_string(),
    }
}

/// What a signal tells: of incidents that overlap the most severe, as a person is called once.
pub(in crate::cli) fn most_severe(signal: &SignalRun) -> Vec<Incident> {
    let end = |incident: &Incident| incident.closed.map_or(i64::MAX, |closed| closed.known_ms);
    let hides = |one: &Incident, other: &Incident| {
        one.priority > other.priority && one.opened_ms <= end(other) && other.opened_ms <= end(one)
    };
    let told = |incident: &&Incident| !signal.incidents.iter().any(|other| hides(other, incident));
    signal.incidents.iter().filter(told).copied().collect()
}

/// What a case opens, or why it cannot be judged.
pub(in crate::cli) fn found(condition: &Condition, case: &Case) -> Result<Vec<Told>, String> {
    let range = Range { begin_ms: BEGIN_MS, end_ms: BEGIN_MS + end_ms(case, condition) };
    let evaluation = evaluate(&[store(case).snapshot()], condition, range, &Settings::default());
    let evaluation = evaluation.map_err(|error| error.to_string())?;
    let mut told = Vec::new();
    for signal in &evaluation.signals {
        let facet: BTreeMap<String, String> = signal.facets.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        for incident in most_severe(signal) {
            told.push(Told {
                facet: facet.clone(),
                priority: incident.priority.word(),
                silence: incident.cause == Cause::SignalLost,
                opens: (incident.opened_ms - BEGIN_MS) / 1_000,
                closes: incident.closed.map(|closed| (closed.at_ms - BEGIN_MS) / 1_000),
            });
        }
    }
    told.sort();
    Ok(told)
}

/// Whether it is the one that the case names.
pub(in crate::cli) fn is(wanted: &ExpectedIncident, found: &Told) -> bool {
    let same = wanted.facet == found.facet && wanted.priority == found.priority && wanted.silence == found.silence;
    let times = wanted.opens.is_none_or(|opens| i64::from(opens) == found.opens && wanted.closes.map(i64::from) == found.closes);
    same && times
}
