//! Queries in a file.
//!
//! In: a file, or standard input. Out: its queries, each with the line where it begins. What always holds: one query a line, what
//! follows a tab is passed over, so are blank lines, and the characters `\n` stand for a line break; a file whose name ends in
//! `.nrql` is one query. Positions are those of the file, so editors can go there.

use std::io::Read as _;
use std::path::Path;

use crate::cli::exit::Stop;
use crate::nrql::line_and_column;

/// A query of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// Line where it begins, from 1.
    line: usize,
    /// It stands in one line, whatever line breaks it has.
    is_line: bool,
    /// What it says; the column of the first byte that is no UTF-8 if it says nothing.
    pub(super) text: Result<String, usize>,
}

/// What is told of what is no UTF-8.
pub(super) const NO_UTF8: &str = "found a byte that is no UTF-8, expected a character";

impl Query {
    /// Line and column in the file of a byte of the query, both from 1, the column in characters.
    pub(super) fn place(&self, byte: usize) -> (usize, usize) {
        match &self.text {
            Ok(text) if self.is_line => {
                // A line break is one character for the parser and two in the file.
                let before = text.get(..byte).unwrap_or(text);
                (self.line, before.chars().count() + before.matches('\n').count() + 1)
            }
            Ok(text) => line_and_column(text, byte),
            Err(column) => (self.line, *column),
        }
    }

    /// What to know of a syntax error at this byte: a second query in a file that is one query.
    pub(super) fn hint(&self, byte: usize) -> &'static str {
        let begins_line = |text: &String| byte > 0 && text.get(..byte).is_some_and(|before| before.ends_with('\n'));
        let is_query = |text: &String| text.get(byte..).is_some_and(|rest| BEGINS.iter().any(|word| begins_with(rest, word)));
        match &self.text {
            Ok(text) if !self.is_line && begins_line(text) && is_query(text) => {
                "a file named *.nrql is one query; in a file of another name each line is one"
            }
            _ => "",
        }
    }
}

/// Words that a query begins with.
const BEGINS: [&str; 3] = ["SELECT", "FROM", "WITH"];

fn begins_with(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
}

/// The queries of a file; `-` is standard input.
pub(super) fn queries(file: &Path) -> Result<Vec<Query>, Stop> {
    let bytes = read(file).map_err(|error| Stop::usage(format!("reading {}: {error}", file.display()), None))?;
    let is_one = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("nrql"));
    Ok(if is_one { vec![Query { line: 1, is_line: false, text: text_of(&bytes) }] } else { lines(&bytes) })
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(file)
}

/// The queries of a text, one a line.
pub(super) fn lines(bytes: &[u8]) -> Vec<Query> {
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n'));
    let queries = lines.map(|(line, bytes)| {
        let query = bytes.split(|byte| *byte == b'\t').next().unwrap_or_default();
        Query { line, is_line: true, text: text_of(query).map(|text| text.replace("\\n", "\n")) }
    });
    queries.filter(|query| query.text.as_ref().map_or(true, |text| !text.trim().is_empty())).collect()
}

fn text_of(bytes: &[u8]) -> Result<String, usize> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        String::from_utf8_lossy(good).chars().count() + 1
    })
}
