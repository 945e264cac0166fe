//! Around the ingest APIs: what is asked of New Relic's own API, and what it is to show.
//!
//! In: a user key; the definitions of the dashboard and of the alert conditions; a configuration. Out: answers of `NerdGraph`; the
//! dashboard as New Relic imports it; the conditions for `NerdGraph` and Terraform; the IAM policy that the agent needs. It sends no
//! records and never sees the licence key.

pub mod alert;
pub mod dashboard;
pub mod iam;
pub mod nerdgraph;
