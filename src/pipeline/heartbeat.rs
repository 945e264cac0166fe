//! A heartbeat per source and minute.
//!
//! In: counters. Out: `CspmRelayHeartbeat` events through the same senders as everything else: delivered, retried and counted
//! like data. Each carries what was counted since the one before, so their sums are exact; the last one is sent at the end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::outlet::batcher;
use super::worker::Stages;
use crate::ack::counts::Snapshot;
use crate::ack::{Counts, ObjectEntry, Outcome, RollupTallies};
use crate::classify::Thrown;
use crate::clock::Clock;
use crate::config::Limits;
use crate::deliver::Traffic;
use crate::encode::event::{Heartbeat, push_heartbeat};
use crate::encode::{Batch, Lane};
use crate::posture::{FindingTallies, NoveltyMemory, NoveltyTallies};

/// The heartbeats of a run that has ended and was printed, one for each source that had records, of all that was counted. Nothing
/// was requested of anybody.
pub fn of_run(sources: &[(String, Snapshot)], stages: &Stages, now_ms: i64) -> Vec<Vec<u8>> {
    let day = stages.enricher.now().day(now_ms);
    let tallies = stages.findings.tallies();
    let mut findings = (tallies != FindingTallies::default()).then_some(tallies);
    let mut novelty = stages.novelty.as_deref().map(NoveltyMemory::tallies);
    let heard = sources.iter().filter(|(_, counts)| counts.records_received > 0);
    heard
        .map(|(source, counts)| {
            let (agent, findings, novelty) = (stages.agent.as_str(), findings.take(), novelty.take());
            let mut out = Vec::new();
            let day = day.clone();
            let (requests, retries, rollups) = (0, 0, None);
            let beat = Heartbeat { now_ms, source, agent, day, counts, waited: 0, requests, retries, findings, rollups, novelty };
            let _cut = push_heartbeat(&mut out, &beat);
            out
        })
        .collect()
}

/// Sends heartbeats until the sources have ended.
pub(super) struct Heartbeats {
    pub(super) every: Duration,
    pub(super) counts: Vec<Arc<Counts>>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) stages: Arc<Stages>,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) batches: mpsc::Sender<Batch>,
    /// Set when everything else has ended: send the last one.
    pub(super) finished: watch::Receiver<bool>,
}

/// Says, once a heartbeat, that what principals did is not remembered as long as the configuration says.
fn say_forgotten(NoveltyTallies { pairs, pushed }: NoveltyTallies) {
    if pushed > 0 {
        tracing::warn!(
            pairs,
            pushed,
            "novelty.memory is full: {pushed} times a pair was forgotten sooner than novelty.learning says, or had no room, so what is not remembered is \
             'unknown' and not new; give it more"
        );
    }
}

impl Heartbeats {
    pub(super) async fn run(mut self) {
        let mut before = vec![Snapshot::default(); self.counts.len()];
        let mut requests = (0, 0);
        let mut findings = FindingTallies::default();
        let mut rollups = RollupTallies::default();
        let mut thrown = Thrown::default();
        let mut novelty = NoveltyTallies::default();
        loop {
            let ended = tokio::select! {
                () = tokio::time::sleep(self.every) => false,
                heard = self.finished.wait_for(|finished| *finished) => { let _gone = heard.is_err(); true }
            };
            self.say_thrown(&mut thrown);
            for batch in self.beat(&mut before, &mut requests, &mut findings, &mut rollups, &mut novelty) {
                if self.batches.send(batch).await.is_err() {
                    tracing::debug!("A heartbeat was not sent: the sender has gone");
                }
            }
            if ended {
                return;
            }
        }
    }

    /// Says, once a heartbeat, what correlations did not look at.
    fn say_thrown(&self, before: &mut Thrown) {
        let now = self.stages.rules.thrown();
        let Thrown { records, out_of_time } = now.since(*before);
        *before = now;
        if records > 0 {
            tracing::warn!(
                records,
                "Correlations: {records} records no longer count, the oldest of too many groups or of too large ones; narrow the \
                 rules that the correlations name, or their group-by"
            );
        }
        if out_of_time > 0 {
            tracing::warn!(
                out_of_time,
                "Correlations: {out_of_time} records do not count: an hour behind those of their group, a day behind all, or ahead of the clock"
            );
        }
    }

    fn beat(
        &self,
        before: &mut [Snapshot],
        requests: &mut (u64, u64),
        findings: &mut FindingTallies,
        rollups: &mut RollupTallies,
        novelty: &mut NoveltyTallies,
    ) -> Vec<Batch> {
        let own = Arc::new(Counts::new("relay"));
        let entry = ObjectEntry::enter(own, 0, None);
        let mut out = Vec::new();
        let mut batcher = batcher(Lane::Events, &self.limits);
        let now_ms = self.clock.now_ms();
        let now = (self.traffic.requests(), self.traffic.retries());
        let mut closed = Vec::new();
        // Findings end by silence, too.
        self.stages.findings.forget_old(now_ms);
        let tallies = self.stages.findings.tallies();
        // With one source, so that sums over all of them are right; an agent without findings has nothing to say of them.
        let mut of_findings = (tallies != FindingTallies::default()).then(|| tallies.since(findings));
        *findings = tallies;
        let enricher = self.stages.enricher.now();
        let counted = self.stages.rollups.tallies();
        let mut of_rollups = self.stages.rollups.counts().then(|| (counted.since(*rollups), self.stages.rollups.waiting()));
        *rollups = counted;
        let mut of_novelty = self.stages.novelty.as_deref().map(|memory| {
            let now = memory.tallies();
            now.since(std::mem::replace(novelty, now))
        });
        say_forgotten(of_novelty.unwrap_or_default());
        for (counts, before) in self.counts.iter().zip(before) {
            let snapshot = Snapshot { lag_ms_max: counts.take_lag(), ..counts.snapshot() };
            let beat = Heartbeat {
                now_ms,
                source: counts.name(),
                agent: &self.stages.agent,
                day: enricher.day(now_ms),
                counts: &snapshot.since(before),
                waited: before.waiting(),
                requests: now.0 - requests.0,
                retries: now.1 - requests.1,
                findings: of_findings.take(),
                rollups: of_rollups.take(),
                novelty: of_novelty.take(),
            };
            let _cut = push_heartbeat(&mut out, &beat);
            let record = entry.record();
            record.ends_as(Outcome::Delivered);
            closed.extend(batcher.push(&out, now_ms, record.piece()));
            *before = snapshot;
        }
        entry.decoded();
        *requests = now;
        closed.extend(batcher.close());
        closed
    }
}
