//! What is remembered of one finding.
//!
//! In: a record that was seen. Out: the state after it. What always holds: one that is older than what is known changes nothing. Most
//! findings have one part; a control of Security Hub that is not consolidated has one per standard, and stands where its most
//! open part stands, and is excepted when all parts that are open are.
//!
//! What people change in Security Hub does not move the finding's own time. Among records of one such moment the time of the event
//! around them decides, but only between events of one form and one Region: AWS repeats every finding in the home Region, some
//! minutes later, and what is old there is no news. So a moment is followed in the Region that told it first; each of them tells how
//! it ends. Another one counts again when it speaks hours later.

use super::Weight;
use super::cover::{Cover, Covered};
use crate::record::id::digest_words;
use crate::record::time::DAY_MS;
use crate::record::{Finding, FindingForm, FindingKey, FindingStatus, Severity};

/// As long as the form whose word counts was heard of within this time, no other takes its place.
const LEAD_MS: i64 = 7 * DAY_MS;

/// So much later, seconds, what another Region tells of the same moment is no repetition any more.
const REPEAT_S: u32 = 6 * 3_600;

/// What one record says.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) part: u64,
    pub(super) form: FindingForm,
    pub(super) of_hub: bool,
    pub(super) updated_ms: i64,
    pub(super) severity: Severity,
    pub(super) status: FindingStatus,
    pub(super) covered: Covered,
    pub(super) shown: u32,
    pub(super) first_seen_ms: i64,
    /// Half of its event id: enough to tell the few of one finding apart.
    pub(super) event: u64,
    /// The same, if what its event id names was told before and is so once more; 0: no event was around it.
    pub(super) again: u64,
    /// When, by whom and where it was told.
    pub(super) told: Told,
    /// By number of their names, which the caller knows.
    pub(super) standards: Vec<u16>,
}

impl Seen {
    pub(super) fn of(finding: &Finding<'_>, Weight { severity, covered }: Weight, event_id: &str) -> Self {
        let half = |id: &str| FindingKey::of_text(id).map_or(0, |FindingKey([high, _])| high);
        let shown = finding.shown() ^ (severity as u32).wrapping_mul(0x9e37_79b9);
        Self {
            part: finding.part_hash(),
            form: finding.form,
            of_hub: finding.has_workflow(),
            updated_ms: finding.updated_ms,
            severity,
            status: finding.status,
            covered,
            shown,
            first_seen_ms: finding.first_seen_ms.unwrap_or(finding.updated_ms).min(finding.updated_ms),
            event: half(event_id),
            again: finding.again_id(event_id).map_or(0, |id| half(&id)),
            told: Told::of(finding),
            standards: Vec::new(),
        }
    }
}

/// The event around a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// Seconds since the epoch; 0: unknown.
    pub(super) at_s: u32,
    /// Its Region, as a hash.
    pub(super) region: u16,
    pub(super) form: FindingForm,
}

impl Told {
    #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash are as good as others")]
    fn of(finding: &Finding<'_>) -> Self {
        let [region, _] = digest_words(&[finding.told_in.as_deref().unwrap_or_default().as_bytes()]);
        let at_s = finding.told_ms.and_then(|ms| u32::try_from(ms / 1_000).ok()).unwrap_or(0);
        Self { at_s, region: region as u16, form: finding.form }
    }

    fn is_known_as(self, other: Self) -> bool {
        self.at_s > 0 && other.at_s > 0 && self.form == other.form
    }

    /// Whether it was told after `other`, as far as that can be said.
    fn is_after(self, other: Self) -> bool {
        let margin = if self.region == other.region { 1 } else { REPEAT_S };
        self.is_known_as(other) && self.at_s >= other.at_s.saturating_add(margin)
    }

    /// Whether it is the same Region's earlier word.
    fn is_before(self, other: Self) -> bool {
        self.is_known_as(other) && self.region == other.region && self.at_s < other.at_s
    }

    /// Whether it is another Region's word, which that of `other` has told or will tell.
    fn is_echo_of(self, other: Self) -> bool {
        self.is_known_as(other) && self.region != other.region && !self.is_after(other)
    }
}

/// Where the findings of a control stand, by number of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Site {
    pub(super) account: u16,
    pub(super) region: u16,
    pub(super) product: u16,
    pub(super) control: u16,
}

/// One of the findings under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) id: u64,
    pub(super) updated_ms: i64,
    /// The form whose word counts: Security Hub's, because people work there, else the one that came first. The others repeat it,
    /// sooner or later, and may only close the finding.
    pub(super) lead: FindingForm,
    /// When it was last heard of.
    pub(super) lead_ms: i64,
    /// What it showed last.
    pub(super) shown: u32,
    pub(super) severity: Severity,
    pub(super) status: FindingStatus,
    /// The form that put it there.
    pub(super) by: FindingForm,
    /// The exception that covered it when it was told; rare, so that it is kept apart.
    pub(super) cover: Option<Box<Cover>>,
    /// The event that told what counts of this moment.
    pub(super) told: Told,
}

/// What is known of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) first: Part,
    pub(super) rest: Vec<Part>,
    pub(super) first_seen_ms: i64,
    pub(super) reopened: u32,
    pub(super) standards: Box<[u16]>,
}

/// What a record would change.
#[derive(Debug)]
pub(super) enum Step {
    /// The state after it; whether anything that is shown differs.
    Moved(State, bool),
    /// It is older than what is known; whether it says something else than that.
    Stale(bool),
}

impl Part {
    fn of(seen: &Seen) -> Self {
        Self {
            id: seen.part,
            updated_ms: seen.updated_ms,
            lead: seen.form,
            lead_ms: seen.updated_ms,
            shown: seen.shown,
            severity: seen.severity,
            status: seen.status,
            by: seen.form,
            cover: seen.covered.or(None),
            told: seen.told,
        }
    }

    /// Whether the record speaks of the moment that is known, and says something else.
    fn differs(&self, seen: &Seen) -> bool {
        let shows_other = self.shown != seen.shown || seen.covered.is_other_than(self.cover.as_deref());
        (self.status, self.severity) != (seen.status, seen.severity) || self.lead == seen.form && shows_other
    }

    /// Whether the word of this record counts.
    fn is_led_by(&self, seen: &Seen) -> bool {
        let is_hub = matches!(self.lead, FindingForm::Asff | FindingForm::Ocsf);
        seen.form == self.lead || seen.of_hub && !is_hub || seen.updated_ms.saturating_sub(self.lead_ms) >= LEAD_MS
    }

    /// The part after a record that is not older; whether it shows something else than it did.
    fn after(&self, seen: &Seen) -> (Self, bool) {
        let mut after = self.clone();
        let leads = self.is_led_by(seen);
        let reopens = seen.status < self.status;
        // What was set aside stays so until the form that said it says otherwise; what another form tells of the same moment closes
        // and never reopens.
        let is_held = reopens
            && seen.form != self.by
            && (self.status == FindingStatus::Suppressed || !leads || seen.updated_ms == self.updated_ms);
        if seen.status != self.status && !is_held {
            (after.status, after.by) = (seen.status, seen.form);
        }
        after.updated_ms = seen.updated_ms;
        let mut shows = false;
        if leads {
            if !is_held {
                after.severity = seen.severity;
                shows = seen.form == self.lead && seen.shown != self.shown;
            }
            (after.lead, after.lead_ms, after.shown) = (seen.form, seen.updated_ms, seen.shown);
            // Forms do not say the same of a finding: only the one that counts decides on it, or two would take turns.
            after.cover = seen.covered.or(after.cover);
        }
        let stands_otherwise =
            (after.status, after.severity, after.cover.is_some()) != (self.status, self.severity, self.cover.is_some());
        if stands_otherwise || shows || seen.updated_ms > self.updated_ms {
            after.told = seen.told;
        }
        (after, shows)
    }
}

impl State {
    /// After the first record.
    pub(super) fn of(seen: &Seen) -> Self {
        let mut standards = seen.standards.clone();
        standards.sort_unstable();
        standards.dedup();
        Self {
            first: Part::of(seen),
            rest: Vec::new(),
            first_seen_ms: seen.first_seen_ms,
            reopened: 0,
            standards: standards.into(),
        }
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    fn part_mut(&mut self, id: u64) -> Option<&mut Part> {
        std::iter::once(&mut self.first).chain(&mut self.rest).find(|part| part.id == id)
    }

    fn part_at(&self, seen: &Seen) -> Option<&Part> {
        self.parts().find(|part| part.id == seen.part && part.updated_ms == seen.updated_ms)
    }

    /// Whether the record puts it once more where it stood before, at the same moment of the provider's.
    pub(super) fn is_revisited(&self, seen: &Seen) -> bool {
        self.part_at(seen).is_some_and(|part| seen.told.is_after(part.told) && part.differs(seen))
    }

    /// Whether another Region's word counts.
    pub(super) fn is_echoed(&self, seen: &Seen) -> bool {
        self.part_at(seen).is_some_and(|part| seen.told.is_echo_of(part.told))
    }

    /// A record that says what is known: by a later event of the same Region, it still is so.
    pub(super) fn hear(&mut self, seen: &Seen) {
        let part = self.part_mut(seen.part).filter(|part| part.updated_ms == seen.updated_ms && !part.differs(seen));
        if let Some(part) = part
            && part.told.is_before(seen.told)
        {
            part.told = seen.told;
        }
    }

    /// Where it stands: as its most open part.
    pub(super) fn status(&self) -> FindingStatus {
        self.parts().map(|part| part.status).min().unwrap_or(FindingStatus::Open)
    }

    /// How severe it is: the most severe of the parts that stand there.
    pub(super) fn severity(&self) -> Severity {
        let status = self.status();
        let severities = self.parts().filter(|part| part.status == status).map(|part| part.severity);
        severities.max().unwrap_or(Severity::Informational)
    }

    /// Whether it counts as excepted: it is open, and an exception covers every part of it that is.
    pub(super) fn excepted(&self) -> bool {
        self.is_open_and(|part| part.cover.as_ref().is_some_and(|cover| !cover.is_over))
    }

    /// Whether it was told as excepted, also where that is over by now.
    pub(super) fn told_excepted(&self) -> bool {
        self.is_open_and(|part| part.cover.is_some())
    }

    fn is_open_and(&self, holds: impl Fn(&Part) -> bool) -> bool {
        let is_open = |part: &&Part| part.status == FindingStatus::Open;
        self.status() == FindingStatus::Open && self.parts().filter(is_open).all(holds)
    }

    /// The state with these exceptions over; `None`: none of them is.
    pub(super) fn uncovered(&self, is_over: impl Fn(&Cover) -> bool) -> Option<Self> {
        let ends = |part: &Part| part.cover.as_ref().is_some_and(|cover| !cover.is_over && is_over(cover));
        if !self.parts().any(ends) {
            return None;
        }
        let mut after = self.clone();
        for part in std::iter::once(&mut after.first).chain(&mut after.rest).filter(|part| ends(part)) {
            part.cover.iter_mut().for_each(|cover| cover.is_over = true);
        }
        Some(after)
    }

    /// The state with the exceptions of `ended`, an earlier one, not over, because nobody was told that they are; `None`: nothing of
    /// that is to be told, for it is not open, is excepted, or has paged since by itself.
    pub(super) fn owing(&self, ended: &Self) -> Option<Self> {
        let has_paged = self.severity() > ended.severity() || self.reopened > ended.reopened;
        if has_paged || self.status() != FindingStatus::Open || self.excepted() {
            return None;
        }
        let mut after = self.clone();
        for part in std::iter::once(&mut after.first).chain(&mut after.rest) {
            let is_covered = part.cover.as_ref().is_some_and(|cover| !cover.is_over);
            if part.status == FindingStatus::Open && !is_covered {
                let own = ended.parts().find(|before| before.id == part.id).and_then(|before| before.cover.as_ref());
                let cover = own.or_else(|| ended.parts().find_map(|before| before.cover.as_ref()));
                part.cover = cover.map(|cover| Box::new(Cover { is_over: false, ..**cover }));
            }
        }
        Some(after)
    }

    /// When the provider changed it last.
    pub(super) fn updated_ms(&self) -> i64 {
        self.parts().map(|part| part.updated_ms).max().unwrap_or(0)
    }

    /// When it was last heard of: what people change does not move the provider's time.
    pub(super) fn heard_ms(&self) -> i64 {
        let told = self.parts().map(|part| i64::from(part.told.at_s) * 1_000);
        told.max().unwrap_or(0).max(self.updated_ms())
    }

    /// What a record would change.
    pub(super) fn step(&self, seen: &Seen) -> Step {
        let mut after = self.clone();
        let mut leads = true;
        let mut shows = match after.part_mut(seen.part) {
            Some(part)
                if seen.updated_ms < part.updated_ms || seen.updated_ms == part.updated_ms && seen.told.is_before(part.told) =>
            {
                return Step::Stale(part.lead == seen.form && part.shown != seen.shown);
            }
            Some(part) => {
                leads = part.is_led_by(seen);
                let (next, shows) = part.after(seen);
                *part = next;
                shows
            }
            None => {
                after.rest.push(Part::of(seen));
                true
            }
        };
        let mut standards = self.standards.to_vec();
        if leads {
            standards.extend(seen.standards.iter().filter(|standard| !self.standards.contains(standard)));
        }
        standards.sort_unstable();
        standards.dedup();
        shows |= standards.len() > self.standards.len() || after.told_excepted() != self.told_excepted();
        after.standards = standards.into();
        after.first_seen_ms = self.first_seen_ms.min(seen.first_seen_ms);
        if self.status() > FindingStatus::Open && after.status() == FindingStatus::Open {
            after.reopened = after.reopened.saturating_add(1);
        }
        Step::Moved(after, shows)
    }
}
