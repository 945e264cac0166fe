//! A run of rows of one table.
//!
//! What always holds: it never changes; every array has one place for each row; no timestamp lies outside `first_ms..=last_ms`.

use arrow_array::{Float64Array, Int64Array};

use super::column::Part;

/// Rows in a full segment.
pub const SEGMENT_ROWS: usize = 65_536;

/// Up to [`SEGMENT_ROWS`] rows in order of arrival.
#[derive(Debug, Clone)]
pub struct Segment {
    timestamps: Int64Array,
    received: Int64Array,
    first_ms: i64,
    last_ms: i64,
    /// Of the columns up to the last that has a value here.
    parts: Vec<Option<Box<Part>>>,
}

impl Segment {
    pub(super) fn new(timestamps: Vec<i64>, received: Vec<i64>, parts: impl IntoIterator<Item = Option<Part>>) -> Self {
        let mut parts: Vec<Option<Box<Part>>> = parts.into_iter().map(|part| part.map(Box::new)).collect();
        parts.truncate(parts.iter().rposition(Option::is_some).map_or(0, |last| last + 1));
        parts.shrink_to_fit();
        let first_ms = timestamps.iter().copied().min().unwrap_or(i64::MAX);
        let last_ms = timestamps.iter().copied().max().unwrap_or(i64::MIN);
        Self { timestamps: timestamps.into(), received: received.into(), first_ms, last_ms, parts }
    }

    /// The same rows with `numbers`, at least as many, in one column, whatever they have there.
    pub(super) fn with_numbers(&self, column: usize, numbers: &Float64Array) -> Self {
        let mut with = self.clone();
        if with.parts.len() <= column {
            with.parts.resize(column + 1, None);
        }
        if let Some(place) = with.parts.get_mut(column) {
            *place = Some(Box::new(Part { number: Some(numbers.slice(0, self.rows())), ..Part::default() }));
        }
        with
    }

    /// The same rows, arrived at other times, one for each.
    pub(super) fn with_received(&self, received: Vec<i64>) -> Self {
        Self { received: received.into(), ..self.clone() }
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.timestamps.values().len()
    }

    /// `timestamp` of every row, ms.
    #[must_use]
    pub fn timestamps(&self) -> &[i64] {
        self.timestamps.values()
    }

    /// When every row arrived, ms.
    #[must_use]
    pub fn received(&self) -> &[i64] {
        self.received.values()
    }

    /// Least timestamp, ms.
    #[must_use]
    pub fn first_ms(&self) -> i64 {
        self.first_ms
    }

    /// Greatest timestamp, ms.
    #[must_use]
    pub fn last_ms(&self) -> i64 {
        self.last_ms
    }

    /// A column, by its position in the table; none if no row here has it.
    #[must_use]
    pub fn part(&self, column: usize) -> Option<&Part> {
        self.parts.get(column).and_then(Option::as_deref)
    }
}
