//! Items that wait no longer than they may.
//!
//! In: items. Out: the same, to the outlet behind, which is flushed when its time has come. It reads no clock but the runtime's.

use std::time::Duration;

use tokio::time::Instant;

use crate::ack::Piece;
use crate::encode::{Lane, Outlet};

/// An outlet whose items wait no longer than they may, however slowly more of them come.
pub(super) struct Timed<O> {
    pub(super) outlet: O,
    pub(super) flushed: Instant,
    pub(super) flush_after: Duration,
}

impl<O: Outlet> Timed<O> {
    pub(super) fn flush_old(&mut self) {
        if self.flushed.elapsed() >= self.flush_after {
            self.flush();
        }
    }
}

impl<O: Outlet> Outlet for Timed<O> {
    fn put(&mut self, lane: Lane, item: &[u8], time_ms: i64, piece: Piece) {
        self.outlet.put(lane, item, time_ms, piece);
        self.flush_old();
    }

    fn item_max(&self, lane: Lane) -> usize {
        self.outlet.item_max(lane)
    }

    fn flush(&mut self) {
        self.outlet.flush();
        self.flushed = Instant::now();
    }
}
