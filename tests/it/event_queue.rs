//! `EventBridge` events on a queue of their own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::agent::Agent;
use crate::support::aws::{Depth, emulator, emulators};
use crate::support::data::{self, ACCOUNT, REGION};
use crate::support::eventually;
use crate::support::scene::{Scene, recently, stopped};

fn envelope(source: &str, kind: &str, detail: &Value) -> String {
    json!({
        "version": "0", "id": "00000000-0000-4000-8000-00000000000c", "detail-type": kind, "source": source,
        "account": ACCOUNT, "time": "2026-11-21T20:21:00Z", "region": REGION, "resources": [], "detail": detail,
    })
    .to_string()
}

/// The detail types that carry a trail record, and two that do not.
async fn send_all(scene: &Scene) -> (BTreeSet<String>, Vec<String>) {
    let time = recently();
    let trail = [
        ("aws.ec2", "AWS API Call via CloudTrail", data::quiet(1, time)),
        ("aws.cloudtrail", "AWS API Call via CloudTrail", data::alarming(2, time)),
        ("aws.signin", "AWS Console Sign In via CloudTrail", data::quiet(3, time)),
        ("aws.kms", "AWS Service Event via CloudTrail", data::quiet(4, time)),
    ];
    let others = vec![
        envelope("aws.inspector2", "Inspector2 Scan", &json!({ "scan-status": "x" })),
        envelope("aws.config", "Config Rules Compliance Change", &json!({ "configRuleName": "x" })),
        json!({ "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": "2026-11-21T20:20:05.118Z" })
            .to_string(),
        "no event at all".to_owned(),
        // X3: cut, as a hand or an input transformer may leave it.
        r#"{"detail-type":"AWS API Call via CloudTrail","detail":{"eventID":"#.to_owned(),
        "{not JSON".to_owned(),
    ];
    for (source, kind, record) in &trail {
        scene.trail.queue.send(&envelope(source, kind, record)).await;
    }
    for body in &others {
        scene.trail.queue.send(body).await;
    }
    ((1..=4).map(data::id).collect(), others)
}

/// The three detail types of `CloudTrail` become events; everything else is counted and parked with its body.
#[tokio::test]
async fn trail_records_are_delivered_and_other_events_parked() {
    for aws in emulators().await {
        let name = aws.name;
        let scene = Scene::new(aws).await;
        let (ids, others) = send_all(&scene).await;
        let agent = scene.event_agent().start();
        scene.has(&ids).await;
        scene.empty().await;
        stopped(agent).await;
        let letters = scene.letters();
        let contents: BTreeSet<_> = letters.iter().filter_map(|letter| letter["content"].as_str()).collect();
        for other in &others {
            assert!(contents.contains(other.as_str()), "{name}: {other} in {letters:?}");
        }
        let reasons: Vec<_> = letters.iter().filter_map(|letter| letter["reason"].as_str()).collect();
        assert!(reasons.iter().any(|reason| reason.contains("\"Inspector2 Scan\" from aws.inspector2")), "{name}: {reasons:?}");
        assert_eq!(scene.counted("recordsDelivered"), 4, "{name}");
        let ended = scene.counted("recordsUnreadable") + scene.counted("objectsParked");
        assert_eq!(ended, letters.len().try_into().unwrap_or(-1), "{name}");
        // The emulator's S3 test message, which is nothing here, is one more.
        assert!((others.len()..=others.len() + 1).contains(&letters.len()), "{name}: {letters:?}");
        let alarms = scene.new_relic.store().ids("AwsSecurityEvent");
        assert_eq!(alarms.keys().collect::<Vec<_>>(), [&data::id(2)], "{name}");
    }
}

/// Without a place for dead letters they stay in the queue.
#[tokio::test]
async fn without_dead_letters_other_events_stay() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    for message in scene.trail.queue.receive().await {
        scene.trail.queue.delete(&message).await;
    }
    let (ids, others) = send_all(&scene).await;
    let agent = Agent::new(["run"])
        .aws(&scene.aws.endpoint)
        .new_relic(&scene.new_relic.url())
        .env("CSPM_RELAY_EVENT_QUEUE_URL", &scene.trail.queue.url)
        .env("CSPM_RELAY_LOGS_RECORDS", "all")
        .env("CSPM_RELAY_HEARTBEAT", "1s")
        .start();
    scene.has(&ids).await;
    eventually("the others are left", async || scene.left().await == others.len() as u64).await;
    stopped(agent).await;
    assert_eq!((scene.left().await, scene.letters()), (others.len() as u64, vec![]));
    assert_eq!(scene.trail.queue.dead_letters().await, Depth::EMPTY);
}
