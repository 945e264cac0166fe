//! Results as tables for people and as JSON for machines.

use std::io::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

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
}

impl Row {
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
            "\n{}\n{:wide$} {:>10} {:>11} {:>8} {:>7}  out",
            self.title, "", "ns/record", "records/s", "MB/s", "floor/x"
        )?;
        for row in &self.rows {
            let ratio = self.floor_ns / row.ns();
            writeln!(
                out,
                "{:wide$} {:>10.0} {:>11.0} {:>8.0} {:>7.2}  {}",
                row.name,
                row.ns(),
                row.per_second(),
                row.megabytes_per_second(),
                ratio,
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
                    "nsPerRecord": row.ns(), "ratioToFloor": self.floor_ns / row.ns(), "out": row.made,
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
