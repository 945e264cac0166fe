//! New Relic's limits: the relay's own copy, and the stand-in on the wire, against the numbers typed here from New Relic's pages.

use cspm_relay::clock::Clock;
use cspm_relay::encode::limits as ours;
use cspm_relay::lab::backend::{ACCOUNT_ID, Api, Backend, BackendSettings, LICENSE_KEY, Violation};
use serde_json::{Map, Value, json};

use crate::support::limits as theirs;
use crate::support::replay::{assert_clean, stand_in};

#[test]
fn the_relay_knows_the_limits_as_they_are_written() {
    assert_eq!(ours::BODY_BYTES, theirs::EVENT_BODY_BYTES);
    assert_eq!(ours::BODY_BYTES, theirs::LOG_BODY_BYTES);
    assert_eq!(ours::NAME_BYTES, theirs::EVENT_NAME_BYTES);
    assert_eq!(ours::EVENT_VALUE_CHARS, theirs::EVENT_VALUE_CHARS);
    assert_eq!(ours::LOG_VALUE_CHARS, theirs::LOG_VALUE_CHARS_SEARCHABLE);
    assert_eq!(ours::LOG_VALUE_BYTES, theirs::LOG_VALUE_CHARS_SEARCHABLE + theirs::LOG_VALUE_BLOB_BYTES);
    assert_eq!(ours::EVENT_WINDOW_MS, theirs::EVENT_WINDOW_MS);
    assert_eq!(ours::LOG_WINDOW_MS, theirs::LOG_WINDOW_MS);
    assert_eq!(ours::SERVER_TIMEOUT_MS, theirs::SERVER_TIMEOUT_MS);
    assert_eq!(ours::BODY_BYTES, theirs::OTLP_BODY_BYTES);
    assert_eq!([ours::METRIC_WINDOW_MS, ours::METRIC_FUTURE_MS], theirs::METRIC_WINDOW_MS);
    assert_eq!((ours::METRIC_SERIES, ours::METRIC_ATTRIBUTES), (theirs::METRIC_SERIES, theirs::METRIC_ATTRIBUTES));
    assert_eq!([ours::OTLP_VALUE_CHARS, ours::OTLP_LIST], theirs::OTLP_ATTRIBUTE);
}

#[test]
fn the_relay_sends_less_than_new_relic_takes() {
    assert!(ours::BODY_BYTES_SENT < theirs::EVENT_BODY_BYTES.min(theirs::LOG_BODY_BYTES));
    const { assert!(ours::EVENTS_PER_BODY <= theirs::EVENTS_PER_BODY) };
    assert!(ours::ATTRIBUTES_SENT < theirs::EVENT_ATTRIBUTES.min(theirs::LOG_ATTRIBUTES));
    const { assert!(ours::ATTRIBUTES <= theirs::EVENT_ATTRIBUTES) };
    assert!(ours::VALUE_SENT <= theirs::EVENT_VALUE_CHARS.min(theirs::LOG_VALUE_CHARS_SEARCHABLE));
    const { assert!(ours::LATE_MS < theirs::EVENT_WINDOW_MS) };
    const { assert!(ours::LATE_MS < theirs::METRIC_WINDOW_MS[0]) };
    const { assert!(cspm_relay::ack::rollup::SERIES_MAX <= theirs::METRIC_SERIES / 2) };
    assert!(ours::VALUE_SENT <= theirs::OTLP_ATTRIBUTE[0]);
    for name in theirs::EVENT_NAMES_DROPPED.iter().chain(&theirs::LOG_NAMES_DROPPED) {
        assert!(ours::RESERVED_NAMES.contains(name), "{name}");
    }
    assert_eq!(ours::RESERVED_PREFIX, theirs::RESERVED_PREFIX);
}

/// A request made by hand, with the stand-in's own key.
async fn post(backend: &Backend, api: Api, body: Vec<u8>) -> u16 {
    let path = if api == Api::Logs { "/log/v1".to_owned() } else { format!("/v1/accounts/{ACCOUNT_ID}/events") };
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let request = client.post(backend.url() + &path).header("Api-Key", LICENSE_KEY).header("Content-Type", "application/json");
    request.body(body).send().await.expect("an answer").status().as_u16()
}

/// Bytes of a body of exactly this length: one item that is small but for spaces.
fn padded(item: &str, length: usize) -> Vec<u8> {
    let mut body = item.as_bytes().to_vec();
    body.resize(length, b' ');
    body
}

#[tokio::test]
async fn the_stand_in_takes_a_body_of_the_limit_and_refuses_one_byte_more() {
    for (api, limit, success) in [(Api::Events, theirs::EVENT_BODY_BYTES, 200), (Api::Logs, theirs::LOG_BODY_BYTES, 202)] {
        let item = if api == Api::Logs { r#"[{"logs":[{"message":"x"}]}]"# } else { r#"{"eventType":"T"}"# };
        let backend = stand_in(BackendSettings::default()).await;
        assert_eq!(post(&backend, api, padded(item, limit)).await, success, "{api:?}");
        assert_clean(&backend);
        assert_eq!(post(&backend, api, padded(item, limit + 1)).await, 413, "{api:?}");
        assert_eq!(backend.store().violations(), [(Violation::BodyTooLarge, 1)].into(), "{api:?}");
        assert_eq!(backend.store().api(api).accepted, 1, "{api:?}");
    }
}

/// Each rule at its limit and one beyond it: New Relic answers 200 either way and loses the event in silence.
#[tokio::test]
async fn the_stand_in_keeps_an_event_at_the_limit_and_loses_one_beyond() {
    let now = 1_780_000_000_000;
    let attributes = |count: usize| {
        // The type is one of them; a timestamp is always there.
        let mut event: Map<String, Value> = (0..count - 2).map(|at| (format!("a{at}"), json!(1))).collect();
        event.extend([("eventType".to_owned(), json!("T")), ("timestamp".to_owned(), json!(now))]);
        json!([event])
    };
    let event = |name: &str, value: Value| json!([{"eventType": "T", "timestamp": now, name: value}]);
    let events = |count: usize| json!(vec![json!({"eventType": "T", "timestamp": now}); count]);
    let at = |timestamp: i64| json!([{"eventType": "T", "timestamp": timestamp}]);
    let window = theirs::EVENT_WINDOW_MS;
    for (name, inside, outside, violation) in [
        ("events", events(theirs::EVENTS_PER_BODY), events(theirs::EVENTS_PER_BODY + 1), Violation::TooManyEvents),
        (
            "attributes",
            attributes(theirs::EVENT_ATTRIBUTES - 1),
            attributes(theirs::EVENT_ATTRIBUTES + 1),
            Violation::TooManyAttributes,
        ),
        (
            "name",
            event(&"n".repeat(theirs::EVENT_NAME_BYTES), json!(1)),
            event(&"n".repeat(theirs::EVENT_NAME_BYTES + 1), json!(1)),
            Violation::NameTooLong,
        ),
        (
            "value",
            event("v", json!("x".repeat(theirs::EVENT_VALUE_CHARS))),
            event("v", json!("x".repeat(theirs::EVENT_VALUE_CHARS + 1))),
            Violation::ValueTooLong,
        ),
        (
            "value in Japanese: characters, not bytes (P15)",
            event("v", json!("監".repeat(theirs::EVENT_VALUE_CHARS))),
            event("v", json!("監".repeat(theirs::EVENT_VALUE_CHARS + 1))),
            Violation::ValueTooLong,
        ),
        ("oldest", at(now - window), at(now - window - 1), Violation::TimestampWindow),
        ("newest", at(now + window), at(now + window + 1), Violation::TimestampWindow),
        ("boolean", event("v", json!("true")), event("v", json!(true)), Violation::ValueKind),
    ] {
        let backend = stand_in(BackendSettings { clock: Clock::fixed(now), ..BackendSettings::default() }).await;
        assert_eq!(post(&backend, Api::Events, inside.to_string().into_bytes()).await, 200, "{name}");
        assert_clean(&backend);
        let rows = backend.store().counts("T").rows;
        assert!(rows > 0, "{name}");
        assert_eq!(post(&backend, Api::Events, outside.to_string().into_bytes()).await, 200, "{name}");
        assert_eq!(backend.store().counts("T").rows, rows, "{name}");
        assert_eq!(backend.store().violations().keys().collect::<Vec<_>>(), [&violation], "{name}");
        assert_eq!(backend.store().integration_errors().len(), 1, "{name}: the only trace of the loss");
    }
    for name in theirs::EVENT_NAMES_DROPPED {
        let backend = stand_in(BackendSettings { clock: Clock::fixed(now), ..BackendSettings::default() }).await;
        post(&backend, Api::Events, event(name, json!("x")).to_string().into_bytes()).await;
        assert!(!backend.store().rows("T")[0].contains_key(name), "{name} is dropped");
        assert_eq!(backend.store().violations(), [(Violation::ReservedName, 1)].into(), "{name}");
    }
}

#[tokio::test]
async fn the_stand_in_keeps_a_log_at_the_limit_and_cuts_one_beyond() {
    let now = 1_780_000_000_000;
    let value = |length: usize| json!([{"logs": [{"timestamp": now, "message": "m", "attributes": {"v": "x".repeat(length)}}]}]);
    let attributes = |count: usize| {
        // `message` and `timestamp` are two of them.
        let attributes: Map<String, Value> = (0..count - 2).map(|at| (format!("a{at}"), json!(1))).collect();
        json!([{"logs": [{"timestamp": now, "message": "m", "attributes": attributes}]}])
    };
    let name = |length: usize| json!([{"logs": [{"timestamp": now, "message": "m", "attributes": {"n".repeat(length): 1}}]}]);
    let at = |timestamp: i64| json!([{"logs": [{"timestamp": timestamp, "message": "m"}]}]);
    let kept = theirs::LOG_VALUE_CHARS_SEARCHABLE + theirs::LOG_VALUE_BLOB_BYTES;
    for (name, inside, outside, violation, lost) in [
        ("value", value(kept), value(kept + 1), Violation::LogValueLost, false),
        (
            "attributes",
            attributes(theirs::LOG_ATTRIBUTES - 1),
            attributes(theirs::LOG_ATTRIBUTES + 1),
            Violation::TooManyAttributes,
            false,
        ),
        ("name", name(theirs::EVENT_NAME_BYTES), name(theirs::EVENT_NAME_BYTES + 1), Violation::NameTooLong, false),
        ("oldest", at(now - theirs::LOG_WINDOW_MS), at(now - theirs::LOG_WINDOW_MS - 1), Violation::TimestampWindow, true),
    ] {
        let backend = stand_in(BackendSettings { clock: Clock::fixed(now), ..BackendSettings::default() }).await;
        assert_eq!(post(&backend, Api::Logs, inside.to_string().into_bytes()).await, 202, "{name}");
        assert_clean(&backend);
        assert_eq!(post(&backend, Api::Logs, outside.to_string().into_bytes()).await, 202, "{name}");
        assert_eq!(backend.store().counts("Log").rows, if lost { 1 } else { 2 }, "{name}");
        assert_eq!(backend.store().violations().keys().collect::<Vec<_>>(), [&violation], "{name}");
    }
    for name in theirs::LOG_NAMES_DROPPED {
        let backend = stand_in(BackendSettings { clock: Clock::fixed(now), ..BackendSettings::default() }).await;
        let log = json!([{"logs": [{"timestamp": now, "message": "m", "attributes": {name: "x"}}]}]);
        post(&backend, Api::Logs, log.to_string().into_bytes()).await;
        assert!(!backend.store().rows("Log")[0].contains_key(name), "{name} is dropped");
    }
}
