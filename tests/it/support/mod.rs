//! What the tests stand on: AWS emulators, a proxy that can stop time on the wire, the agent as a process, records with known ids.
//!
//! Everything here fails by panicking with what was waited for; nothing waits without an end.

pub(crate) mod agent;
pub(crate) mod aws;
pub(crate) mod browser;
pub(crate) mod bus;
pub(crate) mod config_api;
pub(crate) mod data;
pub(crate) mod iam;
pub(crate) mod limits;
pub(crate) mod opinion;
pub(crate) mod organizations;
pub(crate) mod pattern;
pub(crate) mod proxy;
pub(crate) mod replay;
pub(crate) mod scene;

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long anything may take that takes a moment when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A setting of the test run; empty counts as absent.
pub(crate) fn setting(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "settings of the test run, not of the relay")]
    let value = std::env::var(name).ok();
    value.filter(|value| !value.is_empty())
}

/// Says that a test does nothing because a part is missing; fails when the run is meant to be complete.
pub(crate) fn skip(what: &str) {
    static SKIPPED: AtomicUsize = AtomicUsize::new(0);
    assert!(setting("CSPM_RELAY_TEST_REQUIRE").is_none(), "{what}, and CSPM_RELAY_TEST_REQUIRE is set");
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Straight to the stream: the test harness hides what a passing test prints.
    let line = format!("\nNOT RUN ({count} so far): {test}: {what}; `tests/run` runs everything\n");
    std::io::stderr().write_all(line.as_bytes()).expect("standard error");
}

/// Asks again and again until the answer is yes; panics with what was waited for.
pub(crate) async fn eventually<F: AsyncFnMut() -> bool>(what: &str, ask: F) {
    within(PATIENCE, what, ask).await;
}

/// The same for what takes longer.
pub(crate) async fn within<F: AsyncFnMut() -> bool>(limit: Duration, what: &str, mut ask: F) {
    let asking = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(limit, asking).await.is_ok(), "waited {limit:?} in vain: {what}");
}
