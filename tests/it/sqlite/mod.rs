//! The engine against `SQLite`: thousands of rows, hundreds of queries that SQL can say too, all answers alike.
//!
//! In: chance with a known start. Out: for a difference, the start, the query in both languages and the first row that differs. What
//! always holds: rows and queries are the same every time; the SQL is run by `tests/tools/sql_oracle.py`, which says how values and
//! texts are mapped; where NRQL is not SQL, `expression` and `query` spell it out.

mod expression;
mod query;
mod rows;

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use cspm_relay::lab::engine::{Answer, Engine, Settings, json as shown};
use cspm_relay::lab::store::Store;
use cspm_relay::nrql;
use fastrand::Rng;
use serde_json::{Map, Value, json};

use self::query::Query;
use self::rows::{NAMES, NOW_MS, Row};
use super::support::agent::is_lean;
use super::support::{setting, skip};

/// Where chance begins. `CSPM_RELAY_TEST_SEED` asks for another; a query by itself depends on this and its number alone.
const SEED: u64 = 20_231_218;
const ROWS: usize = 2_000;
const QUERIES: u64 = 500;

/// What `SQLite` says, or nothing if Python is without it.
fn opinions(rows: &[Row], queries: &[Query]) -> Option<Vec<Value>> {
    let has = Command::new("python3").args(["-c", "import sqlite3"]).stderr(Stdio::null()).status();
    if !has.is_ok_and(|status| status.success()) {
        skip("python3 with its sqlite3 module is not there");
        return None;
    }
    let columns = [&["type", "arrival", "ts"][..], &NAMES[..]].concat();
    let mut text = json!({ "columns": columns }).to_string();
    for (arrival, row) in rows.iter().enumerate() {
        let first = [json!(row.event_type), json!(arrival), json!(row.timestamp_ms)];
        let values = [&first[..], &row.values[..]].concat();
        let _written = write!(text, "\n{}", json!({ "row": values })).is_ok();
    }
    for query in queries {
        let _written = write!(text, "\n{}", json!({ "sql": query.sql })).is_ok();
    }
    let folder = tempfile::tempdir().expect("a folder");
    let asked = folder.path().join("asked.ndjson");
    std::fs::write(&asked, text).expect("a file");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/sql_oracle.py");
    let ended = Command::new("python3")
        .args(["-B", script])
        .stdin(std::fs::File::open(&asked).expect("a file"))
        .output()
        .expect("python3 runs");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let lines = String::from_utf8(ended.stdout).expect("UTF-8");
    Some(lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

fn engine(rows: &[Row]) -> Engine {
    let store = Store::in_memory();
    for row in rows {
        let named = NAMES.iter().map(|name| (*name).to_owned()).zip(row.values.iter().cloned());
        let values: Map<String, Value> = named.chain([("timestamp".to_owned(), json!(row.timestamp_ms))]).collect();
        store.append_json(row.event_type, &values, NOW_MS);
    }
    Engine::new(store.snapshot(), Settings::default())
}

/// The rows of an answer as the SQL orders their columns: times, facets, values.
fn cells(answer: &Answer) -> Vec<Vec<Value>> {
    let row = |row: &cspm_relay::lab::engine::ResultRow| {
        let times = row.timestamp_ms.into_iter().chain(row.bucket_ms.into_iter().flat_map(|(begin, end)| [begin, end]));
        times.map(Value::from).chain(row.facets.iter().chain(&row.values).map(|(_, value)| shown(value))).collect()
    };
    answer.results.iter().map(row).collect()
}

/// Equal, numbers within a billionth part.
fn equal(one: &Value, two: &Value) -> bool {
    match (one.as_f64(), two.as_f64()) {
        (Some(one), Some(two)) => (one - two).abs() <= 1e-9 * one.abs().max(two.abs()),
        _ => one == two,
    }
}

/// What is different, if anything is.
fn difference(engine: &Engine, query: &Query, opinion: &Value) -> Option<String> {
    let statement = nrql::parse(&query.nrql).map_err(|fault| fault.to_string());
    let found = statement.and_then(|statement| engine.run(&statement, NOW_MS).map_err(|fault| fault.to_string()));
    let found = match found {
        Ok(answer) => cells(&answer),
        Err(fault) => return Some(format!("the engine refuses it: {fault}")),
    };
    let Some(wanted) = opinion["rows"].as_array() else { return Some(format!("SQLite refuses it: {}", opinion["error"])) };
    let same = |found: &[Value], wanted: &Value| {
        wanted.as_array().is_some_and(|wanted| {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(wanted, found)| equal(wanted, found))
        })
    };
    let at = found.iter().zip(wanted).position(|(found, wanted)| !same(found, wanted));
    let at = at.or_else(|| (found.len() != wanted.len()).then(|| found.len().min(wanted.len())))?;
    let row = |row: Option<&Value>| row.map_or_else(|| "no row".to_owned(), Value::to_string);
    Some(format!(
        "row {at} of {} is {}\n  by SQLite, of {}, {}",
        found.len(),
        row(found.get(at).map(|found| json!(found)).as_ref()),
        wanted.len(),
        row(wanted.get(at))
    ))
}

#[test]
fn sqlite_gives_the_same_rows() {
    if is_lean() {
        return; // The engine is no agent's: once is enough.
    }
    let seed = setting("CSPM_RELAY_TEST_SEED").map_or(SEED, |text| text.parse().expect("a number"));
    let rows = rows::rows(&mut Rng::with_seed(seed), ROWS);
    let queries: Vec<Query> = (1..=QUERIES).map(|number| query::query(&mut Rng::with_seed(seed ^ (number << 32)))).collect();
    let Some(opinions) = opinions(&rows, &queries) else { return };
    assert_eq!(opinions.len(), queries.len());
    let engine = engine(&rows);
    let mut faults = Vec::new();
    let mut filled = 0;
    for ((number, query), opinion) in queries.iter().enumerate().zip(&opinions) {
        filled += usize::from(opinion["rows"].as_array().is_some_and(|rows| !rows.is_empty()));
        if let Some(fault) = difference(&engine, query, opinion) {
            faults.push(format!("seed {seed}, query {}\n  NRQL {}\n  SQL  {}\n  {fault}", number + 1, query.nrql, query.sql));
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {QUERIES} queries\n{}",
        faults.len(),
        faults.iter().take(5).cloned().collect::<Vec<_>>().join("\n")
    );
    // Chance that only asks for nothing would prove nothing.
    assert!(filled >= 350, "{filled} of {QUERIES} queries have rows");
}
