//! State in memory: for tests, and for an agent whose configuration names no place.
//!
//! In: objects. Out: the same, as long as the process lives. What always holds: each put has a version of its own, even of the
//! same bytes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _, ready};

use super::{Expected, Store, StoreError, Version, checked, checked_prefix, checked_size, conflict};

/// Objects of this process.
#[derive(Debug, Default)]
pub struct Memory {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    objects: BTreeMap<String, (Bytes, Version)>,
    puts: u64,
}

impl Memory {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing in here is half done when somebody panics.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, name: &str, bytes: Bytes, expected: &Expected) -> Result<Version, StoreError> {
        checked(name)?;
        checked_size(name, &bytes)?;
        let mut held = self.held();
        let found = held.objects.get(name).map(|(_, version)| version);
        let fits = match expected {
            Expected::Absent => found.is_none(),
            Expected::Version(version) => found == Some(version),
            Expected::Any => true,
        };
        if !fits {
            return Err(conflict(name));
        }
        held.puts += 1;
        let version = Version(held.puts.to_string().into());
        held.objects.insert(name.to_owned(), (bytes, version.clone()));
        Ok(version)
    }
}

impl Store for Memory {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<(Bytes, Version)>, StoreError>> {
        ready(checked(name).map(|()| self.held().objects.get(name).cloned())).boxed()
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Bytes, expected: Expected) -> BoxFuture<'a, Result<Version, StoreError>> {
        ready(self.write(name, bytes, &expected)).boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        let names = || self.held().objects.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
        ready(checked_prefix(prefix).map(|()| names())).boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        let gone = checked(name).map(|()| {
            self.held().objects.remove(name);
        });
        ready(gone).boxed()
    }
}
