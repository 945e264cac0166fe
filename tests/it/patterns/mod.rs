//! The event patterns of `deploy/patterns`: what each selects of the samples, and what it does not.
//!
//! In: every pattern and every sample. Out: for each pair whether a rule with that pattern would send that event, by a matcher of
//! our own and by an emulator's. No pair is left to chance: what the table does not name must not match.

mod language;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::opinion::SecondOpinion;
use crate::support::pattern::{Pattern, traps};
use crate::support::replay::{fixtures, records, text};

/// What a pattern is held to.
struct Row {
    pattern: &'static str,
    /// Whether AWS promises that the source's events reach the bus. [`EventBridge` events reference, checked 2026-11]
    promise: &'static str,
    selects: &'static [&'static str],
    /// Samples that look much the same and are not selected. So is every other, but these are the ones to read.
    not: &'static [&'static str],
}

const DURABLE: &str = "durable";
const BEST_EFFORT: &str = "best effort";

/// Stands in the pattern where the trail's bucket belongs. No bucket has a capital letter, so it selects nothing until replaced.
const PLACEHOLDER: &str = "REPLACE-WITH-TRAIL-BUCKET";

const TABLE: &[Row] = &[
    Row {
        pattern: "cloudtrail-management",
        promise: BEST_EFFORT,
        selects: &[
            "cloudtrail-api-call",
            "cloudtrail-api-call-of-config",
            "cloudtrail-api-call-of-guardduty",
            // Whether EventBridge offers this one to the pattern is for the rule's state to say.
            "cloudtrail-api-call-read-only",
            "cloudtrail-console-action",
            "cloudtrail-console-sign-in",
            "cloudtrail-console-signin",
            "cloudtrail-service-event",
        ],
        not: &[
            "cloudtrail-api-call-put-by-a-customer",
            "cloudtrail-data-event",
            "cloudtrail-insight",
            "cloudtrail-network-activity",
        ],
    },
    Row {
        pattern: "config-compliance-change",
        promise: BEST_EFFORT,
        selects: &[
            "config-compliance-change",
            "config-compliance-first-result",
            "config-compliance-rule-deleted",
            "config-compliance-without-detail",
        ],
        not: &["cloudtrail-api-call-of-config", "config-item-change", "config-rules-re-evaluation-status"],
    },
    Row {
        pattern: "config-item-change",
        promise: BEST_EFFORT,
        selects: &["config-item-change", "config-item-change-oversized"],
        not: &[
            "cloudtrail-api-call-of-config",
            "config-compliance-change",
            "config-history-delivery-status",
            "config-snapshot-delivery-status",
        ],
    },
    Row {
        pattern: "securityhub-asff",
        promise: DURABLE,
        selects: &[
            "securityhub-asff-critical",
            "securityhub-asff-critical-archived",
            "securityhub-asff-critical-of-another-product",
            "securityhub-asff-high",
            "securityhub-asff-high-notified",
            "securityhub-asff-high-resolved",
            "securityhub-asff-high-suppressed-beside-low-new",
            "securityhub-asff-medium",
        ],
        not: &["securityhub-custom-action", "securityhub-insight-results", "securityhub-ocsf-high"],
    },
    Row {
        pattern: "securityhub-asff-high",
        promise: DURABLE,
        selects: &["securityhub-asff-critical", "securityhub-asff-critical-of-another-product", "securityhub-asff-high"],
        not: &[
            "securityhub-asff-critical-archived",
            "securityhub-asff-high-notified",
            "securityhub-asff-high-resolved",
            // Severity of one finding, state of another.
            "securityhub-asff-high-suppressed-beside-low-new",
            "securityhub-asff-medium",
            "securityhub-custom-action",
            "securityhub-ocsf-critical",
        ],
    },
    Row {
        pattern: "securityhub-ocsf",
        promise: DURABLE,
        selects: &[
            "securityhub-ocsf-critical",
            "securityhub-ocsf-fatal",
            "securityhub-ocsf-high",
            "securityhub-ocsf-high-resolved",
            "securityhub-ocsf-lowered-to-medium",
            "securityhub-ocsf-medium",
            "securityhub-ocsf-other",
        ],
        not: &["securityhub-asff-high", "securityhub-custom-action"],
    },
    Row {
        pattern: "securityhub-ocsf-high",
        promise: DURABLE,
        selects: &[
            "securityhub-ocsf-critical",
            "securityhub-ocsf-fatal",
            "securityhub-ocsf-high",
            "securityhub-ocsf-high-resolved",
        ],
        // 99 is above 4 and no severity; the vendor's own severity is not the finding's.
        not: &["securityhub-ocsf-lowered-to-medium", "securityhub-ocsf-medium", "securityhub-ocsf-other"],
    },
    Row {
        pattern: "securityhub-insight-results",
        promise: DURABLE,
        selects: &["securityhub-insight-results"],
        not: &["securityhub-asff-high", "securityhub-custom-action"],
    },
    Row {
        pattern: "guardduty-finding",
        promise: DURABLE,
        selects: &[
            "guardduty-finding-attack-sequence",
            "guardduty-finding-eight",
            "guardduty-finding-high",
            "guardduty-finding-just-below-high",
            "guardduty-finding-medium",
        ],
        not: &[
            "cloudtrail-api-call-of-guardduty",
            "guardduty-malware-object-scan-result",
            "guardduty-runtime-protection-unhealthy",
        ],
    },
    Row {
        pattern: "guardduty-finding-high",
        promise: DURABLE,
        selects: &["guardduty-finding-attack-sequence", "guardduty-finding-eight", "guardduty-finding-high"],
        not: &["guardduty-finding-just-below-high", "guardduty-finding-medium"],
    },
    Row {
        pattern: "inspector2-finding",
        promise: BEST_EFFORT,
        selects: &[
            "inspector2-finding-critical",
            "inspector2-finding-critical-closed",
            "inspector2-finding-high",
            "inspector2-finding-medium",
            "inspector2-finding-untriaged",
        ],
        not: &["inspector2-coverage", "inspector2-scan"],
    },
    Row {
        pattern: "inspector2-finding-high",
        promise: BEST_EFFORT,
        selects: &["inspector2-finding-critical", "inspector2-finding-critical-closed", "inspector2-finding-high"],
        not: &["inspector2-finding-medium", "inspector2-finding-untriaged", "inspector2-scan"],
    },
    Row {
        pattern: "macie-finding",
        promise: BEST_EFFORT,
        selects: &["macie-finding-policy", "macie-finding-sensitive-data"],
        not: &["guardduty-finding-high"],
    },
    Row {
        pattern: "access-analyzer-finding",
        promise: BEST_EFFORT,
        selects: &[
            "access-analyzer-external",
            "access-analyzer-external-deleted",
            "access-analyzer-internal",
            "access-analyzer-unused",
        ],
        not: &["access-analyzer-preview"],
    },
    Row {
        pattern: "s3-trail-object-created",
        promise: DURABLE,
        selects: &["s3-object-created"],
        not: &["s3-object-created-digest", "s3-object-created-in-another-bucket", "s3-object-deleted"],
    },
];

/// Samples that no pattern selects, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("access-analyzer-preview", "a question about a policy, no finding"),
    ("cloudtrail-api-call-put-by-a-customer", "anybody with events:PutEvents could forge it, were it not for the source"),
    ("cloudtrail-data-event", "may be 100 times the rest: read it from the trail's bucket"),
    ("cloudtrail-insight", "no call: read it from the trail's bucket"),
    ("cloudtrail-network-activity", "no management call: read it from the trail's bucket"),
    ("config-history-delivery-status", "says that a file was written"),
    ("config-rules-re-evaluation-status", "says that an evaluation began; its results come by themselves"),
    ("config-snapshot-delivery-status", "says that a file was written"),
    ("guardduty-malware-object-scan-result", "a status; what is bad becomes a finding"),
    ("guardduty-runtime-protection-unhealthy", "the health of GuardDuty's agents, no finding"),
    ("inspector2-coverage", "what is scanned, no finding"),
    ("inspector2-scan", "counts of findings that come by themselves"),
    ("s3-object-created-digest", "signatures of log files: no records are in it"),
    ("s3-object-created-in-another-bucket", "not the trail's"),
    ("s3-object-deleted", "nothing to read"),
    ("securityhub-custom-action", "a person sent again what was imported before"),
];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the JSON files of a folder, without their ending.
fn names(folder: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(repository(folder)).expect("the folder is there");
    let names = files.map(|file| file.expect("a folder can be read").file_name().into_string().expect("names are text"));
    names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect()
}

/// A pattern as it is shipped.
fn shipped(name: &str) -> String {
    read(&format!("deploy/patterns/{name}.json"))
}

/// A pattern as its user has it: with the name of a bucket.
fn used(name: &str) -> String {
    shipped(name).replace(PLACEHOLDER, "org-trail")
}

fn sample(name: &str) -> Value {
    serde_json::from_str(&read(&format!("tests/fixtures/eventbridge/{name}.json")))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn samples() -> BTreeMap<String, Value> {
    names("tests/fixtures/eventbridge").into_iter().map(|name| (name.clone(), sample(&name))).collect()
}

fn parsed(name: &str, text: &str) -> Pattern {
    Pattern::parse(text).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

#[test]
fn every_pattern_selects_its_samples_and_no_others() {
    let samples = samples();
    for row in TABLE {
        let pattern = parsed(row.pattern, &used(row.pattern));
        let selected: Vec<_> =
            samples.iter().filter(|(_, event)| pattern.matches(event)).map(|(name, _)| name.as_str()).collect();
        assert_eq!(selected, row.selects, "{}", row.pattern);
        assert!(!row.selects.is_empty() && !row.not.is_empty(), "{}: one sample of each kind at least", row.pattern);
        for name in row.not {
            assert!(samples.contains_key(*name), "{}: no sample {name}", row.pattern);
            assert!(!selected.contains(name), "{}: {name}", row.pattern);
        }
    }
}

#[test]
fn every_sample_is_selected_or_left_out_on_purpose() {
    let selected: BTreeSet<_> = TABLE.iter().flat_map(|row| row.selects).copied().collect();
    let left_out: BTreeSet<_> = LEFT_OUT.iter().map(|(name, _)| *name).collect();
    assert_eq!(selected.intersection(&left_out).next(), None, "both selected and left out");
    let told: BTreeSet<_> = selected.union(&left_out).map(|name| (*name).to_owned()).collect();
    assert_eq!(names("tests/fixtures/eventbridge"), told);
}

#[test]
fn every_pattern_has_a_row_and_no_row_is_without_a_pattern() {
    let rows: BTreeSet<_> = TABLE.iter().map(|row| row.pattern.to_owned()).collect();
    assert_eq!(names("deploy/patterns"), rows);
    assert_eq!(rows.len(), TABLE.len(), "a row is there twice");
}

#[test]
fn no_pattern_is_too_long_or_a_trap() {
    for row in TABLE {
        assert_eq!(traps(&shipped(row.pattern)), Vec::<String>::new(), "{}", row.pattern);
    }
}

#[test]
fn samples_are_whole_events() {
    let mut ids = BTreeSet::new();
    for (name, event) in samples() {
        let keys: BTreeSet<_> = event.as_object().expect("an event is an object").keys().map(String::as_str).collect();
        let envelope = ["account", "detail", "detail-type", "id", "region", "resources", "source", "time", "version"];
        assert_eq!(keys, BTreeSet::from(envelope), "{name}");
        assert_eq!(event["account"], "111122223333", "{name}: an invented account");
        assert!(ids.insert(text(&event["id"])), "{name}: the id of another event");
    }
}

/// A file that was forgotten must not send every object of every bucket.
#[test]
fn without_its_bucket_the_pattern_for_trail_objects_selects_nothing() {
    let text = shipped("s3-trail-object-created");
    assert!(text.contains(PLACEHOLDER));
    let pattern = parsed("as shipped", &text);
    for (name, event) in samples() {
        assert!(!pattern.matches(&event), "{name}");
    }
    let with_placeholder: Vec<_> =
        TABLE.iter().filter(|row| shipped(row.pattern).contains("REPLACE")).map(|row| row.pattern).collect();
    assert_eq!(with_placeholder, ["s3-trail-object-created"]);
}

/// Real records in an envelope: what the pattern asks of `detail` is there in all that `CloudTrail` writes today.
#[test]
fn real_management_calls_are_selected() {
    let pattern = parsed("cloudtrail-management", &shipped("cloudtrail-management"));
    let (mut selected, mut passed_over) = (0, Vec::new());
    for record in records(&fixtures()) {
        let service = record["eventSource"].as_str().and_then(|source| source.split('.').next()).expect("a record has a source");
        let kind = match record["eventType"].as_str() {
            Some("AwsConsoleSignIn") => "AWS Console Sign In via CloudTrail",
            Some("AwsServiceEvent") => "AWS Service Event via CloudTrail",
            _ => "AWS API Call via CloudTrail",
        };
        let event = json!({ "source": format!("aws.{service}"), "detail-type": kind, "detail": record });
        if pattern.matches(&event) {
            selected += 1;
        } else {
            passed_over.push(record["eventTime"].as_str().unwrap_or_default().to_owned());
        }
    }
    assert!(selected > 1_300, "{selected}");
    // Of a time before records had a category.
    assert!(passed_over.iter().all(|time| time < &"2019-12".to_owned()), "{passed_over:?}");
}

/// `deploy/patterns/README.md`: a row for each file, with its promise and its detail types, and what is left out.
#[test]
fn the_page_tells_of_every_pattern_and_of_what_is_left_out() {
    let page = read("deploy/patterns/README.md");
    let mut carried = BTreeSet::new();
    for row in TABLE {
        let start = format!("| `{}.json` |", row.pattern);
        let line = page.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no row for {}", row.pattern));
        assert!(line.ends_with(&format!("| {} |", row.promise)), "{line}");
        let pattern: Value = serde_json::from_str(&shipped(row.pattern)).expect("a pattern is JSON");
        for kind in pattern["detail-type"].as_array().expect("a pattern names its detail types") {
            let kind = kind.as_str().expect("a detail type is a text");
            assert!(page.contains(&format!("`{kind}`")), "{}: {kind}", row.pattern);
            carried.insert(kind.to_owned());
        }
    }
    assert_eq!(page.lines().filter(|line| line.contains(".json` |")).count(), TABLE.len(), "a row without a pattern");
    for (name, why) in LEFT_OUT {
        let kind = sample(name)["detail-type"].as_str().expect("an event has a detail type").to_owned();
        assert!(carried.contains(&kind) || page.contains(&format!("`{kind}`")), "{kind}, left out ({why}), is not told of");
    }
}

/// Security Hub's findings of two severities, as a pattern in print has them.
fn in_print(severities: &str) -> String {
    let detail = format!(r#"{{"findings.Severity.Label":[{severities}],"findings.RecordState":["ACTIVE"]}}"#);
    format!(r#"{{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Imported"],"detail":{detail}}}"#)
}

/// `["CRITICAL, HIGH"]` is one text, and no finding has it.
#[test]
fn severities_in_one_text_select_nothing() {
    let text = in_print(r#""CRITICAL, HIGH""#);
    let pattern = parsed("in print", &text);
    for (name, event) in samples() {
        assert!(!pattern.matches(&event), "{name}");
    }
    assert!(traps(&text).iter().any(|trap| trap.contains("\"CRITICAL, HIGH\"")), "{:?}", traps(&text));
    let ours = parsed("ours", &shipped("securityhub-asff-high"));
    for severity in ["securityhub-asff-critical", "securityhub-asff-high"] {
        assert!(ours.matches(&sample(severity)), "{severity}");
    }
}

/// Event Ruler joins keys with dots, so that today they select what nested keys select; its authors say not to rely on that, and
/// whoever reads them as names, as other matchers do, finds nothing.
#[test]
fn dotted_keys_select_by_accident_and_are_refused() {
    let text = in_print(r#""CRITICAL","HIGH""#);
    let pattern = parsed("with its quotes", &text);
    assert!(pattern.matches(&sample("securityhub-asff-high")));
    let told = traps(&text);
    for key in ["findings.Severity.Label", "findings.RecordState"] {
        assert!(told.iter().any(|trap| trap.contains(&format!("`{key}`"))), "{told:?}");
    }
}

/// Every pair of pattern and sample, and the faulty patterns, put to a matcher that others wrote.
#[tokio::test]
async fn the_emulator_agrees_about_every_pair() {
    let Some(second) = SecondOpinion::new().await else { return };
    let mut patterns: Vec<_> = TABLE.iter().map(|row| (row.pattern, used(row.pattern))).collect();
    patterns.push(("without its bucket", shipped("s3-trail-object-created")));
    patterns.push(("severities in one text", in_print(r#""CRITICAL, HIGH""#)));
    patterns.push(("dotted keys", in_print(r#""CRITICAL","HIGH""#)));
    let (samples, mut asked) = (samples(), 0);
    for (name, text) in &patterns {
        let pattern = parsed(name, text);
        for (event_name, event) in &samples {
            assert_eq!(second.on(text, event).await, Ok(pattern.matches(event)), "{name} and {event_name}");
            asked += 1;
        }
    }
    assert_eq!(asked, patterns.len() * samples.len());
}
