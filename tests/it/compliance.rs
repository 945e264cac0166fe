//! AWS Config's compliance changes, from a queue and from files, as New Relic holds them.

use std::collections::{BTreeMap, BTreeSet};

use cspm_relay::clock::Clock;
use serde_json::{Map, Value, json};

use crate::support::agent::Agent;
use crate::support::aws::emulators;
use crate::support::replay::{generate, good, replay_of, text};
use crate::support::scene::{Scene, stopped};

const CHANGE: &str = include_str!("../fixtures/eventbridge/config-compliance-change.json");

/// The change of the fixture for one resource at one time, from one state to another.
fn change(resource: &str, time_ms: i64, from: Option<&str>, to: Option<&str>) -> Value {
    let time = jiff::Timestamp::from_millisecond(time_ms).expect("a time").to_string();
    let mut event: Value = serde_json::from_str(CHANGE).expect("JSON");
    let detail = &mut event["detail"];
    detail["resourceId"] = json!(resource);
    detail["notificationCreationTime"] = json!(time);
    let new = &mut detail["newEvaluationResult"];
    new["complianceType"] = json!(to);
    new["resultRecordedTime"] = json!(time);
    if to.is_none() {
        *new = Value::Null;
    }
    detail["oldEvaluationResult"] = from.map_or(Value::Null, |state| json!({ "complianceType": state }));
    event
}

fn by_resource(rows: Vec<Map<String, Value>>) -> BTreeMap<String, Map<String, Value>> {
    rows.into_iter().map(|row| (text(&row["resource.id"]), row)).collect()
}

/// S0-03, S0-21, S2-19: each change of state is one row with both states; a violation that begins is one notice, stamped on
/// arrival; what is told twice is one; what cannot be read is a dead letter with its reason.
#[tokio::test]
async fn changes_of_state_arrive_once_and_violations_are_noticed() {
    const BAD: &str = "NON_COMPLIANT";
    const GOOD: &str = "COMPLIANT";
    for aws in emulators().await {
        let (name, scene) = (aws.name, Scene::new(aws).await);
        let began = Clock::system().now_ms();
        let time = began - 3_600_000;
        let cases = [
            ("broken", Some(GOOD), Some(BAD), true),
            // Nobody reads AWS Config here: what a rule that was just heard of says first is how things are.
            ("new-and-bad", None, Some(BAD), false),
            ("mended", Some(BAD), Some(GOOD), false),
            ("bad-as-before", Some(BAD), Some(BAD), false),
            ("deleted", Some(BAD), None, false),
            ("out-of-scope", Some(GOOD), Some("NOT_APPLICABLE"), false),
        ];
        let mut malformed = change("malformed", time, Some(GOOD), Some(BAD));
        malformed["detail"]["configRuleName"] = json!("");
        let agent = scene.event_agent().start();
        for (resource, from, to, _) in cases {
            let event = change(resource, time, from, to).to_string();
            scene.trail.queue.send(&event).await;
            // At least once, says EventBridge.
            scene.trail.queue.send(&event).await;
        }
        scene.trail.queue.send(&malformed.to_string()).await;
        scene.counts("recordsReceived", 2 * 6 + 1).await;
        scene.empty().await;
        stopped(agent).await;

        let store = scene.new_relic.store();
        let changes = by_resource(store.rows("AwsComplianceChange"));
        assert_eq!((store.rows("AwsComplianceChange").len(), changes.len()), (6, 6), "{name}");
        for (resource, from, to, _) in cases {
            let row = &changes[resource];
            let states = (text(&row["compliance.previousState"]), text(&row["compliance.state"]));
            assert_eq!(states, (from.unwrap_or("NONE").to_owned(), to.unwrap_or("LEFT").to_owned()), "{name}: {resource}");
            assert_eq!((&row["timestamp"], &row["event.time"]), (&json!(time), &json!(time)), "{name}: {resource}");
            for (attribute, want) in [
                ("control.id", "s3-bucket-public-read-prohibited"),
                ("control.kind", "preventive"),
                ("control.pillar", "DSPM"),
                ("aws.accountId", "111122223333"),
                ("aws.region", "eu-west-1"),
                ("aws.service", "s3"),
                ("resource.type", "AWS::S3::Bucket"),
                ("relay.late", "false"),
            ] {
                assert_eq!(row[attribute], want, "{name}: {resource}: {attribute}");
            }
            assert!(text(&row["control.frameworks"]).contains("|NIST-800-53-r5:"), "{name}: {row:?}");
        }
        let notices = by_resource(store.rows("AwsSecurityNotice"));
        assert_eq!(store.rows("AwsSecurityNotice").len(), notices.len(), "{name}: one page for one violation");
        let wanted: BTreeSet<&str> = cases.iter().filter(|case| case.3).map(|case| case.0).collect();
        assert_eq!(notices.keys().map(String::as_str).collect::<BTreeSet<_>>(), wanted, "{name}");
        for (resource, notice) in &notices {
            assert_eq!(notice["event.id"], changes[resource]["event.id"], "{name}");
            assert_eq!(notice["control.ids"], "|s3-bucket-public-read-prohibited|", "{name}");
            assert!(notice["timestamp"].as_i64() >= Some(began), "{name}: stamped on arrival");
        }
        let letters = scene.letters();
        let reasons: Vec<_> = letters.iter().filter_map(|letter| letter["reason"].as_str()).collect();
        assert!(reasons.contains(&"not a compliance change of AWS Config: configRuleName is missing"), "{name}: {reasons:?}");
        let whole = malformed.to_string();
        let kept = letters.iter().any(|letter| letter["content"] == whole.as_str());
        assert!(kept, "{name}: the whole message is kept: {letters:?}");
        assert_eq!((scene.counted("recordsDelivered"), scene.counted("recordsDuplicate")), (6, 6), "{name}");
        scene.no_violations();
    }
}

/// S0-10, S0-11: what was sent adds up to the state of every resource under every rule, by account, rule, pillar and severity,
/// whatever a conformance pack or Security Hub made of the rules' names.
#[tokio::test]
async fn the_last_states_are_those_of_the_generator() {
    let (folder, truth) =
        generate("gen_posture.py", &["--accounts", "2", "--days", "10", "--rules", "60", "--duplicates", "0.1"]);
    let ended = good(replay_of([folder.path().join("config.jsonl")])).await;
    let events = ended.events();
    let [unique, delivered] = ["events", "delivered"].map(|name| truth["config"][name].as_u64().expect("a number"));
    assert_eq!(ended.count("records.delivered"), unique);
    assert_eq!(ended.count("records.duplicate"), delivered - unique);
    assert_eq!(events.len() as u64, unique, "a replay sends no notices");

    let mut last: BTreeMap<Vec<String>, &Value> = BTreeMap::new();
    let mut moves: BTreeMap<String, u64> = BTreeMap::new();
    for event in &events {
        assert_eq!(event["eventType"], "AwsComplianceChange");
        let key =
            ["aws.accountId", "aws.region", "compliance.ruleName", "resource.type", "resource.id"].map(|name| text(&event[name]));
        let newest = last.entry(key.to_vec()).or_insert(event);
        if event["event.time"].as_i64() >= newest["event.time"].as_i64() {
            *newest = event;
        }
        if event["compliance.previousState"] != "NONE" {
            let [date, from, to] = ["event.date", "compliance.previousState", "compliance.state"].map(|name| text(&event[name]));
            *moves.entry(format!("{date} {from}>{to}")).or_default() += 1;
        }
    }
    let wanted: BTreeMap<String, u64> = serde_json::from_value(truth["changes"].clone()).expect("counts");
    assert_eq!(moves, wanted);
    for (truth_by, attribute) in [
        ("end_by_account", "aws.accountId"),
        ("end_by_rule", "control.id"),
        ("end_by_pillar", "control.pillar"),
        ("end_by_resource_type", "resource.type"),
        ("end_by_severity", "control.severity"),
    ] {
        let mut counted: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for event in last.values() {
            let (compliant, violating) = counted.entry(text(&event[attribute]).to_ascii_lowercase()).or_default();
            match event["compliance.state"].as_str() {
                Some("COMPLIANT") => *compliant += 1,
                Some("NON_COMPLIANT") => *violating += 1,
                _ => {}
            }
        }
        counted.retain(|_, counts| *counts != (0, 0));
        let number = |value: &Value| value.as_u64().expect("a number");
        let wanted: BTreeMap<String, (u64, u64)> = truth[truth_by]
            .as_object()
            .expect("a map")
            .iter()
            .map(|(name, counts)| (name.to_ascii_lowercase(), (number(&counts["compliant"]), number(&counts["non_compliant"]))))
            .collect();
        assert_eq!(counted, wanted, "{truth_by}");
    }
}

/// S2-21: a company's own rule is shown as unmapped, never left out and never mapped to something near.
#[tokio::test]
async fn a_rule_that_no_table_knows_is_unmapped() {
    let mut event = change("ledger", 1_780_000_000_000, Some("COMPLIANT"), Some("NON_COMPLIANT"));
    event["detail"]["configRuleName"] = json!("our-own-rule-conformance-pack-abc123def");
    event["detail"]["newEvaluationResult"]["annotation"] = json!("{\"password\":\"hunter2\"} 監査");
    let agent = Agent::new(["replay"]);
    let path = agent.file("change.json", &event.to_string());
    let ended = agent.arg(path.to_string_lossy()).finish().await;
    let row: Value =
        serde_json::from_str(row_of(&ended.stdout)).unwrap_or_else(|error| panic!("{error}: {}\n{}", ended.stdout, ended.stderr));
    let row = &row["data"];
    for (attribute, want) in [
        ("control.id", "our-own-rule"),
        ("control.severity", "unknown"),
        ("control.pillar", "unknown"),
        ("control.frameworks", "|unmapped|"),
        ("compliance.ruleName", "our-own-rule-conformance-pack-abc123def"),
        ("compliance.annotation", "{\"password\":\"****\"} 監査"),
    ] {
        assert_eq!(row[attribute], want, "{attribute}");
    }
    assert!(row.get("control.severityScore").is_none());
}

/// S2-21: a customer's own numbers stand beside those of the tables, and a rule of their own is mapped to what they say.
#[tokio::test]
async fn the_customers_own_framework_numbers_are_sent() {
    let own = "control,framework,requirement\nour-own-rule,ACME-2026,3.1\ns3-bucket-public-read-prohibited,ACME-2026,3.2\n";
    let replay = async |rule: &str, own: &str| {
        let mut event = change("ledger", 1_780_000_000_000, Some("COMPLIANT"), Some("NON_COMPLIANT"));
        event["detail"]["configRuleName"] = json!(rule);
        let agent = Agent::new(["replay"]);
        let path = agent.file("change.json", &event.to_string());
        let own = agent.file("own.csv", own);
        agent.arg(path.to_string_lossy()).env("CSPM_RELAY_FRAMEWORKS_FILE", own.to_string_lossy()).finish().await
    };
    for (rule, begins, ends) in [
        ("our-own-rule-conformance-pack-abc123def", "|ACME-2026:3.1|", "|ACME-2026:3.1|"),
        ("our-other-rule", "|unmapped|", "|unmapped|"),
        ("securityhub-s3-bucket-public-read-prohibited-1a2b3c4d", "|", "|FSBP:S3.2|ACME-2026:3.2|"),
        ("s3-bucket-public-write-prohibited", "|", "|FSBP:S3.3|"),
    ] {
        let ended = replay(rule, own).await;
        let row: Value = serde_json::from_str(row_of(&ended.stdout)).unwrap_or_else(|error| panic!("{error}: {}", ended.stderr));
        let numbers = text(&row["data"]["control.frameworks"]);
        assert!(numbers.starts_with(begins) && numbers.ends_with(ends), "{rule}: {numbers}");
    }
    let refused = replay("our-own-rule", "control,framework\na,b\n").await;
    assert_eq!(refused.status.code(), Some(2));
    let want = "own.csv:1: column \"requirement\" is missing; the header control,framework,requirement is needed";
    assert!(refused.stderr.contains(want), "{}", refused.stderr);
}

/// The row that a replay of one change prints, before its heartbeat.
fn row_of(printed: &str) -> &str {
    printed.lines().next().unwrap_or_default()
}
