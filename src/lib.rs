//! cspm-relay streams AWS CloudTrail security events into New Relic and accounts for every record.

pub mod clock;
pub mod record;
pub mod secret;

pub mod ack;
pub mod config;
pub mod source;
/// Classified records → batches that New Relic takes.
pub mod encode {
    pub mod limits;
}

#[cfg(test)]
mod house;
