//! What a window of a group's records holds.
//!
//! In: records that come into it and go out of it. Out: whether it holds what a correlation wants. What always holds: the answer
//! depends on the records in it and on nothing that was in it before; a record costs no more than the logarithm of their number, or
//! of a thousand numbers that stand in order.

use std::collections::{HashMap, VecDeque};

use super::compiled::Correlation;
use super::group::Hit;
use super::spec::{Kind, Want};

/// About what a window takes without records, and for each value, bytes.
const BYTES: usize = 256;
const VALUE_BYTES: usize = 32;

/// What is in a window.
#[derive(Debug, Default)]
pub(super) struct Window {
    records: usize,
    /// Records of each rule.
    slots: Vec<u32>,
    /// Times of the records of each rule, in order; where the order of rules matters.
    times: Vec<VecDeque<i64>>,
    /// Records of each value.
    values: HashMap<u64, u32>,
    /// Sorted.
    numbers: Vec<f64>,
}

impl Window {
    pub(super) fn put(&mut self, correlation: &Correlation, hit: &Hit) {
        self.records += 1;
        match correlation.kind {
            Kind::EventCount => {}
            Kind::Temporal => {
                self.slots.resize(correlation.sources.len(), 0);
                for (slot, count) in self.slots.iter_mut().enumerate() {
                    *count += u32::from(hit.is_of(slot));
                }
            }
            Kind::TemporalOrdered => {
                self.times.resize(correlation.sources.len(), VecDeque::new());
                for (_, times) in self.times.iter_mut().enumerate().filter(|(slot, _)| hit.is_of(*slot)) {
                    times.insert(times.partition_point(|ms| *ms <= hit.time_ms), hit.time_ms);
                }
            }
            Kind::ValueCount => {
                for value in &hit.values {
                    *self.values.entry(*value).or_default() += 1;
                }
            }
            Kind::ValueSum | Kind::ValueAvg | Kind::ValuePercentile(_) | Kind::ValueMedian => {
                self.numbers.insert(self.numbers.partition_point(|number| number.total_cmp(&hit.number).is_lt()), hit.number);
            }
        }
    }

    /// Takes out what was put in.
    pub(super) fn take(&mut self, correlation: &Correlation, hit: &Hit) {
        self.records = self.records.saturating_sub(1);
        match correlation.kind {
            Kind::EventCount => {}
            Kind::Temporal => {
                for (slot, count) in self.slots.iter_mut().enumerate() {
                    *count = count.saturating_sub(u32::from(hit.is_of(slot)));
                }
            }
            Kind::TemporalOrdered => {
                for (_, times) in self.times.iter_mut().enumerate().filter(|(slot, _)| hit.is_of(*slot)) {
                    times.remove(times.partition_point(|ms| *ms < hit.time_ms));
                }
            }
            Kind::ValueCount => {
                for value in &hit.values {
                    if let Some(count) = self.values.get_mut(value) {
                        *count -= 1;
                        if *count == 0 {
                            self.values.remove(value);
                        }
                    }
                }
            }
            Kind::ValueSum | Kind::ValueAvg | Kind::ValuePercentile(_) | Kind::ValueMedian => {
                let at = self.numbers.partition_point(|number| number.total_cmp(&hit.number).is_lt());
                if at < self.numbers.len() {
                    self.numbers.remove(at);
                }
            }
        }
    }

    /// Takes everything out.
    pub(super) fn clear(&mut self) {
        self.records = 0;
        self.slots.fill(0);
        self.times.iter_mut().for_each(VecDeque::clear);
        self.values.clear();
        self.numbers.clear();
    }

    /// About what it takes, bytes.
    pub(super) fn bytes(&self) -> usize {
        let times: usize = self.times.iter().map(|times| times.capacity() * size_of::<i64>()).sum();
        BYTES + times + self.values.capacity() * VALUE_BYTES + self.numbers.capacity() * size_of::<f64>()
    }

    /// Whether it holds what is wanted.
    pub(super) fn holds(&self, correlation: &Correlation) -> bool {
        let has = |slot: &usize| self.slots.get(*slot).is_some_and(|count| *count > 0);
        match &correlation.want {
            Want::Every if correlation.kind == Kind::TemporalOrdered => self.has_row(correlation.sources.len()),
            Want::Every => (0..correlation.sources.len()).all(|slot| has(&slot)),
            Want::Rules(expr) => expr.holds(&mut |slot| has(slot)),
            Want::Number(range) => self.records > 0 && self.number(correlation.kind).is_some_and(|number| range.holds(number)),
        }
    }

    /// Whether records of all rules come in their order; of the same time none is first. Looked for from the end: for each rule the
    /// latest record that is not after the one of the next rule.
    fn has_row(&self, rules: usize) -> bool {
        let mut end_ms = i64::MAX;
        self.times.len() == rules
            && self.times.iter().rev().all(|times| {
                let before = times.partition_point(|ms| *ms <= end_ms);
                let latest = before.checked_sub(1).and_then(|at| times.get(at));
                latest.is_some_and(|ms| {
                    end_ms = *ms;
                    true
                })
            })
    }

    /// The number that the kind makes of the records. Sums are made of sorted numbers, so that no order of arrival changes one.
    fn number(&self, kind: Kind) -> Option<f64> {
        let count = |count: usize| count as f64;
        let sum = || self.numbers.iter().sum::<f64>();
        match kind {
            Kind::EventCount => Some(count(self.records)),
            Kind::ValueCount => Some(count(self.values.len())),
            Kind::Temporal | Kind::TemporalOrdered => Some(count(self.slots.iter().filter(|count| **count > 0).count())),
            Kind::ValueSum => Some(sum()),
            Kind::ValueAvg => Some(sum() / count(self.records)),
            Kind::ValuePercentile(percent) => percentile(&self.numbers, percent),
            Kind::ValueMedian => median(&self.numbers),
        }
    }
}

/// The least number that at least so many percent do not exceed (nearest rank).
fn percentile(sorted: &[f64], percent: f64) -> Option<f64> {
    let below = |rank: usize| (rank as f64) * 100.0 < percent * sorted.len() as f64;
    let (mut from, mut to) = (0, sorted.len());
    while from < to {
        let middle = usize::midpoint(from, to);
        if below(middle + 1) { from = middle + 1 } else { to = middle }
    }
    sorted.get(from).copied()
}

/// The number in the middle; of an even count the mean of both.
fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    sorted.get(middle - 1).map(|lower| lower.midpoint(upper))
}
