//! Objects that a queue has told of lately.
//!
//! In: where an object came from. Out: whether a message told of it before. What always holds: it knows the last 10,000 objects at
//! least and 20,000 at most, by a number of eight bytes each; two that share a number, once in billions of years, are taken for
//! one, which makes a bound wider and loses nothing. Nobody else knows: not another agent, and not the same one after a restart.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use crate::source::Origin;

/// Objects of a generation. An object holds a few hundred records at most times, so this reaches further back than the window of
/// records that are known by their ids: whoever falls out of that one is still met here.
const GENERATION: usize = 10_000;

/// Two generations of objects.
#[derive(Debug, Default)]
pub(super) struct Known {
    hasher: RandomState,
    young: HashSet<u64>,
    old: HashSet<u64>,
}

impl Known {
    /// Whether this object, of this version, was met before; it is known from now on.
    pub(super) fn meets(&mut self, origin: &Origin) -> bool {
        let number = self.hasher.hash_one((&origin.name, origin.version()));
        if self.young.contains(&number) {
            return true;
        }
        if self.young.len() >= GENERATION {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(number);
        self.old.contains(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sight;

    fn named(name: &str, version: Option<&str>) -> Origin {
        let sight = version.map_or(Sight::Named, |version| Sight::Version(version.to_owned()));
        Origin { name: name.to_owned(), account: None, sight }
    }

    #[test]
    fn an_object_is_known_again_and_another_version_is_another_object() {
        let mut known = Known::default();
        let met = [("s3://b/k", None), ("s3://b/k", None), ("s3://b/k", Some("1")), ("s3://b/k", Some("1")), ("s3://b/l", None)]
            .map(|(name, version)| known.meets(&named(name, version)));
        assert_eq!(met, [false, true, false, true, false]);
    }

    #[test]
    fn the_last_ten_thousand_are_known_and_no_more_than_twice_as_many_are_kept() {
        let mut known = Known::default();
        let object = |number: usize| named(&format!("s3://b/{number}"), None);
        for number in 0..=3 * GENERATION {
            assert!(!known.meets(&object(number)), "{number}");
        }
        assert!(known.young.len() + known.old.len() <= 2 * GENERATION);
        assert!(known.meets(&object(2 * GENERATION + 1)) && !known.meets(&object(1)));
    }
}
