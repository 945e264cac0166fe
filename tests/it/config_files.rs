//! History and snapshot files of AWS Config: what changed is told once, what is is passed over.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::aws::emulator;
use crate::support::data::gzip;
use crate::support::eventually;
use crate::support::replay::{finish, good, replay_of, text};
use crate::support::scene::{Scene, recently, stopped};

const EVENT: &str = include_str!("../fixtures/eventbridge/config-item-change.json");
const WROTE: &str = include_str!("../fixtures/eventbridge/config-history-delivery-status.json");
/// Month and day without zeros, as AWS Config writes them.
const FOLDER: &str = "AWSLogs/111122223333/Config/eu-west-1/2026/11/2";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config-history").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).expect("a fixture")
}

fn history_key(number: u32) -> String {
    format!(
        "{FOLDER}/ConfigHistory/111122223333_Config_eu-west-1_ConfigHistory_AWS::S3::Bucket_20261102T000000Z_20261102T060000Z_{number}.json.gz"
    )
}

fn snapshot_key() -> String {
    format!("{FOLDER}/ConfigSnapshot/111122223333_Config_eu-west-1_ConfigSnapshot_20261102T000000Z_00000000.json.gz")
}

/// The key under a name of which the emulator's bucket tells nobody: a test tells of it as AWS does.
fn untold(key: &str) -> String {
    key.replace(".json.gz", ".JSON.GZ")
}

/// Resource, what it went through, who told it.
fn told(events: &[Value]) -> Vec<[String; 3]> {
    let rows = events.iter().filter(|event| event["eventType"] == "AwsResourceChange");
    let mut told: Vec<_> = rows.map(|row| ["resource.id", "change.type", "change.origin"].map(|name| text(&row[name]))).collect();
    told.sort();
    told
}

fn rows<const N: usize>(rows: [[&str; 3]; N]) -> Vec<[String; 3]> {
    rows.map(|row| row.map(str::to_owned)).to_vec()
}

/// S2-33: each item of a history file is a change; one that an event told is told once; one that its event tells afterwards is told
/// again, as it was before, under the same id.
#[tokio::test]
async fn a_change_that_an_event_and_a_history_file_tell_has_one_id() {
    let folder = tempfile::tempdir().expect("a folder");
    let event = folder.path().join("event.json");
    std::fs::write(&event, EVENT).expect("a file");
    let (stream, history) = (["ledger", "UPDATE", "stream"], ["ledger", "unknown", "history"]);
    let mut ids = BTreeSet::new();
    for (inputs, ledger, copies) in [
        ([event.clone(), fixture("history.json")], vec![stream], 1),
        ([fixture("history.json"), event], vec![stream, history], 0),
    ] {
        let ended = good(replay_of(inputs)).await;
        let mut want = rows([["exports", "CREATE", "history"], ["old", "DELETE", "history"]]);
        want.extend(ledger.into_iter().map(|row| row.map(str::to_owned)));
        want.sort();
        assert_eq!(told(&ended.events()), want, "{}", ended.stdout);
        assert_eq!((ended.count("recordsReceived"), ended.count("records.duplicate")), (4, copies));
        let events = ended.events();
        ids.extend(events.iter().filter(|row| row["resource.id"] == "ledger").map(|row| text(&row["event.id"])));
    }
    assert_eq!(ids.len(), 1, "{ids:?}");
}

/// A bucket as it is: history files are read, snapshots and the write test are passed over and counted.
#[tokio::test]
async fn in_a_copied_bucket_history_is_read_and_snapshots_are_passed_over() {
    let bucket = tempfile::tempdir().expect("a folder");
    for (key, body) in [
        (history_key(1), bytes("history.json")),
        (history_key(2), bytes("history-empty.json")),
        (snapshot_key(), bytes("snapshot.json")),
        ("AWSLogs/111122223333/Config/ConfigWritabilityCheckFile".to_owned(), Vec::new()),
        ("renamed.json.gz".to_owned(), bytes("snapshot.json")),
    ] {
        let path = bucket.path().join(key);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, gzip(&body)).expect("a file");
    }
    let ended = good(replay_of([bucket.path()])).await;
    let want = [["exports", "CREATE", "history"], ["ledger", "unknown", "history"], ["old", "DELETE", "history"]];
    assert_eq!(told(&ended.events()), rows(want));
    let passed = |reason: &str| ended.summary["passedOver"][reason]["count"].clone();
    assert_eq!((passed("snapshot of AWS Config"), passed("write test")), (json!(2), json!(1)), "{}", ended.summary);
    let named = finish(replay_of([fixture("snapshot.json")])).await;
    assert_eq!(named.summary["passedOver"]["snapshot of AWS Config"]["count"], 1, "also one that somebody names");
    assert_eq!((named.code, named.count("recordsReceived"), named.events().len()), (Some(3), 0, 0), "{}", named.stderr);
}

/// What is no item costs itself only; the result of a rule is told as a change of compliance, not as one of a resource.
#[tokio::test]
async fn odd_items_are_read_and_broken_ones_cost_themselves() {
    let letters = tempfile::tempdir().expect("a folder");
    let agent = replay_of([fixture("history-odd.json")]).env("CSPM_RELAY_DEAD_LETTERS", letters.path().to_string_lossy());
    let ended = finish(agent).await;
    ended.assert_adds_up();
    assert_eq!(told(&ended.events()), rows([["listed", "unknown", "history"], ["numbers", "unknown", "history"]]));
    assert!(ended.events().iter().all(|row| row["aws.accountId"] == "111122223333"), "{}", ended.stdout);
    let outcomes = ["delivered", "unreadable", "ignored"].map(|outcome| ended.count(&format!("records.{outcome}")));
    assert_eq!(outcomes, [2, 2, 1], "{}", ended.summary);
    assert!(ended.stderr.contains("configurationItemCaptureTime"), "{}", ended.stderr);
}

/// Of a cut file what is whole is told, and that it is cut is said.
#[tokio::test]
async fn a_cut_history_file_gives_what_is_whole() {
    let ended = finish(replay_of([fixture("history-cut.json")])).await;
    ended.assert_adds_up();
    assert_eq!(told(&ended.events()), rows([["exports", "CREATE", "history"], ["ledger", "unknown", "history"]]));
    assert!(
        ended.code != Some(0) && ended.stderr.contains("ends in the middle of a record"),
        "{:?} {}",
        ended.code,
        ended.stderr
    );
}

/// The running agent reads a history file that a notification names, with `::` written as `%3A%3A`, and lets a snapshot go.
#[tokio::test]
async fn the_agent_reads_history_files_that_the_bucket_tells_of() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let bucket = &scene.trail.bucket;
    let agent = scene.agent().env("CSPM_RELAY_CHANGES_WAIT", "0s").start();
    let time = recently();
    let iso = jiff::Timestamp::from_millisecond(time).expect("a time").to_string();
    let fresh = String::from_utf8(bytes("history.json")).expect("text").replace("2026-11-21T20:28:30.114Z", &iso);
    for (key, body) in [(history_key(1), fresh.into_bytes()), (snapshot_key(), bytes("snapshot.json"))] {
        scene.trail.put(&untold(&key), gzip(&body)).await;
        let key = untold(&key).replace("::", "%3A%3A");
        let record = json!({ "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": { "bucket": { "name": bucket }, "object": { "key": key } } });
        scene.trail.queue.send(&json!({ "Records": [record] }).to_string()).await;
    }
    let store = scene.new_relic.store();
    eventually("its items have come", async || store.rows("AwsResourceChange").len() == 3).await;
    scene.empty().await;
    stopped(agent).await;
    let rows = store.rows("AwsResourceChange");
    assert!(rows.iter().all(|row| row["change.origin"] == "history"), "{rows:?}");
    let ledger = rows.iter().find(|row| row["resource.id"] == "ledger").expect("a row");
    assert_eq!((&ledger["event.time"], &ledger["relay.late"]), (&json!(time), &json!("false")));
    assert_eq!((scene.counted("recordsReceived"), scene.letters(), scene.gaps().len()), (3, vec![], 0));
    scene.no_violations();
}

/// The same when AWS Config's own event says that it wrote the file; where that is gone, a gap says so.
#[tokio::test]
async fn the_agent_reads_history_files_that_aws_config_tells_of() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let agent = scene.event_agent().env("CSPM_RELAY_CHANGES_WAIT", "0s").start();
    scene.trail.put(&untold(&history_key(1)), gzip(&bytes("history.json"))).await;
    for (kind, key) in [("History", history_key(1)), ("History", history_key(9)), ("Snapshot", snapshot_key())] {
        let mut event: Value = serde_json::from_str(WROTE).expect("JSON");
        event["detail-type"] = json!(format!("Config Configuration {kind} Delivery Status"));
        event["detail"]["messageType"] = json!(format!("Configuration{kind}DeliveryCompleted"));
        event["detail"]["s3Bucket"] = json!(scene.trail.bucket);
        event["detail"]["s3ObjectKey"] = json!(untold(&key));
        scene.trail.queue.send(&event.to_string()).await;
    }
    let store = scene.new_relic.store();
    eventually("its items have come", async || store.rows("AwsResourceChange").len() == 3).await;
    scene.empty().await;
    stopped(agent).await;
    assert_eq!((scene.counted("recordsDelivered"), scene.counted("recordsReturned")), (3, 0));
    let gaps: Vec<_> = scene.gaps().into_iter().collect();
    assert_eq!(gaps, [(format!("s3://{}/{}", scene.trail.bucket, untold(&history_key(9))), ("gone".to_owned(), 0))]);
    scene.no_violations();
}
