//! `count`.

use super::super::expression::{Coding, Node, Vector};
use super::super::value::Value;
use super::{Accumulator, Input, moves, whole};

/// `count(*)`.
pub(super) struct Rows {
    counts: Vec<u64>,
}

impl Rows {
    pub(super) fn new(slots: usize) -> Self {
        Self { counts: vec![0; slots] }
    }
}

impl Accumulator for Rows {
    fn add(&mut self, input: &Input<'_, '_>) {
        for slot in input.slots {
            if let Some(count) = self.counts.get_mut(*slot as usize) {
                *count += 1;
            }
        }
    }

    fn regroup(&self, to: &[u32], slots: usize) -> Box<dyn Accumulator> {
        let mut other = Self::new(slots);
        for (from, to) in moves(to) {
            if let (Some(count), Some(more)) = (other.counts.get_mut(to), self.counts.get(from)) {
                *count += more;
            }
        }
        Box::new(other)
    }

    fn has(&self, slot: usize) -> bool {
        self.counts.get(slot).is_some_and(|count| *count > 0)
    }

    fn value(&self, slot: usize, _: i64) -> Value {
        whole(self.counts.get(slot).copied().unwrap_or(0))
    }
}

/// `count(value)`. A point of a metric counts as often as it was measured.
pub(super) struct Values {
    node: Node,
    counts: Vec<f64>,
}

impl Values {
    pub(super) fn new(node: Node, slots: usize) -> Self {
        Self { node, counts: vec![0.0; slots] }
    }
}

/// How often a value counts.
fn times(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Object(fields) => {
            let named = |name: &str| fields.iter().find(|(field, _)| &**field == name).map(|(_, value)| value);
            named("type").and(named("count")).and_then(Value::as_number).unwrap_or(1.0)
        }
        _ => 1.0,
    }
}

impl Accumulator for Values {
    fn add(&mut self, input: &Input<'_, '_>) {
        let vector = input.evaluator.vector(&self.node, input.batch, input.rows);
        let lists = matches!(&vector, Vector::Codes { entries: Coding::Lists(_) | Coding::Memory(_), .. } | Vector::Values(_));
        for (row, slot) in input.rows.iter().zip(input.slots) {
            let more = if lists { times(&vector.value(*row)) } else { f64::from(u8::from(!vector.is_null(*row))) };
            if let Some(count) = self.counts.get_mut(*slot as usize) {
                *count += more;
            }
        }
    }

    fn regroup(&self, to: &[u32], slots: usize) -> Box<dyn Accumulator> {
        let mut other = Self::new(self.node.clone(), slots);
        for (from, to) in moves(to) {
            if let (Some(count), Some(more)) = (other.counts.get_mut(to), self.counts.get(from)) {
                *count += more;
            }
        }
        Box::new(other)
    }

    fn has(&self, slot: usize) -> bool {
        self.counts.get(slot).is_some_and(|count| *count > 0.0)
    }

    fn value(&self, slot: usize, _: i64) -> Value {
        Value::Number(self.counts.get(slot).copied().unwrap_or(0.0))
    }
}
