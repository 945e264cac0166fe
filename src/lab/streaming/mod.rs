//! New Relic's streaming evaluation of alert conditions, on stored rows.
//!
//! In: rows with the time they happened and the time they arrived, a [`Condition`](crate::nrql::condition::Condition), a range of
//! arrival. Out: the values of its windows and the incidents it would have opened ([`Evaluation`]). What always holds: rows are taken
//! in the order they arrived, a row that came too late is lost to the condition and counted; what New Relic's pages leave open is a
//! named switch ([`Switches`]); what is only near New Relic's way says so.
//!
//! ```text
//! rows ─evaluate→ arrivals ─window→ windows and when they closed ─engine→ values ─fill→ steps ─term, incident→ incidents ─issue, muting→
//!                     └─loss→ silences ──────────────────────────────────────────────────────────┘
//! ```

mod baseline;
mod edit;
mod evaluate;
mod fill;
mod incident;
pub mod issue;
mod loss;
mod much;
pub mod muting;
mod result;
pub mod schedule;
mod settings;
mod term;
mod window;

#[cfg(test)]
mod tests;

pub use edit::resets;
pub use evaluate::{Range, evaluate};
pub use result::{Cause, Closed, Evaluation, Incident, Point, Reason, SignalRun};
pub use settings::{Alignment, FlowClock, Settings, Settles, Switches};
