//! Topics and buses between a bucket and a queue.
//!
//! In: an emulator. Out: SNS topics and `EventBridge` rules that end in a queue. Spoken without an SDK: of the two
//! services a handful of calls is needed.

use aws_sdk_s3::types::{EventBridgeConfiguration, NotificationConfiguration, TopicConfiguration};
use serde_json::{Value, json};

use super::aws::{Aws, Queue, random_name};
use super::data::REGION;

/// A topic whose messages go to a queue.
#[derive(Debug, Clone)]
pub(crate) struct Topic {
    arn: String,
}

impl Aws {
    /// A topic that goes to a queue, in SNS's envelope or raw.
    pub(crate) async fn topic(&self, queue: &Queue, raw: bool) -> Topic {
        let arn = between(&self.sns(&[("Action", "CreateTopic"), ("Name", &random_name("topic"))]).await, "TopicArn");
        let raw = if raw { "true" } else { "false" };
        self.sns(&[
            ("Action", "Subscribe"),
            ("TopicArn", &arn),
            ("Protocol", "sqs"),
            ("Endpoint", &queue.arn),
            ("Attributes.entry.1.key", "RawMessageDelivery"),
            ("Attributes.entry.1.value", raw),
        ])
        .await;
        Topic { arn }
    }

    /// Publishes a text.
    pub(crate) async fn publish(&self, topic: &Topic, text: &str) {
        self.sns(&[("Action", "Publish"), ("TopicArn", &topic.arn), ("Message", text)]).await;
    }

    /// A bucket that tells a topic.
    pub(crate) async fn bucket_to_topic(&self, topic: &Topic) -> String {
        let to_topic = TopicConfiguration::builder().topic_arn(&topic.arn).events("s3:ObjectCreated:*".into()).build();
        let told = NotificationConfiguration::builder().topic_configurations(to_topic.expect("topic and events are set"));
        self.bucket_that_tells(told.build()).await
    }

    /// A bucket whose events go over a bus to a queue.
    pub(crate) async fn bucket_to_bus(&self, queue: &Queue) -> String {
        let told = NotificationConfiguration::builder().event_bridge_configuration(EventBridgeConfiguration::builder().build());
        let bucket = self.bucket_that_tells(told.build()).await;
        let rule = random_name("rule");
        let pattern = json!({ "source": ["aws.s3"], "detail": { "bucket": { "name": [bucket] } } }).to_string();
        self.events("PutRule", &json!({ "Name": rule, "EventPattern": pattern })).await;
        self.events("PutTargets", &json!({ "Rule": rule, "Targets": [{ "Id": "queue", "Arn": queue.arn }] })).await;
        bucket
    }

    async fn bucket_that_tells(&self, told: NotificationConfiguration) -> String {
        let bucket = random_name("trail");
        self.s3.create_bucket().bucket(&bucket).send().await.expect("creating a bucket");
        let put = self.s3.put_bucket_notification_configuration().bucket(&bucket).notification_configuration(told);
        put.send().await.expect("configuring a notification");
        bucket
    }

    async fn sns(&self, parameters: &[(&str, &str)]) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Version", "2010-03-31").extend_pairs(parameters);
        self.call("sns", "application/x-www-form-urlencoded", None, form.finish()).await
    }

    async fn events(&self, action: &str, body: &Value) {
        let target = format!("AWSEvents.{action}");
        self.call("events", "application/x-amz-json-1.1", Some(target), body.to_string()).await;
    }

    async fn call(&self, service: &str, kind: &str, target: Option<String>, body: String) -> String {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut request = to_service(&client, &self.endpoint, service, kind).body(body);
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        let answer = request.send().await.expect("the emulator answers");
        let (status, text) = (answer.status(), answer.text().await.expect("an answer is text"));
        assert!(status.is_success(), "{}: {service}: {status}: {text}", self.name);
        text
    }
}

/// A request to one of the emulator's services.
pub(super) fn to_service(client: &reqwest::Client, endpoint: &str, service: &str, kind: &str) -> reqwest::RequestBuilder {
    // The emulators look at the scope and not at the signature.
    let scope = format!("Credential=test/20260101/{REGION}/{service}/aws4_request");
    let signed = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0");
    client.post(endpoint).header("authorization", signed).header("content-type", kind)
}

fn between(text: &str, element: &str) -> String {
    let rest = text.split_once(&format!("<{element}>")).map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split('<').next()).expect("the element is there").to_owned()
}
