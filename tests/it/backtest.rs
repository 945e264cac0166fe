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

/// A row of a failed login as root, so many seconds after 2026-11-21T12:00:00Z, five minutes after its event.
fn notice(at_s: i64, account: &str) -> Value {
    json!({
        "eventType": "AwsSecurityNotice", "timestamp": 1_795_262_400_000_i64 + at_s * 1_000, "control.kind": "detective",
        "control.id": "root-console-login-failed", "control.ids": "|root-console-login-failed|", "aws.accountName": account,
        "source.ip": "203.0.113.7", "event.time": 1_795_262_100_000_i64 + at_s * 1_000, "relay.lagMs": 300_000,
    })
}

/// Failed logins: many in one account, which is critical, one in another.
fn logins() -> String {
    let rows = (0..6).map(|nth| notice(nth * 30, "prod")).chain([notice(40, "dev")]);
    rows.fold(String::new(), |rows, row| rows + &row.to_string() + "\n")
}

/// Rows as `replay` prints them, or as they came back from New Relic: received when they say.
#[tokio::test]
async fn rows_of_a_file_are_received_when_they_say() {
    if is_lean() {
        return;
    }
    let agent = Agent::new(["backtest", "--condition", "root-login-failed", "--format", "json"]);
    let file = agent.file("rows.ndjson", &logins());
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

/// What a muting rule mutes is shown and counts for no budget; a wrong file says where and what is allowed.
#[tokio::test]
async fn what_is_muted_counts_for_no_budget() {
    if is_lean() {
        return;
    }
    let rule = |attribute: &str, account: &str| {
        format!(
            "- name: Drill\n  enabled: true\n  condition:\n    operator: AND\n    conditions:\n      - {{ attribute: {attribute}, operator: EQUALS, values: [{account}] }}\n  \
             schedule: {{ startTime: 2026-11-21T20:00:00, endTime: 2026-11-21T23:00:00, timeZone: Asia/Tokyo }}\n"
        )
    };
    let run = async |format: &str, rules: &str| {
        let agent = Agent::new(["backtest", "--condition", "root-login-failed", "--budget", "0/day", "--format", format]);
        let (rows, rules) = (agent.file("rows.ndjson", &logins()), agent.file("quiet.yml", rules));
        agent.arg("--data").arg(rows.to_string_lossy()).arg("--muting").arg(rules.to_string_lossy()).finish().await
    };
    let loud = run("json", &rule("tags.account", "dev")).await;
    assert_eq!(loud.status.code(), Some(1), "{}", loud.stderr);
    let report = json_of(&loud);
    assert_eq!((&report["pages"], &report["budget"]["holds"]), (&json!(1), &json!(false)), "{report}");
    let quiet = run("json", &rule("tags.account", "prod")).await;
    assert_eq!(quiet.status.code(), Some(0), "{}", quiet.stderr);
    let report = json_of(&quiet);
    let of_prod = |one: &&Value| one["facets"]["account"] == "prod";
    let muted: Vec<&Value> = incidents(&report, "root-login-failed").iter().filter(of_prod).collect();
    assert!(!muted.is_empty() && muted.iter().all(|one| one["mutedBy"] == "Drill"), "{muted:?}");
    let issues = report["issues"].as_array().expect("issues");
    let of_issue = issues.iter().find(|one| one["number"] == muted[0]["issue"]).expect("its issue");
    assert_eq!((&of_issue["paged"], &of_issue["mutedBy"]), (&Value::Null, &json!("Drill")), "{of_issue}");
    let text = run("text", &rule("tags.account", "prod")).await;
    assert!(
        text.stdout.contains("CRITICAL (muted: Drill)") && text.stdout.contains("budget 0/day: at most 0 a day: holds"),
        "{}",
        text.stdout
    );
    let wrong = run("json", &rule("account", "prod")).await;
    assert_eq!(wrong.status.code(), Some(2), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("quiet.yml:6: yaml: attribute `account`; allowed: accountId, "), "{}", wrong.stderr);
}

/// Where there is nothing that a condition reads nothing is said of it, in any form; of silence after the last row neither.
#[tokio::test]
async fn what_the_rows_do_not_tell_is_not_told() {
    if is_lean() {
        return;
    }
    let run = async |format: &str| {
        let agent = Agent::new(["backtest", "--all", "--format", format]);
        let rows = agent.file("rows.ndjson", &logins());
        agent.arg("--data").arg(rows.to_string_lossy()).finish().await
    };
    let report = json_of(&run("json").await);
    assert_eq!(
        (&report["firstArrival"], &report["lastArrival"]),
        (&json!("2026-11-21T12:00:00Z"), &json!("2026-11-21T12:02:30Z"))
    );
    let line = |id: &str| report["conditions"].as_array().expect("conditions").iter().find(|line| line["id"] == id);
    assert_eq!(line("percent-low").expect("a condition")["notTested"], "no rows of AwsPostureSummary");
    assert_eq!(line("root-login-failed").expect("a condition")["notTested"], Value::Null);
    let causes: Vec<&Value> = report["issues"].as_array().expect("issues").iter().map(|issue| &issue["cause"]).collect();
    assert!(!causes.is_empty() && causes.iter().all(|cause| *cause != "signal lost"), "{causes:?}");
    for (format, says) in [
        ("text", "not tested: no rows of AwsPostureSummary"),
        ("html", "not tested: no rows of AwsPostureSummary"),
        ("junit", "<skipped message=\"not tested: no rows of AwsPostureSummary\"/>"),
    ] {
        let ended = run(format).await;
        assert!(ended.stdout.contains(says), "{format}: {}", ended.stdout);
    }
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
        (&["--muting", "/nowhere", &path], "--muting /nowhere"),
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
