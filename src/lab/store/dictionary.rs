//! The distinct values of a column, each known by a small number, its code.
//!
//! In: values. Out: their codes, from 0 in order of first sight, and [`Entries`], which never change. What always holds: a code
//! once given stays; a value has one code.

use std::hash::Hash;
use std::sync::Arc;

use super::hash::QuickMap;

/// Entries in one chunk. Full chunks are shared by all who look, so that a look costs little however many there are.
const CHUNK: usize = 4_096;
const CHUNK_BITS: u32 = CHUNK.trailing_zeros();

/// Grows.
#[derive(Debug)]
pub(super) struct Dictionary<T> {
    codes: QuickMap<T, i32>,
    full: Vec<Arc<[T]>>,
    rest: Vec<T>,
    view: Option<Entries<T>>,
}

impl<T> Default for Dictionary<T> {
    fn default() -> Self {
        Self { codes: QuickMap::default(), full: Vec::new(), rest: Vec::new(), view: None }
    }
}

impl<T: Clone + Eq + Hash> Dictionary<T> {
    /// The code of a value, if it was seen before.
    pub(super) fn find<Q: Eq + Hash + ?Sized>(&self, value: &Q) -> Option<i32>
    where
        T: std::borrow::Borrow<Q>,
    {
        self.codes.get(value).copied()
    }

    /// The code of a value, new or known.
    pub(super) fn code(&mut self, value: T) -> i32 {
        if let Some(code) = self.codes.get(&value) {
            return *code;
        }
        let code = i32::try_from(self.codes.len()).unwrap_or(i32::MAX);
        self.rest.push(value.clone());
        self.codes.insert(value, code);
        self.view = None;
        if self.rest.len() == CHUNK {
            self.full.push(std::mem::take(&mut self.rest).into());
        }
        code
    }

    /// All entries of now.
    pub(super) fn view(&mut self) -> Entries<T> {
        let (full, rest) = (&self.full, &self.rest);
        self.view.get_or_insert_with(|| Entries { full: full.clone().into(), rest: rest.clone().into() }).clone()
    }
}

/// The entries of a dictionary at one moment.
#[derive(Debug, Clone)]
pub struct Entries<T> {
    full: Arc<[Arc<[T]>]>,
    rest: Arc<[T]>,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self { full: Arc::from([]), rest: Arc::from([]) }
    }
}

impl<T> Entries<T> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.full.len() * CHUNK + self.rest.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry with a code; none for -1, which stands for nothing.
    #[must_use]
    pub fn get(&self, code: i32) -> Option<&T> {
        let code = usize::try_from(code).ok()?;
        let chunk = self.full.get(code >> CHUNK_BITS).unwrap_or(&self.rest);
        chunk.get(code & (CHUNK - 1))
    }

    /// All, by code.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.full.iter().flat_map(|chunk| chunk.iter()).chain(self.rest.iter())
    }
}
