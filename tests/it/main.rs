//! The agent as its users see it: the binary, between an AWS endpoint and a New Relic endpoint. One module per behaviour.
//!
//! The agent under test is named by `CSPM_RELAY_TEST_AGENT` (else the one cargo built), the AWS emulators by
//! `CSPM_RELAY_TEST_MINISTACK` and `CSPM_RELAY_TEST_MOTO`. Without an emulator its tests pass unrun and say so, unless
//! `CSPM_RELAY_TEST_REQUIRE=1`: `tests/run` starts both and sets it.

mod support;

fn main() {}
