//! Which findings are let go.
//!
//! In: all that are known, and the present. Out: fewer of them, counted. What always holds: what is pending stays; an open finding
//! goes only when its service has deleted it, or when there are too many, and then it is remembered that it was there.
//!
//! Security Hub deletes a finding that nobody updated for 90 days, `GuardDuty` and Macie keep theirs for 90 days, and no event says
//! so. [Security Hub user guide: OCSF findings; Inspector user guide: understanding findings, checked 2026-11; of ASFF,
//! `GuardDuty`, Macie and Access Analyzer from memory, not looked up] Such a finding is forgotten and counted: nobody said that it
//! was resolved, and its last row is older than New Relic keeps events by default. Inspector and Access Analyzer keep what is open
//! as long as it is: nothing of theirs ends by silence.

use std::sync::atomic::Ordering::Relaxed;

use super::books::{self, Book, home};
use super::entry::Entry;
use super::{Findings, Known};
use crate::record::finding::product;
use crate::record::time::{DAY_MS, HOUR_MS};
use crate::record::{AccountRegion, FindingKey, FindingStatus, Severity};

/// A finding that was resolved so long ago, and not heard of since, is forgotten.
pub(super) const FORGET_MS: i64 = 30 * DAY_MS;

/// A finding that is not resolved and was not heard of for so long is there no more.
pub(super) const UNHEARD_MS: i64 = 90 * DAY_MS;

/// Time between two looks for what can be forgotten.
const LOOK_MS: i64 = HOUR_MS;

/// Part of the findings that goes when there are too many: one in so many.
const EVICT_PART: usize = 64;

/// Products that keep an open finding without a word.
const KEEP: [&str; 2] = [product::INSPECTOR, product::ACCESS_ANALYZER];

impl Findings {
    /// Forgets what was resolved long ago, and what nobody has told for so long that it is there no more. Looks once an hour, however
    /// often it is called.
    pub fn forget_old(&self, now_ms: i64) {
        self.look(&mut self.lock(), now_ms);
    }

    /// Every place of which anything is known.
    #[must_use]
    pub fn places(&self) -> Vec<AccountRegion> {
        let known = self.lock();
        known.books.0.keys().map(|home| books::place(&known.names, *home)).collect()
    }

    pub(super) fn look(&self, known: &mut Known, now_ms: i64) {
        if now_ms >= known.look_ms {
            known.look_ms = now_ms.saturating_add(LOOK_MS);
            self.forget_silent(known, now_ms);
        }
    }

    pub(super) fn forget_silent(&self, known: &mut Known, now_ms: i64) {
        let Known { entries, names, books, .. } = known;
        let (mut resolved, mut unheard) = (0, 0);
        entries.retain(|key, entry| {
            let Some((status, heard_ms)) = entry.at_rest() else { return true };
            let silent_ms = now_ms.saturating_sub(heard_ms);
            let (stays, count) = if status == FindingStatus::Resolved {
                (silent_ms < FORGET_MS, &mut resolved)
            } else {
                (silent_ms < UNHEARD_MS || KEEP.contains(&names.name(entry.site.product)), &mut unheard)
            };
            if !stays {
                *count += 1;
                books.remove(home(names, entry.site), *key);
            }
            stays
        });
        self.forgotten.fetch_add(resolved, Relaxed);
        self.unheard.fetch_add(unheard, Relaxed);
        if unheard > 0 {
            tracing::info!(findings = unheard, "Findings that nobody told for 90 days are counted as open no more");
        }
    }

    /// Lets some go: resolved ones first, then those set aside, the longest unheard of first. What is pending stays.
    pub(super) fn evict(&self, known: &mut Known) {
        let Known { entries, names, books, .. } = known;
        let order = |entry: &Entry| entry.at_rest().map(|(status, heard_ms)| (std::cmp::Reverse(status), heard_ms));
        let mut all: Vec<_> = entries.iter().filter_map(|(key, entry)| Some((order(entry)?, *key))).collect();
        let part = (self.settings.known / EVICT_PART).max(1).min(all.len());
        if part == 0 {
            return;
        }
        all.select_nth_unstable(part - 1);
        let mut remembered: usize = books.0.values().map(|book| book.evicted.len()).sum();
        for ((std::cmp::Reverse(status), _), key) in all.into_iter().take(part) {
            let Some(entry) = entries.remove(&key) else { continue };
            let home = home(names, entry.site);
            books.remove(home, key);
            self.evicted.fetch_add(1, Relaxed);
            if status == FindingStatus::Resolved {
                continue;
            }
            self.evicted_open.fetch_add(1, Relaxed);
            // Nobody was told of one that was excepted: the end of that must be news.
            if let Some(state) = entry.accepted().filter(|state| status == FindingStatus::Open && !state.excepted()) {
                remembered += usize::from(books.of(home).evict(key, state.severity(), remembered < self.settings.known));
            }
        }
    }
}

impl Book {
    /// Remembers that it was open, at the cost of another one where there is no room. Whether there is one more.
    fn evict(&mut self, key: FindingKey, severity: Severity, has_room: bool) -> bool {
        let FindingKey([half, _]) = key;
        if !has_room && self.evicted.pop_first().is_none() {
            return false;
        }
        self.evicted.insert(half, severity).is_none() && has_room
    }

    /// Whether it was let go while it was open and no less severe: nobody must see it once more.
    pub(super) fn was_evicted(&self, key: FindingKey, severity: Severity) -> bool {
        let FindingKey([half, _]) = key;
        self.evicted.get(&half).is_some_and(|was| *was >= severity)
    }

    /// It is known again.
    pub(super) fn is_back(&mut self, key: FindingKey) {
        let FindingKey([half, _]) = key;
        self.stale |= self.evicted.remove(&half).is_some();
    }
}
