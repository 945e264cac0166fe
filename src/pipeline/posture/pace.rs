//! How often those look at the clock who work by it, and how far each has got.
//!
//! In: the time between two looks. Out: whether everything that was due by a time has been done, for whoever moves the clock itself.
//! What always holds: a time is said only after the work that was due by then has ended.

use std::time::Duration;

use tokio::sync::watch;

/// Time between two looks, where nobody moves the clock.
const LOOK: Duration = Duration::from_millis(500);

/// Who works by the clock.
#[derive(Debug, Clone, Copy)]
pub(super) enum Worker {
    /// Reads AWS Config and sends what the state says.
    Schedule,
    /// Reads IAM.
    Inventory,
}

/// How often they look, and how far they have got.
#[derive(Debug)]
pub struct Pace {
    look: Duration,
    /// Up to when each is done, milliseconds since the epoch.
    done: watch::Sender<[i64; 2]>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::of(LOOK)
    }
}

impl Pace {
    /// With so much time between two looks.
    #[must_use]
    pub fn of(look: Duration) -> Self {
        Self { look, done: watch::Sender::new([i64::MIN; 2]) }
    }

    /// Waits until both have done what was due at `ms`, milliseconds since the epoch. Only where both work: who reads no IAM waits
    /// for ever.
    pub async fn done(&self, ms: i64) {
        // It cannot be closed: the sender is here.
        let mut done = self.done.subscribe();
        let _until = done.wait_for(|done| done.iter().all(|done| *done >= ms)).await;
    }

    /// Says that all is done that was due at `ms`, and waits for the next look.
    pub(super) async fn next_look(&self, who: Worker, ms: i64) {
        self.done.send_modify(|done| match (who, done) {
            (Worker::Schedule, [done, _]) | (Worker::Inventory, [_, done]) => *done = ms,
        });
        tokio::time::sleep(self.look).await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_moves_the_clock_waits_for_both() {
        let pace = Pace::of(Duration::from_millis(1));
        assert_eq!(pace.done(5).now_or_never(), None);
        pace.next_look(Worker::Schedule, 7).await;
        assert_eq!(pace.done(5).now_or_never(), None, "the other has not looked yet");
        pace.next_look(Worker::Inventory, 5).await;
        assert_eq!(pace.done(5).now_or_never(), Some(()));
        assert_eq!(pace.done(6).now_or_never(), None);
    }
}
