//! Rules on several records: Sigma correlations.
//!
//! In: correlation documents, the rules that run, and the records that those match. Out: the correlations that a record completes,
//! which are then detections of that record like any other. What always holds: nothing is asked or allocated for a record that no
//! named rule matches; a record counts once, and gets the same answer, however often it comes; what is kept is bounded and what is
//! thrown out is counted; nobody else's control is muted. The meaning of every type: `../DESIGN.md`.

mod compiled;
mod correlator;
mod feed;
mod group;
mod read;
mod resolve;
mod spec;
mod state;
#[cfg(test)]
mod tests;
mod told;
mod window;

pub(super) use compiled::Correlations;
pub use correlator::{Correlator, Thrown};
pub(super) use correlator::{Mute, Offer};
pub(super) use feed::feeds;
pub(super) use read::{feeders, parse};
pub(super) use resolve::{keep_needed, resolve};
pub(super) use spec::Spec;
#[cfg(test)]
pub(super) use spec::{KINDS, OPERATORS};
