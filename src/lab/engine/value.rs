//! One value of one row, as expressions see it.
//!
//! What always holds: nothing converts by itself: a text is never a number; null is the absence of a value.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// One value.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Not there.
    #[default]
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number, as New Relic keeps it: a double. Times are milliseconds since 1970.
    Number(f64),
    /// A text.
    Text(Arc<str>),
    /// A list.
    List(Arc<[Self]>),
    /// Named values in order: percentiles by their rank, the parts of an apdex, what `jparse` found.
    Object(Arc<[(Arc<str>, Self)]>),
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Whether nothing is there.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The number, if it is one.
    #[must_use]
    pub const fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// A value as a key: equal when the same thing is meant, so that 0 and -0 are one and two absent values are one.
#[derive(Debug, Clone)]
pub struct Key(pub Value);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Value::Number(one), Value::Number(two)) => one == two || (one.is_nan() && two.is_nan()),
            (one, two) => one == two,
        }
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        fn feed<H: Hasher>(value: &Value, state: &mut H) {
            match value {
                Value::Null => state.write_u8(0),
                Value::Bool(flag) => state.write_u8(1 + u8::from(*flag)),
                // Adding zero turns -0 into 0.
                Value::Number(number) => state.write_u64((number + 0.0).to_bits()),
                Value::Text(text) => state.write(text.as_bytes()),
                Value::List(items) => {
                    state.write_usize(items.len());
                    items.iter().for_each(|item| feed(item, state));
                }
                Value::Object(fields) => {
                    state.write_usize(fields.len());
                    fields.iter().for_each(|(name, value)| {
                        state.write(name.as_bytes());
                        feed(value, state);
                    });
                }
            }
        }
        feed(&self.0, state);
    }
}

/// The order of results: by kind (nothing, truth, number, text, list, object), then by value. Total, so that sorting is the same
/// every time.
#[must_use]
pub fn order(one: &Value, two: &Value) -> Ordering {
    const fn kind(value: &Value) -> u8 {
        match value {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            Value::Text(_) => 3,
            Value::List(_) => 4,
            Value::Object(_) => 5,
        }
    }
    match (one, two) {
        (Value::Bool(one), Value::Bool(two)) => one.cmp(two),
        // Zero is one number, whatever its sign.
        (Value::Number(one), Value::Number(two)) => one.partial_cmp(two).unwrap_or_else(|| one.total_cmp(two)),
        (Value::Text(one), Value::Text(two)) => one.cmp(two),
        (Value::List(one), Value::List(two)) => lists(one.iter().zip(two.iter()), one.len(), two.len()),
        (Value::Object(one), Value::Object(two)) => {
            lists(one.iter().map(|field| &field.1).zip(two.iter().map(|field| &field.1)), one.len(), two.len())
        }
        (one, two) => kind(one).cmp(&kind(two)),
    }
}

fn lists<'v>(pairs: impl Iterator<Item = (&'v Value, &'v Value)>, one: usize, two: usize) -> Ordering {
    pairs.map(|(one, two)| order(one, two)).find(|found| found.is_ne()).unwrap_or_else(|| one.cmp(&two))
}
