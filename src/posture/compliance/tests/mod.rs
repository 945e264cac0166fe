//! What is judged, pending, written and reconciled.

mod standing;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::counts::{Results, percent};
use super::reconcile::Reading;
use super::*;
use crate::ack::{Counts, ObjectEntry, Outcome, RecordEntry};
use crate::record::{DeployedRule, Evaluation};

use ComplianceState::{Compliant, Left, NonCompliant, NotApplicable};

const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;
/// Time between two readings.
const EVERY: Duration = Duration::from_hours(6);

fn here() -> AccountRegion {
    AccountRegion::new("111122223333", "eu-west-1")
}

fn fact(resource: &'static str, previous: Option<ComplianceState>, state: ComplianceState, at_ms: i64) -> Fact<'static> {
    Fact {
        rule: "r",
        rule_arn: "arn:r",
        resource_type: "AWS::S3::Bucket",
        resource_id: resource,
        state,
        previous,
        at_ms,
        annotation: Some("why"),
    }
}

fn entry() -> (Arc<Counts>, Arc<RecordEntry>) {
    let counts = Arc::new(Counts::new("events"));
    let object = ObjectEntry::enter(Arc::clone(&counts), 1, None);
    let record = object.record();
    record.ends_as(Outcome::Delivered);
    object.decoded();
    (counts, record)
}

/// Judges, and concludes so; gives the story.
fn told(state: &Compliance, fact: &Fact<'_>, settled: Settled) -> Option<Story> {
    match state.judge(&here(), fact, fact.at_ms) {
        Judgement::Known | Judgement::NotLeading => None,
        Judgement::Late(story) => Some(story),
        Judgement::Change(story, ticket) => {
            state.conclude(ticket, settled, entry().1.piece());
            Some(story)
        }
    }
}

fn rule(name: &str) -> DeployedRule {
    DeployedRule { name: name.into(), arn: "arn:r".into(), identifier: None }
}

fn evaluation(resource: &str, state: ComplianceState, recorded_ms: i64) -> Evaluation {
    Evaluation {
        resource_type: "AWS::S3::Bucket".into(),
        resource_id: resource.into(),
        state,
        recorded_ms,
        annotation: Some("why".into()),
    }
}

fn at(began_ms: i64) -> Reading {
    Reading::of_place(began_ms, EVERY)
}

fn read(state: &Compliance, evaluations: &[(&str, ComplianceState, i64)], began_ms: i64) -> Vec<Correction> {
    let reading = at(began_ms);
    let evaluations = evaluations.iter().map(|(resource, state, ms)| evaluation(resource, *state, *ms)).collect();
    let mut found = state.reconcile_rule(&here(), &rule("r"), evaluations, reading);
    found.extend(state.reconcile_rules(&here(), &HashSet::from(["r".into()]), reading));
    found
}

fn states(state: &Compliance) -> Results {
    state.rules(&here()).first().map(|rule| rule.results).unwrap_or_default()
}

/// S1-10, S2-13: open, mended, open again.
#[test]
fn a_violation_has_a_beginning_an_end_and_may_come_again() {
    let state = Compliance::in_memory();
    let first = told(&state, &fact("a", Some(Compliant), NonCompliant, HOUR), Settled::Delivered).unwrap();
    assert_eq!((first.previous, first.since_ms, first.first_seen_ms), (Some(Compliant), Some(HOUR), Some(HOUR)));
    assert_eq!((first.reopen_count, first.resolved_after_ms, first.notifiable), (0, None, true));
    let mended = told(&state, &fact("a", Some(NonCompliant), Compliant, 3 * HOUR), Settled::Delivered).unwrap();
    assert_eq!((mended.resolved_after_ms, mended.since_ms, mended.notifiable), (Some(2 * HOUR), Some(HOUR), false));
    let again = told(&state, &fact("a", Some(Compliant), NonCompliant, 4 * HOUR), Settled::Rejected).unwrap();
    assert_eq!((again.reopen_count, again.since_ms, again.first_seen_ms), (1, Some(4 * HOUR), Some(HOUR)));
    assert!(again.notifiable);
    assert_eq!(states(&state), Results { violating: 1, ..Results::default() }, "what is in the dead letters happened");
}

#[test]
fn what_is_told_again_is_known_and_what_is_older_moves_nothing() {
    let state = Compliance::in_memory();
    let bad = fact("a", Some(Compliant), NonCompliant, 2 * HOUR);
    assert!(told(&state, &bad, Settled::Delivered).is_some());
    assert_eq!(state.judge(&here(), &bad, HOUR), Judgement::Known);
    let older = fact("a", Some(NotApplicable), Compliant, HOUR);
    assert!(matches!(state.judge(&here(), &older, HOUR), Judgement::Late(Story { notifiable: false, .. })));
    assert_eq!(states(&state).violating, 1);
}

#[test]
fn what_was_returned_is_told_again() {
    let state = Compliance::in_memory();
    let bad = fact("a", Some(Compliant), NonCompliant, HOUR);
    let first = told(&state, &bad, Settled::Returned).unwrap();
    assert_eq!(states(&state), Results::default());
    assert_eq!(told(&state, &bad, Settled::Delivered), Some(first), "the same story");
    assert!(told(&state, &bad, Settled::Delivered).is_none());
}

#[test]
fn a_change_sees_the_one_before_it_while_that_waits() {
    let state = Compliance::in_memory();
    let Judgement::Change(_, one) = state.judge(&here(), &fact("a", Some(Compliant), NonCompliant, HOUR), HOUR) else {
        panic!("a change")
    };
    let mended = fact("a", None, Compliant, 2 * HOUR);
    let Judgement::Change(story, two) = state.judge(&here(), &mended, HOUR) else { panic!("a change") };
    assert_eq!((story.previous, story.resolved_after_ms), (Some(NonCompliant), Some(HOUR)));
    state.conclude(two, Settled::Delivered, entry().1.piece());
    state.conclude(one, Settled::Delivered, entry().1.piece());
    assert_eq!(states(&state).compliant, 1, "the newer one stays, whichever is accepted first");
}

/// S2-12: a first reading takes minutes, and many are under way at once.
#[test]
fn a_first_reading_is_written_once_when_it_is_whole() {
    let state = Compliance::kept();
    state.open();
    let reading = at(HOUR);
    for name in ["r", "s"] {
        let found = state.reconcile_rule(&here(), &rule(name), vec![evaluation("a", NonCompliant, 1)], reading);
        assert_eq!((found.len(), state.unwritten(false).len()), (0, 0), "{name}");
    }
    let names = HashSet::from(["r".into(), "s".into()]);
    assert_eq!(state.reconcile_rules(&here(), &names, reading).len(), 0);
    assert_eq!((state.unwritten(false), state.results()), (vec![here()], 2));
}

/// The message may be deleted only when the state was written.
#[test]
fn a_record_waits_for_the_writing_and_goes_back_when_another_agent_leads() {
    let state = Compliance::kept();
    assert_eq!(state.judge(&here(), &fact("a", None, NonCompliant, HOUR), HOUR), Judgement::NotLeading);
    state.open();
    let (counts, record) = entry();
    let piece = record.piece();
    drop(record);
    let Judgement::Change(_, ticket) = state.judge(&here(), &fact("a", None, NonCompliant, HOUR), HOUR) else {
        panic!("a change")
    };
    state.conclude(ticket, Settled::Delivered, piece);
    assert_eq!(state.unwritten(false), [here()]);
    assert_eq!(counts.snapshot().ended(Outcome::Delivered), 0);
    let (bytes, pieces) = state.to_write(&here()).unwrap();
    state.written(&here(), pieces, false);
    assert_eq!((counts.snapshot().ended(Outcome::Delivered), state.unwritten(false).len()), (0, 1), "the writing failed");
    let (_, pieces) = state.to_write(&here()).unwrap();
    state.written(&here(), pieces, true);
    assert_eq!((counts.snapshot().ended(Outcome::Delivered), state.unwritten(false).len()), (1, 0));

    let (counts, record) = entry();
    let Judgement::Change(_, ticket) = state.judge(&here(), &fact("b", None, NonCompliant, HOUR), HOUR) else {
        panic!("a change")
    };
    state.conclude(ticket, Settled::Delivered, record.piece());
    drop(record);
    let Judgement::Change(_, late) = state.judge(&here(), &fact("c", None, NonCompliant, HOUR), HOUR) else { panic!("a change") };
    state.clear();
    assert_eq!(counts.snapshot().ended(Outcome::Returned), 1);
    assert_eq!(state.judge(&here(), &fact("d", None, NonCompliant, HOUR), HOUR), Judgement::NotLeading);
    state.open();
    let (counts, record) = entry();
    state.conclude(late, Settled::Delivered, record.piece());
    drop(record);
    assert_eq!(counts.snapshot().ended(Outcome::Returned), 1, "a ticket of the time before");
    state.load(&here(), &bytes).unwrap();
    assert_eq!((states(&state).violating, state.results()), (1, 1));
}

#[test]
fn what_is_written_reads_back_and_what_was_cut_or_is_newer_does_not() {
    let state = Compliance::in_memory();
    read(&state, &[("a", Compliant, HOUR), ("b", NonCompliant, HOUR), ("ü", NotApplicable, 0)], 2 * HOUR);
    told(&state, &fact("c", Some(Compliant), NonCompliant, 3 * HOUR), Settled::Delivered);
    let (bytes, _) = state.to_write(&here()).unwrap();
    let other = Compliance::in_memory();
    other.load(&here(), &bytes).unwrap();
    assert_eq!(other.to_write(&here()).unwrap().0, bytes);
    assert_eq!((other.violations(&here()), other.has_baseline(&here())), (state.violations(&here()), true));
    for cut in [0, 10, bytes.len() / 2, bytes.len() - 9] {
        assert!(Compliance::in_memory().load(&here(), &bytes[..cut]).is_err(), "{cut} of {} bytes", bytes.len());
    }
    let mut newer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut newer, b"{\"version\":2,\"layout\":\"other\"}\n").unwrap();
    let error = other.load(&here(), &newer.finish().unwrap()).unwrap_err();
    assert!(error.to_string().starts_with("its version is 2, this agent reads up to 1"), "{error}");
}

/// S0-03, P48: the baseline tells nothing, a later reading tells what the stream missed.
#[test]
fn a_reading_repairs_what_no_event_told() {
    let state = Compliance::in_memory();
    assert!(read(&state, &[("a", Compliant, HOUR), ("b", Compliant, HOUR), ("c", NonCompliant, HOUR)], 2 * HOUR).is_empty());
    told(&state, &fact("a", Some(Compliant), NonCompliant, 3 * HOUR), Settled::Delivered);
    let now = [("a", NonCompliant, 3 * HOUR), ("b", NonCompliant, 3 * HOUR), ("d", NonCompliant, 4 * HOUR)];
    let found = read(&state, &now, 5 * HOUR);
    let words: BTreeMap<_, _> = found.iter().map(|one| (&*one.resource_id, (one.story.previous, one.state, one.at_ms))).collect();
    let want = [
        ("b", (Some(Compliant), NonCompliant, 3 * HOUR)),
        ("c", (Some(NonCompliant), Left, 5 * HOUR)),
        ("d", (None, NonCompliant, 4 * HOUR)),
    ];
    assert_eq!(words, BTreeMap::from(want));
    assert!(found.iter().find(|one| &*one.resource_id == "b").unwrap().story.notifiable);
    // They are repaired only when they were accepted.
    for correction in found {
        let settled = if &*correction.resource_id == "d" { Settled::Returned } else { Settled::Delivered };
        state.conclude(correction.ticket, settled, entry().1.piece());
    }
    let again = read(&state, &now, 6 * HOUR);
    assert_eq!(again.iter().map(|one| &*one.resource_id).collect::<Vec<_>>(), ["d"]);
}

#[test]
fn what_changed_while_it_was_read_is_left_alone() {
    let state = Compliance::in_memory();
    read(&state, &[("a", Compliant, HOUR)], 2 * HOUR);
    told(&state, &fact("a", Some(Compliant), NonCompliant, 6 * HOUR), Settled::Delivered);
    told(&state, &fact("new", None, NonCompliant, 6 * HOUR), Settled::Delivered);
    assert!(read(&state, &[("a", Compliant, HOUR)], 5 * HOUR).is_empty());
}

/// The events pile up while the baseline is read: each is told once, with its own story.
#[test]
fn an_event_that_the_baseline_ran_ahead_of_is_told_and_noticed() {
    let state = Compliance::in_memory();
    read(&state, &[("a", NonCompliant, HOUR)], 2 * HOUR);
    let bad = fact("a", Some(Compliant), NonCompliant, HOUR);
    let story = told(&state, &bad, Settled::Delivered).unwrap();
    assert_eq!((story.previous, story.reopen_count, story.notifiable), (Some(Compliant), 0, true));
    assert!(told(&state, &bad, Settled::Delivered).is_none());
}

/// A rule that is deployed on many resources tells how things are; a resource that is created wrong under an old one is news.
#[test]
fn first_results_of_a_new_rule_notify_nobody() {
    let state = Compliance::in_memory();
    read(&state, &[("a", Compliant, HOUR)], 2 * HOUR);
    let created = told(&state, &fact("new", None, NonCompliant, 3 * HOUR), Settled::Delivered).unwrap();
    assert!(created.notifiable);
    let of_new_rule = Fact { rule: "deployed now", ..fact("a", None, NonCompliant, 3 * HOUR) };
    assert!(!told(&state, &of_new_rule, Settled::Delivered).unwrap().notifiable);
    let later = Fact { rule: "deployed now", ..fact("b", None, NonCompliant, 5 * HOUR) };
    assert!(told(&state, &later, Settled::Delivered).unwrap().notifiable);
}

#[test]
fn a_rule_that_is_gone_is_closed_not_compliant() {
    let state = Compliance::in_memory();
    read(&state, &[("a", NonCompliant, HOUR), ("b", Compliant, HOUR)], 2 * HOUR);
    let reading = at(5 * HOUR);
    let found = state.reconcile_rules(&here(), &HashSet::new(), reading);
    assert_eq!(found.len(), 2);
    for correction in found {
        assert_eq!(correction.state, Left);
        state.conclude(correction.ticket, Settled::Delivered, entry().1.piece());
    }
    assert_eq!(states(&state), Results::default());
    assert!(state.rules(&here()).is_empty() && state.violations(&here()).is_empty());
    let later = at(300 * HOUR);
    assert!(state.reconcile_rules(&here(), &HashSet::new(), later).is_empty());
    assert_eq!(state.results(), 0, "and after a week it is forgotten");
}

/// S0-10, S0-11: only COMPLIANT and `NON_COMPLIANT` count.
#[test]
fn percents_count_what_is_judged_and_say_nothing_of_nothing() {
    assert_eq!(
        (percent(0, 0), percent(1, 2), percent(1_999_999, 1), percent(5, 0)),
        (None, Some(3333), Some(9999), Some(10_000))
    );
    let state = Compliance::in_memory();
    let reading = at(2 * HOUR);
    for (name, evaluations) in [("s", vec![evaluation("b", NonCompliant, HOUR)]), ("t", Vec::new())] {
        state.reconcile_rule(&here(), &rule(name), evaluations, reading);
    }
    let of_r = [("a", NonCompliant), ("b", Compliant), ("c", NotApplicable)];
    let of_r = of_r.map(|(resource, judged)| evaluation(resource, judged, HOUR)).to_vec();
    state.reconcile_rule(&here(), &rule("r"), of_r, reading);
    let accounts = state.accounts();
    let counts = &accounts["111122223333"];
    assert_eq!(counts.rules, Results { violating: 2, unknown: 1, ..Results::default() }, "a rule without results is unknown");
    assert_eq!(counts.resources, Results { violating: 2, not_applicable: 1, ..Results::default() }, "b violates one of two");
}

proptest! {
    /// Changes of one resource in any order, each told up to three times, some of them returned: the state is that of the
    /// newest, and each is accepted once at least.
    #[test]
    fn the_newest_wins_whatever_the_order(order in Just((0..8_i64).collect::<Vec<_>>()).prop_shuffle(), returns in prop::collection::vec(0..3_usize, 8)) {
        let state = Compliance::in_memory();
        let all = [Compliant, NonCompliant, Compliant, NotApplicable, NonCompliant, Compliant, Left, NonCompliant];
        let mut accepted = HashSet::new();
        for at in order {
            let index = usize::try_from(at).unwrap();
            let previous = index.checked_sub(1).map(|before| all[before]);
            let fact = fact("a", previous, all[index], (at + 1) * HOUR);
            for _ in 0..returns[index] {
                told(&state, &fact, Settled::Returned);
            }
            if told(&state, &fact, Settled::Delivered).is_some() {
                accepted.insert(at);
            }
            told(&state, &fact, Settled::Delivered);
        }
        prop_assert_eq!(accepted.len(), 8);
        prop_assert_eq!(states(&state).violating, 1);
    }
}

/// Many rules judge one resource, and a rule says the same of many: such texts are held once, and go with the last that has them.
#[test]
fn texts_that_results_have_in_common_are_held_once() {
    let state = Compliance::kept();
    state.open();
    let rules: HashSet<Box<str>> = (0..20).map(|number| format!("rule-{number}").into()).collect();
    for name in &rules {
        let all = ["a", "b", "c"].map(|resource| evaluation(resource, NonCompliant, HOUR));
        assert!(state.reconcile_rule(&here(), &rule(name), all.into(), at(2 * HOUR)).is_empty());
    }
    assert!(state.reconcile_rules(&here(), &rules, at(2 * HOUR)).is_empty());
    let texts = |state: &Compliance| state.lock().places[&here()].texts.len();
    assert_eq!((state.results(), texts(&state)), (60, 4), "three ids and one annotation");
    let (bytes, _) = state.to_write(&here()).unwrap();
    let other = Compliance::kept();
    other.open();
    other.load(&here(), &bytes).unwrap();
    assert_eq!((other.results(), texts(&other)), (60, 4), "and those of a state that was read");
    // An annotation that is another each time: those that nobody holds any more go.
    for number in 0..1_000 {
        let why = format!("open since {number} hours");
        let fact =
            Fact { annotation: Some(&why), rule: "rule-1", ..fact("a", Some(Compliant), NonCompliant, (3 + number) * HOUR) };
        told(&other, &fact, Settled::Delivered);
    }
    assert!(texts(&other) < 100, "{}", texts(&other));
}
