//! What an evaluation is run with.
//!
//! What always holds: what New Relic's pages leave open about streaming has a switch here, with the choice made and why; no other
//! place of `streaming` decides it.

use super::super::engine;
use crate::nrql::condition::Priority;

/// Everything beside rows, condition and range.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Of the query. How long rows are kept does not count here: a condition sees a row when it arrives.
    pub engine: engine::Settings,
    /// What is undecided.
    pub switches: Switches,
    /// Which windows with rows are closed that still wait when the range ends.
    pub settles: Settles,
}

/// Which windows with rows are closed that still wait when the rows end with the range, because nobody knows what came then. Whichever
/// they are, no other window is filled then, no signal is lost and no time limit ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Settles {
    /// None: the range itself ends, and whatever waits is left.
    #[default]
    No,
    /// Those of a condition that more rows could only have made tell more: they make the value greater, and only a great one opens. Of
    /// others what came of a window may say the opposite of the whole: they are left. What stays uncertain: a value that does not open
    /// might have; a recovery in such a window might have been none; a sum of what can be negative might have become less.
    Sure,
    /// All, as if nothing more came for them.
    All,
}

/// What New Relic's pages on streaming alerts do not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// Where windows begin. At multiples of their length since 1970: so one condition gives the same windows whenever it is begun.
    pub alignment: Alignment,
    /// Whose rows move the clock of `EVENT_FLOW`. Those of the signal: a signal is said to be a stream of its own, and gaps are said
    /// to be filled when later data of it arrive.
    pub flow_clock: FlowClock,
    /// Whether a window without a value begins the wait for recovery anew. Yes: only values can be good.
    pub gap_restarts_recovery: bool,
    /// Whether a row that came too late for its window still restarts the timer of loss of signal. Yes: "every data point that
    /// reaches the condition". It never makes a signal.
    pub late_rows_keep_alive: bool,
    /// The priority of an incident about a lost signal, which no term names. Critical, as New Relic shows them.
    pub lost_priority: Priority,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            alignment: Alignment::Epoch,
            flow_clock: FlowClock::Signal,
            gap_restarts_recovery: true,
            late_rows_keep_alive: true,
            lost_priority: Priority::Critical,
        }
    }
}

/// Where windows begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alignment {
    /// At multiples of the step since 1970.
    Epoch,
    /// At multiples of the step since the begin of the range.
    Creation,
}

/// Whose rows move the clock of `EVENT_FLOW`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowClock {
    /// The signal's own.
    Signal,
    /// All that pass `WHERE` and have a group.
    Condition,
}
