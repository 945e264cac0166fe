//! How the work of the agent that leads stands, for the health check.
//!
//! In: every call of the store, and what each reading of AWS Config and each inventory of IAM could not read. Out: what keeps the
//! agent from its work, and what a person should know beside that. What always holds: one account of many that cannot be read is
//! told and keeps nobody from work, nor does IAM, for which nobody waits; a state that cannot be read or written, or an AWS Config
//! that answers for nothing, does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::freshness::{Freshness, Readings};
use crate::posture::store::{Expected, Store, StoreError, Version};
use crate::source::trouble::Trouble;

/// Most failures that are told one by one.
const TOLD: usize = 5;
/// A call that was given up after this time had no answer.
const SILENT: Duration = Duration::from_secs(1);

/// How it stands.
#[derive(Debug, Default)]
pub struct Standing {
    store: Trouble,
    config: Mutex<Config>,
    /// What of IAM could not be read.
    iam: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Config {
    /// Nothing of what is asked could be read.
    is_nothing: bool,
    /// What could not be read.
    failed: Option<String>,
}

impl Standing {
    /// What keeps the agent from its work; empty: nothing does.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let config = self.lock();
        let nothing = config.failed.iter().filter(|_| config.is_nothing).cloned();
        self.store.now().into_iter().chain(nothing).collect()
    }

    /// What a person should know beside that.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let config = self.lock();
        config.failed.iter().filter(|_| !config.is_nothing).cloned().chain(self.iam().clone()).collect()
    }

    /// A reading has ended.
    pub(super) fn was_read(&self, readings: &Readings, freshness: &Freshness) {
        let failed = unread("AWS Config", readings.failed().map(|(what, why)| format!("{what}: {why}")));
        *self.lock() = Config { is_nothing: freshness.is_nothing(), failed };
    }

    /// An inventory of IAM has ended; `failed`: what could not be read, and why.
    pub(super) fn was_inventoried(&self, failed: impl Iterator<Item = String>) {
        *self.iam() = unread("IAM", failed);
    }

    /// Another agent reads AWS Config and IAM from now on.
    pub(super) fn leads_no_more(&self) {
        *self.lock() = Config::default();
        *self.iam() = None;
    }

    fn iam(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.iam.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Config> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In words, what could not be read; the first few one by one.
fn unread(of: &str, failed: impl Iterator<Item = String>) -> Option<String> {
    let failed: Vec<String> = failed.collect();
    let told = failed.get(..TOLD).unwrap_or(&failed).join("; ");
    let more = failed.len().saturating_sub(TOLD);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    (!failed.is_empty()).then(|| format!("{of} could not be read: {told}{more}"))
}

/// A store whose faults are told to the health check.
#[derive(Debug)]
pub(super) struct Told {
    store: Arc<dyn Store>,
    standing: Arc<Standing>,
}

impl Told {
    pub(super) fn new(store: Arc<dyn Store>, standing: Arc<Standing>) -> Self {
        Self { store, standing }
    }

    async fn call<T>(&self, what: &'static str, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let mut open = Open { told: self, what, began: Instant::now(), answered: false };
        let answer = call.await;
        open.answered = true;
        match &answer {
            // Somebody else wrote it: the store does its work.
            Ok(_) | Err(StoreError::Conflict { .. }) => self.standing.store.well(what),
            Err(error) => self.fault(what, error),
        }
        answer
    }

    fn fault(&self, what: &str, why: &dyn std::fmt::Display) {
        self.standing.store.report("state", what, format!("{what} the state in {}: {why}", self.store.place()));
    }
}

/// A call without an answer yet: whoever waited may give it up.
struct Open<'t> {
    told: &'t Told,
    what: &'static str,
    began: Instant,
    answered: bool,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.answered && self.began.elapsed() >= SILENT {
            self.told.fault(self.what, &format_args!("no answer in {} ms", self.began.elapsed().as_millis()));
        }
    }
}

impl Store for Told {
    fn place(&self) -> String {
        self.store.place()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<(Bytes, Version)>, StoreError>> {
        self.call("reading", self.store.get(name)).boxed()
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Bytes, expected: Expected) -> BoxFuture<'a, Result<Version, StoreError>> {
        self.call("writing", self.store.put(name, bytes, expected)).boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        self.call("listing", self.store.list(prefix)).boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        // What stays is read and left alone: that keeps nobody from work.
        self.store.delete(name)
    }
}
