//! Rows in files → a store.
//!
//! In: lines as `replay --to stdout` prints them (`{"kind": "event" | "log", "data": …}`), or plain rows with an `eventType`. Out: a
//! store, and the time of its newest row. What always holds: a line that is no row ends the reading, with its place; nothing is left
//! out silently.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::super::exit::Stop;
use crate::lab::store::Store;

/// New Relic's type of log rows.
const LOG: &str = "Log";

/// What was read.
pub(super) struct Read {
    pub(super) store: Store,
    /// Time of the newest row, milliseconds since 1970; none without rows.
    pub(super) newest_ms: Option<i64>,
    /// Number of rows.
    pub(super) rows: usize,
    /// Number of event types.
    pub(super) types: usize,
}

/// Reads a file, or the files of a folder in the order of their names.
///
/// # Errors
/// What cannot be read, with its line; a folder without files of rows.
pub(super) fn read(path: &Path) -> Result<Read, Stop> {
    let failed = |what: &dyn std::fmt::Display| Stop::usage(format!("reading {}: {what}", path.display()), None);
    let files = if path.is_dir() {
        let entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|error| failed(&error))?;
        let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(|file| is_rows(file)).collect();
        files.sort();
        if files.is_empty() {
            return Err(failed(&"no *.ndjson file in it"));
        }
        files
    } else {
        vec![path.to_owned()]
    };
    let mut read = Reading { store: Store::in_memory(), newest_ms: None, rows: 0, types: BTreeSet::new() };
    for file in files {
        read.file(&file)?;
    }
    Ok(Read { store: read.store, newest_ms: read.newest_ms, rows: read.rows, types: read.types.len() })
}

fn is_rows(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "ndjson" || ending == "jsonl")
}

struct Reading {
    store: Store,
    newest_ms: Option<i64>,
    rows: usize,
    types: BTreeSet<String>,
}

impl Reading {
    fn file(&mut self, path: &Path) -> Result<(), Stop> {
        let failed = |what: &dyn std::fmt::Display| Stop::usage(format!("reading {}: {what}", path.display()), None);
        let lines = BufReader::new(File::open(path).map_err(|error| failed(&error))?).lines();
        for (number, line) in lines.enumerate() {
            let line = line.map_err(|error| failed(&error))?;
            if line.trim().is_empty() {
                continue;
            }
            let hint = || Some("`cspm-relay replay PATH --to stdout` prints rows".to_owned());
            let bad = |what: &dyn std::fmt::Display| Stop::usage(format!("{}:{}: {what}", path.display(), number + 1), hint());
            let row = serde_json::from_str::<Map<String, Value>>(&line).map_err(|error| bad(&error))?;
            let (event_type, row) = plain(row).ok_or_else(|| bad(&"no row: neither an event with `eventType` nor a log"))?;
            let time_ms = row.get("timestamp").and_then(Value::as_i64).ok_or_else(|| bad(&"no `timestamp` in milliseconds"))?;
            self.newest_ms = self.newest_ms.max(Some(time_ms));
            self.store.append_json(&event_type, &row, time_ms);
            self.rows += 1;
            self.types.insert(event_type);
        }
        Ok(())
    }
}

/// The event type and the row of a line.
fn plain(mut line: Map<String, Value>) -> Option<(String, Map<String, Value>)> {
    let mut row = match line.remove("data") {
        Some(Value::Object(data)) if line.contains_key("kind") => data,
        Some(_) => return None,
        None => line.clone(),
    };
    if line.get("kind").and_then(Value::as_str) == Some("log") {
        return Some((LOG.to_owned(), log(row)));
    }
    let Some(Value::String(event_type)) = row.remove("eventType") else { return None };
    Some((event_type, row))
}

/// A log as New Relic keeps it: attributes beside the rest, a message that is an object as its fields, and whole as text.
fn log(mut row: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(attributes)) = row.remove("attributes") {
        for (name, value) in attributes {
            row.entry(name).or_insert(value);
        }
    }
    if let Some(Value::Object(message)) = row.remove("message") {
        let text = Value::Object(message.clone()).to_string();
        for (name, value) in message {
            row.entry(name).or_insert(value);
        }
        row.insert("message".to_owned(), Value::String(text));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<(String, Value)> {
        plain(serde_json::from_str(line).unwrap()).map(|(event_type, row)| (event_type, Value::Object(row)))
    }

    #[test]
    fn lines_become_rows() {
        for (name, line, expected) in [
            ("an event", r#"{"kind":"event","data":{"eventType":"A","timestamp":1}}"#, Some(("A", r#"{"timestamp":1}"#))),
            ("a plain row", r#"{"eventType":"A","timestamp":1,"b":2}"#, Some(("A", r#"{"timestamp":1,"b":2}"#))),
            (
                "a log",
                r#"{"kind":"log","data":{"timestamp":1,"attributes":{"a":"b"},"message":{"c":1}}}"#,
                Some(("Log", r#"{"timestamp":1,"a":"b","c":1,"message":"{\"c\":1}"}"#)),
            ),
            ("a log of text", r#"{"kind":"log","data":{"timestamp":1}}"#, Some(("Log", r#"{"timestamp":1}"#))),
            ("no type", r#"{"timestamp":1}"#, None),
            ("no data", r#"{"kind":"event","data":3}"#, None),
        ] {
            let expected = expected.map(|(event_type, row)| (event_type.to_owned(), serde_json::from_str::<Value>(row).unwrap()));
            assert_eq!(of(line), expected, "{name}");
        }
    }

    #[test]
    fn a_folder_is_read_whole_and_a_bad_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let failed = |path: &Path| read(path).err().unwrap().what;
        assert!(failed(folder.path()).ends_with(": no *.ndjson file in it"));
        std::fs::write(folder.path().join("a.ndjson"), "{\"eventType\":\"A\",\"timestamp\":5}\n\n").unwrap();
        std::fs::write(folder.path().join("b.ndjson"), "{\"eventType\":\"B\",\"timestamp\":7}\n").unwrap();
        std::fs::write(folder.path().join("c.txt"), "no row").unwrap();
        let good = read(folder.path()).map_err(|stop| stop.what).unwrap();
        assert_eq!((good.rows, good.types, good.newest_ms), (2, 2, Some(7)));
        let bad = folder.path().join("d.ndjson");
        std::fs::write(&bad, "{\"eventType\":\"B\",\"timestamp\":7}\n{}\n").unwrap();
        assert!(failed(&bad).ends_with("d.ndjson:2: no row: neither an event with `eventType` nor a log"), "{}", failed(&bad));
    }
}
