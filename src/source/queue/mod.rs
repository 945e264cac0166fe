//! An SQS queue as leases.
//!
//! In: a queue. Out: its messages, each leased for as long as it is open, then deleted or handed back. What always holds: a
//! message is deleted only when everything it names has ended well; until then its visibility is renewed at half time; what
//! is held when the agent stops is visible again at once. It does not know what a message says.
//!
//! [`Leases`](leases::Leases) keeps the leases, [`Consumer`](consumer::Consumer) turns messages into objects. Facts: SQS
//! developer guide, "visibility timeout" (0 to 12 hours counted from the receive), `ReceiveMessage`, `DeleteMessageBatch`.

pub(super) mod consumer;
mod known;
pub(super) mod leases;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

/// Most messages of one receive, and most entries of one batch request.
pub(super) const BATCH: usize = 10;

/// Longest visibility, counted from the receive.
pub(super) const LONGEST: Duration = Duration::from_hours(12);

/// What is asked of SQS. Two implementations: the SDK's client, and the memory queue of the tests.
pub trait Queue: fmt::Debug + Send + Sync + 'static {
    /// The queue's name, for messages and origins.
    fn name(&self) -> &str;

    /// Its settings.
    fn attributes(self: Arc<Self>) -> BoxFuture<'static, Result<Attributes, QueueError>>;

    /// Waits up to 20 s for up to ten messages.
    fn receive(self: Arc<Self>) -> BoxFuture<'static, Result<Vec<Message>, QueueError>>;

    /// Deletes up to ten messages; gives those that were refused.
    fn delete(self: Arc<Self>, entries: Vec<Entry>) -> BoxFuture<'static, Result<Vec<Refused>, QueueError>>;

    /// Changes the visibility of up to ten messages; gives those that were refused.
    fn change(self: Arc<Self>, entries: Vec<(Entry, Duration)>) -> BoxFuture<'static, Result<Vec<Refused>, QueueError>>;
}

/// A message as it was received. Its `Debug` form shows neither body nor handle.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The same at every receive.
    pub id: String,
    /// Another one at every receive.
    pub handle: String,
    /// What it says.
    pub body: String,
    /// How often it has been received, this time included.
    pub receive_count: u32,
    /// When it was sent, milliseconds since the epoch.
    pub sent_ms: Option<i64>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, body, receive_count, .. } = self;
        write!(f, "Message({id}, {} bytes, received {receive_count} times)", body.len())
    }
}

/// One message in a batch request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Our number for it.
    pub lease: u64,
    /// Receipt handle.
    pub handle: String,
}

/// A message that a batch request did not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Our number for it.
    pub lease: u64,
    /// Whether asking again is of no use: the handle has expired, the message is gone.
    pub lasting: bool,
    /// What SQS said.
    pub why: String,
}

/// Settings of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// Default visibility timeout.
    pub visibility: Duration,
    /// `maxReceiveCount` of the redrive policy; `None`: there is no dead-letter queue.
    pub max_receive_count: Option<u32>,
}

/// Smallest visibility timeout at which a slow request does not cost a lease.
const VISIBILITY_MIN: Duration = Duration::from_mins(1);

/// The visibility timeout to recommend: renewals are rare, and a crashed agent's messages come back soon enough.
const VISIBILITY_GOOD: Duration = Duration::from_mins(5);

/// Hand-backs count as receives: fewer, and a restart moves good messages to the dead-letter queue.
const RECEIVES_MIN: u32 = 10;

impl Attributes {
    /// What is wrong with the settings, in words.
    #[must_use]
    pub fn faults(&self, queue: &str) -> Vec<String> {
        let mut faults = Vec::new();
        if self.visibility < VISIBILITY_MIN {
            faults.push(format!(
                "queue {queue}: its visibility timeout of {} s is too small: set VisibilityTimeout to {}",
                self.visibility.as_secs(),
                VISIBILITY_GOOD.as_secs()
            ));
        }
        match self.max_receive_count {
            None => faults.push(format!(
                "queue {queue}: it has no dead-letter queue, so a message that cannot be handled comes back until it expires: \
                 set a RedrivePolicy with maxReceiveCount {RECEIVES_MIN} or more"
            )),
            Some(count) if count < RECEIVES_MIN => faults.push(format!(
                "queue {queue}: maxReceiveCount of {count} is too small, because messages handed back at a stop count too: \
                 set it to {RECEIVES_MIN} or more"
            )),
            Some(_) => {}
        }
        faults
    }
}

/// Why a queue did not answer as wished.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// There is no such queue.
    #[error("{why}")]
    Missing {
        /// What AWS said.
        why: String,
    },
    /// Nobody could be asked, for want of credentials; usually only a person can mend it.
    #[error("{why}; missing: {}", super::aws::credentials::MISSING)]
    NoCredentials {
        /// What was tried.
        why: String,
    },
    /// AWS refuses; only a person can mend it.
    #[error("{why}; missing: {missing}")]
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
