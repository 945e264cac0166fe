//! The values of an expression in the rows of a segment.
//!
//! What always holds: a vector has a place for every row of its segment, and those that were not asked for hold anything.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::super::value::{Key, Value};
use super::memo::{MemoryKey, Remembered};
use super::operator::number;
use crate::lab::store::Entries;

/// Many values.
pub(in super::super) enum Vector<'b> {
    /// The same in every row.
    Constant(Value),
    /// Numbers; NaN is nothing.
    Numbers(Cow<'b, [f64]>),
    /// Codes and what they stand for; two vectors of one source have the same codes for the same values.
    Codes { codes: Cow<'b, [i32]>, entries: Coding<'b>, source: MemoryKey },
    /// One by one.
    Values(Vec<Value>),
}

/// What codes stand for. -1 is nothing, except in a memory.
pub(in super::super) enum Coding<'b> {
    Texts(&'b Entries<Arc<str>>),
    Lists(&'b Entries<Key>),
    /// Place `code + 1`.
    Memory(Rc<Vec<Option<Value>>>),
    /// Names first, then what the rest stands for.
    Cases(Vec<Value>, Box<Self>),
}

impl Coding<'_> {
    /// The value of a code.
    pub(in super::super) fn value(&self, code: i32) -> Value {
        match self {
            Self::Texts(texts) => texts.get(code).map_or(Value::Null, |text| Value::Text(Arc::clone(text))),
            Self::Lists(lists) => lists.get(code).map_or(Value::Null, |list| list.0.clone()),
            Self::Memory(values) => memory(values, code).cloned().unwrap_or_default(),
            Self::Cases(names, rest) => match case(names, code) {
                Ok(name) => name.clone(),
                Err(code) => rest.value(code),
            },
        }
    }

    /// What `pick` makes of the value of a code; texts are never numbers.
    pub(super) fn number(&self, code: i32, pick: fn(&Value) -> f64) -> f64 {
        match self {
            Self::Texts(_) => f64::NAN,
            Self::Lists(lists) => lists.get(code).map_or(f64::NAN, |list| pick(&list.0)),
            Self::Memory(values) => memory(values, code).map_or(f64::NAN, pick),
            Self::Cases(names, rest) => case(names, code).map_or_else(|code| rest.number(code, pick), pick),
        }
    }

    /// Whether a code stands for nothing.
    pub(in super::super) fn is_null(&self, code: i32) -> bool {
        match self {
            Self::Texts(_) | Self::Lists(_) => code < 0,
            Self::Memory(values) => memory(values, code).is_none_or(Value::is_null),
            Self::Cases(names, rest) => case(names, code).map_or_else(|code| rest.is_null(code), Value::is_null),
        }
    }
}

fn memory(values: &[Option<Value>], code: i32) -> Option<&Value> {
    usize::try_from(code + 1).ok().and_then(|place| values.get(place)).and_then(Option::as_ref)
}

/// The name of a case, or the code of the rest.
fn case(names: &[Value], code: i32) -> Result<&Value, i32> {
    let first = i32::try_from(names.len()).unwrap_or(i32::MAX);
    usize::try_from(code).ok().and_then(|code| names.get(code)).ok_or(if code < 0 { code } else { code - first })
}

impl<'b> Vector<'b> {
    pub(super) fn remembered(remembered: Remembered<'b>) -> Self {
        let Remembered { places, values, source } = remembered;
        if places.is_empty() {
            return Self::Constant(values.first().cloned().flatten().unwrap_or_default());
        }
        Self::Codes { codes: places, entries: Coding::Memory(values), source }
    }

    /// The value in a row.
    pub(in super::super) fn value(&self, row: u32) -> Value {
        let row = row as usize;
        match self {
            Self::Constant(value) => value.clone(),
            Self::Numbers(numbers) => numbers.get(row).map_or(Value::Null, |it| number(*it)),
            Self::Codes { codes, entries, .. } => entries.value(codes.get(row).copied().unwrap_or(-1)),
            Self::Values(values) => values.get(row).cloned().unwrap_or_default(),
        }
    }

    /// Whether there is nothing in a row.
    pub(in super::super) fn is_null(&self, row: u32) -> bool {
        let row = row as usize;
        match self {
            Self::Constant(value) => value.is_null(),
            Self::Numbers(numbers) => numbers.get(row).is_none_or(|number| number.is_nan()),
            Self::Codes { codes, entries, .. } => entries.is_null(codes.get(row).copied().unwrap_or(-1)),
            Self::Values(values) => values.get(row).is_none_or(Value::is_null),
        }
    }

    /// As numbers: what `pick` makes of each value.
    pub(super) fn numbers(self, rows_in_segment: usize, rows: &[u32], pick: fn(&Value) -> f64) -> Cow<'b, [f64]> {
        match self {
            Self::Numbers(numbers) => numbers,
            Self::Constant(value) => Cow::Owned(vec![pick(&value); rows_in_segment]),
            Self::Codes { entries: Coding::Texts(_), .. } => Cow::Owned(vec![f64::NAN; rows_in_segment]),
            Self::Codes { codes, entries, .. } => {
                let mut numbers = vec![f64::NAN; rows_in_segment];
                for row in rows {
                    if let (Some(number), Some(code)) = (numbers.get_mut(*row as usize), codes.get(*row as usize)) {
                        *number = entries.number(*code, pick);
                    }
                }
                Cow::Owned(numbers)
            }
            Self::Values(values) => Cow::Owned(values.iter().map(pick).collect()),
        }
    }

    /// Whether every value is a number or nothing.
    pub(super) fn is_numeric(&self) -> bool {
        matches!(self, Self::Numbers(_) | Self::Constant(Value::Number(_) | Value::Null))
    }
}
