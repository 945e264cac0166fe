//! The one loop of all aggregates of numbers.
//!
//! In: a [`Measure`], which says what is kept for each slot and what a number does to it. Out: an accumulator. What always holds:
//! numbers come from slices where a column holds numbers; texts are never numbers and add nothing, but they are there.

use super::super::expression::{Coding, Node, Vector, number_of};
use super::super::value::Value;
use super::{Accumulator, Input, moves};

/// What is kept of numbers.
pub(super) trait Measure: Clone + 'static {
    /// What is kept for one slot.
    type State: Clone + Default;

    /// A number of a row at a time, ms.
    fn add(&self, state: &mut Self::State, number: f64, ms: i64);

    /// Any other value: the points of a metric are several numbers at once.
    fn add_value(&self, state: &mut Self::State, value: &Value, ms: i64) {
        let number = number_of(value);
        if !number.is_nan() {
            self.add(state, number, ms);
        }
    }

    /// What another slot kept.
    fn merge(&self, state: &mut Self::State, other: &Self::State);

    /// The result. `end_ms` is the end of the bucket or window.
    fn value(&self, state: &Self::State, end_ms: i64) -> Value;
}

/// A measure of an expression, slot by slot.
pub(super) struct Measured<M: Measure> {
    node: Node,
    measure: M,
    slots: Vec<Slot<M::State>>,
}

/// What is kept for one slot.
#[derive(Debug, Clone, Default)]
struct Slot<S> {
    /// There was a value, a number or not.
    there: bool,
    state: S,
}

impl<M: Measure> Measured<M> {
    pub(super) fn boxed(node: &Node, slots: usize, measure: M) -> Box<dyn Accumulator> {
        Box::new(Self { node: node.clone(), measure, slots: vec![Slot::default(); slots] })
    }
}

impl<M: Measure> Accumulator for Measured<M> {
    fn add(&mut self, input: &Input<'_, '_>) {
        let times = input.batch.segment.timestamps();
        let at = |row: u32| times.get(row as usize).copied().unwrap_or(0);
        let pairs = input.rows.iter().zip(input.slots);
        match input.evaluator.vector(&self.node, input.batch, input.rows) {
            Vector::Numbers(numbers) => {
                for (row, slot) in pairs {
                    if let (Some(number), Some(slot)) = (numbers.get(*row as usize), self.slots.get_mut(*slot as usize))
                        && !number.is_nan()
                    {
                        slot.there = true;
                        self.measure.add(&mut slot.state, *number, at(*row));
                    }
                }
            }
            Vector::Codes { codes, entries: Coding::Texts(_), .. } => {
                for (row, slot) in pairs {
                    if let (Some(0..), Some(slot)) = (codes.get(*row as usize), self.slots.get_mut(*slot as usize)) {
                        slot.there = true;
                    }
                }
            }
            other => {
                for (row, slot) in pairs {
                    if let Some(slot) = self.slots.get_mut(*slot as usize) {
                        let value = other.value(*row);
                        slot.there |= !value.is_null();
                        self.measure.add_value(&mut slot.state, &value, at(*row));
                    }
                }
            }
        }
    }

    fn regroup(&self, to: &[u32], slots: usize) -> Box<dyn Accumulator> {
        let mut merged = vec![Slot::default(); slots];
        for (from, to) in moves(to) {
            if let (Some(slot), Some(more)) = (merged.get_mut(to), self.slots.get(from)) {
                slot.there |= more.there;
                self.measure.merge(&mut slot.state, &more.state);
            }
        }
        Box::new(Self { node: self.node.clone(), measure: self.measure.clone(), slots: merged })
    }

    fn has(&self, slot: usize) -> bool {
        self.slots.get(slot).is_some_and(|slot| slot.there)
    }

    fn value(&self, slot: usize, end_ms: i64) -> Value {
        self.slots.get(slot).map_or(Value::Null, |slot| self.measure.value(&slot.state, end_ms))
    }
}
