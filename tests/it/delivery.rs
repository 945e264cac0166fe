//! Nothing is lost and nothing is misreported while New Relic fails.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cspm_relay::clock::Clock;
use cspm_relay::lab::backend::{Api, Backend, BackendSettings, Ending, Fault, RandomFaults};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::agent::Agent;
use crate::support::data;
use crate::support::replay::{
    Replayed, assert_clean, attacks, event_ids, file_of, finish, fixtures, good, records, replay_of, stand_in, tally, text,
};

/// Small bodies and many requests at once: what meets faults is requests, and waiting costs little.
fn small(agent: Agent) -> Agent {
    agent
        .env("CSPM_RELAY_BODY_BYTES", "10000")
        .env("CSPM_RELAY_PACKED_BODY_BYTES", "10000")
        .env("CSPM_RELAY_REQUESTS_IN_FLIGHT", "32")
}

/// All records of the attack simulations, to a stand-in; they are old, so they go under the present.
fn attacks_to(backend: &Backend) -> Agent {
    small(replay_of([attacks()])).arg("--logs").arg("all").arg("--restamp").arg("--to").arg(backend.url())
}

/// `event.id`s and `detection.id`s that a replay of the same records prints.
async fn printed() -> (BTreeSet<String>, BTreeSet<String>) {
    let ended = good(replay_of([attacks()]).arg("--logs").arg("none")).await;
    let events = ended.events();
    let ids = |name: &str| events.iter().map(|event| text(&event[name])).collect::<BTreeSet<_>>();
    (ids("event.id"), ids("detection.id"))
}

fn keys(times: BTreeMap<String, u32>) -> BTreeSet<String> {
    times.into_keys().collect()
}

/// Rows whose answer was lost come again, each once for each lost answer; nothing else does.
fn assert_repeats(backend: &Backend, distinct: &[(&str, Api, usize)]) {
    let store = backend.store();
    for (event_type, api, distinct) in distinct {
        let (rows, counts) = (store.counts(event_type), store.api(*api));
        assert_eq!(rows.rows - counts.rows_unanswered, *distinct as u64, "{event_type}: {rows:?} {counts:?}");
        assert_eq!(rows.repeated, counts.rows_unanswered, "{event_type}: repeated only what was stored without an answer");
        assert_eq!(rows.without_id, 0, "{event_type}");
    }
}

/// P11, P20: a third of all requests fails, a third of those after New Relic has stored them.
#[tokio::test]
async fn twenty_seeds_of_faults_lose_nothing() {
    let (events, detections) = printed().await;
    let logs = event_ids(&records(&attacks()));
    let run = async |seed: u64| {
        let faults = RandomFaults { seed, share: 0.33, accept_then_cut: 0.33, max_consecutive: Some(5), retry_after_s: Some(1) };
        let backend = stand_in(BackendSettings { faults: Some(faults), ..BackendSettings::default() }).await;
        let ended = good(attacks_to(&backend)).await;
        let store = backend.store();
        assert_eq!(keys(store.ids("Log")), logs, "seed {seed}: logs");
        assert_eq!(keys(store.ids("AwsSecurityEvent")), events, "seed {seed}: events");
        assert_eq!(keys(store.detection_ids("AwsSecurityEvent")), detections, "seed {seed}: detections");
        assert_repeats(&backend, &[("Log", Api::Logs, logs.len()), ("AwsSecurityEvent", Api::Events, detections.len())]);
        assert_clean(&backend);
        assert_eq!(ended.count("records.delivered"), logs.len() as u64, "seed {seed}");
        let answered: u64 = [Api::Events, Api::Logs].iter().map(|api| store.api(*api).requests).sum();
        assert_eq!(ended.summary["requests"], answered, "seed {seed}: every request is counted");
        let split: u64 = [Api::Events, Api::Logs].iter().map(|api| store.api(*api).ended(Ending::Status(413))).sum();
        assert_eq!(ended.summary["retries"].as_u64(), Some(faults_met(&backend) - split), "seed {seed}: every failed one, too");
        (faults_met(&backend), store.api(Api::Logs).accepted_unanswered + store.api(Api::Events).accepted_unanswered, split)
    };
    let (mut met, mut lost, mut split) = (0, 0, 0);
    for pair in 0..10 {
        let (one, two) = tokio::join!(run(2 * pair), run(2 * pair + 1));
        met += one.0 + two.0;
        lost += one.1 + two.1;
        split += one.2 + two.2;
    }
    assert!(met > 400 && lost > 100 && split > 20, "only {met} faults, {lost} lost answers, {split} splits: this proves little");
}

/// Requests that did not end in a documented success.
fn faults_met(backend: &Backend) -> u64 {
    let store = backend.store();
    [(Api::Events, 200), (Api::Logs, 202)]
        .iter()
        .map(|(api, success)| store.api(*api).requests - store.api(*api).ended(Ending::Status(*success)))
        .sum()
}

/// P12: a body that is called too large is halved; what is left alone and still too large is a dead letter, never a loss.
#[tokio::test]
async fn chance_413_splits_and_the_ledger_still_closes() {
    let (events, _) = printed().await;
    let logs = event_ids(&records(&attacks()));
    for seed in 0..3 {
        let backend = stand_in(BackendSettings::default()).await;
        let mut random = fastrand::Rng::with_seed(seed);
        for api in [Api::Events, Api::Logs] {
            let fault = |random: &mut fastrand::Rng| match random.u8(0..9) {
                0 | 1 => Fault::status(413),
                2 => Fault::status(503),
                _ => Fault::Normal,
            };
            backend.script(api, (0..2_000).map(|_| fault(&mut random)));
        }
        let letters = TempDir::new().expect("a temporary folder");
        let agent = attacks_to(&backend).env("CSPM_RELAY_DEAD_LETTERS", letters.path().to_string_lossy());
        let ended = good(agent).await;
        let parked = parked(&letters);
        let held = |event_type: &str| keys(backend.store().ids(event_type));
        let alone = |kind: &str| parked.iter().filter(|(of, _)| of == kind).map(|(_, id)| id.clone()).collect::<BTreeSet<_>>();
        assert_eq!(&held("Log") | &alone("log"), logs, "seed {seed}");
        assert!(held("Log").is_disjoint(&alone("log")), "seed {seed}");
        assert_eq!(&held("AwsSecurityEvent") | &alone("event"), events, "seed {seed}");
        let rejected = parked.iter().map(|(_, id)| id).collect::<BTreeSet<_>>().len() as u64;
        assert_eq!(ended.count("records.rejected"), rejected, "seed {seed}");
        assert_eq!(ended.count("records.delivered"), logs.len() as u64 - rejected, "seed {seed}");
        assert!(ended.summary["answers"]["413"].as_u64() > Some(10), "seed {seed}: {}", ended.summary);
    }
}

/// Kind and `event.id` of every letter in a folder.
fn parked(folder: &TempDir) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder.path()).expect("a folder") {
        for line in std::fs::read_to_string(file.expect("a file").path()).expect("text").lines() {
            let letter: Value = serde_json::from_str(line).expect("a letter");
            let item: Value = serde_json::from_str(&text(&letter["content"])).expect("an item");
            let id = if letter["kind"] == "log" { &item["attributes"]["event.id"] } else { &item["event.id"] };
            found.push((text(&letter["kind"]), text(id)));
        }
    }
    found
}

/// Records of the last minutes, number 50 of them the alarming one.
fn fresh(count: u64) -> Vec<Value> {
    data::mixed(0, count, Clock::system().now_ms() - 120_000)
}

/// P22: one poisoned event among many is found and parked alone, the rest is delivered.
#[tokio::test]
async fn a_poisoned_item_is_found_and_parked_alone() {
    let poisoned = data::id(37);
    let source = fresh(100);
    for (api, event_type, name, code) in [
        (Api::Logs, "Log", "a log", 400),
        (Api::Logs, "Log", "a log called too large", 413),
        (Api::Events, "AwsSecurityEvent", "an event", 400),
    ] {
        let poisoned = if api == Api::Events { data::id(50) } else { poisoned.clone() };
        let backend = stand_in(BackendSettings::default()).await;
        backend.poison(api, &poisoned, code);
        let letters = TempDir::new().expect("a temporary folder");
        let agent = replay_of::<&str>([]);
        let path = agent.file("records.json", &file_of(&source));
        let agent = agent.arg(path.to_string_lossy()).arg("--logs").arg("all").arg("--to").arg(backend.url());
        let ended = good(agent.env("CSPM_RELAY_DEAD_LETTERS", letters.path().to_string_lossy())).await;
        let kind = if api == Api::Logs { "log" } else { "event" };
        let parked = parked(&letters);
        assert!(parked.iter().all(|(of, id)| of == kind && *id == poisoned), "{name}: {parked:?}");
        assert_eq!((ended.count("records.rejected"), ended.count("records.delivered")), (1, 99), "{name}");
        assert_eq!(ended.count("objects.released"), 1, "{name}: with its letter written, the object is done");
        let held = keys(backend.store().ids("Log"));
        assert_eq!(held.len(), if api == Api::Logs { 99 } else { 100 }, "{name}");
        assert!(!backend.store().ids(event_type).contains_key(&poisoned), "{name}");
        assert!(tally(backend.store().ids(event_type).into_values()).keys().all(|times| *times == 1), "{name}: no repeats");
        // The way to one in a hundred is a bisection, not a hundred requests.
        let most = if api == Api::Logs { 20 } else { 10 };
        assert!(backend.store().api(api).requests <= most, "{name}: {} requests", backend.store().api(api).requests);
        assert_clean(&backend);
    }
}

/// Without dead letters a refused item goes back with its object, and the exit code says so.
#[tokio::test]
async fn a_refused_item_without_dead_letters_goes_back() {
    let backend = stand_in(BackendSettings::default()).await;
    backend.poison(Api::Logs, &data::id(3), 400);
    let agent = replay_of::<&str>([]);
    let path = agent.file("records.json", &file_of(&fresh(10)));
    let ended = finish(agent.arg(path.to_string_lossy()).arg("--logs").arg("all").arg("--to").arg(backend.url())).await;
    assert_ne!(ended.code, Some(0));
    ended.assert_adds_up();
    assert_eq!((ended.count("records.returned"), ended.count("records.delivered")), (1, 9));
    assert_eq!(ended.count("objects.returned"), 1);
    assert_eq!(backend.store().ids("Log").len(), 9);
    assert!(ended.stderr.contains("deadLetters"), "what to do is said: {}", ended.stderr);
}

/// P20: New Relic is away for a while; nothing is lost, nothing is doubled.
#[tokio::test]
async fn an_outage_is_waited_out() {
    let backend = stand_in(BackendSettings::default()).await;
    for api in [Api::Events, Api::Logs] {
        backend.script(api, [503, 503, 503].map(Fault::status));
    }
    let source = fresh(200);
    let agent = replay_of::<&str>([]);
    let path = agent.file("records.json", &file_of(&source));
    let ended = good(agent.arg(path.to_string_lossy()).arg("--logs").arg("all").arg("--to").arg(backend.url())).await;
    assert_eq!(ended.count("records.delivered"), 200);
    assert_eq!(backend.store().counts("Log").rows, 200);
    assert_eq!(backend.store().counts("AwsSecurityEvent").rows, ended.count("detections"));
    assert_eq!(backend.store().counts("AwsSecurityEvent").distinct_ids, 2);
    assert_eq!((backend.script_left(Api::Events), backend.script_left(Api::Logs)), (0, 0));
    assert_eq!(ended.summary["answers"], json!({"200": 1, "202": 1, "503": 6}));
}

/// The wait that New Relic asks for is kept.
#[tokio::test]
async fn retry_after_is_honoured() {
    let backend = stand_in(BackendSettings::default()).await;
    backend.script(Api::Logs, [Fault::Status { code: 429, retry_after_s: Some(3) }]);
    let agent = replay_of::<&str>([]);
    let path = agent.file("records.json", &file_of(&fresh(10)));
    let agent = agent.arg(path.to_string_lossy()).arg("--logs").arg("all").arg("--to").arg(backend.url());
    let store = backend.store();
    let waited = async {
        store.wait_until(|store| store.api(Api::Logs).ended(Ending::Status(429)) == 1).await;
        let refused = tokio::time::Instant::now();
        store.wait_until(|store| store.api(Api::Logs).accepted == 1).await;
        refused.elapsed()
    };
    let (ended, waited) = tokio::join!(good(agent), waited);
    assert!(waited >= Duration::from_millis(2_950), "sent again after {waited:?}");
    assert_eq!(ended.count("records.delivered"), 10);
}

/// What New Relic holds of a replay and what the summary says are one and the same over the whole collection of fixtures.
#[tokio::test]
async fn the_summary_of_a_quiet_replay_is_what_was_stored() {
    let backend = stand_in(BackendSettings::default()).await;
    let agent = replay_of([fixtures()]).arg("--logs").arg("all").arg("--restamp").arg("--to").arg(backend.url());
    let ended: Replayed = good(agent).await;
    let store = backend.store();
    let source = records(&fixtures());
    assert_eq!(keys(store.ids("Log")), event_ids(&source));
    assert_eq!(store.counts("AwsSecurityEvent").rows, ended.count("detections"));
    assert_repeats(&backend, &[("Log", Api::Logs, source.len())]);
    assert_clean(&backend);
    assert!(store.rows("AwsSecurityEvent").iter().all(|row| row["relay.late"] == "true"), "old records are marked");
    assert_eq!(ended.summary["retries"], 0);
    assert_eq!(store.counts("AwsSecurityNotice").rows, 0, "a replay pages nobody");
}

/// P24: a dead letter that is not on the disk is not safe, and its record is not let go of.
#[tokio::test]
async fn a_dead_letter_on_a_full_disk_is_not_safe() {
    let letters = TempDir::new().expect("a temporary folder");
    let good_one = data::quiet(1, Clock::system().now_ms() - 60_000);
    let text = file_of(&[good_one, json!({ "no": "record", "long": "x".repeat(100_000) })]);
    for (name, full, want) in [("room", false, (Some(0), 1, 0, 1)), ("none", true, (Some(3), 0, 1, 0))] {
        let backend = stand_in(BackendSettings::default()).await;
        let agent = replay_of::<&str>([]).env("CSPM_RELAY_DEAD_LETTERS", letters.path().to_string_lossy());
        let input = agent.file("input.json", &text);
        let agent = agent.arg("--to").arg(backend.url()).arg("--logs").arg("all").arg(input.to_string_lossy());
        let ended = finish(if full { agent.on_a_full_disk() } else { agent }).await;
        ended.assert_adds_up();
        let files = std::fs::read_dir(letters.path()).expect("a folder").map(|file| file.expect("a file").path());
        let written: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "ndjson")).collect();
        let got = (ended.code, ended.count("records.unreadable"), ended.count("records.returned"), written.len());
        assert_eq!(got, want, "{name}: {}\n{}", ended.summary, ended.stderr);
        assert_eq!(ended.count("records.delivered"), 1, "{name}");
        for path in written {
            std::fs::remove_file(path).expect("a letter");
        }
    }
}
