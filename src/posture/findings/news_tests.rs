//! What is old news when the relay first hears of it, and what is let go.

use serde_json::{Value, json};

use super::leaving::UNHEARD_MS;
use super::stored_tests::{opened, record, written};
use super::tests::{GUARD_DUTY, control, detail, findings, told};
use super::*;
use crate::posture::kept::Kept as _;
use crate::record::FindingForm;
use crate::record::finding::Around;
use crate::record::time::format_ms;

pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;
/// When the relay was switched on.
pub(super) const ON: i64 = 1_795_000_000_000;

/// A finding of `GuardDuty` that was first seen then, and is told at `at`.
pub(super) fn threat(id: &str, first_ms: i64, at_ms: i64) -> Value {
    let mut finding = detail(GUARD_DUTY);
    finding["id"] = json!(id);
    finding["arn"] = json!(format!("arn:aws:guardduty:us-east-1:222233334444:detector/0000/finding/{id}"));
    finding["createdAt"] = json!(format_ms(first_ms));
    finding["service"]["eventFirstSeen"] = json!(format_ms(first_ms));
    finding["updatedAt"] = json!(format_ms(at_ms));
    finding
}

/// A control's finding of this bucket.
pub(super) fn failed(bucket: &str, first_ms: i64, at_ms: i64) -> Value {
    let mut finding = control(0, "HIGH", "NEW");
    finding["Resources"][0]["Id"] = json!(format!("arn:aws:s3:::{bucket}"));
    for name in ["CreatedAt", "FirstObservedAt"] {
        finding[name] = json!(format_ms(first_ms));
    }
    finding["UpdatedAt"] = json!(format_ms(at_ms));
    finding
}

/// Judges at a time and delivers: what was told, with `!` for a notice and `-` for one that is held back.
pub(super) fn told_at(findings: &Findings, form: FindingForm, finding: &Value, now_ms: i64) -> String {
    let raw = finding.to_string();
    let finding = Finding::parse(form, raw.as_bytes(), Around::default()).expect("a finding");
    match findings.judge(&finding, finding.severity, &finding.event_id(), now_ms, || record().1.piece()) {
        Verdict::Tell(tell) => {
            let notice = match (tell.notify, tell.held) {
                (true, false) => "!",
                (false, true) => "-",
                (false, false) => "",
                (true, true) => "both",
            };
            findings.conclude(tell.token, Settled::Delivered, record().1.piece());
            format!("{}{notice}", tell.transition.as_str())
        }
        other => format!("{other:?}"),
    }
}

/// S0-04: what was there before the relay pages nobody; what begins afterwards does.
#[test]
fn what_was_there_before_the_relay_is_no_news() {
    let findings = findings();
    for (name, first_ms, now_ms, want) in [
        ("a year old", ON - 365 * DAY, ON, "new-"),
        ("a day old to the millisecond", ON - DAY, ON, "new-"),
        ("less than a day old", ON - DAY + 1, ON, "new!"),
        ("of this moment", ON, ON, "new!"),
        ("a year old, told months later", ON - 365 * DAY, ON + 60 * DAY, "new-"),
        ("of later", ON + 60 * DAY, ON + 61 * DAY, "new!"),
    ] {
        let finding = threat(name, first_ms, now_ms);
        assert_eq!(told_at(&findings, FindingForm::GuardDuty, &finding, now_ms), want, "{name}");
    }
    let worse = {
        let mut finding = threat("a year old", ON - 365 * DAY, ON + DAY);
        finding["severity"] = json!(9.5);
        finding
    };
    assert_eq!(told_at(&findings, FindingForm::GuardDuty, &worse, ON + DAY), "worsened!", "that is news");
}

/// A control's finding is as old as its first check: only in the first days is it held back for that.
#[test]
fn a_control_that_fails_for_the_first_time_pages_however_old_its_finding_is() {
    let findings = findings();
    let old = ON - 365 * DAY;
    for (bucket, now_ms, want) in
        [("a", ON, "new-"), ("b", ON + 2 * DAY - 1, "new-"), ("c", ON + 2 * DAY, "new!"), ("d", ON + 90 * DAY, "new!")]
    {
        assert_eq!(told_at(&findings, FindingForm::Asff, &failed(bucket, old, now_ms), now_ms), want, "{bucket}");
    }
    // Another product's is not told every day.
    let mut of_vendor = failed("e", old, ON + 90 * DAY);
    of_vendor["ProductArn"] = json!("arn:aws:securityhub:eu-west-1:222233334444:product/example/scanner");
    of_vendor["ProductName"] = json!("Scanner");
    of_vendor["Id"] = json!("e");
    assert_eq!(told_at(&findings, FindingForm::Asff, &of_vendor, ON + 90 * DAY), "new-");
}

/// Each account and Region has a beginning of its own, which is written; a state of before that counts as old.
#[test]
fn a_place_remembers_since_when_it_is_watched() {
    let before = opened();
    assert_eq!(told_at(&before, FindingForm::Asff, &failed("a", ON - 5 * DAY, ON), ON), "new-");
    let mut elsewhere = failed("a", ON + 5 * DAY, ON + 10 * DAY);
    elsewhere["Region"] = json!("eu-north-1");
    assert_eq!(told_at(&before, FindingForm::Asff, &elsewhere, ON + 10 * DAY), "new-", "watched since a moment ago");
    let documents = written(&before);
    assert_eq!(documents.len(), 2);
    let after = opened();
    for (place, bytes) in &documents {
        after.load(place, bytes).expect("this version");
    }
    // Begun two days after the first place was first heard of, and loaded by an agent that runs since an hour.
    let vendor = |findings: &Findings| {
        let mut finding = failed("b", ON + 2 * DAY, ON + 20 * DAY);
        finding["ProductName"] = json!("Scanner");
        finding["ProductArn"] = json!("arn:aws:securityhub:eu-west-1:222233334444:product/example/scanner");
        told_at(findings, FindingForm::Asff, &finding, ON + 20 * DAY)
    };
    assert_eq!((vendor(&after), vendor(&opened())), ("new!".to_owned(), "new-".to_owned()));
    let old = opened();
    let (place, bytes) = &documents[0];
    let text = unpacked(bytes);
    let without = text.replacen(&format!(",\"born\":{ON}"), "", 1);
    assert_ne!(without, text);
    old.load(place, &packed(&without)).expect("an older version");
    assert_eq!(vendor(&old), "new!", "it was watched long before");
}

/// An exception.
pub(super) const COVER: Cover = Cover { control: 3, scope: 5, until_ms: ON + DAY, is_over: false };

fn judged(findings: &Findings, form: FindingForm, finding: &Value, covered: Option<bool>) -> Verdict {
    let raw = finding.to_string();
    let finding = Finding::parse(form, raw.as_bytes(), Around::default()).expect("a finding");
    let covered = match covered {
        None => Covered::Unknown,
        Some(false) => Covered::No,
        Some(true) => Covered::By(COVER),
    };
    let weight = Weight { severity: finding.severity, covered };
    findings.judge(&finding, weight, &finding.event_id(), ON, || record().1.piece())
}

/// Judges a control's finding in the same way, and does not settle yet.
pub(super) fn begun(findings: &Findings, finding: &Value, covered: Option<bool>) -> Token {
    match judged(findings, FindingForm::Asff, finding, covered) {
        Verdict::Tell(tell) => tell.token,
        other => panic!("{other:?}"),
    }
}

/// Judges at a minute after the beginning and settles so; `covered`: an exception is there.
pub(super) fn covered(
    findings: &Findings,
    form: FindingForm,
    finding: &Value,
    covered: impl Into<Option<bool>>,
    settled: Settled,
) -> String {
    match judged(findings, form, finding, covered.into()) {
        Verdict::Tell(tell) => {
            findings.conclude(tell.token, settled, record().1.piece());
            let words = [(tell.was_excepted, "excepted>"), (true, tell.transition.as_str()), (tell.excepted, ">excepted")];
            let words = words.iter().filter(|(is_so, _)| *is_so).map(|(_, word)| *word).collect::<String>();
            format!("{words}{}", if tell.notify { "!" } else { "" })
        }
        other => format!("{other:?}"),
    }
}

/// S2-20: that a finding was told as excepted is part of what is known of it: written, taken back, and of a state of before not so.
#[test]
fn what_was_told_as_excepted_is_remembered_as_that() {
    let asff = FindingForm::Asff;
    let minute = |minutes: i64| failed("a", ON - 365 * DAY, ON + minutes * 60_000);
    let before = opened();
    assert_eq!(covered(&before, asff, &minute(0), true, Settled::Delivered), "new>excepted");
    let documents = written(&before);
    let loaded = |text: &dyn Fn(&str) -> String| {
        let after = opened();
        for (place, bytes) in &documents {
            after.load(place, &packed(&text(&unpacked(bytes)))).expect("this version");
        }
        after
    };
    let counts = |findings: &Findings| findings.open_counts().first().map(|row| (row.open, row.excepted));
    let after = loaded(&|text| text.to_owned());
    assert_eq!(counts(&after), Some((0, 1)));
    assert_eq!(covered(&after, asff, &minute(1), true, Settled::Delivered), "Unchanged");
    assert_eq!(covered(&after, asff, &minute(2), false, Settled::Returned), "excepted>updated!");
    assert_eq!(counts(&after), Some((0, 1)), "it was never told");
    assert_eq!(covered(&after, asff, &minute(2), false, Settled::Delivered), "excepted>updated!", "once more");
    assert_eq!(covered(&after, asff, &minute(2), false, Settled::Delivered), "Copy");
    assert_eq!(counts(&after), Some((1, 0)));
    // What is worse at the same time pages once; what is solved pages nobody.
    let worse = |minutes: i64| {
        let mut finding = minute(minutes);
        finding["Severity"] = json!({ "Label": "CRITICAL" });
        finding
    };
    let solved = |minutes: i64| {
        let mut finding = minute(minutes);
        finding["Workflow"]["Status"] = json!("RESOLVED");
        finding
    };
    assert_eq!(covered(&loaded(&|text| text.to_owned()), asff, &worse(3), false, Settled::Delivered), "excepted>worsened!");
    assert_eq!(
        covered(&loaded(&|text| text.to_owned()), asff, &worse(3), true, Settled::Delivered),
        "excepted>worsened>excepted"
    );
    assert_eq!(covered(&loaded(&|text| text.to_owned()), asff, &solved(3), false, Settled::Delivered), "excepted>resolved");
    // An older version did not say.
    let old = loaded(&|text| {
        let without = text.replacen(",\"x\":[0]", "", 1);
        assert_ne!(without, text);
        without
    });
    assert_eq!(counts(&old), Some((1, 0)));
    assert_eq!(covered(&old, asff, &minute(1), true, Settled::Delivered), "updated>excepted");
}

/// S2-20: while nobody can say whether an exception covers it, it counts as it did.
#[test]
fn what_nobody_can_say_yet_stays_as_it_was() {
    let asff = FindingForm::Asff;
    let unknown = None::<bool>;
    for (before, first, then) in [(true, "new>excepted", "excepted>updated!"), (false, "new!", "Unchanged")] {
        let findings = opened();
        let at = |minutes: i64| failed("a", ON, ON + minutes * 60_000);
        assert_eq!(covered(&findings, asff, &at(0), before, Settled::Delivered), first);
        assert_eq!(covered(&findings, asff, &at(0), unknown, Settled::Delivered), "Copy");
        assert_eq!(covered(&findings, asff, &at(1), unknown, Settled::Delivered), "Unchanged");
        assert_eq!(covered(&findings, asff, &at(2), false, Settled::Delivered), then);
    }
    assert_eq!(covered(&opened(), asff, &failed("a", ON, ON), unknown, Settled::Delivered), "new!");
}

/// S2-20: a record that comes late moves nothing: no exception ends by it, and the one that ends is told once.
#[test]
fn old_news_ends_no_exception() {
    let findings = opened();
    let minute = |minutes: i64, severity: &str| {
        let mut finding = failed("a", ON, ON + minutes * 60_000);
        finding["Severity"] = json!({ "Label": severity });
        finding
    };
    let told = |minutes: i64, severity: &str, is_covered: bool| {
        covered(&findings, FindingForm::Asff, &minute(minutes, severity), is_covered, Settled::Delivered)
    };
    assert_eq!(told(5, "HIGH", true), "new>excepted");
    assert_eq!(told(2, "CRITICAL", false), "excepted>updated");
    assert_eq!(findings.open_counts().first().map(|row| (row.open, row.excepted)), Some((0, 1)));
    assert_eq!(told(6, "HIGH", false), "excepted>updated!");
}

/// A part that is open and that nothing covers opens the whole.
#[test]
fn a_finding_is_excepted_when_all_of_its_open_parts_are() {
    let findings = opened();
    let mut one = failed("a", ON, ON);
    assert_eq!(covered(&findings, FindingForm::Asff, &one, true, Settled::Delivered), "new>excepted");
    one["Id"] = json!("arn:aws:securityhub:eu-west-1:222233334444:subscription/other/v/1.0.0/S3.8/finding/other");
    assert_eq!(covered(&findings, FindingForm::Asff, &one, false, Settled::Delivered), "excepted>updated!");
}

/// Somebody tries it out: nobody else must get up.
#[test]
fn a_sample_pages_nobody() {
    let findings = findings();
    let mut sample = threat("sample", ON, ON);
    sample["service"]["additionalInfo"] = json!({ "sample": true });
    assert_eq!(told_at(&findings, FindingForm::GuardDuty, &sample, ON), "new-");
    sample["severity"] = json!(9.5);
    sample["updatedAt"] = json!(format_ms(ON + HOUR));
    assert_eq!(told_at(&findings, FindingForm::GuardDuty, &sample, ON + HOUR), "worsened-");
}

/// S1-11: AWS deletes what nobody updated for 90 days, without a word: it is open no more.
#[test]
fn what_nobody_told_for_ninety_days_is_open_no_more() {
    let findings = findings();
    let end = ON + UNHEARD_MS;
    told_at(&findings, FindingForm::GuardDuty, &threat("a", ON, ON), ON);
    told_at(&findings, FindingForm::Asff, &failed("a", ON, ON), ON);
    told_at(&findings, FindingForm::Asff, &failed("set-aside", ON, ON + HOUR), ON);
    // Inspector says nothing of a vulnerability that stays.
    let mut vulnerability = failed("image", ON, ON);
    vulnerability["ProductArn"] = json!("arn:aws:securityhub:eu-west-1::product/aws/inspector");
    vulnerability["Compliance"] = Value::Null;
    told_at(&findings, FindingForm::Asff, &vulnerability, ON);
    assert_eq!(findings.tallies().known, 4);
    findings.forget_old(end - 1);
    assert_eq!((findings.tallies().known, findings.tallies().unheard), (4, 0));
    findings.forget_old(end);
    assert_eq!(findings.tallies().known, 4, "it looks once an hour");
    findings.forget_old(end + HOUR);
    let tallies = findings.tallies();
    assert_eq!((tallies.known, tallies.unheard, tallies.forgotten), (1, 3, 0));
    let open: Vec<_> = findings.open_counts().into_iter().map(|row| (row.product, row.open)).collect();
    assert_eq!(open, [("Inspector".to_owned(), 1)]);
    // What comes all the same is told.
    assert_eq!(told_at(&findings, FindingForm::GuardDuty, &threat("a", end, end + HOUR), end + HOUR), "new!");
}

/// Something must be there that the hour is counted from: a finding that is told again is not let go.
#[test]
fn what_people_still_change_is_heard() {
    let findings = findings();
    let raw = failed("a", ON, ON).to_string();
    let later = format_ms(ON + 80 * DAY);
    for time in [None, Some(later.as_str())] {
        let around = Around { account: None, region: Some("eu-west-1"), time };
        let mut text = raw.clone();
        if time.is_some() {
            text = text.replace("\"Status\":\"NEW\"", "\"Status\":\"SUPPRESSED\"");
        }
        let finding = Finding::parse(FindingForm::Asff, text.as_bytes(), around).expect("a finding");
        let Verdict::Tell(tell) = findings.judge(&finding, finding.severity, &finding.event_id(), ON, || record().1.piece())
        else {
            panic!("it is told")
        };
        findings.conclude(tell.token, Settled::Delivered, record().1.piece());
    }
    findings.forget_old(ON + UNHEARD_MS + DAY);
    assert_eq!(findings.tallies().known, 1);
    findings.forget_old(ON + 80 * DAY + UNHEARD_MS);
    assert_eq!(findings.tallies().known, 0);
}

/// There were too many: what was open and comes back is no news, unless it is worse; a restart does not forget that.
#[test]
fn what_was_let_go_comes_back_without_a_notice() {
    let settings = || config::Findings { known: 2, ..config::Findings::default() };
    let findings = Findings::kept(settings()).past_first_day();
    findings.open();
    let at = |minutes: i64| ON + minutes * 60_000;
    let of = |bucket: &str, minutes: i64| failed(bucket, at(minutes), at(minutes));
    let say =
        |findings: &Findings, bucket: &str, minutes: i64| told_at(findings, FindingForm::Asff, &of(bucket, minutes), at(minutes));
    assert_eq!([say(&findings, "a", 1), say(&findings, "b", 2), say(&findings, "c", 3)], ["new!", "new!", "new!"]);
    let tallies = findings.tallies();
    assert_eq!((tallies.known, tallies.evicted, tallies.evicted_open), (2, 1, 1));
    let documents = written(&findings);
    let after = Findings::kept(settings()).past_first_day();
    after.open();
    for (place, bytes) in &documents {
        after.load(place, bytes).expect("this version");
    }
    for findings in [&findings, &after] {
        let mut worse = of("a", 4);
        worse["Severity"] = json!({ "Label": "CRITICAL" });
        let pending = {
            let raw = worse.to_string();
            let finding = Finding::parse(FindingForm::Asff, raw.as_bytes(), Around::default()).expect("a finding");
            findings.judge(&finding, finding.severity, &finding.event_id(), at(4), || record().1.piece())
        };
        let Verdict::Tell(tell) = pending else { panic!("it is told") };
        assert_eq!((tell.transition, tell.notify, tell.held), (Transition::New, true, false), "it is worse");
        findings.conclude(tell.token, Settled::Returned, record().1.piece());
        assert_eq!(say(findings, "a", 5), "new-");
        assert_eq!(say(findings, "e", 6), "new!", "that one was never known");
    }
    // It was known again, and solved: what comes after that is news.
    let mut solved = of("a", 7);
    solved["Workflow"]["Status"] = json!("RESOLVED");
    let _told = told(&findings, FindingForm::Asff, &solved);
    assert!(findings.lock().books.0.values().all(|book| book.evicted.len() <= 2));
}

pub(super) fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    #[expect(clippy::disallowed_types, reason = "of our own writing")]
    std::io::Read::read_to_string(&mut flate2::bufread::GzDecoder::new(bytes), &mut text).expect("text");
    text
}

pub(super) fn packed(lines: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut out, lines.as_bytes()).expect("memory");
    out.finish().expect("memory")
}
