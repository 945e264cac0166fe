//! The waiting room of configuration items.
//!
//! In: facts of trail records, and items whose events are written but for the actor. Out: items with their [`Who`], when AWS Config
//! itself names a record that has come, when their time is up, or when there are too many. The trail's record often comes minutes
//! after the item, so an item waits, and by its piece the ledger keeps the record and the source its lease. What always holds: at
//! most [`WAITING_MAX`] items of [`BYTES_MAX`] wait, beyond that the oldest goes as it is, so that a queue never stops for what
//! waits; an item that is dropped here goes back to its source.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ack::{Counts, Piece};
use crate::encode::change::Draft;
use crate::posture::{ItemFact, Join, TrailFact, Who};

/// Most items that wait: half of the messages that a queue's consumer holds at most.
const WAITING_MAX: usize = 1_000;

/// Most bytes of events that wait.
const BYTES_MAX: usize = 8 << 20;

/// What becomes of items that wait when nothing more comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// They go back to their queue, which offers them again.
    Back,
    /// They are sent as they are: the input has an end.
    Sent,
}

/// The waiting room, shared by all workers.
#[derive(Debug)]
pub struct Changes {
    wait_ms: i64,
    rest: Rest,
    /// Items that wait, to be asked without the lock.
    waiting: AtomicUsize,
    /// Workers that are reading an object.
    busy: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    join: Join,
    room: VecDeque<Item>,
    bytes: usize,
    /// Trail records that items wait for by name.
    awaited: HashSet<String>,
    /// One of them has come.
    has_come: bool,
}

/// An item on its way.
#[derive(Debug)]
pub struct Item {
    /// Its event, but for the actor.
    pub draft: Draft,
    /// What the join must know of it.
    pub fact: ItemFact,
    /// What it owes.
    pub piece: Piece,
    /// The counters of its source.
    pub counts: Arc<Counts>,
    /// Until when it waits, milliseconds since the epoch.
    until_ms: i64,
}

impl Item {
    /// An item that has not waited yet.
    #[must_use]
    pub fn new(draft: Draft, fact: ItemFact, piece: Piece, counts: Arc<Counts>) -> Self {
        Self { draft, fact, piece, counts, until_ms: 0 }
    }
}

impl Changes {
    /// A room in which an item waits so long at most.
    #[must_use]
    pub fn new(wait: Duration, rest: Rest) -> Arc<Self> {
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        Arc::new(Self { wait_ms, rest, waiting: AtomicUsize::new(0), busy: AtomicUsize::new(0), state: Mutex::default() })
    }

    /// What becomes of what waits at the end.
    #[must_use]
    pub fn rest(&self) -> Rest {
        self.rest
    }

    /// Keeps the fact of a trail record.
    pub fn trail(&self, fact: TrailFact, now_ms: i64) {
        let mut state = self.state();
        state.has_come |= !state.awaited.is_empty() && state.awaited.contains(&fact.event_id);
        state.join.trail(fact, now_ms);
    }

    /// Takes an item in.
    pub fn item(&self, mut item: Item, now_ms: i64) {
        item.until_ms = now_ms.saturating_add(self.wait_ms);
        let mut state = self.state();
        state.has_come |= state.join.related(&item.fact).is_some();
        state.awaited.extend(item.fact.related_events.iter().cloned());
        state.bytes += item.draft.bytes();
        state.room.push_back(item);
        self.waiting.store(state.room.len(), Ordering::Relaxed);
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
    }

    /// The items that wait no longer, and who changed what; `all`: none waits any longer.
    #[must_use]
    pub fn decided(&self, now_ms: i64, all: bool) -> Vec<(Item, Who)> {
        let mut state = self.state();
        let State { join, room, bytes, awaited, has_come } = &mut *state;
        let mut decided = Vec::new();
        if std::mem::take(has_come) {
            let (named, rest): (Vec<Item>, Vec<Item>) =
                std::mem::take(room).into_iter().partition(|item| join.related(&item.fact).is_some());
            *room = rest.into();
            *bytes = bytes.saturating_sub(named.iter().map(|item| item.draft.bytes()).sum());
            decided = named;
        }
        while room.len() > WAITING_MAX || *bytes > BYTES_MAX || room.front().is_some_and(|item| all || item.until_ms <= now_ms) {
            let Some(item) = room.pop_front() else { break };
            *bytes = bytes.saturating_sub(item.draft.bytes());
            decided.push(item);
        }
        if !decided.is_empty() {
            *awaited = room.iter().flat_map(|item| item.fact.related_events.iter().cloned()).collect();
        }
        self.waiting.store(room.len(), Ordering::Relaxed);
        decided
            .into_iter()
            .map(|item| {
                let who = join.who(&item.fact);
                (item, who)
            })
            .collect()
    }

    /// Gives back everything that waits.
    pub fn give_back(&self) {
        let mut state = self.state();
        let room = std::mem::take(&mut state.room);
        state.bytes = 0;
        state.awaited.clear();
        self.waiting.store(0, Ordering::Relaxed);
        drop(state);
        // Outside the lock: the end of a piece may end its object.
        drop(room);
    }

    /// A worker reads an object until this is dropped.
    #[must_use]
    pub fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::clone(self))
    }

    /// Whether no worker is reading.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.busy.load(Ordering::Acquire) == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker that is reading an object.
#[derive(Debug)]
pub struct Busy(Arc<Changes>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}
