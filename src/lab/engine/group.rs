//! Groups: which there are, which are shown, in what order.
//!
//! In: rows with the number of their group. Out: [`Groups`]: where each number goes. What always holds: groups are chosen over the
//! whole window, by the first item of `SELECT` (or `FACET … ORDER BY`), the greatest first; equals stand in the order of their
//! values, so that an answer is the same every time.

use std::cmp::Ordering;
use std::sync::Arc;

use super::expression::number_of;
use super::key::Keys;
use super::value::{Key, Value, order};
use crate::lab::store::hash::QuickMap;

/// The groups that are shown, and where rows go.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups {
    /// Values of the facets, in order of display.
    pub(super) shown: Vec<Vec<Value>>,
    /// From a group's number to its place among the shown.
    places: Vec<u32>,
}

impl Groups {
    /// How many are shown. The place after them is for all others, the next for rows without a group.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.shown.len()).unwrap_or(u32::MAX)
    }

    /// The place of a group.
    pub(super) fn place(&self, number: u32) -> u32 {
        if number == u32::MAX {
            return self.len() + 1;
        }
        self.places.get(number as usize).copied().unwrap_or(self.len())
    }

    /// Groups that were chosen before, in another window, for the numbers of this one.
    pub(super) fn given(shown: &[Vec<Value>], keys: &Keys, numbers: usize) -> Self {
        let list = |values: &[Value]| Key(Value::List(Arc::from(values)));
        let known: QuickMap<Key, u32> = (0_u32..).zip(shown).map(|(place, values)| (list(values), place)).collect();
        let rest = u32::try_from(shown.len()).unwrap_or(u32::MAX);
        let place = |number: u32| known.get(&list(&keys.values(number))).copied().unwrap_or(rest);
        Self { shown: shown.to_vec(), places: (0..u32::try_from(numbers).unwrap_or(u32::MAX)).map(place).collect() }
    }

    /// The `limit` groups with the greatest `survival`, ordered by `rank`. `candidates` are the numbers of groups that exist.
    pub(super) fn chosen(
        candidates: Vec<u32>,
        limit: usize,
        keys: &Keys,
        rank: impl Fn(u32) -> Value,
        survival: Option<&dyn Fn(u32) -> Value>,
    ) -> Self {
        let most = candidates.iter().copied().max().map_or(0, |number| number as usize + 1);
        let mut ranked: Vec<(Value, u32)> = candidates.into_iter().map(|number| (rank(number), number)).collect();
        if let Some(survival) = survival {
            let by = ranked.into_iter().map(|(rank, number)| (survival(number), (rank, number)));
            ranked = best(by.collect(), limit, |(_, number)| keys.values(*number)).into_iter().map(|(group, _)| group).collect();
        }
        let shown = best(ranked, limit, |number| keys.values(*number));
        let rest = u32::try_from(shown.len()).unwrap_or(u32::MAX);
        let mut places = vec![rest; most];
        for (place, (number, _)) in (0_u32..).zip(&shown) {
            if let Some(at) = places.get_mut(*number as usize) {
                *at = place;
            }
        }
        Self { shown: shown.into_iter().map(|(_, values)| values).collect(), places }
    }
}

/// The greatest `limit`, equals in the order of their values, which are made for those alone that may stay.
fn best<T>(mut ranked: Vec<(Value, T)>, limit: usize, values: impl Fn(&T) -> Vec<Value>) -> Vec<(T, Vec<Value>)> {
    if limit == 0 {
        return Vec::new();
    }
    if ranked.len() > limit {
        ranked.select_nth_unstable_by(limit - 1, |one, two| greater(&one.0, &two.0));
        if let Some(last) = ranked.get(limit - 1).map(|(rank, _)| rank.clone()) {
            ranked.retain(|(rank, _)| greater(rank, &last).is_le());
        }
    }
    let mut best: Vec<(Value, T, Vec<Value>)> = ranked
        .into_iter()
        .map(|(rank, group)| {
            let values = values(&group);
            (rank, group, values)
        })
        .collect();
    best.sort_by(|one, two| greater(&one.0, &two.0).then_with(|| all(&one.2, &two.2)));
    best.truncate(limit);
    best.into_iter().map(|(_, group, values)| (group, values)).collect()
}

/// The greater first, nothing last.
fn greater(one: &Value, two: &Value) -> Ordering {
    order(&rank_of(two), &rank_of(one))
}

fn all(one: &[Value], two: &[Value]) -> Ordering {
    one.iter().zip(two).map(|(one, two)| order(one, two)).find(|found| found.is_ne()).unwrap_or(Ordering::Equal)
}

/// What a value is ordered by: an object by its number, or its first one; a list by its first number, or its length.
fn rank_of(value: &Value) -> Value {
    let number = |number: f64| if number.is_nan() { Value::Null } else { Value::Number(number) };
    match value {
        Value::Object(fields) => {
            let own = number_of(value);
            if own.is_nan() { fields.first().map_or(Value::Null, |(_, first)| number(number_of(first))) } else { number(own) }
        }
        Value::List(items) => match items.first() {
            Some(Value::Number(first)) => Value::Number(*first),
            _ => Value::Number(items.len() as f64),
        },
        other => other.clone(),
    }
}
