//! `cspm-relay doctor newrelic`: what a person at a terminal sees, and the exit code that scripts read.

use cspm_relay::lab::backend::{Account, Backend, BackendSettings, USER_KEY};
use cspm_relay::secret::Secret;

use crate::support::PATIENCE;
use crate::support::agent::{self, Agent};

async fn backend() -> Backend {
    let account = Account { license_key: Secret::new(agent::LICENSE_KEY), ..Account::default() };
    Backend::start(BackendSettings { accounts: vec![account], ..BackendSettings::default() }).await.expect("a stand-in")
}

fn doctor(url: &str) -> Agent {
    Agent::new(["doctor", "newrelic"]).new_relic(url)
}

#[tokio::test]
async fn all_good_is_zero_and_the_event_is_found() {
    let backend = backend().await;
    let ended = doctor(&backend.url()).env("NEW_RELIC_API_KEY", USER_KEY).finish().await;
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("All good"), "{}", ended.stdout);
    assert_eq!(backend.store().rows("CspmRelayDoctor").len(), 1);
    for key in [agent::LICENSE_KEY, USER_KEY] {
        assert!(!ended.stdout.contains(key) && !ended.stderr.contains(key));
    }
}

#[tokio::test]
async fn without_a_user_key_it_says_what_could_not_be_tried() {
    let backend = backend().await;
    let ended = doctor(&backend.url()).arg("--format").arg("json").finish().await;
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    let untried: Vec<&str> = report["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .filter(|step| step["state"] == "notPossible")
        .filter_map(|step| step["step"].as_str())
        .collect();
    assert_eq!(untried, ["account", "event found", "integration errors"]);
}

#[tokio::test]
async fn a_user_key_in_place_of_the_licence_key_is_named_before_anything_is_sent() {
    let backend = backend().await;
    let ended = doctor(&backend.url()).env("NEW_RELIC_LICENSE_KEY", USER_KEY).finish().await;
    assert_eq!(ended.status.code(), Some(2), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("this is a user key"), "{}", ended.stderr);
    assert!(!ended.stderr.contains(USER_KEY));
    assert_eq!(backend.store().summary().types.len(), 0);
}

#[tokio::test]
async fn a_wrong_account_is_a_problem() {
    let backend = backend().await;
    let agent = doctor(&backend.url()).env("NEW_RELIC_ACCOUNT_ID", "42").env("NEW_RELIC_API_KEY", USER_KEY);
    let ended = agent.finish().await;
    assert_eq!(ended.status.code(), Some(1), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("the user key sees 1234567"), "{}", ended.stdout);
}

#[tokio::test]
async fn a_new_relic_that_is_not_there_is_a_failure() {
    let backend = backend().await;
    let url = backend.url();
    backend.stop().await;
    let ended = doctor(&url).finish().await;
    assert_eq!(ended.status.code(), Some(3), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("does not answer"), "{}", ended.stdout);
}

/// What the stand-in says can be copied: it is all that `run`, `doctor` and `replay` need.
#[tokio::test]
async fn the_stand_in_says_how_to_use_it() {
    if agent::is_lean() {
        return;
    }
    let mut stand_in = Agent::new(["stand-in", "--account-id", "42"]).start();
    stand_in.says("NEW_RELIC_API_KEY=").await;
    stand_in.terminate();
    let said = stand_in.exited(PATIENCE).await.stdout;
    assert!(
        said.contains("replay --to newrelic") && !said.contains("replay --to http"),
        "another account is not known to it: {said}"
    );

    // What a running agent prints on standard error can be read while it runs.
    let shell = Agent::new(["-c", "exec \"$0\" stand-in >&2"]).program("/bin/sh").arg(agent::binary().to_string_lossy());
    let mut stand_in = shell.start();
    stand_in.says("NEW_RELIC_API_KEY=").await;
    let said = stand_in.log();
    let exports = said.lines().filter_map(|line| line.trim().strip_prefix("export ")?.split_once('='));
    let doctor = exports.fold(Agent::new(["doctor", "newrelic"]), |agent, (name, value)| agent.env(name, value)).finish().await;
    assert_eq!(doctor.status.code(), Some(0), "{}{}", doctor.stdout, doctor.stderr);
    assert!(doctor.stdout.contains("All good"), "{}", doctor.stdout);
    let line = said.lines().find_map(|line| line.trim().strip_prefix("cspm-relay ")).expect("a line with replay");
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cloudtrail/AWSLogs/777788889999");
    let words = line.split(' ').map(|word| if word == "PATH" { fixtures } else { word });
    let replay = words.fold(Agent::new([]), Agent::arg).finish().await;
    assert_eq!(replay.status.code(), Some(0), "{}{}", replay.stdout, replay.stderr);
}
