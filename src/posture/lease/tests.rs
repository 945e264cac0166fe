//! Leaders under stores that are slow, fail, lose answers and do late what they were told.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures_util::future::{BoxFuture, pending};
use proptest::prelude::*;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::posture::store::Memory;

const LEASE: Duration = Duration::from_secs(30);
const NAME: &str = "lease/posture";

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Good,
    /// It happens, and the answer is an error.
    AnswerLost,
    /// It does not happen.
    Refused,
}

/// One agent's way to a shared store.
#[derive(Debug)]
struct Way {
    inner: Arc<Memory>,
    /// Decides about each call: whether it is a put; its fate, the time before it happens and the time until it is answered.
    decide: Mutex<Decide>,
}

struct Decide(Box<dyn FnMut(bool) -> (Fate, Duration, Duration) + Send>);

impl std::fmt::Debug for Decide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("decide")
    }
}

impl Way {
    fn new(inner: &Arc<Memory>, decide: impl FnMut(bool) -> (Fate, Duration, Duration) + Send + 'static) -> Arc<Self> {
        Arc::new(Self { inner: Arc::clone(inner), decide: Mutex::new(Decide(Box::new(decide))) })
    }

    /// What was sent happens even when nobody waits for its answer any more.
    fn call<T: Send + 'static>(
        &self,
        is_put: bool,
        call: impl FnOnce(Arc<Memory>) -> BoxFuture<'static, Result<T, StoreError>> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let (fate, before, after) = (self.decide.lock().unwrap().0)(is_put);
        let (done, answer) = oneshot::channel();
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move {
            sleep(before).await;
            let lost = Err(StoreError::Passing { why: "lost".to_owned() });
            let answer = match fate {
                Fate::Good => call(inner).await,
                Fate::AnswerLost => call(inner).await.and(lost),
                Fate::Refused => lost,
            };
            sleep(after).await;
            drop(done.send(answer));
        });
        Box::pin(async move { answer.await.unwrap() })
    }
}

impl Store for Way {
    fn place(&self) -> String {
        "a faulty store".to_owned()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<(Bytes, Version)>, StoreError>> {
        let name = name.to_owned();
        self.call(false, move |store| Box::pin(async move { store.get(&name).await }))
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Bytes, expected: Expected) -> BoxFuture<'a, Result<Version, StoreError>> {
        let name = name.to_owned();
        self.call(true, move |store| Box::pin(async move { store.put(&name, bytes, expected).await }))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        self.inner.list(prefix)
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.delete(name)
    }
}

/// A running agent.
struct Agent {
    watched: watch::Receiver<Leadership>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Agent {
    fn start(store: Arc<dyn Store>, lease: Duration) -> Self {
        let (lease, watched) = Lease::new(store, NAME, Settings { holder: "test".to_owned(), lease });
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(lease.run(async move {
            // Dropped: never.
            if stopped.await.is_err() {
                pending::<()>().await;
            }
        }));
        Self { watched, stop: Some(stop), task }
    }

    fn now(&self) -> Leadership {
        *self.watched.borrow()
    }

    async fn leads(&mut self) -> u64 {
        match *self.watched.wait_for(|now| now.leads()).await.unwrap() {
            Leadership::Leader { epoch } => epoch,
            Leadership::Follower => unreachable!(),
        }
    }

    async fn follows(&mut self) {
        self.watched.wait_for(|now| !now.leads()).await.unwrap();
    }

    async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.task.await.unwrap();
    }
}

fn good(_: bool) -> (Fate, Duration, Duration) {
    (Fate::Good, Duration::ZERO, Duration::ZERO)
}

async fn mark(store: &Memory) -> Mark {
    Mark::read(&store.get(NAME).await.unwrap().unwrap().0).unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_alone_leads_at_once_and_keeps_the_lead() {
    let store = Arc::new(Memory::new());
    let begin = Instant::now();
    let mut agent = Agent::start(store.clone(), LEASE);
    assert_eq!(agent.leads().await, 1);
    assert!(begin.elapsed() < Duration::from_millis(10));
    sleep(LEASE * 20 + Duration::from_secs(1)).await;
    assert_eq!(agent.now(), Leadership::Leader { epoch: 1 });
    assert!(!agent.watched.has_changed().unwrap());
    let mark = mark(&store).await;
    assert_eq!((mark.holder.as_str(), mark.beat, mark.lease_ms), ("test", 60, 30_000));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_dies_is_followed_after_the_whole_lease_and_not_before() {
    let store = Arc::new(Memory::new());
    let mut first = Agent::start(store.clone(), LEASE);
    first.leads().await;
    let mut second = Agent::start(store.clone(), LEASE);
    sleep(LEASE * 3 + Duration::from_secs(1)).await;
    assert_eq!(second.now(), Leadership::Follower);
    first.task.abort();
    // Its last put was one second ago.
    let died = Instant::now();
    assert_eq!(second.leads().await, 2);
    let took = died.elapsed();
    assert!((LEASE - Duration::from_secs(1)..LEASE + Duration::from_secs(6)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_stops_is_followed_at_the_next_look() {
    let store = Arc::new(Memory::new());
    let mut first = Agent::start(store.clone(), LEASE);
    first.leads().await;
    let mut second = Agent::start(store.clone(), LEASE);
    sleep(Duration::from_secs(7)).await;
    first.stop().await;
    assert!(mark(&store).await.released);
    let stopped = Instant::now();
    assert_eq!(second.leads().await, 2);
    assert!(stopped.elapsed() <= LEASE / 6, "{:?}", stopped.elapsed());
    // A follower that stops changes nothing.
    let third = Agent::start(store.clone(), LEASE);
    sleep(LEASE).await;
    third.stop().await;
    assert!(!mark(&store).await.released);
    assert_eq!(second.now(), Leadership::Leader { epoch: 2 });
}

/// The first put happened; nobody heard of it.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_found_in_the_store() {
    let store = Arc::new(Memory::new());
    let mut puts = 0;
    let way = Way::new(&store, move |is_put| {
        puts += u32::from(is_put);
        let fate = if is_put && puts == 1 { Fate::AnswerLost } else { Fate::Good };
        (fate, Duration::ZERO, Duration::ZERO)
    });
    let begin = Instant::now();
    let mut agent = Agent::start(way, LEASE);
    assert_eq!(agent.leads().await, 1);
    assert!(begin.elapsed() < LEASE / 6, "{:?}", begin.elapsed());
    assert_eq!(mark(&store).await.beat, 0);
}

/// Every second renewal is lost on its way back, or there.
#[tokio::test(start_paused = true)]
async fn lost_renewals_do_not_cost_the_lead() {
    for fate in [Fate::AnswerLost, Fate::Refused] {
        let store = Arc::new(Memory::new());
        let mut puts = 0;
        let way = Way::new(&store, move |is_put| {
            puts += u32::from(is_put);
            (if is_put && puts % 2 == 0 { fate } else { Fate::Good }, Duration::ZERO, Duration::ZERO)
        });
        let mut agent = Agent::start(way, LEASE);
        assert_eq!(agent.leads().await, 1);
        agent.watched.mark_unchanged();
        sleep(LEASE * 10).await;
        assert!(!agent.watched.has_changed().unwrap(), "{fate:?}");
        assert_eq!(mark(&store).await.epoch, 1, "{fate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_cut_off_is_deposed_before_another_leads() {
    let store = Arc::new(Memory::new());
    let cut = Arc::new(Mutex::new(false));
    let is_cut = Arc::clone(&cut);
    let way = Way::new(&store, move |_| {
        (if *is_cut.lock().unwrap() { Fate::Refused } else { Fate::Good }, Duration::ZERO, Duration::ZERO)
    });
    let mut first = Agent::start(way, LEASE);
    first.leads().await;
    let mut second = Agent::start(store.clone(), LEASE);
    sleep(LEASE / 3 + Duration::from_millis(50)).await;
    let renewed = Instant::now();
    *cut.lock().unwrap() = true;
    first.follows().await;
    let deposed = renewed.elapsed();
    assert!((LEASE * 4 / 5..=LEASE * 5 / 6).contains(&deposed), "{deposed:?}");
    assert_eq!(second.now(), Leadership::Follower);
    assert_eq!(second.leads().await, 2);
    assert!(renewed.elapsed() >= LEASE - Duration::from_millis(50));
    // It comes back as a follower.
    *cut.lock().unwrap() = false;
    sleep(LEASE * 2).await;
    assert_eq!((first.now(), second.now()), (Leadership::Follower, Leadership::Leader { epoch: 2 }));
}

#[tokio::test(start_paused = true)]
async fn of_many_that_wait_one_wins() {
    let store = Arc::new(Memory::new());
    let mut first = Agent::start(store.clone(), LEASE);
    first.leads().await;
    let slow = |_| (Fate::Good, Duration::from_secs(1), Duration::from_secs(1));
    let others: Vec<Agent> = (0..8).map(|_| Agent::start(Way::new(&store, slow), LEASE)).collect();
    sleep(LEASE * 2).await;
    first.task.abort();
    sleep(LEASE * 2).await;
    let leaders: Vec<Leadership> = others.iter().map(Agent::now).filter(|now| now.leads()).collect();
    assert_eq!(leaders, [Leadership::Leader { epoch: 2 }]);
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_the_leader_counts_where_it_is_longer() {
    let store = Arc::new(Memory::new());
    let mut first = Agent::start(store.clone(), LEASE * 4);
    first.leads().await;
    let mut second = Agent::start(store.clone(), LEASE);
    sleep(Duration::from_millis(100)).await;
    first.task.abort();
    let died = Instant::now();
    second.leads().await;
    assert!(died.elapsed() >= LEASE * 4 - Duration::from_millis(200), "{:?}", died.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_mark_is_respected_as_long_as_can_be() {
    let store = Arc::new(Memory::new());
    store.put(NAME, Bytes::from_static(b"{not a mark"), Expected::Any).await.unwrap();
    let begin = Instant::now();
    let mut agent = Agent::start(store.clone(), LEASE);
    assert_eq!(agent.leads().await, 1);
    assert!((LONGEST..LONGEST + LEASE).contains(&begin.elapsed()), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_somebody_took_away_deposes_its_leader() {
    let store = Arc::new(Memory::new());
    let mut first = Agent::start(store.clone(), LEASE);
    let mut second = Agent::start(Way::new(&store, good), LEASE);
    first.leads().await;
    sleep(LEASE).await;
    store.delete(NAME).await.unwrap();
    first.follows().await;
    // Whoever saw the mark waits the whole lease before it writes another.
    assert_eq!(second.now(), Leadership::Follower);
    let (a, b) = tokio::join!(timeout(LEASE * 2, first.leads()), timeout(LEASE * 2, second.leads()));
    assert!(a.is_ok() != b.is_ok());
}

/// Who leads at each change, and who began which tenure.
#[derive(Default)]
struct Seen {
    watched: BTreeMap<usize, watch::Receiver<Leadership>>,
    epochs: BTreeMap<u64, usize>,
}

impl Seen {
    fn look(&mut self) {
        let leaders: Vec<(usize, u64)> = self
            .watched
            .iter()
            .filter_map(|(id, watched)| match *watched.borrow() {
                Leadership::Leader { epoch } => Some((*id, epoch)),
                Leadership::Follower => None,
            })
            .collect();
        assert!(leaders.len() <= 1, "two leaders: {leaders:?}");
        for (id, epoch) in leaders {
            assert_eq!(*self.epochs.entry(epoch).or_insert(id), id, "an epoch of two leaders");
        }
    }
}

/// Three agents on a store that does as it likes for a while: some stop, some die, new ones come.
async fn adventure(seed: u64) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let lease = Duration::from_secs(6);
    let store = Arc::new(Memory::new());
    let seen = Arc::new(Mutex::new(Seen::default()));
    let calm = Arc::new(Mutex::new(false));
    let mut agents: BTreeMap<usize, Agent> = BTreeMap::new();
    let mut watchers = Vec::new();
    let mut born = 0;
    for _ in 0..40 {
        while agents.len() < 3 {
            let (calm, mut dice) = (Arc::clone(&calm), dice.fork());
            let mut out_until: Option<Instant> = None;
            let way = Way::new(&store, move |_| {
                if *calm.lock().unwrap() {
                    return (Fate::Good, Duration::from_millis(20), Duration::from_millis(20));
                }
                if dice.u8(..) < 8 {
                    out_until = Some(Instant::now() + lease.mul_f64(dice.f64() * 2.0));
                }
                let mut delay = || match dice.u8(..) {
                    0..20 => lease.mul_f64(dice.f64() * 2.5),
                    20..90 => lease.mul_f64(dice.f64() / 5.0),
                    _ => Duration::from_millis(dice.u64(0..50)),
                };
                let (before, after) = (delay(), delay());
                let fate = match dice.u8(..) {
                    _ if out_until.is_some_and(|until| Instant::now() < until) => Fate::Refused,
                    0..25 => Fate::AnswerLost,
                    25..40 => Fate::Refused,
                    _ => Fate::Good,
                };
                (fate, before, after)
            });
            let agent = Agent::start(way, lease);
            let (id, mut watched) = (born, agent.watched.clone());
            born += 1;
            seen.lock().unwrap().watched.insert(id, agent.watched.clone());
            let all = Arc::clone(&seen);
            watchers.push(tokio::spawn(async move {
                while watched.changed().await.is_ok() {
                    all.lock().unwrap().look();
                }
            }));
            agents.insert(id, agent);
        }
        sleep(lease.mul_f64(dice.f64())).await;
        let chosen = *agents.keys().nth(dice.usize(0..3)).unwrap();
        match dice.u8(0..10) {
            0 => {
                // It dies: what it said last no longer counts.
                let agent = agents.remove(&chosen).unwrap();
                agent.task.abort();
                seen.lock().unwrap().watched.remove(&chosen);
            }
            1 => agents.remove(&chosen).unwrap().stop().await,
            _ => {}
        }
        seen.lock().unwrap().look();
    }
    // When the store is well again, somebody leads, and keeps the lead.
    *calm.lock().unwrap() = true;
    sleep(lease * 8).await;
    let leaders = || agents.values().map(Agent::now).filter(|now| now.leads()).collect::<Vec<_>>();
    let before = leaders();
    assert_eq!(before.len(), 1);
    sleep(lease * 8).await;
    assert_eq!(leaders(), before);
    for agent in agents.into_values() {
        agent.task.abort();
    }
    for watcher in watchers {
        watcher.await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn there_are_never_two_leaders(seed in any::<u64>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(adventure(seed));
    }
}
