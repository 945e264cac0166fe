//! The agent as its users see it: the binary, between an AWS endpoint and a New Relic endpoint. One module per behaviour.
//!
//! The agent under test is named by `CSPM_RELAY_TEST_AGENT` (else the one cargo built), the AWS emulators by
//! `CSPM_RELAY_TEST_MINISTACK` and `CSPM_RELAY_TEST_MOTO`. A test whose emulator is not named does nothing and says so, with a
//! running count, unless `CSPM_RELAY_TEST_REQUIRE=1`: then it fails. `tests/run` starts both emulators and sets it.

#[cfg(test)]
mod support;

#[cfg(test)]
#[cfg(test)]
mod cli;
mod competing;
mod dlq;
mod doctor;
mod dying;
mod event_queue;
mod leases;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod notifications;
#[cfg(test)]
mod object_faults;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod refusals;
