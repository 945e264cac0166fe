//! X1: every answer that New Relic, or something in its place, can give. None but the documented success acknowledges.

use std::time::Duration;

use cspm_relay::clock::Clock;
use cspm_relay::lab::backend::{Api, Backend, BackendSettings, Fault, Violation};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::agent::{Agent, LICENSE_KEY};
use crate::support::data;
use crate::support::replay::{assert_clean, file_of, finish, good, replay_of, stand_in};

const RECORDS: u64 = 60;

/// A replay of sixty fresh records with one detection.
fn sixty(backend: &Backend) -> Agent {
    let source: Vec<Value> = data::mixed(0, RECORDS, Clock::system().now_ms() - 60_000);
    let agent = replay_of::<&str>([]);
    let path = agent.file("records.json", &file_of(&source));
    agent.arg(path.to_string_lossy()).arg("--logs").arg("all").arg("--to").arg(backend.url())
}

/// Both APIs answer so.
fn script(backend: &Backend, fault: Fault, times: usize) {
    for api in [Api::Events, Api::Logs] {
        backend.script(api, vec![fault; times]);
    }
}

fn says(code: u16, body: &'static str) -> Fault {
    Fault::Says { code, body }
}

/// Answers that mean: try again. Each is met once on both APIs; had one been taken for success, its rows would be missing.
#[tokio::test]
async fn what_may_pass_is_sent_again() {
    let cases = [
        ("200 that says no", says(200, r#"{"success":false}"#)),
        ("200 that says nothing", says(200, "")),
        ("200 of a proxy", says(200, "<html>welcome</html>")),
        ("201", says(201, r#"{"success":true}"#)),
        ("204", Fault::status(204)),
        ("206", says(206, r#"{"success":true}"#)),
        ("408", Fault::status(408)),
        ("429", Fault::Status { code: 429, retry_after_s: Some(1) }),
        ("500", Fault::status(500)),
        ("502", says(502, "<html>bad gateway</html>")),
        ("503", says(503, r#"{"success":true}"#)),
        ("504", Fault::status(504)),
        ("cut before it is read", Fault::CutBeforeRead),
        ("cut after it is read", Fault::CutAfterRead),
        ("a hang", Fault::Delay(Duration::from_secs(30))),
    ];
    let run = async |name: &str, fault: Fault| {
        let backend = stand_in(BackendSettings::default()).await;
        script(&backend, fault, 1);
        let ended = good(sixty(&backend).env("CSPM_RELAY_REQUEST_TIMEOUT", "1s")).await;
        let store = backend.store();
        assert_eq!((backend.script_left(Api::Events), backend.script_left(Api::Logs)), (0, 0), "{name}");
        assert_eq!((store.counts("Log").rows, store.counts("Log").distinct_ids), (RECORDS, RECORDS), "{name}");
        assert_eq!(store.counts("AwsSecurityEvent").rows, ended.count("detections"), "{name}");
        assert_eq!(store.counts("AwsSecurityEvent").repeated, 0, "{name}");
        assert_eq!(ended.count("records.delivered"), RECORDS, "{name}");
        assert_eq!(ended.count("objects.released"), 1, "{name}");
        assert_eq!(ended.summary["retries"], 2, "{name}");
        assert_clean(&backend);
    };
    for pair in cases.chunks(2) {
        match pair {
            [one, two] => drop(tokio::join!(run(one.0, one.1), run(two.0, two.1))),
            rest => {
                for (name, fault) in rest {
                    run(name, *fault).await;
                }
            }
        }
    }
}

/// The success of one API is none of the other's.
#[tokio::test]
async fn the_success_of_the_other_api_is_none() {
    let backend = stand_in(BackendSettings::default()).await;
    backend.script(Api::Events, [says(202, r#"{"success":true}"#)]);
    backend.script(Api::Logs, [says(200, r#"{"success":true}"#)]);
    let ended = good(sixty(&backend)).await;
    assert_eq!(ended.summary["retries"], 2);
    let rows = |event_type: &str| backend.store().counts(event_type).rows;
    assert_eq!((rows("Log"), rows("AwsSecurityEvent")), (RECORDS, ended.count("detections")));
}

/// X10: a lost answer is the one way to a repeated row, and the row says by its id that it is one.
#[tokio::test]
async fn a_lost_answer_repeats_the_rows_of_its_batch() {
    for (name, fault) in
        [("stored, then cut", Fault::AcceptThenCut), ("stored, then silent", Fault::AcceptThenHang(Duration::from_secs(30)))]
    {
        let backend = stand_in(BackendSettings::default()).await;
        script(&backend, fault, 1);
        let ended = good(sixty(&backend).env("CSPM_RELAY_REQUEST_TIMEOUT", "1s")).await;
        let counts = backend.store().counts("Log");
        assert_eq!((counts.rows, counts.distinct_ids, counts.repeated), (2 * RECORDS, RECORDS, RECORDS), "{name}");
        assert_eq!(backend.store().counts("AwsSecurityEvent").repeated, ended.count("detections"), "{name}");
        let api = backend.store().api(Api::Logs);
        assert_eq!((api.accepted_unanswered, api.rows_unanswered), (1, RECORDS), "{name}");
    }
}

/// Answers that mean: nothing will be accepted until a person acts. Nothing is released, nothing is parked, the reason is said.
#[tokio::test]
async fn what_a_person_must_mend_keeps_everything() {
    for (name, fault, hint) in [
        ("301", Fault::status(301), "newrelic.hosts"),
        ("401", Fault::status(401), "newrelic.licenseKey"),
        ("402", Fault::status(402), "newrelic.licenseKey"),
        ("403", Fault::status(403), "newrelic.licenseKey"),
        ("404", Fault::status(404), "newrelic.hosts"),
        ("415", Fault::status(415), "newrelic.hosts"),
        ("418", Fault::status(418), "newrelic.hosts"),
    ] {
        let backend = stand_in(BackendSettings::default()).await;
        script(&backend, fault, 1_000);
        let letters = TempDir::new().expect("a temporary folder");
        let ended = finish(sixty(&backend).env("CSPM_RELAY_DEAD_LETTERS", letters.path().to_string_lossy())).await;
        assert_eq!(ended.code, Some(3), "{name}: {}", ended.stderr);
        ended.assert_adds_up();
        assert_eq!((ended.count("records.returned"), ended.count("records.delivered")), (RECORDS, 0), "{name}");
        assert_eq!((ended.count("objects.returned"), ended.count("objects.released")), (1, 0), "{name}");
        assert!(ended.stderr.contains(hint), "{name}: {}", ended.stderr);
        assert_eq!(std::fs::read_dir(letters.path()).expect("a folder").count(), 0, "{name}: a wrong key is no dead letter");
        assert_eq!(backend.store().counts("Log").rows, 0, "{name}");
    }
}

/// Many files and a wrong key: the replay ends by itself, it does not wait for a key that nobody changes.
#[tokio::test]
async fn a_wrong_key_ends_a_replay_of_many_files() {
    let backend = stand_in(BackendSettings::default()).await;
    script(&backend, Fault::status(403), 10_000);
    let folder = TempDir::new().expect("a temporary folder");
    let now = Clock::system().now_ms() - 60_000;
    for number in 0..120 {
        let path = folder.path().join(format!("{number:03}.json"));
        std::fs::write(path, file_of(&data::mixed(number * 10, 10, now))).expect("a temporary file");
    }
    let agent = replay_of([folder.path()]).arg("--logs").arg("all").arg("--to").arg(backend.url());
    // Small batches and a flush at once: the first refusal comes while files are still waiting.
    let agent = agent.env("CSPM_RELAY_FLUSH_AFTER", "100ms");
    let ended = tokio::time::timeout(Duration::from_secs(30), finish(agent)).await.expect("it ends");
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    ended.assert_adds_up();
    assert_eq!((ended.count("records.delivered"), ended.count("objects.released")), (0, 0), "{}", ended.summary);
    assert!(ended.stderr.contains("newrelic.licenseKey"), "{}", ended.stderr);
    assert_eq!(backend.store().counts("Log").rows, 0);
}

/// A wrong key, as New Relic itself refuses it; and the user's own key never goes to a URL given by hand (P30).
#[tokio::test]
async fn a_wrong_key_is_said_and_the_users_key_stays() {
    let backend = stand_in(BackendSettings::default()).await;
    let source: Vec<Value> = data::mixed(0, RECORDS, Clock::system().now_ms() - 60_000);
    let agent = replay_of::<&str>([]).new_relic(&backend.url());
    let path = agent.file("records.json", &file_of(&source));
    let ended = finish(agent.arg(path.to_string_lossy()).arg("--to").arg("newrelic")).await;
    assert_eq!((ended.code, backend.store().counts("AwsSecurityEvent").rows), (Some(3), 0), "{}", ended.stderr);
    assert!(ended.summary["answers"]["403"].as_u64() > Some(0), "{}", ended.summary);
    assert!(ended.stderr.contains("newrelic.licenseKey"), "{}", ended.stderr);
    assert_eq!(backend.store().violations().keys().collect::<Vec<_>>(), [&Violation::Key]);

    let backend = stand_in(BackendSettings::default()).await;
    good(sixty(&backend).env("NEW_RELIC_LICENSE_KEY", LICENSE_KEY).env("NEW_RELIC_ACCOUNT_ID", "7654321")).await;
    assert_clean(&backend);
}

/// Refusals of the content: 400 and 413 take the batch apart. Refused once: all of it arrives. Refused for good: each item is
/// a dead letter of its own, and the object is done.
#[tokio::test]
async fn refused_content_is_taken_apart() {
    for code in [400, 413] {
        let backend = stand_in(BackendSettings::default()).await;
        script(&backend, Fault::status(code), 1);
        let ended = good(sixty(&backend)).await;
        assert_eq!(backend.store().counts("Log").rows, RECORDS, "{code}");
        assert_eq!(backend.store().counts("AwsSecurityEvent").rows, ended.count("detections"), "{code}");
        assert_eq!((ended.count("records.rejected"), ended.count("records.delivered")), (0, RECORDS), "{code}");
        assert_eq!(ended.count("objects.released"), 1, "{code}");
        assert_eq!(backend.store().api(Api::Logs).requests, 3, "{code}: whole, then both halves");

        let backend = stand_in(BackendSettings::default()).await;
        script(&backend, Fault::status(code), 1_000);
        let letters = TempDir::new().expect("a temporary folder");
        let agent = sixty(&backend).env("CSPM_RELAY_DEAD_LETTERS", letters.path().to_string_lossy());
        let ended = good(agent).await;
        assert_eq!(ended.count("records.rejected"), RECORDS, "{code}");
        let lines: usize = std::fs::read_dir(letters.path())
            .expect("letters")
            .map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("text").lines().count())
            .sum();
        assert_eq!(lines as u64, RECORDS + ended.count("detections"), "{code}: each log and each event");
        assert_eq!(backend.store().counts("Log").rows, 0, "{code}");
    }
}
