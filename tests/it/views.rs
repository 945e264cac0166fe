//! Every widget of every page: known rows in, exact rows out.
//!
//! `tests/tools/views` makes the rows and computes the answers in plain Python, which knows no query language and nothing of this
//! project. The shipped dashboard is rendered, its queries run through the engine, and every row compared: by name in English, by
//! position in Japanese, where columns have other names. What always holds: a widget without an answer fails, and so does an
//! answer without a widget, or a widget with nothing to show.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use cspm_relay::lab::engine::{Engine, Field, Settings, json};
use cspm_relay::lab::store::{Store, open};
use cspm_relay::nrql;
use cspm_relay::nrql::template::{Replacement, Strategy, fill};
use cspm_relay::publish::dashboard::{Definition, Language, Request, render};
use serde_json::{Map, Value};

use super::support::agent::is_lean;

/// Widgets whose rows copies of rows do change, and why no query can help it. Points of metrics, too, have no id.
const DOUBLES_SHOW: [(&str, &[&str]); 5] = [
    (
        "a list shows every row that is stored",
        &[
            "overview-log",
            "detective-log",
            "detective-raw",
            "preventive-violations",
            "findings-log",
            "attack-log",
            "frameworks-drift",
            "resources-exposed",
            "resources-by-hand",
            "resources-broke",
            "resources-timeline",
            "resources-log",
            "identity-riskiest",
            "identity-unused",
            "identity-external",
            "identity-escalation",
            "identity-services",
            "identity-keys",
            "health-gaps",
        ],
    ),
    ("a histogram counts rows", &["detective-hours"]),
    ("more accounts and requirements a day than groups a query may have: a share of rows", &["frameworks-trend"]),
    (
        "a heartbeat sums up a minute, and a day of an agent's heartbeats can be more groups than a query may have",
        &["health-books", "health-dead", "health-retries", "health-sources"],
    ),
    ("how much is stored is the question", &["health-cost", "health-doubles", "health-total"]),
];

/// Without copies, in two zones whose days begin nine hours apart.
static TOKYO: LazyLock<Made> = LazyLock::new(|| made(&["--zone", "Asia/Tokyo"]));
static UTC: LazyLock<Made> = LazyLock::new(|| made(&["--zone", "UTC", "--chosen"]));

/// Up to how many values `uniqueCount` is exact in New Relic, at the highest precision. The engine's always is.
const EXACT: f64 = 50_000.0;

/// Widgets that follow a choice and show the same for all that: the greatest of a few, or all rows are of one account.
const UNMOVED: [(&str, &[&str]); 3] = [
    ("account = prod-%", &["frameworks-people"]),
    ("environment = prod", &["frameworks-people", "findings-insights"]),
    ("severity = HIGH, unknown", &["preventive-since"]),
];

/// What is not there, by its name in `main.py`.
const MISSING: [&str; 8] =
    ["relay", "relayOfWeek", "heartbeat", "state", "runOfFindings", "runOfViolations", "newRuns", "graveFindings"];

/// Answers of Python's, by page and widget.
type Pages = Map<String, Value>;

/// Rows and answers, as Python made them.
struct Made {
    engine: Engine,
    store: Store,
    now_ms: i64,
    zone: String,
    kept: Map<String, Value>,
    pages: Pages,
    chosen: Vec<Chosen>,
}

/// What a reader chose, and the answers then.
struct Chosen {
    variable: String,
    values: Vec<String>,
    pages: Pages,
    /// Widgets whose question is asked of the chosen rows alone.
    follow: Vec<String>,
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn made(options: &[&str]) -> Made {
    let folder = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/views/main.py");
    let mut python = Command::new("python3");
    python.arg("-B").arg(script).arg("--out").arg(folder.path()).args(options);
    let ended = python.output().expect("python3");
    assert!(ended.status.success(), "{options:?}: {}", String::from_utf8_lossy(&ended.stderr));
    let truth = std::fs::read_to_string(folder.path().join("truth.json")).expect("truth.json");
    let mut truth: Value = serde_json::from_str(&truth).expect("JSON");
    let now_ms = truth["nowMs"].as_i64().expect("nowMs");
    let opened = open(&folder.path().join("rows.ndjson"), now_ms).expect("rows");
    Made {
        engine: Engine::new(opened.store.snapshot(), Settings::default()),
        store: opened.store,
        now_ms,
        zone: truth["zone"].as_str().expect("zone").to_owned(),
        kept: truth["kept"].as_object_mut().map(std::mem::take).expect("kept"),
        pages: truth["pages"].as_object_mut().map(std::mem::take).expect("pages"),
        chosen: truth["chosen"].as_array_mut().map(std::mem::take).expect("chosen").into_iter().map(chosen).collect(),
    }
}

fn chosen(mut choice: Value) -> Chosen {
    Chosen {
        variable: choice["variable"].as_str().expect("a variable").to_owned(),
        values: texts(&choice["values"]),
        pages: choice["pages"].as_object_mut().map(std::mem::take).expect("pages"),
        follow: texts(&choice["follow"]),
    }
}

/// The rows without copies, in Tokyo, and what is now there.
pub(crate) fn made_rows() -> (Store, i64) {
    (TOKYO.store.clone(), TOKYO.now_ms)
}

impl Made {
    /// What the queries of each widget give: fields in order of display. Every variable stands at its default but the chosen one.
    fn answers(
        &self,
        definition: &Definition,
        language: Language,
        choice: Option<&Chosen>,
    ) -> BTreeMap<(String, String), Vec<Rows>> {
        let pages: BTreeMap<&str, &str> = definition.widgets().map(|(page, widget)| (widget.id.as_str(), page)).collect();
        let mut answers: BTreeMap<(String, String), Vec<Rows>> = BTreeMap::new();
        for (widget, query) in self.queries(definition, language, choice) {
            let rows = self.run(&widget, &query);
            answers.entry((pages[widget.as_str()].to_owned(), widget)).or_default().push(rows);
        }
        answers
    }

    /// Every query with its widget, in order, as it is sent.
    fn queries(&self, definition: &Definition, language: Language, choice: Option<&Chosen>) -> Vec<(String, String)> {
        let request = Request { language, accounts: &[1], page: None, timezone: Some(&self.zone) };
        let document = render(definition, request).expect("a document");
        let chosen = |name: &str| choice.filter(|choice| choice.variable == name).map(|choice| choice.values.clone());
        let filled: Vec<(&str, Replacement)> = document
            .variables
            .iter()
            .map(|variable| {
                let defaults = || variable.default_values.iter().map(|default| default.value.string.clone()).collect();
                let values = chosen(&variable.name).unwrap_or_else(defaults);
                (variable.name.as_str(), Replacement { values, strategy: Strategy::Text })
            })
            .collect();
        let mut queries = Vec::new();
        for ((_, source), drawn) in definition.pages.iter().zip(&document.pages) {
            for (widget, drawn) in source.widgets.iter().zip(&drawn.widgets) {
                for query in drawn.raw_configuration.get("nrqlQueries").and_then(Value::as_array).into_iter().flatten() {
                    let text = query["query"].as_str().expect("a query");
                    let text = fill(text, &filled).unwrap_or_else(|error| panic!("{}: {error}", widget.id));
                    queries.push((widget.id.clone(), text));
                }
            }
        }
        queries
    }

    fn run(&self, widget: &str, query: &str) -> Rows {
        let statement = nrql::parse(query).unwrap_or_else(|error| panic!("{widget}: {error}: {query}"));
        match self.engine.run(&statement, self.now_ms) {
            Ok(answer) => answer.results.iter().map(cspm_relay::lab::engine::ResultRow::fields).collect(),
            Err(error) => panic!("{widget}: {}: {query}", error.message),
        }
    }

    fn truth(&self, page: &str, widget: &str) -> Option<&Vec<Value>> {
        answer(&self.pages, page, widget)
    }
}

fn answer<'a>(pages: &'a Pages, page: &str, widget: &str) -> Option<&'a Vec<Value>> {
    pages.get(page)?.get(widget)?.as_array()
}

type Rows = Vec<Vec<Field>>;

fn object(row: &[Field]) -> Value {
    Value::Object(row.iter().map(|(name, value)| (name.to_string(), json(value))).collect())
}

fn object_rows(rows: &Rows) -> Vec<Value> {
    rows.iter().map(|row| object(row)).collect()
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

/// The first rows that differ, and how many there are.
fn difference(want: &[Value], got: &[Value]) -> Option<String> {
    if want.len() == got.len() && want.iter().zip(got).all(|(want, got)| equal(want, got)) {
        return None;
    }
    let mut text = format!("{} rows wanted, {} got", want.len(), got.len());
    let rows = want.len().max(got.len());
    let differ = (0..rows).filter(|at| !matches!((want.get(*at), got.get(*at)), (Some(want), Some(got)) if equal(want, got)));
    for at in differ.take(3) {
        let show = |row: Option<&Value>| row.map_or_else(|| "no such row".to_owned(), Value::to_string);
        write!(text, "\n    row {at}\n      want {}\n      got  {}", show(want.get(at)), show(got.get(at))).expect("text");
    }
    Some(text)
}

/// All that is wrong with the answers in a language, widget by widget.
fn faults(definition: &Definition, made: &Made) -> Vec<String> {
    let english = made.answers(definition, Language::English, None);
    let mut faults = compared(&english, &made.pages);
    for (page, widget) in english.keys() {
        for (number, want) in (1..).zip(made.truth(page, widget).into_iter().flatten()) {
            if want.as_array().is_none_or(Vec::is_empty) {
                faults.push(format!("{page}/{widget}: query {number}: nothing to show"));
            }
        }
    }
    for (page, widgets) in &made.pages {
        for widget in widgets.as_object().into_iter().flat_map(Map::keys) {
            if !english.contains_key(&(page.clone(), widget.clone())) {
                faults.push(format!("{page}/{widget}: an answer, and no such widget"));
            }
        }
    }
    faults.extend(in_japanese(definition, made, &english));
    faults
}

/// Where the answers of queries differ from those of Python, on the pages that it answered.
fn compared(answers: &BTreeMap<(String, String), Vec<Rows>>, pages: &Pages) -> Vec<String> {
    let mut faults = Vec::new();
    for ((page, widget), queries) in answers.iter().filter(|((page, _), _)| pages.contains_key(page)) {
        let Some(truth) = answer(pages, page, widget) else {
            faults.push(format!("{page}/{widget}: no answer in Python"));
            continue;
        };
        if truth.len() != queries.len() {
            faults.push(format!("{page}/{widget}: {} queries, {} answers", queries.len(), truth.len()));
        }
        for (number, (got, want)) in queries.iter().zip(truth).enumerate() {
            let got = object_rows(got);
            let want = want.as_array().cloned().unwrap_or_default();
            if let Some(difference) = difference(&want, &got) {
                faults.push(format!("{page}/{widget}: query {}: {difference}", number + 1));
            }
        }
    }
    faults
}

/// What is wrong in Japanese: the same values at the same positions, but for labels, which have their own words.
fn in_japanese(definition: &Definition, made: &Made, english: &BTreeMap<(String, String), Vec<Rows>>) -> Vec<String> {
    let translated = |value: Value| translate(definition, value);
    let mut faults = Vec::new();
    for ((place, queries), english) in made.answers(definition, Language::Japanese, None).iter().zip(english.values()) {
        for (got, want) in queries.iter().zip(english) {
            let values = |row: &Vec<Field>| Value::Array(row.iter().map(|(_, value)| json(value)).collect());
            let mut want: Vec<Value> = want.iter().map(|row| translated(values(row))).collect();
            let mut got: Vec<Value> = got.iter().map(|row| translated(values(row))).collect();
            // Groups that tie stand in the order of their labels.
            want.sort_by_cached_key(Value::to_string);
            got.sort_by_cached_key(Value::to_string);
            if let Some(difference) = difference(&want, &got) {
                faults.push(format!("{}/{} in Japanese: {difference}", place.0, place.1));
            }
        }
    }
    faults
}

/// With every label in Japanese.
fn translate(definition: &Definition, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(definition.labels.get(&text).cloned().unwrap_or(text)),
        Value::Array(items) => items.into_iter().map(|item| translate(definition, item)).collect(),
        other => other,
    }
}

fn check(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

fn shipped() -> Definition {
    Definition::shipped().expect("a definition")
}

#[test]
fn every_widget_shows_what_its_question_asks() {
    if is_lean() {
        return; // The engine is no agent's: once is enough.
    }
    for made in [&TOKYO, &UTC] {
        check(&faults(&shipped(), made));
    }
}

/// S2-43: with what was on its way before the window and is at its end, the books balance at any minute.
#[test]
fn the_books_balance() {
    if is_lean() {
        return; // The engine is no agent's: once is enough.
    }
    let answers = TOKYO.answers(&shipped(), Language::English, None);
    let books = answers.iter().find(|((_, widget), _)| widget == "health-books").map(|(_, queries)| object_rows(&queries[0]));
    let books = books.expect("the books");
    assert!(books.iter().any(|row| row["From before"].as_f64() > Some(0.0) && row["? On the way"].as_f64() > Some(0.0)));
    for row in books {
        let counts: BTreeMap<&str, f64> =
            row.as_object().expect("a row").iter().filter_map(|(name, count)| Some((name.as_str(), count.as_f64()?))).collect();
        let taken = counts["From before"] + counts["Received"];
        assert!((counts.values().sum::<f64>() - 2.0 * taken).abs() < 0.5, "{row}");
    }
}

/// A widget that drops a variable shows too much, one that follows it by accident too little.
#[test]
fn every_widget_follows_the_variables_that_its_question_has() {
    if is_lean() {
        return; // The engine is no agent's: once is enough.
    }
    let (made, definition) = (&*UTC, shipped());
    let mut faults = Vec::new();
    for choice in &made.chosen {
        let about = format!("{} = {}", choice.variable, choice.values.join(", "));
        let answers = made.answers(&definition, Language::English, Some(choice));
        faults.extend(compared(&answers, &choice.pages).into_iter().map(|fault| format!("{about}: {fault}")));
        for (page, widget) in answers.keys().filter(|(_, widget)| choice.follow.contains(widget)) {
            let same = equal(&json_of(answer(&choice.pages, page, widget)), &json_of(made.truth(page, widget)));
            let known = UNMOVED.iter().any(|(choice, names)| *choice == about && names.contains(&widget.as_str()));
            if same != known {
                faults.push(format!("{about}: {page}/{widget}: the same with and without: {same}, expected {known}"));
            }
        }
    }
    let all: BTreeSet<&str> = definition.shared.variables.iter().map(|variable| variable.name.as_str()).collect();
    let tried: BTreeSet<&str> = made.chosen.iter().map(|choice| choice.variable.as_str()).collect();
    assert_eq!(tried, all, "a variable that nobody chose");
    check(&faults);
}

fn json_of(answer: Option<&Vec<Value>>) -> Value {
    answer.cloned().map_or(Value::Null, Value::from)
}

/// Nobody knows what today is after the relay fell silent, nor how many rules hold when none was read, nor what is open before the
/// first run of findings: that is null, never 0. What is known is said: what runs a day apart told last, and that nothing grave came.
#[test]
fn what_nobody_measured_is_no_number() {
    if is_lean() {
        return; // The engine is no agent's: once is enough.
    }
    for missing in MISSING {
        let made = made(&["--missing", missing]);
        let faults = compared(&made.answers(&shipped(), Language::English, None), &made.pages);
        check(&faults.into_iter().map(|fault| format!("without {missing}: {fault}")).collect::<Vec<_>>());
    }
}

/// A list of ids in a query has 10,000: runs of other kinds take no place in it.
#[test]
fn frequent_runs_take_no_day_from_a_line() {
    if is_lean() {
        return; // The engine is no agent's: once is enough.
    }
    let made = made(&["--frequent"]);
    let answers = made.answers(&shipped(), Language::English, None);
    assert_eq!(made.pages.len(), 3);
    for (page, widgets) in &made.pages {
        let line = format!("{page}-trend");
        let mut only = answers.clone();
        only.retain(|(_, widget), _| *widget == line);
        assert!(widgets.get(&line).is_some() && only.len() == 1, "{line}");
        check(&compared(&only, &made.pages));
    }
}

/// Events and logs past 30 days and metrics past 395 are hidden, however far back a query asks.
#[test]
fn rows_past_the_retention_are_hidden() {
    if is_lean() {
        return; // The engine is no agent's: once is enough.
    }
    let made = &UTC;
    let count = |event_type: &str, engine: &Engine| {
        let statement = nrql::parse(&format!("SELECT count(*) FROM {event_type} SINCE 450 days ago")).expect("a query");
        let answer = engine.run(&statement, made.now_ms).expect("an answer");
        answer.results.first().and_then(|row| object(&row.fields())["count"].as_u64())
    };
    let settings = Settings { event_retention_days: 450, metric_retention_days: 450, ..Settings::default() };
    let everything = Engine::new(made.store.snapshot(), settings);
    for (event_type, kept) in &made.kept {
        assert_eq!(count(event_type, &made.engine), kept.as_u64(), "{event_type}");
    }
    for event_type in ["AwsSecurityEvent", "AwsComplianceChange", "AwsSecurityFinding", "CspmRelayHeartbeat", "Log", "Metric"] {
        assert!(count(event_type, &everything) > count(event_type, &made.engine), "{event_type}: nothing is hidden");
    }
}

/// Who has the trail alone knows nothing of policy, findings and identities: a billboard shows nothing there, not 0, nor that 0
/// accounts, Regions or types are so.
#[test]
fn what_was_never_measured_is_no_number() {
    if is_lean() {
        return; // The engine is no agent's: once is enough.
    }
    let definition = shipped();
    let answers = made(&["--trail-alone"]).answers(&definition, Language::English, None);
    let (mut asked, mut faults) = (0, Vec::new());
    for (page, source) in &definition.pages {
        let billboards = source.widgets.iter().filter(|widget| widget.visualization == "viz.billboard");
        for widget in billboards.filter(|_| ["preventive", "findings", "resources", "identity"].contains(&page.as_str())) {
            for (name, value) in answers[&(page.clone(), widget.id.clone())].iter().flatten().flatten() {
                asked += 1;
                let value = json(value);
                if !value.is_null() {
                    faults.push(format!("{page}/{}: {name} is {value}", widget.id));
                }
            }
        }
    }
    assert!(asked > 30, "{asked}");
    check(&faults);
}

/// Rows that New Relic stored twice, right behind each other or much later, change no number.
#[test]
fn copies_of_rows_change_no_number() {
    if is_lean() {
        return; // The engine is no agent's: once is enough.
    }
    for once in [&TOKYO, &UTC] {
        let twice = made(&["--zone", &once.zone, "--duplicates", "0.2"]);
        let mut faults = faults(&shipped(), &twice);
        for (page, widgets) in &twice.pages {
            for (widget, rows) in widgets.as_object().expect("widgets") {
                let known = DOUBLES_SHOW.iter().any(|(_, names)| names.contains(&widget.as_str()));
                let same = once.truth(page, widget).is_some_and(|once| equal(&Value::from(once.clone()), rows));
                if known == same {
                    faults.push(format!("{page}/{widget}: copies change it: {}, expected {known}", !same));
                }
            }
        }
        check(&faults);
    }
}

/// 200 accounts × 3 Regions × 150 rules are 90,000 rows a run: no limit on groups cuts a tile.
#[test]
fn a_large_fleet_is_counted_whole() {
    if is_lean() {
        return; // The engine is no agent's: once is enough.
    }
    let made = made(&["--fleet"]);
    let answers = made.answers(&shipped(), Language::English, None);
    let mut faults = Vec::new();
    for (page, widgets) in &made.pages {
        for (widget, queries) in widgets.as_object().expect("widgets") {
            let got = answers.get(&(page.clone(), widget.clone())).cloned().unwrap_or_default();
            for (number, want) in queries.as_array().expect("queries").iter().enumerate() {
                let got: Vec<Value> = got.get(number).into_iter().flatten().map(|row| object(row)).collect();
                let want = want.as_array().expect("rows");
                faults.extend(difference(want, &got).map(|difference| format!("{page}/{widget}: {difference}")));
            }
        }
    }
    assert!(!made.pages.is_empty());
    faults.extend(beyond_exact(&made, &shipped()));
    check(&faults);
}

/// Widgets that ask `uniqueCount` for more values than it is exact for, in the query itself or in one within it.
fn beyond_exact(made: &Made, definition: &Definition) -> Vec<String> {
    let mut faults = Vec::new();
    for (widget, text) in made.queries(definition, Language::English, None) {
        let within = text.split("FROM (").skip(1).filter(|after| after.starts_with("SELECT "));
        let within = within.map(|after| format!("{} SINCE 3 days ago", bracketed(after)));
        for query in within.chain([text.clone()]) {
            let asked = query.split(" FROM ").next().unwrap_or_default();
            if !asked.contains("uniqueCount(") {
                continue;
            }
            // Times are greater than any count.
            let rows = made.run(&widget, &query);
            let most = rows.iter().flatten().filter_map(|(_, value)| json(value).as_f64());
            let most = most.filter(|value| *value < 1e9).fold(0.0, f64::max);
            if most > EXACT {
                faults.push(format!("{widget}: {most} values, and `uniqueCount` is exact to {EXACT}: {query}"));
            }
        }
    }
    faults
}

/// What stands before the bracket that closes one opened before the text.
fn bracketed(text: &str) -> String {
    let mut open = 1;
    let is_within = |c: &char| {
        open += i32::from(*c == '(') - i32::from(*c == ')');
        open > 0
    };
    text.chars().take_while(is_within).collect()
}
