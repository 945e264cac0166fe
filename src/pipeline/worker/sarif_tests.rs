//! Files of scan results through all stages: which rows come out, and how each result ends.

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::super::tests::{Accepts, now, stages};
use super::super::{Stages, Work};
use super::*;
use crate::ack::ObjectEntry;
use crate::ack::counts::Snapshot;
use crate::classify::Frameworks;
use crate::source::{Object, Origin, Sight};

const CFN_GUARD: &str = include_str!("../../../tests/fixtures/sarif/cfn-guard.sarif");
const SEMGREP: &str = include_str!("../../../tests/fixtures/sarif/semgrep.sarif");
const BASELINE: &str = include_str!("../../../tests/fixtures/sarif/baseline.sarif");

fn scanning(scan: Scan) -> Stages {
    excepting(scan, "")
}

fn excepting(scan: Scan, exceptions: &str) -> Stages {
    Stages { scans: Some(Scans::new(scan, 1 << 20)), ..stages(exceptions) }
}

/// What comes of a file.
fn run(stages: &Stages, text: &[u8]) -> (Vec<Value>, Snapshot) {
    let (letters, mut kept) = mpsc::channel(8);
    let counts = Arc::new(Counts::new("ingest"));
    let entry = ObjectEntry::enter(Arc::clone(&counts), 0, None);
    let origin = Origin { name: "scan.sarif".to_owned(), account: None, sight: Sight::Named };
    let object = Object { number: 0, origin, body: Body::Held(Bytes::copy_from_slice(text)), room: None, again: false };
    let mut outlet = Accepts::default();
    Processor::new(stages, letters, Arc::default()).object(Work { object, entry }, &mut outlet);
    let snapshot = counts.snapshot();
    assert!(snapshot.adds_up(), "{snapshot:?}");
    assert!(kept.try_recv().is_err(), "a scan writes no dead letters");
    assert!(outlet.0.iter().all(|(_, item)| item["eventType"] == "AwsSecurityFinding"), "{:?}", outlet.0);
    (outlet.0.into_iter().map(|(_, item)| item).collect(), snapshot)
}

fn file(results: &[Value]) -> String {
    let tool = json!({ "driver": { "name": "Scanner", "rules": [{ "id": "R", "defaultConfiguration": { "level": "error" } }] } });
    json!({ "version": "2.1.0", "runs": [{ "tool": tool, "results": results }] }).to_string()
}

/// S1-20, S2-16: what a scan says and what an account says have a control in common, and all that dashboards ask for is there.
#[test]
fn a_result_is_a_finding_of_the_pillar_iac() {
    let (rows, counts) = run(&scanning(Scan::default()), CFN_GUARD.as_bytes());
    assert_eq!((rows.len(), counts.ended(Outcome::Delivered)), (2, 2));
    let row = rows[0].as_object().expect("a row");
    for (name, want) in [
        ("control.id", "S3_BUCKET_LOGGING_ENABLED"),
        ("control.ids", "|S3_BUCKET_LOGGING_ENABLED|s3-bucket-logging-enabled|S3.9|"),
        ("control.pillar", "IaC"),
        ("control.kind", "finding"),
        ("control.severity", "HIGH"),
        ("finding.product", "cfn-guard"),
        ("finding.form", "sarif"),
        ("finding.transition", "new"),
        ("finding.status", "OPEN"),
        ("code.file", "templates/storage.yaml"),
        ("code.repository", "unknown"),
        ("code.branch", "unknown"),
        ("code.toolVersion", "3.1.2"),
        ("aws.accountId", "unknown"),
        ("aws.accountName", "unknown"),
        ("aws.organizationalUnit", "unknown"),
        ("aws.region", "unknown"),
        ("resource.id", "templates/storage.yaml"),
        ("resource.type", "unknown"),
        ("relay.late", "false"),
    ] {
        assert_eq!(row[name], want, "{name}");
    }
    assert_eq!((&row["code.line"], &row["code.column"]), (&json!(4), &json!(7)));
    assert!(row["control.frameworks"].as_str().is_some_and(|numbers| numbers.contains("|FSBP:S3.9|")), "{row:?}");
    let own = rows[1].as_object().expect("a row");
    assert_eq!((&own["control.frameworks"], &own["control.ids"]), (&json!("|unmapped|"), &json!("|OUR_NAMING|")));
    assert_eq!(own["code.file"], "templates/storage.yaml", "by its number");
}

/// The results stand before the tool, and all of them have the same words for a fingerprint.
#[test]
fn results_before_their_tool_have_its_rules_and_are_not_taken_for_one() {
    let (rows, counts) = run(&scanning(Scan::default()), SEMGREP.as_bytes());
    assert_eq!((rows.len(), counts.ended(Outcome::Duplicate)), (2, 0));
    for row in &rows {
        assert_eq!(row["control.title"], "Semgrep Finding: aws-ebs-unencrypted");
        assert_eq!(row["control.remediation"], "Switch encryption on.");
        assert_eq!(row["control.severity"], "MEDIUM");
        let numbers = row["control.frameworks"].as_str().expect("numbers");
        assert!(numbers.contains("|PCI-DSS-4.0:3.5.1|"), "{numbers}");
        assert!(row["control.ids"].as_str().is_some_and(|ids| ids.ends_with("|EC2.3|")), "{row}");
    }
    assert_ne!(rows[0]["finding.key"], rows[1]["finding.key"]);
}

#[test]
fn a_scan_that_is_compared_with_another_tells_what_changed() {
    let stages = scanning(Scan { environment: Some("prod".to_owned()), ..Scan::default() });
    let (rows, counts) = run(&stages, BASELINE.as_bytes());
    let ends = [Outcome::Delivered, Outcome::Ignored, Outcome::Suppressed].map(|outcome| counts.ended(outcome));
    assert_eq!((counts.records_received, ends), (7, [5, 2, 0]));
    let of = |name: &str| rows.iter().map(|row| row[name].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>();
    assert_eq!(of("finding.transition"), ["new", "updated", "resolved", "new", "new"]);
    assert_eq!(of("finding.status"), ["OPEN", "OPEN", "RESOLVED", "OPEN", "OPEN"]);
    assert_eq!(of("control.title")[4], "From a pack");
    let first = &rows[0];
    for (name, want) in [
        ("code.message", "aws_security_group.web is open to 0.0.0.0/0"),
        ("code.logicalLocation", "module.net.aws_security_group.web"),
        ("resource.id", "module.net.aws_security_group.web"),
        ("resource.type", "aws_security_group"),
        ("code.repository", "https://git.example.com/payments/infra"),
        ("code.revision", "4b1d0c9a46"),
        ("code.branch", "main"),
        ("code.scan", "infra/nightly/2026-11-21"),
        ("control.severity", "LOW"),
        ("finding.severityOriginal", "recommendation"),
        ("aws.environment", "prod"),
    ] {
        assert_eq!(first[name], want, "{name}");
    }
    assert!(!rows.iter().any(|row| row.to_string().contains("s3cr3t")), "the token of the pipeline");
    assert_eq!(first["event.time"], crate::record::time::parse_ms("2026-11-21T20:00:00Z").expect("a time"));
}

/// The same file twice: the second time nothing but copies, with the same ids.
#[test]
fn a_file_that_comes_twice_is_seen_to() {
    let stages = scanning(Scan::default());
    let (first, _) = run(&stages, SEMGREP.as_bytes());
    let (again, counts) = run(&stages, SEMGREP.as_bytes());
    assert_eq!((again.len(), counts.ended(Outcome::Duplicate)), (0, 2));
    let (elsewhere, _) = run(&scanning(Scan::default()), SEMGREP.as_bytes());
    let ids = |rows: &[Value]| rows.iter().map(|row| row["event.id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&elsewhere));
}

/// The customer's numbers for a scanner's own rule, and for a control that it names.
#[test]
fn the_customers_framework_numbers_apply() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("own.csv");
    std::fs::write(&path, "control,framework,requirement\nour-naming,ACME,7.1\nS3.9,ACME,8.2\n").expect("a file");
    let mut stages = scanning(Scan::default());
    stages.frameworks = Frameworks::from_file(&path).expect("numbers").0;
    let (rows, _) = run(&stages, CFN_GUARD.as_bytes());
    assert_eq!(rows[1]["control.frameworks"], "|ACME:7.1|");
    assert!(rows[0]["control.frameworks"].as_str().is_some_and(|numbers| numbers.contains("|ACME:8.2|")), "{}", rows[0]);
}

/// S2-20: what is muted in accounts is muted in code, by the scanner's own rule or by every control that it relates to.
#[test]
fn an_excepted_result_is_a_state_of_its_own_and_counted_as_suppressed() {
    let result = |tags: &[&str], status: &str| {
        let place = json!([{ "physicalLocation": { "artifactLocation": { "uri": "infra/public.tf" } } }]);
        json!({ "ruleId": "CKV_AWS_18", "message": { "text": "m" }, "locations": place, "properties": { "tags": tags }, "baselineState": status })
    };
    let end = "owner: web-team, reason: known, expires: 2026-11-21";
    let of = |control: &str, scope: &str| format!("- {{control: {control}, {end}, scope: {scope}}}\n");
    let logging = &["S3.9"][..];
    let account = Scan { account: Some("111122223333".to_owned()), ..Scan::default() };
    for (name, scan, text, tags, want) in [
        ("nothing is", Scan::default(), String::new(), logging, "OPEN"),
        ("its own rule", Scan::default(), of("CKV_AWS_18", "{}"), &[][..], "EXCEPTED"),
        ("the control", Scan::default(), of("S3.9", "{}"), logging, "EXCEPTED"),
        ("the rule behind it", Scan::default(), of("s3-bucket-logging-enabled", "{}"), logging, "EXCEPTED"),
        ("another control", Scan::default(), of("S3.1", "{}"), logging, "OPEN"),
        ("one of two", Scan::default(), of("S3.9", "{}"), &["S3.9", "EC2.3"], "OPEN"),
        ("both of two", Scan::default(), of("S3.9", "{}") + &of("EC2.3", "{}"), &["S3.9", "EC2.3"], "EXCEPTED"),
        ("the file", Scan::default(), of("S3.9", "{resources: 'infra/public.*'}"), logging, "EXCEPTED"),
        ("another file", Scan::default(), of("S3.9", "{resources: 'infra/private.*'}"), logging, "OPEN"),
        ("the account", account, of("S3.9", "{accounts: [111122223333]}"), logging, "EXCEPTED"),
        ("no account", Scan::default(), of("S3.9", "{accounts: [111122223333]}"), logging, "OPEN"),
    ] {
        let (rows, counts) = run(&excepting(scan, &text), file(&[result(tags, "new")]).as_bytes());
        assert_eq!((rows.len(), &rows[0]["finding.status"]), (1, &json!(want)), "{name}");
        let excepted = want == "EXCEPTED";
        assert_eq!(rows[0]["compliance.exception.owner"].as_str(), excepted.then_some("web-team"), "{name}");
        let ends = (counts.ended(Outcome::Suppressed), counts.ended(Outcome::Delivered), counts.findings_excepted);
        assert_eq!(ends, (u64::from(excepted), u64::from(!excepted), u64::from(excepted)), "{name}");
    }
    let gone = file(&[result(logging, "absent")]);
    let (rows, counts) = run(&excepting(Scan::default(), &of("S3.9", "{}")), gone.as_bytes());
    assert_eq!((&rows[0]["finding.status"], counts.ended(Outcome::Delivered)), (&json!("RESOLVED"), 1), "nothing to except");
}

#[test]
fn an_old_scan_is_filed_under_the_present_and_marked_late() {
    let text = BASELINE.replace("2026-11-21T20:00:00Z", "2026-10-01T00:00:00Z");
    let (rows, _) = run(&scanning(Scan::default()), text.as_bytes());
    assert_eq!((&rows[0]["relay.late"], &rows[0]["timestamp"]), (&json!("true"), &json!(now())));
}

#[test]
fn a_file_that_cannot_be_read_goes_back_and_says_why() {
    for (text, want, results) in [
        (&b"{\"Records\":[]}"[..], "not SARIF 2.1.0: a JSON object without a list \"runs\"", 0),
        (
            &file(&[json!({ "ruleId": "R" })]).as_bytes()[..120],
            "truncated or corrupt: ends at byte 120, in the middle of the document",
            1,
        ),
    ] {
        let stages = scanning(Scan::default());
        let (rows, counts) = run(&stages, text);
        let unread = stages.scans.as_ref().expect("scans").unread();
        let want = Unread { file: "scan.sarif".to_owned(), why: want.to_owned(), results };
        assert_eq!((rows.len(), unread), (usize::try_from(results).expect("few"), vec![want]));
        assert_eq!(counts.objects_ended(crate::ack::Verdict::Returned), 1);
    }
}

#[test]
fn a_message_that_is_too_long_is_cut_and_a_secret_in_it_is_masked() {
    let long = json!({ "ruleId": "R", "message": { "text": "監".repeat(5_000) } });
    let key = json!({ "ruleId": "S", "message": { "text": r#"{"password":"hunter2hunter2"}"# } });
    let (rows, counts) = run(&scanning(Scan::default()), file(&[long, key]).as_bytes());
    assert!(rows[0]["relay.truncated"].as_str().is_some_and(|names| names.contains("code.message")), "{}", rows[0]);
    assert!(counts.truncated >= 1);
    assert!(!rows[1].to_string().contains("hunter2hunter2"), "{}", rows[1]);
}

/// What a result is made to be, and how it must end.
fn made(kind: u8, number: usize) -> (String, Outcome) {
    let result = |more: &str| format!(r#"{{"ruleId":"R","message":{{"text":"m{number}"}}{more}}}"#);
    match kind {
        0 => (result(""), Outcome::Delivered),
        1 => (result(r#","kind":"pass""#), Outcome::Ignored),
        2 => (result(r#","suppressions":[{"kind":"inSource"}]"#), Outcome::Suppressed),
        3 => (result(r#","baselineState":"unchanged""#), Outcome::Ignored),
        4 => (r#"{"ruleId":"R","message":{"text":"twin"}}"#.to_owned(), Outcome::Duplicate),
        5 => (r#"{"message":{"text":"no rule"}}"#.to_owned(), Outcome::Unreadable),
        6 => (format!(r#"{{"ruleId":"R","x":"{}"}}"#, "x".repeat(1 << 16)), Outcome::Unreadable),
        7 => ("7".to_owned(), Outcome::Unreadable),
        8 => (r#"{"ruleId":"R","message":{"text":"\ud800"},"x":nul}"#.to_owned(), Outcome::Unreadable),
        _ => (result(r#","baselineState":"absent""#), Outcome::Delivered),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// S1-20: whatever is in a file, in whatever order, every result has one outcome, and the right one.
    #[test]
    fn every_result_has_its_outcome(kinds in prop::collection::vec(0_u8..10, 0..30), tool_first: bool, runs in 1_usize..3) {
        let made: Vec<(String, Outcome)> = kinds.iter().enumerate().map(|(number, kind)| made(*kind, number)).collect();
        let results = made.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(",");
        let tool = |run: usize| format!(r#""tool":{{"driver":{{"name":"T{run}"}}}}"#);
        let of = |run: usize| if tool_first { format!(r#"{{{},"results":[{results}]}}"#, tool(run)) } else { format!(r#"{{"results":[{results}],{}}}"#, tool(run)) };
        let text = format!(r#"{{"version":"2.1.0","runs":[{}]}}"#, (0..runs).map(of).collect::<Vec<_>>().join(","));
        let mut stages = scanning(Scan::default());
        // Sixty results that are too long are more than what tests unpack at most.
        stages.bounds.inflated = 8 << 20;
        let (rows, counts) = run(&stages, text.as_bytes());
        prop_assert_eq!(counts.records_received, (made.len() * runs) as u64);
        let mut want = [0_u64; Outcome::ALL.len()];
        let mut twin = false;
        for (_, outcome) in &made {
            let first = *outcome == Outcome::Duplicate && !std::mem::replace(&mut twin, true);
            want[(if first { Outcome::Delivered } else { *outcome }) as usize] += runs as u64;
        }
        prop_assert_eq!(counts.records, want);
        prop_assert_eq!(rows.len() as u64, counts.ended(Outcome::Delivered));
    }
}
