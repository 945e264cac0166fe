//! Whole events and logs, frozen: names, types, cuts, masks, lists, words for booleans.
//!
//! `tests/golden` holds what each record becomes. To change them on purpose: `INSTA_UPDATE=always cargo test --test it golden`,
//! then read the difference line by line. What the rules say in prose (title, remediation, runbook) is left out: rules change.

use std::collections::BTreeMap;
use std::path::Path;

use cspm_relay::encode::dictionary::ATTRIBUTES;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::agent::{Agent, binary};
use crate::support::data;
use crate::support::replay::{Replayed, file_of, fixtures, good, records, replay_of, text};

/// Real records by `eventID`, and what they stand for.
const REAL: [(&str, &str); 14] = [
    ("sign_in_without_mfa", "70e5932e-9022-4b38-837e-ca10dad94eb7"),
    ("stop_logging", "10163ed2-2253-469d-a5ee-cbc6651f8934"),
    ("event_selectors", "076e96d5-2983-473f-920a-2fc2d7e02777"),
    ("access_key_for_another", "64b7de64-bf53-47ae-b7e3-d30cb1b5136e"),
    ("security_group_open", "74bd84b4-6729-4895-b2a4-e2beb7c6b377"),
    ("bucket_policy", "988f1043-3e3d-4d84-803b-1b4d00e0df90"),
    ("send_command_by_role", "b09784b2-7dd6-4817-afe7-ecbb0d9fa573"),
    ("database_password", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"),
    ("refused_call", "10e1548f-893e-46f6-852a-25a9f8cf93e1"),
    ("saml_provider_by_sso", "8750c8bf-356a-4bda-bb78-1265a90b32a7"),
    ("lambda_code", "0ea8187c-26a8-425d-8daf-48479996e44d"),
    ("assumed_by_a_service", "2e59bbc2-ff35-43a5-835a-ba9239af22b1"),
    ("snapshot_shared", "741616fd-4713-426d-8861-3ccae4ba994e"),
    ("federation_token", "6e882b9d-2af8-4c67-b91f-aeac6a0e5e70"),
];

/// What changes with the version, and a rule's prose.
const LEFT_OUT: [&str; 4] = ["relay.version", "control.title", "control.remediation", "control.runbookUrl"];

/// Printed items by `event.id`, without what changes with the version or with a rule's prose.
fn items(ended: &Replayed) -> BTreeMap<String, Vec<Value>> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in ended.lines() {
        let line: Value = serde_json::from_str(&line).expect("a line is JSON");
        let mut data = line["data"].clone();
        let id = if line["kind"] == "log" { &data["attributes"]["event.id"] } else { &data["event.id"] };
        let id = text(id);
        if let Some(data) = data.as_object_mut() {
            data.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
        }
        found.entry(id).or_default().push(json!({ "kind": line["kind"], "data": data }));
    }
    found
}

fn assert_golden(name: &str, items: &[Value]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_json_snapshot!(name, items));
}

#[tokio::test]
async fn real_records() {
    let all = records(&fixtures());
    let mut chosen: Vec<&Value> =
        REAL.iter().map(|(name, id)| all.iter().find(|record| record["eventID"] == *id).expect(name)).collect();
    chosen.sort_by_key(|record| text(&record["eventTime"]));
    let lines = chosen.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    // From standard input the clock follows the records: each comes at its own time.
    let agent = Agent::new(["-c"]).program("/bin/sh");
    let path = agent.file("records.ndjson", &lines);
    let agent = agent.arg("exec \"$0\" replay --summary json --logs all - <\"$1\"").arg(binary().to_string_lossy());
    let mut items = items(&good(agent.arg(path.to_string_lossy())).await);
    for (name, id) in REAL {
        assert_golden(&format!("real_{name}"), &items.remove(id).expect(name));
    }
    assert!(items.is_empty(), "{items:?}");
}

/// Records that nobody should write but somebody will.
fn hostile() -> Vec<(&'static str, Value)> {
    const TIME: i64 = 1_780_000_000_000;
    let mut nameless = data::alarming(1, TIME);
    nameless.as_object_mut().expect("a record").retain(|name, _| name != "eventID" && name != "userIdentity");
    let mut long = data::alarming(2, TIME);
    long["userAgent"] = json!("監査".repeat(1_500));
    long["errorMessage"] = json!("quote \" backslash \\ newline \n tab \t nul \u{0} emoji 🔥");
    let mut typed = data::alarming(3, TIME);
    typed["readOnly"] = json!("false");
    typed["managementEvent"] = Value::Null;
    typed["recipientAccountId"] = json!(111_122_223_333_u64);
    typed["requestParameters"]["big"] = json!(9_007_199_254_740_993_i64);
    typed["requestParameters"]["fraction"] = json!(0.1);
    let mut updated = data::alarming(4, TIME);
    updated["addendum"] = json!({"reason": "UPDATED_DATA", "updatedFields": "responseElements", "originalEventID": data::id(4)});
    let mut secret = data::alarming(5, TIME);
    secret["requestParameters"]["masterUserPassword"] = json!("hunter2");
    secret["requestParameters"]["tags"] = json!([{"key": "ApiKey", "value": "hunter2"}, {"key": "team", "value": "blue"}]);
    secret["accountId"] = json!("999999999999");
    let mut old = data::alarming(6, TIME - 40 * 86_400_000);
    old["eventVersion"] = json!("99.0");
    old["somethingNew"] = json!({"list": [1, {"deep": true}], "none": null});
    let aggregated = json!({
        "eventVersion": "1.0", "accountId": data::ACCOUNT, "eventId": data::id(7), "eventCategory": "Aggregated",
        "eventType": "AwsAggregatedEvent", "awsRegion": data::REGION, "timeWindow": {"windowStart": "2026-05-28T20:26:40Z"},
        "summary": {"primaryDimension": {"dimension": "RESOURCE_ARN"}},
    });
    vec![
        ("without_id_and_identity", nameless),
        ("long_and_strange_text", long),
        ("other_types", typed),
        ("updated_data", updated),
        ("secrets_and_reserved_names", secret),
        ("old_and_new_fields", old),
        ("aggregated", aggregated),
    ]
}

#[tokio::test]
async fn hostile_records() {
    for (name, record) in hostile() {
        let agent = replay_of::<&str>([]);
        let path = agent.file("records.json", &file_of(&[record]));
        let agent = agent.arg(path.to_string_lossy()).arg("--logs").arg("all").arg("--now").arg("2026-05-28T21:00:00Z");
        let items = items(&good(agent).await);
        assert_eq!(items.len(), 1, "{name}");
        assert_golden(&format!("hostile_{name}"), &items.into_values().next().expect("one"));
    }
}

/// S0-07: two hundred accounts in organizational units; every event carries its account's name and unit, environment and owner.
#[tokio::test]
async fn two_hundred_accounts_are_named_in_every_event() {
    let account = |number: u64| format!("{:012}", 100_000_000_000 + number * 4_444_444_444 % 899_999_999_999);
    let environment = |number: u64| if number.is_multiple_of(3) { "prod" } else { "テスト" };
    let mut csv = "accountId,name,organizationalUnit,environment,owner\n".to_owned();
    for number in 0..200 {
        csv += &format!(
            "{},\"Team {number}, 本番\",Workloads/Unit {},{},team-{number}@example.com\n",
            account(number),
            number % 7,
            environment(number)
        );
    }
    let of = |number: u64| {
        let mut record = data::alarming(number, 1_780_000_000_000);
        record["recipientAccountId"] = json!(account(number));
        record
    };
    let agent = replay_of::<&str>([]);
    let names = agent.file("accounts.csv", &csv);
    // One account more than the file names.
    let path = agent.file("records.json", &file_of(&(0..201).map(of).collect::<Vec<_>>()));
    let ended = good(agent.arg(path.to_string_lossy()).env("CSPM_RELAY_ACCOUNTS_FILE", names.to_string_lossy())).await;
    let events = ended.events();
    assert!(events.len() >= 201, "{}", events.len());
    for event in &events {
        let number = (0..201).find(|number| event["event.id"] == data::id(*number)).expect("a known record");
        let (name, unit, stage, owner) = if number < 200 {
            let (unit, owner) = (format!("Workloads/Unit {}", number % 7), format!("team-{number}@example.com"));
            (format!("Team {number}, 本番"), unit, json!(environment(number)), json!(owner))
        } else {
            (account(200), "unknown".to_owned(), json!("unknown"), Value::Null)
        };
        assert_eq!(event["aws.accountId"], account(number));
        assert_eq!((&event["aws.accountName"], &event["aws.organizationalUnit"]), (&json!(name), &json!(unit)));
        assert_eq!((&event["aws.environment"], &event["aws.owner"]), (&stage, &owner));
    }
    let logs = ended.logs();
    assert_eq!(logs.len(), 201);
    assert!(logs.iter().all(|log| log["attributes"]["aws.accountName"].as_str().is_some_and(|name| !name.is_empty())));
}

fn name(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}

/// Every finding of the fixtures, whole; and of those that are none, why.
#[tokio::test]
async fn findings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let of = |folder: &str| std::fs::read_dir(root.join(folder)).expect("a folder").map(|file| file.expect("a file").path());
    let is_finding = |name: &str| {
        ["securityhub-", "guardduty-finding", "inspector2-finding", "macie-", "access-analyzer-"]
            .iter()
            .any(|begins| name.starts_with(begins))
            && name != "access-analyzer-preview"
    };
    let mut paths: Vec<_> = of("eventbridge").filter(|path| is_finding(&name(path))).chain(of("findings")).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    assert!(paths.len() >= 60, "{}", paths.len());
    // Two at a time: each is a process of its own, because findings are known from one record to the next.
    let mut waiting = paths.into_iter();
    let mut running = JoinSet::new();
    let mut found = BTreeMap::new();
    loop {
        while running.len() < 2
            && let Some(path) = waiting.next()
        {
            running.spawn(async move { (name(&path), finding_rows(&path).await) });
        }
        let Some(ended) = running.join_next().await else { break };
        let (name, rows) = ended.expect("no panic");
        found.insert(name, rows);
    }
    for (name, rows) in found {
        let malformed = name.starts_with("malformed-");
        assert_eq!(rows.iter().any(|row| row.get("deadLetter").is_some()), malformed, "{name}: {rows:?}");
        assert_golden(&format!("finding_{}", name.replace('-', "_")), &rows);
    }
}

/// The rows of one event, and why what is none is none.
async fn finding_rows(path: &Path) -> Vec<Value> {
    let letters = tempfile::tempdir().expect("a folder");
    let agent = replay_of([path]).arg("--now").arg("2026-11-21T21:00:00Z");
    let ended = good(agent.env("CSPM_RELAY_DEAD_LETTERS", letters.path().to_string_lossy())).await;
    let mut rows = ended.events();
    for row in &mut rows {
        let known = text(&row["eventType"]);
        let row = row.as_object_mut().expect("an event");
        for attribute in row.keys().filter(|attribute| !["eventType", "timestamp"].contains(&attribute.as_str())) {
            let described = ATTRIBUTES.iter().find(|described| described.name == attribute).expect(attribute);
            assert!(described.events.contains(&known.as_str()), "{known} has {attribute}, and its row does not say so");
        }
        row.retain(|attribute, _| attribute != "relay.version");
    }
    rows.extend(reasons(letters.path()).into_iter().map(|reason| json!({ "deadLetter": reason })));
    rows
}

/// Why each dead letter in a folder is one.
fn reasons(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).expect("a folder") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("a letter");
        found.extend(text.lines().map(|line| text_of(line, "reason")));
    }
    found.sort();
    found
}

fn text_of(line: &str, name: &str) -> String {
    text(&serde_json::from_str::<Value>(line).expect("a letter is JSON")[name])
}
