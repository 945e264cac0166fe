//! The work of the one agent that leads: loading and writing the state, reading AWS Config and IAM, sending what the state says.
//!
//! In: where state is kept, how AWS Config is read. Out: corrections and snapshots, through the same senders as everything else;
//! and whether the sources that need the state may be polled. What always holds:
//!
//! - No agent judges a change before it leads and the state is loaded; one that no longer leads hands back what waits.
//! - A message of such a source is deleted only when the state that it moved was written.
//! - The runs stop with the agent; the writing goes on until everything that was taken has settled.

mod emitter;
mod ending;
pub mod freshness;
pub mod identity;
mod keeper;
mod leaving;
mod pace;
#[cfg(test)]
mod packs_tests;
#[cfg(test)]
mod partly_tests;
mod reading;
pub mod rows;
mod schedule;
mod sending;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::Instant;

use super::rollups::Gauges;
use super::worker::Stages;
use crate::ack::Counts;
use crate::clock::Clock;
use crate::config::Limits;
use crate::encode::Batch;
use crate::encode::posture::Beside;
use crate::posture::lease::{Leadership, Lease, Settings};
use crate::posture::store::Store;
use crate::posture::{Kept, Trend};
use crate::record::AccountRegion;
use crate::source::Phase;
use crate::source::config_api::aggregator::AggregatorApi;
use crate::source::config_api::{ConfigApi, ConfigApiError, Pack};
use crate::source::trouble::Trouble;
use emitter::Emitter;
use freshness::{Failed, Freshness, Readings};
use identity::Identities;
use keeper::Keeper;
pub use pace::Pace;
use rows::Packs;
use schedule::{Clockwork, Schedule};
pub use standing::Standing;
use standing::Told;

/// The lease's name in the store.
const LEASE: &str = "lease.json";
/// Time between two attempts to load a state that cannot be read.
const AGAIN: Duration = Duration::from_secs(5);
/// Time for the last writing after everything else has ended.
const LAST_WRITING: Duration = Duration::from_secs(3);

/// What the leader has to do.
pub struct Posture {
    /// Counters of its rows.
    pub counts: Arc<Counts>,
    /// What is wrong with reading AWS Config.
    pub trouble: Arc<Trouble>,
    /// How its work stands.
    pub standing: Arc<Standing>,
    /// Where state is kept, and the terms of the lease; `None`: in memory, and this agent leads.
    pub kept: Option<(Arc<dyn Store>, Settings)>,
    /// How AWS Config is read; `None`: only its events are.
    pub reader: Option<Reader>,
    /// How IAM is read; `None`: it is not.
    pub identities: Option<Identities>,
    /// Time between two readings.
    pub reading: Duration,
    /// Time between two summaries.
    pub summary: Duration,
    /// How often it looks at the clock, and how far it has got.
    pub pace: Arc<Pace>,
    /// Nothing is read or sent before this is true; `None`: nothing waits.
    pub begun: Option<watch::Receiver<bool>>,
}

/// How AWS Config is read.
#[derive(Clone)]
pub enum Reader {
    /// Each account and Region by itself.
    Places {
        /// Whom to ask.
        api: Arc<dyn ConfigApi>,
        /// What to read.
        places: Vec<AccountRegion>,
        /// How many at once.
        concurrency: usize,
    },
    /// All through an aggregator.
    Aggregator {
        /// Whom to ask.
        api: Arc<dyn AggregatorApi>,
        /// Who counts its calls.
        calls: Arc<dyn ConfigApi>,
        /// Accounts to read; empty: all that it has.
        accounts: BTreeSet<Box<str>>,
        /// Regions to read; empty: all that it has.
        regions: BTreeSet<Box<str>>,
    },
}

impl Reader {
    /// Whether it is set to ask a place, of those that there are.
    fn asks(&self, place: &AccountRegion) -> bool {
        match self {
            Self::Places { places, .. } => places.contains(place),
            Self::Aggregator { accounts, regions, .. } => {
                (accounts.is_empty() || accounts.contains(&place.account))
                    && (regions.is_empty() || regions.contains(&place.region))
            }
        }
    }
}

/// What is known beside the state.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// How it was before.
    trend: Trend,
    /// What the state does not say, by account.
    beside: BTreeMap<Box<str>, Beside>,
    /// Rules that fail to run.
    failing: BTreeMap<AccountRegion, u64>,
    /// Conformance packs, as the last reading of each place found them.
    packs: Packs,
    /// How the readings went.
    readings: Readings,
}

/// The task.
pub(super) struct Lead {
    pub(super) posture: Posture,
    pub(super) stages: Arc<Stages>,
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    pub(super) counts: Arc<Counts>,
    pub(super) batches: mpsc::Sender<Batch>,
    /// Whether the sources that need the state may be polled.
    pub(super) leading: watch::Sender<bool>,
    pub(super) phase: watch::Receiver<Phase>,
    /// Set when everything that was taken has settled, or goes back.
    pub(super) finished: watch::Receiver<bool>,
    pub(super) known: std::sync::Mutex<Known>,
    pub(super) trouble: Arc<Trouble>,
    /// Who is told how many resources stand how; `None`: nobody.
    pub(super) gauges: Option<Gauges>,
}

impl Lead {
    pub(super) async fn run(self) {
        let Some((store, settings)) = self.posture.kept.clone() else {
            self.open();
            self.leading.send_replace(true);
            return self.lead_alone().await;
        };
        let store: Arc<dyn Store> = Arc::new(Told::new(store, Arc::clone(&self.posture.standing)));
        let (lease, leadership) = Lease::new(Arc::clone(&store), LEASE, settings);
        let (worked, work_has_ended) = tokio::sync::oneshot::channel::<()>();
        let work = async {
            self.serve(store, leadership).await;
            drop(worked);
        };
        // The lead is given up only when nothing needs it any more.
        tokio::join!(work, lease.run(async { drop(work_has_ended.await) }));
    }

    /// Without a place for state there is nobody to share the work with.
    async fn lead_alone(&self) {
        let mut schedule = Schedule::default();
        tokio::select! {
            () = self.finished() => {}
            () = self.runs(&mut schedule, None) => {}
        }
    }

    /// Leads whenever it is this agent's turn.
    async fn serve(&self, store: Arc<dyn Store>, mut leadership: watch::Receiver<Leadership>) {
        loop {
            tokio::select! {
                () = self.finished() => return,
                led = leadership.wait_for(|now| now.leads()) => if led.is_err() { return },
            }
            let states = self.states();
            let mut lost = leadership.clone();
            let lost = async move { until(&mut lost, |now| !now.leads()).await };
            let tenure = async {
                let (keeper, mut schedule) = tokio::select! {
                    (keeper, schedule) = self.loaded(&store) => (Arc::new(Mutex::new(keeper)), schedule),
                    () = self.finished() => return,
                };
                self.say_standing();
                self.open();
                self.leading.send_replace(true);
                tokio::select! {
                    () = keeper::keep(&keeper, &states) => {}
                    () = self.runs(&mut schedule, Some(&keeper)) => {}
                    () = self.finished() => {
                        let last = async {
                            let mut keeper = keeper.lock().await;
                            if keeper.write(&states, true).await.is_ok() {
                                // What was told while the agent stopped is not told again by whoever leads next.
                                keeper.note_schedule(&schedule).await;
                            }
                        };
                        drop(tokio::time::timeout(LAST_WRITING, last).await);
                    }
                }
            };
            tokio::select! {
                () = tenure => {}
                () = lost => {}
            }
            self.leading.send_replace(false);
            self.posture.standing.leads_no_more();
            self.clear();
            if *self.finished.borrow() {
                return;
            }
            // Whoever else wrote it has the lead, or takes it: look again a little later.
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Loads the state, and what was known beside it; for ever, until all of it can be read.
    async fn loaded(&self, store: &Arc<dyn Store>) -> (Keeper, Schedule) {
        let mut said: Option<Instant> = None;
        let load = async || {
            let mut keeper = Keeper::load(Arc::clone(store), &self.states()).await?;
            let (schedule, trend, readings) = (keeper.schedule().await?, keeper.trend().await?, keeper.readings().await?);
            *self.known() = Known { trend, readings, ..Known::default() };
            Ok::<_, keeper::LoadError>((keeper, schedule))
        };
        loop {
            match load().await {
                Ok(loaded) => return loaded,
                Err(error) => {
                    if said.is_none_or(|at| at.elapsed() >= Duration::from_mins(1)) {
                        tracing::error!(%error, place = store.place(), "The state cannot be read, nothing is taken meanwhile: {error}");
                        said = Some(Instant::now());
                    }
                    // What was loaded is loaded again.
                    self.clear();
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Everything that is kept.
    fn states(&self) -> [&dyn Kept; 2] {
        [&*self.stages.compliance, &*self.stages.findings]
    }

    fn open(&self) {
        for state in self.states() {
            state.open();
        }
    }

    fn clear(&self) {
        for state in self.states() {
            state.clear();
        }
    }

    async fn finished(&self) {
        until(&mut self.finished.clone(), |finished| *finished).await;
    }

    async fn draining(&self) {
        until(&mut self.phase.clone(), |phase| *phase >= Phase::Draining).await;
    }

    /// Reads and sends by the clock, until the agent stops; then waits for ever.
    async fn runs(&self, schedule: &mut Schedule, keeper: Option<&Arc<Mutex<Keeper>>>) {
        let clockwork = Clockwork::new(schedule, keeper);
        let work = async {
            if let Some(begun) = &self.posture.begun {
                until(&mut begun.clone(), |begun| *begun).await;
            }
            tokio::select! {
                // An inventory of IAM may take long, and nothing else waits for it.
                never = schedule::run(self, &clockwork) => match never {},
                never = identity::run(self, &clockwork) => match never {},
            }
        };
        tokio::select! {
            () = self.draining() => {}
            () = work => {}
        }
        std::future::pending::<()>().await;
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how many rules of a place fail to run: what they said last is all that is known.
    fn note_failing(&self, place: &AccountRegion, rules: u64) {
        let mut known = self.known();
        known.failing.insert(place.clone(), rules);
        let all = known.failing.iter().filter(|(other, _)| other.account == place.account).map(|(_, rules)| rules).sum();
        known.beside.entry(place.account.clone()).or_default().failing_rules = Some(all);
    }

    /// Notes the conformance packs of a place; `None`: they could not be read, and what they were is no longer said.
    fn note_packs(&self, place: &AccountRegion, packs: Option<Vec<Pack>>) {
        self.known().packs.insert(place.clone(), packs);
    }

    /// What is wrong with reading, for people.
    fn trouble(&self, what: &Failed, error: &ConfigApiError) {
        let of = match what {
            Failed::Everything => String::new(),
            Failed::Account(_) | Failed::Place(_) => format!(" of {what}"),
        };
        self.trouble.report(self.counts.name(), &what.to_string(), format!("AWS Config{of} could not be read: {error}"));
    }

    /// Whether a place is one of those whose records are kept.
    fn watches(&self, place: &AccountRegion) -> bool {
        self.watches_in(&place.account, Some(&place.region))
    }

    fn watches_in(&self, account: &str, region: Option<&str>) -> bool {
        let watched = &self.stages.watched;
        watched.is_everything() || watched.holds(account, self.stages.enricher.now().accounts().unit(account), region)
    }

    /// What is asked of AWS Config, and how fresh that is.
    fn freshness(&self, now_ms: i64) -> Freshness {
        let readings = self.known().readings.clone();
        let failed = readings.kinds();
        let read: BTreeMap<AccountRegion, i64> = readings.places().map(|(place, ms)| (place.clone(), ms)).collect();
        let (asked, accounts) = match &self.posture.reader {
            None => (BTreeMap::new(), BTreeMap::new()),
            Some(Reader::Places { places, .. }) => {
                let places = places.iter().filter(|place| self.watches(place));
                (places.map(|place| (place.clone(), read.get(place).copied())).collect(), BTreeMap::new())
            }
            // Which Regions an account has is known once it was read.
            Some(reader @ Reader::Aggregator { accounts, .. }) => {
                let read = read.into_iter().filter(|(place, _)| reader.asks(place) && self.watches(place));
                let accounts = accounts.iter().filter(|account| self.watches_in(account, None));
                let accounts = accounts.map(|account| (account.clone(), readings.account(account)));
                (read.map(|(place, ms)| (place, Some(ms))).collect(), accounts.collect())
            }
        };
        Freshness::new(asked, accounts, failed, now_ms, self.posture.reading)
    }

    /// Tells the health check how the readings went.
    fn say_standing(&self) {
        let freshness = self.freshness(self.clock.now_ms());
        let readings = self.known().readings.clone();
        self.posture.standing.was_read(&readings, &freshness);
    }

    fn emitter(&self) -> Emitter {
        Emitter::new(&self.limits, self.batches.clone(), Arc::clone(&self.counts))
    }
}

/// Waits until it is so, or nobody can say any more.
async fn until<T>(watched: &mut watch::Receiver<T>, is_so: impl FnMut(&T) -> bool) {
    if watched.wait_for(is_so).await.is_err() {
        tracing::debug!("Nobody says any more what is waited for");
    }
}
