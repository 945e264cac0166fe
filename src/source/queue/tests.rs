//! Leases against a queue that behaves, in paused time.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::*;
use crate::ack::Verdict;
use crate::clock::Clock;
use crate::config::Limits;
use crate::source::bucket::ReadError;
use crate::source::event_queue::EventQueue;
use crate::source::memory::{MemoryBucket, MemoryQueue, Pipeline, Stored, pipeline};
use crate::source::trail_bucket::TrailBucket;
use crate::source::trouble::Trouble;
use crate::source::{Body, Fault, Object, Phase, Source as _, SourceError, budget_kib};

const VISIBILITY: Duration = Duration::from_mins(1);

type Running = JoinHandle<Result<(), SourceError>>;

fn bodies(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|at| format!("{{\"n\":{at}}}"))
}

fn events(queue: &Arc<MemoryQueue>, ahead: usize) -> (Running, Pipeline) {
    events_within(queue, &Limits::default(), ahead)
}

fn events_within(queue: &Arc<MemoryQueue>, limits: &Limits, ahead: usize) -> (Running, Pipeline) {
    let (intake, pipeline) = pipeline(ahead, limits);
    let source = EventQueue::new(Arc::<MemoryQueue>::clone(queue), Arc::<MemoryBucket>::default(), limits, Clock::fixed(5_000));
    (tokio::spawn(source.run(intake)), pipeline)
}

fn trail(
    queue: &Arc<MemoryQueue>,
    bucket: &Arc<MemoryBucket>,
    limits: &Limits,
    ahead: usize,
) -> (Running, Pipeline, Arc<Trouble>) {
    let (intake, pipeline) = pipeline(ahead, limits);
    let (queue, bucket) = (Arc::<MemoryQueue>::clone(queue), Arc::<MemoryBucket>::clone(bucket));
    let source = TrailBucket::new(queue, bucket, vec!["b".to_owned()], limits, Clock::fixed(5_000));
    let trouble = source.trouble();
    (tokio::spawn(source.run(intake)), pipeline, trouble)
}

/// A notification in `CloudTrail`'s own form.
fn names(keys: &[&str]) -> String {
    serde_json::json!({"s3Bucket": "b", "s3ObjectKey": keys}).to_string()
}

fn good() -> Stored {
    Stored::Bytes(Bytes::from_static(b"good"))
}

async fn stop(running: Running, pipeline: &Pipeline, phase: Phase) {
    pipeline.phase.send(phase).unwrap();
    running.await.unwrap().unwrap();
}

/// P01: work takes three times the timeout and more, nothing is delivered twice.
#[tokio::test(start_paused = true)]
async fn leases_are_renewed_for_as_long_as_the_work_takes() {
    for visibility in [1, 2, 30, 60, 600].map(Duration::from_secs) {
        let queue = MemoryQueue::new(visibility, bodies(25));
        let (running, mut pipeline) = events(&queue, 100);
        let mut objects = Vec::new();
        for _ in 0..25 {
            objects.push(pipeline.objects.recv().await.unwrap());
        }
        sleep(visibility * 3 + Duration::from_secs(200)).await;
        assert_eq!(queue.visible(), Vec::<String>::new(), "{visibility:?}");
        for object in objects {
            pipeline.tell(object.number, Verdict::Released).await;
        }
        sleep(Duration::from_secs(1)).await;
        assert_eq!(queue.left(), 0);
        stop(running, &pipeline, Phase::Draining).await;
        let seen = queue.seen.lock().unwrap();
        assert_eq!((seen.redeliveries, seen.deleted.len()), (0, 25), "{visibility:?}");
        assert!(seen.change_batches.iter().all(|size| (1..=BATCH).contains(size)));
        let full = seen.change_batches.len();
        let by_half_time = (visibility * 3 + Duration::from_secs(200)).as_secs() / 15 * 3 + 10;
        assert!(full as u64 <= by_half_time, "{full} renewals at {visibility:?}");
    }
}

/// The lease lives through failing renewals and a refused poll.
#[tokio::test(start_paused = true)]
async fn renewals_that_fail_are_tried_again_in_time() {
    let queue = MemoryQueue::new(VISIBILITY, bodies(1));
    let passing = QueueError::Passing { why: "malformed answer: HTML".to_owned() };
    queue.faults.lock().unwrap().change.extend([passing.clone(), passing.clone(), passing.clone()]);
    queue.faults.lock().unwrap().receive.extend([passing.clone(), passing.clone()]);
    queue.faults.lock().unwrap().attributes.extend([passing]);
    let (running, mut pipeline) = events(&queue, 10);
    let object = pipeline.objects.recv().await.unwrap();
    sleep(VISIBILITY * 5).await;
    pipeline.tell(object.number, Verdict::Parked).await;
    stop(running, &pipeline, Phase::Draining).await;
    let seen = queue.seen.lock().unwrap();
    assert_eq!((seen.redeliveries, seen.deleted.as_slice()), (0, ["m0".to_owned()].as_slice()));
}

/// SQS ends every lease 12 hours after the receive; the message then comes again and is not worked on twice.
#[tokio::test(start_paused = true)]
async fn a_lease_beyond_twelve_hours_is_taken_up_again() {
    let queue = MemoryQueue::new(Duration::from_mins(10), bodies(1));
    let (running, mut pipeline) = events(&queue, 10);
    let object = pipeline.objects.recv().await.unwrap();
    sleep(Duration::from_hours(25)).await;
    assert!(pipeline.objects.try_recv().is_err(), "the copy joins the one that is open");
    assert_eq!(pipeline.counts.snapshot().redelivered, 2);
    pipeline.tell(object.number, Verdict::Released).await;
    stop(running, &pipeline, Phase::Draining).await;
    assert_eq!(queue.left(), 0, "deleted with the newest handle");
}

/// A request hangs, the lease runs out meanwhile and the message is received anew; then both requests fail. Two entries of one
/// message would have SQS refuse the whole batch, for ever, and its neighbours with it.
#[tokio::test(start_paused = true)]
async fn a_message_received_anew_while_its_end_is_under_way_is_in_no_batch_twice() {
    // Unlike any time that a message stays away.
    const VISIBILITY: Duration = Duration::from_secs(50);
    for verdict in [Verdict::Released, Verdict::Returned] {
        let queue = MemoryQueue::new(VISIBILITY, bodies(2));
        let (running, mut pipeline) = events(&queue, 10);
        let (first, second) = (pipeline.objects.recv().await.unwrap(), pipeline.objects.recv().await.unwrap());
        {
            let mut faults = queue.faults.lock().unwrap();
            let hang = || [51_000, 1_100].map(Duration::from_millis).into();
            (faults.slow_deletes, faults.slow_backs, faults.renewals_fail) = (hang(), hang(), true);
            let lost = || QueueError::Passing { why: "connection reset".to_owned() };
            (faults.delete, faults.change) = ([lost(), lost()].into(), [lost(), lost()].into());
        }
        pipeline.tell(first.number, verdict).await;
        sleep(Duration::from_millis(51_200)).await;
        queue.faults.lock().unwrap().renewals_fail = false;
        pipeline.tell(second.number, verdict).await;
        sleep(Duration::from_secs(20)).await;
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<HashSet<_>>();
        let seen = std::mem::take(&mut *queue.seen.lock().unwrap());
        let ended: HashSet<String> = match verdict {
            Verdict::Returned => seen.changes.iter().filter(|(_, by)| *by != VISIBILITY).map(|(id, _)| id.clone()).collect(),
            _ => seen.deleted.into_iter().collect(),
        };
        assert_eq!(ended, ids(&["m0", "m1"]), "{verdict:?}");
        assert_eq!(seen.repeated, 0, "{verdict:?}");
        stop(running, &pipeline, Phase::Returning).await;
    }
}

/// P25, X8: what has not ended is visible at once; what has, is deleted.
#[tokio::test(start_paused = true)]
async fn a_stop_hands_back_at_once() {
    let queue = MemoryQueue::new(VISIBILITY, bodies(40));
    let (running, mut pipeline) = events(&queue, 5);
    let first = pipeline.objects.recv().await.unwrap();
    sleep(Duration::from_secs(50)).await;
    pipeline.tell(first.number, Verdict::Released).await;
    let since = Instant::now();
    stop(running, &pipeline, Phase::Returning).await;
    assert!(since.elapsed() < Duration::from_millis(500), "{:?}", since.elapsed());
    assert_eq!(queue.visible().len(), 39);
    assert_eq!(queue.left(), 39);
}

/// A renewal that is under way must not undo a hand-back that overtakes it.
#[tokio::test(start_paused = true)]
async fn a_hand_back_waits_for_a_renewal_under_way() {
    for (name, phase, last) in [("fault", Phase::Running, 30), ("stop", Phase::Returning, 0)] {
        for after_ms in (0..200).step_by(10) {
            let queue = MemoryQueue::new(VISIBILITY, bodies(1));
            let (running, mut pipeline) = events(&queue, 5);
            let object = pipeline.objects.recv().await.unwrap();
            let just_before = (VISIBILITY / 2).saturating_sub(Duration::from_millis(50));
            sleep(just_before + Duration::from_millis(after_ms)).await;
            if phase == Phase::Running {
                pipeline.tell(object.number, Verdict::Returned).await;
            } else {
                pipeline.phase.send(phase).unwrap();
            }
            sleep(Duration::from_secs(1)).await;
            let change = queue.seen.lock().unwrap().changes.last().map(|(_, by)| by.as_secs());
            assert_eq!(change, Some(last), "{name}, {after_ms} ms");
            drop(pipeline);
            running.await.unwrap().unwrap();
        }
    }
}

/// Draining: what was sent may settle, what was not goes back at once, nothing new is taken.
#[tokio::test(start_paused = true)]
async fn draining_waits_for_what_was_sent_only() {
    let queue = MemoryQueue::new(VISIBILITY, bodies(40));
    let (running, mut pipeline) = events(&queue, 1);
    let (first, second) = (pipeline.objects.recv().await.unwrap(), pipeline.objects.recv().await.unwrap());
    sleep(Duration::from_secs(1)).await;
    pipeline.phase.send(Phase::Draining).unwrap();
    sleep(Duration::from_secs(1)).await;
    let third = pipeline.objects.recv().await.unwrap();
    assert!(pipeline.objects.try_recv().is_err());
    assert_eq!(queue.visible().len(), 37);
    pipeline.tell(first.number, Verdict::Released).await;
    pipeline.tell(second.number, Verdict::Returned).await;
    sleep(VISIBILITY * 2).await;
    assert!(!running.is_finished(), "the third is open");
    pipeline.tell(third.number, Verdict::Released).await;
    running.await.unwrap().unwrap();
    assert_eq!((queue.left(), queue.visible().len()), (38, 38));
}

/// An idle source stops within a second or so, although its long poll has 20 s to go.
#[tokio::test(start_paused = true)]
async fn an_idle_source_stops_soon() {
    for phase in [Phase::Draining, Phase::Returning] {
        let queue = MemoryQueue::new(VISIBILITY, bodies(0));
        let (running, pipeline) = events(&queue, 1);
        sleep(Duration::from_secs(30)).await;
        let since = Instant::now();
        stop(running, &pipeline, phase).await;
        assert!(since.elapsed() <= Duration::from_millis(2_100), "{phase:?} took {:?}", since.elapsed());
    }
}

/// A receive under way is kept while the source is busy with everything else.
#[tokio::test(start_paused = true)]
async fn no_receive_is_broken_off_while_running() {
    let queue = MemoryQueue::new(VISIBILITY, bodies(300));
    let (running, mut pipeline) = events(&queue, 1);
    for number in 0..300 {
        let object = pipeline.objects.recv().await.unwrap();
        sleep(Duration::from_millis(number % 7)).await;
        pipeline.tell(object.number, if number % 10 == 0 { Verdict::Parked } else { Verdict::Released }).await;
    }
    sleep(Duration::from_secs(1)).await;
    {
        let seen = queue.seen.lock().unwrap();
        assert_eq!((seen.broken_off, seen.redeliveries, seen.deleted.len()), (0, 0, 300));
        let unique: HashSet<_> = seen.deleted.iter().collect();
        assert_eq!(unique.len(), 300);
    }
    stop(running, &pipeline, Phase::Draining).await;
}

/// Deletes travel ten at a time; refused ones are tried again, expired ones are done.
#[tokio::test(start_paused = true)]
async fn deletes_are_batched_and_partial_failures_tried_again() {
    let queue = MemoryQueue::new(VISIBILITY, bodies(35));
    {
        let mut faults = queue.faults.lock().unwrap();
        faults.delete.push_back(QueueError::Passing { why: "503".to_owned() });
        faults.refuse_deletes.extend([false, false, true]);
    }
    let (running, mut pipeline) = events(&queue, 100);
    for _ in 0..35 {
        let object = pipeline.objects.recv().await.unwrap();
        pipeline.tell(object.number, Verdict::Released).await;
    }
    sleep(Duration::from_secs(10)).await;
    {
        let seen = queue.seen.lock().unwrap();
        assert_eq!(seen.deleted.len(), 34, "all but the one whose handle had expired");
        assert!(seen.delete_batches.iter().all(|size| (1..=BATCH).contains(size)), "{:?}", seen.delete_batches);
        assert!(seen.delete_batches.len() <= 8, "{:?}", seen.delete_batches);
    }
    assert_eq!(queue.left(), 1);
    stop(running, &pipeline, Phase::Draining).await;
}

/// P22: a message that always fails goes away for longer each time, and the others pass it by.
#[tokio::test(start_paused = true)]
async fn a_poison_message_goes_away_for_longer_and_blocks_nobody() {
    let queue = MemoryQueue::new(VISIBILITY, bodies(50));
    let (running, mut pipeline) = events(&queue, 10);
    let until = Instant::now() + Duration::from_mins(40);
    let mut received = Vec::new();
    while let Ok(Some(object)) = tokio::time::timeout_at(until, pipeline.objects.recv()).await {
        let poison = object.origin.name == "memory/m7";
        received.push(object.origin.name);
        pipeline.tell(object.number, if poison { Verdict::Returned } else { Verdict::Released }).await;
    }
    assert_eq!(received.iter().filter(|name| *name != "memory/m7").count(), 49);
    let seen: Vec<_> = queue.seen.lock().unwrap().changes.iter().map(|(id, by)| (id.clone(), by.as_secs())).collect();
    assert_eq!(seen, [30, 60, 120, 240, 480, 900, 900].map(|away| ("m7".to_owned(), away)));
    stop(running, &pipeline, Phase::Draining).await;
}

/// P04, P05, P06, X5, X7: what becomes of a message, by what it names.
#[tokio::test(start_paused = true)]
async fn a_trail_message_ends_as_its_objects_do() {
    let digest = "AWSLogs/111122223333/CloudTrail-Digest/r/x.json.gz";
    let denied = ReadError::Denied { why: "AccessDenied".to_owned(), missing: "s3:GetObject" };
    let too_large = Stored::Fault(ReadError::TooLarge { bytes: 70_000_000 });
    let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#.to_owned();
    let foreign = r#"{"s3Bucket":"other","s3ObjectKey":["good"]}"#.to_owned();
    let config = r#"{"s3Bucket":"b","s3ObjectKey":"good","messageType":"ConfigurationHistoryDeliveryCompleted"}"#.to_owned();
    for (name, body, sent, deleted, skipped) in [
        ("good", names(&["good"]), vec!["s3://b/good Held"], true, 0),
        ("two", names(&["good", "AWSLogs/1/good2"]), vec!["s3://b/good Held", "s3://b/AWSLogs/1/good2 Held"], true, 0),
        ("gone", names(&["nowhere"]), vec!["s3://b/nowhere Gone"], true, 0),
        ("too large", names(&["large"]), vec!["s3://b/large TooLarge(70000000 bytes)"], true, 0),
        ("denied", names(&["denied"]), vec![], false, 0),
        ("denied beside good", names(&["denied", "good"]), vec!["s3://b/good Held"], false, 0),
        ("failing", names(&["failing"]), vec![], false, 0),
        ("flaky", names(&["flaky"]), vec!["s3://b/flaky Held"], true, 0),
        ("test", test, vec![], true, 1),
        ("digest", names(&[digest]), vec![], true, 1),
        ("digest beside good", names(&[digest, "good", "dir/"]), vec!["s3://b/good Held"], true, 2),
        ("foreign bucket", foreign, vec![], false, 0),
        ("AWS Config", config, vec![], false, 0),
        ("nonsense", "hello".to_owned(), vec!["memory/m0 NotUnderstood(no JSON object; 5 bytes)"], true, 0),
    ] {
        let bucket = Arc::new(MemoryBucket::default());
        for (key, stored) in [
            ("good", good()),
            ("AWSLogs/1/good2", good()),
            ("large", too_large.clone()),
            ("denied", Stored::Fault(denied.clone())),
            ("failing", Stored::Flaky(usize::MAX, Bytes::new())),
            ("flaky", Stored::Flaky(3, Bytes::from_static(b"good"))),
        ] {
            bucket.put(key, stored);
        }
        let queue = MemoryQueue::new(VISIBILITY, [body]);
        let (running, mut pipeline, trouble) = trail(&queue, &bucket, &Limits::default(), 10);
        let mut objects = Vec::new();
        while let Ok(Some(object)) = tokio::time::timeout(Duration::from_secs(20), pipeline.objects.recv()).await {
            objects.push(match &object.body {
                Body::Missing(fault) => format!("{} {fault:?}", object.origin.name),
                Body::Held(bytes) if bytes == "good" => format!("{} Held", object.origin.name),
                other => panic!("{name}: {other:?}"),
            });
            pipeline.tell(object.number, Verdict::Released).await;
        }
        objects.sort_unstable();
        let mut sent = sent;
        sent.sort_unstable();
        assert_eq!(objects, sent, "{name}");
        stop(running, &pipeline, Phase::Draining).await;
        assert_eq!(queue.left() == 0, deleted, "{name}");
        assert_eq!(pipeline.counts.snapshot().skipped, skipped, "{name}");
        assert_eq!(trouble.now().is_empty(), deleted, "{name}: {:?}", trouble.now());
        assert_eq!(pipeline.budget.available_permits(), budget_kib(&Limits::default()) as usize, "{name}: room");
    }
}

/// P10: many small objects are read at once, up to the limit.
#[tokio::test(start_paused = true)]
async fn objects_are_read_in_parallel() {
    let keys: Vec<String> = (0..400).map(|at| format!("k{at}")).collect();
    let bucket = Arc::new(MemoryBucket { takes: Duration::from_millis(100), ..MemoryBucket::default() });
    for key in &keys {
        bucket.put(key, good());
    }
    let queue = MemoryQueue::new(VISIBILITY, keys.iter().map(|key| names(&[key])));
    let (running, mut pipeline, _) = trail(&queue, &bucket, &Limits::default(), 10);
    let since = Instant::now();
    for _ in 0..400 {
        let object = pipeline.objects.recv().await.unwrap();
        pipeline.tell(object.number, Verdict::Released).await;
    }
    assert_eq!(bucket.reading.1.load(Relaxed), 16);
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    stop(running, &pipeline, Phase::Draining).await;
}

/// Bodies of messages count as bytes in flight too, those that nobody understands no less; what is received beyond is bounded.
#[tokio::test(start_paused = true)]
async fn large_messages_wait_in_their_queue() {
    let limits = Limits { bytes_in_flight: 4 << 20, ..Limits::default() };
    for of_trail in [false, true] {
        let queue = MemoryQueue::new(VISIBILITY, (0..60).map(|_| "x".repeat(1 << 20)));
        let (running, mut pipeline) = if of_trail {
            let (running, pipeline, _) = trail(&queue, &Arc::default(), &limits, 100);
            (running, pipeline)
        } else {
            events_within(&queue, &limits, 100)
        };
        let mut most = 0;
        let mut held = VecDeque::new();
        for ended in 0..60 {
            sleep(Duration::from_secs(1)).await;
            while let Ok(object) = pipeline.objects.try_recv() {
                held.push_back(object);
            }
            most = most.max(60 - ended - queue.visible().len());
            let object = held.pop_front().unwrap();
            pipeline.tell(object.number, Verdict::Released).await;
        }
        // The budget and what one receive brings.
        assert!((4..=14).contains(&most), "{most} MiB of messages, {of_trail}");
        stop(running, &pipeline, Phase::Draining).await;
        assert_eq!(queue.left(), 0, "{of_trail}");
    }
}

/// The byte budget is never overdrawn, and an object larger than all of it still passes.
#[tokio::test(start_paused = true)]
async fn room_is_taken_before_a_body_is_held() {
    let limits = Limits { bytes_in_flight: 100 * 1024, ..Limits::default() };
    let bucket = Arc::new(MemoryBucket { takes: Duration::from_millis(10), ..MemoryBucket::default() });
    let keys: Vec<String> = (0..30).map(|at| format!("k{at:02}")).collect();
    for (at, key) in keys.iter().enumerate() {
        let size = if at == 7 { 500 * 1024 } else { 40 * 1024 };
        bucket.put(key, Stored::Bytes(Bytes::from(vec![b'x'; size])));
    }
    let queue = MemoryQueue::new(VISIBILITY, keys.iter().map(|key| names(&[key])));
    let (running, mut pipeline, _) = trail(&queue, &bucket, &limits, 50);
    let mut held: Vec<Object> = Vec::new();
    let mut seen = 0;
    while seen < 30 {
        while let Ok(object) = pipeline.objects.try_recv() {
            held.push(object);
        }
        let bytes: usize = held.iter().map(|object| if let Body::Held(bytes) = &object.body { bytes.len() } else { 0 }).sum();
        assert!(bytes <= 100 * 1024 || held.len() == 1, "{bytes} bytes in {} objects", held.len());
        if let Some(object) = held.pop() {
            seen += 1;
            let number = object.number;
            drop(object);
            pipeline.tell(number, Verdict::Released).await;
        }
        sleep(Duration::from_millis(50)).await;
    }
    stop(running, &pipeline, Phase::Draining).await;
    assert_eq!(queue.left(), 0);
}

/// Settings that would cost leases or messages are told with the number to set (P02).
#[test]
fn settings_are_judged() {
    let judge =
        |seconds, max_receive_count| Attributes { visibility: Duration::from_secs(seconds), max_receive_count }.faults("q");
    assert_eq!(judge(60, Some(10)), Vec::<String>::new());
    assert_eq!(judge(59, Some(10)), ["queue q: its visibility timeout of 59 s is too small: set VisibilityTimeout to 300"]);
    assert!(judge(300, Some(9))[0].starts_with("queue q: maxReceiveCount of 9 is too small"));
    assert!(judge(300, None)[0].starts_with("queue q: it has no dead-letter queue"));
    assert_eq!(judge(30, None).len(), 2);
}

/// A missing queue ends the source with a hint; a denied receive is told and waited out.
#[tokio::test(start_paused = true)]
async fn faults_of_the_queue_itself() {
    let queue = MemoryQueue::new(VISIBILITY, bodies(1));
    queue.faults.lock().unwrap().attributes.push_back(QueueError::Missing { why: "QueueDoesNotExist".to_owned() });
    let (running, _pipeline) = events(&queue, 1);
    let error = running.await.unwrap().unwrap_err();
    assert_eq!(error.what, "opening queue memory: QueueDoesNotExist");
    assert!(error.hint.unwrap().contains("queueUrl"));

    let denied = QueueError::Denied { why: "AccessDenied".to_owned(), missing: "sqs:ReceiveMessage" };
    let queue = MemoryQueue::new(VISIBILITY, bodies(1));
    queue.faults.lock().unwrap().receive.extend(vec![denied; 3]);
    let (intake, mut pipeline) = pipeline(1, &Limits::default());
    let source = EventQueue::new(
        Arc::<MemoryQueue>::clone(&queue),
        Arc::<MemoryBucket>::default(),
        &Limits::default(),
        Clock::fixed(5_000),
    );
    let trouble = source.trouble();
    let running = tokio::spawn(source.run(intake));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(trouble.now(), ["receiving messages of queue memory: AccessDenied; missing: sqs:ReceiveMessage"]);
    let object = pipeline.objects.recv().await.unwrap();
    assert_eq!(pipeline.counts.snapshot().queue_age_ms, 5_000);
    sleep(Duration::from_mins(2)).await;
    assert_eq!(pipeline.counts.snapshot().queue_age_ms, 0, "the queue is empty");
    assert_eq!((trouble.now(), trouble.faults()), (vec![], 3));
    pipeline.tell(object.number, Verdict::Released).await;
    stop(running, &pipeline, Phase::Draining).await;
}

/// While New Relic refuses the key nothing is taken and nothing is lost (contract: paused).
#[tokio::test(start_paused = true)]
async fn paused_keeps_what_is_held() {
    let queue = MemoryQueue::new(VISIBILITY, bodies(100));
    let (running, mut pipeline) = events(&queue, 1);
    let object = pipeline.objects.recv().await.unwrap();
    pipeline.phase.send(Phase::Paused).unwrap();
    sleep(Duration::from_secs(30)).await;
    let receives = queue.seen.lock().unwrap().receives;
    sleep(Duration::from_mins(30)).await;
    assert_eq!(queue.seen.lock().unwrap().receives, receives);
    assert_eq!(queue.seen.lock().unwrap().redeliveries, 0);
    pipeline.phase.send(Phase::Running).unwrap();
    pipeline.tell(object.number, Verdict::Released).await;
    for _ in 1..100 {
        let object = pipeline.objects.recv().await.unwrap();
        pipeline.tell(object.number, Verdict::Released).await;
    }
    stop(running, &pipeline, Phase::Draining).await;
    assert_eq!(queue.left(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// P03: over random messages, objects and fates, a message is deleted if and only if every object of it ended well.
    #[test]
    fn a_message_is_deleted_only_when_all_of_it_ended_well(
        fates in prop::collection::vec(prop::collection::vec(0_u8..6, 1..6), 1..30),
        seed in any::<u64>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let bucket = Arc::new(MemoryBucket::default());
            let mut messages = Vec::new();
            for (at, objects) in fates.iter().enumerate() {
                let keys: Vec<String> = objects.iter().enumerate().map(|(nth, fate)| format!("{at}-{nth}-{fate}")).collect();
                for (key, fate) in keys.iter().zip(objects) {
                    match fate {
                        0..=3 => bucket.put(key, good()),
                        4 => bucket.put(key, Stored::Fault(ReadError::Denied { why: "no".to_owned(), missing: "x" })),
                        // Gone: told as missing, released.
                        _ => {}
                    }
                }
                messages.push(names(&keys.iter().map(String::as_str).collect::<Vec<_>>()));
            }
            let queue = MemoryQueue::new(VISIBILITY, messages);
            let (running, mut pipeline, _) = trail(&queue, &bucket, &Limits::default(), 8);
            let mut random = fastrand::Rng::with_seed(seed);
            let until = Instant::now() + Duration::from_secs(20);
            while let Ok(Some(object)) = tokio::time::timeout_at(until, pipeline.objects.recv()).await {
                sleep(Duration::from_millis(random.u64(0..50))).await;
                let verdict = match object.origin.name.chars().last() {
                    Some('0') => Verdict::Returned,
                    Some('1') => Verdict::Parked,
                    _ => Verdict::Released,
                };
                prop_assert_eq!(object.origin.name.ends_with('5'), matches!(object.body, Body::Missing(Fault::Gone)));
                pipeline.tell(object.number, verdict).await;
            }
            stop(running, &pipeline, Phase::Draining).await;
            let deleted: HashSet<String> = queue.seen.lock().unwrap().deleted.iter().cloned().collect();
            for (at, objects) in fates.iter().enumerate() {
                let well = objects.iter().all(|fate| !matches!(fate, 0 | 4));
                prop_assert_eq!(deleted.contains(&format!("m{at}")), well, "message {} of {:?}", at, objects);
            }
            Ok(())
        })?;
    }
}

/// P11: without credentials one fault is told, nothing is assumed, and the source is not well until a receive went well.
#[tokio::test(start_paused = true)]
async fn missing_credentials_are_waited_for() {
    let queue = MemoryQueue::new(VISIBILITY, bodies(1));
    let none = QueueError::NoCredentials { why: "no AWS credentials (tried everything)".to_owned() };
    queue.faults.lock().unwrap().attributes.extend(vec![none; 6]);
    let (intake, mut pipeline) = pipeline(10, &Limits::default());
    let source = EventQueue::new(
        Arc::<MemoryQueue>::clone(&queue),
        Arc::<MemoryBucket>::default(),
        &Limits::default(),
        Clock::fixed(5_000),
    );
    let trouble = source.trouble();
    assert_eq!(trouble.now(), ["its queue has not answered yet"]);
    let running = tokio::spawn(source.run(intake));
    sleep(Duration::from_millis(100)).await;
    let [told] = &*trouble.now() else { panic!("{:?}", trouble.now()) };
    assert!(
        told.starts_with("reading the settings of queue memory: no AWS credentials (tried everything); missing: an IAM role"),
        "{told}"
    );
    let object = pipeline.objects.recv().await.unwrap();
    pipeline.tell(object.number, Verdict::Released).await;
    assert_eq!(trouble.faults(), 6, "the settings were asked for until they came");
    // A queue's receives clear what was told, once they have gone well for a minute.
    sleep(Duration::from_mins(2)).await;
    assert_eq!(trouble.now(), Vec::<String>::new());
    stop(running, &pipeline, Phase::Draining).await;
}
