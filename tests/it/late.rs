//! P17, P28: a record is filed under its own time while New Relic takes it, and under the present, marked, when it does not.

use cspm_relay::clock::Clock;
use cspm_relay::lab::backend::BackendSettings;
use serde_json::{Value, json};

use crate::support::data;
use crate::support::replay::{assert_clean, file_of, finish, good, replay_of, stand_in, tally, text};

const HOUR: i64 = 3_600_000;
/// 2026-06-01T00:00:00Z.
const NOW: i64 = 1_780_272_000_000;

/// Age, hours; whether it is late: beyond an hour inside New Relic's window of 24 hours, on either side.
const AGES: [(&str, i64, bool); 8] = [
    ("just now", 0, false),
    ("15 minutes, as CloudTrail comes", HOUR / 4, false),
    ("22 hours", 22 * HOUR, false),
    ("23 hours less a minute", 23 * HOUR - 60_000, false),
    ("23 hours and a second", 23 * HOUR + 1_000, true),
    ("25 hours", 25 * HOUR, true),
    ("an hour ahead", -HOUR, false),
    ("25 hours ahead", -25 * HOUR, true),
];

fn aged(now_ms: i64) -> Vec<Value> {
    // CloudTrail's times are whole seconds.
    let now_ms = now_ms / 1_000 * 1_000;
    (0..).zip(AGES).map(|(number, (_, age, _))| data::alarming(number, now_ms - age)).collect()
}

#[tokio::test]
async fn timestamps_follow_the_record_until_new_relic_would_refuse_them() {
    let agent = replay_of::<&str>([]);
    let path = agent.file("records.json", &file_of(&aged(NOW)));
    let ended = good(agent.arg(path.to_string_lossy()).arg("--logs").arg("all").arg("--now").arg("2026-06-01T00:00:00Z")).await;
    let (events, logs) = (ended.events(), ended.logs());
    for (number, (name, age, late)) in (0..).zip(AGES) {
        let id = data::id(number);
        let (timestamp, late) = (if late { NOW } else { NOW - age }, json!(late.to_string()));
        let of: Vec<_> = events.iter().filter(|event| event["event.id"] == *id).collect();
        assert!(!of.is_empty(), "{name}");
        for event in of {
            assert_eq!((&event["timestamp"], &event["relay.late"]), (&json!(timestamp), &late), "{name}");
            assert_eq!((&event["event.time"], &event["relay.lagMs"]), (&json!(NOW - age), &json!(age)), "{name}");
        }
        let log = logs.iter().find(|log| log["attributes"]["event.id"] == *id).expect(name);
        assert_eq!((&log["timestamp"], &log["attributes"]["relay.late"]), (&json!(timestamp), &late), "{name}");
    }
}

#[tokio::test]
async fn a_replay_to_new_relic_refuses_what_new_relic_would() {
    let source = aged(Clock::system().now_ms());
    let late = AGES.iter().filter(|(_, _, late)| *late).count() as u64;
    let agent = |url: &str| {
        let agent = replay_of::<&str>([]);
        let path = agent.file("records.json", &file_of(&source));
        agent.arg(path.to_string_lossy()).arg("--logs").arg("all").arg("--to").arg(url)
    };
    let backend = stand_in(BackendSettings::default()).await;
    let refused = finish(agent(&backend.url())).await;
    assert_ne!(refused.code, Some(0));
    refused.assert_adds_up();
    assert_eq!(refused.count("records.returned"), late);
    assert_eq!(refused.count("records.delivered"), AGES.len() as u64 - late);
    assert_eq!(backend.store().counts("Log").rows, AGES.len() as u64 - late);
    assert!(refused.stderr.contains("--restamp"), "what to do is said: {}", refused.stderr);
    assert_clean(&backend);

    let backend = stand_in(BackendSettings::default()).await;
    let started = Clock::system().now_ms();
    let sent = good(agent(&backend.url()).arg("--restamp")).await;
    assert_eq!(sent.count("records.delivered"), AGES.len() as u64);
    assert_clean(&backend);
    let rows = backend.store().rows("AwsSecurityEvent");
    assert_eq!(tally(rows.iter().map(|row| text(&row["relay.late"])))["true"] % late, 0);
    for row in rows.iter().filter(|row| row["relay.late"] == "true") {
        let time = row["timestamp"].as_i64().expect("a time");
        assert!((started..=Clock::system().now_ms()).contains(&time), "{row:?}");
        assert_ne!(row["timestamp"], row["event.time"]);
    }
}

/// A record that came again with other data is a new one; one that only came late is the one it always was.
#[tokio::test]
async fn an_addendum_is_a_new_record_only_when_its_data_is_new() {
    let with = |reason: Option<&str>, original: &str| {
        let mut record = data::alarming(1, NOW - HOUR);
        if let Some(reason) = reason {
            record["addendum"] = json!({"reason": reason, "updatedFields": "responseElements", "originalEventID": original});
        }
        record
    };
    for (name, second, delivered, duplicate) in [
        ("the same again", with(None, ""), 1, 1),
        ("delivered late", with(Some("DELIVERY_DELAY"), &data::id(1)), 1, 1),
        ("updated under its own id", with(Some("UPDATED_DATA"), &data::id(1)), 2, 0),
    ] {
        let agent = replay_of::<&str>([]);
        let path = agent.file("records.json", &file_of(&[with(None, ""), second]));
        let ended = good(agent.arg(path.to_string_lossy()).arg("--logs").arg("all")).await;
        let counts = (ended.count("records.delivered"), ended.count("records.duplicate"));
        assert_eq!(counts, (delivered, duplicate), "{name}");
        let ids = tally(ended.logs().iter().map(|log| text(&log["attributes"]["event.id"])));
        assert_eq!(ids.len() as u64, delivered, "{name}: {ids:?}");
        assert!(ids.keys().all(|id| id.starts_with(&data::id(1))), "{name}: the first id stays readable: {ids:?}");
    }
    let agent = replay_of::<&str>([]);
    let path = agent.file("records.json", &file_of(&[with(Some("DELIVERY_DELAY"), &data::id(1))]));
    let alone = good(agent.arg(path.to_string_lossy())).await;
    assert_eq!(
        (&alone.events()[0]["event.addendum"], &alone.events()[0]["event.id"]),
        (&json!("DELIVERY_DELAY"), &json!(data::id(1)))
    );
}
