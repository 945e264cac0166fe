//! Rows of New Relic in a folder of this machine: all of them, each once, whatever fails on the way.

use std::path::Path;

use cspm_relay::lab::backend::{Api, Backend, Fault, USER_KEY};
use serde_json::{Value, json};

use super::support::agent::{Agent, Finished, is_lean};
use super::support::scene::{new_relic, recently};

/// What New Relic says under a 200 when a query took too long.
const TIMED_OUT: &str = r#"{"data":{"actor":{"account":{"nrql":null}}},"errors":[{"message":"NRQL query timed out","extensions":{"errorClass":"TIMEOUT"}}]}"#;

/// A stand-in with 12,000 rows of `ImportTest`, in bursts of 3,000 of one millisecond; the newest are of `newest`.
async fn stand_in(newest: i64) -> Backend {
    let backend = new_relic(cspm_relay::lab::backend::Retain::Rows).await;
    let columns = backend.store().columns();
    for number in 0..12_000_i64 {
        let at = newest - (3 - number / 3_000) * 5;
        let row = json!({ "timestamp": at, "number": number, "text": format!("行 {number}"), "flag": "true", "share": 0.5 });
        columns.append_json("ImportTest", row.as_object().expect("an object"), at);
    }
    backend
}

async fn saved(backend: &Backend, query: &str, folder: &Path) -> Finished {
    let agent = Agent::new(["nrql"]).new_relic(&backend.url()).env("NEW_RELIC_API_KEY", USER_KEY).arg(query);
    agent.arg("--on").arg("newrelic").arg("--save").arg(folder.to_string_lossy()).finish().await
}

async fn asked(folder: &Path, query: &str) -> Value {
    let agent = Agent::new(["nrql", "--format", "json", "--data"]).arg(folder.to_string_lossy()).arg(query);
    let ended = agent.finish().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    serde_json::from_str::<Value>(&ended.stdout).expect("JSON")["results"].take()
}

#[tokio::test]
async fn all_rows_come_once_though_new_relic_times_out_and_refuses() {
    if is_lean() {
        return;
    }
    let newest = recently();
    let backend = stand_in(newest).await;
    backend.script(
        Api::NerdGraph,
        [
            Fault::Normal,
            Fault::Says { code: 200, body: TIMED_OUT },
            Fault::Normal,
            Fault::status(429),
            Fault::CutAfterRead,
            Fault::Normal,
        ],
    );
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("rows");
    let window = format!("SINCE {} UNTIL {}", newest - 3_600_000, newest + 1);
    let ended = saved(&backend, &format!("SELECT * FROM ImportTest {window}"), &to).await;
    assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), ""), "{}", ended.stdout);
    assert!(ended.stdout.starts_with(&format!("12000 rows in {}, from ", to.display())), "{}", ended.stdout);
    assert_eq!(backend.script_left(Api::NerdGraph), 0);

    let counts = asked(
        &to,
        &format!("SELECT count(*) AS 'rows', uniqueCount(number, precision: 50000) AS 'numbers', min(timestamp) AS 'first', max(timestamp) AS 'last', sum(share) AS 'shares' FROM ImportTest {window}"),
    )
    .await;
    assert_eq!(counts, json!([{ "rows": 12_000, "numbers": 12_000, "first": newest - 15, "last": newest, "shares": 6_000 }]));
    let last = asked(&to, &format!("SELECT * FROM ImportTest {window} LIMIT 1")).await;
    assert_eq!(last, json!([{ "timestamp": newest, "flag": "true", "number": 11_999, "share": 0.5, "text": "行 11999" }]));

    // What is there is not mixed with other rows.
    let again = saved(&backend, "SELECT * FROM ImportTest", &to).await;
    assert_eq!((again.status.code(), &*again.stdout), (Some(2), ""));
    assert!(again.stderr.contains("ImportTest.parquet is there already"), "{}", again.stderr);
}

#[tokio::test]
async fn nothing_is_written_when_not_all_could_be_read() {
    if is_lean() {
        return;
    }
    let newest = recently();
    let backend = stand_in(newest).await;
    let columns = backend.store().columns();
    for number in 0..2_001 {
        let row = json!({ "timestamp": newest, "number": 12_000 + number });
        columns.append_json("ImportTest", row.as_object().expect("an object"), newest);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("rows");
    let window = format!("SINCE {} UNTIL {}", newest - 60_000, newest + 1);
    let ended = saved(&backend, &format!("SELECT * FROM ImportTest {window}"), &to).await;
    assert_eq!((ended.status.code(), &*ended.stdout), (Some(3), ""));
    assert!(ended.stderr.contains("5001 rows of ImportTest are of one millisecond ("), "{}", ended.stderr);
    assert!(!to.exists());

    // One less is a full answer, and all of it; a condition goes with every part.
    let ended = saved(&backend, &format!("SELECT number FROM ImportTest WHERE number < 14000 {window}"), &to).await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(ended.stdout.starts_with("14000 rows in "), "{}", ended.stdout);
}

#[tokio::test]
async fn a_query_that_lists_no_rows_is_refused_before_anything_is_asked() {
    if is_lean() {
        return;
    }
    let backend = new_relic(cspm_relay::lab::backend::Retain::Rows).await;
    let folder = tempfile::tempdir().expect("a folder");
    for (query, told) in [
        ("SELECT count(*) FROM ImportTest", "SELECT names attributes or `*` only"),
        ("SELECT * FROM ImportTest LIMIT 10", "LIMIT would leave rows out"),
    ] {
        let ended = saved(&backend, query, &folder.path().join("rows")).await;
        assert_eq!((ended.status.code(), &*ended.stdout), (Some(2), ""), "{query}");
        assert!(ended.stderr.contains(told), "{query}: {}", ended.stderr);
    }
    assert_eq!(backend.store().summary().types.len(), 0);
}

#[tokio::test]
async fn where_there_are_no_rows_that_is_said_and_nothing_is_written() {
    if is_lean() {
        return;
    }
    let backend = new_relic(cspm_relay::lab::backend::Retain::Rows).await;
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("rows");
    let ended = saved(&backend, "SELECT * FROM ImportTest", &to).await;
    assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), ""));
    assert!(ended.stdout.starts_with("no rows of ImportTest from ") && ended.stdout.ends_with(": nothing was written\n"));
    assert!(!to.exists());
}

#[tokio::test]
async fn no_file_is_left_when_one_cannot_be_written() {
    if is_lean() {
        return;
    }
    let newest = recently();
    let backend = stand_in(newest).await;
    let columns = backend.store().columns();
    for event_type in ["ImpA", "ImpC"] {
        columns.append_json(event_type, json!({ "timestamp": newest, "n": 1 }).as_object().expect("an object"), newest);
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("ImpC.unfinished")).expect("a folder in the way");
    let window = format!("SINCE {} UNTIL {}", newest - 60_000, newest + 1);
    let ended = saved(&backend, &format!("SELECT * FROM ImpA, ImpC {window}"), folder.path()).await;
    assert_eq!((ended.status.code(), &*ended.stdout), (Some(2), ""), "{}", ended.stderr);
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("it").map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(left, ["ImpC.unfinished"]);
}
