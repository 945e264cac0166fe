//! The state in the store: loaded when this agent begins to lead, written as it moves.
//!
//! In: the store. Out: every object of it in memory, and every change of the state in the store, each under the version that was
//! read. What always holds: an object that somebody else wrote is never written over: this agent leads no more.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;

use super::Lead;
use super::freshness::Readings;
use super::schedule::Schedule;
use crate::posture::store::{Expected, Store, StoreError, Version};
use crate::posture::stored::StoredError;
use crate::posture::{Kept, Trend};
use crate::record::AccountRegion;

/// What the names of the objects of a state end with: `<folder>/<account>/<Region>.json.gz`.
const ENDING: &str = ".json.gz";
/// When each kind of run was done last.
const SCHEDULE: &str = "runs.json";
/// How it was before.
const TREND: &str = "trend.json.gz";
/// How the readings of AWS Config went.
const READINGS: &str = "readings.json";
/// Time between two looks at what is to be written: a message waits so long for its deletion.
const EVERY: Duration = Duration::from_secs(1);
/// Looks until also that is written for which no message waits: findings are imported again all day long, and an object is written
/// whole.
const ALL_EVERY: u32 = 3_600;

/// Why the state cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{name}: {error}")]
    Stored { name: String, error: StoredError },
}

/// Another agent wrote what this one thought to be its own.
#[derive(Debug)]
pub(super) struct Deposed;

/// The state of this tenure.
#[derive(Debug)]
pub(super) struct Keeper {
    store: Arc<dyn Store>,
    versions: HashMap<String, Version>,
}

/// Forgets places of a state, also in the store; one of which something is still at work is left for the next time.
pub(super) async fn forget(state: &dyn Kept, gone: &[AccountRegion], keeper: Option<&Arc<Mutex<Keeper>>>) {
    for place in gone {
        let Some(keeper) = keeper else {
            state.forget(place);
            continue;
        };
        // Nothing of it is being written meanwhile.
        let mut keeper = keeper.lock().await;
        if state.forget(place) {
            keeper.take_away(state, place).await;
        }
    }
}

/// Writes what moves until somebody else does.
pub(super) async fn keep(keeper: &Mutex<Keeper>, states: &[&dyn Kept]) {
    for look in 1_u32.. {
        tokio::time::sleep(EVERY).await;
        if let Err(Deposed) = keeper.lock().await.write(states, look.is_multiple_of(ALL_EVERY)).await {
            tracing::warn!("Another agent writes the state: this one leads no more, and hands back what waits");
            return;
        }
    }
}

impl Keeper {
    /// Loads everything.
    pub(super) async fn load(store: Arc<dyn Store>, states: &[&dyn Kept]) -> Result<Self, LoadError> {
        let mut keeper = Self { store, versions: HashMap::new() };
        for state in states {
            keeper.load_one(*state).await?;
        }
        Ok(keeper)
    }

    async fn load_one(&mut self, state: &dyn Kept) -> Result<(), LoadError> {
        for name in self.store.list(state.folder()).await? {
            let Some(place) = place(state, &name) else { continue };
            let Some((bytes, version)) = self.store.get(&name).await? else { continue };
            match state.load(&place, &bytes) {
                Ok(()) => {}
                Err(error @ StoredError::Newer(_)) => return Err(LoadError::Stored { name, error }),
                Err(error) => tracing::error!(name, %error, "The state of {place} is damaged: {}", state.loss()),
            }
            self.versions.insert(name, version);
        }
        Ok(())
    }

    /// When each kind of run was done last.
    pub(super) async fn schedule(&mut self) -> Result<Schedule, StoreError> {
        Ok(Schedule::read(&self.beside(SCHEDULE).await?.unwrap_or_default()))
    }

    /// How it was before.
    pub(super) async fn trend(&mut self) -> Result<Trend, StoreError> {
        let Some(bytes) = self.beside(TREND).await? else { return Ok(Trend::default()) };
        Ok(Trend::read(&bytes).unwrap_or_else(|error| {
            tracing::warn!(%error, "How it was before is not known: differences come again in a day");
            Trend::default()
        }))
    }

    /// How the readings of AWS Config went.
    pub(super) async fn readings(&mut self) -> Result<Readings, StoreError> {
        Ok(Readings::read(&self.beside(READINGS).await?.unwrap_or_default()))
    }

    /// What is kept beside the state. Who cannot read it must not begin anew: all runs would be done again, and what was known of
    /// the last days be written over.
    async fn beside(&mut self, name: &str) -> Result<Option<Bytes>, StoreError> {
        match self.store.get(name).await {
            Ok(found) => Ok(found.map(|(bytes, version)| {
                self.versions.insert(name.to_owned(), version);
                bytes
            })),
            // No later attempt would find it smaller.
            Err(error @ StoreError::TooLarge { .. }) => {
                tracing::warn!(%error, name, "What was known before is left alone: {error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Notes when the runs were done, and how it was then.
    pub(super) async fn note(&mut self, schedule: &Schedule, lead: &Lead) {
        let (trend, readings) = {
            let known = lead.known();
            (known.trend.write(), known.readings.bytes())
        };
        if let Err(error) = self.put_over(TREND, trend.into()).await {
            tracing::warn!(%error, "How it is now could not be written: {error}");
        }
        if let Err(error) = self.put_over(READINGS, readings).await {
            tracing::warn!(%error, "How the readings went could not be written: {error}");
        }
        self.note_schedule(schedule).await;
    }

    /// Notes when the runs were done.
    pub(super) async fn note_schedule(&mut self, schedule: &Schedule) {
        if let Err(error) = self.put_over(SCHEDULE, schedule.bytes()).await {
            tracing::warn!(%error, "When the last runs were could not be written: an agent that takes over does them again");
        }
    }

    /// Takes the object of a place away of which nothing is known any more.
    async fn take_away(&mut self, state: &dyn Kept, place: &AccountRegion) {
        let name = name(state, place);
        match self.store.delete(&name).await {
            Ok(()) => drop(self.versions.remove(&name)),
            // It is loaded again by the next leader, and forgotten again after its first reading.
            Err(error) => tracing::warn!(%error, name, "The state of {place} could not be taken away: {error}"),
        }
    }

    /// Writes what is not as it was written; `all`: also that for which no message waits.
    pub(super) async fn write(&mut self, states: &[&dyn Kept], all: bool) -> Result<(), Deposed> {
        for state in states {
            for place in state.unwritten(all) {
                self.write_one(*state, &place).await?;
            }
        }
        Ok(())
    }

    async fn write_one(&mut self, state: &dyn Kept, place: &AccountRegion) -> Result<(), Deposed> {
        let Some((bytes, owed)) = state.to_write(place) else { return Ok(()) };
        let name = name(state, place);
        match self.put(&name, bytes.into()).await {
            Ok(()) => state.written(place, owed, true),
            Err(StoreError::Conflict { .. }) => {
                state.written(place, owed, false);
                return Err(Deposed);
            }
            Err(error) => {
                tracing::warn!(%error, name, "The state could not be written, it is tried again: {error}");
                state.written(place, owed, false);
            }
        }
        Ok(())
    }

    /// Writes one object over whatever version there is: for what is not the state, and that every leader writes whole.
    async fn put_over(&mut self, name: &str, bytes: Bytes) -> Result<(), StoreError> {
        let put = self.put(name, bytes.clone()).await;
        let Err(StoreError::Conflict { .. }) = put else { return put };
        match self.store.get(name).await? {
            Some((_, version)) => self.versions.insert(name.to_owned(), version),
            None => self.versions.remove(name),
        };
        self.put(name, bytes).await
    }

    /// Writes one object over the version that is known. An answer that was lost is looked up.
    async fn put(&mut self, name: &str, bytes: Bytes) -> Result<(), StoreError> {
        let expected = self.versions.get(name).map_or(Expected::Absent, |version| Expected::Version(version.clone()));
        let version = match self.store.put(name, bytes.clone(), expected).await {
            Ok(version) => version,
            Err(error) => match self.store.get(name).await {
                Ok(Some((there, version))) if there == bytes => version,
                _ => return Err(error),
            },
        };
        self.versions.insert(name.to_owned(), version);
        Ok(())
    }
}

fn name(state: &dyn Kept, place: &AccountRegion) -> String {
    format!("{}{}/{}{ENDING}", state.folder(), place.account, place.region)
}

fn place(state: &dyn Kept, name: &str) -> Option<AccountRegion> {
    let (account, region) = name.strip_prefix(state.folder())?.strip_suffix(ENDING)?.split_once('/')?;
    Some(AccountRegion::new(account, region))
}

#[cfg(test)]
#[path = "keeper_tests.rs"]
mod tests;
