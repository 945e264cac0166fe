//! The machine of one finding: what New Relic accepted, what is pending, what is owed.
//!
//! In: records and how their events settled. Out: what each record changes. What always holds:
//!
//! - a change is judged against the newest one before it, accepted or pending;
//! - changes have numbers that grow; the state is that of the highest number accepted;
//! - a change that is returned leaves nothing behind, unless a later one was built upon it: then its transition is *owed*, and its
//!   record tells it when it comes again, under its old number, although it is old news by then;
//! - the end of an exception, which no record told, is owed by the state of whatever was built upon it, until it is accepted;
//! - a record that says nothing new beside a pending change shares its fate: if that comes back, so does this one;
//! - a record that puts the finding where it stood before, without the provider's time having moved, is no copy of the record that
//!   told so first: it has an id of its own, with the time of the event around it;
//! - a record that is older than what is known, was never told and says something else is told as `updated` and changes nothing.

use std::borrow::Cow;

use super::Transition;
use super::state::{Seen, Site, State, Step};
use crate::ack::{Piece, Settled};
use crate::record::{FindingStatus, Severity};

/// Event ids remembered as told, the newest of each finding.
const TOLD: usize = 12;

/// The event of a change that no record told.
const NO_EVENT: u64 = 0;

/// One finding.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) site: Site,
    base: Option<State>,
    /// Number of the change that made `base`.
    number: u64,
    told: Vec<u64>,
    /// Rare and large: only while something is under way.
    flight: Option<Box<Flight>>,
}

#[derive(Debug, Default)]
struct Flight {
    /// By number, lowest first.
    pending: Vec<Change>,
    owed: Vec<Change>,
}

#[derive(Debug)]
struct Change {
    number: u64,
    event: u64,
    transition: Transition,
    before: Option<(FindingStatus, Severity)>,
    /// It was told as excepted before.
    was_excepted: bool,
    /// It counted as excepted, and does no more.
    uncovers: bool,
    after: State,
    /// Whether it moves the state; old news does not.
    moves: bool,
    /// What records owe that say nothing new beside this change: they share its fate.
    shared: Vec<Piece>,
}

/// What a record changes.
#[derive(Debug)]
pub(super) enum Judged {
    /// Nothing that is shown.
    Unchanged,
    /// It was told, or is being told.
    Copy,
    /// Something; conclude it under this number.
    Tell {
        transition: Transition,
        before: Option<(FindingStatus, Severity)>,
        /// It was told as excepted before.
        was_excepted: bool,
        /// It was excepted, and this change makes it one that is not: old news never does.
        uncovers: bool,
        after: State,
        /// The finding is still open, as far as is known by now.
        still_open: bool,
        /// It stands once more as it was told before.
        again: bool,
        number: u64,
    },
}

impl Entry {
    pub(super) fn new(site: Site) -> Self {
        Self { site, base: None, number: 0, told: Vec::new(), flight: None }
    }

    /// As it is read back.
    pub(super) fn stored(site: Site, base: State, told: Vec<u64>) -> Self {
        Self { site, base: Some(base), number: 0, told, flight: None }
    }

    /// What New Relic accepted.
    pub(super) fn accepted(&self) -> Option<&State> {
        self.base.as_ref()
    }

    /// The same as it is written: the end of an exception that waits for its answer is still to be told, whatever was accepted
    /// meanwhile.
    pub(super) fn to_write(&self) -> Option<Cow<'_, State>> {
        let base = self.base.as_ref()?;
        let mut pending = self.flight.iter().flat_map(|flight| &flight.pending);
        let end = pending.find(|change| change.event == NO_EVENT && change.number < self.number);
        Some(end.and_then(|end| base.owing(&end.after)).map_or(Cow::Borrowed(base), Cow::Owned))
    }

    /// Where it stands and when it was last heard of, if nothing is pending. What is owed may never come again; of what was only told
    /// there is no stand, and none that grows old.
    pub(super) fn at_rest(&self) -> Option<(FindingStatus, i64)> {
        if self.flight.as_ref().is_some_and(|flight| !flight.pending.is_empty()) {
            return None;
        }
        Some(self.base.as_ref().map_or((FindingStatus::Resolved, i64::MAX), |state| (state.status(), state.heard_ms())))
    }

    /// Nothing of it waits for an answer, nor for its record to come again.
    pub(super) fn rests(&self) -> bool {
        self.flight.is_none()
    }

    /// What New Relic accepted is so from now on: nothing is told of that.
    pub(super) fn replace(&mut self, base: State) {
        self.base = Some(base);
    }

    /// Begins a change that no record told: an exception is over.
    pub(super) fn uncover(&mut self, number: u64, after: State) {
        let stand = Some((after.status(), after.severity()));
        let change = Change {
            number,
            event: NO_EVENT,
            transition: Transition::Updated,
            before: stand,
            was_excepted: true,
            uncovers: true,
            after,
            moves: true,
            shared: Vec::new(),
        };
        self.flight.get_or_insert_default().pending.push(change);
    }

    pub(super) fn told(&self) -> &[u64] {
        &self.told
    }

    /// Nothing is known, nothing under way, and nothing was told.
    pub(super) fn is_empty(&self) -> bool {
        self.base.is_none() && self.flight.is_none() && self.told.is_empty()
    }

    /// As it stands with what is pending.
    pub(super) fn latest(&self) -> Option<&State> {
        let pending = self.flight.as_ref().and_then(|flight| flight.pending.iter().rev().find(|change| change.moves));
        match pending {
            Some(change) if change.number > self.number || self.base.is_none() => Some(&change.after),
            _ => self.base.as_ref(),
        }
    }

    fn latest_mut(&mut self) -> Option<&mut State> {
        let pending = self.flight.as_mut().and_then(|flight| flight.pending.iter_mut().rev().find(|change| change.moves));
        match pending {
            Some(change) if change.number > self.number || self.base.is_none() => Some(&mut change.after),
            _ => self.base.as_mut(),
        }
    }

    /// Judges a record and begins what it changes under this number. `owed`: what the record owes if it says nothing new, until
    /// that beside which it does is settled.
    pub(super) fn judge(&mut self, seen: &Seen, number: u64, owed: impl FnOnce() -> Piece) -> Judged {
        let judged = self.judged(seen, number);
        if matches!(judged, Judged::Unchanged | Judged::Copy)
            && let Some(flight) = &mut self.flight
        {
            let same = flight.pending.iter().rposition(|change| [seen.again, seen.event].contains(&change.event));
            let place = same.or_else(|| flight.pending.iter().rposition(|change| change.moves));
            let change = place.and_then(|place| flight.pending.get_mut(place));
            if let Some(change) = change.filter(|change| same.is_some() || change.number > self.number || self.base.is_none()) {
                change.shared.push(owed());
            }
        }
        judged
    }

    fn judged(&mut self, seen: &Seen, number: u64) -> Judged {
        let has_again = seen.again != 0;
        if has_again && let Some(owed) = self.take_owed(seen.again) {
            return self.begin(owed, seen);
        }
        if has_again && self.is_told(seen.again) {
            return Judged::Copy;
        }
        let is_known = self.is_told(seen.event) || self.is_owed(seen.event);
        let event = if is_known && self.latest().is_some_and(|known| known.is_revisited(seen)) {
            seen.again
        } else {
            if let Some(owed) = self.take_owed(seen.event) {
                return self.begin(owed, seen);
            }
            if is_known {
                if let Some(latest) = self.latest_mut() {
                    latest.hear(seen);
                }
                return Judged::Copy;
            }
            if self.latest().is_some_and(|known| known.is_echoed(seen)) {
                return Judged::Copy;
            }
            seen.event
        };
        let was_excepted = self.latest().is_some_and(State::told_excepted);
        let was_covered = self.latest().is_some_and(State::excepted);
        let change = |transition, before, after: State, moves| Change {
            number,
            event,
            transition,
            before,
            was_excepted,
            uncovers: moves && was_covered && !after.excepted(),
            after,
            moves,
            shared: Vec::new(),
        };
        let Some(known) = self.latest() else {
            let after = State::of(seen);
            let is_over = after.status() == FindingStatus::Resolved;
            let transition = if is_over { Transition::Updated } else { Transition::New };
            return self.begin(change(transition, None, after, true), seen);
        };
        let before = (known.status(), known.severity());
        match known.step(seen) {
            Step::Stale(false) => Judged::Unchanged,
            Step::Stale(true) => {
                let after = State::of(seen);
                self.begin(change(Transition::Updated, Some(before), after, false), seen)
            }
            Step::Moved(after, shows) => {
                let transition = transition(before, (after.status(), after.severity()));
                if let Some(transition) = transition.or(shows.then_some(Transition::Updated)) {
                    return self.begin(change(transition, Some(before), after, true), seen);
                }
                let is_newer = after.updated_ms() > known.updated_ms();
                if let Some(latest) = self.latest_mut() {
                    *latest = after;
                    latest.hear(seen);
                }
                if is_newer { Judged::Unchanged } else { Judged::Copy }
            }
        }
    }

    fn is_told(&self, event: u64) -> bool {
        let in_flight = self.flight.as_ref().is_some_and(|flight| flight.pending.iter().any(|change| change.event == event));
        in_flight || self.told.contains(&event)
    }

    fn is_owed(&self, event: u64) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.owed.iter().any(|change| change.event == event))
    }

    fn begin(&mut self, change: Change, seen: &Seen) -> Judged {
        let still_open = self.latest().is_none_or(|known| !change_is_old(self, &change) || known.status() == FindingStatus::Open);
        let judged = Judged::Tell {
            transition: change.transition,
            before: change.before,
            was_excepted: change.was_excepted,
            uncovers: change.uncovers,
            after: change.after.clone(),
            still_open,
            again: change.event != seen.event,
            number: change.number,
        };
        let flight = self.flight.get_or_insert_default();
        let place = flight.pending.partition_point(|other| other.number < change.number);
        flight.pending.insert(place, change);
        judged
    }

    fn take_owed(&mut self, event: u64) -> Option<Change> {
        let flight = self.flight.as_mut()?;
        let place = flight.owed.iter().position(|owed| owed.event == event)?;
        Some(flight.owed.swap_remove(place))
    }

    /// The events of the change of this number have settled. Gives what shares its fate.
    pub(super) fn conclude(&mut self, number: u64, settled: Settled) -> Vec<Piece> {
        let Some(flight) = &mut self.flight else { return Vec::new() };
        let Some(place) = flight.pending.iter().position(|change| change.number == number) else { return Vec::new() };
        let mut change = flight.pending.remove(place);
        let shared = std::mem::take(&mut change.shared);
        if settled == Settled::Returned {
            if change.event == NO_EVENT {
                // It comes again by itself, as soon as the newest state says that it is due.
                let later = flight.pending.iter_mut().filter(|later| later.moves && later.number > change.number);
                let base = self.base.as_mut().filter(|_| self.number > change.number);
                for state in later.map(|later| &mut later.after).chain(base) {
                    if let Some(owing) = state.owing(&change.after) {
                        *state = owing;
                    }
                }
            } else if change.moves {
                // Whether it is owed is decided below, with the others.
                flight.owed.push(change);
            }
        } else {
            if change.event != NO_EVENT {
                if self.told.len() >= TOLD {
                    self.told.remove(0);
                }
                self.told.push(change.event);
            }
            if change.moves && (change.number > self.number || self.base.is_none()) {
                self.number = change.number;
                self.base = Some(change.after);
            }
        }
        // Owed is only what something later stands upon.
        let highest = flight.pending.iter().filter(|change| change.moves).map(|change| change.number).max();
        let highest = highest.max(self.base.is_some().then_some(self.number));
        flight.owed.retain(|owed| highest.is_some_and(|highest| highest > owed.number));
        if flight.pending.is_empty() && flight.owed.is_empty() {
            self.flight = None;
        }
        shared
    }
}

/// Whether something later than this change is known.
fn change_is_old(entry: &Entry, change: &Change) -> bool {
    let highest = entry.flight.as_ref().and_then(|flight| flight.pending.iter().map(|other| other.number).max());
    !change.moves || entry.number.max(highest.unwrap_or(0)) > change.number
}

/// What the way from one stand to another is called; `None`: no change of either.
fn transition(before: (FindingStatus, Severity), after: (FindingStatus, Severity)) -> Option<Transition> {
    use FindingStatus::{Open, Resolved};
    match (before.0, after.0) {
        (Resolved, Resolved) => None,
        (_, Resolved) => Some(Transition::Resolved),
        (Open, Open) if after.1 > before.1 => Some(Transition::Worsened),
        (from, Open) if from != Open => Some(Transition::Reopened),
        (from, to) if from == to && after.1 > before.1 => Some(Transition::Worsened),
        _ if before == after => None,
        _ => Some(Transition::Updated),
    }
}
