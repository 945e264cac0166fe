//! The inventory of IAM: who there is in each account, judged.
//!
//! In: accounts, and IAM. Out: a row for each identity of an account, all of one run's time and `snapshot.id`, and one row that
//! says how the run went. What always holds: an account whose answers are not whole sends no row; one that cannot be read does not
//! stop the others, and is told; who is not watched is not asked; a run is complete when every row was accepted and every account
//! was read but those that may not be. What else could not be read is tried once more at the end of the run; when that does not
//! help against something passing, or when nobody knows which accounts there are, the run is not accepted and is made again soon,
//! whole: whoever looks at the newest accepted run must not find an account empty that had a bad hour. Nothing holds the others up
//! for longer than an interval, be it one account or one after the other, whoever leads meanwhile.
//!
//! Memory: no more than [`AT_ONCE`] accounts are held, each as long as it takes to read it and to hand its rows on.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde::{Deserialize, Serialize};

use super::emitter::Emitter;
use super::pace::Worker;
use super::schedule::Clockwork;
use super::{Lead, sending};
use crate::encode::identity::{IdentityRow, push_identity};
use crate::encode::posture::{Run, RunKind, Snapshot};
use crate::posture::{Identity, IdentityKind, Inventory, Terms};
use crate::record::time::millis;
use crate::source::config_api::ConfigApiError;
use crate::source::config_api::aggregator::{self, AggregatorApi};
use crate::source::iam::{IamApi, IamError, Which};

/// Accounts that are read at once: each may be 14 MB of judged identities in the worst case, some 100 kB as a rule.
const AT_ONCE: usize = 4;
/// Time before those are tried again that may be read and were not.
const AGAIN: Duration = Duration::from_secs(20);
/// Time before a run that was not accepted is made again; twice of it the next time, and so on, up to the interval.
const ANEW: Duration = Duration::from_mins(10);
/// Identities whose services are asked for in one run: a job of IAM's for each, of some three requests.
const SERVICES: usize = 2_000;
/// The least and the most of them in one account.
const SERVICES_OF_ACCOUNT: (usize, usize) = (1, 100);

/// How IAM is read.
#[derive(Clone)]
pub struct Identities {
    /// Whom to ask.
    pub api: Arc<dyn IamApi>,
    /// Accounts to read; empty: those of `aggregator`.
    pub accounts: Vec<Box<str>>,
    /// Who knows the accounts, where none are named.
    pub aggregator: Option<Arc<dyn AggregatorApi>>,
    /// Time between two inventories.
    pub interval: Duration,
    /// What makes an identity unused and a key old.
    pub terms: Terms,
    /// Whether the services are asked for that each used.
    pub last_accessed: bool,
}

/// Does what is due, for ever.
pub(super) async fn run(lead: &Lead, clockwork: &Clockwork<'_, '_>) -> Infallible {
    let Some(identities) = &lead.posture.identities else { std::future::pending().await };
    let mut held = Held::default();
    loop {
        let now_ms = lead.clock.now_ms();
        look(lead, identities, clockwork, &mut held).await;
        lead.posture.pace.next_look(Worker::Inventory, now_ms).await;
    }
}

/// Does what is due now.
pub(super) async fn look(lead: &Lead, identities: &Identities, clockwork: &Clockwork<'_, '_>, held: &mut Held) {
    let kind = RunKind::Identity.as_str();
    let now_ms = lead.clock.now_ms();
    let is_due = held.is_due(now_ms, identities.interval);
    if !is_due.unwrap_or_else(|| clockwork.is_due(kind, identities.interval, now_ms)) {
        return;
    }
    let mut stopped = clockwork.stopped();
    inventory(lead, identities, now_ms, held, &mut stopped).await;
    clockwork.stops(stopped);
    // What is held up is due at once for the next agent, too.
    if held.anew_ms.is_none() {
        clockwork.done(kind, now_ms);
    }
    clockwork.note(lead).await;
}

/// What holds the inventory up, whoever leads; kept with the schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Stopped {
    /// Since when no run has been accepted, though the accounts were known, milliseconds since the epoch; `None`: the last one was.
    since: Option<i64>,
    /// Accounts that something passing stops, and since when, milliseconds since the epoch.
    accounts: BTreeMap<Box<str>, i64>,
}

impl Stopped {
    /// Takes what a run that began at this time was stopped by; `None`: nobody knows the accounts. Whether what was read says how
    /// things stand: a fault that has lasted for an interval is no passing one, and what one account after the other holds up is
    /// held up no longer than that.
    fn takes(&mut self, stopped: Option<&BTreeSet<Box<str>>>, began_ms: i64, interval: Duration) -> bool {
        let Some(stopped) = stopped else { return false };
        // A time that has not come yet was written by a clock that was wrong.
        let lasts = |since_ms: i64| began_ms.saturating_sub(since_ms) >= millis(interval);
        self.accounts.retain(|account, since_ms| stopped.contains(account) && *since_ms <= began_ms);
        for account in stopped {
            self.accounts.entry(account.clone()).or_insert(began_ms);
        }
        let since_ms = self.since.filter(|since_ms| *since_ms <= began_ms).unwrap_or(began_ms);
        let is_known = lasts(since_ms) || self.accounts.values().all(|since_ms| lasts(*since_ms));
        self.since = Some(since_ms).filter(|_| !is_known);
        is_known
    }

    /// How long it may be held up yet, milliseconds, where it is.
    fn left(&self, now_ms: i64, interval: Duration) -> Option<i64> {
        let left = self.since?.saturating_add(millis(interval)).saturating_sub(now_ms);
        Some(left).filter(|left| *left > 0)
    }
}

/// When an inventory that is held up is made again.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Runs in a row that were not accepted.
    tries: u32,
    /// When it is made again, milliseconds since the epoch; `None`: by the clock.
    anew_ms: Option<i64>,
}

impl Held {
    /// Whether it is time to make it again; `None`: nothing is held up.
    fn is_due(&self, now_ms: i64, interval: Duration) -> Option<bool> {
        // A time that is further away than any wait was reckoned by a clock that was wrong.
        self.anew_ms.map(|anew_ms| now_ms >= anew_ms || anew_ms.saturating_sub(now_ms) > millis(interval))
    }

    /// Notes when it is made again, if it must be: when what holds it up does so no longer at the latest.
    fn waits(&mut self, is_held: bool, stopped: &Stopped, now_ms: i64, interval: Duration) {
        if !is_held {
            (self.tries, self.anew_ms) = (0, None);
            return;
        }
        let wait = ANEW.saturating_mul(1_u32.checked_shl(self.tries).unwrap_or(u32::MAX)).min(interval);
        self.tries = self.tries.saturating_add(1);
        let wait = millis(wait).min(stopped.left(now_ms, interval).unwrap_or(i64::MAX));
        self.anew_ms = Some(now_ms.saturating_add(wait));
    }
}

/// One run.
struct Reading<'l> {
    lead: &'l Lead,
    identities: &'l Identities,
    snapshot: Snapshot<'l>,
    emitter: Emitter,
    read: AtomicU64,
    /// Accounts that could not be read.
    failed: Mutex<BTreeMap<Box<str>, IamError>>,
}

async fn inventory(lead: &Lead, identities: &Identities, began_ms: i64, held: &mut Held, stopped: &mut Stopped) {
    let id = sending::snapshot_id(lead, RunKind::Identity.as_str(), began_ms);
    let snapshot = Snapshot { id: &id, now_ms: began_ms };
    let calls_before = identities.api.calls();
    let reading =
        Reading { lead, identities, snapshot, emitter: lead.emitter(), read: AtomicU64::new(0), failed: Mutex::default() };
    let listed = accounts(lead, identities).await.inspect_err(|error| {
        let what = format!("the accounts whose IAM is read are not known: {error}");
        lead.trouble.report(lead.counts.name(), "identity accounts", what);
    });
    let accounts = listed.as_deref().unwrap_or_default();
    let services = (SERVICES / accounts.len().max(1)).clamp(SERVICES_OF_ACCOUNT.0, SERVICES_OF_ACCOUNT.1);
    reading.all(accounts, services).await;
    let again: Vec<_> = reading.unread(|error| !error.is_withheld()).into_iter().collect();
    if !again.is_empty() {
        tokio::time::sleep(AGAIN).await;
        reading.all(&again, services).await;
    }
    let stops = reading.unread(IamError::may_pass);
    let Reading { emitter, read, failed, .. } = reading;
    let failed = failed.into_inner().unwrap_or_default();
    let unlisted = listed.as_ref().err().map(|error| format!("accounts: {error}"));
    let unread = failed.iter().map(|(account, error)| format!("{account}: {error}"));
    lead.posture.standing.was_inventoried(unlisted.into_iter().chain(unread));
    let (rows, read, places_failed) = (emitter.rows(), read.into_inner(), failed.len() as u64);
    let is_known = stopped.takes(listed.is_ok().then_some(&stops), began_ms, identities.interval);
    let all_accepted = emitter.accepted().await;
    if !all_accepted {
        tracing::warn!(
            kind = RunKind::Identity.as_str(),
            "Not every row of a snapshot was accepted: the next one is whole again"
        );
    }
    held.waits(!is_known, stopped, lead.clock.now_ms(), identities.interval);
    tracing::info!(accounts = read, failed = places_failed, rows, held = !is_known, "IAM was read");
    let accepted = all_accepted && is_known;
    let ended = Run {
        kind: RunKind::Identity,
        rows,
        repairs: 0,
        places: read,
        places_failed,
        places_not_enabled: None,
        calls: identities.api.calls().saturating_sub(calls_before),
        began_ms,
        ended_ms: lead.clock.now_ms(),
        accepted,
        complete: accepted && failed.values().all(IamError::is_withheld) && read > 0,
        agent: &lead.stages.agent,
    };
    sending::tell_as(lead, &ended, snapshot).await;
}

/// The accounts to read: of those that are named or known the ones that are watched.
async fn accounts(lead: &Lead, identities: &Identities) -> Result<Vec<Box<str>>, ConfigApiError> {
    let mut accounts = match &identities.aggregator {
        Some(api) if identities.accounts.is_empty() => aggregator::accounts(&**api).await?,
        _ => identities.accounts.clone(),
    };
    accounts.retain(|account| lead.watches_in(account, None));
    Ok(accounts)
}

impl Reading<'_> {
    async fn all(&self, accounts: &[Box<str>], services: usize) {
        stream::iter(accounts).for_each_concurrent(AT_ONCE, |account| self.account(account, services)).await;
    }

    async fn account(&self, account: &str, services: usize) {
        let found = match self.read(account, services).await {
            Ok(found) => found,
            Err(error) => return self.failed(account, &error),
        };
        self.read.fetch_add(1, Ordering::Relaxed);
        self.lock().remove(account);
        let enricher = self.lead.stages.enricher.now();
        let mut item = Vec::new();
        for identity in &found {
            let row = IdentityRow { account: enricher.account(account), identity };
            self.emitter.cut(push_identity(&mut item, &row, self.snapshot));
            self.emitter.row(&item, self.snapshot.now_ms).await;
        }
        self.emitter.flush().await;
    }

    /// Everybody in an account; an error when not everything could be read.
    async fn read(&self, account: &str, services: usize) -> Result<Vec<Identity>, IamError> {
        let Identities { api, terms, last_accessed, .. } = self.identities;
        let report = api.report(account).await?;
        let mut inventory = Inventory::new(account, report, self.snapshot.now_ms, terms);
        for which in [Which::Policies, Which::Principals] {
            api.details(account, which, &mut |page| {
                for detail in page {
                    inventory.add(detail);
                }
            })
            .await?;
        }
        let mut found = inventory.identities();
        if *last_accessed {
            self.services(account, &mut found, services).await;
        }
        Ok(found)
    }

    /// Adds the services that so many of them used: the over-broad ones, and of the others some more in each run.
    async fn services(&self, account: &str, found: &mut [Identity], most: usize) {
        let is_ours = |it: &Identity| {
            let is_service_linked = it.role.as_ref().is_some_and(|role| role.is_service_linked);
            matches!(it.kind, IdentityKind::User | IdentityKind::Role) && !is_service_linked
        };
        let (broad, others): (Vec<usize>, Vec<usize>) = found
            .iter()
            .enumerate()
            .filter(|(_, it)| is_ours(it))
            .map(|(at, _)| at)
            .partition(|at| found.get(*at).is_some_and(|it| it.is_over_broad() == Some(true)));
        let is_denied = AtomicBool::new(false);
        for at in turn(broad, most, self.turn()).into_iter().chain(turn(others, most, self.turn())).take(most) {
            let Some(identity) = found.get_mut(at) else { continue };
            match self.identities.api.services(account, &identity.arn).await {
                Ok(services) => identity.services = Some(services),
                Err(error @ (IamError::Denied { .. } | IamError::NoCredentials { .. })) => {
                    self.trouble(
                        account,
                        &format!("Which services the identities of account {account} use is not known: {error}"),
                    );
                    is_denied.store(true, Ordering::Relaxed);
                }
                Err(error) => tracing::debug!(account, %error, "Which services an identity uses is not known: {error}"),
            }
            if is_denied.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// How many intervals have passed: each run begins where another one ended.
    fn turn(&self) -> usize {
        let interval = millis(self.identities.interval).max(1);
        usize::try_from(self.snapshot.now_ms / interval).unwrap_or_default()
    }

    fn failed(&self, account: &str, error: &IamError) {
        self.trouble(account, &format!("IAM of account {account} could not be read: {error}"));
        self.lock().insert(account.into(), error.clone());
    }

    fn trouble(&self, account: &str, what: &str) {
        self.lead.trouble.report(self.lead.counts.name(), &format!("identity {account}"), what.to_owned());
    }

    /// Accounts that such an error kept from being read.
    fn unread(&self, of: impl Fn(&IamError) -> bool) -> BTreeSet<Box<str>> {
        self.lock().iter().filter(|(_, error)| of(error)).map(|(account, _)| account.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Box<str>, IamError>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of a list the part whose turn it is, the rest behind it.
fn turn(mut list: Vec<usize>, most: usize, turn: usize) -> Vec<usize> {
    if !list.is_empty() {
        let begin = turn.wrapping_mul(most) % list.len();
        list.rotate_left(begin);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S2-38: with every run others are asked for, and after some all were.
    #[test]
    fn everybody_has_a_turn() {
        let mut asked = BTreeSet::new();
        for run in 0..4 {
            asked.extend(turn((0..10).collect(), 3, run).into_iter().take(3));
        }
        assert_eq!(asked, (0..10).collect());
        assert_eq!(turn(Vec::new(), 3, 7), Vec::<usize>::new());
        assert_eq!(turn(vec![5, 6], 3, 1), [6, 5]);
    }
}
