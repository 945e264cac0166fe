//! A whole organization through one aggregator of AWS Config, as New Relic holds it: what is read, what is closed, what is left out.

use std::collections::BTreeSet;
use std::time::Duration;

use cspm_relay::clock::Clock;
use cspm_relay::record::AccountRegion;
use serde_json::{Map, Value, json};

use crate::support::agent::Agent;
use crate::support::aws::emulator;
use crate::support::config_api::fleet::{Fleet, Judged, Size};
use crate::support::config_api::{ConfigStandIn, Fault};
use crate::support::data::REGION;
use crate::support::replay::text;
use crate::support::scene::{Scene, stopped};
use crate::support::within;

/// What takes some readings, and on a busy machine some more.
const LONG: Duration = Duration::from_mins(2);
const LIST: &str = "DescribeAggregateComplianceByConfigRules";

fn place(number: u32, region: &str) -> AccountRegion {
    AccountRegion::new(&Fleet::account(number), region)
}

/// An agent that reads an aggregator of three accounts, one of them in a unit that is not watched.
fn agent(scene: &Scene, config: &ConfigStandIn, socket: &str) -> Agent {
    let agent = scene.event_agent();
    let units = ["Workloads/Prod", "Workloads/Dev", "Sandbox/Dev"];
    let rows = units.iter().zip(0_u32..).map(|(unit, number)| format!("{},account-{number},{unit}\n", Fleet::account(number)));
    let file = agent.file("accounts.csv", &format!("accountId,name,organizationalUnit\n{}", rows.collect::<String>()));
    agent
        .env("AWS_ENDPOINT_URL_CONFIG_SERVICE", config.url())
        .env("AWS_ENDPOINT_URL_STS", config.url())
        .env("CSPM_RELAY_ACCOUNTS_FILE", file.to_string_lossy())
        .env("CSPM_RELAY_ACCOUNTS_EXCLUDE", "Sandbox/*")
        .env("CSPM_RELAY_POSTURE_AGGREGATOR", "organization")
        .env("CSPM_RELAY_POSTURE_INTERVAL", "10s")
        .env("CSPM_RELAY_POSTURE_SUMMARY_INTERVAL", "10s")
        .env("CSPM_RELAY_POSTURE_CALLS_PER_SECOND", "20")
        .env("CSPM_RELAY_STATE", format!("s3://{}/state", scene.trail.bucket))
        .env("CSPM_RELAY_STATE_LEASE", "5s")
        .env("CSPM_RELAY_HEALTH_SOCKET", socket)
}

fn runs(scene: &Scene, kind: &str) -> Vec<Map<String, Value>> {
    let rows = scene.new_relic.store().rows("AwsPostureRun");
    rows.into_iter().filter(|row| row["run.kind"] == kind).collect()
}

/// What was missed, until now, seems to have been missed for so many hours more.
async fn missed_for(scene: &Scene, hours: i64) {
    let name = "state/readings.json";
    let mut readings: Value = serde_json::from_slice(&scene.trail.get(name).await).expect("JSON");
    let missed = readings["missed"].as_object_mut().expect("what was missed");
    assert!(!missed.is_empty(), "nothing is missed");
    for since in missed.values_mut() {
        *since = json!(since.as_i64().expect("a time") - hours * 3_600_000);
    }
    scene.trail.put(name, readings.to_string().into_bytes()).await;
}

/// S2-12, S2-13, S2-01: a list that fails is read again whole; who is not watched is not read; a change that no event told is
/// repaired; a rule that is deleted has left; a Region without any rule is believed to be so after six hours, whoever leads then,
/// and is then known no more.
#[tokio::test]
async fn an_organization_is_read_through_its_aggregator() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let size = Size { accounts: 3, regions: &["eu-west-1", "us-east-1"], rules: 2, ..Size::default() };
    let config = ConfigStandIn::start(size).await;
    let home = place(0, REGION);
    config.aggregate("organization", &home);
    config.fail(&home, LIST, Fault::Denied, None);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("agent.sock").to_string_lossy().into_owned();
    let first = agent(&scene, &config, &socket).start();
    let health = async || {
        let ended = Agent::new(["health", "--ready", "--socket", &socket]).finish().await;
        (ended.status.code(), ended.stdout)
    };
    within(LONG, "a reading that fails", async || !runs(&scene, "reconcile").is_empty()).await;
    let failed = runs(&scene, "reconcile").remove(0);
    assert_eq!(
        (&failed["run.places"], &failed["run.placesFailed"], &failed["run.complete"]),
        (&json!(0), &json!(1), &json!("false"))
    );
    within(LONG, "the health check", async || health().await.1.contains("AWS Config could not be read: everything: ")).await;
    assert_eq!(health().await.0, Some(1), "AWS Config answers for nothing");

    config.fail(&home, LIST, Fault::Denied, Some(0));
    within(LONG, "the baseline", async || !runs(&scene, "baseline").is_empty()).await;
    let baseline = runs(&scene, "baseline").remove(0);
    assert_eq!(
        (&baseline["run.places"], &baseline["run.placesFailed"], &baseline["run.complete"]),
        (&json!(4), &json!(0), &json!("true")),
        "two accounts in two Regions, without the one that is not watched"
    );
    within(LONG, "the health check", async || health().await == (Some(0), "ready\n".to_owned())).await;
    let store = scene.new_relic.store();
    assert_eq!(store.rows("AwsComplianceChange").len(), 0, "the baseline tells of no change");

    let judged = Judged {
        resource_type: "AWS::S3::Bucket".to_owned(),
        resource_id: "group-0-resource-003".to_owned(),
        state: "NON_COMPLIANT".to_owned(),
        recorded_ms: Clock::system().now_ms(),
        annotation: None,
    };
    // One that changed, in an account that is watched and in one that is not; a rule that was deleted, and all rules of a Region.
    let (changed, closed) = (place(0, "eu-west-1"), place(1, "us-east-1"));
    let count = |place: &AccountRegion, rule: &str| {
        let all = config.with(|fleet| fleet.evaluations(place, rule)).expect("a rule");
        all.iter().filter(|one| one.state != "NOT_APPLICABLE").count()
    };
    let of_rule = count(&changed, "rule-001");
    let left = of_rule + count(&closed, "rule-000") + count(&closed, "rule-001");
    config.change(|fleet| {
        fleet.put(&changed, "rule-000", judged.clone());
        fleet.put(&place(2, "eu-west-1"), "rule-000", judged);
        fleet.set_rule(&changed, "rule-001", None);
        fleet.set_rule(&closed, "rule-000", None);
        fleet.set_rule(&closed, "rule-001", None);
    });
    let doubts = || runs(&scene, "reconcile").iter().filter(|run| run["run.places"] == 3 && run["run.placesFailed"] == 1).count();
    within(LONG, "two readings without a Region", async || doubts() >= 2).await;
    assert_eq!(store.rows("AwsComplianceChange").len(), of_rule + 1, "one answer may be thin, and so may two");
    stopped(first).await;
    missed_for(&scene, 6).await;
    let second = agent(&scene, &config, &socket).start();
    within(LONG, "the repairs", async || store.rows("AwsComplianceChange").len() > left).await;
    let regions = |row: &Map<String, Value>| (text(&row["aws.accountId"]), row["posture.regions"].clone());
    let other = (closed.account.to_string(), json!(1));
    within(LONG, "one Region less", async || store.rows("AwsPostureSummary").iter().any(|row| regions(row) == other)).await;
    // What is written is what is known.
    let after = runs(&scene, "reconcile").len();
    within(LONG, "one more reading", async || runs(&scene, "reconcile").len() > after).await;
    stopped(second).await;

    let changes = store.rows("AwsComplianceChange");
    let of_state = |state: &str| changes.iter().filter(|row| row["compliance.state"] == state).count();
    assert_eq!((of_state("NON_COMPLIANT"), of_state("LEFT"), changes.len()), (1, left, left + 1));
    assert_eq!(store.rows("AwsSecurityNotice").len(), 1, "what has left is no violation");
    let repairs: i64 = runs(&scene, "reconcile").iter().filter_map(|row| row["run.repairs"].as_i64()).sum();
    assert_eq!(usize::try_from(repairs).expect("few"), changes.len());
    let sandbox = Fleet::account(2);
    for kind in
        ["AwsComplianceChange", "AwsPostureSummary", "AwsComplianceSnapshot", "AwsComplianceViolation", "AwsFrameworkSnapshot"]
    {
        let accounts: BTreeSet<String> = store.rows(kind).iter().map(|row| text(&row["aws.accountId"])).collect();
        assert!(!accounts.is_empty() && !accounts.contains(&sandbox), "{kind}: {accounts:?}");
    }
    let summaries = store.rows("AwsPostureSummary");
    let last = summaries.iter().rev().find(|row| row["aws.accountId"] == *closed.account).expect("a summary");
    assert!(last["posture.observedAt"].as_i64() > baseline["run.began"].as_i64(), "{last:?}");
    assert_eq!((&last["posture.regions"], &last["posture.regionsRead"]), (&json!(1), &json!(1)));
    scene.no_violations();
}
