//! `nrql --parse-only`: which queries of a file are NRQL.
//!
//! In: a file, one query a line. Out: one line for each that is none, as compilers write it, and how many are. What always
//! holds: positions are those of the file, so editors can go there; one broken line hides no other.

use std::io::Read as _;
use std::path::Path;

use serde_json::json;

use crate::cli::args::Format;
use crate::cli::exit::{Exit, Stop};
use crate::nrql;

/// A query that is none.
#[derive(Debug, PartialEq, Eq)]
struct Failure {
    /// Line, from 1.
    line: usize,
    /// Column, from 1, in characters.
    column: usize,
    /// What stands there and what may.
    message: String,
}

/// How the queries of a file fared.
#[derive(Debug, Default, PartialEq, Eq)]
struct Checked {
    queries: usize,
    failures: Vec<Failure>,
}

pub(super) fn run(file: &Path, format: Format) -> anyhow::Result<Exit> {
    let shown = file.display();
    let bytes = read(file).map_err(|error| Stop::usage(format!("reading {shown}: {error}"), None))?;
    let Checked { queries, failures } = check(&bytes);
    let parsed = queries - failures.len();
    let text = match format {
        Format::Text => {
            let lines = failures.iter().map(|one| format!("{shown}:{}:{}: {}\n", one.line, one.column, one.message));
            lines.collect::<String>() + &format!("parsed {parsed} of {queries}\n")
        }
        Format::Json => {
            let list: Vec<_> =
                failures.iter().map(|one| json!({"line": one.line, "column": one.column, "message": one.message})).collect();
            let report = json!({"file": file.to_string_lossy(), "queries": queries, "parsed": parsed, "failures": list});
            serde_json::to_string_pretty(&report)? + "\n"
        }
    };
    crate::cli::print(&text)?;
    Ok(if failures.is_empty() { Exit::Good } else { Exit::Found })
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(file)
}

/// Checks every query of a file.
fn check(file: &[u8]) -> Checked {
    let mut checked = Checked::default();
    for (number, line) in file.split(|byte| *byte == b'\n').enumerate() {
        let query = line.split(|byte| *byte == b'\t').next().unwrap_or_default();
        let fault = match std::str::from_utf8(query) {
            Ok(query) if query.trim().is_empty() => continue,
            Ok(query) => broken(query),
            Err(error) => {
                let good = query.get(..error.valid_up_to()).unwrap_or_default();
                Some((
                    String::from_utf8_lossy(good).chars().count() + 1,
                    "found a byte that is no UTF-8, expected a character".to_owned(),
                ))
            }
        };
        checked.queries += 1;
        checked.failures.extend(fault.map(|(column, message)| Failure { line: number + 1, column, message }));
    }
    checked
}

/// Column and message, if a query is none.
fn broken(query: &str) -> Option<(usize, String)> {
    let text = query.replace("\\n", "\n");
    let fault = nrql::parse(&text).err()?;
    // A line break is one character for the parser and two in the file.
    let before = text.get(..fault.span.start).unwrap_or(&text);
    let column = before.chars().count() + before.matches('\n').count() + 1;
    Some((column, fault.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(file: &[u8]) -> Vec<(usize, usize)> {
        check(file).failures.iter().map(|one| (one.line, one.column)).collect()
    }

    #[test]
    fn each_query_is_counted_and_each_failure_has_its_place_in_the_file() {
        for (name, file, queries, failures) in [
            ("nothing", &b""[..], 0, vec![]),
            ("blank lines", b"\n  \n\t\nSELECT a FROM b\n\n", 1, vec![]),
            ("Windows' line ends", b"SELECT a FROM b\r\nSELECT FROM b\r\n", 2, vec![(2, 8)]),
            ("no last line end", b"SELECT a FROM", 1, vec![(1, 14)]),
            ("behind a tab", b"SELECT a FROM b\t((\nSELECT a\tFROM b", 2, vec![(2, 9)]),
            ("a line break in a query", b"SELECT a -- x\\nFROM", 1, vec![(1, 20)]),
            ("characters, not bytes", "SELECT 'äöü' FROM".as_bytes(), 1, vec![(1, 18)]),
            ("no UTF-8", b"SELECT \xc3\xa4\xff\nSELECT a FROM b", 2, vec![(1, 9)]),
        ] {
            assert_eq!((check(file).queries, places(file)), (queries, failures), "{name}");
        }
    }

    #[test]
    fn a_failure_says_what_stands_there_and_what_may() {
        let message = "found the end, expected an event type or `(`".to_owned();
        assert_eq!(broken("SELECT a FROM"), Some((14, message)));
    }
}
