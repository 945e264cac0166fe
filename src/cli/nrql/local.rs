//! Queries on rows of this machine.
//!
//! In: rows in files, one query or a person who types some. Out: their rows. What always holds: without `--now` the present is just
//! after the newest row, so that `SINCE 1 hour ago` means the last hour that there is.

use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::Path;
use std::sync::Arc;

use super::rows::{self, Row};
use super::{Format, advice, place};
use crate::cli::exit::{Exit, Stop};
use crate::cli::{print, summary};
use crate::clock::Clock;
use crate::lab::engine::{Engine, Settings, json};
use crate::lab::store::{Opened, Snapshot, TableView, folder, open};
use crate::nrql;
use crate::nrql::lint::Names;

/// The end of the year 9999, ms since 1970: times have four digits of a year.
const LAST_MS: i64 = 253_402_300_799_999;

/// Rows, and when it is.
pub(super) struct Local {
    snapshot: Snapshot,
    settings: Settings,
    names: Names,
    rows: usize,
    now_ms: i64,
}

impl Local {
    /// Reads the rows; `lookups` are tables beside them. `all_ages`: those that New Relic would have dropped can be asked too.
    pub(super) fn open(
        data: &Path,
        lookups: BTreeMap<String, Arc<TableView>>,
        now_ms: Option<i64>,
        all_ages: bool,
    ) -> anyhow::Result<Self> {
        let present_ms = now_ms.unwrap_or_else(|| Clock::system().now_ms());
        let Opened { store, rows, newest_ms } = open(data, present_ms).map_err(|error| {
            Stop::usage(format!("reading {error}"), Some("`cspm-relay replay PATH > rows.ndjson` makes rows".to_owned()))
        })?;
        // `UNTIL` is not included. A row that says it is of no year that can be written is no measure of time.
        let newest_ms = newest_ms.filter(|ms| *ms < LAST_MS);
        let now_ms = now_ms.or_else(|| newest_ms.map(|ms| ms.saturating_add(1))).unwrap_or(present_ms);
        let mut settings = Settings { lookups, ..Settings::default() };
        if all_ages {
            (settings.event_retention_days, settings.metric_retention_days) = (u32::MAX, u32::MAX);
        }
        let snapshot = store.snapshot();
        Ok(Self { names: advice::known(&snapshot)?, snapshot, settings, rows, now_ms })
    }

    /// Writes the rows as a folder of Parquet.
    pub(super) fn save(&self, to: &Path) -> anyhow::Result<Exit> {
        folder::save(&self.snapshot, to).map_err(|error| Stop::failed(format!("writing {error}"), None))?;
        print(&format!("{} rows in {}\n", self.rows, to.display()))?;
        Ok(Exit::Good)
    }

    /// Runs one query.
    pub(super) fn ask(&self, query: &str, format: Format) -> anyhow::Result<Exit> {
        print(&self.answer(query, format)?)?;
        Ok(Exit::Good)
    }

    fn answer(&self, query: &str, format: Format) -> anyhow::Result<String> {
        let statement = nrql::parse(query).map_err(|fault| Stop::usage(fault.to_string(), None))?;
        let answer = Engine::new(self.snapshot.clone(), self.settings.clone()).run(&statement, self.now_ms).map_err(|fault| {
            let at = fault.span.map(|span| format!(" {}", place(query, span.start))).unwrap_or_default();
            Stop::usage(format!("NRQL{at}: {}", fault.message), None)
        })?;
        let found: Vec<Row> = answer
            .results
            .iter()
            .map(|row| row.fields().into_iter().map(|(name, value)| (name.to_string(), json(&value))).collect())
            .collect();
        let mut notes = answer.metadata.messages.clone();
        notes.extend(advice::advice(query, &self.names, &self.snapshot, found.len()));
        if format == Format::Csv {
            // It has no place for what is no row.
            for note in &notes {
                summary::say(&format!("note: {note}\n"));
            }
        }
        rows::text(&found, &notes, format)
    }

    /// What a person can do here.
    fn help(&self) -> String {
        let types = self.snapshot.event_types(i64::MIN, i64::MAX);
        let one = types.first().map_or("AwsSecurityEvent", |name| name);
        format!(
            "{} rows; it is {}. Event types: {}\nOne query a line, such as\n  SELECT count(*) FROM {one} SINCE 30 days ago\n\
             `help` says this again, `exit` or Ctrl-D ends it.\n",
            self.rows,
            crate::record::time::format_ms(self.now_ms),
            types.join(", "),
        )
    }

    /// Asks a person for queries, one a line, until there are no more. A fault ends no conversation.
    pub(super) fn talk(&self, format: Format) -> anyhow::Result<Exit> {
        let is_terminal = std::io::stdin().is_terminal();
        if is_terminal {
            print(&self.help())?;
        }
        let mut end = Exit::Good;
        let mut lines = std::io::stdin().lock().lines();
        loop {
            if is_terminal {
                print("nrql> ")?;
            }
            let Some(line) = lines.next() else { break };
            let line = line.map_err(|error| Stop::usage(format!("reading standard input: {error}"), None))?;
            match line.trim() {
                "" => {}
                "help" => print(&self.help())?,
                "exit" | "quit" => return Ok(end),
                query => match self.answer(query, format) {
                    Ok(text) => print(&text)?,
                    Err(error) => {
                        print(&format!("{error}\n"))?;
                        if !is_terminal {
                            end = Exit::Usage;
                        }
                    }
                },
            }
        }
        if is_terminal {
            print("\n")?;
        }
        Ok(end)
    }
}
