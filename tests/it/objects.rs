//! What lies in a trail's bucket: layouts, packings, what holds no records, and the same thing twice.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::aws::{Depth, QueueSettings, emulator, emulators};
use crate::support::data::{self, ACCOUNT, REGION, TrailObject, gzip};
use crate::support::eventually;
use crate::support::replay::text;
use crate::support::scene::{Scene, recently, stopped};

fn file(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

/// Every layout and packing that holds records gives them; what holds none is released (P06).
#[tokio::test]
async fn layouts_and_packings() {
    for aws in emulators().await {
        let name = aws.name;
        let scene = Scene::new(aws).await;
        let time = recently();
        let records = |first: u64| data::mixed(first, 3, time);
        let insight = |number: u64| {
            let mut record = data::quiet(number, time);
            record["eventCategory"] = json!("Insight");
            record["eventType"] = json!("AwsCloudTrailInsight");
            record["insightDetails"] = json!({ "state": "Start", "insightType": "ApiCallRateInsight" });
            record
        };
        let (first, second) = (file(&records(60)), file(&records(70)));
        let (half, other_half) = first.split_at(first.len() / 2);
        let members = [gzip(half.as_bytes()), gzip(other_half.as_bytes())].concat();
        let one_per_line: String = records(80).iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let good = [
            (format!("AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/11/21/a.json.gz"), gzip(file(&records(0)).as_bytes())),
            (
                format!("AWSLogs/o-abc123defg/{ACCOUNT}/CloudTrail/{REGION}/2026/11/21/b.json.gz"),
                gzip(file(&records(10)).as_bytes()),
            ),
            (format!("pre/fix/AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/11/21/c.json.gz"), gzip(file(&records(20)).as_bytes())),
            (
                format!("AWSLogs/{ACCOUNT}/CloudTrail-Insight/{REGION}/2026/11/21/d.json.gz"),
                gzip(file(&[insight(30)]).as_bytes()),
            ),
            ("copied-by-somebody.json.gz".to_owned(), gzip(file(&records(40)).as_bytes())),
            ("plain.json.gz".to_owned(), file(&records(50)).into_bytes()),
            ("members.json.gz".to_owned(), members),
            ("spaced.json.gz".to_owned(), gzip(format!("\u{feff}\n {} \n", second.replace(',', " ,\n")).as_bytes())),
            ("lines.json.gz".to_owned(), gzip(one_per_line.as_bytes())),
        ];
        let ids: BTreeSet<String> = (0..9)
            .flat_map(|tens| (0..3).map(move |one| tens * 10 + one))
            .filter(|n| !(31..40).contains(n))
            .map(data::id)
            .collect();
        let digest = json!({ "awsAccountId": ACCOUNT, "digestStartTime": "2026-11-21T19:00:00Z", "logFiles": [] }).to_string();
        let empty = [
            (format!("AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/2026/11/21/e.json.gz"), gzip(digest.as_bytes())),
            ("a-digest-under-another-name.json.gz".to_owned(), gzip(digest.as_bytes())),
            ("zero-bytes.json.gz".to_owned(), Vec::new()),
            ("no-records.json.gz".to_owned(), gzip(br#"{"Records":[]}"#)),
            ("a-folder-called.json.gz/x_$folder$.json.gz".to_owned(), gzip(b"")),
        ];
        for (key, body) in good.iter().chain(&empty) {
            scene.trail.put(key, body.clone()).await;
        }
        let agent = scene.agent().start();
        scene.has(&ids).await;
        scene.empty().await;
        stopped(agent).await;
        assert_eq!((scene.counted("recordsDelivered"), scene.counted("recordsReceived")), (25, 25), "{name}");
        assert_eq!((scene.letters(), scene.gaps().len()), (vec![], 0), "{name}");
        // Test message, two digests, zero bytes.
        assert_eq!(scene.counted("skipped"), 4, "{name}");
        let security = scene.new_relic.store().ids("AwsSecurityEvent");
        assert_eq!(security.keys().collect::<Vec<_>>(), [&data::id(50)], "{name}: the one alarming record");
        scene.no_violations();
    }
}

/// An object of another kind is somebody else's: handed back, never deleted (X7).
#[tokio::test]
async fn an_object_of_another_kind_stays() {
    for aws in emulators().await {
        let name = aws.name;
        let scene = Scene::new(aws).await;
        let foreign = [
            ("flows.json.gz", gzip(br#"{"version":1,"flows":[{"resourceId":"x"}]}"#)),
            ("text.json.gz", b"# Title\nNothing like JSON\n".to_vec()),
            ("flow.json.gz", gzip(b"version account-id interface-id\n2 111122223333 eni-1\n")),
        ];
        for (key, body) in &foreign {
            scene.trail.put(key, body.clone()).await;
        }
        let mut agent = scene.agent().start();
        agent.says("Not an object of a trail").await;
        scene.counts("objectsReturned", 3).await;
        eventually("only they are left", async || scene.left().await == 3).await;
        let log = stopped(agent).await.stderr;
        for (key, _) in &foreign {
            assert!(log.contains(key), "{name}: {key} in {log}");
        }
        assert_eq!((scene.left().await, scene.letters(), scene.gaps().len()), (3, vec![], 0), "{name}");
        assert_eq!((scene.counted("recordsReceived"), scene.arrived().len()), (0, 0), "{name}");
    }
}

/// The same object told twice, and the same record in two objects: one set of events, the rest counted as copies (P07, P08).
#[tokio::test]
async fn the_same_thing_twice() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let time = recently();
    let records = data::mixed(0, 100, time);
    let first = data::object(1, time, &records);
    // Another trail's object: half of it has been seen.
    let second = data::object(2, time, &[&records[40..], &data::mixed(200, 40, time)[..]].concat());
    let ids = scene.deliver(std::slice::from_ref(&first)).await;
    let agent = scene.agent().start();
    scene.has(&ids).await;
    scene.deliver(std::slice::from_ref(&first)).await;
    let ids = ids.union(&scene.deliver(std::slice::from_ref(&second)).await).cloned().collect();
    scene.has(&ids).await;
    scene.empty().await;
    stopped(agent).await;
    assert_eq!(scene.counted("recordsReceived"), 300);
    assert_eq!((scene.counted("recordsDelivered"), scene.counted("recordsDuplicate")), (140, 160));
    let (logs, events) = (scene.new_relic.store().counts("Log"), scene.new_relic.store().counts("AwsSecurityEvent"));
    assert_eq!((logs.rows, logs.distinct_ids, logs.repeated), (140, 140, 0));
    assert_eq!((events.distinct_ids, events.repeated), (1, 0), "record 50 alarms, once");
}

/// One action told to two accounts is two records, each with its own id; what they share joins them (P08).
#[tokio::test]
async fn one_action_told_to_two_accounts_stays_two_records_that_can_be_joined() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let time = recently();
    let told = |number: u64, account: &str, shared: &str| {
        let mut record = data::alarming(number, time);
        record["recipientAccountId"] = json!(account);
        record["sharedEventID"] = json!(shared);
        record
    };
    let shared = "49bfae88-c9c9-4f39-857c-558a60f14b5d";
    let records = [told(1, ACCOUNT, shared), told(2, "444455556666", shared), told(3, ACCOUNT, ""), data::alarming(4, time)];
    let agent = scene.agent().start();
    let ids = scene.deliver(&[data::object(1, time, &records)]).await;
    scene.has(&ids).await;
    scene.empty().await;
    stopped(agent).await;
    assert_eq!((scene.counted("recordsDelivered"), scene.counted("recordsDuplicate")), (4, 0));
    for event_type in ["AwsSecurityEvent", "AwsSecurityNotice"] {
        let rows = scene.new_relic.store().rows(event_type);
        let found: BTreeSet<_> = rows
            .iter()
            .map(|row| [&row["event.id"], &row["aws.accountId"]].map(text).into_iter().chain(row.get("event.sharedId").map(text)))
            .map(Vec::from_iter)
            .collect();
        let of = |number: u64, account: &str| vec![data::id(number), account.to_owned()];
        let with = |of: Vec<String>| [of, vec![shared.to_owned()]].concat();
        let want = [with(of(1, ACCOUNT)), with(of(2, "444455556666")), of(3, ACCOUNT), of(4, ACCOUNT)];
        assert_eq!(found, want.into(), "{event_type}");
    }
    scene.no_violations();
}

/// Copies that come while the first is still on its way take its outcome: nothing is released early, nothing sent twice (P07).
#[tokio::test]
async fn a_copy_waits_for_its_original() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::with(aws, QueueSettings::default()).await;
    let mut hold = scene.new_relic.hold(cspm_relay::lab::backend::Api::Logs);
    let time = recently();
    let records = [data::quiet(1, time), data::quiet(2, time)];
    let objects: Vec<TrailObject> = (1..=3).map(|number| data::object(number, time, &records)).collect();
    let agent = scene.agent().start();
    let ids = scene.deliver(&objects[..1]).await;
    let request = hold.next().await.expect("a request comes");
    scene.deliver(&objects[1..]).await;
    scene.counts("objectsReceived", 3).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(scene.trail.queue.depth().await, Depth { visible: 0, in_flight: 3 }, "nothing has settled");
    assert!(request.release());
    drop(hold);
    scene.has(&ids).await;
    scene.empty().await;
    stopped(agent).await;
    assert_eq!((scene.counted("recordsDelivered"), scene.counted("recordsDuplicate")), (2, 4));
    assert_eq!(scene.new_relic.store().counts("Log").rows, 2);
}
