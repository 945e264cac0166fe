//! Rows on this machine, however they lie there.
//!
//! In: a file or a folder: Parquet (`.parquet`), lines of JSON (`.ndjson`, `.jsonl`, `.json`), packed or not (`.gz`). Out: a store, and
//! how much is in it. What always holds: every file of rows in a folder is read whole, in the order of the names, or there is an
//! error; files of other kinds are passed over in a folder and refused by themselves; folders in a folder are not looked into.

use std::path::{Path, PathBuf};

use super::folder::{FolderError, load_file};
use super::import::{ImportError, load_lines};
use super::{Snapshot, Store};

/// Why rows could not be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or file cannot be read.
    #[error("{}: {what}", path.display())]
    Path {
        /// Which.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// A file of Parquet.
    #[error(transparent)]
    Parquet(#[from] FolderError),
    /// A file of lines.
    #[error(transparent)]
    Lines(#[from] ImportError),
}

/// Rows that were read.
#[derive(Debug)]
pub struct Opened {
    /// All of them.
    pub store: Store,
    /// How many.
    pub rows: usize,
    /// Time of the newest, milliseconds since 1970; `None`: there is none.
    pub newest_ms: Option<i64>,
}

/// What a file holds, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Parquet,
    Lines,
}

impl Holds {
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let name = name.strip_suffix(".gz").unwrap_or(name);
        match name.rsplit_once('.')?.1 {
            "parquet" => Some(Self::Parquet),
            "ndjson" | "jsonl" | "json" => Some(Self::Lines),
            _ => None,
        }
    }
}

/// Reads a file, or the files of a folder. Lines without a time are of `now_ms`.
///
/// # Errors
/// What cannot be read, with file and line; a folder without a file of rows.
pub fn open(path: &Path, now_ms: i64) -> Result<Opened, OpenError> {
    let fault = |what: String| OpenError::Path { path: path.to_owned(), what };
    let files = if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|error| fault(error.to_string()))?;
        let files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
        let mut files: Vec<(PathBuf, Holds)> = files
            .map_err(|error| fault(error.to_string()))?
            .into_iter()
            .filter_map(|file| Holds::of(&file).map(|holds| (file, holds)))
            .collect();
        if files.is_empty() {
            return Err(fault(
                "no file of rows in it: *.parquet, *.ndjson, *.jsonl, *.json, or one of these with .gz".to_owned(),
            ));
        }
        files.sort_unstable_by(|one, two| one.0.cmp(&two.0));
        files
    } else {
        std::fs::metadata(path).map_err(|error| fault(error.to_string()))?;
        let wanted =
            || fault("not known to hold rows: its name ends in none of .parquet, .ndjson, .jsonl, .json, .gz".to_owned());
        vec![(path.to_owned(), Holds::of(path).ok_or_else(wanted)?)]
    };
    let store = Store::in_memory();
    let mut rows = 0;
    for (file, holds) in files {
        rows += match holds {
            Holds::Parquet => load_file(&store, &file)?,
            Holds::Lines => load_lines(&store, &file, now_ms)?,
        };
    }
    let newest_ms = newest(&store.snapshot());
    Ok(Opened { store, rows, newest_ms })
}

fn newest(snapshot: &Snapshot) -> Option<i64> {
    let segments = snapshot.tables.values().flat_map(|table| table.segments());
    segments.filter(|segment| segment.rows() > 0).map(|segment| segment.last_ms()).max()
}

#[cfg(test)]
mod tests {
    use super::super::folder::save;
    use super::*;

    #[test]
    fn a_folder_is_read_whole_whatever_lies_in_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b.ndjson"), "{\"eventType\":\"A\",\"timestamp\":1700000000001}\n").unwrap();
        std::fs::write(folder.path().join("README.md"), "no rows").unwrap();
        let other = Store::in_memory();
        other.append("C", |pen| pen.begin(1_700_000_000_009, 0));
        save(&other.snapshot(), folder.path()).unwrap();
        let opened = open(folder.path(), 0).unwrap();
        assert_eq!((opened.rows, opened.newest_ms), (2, Some(1_700_000_000_009)));
        let one = open(&folder.path().join("b.ndjson"), 0).unwrap();
        assert_eq!((one.rows, one.newest_ms), (1, Some(1_700_000_000_001)));
    }

    #[test]
    fn what_holds_no_rows_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.csv"), "a,b").unwrap();
        for (path, want) in [
            ("", "no file of rows in it"),
            ("x.csv", "not known to hold rows"),
            ("y.ndjson", "y.ndjson: "),
            ("z", "z: No such file or directory"),
        ] {
            let error = open(&folder.path().join(path), 0).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }
}
