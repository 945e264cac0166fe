//! AWS as the emulators play it: a trail's bucket that tells a queue, and what a test does with them.
//!
//! In: the endpoints of ministack and moto. Out: clients, and resources with random names, so that tests run side by side and
//! never clean up. Nothing here asserts what only one of the emulators does.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    Event, FilterRule, FilterRuleName, NotificationConfiguration, NotificationConfigurationFilter, QueueConfiguration,
    S3KeyFilter,
};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};

use super::data::{REGION, TrailObject};
use super::{eventually, setting, skip};

/// An emulator and its clients.
#[derive(Debug, Clone)]
pub(crate) struct Aws {
    /// `ministack` or `moto`.
    pub(crate) name: &'static str,
    /// Base URL of every service.
    pub(crate) endpoint: String,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
}

/// The emulators of this run; for each that is missing the test says that it does less.
pub(crate) async fn emulators() -> Vec<Aws> {
    let mut found = Vec::new();
    for name in ["ministack", "moto"] {
        found.extend(emulator(name).await);
    }
    found
}

/// One emulator: ministack for load (moto takes 30 ms a message), either where the test is about the agent.
pub(crate) async fn emulator(name: &'static str) -> Option<Aws> {
    let variable = format!("CSPM_RELAY_TEST_{}", name.to_uppercase());
    let Some(endpoint) = setting(&variable) else {
        skip(&format!("needs {name}, and {variable} is not set"));
        return None;
    };
    Some(Aws::at(name, &endpoint).await)
}

impl Aws {
    /// Clients of an endpoint.
    pub(crate) async fn at(name: &'static str, endpoint: &str) -> Self {
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .region(REGION)
            .endpoint_url(endpoint)
            .credentials_provider(aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "tests"))
            .load()
            .await;
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        Self {
            name,
            endpoint: endpoint.to_owned(),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sqs: aws_sdk_sqs::Client::new(&config),
        }
    }

    /// A queue with a dead-letter queue behind it.
    pub(crate) async fn queue(&self, settings: QueueSettings) -> Queue {
        let name = random_name("relay");
        let dead = self.create_queue(&format!("{name}-dead"), HashMap::new()).await;
        let redrive = serde_json::json!({ "deadLetterTargetArn": dead.arn, "maxReceiveCount": settings.max_receive_count });
        let attributes = HashMap::from([
            (QueueAttributeName::VisibilityTimeout, settings.visibility.as_secs().to_string()),
            (QueueAttributeName::RedrivePolicy, redrive.to_string()),
        ]);
        let main = self.create_queue(&name, attributes).await;
        Queue { url: main.url, arn: main.arn, dead_letter_url: dead.url, sqs: self.sqs.clone() }
    }

    async fn create_queue(&self, name: &str, attributes: HashMap<QueueAttributeName, String>) -> Created {
        let made = self.sqs.create_queue().queue_name(name).set_attributes(Some(attributes)).send().await;
        let url = made.expect("creating a queue").queue_url.expect("a new queue has a URL");
        let asked = self.sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::QueueArn).send().await;
        let attributes = asked.expect("asking a queue").attributes.unwrap_or_default();
        Created { arn: attributes[&QueueAttributeName::QueueArn].clone(), url }
    }

    /// A bucket whose trail objects (`.json.gz`) are told to a queue.
    pub(crate) async fn trail(&self, settings: QueueSettings) -> Trail {
        let queue = self.queue(settings).await;
        let bucket = random_name("trail");
        self.s3.create_bucket().bucket(&bucket).send().await.expect("creating a bucket");
        let suffix = FilterRule::builder().name(FilterRuleName::Suffix).value(".json.gz").build();
        let filter = NotificationConfigurationFilter::builder().key(S3KeyFilter::builder().filter_rules(suffix).build()).build();
        let to_queue = QueueConfiguration::builder().queue_arn(&queue.arn).events(Event::S3ObjectCreated).filter(filter).build();
        let notification =
            NotificationConfiguration::builder().queue_configurations(to_queue.expect("queue and events are set")).build();
        let put = self.s3.put_bucket_notification_configuration().bucket(&bucket).notification_configuration(notification);
        put.send().await.expect("configuring a notification");
        Trail { bucket, queue, s3: self.s3.clone() }
    }
}

struct Created {
    url: String,
    arn: String,
}

/// What a test wants of a queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueSettings {
    /// How long a received message stays hidden.
    pub(crate) visibility: Duration,
    /// Receives after which it goes to the dead-letter queue.
    pub(crate) max_receive_count: u32,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self { visibility: Duration::from_secs(30), max_receive_count: 10 }
    }
}

/// A queue and the one behind it.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) url: String,
    pub(crate) arn: String,
    pub(crate) dead_letter_url: String,
    sqs: aws_sdk_sqs::Client,
}

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Depth {
    /// Ready to be received.
    pub(crate) visible: u64,
    /// Received and not yet deleted or visible again.
    pub(crate) in_flight: u64,
}

impl Depth {
    /// Nothing left and nothing open.
    pub(crate) const EMPTY: Self = Self { visible: 0, in_flight: 0 };
}

impl Queue {
    /// Sends a message.
    pub(crate) async fn send(&self, body: &str) {
        self.sqs.send_message().queue_url(&self.url).message_body(body).send().await.expect("sending a message");
    }

    /// Receives what is there within a second, ten at most, with receive counts.
    pub(crate) async fn receive(&self) -> Vec<Message> {
        let receive = self.sqs.receive_message().queue_url(&self.url).max_number_of_messages(10).wait_time_seconds(1);
        let receive = receive.message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        receive.send().await.expect("receiving messages").messages.unwrap_or_default()
    }

    /// Deletes a received message.
    pub(crate) async fn delete(&self, message: &Message) {
        let handle = message.receipt_handle.clone().expect("a received message has a handle");
        self.sqs.delete_message().queue_url(&self.url).receipt_handle(handle).send().await.expect("deleting a message");
    }

    /// Shows a received message to others at once.
    pub(crate) async fn hand_back(&self, message: &Message) {
        let handle = message.receipt_handle.clone().expect("a received message has a handle");
        let change = self.sqs.change_message_visibility().queue_url(&self.url).receipt_handle(handle).visibility_timeout(0);
        change.send().await.expect("changing a message's visibility");
    }

    /// What the queue holds.
    pub(crate) async fn depth(&self) -> Depth {
        self.depth_of(&self.url).await
    }

    /// What the dead-letter queue holds.
    pub(crate) async fn dead_letters(&self) -> Depth {
        self.depth_of(&self.dead_letter_url).await
    }

    async fn depth_of(&self, url: &str) -> Depth {
        let (visible, hidden) =
            (QueueAttributeName::ApproximateNumberOfMessages, QueueAttributeName::ApproximateNumberOfMessagesNotVisible);
        let ask = self.sqs.get_queue_attributes().queue_url(url).attribute_names(visible.clone()).attribute_names(hidden.clone());
        let found = ask.send().await.expect("asking a queue").attributes.unwrap_or_default();
        let count = |name| found[name].parse().expect("a number of messages");
        Depth { visible: count(&visible), in_flight: count(&hidden) }
    }

    /// Waits until the queue holds nothing at all.
    pub(crate) async fn drained(&self) {
        eventually("the queue is empty", async || self.depth().await == Depth::EMPTY).await;
    }
}

/// A trail: bucket, notification, queue.
#[derive(Debug, Clone)]
pub(crate) struct Trail {
    pub(crate) bucket: String,
    pub(crate) queue: Queue,
    s3: aws_sdk_s3::Client,
}

impl Trail {
    /// Delivers an object, as `CloudTrail` does.
    pub(crate) async fn deliver(&self, object: &TrailObject) {
        self.put(&object.key, object.body.clone()).await;
    }

    /// Puts any bytes under any key.
    pub(crate) async fn put(&self, key: &str, body: Vec<u8>) {
        let put = self.s3.put_object().bucket(&self.bucket).key(key).body(ByteStream::from(body));
        put.send().await.expect("putting an object");
    }

    /// The bytes under a key.
    pub(crate) async fn get(&self, key: &str) -> Vec<u8> {
        let found = self.s3.get_object().bucket(&self.bucket).key(key).send().await.expect("getting an object");
        found.body.collect().await.expect("reading an object").to_vec()
    }

    /// Deletes an object, so that its notification points at nothing.
    pub(crate) async fn delete(&self, key: &str) {
        self.s3.delete_object().bucket(&self.bucket).key(key).send().await.expect("deleting an object");
    }
}

/// A name that no other test uses.
pub(crate) fn random_name(prefix: &str) -> String {
    format!("{prefix}-{:016x}", fastrand::u64(..))
}

#[cfg(test)]
mod tests {
    use super::super::data;
    use super::*;

    /// Gathers messages until one holds the text; everything else (the test message) is deleted.
    async fn until_found(queue: &Queue, text: &str) -> Message {
        let mut found = None;
        eventually(&format!("a message holds {text}"), async || {
            for message in queue.receive().await {
                if found.is_none() && message.body.as_deref().unwrap_or_default().contains(text) {
                    found = Some(message);
                } else {
                    queue.delete(&message).await;
                }
            }
            found.is_some()
        })
        .await;
        found.expect("waited for it")
    }

    #[tokio::test]
    async fn a_delivered_object_is_told_to_the_queue() {
        for aws in emulators().await {
            let trail = aws.trail(QueueSettings::default()).await;
            let object = data::object(77, 1_780_000_000_000, &data::mixed(0, 3, 1_780_000_000_000));
            trail.put("AWSLogs/readme.txt", b"no trail object".to_vec()).await;
            trail.deliver(&object).await;
            let message = until_found(&trail.queue, "0000000000000077.json.gz").await;
            let body = message.body.clone().unwrap_or_default();
            assert!(body.contains(&trail.bucket), "{}: {body}", aws.name);
            assert_eq!(trail.get(&object.key).await, object.body, "{}", aws.name);
            assert_eq!(trail.queue.depth().await.in_flight, 1, "{}", aws.name);
            trail.queue.delete(&message).await;
            trail.queue.drained().await;
            assert_eq!(trail.queue.dead_letters().await, Depth::EMPTY, "{}", aws.name);
            trail.delete(&object.key).await;
            let gone = aws.s3.get_object().bucket(&trail.bucket).key(&object.key).send().await;
            assert!(gone.is_err_and(|error| error.into_service_error().is_no_such_key()), "{}", aws.name);
        }
    }

    #[tokio::test]
    async fn a_message_received_too_often_becomes_a_dead_letter() {
        for aws in emulators().await {
            let queue = aws.queue(QueueSettings { max_receive_count: 2, ..QueueSettings::default() }).await;
            queue.send("poison").await;
            for times in ["1", "2"] {
                let message = until_found(&queue, "poison").await;
                let count = message.attributes.as_ref().expect("system attributes were asked for")
                    [&MessageSystemAttributeName::ApproximateReceiveCount]
                    .as_str();
                assert_eq!(count, times, "{}", aws.name);
                queue.hand_back(&message).await;
            }
            eventually(&format!("{}: the dead-letter queue holds it", aws.name), async || {
                assert_eq!(queue.receive().await.len(), 0, "{}: a third receive", aws.name);
                queue.dead_letters().await.visible == 1
            })
            .await;
            assert_eq!(queue.depth().await, Depth::EMPTY, "{}", aws.name);
        }
    }
}
