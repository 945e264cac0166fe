//! `EventBridge` events on an SQS queue.
//!
//! In: messages. Out: each one's body as an object of its own, named `queue/message-id`. What always holds: every body is
//! handed on, whatever it is; the decoder decides whether it is understood. A message that says that AWS Config wrote a history file
//! names that object, which is read; one about a snapshot is passed over. For an oversized configuration item of AWS Config,
//! whose message holds a summary and says where the rest is, the rest is fetched and handed on with it; where it cannot be had, and
//! trying again would not help, the message goes alone.

use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem;
use serde::Deserialize;

use super::bucket::{Bucket, Place};
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
    bucket: Arc<dyn Bucket>,
    limits: Limits,
    clock: Clock,
    trouble: Arc<Trouble>,
}

impl EventQueue {
    /// A source that reads `queue`, and from `bucket` what is too long for a message.
    #[must_use]
    pub fn new(queue: Arc<dyn Queue>, bucket: Arc<dyn Bucket>, limits: &Limits, clock: Clock) -> Self {
        Self { queue, bucket, limits: limits.clone(), clock, trouble: Arc::new(Trouble::unheard()) }
    }

    /// What is wrong with it; take it before the source runs.
    #[must_use]
    pub fn trouble(&self) -> Arc<Trouble> {
        Arc::clone(&self.trouble)
    }
}

impl Source for EventQueue {
    async fn run(self, intake: Intake) -> Result<(), SourceError> {
        let Self { queue, bucket, limits, clock, trouble } = self;
        let name = queue.name().to_owned();
        let plan = move |id: &str, body: String| {
            match delivered(&body) {
                Some(Delivered::History(place)) => return Plan { items: vec![Item::Place(place)], ..Plan::default() },
                Some(Delivered::Snapshot(place)) => {
                    tracing::debug!(message = id, "Skipped {place}: a snapshot of AWS Config");
                    return Plan { skipped: 1, ..Plan::default() };
                }
                None => {}
            }
            let origin = Origin { name: format!("{name}/{id}"), account: None, sight: Sight::Message };
            let place = oversized(&body);
            let body = Bytes::from(body);
            let item = match place {
                Some(place) => Item::Fetch(origin, body, place),
                None => Item::Body(origin, body),
            };
            Plan { items: vec![item], ..Plan::default() }
        };
        Consumer { queue, bucket: Some(bucket), limits, clock, trouble, plan }.run(intake).await
    }
}

/// What the message of an oversized configuration item is called.
const OVERSIZED: &str = "OversizedConfigurationItemChangeNotification";

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(default = "nothing")]
    detail: Option<T>,
}

fn nothing<T>() -> Option<T> {
    None
}

/// What is in an event's `detail`, or the whole message, as AWS Config's own topic carries it.
fn told<T: for<'a> Deserialize<'a>>(body: &str) -> Option<T> {
    let enveloped = serde_json::from_str::<Envelope<T>>(body).ok().and_then(|envelope| envelope.detail);
    enveloped.or_else(|| serde_json::from_str(body).ok())
}

/// What the messages about files in AWS Config's bucket are called.
const HISTORY: &str = "ConfigurationHistoryDeliveryCompleted";
const SNAPSHOT: &str = "ConfigurationSnapshotDeliveryCompleted";

/// A file that AWS Config says it wrote.
#[derive(Debug, PartialEq, Eq)]
enum Delivered {
    /// What changed: items that the stream told too, or that it lost.
    History(Place),
    /// What is.
    Snapshot(Place),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    message_type: String,
    s3_bucket: String,
    s3_object_key: String,
}

/// The file that a message says was written; `None`: it is another message, or does not tell.
fn delivered(body: &str) -> Option<Delivered> {
    // Most messages are others: a look is cheaper than to read them twice.
    memmem::find(body.as_bytes(), b"DeliveryCompleted\"")?;
    let Written { message_type, s3_bucket, s3_object_key } = told(body)?;
    if s3_bucket.is_empty() || s3_object_key.is_empty() {
        return None;
    }
    let place = Place { bucket: s3_bucket, key: s3_object_key, version: None, bytes: None };
    match message_type.as_str() {
        HISTORY => Some(Delivered::History(place)),
        SNAPSHOT => Some(Delivered::Snapshot(place)),
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    message_type: String,
    s3_delivery_summary: Delivery,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    /// `bucket/key`
    s3_bucket_location: String,
    /// AWS Config could not deliver it either.
    #[serde(default)]
    error_code: Option<String>,
}

/// Where the rest of an oversized configuration item is; `None`: the message is another one, or does not tell.
fn oversized(body: &str) -> Option<Place> {
    memmem::find(body.as_bytes(), OVERSIZED.as_bytes())?;
    let notification: Notification = told(body)?;
    let delivery = notification.s3_delivery_summary;
    let is_told = notification.message_type == OVERSIZED;
    if !is_told || delivery.error_code.is_some_and(|code| !code.is_empty()) {
        return None;
    }
    let location = delivery.s3_bucket_location;
    let (bucket, key) = location.strip_prefix("s3://").unwrap_or(&location).split_once('/')?;
    if bucket.is_empty() || key.is_empty() {
        return None;
    }
    Some(Place { bucket: bucket.to_owned(), key: key.to_owned(), version: None, bytes: None })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::source::bucket::ReadError;
    use crate::source::memory::{MemoryBucket, MemoryQueue, Stored, pipeline};
    use crate::source::{Body, Phase};

    const SUMMARY: &str = include_str!("../../tests/fixtures/eventbridge/config-item-change-oversized.json");

    #[test]
    fn the_place_of_an_oversized_item_is_read_and_of_nothing_else() {
        let place = |body: &str| oversized(body).map(|place| place.to_string());
        let want = Some("s3://config-archive/AWSLogs/111122223333/Config/oversized.json.gz".to_owned());
        assert_eq!(place(SUMMARY), want);
        let event: serde_json::Value = serde_json::from_str(SUMMARY).expect("JSON");
        assert_eq!(place(&event["detail"].to_string()), want, "as AWS Config's own topic carries it");
        for (name, body) in [
            ("not delivered", SUMMARY.replace("\"errorCode\": null", "\"errorCode\": \"AccessDenied\"")),
            ("no place", SUMMARY.replace("s3BucketLocation", "elsewhere")),
            ("no key", SUMMARY.replace("config-archive/AWSLogs/111122223333/Config/oversized.json.gz", "config-archive/")),
            ("not JSON", format!("{SUMMARY}}}")),
            ("a rule's trigger", r#"{"detail":{"x":"OversizedConfigurationItemChangeNotification"}}"#.to_owned()),
            ("whole", include_str!("../../tests/fixtures/eventbridge/config-item-change.json").to_owned()),
        ] {
            assert_eq!(place(&body), None, "{name}");
        }
    }

    const WROTE_HISTORY: &str = include_str!("../../tests/fixtures/eventbridge/config-history-delivery-status.json");
    const WROTE_SNAPSHOT: &str = include_str!("../../tests/fixtures/eventbridge/config-snapshot-delivery-status.json");

    #[test]
    fn a_history_file_that_was_written_is_named_and_a_snapshot_is_told_apart() {
        let folder = "AWSLogs/111122223333/Config/eu-west-1/2026/11/21";
        let place =
            |key: &str| Place { bucket: "config-archive".to_owned(), key: format!("{folder}/{key}"), version: None, bytes: None };
        let history = Some(Delivered::History(place("ConfigHistory/a.json.gz")));
        assert_eq!(delivered(WROTE_HISTORY), history);
        let event: serde_json::Value = serde_json::from_str(WROTE_HISTORY).expect("JSON");
        assert_eq!(delivered(&event["detail"].to_string()), history, "as AWS Config's own topic carries it");
        assert_eq!(delivered(WROTE_SNAPSHOT), Some(Delivered::Snapshot(place("ConfigSnapshot/a.json.gz"))));
        for (name, body) in [
            ("no key", WROTE_HISTORY.replace("s3ObjectKey", "elsewhere")),
            ("an empty bucket", WROTE_HISTORY.replace("config-archive", "")),
            ("another file", WROTE_HISTORY.replace("ConfigurationHistoryDelivery", "SomethingDelivery")),
            ("not JSON", format!("{WROTE_HISTORY}}}")),
            ("an item", SUMMARY.to_owned()),
        ] {
            assert_eq!(delivered(&body), None, "{name}");
        }
    }

    /// Gone, refused, too large: the message alone. A passing fault gives the message back. Otherwise both are handed on.
    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_fetched_leaves_the_message_and_what_may_pass_gives_it_back() {
        let fault = |error| Some(Stored::Fault(error));
        let limits = Limits { object_bytes: 100_000, ..Limits::default() };
        for (name, stored, want) in [
            ("there", Some(Stored::Bytes(Bytes::from_static(b"item"))), "Fetched"),
            ("there at the second try", Some(Stored::Flaky(1, Bytes::from_static(b"item"))), "Fetched"),
            ("gone", None, "Held"),
            ("refused", fault(ReadError::Denied { why: "no".to_owned(), missing: "s3:GetObject" }), "Held"),
            ("too large", Some(Stored::Bytes(Bytes::from(vec![0; 200_000]))), "Held"),
            ("passing", fault(ReadError::Passing { why: "busy".to_owned() }), ""),
        ] {
            let queue = MemoryQueue::new(Duration::from_secs(30), [SUMMARY.to_owned()]);
            let bucket = Arc::<MemoryBucket>::default();
            if let Some(stored) = stored {
                bucket.put("AWSLogs/111122223333/Config/oversized.json.gz", stored);
            }
            let (intake, mut pipeline) = pipeline(1, &limits);
            let source = EventQueue::new(Arc::<MemoryQueue>::clone(&queue), bucket, &limits, Clock::fixed(5_000));
            let trouble = source.trouble();
            let running = tokio::spawn(source.run(intake));
            // Less than the time after which a message that went back comes again.
            let object = tokio::time::timeout(Duration::from_secs(25), pipeline.objects.recv()).await.ok().flatten();
            let body = object.map(|object| object.body);
            let got = match &body {
                Some(Body::Fetched { message, bytes }) if message == SUMMARY && bytes == "item" => "Fetched",
                Some(Body::Held(message)) if message == SUMMARY => "Held",
                None => "",
                Some(_) => "other",
            };
            assert_eq!(got, want, "{name}: {body:?}");
            let said = trouble.now().iter().any(|what| what.contains("s3:GetObject"));
            assert_eq!(said, name == "refused", "{name}");
            pipeline.phase.send(Phase::Returning).expect("it listens");
            running.await.expect("no panic").expect("no fault");
        }
    }
}
