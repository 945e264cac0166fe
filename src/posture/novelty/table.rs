//! A table of pairs that never grows.
//!
//! In: the number of a pair, the record that shows it and its hour. Out: whether the pair was there. Sets of [`WAYS`] pairs in parts
//! with a lock each; a full set lets go of the pair that was seen last the longest ago, and notes when that was. What always holds:
//! the bytes are fixed at the start, and mapped as they are used; a pair is called new only where it cannot be one that was let go
//! within the span; the record that showed a pair first gets its first answer again.

use std::sync::{Mutex, PoisonError};

use crate::record::Novelty;

/// Pairs of a set: two lines of a cache.
const WAYS: usize = 8;

/// Parts, each with its lock.
const PARTS: usize = 16;

/// Bytes of a set: its pairs and its note.
pub(super) const SET_BYTES: usize = WAYS * size_of::<Pair>() + size_of::<u32>();

/// The number of the pair; then, from the lowest bit: whether it is one, whether its first answer was that nobody can tell, the hour in
/// which it was last seen ([`HOUR_BITS`] from bit 8) and the record that showed it first (32 bits). All zero: free.
type Pair = [u64; 2];

const IS_PAIR: u64 = 1;
const WAS_UNKNOWN: u64 = 2;
const HOUR_AT: u32 = 8;
const HOUR_BITS: u32 = 24;
const RECORD_AT: u32 = HOUR_AT + HOUR_BITS;

/// Pairs, bounded.
#[derive(Debug)]
pub(super) struct Table {
    parts: Box<[Mutex<Part>]>,
    span_hours: u32,
}

#[derive(Debug)]
struct Part {
    pairs: Vec<Pair>,
    /// Of each set the latest hour in which a pair that was let go had been seen; 0: none was.
    let_go: Vec<u32>,
}

/// What a look at a pair did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Met {
    pub(super) novelty: Novelty,
    /// It has a place that was free.
    pub(super) is_added: bool,
    /// One that was seen within the span had to go.
    pub(super) is_pushed: bool,
}

impl Table {
    /// A table of so many bytes at most, but one set in each part at least.
    pub(super) fn new(bytes: usize, span_hours: u32) -> Self {
        let sets = (bytes / (PARTS * SET_BYTES)).max(1);
        let part = || Part { pairs: vec![[0; 2]; sets * WAYS], let_go: vec![0; sets] };
        Self { parts: std::iter::repeat_with(|| Mutex::new(part())).take(PARTS).collect(), span_hours }
    }

    /// Looks for a pair and keeps it. `is_learned`: whether one that is not there may be called new, asked only then.
    pub(super) fn meet(&self, key: u64, record: u32, hour: u32, is_learned: impl FnOnce() -> bool) -> Met {
        let at = usize::try_from(key % PARTS as u64).unwrap_or_default();
        let Some(part) = self.parts.get(at) else {
            return Met { novelty: Novelty::Unknown, is_added: false, is_pushed: false };
        };
        // A thread that panicked leaves pairs as good as they were.
        let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
        part.meet(key, record, hour, self.span_hours, is_learned)
    }
}

impl Part {
    fn meet(&mut self, key: u64, record: u32, hour: u32, span: u32, is_learned: impl FnOnce() -> bool) -> Met {
        let sets = self.let_go.len() as u64;
        let at = usize::try_from((key >> 32) * sets >> 32).unwrap_or_default();
        let (Some(pairs), Some(let_go)) = (self.pairs.as_chunks_mut::<WAYS>().0.get_mut(at), self.let_go.get_mut(at)) else {
            return Met { novelty: Novelty::Unknown, is_added: false, is_pushed: false };
        };
        let mut place: Option<&mut Pair> = None;
        for pair in pairs {
            let [known, rest] = pair;
            if *rest != 0 && *known == key {
                let novelty = first_answer(*rest, record).unwrap_or(Novelty::Known);
                if hour_of(*rest) < hour {
                    *rest = with_hour(*rest, hour);
                }
                return Met { novelty, is_added: false, is_pushed: false };
            }
            let is_free = *rest == 0;
            if place.as_ref().is_none_or(|[_, oldest]| hour_of(*rest) < hour_of(*oldest)) {
                place = Some(pair);
            }
            // Sets are filled in order, and nothing is taken out.
            if is_free {
                break;
            }
        }
        let is_doubtful = *let_go != 0 && hour <= let_go.saturating_add(span);
        // Asked in any case: it is how an account becomes known.
        let novelty = if is_learned() && !is_doubtful { Novelty::New } else { Novelty::Unknown };
        let Some(place) = place else { return Met { novelty, is_added: false, is_pushed: false } };
        let [_, before] = *place;
        let is_added = before == 0;
        let is_pushed = !is_added && hour <= hour_of(before).saturating_add(span);
        if !is_added {
            *let_go = (*let_go).max(hour_of(before));
        }
        let was_unknown = if novelty == Novelty::Unknown { WAS_UNKNOWN } else { 0 };
        *place = [key, with_hour(IS_PAIR | was_unknown | u64::from(record) << RECORD_AT, hour)];
        Met { novelty, is_added, is_pushed }
    }
}

/// What was said of the pair first, if this record showed it first.
fn first_answer(rest: u64, record: u32) -> Option<Novelty> {
    (rest >> RECORD_AT == u64::from(record)).then_some(if rest & WAS_UNKNOWN == 0 { Novelty::New } else { Novelty::Unknown })
}

/// The hour of a time, as it is kept: hours since 1970, 1 at least, so that a set's note is never 0.
pub(super) fn hour(time_ms: i64) -> u32 {
    const MOST: u32 = (1 << HOUR_BITS) - 1;
    u32::try_from(time_ms / 3_600_000).map_or(if time_ms < 0 { 1 } else { MOST }, |hour| hour.clamp(1, MOST))
}

/// The hours that a span takes, begun ones too.
pub(super) fn hours(span_ms: i64) -> u32 {
    u32::try_from(span_ms.max(0) / 3_600_000).unwrap_or(u32::MAX).saturating_add(1)
}

fn hour_of(rest: u64) -> u32 {
    u32::try_from(rest >> HOUR_AT & ((1 << HOUR_BITS) - 1)).unwrap_or_default()
}

fn with_hour(rest: u64, hour: u32) -> u64 {
    rest & !(((1 << HOUR_BITS) - 1) << HOUR_AT) | u64::from(hour) << HOUR_AT
}
