//! What a message on a trail bucket's queue names.
//!
//! In: the body of an SQS message. Out: the objects it names, or why there are none. What always holds: every key returned
//! stands in the body, decoded once where S3 encodes it (its own notifications) and not at all elsewhere; the shape decides,
//! not the configuration. Bodies are read to [`DEPTH`] envelopes and [`BYTES`] bytes. It reads no object and decides nothing
//! about the message.
//!
//! Shapes, plain or inside an SNS envelope: S3's notification (key form-encoded), `CloudTrail`'s own message (plain keys),
//! S3's `EventBridge` event (plain key), S3's test message, AWS Config's delivery message.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::bucket::Place;

/// Envelopes in envelopes that are opened. S3 → SNS → SQS has one; a topic forwarded by another has two.
const DEPTH: usize = 3;

/// Largest body that is read, bytes: what SQS carries at most.
const BYTES: usize = 1 << 20;

/// What a message names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// Objects to read, at least one. `broken` says what of the message was not understood beside them.
    Objects {
        /// Where they are.
        places: Vec<Place>,
        /// What was not understood.
        broken: Option<String>,
    },
    /// Understood, and nothing to read: the message may go. Says what it was.
    Nothing(&'static str),
    /// Understood, and not for this reader: the message must stay. Says what it is and where it belongs.
    Foreign(String),
    /// Nothing that is known here. Says what was found.
    NotUnderstood(String),
}

/// Reads a message's body.
#[must_use]
pub fn read(body: &str) -> Notification {
    if body.len() > BYTES {
        return Notification::NotUnderstood(format!("a message of {} bytes; SQS carries at most {BYTES}", body.len()));
    }
    sniff(body, DEPTH)
}

/// The known shapes laid over each other; a body fits when the fields of one of them are there.
#[derive(Deserialize)]
struct Shape<'a> {
    // SNS envelope
    #[serde(rename = "Type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(rename = "Message", borrow, default)]
    message: Option<Cow<'a, str>>,
    // S3's own notification
    #[serde(rename = "Records", borrow, default)]
    records: Option<Vec<&'a RawValue>>,
    // S3's test message
    #[serde(rename = "Event", borrow, default)]
    event: Option<Cow<'a, str>>,
    // CloudTrail's own message, AWS Config's delivery message
    #[serde(rename = "s3Bucket", borrow, default)]
    bucket: Option<Cow<'a, str>>,
    #[serde(rename = "s3ObjectKey", default)]
    keys: Option<Keys>,
    #[serde(rename = "messageType", borrow, default)]
    message_type: Option<Cow<'a, str>>,
    // EventBridge
    #[serde(borrow, default)]
    source: Option<Cow<'a, str>>,
    #[serde(rename = "detail-type", borrow, default)]
    detail_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    detail: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Keys {
    One(String),
    Many(Vec<String>),
}

fn sniff(body: &str, depth: usize) -> Notification {
    let body = body.trim_start_matches('\u{feff}').trim();
    // What CloudTrail publishes to a topic when a trail is given the topic; seen in aws/aws-cloudtrail-processing-library#9.
    if body == "CloudTrail validation message." {
        return Notification::Nothing("validation message");
    }
    if !body.starts_with('{') {
        return Notification::NotUnderstood("no JSON object".to_owned());
    }
    let shape: Shape<'_> = match serde_json::from_str(body) {
        Ok(shape) => shape,
        Err(error) => return Notification::NotUnderstood(format!("not a notification: {error}")),
    };
    if let (Some(kind), Some(message)) = (&shape.kind, &shape.message) {
        return match (kind.as_ref(), depth.checked_sub(1)) {
            ("Notification", Some(depth)) => sniff(message, depth),
            ("Notification", None) => Notification::NotUnderstood(format!("more than {DEPTH} SNS envelopes in each other")),
            ("SubscriptionConfirmation", _) => {
                Notification::Foreign("an SNS subscription that waits for its confirmation: confirm it".to_owned())
            }
            (other, _) => Notification::NotUnderstood(format!("an SNS message of type {}", short(other))),
        };
    }
    if let Some(records) = shape.records {
        return from_s3(&records);
    }
    if shape.event.as_deref() == Some("s3:TestEvent") {
        return Notification::Nothing("test message");
    }
    if let Some(kind) = shape.message_type {
        return Notification::Foreign(format!("AWS Config's {} message: it belongs on another queue", short(&kind)));
    }
    if let (Some(bucket), Some(keys)) = (shape.bucket, shape.keys) {
        let keys = match keys {
            Keys::One(key) => vec![key],
            Keys::Many(keys) => keys,
        };
        let place = |key| Place { bucket: bucket.clone().into_owned(), key, version: None, bytes: None };
        return objects(keys.into_iter().map(|key| named(place(key)).map(Some)));
    }
    if let (Some(source), Some(detail_type)) = (shape.source, shape.detail_type) {
        return match (source.as_ref(), detail_type.as_ref()) {
            ("aws.s3", "Object Created") => objects([from_event_bridge(shape.detail).map(Some)]),
            // S3's calls come from the same source, as CloudTrail records: those are for somebody.
            ("aws.s3", kind) if kind.starts_with("Object ") => Notification::Nothing("S3 event that creates no object"),
            (source, kind) => Notification::Foreign(format!(
                "{} from {}: events belong on a queue of their own, read by a source of kind eventQueue",
                short(kind),
                short(source)
            )),
        };
    }
    Notification::NotUnderstood(
        "a JSON object that is no S3 notification, no CloudTrail message, no EventBridge event and no SNS envelope".to_owned(),
    )
}

#[derive(Deserialize)]
struct S3Record<'a> {
    #[serde(rename = "eventName", borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    s3: S3Named<'a>,
}

/// Bucket and object, as S3 names them in its notifications and in `EventBridge` events alike.
#[derive(Deserialize)]
struct S3Named<'a> {
    #[serde(borrow)]
    bucket: S3Bucket<'a>,
    #[serde(borrow)]
    object: S3Object<'a>,
}

#[derive(Deserialize)]
struct S3Bucket<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct S3Object<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(rename = "versionId", alias = "version-id", borrow, default)]
    version: Option<Cow<'a, str>>,
}

impl S3Named<'_> {
    fn place(self, key: String) -> Result<Place, String> {
        let Self { bucket, object } = self;
        let version = object.version.filter(|version| !version.is_empty()).map(Cow::into_owned);
        named(Place { bucket: bucket.name.into_owned(), key, version, bytes: object.size })
    }
}

fn from_s3(records: &[&RawValue]) -> Notification {
    objects(records.iter().enumerate().map(|(at, record)| {
        let broken = |why: String| format!("Records[{at}]: {why}");
        let record: S3Record<'_> =
            serde_json::from_str(record.get()).map_err(|error| broken(format!("no S3 notification: {error}")))?;
        if !record.name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
            return Ok(None);
        }
        let key = form_decoded(&record.s3.object.key).ok_or_else(|| broken("the key is not form-encoded UTF-8".to_owned()))?;
        record.s3.place(key).map(Some).map_err(broken)
    }))
}

fn from_event_bridge(detail: Option<&RawValue>) -> Result<Place, String> {
    let detail = detail.ok_or("an S3 event without detail")?;
    let named: S3Named<'_> = serde_json::from_str(detail.get()).map_err(|error| format!("detail is no S3 event: {error}"))?;
    let key = named.object.key.clone().into_owned();
    named.place(key)
}

fn named(place: Place) -> Result<Place, String> {
    match (place.bucket.is_empty(), place.key.is_empty()) {
        (true, _) => Err("the bucket has no name".to_owned()),
        (_, true) => Err("the key is empty".to_owned()),
        _ => Ok(place),
    }
}

/// Gathers what a message names: a place, nothing (`Ok(None)`), or what was wrong with it.
fn objects(named: impl IntoIterator<Item = Result<Option<Place>, String>>) -> Notification {
    let (mut places, mut broken) = (Vec::new(), None);
    for named in named {
        match named {
            Ok(place) => places.extend(place),
            Err(why) => broken = broken.or(Some(why)),
        }
    }
    match (places.is_empty(), broken) {
        (false, broken) => Notification::Objects { places, broken },
        (true, Some(why)) => Notification::NotUnderstood(why),
        (true, None) => Notification::Nothing("notification that creates no object"),
    }
}

/// Form decoding (`+` is a space, `%XX` a byte), as S3 encodes keys in its notifications. `None`: not so encoded.
fn form_decoded(key: &str) -> Option<String> {
    let mut bytes = key.bytes();
    let mut plain = Vec::with_capacity(key.len());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(plain).ok()
}

/// A foreign word in a message of ours: short, and without control characters.
fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(80).collect()
}
