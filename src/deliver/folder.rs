//! Makes the folder of dead letters so that it outlives a crash of the machine, and files that only their owner reads.
//!
//! In: a path. Out: a folder whose name, and that of every parent made on the way, is on the disk: a file that was synced in a
//! folder whose name is lost is lost with it. What always holds: when a new name could not be made safe, it is taken back, so
//! the next try begins there again; on Unix nothing made here is open to anybody but its owner, for a broken record is kept
//! unmasked. It writes nothing into a file, and leaves the mode of a folder that is there as it is.

use std::io;
use std::path::Path;

/// Makes `folder` and the parents it lacks. Blocks.
///
/// # Errors
/// When a name could not be made, or not be made safe.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    make_with(folder, &mut sync)
}

/// The same with another way to sync a folder.
fn make_with(folder: &Path, sync: &mut impl FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    // A relative path ends in nothing: the present folder, which is there.
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(folder);
    make_with(parent, sync)?;
    match create(folder) {
        // Somebody was faster, and may not have synced it yet.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made?,
    }
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    sync(parent).inspect_err(|_| {
        if let Err(error) = std::fs::remove_dir(folder) {
            tracing::debug!(%error, "A folder whose name may not be on the disk stays");
        }
    })
}

/// Makes one folder, for its owner alone.
fn create(folder: &Path) -> io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes a new file, for its owner alone. Blocks.
///
/// # Errors
/// When it could not be made, or is there.
pub(super) fn new_file(path: &Path) -> io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn sync(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Each new name is synced by its parent, once it is there and before anything is made in it.
    #[test]
    fn every_new_name_is_synced() {
        let root = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "a/b", "a/b/c"].map(|name| root.path().join(name));
        for (name, there, synced) in [
            ("nothing is there", None, vec![root.path(), &a, &b]),
            ("the first is there", Some(&a), vec![&a, &b]),
            ("all but the last are there", Some(&b), vec![&b]),
            ("all are there", Some(&c), vec![]),
        ] {
            if let Some(there) = there {
                std::fs::create_dir_all(there).unwrap();
            }
            let mut seen: Vec<(PathBuf, usize)> = Vec::new();
            let mut note = |folder: &Path| {
                seen.push((folder.to_owned(), std::fs::read_dir(folder)?.count()));
                Ok(())
            };
            make_with(&c, &mut note).unwrap();
            assert!(c.is_dir(), "{name}");
            assert_eq!(seen, synced.into_iter().map(|folder| (folder.to_owned(), 1)).collect::<Vec<_>>(), "{name}");
            if a.exists() {
                std::fs::remove_dir_all(&a).unwrap();
            }
        }
    }

    /// What could not be synced is not taken for safe the next time.
    #[test]
    fn a_name_that_was_not_synced_is_taken_back() {
        let root = tempfile::tempdir().unwrap();
        let (a, b) = (root.path().join("a"), root.path().join("a/b"));
        let mut full = |folder: &Path| if folder == a { Err(io::Error::other("no room")) } else { Ok(()) };
        assert_eq!(make_with(&b, &mut full).unwrap_err().to_string(), "no room");
        assert!(a.is_dir() && !b.exists());
    }

    #[test]
    fn what_is_in_the_way_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let (file, deep) = (root.path().join("file"), root.path().join("x/y"));
        std::fs::write(&file, "").unwrap();
        for folder in [&file, &file.join("below")] {
            assert!(make(folder).is_err(), "{}", folder.display());
        }
        for _ in 0..2 {
            make(&deep).unwrap();
            assert!(deep.is_dir());
        }
    }
}
