//! One term of a condition watches one signal.
//!
//! In: the values of the windows, in order. Out: when the term is met and when the signal has recovered. What always holds: a gap is
//! no value, neither bad nor good; the values before an incident was closed by something else still count. Incidents themselves are
//! not known here.

use crate::nrql::condition::{Comparison, Occurrences, Term};

/// What a value did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The term is met: an incident is due if none is open.
    Met,
    /// All values since `since_ms` are good, for as long as the duration: an open incident ends there.
    Recovered {
        since_ms: i64,
    },
    None,
}

/// A term and what it has seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    term: Term,
    /// How many values a duration has.
    needed: u32,
    bad: u32,
    good: u32,
    /// When the first of the good values was there, ms.
    since_ms: i64,
}

impl Watch {
    /// `step_s`: how far the windows' ends are apart, s.
    pub(super) fn new(term: &Term, step_s: u32) -> Self {
        Self { term: *term, needed: (term.duration_s / step_s.max(1)).max(1), bad: 0, good: 0, since_ms: 0 }
    }

    /// Nothing was seen yet.
    pub(super) fn forget(&mut self) {
        (self.bad, self.good) = (0, 0);
    }

    /// A window without a value.
    pub(super) fn gap(&mut self, restarts_recovery: bool) {
        self.bad = 0;
        if restarts_recovery {
            self.good = 0;
        }
    }

    /// The value of the next window, known at `at_ms`.
    pub(super) fn value(&mut self, value: f64, at_ms: i64) -> Change {
        if breaches(self.term.comparison, value, self.term.threshold) {
            (self.bad, self.good) = (self.bad.saturating_add(1), 0);
            let needed = if self.term.occurrences == Occurrences::All { self.needed } else { 1 };
            return if self.bad >= needed { Change::Met } else { Change::None };
        }
        if self.good == 0 {
            self.since_ms = at_ms;
        }
        (self.bad, self.good) = (0, self.good.saturating_add(1));
        if self.good >= self.needed { Change::Recovered { since_ms: self.since_ms } } else { Change::None }
    }
}

/// Whether a value is on the wrong side.
#[expect(clippy::float_cmp, reason = "EQUALS means equal")]
fn breaches(comparison: Comparison, value: f64, threshold: f64) -> bool {
    match comparison {
        Comparison::Above => value > threshold,
        Comparison::AboveOrEquals => value >= threshold,
        Comparison::Below => value < threshold,
        Comparison::BelowOrEquals => value <= threshold,
        Comparison::Equals => value == threshold,
        Comparison::NotEquals => value != threshold,
    }
}
