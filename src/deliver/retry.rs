//! How long to wait before sending again.
//!
//! In: the number of tries so far and the delay the server asked for. Out: a delay, capped and jittered, and the [`Silence`]
//! of a lane. The generator is seeded, so a test repeats exactly.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Back-off: doubling from `first` to `most`, with full jitter in the upper half.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// First delay.
    pub first: Duration,
    /// Longest delay of our own.
    pub most: Duration,
    /// Longest delay that a server may ask for; a longer one is cut to this.
    pub most_asked: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(250), most: Duration::from_secs(30), most_asked: Duration::from_mins(10) }
    }
}

impl Backoff {
    /// The delay before try number `tries` + 1 (`tries` ≥ 1). A delay that the server asked for is honoured, within bounds.
    #[must_use]
    pub fn delay(&self, tries: u32, asked: Option<Duration>, rng: &mut fastrand::Rng) -> Duration {
        let own = self.first.saturating_mul(1 << (tries.saturating_sub(1)).min(16)).min(self.most);
        let jittered = own.mul_f64(0.5 + rng.f64() / 2.0);
        match asked {
            // Jitter on top, so that agents which were refused together do not come back together.
            Some(asked) => asked.min(self.most_asked) + self.first.mul_f64(rng.f64()),
            None => jittered,
        }
    }
}

/// The silence that a server asked for: no request of the lane goes out before it is over. What the server counts are
/// requests, so another one in between would be refused as well, and counted.
#[derive(Debug, Default)]
pub struct Silence {
    until: Mutex<Option<Instant>>,
}

impl Silence {
    /// Asks for silence from now on; a longer one that was asked for before stands.
    pub fn keep(&self, time: Duration) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(Some(Instant::now() + time));
    }

    /// Waits until it is over, even if it grows meanwhile.
    pub async fn over(&self) {
        loop {
            let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_a_cap_and_follow_the_server() {
        let backoff = Backoff::default();
        let mut rng = fastrand::Rng::with_seed(7);
        for tries in 1..40 {
            let delay = backoff.delay(tries, None, &mut rng);
            let own = backoff.first.saturating_mul(1 << (tries - 1).min(16)).min(backoff.most);
            assert!(delay >= own / 2 && delay <= own, "try {tries}: {delay:?}");
        }
        let asked = backoff.delay(1, Some(Duration::from_secs(29)), &mut rng);
        assert!(asked >= Duration::from_secs(29) && asked < Duration::from_secs(30));
        assert!(backoff.delay(1, Some(Duration::from_hours(24)), &mut rng) <= Duration::from_secs(601));
    }
}
