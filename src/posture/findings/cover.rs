//! The exception that covers a finding, as it is remembered, and its end.
//!
//! In: what covers a record now; later, of each exception that covered one, whether it still does. Out: what is uncovered, one item
//! for each control in a place, to be told and then [`Findings::conclude`]d. What always holds: the end of an exception is owed until
//! New Relic accepted it, though the finding is never told again; a finding that is told again tells its end itself, and only one of
//! the two pages.

use std::collections::BTreeMap;

use super::books::home;
use super::state::Site;
use super::{Findings, Known, Token};
use crate::record::{FindingKey, Severity};

/// An exception, as what it covers remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cover {
    /// Its control, as a hash.
    pub control: u64,
    /// What of the control it means, as a hash: the same after its owner, its reason or its end was changed.
    pub scope: u64,
    /// Its end, as it was known then, milliseconds since the epoch.
    pub until_ms: i64,
    /// It covers no more, and the finding was not told since.
    pub is_over: bool,
}

/// What the exceptions say of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covered {
    /// Nothing covers it.
    No,
    /// That depends on what is not known yet: it counts as it did.
    Unknown,
    /// This covers it.
    By(Cover),
}

impl Covered {
    /// What covers a part after this.
    pub(super) fn or(self, before: Option<Box<Cover>>) -> Option<Box<Cover>> {
        match self {
            Self::No => None,
            Self::Unknown => before,
            Self::By(cover) => Some(Box::new(cover)),
        }
    }

    /// Whether it is known to be another one than before: covered, or not.
    pub(super) fn is_other_than(self, before: Option<&Cover>) -> bool {
        match self {
            Self::No => before.is_some(),
            Self::Unknown => false,
            Self::By(_) => before.is_none(),
        }
    }
}

/// Where a finding is that an exception covers.
#[derive(Debug, Clone, Copy)]
pub struct CoveredSite<'a> {
    /// Twelve digits.
    pub account: &'a str,
    /// As `eu-west-1`, or `unknown`.
    pub region: &'a str,
    /// Control or type.
    pub control: &'a str,
}

/// Open findings of one control in one account and Region that no exception covers any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncovered {
    /// Twelve digits.
    pub account: String,
    /// As `eu-west-1`, or `unknown`.
    pub region: String,
    /// Who found them.
    pub product: String,
    /// Control or type.
    pub control: String,
    /// The most severe of them.
    pub severity: Severity,
    /// When the oldest of them was first seen, milliseconds since the epoch.
    pub first_seen_ms: i64,
    /// For [`Findings::conclude`], one for each of them, by their keys.
    pub findings: BTreeMap<FindingKey, (i64, Token)>,
}

impl Findings {
    /// The exceptions that cover findings and still do, by `covers`, stay; the others are over: what they covered counts as open. Gives
    /// what of that a person must see; of what waits for an answer nothing is done, it is asked for again. `notices`: whether notices are sent.
    pub fn uncover(&self, notices: bool, covers: impl Fn(&Cover, CoveredSite<'_>) -> bool) -> Vec<Uncovered> {
        let mut known = self.lock();
        let tenure = known.tenure;
        if tenure.is_multiple_of(2) {
            return Vec::new();
        }
        let Known { entries, names, books, number, .. } = &mut *known;
        let mut all: BTreeMap<Site, Uncovered> = BTreeMap::new();
        for (key, entry) in entries.iter_mut().filter(|(_, entry)| entry.rests()) {
            let site = entry.site;
            let [account, region, control] = [site.account, site.region, site.control].map(|number| names.name(number));
            let is_over = |cover: &Cover| !covers(cover, CoveredSite { account, region, control });
            let Some((before, after)) = entry.accepted().and_then(|state| Some((state, state.uncovered(is_over)?))) else {
                continue;
            };
            let product = names.name(site.product);
            let pages = notices
                && before.excepted()
                && !after.excepted()
                && after.severity() >= self.settings.notify
                && self.reads(product);
            if !pages {
                entry.replace(after);
                books.of(home(names, site)).stale = true;
                continue;
            }
            *number += 1;
            let one = all.entry(site).or_insert_with(|| Uncovered {
                account: account.to_owned(),
                region: region.to_owned(),
                product: product.to_owned(),
                control: control.to_owned(),
                severity: after.severity(),
                first_seen_ms: after.first_seen_ms,
                findings: BTreeMap::new(),
            });
            one.severity = one.severity.max(after.severity());
            one.first_seen_ms = one.first_seen_ms.min(after.first_seen_ms);
            let until_ms = after.parts().filter_map(|part| Some(part.cover.as_ref()?.until_ms)).max().unwrap_or(0);
            one.findings.insert(*key, (until_ms, Token { key: *key, number: *number, tenure }));
            entry.uncover(*number, after);
        }
        all.into_values().collect()
    }
}
