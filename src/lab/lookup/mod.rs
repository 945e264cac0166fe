//! Tables for `lookup(name)`: what New Relic takes as an upload, from files of this machine.
//!
//! In: CSV whose first record names the columns. Out: a table of the engine's, or what is wrong in which line. What always holds: a file
//! that New Relic's page on lookup tables refuses is refused here; a cell becomes a truth, a number or a text, as it does there (so an
//! account id becomes a number: `string(id)` is its text); which spelling of a number counts is not documented: here that of JSON, so
//! that a leading zero stays; an empty cell is no value.

mod csv;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::engine::value::Value;
use super::store::TableView;
use crate::encode::limits::{LOOKUP_BYTES, LOOKUP_COLUMNS_LEAST, NAME_BYTES, RESERVED_NAMES, RESERVED_PREFIX};

/// What a row of the engine has in any case.
const TIMESTAMP: &str = "timestamp";

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {what}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct LookupError {
    path: PathBuf,
    /// Counted from 1; `None`: the file as a whole.
    line: Option<usize>,
    what: String,
}

/// What is wrong with the name of a table; nothing if it may be one: letters and digits of ASCII, `_` and `:`, as in the name of an
/// event type.
#[must_use]
pub fn name_fault(name: &str) -> Option<String> {
    if name.is_empty() || name.len() > NAME_BYTES {
        return Some(format!("a name has 1 to {NAME_BYTES} letters"));
    }
    if let Some(letter) = name.chars().find(|letter| !(letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':'))) {
        return Some(format!("{letter:?} in a name; allowed: A to Z, a to z, 0 to 9, _ and :"));
    }
    is_reserved(name).then(|| format!("`{name}` is reserved"))
}

/// The table in a file.
///
/// # Errors
/// What cannot be read, or is no table, with file and line.
pub fn read(name: &str, path: &Path) -> Result<Arc<TableView>, LookupError> {
    let text = text(path, LOOKUP_BYTES, "the most that New Relic takes")?;
    table(name, &text).map_err(|(line, what)| LookupError { path: path.to_owned(), line, what })
}

/// The records of a CSV file of at most so many bytes that is no table of New Relic's: the line where each begins, and its cells as they
/// are written; the first names the columns, and all have as many cells.
///
/// # Errors
/// What cannot be read, or is no CSV, with file and line.
pub fn records(path: &Path, most: u64) -> Result<Vec<(usize, Vec<String>)>, LookupError> {
    let text = text(path, most, "the most that is read")?;
    let fault = |(line, what)| LookupError { path: path.to_owned(), line, what };
    let (header, rows) = parts(&text).map_err(fault)?;
    Ok(std::iter::once(header).chain(rows).map(|record| (record.line, record.cells)).collect())
}

/// What is in a file of at most so many bytes.
fn text(path: &Path, most: u64, why: &str) -> Result<String, LookupError> {
    let fault = |what: String| LookupError { path: path.to_owned(), line: None, what };
    let file = File::open(path).map_err(|error| fault(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| fault(error.to_string()))?;
    if bytes.len() as u64 > most {
        return Err(fault(format!("more than {most} bytes, {why}")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        LookupError { path: path.to_owned(), line: Some(line), what: "not UTF-8: save the file as CSV in UTF-8".to_owned() }
    })
}

type Fault = (Option<usize>, String);

/// The record that names the columns, and all others, each of as many cells.
fn parts(text: &str) -> Result<(csv::Record, Vec<csv::Record>), Fault> {
    let mut records = csv::Records::new(text).map(|record| record.map_err(|fault| (Some(fault.line), fault.what.to_owned())));
    let header = records.next().ok_or((None, "nothing in it: the first line names the columns".to_owned()))??;
    let (rows, columns): (Vec<csv::Record>, usize) = (records.collect::<Result<_, _>>()?, header.cells.len());
    if let Some(row) = rows.iter().find(|row| row.cells.len() != columns) {
        return Err((Some(row.line), format!("{} cells; the first line names {columns} columns", row.cells.len())));
    }
    Ok((header, rows))
}

/// The table in a text.
fn table(name: &str, text: &str) -> Result<Arc<TableView>, Fault> {
    let (header, rows) = parts(text)?;
    let columns = header.cells;
    columns_fault(&columns).map_or(Ok(()), |what| Err((Some(header.line), what)))?;
    Ok(TableView::build(name, |pen| {
        for row in &rows {
            pen.begin(0, 0);
            for (column, cell) in columns.iter().zip(&row.cells) {
                pen.value(column, &value(cell));
            }
        }
    }))
}

/// What is wrong with the names of the columns.
fn columns_fault(columns: &[String]) -> Option<String> {
    if columns.len() < LOOKUP_COLUMNS_LEAST {
        return Some(format!("{} column; New Relic takes tables of at least {LOOKUP_COLUMNS_LEAST}", columns.len()));
    }
    for (at, column) in columns.iter().enumerate() {
        if column.trim().is_empty() || column.len() > NAME_BYTES {
            return Some(format!("column {} has no name, or one of more than {NAME_BYTES} bytes", at + 1));
        }
        if is_reserved(column) {
            return Some(format!("the column `{column}` has a reserved name: call it otherwise"));
        }
        if columns.iter().take(at).any(|before| before == column) {
            return Some(format!("two columns are called `{column}`"));
        }
    }
    None
}

fn is_reserved(name: &str) -> bool {
    name == TIMESTAMP || RESERVED_NAMES.contains(&name) || name.starts_with(RESERVED_PREFIX)
}

/// What a cell holds.
fn value(cell: &str) -> Value {
    match cell {
        "" => Value::Null,
        _ if cell.eq_ignore_ascii_case("true") => Value::Bool(true),
        _ if cell.eq_ignore_ascii_case("false") => Value::Bool(false),
        // JSON lets blanks stand around a number.
        _ if cell.trim() == cell => serde_json::from_str(cell).map_or_else(|_| Value::text(cell), Value::Number),
        _ => Value::text(cell),
    }
}
