//! Security findings, from a queue and from files, as New Relic holds them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cspm_relay::clock::Clock;
use cspm_relay::record::AccountRegion;
use serde_json::{Map, Value, json};

use crate::support::aws::{emulator, emulators};
use crate::support::config_api::ConfigStandIn;
use crate::support::config_api::fleet::{Fleet, Size};
use crate::support::data::gzip;
use crate::support::replay::{generate, good, replay_of, tally, text};
use crate::support::scene::{Scene, stopped};
use crate::support::within;

const ASFF: &str = include_str!("../fixtures/eventbridge/securityhub-asff-high.json");
const OCSF: &str = include_str!("../fixtures/findings/ocsf-control.json");
const EXTERNAL: &str = include_str!("../fixtures/eventbridge/access-analyzer-external.json");

/// Findings, and how often Security Hub imports each.
const FINDINGS: u64 = 10_000;
const IMPORTS: u64 = 5;
/// Findings in one event: as many as fit.
const IN_EVENT: usize = 80;
const HOUR: i64 = 3_600_000;
/// What takes a while on a busy machine.
const LONG: Duration = Duration::from_mins(4);

/// How the finding of a number stands at an import.
struct Stand {
    severity: &'static str,
    severity_id: i64,
    workflow: &'static str,
    status_id: i64,
}

fn stand(number: u64, import: u64) -> Stand {
    let severities = [("CRITICAL", 5), ("HIGH", 4), ("MEDIUM", 3), ("LOW", 2), ("INFORMATIONAL", 1)];
    let mut severity = severities[usize::try_from(number % 5).expect("small")];
    let mut workflow = ("NEW", 1);
    match number % 100 {
        1 if import >= 2 => workflow = ("SUPPRESSED", 3),
        2 if import >= 3 => severity = ("HIGH", 4),
        3 if (1..4).contains(&import) => workflow = ("RESOLVED", 4),
        6 if (1..3).contains(&import) => workflow = ("RESOLVED", 4),
        _ => {}
    }
    Stand { severity: severity.0, severity_id: severity.1, workflow: workflow.0, status_id: workflow.1 }
}

fn regions(number: u64) -> &'static str {
    if number.is_multiple_of(2) { "eu-west-1" } else { "us-east-1" }
}

/// When the finding of a number began: of every second ten long before the agent, of the others a moment ago.
fn began_at(number: u64, time_ms: i64) -> i64 {
    time_ms - if (number / 10).is_multiple_of(2) { HOUR } else { 400 * 24 * HOUR }
}

/// The finding of a number at an import, in ASFF.
fn asff(template: &Value, number: u64, import: u64, time_ms: i64) -> Value {
    let mut finding = template["detail"]["findings"][0].clone();
    let stand = stand(number, import);
    let (region, account) = (regions(number), text(&finding["AwsAccountId"]));
    finding["Id"] = json!(format!("arn:aws:securityhub:{region}:{account}:security-control/S3.8/finding/{number:08}"));
    finding["Region"] = json!(region);
    finding["UpdatedAt"] = json!(jiff::Timestamp::from_millisecond(time_ms).expect("a time").to_string());
    for name in ["CreatedAt", "FirstObservedAt"] {
        let began_ms = began_at(number, time_ms);
        finding[name] = json!(jiff::Timestamp::from_millisecond(began_ms).expect("a time").to_string());
    }
    finding["Severity"] = json!({ "Label": stand.severity });
    finding["Workflow"] = json!({ "Status": stand.workflow });
    finding["Resources"][0]["Id"] = json!(format!("arn:aws:s3:::bucket-{number}"));
    finding
}

/// The same in OCSF.
fn ocsf(template: &Value, number: u64, import: u64, time_ms: i64) -> Value {
    let mut finding = template["detail"]["findings"][0].clone();
    let stand = stand(number, import);
    finding["finding_info"]["uid"] = json!(format!("security-control/S3.8/finding/{number:08}"));
    finding["finding_info"]["modified_time"] = json!(time_ms);
    finding["finding_info"]["created_time"] = json!(began_at(number, time_ms));
    finding["cloud"]["region"] = json!(regions(number));
    finding["severity_id"] = json!(stand.severity_id);
    finding["status_id"] = json!(stand.status_id);
    finding["resources"][0]["uid"] = json!(format!("arn:aws:s3:::bucket-{number}"));
    finding
}

/// Events of one import, in the account whose AWS Config is read: every finding once in one form, some in both, some again as the
/// home Region's copy.
fn events(import: u64, began: i64) -> (Vec<String>, i64) {
    let [asff_event, ocsf_event]: [Value; 2] =
        [ASFF, OCSF].map(|text| serde_json::from_str(&text.replace("222233334444", &Fleet::account(0))).expect("JSON"));
    let time_ms = began - (IMPORTS - import).cast_signed() * HOUR;
    let (mut in_asff, mut in_ocsf, mut at_home) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..FINDINGS {
        let only_ocsf = number % 7 == 0;
        if only_ocsf || number % 4 == 0 {
            in_ocsf.push(ocsf(&ocsf_event, number, import, time_ms));
        }
        if !only_ocsf {
            in_asff.push(asff(&asff_event, number, import, time_ms));
            if number % 10 == 1 {
                at_home.push(asff(&asff_event, number, import, time_ms));
            }
        }
    }
    let records = in_asff.len() + in_ocsf.len() + at_home.len();
    let wrap = |template: &Value, region: &str, findings: &[Value]| {
        findings
            .chunks(IN_EVENT)
            .map(|some| {
                let mut event = template.clone();
                event["region"] = json!(region);
                event["detail"]["findings"] = json!(some);
                event.to_string()
            })
            .collect::<Vec<_>>()
    };
    let all = [
        wrap(&asff_event, "us-east-1", &in_asff),
        wrap(&ocsf_event, "eu-west-1", &in_ocsf),
        wrap(&asff_event, "eu-central-1", &at_home),
    ];
    (all.concat(), i64::try_from(records).expect("few"))
}

/// A state in which Security Hub is heard of in us-east-1 since a day and a half: no more its first day there, and what is much older
/// than that is old news all the same.
fn known_in_us_east_1(began: i64) -> tempfile::TempDir {
    let state = tempfile::tempdir().expect("a folder");
    let folder = state.path().join("findings").join(Fleet::account(0));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (since, region) = (began - 36 * HOUR, "us-east-1");
    let names = ["Security Hub", "standards/aws-foundational-security-best-practices/v/1.0.0"];
    let head = json!({
        "version": 1, "account": Fleet::account(0), "region": region, "names": names, "findings": 0, "born": since,
        "begun": [[0, since], [1, since]],
    });
    std::fs::write(folder.join(format!("{region}.json.gz")), gzip(format!("{head}\n").as_bytes())).expect("a file");
    state
}

fn by_transition(rows: &[Map<String, Value>]) -> BTreeMap<String, u64> {
    tally(rows.iter().map(|row| text(&row["finding.transition"])))
}

/// S0-04, S1-07, S3-01, S3-06: ten thousand findings, imported five times in two forms and two Regions, are as many rows as there are
/// changes, and as many pages as there are changes that a person must see; every record is accounted for. How compliant the account
/// is stays what its AWS Config says. Security Hub is new in eu-west-1, which tells how things are there on its first day: nothing new
/// pages, what becomes worse or comes back does. In us-east-1 it is not, and what began there since pages.
#[tokio::test]
async fn ten_thousand_findings_imported_five_times_page_only_for_what_changed() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let began = Clock::system().now_ms();
    let config = ConfigStandIn::start(Size::default()).await;
    let state = known_in_us_east_1(began);
    let agent = scene
        .event_agent()
        .env("CSPM_RELAY_STATE", state.path().display().to_string())
        .env("AWS_ENDPOINT_URL_CONFIG_SERVICE", config.url())
        .env("AWS_ENDPOINT_URL_STS", config.url())
        .env("CSPM_RELAY_POSTURE_REGIONS", "eu-west-1")
        .env("CSPM_RELAY_POSTURE_ACCOUNTS", Fleet::account(0))
        .env("CSPM_RELAY_POSTURE_ROLE", "cspm-relay-read")
        .env("CSPM_RELAY_POSTURE_SUMMARY_INTERVAL", "10s")
        .start();
    within(LONG, "a summary before", async || !compliant(&scene).is_empty()).await;
    let mut sent = 0;
    for import in 0..IMPORTS {
        let (events, records) = events(import, began);
        for event in &events {
            scene.trail.queue.send(event).await;
        }
        sent += records;
        // One import after the other, as Security Hub does it; within one, in any order.
        scene.counts_within(LONG, "recordsReceived", sent).await;
        scene.empty_within(LONG).await;
    }
    let before = compliant(&scene).len();
    within(LONG, "two summaries after", async || compliant(&scene).len() >= before + 2).await;
    stopped(agent).await;

    let store = scene.new_relic.store();
    let rows = store.rows("AwsSecurityFinding");
    let wanted = |list: &[(&str, u64)]| -> BTreeMap<String, u64> {
        list.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    assert_eq!(
        by_transition(&rows),
        wanted(&[("new", 10_000), ("reopened", 200), ("resolved", 200), ("updated", 100), ("worsened", 100)])
    );
    let notices = store.rows("AwsSecurityNotice");
    // What was there before the agent pages nobody, and is sent all the same; what happens to it afterwards does.
    // Of 4,000 that are HIGH or above, 2,000 are in eu-west-1, and 1,000 of the others are old.
    assert_eq!(by_transition(&notices), wanted(&[("new", 1_000), ("reopened", 100), ("worsened", 100)]));
    assert!(notices.iter().all(|row| row["finding.transition"] != "new" || row["aws.region"] == "us-east-1"));
    let is_old = |row: &Map<String, Value>| row["finding.firstSeen"].as_i64() < Some(began - 300 * 24 * HOUR);
    assert_eq!(rows.iter().filter(|row| row["finding.transition"] == "new" && is_old(row)).count(), 5_000);
    assert!(notices.iter().all(|row| row["finding.transition"] != "new" || !is_old(row)));
    assert_eq!(scene.counted("noticesHeld"), 3_000);
    assert!(notices.iter().all(|row| row["finding.status"] == "OPEN" && ["HIGH", "CRITICAL"].contains(&text(&row["control.severity"]).as_str())));
    let keys: BTreeSet<String> = rows.iter().map(|row| text(&row["finding.key"])).collect();
    let ids: BTreeSet<String> = rows.iter().map(|row| text(&row["event.id"])).collect();
    assert_eq!((keys.len(), ids.len()), (10_000, 10_600), "one key for each finding, one id for each change");
    // What was set aside can still be asked for.
    assert_eq!(rows.iter().filter(|row| row["finding.status"] == "SUPPRESSED").count(), 100);
    for region in ["eu-west-1", "us-east-1"] {
        let new = rows.iter().filter(|row| row["finding.transition"] == "new" && row["aws.region"] == region).count();
        assert_eq!(new, 5_000, "{region}: its own, whatever the Region it is told in");
    }
    let unchanged = (FINDINGS * IMPORTS).cast_signed() - 10_600;
    assert_eq!(
        ["recordsDelivered", "recordsIgnored", "recordsDuplicate", "recordsReturned"].map(|name| scene.counted(name)),
        [10_600, unchanged, sent - 10_600 - unchanged, 0]
    );
    // The bucket of the scene says hello to the queue, which is no finding.
    let letters = scene.letters();
    assert!(letters.iter().all(|letter| letter["content"].to_string().contains("s3:TestEvent")), "{letters:?}");
    assert_eq!(scene.counted("recordsReceived"), sent + scene.counted("recordsUnreadable"));
    assert_eq!(["findingsUnchanged", "findingsCopied"].map(|name| scene.counted(name)), [unchanged, sent - 10_600 - unchanged]);
    let percents = compliant(&scene);
    let rules = config.with(|fleet| {
        let here = AccountRegion::new(&Fleet::account(0), "eu-west-1");
        let names: Vec<_> = fleet.rules(&here).into_iter().map(|rule| rule.name).collect();
        let is_good =
            |name: &&String| !fleet.evaluations(&here, name).expect("a rule").iter().any(|one| one.state == "NON_COMPLIANT");
        (names.iter().filter(is_good).count(), names.len())
    });
    assert_eq!((&percents[0][0], &percents[0][1]), (&json!(rules.0), &json!(rules.1 - rules.0)));
    assert!(percents.iter().all(|percent| *percent == percents[0] && percent[4].is_number()), "{percents:?}");
    assert_eq!(store.rows("AwsComplianceChange").len(), 0, "a finding is no change of a rule's state");
    scene.no_violations();
}

/// How compliant the account is, summary by summary: rules and resources that are and that are not, and the two percents.
fn compliant(scene: &Scene) -> Vec<[Value; 6]> {
    const NAMES: [&str; 6] =
        ["compliantRules", "violatingRules", "compliantResources", "violatingResources", "percentRules", "percentResources"];
    let of = |row: &Map<String, Value>| NAMES.map(|name| row.get(&format!("posture.{name}")).cloned().unwrap_or_default());
    scene.new_relic.store().rows("AwsPostureSummary").iter().map(of).collect()
}

/// S1-15: external access from its beginning to its end, and what cannot be read beside it.
#[tokio::test]
async fn access_from_outside_is_told_until_it_ends() {
    for aws in emulators().await {
        let (name, scene) = (aws.name, Scene::new(aws).await);
        let began = Clock::system().now_ms();
        let agent = scene.event_agent().start();
        let event = |minutes: i64, status: &str, deleted: bool| {
            let mut event: Value = serde_json::from_str(EXTERNAL).expect("JSON");
            let time = jiff::Timestamp::from_millisecond(began - HOUR + minutes * 60_000).expect("a time").to_string();
            event["detail"]["createdAt"] = json!(time);
            event["detail"]["updatedAt"] = json!(time);
            event["detail"]["status"] = json!(status);
            event["detail"]["isDeleted"] = json!(deleted);
            event.to_string()
        };
        let mut malformed: Value = serde_json::from_str(EXTERNAL).expect("JSON");
        malformed["detail"]["id"] = Value::Null;
        scene.trail.queue.send(&malformed.to_string()).await;
        let steps = [(0, "ACTIVE", false), (1, "ARCHIVED", false), (2, "ACTIVE", false), (2, "ACTIVE", true)];
        for (nth, (minutes, status, deleted)) in (2..).zip(steps) {
            scene.trail.queue.send(&event(minutes, status, deleted)).await;
            scene.counts("recordsReceived", nth).await;
            scene.empty().await;
        }
        stopped(agent).await;
        let store = scene.new_relic.store();
        let mut rows = store.rows("AwsSecurityFinding");
        rows.sort_by_key(|row| (row["event.time"].as_i64(), row["finding.status"] == "RESOLVED"));
        let told: Vec<_> = rows.iter().map(|row| (text(&row["finding.transition"]), text(&row["finding.status"]))).collect();
        let words = [("new", "OPEN"), ("updated", "SUPPRESSED"), ("reopened", "OPEN"), ("resolved", "RESOLVED")];
        assert_eq!(told, words.map(|(transition, status)| (transition.to_owned(), status.to_owned())), "{name}");
        let notices = store.rows("AwsSecurityNotice");
        assert_eq!(tally(notices.iter().map(|row| text(&row["finding.transition"]))).len(), 2, "{name}: {notices:?}");
        assert!(notices.iter().all(|row| row["timestamp"].as_i64() >= Some(began)), "{name}: stamped on arrival");
        let letters = scene.letters();
        let letter = letters.iter().find(|letter| letter["reason"] == "not a finding (accessAnalyzer): id is missing");
        let content = letter.unwrap_or_else(|| panic!("{name}: {letters:?}"))["content"].as_str().map(str::to_owned);
        assert_eq!(content, Some(malformed.to_string()), "{name}: the whole message is kept");
        scene.no_violations();
    }
}

/// Rows of a stream of the generator.
async fn rows_of(folder: &std::path::Path, stream: &str) -> Vec<Value> {
    let ended = good(replay_of([folder.join(format!("{stream}.jsonl"))])).await;
    let events = ended.events();
    assert!(events.iter().all(|event| event["eventType"] == "AwsSecurityFinding"), "{stream}: a replay sends no notices");
    events
}

/// The last row of each finding.
fn last(rows: &[Value]) -> BTreeMap<String, &Value> {
    let mut last: BTreeMap<String, &Value> = BTreeMap::new();
    for row in rows {
        let newest = last.entry(text(&row["finding.key"])).or_insert(row);
        if row["event.time"].as_i64() >= newest["event.time"].as_i64() {
            *newest = row;
        }
    }
    last
}

/// S1-12, S1-14, S1-21: what the generator made is what is known at the end, by product.
#[tokio::test]
async fn the_findings_are_those_of_the_generator() {
    let (folder, truth) =
        generate("gen_posture.py", &["--accounts", "3", "--days", "14", "--rules", "40", "--duplicates", "0.1"]);
    let folder = folder.path();
    let number = |value: &Value| value.as_u64().expect("a number");

    let rows = rows_of(folder, "securityhub").await;
    let known = last(&rows);
    assert_eq!(known.len() as u64, number(&truth["securityhub"]["findings"]));
    let by_status = tally(known.values().map(|row| text(&row["finding.complianceStatus"])));
    assert_eq!(json!(by_status), truth["securityhub"]["by_status"]);
    for row in known.values() {
        let resolved = row["finding.complianceStatus"] == "PASSED";
        assert_eq!(row["finding.status"] == "RESOLVED", resolved, "{row}");
        assert_ne!(row["control.frameworks"], "|unmapped|", "{row}");
    }
    let events = number(&truth["securityhub"]["events"]);
    assert_eq!(rows.len() as u64, events, "every event changes something, and no copy does");

    let rows = rows_of(folder, "guardduty").await;
    let known = last(&rows);
    assert_eq!(known.len() as u64, number(&truth["guardduty"]["findings"]));
    assert_eq!(json!(tally(known.values().map(|row| text(&row["control.id"])))), truth["guardduty"]["by_type"]);
    assert_eq!(rows.len() as u64, number(&truth["guardduty"]["events"]), "a higher count is an update");
    let new = rows.iter().filter(|row| row["finding.transition"] == "new").count();
    assert_eq!(new, known.len());

    for (stream, pillar) in [("inspector", "CWPP"), ("macie", "DSPM"), ("accessanalyzer", "CIEM")] {
        let rows = rows_of(folder, stream).await;
        assert_eq!(last(&rows).len() as u64, number(&truth[stream]["events"]), "{stream}");
        assert!(rows.iter().all(|row| row["control.pillar"] == pillar), "{stream}");
    }
}

/// What the newest run of counts says: Region, severity, open, set aside.
fn newest_counts(scene: &Scene) -> Vec<(String, String, i64, i64)> {
    let store = scene.new_relic.store();
    let runs: Vec<_> = store.rows("AwsPostureRun").into_iter().filter(|row| row["run.kind"] == "findings").collect();
    assert!(runs.iter().all(|run| run["run.complete"] == "true"), "{runs:?}");
    let Some(newest) = runs.iter().max_by_key(|run| run["run.began"].as_i64()) else { return Vec::new() };
    let rows: Vec<_> =
        store.rows("AwsFindingSnapshot").into_iter().filter(|row| row["snapshot.id"] == newest["snapshot.id"]).collect();
    assert_eq!(newest["run.rows"].as_u64(), Some(rows.len() as u64), "{newest:?}");
    assert!(rows.iter().all(|row| row["timestamp"] == newest["timestamp"]), "{rows:?}");
    let mut counts: Vec<_> = rows
        .iter()
        .map(|row| {
            let count = |name: &str| row[name].as_i64().expect("a count");
            (text(&row["aws.region"]), text(&row["control.severity"]), count("finding.open"), count("finding.suppressed"))
        })
        .collect();
    counts.sort();
    counts
}

/// S1-11, S3-06: an agent that takes over knows what the one before it told: findings imported again tell nothing new, and the
/// counts of open findings go on; without a reader of AWS Config nothing is said of compliance.
#[tokio::test]
async fn findings_imported_again_after_a_restart_tell_nothing_new() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let began = Clock::system().now_ms();
    let template: Value = serde_json::from_str(ASFF).expect("JSON");
    let import = |time_ms: i64, numbers: &[u64]| {
        let mut event = template.clone();
        // Import 3: one is set aside.
        event["detail"]["findings"] =
            numbers.iter().map(|number| asff(&template, *number, 3, time_ms)).collect::<Vec<_>>().into();
        event.to_string()
    };
    let agent = || {
        scene
            .event_agent()
            .env("CSPM_RELAY_STATE", format!("s3://{}/state", scene.trail.bucket))
            .env("CSPM_RELAY_STATE_LEASE", "5s")
    };
    let config = ConfigStandIn::start(Size::default()).await;
    let sent = |event_type: &str| scene.new_relic.store().rows(event_type).len();
    let known = [0, 1, 2, 4, 5, 6, 9];

    let first = agent().start();
    scene.trail.queue.send(&import(began - HOUR, &known)).await;
    scene.counts("recordsDelivered", 7).await;
    // The message is deleted when the state was written.
    scene.empty().await;
    stopped(first).await;
    let (told, notices) = (sent("AwsSecurityFinding"), sent("AwsSecurityNotice"));
    assert_eq!(told, 7);
    let runs: BTreeSet<String> = scene.new_relic.store().rows("AwsPostureRun").iter().map(|row| text(&row["run.kind"])).collect();
    assert_eq!(runs, ["controls", "findings"].map(str::to_owned).into(), "nobody reads AWS Config");
    let controls = scene.new_relic.store().rows("CspmRelayControl");
    assert!(controls.iter().any(|row| row["control.enabled"] == "true"), "{} controls", controls.len());
    assert!(controls.iter().all(|row| row.get("control.evaluated").is_none_or(|said| said == "unknown")), "nobody knows");

    let second = agent()
        .env("AWS_ENDPOINT_URL_CONFIG_SERVICE", config.url())
        .env("AWS_ENDPOINT_URL_STS", config.url())
        .env("CSPM_RELAY_POSTURE_REGIONS", "eu-west-1")
        .env("CSPM_RELAY_POSTURE_ACCOUNTS", Fleet::account(0))
        .env("CSPM_RELAY_POSTURE_ROLE", "cspm-relay-read")
        .env("CSPM_RELAY_POSTURE_SUMMARY_INTERVAL", "10s")
        .start();
    scene.trail.queue.send(&import(began - HOUR, &known)).await;
    scene.trail.queue.send(&import(began - HOUR / 2, &known)).await;
    scene.counts("recordsReceived", 21).await;
    scene.empty().await;
    assert_eq!((sent("AwsSecurityFinding"), sent("AwsSecurityNotice")), (told, notices), "nothing is new");
    // What is new is told.
    scene.trail.queue.send(&import(began - HOUR, &[10])).await;
    scene.counts("recordsDelivered", 8).await;
    scene.empty().await;
    let row = |region: &str, severity: &str, open, suppressed| (region.to_owned(), severity.to_owned(), open, suppressed);
    let want = vec![
        row("eu-west-1", "CRITICAL", 2, 0),
        row("eu-west-1", "HIGH", 2, 0),
        row("eu-west-1", "INFORMATIONAL", 1, 0),
        row("us-east-1", "CRITICAL", 1, 0),
        row("us-east-1", "HIGH", 0, 1),
        row("us-east-1", "INFORMATIONAL", 1, 0),
    ];
    within(LONG, "the counts", async || newest_counts(&scene) == want).await;
    stopped(second).await;
    assert_eq!(sent("AwsSecurityFinding"), told + 1);
    scene.no_violations();
}
