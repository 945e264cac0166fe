//! Which record showed a pair first, of all that a replay reads.
//!
//! In: what records show, in any order. Out: the answers that they would have got in the order of their time. What always holds:
//! the answers do not depend on the order, unless there was no room for all pairs: then those that had none are unknown.

use std::collections::HashMap;

use super::{NoveltyTallies, Shown};
use crate::record::{Novelties, Novelty};

/// Bytes of memory a pair takes, with its share of what the map keeps free.
const PAIR_BYTES: usize = 48;

/// Pairs and the records that showed them first.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    most: usize,
    /// Time and record.
    first: HashMap<u64, (i64, u32)>,
    /// By account the time of its first record.
    since: HashMap<u64, i64>,
    /// Times that a pair was shown and had no room: one is counted as often as records showed it.
    lost: u64,
}

impl Gathered {
    /// Room for so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self { most: (bytes / PAIR_BYTES).max(1), ..Self::default() }
    }

    /// Takes note of a record.
    pub(super) fn note(&mut self, shown: Shown) {
        let Self { most, first, since, lost } = self;
        if since.len() < super::ACCOUNTS || since.contains_key(&shown.account) {
            let since = since.entry(shown.account).or_insert(shown.time_ms);
            *since = shown.time_ms.min(*since);
        }
        for key in [shown.api, shown.address].into_iter().flatten() {
            let this = (shown.time_ms, shown.record);
            let has_room = first.len() < *most;
            match first.get_mut(&key) {
                Some(first) => *first = this.min(*first),
                None if has_room => {
                    first.insert(key, this);
                }
                None => *lost += 1,
            }
        }
    }

    /// What the record would have been told.
    pub(super) fn answer(&self, shown: Shown, learning_ms: i64) -> Novelties {
        let since = self.since.get(&shown.account);
        let is_learned = since.is_some_and(|since| shown.time_ms.saturating_sub(*since) >= learning_ms);
        shown.answered(|key| match self.first.get(&key) {
            Some(first) if *first != (shown.time_ms, shown.record) => Novelty::Known,
            Some(_) if is_learned => Novelty::New,
            Some(_) | None => Novelty::Unknown,
        })
    }

    pub(super) fn tallies(&self) -> NoveltyTallies {
        NoveltyTallies { pairs: self.first.len() as u64, pushed: self.lost }
    }
}
