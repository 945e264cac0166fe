//! Whether dead letters, or state, can be written to a folder, found out before the first one must be.
//!
//! In: a folder, which may not be there yet. Out: why nothing can be written into it, or what stands in the way of making it.
//! What always holds: nothing stays behind: the folder is not made (the first letter does that, and makes it outlive a crash), and the
//! empty file that is tried has a name of its own and is taken away at once.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use super::exit::Stop;
use crate::config::{DeadLetters, StatePlace};

/// What the reader can do.
pub(super) const HINT: &str =
    "make it writable for the user that runs cspm-relay, or name another place in deadLetters or CSPM_RELAY_DEAD_LETTERS";

/// Why the dead letters of a configuration cannot be written; nothing is known of places that are not folders.
pub(super) fn fault(place: Option<&DeadLetters>) -> Option<String> {
    let Some(DeadLetters::Folder(folder)) = place else { return None };
    try_folder(folder).err().map(|why| format!("writing dead letters to {}: {why}", folder.display()))
}

/// The same for state.
pub(super) const STATE_HINT: &str =
    "make it writable for the user that runs cspm-relay, or name another place in state or CSPM_RELAY_STATE";

/// Why the state of a configuration cannot be written; nothing is known of places that are not folders.
pub(super) fn state_fault(place: Option<&StatePlace>) -> Option<String> {
    let Some(StatePlace::Folder(folder)) = place else { return None };
    try_folder(folder).err().map(|why| format!("writing state to {}: {why}", folder.display()))
}

/// What is wrong with the place of dead letters, as the end of a command.
///
/// # Errors
/// When they cannot be written.
pub(super) fn check(place: Option<&DeadLetters>) -> Result<(), Stop> {
    fault(place).map_or(Ok(()), |what| Err(Stop::usage(what, Some(HINT.to_owned()))))
}

/// Writes into the folder, or into the nearest one above it that is there: whoever can do that can make the rest.
fn try_folder(folder: &Path) -> Result<(), String> {
    let there = |path: &&Path| fs::symlink_metadata(path).is_ok();
    // A relative path ends in nothing: the present folder.
    let nearest = folder.ancestors().find(there).filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named = |why: String| if nearest == folder { why } else { format!("{}: {why}", nearest.display()) };
    if !nearest.is_dir() {
        return Err(named("not a folder".to_owned()));
    }
    let probe: PathBuf = nearest.join(format!(".cspm-relay-{:016x}", fastrand::u64(..)));
    let made = OpenOptions::new().write(true).create_new(true).open(&probe);
    made.and_then(|_| fs::remove_file(&probe)).map_err(|error| named(format!("a file cannot be made there: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_can_be_made_is_good_and_stays_unmade() {
        let root = tempfile::tempdir().unwrap();
        for folder in
            [root.path().to_owned(), root.path().join("new"), root.path().join("a/b/c"), PathBuf::from("no-such-folder")]
        {
            assert_eq!(fault(Some(&DeadLetters::Folder(folder.clone()))), None, "{}", folder.display());
        }
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0, "something stayed behind");
        assert!(!Path::new("no-such-folder").exists());
    }

    #[test]
    fn what_cannot_be_made_or_written_is_told_with_what_is_in_the_way() {
        let root = tempfile::tempdir().unwrap();
        let (file, link) = (root.path().join("file"), root.path().join("link"));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(root.path().join("gone"), &link).unwrap();
        let below = format!("{}: not a folder", file.display());
        for (folder, expected) in [
            (PathBuf::from("/proc/nope"), "/proc/nope: /proc: a file cannot be made there: "),
            (file.clone(), ": not a folder"),
            (file.join("deep/er"), &*below),
            (link, "link: not a folder"),
        ] {
            let found = fault(Some(&DeadLetters::Folder(folder.clone()))).expect("a fault");
            assert!(found.starts_with("writing dead letters to ") && found.contains(expected), "{}: {found}", folder.display());
        }
        assert_eq!((fault(None), state_fault(None)), (None, None));
        let state = state_fault(Some(&StatePlace::Folder(file.join("state")))).expect("a fault");
        assert!(state.starts_with("writing state to ") && state.ends_with(&*below), "{state}");
    }
}
