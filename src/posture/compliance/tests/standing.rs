//! What a reading may conclude, and what counts as news: rules that come back, events on their way, aggregators, too many results.

use super::*;

use ComplianceState::InsufficientData;

/// Reads one rule by this way, and concludes every correction.
fn read_by(state: &Compliance, evaluations: &[(&str, ComplianceState, i64)], reading: Reading) -> Vec<Correction> {
    let evaluations = evaluations.iter().map(|(resource, state, ms)| evaluation(resource, *state, *ms)).collect();
    let mut found = state.reconcile_rule(&here(), &rule("r"), evaluations, reading);
    found.extend(state.reconcile_rules(&here(), &HashSet::from(["r".into()]), reading));
    found
}

fn conclude(state: &Compliance, found: Vec<Correction>) {
    for correction in found {
        state.conclude(correction.ticket, Settled::Delivered, entry().1.piece());
    }
}

fn aggregated(began_ms: i64) -> Reading {
    Reading::of_aggregator(began_ms, began_ms - 6 * HOUR, EVERY)
}

/// S0-20: what AWS names as the source of a rule is known to events, corrections and rows, and after a restart.
#[test]
fn the_identifier_of_a_rule_is_kept_and_written() {
    let state = Compliance::in_memory();
    let mut mine = rule("my-ssh");
    mine.identifier = Some("INCOMING_SSH_DISABLED".into());
    let names = HashSet::from(["my-ssh".into()]);
    let results = || vec![evaluation("a", NonCompliant, HOUR), evaluation("b", Compliant, HOUR)];
    state.reconcile_rule(&here(), &mine, results(), at(2 * HOUR));
    state.reconcile_rules(&here(), &names, at(2 * HOUR));
    let want = Some("INCOMING_SSH_DISABLED");
    let (bytes, _) = state.to_write(&here()).unwrap();
    let other = Compliance::in_memory();
    other.load(&here(), &bytes).unwrap();
    assert_eq!(other.identifier(&here(), "my-ssh").as_deref(), want);
    assert_eq!(other.identifier(&here(), "r"), None);
    assert_eq!(other.rules(&here())[0].identifier.as_deref(), want);
    assert_eq!(other.violations(&here())[0].identifier.as_deref(), want);
    // An aggregator does not say, and takes nothing back.
    let nameless = DeployedRule { name: "my-ssh".into(), arn: Box::default(), identifier: None };
    let all_bad = vec![evaluation("a", NonCompliant, HOUR), evaluation("b", NonCompliant, 9 * HOUR)];
    let found = other.reconcile_rule(&here(), &nameless, all_bad, aggregated(10 * HOUR));
    assert_eq!(found.iter().map(|one| one.rule_identifier.as_deref()).collect::<Vec<_>>(), [want]);
    assert_eq!(&*found[0].rule_arn, "arn:r", "the id of the event that may still come is made of it");
    // The account itself does.
    other.reconcile_rule(&here(), &nameless, results(), at(20 * HOUR));
    assert_eq!(other.identifier(&here(), "my-ssh"), None, "a rule of the customer's own under the same name");
}

#[test]
fn a_state_that_an_older_agent_wrote_is_read_on() {
    let mut old = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let lines = b"{\"version\":1,\"account\":\"111122223333\",\"region\":\"eu-west-1\",\"baseline\":true,\"kinds\":[\"AWS::S3::Bucket\"],\
        \"rules\":1}\n{\"name\":\"r\",\"arn\":\"arn:r\",\"knownMs\":0,\"results\":[[0,\"a\",\"NON_COMPLIANT\",5,true,[3,4,1,null]]]}\n";
    std::io::Write::write_all(&mut old, lines).unwrap();
    let state = Compliance::in_memory();
    state.load(&here(), &old.finish().unwrap()).unwrap();
    assert_eq!((state.identifier(&here(), "r"), states(&state).violating), (None, 1));
    let violation = state.violations(&here()).remove(0);
    assert_eq!((violation.evaluated_ms, violation.observed_ms, violation.since_ms), (5, 5, 4));
}

/// S2-01: when AWS judged, and when it was last known to be so.
#[test]
fn a_violation_says_when_it_was_judged_and_when_it_was_last_seen() {
    let state = Compliance::in_memory();
    read(&state, &[("a", NonCompliant, HOUR), ("b", NonCompliant, 0)], 2 * HOUR);
    told(&state, &fact("c", Some(Compliant), NonCompliant, 3 * HOUR), Settled::Delivered);
    let times = |state: &Compliance| {
        let all = state.violations(&here()).into_iter();
        all.map(|one| (one.evaluated_ms, one.observed_ms)).collect::<Vec<_>>()
    };
    assert_eq!(times(&state), [(HOUR, 2 * HOUR), (0, 2 * HOUR), (3 * HOUR, 3 * HOUR)]);
    let now = [("a", NonCompliant, HOUR), ("b", NonCompliant, HOUR), ("c", NonCompliant, 3 * HOUR)];
    assert!(read_by(&state, &now, aggregated(10 * HOUR)).is_empty());
    assert_eq!(times(&state), [(HOUR, 4 * HOUR), (0, 4 * HOUR), (3 * HOUR, 4 * HOUR)], "an aggregator is six hours behind");
}

/// S2-13: a rule that is deployed again finds the same violations: they are not reopened, and page nobody.
#[test]
fn a_rule_that_comes_back_reopens_nothing_and_notifies_nobody() {
    let state = Compliance::in_memory();
    read(&state, &[("a", NonCompliant, HOUR), ("b", NonCompliant, HOUR)], 2 * HOUR);
    for (resource, previous) in [("a", Some(NonCompliant)), ("b", None)] {
        let left = told(&state, &fact(resource, previous, Left, 3 * HOUR), Settled::Delivered).unwrap();
        assert_eq!((left.previous, left.resolved_after_ms), (Some(NonCompliant), None), "nobody mended it");
    }
    for resource in ["a", "b", "new"] {
        let back = told(&state, &fact(resource, None, NonCompliant, 4 * HOUR), Settled::Delivered).unwrap();
        assert_eq!((back.reopen_count, back.notifiable, back.since_ms), (0, false, Some(4 * HOUR)), "{resource}");
    }
    let later = told(&state, &fact("later", None, NonCompliant, 6 * HOUR), Settled::Delivered).unwrap();
    assert!(later.notifiable, "the rule is an old one by now");
    assert_eq!(state.violations(&here())[0].first_seen_ms, HOUR);
}

/// A resource that was deleted and is created wrong, under a rule that stays, is news.
#[test]
fn a_resource_that_comes_back_wrong_is_news_and_not_reopened() {
    let state = Compliance::in_memory();
    read(&state, &[("a", NonCompliant, HOUR), ("stays", Compliant, HOUR)], 2 * HOUR);
    told(&state, &fact("a", Some(NonCompliant), Left, 3 * HOUR), Settled::Delivered);
    let back = told(&state, &fact("a", None, NonCompliant, 4 * HOUR), Settled::Delivered).unwrap();
    assert_eq!((back.reopen_count, back.notifiable, back.previous), (0, true, Some(Left)));
}

#[test]
fn a_violation_goes_on_while_there_is_no_data() {
    let state = Compliance::in_memory();
    read(&state, &[("a", NonCompliant, HOUR)], 2 * HOUR);
    let silent = told(&state, &fact("a", Some(NonCompliant), InsufficientData, 3 * HOUR), Settled::Delivered).unwrap();
    assert_eq!(silent.resolved_after_ms, None, "nobody mended it");
    let same = told(&state, &fact("a", Some(InsufficientData), NonCompliant, 4 * HOUR), Settled::Delivered).unwrap();
    assert_eq!((same.reopen_count, same.notifiable, same.since_ms), (0, false, Some(HOUR)), "the same violation");
    told(&state, &fact("a", None, InsufficientData, 5 * HOUR), Settled::Delivered);
    let mended = told(&state, &fact("a", None, Compliant, 6 * HOUR), Settled::Delivered).unwrap();
    assert_eq!(mended.resolved_after_ms, Some(5 * HOUR));
    told(&state, &fact("a", None, InsufficientData, 7 * HOUR), Settled::Delivered);
    let other = told(&state, &fact("a", None, NonCompliant, 8 * HOUR), Settled::Delivered).unwrap();
    assert_eq!((other.since_ms, other.notifiable), (Some(8 * HOUR), true), "another one");
    told(&state, &fact("a", None, InsufficientData, 9 * HOUR), Settled::Delivered);
    let said = told(&state, &fact("a", Some(Compliant), NonCompliant, 10 * HOUR), Settled::Delivered).unwrap();
    assert_eq!((said.reopen_count, said.notifiable), (1, true), "AWS says that it was mended");
}

/// S1-10: it is again only after it was well.
#[test]
fn only_what_was_compliant_is_reopened() {
    for (before, reopened) in [(Compliant, 1), (NotApplicable, 0), (Left, 0), (InsufficientData, 0)] {
        let state = Compliance::in_memory();
        read(&state, &[("a", NonCompliant, HOUR), ("stays", Compliant, HOUR)], 2 * HOUR);
        told(&state, &fact("a", Some(NonCompliant), before, 3 * HOUR), Settled::Delivered);
        let again = told(&state, &fact("a", None, NonCompliant, 4 * HOUR), Settled::Delivered).unwrap();
        assert_eq!(again.reopen_count, reopened, "{before:?}");
    }
}

/// Where nobody reads AWS Config, or a new account begins to tell: what its rules say first is how things are.
#[test]
fn first_results_of_a_place_that_nobody_has_read_notify_nobody() {
    let state = Compliance::in_memory();
    let notifiable = |resource: &'static str, previous, at_ms| {
        told(&state, &fact(resource, previous, NonCompliant, at_ms), Settled::Delivered).unwrap().notifiable
    };
    assert!(!notifiable("a", None, 2 * HOUR) && !notifiable("b", None, 2 * HOUR + MINUTE));
    assert!(!notifiable("c", Some(InsufficientData), 2 * HOUR + MINUTE), "no result is no state");
    assert!(notifiable("d", Some(Compliant), 2 * HOUR + MINUTE), "AWS says that it became so");
    assert!(notifiable("e", None, 3 * HOUR), "an hour later the rule is known");
}

/// S0-03: an event that has not been handled yet was not missed.
#[test]
fn what_was_recorded_shortly_before_a_reading_waits_for_its_event() {
    let state = Compliance::in_memory();
    read(&state, &[("a", Compliant, HOUR), ("b", Compliant, HOUR)], 2 * HOUR);
    let now = [
        ("a", NonCompliant, 8 * HOUR - 14 * MINUTE),
        ("b", NonCompliant, 8 * HOUR + MINUTE),
        ("new", NonCompliant, 8 * HOUR - MINUTE),
    ];
    assert!(read(&state, &now, 8 * HOUR).is_empty());
    let of_a = fact("a", Some(Compliant), NonCompliant, 8 * HOUR - 14 * MINUTE);
    assert!(told(&state, &of_a, Settled::Delivered).unwrap().notifiable, "its event tells it");
    let found = read(&state, &now, 14 * HOUR);
    let mut repaired: Vec<_> = found.iter().map(|one| (&*one.resource_id, one.at_ms)).collect();
    repaired.sort_unstable();
    assert_eq!(repaired, [("b", 8 * HOUR + MINUTE), ("new", 8 * HOUR - MINUTE)], "and nothing is lost");
}

#[test]
fn a_short_interval_waits_no_longer_than_for_the_next_reading() {
    let state = Compliance::in_memory();
    read(&state, &[("a", Compliant, HOUR)], 2 * HOUR);
    let soon = |began_ms| Reading::of_place(began_ms, Duration::from_secs(10));
    let now = [("a", NonCompliant, 8 * HOUR)];
    assert!(read_by(&state, &now, soon(8 * HOUR + 10_000)).is_empty());
    assert_eq!(read_by(&state, &now, soon(8 * HOUR + 10_001)).len(), 1);
}

/// What a reading found gone is told once: the event that says when is a copy.
#[test]
fn the_event_of_what_a_reading_found_gone_is_known() {
    let state = Compliance::in_memory();
    read(&state, &[("a", NonCompliant, HOUR), ("b", Compliant, HOUR)], 2 * HOUR);
    let found = read(&state, &[("b", Compliant, HOUR)], 8 * HOUR);
    assert_eq!(found.iter().map(|one| (one.state, one.story.resolved_after_ms)).collect::<Vec<_>>(), [(Left, None)]);
    conclude(&state, found);
    assert!(told(&state, &fact("a", Some(NonCompliant), Left, 8 * HOUR - MINUTE), Settled::Delivered).is_none());
    // Told by an event, another one that is older is another fact.
    told(&state, &fact("b", Some(Compliant), Left, 9 * HOUR), Settled::Delivered);
    assert!(told(&state, &fact("b", Some(Compliant), Left, 7 * HOUR), Settled::Delivered).is_some());
}

/// An aggregator lists what is compliant and what is not: the rest is not gone because it is not there.
#[test]
fn an_aggregator_closes_only_what_it_would_list() {
    let state = Compliance::in_memory();
    read(&state, &[("good", Compliant, HOUR), ("bad", NonCompliant, HOUR), ("stays", Compliant, HOUR)], 2 * HOUR);
    for (resource, now) in [("not", NotApplicable), ("silent", InsufficientData)] {
        told(&state, &fact(resource, None, now, 2 * HOUR), Settled::Delivered);
    }
    let found = read_by(&state, &[("stays", Compliant, HOUR)], aggregated(20 * HOUR));
    let mut closed: Vec<_> = found.iter().map(|one| &*one.resource_id).collect();
    closed.sort_unstable();
    assert_eq!(closed, ["bad", "good"]);
    conclude(&state, found);
    let found = state.reconcile_rules(&here(), &HashSet::new(), aggregated(40 * HOUR));
    assert_eq!(found.iter().map(|one| &*one.resource_id).collect::<Vec<_>>(), ["stays"], "a rule that it does not list");
    conclude(&state, found);
    let found = state.reconcile_rules(&here(), &HashSet::new(), at(60 * HOUR));
    assert_eq!(found.len(), 2, "the account itself lists everything");
}

#[test]
fn beyond_the_most_results_a_reading_takes_over_and_repairs_nothing_new() {
    let state = Compliance::in_memory();
    state.lock().results_max = 2;
    let all = ["a", "b", "c", "d"].map(|resource| (resource, Compliant, HOUR));
    assert!(read(&state, &all, 2 * HOUR).is_empty());
    assert_eq!((state.results(), state.lock().said_full), (2, true));
    let worse = ["a", "b", "c", "d"].map(|resource| (resource, NonCompliant, 3 * HOUR));
    let found = read(&state, &worse, 8 * HOUR);
    assert_eq!(found.iter().map(|one| &*one.resource_id).collect::<Vec<_>>(), ["a", "b"], "what is held is repaired");
    conclude(&state, found);
    assert_eq!(state.results(), 2);
    let story = told(&state, &fact("c", Some(Compliant), NonCompliant, 9 * HOUR), Settled::Delivered).unwrap();
    assert_eq!((story.notifiable, state.results()), (true, 2), "an event is told all the same");
}

/// S2-13: what one reading does not list and the next one does was never gone: it counts again, with its history, and wakes nobody.
#[test]
fn what_a_reading_missed_once_is_taken_back_with_its_history() {
    for is_aggregated in [false, true] {
        let by = |began_ms| if is_aggregated { aggregated(began_ms) } else { at(began_ms) };
        let state = Compliance::in_memory();
        let all = [("a", NonCompliant, HOUR), ("good", Compliant, HOUR), ("stays", Compliant, HOUR)];
        assert!(read_by(&state, &all, by(10 * HOUR)).is_empty());
        let found = read_by(&state, &all[2..], by(20 * HOUR));
        assert_eq!((found.len(), found[0].state), (2, Left));
        conclude(&state, found);
        let found = read_by(&state, &all, by(30 * HOUR));
        let want = Story {
            previous: Some(Left),
            since_ms: Some(HOUR),
            first_seen_ms: Some(HOUR),
            reopen_count: 0,
            resolved_after_ms: None,
            notifiable: false,
        };
        assert_eq!((found.len(), found[0].story, found[0].state), (2, want, NonCompliant), "aggregated: {is_aggregated}");
        assert_eq!((found[0].at_ms, found[0].evaluated_ms), (30 * HOUR, Some(HOUR)), "an id of its own");
        conclude(&state, found);
        assert_eq!(states(&state).violating, 1);
        let violation = state.violations(&here()).remove(0);
        assert_eq!((violation.since_ms, violation.evaluated_ms), (HOUR, HOUR));
        assert!(read_by(&state, &all, by(40 * HOUR)).is_empty(), "once");
        let mended = told(&state, &fact("a", None, Compliant, 41 * HOUR), Settled::Delivered).unwrap();
        assert_eq!(mended.resolved_after_ms, Some(40 * HOUR), "the violation went on");
    }
}

/// A return that New Relic did not take is told by the next reading.
#[test]
fn what_was_not_accepted_is_taken_back_the_next_time() {
    let state = Compliance::in_memory();
    let all = [("a", NonCompliant, HOUR), ("stays", Compliant, HOUR)];
    read(&state, &all, 10 * HOUR);
    let found = read(&state, &all[1..], 20 * HOUR);
    conclude(&state, found);
    for correction in read(&state, &all, 30 * HOUR) {
        state.conclude(correction.ticket, Settled::Returned, entry().1.piece());
    }
    assert_eq!((states(&state).violating, read(&state, &all, 40 * HOUR).len()), (0, 1));
}

/// What was well when a reading missed it, and violates when it is listed again, has become so: that was never told.
#[test]
fn what_comes_back_worse_than_it_was_is_news_and_what_an_event_told_gone_is_not_taken_back() {
    let state = Compliance::in_memory();
    read(&state, &[("a", NonCompliant, HOUR), ("never", Compliant, HOUR), ("stays", Compliant, HOUR)], 2 * HOUR);
    told(&state, &fact("a", Some(NonCompliant), Compliant, 3 * HOUR), Settled::Delivered);
    let found = read(&state, &[("stays", Compliant, HOUR)], 10 * HOUR);
    assert_eq!(found.len(), 2);
    conclude(&state, found);
    // Written by this agent, read by the next.
    let (bytes, _) = state.to_write(&here()).unwrap();
    let other = Compliance::in_memory();
    other.load(&here(), &bytes).unwrap();
    let now = [("a", NonCompliant, 9 * HOUR), ("never", NonCompliant, 9 * HOUR), ("stays", Compliant, HOUR)];
    let found = read(&other, &now, 20 * HOUR);
    let stories: Vec<_> = found.iter().map(|one| (one.story.since_ms, one.story.first_seen_ms, one.story.notifiable)).collect();
    assert_eq!(stories, [(Some(9 * HOUR), Some(HOUR), true), (Some(9 * HOUR), Some(9 * HOUR), true)]);
    conclude(&other, found);
    told(&other, &fact("a", Some(NonCompliant), Left, 21 * HOUR), Settled::Delivered);
    assert!(read(&other, &now, 30 * HOUR).is_empty(), "AWS said that it left, and its answer is older");
}

/// A violation goes on while there is no data, also where a reading then misses it: listed again it is the same, and wakes nobody.
#[test]
fn a_violation_behind_no_data_that_was_missed_once_is_the_same_violation() {
    for (name, ends, since_ms, notifiable) in [("stands", None, HOUR, false), ("was mended", Some(2 * HOUR), 9 * HOUR, true)] {
        let state = Compliance::in_memory();
        read(&state, &[("a", NonCompliant, HOUR), ("stays", Compliant, HOUR)], 90 * MINUTE);
        if let Some(at_ms) = ends {
            told(&state, &fact("a", Some(NonCompliant), Compliant, at_ms), Settled::Delivered);
        }
        told(&state, &fact("a", None, InsufficientData, 3 * HOUR), Settled::Delivered);
        let found = read(&state, &[("stays", Compliant, HOUR)], 10 * HOUR);
        assert_eq!((found.len(), found[0].state), (1, Left), "{name}");
        conclude(&state, found);
        let found = read(&state, &[("a", NonCompliant, 9 * HOUR), ("stays", Compliant, HOUR)], 20 * HOUR);
        let story = &found[0].story;
        assert_eq!((found.len(), story.since_ms, story.notifiable), (1, Some(since_ms), notifiable), "{name}");
    }
}

/// A rule of which all was missed once is no new one: what it finds afterwards is news.
#[test]
fn a_rule_that_was_missed_once_is_not_deployed_anew() {
    let state = Compliance::in_memory();
    let all = [("a", NonCompliant, HOUR)];
    read(&state, &all, 2 * HOUR);
    let found = state.reconcile_rules(&here(), &HashSet::new(), at(10 * HOUR));
    conclude(&state, found);
    let found = read(&state, &all, 20 * HOUR);
    assert_eq!(found.iter().map(|one| one.story.notifiable).collect::<Vec<_>>(), [false]);
    conclude(&state, found);
    assert!(told(&state, &fact("b", None, NonCompliant, 20 * HOUR + MINUTE), Settled::Delivered).unwrap().notifiable);
}
