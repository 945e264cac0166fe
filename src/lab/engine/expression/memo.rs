//! What was computed before.
//!
//! In: an expression over coded columns, and rows. Out: for each row the place of its value in a short list. What always holds: the
//! expression is computed once for each combination of codes that occurs, when it first occurs.

use std::borrow::Cow;
use std::rc::Rc;

use super::super::value::Value;
use super::evaluator::{Batch, Coded, Evaluator};
use super::operator::Truth;
use super::scalar::{self, Row};
use super::{CallNode, Node};
use crate::lab::store::hash::QuickMap;

/// Most columns an expression may read to be remembered: their codes are packed into one 128-bit key.
pub(in super::super) const COLUMNS_MAX: usize = 4;

/// Since then, the end of 1972, every zone is whole minutes from UTC (Monrovia was the last to change), ms since 1970.
const MINUTES_SINCE_MS: f64 = 94_694_400_000.0;

/// What is remembered of one expression in one table.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Values; place 0 is for a single column's missing value.
    values: Rc<Vec<Option<Value>>>,
    truths: Vec<Option<Truth>>,
    combinations: QuickMap<u128, i32>,
    moments: QuickMap<i64, i32>,
    last: Option<(i64, i32)>,
}

/// Which memory: the node's number, the table, and which of its columns hold lists instead of texts.
pub(super) type MemoryKey = (usize, usize, u32);

/// The values of a remembered expression: one place for each row, -1 for the first.
pub(super) struct Remembered<'b> {
    pub(super) places: Cow<'b, [i32]>,
    pub(super) values: Rc<Vec<Option<Value>>>,
    pub(super) source: MemoryKey,
}

/// A made-up row with one combination of codes.
struct Combination<'c, 'b> {
    batch: &'c Batch<'b>,
    columns: &'c [usize],
    codes: [i32; COLUMNS_MAX],
}

impl Row for Combination<'_, '_> {
    fn column(&self, column: usize) -> Value {
        let at = self.columns.iter().position(|known| *known == column);
        at.and_then(|at| self.codes.get(at)).map_or(Value::Null, |code| self.batch.entry(column, *code))
    }

    fn timestamp(&self) -> Value {
        Value::Null
    }

    fn event_type(&self) -> Value {
        Value::Null
    }
}

/// The columns of an expression in one batch, all coded.
struct Columns<'b> {
    coded: [Option<&'b [i32]>; COLUMNS_MAX],
    lists: u32,
}

fn columns_of<'b>(batch: &Batch<'b>, columns: &[usize]) -> Option<Columns<'b>> {
    let mut found = Columns { coded: [None; COLUMNS_MAX], lists: 0 };
    for (at, (place, column)) in found.coded.iter_mut().zip(columns).enumerate() {
        match batch.coded(*column) {
            Coded::Nothing => {}
            Coded::Texts(codes) => *place = Some(codes),
            Coded::Lists(codes) => {
                *place = Some(codes);
                found.lists |= 1 << at;
            }
            Coded::Uncoded => return None,
        }
    }
    (columns.len() <= COLUMNS_MAX).then_some(found)
}

impl Evaluator {
    /// The values of a remembered expression in some rows; none if a column holds other than coded values here.
    pub(super) fn remembered_values<'b>(
        &self,
        (id, columns, node): (usize, &[usize], &Node),
        batch: &Batch<'b>,
        rows: &[u32],
    ) -> Option<Remembered<'b>> {
        let found = columns_of(batch, columns)?;
        let source = (id, batch.member(), found.lists);
        let mut memories = self.memories.borrow_mut();
        let memory = memories.entry(source).or_default();
        let values = Rc::make_mut(&mut memory.values);
        let mut compute = |place: i32, codes: [i32; COLUMNS_MAX]| {
            let at = usize::try_from(place + 1).unwrap_or(0);
            if values.len() <= at {
                values.resize(at + 1, None);
            }
            if let Some(empty) = values.get_mut(at).filter(|value| value.is_none())
                && self.step()
            {
                let value = scalar::value(&self.scalars, node, &Combination { batch, columns, codes });
                self.hold(&value);
                *empty = Some(value);
            }
        };
        let places = places(&found, columns.len(), batch, rows, &mut memory.combinations, &mut compute);
        Some(Remembered { places, values: Rc::clone(&memory.values), source })
    }

    /// The truths of a remembered condition, one for each of `rows`, given to `each` with the position among them. False if a column
    /// holds other than coded values here.
    pub(super) fn remembered_truths(
        &self,
        (id, columns, node): (usize, &[usize], &Node),
        batch: &Batch<'_>,
        rows: &[u32],
        mut each: impl FnMut(u32, Truth),
    ) -> bool {
        let Some(found) = columns_of(batch, columns) else { return false };
        let mut memories = self.memories.borrow_mut();
        let memory = memories.entry((id, batch.member(), found.lists)).or_default();
        let truths = &mut memory.truths;
        let mut compute = |place: i32, codes: [i32; COLUMNS_MAX]| {
            let at = usize::try_from(place + 1).unwrap_or(0);
            if truths.len() <= at {
                truths.resize(at + 1, None);
            }
            if let Some(empty) = truths.get_mut(at).filter(|truth| truth.is_none())
                && self.step()
            {
                *empty = Some(scalar::truth(&self.scalars, node, &Combination { batch, columns, codes }));
            }
        };
        let places = places(&found, columns.len(), batch, rows, &mut memory.combinations, &mut compute);
        for (position, row) in (0_u32..).zip(rows) {
            let place = places.get(*row as usize).copied().unwrap_or(-1);
            let truth = usize::try_from(place + 1).ok().and_then(|at| truths.get(at).copied().flatten());
            each(position, truth.unwrap_or(Truth::Unknown));
        }
        true
    }

    /// The values of a function of the calendar: it is computed once for each `quantum_ms`.
    pub(super) fn calendar_values(&self, node: &Node, batch: &Batch<'_>, rows: &[u32]) -> Option<Remembered<'static>> {
        let Node::Calendar { id, argument, .. } = node else { return None };
        let moments = self.numbers(argument, batch, rows);
        let mut places = vec![-1; batch.segment.rows()];
        let mut memories = self.memories.borrow_mut();
        let memory = memories.entry((*id, 0, 0)).or_default();
        for row in rows {
            if let (Some(ms), Some(place)) = (moments.get(*row as usize), places.get_mut(*row as usize)) {
                *place = self.calendar_place(memory, node, *ms);
            }
        }
        Some(Remembered { places: Cow::Owned(places), values: Rc::clone(&memory.values), source: (*id, 0, 0) })
    }

    /// The same for one row.
    pub(super) fn calendar_at(&self, node: &Node, row: &dyn Row) -> Option<Value> {
        let Node::Calendar { id, argument, .. } = node else { return None };
        let ms = super::number_of(&scalar::value(&self.scalars, argument, row));
        let mut memories = self.memories.borrow_mut();
        let memory = memories.entry((*id, 0, 0)).or_default();
        let place = usize::try_from(self.calendar_place(memory, node, ms) + 1).ok()?;
        memory.values.get(place).cloned().flatten()
    }

    /// The place of the value at a moment. Rows mostly follow each other in time: the last place is tried first.
    fn calendar_place(&self, memory: &mut Memory, node: &Node, ms: f64) -> i32 {
        let Node::Calendar { quantum_ms, call, .. } = node else { return -1 };
        let values = Rc::make_mut(&mut memory.values);
        if values.is_empty() {
            values.push(Some(Value::Null));
        }
        // Before 1972 many clocks were seconds away from a whole minute.
        let quantum_ms = if ms < MINUTES_SINCE_MS { 1_000.0 } else { *quantum_ms };
        let begin = (ms / quantum_ms).floor() * quantum_ms;
        let Some(quantum) = super::super::time::whole(begin).filter(|_| !ms.is_nan()) else { return -1 };
        if let Some((_, place)) = memory.last.filter(|(last, _)| *last == quantum) {
            return place;
        }
        let place = *memory.moments.entry(quantum).or_insert_with(|| {
            values.push(Some(self.calendar_value(call, ms)));
            i32::try_from(values.len()).unwrap_or(i32::MAX) - 2
        });
        memory.last = Some((quantum, place));
        place
    }

    /// A function of the calendar at one moment. Its other arguments are constants.
    fn calendar_value(&self, call: &CallNode, ms: f64) -> Value {
        struct Nowhere;
        impl Row for Nowhere {
            fn column(&self, _: usize) -> Value {
                Value::Null
            }
            fn timestamp(&self) -> Value {
                Value::Null
            }
            fn event_type(&self) -> Value {
                Value::Null
            }
        }
        let rest = call.arguments.iter().skip(1).map(|node| scalar::value(&self.scalars, node, &Nowhere));
        let arguments: Vec<Value> = std::iter::once(Value::Number(ms)).chain(rest).collect();
        scalar::call_with(&self.scalars, call, &arguments, &Nowhere)
    }
}

/// The place of every row's value; makes sure each is computed.
fn places<'b>(
    columns: &Columns<'b>,
    count: usize,
    batch: &Batch<'b>,
    rows: &[u32],
    combinations: &mut QuickMap<u128, i32>,
    compute: &mut impl FnMut(i32, [i32; COLUMNS_MAX]),
) -> Cow<'b, [i32]> {
    if count == 1 {
        let [first, ..] = columns.coded;
        let Some(codes) = first else {
            compute(-1, [-1; COLUMNS_MAX]);
            return Cow::Borrowed(&[]);
        };
        for row in rows {
            let code = codes.get(*row as usize).copied().unwrap_or(-1);
            compute(code, [code, -1, -1, -1]);
        }
        return Cow::Borrowed(codes);
    }
    let mut places = vec![-1; batch.segment.rows()];
    for row in rows {
        let codes = columns.coded.map(|codes| codes.and_then(|codes| codes.get(*row as usize)).copied().unwrap_or(-1));
        let key = codes.iter().fold(0_u128, |key, code| (key << 32) | u128::from((code + 1).cast_unsigned()));
        let next = i32::try_from(combinations.len()).unwrap_or(i32::MAX);
        let place = *combinations.entry(key).or_insert(next);
        compute(place, codes);
        if let Some(at) = places.get_mut(*row as usize) {
            *at = place;
        }
    }
    Cow::Owned(places)
}
