//! Items → one request body, packed as it grows.
//!
//! In: encoded items with their pieces. Out: a [`Batch`]: a gzip body inside the limits and every piece it owes an answer
//! for. What always holds: a batch is not empty; its body is within the limits packed and unpacked; a piece travels with its
//! item through every split.

use std::io::{self, Write};

use flate2::write::{GzDecoder, GzEncoder};
use flate2::{Compression, GzBuilder};

use super::{Lane, limits};
use crate::ack::Piece;

/// Bounds of one body.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Most bytes before packing.
    pub unpacked: usize,
    /// Most bytes after packing.
    pub packed: usize,
    /// Most items.
    pub items: usize,
    /// gzip level, 1 to 9.
    pub level: u32,
}

/// A request body and the pieces that wait for its answer.
#[derive(Debug)]
pub struct Batch {
    lane: Lane,
    /// gzip of the whole body.
    packed: bytes::Bytes,
    /// End of each item in the unpacked body; items stand one separator of the lane apart.
    ends: Vec<u32>,
    pieces: Vec<Piece>,
    limits: BodyLimits,
    head: std::sync::Arc<[u8]>,
    /// The oldest time of its items, milliseconds since the epoch; `i64::MAX`: stamped on arrival.
    oldest_ms: i64,
}

/// Builds batches of one lane.
#[derive(Debug)]
pub struct Batcher {
    lane: Lane,
    limits: BodyLimits,
    head: std::sync::Arc<[u8]>,
    encoder: GzEncoder<Vec<u8>>,
    /// Of the body, what the packer has not been given yet: it works best on long stretches.
    staged: Vec<u8>,
    unpacked: usize,
    ends: Vec<u32>,
    pieces: Vec<Piece>,
    oldest_ms: i64,
}

/// gzip of memory cannot fail; if it ever did, the pieces are dropped and their objects come again.
fn encoder(level: u32) -> GzEncoder<Vec<u8>> {
    // No file name, no time: the same items give the same bytes.
    GzBuilder::new().write(Vec::new(), Compression::new(level))
}

impl Batcher {
    /// A batcher whose bodies begin with `head` and end with the lane's own tail.
    #[must_use]
    pub fn new(lane: Lane, limits: BodyLimits, head: std::sync::Arc<[u8]>) -> Self {
        Self {
            lane,
            limits,
            head,
            encoder: encoder(limits.level),
            staged: Vec::new(),
            unpacked: 0,
            ends: Vec::new(),
            pieces: Vec::new(),
            oldest_ms: i64::MAX,
        }
    }

    /// Where its batches go.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// The largest item that fits into a body of its own, bytes.
    #[must_use]
    pub fn item_max(&self) -> usize {
        self.limits.unpacked.min(self.limits.packed).saturating_sub(self.head.len() + self.lane.tail().len())
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Adds an item of at most [`Batcher::item_max`] bytes. Returns the batch that had to be closed to make room.
    pub fn push(&mut self, item: &[u8], time_ms: i64, piece: Piece) -> Option<Batch> {
        let closed = if self.fits(item.len()) { None } else { self.close() };
        let written = if self.pieces.is_empty() { self.write_head() } else { self.write(self.lane.separator()) }
            .and_then(|()| self.write(item));
        match written {
            Ok(()) => {
                self.ends.push(u32::try_from(self.unpacked).unwrap_or(u32::MAX));
                self.pieces.push(piece);
                self.oldest_ms = self.oldest_ms.min(time_ms);
            }
            Err(error) => {
                tracing::error!(%error, "Packing items in memory failed; their objects go back");
                self.abandon();
            }
        }
        closed
    }

    /// Closes what waits.
    pub fn close(&mut self) -> Option<Batch> {
        if self.pieces.is_empty() {
            return None;
        }
        let tail = self.write(self.lane.tail()).and_then(|()| self.pack());
        let finished = std::mem::replace(&mut self.encoder, encoder(self.limits.level)).finish();
        self.unpacked = 0;
        let (ends, pieces) = (std::mem::take(&mut self.ends), std::mem::take(&mut self.pieces));
        let oldest_ms = std::mem::replace(&mut self.oldest_ms, i64::MAX);
        match tail.and(finished) {
            Ok(packed) => Some(Batch {
                lane: self.lane,
                packed: packed.into(),
                ends,
                pieces,
                limits: self.limits,
                head: std::sync::Arc::clone(&self.head),
                oldest_ms,
            }),
            Err(error) => {
                tracing::error!(%error, "Packing a batch in memory failed; its objects go back");
                None
            }
        }
    }

    fn fits(&self, item: usize) -> bool {
        let unpacked = self.unpacked + 1 + item + self.lane.tail().len();
        // What the packer still holds is not in its output yet: count it as if it did not shrink.
        let packed = if self.limits.packed >= self.limits.unpacked {
            0
        } else {
            self.encoder.get_ref().len() + self.staged.len() + item + PACKER_HOLDS
        };
        self.pieces.is_empty()
            || (self.pieces.len() < self.limits.items && unpacked <= self.limits.unpacked && packed <= self.limits.packed)
    }

    fn write_head(&mut self) -> io::Result<()> {
        let head = std::sync::Arc::clone(&self.head);
        self.write(&head)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.unpacked += bytes.len();
        if self.staged.len() + bytes.len() > STAGED {
            self.pack()?;
        }
        if bytes.len() > STAGED {
            return self.encoder.write_all(bytes);
        }
        self.staged.extend_from_slice(bytes);
        Ok(())
    }

    /// Drops what waits: its pieces are returned.
    fn abandon(&mut self) {
        *self = Self::new(self.lane, self.limits, std::sync::Arc::clone(&self.head));
    }

    fn pack(&mut self) -> io::Result<()> {
        let written = self.encoder.write_all(&self.staged);
        self.staged.clear();
        written
    }
}

/// Bytes that wait for the packer, at most.
const STAGED: usize = 32 << 10;

/// Bytes the packer may hold back: its window and pending block.
const PACKER_HOLDS: usize = 128 << 10;

impl Batch {
    /// Where it goes.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// The gzip body.
    #[must_use]
    pub fn body(&self) -> bytes::Bytes {
        self.packed.clone()
    }

    /// Number of items, at least 1.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Never: a batch holds at least one item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether its oldest item is about to leave the ingest window.
    #[must_use]
    pub fn is_stale(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.oldest_ms) > limits::RESTAMP_MS
    }

    /// The same items, those that are too old under the present time. Usually one batch again; two when it grew too large.
    ///
    /// # Errors
    /// As [`Batch::halves`].
    pub fn restamped(self, now_ms: i64) -> io::Result<Vec<Self>> {
        let lane = self.lane;
        self.edited(now_ms - limits::LATE_MS, |item| lane.restamp(item, now_ms))
    }

    /// A request that held it may have been taken, though no answer says so.
    pub fn doubt(&self) {
        self.pieces.iter().for_each(Piece::doubt);
    }

    /// Gives every piece the same answer.
    pub fn settle(self, settled: crate::ack::Settled) {
        for piece in self.pieces {
            piece.settle(settled);
        }
    }

    /// Two batches of half the items each; a single item comes back alone.
    ///
    /// # Errors
    /// When the body cannot be unpacked (it was packed here, so: never); the pieces are then dropped, that is, returned.
    pub fn halves(self) -> io::Result<(Self, Option<Self>)> {
        if self.len() < 2 {
            return Ok((self, None));
        }
        let half = self.len() / 2;
        let oldest_ms = self.oldest_ms;
        let mut parts = self.rebuild(half, oldest_ms, <[u8]>::to_vec)?.into_iter();
        match (parts.next(), parts.next()) {
            (Some(first), second) => Ok((first, second)),
            (None, _) => Err(io::Error::other("a batch came apart into nothing")),
        }
    }

    /// The same batch with every item passed through `edit`; `oldest_ms` is the oldest time that then stands in it.
    ///
    /// # Errors
    /// As [`Batch::halves`].
    fn edited(self, oldest_ms: i64, edit: impl FnMut(&[u8]) -> Vec<u8>) -> io::Result<Vec<Self>> {
        let all = self.len();
        self.rebuild(all, oldest_ms, edit)
    }

    /// The items and their pieces, one by one.
    ///
    /// # Errors
    /// As [`Batch::halves`].
    pub fn into_items(self) -> io::Result<Vec<(Vec<u8>, Piece)>> {
        let body = self.unpack()?;
        Ok(items(&body, self.head.len(), &self.ends, self.lane).map(<[u8]>::to_vec).zip(self.pieces).collect())
    }

    fn rebuild(self, part: usize, oldest_ms: i64, mut edit: impl FnMut(&[u8]) -> Vec<u8>) -> io::Result<Vec<Self>> {
        let body = self.unpack()?;
        let mut batcher = Batcher::new(self.lane, self.limits, std::sync::Arc::clone(&self.head));
        let mut batches = Vec::new();
        for (at, (item, piece)) in items(&body, self.head.len(), &self.ends, self.lane).zip(self.pieces).enumerate() {
            if at == part {
                batches.extend(batcher.close());
            }
            batches.extend(batcher.push(&edit(item), oldest_ms, piece));
        }
        batches.extend(batcher.close());
        Ok(batches)
    }

    fn unpack(&self) -> io::Result<Vec<u8>> {
        let mut decoder = GzDecoder::new(Vec::new());
        decoder.write_all(&self.packed)?;
        decoder.finish()
    }
}

/// The items of an unpacked body.
fn items<'b>(body: &'b [u8], head: usize, ends: &'b [u32], lane: Lane) -> impl Iterator<Item = &'b [u8]> {
    let mut from = head;
    let between = lane.separator().len();
    ends.iter().map(move |&end| {
        let end = end as usize;
        let item = body.get(from..end).unwrap_or_default();
        from = end + between;
        item
    })
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
