//! State in a folder: for the agents of one machine.
//!
//! In: a folder. Out: one file for each object, whose version is the hash of its bytes. What always holds: a file is there whole
//! or not at all, and on the disk before a put ends well; only one process at a time writes; on Unix nothing made here is open to
//! anybody but its owner. Two puts of the same bytes have the same version.
//!
//! The lock is one of the system: it ends with its process, and holds on one machine only, so a folder on a network disk is not
//! for agents on several.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use sha2::{Digest as _, Sha256};

use super::{Expected, MOST_BYTES, Store, StoreError, Version, checked, checked_prefix, checked_size, conflict, too_large};

/// The file that writers lock. No name begins with a dot.
const LOCK: &str = ".lock";

/// How often, and after which time, a lock is tried for that somebody else has.
const TRIES: u32 = 250;
const AGAIN: Duration = Duration::from_millis(20);

/// Files in a folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// In this folder, which the first put makes.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Does what blocks elsewhere.
    fn elsewhere<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&Self, &str) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let (folder, name) = (self.clone(), name.to_owned());
        Box::pin(async move {
            let ended = tokio::task::spawn_blocking(move || work(&folder, &name)).await;
            ended.unwrap_or_else(|error| Err(StoreError::Passing { why: error.to_string() }))
        })
    }

    fn read(&self, name: &str) -> Result<Option<(Bytes, Version)>, StoreError> {
        checked(name)?;
        let path = self.root.join(name);
        let fault = |error: io::Error| fault(&path, "reading", &error);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fault(error)),
        };
        let mut bytes = Vec::new();
        file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(fault)?;
        if bytes.len() > MOST_BYTES {
            return Err(too_large(name, fs::metadata(&path).map_or(bytes.len() as u64, |found| found.len())));
        }
        let version = version(&bytes);
        Ok(Some((bytes.into(), version)))
    }

    fn write(&self, name: &str, bytes: &Bytes, expected: &Expected) -> Result<Version, StoreError> {
        checked(name)?;
        checked_size(name, bytes)?;
        let _lock = self.lock()?;
        let fits = match expected {
            Expected::Any => true,
            Expected::Absent => self.read(name)?.is_none(),
            Expected::Version(version) => self.read(name)?.is_some_and(|(_, found)| found == *version),
        };
        if !fits {
            return Err(conflict(name));
        }
        let path = self.root.join(name);
        replace(&path, bytes).map_err(|error| fault(&path, "writing", &error))?;
        Ok(version(bytes))
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        checked(name)?;
        let path = self.root.join(name);
        if !path.exists() {
            return Ok(());
        }
        let _lock = self.lock()?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|error| fault(&path, "removing", &error)),
        }
    }

    fn names(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        checked_prefix(prefix)?;
        let mut names = Vec::new();
        let below = prefix.rsplit_once('/').map_or("", |(below, _)| below);
        let mut open = vec![below.to_owned()];
        while let Some(below) = open.pop() {
            let path = self.root.join(&below);
            let fault = |error: io::Error| fault(&path, "listing", &error);
            let entries = match fs::read_dir(&path) {
                Ok(entries) => entries,
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => continue,
                Err(error) => return Err(fault(error)),
            };
            for entry in entries {
                let entry = entry.map_err(fault)?;
                let Ok(last) = entry.file_name().into_string() else { continue };
                let name = if below.is_empty() { last } else { format!("{below}/{last}") };
                // The lock and what is being written are no names.
                if checked(&name).is_err() {
                    continue;
                }
                if entry.file_type().map_err(fault)?.is_dir() {
                    open.push(name);
                } else if name.starts_with(prefix) {
                    names.push(name);
                }
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The right to write, until it is dropped.
    fn lock(&self) -> Result<File, StoreError> {
        let path = self.root.join(LOCK);
        let fault = |error: io::Error| fault(&path, "locking", &error);
        make(&self.root).map_err(fault)?;
        let file = options().write(true).create(true).truncate(false).open(&path).map_err(fault)?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => std::thread::sleep(AGAIN),
                Err(TryLockError::Error(error)) => return Err(fault(error)),
            }
        }
        let seconds = (AGAIN * TRIES).as_secs();
        Err(StoreError::Passing { why: format!("{} is locked by another process for more than {seconds} s", path.display()) })
    }
}

impl Store for Folder {
    fn place(&self) -> String {
        self.root.display().to_string()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<(Bytes, Version)>, StoreError>> {
        self.elsewhere(name, Self::read)
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Bytes, expected: Expected) -> BoxFuture<'a, Result<Version, StoreError>> {
        self.elsewhere(name, move |folder, name| folder.write(name, &bytes, &expected))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        self.elsewhere(prefix, Self::names)
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.elsewhere(name, Self::remove)
    }
}

fn version(bytes: &[u8]) -> Version {
    let hash = Sha256::digest(bytes).iter().fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
    Version(hash.into())
}

/// Puts a whole file in the place of another. Only under the lock: the name of what is being written is always the same, so that
/// what a crash leaves behind is used up by the next put.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    make(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let open = folder.join(format!(".{name}.part"));
    match fs::remove_file(&open) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let write = || {
        let mut file = options().write(true).create_new(true).open(&open)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&open, path)
    };
    write().inspect_err(|_| {
        // What cannot be taken away does no harm.
        let _gone = fs::remove_file(&open).is_ok();
    })?;
    sync(folder)
}

/// Makes a folder and those above it that are not there, for their owner alone, and their names safe.
fn make(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().unwrap_or(folder);
    make(above)?;
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made?,
    }
    sync(if above.as_os_str().is_empty() { Path::new(".") } else { above })
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// For files that only their owner reads.
fn options() -> fs::OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn fault(path: &Path, doing: &str, error: &io::Error) -> StoreError {
    use io::ErrorKind::{AlreadyExists, IsADirectory, NotADirectory, PermissionDenied, ReadOnlyFilesystem};
    let why = format!("{doing} {}: {error}", path.display());
    match error.kind() {
        PermissionDenied | ReadOnlyFilesystem | NotADirectory | IsADirectory | AlreadyExists => {
            StoreError::Denied { why, missing: "a folder that the user who runs cspm-relay can write".to_owned() }
        }
        _ => StoreError::Passing { why },
    }
}
