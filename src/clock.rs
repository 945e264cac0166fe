//! Wall time, injected. Nothing else reads the system's clock.
//!
//! In: nothing. Out: milliseconds since the Unix epoch. Clones share one reading, so the agent, the stand-in and the demo
//! can live in the same moved time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Reading of a clock that shows the present until it is moved.
const NOT_MOVED: i64 = i64::MIN;

/// A source of wall time.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    fixed: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { fixed: None }
    }

    /// A clock that stands at `now_ms` (milliseconds since the epoch) until it is moved.
    #[must_use]
    pub fn fixed(now_ms: i64) -> Self {
        Self { fixed: Some(Arc::new(AtomicI64::new(now_ms))) }
    }

    /// The system's clock until it is moved for the first time; fixed from then on.
    #[must_use]
    pub fn until_moved() -> Self {
        Self::fixed(NOT_MOVED)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        if let Some(fixed) = self.fixed.as_ref().map(|fixed| fixed.load(Ordering::Relaxed)).filter(|ms| *ms != NOT_MOVED) {
            return fixed;
        }
        #[expect(clippy::disallowed_methods, reason = "the one reader of the system's clock")]
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    /// Moves a fixed clock forward to `now_ms`; a clock never goes back. No effect on the system's clock.
    pub fn advance_to(&self, now_ms: i64) {
        if let Some(fixed) = &self.fixed {
            fixed.fetch_max(now_ms, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_only_moves_forward_and_is_shared() {
        let clock = Clock::fixed(1_000);
        let other = clock.clone();
        other.advance_to(5_000);
        other.advance_to(2_000);
        assert_eq!(clock.now_ms(), 5_000);
    }
    #[test]
    fn a_clock_that_was_never_moved_shows_the_present() {
        let clock = Clock::until_moved();
        assert!(clock.now_ms() > 1_700_000_000_000);
        clock.advance_to(5_000);
        assert_eq!(clock.now_ms(), 5_000);
    }
}
