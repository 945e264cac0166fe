//! How long a record takes. The bound is wide, as this is an unoptimised build beside other tests; what was measured is printed.

use std::time::Duration;

use tokio::time::Instant;

use crate::support::aws::emulator;
use crate::support::data;
use crate::support::scene::{Scene, objects, stopped};
use crate::support::within;

/// From an object in the bucket to New Relic's answer, at most, for 95 of 100 objects (S0-02).
const ADDED: Duration = Duration::from_secs(30);

/// S0-02, S2-02: what is put one by one is accepted soon after, each record once.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_is_accepted_soon() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let mut agent = scene.agent().start();
    agent.ready().await;
    let mut took = Vec::new();
    for object in objects(1, 40, 20) {
        let put = Instant::now();
        scene.trail.deliver(&object).await;
        let store = scene.new_relic.store();
        within(2 * ADDED, "the object's records are accepted", async || {
            let held = store.ids("Log");
            object.ids.iter().all(|id| held.get(id) == Some(&1))
        })
        .await;
        took.push(put.elapsed());
        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..50))).await;
    }
    scene.empty().await;
    stopped(agent).await;
    took.sort_unstable();
    let share = |percent: usize| took[(took.len() * percent).div_ceil(100) - 1];
    eprintln!(
        "put to accepted: half within {} ms, 95 % within {} ms, all within {} ms",
        share(50).as_millis(),
        share(95).as_millis(),
        share(100).as_millis()
    );
    assert!(share(95) <= ADDED, "{took:?}");
    assert_eq!(scene.new_relic.store().counts("Log").repeated, 0);
    assert!(scene.arrived().contains(&data::id(10_000)));
    scene.no_violations();
}
