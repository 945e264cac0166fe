//! Findings between two records: which are known, where they stand, and what each new record changes.
//!
//! In: a finding with its severity, then how its events settled. Out: a [`Verdict`]: a transition to tell, or why there is nothing to
//! tell; counts of open findings; the whole as plain data to be stored. What always holds: what is known follows what New Relic
//! accepted; a change is *pending* until its events have settled, and one that is returned leaves no trace, so that its record,
//! offered again, gives the same transition; no transition is told twice, whatever order records come in. The number of findings
//! is bounded: what was resolved long ago is forgotten, and when there are too many, the oldest resolved ones first.
//!
//! `entry` is the machine of one finding, `state` what it remembers, `names` its words, `stored` its form at rest.

mod entry;
mod names;
mod state;
mod stored;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ack::{Piece, Settled};
use crate::config;
use crate::record::{Finding, FindingKey, FindingStatus, Severity};
use entry::{Entry, Judged};
use names::Names;
use state::{Seen, Site};
pub use stored::StoredFindings;

/// A finding that was resolved so long ago, and not heard of since, is forgotten.
const FORGET_MS: i64 = 30 * 24 * 3_600_000;

/// Part of the findings that goes when there are too many: one in so many.
const EVICT_PART: usize = 64;

/// Judgements between two looks for what can be forgotten.
const LOOK_EVERY: u64 = 65_536;

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
}

/// A change to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tell {
    /// What changed.
    pub transition: Transition,
    /// Whether a notice is due.
    pub notify: bool,
    /// Where the finding stands now.
    pub status: FindingStatus,
    /// How severe it is now.
    pub severity: Severity,
    /// Where it stood and how severe it was; `None`: nobody knew it.
    pub before: Option<(FindingStatus, Severity)>,
    /// When it was first seen, milliseconds since the epoch.
    pub first_seen_ms: i64,
    /// How often it was reopened.
    pub reopened: u32,
    /// All standards that ask for the control.
    pub standards: Vec<String>,
    /// For [`Findings::conclude`].
    pub token: Token,
}

/// A pending change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    key: FindingKey,
    number: u64,
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
    /// Open ones.
    pub open: u64,
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
    /// Of these, those that were not resolved: they count as new when they come again.
    pub evicted_open: u64,
    /// Resolved findings forgotten in their time.
    pub forgotten: u64,
}

/// Every finding known.
#[derive(Debug)]
pub struct Findings {
    settings: config::Findings,
    known: Mutex<Known>,
    unchanged: AtomicU64,
    copies: AtomicU64,
    evicted: AtomicU64,
    evicted_open: AtomicU64,
    forgotten: AtomicU64,
}

#[derive(Debug, Default)]
struct Known {
    entries: HashMap<FindingKey, Entry>,
    names: Names,
    /// Number of the last change begun.
    number: u64,
    judged: u64,
}

impl Findings {
    /// None known yet.
    #[must_use]
    pub fn new(settings: config::Findings) -> Self {
        Self {
            settings,
            known: Mutex::default(),
            unchanged: AtomicU64::default(),
            copies: AtomicU64::default(),
            evicted: AtomicU64::default(),
            evicted_open: AtomicU64::default(),
            forgotten: AtomicU64::default(),
        }
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

    /// Judges a record of this id, and begins the change it makes, in one step: two threads never judge against the same past.
    /// `severity` is [`Findings::severity`]. `owed` is asked for a piece of the record when it says nothing new, but only beside a
    /// change that is pending: then its fate is that change's.
    pub fn judge(
        &self,
        finding: &Finding<'_>,
        severity: Severity,
        event_id: &str,
        now_ms: i64,
        owed: impl FnOnce() -> Piece,
    ) -> Verdict {
        let key = finding.key();
        let mut seen = Seen::of(finding, severity, event_id);
        let mut known = self.lock();
        let Known { entries, names, number, judged } = &mut *known;
        *judged += 1;
        if judged.is_multiple_of(LOOK_EVERY) {
            self.forget(entries, now_ms);
        }
        if entries.len() >= self.settings.known && !entries.contains_key(&key) {
            self.evict(entries);
        }
        seen.standards = finding.standards.iter().filter_map(|standard| names.number(standard)).collect();
        let site = Site {
            account: names.number_or_other(&finding.account),
            region: names.number_or_other(finding.shown_region().unwrap_or("unknown")),
            product: names.number_or_other(&finding.product),
            control: names.number_or_other(finding.control()),
        };
        let entry = entries.entry(key).or_insert_with(|| Entry::new(site));
        *number += 1;
        match entry.judge(&seen, *number, owed) {
            Judged::Unchanged => {
                self.unchanged.fetch_add(1, Relaxed);
                Verdict::Unchanged
            }
            Judged::Copy => {
                self.copies.fetch_add(1, Relaxed);
                Verdict::Copy
            }
            Judged::Tell { transition, before, after, still_open, number } => {
                let open = after.status() == FindingStatus::Open && still_open;
                let notify = transition.is_alarming() && open && after.severity() >= self.settings.notify;
                Verdict::Tell(Tell {
                    transition,
                    notify,
                    status: after.status(),
                    severity: after.severity(),
                    before,
                    first_seen_ms: after.first_seen_ms,
                    reopened: after.reopened,
                    standards: after.standards.iter().map(|standard| names.name(*standard).to_owned()).collect(),
                    token: Token { key, number },
                })
            }
        }
    }

    /// The events of a change have settled so: it is known now, or forgotten. `piece` is what the record owes until its finding is
    /// kept: for as long as the state is in memory only, that is now.
    pub fn conclude(&self, token: Token, settled: Settled, piece: Piece) {
        let mut known = self.lock();
        let mut shared = Vec::new();
        if let Some(entry) = known.entries.get_mut(&token.key) {
            shared = entry.conclude(token.number, settled);
            if entry.is_empty() {
                known.entries.remove(&token.key);
            }
        }
        drop(known);
        piece.settle(settled);
        for piece in shared {
            // What was refused is in the dead letters, once.
            piece.settle(if settled == Settled::Rejected { Settled::Delivered } else { settled });
        }
    }

    /// Findings that are not resolved, counted, as New Relic accepted them.
    #[must_use]
    pub fn open_counts(&self) -> Vec<OpenFindings> {
        let known = self.lock();
        let mut counts: BTreeMap<(Site, Severity), (u64, u64)> = BTreeMap::new();
        for entry in known.entries.values() {
            let Some(state) = entry.accepted() else { continue };
            let (open, suppressed) = match state.status() {
                FindingStatus::Open => (1, 0),
                FindingStatus::Suppressed => (0, 1),
                FindingStatus::Resolved => continue,
            };
            let count = counts.entry((entry.site, state.severity())).or_default();
            *count = (count.0 + open, count.1 + suppressed);
        }
        let name = |number: u16| known.names.name(number).to_owned();
        let rows = counts.into_iter().map(|((site, severity), (open, suppressed))| OpenFindings {
            account: name(site.account),
            region: name(site.region),
            product: name(site.product),
            control: name(site.control),
            severity,
            open,
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
        }
    }

    /// Forgets what was resolved long ago.
    fn forget(&self, entries: &mut HashMap<FindingKey, Entry>, now_ms: i64) {
        let before = entries.len();
        entries.retain(|_, entry| {
            entry
                .at_rest()
                .is_none_or(|(status, heard_ms)| status != FindingStatus::Resolved || now_ms.saturating_sub(heard_ms) < FORGET_MS)
        });
        self.forgotten.fetch_add((before - entries.len()) as u64, Relaxed);
    }

    /// Lets some go: resolved ones first, then those set aside, the longest unheard of first. What is pending stays.
    fn evict(&self, entries: &mut HashMap<FindingKey, Entry>) {
        let order = |entry: &Entry| entry.at_rest().map(|(status, heard_ms)| (std::cmp::Reverse(status), heard_ms));
        let mut all: Vec<_> = entries.iter().filter_map(|(key, entry)| Some((order(entry)?, *key))).collect();
        let part = (self.settings.known / EVICT_PART).max(1).min(all.len());
        if part == 0 {
            return;
        }
        all.select_nth_unstable(part - 1);
        for ((std::cmp::Reverse(status), _), key) in all.into_iter().take(part) {
            entries.remove(&key);
            self.evicted.fetch_add(1, Relaxed);
            if status != FindingStatus::Resolved {
                self.evicted_open.fetch_add(1, Relaxed);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
