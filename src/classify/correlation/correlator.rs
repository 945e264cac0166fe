//! Where correlations are asked, by every thread.
//!
//! In: what a record feeds. Out: the correlations that it completes. Three ways: an agent answers as records come; a replay first
//! gathers, and then answers what records in the order of their time would have been told, so that it says the same every time. What
//! always holds: the lock is held for a record that a named rule matched, and for no other.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::compiled::Correlations;
use super::feed::{Digest, Feed, record_digest};
use super::state::{BYTES, Disorder, Lost, Offered, State};

/// Most bytes that a replay gathers, and that it remembers while it looks for answers.
pub(super) const GATHERED_BYTES: usize = 512 << 20;
const REPLAYED_BYTES: usize = 128 << 20;

/// Answers for all threads of a run.
#[derive(Debug)]
pub struct Correlator(Mutex<How>);

#[derive(Debug)]
enum How {
    /// As records come. Without a clock none is ahead of it.
    Live { state: State, is_clocked: bool },
    /// Nothing is answered yet.
    Gathering(Gathered),
    /// By account and event id: rule numbers of what the record completes.
    Known(HashMap<Digest, Vec<u32>>, Lost),
}

#[derive(Debug, Default)]
struct Gathered {
    records: Vec<GatheredRecord>,
    bytes: usize,
    lost: u64,
}

#[derive(Debug)]
struct GatheredRecord {
    time_ms: i64,
    id: Box<str>,
    feeds: Vec<Feed>,
    muted: Vec<Mute>,
    /// When it came.
    now_ms: i64,
}

/// That an exception mutes a correlation for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::classify) struct Mute {
    /// Number of the correlation's rule.
    pub(in crate::classify) rule: u32,
    /// The first moment at which it does not.
    pub(in crate::classify) until_ms: i64,
}

/// A record that may complete something.
#[derive(Debug)]
pub(in crate::classify) struct Offer {
    pub(in crate::classify) time_ms: i64,
    /// Account and event id.
    pub(in crate::classify) id: String,
    pub(in crate::classify) feeds: Vec<Feed>,
    pub(in crate::classify) muted: Vec<Mute>,
}

/// What was not looked at, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Thrown {
    /// Records that no longer count, as there were too many groups or records.
    pub records: u64,
    /// Records too far behind or ahead of the others.
    pub out_of_time: u64,
}

impl Thrown {
    /// What was added since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            records: self.records.saturating_sub(before.records),
            out_of_time: self.out_of_time.saturating_sub(before.out_of_time),
        }
    }
}

impl Default for Correlator {
    fn default() -> Self {
        Self::live()
    }
}

impl Correlator {
    /// One that answers as records come.
    #[must_use]
    pub fn live() -> Self {
        Self::of(How::Live { state: State::new(Disorder::LIVE, BYTES), is_clocked: true })
    }

    /// One that gathers.
    #[must_use]
    pub fn gathering() -> Self {
        Self::of(How::Gathering(Gathered::default()))
    }

    fn of(how: How) -> Self {
        Self(Mutex::new(how))
    }

    /// Answers as records come, from now on, whatever the clock shows: they are of the past.
    pub(in crate::classify) fn become_past(&self) {
        *self.locked() = How::Live { state: State::new(Disorder::LIVE, REPLAYED_BYTES), is_clocked: false };
    }

    /// Gives, from now on, the answers that what was gathered gives in the order of time, then of ids. `moment_ms`: when exceptions
    /// are looked at; `None`: as each record came.
    pub(in crate::classify) fn answer_from(&self, gathered: &Self, correlations: &Correlations, moment_ms: Option<i64>) {
        let taken = match &mut *gathered.locked() {
            How::Gathering(gathered) => std::mem::take(gathered),
            _ => Gathered::default(),
        };
        let Gathered { mut records, lost, .. } = taken;
        records.sort_by(|a, b| a.time_ms.cmp(&b.time_ms).then_with(|| a.id.cmp(&b.id)));
        let mut state = State::new(Disorder::SORTED, REPLAYED_BYTES);
        let mut answers = HashMap::new();
        for GatheredRecord { time_ms, id, feeds, muted, now_ms } in records {
            let (id, muted) = (record_digest(&id), now_muted(&muted, moment_ms.unwrap_or(now_ms)));
            let fired = state.offer(correlations, Offered { time_ms, id, feeds: &feeds, muted: &muted }, time_ms);
            if !fired.is_empty() {
                answers.insert(id, fired);
            }
        }
        let lost = Lost { hits: state.lost.hits.saturating_add(lost), off: state.lost.off };
        *self.locked() = How::Known(answers, lost);
    }

    /// What the record completes, as rule numbers.
    pub(in crate::classify) fn offer(&self, correlations: &Correlations, offer: Offer, now_ms: i64) -> Vec<u32> {
        let Offer { time_ms, id, feeds, muted } = offer;
        let digest = record_digest(&id);
        match &mut *self.locked() {
            How::Live { state, is_clocked } => {
                let muted = now_muted(&muted, now_ms);
                let record = Offered { time_ms, id: digest, feeds: &feeds, muted: &muted };
                state.offer(correlations, record, if *is_clocked { now_ms } else { i64::MAX })
            }
            How::Gathering(gathered) => {
                gathered.put(GatheredRecord { time_ms, id: id.into(), feeds, muted, now_ms });
                Vec::new()
            }
            How::Known(answers, _) => answers.get(&digest).cloned().unwrap_or_default(),
        }
    }

    /// What was not looked at, since the start.
    #[must_use]
    pub fn thrown(&self) -> Thrown {
        let lost = match &*self.locked() {
            How::Live { state, .. } => state.lost,
            How::Gathering(gathered) => Lost { hits: gathered.lost, off: 0 },
            How::Known(_, lost) => *lost,
        };
        Thrown { records: lost.hits, out_of_time: lost.off }
    }

    /// A thread that panicked leaves counts as good as they were.
    fn locked(&self) -> MutexGuard<'_, How> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gathered {
    fn put(&mut self, record: GatheredRecord) {
        let bytes = record.bytes();
        if self.bytes.saturating_add(bytes) > GATHERED_BYTES {
            self.lost += 1;
            return;
        }
        self.bytes += bytes;
        self.records.push(record);
    }
}

impl GatheredRecord {
    /// About what it takes: a list doubles when it grows.
    fn bytes(&self) -> usize {
        let values: usize = self.feeds.iter().map(|feed| feed.values.capacity() * size_of::<u64>()).sum();
        let (feeds, muted) = (self.feeds.capacity() * size_of::<Feed>(), self.muted.capacity() * size_of::<Mute>());
        2 * size_of::<Self>() + self.id.len() + feeds + muted + values
    }
}

/// The rules that are muted at this moment.
fn now_muted(muted: &[Mute], now_ms: i64) -> Vec<u32> {
    muted.iter().filter(|mute| now_ms < mute.until_ms).map(|mute| mute.rule).collect()
}
