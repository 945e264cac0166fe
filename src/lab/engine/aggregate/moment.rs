//! `latest` and `earliest`.
//!
//! What always holds: of rows of one time, `latest` takes the one that arrived last and `earliest` the one that arrived first. Only
//! the row that wins in a segment has its value made.

use super::super::expression::{Node, number_of};
use super::super::value::Value;
use super::{Accumulator, Input, moves};

pub(super) struct Moment {
    node: Node,
    latest: bool,
    values: Vec<Option<(i64, Value)>>,
}

impl Moment {
    pub(super) fn new(node: Node, slots: usize, latest: bool) -> Self {
        Self { node, latest, values: vec![None; slots] }
    }

    /// Whether a row at `ms`, arriving now, takes the place of one at `held`.
    const fn wins(&self, ms: i64, held: i64) -> bool {
        if self.latest { ms >= held } else { ms < held }
    }
}

impl Accumulator for Moment {
    fn add(&mut self, input: &Input<'_, '_>) {
        let vector = input.evaluator.vector(&self.node, input.batch, input.rows);
        let times = input.batch.segment.timestamps();
        // The winner of each slot in this segment: its time and row.
        let mut winners: Vec<(i64, u32)> = vec![(0, u32::MAX); self.values.len()];
        for (row, slot) in input.rows.iter().zip(input.slots) {
            let Some((ms, winner)) = times.get(*row as usize).zip(winners.get_mut(*slot as usize)) else { continue };
            if (winner.1 == u32::MAX || self.wins(*ms, winner.0)) && !vector.is_null(*row) {
                *winner = (*ms, *row);
            }
        }
        let latest = self.latest;
        for ((ms, row), held) in winners.into_iter().zip(&mut self.values).filter(|((_, row), _)| *row != u32::MAX) {
            let wins = held.as_ref().is_none_or(|(at, _)| if latest { ms >= *at } else { ms < *at });
            if wins {
                *held = Some((ms, plain(vector.value(row))));
            }
        }
    }

    fn regroup(&self, to: &[u32], slots: usize) -> Box<dyn Accumulator> {
        let mut other = Self::new(self.node.clone(), slots, self.latest);
        for (from, to) in moves(to) {
            let Some((Some((ms, value)), held)) = self.values.get(from).zip(other.values.get_mut(to)) else { continue };
            if held.as_ref().is_none_or(|(at, _)| self.wins(*ms, *at)) {
                *held = Some((*ms, value.clone()));
            }
        }
        Box::new(other)
    }

    fn has(&self, slot: usize) -> bool {
        self.values.get(slot).is_some_and(Option::is_some)
    }

    fn value(&self, slot: usize, _: i64) -> Value {
        self.values.get(slot).and_then(Option::as_ref).map_or(Value::Null, |(_, value)| value.clone())
    }
}

/// A point of a metric as its number; anything else as it is.
fn plain(value: Value) -> Value {
    match &value {
        Value::Object(fields) if fields.first().is_some_and(|(name, _)| &**name == "type") => Value::Number(number_of(&value)),
        _ => value,
    }
}
