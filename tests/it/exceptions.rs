//! Controls that are muted for someone, as an agent shows them: what goes out, what is counted, and what is told at the end.

use serde_json::{Value, json};

use crate::support::agent::{Agent, LICENSE_KEY};
use crate::support::aws::emulator;
use crate::support::replay::{good, replay_of, tally, text};
use crate::support::scene::{Scene, stopped};
use crate::support::{data, eventually};

const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/trail";

/// What the root user did twice, in two Regions.
fn records() -> Value {
    let record = |id: u64, region: &str| {
        json!({
            "eventVersion": "1.08", "eventTime": "2026-05-28T20:00:00Z", "eventSource": "cloudtrail.amazonaws.com",
            "eventName": "StopLogging", "awsRegion": region, "eventID": data::id(id), "eventType": "AwsApiCall",
            "userIdentity": { "type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333" },
            "recipientAccountId": "111122223333", "readOnly": false, "requestParameters": { "name": "org-trail" },
        })
    };
    json!({ "Records": [record(1, "eu-west-1"), record(2, "us-east-1")] })
}

/// S2-20: an exception mutes what is in its scope, and no longer than it says, whatever the clock of the replay shows.
#[tokio::test]
async fn a_muted_record_is_suppressed_until_its_exception_ends() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("records.json");
    std::fs::write(&path, records().to_string()).expect("a temporary file");
    let plain = good(replay_of([&path])).await;
    let controls = tally(plain.events().iter().map(|event| text(&event["control.id"])));
    assert!(controls.len() >= 2 && controls.values().all(|count| *count == 2), "{controls:?}");
    let mut exceptions = String::new();
    for control in controls.keys() {
        exceptions += &format!("- {{control: {control}, owner: web-team, reason: drill, ");
        exceptions += "expires: 2026-05-28, scope: {regions: eu-west-1}}\n";
    }
    for (now, suppressed) in [("2026-05-28T20:30:00Z", 1), ("2026-05-29T00:00:00Z", 0)] {
        let agent = replay_of([&path]).arg("--now").arg(now);
        let file = agent.file("exceptions.yml", &exceptions);
        let ended = good(agent.env("CSPM_RELAY_EXCEPTIONS", file.to_string_lossy())).await;
        assert_eq!(ended.count("records.suppressed"), suppressed, "{now}");
        assert_eq!(ended.count("records.delivered"), 2 - suppressed, "{now}");
        let regions = tally(ended.events().iter().map(|event| text(&event["aws.region"])));
        let kinds = controls.len() as u64;
        assert_eq!(regions.get("us-east-1"), Some(&kinds), "{now}");
        assert_eq!(regions.get("eu-west-1").copied().unwrap_or(0), kinds * (1 - suppressed), "{now}");
        assert_eq!(ended.logs().len(), 2, "{now}: what is muted still stands in the log");
    }
}

/// S2-20: the end of an exception is an event, from each start and not at each look, also of an agent that sends no heartbeats.
#[tokio::test]
async fn an_exception_that_has_expired_is_told() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let agent = scene.agent();
    let text = "- {control: restricted-ssh, owner: net-team, reason: migration, expires: 2026-01-31}\n\
                - {control: restricted-ssh, owner: web-team, reason: site, expires: 2999-01-31}\n";
    let file = agent.file("exceptions.yml", text);
    let agent = agent.env("CSPM_RELAY_EXCEPTIONS", file.to_string_lossy()).env("CSPM_RELAY_HEARTBEAT", "off").start();
    let store = scene.new_relic.store();
    eventually("the end", async || !store.rows("CspmRelayException").is_empty()).await;
    // Longer than until the next look.
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    stopped(agent).await;
    assert_eq!(store.rows("CspmRelayHeartbeat").len(), 0);
    let rows = store.rows("CspmRelayException");
    assert_eq!(rows.len(), 1, "{rows:?}");
    for (name, want) in [
        ("control.id", "restricted-ssh"),
        ("exception.state", "expired"),
        ("exception.owner", "net-team"),
        ("exception.reason", "migration"),
        ("exception.expires", "2026-01-31"),
    ] {
        assert_eq!(rows[0][name], want, "{name}");
    }
    scene.no_violations();
}

#[tokio::test]
async fn check_tells_what_is_wrong_and_what_is_over() {
    let check = |yaml: &str| {
        let agent = Agent::new(["check"]).env("NEW_RELIC_LICENSE_KEY", LICENSE_KEY).env("NEW_RELIC_ACCOUNT_ID", "1");
        let file = agent.file("exceptions.yml", yaml);
        agent.env("CSPM_RELAY_TRAIL_QUEUE_URL", QUEUE).env("CSPM_RELAY_EXCEPTIONS", file.to_string_lossy())
    };
    let broken = check("- {control: restricted-ssh, owner: o}\n").finish().await;
    assert_eq!(broken.status.code(), Some(2));
    for want in ["exceptions.yml:1: [0].reason: missing", "exceptions.yml:1: [0].expires: missing"] {
        assert!(broken.stdout.contains(want), "{want}: {}", broken.stdout);
    }
    let json = check("[{control: 1}]").arg("--format").arg("json").finish().await;
    let report: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((&report["valid"], &report["faults"][0]["path"]), (&json!(false), &json!("exceptions")));
    let doubtful = "- {control: restrictd-ssh, owner: o, reason: r, expires: 2999-01-31}\n\
                    - {control: restricted-ssh, owner: o, reason: r, expires: 2026-01-31}\n";
    let good = check(doubtful).finish().await;
    assert_eq!(good.status.code(), Some(0), "{}", good.stdout);
    for want in [
        "exceptions   2 exceptions from ",
        "did you mean `restricted-ssh`?",
        "exceptions.yml:2: the exception of restricted-ssh expired at 2026-02-01T00:00:00Z and mutes nothing",
    ] {
        assert!(good.stdout.contains(want), "{want}: {}", good.stdout);
    }
    // What `check` refuses, no agent starts with.
    let agent = Agent::run("http://127.0.0.1:9", "http://127.0.0.1:9", QUEUE);
    let file = agent.file("exceptions.yml", "nothing");
    let refused = agent.env("CSPM_RELAY_EXCEPTIONS", file.to_string_lossy()).finish().await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stderr.contains("reading exceptions from "), "{}", refused.stderr);
}
