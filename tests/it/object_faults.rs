//! Objects that cannot be read, or not to their end (design: delivery contract, objects).

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::json;

use crate::support::aws::{Depth, QueueSettings, emulator, emulators};
use crate::support::data::{self, gzip};
use crate::support::eventually;
use crate::support::proxy::{Call, Proxy};
use crate::support::scene::{Scene, objects, recently, stopped};

const EMPTY: &str = "111122223333_CloudTrail_eu-west-1_20261121T0000Z_empty.json.gz";
const GARBLED: &str = "111122223333_CloudTrail_eu-west-1_20261121T0000Z_garbled.json.gz";
const DENIED: &str = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";

fn plain_file(first: u64, count: u64) -> String {
    let time = recently();
    json!({ "Records": data::mixed(first, count, time) }).to_string()
}

/// Cut off or corrupt after N good records: the N are delivered, the rest is a dead letter and a gap. Deleted before it could
/// be read: released, and a gap (P05, X3).
#[tokio::test]
async fn an_object_that_ends_early_gives_what_it_has() {
    for aws in emulators().await {
        let name = aws.name;
        let scene = Scene::new(aws).await;
        let bucket = &scene.trail.bucket;
        let text = plain_file(0, 10);
        let cut_at = text.find(&data::id(7)).expect("the eighth record");
        let mut spoiled = gzip(plain_file(100, 3).as_bytes());
        let checksum = spoiled.len() - 8;
        spoiled[checksum] ^= 0xff;
        let mut torn = gzip(plain_file(200, 2_000).as_bytes());
        torn.truncate(torn.len() / 2);
        for (key, body) in [
            ("cut-text.json.gz", gzip(&text.as_bytes()[..cut_at])),
            ("bad-checksum.json.gz", spoiled),
            ("torn-gzip.json.gz", torn),
            ("gone.json.gz", gzip(plain_file(9_000, 1).as_bytes())),
            // Under a trail's name, what is empty or of no kind at all is corrupt; under another it is handed back.
            (EMPTY, Vec::new()),
            (GARBLED, b"####not packed\n".to_vec()),
        ] {
            scene.trail.put(key, body).await;
        }
        scene.trail.delete("gone.json.gz").await;
        let agent = scene.agent().start();
        scene.counts("objectsParked", 5).await;
        scene.counts("objectsReleased", 1).await;
        scene.empty().await;
        stopped(agent).await;

        let gaps = scene.gaps();
        let of =
            |key: &str| gaps.get(&format!("s3://{bucket}/{key}")).cloned().unwrap_or_else(|| panic!("{name}: {key} in {gaps:?}"));
        assert_eq!(gaps.len(), 6, "{name}: {gaps:?}");
        assert_eq!(of("cut-text.json.gz"), ("corrupt".to_owned(), 7), "{name}");
        assert_eq!(of("bad-checksum.json.gz"), ("corrupt".to_owned(), 3), "{name}");
        assert_eq!(of("gone.json.gz"), ("gone".to_owned(), 0), "{name}");
        assert_eq!(of(EMPTY), ("corrupt".to_owned(), 0), "{name}");
        assert_eq!(of(GARBLED), ("corrupt".to_owned(), 0), "{name}");
        let (kind, read) = of("torn-gzip.json.gz");
        assert!(kind == "corrupt" && (500..1_999).contains(&read), "{name}: {kind} after {read} of 2,000");
        let read = u64::try_from(read).expect("a count");
        let ids: BTreeSet<String> = (0..7).chain(100..103).chain(200..200 + read).map(data::id).collect();
        assert_eq!(scene.arrived(), ids, "{name}");
        let letters = scene.letters();
        let letters: Vec<_> = letters.iter().map(|letter| (letter["kind"].as_str(), letter["index"].as_u64())).collect();
        assert_eq!(letters.len(), 5, "{name}: {letters:?}");
        for index in [7, 3, read] {
            assert!(letters.contains(&(Some("object"), Some(index))), "{name}: {index} in {letters:?}");
        }
        scene.no_violations();
    }
}

/// Over a limit, packed or unpacked: dead letter and gap, and what came before the limit is delivered.
#[tokio::test]
async fn an_object_over_a_limit_is_parked() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let noise: String = std::iter::repeat_with(fastrand::alphanumeric).take(900_000).collect();
    scene.trail.put("bomb.json.gz", gzip(plain_file(0, 2_000).as_bytes())).await;
    scene.trail.put("big.json.gz", gzip(json!({ "Records": [{ "noise": noise }] }).to_string().as_bytes())).await;
    let agent = scene.agent().env("CSPM_RELAY_INFLATED_BYTES", "1MiB").env("CSPM_RELAY_OBJECT_BYTES", "600kB").start();
    scene.counts("objectsParked", 2).await;
    scene.empty().await;
    let log = stopped(agent).await.stderr;
    let gaps: Vec<_> = scene.gaps().into_values().collect();
    let [(too_large, 0), (unpacks, read)] = &gaps[..] else { panic!("{gaps:?}\n{log}") };
    assert_eq!((too_large.as_str(), unpacks.as_str()), ("tooLarge", "unpacksTooLarge"));
    let bytes = plain_file(0, 2_000).len() as u64;
    let read = u64::try_from(*read).expect("a count");
    let expected = (1 << 20) * 2_000 / bytes;
    // The buffer that goes over the limit is not looked into.
    assert!((expected - 100..=expected).contains(&read), "{read} records of {bytes} bytes in 1 MiB, {expected} expected");
    assert_eq!(scene.arrived(), (0..read).map(data::id).collect::<BTreeSet<_>>());
    assert_eq!(scene.letters().len(), 2);
}

/// Denied: back to the queue, the missing permission in the log, its neighbours delivered; mended, it comes (P31).
#[tokio::test]
async fn a_denied_object_goes_back_and_says_what_is_missing() {
    for aws in emulators().await {
        let name = aws.name;
        let scene = Scene::new(aws).await;
        let objects = objects(1, 3, 2);
        let denied = &objects[1];
        let proxy = Proxy::start(&scene.aws.endpoint).await;
        proxy.refuse(Call::GetObject, "0000000000000002", StatusCode::FORBIDDEN, DENIED);
        let all = scene.deliver(&objects).await;
        let mut agent = scene.agent_through(&proxy.url(), &scene.new_relic.url()).start();
        scene.has(&all.difference(&denied.ids).cloned().collect()).await;
        agent.says("s3:GetObject on the object and kms:Decrypt on its key").await;
        eventually("the denied one is left", async || scene.left().await == 1).await;
        let log = stopped(agent).await.stderr;
        // The folder, which a policy names; not the one key of many.
        let folder = denied.key.split_once("/2").map_or("", |(folder, _)| folder);
        assert!(log.contains("AccessDenied") && log.contains(&format!("{}/{folder}/", scene.trail.bucket)), "{name}: {log}");
        assert_eq!((scene.left().await, scene.letters(), scene.gaps().len()), (1, vec![], 0), "{name}");
        assert_eq!(scene.trail.queue.dead_letters().await, Depth::EMPTY, "{name}");
    }
}

/// One object of a message is denied: the others of it are delivered, and the message stays (P03).
#[tokio::test]
async fn a_message_goes_only_when_all_its_objects_have() {
    let Some(aws) = emulator("ministack").await else { return };
    let settings = QueueSettings { max_receive_count: 1_000, ..QueueSettings::default() };
    let scene = Scene::with(aws, settings).await;
    let mut objects = objects(1, 3, 2);
    for object in &mut objects {
        object.key = object.key.replace(".json.gz", ".json");
    }
    let all = scene.deliver(&objects).await;
    let proxy = Proxy::start(&scene.aws.endpoint).await;
    proxy.refuse(Call::GetObject, "0000000000000002", StatusCode::FORBIDDEN, DENIED);
    let keys: Vec<_> = objects.iter().map(|object| &object.key).collect();
    scene.trail.queue.send(&json!({ "s3Bucket": scene.trail.bucket, "s3ObjectKey": keys }).to_string()).await;
    let agent = scene.agent_through(&proxy.url(), &scene.new_relic.url()).start();
    scene.has(&all.difference(&objects[1].ids).cloned().collect()).await;
    stopped(agent).await;
    assert_eq!(scene.left().await, 1);
    // Somebody mends the policy. The message hides for half a minute at most; a tester need not wait for it.
    proxy.allow();
    scene.trail.queue.send(&json!({ "s3Bucket": scene.trail.bucket, "s3ObjectKey": [objects[1].key] }).to_string()).await;
    let agent = scene.agent_through(&proxy.url(), &scene.new_relic.url()).start();
    scene.has(&all).await;
    stopped(agent).await;
}

/// A poison record costs itself only: its neighbours are delivered, it is parked with its place and why (P22).
#[tokio::test]
async fn a_poison_record_among_good_ones() {
    for aws in emulators().await {
        let name = aws.name;
        let scene = Scene::new(aws).await;
        let time = recently();
        let good = |number| data::quiet(number, time).to_string();
        let no_time = r#"{"eventVersion":"1.08","eventID":"x","eventSource":"ec2.amazonaws.com","eventName":"Y"}"#;
        let records = ["42".to_owned(), good(0), good(2), no_time.to_owned(), good(4), r#""text""#.to_owned(), good(6)];
        scene.trail.put("poison.json.gz", gzip(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes())).await;
        let agent = scene.agent().start();
        scene.has(&[0, 2, 4, 6].map(data::id).into()).await;
        scene.empty().await;
        stopped(agent).await;
        let letters = scene.letters();
        let places: Vec<_> = letters.iter().map(|letter| (letter["index"].as_u64(), letter["content"].as_str())).collect();
        assert_eq!(places, [(Some(0), Some("42")), (Some(3), Some(no_time)), (Some(5), Some(r#""text""#))], "{name}");
        for letter in &letters {
            assert_eq!(letter["origin"], format!("s3://{}/poison.json.gz", scene.trail.bucket), "{name}");
            assert!(letter["reason"].as_str().is_some_and(|reason| reason.len() > 10), "{name}: {letter}");
        }
        assert_eq!((scene.counted("recordsDelivered"), scene.counted("recordsUnreadable")), (4, 3), "{name}");
    }
}

/// Without a place for dead letters nothing is let go: a broken object stays in its queue (P21).
#[tokio::test]
async fn without_dead_letters_a_broken_object_stays() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let text = plain_file(0, 3);
    scene.trail.put("cut.json.gz", gzip(&text.as_bytes()[..text.len() - 10])).await;
    let yaml = format!("version: 1\nsources:\n  - kind: trailBucket\n    queueUrl: {}\n", scene.trail.queue.url);
    let mut agent = scene.agent().env("CSPM_RELAY_DEAD_LETTERS", "").config(&yaml).start();
    scene.counts("objectsReturned", 1).await;
    agent.says("No deadLetters target").await;
    stopped(agent).await;
    assert_eq!((scene.left().await, scene.arrived().len()), (1, 2));
}
