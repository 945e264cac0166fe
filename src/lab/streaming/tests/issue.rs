//! How incidents are grouped into issues.

use super::super::issue::{INCIDENTS_MAX, Issue, Origin, Preference, issues, origins};
use super::super::muting::Muted;
use super::super::{Cause, Closed, Evaluation, Incident, Reason, SignalRun};
use crate::nrql::condition::Priority::{self, Critical, Warning};

/// Open from, closed at and known at; the last two equal unless given.
fn origin(condition: usize, signal: usize, opened_ms: i64, closed: Option<(i64, i64)>) -> Origin {
    let closed = closed.map(|(at_ms, known_ms)| Closed { at_ms, known_ms, reason: Reason::Recovered });
    let incident = Incident { priority: Warning, cause: Cause::Threshold, opened_ms, window_end_ms: None, value: None, closed };
    Origin { condition, signal, incident, muted: None }
}

fn critical(mut origin: Origin) -> Origin {
    origin.incident.priority = Critical;
    origin
}

fn muted(mut origin: Origin, until_ms: Option<i64>, closes: bool) -> Origin {
    origin.muted = Some(Muted { rule: 0, until_ms, closes });
    origin
}

fn shown(issues: &[Issue]) -> Vec<(i64, Option<i64>, &[usize])> {
    issues.iter().map(|issue| (issue.opened_ms, issue.closed_ms, &*issue.incidents)).collect()
}

fn three() -> [Origin; 4] {
    [origin(0, 0, 10, Some((50, 50))), origin(0, 1, 20, Some((60, 60))), origin(1, 0, 30, None), origin(0, 0, 55, Some((70, 70)))]
}

#[test]
fn per_policy_all_share_the_open_issue() {
    assert_eq!(shown(&issues(Preference::Policy, &three())), [(10, None, &[0, 1, 2, 3][..])]);
}

#[test]
fn per_condition_each_condition_has_its_own() {
    assert_eq!(shown(&issues(Preference::Condition, &three())), [(10, Some(70), &[0, 1, 3][..]), (30, None, &[2])]);
}

#[test]
fn per_condition_and_target_each_signal_has_its_own() {
    let expected = [(10, Some(50), &[0][..]), (20, Some(60), &[1]), (30, None, &[2]), (55, Some(70), &[3])];
    assert_eq!(shown(&issues(Preference::ConditionAndTarget, &three())), expected);
}

#[test]
fn what_opens_after_all_were_closed_is_another_issue() {
    let incidents = [origin(0, 0, 10, Some((50, 50))), origin(0, 0, 50, None)];
    // At one instant incidents close before others open.
    assert_eq!(shown(&issues(Preference::Policy, &incidents)), [(10, Some(50), &[0][..]), (50, None, &[1])]);
}

#[test]
fn a_recovery_closes_the_issue_when_it_is_known() {
    let incidents = [origin(0, 0, 10, Some((20, 80))), origin(0, 1, 50, Some((60, 60)))];
    assert_eq!(shown(&issues(Preference::Policy, &incidents)), [(10, Some(80), &[0, 1][..])]);
}

#[test]
fn the_order_given_does_not_matter() {
    let mut incidents = three();
    incidents.reverse();
    let found = issues(Preference::Condition, &incidents);
    assert_eq!(shown(&found), [(10, Some(70), &[3, 2, 0][..]), (30, None, &[1])]);
}

#[test]
fn an_issue_has_the_highest_priority_and_is_told_when_the_first_loud_incident_opens() {
    let of = |incidents: &[Origin]| -> Vec<(Priority, Option<i64>)> {
        issues(Preference::Policy, incidents).iter().map(|issue| (issue.priority, issue.told_ms)).collect()
    };
    assert_eq!(of(&[origin(0, 0, 10, None), critical(origin(0, 1, 20, None))]), [(Critical, Some(10))]);
    // What is muted is not told, and lends no priority to what is.
    let quiet = muted(critical(origin(0, 0, 10, None)), None, false);
    assert_eq!(of(&[quiet]), [(Critical, None)]);
    assert_eq!(of(&[quiet, origin(0, 1, 20, None)]), [(Warning, Some(20))]);
    assert_eq!(of(&[origin(0, 1, 5, None), quiet]), [(Warning, Some(5))]);
}

#[test]
fn a_rule_that_closes_ends_what_it_muted_with_its_time() {
    let incidents = [muted(origin(0, 0, 10, None), Some(40), true), origin(0, 0, 60, None)];
    assert_eq!(shown(&issues(Preference::Policy, &incidents)), [(10, Some(40), &[0][..]), (60, None, &[1])]);
    let incidents = [muted(origin(0, 0, 10, None), Some(40), false), origin(0, 0, 60, None)];
    assert_eq!(shown(&issues(Preference::Policy, &incidents)), [(10, None, &[0, 1][..])]);
}

#[test]
fn a_full_issue_is_followed_by_another() {
    let incidents: Vec<Origin> = (0..=INCIDENTS_MAX).map(|signal| origin(0, signal, 10, None)).collect();
    let sizes: Vec<usize> = issues(Preference::Policy, &incidents).iter().map(|issue| issue.incidents.len()).collect();
    assert_eq!(sizes, [INCIDENTS_MAX, 1]);
}

#[test]
fn nothing_makes_no_issue_and_words_read_back() {
    assert_eq!(issues(Preference::Policy, &[]), []);
    for (preference, word) in Preference::WORDS {
        assert_eq!(Preference::of_word(word), Some(*preference));
    }
    assert_eq!(Preference::of_word("PER_ACCOUNT"), None);
}

#[test]
fn incidents_know_their_condition_and_signal() {
    let incident = origin(0, 0, 10, None).incident;
    let signal = SignalRun { incidents: vec![incident], ..SignalRun::default() };
    let evaluation = Evaluation { signals: vec![SignalRun::default(), signal], ..Evaluation::default() };
    let quiet = Muted { rule: 3, until_ms: None, closes: false };
    let found = origins(7, &evaluation, |_, incident| (incident.opened_ms == 10).then_some(quiet));
    assert_eq!(found, [Origin { condition: 7, signal: 1, incident, muted: Some(quiet) }]);
}
