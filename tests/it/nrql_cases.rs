//! Queries and their answers, worked out by hand: `tests/nrql/*.test` (its `README.md` has the format), through the engine.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cspm_relay::lab::engine::{Engine, Settings};
use cspm_relay::lab::lookup;
use cspm_relay::lab::store::{Store, TableView, open};
use cspm_relay::nrql;
use cspm_relay::nrql::form::{FORMS, Usage};
use cspm_relay::nrql::function::{FUNCTIONS, Tier};
use cspm_relay::record::time::parse_ms;
use serde_json::{Map, Value};

use super::support::agent::is_lean;

/// What a case wants.
#[derive(Debug)]
enum Want {
    Rows(Vec<Value>),
    Error { words: String, at: Option<usize> },
}

#[derive(Debug)]
struct Case {
    name: String,
    data: Vec<String>,
    now_ms: i64,
    lookups: BTreeMap<String, Arc<TableView>>,
    query: String,
    want: Want,
}

/// Rows of a case: a file's, or those that stand in the case.
const INLINE: &str = "\n";

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nrql")
}

/// The cases of a file.
fn cases(file: &str, text: &str) -> Vec<Case> {
    let mut fields: Vec<(usize, &str, String)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if let Some(more) = line.strip_prefix(' ') {
            let (_, _, value) = fields.last_mut().unwrap_or_else(|| panic!("{file}:{}: nothing to go on", number + 1));
            value.push_str(INLINE);
            value.push_str(more);
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{file}:{}: no field: {line}", number + 1));
        fields.push((number + 1, name, value.trim().to_owned()));
    }
    let (mut data, mut now, mut lookup) = (String::new(), String::new(), String::new());
    let mut cases: Vec<(usize, BTreeMap<&str, String>)> = Vec::new();
    for (line, name, value) in fields {
        match (name, cases.last_mut()) {
            ("name", _) => cases.push((line, BTreeMap::from([("name", value)]))),
            ("data", None) => data = value,
            ("now", None) => now = value,
            ("lookup", None) => lookup = value,
            (_, None) => panic!("{file}:{line}: `{name}` before the first case"),
            (name, Some((_, case))) => {
                assert!(["data", "now", "query", "rows", "error"].contains(&name), "{file}:{line}: unknown field `{name}`");
                assert!(case.insert(name, value).is_none(), "{file}:{line}: `{name}` twice");
            }
        }
    }
    let made = cases.into_iter().map(|(line, mut case)| {
        let place = format!("{file}:{line}");
        let name = case.remove("name").unwrap_or_default();
        let lines =
            |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let want = match (case.remove("rows"), case.remove("error")) {
            (Some(rows), None) => {
                let row = |line: &String| serde_json::from_str(line).unwrap_or_else(|error| panic!("{place}: {line}: {error}"));
                Want::Rows(lines(&rows).iter().map(row).collect())
            }
            (None, Some(error)) => match error.rsplit_once(" at ").map(|(words, at)| (words, at.parse())) {
                Some((words, Ok(at))) => Want::Error { words: words.to_owned(), at: Some(at) },
                _ => Want::Error { words: error, at: None },
            },
            _ => panic!("{place}: either `rows` or `error`"),
        };
        let now = case.remove("now").unwrap_or_else(|| now.clone());
        Case {
            lookups: lookups(&lookup),
            data: lines(&case.remove("data").unwrap_or_else(|| data.clone())),
            now_ms: parse_ms(&now).unwrap_or_else(|| panic!("{place}: now: {now}")),
            query: case.remove("query").unwrap_or_else(|| panic!("{place}: no query")),
            name: format!("{place}: {name}"),
            want,
        }
    });
    made.collect()
}

/// `name=file …` as tables.
fn lookups(text: &str) -> BTreeMap<String, Arc<TableView>> {
    let table = |text: &str| {
        let (name, file) = text.split_once('=').unwrap_or_else(|| panic!("{text}: not name=file"));
        (name.to_owned(), lookup::read(name, &folder().join(file)).unwrap_or_else(|error| panic!("{error}")))
    };
    text.split_whitespace().map(table).collect()
}

fn store(data: &[String]) -> Store {
    match data {
        [file] if !file.starts_with('{') => open(&folder().join(file), 0).unwrap_or_else(|error| panic!("{error}")).store,
        lines => {
            let store = Store::in_memory();
            for line in lines {
                let row: Map<String, Value> = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
                store.append_json(row["eventType"].as_str().expect("eventType"), &row, 0);
            }
            store
        }
    }
}

/// Equal, numbers within a billionth part.
fn equal(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Number(one), Value::Number(two)) => {
            let (one, two) = (one.as_f64().unwrap_or(f64::NAN), two.as_f64().unwrap_or(f64::NAN));
            (one - two).abs() <= 1e-9 * one.abs().max(two.abs())
        }
        (Value::Array(one), Value::Array(two)) => one.len() == two.len() && one.iter().zip(two).all(|(one, two)| equal(one, two)),
        (Value::Object(one), Value::Object(two)) => {
            one.len() == two.len() && one.iter().all(|(name, one)| two.get(name).is_some_and(|two| equal(one, two)))
        }
        (one, two) => one == two,
    }
}

fn fault(case: &Case) -> Option<String> {
    let (got, at) = match nrql::parse(&case.query) {
        Err(fault) => (Err(fault.to_string()), Some(fault.span.start)),
        Ok(statement) => {
            let settings = Settings { lookups: case.lookups.clone(), ..Settings::default() };
            match Engine::new(store(&case.data).snapshot(), settings).run(&statement, case.now_ms) {
                Err(fault) => (Err(fault.message), fault.span.map(|span| span.start)),
                Ok(answer) => (Ok(answer.json()["results"].as_array().cloned().unwrap_or_default()), None),
            }
        }
    };
    match (&case.want, got) {
        (Want::Rows(want), Ok(got)) if want.len() == got.len() && want.iter().zip(&got).all(|(want, got)| equal(want, got)) => {
            None
        }
        (Want::Error { words, at: place }, Err(message))
            if message.to_lowercase().contains(&words.to_lowercase()) && place.is_none_or(|place| at == Some(place)) =>
        {
            None
        }
        (want, Ok(got)) => Some(format!("{}\n  query {}\n  want  {want:?}\n  got   {}", case.name, case.query, Value::from(got))),
        (want, Err(message)) => {
            Some(format!("{}\n  query {}\n  want  {want:?}\n  got   error {message} at {at:?}", case.name, case.query))
        }
    }
}

fn all() -> Vec<Case> {
    let entries = std::fs::read_dir(folder()).expect("tests/nrql");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|ends| ends == "test"));
    files.sort();
    let of_file = |path: &std::path::PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        cases(&name, &std::fs::read_to_string(path).expect("a file of cases"))
    };
    files.iter().flat_map(of_file).collect()
}

#[test]
fn every_query_has_the_answer_worked_out_by_hand() {
    if is_lean() {
        return; // The engine is no agent's: once is enough.
    }
    let cases = all();
    assert!(cases.len() >= 300, "{} cases", cases.len());
    let faults: Vec<String> = cases.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{} of {} cases\n{}", faults.len(), cases.len(), faults.join("\n"));
}

/// What nobody asks is not known to work: every clause, operator and function of the first two tiers has a case.
#[test]
fn every_clause_and_function_of_the_first_tiers_has_a_case() {
    if is_lean() {
        return; // The engine is no agent's: once is enough.
    }
    let asked: Vec<Usage> = all()
        .iter()
        .filter(|case| matches!(case.want, Want::Rows(_)))
        .filter_map(|case| nrql::parse(&case.query).ok())
        .map(|statement| Usage::of(&statement))
        .collect();
    // A variable is filled in before a query is read: the tests of templates have those.
    let forms = FORMS.iter().filter(|form| form.tier <= Tier::T2 && form.name != "{{variable}}").map(|form| form.name);
    let functions = FUNCTIONS.iter().filter(|function| function.tier <= Tier::T2).map(|function| function.name);
    let no_case = |name: &&str| !asked.iter().any(|usage| usage.forms.contains(name) || usage.functions.contains(name));
    let missing: Vec<&str> = forms.chain(functions).filter(no_case).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}
