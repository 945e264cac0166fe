//! Past files, once, in a stable order.
//!
//! In: files, folders, `s3://bucket/prefix`, standard input. Out: their objects, in the order of the arguments and, within a
//! folder or prefix, of the keys, numbered in that order. What always holds: one folder's names or one page of keys is held,
//! never the whole tree; an object that cannot be had does not stop the others and is an error in the end. A returned object
//! is not offered again in the same run: whoever started the replay is told its name and can start it again. Objects whose
//! records went back for their age only are no error; [`Snapshot::refused_late`](crate::ack::counts::Snapshot) counts those.

mod walk;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use futures_util::future::BoxFuture;
use tokio::sync::OwnedSemaphorePermit;

use self::walk::{Step, Walk};
use super::bucket::{Bucket, Place, ReadError, Reader};
use super::skipped::Skipped;
use super::{Body, Fault, Intake, Object, Origin, Phase, Sight, Source, SourceError, key};
use crate::ack::{Counts, Released, Verdict};
use crate::config::Limits;

/// What to replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file, or a folder with all below it.
    Path(PathBuf),
    /// All keys under a prefix.
    S3 {
        /// Bucket name.
        bucket: String,
        /// Key prefix; empty: the whole bucket.
        prefix: String,
    },
    /// Standard input.
    Stdin,
}

impl Input {
    /// Reads an argument: `-`, `s3://bucket[/prefix]`, or a path.
    ///
    /// # Errors
    /// When an `s3://` address names no bucket.
    pub fn parse(text: &OsStr) -> Result<Self, SourceError> {
        let Some(address) = text.to_str().and_then(|text| text.strip_prefix("s3://")) else {
            return Ok(if text == "-" { Self::Stdin } else { Self::Path(PathBuf::from(text)) });
        };
        let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
        if bucket.is_empty() {
            return Err(SourceError::new(
                format!("reading {}: it names no bucket", text.display()),
                Some("write s3://bucket or s3://bucket/prefix"),
            ));
        }
        Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// Whether it can be read only once: standard input, or a path that is neither a file nor a folder.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        match self {
            Self::Stdin => true,
            Self::Path(path) => std::fs::metadata(path).is_ok_and(|what| !what.is_file() && !what.is_dir()),
            Self::S3 { .. } => false,
        }
    }

    /// A path that does not exist is a slip of the keyboard. A bucket is not asked for.
    ///
    /// # Errors
    /// When the path cannot be looked at, and why.
    pub fn exists(&self) -> Result<(), SourceError> {
        let Self::Path(path) = self else { return Ok(()) };
        match std::fs::metadata(path) {
            Ok(_) => Ok(()),
            Err(error) => Err(SourceError::new(format!("reading {}: {error}", path.display()), Some(NAMES))),
        }
    }
}

/// How far a replay has come, for whoever draws a progress bar.
#[derive(Debug, Default)]
pub struct Progress {
    found: AtomicU64,
    found_bytes: AtomicU64,
    ended: AtomicU64,
    ended_bytes: AtomicU64,
    unread: AtomicU64,
    listed: AtomicBool,
    stopped: AtomicBool,
}

/// [`Progress`] at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// Objects handed on so far.
    pub found: u64,
    /// Their packed bytes; standard input counts as none.
    pub found_bytes: u64,
    /// Objects that have ended, well or not.
    pub ended: u64,
    /// Their packed bytes.
    pub ended_bytes: u64,
    /// Objects that could not be read, or went back.
    pub unread: u64,
    /// Whether everything has been found: `found` grows no more.
    pub complete: bool,
    /// Whether a stop came before everything had been found and handed on.
    pub stopped: bool,
}

impl Progress {
    /// Reads it.
    #[must_use]
    pub fn read(&self) -> Reading {
        // Ends are read first, so that a moving picture never shows more ended than found.
        let (ended, ended_bytes) = (self.ended.load(Relaxed), self.ended_bytes.load(Relaxed));
        Reading {
            ended,
            ended_bytes,
            found: self.found.load(Relaxed),
            found_bytes: self.found_bytes.load(Relaxed),
            unread: self.unread.load(Relaxed),
            complete: self.listed.load(Relaxed),
            stopped: self.stopped.load(Relaxed),
        }
    }
}

/// The source of `cspm-relay replay`.
#[derive(Debug)]
pub struct Replay {
    inputs: Vec<Input>,
    bucket: Option<Arc<dyn Bucket>>,
    limits: Limits,
    progress: Arc<Progress>,
    skipped: Arc<Skipped>,
    hushed: Arc<AtomicBool>,
}

/// Where standard input comes from.
const STDIN: &str = "stdin";

/// What to name.
const NAMES: &str = "name files, folders, s3://bucket/prefix, or - for standard input";

impl Replay {
    /// A replay of `inputs`, in this order. `bucket` is needed where one of them is [`Input::S3`].
    #[must_use]
    pub fn new(inputs: Vec<Input>, bucket: Option<Arc<dyn Bucket>>, limits: &Limits) -> Self {
        Self { inputs, bucket, limits: limits.clone(), progress: Arc::default(), skipped: Arc::default(), hushed: Arc::default() }
    }

    /// A look at the input: what cannot be read will be met again and is not worth a word yet.
    #[must_use]
    pub fn quiet(self) -> Self {
        self.hushed.store(true, Relaxed);
        self
    }

    /// Set by whoever ends the replay because nobody wants to know any more: what was not replayed is then not named.
    #[must_use]
    pub fn hushed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.hushed)
    }

    /// What it passes over; take it before the replay runs.
    #[must_use]
    pub fn skipped(&self) -> Arc<Skipped> {
        Arc::clone(&self.skipped)
    }

    /// How far it has come; take it before the replay runs.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// An input that cannot be there is said before anything is sent.
    fn look(&self) -> Result<(), SourceError> {
        self.inputs.iter().try_for_each(|input| match input {
            Input::S3 { bucket, .. } if self.bucket.is_none() => {
                Err(SourceError::new(format!("reading s3://{bucket}: no S3 client was given"), None))
            }
            Input::Path(_) => input.exists(),
            Input::S3 { .. } | Input::Stdin => Ok(()),
        })
    }
}

impl Source for Replay {
    async fn run(self, intake: Intake) -> Result<(), SourceError> {
        self.look()?;
        let Intake { counts, objects, mut released, budget, mut phase } = intake;
        let Self { inputs, bucket, limits, progress, skipped, hushed } = self;
        let reader = Reader { bucket, budget, limits };
        let finder = Finder { inputs: inputs.into_iter(), at: At::Between, reader, counts, skipped };
        // The search goes on one object ahead; its future is kept, never dropped half-way, because it holds the position.
        let mut search = Some(finder.search());
        let mut ahead: Option<Found> = None;
        let (objects_open, unread) = (HashMap::new(), Unread::default());
        let mut open = Open { progress, hushed, objects: objects_open, unread, last: None, stopping: false };
        for number in 0.. {
            // One turn per object sent; within a turn, everything else is heard.
            loop {
                let now = *phase.borrow_and_update();
                let over = search.is_none() && ahead.is_none();
                match now {
                    Phase::Returning => return open.stopped(over, ahead),
                    Phase::Draining if open.objects.is_empty() => return open.stopped(over, ahead),
                    _ if over && open.objects.is_empty() => return open.unread.into_result(),
                    _ => {}
                }
                let taking = now == Phase::Running;
                // A stop wants to know whether that was all, and where it stopped.
                let looking = ahead.is_none() && now != Phase::Paused;
                tokio::select! {
                    biased;
                    changed = phase.changed() => if changed.is_err() { return Ok(()) },
                    told = released.recv() => match told {
                        Some(told) => {
                            // Standard input ends because of the phase, which may have changed since the turn began.
                            open.stopping = *phase.borrow() >= Phase::Draining;
                            open.ended(&told);
                        }
                        None => return Ok(()),
                    },
                    room = objects.reserve(), if taking && ahead.is_some() => {
                        let Ok(room) = room else { return Ok(()) };
                        if let Some(found) = ahead.take() {
                            room.send(open.enter(number, found));
                            break;
                        }
                    }
                    found = wait(&mut search), if looking && search.is_some() => {
                        let (finder, found) = found;
                        search = match found {
                            Some(Ok(found)) => { ahead = Some(found); Some(finder.search()) }
                            Some(Err(left)) => { open.left(left); Some(finder.search()) }
                            None => { open.progress.listed.store(true, Relaxed); None }
                        };
                    }
                }
            }
        }
        Ok(())
    }
}

/// An object that is open.
struct Sent {
    origin: Origin,
    /// Packed.
    bytes: u64,
    is_stream: bool,
}

/// What has been sent and not told yet.
struct Open {
    progress: Arc<Progress>,
    hushed: Arc<AtomicBool>,
    objects: HashMap<u64, Sent>,
    unread: Unread,
    /// The name of the last object that was sent.
    last: Option<String>,
    stopping: bool,
}

impl Open {
    fn enter(&mut self, number: u64, found: Found) -> Object {
        let Found { origin, bytes, body, room } = found;
        self.progress.found_bytes.fetch_add(bytes, Relaxed);
        self.progress.found.fetch_add(1, Relaxed);
        self.last = Some(origin.name.clone());
        self.objects.insert(number, Sent { origin: origin.clone(), bytes, is_stream: body.is_stream() });
        // These are past: `run`, or a replay before this one, may have counted their records, and nothing here can tell.
        Object { number, origin, body, room, again: true }
    }

    fn ended(&mut self, told: &Released) {
        let Some(Sent { origin, bytes, is_stream }) = self.objects.remove(&told.object) else {
            tracing::error!(object = told.object, "Told of an object that is not open: a fault of the pipeline");
            return;
        };
        self.progress.ended_bytes.fetch_add(bytes, Relaxed);
        self.progress.ended.fetch_add(1, Relaxed);
        if told.verdict == Verdict::Returned {
            self.progress.unread.fetch_add(1, Relaxed);
            let why = if self.stopping && is_stream {
                "stopped before its end was read"
            } else {
                "not all of its records could be delivered or parked"
            };
            let went_back = Left { name: origin.name, why: why.to_owned() };
            // What went back for its age only is counted, and the caller says it once.
            if told.only_late {
                tracing::debug!(object = %went_back.name, "Its records are too old to be sent: {}", went_back.name);
            } else {
                self.say(&went_back);
                self.unread.add(went_back);
            }
        }
    }

    fn left(&mut self, left: Left) {
        self.say(&left);
        self.progress.unread.fetch_add(1, Relaxed);
        self.unread.add(left);
    }

    /// A stop: what is open goes back, and what was not reached is not replayed. `over`: everything was reached; `ahead`: what
    /// would have been next.
    fn stopped(mut self, over: bool, ahead: Option<Found>) -> Result<(), SourceError> {
        let mut open: Vec<_> = self.objects.drain().collect();
        open.sort_unstable_by_key(|(number, _)| *number);
        for (_, Sent { origin, .. }) in open {
            self.left(Left { name: origin.name, why: "stopped before everything of it was sent".to_owned() });
        }
        if !over {
            let name = match (ahead, self.last.take()) {
                (Some(next), _) => format!("{} and what comes after it", next.origin.name),
                (None, Some(last)) => format!("what comes after {last}"),
                (None, None) => "the input".to_owned(),
            };
            self.progress.stopped.store(true, Relaxed);
            let rest = Left { name, why: "stopped before it was read".to_owned() };
            self.say(&rest);
            self.unread.add(rest);
        }
        self.unread.into_result()
    }

    fn say(&self, left: &Left) {
        if !self.hushed.load(Relaxed) {
            tracing::error!(object = %left.name, "Not replayed: {}: {}", left.name, left.why);
        }
    }
}

/// What was not replayed; the first one stands for all in the error, each has its own log line.
#[derive(Default)]
struct Unread {
    count: u64,
    first: Option<Left>,
}

impl Unread {
    fn add(&mut self, left: Left) {
        self.count += 1;
        self.first.get_or_insert(left);
    }

    fn into_result(self) -> Result<(), SourceError> {
        let Some(Left { name, why }) = self.first else { return Ok(()) };
        let others = match self.count {
            0 | 1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        Err(SourceError::new(
            format!("replaying {name}: {why}{others}"),
            Some("the log names each one; replay these again once the cause is mended"),
        ))
    }
}

/// An object that was found and may be sent.
struct Found {
    origin: Origin,
    bytes: u64,
    body: Body,
    room: Option<OwnedSemaphorePermit>,
}

/// One that cannot be.
struct Left {
    name: String,
    why: String,
}

/// The position in the inputs.
struct Finder {
    inputs: std::vec::IntoIter<Input>,
    at: At,
    reader: Reader,
    counts: Arc<Counts>,
    skipped: Arc<Skipped>,
}

enum At {
    Between,
    Folder(Walk),
    Prefix { bucket: String, prefix: String, page: std::vec::IntoIter<(String, u64)>, next: Next },
}

/// Whether a listing goes on.
enum Next {
    Page(Option<String>),
    Over,
}

type Search = BoxFuture<'static, (Finder, Option<Result<Found, Left>>)>;

/// Waits for the search under way; for ever when there is none.
async fn wait(search: &mut Option<Search>) -> (Finder, Option<Result<Found, Left>>) {
    match search {
        Some(search) => search.await,
        None => std::future::pending().await,
    }
}

impl Finder {
    /// Looks for the next object; gives the position back with it.
    fn search(mut self) -> Search {
        Box::pin(async move {
            let found = self.next().await;
            (self, found)
        })
    }

    async fn next(&mut self) -> Option<Result<Found, Left>> {
        loop {
            match &mut self.at {
                At::Between => match self.inputs.next()? {
                    Input::Stdin => return Some(Ok(Found::whole(STDIN.to_owned(), 0, Body::Stdin))),
                    Input::S3 { bucket, prefix } => {
                        self.at = At::Prefix { bucket, prefix, page: Vec::new().into_iter(), next: Next::Page(None) };
                    }
                    Input::Path(path) => {
                        // Its name is kept in dead letters, which are replayed from any folder.
                        let path = std::path::absolute(&path).unwrap_or(path);
                        match tokio::fs::metadata(&path).await {
                            Ok(what) if what.is_dir() => self.at = At::Folder(Walk::new(path)),
                            Ok(what) if !what.is_file() => {
                                return Some(Ok(Found::whole(path.display().to_string(), 0, Body::Pipe(path))));
                            }
                            // Named by hand: not skipped, whatever it is called.
                            Ok(what) => return Some(Ok(Found::file(path, what.len()))),
                            Err(error) => return Some(Err(Left { name: path.display().to_string(), why: error.to_string() })),
                        }
                    }
                },
                At::Folder(walk) => match walk.next().await {
                    None => self.at = At::Between,
                    Some(Step::Skipped(path)) => self.skipped(&path.display().to_string(), "hidden or not a file"),
                    Some(Step::Fault(path, kind)) => {
                        return Some(Err(Left { name: path.display().to_string(), why: kind.to_string() }));
                    }
                    Some(Step::File(path, bytes)) => match reason_to_skip(&path.to_string_lossy(), bytes) {
                        Some(why) => self.skipped(&path.display().to_string(), why),
                        None => return Some(Ok(Found::file(path, bytes).beside())),
                    },
                },
                At::Prefix { .. } => match self.key().await {
                    None => self.at = At::Between,
                    Some(found) => return Some(found),
                },
            }
        }
    }

    /// The next object of a listing.
    async fn key(&mut self) -> Option<Result<Found, Left>> {
        let At::Prefix { bucket, prefix, page, next } = &mut self.at else { return None };
        loop {
            let Some((key, bytes)) = page.next() else {
                let Next::Page(from) = next else { return None };
                match self.reader.list(bucket, prefix, from.as_deref()).await {
                    Ok(listed) => {
                        *page = listed.objects.into_iter();
                        *next = listed.next.map_or(Next::Over, |from| Next::Page(Some(from)));
                        continue;
                    }
                    Err(why) => {
                        *next = Next::Over;
                        return Some(Err(Left { name: format!("s3://{bucket}/{prefix}"), why: explain(&why) }));
                    }
                }
            };
            let place = Place { bucket: bucket.clone(), key, version: None, bytes: Some(bytes) };
            if let Some(why) = reason_to_skip(&place.key, bytes) {
                // Not `self.skipped`: the position is borrowed.
                self.counts.skipped();
                self.skipped.note(why, &place.to_string());
                tracing::debug!(object = %place, "Skipped {place}: {why}");
                continue;
            }
            let (body, room) = match self.reader.read(&place).await {
                Ok(read) => (Body::Held(read.bytes), Some(read.room)),
                Err(ReadError::Gone) => (Body::Missing(Fault::Gone), None),
                Err(ReadError::TooLarge { bytes }) => (Body::Missing(Fault::TooLarge { bytes }), None),
                Err(why) => return Some(Err(Left { name: place.to_string(), why: explain(&why) })),
            };
            let origin =
                Origin { name: place.to_string(), account: key::account(&place.key).map(str::to_owned), sight: Sight::Beside };
            return Some(Ok(Found { origin, bytes, body, room }));
        }
    }

    fn skipped(&self, name: &str, why: &'static str) {
        self.counts.skipped();
        self.skipped.note(why, name);
        tracing::debug!(object = name, "Skipped {name}: {why}");
    }
}

impl Found {
    fn whole(name: String, bytes: u64, body: Body) -> Self {
        Self {
            origin: Origin { account: key::account(&name).map(str::to_owned), name, sight: Sight::Named },
            bytes,
            body,
            room: None,
        }
    }

    /// Nobody named it.
    fn beside(mut self) -> Self {
        self.origin.sight = Sight::Beside;
        self
    }

    fn file(path: PathBuf, bytes: u64) -> Self {
        Self::whole(path.display().to_string(), bytes, Body::File(path))
    }
}

/// Why an object that nobody named by hand is passed over. An empty object under a trail's name is a fault, not passed over.
fn reason_to_skip(key: &str, bytes: u64) -> Option<&'static str> {
    let empty = || (bytes == 0 && !key::names_trail(key)).then_some("empty");
    let by_name = || (!may_hold_records(key)).then_some("its name ends like no file of records");
    key::skip(key).map(key::Skip::as_str).or_else(empty).or_else(by_name)
}

/// Endings of names, before an optional `.gz`, under which records are kept; no ending at all may be one.
const ENDINGS: [&str; 5] = ["json", "ndjson", "jsonl", "log", "gz"];

/// Whether a file that stands in a folder may hold records: a folder of them often has a README beside them.
fn may_hold_records(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or(key);
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.rsplit_once('.').is_none_or(|(_, ending)| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// A fault with what to do about it.
fn explain(why: &ReadError) -> String {
    match why {
        ReadError::Denied { why, missing } => format!("{why}; missing: {missing}"),
        other => other.to_string(),
    }
}
