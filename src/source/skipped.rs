//! What was passed over, by reason, with the first names of each.
//!
//! In: a reason and a name per thing that holds no records. Out: how many per reason, and a few names. What always holds:
//! memory is bounded by the number of reasons, which are words of ours.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Names kept per reason.
const NAMES: usize = 3;

/// What was passed over for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Few {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Vec<String>,
}

impl Few {
    /// Adds what somebody else passed over for the same reason.
    pub fn add(&mut self, more: &Self) {
        self.count += more.count;
        self.first.extend(more.first.iter().take(NAMES.saturating_sub(self.first.len())).cloned());
    }
}

/// What was passed over; shared by everything that passes something over.
#[derive(Debug, Default)]
pub struct Skipped(Mutex<BTreeMap<&'static str, Few>>);

impl Skipped {
    /// Notes that `name` was passed over because it is a `reason`.
    pub fn note(&self, reason: &'static str, name: &str) {
        let mut reasons = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let few = reasons.entry(reason).or_default();
        few.count += 1;
        if few.first.len() < NAMES {
            few.first.push(name.to_owned());
        }
    }

    /// Everything noted so far.
    #[must_use]
    pub fn read(&self) -> BTreeMap<&'static str, Few> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_one_is_counted_and_the_first_are_named() {
        let skipped = Skipped::default();
        for name in ["a", "b", "c", "d"] {
            skipped.note("digest file", name);
        }
        skipped.note("empty", "e");
        let few = |count, first: &[&str]| Few { count, first: first.iter().map(|name| (*name).to_owned()).collect() };
        assert_eq!(skipped.read(), [("digest file", few(4, &["a", "b", "c"])), ("empty", few(1, &["e"]))].into());
    }
}
