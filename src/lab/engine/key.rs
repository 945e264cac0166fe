//! What rows have in common: every distinct value, or combination of values, gets a number.
//!
//! In: expressions and rows, batch after batch. Out: a number for each row, and later the values a number stands for. What always
//! holds: equal values get one number, in whatever table or segment they stand; a single value's 0 is nothing.

use std::sync::Arc;

use super::expression::{Batch, Coding, Evaluator, Node, Vector};
use super::relation::Relation;
use super::value::{Key, Value};
use crate::lab::store::Entries;
use crate::lab::store::hash::QuickMap;

/// Numbers the values of one expression.
#[derive(Debug)]
struct Numbered {
    node: Node,
    /// The texts of the one column of the one table, if the expression is that: codes are numbers then.
    direct: Option<Entries<Arc<str>>>,
    values: Vec<Value>,
    numbers: QuickMap<Key, u32>,
    /// From `code + 1` to a number, by where codes come from.
    translations: QuickMap<(usize, usize, u32), Vec<u32>>,
    /// The expression is a tuple: one of nothing is nothing, where a list of the rows' own is a value.
    is_tuple: bool,
}

/// No number yet.
const UNKNOWN: u32 = u32::MAX;

impl Numbered {
    fn new(node: Node, relation: &Relation) -> Self {
        let direct = direct(&node, relation);
        let is_tuple = node.any(&|part| matches!(part, Node::Call(call) if call.function.name == "tuple"));
        let (numbers, translations) = (QuickMap::default(), QuickMap::default());
        Self { node, direct, values: vec![Value::Null], numbers, translations, is_tuple }
    }

    /// One number for each of `rows`.
    fn number(&mut self, evaluator: &Evaluator, batch: &Batch<'_>, rows: &[u32]) -> Vec<u32> {
        let vector = evaluator.vector(&self.node, batch, rows);
        match vector {
            Vector::Codes { codes, entries, source } => {
                if self.direct.is_some() {
                    return rows
                        .iter()
                        .map(|row| codes.get(*row as usize).map_or(0, |code| (code + 1).cast_unsigned()))
                        .collect();
                }
                let mut translation = self.translations.remove(&source).unwrap_or_default();
                let mut known = |code: i32| {
                    let place = usize::try_from(code + 1).unwrap_or(0);
                    if translation.len() <= place {
                        translation.resize(place + 1, UNKNOWN);
                    }
                    let number = translation.get_mut(place)?;
                    if *number == UNKNOWN {
                        *number = self.intern(&entries, code);
                    }
                    Some(*number)
                };
                let numbers =
                    rows.iter().map(|row| codes.get(*row as usize).and_then(|code| known(*code)).unwrap_or(0)).collect();
                self.translations.insert(source, translation);
                numbers
            }
            Vector::Constant(value) => {
                let number = self.of(value);
                vec![number; rows.len()]
            }
            other => {
                let mut last: Option<(Value, u32)> = None;
                let mut one = |row: &u32| {
                    let value = other.value(*row);
                    if let Some((_, number)) = last.as_ref().filter(|(known, _)| *known == value) {
                        return *number;
                    }
                    let number = self.of(value.clone());
                    last = Some((value, number));
                    number
                };
                rows.iter().map(&mut one).collect()
            }
        }
    }

    fn intern(&mut self, entries: &Coding<'_>, code: i32) -> u32 {
        self.of(entries.value(code))
    }

    fn of(&mut self, value: Value) -> u32 {
        let empty = |value: &Value| matches!(value, Value::List(items) if !items.is_empty() && items.iter().all(Value::is_null));
        if value.is_null() || self.is_tuple && empty(&value) {
            return 0;
        }
        let next = u32::try_from(self.values.len()).unwrap_or(UNKNOWN - 1);
        let (values, key) = (&mut self.values, Key(value));
        *self.numbers.entry(key).or_insert_with_key(|key| {
            values.push(key.0.clone());
            next
        })
    }

    fn value(&self, number: u32) -> Value {
        match &self.direct {
            Some(texts) => {
                let code = i32::try_from(number).unwrap_or(0) - 1;
                texts.get(code).map_or(Value::Null, |text| Value::Text(Arc::clone(text)))
            }
            None => self.values.get(number as usize).cloned().unwrap_or_default(),
        }
    }
}

/// The texts of a column, if the expression is a column of a single table that holds texts alone.
fn direct(node: &Node, relation: &Relation) -> Option<Entries<Arc<str>>> {
    let (Node::Column(column), [member]) = (node, &*relation.members) else { return None };
    let position = member.positions.get(*column).copied().flatten()?;
    let texts_alone = |part: &crate::lab::store::Part| part.kinds() == 1 && part.text.is_some();
    let all = member.view.segments().iter().all(|segment| segment.part(position).is_none_or(texts_alone));
    member.view.columns().get(position).filter(|_| all).map(|column| column.texts.clone())
}

/// Numbers the combinations of several expressions' values.
#[derive(Debug)]
pub(super) struct Keys {
    parts: Vec<Numbered>,
    /// For each part after the first: a combination's number, from the number so far and the part's.
    combined: Vec<QuickMap<u64, u32>>,
    /// And back.
    origins: Vec<Vec<(u32, u32)>>,
}

impl Keys {
    /// For these expressions, at least one.
    pub(super) fn new(nodes: &[Node], relation: &Relation) -> Self {
        let parts: Vec<Numbered> = nodes.iter().map(|node| Numbered::new(node.clone(), relation)).collect();
        let more = parts.len().saturating_sub(1);
        Self { parts, combined: (0..more).map(|_| QuickMap::default()).collect(), origins: vec![Vec::new(); more] }
    }

    /// One number for each of `rows`; [`u32::MAX`] for a row that has nothing for some expression, unless `keep_null`: then for a row
    /// that has nothing for all.
    pub(super) fn number(&mut self, evaluator: &Evaluator, batch: &Batch<'_>, rows: &[u32], keep_null: bool) -> Vec<u32> {
        let Some((first, rest)) = self.parts.split_first_mut() else { return vec![0; rows.len()] };
        let mut numbers = first.number(evaluator, batch, rows);
        let mut missing: Vec<usize> = numbers.iter().map(|number| usize::from(*number == 0)).collect();
        let all = rest.len() + 1;
        for ((part, combined), origins) in rest.iter_mut().zip(&mut self.combined).zip(&mut self.origins) {
            let more = part.number(evaluator, batch, rows);
            let mut last = (u64::MAX, 0);
            for ((number, more), missing) in numbers.iter_mut().zip(more).zip(&mut missing) {
                *missing += usize::from(more == 0);
                let pair = (u64::from(*number) << 32) | u64::from(more);
                if last.0 != pair {
                    let so_far = *number;
                    let found = *combined.entry(pair).or_insert_with(|| {
                        origins.push((so_far, more));
                        u32::try_from(origins.len() - 1).unwrap_or(UNKNOWN - 1)
                    });
                    last = (pair, found);
                }
                *number = last.1;
            }
        }
        for (number, missing) in numbers.iter_mut().zip(missing) {
            if missing > 0 && (!keep_null || missing == all) {
                *number = UNKNOWN;
            }
        }
        numbers
    }

    /// Bytes that its values take, about.
    pub(super) fn held(&self) -> u64 {
        let values: usize = self.parts.iter().map(|part| part.values.len()).sum();
        let combined: usize = self.origins.iter().map(Vec::len).sum();
        96 * values as u64 + 32 * combined as u64
    }

    /// The values a number stands for, one for each expression.
    pub(super) fn values(&self, number: u32) -> Vec<Value> {
        let mut values = Vec::with_capacity(self.parts.len());
        let mut number = number;
        for (part, origins) in self.parts.iter().skip(1).zip(&self.origins).rev() {
            let (so_far, own) = origins.get(number as usize).copied().unwrap_or_default();
            values.push(part.value(own));
            number = so_far;
        }
        values.extend(self.parts.first().map(|part| part.value(number)));
        values.reverse();
        values
    }
}
