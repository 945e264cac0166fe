//! How fresh is what is known of each account and Region, what could not be read, and when that is read again.
//!
//! In: how each reading went, place by place. Out: when a place was read whole last, what failed and why; the whole as JSON,
//! `readings.json`. What always holds: a place is fresh only if it was read whole within two intervals; what fails again and again
//! is asked more and more rarely between two readings, and what AWS says is not there, or refuses, not at all; a place that was
//! never there is missing in nothing, one that was read before and is not there any more is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::record::AccountRegion;
use crate::record::time::millis;
use crate::source::config_api::ConfigApiError;

/// What could not be read is tried again after this time; after twice of it the next time, and so on.
const AGAIN: Duration = Duration::from_mins(10);

/// What could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Failed {
    /// Nothing: not even which accounts there are.
    Everything,
    /// One account, through an aggregator.
    Account(Box<str>),
    /// One account in one Region.
    Place(AccountRegion),
}

impl Failed {
    /// Whether a place is part of it.
    fn covers(&self, place: &AccountRegion) -> bool {
        match self {
            Self::Everything => true,
            Self::Account(account) => *account == place.account,
            Self::Place(failed) => failed == place,
        }
    }

    fn read(text: &str) -> Self {
        match text.split_once('/') {
            Some((account, region)) => Self::Place(AccountRegion::new(account, region)),
            None if text == EVERYTHING => Self::Everything,
            None => Self::Account(text.into()),
        }
    }
}

/// How it is written that nothing could be read.
const EVERYTHING: &str = "everything";

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str(EVERYTHING),
            Self::Account(account) => f.write_str(account),
            Self::Place(place) => place.fmt(f),
        }
    }
}

/// What is left of a place that failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Kind {
    /// It could not be read.
    #[default]
    Unread,
    /// All of it was read but for rules that AWS refuses.
    Partly,
    /// AWS Config is not there, and never was as long as this is known.
    NotThere,
}

/// How it failed, and when to ask again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Failure {
    why: String,
    #[serde(default)]
    kind: Kind,
    /// How often in a row.
    tries: u32,
    /// Milliseconds since the epoch; `None`: at the next reading.
    #[serde(default)]
    again_ms: Option<i64>,
}

/// How a reading went.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Places that were read whole, and when that began, milliseconds since the epoch.
    pub(super) read: Vec<(AccountRegion, i64)>,
    /// Accounts that an aggregator told whole, also those without any rule, and when that began, milliseconds since the epoch.
    pub(super) accounts: Vec<(Box<str>, i64)>,
    /// What could not be read.
    pub(super) failed: Vec<(Failed, ConfigApiError)>,
    /// Places that were read but for rules that AWS refuses.
    pub(super) partly: Vec<(AccountRegion, ConfigApiError)>,
    /// Places of which there is nothing any more.
    pub(super) gone: Vec<AccountRegion>,
    /// Places that were known, and that an aggregator does not list.
    pub(super) absent: Vec<AccountRegion>,
    /// How many of them may yet come back: they stay as they are.
    pub(super) doubted: u64,
}

/// What the readings of this agent, and of those that led before, found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Readings {
    /// When each place was read whole last, milliseconds since the epoch.
    read: BTreeMap<AccountRegion, i64>,
    /// The same of accounts of an aggregator: one without any rule has no place.
    accounts: BTreeMap<Box<str>, i64>,
    failed: BTreeMap<Failed, Failure>,
    /// What an aggregator did not list the last time, and since when it has not, milliseconds since the epoch: an answer may be
    /// thin.
    missed: BTreeMap<AccountRegion, i64>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Written {
    read: BTreeMap<String, i64>,
    accounts: BTreeMap<Box<str>, i64>,
    failed: BTreeMap<String, Failure>,
    missed: BTreeMap<String, i64>,
}

impl Readings {
    /// Takes what a reading found; `only`: what it read, `None`: everything; `began_ms` and `now_ms`: when it began and ended.
    pub(super) fn ended(
        &mut self,
        ended: &Ended,
        only: Option<&BTreeSet<Failed>>,
        (began_ms, now_ms): (i64, i64),
        interval: Duration,
    ) {
        let mut before = std::mem::take(&mut self.failed);
        // A time that has not come yet was written by a clock that was wrong.
        let since = |place: &AccountRegion| self.missed_ms(place).filter(|ms| *ms <= began_ms).unwrap_or(began_ms);
        let missed: Vec<_> = ended.absent.iter().map(|place| (place.clone(), since(place))).collect();
        for (place, began_ms) in &ended.read {
            self.read.insert(place.clone(), *began_ms);
            self.missed.remove(place);
        }
        self.missed.extend(missed);
        for place in &ended.gone {
            self.read.remove(place);
            self.missed.remove(place);
        }
        self.accounts.retain(|_, ms| *ms >= now_ms.saturating_sub(two_of(interval)));
        self.accounts.extend(ended.accounts.iter().cloned());
        let partly = ended.partly.iter().map(|(place, error)| (Failed::Place(place.clone()), error, Kind::Partly));
        let failed = ended.failed.iter().map(|(what, error)| (what.clone(), error, self.kind_of(what, error)));
        let failed: Vec<_> = failed.chain(partly).collect();
        for (what, error, kind) in failed {
            let tries = before.get(&what).map_or(0, |failure| failure.tries).saturating_add(1);
            let again_ms = again(error, tries, interval).map(|wait| now_ms.saturating_add(wait));
            self.failed.insert(what, Failure { why: error.to_string(), kind, tries, again_ms });
        }
        if let Some(only) = only {
            before.retain(|what, _| !only.contains(what));
            self.failed.append(&mut before);
        }
    }

    /// A place that was read before was there: what it said is no longer so, and nobody knows what is.
    fn kind_of(&self, what: &Failed, error: &ConfigApiError) -> Kind {
        match (what, error) {
            (Failed::Place(place), ConfigApiError::NotEnabled { .. }) if !self.read.contains_key(place) => Kind::NotThere,
            _ => Kind::Unread,
        }
    }

    /// What could not be read when it was asked last, and what that leaves.
    pub(super) fn kinds(&self) -> BTreeMap<Failed, Kind> {
        self.failed.iter().map(|(what, failure)| (what.clone(), failure.kind)).collect()
    }

    /// When an account was told whole by an aggregator last, milliseconds since the epoch.
    pub(super) fn account(&self, account: &str) -> Option<i64> {
        self.accounts.get(account).copied()
    }

    /// What is to be read again now.
    pub(super) fn due(&self, now_ms: i64) -> BTreeSet<Failed> {
        let due = self.failed.iter().filter(|(_, failure)| failure.again_ms.is_some_and(|again_ms| now_ms >= again_ms));
        due.map(|(what, _)| what.clone()).collect()
    }

    /// What could not be read when it was asked last, and why.
    pub(super) fn failed(&self) -> impl Iterator<Item = (&Failed, &str)> {
        self.failed.iter().map(|(what, failure)| (what, &*failure.why))
    }

    /// Places that were read whole once, and when that was last, milliseconds since the epoch.
    pub(super) fn places(&self) -> impl Iterator<Item = (&AccountRegion, i64)> {
        self.read.iter().map(|(place, ms)| (place, *ms))
    }

    /// Since when an aggregator has not listed a place, milliseconds since the epoch; `None`: it listed it the last time.
    pub(super) fn missed_ms(&self, place: &AccountRegion) -> Option<i64> {
        self.missed.get(place).copied()
    }

    /// As it is written.
    pub(super) fn bytes(&self) -> Bytes {
        let read = self.read.iter().map(|(place, ms)| (place.to_string(), *ms)).collect();
        let failed = self.failed.iter().map(|(what, failure)| (what.to_string(), failure.clone())).collect();
        let missed = self.missed.iter().map(|(place, ms)| (place.to_string(), *ms)).collect();
        serde_json::to_vec(&Written { read, accounts: self.accounts.clone(), failed, missed }).unwrap_or_default().into()
    }

    /// Reads what was written. What cannot be read was never found out.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let Written { read, accounts, failed, missed } = serde_json::from_slice(bytes).unwrap_or_default();
        let place = |text: &str| text.split_once('/').map(|(account, region)| AccountRegion::new(account, region));
        let places = |list: BTreeMap<String, i64>| list.iter().filter_map(|(text, ms)| Some((place(text)?, *ms))).collect();
        Self {
            read: places(read),
            accounts,
            failed: failed.into_iter().map(|(text, failure)| (Failed::read(&text), failure)).collect(),
            missed: places(missed),
        }
    }
}

/// Two intervals, milliseconds: what was read before is stale.
fn two_of(interval: Duration) -> i64 {
    millis(interval.saturating_mul(2))
}

/// How long until it is asked again, milliseconds; `None`: until the next reading.
fn again(error: &ConfigApiError, tries: u32, interval: Duration) -> Option<i64> {
    if matches!(error, ConfigApiError::NotEnabled { .. } | ConfigApiError::Refused { .. }) {
        return None;
    }
    let wait = AGAIN.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX));
    (wait < interval).then(|| millis(wait))
}

/// What is asked of AWS Config, and how fresh that is.
#[derive(Debug, Clone, Default)]
pub struct Freshness {
    /// Each place that is asked: when it was read whole last, milliseconds since the epoch; `None`: never.
    asked: BTreeMap<AccountRegion, Option<i64>>,
    /// Accounts that are asked, also those of which no Region is known.
    accounts: BTreeSet<Box<str>>,
    /// Those of them that an aggregator told whole not long ago.
    told: BTreeSet<Box<str>>,
    failed: BTreeMap<Failed, Kind>,
    /// Places where AWS Config is not there: they are not asked for anything.
    not_there: BTreeSet<AccountRegion>,
    /// What was read before is stale.
    stale_ms: i64,
}

/// How fresh an account is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OfAccount {
    /// Regions that are asked.
    pub asked: u64,
    /// Those of them that are fresh.
    pub fresh: u64,
    /// Regions where AWS Config is not there, beside them.
    pub not_enabled: u64,
    /// When the one that was not read for the longest time was read whole, milliseconds since the epoch.
    pub oldest_ms: Option<i64>,
}

impl Freshness {
    /// Of these places and accounts, each with when it was read last, where everything is read after each `interval`.
    pub(super) fn new(
        asked: BTreeMap<AccountRegion, Option<i64>>,
        accounts: BTreeMap<Box<str>, Option<i64>>,
        failed: BTreeMap<Failed, Kind>,
        now_ms: i64,
        interval: Duration,
    ) -> Self {
        let stale_ms = now_ms.saturating_sub(two_of(interval));
        let told = accounts.iter().filter(|(_, ms)| **ms >= Some(stale_ms)).map(|(account, _)| account.clone()).collect();
        let mut accounts: BTreeSet<Box<str>> = accounts.into_keys().collect();
        accounts.extend(asked.keys().map(|place| place.account.clone()));
        accounts.extend(failed.keys().filter_map(|what| match what {
            Failed::Account(account) => Some(account.clone()),
            Failed::Everything | Failed::Place(_) => None,
        }));
        let mut all = Self { asked, accounts, told, failed, not_there: BTreeSet::new(), stale_ms };
        // AWS says the same of keys that do not exist: where nothing is read, not even in part, nobody knows what is there.
        if all.fresh() > 0 || all.failed.values().any(|kind| *kind == Kind::Partly) {
            all.leave_out_what_is_not_there();
        }
        all
    }

    fn leave_out_what_is_not_there(&mut self) {
        let Self { asked, failed, not_there, .. } = self;
        failed.retain(|what, kind| match (what, kind) {
            (Failed::Place(place), Kind::NotThere) => {
                asked.remove(place);
                not_there.insert(place.clone());
                false
            }
            _ => true,
        });
    }

    /// Places where AWS Config is not there.
    #[must_use]
    pub fn not_enabled(&self) -> u64 {
        self.not_there.len() as u64
    }

    /// When a place was read whole last, milliseconds since the epoch.
    #[must_use]
    pub fn observed_ms(&self, place: &AccountRegion) -> Option<i64> {
        self.asked.get(place).copied().flatten()
    }

    fn is_fresh(&self, read_ms: Option<i64>) -> bool {
        read_ms.is_some_and(|ms| ms >= self.stale_ms)
    }

    /// Accounts that are asked.
    #[must_use]
    pub fn accounts(&self) -> &BTreeSet<Box<str>> {
        &self.accounts
    }

    /// Places that are asked.
    pub fn places(&self) -> impl Iterator<Item = &AccountRegion> {
        self.asked.keys()
    }

    /// How fresh an account is.
    #[must_use]
    pub fn of_account(&self, account: &str) -> OfAccount {
        let not_enabled = self.not_there.iter().filter(|place| *place.account == *account).count() as u64;
        let mut all = OfAccount { not_enabled, ..OfAccount::default() };
        for (_, read_ms) in self.asked.iter().filter(|(place, _)| *place.account == *account) {
            all.asked += 1;
            all.fresh += u64::from(self.is_fresh(*read_ms));
            all.oldest_ms = all.oldest_ms.into_iter().chain(*read_ms).min();
        }
        all
    }

    /// Whether all that is asked of an account is fresh, and that is something.
    #[must_use]
    pub fn is_whole(&self, account: &str) -> bool {
        let OfAccount { asked, fresh, .. } = self.of_account(account);
        asked > 0 && asked == fresh
    }

    /// Places that are fresh.
    #[must_use]
    pub fn fresh(&self) -> u64 {
        self.asked.values().filter(|read_ms| self.is_fresh(**read_ms)).count() as u64
    }

    /// What the last readings could not read, and places that are not fresh for another reason.
    #[must_use]
    pub fn missing(&self) -> u64 {
        let is_failed = |place: &AccountRegion| self.failed.keys().any(|what| what.covers(place));
        let stale = self.asked.iter().filter(|(place, read_ms)| !self.is_fresh(**read_ms) && !is_failed(place)).count();
        let is_empty = |account: &str| {
            let OfAccount { asked, not_enabled, .. } = self.of_account(account);
            asked == 0 && not_enabled == 0 && !self.told.contains(account)
        };
        let unknown = self
            .accounts
            .iter()
            .filter(|account| is_empty(account) && !self.failed.contains_key(&Failed::Account((*account).clone())));
        (self.failed.len() + stale + unknown.count()) as u64
    }

    /// Whether nothing of what is asked could be read the last time; an account without any rule was, if it was told so.
    pub(super) fn is_nothing(&self) -> bool {
        let unread = || self.failed.iter().filter(|(_, kind)| **kind != Kind::Partly).map(|(what, _)| what);
        let is_failed = |place: &AccountRegion| unread().any(|what| what.covers(place));
        let is_lost = |account: &str| {
            unread().any(|what| *what == Failed::Everything || matches!(what, Failed::Account(other) if **other == *account))
        };
        unread().next().is_some() && self.asked.keys().all(is_failed) && self.told.iter().all(|account| is_lost(account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const HOUR_MS: i64 = 3_600_000;

    fn denied() -> ConfigApiError {
        ConfigApiError::Denied { why: "no".to_owned(), missing: "config:DescribeConfigRules".to_owned() }
    }

    fn place(region: &str) -> AccountRegion {
        AccountRegion::new("111122223333", region)
    }

    fn fails(what: Failed, error: ConfigApiError) -> Ended {
        Ended { failed: vec![(what, error)], ..Ended::default() }
    }

    #[test]
    fn what_fails_is_asked_more_and_more_rarely_and_what_is_not_there_only_at_the_next_reading() {
        let what = Failed::Place(place("eu-west-1"));
        let mut readings = Readings::default();
        let (mut now_ms, mut waits) = (0, Vec::new());
        readings.ended(&fails(what.clone(), denied()), None, (now_ms, now_ms), Duration::from_hours(6));
        while let Some(again_ms) = readings.failed[&what].again_ms {
            assert!(readings.due(again_ms - 1).is_empty());
            let due = readings.due(again_ms);
            waits.push((again_ms - now_ms) / 60_000);
            now_ms = again_ms;
            readings.ended(&fails(what.clone(), denied()), Some(&due), (now_ms, now_ms), Duration::from_hours(6));
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 320], "six times in the first interval, then with each reading");
        readings.ended(&Ended { read: vec![(place("eu-west-1"), 9)], ..Ended::default() }, None, (now_ms, now_ms), HOUR);
        assert_eq!((readings.failed().count(), readings.places().collect::<Vec<_>>()), (0, vec![(&place("eu-west-1"), 9)]));
        let not_there = ConfigApiError::NotEnabled { why: "no recorder".to_owned(), what: "switch it on" };
        readings.ended(&fails(what, not_there), None, (now_ms, now_ms), Duration::from_hours(24));
        assert!(readings.due(i64::MAX).is_empty());
    }

    #[test]
    fn what_was_not_read_again_keeps_its_failure_and_all_of_it_reads_back() {
        let mut readings = Readings::default();
        let failed = [Failed::Everything, Failed::Account("111122223333".into()), Failed::Place(place("eu-west-1"))];
        let ended = Ended {
            read: vec![(place("us-east-1"), 7)],
            absent: vec![place("us-west-2")],
            accounts: vec![("111122223333".into(), 0)],
            failed: failed.iter().map(|what| (what.clone(), denied())).collect(),
            ..Ended::default()
        };
        readings.ended(&ended, None, (0, 0), HOUR);
        assert_eq!(Readings::read(&readings.bytes()), readings);
        assert_eq!(Readings::read(b"\xff"), Readings::default());
        readings.ended(&Ended::default(), Some(&BTreeSet::from([Failed::Everything])), (1, 1), HOUR);
        assert_eq!(readings.failed().map(|(what, _)| what).collect::<Vec<_>>(), failed[1..].iter().collect::<Vec<_>>());
        let gone = Ended { gone: vec![place("us-east-1"), place("us-west-2")], ..Ended::default() };
        readings.ended(&gone, None, (3 * HOUR_MS, 3 * HOUR_MS), HOUR);
        assert_eq!(readings, Readings::default());
    }

    /// S2-13: since when a place is missed is what the first answer without it says, until one has it; what an older agent wrote
    /// of it had no time.
    #[test]
    fn a_place_is_missed_since_the_first_answer_without_it() {
        let here = place("eu-west-1");
        let missed = Ended { absent: vec![here.clone()], ..Ended::default() };
        let mut readings = Readings::read(br#"{"read":{"111122223333/eu-west-1":7},"absent":["111122223333/eu-west-1"]}"#);
        assert_eq!((readings.missed_ms(&here), readings.places().count()), (None, 1));
        let mut since = Vec::new();
        for (ended, at_ms) in [
            (&missed, 10),
            (&missed, 20),
            (&missed, 5),
            (&Ended { read: vec![(here.clone(), 30)], ..Ended::default() }, 30),
            (&missed, 40),
        ] {
            readings.ended(ended, None, (at_ms, at_ms + 1), HOUR);
            readings = Readings::read(&readings.bytes());
            since.push(readings.missed_ms(&here));
        }
        assert_eq!(since, [Some(10), Some(10), Some(5), None, Some(40)]);
    }

    /// S2-01: stale is not fresh, and what was never read is neither.
    #[test]
    fn a_place_is_fresh_for_two_intervals() {
        let asked = BTreeMap::from([
            (place("eu-west-1"), Some(HOUR_MS)),
            (place("us-east-1"), Some(HOUR_MS - 1)),
            (place("us-west-2"), None),
        ]);
        let freshness = |failed: &[Failed]| {
            let failed = failed.iter().map(|what| (what.clone(), Kind::Unread)).collect();
            Freshness::new(asked.clone(), BTreeMap::from([("444455556666".into(), None)]), failed, 3 * HOUR_MS, HOUR)
        };
        let all = freshness(&[]);
        let oldest_ms = Some(HOUR_MS - 1);
        assert_eq!(all.of_account("111122223333"), OfAccount { asked: 3, fresh: 1, not_enabled: 0, oldest_ms });
        assert_eq!((all.fresh(), all.missing(), all.is_nothing()), (1, 3, false), "two stale, and one of which nothing is known");
        assert!(!all.is_whole("111122223333") && !all.is_whole("444455556666"));
        let failed = freshness(&[Failed::Account("111122223333".into()), Failed::Account("444455556666".into())]);
        assert_eq!((failed.missing(), failed.is_nothing()), (2, true));
        assert!(!freshness(&[Failed::Place(place("us-west-2"))]).is_nothing());
    }
}
