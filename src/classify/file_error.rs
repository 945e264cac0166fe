//! What is wrong with a file that a setting names, for the one who wrote it: everything at once.
//!
//! In: a path; what its reader found wrong. Out: its text, or a [`FileError`] whose text names file, line and place of every
//! fault, what was found, what is allowed and what to do. Does not know what is in the file.

use std::fmt;
use std::path::{Path, PathBuf};

/// Largest such file, bytes.
const FILE_BYTES: u64 = 4 << 20;

/// One fault, or one doubt, of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFault {
    /// Line, from 1; 0: the file as a whole.
    pub line: u64,
    /// Where in the file, as `[2].scope.accounts`; empty: nowhere in particular.
    pub path: String,
    /// What was found.
    pub what: String,
    /// What may stand there.
    pub allowed: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

/// Why a file is not used.
#[derive(Debug)]
pub struct FileError {
    /// What the file holds, as `exceptions`.
    pub holds: &'static str,
    /// The file.
    pub file: PathBuf,
    /// In the order of the lines; never empty.
    pub faults: Vec<FileFault>,
}

impl FileFault {
    pub(super) fn new(line: u64, path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { line, path: path.into(), what: what.into(), allowed: None, hint: None }
    }

    pub(super) fn allowed(self, allowed: impl Into<String>) -> Self {
        Self { allowed: Some(allowed.into()), ..self }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Its text, for a file of this name.
    #[must_use]
    pub fn in_file(&self, file: &Path) -> String {
        let mut text = file.display().to_string();
        if self.line > 0 {
            text += &format!(":{}", self.line);
        }
        if !self.path.is_empty() {
            text += &format!(": {}", self.path);
        }
        text += &format!(": {}", self.what);
        for (name, part) in [("allowed", &self.allowed), ("hint", &self.hint)] {
            if let Some(part) = part {
                text += &format!("\n    {name}: {part}");
            }
        }
        text
    }
}

impl FileError {
    pub(super) fn new(holds: &'static str, file: &Path, mut faults: Vec<FileFault>) -> Self {
        faults.sort_by_key(|fault| fault.line);
        Self { holds, file: file.to_owned(), faults }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "reading {} from {}: {count} problem{plural}", self.holds, self.file.display())?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {}", fault.in_file(&self.file)))
    }
}

impl std::error::Error for FileError {}

/// The text of a file, without a byte order mark.
pub(super) fn read(holds: &'static str, path: &Path) -> Result<String, FileError> {
    let whole = |what: String| FileError::new(holds, path, vec![FileFault::new(0, "", what)]);
    let size = std::fs::metadata(path).map_err(|error| whole(error.to_string()))?.len();
    if size > FILE_BYTES {
        return Err(whole(format!("{size} bytes; {FILE_BYTES} are allowed at most")));
    }
    let bytes = std::fs::read(path).map_err(|error| whole(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| whole(format!("not UTF-8: {}", error.utf8_error())))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
