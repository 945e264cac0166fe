//! Scripted and random faults, and requests held on their way.
//!
//! In: a script or chances per API. Out: what to do with the next request. A script goes first; when it has run out, chances
//! decide, the same way for the same seed and order of requests. Does nothing itself: `server` acts.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::intake::Intake;

/// Requests that may wait in one [`Hold`]; more wait in front of it.
const HELD_REQUESTS: usize = 256;

/// One of New Relic's endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Api {
    /// `POST /v1/accounts/{id}/events`.
    Events,
    /// `POST /log/v1`.
    Logs,
    /// `POST /v1/metrics`, OTLP.
    Metrics,
    /// `POST /graphql`.
    NerdGraph,
}

impl Api {
    /// Those that take data.
    pub const INGEST: [Self; 3] = [Self::Events, Self::Logs, Self::Metrics];
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the documented answer.
    Normal,
    /// This status instead of the documented answer; nothing is stored.
    Status {
        /// HTTP status; one outside 200..=999 is answered as 500.
        code: u16,
        /// `Retry-After`, seconds.
        retry_after_s: Option<u64>,
    },
    /// This status with this body instead of the documented answer; nothing is stored.
    Says {
        /// HTTP status; one outside 200..=999 is answered as 500.
        code: u16,
        /// What it says.
        body: &'static str,
    },
    /// 413, unless the body holds no more than one row: nothing smaller could be sent instead. Nothing is stored.
    TooLarge,
    /// The documented answer after a wait. Not stored when the client leaves first.
    Delay(Duration),
    /// The connection is cut before the body is read; nothing is stored.
    CutBeforeRead,
    /// The connection is cut after the body is read; nothing is stored.
    CutAfterRead,
    /// Stored, then the connection is cut: the client never learns of it.
    AcceptThenCut,
    /// The NRQL queries of this request take so long, by the stand-in's clock; nobody waits for it. One that was asked for
    /// asynchronously and takes longer than 5 s is answered by `queryProgress`. Nothing to an API that takes data.
    SlowQueries(Duration),
    /// Stored, then silence for this long, then the connection is cut.
    AcceptThenHang(Duration),
}

impl Fault {
    /// This status without `Retry-After`.
    #[must_use]
    pub fn status(code: u16) -> Self {
        Self::Status { code, retry_after_s: None }
    }
}

/// Chances of faults on the APIs that take data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomFaults {
    /// Seed; equal seeds give equal faults for an equal order of requests per API.
    pub seed: u64,
    /// Share of requests that meet a fault, 0 to 1.
    pub share: f64,
    /// Share of the faults that store the batch and lose the answer, 0 to 1; the others are 408, 413 to
    /// bodies of several rows, 429, 500, 503 and cuts that store nothing, all alike.
    pub accept_then_cut: f64,
    /// Most faults in a row on one API; `None`: no bound.
    pub max_consecutive: Option<u32>,
    /// `Retry-After` of the 429s, seconds.
    pub retry_after_s: Option<u64>,
}

#[derive(Debug)]
struct Chance {
    settings: RandomFaults,
    random: fastrand::Rng,
    consecutive: u32,
}

impl Chance {
    fn new(settings: RandomFaults, api: Api) -> Self {
        // Each API draws from its own sequence, so how events and logs interleave changes neither.
        let of_api = match api {
            Api::Events | Api::NerdGraph => 0,
            Api::Logs => 1,
            // Far from the others, which stand side by side.
            Api::Metrics => 1 << 63,
        };
        let random = fastrand::Rng::with_seed(settings.seed.wrapping_mul(2).wrapping_add(of_api));
        Self { settings, random, consecutive: 0 }
    }

    fn next(&mut self) -> Fault {
        let hit = self.random.f64() < self.settings.share;
        if !hit || self.settings.max_consecutive.is_some_and(|most| self.consecutive >= most) {
            self.consecutive = 0;
            return Fault::Normal;
        }
        self.consecutive = self.consecutive.saturating_add(1);
        if self.random.f64() < self.settings.accept_then_cut {
            return Fault::AcceptThenCut;
        }
        match self.random.u8(0..7) {
            0 => Fault::status(408),
            1 => Fault::Status { code: 429, retry_after_s: self.settings.retry_after_s },
            2 => Fault::status(500),
            3 => Fault::status(503),
            4 => Fault::TooLarge,
            5 => Fault::CutBeforeRead,
            _ => Fault::CutAfterRead,
        }
    }
}

#[derive(Debug, Default)]
struct Plan {
    script: VecDeque<Fault>,
    chance: Option<Chance>,
    hold: Option<mpsc::Sender<HeldRequest>>,
    /// Bytes that make a body refused, and the status of the refusal.
    poison: Option<(Box<[u8]>, u16)>,
    /// `event.id` of the row that is lost after the yes.
    lost: Option<Box<str>>,
}

/// The plans of all APIs.
#[derive(Debug, Default)]
pub(super) struct Plans(Mutex<BTreeMap<Api, Plan>>);

impl Plans {
    fn with<T>(&self, api: Api, act: impl FnOnce(&mut Plan) -> T) -> T {
        act(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(api).or_default())
    }

    /// Appends to the script of `api`.
    pub(super) fn script(&self, api: Api, faults: impl IntoIterator<Item = Fault>) {
        self.with(api, |plan| plan.script.extend(faults));
    }

    /// Faults of the script that no request has met yet.
    pub(super) fn left(&self, api: Api) -> usize {
        self.with(api, |plan| plan.script.len())
    }

    /// Replaces the chances of the APIs that take data; `None` takes them away.
    pub(super) fn random(&self, settings: Option<RandomFaults>) {
        for api in Api::INGEST {
            self.with(api, |plan| plan.chance = settings.map(|settings| Chance::new(settings, api)));
        }
    }

    /// What the next request to `api` meets.
    pub(super) fn next(&self, api: Api) -> Fault {
        self.with(api, |plan| plan.script.pop_front().or_else(|| plan.chance.as_mut().map(Chance::next)).unwrap_or(Fault::Normal))
    }

    /// Refuses every body of `api` that holds `marker` from now on; an empty marker ends it.
    pub(super) fn poison(&self, api: Api, marker: &str, code: u16) {
        self.with(api, |plan| plan.poison = (!marker.is_empty()).then(|| (marker.as_bytes().into(), code)));
    }

    /// The status that refuses this body, if it is poisoned.
    pub(super) fn refusal(&self, api: Api, body: &[u8]) -> Option<u16> {
        self.with(api, |plan| {
            let (marker, code) = plan.poison.as_ref()?;
            memchr::memmem::find(body, marker).map(|_| *code)
        })
    }

    /// Loses the first row of this `event.id` that `api` accepts from now on; an earlier one is forgotten.
    pub(super) fn lose(&self, api: Api, event_id: &str) {
        self.with(api, |plan| plan.lost = Some(event_id.into()));
    }

    /// Takes the row that is to be lost out of what an accepted body turned into, if it is there.
    pub(super) fn take_lost(&self, api: Api, intake: &mut Intake) {
        self.with(api, |plan| {
            plan.lost.take_if(|event_id| intake.lose_row(event_id));
        });
    }

    /// Holds the requests to `api` from now on; an earlier hold on it ends.
    pub(super) fn hold(&self, api: Api) -> Hold {
        let (sender, requests) = mpsc::channel(HELD_REQUESTS);
        self.with(api, |plan| plan.hold = Some(sender));
        Hold { requests }
    }

    /// Waits, if `api` is held, for the word on this request.
    pub(super) async fn pass(&self, api: Api, body: &Bytes) -> Decision {
        let Some(hold) = self.with(api, |plan| plan.hold.clone()) else { return Decision::Normal };
        let (decision, decided) = oneshot::channel();
        if hold.send(HeldRequest { api, body: body.clone(), decision }).await.is_err() {
            return Decision::Normal; // The hold has ended.
        }
        decided.await.unwrap_or(Decision::Normal)
    }
}

/// What becomes of a held request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Normal,
    Cut,
    AcceptThenCut,
}

/// Holds every request to one API, read and checked but neither stored nor answered, until the test says what becomes of it.
/// Dropping the hold releases all.
#[derive(Debug)]
pub struct Hold {
    requests: mpsc::Receiver<HeldRequest>,
}

impl Hold {
    /// The next request, as soon as one has been read whole and passed the checks; `None` when a newer hold on the same API
    /// took over or the stand-in is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<HeldRequest> {
        self.requests.recv().await
    }
}

/// A request that was read whole and has no answer yet. Dropping it releases it.
#[derive(Debug)]
pub struct HeldRequest {
    api: Api,
    body: Bytes,
    decision: oneshot::Sender<Decision>,
}

impl HeldRequest {
    /// Where it was sent.
    #[must_use]
    pub fn api(&self) -> Api {
        self.api
    }

    /// Its body, unpacked (as it came when only counts are kept).
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether the client still waits for the answer.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.decision.is_closed()
    }

    /// Ends when the client has given up.
    pub async fn abandoned(&mut self) {
        self.decision.closed().await;
    }

    /// Lets it go its documented way. Returns whether the client still waited.
    pub fn release(self) -> bool {
        self.decide(Decision::Normal)
    }

    /// Cuts the connection; nothing is stored. Returns whether the client still waited.
    pub fn cut(self) -> bool {
        self.decide(Decision::Cut)
    }

    /// Stores it, then cuts the connection. Returns whether the client still waited.
    pub fn accept_then_cut(self) -> bool {
        self.decide(Decision::AcceptThenCut)
    }

    fn decide(self, decision: Decision) -> bool {
        self.decision.send(decision).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THIRD: RandomFaults =
        RandomFaults { seed: 7, share: 0.33, accept_then_cut: 0.5, max_consecutive: Some(2), retry_after_s: Some(1) };

    fn drawn(settings: RandomFaults, api: Api, count: usize) -> Vec<Fault> {
        let plans = Plans::default();
        plans.random(Some(settings));
        (0..count).map(|_| plans.next(api)).collect()
    }

    #[test]
    fn a_script_goes_first_and_chance_follows() {
        let plans = Plans::default();
        plans.random(Some(RandomFaults { share: 1.0, accept_then_cut: 1.0, max_consecutive: None, ..THIRD }));
        plans.script(Api::Events, [Fault::Normal, Fault::status(503)]);
        assert_eq!(plans.left(Api::Events), 2);
        let met: Vec<_> = (0..3).map(|_| plans.next(Api::Events)).collect();
        assert_eq!(met, [Fault::Normal, Fault::status(503), Fault::AcceptThenCut]);
        assert_eq!(plans.left(Api::Events), 0);
        assert_eq!(plans.next(Api::NerdGraph), Fault::Normal, "chance is for ingest only");
        plans.random(None);
        assert_eq!(plans.next(Api::Events), Fault::Normal);
    }

    #[test]
    fn equal_seeds_draw_equal_faults_and_apis_draw_apart() {
        let one = drawn(THIRD, Api::Events, 200);
        assert_eq!(one, drawn(THIRD, Api::Events, 200));
        assert_ne!(one, drawn(THIRD, Api::Logs, 200));
        assert_ne!(one, drawn(RandomFaults { seed: 8, ..THIRD }, Api::Events, 200));
    }

    #[test]
    fn shares_and_the_longest_row_hold() {
        let faults = drawn(RandomFaults { max_consecutive: None, ..THIRD }, Api::Events, 10_000);
        let hit = faults.iter().filter(|fault| **fault != Fault::Normal).count();
        assert!((3_000..3_600).contains(&hit), "{hit} faults of 10,000 at a share of 0.33");
        let lost = faults.iter().filter(|fault| **fault == Fault::AcceptThenCut).count();
        assert!((hit * 4 / 10..hit * 6 / 10).contains(&lost), "{lost} lost answers of {hit} faults at a share of 0.5");
        for kind in [Fault::status(408), Fault::status(500), Fault::status(503), Fault::CutBeforeRead, Fault::CutAfterRead] {
            assert!(faults.contains(&kind), "{kind:?} never came");
        }
        assert!(faults.contains(&Fault::Status { code: 429, retry_after_s: Some(1) }));

        let always = drawn(RandomFaults { share: 1.0, ..THIRD }, Api::Events, 9);
        let normal: Vec<_> = always.iter().map(|fault| *fault == Fault::Normal).collect();
        assert_eq!(normal, [false, false, true, false, false, true, false, false, true]);
    }
}
