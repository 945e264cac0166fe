//! Names of accounts, from a file the customer keeps, and from what else is known of them.
//!
//! In: a CSV file with the header `accountId,name,organizationalUnit[,environment,owner]` in any order, or a YAML list of maps
//! with those keys. Out: names by account id. Always: an id is 12 digits and named once; *all* faults of a file are reported at
//! once, each with its line; what the file says wins, part by part, but for the owner: there a tag of the account comes first, then
//! one of the resource, and the file last, because tags move with what they stand on. Never asks AWS. An account nobody names is
//! shown by its id.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::UNKNOWN;
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
    /// Who answers for it: as its own tag says, else a tag of the resource that is spoken of, else the file.
    pub owner: Option<&'a str>,
    /// What it does not say of unit and environment somebody may still tell.
    pub is_awaited: bool,
}

impl<'a> AccountName<'a> {
    /// Its environment, else `unknown`: what rows and points say, for dashboards filter on it and a filter passes over what is not
    /// there.
    #[must_use]
    pub fn environment_or_unknown(&self) -> &'a str {
        self.environment.unwrap_or(UNKNOWN)
    }

    /// The path of its organizational unit; `None`: not known.
    #[must_use]
    pub fn unit(&self) -> Option<&'a str> {
        Some(self.organizational_unit).filter(|unit| *unit != UNKNOWN)
    }
}

/// What somebody else knows of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountRow {
    /// The 12-digit id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Path of its organizational unit.
    pub organizational_unit: Option<String>,
    /// Its environment.
    pub environment: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
}

/// Names by account id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountNames {
    by_id: HashMap<Box<str>, Names>,
    /// Somebody who knows more was not heard to the end yet.
    is_awaited: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Names {
    name: Option<Box<str>>,
    organizational_unit: Option<Box<str>>,
    environment: Option<Box<str>>,
    /// As the file says.
    owner: Option<Box<str>>,
    /// As a tag of the account says.
    tagged_owner: Option<Box<str>>,
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
        if faults.is_empty() && names.is_empty() {
            // An empty file is a failed copy more often than a wish, and would take every name off the dashboards.
            return Err(whole("no account is named; name at least one, or configure no file".to_owned()));
        }
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
            by_id.insert(id, Names { name, organizational_unit, environment, owner, tagged_owner: None });
        }
        Self { by_id, is_awaited: false }
    }

    /// These names, while somebody is still to be heard who may know more.
    #[must_use]
    pub fn awaited(self, is_awaited: bool) -> Self {
        Self { is_awaited, ..self }
    }

    /// Whether what they do not say may still be told.
    #[must_use]
    pub fn are_awaited(&self) -> bool {
        self.is_awaited
    }

    /// These names, and for what they do not say those of the rows. An empty text says nothing; of two rows of one account the
    /// first counts.
    #[must_use]
    pub fn with(&self, rows: Vec<AccountRow>) -> Self {
        let mut by_id = self.by_id.clone();
        for row in rows.into_iter().filter(|row| id_fault(&row.id).is_none()) {
            let names = by_id.entry(row.id.into()).or_default();
            let fill = |part: &mut Option<Box<str>>, text: Option<String>| {
                let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
                if part.is_none() {
                    *part = text.map(Into::into);
                }
            };
            fill(&mut names.name, row.name);
            fill(&mut names.organizational_unit, row.organizational_unit);
            fill(&mut names.environment, row.environment);
            fill(&mut names.tagged_owner, row.owner);
        }
        Self { by_id, is_awaited: self.is_awaited }
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

    /// The path of an account's organizational unit; `None`: not known.
    #[must_use]
    pub fn unit(&self, id: &str) -> Option<&str> {
        self.by_id.get(id)?.organizational_unit.as_deref()
    }

    /// The names of an account: what the file does not say falls back, `name` to the id and `organizational_unit` to `unknown`,
    /// because dashboard variables filter on them.
    #[must_use]
    pub fn get<'a>(&'a self, id: &'a str) -> AccountName<'a> {
        self.get_with(id, None)
    }

    /// The same, of a record about a resource whose tags name this owner.
    #[must_use]
    pub fn get_with<'a>(&'a self, id: &'a str, resource_owner: Option<&'a str>) -> AccountName<'a> {
        let names = self.by_id.get(id);
        let part = |part: fn(&Names) -> &Option<Box<str>>| names.and_then(|names| part(names).as_deref());
        let id = if id.is_empty() { UNKNOWN } else { id };
        AccountName {
            id,
            name: part(|names| &names.name).unwrap_or(id),
            organizational_unit: part(|names| &names.organizational_unit).unwrap_or(UNKNOWN),
            environment: part(|names| &names.environment),
            owner: part(|names| &names.tagged_owner).or(resource_owner).or(part(|names| &names.owner)),
            is_awaited: self.is_awaited,
        }
    }
}

/// What is wrong with an account id, if anything.
fn id_fault(id: &str) -> Option<String> {
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    match id.len() {
        12 if digits => None,
        // Spreadsheets turn ids into numbers and drop their leading zeros.
        count @ 1..12 if digits => {
            Some(format!("accountId \"{id}\" has {count} of 12 digits (did a spreadsheet drop leading zeros? write {id:0>12})"))
        }
        _ => Some(format!("accountId \"{id}\" is not an account id; 12 digits are needed")),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn read(file: &str, text: impl AsRef<[u8]>) -> Result<AccountNames, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(file);
        std::fs::write(&path, text).expect("a file");
        let prefix = format!("{}/", folder.path().display());
        AccountNames::from_file(&path).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    #[test]
    fn s0_07_two_hundred_accounts_have_their_names() {
        let mut csv = "accountId,name,organizationalUnit,environment,owner\n".to_owned();
        let mut yaml = String::new();
        for n in 0..250 {
            writeln!(csv, "{n:012},name {n},ou-{},prod,team {n}", n % 7).expect("text");
            writeln!(yaml, "- accountId: {n:012}\n  name: name {n}\n  organizationalUnit: ou-{}", n % 7).expect("text");
        }
        for (file, text, owner) in [("a.csv", csv, Some("team 42")), ("a.yml", yaml, None)] {
            let names = read(file, text).expect(file);
            assert_eq!(names.len(), 250, "{file}");
            let name = names.get("000000000042");
            assert_eq!((name.id, name.name, name.organizational_unit), ("000000000042", "name 42", "ou-0"), "{file}");
            assert_eq!(name.owner, owner, "{file}");
        }
    }

    #[test]
    fn what_the_file_does_not_say_falls_back() {
        let names = read("a.csv", "\u{feff}accountId,name,organizationalUnit\r\n111122223333,,\r\n\r\n").expect("names");
        for id in ["111122223333", "999999999999"] {
            let name = names.get(id);
            assert_eq!((name.id, name.name, name.organizational_unit), (id, id, "unknown"));
            assert_eq!((name.environment, name.owner), (None, None));
        }
        assert_eq!(AccountNames::default().get("").name, "unknown");
    }

    /// S0-07: the file wins, part by part, over what AWS Organizations says.
    #[test]
    fn what_the_file_says_wins_part_by_part() {
        let file = read("a.csv", "accountId,name,organizationalUnit,owner\n111122223333,ours,,\n").expect("names");
        let row = |id: &str, owner: &str| AccountRow {
            id: id.to_owned(),
            name: Some("theirs".to_owned()),
            organizational_unit: Some("Workloads".to_owned()),
            environment: Some("  ".to_owned()),
            owner: Some(owner.to_owned()),
        };
        let both = file.with(vec![
            row("111122223333", "team"),
            row("111122223333", "second"),
            row("444455556666", "x"),
            row("no id", "x"),
        ]);
        let parts = |id: &'static str| {
            let name = both.get(id);
            (name.name, name.organizational_unit, name.environment, name.owner)
        };
        assert_eq!(parts("111122223333"), ("ours", "Workloads", None, Some("team")));
        assert_eq!(parts("444455556666"), ("theirs", "Workloads", None, Some("x")));
        assert_eq!(both.len(), 2);
        assert_eq!(file.with(Vec::new()), file);
    }

    /// S0-07: the owner is who the account's tag names, else the resource's tag, else the file.
    #[test]
    fn an_owner_comes_from_the_account_then_the_resource_then_the_file() {
        const ID: &str = "111122223333";
        for (file, account, resource, want) in [
            ("of-file", Some("of-account"), Some("of-resource"), Some("of-account")),
            ("of-file", Some("of-account"), None, Some("of-account")),
            ("of-file", None, Some("of-resource"), Some("of-resource")),
            ("of-file", Some("  "), Some("of-resource"), Some("of-resource")),
            ("of-file", None, None, Some("of-file")),
            ("", None, Some("of-resource"), Some("of-resource")),
            ("", None, None, None),
        ] {
            let names = read("a.csv", format!("accountId,name,organizationalUnit,owner\n{ID},a,b,{file}\n")).expect("names");
            let row = AccountRow { id: ID.to_owned(), owner: account.map(str::to_owned), ..AccountRow::default() };
            let names = names.with(vec![row]);
            assert_eq!(names.get_with(ID, resource).owner, want, "{file} {account:?} {resource:?}");
        }
        assert_eq!(AccountNames::default().get_with(ID, Some("of-resource")).owner, Some("of-resource"), "nobody names it");
    }

    #[test]
    fn cells_and_values_are_read_as_written() {
        let csv = "name,owner,organizationalUnit,accountId\n\"Acme, \"\"prod\"\"\", 情報部 ,\"two\nlines\",012345678901\n";
        let yaml = "- {accountId: 012345678901, name: \"Acme, \\\"prod\\\"\", organizationalUnit: \"two\\nlines\", owner: 情報部}\n- {accountId: \"000000000002\", name: no}\n- {accountId: 123456789012, name: 1e5, owner: ~}\n";
        for (file, text) in [("a.CSV", csv), ("a.yaml", yaml)] {
            let names = read(file, text).expect(file);
            let name = names.get("012345678901");
            let found = (name.name, name.organizational_unit, name.owner);
            assert_eq!(found, ("Acme, \"prod\"", "two\nlines", Some("情報部")), "{file}");
        }
        let names = read("a.yaml", yaml).expect("names");
        assert_eq!((names.get("000000000002").name, names.get("123456789012").name), ("no", "1e5"));
        assert_eq!(names.get("123456789012").owner, None);
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_lines() {
        for (name, file, text, want) in [
            (
                "CSV rows",
                "a.csv",
                "accountId,name,organizationalUnit\n12345678901,a,b\n111122223333,a,b\nada,a,b\n111122223333,c,d\n444455556666,a\n,x,y\n",
                "reading account names from a.csv: 5 problems
  a.csv:2: accountId \"12345678901\" has 11 of 12 digits (did a spreadsheet drop leading zeros? write 012345678901)
  a.csv:4: accountId \"ada\" is not an account id; 12 digits are needed
  a.csv:5: accountId 111122223333 is named again, first on line 3; each account is named once
  a.csv:6: 2 cells; 3 are needed, as in the header (quote a cell that holds a comma)
  a.csv:7: accountId is missing; 12 digits are needed",
            ),
            (
                "CSV header",
                "a.csv",
                "id,name,name\n1,2,3\n",
                "reading account names from a.csv: 4 problems
  a.csv:1: unknown column \"id\"; allowed are accountId, name, organizationalUnit, environment, owner
  a.csv:1: column \"name\" is there twice; once is allowed
  a.csv:1: column \"accountId\" is missing; the header accountId,name,organizationalUnit,environment,owner is needed
  a.csv:1: column \"organizationalUnit\" is missing; the header accountId,name,organizationalUnit,environment,owner is needed",
            ),
            (
                "CSV quote",
                "a.csv",
                "accountId,name,organizationalUnit\n111122223333,a,b\n444455556666,\"a,b\n",
                "reading account names from a.csv: 1 problem
  a.csv:3: a quote (\") opens here and is never closed",
            ),
            (
                "empty CSV",
                "a.csv",
                "",
                "reading account names from a.csv: 1 problem
  a.csv:1: the file is empty; the header accountId,name,organizationalUnit,environment,owner is needed",
            ),
            (
                "YAML items",
                "a.yml",
                "- accountId: 111122223333\n  team: x\n- accountId: 2\n- name: a\n- accountId: 111122223333\n",
                "reading account names from a.yml: 4 problems
  a.yml:2: unknown key \"team\"; allowed are accountId, name, organizationalUnit, environment, owner
  a.yml:3: accountId \"2\" has 1 of 12 digits (did a spreadsheet drop leading zeros? write 000000000002)
  a.yml:4: accountId is missing; 12 digits are needed
  a.yml:5: accountId 111122223333 is named again, first on line 1; each account is named once",
            ),
            (
                "ending",
                "a.txt",
                "",
                "reading account names from a.txt: 1 problem\n  a.txt: the ending is \".txt\"; .csv, .yml or .yaml is needed",
            ),
        ] {
            assert_eq!(read(file, text).map(|names| names.len()), Err(want.to_owned()), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let missing = AccountNames::from_file("no/such/file.csv").expect_err("no file").to_string();
        assert!(missing.contains("no/such/file.csv: No such file"), "{missing}");
        let latin = read("a.csv", b"accountId,name,organizationalUnit\n111122223333,M\xfcller,x\n").expect_err("not UTF-8");
        assert!(latin.contains("not UTF-8: invalid utf-8 sequence"), "{latin}");
        let map = read("a.yml", "accountId: 111122223333\n").expect_err("not a list");
        assert!(map.contains("a.yml:1: ") && map.ends_with(" is needed"), "{map}");
        let broken = read("a.yml", "- accountId: [1\n").expect_err("not YAML");
        assert!(broken.contains("a.yml:"), "{broken}");
        for (file, text) in [("a.yml", ""), ("a.yml", "[]"), ("a.csv", "accountId,name,organizationalUnit\n")] {
            let empty = read(file, text).expect_err("nothing");
            assert!(empty.ends_with(": no account is named; name at least one, or configure no file"), "{empty}");
        }
    }
}
