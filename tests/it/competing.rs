//! Load: agents that compete on one queue, a death among them, and bounded memory.
//!
//! One after the other, so that each has the machine for itself. Times and memory are those of an unoptimised build beside other
//! tests. The bound on memory, 128 MiB, holds for it too; an image stays far below. README names the largest objects: keep it so.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use cspm_relay::lab::backend::Retain;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::StreamExt as _;
use serde_json::json;

use crate::support::agent::Agent;
use crate::support::aws::{Aws, QueueSettings, Trail, emulator};
use crate::support::data::{self, TrailObject, iso};
use crate::support::proxy::{Call, Proxy, Side};
use crate::support::replay::{fixtures, records};
use crate::support::scene::{Scene, ids, new_relic, objects, recently, stopped};
use crate::support::within;

/// Most memory an agent may take, KiB.
const PEAK_KIB: u64 = (128 << 10) + if cfg!(debug_assertions) { CODE_KIB } else { 0 };

/// What an unoptimised binary has more of its own file in memory: measured 50 MiB when idle, beside 11 MiB of its own making.
const CODE_KIB: u64 = 16 << 10;

const LONG: Duration = Duration::from_mins(2);

/// A scene that keeps ids and no rows.
async fn big_scene(aws: Aws, visibility: Duration) -> Scene {
    let mut scene = Scene::with(aws, QueueSettings { visibility, max_receive_count: 20 }).await;
    scene.new_relic = new_relic(Retain::Ids).await;
    scene
}

/// Lets one of these tests run at a time.
async fn turn() -> tokio::sync::MutexGuard<'static, ()> {
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    TURN.lock().await
}

/// An agent that spends no time on packing.
fn agent(scene: &Scene) -> Agent {
    quick(scene.agent())
}

fn quick(agent: Agent) -> Agent {
    agent.env("CSPM_RELAY_GZIP_LEVEL", "1")
}

/// An agent of its own way to AWS, which counts what it does.
async fn counted(scene: &Scene) -> (Agent, Proxy) {
    let way = Proxy::start(&scene.aws.endpoint).await;
    (quick(scene.agent_through(&way.url(), &scene.new_relic.url())), way)
}

/// A log without colours.
fn plain(log: &str) -> String {
    let mut parts = log.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.filter_map(|part| part.split_once('m').map(|(_, text)| text)).collect::<String>()
}

async fn deliver_at_once(trail: &Trail, objects: &[TrailObject]) -> BTreeSet<String> {
    futures_util::stream::iter(objects).for_each_concurrent(8, |object| trail.deliver(object)).await;
    ids(objects)
}

/// Two agents on one queue; one dies half-way, when it has deleted some messages and is about to delete others whose records
/// New Relic has: the other brings everything, those others under the same ids (X8).
#[tokio::test(flavor = "multi_thread")]
async fn two_agents_and_a_death() {
    let Some(aws) = emulator("ministack").await else { return };
    let _turn = turn().await;
    let scene = big_scene(aws, Duration::from_secs(6)).await;
    let ((one, way_of_one), (other, way_of_other)) = (counted(&scene).await, counted(&scene).await);
    let mut last_delete = way_of_one.hold_after(2, Call::DeleteMessageBatch, Side::Request);
    let (one, other) = (one.start(), other.start());
    let objects = objects(1, 300, 67);
    let (before, after) = objects.split_at(200);
    let mut ids = deliver_at_once(&scene.trail, before).await;
    last_delete.held().await;
    within(LONG, "both work", async || {
        [&way_of_one, &way_of_other].iter().all(|way| way.answered(Call::DeleteMessageBatch) >= 2)
    })
    .await;
    drop(one.kill9());
    last_delete.cut();
    let (left, deleted) = (scene.left().await, way_of_other.answered(Call::DeleteMessageBatch));
    assert!((1..200).contains(&left), "half-way is neither the beginning nor the end: {left} messages left");
    assert!(way_of_one.answered(Call::DeleteMessageBatch) >= 2, "the dead one had deleted some");
    ids.append(&mut deliver_at_once(&scene.trail, after).await);
    assert_eq!(ids.len(), 20_100);
    scene.has_within(LONG, &ids).await;
    scene.empty_within(LONG).await;
    stopped(other).await;
    assert!(way_of_other.answered(Call::DeleteMessageBatch) > deleted, "the other one worked on");
    assert!(scene.new_relic.store().counts("Log").repeated > 0, "what the dead one had sent and not deleted came again");
    assert_eq!(scene.letters(), Vec::<serde_json::Value>::new());
    let events = scene.new_relic.store().counts("AwsSecurityEvent");
    assert_eq!(events.distinct_ids, 300, "one alarming record in each object");
    scene.no_violations();
}

/// The ids of the records in these objects that alarm.
fn alarms(objects: &[TrailObject]) -> BTreeSet<String> {
    let alarming: BTreeSet<String> =
        (0..u64::from(u32::MAX)).step_by(100).map(|hundred| data::id(hundred + 50)).take(100_000).collect();
    ids(objects).intersection(&alarming).cloned().collect()
}

/// 100,000 records with the shipped settings: every one counted, the 1,000 that alarm sent once, memory bounded (P10, P18).
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_records() {
    let Some(aws) = emulator("ministack").await else { return };
    let _turn = turn().await;
    let scene = big_scene(aws, Duration::from_mins(5)).await;
    let agent = agent(&scene).env("CSPM_RELAY_LOGS_RECORDS", "matched").start();
    let objects = objects(1, 250, 400);
    assert_eq!(deliver_at_once(&scene.trail, &objects).await.len(), 100_000);
    let alarms = alarms(&objects);
    assert_eq!(alarms.len(), 1_000);
    scene.has_within(LONG, &alarms).await;
    scene.empty_within(LONG).await;
    let peak = agent.peak_kib();
    let ended = stopped(agent).await;
    let logs = scene.new_relic.store().counts("Log");
    assert_eq!((logs.rows, logs.repeated), (1_000, 0));
    assert_eq!(scene.new_relic.store().counts("AwsSecurityEvent").distinct_ids, 1_000);
    let log = plain(&ended.stderr);
    assert!(log.contains("received=100000 delivered=1000 ignored=99000 suppressed=0 duplicate=0"), "{log}");
    assert!(peak < PEAK_KIB, "{peak} KiB");
    eprintln!("100,000 records: {} MiB at most", peak >> 10);
    scene.no_violations();
}

/// One object of 50 MB packed, the most that `CloudTrail` writes: read to its end within bounded memory (P18).
#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_fifty_megabytes() {
    let Some(aws) = emulator("ministack").await else { return };
    let _turn = turn().await;
    let scene = big_scene(aws, Duration::from_mins(5)).await;
    let time = recently();
    let noise: String = std::iter::repeat_with(fastrand::alphanumeric).take(1 << 20).collect();
    let mut packer = GzEncoder::new(Vec::new(), Compression::none());
    packer.write_all(br#"{"Records":["#).expect("memory");
    let records = 3_000;
    for number in 0..records {
        let mut record = if number % 10 == 5 { data::alarming(number, time) } else { data::quiet(number, time) };
        let from = usize::try_from(number).expect("small") * 331 % (noise.len() - 16_200);
        record["additionalEventData"] = json!({ "noise": noise.get(from..from + 16_000).expect("letters and digits") });
        let comma = if number == 0 { "" } else { "," };
        packer.write_all(format!("{comma}{record}").as_bytes()).expect("memory");
    }
    packer.write_all(b"]}").expect("memory");
    let body = packer.finish().expect("memory");
    assert!((50_000_000..64_000_000).contains(&body.len()), "{} bytes", body.len());
    scene.trail.put("big.json.gz", body).await;
    let agent = agent(&scene).env("CSPM_RELAY_LOGS_RECORDS", "matched").start();
    scene.has_within(LONG, &(0..records).filter(|number| number % 10 == 5).map(data::id).collect()).await;
    scene.empty_within(LONG).await;
    let peak = agent.peak_kib();
    stopped(agent).await;
    assert!(peak < PEAK_KIB, "{peak} KiB");
    eprintln!("an object of 50 MB: {} MiB at most", peak >> 10);
    assert_eq!((scene.letters().len(), scene.new_relic.store().counts("Log").repeated), (0, 0));
    scene.no_violations();
}

/// The same of real records, packed as tightly as a trail packs them: nine times as much comes out, every record of it arrives,
/// and memory stays as bounded (P18).
#[tokio::test(flavor = "multi_thread")]
async fn a_tightly_packed_object_of_real_records() {
    let Some(aws) = emulator("ministack").await else { return };
    let _turn = turn().await;
    let scene = big_scene(aws, Duration::from_mins(5)).await;
    // Stands for the id.
    let (hole, time) = ("@id@", iso(recently()));
    let real = records(&fixtures()).into_iter().map(|mut record| {
        (record["eventID"], record["eventTime"]) = (json!(hole), json!(time));
        record.to_string()
    });
    let real: Vec<_> = real.collect();
    let ids: Vec<_> = (0..62_000).map(data::id).collect();
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(br#"{"Records":["#).expect("memory");
    let mut unpacked = 0;
    for (at, (id, template)) in ids.iter().zip(real.iter().cycle()).enumerate() {
        let record = format!("{}{}", if at == 0 { "" } else { "," }, template.replace(hole, id));
        packer.write_all(record.as_bytes()).expect("memory");
        unpacked += record.len();
    }
    packer.write_all(b"]}").expect("memory");
    let body = packer.finish().expect("memory");
    assert!(unpacked > 80_000_000 && unpacked > 9 * body.len(), "{} bytes unpack to {unpacked}", body.len());
    scene.trail.put("real.json.gz", body).await;
    let agent = agent(&scene).start();
    scene.has_within(LONG, &ids.into_iter().collect()).await;
    scene.empty_within(LONG).await;
    let peak = agent.peak_kib();
    stopped(agent).await;
    assert!(peak < PEAK_KIB, "{peak} KiB");
    eprintln!("an object that unpacks to {} MB: {} MiB at most", unpacked / 1_000_000, peak >> 10);
    assert_eq!((scene.letters().len(), scene.new_relic.store().counts("Log").repeated), (0, 0));
    scene.no_violations();
}
