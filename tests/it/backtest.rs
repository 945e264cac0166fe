//! What alert conditions would have told people: on records, on rows, with a budget.

use serde_json::{Value, json};

use crate::support::agent::{Agent, Finished, is_lean};
use crate::support::replay::{attacks, fixtures};

async fn backtest(arguments: &[&str]) -> Finished {
    let agent = arguments.iter().fold(Agent::new(["backtest"]), |agent, argument| agent.arg(*argument));
    agent.finish().await
}

fn json_of(ended: &Finished) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", ended.stdout, ended.stderr))
}

/// The incidents of one condition.
fn incidents<'v>(report: &'v Value, id: &str) -> &'v [Value] {
    let line = report["conditions"].as_array().expect("conditions").iter().find(|line| line["id"] == id);
    line.and_then(|line| line["incidents"].as_array()).unwrap_or_else(|| panic!("{id} in {report}"))
}

/// P28, S3-14: records of an attack raise the incidents that they should, at the time when they came, and the same ones every time.
#[tokio::test]
async fn records_of_an_attack_raise_incidents_when_they_came() {
    if is_lean() {
        return;
    }
    let path = attacks().to_string_lossy().into_owned();
    let ended = backtest(&[&path, "--format", "json"]).await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let report = json_of(&ended);
    let stopped = incidents(&report, "cloudtrail-stopped");
    assert!(!stopped.is_empty() && stopped.iter().all(|one| one["priority"] == "CRITICAL"), "{stopped:?}");
    // A window of ten minutes and a timer of ten more: never before the record came, never an hour later.
    assert!(!incidents(&report, "admin-granted").is_empty());
    assert_eq!(incidents(&report, "integration-errors"), [] as [Value; 0]);
    let again = backtest(&[&path, "--format", "json"]).await;
    assert_eq!(ended.stdout, again.stdout);
    // The same, each record an hour late: every incident an hour later, none more.
    let late = json_of(&backtest(&[&path, "--format", "json", "--lateness", "60m"]).await);
    assert_eq!(incidents(&late, "cloudtrail-stopped").len(), stopped.len());
    assert!(incidents(&late, "cloudtrail-stopped")[0]["opened"].as_str() > stopped[0]["opened"].as_str());
}

/// S3-14: a budget that is exceeded ends with 1 and says when; one that holds ends with 0.
#[tokio::test]
async fn a_budget_decides_the_exit_code() {
    if is_lean() {
        return;
    }
    let path = attacks().to_string_lossy().into_owned();
    let report = json_of(&backtest(&[&path, "--format", "json", "--budget", "0/month"]).await);
    let most =
        report["budget"]["periods"].as_array().expect("periods").iter().filter_map(|period| period["pages"].as_u64()).max();
    let most = most.expect("a period");
    assert!(most > 1 && report["budget"]["holds"] == false, "{}", report["budget"]);
    for (pages, code, word) in [(most, 0, "holds"), (most - 1, 1, "EXCEEDED")] {
        let budget = format!("{pages}/month");
        let ended = backtest(&[&path, "--budget", &budget]).await;
        assert_eq!(ended.status.code(), Some(code), "{}\n{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains(&format!("budget {budget}: at most {most} a month: {word}")), "{}", ended.stdout);
        let junit = backtest(&[&path, "--budget", &budget, "--format", "junit"]).await;
        assert_eq!((junit.status.code(), junit.stdout.contains("<failure")), (Some(code), code == 1), "{}", junit.stdout);
    }
}

/// Rows as `replay` prints them, or as they came back from New Relic: received when they say.
#[tokio::test]
async fn rows_of_a_file_are_received_when_they_say() {
    if is_lean() {
        return;
    }
    let notice = |at_s: i64, account: &str| {
        json!({
            "eventType": "AwsSecurityNotice", "timestamp": 1_795_262_400_000_i64 + at_s * 1_000, "control.kind": "detective",
            "control.id": "root-console-login-failed", "control.ids": "|root-console-login-failed|", "aws.accountName": account,
            "source.ip": "203.0.113.7", "event.time": 1_795_262_100_000_i64 + at_s * 1_000, "relay.lagMs": 300_000,
        })
    };
    let agent = Agent::new(["backtest", "--condition", "root-login-failed", "--format", "json"]);
    let rows = (0..6)
        .map(|nth| notice(nth * 30, "prod"))
        .chain([notice(40, "dev")])
        .fold(String::new(), |rows, row| rows + &row.to_string() + "\n");
    let file = agent.file("rows.ndjson", &rows);
    let ended = agent.arg("--data").arg(file.to_string_lossy()).finish().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let report = json_of(&ended);
    let told: Vec<(&str, &str)> = incidents(&report, "root-login-failed")
        .iter()
        .map(|one| (one["priority"].as_str().expect("a word"), one["facets"]["account"].as_str().expect("an account")))
        .collect();
    assert_eq!(told.iter().filter(|one| **one == ("CRITICAL", "prod")).count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|one| one.1 == "dev").collect::<Vec<_>>(), [&("WARNING", "dev")], "{told:?}");
}

#[tokio::test]
async fn what_cannot_be_tested_says_why() {
    if is_lean() {
        return;
    }
    let path = fixtures().to_string_lossy().into_owned();
    for (arguments, says) in [
        (&["--budget", "5/year", &path][..], "as 5/week"),
        (&["--condition", "no-such", &path], "`cspm-relay alerts list` shows the ids"),
        (&["--lateness", "soon", &path], "allowed: trail, or a time"),
        (&["--conditions", "/nowhere", &path], "/nowhere"),
        (&["/nowhere"], "/nowhere"),
        (&[], "PATH"),
    ] {
        let ended = backtest(arguments).await;
        assert_eq!(ended.status.code(), Some(2), "{arguments:?} {}", ended.stderr);
        assert!(ended.stderr.contains(says), "{arguments:?} {}", ended.stderr);
    }
}

/// A condition that New Relic would refuse is told and fails; the others are tested.
#[tokio::test]
async fn a_condition_that_would_be_refused_stops_no_other() {
    if is_lean() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("nrql/conditions/detective");
    for name in ["policy.yml", "root-used.yml", "cloudtrail-stopped.yml"] {
        let text = std::fs::read_to_string(shipped.join(name)).expect("a condition");
        let text = if name == "root-used.yml" { text.replace("SELECT count(*)", "SELECT histogram(relay.lagMs)") } else { text };
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let conditions = folder.path().to_string_lossy().into_owned();
    let path = attacks().to_string_lossy().into_owned();
    let ended = backtest(&[&path, "--conditions", &conditions]).await;
    assert_eq!(ended.status.code(), Some(1), "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("REFUSED  root-used: "), "{}", ended.stdout);
    assert!(ended.stdout.contains("cloudtrail-stopped"), "{}", ended.stdout);
}
