//! What people change in Security Hub while the provider's time stands still, told by the Region it is in and by the home Region.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::stored_tests::{opened, record, written};
use super::tests::{control, findings};
use super::*;
use crate::posture::kept::Kept as _;
use crate::record::FindingForm;
use crate::record::finding::Around;
use crate::record::time::format_ms;

const HERE: &str = "eu-west-1";
const HOME: &str = "us-east-1";
const OCSF: &str = include_str!("../../../tests/fixtures/findings/ocsf-control.json");

/// When the first event of a test is made.
const BEGIN_MS: i64 = 1_795_000_100_000;

/// One event: what it says, which Region tells it, how many seconds after the first one.
#[derive(Debug, Clone)]
struct Sent {
    form: FindingForm,
    finding: Value,
    region: &'static str,
    at_s: i64,
}

fn sent(severity: &str, workflow: &str, region: &'static str, at_s: i64) -> Sent {
    Sent { form: FindingForm::Asff, finding: control(0, severity, workflow), region, at_s }
}

/// The same finding in the other form of Security Hub.
fn in_ocsf(status_id: i64, region: &'static str, at_s: i64) -> Sent {
    let asff = control(0, "HIGH", "NEW");
    let mut finding = serde_json::from_str::<Value>(OCSF).expect("JSON")["detail"]["findings"][0].clone();
    finding["finding_info"]["modified_time"] = json!(1_795_000_000_000_i64);
    finding["cloud"] = json!({ "account": { "uid": asff["AwsAccountId"] }, "region": asff["Region"] });
    finding["compliance"]["control"] = asff["Compliance"]["SecurityControlId"].clone();
    finding["resources"][0]["uid"] = asff["Resources"][0]["Id"].clone();
    finding["severity_id"] = json!(4);
    finding["status_id"] = json!(status_id);
    Sent { form: FindingForm::Ocsf, finding, region, at_s }
}

fn judged(findings: &Findings, sent: &Sent) -> Verdict {
    let (raw, time) = (sent.finding.to_string(), format_ms(BEGIN_MS + sent.at_s * 1_000));
    let around = Around { account: Some("111122223333"), region: Some(sent.region), time: Some(&time) };
    let finding = Finding::parse(sent.form, raw.as_bytes(), around).expect("a finding");
    findings.judge(&finding, finding.severity, &finding.event_id(), 0, || record().1.piece())
}

/// Judges and delivers. `new!` is new with a notice, `~` says that the row has an id of its own.
fn told(findings: &Findings, sent: &Sent) -> String {
    match judged(findings, sent) {
        Verdict::Tell(tell) => {
            let said = format!(
                "{}{}{}",
                if tell.again { "~" } else { "" },
                tell.transition.as_str(),
                if tell.notify { "!" } else { "" }
            );
            findings.conclude(tell.token, Settled::Delivered, record().1.piece());
            said
        }
        Verdict::Unchanged => "unchanged".to_owned(),
        Verdict::Copy => "copy".to_owned(),
        Verdict::NotLeading => "not leading".to_owned(),
    }
}

fn all_told(findings: &Findings, steps: &[(Sent, &str)]) {
    for (nth, (sent, want)) in steps.iter().enumerate() {
        assert_eq!(told(findings, sent), *want, "{nth}: {sent:?}");
    }
}

/// S1-07: a person sets a finding aside and then back: it pages again, once, whoever repeats it.
#[test]
fn what_a_person_reopens_is_told_again() {
    let findings = findings();
    let (new, aside, back) = (
        |region, at_s| sent("HIGH", "NEW", region, at_s),
        |region, at_s| sent("HIGH", "SUPPRESSED", region, at_s),
        |region, at_s| sent("HIGH", "NEW", region, at_s),
    );
    all_told(
        &findings,
        &[
            (new(HERE, 0), "new!"),
            (new(HOME, 90), "copy"),
            (aside(HERE, 60), "updated"),
            // The home Region's copy of the first is made after it was set aside, and is no news.
            (new(HOME, 90), "copy"),
            (aside(HOME, 150), "copy"),
            (back(HERE, 300), "~reopened!"),
            (back(HERE, 300), "copy"),
            (aside(HERE, 60), "copy"),
            (new(HERE, 0), "copy"),
            (aside(HOME, 150), "copy"),
            (back(HOME, 390), "copy"),
            (aside(HERE, 600), "~updated"),
            (back(HOME, 390), "copy"),
            (back(HERE, 300), "copy"),
        ],
    );
    assert_eq!(findings.open_counts().first().map(|row| (row.open, row.suppressed)), Some((0, 1)));
}

/// S1-07: the same of what was called solved, and of a severity.
#[test]
fn solved_and_lowered_come_back_too() {
    let (high, solved) = (|at_s| sent("HIGH", "NEW", HERE, at_s), |at_s| sent("HIGH", "RESOLVED", HERE, at_s));
    all_told(&findings(), &[(high(0), "new!"), (solved(5), "resolved"), (high(9), "~reopened!"), (solved(12), "~resolved")]);
    let low = |at_s| sent("LOW", "NEW", HERE, at_s);
    all_told(&findings(), &[(high(0), "new!"), (low(5), "updated"), (high(9), "~worsened!"), (high(9), "copy")]);
    let seen = |at_s| sent("HIGH", "NOTIFIED", HERE, at_s);
    all_told(&findings(), &[(high(0), "new!"), (seen(5), "updated"), (high(9), "~updated"), (seen(5), "copy")]);
}

/// What was overtaken on its way changes nothing, and is told once.
#[test]
fn events_of_one_moment_may_come_in_any_order() {
    let (new, aside) = (|at_s| sent("HIGH", "NEW", HERE, at_s), |at_s| sent("HIGH", "SUPPRESSED", HERE, at_s));
    let late = findings();
    all_told(&late, &[(new(0), "new!"), (new(20), "copy"), (aside(10), "updated"), (aside(10), "copy")]);
    assert_eq!(late.open_counts().first().map(|row| (row.open, row.suppressed)), Some((1, 0)), "it was set back");
    let first = findings();
    all_told(&first, &[(aside(10), "new"), (new(0), "updated"), (new(20), "~reopened!")]);
    assert_eq!(first.open_counts().first().map(|row| (row.open, row.suppressed)), Some((1, 0)));
}

/// Both forms of Security Hub tell everything: each step counts once.
#[test]
fn both_forms_tell_each_step_once() {
    let asff = |workflow, at_s| sent("HIGH", workflow, HERE, at_s);
    let findings = findings();
    all_told(
        &findings,
        &[
            (asff("NEW", 0), "new!"),
            (in_ocsf(1, HERE, 1), "copy"),
            (asff("SUPPRESSED", 10), "updated"),
            (in_ocsf(3, HERE, 12), "copy"),
            (in_ocsf(1, HERE, 1), "copy"),
            (asff("NEW", 20), "~reopened!"),
            (in_ocsf(1, HERE, 21), "copy"),
            (in_ocsf(3, HERE, 12), "copy"),
        ],
    );
    assert_eq!(findings.tallies().known, 1, "it is one finding");
    // The other form is first to say that it was set aside, and then both say that it was set back.
    let findings = self::findings();
    all_told(
        &findings,
        &[
            (asff("NEW", 0), "new!"),
            (in_ocsf(1, HERE, 1), "copy"),
            (in_ocsf(3, HERE, 12), "updated"),
            (asff("SUPPRESSED", 10), "copy"),
            (asff("NEW", 20), "copy"),
            (in_ocsf(1, HERE, 21), "~reopened!"),
        ],
    );
    assert_eq!(findings.open_counts().first().map(|row| (row.open, row.suppressed)), Some((1, 0)));
}

/// The Region that told it first may be read no more: hours later another one is believed.
#[test]
fn another_region_counts_when_it_is_no_repetition() {
    let findings = findings();
    all_told(
        &findings,
        &[
            (sent("HIGH", "NEW", HERE, 0), "new!"),
            (sent("HIGH", "SUPPRESSED", HERE, 10), "updated"),
            (sent("HIGH", "NEW", HOME, 5 * 3_600), "copy"),
            (sent("HIGH", "NEW", HOME, 7 * 3_600), "~reopened!"),
        ],
    );
}

/// A step that comes back is told again under the same id; a restart forgets nothing of it.
#[test]
fn a_step_that_is_returned_or_written_is_known_by_its_event() {
    let findings = opened();
    let (new, aside, back) = (sent("HIGH", "NEW", HERE, 0), sent("HIGH", "SUPPRESSED", HERE, 10), sent("HIGH", "NEW", HERE, 20));
    all_told(&findings, &[(new.clone(), "new!"), (aside.clone(), "updated")]);
    for _ in 0..2 {
        let Verdict::Tell(tell) = judged(&findings, &back) else { panic!("it is told") };
        assert_eq!((tell.transition, tell.again, tell.notify), (Transition::Reopened, true, true));
        assert_eq!(judged(&findings, &back), Verdict::Copy, "it is under way");
        findings.conclude(tell.token, Settled::Returned, record().1.piece());
    }
    // Something later is built upon it while it is under way, and it comes back: it is owed.
    let Verdict::Tell(reopened) = judged(&findings, &back) else { panic!("it is told") };
    all_told(&findings, &[(sent("HIGH", "SUPPRESSED", HERE, 30), "~updated")]);
    findings.conclude(reopened.token, Settled::Returned, record().1.piece());
    all_told(&findings, &[(new, "copy"), (back.clone(), "~reopened"), (back.clone(), "copy"), (aside, "copy")]);
    let after = opened();
    for (place, bytes) in written(&findings) {
        after.load(&place, &bytes).expect("this version");
    }
    all_told(&after, &[(back, "copy"), (sent("HIGH", "NEW", HOME, 50), "copy"), (sent("HIGH", "NEW", HERE, 40), "~reopened!")]);
}

/// A state of before the events were noted: nothing is believed to be news by them.
#[test]
fn of_what_was_known_without_its_event_a_redelivery_is_a_copy() {
    let findings = findings();
    let bare = |workflow| tests::told(&findings, FindingForm::Asff, &control(0, "HIGH", workflow));
    assert_eq!([bare("NEW"), bare("SUPPRESSED")], ["new!", "updated"]);
    all_told(&findings, &[(sent("HIGH", "NEW", HERE, 0), "copy"), (sent("HIGH", "NEW", HERE, 99), "copy")]);
}

proptest! {
    /// Two Regions tell every step of one moment, the home Region some time later; whatever the order in which they come, and how
    /// often, the last step holds, `new` is told once, and no event is told twice.
    #[test]
    fn in_any_order_the_last_step_holds(
        steps in prop::collection::vec((0_u8..3, 0_u8..2), 1..6),
        later in 1_i64..200,
        order in prop::collection::vec(0_usize..1_000, 0..40),
    ) {
        let of = |(status, severity): (u8, u8), region, at_s| {
            let workflow = ["NEW", "SUPPRESSED", "RESOLVED"][usize::from(status)];
            sent(["LOW", "HIGH"][usize::from(severity)], workflow, region, at_s)
        };
        let mut queue: Vec<Sent> = Vec::new();
        for (step, at_s) in steps.iter().zip((0_i64..).step_by(10)) {
            queue.push(of(*step, HERE, at_s));
            queue.push(of(*step, HOME, at_s + later));
        }
        let all = queue.clone();
        let findings = findings();
        let mut order = order.into_iter();
        let mut rows = Vec::new();
        while !queue.is_empty() {
            let at = order.next().unwrap_or(0);
            // Every third time it is one that may have come before.
            let next = if at % 3 == 2 { all[at % all.len()].clone() } else { queue.remove(at % queue.len()) };
            let raw = next.finding.to_string();
            let time = format_ms(BEGIN_MS + next.at_s * 1_000);
            let around = Around { account: None, region: Some(next.region), time: Some(&time) };
            let finding = Finding::parse(next.form, raw.as_bytes(), around).expect("a finding");
            let event_id = finding.event_id();
            if let Verdict::Tell(tell) = judged(&findings, &next) {
                let id = finding.again_id(&event_id).filter(|_| tell.again).unwrap_or(event_id);
                rows.push((id, tell.transition));
                findings.conclude(tell.token, Settled::Delivered, record().1.piece());
            }
        }
        let known = findings.lock();
        let state = known.entries.values().next().and_then(Entry::accepted).expect("it is known").clone();
        drop(known);
        let (status, severity) = steps[steps.len() - 1];
        prop_assert_eq!(
            (state.status() as u8, state.severity()),
            (status, [Severity::Low, Severity::High][usize::from(severity)]),
            "{:?}", rows
        );
        let ids: std::collections::BTreeSet<_> = rows.iter().map(|(id, _)| id).collect();
        prop_assert_eq!(ids.len(), rows.len(), "{:?}", rows);
        prop_assert!(rows.iter().filter(|(_, transition)| *transition == Transition::New).count() <= 1);
    }
}
