//! The lean agent is the full one without the lab: what it prints is the same, byte for byte.
//!
//! `tests/run` gives each agent in turn; under the full one the comparison is with itself and proves only that it repeats.

use std::path::Path;

use crate::support::agent::{Agent, is_lean};
use crate::support::replay::{fixtures, good, replay_of};

/// The agent that cargo built for these tests: the full one.
const FULL: &str = env!("CARGO_BIN_EXE_cspm-relay");

#[tokio::test]
async fn every_agent_prints_what_the_full_one_prints() {
    assert!(Path::new(FULL).is_file());
    let agent = || replay_of([fixtures()]).arg("--logs").arg("all");
    let (under_test, full) = (good(agent()).await, good(agent().program(FULL)).await);
    assert!(under_test.stdout.lines().count() > 1_367);
    assert!(under_test.stdout == full.stdout, "the agent under test prints other bytes than the full one");
    assert_eq!(under_test.summary, full.summary);
}

#[tokio::test]
async fn the_lab_is_in_the_full_agent_only() {
    for command in ["demo", "stand-in"] {
        let ended = Agent::new([command, "--help"]).finish().await;
        let want = if is_lean() { 2 } else { 0 };
        assert_eq!(ended.status.code(), Some(want), "{command}: {}", ended.stderr);
    }
}
