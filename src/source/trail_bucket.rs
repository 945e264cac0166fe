//! A trail's bucket, told by notifications on an SQS queue.
//!
//! In: notifications of any shape (see [`notification`]). Out: the objects they name. What always holds: a message is deleted
//! only when every object it names has ended well or was known to hold no records; one that names a foreign bucket, or is
//! meant for another reader, stays in the queue; one that nobody understands goes on as a fault, with its body. It opens no
//! object.

use std::sync::Arc;

use bytes::Bytes;

use super::bucket::{Bucket, Place};
use super::notification::{self, Notification};
use super::queue::Queue;
use super::queue::consumer::{Consumer, Item, Plan};
use super::trouble::Trouble;
use super::{Fault, Intake, Origin, Sight, Source, SourceError, key};
use crate::clock::Clock;
use crate::config::Limits;

/// The source of kind `trailBucket`.
#[derive(Debug)]
pub struct TrailBucket {
    queue: Arc<dyn Queue>,
    bucket: Arc<dyn Bucket>,
    buckets: Vec<String>,
    limits: Limits,
    clock: Clock,
    trouble: Arc<Trouble>,
}

impl TrailBucket {
    /// A source that reads `queue` and gets objects through `bucket`. `buckets` may be read; empty: any that a message names.
    #[must_use]
    pub fn new(queue: Arc<dyn Queue>, bucket: Arc<dyn Bucket>, buckets: Vec<String>, limits: &Limits, clock: Clock) -> Self {
        Self { queue, bucket, buckets, limits: limits.clone(), clock, trouble: Arc::new(Trouble::unheard()) }
    }

    /// What is wrong with it; take it before the source runs.
    #[must_use]
    pub fn trouble(&self) -> Arc<Trouble> {
        Arc::clone(&self.trouble)
    }
}

impl Source for TrailBucket {
    async fn run(self, intake: Intake) -> Result<(), SourceError> {
        let Self { queue, bucket, buckets, limits, clock, trouble } = self;
        let name = queue.name().to_owned();
        let plan = move |id: &str, body: String| plan(&name, &buckets, id, body);
        Consumer { queue, bucket: Some(bucket), limits, clock, trouble, plan }.run(intake).await
    }
}

fn plan(queue: &str, buckets: &[String], id: &str, body: String) -> Plan {
    let understood = notification::read(&body);
    let not_understood = |why: String| {
        let origin = Origin { name: format!("{queue}/{id}"), account: None, sight: Sight::Message };
        Item::Missing(origin, Fault::NotUnderstood { why, body: Bytes::from(body) })
    };
    match understood {
        Notification::Nothing(what) => {
            tracing::debug!(message = id, "Message {id} names no object: {what}");
            Plan { skipped: 1, ..Plan::default() }
        }
        Notification::Foreign(what) => Plan { stay: Some(what), ..Plan::default() },
        Notification::NotUnderstood(why) => Plan { items: vec![not_understood(why)], ..Plan::default() },
        Notification::Objects { places, broken } => {
            let foreign = |place: &&Place| !buckets.is_empty() && !buckets.contains(&place.bucket);
            if let Some(place) = places.iter().find(foreign) {
                let stay = format!("it names bucket {}, which is not listed in buckets of this source", place.bucket);
                return Plan { stay: Some(stay), ..Plan::default() };
            }
            let named = places.len();
            let mut items: Vec<_> = places.into_iter().filter(to_read).map(Item::Place).collect();
            let skipped = (named - items.len()) as u64;
            items.extend(broken.map(not_understood));
            Plan { items, skipped, stay: None }
        }
    }
}

/// Whether there is anything to read.
fn to_read(place: &Place) -> bool {
    // Empty under a trail's name is a fault of the object: it is read, and shown as a gap.
    let empty = place.bytes == Some(0) && !key::names_trail(&place.key);
    let why = key::skip(&place.key).map(key::Skip::as_str).or(empty.then_some("empty"));
    if let Some(why) = why {
        tracing::debug!(object = %place, "Skipped {place}: {why}");
    }
    why.is_none()
}
