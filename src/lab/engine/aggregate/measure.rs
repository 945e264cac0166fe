//! The one loop of all aggregates of numbers.
//!
//! In: a [`Measure`], which says what is kept for each slot and what a number does to it. Out: an accumulator. What always holds:
//! numbers come from slices where a column holds numbers; texts are never numbers and are skipped.

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

    /// Whether there was a number.
    fn has(&self, state: &Self::State) -> bool;

    /// The result. `end_ms` is the end of the bucket or window.
    fn value(&self, state: &Self::State, end_ms: i64) -> Value;
}

/// A measure of an expression, slot by slot.
pub(super) struct Measured<M: Measure> {
    node: Node,
    measure: M,
    states: Vec<M::State>,
}

impl<M: Measure> Measured<M> {
    pub(super) fn boxed(node: &Node, slots: usize, measure: M) -> Box<dyn Accumulator> {
        Box::new(Self { node: node.clone(), measure, states: vec![M::State::default(); slots] })
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
                    if let (Some(number), Some(state)) = (numbers.get(*row as usize), self.states.get_mut(*slot as usize))
                        && !number.is_nan()
                    {
                        self.measure.add(state, *number, at(*row));
                    }
                }
            }
            Vector::Constant(value) => {
                for (row, slot) in pairs {
                    if let Some(state) = self.states.get_mut(*slot as usize) {
                        self.measure.add_value(state, &value, at(*row));
                    }
                }
            }
            Vector::Codes { entries: Coding::Texts(_), .. } => {}
            other => {
                for (row, slot) in pairs {
                    if let Some(state) = self.states.get_mut(*slot as usize) {
                        self.measure.add_value(state, &other.value(*row), at(*row));
                    }
                }
            }
        }
    }

    fn regroup(&self, to: &[u32], slots: usize) -> Box<dyn Accumulator> {
        let mut states = vec![M::State::default(); slots];
        for (from, to) in moves(to) {
            if let (Some(state), Some(more)) = (states.get_mut(to), self.states.get(from)) {
                self.measure.merge(state, more);
            }
        }
        Box::new(Self { node: self.node.clone(), measure: self.measure.clone(), states })
    }

    fn has(&self, slot: usize) -> bool {
        self.states.get(slot).is_some_and(|state| self.measure.has(state))
    }

    fn value(&self, slot: usize, end_ms: i64) -> Value {
        self.states.get(slot).map_or(Value::Null, |state| self.measure.value(state, end_ms))
    }
}
