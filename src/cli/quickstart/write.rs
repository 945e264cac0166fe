//! Several files, all or none.
//!
//! In: paths and texts. Out: the files. What always holds: what is there stays unless it may be replaced; every text is on the disk
//! under another name before the first file gets its own; what could not be finished is taken away.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::words;
use crate::cli::exit::Stop;
use crate::publish::dashboard::Language;

/// Writes all files; folders are made where they are not there.
pub(super) fn all(files: &[(PathBuf, &str)], force: bool, language: Language) -> Result<(), Stop> {
    let there: Vec<&Path> =
        files.iter().map(|(path, _)| path.as_path()).filter(|path| fs::symlink_metadata(path).is_ok()).collect();
    let folder = there.iter().find(|path| path.is_dir());
    if let Some(folder) = folder {
        return Err(Stop::usage(format!("{}: {}", folder.display(), words::IS_FOLDER.get(language)), None));
    }
    if !there.is_empty() && !force {
        let names: Vec<String> = there.iter().map(|path| path.display().to_string()).collect();
        let what = format!("{}: {}", names.join(", "), words::IS_THERE.get(language));
        return Err(Stop::usage(what, Some(words::FORCE.get(language).to_owned())));
    }
    let mut unfinished = Unfinished(Vec::new());
    for (path, text) in files {
        stage(path, text, &mut unfinished).map_err(|error| fault(path, &error))?;
    }
    for (path, _) in files {
        // Taken out one by one: what is renamed is not to be taken away.
        let Some(staged) = unfinished.0.first().cloned() else { break };
        fs::rename(&staged, path).map_err(|error| fault(path, &error))?;
        unfinished.0.remove(0);
    }
    Ok(())
}

fn fault(path: &Path, error: &std::io::Error) -> Stop {
    Stop::usage(format!("writing {}: {error}", path.display()), None)
}

fn stage(path: &Path, text: &str, unfinished: &mut Unfinished) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let staged = folder.join(format!(".cspm-relay-{:016x}", fastrand::u64(..)));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&staged)?;
    unfinished.0.push(staged);
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Files under their first names.
struct Unfinished(Vec<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        for path in &self.0 {
            let _gone = fs::remove_file(path).is_ok();
        }
    }
}
