//! Who changed a resource: the join of a configuration item with the trail record behind it.
//!
//! In: facts of trail records that changed something ([`Join::trail`]), and items ([`Join::who`]). Out: [`Who`]. What always
//! holds: nothing is guessed. A record is a candidate only if it names the very resource, in its account and Region, and happened
//! in the time before the item was captured. Candidates by different actors give `ambiguous`, none gives `none`. Facts are bounded
//! in number and by the injected time. With several agents each sees only its part of the trail: what another one read is `none`
//! here, or makes what fits `likely` at best, and a query in New Relic over resource and time finds it.

mod matching;

#[cfg(test)]
mod tests;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use crate::record::ActorKind;
use crate::record::time::HOUR_MS;

/// How long before its capture an item's change may have happened, milliseconds: AWS Config looks at a resource some minutes after
/// the call at most, where it records all the time.
pub const WINDOW_MS: i64 = 15 * 60_000;

/// How long after it, milliseconds: clocks disagree, and the trail's times are whole seconds.
pub const SKEW_MS: i64 = 5_000;

/// How long a fact is kept, milliseconds: longer than an item may wait and come late.
const KEPT_MS: i64 = 2 * HOUR_MS;

/// Most facts that are kept.
const FACTS_MAX: usize = 10_000;

/// Most names of one record: a call on a thousand instances is not worth a thousand names.
const NAMES_MAX: usize = 100;

/// Most candidates that are listed.
const CANDIDATES_MAX: usize = 20;

/// What is kept of a trail record that changed something and worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailFact {
    /// Its `event.id`.
    pub event_id: String,
    /// Account it belongs to.
    pub account: String,
    /// Region of the call.
    pub region: String,
    /// `s3` of `s3.amazonaws.com`.
    pub service: String,
    /// The call.
    pub event_name: String,
    /// When it happened, milliseconds since the epoch.
    pub time_ms: i64,
    /// What it names.
    pub names: Vec<Name>,
    /// Who did it.
    pub actor: Actor,
    /// From where.
    pub source_ip: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
}

/// Something that a trail record names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// An ARN.
    Arn(String),
    /// An id or name of a resource of this type, `AWS::S3::Bucket`; `unknown` where the record does not tell.
    Typed(String, String),
    /// An id or name out of the request, with the name it has there: `policyName`.
    Asked(String, String),
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What stands behind the identity.
    pub kind: ActorKind,
    /// One name.
    pub name: String,
    /// ARN of the caller.
    pub arn: Option<String>,
    /// Role or user that issued the session.
    pub session_issuer: Option<String>,
}

impl Actor {
    /// Whether a pipeline did it; `None`: nothing tells.
    #[must_use]
    pub fn is_pipeline(&self) -> Option<bool> {
        (self.kind != ActorKind::Unknown).then_some(self.kind == ActorKind::Ci)
    }
}

/// What the join must know of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemFact {
    /// Account of the resource.
    pub account: String,
    /// Its Region, or `global`.
    pub region: String,
    /// `AWS::S3::Bucket`
    pub resource_type: String,
    /// As Config names it.
    pub resource_id: String,
    /// Its name, if it has one beside the id.
    pub resource_name: Option<String>,
    /// Its ARN, if it has one.
    pub arn: Option<String>,
    /// When it was captured, milliseconds since the epoch.
    pub time_ms: i64,
    /// Ids of trail records that AWS Config itself names.
    pub related_events: Vec<String>,
}

/// Who changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// AWS Config names the record, or exactly one fits.
    Certain(Arc<TrailFact>),
    /// Several fit, all by the same actor: the last one. Or one fits, but there may be others that are not known here.
    Likely(Arc<TrailFact>),
    /// Records by different actors fit: their event ids, and how many there are.
    Ambiguous(Vec<String>, usize),
    /// No record that this agent has seen fits.
    None,
}

impl Who {
    /// The word in events.
    #[must_use]
    pub fn confidence(&self) -> &'static str {
        match self {
            Self::Certain(_) => "certain",
            Self::Likely(_) => "likely",
            Self::Ambiguous(..) => "ambiguous",
            Self::None => "none",
        }
    }

    /// The record, where one is told.
    #[must_use]
    pub fn fact(&self) -> Option<&TrailFact> {
        match self {
            Self::Certain(fact) | Self::Likely(fact) => Some(fact),
            Self::Ambiguous(..) | Self::None => None,
        }
    }
}

/// The facts of trail records, as far as they may still be asked for.
#[derive(Debug, Default)]
pub struct Join {
    /// With the time they came at.
    facts: VecDeque<(i64, Arc<TrailFact>)>,
    /// Their accounts and ids: a record that comes again is no second candidate.
    ids: HashSet<(String, String)>,
    /// What happened before this time may have been seen by nobody here, or is forgotten: it is not known for certain.
    known_since_ms: Option<i64>,
}

impl Join {
    /// Facts of a trail of which something may have been read by others, or by an agent before this one, when it happened before
    /// `known_since_ms`; `None`: all of it is read here.
    #[must_use]
    pub fn since(known_since_ms: Option<i64>) -> Self {
        Self { known_since_ms, ..Self::default() }
    }

    /// Keeps the fact of a trail record that came at `now_ms`.
    pub fn trail(&mut self, mut fact: TrailFact, now_ms: i64) {
        self.forget(now_ms);
        if !self.ids.insert(fact.key()) {
            return;
        }
        fact.names.truncate(NAMES_MAX);
        if self.facts.len() >= FACTS_MAX {
            let first_ms = self.facts.front().map(|(_, first)| first.time_ms);
            self.known_since_ms = self.known_since_ms.max(first_ms);
            self.forget_first();
        }
        self.facts.push_back((now_ms, Arc::new(fact)));
    }

    /// Who made the change that this item shows, as far as is known by now.
    #[must_use]
    pub fn who(&self, item: &ItemFact) -> Who {
        if let Some(fact) = self.related(item) {
            return Who::Certain(fact);
        }
        let candidates: Vec<&Arc<TrailFact>> =
            self.facts.iter().map(|(_, fact)| fact).filter(|fact| matching::fits(fact, item)).collect();
        let Some(last) = candidates.iter().max_by_key(|fact| fact.time_ms) else { return Who::None };
        let is_whole = self.known_since_ms.is_none_or(|ms| ms < item.time_ms.saturating_sub(WINDOW_MS));
        if candidates.len() == 1 && is_whole {
            return Who::Certain(Arc::clone(last));
        }
        if candidates.iter().all(|fact| fact.actor.is(&last.actor)) {
            return Who::Likely(Arc::clone(last));
        }
        let ids = candidates.iter().map(|fact| fact.event_id.clone()).take(CANDIDATES_MAX).collect();
        Who::Ambiguous(ids, candidates.len())
    }

    /// The record that AWS Config itself names, if it has come; the last one of several.
    #[must_use]
    pub fn related(&self, item: &ItemFact) -> Option<Arc<TrailFact>> {
        if item.related_events.is_empty() {
            return None;
        }
        let named = self.facts.iter().map(|(_, fact)| fact);
        let named = named.filter(|fact| fact.account == item.account && item.related_events.contains(&fact.event_id));
        named.max_by_key(|fact| fact.time_ms).cloned()
    }

    /// How many facts are kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.facts.len()
    }

    fn forget(&mut self, now_ms: i64) {
        while self.facts.front().is_some_and(|(came_ms, _)| now_ms.saturating_sub(*came_ms) > KEPT_MS) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, fact)) = self.facts.pop_front() {
            self.ids.remove(&fact.key());
        }
    }
}

impl TrailFact {
    fn key(&self) -> (String, String) {
        (self.account.clone(), self.event_id.clone())
    }
}

impl Actor {
    /// The same one; two sessions of a role are two actors, because two people may use it.
    fn is(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name == other.name && self.arn == other.arn
    }
}
