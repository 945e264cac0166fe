//! The rows of one event type.
//!
//! In: rows. Out: views that never change. What always holds: full segments are shared by all views; the rows of the last, open
//! segment are copied for a view once, however often it is asked for.

use std::sync::Arc;

use arrow_array::{Array, Float64Array};

use super::column::Column;
use super::dictionary::Entries;
use super::hash::QuickMap;
use super::segment::{SEGMENT_ROWS, Segment};
use crate::lab::engine::value::{Key, Value};

/// A segment with more places than this, 8 bytes each, of which fewer than one in so many has a value, is closed.
const SPARSE_PLACES: usize = 1 << 18;
const SPARSE_SHARE: usize = 16;

/// A table that grows.
#[derive(Debug)]
pub(super) struct Table {
    name: Arc<str>,
    columns: Vec<Column>,
    positions: QuickMap<Arc<str>, usize>,
    segments: Vec<Arc<Segment>>,
    timestamps: Vec<i64>,
    received: Vec<i64>,
    /// Of the open segment: columns that have a value, and values.
    used_columns: usize,
    values: usize,
    view: Option<Arc<TableView>>,
}

impl Table {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self {
            name,
            columns: Vec::new(),
            positions: QuickMap::default(),
            segments: Vec::new(),
            timestamps: Vec::new(),
            received: Vec::new(),
            used_columns: 0,
            values: 0,
            view: None,
        }
    }

    /// Opens a row; gives its position in the open segment.
    pub(super) fn begin(&mut self, timestamp_ms: i64, received_ms: i64) -> usize {
        self.view = None;
        if self.timestamps.len() >= SEGMENT_ROWS || self.is_sparse() {
            self.segments.push(Arc::new(self.open_segment()));
            self.timestamps.clear();
            self.received.clear();
            self.columns.iter_mut().for_each(Column::clear);
            (self.used_columns, self.values) = (0, 0);
        }
        self.timestamps.push(timestamp_ms);
        self.received.push(received_ms);
        self.timestamps.len() - 1
    }

    /// Whether the open segment is mostly places without a value: rows that each bring names of their own would take memory with the
    /// square of their number, so such a segment is closed early.
    fn is_sparse(&self) -> bool {
        let places = self.used_columns.saturating_mul(self.timestamps.len());
        places > SPARSE_PLACES && self.values < places / SPARSE_SHARE
    }

    /// Moves the open row in time.
    pub(super) fn set_timestamp(&mut self, row: usize, timestamp_ms: i64) {
        if let Some(place) = self.timestamps.get_mut(row) {
            *place = timestamp_ms;
        }
    }

    /// The column with a name, new or known, and its position. `guess` is where it probably is: rows of one kind write the same
    /// names in the same order.
    pub(super) fn column(&mut self, name: &str, guess: usize) -> (usize, Option<&mut Column>) {
        let known = if self.columns.get(guess).is_some_and(|column| &*column.name == name) {
            Some(guess)
        } else {
            self.positions.get(name).copied()
        };
        let position = known.unwrap_or_else(|| {
            let shared: Arc<str> = Arc::from(name);
            self.columns.push(Column::new(Arc::clone(&shared)));
            self.positions.insert(shared, self.columns.len() - 1);
            self.columns.len() - 1
        });
        let column = self.columns.get_mut(position);
        self.values += 1;
        self.used_columns += usize::from(column.as_ref().is_some_and(|column| column.is_empty()));
        (position, column)
    }

    fn open_segment(&self) -> Segment {
        let rows = self.timestamps.len();
        let parts = self.columns.iter().map(|column| column.part(rows));
        Segment::new(self.timestamps.clone(), self.received.clone(), parts)
    }

    /// All rows of now.
    pub(super) fn view(&mut self) -> Arc<TableView> {
        if let Some(view) = &self.view {
            return Arc::clone(view);
        }
        let mut segments = self.segments.clone();
        if !self.timestamps.is_empty() {
            segments.push(Arc::new(self.open_segment()));
        }
        let columns = self.columns.iter_mut();
        let columns: Vec<ColumnView> = columns
            .map(|column| ColumnView { name: Arc::clone(&column.name), texts: column.texts.view(), others: column.others.view() })
            .collect();
        let view = Arc::new(TableView { name: Arc::clone(&self.name), columns, positions: self.positions.clone(), segments });
        self.view = Some(Arc::clone(&view));
        view
    }
}

/// One column of a view: its name and what its codes stand for.
#[derive(Debug, Clone)]
pub struct ColumnView {
    /// The attribute.
    pub name: Arc<str>,
    /// Texts by code.
    pub texts: Entries<Arc<str>>,
    /// Lists and values of metrics by code.
    pub others: Entries<Key>,
}

/// The rows of one event type at one moment.
#[derive(Debug, Default)]
pub struct TableView {
    name: Arc<str>,
    columns: Vec<ColumnView>,
    positions: QuickMap<Arc<str>, usize>,
    segments: Vec<Arc<Segment>>,
}

impl TableView {
    /// A table outside a store: for rows that a query made.
    #[must_use]
    pub fn build(name: &str, write: impl FnOnce(&mut super::Rows<'_>)) -> Arc<Self> {
        let mut table = Table::new(Arc::from(name));
        write(&mut super::Rows::new(&mut table));
        table.view()
    }

    /// The same rows, all with one number under `name`, whatever they have there. What else they have is shared, not copied.
    #[must_use]
    pub fn with_number(&self, name: &str, number: f64) -> Arc<Self> {
        let (mut columns, mut positions) = (self.columns.clone(), self.positions.clone());
        let position = self.position(name).unwrap_or_else(|| {
            let name: Arc<str> = Arc::from(name);
            columns.push(ColumnView { name: Arc::clone(&name), texts: Entries::default(), others: Entries::default() });
            positions.insert(name, columns.len() - 1);
            columns.len() - 1
        });
        let longest = self.segments.iter().map(|segment| segment.rows()).max().unwrap_or_default();
        let numbers = Float64Array::from_value(number, longest);
        let segments = self.segments.iter().map(|segment| Arc::new(segment.with_numbers(position, &numbers))).collect();
        Arc::new(Self { name: Arc::clone(&self.name), columns, positions, segments })
    }

    /// The same columns over other segments of the same rows.
    pub(super) fn with_segments(&self, segments: Vec<Arc<Segment>>) -> Arc<Self> {
        Arc::new(Self {
            segments,
            name: Arc::clone(&self.name),
            columns: self.columns.clone(),
            positions: self.positions.clone(),
        })
    }

    /// The event type.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// All columns, in the order they were first seen, without `timestamp`.
    #[must_use]
    pub fn columns(&self) -> &[ColumnView] {
        &self.columns
    }

    /// The position of a column.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// All segments, oldest arrival first.
    #[must_use]
    pub fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.segments.iter().map(|segment| segment.rows()).sum()
    }

    /// Whether a row lies at or after `begin_ms` and before `end_ms`.
    #[must_use]
    pub fn any_between(&self, begin_ms: i64, end_ms: i64) -> bool {
        self.segments
            .iter()
            .filter(|segment| segment.first_ms() < end_ms && segment.last_ms() >= begin_ms)
            .any(|segment| segment.timestamps().iter().any(|ms| (begin_ms..end_ms).contains(ms)))
    }

    /// The value of one column in one row; nothing if there is none.
    #[must_use]
    pub fn value(&self, segment: &Segment, column: usize, row: usize) -> Value {
        let (Some(part), Some(view)) = (segment.part(column), self.columns.get(column)) else { return Value::Null };
        if let Some(text) = part.text.as_ref().and_then(|codes| codes.values().get(row)).and_then(|code| view.texts.get(*code)) {
            return Value::Text(Arc::clone(text));
        }
        if let Some(number) = part.number.as_ref().and_then(|numbers| numbers.values().get(row)).filter(|number| !number.is_nan())
        {
            return Value::Number(*number);
        }
        if let Some(flags) = part.flag.as_ref().filter(|flags| row < flags.len() && flags.is_valid(row)) {
            return Value::Bool(flags.value(row));
        }
        let code = part.other.as_ref().and_then(|codes| codes.values().get(row));
        code.and_then(|code| view.others.get(*code)).map_or(Value::Null, |other| other.0.clone())
    }
}
