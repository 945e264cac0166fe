//! Rows from files of lines.
//!
//! In: one JSON object a line: an event as the Event API takes it (with `eventType`), or a line of `replay --to stdout`, which says
//! whether it is an event or a log. Out: rows in a store, in the order of the lines. What always holds: every line is a row or there
//! is an error that names it; an empty line is none; memory is one line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

#[expect(clippy::disallowed_types, reason = "read line by line, each of a bounded length: unpacking is never held whole")]
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{LOG, Store};

/// Most bytes of one line: some times the most that New Relic takes in one event or log.
const LINE_BYTES: u64 = 16 << 20;

/// Why a file of lines could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {what}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct ImportError {
    path: PathBuf,
    /// Counted from 1; `None`: the file as a whole.
    line: Option<usize>,
    what: String,
}

/// A line of `replay --to stdout`.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line {
    Event {
        data: Map<String, Json>,
    },
    Log {
        /// Attributes that it has with others.
        #[serde(default)]
        common: Map<String, Json>,
        data: LogLine,
    },
}

/// A log as the Log API takes it.
#[derive(Debug, Deserialize)]
struct LogLine {
    timestamp: Json,
    #[serde(default)]
    attributes: Map<String, Json>,
    #[serde(default)]
    message: Json,
}

/// Reads a file, packed with gzip where its name ends in `.gz`. Rows without a `timestamp` are of `now_ms`. Gives the number of rows.
///
/// # Errors
/// When the file cannot be read or a line is no row; rows before it are in the store.
pub fn load_lines(store: &Store, path: &Path, now_ms: i64) -> Result<usize, ImportError> {
    let fault = |what: String| ImportError { path: path.to_owned(), line: None, what };
    let file = File::open(path).map_err(|error| fault(error.to_string()))?;
    if path.extension().is_some_and(|ends| ends == "gz") {
        #[expect(clippy::disallowed_types, reason = "as above")]
        return lines(store, BufReader::new(GzDecoder::new(file)), path, now_ms);
    }
    lines(store, BufReader::new(file), path, now_ms)
}

/// The same of anything that can be read; `path` is what errors call it.
///
/// # Errors
/// As [`load_lines`].
pub fn lines(store: &Store, mut from: impl BufRead, path: &Path, now_ms: i64) -> Result<usize, ImportError> {
    let (mut rows, mut number) = (0, 0);
    let mut text = Vec::new();
    loop {
        number += 1;
        let fault = |what: String| ImportError { path: path.to_owned(), line: Some(number), what };
        text.clear();
        let read = from.by_ref().take(LINE_BYTES).read_until(b'\n', &mut text).map_err(|error| fault(error.to_string()))?;
        if read == 0 {
            return Ok(rows);
        }
        if read as u64 == LINE_BYTES && text.last() != Some(&b'\n') {
            return Err(fault(format!("longer than {LINE_BYTES} bytes, the most that one line may have")));
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        line(store, &text, now_ms).map_err(fault)?;
        rows += 1;
    }
}

fn line(store: &Store, text: &[u8], now_ms: i64) -> Result<(), String> {
    let row: Map<String, Json> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let line = if row.contains_key("kind") && row.contains_key("data") && !row.contains_key("eventType") {
        serde_json::from_value(Json::Object(row)).map_err(|error| error.to_string())?
    } else {
        Line::Event { data: row }
    };
    match line {
        Line::Event { data: row } => {
            let Some(event_type) = row.get("eventType").and_then(Json::as_str).filter(|name| !name.is_empty()) else {
                return Err("no `eventType`: each line is an event with its type, or a line that `replay` wrote".to_owned());
            };
            store.append_json(event_type, &row, now_ms);
        }
        Line::Log { common, data: LogLine { mut timestamp, attributes, message } } => {
            // Logs may have their time as text, and milliseconds or seconds.
            if let Some(number) = timestamp.as_str().and_then(|text| text.parse::<i64>().ok()) {
                timestamp = number.into();
            }
            // As in the Log API, what is a log's own wins.
            let mut row = common;
            row.extend(attributes);
            row.insert("timestamp".to_owned(), timestamp);
            store.append(LOG, |pen| pen.log(&row, &message, now_ms));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
