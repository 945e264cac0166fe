//! What is counted is sent once, or waits; what may be doubled is said.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::ack::{Counts, ObjectEntry, Outcome, RecordEntry, Settled};

const TRAIL: [&str; 4] = ["111122223333", "eu-west-1", "s3", "trail"];

fn record() -> (Arc<ObjectEntry>, Arc<RecordEntry>) {
    let object = ObjectEntry::enter(Arc::new(Counts::new("x")), 1, None);
    let record = object.record();
    (object, record)
}

/// What was taken: metric, values, amount.
fn shown(taken: &[Taken]) -> Vec<(&'static str, String, u64)> {
    let values = |series: &Series| series.attributes().map(|(_, value)| value.to_owned()).collect::<Vec<_>>().join(" ");
    taken.iter().map(|taken| (taken.series().counter().name(), values(taken.series()), taken.amount())).collect()
}

/// A record counts when it has ended, other than returned, and only what was accepted of it.
#[test]
fn what_is_accepted_of_a_record_that_ended_is_counted() {
    for (name, pieces, ends, counted) in [
        ("accepted", [Some(Settled::Delivered), Some(Settled::Delivered)], Outcome::Delivered, 2),
        ("one refused", [Some(Settled::Delivered), Some(Settled::Rejected)], Outcome::Delivered, 1),
        ("both refused", [Some(Settled::Rejected), Some(Settled::Rejected)], Outcome::Delivered, 0),
        ("one returned", [Some(Settled::Delivered), Some(Settled::Returned)], Outcome::Delivered, 0),
        ("one forgotten", [Some(Settled::Delivered), None], Outcome::Delivered, 0),
        ("muted, its log accepted", [Some(Settled::Delivered), Some(Settled::Delivered)], Outcome::Suppressed, 2),
        ("never ended", [Some(Settled::Delivered), Some(Settled::Delivered)], Outcome::Returned, 0),
    ] {
        for in_steps in [false, true] {
            let rollups = Rollups::new(true);
            let (object, record) = record();
            record.ends_as(ends);
            for settled in pieces {
                let owes = if in_steps {
                    let owed = record.piece();
                    record.step(move |settled| owed.settle(settled))
                } else {
                    Arc::clone(&record)
                };
                let piece = owes.piece().counting([rollups.tally(Counter::Records, &TRAIL), None]);
                drop(owes);
                match settled {
                    Some(settled) => piece.settle(settled),
                    None => drop(piece),
                }
            }
            assert_eq!(rollups.waiting(), 0, "{name}: it has not ended");
            drop(record);
            object.decoded();
            assert_eq!(rollups.waiting(), counted, "{name}, in steps: {in_steps}");
        }
    }
}

/// What is taken is sent or put back: it is never in two places.
#[test]
fn a_count_is_taken_once() {
    let rollups = Rollups::new(true);
    let count = |counter, values: &[&str], times: u64| {
        for _ in 0..times {
            rollups.tally(counter, values).unwrap().count();
        }
    };
    count(Counter::Detections, &["1", "r", "iam", "HIGH", "c"], 3);
    count(Counter::Records, &TRAIL, 2);
    count(Counter::Records, &["", "r\u{1f}x", "iam"], 1);
    let first = rollups.take(0);
    let expected = vec![
        ("cspm.records", "111122223333 eu-west-1 s3 trail".to_owned(), 2),
        ("cspm.records", "unknown r x iam unknown".to_owned(), 1),
        ("cspm.detections", "1 r iam HIGH c".to_owned(), 3),
    ];
    assert_eq!(shown(&first), expected);
    assert!(rollups.take(0).is_empty(), "it is under way");
    assert_eq!(rollups.waiting(), 6);
    count(Counter::Records, &TRAIL, 5);
    for (nth, taken) in first.into_iter().enumerate() {
        if nth == 0 {
            rollups.put_back(&taken);
        } else {
            rollups.was_sent(&taken);
        }
    }
    let second = rollups.take(0);
    assert_eq!(shown(&second), [("cspm.records", "111122223333 eu-west-1 s3 trail".to_owned(), 7)]);
    assert_eq!(rollups.waiting(), 7);
    rollups.was_refused(&second[0]);
    assert_eq!(rollups.waiting(), 0);
    assert_eq!(rollups.tallies(), RollupTallies { series: 2, sent: 4, refused: 7, overflowed: 0 });
}

/// A lost answer to a request with events, or with counts, is a doubt about their metric; so is an object that comes again.
#[test]
fn what_may_be_doubled_is_told_beside_it() {
    let rollups = Rollups::new(true);
    let (object, first) = record();
    first.ends_as(Outcome::Delivered);
    let detection = rollups.tally(Counter::Detections, &["1", "r", "iam", "HIGH", "c"]);
    let piece = first.piece().counting([rollups.tally(Counter::Records, &TRAIL), detection]);
    piece.doubt();
    piece.doubt();
    piece.settle(Settled::Delivered);
    let plain = first.piece();
    plain.doubt();
    plain.settle(Settled::Delivered);
    drop((first, object));
    let taken = rollups.take(0);
    let doubts = |taken: &[Taken]| -> BTreeMap<String, u64> {
        let of = taken.iter().filter(|taken| taken.series().counter() == Counter::MaybeDouble);
        of.map(|taken| (taken.series().attributes().map(|(_, value)| value).collect(), taken.amount())).collect()
    };
    let named = |counts: [(&str, u64); 2]| counts.map(|(name, count)| (name.to_owned(), count)).into();
    assert_eq!(doubts(&taken), named([("cspm.detections", 2), ("cspm.records", 2)]));

    // Counts under way: their request may be taken twice. Doubts doubled only make the bound wider.
    for taken in taken {
        taken.stake().doubt();
    }
    assert_eq!(doubts(&rollups.take(0)), named([("cspm.detections", 1), ("cspm.records", 1)]));

    let (object, again) = record();
    object.comes_again();
    again.ends_as(Outcome::Delivered);
    again.piece().counting([rollups.tally(Counter::Records, &TRAIL), None]).settle(Settled::Delivered);
    drop(again);
    let taken = rollups.take(0);
    assert_eq!(doubts(&taken), BTreeMap::from([("cspm.records".to_owned(), 1)]));
    assert_eq!(taken.len(), 2);
}

/// Whoever knows that somebody else will count the same again says how much that is.
#[test]
fn what_was_counted_can_be_doubted_later() {
    let rollups = Rollups::new(true);
    let (object, first) = record();
    first.ends_as(Outcome::Delivered);
    let detection = rollups.tally(Counter::Detections, &["1", "r", "iam", "HIGH", "c"]);
    first.piece().counting([rollups.tally(Counter::Records, &TRAIL), detection]).settle(Settled::Delivered);
    drop((first, object));
    assert_eq!(rollups.counted(), [1, 1, 0]);
    let taken = rollups.take(0);
    assert_eq!(rollups.counted(), [1, 1, 0], "taken");
    for taken in &taken {
        rollups.put_back(taken);
    }
    assert_eq!(rollups.counted(), [1, 1, 0], "put back");
    rollups.doubt(Counter::Detections, 3);
    rollups.doubt(Counter::MaybeDouble, 5);
    let taken = rollups.take(0);
    assert_eq!(shown(&taken).last(), Some(&("cspm.rollup.maybeDouble", "cspm.detections".to_owned(), 3)));
    assert_eq!((taken.len(), rollups.counted()), (3, [1, 1, 0]), "a doubt is no count");
    let silent = Rollups::new(false);
    silent.doubt(Counter::Records, 1);
    assert!(silent.take(0).is_empty());
}

/// Beyond the bound of a day everything is one series, told apart from the others; a new day begins anew and loses nothing.
#[test]
fn series_are_bounded_by_the_day() {
    let rollups = Rollups::with_most(true, 3);
    let tally = |control: &str| rollups.tally(Counter::Detections, &["1", "r", "iam", "HIGH", control]).unwrap();
    let count = |control: &str| tally(control).count();
    assert!(rollups.take(0).is_empty());
    let waits = tally("b");
    ["a", "b", "c", "d", "e", "a", "d"].into_iter().for_each(count);
    let first = rollups.take(DAY_MS - 1);
    let amounts: Vec<_> = shown(&first).into_iter().map(|(_, values, amount)| (values, amount)).collect();
    let named = |control: &str| format!("1 r iam HIGH {control}");
    let overflow = "overflow overflow overflow overflow overflow".to_owned();
    assert_eq!(amounts, [(named("a"), 2), (named("b"), 1), (named("c"), 1), (overflow.clone(), 3)]);
    for taken in &first {
        rollups.was_sent(taken);
    }
    assert_eq!(rollups.tallies(), RollupTallies { series: 3, overflowed: 3, sent: 7, refused: 0 });
    drop(first);

    // The last of the old day and the first of the new one.
    count("c");
    assert_eq!(rollups.take(DAY_MS).len(), 1);
    assert_eq!(rollups.tallies().series, 0);
    ["d", "e", "b", "f"].into_iter().for_each(count);
    waits.count();
    let second: Vec<_> = shown(&rollups.take(DAY_MS)).into_iter().map(|(_, values, amount)| (values, amount)).collect();
    assert_eq!(second, [(named("b"), 2), (named("d"), 1), (named("e"), 1), (overflow, 1)], "one who waited over midnight counts");
}

#[test]
fn who_does_not_count_has_no_tally() {
    let rollups = Rollups::new(false);
    assert!(!rollups.counts() && rollups.tally(Counter::Records, &TRAIL).is_none());
    assert!(rollups.take(0).is_empty());
    assert!(Rollups::new(true).tally(Counter::MaybeDouble, &["cspm.records"]).is_none(), "doubts come by themselves");
}

#[test]
fn values_are_cut_at_a_character() {
    let rollups = Rollups::new(true);
    rollups.tally(Counter::Records, &[&"語".repeat(50), "r", "s", "trail"]).unwrap().count();
    let (_, values, _) = shown(&rollups.take(0)).remove(0);
    assert_eq!(values, format!("{} r s trail", "語".repeat(42)));
}
