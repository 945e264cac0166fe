//! One attribute of one event type.
//!
//! In: values, row after row. Out: Arrow arrays, one [`Part`] for each segment. What always holds: an array has a place for every
//! row; where a row has no value of the array's kind the place is null *and* holds -1 (codes) or NaN (numbers), so that a loop may
//! read the values alone. A row may have a text and another row a number under the same name: then both arrays are there.

use std::sync::Arc;

use arrow_array::{Array, BooleanArray, Float64Array, Int32Array};
use arrow_buffer::NullBuffer;

use super::dictionary::Dictionary;
use crate::lab::engine::value::Key;

/// The values of one column in one segment, by kind. A missing array has no value in any row.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// Codes of texts.
    pub text: Option<Int32Array>,
    /// Numbers.
    pub number: Option<Float64Array>,
    /// Truth values.
    pub flag: Option<BooleanArray>,
    /// Codes of lists and of the values of metrics.
    pub other: Option<Int32Array>,
}

impl Part {
    /// How many kinds of value there are.
    #[must_use]
    pub fn kinds(&self) -> usize {
        [self.text.is_some(), self.number.is_some(), self.flag.is_some(), self.other.is_some()].iter().filter(|is| **is).count()
    }

    /// Whether a row has a value.
    #[must_use]
    pub fn has(&self, row: usize) -> bool {
        fn valid(array: Option<&dyn Array>, row: usize) -> bool {
            array.is_some_and(|array| row < array.len() && array.is_valid(row))
        }
        valid(self.text.as_ref().map(|array| array as &dyn Array), row)
            || valid(self.number.as_ref().map(|array| array as &dyn Array), row)
            || valid(self.flag.as_ref().map(|array| array as &dyn Array), row)
            || valid(self.other.as_ref().map(|array| array as &dyn Array), row)
    }
}

/// A column that grows.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: Arc<str>,
    pub(super) texts: Dictionary<Arc<str>>,
    pub(super) others: Dictionary<Key>,
    text: Vec<i32>,
    number: Vec<f64>,
    flag: Vec<Option<bool>>,
    other: Vec<i32>,
}

impl Column {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self {
            name,
            texts: Dictionary::default(),
            others: Dictionary::default(),
            text: Vec::new(),
            number: Vec::new(),
            flag: Vec::new(),
            other: Vec::new(),
        }
    }

    pub(super) fn set_text(&mut self, row: usize, text: &str) {
        let code = self.texts.find(text).unwrap_or_else(|| self.texts.code(Arc::from(text)));
        put(&mut self.text, row, code, -1);
    }

    /// A number that is none (NaN) is nothing.
    pub(super) fn set_number(&mut self, row: usize, number: f64) {
        put(&mut self.number, row, number, f64::NAN);
    }

    pub(super) fn set_flag(&mut self, row: usize, flag: bool) {
        put(&mut self.flag, row, Some(flag), None);
    }

    pub(super) fn set_other(&mut self, row: usize, other: Key) {
        let code = self.others.code(other);
        put(&mut self.other, row, code, -1);
    }

    /// The values of the first `rows` rows as arrays; none if there is no value.
    pub(super) fn part(&self, rows: usize) -> Option<Part> {
        let codes = |codes: &Vec<i32>| {
            (!codes.is_empty()).then(|| {
                let codes = filled(codes, rows, -1);
                let there = there(codes.iter().map(|code| *code >= 0));
                Int32Array::new(codes.into(), there)
            })
        };
        let number = (!self.number.is_empty()).then(|| {
            let numbers = filled(&self.number, rows, f64::NAN);
            let there = there(numbers.iter().map(|number| !number.is_nan()));
            Float64Array::new(numbers.into(), there)
        });
        let flag = (!self.flag.is_empty()).then(|| BooleanArray::from(filled(&self.flag, rows, None)));
        let part = Part { text: codes(&self.text), number, flag, other: codes(&self.other) };
        (part.kinds() > 0).then_some(part)
    }

    /// Whether no row has a value yet.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.number.is_empty() && self.flag.is_empty() && self.other.is_empty()
    }

    /// Forgets the rows, not what they said: codes stay.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.number.clear();
        self.flag.clear();
        self.other.clear();
    }
}

/// Puts a value at a row; rows between have nothing. A second value of one row takes the first one's place.
fn put<T: Clone>(values: &mut Vec<T>, row: usize, value: T, nothing: T) {
    if let Some(place) = values.get_mut(row) {
        *place = value;
        return;
    }
    values.resize(row, nothing);
    values.push(value);
}

/// A copy with a place for every row.
fn filled<T: Clone>(values: &[T], rows: usize, nothing: T) -> Vec<T> {
    let mut copy = Vec::with_capacity(rows);
    copy.extend_from_slice(values);
    copy.resize(rows, nothing);
    copy
}

/// Which rows have a value; nothing if all have.
fn there(rows: impl Iterator<Item = bool>) -> Option<NullBuffer> {
    let nulls: NullBuffer = rows.collect();
    (nulls.null_count() > 0).then_some(nulls)
}
