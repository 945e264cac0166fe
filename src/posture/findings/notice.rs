//! Which transitions a person is told of.
//!
//! In: a transition that would alarm, and since when its place is watched. Out: whether it is held back. What always holds: its row
//! is sent all the same; what an exception covers alarms nobody, and its end does: it was open all the while, and is not held as
//! old.
//!
//! The first import after the relay is switched on tells what has been there for months: nobody must get up for that. So a finding
//! that nobody knew is held back when it was first seen before its account and Region were watched, with a day to spare. Security
//! Hub's controls are dated from their first check, long before they failed; but it tells each of them every day: when the place
//! has been watched for two days, one that nobody told has begun since.
//!
//! Who switches on an account, Security Hub or a standard is told within a day how all of its controls stand, under a date of that
//! day: on the first day of all the standards that a control's finding names, of Security Hub where it names none, one that nobody
//! knew is held back. What a product sees happen (a threat, a leak, access from outside) is never held for that.
//!
//! Where nobody writes the state down, every start would be such a day, and what waited in dead letters would be old: there only
//! what was first seen more than a day before it was told is held back.

use super::books::{self, Book};
use super::entry::Entry;
use super::state::{Site, State};
use super::{Findings, Known, Transition};
use crate::record::finding::product;
use crate::record::time::DAY_MS;
use crate::record::{AccountRegion, Finding, FindingKey, FindingStatus};

/// So long before its place was watched a finding may have been seen first and still count as new.
const SPARE_MS: i64 = DAY_MS;

/// So long it takes until every control was told. It refreshes them every 12 to 24 hours, from memory of its user guide's
/// schedule of checks, not looked up: two days leave room.
const SETTLED_MS: i64 = 2 * DAY_MS;

/// So long after a standard, or Security Hub, was first heard of in a place, controls tell how things are.
pub(super) const FIRST_DAY_MS: i64 = DAY_MS;

/// What began, in the words of Security Hub's findings.
#[derive(Debug, Clone, Copy)]
pub struct Begun<'a> {
    /// Controls that ask for what holds no more.
    pub controls: &'a [&'a str],
    /// The resource, by ARN where it has one.
    pub resource: &'a str,
}

/// Whether what begins in a place is told by the findings of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearing {
    /// They are not read, or none is known there.
    Nothing,
    /// They are, but that of what began may be held back, or was.
    Young,
    /// What began sends its notice.
    Settled,
}

/// What becomes of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    /// It is sent.
    Due,
    /// It would be, of anything that is not old news or a sample.
    Held,
    /// Nobody must see this.
    None,
}

impl Findings {
    /// What becomes of the notice of this transition. `uncovers`: an exception is over by it; `still_open`: nothing newer says
    /// otherwise.
    pub(super) fn notice(
        &self,
        (finding, key, site): (&Finding<'_>, FindingKey, Site),
        (transition, uncovers, after): (Transition, bool, &State),
        still_open: bool,
        book: &Book,
        now_ms: i64,
    ) -> Notice {
        let is_open = after.status() == FindingStatus::Open && still_open;
        let is_alarming = (transition.is_alarming() || uncovers) && !after.excepted();
        if !is_alarming || !is_open || after.severity() < self.settings.notify {
            return Notice::None;
        }
        // Without a memory a place is watched since the start, which is later than what waited was told.
        let told_ms = if self.kept { i64::MAX } else { finding.told_ms.unwrap_or(finding.updated_ms) };
        let born_ms = book.born_ms.map(|born_ms| born_ms.min(told_ms));
        let is_old = || book.was_evicted(key, after.severity()) || was_there(finding, after, born_ms, now_ms);
        let is_first_day = || is_control(finding) && self.is_first_day(site, after, book, now_ms);
        if finding.more.sample || transition == Transition::New && (is_old() || is_first_day()) {
            Notice::Held
        } else {
            Notice::Due
        }
    }
    /// Whether all that asks for a control was first heard of in its place less than a day ago.
    fn is_first_day(&self, site: Site, after: &State, book: &Book, now_ms: i64) -> bool {
        let of_product = [site.product];
        let words = if after.standards.is_empty() { &of_product } else { &*after.standards };
        self.are_new(words, book, now_ms)
    }

    fn are_new(&self, words: &[u16], book: &Book, now_ms: i64) -> bool {
        let oldest_ms = words.iter().filter_map(|word| book.begun.get(word)).min();
        oldest_ms.is_some_and(|begun_ms| now_ms.saturating_sub(*begun_ms) < self.first_day_ms)
    }

    /// Whether what began in a place at this time is told by Security Hub's findings of it.
    #[must_use]
    pub fn hears(&self, place: &AccountRegion, begun: Begun<'_>, at_ms: i64) -> Hearing {
        if !self.reads(product::SECURITY_HUB) {
            return Hearing::Nothing;
        }
        let known = self.lock();
        let Known { entries, names, books, .. } = &*known;
        let book = books::of_place(names, place).and_then(|home| books.0.get(&home));
        let (Some(book), Some(product)) = (book, names.find(product::SECURITY_HUB)) else { return Hearing::Nothing };
        let of_hub = || book.keys.iter().filter_map(|key| entries.get(key)).filter(|entry| entry.site.product == product);
        if of_hub().next().is_none() {
            return Hearing::Nothing;
        }
        let is_young = at_ms < book.born_ms.unwrap_or(0).saturating_add(SETTLED_MS);
        if !is_young && !book.begun.values().any(|begun_ms| at_ms < begun_ms.saturating_add(self.first_day_ms)) {
            return Hearing::Settled;
        }
        // What was resolved comes again as reopened, which is never held back; what is open came as that, or as new.
        let pages = |entry: &Entry| {
            entry.latest().is_some_and(|state| {
                let is_old = is_young && state.first_seen_ms <= book.born_ms.unwrap_or(0).saturating_sub(SPARE_MS);
                let is_new = state.status() == FindingStatus::Open && state.reopened == 0;
                !is_new || !is_old && !self.is_first_day(entry.site, state, book, at_ms)
            })
        };
        if begun.keys(place).filter_map(|key| entries.get(&key)).any(pages) {
            return Hearing::Settled;
        }
        // Nobody knows it: it will be new, asked for by what asks for the control elsewhere.
        let controls: Vec<u16> = begun.controls.iter().filter_map(|control| names.find(control)).collect();
        let alike = of_hub().filter(|entry| controls.contains(&entry.site.control));
        let mut alike = alike.filter_map(Entry::latest).peekable();
        if is_young || alike.peek().is_none() {
            return Hearing::Young;
        }
        let mut words: Vec<u16> = alike.flat_map(|state| state.standards.iter().copied()).collect();
        if words.is_empty() {
            words.push(product);
        }
        if self.are_new(&words, book, at_ms) { Hearing::Young } else { Hearing::Settled }
    }
}

impl<'a> Begun<'a> {
    /// The keys that findings of it have.
    fn keys(self, place: &'a AccountRegion) -> impl Iterator<Item = FindingKey> + 'a {
        self.controls.iter().map(move |control| FindingKey::of_control(&place.account, &place.region, control, self.resource))
    }
}

/// Whether it says how things are, not what happens.
pub(super) fn is_control(finding: &Finding<'_>) -> bool {
    finding.product == product::SECURITY_HUB && finding.control_id.is_some()
}

/// Whether it was there before its place was watched.
fn was_there(finding: &Finding<'_>, after: &State, born_ms: Option<i64>, now_ms: i64) -> bool {
    let Some(born_ms) = born_ms else { return false };
    let is_settled = is_control(finding) && now_ms.saturating_sub(born_ms) >= SETTLED_MS;
    !is_settled && after.first_seen_ms <= born_ms.saturating_sub(SPARE_MS)
}
