//! Which change to look at next.
//!
//! In: what is proposed, and what each change was seen to do. Out: the change that promises most. What always holds: what was seen is
//! kept in a few words, never in rows or incidents; of changes that promise the same the one whose words come first is named.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::Tier;
use super::change::Change;

/// Names a change: the narrow first, then by words.
pub(super) type Key = (Tier, String);

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Gain {
    /// Pages over the budget that it spares.
    pub(super) pages: i64,
    /// Critical incidents that it spares in periods over the budget.
    pub(super) incidents: i64,
}

impl Gain {
    /// None.
    const NONE: Self = Self { pages: 0, incidents: 0 };
}

/// What a change was seen to do.
#[derive(Debug)]
pub(super) struct Seen {
    /// Fewer pages; [`None`]: it does not help, or cannot be made.
    pub(super) gain: Option<Gain>,
    /// Attacks that are told now and would not be.
    pub(super) missed: usize,
    /// After how many steps.
    pub(super) round: usize,
    /// The conditions that it concerns, each with how often it had been changed.
    pub(super) versions: Vec<(usize, u32)>,
}

/// All changes that are proposed.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    known: BTreeMap<Key, (Change, Option<Seen>)>,
}

impl Ranking {
    /// Takes note of what is proposed now; what nothing asks for any more is forgotten.
    pub(super) fn propose<'c>(&mut self, changes: impl Iterator<Item = &'c Change>) {
        let named: BTreeMap<Key, &Change> = changes.map(|change| ((Tier::of(change), change.to_string()), change)).collect();
        self.known.retain(|key, _| named.contains_key(key));
        for (key, change) in named {
            self.known.entry(key).or_insert_with(|| (change.clone(), None));
        }
    }

    /// The change of a name.
    pub(super) fn change(&self, key: &Key) -> Option<&Change> {
        self.known.get(key).map(|(change, _)| change)
    }

    /// Takes note of what it does.
    pub(super) fn saw(&mut self, key: &Key, seen: Seen) {
        if let Some((_, known)) = self.known.get_mut(key) {
            *known = Some(seen);
        }
    }

    /// Forgets one: it was made.
    pub(super) fn remove(&mut self, key: &Key) {
        self.known.remove(key);
    }

    /// How broad changes are, the narrow first.
    pub(super) fn tiers(&self) -> BTreeSet<Tier> {
        self.known.keys().map(|(tier, _)| *tier).collect()
    }

    /// Those of a tier that nobody has looked at.
    pub(super) fn unseen(&self, tier: Tier) -> Vec<Key> {
        self.of(tier).filter(|(_, seen)| seen.is_none()).map(|(key, _)| key.clone()).collect()
    }

    /// Those of a tier that did not help when somebody looked, and concern what has changed since; and those that missed an attack before
    /// this round: it may be told by another condition now, or missed already.
    pub(super) fn doubtful(&self, tier: Tier, versions: &[u32], round: usize) -> Vec<Key> {
        let has_changed = |seen: &Seen| seen.versions.iter().any(|(at, version)| versions.get(*at) != Some(version));
        let has_missed = |seen: &Seen| seen.gain.is_some() && seen.missed > 0 && seen.round < round;
        let is_doubtful = |seen: &Seen| seen.gain.is_none() && has_changed(seen) || has_missed(seen);
        let is_doubtful = |seen: &Option<Seen>| seen.as_ref().is_some_and(is_doubtful);
        self.of(tier).filter(|(_, seen)| is_doubtful(seen)).map(|(key, _)| key.clone()).collect()
    }

    /// The one of a tier that promises most and misses no attack, and after how many steps it was seen.
    pub(super) fn top(&self, tier: Tier) -> Option<(Key, usize)> {
        let harmless =
            self.of(tier).filter_map(|(key, seen)| seen.as_ref().filter(|seen| seen.missed == 0).map(|seen| (key, seen)));
        let ranked = harmless.filter_map(|(key, seen)| seen.gain.map(|gain| (std::cmp::Reverse(gain), key, seen.round)));
        ranked.min().map(|(_, key, round)| (key.clone(), round))
    }

    /// The one that misses fewest attacks, then of the narrowest tier.
    pub(super) fn least_missing(&self) -> Option<(Key, usize)> {
        let seen = self.known.iter().filter_map(|(key, (_, seen))| seen.as_ref().map(|seen| (key, seen)));
        let ranked = seen.filter_map(|(key, seen)| {
            let gain = seen.gain?;
            Some((seen.missed, key.0, std::cmp::Reverse(gain), key, seen.round))
        });
        ranked.min().map(|(.., key, round)| (key.clone(), round))
    }

    fn of(&self, tier: Tier) -> impl Iterator<Item = (&Key, &Option<Seen>)> {
        self.known.range((tier, String::new())..).take_while(move |(key, _)| key.0 == tier).map(|(key, (_, seen))| (key, seen))
    }
}

impl Gain {
    /// What is spared between two counts; [`None`] where nothing is.
    pub(super) fn between(before: (u64, usize), after: (u64, usize)) -> Option<Self> {
        let spared = |before: i64, after: i64| before.saturating_sub(after);
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let pages = spared(i64::try_from(before.0).unwrap_or(i64::MAX), i64::try_from(after.0).unwrap_or(i64::MAX));
        Some(Self { pages, incidents: spared(number(before.1), number(after.1)) }).filter(|gain| *gain > Self::NONE)
    }
}
