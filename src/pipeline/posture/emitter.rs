//! Rows of one run → batches, and whether all of them were accepted.
//!
//! In: items, one record each. Out: batches to the sender of events. What always holds: a run is complete only if every record of
//! it was accepted; a record that was dropped on the way makes it incomplete.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::{Mutex, mpsc};

use crate::ack::{Counts, ObjectEntry, Outcome, Piece, RecordEntry, Released, Settled, Verdict};
use crate::config::Limits;
use crate::encode::{Batch, Batcher, Lane};
use crate::pipeline::outlet::batcher;

/// Sends the rows of one run.
pub(super) struct Emitter {
    batcher: Mutex<Batcher>,
    batches: mpsc::Sender<Batch>,
    entry: Arc<ObjectEntry>,
    told: mpsc::Receiver<Released>,
    rows: AtomicU64,
    refused: Refused,
}

/// Whether a row was refused: it is in the dead letters, and not in New Relic.
#[derive(Debug, Clone, Default)]
pub(super) struct Refused(Arc<AtomicBool>);

impl Refused {
    /// Notes how a row settled.
    pub(super) fn note(&self, settled: Settled) {
        self.0.fetch_or(settled == Settled::Rejected, Ordering::Relaxed);
    }
}

impl Emitter {
    pub(super) fn new(limits: &Limits, batches: mpsc::Sender<Batch>, counts: Arc<Counts>) -> Self {
        let (to, told) = mpsc::channel(1);
        // The channel is new: it has room.
        let place = to.try_reserve_owned().ok();
        let entry = ObjectEntry::enter(counts, 0, place);
        Self {
            batcher: Mutex::new(batcher(Lane::Events, limits)),
            batches,
            entry,
            told,
            rows: AtomicU64::new(0),
            refused: Refused::default(),
        }
    }

    /// A record of this run.
    pub(super) fn record(&self) -> Arc<RecordEntry> {
        let record = self.entry.record();
        record.ends_as(Outcome::Delivered);
        self.rows.fetch_add(1, Ordering::Relaxed);
        record
    }

    /// For a row whose settling does more.
    pub(super) fn refused(&self) -> Refused {
        self.refused.clone()
    }

    /// The piece of a row that owes nothing else.
    fn piece(&self) -> Piece {
        let record = self.record();
        let (piece, refused) = (record.piece(), self.refused());
        record
            .step(move |settled| {
                refused.note(settled);
                piece.settle(settled);
            })
            .piece()
    }

    /// Sends a row that owes nothing else.
    pub(super) async fn row(&self, item: &[u8], time_ms: i64) {
        let piece = self.piece();
        self.put(item, time_ms, piece).await;
    }

    /// The same from a thread that may wait.
    pub(super) fn row_blocking(&self, item: &[u8], time_ms: i64) {
        let piece = self.piece();
        let full = self.batcher.blocking_lock().push(item, time_ms, piece);
        if let Some(batch) = full
            && self.batches.blocking_send(batch).is_err()
        {
            tracing::debug!("The sender has gone; rows of a run are not sent");
        }
    }

    /// Sends an item.
    pub(super) async fn put(&self, item: &[u8], time_ms: i64, piece: Piece) {
        let full = self.batcher.lock().await.push(item, time_ms, piece);
        self.send(full).await;
    }

    /// Sends what waits.
    pub(super) async fn flush(&self) {
        let rest = self.batcher.lock().await.close();
        self.send(rest).await;
    }

    async fn send(&self, batch: Option<Batch>) {
        if let Some(batch) = batch
            && self.batches.send(batch).await.is_err()
        {
            tracing::debug!("The sender has gone; rows of a run are not sent");
        }
    }

    /// Rows so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Values that were cut.
    pub(super) fn cut(&self, cut: u64) {
        if cut > 0 {
            self.entry.counts().cut(cut);
        }
    }

    /// Waits for the answers. Whether every row was accepted.
    pub(super) async fn accepted(self) -> bool {
        let refused = self.refused();
        self.released().await && !refused.0.load(Ordering::Relaxed)
    }

    /// Waits for the answers. Whether every row was accepted or is in the dead letters: none comes back.
    pub(super) async fn released(self) -> bool {
        self.flush().await;
        let Self { entry, mut told, .. } = self;
        entry.decoded();
        drop(entry);
        told.recv().await.is_some_and(|released| released.verdict == Verdict::Released)
    }
}
