//! What is known, at rest: one document per account and Region.
//!
//! In: what New Relic accepted. Out: plain data that serde writes and reads. What always holds: what is pending is not in it, so
//! that a record whose events were never accepted is told after a restart; a document that is read back knows what it knew. Short
//! names: there are hundreds of thousands of findings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::entry::Entry;
use super::state::{Part, Site, State};
use super::{Findings, Known};
use crate::record::{AccountRegion, FindingForm, FindingKey, FindingStatus, Severity};

/// The findings of one account and Region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFindings {
    /// Version of this form.
    pub version: u32,
    /// Words, by number.
    names: Vec<String>,
    findings: Vec<One>,
}

/// Id, updated, last word of its lead, what that showed, severity, status, lead, who put it there.
type StoredPart = (u64, i64, i64, u32, u8, u8, u8, u8);

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
    /// Event ids told.
    t: Vec<u64>,
    /// Parts.
    a: Vec<StoredPart>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;

/// Why a stored document is not used.
#[derive(Debug, thiserror::Error)]
#[error(
    "stored findings are of version {found}; this version reads {VERSION}. Remove the object: findings then count as new once"
)]
pub struct StoredError {
    found: u32,
}

impl Findings {
    /// Everything New Relic accepted, by account and Region.
    #[must_use]
    pub fn to_stored(&self) -> BTreeMap<AccountRegion, StoredFindings> {
        let known = self.lock();
        let mut documents: BTreeMap<AccountRegion, Document> = BTreeMap::new();
        let mut entries: Vec<_> = known.entries.iter().collect();
        entries.sort_by_key(|(key, _)| **key);
        for (key, entry) in entries {
            let Some(state) = entry.accepted() else { continue };
            let place = AccountRegion::new(known.names.name(entry.site.account), known.names.name(entry.site.region));
            let document = documents.entry(place).or_default();
            let one = One {
                k: key.text(),
                p: document.number(known.names.name(entry.site.product)),
                c: document.number(known.names.name(entry.site.control)),
                f: state.first_seen_ms,
                r: state.reopened,
                s: state.standards.iter().map(|standard| document.number(known.names.name(*standard))).collect(),
                t: entry.told().to_vec(),
                a: state.parts().map(of_part).collect(),
            };
            document.stored.findings.push(one);
        }
        documents.into_iter().map(|(place, document)| (place, document.stored)).collect()
    }

    /// Adds what a document knows; what is known already stays.
    ///
    /// # Errors
    /// The document is of another version.
    pub fn from_stored(&self, place: &AccountRegion, stored: &StoredFindings) -> Result<(), StoredError> {
        if stored.version != VERSION {
            return Err(StoredError { found: stored.version });
        }
        let mut known = self.lock();
        let Known { entries, names, .. } = &mut *known;
        let (account, region) = (names.number_or_other(&place.account), names.number_or_other(&place.region));
        let word = |number: u16| stored.names.get(usize::from(number)).map_or("unknown", String::as_str);
        for one in &stored.findings {
            let Some(key) = FindingKey::of_text(&one.k) else { continue };
            let mut parts = one.a.iter().filter_map(to_part);
            let Some(first) = parts.next() else { continue };
            let mut standards: Vec<u16> = one.s.iter().filter_map(|standard| names.number(word(*standard))).collect();
            standards.sort_unstable();
            let state =
                State { first, rest: parts.collect(), first_seen_ms: one.f, reopened: one.r, standards: standards.into() };
            let (product, control) = (names.number_or_other(word(one.p)), names.number_or_other(word(one.c)));
            let site = Site { account, region, product, control };
            entries.entry(key).or_insert_with(|| Entry::stored(site, state, one.t.clone()));
        }
        Ok(())
    }
}

/// A document while it is written.
#[derive(Debug)]
struct Document {
    stored: StoredFindings,
    numbers: BTreeMap<String, u16>,
}

impl Default for Document {
    fn default() -> Self {
        Self { stored: StoredFindings { version: VERSION, ..StoredFindings::default() }, numbers: BTreeMap::new() }
    }
}

impl Document {
    fn number(&mut self, name: &str) -> u16 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        // There are no more words than the state has, which numbers them alike.
        let number = u16::try_from(self.stored.names.len()).unwrap_or(u16::MAX);
        self.stored.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

fn of_part(part: &Part) -> StoredPart {
    let (severity, status, lead, by) = (part.severity as u8, part.status as u8, part.lead as u8, part.by as u8);
    (part.id, part.updated_ms, part.lead_ms, part.shown, severity, status, lead, by)
}

fn to_part(stored: &StoredPart) -> Option<Part> {
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
    })
}
