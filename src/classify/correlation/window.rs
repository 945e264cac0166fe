//! Whether some window of time holds what a correlation wants.
//!
//! In: the records of one group, by time, and one of them. Out: yes or no. A window ends with a record and holds those less than a
//! timespan before it: what comes later cannot take back what it says. What always holds: every window that holds the record is
//! looked at; nothing is kept.

use std::collections::HashMap;

use super::compiled::Correlation;
use super::spec::{Kind, Want};
use super::state::Hit;

/// Whether a window with the record at `at` holds what is wanted. `hits` are sorted by time.
pub(super) fn satisfied(correlation: &Correlation, hits: &[Hit], at: usize) -> bool {
    let Some(own_ms) = hits.get(at).map(|hit| hit.time_ms) else { return false };
    let span_ms = correlation.timespan_ms;
    let from = hits.partition_point(|hit| hit.time_ms <= own_ms.saturating_sub(span_ms));
    let to = hits.partition_point(|hit| hit.time_ms < own_ms.saturating_add(span_ms));
    let near = hits.get(from..to).unwrap_or_default();
    if correlation.kind == Kind::TemporalOrdered {
        return in_order(near, own_ms, span_ms, correlation.sources.len());
    }
    let mut window = Window::new(correlation);
    let (mut first, mut next) = (0, 0);
    // In the order of time there is one: it ends with the record itself.
    for same in near.chunk_by(|a, b| a.time_ms == b.time_ms) {
        let Some(end_ms) = same.first().map(|hit| hit.time_ms) else { continue };
        for hit in same {
            window.put(hit);
            next += 1;
        }
        if end_ms < own_ms {
            continue;
        }
        while let Some(hit) = near.get(first).filter(|hit| first < next && hit.time_ms <= end_ms.saturating_sub(span_ms)) {
            window.take(hit);
            first += 1;
        }
        if window.holds() {
            return true;
        }
    }
    false
}

/// Whether records of all rules come in their order, in one window with `own_ms`. Records of the same time may stand in any order.
fn in_order(near: &[Hit], own_ms: i64, span_ms: i64, rules: usize) -> bool {
    // The latest time at which a row of records up to each rule can have begun.
    let mut begun: Vec<Option<i64>> = vec![None; rules];
    for same in near.chunk_by(|a, b| a.time_ms == b.time_ms) {
        let Some(time_ms) = same.first().map(|hit| hit.time_ms) else { continue };
        let slots = same.iter().fold(0, |slots, hit| slots | hit.slots);
        let mut before = Some(time_ms);
        for (slot, begun) in begun.iter_mut().enumerate() {
            if slots & (1 << slot) != 0 && before.is_some() {
                *begun = before.max(*begun);
            }
            before = *begun;
        }
        if slots & (1 << (rules - 1)) != 0
            && let Some(Some(begun_ms)) = begun.last()
            && time_ms.max(own_ms) - own_ms.min(*begun_ms) < span_ms
        {
            return true;
        }
    }
    false
}

/// What is in a window.
struct Window<'c, 'h> {
    correlation: &'c Correlation,
    records: usize,
    /// Records of each rule.
    slots: Vec<usize>,
    /// Records of each value.
    values: HashMap<&'h str, usize>,
    sum: f64,
    /// Sorted.
    numbers: Vec<f64>,
}

impl<'c, 'h> Window<'c, 'h> {
    fn new(correlation: &'c Correlation) -> Self {
        let slots = vec![0; correlation.sources.len()];
        Self { correlation, records: 0, slots, values: HashMap::new(), sum: 0.0, numbers: Vec::new() }
    }

    fn put(&mut self, hit: &'h Hit) {
        self.records += 1;
        match self.correlation.kind {
            Kind::EventCount => {}
            Kind::Temporal | Kind::TemporalOrdered => self.count_slots(hit, |count| count + 1),
            Kind::ValueCount => {
                for value in &hit.values {
                    *self.values.entry(value).or_default() += 1;
                }
            }
            Kind::ValueSum | Kind::ValueAvg => self.sum += hit.number,
            Kind::ValuePercentile(_) | Kind::ValueMedian => {
                let at = self.numbers.partition_point(|number| number.total_cmp(&hit.number).is_lt());
                self.numbers.insert(at, hit.number);
            }
        }
    }

    fn take(&mut self, hit: &'h Hit) {
        self.records = self.records.saturating_sub(1);
        match self.correlation.kind {
            Kind::EventCount => {}
            Kind::Temporal | Kind::TemporalOrdered => self.count_slots(hit, |count| count.saturating_sub(1)),
            Kind::ValueCount => {
                for value in &hit.values {
                    if let Some(count) = self.values.get_mut(&**value) {
                        *count -= 1;
                        if *count == 0 {
                            self.values.remove(&**value);
                        }
                    }
                }
            }
            Kind::ValueSum | Kind::ValueAvg => self.sum -= hit.number,
            Kind::ValuePercentile(_) | Kind::ValueMedian => {
                let at = self.numbers.partition_point(|number| number.total_cmp(&hit.number).is_lt());
                if at < self.numbers.len() {
                    self.numbers.remove(at);
                }
            }
        }
    }

    fn count_slots(&mut self, hit: &Hit, change: impl Fn(usize) -> usize) {
        for (slot, count) in self.slots.iter_mut().enumerate() {
            if hit.slots & (1 << slot) != 0 {
                *count = change(*count);
            }
        }
    }

    fn holds(&self) -> bool {
        let has = |slot: &usize| self.slots.get(*slot).is_some_and(|count| *count > 0);
        match &self.correlation.want {
            Want::Every => (0..self.slots.len()).all(|slot| has(&slot)),
            Want::Rules(expr) => expr.holds(&mut |slot| has(slot)),
            Want::Number(range) => self.records > 0 && self.number().is_some_and(|number| range.holds(number)),
        }
    }

    /// The number that the kind makes of the records.
    fn number(&self) -> Option<f64> {
        let count = |count: usize| count as f64;
        match self.correlation.kind {
            Kind::EventCount => Some(count(self.records)),
            Kind::ValueCount => Some(count(self.values.len())),
            Kind::Temporal | Kind::TemporalOrdered => Some(count(self.slots.iter().filter(|count| **count > 0).count())),
            Kind::ValueSum => Some(self.sum),
            Kind::ValueAvg => Some(self.sum / count(self.records)),
            Kind::ValuePercentile(percent) => percentile(&self.numbers, percent),
            Kind::ValueMedian => median(&self.numbers),
        }
    }
}

/// The least number that at least so many percent do not exceed (nearest rank).
fn percentile(sorted: &[f64], percent: f64) -> Option<f64> {
    let below = |rank: &usize| (*rank as f64) * 100.0 < percent * sorted.len() as f64;
    let rank = (1..sorted.len()).take_while(below).count();
    sorted.get(rank).copied()
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
