//! Counts add up, whatever happens to the pieces.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use tokio::sync::mpsc;

use super::seen::{Admission, WAITING_MAX};
use super::*;
use crate::record::RecordKey;

/// What one record of a made-up object goes through.
#[derive(Debug, Clone)]
enum Fate {
    Ignored,
    Broken(Settled),
    Pieces(Vec<Option<Settled>>),
    Forgotten,
}

#[derive(Debug, Clone, Copy)]
enum Errand {
    Absent,
    Forgotten,
    Settled(Settled),
}

#[derive(Debug, Clone)]
struct Made {
    /// `(id, fate)`: small ids so that copies happen.
    records: Vec<(u8, Fate)>,
    decoded: bool,
    parked: bool,
    /// Settled so, forgotten, or not there.
    errand: Errand,
}

fn settled() -> impl Strategy<Value = Settled> {
    prop_oneof![8 => Just(Settled::Delivered), 1 => Just(Settled::Rejected), 1 => Just(Settled::Returned)]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Ignored),
        1 => settled().prop_map(Fate::Broken),
        8 => prop::collection::vec(prop_oneof![9 => settled().prop_map(Some), 1 => Just(None)], 1..5).prop_map(Fate::Pieces),
        1 => Just(Fate::Forgotten),
    ]
}

fn made() -> impl Strategy<Value = Made> {
    (
        prop::collection::vec((0_u8..40, fate()), 0..12),
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.1),
        prop_oneof![6 => Just(Errand::Absent), 1 => settled().prop_map(Errand::Settled), 1 => Just(Errand::Forgotten)],
    )
        .prop_map(|(records, decoded, parked, errand)| Made { records, decoded, parked, errand })
}

proptest! {
    /// P03, and both equations of the delivery contract: over random objects, copies, refusals and forgotten pieces, settled
    /// in any order.
    #[test]
    fn everything_received_ends_once(objects in prop::collection::vec(made(), 1..20), order in any::<u64>(), window in 1_usize..20) {
        let counts = Arc::new(Counts::new("made"));
        let seen = Seen::new(window);
        let (told, mut news) = mpsc::channel(objects.len());
        let mut open: Vec<(Piece, Option<Settled>)> = Vec::new();
        let mut must_return: HashMap<u64, bool> = HashMap::new();
        for (number, object) in objects.iter().enumerate() {
            let number = number as u64;
            let entry = ObjectEntry::enter(Arc::clone(&counts), number, told.clone().try_reserve_owned().ok());
            let mut returns = !object.decoded;
            for (id, fate) in &object.records {
                let record = entry.record();
                match fate {
                    Fate::Forgotten => { returns = true; continue; }
                    Fate::Broken(settled) => {
                        record.ends_as(Outcome::Unreadable);
                        returns |= *settled == Settled::Returned;
                        open.push((record.piece(), Some(*settled)));
                        continue;
                    }
                    Fate::Ignored | Fate::Pieces(_) => {}
                }
                if seen.admit(RecordKey::new("1", &id.to_string()), &record) == Admission::Copy {
                    continue;
                }
                match fate {
                    Fate::Pieces(pieces) => {
                        record.ends_as(Outcome::Delivered);
                        for settled in pieces {
                            returns |= matches!(settled, None | Some(Settled::Returned));
                            open.push((record.piece(), *settled));
                        }
                    }
                    _ => record.ends_as(Outcome::Ignored),
                }
            }
            match object.errand {
                Errand::Absent => {}
                Errand::Forgotten => { returns = true; open.push((entry.errand().piece(), None)); }
                Errand::Settled(settled) => {
                    returns |= settled == Settled::Returned;
                    open.push((entry.errand().piece(), Some(settled)));
                }
            }
            if object.parked { entry.park(); }
            if object.decoded { entry.decoded(); }
            must_return.insert(number, returns);
        }
        let mut rng = fastrand::Rng::with_seed(order);
        rng.shuffle(&mut open);
        for (piece, settled) in open {
            match settled { Some(settled) => piece.settle(settled), None => drop(piece) }
        }
        let snapshot = counts.snapshot();
        prop_assert!(snapshot.adds_up(), "{snapshot:?}");
        prop_assert_eq!(snapshot.records_received, objects.iter().map(|object| object.records.len() as u64).sum::<u64>());
        prop_assert_eq!(snapshot.objects_received, objects.len() as u64);
        let mut heard = 0;
        while let Ok(released) = news.try_recv() {
            heard += 1;
            // An object with a piece nobody has is never released; others may still go back through a copy they wait for.
            if must_return.get(&released.object).copied().unwrap_or(false) {
                prop_assert_eq!(released.verdict, Verdict::Returned);
            }
        }
        prop_assert_eq!(heard, objects.len());
    }
}

fn one(counts: &Arc<Counts>) -> (Arc<ObjectEntry>, mpsc::Receiver<Released>) {
    let (told, news) = mpsc::channel(4);
    (ObjectEntry::enter(Arc::clone(counts), 7, told.try_reserve_owned().ok()), news)
}

#[test]
fn a_copy_in_flight_takes_the_outcome_of_the_first() {
    for (settled, verdict, outcome) in [
        (Settled::Delivered, Verdict::Released, Outcome::Duplicate),
        (Settled::Rejected, Verdict::Released, Outcome::Duplicate),
        (Settled::Returned, Verdict::Returned, Outcome::Returned),
    ] {
        let (counts, seen) = (Arc::new(Counts::new("x")), Seen::new(10));
        let ((first, mut first_news), (second, mut second_news)) = (one(&counts), one(&counts));
        let key = RecordKey::new("1", "id");
        let record = first.record();
        assert_eq!(seen.admit(key, &record), Admission::New);
        record.ends_as(Outcome::Delivered);
        let piece = record.piece();
        let copy = second.record();
        assert_eq!(seen.admit(key, &copy), Admission::Copy);
        drop((copy, record));
        first.decoded();
        second.decoded();
        drop((first, second));
        assert!(second_news.try_recv().is_err(), "the copy's object waits for the first");
        piece.settle(settled);
        assert_eq!(second_news.try_recv().map(|news| news.verdict), Ok(verdict));
        assert_eq!(first_news.try_recv().map(|news| news.verdict), Ok(verdict));
        assert_eq!(counts.snapshot().ended(outcome), if outcome == Outcome::Returned { 2 } else { 1 });
    }
}

/// One too many to wait is delivered beside the first, and counted beside it: that is a doubt.
#[test]
fn a_copy_that_cannot_wait_is_counted_in_doubt() {
    let (counts, seen, rollups) = (Arc::new(Counts::new("x")), Seen::new(10), Rollups::new(true));
    let (object, _news) = one(&counts);
    let deliver = |record: Arc<RecordEntry>| {
        record.ends_as(Outcome::Delivered);
        record.piece().counting([rollups.tally(Counter::Records, &["1"]), None]).settle(Settled::Delivered);
    };
    let taken = || rollups.take(0).iter().map(|taken| (taken.series().counter(), taken.amount())).collect::<Vec<_>>();
    let key = RecordKey::new("1", "id");
    let first = object.record();
    assert_eq!(seen.admit(key, &first), Admission::New);
    for _ in 0..WAITING_MAX {
        assert_eq!(seen.admit(key, &object.record()), Admission::Copy);
    }
    for is_lesser in [false, true] {
        let extra = object.record();
        let admitted = if is_lesser { seen.admit_lesser(key, key, &extra) } else { seen.admit(key, &extra) };
        assert_eq!(admitted, Admission::New);
        deliver(extra);
        assert_eq!(taken(), [(Counter::Records, 1), (Counter::MaybeDouble, 1)]);
    }
    deliver(first);
    assert_eq!(taken(), [(Counter::Records, 1)], "the first is in no doubt");
    let other = object.record();
    assert_eq!(seen.admit(RecordKey::new("1", "other"), &other), Admission::New);
    deliver(other);
    assert_eq!(taken(), [(Counter::Records, 1)], "nor is any other");
}

/// Copies without end do not fill the memory: one too many is delivered on its own.
#[test]
fn copies_that_wait_are_bounded() {
    let (counts, seen) = (Arc::new(Counts::new("x")), Seen::new(10));
    let (object, _news) = one(&counts);
    let (key, other) = (RecordKey::new("1", "id"), RecordKey::new("1", "other"));
    let first = object.record();
    assert_eq!(seen.admit(key, &first), Admission::New);
    let rest = object.record();
    assert_eq!(seen.admit(other, &rest), Admission::New);
    for _ in 0..WAITING_MAX {
        assert_eq!(seen.admit(key, &object.record()), Admission::Copy);
    }
    let extra = object.record();
    assert_eq!(seen.admit(key, &extra), Admission::New);
    extra.ends_as(Outcome::Ignored);
    drop(extra);
    assert_eq!(seen.admit(other, &object.record()), Admission::New, "the bound is over all ids");
    assert_eq!(counts.snapshot().ended(Outcome::Duplicate), 0, "the end of the extra one settles no copy of the first");
    first.ends_as(Outcome::Delivered);
    let piece = first.piece();
    drop(first);
    piece.settle(Settled::Delivered);
    assert_eq!(counts.snapshot().ended(Outcome::Duplicate), WAITING_MAX as u64);
    assert_eq!(seen.admit(other, &object.record()), Admission::Copy, "there is room again");
}

#[test]
fn a_returned_record_is_new_when_it_comes_again() {
    let (counts, seen) = (Arc::new(Counts::new("x")), Seen::new(10));
    let (object, _news) = one(&counts);
    let key = RecordKey::new("1", "id");
    for (settled, again) in [(Settled::Returned, Admission::New), (Settled::Delivered, Admission::Copy)] {
        let record = object.record();
        assert_eq!(seen.admit(key, &record), Admission::New);
        record.ends_as(Outcome::Delivered);
        let piece = record.piece();
        drop(record);
        piece.settle(settled);
        let record = object.record();
        if settled == Settled::Delivered {
            assert_eq!(seen.admit(key, &record), again);
        }
    }
}

/// What tells less is a copy of what tells more, on its way or settled, and never the other way round.
#[test]
fn what_tells_less_keeps_nothing_fuller_out() {
    use Admission::{Copy, New};
    for (name, order, ends, want) in [
        ("lesser first", "lflf", Settled::Delivered, [New, New, Copy, Copy]),
        ("fuller first", "flfl", Settled::Delivered, [New, Copy, Copy, Copy]),
        ("fuller went back", "flfl", Settled::Returned, [New, New, New, New]),
    ] {
        let (counts, seen) = (Arc::new(Counts::new("x")), Seen::new(10));
        let (object, _news) = one(&counts);
        let (fuller, lesser) = (RecordKey::new("1", "id"), RecordKey::new("1", "lesser"));
        let mut admitted = Vec::new();
        for which in order.chars() {
            let record = object.record();
            admitted.push(if which == 'f' { seen.admit(fuller, &record) } else { seen.admit_lesser(fuller, lesser, &record) });
            if admitted.last() == Some(&New) {
                record.ends_as(Outcome::Delivered);
                let piece = record.piece();
                drop(record);
                piece.settle(ends);
            }
        }
        assert_eq!(admitted, want, "{name}");
    }
    let (counts, seen) = (Arc::new(Counts::new("x")), Seen::new(10));
    let (object, _news) = one(&counts);
    let (first, second) = (object.record(), object.record());
    let key = RecordKey::new("1", "id");
    assert_eq!(seen.admit(key, &first), New);
    assert_eq!(seen.admit_lesser(key, RecordKey::new("1", "lesser"), &second), Copy, "on its way");
}

#[test]
fn the_window_is_bounded() {
    let (counts, seen) = (Arc::new(Counts::new("x")), Seen::new(100));
    let (object, _news) = one(&counts);
    for number in 0..1_000 {
        let record = object.record();
        assert_eq!(seen.admit(RecordKey::new("1", &number.to_string()), &record), Admission::New);
        record.ends_as(Outcome::Ignored);
    }
    let recent = object.record();
    assert_eq!(seen.admit(RecordKey::new("1", "999"), &recent), Admission::Copy);
    let forgotten = object.record();
    assert_eq!(seen.admit(RecordKey::new("1", "10"), &forgotten), Admission::New);
}

/// Whether an object went back only because of its records' age: nothing else may have sent it back.
#[test]
fn what_goes_back_for_its_age_only_is_told_apart() {
    type Act = fn(&Arc<ObjectEntry>);
    let other = |object: &Arc<ObjectEntry>| drop(object.record());
    for (name, also, only_late) in [
        ("nothing else", (|_| {}) as Act, true),
        ("a good record", |object| object.record().ends_as(Outcome::Delivered), true),
        ("a record that was not delivered", other, false),
        ("given back", |object| object.give_back(), false),
        ("a letter that was not written", |object| drop(object.errand().piece()), false),
    ] {
        let counts = Arc::new(Counts::new("x"));
        let (object, mut news) = one(&counts);
        object.record().refuse_late();
        also(&object);
        object.decoded();
        drop(object);
        let news = news.try_recv().unwrap();
        assert_eq!((news.verdict, news.only_late), (Verdict::Returned, only_late), "{name}");
        assert_eq!(counts.snapshot().refused_late, 1, "{name}");
    }
    let counts = Arc::new(Counts::new("x"));
    let (object, mut news) = one(&counts);
    object.record().refuse_late();
    drop(object);
    assert!(news.try_recv().is_ok_and(|news| !news.only_late), "nobody finished it");
}

#[test]
fn an_object_that_nobody_finished_goes_back() {
    let counts = Arc::new(Counts::new("x"));
    let (object, mut news) = one(&counts);
    drop(object);
    assert_eq!(news.try_recv().map(|news| news.verdict), Ok(Verdict::Returned));
}
