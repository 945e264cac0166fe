//! The doctor before the stand-in: everything good, and each fault a person can make.

use super::*;
use crate::lab::backend::{ACCOUNT_ID, Account, Api, Backend, BackendSettings, Fault, LICENSE_KEY, USER_KEY};

fn config(url: &str) -> Config {
    let mut config = Config::stand_in(url, ACCOUNT_ID, Secret::new(LICENSE_KEY));
    config.new_relic.api_key = Some(Secret::new(USER_KEY));
    config.limits.request_timeout = Duration::from_secs(5);
    config
}

async fn examined(config: &Config) -> Report {
    new_relic(config, Duration::ZERO).await.unwrap()
}

fn step<'r>(report: &'r Report, name: &str) -> &'r Step {
    report.steps.iter().find(|step| step.title == name).unwrap_or_else(|| panic!("no step {name} in {report:?}"))
}

fn states(report: &Report) -> Vec<(&str, State)> {
    report.steps.iter().map(|step| (step.title, step.state)).filter(|(_, state)| *state != State::Ok).collect()
}

#[tokio::test]
async fn all_good() {
    let backend = Backend::start(BackendSettings::default()).await.unwrap();
    let report = examined(&config(&backend.url())).await;
    assert_eq!(states(&report), [], "{}", report.text());
    assert_eq!(report.exit(), Exit::Good);
    assert!(report.text().ends_with("All good: an event of this agent arrives and is found.\n"));
    let rows = backend.store().rows(DOCTOR);
    assert_eq!(rows.len(), 1);
    assert_eq!(backend.store().summary().violations, BTreeMap::default());
    // Nothing but the test event was sent.
    assert_eq!(backend.store().summary().types.len(), 1);
}

#[tokio::test]
async fn without_a_user_key_three_steps_are_not_possible() {
    let backend = Backend::start(BackendSettings::default()).await.unwrap();
    let mut config = config(&backend.url());
    config.new_relic.api_key = None;
    let report = examined(&config).await;
    let untried = [ACCOUNT, FOUND, ERRORS].map(|step| (step, State::NotPossible));
    assert_eq!(states(&report), untried);
    assert_eq!(report.exit(), Exit::Good);
    assert!(report.text().contains("Good as far as it could be tried"));
    assert!(step(&report, FOUND).hint.as_deref().unwrap().contains("NEW_RELIC_API_KEY"));
}

/// P11: a key that opens nothing is found before a record is sent.
#[tokio::test]
async fn a_user_key_in_the_licence_keys_place_and_a_wrong_account_are_problems() {
    let other = Account { id: 42, license_key: Secret::new("other"), user_key: Secret::new("NRAK-OTHER") };
    let settings = BackendSettings { accounts: vec![Account::default(), other], ..BackendSettings::default() };
    let backend = Backend::start(settings).await.unwrap();
    let mut swapped = config(&backend.url());
    swapped.new_relic.license_key = Secret::new(USER_KEY);
    let report = examined(&swapped).await;
    assert_eq!(states(&report), [("event sent", State::Problem), (FOUND, State::NotPossible)], "{}", report.text());
    assert_eq!(report.exit(), Exit::Found);
    assert!(!report.text().contains(USER_KEY));

    let mut wrong = config(&backend.url());
    wrong.new_relic.account_id = 42;
    let report = examined(&wrong).await;
    let not_possible = [(FOUND, State::NotPossible), (ERRORS, State::NotPossible)];
    assert_eq!(states(&report), [&[("event sent", State::Problem), (ACCOUNT, State::Problem)][..], &not_possible].concat());
    assert!(step(&report, "event sent").found.contains("for account 42"), "{}", report.text());
    assert!(step(&report, ACCOUNT).hint.as_deref().unwrap().contains("the user key sees 1234567"), "{}", report.text());

    let mut no_user_key = config(&backend.url());
    no_user_key.new_relic.api_key = Some(Secret::new("NRAK-NOBODY"));
    let report = examined(&no_user_key).await;
    assert_eq!(states(&report), [&[(ACCOUNT, State::Problem)][..], &not_possible].concat());
}

#[tokio::test]
async fn an_event_that_does_not_appear_and_integration_errors_are_problems() {
    // The key opens one account and the user key looks at another one with the same number of its own: never found.
    let backend = Backend::start(BackendSettings::default()).await.unwrap();
    let nerd_graph = Backend::start(BackendSettings::default()).await.unwrap();
    let mut config = config(&backend.url());
    config.new_relic.hosts.nerd_graph = Some(nerd_graph.url());
    // A value that is too long is lost under a 200 (P14).
    let broken = json!([{ "eventType": "Broken", "text": "x".repeat(5_000) }]).to_string();
    let url = format!("{}/v1/accounts/{ACCOUNT_ID}/events", nerd_graph.url());
    let client = reqwest::Client::builder().build().unwrap();
    let sent = client.post(url).header("Api-Key", LICENSE_KEY).header("Content-Type", "application/json").body(broken);
    assert_eq!(sent.send().await.unwrap().status(), 200);

    let report = examined(&config).await;
    assert_eq!(states(&report), [(FOUND, State::Problem), (ERRORS, State::Problem)], "{}", report.text());
    assert_eq!(report.errors.len(), 1);
    assert!(report.errors[0].0.starts_with("Event API: "), "{:?}", report.errors);
    assert_eq!(report.errors[0].1, 1);
    assert_eq!(report.exit(), Exit::Found);
    assert_eq!(report.json()["integrationErrors"][0]["count"], 1);
}

#[tokio::test]
async fn what_fails_on_the_way_is_told_from_what_is_wrong() {
    let backend = Backend::start(BackendSettings::default()).await.unwrap();
    backend.script(Api::Events, (0..TRIES).map(|_| Fault::status(503)));
    let report = examined(&config(&backend.url())).await;
    assert_eq!(states(&report), [("event sent", State::Failed), (FOUND, State::NotPossible)], "{}", report.text());
    assert_eq!(report.exit(), Exit::Failed);

    let url = backend.url();
    backend.stop().await;
    let report = examined(&config(&url)).await;
    assert_eq!(step(&report, "host: events").state, State::Failed, "{}", report.text());
    assert_eq!(report.exit(), Exit::Failed);
}

#[test]
fn a_key_of_another_region_is_said() {
    let check = |region, key: &str, own_hosts: bool| {
        let mut settings = Config::stand_in("http://127.0.0.1:1", 7, Secret::new(key)).new_relic;
        settings.region = region;
        if !own_hosts {
            settings.hosts = crate::config::Hosts::default();
        }
        let step = super::region(&settings);
        (step.state, step.hint.unwrap_or_default())
    };
    let eu = "eu01xx0123456789abcdef0123456789abcdNRAL";
    assert_eq!(check(Region::Eu, eu, false).0, State::Ok);
    assert_eq!(check(Region::Us, LICENSE_KEY, false).0, State::Ok);
    let (state, hint) = check(Region::Us, eu, false);
    assert_eq!(state, State::Problem);
    assert!(hint.contains("NEW_RELIC_REGION) to EU"), "{hint}");
    assert_eq!(check(Region::Jp, LICENSE_KEY, false).0, State::Problem);
    assert_eq!(check(Region::Us, eu, true).0, State::Ok);
}

#[test]
fn times_are_read() {
    for (text, seconds) in [("90s", Some(90)), ("2m", Some(120)), ("5", Some(5)), ("61m", None), ("-1s", None), ("", None)] {
        assert_eq!(time(text).ok(), seconds.map(Duration::from_secs), "{text}");
    }
}

#[test]
fn text_of_others_cannot_steer_the_terminal() {
    assert_eq!(one_line(" a\u{1b}[2J\nb "), "a [2J b");
}
