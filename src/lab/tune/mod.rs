//! Alert conditions that tell too much: what would make them fit a budget of pages, and which attacks would then go untold.
//!
//! In: rows with their arrival, conditions, a budget, the rows of labelled attacks. Out: steps ([`Change`]) that bring the pages within
//! the budget, each with what it saves and misses; who and what made the rows. What always holds: the narrow is tried before the broad,
//! what misses no labelled attack before what does; the same rows give the same steps; nothing is sent and no file is written.
//!
//! ```text
//! rows ─contribution→ who made them ─candidate→ changes ─search→ steps within the budget
//!  └─attack→ rows of each attack ─coverage→ which conditions told it ──┘
//! ```

mod attack;
mod candidate;
mod change;
mod contribution;
mod coverage;
mod ranking;
mod search;

#[cfg(test)]
mod tests;

pub use attack::{Attack, attacks};
pub use change::{Change, Edit, Exclusion, Muted, restricted};
pub use contribution::{Contribution, Contributor, contributions};
pub use search::{Plan, Step, Tuning};
