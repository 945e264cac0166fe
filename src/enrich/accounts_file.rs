//! The two formats of an accounts file.
//!
//! In: the text of a CSV or YAML file. Out: rows with their lines, and every fault that can be told from the format alone; a
//! faulty row is left out or kept in part, never guessed. Does not judge ids.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::accounts::AccountFault;
use crate::record::csv;

/// The columns, or keys, in the order of the documentation.
const COLUMNS: [&str; 5] = ["accountId", "name", "organizationalUnit", "environment", "owner"];
/// How many of them a CSV header must have.
const COLUMNS_NEEDED: usize = 3;

/// One account as written; empty cells are `None`.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Line, from 1.
    pub(super) line: u64,
    pub(super) id: Option<Box<str>>,
    pub(super) name: Option<Box<str>>,
    pub(super) organizational_unit: Option<Box<str>>,
    pub(super) environment: Option<Box<str>>,
    pub(super) owner: Option<Box<str>>,
}

impl Row {
    /// Sets a column; `false`: there is no such column.
    fn set(&mut self, column: &str, value: &str) -> bool {
        let field = match column {
            "accountId" => &mut self.id,
            "name" => &mut self.name,
            "organizationalUnit" => &mut self.organizational_unit,
            "environment" => &mut self.environment,
            "owner" => &mut self.owner,
            _ => return false,
        };
        let value = value.trim();
        *field = (!value.is_empty()).then(|| value.into());
        true
    }
}

/// Reads CSV (RFC 4180: quoted cells may hold commas, doubled quotes and line ends). Blank lines are skipped.
pub(super) fn csv(text: &str, faults: &mut Vec<AccountFault>) -> Vec<Row> {
    let (lines, unclosed) = csv::lines(text);
    if let Some(line) = unclosed {
        faults.push(AccountFault { line: Some(line), message: csv::UNCLOSED.to_owned() });
    }
    let mut lines = lines.into_iter();
    let Some(header) = lines.next() else {
        faults.push(AccountFault {
            line: Some(1),
            message: format!("the file is empty; the header {} is needed", COLUMNS.join(",")),
        });
        return Vec::new();
    };
    let columns: Vec<String> = header.cells.iter().map(|cell| cell.trim().to_owned()).collect();
    if !header_is_good(header.line, &columns, faults) {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for csv::Line { line, cells } in lines {
        if cells.len() != columns.len() {
            let message = format!(
                "{} cells; {} are needed, as in the header (quote a cell that holds a comma)",
                cells.len(),
                columns.len()
            );
            faults.push(AccountFault { line: Some(line), message });
            continue;
        }
        let mut row = Row { line, ..Row::default() };
        for (column, cell) in columns.iter().zip(&cells) {
            row.set(column, cell);
        }
        rows.push(row);
    }
    rows
}

fn header_is_good(line: u64, columns: &[String], faults: &mut Vec<AccountFault>) -> bool {
    let before = faults.len();
    let mut seen = HashSet::new();
    let mut fault = |message: String| faults.push(AccountFault { line: Some(line), message });
    for column in columns {
        if !COLUMNS.contains(&column.as_str()) {
            fault(format!("unknown column \"{column}\"; allowed are {}", COLUMNS.join(", ")));
        } else if !seen.insert(column.as_str()) {
            fault(format!("column \"{column}\" is there twice; once is allowed"));
        }
    }
    for needed in COLUMNS.iter().take(COLUMNS_NEEDED).filter(|needed| !seen.contains(**needed)) {
        fault(format!("column \"{needed}\" is missing; the header {} is needed", COLUMNS.join(",")));
    }
    faults.len() == before
}

/// Reads YAML: a list of maps. A fault of the YAML itself ends the reading, since what follows cannot be trusted.
pub(super) fn yaml(text: &str, faults: &mut Vec<AccountFault>) -> Vec<Row> {
    // Ids may start with zeros, and `no` is a name, not a boolean.
    let options = serde_saphyr::options! { strict_booleans: true, leading_zero_numbers_as_strings: true };
    match serde_saphyr::from_str_with_options::<YamlRows>(text, options) {
        Ok(read) => {
            faults.extend(read.faults);
            read.rows
        }
        Err(error) => {
            let message = error.without_snippet().to_string();
            let line = error.location().map(|location| location.line());
            let message = format!("{message}; a list of maps with the keys {} is needed", COLUMNS.join(", "));
            faults.push(AccountFault { line, message });
            Vec::new()
        }
    }
}

#[derive(Default)]
struct YamlRows {
    rows: Vec<Row>,
    faults: Vec<AccountFault>,
}

impl<'de> Deserialize<'de> for YamlRows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self::default())
    }
}

impl<'de> Visitor<'de> for YamlRows {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of accounts")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Self, A::Error> {
        while let Some(Spanned { value: YamlRow { mut row, faults }, referenced, .. }) = seq.next_element::<Spanned<YamlRow>>()? {
            row.line = referenced.line();
            self.rows.push(row);
            self.faults.extend(faults);
        }
        Ok(self)
    }
}

#[derive(Default)]
struct YamlRow {
    row: Row,
    faults: Vec<AccountFault>,
}

impl<'de> Deserialize<'de> for YamlRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self::default())
    }
}

impl<'de> Visitor<'de> for YamlRow {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an account")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            // Typed as text, so that 012345678901, 1e5 and no stay as they are written.
            let value = map.next_value::<Spanned<Option<String>>>()?;
            if !self.row.set(&key, value.value.as_deref().unwrap_or_default()) {
                let message = format!("unknown key \"{key}\"; allowed are {}", COLUMNS.join(", "));
                self.faults.push(AccountFault { line: Some(value.referenced.line()), message });
            }
        }
        Ok(self)
    }
}
