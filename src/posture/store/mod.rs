//! Where state is kept between two runs, and where agents that share it meet.
//!
//! In: a name and bytes. Out: the same bytes with the version they were written under, or why they cannot be had. What always
//! holds: an object is there whole or not at all; a put that expects a version happens only to that version, so of two that
//! expect the same one wins and the other hears [`StoreError::Conflict`]; no more than [`MOST_BYTES`] of an object are held. It
//! does not know what the bytes mean, and tries nothing again: whether a put whose answer was lost has happened is told by the
//! object alone.

mod memory;

use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;

pub use self::memory::Memory;

/// Largest object that is read or written, bytes.
pub const MOST_BYTES: usize = 64 << 20;

/// Longest name, bytes: S3 allows 1,024 for prefix and name together.
const NAME_BYTES: usize = 512;

/// What an object was when it was read or written: other bytes, another version. Only good for the store it came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(Box<str>);

impl Version {
    /// As the store writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What must be there for a put to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Nothing of this name.
    Absent,
    /// This version.
    Version(Version),
    /// Whatever there is: for one who has the name to himself.
    Any,
}

/// Named objects. Three implementations: an S3 prefix, a folder for a single machine, and memory.
///
/// Names look like `state/111122223333/eu-west-1.json.gz`: parts of letters, digits, `.`, `_`, `-`, `=`, none of which begins with
/// a dot. Every name is refused that is not one.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Where it is, for messages: `s3://bucket/prefix`, a folder, `memory`.
    fn place(&self) -> String;

    /// An object and its version; `None`: there is none of this name.
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<(Bytes, Version)>, StoreError>>;

    /// Writes an object if what is there is as expected; gives its new version.
    ///
    /// After [`StoreError::Passing`], and when the future is dropped, it may have happened or may still happen; whoever must know
    /// reads the object again.
    fn put<'a>(&'a self, name: &'a str, bytes: Bytes, expected: Expected) -> BoxFuture<'a, Result<Version, StoreError>>;

    /// The names that begin with `prefix`, in order. The prefix may be empty and may end in the middle of a name.
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, StoreError>>;

    /// Takes an object away; one that is not there is no error.
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// Why a store did not do as wished.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// What is there is not what was expected: somebody else wrote it. Read it again.
    #[error("{name} is not as it was expected: somebody else wrote it since")]
    Conflict {
        /// The object's name.
        name: String,
    },
    /// Only a person can mend it.
    #[error("{why}; missing: {missing}")]
    Denied {
        /// What AWS or the system said.
        why: String,
        /// What is missing, and on what.
        missing: String,
    },
    /// More than [`MOST_BYTES`].
    #[error("{name} has {bytes} bytes; at most {MOST_BYTES} are allowed")]
    TooLarge {
        /// The object's name.
        name: String,
        /// Its size, bytes.
        bytes: u64,
    },
    /// Not a name; see [`Store`].
    #[error(
        "{name:?} is not a name: parts of letters, digits, `.`, `_`, `-`, `=` with `/` between them, {NAME_BYTES} bytes at most"
    )]
    Name {
        /// What was given, cut.
        name: String,
    },
    /// Anything that may pass. A put may have happened all the same.
    #[error("{why}")]
    Passing {
        /// What went wrong.
        why: String,
    },
}

/// Refuses what is not a name.
fn checked(name: &str) -> Result<(), StoreError> {
    let fits = name.len() <= NAME_BYTES && name.split('/').all(|part| !part.is_empty() && is_part(part));
    if fits { Ok(()) } else { Err(not_a_name(name)) }
}

/// Refuses what no name can begin with.
fn checked_prefix(prefix: &str) -> Result<(), StoreError> {
    let (folders, last) = prefix.rsplit_once('/').map_or((None, prefix), |(folders, last)| (Some(folders), last));
    folders.map_or(Ok(()), checked)?;
    if prefix.len() <= NAME_BYTES && is_part(last) { Ok(()) } else { Err(not_a_name(prefix)) }
}

fn is_part(part: &str) -> bool {
    !part.starts_with('.') && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'='))
}

fn not_a_name(name: &str) -> StoreError {
    StoreError::Name { name: name.chars().take(80).collect() }
}

/// Refuses what is too large to be written.
fn checked_size(name: &str, bytes: &Bytes) -> Result<(), StoreError> {
    if bytes.len() <= MOST_BYTES { Ok(()) } else { Err(too_large(name, bytes.len() as u64)) }
}

fn too_large(name: &str, bytes: u64) -> StoreError {
    StoreError::TooLarge { name: name.to_owned(), bytes }
}

fn conflict(name: &str) -> StoreError {
    StoreError::Conflict { name: name.to_owned() }
}

#[cfg(test)]
mod tests;
