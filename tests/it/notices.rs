//! What alert conditions and the relay's own page read: notices and heartbeats, as New Relic holds them.

use std::collections::BTreeSet;

use cspm_relay::clock::Clock;
use cspm_relay::lab::backend::{Api, Fault};
use serde_json::{Map, Value, json};

use crate::support::agent::Agent;
use crate::support::aws::emulator;
use crate::support::data::{self, TrailObject};
use crate::support::scene::{Scene, stopped};

const HOUR: i64 = 3_600_000;

/// A record that three controls are for: root stops the trail.
fn root_stops_the_trail(number: u64, time_ms: i64) -> Value {
    let mut record = data::alarming(number, time_ms);
    let account = data::ACCOUNT;
    record["userIdentity"] =
        json!({"type": "Root", "accountId": account, "principalId": account, "arn": format!("arn:aws:iam::{account}:root")});
    record
}

/// A record that a control is for which pages nobody: an image is shared.
fn image_shared(number: u64, time_ms: i64) -> Value {
    let mut record = data::alarming(number, time_ms);
    record["eventSource"] = json!("ec2.amazonaws.com");
    record["eventName"] = json!("ModifyImageAttribute");
    record["requestParameters"] = json!({
        "imageId": "ami-0a1b2c3d", "attributeType": "launchPermission",
        "launchPermission": {"add": {"items": [{"userId": "444455556666"}]}},
    });
    record
}

fn rows(scene: &Scene, event_type: &str) -> Vec<Map<String, Value>> {
    scene.new_relic.store().rows(event_type)
}

/// The values of one attribute.
fn values<'a>(rows: &'a [Map<String, Value>], name: &str) -> BTreeSet<&'a str> {
    rows.iter().map(|row| row[name].as_str().unwrap_or_else(|| panic!("{name} in {row:?}"))).collect()
}

/// Everything of one sort, delivered to an agent of these settings; the rest of the trail stays quiet.
async fn delivered(agent: impl FnOnce(Agent) -> Agent, object: &TrailObject) -> Option<Scene> {
    let scene = Scene::new(emulator("ministack").await?).await;
    let agent = agent(scene.agent()).start();
    let ids = scene.deliver(std::slice::from_ref(object)).await;
    scene.has(&ids).await;
    scene.empty().await;
    stopped(agent).await;
    scene.no_violations();
    Some(scene)
}

/// One record is one page, however many controls it meets; it is stamped on arrival, so that a window that has closed cannot
/// miss it, and says when it happened. What alarms nobody sends none.
#[tokio::test]
async fn a_notifiable_record_is_one_notice_stamped_on_arrival() {
    let began = Clock::system().now_ms();
    let happened = began - 3 * HOUR;
    let happened = happened - happened % 1_000;
    let records =
        [root_stops_the_trail(1, happened), data::alarming(2, happened), image_shared(3, happened), data::quiet(4, happened)];
    let Some(scene) = delivered(|agent| agent, &data::object(1, happened, &records)).await else { return };
    let (events, notices) = (rows(&scene, "AwsSecurityEvent"), rows(&scene, "AwsSecurityNotice"));
    assert_eq!(values(&events, "event.id"), [1, 2, 3].map(data::id).iter().map(String::as_str).collect(), "all three detect");
    assert_eq!(notices.len(), 2, "{notices:?}");
    for (number, controls) in [(1, 4), (2, 2)] {
        let id = data::id(number);
        let notice = notices.iter().find(|row| row["event.id"] == id.as_str()).expect("a notice");
        let of_record: Vec<_> = events.iter().filter(|row| row["event.id"] == id.as_str()).cloned().collect();
        assert_eq!(of_record.len(), controls, "{of_record:?}");
        assert_eq!(notice["event.time"], happened);
        let stamped = notice["timestamp"].as_i64().expect("a time");
        assert!((began..=Clock::system().now_ms()).contains(&stamped), "stamped {stamped}, not between {began} and now");
        assert!(of_record.iter().all(|row| row["timestamp"] == happened), "an event keeps its own time");
        // The highest control is its own, all of them are listed.
        let primary = of_record.iter().find(|row| row["detection.primary"] == "true").expect("a primary one");
        for name in ["control.id", "control.severity", "detection.id", "aws.accountId", "actor.name"] {
            assert_eq!(notice[name], primary[name], "{name}");
        }
        let listed = notice["control.ids"].as_str().expect("a list").trim_matches('|').split('|').collect::<BTreeSet<_>>();
        assert_eq!(listed, values(&of_record, "control.id"));
    }
}

#[tokio::test]
async fn notices_can_be_switched_off() {
    let time = Clock::system().now_ms() - 60_000;
    let object = data::object(1, time, &[data::alarming(1, time)]);
    let Some(scene) = delivered(|agent| agent.env("CSPM_RELAY_NOTICES", "false"), &object).await else { return };
    assert_eq!((rows(&scene, "AwsSecurityEvent").len(), rows(&scene, "AwsSecurityNotice").len()), (2, 0));
}

/// P28: how late records come, how much was read and how long it waited are in the heartbeats, in numbers that are right.
#[tokio::test]
async fn heartbeats_measure_lag_bytes_and_the_newest_record() {
    let now = Clock::system().now_ms();
    let (old, young) = (now - 2 * HOUR, now - 60_000);
    let young = young - young % 1_000;
    let records = [data::quiet(1, old), data::alarming(2, young), data::quiet(3, old)];
    let object = data::object(1, young, &records);
    let unpacked = json!({ "Records": records }).to_string().len();
    let Some(scene) = delivered(|agent| agent, &object).await else { return };
    for (name, want) in [
        ("bytesPacked", object.body.len()),
        ("bytesUnpacked", unpacked),
        ("recordsReceived", 3),
        ("recordsDelivered", 3),
        ("objectsReleased", 1),
        ("detections", 2),
    ] {
        assert_eq!(scene.counted(name), i64::try_from(want).expect("small"), "{name}");
    }
    let beats = rows(&scene, "CspmRelayHeartbeat");
    let most = |name: &str| beats.iter().filter_map(|row| row.get(name)?.as_i64()).max();
    assert_eq!(most("heartbeat.newestEventTime"), Some(young));
    let (lag, late_at_most) = (most("heartbeat.lagMsMax").expect("a lag"), Clock::system().now_ms() - old);
    assert!((2 * HOUR..=late_at_most).contains(&lag), "{lag} ms");
    let age = most("heartbeat.queueAgeMs").expect("an age");
    assert!((0..=Clock::system().now_ms() - now).contains(&age), "{age} ms");
    assert!(beats.iter().all(|row| row["relay.version"] == env!("CARGO_PKG_VERSION")));
    let ids = values(&beats, "heartbeat.id");
    assert_eq!(ids.len(), beats.len(), "each heartbeat has a name of its own");
}

/// S2-43: what is on its way is in each heartbeat, so that a page that begins at any minute can tell where the records of before
/// have gone: what waited and what was received is what ended and what waits.
#[tokio::test]
async fn heartbeats_say_what_is_on_its_way() {
    const RECORDS: u64 = 7;
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    // Logs are refused for some seconds, heartbeats are not.
    scene.new_relic.script(Api::Logs, vec![Fault::status(503); 4]);
    let agent = scene.agent().start();
    let now = Clock::system().now_ms();
    let ids = scene.deliver(&[data::object(1, now, &data::mixed(0, RECORDS, now))]).await;
    scene.has(&ids).await;
    scene.empty().await;
    stopped(agent).await;
    let mut beats = rows(&scene, "CspmRelayHeartbeat");
    beats.sort_by_key(|row| row["timestamp"].as_i64());
    let number = |row: &Map<String, Value>, name: &str| row[&format!("heartbeat.records{name}")].as_i64().expect("a number");
    let ends = ["Delivered", "Ignored", "Suppressed", "Duplicate", "Unreadable", "Rejected", "Returned"];
    let mut waited = 0;
    for beat in &beats {
        assert_eq!(number(beat, "WaitingBefore"), waited, "{beat:?}");
        let ended: i64 = ends.iter().map(|name| number(beat, name)).sum();
        waited = number(beat, "Waiting");
        assert_eq!(number(beat, "WaitingBefore") + number(beat, "Received"), ended + waited, "{beat:?}");
    }
    let most = beats.iter().map(|beat| number(beat, "Waiting")).max();
    let all = i64::try_from(RECORDS).expect("small");
    assert_eq!((waited, most, scene.counted("recordsDelivered")), (0, Some(all), all));
}

/// The dictionary names every attribute of every type that an agent sends, gaps and heartbeats included.
#[tokio::test]
async fn everything_an_agent_sends_is_in_the_dictionary() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let time = Clock::system().now_ms() - 60_000;
    let agent = scene.agent().start();
    let gone = json!({ "s3Bucket": scene.trail.bucket, "s3ObjectKey": ["AWSLogs/1/CloudTrail/gone.json.gz"] });
    scene.trail.queue.send(&gone.to_string()).await;
    let ids = scene.deliver(&[data::object(1, time, &[root_stops_the_trail(1, time), data::quiet(2, time)])]).await;
    scene.has(&ids).await;
    scene.empty().await;
    stopped(agent).await;
    let schema = Agent::new(["schema", "--format", "json"]).finish().await;
    let known: Vec<Value> = serde_json::from_str(&schema.stdout).expect("JSON");
    let carries = |name: &str, kind: &str| {
        known
            .iter()
            .any(|row| row["name"] == name && row["eventTypes"].as_array().is_some_and(|kinds| kinds.contains(&kind.into())))
    };
    for kind in ["AwsSecurityEvent", "AwsSecurityNotice", "CspmRelayHeartbeat", "CspmRelayGap"] {
        let rows = rows(&scene, kind);
        assert!(!rows.is_empty(), "no {kind}");
        for name in rows.iter().flat_map(Map::keys) {
            assert!(carries(name, kind), "{kind}.{name}");
        }
    }
}
