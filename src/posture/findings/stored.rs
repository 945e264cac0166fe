//! What is known of one account and Region, as it is written.
//!
//! In: what New Relic accepted. Out: lines: a head with the version and the words, then one for each finding. What always holds: what
//! is pending is not in it, so that a record whose events were never accepted is told after a restart; what was cut, or is not a
//! finding, is an error, never half of them. Short names: there are hundreds of thousands of findings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::books::{self, Home};
use super::cover::Cover;
use super::entry::Entry;
use super::state::{Part, Site, State, Told};
use super::{Findings, Known};
use crate::posture::kept::{Kept, Owed, settle};
use crate::posture::stored::{Packer, StoredError, Unpacker, VERSION};
use crate::record::finding::product;
use crate::record::{AccountRegion, FindingForm, FindingKey, FindingStatus, Severity};

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    version: u32,
    account: Box<str>,
    region: Box<str>,
    /// Words, by number.
    names: Vec<String>,
    findings: usize,
    /// Since when the place is watched; absent: an older version wrote it, long ago.
    #[serde(default)]
    born: i64,
    /// Since when standards, and Security Hub itself, are heard of there, by number of their words; absent: as long as their
    /// findings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    begun: Vec<(u16, i64)>,
    /// Open findings that were let go: half of each key, severity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    evicted: Vec<(u64, u8)>,
}

/// Id, updated, last word of its lead, what that showed, severity, status, lead, who put it there.
type StoredPart = (u64, i64, i64, u32, u8, u8, u8, u8);

/// Seconds since the epoch, Region, form.
type StoredTold = (u32, u16, u8);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct One {
    /// Key.
    k: String,
    /// Product.
    p: u16,
    /// Control.
    c: u16,
    /// First seen.
    f: i64,
    /// Reopened.
    #[serde(default, skip_serializing_if = "is_zero")]
    r: u32,
    /// Standards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    s: Vec<u16>,
    /// Account and Region, where they cannot be part of an object's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    h: Option<(u16, u16)>,
    /// Event ids told.
    t: Vec<u64>,
    /// Parts.
    a: Vec<StoredPart>,
    /// The events that told them, where they are known: time, Region, form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    e: Vec<StoredTold>,
    /// Those of the parts that an exception covered, by their place among them; an older version wrote none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    x: Vec<usize>,
    /// What covered each of them: control, scope, end, whether that is over; an older version wrote none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    u: Vec<(u64, u64, i64, bool)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Kept for Findings {
    fn folder(&self) -> &'static str {
        "findings/"
    }

    fn loss(&self) -> &'static str {
        "its findings count as new once more when they are told again"
    }

    fn open(&self) {
        let mut known = self.lock();
        known.tenure += u64::from(known.tenure.is_multiple_of(2));
    }

    fn forget(&self, place: &AccountRegion) -> bool {
        let mut known = self.lock();
        let Known { entries, names, books, .. } = &mut *known;
        let Some((home, book)) = books::of_place(names, place).and_then(|home| Some((home, books.0.get(&home)?))) else {
            return true;
        };
        let is_busy = |key| entries.get(key).is_some_and(|entry: &Entry| entry.at_rest().is_none());
        if !book.waiting.is_empty() || book.keys.iter().any(is_busy) {
            return false;
        }
        for key in &book.keys {
            entries.remove(key);
        }
        books.0.remove(&home);
        true
    }

    fn clear(&self) {
        let mut known = self.lock();
        let next = Known {
            // The numbers of changes and tenures are never used again.
            number: known.number,
            tenure: known.tenure + known.tenure % 2,
            ..Known::default()
        };
        let before = std::mem::replace(&mut *known, next);
        // What it holds of records settles outside of the lock.
        drop(known);
        drop(before);
    }

    fn unwritten(&self, all: bool) -> Vec<AccountRegion> {
        let known = self.lock();
        let is_dirty = |book: &books::Book| book.dirty || !book.waiting.is_empty();
        let dirty = known.books.0.iter().filter(|(_, book)| is_dirty(book));
        let stale = known.books.0.iter().filter(|(_, book)| all && book.stale && !is_dirty(book));
        dirty.chain(stale).map(|(home, _)| books::place(&known.names, *home)).collect()
    }

    fn to_write(&self, place: &AccountRegion) -> Option<(Vec<u8>, Owed)> {
        let mut known = self.lock();
        let home = books::of_place(&known.names, place)?;
        let document = Document::of(&known, home)?;
        let book = known.books.0.get_mut(&home)?;
        (book.dirty, book.stale) = (false, false);
        let owed = std::mem::take(&mut book.waiting);
        drop(known);
        Some((document.bytes(place), owed))
    }

    fn written(&self, place: &AccountRegion, owed: Owed, well: bool) {
        if well {
            return settle(owed);
        }
        let mut known = self.lock();
        let home = books::of_place(&known.names, place);
        let Some(book) = home.and_then(|home| known.books.0.get_mut(&home)) else {
            // Another agent leads meanwhile: they go back as they are dropped.
            drop(known);
            return drop(owed);
        };
        book.dirty = true;
        book.waiting.extend(owed);
    }

    /// Adds what is written; what is known already stays.
    fn load(&self, place: &AccountRegion, bytes: &[u8]) -> Result<(), StoredError> {
        let (head, lines) = Unpacker::open::<Head>(bytes)?;
        let findings = lines.lines::<One>().map(|one| read(one?)).collect::<Result<Vec<_>, _>>()?;
        if findings.len() != head.findings {
            return Err(StoredError::damaged(&format!("{} of {} findings are there", findings.len(), head.findings)));
        }
        let mut known = self.lock();
        let Known { entries, names, books, .. } = &mut *known;
        let here = (names.number_or_other(&place.account), names.number_or_other(&place.region));
        // The place is known from now on, also when it has no findings any more.
        let book = books.of(here);
        book.born_ms.get_or_insert(head.born);
        for (word, begun_ms) in &head.begun {
            if let Some(word) = head.names.get(usize::from(*word)).and_then(|word| names.number(word)) {
                book.begun.entry(word).or_insert(*begun_ms);
            }
        }
        let severity = |number: u8| Severity::ALL.get(usize::from(number)).copied();
        book.evicted.extend(head.evicted.iter().filter_map(|(half, was)| Some((*half, severity(*was)?))));
        let word = |number: u16| head.names.get(usize::from(number)).map_or("unknown", String::as_str);
        for (key, one, parts) in &findings {
            // There is one at least.
            let Some((first, rest)) = parts.split_first() else { continue };
            let mut standards: Vec<u16> = one.s.iter().filter_map(|standard| names.number(word(*standard))).collect();
            standards.sort_unstable();
            let state = State {
                first: first.clone(),
                rest: rest.to_vec(),
                first_seen_ms: one.f,
                reopened: one.r,
                standards: standards.clone().into(),
            };
            let (account, region) = one
                .h
                .map_or(here, |(account, region)| (names.number_or_other(word(account)), names.number_or_other(word(region))));
            let (by, control) = (names.number_or_other(word(one.p)), names.number_or_other(word(one.c)));
            let site = Site { account, region, product: by, control };
            if entries.contains_key(key) {
                books.of(here).stale = true;
                continue;
            }
            entries.insert(*key, Entry::stored(site, state, one.t.clone()));
            let book = books.of(books::home(names, site));
            book.keys.insert(*key);
            if names.name(by) == product::SECURITY_HUB {
                // An older version did not write since when.
                for word in standards.iter().copied().chain([by]) {
                    book.begun.entry(word).or_insert(head.born);
                }
            }
        }
        Ok(())
    }
}

/// Reads a line.
fn read(one: One) -> Result<(FindingKey, One, Vec<Part>), StoredError> {
    let key = FindingKey::of_text(&one.k).ok_or_else(|| StoredError::damaged(&format!("{:?} is no key", one.k)))?;
    // An older version wrote no events.
    let told = one.e.iter().copied().chain(std::iter::repeat((0, 0, 0)));
    let parts: Option<Vec<Part>> =
        one.a.iter().zip(told).enumerate().map(|(nth, (part, told))| to_part(part, told, cover(&one, nth))).collect();
    let parts = parts.filter(|parts| !parts.is_empty());
    let parts = parts.ok_or_else(|| StoredError::damaged(&format!("the parts of {} are none that are known", one.k)))?;
    Ok((key, one, parts))
}

/// What covered a part.
fn cover(one: &One, nth: usize) -> Option<Box<Cover>> {
    let place = one.x.iter().position(|other| *other == nth)?;
    // An older version did not say: whatever means its control still covers it.
    let (control, scope, until_ms, is_over) = one.u.get(place).copied().unwrap_or_default();
    Some(Box::new(Cover { control, scope, until_ms, is_over }))
}

/// A document while it is written.
#[derive(Debug, Default)]
struct Document {
    names: Vec<String>,
    findings: Vec<One>,
    numbers: BTreeMap<String, u16>,
    born: i64,
    begun: Vec<(u16, i64)>,
    evicted: Vec<(u64, u8)>,
}

impl Document {
    /// What New Relic accepted of a place.
    fn of(known: &Known, home: Home) -> Option<Self> {
        let book = known.books.0.get(&home)?;
        let mut document = Self {
            born: book.born_ms.unwrap_or(0),
            evicted: book.evicted.iter().map(|(half, severity)| (*half, *severity as u8)).collect(),
            ..Self::default()
        };
        let name = |number: u16| known.names.name(number);
        document.begun = book.begun.iter().map(|(word, begun_ms)| (document.number(name(*word)), *begun_ms)).collect();
        for key in &book.keys {
            let Some(entry) = known.entries.get(key) else { continue };
            let Some(state) = entry.to_write() else { continue };
            let site = entry.site;
            let is_home = (site.account, site.region) == home;
            let one = One {
                k: key.text(),
                p: document.number(name(site.product)),
                c: document.number(name(site.control)),
                f: state.first_seen_ms,
                r: state.reopened,
                s: state.standards.iter().map(|standard| document.number(name(*standard))).collect(),
                h: (!is_home).then(|| (document.number(name(site.account)), document.number(name(site.region)))),
                t: entry.told().to_vec(),
                a: state.parts().map(of_part).collect(),
                e: events(&state),
                x: state.parts().enumerate().filter(|(_, part)| part.cover.is_some()).map(|(nth, _)| nth).collect(),
                u: state.parts().filter_map(|part| part.cover.as_deref()).map(of_cover).collect(),
            };
            document.findings.push(one);
        }
        Some(document)
    }

    fn bytes(self, place: &AccountRegion) -> Vec<u8> {
        let mut out = Packer::new();
        out.line(&Head {
            version: VERSION,
            account: place.account.clone(),
            region: place.region.clone(),
            names: self.names,
            findings: self.findings.len(),
            born: self.born,
            begun: self.begun,
            evicted: self.evicted,
        });
        for one in &self.findings {
            out.line(one);
        }
        out.bytes()
    }

    fn number(&mut self, name: &str) -> u16 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        // There are no more words than the state has, which numbers them alike.
        let number = u16::try_from(self.names.len()).unwrap_or(u16::MAX);
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

fn of_part(part: &Part) -> StoredPart {
    let (severity, status, lead, by) = (part.severity as u8, part.status as u8, part.lead as u8, part.by as u8);
    (part.id, part.updated_ms, part.lead_ms, part.shown, severity, status, lead, by)
}

fn of_cover(cover: &Cover) -> (u64, u64, i64, bool) {
    (cover.control, cover.scope, cover.until_ms, cover.is_over)
}

/// Nothing is written when none is known.
fn events(state: &State) -> Vec<StoredTold> {
    let all = state.parts().map(|part| (part.told.at_s, part.told.region, part.told.form as u8));
    if state.parts().all(|part| part.told.at_s == 0) { Vec::new() } else { all.collect() }
}

fn to_part(stored: &StoredPart, (at_s, region, form): StoredTold, cover: Option<Box<Cover>>) -> Option<Part> {
    let (id, updated_ms, lead_ms, shown, severity, status, lead, by) = *stored;
    Some(Part {
        id,
        updated_ms,
        lead_ms,
        shown,
        severity: *Severity::ALL.get(usize::from(severity))?,
        status: *FindingStatus::ALL.get(usize::from(status))?,
        lead: *FindingForm::ALL.get(usize::from(lead))?,
        by: *FindingForm::ALL.get(usize::from(by))?,
        cover,
        told: Told { at_s, region, form: *FindingForm::ALL.get(usize::from(form))? },
    })
}
