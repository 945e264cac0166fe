//! One object through all stages, with what decides on it: which pieces come out, and how its records end.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::*;
use crate::ack::counts::Snapshot;
use crate::ack::{Piece, Rollups, Settled};
use crate::config::Config;
use crate::enrich::{AccountNames, AccountRow};
use crate::pipeline::changes::{Changes, Rest};
use crate::posture::Kept as _;
use crate::posture::compliance::reconcile::Reading;
use crate::record::time::parse_ms;
use crate::record::{AccountRegion, DeployedRule};
use crate::secret::Secret;

const ASFF: &str = include_str!("../../../tests/fixtures/eventbridge/securityhub-asff-high.json");
const CHANGE: &str = include_str!("../../../tests/fixtures/eventbridge/config-compliance-change.json");

/// Takes every item and accepts it.
#[derive(Default)]
pub(super) struct Accepts(pub(super) Vec<(Lane, Value)>);

impl Outlet for Accepts {
    fn put(&mut self, lane: Lane, item: &[u8], _: i64, piece: Piece) {
        self.0.push((lane, serde_json::from_slice(item).expect("an item is JSON")));
        piece.settle(Settled::Delivered);
    }
    fn item_max(&self, _: Lane) -> usize {
        usize::MAX
    }
    fn flush(&mut self) {}
}

pub(super) fn now() -> i64 {
    parse_ms("2026-11-21T20:14:31Z").expect("a time")
}

/// The built-in rules, a file of exceptions if it holds any, and the default outputs.
pub(super) fn stages(exceptions: &str) -> Stages {
    static RULES: std::sync::LazyLock<Vec<PathBuf>> = std::sync::LazyLock::new(|| {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/classify/rules");
        ["account/root-user-activity.yml", "cloudtrail/trail-logging-stopped.yml"].map(|file| folder.join(file)).to_vec()
    });
    let (rules, faults) = RuleSet::alone(&RULES, &crate::config::Rules::default());
    assert_eq!(faults, []);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("exceptions.yml");
    std::fs::write(&path, exceptions).expect("a file");
    let exceptions = if exceptions.is_empty() {
        Exceptions::default()
    } else {
        Exceptions::from_file(&path, "UTC", &rules).expect("exceptions").0
    };
    let outputs = Config::stand_in("http://127.0.0.1:9", 1, Secret::new("key")).outputs;
    Stages {
        compliance: Arc::new(Compliance::in_memory()),
        findings: Arc::new(Findings::in_memory(crate::config::Findings::default()).past_first_day()),
        changes: None,
        novelty: None,
        rules,
        exceptions,
        frameworks: Frameworks::default(),
        enricher: Enricher::new(AccountNames::default(), "UTC").expect("a zone").into(),
        watched: Watched::default(),
        outputs,
        bounds: Bounds { inflated: 1 << 20, record: 1 << 16 },
        rollups: Rollups::new(true),
        seen: Seen::new(100),
        clock: Clock::fixed(now()),
        agent: "test".to_owned(),
        refuse_late: false,
        follow: false,
        lateness: None,
        quiet: false,
        scans: None,
    }
}

/// What comes of a message with this body.
pub(super) fn run(stages: &Stages, body: &Value) -> (Vec<(Lane, Value)>, Snapshot) {
    let (items, snapshot) = so_far(stages, body);
    assert!(snapshot.adds_up(), "{snapshot:?}");
    (items, snapshot)
}

/// The same where something of it may still wait.
pub(super) fn so_far(stages: &Stages, body: &Value) -> (Vec<(Lane, Value)>, Snapshot) {
    let (letters, _kept) = mpsc::channel(8);
    let counts = Arc::new(Counts::new("queue"));
    let entry = ObjectEntry::enter(Arc::clone(&counts), 0, None);
    let origin = Origin { name: "message".to_owned(), account: None, sight: Sight::Message };
    let object = Object { number: 0, origin, body: Body::Held(Bytes::from(body.to_string())), room: None, again: false };
    let mut outlet = Accepts::default();
    Processor::new(stages, letters, Arc::default()).object(Work { object, entry }, &mut outlet);
    (outlet.0, counts.snapshot())
}

/// What the root user did: two rules match.
pub(super) fn stopped_by_root(id: u64) -> Value {
    json!({
        "eventVersion": "1.08", "eventTime": "2026-11-21T20:00:00Z", "eventSource": "cloudtrail.amazonaws.com",
        "eventName": "StopLogging", "awsRegion": "eu-west-1", "eventID": id.to_string(), "eventType": "AwsApiCall",
        "userIdentity": { "type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333" },
        "recipientAccountId": "111122223333", "readOnly": false, "requestParameters": { "name": "org-trail" },
    })
}

pub(super) fn of_type<'i>(items: &'i [(Lane, Value)], event_type: &str) -> Vec<&'i Value> {
    items.iter().map(|(_, item)| item).filter(|item| item["eventType"] == event_type).collect()
}

pub(super) fn exception(control: &str, rest: &str) -> String {
    format!("- {{control: {control}, owner: web-team, reason: known, {rest}}}\n")
}

const BOTH: [&str; 2] = ["root-user-activity", "trail-logging-stopped"];

/// S2-20: what is muted for someone sends no detection and no notice, is counted, and still stands in the log.
#[test]
fn a_record_whose_every_rule_is_muted_ends_as_suppressed() {
    let text: String = BOTH.map(|control| exception(control, "expires: 2026-11-21")).concat();
    let (items, counts) = run(&stages(&text), &stopped_by_root(1));
    assert_eq!((counts.ended(Outcome::Suppressed), counts.detections), (1, 0));
    let lanes: Vec<_> = items.iter().map(|(lane, _)| *lane).collect();
    assert_eq!(lanes, [Lane::Logs], "{items:?}");
    let mut without_logs = stages(&text);
    without_logs.outputs.logs.records = LogRecords::None;
    let (items, counts) = run(&without_logs, &stopped_by_root(1));
    assert_eq!((items.len(), counts.ended(Outcome::Suppressed)), (0, 1));
}

#[test]
fn a_record_with_one_muted_rule_keeps_the_other() {
    let (all, _) = run(&stages(""), &stopped_by_root(1));
    assert_eq!(of_type(&all, "AwsSecurityEvent").len(), 2);
    for (muted, left) in [(BOTH[0], BOTH[1]), (BOTH[1], BOTH[0])] {
        let (items, counts) = run(&stages(&exception(muted, "expires: 2026-11-21")), &stopped_by_root(1));
        assert_eq!((counts.ended(Outcome::Delivered), counts.detections), (1, 1), "{muted}");
        let events = of_type(&items, "AwsSecurityEvent");
        assert_eq!(events.len(), 1, "{muted}");
        assert_eq!((&events[0]["control.id"], &events[0]["detection.primary"]), (&json!(left), &json!("true")), "{muted}");
        for notice in of_type(&items, "AwsSecurityNotice") {
            assert_eq!(notice["control.ids"], format!("|{left}|"), "{muted}");
        }
    }
}

#[test]
fn an_exception_that_is_over_or_for_others_mutes_nothing() {
    for (rest, want) in [
        ("expires: 2026-11-20", Outcome::Delivered),
        ("expires: 2026-11-21T20:14:31Z", Outcome::Delivered),
        ("expires: 2026-11-21T20:14:32Z", Outcome::Suppressed),
        ("expires: 2027-01-31, scope: {accounts: [111122223333], regions: eu-west-1}", Outcome::Suppressed),
        ("expires: 2027-01-31, scope: {accounts: ['444455556666']}", Outcome::Delivered),
        ("expires: 2027-01-31, scope: {regions: us-east-1}", Outcome::Delivered),
        ("expires: 2027-01-31, scope: {actors: '*:root'}", Outcome::Suppressed),
        ("expires: 2027-01-31, scope: {actors: '*:role/*'}", Outcome::Delivered),
    ] {
        let text: String = BOTH.map(|control| exception(control, rest)).concat();
        let (items, counts) = run(&stages(&text), &stopped_by_root(1));
        assert_eq!(counts.ended(want), 1, "{rest}");
        let events = if want == Outcome::Delivered { 2 } else { 0 };
        assert_eq!(of_type(&items, "AwsSecurityEvent").len(), events, "{rest}");
    }
}

/// S2-20: an excepted violation is seen as such, never as compliant, and calls nobody.
#[test]
fn an_excepted_violation_is_a_state_of_its_own_without_a_notice() {
    let change = |state: &str| {
        let mut event: Value = serde_json::from_str(CHANGE).expect("JSON");
        event["detail"]["newEvaluationResult"]["complianceType"] = json!(state);
        event
    };
    let control = "s3-bucket-public-read-prohibited";
    let valid = "expires: 2026-11-21, scope: {accounts: [111122223333], resources: '*'}";
    for (name, rest, state, want, notices) in [
        ("excepted", Some(valid), "NON_COMPLIANT", "EXCEPTED", 0),
        ("compliant as it is", Some(valid), "COMPLIANT", "COMPLIANT", 0),
        ("over", Some("expires: 2026-11-20"), "NON_COMPLIANT", "NON_COMPLIANT", 1),
        ("for others", Some("expires: 2026-11-21, scope: {resources: other}"), "NON_COMPLIANT", "NON_COMPLIANT", 1),
        ("none", None, "NON_COMPLIANT", "NON_COMPLIANT", 1),
    ] {
        let text = rest.map_or_else(String::new, |rest| exception(control, rest));
        let (items, counts) = run(&stages(&text), &change(state));
        assert_eq!(counts.ended(Outcome::Delivered), 1, "{name}");
        let changes = of_type(&items, "AwsComplianceChange");
        assert_eq!((changes.len(), &changes[0]["compliance.state"]), (1, &json!(want)), "{name}");
        let excepted = want == "EXCEPTED";
        assert_eq!(changes[0]["compliance.exception.owner"].as_str(), excepted.then_some("web-team"), "{name}");
        assert_eq!(changes[0]["compliance.exception.reason"].as_str(), excepted.then_some("known"), "{name}");
        assert_eq!(changes[0]["compliance.exception.expires"].as_str(), excepted.then_some("2026-11-21"), "{name}");
        assert_eq!(of_type(&items, "AwsSecurityNotice").len(), notices, "{name}");
    }
}

/// S2-20: a rule may be deployed under the name of another: what is muted is what AWS says it is.
#[test]
fn an_exception_of_the_rule_whose_name_it_has_does_not_mute_another_control() {
    use crate::posture::compliance::reconcile::Reading;
    for (deployed, muted, want) in [
        ("restricted-ssh", "restricted-ssh", "NON_COMPLIANT"),
        ("restricted-ssh", "s3-bucket-public-read-prohibited", "EXCEPTED"),
        ("our-own-name", "our-own-name", "EXCEPTED"),
        ("our-own-name", "s3-bucket-public-read-prohibited", "EXCEPTED"),
        ("our-own-name", "restricted-ssh", "NON_COMPLIANT"),
    ] {
        let stages = stages(&exception(muted, "expires: 2026-11-21"));
        let identifier = Some("S3_BUCKET_PUBLIC_READ_PROHIBITED".into());
        let rule = DeployedRule { name: deployed.into(), arn: Box::default(), identifier };
        let reading = Reading::of_place(1, std::time::Duration::ZERO);
        assert!(stages.compliance.reconcile_rule(&place_of_change(), &rule, Vec::new(), reading).is_empty());
        let items = broken(&stages, deployed);
        let states: Vec<_> = of_type(&items, "AwsComplianceChange").iter().map(|event| &event["compliance.state"]).collect();
        assert_eq!(states, [want], "{muted} for {deployed}");
    }
}

/// One control's finding of a bucket, in the account and Region of the fixture.
pub(super) fn failed(workflow: &str) -> Value {
    let mut event: Value = serde_json::from_str(ASFF).expect("JSON");
    let finding = &mut event["detail"]["findings"][0];
    finding["Compliance"]["SecurityControlId"] = json!("S3.2");
    finding["Resources"] = json!([{ "Type": "AwsS3Bucket", "Id": "arn:aws:s3:::site" }]);
    finding["Workflow"]["Status"] = json!(workflow);
    for name in ["CreatedAt", "FirstObservedAt", "UpdatedAt"] {
        finding[name] = json!("2026-11-21T20:00:00Z");
    }
    event
}

/// S2-20: an exception of Security Hub's control, or of the rule behind it, covers a finding: it is seen, and calls nobody.
#[test]
fn an_excepted_finding_is_a_state_of_its_own_without_a_notice() {
    let valid = "expires: 2026-11-21, scope: {accounts: ['222233334444'], regions: eu-west-1, resources: 'arn:aws:s3:::site'}";
    let by_id = "expires: 2026-11-21, scope: {resources: site}";
    let rule = "s3-bucket-public-read-prohibited";
    for (name, control, rest, workflow, want) in [
        ("the control", "S3.2", valid, "NEW", "EXCEPTED"),
        ("the control in other letters, the resource by its id", "s3.2", by_id, "NEW", "EXCEPTED"),
        ("the rule behind it", rule, valid, "NEW", "EXCEPTED"),
        (
            "the rule behind it, as it is deployed",
            "securityhub-s3-bucket-public-read-prohibited-1a2b3c4d",
            by_id,
            "NEW",
            "EXCEPTED",
        ),
        ("it was set aside by a person", "S3.2", valid, "SUPPRESSED", "SUPPRESSED"),
        ("it is solved", "S3.2", valid, "RESOLVED", "RESOLVED"),
        ("over", "S3.2", "expires: 2026-11-20", "NEW", "OPEN"),
        ("another bucket", "S3.2", "expires: 2026-11-21, scope: {resources: other}", "NEW", "OPEN"),
        ("another control", "S3.3", valid, "NEW", "OPEN"),
        ("another rule", "restricted-ssh", valid, "NEW", "OPEN"),
    ] {
        let (items, counts) = run(&stages(&exception(control, rest)), &failed(workflow));
        assert_eq!(counts.ended(Outcome::Delivered), 1, "{name}");
        let findings = of_type(&items, "AwsSecurityFinding");
        assert_eq!((findings.len(), &findings[0]["finding.status"]), (1, &json!(want)), "{name}");
        let excepted = want == "EXCEPTED";
        assert_eq!(findings[0]["compliance.exception.owner"].as_str(), excepted.then_some("web-team"), "{name}");
        assert_eq!(findings[0]["compliance.exception.expires"].as_str(), excepted.then_some("2026-11-21"), "{name}");
        assert_eq!(of_type(&items, "AwsSecurityNotice").len(), usize::from(want == "OPEN"), "{name}");
        assert_eq!(counts.findings_excepted, u64::from(excepted), "{name}");
    }
}

/// S1-05: a finding of Security Hub's and the change of the rule behind it are one problem, and have the words that join them.
#[test]
fn a_finding_and_the_result_behind_it_can_be_joined() {
    let deployed = "securityhub-s3-bucket-public-read-prohibited-1a2b3c4d";
    let mut change: Value = serde_json::from_str(CHANGE).expect("JSON");
    change["detail"]["configRuleName"] = json!(deployed);
    let mut named = failed("NEW");
    named["detail"]["findings"][0]["ProductFields"] =
        json!({ "RelatedAWSResources:0/name": deployed, "RelatedAWSResources:0/type": "AWS::Config::ConfigRule" });
    let (changes, _) = run(&stages(""), &change);
    let control = of_type(&changes, "AwsComplianceChange")[0]["control.id"].clone();
    for (event, rule_name) in [(failed("NEW"), None), (named, Some(deployed))] {
        let (items, _) = run(&stages(""), &event);
        for event_type in ["AwsSecurityFinding", "AwsSecurityNotice"] {
            let row = of_type(&items, event_type)[0];
            assert_eq!((&row["control.id"], &row["control.configRule"]), (&json!("S3.2"), &control), "{event_type}");
            assert_eq!(row["control.ids"], "|S3.2|s3-bucket-public-read-prohibited|", "{event_type}");
            assert_eq!(row["compliance.ruleName"].as_str(), rule_name, "{event_type}");
        }
    }
    let mut unknown = failed("NEW");
    unknown["detail"]["findings"][0]["Compliance"]["SecurityControlId"] = json!("Nobody.1");
    let (items, _) = run(&stages(""), &unknown);
    let row = of_type(&items, "AwsSecurityFinding")[0];
    assert_eq!((&row["control.ids"], row.get("control.configRule")), (&json!("|Nobody.1|"), None));
}

/// S2-21: the customer's own numbers of a control, or of the rule that serves it alone, are on its findings.
#[test]
fn a_finding_has_the_numbers_of_the_customers_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("frameworks.csv");
    std::fs::write(&path, "control,framework,requirement\nEC2.13,Ours,A.1\nrestricted-ssh,Ours,A.2\nOur.1,Ours,A.3\n")
        .expect("a file");
    let mut stages = stages("");
    stages.frameworks = Frameworks::from_file(&path).expect("numbers").0;
    for (control, want) in
        [("EC2.13", vec!["|Ours:A.1|", "|Ours:A.2|", "|FSBP:EC2.13|"]), ("Our.1", vec!["|Ours:A.3|"]), ("S3.8", vec![])]
    {
        let mut event = failed("NEW");
        event["detail"]["findings"][0]["Compliance"]["SecurityControlId"] = json!(control);
        let (items, _) = run(&stages, &event);
        let frameworks = of_type(&items, "AwsSecurityFinding")[0]["control.frameworks"].as_str().expect("a list").to_owned();
        assert!(want.iter().all(|number| frameworks.contains(number)), "{control}: {frameworks}");
        assert_eq!(frameworks.contains("Ours:"), !want.is_empty(), "{control}: {frameworks}");
    }
}

/// S0-07: what is known to be of an account, unit or Region that nobody watches is counted and not sent, whatever kind of record.
#[test]
fn records_of_accounts_that_are_not_watched_are_ignored() {
    let watched = |setting: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("relay.yml");
        let queue = "https://sqs.eu-west-1.amazonaws.com/111122223333/trail";
        let text = format!("version: 1\nsources: [{{kind: eventQueue, queueUrl: '{queue}'}}]\naccounts: {setting}\n");
        std::fs::write(&path, text).expect("a file");
        let environment = std::collections::BTreeMap::new();
        Config::load_for(crate::config::Need::LOCAL, Some(&path), &environment).expect(setting).accounts.watched
    };
    let change: Value = serde_json::from_str(CHANGE).expect("JSON");
    for (setting, unit, want) in [
        ("{}", None, Outcome::Delivered),
        ("{exclude: [111122223333]}", None, Outcome::Ignored),
        ("{include: ['444455556666']}", None, Outcome::Ignored),
        ("{include: [111122223333]}", None, Outcome::Delivered),
        ("{exclude: [Sandbox/*]}", Some("Sandbox/Ada"), Outcome::Ignored),
        ("{exclude: [Sandbox/*]}", Some("Workloads"), Outcome::Delivered),
        ("{include: [Workloads/*]}", Some("Sandbox"), Outcome::Ignored),
        // Before anybody knows the unit, nothing is lost.
        ("{include: [Workloads/*]}", None, Outcome::Delivered),
        ("{regions: [us-east-1]}", None, Outcome::Ignored),
        ("{regions: [eu-west-1]}", None, Outcome::Delivered),
    ] {
        for (kind, record) in [("trail", stopped_by_root(1)), ("compliance", change.clone())] {
            let mut stages = stages("");
            stages.watched = watched(setting);
            let unit = unit.map(str::to_owned);
            let row = AccountRow { id: "111122223333".to_owned(), organizational_unit: unit, ..AccountRow::default() };
            stages.enricher.rename(AccountNames::default().with(vec![row]));
            let (items, counts) = run(&stages, &record);
            assert_eq!(counts.ended(want), 1, "{kind} {setting}");
            assert_eq!(items.is_empty(), want == Outcome::Ignored, "{kind} {setting}");
        }
    }
}

/// S0-07: a finding that names no Region is of the one that told it: it is asked for by that, here and when it is counted.
#[test]
fn a_finding_without_a_region_is_of_the_one_that_told_it() {
    let mut event: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/eventbridge/access-analyzer-external.json")).expect("JSON");
    event["detail"].as_object_mut().expect("a finding").remove("region");
    for (regions, want) in [("us-east-1", Outcome::Ignored), ("eu-west-1", Outcome::Delivered)] {
        let watched = Watched { regions: vec![regions.to_owned()], ..Watched::default() };
        let stages = Stages { watched, ..stages("") };
        let (items, counts) = run(&stages, &event);
        assert_eq!((counts.ended(want), items.is_empty()), (1, want == Outcome::Ignored), "{regions}");
        let places: Vec<_> = stages.findings.places().iter().map(|place| place.region.to_string()).collect();
        assert!(places.iter().all(|region| region == regions), "{places:?}");
    }
}

/// Names that change while the agent runs are those of the next object.
#[test]
fn new_names_are_sent_with_the_next_object() {
    let stages = stages("");
    let name = |items: &[(Lane, Value)]| items.first().map(|(_, item)| item["aws.accountName"].clone());
    let (before, _) = run(&stages, &stopped_by_root(1));
    let row = AccountRow { id: "111122223333".to_owned(), name: Some("prod".to_owned()), ..AccountRow::default() };
    stages.enricher.rename(AccountNames::default().with(vec![row]));
    let (after, _) = run(&stages, &stopped_by_root(2));
    assert_eq!((name(&before), name(&after)), (Some(json!("111122223333")), Some(json!("prod"))));
}

/// What comes of a violation that begins, under this rule.
fn broken(stages: &Stages, rule: &str) -> Vec<(Lane, Value)> {
    let mut change: Value = serde_json::from_str(CHANGE).expect("JSON");
    change["detail"]["configRuleName"] = json!(rule);
    change["detail"]["configRuleARN"] = json!(format!("arn:aws:config:eu-west-1:111122223333:config-rule/{rule}"));
    run(stages, &change).0
}

fn place_of_change() -> AccountRegion {
    let change: Value = serde_json::from_str(CHANGE).expect("JSON");
    let word = |name: &str| change["detail"][name].as_str().expect("a word").to_owned();
    AccountRegion::new(&word("awsAccountId"), &word("awsRegion"))
}

/// S1-05: a finding whose rule has another name is of the managed rule that AWS Config names, and covered by what covers that.
#[test]
fn a_finding_is_of_the_managed_rule_that_aws_names() {
    let deployed = "AWSControlTower_AWS-GR_RESTRICTED_SSH";
    let mut event = failed("NEW");
    event["detail"]["findings"][0]["ProductFields"]["RelatedAWSResources:0/name"] = json!(deployed);
    event["detail"]["findings"][0]["ProductFields"]["RelatedAWSResources:0/type"] = json!("AWS::Config::ConfigRule");
    let told = |is_read: bool| {
        let stages = stages(&exception("restricted-ssh", "expires: 2026-11-21"));
        if is_read {
            let identifier = Some("INCOMING_SSH_DISABLED".into());
            let rule = DeployedRule { name: deployed.into(), arn: Box::default(), identifier };
            let reading = Reading::of_place(now(), Duration::from_hours(6));
            stages.compliance.reconcile_rule(&AccountRegion::new("222233334444", "eu-west-1"), &rule, Vec::new(), reading);
        }
        let (items, _) = run(&stages, &event);
        let row = of_type(&items, "AwsSecurityFinding")[0];
        ["control.configRule", "compliance.ruleName", "finding.status"].map(|name| row[name].as_str().unwrap_or("-").to_owned())
    };
    assert_eq!(told(true), ["restricted-ssh", deployed, "EXCEPTED"]);
    assert_eq!(told(false), [deployed, deployed, "OPEN"]);
}

/// S0-20: what a reading said of a rule is said of its changes, too; an exception and a file may still know it by its own name.
#[test]
fn a_change_is_of_the_managed_rule_that_aws_names_whatever_it_is_called() {
    let read = |stages: Stages| {
        let name = "AWSControlTower_AWS-GR_RESTRICTED_SSH";
        let identifier = Some("INCOMING_SSH_DISABLED".into());
        let rule = DeployedRule { name: name.into(), arn: Box::default(), identifier };
        let reading = Reading::of_place(now(), Duration::from_hours(6));
        stages.compliance.reconcile_rule(&place_of_change(), &rule, Vec::new(), reading);
        (broken(&stages, name), stages)
    };
    let (items, unread) = (read(stages("")).0, stages(""));
    let events = of_type(&items, "AwsComplianceChange");
    let of = |name: &str| events[0][name].clone();
    assert_eq!((of("control.id"), of("control.severity")), (json!("restricted-ssh"), json!("HIGH")));
    assert_eq!(of("control.securityHubIds"), "|EC2.13|");
    assert!(of("control.frameworks").as_str().is_some_and(|all| all.contains("|FSBP:EC2.13|")), "{}", of("control.frameworks"));
    let items = broken(&unread, "AWSControlTower_AWS-GR_RESTRICTED_SSH");
    assert_eq!(of_type(&items, "AwsComplianceChange")[0]["control.frameworks"], "|unmapped|", "nobody said yet");
    for control in ["restricted-ssh", "AWSControlTower_AWS-GR_RESTRICTED_SSH"] {
        let (items, _) = read(stages(&exception(control, "expires: 2026-11-21")));
        assert_eq!(of_type(&items, "AwsComplianceChange")[0]["compliance.state"], "EXCEPTED", "{control}");
        assert_eq!(of_type(&items, "AwsSecurityNotice"), Vec::<&Value>::new(), "{control}");
    }
}

/// S1-05: as severe as the settings ask for, or of unknown severity; every violation has its row.
#[test]
fn a_violation_of_a_rule_that_is_not_severe_sends_no_notice() {
    use crate::record::Severity::{Critical, High, Low, Medium};
    for (rule, severity, least, want) in [
        ("restricted-ssh", "HIGH", High, 1),
        ("restricted-ssh", "HIGH", Critical, 0),
        ("access-keys-rotated", "MEDIUM", High, 0),
        ("access-keys-rotated", "MEDIUM", Low, 1),
        ("required-tags", "unknown", High, 0),
        ("required-tags", "unknown", Medium, 1),
        ("our-own-rule", "unknown", Critical, 1),
    ] {
        let stages = Stages { compliance: Arc::new(Compliance::in_memory().notify(least)), ..stages("") };
        let items = broken(&stages, rule);
        let events = of_type(&items, "AwsComplianceChange");
        assert_eq!(events.iter().map(|event| &event["control.severity"]).collect::<Vec<_>>(), [severity], "{rule}");
        assert_eq!(of_type(&items, "AwsSecurityNotice").len(), want, "{rule} {least:?}");
    }
}

/// S1-05: one misconfiguration is one page: the finding's, where findings are heard.
#[test]
fn a_rule_of_security_hub_sends_no_notice_where_its_findings_are_heard() {
    const FINDING: &str = include_str!("../../../tests/fixtures/eventbridge/securityhub-asff-high.json");
    let hub = "securityhub-restricted-ssh-1a2b3c4d";
    let notices = |stages: &Stages, rule: &str| of_type(&broken(stages, rule), "AwsSecurityNotice").len();
    assert_eq!(notices(&stages(""), hub), 1, "no finding was ever heard");
    let mut finding: Value = serde_json::from_str(FINDING).expect("JSON");
    let one = &mut finding["detail"]["findings"][0];
    one["AwsAccountId"] = json!(&*place_of_change().account);
    one["Region"] = json!(&*place_of_change().region);
    let heard_since = |days: i64, products: &[&str]| {
        let first = Stages { clock: Clock::fixed(now() - days * 24 * 3_600_000), ..stages("") };
        let (items, _) = run(&first, &finding);
        assert_eq!(of_type(&items, "AwsSecurityFinding").len(), 1, "{items:?}");
        let products = products.iter().map(|product| (*product).to_owned()).collect();
        let settings = crate::config::Findings { products, ..crate::config::Findings::default() };
        let findings = Findings::kept(settings);
        for place in first.findings.places() {
            let (bytes, _) = first.findings.to_write(&place).expect("it is known");
            findings.load(&place, &bytes).expect("this version");
        }
        findings.open();
        Stages { findings: Arc::new(findings), ..stages("") }
    };
    // What was not compliant before, by AWS's own words, may be old: its finding decides.
    let unknown = |stages: &Stages| {
        let mut change: Value = serde_json::from_str(CHANGE).expect("JSON");
        change["detail"]["configRuleName"] = json!(hub);
        change["detail"]["oldEvaluationResult"] = Value::Null;
        of_type(&run(stages, &change).0, "AwsSecurityNotice").len()
    };
    for (name, days, products, own, hubs) in [
        ("for long", 3, vec![], 1, 0),
        ("for long, by name", 3, vec!["security hub"], 1, 0),
        ("since today: its finding may be held back", 0, vec![], 1, 1),
        ("for long, but nobody reads them now", 3, vec!["GuardDuty"], 1, 1),
    ] {
        let told = [notices(&heard_since(days, &products), "restricted-ssh"), notices(&heard_since(days, &products), hub)];
        assert_eq!(told, [own, hubs], "{name}");
    }
    assert_eq!(unknown(&heard_since(0, &[])), 0);
    // What is known as passed is reopened by its next import, on the first day, too.
    let one = &mut finding["detail"]["findings"][0];
    (one["Resources"][0]["Id"], one["Compliance"]["SecurityControlId"]) = (json!("arn:aws:s3:::ledger"), json!("S3.2"));
    (one["Compliance"]["Status"], one["Workflow"]["Status"]) = (json!("PASSED"), json!("RESOLVED"));
    let first = stages("");
    assert_eq!(of_type(&run(&first, &finding).0, "AwsSecurityFinding").len(), 1);
    let read = "securityhub-s3-bucket-public-read-prohibited-1a2b3c4d";
    assert_eq!([notices(&first, read), notices(&first, hub)], [0, 1], "another control's");
}

/// S2-33: items of a history file are hours old: they wait for no record, and push nothing out that does.
#[test]
fn items_of_a_history_file_do_not_wait() {
    let item: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/eventbridge/config-item-change.json")).expect("JSON");
    let history: Value = serde_json::from_str(include_str!("../../../tests/fixtures/config-history/history.json")).expect("JSON");
    let changes = Changes::new(Duration::from_mins(10), Rest::Back, None);
    let stages = Stages { changes: Some(Arc::clone(&changes)), ..stages("") };
    let rows = |body: &Value| {
        let (items, counts) = so_far(&stages, body);
        let changes = of_type(&items, "AwsResourceChange");
        let of = |row: &&Value| (row["resource.id"].to_string(), row["change.origin"].to_string());
        (changes.iter().map(of).collect::<Vec<_>>(), counts)
    };
    let (sent, _) = rows(&item);
    assert_eq!((sent, changes.is_empty()), (vec![], false), "an event waits");
    let (sent, counts) = rows(&history);
    let told = |id: &str| (format!("\"{id}\""), "\"history\"".to_owned());
    assert_eq!(sent, [told("exports"), told("old")]);
    assert_eq!(counts.ended(Outcome::Delivered), 2, "the third is the event's, and ends with it");
    let waiting: Vec<_> = changes.decided(i64::MAX, true).into_iter().map(|(item, _)| item.fact.resource_id).collect();
    assert_eq!(waiting, ["ledger"], "and waits on");
}

/// S2-33: a history file that comes first keeps neither the actor nor what was before from its event: both are sent, under one id.
#[test]
fn an_event_behind_its_history_file_is_no_copy() {
    let item: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/eventbridge/config-item-change.json")).expect("JSON");
    let history: Value = serde_json::from_str(include_str!("../../../tests/fixtures/config-history/history.json")).expect("JSON");
    let stages = stages("");
    let mut rows = Vec::new();
    for (body, copies) in [(&history, 0), (&item, 0), (&history, 3), (&item, 1)] {
        let (items, counts) = so_far(&stages, body);
        assert_eq!(counts.ended(Outcome::Duplicate), copies);
        let changes = of_type(&items, "AwsResourceChange").into_iter().filter(|row| row["resource.id"] == "ledger");
        rows.extend(changes.map(|row| ["event.id", "change.origin", "change.type"].map(|name| row[name].clone())));
    }
    let [first, second] = rows.try_into().expect("two rows");
    assert_eq!(
        (&first[1], &first[2], &second[1], &second[2]),
        (&json!("history"), &json!("unknown"), &json!("stream"), &json!("UPDATE"))
    );
    assert_eq!(first[0], second[0]);
}
