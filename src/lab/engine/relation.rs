//! The rows a query reads: one or more tables, as if one.
//!
//! In: tables and the names of the columns a query uses. Out: a [`Relation`]. What always holds: a column is known by its position
//! in the query's list of names, whichever table has it and wherever.

use std::sync::Arc;

use crate::lab::store::TableView;

/// The attribute that says when a row happened.
pub(super) const TIMESTAMP: &str = "timestamp";

/// Several tables, united by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Relation {
    pub(super) members: Vec<Member>,
}

/// One table of a relation.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) view: Arc<TableView>,
    /// Position in the table of each of the query's columns.
    pub(super) positions: Vec<Option<usize>>,
    /// Whether `SINCE` and `UNTIL` choose among its rows: not those a query made.
    pub(super) windowed: bool,
    /// Whether its rows happened at some time.
    pub(super) timed: bool,
    /// Its rows were made for one bucket each of the query that reads them: they belong to that alone, however buckets overlap.
    pub(super) follows: bool,
    /// Rows before this are hidden, ms.
    pub(super) visible_from_ms: i64,
}

impl Member {
    /// A table that is read whole.
    pub(super) fn whole(view: Arc<TableView>, timed: bool) -> Self {
        Self { view, positions: Vec::new(), windowed: false, timed, follows: false, visible_from_ms: i64::MIN }
    }
}

impl Relation {
    /// Looks up the columns in every table.
    pub(super) fn resolve(&mut self, names: &[String]) {
        for member in &mut self.members {
            member.positions = names.iter().map(|name| member.view.position(name)).collect();
        }
    }
}
