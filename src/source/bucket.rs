//! Reading objects from buckets, patiently and within the byte budget.
//!
//! In: where an object is. Out: its bytes with the room they take, or why it cannot be had. What always holds: room is taken
//! before a body is held, an object over the limit is never downloaded, and passing faults are tried again before anyone
//! hears of them. It does not decide what becomes of an object that cannot be had.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::backoff::Backoff;
use crate::config::Limits;

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Bucket name.
    pub bucket: String,
    /// Key, plain.
    pub key: String,
    /// Version, where a notification names one.
    pub version: Option<String>,
    /// Size that a notification or listing named, bytes; the answer to the read decides.
    pub bytes: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// An object whose body has not been read yet.
pub struct Opened {
    /// Size of the body, bytes, when the answer names it.
    pub bytes: Option<u64>,
    /// The body; dropped unread, nothing more is downloaded.
    pub body: BoxFuture<'static, Result<Bytes, ReadError>>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// One page of a listing.
#[derive(Debug, Default)]
pub struct Page {
    /// Key and size in bytes, in key order.
    pub objects: Vec<(String, u64)>,
    /// Where the next page begins; `None`: this is the last one.
    pub next: Option<String>,
}

/// Why a bucket did not answer as wished.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The object or its version does not exist.
    #[error("it does not exist")]
    Gone,
    /// Larger than the object limit.
    #[error("{bytes} bytes, more than limits.objectBytes allows")]
    TooLarge {
        /// Its size, bytes.
        bytes: u64,
    },
    /// AWS refuses; only a person can mend it.
    #[error("{why}")]
    Denied {
        /// What AWS said: code and message.
        why: String,
        /// What is missing.
        missing: &'static str,
    },
    /// Anything that may pass.
    #[error("{why}")]
    Passing {
        /// What went wrong.
        why: String,
    },
}

/// What is asked of S3. Two implementations: the SDK's client, and the memory bucket of the tests.
pub trait Bucket: fmt::Debug + Send + Sync + 'static {
    /// Asks for an object; the body is read separately.
    fn open<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Opened, ReadError>>;

    /// One page of the keys under a prefix, in key order.
    fn list<'a>(&'a self, bucket: &'a str, prefix: &'a str, from: Option<&'a str>) -> BoxFuture<'a, Result<Page, ReadError>>;
}

/// Takes room and reads whole objects.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    /// `None` where a source reads no bucket.
    pub(super) bucket: Option<Arc<dyn Bucket>>,
    pub(super) budget: Arc<Semaphore>,
    pub(super) limits: Limits,
}

/// An object that was read.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) bytes: Bytes,
    pub(super) room: OwnedSemaphorePermit,
    /// Whether it went well at the first try.
    pub(super) smooth: bool,
}

/// Tries of one read before a passing fault counts as lasting.
const TRIES: u32 = 5;

impl Reader {
    /// Reads an object and the room it takes.
    ///
    /// # Errors
    /// Why it cannot be had, after five tries for what may pass.
    pub(super) async fn read(&self, place: &Place) -> Result<Got, ReadError> {
        let mut backoff = Backoff::new();
        loop {
            match self.try_read(place).await {
                Err(ReadError::Passing { why }) if backoff.failures() + 1 < TRIES => {
                    tracing::debug!("Reading {place} again: {why}");
                    tokio::time::sleep(backoff.next()).await;
                }
                ended => return ended.map(|(bytes, room)| Got { bytes, room, smooth: backoff.failures() == 0 }),
            }
        }
    }

    /// One page of keys.
    ///
    /// # Errors
    /// Why it cannot be had, after five tries for what may pass.
    pub(super) async fn list(&self, bucket: &str, prefix: &str, from: Option<&str>) -> Result<Page, ReadError> {
        let mut backoff = Backoff::new();
        loop {
            match self.client()?.list(bucket, prefix, from).await {
                Err(ReadError::Passing { .. }) if backoff.failures() + 1 < TRIES => tokio::time::sleep(backoff.next()).await,
                ended => return ended,
            }
        }
    }

    fn client(&self) -> Result<&dyn Bucket, ReadError> {
        let none = || ReadError::Denied { why: "this source reads no bucket".to_owned(), missing: "an S3 client" };
        self.bucket.as_deref().ok_or_else(none)
    }

    async fn try_read(&self, place: &Place) -> Result<(Bytes, OwnedSemaphorePermit), ReadError> {
        // The size that a notification names is a hint: it saves asking twice while the budget is spent.
        let mut room = match place.bytes {
            Some(bytes) if bytes <= self.limits.object_bytes => Some(self.room(bytes).await?),
            _ => None,
        };
        loop {
            let opened = self.client()?.open(place).await?;
            let bytes = opened.bytes.unwrap_or(self.limits.object_bytes);
            if bytes > self.limits.object_bytes {
                return Err(ReadError::TooLarge { bytes });
            }
            let needed = self.kib(bytes);
            if let Some(mut taken) = room.take() {
                // The hint may have been too large or too small.
                let surplus = taken.num_permits().saturating_sub(needed as usize);
                drop(taken.split(surplus));
                if taken.num_permits() == needed as usize {
                    return Ok((opened.body.await?, taken));
                }
            }
            if let Ok(taken) = Arc::clone(&self.budget).try_acquire_many_owned(needed) {
                return Ok((opened.body.await?, taken));
            }
            // An answer left unread while waiting for room would run into the server's time-out: asked again afterwards.
            drop(opened);
            room = Some(self.room(bytes).await?);
        }
    }

    /// Room for a body of so many bytes.
    ///
    /// # Errors
    /// When the agent is stopping.
    pub(super) async fn room(&self, bytes: u64) -> Result<OwnedSemaphorePermit, ReadError> {
        let closed = |_| ReadError::Passing { why: "the agent is stopping".to_owned() };
        Arc::clone(&self.budget).acquire_many_owned(self.kib(bytes)).await.map_err(closed)
    }

    /// The room an object takes, KiB: at least one, at most the whole budget.
    fn kib(&self, bytes: u64) -> u32 {
        u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).clamp(1, super::budget_kib(&self.limits))
    }
}
