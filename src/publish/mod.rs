//! Around the ingest APIs: what is asked of New Relic's own API.
//!
//! In: a user key. Out: answers of `NerdGraph`. It sends no records and never sees the licence key.

pub mod nerdgraph;
