//! The nine pages that are shipped, as a browser draws them, over the rows of `tests/tools/views`.
//!
//! In: the shipped dashboard in both languages, rows from Python, one server and one browser. What is asked: that every widget of
//! every page is drawn without a word on the console, and that what stands in it are the rows that `/api/query` gave. The answers
//! are kept as the page received them; what they must look like is computed here from them, not asked of the page. Whether the
//! rows are the right ones is the matter of `views.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use cspm_relay::clock::Clock;
use cspm_relay::lab::engine;
use cspm_relay::lab::preview::{FromStore, Language, Preview, Settings};
use cspm_relay::publish::dashboard::{self, Definition, Request, render};
use serde_json::{Value, json};

use crate::support::agent::is_lean;
use crate::support::browser::Browser;
use crate::views::made_rows;

/// Keeps every answer under the query that asked for it, as it stands in the dashboard.
const LISTEN: &str = "window.answers = {}; const asks = window.fetch; window.fetch = async (address, request) => { \
    const answer = await asks(address, request); \
    if (String(address) === '/api/query') { \
        const { query } = JSON.parse(request.body); \
        window.answers[query] = await answer.clone().json(); \
    } \
    return answer; };";

/// What every widget shows: its kind, title and state, and its values as the page keeps them beside their text. Charts show
/// their table.
const SHOWN: &str = "(() => { \
    const value = (one) => JSON.parse(one.dataset.value); \
    const cards = [...document.querySelectorAll('.widget')]; \
    for (const card of cards) { \
        if (!card.querySelector('.chart-canvas')) continue; \
        card.querySelector('.widget-menu').click(); \
        card.querySelector('.menu-item').click(); \
    } \
    return cards.map((card) => ({ \
        title: card.getAttribute('aria-label') ?? '', kind: card.dataset.viz, state: card.dataset.state, \
        text: card.querySelector('.widget-body').textContent, \
        rows: [...card.querySelectorAll('tbody tr')].map((row) => [...row.cells].map(value)), \
        tiles: [...card.querySelectorAll('.tile-value')].map((tile) => tile.dataset.value), \
        lines: card.querySelectorAll('.log-row').length, \
    })); })()";

const FLAT: &str = "[...document.querySelectorAll('.chart-canvas')].filter((one) => !one.querySelector('canvas')?.width).length";

/// Fields of a row that are no column.
const ABOUT: [&str; 5] = ["facet", "comparison", "beginTimeSeconds", "endTimeSeconds", "inspectedCount"];

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// The values of a row: its groups, and its columns in the order of their names.
fn values(row: &Value, facets: &[Value]) -> (Vec<Value>, BTreeMap<String, Value>) {
    let fields = row.as_object().expect("a row");
    let is_column = |name: &&String| !ABOUT.contains(&name.as_str()) && !facets.contains(&json!(name));
    let columns = fields.keys().filter(is_column).flat_map(|name| match &row[name] {
        // Percentiles: a column for each.
        Value::Object(ranks) => ranks.iter().map(|(rank, value)| (format!("{name} {rank}"), value.clone())).collect(),
        value => vec![(name.clone(), value.clone())],
    });
    let columns = columns.collect();
    (fields.get("facet").map(list).unwrap_or_default(), columns)
}

/// Numbers of JSON, whole or not, are one kind of number to a page.
fn plain(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("{:e}", number.as_f64().expect("a number")),
        other => other.to_string(),
    }
}

/// Sets of values, in an order of their own: how rows are sorted is the widget's affair, and so is the order of columns.
fn sorted(rows: impl IntoIterator<Item = Vec<Value>>) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let mut row: Vec<String> = row.iter().map(plain).collect();
            row.sort_unstable();
            row
        })
        .collect();
    rows.sort_unstable();
    rows
}

/// What a table over these answers shows. Several queries of one widget stand below each other, each row with every column.
fn table(answers: &[&Value]) -> Vec<Vec<Value>> {
    let all_columns: Vec<String> = {
        let names = answers.iter().flat_map(|answer| {
            let facets = list(&answer["metadata"]["facets"]);
            let rows = list(&answer["results"]);
            rows.iter().flat_map(|row| values(row, &facets).1.into_keys()).collect::<Vec<_>>()
        });
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let mut table = Vec::new();
    for answer in answers {
        let facets = list(&answer["metadata"]["facets"]);
        let window = |name: &str| list(&answer[name]);
        let is_compared = !window("previousResults").is_empty() || !window("currentResults").is_empty();
        let rows = if is_compared { window("currentResults") } else { window("results") };
        for row in &rows {
            let (mut cells, columns) = values(row, &facets);
            if let Some(begin) = row.get("beginTimeSeconds").and_then(Value::as_f64) {
                cells.push(json!(begin * 1000.0));
            }
            cells.extend(all_columns.iter().map(|name| columns.get(name).cloned().unwrap_or(Value::Null)));
            table.push(cells);
        }
    }
    table
}

/// Whether a table can be told from the answers alone: comparisons have columns that the page computes.
fn is_plain(answers: &[&Value]) -> bool {
    answers.iter().all(|answer| list(&answer["previousResults"]).is_empty() && list(&answer["currentResults"]).is_empty())
}

/// What is wrong with a widget, and whether its values could be compared.
fn wrong(shown: &Value, answers: &[&Value]) -> (Option<String>, bool) {
    let kind = shown["kind"].as_str().expect("a kind");
    let rows = list(&shown["rows"]).iter().map(list).collect::<Vec<_>>();
    let (want, got) = match kind {
        "viz.billboard" => {
            let current = |answer: &&Value| match list(&answer["currentResults"]) {
                current if current.is_empty() => list(&answer["results"]),
                current => current,
            };
            let facets = |answer: &Value| list(&answer["metadata"]["facets"]);
            let values = answers.iter().flat_map(|answer| {
                current(answer).iter().flat_map(|row| values(row, &facets(answer)).1.into_values()).collect::<Vec<_>>()
            });
            let told = list(&shown["tiles"]).into_iter().map(|tile| {
                let text = tile.as_str().expect("a tile").to_owned();
                serde_json::from_str(&text).unwrap_or(Value::String(text))
            });
            (sorted(values.map(|value| vec![value])), sorted(told.map(|value| vec![value])))
        }
        "logger.log-table-widget" | "viz.event-feed" => {
            let lines: usize = answers.iter().map(|answer| list(&answer["results"]).len()).sum();
            let wrong = (shown["lines"] != lines).then(|| format!("{lines} rows, {} lines", shown["lines"]));
            return (wrong, true);
        }
        "viz.histogram" | "viz.funnel" | "viz.json" | "viz.markdown" => return (None, false),
        _ if is_plain(answers) => (sorted(table(answers)), sorted(rows)),
        _ => return (None, false),
    };
    if want == got {
        return (None, true);
    }
    let first = want.iter().find(|row| !got.contains(row));
    let second = got.iter().find(|row| !want.contains(row));
    (
        Some(format!(
            "{} rows answered, {} drawn; answered and not drawn: {first:?}; drawn and not answered: {second:?}",
            want.len(),
            got.len()
        )),
        true,
    )
}

/// S0-05, S0-10: all nine pages, both languages.
#[tokio::test(flavor = "multi_thread")]
async fn every_shipped_page_shows_in_both_languages_what_its_queries_answer() {
    if is_lean() {
        return;
    }
    let Some(mut browser) = tokio::task::spawn_blocking(|| Browser::start(1_400, 1_000)).await.expect("a browser") else {
        return;
    };
    let definition = Definition::shipped().expect("a definition");
    let languages = [(Language::English, dashboard::Language::English), (Language::Japanese, dashboard::Language::Japanese)];
    let documents = languages.map(|(language, of_definition)| {
        let request = Request { language: of_definition, accounts: &[1], page: None, timezone: Some("Asia/Tokyo") };
        (language, serde_json::to_value(render(&definition, request).expect("a document")).expect("JSON"))
    });
    let (store, now_ms) = made_rows();
    let settings = Settings {
        listen: "127.0.0.1:0".parse().expect("an address"),
        dashboards: documents.iter().map(|(language, document)| (*language, document.to_string())).collect(),
        language: Language::English,
        zones: Language::ALL.into_iter().map(|language| (language, "Asia/Tokyo".to_owned())).collect(),
        clock: Clock::fixed(now_ms),
        live: None,
        mask: None,
        alerts: None,
    };
    let answers = Arc::new(FromStore::new(store, engine::Settings::default()));
    let preview = Preview::start(settings, answers).await.expect("a preview");
    browser.before_every_page(LISTEN);
    let mut faults = Vec::new();
    let (mut widgets, mut compared) = (0, 0);
    for (language, document) in &documents {
        let pages = list(&document["pages"]);
        assert_eq!(pages.len(), 9, "{language}");
        for (number, page) in pages.iter().enumerate() {
            let name = format!("{language}, {}", page["name"]);
            browser.open(&format!("{}/?lang={language}&page={number}", preview.url()));
            assert_eq!(browser.value(FLAT), 0, "{name}: a chart without a picture");
            let answers = browser.value("window.answers");
            let shown = list(&browser.value(SHOWN));
            faults.extend(browser.wrongs().into_iter().map(|wrong| format!("{name}: on the console: {wrong}")));
            let defined = list(&page["widgets"]);
            assert_eq!(shown.len(), defined.len(), "{name}");
            let mut of_page = 0;
            for widget in &defined {
                let title = &widget["title"];
                let Some(shown) =
                    shown.iter().find(|shown| shown["title"] == *title && shown["kind"] == widget["visualization"]["id"])
                else {
                    faults.push(format!("{name}: {title} is not there"));
                    continue;
                };
                if shown["state"] != "ready" {
                    faults.push(format!("{name}: {title} is {}: {}", shown["state"], shown["text"]));
                    continue;
                }
                let queries = list(&widget["rawConfiguration"]["nrqlQueries"]);
                let own: Vec<&Value> = queries.iter().map(|query| &answers[query["query"].as_str().expect("a query")]).collect();
                let (wrong, is_compared) = wrong(shown, &own);
                faults.extend(wrong.map(|wrong| format!("{name}: {title}: {wrong}")));
                widgets += 1;
                of_page += u32::from(is_compared);
            }
            assert!(of_page >= 3, "{name}: {of_page} widgets were compared");
            compared += of_page;
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
    assert!(compared * 10 >= widgets * 8, "{compared} of {widgets} widgets were compared");
}
