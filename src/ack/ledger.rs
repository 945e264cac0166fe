//! The ledger: object ⊃ record ⊃ piece, each owing an answer.
//!
//! In: an object with the right to release it ([`ObjectEntry`]), its records ([`RecordEntry`]) and their pieces ([`Piece`]).
//! Out: each record's outcome in the source's [`Counts`], and one [`Released`] per object on the source's channel when the
//! last piece of its last record has settled; what accepted pieces count, when their record has ended. What always holds: whatever is dropped without being settled counts as
//! `Returned`, so forgetting is safe; an object is told to its source exactly once.
//!
//! Ownership is the state: a piece holds its record, a record holds its object. When the last holder lets go, the entry's
//! `Drop` writes the outcome. There is no counter to forget.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::AcqRel, Ordering::Acquire};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::rollup::Tally;
use super::{Counts, Outcome, Seen, Settled, Verdict};
use crate::record::RecordKey;

/// Told to a source once per object.
#[derive(Debug, PartialEq, Eq)]
pub struct Released {
    /// The number the source gave the object.
    pub object: u64,
    /// How it ended.
    pub verdict: Verdict,
    /// It was returned, and only because records of it are too old to be sent.
    pub only_late: bool,
}

/// The ledger's entry of one object.
#[derive(Debug)]
pub struct ObjectEntry {
    counts: Arc<Counts>,
    object: u64,
    // A place in the source's channel, taken before the object was: the news always fits.
    told: Option<mpsc::OwnedPermit<Released>>,
    // `decoded` guards against a decoder that stops half-way: an object nobody finished goes back.
    decoded: AtomicBool,
    parked: AtomicBool,
    late: AtomicBool,
    returned: AtomicBool,
    again: AtomicBool,
}

impl ObjectEntry {
    /// Enters an object. `told` is its place in the channel of its source; `None`: nobody wants to know.
    #[must_use]
    pub fn enter(counts: Arc<Counts>, object: u64, told: Option<mpsc::OwnedPermit<Released>>) -> Arc<Self> {
        counts.object_received();
        Arc::new(Self {
            counts,
            object,
            told,
            decoded: AtomicBool::new(false),
            parked: AtomicBool::new(false),
            late: AtomicBool::new(false),
            returned: AtomicBool::new(false),
            again: AtomicBool::new(false),
        })
    }

    /// It may have been handed out before: whoever had it may have counted its records.
    pub fn comes_again(&self) {
        self.again.store(true, std::sync::atomic::Ordering::Release);
    }

    /// The counters of the object's source.
    #[must_use]
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Enters a record of this object: it owes an outcome from now on.
    #[must_use]
    pub fn record(self: &Arc<Self>) -> Arc<RecordEntry> {
        self.counts.record_received();
        Arc::new(RecordEntry {
            object: Arc::clone(self),
            kind: Kind::Record {
                good: AtomicU8::new(Outcome::Returned as u8),
                late: AtomicBool::new(false),
                again: AtomicBool::new(false),
            },
            worst: AtomicU8::new(Settled::Delivered as u8),
            accepted: Mutex::default(),
            key: std::sync::OnceLock::new(),
        })
    }

    /// Something the object owes that is no record: its gap event, the dead letter that names it. The object waits for it,
    /// the record counts do not see it.
    #[must_use]
    pub fn errand(self: &Arc<Self>) -> Arc<RecordEntry> {
        Arc::new(RecordEntry {
            object: Arc::clone(self),
            kind: Kind::Errand,
            worst: AtomicU8::new(Settled::Delivered as u8),
            accepted: Mutex::default(),
            key: std::sync::OnceLock::new(),
        })
    }

    /// Every record of the object has been entered. An object dropped before this goes back to its source.
    pub fn decoded(&self) {
        self.decoded.store(true, std::sync::atomic::Ordering::Release);
    }

    /// The object, or the rest of it, goes to the dead letters.
    pub fn park(&self) {
        self.parked.store(true, std::sync::atomic::Ordering::Release);
    }

    /// The object goes back to its source whatever its records say.
    pub fn give_back(&self) {
        self.returned.store(true, std::sync::atomic::Ordering::Release);
    }
}

impl Drop for ObjectEntry {
    fn drop(&mut self) {
        let late = self.late.load(Acquire);
        let returned = self.returned.load(Acquire) || !self.decoded.load(Acquire);
        let verdict = if returned || late {
            Verdict::Returned
        } else if self.parked.load(Acquire) {
            Verdict::Parked
        } else {
            Verdict::Released
        };
        self.counts.object_ended(verdict);
        // A source that has gone hears nothing; what it held comes back by itself.
        if let Some(told) = self.told.take() {
            drop(told.send(Released { object: self.object, verdict, only_late: late && !returned }));
        }
    }
}

/// Told once how the pieces of a step have settled.
type Then = Box<dyn FnOnce(Settled) + Send>;

enum Kind {
    Record {
        good: AtomicU8,
        late: AtomicBool,
        again: AtomicBool,
    },
    Errand,
    /// What is told, and the record (or step) that it is a step of.
    Step(Mutex<Option<Then>>, Arc<RecordEntry>),
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Record { .. } => "Record",
            Self::Errand => "Errand",
            Self::Step(..) => "Step",
        })
    }
}

/// The ledger's entry of one record. Dropped without [`RecordEntry::ends_as`], the record is returned.
#[derive(Debug)]
pub struct RecordEntry {
    object: Arc<ObjectEntry>,
    kind: Kind,
    worst: AtomicU8,
    /// What its accepted pieces count.
    accepted: Mutex<Vec<Tally>>,
    key: std::sync::OnceLock<(Arc<Seen>, RecordKey)>,
}

impl RecordEntry {
    /// How the record ends if all its pieces settle well.
    pub fn ends_as(&self, outcome: Outcome) {
        if let Kind::Record { good, .. } = &self.kind {
            good.store(outcome as u8, std::sync::atomic::Ordering::Release);
        }
    }

    /// Another copy of the record is on its way: what this one counts may be counted by that one too.
    pub(super) fn comes_again(&self) {
        if let Kind::Record { again, .. } = &self.kind {
            again.store(true, std::sync::atomic::Ordering::Release);
        }
    }

    fn may_be_counted(&self) -> bool {
        self.object.again.load(Acquire) || matches!(&self.kind, Kind::Record { again, .. } if again.load(Acquire))
    }

    /// The record is too old to be sent, and is returned.
    pub fn refuse_late(&self) {
        if let Kind::Record { late, .. } = &self.kind {
            self.object.counts.refused_late();
            late.store(true, std::sync::atomic::Ordering::Release);
        }
    }

    fn is_late(&self) -> bool {
        matches!(&self.kind, Kind::Record { late, .. } if late.load(Acquire))
    }

    /// A piece of this record: it owes an answer from now on.
    pub fn piece(self: &Arc<Self>) -> Piece {
        Piece { entry: Some(Arc::clone(self)), tallies: [None, None] }
    }

    /// A step of this record: when its last piece has settled, `then` is told the worst of them. Whatever else the record owes
    /// after the step must be a piece of the record that `then` holds: the step itself settles nothing.
    #[must_use]
    pub fn step(self: &Arc<Self>, then: impl FnOnce(Settled) + Send + 'static) -> Arc<Self> {
        Arc::new(Self {
            object: Arc::clone(&self.object),
            kind: Kind::Step(Mutex::new(Some(Box::new(then))), Arc::clone(self)),
            worst: AtomicU8::new(Settled::Delivered as u8),
            accepted: Mutex::default(),
            key: std::sync::OnceLock::new(),
        })
    }

    /// Marks this record as the one the duplicate window knows under `key`; told when it ends.
    pub(super) fn known_as(&self, seen: Arc<Seen>, key: RecordKey) {
        // Set once per record by `Seen::admit`; a second key would be a fault of that caller and changes nothing.
        let _first = self.key.set((seen, key)).is_ok();
    }

    fn outcome(&self) -> Option<Outcome> {
        let Kind::Record { good, .. } = &self.kind else { return None };
        let worst = self.worst.load(Acquire);
        let good = Outcome::ALL.get(usize::from(good.load(Acquire))).copied().unwrap_or(Outcome::Returned);
        Some(if worst >= Settled::Returned as u8 || good == Outcome::Returned {
            Outcome::Returned
        } else if worst == Settled::Rejected as u8 {
            Outcome::Rejected
        } else {
            good
        })
    }
}

impl Drop for RecordEntry {
    fn drop(&mut self) {
        if let Kind::Step(then, of) = &self.kind {
            // Before anything can end the record.
            let accepted = std::mem::take(&mut *self.accepted.lock().unwrap_or_else(PoisonError::into_inner));
            of.accepted.lock().unwrap_or_else(PoisonError::into_inner).extend(accepted);
            let worst = match self.worst.load(Acquire) {
                0 => Settled::Delivered,
                1 => Settled::Rejected,
                _ => Settled::Returned,
            };
            let then = then.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(then) = then {
                then(worst);
            }
            return;
        }
        let Some(outcome) = self.outcome() else {
            if self.worst.load(Acquire) >= Settled::Returned as u8 {
                self.object.give_back();
            }
            return;
        };
        self.object.counts.record_ended(outcome);
        if outcome != Outcome::Returned {
            // One that is returned comes again, and is counted then.
            let again = self.may_be_counted();
            for tally in self.accepted.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
                tally.count();
                if again {
                    tally.doubt();
                }
            }
        }
        if outcome == Outcome::Returned {
            if self.is_late() {
                self.object.late.store(true, std::sync::atomic::Ordering::Release);
            } else {
                self.object.give_back();
            }
        }
        if let Some((seen, key)) = self.key.take() {
            seen.ended(key, outcome != Outcome::Returned);
        }
    }
}

/// One output of a record, owing an answer. Dropped without [`Piece::settle`], its record is returned.
#[derive(Debug)]
#[must_use = "dropping it hands the object back to the source"]
pub struct Piece {
    entry: Option<Arc<RecordEntry>>,
    /// What it counts once it is accepted.
    tallies: [Option<Tally>; 2],
}

impl Piece {
    /// What this piece counts once it was accepted, and its record has ended other than returned.
    pub fn counting(self, tallies: [Option<Tally>; 2]) -> Self {
        // The parts of a piece cannot be moved out of it.
        let mut piece = self;
        piece.tallies = tallies;
        piece
    }

    /// What it counts once it is accepted.
    pub fn tallies(&self) -> impl Iterator<Item = &Tally> {
        self.tallies.iter().flatten()
    }

    /// A request that held it may have been taken, though no answer says so: what it counts may be counted twice.
    pub fn doubt(&self) {
        self.tallies().for_each(Tally::doubt);
    }

    /// Gives the answer.
    pub fn settle(mut self, settled: Settled) {
        self.note(settled);
    }

    fn note(&mut self, settled: Settled) {
        if let Some(entry) = self.entry.take() {
            if settled == Settled::Delivered && self.tallies.iter().any(Option::is_some) {
                let accepted = std::mem::take(&mut self.tallies).into_iter().flatten();
                entry.accepted.lock().unwrap_or_else(PoisonError::into_inner).extend(accepted);
            }
            entry.worst.fetch_max(settled as u8, AcqRel);
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.note(Settled::Returned);
    }
}
