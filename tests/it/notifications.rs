//! Every way in which a bucket tells a queue, and what is no notification at all.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::aws::{Depth, emulator, emulators};
use crate::support::data::{self, ACCOUNT, REGION, TrailObject};
use crate::support::eventually;
use crate::support::scene::{Scene, ids, objects, recently, stopped};

/// A key with everything that an encoding can break.
fn odd(object: &TrailObject) -> TrailObject {
    let key = object.key.replace("_CloudTrail_", "_Cloud Trail+%41 日本&=_");
    TrailObject { key, ..object.clone() }
}

/// A record of S3's notification; S3 form-encodes the key.
fn s3_record(bucket: &str, key: &str, version: Option<&str>) -> Value {
    let encoded: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
    json!({
        "eventVersion": "2.5", "eventSource": "aws:s3", "awsRegion": REGION, "eventTime": "2026-11-21T20:20:05.118Z",
        "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": bucket }, "object": { "key": encoded, "size": 2211, "versionId": version } },
    })
}

fn sns(message: &str) -> String {
    json!({ "Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:us-east-1:111122223333:trail", "Message": message })
        .to_string()
}

fn test_event(bucket: &str) -> String {
    json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-21T20:00:00.000Z", "Bucket": bucket }).to_string()
}

/// Forms A to F as the emulators make them, with keys that would break if they were decoded once too often or too rarely.
#[tokio::test]
async fn every_path_from_a_bucket_leads_to_its_records() {
    for aws in emulators().await {
        let name = aws.name;
        let scene = Scene::new(aws.clone()).await;
        let queue = &scene.trail.queue;
        let objects: Vec<_> = objects(1, 7, 3).iter().map(odd).collect();
        let put = async |bucket: &str, object: &TrailObject| {
            let put = aws.s3.put_object().bucket(bucket).key(&object.key).body(object.body.clone().into());
            put.send().await.expect("putting an object");
        };
        let (wrapped, raw) = (aws.topic(queue, false).await, aws.topic(queue, true).await);
        // A: S3 -> SQS. B: S3 -> SNS -> SQS. C: the same, raw.
        put(&scene.trail.bucket, &objects[0]).await;
        put(&aws.bucket_to_topic(&wrapped).await, &objects[1]).await;
        put(&aws.bucket_to_topic(&raw).await, &objects[2]).await;
        // F: S3 -> EventBridge -> SQS.
        put(&aws.bucket_to_bus(queue).await, &objects[3]).await;
        // D, E: CloudTrail's own topic, wrapped with two keys and raw with one. This bucket tells nobody.
        let silent = crate::support::aws::random_name("silent");
        aws.s3.create_bucket().bucket(&silent).send().await.expect("creating a bucket");
        for object in &objects[4..] {
            put(&silent, object).await;
        }
        let own = |objects: &[TrailObject]| {
            let keys: Vec<_> = objects.iter().map(|object| object.key.clone()).collect();
            json!({ "s3Bucket": silent, "s3ObjectKey": keys }).to_string()
        };
        aws.publish(&wrapped, &own(&objects[4..6])).await;
        aws.publish(&raw, &own(&objects[6..])).await;

        let agent = scene.agent().start();
        scene.has(&ids(&objects)).await;
        scene.empty().await;
        stopped(agent).await;
        assert_eq!((scene.counted("recordsDelivered"), scene.counted("objectsReleased")), (21, 7), "{name}");
        assert_eq!((scene.letters(), scene.gaps().len()), (vec![], 0), "{name}");
        scene.no_violations();
    }
}

/// What may stand in one message: several records, keys, deletions, nothing (P04); and what nobody understands.
#[tokio::test]
async fn one_message_may_name_many_objects_or_none() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let (bucket, queue) = (scene.trail.bucket.as_str(), &scene.trail.queue);
    // Without the suffix the bucket tells nobody.
    let silent: Vec<_> = objects(1, 6, 2)
        .into_iter()
        .map(|object| TrailObject { key: object.key.replace(".json.gz", ".json"), ..object })
        .collect();
    scene.deliver(&silent).await;
    let named = |at: usize| s3_record(bucket, &silent[at].key, None);
    let mut removed = named(0);
    removed["eventName"] = json!("ObjectRemoved:Delete");
    let two_and_a_removal = json!({ "Records": [named(0), removed, named(1)] }).to_string();
    queue.send(&two_and_a_removal).await;
    queue.send(&sns(&sns(&json!({ "Records": [named(2), named(3)] }).to_string()))).await;
    queue.send(&sns(&json!({ "s3Bucket": bucket, "s3ObjectKey": [silent[4].key, silent[5].key] }).to_string())).await;
    queue.send(&json!({ "Records": [] }).to_string()).await;
    queue.send(&test_event(bucket)).await;
    queue.send(&sns(&test_event(bucket))).await;
    queue.send(&sns("CloudTrail validation message.")).await;
    let not_understood = ["hello", r#"{"a":1}"#, r#"{"Records":[{"#];
    for body in not_understood {
        queue.send(body).await;
    }

    let agent = scene.agent().start();
    scene.has(&ids(&silent)).await;
    scene.empty().await;
    stopped(agent).await;
    // The emulator's own test message, the three above and the one without records.
    assert_eq!(scene.counted("skipped"), 5);
    let letters = scene.letters();
    let contents: BTreeSet<_> = letters.iter().filter_map(|letter| letter["content"].as_str()).collect();
    assert_eq!(contents, BTreeSet::from(not_understood), "{letters:?}");
    scene.no_violations();
}

/// What is meant for another reader is never deleted (X7, form H): it stays, and the log says why.
#[tokio::test]
async fn what_is_not_meant_for_this_reader_stays() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let queue = &scene.trail.queue;
    let mine = objects(1, 1, 2);
    let config = |kind: &str| sns(&json!({ "messageType": kind, "s3Bucket": "b", "s3ObjectKey": "k" }).to_string());
    let foreign = [
        (json!({ "Records": [s3_record("another-bucket", &mine[0].key, None)] }).to_string(), "names bucket another-bucket"),
        (config("ConfigurationHistoryDeliveryCompleted"), "AWS Config's ConfigurationHistoryDeliveryCompleted message"),
        (config("ConfigurationSnapshotDeliveryCompleted"), "AWS Config's ConfigurationSnapshotDeliveryCompleted message"),
        (
            json!({ "source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": {} }).to_string(),
            "GuardDuty Finding from aws.guardduty",
        ),
        (json!({ "Type": "SubscriptionConfirmation", "Message": "You have chosen" }).to_string(), "waits for its confirmation"),
    ];
    for (body, _) in &foreign {
        queue.send(body).await;
    }
    let yaml = format!(
        "version: 1\nsources:\n  - kind: trailBucket\n    queueUrl: {}\n    buckets: [{}]\n",
        queue.url, scene.trail.bucket
    );
    let mut agent = scene.agent().config(&yaml).start();
    for (_, why) in &foreign {
        agent.says(why).await;
    }
    // It does not hold up the others.
    let ids = scene.deliver(&mine).await;
    scene.has(&ids).await;
    eventually("only the foreign ones are left", async || scene.left().await == foreign.len() as u64).await;
    stopped(agent).await;
    assert_eq!(scene.left().await, foreign.len() as u64);
    assert_eq!((queue.dead_letters().await, scene.letters()), (Depth::EMPTY, vec![]));
    assert_eq!(scene.counted("objectsReceived"), 1);
}

/// A notification that names a version reads that version, even behind a delete marker; one without finds nothing (P05).
#[tokio::test]
async fn a_version_outlives_its_delete_marker() {
    for aws in emulators().await {
        let name = aws.name;
        let scene = Scene::new(aws.clone()).await;
        let (bucket, s3, queue) = (scene.trail.bucket.as_str(), &aws.s3, &scene.trail.queue);
        let on = aws_sdk_s3::types::VersioningConfiguration::builder().status(aws_sdk_s3::types::BucketVersioningStatus::Enabled);
        s3.put_bucket_versioning().bucket(bucket).versioning_configuration(on.build()).send().await.expect("versioning");
        let time = recently();
        let (kept, gone) = (data::object(1, time, &data::mixed(0, 2, time)), "AWSLogs/gone.json".to_owned());
        let key = kept.key.replace(".json.gz", ".json");
        let put =
            s3.put_object().bucket(bucket).key(&key).body(kept.body.clone().into()).send().await.expect("putting an object");
        scene.trail.put(&gone, kept.body.clone()).await;
        for key in [&key, &gone] {
            scene.trail.delete(key).await;
        }
        queue.send(&json!({ "Records": [s3_record(bucket, &key, put.version_id())] }).to_string()).await;
        queue.send(&json!({ "Records": [s3_record(bucket, &gone, None)] }).to_string()).await;
        let agent = scene.agent().start();
        scene.has(&kept.ids).await;
        scene.empty().await;
        stopped(agent).await;
        let gaps: Vec<_> = scene.gaps().into_iter().collect();
        assert_eq!(gaps, [(format!("s3://{bucket}/{gone}"), ("gone".to_owned(), 0))], "{name}");
        let rows = scene.new_relic.store().rows("CspmRelayGap");
        assert_eq!(rows[0]["aws.accountId"], "unknown", "{name}: no account in {gone}");
        assert!(key.contains(ACCOUNT));
    }
}
