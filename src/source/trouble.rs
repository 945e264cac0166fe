//! What is wrong with a source right now, for people: log lines at most once a minute each, and the words for the health
//! check.
//!
//! In: faults and their end. Out: an error line per kind of fault and minute, how many there were, and what is wrong now.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Time between two lines about the same thing.
const BETWEEN: Duration = Duration::from_mins(1);

/// After this a fault that nobody met again is no longer what is wrong now: a stray message has left the queue. Longer than the
/// usual visibility timeout, after which a message that stays is met again.
const FORGOTTEN: Duration = Duration::from_mins(15);

/// Most kinds remembered; more than a source has names for.
const KINDS: usize = 100;

/// What is wrong with a source that was not answered yet.
const UNHEARD: &str = "its queue has not answered yet";

/// Faults of a source that only a person can mend, and failed requests.
#[derive(Debug, Default)]
pub struct Trouble {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The source has not been answered yet, so nobody knows whether it can be read.
    unheard: bool,
    faults: u64,
    now: HashMap<String, Fault>,
}

#[derive(Debug)]
struct Fault {
    told: Instant,
    last: Instant,
    since_told: u64,
    what: String,
}

impl Trouble {
    /// Of a source that must be answered once before it counts as well.
    #[must_use]
    pub fn unheard() -> Self {
        Self { state: Mutex::new(State { unheard: true, ..State::default() }) }
    }

    /// The source was answered.
    pub(super) fn heard(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).unheard = false;
    }

    /// Something is wrong with `subject` (a queue's action, a bucket).
    pub fn report(&self, source: &str, subject: &str, what: String) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.faults += 1;
        let now = Instant::now();
        let tell = match state.now.get_mut(subject) {
            Some(fault) if now.duration_since(fault.told) < BETWEEN => {
                fault.since_told += 1;
                fault.last = now;
                fault.what = what;
                None
            }
            Some(fault) => {
                fault.told = now;
                fault.last = now;
                fault.what.clone_from(&what);
                Some((what, std::mem::take(&mut fault.since_told)))
            }
            None => {
                if state.now.len() >= KINDS {
                    state.now.clear();
                }
                state.now.insert(subject.to_owned(), Fault { told: now, last: now, since_told: 0, what: what.clone() });
                Some((what, 0))
            }
        };
        drop(state);
        if let Some((what, unsaid)) = tell {
            // Lines about the same thing that were not written meanwhile.
            let unsaid = (unsaid > 0).then_some(unsaid);
            tracing::error!(relay.source = source, unsaid, "{source}: {what}");
        }
    }

    /// `subject` did well. It is well again when it has not failed for a minute: half of a bucket may be denied.
    pub fn well(&self, subject: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.now.get(subject).is_some_and(|fault| fault.last.elapsed() >= BETWEEN) {
            state.now.remove(subject);
            drop(state);
            tracing::info!("Well again: {subject}");
        }
    }

    /// How many faults there were.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).faults
    }

    /// What is wrong now, in words; sorted, empty when all is well.
    #[must_use]
    pub fn now(&self) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let present = state.now.values().filter(|fault| fault.last.elapsed() < FORGOTTEN);
        let mut now: Vec<_> = present.map(|fault| fault.what.clone()).collect();
        if state.unheard && now.is_empty() {
            now.push(UNHEARD.to_owned());
        }
        drop(state);
        now.sort_unstable();
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn faults_are_counted_remembered_and_forgotten() {
        let trouble = Trouble::default();
        trouble.report("s", "queue", "no".to_owned());
        trouble.report("s", "queue", "still no".to_owned());
        trouble.report("s", "bucket", "denied".to_owned());
        assert_eq!((trouble.faults(), trouble.now()), (3, vec!["denied".to_owned(), "still no".to_owned()]));
        trouble.well("queue");
        assert_eq!(trouble.now().len(), 2, "too early to say");
        tokio::time::sleep(BETWEEN).await;
        trouble.well("queue");
        assert_eq!(trouble.now(), ["denied"]);
        tokio::time::sleep(FORGOTTEN).await;
        assert_eq!(trouble.now(), Vec::<String>::new(), "never met again");
        trouble.report("s", "bucket", "denied".to_owned());
        assert_eq!(trouble.now(), ["denied"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_is_not_well_before_it_was_answered() {
        let trouble = Trouble::unheard();
        assert_eq!(trouble.now(), [UNHEARD]);
        trouble.report("s", "queue", "no".to_owned());
        assert_eq!(trouble.now(), ["no"], "the reason itself says more");
        tokio::time::sleep(BETWEEN).await;
        trouble.well("queue");
        assert_eq!(trouble.now(), [UNHEARD]);
        trouble.heard();
        assert_eq!(trouble.now(), Vec::<String>::new());
    }
}
