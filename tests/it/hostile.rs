//! P12–P16, X4, S3-12: whatever is in a record, what is sent stays inside New Relic's limits.
//!
//! The stand-in keeps New Relic's rules; that it keeps them at the right numbers is tested in `limits`.

use cspm_relay::clock::Clock;
use cspm_relay::lab::backend::{Backend, BackendSettings, Violation};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::support::data;
use crate::support::limits as theirs;
use crate::support::replay::{Replayed, assert_clean, file_of, good, replay_of, stand_in, text};

/// Sends records to a stand-in, logs and all.
async fn sent(records: &[Value]) -> (Backend, Replayed) {
    let backend = stand_in(BackendSettings::default()).await;
    let agent = replay_of::<&str>([]);
    let path = agent.file("records.json", &file_of(records));
    let letters = TempDir::new().expect("a temporary folder");
    let agent = agent.arg(path.to_string_lossy()).arg("--logs").arg("all").arg("--to").arg(backend.url());
    let ended = good(agent.env("CSPM_RELAY_DEAD_LETTERS", letters.path().to_string_lossy())).await;
    (backend, ended)
}

fn present() -> i64 {
    Clock::system().now_ms() - 60_000
}

/// Fills every place of an alarming record from which an attribute is made.
fn filled(number: u64, value: &str) -> Value {
    let mut record = data::alarming(number, present());
    for name in
        ["sourceIPAddress", "userAgent", "errorCode", "errorMessage", "awsRegion", "eventVersion", "eventType", "eventCategory"]
    {
        record[name] = json!(value);
    }
    record["requestParameters"]["name"] = json!(value);
    record["userIdentity"] = json!({
        "type": "AssumedRole", "arn": value, "accountId": value, "principalId": value, "userName": value,
        "sessionContext": {"sessionIssuer": {"arn": value, "userName": value, "type": "Role"}, "sourceIdentity": value},
    });
    record["resources"] = json!([{"type": value, "ARN": value, "accountId": value}]);
    record["addendum"] = json!({"reason": value});
    record
}

#[tokio::test]
async fn long_values_are_cut_marked_and_accepted() {
    let mut records = Vec::new();
    for length in [4_093, 4_094, 4_095, 4_096, 4_097, 5_000] {
        for one in ["x", "監", "🔥", "é", "\"", "\u{1}", "\n"] {
            records.push(filled(records.len() as u64, &one.repeat(length)));
        }
    }
    let (backend, ended) = sent(&records).await;
    assert_clean(&backend);
    assert_eq!(ended.count("records.delivered"), records.len() as u64);
    let store = backend.store();
    assert_eq!(store.ids("AwsSecurityEvent").len(), records.len());
    assert_eq!(store.ids("Log").len(), records.len());
    let mut cut = 0;
    for row in store.rows("AwsSecurityEvent") {
        let named = row.get("relay.truncated").map(text).unwrap_or_default();
        for (name, value) in &row {
            let Some(value) = value.as_str() else { continue };
            assert!(value.chars().count() <= theirs::EVENT_VALUE_CHARS && value.len() <= theirs::EVENT_VALUE_CHARS, "{name}");
            if value.ends_with('…') {
                assert!(named.contains(&format!("|{name}|")), "{name} is cut and not named in {named}");
                cut += 1;
            }
        }
    }
    assert!(cut > 300, "{cut} values were cut");
    assert!(ended.count("truncated") >= cut);
}

/// P16, S3-12: names that New Relic keeps for itself, and more names than it takes.
#[tokio::test]
async fn many_and_strange_names_are_accepted() {
    let many = |count: usize| (0..count).map(|at| (format!("parameter{at}"), json!(at))).collect::<Map<_, _>>();
    let wide = json!({ "": "empty", "with space": "x", "日本": "x", "a.b": "x", "entity.guid": "x" });
    let strange = |number: u64, requests: Value| {
        let mut record = data::alarming(number, present());
        record["requestParameters"]["more"] = requests;
        record
    };
    let mut top = data::alarming(4, present());
    for name in
        ["accountId", "appId", "eventType", "entity", "timestamp", "message", "logtype", "event.id", "aws.accountId", "hostname"]
    {
        top[name] = json!("mine");
    }
    top["entity"] = json!({"guid": "x", "name": "y"});
    top["appId"] = json!("not a number");
    let records = [
        strange(0, Value::Object(many(300))),
        strange(1, Value::Object(many(5_000))),
        strange(3, wide),
        top,
        strange(5, json!([many(300), many(300)])),
    ];
    let (backend, ended) = sent(&records).await;
    assert_clean(&backend);
    assert_eq!(ended.count("records.delivered"), records.len() as u64);
    let store = backend.store();
    assert_eq!(store.ids("Log").len(), records.len(), "{:?}", store.ids("Log"));
    for row in store.rows("Log").iter().chain(&store.rows("AwsSecurityEvent")) {
        assert!(row.len() <= theirs::LOG_ATTRIBUTES, "{} attributes", row.len());
        for name in row.keys() {
            assert!(
                !theirs::LOG_NAMES_DROPPED.contains(&name.as_str()) && !theirs::EVENT_NAMES_DROPPED.contains(&name.as_str()),
                "{name}"
            );
            assert!(!name.starts_with(theirs::RESERVED_PREFIX), "{name}");
        }
    }
    // The relay's own names win over a record's.
    let ids: Vec<_> = store.rows("AwsSecurityEvent").iter().map(|row| text(&row["event.id"])).collect();
    assert!(ids.contains(&data::id(4)), "{ids:?}");
    // What became text for want of room is all there.
    let most = store.rows("Log").into_iter().find(|row| row["event.id"] == data::id(1)).expect("the log");
    let blob = most.get("newrelic.ext.requestParameters").map(text).unwrap_or_default();
    assert!((text(&most["requestParameters"]) + &blob).contains("\"parameter4999\":4999"));
}

/// New Relic flattens a record's parts into names of its own; one longer than it takes is dropped there. Nothing is lost by it:
/// the record's text, which New Relic keeps beside, has the value.
#[tokio::test]
async fn a_name_too_long_when_flattened_is_still_in_the_text() {
    let mut record = data::alarming(0, present());
    record["requestParameters"]["deep"] =
        (0..40).fold(json!("found me"), |inner, _| json!({ "aRatherLongNameOfAParameter": inner }));
    let (backend, ended) = sent(&[record]).await;
    assert_eq!(backend.store().violations().keys().collect::<Vec<_>>(), [&Violation::NameTooLong]);
    assert_eq!((backend.store().integration_errors().len(), ended.count("records.delivered")), (0, 1));
    let row = backend.store().rows("Log").remove(0);
    let blob = row.get("newrelic.ext.message").map(text).unwrap_or_default();
    assert!((text(&row["message"]) + &blob).contains("found me"));
}

/// P12, P13, X4: records up to the largest that is read; a larger one is a dead letter and stops nothing.
#[tokio::test]
async fn large_records_are_trimmed_marked_and_accepted() {
    let with = |number: u64, name: &str, value: Value| {
        let mut record = data::alarming(number, present());
        record[name] = value;
        record
    };
    let long = |length: usize| "x".repeat(length);
    let random: String = {
        let mut random = fastrand::Rng::with_seed(5);
        (0..900_000).map(|_| random.alphanumeric()).collect()
    };
    let pieces: Vec<String> = (0..900).map(|at| format!("{at:04}{}", long(996))).collect();
    let parts = |each: usize| {
        let mut record = data::alarming(8, present());
        for name in ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "resources"] {
            record[name] = json!({ "name": long(each) });
        }
        record
    };
    let tops: Map<String, Value> = (0..20_000).map(|at| (format!("top{at}"), json!("twenty-odd characters"))).collect();
    let mut crowded = data::alarming(9, present());
    crowded.as_object_mut().expect("a record").extend(tops);
    let records = [
        with(0, "requestParameters", json!({ "policyDocument": long(100_000) })),
        with(1, "requestParameters", json!({ "policyDocument": long(256_000) })),
        with(2, "responseElements", json!({ "list": pieces })),
        with(3, "requestParameters", json!({ "policyDocument": random })),
        with(4, "userAgent", json!(long(1_000_000))),
        with(5, "errorMessage", json!("監".repeat(300_000))),
        with(6, "somethingNew", json!({ "blob": long(990_000) })),
        with(7, "userIdentity", json!({"type": "IAMUser", "userName": long(1_000_000)})),
        parts(31_000),
        crowded,
        with(10, "requestParameters", json!({ "password": format!("s3cr3t{}", long(500_000)), "policyDocument": long(300_000) })),
    ];
    let (backend, ended) = sent(&records).await;
    assert_clean(&backend);
    assert_eq!(ended.count("records.delivered"), records.len() as u64, "{}\n{}", ended.summary, ended.stderr);
    let store = backend.store();
    assert_eq!(store.ids("Log").len(), records.len());
    assert_eq!(store.ids("AwsSecurityEvent").len(), records.len());
    for row in store.rows("Log") {
        let id = text(&row["event.id"]);
        let whole = id == data::id(0);
        assert_eq!(row.contains_key("relay.truncated"), !whole, "{id}: cut and marked, or whole");
        assert_eq!(row["eventName"], "StopLogging", "{id}");
        assert!(!row["message"].as_str().expect("text").contains("s3cr3t"), "{id}");
    }

    let backend = stand_in(BackendSettings::default()).await;
    let letters = TempDir::new().expect("a temporary folder");
    let agent = replay_of::<&str>([]);
    let beyond = [data::alarming(0, present()), with(1, "userAgent", json!(long(1_100_000))), data::alarming(2, present())];
    let path = agent.file("records.json", &file_of(&beyond));
    let agent = agent.arg(path.to_string_lossy()).arg("--to").arg(backend.url());
    let ended = good(agent.env("CSPM_RELAY_DEAD_LETTERS", letters.path().to_string_lossy())).await;
    assert_eq!((ended.count("records.delivered"), ended.count("records.unreadable")), (2, 1));
    assert_eq!(std::fs::read_dir(letters.path()).expect("letters").count(), 1);
}

/// An id that is no id of AWS's still joins a record's rows, and its detections stay apart.
#[tokio::test]
async fn a_long_id_still_joins_and_tells_apart() {
    let mut records = [data::alarming(0, present()), data::alarming(1, present())];
    for (at, record) in records.iter_mut().enumerate() {
        record["eventID"] = json!(format!("{}{at}", "i".repeat(5_000)));
    }
    let (backend, _) = sent(&records).await;
    assert_clean(&backend);
    let store = backend.store();
    assert_eq!(store.ids("Log").len(), 2, "two records, two ids");
    assert_eq!(store.ids("Log").keys().collect::<Vec<_>>(), store.ids("AwsSecurityEvent").keys().collect::<Vec<_>>());
    let rows = store.counts("AwsSecurityEvent");
    assert_eq!(store.detection_ids("AwsSecurityEvent").len() as u64, rows.rows, "each detection has its own id");
}
