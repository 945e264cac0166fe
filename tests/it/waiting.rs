//! A batch that waits longer than New Relic's window is filed under the present before it is sent; its own time stays in it.

use std::sync::Arc;
use std::time::Duration;

use cspm_relay::ack::Seen;
use cspm_relay::classify::{Exceptions, Frameworks, RuleSet};
use cspm_relay::clock::Clock;
use cspm_relay::config::{Config, LogRecords, Watched};
use cspm_relay::decode::Bounds;
use cspm_relay::deliver::park::Target;
use cspm_relay::deliver::{Endpoint, Patience};
use cspm_relay::enrich::{AccountNames, Enricher};
use cspm_relay::lab::backend::{ACCOUNT_ID, Api, Backend, BackendSettings, Hold, LICENSE_KEY};
use cspm_relay::pipeline::worker::Stages;
use cspm_relay::pipeline::{Relay, Running, Summary, To};
use cspm_relay::posture::Compliance;
use cspm_relay::secret::Secret;
use cspm_relay::source::replay::{Input, Replay};
use serde_json::{Value, json};

use crate::support::replay::{assert_clean, file_of, stand_in};
use crate::support::{PATIENCE, data};

const HOUR: i64 = 3_600_000;
const NOW: i64 = 1_780_000_000_000;

/// The agent inside this process, so that its clock can be moved: replays one file to a stand-in.
async fn relay(backend: &Backend, clock: &Clock, path: &std::path::Path) -> Summary {
    let mut config = Config::stand_in(&backend.url(), ACCOUNT_ID, Secret::new(LICENSE_KEY));
    config.outputs.logs.records = LogRecords::All;
    // A notice is stamped by New Relic: it has no time that could grow old.
    config.outputs.notices = false;
    let limits = config.limits.clone();
    let stages = Stages {
        rules: RuleSet::builtin(),
        exceptions: Exceptions::default(),
        frameworks: Frameworks::default(),
        enricher: Enricher::new(AccountNames::default(), "UTC").expect("a time zone").into(),
        watched: Watched::default(),
        findings: Arc::new(cspm_relay::posture::Findings::in_memory(cspm_relay::config::Findings::default())),
        outputs: config.outputs,
        bounds: Bounds { inflated: limits.inflated_bytes, record: limits.record_bytes },
        rollups: cspm_relay::ack::Rollups::new(config.outputs.metrics),
        seen: Seen::new(limits.seen_records),
        compliance: Arc::new(Compliance::in_memory()),
        clock: clock.clone(),
        agent: "test".to_owned(),
        refuse_late: false,
        follow: false,
        lateness: None,
        changes: None,
        novelty: None,
        quiet: false,
        scans: None,
    };
    let endpoint = Endpoint::new(&config.new_relic, Duration::from_mins(1)).expect("an endpoint");
    let relay = Relay {
        stages: Arc::new(stages),
        limits: limits.clone(),
        to: To::NewRelic { endpoint: Box::new(endpoint), patience: Patience::Endless },
        dead_letters: Target::Nowhere,
        heartbeat: None,
        rollups: cspm_relay::pipeline::rollups::EVERY,
        expiry: None,
        posture: None,
        clock: clock.clone(),
    };
    let source = Replay::new(vec![Input::Path(path.to_owned())], None, &limits);
    relay.run(vec![Running::new("trail", source)], std::future::pending(), |_| {}).await
}

/// The next held request, and the time and mark of each item in it.
async fn next(hold: &mut Hold) -> (cspm_relay::lab::backend::HeldRequest, Vec<(i64, String)>) {
    let held = tokio::time::timeout(PATIENCE, hold.next()).await.expect("a request in time").expect("a request");
    let body: Value = serde_json::from_slice(held.body()).expect("JSON");
    let items = body[0]["logs"].as_array().or(body.as_array()).expect("items");
    let seen = items.iter().map(|item| {
        let late = if item["attributes"].is_object() { &item["attributes"]["relay.late"] } else { &item["relay.late"] };
        (item["timestamp"].as_i64().expect("a time"), late.as_str().expect("a word").to_owned())
    });
    let seen = seen.collect();
    (held, seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waited_beyond_the_window_is_restamped_before_it_is_sent() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let path = folder.path().join("records.json");
    // One that will have left the window, and one that will not.
    let (old, young) = (NOW - 10 * HOUR, NOW - HOUR);
    let source = [data::alarming(1, old), data::alarming(2, young)];
    std::fs::write(&path, file_of(&source)).expect("a temporary file");
    let clock = Clock::fixed(NOW);
    let backend = stand_in(BackendSettings { clock: clock.clone(), ..BackendSettings::default() }).await;
    let (mut events, mut logs) = (backend.hold(Api::Events), backend.hold(Api::Logs));
    let watched = async {
        for hold in [&mut events, &mut logs] {
            let (held, items) = next(hold).await;
            assert!(items.iter().all(|(_, late)| late == "false"), "{items:?}");
            assert!(items.iter().any(|(time, _)| *time == old) && items.iter().any(|(time, _)| *time == young), "{items:?}");
            assert!(held.cut(), "the sender waits for its answer");
        }
        // New Relic comes back fifteen hours later: one record is 25 hours old, the other 16.
        let now = NOW + 15 * HOUR;
        clock.advance_to(now);
        for hold in [&mut events, &mut logs] {
            let mut request = next(hold).await;
            if request.1.iter().any(|(time, _)| *time == old) {
                // Sent in the moment before the clock moved.
                assert!(request.0.cut());
                request = next(hold).await;
            }
            let (held, items) = request;
            let count = |time: i64, late: &str| items.iter().filter(|item| **item == (time, late.to_owned())).count();
            assert_eq!(count(now, "true") + count(young, "false"), items.len(), "{items:?}");
            assert!(count(now, "true") > 0 && count(young, "false") > 0, "{items:?}");
            assert!(held.release(), "the sender waits for its answer");
        }
    };
    let (summary, ()) = tokio::join!(relay(&backend, &clock, &path), watched);
    assert_clean(&backend);
    let (_, counts) = summary.sources.first().expect("one source");
    assert!(counts.adds_up());
    assert_eq!(counts.ended(cspm_relay::ack::Outcome::Delivered), 2);
    for row in backend.store().rows("AwsSecurityEvent") {
        let own = if row["event.id"] == data::id(1) { old } else { young };
        assert_eq!(row["event.time"], json!(own), "its own time stays");
    }
    assert_eq!(backend.store().counts("Log").repeated, 0);
}
