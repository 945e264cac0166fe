//! The NRQL engine: a query and rows in, the rows New Relic would answer out.
//!
//! In: a tree of `crate::nrql` and a store. Out: results in `NerdGraph`'s shapes, or why the query is refused. What always holds: a
//! query reads one state of the store from beginning to end; what New Relic's documentation leaves open is a named switch.

pub mod function;
pub mod time;
pub mod value;
