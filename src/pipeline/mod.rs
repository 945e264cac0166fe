//! The only place that spawns tasks and connects stages.
//!
//! In: sources, settings and a way out. Out: a [`Summary`] when everything that was taken has settled, or was handed back.
//!
//! ```text
//! source task ─Object→ admit task ─Object+entry→ worker threads ─Batch→ sender tasks ─→ New Relic
//!      ↑                (one per source)            │ decode, enrich, classify, encode      │ 400, unreadable
//!      └──────────── Released ◄── ledger ◄──────────┴──────── pieces settle ◄───────────────┴→ dead letters
//! ```
//!
//! What always holds: every channel is bounded, so a slow New Relic stops the polling and nothing grows; the end of the
//! sources closes the channels one after the other, so whoever is last has settled everything.

pub mod drain;
pub mod heartbeat;
pub mod outlet;
pub mod worker;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::ack::counts::Snapshot;
use crate::ack::{Counts, ObjectEntry};
use crate::clock::Clock;
use crate::config::Limits;
use crate::deliver::park::{Parking, Target};
use crate::deliver::sender::Gate;
use crate::deliver::{Endpoint, Patience, Sender, Traffic, retry::Backoff};
use crate::encode::{Lane, Outlet};
use crate::source::{Intake, Object, Phase, Source, SourceError};
use worker::{Stages, Work};

/// Objects waiting for a worker, per agent.
const WAITING: usize = 16;
/// Objects open at once, per source: the news of every one has a place in the source's channel.
const OPEN: usize = 4_096;
/// Batches waiting for a request, per lane.
const BATCHES: usize = 2;
/// Letters waiting to be written.
const LETTERS: usize = 256;
/// Time the sources get to hand back what they hold, after the deadline: a few calls to SQS on a busy machine. With
/// `limits.drain`'s default of 15 s a stop takes less than 20 s.
const HAND_BACK: Duration = Duration::from_secs(4);

/// A source ready to run.
pub struct Running {
    counts: Arc<Counts>,
    run: Box<dyn FnOnce(Intake) -> Pin<Box<dyn Future<Output = Result<(), SourceError>> + Send>> + Send>,
}

impl Running {
    /// Prepares a source under its name.
    pub fn new(name: &str, source: impl Source) -> Self {
        Self { counts: Arc::new(Counts::new(name)), run: Box::new(move |intake| Box::pin(source.run(intake))) }
    }

    /// The source's counters.
    #[must_use]
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }
}

/// Where items go.
pub enum To {
    /// New Relic, or whatever stands under its addresses.
    NewRelic {
        /// Addresses and key.
        endpoint: Endpoint,
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
    /// The present.
    pub clock: Clock,
}

impl Relay {
    /// Runs until every source has ended or `stop` says so. `started` is told what may be watched.
    ///
    /// On `stop`: sources take nothing new; what is held has `limits.drain` to settle; the rest is handed back.
    pub async fn run(self, sources: Vec<Running>, stop: impl Future<Output = ()>, started: impl FnOnce(Watch)) -> Summary {
        let Self { stages, limits, to, dead_letters, heartbeat, clock } = self;
        let (phase, heard) = watch::channel(Phase::Running);
        let gate = Arc::new(Gate::default());
        let traffic = Arc::new(Traffic::default());
        let counts: Vec<Arc<Counts>> = sources.iter().map(|source| Arc::clone(&source.counts)).collect();
        started(Watch { counts: counts.clone(), traffic: Arc::clone(&traffic), gate: Arc::clone(&gate), phase: heard.clone() });

        let abort = Arc::new(AtomicBool::new(false));
        let (letters_in, letters) = mpsc::channel::<Parking>(LETTERS);
        let parker = tokio::spawn(dead_letters.run(letters));
        let mut senders = JoinSet::new();
        let (work_in, work) = mpsc::channel::<Work>(WAITING);
        let work = Arc::new(Mutex::new(work));
        let mut workers = JoinSet::new();
        let mut beats = JoinSet::new();
        let finished = watch::Sender::new(false);
        match to {
            To::NewRelic { endpoint, patience } => {
                let mut lanes = Vec::new();
                for lane in Lane::ALL {
                    let (batches_in, batches) = mpsc::channel(BATCHES);
                    let sender = Sender {
                        endpoint: endpoint.clone(),
                        backoff: Backoff::default(),
                        clock: clock.clone(),
                        letters: letters_in.clone(),
                        gate: Arc::clone(&gate),
                        traffic: Arc::clone(&traffic),
                        patience,
                    };
                    senders.spawn(sender.run(batches, limits.requests_in_flight));
                    lanes.push((lane, batches_in));
                }
                if let (Some(every), Some((_, events))) = (heartbeat, lanes.iter().find(|(lane, _)| *lane == Lane::Events)) {
                    let beat = heartbeat::Heartbeats {
                        every,
                        counts: counts.clone(),
                        traffic: Arc::clone(&traffic),
                        agent: stages.agent.clone(),
                        clock: clock.clone(),
                        limits: limits.clone(),
                        batches: events.clone(),
                        finished: finished.subscribe(),
                    };
                    beats.spawn(beat.run());
                }
                for _ in 0..limits.workers.max(1) {
                    let outlet = outlet::Lanes::new(&limits, &lanes);
                    let worker = worker::Worker {
                        stages: Arc::clone(&stages),
                        work: Arc::clone(&work),
                        letters: letters_in.clone(),
                        abort: Arc::clone(&abort),
                        flush_after: limits.flush_after,
                    };
                    workers.spawn_blocking(move || worker.run(outlet));
                }
            }
            To::Outlet(outlet) => {
                // One worker: the order of the output is the order of the input.
                let worker = worker::Worker {
                    stages: Arc::clone(&stages),
                    work: Arc::clone(&work),
                    letters: letters_in.clone(),
                    abort: Arc::clone(&abort),
                    flush_after: limits.flush_after,
                };
                workers.spawn_blocking(move || worker.run(outlet));
            }
        }
        drop((letters_in, work));

        let budget = Arc::new(Semaphore::new(crate::source::budget_kib(&limits) as usize));
        let mut running = JoinSet::new();
        let mut admitting = JoinSet::new();
        for source in sources {
            let (told, released) = mpsc::channel(OPEN);
            let (objects_in, objects) = mpsc::channel(1);
            admitting.spawn(admit(objects, Arc::clone(&source.counts), told, work_in.clone()));
            let intake = Intake {
                counts: Arc::clone(&source.counts),
                objects: objects_in,
                released,
                budget: Arc::clone(&budget),
                phase: heard.clone(),
            };
            let name = source.counts.name().to_owned();
            let run = (source.run)(intake);
            running.spawn(async move { (name, run.await) });
        }
        drop(work_in);

        let faults = drain::until_ended(&mut running, &phase, gate.watch(), stop, limits.drain, HAND_BACK).await;
        let in_time = *phase.borrow() != Phase::Returning;
        phase.send_replace(if in_time { Phase::Draining } else { Phase::Returning });
        if !in_time {
            // Whatever is still on its way is dropped, and by that returned; the sources have handed its messages back.
            abort.store(true, Ordering::Relaxed);
            senders.abort_all();
            admitting.abort_all();
            beats.abort_all();
        }
        while admitting.join_next().await.is_some() {}
        while let Some(ended) = workers.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "A worker ended in a panic; what it held goes back");
            }
        }
        finished.send_replace(true);
        while beats.join_next().await.is_some() {}
        while senders.join_next().await.is_some() {}
        if let Err(error) = parker.await {
            tracing::error!(%error, "The dead-letter writer ended in a panic; what it held goes back");
        }
        Summary {
            sources: counts.iter().map(|counts| (counts.name().to_owned(), counts.snapshot())).collect(),
            faults,
            blocked: gate.watch().borrow().map(crate::deliver::answer::Block::hint),
            traffic,
        }
    }
}

/// Enters each object of a source into the ledger and passes it to the workers.
async fn admit(
    mut objects: mpsc::Receiver<Object>,
    counts: Arc<Counts>,
    told: mpsc::Sender<crate::ack::Released>,
    work: mpsc::Sender<Work>,
) {
    let slots = Arc::new(Semaphore::new(OPEN));
    while let Some(object) = objects.recv().await {
        // The semaphore is never closed.
        let slot = Arc::clone(&slots).acquire_owned().await.ok();
        let entry = ObjectEntry::enter(Arc::clone(&counts), object.number, told.clone(), slot);
        if work.send(Work { object, entry }).await.is_err() {
            return;
        }
    }
}
