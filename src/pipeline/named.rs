//! Broken records by name, as many as a person reads.
//!
//! In: one call per broken record. Out: a line in the log for each of the first [`LINES`] of a minute, and one line that says
//! how many more there were. What always holds: every broken record is either named or counted in such a line.

use std::time::Duration;

use tokio::time::Instant;

/// Lines per minute.
const LINES: u32 = 50;
const MINUTE: Duration = Duration::from_mins(1);

/// Names broken records; says how many more when it is dropped.
#[derive(Debug)]
pub(super) struct Named {
    since: Instant,
    lines: u32,
    unsaid: u64,
}

impl Named {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), lines: 0, unsaid: 0 }
    }

    /// Names one; `fate` says what becomes of it. People count from 1, letters from 0.
    pub(super) fn tell(&mut self, object: &str, index: u64, reason: &str, fate: &str) {
        if self.may() {
            let record = index.saturating_add(1);
            tracing::warn!(object, record, reason, "Broken record {record} of {object}: {reason}; {fate}");
        }
    }

    fn may(&mut self) -> bool {
        if self.since.elapsed() >= MINUTE {
            self.say_rest();
            (self.since, self.lines) = (Instant::now(), 0);
        }
        let may = self.lines < LINES;
        if may {
            self.lines += 1;
        } else {
            self.unsaid += 1;
        }
        may
    }

    fn say_rest(&mut self) {
        let more = std::mem::take(&mut self.unsaid);
        if more > 0 {
            tracing::warn!(more, "{more} more broken records were not named here");
        }
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        self.say_rest();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_of_a_minute_are_named_and_the_others_counted() {
        let mut named = Named::new();
        let told = |named: &mut Named, times: u32| (0..times).filter(|_| named.may()).count();
        assert_eq!((told(&mut named, 60), named.unsaid), (50, 10));
        tokio::time::sleep(MINUTE).await;
        assert_eq!((told(&mut named, 3), named.unsaid), (3, 0), "the rest was said with the new minute");
    }
}
