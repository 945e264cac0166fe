//! What is remembered of the records that named rules matched.
//!
//! In: one record's part in a correlation. Out: whether it completes it. What always holds: a record is in a group once, whatever
//! comes twice, and keeps its answer; a group tells nothing twice within a timespan, and what an exception mutes is not told; all
//! together is bounded in bytes, of the correlation that takes most the oldest go first and are counted.

use std::collections::HashMap;

use super::compiled::{Correlation, Correlations};
use super::feed::{Digest, Feed};
use super::group::{Group, Hit};
use super::told::Told;

/// Most bytes of all correlations together.
pub(super) const BYTES: usize = 16 << 20;

/// How far behind the newest record one may be and still find those of its windows: a queue hands out again after hours, and one
/// account's records may come long after another's.
pub(super) const BACK_MS: i64 = 24 * 3_600_000;

/// How far behind the newest record of its own group: deliveries of `CloudTrail` are late by minutes.
pub(super) const LATE_MS: i64 = 3_600_000;

/// How far ahead of the clock a record may be: a time that is far off must not make all others old.
pub(super) const FORWARD_MS: i64 = 3_600_000;

/// How much must have come before old groups are looked for.
const SWEEP: usize = 500;

/// How far from the order of time records may come, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disorder {
    pub(super) back_ms: i64,
    pub(super) late_ms: i64,
}

impl Disorder {
    /// As they come to an agent.
    pub(super) const LIVE: Self = Self { back_ms: BACK_MS, late_ms: LATE_MS };

    /// In the order of time.
    pub(super) const SORTED: Self = Self { back_ms: 0, late_ms: 0 };
}

/// One correlation's groups.
#[derive(Debug, Default)]
struct Groups {
    by_key: HashMap<Digest, Group>,
    /// All but what was told, bytes.
    bytes: usize,
    told: Told,
    /// Records since old groups were looked for.
    added: usize,
}

/// What was thrown out before its time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lost {
    /// Records that would still count, out of full groups or for want of room.
    pub(super) hits: u64,
    /// Records too far behind or ahead.
    pub(super) off: u64,
}

/// The state of all correlations.
#[derive(Debug)]
pub(super) struct State {
    groups: Vec<Groups>,
    newest_ms: Option<i64>,
    disorder: Disorder,
    bytes: usize,
    pub(super) lost: Lost,
}

/// A record that is offered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offered<'o> {
    pub(super) time_ms: i64,
    /// Of account and event id.
    pub(super) id: Digest,
    pub(super) feeds: &'o [Feed],
    /// Rules of correlations that an exception mutes for this record.
    pub(super) muted: &'o [u32],
}

impl State {
    /// `bytes`: most that is kept.
    pub(super) fn new(disorder: Disorder, bytes: usize) -> Self {
        Self { groups: Vec::new(), newest_ms: None, disorder, bytes, lost: Lost::default() }
    }

    /// Takes what a record feeds; gives the numbers of the rules of the correlations that it completes, children first.
    pub(super) fn offer(&mut self, correlations: &Correlations, record: Offered<'_>, now_ms: i64) -> Vec<u32> {
        let Offered { time_ms, id, feeds, muted } = record;
        let mut fired: Vec<u32> = Vec::new();
        if time_ms > now_ms.saturating_add(FORWARD_MS) {
            self.lost.off += 1;
            return fired;
        }
        let newest_ms = self.newest_ms.map_or(time_ms, |newest_ms| newest_ms.max(time_ms));
        self.newest_ms = Some(newest_ms);
        if self.groups.len() < correlations.list.len() {
            self.groups.resize_with(correlations.list.len(), Groups::default);
        }
        for of_one in feeds.chunk_by(|a, b| a.correlation == b.correlation) {
            let Some(at) = of_one.first().map(|feed| feed.correlation) else { continue };
            let (Some(correlation), Some(groups)) = (correlations.list.get(at), self.groups.get_mut(at)) else { continue };
            let horizon_ms = newest_ms.saturating_sub(self.disorder.back_ms).saturating_sub(correlation.timespan_ms);
            let is_muted = muted.contains(&correlation.rule);
            groups.forget_old(horizon_ms);
            for (key, hit) in hits(of_one, time_ms, id, &fired) {
                // What completed it came before, whatever has become of its group.
                let completes = groups.told.has(key, time_ms, id)
                    || if time_ms < horizon_ms {
                        self.lost.off += 1;
                        false
                    } else {
                        groups.offer(correlation, key, hit, is_muted, self.disorder.late_ms, &mut self.lost)
                    };
                if completes && !fired.contains(&correlation.rule) {
                    fired.push(correlation.rule);
                }
            }
        }
        self.make_room(correlations, newest_ms);
        fired
    }

    /// Drops the oldest of the correlation that takes most until there is room.
    fn make_room(&mut self, correlations: &Correlations, newest_ms: i64) {
        while self.bytes() > self.bytes {
            let most = self.groups.iter_mut().zip(&correlations.list).max_by_key(|(groups, _)| groups.all_bytes());
            let Some((groups, correlation)) = most else { return };
            let dropped = if groups.told.bytes() > groups.bytes {
                groups.told.drop_oldest() as u64
            } else {
                let span_ms = correlation.timespan_ms.saturating_add(self.disorder.late_ms);
                groups.drop_oldest(newest_ms.saturating_sub(span_ms))
            };
            self.lost.hits += dropped;
        }
    }

    /// What it takes now.
    pub(super) fn bytes(&self) -> usize {
        self.groups.iter().map(Groups::all_bytes).sum()
    }
}

/// The record in each group it belongs to. `fired`: correlations that it completed, which feed others.
fn hits(feeds: &[Feed], time_ms: i64, id: Digest, fired: &[u32]) -> Vec<(Digest, Hit)> {
    let mut found: Vec<(Digest, Hit)> = Vec::new();
    for feed in feeds.iter().filter(|feed| feed.certain || fired.contains(&feed.source)) {
        let known = found.iter_mut().find(|(key, _)| *key == feed.group);
        if let Some((_, hit)) = known {
            hit.slots |= 1 << feed.slot;
            for value in &feed.values {
                if !hit.values.contains(value) {
                    hit.values.push(*value);
                }
            }
        } else {
            let (slots, values, number) = (1 << feed.slot, feed.values.clone(), feed.number);
            found.push((feed.group, Hit { time_ms, id, slots, values, number }));
        }
    }
    found
}

impl Groups {
    fn all_bytes(&self) -> usize {
        self.bytes + self.told.bytes()
    }

    fn offer(&mut self, correlation: &Correlation, key: Digest, hit: Hit, is_muted: bool, late_ms: i64, lost: &mut Lost) -> bool {
        let Self { by_key, bytes, told, added } = self;
        let group = by_key.entry(key).or_default();
        let before = if group.newest_ms().is_none() { 0 } else { group.bytes() };
        let (time_ms, id, span_ms) = (hit.time_ms, hit.id, correlation.timespan_ms);
        let newest_ms = group.newest_ms().map_or(time_ms, |newest_ms| newest_ms.max(time_ms));
        let horizon_ms = newest_ms.saturating_sub(span_ms).saturating_sub(late_ms);
        if time_ms < horizon_ms {
            lost.off += 1;
            return false;
        }
        let completes = match group.put(correlation, hit) {
            // It came before: it counts once.
            None => false,
            Some(at) => told.is_quiet(key, time_ms, span_ms, is_muted) && group.completes(correlation, at),
        };
        if completes {
            told.add(key, time_ms, id, is_muted);
        }
        lost.hits += group.trim(correlation, horizon_ms, correlation.kind.hits_per_group(), newest_ms.saturating_sub(span_ms));
        *bytes = (*bytes + group.bytes()).saturating_sub(before);
        *added += 1;
        completes
    }

    /// Drops what no record can find any more. Looked for only when as much has come since as half of what is there: a group that
    /// nothing comes to stays a while.
    fn forget_old(&mut self, horizon_ms: i64) {
        if self.added * 2 < (self.by_key.len() + self.told.len()).max(SWEEP * 2) {
            return;
        }
        self.added = 0;
        self.told.forget(horizon_ms);
        let bytes = &mut self.bytes;
        self.by_key.retain(|_, group| {
            let is_kept = group.newest_ms().is_some_and(|ms| ms >= horizon_ms);
            if !is_kept {
                *bytes = bytes.saturating_sub(group.bytes());
            }
            is_kept
        });
        if self.by_key.capacity() / 4 > self.by_key.len() {
            self.by_key.shrink_to(self.by_key.len() * 2);
        }
    }

    /// Drops the groups that have been silent longest, a tenth of all, at least one. Returns how many of their records were not older
    /// than `counts_ms`. What they told is kept.
    fn drop_oldest(&mut self, counts_ms: i64) -> u64 {
        let mut ages: Vec<(Option<i64>, Digest)> = self.by_key.iter().map(|(key, group)| (group.newest_ms(), *key)).collect();
        ages.sort_unstable();
        let mut lost = 0;
        for (_, key) in ages.into_iter().take((self.by_key.len() / 10).max(1)) {
            if let Some(group) = self.by_key.remove(&key) {
                lost += group.since(counts_ms);
                self.bytes = self.bytes.saturating_sub(group.bytes());
            }
        }
        if self.by_key.is_empty() {
            // Whoever makes room must come to an end.
            self.bytes = 0;
        }
        lost as u64
    }
}
