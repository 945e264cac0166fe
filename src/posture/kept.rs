//! A state that somebody writes down.
//!
//! In: whether this agent leads, and what was written before. Out: what is to be written, place by place. What always holds: what
//! records owe for a place settles only after the place was written, or goes back to its source.

use super::stored::StoredError;
use crate::ack::{Piece, Settled};
use crate::record::AccountRegion;

/// What records owe until a state was written, and how their events settled: so they settle then.
pub type Owed = Vec<(Piece, Settled)>;

/// A state by account and Region.
pub trait Kept: std::fmt::Debug + Send + Sync {
    /// What the names of its objects begin with.
    fn folder(&self) -> &'static str;

    /// What is lost with a damaged object, for people.
    fn loss(&self) -> &'static str;

    /// Everything that was written has been loaded: records are judged from now on.
    fn open(&self);

    /// Forgets everything and closes; what waits for a writing goes back to its source. Another agent leads now.
    fn clear(&self);

    /// Forgets a place, unless something of it waits for an answer or to be written. Whether it is forgotten.
    fn forget(&self, place: &AccountRegion) -> bool;

    /// Places whose state is not as it was written. `all`: also those where only what can be read again differs.
    fn unwritten(&self, all: bool) -> Vec<AccountRegion>;

    /// The state of a place as it is to be written, and what waits for that.
    fn to_write(&self, place: &AccountRegion) -> Option<(Vec<u8>, Owed)>;

    /// The writing of a place went well, or not: what waited settles, or waits for the next writing.
    fn written(&self, place: &AccountRegion, owed: Owed, well: bool);

    /// Reads the state of a place as it was written.
    ///
    /// # Errors
    /// [`StoredError`] says what is wrong with it; nothing of it was read.
    fn load(&self, place: &AccountRegion, bytes: &[u8]) -> Result<(), StoredError>;
}

/// Settles all of it.
pub(super) fn settle(owed: Owed) {
    for (piece, settled) in owed {
        piece.settle(settled);
    }
}
