//! Stand-ins that behave, and the pipeline's side of an intake, for tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, mpsc, watch};

use super::bucket::{Bucket, Opened, Page, Place, ReadError};
use super::{Intake, Object, Phase};
use crate::ack::{Counts, Released, Verdict};
use crate::config::Limits;

/// The pipeline's ends of an [`Intake`].
pub(crate) struct Pipeline {
    pub(crate) objects: mpsc::Receiver<Object>,
    pub(crate) told: mpsc::Sender<Released>,
    pub(crate) phase: watch::Sender<Phase>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) budget: Arc<Semaphore>,
}

impl Pipeline {
    pub(crate) async fn tell(&self, object: u64, verdict: Verdict) {
        self.told.send(Released { object, verdict }).await.expect("the source listens");
    }
}

/// An intake with room for `objects` unread objects, and the other ends of it.
pub(crate) fn pipeline(objects: usize, limits: &Limits) -> (Intake, Pipeline) {
    let (object_to, object_from) = mpsc::channel(objects);
    let (told_to, told_from) = mpsc::channel(1_000);
    let (phase_to, phase_from) = watch::channel(Phase::Running);
    let counts = Arc::new(Counts::new("test"));
    let budget = Arc::new(Semaphore::new(super::budget_kib(limits) as usize));
    (
        Intake {
            counts: Arc::clone(&counts),
            objects: object_to,
            released: told_from,
            budget: Arc::clone(&budget),
            phase: phase_from,
        },
        Pipeline { objects: object_from, told: told_to, phase: phase_to, counts, budget },
    )
}

/// What a memory bucket holds under one key.
#[derive(Debug, Clone)]
pub(crate) enum Stored {
    Bytes(Bytes),
    /// Every read ends so.
    Fault(ReadError),
    /// So many reads fail, then the bytes come.
    Flaky(usize, Bytes),
}

/// A bucket in memory; pages of three keys.
#[derive(Debug, Default)]
pub(crate) struct MemoryBucket {
    pub(crate) objects: Mutex<BTreeMap<String, Stored>>,
    pub(crate) opened: AtomicUsize,
    pub(crate) pages: AtomicUsize,
    /// Reads under way and the most there were at once.
    pub(crate) reading: Arc<(AtomicUsize, AtomicUsize)>,
    /// How long a body takes.
    pub(crate) takes: std::time::Duration,
}

impl MemoryBucket {
    pub(crate) fn put(&self, key: &str, stored: Stored) {
        self.objects.lock().unwrap().insert(key.to_owned(), stored);
    }
}

impl Bucket for MemoryBucket {
    fn open<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Opened, ReadError>> {
        self.opened.fetch_add(1, Relaxed);
        let mut objects = self.objects.lock().unwrap();
        let bytes = match objects.get_mut(&place.key) {
            None => Err(ReadError::Gone),
            Some(Stored::Fault(fault)) => Err(fault.clone()),
            Some(Stored::Flaky(left, _)) if *left > 0 => {
                *left -= 1;
                Err(ReadError::Passing { why: "connection reset".to_owned() })
            }
            Some(Stored::Bytes(bytes) | Stored::Flaky(_, bytes)) => Ok(bytes.clone()),
        };
        let (takes, reading) = (self.takes, Arc::clone(&self.reading));
        async move {
            let bytes = bytes?;
            let size = bytes.len() as u64;
            let body = async move {
                let now = reading.0.fetch_add(1, Relaxed) + 1;
                reading.1.fetch_max(now, Relaxed);
                tokio::time::sleep(takes).await;
                reading.0.fetch_sub(1, Relaxed);
                Ok(bytes)
            };
            Ok(Opened { bytes: Some(size), body: body.boxed() })
        }
        .boxed()
    }

    fn list<'a>(&'a self, _: &'a str, prefix: &'a str, from: Option<&'a str>) -> BoxFuture<'a, Result<Page, ReadError>> {
        self.pages.fetch_add(1, Relaxed);
        let objects = self.objects.lock().unwrap();
        let size = |stored: &Stored| match stored {
            Stored::Bytes(bytes) | Stored::Flaky(_, bytes) => bytes.len() as u64,
            Stored::Fault(ReadError::TooLarge { bytes }) => *bytes,
            Stored::Fault(_) => 1,
        };
        let mut rest = objects.iter().filter(|(key, _)| key.starts_with(prefix) && from.is_none_or(|from| key.as_str() > from));
        let page: Vec<_> = rest.by_ref().take(3).map(|(key, stored)| (key.clone(), size(stored))).collect();
        let next = rest.next().and_then(|_| page.last().map(|(key, _)| key.clone()));
        async move { Ok(Page { objects: page, next }) }.boxed()
    }
}
