//! Where correlations are asked, by every thread.
//!
//! In: what a record feeds. Out: the correlations that it completes. Three ways: an agent answers as records come; a replay first
//! gathers, and then answers what records in the order of their time would have been told, so that it says the same every time. What
//! always holds: the lock is held for a record that a named rule matched, and for no other.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::compiled::Correlations;
use super::feed::Feed;
use super::state::{BACK_MS, Lost, State};

/// Most records that a replay gathers.
const GATHERED: usize = 2_000_000;

/// Answers for all threads of a run.
#[derive(Debug)]
pub struct Correlator(How);

#[derive(Debug)]
enum How {
    /// As records come.
    Live(Mutex<State>),
    /// Nothing is answered yet.
    Gathering(Mutex<Gathered>),
    /// By account and event id: rule numbers of what the record completes.
    Known(HashMap<Box<str>, Vec<u32>>, Lost),
}

#[derive(Debug, Default)]
struct Gathered {
    records: Vec<(i64, Box<str>, Vec<Feed>)>,
    lost: u64,
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
        Self(How::Live(Mutex::new(State::new(BACK_MS))))
    }

    /// One that gathers.
    #[must_use]
    pub fn gathering() -> Self {
        Self(How::Gathering(Mutex::default()))
    }

    /// The answers that what was gathered gives in the order of time, then of ids.
    pub(in crate::classify) fn answers(&self, correlations: &Correlations) -> Self {
        let How::Gathering(gathered) = &self.0 else { return Self(How::Known(HashMap::new(), Lost::default())) };
        let Gathered { mut records, lost } = std::mem::take(&mut *locked(gathered));
        records.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        let mut state = State::new(0);
        let mut answers = HashMap::new();
        for (time_ms, id, feeds) in records {
            let fired = state.offer(correlations, time_ms, &id, &feeds, time_ms);
            if !fired.is_empty() {
                answers.insert(id, fired);
            }
        }
        let lost = Lost { hits: state.lost.hits.saturating_add(lost), off: state.lost.off };
        Self(How::Known(answers, lost))
    }

    /// What the record completes, as rule numbers.
    pub(in crate::classify) fn offer(
        &self,
        correlations: &Correlations,
        time_ms: i64,
        id: &str,
        feeds: Vec<Feed>,
        now_ms: i64,
    ) -> Vec<u32> {
        match &self.0 {
            How::Live(state) => locked(state).offer(correlations, time_ms, id, &feeds, now_ms),
            How::Gathering(gathered) => {
                let mut gathered = locked(gathered);
                if gathered.records.len() < GATHERED {
                    gathered.records.push((time_ms, id.into(), feeds));
                } else {
                    gathered.lost += 1;
                }
                Vec::new()
            }
            How::Known(answers, _) => answers.get(id).cloned().unwrap_or_default(),
        }
    }

    /// What was not looked at, since the start.
    #[must_use]
    pub fn thrown(&self) -> Thrown {
        let lost = match &self.0 {
            How::Live(state) => locked(state).lost,
            How::Gathering(gathered) => Lost { hits: locked(gathered).lost, off: 0 },
            How::Known(_, lost) => *lost,
        };
        Thrown { records: lost.hits, out_of_time: lost.off }
    }
}

/// A thread that panicked leaves counts as good as they were.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
