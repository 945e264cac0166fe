//! The cases of the shipped conditions, in the lab: what each would have told people, and when.
//!
//! Rows come when the case says, late ones late, and the evaluator of streams does the rest: window, slide, timer, delay, fill,
//! duration, loss of signal and time limit are judged as much as the query.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde_json::{Map, Value as Json};

use super::*;
use crate::lab::engine::{json, value::Value};
use crate::lab::store::Store;
use crate::lab::streaming::{Cause, Incident, Range, Settings, SignalRun, evaluate};
use crate::nrql::condition::{Condition, Method};
use crate::publish::alert::{Case, ExpectedIncident, RowSource};

/// 2026-01-01T00:00:00Z: a multiple of every window.
pub(super) const BEGIN_MS: i64 = 1_767_225_600_000;

/// Where the files of the conditions are: whoever changes one need not build it in to judge it.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/nrql/conditions");

/// The files as they stand now.
pub(super) fn definition() -> Definition {
    let definition = super::super::definition(Some(Path::new(FOLDER))).expect("files");
    assert!(definition.unreadable.is_empty(), "{:?}", definition.unreadable);
    definition
}

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
struct Told {
    facet: BTreeMap<String, String>,
    priority: &'static str,
    silence: bool,
    opens: i64,
    closes: Option<i64>,
}

impl fmt::Display for Told {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { facet, priority, silence, opens, closes } = self;
        let silence = if *silence { ", of silence" } else { "" };
        write!(out, "{priority} {facet:?}{silence}, opens: {opens}")?;
        closes.map_or(Ok(()), |closes| write!(out, ", closes: {closes}"))
    }
}

pub(super) fn text(value: &Value) -> String {
    match json(value) {
        Json::String(text) => text,
        other => other.to_string(),
    }
}

/// What a signal tells: of incidents that overlap the most severe, as a person is called once.
pub(super) fn most_severe(signal: &SignalRun) -> Vec<Incident> {
    let end = |incident: &Incident| incident.closed.map_or(i64::MAX, |closed| closed.known_ms);
    let hides = |one: &Incident, other: &Incident| {
        one.priority > other.priority && one.opened_ms <= end(other) && other.opened_ms <= end(one)
    };
    let told = |incident: &&Incident| !signal.incidents.iter().any(|other| hides(other, incident));
    signal.incidents.iter().filter(told).copied().collect()
}

fn found(condition: &Condition, case: &Case) -> Result<Vec<Told>, String> {
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
fn is(wanted: &ExpectedIncident, found: &Told) -> bool {
    let same = wanted.facet == found.facet && wanted.priority == found.priority && wanted.silence == found.silence;
    let times = wanted.opens.is_none_or(|opens| i64::from(opens) == found.opens && wanted.closes.map(i64::from) == found.closes);
    same && times
}

/// P37, S3-14: what must wake somebody opens an incident in time, what must not opens none, and what is over closes.
#[test]
fn every_case_gives_the_incidents_that_it_names() {
    let mut wrong = Vec::new();
    let mut judged = 0;
    for (policy, source) in definition().conditions() {
        let condition = source.model(Language::English);
        for case in &source.cases {
            judged += 1;
            let found = match found(&condition, case) {
                Ok(found) => found,
                Err(error) => {
                    wrong.push(format!("{}/{}, {}: {error}", policy.key, source.id, case.name));
                    continue;
                }
            };
            let mut left = found.clone();
            let mut missed = false;
            for wanted in &case.incidents {
                match left.iter().position(|told| is(wanted, told)) {
                    Some(at) => drop(left.remove(at)),
                    None => missed = true,
                }
            }
            if missed || !left.is_empty() {
                let found: Vec<String> = found.iter().map(|told| format!("    {told}")).collect();
                wrong.push(format!("{}/{}, {}: found\n{}", policy.key, source.id, case.name, found.join("\n")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged > 250, "{judged} cases");
}

/// A case that does not say when is no proof of window, timer and silence.
#[test]
fn every_incident_of_a_case_says_when() {
    for (policy, condition) in definition().conditions() {
        for case in &condition.cases {
            let says = case.incidents.iter().all(|incident| incident.opens.is_some());
            assert!(says, "{}/{}, {}: say `opens`", policy.key, condition.id, case.name);
        }
    }
}

/// What closes by itself is shown closing in one of its cases.
#[test]
fn every_condition_shows_an_incident_that_closes() {
    let never: Vec<String> = definition()
        .conditions()
        .filter(|(_, condition)| !condition.cases.iter().flat_map(|case| &case.incidents).any(|one| one.closes.is_some()))
        .map(|(policy, condition)| format!("{}/{}", policy.key, condition.id))
        .collect();
    assert!(never.is_empty(), "no case in which an incident closes: {}", never.join(", "));
}
