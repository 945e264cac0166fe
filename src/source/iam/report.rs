//! The credential report, read.
//!
//! In: the CSV that IAM made. Out: a line for each user and for root. What always holds: columns are found by name, and those that
//! nobody knows do not matter; a report that is cut short (a line with too few cells, a quote that never ends) is refused as a
//! whole; a word that is not known is unknown, not false.

use std::collections::HashMap;

use crate::record::csv;
use crate::record::identity::{AccessKey, Credentials, LastUse};
use crate::record::time::parse_ms;

/// Columns without which nothing can be told.
const NEEDED: [&str; 2] = ["user", "arn"];

/// Reads a report.
///
/// # Errors
/// In words, what is not as it should be and in which line.
pub(super) fn read(content: &[u8]) -> Result<Vec<Credentials>, String> {
    let text = std::str::from_utf8(content).map_err(|error| format!("the credential report is not UTF-8: {error}"))?;
    let (lines, unclosed) = csv::lines(text.strip_prefix('\u{feff}').unwrap_or(text));
    if let Some(line) = unclosed {
        return Err(format!("the credential report is cut short in line {line}: {}", csv::UNCLOSED));
    }
    let mut lines = lines.into_iter();
    let Some(header) = lines.next() else { return Err("the credential report is empty".to_owned()) };
    let columns: HashMap<&str, usize> = header.cells.iter().enumerate().map(|(at, name)| (name.trim(), at)).collect();
    for name in NEEDED {
        if !columns.contains_key(name) {
            return Err(format!("the credential report has no column `{name}`; there are {}", header.cells.join(", ")));
        }
    }
    let mut rows = Vec::new();
    for line in lines {
        if line.cells.len() != header.cells.len() {
            return Err(format!(
                "the credential report is cut short: line {} has {} of {} cells",
                line.line,
                line.cells.len(),
                header.cells.len()
            ));
        }
        rows.push(row(&Cells { columns: &columns, cells: &line.cells }));
    }
    Ok(rows)
}

/// The cells of a line, by column.
struct Cells<'a> {
    columns: &'a HashMap<&'a str, usize>,
    cells: &'a [String],
}

impl<'a> Cells<'a> {
    fn get(&self, column: &str) -> Option<&'a str> {
        self.columns.get(column).and_then(|at| self.cells.get(*at)).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
    }

    fn flag(&self, column: &str) -> Option<bool> {
        match self.get(column)? {
            "true" | "TRUE" => Some(true),
            "false" | "FALSE" => Some(false),
            _ => None,
        }
    }

    fn time(&self, column: &str) -> Option<i64> {
        parse_ms(self.get(column)?)
    }

    fn used(&self, column: &str) -> LastUse {
        match self.get(column) {
            Some("N/A") => LastUse::NotApplicable,
            Some("no_information") => LastUse::NoInformation,
            Some(text) => parse_ms(text).map_or(LastUse::Unknown, LastUse::At),
            None => LastUse::Unknown,
        }
    }

    /// A name of AWS's; its words for "none" are no name.
    fn name(&self, column: &str) -> Option<Box<str>> {
        self.get(column).filter(|text| !matches!(*text, "N/A" | "no_information" | "not_supported")).map(Into::into)
    }
}

fn row(cells: &Cells<'_>) -> Credentials {
    let key = |place: u8| {
        let column = |name: &str| format!("access_key_{place}_{name}");
        AccessKey {
            active: cells.flag(&column("active")),
            changed_ms: cells.time(&column("last_rotated")),
            used: cells.used(&column("last_used_date")),
            service: cells.name(&column("last_used_service")),
            region: cells.name(&column("last_used_region")),
        }
    };
    Credentials {
        user: cells.get("user").unwrap_or_default().into(),
        arn: cells.get("arn").unwrap_or_default().into(),
        created_ms: cells.time("user_creation_time"),
        password: cells.flag("password_enabled"),
        password_used: cells.used("password_last_used"),
        password_changed_ms: cells.time("password_last_changed"),
        mfa: cells.flag("mfa_active"),
        keys: [key(1), key(2)],
    }
}
