//! Rows of every kind of value, as few as can be remembered and as odd as they come.
//!
//! In: a source of chance. Out: rows of two event types. What always holds: numbers are small multiples of a quarter, so that sums
//! are the same in whatever order they are made; times, numbers and texts repeat.

use fastrand::Rng;
use serde_json::{Value, json};

/// 2023-12-18T12:00:00Z.
pub(super) const NOW_MS: i64 = 1_702_900_800_000;

/// The types of rows, in the order in which queries name them.
pub(super) const TYPES: [&str; 2] = ["Alpha", "Beta"];

/// Attributes. `never` is no row's; `odd-name` needs back-ticks; `mixed` holds all kinds.
pub(super) const NAMES: [&str; 9] = ["size", "score", "odd-name", "who", "place", "text", "flag", "mixed", "never"];

/// Texts that quoting, patterns, folding or conversion may get wrong.
pub(super) const TEXTS: [&str; 26] = [
    "",
    " ",
    "a",
    "A",
    "ab",
    "Ab",
    "a_b",
    "aXb",
    "a%b",
    "a%",
    "%",
    "_",
    "it's",
    "''",
    "\"",
    "back\\slash",
    "\\",
    "1",
    "1.0",
    "true",
    "null",
    "é",
    "É",
    "straße",
    "東京",
    "\u{212a}elvin",
];

/// Values of `who`.
pub(super) const WHO: [&str; 4] = ["mia", "Mia", "noah", "o'hara"];

/// One row: its type, its time, its values in the order of [`NAMES`].
pub(super) struct Row {
    pub(super) event_type: &'static str,
    pub(super) timestamp_ms: i64,
    pub(super) values: Vec<Value>,
}

pub(super) fn text(chance: &mut Rng) -> &'static str {
    TEXTS[chance.usize(..TEXTS.len())]
}

/// A small multiple of a quarter.
pub(super) fn number(chance: &mut Rng) -> f64 {
    f64::from(chance.i32(-12..=12)) / if chance.bool() { 4.0 } else { 1.0 }
}

pub(super) fn rows(chance: &mut Rng, count: usize) -> Vec<Row> {
    let mut row = || {
        let mut sparse = |percent: u8, value: &mut dyn FnMut(&mut Rng) -> Value| {
            if chance.u8(..100) < percent { value(chance) } else { Value::Null }
        };
        let values = vec![
            sparse(80, &mut |chance| json!(number(chance))),
            sparse(60, &mut |chance| json!(chance.u8(..40))),
            sparse(30, &mut |chance| json!(number(chance))),
            sparse(90, &mut |chance| json!(WHO[chance.usize(..WHO.len())])),
            sparse(50, &mut |chance| json!(format!("room {}", chance.u8(..30)))),
            sparse(80, &mut |chance| json!(text(chance))),
            sparse(50, &mut |chance| json!(chance.bool())),
            sparse(80, &mut |chance| match chance.u8(..4) {
                0 => json!(text(chance)),
                1 => json!(chance.bool()),
                2 => json!(chance.u8(..3)),
                _ => json!(number(chance)),
            }),
            Value::Null,
        ];
        // Four hours in steps that also meet the ends of windows and buckets, the last one just not of the default window.
        let timestamp_ms = NOW_MS - i64::from(chance.u32(..=480)) * 30_000 + i64::from(chance.u32(..3) == 0) * 7;
        Row { event_type: TYPES[usize::from(chance.u8(..3) == 0)], timestamp_ms, values }
    };
    std::iter::repeat_with(&mut row).take(count).collect()
}
