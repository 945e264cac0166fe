//! Messages become objects; objects' ends become deletes and hand-backs.
//!
//! In: messages under lease and a plan that says what each one names. Out: the objects, read in parallel within the byte
//! budget, in no order. What always holds: a message is deleted only when every object it names was told `Released` or
//! `Parked`; if one could not be read or was returned, the message goes back, later each time it comes. One that keeps
//! failing does not hold up the others.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::known::Known;
use super::leases::{Leases, RECEIVE};
use super::{Attributes, Message, Queue, QueueError};
use crate::ack::{Released, Verdict};
use crate::clock::Clock;
use crate::config::Limits;
use crate::source::backoff::Backoff;
use crate::source::bucket::{Bucket, Got, Place, ReadError, Reader};
use crate::source::trouble::Trouble;
use crate::source::{Body, Fault, Intake, Object, Origin, Phase, Sight, SourceError, key};

/// Objects read at once at most; fewer while S3 answers with faults.
const PARALLEL_MAX: usize = 16;
const PARALLEL_FIRST: usize = 4;

/// No more is received while so many objects wait to be read or sent.
const AHEAD: usize = 2 * PARALLEL_MAX;

/// Nor while bodies of messages of so many bytes wait for room in the byte budget, which counts them only once they have it.
const AHEAD_BYTES: u64 = 1 << 20;

/// No more is received while so many messages are held: enough for any rate, little to hand back.
const HELD_MAX: usize = 2_000;

/// First and longest time a message stays away after a fault. Doubled each time it comes.
const AWAY_FIRST: Duration = Duration::from_secs(30);
const AWAY_LONGEST: Duration = Duration::from_mins(15);

/// How long a stop waits for an empty receive that is still under way: under load it answers at once, and without load it
/// brings nothing.
const LAST_POLL: Duration = Duration::from_secs(1);

/// How long the hand-back at a stop may take; less than the pipeline gives a source to return, so that what is left is said.
const CLOSING: Duration = Duration::from_millis(3_500);

/// Assumed where the queue's settings may not be read: SQS's own default.
const VISIBILITY_DEFAULT: Duration = Duration::from_secs(30);

/// What a message names.
#[derive(Debug, Default)]
pub(in crate::source) struct Plan {
    /// What to hand on; empty: the message may go.
    pub(in crate::source) items: Vec<Item>,
    /// Things that hold no records.
    pub(in crate::source) skipped: u64,
    /// The message must stay in the queue, and why.
    pub(in crate::source) stay: Option<String>,
}

/// One thing that a message names.
#[derive(Debug)]
pub(in crate::source) enum Item {
    /// An object to read.
    Place(Place),
    /// The message itself.
    Body(Origin, Bytes),
    /// The message itself, and what is to be fetched for it.
    Fetch(Origin, Bytes, Place),
    /// What cannot be had.
    Missing(Origin, Fault),
}

impl Item {
    /// Bytes of the message that it holds.
    fn bytes(&self) -> u64 {
        match self {
            Self::Body(_, body) | Self::Fetch(_, body, _) | Self::Missing(_, Fault::NotUnderstood { body, .. }) => {
                body.len() as u64
            }
            Self::Place(_) | Self::Missing(_, Fault::Gone | Fault::TooLarge { .. }) => 0,
        }
    }
}

/// A queue's consumer.
#[derive(Debug)]
pub(in crate::source) struct Consumer<P> {
    pub(in crate::source) queue: Arc<dyn Queue>,
    pub(in crate::source) bucket: Option<Arc<dyn Bucket>>,
    pub(in crate::source) limits: Limits,
    pub(in crate::source) clock: Clock,
    pub(in crate::source) trouble: Arc<Trouble>,
    /// What the message of this id and body names.
    pub(in crate::source) plan: P,
}

impl<P: Fn(&str, String) -> Plan + Send + 'static> Consumer<P> {
    /// The loop of a queue source.
    ///
    /// # Errors
    /// When there is no such queue.
    pub(in crate::source) async fn run(self, intake: Intake) -> Result<(), SourceError> {
        let Intake { counts, objects, mut released, budget, mut phase } = intake;
        let attributes = tokio::select! {
            attributes = self.attributes(counts.name()) => attributes?,
            () = stopping(&mut phase) => return Ok(()),
        };
        let leases =
            Leases::new(Arc::clone(&self.queue), &attributes, self.clock.clone(), Arc::clone(&counts), Arc::clone(&self.trouble));
        let reader = Reader { bucket: self.bucket, budget, limits: self.limits };
        let mut desk = Desk {
            leases,
            source: counts.name().to_owned(),
            trouble: self.trouble,
            reader,
            works: HashMap::new(),
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            jobs: FuturesUnordered::new(),
            parallel: PARALLEL_FIRST,
            ready: VecDeque::new(),
            open: HashMap::new(),
            number: 0,
            known: Known::default(),
            stopping: false,
        };
        let mut quiet: Option<Instant> = None;
        // The other ends of the channels are closed: nobody will ever tell how an object ended.
        let mut gone = false;
        loop {
            let now = if gone { Phase::Returning } else { *phase.borrow_and_update() };
            match now {
                Phase::Running | Phase::Paused => {}
                Phase::Draining => {
                    desk.stop();
                    if desk.leases.held() == 0 {
                        let since = *quiet.get_or_insert_with(Instant::now);
                        if desk.leases.polls() == 0 || since.elapsed() >= LAST_POLL {
                            return Ok(());
                        }
                    } else {
                        quiet = None;
                    }
                }
                Phase::Returning => {
                    // What is settled already is deleted, not handed back.
                    while let Ok(told) = released.try_recv() {
                        desk.told(&told);
                    }
                    desk.close().await;
                    return Ok(());
                }
            }
            if now == Phase::Paused {
                // Nobody asks it: another agent leads, or nothing is accepted, which has a reason of its own.
                desk.trouble.heard();
            }
            let running = now == Phase::Running;
            if running {
                desk.start_reads();
            }
            desk.leases.receive(running && !desk.is_ahead() && desk.leases.held() < HELD_MAX);
            tokio::select! {
                biased;
                changed = phase.changed() => gone = changed.is_err(),
                told = released.recv() => match told {
                    Some(told) => desk.told(&told),
                    None => gone = true,
                },
                messages = desk.leases.turn() => for (lease, Message { id, body, .. }) in messages {
                    let plan = (self.plan)(&id, body);
                    for _ in 0..plan.skipped {
                        counts.skipped();
                    }
                    desk.take(lease, &id, plan);
                },
                Some(read) = desk.jobs.next(), if !desk.jobs.is_empty() => desk.read(read),
                room = objects.reserve(), if running && !desk.ready.is_empty() => match room {
                    Ok(room) => if let Some(object) = desk.send() {
                        room.send(object);
                    },
                    Err(_) => gone = true,
                },
                // Wakes the loop when a stop has waited long enough for the last receive.
                () = tokio::time::sleep(LAST_POLL), if quiet.is_some() => {}
            }
        }
    }

    /// The queue's settings; its faults are told, none of them stops the source unless there is no queue.
    async fn attributes(&self, source: &str) -> Result<Attributes, SourceError> {
        let queue = self.queue.name();
        let mut backoff = Backoff::new();
        let why = loop {
            match Arc::clone(&self.queue).attributes().await {
                Ok(attributes) => {
                    for fault in attributes.faults(queue) {
                        tracing::warn!(relay.source = source, "{source}: {fault}");
                    }
                    return Ok(attributes);
                }
                Err(QueueError::Missing { why }) => {
                    return Err(SourceError::new(
                        format!("opening queue {queue}: {why}"),
                        Some("check queueUrl, its Region and account, and that the queue has not been deleted"),
                    ));
                }
                // Without credentials nothing works, receiving neither: whoever waits here need not assume anything, and once
                // receives go well they clear what is told here.
                Err(error @ QueueError::NoCredentials { .. }) => {
                    self.trouble.report(source, RECEIVE, format!("reading the settings of queue {queue}: {error}"));
                    tokio::time::sleep(backoff.next()).await;
                }
                Err(QueueError::Passing { .. }) if backoff.failures() < 3 => tokio::time::sleep(backoff.next()).await,
                Err(error) => break error,
            }
        };
        tracing::warn!(
            relay.source = source,
            "{source}: reading the settings of queue {queue}: {why}; a visibility timeout of {} s is assumed",
            VISIBILITY_DEFAULT.as_secs()
        );
        Ok(Attributes { visibility: VISIBILITY_DEFAULT, max_receive_count: None })
    }
}

async fn stopping(phase: &mut tokio::sync::watch::Receiver<Phase>) {
    // A closed channel means that the pipeline has gone.
    let _closed = phase.wait_for(|phase| matches!(phase, Phase::Draining | Phase::Returning)).await.is_err();
}

/// What lies on the table: messages in work, objects to read, to send and sent.
struct Desk {
    leases: Leases,
    source: String,
    trouble: Arc<Trouble>,
    reader: Reader,
    works: HashMap<u64, Work>,
    backlog: VecDeque<(u64, Item)>,
    /// Of messages in the backlog or waiting for room.
    backlog_bytes: u64,
    jobs: FuturesUnordered<BoxFuture<'static, Read>>,
    parallel: usize,
    ready: VecDeque<(u64, Origin, Body, Option<OwnedSemaphorePermit>)>,
    open: HashMap<u64, u64>,
    number: u64,
    known: Known,
    stopping: bool,
}

/// What a message still owes.
#[derive(Debug)]
struct Work {
    unsent: usize,
    open: usize,
    back: bool,
}

/// A read that has ended.
struct Read {
    lease: u64,
    /// Bytes of its message, which wait no longer.
    bytes: u64,
    place: Option<Place>,
    origin: Origin,
    body: Result<(Body, Option<OwnedSemaphorePermit>), ReadError>,
    /// Why what its message names is not with it.
    without: Option<ReadError>,
    /// Whether it went well at the first try.
    smooth: bool,
}

impl Reader {
    /// Reads what a message only names. What is gone, refused or too large leaves the message alone.
    async fn fetched(&self, lease: u64, origin: Origin, message: Bytes, place: Place) -> Read {
        let bytes = message.len() as u64;
        let (without, body, smooth) = match self.read(&place).await {
            Ok(Got { bytes, room, smooth }) => (None, Ok((Body::Fetched { message, bytes }, Some(room))), smooth),
            Err(error @ ReadError::Passing { .. }) => (None, Err(error), false),
            Err(error) => {
                let body = self.room(bytes).await.map(|room| (Body::Held(message), Some(room)));
                (Some(error), body, true)
            }
        };
        Read { lease, bytes, place: Some(place), origin, body, without, smooth }
    }
}

impl Desk {
    /// Whether enough is here to go on with.
    fn is_ahead(&self) -> bool {
        self.backlog.len() + self.jobs.len() + self.ready.len() >= AHEAD || self.backlog_bytes >= AHEAD_BYTES
    }

    fn take(&mut self, lease: u64, id: &str, plan: Plan) {
        if let Some(why) = plan.stay {
            self.trouble.report(&self.source, &why, format!("message {id} stays in the queue: {why}"));
            self.works.insert(lease, Work { unsent: 0, open: 0, back: true });
        } else {
            let back = self.stopping && !plan.items.is_empty();
            let unsent = if back { 0 } else { plan.items.len() };
            self.works.insert(lease, Work { unsent, open: 0, back });
            if !back {
                self.backlog_bytes += plan.items.iter().map(Item::bytes).sum::<u64>();
                self.backlog.extend(plan.items.into_iter().map(|item| (lease, item)));
            }
        }
        self.settle(lease);
    }

    fn start_reads(&mut self) {
        while self.jobs.len() < self.parallel
            && let Some((lease, item)) = self.backlog.pop_front()
        {
            let reader = self.reader.clone();
            let bytes = item.bytes();
            self.jobs.push(Box::pin(async move {
                match item {
                    Item::Missing(origin, fault) => {
                        let room = if bytes > 0 { reader.room(bytes).await.map(Some) } else { Ok(None) };
                        let body = room.map(|room| (Body::Missing(fault), room));
                        Read { lease, bytes, place: None, origin, body, without: None, smooth: true }
                    }
                    Item::Body(origin, held) => {
                        let body = reader.room(bytes).await.map(|room| (Body::Held(held), Some(room)));
                        Read { lease, bytes, place: None, origin, body, without: None, smooth: true }
                    }
                    Item::Fetch(origin, message, place) => reader.fetched(lease, origin, message, place).await,
                    Item::Place(place) => {
                        let origin = Origin {
                            name: place.to_string(),
                            account: key::account(&place.key).map(str::to_owned),
                            sight: place.version.clone().map_or(Sight::Named, Sight::Version),
                        };
                        let (body, smooth) = match reader.read(&place).await {
                            Ok(read) => (Ok((Body::Held(read.bytes), Some(read.room))), read.smooth),
                            Err(ReadError::Gone) => (Ok((Body::Missing(Fault::Gone), None)), true),
                            Err(ReadError::TooLarge { bytes }) => (Ok((Body::Missing(Fault::TooLarge { bytes }), None)), true),
                            Err(error @ ReadError::Denied { .. }) => (Err(error), true),
                            Err(error @ ReadError::Passing { .. }) => (Err(error), false),
                        };
                        Read { lease, bytes, place: Some(place), origin, body, without: None, smooth }
                    }
                }
            }));
        }
    }

    fn read(&mut self, read: Read) {
        let Read { lease, bytes, place, origin, body, without, smooth } = read;
        self.backlog_bytes = self.backlog_bytes.saturating_sub(bytes);
        // As S3 answers: twice as careful after a fault, one more after a success.
        self.parallel = if smooth { (self.parallel + 1).min(PARALLEL_MAX) } else { (self.parallel / 2).max(1) };
        match body {
            Ok((body, room)) => {
                match (&place, without) {
                    // Only a person can mend it; what is gone or too large is nobody's fault.
                    (Some(place), Some(error @ ReadError::Denied { .. })) => {
                        let what = format!("{}; only what its message says of it is sent", why_unread(place, &error));
                        self.trouble.report(&self.source, &place.bucket, what);
                    }
                    (Some(place), Some(error)) => tracing::warn!("{place}: {error}: only what its message says of it is sent"),
                    (Some(place), None) => self.trouble.well(&place.bucket),
                    (None, _) => {}
                }
                self.ready.push_back((lease, origin, body, room));
            }
            Err(error) => {
                if let Some(place) = &place {
                    self.trouble.report(&self.source, &place.bucket, unread(place, &error));
                }
                if let Some(work) = self.works.get_mut(&lease) {
                    work.unsent = work.unsent.saturating_sub(1);
                    work.back = true;
                }
                self.settle(lease);
            }
        }
    }

    fn send(&mut self) -> Option<Object> {
        let (lease, origin, body, room) = self.ready.pop_front()?;
        let number = self.number;
        self.number += 1;
        self.open.insert(number, lease);
        if let Some(work) = self.works.get_mut(&lease) {
            work.unsent = work.unsent.saturating_sub(1);
            work.open += 1;
        }
        // A second message about the same object: not handed out before, but read before.
        let known = origin.sight != Sight::Message && self.known.meets(&origin);
        let again = known || self.leases.receive_count(lease) > 1;
        Some(Object { number, origin, body, room, again })
    }

    fn told(&mut self, told: &Released) {
        let Some(lease) = self.open.remove(&told.object) else {
            tracing::error!(object = told.object, "Told of an object that is not open: a fault of the pipeline");
            return;
        };
        if let Some(work) = self.works.get_mut(&lease) {
            work.open = work.open.saturating_sub(1);
            work.back |= told.verdict == Verdict::Returned;
        }
        self.settle(lease);
    }

    /// Ends a message that owes nothing any more.
    fn settle(&mut self, lease: u64) {
        let Some(Work { unsent: 0, open: 0, back }) = self.works.get(&lease) else { return };
        if *back {
            let delay = if self.stopping { Duration::ZERO } else { away(self.leases.receive_count(lease)) };
            self.leases.hand_back(lease, delay);
        } else {
            self.leases.delete(lease);
        }
        self.works.remove(&lease);
    }

    /// Nothing more is sent: messages with unsent objects go back as soon as their sent ones have ended.
    fn stop(&mut self) {
        if self.stopping {
            return;
        }
        self.stopping = true;
        self.leases.hurry();
        self.backlog.clear();
        self.jobs.clear();
        self.ready.clear();
        for work in self.works.values_mut().filter(|work| work.unsent > 0) {
            work.unsent = 0;
            work.back = true;
        }
        let leases: Vec<u64> = self.works.keys().copied().collect();
        for lease in leases {
            self.settle(lease);
        }
    }

    /// Hands back whatever has not ended, now.
    async fn close(&mut self) {
        self.stop();
        for (lease, _) in std::mem::take(&mut self.works) {
            self.leases.hand_back(lease, Duration::ZERO);
        }
        let ending = async {
            // A receive still under way may be given what was just handed back: it is heard out, and that goes back too.
            let mut quiet = Instant::now();
            while self.leases.held() > 0 || (self.leases.polls() > 0 && quiet.elapsed() < LAST_POLL) {
                let messages = tokio::time::timeout(LAST_POLL, self.leases.turn()).await.unwrap_or_default();
                if self.leases.held() > 0 {
                    quiet = Instant::now();
                }
                for (lease, _) in messages {
                    self.leases.hand_back(lease, Duration::ZERO);
                }
            }
        };
        if tokio::time::timeout(CLOSING, ending).await.is_err() {
            let held = self.leases.held();
            tracing::warn!(relay.source = %self.source, held, "{}: {held} messages could not be handed back and stay invisible until their time is up", self.source);
        }
    }
}

/// How long a message stays away after its `receive_count`-th receive.
fn away(receive_count: u32) -> Duration {
    AWAY_FIRST.saturating_mul(1 << receive_count.saturating_sub(1).min(10)).min(AWAY_LONGEST)
}

/// Says which objects could not be read; the first folders of the key are enough to find the policy.
fn unread(place: &Place, error: &ReadError) -> String {
    format!("{}; its message goes back to the queue", why_unread(place, error))
}

fn why_unread(place: &Place, error: &ReadError) -> String {
    let folders: Vec<&str> = place.key.split('/').take(4).collect();
    let hint = match error {
        ReadError::Denied { missing, .. } => format!("; missing: {missing}"),
        _ => String::new(),
    };
    format!("reading s3://{}/{}/…: {error}{hint}", place.bucket, folders.join("/"))
}
