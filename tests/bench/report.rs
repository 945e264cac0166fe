//! Results as tables for people and as JSON for machines.

use std::io::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cpu::Stopwatch;
use crate::data::Objects;

/// One measurement: the best of several runs.
pub(crate) struct Row {
    pub(crate) name: String,
    /// Records (or whatever the note says) per run.
    pub(crate) records: u64,
    /// JSON bytes per run.
    pub(crate) json_bytes: u64,
    /// CPU time of the best run, nanoseconds.
    pub(crate) cpu_ns: u64,
    /// What came out: hits, bytes, so that nobody can win by doing nothing.
    pub(crate) made: String,
}

/// A table of measurements.
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
    /// CPU time of the floor, nanoseconds per record; rows show their ratio to it.
    pub(crate) floor_ns: f64,
    /// The same of the row that others are compared with, where there is one.
    pub(crate) base_ns: Option<f64>,
}

/// A figure that has a budget.
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) figure: f64,
    /// Decimals that tell it from its budget.
    pub(crate) decimals: usize,
    pub(crate) budget: Budget,
}

/// What a figure must keep to.
#[derive(Clone, Copy)]
pub(crate) enum Budget {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

impl Verdict {
    /// Whether the figure keeps to its budget.
    pub(crate) fn within(&self) -> bool {
        match self.budget {
            Budget::AtLeast(least) => self.figure >= least,
            Budget::AtMost(most) => self.figure <= most,
            Budget::Below(most) => self.figure < most,
        }
    }

    fn allowed(&self) -> String {
        match self.budget {
            Budget::AtLeast(least) => format!("at least {least}"),
            Budget::AtMost(most) => format!("at most {most}"),
            Budget::Below(most) => format!("below {most}"),
        }
    }

    /// Prints a line for each.
    pub(crate) fn print_all(verdicts: &[Self]) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let wide = verdicts.iter().map(|verdict| verdict.what.len()).max().unwrap_or(0);
        if !verdicts.is_empty() {
            writeln!(out, "\nbudgets")?;
        }
        for verdict in verdicts {
            let word = if verdict.within() { "WITHIN" } else { "OVER" };
            let (what, figure, decimals, allowed) = (&verdict.what, verdict.figure, verdict.decimals, verdict.allowed());
            writeln!(out, "{what:wide$} {figure:>7.decimals$}  {word:6}  budget: {allowed}")?;
        }
        Ok(())
    }

    /// The verdict as JSON.
    pub(crate) fn json(&self) -> Value {
        json!({ "what": self.what, "figure": self.figure, "budget": self.allowed(), "within": self.within() })
    }
}

impl Row {
    /// A row that every measurement beats.
    pub(crate) fn unmeasured(name: &str, objects: &Objects) -> Self {
        Self::of(name, objects.records, objects.json_bytes)
    }

    /// The same, over this many records and bytes of JSON.
    pub(crate) fn of(name: &str, records: u64, json_bytes: u64) -> Self {
        Self { name: name.to_owned(), records, json_bytes, cpu_ns: u64::MAX, made: String::new() }
    }

    /// Takes a run if it is the best so far.
    pub(crate) fn improve(&mut self, watch: &Stopwatch, made: impl FnOnce() -> String) {
        if watch.spent_ns() < self.cpu_ns {
            (self.cpu_ns, self.made) = (watch.spent_ns(), made());
        }
    }

    /// Nanoseconds per record.
    pub(crate) fn ns(&self) -> f64 {
        real(self.cpu_ns) / real(self.records.max(1))
    }

    fn per_second(&self) -> f64 {
        1e9 / self.ns().max(f64::MIN_POSITIVE)
    }

    fn megabytes_per_second(&self) -> f64 {
        real(self.json_bytes) * 1e3 / real(self.cpu_ns.max(1))
    }
}

impl Table {
    /// Prints the table.
    pub(crate) fn print(&self) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let wide = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max(12);
        writeln!(
            out,
            "\n{}\n{:wide$} {:>10} {:>11} {:>8} {:>7} {:>7}  out",
            self.title, "", "ns/record", "records/s", "MB/s", "floor/x", "x/30"
        )?;
        for row in &self.rows {
            let ratio = self.floor_ns / row.ns();
            let to_base = self.base_ns.map_or_else(String::new, |base_ns| format!("{:.2}", row.ns() / base_ns));
            writeln!(
                out,
                "{:wide$} {:>10.0} {:>11.0} {:>8.0} {:>7.2} {:>7}  {}",
                row.name,
                row.ns(),
                row.per_second(),
                row.megabytes_per_second(),
                ratio,
                to_base,
                row.made
            )?;
        }
        Ok(())
    }

    /// The table as JSON.
    pub(crate) fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "name": row.name, "records": row.records, "jsonBytes": row.json_bytes, "cpuNs": row.cpu_ns,
                    "nsPerRecord": row.ns(), "ratioToFloor": self.floor_ns / row.ns(),
                    "ratioToBase": self.base_ns.map(|base_ns| row.ns() / base_ns), "out": row.made,
                })
            })
            .collect();
        json!({ "title": self.title, "rows": rows })
    }
}

/// A count as a number with a fraction.
#[expect(clippy::cast_precision_loss, reason = "figures for people; counts stay far below 2^53")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}

/// Prints a line.
pub(crate) fn say(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}
