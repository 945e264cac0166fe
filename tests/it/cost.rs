//! What `cost` says is what New Relic counts; what is thinned is counted all the same.

use cspm_relay::lab::backend::{Backend, BackendSettings};
use cspm_relay::lab::engine::{Answer, Engine, Settings};
use cspm_relay::nrql;
use cspm_relay::nrql::template::{Replacement, Strategy, fill};
use cspm_relay::publish::dashboard::{Definition, Language, Request, render};
use serde_json::Value;

use crate::support::agent::Agent;
use crate::support::replay::{finish, fixtures, good, replay_of, stand_in};

/// What `cost` says of these records with these settings.
async fn cost(settings: &[(&str, &str)]) -> Value {
    let agent = Agent::new(["cost", "--format", "json", "--price", "0.40 USD", "--top", "1000"]);
    let agent = agent.arg(fixtures().to_string_lossy());
    let ended = settings.iter().fold(agent, |agent, (name, value)| agent.env(name, *value)).finish().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

/// Rows and bytes that it says of a type.
fn of_type(cost: &Value, name: &str) -> (u64, u64) {
    let found = cost["types"].as_array().expect("types").iter().find(|line| line["name"] == name);
    let number = |key: &str| found.and_then(|line| line[key].as_u64()).unwrap_or(0);
    (number("rows"), number("bytes"))
}

async fn replayed(settings: &[(&str, &str)]) -> Backend {
    let backend = stand_in(BackendSettings::default()).await;
    let agent = replay_of([fixtures()]).arg("--restamp").arg("--to").arg(backend.url());
    good(settings.iter().fold(agent, |agent, (name, value)| agent.env(name, *value))).await;
    backend
}

/// P49, acceptance: to the row, and to 2 % of the bytes that the stand-in counted, whatever is sent.
#[tokio::test]
async fn the_cost_is_what_new_relic_counts() {
    for settings in [
        &[][..],
        &[("CSPM_RELAY_LOGS_RECORDS", "all")],
        &[("CSPM_RELAY_LOGS_RECORDS", "all"), ("CSPM_RELAY_LOGS_THIN", "true")],
        &[("CSPM_RELAY_LOGS_RECORDS", "none")],
    ] {
        let (said, backend) = (cost(settings).await, replayed(settings).await);
        for event_type in ["AwsSecurityEvent", "Log"] {
            let (rows, bytes) = of_type(&said, event_type);
            let counted = backend.store().counts(event_type);
            assert_eq!(rows, counted.rows, "{event_type} {settings:?}");
            let off = bytes.abs_diff(counted.bytes);
            assert!(off * 50 <= counted.bytes, "{event_type} {settings:?}: {bytes}, counted {}", counted.bytes);
        }
        let notices = of_type(&said, "AwsSecurityNotice");
        assert!(notices.0 > 0 && notices.1 / notices.0 > 500, "{notices:?}");
    }
}

/// P49: what a setting saves is what is then not there.
#[tokio::test]
async fn a_saving_is_the_difference_that_it_makes() {
    let all = cost(&[("CSPM_RELAY_LOGS_RECORDS", "all")]).await;
    let total = |cost: &Value| cost["total"]["bytes"].as_i64().expect("bytes");
    let saves = |setting: &str| {
        let savings = all["savings"].as_array().expect("savings");
        let found = savings.iter().find(|saving| saving["setting"] == setting);
        found.and_then(|saving| saving["bytes"].as_i64()).unwrap_or_else(|| panic!("{setting} in {savings:?}"))
    };
    for (setting, name, value) in [
        ("outputs.logs.records: matched", "CSPM_RELAY_LOGS_RECORDS", "matched"),
        ("outputs.logs.records: none", "CSPM_RELAY_LOGS_RECORDS", "none"),
        ("outputs.logs: {records: all, thin: true}", "CSPM_RELAY_LOGS_THIN", "true"),
        ("outputs.logs: {records: all, readOnly: false}", "CSPM_RELAY_LOGS_READ_ONLY", "false"),
        ("outputs.notices: false", "CSPM_RELAY_NOTICES", "false"),
        ("outputs.metrics: false", "CSPM_RELAY_METRICS", "false"),
    ] {
        let then = cost(&[("CSPM_RELAY_LOGS_RECORDS", "all"), (name, value)]).await;
        assert_eq!(total(&all) - total(&then), saves(setting), "{setting}");
    }
    // Of a rule: its events and notices, and the logs that only it asked for.
    let matched = cost(&[]).await;
    let saving = matched["savings"]
        .as_array()
        .expect("savings")
        .iter()
        .find(|saving| saving["setting"] == "rules.disable: [unauthorized-api-call]");
    let saving = saving.and_then(|saving| saving["bytes"].as_i64()).expect("a rule that met records");
    let without = cost(&[("CSPM_RELAY_RULES_DISABLE", "unauthorized-api-call")]).await;
    let less = |name: &str| of_type(&matched, name).1.cast_signed() - of_type(&without, name).1.cast_signed();
    // Where two rules met a record, its most severe detection is another one then: a few bytes.
    let off = (less("AwsSecurityEvent") + less("AwsSecurityNotice") + less("Log") - saving).abs();
    assert!(off * 100 < saving, "{off} of {saving}");
}

#[tokio::test]
async fn a_wrong_price_is_refused_and_says_how_to_write_it() {
    for price in ["0.40", "USD 0.40", "0,4 USD", "1 usd", "x USD"] {
        let ended = Agent::new(["cost", "--price", price]).arg(fixtures().to_string_lossy()).finish().await;
        assert_eq!(ended.status.code(), Some(2), "{price}");
        assert!(ended.stderr.contains("write it as \"0.40 USD\""), "{}", ended.stderr);
    }
    let ended = finish(Agent::new(["cost", "/nowhere"])).await;
    assert_eq!(ended.code, Some(2));
}

/// Every query of the shipped dashboard, filled with the variables' defaults, but those on the agent's own health.
fn queries() -> Vec<(String, String)> {
    let definition = Definition::shipped().expect("a definition");
    let request = Request { language: Language::English, accounts: &[1], page: None, timezone: Some("UTC") };
    let document = render(&definition, request).expect("a document");
    let defaults = document.variables.iter().map(|variable| {
        let values = variable.default_values.iter().map(|default| default.value.string.clone()).collect();
        (variable.name.as_str(), Replacement { values, strategy: Strategy::Text })
    });
    let filled: Vec<(&str, Replacement)> = defaults.collect();
    let mut queries = Vec::new();
    for page in document.pages.iter().filter(|page| page.name != "Relay health") {
        for widget in &page.widgets {
            for query in widget.raw_configuration.get("nrqlQueries").and_then(Value::as_array).into_iter().flatten() {
                let text = fill(query["query"].as_str().expect("a query"), &filled).expect("variables");
                queries.push((widget.title.clone(), text));
            }
        }
    }
    queries
}

/// Every number of an answer that is no time.
fn numbers(answer: &Answer) -> Vec<f64> {
    fn walk(value: &Value, found: &mut Vec<f64>) {
        match value {
            Value::Number(number) => found.extend(number.as_f64().filter(|number| *number < 1e9)),
            Value::Array(all) => all.iter().for_each(|value| walk(value, found)),
            Value::Object(all) => {
                all.iter().filter(|(name, _)| !name.ends_with("TimeSeconds")).for_each(|(_, value)| walk(value, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(&answer.json()["results"], &mut found);
    found
}

/// P49, acceptance: with records that are counted instead of being sent the dashboards show the same counts.
#[tokio::test]
async fn the_dashboards_show_the_same_counts_of_thinned_records() {
    let all = ("CSPM_RELAY_LOGS_RECORDS", "all");
    let full = replayed(&[all]).await;
    let thin = replayed(&[all, ("CSPM_RELAY_LOGS_THIN", "true")]).await;
    let logs = |backend: &Backend| backend.store().counts("Log").rows;
    assert!(logs(&thin) * 2 < logs(&full), "{} of {}", logs(&thin), logs(&full));
    let now_ms = cspm_relay::clock::Clock::system().now_ms() + 60_000;
    let [full, thin] = [&full, &thin].map(|backend| Engine::new(backend.store().columns().snapshot(), Settings::default()));
    let mut compared = 0;
    let counters = "SELECT sum(cspm.records), sum(cspm.detections), uniqueCount(aws.service) FROM Metric FACET aws.accountId, aws.region LIMIT MAX SINCE 1 day ago";
    let own = ("counters".to_owned(), counters.to_owned());
    for (title, query) in queries().into_iter().chain([own]) {
        let statement = nrql::parse(&query).unwrap_or_else(|error| panic!("{title}: {error}: {query}"));
        let run = |engine: &Engine| {
            engine.run(&statement, now_ms).unwrap_or_else(|error| panic!("{title}: {}: {query}", error.message))
        };
        let (one, other) = (run(&full), run(&thin));
        assert_eq!(numbers(&one), numbers(&other), "{title}: {query}");
        compared += usize::from(numbers(&one).iter().any(|number| *number > 0.0));
    }
    assert!(compared > 10, "{compared} queries gave numbers");
}
