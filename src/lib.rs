//! cspm-relay streams AWS CloudTrail security events into New Relic and accounts for every record.
#![allow(missing_docs)]

pub mod clock;
pub mod record;
pub mod secret;

pub mod ack;
pub mod config;
pub mod source;
pub mod encode {
    pub mod limits;
}
#[cfg(feature = "lab")]
pub mod lab;
