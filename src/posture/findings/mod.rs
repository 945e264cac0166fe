//! Findings between two records: which are known, where they stand, and what each new record changes.
//!
//! In: a finding with its severity, then how its events settled. Out: a [`Verdict`]: a transition to tell, or why there is nothing
//! to tell; counts of open findings; the whole as it is written ([`Kept`](super::Kept)). What always holds: what is known follows
//! what New Relic accepted; a change is *pending* until its events have settled, and one that is returned leaves no trace, so that
//! its record, offered again, gives the same transition; no transition is told twice, whatever order records come in; where
//! somebody writes the state down, a record settles after that. The number of findings is bounded: what was resolved long ago is
//! forgotten, and when there are too many, the oldest resolved ones first.
//!
//! `entry` is the machine of one finding, `state` what it remembers, `names` its words, `books` what is written where,
//! `stored` its form at rest, `notice` whom it alarms, `leaving` what is let go, `cover` which exception covers it.

#[cfg(test)]
mod again_tests;
mod books;
mod cover;
#[cfg(test)]
mod cover_tests;
mod entry;
#[cfg(test)]
mod first_day_tests;
mod leaving;
mod names;
#[cfg(test)]
mod news_tests;
mod notice;
mod state;
mod stored;
#[cfg(test)]
mod stored_tests;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ack::{Piece, Settled};
use crate::config;
use crate::posture::kept::{Owed, settle};
use crate::record::{Finding, FindingKey, FindingStatus, Severity};
use books::{Books, home};
pub use cover::{Cover, Covered, CoveredSite, Uncovered};
use entry::{Entry, Judged};
use names::Names;
pub use notice::{Begun, Hearing};
use notice::{FIRST_DAY_MS, Notice, is_control};
use state::{Seen, Site};

/// What a record says that was not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transition {
    /// Nobody knew it.
    New,
    /// It is more severe than before.
    Worsened,
    /// It was resolved or set aside, and is not any more.
    Reopened,
    /// It holds no more.
    Resolved,
    /// Something else that is shown changed: set aside, less severe, counted again; also what came too late to change anything, and
    /// what was resolved when it was first seen.
    Updated,
}

impl Transition {
    /// The word in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Worsened => "worsened",
            Self::Reopened => "reopened",
            Self::Resolved => "resolved",
            Self::Updated => "updated",
        }
    }

    /// Whether a person must see it, if it is severe enough.
    #[must_use]
    pub const fn is_alarming(self) -> bool {
        matches!(self, Self::New | Self::Worsened | Self::Reopened)
    }
}

/// What to do with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Tell it, and then [`Findings::conclude`].
    Tell(Tell),
    /// Imported again without a change that is shown: counted, not sent.
    Unchanged,
    /// Told already: a copy from another Region, account or form, or a redelivery: counted, not sent.
    Copy,
    /// This agent does not lead: the one that does must judge it.
    NotLeading,
}

/// A change to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about one change")]
pub struct Tell {
    /// What changed.
    pub transition: Transition,
    /// Whether a notice is due.
    pub notify: bool,
    /// Whether one would be, were it not old news or a sample.
    pub held: bool,
    /// It counts as excepted now: it is open, and an exception covers it.
    pub excepted: bool,
    /// It counted as excepted before.
    pub was_excepted: bool,
    /// Where the finding stands now.
    pub status: FindingStatus,
    /// How severe it is now; when it is resolved, how severe it was: Security Hub calls whatever passes informational.
    pub severity: Severity,
    /// Where it stood and how severe it was; `None`: nobody knew it.
    pub before: Option<(FindingStatus, Severity)>,
    /// When it was first seen, milliseconds since the epoch.
    pub first_seen_ms: i64,
    /// How often it was reopened.
    pub reopened: u32,
    /// All standards that ask for the control.
    pub standards: Vec<String>,
    /// It stands once more as it was told before, by an event that named itself: its id is [`Finding::again_id`].
    pub again: bool,
    /// For [`Findings::conclude`].
    pub token: Token,
}

impl Tell {
    /// A change that the finding's own source has judged, a scan that knows the one before: nothing here remembers it, and nobody
    /// is woken.
    #[must_use]
    pub fn of_scan(finding: &Finding<'_>, transition: Transition, severity: Severity) -> Self {
        Self {
            transition,
            notify: false,
            held: false,
            excepted: false,
            was_excepted: false,
            again: false,
            status: finding.status,
            severity,
            before: None,
            first_seen_ms: finding.first_seen_ms.unwrap_or(finding.updated_ms).min(finding.updated_ms),
            reopened: 0,
            standards: Vec::new(),
            token: Token { key: finding.key(), number: 0, tenure: 0 },
        }
    }
}

/// What the settings and exceptions say of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// How severe it is: [`Findings::severity`].
    pub severity: Severity,
    /// Whether an exception covers it now.
    pub covered: Covered,
}

/// Nothing covers it.
impl From<Severity> for Weight {
    fn from(severity: Severity) -> Self {
        Self { severity, covered: Covered::No }
    }
}

/// A pending change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    key: FindingKey,
    number: u64,
    tenure: u64,
}

/// Open findings of one control in one account and Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenFindings {
    /// Twelve digits.
    pub account: String,
    /// As `eu-west-1`.
    pub region: String,
    /// Who found them.
    pub product: String,
    /// Control or type.
    pub control: String,
    /// How severe they are.
    pub severity: Severity,
    /// Open ones that no exception covers, as far as is known.
    pub open: u64,
    /// Open ones that an exception covered when they were told last, and that is not over.
    pub excepted: u64,
    /// Those set aside.
    pub suppressed: u64,
}

/// What was counted and not sent, and what was let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FindingTallies {
    /// Findings known.
    pub known: u64,
    /// Records imported again without a change.
    pub unchanged: u64,
    /// Copies.
    pub copies: u64,
    /// Findings let go because there were too many.
    pub evicted: u64,
    /// Of these, those that were not resolved: they count as new when they come again, without a notice.
    pub evicted_open: u64,
    /// Resolved findings forgotten in their time.
    pub forgotten: u64,
    /// Findings that were not resolved and that nobody told for so long that they are there no more.
    pub unheard: u64,
}

/// Every finding known.
#[derive(Debug)]
pub struct Findings {
    settings: config::Findings,
    /// Whether records wait until the state was written.
    kept: bool,
    /// How long controls tell how things are, where they are first heard of; 0 where nobody writes down since when that is.
    first_day_ms: i64,
    known: Mutex<Known>,
    unchanged: AtomicU64,
    copies: AtomicU64,
    evicted: AtomicU64,
    evicted_open: AtomicU64,
    forgotten: AtomicU64,
    unheard: AtomicU64,
}

#[derive(Debug, Default)]
struct Known {
    entries: HashMap<FindingKey, Entry>,
    names: Names,
    books: Books,
    /// Number of the last change begun.
    number: u64,
    /// When to look next for what can be forgotten.
    look_ms: i64,
    /// Counts the times that it was opened; odd while it is open.
    tenure: u64,
}

impl FindingTallies {
    /// What was counted since `before`; what is known is that of now.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            known: self.known,
            unchanged: self.unchanged.saturating_sub(before.unchanged),
            copies: self.copies.saturating_sub(before.copies),
            evicted: self.evicted.saturating_sub(before.evicted),
            evicted_open: self.evicted_open.saturating_sub(before.evicted_open),
            forgotten: self.forgotten.saturating_sub(before.forgotten),
            unheard: self.unheard.saturating_sub(before.unheard),
        }
    }
}

impl Findings {
    /// None known yet; open to records, and nobody writes them down.
    #[must_use]
    pub fn in_memory(settings: config::Findings) -> Self {
        Self { known: Mutex::new(Known { tenure: 1, ..Known::default() }), ..Self::closed(settings, false) }
    }

    /// None known yet, and somebody writes them down: records wait for that, and none is judged until what was written is loaded.
    #[must_use]
    pub fn kept(settings: config::Findings) -> Self {
        Self::closed(settings, true)
    }

    fn closed(settings: config::Findings, kept: bool) -> Self {
        Self {
            settings,
            kept,
            // Who remembers nothing would have a first day after every start, and hold back what begins then.
            first_day_ms: if kept { FIRST_DAY_MS } else { 0 },
            known: Mutex::default(),
            unchanged: AtomicU64::default(),
            copies: AtomicU64::default(),
            evicted: AtomicU64::default(),
            evicted_open: AtomicU64::default(),
            forgotten: AtomicU64::default(),
            unheard: AtomicU64::default(),
        }
    }

    /// As where everything has been heard of for long.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn past_first_day(self) -> Self {
        Self { first_day_ms: 0, ..self }
    }

    /// Whether findings of this product are wanted.
    #[must_use]
    pub fn reads(&self, product: &str) -> bool {
        self.settings.reads(product)
    }

    /// The severity of a finding: as the settings say for its product, control, account and environment, else its own.
    #[must_use]
    pub fn severity(&self, finding: &Finding<'_>, environment: Option<&str>) -> Severity {
        let subject = config::FindingSubject {
            product: &finding.product,
            control: finding.control(),
            account: &finding.account,
            environment,
        };
        self.settings.severity_of(subject).unwrap_or(finding.severity)
    }

    /// Whether a severity depends on the environment of an account.
    #[must_use]
    pub fn asks_environment(&self) -> bool {
        self.settings.asks_environment()
    }

    /// Judges a record of this id, and begins the change it makes, in one step: two threads never judge against the same past.
    /// `owed` is asked for a piece of the record when it says nothing new, but only beside a
    /// change that is pending: then its fate is that change's.
    pub fn judge(
        &self,
        finding: &Finding<'_>,
        weight: impl Into<Weight>,
        event_id: &str,
        now_ms: i64,
        owed: impl FnOnce() -> Piece,
    ) -> Verdict {
        let key = finding.key();
        let mut seen = Seen::of(finding, weight.into(), event_id);
        let mut known = self.lock();
        let tenure = known.tenure;
        if tenure.is_multiple_of(2) {
            return Verdict::NotLeading;
        }
        self.look(&mut known, now_ms);
        if known.entries.len() >= self.settings.known && !known.entries.contains_key(&key) {
            self.evict(&mut known);
        }
        let Known { entries, names, books, number, .. } = &mut *known;
        seen.standards = finding.standards.iter().filter_map(|standard| names.number(standard)).collect();
        let site = Site {
            account: names.number_or_other(&finding.account),
            region: names.number_or_other(finding.shown_region().unwrap_or("unknown")),
            product: names.number_or_other(&finding.product),
            control: names.number_or_other(finding.control()),
        };
        let entry = entries.entry(key).or_insert_with(|| {
            let book = books.of(home(names, site));
            book.keys.insert(key);
            book.born_ms.get_or_insert(now_ms);
            Entry::new(site)
        });
        if is_control(finding) {
            let words = std::iter::once(site.product).chain(seen.standards.iter().copied());
            books.of(home(names, entry.site)).hear(words, now_ms);
        }
        *number += 1;
        match entry.judge(&seen, *number, owed) {
            Judged::Unchanged => {
                books.of(home(names, entry.site)).stale = true;
                self.unchanged.fetch_add(1, Relaxed);
                Verdict::Unchanged
            }
            Judged::Copy => {
                books.of(home(names, entry.site)).stale = true;
                self.copies.fetch_add(1, Relaxed);
                Verdict::Copy
            }
            Judged::Tell { transition, before, was_excepted, uncovers, after, still_open, again, number } => {
                let book = books.of(home(names, entry.site));
                let was = before.filter(|_| transition == Transition::Resolved).map(|(_, severity)| severity);
                let severity = was.map_or(after.severity(), |was| was.max(after.severity()));
                let notice = self.notice((finding, key, entry.site), (transition, uncovers, &after), still_open, book, now_ms);
                Verdict::Tell(Tell {
                    transition,
                    notify: notice == Notice::Due,
                    held: notice == Notice::Held,
                    excepted: after.excepted(),
                    was_excepted,
                    status: after.status(),
                    severity,
                    before,
                    first_seen_ms: after.first_seen_ms,
                    reopened: after.reopened,
                    standards: after.standards.iter().map(|standard| names.name(*standard).to_owned()).collect(),
                    again,
                    token: Token { key, number, tenure },
                })
            }
        }
    }

    /// The events of a change have settled so: it is known now, or forgotten. `piece` is what the record owes until its finding is
    /// written; where nobody writes, until now.
    pub fn conclude(&self, token: Token, settled: Settled, piece: Piece) {
        let mut known = self.lock();
        if token.tenure != known.tenure {
            // What it would move is another agent's now.
            drop(known);
            return piece.settle(Settled::Returned);
        }
        let Known { entries, names, books, .. } = &mut *known;
        let mut owed: Owed = vec![(piece, settled)];
        if let Some(entry) = entries.get_mut(&token.key) {
            // What was refused is in the dead letters, once.
            let shared_as = if settled == Settled::Rejected { Settled::Delivered } else { settled };
            owed.extend(entry.conclude(token.number, settled).into_iter().map(|piece| (piece, shared_as)));
            let home = home(names, entry.site);
            if entry.is_empty() {
                entries.remove(&token.key);
                books.remove(home, token.key);
            } else if settled != Settled::Returned {
                let book = books.of(home);
                book.is_back(token.key);
                book.dirty = true;
                if self.kept {
                    book.waiting.append(&mut owed);
                }
            }
        }
        drop(known);
        settle(owed);
    }

    /// Findings that are not resolved, counted, as New Relic accepted them.
    #[must_use]
    pub fn open_counts(&self) -> Vec<OpenFindings> {
        let known = self.lock();
        let mut counts: BTreeMap<(Site, Severity), (u64, u64, u64)> = BTreeMap::new();
        for entry in known.entries.values() {
            let Some(state) = entry.accepted() else { continue };
            if state.status() == FindingStatus::Resolved {
                continue;
            }
            let (open, excepted, suppressed) = counts.entry((entry.site, state.severity())).or_default();
            match state.status() {
                FindingStatus::Open if state.excepted() => *excepted += 1,
                FindingStatus::Open => *open += 1,
                _ => *suppressed += 1,
            }
        }
        let name = |number: u16| known.names.name(number).to_owned();
        let rows = counts.into_iter().map(|((site, severity), (open, excepted, suppressed))| OpenFindings {
            account: name(site.account),
            region: name(site.region),
            product: name(site.product),
            control: name(site.control),
            severity,
            open,
            excepted,
            suppressed,
        });
        let mut rows: Vec<OpenFindings> = rows.collect();
        rows.sort();
        rows
    }

    /// What was counted.
    #[must_use]
    pub fn tallies(&self) -> FindingTallies {
        FindingTallies {
            known: self.lock().entries.len() as u64,
            unchanged: self.unchanged.load(Relaxed),
            copies: self.copies.load(Relaxed),
            evicted: self.evicted.load(Relaxed),
            evicted_open: self.evicted_open.load(Relaxed),
            forgotten: self.forgotten.load(Relaxed),
            unheard: self.unheard.load(Relaxed),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
