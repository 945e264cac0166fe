//! The waiting room of configuration items.
//!
//! In: facts of trail records, and items whose events are written but for the actor. Out: items with their [`Who`], when AWS Config
//! itself names a record that has come, when their time is up, or when there are too many. The trail's record often comes minutes
//! after the item, so an item waits, and by its piece the ledger keeps the record and the source its lease. What always holds: at
//! most [`WAITING_MAX`] items of [`BYTES_MAX`] wait, beyond that the oldest goes as it is, so that a queue never stops for what
//! waits; an item that is dropped here goes back to its source.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ack::{Counts, Piece};
use crate::encode::change::Draft;
use crate::posture::{ItemFact, Join, TrailFact, Who};
use crate::record::time::millis;

/// Most items that wait: half of the messages that a queue's consumer holds at most.
const WAITING_MAX: usize = 1_000;

/// Most bytes of events that wait.
const BYTES_MAX: usize = 8 << 20;

/// What becomes of items that wait when nothing more comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rest {
    /// They go back to their queue, which offers them again.
    Back,
    /// They are sent as they are: the input has an end, and its clock may stand.
    #[default]
    Sent,
}

/// The waiting room, shared by all workers.
#[derive(Debug)]
pub struct Changes {
    wait_ms: i64,
    rest: Rest,
    /// Items that wait, to be asked without the lock.
    waiting: AtomicUsize,
    /// Workers that are reading an object.
    busy: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    join: Join,
    room: VecDeque<Item>,
    bytes: usize,
    /// Trail records that items wait for by name.
    awaited: HashSet<String>,
    /// One of them has come.
    has_come: bool,
}

/// An item on its way.
#[derive(Debug)]
pub struct Item {
    /// Its event, but for the actor.
    pub draft: Draft,
    /// What the join must know of it.
    pub fact: ItemFact,
    /// What it owes.
    pub piece: Piece,
    /// The counters of its source.
    pub counts: Arc<Counts>,
    /// Until when it waits, milliseconds since the epoch.
    until_ms: i64,
}

impl Item {
    /// An item that has not waited yet.
    #[must_use]
    pub fn new(draft: Draft, fact: ItemFact, piece: Piece, counts: Arc<Counts>) -> Self {
        Self { draft, fact, piece, counts, until_ms: 0 }
    }
}

impl Changes {
    /// A room in which an item waits so long at most. `known_since_ms`: see [`Join::since`].
    #[must_use]
    pub fn new(wait: Duration, rest: Rest, known_since_ms: Option<i64>) -> Arc<Self> {
        Arc::new(Self {
            wait_ms: millis(wait),
            rest,
            waiting: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            state: Mutex::new(State { join: Join::since(known_since_ms), ..State::default() }),
        })
    }

    /// What becomes of what waits at the end.
    #[must_use]
    pub fn rest(&self) -> Rest {
        self.rest
    }

    /// Keeps the fact of a trail record.
    pub fn trail(&self, fact: TrailFact, now_ms: i64) {
        let mut state = self.state();
        state.has_come |= !state.awaited.is_empty() && state.awaited.contains(&fact.event_id);
        state.join.trail(fact, now_ms);
    }

    /// Who made a change, as far as is known by now: for what does not wait.
    #[must_use]
    pub fn who(&self, fact: &ItemFact) -> Who {
        self.state().join.who(fact)
    }

    /// Takes an item in.
    pub fn item(&self, mut item: Item, now_ms: i64) {
        item.until_ms = now_ms.saturating_add(self.wait_ms);
        let mut state = self.state();
        state.has_come |= state.join.related(&item.fact).is_some();
        state.awaited.extend(item.fact.related_events.iter().cloned());
        state.bytes += item.draft.bytes();
        state.room.push_back(item);
        self.waiting.store(state.room.len(), Ordering::Relaxed);
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
    }

    /// The items that wait no longer, and who changed what; `all`: none waits any longer.
    #[must_use]
    pub fn decided(&self, now_ms: i64, all: bool) -> Vec<(Item, Who)> {
        let mut state = self.state();
        let State { join, room, bytes, awaited, has_come } = &mut *state;
        let mut decided = Vec::new();
        if std::mem::take(has_come) {
            let (named, rest): (Vec<Item>, Vec<Item>) =
                std::mem::take(room).into_iter().partition(|item| join.related(&item.fact).is_some());
            *room = rest.into();
            *bytes = bytes.saturating_sub(named.iter().map(|item| item.draft.bytes()).sum());
            decided = named;
        }
        while room.len() > WAITING_MAX || *bytes > BYTES_MAX || room.front().is_some_and(|item| all || item.until_ms <= now_ms) {
            let Some(item) = room.pop_front() else { break };
            *bytes = bytes.saturating_sub(item.draft.bytes());
            decided.push(item);
        }
        if !decided.is_empty() {
            *awaited = room.iter().flat_map(|item| item.fact.related_events.iter().cloned()).collect();
        }
        self.waiting.store(room.len(), Ordering::Relaxed);
        decided
            .into_iter()
            .map(|item| {
                let who = join.who(&item.fact);
                (item, who)
            })
            .collect()
    }

    /// Gives back everything that waits.
    pub fn give_back(&self) {
        let mut state = self.state();
        let room = std::mem::take(&mut state.room);
        state.bytes = 0;
        state.awaited.clear();
        self.waiting.store(0, Ordering::Relaxed);
        drop(state);
        // Outside the lock: the end of a piece may end its object.
        drop(room);
    }

    /// A worker reads an object until this is dropped.
    #[must_use]
    pub fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::clone(self))
    }

    /// Whether no worker is reading.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.busy.load(Ordering::Acquire) == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker that is reading an object.
#[derive(Debug)]
pub struct Busy(Arc<Changes>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ack::{ObjectEntry, Outcome, Settled};
    use crate::classify::ClassifiedItem;
    use crate::encode::change::ChangeOrigin;
    use crate::encode::event::Arrival;
    use crate::enrich::{AccountNames, Enricher};
    use crate::posture::{Actor, Name};
    use crate::record::{ActorKind, ConfigItem};

    const TIME: i64 = 1_795_292_910_114;
    const MINUTE: i64 = 60_000;

    fn draft() -> Draft {
        let raw =
            r#"{"configurationItemCaptureTime":"2026-11-21T20:28:30.114Z","resourceType":"AWS::S3::Bucket","resourceId":"b"}"#;
        let item = ConfigItem::parse(raw.as_bytes()).unwrap();
        let enricher = Enricher::new(AccountNames::default(), "UTC").unwrap();
        let enriched = enricher.enrich_item(&item, "111122223333");
        let classified = ClassifiedItem { item: &item, event_id: "e", enriched: &enriched };
        Draft::of(&classified, ChangeOrigin::Stream, Arrival::of(TIME, TIME), "test")
    }

    /// A room, and the counters of what is in it.
    struct Scene(Arc<Changes>, Arc<Counts>);

    impl Scene {
        fn new(wait: Duration) -> Self {
            Self(Changes::new(wait, Rest::Back, None), Arc::new(Counts::new("test")))
        }

        fn item(&self, bucket: &str, related: &[&str], now_ms: i64) {
            let object = ObjectEntry::enter(Arc::clone(&self.1), 0, None);
            let record = object.record();
            record.ends_as(Outcome::Delivered);
            object.decoded();
            let fact = ItemFact {
                account: "a".to_owned(),
                region: "r".to_owned(),
                resource_type: "AWS::S3::Bucket".to_owned(),
                resource_id: bucket.to_owned(),
                time_ms: TIME,
                related_events: related.iter().map(|id| (*id).to_owned()).collect(),
                ..ItemFact::default()
            };
            self.0.item(Item::new(draft(), fact, record.piece(), Arc::clone(&self.1)), now_ms);
        }

        fn trail(&self, id: &str, bucket: &str) {
            let fact = TrailFact {
                event_id: id.to_owned(),
                account: "a".to_owned(),
                region: "r".to_owned(),
                service: "s3".to_owned(),
                event_name: "PutBucketPolicy".to_owned(),
                time_ms: TIME - 1_000,
                names: vec![Name::Typed("AWS::S3::Bucket".to_owned(), bucket.to_owned())],
                actor: Actor { kind: ActorKind::Human, name: "ada".to_owned(), arn: None, session_issuer: None },
                source_ip: None,
                user_agent: None,
            };
            self.0.trail(fact, TIME);
        }

        /// Bucket and confidence of what is decided, all of it delivered.
        fn decided(&self, now_ms: i64, all: bool) -> Vec<(String, &'static str)> {
            let decided = self.0.decided(now_ms, all);
            decided
                .into_iter()
                .map(|(Item { fact, piece, .. }, who)| {
                    piece.settle(Settled::Delivered);
                    (fact.resource_id, who.confidence())
                })
                .collect()
        }

        fn ended(&self, outcome: Outcome) -> u64 {
            self.1.snapshot().ended(outcome)
        }
    }

    fn said(bucket: &str, confidence: &'static str) -> (String, &'static str) {
        (bucket.to_owned(), confidence)
    }

    #[test]
    fn an_item_waits_its_time_for_a_record_that_comes_before_or_after_it() {
        let scene = Scene::new(Duration::from_mins(10));
        scene.trail("1", "before");
        scene.item("before", &[], TIME);
        scene.item("after", &[], TIME + MINUTE);
        scene.item("nobody", &[], TIME + MINUTE);
        assert_eq!(scene.decided(TIME + 10 * MINUTE - 1, false), []);
        assert_eq!(scene.decided(TIME + 10 * MINUTE, false), [said("before", "certain")]);
        scene.trail("2", "after");
        assert_eq!(scene.decided(TIME + 11 * MINUTE, false), [said("after", "certain"), said("nobody", "none")]);
        assert!(scene.0.is_empty());
        assert_eq!(scene.ended(Outcome::Delivered), 3);
    }

    #[test]
    fn what_config_names_ends_the_wait_whichever_comes_first() {
        let scene = Scene::new(Duration::from_mins(10));
        scene.item("waits", &[], TIME);
        scene.item("named", &["7", "8"], TIME);
        assert_eq!(scene.decided(TIME, false), []);
        scene.trail("6", "named");
        assert_eq!(scene.decided(TIME, false), [], "another record");
        scene.trail("7", "elsewhere");
        assert_eq!(scene.decided(TIME, false), [said("named", "certain")]);
        scene.item("named later", &["7"], TIME);
        assert_eq!(scene.decided(TIME, false), [said("named later", "certain")]);
        assert_eq!(scene.decided(TIME, true), [said("waits", "none")]);
    }

    #[test]
    fn what_does_not_wait_is_told_what_is_known_and_moves_nothing() {
        let scene = Scene::new(Duration::from_mins(10));
        scene.item("waits", &[], TIME);
        scene.trail("1", "b");
        let fact = |bucket: &str| ItemFact {
            account: "a".to_owned(),
            region: "r".to_owned(),
            resource_type: "AWS::S3::Bucket".to_owned(),
            resource_id: bucket.to_owned(),
            time_ms: TIME,
            ..ItemFact::default()
        };
        let told = [scene.0.who(&fact("b")), scene.0.who(&fact("c"))].map(|who| who.confidence());
        assert_eq!(told, ["certain", "none"]);
        assert_eq!((scene.0.is_empty(), scene.decided(TIME, false)), (false, vec![]));
        assert_eq!(scene.decided(TIME, true), [said("waits", "none")]);
    }

    #[test]
    fn nothing_waits_where_nothing_shall() {
        let scene = Scene::new(Duration::ZERO);
        scene.item("b", &[], TIME);
        assert_eq!(scene.decided(TIME, false), [said("b", "none")]);
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let scene = Scene::new(Duration::from_mins(10));
        for n in 0..WAITING_MAX {
            scene.item(&n.to_string(), &[], TIME);
        }
        assert_eq!(scene.decided(TIME, false), []);
        scene.item("last", &[], TIME);
        assert_eq!(scene.decided(TIME, false), [said("0", "none")]);
    }

    #[test]
    fn what_is_given_back_is_returned_and_what_is_forgotten_too() {
        let scene = Scene::new(Duration::from_mins(10));
        scene.item("b", &["9"], TIME);
        scene.0.give_back();
        assert_eq!((scene.0.is_empty(), scene.ended(Outcome::Returned)), (true, 1));
        scene.item("b", &[], TIME);
        drop(scene.0.decided(TIME, true));
        assert_eq!(scene.ended(Outcome::Returned), 2, "decided, and never settled");
        assert!(scene.1.snapshot().adds_up());
    }
}
