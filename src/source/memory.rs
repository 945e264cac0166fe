//! Stand-ins that behave, and the pipeline's side of an intake, for tests.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;

use super::bucket::{Bucket, Opened, Page, Place, ReadError};
use super::queue::{Attributes, Entry, Message, Queue, QueueError, Refused};
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
        self.told.send(Released { object, verdict, only_late: false }).await.expect("the source listens");
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
    pub(crate) takes: Duration,
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

/// A message in a memory queue.
#[derive(Debug)]
struct Kept {
    id: String,
    body: String,
    visible: Instant,
    receives: u32,
    handle: u64,
    received: Instant,
}

/// What a memory queue has been through.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Messages received a second time or more.
    pub(crate) redeliveries: usize,
    /// Ids of deleted messages, in order.
    pub(crate) deleted: Vec<String>,
    /// Sizes of the delete and change requests.
    pub(crate) delete_batches: Vec<usize>,
    pub(crate) change_batches: Vec<usize>,
    /// Every change that set a message aside: id, and for how long.
    pub(crate) changes: Vec<(String, Duration)>,
    /// Receives that were dropped before their answer.
    pub(crate) broken_off: usize,
    pub(crate) receives: usize,
    /// Batches refused because two entries had one id.
    pub(crate) repeated: usize,
}

/// What the next requests come to.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) attributes: VecDeque<QueueError>,
    pub(crate) receive: VecDeque<QueueError>,
    pub(crate) delete: VecDeque<QueueError>,
    pub(crate) change: VecDeque<QueueError>,
    /// So many entries of delete requests are refused; `true`: for good.
    pub(crate) refuse_deletes: VecDeque<bool>,
    /// No renewal arrives.
    pub(crate) renewals_fail: bool,
    /// How much longer than others the next requests take.
    pub(crate) slow_deletes: VecDeque<Duration>,
    pub(crate) slow_backs: VecDeque<Duration>,
}

/// A queue in memory that behaves like SQS: visibility runs out, handles expire, redelivery counts, requests take 20 ms.
#[derive(Debug)]
pub(crate) struct MemoryQueue {
    pub(crate) attributes: Attributes,
    kept: Mutex<Vec<Kept>>,
    pub(crate) seen: Mutex<Seen>,
    pub(crate) faults: Mutex<Faults>,
    handles: AtomicUsize,
}

/// Counts a receive that is dropped on the way.
struct Guard(Option<Arc<MemoryQueue>>);

impl Guard {
    fn arrived(mut self) {
        self.0 = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(queue) = &self.0 {
            queue.seen.lock().unwrap().broken_off += 1;
        }
    }
}

const LATENCY: Duration = Duration::from_millis(20);

/// SQS refuses a whole batch in which two entries have the same id.
fn distinct<'a>(entries: impl Iterator<Item = &'a Entry>) -> Result<(), QueueError> {
    let mut seen = HashSet::new();
    for entry in entries {
        if !seen.insert(entry.lease) {
            return Err(QueueError::Passing { why: "BatchEntryIdsNotDistinct".to_owned() });
        }
    }
    Ok(())
}

impl MemoryQueue {
    pub(crate) fn new(visibility: Duration, bodies: impl IntoIterator<Item = String>) -> Arc<Self> {
        let queue = Self {
            attributes: Attributes { visibility, max_receive_count: Some(10) },
            kept: Mutex::default(),
            seen: Mutex::default(),
            faults: Mutex::default(),
            handles: AtomicUsize::new(0),
        };
        for (at, body) in bodies.into_iter().enumerate() {
            queue.send(&format!("m{at}"), body);
        }
        Arc::new(queue)
    }

    pub(crate) fn send(&self, id: &str, body: String) {
        let now = Instant::now();
        let kept = Kept { id: id.to_owned(), body, visible: now, receives: 0, handle: 0, received: now };
        self.kept.lock().unwrap().push(kept);
    }

    pub(crate) fn left(&self) -> usize {
        self.kept.lock().unwrap().len()
    }

    /// Ids that anyone could receive now.
    pub(crate) fn visible(&self) -> Vec<String> {
        let now = Instant::now();
        self.kept.lock().unwrap().iter().filter(|kept| kept.visible <= now).map(|kept| kept.id.clone()).collect()
    }

    fn take(&self) -> Vec<Message> {
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap();
        let mut kept = self.kept.lock().unwrap();
        let visible = kept.iter_mut().filter(|kept| kept.visible <= now).take(10);
        visible
            .map(|kept| {
                kept.handle = self.handles.fetch_add(1, Relaxed) as u64 + 1;
                kept.receives += 1;
                seen.redeliveries += usize::from(kept.receives > 1);
                kept.visible = now + self.attributes.visibility;
                kept.received = now;
                Message {
                    id: kept.id.clone(),
                    handle: kept.handle.to_string(),
                    body: kept.body.clone(),
                    receive_count: kept.receives,
                    sent_ms: Some(0),
                }
            })
            .collect()
    }
}

impl Queue for MemoryQueue {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn attributes(self: Arc<Self>) -> BoxFuture<'static, Result<Attributes, QueueError>> {
        async move {
            tokio::time::sleep(LATENCY).await;
            self.faults.lock().unwrap().attributes.pop_front().map_or(Ok(self.attributes), Err)
        }
        .boxed()
    }

    fn receive(self: Arc<Self>) -> BoxFuture<'static, Result<Vec<Message>, QueueError>> {
        self.seen.lock().unwrap().receives += 1;
        let guard = Guard(Some(Arc::clone(&self)));
        async move {
            let until = Instant::now() + Duration::from_secs(20);
            let answer = loop {
                tokio::time::sleep(LATENCY).await;
                if let Some(fault) = self.faults.lock().unwrap().receive.pop_front() {
                    break Err(fault);
                }
                let messages = self.take();
                if !messages.is_empty() || Instant::now() >= until {
                    break Ok(messages);
                }
                // Until a message becomes visible, or one may have been sent.
                let next = self.kept.lock().unwrap().iter().map(|kept| kept.visible).min().unwrap_or(until);
                tokio::time::sleep_until(next.min(until).min(Instant::now() + Duration::from_secs(1))).await;
            };
            guard.arrived();
            answer
        }
        .boxed()
    }

    fn delete(self: Arc<Self>, entries: Vec<Entry>) -> BoxFuture<'static, Result<Vec<Refused>, QueueError>> {
        async move {
            let slow = self.faults.lock().unwrap().slow_deletes.pop_front().unwrap_or_default();
            tokio::time::sleep(LATENCY + slow).await;
            let mut seen = self.seen.lock().unwrap();
            let mut faults = self.faults.lock().unwrap();
            let mut kept = self.kept.lock().unwrap();
            seen.delete_batches.push(entries.len());
            distinct(entries.iter()).inspect_err(|_| seen.repeated += 1)?;
            if let Some(fault) = faults.delete.pop_front() {
                return Err(fault);
            }
            let mut refused = Vec::new();
            for Entry { lease, handle } in entries {
                if let Some(lasting) = faults.refuse_deletes.pop_front() {
                    refused.push(Refused { lease, lasting, why: "refused".to_owned() });
                } else if let Some(at) = kept.iter().position(|kept| kept.handle.to_string() == handle) {
                    seen.deleted.push(kept.remove(at).id);
                }
            }
            Ok(refused)
        }
        .boxed()
    }

    fn change(self: Arc<Self>, entries: Vec<(Entry, Duration)>) -> BoxFuture<'static, Result<Vec<Refused>, QueueError>> {
        // A network may overtake: hand-backs arrive sooner than renewals sent before them.
        let renewal = entries.iter().any(|(_, by)| *by == self.attributes.visibility);
        // On the server it happens even if the caller no longer waits.
        let served = tokio::spawn(async move {
            let slow = if renewal { None } else { self.faults.lock().unwrap().slow_backs.pop_front() };
            tokio::time::sleep(slow.unwrap_or_default() + if renewal { LATENCY * 5 } else { LATENCY }).await;
            let now = Instant::now();
            let mut seen = self.seen.lock().unwrap();
            let mut kept = self.kept.lock().unwrap();
            seen.change_batches.push(entries.len());
            distinct(entries.iter().map(|(entry, _)| entry)).inspect_err(|_| seen.repeated += 1)?;
            let mut faults = self.faults.lock().unwrap();
            if renewal && faults.renewals_fail {
                return Err(QueueError::Passing { why: "connection reset".to_owned() });
            }
            if let Some(fault) = faults.change.pop_front() {
                return Err(fault);
            }
            drop(faults);
            let mut refused = Vec::new();
            for (Entry { lease, handle }, by) in entries {
                let refuse = |why: &str| Refused { lease, lasting: true, why: why.to_owned() };
                match kept.iter_mut().find(|kept| kept.handle.to_string() == handle) {
                    Some(kept) if now + by > kept.received + super::queue::LONGEST => refused.push(refuse("beyond the limit")),
                    Some(kept) if kept.visible > now => {
                        kept.visible = now + by;
                        seen.changes.push((kept.id.clone(), by));
                    }
                    _ => refused.push(refuse("not in flight")),
                }
            }
            Ok(refused)
        });
        async move { served.await.unwrap() }.boxed()
    }
}
