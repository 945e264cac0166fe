//! Single values out of raw JSON, in one pass and without a tree.
//!
//! In: a raw part of a record and the paths wanted. Out: every scalar at those paths, in the order of the text, borrowed where
//! it holds no escape. Arrays are transparent: a path goes through each of their items. Whatever stands at another path or has
//! another shape is skipped, so an odd record costs nothing but its odd field. Never fails, never keeps what was not asked for.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Most paths of one pass: one bit each.
pub(super) const PATHS_MAX: usize = u64::BITS as usize;

/// A path: the names of the steps down.
pub(super) trait Path {
    fn steps(&self) -> &[&str];
}

impl Path for &[&str] {
    fn steps(&self) -> &[&str] {
        self
    }
}

impl<const N: usize> Path for [&str; N] {
    fn steps(&self) -> &[&str] {
        self
    }
}

/// A path with something of the caller's beside it.
impl<T> Path for (Vec<&'static str>, T) {
    fn steps(&self) -> &[&str] {
        &self.0
    }
}

/// Calls `take(index of the path, value)` for each scalar at one of the paths. `null` is no value.
pub(super) fn read<'a, P: Path>(raw: &'a RawValue, paths: &[P], mut take: impl FnMut(usize, Cow<'a, str>)) {
    debug_assert!(paths.len() <= PATHS_MAX, "one bit for each path");
    let alive = if paths.len() >= PATHS_MAX { u64::MAX } else { (1 << paths.len()) - 1 };
    let mut parser = serde_json::Deserializer::from_str(raw.get());
    // A raw value is valid JSON; only nesting beyond the parser's limit ends the pass early, and what was found stays.
    let _complete = Level { paths, alive, depth: 0, take: &mut take }.deserialize(&mut parser).is_ok();
}

/// The value at `depth` steps down; the bits of `alive` are the paths that led here.
struct Level<'p, P, F> {
    paths: &'p [P],
    alive: u64,
    depth: usize,
    take: &'p mut F,
}

impl<P: Path, F> Level<'_, P, F> {
    fn scalar<'de>(self, value: Cow<'de, str>)
    where
        F: FnMut(usize, Cow<'de, str>),
    {
        let ends = |index: &usize| self.paths.get(*index).is_some_and(|path| path.steps().len() == self.depth);
        let mut found = bits(self.alive).filter(ends).peekable();
        while let Some(index) = found.next() {
            if found.peek().is_none() {
                (self.take)(index, value);
                return;
            }
            (self.take)(index, value.clone());
        }
    }
}

/// The positions of the set bits, lowest first.
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = mask.trailing_zeros();
        (at < u64::BITS).then(|| {
            mask &= mask - 1;
            at as usize
        })
    })
}

impl<'de, P: Path, F: FnMut(usize, Cow<'de, str>)> DeserializeSeed<'de> for Level<'_, P, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, P: Path, F: FnMut(usize, Cow<'de, str>)> Visitor<'de> for Level<'_, P, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(alive) = map.next_key_seed(Key { paths: self.paths, alive: self.alive, depth: self.depth })? {
            if alive == 0 {
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(Level { paths: self.paths, alive, depth: self.depth + 1, take: &mut *self.take })?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Level { paths, alive, depth, take } = self;
        while seq.next_element_seed(Level { paths, alive, depth, take: &mut *take })?.is_some() {}
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<(), E> {
        self.scalar(Cow::Borrowed(value));
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.scalar(Cow::Owned(value.to_owned()));
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Cow::Borrowed(if value { "true" } else { "false" }));
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.scalar(Cow::Owned(value.to_string()));
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.scalar(Cow::Owned(value.to_string()));
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.scalar(Cow::Owned(value.to_string()));
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A key: which of the paths go on through it.
struct Key<'p, P> {
    paths: &'p [P],
    alive: u64,
    depth: usize,
}

impl<'de, P: Path> DeserializeSeed<'de> for Key<'_, P> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<P: Path> Visitor<'_> for Key<'_, P> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<u64, E> {
        let goes_on =
            |index: &usize| self.paths.get(*index).and_then(|path| path.steps().get(self.depth)).is_some_and(|step| *step == key);
        Ok(bits(self.alive).filter(goes_on).fold(0, |mask, index| mask | 1 << index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str, paths: &[&[&str]]) -> Vec<(usize, String)> {
        let raw: &RawValue = serde_json::from_str(json).expect(json);
        let mut found = Vec::new();
        read(raw, paths, |path, value| found.push((path, value.into_owned())));
        found
    }

    #[test]
    fn scalars_are_found_through_objects_and_arrays() {
        let json = r#"{"a":1,"b":{"c":"x\"y","d":[{"e":true},{"e":-2},[{"e":1.5}]]},"a2":null,"b2":{"c":"no"}}"#;
        let paths: [&[&str]; 4] = [&["a"], &["b", "c"], &["b", "d", "e"], &["a2"]];
        let want = [(0, "1"), (1, "x\"y"), (2, "true"), (2, "-2"), (2, "1.5")].map(|(path, value)| (path, value.to_owned()));
        assert_eq!(found(json, &paths), want);
    }

    #[test]
    fn other_shapes_are_skipped() {
        let paths: [&[&str]; 2] = [&["a"], &["a", "b"]];
        for (json, want) in [
            (r#"{"a":{"b":"deep"}}"#, vec![(1, "deep".to_owned())]),
            (r#"{"a":"flat"}"#, vec![(0, "flat".to_owned())]),
            (r#""text""#, vec![]),
            ("[]", vec![]),
            ("null", vec![]),
        ] {
            assert_eq!(found(json, &paths), want, "{json}");
        }
    }

    #[test]
    fn the_same_path_twice_is_found_twice() {
        let paths: [&[&str]; 2] = [&["a"], &["a"]];
        assert_eq!(found(r#"{"a":"v"}"#, &paths), [(0, "v".to_owned()), (1, "v".to_owned())]);
    }

    #[test]
    fn nesting_beyond_the_parsers_limit_ends_the_pass_and_keeps_what_was_found() {
        let deep = format!(r#"{{"a":"v","b":{}{}}}"#, "[".repeat(1_000), "]".repeat(1_000));
        assert_eq!(found(&deep, &[&["a"], &["b"]]), [(0, "v".to_owned())]);
    }
}
