//! Rows by event type, as columns in memory, for the NRQL engine.
//!
//! In: rows as they arrive, by [`Store::append`]. Out: [`Snapshot`]s, which never change. What always holds: rows keep the order of
//! arrival; a snapshot shows every row appended before it and none after; appending goes on while a snapshot is read. A column
//! appears when an attribute is first seen; a row without it has nothing there. It keeps everything it is given: what is too old
//! to be shown is for the engine to hide.

mod arrival;
mod column;
mod dictionary;
pub mod folder;
pub mod hash;
pub mod import;
mod json;
mod log;
mod open;
mod row;
mod segment;
mod table;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json};

pub use column::Part;
pub use dictionary::Entries;
pub use json::json_value;
pub use log::{LOG, fields as log_fields, flatten as flatten_log};
pub use open::{OpenError, Opened, open};
pub use row::{Point, Rows};
pub use segment::{SEGMENT_ROWS, Segment};
pub use table::{ColumnView, TableView};

use table::Table;

/// Event type of metric points.
pub const METRIC: &str = "Metric";

/// Rows that can be added to and looked at. Clones share one store.
#[derive(Debug, Clone, Default)]
pub struct Store {
    tables: Arc<Mutex<BTreeMap<Arc<str>, Table>>>,
}

impl Store {
    /// An empty store in memory.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Adds rows of one event type. `write` gets the pen; what it returns is returned. Others wait meanwhile.
    pub fn append<T>(&self, event_type: &str, write: impl FnOnce(&mut Rows<'_>) -> T) -> T {
        let mut tables = self.lock();
        if !tables.contains_key(event_type) {
            let name: Arc<str> = Arc::from(event_type);
            tables.insert(Arc::clone(&name), Table::new(name));
        }
        // The table is there: it was just put there if it was not.
        let mut nowhere = Table::new(Arc::from(event_type));
        let table = tables.get_mut(event_type).unwrap_or(&mut nowhere);
        write(&mut Rows::new(table))
    }

    /// Adds one row as the Event API takes it: text, numbers, truth values, lists of them; an object's fields get dotted names;
    /// nulls are left out. `timestamp` may be seconds or milliseconds; without it the row is of the time it was received. A point of
    /// a metric names itself in `metricName` and has an attribute of that name: an object with `type` (`count`, `gauge`, `summary`)
    /// and the fields of that kind (`count`, `latest`, `total`, `min`, `max`).
    pub fn append_json(&self, event_type: &str, row: &Map<String, Json>, received_ms: i64) {
        self.append(event_type, |rows| rows.json(row, received_ms));
    }

    /// The rows of now, all tables at one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let mut tables = self.lock();
        Snapshot { tables: Arc::new(tables.iter_mut().map(|(name, table)| (Arc::clone(name), table.view())).collect()) }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Table>> {
        // A writer that panicked leaves at most one half-written row behind.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rows of one moment. Never changes; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    tables: Arc<BTreeMap<Arc<str>, Arc<TableView>>>,
}

impl Snapshot {
    /// The rows of an event type; none if there never was one.
    #[must_use]
    pub fn table(&self, event_type: &str) -> Option<&Arc<TableView>> {
        self.tables.get(event_type)
    }

    /// The rows of every event type, by name.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<TableView>> {
        self.tables.values()
    }

    /// The same rows, all with one number under `name`: the account they are of, say.
    #[must_use]
    pub fn with_number(&self, name: &str, number: f64) -> Self {
        let tables = self.tables.iter().map(|(of, table)| (Arc::clone(of), table.with_number(name, number)));
        Self { tables: Arc::new(tables.collect()) }
    }

    /// The event types with a row at or after `begin_ms` and before `end_ms`, by name.
    #[must_use]
    pub fn event_types(&self, begin_ms: i64, end_ms: i64) -> Vec<Arc<str>> {
        let seen = |table: &&Arc<TableView>| table.any_between(begin_ms, end_ms);
        self.tables.values().filter(seen).map(|table| Arc::clone(table.name())).collect()
    }

    /// The attributes ever seen on an event type, by name, without `timestamp`.
    #[must_use]
    pub fn attributes(&self, event_type: &str) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> =
            self.table(event_type).into_iter().flat_map(|table| table.columns()).map(|column| Arc::clone(&column.name)).collect();
        names.sort_unstable();
        names
    }

    /// When every row arrived, ms since 1970, in no order.
    pub fn received(&self) -> impl Iterator<Item = i64> {
        let segments = self.tables.values().flat_map(|table| table.segments());
        segments.flat_map(|segment| segment.received().iter().copied())
    }

    /// How many rows there are of all types.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.tables.values().map(|table| table.rows()).sum()
    }
}
