//! cspm-relay streams AWS CloudTrail records, AWS Config compliance changes and security findings into New Relic and accounts for
//! every one of them.
//!
//! The path of one record:
//!
//! ```text
//!  source ─Object+Receipt→ decode ─Record→ classify → enrich ─Classified→ encode ─Batch→ deliver ─Answer→ ack ─→ source
//!     ↑ stops polling when the byte budget is spent                              │ retry, split, dead-letter    ↑ delete / advance
//! ```
//!
//! 1. [`source`] takes a notification from SQS, fetches the object it names and holds both; or reads files again.
//! 2. [`decode`] unpacks the object and splits it into the JSON text of its records, without building a tree.
//! 3. [`ack`] enters object and record into the ledger and asks the duplicate window whether the record is a copy.
//! 4. [`classify`] matches the record against the detective controls (Sigma rules).
//! 5. [`enrich`] adds names and meaning, for records that something wants.
//! 6. [`encode`] writes events and logs inside every limit of New Relic and gathers them into batches.
//! 7. [`deliver`] sends batches until each has its answer; what will never be accepted goes to the dead letters.
//! 8. [`ack`] hears every answer; when the last piece of an object has settled, its source deletes it or offers it again.
//!
//! The modules below stand in another order, each after those whose types it takes: [`enrich`] before [`classify`], which puts the
//! two together, and [`ack`] before all stages.
//!
//! [`pipeline`] connects the stages and is the only one that spawns tasks. [`record`], [`ack`], [`clock`], [`config`],
//! [`secret`] and [`cause`] are the vocabulary that every stage may use. [`health`] tells others how it goes: log lines and a
//! probe.

pub mod cause;
pub mod clock;
pub mod record;
pub mod secret;

pub mod config;

pub mod ack;

pub mod source;

pub mod decode;

pub mod enrich;

pub mod classify;

pub mod posture;

pub mod encode;

pub mod deliver;

pub mod pipeline;

pub mod health;

pub mod nrql;

pub mod publish;

pub mod cli;

#[cfg(feature = "lab")]
pub mod lab;

#[cfg(test)]
mod house;
