//! `kill -9` where it hurts most: a fresh agent makes up for everything (X8).

use std::time::Duration;

use crate::support::aws::{QueueSettings, emulator};
use crate::support::eventually;
use crate::support::proxy::{Call, Hold, Proxy, Side};
use crate::support::scene::{Scene, objects, stopped};

/// Longer than a renewed lease: what the dead agent held must come back first.
const LATER: Duration = Duration::from_secs(90);

/// What was there when the agent died.
struct Death {
    scene: Scene,
    /// Ids that New Relic had.
    had: usize,
    /// Messages that were left.
    left: u64,
}

/// Kills an agent at a point on the wire, then lets a fresh one finish. Waits until SQS has answered that many deletes before.
async fn dies_at(deletes: u64, point: impl FnOnce(&Proxy, &Proxy) -> Hold) -> Option<Death> {
    let aws = emulator("ministack").await?;
    let scene = Scene::with(aws, QueueSettings { visibility: Duration::from_secs(4), max_receive_count: 10 }).await;
    let (to_aws, to_new_relic) = (Proxy::start(&scene.aws.endpoint).await, Proxy::start(&scene.new_relic.url()).await);
    let ids = scene.deliver(&objects(1, 25, 8)).await;
    let mut hold = point(&to_aws, &to_new_relic);
    let agent = scene.agent_through(&to_aws.url(), &to_new_relic.url()).start();
    hold.held().await;
    eventually("the deletes before are done", async || to_aws.answered(Call::DeleteMessageBatch) >= deletes).await;
    drop(agent.kill9());
    hold.cut();
    let (had, left) = (scene.arrived().len(), scene.left().await);
    // Nothing of the dead one reaches anybody any more.
    drop((to_aws, to_new_relic));

    let agent = scene.agent().start();
    scene.has_within(LATER, &ids).await;
    scene.empty_within(LATER).await;
    stopped(agent).await;
    assert_eq!((scene.letters(), scene.gaps().len()), (vec![], 0));
    scene.no_violations();
    counted(&scene, ids.len() as u64, had as u64);
    Some(Death { scene, had, left })
}

/// What the dead agent had counted and not sent is lost with it, and nothing more; what both counted is told as doubt.
fn counted(scene: &Scene, records: u64, had: u64) {
    let sum = |metric: &str| -> u64 {
        let rows = scene.new_relic.store().rows("Metric").into_iter().filter(|row| row["metricName"] == metric);
        rows.map(|row| row[metric]["count"].as_u64().expect("a whole number")).sum()
    };
    let (counted, doubt) = (sum("cspm.records"), sum("cspm.rollup.maybeDouble"));
    assert!(counted > 0 && counted + had >= records, "{counted} of {records} counted, {had} accepted before the death");
    assert!(counted <= records + doubt, "{counted} of {records} counted, {doubt} in doubt");
}

#[tokio::test]
async fn after_the_messages_were_received() {
    let Some(death) = dies_at(0, |aws, _| aws.hold(Call::ReceiveMessage, Side::Answer)).await else { return };
    assert_eq!((death.had, death.scene.new_relic.store().counts("Log").repeated), (0, 0));
    assert!(death.left >= 25, "{} messages left", death.left);
}

#[tokio::test]
async fn after_the_object_was_fetched() {
    let Some(death) = dies_at(0, |aws, _| aws.hold_after(3, Call::GetObject, Side::Answer)).await else { return };
    assert!(death.left >= 22, "{} messages left", death.left);
}

#[tokio::test]
async fn after_the_request_was_sent() {
    let Some(death) = dies_at(0, |_, new_relic| new_relic.hold(Call::Logs, Side::Request)).await else { return };
    assert_eq!((death.had, death.scene.new_relic.store().counts("Log").repeated), (0, 0));
    // The test message of the emulator may be gone.
    assert!(death.left >= 25, "{} messages left", death.left);
}

#[tokio::test]
async fn after_new_relic_said_yes() {
    let Some(death) = dies_at(0, |_, new_relic| new_relic.hold(Call::Logs, Side::Answer)).await else { return };
    assert!(death.had > 0 && death.left >= 25, "{} ids, {} messages left", death.had, death.left);
    // Sent twice, as it must be; under the same ids.
    assert!(death.scene.new_relic.store().counts("Log").repeated >= 1);
}

#[tokio::test]
async fn before_the_first_messages_were_deleted() {
    let Some(death) = dies_at(0, |aws, _| aws.hold_after(1, Call::DeleteMessageBatch, Side::Request)).await else { return };
    assert!(death.had > 0 && death.left > 0, "{} ids, {} messages left", death.had, death.left);
}

#[tokio::test]
async fn between_two_batches_of_deletes() {
    let Some(death) = dies_at(2, |aws, _| aws.hold_after(2, Call::DeleteMessageBatch, Side::Request)).await else { return };
    assert!(death.had > 0 && (1..25).contains(&death.left), "{} ids, {} messages left", death.had, death.left);
}
