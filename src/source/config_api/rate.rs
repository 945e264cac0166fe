//! How fast one account and Region may be asked, and how much it was.
//!
//! In: the rate wanted, and how each request went. Out: when the next one may go. What always holds: between two requests to one
//! place lies at least the time that the rate gives, whoever asks, and as long after the last answer: AWS counts when requests
//! arrive, and one that was slow on its way must not arrive beside the next. "Too many" halves the rate, each answer brings a
//! little of it back. AWS publishes no limits for these reads, so the rate has to find its place.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Calls;
use crate::record::AccountRegion;

/// The slowest and the fastest rate that can be set, requests a second.
const SETTABLE: (f64, f64) = (0.01, 100.0);
/// "Too many" slows down to this share of the rate at most.
const SLOWEST: f64 = 1.0 / 16.0;
/// Each answer brings back this share of the rate.
const STEP: f64 = 1.0 / 20.0;
/// Up to this much more than the time between two requests, by chance, so that places do not march in step.
const JITTER: f64 = 0.1;

/// The rates of all places that were asked so far. A place takes some 200 bytes and is kept: its counters only grow.
#[derive(Debug)]
pub(in crate::source) struct Rates {
    per_second: f64,
    places: Mutex<HashMap<AccountRegion, Arc<Rate>>>,
}

impl Rates {
    pub(in crate::source) fn new(per_second: f64) -> Self {
        Self { per_second, places: Mutex::default() }
    }

    /// The rate of a place, shared by all who ask there.
    pub(in crate::source) fn of(&self, place: &AccountRegion) -> Arc<Rate> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rate) = places.get(place) {
            return Arc::clone(rate);
        }
        let rate = Arc::new(Rate::new(self.per_second));
        places.insert(place.clone(), Arc::clone(&rate));
        rate
    }

    /// The counters of every place, sorted.
    pub(in crate::source) fn calls(&self) -> Vec<(AccountRegion, Calls)> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let mut calls: Vec<_> = places.iter().map(|(place, rate)| (place.clone(), rate.calls())).collect();
        drop(places);
        calls.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        calls
    }
}

/// The rate of one place.
#[derive(Debug)]
pub(in crate::source) struct Rate {
    wanted: f64,
    pace: Mutex<Pace>,
    /// When the last request went; held by whoever is next, and handed on in the order of coming.
    gate: tokio::sync::Mutex<Option<Instant>>,
    calls: AtomicU64,
    throttled: AtomicU64,
    retried: AtomicU64,
}

#[derive(Debug)]
struct Pace {
    per_second: f64,
    /// When it was last halved.
    halved: Option<Instant>,
    /// When the last answer came, whatever it was.
    answered: Option<Instant>,
}

impl Rate {
    fn new(per_second: f64) -> Self {
        let wanted = if per_second.is_finite() { per_second.clamp(SETTABLE.0, SETTABLE.1) } else { SETTABLE.0 };
        Self {
            wanted,
            pace: Mutex::new(Pace { per_second: wanted, halved: None, answered: None }),
            gate: tokio::sync::Mutex::new(None),
            calls: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            retried: AtomicU64::new(0),
        }
    }

    /// Waits until a request may go, and counts it.
    pub(in crate::source) async fn turn(&self, again: bool) {
        let mut last = self.gate.lock().await;
        let stretch = 1.0 + JITTER * fastrand::f64();
        // The rate may have been halved while this one slept.
        while let Some(due) = self.due(*last, stretch).filter(|due| *due > Instant::now()) {
            tokio::time::sleep_until(due).await;
        }
        *last = Some(Instant::now());
        self.calls.fetch_add(1, Ordering::Relaxed);
        if again {
            self.retried.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn due(&self, last: Option<Instant>, stretch: f64) -> Option<Instant> {
        let pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let between = between(pace.per_second).mul_f64(stretch);
        // An answer counts as the last request, a refusal too: nothing goes for a whole interval after it.
        let from = last.max(pace.halved).max(pace.answered)?;
        Some(from + between)
    }

    /// The place said "too many".
    pub(in crate::source) fn throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        // Answers to requests that were under way together speak of one and the same fault.
        if pace.halved.is_some_and(|halved| now.duration_since(halved) < between(pace.per_second)) {
            return;
        }
        pace.per_second = (pace.per_second / 2.0).max(self.wanted * SLOWEST);
        pace.halved = Some(now);
    }

    /// Something came back: an answer, an error, or nothing in time. Until then the request may have been on its way.
    pub(in crate::source) fn came_back(&self) {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).answered = Some(Instant::now());
    }

    /// The place answered.
    pub(in crate::source) fn answered(&self) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.per_second = (pace.per_second + self.wanted * STEP).min(self.wanted);
    }

    pub(in crate::source) fn calls(&self) -> Calls {
        Calls {
            calls: self.calls.load(Ordering::Relaxed),
            throttled: self.throttled.load(Ordering::Relaxed),
            retried: self.retried.load(Ordering::Relaxed),
        }
    }
}

fn between(per_second: f64) -> Duration {
    Duration::from_secs_f64(1.0 / per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When so many requests of one place go, seconds from now.
    async fn times(rate: &Arc<Rate>, requests: usize) -> Vec<f64> {
        let start = Instant::now();
        let asking = (0..requests).map(|_| {
            let rate = Arc::clone(rate);
            async move {
                rate.turn(false).await;
                start.elapsed().as_secs_f64()
            }
        });
        futures_util::future::join_all(asking).await
    }

    fn gaps(times: &[f64]) -> Vec<f64> {
        times.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn readers_of_one_place_share_its_rate() {
        let rate = Arc::new(Rate::new(2.0));
        let first = times(&rate, 40).await;
        assert!(first[0] < 0.001, "the first does not wait");
        assert!(gaps(&first).iter().all(|gap| (0.5..=0.552).contains(gap)), "{first:?}");
        assert_eq!(rate.calls(), Calls { calls: 40, throttled: 0, retried: 0 });
        // Time off is no credit: a burst would meet the limit of whoever else asks there.
        tokio::time::sleep(Duration::from_mins(1)).await;
        let later = times(&rate, 3).await;
        assert!(later[0] < 0.001 && gaps(&later).iter().all(|gap| *gap >= 0.5), "{later:?}");
    }

    /// S2-12: AWS counts arrivals, and the first request takes a role on its way.
    #[tokio::test(start_paused = true)]
    async fn a_slow_request_does_not_arrive_beside_the_next() {
        let rate = Arc::new(Rate::new(2.0));
        let start = Instant::now();
        let mut arrived = Vec::new();
        for on_its_way in [400, 0, 499, 3, 0] {
            rate.turn(false).await;
            tokio::time::sleep(Duration::from_millis(on_its_way)).await;
            arrived.push(start.elapsed().as_secs_f64());
            rate.came_back();
        }
        assert!(gaps(&arrived).iter().all(|gap| *gap >= 0.5), "{arrived:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn requests_of_two_places_are_jittered_apart() {
        let (one, other) = (Arc::new(Rate::new(2.0)), Arc::new(Rate::new(2.0)));
        let (one, other) = (times(&one, 20).await, times(&other, 20).await);
        assert_ne!(gaps(&one), gaps(&other));
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_halves_the_rate_and_answers_bring_it_back() {
        let rate = Arc::new(Rate::new(2.0));
        rate.turn(false).await;
        rate.throttled();
        // Told of again at once, by a request that was under way as well.
        rate.throttled();
        let start = Instant::now();
        rate.turn(true).await;
        let waited = start.elapsed().as_secs_f64();
        assert!((1.0..=1.102).contains(&waited), "{waited}");
        assert_eq!(rate.calls(), Calls { calls: 2, throttled: 2, retried: 1 });
        for _ in 0..9 {
            rate.answered();
        }
        assert!(gaps(&times(&rate, 3).await).iter().all(|gap| *gap > 0.5), "not back yet");
        for _ in 0..1_000 {
            rate.answered();
        }
        let gaps = gaps(&times(&rate, 10).await);
        assert!(gaps.iter().all(|gap| (0.5..=0.552).contains(gap)), "back, and no faster than wanted: {gaps:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_never_falls_to_nothing() {
        let rate = Arc::new(Rate::new(2.0));
        for _ in 0..50 {
            rate.turn(true).await;
            rate.throttled();
        }
        let start = Instant::now();
        rate.turn(true).await;
        let waited = start.elapsed().as_secs_f64();
        assert!((8.0..=8.81).contains(&waited), "{waited}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_sleeps_hears_that_the_rate_was_halved() {
        let rate = Arc::new(Rate::new(2.0));
        rate.turn(false).await;
        let start = Instant::now();
        let asking = Arc::clone(&rate);
        let sleeper = tokio::spawn(async move { asking.turn(false).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        rate.throttled();
        sleeper.await.unwrap();
        assert!(start.elapsed() >= Duration::from_millis(1_100), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_is_dropped_takes_no_turn() {
        let rate = Arc::new(Rate::new(1.0));
        rate.turn(false).await;
        assert!(tokio::time::timeout(Duration::from_millis(500), rate.turn(false)).await.is_err());
        let start = Instant::now();
        rate.turn(false).await;
        assert!(start.elapsed() < Duration::from_millis(700));
        assert_eq!(rate.calls().calls, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_senseless_rate_is_bounded() {
        for per_second in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300, 1e300] {
            let rate = Arc::new(Rate::new(per_second));
            let times = times(&rate, 2).await;
            assert!((0.01..=111.0).contains(&gaps(&times)[0]), "{per_second}: {times:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn places_do_not_wait_for_each_other() {
        let rates = Rates::new(1.0);
        let (here, there) = (AccountRegion::new("111122223333", "eu-west-1"), AccountRegion::new("111122223333", "us-east-1"));
        let start = Instant::now();
        rates.of(&here).turn(false).await;
        rates.of(&there).turn(false).await;
        assert!(start.elapsed() < Duration::from_millis(10));
        rates.of(&here).turn(true).await;
        assert!(start.elapsed() >= Duration::from_secs(1), "the same place again");
        let expected =
            [(here, Calls { calls: 2, throttled: 0, retried: 1 }), (there, Calls { calls: 1, throttled: 0, retried: 0 })];
        assert_eq!(rates.calls(), expected);
    }
}
