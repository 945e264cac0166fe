//! Where finished items go: batches for the senders, or lines of JSON.

use std::io::Write;

use tokio::sync::{mpsc, oneshot};

use crate::ack::{Piece, Settled};
use crate::config::Limits;
use crate::encode::{Batch, Batcher, BodyLimits, Lane, Outlet, event, limits};

/// Batches per lane, sent on when full or flushed.
#[derive(Debug)]
pub struct Lanes {
    lanes: Vec<(Batcher, mpsc::Sender<Batch>)>,
}

impl Lanes {
    /// Batches within the configured limits, to these channels.
    #[must_use]
    pub fn new(settings: &Limits, to: &[(Lane, mpsc::Sender<Batch>)]) -> Self {
        let lanes = to.iter().map(|(lane, batches)| (batcher(*lane, settings), batches.clone())).collect();
        Self { lanes }
    }
}

/// A batcher of a lane within the configured limits.
#[must_use]
pub fn batcher(lane: Lane, settings: &Limits) -> Batcher {
    let limits = BodyLimits {
        unpacked: settings.body_bytes,
        packed: settings.packed_body_bytes,
        items: limits::EVENTS_PER_BODY,
        level: settings.gzip_level,
    };
    Batcher::new(lane, limits, lane.head(&common()))
}

/// Attributes of every log.
fn common() -> String {
    format!(r#"{{"logtype":"aws.cloudtrail","relay.version":"{}"}}"#, event::VERSION)
}

impl Outlet for Lanes {
    fn put(&mut self, lane: Lane, item: &[u8], time_ms: i64, piece: Piece) {
        let Some((batcher, batches)) = self.lanes.iter_mut().find(|(batcher, _)| batcher.lane() == lane) else { return };
        if let Some(full) = batcher.push(item, time_ms, piece) {
            send(batches, full);
        }
    }

    fn item_max(&self, lane: Lane) -> usize {
        self.lanes.iter().find(|(batcher, _)| batcher.lane() == lane).map_or(0, |(batcher, _)| batcher.item_max())
    }

    fn flush(&mut self) {
        for (batcher, batches) in &mut self.lanes {
            if let Some(batch) = batcher.close() {
                send(batches, batch);
            }
        }
    }
}

/// Waits for room; a sender that has gone means that the batch's records go back.
fn send(batches: &mpsc::Sender<Batch>, batch: Batch) {
    if batches.blocking_send(batch).is_err() {
        tracing::debug!("The sender has gone; a batch goes back to its sources");
    }
}

/// One line per item: `{"kind":"event","data":{…}}`, or `{"kind":"log","common":{…},"data":{…}}`.
pub struct Lines<W> {
    out: W,
    waiting: Vec<Piece>,
    /// Who is told of the first error; `None` once there was one: nothing is written any more.
    failed: Option<oneshot::Sender<std::io::Error>>,
}

/// Items written before they are flushed and settled.
const LINES: usize = 512;

impl<W: Write + Send> Lines<W> {
    /// Lines to `out`; `failed` is told the error that ends them. From then on nothing settles any more: whoever is told ends
    /// the run, and everything is returned with this, unsaid.
    pub fn new(out: W, failed: oneshot::Sender<std::io::Error>) -> Self {
        Self { out, waiting: Vec::new(), failed: Some(failed) }
    }

    fn fail(&mut self, error: std::io::Error) {
        if let Some(failed) = self.failed.take() {
            let _heard = failed.send(error).is_ok();
        }
    }
}

/// Writes an item as a line. A log says beside it what a batch says once for all its logs.
///
/// # Errors
/// Those of `out`.
pub fn write_line(out: &mut impl Write, lane: Lane, item: &[u8]) -> std::io::Result<()> {
    write!(out, "{{\"kind\":\"{}\",", lane.as_str())?;
    if lane == Lane::Logs {
        write!(out, "\"common\":{},", common())?;
    }
    out.write_all(b"\"data\":")?;
    // A record may be written over several lines; a line of output is one line.
    if memchr::memchr2(b'\n', b'\r', item).is_some() {
        let line: Vec<u8> = item.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect();
        out.write_all(&line)?;
    } else {
        out.write_all(item)?;
    }
    out.write_all(b"}\n")
}

impl<W: Write + Send> Outlet for Lines<W> {
    fn put(&mut self, lane: Lane, item: &[u8], _time_ms: i64, piece: Piece) {
        self.waiting.push(piece);
        if self.failed.is_none() {
            return;
        }
        if let Err(error) = write_line(&mut self.out, lane, item) {
            self.fail(error);
        } else if self.waiting.len() >= LINES {
            self.flush();
        }
    }

    fn item_max(&self, _lane: Lane) -> usize {
        usize::MAX
    }

    fn flush(&mut self) {
        if self.failed.is_none() {
            return;
        }
        match self.out.flush() {
            Ok(()) => self.waiting.drain(..).for_each(|piece| piece.settle(Settled::Delivered)),
            Err(error) => self.fail(error),
        }
    }
}
