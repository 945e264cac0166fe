//! New Relic says no: a wrong key, too many requests, an outage.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::StatusCode;
use cspm_relay::lab::backend::{Api, Fault, RandomFaults};

use crate::support::agent::LICENSE_KEY;
use crate::support::aws::{Depth, QueueSettings, emulator};
use crate::support::eventually;
use crate::support::proxy::{Call, Proxy};
use crate::support::scene::{Scene, objects, stopped};

/// A wrong key: the agent takes what it needs to find out, deletes nothing, says the hint once; with the right key all comes
/// (P11, X1).
#[tokio::test]
async fn a_wrong_key_stops_everything_and_loses_nothing() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::with(aws, QueueSettings { visibility: Duration::from_secs(5), max_receive_count: 100 }).await;
    let proxy = Proxy::start(&scene.aws.endpoint).await;
    let wrong = LICENSE_KEY.replace("0123NRAL", "9999NRAL");
    let ids = scene.deliver(&objects(1, 40, 5)).await;
    let mut agent = scene.agent_through(&proxy.url(), &scene.new_relic.url()).env("NEW_RELIC_LICENSE_KEY", &wrong).start();
    agent.says("New Relic accepts nothing (status 403)").await;
    // Longer than the queue's timeout.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let receives = proxy.answered(Call::ReceiveMessage);
    let more = scene.deliver(&objects(1_000, 10, 5)).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    // Four receives may have been under way.
    assert!(proxy.answered(Call::ReceiveMessage) <= receives + 4, "it goes on taking messages");
    assert!(scene.left().await >= 50, "{} left of 50", scene.left().await);
    let log = agent.log();
    assert_eq!(log.matches("New Relic accepts nothing").count(), 1, "{log}");
    assert!(!log.contains(&wrong), "the key is in the log");
    let ended = stopped(agent).await;
    assert!(!ended.stderr.contains(&wrong), "the key is in the log");
    assert_eq!((scene.arrived(), scene.letters()), (BTreeSet::new(), vec![]));
    let depth = scene.trail.queue.depth().await;
    assert!(depth.visible >= 50 && depth.in_flight == 0, "{depth:?}");
    assert_eq!(scene.trail.queue.dead_letters().await, Depth::EMPTY);

    let agent = scene.agent().start();
    scene.has(&ids.union(&more).cloned().collect()).await;
    scene.empty().await;
    stopped(agent).await;
}

/// 429 with `Retry-After`, 408, 500, 503, cuts and lost answers, one in three: the set arrives, nothing is refused for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_refusals() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let asked = Fault::Status { code: 429, retry_after_s: Some(2) };
    scene.new_relic.script(Api::Logs, [asked; 3]);
    let ids = scene.deliver(&objects(1, 30, 40)).await;
    let agent = scene.agent().env("CSPM_RELAY_FLUSH_AFTER", "50ms").start();
    eventually("the 429s are over", async || scene.new_relic.script_left(Api::Logs) == 0).await;
    let storm = RandomFaults { seed: 11, share: 0.33, accept_then_cut: 0.3, max_consecutive: None, retry_after_s: Some(1) };
    scene.new_relic.random_faults(Some(storm));
    scene.has_within(Duration::from_mins(1), &ids).await;
    scene.empty_within(Duration::from_mins(1)).await;
    scene.new_relic.random_faults(None);
    stopped(agent).await;
    assert_eq!((scene.letters(), scene.gaps().len()), (vec![], 0));
    assert_eq!(scene.counted("recordsDelivered"), 1_200);
    assert!(scene.counted("retries") >= 3);
    scene.no_violations();
}

/// An outage longer than the queue's timeout: nothing lost, nothing redelivered, memory bounded, and it goes on by itself (P20).
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_longer_than_the_timeout() {
    let Some(aws) = emulator("ministack").await else { return };
    let visibility = Duration::from_secs(3);
    let scene = Scene::with(aws, QueueSettings { visibility, max_receive_count: 10 }).await;
    let proxy = Proxy::start(&scene.new_relic.url()).await;
    for call in [Call::Logs, Call::Events] {
        proxy.refuse(call, "", StatusCode::SERVICE_UNAVAILABLE, "");
    }
    let agent = scene.agent_through(&scene.aws.endpoint, &proxy.url()).start();
    let ids = scene.deliver(&objects(1, 150, 60)).await;
    tokio::time::sleep(visibility * 3).await;
    assert_eq!(scene.arrived(), BTreeSet::new());
    assert!(scene.left().await >= 150, "nothing was deleted");
    let peak = agent.peak_kib();
    assert!(peak < 128 << 10, "{peak} KiB");
    proxy.allow();
    scene.has_within(Duration::from_mins(1), &ids).await;
    scene.empty_within(Duration::from_mins(1)).await;
    stopped(agent).await;
    assert_eq!((scene.counted("redelivered"), scene.counted("recordsDelivered")), (0, 9_000));
    assert_eq!(scene.new_relic.store().counts("Log").repeated, 0);
}
