//! Loss of signal: how long a signal was silent.
//!
//! In: the rows of a signal as they arrive. Out: every [`Silence`] as long as `expirationDuration`. What always holds: the clock is
//! that of the wall; a signal that never had a row in a window is not lost.

use super::super::engine::windowed::Arrival;

/// A signal was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Silence {
    /// When its time was over, ms.
    pub(super) lost_ms: i64,
    /// When the next row came, ms.
    pub(super) returned_ms: Option<i64>,
    /// End of the last window that had a row then, ms; never before that of an earlier silence.
    pub(super) last_end_ms: i64,
    /// The last row said that the end was to be expected.
    pub(super) expected: bool,
}

/// A signal whose rows are waited for.
#[derive(Debug, Default)]
pub(super) struct Watch {
    last: Option<Last>,
    silences: Vec<Silence>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    ms: i64,
    end_ms: i64,
    expected: bool,
}

impl Watch {
    /// A row came; `end_ms` is the end of the last window it counts in, none if it was late for all.
    pub(super) fn row(&mut self, arrival: &Arrival, end_ms: Option<i64>, expires_ms: i64) {
        let (ms, expected) = (arrival.received_ms, arrival.marked);
        let Some(last) = &mut self.last else {
            self.last = end_ms.map(|end_ms| Last { ms, end_ms, expected });
            return;
        };
        if ms - last.ms >= expires_ms {
            self.silences.push(Silence {
                lost_ms: last.ms + expires_ms,
                returned_ms: Some(ms),
                last_end_ms: last.end_ms,
                expected: last.expected,
            });
        }
        *last = Last { ms, end_ms: end_ms.map_or(last.end_ms, |end_ms| end_ms.max(last.end_ms)), expected };
    }

    /// All silences up to the end of the range.
    pub(super) fn end(mut self, expires_ms: i64, end_ms: i64) -> Vec<Silence> {
        if let Some(last) = self.last.filter(|last| last.ms + expires_ms < end_ms) {
            self.silences.push(Silence {
                lost_ms: last.ms + expires_ms,
                returned_ms: None,
                last_end_ms: last.end_ms,
                expected: last.expected,
            });
        }
        self.silences
    }
}
