//! Which records completed a correlation, and in which groups.
//!
//! In: completions. Out: whether a record is one of them, and whether a group has told something near a time. What always holds: it
//! outlives the records of a group, so what was pushed out for want of room is neither told twice nor taken back from a record that
//! comes again; one that an exception mutes is known, and keeps nobody else from being told.

use std::collections::BTreeMap;

use super::feed::Digest;

/// About what one completion takes, bytes.
const BYTES: usize = 96;

/// Group, time, record.
type Completion = (Digest, i64, Digest);

const LEAST: Digest = [0; 2];
const MOST: Digest = [u64::MAX; 2];

/// The completions of one correlation.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Whether an exception muted it.
    by_group: BTreeMap<Completion, bool>,
}

impl Told {
    /// Whether this record completed the correlation in this group.
    pub(super) fn has(&self, group: Digest, time_ms: i64, id: Digest) -> bool {
        self.by_group.contains_key(&(group, time_ms, id))
    }

    /// Whether nothing less than a timespan away speaks against a completion: for one that is muted any other, else one that was told.
    pub(super) fn is_quiet(&self, group: Digest, time_ms: i64, timespan_ms: i64, is_muted: bool) -> bool {
        let from = (group, time_ms.saturating_sub(timespan_ms).saturating_add(1), LEAST);
        let to = (group, time_ms.saturating_add(timespan_ms).saturating_sub(1), MOST);
        self.by_group.range(from..=to).all(|(_, was_muted)| *was_muted && !is_muted)
    }

    pub(super) fn add(&mut self, group: Digest, time_ms: i64, id: Digest, is_muted: bool) {
        self.by_group.insert((group, time_ms, id), is_muted);
    }

    pub(super) fn len(&self) -> usize {
        self.by_group.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.by_group.len() * BYTES
    }

    /// Drops what is older.
    pub(super) fn forget(&mut self, horizon_ms: i64) {
        self.by_group.retain(|(_, time_ms, _), _| *time_ms >= horizon_ms);
    }

    /// Drops the oldest, a tenth of all, at least one. Returns how many.
    pub(super) fn drop_oldest(&mut self) -> usize {
        let mut ages: Vec<(i64, Completion)> = self.by_group.keys().map(|key| (key.1, *key)).collect();
        ages.sort_unstable();
        ages.truncate((ages.len() / 10).max(1));
        for (_, key) in &ages {
            self.by_group.remove(key);
        }
        ages.len()
    }
}
