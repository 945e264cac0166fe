//! What the agent does with messages while it holds them: renewals, hand-backs, the queue's settings.

use std::time::Duration;

use cspm_relay::lab::backend::Api;
use tokio::time::Instant;

use crate::support::agent::Agent;
use crate::support::aws::{Depth, QueueSettings, emulator, emulators};
use crate::support::proxy::{Call, Proxy, Side};
use crate::support::scene::{STOP, Scene, objects, stopped};

/// The send takes three times the queue's timeout: nobody else ever sees a message, and each has been received once (P01).
#[tokio::test]
async fn a_slow_send_costs_no_lease() {
    for aws in emulators().await {
        let name = aws.name;
        let visibility = Duration::from_secs(3);
        let scene = Scene::with(aws, QueueSettings { visibility, max_receive_count: 10 }).await;
        let proxy = Proxy::start(&scene.aws.endpoint).await;
        let mut hold = scene.new_relic.hold(Api::Logs);
        let ids = scene.deliver(&objects(1, 4, 5)).await;
        let agent = scene.agent_through(&proxy.url(), &scene.new_relic.url()).start();
        let request = hold.next().await.expect("a request comes");
        let until = Instant::now() + visibility * 3;
        // A rival asks all the while.
        while Instant::now() < until {
            assert_eq!(scene.trail.queue.receive().await.len(), 0, "{name}: a message in work was given to a rival");
        }
        assert!(proxy.answered(Call::ChangeMessageVisibilityBatch) >= 1, "{name}");
        assert_eq!(scene.trail.queue.depth().await, Depth { visible: 0, in_flight: 4 }, "{name}: nothing has settled");
        assert!(request.release(), "{name}: the agent still waits");
        drop(hold);
        scene.has(&ids).await;
        scene.empty().await;
        stopped(agent).await;
        assert_eq!((scene.counted("redelivered"), scene.counted("recordsDelivered")), (0, 20), "{name}");
        assert_eq!(scene.new_relic.store().counts("Log").repeated, 0, "{name}");
    }
}

/// A timeout or redrive policy that would cost messages is told at the start, with the value to set (P02).
#[tokio::test]
async fn the_queues_settings_are_judged_at_the_start() {
    for aws in emulators().await {
        let scene = Scene::with(aws, QueueSettings { visibility: Duration::from_secs(20), max_receive_count: 3 }).await;
        let mut agent = scene.agent().start();
        agent.says("its visibility timeout of 20 s is too small: set VisibilityTimeout to 300").await;
        agent.says("maxReceiveCount of 3 is too small").await;
        stopped(agent).await;

        let settings = QueueSettings { visibility: Duration::from_mins(5), max_receive_count: 10 };
        let scene = Scene::with(scene.aws, settings).await;
        let ids = scene.deliver(&objects(1, 1, 1)).await;
        let agent = scene.agent().start();
        scene.has(&ids).await;
        assert!(!stopped(agent).await.stderr.contains("too small"));
    }
}

/// A queue that does not exist ends the agent with exit code 3 (failed) and a hint.
#[tokio::test]
async fn a_missing_queue_is_told() {
    for aws in emulators().await {
        let scene = Scene::new(aws).await;
        let url = scene.trail.queue.url.replace("relay-", "nowhere-");
        let ended = Agent::run(&scene.aws.endpoint, &scene.new_relic.url(), &url).finish().await;
        assert_eq!(ended.status.code(), Some(3), "{}: {}", scene.aws.name, ended.stderr);
        assert!(ended.stderr.contains("check queueUrl"), "{}: {}", scene.aws.name, ended.stderr);
    }
}

/// SIGTERM under load (P25): ends in order within 20 s; what was not delivered is visible at once, the next agent delivers it.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::with(aws, QueueSettings { visibility: Duration::from_mins(5), max_receive_count: 10 }).await;
    let ids = scene.deliver(&objects(1, 120, 50)).await;
    let agent = scene.agent().start();
    scene.counts("recordsDelivered", 1).await;
    let ended = stopped(agent).await;
    assert!(ended.stderr.contains("Stopping"), "{}", ended.stderr);
    assert_eq!(scene.trail.queue.depth().await.in_flight, 0, "what is left is visible at once");
    let agent = scene.agent().start();
    scene.has_within(STOP, &ids).await;
    scene.empty().await;
    stopped(agent).await;
}

/// The same while New Relic does not answer at all: nothing can settle, everything is handed back in time.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_while_new_relic_hangs() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::with(aws, QueueSettings { visibility: Duration::from_mins(5), max_receive_count: 10 }).await;
    let hold = scene.new_relic.hold(Api::Logs);
    let ids = scene.deliver(&objects(1, 60, 50)).await;
    let agent = scene.agent().start();
    scene.counts("objectsReceived", 20).await;
    let ended = stopped(agent).await;
    assert!(ended.stderr.contains("handing the rest back"), "{}", ended.stderr);
    let depth = scene.trail.queue.depth().await;
    assert_eq!(depth, Depth { visible: 60, in_flight: 0 }, "all of it, at once\n{}", ended.stderr);
    drop(hold);
    let agent = scene.agent().start();
    scene.has(&ids).await;
    scene.empty().await;
    stopped(agent).await;
    assert!(scene.counted("redelivered") >= 20);
    scene.no_violations();
}

/// SIGTERM while a receive is being answered: its messages are not left hidden.
#[tokio::test]
async fn sigterm_while_messages_are_on_their_way() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::with(aws, QueueSettings { visibility: Duration::from_mins(5), max_receive_count: 10 }).await;
    let proxy = Proxy::start(&scene.aws.endpoint).await;
    let ids = scene.deliver(&objects(1, 8, 5)).await;
    let mut hold = proxy.hold(Call::ReceiveMessage, Side::Answer);
    let agent = scene.agent_through(&proxy.url(), &scene.new_relic.url()).start();
    hold.held().await;
    agent.terminate();
    tokio::time::sleep(Duration::from_millis(300)).await;
    hold.release();
    let ended = agent.exited(STOP).await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(scene.trail.queue.depth().await.in_flight, 0, "{}", ended.stderr);
    let agent = scene.agent().start();
    scene.has(&ids).await;
    scene.empty().await;
    stopped(agent).await;
}
