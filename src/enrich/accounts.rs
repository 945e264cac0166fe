//! Names of accounts, from a file the customer keeps.
//!
//! In: a CSV file with the header `accountId,name,organizationalUnit[,environment,owner]` in any order, or a YAML list of maps
//! with those keys. Out: names by account id. Always: an id is 12 digits and named once; *all* faults of a file are reported at
//! once, each with its line. Never asks AWS. An account the file does not name is shown by its id.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::accounts_file::{self, Row};

/// What an account is called; absent parts as [`AccountNames::get`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountName<'a> {
    /// The 12-digit id.
    pub id: &'a str,
    /// Its name, else its id.
    pub name: &'a str,
    /// Its organizational unit, else `unknown`.
    pub organizational_unit: &'a str,
    /// Its environment (`production`, …), if the file has one.
    pub environment: Option<&'a str>,
    /// Who answers for it, if the file says.
    pub owner: Option<&'a str>,
}

/// Names by account id.
#[derive(Debug, Clone, Default)]
pub struct AccountNames {
    by_id: HashMap<Box<str>, Names>,
}

#[derive(Debug, Clone, Default)]
struct Names {
    name: Option<Box<str>>,
    organizational_unit: Option<Box<str>>,
    environment: Option<Box<str>>,
    owner: Option<Box<str>>,
}

/// Why an accounts file is not used: everything that is wrong with it.
#[derive(Debug)]
pub struct AccountFileError {
    /// The file.
    pub file: PathBuf,
    /// In the order of the lines; never empty.
    pub faults: Vec<AccountFault>,
}

/// One fault of an accounts file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFault {
    /// Line, from 1; `None`: the file as a whole.
    pub line: Option<u64>,
    /// What was found and what is allowed.
    pub message: String,
}

impl fmt::Display for AccountFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        let count = self.faults.len();
        write!(f, "reading account names from {file}: {count} problem{}", if count == 1 { "" } else { "s" })?;
        for fault in &self.faults {
            match fault.line {
                Some(line) => write!(f, "\n  {file}:{line}: {}", fault.message)?,
                None => write!(f, "\n  {file}: {}", fault.message)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for AccountFileError {}

impl AccountNames {
    /// Reads a file; its name's ending tells the format: `.csv`, `.yml`, `.yaml`.
    ///
    /// # Errors
    /// [`AccountFileError`] lists every fault: unreadable, not the format, unknown column or key, an id that is not 12 digits or
    /// comes twice.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, AccountFileError> {
        let path = path.as_ref();
        let whole =
            |message: String| AccountFileError { file: path.to_owned(), faults: vec![AccountFault { line: None, message }] };
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        let read: fn(&str, &mut Vec<AccountFault>) -> Vec<Row> = match ending.as_str() {
            "csv" => accounts_file::csv,
            "yml" | "yaml" => accounts_file::yaml,
            _ => return Err(whole(format!("the ending is \".{ending}\"; .csv, .yml or .yaml is needed"))),
        };
        let bytes = std::fs::read(path).map_err(|error| whole(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|error| whole(format!("not UTF-8: {}", error.utf8_error())))?;
        let mut faults = Vec::new();
        let rows = read(text.strip_prefix('\u{feff}').unwrap_or(&text), &mut faults);
        let names = Self::collect(rows, &mut faults);
        if faults.is_empty() {
            return Ok(names);
        }
        faults.sort_by_key(|fault| fault.line);
        Err(AccountFileError { file: path.to_owned(), faults })
    }

    fn collect(rows: Vec<Row>, faults: &mut Vec<AccountFault>) -> Self {
        let mut by_id: HashMap<Box<str>, Names> = HashMap::with_capacity(rows.len());
        let mut lines: HashMap<Box<str>, u64> = HashMap::with_capacity(rows.len());
        for row in rows {
            let mut fault = |message: String| faults.push(AccountFault { line: Some(row.line), message });
            let Some(id) = row.id else {
                fault("accountId is missing; 12 digits are needed".to_owned());
                continue;
            };
            if let Some(message) = id_fault(&id) {
                fault(message);
                continue;
            }
            if let Some(first) = lines.insert(id.clone(), row.line) {
                fault(format!("accountId {id} is named again, first on line {first}; each account is named once"));
                continue;
            }
            let Row { name, organizational_unit, environment, owner, .. } = row;
            by_id.insert(id, Names { name, organizational_unit, environment, owner });
        }
        Self { by_id }
    }

    /// How many accounts have a name.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether no account has a name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The names of an account: what the file does not say falls back, `name` to the id and `organizational_unit` to `unknown`,
    /// because dashboard variables filter on them.
    #[must_use]
    pub fn get<'a>(&'a self, id: &'a str) -> AccountName<'a> {
        let names = self.by_id.get(id);
        let part = |part: fn(&Names) -> &Option<Box<str>>| names.and_then(|names| part(names).as_deref());
        let id = if id.is_empty() { "unknown" } else { id };
        AccountName {
            id,
            name: part(|names| &names.name).unwrap_or(id),
            organizational_unit: part(|names| &names.organizational_unit).unwrap_or("unknown"),
            environment: part(|names| &names.environment),
            owner: part(|names| &names.owner),
        }
    }
}

/// What is wrong with an account id, if anything.
fn id_fault(id: &str) -> Option<String> {
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    match id.len() {
        12 if digits => None,
        // Spreadsheets turn ids into numbers and drop their leading zeros.
        count @ 1..12 if digits => Some(format!(
            "accountId \"{id}\" has {count} digits; 12 are needed (did a spreadsheet drop leading zeros? write {id:0>12})"
        )),
        _ => Some(format!("accountId \"{id}\" is not an account id; 12 digits are needed")),
    }
}
