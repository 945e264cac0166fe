//! The lab: everything that works without a New Relic account (cargo feature `lab`).
//!
//! In: what the agent sends over HTTP. Out: answers as New Relic documents them, and what was accepted. Imports only the
//! vocabulary and `encode::limits`, never a stage, so it cannot share a stage's mistake.

pub mod backend;
pub mod backtest;
pub mod engine;
pub mod lookup;
pub mod preview;
pub mod store;
pub mod streaming;
pub mod tune;
