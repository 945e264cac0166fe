//! What is written, what waits for that, and what goes back when another agent leads.

use std::sync::Arc;

use serde_json::{Value, json};

use super::tests::{GUARD_DUTY, control, detail, findings, judge, judge_of, tell, told};
use super::*;
use crate::ack::{Counts, ObjectEntry, Outcome, RecordEntry};
use crate::posture::kept::Kept as _;
use crate::posture::stored::StoredError;
use crate::record::{AccountRegion, FindingForm};

const ASFF: FindingForm = FindingForm::Asff;

fn here() -> AccountRegion {
    AccountRegion::new("222233334444", "eu-west-1")
}

fn kept() -> Findings {
    Findings::kept(config::Findings::default()).past_first_day()
}

pub(super) fn opened() -> Findings {
    let findings = kept();
    findings.open();
    findings
}

/// A record that would end as delivered.
pub(super) fn record() -> (Arc<Counts>, Arc<RecordEntry>) {
    let counts = Arc::new(Counts::new("events"));
    let object = ObjectEntry::enter(Arc::clone(&counts), 1, None);
    let record = object.record();
    record.ends_as(Outcome::Delivered);
    object.decoded();
    (counts, record)
}

/// A finding of another resource.
fn of_bucket(name: &str) -> Value {
    let mut finding = control(0, "HIGH", "NEW");
    finding["Resources"][0]["Id"] = json!(format!("arn:aws:s3:::{name}"));
    finding
}

/// Judges a record and settles its events so; how its record stands is in the counts.
fn concluded(findings: &Findings, finding: &Value, settled: Settled) -> Arc<Counts> {
    let (counts, record) = record();
    let new = tell(judge_of(findings, ASFF, finding, &record));
    findings.conclude(new.token, settled, record.piece());
    counts
}

fn ended(counts: &Counts) -> [u64; 3] {
    let counted = counts.snapshot();
    [Outcome::Delivered, Outcome::Rejected, Outcome::Returned].map(|outcome| counted.ended(outcome))
}

/// Writes everything, and says that it went well.
pub(super) fn written(findings: &Findings) -> Vec<(AccountRegion, Vec<u8>)> {
    let mut all = Vec::new();
    for place in findings.unwritten(true) {
        let (bytes, owed) = findings.to_write(&place).expect("it is known");
        findings.written(&place, owed, true);
        all.push((place, bytes));
    }
    all
}

/// The message may be deleted only when the state was written.
#[test]
fn a_record_waits_for_the_writing() {
    let findings = opened();
    let first = concluded(&findings, &of_bucket("a"), Settled::Delivered);
    let refused = concluded(&findings, &of_bucket("b"), Settled::Rejected);
    let returned = concluded(&findings, &of_bucket("c"), Settled::Returned);
    assert_eq!(findings.unwritten(false), [here()]);
    assert_eq!([ended(&first), ended(&refused), ended(&returned)], [[0, 0, 0], [0, 0, 0], [0, 0, 1]]);
    let (_, owed) = findings.to_write(&here()).expect("a state");
    assert_eq!(owed.len(), 2);
    findings.written(&here(), owed, false);
    assert_eq!((ended(&first), findings.unwritten(false).len()), ([0, 0, 0], 1), "the writing failed");
    assert_eq!(written(&findings).len(), 1);
    assert_eq!([ended(&first), ended(&refused)], [[1, 0, 0], [0, 1, 0]], "what is in the dead letters stays rejected");
    assert_eq!(findings.unwritten(true), []);
    assert_eq!(told(&findings, ASFF, &of_bucket("b")), "copy");
}

/// A copy beside a change shares its fate until that is written, too.
#[test]
fn what_says_nothing_new_beside_a_change_waits_with_it() {
    let findings = opened();
    let new = tell(judge(&findings, ASFF, &of_bucket("a")));
    let (copied, copy) = record();
    assert_eq!(judge_of(&findings, ASFF, &of_bucket("a"), &copy), Verdict::Copy);
    drop(copy);
    let (counts, of_new) = record();
    findings.conclude(new.token, Settled::Delivered, of_new.piece());
    drop(of_new);
    assert_eq!([ended(&counts), ended(&copied)], [[0, 0, 0], [0, 0, 0]]);
    written(&findings);
    assert_eq!([ended(&counts), ended(&copied)], [[1, 0, 0], [1, 0, 0]]);
}

#[test]
fn what_waits_goes_back_when_another_agent_leads() {
    let findings = kept();
    assert_eq!(judge(&findings, ASFF, &of_bucket("a")), Verdict::NotLeading);
    assert_eq!(findings.tallies().known, 0, "who does not lead notes nothing");
    findings.open();
    findings.open();
    let waits = concluded(&findings, &of_bucket("a"), Settled::Delivered);
    let late = tell(judge(&findings, ASFF, &of_bucket("b")));
    let (beside, copy) = record();
    assert_eq!(judge_of(&findings, ASFF, &of_bucket("b"), &copy), Verdict::Copy);
    drop(copy);
    let (_, under_way) = findings.to_write(&here()).expect("a state");
    let also = concluded(&findings, &of_bucket("c"), Settled::Delivered);
    findings.clear();
    assert_eq!([ended(&beside), ended(&also), ended(&waits)], [[0, 0, 1], [0, 0, 1], [0, 0, 0]]);
    findings.written(&here(), under_way, false);
    assert_eq!(ended(&waits), [0, 0, 1], "its writing failed, and nobody is there to write it again");
    assert_eq!((judge(&findings, ASFF, &of_bucket("a")), findings.open_counts().len()), (Verdict::NotLeading, 0));

    findings.open();
    let new = tell(judge(&findings, ASFF, &of_bucket("b")));
    let (counts, of_late) = record();
    findings.conclude(late.token, Settled::Delivered, of_late.piece());
    drop(of_late);
    assert_eq!(ended(&counts), [0, 0, 1], "a token of the time before");
    assert_ne!(new.token, late.token);
    assert_eq!((findings.open_counts().len(), findings.unwritten(true).len()), (0, 0), "it moved nothing");
}

/// A restart changes nothing: what was accepted is known again, what was pending is told.
#[test]
fn what_is_written_is_known_again() {
    let before = findings();
    told(&before, ASFF, &control(0, "HIGH", "NEW"));
    told(&before, FindingForm::GuardDuty, &detail(GUARD_DUTY));
    let _pending = tell(judge(&before, ASFF, &of_bucket("pending")));
    let documents = written(&before);
    let places: Vec<String> = documents.iter().map(|(place, _)| place.to_string()).collect();
    assert_eq!(places, ["222233334444/eu-west-1", "222233334444/us-east-1"]);
    let after = opened();
    for (place, bytes) in &documents {
        after.load(place, bytes).expect("this version");
    }
    assert_eq!(after.open_counts(), before.open_counts());
    assert_eq!(after.unwritten(true), [], "it is as it was written");
    for (place, bytes) in &documents {
        assert_eq!(after.to_write(place).map(|(again, _)| again).as_ref(), Some(bytes), "{place}");
    }
    assert_eq!(told(&after, ASFF, &control(0, "HIGH", "NEW")), "copy");
    assert_eq!(told(&after, ASFF, &control(9, "HIGH", "NEW")), "unchanged");
    assert_eq!(told(&after, ASFF, &of_bucket("pending")), "new!");
}

/// An import that changes nothing asks for no writing of its own: only the next one of everything has it.
#[test]
fn when_a_finding_was_heard_of_is_written_with_everything() {
    let findings = opened();
    concluded(&findings, &control(0, "HIGH", "NEW"), Settled::Delivered);
    written(&findings);
    assert_eq!(told(&findings, ASFF, &control(9, "HIGH", "NEW")), "unchanged");
    assert_eq!((findings.unwritten(false), findings.unwritten(true)), (vec![], vec![here()]));
    let after = opened();
    for (place, bytes) in written(&findings) {
        after.load(&place, &bytes).expect("this version");
    }
    assert_eq!(told(&after, ASFF, &control(5, "HIGH", "NEW")), "unchanged", "older than what was heard last");
    assert_eq!(told(&after, ASFF, &control(5, "HIGH", "SUPPRESSED")), "updated", "it comes too late to set anything aside");
    assert_eq!(after.open_counts().first().map(|row| (row.open, row.suppressed)), Some((1, 0)));
}

#[test]
fn what_was_let_go_is_not_written_any_more() {
    let findings = Findings::kept(config::Findings { known: 1, ..config::Findings::default() });
    findings.open();
    concluded(&findings, &of_bucket("a"), Settled::Delivered);
    let (_, large) = written(&findings).remove(0);
    concluded(&findings, &of_bucket("b"), Settled::Delivered);
    let (place, bytes) = written(&findings).remove(0);
    let after = opened();
    after.load(&place, &bytes).expect("this version");
    assert_eq!(after.tallies().known, 1);
    // What is known already stays, and the object that has it too is written anew.
    after.load(&place, &large).expect("this version");
    assert_eq!((after.tallies().known, after.unwritten(true).len()), (2, 0));
    after.load(&place, &large).expect("this version");
    assert_eq!((after.tallies().known, after.unwritten(true).len()), (2, 1));
    assert_eq!(told(&after, ASFF, &of_bucket("b")), "copy");
}

/// What an event says can be anything: it never becomes the name of an object.
#[test]
fn an_account_that_cannot_be_part_of_a_name_keeps_its_findings() {
    let findings = opened();
    for account in ["../../lease", "", "a/b", "ü"] {
        let mut finding = of_bucket(&format!("of-{}", account.len()));
        finding["AwsAccountId"] = json!(account);
        finding.as_object_mut().expect("a map").remove("Id");
        finding["Id"] = json!(format!("finding-{}", account.len()));
        if account.is_empty() {
            finding["Region"] = json!("../x");
            finding["AwsAccountId"] = json!("111122223333");
        }
        concluded(&findings, &finding, Settled::Delivered);
    }
    let documents = written(&findings);
    let places: Vec<String> = documents.iter().map(|(place, _)| place.to_string()).collect();
    assert_eq!(places, ["unknown/eu-west-1", "111122223333/unknown"], "as any record's place is called");
    let after = opened();
    for (place, bytes) in &documents {
        after.load(place, bytes).expect("this version");
    }
    assert_eq!(after.open_counts(), findings.open_counts(), "each under its own account");
    for (place, bytes) in &documents {
        assert_eq!(after.to_write(place).map(|(again, _)| again).as_ref(), Some(bytes), "{place}");
    }
}

fn packed(lines: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut out, lines.as_bytes()).expect("memory");
    out.finish().expect("memory")
}

#[test]
fn what_was_cut_is_damaged_or_is_newer_is_refused_whole() {
    let findings = opened();
    for bucket in ["a", "b", "c"] {
        concluded(&findings, &of_bucket(bucket), Settled::Delivered);
    }
    let (bytes, _) = findings.to_write(&here()).expect("a state");
    let after = opened();
    let mut text = String::new();
    #[expect(clippy::disallowed_types, reason = "of our own writing")]
    std::io::Read::read_to_string(&mut flate2::bufread::GzDecoder::new(bytes.as_slice()), &mut text).expect("text");
    for cut in [0, 10, bytes.len() / 2, bytes.len() - 9] {
        let error = after.load(&here(), &bytes[..cut]).expect_err("it was cut");
        assert!(matches!(error, StoredError::Damaged(_)), "{cut} of {} bytes: {error}", bytes.len());
    }
    let without_last = text.trim_end().rsplit_once('\n').expect("lines").0;
    for (lines, want) in [
        (without_last.to_owned(), "cut off or damaged: 2 of 3 findings are there"),
        (text.replacen("\"k\":\"", "\"k\":\"no key ", 1), "is no key"),
        (text.replacen(",3,", ",99,", 1).replacen("\"a\":[[", "\"a\":[[1,1,1,1,9,9,9,9],[", 1), "are none that are known"),
        ("{\"version\":2,\"layout\":\"other\"}\n".to_owned(), "its version is 2, this agent reads up to 1: run the newer agent"),
    ] {
        let error = after.load(&here(), &packed(&lines)).expect_err(want).to_string();
        assert!(error.contains(want), "{error} instead of {want}");
    }
    assert_eq!((after.tallies().known, after.unwritten(true).len()), (0, 0), "nothing of it was read");
    after.load(&here(), &packed(&text)).expect("it is whole");
    assert_eq!(after.tallies().known, 3);
}
