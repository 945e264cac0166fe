//! Roll-up metrics equal exact counts, and say by how much they may not.
//!
//! What is true is counted here from the records that are put in, and from the rows of events that the stand-in has; never from
//! what the agent says of itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use cspm_relay::clock::Clock;
use cspm_relay::deliver::Letter;
use cspm_relay::deliver::letter::{Count, LetterKind};
use cspm_relay::lab::backend::{Api, Backend, BackendSettings, Ending, Fault, RandomFaults};
use serde_json::{Map, Value};

use crate::support::agent::Agent;
use crate::support::aws::emulator;
use crate::support::data;
use crate::support::replay::{Replayed, assert_clean, file_of, finish, good, replay_of, stand_in, text};
use crate::support::scene::{Scene, objects, stopped};
use crate::support::within;

/// Records and detections by their attributes.
type Sums = BTreeMap<Vec<String>, u64>;

/// The points of one counter, added up by these attributes.
fn sums(backend: &Backend, metric: &str, by: &[&str]) -> Sums {
    let mut sums = Sums::new();
    for row in points(backend, metric) {
        assert_eq!(row[metric]["type"], "count", "{row:?}");
        let key = by.iter().map(|name| text(&row[*name])).collect();
        *sums.entry(key).or_default() += row[metric]["count"].as_u64().expect("a whole number");
    }
    sums
}

fn points(backend: &Backend, metric: &str) -> Vec<Map<String, Value>> {
    backend.store().rows("Metric").into_iter().filter(|row| row["metricName"] == metric).collect()
}

fn total(sums: &Sums) -> u64 {
    sums.values().sum()
}

/// By how much a metric may be too high.
fn maybe_double(backend: &Backend, metric: &str) -> u64 {
    sums(backend, "cspm.rollup.maybeDouble", &["rollup.metric"]).get(&vec![metric.to_owned()]).copied().unwrap_or(0)
}

/// Distinct rows of detections: what New Relic has, each once.
fn detections(backend: &Backend) -> u64 {
    backend.store().detection_ids("AwsSecurityEvent").len() as u64
}

/// Small bodies: many requests, and splits.
fn small(agent: Agent) -> Agent {
    agent.env("CSPM_RELAY_BODY_BYTES", "10000").env("CSPM_RELAY_PACKED_BODY_BYTES", "10000")
}

const FAULTS: RandomFaults =
    RandomFaults { seed: 11, share: 0.3, accept_then_cut: 0.0, max_consecutive: Some(3), retry_after_s: Some(1) };

/// The agent between a queue and a New Relic with these faults, over 20 objects of 100 records each, one of a hundred alarming.
async fn through(faults: RandomFaults) -> Option<Scene> {
    let scene = Scene::new(emulator("ministack").await?).await;
    scene.new_relic.random_faults(Some(faults));
    let mut agent = small(scene.agent()).start();
    agent.ready().await;
    let ids = scene.deliver(&objects(0, 20, 100)).await;
    scene.has_within(Duration::from_mins(2), &ids).await;
    scene.empty().await;
    stopped(agent).await;
    scene.no_violations();
    Some(scene)
}

/// Acceptance: refusals, cut connections and splits change no count.
#[tokio::test]
async fn counters_equal_exact_counts_under_refusals_and_splits() {
    let Some(scene) = through(FAULTS).await else { return };
    let backend = &scene.new_relic;
    let refused = |api: Api| {
        let counts = backend.store().api(api);
        counts.requests - counts.accepted
    };
    let split: u64 = [Api::Events, Api::Logs].iter().map(|api| backend.store().api(*api).ended(Ending::Status(413))).sum();
    assert!(refused(Api::Logs) > 20 && split > 3, "{:?}: this proves little", backend.store().summary().apis);
    assert_eq!(backend.store().api(Api::Logs).rows_unanswered + backend.store().api(Api::Events).rows_unanswered, 0);

    let names = ["aws.accountId", "aws.region", "aws.service", "record.kind"];
    let key = |service: &str| [data::ACCOUNT, data::REGION, service, "trail"].map(str::to_owned).to_vec();
    let records = sums(backend, "cspm.records", &names);
    assert_eq!(records, [(key("ec2"), 1_980), (key("cloudtrail"), 20)].into());

    let by_control = sums(backend, "cspm.detections", &["aws.accountId", "control.severity", "control.id"]);
    let mut expected = Sums::new();
    for row in backend.store().rows("AwsSecurityEvent") {
        *expected
            .entry(["aws.accountId", "control.severity", "control.id"].map(|name| text(&row[name])).to_vec())
            .or_default() += 1;
    }
    assert_eq!(by_control, expected);
    assert!(total(&by_control) >= 20, "{by_control:?}");
    for row in points(backend, "cspm.records") {
        assert_eq!(row["aws.accountName"], data::ACCOUNT, "no name is known: the id");
        assert!(row["timestamp"].as_i64() <= row["endTimestamp"].as_i64(), "{row:?}");
    }
}

/// Acceptance: with lost answers the error is within what is said beside the counts, and never too low.
#[tokio::test]
async fn with_lost_answers_the_error_is_within_what_is_said() {
    let Some(scene) = through(RandomFaults { accept_then_cut: 1.0, ..FAULTS }).await else { return };
    let backend = &scene.new_relic;
    let lost = backend.store().api(Api::Logs).rows_unanswered;
    assert!(lost > 100, "only {lost} rows without an answer: this proves little");
    for (metric, exact) in [("cspm.records", 2_000), ("cspm.detections", detections(backend))] {
        let (counted, doubt) = (total(&sums(backend, metric, &[])), maybe_double(backend, metric));
        assert!(counted >= exact && counted - exact <= doubt, "{metric}: {counted} of {exact}, {doubt} in doubt");
    }
    // Who compares with rows, repeated ones and all, finds the difference explained, too.
    let (counted, doubt) = (total(&sums(backend, "cspm.detections", &[])), maybe_double(backend, "cspm.detections"));
    let rows = backend.store().counts("AwsSecurityEvent").rows;
    assert!(counted.abs_diff(rows) <= doubt, "{counted} beside {rows} rows, {doubt} in doubt");
}

/// A file of a hundred records, one of them alarming, to a stand-in.
async fn sent(backend: &Backend, more: impl Fn(Agent) -> Agent) -> Replayed {
    let agent = replay_of::<&str>([]);
    let records = data::mixed(0, 100, Clock::system().now_ms() - 120_000);
    let path = agent.file("records.json", &file_of(&records));
    let agent = agent.arg(path.to_string_lossy()).arg("--logs").arg("all").arg("--to").arg(backend.url());
    good(more(agent)).await
}

fn same(agent: Agent) -> Agent {
    agent
}

/// Nothing tells `replay` what `run`, or a replay before it, has counted: whatever it counts is in doubt.
#[tokio::test]
async fn what_is_replayed_is_counted_in_doubt() {
    let backend = stand_in(BackendSettings::default()).await;
    for times in 1..=2 {
        sent(&backend, same).await;
        for (metric, exact) in [("cspm.records", 100), ("cspm.detections", detections(&backend))] {
            let counted = total(&sums(&backend, metric, &[]));
            assert_eq!((counted, maybe_double(&backend, metric)), (exact * times, exact * times), "{metric}");
        }
    }
}

/// A point that was answered with a refusal is counted once; one whose answer was lost within what is said beside it.
#[tokio::test]
async fn faults_of_the_metrics_endpoint_itself_count_nothing_twice_that_was_answered() {
    let limited = Fault::Status { code: 429, retry_after_s: Some(1) };
    let hang = Fault::AcceptThenHang(Duration::from_secs(5));
    // Faults, times the counts were stored, counts in doubt.
    for (name, faults, times, doubt) in [
        ("none", vec![], 1, 0),
        ("too many requests", vec![limited], 1, 0),
        ("not available, twice", vec![Fault::status(503); 2], 1, 0),
        ("too large", vec![Fault::TooLarge], 1, 0),
        ("cut before it was taken", vec![Fault::CutAfterRead], 1, 1),
        ("an error of the server", vec![Fault::status(500)], 1, 1),
        ("a lost answer", vec![Fault::AcceptThenCut], 2, 1),
        ("two lost answers", vec![Fault::AcceptThenCut; 2], 3, 2),
        ("an answer that came too late", vec![hang], 2, 1),
        ("200 with a page of a proxy", vec![Fault::Says { code: 200, body: "<html>" }], 1, 1),
        ("200 with one that begins like OTLP", vec![Fault::Says { code: 200, body: "\n<html>sign in</html>" }], 1, 1),
    ] {
        let backend = stand_in(BackendSettings::default()).await;
        backend.script(Api::Metrics, faults);
        let ended = sent(&backend, |agent| agent.env("CSPM_RELAY_REQUEST_TIMEOUT", "2s")).await;
        assert_eq!(backend.script_left(Api::Metrics), 0, "{name}");
        let counted = ["cspm.records", "cspm.detections"].map(|metric| total(&sums(&backend, metric, &[])));
        assert_eq!(counted, [100 * times, detections(&backend) * times], "{name}");
        let doubts = ["cspm.records", "cspm.detections"].map(|metric| maybe_double(&backend, metric));
        // All that is replayed is in doubt by itself, and that doubt is in the same body.
        let doubt = times + doubt;
        assert_eq!(doubts, [100 * doubt, detections(&backend) * doubt], "{name}");
        assert_eq!(ended.summary["rollups"]["unsent"], 0, "{name}: {}", ended.summary);
        assert_eq!(ended.summary["rollups"]["refused"], 0, "{name}: {}", ended.summary);
        assert_clean(&backend);
    }
}

/// A refused point costs itself, and is told; the others are counted.
#[tokio::test]
async fn a_refused_point_is_told_and_costs_itself_alone() {
    let backend = stand_in(BackendSettings::default()).await;
    backend.poison(Api::Metrics, "cspm.detections", 400);
    let ended = sent(&backend, same).await;
    assert_eq!(total(&sums(&backend, "cspm.records", &[])), 100);
    assert!(points(&backend, "cspm.detections").is_empty());
    assert_eq!(ended.summary["rollups"]["refused"], detections(&backend));
    assert_eq!(ended.summary["rollups"]["unsent"], 0);
}

/// Metrics that are never taken stop nothing, and what is missing is said.
#[tokio::test]
async fn without_the_metrics_endpoint_events_arrive_and_what_is_missing_is_said() {
    let backend = stand_in(BackendSettings::default()).await;
    backend.script(Api::Metrics, (0..1_000).map(|_| Fault::status(403)));
    let ended = sent(&backend, same).await;
    assert_eq!(backend.store().ids("Log").len(), 100);
    assert_eq!(ended.count("records.delivered"), 100);
    assert_eq!(ended.summary["rollups"]["unsent"], 100 + detections(&backend), "{}", ended.stderr);
    assert!(backend.store().rows("Metric").is_empty());
}

/// Who switches them off sends none.
#[tokio::test]
async fn metrics_can_be_switched_off() {
    let backend = stand_in(BackendSettings::default()).await;
    let ended = sent(&backend, |agent| agent.env("CSPM_RELAY_METRICS", "false")).await;
    assert_eq!(backend.store().api(Api::Metrics).requests, 0);
    assert_eq!(ended.summary["rollups"]["sent"], 0);
    assert_eq!(backend.store().ids("Log").len(), 100);
}

/// S1-02: a point says of its account what an event says, also of an account of which nobody knows anything: a filter of the
/// dashboard passes over what is not there.
#[tokio::test]
async fn points_say_of_an_unknown_account_what_events_say() {
    let backend = stand_in(BackendSettings::default()).await;
    sent(&backend, same).await;
    let names = ["aws.accountId", "aws.accountName", "aws.organizationalUnit", "aws.environment", "aws.region"];
    let said = |row: &Map<String, Value>| names.map(|name| row.get(name).cloned());
    let expected = [data::ACCOUNT, data::ACCOUNT, "unknown", "unknown", data::REGION].map(|value| Some(Value::from(value)));
    let events = backend.store().rows("AwsSecurityEvent");
    assert!(!events.is_empty());
    for row in events.iter().chain(&points(&backend, "cspm.records")).chain(&points(&backend, "cspm.detections")) {
        assert_eq!(said(row), expected, "{row:?}");
    }
}

/// What is refused counts when its letter is accepted: not before, not twice, and nothing else that the letters hold.
#[tokio::test]
async fn what_is_accepted_of_the_dead_letters_is_counted_then() {
    let backend = stand_in(BackendSettings::default()).await;
    let letters = tempfile::TempDir::new().expect("a folder");
    let records = data::mixed(0, 100, Clock::system().now_ms() - 120_000);
    let agent = replay_of::<&str>([]);
    let path = agent.file("records.json", &file_of(&records));
    let agent = agent.arg(path.to_string_lossy()).arg("--logs").arg("all").arg("--to").arg(backend.url());
    backend.poison(Api::Events, "AwsSecurityEvent", 400);
    backend.poison(Api::Logs, &data::id(7), 400);
    let ended = finish(agent.env("CSPM_RELAY_DEAD_LETTERS", letters.path().to_string_lossy())).await;
    // The alarming record of a hundred, and one of the others.
    let refused = ended.count("records.rejected");
    assert_eq!(refused, 2, "{}", ended.stderr);
    assert_eq!((total(&sums(&backend, "cspm.records", &[])), detections(&backend)), (98, 0));
    assert!(points(&backend, "cspm.detections").is_empty());

    let replay = || {
        let agent = Agent::new(["dlq", "replay"]).arg("--from").arg(letters.path().to_string_lossy());
        agent.arg("--to").arg(backend.url()).finish()
    };
    let still = replay().await;
    assert_eq!(total(&sums(&backend, "cspm.records", &[])), 98, "refused again: {}{}", still.stdout, still.stderr);
    backend.poison(Api::Events, "", 400);
    backend.poison(Api::Logs, "", 400);
    let replayed = replay().await;
    assert_eq!(replayed.status.code(), Some(0), "{}{}", replayed.stdout, replayed.stderr);
    let names = ["aws.accountId", "aws.region", "record.kind"];
    let key = [data::ACCOUNT, data::REGION, "trail"].map(str::to_owned).to_vec();
    assert_eq!(sums(&backend, "cspm.records", &names), [(key, 100)].into());
    let by_control = |row: &Map<String, Value>| ["control.severity", "control.id"].map(|name| text(&row[name])).to_vec();
    let mut expected = Sums::new();
    for row in backend.store().rows("AwsSecurityEvent") {
        *expected.entry(by_control(&row)).or_default() += 1;
    }
    assert_eq!(sums(&backend, "cspm.detections", &["control.severity", "control.id"]), expected);
    assert!(total(&expected) >= 1);
    // Nothing is left, so nothing is counted again.
    let again = replay().await;
    assert_eq!(again.status.code(), Some(0), "{}{}", again.stdout, again.stderr);
    assert_eq!(total(&sums(&backend, "cspm.records", &[])), 100);
    assert_clean(&backend);
}

/// A letter of an event of this number, with what it counts.
fn counting_letter(number: u64) -> Letter {
    let item = format!(r#"{{"eventType":"AwsSecurityEvent","timestamp":1000,"event.id":"e-{number}","relay.late":"false"}}"#);
    let values = [data::ACCOUNT, data::REGION, "iam", "HIGH", "root-used"].map(str::to_owned).to_vec();
    let counts = vec![Count { metric: "cspm.detections".to_owned(), values }];
    Letter { counts, ..Letter::new(LetterKind::Event, 0, "", "", None, "status 400", item.as_bytes()) }
}

fn write_letters(path: &Path, letters: impl IntoIterator<Item = Letter>) {
    let text: String = letters.into_iter().map(|letter| letter.line() + "\n").collect();
    std::fs::write(path, text).expect("a file of letters");
}

/// Who is refused part-way still counts what was accepted before, and says so when that too is refused.
#[tokio::test]
async fn a_replay_that_is_blocked_sends_what_it_counted_or_says_what_is_missing() {
    for (name, metrics, counted, warns) in
        [("metrics are taken", Fault::Normal, 500, false), ("nothing is", Fault::status(403), 0, true)]
    {
        let backend = stand_in(BackendSettings::default()).await;
        let letters = tempfile::TempDir::new().expect("a folder");
        write_letters(&letters.path().join("a.ndjson"), (0..500).map(counting_letter));
        write_letters(&letters.path().join("b.ndjson"), (500..600).map(counting_letter));
        backend.script(Api::Events, [Fault::Normal, Fault::status(403)]);
        backend.script(Api::Metrics, [metrics]);
        let agent = Agent::new(["dlq", "replay"]).arg("--from").arg(letters.path().to_string_lossy());
        let ended = agent.arg("--to").arg(backend.url()).finish().await;
        assert_eq!(ended.status.code(), Some(3), "{name}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains("500 replayed + 100 stayed"), "{name}: {}", ended.stdout);
        assert_eq!(total(&sums(&backend, "cspm.detections", &[])), counted, "{name}: {}", ended.stderr);
        let warning = "500 counts of what was accepted are missing in the roll-up metrics";
        assert_eq!(ended.stderr.contains(warning), warns, "{name}: {}", ended.stderr);
    }
}

/// A letter that was accepted and cannot be taken away is counted by the next replay too: so much is doubted.
#[tokio::test]
async fn letters_that_cannot_be_taken_away_are_in_doubt() {
    let backend = stand_in(BackendSettings::default()).await;
    let letters = tempfile::TempDir::new().expect("a folder");
    // What stays must be written under a longer name first, and there is none.
    let path = letters.path().join("n".repeat(240) + ".ndjson");
    let broken = Letter::new(LetterKind::Record, 0, "trail", "s3://b/k", Some(1), "not JSON", b"{\"half\":");
    let whole = data::alarming(7, Clock::system().now_ms()).to_string();
    let whole = Letter::new(LetterKind::Record, 0, "trail", "s3://b/k", Some(2), "a rule that was broken", whole.as_bytes());
    write_letters(&path, (0..10).map(counting_letter).chain([broken, whole]));
    for times in 1..=2 {
        let agent = Agent::new(["dlq", "replay"]).arg("--from").arg(letters.path().to_string_lossy());
        let ended = agent.arg("--to").arg(backend.url()).finish().await;
        assert!(ended.stderr.contains("what was sent will be sent again"), "{}{}", ended.stdout, ended.stderr);
        // Ten of the items, and two of the record.
        for (metric, counts) in [("cspm.detections", 12), ("cspm.records", 1)] {
            let counted = total(&sums(&backend, metric, &[]));
            assert_eq!((counted, maybe_double(&backend, metric)), (counts * times, counts * times), "{metric}");
        }
    }
}

/// S3 tells of an object once or more. An agent that has forgotten its records still knows the object, and says what it doubts.
#[tokio::test]
async fn an_object_that_is_told_of_twice_is_in_doubt() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let mut agent = scene.agent().env("CSPM_RELAY_SEEN_RECORDS", "2").start();
    agent.ready().await;
    let (first, other) = (objects(0, 1, 100), objects(1, 1, 100));
    for (objects, rows) in [(&first, 100), (&other, 200), (&first, 300)] {
        scene.deliver(objects).await;
        let has_come = async || scene.new_relic.store().counts("Log").rows == rows;
        within(Duration::from_mins(1), "the object's logs have come", has_come).await;
        scene.empty().await;
    }
    stopped(agent).await;
    let backend = &scene.new_relic;
    assert_eq!(total(&sums(backend, "cspm.records", &[])), 300, "200 records, and 100 of them again");
    assert_eq!(maybe_double(backend, "cspm.records"), 100);
}
