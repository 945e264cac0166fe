//! Transitions, one by one and in every order; what is let go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::leaving::FORGET_MS;
use super::*;
use crate::ack::{Counts, ObjectEntry, Outcome, RecordEntry};
use crate::record::FindingForm;
use crate::record::finding::Around;

pub(super) const ASFF: &str = include_str!("../../../tests/fixtures/eventbridge/securityhub-asff-high.json");
const OCSF: &str = include_str!("../../../tests/fixtures/eventbridge/securityhub-ocsf-high.json");
pub(super) const GUARD_DUTY: &str = include_str!("../../../tests/fixtures/eventbridge/guardduty-finding-high.json");

/// The first finding of an event of Security Hub's.
fn hub(event: &str) -> Value {
    serde_json::from_str::<Value>(event).expect("JSON")["detail"]["findings"][0].clone()
}

pub(super) fn detail(event: &str) -> Value {
    serde_json::from_str::<Value>(event).expect("JSON")["detail"].clone()
}

/// A time in minutes, as ASFF writes it.
fn minute(minutes: i64) -> String {
    crate::record::time::format_ms(1_795_000_000_000 + minutes * 60_000)
}

/// A control's finding at a minute.
pub(super) fn control(minutes: i64, severity: &str, workflow: &str) -> Value {
    let mut finding = hub(ASFF);
    finding["UpdatedAt"] = json!(minute(minutes));
    finding["Severity"] = json!({ "Label": severity });
    finding["Workflow"]["Status"] = json!(workflow);
    finding
}

pub(super) fn findings() -> Arc<Findings> {
    Arc::new(Findings::in_memory(config::Findings::default()).past_first_day())
}

fn record() -> Arc<RecordEntry> {
    let record = ObjectEntry::enter(Arc::new(Counts::new("test")), 1, None).record();
    record.ends_as(Outcome::Delivered);
    record
}

pub(super) fn judge(findings: &Findings, form: FindingForm, value: &Value) -> Verdict {
    judge_of(findings, form, value, &record())
}

pub(super) fn judge_of(findings: &Findings, form: FindingForm, value: &Value, record: &Arc<RecordEntry>) -> Verdict {
    let raw = value.to_string();
    let finding = Finding::parse(form, raw.as_bytes(), Around::default()).expect("a finding");
    let severity = findings.severity(&finding, None);
    findings.judge(&finding, severity, &finding.event_id(), 0, || record.piece())
}

/// Judges and delivers: what was told, with `!` for a notice, or why nothing was.
pub(super) fn told(findings: &Findings, form: FindingForm, value: &Value) -> String {
    match judge(findings, form, value) {
        Verdict::Tell(tell) => {
            findings.conclude(tell.token, Settled::Delivered, record().piece());
            format!("{}{}", tell.transition.as_str(), if tell.notify { "!" } else { "" })
        }
        Verdict::Unchanged => "unchanged".to_owned(),
        Verdict::Copy => "copy".to_owned(),
        Verdict::NotLeading => "not leading".to_owned(),
    }
}

pub(super) fn tell(verdict: Verdict) -> Tell {
    match verdict {
        Verdict::Tell(tell) => tell,
        other => panic!("{other:?}"),
    }
}

/// S0-04, S1-07: each step of a finding's life is told once; what is set aside is never a notice.
#[test]
fn each_step_of_a_life_is_told_as_what_it_is() {
    let findings = findings();
    let mut passed = control(60, "INFORMATIONAL", "RESOLVED");
    passed["Compliance"]["Status"] = json!("PASSED");
    for (finding, want) in [
        (control(0, "MEDIUM", "NEW"), "new"),
        (control(0, "MEDIUM", "NEW"), "copy"),
        (control(5, "MEDIUM", "NEW"), "unchanged"),
        (control(10, "HIGH", "NEW"), "worsened!"),
        (control(15, "CRITICAL", "NEW"), "worsened!"),
        (control(20, "HIGH", "NEW"), "updated"),
        // What people change in Security Hub does not move its time.
        (control(20, "HIGH", "NOTIFIED"), "updated"),
        (control(20, "HIGH", "SUPPRESSED"), "updated"),
        (control(25, "CRITICAL", "SUPPRESSED"), "worsened"),
        (control(30, "CRITICAL", "SUPPRESSED"), "unchanged"),
        (control(35, "CRITICAL", "NEW"), "reopened!"),
        (control(40, "CRITICAL", "RESOLVED"), "resolved"),
        (control(50, "LOW", "NEW"), "reopened"),
        (passed.clone(), "resolved"),
        (control(5, "MEDIUM", "NEW"), "updated"),
        (control(5, "MEDIUM", "NEW"), "copy"),
    ] {
        assert_eq!(told(&findings, FindingForm::Asff, &finding), want, "{finding}");
    }
    assert_eq!(findings.open_counts(), [], "the last is resolved, and what came late changes nothing");
    let tallies = findings.tallies();
    assert_eq!((tallies.known, tallies.unchanged, tallies.copies), (1, 2, 2));
}

/// S2-11: Security Hub calls whatever passes informational; that a CRITICAL finding is resolved is told, and counted, as CRITICAL.
#[test]
fn what_is_resolved_is_told_with_the_severity_it_had() {
    let findings = findings();
    let mut passed = control(20, "INFORMATIONAL", "RESOLVED");
    passed["Compliance"]["Status"] = json!("PASSED");
    for (finding, want) in [
        (control(0, "HIGH", "NEW"), (Transition::New, Severity::High)),
        (control(10, "CRITICAL", "NEW"), (Transition::Worsened, Severity::Critical)),
        (passed, (Transition::Resolved, Severity::Critical)),
        (control(30, "LOW", "NEW"), (Transition::Reopened, Severity::Low)),
        (control(40, "MEDIUM", "RESOLVED"), (Transition::Resolved, Severity::Medium)),
    ] {
        let tell = tell(judge(&findings, FindingForm::Asff, &finding));
        findings.conclude(tell.token, Settled::Delivered, record().piece());
        assert_eq!((tell.transition, tell.severity), want, "{finding}");
    }
}

/// S0-04: a finding that nobody knew and that is resolved or set aside alarms nobody.
#[test]
fn what_is_over_when_it_is_first_seen_is_no_new_problem() {
    let mut archived = control(0, "CRITICAL", "NEW");
    archived["RecordState"] = json!("ARCHIVED");
    assert_eq!(told(&findings(), FindingForm::Asff, &archived), "updated");
    let suppressed = findings();
    assert_eq!(told(&suppressed, FindingForm::Asff, &control(0, "CRITICAL", "SUPPRESSED")), "new");
    assert_eq!(suppressed.open_counts().first().map(|row| (row.open, row.suppressed)), Some((0, 1)));
}

/// S1-07: settings change the severity before anything is judged by it.
#[test]
fn a_severity_of_the_settings_decides_about_the_notice() {
    let settings = |notify| config::Findings { notify, ..config::Findings::default() };
    for (notify, severity, want) in [
        (Severity::High, "MEDIUM", "new"),
        (Severity::Medium, "MEDIUM", "new!"),
        (Severity::Critical, "HIGH", "new"),
        (Severity::Informational, "INFORMATIONAL", "new!"),
    ] {
        let findings = Findings::in_memory(settings(notify)).past_first_day();
        assert_eq!(told(&findings, FindingForm::Asff, &control(0, severity, "NEW")), want, "{notify} {severity}");
    }
}

/// S3-01, S3-02: a threat that GuardDuty tells, and Security Hub in both formats, is one finding; nobody reopens what a person set
/// aside in Security Hub but Security Hub.
#[test]
fn one_finding_in_three_forms_is_told_once() {
    let findings = findings();
    let mut native = detail(GUARD_DUTY);
    native["region"] = json!("eu-west-1");
    native["arn"] = json!("arn:aws:guardduty:eu-west-1:222233334444:detector/0000/finding/00c1");
    native["updatedAt"] = json!("2026-11-21T20:44:00.000Z");
    assert_eq!(told(&findings, FindingForm::GuardDuty, &native), "new!");
    assert_eq!(told(&findings, FindingForm::Ocsf, &hub(OCSF)), "copy");
    let mut asff = hub(ASFF);
    asff["Id"] = native["arn"].clone();
    asff["ProductArn"] = json!("arn:aws:securityhub:eu-west-1::product/aws/guardduty");
    asff["ProductName"] = json!("GuardDuty");
    asff["UpdatedAt"] = native["updatedAt"].clone();
    asff.as_object_mut().expect("a map").remove("Compliance");
    assert_eq!(told(&findings, FindingForm::Asff, &asff), "copy");
    // Someone sets it aside, and GuardDuty sees it again.
    asff["Workflow"]["Status"] = json!("SUPPRESSED");
    assert_eq!(told(&findings, FindingForm::Asff, &asff), "updated");
    native["updatedAt"] = json!("2026-11-21T23:44:00.000Z");
    native["service"]["count"] = json!(9);
    assert_eq!(told(&findings, FindingForm::GuardDuty, &native), "unchanged");
    let mut again = hub(OCSF);
    again["finding_info"]["modified_time"] = json!(1_795_305_000_000_i64);
    assert_eq!(told(&findings, FindingForm::Ocsf, &again), "unchanged");
    asff["UpdatedAt"] = json!("2026-11-22T04:44:00.000Z");
    asff["Workflow"]["Status"] = json!("NEW");
    assert_eq!(told(&findings, FindingForm::Asff, &asff), "reopened!");
    assert_eq!(findings.tallies().known, 1);
}

/// S3-06: the copy in the home Region, told to the administrator, is a copy.
#[test]
fn a_copy_in_another_region_and_account_is_a_copy() {
    let findings = findings();
    let raw = control(0, "HIGH", "NEW").to_string();
    let mut verdicts = Vec::new();
    for (account, region) in [("222233334444", "eu-west-1"), ("111122223333", "us-east-1")] {
        let around = Around { account: Some(account), region: Some(region), time: None };
        let finding = Finding::parse(FindingForm::Asff, raw.as_bytes(), around).expect("a finding");
        let verdict = findings.judge(&finding, finding.severity, &finding.event_id(), 0, || record().piece());
        verdicts.push(match verdict {
            Verdict::Tell(tell) => {
                findings.conclude(tell.token, Settled::Delivered, record().piece());
                tell.transition.as_str()
            }
            Verdict::Unchanged => "unchanged",
            Verdict::Copy => "copy",
            Verdict::NotLeading => "not leading",
        });
    }
    assert_eq!(verdicts, ["new", "copy"]);
}

/// A control that is not consolidated has a finding per standard: one row, a longer list, and no second page; it stands where its
/// most open part stands.
#[test]
fn the_same_control_under_a_second_standard_is_an_update() {
    let findings = findings();
    let of = |standard: &str, minutes: i64, workflow: &str| {
        let mut finding = control(minutes, "HIGH", workflow);
        finding["Id"] = json!(format!("arn:aws:securityhub:eu-west-1:222233334444:subscription/{standard}/S3.8/finding/0001"));
        finding["Compliance"].as_object_mut().expect("a map").remove("AssociatedStandards");
        finding
    };
    assert_eq!(told(&findings, FindingForm::Asff, &of("fsbp/v/1.0.0", 0, "NEW")), "new!");
    let second = tell(judge(&findings, FindingForm::Asff, &of("nist/v/5.0.0", 1, "NEW")));
    assert_eq!((second.transition, second.notify), (Transition::Updated, false));
    assert_eq!(second.standards, ["fsbp/v/1.0.0", "nist/v/5.0.0"]);
    findings.conclude(second.token, Settled::Delivered, record().piece());
    assert_eq!(told(&findings, FindingForm::Asff, &of("nist/v/5.0.0", 2, "NEW")), "unchanged");
    let one_resolved = tell(judge(&findings, FindingForm::Asff, &of("fsbp/v/1.0.0", 3, "RESOLVED")));
    assert_eq!((one_resolved.transition, one_resolved.status), (Transition::Updated, FindingStatus::Open));
    findings.conclude(one_resolved.token, Settled::Delivered, record().piece());
    assert_eq!(told(&findings, FindingForm::Asff, &of("nist/v/5.0.0", 4, "RESOLVED")), "resolved");
    assert_eq!(findings.tallies().known, 1);
}

/// What is returned leaves no trace: its record gives the same transition when it comes again; what was rejected is in the dead
/// letters and is not told again.
#[test]
fn a_returned_change_is_forgotten_and_a_rejected_one_is_not() {
    let findings = findings();
    let first = control(0, "HIGH", "NEW");
    for _ in 0..3 {
        let new = tell(judge(&findings, FindingForm::Asff, &first));
        assert_eq!((new.transition, new.notify), (Transition::New, true));
        findings.conclude(new.token, Settled::Returned, record().piece());
        assert_eq!(findings.tallies().known, 0);
    }
    let new = tell(judge(&findings, FindingForm::Asff, &first));
    findings.conclude(new.token, Settled::Rejected, record().piece());
    assert_eq!(told(&findings, FindingForm::Asff, &first), "copy");
    // A token that nobody knows any more changes nothing.
    findings.conclude(new.token, Settled::Returned, record().piece());
    assert_eq!(findings.open_counts().len(), 1);
}

/// A change upon which a later one was built, and which then comes back, still tells what it was.
#[test]
fn what_was_overtaken_still_tells_its_transition() {
    let findings = findings();
    let (first, second) = (control(0, "HIGH", "NEW"), control(5, "HIGH", "NOTIFIED"));
    let new = tell(judge(&findings, FindingForm::Asff, &first));
    let update = tell(judge(&findings, FindingForm::Asff, &second));
    assert_eq!((new.transition, update.transition), (Transition::New, Transition::Updated));
    let counts = Arc::new(Counts::new("copy"));
    let copy = ObjectEntry::enter(Arc::clone(&counts), 1, None).record();
    copy.ends_as(Outcome::Duplicate);
    assert_eq!(judge_of(&findings, FindingForm::Asff, &first, &copy), Verdict::Copy, "it is under way");
    drop(copy);
    findings.conclude(new.token, Settled::Returned, record().piece());
    assert_eq!(counts.snapshot().ended(Outcome::Returned), 1, "a copy of what is under way shares its fate");
    findings.conclude(update.token, Settled::Delivered, record().piece());
    let again = tell(judge(&findings, FindingForm::Asff, &first));
    assert_eq!((again.transition, again.notify), (Transition::New, true));
    findings.conclude(again.token, Settled::Delivered, record().piece());
    assert_eq!(told(&findings, FindingForm::Asff, &first), "copy");
    assert_eq!(told(&findings, FindingForm::Asff, &second), "copy");
    // The same when it was set aside meanwhile: no notice any more.
    let findings = self::findings();
    let (first, second) = (control(0, "HIGH", "NEW"), control(5, "HIGH", "SUPPRESSED"));
    let new = tell(judge(&findings, FindingForm::Asff, &first));
    let update = tell(judge(&findings, FindingForm::Asff, &second));
    findings.conclude(update.token, Settled::Delivered, record().piece());
    findings.conclude(new.token, Settled::Returned, record().piece());
    let again = tell(judge(&findings, FindingForm::Asff, &first));
    assert_eq!((again.transition, again.notify), (Transition::New, false));
}

/// When both come back, the one that comes first again is new, and only that.
#[test]
fn when_all_comes_back_it_begins_anew() {
    let findings = findings();
    let (first, second) = (control(0, "HIGH", "NEW"), control(5, "CRITICAL", "NEW"));
    let tokens = [&first, &second].map(|finding| tell(judge(&findings, FindingForm::Asff, finding)).token);
    for token in tokens {
        findings.conclude(token, Settled::Returned, record().piece());
    }
    assert_eq!(told(&findings, FindingForm::Asff, &second), "new!");
    assert_eq!(told(&findings, FindingForm::Asff, &first), "updated");
}

#[test]
fn too_many_findings_let_the_oldest_resolved_ones_go_first() {
    let findings = Findings::in_memory(config::Findings { known: 64, ..config::Findings::default() }).past_first_day();
    for number in 0..100 {
        let workflow = if number % 4 == 0 { "RESOLVED" } else { "NEW" };
        let mut finding = control(number, "HIGH", workflow);
        finding["Resources"][0]["Id"] = json!(format!("arn:aws:s3:::bucket-{number}"));
        told(&findings, FindingForm::Asff, &finding);
    }
    let tallies = findings.tallies();
    assert_eq!((tallies.known, tallies.evicted), (64, 36));
    assert_eq!(tallies.evicted_open, 36 - 25, "all 25 that were resolved went first");
    // What is pending stays, even when there is nothing else.
    let findings = Findings::in_memory(config::Findings { known: 1, ..config::Findings::default() }).past_first_day();
    let pending = tell(judge(&findings, FindingForm::Asff, &control(0, "HIGH", "NEW")));
    let mut other = control(0, "HIGH", "NEW");
    other["Resources"][0]["Id"] = json!("arn:aws:s3:::other");
    assert_eq!(told(&findings, FindingForm::Asff, &other), "new!");
    findings.conclude(pending.token, Settled::Delivered, record().piece());
    assert_eq!(findings.tallies().known, 2);
}

#[test]
fn what_was_resolved_long_ago_is_forgotten() {
    let findings = findings();
    told(&findings, FindingForm::Asff, &control(0, "HIGH", "RESOLVED"));
    let mut open = control(0, "HIGH", "NEW");
    open["Resources"][0]["Id"] = json!("arn:aws:s3:::open");
    told(&findings, FindingForm::Asff, &open);
    let now = 1_795_000_000_000;
    findings.forget_silent(&mut findings.lock(), now + FORGET_MS - 1);
    assert_eq!(findings.tallies().known, 2);
    findings.forget_silent(&mut findings.lock(), now + FORGET_MS);
    assert_eq!((findings.tallies().known, findings.tallies().forgotten), (1, 1));
}

/// S1-11: open findings by account, Region, control and severity.
#[test]
fn open_findings_are_counted_as_accepted() {
    let findings = findings();
    for number in 0..5 {
        let mut finding = control(0, if number < 3 { "HIGH" } else { "LOW" }, if number == 4 { "SUPPRESSED" } else { "NEW" });
        finding["Resources"][0]["Id"] = json!(format!("arn:aws:s3:::bucket-{number}"));
        told(&findings, FindingForm::Asff, &finding);
    }
    let rows: Vec<_> =
        findings.open_counts().into_iter().map(|row| (row.control, row.severity, row.open, row.suppressed)).collect();
    let control = || "S3.8".to_owned();
    assert_eq!(rows, [(control(), Severity::Low, 1, 1), (control(), Severity::High, 3, 0)]);
}

/// What a simple reader that sees every version in order would say.
fn in_order(versions: &[(u8, u8, u8)]) -> Vec<Option<Transition>> {
    let mut known: Option<(u8, u8, u8)> = None;
    let say = |version: &(u8, u8, u8)| {
        let (severity, status, _) = *version;
        let said = match known {
            None if status == 2 => Some(Transition::Updated),
            None => Some(Transition::New),
            Some(before) if before == *version => None,
            Some((_, was, _)) if status == 2 => Some(if was == 2 { Transition::Updated } else { Transition::Resolved }),
            Some((_, was, _)) if status == 0 && was != 0 => Some(Transition::Reopened),
            Some((before, was, _)) if was == status && severity > before => Some(Transition::Worsened),
            Some(_) => Some(Transition::Updated),
        };
        known = Some(*version);
        said
    };
    versions.iter().map(say).collect()
}

/// Version `nth` of a finding: severity, status (open, set aside, resolved) and a title.
fn version(nth: usize, (severity, status, title): (u8, u8, u8)) -> Value {
    let severities = ["LOW", "HIGH", "CRITICAL"];
    let workflow = ["NEW", "SUPPRESSED", "RESOLVED"];
    let nth = i64::try_from(nth).expect("few");
    let mut finding = control(nth, severities[usize::from(severity)], workflow[usize::from(status)]);
    finding["Title"] = json!(format!("title {title}"));
    finding
}

/// Versions of one finding on their way.
struct Play {
    findings: Arc<Findings>,
    versions: Vec<(u8, u8, u8)>,
    /// Those that the source will offer.
    queue: Vec<usize>,
    flight: Vec<(usize, Tell)>,
    told: BTreeMap<usize, Transition>,
    ended: BTreeSet<usize>,
    /// Those that said nothing new, and how their records stand.
    waiting: Vec<(usize, Arc<Counts>)>,
    /// The version that was returned last, judged while nothing was known, as now; and what it would have told.
    returned: Option<(usize, Transition)>,
}

impl Play {
    fn new(versions: &[(u8, u8, u8)]) -> Self {
        Self {
            findings: findings(),
            versions: versions.to_vec(),
            queue: (0..versions.len()).collect(),
            flight: Vec::new(),
            told: BTreeMap::new(),
            ended: BTreeSet::new(),
            waiting: Vec::new(),
            returned: None,
        }
    }

    fn value(&self, nth: usize) -> Value {
        version(nth, self.versions[nth])
    }

    fn offer(&mut self, at: usize) {
        let nth = self.queue.swap_remove(at % self.queue.len());
        let returned = self.returned.take();
        let counts = Arc::new(Counts::new("test"));
        let record = ObjectEntry::enter(Arc::clone(&counts), 1, None).record();
        record.ends_as(Outcome::Ignored);
        match judge_of(&self.findings, FindingForm::Asff, &self.value(nth), &record) {
            Verdict::Tell(tell) => {
                if let Some((_, before)) = returned.filter(|(of, _)| *of == nth) {
                    assert_eq!(tell.transition, before, "{nth} comes again");
                }
                self.flight.push((nth, tell));
            }
            Verdict::NotLeading => panic!("it is open"),
            Verdict::Unchanged | Verdict::Copy => self.waiting.push((nth, counts)),
        }
        drop(record);
        self.hear();
    }

    /// What has become of those that said nothing new.
    fn hear(&mut self) {
        for (nth, counts) in std::mem::take(&mut self.waiting) {
            let counted = counts.snapshot();
            if counted.ended(Outcome::Returned) == 1 {
                self.queue.push(nth);
            } else if counted.ended(Outcome::Ignored) == 1 {
                self.ended.insert(nth);
            } else {
                self.waiting.push((nth, counts));
            }
        }
    }

    /// At least once: what was told comes again.
    fn offer_again(&self, at: usize) {
        let Some(nth) = self.told.keys().nth(at % self.told.len().max(1)) else { return };
        let verdict = judge(&self.findings, FindingForm::Asff, &self.value(*nth));
        assert!(!matches!(verdict, Verdict::Tell(_)), "{nth} again: {verdict:?}");
    }

    fn settle(&mut self, at: usize, how: u8) {
        let (nth, tell) = self.flight.remove(at % self.flight.len());
        let settled = match how {
            0 | 1 => Settled::Delivered,
            2 => Settled::Rejected,
            _ => Settled::Returned,
        };
        self.findings.conclude(tell.token, settled, record().piece());
        if settled == Settled::Returned {
            self.queue.push(nth);
            let alone = self.flight.is_empty() && self.ended.is_empty() && tell.before.is_none();
            self.returned = alone.then_some((nth, tell.transition));
        } else {
            self.ended.insert(nth);
            let before = self.told.insert(nth, tell.transition);
            assert_eq!(before, None, "{nth} told twice, now as {:?}", tell.transition);
        }
        self.hear();
    }
}

proptest! {
    #[test]
    fn in_order_every_transition_is_what_a_simple_reader_says(
        versions in prop::collection::vec((0_u8..3, 0_u8..3, 0_u8..2), 1..6)
    ) {
        let findings = findings();
        for (nth, want) in in_order(&versions).into_iter().enumerate() {
            let got = match judge(&findings, FindingForm::Asff, &version(nth, versions[nth])) {
                Verdict::Tell(tell) => {
                    findings.conclude(tell.token, Settled::Delivered, record().piece());
                    Some(tell.transition)
                }
                Verdict::Unchanged => None,
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            };
            prop_assert_eq!(got, want, "{} of {:?}", nth, versions);
        }
    }

    /// In any order, with redeliveries and returns, while others are under way: no version is told twice, `new` is told at most
    /// once, every version ends, and the last stand is that of the newest version.
    #[test]
    fn in_any_order_nothing_is_lost_and_nothing_is_told_twice(
        versions in prop::collection::vec((0_u8..3, 0_u8..3, 0_u8..2), 1..6),
        steps in prop::collection::vec((0_usize..100, 0_u8..8, 0_u8..4), 0..40),
    ) {
        let mut play = Play::new(&versions);
        let mut steps = steps.into_iter();
        while !play.queue.is_empty() || !play.flight.is_empty() {
            let (at, action, how) = steps.next().unwrap_or((0, 7, 0));
            match action {
                0..3 if !play.flight.is_empty() => play.settle(at, how),
                3 => play.offer_again(at),
                _ if !play.queue.is_empty() => play.offer(at),
                _ => play.settle(0, how),
            }
        }
        prop_assert!(play.waiting.is_empty(), "nobody waits for nothing");
        prop_assert_eq!(play.ended.len(), versions.len(), "every version has ended");
        let new = play.told.values().filter(|transition| **transition == Transition::New).count();
        prop_assert!(new <= 1, "{:?}", play.told);
        let known = play.findings.lock();
        prop_assert_eq!(known.entries.len(), 1);
        let entry = known.entries.values().next().expect("one");
        prop_assert!(entry.at_rest().is_some(), "nothing is under way");
        let state = entry.accepted().expect("it is known");
        let raw = version(versions.len() - 1, versions[versions.len() - 1]).to_string();
        let last = Finding::parse(FindingForm::Asff, raw.as_bytes(), Around::default()).expect("a finding");
        prop_assert_eq!((state.status(), state.severity()), (last.status, last.severity));
    }
}
