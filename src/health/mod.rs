//! How the agent tells others about itself: log lines and a probe.
//!
//! In: the settings, and what the pipeline lets others watch. Out: lines on standard error, answers on a local socket. What
//! always holds: neither carries a body, a key or a principal, and neither can slow or stop the path of a record. It judges
//! nothing about New Relic or AWS by itself and opens no connection to them.

pub mod log;
pub mod probe;

#[cfg(test)]
mod probe_tests;
