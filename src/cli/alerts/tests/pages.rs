//! Whom the records that the built-in rules prove themselves by would page.
//!
//! Every sample goes through the pipeline as the agent runs it, and its rows through every condition that is on, each sample a signal
//! of its own. The rule held: what is critical or high pages, or says why not; and no record pages twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::super::cases::{most_severe, text};
use super::cases::definition;
use super::*;
use crate::classify::Rule;
use crate::cli::past;
use crate::cli::replay::signals::Signals;
use crate::config::{Config, Need};
use crate::lab::store::Store;
use crate::lab::streaming::{Range, Settings, evaluate};
use crate::nrql::condition::{Method, Priority};
use crate::pipeline::worker::lateness::Lateness;
use crate::record::Severity;
use crate::source::replay::Input;

/// When all of it happens, as records write it and in ms since 1970.
const TIME: (&str, i64) = ("2026-01-01T00:00:00Z", 1_767_225_600_000);

/// Every record that proves a built-in rule, as rows; `event.id` is `<rule>: <sample>`.
/// The same done by root instead of whoever did it, if asked for.
async fn rows(as_root: bool) -> Store {
    let rules = RuleSet::builtin();
    let mut records = Vec::new();
    for rule in rules.rules() {
        for sample in rule.samples.iter().filter(|sample| sample.matches) {
            for (nth, record) in sample.records.iter().enumerate() {
                let mut record: Json = serde_json::from_str(record).expect("JSON");
                record["eventID"] = format!("{}: {} {nth}", rule.id, sample.name).into();
                record["eventTime"] = TIME.0.into();
                if as_root {
                    let account = record["recipientAccountId"].as_str().unwrap_or("111122223333").to_owned();
                    record["userIdentity"] =
                        json!({ "type": "Root", "accountId": account, "arn": format!("arn:aws:iam::{account}:root") });
                }
                records.push(record);
            }
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("samples.json");
    std::fs::write(&path, json!({ "Records": records }).to_string()).expect("a file");
    let config = Config::load_for(Need::LOCAL, None, &BTreeMap::<String, String>::new()).expect("a configuration");
    let signals = Signals::listen().expect("signals");
    let past = past::read(&config, &[Input::Path(path)], Lateness::Fixed(60_000), None, &signals).await.expect("rows");
    past.store
}

/// Policy and condition of every CRITICAL incident, by the record that opened it.
fn paged(store: &Store, definition: &Definition) -> BTreeMap<String, Vec<(String, String)>> {
    let snapshots = [store.snapshot()];
    let mut paged: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (policy, source) in definition.conditions().filter(|(_, source)| source.enabled) {
        let mut condition = source.model(Language::English);
        if condition.expiration.is_some_and(|expiration| expiration.opens) || !reads_records(source) {
            continue;
        }
        condition.query += if source.query.contains(" FACET ") { ", event.id AS sample" } else { " FACET event.id AS sample" };
        let wait = match condition.signal.method {
            Method::EventFlow { delay_s } | Method::Cadence { delay_s } => delay_s,
            Method::EventTimer { timer_s } => timer_s,
        };
        let settled_ms = i64::from(2 * condition.signal.window_s + wait + 3_600) * 1_000;
        let range = Range { begin_ms: TIME.1, end_ms: TIME.1 + settled_ms };
        let evaluation = evaluate(&snapshots, &condition, range, &Settings::default());
        let evaluation = evaluation.unwrap_or_else(|error| panic!("{}: {error}", source.id));
        for signal in &evaluation.signals {
            let pages = most_severe(signal).iter().any(|incident| incident.priority == Priority::Critical);
            let sample = signal.facets.iter().find(|(name, _)| &**name == "sample").map(|(_, value)| text(value));
            if let (true, Some(sample)) = (pages, sample) {
                paged.entry(sample).or_default().push((policy.key.clone(), source.id.clone()));
            }
        }
    }
    paged
}

fn reads_records(source: &ConditionSource) -> bool {
    ["FROM AwsSecurityNotice", "FROM AwsSecurityEvent"].iter().any(|from| source.query.contains(from))
}

/// Rules of which a series pages, as a single record of them is work or comes by the thousand: rule and condition.
const SERIES: [(&str, &str); 5] = [
    ("attack-tool-client-used", "attack-tool-used"),
    ("opensearch-domain-deleted", "mass-deletion"),
    ("root-console-login-failed", "root-login-failed"),
    ("s3-object-encrypted-with-customer-key", "objects-locked"),
    ("s3-object-written-anonymously", "objects-by-strangers"),
];

/// What stands behind several of [`BY_DAY`].
const SCANNER: &str = "what it would have found is found when it is on again: it warns";
const LOGS: &str = "goes with every network or cluster that is torn down: it warns";

/// Rules that are high and page nobody, on purpose.
const BY_DAY: [(&str, &str); 12] = [
    ("access-analyzer-deleted", SCANNER),
    ("detective-disabled", SCANNER),
    ("inspector-disabled", SCANNER),
    ("macie-disabled", SCANNER),
    ("bedrock-invocation-logging-disabled", LOGS),
    ("eks-logging-disabled", LOGS),
    ("flow-logs-deleted", LOGS),
    ("network-firewall-weakened", "goes with every test network that is torn down; `many-controls` counts it"),
    ("ebs-encryption-by-default-disabled", "new disks alone, and no data is out yet: it warns"),
    ("serial-console-enabled", "a way that is open, and nobody went it yet: it warns"),
    ("mfa-device-deactivated", "a new phone looks the same: it warns"),
    (
        "root-user-activity",
        "a visit to the console is dozens: the sign-in pages, and the key, and whatever any rule tells of root",
    ),
];

fn is_high(rule: &Rule) -> bool {
    rule.severity >= Severity::High
}

fn rule_of(sample: &str) -> &str {
    sample.split_once(": ").map_or(sample, |(rule, _)| rule)
}

/// S0-08, S1-25: what is critical or high wakes somebody, or says why not.
#[tokio::test]
async fn every_critical_or_high_rule_pages_or_says_why_not() {
    let paged = paged(&Box::pin(rows(false)).await, &definition());
    let covered: BTreeSet<&str> = paged.keys().map(|sample| rule_of(sample)).collect();
    let rules = RuleSet::builtin();
    let silent: BTreeSet<&str> =
        rules.rules().iter().filter(|rule| is_high(rule)).map(|rule| &*rule.id).filter(|id| !covered.contains(id)).collect();
    let told: BTreeSet<&str> = SERIES.iter().chain(&BY_DAY).map(|(rule, _)| *rule).collect();
    assert_eq!(silent, told, "rules that page nobody, and those of which it is known");
    let definition = definition();
    for (rule, id) in SERIES {
        let (_, condition) = definition.conditions().find(|(_, condition)| condition.id == id).expect(id);
        assert!(condition.enabled && condition.query.contains(rule), "{rule}: {id}");
        assert!(condition.terms.iter().any(|term| term.priority == Priority::Critical), "{rule}: {id} calls nobody");
    }
}

/// S3-14: a person is called once for one record, whichever policies tell it: the condition about what was done pages, and of root
/// the one about root.
#[tokio::test]
async fn no_record_pages_twice() {
    for as_root in [false, true] {
        let paged = paged(&Box::pin(rows(as_root)).await, &definition());
        assert!(paged.len() > 100, "{} records page", paged.len());
        let twice: Vec<String> = paged
            .iter()
            .filter(|(_, conditions)| conditions.len() > 1)
            .map(|(sample, conditions)| format!("{sample}: {conditions:?}"))
            .collect();
        assert!(twice.is_empty(), "as root: {as_root}\n{}", twice.join("\n"));
    }
}

/// P38: whatever rule asks for a notice of something that root did, somebody is called.
#[tokio::test]
async fn a_notice_of_root_always_pages() {
    let store = Box::pin(rows(true)).await;
    let paged = paged(&store, &definition());
    let noticed = every_notice(&store);
    assert!(noticed.len() > 100, "{} notices", noticed.len());
    // Failed sign-ins of root page as a series.
    let is_sign_in = |sample: &&String| rule_of(sample).ends_with("console-login-failed");
    let lost: Vec<&String> = noticed.iter().filter(|sample| !paged.contains_key(*sample) && !is_sign_in(sample)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// `event.id` of every notice.
fn every_notice(store: &Store) -> BTreeSet<String> {
    let mut all = definition();
    for policy in &mut all.policies {
        policy.conditions.retain(|id, _| id == "root-used");
        for condition in policy.conditions.values_mut() {
            condition.query = "SELECT count(*) FROM AwsSecurityNotice".to_owned();
        }
    }
    paged(store, &all).into_keys().collect()
}
