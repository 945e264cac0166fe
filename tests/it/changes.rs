//! Configuration items of AWS Config as changes of resources, and who made them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::support::aws::{Depth, emulator};
use crate::support::data::gzip;
use crate::support::eventually;
use crate::support::replay::{good, replay_of, text};
use crate::support::scene::{Scene, recently, stopped};

const ITEM: &str = include_str!("../fixtures/eventbridge/config-item-change.json");
const SUMMARY: &str = include_str!("../fixtures/eventbridge/config-item-change-oversized.json");

/// Rows that are frozen whole.
const FROZEN: [&str; 6] = ["by-resource-id", "ci-role", "two-actors", "tags-only", "oversized", "secret-variable"];

/// Every labelled case by its name, each in an account of its own, so that all go through one agent.
fn cases() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/changes");
    let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let cases = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    cases
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let case = std::fs::read_to_string(&path).expect("a case");
            let written: Value = serde_json::from_str(&case).expect("JSON");
            let id = text(&written["trail"][0]["eventID"]);
            let account = format!("3{}", id.rsplit('-').next().and_then(|tail| tail.get(1..)).expect("twelve digits"));
            let case = case.replace("111122223333", &account).replace("444455556666", &account.replacen('3', "4", 1));
            (name, serde_json::from_str(&case).expect("JSON"))
        })
        .collect()
}

/// S2-33, S2-08: labelled fixtures give the right actor, `ambiguous` where two fit, and nothing where none does, whichever comes
/// first.
#[tokio::test]
async fn labelled_changes_are_led_back_to_who_made_them() {
    let cases = cases();
    assert!(cases.len() >= 20, "{} cases", cases.len());
    let mut frozen = BTreeMap::new();
    for item_first in [false, true] {
        let mut file = tempfile::Builder::new().suffix(".ndjson").tempfile().expect("a file");
        let trail = cases.values().flat_map(|case| case["trail"].as_array().expect("records"));
        let items = cases.values().map(|case| &case["item"]);
        let lines: Vec<&Value> = if item_first { items.chain(trail).collect() } else { trail.chain(items).collect() };
        for line in lines {
            writeln!(file, "{line}").expect("a line");
        }
        let ended = good(replay_of([file.path()])).await;
        let rows: Vec<Value> = ended.events().into_iter().filter(|event| event["eventType"] == "AwsResourceChange").collect();
        assert_eq!(rows.len(), cases.len(), "one change is one row\n{}", ended.stdout);
        assert!(!ended.stdout.contains("hunter2"), "{}", ended.stdout);
        for (name, case) in &cases {
            let account = &case["item"]["account"];
            let row = rows.iter().find(|row| row["aws.accountId"] == *account).unwrap_or_else(|| panic!("{name}: no row"));
            for (attribute, want) in case["want"].as_object().expect("attributes") {
                let got = row.get(attribute).unwrap_or(&Value::Null);
                assert_eq!(got, want, "{name}, item first: {item_first}: {attribute} ({})\n{row}", case["why"]);
            }
            if FROZEN.contains(&name.as_str()) {
                let mut row = row.clone();
                for changing in ["relay.version", "relay.lagMs", "timestamp"] {
                    row.as_object_mut().expect("a row").remove(changing);
                }
                frozen.insert(name.clone(), row);
            }
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_json_snapshot!("resource_changes", frozen));
}

/// An item of this bucket, captured at this time.
fn item(bucket: &str, time_ms: i64) -> Value {
    let mut event: Value = serde_json::from_str(ITEM).expect("JSON");
    let item = &mut event["detail"]["configurationItem"];
    item["resourceId"] = json!(bucket);
    item["resourceName"] = json!(bucket);
    item["ARN"] = json!(format!("arn:aws:s3:::{bucket}"));
    item["configurationItemCaptureTime"] = json!(iso(time_ms));
    event
}

/// A call of this user on this bucket, as EventBridge carries it.
fn call(bucket: &str, user: &str, id: u64, time_ms: i64) -> Value {
    json!({
        "version": "0", "id": "00000000-0000-4000-8000-00000000000c", "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.s3", "account": "111122223333", "time": iso(time_ms), "region": "eu-west-1", "resources": [],
        "detail": {
            "eventVersion": "1.11", "eventTime": iso(time_ms), "eventSource": "s3.amazonaws.com", "eventName": "PutBucketTagging",
            "awsRegion": "eu-west-1", "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2.31.0",
            "userIdentity": { "type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/{user}"),
                "accountId": "111122223333", "userName": user },
            "requestParameters": { "bucketName": bucket }, "eventID": format!("c1000000-0000-4000-8000-{id:012}"),
            "readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": "111122223333",
            "eventCategory": "Management",
        },
    })
}

fn iso(time_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(time_ms).expect("a time").to_string()
}

/// The changes that New Relic has, by resource.
fn changes(scene: &Scene) -> BTreeMap<String, Map<String, Value>> {
    let rows = scene.new_relic.store().rows("AwsResourceChange");
    let count = rows.len();
    let by_resource: BTreeMap<_, _> = rows.into_iter().map(|row| (text(&row["resource.id"]), row)).collect();
    assert_eq!(by_resource.len(), count, "each change once");
    by_resource
}

/// S2-33: trail and item in both orders; an item waits for its time, unless AWS Config names the record; what nobody did is told
/// when its time is up.
#[tokio::test]
async fn items_wait_for_the_trail_in_either_order() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let time = recently();
    let agent = scene.event_agent().env("CSPM_RELAY_CHANGES_WAIT", "6s").start();
    let queue = &scene.trail.queue;
    let before = time - 20_000;
    queue.send(&item("item-first", time).to_string()).await;
    queue.send(&item("nobody", time).to_string()).await;
    queue.send(&call("trail-first", "bob", 2, before).to_string()).await;
    queue.send(&call("two", "ada", 3, before).to_string()).await;
    queue.send(&call("two", "bob", 4, before + 1_000).to_string()).await;
    // Config tells twice what it tells at least once.
    queue.send(&item("two", time).to_string()).await;
    queue.send(&item("two", time).to_string()).await;
    scene.counts("recordsReceived", 7).await;
    assert!(changes(&scene).is_empty(), "they wait");
    queue.send(&call("item-first", "ada", 1, before).to_string()).await;
    queue.send(&item("trail-first", time).to_string()).await;
    eventually("all changes have come", async || changes(&scene).len() == 4).await;
    scene.empty().await;
    stopped(agent).await;
    let rows = changes(&scene);
    for (bucket, confidence, actor) in [
        // It happened before the agent started: another may have read a record that fits, too.
        ("item-first", "likely", Some("ada")),
        ("trail-first", "likely", Some("bob")),
        ("two", "ambiguous", None),
        ("nobody", "none", None),
    ] {
        let row = &rows[bucket];
        assert_eq!(row["change.actorConfidence"], confidence, "{bucket}: {row:?}");
        assert_eq!(row.get("actor.name").and_then(Value::as_str), actor, "{bucket}: {row:?}");
        assert_eq!(row["event.time"], json!(time), "{bucket}");
    }
    assert_eq!(rows["item-first"]["change.eventId"], "c1000000-0000-4000-8000-000000000001");
    assert_eq!((scene.counted("recordsDuplicate"), scene.letters().len() <= 1), (1, true), "{:?}", scene.letters());
    scene.no_violations();
}

/// What Config names is sent at once, and what waits at a stop goes back and is sent by the next agent.
#[tokio::test]
async fn a_named_record_ends_the_wait_and_a_stop_gives_back() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let time = recently();
    let agent = scene.event_agent().env("CSPM_RELAY_CHANGES_WAIT", "30m").start();
    let queue = &scene.trail.queue;
    let mut named = item("named", time);
    named["detail"]["configurationItem"]["relatedEvents"] = json!(["c1000000-0000-4000-8000-000000000007"]);
    queue.send(&named.to_string()).await;
    queue.send(&item("waiting", time).to_string()).await;
    scene.counts("recordsReceived", 2).await;
    queue.send(&call("named", "ada", 7, time - 5_000).to_string()).await;
    eventually("the named change has come", async || changes(&scene).len() == 1).await;
    assert_eq!(changes(&scene)["named"]["change.actorConfidence"], "certain");
    stopped(agent).await;
    assert_eq!(changes(&scene).len(), 1, "what waits is not sent without its actor");
    assert_eq!((scene.left().await, queue.dead_letters().await), (1, Depth::EMPTY), "it went back");
    assert_eq!(scene.counted("recordsReturned"), 1);
    let agent = scene.event_agent().env("CSPM_RELAY_CHANGES_WAIT", "0s").start();
    eventually("the rest has come", async || changes(&scene).len() == 2).await;
    scene.empty().await;
    stopped(agent).await;
}

/// An oversized item is fetched; where it is gone or is another one, its summary is sent.
#[tokio::test]
async fn an_oversized_item_is_fetched_or_sent_from_its_summary() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let time = recently();
    let agent = scene.event_agent().env("CSPM_RELAY_CHANGES_WAIT", "0s").start();
    for (name, stored) in [("whole", Some("whole")), ("gone", None), ("swapped", Some("someone-elses"))] {
        let key =
            format!("AWSLogs/111122223333/Config/eu-west-1/2026/11/7/OversizedChangeNotification/AWS::S3::Bucket/{name}.json.gz");
        if let Some(bucket) = stored {
            let whole = item(bucket, time)["detail"].to_string();
            scene.trail.put(&key, gzip(whole.as_bytes())).await;
        }
        let mut event: Value = serde_json::from_str(SUMMARY).expect("JSON");
        let whole = item(name, time);
        let mut summary = whole["detail"]["configurationItem"].clone();
        summary["changeType"] = json!("UPDATE");
        event["detail"]["configurationItemSummary"] = summary;
        event["detail"]["s3DeliverySummary"]["s3BucketLocation"] = json!(format!("{}/{key}", scene.trail.bucket));
        scene.trail.queue.send(&event.to_string()).await;
    }
    eventually("all changes have come", async || changes(&scene).len() == 3).await;
    scene.empty().await;
    stopped(agent).await;
    let rows = changes(&scene);
    for (name, oversized, paths) in [
        ("whole", "false", Some("|SupplementaryConfiguration.PublicAccessBlockConfiguration|")),
        ("gone", "true", None),
        ("swapped", "true", None),
    ] {
        assert_eq!(rows[name]["change.oversized"], oversized, "{name}: {:?}", rows[name]);
        assert_eq!(rows[name].get("change.paths").and_then(Value::as_str), paths, "{name}");
        assert_eq!(rows[name]["change.type"], "UPDATE", "{name}");
    }
    scene.no_violations();
}
