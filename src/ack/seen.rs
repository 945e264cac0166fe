//! The duplicate window.
//!
//! In: the key of each readable record. Out: whether it is new, a copy of one that has ended well, or a copy of one still on
//! its way. A copy on its way attaches to the first and takes its outcome: it must not be released while nobody has the
//! record. What always holds: a key enters the window of settled ids only when its record ended well, so a returned record is
//! never mistaken for a copy. The window is bounded, per agent, and gone at restart: it saves cost; correctness rests on the
//! ids in the events. So are the copies that wait: beyond [`WAITING_MAX`] a copy is treated as new and delivered again, with the
//! same ids; what it counts is in doubt.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Outcome, Piece, RecordEntry, Settled};
use crate::record::RecordKey;

/// Most copies that wait for the first of their kind, over all ids: each holds its object's entry in memory.
pub(super) const WAITING_MAX: usize = 10_000;

/// Whether a record is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// First time, or one copy too many to wait: carry on with it.
    New,
    /// A copy; its entry has been settled or attached, nothing more to do.
    Copy,
}

/// The window: ids in flight with their waiting copies, and two generations of settled ids.
#[derive(Debug)]
pub struct Seen {
    generation_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    in_flight: HashMap<RecordKey, Vec<Piece>, Folding>,
    /// Pieces in `in_flight`.
    waiting: usize,
    young: HashSet<RecordKey, Folding>,
    old: HashSet<RecordKey, Folding>,
}

impl State {
    fn knows(&self, key: &RecordKey) -> bool {
        self.in_flight.contains_key(key) || self.young.contains(key) || self.old.contains(key)
    }
}

impl Seen {
    /// A window that remembers at least `records / 2` and at most `records` settled ids (about 30 bytes each).
    #[must_use]
    pub fn new(records: usize) -> Arc<Self> {
        Arc::new(Self { generation_max: (records / 2).max(1), state: Mutex::default() })
    }

    /// Admits a record. For a copy the record's outcome is settled here.
    #[must_use]
    pub fn admit(self: &Arc<Self>, key: RecordKey, entry: &Arc<RecordEntry>) -> Admission {
        self.admit_as(self.lock(), key, entry)
    }

    /// Admits a record that tells less of the same than another one: a copy of that one where it is known, else a record of its
    /// own, behind which the other one is new.
    #[must_use]
    pub fn admit_lesser(self: &Arc<Self>, fuller: RecordKey, key: RecordKey, entry: &Arc<RecordEntry>) -> Admission {
        let state = self.lock();
        let key = if state.knows(&fuller) { fuller } else { key };
        self.admit_as(state, key, entry)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit_as(self: &Arc<Self>, mut state: MutexGuard<'_, State>, key: RecordKey, entry: &Arc<RecordEntry>) -> Admission {
        let State { in_flight, waiting: count, young, old } = &mut *state;
        match in_flight.entry(key) {
            // On its own: its end says nothing about the first's, and must not settle the copies that wait for that one.
            Entry::Occupied(_) if *count >= WAITING_MAX => {
                entry.comes_again();
                return Admission::New;
            }
            Entry::Occupied(mut waiting) => {
                *count += 1;
                entry.ends_as(Outcome::Duplicate);
                waiting.get_mut().push(entry.piece());
                return Admission::Copy;
            }
            Entry::Vacant(_) if young.contains(&key) || old.contains(&key) => {
                entry.ends_as(Outcome::Duplicate);
                return Admission::Copy;
            }
            Entry::Vacant(new) => {
                new.insert(Vec::new());
            }
        }
        drop(state);
        entry.known_as(Arc::clone(self), key);
        Admission::New
    }

    /// The record known as `key` has ended, `well` or to be offered again.
    pub(super) fn ended(&self, key: RecordKey, well: bool) {
        let mut state = self.lock();
        let waiting = state.in_flight.remove(&key).unwrap_or_default();
        state.waiting = state.waiting.saturating_sub(waiting.len());
        if well {
            if state.young.len() >= self.generation_max {
                // The tables swap and the older one is emptied, keeping its memory: no allocation in the steady state.
                let State { young, old, .. } = &mut *state;
                std::mem::swap(young, old);
                young.clear();
            }
            state.young.insert(key);
        }
        drop(state);
        // Outside the lock: settling a copy may end its own object.
        for piece in waiting {
            piece.settle(if well { Settled::Delivered } else { Settled::Returned });
        }
    }
}

/// Hashes [`RecordKey`]s: a multiplication per word under two secret words of this table's own. The standard hasher takes
/// several times as long, and every record is looked up five times. Ids are AWS's; whoever could choose some would still not
/// know the words, and would win a few slow look-ups at most.
#[derive(Debug, Clone)]
struct Folding {
    words: [u64; 2],
}

impl Default for Folding {
    fn default() -> Self {
        let random = RandomState::new();
        Self { words: [random.hash_one(0), random.hash_one(1) | 1] }
    }
}

impl BuildHasher for Folding {
    type Hasher = FoldingHasher;

    fn build_hasher(&self) -> FoldingHasher {
        let [state, word] = self.words;
        FoldingHasher { state, word }
    }
}

struct FoldingHasher {
    state: u64,
    word: u64,
}

impl Hasher for FoldingHasher {
    fn write(&mut self, bytes: &[u8]) {
        // Not used by the keys, which are whole words; right for anything.
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(self.word);
        let [low, high] = halves(product);
        self.state = low ^ high;
    }

    fn finish(&self) -> u64 {
        self.state
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
fn halves(number: u128) -> [u64; 2] {
    [number as u64, (number >> 64) as u64]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids that differ in one place only, as counters and time-ordered ids do, still fill the table evenly.
    #[test]
    fn similar_ids_spread() {
        // Any two words, the second odd; fixed, so that the test always says the same.
        let hasher = Folding { words: [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345] };
        for (name, id) in [("end", "6d2d5e0a-8a5b-4d0c-9a46-1f00000#####"), ("start", "#####e0a-8a5b-4d0c-9a46-1f0000000000")] {
            let mut low = vec![0_u32; 256];
            let mut high = vec![0_u32; 128];
            for at in 0..65_536_u32 {
                let hash = hasher.hash_one(RecordKey::new("111122223333", &id.replace("#####", &format!("{at:05x}"))));
                low[usize::try_from(hash & 255).unwrap()] += 1;
                high[usize::try_from(hash >> 57).unwrap()] += 1;
            }
            assert!(low.iter().all(|count| (64..1_024).contains(count)), "{name}: {low:?}");
            assert!(high.iter().all(|count| (128..2_048).contains(count)), "{name}: {high:?}");
        }
    }
}
