//! Sends batches until each has its answer.
//!
//! In: batches of one lane. Out: their pieces, settled. What always holds: a batch is retried as long as the source can wait;
//! a batch that is too large or refused is halved until the one guilty item is alone, and only that one goes to the dead
//! letters (a point of a metric to none: it is told to whoever counted it), and when everything is, that is told; for as long as the server asks to wait, no request of the lane goes out; while New Relic accepts nothing at all
//! (wrong key, wrong host) the [`Gate`] is shut, so that sources stop taking. When the future is dropped, everything it holds
//! is returned.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::answer::{Answer, Block};
use super::http::{Endpoint, Post, Reply};
use super::letter::{Letter, LetterKind};
use super::park::Parking;
use super::retry::{Backoff, Silence};
use crate::ack::{Piece, Settled};
use crate::clock::Clock;
use crate::encode::{Batch, Lane};

/// Time between tries while nothing is accepted at all.
const BLOCKED_WAIT: Duration = Duration::from_secs(30);
/// Time between log lines about the same trouble, milliseconds.
const SAY_EVERY_MS: i64 = 60_000;

/// Items refused alone one after another, with nothing accepted in between, after which it may not be the items: a proxy, a
/// wrong port. They go to the dead letters all the same, or one bad stretch would hold up what is behind it; but readiness is
/// red, and the log says so once a minute in place of a line for each.
const STREAK: u32 = 20;

/// What a sender does when New Relic accepts nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Holds what it has and tries again: the agent.
    Endless,
    /// Returns everything: a person is waiting at the terminal.
    GiveUp,
}

/// Whether New Relic accepts anything. The APIs are told apart: each has hosts of its own, and one that accepts data says nothing
/// about the others.
#[derive(Debug)]
pub struct Gate {
    /// What keeps any API shut.
    block: watch::Sender<Option<Block>>,
    /// What keeps each API shut; changed only while `block` is locked.
    events: watch::Sender<Option<Block>>,
    logs: watch::Sender<Option<Block>>,
    metrics: watch::Sender<Option<Block>>,
    said_ms: AtomicI64,
    /// Since when each API has taken nothing, in the order of [`Lane::ALL`]; `None`: the last answer was a success.
    failing: Mutex<[Option<Instant>; Lane::ALL.len()]>,
    /// Items that each API has refused alone since it last accepted anything.
    streaks: [AtomicU32; Lane::ALL.len()],
}

impl Default for Gate {
    fn default() -> Self {
        let new = || watch::Sender::new(None);
        let (failing, streaks) = (Mutex::default(), std::array::from_fn(|_| AtomicU32::new(0)));
        let said_ms = AtomicI64::new(i64::MIN);
        Self { block: new(), events: new(), logs: new(), metrics: new(), said_ms, failing, streaks }
    }
}

impl Gate {
    /// Hears of changes; shut while any API is.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Option<Block>> {
        self.block.subscribe()
    }

    fn lane(&self, lane: Lane) -> &watch::Sender<Option<Block>> {
        match lane {
            Lane::Events => &self.events,
            Lane::Logs => &self.logs,
            Lane::Metrics => &self.metrics,
        }
    }

    fn set(&self, lane: Lane, block: Option<Block>) {
        self.block.send_if_modified(|either| {
            self.lane(lane).send_if_modified(|old| std::mem::replace(old, block) != block);
            let now = Lane::ALL.iter().find_map(|lane| *self.lane(*lane).borrow());
            std::mem::replace(either, now) != now
        });
    }

    /// How long New Relic has taken nothing on one of the APIs, though asked: the longest.
    #[must_use]
    pub fn failing(&self) -> Option<Duration> {
        let failing = *self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.into_iter().flatten().map(|since| since.elapsed()).max()
    }

    /// A request ended well, or in a way that may pass.
    fn ended(&self, lane: Lane, well: bool) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, since)) = Lane::ALL.iter().zip(failing.iter_mut()).find(|(of, _)| **of == lane) {
            if well {
                *since = None;
            } else {
                since.get_or_insert_with(Instant::now);
            }
        }
    }

    fn streak(&self, lane: Lane) -> &AtomicU32 {
        let [events, logs, metrics] = &self.streaks;
        match lane {
            Lane::Events => events,
            Lane::Logs => logs,
            Lane::Metrics => metrics,
        }
    }

    /// Something was accepted.
    fn accepted(&self, lane: Lane) {
        // Asked after every success: a look is enough while nothing is refused.
        if self.streak(lane).load(Relaxed) > 0 {
            self.streak(lane).store(0, Relaxed);
        }
        self.ended(lane, true);
        self.open(lane);
    }

    /// It reads what is sent, so it accepts what is good. With the gate shut nothing else might come to show it.
    fn read(&self, lane: Lane) {
        self.ended(lane, self.streak(lane).load(Relaxed) < STREAK);
        self.open(lane);
    }

    /// One item was refused alone; the number of those since the last success.
    fn refused(&self, lane: Lane) -> u32 {
        let streak = self.streak(lane).fetch_add(1, Relaxed).saturating_add(1);
        self.read(lane);
        streak
    }

    /// Whether something that goes on may be said again.
    fn may_say(&self, now_ms: i64) -> bool {
        let said = self.said_ms.load(Relaxed);
        now_ms.saturating_sub(said) >= SAY_EVERY_MS && self.said_ms.compare_exchange(said, now_ms, Relaxed, Relaxed).is_ok()
    }

    fn open(&self, lane: Lane) {
        // Asked after every success: a look is enough while nothing is shut.
        if self.lane(lane).borrow().is_some() {
            self.set(lane, None);
            tracing::info!("New Relic accepts {} again", lane.as_str());
        }
    }

    fn shut(&self, lane: Lane, block: Block, reply: &Reply, now_ms: i64) {
        self.set(lane, Some(block));
        if self.may_say(now_ms) {
            let (what, then) = match lane {
                Lane::Events | Lane::Logs => ("nothing", "taking no more, keeping what is held"),
                Lane::Metrics => ("no metrics", "the counts wait, events and logs go on"),
            };
            tracing::error!(
                status = reply.status,
                said = reply.said,
                hint = block.hint(),
                "New Relic accepts {what} (status {}): {then}. {}",
                reply.status.unwrap_or_default(),
                block.hint()
            );
        }
    }
}

/// Counts of requests, shared by all senders.
#[derive(Debug, Default)]
pub struct Traffic {
    requests: AtomicU64,
    retries: AtomicU64,
    bytes: AtomicU64,
    answers: Mutex<BTreeMap<u16, u64>>,
}

impl Traffic {
    /// Requests that had an answer or a fault.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Requests that New Relic did not take for a reason that may pass, and whose items are sent again. What it refuses and is
    /// halved to find the guilty item is not among them.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retries.load(Relaxed)
    }

    /// Packed bytes sent, repeated ones too.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Answers per HTTP status; 0: no answer came.
    #[must_use]
    pub fn answers(&self) -> BTreeMap<u16, u64> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, reply: &Reply, bytes: usize) {
        self.requests.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
        if matches!(reply.answer, Answer::Retry { .. } | Answer::Blocked(_)) {
            self.retries.fetch_add(1, Relaxed);
        }
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry(reply.status.unwrap_or(0)).or_default() += 1;
    }
}

/// Sends the batches of one lane.
#[derive(Debug)]
pub struct Sender<P = Endpoint> {
    /// Where to.
    pub endpoint: P,
    /// How long between tries.
    pub backoff: Backoff,
    /// The present.
    pub clock: Clock,
    /// Where refused items go.
    pub letters: mpsc::Sender<Parking>,
    /// Told when nothing is accepted.
    pub gate: Arc<Gate>,
    /// Told of every request.
    pub traffic: Arc<Traffic>,
    /// What to do when nothing is accepted.
    pub patience: Patience,
}

impl<P: Post> Sender<P> {
    /// Delivers batches, `in_flight` at once, until the channel closes.
    pub async fn run(self, mut batches: mpsc::Receiver<Batch>, in_flight: usize) {
        let silence = Silence::default();
        let mut under_way = FuturesUnordered::new();
        let mut open = true;
        while open || !under_way.is_empty() {
            tokio::select! {
                batch = batches.recv(), if open && under_way.len() < in_flight.max(1) => match batch {
                    Some(batch) => under_way.push(self.deliver(batch, &silence)),
                    None => open = false,
                },
                Some(()) = under_way.next() => {}
            }
        }
    }

    async fn deliver(&self, batch: Batch, silence: &Silence) {
        let mut work = vec![batch];
        while let Some(batch) = work.pop() {
            match self.send(batch, silence).await {
                Ok(parts) => work.extend(parts),
                Err(error) => tracing::error!(%error, "A batch could not be unpacked; its objects go back"),
            }
        }
    }

    /// Sends one batch until it is settled or has to be taken apart; the parts come back, last one first.
    async fn send(&self, batch: Batch, silence: &Silence) -> std::io::Result<Vec<Batch>> {
        let mut rng = fastrand::Rng::new();
        let mut tries = 0;
        let mut refusals = 0;
        let mut batch = batch;
        loop {
            silence.over().await;
            let now_ms = self.clock.now_ms();
            if batch.is_stale(now_ms) {
                let mut parts = batch.restamped(now_ms)?;
                let Some(first) = parts.pop() else { return Ok(parts) };
                if !parts.is_empty() {
                    parts.push(first);
                    return Ok(parts);
                }
                batch = first;
            }
            let body = batch.body();
            let bytes = body.len();
            let reply = self.endpoint.post(batch.lane(), body).await;
            self.traffic.count(&reply, bytes);
            if reply.is_in_doubt {
                batch.doubt();
            }
            match reply.answer {
                Answer::Accepted => {
                    self.gate.accepted(batch.lane());
                    if batch.lane() == Lane::Metrics && !reply.said.is_empty() {
                        tracing::warn!(said = reply.said, "What took the metrics may not have taken all of them");
                    }
                    batch.settle(Settled::Delivered);
                    return Ok(Vec::new());
                }
                Answer::Retry { after } => {
                    tries += 1;
                    self.gate.ended(batch.lane(), false);
                    if tries % 8 == 1 {
                        tracing::warn!(
                            status = reply.status,
                            tries,
                            said = reply.said,
                            "New Relic did not take a batch; sending it again"
                        );
                    }
                    // Too many requests, and no word on how long: the count begins again with the next minute of the clock.
                    let after = after.or_else(|| (reply.status == Some(429)).then(|| to_next_minute(self.clock.now_ms())));
                    let delay = self.backoff.delay(tries, after, &mut rng);
                    if after.is_some() {
                        silence.keep(delay);
                    }
                    tokio::time::sleep(delay).await;
                    // Time ran out: half the batch may do.
                    if reply.is_too_slow && batch.len() > 1 {
                        return halves(batch);
                    }
                }
                Answer::Split | Answer::Refused if batch.len() > 1 => {
                    self.gate.read(batch.lane());
                    return halves(batch);
                }
                Answer::Split | Answer::Refused => {
                    let lane = batch.lane();
                    for (item, piece) in batch.into_items()? {
                        self.reject(lane, &reply, &item, piece).await;
                    }
                    return Ok(Vec::new());
                }
                Answer::Blocked(block) => {
                    self.gate.shut(batch.lane(), block, &reply, self.clock.now_ms());
                    if self.patience == Patience::GiveUp {
                        batch.settle(Settled::Returned);
                        return Ok(Vec::new());
                    }
                    let mut gate = self.gate.lane(batch.lane()).subscribe();
                    let wait = BLOCKED_WAIT.mul_f64(0.75 + rng.f64() / 2.0);
                    // Whoever of this lane gets through first wakes the others; a closed watch cannot be, the gate is ours.
                    let opened = tokio::time::timeout(wait, gate.wait_for(Option::is_none)).await.is_ok();
                    // Refused again while others get through: not at the speed of the answers.
                    if opened && refusals > 0 {
                        tokio::time::sleep(self.backoff.delay(refusals, None, &mut rng)).await;
                    }
                    refusals += 1;
                }
            }
        }
    }

    async fn reject(&self, lane: Lane, reply: &Reply, item: &[u8], piece: Piece) {
        let kind = match lane {
            Lane::Events => Some(LetterKind::Event),
            Lane::Logs => Some(LetterKind::Log),
            // A point is no record: it counts what New Relic has. Whoever counted it keeps account of what was refused.
            Lane::Metrics => None,
        };
        let status = reply.status.unwrap_or_default();
        let reason = format!("New Relic refused this {} alone: status {status}, \"{}\"", lane.as_str(), reply.said);
        let now_ms = self.clock.now_ms();
        let streak = self.gate.refused(lane);
        if streak <= STREAK {
            let kept = if kind.is_some() { "it goes to the dead letters" } else { "it is counted" };
            tracing::error!(status, "New Relic refused one {}; {kept}", lane.as_str());
        } else if self.gate.may_say(now_ms) {
            tracing::error!(
                status,
                said = reply.said,
                hint = Block::Address.hint(),
                "New Relic refuses every {}, {streak} since it accepted one: all go {}. {}",
                lane.as_str(),
                if kind.is_some() { "to the dead letters" } else { "lost" },
                Block::Address.hint()
            );
        }
        let Some(kind) = kind else { return piece.settle(Settled::Rejected) };
        let letter = Letter::new(kind, now_ms, "", "", None, &reason, item).counting(piece.tallies());
        if self.letters.send(Parking { letter, piece, settled: Settled::Rejected }).await.is_err() {
            tracing::debug!("The dead letters have closed; the record goes back");
        }
    }
}

/// The halves of a batch in the order in which a stack gives the first one first.
fn halves(batch: Batch) -> std::io::Result<Vec<Batch>> {
    let (first, second) = batch.halves()?;
    Ok(second.into_iter().chain([first]).collect())
}

fn to_next_minute(now_ms: i64) -> Duration {
    Duration::from_millis(60_000_u64.saturating_sub(now_ms.rem_euclid(60_000).unsigned_abs()))
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
