//! Standard input and named pipes, each read by a thread of its own.
//!
//! In: whatever stands behind a reader that may be silent for ever. Out: its bytes, to a decoder that never waits longer than
//! asked for: [`io::ErrorKind::WouldBlock`] while nothing comes, and [`Stopped`] once the relay stops and everything that had
//! been read is given. What always holds: four chunks are read ahead at most; nobody waits for the thread, which may stay
//! in its read until the process ends.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use crate::ack::Counts;
use crate::decode::Stopped;
use crate::source::Phase;

/// Chunks read ahead.
const AHEAD: usize = 4;
/// Bytes of a chunk at most.
const CHUNK: usize = 64 << 10;

/// A pipe with a name. Opening it waits for whoever writes it, so that is left to the thread that reads.
pub(super) struct NamedPipe(PathBuf, Option<File>);

impl NamedPipe {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path, None)
    }
}

impl Read for NamedPipe {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Self(path, file) = self;
        match file {
            Some(file) => file.read(out),
            None => file.insert(File::open(path)?).read(out),
        }
    }
}

/// The reading end.
pub(super) struct Pipe {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    chunk: Bytes,
    phase: watch::Receiver<Phase>,
    patience: Duration,
    counts: Arc<Counts>,
    runtime: Handle,
    /// No further chunk is taken.
    stopped: bool,
}

impl Pipe {
    /// Reads `input`, and gives up waiting after `patience` each time. Bytes read are counted as fetched. Runs in a thread
    /// of the runtime's, never in a task.
    pub(super) fn open(
        input: impl Read + Send + 'static,
        phase: watch::Receiver<Phase>,
        patience: Duration,
        counts: Arc<Counts>,
    ) -> Self {
        let runtime = Handle::current();
        let (to, chunks) = mpsc::channel(AHEAD);
        let _left_alone = runtime.spawn_blocking(move || read(input, &to));
        Self { chunks, chunk: Bytes::new(), phase, patience, counts, runtime, stopped: false }
    }

    /// The next chunk; empty at the end of the input.
    fn next(&mut self) -> io::Result<Bytes> {
        if *self.phase.borrow() >= Phase::Draining {
            return match self.chunks.try_recv() {
                Ok(chunk) => chunk,
                // The thread has ended by itself: the stop came too late to cut anything.
                Err(mpsc::error::TryRecvError::Disconnected) if !self.stopped => Ok(Bytes::new()),
                Err(_) if self.stopped => Err(io::Error::other(Stopped)),
                Err(_) => {
                    // Takes no further chunk, gives those that were read.
                    self.stopped = true;
                    self.chunks.close();
                    self.chunks.try_recv().unwrap_or_else(|_| Err(io::Error::other(Stopped)))
                }
            };
        }
        let Self { chunks, phase, patience, runtime, .. } = self;
        runtime.block_on(async {
            tokio::select! {
                biased;
                stop = phase.wait_for(|phase| *phase >= Phase::Draining) => match stop {
                    Ok(_) => Err(io::ErrorKind::WouldBlock.into()),
                    Err(_) => Err(io::Error::other(Stopped)),
                },
                chunk = chunks.recv() => chunk.unwrap_or_else(|| Ok(Bytes::new())),
                () = tokio::time::sleep(*patience) => Err(io::ErrorKind::WouldBlock.into()),
            }
        })
    }
}

impl BufRead for Pipe {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.chunk.is_empty() {
            self.chunk = self.next()?;
            self.counts.bytes(self.chunk.len() as u64, 0);
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, amount: usize) {
        self.chunk.advance(amount.min(self.chunk.len()));
    }
}

impl Read for Pipe {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

/// Reads to the end, or until nobody takes any more.
fn read(mut input: impl Read, to: &mpsc::Sender<io::Result<Bytes>>) {
    let mut chunk = vec![0; CHUNK];
    let mut filled = 0;
    let mut first = true;
    loop {
        let read = match input.read(chunk.get_mut(filled..).unwrap_or_default()) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let _heard = to.blocking_send(Err(error)).is_ok();
                return;
            }
        };
        filled += read;
        // Two bytes tell how it is packed: a pipe may give them one by one.
        if first && filled < 2 && read > 0 {
            continue;
        }
        first = false;
        let full = Bytes::copy_from_slice(chunk.get(..filled).unwrap_or_default());
        filled = 0;
        let heard = full.is_empty() || to.blocking_send(Ok(full)).is_ok();
        if read == 0 || !heard {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives what it is sent, a byte at a time; waits as long as the sender lives.
    struct Tap(mpsc::Receiver<&'static [u8]>, &'static [u8]);

    impl Read for Tap {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.1.is_empty() {
                self.1 = self.0.blocking_recv().unwrap_or_default();
            }
            self.1.read(&mut out[..1])
        }
    }

    fn waits(read: &io::Result<usize>) -> bool {
        read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Silence is told, a stop gives what was read and then says so, the end is an end.
    #[test]
    fn a_silent_input_holds_nobody_up() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let _inside = runtime.enter();
        for stop in [true, false] {
            let (tap, input) = mpsc::channel(4);
            let (phase, heard) = watch::channel(Phase::Running);
            let counts = Arc::new(Counts::new("stdin"));
            let mut pipe = Pipe::open(Tap(input, b""), heard, Duration::from_millis(20), Arc::clone(&counts));
            let mut out = [0; 8];
            assert!(waits(&pipe.read(&mut out)), "nothing came");
            tap.blocking_send(b"a").unwrap();
            assert!(waits(&pipe.read(&mut out)), "one byte does not tell how it is packed");
            tap.blocking_send(b"b").unwrap();
            let mut first = pipe.read(&mut out);
            while waits(&first) {
                first = pipe.read(&mut out);
            }
            assert_eq!((first.unwrap(), &out[..2]), (2, b"ab".as_slice()));
            tap.blocking_send(b"c").unwrap();
            while pipe.chunks.is_empty() {
                std::thread::yield_now();
            }
            if stop {
                phase.send_replace(Phase::Draining);
                assert_eq!((pipe.read(&mut out).unwrap(), out[0]), (1, b'c'), "read before the stop");
                let error = pipe.read(&mut out).unwrap_err();
                assert!(Stopped::is_in(&error), "{error}");
                drop(tap);
            } else {
                drop(tap);
                let mut rest = Vec::new();
                pipe.read_to_end(&mut rest).unwrap();
                assert_eq!(rest, b"c");
            }
            assert_eq!(counts.snapshot().bytes_packed, 3);
        }
    }
}
