//! A folder's files, one after the other.
//!
//! In: a folder. Out: its files, recursively, in the order in which S3 lists the same keys, so that a copied bucket replays
//! in the bucket's order. What always holds: only the folders on the way down are held in memory, never the whole tree. It
//! opens no file and follows no link to a folder, because such a link can lead back.

use std::cmp::Ordering;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A walk that has got somewhere.
#[derive(Debug)]
pub(super) struct Walk {
    levels: Vec<Level>,
    start: Option<PathBuf>,
}

#[derive(Debug)]
struct Level {
    folder: PathBuf,
    entries: std::vec::IntoIter<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: OsString,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File {
        bytes: u64,
    },
    Folder,
    /// A device, a pipe, a link to a folder.
    Other,
    Broken(std::io::ErrorKind),
}

/// What a walk comes across.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A file and its size.
    File(PathBuf, u64),
    /// Something that cannot hold records.
    Skipped(PathBuf),
    /// Something that cannot be read, and why.
    Fault(PathBuf, std::io::ErrorKind),
}

impl Walk {
    /// A walk that begins at `folder`.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { levels: Vec::new(), start: Some(folder) }
    }

    /// The next step; `None` when the walk is over.
    pub(super) async fn next(&mut self) -> Option<Step> {
        if let Some(folder) = self.start.take()
            && let Some(fault) = self.enter(folder).await
        {
            return Some(fault);
        }
        loop {
            let level = self.levels.last_mut()?;
            let Some(entry) = level.entries.next() else {
                self.levels.pop();
                continue;
            };
            let path = level.folder.join(&entry.name);
            // Editors', desktops' and version control's own files.
            let hidden = entry.name.as_encoded_bytes().starts_with(b".");
            match entry.kind {
                _ if hidden => return Some(Step::Skipped(path)),
                Kind::File { bytes } => return Some(Step::File(path, bytes)),
                Kind::Other => return Some(Step::Skipped(path)),
                Kind::Broken(kind) => return Some(Step::Fault(path, kind)),
                Kind::Folder => {
                    if let Some(fault) = self.enter(path).await {
                        return Some(fault);
                    }
                }
            }
        }
    }

    async fn enter(&mut self, folder: PathBuf) -> Option<Step> {
        let read = {
            let folder = folder.clone();
            tokio::task::spawn_blocking(move || list(&folder)).await
        };
        match read {
            Ok(Ok(entries)) => {
                self.levels.push(Level { folder, entries: entries.into_iter() });
                None
            }
            Ok(Err(error)) => Some(Step::Fault(folder, error.kind())),
            // The runtime is going down.
            Err(_) => Some(Step::Fault(folder, std::io::ErrorKind::Interrupted)),
        }
    }
}

/// One folder's entries in key order.
fn list(folder: &Path) -> std::io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let kind = match entry.file_type() {
            Ok(kind) if kind.is_dir() => Kind::Folder,
            // Follows a link; a link to a folder is neither file nor folder here.
            Ok(_) => match std::fs::metadata(entry.path()) {
                Ok(what) if what.is_file() => Kind::File { bytes: what.len() },
                Ok(_) => Kind::Other,
                Err(error) => Kind::Broken(error.kind()),
            },
            Err(error) => Kind::Broken(error.kind()),
        };
        entries.push(Entry { name, kind });
    }
    entries.sort_unstable_by(by_key);
    Ok(entries)
}

/// S3 compares whole keys byte by byte, so a folder counts as its name with the slash.
fn by_key(one: &Entry, other: &Entry) -> Ordering {
    let key = |entry: &Entry| (entry.kind == Kind::Folder).then_some(b'/');
    let (one_end, other_end) = (key(one), key(other));
    let bytes = one.name.as_encoded_bytes().iter().copied().chain(one_end);
    bytes.cmp(other.name.as_encoded_bytes().iter().copied().chain(other_end))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(mut walk: Walk) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some(step) = walk.next().await {
            steps.push(step);
        }
        steps
    }

    /// P27: the order is that of the keys, whatever order the file system has.
    #[tokio::test]
    async fn files_come_in_key_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = ["a/x", "a/y/z", "a.json", "a0", "b", "a-b/c", "Z", "é", "a/y.json"].map(str::to_owned);
        for key in &keys {
            let path = folder.path().join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, key).unwrap();
        }
        keys.sort();
        let found: Vec<_> = all(Walk::new(folder.path().to_owned())).await;
        let expected: Vec<_> = keys.iter().map(|key| Step::File(folder.path().join(key), key.len() as u64)).collect();
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn hidden_files_and_folder_links_are_skipped_and_broken_links_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path(".DS_Store"), "").unwrap();
        std::fs::write(path("file"), "abc").unwrap();
        std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
        std::os::unix::fs::symlink(folder.path(), path("loop")).unwrap();
        std::os::unix::fs::symlink(path("nowhere"), path("zombie")).unwrap();
        assert_eq!(
            all(Walk::new(folder.path().to_owned())).await,
            [
                Step::Skipped(path(".DS_Store")),
                Step::File(path("file"), 3),
                Step::File(path("link"), 3),
                Step::Skipped(path("loop")),
                Step::Fault(path("zombie"), std::io::ErrorKind::NotFound),
            ]
        );
        assert_eq!(
            all(Walk::new(path("nowhere"))).await,
            [Step::Fault(path("nowhere"), std::io::ErrorKind::NotFound)],
            "a folder that is not there"
        );
    }
}
