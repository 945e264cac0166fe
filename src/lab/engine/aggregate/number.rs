//! Aggregates of numbers: sums, extremes, spread, ranks, shares.

use super::super::settings::Deviation;
use super::super::value::Value;
use super::measure::Measure;
use super::{list, object, whole};

/// Most buckets of a histogram. New Relic's page on `histogram`.
pub(in super::super) const HISTOGRAM_BUCKETS_MAX: usize = 500;

/// A finite number, or nothing.
fn number(number: f64) -> Value {
    if number.is_finite() { Value::Number(number) } else { Value::Null }
}

/// A field of a metric's point; nothing if the value is none.
fn field(value: &Value, names: &[&str]) -> Option<f64> {
    let Value::Object(fields) = value else { return None };
    fields.iter().find(|(name, _)| &**name == "type")?;
    names.iter().find_map(|name| fields.iter().find(|(field, _)| &**field == *name).and_then(|(_, value)| value.as_number()))
}

/// `sum`: 0 of nothing.
#[derive(Debug, Clone)]
pub(super) struct Sum;

impl Measure for Sum {
    type State = f64;

    fn add(&self, state: &mut Self::State, number: f64, _: i64) {
        *state += number;
    }

    fn add_value(&self, state: &mut Self::State, value: &Value, ms: i64) {
        let number = field(value, &["total", "count"]).unwrap_or_else(|| super::super::expression::number_of(value));
        if !number.is_nan() {
            self.add(state, number, ms);
        }
    }

    fn merge(&self, state: &mut Self::State, other: &Self::State) {
        *state += other;
    }

    fn value(&self, state: &Self::State, _: i64) -> Value {
        number(*state)
    }
}

/// `average`: of sums made smaller by a power of two, so that numbers at the end of the range have a mean too.
#[derive(Debug, Clone)]
pub(super) struct Average;

/// 2 to the power of -64: a product with it is exact.
const SMALLER: f64 = 1.0 / 18_446_744_073_709_551_616.0;

impl Measure for Average {
    type State = (f64, f64);

    fn add(&self, state: &mut Self::State, number: f64, _: i64) {
        *state = (state.0 + number * SMALLER, state.1 + 1.0);
    }

    fn add_value(&self, state: &mut Self::State, value: &Value, ms: i64) {
        if let Some((total, count)) = field(value, &["total"]).zip(field(value, &["count"])) {
            *state = (state.0 + total * SMALLER, state.1 + count);
            return;
        }
        let number = super::super::expression::number_of(value);
        if !number.is_nan() {
            self.add(state, number, ms);
        }
    }

    fn merge(&self, state: &mut Self::State, other: &Self::State) {
        *state = (state.0 + other.0, state.1 + other.1);
    }

    fn value(&self, state: &Self::State, _: i64) -> Value {
        number(state.0 / state.1 / SMALLER)
    }
}

/// `max`, and without `GREATEST` `min`.
#[derive(Debug, Clone)]
pub(super) struct Extreme<const GREATEST: bool>;

impl<const GREATEST: bool> Measure for Extreme<GREATEST> {
    type State = Option<f64>;

    fn add(&self, state: &mut Self::State, number: f64, _: i64) {
        if state.is_none_or(|held| if GREATEST { number > held } else { number < held }) {
            *state = Some(number);
        }
    }

    fn add_value(&self, state: &mut Self::State, value: &Value, ms: i64) {
        let number =
            field(value, &[if GREATEST { "max" } else { "min" }]).unwrap_or_else(|| super::super::expression::number_of(value));
        if !number.is_nan() {
            self.add(state, number, ms);
        }
    }

    fn merge(&self, state: &mut Self::State, other: &Self::State) {
        if let Some(number) = other {
            self.add(state, *number, 0);
        }
    }

    fn value(&self, state: &Self::State, _: i64) -> Value {
        state.map_or(Value::Null, number)
    }
}

/// `stdvar`, `stddev`: count, mean and sum of squared distances, which stay exact where a sum of squares would not.
#[derive(Debug, Clone)]
pub(super) struct Variance {
    pub(super) by: Deviation,
    pub(super) root: bool,
}

impl Measure for Variance {
    type State = (f64, f64, f64);

    fn add(&self, (count, mean, squares): &mut Self::State, number: f64, _: i64) {
        *count += 1.0;
        let distance = number - *mean;
        *mean += distance / *count;
        *squares += distance * (number - *mean);
    }

    fn merge(&self, state: &mut Self::State, other: &Self::State) {
        let count = state.0 + other.0;
        if other.0 > 0.0 {
            let distance = other.1 - state.1;
            let mean = state.1 + distance * other.0 / count;
            *state = (count, mean, state.2 + other.2 + distance * distance * state.0 * other.0 / count);
        }
    }

    fn value(&self, state: &Self::State, _: i64) -> Value {
        let by = match self.by {
            Deviation::Population => state.0,
            Deviation::Sample => state.0 - 1.0,
        };
        let variance = state.2 / by;
        number(if self.root { variance.sqrt() } else { variance })
    }
}

/// `percentile`: the least value that so many percent of all values do not exceed (nearest rank).
#[derive(Debug, Clone)]
pub(super) struct Percentile(pub(super) Vec<f64>);

impl Measure for Percentile {
    type State = Vec<f64>;

    fn add(&self, state: &mut Self::State, number: f64, _: i64) {
        state.push(number);
    }

    fn merge(&self, state: &mut Self::State, other: &Self::State) {
        state.extend_from_slice(other);
    }

    fn value(&self, state: &Self::State, _: i64) -> Value {
        let mut numbers = state.clone();
        let ranks: Vec<(String, Value)> = self.0.iter().map(|rank| (rank.to_string(), at_rank(&mut numbers, *rank))).collect();
        object(ranks.iter().map(|(rank, value)| (rank.as_str(), value.clone())))
    }
}

/// The number at a rank. The order of the numbers changes.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of values")]
fn at_rank(numbers: &mut [f64], rank: f64) -> Value {
    if numbers.is_empty() {
        return Value::Null;
    }
    let position = (rank / 100.0 * numbers.len() as f64).ceil().max(1.0) as usize - 1;
    let position = position.min(numbers.len() - 1);
    number(*numbers.select_nth_unstable_by(position, f64::total_cmp).1)
}

/// `cdfPercentage`: the percentage of values up to each threshold.
#[derive(Debug, Clone)]
pub(super) struct Share(pub(super) Vec<f64>);

impl Measure for Share {
    type State = (u64, Vec<u64>);

    fn add(&self, (all, up_to): &mut Self::State, number: f64, _: i64) {
        *all += 1;
        up_to.resize(self.0.len(), 0);
        for (count, limit) in up_to.iter_mut().zip(&self.0) {
            *count += u64::from(number <= *limit);
        }
    }

    fn merge(&self, (all, up_to): &mut Self::State, other: &Self::State) {
        *all += other.0;
        up_to.resize(self.0.len(), 0);
        up_to.iter_mut().zip(&other.1).for_each(|(count, more)| *count += more);
    }

    fn value(&self, (all, up_to): &Self::State, _: i64) -> Value {
        if *all == 0 {
            return Value::Null;
        }
        let shares: Vec<(String, Value)> = self
            .0
            .iter()
            .zip(up_to)
            .map(|(limit, count)| (limit.to_string(), number(100.0 * *count as f64 / *all as f64)))
            .collect();
        object(shares.iter().map(|(limit, share)| (limit.as_str(), share.clone())))
    }
}

/// `apdex`: satisfied up to the threshold, tolerating up to four times it, frustrated beyond.
#[derive(Debug, Clone)]
pub(super) struct Apdex(pub(super) f64);

impl Measure for Apdex {
    type State = [u64; 3];

    fn add(&self, [satisfied, tolerating, frustrated]: &mut Self::State, number: f64, _: i64) {
        let which = match number {
            fast if fast <= self.0 => satisfied,
            slow if slow <= 4.0 * self.0 => tolerating,
            _ => frustrated,
        };
        *which += 1;
    }

    fn merge(&self, state: &mut Self::State, other: &Self::State) {
        state.iter_mut().zip(other).for_each(|(count, more)| *count += more);
    }

    fn value(&self, [satisfied, tolerating, frustrated]: &Self::State, _: i64) -> Value {
        let all = satisfied + tolerating + frustrated;
        let score = (*satisfied as f64 + *tolerating as f64 / 2.0) / all as f64;
        object([
            ("score", number(score)),
            ("s", whole(*satisfied)),
            ("t", whole(*tolerating)),
            ("f", whole(*frustrated)),
            ("count", whole(all)),
        ])
    }
}

/// `histogram`: what lies below the range goes into the first bucket, what lies above into the last.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    pub(super) width: f64,
    pub(super) buckets: usize,
    pub(super) start: f64,
}

impl Measure for Histogram {
    type State = Vec<u64>;

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a conversion of a double stops at the ends")]
    fn add(&self, state: &mut Self::State, number: f64, _: i64) {
        state.resize(self.buckets, 0);
        let bucket = ((number - self.start) / self.width * self.buckets as f64).floor() as usize;
        if let Some(count) = state.get_mut(bucket.min(self.buckets - 1)) {
            *count += 1;
        }
    }

    fn merge(&self, state: &mut Self::State, other: &Self::State) {
        state.resize(self.buckets, 0);
        state.iter_mut().zip(other).for_each(|(count, more)| *count += more);
    }

    fn value(&self, state: &Self::State, _: i64) -> Value {
        list((0..self.buckets).map(|bucket| whole(state.get(bucket).copied().unwrap_or(0))))
    }
}
