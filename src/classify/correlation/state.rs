//! What is remembered of the records that named rules matched.
//!
//! In: one record's part in a correlation. Out: whether it completes it. What always holds: a record is in a group once, whatever
//! comes twice, and keeps its answer; a group tells nothing twice within a timespan; groups, records of a group and records of a
//! correlation are bounded, the oldest go first and are counted.

use std::collections::HashMap;

use super::compiled::{Correlation, Correlations};
use super::feed::Feed;
use super::spec::{Kind, Want};
use super::window;

/// Most groups of one correlation.
pub(super) const GROUPS: usize = 10_000;

/// Most records of one correlation, in all groups.
pub(super) const HITS: usize = 100_000;

/// How far behind the newest record one may be and still find those of its windows: deliveries of `CloudTrail` are late by minutes,
/// a queue hands out again after hours.
pub(super) const BACK_MS: i64 = 24 * 3_600_000;

/// How far ahead of the clock a record may be: a time that is far off must not make all others old.
pub(super) const FORWARD_MS: i64 = 3_600_000;

/// One record in one group.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub(super) time_ms: i64,
    /// Account and event id.
    pub(super) id: Box<str>,
    /// A bit for each rule of the correlation that it matched.
    pub(super) slots: u64,
    pub(super) values: Vec<Box<str>>,
    pub(super) number: f64,
    /// It completed the correlation.
    pub(super) fired: bool,
}

/// The records of a group, by time and id.
#[derive(Debug, Default)]
struct Group {
    hits: Vec<Hit>,
    /// How many records hold each value, or are of each rule: what cannot be is seen at once.
    values: HashMap<Box<str>, u32>,
    slots: u64,
    /// When it was completed, in order; also by records that were thrown out.
    fired: Vec<i64>,
}

/// One correlation's groups.
#[derive(Debug, Default)]
struct Groups {
    by_key: HashMap<Box<str>, Group>,
    hits: usize,
    /// What is older than this was thrown out.
    horizon_ms: Option<i64>,
    added: usize,
}

/// What was thrown out before its time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lost {
    /// Records out of full groups, or of groups that were too many.
    pub(super) hits: u64,
    /// Records too far behind or ahead.
    pub(super) off: u64,
}

/// The state of all correlations.
#[derive(Debug)]
pub(super) struct State {
    groups: Vec<Groups>,
    newest_ms: Option<i64>,
    back_ms: i64,
    pub(super) lost: Lost,
}

impl State {
    /// Nothing remembered. `back_ms`: how far behind the newest record one may come.
    pub(super) fn new(back_ms: i64) -> Self {
        Self { groups: Vec::new(), newest_ms: None, back_ms, lost: Lost::default() }
    }

    /// Takes what a record feeds; gives the numbers of the rules of the correlations that it completes, children first.
    pub(super) fn offer(&mut self, correlations: &Correlations, time_ms: i64, id: &str, feeds: &[Feed], now_ms: i64) -> Vec<u32> {
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
            let horizon_ms = newest_ms.saturating_sub(self.back_ms).saturating_sub(correlation.timespan_ms);
            for (key, hit) in hits(of_one, time_ms, id, &fired) {
                if time_ms < horizon_ms {
                    self.lost.off += 1;
                } else if groups.offer(correlation, key, hit, horizon_ms, &mut self.lost) && !fired.contains(&correlation.rule) {
                    fired.push(correlation.rule);
                }
            }
        }
        fired
    }
}

/// The record in each group it belongs to. `fired`: correlations that it completed, which feed others.
fn hits<'f>(feeds: &'f [Feed], time_ms: i64, id: &str, fired: &[u32]) -> Vec<(&'f str, Hit)> {
    let mut found: Vec<(&str, Hit)> = Vec::new();
    for feed in feeds.iter().filter(|feed| feed.certain || fired.contains(&feed.source)) {
        let known = found.iter_mut().find(|(key, _)| *key == &*feed.key);
        if let Some((_, hit)) = known {
            hit.slots |= 1 << feed.slot;
            for value in &feed.values {
                if !hit.values.contains(value) {
                    hit.values.push(value.clone());
                }
            }
        } else {
            let (id, values) = (id.into(), feed.values.clone());
            found.push((&feed.key, Hit { time_ms, id, slots: 1 << feed.slot, values, number: feed.number, fired: false }));
        }
    }
    found
}

impl Groups {
    fn offer(&mut self, correlation: &Correlation, key: &str, hit: Hit, horizon_ms: i64, lost: &mut Lost) -> bool {
        self.forget_old(horizon_ms);
        if !self.by_key.contains_key(key) {
            self.by_key.insert(key.into(), Group::default());
        }
        let Some(group) = self.by_key.get_mut(key) else { return false };
        let at = match group.place(&hit) {
            // It came before: it counts once and is told the same.
            Ok(at) => return group.hits.get(at).is_some_and(|hit| hit.fired),
            Err(at) => at,
        };
        let time_ms = hit.time_ms;
        group.insert(at, hit);
        self.hits += 1;
        self.added += 1;
        let fires = group.could(correlation)
            && group.is_quiet(time_ms, correlation.timespan_ms)
            && window::satisfied(correlation, &group.hits, at);
        if let Some(hit) = group.hits.get_mut(at).filter(|_| fires) {
            hit.fired = true;
            group.fired.insert(group.fired.partition_point(|ms| *ms <= time_ms), time_ms);
        }
        let most = correlation.kind.hits_per_group();
        if group.hits.len() > most + most / 4 {
            let too_many = group.hits.len() - most;
            group.drop_first(too_many);
            self.hits = self.hits.saturating_sub(too_many);
            lost.hits += too_many as u64;
        }
        if self.by_key.len() > GROUPS || self.hits > HITS {
            lost.hits += self.drop_oldest_groups();
        }
        fires
    }

    /// Drops what no record can find any more. Looked for only when much has come since: a group that nothing comes to stays a while.
    fn forget_old(&mut self, horizon_ms: i64) {
        if self.added * 2 < self.hits.max(1_000) || self.horizon_ms.is_some_and(|known| known >= horizon_ms) {
            return;
        }
        self.added = 0;
        self.horizon_ms = Some(horizon_ms);
        for group in self.by_key.values_mut() {
            let old = group.hits.partition_point(|hit| hit.time_ms < horizon_ms);
            group.drop_first(old);
            group.fired.retain(|ms| *ms >= horizon_ms);
            self.hits = self.hits.saturating_sub(old);
        }
        self.by_key.retain(|_, group| !group.hits.is_empty());
    }

    /// Drops the groups that have been silent longest, a tenth of all, at least one. Gives the records in them.
    fn drop_oldest_groups(&mut self) -> u64 {
        let mut ages: Vec<(i64, Box<str>)> =
            self.by_key.iter().map(|(key, group)| (group.hits.last().map_or(i64::MIN, |hit| hit.time_ms), key.clone())).collect();
        ages.sort_unstable();
        let mut dropped = 0;
        for (_, key) in ages.into_iter().take((self.by_key.len() / 10).max(1)) {
            dropped += self.by_key.remove(&key).map_or(0, |group| group.hits.len());
        }
        self.hits = self.hits.saturating_sub(dropped);
        dropped as u64
    }
}

impl Group {
    fn place(&self, hit: &Hit) -> Result<usize, usize> {
        self.hits.binary_search_by(|known| known.time_ms.cmp(&hit.time_ms).then_with(|| known.id.cmp(&hit.id)))
    }

    fn insert(&mut self, at: usize, hit: Hit) {
        for value in &hit.values {
            *self.values.entry(value.clone()).or_default() += 1;
        }
        self.slots |= hit.slots;
        self.hits.insert(at, hit);
    }

    fn drop_first(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        for hit in self.hits.drain(..count.min(self.hits.len())) {
            for value in &hit.values {
                if let Some(held) = self.values.get_mut(value) {
                    *held -= 1;
                    if *held == 0 {
                        self.values.remove(value);
                    }
                }
            }
        }
        self.slots = self.hits.iter().fold(0, |slots, hit| slots | hit.slots);
    }

    /// Whether all records together have enough; a window of them has no more.
    fn could(&self, correlation: &Correlation) -> bool {
        match (&correlation.want, correlation.kind) {
            (Want::Number(range), Kind::EventCount) => !range.is_above(self.hits.len()),
            (Want::Number(range), Kind::ValueCount) => !range.is_above(self.values.len()),
            (Want::Every, _) => self.slots.count_ones() as usize == correlation.sources.len(),
            _ => true,
        }
    }

    /// Whether no record less than a timespan away completed the correlation.
    fn is_quiet(&self, own_ms: i64, timespan_ms: i64) -> bool {
        let next = self.fired.partition_point(|ms| *ms <= own_ms.saturating_sub(timespan_ms));
        self.fired.get(next).is_none_or(|ms| *ms >= own_ms.saturating_add(timespan_ms))
    }
}
