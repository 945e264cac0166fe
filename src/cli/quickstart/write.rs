//! Several files, all or none.
//!
//! In: paths and texts, and what is to go. Out: the files. What always holds: what is there stays unless it may be replaced; every text
//! is on the disk under another name before the first file gets its own; when one cannot get it, those before it are taken away and
//! what was there is put back. Only a machine that stops in between leaves some new and some old, the old ones beside as
//! `.cspm-relay-…`.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::words;
use crate::cli::exit::Stop;
use crate::publish::dashboard::Language;

/// Writes all files and removes the `stale` ones; folders are made where they are not there.
pub(super) fn all(files: &[(PathBuf, &str)], stale: &[PathBuf], force: bool, language: Language) -> Result<(), Stop> {
    let there: Vec<&Path> = files
        .iter()
        .map(|(path, _)| path.as_path())
        .chain(stale.iter().map(PathBuf::as_path))
        .filter(|path| fs::symlink_metadata(path).is_ok())
        .collect();
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
    let mut named: Vec<(Option<&Path>, &Path)> =
        unfinished.0.iter().zip(files).map(|(staged, (path, _))| (Some(staged.as_path()), path.as_path())).collect();
    named.extend(stale.iter().map(|path| (None, path.as_path())));
    rename(&named)
}

/// Gives every staged file its name; what has none staged goes. All, or none.
pub(super) fn rename(named: &[(Option<&Path>, &Path)]) -> Result<(), Stop> {
    let mut done: Vec<Done<'_>> = Vec::new();
    for (staged, path) in named {
        if let Err(error) = replace(*staged, path, &mut done) {
            let mut told = fault(path, &error);
            let back: Vec<String> = done.iter().rev().filter_map(|done| done.undo().err()).collect();
            if !back.is_empty() {
                told.what = format!("{}; what was there could not be put back: {}", told.what, back.join(", "));
            }
            return Err(told);
        }
    }
    for old in done.iter().filter_map(|done| done.old.as_ref()) {
        let _gone = fs::remove_file(old).is_ok();
    }
    Ok(())
}

/// A path that was changed.
struct Done<'p> {
    path: &'p Path,
    /// Where that is now which was there.
    old: Option<PathBuf>,
    is_new: bool,
}

impl Done<'_> {
    fn undo(&self) -> Result<(), String> {
        let undone = match &self.old {
            Some(old) => fs::rename(old, self.path),
            None if self.is_new => fs::remove_file(self.path),
            None => Ok(()),
        };
        let place = self.old.as_deref().unwrap_or(self.path);
        undone.map_err(|error| format!("{} ({error})", place.display()))
    }
}

fn replace<'p>(staged: Option<&Path>, path: &'p Path, done: &mut Vec<Done<'p>>) -> std::io::Result<()> {
    let old = match fs::symlink_metadata(path) {
        Ok(_) => {
            let old = beside(path);
            fs::rename(path, &old)?;
            Some(old)
        }
        Err(_) => None,
    };
    done.push(Done { path, old, is_new: false });
    if let Some(staged) = staged {
        fs::rename(staged, path)?;
        if let Some(done) = done.last_mut() {
            done.is_new = true;
        }
    }
    Ok(())
}

fn fault(path: &Path, error: &std::io::Error) -> Stop {
    Stop::usage(format!("writing {}: {error}", path.display()), None)
}

/// A name beside `path` that nothing has.
fn beside(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.join(format!(".cspm-relay-{:016x}", fastrand::u64(..)))
}

fn stage(path: &Path, text: &str, unfinished: &mut Unfinished) -> std::io::Result<()> {
    let staged = beside(path);
    if let Some(folder) = staged.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(&staged)?;
    unfinished.0.push(staged);
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Files under their first names; those that got their own are not there any more.
struct Unfinished(Vec<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        for path in &self.0 {
            let _gone = fs::remove_file(path).is_ok();
        }
    }
}
