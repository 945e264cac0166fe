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
use super::schedule::Schedule;
use crate::posture::compliance::stored::StoredError;
use crate::posture::store::{Expected, Store, StoreError, Version};
use crate::posture::{Compliance, Trend};
use crate::record::AccountRegion;

/// What the objects of the state are called: `compliance/<account>/<Region>.json.gz`.
const FOLDER: &str = "compliance/";
const ENDING: &str = ".json.gz";
/// When each kind of run was done last.
const SCHEDULE: &str = "runs.json";
/// How it was before.
const TREND: &str = "trend.json.gz";
/// Time between two looks at what is to be written: a message waits so long for its deletion.
const EVERY: Duration = Duration::from_secs(1);

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

/// Writes what moves until somebody else does.
pub(super) async fn keep(keeper: &Mutex<Keeper>, compliance: &Compliance) {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(Deposed) = keeper.lock().await.write(compliance).await {
            tracing::warn!("Another agent writes the state: this one leads no more, and hands back what waits");
            return;
        }
    }
}

impl Keeper {
    /// Loads everything.
    pub(super) async fn load(store: Arc<dyn Store>, compliance: &Compliance) -> Result<Self, LoadError> {
        let mut keeper = Self { store, versions: HashMap::new() };
        for name in keeper.store.list(FOLDER).await? {
            let Some(place) = place(&name) else { continue };
            let Some((bytes, version)) = keeper.store.get(&name).await? else { continue };
            match compliance.load(&place, &bytes) {
                Ok(()) => {}
                Err(error @ StoredError::Newer(_)) => return Err(LoadError::Stored { name, error }),
                Err(error) => {
                    tracing::error!(name, %error, "The state of {place} is damaged: it is read from AWS anew, what was first seen when is lost");
                }
            }
            keeper.versions.insert(name, version);
        }
        Ok(keeper)
    }

    /// When each kind of run was done last.
    pub(super) async fn schedule(&mut self) -> Schedule {
        match self.store.get(SCHEDULE).await {
            Ok(Some((bytes, version))) => {
                self.versions.insert(SCHEDULE.to_owned(), version);
                Schedule::read(&bytes)
            }
            Ok(None) => Schedule::default(),
            Err(error) => {
                tracing::warn!(%error, "When the last runs were is unknown: all of them are done now");
                Schedule::default()
            }
        }
    }

    /// How it was before.
    pub(super) async fn trend(&mut self) -> Trend {
        let read = match self.store.get(TREND).await {
            Ok(Some((bytes, version))) => {
                self.versions.insert(TREND.to_owned(), version);
                Trend::read(&bytes).map_err(|error| error.to_string())
            }
            Ok(None) => Ok(Trend::default()),
            Err(error) => Err(error.to_string()),
        };
        read.unwrap_or_else(|error| {
            tracing::warn!(error, "How it was before is not known: differences come again in a day");
            Trend::default()
        })
    }

    /// Notes when the runs were done, and how it was then.
    pub(super) async fn note(&mut self, schedule: &Schedule, lead: &Lead) {
        let trend = lead.known().trend.write();
        if let Err(error) = self.put(TREND, trend.into()).await {
            tracing::warn!(%error, "How it is now could not be written: {error}");
        }
        if let Err(error) = self.put(SCHEDULE, schedule.bytes()).await {
            tracing::warn!(%error, "When the last runs were could not be written: an agent that takes over does them again");
        }
    }

    /// Writes what is not as it was written.
    pub(super) async fn write(&mut self, compliance: &Compliance) -> Result<(), Deposed> {
        for place in compliance.unwritten() {
            let Some((bytes, pieces)) = compliance.to_write(&place) else { continue };
            let name = name(&place);
            match self.put(&name, bytes.into()).await {
                Ok(()) => compliance.written(&place, pieces, true),
                Err(StoreError::Conflict { .. }) => {
                    compliance.written(&place, pieces, false);
                    return Err(Deposed);
                }
                Err(error) => {
                    tracing::warn!(%error, name, "The state could not be written, it is tried again: {error}");
                    compliance.written(&place, pieces, false);
                }
            }
        }
        Ok(())
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

fn name(place: &AccountRegion) -> String {
    format!("{FOLDER}{}/{}{ENDING}", place.account, place.region)
}

fn place(name: &str) -> Option<AccountRegion> {
    let (account, region) = name.strip_prefix(FOLDER)?.strip_suffix(ENDING)?.split_once('/')?;
    Some(AccountRegion::new(account, region))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_its_place() {
        let here = AccountRegion::new("111122223333", "eu-west-1");
        assert_eq!(place(&name(&here)), Some(here));
        assert_eq!(place("compliance/x"), None);
    }
}
