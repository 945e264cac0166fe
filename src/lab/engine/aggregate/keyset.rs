//! Aggregates of whole rows: `keyset`, `bytecountestimate`.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{Array, Float64Array, Int32Array};

use super::super::value::{Key, Value};
use super::{Accumulator, Input, list, moves, object};

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
    // Whole numbers are counted without being written.
    match super::super::time::whole(number).filter(|whole| number.fract() == 0.0 && whole.unsigned_abs() < 1 << 53) {
        Some(whole) => u64::from(whole < 0) + 1 + u64::from(whole.unsigned_abs().checked_ilog10().unwrap_or(0)),
        None => u64::try_from(number.to_string().len()).unwrap_or(0),
    }
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
            let mut add = |length: &dyn Fn(usize) -> Option<u64>| {
                for row in &rows {
                    if let (Some(sum), Some(length)) = (lengths.get_mut(*row as usize), length(*row as usize)) {
                        *sum += length + name;
                    }
                }
            };
            if let Some(codes) = part.text.as_ref().map(Int32Array::values) {
                add(&|row| codes.get(row).and_then(|code| column.texts.get(*code)).map(|text| size(text.len() + 2)));
            }
            if let Some(numbers) = part.number.as_ref().map(Float64Array::values) {
                add(&|row| numbers.get(row).filter(|number| !number.is_nan()).map(|number| digits(*number)));
            }
            if let Some(flags) = &part.flag {
                let there = |row: &usize| *row < flags.len() && flags.is_valid(*row);
                add(&|row| Some(row).filter(there).map(|row| if flags.value(row) { 4 } else { 5 }));
            }
            if let Some(codes) = part.other.as_ref().map(Int32Array::values) {
                let text = |other: &Key| size(super::super::result::json(&other.0).to_string().len());
                add(&|row| codes.get(row).and_then(|code| column.others.get(*code)).map(text));
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
