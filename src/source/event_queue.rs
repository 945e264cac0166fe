//! `EventBridge` events on an SQS queue.
//!
//! In: messages. Out: each one's body as an object of its own, named `queue/message-id`. What always holds: every body is
//! handed on, whatever it is; the decoder decides whether it is understood.

use std::sync::Arc;

use bytes::Bytes;

use super::queue::Queue;
use super::queue::consumer::{Consumer, Item, Plan};
use super::trouble::Trouble;
use super::{Intake, Origin, Sight, Source, SourceError};
use crate::clock::Clock;
use crate::config::Limits;

/// The source of kind `eventQueue`.
#[derive(Debug)]
pub struct EventQueue {
    queue: Arc<dyn Queue>,
    limits: Limits,
    clock: Clock,
    trouble: Arc<Trouble>,
}

impl EventQueue {
    /// A source that reads `queue`.
    #[must_use]
    pub fn new(queue: Arc<dyn Queue>, limits: &Limits, clock: Clock) -> Self {
        Self { queue, limits: limits.clone(), clock, trouble: Arc::new(Trouble::unheard()) }
    }

    /// What is wrong with it; take it before the source runs.
    #[must_use]
    pub fn trouble(&self) -> Arc<Trouble> {
        Arc::clone(&self.trouble)
    }
}

impl Source for EventQueue {
    async fn run(self, intake: Intake) -> Result<(), SourceError> {
        let Self { queue, limits, clock, trouble } = self;
        let name = queue.name().to_owned();
        let plan = move |id: &str, body: String| {
            let origin = Origin { name: format!("{name}/{id}"), account: None, sight: Sight::Message };
            Plan { items: vec![Item::Body(origin, Bytes::from(body))], ..Plan::default() }
        };
        Consumer { queue, bucket: None, limits, clock, trouble, plan }.run(intake).await
    }
}
