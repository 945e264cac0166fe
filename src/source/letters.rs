//! Dead letters, once more.
//!
//! In: what letters hold, bytes or the name of an object. Out: each as an object under the name it had, in the order given,
//! numbered from 0; and, once it has ended, how ([`Ends`]). What always holds: one end per letter that was taken; an object
//! that cannot be had is not offered, so nothing about it is sent again. It does not read letters from anywhere and takes
//! none away: whoever gave them does, and only for [`End::Well`].

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc::{OwnedPermit, Sender};

use super::bucket::{Bucket, Place, ReadError, Reader};
use super::{Body, Intake, Object, Origin, Phase, Sight, Source, SourceError, key};
use crate::ack::{Released, Verdict};
use crate::config::Limits;

/// One letter's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// The name it had: `s3://bucket/key`, a path, `queue/message`.
    pub origin: String,
    /// The S3 version that its notification named.
    pub version: Option<String>,
    /// The place of a record in its object, from 0, where that is known.
    pub index: Option<u64>,
    /// Its bytes; `None`: they are fetched again by that name.
    pub bytes: Option<Bytes>,
}

/// How a letter ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Everything of it settled well.
    Well,
    /// Something of it is nowhere: the letter must stay.
    Back,
    /// It could not be had again, and why.
    Missing(String),
}

/// How each letter ended, by its position; one that was not taken before a stop is not in it.
#[derive(Debug, Clone, Default)]
pub struct Ends(Arc<Mutex<BTreeMap<usize, End>>>);

impl Ends {
    /// Takes what is known.
    #[must_use]
    pub fn take(&self) -> BTreeMap<usize, End> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, at: usize, end: End) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(at, end);
    }
}

/// The source of `cspm-relay dlq replay`.
#[derive(Debug)]
pub struct Letters {
    again: Vec<Again>,
    bucket: Option<Arc<dyn Bucket>>,
    limits: Limits,
    ends: Ends,
}

impl Letters {
    /// These letters. `bucket` is needed where one of them names an object on S3.
    #[must_use]
    pub fn new(again: Vec<Again>, bucket: Option<Arc<dyn Bucket>>, limits: &Limits) -> Self {
        Self { again, bucket, limits: limits.clone(), ends: Ends::default() }
    }

    /// How they ended; take it before the source runs.
    #[must_use]
    pub fn ends(&self) -> Ends {
        self.ends.clone()
    }
}

impl Source for Letters {
    async fn run(self, intake: Intake) -> Result<(), SourceError> {
        let Self { again, bucket, limits, ends } = self;
        let Intake { objects, mut released, budget, mut phase, .. } = intake;
        let reader = Reader { bucket, budget, limits };
        let mut waiting: VecDeque<(usize, Again)> = again.into_iter().enumerate().collect();
        // The one that is being fetched; its future is kept, so that news of others does not begin it again.
        let mut fetch: Option<Fetch> = None;
        let mut open = 0_usize;
        let end = |told: &Released| {
            let end = if told.verdict == Verdict::Returned { End::Back } else { End::Well };
            ends.set(usize::try_from(told.object).unwrap_or(usize::MAX), end);
        };
        loop {
            let now = *phase.borrow_and_update();
            let taking = now == Phase::Running;
            match now {
                Phase::Returning => return Ok(()),
                _ if open == 0 && (waiting.is_empty() && fetch.is_none() || now == Phase::Draining) => return Ok(()),
                _ => {}
            }
            if taking && fetch.is_none() {
                let next = waiting.pop_front();
                fetch = next.map(|(at, again)| fetched(reader.clone(), at, again, objects.clone()).boxed());
            }
            tokio::select! {
                biased;
                changed = phase.changed() => if changed.is_err() { return Ok(()) },
                told = released.recv() => match told {
                    Some(told) => { open = open.saturating_sub(1); end(&told); }
                    None => return Ok(()),
                },
                (at, found) = wait(&mut fetch), if taking && fetch.is_some() => {
                    fetch = None;
                    match found {
                        Ok((room, object)) => {
                            open += 1;
                            room.send(object);
                        }
                        Err(Some(why)) => ends.set(at, End::Missing(why)),
                        Err(None) => return Ok(()),
                    }
                }
            }
        }
    }
}

/// Room in the channel and what goes there; the reason when it cannot be had, none when the workers have gone.
type Fetched = Result<(OwnedPermit<Object>, Object), Option<String>>;
type Fetch = BoxFuture<'static, (usize, Fetched)>;

/// Waits for the letter that is being fetched; for ever when there is none.
async fn wait(fetch: &mut Option<Fetch>) -> (usize, Fetched) {
    match fetch {
        Some(fetch) => fetch.await,
        None => std::future::pending().await,
    }
}

/// The letter at this position.
async fn fetched(reader: Reader, at: usize, again: Again, objects: Sender<Object>) -> (usize, Fetched) {
    let found = async {
        let room = objects.reserve_owned().await.map_err(|_| None)?;
        Ok((room, Object { number: at as u64, ..object(&reader, &again).await.map_err(Some)? }))
    };
    (at, found.await)
}

/// A letter as an object, its number still to be set.
async fn object(reader: &Reader, again: &Again) -> Result<Object, String> {
    let name = again.origin.clone();
    let account = key::account(&name).map(str::to_owned);
    let (body, room) = match (&again.bytes, place(&name, again.version.as_deref())) {
        // Bytes out of their object are one record; a document that nobody understands is one that is unreadable.
        (Some(bytes), _) => {
            let origin = Origin { name, account, sight: Sight::Message };
            let room = reader.room(bytes.len() as u64).await.map_err(|why| explain(&why))?;
            return Ok(Object { number: 0, origin, body: record(bytes, again.index), room: Some(room), again: false });
        }
        (None, Some(place)) => {
            let got = reader.read(&place).await.map_err(|why| explain(&why))?;
            (Body::Held(got.bytes), Some(got.room))
        }
        (None, None) if name == "stdin" => return Err("it was read from standard input: replay its file by hand".to_owned()),
        (None, None) => {
            let path = PathBuf::from(&name);
            let is_file = tokio::fs::metadata(&path).await.map_err(|error| format!("reading {name} again: {error}"))?.is_file();
            if !is_file {
                return Err(format!("reading {name} again: not a file"));
            }
            (Body::File(path), None)
        }
    };
    // What fails again is about the same version.
    let sight = again.version.clone().map_or(Sight::Named, Sight::Version);
    // What came before the fault was sent, and counted.
    Ok(Object { number: 0, origin: Origin { name, account, sight }, body, room, again: true })
}

/// A record that is told by the place it had, if that is known.
fn record(bytes: &Bytes, index: Option<u64>) -> Body {
    let bytes = bytes.clone();
    match index {
        Some(index) => Body::Record { bytes, index },
        None => Body::Held(bytes),
    }
}

/// The place of an `s3://bucket/key` name.
fn place(name: &str, version: Option<&str>) -> Option<Place> {
    let (bucket, key) = name.strip_prefix("s3://")?.split_once('/')?;
    Some(Place { bucket: bucket.to_owned(), key: key.to_owned(), version: version.map(str::to_owned), bytes: None })
}

fn explain(why: &ReadError) -> String {
    match why {
        ReadError::Denied { why, missing } => format!("reading it again: {why}; missing: {missing}"),
        other => format!("reading it again: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;
    use std::time::Duration;

    use super::super::memory::{MemoryBucket, Stored, pipeline};
    use super::*;

    fn again(origin: &str, bytes: Option<&'static str>) -> Again {
        Again {
            origin: origin.to_owned(),
            version: None,
            index: None,
            bytes: bytes.map(|bytes| Bytes::from_static(bytes.as_bytes())),
        }
    }

    #[tokio::test]
    async fn each_letter_has_one_end_and_what_cannot_be_had_is_not_offered() {
        let bucket = MemoryBucket::default();
        bucket.put("k", Stored::Bytes(Bytes::from_static(b"object")));
        let limits = Limits::default();
        let letters = vec![
            again("s3://b/AWSLogs/111122223333/x", Some("record")),
            again("s3://b/k", None),
            again("s3://b/gone", None),
            again("/no/such/file", None),
            again("stdin", None),
        ];
        let source = Letters::new(letters, Some(Arc::new(bucket)), &limits);
        let ends = source.ends();
        let (intake, mut pipeline) = pipeline(8, &limits);
        let running = tokio::spawn(source.run(intake));
        let first = pipeline.objects.recv().await.unwrap();
        assert_eq!(
            (first.number, first.origin.account.as_deref(), first.origin.sight),
            (0, Some("111122223333"), Sight::Message)
        );
        let second = pipeline.objects.recv().await.unwrap();
        assert_eq!((second.number, second.origin.name.as_str(), second.origin.sight), (1, "s3://b/k", Sight::Named));
        assert!(matches!(second.body, Body::Held(bytes) if &bytes[..] == b"object"));
        pipeline.tell(0, Verdict::Returned).await;
        pipeline.tell(1, Verdict::Released).await;
        running.await.unwrap().unwrap();
        assert!(pipeline.objects.recv().await.is_none());
        let ends = ends.take();
        assert_eq!((&ends[&0], &ends[&1]), (&End::Back, &End::Well));
        for (at, says) in [(2, "it does not exist"), (3, "reading /no/such/file again: No such file"), (4, "standard input")] {
            assert!(matches!(&ends[&at], End::Missing(why) if why.contains(says)), "{at}: {:?}", ends[&at]);
        }
    }

    #[test]
    fn an_object_is_fetched_in_the_version_that_was_named() {
        let version = |named| place("s3://b/k/k", named).unwrap().version;
        assert_eq!((version(Some("v1")), version(None)), (Some("v1".to_owned()), None));
        assert_eq!(place("/a/path", Some("v1")), None);
    }

    /// While one object is on its way, others are told; that must not begin its download again.
    #[tokio::test(start_paused = true)]
    async fn an_object_is_asked_for_once_whatever_is_told_meanwhile() {
        let bucket = Arc::new(MemoryBucket { takes: Duration::from_secs(10), ..MemoryBucket::default() });
        bucket.put("k", Stored::Bytes(Bytes::from_static(b"object")));
        let limits = Limits::default();
        let letters = vec![again("a", Some("1")), again("b", Some("2")), again("s3://b/k", None)];
        let client: Arc<dyn Bucket> = Arc::<MemoryBucket>::clone(&bucket);
        let source = Letters::new(letters, Some(client), &limits);
        let ends = source.ends();
        let (intake, mut pipeline) = pipeline(8, &limits);
        let running = tokio::spawn(source.run(intake));
        for number in 0..2 {
            assert_eq!(pipeline.objects.recv().await.unwrap().number, number);
        }
        for number in 0..2 {
            tokio::time::sleep(Duration::from_secs(4)).await;
            pipeline.tell(number, Verdict::Released).await;
        }
        assert_eq!(pipeline.objects.recv().await.unwrap().number, 2);
        pipeline.tell(2, Verdict::Released).await;
        running.await.unwrap().unwrap();
        assert_eq!((bucket.opened.load(Relaxed), ends.take().len()), (1, 3));
    }

    #[tokio::test]
    async fn a_stop_leaves_the_rest_without_an_end() {
        let limits = Limits::default();
        let source = Letters::new(vec![again("a", Some("1")), again("b", Some("2"))], None, &limits);
        let ends = source.ends();
        let (intake, mut pipeline) = pipeline(1, &limits);
        pipeline.phase.send_replace(Phase::Draining);
        source.run(intake).await.unwrap();
        assert!(pipeline.objects.recv().await.is_none());
        assert!(ends.take().is_empty());
    }
}
