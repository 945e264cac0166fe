//! How everything ends: outcomes, the ledger that cannot forget one, and the window that recognises copies.
//!
//! In: objects, records and pieces as they are taken. Out: exactly one [`Outcome`] per record and one [`Verdict`] per object.
//! What always holds, per source: `received = delivered + ignored + suppressed + duplicate + unreadable + rejected +
//! returned` for records and `received = released + parked + returned` for objects, because forgetting a piece counts as
//! `returned` and the source offers the object again.

pub mod counts;
pub mod ledger;
pub mod outcome;
pub mod rollup;
pub mod seen;

pub use counts::Counts;
pub use ledger::{ObjectEntry, Piece, RecordEntry, Released};
pub use outcome::{Outcome, Settled, Verdict};
pub use rollup::{Counter, RollupTallies, Rollups, Taken, Tally};
pub use seen::Seen;

#[cfg(test)]
mod tests;
