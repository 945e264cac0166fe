//! The roll-up metrics: counts of what was accepted, every minute, and the gauges of the last summary.
//!
//! In: the counting ledger, and the gauges of whoever leads. Out: batches of points to a sender of their own. What always holds: a
//! count is in the ledger, or in a batch under way that puts it back when it is dropped; while New Relic takes no metrics a few
//! batches wait and everything else adds up in the ledger, so memory does not grow; the last ones are sent when the last record has
//! ended. That metrics are not taken stops no event.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::outlet::batcher;
use super::worker::Stages;
use crate::ack::rollup::SERIES_MAX;
use crate::ack::{Counts, ObjectEntry, Released, Settled, Taken};
use crate::clock::Clock;
use crate::config::Limits;
use crate::deliver::retry::Backoff;
use crate::deliver::{Endpoint, Patience, Sender};
use crate::encode::otlp::{Point, Value, push_point};
use crate::encode::{Batch, Batcher, Lane, limits, metric};
use crate::source::Phase;

/// Time between two sendings of what was counted: the metrics are by the minute.
pub const EVERY: Duration = Duration::from_mins(1);

/// Time between two looks at the clock: the demo's leaps.
const LOOK: Duration = Duration::from_millis(250);

/// Who takes what is too much.
const OVERFLOW: &str = crate::ack::rollup::OVERFLOW;

/// Where a gauge stands: account, severity, pillar, state.
pub(super) type GaugeKey = [Box<str>; 4];

/// How many resources stand so, of the last summary that was not sent yet. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Gauges(Arc<Mutex<(i64, BTreeMap<GaugeKey, u64>)>>);

impl Gauges {
    /// Takes the gauges of a summary in place of those that still wait: they are newer.
    pub(super) fn set(&self, now_ms: i64, counted: impl IntoIterator<Item = (GaugeKey, u64)>) {
        let mut gauges: BTreeMap<GaugeKey, u64> = BTreeMap::new();
        for (key, count) in counted {
            let known = gauges.len() < SERIES_MAX || gauges.contains_key(&key);
            *gauges.entry(if known { key } else { [OVERFLOW; 4].map(Box::from) }).or_default() += count;
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (now_ms, gauges);
    }

    fn take(&self) -> (i64, BTreeMap<GaugeKey, u64>) {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sends what was counted.
pub(super) struct Sending {
    pub(super) every: Duration,
    pub(super) stages: Arc<Stages>,
    pub(super) gauges: Gauges,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) batches: mpsc::Sender<Batch>,
    pub(super) phase: watch::Receiver<Phase>,
    /// Set when every record has ended: send what is left.
    pub(super) settled: watch::Receiver<bool>,
}

/// Sends what was counted outside of a running relay, and ends when all answers have come or the endpoint is shut. What nobody took
/// waits in the ledger.
pub async fn send_rest(stages: &Arc<Stages>, endpoint: Endpoint, limits: &Limits, clock: &Clock) {
    let (batches_in, batches) = mpsc::channel(1);
    let (letters, _none) = mpsc::channel(1);
    let sender = Sender {
        endpoint,
        backoff: Backoff::default(),
        clock: clock.clone(),
        letters,
        gate: Arc::default(),
        traffic: Arc::default(),
        patience: Patience::GiveUp,
    };
    let (_running, phase) = watch::channel(Phase::Running);
    let (_ended, settled) = watch::channel(true);
    let sending = Sending {
        every: EVERY,
        stages: Arc::clone(stages),
        gauges: Gauges::default(),
        clock: clock.clone(),
        limits: limits.clone(),
        batches: batches_in,
        phase,
        settled,
    };
    tokio::join!(sender.run(batches, 1), sending.run());
}

impl Sending {
    pub(super) async fn run(mut self) {
        let mut from_ms = self.clock.now_ms();
        let mut sent = Instant::now();
        let mut stopping = Phase::Paused;
        // The answers to the newest counts: one request follows the other, so that with them all have come.
        let mut newest = None;
        loop {
            let ended = tokio::select! {
                () = tokio::time::sleep(LOOK.min(self.every)) => {
                    if sent.elapsed() < self.every && self.clock.now_ms().saturating_sub(from_ms) < whole_ms(self.every) {
                        continue;
                    }
                    false
                }
                // A stop may leave no time at its end.
                heard = self.phase.wait_for(|phase| *phase > stopping), if stopping < Phase::Returning => {
                    // Nobody who could say so is left: there is nothing more to hear.
                    stopping = heard.map_or(Phase::Returning, |phase| *phase);
                    false
                }
                heard = self.settled.wait_for(|settled| *settled) => { let _gone = heard.is_err(); true }
            };
            sent = Instant::now();
            newest = self.send(&mut from_ms).await.or(newest);
            if ended {
                // An answer of these that is lost is a doubt, which the next ones tell; without any it is over.
                while let Some(mut answers) = newest {
                    let _all_have_come = answers.recv().await.is_some();
                    if self.stages.rollups.waiting() > 0 {
                        // Nobody takes them: the caller tells what is missing.
                        return;
                    }
                    newest = self.send(&mut from_ms).await;
                }
                return;
            }
        }
    }

    /// Sends everything that was counted. Whoever waits at what comes back waits for all answers; `None`: there was nothing.
    async fn send(&self, from_ms: &mut i64) -> Option<mpsc::Receiver<Released>> {
        let (to, told) = mpsc::channel(1);
        // The channel is new: it has room.
        let batches = self.points(from_ms, to.try_reserve_owned().ok());
        if batches.is_empty() {
            return None;
        }
        for batch in batches {
            if self.batches.send(batch).await.is_err() {
                tracing::debug!("Counts were not sent: the sender has gone");
            }
        }
        Some(told)
    }

    /// Everything that was counted, as batches.
    fn points(&self, from_ms: &mut i64, told: Option<mpsc::OwnedPermit<Released>>) -> Vec<Batch> {
        let now_ms = self.clock.now_ms();
        // A clock that was set back does not turn the time round, and one that leapt does not begin it outside the window.
        let (from, to) = ((*from_ms).clamp(now_ms - limits::LATE_MS, now_ms), now_ms);
        *from_ms = now_ms;
        let entry = ObjectEntry::enter(Arc::new(Counts::new("relay")), 0, told);
        let mut points = Points {
            stages: &self.stages,
            entry,
            item: Vec::new(),
            batcher: batcher(Lane::Metrics, &self.limits),
            closed: Vec::new(),
        };
        for taken in self.stages.rollups.take(now_ms) {
            points.count(taken, from, to);
        }
        let (at_ms, gauges) = self.gauges.take();
        for (key, count) in gauges {
            points.gauge(&key, count, at_ms);
        }
        points.entry.decoded();
        points.closed.extend(points.batcher.close());
        points.closed
    }
}

/// Points while they become batches.
struct Points<'s> {
    stages: &'s Stages,
    entry: Arc<ObjectEntry>,
    item: Vec<u8>,
    batcher: Batcher,
    closed: Vec<Batch>,
}

impl Points<'_> {
    fn count(&mut self, taken: Taken, from_ms: i64, to_ms: i64) {
        let series = taken.series();
        let point = Point { metric: series.counter().name(), from_ms, to_ms, value: Value::Count(taken.amount()) };
        let own: Vec<(&str, &str)> = series.attributes().collect();
        self.write(&point, &own, series.is_overflow());
        let (rollups, stake) = (Arc::clone(&self.stages.rollups), taken.stake());
        let step = self.entry.errand().step(move |settled| match settled {
            Settled::Delivered => rollups.was_sent(&taken),
            Settled::Rejected => rollups.was_refused(&taken),
            Settled::Returned => rollups.put_back(&taken),
        });
        self.closed.extend(self.batcher.push(&self.item, to_ms, step.piece().counting([Some(stake), None])));
    }

    /// Nothing is owed for a gauge: the next one says more.
    fn gauge(&mut self, key: &GaugeKey, count: u64, at_ms: i64) {
        let point = Point { metric: metric::COMPLIANCE, from_ms: at_ms, to_ms: at_ms, value: Value::Gauge(count) };
        let names =
            metric::METRICS.iter().find(|known| known.name == metric::COMPLIANCE).map_or(&[][..], |known| known.attributes);
        let own: Vec<(&str, &str)> = names.iter().copied().zip(key.iter().map(|value| &**value)).collect();
        let is_overflow = key.iter().all(|value| **value == *OVERFLOW);
        self.write(&point, &own, is_overflow);
        self.closed.extend(self.batcher.push(&self.item, at_ms, self.entry.errand().piece()));
    }

    /// Writes a point into `item`, with the names its account has now.
    fn write(&mut self, point: &Point<'_>, own: &[(&str, &str)], is_overflow: bool) {
        let enricher = self.stages.enricher.now();
        let account = own.iter().find(|(name, _)| *name == "aws.accountId").map(|(_, id)| enricher.account(id));
        let of_account = account.map(|account| {
            let names = [account.name, account.organizational_unit, account.environment_or_unknown()];
            metric::OF_ACCOUNT.into_iter().zip(names)
        });
        let flag = is_overflow.then_some((metric::OVERFLOW, "true"));
        push_point(&mut self.item, point, own.iter().copied().chain(of_account.into_iter().flatten()).chain(flag));
    }
}

/// A time in whole milliseconds.
fn whole_ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "rollups_tests.rs"]
mod tests;
