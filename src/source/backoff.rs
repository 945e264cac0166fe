//! How long to wait before trying again.
//!
//! In: how often it went wrong. Out: a delay that doubles up to a ceiling, half of it by chance, so that many agents that
//! fail together do not come back together.

use std::time::Duration;

/// A growing delay.
#[derive(Debug)]
pub(super) struct Backoff {
    failures: u32,
}

/// First delay at most.
const FIRST: Duration = Duration::from_millis(500);
/// No delay is longer.
const LONGEST: Duration = Duration::from_secs(30);

impl Backoff {
    pub(super) fn new() -> Self {
        Self { failures: 0 }
    }

    /// It went wrong again: how long to wait now.
    pub(super) fn next(&mut self) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        whole / 2 + (whole / 2).mul_f64(fastrand::f64())
    }

    /// How often it went wrong since it last went well.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// It went well.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_ceiling_and_begin_again() {
        let mut backoff = Backoff::new();
        for expected_ms in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            let delay = backoff.next().as_millis();
            assert!((expected_ms / 2..=expected_ms).contains(&delay), "{delay} ms of {expected_ms} ms");
        }
        for _ in 0..100 {
            assert!(backoff.next() <= LONGEST);
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
