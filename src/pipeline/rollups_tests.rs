//! Counts on their way: sent, put back, bounded.

use super::*;
use crate::ack::{Counter, Outcome};
use crate::config::Config;
use crate::secret::Secret;

const NOW: i64 = 1_780_000_000_000;

fn sending(batches: mpsc::Sender<Batch>, phase: watch::Receiver<Phase>, settled: watch::Receiver<bool>) -> Sending {
    let config = Config::stand_in("http://127.0.0.1:9", 1, Secret::new("key"));
    let clock = Clock::fixed(NOW);
    Sending {
        every: EVERY,
        stages: Arc::new(crate::pipeline::tests::stages(&config, &clock)),
        gauges: Gauges::default(),
        clock,
        limits: config.limits,
        batches,
        phase,
        settled,
    }
}

/// Counts one record of this account.
fn count(stages: &Stages, account: &str) {
    let object = ObjectEntry::enter(Arc::new(Counts::new("x")), 1, None);
    let record = object.record();
    record.ends_as(Outcome::Delivered);
    let tally = stages.rollups.tally(Counter::Records, &[account, "eu-west-1", "iam", "trail"]);
    assert!(tally.is_some());
    record.piece().counting([tally, None]).settle(Settled::Delivered);
}

/// A batch goes out with the minute, at a stop, when that becomes urgent, and at the end; nothing goes where nothing was counted.
#[tokio::test(start_paused = true)]
async fn counts_go_out_every_minute_at_a_stop_and_at_the_end() {
    let (batches_in, mut batches) = mpsc::channel(8);
    let (phase, heard) = watch::channel(Phase::Running);
    let (settled, ends) = watch::channel(false);
    let sending = sending(batches_in, heard, ends);
    let stages = Arc::clone(&sending.stages);
    let at = Instant::now();
    let running = tokio::spawn(sending.run());
    let mut took = async |what: &str| {
        let batch: Batch = batches.recv().await.unwrap_or_else(|| panic!("{what}"));
        assert_eq!((batch.lane(), batch.len()), (Lane::Metrics, 1), "{what}");
        batch.settle(Settled::Delivered);
        at.elapsed().as_secs()
    };
    count(&stages, "1");
    assert_eq!(took("the first minute").await, 60);
    tokio::time::sleep(Duration::from_secs(90)).await;
    count(&stages, "1");
    assert_eq!(took("nothing in between").await, 180);
    for (phase_now, what) in [(Phase::Draining, "a stop"), (Phase::Returning, "an urgent stop")] {
        count(&stages, "2");
        phase.send_replace(phase_now);
        assert_eq!(took(what).await, 180, "{what}");
    }
    count(&stages, "3");
    settled.send_replace(true);
    assert_eq!(took("the end").await, 180);
    running.await.unwrap();
    assert!(batches.recv().await.is_none());
    assert_eq!((stages.rollups.waiting(), stages.rollups.tallies().sent), (0, 5));
}

/// While nobody takes a batch, a bounded number of them waits and the rest adds up; what is dropped counts again.
#[tokio::test(start_paused = true)]
async fn an_outage_keeps_counts_and_bounds_what_waits() {
    let (batches_in, mut batches) = mpsc::channel(2);
    let (phase, heard) = watch::channel(Phase::Running);
    let (_settled, ends) = watch::channel(false);
    let sending = sending(batches_in, heard, ends);
    let stages = Arc::clone(&sending.stages);
    let running = tokio::spawn(sending.run());
    for _ in 0..600 {
        count(&stages, "1");
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    assert_eq!(stages.rollups.waiting(), 600);
    assert_eq!(batches.len(), 2);
    let first = batches.recv().await.unwrap();
    first.settle(Settled::Delivered);
    let sent = stages.rollups.tallies().sent;
    assert!((1..=2).contains(&sent), "{sent} of the first minute");
    // It ends with what it holds, as the sender does that was not taken in time.
    running.abort();
    assert!(running.await.is_err());
    batches.close();
    while let Some(batch) = batches.recv().await {
        drop(batch);
    }
    drop(phase);
    assert_eq!(stages.rollups.waiting(), 600 - sent, "nothing is lost, nothing is doubled");
    let back = stages.rollups.take(NOW);
    assert_eq!(back.iter().map(Taken::amount).collect::<Vec<_>>(), [600 - sent]);
}

/// The last answer is lost: the doubt about it is sent, too, and then it is over.
#[tokio::test(start_paused = true)]
async fn a_doubt_about_the_last_counts_is_still_told() {
    let (batches_in, mut batches) = mpsc::channel(2);
    let (phase, heard) = watch::channel(Phase::Running);
    let (settled, ends) = watch::channel(false);
    let sending = sending(batches_in, heard, ends);
    let stages = Arc::clone(&sending.stages);
    let running = tokio::spawn(sending.run());
    count(&stages, "1");
    // They go out with the stop, and their answer comes after the end.
    phase.send_replace(Phase::Draining);
    let first: Batch = batches.recv().await.expect("the counts");
    settled.send_replace(true);
    tokio::time::sleep(Duration::from_secs(1)).await;
    first.doubt();
    first.settle(Settled::Delivered);
    let doubts: Batch = batches.recv().await.expect("the doubt about them");
    assert_eq!(doubts.len(), 1);
    doubts.doubt();
    doubts.settle(Settled::Delivered);
    assert!(batches.recv().await.is_none(), "a doubt brings no further doubt");
    running.await.unwrap();
}

/// What New Relic refuses for good is counted as that; a point is at stake only in a request without an answer.
#[tokio::test(start_paused = true)]
async fn a_refused_point_is_told_and_a_doubt_is_sent_beside_the_next() {
    let (batches_in, _batches) = mpsc::channel(2);
    let (_phase, heard) = watch::channel(Phase::Running);
    let (_settled, ends) = watch::channel(false);
    let sending = sending(batches_in, heard, ends);
    let mut from_ms = NOW - 60_000;
    for _ in 0..3 {
        count(&sending.stages, "1");
    }
    let batch = sending.points(&mut from_ms, None).remove(0);
    assert_eq!((batch.len(), from_ms), (1, NOW));
    batch.doubt();
    batch.settle(Settled::Rejected);
    let rollups = &sending.stages.rollups;
    assert_eq!((rollups.waiting(), rollups.tallies().refused, rollups.tallies().sent), (0, 3, 0));
    let doubts = rollups.take(NOW);
    let told: Vec<_> = doubts.iter().map(|taken| (taken.series().counter(), taken.amount())).collect();
    assert_eq!(told, [(Counter::MaybeDouble, 3)]);
}

/// The gauges of a summary replace those that wait, and are as bounded as the counters.
#[test]
fn gauges_are_the_newest_and_bounded() {
    let key = |nth: usize| {
        [format!("{nth:012}"), "HIGH".to_owned(), "CSPM".to_owned(), "COMPLIANT".to_owned()].map(String::into_boxed_str)
    };
    let gauges = Gauges::default();
    gauges.set(1, [(key(1), 5)]);
    gauges.set(2, (0..SERIES_MAX + 3).map(|nth| (key(nth), 2)));
    let (at_ms, taken) = gauges.take();
    assert_eq!((at_ms, taken.len()), (2, SERIES_MAX + 1));
    assert_eq!(taken[&[OVERFLOW; 4].map(Box::from)], 6);
    assert!(gauges.take().1.is_empty());
}

/// What a dashboard filters by is never missing in a point: a filter passes over what is not there.
#[tokio::test(start_paused = true)]
async fn points_of_an_account_that_nobody_knows_say_so() {
    let (batches_in, _batches) = mpsc::channel(2);
    let (_phase, heard) = watch::channel(Phase::Running);
    let (_settled, ends) = watch::channel(false);
    let sending = sending(batches_in, heard, ends);
    count(&sending.stages, "111122223333");
    sending.gauges.set(NOW, [(["111122223333", "HIGH", "CSPM", "COMPLIANT"].map(Box::from), 5)]);
    let mut from_ms = NOW - 60_000;
    let items = sending.points(&mut from_ms, None).remove(0).into_items().unwrap();
    assert_eq!(items.len(), 2);
    for (item, piece) in items {
        let text = String::from_utf8_lossy(&item).into_owned();
        for (name, value) in
            [("aws.accountName", "111122223333"), ("aws.organizationalUnit", "unknown"), ("aws.environment", "unknown")]
        {
            // A pair of protobuf: name, tags and lengths, value.
            let after = text.split(name).nth(1).unwrap_or_default();
            assert!(after.chars().take(value.len() + 8).collect::<String>().contains(value), "{name} in {text:?}");
        }
        piece.settle(Settled::Delivered);
    }
}
