//! What is told at once when an account, Security Hub or a standard is switched on.

use serde_json::{Value, json};

use super::news_tests::{DAY, HOUR, ON, failed, packed, threat, told_at, unpacked};
use super::stored_tests::written;
use super::*;
use crate::posture::kept::Kept as _;
use crate::record::{AccountRegion, FindingForm};

const ASFF: FindingForm = FindingForm::Asff;

/// A control's finding of a bucket that was checked first at this moment, asked for by these standards.
fn of(bucket: &str, at_ms: i64, standards: &[&str]) -> Value {
    let mut finding = failed(bucket, at_ms, at_ms);
    finding["Compliance"]["AssociatedStandards"] = standards.iter().map(|id| json!({ "StandardsId": id })).collect();
    finding
}

fn told_of(findings: &Findings, bucket: &str, at_ms: i64, standards: &[&str]) -> String {
    told_at(findings, ASFF, &of(bucket, at_ms, standards), at_ms)
}

fn kept() -> Findings {
    let findings = Findings::kept(config::Findings::default());
    findings.open();
    findings
}

/// S0-04: how things are on the first day is nobody's news, whatever its date; what happens to it is, and so is what products see
/// happen.
#[test]
fn what_is_switched_on_tells_how_things_are_and_pages_nobody_for_a_day() {
    let findings = kept();
    let (old, new) = ("standards/old", "standards/new");
    assert_eq!(told_at(&findings, FindingForm::GuardDuty, &threat("a", ON, ON), ON), "new!", "a threat in a new account");
    // Security Hub is switched on, much later.
    let hub = ON + 10 * DAY;
    assert_eq!(told_of(&findings, "a", hub, &[old]), "new-");
    assert_eq!(told_of(&findings, "b", hub + DAY - 1, &[old]), "new-");
    assert_eq!(told_of(&findings, "c", hub + DAY, &[old]), "new!");
    let mut worse = of("a", hub + HOUR, &[old]);
    worse["Severity"] = json!({ "Label": "CRITICAL" });
    assert_eq!(told_at(&findings, ASFF, &worse, hub + HOUR), "worsened!", "it became so");
    // And later a standard: only what no other asks for is held.
    let standard = hub + 10 * DAY;
    assert_eq!(told_of(&findings, "d", standard, &[new]), "new-");
    assert_eq!(told_of(&findings, "e", standard + HOUR, &[new, old]), "new!");
    assert_eq!(told_of(&findings, "f", standard + DAY - 1, &[new]), "new-");
    assert_eq!(told_of(&findings, "g", standard + HOUR, &[]), "new!", "no standard is named, and Security Hub is not new");
    let mut leak = of("h", standard, &[]);
    leak["ProductArn"] = json!("arn:aws:securityhub:eu-west-1::product/aws/macie");
    leak["Compliance"] = Value::Null;
    assert_eq!(told_at(&findings, ASFF, &leak, standard), "new!", "Macie's first word");
    // An agent that takes over knows all of it; a state of before has it of its findings.
    let documents = written(&findings);
    let loaded = |text: &dyn Fn(String) -> String| {
        let after = kept();
        for (place, bytes) in &documents {
            after.load(place, &packed(&text(unpacked(bytes)))).expect("this version");
        }
        after
    };
    let after = loaded(&|text| text);
    assert!(after.unwritten(true).is_empty(), "it is as it was written");
    assert_eq!(told_of(&after, "i", standard + DAY - 1, &[new]), "new-");
    assert_eq!(told_of(&after, "j", standard + DAY - 1, &[old]), "new!");
    let before = loaded(&|text| {
        let Some((head, rest)) = text.split_once('\n') else { panic!("lines") };
        let mut head: Value = serde_json::from_str(head).expect("JSON");
        head.as_object_mut().expect("a head").remove("begun");
        format!("{head}\n{rest}")
    });
    let third = ["standards/third"];
    assert_eq!(told_of(&before, "i", standard + DAY - 1, &[new]), "new!", "long known, as far as that can be said");
    assert_eq!(told_of(&before, "j", standard + DAY - 1, &third), "new-");
}

/// S0-04: who remembers nothing has a first day after every start: only what is old by its own date is held back then.
#[test]
fn without_kept_state_no_first_day_holds_back_what_begins() {
    let findings = Findings::in_memory(config::Findings::default());
    assert_eq!(told_of(&findings, "a", ON, &["standards/old"]), "new!");
    let old = failed("b", ON - 2 * DAY, ON);
    assert_eq!(told_at(&findings, ASFF, &old, ON), "new-");
    assert_eq!(told_of(&findings, "c", ON + HOUR, &["standards/new"]), "new!");
    // What waited in the dead letters is as old as its telling.
    let waited = failed("d", ON - 3 * DAY, ON - 3 * DAY + HOUR);
    assert_eq!(told_at(&findings, ASFF, &waited, ON), "new!");
    let threat = threat("e", ON - 3 * DAY, ON - 3 * DAY + HOUR);
    assert_eq!(told_at(&findings, FindingForm::GuardDuty, &threat, ON), "new!");
}

/// S1-05: the finding is relied on for the page only where findings are read and it is not held back.
#[test]
fn who_is_relied_on_for_a_page_sends_it() {
    let place = AccountRegion::new("222233334444", "eu-west-1");
    let elsewhere = AccountRegion::new("222233334444", "eu-north-1");
    let hears = |findings: &Findings, place: &AccountRegion, control: &str, bucket: &str, at_ms: i64| {
        let resource = format!("arn:aws:s3:::{bucket}");
        findings.hears(place, Begun { controls: &[control], resource: &resource }, at_ms)
    };
    let findings = kept();
    told_at(&findings, FindingForm::GuardDuty, &threat("a", ON, ON), ON);
    assert_eq!(hears(&findings, &place, "S3.8", "a", ON), Hearing::Nothing, "another product's");
    assert_eq!(told_of(&findings, "a", ON, &["standards/old"]), "new-");
    for (name, place, bucket, at_ms, want) in [
        ("its notice was held back", &place, "a", ON, Hearing::Young),
        ("nobody knows it", &place, "b", ON, Hearing::Young),
        ("the last moment of two days", &place, "b", ON + 2 * DAY - 1, Hearing::Young),
        ("two days later", &place, "b", ON + 2 * DAY, Hearing::Settled),
        ("in another Region", &elsewhere, "b", ON + 2 * DAY, Hearing::Nothing),
    ] {
        assert_eq!(hears(&findings, place, "S3.8", bucket, at_ms), want, "{name}");
    }
    // What passed and fails now is reopened, which pages, in the order in which the two are told, and in the other one.
    let mut passed = of("c", ON + HOUR, &["standards/old"]);
    passed["Compliance"]["Status"] = json!("PASSED");
    passed["Workflow"]["Status"] = json!("RESOLVED");
    assert_eq!(told_at(&findings, ASFF, &passed, ON + HOUR), "updated");
    assert_eq!(hears(&findings, &place, "S3.8", "c", ON + 2 * HOUR), Hearing::Settled, "it will be reopened");
    assert_eq!(told_of(&findings, "c", ON + 2 * HOUR, &["standards/old"]), "reopened!");
    assert_eq!(hears(&findings, &place, "S3.8", "c", ON + 2 * HOUR), Hearing::Settled, "it was");
    assert_eq!(hears(&findings, &place, "S3.1", "c", ON + 2 * HOUR), Hearing::Young, "another control's");
    assert_eq!(told_of(&findings, "d", ON + DAY, &["standards/old"]), "new!");
    assert_eq!(hears(&findings, &place, "S3.8", "d", ON + DAY), Hearing::Settled, "it was new, and paged");
    // Another standard, which asks for another control, is switched on.
    let mut other = of("e", ON + 5 * DAY, &["standards/new"]);
    other["Compliance"]["SecurityControlId"] = json!("S3.1");
    assert_eq!(told_at(&findings, ASFF, &other, ON + 5 * DAY), "new-");
    for (name, control, at_ms, want) in [
        ("the new one asks for it", "S3.1", ON + 6 * DAY - 1, Hearing::Young),
        ("nobody knows who asks for it", "S3.2", ON + 6 * DAY - 1, Hearing::Young),
        ("an old one asks for it", "S3.8", ON + 6 * DAY - 1, Hearing::Settled),
        ("a day later", "S3.1", ON + 6 * DAY, Hearing::Settled),
    ] {
        assert_eq!(hears(&findings, &place, control, "z", at_ms), want, "{name}");
    }
    let without = Findings::kept(config::Findings { products: vec!["GuardDuty".to_owned()], ..config::Findings::default() });
    for (place, bytes) in &written(&findings) {
        without.load(place, bytes).expect("this version");
    }
    assert_eq!(without.tallies().known, 5);
    assert_eq!(hears(&without, &place, "S3.8", "a", ON + 6 * DAY), Hearing::Nothing, "nobody reads them now");
}
