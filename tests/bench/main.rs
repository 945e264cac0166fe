//! Benchmarks: what a record costs, stage by stage and on the whole path, beside the floor of the same run.
//!
//! ```text
//! cargo bench                       all tables (some two minutes)
//! cargo bench -- --quick            fewer records and one run: a look, not a figure
//! cargo bench -- --only path        floor and whole path only; also: stages, small, memory, posture, lab, backtest
//! cargo bench -- --memory           peak memory of the real binary as well (some minutes; about 250 MB below target/)
//! cargo bench -- --only posture     an organization's AWS Config, read by the real binary at its usual rate (some two minutes)
//! cargo bench -- --only lab         the dashboard's pages on a million rows (a minute)
//! cargo bench -- --only backtest    all conditions on a month of a million rows (two minutes)
//! cargo bench -- --json FILE        the same figures as JSON
//! cargo bench -- --gate             exit code 1 when a figure is over its budget
//! ```
//!
//! Every figure is CPU time of one thread (`/proc/thread-self/schedstat`), the best of several runs over the same data; wall
//! time plays no part. *MB/s* is JSON per second of one core. *floor/x* is the CPU time of the floor divided by that of the row: the
//! whole path must stay above 0.5 with 30 rules, 0.7 is the goal. *x/30* is that of the row divided by that of 30 rules: 1,000 must
//! cost less than 1.5 times as much. Machines differ, ratios less so: compare them, not nanoseconds. The last column shows what
//! came out: a stage that matches or writes nothing has won nothing. Each budget has a line at the end; the last figures that
//! somebody kept are in `README.md`.
//!
//! - [`floor`]: gunzip, split, flatten, gzip, written independently of the agent and as well as safe Rust allows.
//! - [`stages`]: each stage of the agent alone.
//! - [`path`]: the agent's own processor and batcher, every record as a log, with 1, 30 and 1,000 rules.
//! - [`memory`]: peak resident memory in two shapes of a backlog.
//! - [`posture`]: AWS Config of 200 accounts: the rate and number of calls, peak memory, bytes a month.
//! - [`lab`]: the queries of each page of the dashboard.
//! - [`backtest`]: every alert condition through the streaming evaluation.
//! - [`data`]: real records resampled, each with an id of its own; [`rules`]: the rule sets.
//!
//! To see where time goes: `perf record -g target/release/deps/bench-… --only path --rules 30`.

mod backtest;
#[path = "../it/support/config_api/mod.rs"]
#[expect(dead_code, clippy::expect_used, clippy::indexing_slicing, reason = "the tests' stand-in: much of it only they need")]
mod config_api;
mod cpu;
mod data;
mod floor;
mod lab;
mod memory;
mod path;
mod posture;
mod report;
mod rules;
mod stages;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};

use cpu::Stopwatch;
use data::{Objects, Templates};
use floor::Floor;
use path::Path;
use report::{Budget, Row, Table, Verdict, real, say};
use rules::Set;

/// Rules of the built-in subset that the budget speaks of.
const SOME: usize = 30;
/// Rules of the largest set.
const MANY: usize = 1_000;
/// Least share of the floor that the whole path may have with [`SOME`] rules.
const FLOOR_SHARE: Budget = Budget::AtLeast(0.5);
/// How many times the cost of [`SOME`] rules [`MANY`] may have.
const RULES_COST: Budget = Budget::Below(1.5);
/// Rows of the lab.
const LAB_ROWS: usize = 1_000_000;
/// Records in an object as a busy trail writes them.
const PER_OBJECT: usize = 1_000;
/// Records in an object of a quiet account.
const PER_SMALL_OBJECT: usize = 4;

#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct Args {
    /// Fewer records, one run
    #[arg(long)]
    quick: bool,
    /// Only one of the tables
    #[arg(long, value_enum)]
    only: Option<Only>,
    /// Only this number of rules on the whole path: 1, 30 or 1000
    #[arg(long)]
    rules: Option<usize>,
    /// Runs; the best counts
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Records
    #[arg(long, default_value_t = 200_000)]
    records: usize,
    /// Peak memory of the real binary as well
    #[arg(long)]
    memory: bool,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// End with exit code 1 when a figure is over its budget
    #[arg(long)]
    gate: bool,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    Path,
    Stages,
    Small,
    Memory,
    Posture,
    Lab,
    Backtest,
}

fn main() -> Result<ExitCode> {
    let mut args = Args::parse();
    if args.quick {
        (args.runs, args.records) = (1, args.records.min(40_000));
    }
    if args.only == Some(Only::Posture) {
        let mut verdicts = Vec::new();
        let figures = posture::run(&mut verdicts)?;
        return end(&args, &[], json!({ "posture": figures }), &verdicts);
    }
    if args.only == Some(Only::Lab) {
        let mut verdicts = Vec::new();
        let rows = if args.quick { 100_000 } else { LAB_ROWS };
        let figures = lab::run(rows, args.runs, &scratch().join("views"), &mut verdicts)?;
        return end(&args, &[], json!({ "lab": figures }), &verdicts);
    }
    if args.only == Some(Only::Backtest) {
        let mut verdicts = Vec::new();
        let rows = if args.quick { 100_000 } else { LAB_ROWS };
        let figures = backtest::run(rows, args.runs.min(2), &scratch().join("backtest"), &mut verdicts)?;
        return end(&args, &[], json!({ "backtest": figures }), &verdicts);
    }
    let wants = |table| args.only.is_none_or(|only| only == table);
    let templates = Templates::read()?;
    check_the_floor()?;
    let objects = templates.objects(args.records, PER_OBJECT)?;
    say(&format!(
        "{} records in {} objects, {:.0} MB of JSON, {} kinds; CPU time of one thread, best of {}",
        objects.records,
        objects.packed.len(),
        real(objects.json_bytes) / 1e6,
        templates.len(),
        args.runs
    ))?;
    let calls = templates.commonest_calls(10);
    let thousand = || rules::with_made(SOME, MANY, &calls, &scratch().join("rules"));
    let mut sets = Vec::new();
    if wants(Only::Path) {
        for count in [1, SOME, MANY].into_iter().filter(|count| args.rules.is_none_or(|only| only == *count)) {
            sets.push(if count == MANY { thousand()? } else { rules::some_builtin(count)? });
        }
    }
    let rows = whole_path(&objects, sets, args.runs)?;
    let floor_ns = rows.first().map_or(0.0, Row::ns);
    let (mut tables, mut verdicts) = (Vec::new(), Vec::new());
    if wants(Only::Stages) {
        let sets = [rules::some_builtin(1)?, rules::some_builtin(SOME)?, rules::builtin(), thousand()?];
        let rows = stages::run(&objects, &sets, &rules::builtin(), args.runs.min(3))?;
        tables.push(Table { title: "stages, each alone".to_owned(), rows, floor_ns, base_ns: None });
    }
    if wants(Only::Path) {
        let title = format!("whole path, objects of {PER_OBJECT} records, every record as a log, gzip 1");
        let base_ns = rows.iter().find(|row| row.name == path::name(SOME)).map(Row::ns);
        verdicts = judge(&rows, floor_ns, base_ns);
        tables.push(Table { title, rows, floor_ns, base_ns });
    }
    if wants(Only::Small) {
        let small = templates.objects(args.records.min(28_000 * PER_SMALL_OBJECT), PER_SMALL_OBJECT)?;
        let rows = whole_path(&small, vec![rules::some_builtin(SOME)?], args.runs)?;
        let floor_ns = rows.first().map_or(0.0, Row::ns);
        let title = format!("whole path, {} objects of {PER_SMALL_OBJECT} records", small.packed.len());
        tables.push(Table { title, rows, floor_ns, base_ns: None });
    }
    for table in &tables {
        table.print()?;
    }
    let mut memory = Vec::new();
    if args.memory || args.only == Some(Only::Memory) {
        memory = memory::run(&templates, &mut verdicts)?;
    }
    end(&args, &tables, json!({ "memory": memory }), &verdicts)
}

/// Says how the budgets fared, and writes all figures to the file that was asked for.
fn end(args: &Args, tables: &[Table], mut figures: Value, verdicts: &[Verdict]) -> Result<ExitCode> {
    Verdict::print_all(verdicts)?;
    if let Some(file) = &args.json {
        if let Some(figures) = figures.as_object_mut() {
            figures.insert("tables".to_owned(), tables.iter().map(Table::json).collect());
            figures.insert("budgets".to_owned(), verdicts.iter().map(Verdict::json).collect());
        }
        std::fs::write(file, format!("{figures:#}\n")).with_context(|| format!("writing {}", file.display()))?;
    }
    ensure!(
        !args.gate || !verdicts.is_empty(),
        "--gate: none of these figures has a budget; leave --only path, memory, posture, lab or backtest in"
    );
    let over = verdicts.iter().any(|verdict| !verdict.within());
    Ok(if args.gate && over { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What the whole path's budgets say, as far as it was measured. Small objects have none: their cost is that of their number.
fn judge(rows: &[Row], floor_ns: f64, base_ns: Option<f64>) -> Vec<Verdict> {
    let Some(base_ns) = base_ns else { return Vec::new() };
    let floor = Verdict { what: format!("floor/x, {SOME} rules"), figure: floor_ns / base_ns, decimals: 2, budget: FLOOR_SHARE };
    let many = rows.iter().find(|row| row.name == path::name(MANY)).map(|many| Verdict {
        what: format!("{MANY} rules : {SOME} rules"),
        figure: many.ns() / base_ns,
        decimals: 2,
        budget: RULES_COST,
    });
    [floor].into_iter().chain(many).collect()
}

/// Where the bench keeps what it makes: below `target/`.
fn scratch() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench")
}

/// The floor and the whole path with each rule set. They take turns, so that a busy neighbour meets all of them.
fn whole_path(objects: &Objects, sets: Vec<Set>, runs: usize) -> Result<Vec<Row>> {
    let mut floor = Row::unmeasured("floor", objects);
    let mut paths = sets.into_iter().map(|set| Path::new(set, objects)).collect::<Result<Vec<_>>>()?;
    for _ in 0..runs {
        let mut watch = Stopwatch::new()?;
        let made = watch.time(|| {
            let mut floor = Floor::new();
            objects.packed.iter().try_for_each(|packed| floor.object(packed))?;
            floor.end()
        })??;
        ensure!(
            made.records == objects.records && made.json_bytes == objects.json_bytes,
            "the floor did not read everything: {made:?}"
        );
        floor.improve(&watch, || format!("{} MB flat, {} MB packed", made.flat_bytes / 1_000_000, made.packed_bytes / 1_000_000));
        for path in &mut paths {
            path.run(objects)?;
        }
    }
    Ok([floor].into_iter().chain(paths.into_iter().map(|path| path.best)).collect())
}

/// The floor must do its work, not only be fast.
fn check_the_floor() -> Result<()> {
    let flat = floor::flatten(br#"{"a":"x\"{","b":{"c":1,"d":{"e":[{"f":"g"}]},"h":{}},"i":null,"j":true}"#);
    let want = r#"{"a":"x\"{","b.c":1,"b.d.e":"[{\"f\":\"g\"}]","j":true}"#;
    ensure!(flat == want.as_bytes(), "the floor writes {}, not {want}", String::from_utf8_lossy(&flat));
    Ok(())
}
