//! Every form, what must not be read as one, and that no key is invented.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const KEY: &str = "AWSLogs/o-abc123defg/111122223333/CloudTrail/eu-west-1/2026/11/21/a b+c%é.json.gz";
const KEY_ENCODED: &str = "AWSLogs/o-abc123defg/111122223333/CloudTrail/eu-west-1/2026/11/21/a+b%2Bc%25%C3%A9.json.gz";

fn place(key: &str, bytes: Option<u64>) -> Place {
    Place { bucket: "org-trail".to_owned(), key: key.to_owned(), version: None, bytes }
}

fn one(key: &str, bytes: Option<u64>) -> Notification {
    Notification::Objects { places: vec![place(key, bytes)], broken: None }
}

fn record(name: &str, key: &str) -> Value {
    json!({"eventVersion":"2.5","eventSource":"aws:s3","awsRegion":"eu-west-1","eventTime":"2026-11-21T20:20:05.118Z",
        "eventName":name,"userIdentity":{"principalId":"AWS:EXAMPLE"},"s3":{"s3SchemaVersion":"1.0","configurationId":"trail",
        "bucket":{"name":"org-trail","arn":"arn:aws:s3:::org-trail"},
        "object":{"key":key,"size":2211,"eTag":"0f0f","sequencer":"0066B1F00D"}}})
}

fn s3(key: &str) -> Value {
    json!({"Records":[record("ObjectCreated:Put", key)]})
}

fn sns(inner: &Value) -> Value {
    let text = inner.as_str().map_or_else(|| inner.to_string(), str::to_owned);
    json!({"Type":"Notification","MessageId":"00000000-0000-4000-8000-00000000000a",
        "TopicArn":"arn:aws:sns:eu-west-1:111122223333:trail","Message":text,"Timestamp":"2026-11-21T20:20:06.000Z",
        "SignatureVersion":"1","Signature":"ZXhhbXBsZQ=="})
}

fn event_bridge(kind: &str, source: &str, detail: &Value) -> Value {
    json!({"version":"0","id":"00000000-0000-4000-8000-00000000000b","detail-type":kind,"source":source,
        "account":"111122223333","time":"2026-11-21T20:20:05Z","region":"eu-west-1","resources":[],"detail":detail})
}

/// P04, P05, X5: every form of aws.md §2, plain and wrapped.
#[test]
fn every_form_is_told_by_its_shape() {
    let cloudtrail = json!({"s3Bucket":"org-trail","s3ObjectKey":[KEY,"b.json.gz"]});
    let both = Notification::Objects { places: vec![place(KEY, None), place("b.json.gz", None)], broken: None };
    let detail =
        json!({"version":"0","bucket":{"name":"org-trail"},"object":{"key":KEY,"size":2211,"etag":"0f0f"},"reason":"PutObject"});
    let test = json!({"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-21T20:00:00.000Z","Bucket":"org-trail"});
    let config =
        json!({"s3Bucket":"config","s3ObjectKey":"AWSLogs/1.json.gz","messageType":"ConfigurationHistoryDeliveryCompleted"});
    let foreign = |text: &str| Notification::Foreign(text.to_owned());
    let config_is = foreign("AWS Config's ConfigurationHistoryDeliveryCompleted message: it belongs on another queue");
    let nothing = Notification::Nothing;
    let many = json!({"Records":[record("ObjectRemoved:Delete","x"),record("ObjectCreated:Copy","1"),record("ObjectCreated:CompleteMultipartUpload","2")]});
    let mut versioned = s3("k");
    versioned["Records"][0]["s3"]["object"]["versionId"] = json!("v1");
    let version =
        Notification::Objects { places: vec![Place { version: Some("v1".to_owned()), ..place("k", Some(2211)) }], broken: None };
    for (name, body, expected) in [
        ("A: S3", s3(KEY_ENCODED), one(KEY, Some(2211))),
        ("A: slashes escaped (emulator)", s3("AWSLogs%2F1%2fx.gz"), one("AWSLogs/1/x.gz", Some(2211))),
        (
            "A: several records",
            many.clone(),
            Notification::Objects { places: vec![place("1", Some(2211)), place("2", Some(2211))], broken: None },
        ),
        ("A: version", versioned, version),
        (
            "A: newer and older versions",
            {
                let mut v = s3("k");
                v["Records"][0]["eventVersion"] = json!("2.99");
                v
            },
            one("k", Some(2211)),
        ),
        (
            "A: delete marker",
            json!({"Records":[record("ObjectRemoved:DeleteMarkerCreated","k")]}),
            nothing("notification that creates no object"),
        ),
        (
            "A: restore",
            json!({"Records":[record("ObjectRestore:Completed","k")]}),
            nothing("notification that creates no object"),
        ),
        ("A: no records", json!({"Records":[]}), nothing("notification that creates no object")),
        ("B: S3 in SNS", sns(&s3(KEY_ENCODED)), one(KEY, Some(2211))),
        ("B: SNS in SNS", sns(&sns(&s3(KEY_ENCODED))), one(KEY, Some(2211))),
        ("D: CloudTrail in SNS", sns(&cloudtrail), both.clone()),
        ("E: CloudTrail, raw delivery", cloudtrail, both),
        ("E: one key as a string", json!({"s3Bucket":"org-trail","s3ObjectKey":KEY}), one(KEY, None)),
        ("F: EventBridge", event_bridge("Object Created", "aws.s3", &detail), one(KEY, Some(2211))),
        (
            "a call to S3, as CloudTrail tells EventBridge",
            event_bridge("AWS API Call via CloudTrail", "aws.s3", &json!({"eventName":"DeleteBucket"})),
            foreign(
                "AWS API Call via CloudTrail from aws.s3: events belong on a queue of their own, read by a source of kind eventQueue",
            ),
        ),
        ("F: EventBridge delete", event_bridge("Object Deleted", "aws.s3", &detail), nothing("S3 event that creates no object")),
        ("G: test", test.clone(), nothing("test message")),
        ("G: test in SNS", sns(&test), nothing("test message")),
        ("CloudTrail's validation in SNS", sns(&json!("CloudTrail validation message.")), nothing("validation message")),
        ("H: Config", config.clone(), config_is.clone()),
        ("H: Config in SNS", sns(&config), config_is),
        (
            "an event of another service",
            event_bridge("GuardDuty Finding", "aws.guardduty", &json!({})),
            foreign(
                "GuardDuty Finding from aws.guardduty: events belong on a queue of their own, read by a source of kind eventQueue",
            ),
        ),
        (
            "a subscription to confirm",
            json!({"Type":"SubscriptionConfirmation","Message":"You have chosen …","SubscribeURL":"https://example.invalid"}),
            foreign("an SNS subscription that waits for its confirmation: confirm it"),
        ),
    ] {
        assert_eq!(read(&body.to_string()), expected, "{name}");
    }
}

/// X7: what is not understood is said so, never taken for done.
#[test]
fn what_is_not_a_notification_is_not_understood() {
    let deep = (0..DEPTH).fold(s3("k"), |inner, _| sns(&inner));
    assert_eq!(read(&deep.to_string()), one("k", Some(2211)), "as deep as allowed");
    let too_deep = sns(&deep).to_string();
    let huge = format!("{{\"x\":\"{}\"}}", "x".repeat(BYTES));
    let nested = "[".repeat(200_000);
    let nested_object = "{\"detail\":".repeat(100_000);
    for (name, body, why) in [
        ("empty", "", "no JSON object"),
        ("text", "hello", "no JSON object"),
        ("list", &nested, "no JSON object"),
        ("deep object", &nested_object, "EOF while parsing"),
        ("cut", r#"{"Records":[{"#, "EOF while parsing"),
        ("empty object", "{}", "no S3 notification, no CloudTrail message"),
        (
            "a trail file itself",
            r#"{"Records":[{"eventName":"PutObject","eventSource":"s3.amazonaws.com"}]}"#,
            "Records[0]: no S3",
        ),
        ("records of another type", r#"{"Records":"x"}"#, "invalid type"),
        ("empty key", r#"{"s3Bucket":"b","s3ObjectKey":[""]}"#, "the key is empty"),
        ("no bucket", r#"{"s3Bucket":"","s3ObjectKey":["k"]}"#, "the bucket has no name"),
        ("bad escape", &s3("a%2").to_string(), "Records[0]: the key is not form-encoded"),
        ("bad escape sign", &s3("a%+1").to_string(), "Records[0]: the key is not form-encoded"),
        ("not UTF-8", &s3("%FF").to_string(), "Records[0]: the key is not form-encoded"),
        ("SNS of unknown type", r#"{"Type":"New","Message":"x"}"#, "an SNS message of type New"),
        ("event without detail", r#"{"source":"aws.s3","detail-type":"Object Created"}"#, "without detail"),
        ("too deep", &too_deep, "more than 3 SNS envelopes"),
        ("too large", &huge, "SQS carries at most 1048576"),
    ] {
        match read(body) {
            Notification::NotUnderstood(found) => assert!(found.contains(why), "{name}: {found}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// P03: a message that is understood in part names both parts.
#[test]
fn a_broken_record_does_not_hide_the_good_ones() {
    let body = json!({"Records":[record("ObjectCreated:Put","1"),{"s3":7},record("ObjectCreated:Put","2")]});
    match read(&body.to_string()) {
        Notification::Objects { places, broken: Some(why) } => {
            assert_eq!(places, [place("1", Some(2211)), place("2", Some(2211))]);
            assert!(why.starts_with("Records[1]: no S3 notification"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

/// Form encoding as S3 does it, for the round trip only.
fn encoded(key: &str) -> String {
    form_urlencoded::byte_serialize(key.as_bytes()).collect()
}

fn keys_of(notification: Notification) -> Vec<String> {
    match notification {
        Notification::Objects { places, .. } => places.into_iter().map(|place| place.key).collect(),
        _ => Vec::new(),
    }
}

proptest! {
    #[test]
    fn any_text_is_survived_and_gives_no_key_that_is_not_in_it(body in ".{0,400}") {
        prop_assert_eq!(keys_of(read(&body)), Vec::<String>::new());
    }

    /// Keys come out as they went in, however they are wrapped, and no others.
    #[test]
    fn keys_survive_every_wrapping(keys in prop::collection::vec("[ -~é日🦀]{1,40}", 1..5), wraps in 0_usize..DEPTH, form in 0..3) {
        let mut body = match form {
            0 => json!({"Records": keys.iter().map(|key| record("ObjectCreated:Put", &encoded(key))).collect::<Vec<_>>()}),
            1 => json!({"s3Bucket":"org-trail","s3ObjectKey":keys}),
            _ => event_bridge("Object Created", "aws.s3", &json!({"bucket":{"name":"b"},"object":{"key":keys[0]}})),
        };
        for _ in 0..wraps {
            body = sns(&body);
        }
        let expected = if form == 2 { vec![keys[0].clone()] } else { keys };
        prop_assert_eq!(keys_of(read(&body.to_string())), expected);
    }

    /// A body cut anywhere, or with one byte changed, never panics and never names a key that the whole body does not.
    #[test]
    fn damage_invents_no_key(at in 0_usize..1000, to in 0x20_u8..0x7f, cut in any::<bool>()) {
        let body = sns(&s3("AWSLogs/111122223333/x.json.gz")).to_string();
        let at = at % body.len();
        let mut bytes = body.clone().into_bytes();
        if cut { bytes.truncate(at); } else { bytes[at] = to; }
        let text = String::from_utf8(bytes).unwrap();
        for key in keys_of(read(&text)) {
            // `+` and `%` decode; everything else stands in the text as it is.
            let raw = key.replace(' ', "+");
            prop_assert!(text.contains(&key) || text.contains(&raw) || text.contains('%') || text.contains('\\'), "{} from {}", key, text);
        }
    }
}
