//! Classified records → items → batches.
//!
//! In: a record with its detections. Out: JSON items for the Event API and the Log API, points of metrics for OTLP, gathered into [`Batch`]es that stay
//! inside every limit of [`limits`]. What always holds: no reserved attribute name is sent; long values are cut and marked,
//! never dropped unseen; the same record gives the same bytes. Never talks to the network.

pub mod batch;
pub mod catalogue;
pub mod change;
pub mod compliance;
pub mod dictionary;
mod diff;
pub mod event;
pub mod exception;
pub mod finding;
pub mod identity;

pub mod limits;
pub mod log;
pub mod mask;
pub mod metric;
mod naming;
pub mod otlp;
pub mod posture;
pub mod restamp;
mod trim;
pub mod writer;

use std::sync::Arc;

pub use batch::{Batch, Batcher, BodyLimits};

use crate::ack::Piece;

/// Which API an item goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Event API.
    Events,
    /// Log API.
    Logs,
    /// OTLP metrics.
    Metrics,
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Events, Self::Logs, Self::Metrics];

    /// Those that take what records become.
    pub const OF_RECORDS: [Self; 2] = [Self::Events, Self::Logs];

    /// The word in messages, dead letters and NDJSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "event",
            Self::Logs => "log",
            Self::Metrics => "metric",
        }
    }

    /// `Content-Type` of its bodies.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Events | Self::Logs => "application/json",
            Self::Metrics => "application/x-protobuf",
        }
    }

    /// How a body begins. `common`: a JSON object of attributes that every log of the body carries.
    #[must_use]
    pub fn head(self, common: &str) -> Arc<[u8]> {
        match self {
            Self::Events => Arc::from(b"[".as_slice()),
            Self::Logs => format!(r#"[{{"common":{{"attributes":{common}}},"logs":["#).into_bytes().into(),
            Self::Metrics => Arc::from(b"".as_slice()),
        }
    }

    /// How a body ends.
    #[must_use]
    pub fn tail(self) -> &'static [u8] {
        match self {
            Self::Events => b"]",
            Self::Logs => b"]}]",
            Self::Metrics => b"",
        }
    }

    /// What stands between two items of a body.
    #[must_use]
    pub fn separator(self) -> &'static [u8] {
        match self {
            Self::Events | Self::Logs => b",",
            Self::Metrics => b"",
        }
    }

    /// What names the row that an item becomes, however often and whenever it is told; `None`: nothing but all of it.
    #[must_use]
    pub fn name(self, item: &[u8]) -> Option<Vec<u8>> {
        naming::name(self, item)
    }

    /// An item under the present time.
    fn restamp(self, item: &[u8], now_ms: i64) -> Vec<u8> {
        match self {
            Self::Events | Self::Logs => restamp::restamp(item, now_ms),
            Self::Metrics => otlp::restamp(item, now_ms),
        }
    }
}

/// Takes finished items. The pipeline batches and sends them; `replay --to stdout` prints them.
pub trait Outlet: Send {
    /// Takes an item and the answer it owes. `time_ms`: the item's own time, `i64::MAX` when New Relic stamps it.
    fn put(&mut self, lane: Lane, item: &[u8], time_ms: i64, piece: Piece);

    /// Largest item, bytes; a larger one must be trimmed before it is put.
    fn item_max(&self, lane: Lane) -> usize;

    /// Sends what waits, at a pause or at the end.
    fn flush(&mut self);
}

impl<O: Outlet + ?Sized> Outlet for Box<O> {
    fn put(&mut self, lane: Lane, item: &[u8], time_ms: i64, piece: Piece) {
        (**self).put(lane, item, time_ms, piece);
    }

    fn item_max(&self, lane: Lane) -> usize {
        (**self).item_max(lane)
    }

    fn flush(&mut self) {
        (**self).flush();
    }
}
