//! Queries on rows small enough to be counted by eye.

mod answers;
mod bounds;
mod clauses;
mod corpus;
mod functions;
mod joined;
mod refused;
mod shapes;
mod window;

use serde_json::{Value as Json, json};

use super::{Answer, Engine, QueryError, Settings};
use crate::lab::store::{Point, Store};

/// 2023-12-18T12:00:00Z, a Monday.
const NOW: i64 = 1_702_900_800_000;
const MINUTE: i64 = 60_000;

/// Eight events of the last hour, one of yesterday, and what other types there are.
fn store() -> Store {
    let store = Store::in_memory();
    let events = [
        (1, json!({"name": "login", "account": "a", "ms": 10, "ok": "true", "ip": "10.0.0.1"})),
        (2, json!({"name": "login", "account": "b", "ms": 30, "ok": "false", "ip": "10.0.0.2"})),
        (3, json!({"name": "Login", "account": "a", "ms": 20, "ok": "true"})),
        (11, json!({"name": "delete", "account": "a", "ms": 50, "ok": "false", "error": "Denied"})),
        (12, json!({"name": "delete", "account": "c", "ok": "true", "flag": true})),
        (13, json!({"name": "list", "account": "b", "ms": "slow", "ok": "true", "flag": false})),
        (31, json!({"name": "list", "account": "a", "ms": 5, "ok": "true", "tags": ["x", "y"]})),
        (32, json!({"account": "a", "ms": 0, "ok": "true"})),
        (24 * 60 + 2, json!({"name": "login", "account": "b", "ms": 70, "ok": "true"})),
    ];
    for (minutes, row) in events.iter().rev() {
        let at = NOW - minutes * MINUTE;
        let mut row = row.as_object().expect("an object").clone();
        row.insert("timestamp".into(), at.into());
        store.append_json("E", &row, at);
    }
    for (account, owner) in [("a", "Ann"), ("b", "Bob")] {
        let row = json!({"timestamp": NOW - MINUTE, "account": account, "owner": owner});
        store.append_json("Owner", row.as_object().expect("an object"), NOW);
    }
    store.append("Metric", |rows| {
        for (minutes, region, count, percent) in [(1, "eu", 3.0, 80.0), (2, "eu", 4.0, 90.0), (2, "us", 5.0, 50.0)] {
            rows.begin(NOW - minutes * MINUTE, NOW);
            rows.metric("cspm.records", Point::Count(count));
            rows.text("region", region);
            rows.begin(NOW - minutes * MINUTE, NOW);
            rows.metric("cspm.compliance", Point::Gauge(percent));
            rows.text("region", region);
        }
        rows.begin(NOW - 3 * MINUTE, NOW);
        rows.metric("cspm.lag", Point::Summary { count: 4.0, total: 20.0, min: 1.0, max: 9.0 });
    });
    store
}

fn settings() -> Settings {
    let lookup = super::join::table(
        "names",
        &[("a", "Alpha", 1.0), ("b", "Beta", 2.0)].map(|(id, title, rank)| super::ResultRow {
            values: vec![
                ("id".into(), super::value::Value::text(id)),
                ("title".into(), super::value::Value::text(title)),
                ("rank".into(), super::value::Value::Number(rank)),
            ],
            ..super::ResultRow::default()
        }),
        0,
    );
    Settings { lookups: [("names".to_owned(), lookup)].into(), account_id: 7, ..Settings::default() }
}

fn run_with(settings: Settings, query: &str) -> Result<Answer, QueryError> {
    let statement = crate::nrql::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    Engine::new(store().snapshot(), settings).run(&statement, NOW)
}

/// The rows of an answer, as JSON.
fn rows(query: &str) -> Json {
    rows_with(settings(), query)
}

fn rows_with(settings: Settings, query: &str) -> Json {
    let answer = run_with(settings, query).unwrap_or_else(|error| panic!("{query}: {error}"));
    answer.results.iter().map(super::ResultRow::json).collect()
}

fn refusal(query: &str) -> String {
    match run_with(settings(), query) {
        Ok(answer) => panic!("{query}: answered {:?}", answer.results),
        Err(error) => error.to_string(),
    }
}

/// Compares the rows of every case; all that differ are shown.
fn check(cases: &[(&str, Json)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(query, expected)| (query, expected, rows(query)))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(query, expected, found)| format!("{query}\n  expected {expected}\n  found    {found}"))
        .collect();
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Compares the one value of the one row of every case.
fn check_values(cases: &[(&str, Json)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(query, expected)| (query, expected, rows(query)))
        .map(|(query, expected, found)| {
            let row = found.as_array().and_then(|rows| rows.first()).and_then(Json::as_object).cloned().unwrap_or_default();
            (query, expected, row.values().next().cloned().unwrap_or_default(), row.len())
        })
        .filter(|(_, expected, found, fields)| *fields != 1 || *expected != found)
        .map(|(query, expected, found, fields)| format!("{query}\n  expected {expected}\n  found    {found} ({fields} fields)"))
        .collect();
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
