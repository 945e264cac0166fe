//! Answers, and what must not change them. S1-23.

use std::collections::HashSet;
use std::time::Duration;

use super::*;
use proptest::prelude::*;

const DAY: i64 = 86_400_000;
/// The time of the first record.
const START: i64 = 1_795_000_000_000;

fn memory(bytes: usize) -> Arc<NoveltyMemory> {
    NoveltyMemory::live(settings(bytes)).expect("memory")
}

fn settings(memory: usize) -> config::Novelty {
    config::Novelty { memory, learning: Duration::from_hours(7 * 24) }
}

/// A record of a role of this id.
#[derive(Debug, Clone)]
struct Call {
    id: String,
    role: &'static str,
    session: &'static str,
    account: &'static str,
    name: &'static str,
    address: String,
    time_ms: i64,
}

fn call(id: impl ToString, day: i64) -> Call {
    let address = "198.51.100.7".to_owned();
    let time_ms = START + day * DAY;
    Call { id: id.to_string(), role: "AROA1", session: "ada", account: "111122223333", name: "GetObject", address, time_ms }
}

impl Call {
    fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    fn from(self, address: impl ToString) -> Self {
        Self { address: address.to_string(), ..self }
    }

    fn json(&self) -> String {
        let time = jiff::Timestamp::from_millisecond(self.time_ms).expect("a time");
        let Self { id, role, session, name, address, .. } = self;
        format!(
            r#"{{"eventTime":"{time}","eventID":"{id}","eventSource":"s3.amazonaws.com","eventName":"{name}","sourceIPAddress":"{address}","userIdentity":{{"type":"AssumedRole","principalId":"{role}:{session}"}}}}"#
        )
    }

    fn meets(&self, memory: &NoveltyMemory) -> Novelties {
        let json = self.json();
        memory.meet(&Trail::parse(json.as_bytes()).expect("a record"), RecordKey::new(self.account, &self.id))
    }

    /// `novelty.api`, `novelty.address`.
    fn said(&self, memory: &NoveltyMemory) -> [&'static str; 2] {
        let Novelties { api, address } = self.meets(memory);
        [api, address].map(Novelty::as_str)
    }
}

/// A memory whose account was learned long ago.
fn learned(bytes: usize) -> Arc<NoveltyMemory> {
    let memory = memory(bytes);
    call("learning", -7).named("Other").from("other").meets(&memory);
    memory
}

#[test]
fn what_was_never_seen_is_new_once() {
    let memory = learned(1 << 20);
    assert_eq!(call(1, 0).said(&memory), ["true", "true"]);
    assert_eq!(call(2, 0).said(&memory), ["false", "false"]);
    assert_eq!(call(3, 0).named("PutObject").said(&memory), ["true", "false"], "another call from there");
    assert_eq!(call(4, 0).from("203.0.113.9").said(&memory), ["false", "true"], "the same from elsewhere");
    assert_eq!(call(5, 400).said(&memory), ["false", "false"], "a year later, as there was room");
}

#[test]
fn a_session_is_its_role_and_every_account_has_its_own() {
    let memory = learned(1 << 20);
    call(1, 0).meets(&memory);
    assert_eq!(Call { session: "bob", ..call(2, 0) }.said(&memory), ["false", "false"]);
    assert_eq!(Call { role: "AROA2", ..call(3, 0) }.said(&memory), ["true", "true"]);
    assert_eq!(
        Call { account: "444455556666", ..call(4, 0) }.said(&memory),
        ["unknown", "unknown"],
        "an account that is learned"
    );
    assert_eq!(Call { account: "444455556666", ..call(5, 7) }.named("X").said(&memory), ["true", "false"]);
}

#[test]
fn what_is_learned_is_unknown_until_the_time_of_records_says_so() {
    let memory = memory(1 << 20);
    assert_eq!(call(1, 0).said(&memory), ["unknown", "unknown"]);
    assert_eq!(call(2, 3).said(&memory), ["false", "false"], "seen is seen");
    assert_eq!(call(3, 6).named("PutObject").said(&memory), ["unknown", "false"]);
    assert_eq!(call(4, 7).named("PutObject").said(&memory), ["false", "false"]);
    assert_eq!(call(5, 7).named("DeleteObject").said(&memory), ["true", "false"]);
    assert_eq!(call(6, -30).named("ListObjects").said(&memory), ["unknown", "false"], "late, of a time before all others");
    assert_eq!(call(7, 6).named("CopyObject").said(&memory), ["unknown", "false"], "late, of a time of learning");
}

#[test]
fn a_record_that_comes_again_gets_the_answer_it_got() {
    let memory = memory(1 << 20);
    assert_eq!(call("learning", 0).said(&memory), ["unknown", "unknown"]);
    let first = call(1, 8).named("PutObject");
    assert_eq!(first.said(&memory), ["true", "false"]);
    let second = call(2, 9).named("PutObject");
    assert_eq!(second.said(&memory), ["false", "false"]);
    for _ in 0..3 {
        assert_eq!(first.said(&memory), ["true", "false"]);
        assert_eq!(second.said(&memory), ["false", "false"]);
        assert_eq!(call("learning", 0).said(&memory), ["unknown", "unknown"], "not new because the time is over");
    }
}

/// The one that came first is the first, though another was earlier: nobody takes an answer back.
#[test]
fn what_comes_out_of_order_leaves_the_first_the_first() {
    let memory = learned(1 << 20);
    let (late, early) = (call("late", 2), call("early", 1));
    assert_eq!(late.said(&memory), ["true", "true"]);
    assert_eq!(early.said(&memory), ["false", "false"]);
    assert_eq!(late.said(&memory), ["true", "true"]);
}

#[test]
fn a_memory_that_is_full_does_not_call_what_it_forgot_new() {
    let memory = learned(1);
    for at in 0..10_000 {
        call(at, 0).from(at).meets(&memory);
    }
    let tallies = memory.tallies();
    assert!(tallies.pairs <= 128 && tallies.pushed > 9_000, "{tallies:?}");
    assert_eq!(call("again", 1).from(0).said(&memory), ["false", "unknown"], "it was there, and is forgotten");
    assert_eq!(call("again", 1).from("never").said(&memory)[1], "unknown", "nobody can tell");
    // What is used stays: the oldest goes.
    assert_eq!(call("used", 1).said(&memory)[0], "false");
    assert_eq!(call("later", 9).from("never yet").said(&memory)[1], "true", "whatever was forgotten was not seen for seven days");
}

#[test]
fn old_pairs_make_room_without_a_doubt() {
    let memory = learned(1);
    for at in 0..100 {
        let day = i64::from(at) * 10;
        let said = call(at, day).from(at).said(&memory)[1];
        assert_eq!(said, "true", "{at}");
    }
    assert_eq!(memory.tallies().pushed, 0);
}

#[test]
fn who_is_not_named_is_unknown_and_takes_no_room() {
    let memory = learned(1 << 20);
    let before = memory.tallies();
    let meet = |json: &str| memory.meet(&Trail::parse(json.as_bytes()).expect("a record"), RecordKey::new("111122223333", "1"));
    assert_eq!(
        meet(r#"{"eventTime":"2026-11-21T20:14:31Z","eventID":"1","eventName":"X","sourceIPAddress":"a"}"#),
        Novelties::default()
    );
    assert_eq!(memory.tallies(), before);
    let user = r#"{"eventTime":"2026-11-21T20:14:31Z","eventID":"1","userIdentity":{"type":"IAMUser","principalId":"AIDA1"}}"#;
    assert_eq!(meet(user), Novelties::default(), "neither call nor address");
    assert_eq!(memory.tallies(), before);
}

#[test]
fn without_memory_there_is_none() {
    assert!(NoveltyMemory::live(settings(0)).is_none());
}

/// Of many threads that show the same pairs at once one is first, and stays it.
#[test]
fn of_threads_one_is_first() {
    let memory = learned(1 << 20);
    let first = |thread: u32| {
        let calls = (0..500).map(|at| call(format!("{thread}-{at}"), 0).from(at));
        calls.filter(|call| call.meets(&memory).address == Novelty::New).map(|call| call.address).collect::<Vec<_>>()
    };
    let mut new: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(move || first(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a thread")).collect()
    });
    let count = new.len();
    new.sort();
    new.dedup();
    assert_eq!((count, new.len()), (500, 500));
}

/// One that answers from a first look.
fn past(looked: &NoveltyMemory) -> Arc<NoveltyMemory> {
    let memory = memory(1 << 20);
    memory.answer_from(looked);
    memory
}

/// A replay answers as if records had come in the order of their time, and says so for a record that is there twice.
#[test]
fn what_is_gathered_does_not_depend_on_the_order() {
    let calls =
        [call("a", 0), call("b", 8).from("x"), call("c", 9).from("x"), call("d", 20).named("PutObject"), call("b", 8).from("x")];
    let answers = |order: &[usize]| {
        let gathering = memory(1 << 20).gathering();
        for at in order {
            assert_eq!(calls[*at].meets(&gathering), Novelties::default());
        }
        let known = past(&gathering);
        [0, 1, 2, 3, 4].map(|at| calls[at].said(&known))
    };
    let want = [["unknown", "unknown"], ["false", "true"], ["false", "false"], ["true", "false"], ["false", "true"]];
    assert_eq!(answers(&[0, 1, 2, 3, 4]), want);
    assert_eq!(answers(&[3, 4, 2, 1, 0]), want);
    let full = memory(1).gathering();
    for call in &calls {
        call.meets(&full);
    }
    assert_eq!(calls[3].said(&past(&full)), ["unknown", "unknown"], "there was room for one pair");
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let roles = prop::sample::select(vec!["AROA1", "AROA2", "AROA3"]);
    let names = prop::sample::select(vec!["GetObject", "PutObject", "ListObjects", "CopyObject"]);
    let one = (0_u32..250, roles, names, 0_u32..200, 0_i64..40 * 24);
    let one = one.prop_map(|(id, role, name, address, hour)| Call {
        role,
        ..Call { time_ms: START + hour * 3_600_000, ..call(id, 0) }.named(name).from(address)
    });
    prop::collection::vec(one, 1..300).prop_map(|mut calls| {
        // An id is one record's; the same id is the same record again.
        let known = calls.clone();
        for call in &mut calls {
            if let Some(first) = known.iter().find(|other| other.id == call.id) {
                *call = first.clone();
            }
        }
        calls
    })
}

/// The same by sets that forget nothing. By pair: who showed it first, and what was said then.
#[derive(Default)]
struct Naive {
    first: HashMap<(String, &'static str), (String, Novelty)>,
    since: Option<i64>,
}

impl Naive {
    fn meets(&mut self, call: &Call) -> Novelties {
        let since = *self.since.get_or_insert(call.time_ms);
        let unseen = if call.time_ms - since >= 7 * DAY { Novelty::New } else { Novelty::Unknown };
        let mut one = |what: String, of: &'static str| {
            let (first, said) = self.first.entry((what, of)).or_insert_with(|| (call.id.clone(), unseen));
            if *first == call.id { *said } else { Novelty::Known }
        };
        Novelties {
            api: one(call.role.to_owned() + call.name, "api"),
            address: one(call.role.to_owned() + &call.address, "address"),
        }
    }
}

proptest! {
    #[test]
    fn with_room_enough_the_answers_are_those_of_sets(calls in calls()) {
        let (memory, mut naive) = (memory(8 << 20), Naive::default());
        for call in &calls {
            prop_assert_eq!(call.meets(&memory), naive.meets(call), "{:?}", call);
        }
        let pairs: HashSet<_> = naive.first.keys().collect();
        prop_assert_eq!(memory.tallies(), NoveltyTallies { pairs: pairs.len() as u64, pushed: 0 });
    }

    /// However little room there is: what it calls new no record in the span before showed; and what it says it says again.
    #[test]
    fn with_little_room_no_answer_is_wrong(calls in calls(), bytes in 1_usize..20_000) {
        let (small, same) = (memory(bytes), memory(bytes));
        let mut before: Vec<Call> = Vec::new();
        for call in &calls {
            let answers = call.meets(&small);
            prop_assert_eq!(call.meets(&same), answers, "the same records, the same answers");
            let is_recent = |other: &&Call| other.id != call.id && (call.time_ms - other.time_ms) < 7 * DAY;
            let others = || before.iter().filter(|other| other.role == call.role);
            let is_new_api = others().filter(is_recent).all(|other| other.name != call.name);
            let is_new_address = others().filter(is_recent).all(|other| other.address != call.address);
            // A record that comes again is told what it was told, whatever came in between.
            let is_again = before.iter().any(|other| other.id == call.id);
            prop_assert!(is_again || answers.api != Novelty::New || is_new_api, "{:?}", call);
            prop_assert!(is_again || answers.address != Novelty::New || is_new_address, "{:?}", call);
            prop_assert!(answers.api != Novelty::Known || others().any(|other| other.name == call.name), "{:?}", call);
            prop_assert!(answers.address != Novelty::Known || others().any(|other| other.address == call.address), "{:?}", call);
            before.push(call.clone());
        }
    }
}
