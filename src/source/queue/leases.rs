//! The leases on messages: taken, renewed, ended.
//!
//! In: a queue, and what became of each message. Out: messages with a number of their own. What always holds: whatever is
//! under way (receive, delete, change) is a kept future, so leaving [`Leases::turn`] loses nothing; every lease is renewed at
//! half its time until SQS has confirmed its end; a message received again while it is open takes the new handle and is not
//! given out twice.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::{Attributes, BATCH, Entry, LONGEST, Message, Queue, QueueError, Refused};
use crate::ack::Counts;
use crate::clock::Clock;
use crate::source::backoff::Backoff;
use crate::source::trouble::Trouble;

/// What a failed receive is told under.
pub(in crate::source) const RECEIVE: &str = "sqs:ReceiveMessage";

/// A lease is never renewed for less, so that a queue with a tiny timeout still works.
const RENEW_MIN: Duration = Duration::from_secs(30);

/// How long a delete waits for company.
const DELETE_WAIT: Duration = Duration::from_millis(200);

/// Receives under way at once while every one comes back full.
const POLLS_MAX: usize = 4;

/// One at a time while they bring so much: messages that hold their records are large, and nobody has taken room for them.
const POLL_BYTES: usize = 1 << 20;

/// Tries of a hand-back; after that the message becomes visible when its time is up.
const BACK_TRIES: u32 = 5;

/// A stop before the ceiling of 12 hours, so that SQS does not refuse the renewal.
const MARGIN: Duration = Duration::from_mins(1);

/// The keeper of a queue's leases.
#[derive(Debug)]
pub(in crate::source) struct Leases {
    queue: Arc<dyn Queue>,
    clock: Clock,
    counts: Arc<Counts>,
    trouble: Arc<Trouble>,
    visibility: Duration,
    number: u64,
    held: HashMap<u64, Lease>,
    by_message: HashMap<String, u64>,
    /// When each renewed lease is due.
    due: BTreeSet<(Instant, u64)>,
    requests: FuturesUnordered<BoxFuture<'static, Answer>>,
    polls: usize,
    polls_wanted: usize,
    receiving: bool,
    receive_from: Instant,
    receive_backoff: Backoff,
    deletes: Vec<u64>,
    delete_from: Instant,
    delete_backoff: Backoff,
    backs: Vec<u64>,
    back_from: Instant,
    renew_backoff: Backoff,
    hurry: bool,
}

#[derive(Debug)]
struct Lease {
    message: String,
    handle: String,
    receive_count: u32,
    received: Instant,
    due: Option<Instant>,
    /// A renewal is under way: a hand-back waits for its answer, or it could be undone by it.
    renewing: bool,
    /// It waits in `deletes` or `backs`, once: two entries of one message would have SQS refuse the whole batch.
    queued: bool,
    ending: Ending,
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Open,
    Delete,
    Back { delay: Duration, tries: u32 },
}

#[derive(Debug)]
enum Answer {
    Received(Result<Vec<Message>, QueueError>),
    Deleted(Vec<u64>, Result<Vec<Refused>, QueueError>),
    Renewed(Vec<(u64, Duration)>, Result<Vec<Refused>, QueueError>),
    Returned(Vec<u64>, Result<Vec<Refused>, QueueError>),
}

impl Leases {
    pub(in crate::source) fn new(
        queue: Arc<dyn Queue>,
        attributes: &Attributes,
        clock: Clock,
        counts: Arc<Counts>,
        trouble: Arc<Trouble>,
    ) -> Self {
        let now = Instant::now();
        Self {
            queue,
            clock,
            counts,
            trouble,
            visibility: attributes.visibility,
            number: 0,
            held: HashMap::new(),
            by_message: HashMap::new(),
            due: BTreeSet::new(),
            requests: FuturesUnordered::new(),
            polls: 0,
            polls_wanted: 1,
            receiving: false,
            receive_from: now,
            receive_backoff: Backoff::new(),
            deletes: Vec::new(),
            delete_from: now,
            delete_backoff: Backoff::new(),
            backs: Vec::new(),
            back_from: now,
            renew_backoff: Backoff::new(),
            hurry: false,
        }
    }

    /// Whether to ask for more messages from now on. A receive under way is not broken off.
    pub(in crate::source) fn receive(&mut self, more: bool) {
        self.receiving = more;
    }

    /// Deletes wait for no company from now on: the agent is stopping.
    pub(in crate::source) fn hurry(&mut self) {
        self.hurry = true;
        self.receiving = false;
    }

    /// Messages held, whatever becomes of them.
    pub(in crate::source) fn held(&self) -> usize {
        self.held.len()
    }

    /// Receives under way.
    pub(in crate::source) fn polls(&self) -> usize {
        self.polls
    }

    /// Everything in the message has ended well: it is deleted.
    pub(in crate::source) fn delete(&mut self, lease: u64) {
        if let Some(held) = self.held.get_mut(&lease) {
            held.ending = Ending::Delete;
            if self.deletes.is_empty() {
                self.delete_from = self.delete_from.max(Instant::now() + DELETE_WAIT);
            }
            self.queue_end(lease);
        }
    }

    /// The message is offered again after `delay`.
    pub(in crate::source) fn hand_back(&mut self, lease: u64, delay: Duration) {
        if let Some(held) = self.held.get_mut(&lease) {
            held.ending = Ending::Back { delay, tries: 0 };
            self.queue_end(lease);
        }
    }

    /// Lines a message up for its end, unless it waits for that already.
    fn queue_end(&mut self, lease: u64) {
        let Some(held) = self.held.get_mut(&lease) else { return };
        let line = match held.ending {
            Ending::Open => return,
            Ending::Delete => &mut self.deletes,
            Ending::Back { .. } => &mut self.backs,
        };
        if !std::mem::replace(&mut held.queued, true) {
            line.push(lease);
        }
    }

    /// How often the message has been received.
    pub(in crate::source) fn receive_count(&self, lease: u64) -> u32 {
        self.held.get(&lease).map_or(1, |held| held.receive_count)
    }

    /// Starts what is due, waits until something has happened and gives the new messages, often none. May be dropped at any
    /// time without loss.
    pub(in crate::source) async fn turn(&mut self) -> Vec<(u64, Message)> {
        let now = Instant::now();
        self.launch(now);
        let alarm = self.alarm(now);
        tokio::select! {
            biased;
            Some(answer) = self.requests.next(), if !self.requests.is_empty() => self.heard(answer),
            () = tokio::time::sleep_until(alarm) => Vec::new(),
        }
    }

    /// When something is due next.
    fn alarm(&self, now: Instant) -> Instant {
        let mut alarm = now + LONGEST;
        if let Some((due, _)) = self.due.first() {
            alarm = alarm.min(*due);
        }
        if !self.deletes.is_empty() {
            alarm = alarm.min(self.delete_from);
        }
        // A hand-back that waits for a renewal starts when the renewal's answer comes.
        if self.backs.iter().any(|lease| self.held.get(lease).is_some_and(|held| !held.renewing)) {
            alarm = alarm.min(self.back_from);
        }
        if self.receiving && self.polls < self.polls_wanted {
            alarm = alarm.min(self.receive_from);
        }
        alarm
    }

    fn launch(&mut self, now: Instant) {
        while self.receiving && self.polls < self.polls_wanted && self.receive_from <= now {
            self.polls += 1;
            let receive = Arc::clone(&self.queue).receive();
            self.requests.push(Box::pin(async { Answer::Received(receive.await) }));
        }
        self.launch_deletes(now);
        self.launch_renewals(now);
        self.launch_backs(now);
    }

    fn launch_deletes(&mut self, now: Instant) {
        // A full batch needs no waiting, but a failed one does.
        let waited = self.delete_from <= now;
        let may = self.delete_backoff.failures() == 0;
        while !self.deletes.is_empty() && (waited || may && (self.hurry || self.deletes.len() >= BATCH)) {
            let batch: Vec<u64> = self.deletes.drain(..self.deletes.len().min(BATCH)).collect();
            let mut entries = Vec::with_capacity(batch.len());
            for &lease in &batch {
                let Some(held) = self.held.get_mut(&lease) else { continue };
                held.queued = false;
                entries.push(Entry { lease, handle: held.handle.clone() });
            }
            if entries.is_empty() {
                continue;
            }
            let delete = Arc::clone(&self.queue).delete(entries);
            self.requests.push(Box::pin(async { Answer::Deleted(batch, delete.await) }));
        }
    }

    fn launch_renewals(&mut self, now: Instant) {
        let extend = self.visibility.max(RENEW_MIN);
        // Those that would be due soon come along, so that batches are full.
        while self.due.first().is_some_and(|(due, _)| *due <= now) {
            let soon = now + extend / 10;
            let (mut batch, mut entries) = (Vec::new(), Vec::new());
            while batch.len() < BATCH {
                let Some(&(due, lease)) = self.due.first() else { break };
                if due > soon {
                    break;
                }
                self.due.pop_first();
                let Some(held) = self.held.get_mut(&lease) else { continue };
                held.due = None;
                let left = LONGEST.saturating_sub(now.duration_since(held.received) + MARGIN);
                if left < MARGIN {
                    tracing::warn!(message = %held.message, "Message {} has been held for 12 hours, SQS allows no longer", held.message);
                    continue;
                }
                held.renewing = true;
                batch.push((lease, extend.min(left)));
                entries.push((Entry { lease, handle: held.handle.clone() }, extend.min(left)));
            }
            if batch.is_empty() {
                continue;
            }
            let change = Arc::clone(&self.queue).change(entries);
            self.requests.push(Box::pin(async { Answer::Renewed(batch, change.await) }));
        }
    }

    fn launch_backs(&mut self, now: Instant) {
        if self.back_from > now {
            return;
        }
        let (ready, waiting): (Vec<u64>, Vec<u64>) = std::mem::take(&mut self.backs)
            .into_iter()
            .filter(|lease| self.held.contains_key(lease))
            .partition(|lease| self.held.get(lease).is_some_and(|held| !held.renewing));
        self.backs = waiting;
        for batch in ready.chunks(BATCH) {
            let mut entries = Vec::with_capacity(batch.len());
            for &lease in batch {
                let Some(held) = self.held.get_mut(&lease) else { continue };
                held.queued = false;
                if let Some(due) = held.due.take() {
                    self.due.remove(&(due, lease));
                }
                let left = LONGEST.saturating_sub(now.duration_since(held.received) + MARGIN);
                if let Ending::Back { delay, .. } = held.ending {
                    entries.push((Entry { lease, handle: held.handle.clone() }, delay.min(left)));
                }
            }
            let batch = batch.to_vec();
            let change = Arc::clone(&self.queue).change(entries);
            self.requests.push(Box::pin(async { Answer::Returned(batch, change.await) }));
        }
    }

    fn heard(&mut self, answer: Answer) -> Vec<(u64, Message)> {
        match answer {
            Answer::Received(messages) => {
                self.polls -= 1;
                return self.received(messages);
            }
            Answer::Deleted(batch, ended) => self.deleted(batch, ended),
            Answer::Renewed(batch, ended) => self.renewed(batch, ended),
            Answer::Returned(batch, ended) => self.returned(batch, ended),
        }
        Vec::new()
    }

    fn received(&mut self, messages: Result<Vec<Message>, QueueError>) -> Vec<(u64, Message)> {
        let now = Instant::now();
        let messages = match messages {
            Ok(messages) => {
                self.well(RECEIVE);
                self.trouble.heard();
                self.receive_backoff.reset();
                messages
            }
            Err(error) => {
                self.receive_from = now + self.receive_backoff.next();
                self.polls_wanted = 1;
                self.ill(RECEIVE, "receiving", &error);
                return Vec::new();
            }
        };
        let bytes: usize = messages.iter().map(|message| message.body.len()).sum();
        self.polls_wanted = match messages.len() {
            _ if bytes >= POLL_BYTES => 1,
            BATCH.. => (self.polls_wanted + 1).min(POLLS_MAX),
            0 => 1,
            _ => self.polls_wanted.saturating_sub(1).max(1),
        };
        let oldest = messages.iter().filter_map(|message| message.sent_ms).min();
        self.counts.queue_age(oldest.map_or(0, |sent| self.clock.now_ms().saturating_sub(sent).max(0)));
        messages.into_iter().filter_map(|message| self.take(message, now)).collect()
    }

    /// Takes a lease; `None` when the message is open already.
    fn take(&mut self, message: Message, now: Instant) -> Option<(u64, Message)> {
        if message.receive_count > 1 {
            self.counts.redelivered();
        }
        let due = now + self.visibility / 2;
        if let Some(&lease) = self.by_message.get(&message.id)
            && let Some(held) = self.held.get_mut(&lease)
        {
            // Its lease had been lost, or SQS delivered it twice: the newest handle counts.
            held.handle = message.handle;
            held.receive_count = message.receive_count;
            held.received = now;
            if let Some(due) = held.due.replace(due) {
                self.due.remove(&(due, lease));
            }
            self.due.insert((due, lease));
            self.queue_end(lease);
            return None;
        }
        self.number += 1;
        let lease = self.number;
        self.by_message.insert(message.id.clone(), lease);
        self.due.insert((due, lease));
        self.held.insert(
            lease,
            Lease {
                message: message.id.clone(),
                handle: message.handle.clone(),
                receive_count: message.receive_count,
                received: now,
                due: Some(due),
                renewing: false,
                queued: false,
                ending: Ending::Open,
            },
        );
        Some((lease, message))
    }

    fn deleted(&mut self, batch: Vec<u64>, ended: Result<Vec<Refused>, QueueError>) {
        let again = match ended {
            Ok(refused) => {
                self.well("sqs:DeleteMessage");
                // A refusal for good means that the handle has expired: nothing is left to delete, or the message comes
                // back and is recognised as a copy.
                let again: Vec<u64> = refused.iter().filter(|refused| !refused.lasting).map(|refused| refused.lease).collect();
                for &lease in batch.iter().filter(|lease| !again.contains(lease)) {
                    self.forget(lease);
                }
                again
            }
            Err(error) => {
                self.ill("sqs:DeleteMessage", "deleting", &error);
                batch
            }
        };
        if again.is_empty() {
            self.delete_backoff.reset();
        } else {
            self.delete_from = Instant::now() + self.delete_backoff.next();
            for lease in again {
                self.queue_end(lease);
            }
        }
    }

    fn renewed(&mut self, batch: Vec<(u64, Duration)>, ended: Result<Vec<Refused>, QueueError>) {
        let now = Instant::now();
        let (refused, later) = match ended {
            Ok(refused) => {
                self.well("sqs:ChangeMessageVisibility");
                let due = if refused.is_empty() { Duration::ZERO } else { self.renew_backoff.next() };
                if refused.is_empty() {
                    self.renew_backoff.reset();
                }
                (refused, due)
            }
            Err(error) => {
                self.ill("sqs:ChangeMessageVisibility", "renewing", &error);
                let refuse = |&(lease, _): &(u64, Duration)| Refused { lease, lasting: false, why: String::new() };
                (batch.iter().map(refuse).collect(), self.renew_backoff.next())
            }
        };
        // Half the time is left when a renewal is sent: several tries fit into it.
        let later = later.min(self.visibility.max(RENEW_MIN) / 8);
        for (lease, by) in batch {
            let Some(held) = self.held.get_mut(&lease) else { continue };
            held.renewing = false;
            let due = match refused.iter().find(|refused| refused.lease == lease) {
                None => now + by / 2,
                Some(Refused { lasting: false, .. }) => now + later,
                Some(Refused { why, .. }) => {
                    tracing::debug!(message = %held.message, "Lease on message {} is lost: {why}", held.message);
                    continue;
                }
            };
            // The message may have been received anew meanwhile and be due already.
            if held.due.is_none() && !matches!(held.ending, Ending::Back { .. }) {
                held.due = Some(due);
                self.due.insert((due, lease));
            }
        }
    }

    fn returned(&mut self, batch: Vec<u64>, ended: Result<Vec<Refused>, QueueError>) {
        let refused = match ended {
            Ok(refused) => refused,
            Err(error) => {
                self.ill("sqs:ChangeMessageVisibility", "handing back", &error);
                batch.iter().map(|&lease| Refused { lease, lasting: false, why: String::new() }).collect()
            }
        };
        for lease in batch {
            let lasting = refused.iter().find(|refused| refused.lease == lease).is_none_or(|refused| refused.lasting);
            match self.held.get_mut(&lease).map(|held| &mut held.ending) {
                Some(Ending::Back { tries, .. }) if !lasting && *tries < BACK_TRIES => {
                    *tries += 1;
                    self.back_from = Instant::now() + Duration::from_millis(200) * *tries;
                    self.queue_end(lease);
                }
                _ => self.forget(lease),
            }
        }
    }

    /// A message has ended; one that was received anew meanwhile has not: its newer handle still waits for its end.
    fn forget(&mut self, lease: u64) {
        if self.held.get(&lease).is_some_and(|held| held.queued) {
            return;
        }
        if let Some(held) = self.held.remove(&lease) {
            self.by_message.remove(&held.message);
            if let Some(due) = held.due {
                self.due.remove(&(due, lease));
            }
        }
    }

    fn ill(&self, action: &'static str, doing: &str, error: &QueueError) {
        let queue = self.queue.name();
        match error {
            // Passing faults are weather until they last; the back-off grows meanwhile.
            QueueError::Passing { why } if !self.lasting() => tracing::debug!("{doing} messages of {queue}: {why}"),
            error => self.trouble.report(self.counts.name(), action, format!("{doing} messages of queue {queue}: {error}")),
        }
    }

    fn lasting(&self) -> bool {
        [&self.receive_backoff, &self.delete_backoff, &self.renew_backoff].iter().any(|backoff| backoff.failures() > 4)
    }

    fn well(&self, action: &'static str) {
        self.trouble.well(action);
    }
}
