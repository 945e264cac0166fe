//! Aggregates of whole rows: `keyset`, `bytecountestimate`.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::Array;

use super::super::value::Value;
use super::{Accumulator, Input, list, moves, object};
use crate::lab::store::Part;

/// `keyset`: the names of the attributes that rows have, by kind.
pub(super) struct Keyset {
    /// Texts, numbers, truths.
    slots: Vec<[BTreeSet<Arc<str>>; 3]>,
}

impl Keyset {
    pub(super) fn new(slots: usize) -> Self {
        Self { slots: vec![<[BTreeSet<Arc<str>>; 3]>::default(); slots] }
    }
}

impl Accumulator for Keyset {
    fn add(&mut self, input: &Input<'_, '_>) {
        let Some(member) = input.batch.table() else { return };
        for (position, column) in member.view.columns().iter().enumerate() {
            let Some(part) = input.batch.segment.part(position) else { continue };
            let arrays: [Option<&dyn Array>; 3] = [
                part.text.as_ref().map(|array| array as &dyn Array),
                part.number.as_ref().map(|array| array as &dyn Array),
                part.flag.as_ref().map(|array| array as &dyn Array),
            ];
            for (kind, array) in arrays.into_iter().enumerate().filter_map(|(kind, array)| array.map(|array| (kind, array))) {
                for (row, slot) in input.rows.iter().zip(input.slots) {
                    let row = *row as usize;
                    if row < array.len()
                        && array.is_valid(row)
                        && let Some(names) = self.slots.get_mut(*slot as usize).and_then(|slot| slot.get_mut(kind))
                        && !names.contains(&column.name)
                    {
                        names.insert(Arc::clone(&column.name));
                    }
                }
            }
        }
        // Every row has a time.
        for slot in input.slots {
            if let Some([_, numbers, _]) = self.slots.get_mut(*slot as usize)
                && !numbers.contains("timestamp")
            {
                numbers.insert("timestamp".into());
            }
        }
    }

    fn regroup(&self, to: &[u32], slots: usize) -> Box<dyn Accumulator> {
        let mut other = Self::new(slots);
        for (from, to) in moves(to) {
            if let (Some(names), Some(more)) = (other.slots.get_mut(to), self.slots.get(from)) {
                names.iter_mut().zip(more).for_each(|(names, more)| names.extend(more.iter().cloned()));
            }
        }
        Box::new(other)
    }

    fn has(&self, slot: usize) -> bool {
        self.slots.get(slot).is_some_and(|kinds| kinds.iter().any(|names| !names.is_empty()))
    }

    fn value(&self, slot: usize, _: i64) -> Value {
        let nothing = <[BTreeSet<Arc<str>>; 3]>::default();
        let kinds = self.slots.get(slot).unwrap_or(&nothing);
        let names = |names: &BTreeSet<Arc<str>>| list(names.iter().map(|name| Value::Text(Arc::clone(name))));
        let all: BTreeSet<Arc<str>> = kinds.iter().flatten().cloned().collect();
        let [texts, numbers, truths] = kinds;
        object([
            ("allKeys", names(&all)),
            ("stringKeys", names(texts)),
            ("numericKeys", names(numbers)),
            ("booleanKeys", names(truths)),
        ])
    }
}

/// `bytecountestimate`: the length of the rows as compact JSON.
pub(super) struct Bytes {
    slots: Vec<u64>,
}

impl Bytes {
    pub(super) fn new(slots: usize) -> Self {
        Self { slots: vec![0; slots] }
    }
}

/// Bytes of a number as JSON.
fn digits(number: f64) -> u64 {
    let length = number.to_string().len();
    u64::try_from(length).unwrap_or(0)
}

impl Accumulator for Bytes {
    fn add(&mut self, input: &Input<'_, '_>) {
        let Some(member) = input.batch.table() else { return };
        let size = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        let type_length = size(member.view.name().len());
        // `{"timestamp":…,"eventType":"…"}` with the thirteen digits of today's times.
        let every = 2 + 12 + 13 + 1 + 12 + 2 + type_length;
        // `SLIDE BY` repeats rows, one after the other.
        let mut rows = input.rows.to_vec();
        rows.dedup();
        let mut lengths = vec![every; input.batch.segment.rows()];
        for (position, column) in member.view.columns().iter().enumerate() {
            let Some(part) = input.batch.segment.part(position) else { continue };
            // `,"name":`
            let name = size(column.name.len()) + 4;
            for row in &rows {
                let Some(length) = lengths.get_mut(*row as usize) else { continue };
                *length += value_length(part, &column.texts, &column.others, *row as usize).map_or(0, |value| value + name);
            }
        }
        for (row, slot) in input.rows.iter().zip(input.slots) {
            if let (Some(length), Some(sum)) = (lengths.get(*row as usize), self.slots.get_mut(*slot as usize)) {
                *sum += length;
            }
        }
    }

    fn regroup(&self, to: &[u32], slots: usize) -> Box<dyn Accumulator> {
        let mut other = Self::new(slots);
        for (from, to) in moves(to) {
            if let (Some(sum), Some(more)) = (other.slots.get_mut(to), self.slots.get(from)) {
                *sum += more;
            }
        }
        Box::new(other)
    }

    fn has(&self, slot: usize) -> bool {
        self.slots.get(slot).is_some_and(|sum| *sum > 0)
    }

    fn value(&self, slot: usize, _: i64) -> Value {
        super::whole(self.slots.get(slot).copied().unwrap_or(0))
    }
}

/// Bytes of a value as JSON, none if there is no value.
fn value_length(
    part: &Part,
    texts: &crate::lab::store::Entries<Arc<str>>,
    others: &crate::lab::store::Entries<super::super::value::Key>,
    row: usize,
) -> Option<u64> {
    if let Some(text) = part.text.as_ref().and_then(|codes| codes.values().get(row)).and_then(|code| texts.get(*code)) {
        return u64::try_from(text.len() + 2).ok();
    }
    if let Some(number) = part.number.as_ref().and_then(|numbers| numbers.values().get(row)).filter(|number| !number.is_nan()) {
        return Some(digits(*number));
    }
    if let Some(flags) = part.flag.as_ref().filter(|flags| row < flags.len() && flags.is_valid(row)) {
        return Some(if flags.value(row) { 4 } else { 5 });
    }
    let code = part.other.as_ref().and_then(|codes| codes.values().get(row));
    code.and_then(|code| others.get(*code)).and_then(|other| u64::try_from(super::super::result::json(&other.0).to_string().len()).ok())
}
