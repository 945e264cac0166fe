//! AWS and files → objects with the right to release them.
//!
//! In: queues, buckets, files. Out: [`Object`]s, packed as they were found, each with a number under which the ledger later
//! tells how it ended. What always holds: a source lets go of an object (deletes the message, forgets the position) only after
//! the ledger said `Released` or `Parked`; it never opens an object.

pub mod aws;
mod backoff;
pub mod bucket;
pub mod config_api;
pub mod iam;
pub mod key;
pub mod notification;
pub mod organizations;
pub mod queue;
pub mod trouble;

pub mod event_queue;
pub mod letters;
pub mod replay;
pub mod skipped;
pub mod trail_bucket;

#[cfg(test)]
pub(crate) mod memory;

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::ack::{Counts, Released};
use crate::config::Limits;

/// Bytes fetched from a source, packed as they were found.
#[derive(Debug)]
pub struct Object {
    /// The source's own number for it; told back in [`Released`].
    pub number: u64,
    /// Where it came from.
    pub origin: Origin,
    /// What is in it.
    pub body: Body,
    /// Part of the byte budget, given back when the body has been read.
    pub room: Option<OwnedSemaphorePermit>,
    /// The source has handed it out before, to this agent or another one, or has told this agent of it twice lately; or nobody
    /// knows whether somebody did.
    pub again: bool,
}

/// The content of an object. Its `Debug` form shows sizes, never the content.
pub enum Body {
    /// Held in memory.
    Held(Bytes),
    /// One record out of its object, held in memory.
    Record {
        /// Its text.
        bytes: Bytes,
        /// Its place in that object, from 0.
        index: u64,
    },
    /// A message that only names what it is about, and what was fetched for it, packed as it was found. Where that is not what the
    /// message speaks of, the message is all there is.
    Fetched {
        /// The message.
        message: Bytes,
        /// What was fetched.
        bytes: Bytes,
    },
    /// A local file, read as it is needed.
    File(PathBuf),
    /// Standard input, read once, as it comes.
    Stdin,
    /// A named pipe, a shell's `<(…)` or a device: the same.
    Pipe(PathBuf),
    /// Nothing: the object cannot be read. The pipeline sends a gap event and settles as the fault says.
    Missing(Fault),
}

impl Body {
    /// Whether it can be read only once, and may wait for whoever writes it.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        matches!(self, Self::Stdin | Self::Pipe(_))
    }

    /// The place of its first record in the object that it came from.
    #[must_use]
    pub fn first(&self) -> u64 {
        if let Self::Record { index, .. } = self { *index } else { 0 }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(bytes) => write!(f, "Held({} bytes)", bytes.len()),
            Self::Record { bytes, index } => write!(f, "Record({index}, {} bytes)", bytes.len()),
            Self::Fetched { message, bytes } => write!(f, "Fetched({} bytes for a message of {})", bytes.len(), message.len()),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Stdin => f.write_str("Stdin"),
            Self::Pipe(path) => f.debug_tuple("Pipe").field(path).finish(),
            Self::Missing(fault) => f.debug_tuple("Missing").field(fault).finish(),
        }
    }
}

/// Why an object cannot be read (design: delivery contract, objects). Its `Debug` form shows no body.
#[derive(Clone, PartialEq, Eq)]
pub enum Fault {
    /// It no longer exists: released, with a gap event.
    Gone,
    /// Larger than the object limit: dead letter that names it, and a gap event.
    TooLarge {
        /// Its size, bytes.
        bytes: u64,
    },
    /// A message that nobody understands: dead letter with its body, nothing is lost.
    NotUnderstood {
        /// What was found and what would have been understood.
        why: String,
        /// The message's body.
        body: Bytes,
    },
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("Gone"),
            Self::TooLarge { bytes } => write!(f, "TooLarge({bytes} bytes)"),
            Self::NotUnderstood { why, body } => write!(f, "NotUnderstood({why}; {} bytes)", body.len()),
        }
    }
}

/// Where an object came from, for messages, dead letters and gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `s3://bucket/key`, a path, `stdin`, or `queue-name/message-id`.
    pub name: String,
    /// Account in the S3 key, when there is one.
    pub account: Option<String>,
    /// How it came into view.
    pub sight: Sight,
}

impl Origin {
    /// The S3 version that was named, and read.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        match &self.sight {
            Sight::Version(version) => Some(version),
            Sight::Message | Sight::Named | Sight::Beside => None,
        }
    }
}

/// How an object came into view; decides what becomes of one that belongs to no trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// A queue message is the object: its bytes go to the dead letters.
    Message,
    /// A message or a person named it: it is handed back.
    Named,
    /// A message named it, and this version of it: it is handed back.
    Version(String),
    /// It stood beside others in a folder or under a prefix: it is passed over and counted.
    Beside,
}

/// What the pipeline gives a source to work with.
#[derive(Debug)]
pub struct Intake {
    /// The source's counters (skipped, redelivered, queue age are the source's to count).
    pub counts: std::sync::Arc<Counts>,
    /// Objects go here; a send waits while the workers are behind.
    pub objects: mpsc::Sender<Object>,
    /// How objects ended, once each.
    pub released: mpsc::Receiver<Released>,
    /// Byte budget, [`budget_kib`] permits; take before holding a body.
    pub budget: std::sync::Arc<tokio::sync::Semaphore>,
    /// Whether to go on, pause or stop.
    pub phase: tokio::sync::watch::Receiver<Phase>,
}

/// What a source should be doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Take objects.
    Running,
    /// Take nothing new, keep what is held (New Relic refuses the key).
    Paused,
    /// Take nothing new; wait for what is held to settle, then return.
    Draining,
    /// Hand back what has not settled, now, and return.
    Returning,
}

/// A fault that ends a source.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct SourceError {
    /// What was being done and what went wrong.
    pub what: String,
    /// What the reader can do.
    pub hint: Option<String>,
}

impl SourceError {
    fn new(what: String, hint: Option<&str>) -> Self {
        Self { what, hint: hint.map(str::to_owned) }
    }
}

/// The whole byte budget in KiB: as many permits as [`Intake::budget`] has. An object larger than that takes all of it.
#[must_use]
pub fn budget_kib(limits: &Limits) -> u32 {
    u32::try_from(limits.bytes_in_flight / 1024).unwrap_or(u32::MAX).max(1)
}

/// Where objects come from.
///
/// The contract:
/// - `run` owns its loop. It returns when it has nothing more to give and everything it gave has been told (`replay`), or in
///   [`Phase::Draining`] once nothing of it is open, or at once in [`Phase::Returning`], after handing back what it holds.
/// - Every object sent carries a number of its own; exactly one [`Released`] with that number comes back. Only then may the
///   source delete, forget or advance, and only if the verdict is not `Returned`; a returned object is offered again as soon
///   as the source allows (SQS: visibility 0 while stopping, a delay otherwise, so that a fault does not spin; a replay has
///   nowhere to return it to and ends with an error that names it, unless the age of its records was the only reason).
/// - `released` must have room for one message per open object, and stay open until `run` has returned.
/// - While it waits for anything (room, workers, answers) it keeps its leases: SQS visibility is renewed at half its time.
/// - It never waits where it could not hear `released` or `phase`.
/// - Passing faults (throttles, timeouts, expired credentials) are retried inside with back-off and counted; only a fault
///   that a person must mend is an error.
pub trait Source: Send + 'static {
    /// Gives objects until there are no more or the phase says stop.
    ///
    /// # Errors
    /// [`SourceError`] when it cannot go on at all.
    fn run(self, intake: Intake) -> impl Future<Output = Result<(), SourceError>> + Send;
}
