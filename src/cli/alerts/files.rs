//! The files of conditions in a folder.
//!
//! In: a path: a folder of policies, the folder of one, or the file of one condition. Out: name, `<policy>/<file>`, and text of each.
//! What always holds: only `.yml` is read; a path without any is an error that says what is expected.

use std::path::{Path, PathBuf};

use crate::cli::exit::Stop;

/// Ending of the files.
const ENDING: &str = "yml";

/// The file that says what a policy is.
const POLICY: &str = "policy.yml";

/// Reads them.
///
/// # Errors
/// When something cannot be read, or there is nothing.
pub(super) fn read(path: &Path) -> Result<Vec<(String, String)>, Stop> {
    let mut files = Vec::new();
    if path.is_file() {
        let folder = folder_of(path)?;
        file(&folder, path, &mut files)?;
        let policy = folder.join(POLICY);
        if policy != path && policy.is_file() {
            file(&folder, &policy, &mut files)?;
        }
    } else if path.join(POLICY).is_file() {
        // `.` has no name of its own.
        let folder = std::fs::canonicalize(path).map_err(|error| told(path, &error))?;
        all(&folder, &mut files)?;
    } else {
        for entry in entries(path)? {
            if entry.is_dir() {
                all(&entry, &mut files)?;
            }
        }
    }
    if files.is_empty() {
        let hint = "nrql/conditions is one: a folder for each policy, in it policy.yml and one file a condition";
        return Err(Stop::usage(format!("{}: no conditions there", path.display()), Some(hint.to_owned())));
    }
    Ok(files)
}

/// Every file of a policy.
fn all(folder: &Path, files: &mut Vec<(String, String)>) -> Result<(), Stop> {
    for entry in entries(folder)? {
        if entry.extension().is_some_and(|ending| ending == ENDING) {
            file(folder, &entry, files)?;
        }
    }
    Ok(())
}

fn file(folder: &Path, path: &Path, files: &mut Vec<(String, String)>) -> Result<(), Stop> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).map_err(|error| told(path, &error))?;
    files.push((format!("{}/{}", name(folder), name(path)), text));
    Ok(())
}

fn folder_of(path: &Path) -> Result<PathBuf, Stop> {
    let whole = std::fs::canonicalize(path).map_err(|error| told(path, &error))?;
    Ok(whole.parent().map(Path::to_owned).unwrap_or_default())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Stop> {
    let told = |error: std::io::Error| told(folder, &error);
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(told)? {
        entries.push(entry.map_err(told)?.path());
    }
    entries.sort();
    Ok(entries)
}

fn told(path: &Path, error: &std::io::Error) -> Stop {
    Stop::usage(format!("{}: {error}", path.display()), None)
}
