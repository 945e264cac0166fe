//! All alert conditions on a month of a million rows.
//!
//! In: the rows that `tests/tools/views` makes, of the types that conditions read and of their last 30 days; copied, each copy into
//! accounts of its own, until there are enough: a third notices, a third detections, which most conditions read. Out: CPU time of each shipped condition, on or off, through the streaming evaluation,
//! the dearest by name; and of the whole command, `cspm-relay backtest --all --data`, reading and writing included. What always holds:
//! rows arrive when they say; every condition has rows, incidents open, and the command tells as many as the evaluation.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow, ensure};
use cspm_relay::lab::backtest::{Backtest, Tested, arrivals, backtest};
use cspm_relay::lab::store::{Snapshot, Store, folder as parquet};
use cspm_relay::lab::streaming::issue::Preference;
use cspm_relay::lab::streaming::{Range, Settings};
use cspm_relay::publish::alert::Definition;
use cspm_relay::publish::dashboard::Language;
use serde_json::{Map, Value, json};

use crate::cpu::{Stopwatch, children_ns};
use crate::lab::{IDS, templates};
use crate::report::{Budget, Verdict, real, say};

/// CPU seconds of the whole command.
const COMMAND: Budget = Budget::AtMost(30.0);
/// How long the rows are.
const DAYS_MS: i64 = 30 * 86_400_000;
/// Each copy is that much earlier than the one before, so that few arrive as one; at most a day.
const APART_MS: i64 = 97_000;
const APART_MAX_MS: i64 = 86_400_000;
/// What makes an account another.
const ACCOUNTS: [&str; 2] = ["aws.accountId", "aws.accountName"];
/// Times of a row beside its `timestamp`.
const TIMES: [&str; 1] = ["event.time"];
/// Types that are a third of the rows each.
const THIRDS: [&str; 2] = ["AwsSecurityNotice", "AwsSecurityEvent"];
/// Conditions that are told by name.
const DEAREST: usize = 8;

/// Measures the evaluation, the best of `runs`, and the command once.
pub(crate) fn run(rows: usize, runs: usize, folder: &Path, verdicts: &mut Vec<Verdict>) -> Result<Value> {
    let tested = conditions()?;
    let snapshot = filled(rows, folder, &tested)?;
    let (first, last) = arrivals(std::slice::from_ref(&snapshot)).context("no rows")?;
    let range = Range { begin_ms: first, end_ms: last + 1 };
    say(&format!(
        "\nback-test: {} conditions on {} rows that arrived in 30 days; best of {runs}",
        tested.len(),
        snapshot.rows()
    ))?;
    let mut costs: Vec<(u64, String, usize)> = Vec::new();
    for one in &tested {
        let (mut best, mut incidents) = (u64::MAX, 0);
        for _ in 0..runs.max(1) {
            let mut watch = Stopwatch::new()?;
            let result = watch.time(|| of(&snapshot, vec![one.clone()], range))?;
            let outcome = result.outcomes.first().context("an outcome")?;
            ensure!(outcome.has_rows, "{}: no rows of {:?}", one.id, outcome.event_types);
            outcome.result.as_ref().map_err(|error| anyhow!("{}: {error}", one.id))?;
            incidents = outcome.incidents().count();
            best = best.min(watch.spent_ns());
        }
        costs.push((best, one.id.clone(), incidents));
    }
    let all_ns: u64 = costs.iter().map(|(ns, ..)| ns).sum();
    let incidents: usize = costs.iter().map(|(.., incidents)| incidents).sum();
    costs.sort_by_key(|(ns, id, _)| (std::cmp::Reverse(*ns), id.clone()));
    for (ns, id, incidents) in costs.iter().take(DEAREST) {
        say(&format!("  {id:<28} {:>8.3} CPU s  {incidents:>7} incidents", real(*ns) / 1e9))?;
    }
    say(&format!("  {:<28} {:>8.3} CPU s  {incidents:>7} incidents", "all", real(all_ns) / 1e9))?;
    ensure!(incidents > 0, "no incident opened");
    let (command, told) = command(&snapshot, &folder.join("parquet"))?;
    ensure!(told == incidents, "the command tells of {told} incidents, not {incidents}");
    say(&format!("  {:<28} {command:>8.3} CPU s", "cspm-relay backtest --all"))?;
    let what = format!("back-test of all conditions on {} rows, CPU s", snapshot.rows());
    verdicts.push(Verdict { what, figure: command, decimals: 2, budget: COMMAND });
    let dearest: Map<String, Value> =
        costs.iter().take(DEAREST).map(|(ns, id, _)| (id.clone(), json!(real(*ns) / 1e9))).collect();
    Ok(json!({
        "conditions": tested.len(), "rows": snapshot.rows(), "incidents": incidents, "evaluation": real(all_ns) / 1e9,
        "command": command, "dearest": dearest,
    }))
}

fn of(snapshot: &Snapshot, tested: Vec<Tested>, range: Range) -> Backtest {
    backtest(std::slice::from_ref(snapshot), tested, range, &Settings::default())
}

/// Every shipped condition, whether on or off.
fn conditions() -> Result<Vec<Tested>> {
    let definition = Definition::shipped();
    let mut tested = Vec::new();
    for (policy, condition) in definition.conditions() {
        let source = policy.source.as_ref().context("a policy")?;
        tested.push(Tested {
            policy: policy.key.clone(),
            policy_name: source.name.get(Language::English).to_owned(),
            preference: Preference::of_word(&source.incident_preference).context("incidentPreference")?,
            id: condition.id.clone(),
            enabled: condition.enabled,
            runbook: condition.runbook.clone(),
            condition: condition.model(Language::English),
        });
    }
    Ok(tested)
}

/// Rows of a month, of types that conditions read.
fn filled(rows: usize, folder: &Path, tested: &[Tested]) -> Result<Snapshot> {
    let (templates, now_ms) = templates(folder)?;
    let empty = Store::in_memory().snapshot();
    let range = Range { begin_ms: 0, end_ms: 1 };
    let of_none = of(&empty, tested.to_vec(), range);
    let types: Vec<&String> = of_none.outcomes.iter().flat_map(|outcome| &outcome.event_types).collect();
    let read = |row: &&Map<String, Value>| {
        let is_read = row.get("eventType").and_then(Value::as_str).is_some_and(|name| types.iter().any(|known| *known == name));
        let at_ms = row.get("timestamp").and_then(Value::as_i64).unwrap_or_default();
        is_read && at_ms > now_ms - DAYS_MS
    };
    let is_of = |row: &Map<String, Value>, name: &str| row.get("eventType").and_then(Value::as_str) == Some(name);
    let (notices, others): (Vec<_>, Vec<_>) = templates.iter().filter(read).partition(|row| is_of(row, THIRDS[0]));
    let (detections, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|row| is_of(row, THIRDS[1]));
    let store = Store::in_memory();
    for templates in [notices, detections, others] {
        ensure!(!templates.is_empty(), "no rows that a condition reads");
        for copy in 0..i64::try_from((rows / 3 + 1).div_ceil(templates.len()))? {
            for template in &templates {
                append(&store, template, copy, now_ms)?;
            }
        }
    }
    Ok(store.snapshot().received_as_told())
}

/// Adds a copy of a row: ids and accounts of its own, a little earlier.
fn append(store: &Store, template: &Map<String, Value>, copy: i64, now_ms: i64) -> Result<()> {
    let mut row = template.clone();
    let event_type = row.get("eventType").and_then(Value::as_str).context("eventType")?.to_owned();
    for name in IDS.iter().chain(&ACCOUNTS) {
        if let Some(Value::String(text)) = row.get_mut(*name) {
            text.push_str(&format!("-{copy}"));
        }
    }
    for name in TIMES.iter().chain(&["timestamp"]) {
        if let Some(time) = row.get_mut(*name)
            && let Some(ms) = time.as_i64()
        {
            *time = json!(ms - copy * APART_MS % APART_MAX_MS);
        }
    }
    store.append_json(&event_type, &row, now_ms);
    Ok(())
}

/// CPU seconds of the command, and how many incidents it tells of.
fn command(snapshot: &Snapshot, folder: &Path) -> Result<(f64, usize)> {
    parquet::save(snapshot, folder)?;
    let out = folder.with_extension("json");
    let before = children_ns()?;
    let ended = Command::new(env!("CARGO_BIN_EXE_cspm-relay"))
        .args(["backtest", "--all", "--format", "json", "--data"])
        .arg(folder)
        .arg("--out")
        .arg(&out)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .context("starting the command")?;
    let spent_ns = children_ns()?.saturating_sub(before);
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let report: Value = serde_json::from_slice(&std::fs::read(&out)?)?;
    let conditions = report.get("conditions").and_then(Value::as_array).context("conditions")?;
    let incidents = conditions.iter().filter_map(|line| line.get("incidents")?.as_array()).map(Vec::len).sum();
    Ok((real(spent_ns) / 1e9, incidents))
}
