//! The AWS SDK behind [`Queue`] and [`Bucket`].
//!
//! In: a queue's URL, a Region. Out: clients that wait no longer than they should and say, in our words, what went wrong.
//! What always holds: an answer that is no proper AWS answer counts as passing; only AWS's own refusals count as denied.
//! Credentials, Region and `AWS_ENDPOINT_URL` come from where AWS tools take them, but for sessions of IAM Identity Center and
//! `credential_process`: an agent has a role, and they would bring two more services into the build.

pub(super) mod credentials;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageSystemAttributeName, QueueAttributeName,
};
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;

use super::bucket::{Bucket, Opened, Page, Place, ReadError};
use super::queue::{Attributes, BATCH, Entry, Message, Queue, QueueError, Refused};
use crate::cause;

/// Time to connect.
const CONNECT: Duration = Duration::from_secs(5);
/// Time of one try until the answer begins: longer than a long poll.
const ATTEMPT: Duration = Duration::from_secs(30);
/// Tries of the SDK itself; lasting faults are the callers' to wait out.
const TRIES: u32 = 3;
/// How long an empty receive waits on the server. SQS: at most 20 s.
const POLL_SECONDS: i32 = 20;
/// How long the first one waits: whether the queue can be read at all is to be known soon.
const FIRST_POLL_SECONDS: i32 = 1;

/// The Region in a queue's URL, if it is AWS's own: `https://sqs.eu-west-1.amazonaws.com/…`.
#[must_use]
pub fn region_of(queue_url: &str) -> Option<&str> {
    let host = queue_url.split_once("://")?.1.split('/').next()?;
    let mut parts = host.split('.');
    let region = match (parts.next()?, parts.next()?) {
        ("sqs" | "sqs-fips", region) => region,
        // The older form, `eu-west-1.queue.amazonaws.com`.
        (region, "queue") => region,
        _ => return None,
    };
    (host.contains(".amazonaws.") && region.contains('-')).then_some(region)
}

/// Loads credentials, Region and endpoint as AWS tools do; `region` wins over the environment.
pub async fn load(region: Option<&str>) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(TRIES));
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loader.load().await
}

/// A queue on SQS; its Region is `region`, else the one in its URL, else the environment's.
pub async fn queue(queue_url: &str, region: Option<&str>) -> Arc<dyn Queue> {
    let config = load(region.or_else(|| region_of(queue_url))).await;
    Arc::new(SqsQueue::new(aws_sdk_sqs::Client::new(&config), queue_url))
}

/// The buckets on S3, in `region`, else the environment's.
pub async fn bucket(region: Option<&str>) -> Arc<dyn Bucket> {
    Arc::new(S3::new(&load(region).await))
}

/// A queue on SQS.
#[derive(Debug)]
pub struct SqsQueue {
    client: aws_sdk_sqs::Client,
    url: String,
    name: String,
    /// A receive went well.
    answered: AtomicBool,
}

impl SqsQueue {
    /// The queue of this URL.
    #[must_use]
    pub fn new(client: aws_sdk_sqs::Client, url: &str) -> Self {
        let name = url.trim_end_matches('/').rsplit('/').next().unwrap_or(url).to_owned();
        Self { client, url: url.to_owned(), name, answered: AtomicBool::new(false) }
    }
}

impl Queue for SqsQueue {
    fn name(&self) -> &str {
        &self.name
    }

    fn attributes(self: Arc<Self>) -> BoxFuture<'static, Result<Attributes, QueueError>> {
        Box::pin(async move {
            let asked = self
                .client
                .get_queue_attributes()
                .queue_url(&self.url)
                .attribute_names(QueueAttributeName::VisibilityTimeout)
                .attribute_names(QueueAttributeName::RedrivePolicy);
            let answer = asked.send().await.map_err(|error| queue_error(&error, "sqs:GetQueueAttributes"))?;
            let attribute = |name| answer.attributes().and_then(|attributes| attributes.get(&name));
            let seconds = attribute(QueueAttributeName::VisibilityTimeout).and_then(|text| text.parse().ok());
            let seconds = seconds.ok_or_else(|| QueueError::Passing { why: "the answer has no VisibilityTimeout".to_owned() })?;
            Ok(Attributes {
                visibility: Duration::from_secs(seconds),
                max_receive_count: attribute(QueueAttributeName::RedrivePolicy).and_then(|policy| max_receive_count(policy)),
            })
        })
    }

    fn receive(self: Arc<Self>) -> BoxFuture<'static, Result<Vec<Message>, QueueError>> {
        Box::pin(async move {
            let wait = if self.answered.load(Ordering::Relaxed) { POLL_SECONDS } else { FIRST_POLL_SECONDS };
            let asked = self
                .client
                .receive_message()
                .queue_url(&self.url)
                .max_number_of_messages(i32::try_from(BATCH).unwrap_or(10))
                .wait_time_seconds(wait)
                .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
                .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
            let answer = asked.send().await.map_err(|error| queue_error(&error, "sqs:ReceiveMessage"))?;
            self.answered.store(true, Ordering::Relaxed);
            Ok(answer.messages.unwrap_or_default().into_iter().filter_map(message).collect())
        })
    }

    fn delete(self: Arc<Self>, entries: Vec<Entry>) -> BoxFuture<'static, Result<Vec<Refused>, QueueError>> {
        Box::pin(async move {
            let mut asked = self.client.delete_message_batch().queue_url(&self.url);
            for Entry { lease, handle } in entries {
                let entry = DeleteMessageBatchRequestEntry::builder().id(lease.to_string()).receipt_handle(handle).build();
                asked = asked.entries(entry.map_err(|error| QueueError::Passing { why: error.to_string() })?);
            }
            let answer = asked.send().await.map_err(|error| queue_error(&error, "sqs:DeleteMessage"))?;
            Ok(answer.failed().iter().filter_map(refused).collect())
        })
    }

    fn change(self: Arc<Self>, entries: Vec<(Entry, Duration)>) -> BoxFuture<'static, Result<Vec<Refused>, QueueError>> {
        Box::pin(async move {
            let mut asked = self.client.change_message_visibility_batch().queue_url(&self.url);
            for (Entry { lease, handle }, by) in entries {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(lease.to_string())
                    .receipt_handle(handle)
                    .visibility_timeout(i32::try_from(by.as_secs()).unwrap_or(i32::MAX))
                    .build();
                asked = asked.entries(entry.map_err(|error| QueueError::Passing { why: error.to_string() })?);
            }
            let answer = asked.send().await.map_err(|error| queue_error(&error, "sqs:ChangeMessageVisibility"))?;
            Ok(answer.failed().iter().filter_map(refused).collect())
        })
    }
}

/// A message as SQS gives it; one without handle could not be deleted and is left to come again.
fn message(message: aws_sdk_sqs::types::Message) -> Option<Message> {
    use MessageSystemAttributeName::{ApproximateReceiveCount, SentTimestamp};
    let attribute = |name| message.attributes().and_then(|attributes| attributes.get(&name));
    Some(Message {
        receive_count: attribute(ApproximateReceiveCount).and_then(|text| text.parse().ok()).unwrap_or(1),
        sent_ms: attribute(SentTimestamp).and_then(|text| text.parse().ok()),
        id: message.message_id?,
        handle: message.receipt_handle?,
        body: message.body.unwrap_or_default(),
    })
}

fn refused(entry: &aws_sdk_sqs::types::BatchResultErrorEntry) -> Option<Refused> {
    Some(Refused {
        lease: entry.id().parse().ok()?,
        lasting: entry.sender_fault() && !throttled(entry.code()),
        why: format!("{}: {}", entry.code(), entry.message().unwrap_or_default()),
    })
}

/// `maxReceiveCount` of a redrive policy, a number or, as some tools write it, a string.
fn max_receive_count(policy: &str) -> Option<u32> {
    let policy: serde_json::Value = serde_json::from_str(policy).ok()?;
    let count = policy.get("maxReceiveCount")?;
    count.as_u64().and_then(|count| u32::try_from(count).ok()).or_else(|| count.as_str()?.parse().ok())
}

/// Objects on S3.
#[derive(Debug)]
pub struct S3 {
    client: aws_sdk_s3::Client,
}

impl S3 {
    /// A client of this configuration. Endpoints other than AWS's own are addressed by path: they have no bucket host names.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: s3_client(config) }
    }
}

/// A client of this configuration that addresses buckets as its endpoint needs it.
#[must_use]
pub fn s3_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    let by_path = config.endpoint_url().is_some();
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(by_path).build())
}

impl Bucket for S3 {
    fn open<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Opened, ReadError>> {
        Box::pin(async move {
            let asked = self.client.get_object().bucket(&place.bucket).key(&place.key).set_version_id(place.version.clone());
            let missing = if place.version.is_some() { GET_VERSION_MISSING } else { GET_MISSING };
            let answer = asked.send().await.map_err(|error| read_error(&error, missing))?;
            let bytes = answer.content_length().and_then(|bytes| u64::try_from(bytes).ok());
            let mut body = answer.body;
            let body = async move {
                // Of one piece from the start: the SDK's own collecting would hold the body twice for a moment.
                let size = bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default();
                let mut held = BytesMut::with_capacity(size);
                while let Some(part) = body.next().await {
                    held.extend_from_slice(&part.map_err(|error| ReadError::Passing { why: cause::innermost(&error) })?);
                }
                whole(held.freeze(), bytes)
            };
            Ok(Opened { bytes, body: Box::pin(body) })
        })
    }

    fn list<'a>(&'a self, bucket: &'a str, prefix: &'a str, from: Option<&'a str>) -> BoxFuture<'a, Result<Page, ReadError>> {
        Box::pin(async move {
            let asked = self.client.list_objects_v2().bucket(bucket).prefix(prefix);
            let asked = asked.set_continuation_token(from.map(str::to_owned));
            let answer = asked.send().await.map_err(|error| read_error(&error, "s3:ListBucket on the bucket"))?;
            let next = answer.next_continuation_token;
            let size = |object: &aws_sdk_s3::types::Object| u64::try_from(object.size().unwrap_or(0)).unwrap_or(0);
            let objects = answer.contents.unwrap_or_default().into_iter();
            Ok(Page {
                objects: objects.filter_map(|object| Some((size(&object), object.key?))).map(|(size, key)| (key, size)).collect(),
                next,
            })
        })
    }
}

/// A body that ended early is not the object.
fn whole(held: Bytes, bytes: Option<u64>) -> Result<Bytes, ReadError> {
    match bytes {
        Some(bytes) if bytes != held.len() as u64 => {
            Err(ReadError::Passing { why: format!("the body ended after {} of {bytes} bytes", held.len()) })
        }
        _ => Ok(held),
    }
}

/// Without `s3:ListBucket`, S3 says "denied" of a key that does not exist.
const GET_MISSING: &str = "s3:GetObject on the object and kms:Decrypt on its key in the agent's role, the bucket policy and the \
                           key policy; s3:ListBucket on the bucket, without which S3 calls a missing object denied";

/// A notification of a bucket with versions names one, and asking for it is another action.
const GET_VERSION_MISSING: &str = "s3:GetObjectVersion on the object (its bucket keeps versions; s3:GetObject is not enough) and \
                                   kms:Decrypt on its key in the agent's role, the bucket policy and the key policy; \
                                   s3:ListBucket on the bucket, without which S3 calls a missing object denied";

fn read_error<E: ProvideErrorMetadata + std::error::Error + 'static>(
    error: &SdkError<E, impl std::fmt::Debug + 'static>,
    missing: &'static str,
) -> ReadError {
    let Some(code) = error.as_service_error().and_then(ProvideErrorMetadata::code) else {
        return match credentials::none_found(error) {
            Some(why) => ReadError::Denied { why, missing: credentials::MISSING },
            None => ReadError::Passing { why: root(error) },
        };
    };
    match code {
        // Only these speak of the object. Whoever asks the wrong endpoint or partition hears that there is no bucket.
        "NoSuchKey" | "NoSuchVersion" => ReadError::Gone,
        "NoSuchBucket" | "NotFound" => {
            ReadError::Denied { why: said(error), missing: "the bucket: check the endpoint, the partition and the bucket's name" }
        }
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            ReadError::Denied { why: said(error), missing: "the bucket's Region: set region of the source" }
        }
        "InvalidObjectState" => ReadError::Denied { why: said(error), missing: "a restored copy: the object is archived" },
        code if throttled(code) || is_weather_of_kms(code) => ReadError::Passing { why: said(error) },
        code if denied(code) || code.starts_with("KMS") => ReadError::Denied { why: said(error), missing },
        _ => ReadError::Passing { why: said(error) },
    }
}

fn queue_error<E: ProvideErrorMetadata + std::error::Error + 'static>(
    error: &SdkError<E, impl std::fmt::Debug + 'static>,
    missing: &'static str,
) -> QueueError {
    let Some(code) = error.as_service_error().and_then(ProvideErrorMetadata::code) else {
        return match credentials::none_found(error) {
            Some(why) => QueueError::NoCredentials { why },
            None => QueueError::Passing { why: root(error) },
        };
    };
    match code {
        // The second is what the query protocol called it.
        "QueueDoesNotExist" | "AWS.SimpleQueueService.NonExistentQueue" => QueueError::Missing { why: said(error) },
        "KmsThrottled" => QueueError::Passing { why: said(error) },
        code if code.starts_with("Kms") => QueueError::Denied {
            why: said(error),
            missing: "kms:Decrypt on the queue's key, in the agent's role and the key policy",
        },
        code if denied(code) => QueueError::Denied { why: said(error), missing },
        _ => QueueError::Passing { why: said(error) },
    }
}

/// AWS's refusals that time alone does not mend. Expired tokens are not among them: the SDK fetches new ones.
pub(super) fn denied(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied"
            | "AccessDeniedException"
            | "AllAccessDisabled"
            | "AccountProblem"
            | "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "InvalidSecurity"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException"
    )
}

pub(super) fn throttled(code: &str) -> bool {
    code.contains("Throttl") || code == "OverLimit"
}

/// What S3 hands on from KMS (`KMS.…Exception`) and time mends; the rest of it speaks of the key, which only a person mends.
fn is_weather_of_kms(code: &str) -> bool {
    let of_kms = code.strip_prefix("KMS.").unwrap_or_default();
    ["Timeout", "Internal", "Unavailable"].iter().any(|word| of_kms.contains(word))
}

/// Code and message of AWS's own answer. No request, no header, no key.
pub(super) fn said<E: ProvideErrorMetadata>(error: &SdkError<E, impl std::fmt::Debug>) -> String {
    let service = error.as_service_error();
    let code = service.and_then(ProvideErrorMetadata::code).unwrap_or("error without code");
    service.and_then(ProvideErrorMetadata::message).map_or_else(|| code.to_owned(), |message| format!("{code}: {message}"))
}

/// What a person can look at when nothing on the way to AWS answers.
const WAY: &str = "(check DNS, the VPC endpoint or proxy, security groups)";

/// The cause of a fault that is no answer of AWS: connection, time-out, an answer that cannot be read.
pub(super) fn root<E: std::error::Error + 'static>(error: &SdkError<E, impl std::fmt::Debug + 'static>) -> String {
    match error {
        // The outer ones say no more than "dispatch failure: io error: client error".
        SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
            format!("{} {WAY}", cause::innermost(error))
        }
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ConstructionFailure(_) => cause::innermost(error),
        _ => {
            let text = DisplayErrorContext(error).to_string();
            // The SDK appends its whole debug form in brackets; the causes before it say enough.
            text.split(" (").next().unwrap_or(&text).to_owned()
        }
    }
}
