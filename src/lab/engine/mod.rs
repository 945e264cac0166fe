//! The NRQL engine: a query and rows in, the rows New Relic would answer out.
//!
//! In: a tree of `crate::nrql` and a store. Out: results in `NerdGraph`'s shapes, or why the query is refused. What always holds: a
//! query reads one state of the store from beginning to end; what New Relic's documentation leaves open is a named switch.

mod aggregate;
mod aggregation;
mod cost;
mod error;
mod expression;
pub mod function;
mod group;
mod join;
mod key;
mod listing;
mod plan;
mod relation;
mod result;
mod run;
mod scan;
mod settings;
pub mod time;
pub mod value;
pub(super) mod windowed;

#[cfg(test)]
mod tests;

pub use error::QueryError;
pub use result::{Answer, Field, Metadata, ResultRow, Window, json};
pub use settings::{Deviation, DivisionByZero, FacetOrder, Limits, PreviousTimes, Settings, Stop, Switches};

use super::store::Snapshot;
use crate::nrql::Statement;

/// Answers queries on the rows of one moment.
#[derive(Debug, Clone)]
pub struct Engine {
    /// Read as one: an event type has the rows of all.
    snapshots: Vec<Snapshot>,
    settings: Settings,
}

impl Engine {
    /// On these rows, with these settings.
    #[must_use]
    pub fn new(snapshot: Snapshot, settings: Settings) -> Self {
        Self::together(vec![snapshot], settings)
    }

    /// On the rows of several snapshots as if they were one: those of the first arrived first.
    #[must_use]
    pub fn together(snapshots: Vec<Snapshot>, settings: Settings) -> Self {
        Self { snapshots, settings }
    }

    /// The answer to a query, as of `now_ms`, milliseconds since 1970.
    ///
    /// # Errors
    /// When New Relic would refuse the query, when it holds what is not run here, or when it passes the limits of the settings.
    pub fn run(&self, statement: &Statement, now_ms: i64) -> Result<Answer, QueryError> {
        let run = run::Run::new(&self.snapshots, &self.settings);
        match statement {
            Statement::Select(query) => run.outermost(query, now_ms),
            Statement::ShowEventTypes { since, until } => run.event_types(since.as_ref(), until.as_ref(), now_ms),
        }
    }
}

/// The aggregates that can be run or are refused by name, and the other names of each: what functions there are, and which differ
/// from New Relic's, says [`crate::nrql::function`].
pub fn aggregates() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    plan::AGGREGATES.iter().map(|function| (function.name, function.aliases))
}
