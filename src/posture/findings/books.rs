//! Which findings each account and Region has, and whether they are as they were written.
//!
//! In: what moved. Out: for each place its findings and what waits for the writing. What always holds: a finding is in the books of
//! one place, the one that it was first seen in; what cannot be part of an object's name is unknown there, as
//! [`AccountRegion::as_told`] says.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{Names, UNKNOWN};
use super::state::Site;
use crate::posture::kept::Owed;
use crate::record::{AccountRegion, FindingKey, Severity};

/// Account and Region of an object, by number of their names.
pub(super) type Home = (u16, u16);

/// The findings of one place.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) keys: BTreeSet<FindingKey>,
    /// What New Relic accepted is not as it was written.
    pub(super) dirty: bool,
    /// Only what tells nothing is not: when a finding was heard of last, or that it was let go.
    pub(super) stale: bool,
    pub(super) waiting: Owed,
    /// Since when the place is watched, milliseconds since the epoch; `None`: it is not.
    pub(super) born_ms: Option<i64>,
    /// Since when each standard of Security Hub's, and itself, is heard of there, by number of its name.
    pub(super) begun: BTreeMap<u16, i64>,
    /// Open findings that were let go because there were too many: half of each key, and how severe it was.
    pub(super) evicted: BTreeMap<u64, Severity>,
}

/// All places.
#[derive(Debug, Default)]
pub(super) struct Books(pub(super) BTreeMap<Home, Book>);

impl Book {
    /// These words were heard of there.
    pub(super) fn hear(&mut self, words: impl IntoIterator<Item = u16>, now_ms: i64) {
        for word in words {
            // Written with the finding that is told of it.
            self.begun.entry(word).or_insert(now_ms);
        }
    }
}

impl Books {
    pub(super) fn of(&mut self, home: Home) -> &mut Book {
        self.0.entry(home).or_default()
    }

    /// A finding is let go.
    pub(super) fn remove(&mut self, home: Home, key: FindingKey) {
        let book = self.of(home);
        book.stale |= book.keys.remove(&key);
    }
}

/// Where the findings of a site are written.
pub(super) fn home(names: &Names, site: Site) -> Home {
    let place = AccountRegion::as_told(names.name(site.account), names.name(site.region));
    let number = |told: &str, own: u16| if told == names.name(own) { own } else { UNKNOWN };
    (number(&place.account, site.account), number(&place.region, site.region))
}

/// The place of a home.
pub(super) fn place(names: &Names, (account, region): Home) -> AccountRegion {
    AccountRegion::new(names.name(account), names.name(region))
}

/// The home of a place; `None`: nothing of it is known.
pub(super) fn of_place(names: &Names, place: &AccountRegion) -> Option<Home> {
    Some((names.find(&place.account)?, names.find(&place.region)?))
}
