//! The dashboard on a million rows.
//!
//! In: the rows that `tests/tools/views` makes, copied under ids of their own until there are enough; the shipped dashboard. Out: CPU
//! time of all queries of each page, one after the other, as a browser asks them. What always holds: every query is answered with
//! rows; the copies lie where the rows lie in time, so that every window holds its share.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, ensure};
use cspm_relay::lab::engine::{Engine, Settings};
use cspm_relay::lab::store::Store;
use cspm_relay::nrql;
use cspm_relay::nrql::ast::Statement;
use cspm_relay::nrql::template::{Replacement, Strategy, fill};
use cspm_relay::publish::dashboard::{Definition, Language, Request, render};
use serde_json::{Map, Value, json};

use crate::cpu::Stopwatch;
use crate::report::{Budget, Verdict, real, say};

/// CPU seconds of the dearest page.
const PAGE: Budget = Budget::AtMost(0.5);
/// Names of what makes a row one of its own.
pub(crate) const IDS: [&str; 5] = ["event.id", "detection.id", "finding.key", "resource.id", "event.sharedId"];

/// A page and its queries.
struct Page {
    name: String,
    queries: Vec<Statement>,
}

/// Measures each page on `rows` rows; the best of `runs`.
pub(crate) fn run(rows: usize, runs: usize, folder: &Path, verdicts: &mut Vec<Verdict>) -> Result<Value> {
    let (store, now_ms, made) = filled(rows, folder)?;
    let engine = Engine::new(store.snapshot(), Settings::default());
    say(&format!("\nlab: pages of the dashboard on {made} rows, all queries of a page one after the other; best of {runs}"))?;
    let mut figures = Map::new();
    let mut dearest: f64 = 0.0;
    for page in pages()? {
        let mut best = u64::MAX;
        for _ in 0..runs.max(1) {
            let mut watch = Stopwatch::new()?;
            for query in &page.queries {
                let answer = watch.time(|| engine.run(query, now_ms))?;
                let answer = answer.map_err(|error| anyhow!("{}: {error}: {query}", page.name))?;
                ensure!(!answer.results.is_empty(), "{}: no rows: {query}", page.name);
            }
            best = best.min(watch.spent_ns());
        }
        let seconds = real(best) / 1e9;
        dearest = dearest.max(seconds);
        say(&format!("  {:<22} {:>3} queries  {seconds:>7.3} CPU s", page.name, page.queries.len()))?;
        figures.insert(page.name, json!(seconds));
    }
    let what = format!("dearest page on {made} rows, CPU s");
    verdicts.push(Verdict { what, figure: dearest, decimals: 3, budget: PAGE });
    Ok(Value::Object(figures))
}

/// The rows that are copied, and when it is.
pub(crate) fn templates(folder: &Path) -> Result<(Vec<Map<String, Value>>, i64)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/views/main.py");
    let ended = Command::new("python3").arg("-B").arg(&script).arg("--out").arg(folder).output().context("starting python3")?;
    ensure!(ended.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&ended.stderr));
    let truth: Value = serde_json::from_slice(&std::fs::read(folder.join("truth.json"))?)?;
    let now_ms = truth.get("nowMs").and_then(Value::as_i64).context("nowMs")?;
    let text = std::fs::read_to_string(folder.join("rows.ndjson"))?;
    Ok((text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?, now_ms))
}

/// The rows, when it is, and how many there are.
fn filled(rows: usize, folder: &Path) -> Result<(Store, i64, usize)> {
    let (templates, now_ms) = templates(folder)?;
    let store = Store::in_memory();
    let copies = rows.div_ceil(templates.len().max(1));
    for copy in 0..copies {
        for template in &templates {
            let event_type = template.get("eventType").and_then(Value::as_str).context("eventType")?.to_owned();
            let mut row = template.clone();
            // The first copy is the rows themselves.
            for name in IDS.iter().filter(|_| copy > 0) {
                if let Some(Value::String(id)) = row.get_mut(*name) {
                    id.push_str(&format!("-{copy}"));
                }
            }
            store.append_json(&event_type, &row, now_ms);
        }
    }
    Ok((store, now_ms, copies * templates.len()))
}

/// The pages of the English dashboard, variables at their defaults.
fn pages() -> Result<Vec<Page>> {
    let definition = Definition::shipped()?;
    let request = Request { language: Language::English, accounts: &[1], page: None, timezone: Some("Asia/Tokyo") };
    let document = render(&definition, request)?;
    let defaults: Vec<(&str, Replacement)> = document
        .variables
        .iter()
        .map(|variable| {
            let values = variable.default_values.iter().map(|default| default.value.string.clone()).collect();
            (variable.name.as_str(), Replacement { values, strategy: Strategy::Text })
        })
        .collect();
    let page = |page: &cspm_relay::publish::dashboard::Page| {
        let queries = page.widgets.iter().filter_map(|widget| widget.raw_configuration.get("nrqlQueries")?.as_array());
        let queries = queries.flatten().filter_map(|query| query.get("query")?.as_str());
        let read = |text: &str| Ok(nrql::parse(&fill(text, &defaults)?)?);
        Ok(Page { name: page.name.clone(), queries: queries.map(read).collect::<Result<_>>()? })
    };
    document.pages.iter().map(page).collect()
}
