//! The agent as its users see it: the binary, between an AWS endpoint and a New Relic endpoint. One module per behaviour.
//!
//! The agent under test is named by `CSPM_RELAY_TEST_AGENT` (else the one cargo built), the AWS emulators by
//! `CSPM_RELAY_TEST_MINISTACK` and `CSPM_RELAY_TEST_MOTO`. A test whose emulator is not named does nothing and says so, with a
//! running count, unless `CSPM_RELAY_TEST_REQUIRE=1`: then it fails. `tests/run` starts both emulators and sets it.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod aggregator;
#[cfg(test)]
mod alerts;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod backtest;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod competing;
#[cfg(test)]
mod compliance;
#[cfg(test)]
mod config_api;
#[cfg(test)]
mod config_files;
#[cfg(test)]
mod correlations;
#[cfg(test)]
mod cost;
#[cfg(test)]
mod dashboards;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod dlq;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod dying;
#[cfg(test)]
mod event_queue;
#[cfg(test)]
mod exceptions;
#[cfg(test)]
mod findings;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod health;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod ingest;
#[cfg(test)]
mod late;
#[cfg(test)]
mod latency;
#[cfg(test)]
mod lean;
#[cfg(test)]
mod leases;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod notifications;
#[cfg(test)]
mod nrql;
#[cfg(test)]
mod nrql_cases;
#[cfg(test)]
mod nrql_import;
#[cfg(test)]
mod object_faults;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod patterns;
#[cfg(test)]
mod posture;
#[cfg(test)]
mod preview;
#[cfg(test)]
mod quickstart;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod rollups;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sqlite;
#[cfg(test)]
mod state_store;
#[cfg(test)]
mod streaming;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tune;
#[cfg(test)]
mod views;
#[cfg(test)]
mod waiting;
