//! One object through all stages, with what decides on it: which pieces come out, and how its records end.

use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::*;
use crate::ack::counts::Snapshot;
use crate::ack::{Piece, Settled};
use crate::config::Config;
use crate::enrich::{AccountNames, AccountRow};
use crate::record::time::parse_ms;
use crate::secret::Secret;

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
    let (rules, faults) = RuleSet::alone(&RULES);
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
        findings: Arc::new(Findings::in_memory(crate::config::Findings::default())),
        changes: None,
        rules,
        exceptions,
        frameworks: Frameworks::default(),
        enricher: Enricher::new(AccountNames::default(), "UTC").expect("a zone").into(),
        watched: Watched::default(),
        outputs,
        bounds: Bounds { inflated: 1 << 20, record: 1 << 16 },
        seen: Seen::new(100),
        clock: Clock::fixed(now()),
        agent: "test".to_owned(),
        refuse_late: false,
        follow: false,
        quiet: false,
        scans: None,
    }
}

/// What comes of a message with this body.
fn run(stages: &Stages, body: &Value) -> (Vec<(Lane, Value)>, Snapshot) {
    let (letters, _kept) = mpsc::channel(8);
    let counts = Arc::new(Counts::new("queue"));
    let entry = ObjectEntry::enter(Arc::clone(&counts), 0, None);
    let origin = Origin { name: "message".to_owned(), account: None, sight: Sight::Message };
    let object = Object { number: 0, origin, body: Body::Held(Bytes::from(body.to_string())), room: None };
    let mut outlet = Accepts::default();
    Processor::new(stages, letters, Arc::default()).object(Work { object, entry }, &mut outlet);
    let snapshot = counts.snapshot();
    assert!(snapshot.adds_up(), "{snapshot:?}");
    (outlet.0, snapshot)
}

/// What the root user did: two rules match.
fn stopped_by_root(id: u64) -> Value {
    json!({
        "eventVersion": "1.08", "eventTime": "2026-11-21T20:00:00Z", "eventSource": "cloudtrail.amazonaws.com",
        "eventName": "StopLogging", "awsRegion": "eu-west-1", "eventID": id.to_string(), "eventType": "AwsApiCall",
        "userIdentity": { "type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333" },
        "recipientAccountId": "111122223333", "readOnly": false, "requestParameters": { "name": "org-trail" },
    })
}

fn of_type<'i>(items: &'i [(Lane, Value)], event_type: &str) -> Vec<&'i Value> {
    items.iter().map(|(_, item)| item).filter(|item| item["eventType"] == event_type).collect()
}

fn exception(control: &str, rest: &str) -> String {
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
        event["detail"]["oldEvaluationResult"] = Value::Null;
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
