//! The state of every resource under every rule, per account and Region.
//!
//! In: changes that AWS Config told ([`Fact`]) and what its API says ([`reconcile`]). Out: a [`Judgement`] for each change, with
//! its [`Story`]: what was before, since when, how often. What always holds:
//!
//! - A change is *pending* until its events were accepted; only then is it part of the state. One that was returned is forgotten,
//!   so that it is told again when it comes again.
//! - What was told before is known again; what is older than the state is told, but moves nothing.
//! - A piece that waits for the state to be written settles only after it was ([`Kept::written`]).

pub mod counts;
pub mod history;
mod place;
pub mod reconcile;
mod stored;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ack::{Piece, Settled};
use crate::posture::kept::{Kept, Owed, settle};
use crate::posture::stored::StoredError;
use crate::record::time::HOUR_MS;
use crate::record::{AccountRegion, ComplianceState, Severity};
use place::{Key, Place};
pub use reconcile::Correction;

/// Results that are kept at most, about 300 MiB of them; beyond it changes are judged by what AWS says alone.
const RESULTS_MAX: usize = 4_000_000;

/// How long a rule counts as newly deployed: its first results tell how things are, not that they became so.
const NEW_RULE_MS: i64 = HOUR_MS;

/// One change of state, as AWS Config told it.
#[derive(Debug, Clone, Copy)]
pub struct Fact<'a> {
    /// Deployed name of the rule.
    pub rule: &'a str,
    /// Its ARN; empty where nobody says.
    pub rule_arn: &'a str,
    /// As `AWS::S3::Bucket`.
    pub resource_type: &'a str,
    /// As AWS Config names it.
    pub resource_id: &'a str,
    /// The state now.
    pub state: ComplianceState,
    /// The state before, in AWS's words; `None`: it says there was none, or does not say.
    pub previous: Option<ComplianceState>,
    /// When the result was recorded, milliseconds since the epoch.
    pub at_ms: i64,
    /// Why, in the rule's words.
    pub annotation: Option<&'a str>,
}

/// What the state knows of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Story {
    /// The state before; `None`: there was none.
    pub previous: Option<ComplianceState>,
    /// When the violation that is now, or has just ended, began.
    pub since_ms: Option<i64>,
    /// When this resource was first seen to violate this rule.
    pub first_seen_ms: Option<i64>,
    /// How often it violated again after it was mended.
    pub reopen_count: u32,
    /// How long the violation lasted that has just ended, milliseconds.
    pub resolved_after_ms: Option<i64>,
    /// A violation begins that a person must see: not one of a rule that was deployed just now, nor one that is known.
    pub notifiable: bool,
}

/// What to do with a change.
#[derive(Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It was told before.
    Known,
    /// This agent does not lead: the one that does must judge it.
    NotLeading,
    /// Something newer is known: it is told, and moves nothing.
    Late(Story),
    /// It moves the state, once it was accepted.
    Change(Story, Ticket),
}

/// A pending change.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a change that is never concluded stays pending"]
pub struct Ticket {
    tenure: u64,
    place: AccountRegion,
    key: Key,
    number: u64,
}

/// The state, shared by the workers and whoever reads the API.
#[derive(Debug)]
pub struct Compliance {
    /// Whether pieces wait until the state was written.
    kept: bool,
    /// Least severity of a notice.
    notify: Severity,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    places: BTreeMap<AccountRegion, Place>,
    /// Counts the times that it was opened; odd while it is open.
    tenure: u64,
    tickets: u64,
    results: usize,
    /// As many as there may be.
    results_max: usize,
    /// It was said that there are so many.
    said_full: bool,
}

impl Compliance {
    /// An empty state, open to changes, which nobody writes down.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::with(false, Inner { tenure: 1, ..Inner::default() })
    }

    /// An empty state that somebody writes down: pieces wait for that, and it is closed until it was loaded.
    #[must_use]
    pub fn kept() -> Self {
        Self::with(true, Inner::default())
    }

    fn with(kept: bool, inner: Inner) -> Self {
        Self { kept, notify: Severity::High, inner: Mutex::new(Inner { results_max: RESULTS_MAX, ..inner }) }
    }

    /// The same, with notices of this severity and above.
    #[must_use]
    pub fn notify(self, notify: Severity) -> Self {
        Self { notify, ..self }
    }

    /// Whether a violation of a rule of this severity is worth a notice. `None`: no table knows the rule, which is the customer's
    /// own; who wrote it wants to hear of it.
    #[must_use]
    pub fn notifies(&self, severity: Option<Severity>) -> bool {
        severity.is_none_or(|severity| severity >= self.notify)
    }

    /// Whether pieces wait until it was written.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.kept
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves the maps whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges a change at `now_ms`.
    pub fn judge(&self, place: &AccountRegion, fact: &Fact<'_>, now_ms: i64) -> Judgement {
        let mut inner = self.lock();
        if inner.tenure.is_multiple_of(2) {
            return Judgement::NotLeading;
        }
        inner.tickets += 1;
        let (number, tenure) = (inner.tickets, inner.tenure);
        let full = inner.is_full(0);
        let state = inner.place(place);
        let (story, next) = match state.judge(fact, now_ms) {
            place::Judged::Known => return Judgement::Known,
            place::Judged::Late(story) => return Judgement::Late(story),
            place::Judged::Change(story, next) => (story, next),
        };
        let key = Key::of(fact.rule, fact.resource_type, fact.resource_id);
        if full && !state.holds(&key) {
            inner.say_full();
            return Judgement::Late(story);
        }
        state.pend(key.clone(), number, fact.rule_arn, next);
        Judgement::Change(story, Ticket { tenure, place: place.clone(), key, number })
    }

    /// The events of a change have settled so; `piece` is what its record still owes: it settles once the state is written.
    pub fn conclude(&self, ticket: Ticket, settled: Settled, piece: Piece) {
        let mut inner = self.lock();
        if ticket.tenure != inner.tenure {
            // What it would move is another agent's now.
            drop(inner);
            return piece.settle(Settled::Returned);
        }
        let state = inner.place(&ticket.place);
        if settled == Settled::Returned {
            state.forget(&ticket.key, ticket.number);
            drop(inner);
            return piece.settle(Settled::Returned);
        }
        let grown = state.commit(&ticket.key, ticket.number);
        let at_once = if self.kept {
            state.waiting.push((piece, settled));
            None
        } else {
            Some(piece)
        };
        inner.results += grown;
        drop(inner);
        if let Some(piece) = at_once {
            piece.settle(settled);
        }
    }

    /// The managed rule that AWS Config names as the source of a rule, as `INCOMING_SSH_DISABLED`; `None`: it is the customer's own,
    /// or no reading has told yet.
    #[must_use]
    pub fn identifier(&self, place: &AccountRegion, rule: &str) -> Option<Box<str>> {
        self.lock().places.get(place)?.rules.get(rule)?.identifier.clone()
    }

    /// How many results it holds.
    #[must_use]
    pub fn results(&self) -> usize {
        self.lock().results
    }
}

impl Kept for Compliance {
    fn folder(&self) -> &'static str {
        "compliance/"
    }

    fn loss(&self) -> &'static str {
        "it is read from AWS anew, what was first seen when is lost"
    }

    fn open(&self) {
        let mut inner = self.lock();
        inner.tenure += u64::from(inner.tenure.is_multiple_of(2));
    }

    fn forget(&self, place: &AccountRegion) -> bool {
        let mut inner = self.lock();
        let Some(state) = inner.places.get(place) else { return true };
        if !state.pending.is_empty() || !state.waiting.is_empty() {
            return false;
        }
        let fewer = state.results();
        inner.results = inner.results.saturating_sub(fewer);
        drop(inner.places.remove(place));
        true
    }

    fn unwritten(&self, _all: bool) -> Vec<AccountRegion> {
        let inner = self.lock();
        inner.places.iter().filter(|(_, place)| place.dirty || !place.waiting.is_empty()).map(|(name, _)| name.clone()).collect()
    }

    fn to_write(&self, place: &AccountRegion) -> Option<(Vec<u8>, Owed)> {
        let mut inner = self.lock();
        let state = inner.places.get_mut(place)?;
        let bytes = stored::write(place, state);
        state.dirty = false;
        Some((bytes, std::mem::take(&mut state.waiting)))
    }

    fn written(&self, place: &AccountRegion, owed: Owed, well: bool) {
        if well {
            return settle(owed);
        }
        let mut inner = self.lock();
        let Some(state) = inner.places.get_mut(place) else {
            // Another agent leads meanwhile: they go back as they are dropped.
            drop(inner);
            return drop(owed);
        };
        state.dirty = true;
        state.waiting.extend(owed);
    }

    fn load(&self, place: &AccountRegion, bytes: &[u8]) -> Result<(), StoredError> {
        let state = stored::read(bytes)?;
        let mut inner = self.lock();
        inner.results += state.results();
        inner.places.insert(place.clone(), state);
        Ok(())
    }

    fn clear(&self) {
        // Their pieces settle outside of the lock.
        let places = {
            let mut inner = self.lock();
            inner.results = 0;
            inner.said_full = false;
            inner.tenure += inner.tenure % 2;
            std::mem::take(&mut inner.places)
        };
        drop(places);
    }
}

impl Inner {
    /// Whether there is no room for one more, beside so many that are not counted yet.
    fn is_full(&self, more: usize) -> bool {
        self.results.saturating_add(more) >= self.results_max
    }

    /// Says once that there is no room.
    fn say_full(&mut self) {
        if !std::mem::replace(&mut self.said_full, true) {
            tracing::warn!(
                results = self.results,
                "The state of compliance holds {} results of AWS Config, as many as it may: further ones are in no count, row or \
                 percent, their changes are told as AWS tells them and without a history, and what no event tells of them is not \
                 repaired. Let several agents read fewer accounts or Regions each (posture.accounts, posture.regions)",
                self.results_max
            );
        }
    }

    fn place(&mut self, place: &AccountRegion) -> &mut Place {
        if !self.places.contains_key(place) {
            self.places.insert(place.clone(), Place::default());
        }
        self.places.entry(place.clone()).or_default()
    }
}

/// Whether a state counts as a violation.
fn violates(state: Option<ComplianceState>) -> bool {
    state == Some(ComplianceState::NonCompliant)
}
