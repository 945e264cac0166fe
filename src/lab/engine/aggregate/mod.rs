//! Aggregates: many rows in, one value for each slot out.
//!
//! In: rows, each with the slot it belongs to: a group, a bucket, or both. Out: a value for each slot. What always holds: aggregates
//! are exact, where New Relic's are approximate above some size (`uniqueCount`, `percentile`, `funnel`); what is missing is skipped;
//! an aggregate of nothing is 0 if it counts, else null.

mod count;
mod distinct;
mod keyset;
mod measure;
mod moment;
mod number;
mod seen;
mod slope;

#[cfg(test)]
mod tests;

use super::expression::{Batch, Evaluator, Node};
use super::relation::Relation;
use super::settings::Switches;
use super::value::Value;

pub(super) use number::HISTOGRAM_BUCKETS_MAX;

/// One aggregate of a query.
#[derive(Debug, Clone)]
pub(super) struct Aggregate {
    pub(super) function: Function,
    /// Only rows that satisfy it.
    pub(super) filter: Option<Node>,
}

/// What an aggregate computes, with its arguments.
#[derive(Debug, Clone)]
pub(super) enum Function {
    /// Rows.
    CountAll,
    /// Rows where the value is there.
    Count(Node),
    Sum(Node),
    Average(Node),
    Min(Node),
    Max(Node),
    /// The value of the row with the greatest timestamp.
    Latest(Node),
    /// Of the least.
    Earliest(Node),
    /// Square root of the variance.
    Deviation(Node),
    Variance(Node),
    /// Ranks from 0 to 100.
    Percentile(Node, Vec<f64>),
    /// Percentage of values up to each threshold.
    Share(Node, Vec<f64>),
    Apdex(Node, f64),
    /// Width of the whole range, number of buckets, start.
    Histogram {
        value: Node,
        width: f64,
        buckets: usize,
        start: f64,
    },
    /// Slope of a line through all points, for so many ms.
    Slope(Node, f64),
    /// The line's value so many ms after the end of the bucket or window.
    Predict(Node, f64),
    /// Slope of the last two points, for so many ms.
    LatestRate(Node, f64),
    /// Distinct combinations.
    UniqueCount(Vec<Node>),
    /// At most so many.
    Uniques(Node, usize),
    /// Distinct values that satisfy the first, the first two, … conditions.
    Funnel(Node, Vec<Node>),
    /// Names of attributes.
    Keyset,
    /// Bytes of the rows as JSON.
    Bytes,
}

impl Function {
    /// What it reads of rows without which a group is not made: see [`Accumulator::has`].
    pub(super) const fn needs_value(&self) -> bool {
        !matches!(self, Self::CountAll | Self::Keyset | Self::Bytes)
    }

    /// Whether groups are ordered by it under the documented order of facets.
    pub(super) const fn orders_facets(&self) -> bool {
        matches!(self, Self::CountAll | Self::Count(_) | Self::Min(_) | Self::Max(_) | Self::Average(_) | Self::Percentile(..))
    }

    /// Whether its value is a list, by which groups have no order.
    pub(super) const fn is_list(&self) -> bool {
        matches!(self, Self::Uniques(..) | Self::Histogram { .. } | Self::Funnel(..))
    }

    /// Bytes its slots take, about, once rows are added; what grows with distinct values tells [`Accumulator::held`].
    pub(super) fn bytes(&self, slots: u64, rows: u64) -> u64 {
        let few = |many: usize| 8 * many as u64;
        match self {
            Self::CountAll | Self::Count(_) | Self::Bytes => 8 * slots,
            Self::Percentile(..) => 24 * slots + 8 * rows,
            Self::Share(_, limits) => (32 + few(limits.len())) * slots,
            // A slot without a value has no buckets.
            Self::Histogram { buckets, .. } => 24 * slots + few(*buckets) * slots.min(rows),
            Self::Funnel(_, steps) => 24 * slots + few(steps.len()) * slots.min(rows),
            Self::Keyset => 72 * slots,
            _ => 64 * slots,
        }
    }

    /// An accumulator with nothing in it.
    pub(super) fn start(&self, slots: usize, relation: &Relation, switches: Switches) -> Box<dyn Accumulator> {
        use measure::Measured;
        match self {
            Self::CountAll => Box::new(count::Rows::new(slots)),
            Self::Count(node) => Box::new(count::Values::new(node.clone(), slots)),
            Self::Sum(node) => Measured::boxed(node, slots, number::Sum),
            Self::Average(node) => Measured::boxed(node, slots, number::Average),
            Self::Min(node) => Measured::boxed(node, slots, number::Extreme::<false>),
            Self::Max(node) => Measured::boxed(node, slots, number::Extreme::<true>),
            Self::Latest(node) => Box::new(moment::Moment::new(node.clone(), slots, true)),
            Self::Earliest(node) => Box::new(moment::Moment::new(node.clone(), slots, false)),
            Self::Deviation(node) => Measured::boxed(node, slots, number::Variance { by: switches.deviation, root: true }),
            Self::Variance(node) => Measured::boxed(node, slots, number::Variance { by: switches.deviation, root: false }),
            Self::Percentile(node, ranks) => Measured::boxed(node, slots, number::Percentile(ranks.clone())),
            Self::Share(node, limits) => Measured::boxed(node, slots, number::Share(limits.clone())),
            Self::Apdex(node, limit) => Measured::boxed(node, slots, number::Apdex(*limit)),
            Self::Histogram { value, width, buckets, start } => {
                Measured::boxed(value, slots, number::Histogram { width: *width, buckets: *buckets, start: *start })
            }
            Self::Slope(node, per_ms) => Measured::boxed(node, slots, slope::Line::Slope(*per_ms)),
            Self::Predict(node, after_ms) => Measured::boxed(node, slots, slope::Line::Ahead(*after_ms)),
            Self::LatestRate(node, per_ms) => Measured::boxed(node, slots, slope::LatestRate { per_ms: *per_ms }),
            Self::UniqueCount(nodes) => Box::new(distinct::UniqueCount::new(nodes, slots, relation)),
            Self::Uniques(node, most) => Box::new(distinct::Uniques::new(node, *most, slots, relation)),
            Self::Funnel(node, steps) => Box::new(distinct::Funnel::new(node, steps, slots, relation)),
            Self::Keyset => Box::new(keyset::Keyset::new(slots)),
            Self::Bytes => Box::new(keyset::Bytes::new(slots)),
        }
    }
}

/// Rows to be added: the slot of each stands at the same position. A row may come several times.
pub(super) struct Input<'i, 'b> {
    pub(super) evaluator: &'i Evaluator,
    pub(super) batch: &'i Batch<'b>,
    pub(super) rows: &'i [u32],
    pub(super) slots: &'i [u32],
}

/// Takes in rows.
pub(super) trait Accumulator {
    /// Adds rows.
    fn add(&mut self, input: &Input<'_, '_>);

    /// The same, with other slots: `to` says where each slot goes; several may go to one. [`u32::MAX`] goes nowhere.
    fn regroup(&self, to: &[u32], slots: usize) -> Box<dyn Accumulator>;

    /// Bytes that its distinct values take, about.
    fn held(&self) -> u64 {
        0
    }

    /// Whether a slot has taken in a value, of whatever kind.
    fn has(&self, slot: usize) -> bool;

    /// The value of a slot. `end_ms` is the end of its bucket or window.
    fn value(&self, slot: usize, end_ms: i64) -> Value;
}

/// The pairs of old slot and new, without those that go nowhere.
fn moves(to: &[u32]) -> impl Iterator<Item = (usize, usize)> {
    to.iter().enumerate().filter(|(_, to)| **to != u32::MAX).map(|(from, to)| (from, *to as usize))
}

/// A whole number as a value.
fn whole(count: u64) -> Value {
    Value::Number(count as f64)
}

/// A list.
fn list(values: impl IntoIterator<Item = Value>) -> Value {
    Value::List(values.into_iter().collect())
}

/// Named values.
fn object<'n>(fields: impl IntoIterator<Item = (&'n str, Value)>) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}
