//! The records of one group, by time.
//!
//! In: records, in nearly their order. Out: whether some window of time that holds a record has what a correlation wants. A window
//! ends with a record and holds those less than a timespan before it: what comes later cannot take back what it says. What always
//! holds: every window that holds the record is looked at; one window is kept and moved, so a record costs the logarithm of their
//! number and what is between it and the newest ones, never all of them.

use std::collections::VecDeque;

use super::compiled::Correlation;
use super::feed::Digest;
use super::window::Window;

/// A group of more records than this keeps its window; of fewer it is made anew.
const SMALL: usize = 16;

/// Most bytes of one group: values of records can be many.
pub(super) const GROUP_BYTES: usize = 4 << 20;

/// About what a group takes without records, bytes: with its key and its place in a table.
const BYTES: usize = 160;

/// What an allocation takes beside its content, bytes.
const ALLOCATION: usize = 16;

/// One record in one group.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub(super) time_ms: i64,
    /// Of account and event id.
    pub(super) id: Digest,
    /// A bit for each rule of the correlation that it matched.
    pub(super) slots: u64,
    pub(super) values: Vec<u64>,
    pub(super) number: f64,
}

impl Hit {
    /// Whether it matched the rule in this place of the correlation.
    pub(super) fn is_of(&self, slot: usize) -> bool {
        self.slots >> slot & 1 == 1
    }

    fn value_bytes(&self) -> usize {
        if self.values.is_empty() { 0 } else { self.values.len() * size_of::<u64>() + ALLOCATION }
    }
}

/// The records of a group.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// By time and id.
    hits: VecDeque<Hit>,
    value_bytes: usize,
    window: Option<Box<Moving>>,
}

/// A window and which of the records are in it.
#[derive(Debug, Default)]
struct Moving {
    window: Window,
    first: usize,
    /// Behind the last.
    next: usize,
}

impl Group {
    /// Time of the newest record.
    pub(super) fn newest_ms(&self) -> Option<i64> {
        self.hits.back().map(|hit| hit.time_ms)
    }

    /// How many records are not older.
    pub(super) fn since(&self, ms: i64) -> usize {
        self.hits.len() - self.before(ms)
    }

    /// About what it takes, bytes.
    pub(super) fn bytes(&self) -> usize {
        let window = self.window.as_ref().map_or(0, |moving| moving.window.bytes());
        BYTES + self.hits.capacity() * size_of::<Hit>() + self.value_bytes + window
    }

    fn before(&self, ms: i64) -> usize {
        self.hits.partition_point(|hit| hit.time_ms < ms)
    }

    /// Puts a record in its place, which is returned; `None`: it is there already.
    pub(super) fn put(&mut self, correlation: &Correlation, hit: Hit) -> Option<usize> {
        let place = self.hits.binary_search_by(|known| known.time_ms.cmp(&hit.time_ms).then_with(|| known.id.cmp(&hit.id)));
        let at = place.err()?;
        if let Some(moving) = &mut self.window {
            if at <= moving.first {
                moving.first += 1;
                moving.next += 1;
            } else if at < moving.next {
                moving.window.put(correlation, &hit);
                moving.next += 1;
            }
        }
        self.value_bytes += hit.value_bytes();
        if self.hits.capacity() == 0 {
            // Most groups have one record.
            self.hits.reserve_exact(1);
        }
        self.hits.insert(at, hit);
        Some(at)
    }

    /// Drops the records that are older, and the oldest beyond so many records or [`GROUP_BYTES`]. Returns how many of the latter
    /// were not older than `counts_ms`.
    pub(super) fn trim(&mut self, correlation: &Correlation, horizon_ms: i64, most: usize, counts_ms: i64) -> u64 {
        let mut lost = 0;
        while let Some(first) = self.hits.front() {
            let is_old = first.time_ms < horizon_ms;
            if !is_old && self.hits.len() <= most && (self.hits.len() <= 1 || self.bytes() <= GROUP_BYTES) {
                break;
            }
            lost += u64::from(!is_old && first.time_ms >= counts_ms);
            self.drop_first(correlation);
        }
        if self.hits.capacity() > SMALL && self.hits.capacity() / 4 > self.hits.len() {
            self.hits.shrink_to(self.hits.len() * 2);
        }
        lost
    }

    fn drop_first(&mut self, correlation: &Correlation) {
        let Some(hit) = self.hits.pop_front() else { return };
        self.value_bytes -= hit.value_bytes();
        if let Some(moving) = &mut self.window {
            if moving.first > 0 {
                moving.first -= 1;
                moving.next -= 1;
            } else if moving.next > 0 {
                moving.window.take(correlation, &hit);
                moving.next -= 1;
            }
        }
    }

    /// Whether a window with the record in this place holds what is wanted.
    pub(super) fn completes(&mut self, correlation: &Correlation, at: usize) -> bool {
        let Some(own_ms) = self.hits.get(at).map(|hit| hit.time_ms) else { return false };
        let span_ms = correlation.timespan_ms;
        let mut moving = self.window.take().unwrap_or_default();
        let to = self.before(own_ms.saturating_add(span_ms));
        // In the order of time there is one: it ends with the record itself.
        let mut end_ms = own_ms;
        let found = loop {
            let end = self.before(end_ms.saturating_add(1));
            let first = self.before(end_ms.saturating_sub(span_ms).saturating_add(1));
            moving.move_to(correlation, &self.hits, first, end);
            if moving.window.holds(correlation) {
                break true;
            }
            match self.hits.get(end).filter(|_| end < to) {
                Some(next) => end_ms = next.time_ms,
                None => break false,
            }
        };
        self.window = (self.hits.len() > SMALL).then_some(moving);
        found
    }
}

impl Moving {
    /// Moves it over these records.
    fn move_to(&mut self, correlation: &Correlation, hits: &VecDeque<Hit>, first: usize, next: usize) {
        let away = self.first.abs_diff(first) + self.next.abs_diff(next);
        if away > next - first {
            // What it must hold is less than what would come and go.
            self.window.clear();
            (self.first, self.next) = (first, first);
        }
        while let Some(hit) = hits.get(self.next).filter(|_| self.next < next) {
            self.window.put(correlation, hit);
            self.next += 1;
        }
        while let Some(hit) = self.first.checked_sub(1).and_then(|at| hits.get(at)).filter(|_| self.first > first) {
            self.window.put(correlation, hit);
            self.first -= 1;
        }
        while let Some(hit) = self.next.checked_sub(1).and_then(|at| hits.get(at)).filter(|_| self.next > next) {
            self.window.take(correlation, hit);
            self.next -= 1;
        }
        while let Some(hit) = hits.get(self.first).filter(|_| self.first < first) {
            self.window.take(correlation, hit);
            self.first += 1;
        }
    }
}
