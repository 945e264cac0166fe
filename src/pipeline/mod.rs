//! The only place that spawns tasks and connects stages.
//!
//! In: sources, settings and a way out. Out: a [`Summary`] when everything that was taken has settled, or was handed back.
//!
//! ```text
//! source task ─Object→ admit task ─Object+entry→ worker threads ─Batch→ sender tasks ─→ New Relic
//!      ↑                (one per source)            │ decode, classify, enrich, encode      │ 400, unreadable
//!      └──────────── Released ◄── ledger ◄──────────┴──────── pieces settle ◄───────────────┴→ dead letters
//! ```
//!
//! What always holds: every channel is bounded, so a slow New Relic stops the polling and nothing grows; the end of the
//! sources closes the channels one after the other, so whoever is last has settled everything.

pub mod changes;
pub mod drain;
mod expiry;
pub mod heartbeat;
mod named;
pub mod outlet;
mod pipe;
pub mod posture;
pub mod rollups;
mod running;
pub mod worker;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{Mutex, Semaphore, mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::ack::counts::Snapshot;
use crate::ack::{Counts, ObjectEntry, Released, RollupTallies, Rollups};
use crate::clock::Clock;
use crate::config::Limits;
use crate::deliver::answer::Block;
use crate::deliver::park::{Fate, Parking, Target};
use crate::deliver::sender::Gate;
use crate::deliver::{Endpoint, Patience, Sender, Traffic, retry::Backoff};
use crate::encode::{Batch, Lane, Outlet};
use crate::source::skipped::{Few, Skipped};
use crate::source::{self, Intake, Object, Phase, SourceError};
pub use expiry::LOOK as EXPIRY_LOOK;
pub use posture::Standing;
use posture::{Lead, Posture};
pub use running::Running;
use worker::{Stages, Work, Worker};

/// Objects waiting for a worker, per agent.
const WAITING: usize = 16;
/// Objects open at once, per source: the news of every one has a place in the source's channel.
const OPEN: usize = 4_096;
/// Batches waiting for a request, per lane.
const BATCHES: usize = 2;
/// Letters waiting to be written, each as long as `limits.recordBytes` at most: with its default of 1 MiB, 32 MiB here and
/// 9 MiB being written.
const LETTERS: usize = 32;
/// Time the sources get to hand back what they hold, after the deadline: a few calls to SQS on a busy machine. With
/// `limits.drain`'s default of 15 s a stop takes less than 20 s.
const HAND_BACK: Duration = Duration::from_secs(4);

/// Time the last heartbeats get when everything else has settled.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Time the threads get to notice that they are to stop; one that is stuck in a read is left behind.
const LET_GO: Duration = Duration::from_millis(500);

/// Where items go.
pub enum To {
    /// New Relic, or whatever stands under its addresses.
    NewRelic {
        /// Addresses and key.
        endpoint: Box<Endpoint>,
        /// What to do when nothing is accepted.
        patience: Patience,
    },
    /// An outlet of the caller's: lines on standard output, or a counter.
    Outlet(Box<dyn Outlet>),
}

/// What the caller may watch while the relay runs.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Counters per source.
    pub counts: Vec<Arc<Counts>>,
    /// Counters of requests.
    pub traffic: Arc<Traffic>,
    /// Whether New Relic accepts anything.
    pub gate: Arc<Gate>,
    /// What the sources are doing.
    pub phase: watch::Receiver<Phase>,
    /// How the work of the agent that leads stands; `None`: there is none.
    pub standing: Option<Arc<Standing>>,
}

impl Watch {
    /// While New Relic accepts nothing at all: what a person can do.
    #[must_use]
    pub fn blocked(&self) -> Option<&'static str> {
        self.gate.watch().borrow().map(Block::hint)
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Summary {
    /// Name and counters of each source.
    pub sources: Vec<(String, Snapshot)>,
    /// Sources that could not go on.
    pub faults: Vec<(String, SourceError)>,
    /// Requests and answers.
    pub traffic: Arc<Traffic>,
    /// Whether New Relic accepted nothing at the end, and what a person can do.
    pub blocked: Option<&'static str>,
    /// What the workers passed over, by reason. What a source passed over is the source's to tell.
    pub skipped: BTreeMap<&'static str, Few>,
    /// Where dead letters were written, if a place was configured.
    pub dead_letters: Option<String>,
    /// What became of the roll-up counts.
    pub rollups: RollupTallies,
    /// Counts that no metric has: the roll-ups are too low by that.
    pub uncounted: u64,
}

/// A relay ready to run.
pub struct Relay {
    /// The stages between source and batch.
    pub stages: Arc<Stages>,
    /// Bounds.
    pub limits: Limits,
    /// Where items go.
    pub to: To,
    /// Where dead letters go.
    pub dead_letters: Target,
    /// Time between heartbeats; `None`: none.
    pub heartbeat: Option<Duration>,
    /// Time between two sendings of what was counted; nothing is, unless the stages count.
    pub rollups: Duration,
    /// Time between two looks for exceptions that have ended; `None`: nobody is told.
    pub expiry: Option<Duration>,
    /// What the agent that leads has to do; `None`: nothing is read of AWS, and the state is in memory only.
    pub posture: Option<Posture>,
    /// The present.
    pub clock: Clock,
}

impl Relay {
    /// Runs until every source has ended or `stop` says so. `started` is told what may be watched.
    ///
    /// On `stop`: sources take nothing new; what is held has `limits.drain` to settle; the rest is handed back.
    pub async fn run(self, sources: Vec<Running>, stop: impl Future<Output = ()>, started: impl FnOnce(Watch)) -> Summary {
        self.run_until(sources, stop, std::future::pending(), started).await
    }

    /// The same; on `hurry`, before a `stop` or after it, what has not settled goes back at once.
    pub async fn run_until(
        self,
        sources: Vec<Running>,
        stop: impl Future<Output = ()>,
        hurry: impl Future<Output = ()>,
        started: impl FnOnce(Watch),
    ) -> Summary {
        let (phase, heard) = watch::channel(Phase::Running);
        let standing = self.posture.as_ref().map(|posture| Arc::clone(&posture.standing));
        let posture = self.posture.as_ref().map(|posture| Arc::clone(&posture.counts));
        let counts: Vec<Arc<Counts>> = sources.iter().map(|source| Arc::clone(&source.counts)).chain(posture).collect();
        let (traffic, gate) = (Arc::default(), Arc::default());
        let watch = Watch { counts: counts.clone(), traffic, gate, phase: heard.clone(), standing };
        started(watch.clone());
        let (patience, is_sent) = match &self.to {
            To::NewRelic { patience, .. } => (*patience, true),
            To::Outlet(_) => (Patience::Endless, false),
        };
        // Heard from before anything is sent: a block that nobody heard of would not pause the sources.
        let gate = (watch.gate.watch(), patience);
        let alone = sources.is_empty()
            && self.posture.as_ref().is_some_and(|posture| posture.reader.is_some() || posture.identities.is_some());
        // A queue gets it back, and what is read of AWS Config is read again; a file or a pipe never gave anything away.
        let gives_back = alone || !sources.iter().all(|source| source.told_by_caller);
        let fate = self.dead_letters.fate(gives_back);
        let dead_letters = (fate == Fate::Kept).then(|| self.dead_letters.name());
        let skipped = Arc::<Skipped>::default();
        let rest = if gives_back { "handing the rest back" } else { "what is left stays unsent" };
        let (drain, budget) = (self.limits.drain, Arc::new(Semaphore::new(source::budget_kib(&self.limits) as usize)));
        let (mut tasks, work) = Tasks::start(self, &watch, &skipped, fate);
        let mut running = JoinSet::new();
        for source in sources {
            let (told, released) = mpsc::channel(OPEN);
            let (objects_in, objects) = mpsc::channel(1);
            tasks.admitting.spawn(admit(objects, Arc::clone(&source.counts), told, work.clone()));
            let counts = Arc::clone(&source.counts);
            let name = counts.name().to_owned();
            let (budget, phase) = (Arc::clone(&budget), if source.led { tasks.led(&heard) } else { heard.clone() });
            let at_work = (source.run)(Intake { counts, objects: objects_in, released, budget, phase });
            let told_by_caller = source.told_by_caller;
            running.spawn(async move {
                let ended = at_work.await;
                if let Err(fault) = &ended
                    && !told_by_caller
                {
                    tracing::error!(source = name, error = %fault, hint = fault.hint, "Source {name} cannot go on: {fault}");
                }
                (name, ended)
            });
        }
        drop(work);
        let counted = Arc::clone(&tasks.counted);
        if alone {
            running.spawn(until_stopped(heard.clone()));
        }
        let ended = {
            let time = drain::Time { drain, hand_back: HAND_BACK, rest };
            drain::until_ended(&mut running, &phase, gate, (stop, hurry), tasks.died(), time).await
        };
        let drain::Ended { mut faults, end } = ended;
        let in_time = *phase.borrow() != Phase::Returning;
        if in_time {
            phase.send_replace(Phase::Draining);
        }
        // Mostly all has settled when the sources have ended. After the fault of one, something of it may be on its way.
        let settled = counts.iter().all(|counts| counts.snapshot().adds_up()) && counted.waiting() == 0;
        let patience = if settled { LAST_WORDS } else { drain };
        // A stop has one deadline, however far it has come: nothing gets a second drain.
        let left = end.map_or(patience, |end| patience.min(end.saturating_duration_since(Instant::now())));
        faults.extend(tasks.end(in_time.then_some(left)).await);
        Summary {
            sources: counts.iter().map(|counts| (counts.name().to_owned(), counts.snapshot())).collect(),
            faults,
            blocked: watch.blocked(),
            traffic: watch.traffic,
            skipped: skipped.read(),
            dead_letters,
            rollups: counted.tallies(),
            uncounted: if is_sent { counted.waiting() } else { 0 },
        }
    }
}

/// Stands for a source where only AWS Config is read: the agent runs until it is stopped.
async fn until_stopped(mut phase: watch::Receiver<Phase>) -> (String, Result<(), SourceError>) {
    // Without anybody who could stop it, it has stopped.
    let _stopped = phase.wait_for(|phase| *phase >= Phase::Draining).await.is_ok();
    (drain::PIPELINE.to_owned(), Ok(()))
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nobody could give it anything any more.
    InOrder,
    /// Others still wanted something of it.
    Early,
}

impl End {
    /// Asked at the end of the task that reads what `to` sends.
    fn of<T>(to: &mpsc::WeakSender<T>) -> Self {
        if to.upgrade().is_none() { Self::InOrder } else { Self::Early }
    }
}

/// A task that reads what `to` sends, and how it ended.
fn reads<T, F: Future<Output = ()>>(to: &mpsc::Sender<T>, task: F) -> impl Future<Output = End> + use<T, F> {
    let to = to.downgrade();
    async move {
        task.await;
        End::of(&to)
    }
}

/// Everything behind the sources.
struct Tasks {
    admitting: JoinSet<End>,
    workers: JoinSet<End>,
    senders: JoinSet<End>,
    beats: JoinSet<End>,
    parker: JoinSet<End>,
    /// The work of the agent that leads, and what tells the sources whether it does.
    lead: JoinSet<End>,
    /// The roll-up metrics and their sender.
    metrics: JoinSet<End>,
    counted: Arc<Rollups>,
    leading: watch::Sender<bool>,
    finished: watch::Sender<bool>,
    settled: watch::Sender<bool>,
    abort: Arc<AtomicBool>,
    faults: Vec<(String, SourceError)>,
}

impl Tasks {
    /// Before any was started. `leads`: the sources that need the state may be polled.
    fn none(stages: &Stages, leads: bool) -> Self {
        Self {
            admitting: JoinSet::new(),
            workers: JoinSet::new(),
            senders: JoinSet::new(),
            beats: JoinSet::new(),
            parker: JoinSet::new(),
            lead: JoinSet::new(),
            metrics: JoinSet::new(),
            counted: Arc::clone(&stages.rollups),
            leading: watch::Sender::new(leads),
            finished: watch::Sender::new(false),
            settled: watch::Sender::new(false),
            abort: Arc::default(),
            faults: Vec::new(),
        }
    }

    /// Starts them; objects go into the channel that comes back with them.
    fn start(relay: Relay, watch: &Watch, skipped: &Arc<Skipped>, fate: Fate) -> (Self, mpsc::Sender<Work>) {
        let Relay { stages, limits, to, dead_letters, heartbeat, rollups, expiry, posture, clock } = relay;
        let mut tasks = Self::none(&stages, posture.is_none());
        let (letters_in, letters) = mpsc::channel::<Parking>(LETTERS);
        tasks.parker.spawn(reads(&letters_in, dead_letters.run(letters, fate)));
        let (work_in, work) = mpsc::channel::<Work>(WAITING);
        let work = Arc::new(Mutex::new(work));
        let worker = || Worker {
            stages: Arc::clone(&stages),
            work: Arc::clone(&work),
            letters: letters_in.clone(),
            abort: Arc::clone(&tasks.abort),
            phase: watch.phase.clone(),
            flush_after: limits.flush_after,
            skipped: Arc::clone(skipped),
            fate,
        };
        match to {
            // One worker: the order of the output is the order of the input.
            To::Outlet(outlet) => {
                spawn_worker(&mut tasks.workers, &work_in, worker(), outlet);
            }
            To::NewRelic { endpoint, patience } => {
                let mut lanes = Vec::new();
                let sender = |letters| Sender {
                    endpoint: (*endpoint).clone(),
                    backoff: Backoff::default(),
                    clock: clock.clone(),
                    letters,
                    gate: Arc::clone(&watch.gate),
                    traffic: Arc::clone(&watch.traffic),
                    patience,
                };
                for lane in Lane::OF_RECORDS {
                    let (batches_in, batches) = mpsc::channel(BATCHES);
                    let run = sender(letters_in.clone()).run(batches, limits.requests_in_flight);
                    tasks.senders.spawn(reads(&batches_in, run));
                    lanes.push((lane, batches_in));
                }
                let gauges = stages.rollups.counts().then(rollups::Gauges::default);
                if let Some(gauges) = gauges.clone() {
                    spawn_metrics(&mut tasks.metrics, &sender, |batches| rollups::Sending {
                        every: rollups,
                        stages: Arc::clone(&stages),
                        gauges,
                        clock: clock.clone(),
                        limits: limits.clone(),
                        batches,
                        phase: watch.phase.clone(),
                        settled: tasks.settled.subscribe(),
                    });
                }
                if let (Some(posture), Some((_, events))) = (posture, lanes.iter().find(|(lane, _)| *lane == Lane::Events)) {
                    let lead = Lead {
                        counts: Arc::clone(&posture.counts),
                        trouble: Arc::clone(&posture.trouble),
                        posture,
                        stages: Arc::clone(&stages),
                        limits: limits.clone(),
                        clock: clock.clone(),
                        batches: events.clone(),
                        leading: tasks.leading.clone(),
                        phase: watch.phase.clone(),
                        finished: tasks.finished.subscribe(),
                        known: std::sync::Mutex::default(),
                        gauges,
                    };
                    tasks.lead.spawn(lead.run().map(|()| End::InOrder));
                }
                if let (Some(look), Some((_, events))) = (expiry, lanes.iter().find(|(lane, _)| *lane == Lane::Events)) {
                    let ends = expiry::Ends {
                        stages: Arc::clone(&stages),
                        clock: clock.clone(),
                        look,
                        limits: limits.clone(),
                        batches: events.clone(),
                        leading: tasks.leading.subscribe(),
                        finished: tasks.finished.subscribe(),
                    };
                    tasks.beats.spawn(ends.run().map(|()| End::InOrder));
                }
                if let (Some(every), Some((_, events))) = (heartbeat, lanes.iter().find(|(lane, _)| *lane == Lane::Events)) {
                    let beat = heartbeat::Heartbeats {
                        every,
                        counts: watch.counts.clone(),
                        traffic: Arc::clone(&watch.traffic),
                        stages: Arc::clone(&stages),
                        clock,
                        limits: limits.clone(),
                        batches: events.clone(),
                        finished: tasks.finished.subscribe(),
                    };
                    tasks.beats.spawn(beat.run().map(|()| End::InOrder));
                }
                for _ in 0..limits.workers.max(1) {
                    spawn_worker(&mut tasks.workers, &work_in, worker(), outlet::Lanes::new(&limits, &lanes));
                }
            }
        }
        (tasks, work_in)
    }

    /// The phase for a source that only the agent that leads may poll.
    fn led(&mut self, phase: &watch::Receiver<Phase>) -> watch::Receiver<Phase> {
        let (mut phase, mut leading) = (phase.clone(), self.leading.subscribe());
        let of = |phase: Phase, leads: bool| if leads { phase } else { phase.max(Phase::Paused) };
        let first = of(*phase.borrow(), *leading.borrow());
        let (to, told) = watch::channel(first);
        self.lead.spawn(async move {
            loop {
                to.send_replace(of(*phase.borrow_and_update(), *leading.borrow_and_update()));
                tokio::select! {
                    changed = phase.changed() => if changed.is_err() { break },
                    changed = leading.changed() => if changed.is_err() { break },
                    () = to.closed() => break,
                }
            }
            End::InOrder
        });
        told
    }

    /// Lets them end within `patience`; then, or at once without any, whatever is still on its way is dropped, and by that
    /// returned. New Relic may accept nothing for days, which must not keep a stopped agent from ending.
    ///
    /// Gives the faults of those that ended in a panic, or early.
    async fn end(mut self, patience: Option<Duration>) -> Vec<(String, SourceError)> {
        let in_time = match patience {
            Some(patience) => tokio::time::timeout(patience, self.ended()).await.is_ok(),
            None => false,
        };
        if !in_time {
            self.abort.store(true, Ordering::Relaxed);
            let Self { admitting, senders, beats, lead, parker, metrics, .. } = &mut self;
            for tasks in [admitting, senders, beats, lead, parker, metrics] {
                tasks.abort_all();
            }
            if tokio::time::timeout(LET_GO, self.ended()).await.is_err() {
                tracing::warn!("A worker is stuck in a read and is left behind");
            }
        }
        self.faults
    }

    /// The fault of a task that died while the sources run. For ever when none does: their ordinary end is that of the
    /// channels, which close after the sources.
    async fn died(&mut self) -> SourceError {
        let Self { admitting, workers, senders, beats, lead, parker, metrics, .. } = self;
        tokio::select! {
            fault = first_death("intake", admitting) => fault,
            fault = first_death("worker", workers) => fault,
            fault = first_death("heartbeat", beats) => fault,
            fault = first_death("posture", lead) => fault,
            fault = first_death("sender", senders) => fault,
            fault = first_death("dead-letter writer", parker) => fault,
            fault = first_death("counting", metrics) => fault,
        }
    }

    /// Waits until they have ended, one after the other as their channels close.
    async fn ended(&mut self) {
        let faults = &mut self.faults;
        settled("intake", &mut self.admitting, faults).await;
        settled("worker", &mut self.workers, faults).await;
        self.finished.send_replace(true);
        settled("heartbeat", &mut self.beats, faults).await;
        settled("posture", &mut self.lead, faults).await;
        settled("sender", &mut self.senders, faults).await;
        settled("dead-letter writer", &mut self.parker, faults).await;
        self.settled.send_replace(true);
        settled("counting", &mut self.metrics, faults).await;
    }
}

/// Waits for tasks of one kind; a death among them is said and is a fault, what it held went back.
async fn settled(name: &str, tasks: &mut JoinSet<End>, faults: &mut Vec<(String, SourceError)>) {
    while let Some(ended) = tasks.join_next().await {
        if let Some(fault) = death(name, ended) {
            tracing::error!(error = %fault, "Something died at the end: {fault}");
            faults.push((drain::PIPELINE.to_owned(), fault));
        }
    }
}

/// The first death among tasks of one kind.
async fn first_death(name: &str, tasks: &mut JoinSet<End>) -> SourceError {
    while let Some(ended) = tasks.join_next().await {
        if let Some(fault) = death(name, ended) {
            return fault;
        }
    }
    std::future::pending().await
}

/// What is wrong with an end, if anything is. A task that was aborted is none: that is how what is held goes back.
fn death(name: &str, ended: Result<End, JoinError>) -> Option<SourceError> {
    let what = match ended {
        Ok(End::InOrder) => return None,
        Ok(End::Early) => format!("a {name} ended before its time; what it should have done goes back"),
        Err(error) if error.is_panic() => format!("a {name} ended in a panic; what it held goes back: {error}"),
        Err(_aborted) => return None,
    };
    Some(SourceError { what, hint: None })
}

/// Starts the roll-up metrics and a sender of their own. A point is no record: it has no dead letter, and that metrics are not taken
/// pauses no source.
fn spawn_metrics(
    metrics: &mut JoinSet<End>,
    sender: &impl Fn(mpsc::Sender<Parking>) -> Sender,
    sending: impl FnOnce(mpsc::Sender<Batch>) -> rollups::Sending,
) {
    let (batches_in, batches) = mpsc::channel(BATCHES);
    let (no_letters, _) = mpsc::channel(1);
    let sender = Sender { gate: Arc::default(), traffic: Arc::default(), ..sender(no_letters) };
    metrics.spawn(reads(&batches_in, sender.run(batches, 1)));
    metrics.spawn(sending(batches_in).run().map(|()| End::InOrder));
}

fn spawn_worker(workers: &mut JoinSet<End>, work: &mpsc::Sender<Work>, worker: Worker, outlet: impl Outlet + 'static) {
    let work = work.downgrade();
    workers.spawn_blocking(move || {
        worker.run(outlet);
        End::of(&work)
    });
}

/// Enters each object of a source into the ledger and passes it to the workers.
async fn admit(
    mut objects: mpsc::Receiver<Object>,
    counts: Arc<Counts>,
    told: mpsc::Sender<Released>,
    work: mpsc::Sender<Work>,
) -> End {
    while let Some(object) = objects.recv().await {
        let place = told.clone().reserve_owned().await.ok();
        let entry = ObjectEntry::enter(Arc::clone(&counts), object.number, place);
        if object.again {
            entry.comes_again();
        }
        if work.send(Work { object, entry }).await.is_err() {
            // The workers died, and that is the fault.
            break;
        }
    }
    End::InOrder
}
