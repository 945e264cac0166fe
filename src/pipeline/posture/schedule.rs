//! When what is read and sent.
//!
//! In: the clock, and when each kind of run was done last, by this agent or the one that led before. Out: one run after the other.
//! What always holds: a run that is due once is done once, whoever leads; one that was not whole counts as done, and says so; what
//! only a reading of AWS Config can know is not sent where nobody reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::freshness::Failed;
use super::identity::Stopped;
use super::keeper::{self, Keeper};
use super::pace::Worker;
use super::rows::RowKind;
use super::{Lead, ending, leaving, reading, sending};
use crate::record::time::millis;

/// When each kind of run was done last, milliseconds since the epoch, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Schedule {
    #[serde(default)]
    done: BTreeMap<String, i64>,
    /// What holds the inventory of IAM up.
    #[serde(default)]
    stopped: Stopped,
    /// Ends of exceptions that were told since that kind was done last, beside others that were not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    told: BTreeSet<String>,
}

impl Schedule {
    /// What cannot be read was never done.
    pub(super) fn read(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    fn is_due(&self, kind: &str, every: Duration, now_ms: i64) -> bool {
        // A time that has not come yet was written by a clock that was wrong.
        self.done.get(kind).is_none_or(|done| now_ms >= done.saturating_add(millis(every)) || *done > now_ms)
    }
}

/// What those share who work by the clock at the same time: the schedule, and where it is noted.
pub(super) struct Clockwork<'s, 'k> {
    schedule: StdMutex<&'s mut Schedule>,
    keeper: Option<&'k Arc<Mutex<Keeper>>>,
    /// Of the schedule; shared with the answers that are still to come when the work is stopped.
    told: Told,
}

/// Ends of exceptions that were told.
pub(super) type Told = Arc<StdMutex<BTreeSet<String>>>;

/// What was told when the work was stopped is in the schedule.
impl Drop for Clockwork<'_, '_> {
    fn drop(&mut self) {
        let told = self.told_now();
        self.schedule().told = told;
    }
}

impl<'s, 'k> Clockwork<'s, 'k> {
    pub(super) fn new(schedule: &'s mut Schedule, keeper: Option<&'k Arc<Mutex<Keeper>>>) -> Self {
        let told = Arc::new(StdMutex::new(schedule.told.clone()));
        Self { schedule: StdMutex::new(schedule), keeper, told }
    }

    pub(super) fn is_due(&self, kind: &str, every: Duration, now_ms: i64) -> bool {
        self.schedule().is_due(kind, every, now_ms)
    }

    /// When it was done last, milliseconds since the epoch.
    pub(super) fn last_ms(&self, kind: &str) -> Option<i64> {
        self.schedule().done.get(kind).copied()
    }

    /// A run that began at this time was done.
    pub(super) fn done(&self, kind: &str, began_ms: i64) {
        self.schedule().done.insert(kind.to_owned(), began_ms);
    }

    /// What holds the inventory of IAM up, here or where another agent led before.
    pub(super) fn stopped(&self) -> Stopped {
        self.schedule().stopped.clone()
    }

    /// Notes what holds it up now.
    pub(super) fn stops(&self, stopped: Stopped) {
        self.schedule().stopped = stopped;
    }

    /// Where the ends of exceptions are noted that were told, beside others that are still to be told.
    pub(super) fn told(&self) -> Told {
        Arc::clone(&self.told)
    }

    /// All of them were told.
    pub(super) fn told_all(&self) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn told_now(&self) -> BTreeSet<String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes down what was done.
    pub(super) async fn note(&self, lead: &Lead) {
        if let Some(keeper) = self.keeper {
            let mut keeper = keeper.lock().await;
            // Taken when it is this one's turn to write: nobody's run is written over with an older schedule.
            let schedule = Schedule { told: self.told_now(), ..self.schedule().clone() };
            keeper.note(&schedule, lead).await;
        }
    }

    fn schedule(&self) -> MutexGuard<'_, &'s mut Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does what is due with AWS Config and with what is known, for ever.
pub(super) async fn run(lead: &Lead, clockwork: &Clockwork<'_, '_>) -> Infallible {
    loop {
        let now_ms = lead.clock.now_ms();
        let looked_ms = now_ms;
        let again = lead.known().readings.due(now_ms);
        let is_due = clockwork.is_due("reading", lead.posture.reading, now_ms) || again.contains(&Failed::Everything);
        let (mut moved, mut was_read) = (false, false);
        if let Some(reader) = &lead.posture.reader
            && (is_due || !again.is_empty())
        {
            let gone = reading::read(lead, reader, if is_due { None } else { Some(&again) }).await;
            keeper::forget(&*lead.stages.compliance, &gone, clockwork.keeper).await;
            if is_due {
                clockwork.done("reading", now_ms);
            }
            // What was read again is a part: what the others have is not known to one that took over.
            (moved, was_read) = (true, is_due);
        }
        let wanted = |kind: &RowKind| lead.posture.reader.is_some() || !kind.needs_reader();
        for kind in RowKind::ALL.into_iter().filter(wanted) {
            let every = kind.every(lead.posture.summary, lead.posture.reading);
            let now_ms = lead.clock.now_ms();
            let is_due = match kind {
                _ if kind.follows_reading() => was_read,
                // Nothing would be told for hours, as if there were nothing.
                _ if kind.needs_baseline() && !has_baseline(lead) => false,
                _ => clockwork.is_due(kind.run().as_str(), every, now_ms),
            };
            if is_due {
                if kind == RowKind::Findings {
                    let watches = |account: &str, region: Option<&str>| lead.watches_in(account, region);
                    leaving::let_go(&lead.stages.findings, watches, clockwork.keeper, now_ms).await;
                    ending::tell(lead, clockwork, now_ms).await;
                }
                sending::send(lead, kind, now_ms).await;
                clockwork.done(kind.run().as_str(), now_ms);
                moved = true;
            }
        }
        if moved {
            clockwork.note(lead).await;
        }
        lead.posture.pace.next_look(Worker::Schedule, looked_ms).await;
    }
}

/// Whether any place was ever read whole.
fn has_baseline(lead: &Lead) -> bool {
    let compliance = &lead.stages.compliance;
    compliance.places().iter().any(|place| compliance.has_baseline(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn what_another_agent_did_is_not_done_again() {
        let mut schedule = Schedule::default();
        assert!(schedule.is_due("summary", DAY, 5));
        schedule.done.insert("summary".to_owned(), 1_000);
        let read = Schedule::read(&schedule.bytes());
        assert_eq!(read, schedule);
        let day_ms = 86_400_000;
        assert!(!read.is_due("summary", DAY, 1_000 + day_ms - 1) && read.is_due("summary", DAY, 1_000 + day_ms));
        assert!(read.is_due("summary", DAY, 999), "a clock that was wrong");
        assert_eq!(Schedule::read(b"\xff"), Schedule::default());
        let older = Schedule { stopped: Stopped::default(), ..schedule };
        assert_eq!(Schedule::read(br#"{"done":{"summary":1000}}"#), older, "an older agent's");
    }
}
