//! What AWS Config says, as New Relic holds it: the baseline, the stream, what it missed, and who of several agents does this.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cspm_relay::clock::Clock;
use cspm_relay::record::AccountRegion;
use serde_json::{Map, Value, json};

use crate::support::agent::Agent;
use crate::support::aws::emulator;
use crate::support::config_api::fleet::{Fleet, Judged, PackOf, Size};
use crate::support::config_api::{ConfigStandIn, Fault};
use crate::support::replay::text;
use crate::support::scene::{Scene, stopped};
use crate::support::within;

const CHANGE: &str = include_str!("../fixtures/eventbridge/config-compliance-change.json");
const GOOD: &str = "COMPLIANT";
const BAD: &str = "NON_COMPLIANT";
/// What takes some readings, and on a busy machine some more.
const LONG: Duration = Duration::from_mins(2);

fn place(number: u32) -> AccountRegion {
    AccountRegion::new(&Fleet::account(number), "eu-west-1")
}

/// An agent that reads the stand-in's two accounts and keeps its state in the trail's bucket.
fn agent(scene: &Scene, config: &ConfigStandIn) -> Agent {
    scene
        .event_agent()
        .env("AWS_ENDPOINT_URL_CONFIG_SERVICE", config.url())
        .env("AWS_ENDPOINT_URL_STS", config.url())
        .env("CSPM_RELAY_POSTURE_REGIONS", "eu-west-1")
        .env("CSPM_RELAY_POSTURE_ACCOUNTS", format!("{},{}", Fleet::account(0), Fleet::account(1)))
        .env("CSPM_RELAY_POSTURE_ROLE", "cspm-relay-read")
        .env("CSPM_RELAY_POSTURE_INTERVAL", "10s")
        .env("CSPM_RELAY_POSTURE_SUMMARY_INTERVAL", "10s")
        .env("CSPM_RELAY_POSTURE_CALLS_PER_SECOND", "20")
        .env("CSPM_RELAY_STATE", format!("s3://{}/state", scene.trail.bucket))
        .env("CSPM_RELAY_STATE_LEASE", "5s")
}

/// A change of a resource of the stand-in's, as AWS Config keeps it and as its event tells it.
struct Change {
    place: AccountRegion,
    rule: &'static str,
    resource: &'static str,
    from: &'static str,
    to: &'static str,
    at_ms: i64,
}

impl Change {
    fn put(&self, config: &ConfigStandIn) {
        let judged = Judged {
            resource_type: "AWS::S3::Bucket".to_owned(),
            resource_id: self.resource.to_owned(),
            state: self.to.to_owned(),
            recorded_ms: self.at_ms,
            annotation: Some("changed".to_owned()),
        };
        config.change(|fleet| fleet.put(&self.place, self.rule, judged));
    }

    fn event(&self) -> String {
        let time = jiff::Timestamp::from_millisecond(self.at_ms).expect("a time").to_string();
        let mut event: Value = serde_json::from_str(CHANGE).expect("JSON");
        let detail = &mut event["detail"];
        detail["awsAccountId"] = json!(&*self.place.account);
        detail["awsRegion"] = json!(&*self.place.region);
        detail["configRuleName"] = json!(self.rule);
        detail["configRuleARN"] =
            json!(format!("arn:aws:config:{}:{}:config-rule/{}", self.place.region, self.place.account, self.rule));
        detail["resourceId"] = json!(self.resource);
        detail["notificationCreationTime"] = json!(time);
        detail["newEvaluationResult"]["complianceType"] = json!(self.to);
        detail["newEvaluationResult"]["resultRecordedTime"] = json!(time);
        detail["oldEvaluationResult"] = json!({ "complianceType": self.from });
        event.to_string()
    }

    fn words(&self) -> (String, String, String, String, String, i64) {
        let [rule, resource, from, to] = [self.rule, self.resource, self.from, self.to].map(str::to_owned);
        (self.place.account.to_string(), rule, resource, from, to, self.at_ms)
    }
}

fn told(row: &Map<String, Value>) -> (String, String, String, String, String, i64) {
    let word = |name: &str| text(&row[name]);
    let at_ms = row["event.time"].as_i64().expect("a time");
    (
        word("aws.accountId"),
        word("compliance.ruleName"),
        word("resource.id"),
        word("compliance.previousState"),
        word("compliance.state"),
        at_ms,
    )
}

fn runs(scene: &Scene, kind: &str) -> Vec<Map<String, Value>> {
    let rows = scene.new_relic.store().rows("AwsPostureRun");
    rows.into_iter().filter(|row| row["run.kind"] == kind).collect()
}

async fn ran(scene: &Scene, kind: &str, times: usize) {
    within(LONG, &format!("{times} runs of kind {kind}"), async || runs(scene, kind).len() >= times).await;
}

/// S0-03, S2-13, P48: the transitions are those that happened, in words and times; one that no event told is repaired, and counted.
#[tokio::test]
async fn changes_arrive_as_they_happened_and_what_no_event_told_is_repaired() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let config = ConfigStandIn::start(Size::default()).await;
    let agent = agent(&scene, &config).start();
    ran(&scene, "baseline", 1).await;
    ran(&scene, "frameworks", 1).await;
    let store = scene.new_relic.store();
    assert_eq!(store.rows("AwsComplianceChange").len(), 0, "the baseline tells of no change");
    assert_eq!(store.rows("AwsSecurityNotice").len(), 0);

    let time = Clock::system().now_ms();
    let change = |number, resource, from, to, at: i64| Change {
        place: place(number),
        rule: "rule-000",
        resource,
        from,
        to,
        at_ms: time + at,
    };
    let events = [
        change(0, "group-0-resource-002", GOOD, BAD, 1_000),
        change(0, "group-0-resource-002", BAD, GOOD, 2_000),
        change(0, "group-0-resource-002", GOOD, BAD, 3_000),
        change(1, "group-0-resource-003", GOOD, BAD, 1_000),
        change(0, "group-0-resource-000", BAD, GOOD, 1_500),
    ];
    let dropped = change(1, "group-0-resource-002", GOOD, BAD, 2_500);
    let (first, last) = events.split_at(3);
    for one in first.iter().chain(last) {
        one.put(&config);
        scene.trail.queue.send(&one.event()).await;
    }
    dropped.put(&config);
    scene.counts("recordsDelivered", 5).await;
    within(LONG, "the repair", async || runs(&scene, "reconcile").iter().any(|row| row["run.repairs"] == 1)).await;
    scene.empty().await;
    let repaired = runs(&scene, "reconcile").len();
    ran(&scene, "reconcile", repaired + 1).await;
    stopped(agent).await;

    let rows = store.rows("AwsComplianceChange");
    let want: BTreeSet<_> = events.iter().chain([&dropped]).map(Change::words).collect();
    assert_eq!(rows.iter().map(told).collect::<BTreeSet<_>>(), want);
    assert_eq!(rows.len(), 6, "each once");
    for row in &rows {
        let origin = if told(row) == dropped.words() { "reconcile" } else { "stream" };
        assert_eq!(row["compliance.origin"], origin, "{row:?}");
    }
    let again = rows.iter().find(|row| row["event.time"] == time + 3_000).expect("the third");
    assert_eq!((&again["compliance.reopenCount"], &again["compliance.firstSeen"]), (&json!(1), &json!(time + 1_000)));
    let mended = rows.iter().find(|row| row["event.time"] == time + 2_000).expect("the second");
    assert_eq!(mended["compliance.resolvedAfterMs"], json!(1_000));
    assert_eq!(store.rows("AwsSecurityNotice").len(), 4, "three that the stream told, and the one that it did not");
    let repairs: i64 = runs(&scene, "reconcile").iter().filter_map(|row| row["run.repairs"].as_i64()).sum();
    assert_eq!(repairs, 1);
    scene.no_violations();
}

/// S0-10, S0-11: what the rows say is what AWS Config says.
#[tokio::test]
async fn snapshots_say_what_aws_config_says() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let config = ConfigStandIn::start(Size::default()).await;
    let rules = [GOOD, BAD, GOOD, "INSUFFICIENT_DATA"].iter().enumerate();
    let rules = rules.map(|(at, state)| (format!("rule-{at:03}"), (*state).to_owned())).collect();
    config.change(|fleet| fleet.add_pack(&place(0), PackOf { name: "pci".to_owned(), state: BAD.to_owned(), rules }));
    config.fail(&place(1), "*", Fault::Denied, None);
    let mut agent = agent(&scene, &config).start();
    ran(&scene, "packs", 1).await;
    agent.says("config:DescribeConfigRules").await;
    stopped(agent).await;
    let store = scene.new_relic.store();
    let baseline = runs(&scene, "baseline").into_iter().next().expect("a run");
    assert_eq!(
        (&baseline["run.places"], &baseline["run.placesFailed"], &baseline["run.complete"]),
        (&json!(1), &json!(1), &json!("false"))
    );

    let here = place(0);
    let mut by_rule: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for rule in config.with(|fleet| fleet.rules(&here)) {
        for one in config.with(|fleet| fleet.evaluations(&here, &rule.name)).expect("a rule") {
            *by_rule.entry(rule.name.clone()).or_default().entry(one.state).or_default() += 1;
        }
    }
    let count = |counts: &BTreeMap<String, i64>, state: &str| json!(counts.get(state).copied().unwrap_or_default());
    let rows = store.rows("AwsComplianceSnapshot");
    assert_eq!(rows.len(), by_rule.len(), "only the account that could be read");
    for row in &rows {
        let counts = &by_rule[&text(&row["compliance.ruleName"])];
        assert_eq!(
            (&row["compliance.compliantResources"], &row["compliance.violatingResources"]),
            (&count(counts, GOOD), &count(counts, BAD)),
            "{row:?}"
        );
        assert_eq!(row["snapshot.id"], runs(&scene, "snapshot")[0]["snapshot.id"]);
    }
    let rows = store.rows("AwsConformancePackSnapshot");
    let run = runs(&scene, "packs").into_iter().next().expect("a run");
    let rows: Vec<_> = rows.iter().filter(|row| row["snapshot.id"] == run["snapshot.id"]).collect();
    let of_row = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(of_row("pack.name"), ["pci"]);
    assert_eq!(of_row("pack.percentRules"), [json!(66.66)]);
    assert_eq!(of_row("pack.unknownRules"), [json!(1)]);
    assert_eq!(of_row("timestamp"), [run["timestamp"].clone()]);
    assert_eq!(
        (&run["run.rows"], &run["run.places"], &run["run.placesFailed"], &run["run.complete"]),
        (&json!(1), &json!(1), &json!(1), &json!("false"))
    );
    assert_eq!(run["run.accepted"], "true", "what is known is all there");
    let violations: i64 = by_rule.values().map(|counts| counts.get(BAD).copied().unwrap_or_default()).sum();
    assert_eq!(i64::try_from(store.rows("AwsComplianceViolation").len()).expect("few"), violations);
    let violating = by_rule.values().filter(|counts| counts.contains_key(BAD)).count();
    let summaries = store.rows("AwsPostureSummary");
    let of = |number| summaries.iter().find(|row| row["aws.accountId"] == *place(number).account).expect("a summary");
    let (summary, unread) = (of(0), of(1));
    assert_eq!((&unread["posture.regionsRead"], unread.get("posture.violatingRules")), (&json!(0), None), "{unread:?}");
    let (began, ended) = (baseline["run.began"].as_i64(), baseline["run.ended"].as_i64());
    let observed = summary["posture.observedAt"].as_i64();
    assert!(began <= observed && observed <= ended && summary["posture.regionsRead"] == 1, "{summary:?}");
    let whole = |kind: &str| runs(&scene, kind)[0]["run.complete"] == "true";
    assert!(!["summary", "snapshot", "violations", "frameworks"].into_iter().any(whole), "one account is missing in all of them");
    assert_eq!(summary["posture.violatingRules"], json!(violating));
    assert_eq!(summary["posture.compliantRules"], json!(by_rule.len() - violating));
    scene.no_violations();
}

/// P36, P47: of two agents one does the work; when it dies the other takes over within the lease, and nothing is told twice or
/// missed.
#[tokio::test]
async fn of_two_agents_one_reads_and_the_other_takes_over() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let config = ConfigStandIn::start(Size::default()).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sockets = ["one.sock", "other.sock"].map(|name| folder.path().join(name).to_string_lossy().into_owned());
    let mut agents = sockets.each_ref().map(|socket| {
        let agent = agent(&scene, &config).env("CSPM_RELAY_HEALTH_SOCKET", socket);
        agent.env("CSPM_RELAY_POSTURE_INTERVAL", "1h").env("CSPM_RELAY_POSTURE_SUMMARY_INTERVAL", "1h").start()
    });
    ran(&scene, "frameworks", 1).await;
    for agent in &mut agents {
        agent.says("Started with").await;
    }
    let leads: Vec<bool> = agents.iter().map(|agent| agent.log().contains("This agent leads")).collect();
    assert_eq!(leads.iter().filter(|leads| **leads).count(), 1, "{leads:?}");
    for socket in &sockets {
        // The one that does not lead asks no queue, and is as ready as the other.
        let ready = async || Agent::new(["health", "--ready", "--socket", socket]).finish().await.stdout == "ready\n";
        within(LONG, "both are ready", ready).await;
    }
    let time = Clock::system().now_ms();
    let change =
        |resource, at: i64| Change { place: place(0), rule: "rule-000", resource, from: GOOD, to: BAD, at_ms: time + at };
    scene.trail.queue.send(&change("group-0-resource-002", 1_000).event()).await;
    scene.counts("recordsDelivered", 1).await;
    scene.empty().await;

    let [one, other] = agents;
    let (first, second) = if leads[0] { (one, other) } else { (other, one) };
    first.kill9();
    let killed = tokio::time::Instant::now();
    scene.trail.queue.send(&change("group-0-resource-003", 2_000).event()).await;
    let mut second = second;
    second.says("This agent leads").await;
    // A lease of 5 s, and a look at it each sixth of that; the rest is for a busy machine.
    assert!(killed.elapsed() < Duration::from_secs(10), "{:?}", killed.elapsed());
    within(LONG, "the change", async || scene.new_relic.store().rows("AwsComplianceChange").len() == 2).await;
    scene.empty().await;
    // What was told before is known to the one that took over.
    scene.trail.queue.send(&change("group-0-resource-002", 1_000).event()).await;
    scene.empty().await;
    stopped(second).await;
    let store = scene.new_relic.store();
    assert_eq!(store.rows("AwsComplianceChange").len(), 2);
    for kind in ["baseline", "summary", "snapshot", "violations", "frameworks"] {
        assert_eq!(runs(&scene, kind).len(), 1, "{kind}");
    }
    let snapshots = store.rows("AwsComplianceSnapshot");
    let ids: BTreeSet<_> = snapshots.iter().map(|row| text(&row["snapshot.id"])).collect();
    assert_eq!((ids.len(), snapshots.len()), (1, 6), "two accounts with three rules each, once");
    scene.no_violations();
}
