//! `nrql --parse-only`: which queries of a file are NRQL.
//!
//! In: a file, one query a line. Out: one line for each that is none, as compilers write it, and how many are. What always
//! holds: positions are those of the file, so editors can go there; one broken line hides no other.

use std::path::Path;

use serde_json::json;

use super::file::{self, NO_UTF8, Query};
use crate::cli::args::Format;
use crate::cli::exit::Exit;
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
    let Checked { queries, failures } = check(&file::queries(file)?);
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

/// Checks every query of a file.
fn check(queries: &[Query]) -> Checked {
    let mut checked = Checked { queries: queries.len(), ..Checked::default() };
    for query in queries {
        let fault = match &query.text {
            Ok(text) => nrql::parse(text).err().map(|fault| {
                let (byte, message) = (fault.span.start, fault.message());
                let hint = query.hint(byte);
                (byte, if hint.is_empty() { message } else { format!("{message}; {hint}") })
            }),
            Err(_) => Some((0, NO_UTF8.to_owned())),
        };
        checked.failures.extend(fault.map(|(byte, message)| {
            let (line, column) = query.place(byte);
            Failure { line, column, message }
        }));
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &[u8]) -> Checked {
        check(&file::lines(text))
    }

    fn places(text: &[u8]) -> Vec<(usize, usize)> {
        checked(text).failures.iter().map(|one| (one.line, one.column)).collect()
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
            assert_eq!((checked(file).queries, places(file)), (queries, failures), "{name}");
        }
    }

    #[test]
    fn a_failure_says_what_stands_there_and_what_may() {
        let message = "found the end, expected an event type or `(`".to_owned();
        assert_eq!(checked(b"SELECT a FROM").failures, [Failure { line: 1, column: 14, message }]);
    }
}
