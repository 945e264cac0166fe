//! Judges conditions, and keeps what it found.
//!
//! In: conditions, rows that may still come. Out: what a condition found on the rows of now. What always holds: nothing is judged
//! twice on the same rows; while rows come, a condition is judged again only when the last time is far enough back that judging
//! takes a small part of the time; what is kept is bounded by the number of conditions, and whole results by [`WHOLE`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::super::Language;
use super::{Alerts, Arrived, Policy, Shown};
use crate::lab::backtest::{arrivals, backtest};
use crate::lab::engine::{self, Stop};
use crate::lab::store::Snapshot;
use crate::lab::streaming::{self, Evaluation, Incident, Range};

/// How long a condition may be judged, as long as a query may run.
const TIME_LIMIT: Duration = Duration::from_mins(1);

/// While rows come: how many times as long as it took nothing is judged again.
const REST: u32 = 20;

/// Results that are kept whole, with every window: those of the conditions that were looked at last.
const WHOLE: usize = 4;

/// Incidents that are kept of a condition, the last ones.
const INCIDENTS: usize = 10_000;

/// What the handlers share.
#[derive(Debug)]
pub(in crate::lab::preview) struct Desk {
    alerts: Alerts,
    past: Mutex<Option<Past>>,
    briefs: Mutex<BTreeMap<String, Arc<Brief>>>,
    whole: Mutex<VecDeque<(String, Whole)>>,
}

/// The rows of one moment.
#[derive(Debug, Clone)]
pub(super) struct Past {
    /// Rows are only ever added: as many are the same.
    rows: usize,
    snapshot: Snapshot,
    /// The first and the last arrival.
    pub(super) arrivals: Option<(i64, i64)>,
}

/// What a condition found, without its windows.
#[derive(Debug)]
pub(super) struct Brief {
    rows: usize,
    made: Instant,
    took: Duration,
    pub(super) found: Found,
}

/// What a condition found.
#[derive(Debug)]
pub(super) enum Found {
    /// There is not one row of these types.
    NoRows(Vec<String>),
    /// Why New Relic would refuse it, or it took too long.
    Refused(String),
    /// What it would have told.
    Judged(Verdict),
}

/// What a condition would have told.
#[derive(Debug)]
pub(super) struct Verdict {
    /// By the time they opened; of too many the last.
    pub(super) incidents: Vec<Incident>,
    /// Those that are not kept.
    pub(super) forgotten: usize,
    pub(super) signals: usize,
    pub(super) late: u64,
    pub(super) unclosed: u64,
    pub(super) approximate: bool,
    pub(super) notes: Vec<String>,
}

/// A result with its windows.
#[derive(Debug, Clone)]
struct Whole {
    brief: Arc<Brief>,
    evaluation: Option<Arc<Evaluation>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic left behind was whole: values are put in as one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    pub(in crate::lab::preview) fn new(alerts: Alerts) -> Self {
        Self { alerts, past: Mutex::default(), briefs: Mutex::default(), whole: Mutex::default() }
    }

    /// The policies of a language, or of the first there is.
    pub(super) fn policies(&self, language: Language) -> &[Policy] {
        let of = |(known, _): &&(Language, Vec<Policy>)| *known == language;
        let found = self.alerts.policies.iter().find(of).or_else(|| self.alerts.policies.first());
        found.map_or(&[], |(_, policies)| policies)
    }

    /// A condition of a language with its policy.
    pub(super) fn condition(&self, language: Language, id: &str) -> Option<(&Policy, &Shown)> {
        let all = self.policies(language).iter().flat_map(|policy| policy.conditions.iter().map(move |shown| (policy, shown)));
        let mut all = all;
        all.find(|(_, shown)| shown.tested.id == id)
    }

    /// The rows of now.
    pub(super) fn past(&self) -> Past {
        let snapshot = self.alerts.rows.snapshot();
        let rows = snapshot.rows();
        let mut past = locked(&self.past);
        if let Some(known) = past.as_ref().filter(|known| known.rows == rows) {
            return known.clone();
        }
        let snapshot = match self.alerts.arrival {
            Arrived::AsStored => snapshot,
            Arrived::AsTold => snapshot.received_as_told(),
        };
        let arrivals = arrivals(std::slice::from_ref(&snapshot));
        past.insert(Past { rows, snapshot, arrivals }).clone()
    }

    /// What a condition found.
    pub(super) fn brief(&self, shown: &Shown, past: &Past) -> Arc<Brief> {
        let known = locked(&self.briefs).get(&shown.tested.id).cloned();
        if let Some(known) = known.filter(|known| known.is_fresh(past)) {
            return known;
        }
        self.judge(shown, past).brief
    }

    /// What a condition found, with its windows when it could be judged.
    pub(super) fn whole(&self, shown: &Shown, past: &Past) -> (Arc<Brief>, Option<Arc<Evaluation>>) {
        let known = locked(&self.whole).iter().find(|(id, _)| *id == shown.tested.id).map(|(_, whole)| whole.clone());
        let found = known.filter(|known| known.brief.is_fresh(past)).unwrap_or_else(|| {
            let made = self.judge(shown, past);
            let mut kept = locked(&self.whole);
            kept.retain(|(id, _)| *id != shown.tested.id);
            kept.push_front((shown.tested.id.clone(), made.clone()));
            kept.truncate(WHOLE);
            made
        });
        (found.brief, found.evaluation)
    }

    fn judge(&self, shown: &Shown, past: &Past) -> Whole {
        let made = Instant::now();
        let (found, evaluation) = match evaluate(&self.alerts.engine, shown, past) {
            Ok(evaluation) => (Found::Judged(Verdict::of(&evaluation)), Some(Arc::new(evaluation))),
            Err(found) => (found, None),
        };
        let brief = Arc::new(Brief::new(past, made, made.elapsed(), found));
        locked(&self.briefs).insert(shown.tested.id.clone(), Arc::clone(&brief));
        Whole { brief, evaluation }
    }
}

impl Brief {
    pub(super) fn new(past: &Past, made: Instant, took: Duration, found: Found) -> Self {
        Self { rows: past.rows, made, took, found }
    }

    pub(super) fn is_fresh(&self, past: &Past) -> bool {
        self.rows == past.rows || self.made.elapsed() < self.took * REST
    }
}

impl Verdict {
    fn of(evaluation: &Evaluation) -> Self {
        let mut incidents: Vec<Incident> = evaluation.incidents().map(|(_, incident)| *incident).collect();
        incidents.sort_by_key(|incident| incident.opened_ms);
        let forgotten = incidents.len().saturating_sub(INCIDENTS);
        incidents.drain(..forgotten);
        Self {
            incidents,
            forgotten,
            signals: evaluation.signals.len(),
            late: evaluation.late,
            unclosed: evaluation.unclosed,
            approximate: evaluation.approximate,
            notes: evaluation.notes.clone(),
        }
    }
}

/// Whether an incident was open at some moment of a time.
pub(super) fn is_in(incident: &Incident, since_ms: i64, until_ms: i64) -> bool {
    incident.opened_ms < until_ms && incident.closed.is_none_or(|closed| closed.at_ms >= since_ms)
}

fn evaluate(engine: &engine::Settings, shown: &Shown, past: &Past) -> Result<Evaluation, Found> {
    // Without an arrival there is no row of any type.
    let (first_ms, last_ms) = past.arrivals.unwrap_or_default();
    let range = Range { begin_ms: first_ms, end_ms: last_ms.saturating_add(1) };
    let until = Instant::now() + TIME_LIMIT;
    let stop = Some(Stop::new(move || Instant::now() > until));
    let settings = streaming::Settings { engine: engine::Settings { stop, ..engine.clone() }, ..streaming::Settings::default() };
    let result = backtest(std::slice::from_ref(&past.snapshot), vec![shown.tested.clone()], range, &settings);
    match result.outcomes.into_iter().next() {
        Some(outcome) if !outcome.has_rows && outcome.result.is_ok() => Err(Found::NoRows(outcome.event_types)),
        Some(outcome) => outcome.result.map_err(|error| Found::Refused(error.message)),
        None => Ok(Evaluation::default()),
    }
}
