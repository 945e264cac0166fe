//! What principals did before: the API calls that each made, and the addresses that each came from.
//!
//! In: trail records. Out: of each record whether its principal makes this call, or comes from this address, for the first time
//! ([`Novelties`]). What always holds: nothing is allocated for a record and nothing is read twice; the memory is bounded by the
//! configuration, and where it may have let go of what it is asked for the answer is `Unknown`, never `New`; the same records in the
//! same order get the same answers; a record that comes again gets the answer it got, as long as what it showed is remembered. It
//! goes by the records' own times, never by a clock. Why, and what it does not say: `DESIGN.md`.

mod gathered;
mod hash;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::config;
use crate::record::time::millis;
use crate::record::{Novelties, Novelty, RecordKey, Trail};
use gathered::Gathered;
use hash::hash;
use table::{Met, Table};

/// Most accounts that are learned: of any more every new pair is unknown.
const ACCOUNTS: usize = 20_000;

/// Remembers pairs, for all threads of a run.
#[derive(Debug)]
pub struct NoveltyMemory {
    settings: config::Novelty,
    how: How,
    /// What records in the order of their time would have been told: set once a first look at all of them is done.
    past: OnceLock<Gathered>,
}

#[derive(Debug)]
enum How {
    /// As records come.
    Live(Live),
    /// A first look at all records: nothing is answered.
    Gathering(Mutex<Gathered>),
}

#[derive(Debug)]
struct Live {
    table: Table,
    learning_ms: i64,
    /// By account the time of the first record that came of it.
    since: Mutex<HashMap<u64, i64>>,
    pairs: AtomicU64,
    pushed: AtomicU64,
}

/// What is counted of the memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoveltyTallies {
    /// Pairs remembered.
    pub pairs: u64,
    /// Times that a pair was let go too early, or found no room: without room for all, one that is shown again is counted again.
    pub pushed: u64,
}

impl NoveltyTallies {
    /// What is so, and what was added since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self { pairs: self.pairs, pushed: self.pushed.saturating_sub(before.pushed) }
    }
}

/// The numbers of what a record shows.
#[derive(Debug, Clone, Copy)]
struct Shown {
    account: u64,
    api: Option<u64>,
    address: Option<u64>,
    record: u32,
    time_ms: i64,
}

impl Shown {
    fn of(trail: &Trail<'_>, key: RecordKey) -> Option<Self> {
        let principal = trail.principal()?;
        let account = key.account();
        let who = hash(account, principal.id);
        let who = if principal.name.is_empty() { who } else { hash(who, principal.name) };
        let (source, name, address) =
            (trail.event_source.or_empty(), trail.event_name.or_empty(), trail.source_ip_address.or_empty());
        Some(Self {
            account,
            api: (!name.is_empty()).then(|| hash(hash(who, source.as_bytes()), name.as_bytes())),
            address: (!address.is_empty()).then(|| hash(who, address.as_bytes())),
            record: key.short(),
            time_ms: trail.time_ms,
        })
    }

    /// An answer for what there is; who, what or whence is not told is unknown.
    fn answered(self, mut answer: impl FnMut(u64) -> Novelty) -> Novelties {
        let mut of = |key: Option<u64>| key.map_or(Novelty::Unknown, &mut answer);
        Novelties { api: of(self.api), address: of(self.address) }
    }
}

impl NoveltyMemory {
    /// One that answers as records come; `None`: the configuration wants none.
    #[must_use]
    pub fn live(settings: config::Novelty) -> Option<Arc<Self>> {
        let learning_ms = millis(settings.learning);
        let live = |bytes| Live {
            table: Table::new(bytes, table::hours(learning_ms)),
            learning_ms,
            since: Mutex::default(),
            pairs: AtomicU64::new(0),
            pushed: AtomicU64::new(0),
        };
        (settings.memory > 0).then(|| Arc::new(Self { settings, how: How::Live(live(settings.memory)), past: OnceLock::new() }))
    }

    /// The same, for a first look at all records: it takes note and answers nothing.
    #[must_use]
    pub fn gathering(&self) -> Arc<Self> {
        let how = How::Gathering(Mutex::new(Gathered::new(self.settings.memory)));
        Arc::new(Self { settings: self.settings, how, past: OnceLock::new() })
    }

    /// From now on records are told what they would have been told in the order of their time, as a first look took note of it; what
    /// it gathered is given away.
    pub fn answer_from(&self, looked: &Self) {
        if let How::Gathering(gathered) = &looked.how {
            let gathered = std::mem::take(&mut *gathered.lock().unwrap_or_else(PoisonError::into_inner));
            // A second look would find nothing else.
            self.past.get_or_init(|| gathered);
        }
    }

    /// What is new about a record, which is remembered. `key`: the record's own.
    pub fn meet(&self, trail: &Trail<'_>, key: RecordKey) -> Novelties {
        let Some(shown) = Shown::of(trail, key) else { return Novelties::default() };
        if let Some(gathered) = self.past.get() {
            return gathered.answer(shown, millis(self.settings.learning));
        }
        match &self.how {
            How::Live(live) => live.meet(shown),
            How::Gathering(gathered) => {
                gathered.lock().unwrap_or_else(PoisonError::into_inner).note(shown);
                Novelties::default()
            }
        }
    }

    /// What is counted since the start.
    #[must_use]
    pub fn tallies(&self) -> NoveltyTallies {
        if let Some(gathered) = self.past.get() {
            return gathered.tallies();
        }
        match &self.how {
            How::Live(live) => {
                NoveltyTallies { pairs: live.pairs.load(Ordering::Relaxed), pushed: live.pushed.load(Ordering::Relaxed) }
            }
            How::Gathering(_) => NoveltyTallies::default(),
        }
    }
}

impl Live {
    fn meet(&self, shown: Shown) -> Novelties {
        let hour = table::hour(shown.time_ms);
        shown.answered(|key| {
            let is_learned = || self.is_learned(shown.account, shown.time_ms);
            let Met { novelty, is_added, is_pushed } = self.table.meet(key, shown.record, hour, is_learned);
            if is_added {
                self.pairs.fetch_add(1, Ordering::Relaxed);
            }
            if is_pushed {
                self.pushed.fetch_add(1, Ordering::Relaxed);
            }
            novelty
        })
    }

    /// Whether the account was watched long enough at this time. Asked for what is not remembered only, as the first record of an
    /// account never is.
    fn is_learned(&self, account: u64, time_ms: i64) -> bool {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first_ms) = since.get(&account) {
            return time_ms.saturating_sub(*first_ms) >= self.learning_ms;
        }
        if since.len() < ACCOUNTS {
            since.insert(account, time_ms);
        }
        false
    }
}
