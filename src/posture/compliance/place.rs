//! The state of one account in one Region, as small as it can be: a customer has hundreds of thousands of results.
//!
//! In: changes. Out: what each of them means. What always holds: results of a rule are sorted by resource; a pending change is
//! seen by the ones after it, and is part of the state only when it is committed; what left, and what has insufficient data, counts
//! as without a state: a violation after it is no reopened one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::{Fact, NEW_RULE_MS, Story, violates};
use crate::posture::kept::Owed;
use crate::record::ComplianceState;

/// One resource under one rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) rule: Box<str>,
    pub(super) resource_type: Box<str>,
    pub(super) resource_id: Box<str>,
}

impl Key {
    pub(super) fn of(rule: &str, resource_type: &str, resource_id: &str) -> Self {
        Self { rule: rule.into(), resource_type: resource_type.into(), resource_id: resource_id.into() }
    }
}

/// A result as it is held.
#[derive(Debug)]
pub(super) struct Held {
    /// Shared by all rules that judge the resource.
    pub(super) resource_id: Arc<str>,
    /// Only of what has violated at some time.
    pub(super) history: Option<Box<History>>,
    /// When this state was first recorded, milliseconds since the epoch; 0: the API did not say.
    pub(super) at_ms: i64,
    /// Index into the place's resource types.
    pub(super) kind: u16,
    pub(super) state: ComplianceState,
    /// An event told that this state began; of what left, `false`: reading the API found it gone, its event may still come.
    pub(super) told: bool,
}

impl Held {
    /// Whether it has left only by what a reading did not list, which nobody else has told.
    pub(super) fn left_by_reading(&self) -> bool {
        self.state == ComplianceState::Left && !self.told
    }
}

/// No time: unlike 0, it is known that no violation stood.
pub(super) const NO_VIOLATION_MS: i64 = -1;

/// What is remembered of a resource that has violated a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct History {
    pub(super) first_seen_ms: i64,
    /// When the violation began that is, or was the last one; 0: not known, or no violation stands behind insufficient data;
    /// [`NO_VIOLATION_MS`]: a reading found it gone, and it did not violate then.
    pub(super) since_ms: i64,
    pub(super) reopen_count: u32,
    /// Shared by all resources that have the same.
    pub(super) annotation: Option<Arc<str>>,
}

/// A rule with its results.
#[derive(Debug, Default)]
pub(super) struct RuleState {
    pub(super) arn: Box<str>,
    /// The managed rule that AWS names as its source; `None`: a rule of the customer's own, or nobody said.
    pub(super) identifier: Option<Box<str>>,
    /// When it was first seen, or came back, milliseconds since the epoch; 0: it was there at the baseline.
    pub(super) known_ms: i64,
    /// How things stood at this time was read of the API last; 0: never.
    pub(super) read_ms: i64,
    /// Sorted by kind and resource.
    pub(super) held: Vec<Held>,
}

/// What a change makes of a result.
#[derive(Debug, Clone)]
pub(super) struct Next {
    pub(super) state: ComplianceState,
    pub(super) at_ms: i64,
    pub(super) history: Option<History>,
    pub(super) known_ms: i64,
    /// As [`Held::told`].
    pub(super) told: bool,
}

pub(super) enum Judged {
    Known,
    Late(Story),
    Change(Story, Next),
}

/// Texts that many results have in common, each held once: ids of resources, and annotations.
#[derive(Debug, Default)]
pub(super) struct Texts(HashSet<Arc<str>>);

impl Texts {
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        // Before it grows: annotations change, and what was said once may be held by nobody.
        if self.0.len() == self.0.capacity() {
            self.forget_unused();
            self.0.reserve(self.0.len().max(16));
        }
        let text: Arc<str> = text.into();
        self.0.insert(Arc::clone(&text));
        text
    }

    /// Forgets what nobody holds any more.
    pub(super) fn forget_unused(&mut self) {
        self.0.retain(|text| Arc::strong_count(text) > 1);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The state of one account in one Region.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// All of it was read from the API once.
    pub(super) baseline: bool,
    pub(super) kinds: Vec<Box<str>>,
    pub(super) texts: Texts,
    pub(super) rules: BTreeMap<Box<str>, RuleState>,
    /// In the order in which they came.
    pub(super) pending: HashMap<Key, Vec<(u64, Box<str>, Next)>>,
    /// What waits for the state to be written.
    pub(super) waiting: Owed,
    /// Not as it was written.
    pub(super) dirty: bool,
}

/// What is known of a key: settled, or pending.
#[derive(Clone, Copy)]
struct View<'a> {
    state: ComplianceState,
    at_ms: i64,
    told: bool,
    history: Option<&'a History>,
}

impl Place {
    pub(super) fn results(&self) -> usize {
        self.rules.values().map(|rule| rule.held.len()).sum()
    }

    fn kind(&self, resource_type: &str) -> Option<u16> {
        self.kinds.iter().position(|kind| **kind == *resource_type).and_then(|at| u16::try_from(at).ok())
    }

    /// The number of a resource type; those beyond the first 65,535 share one.
    pub(super) fn kind_of(&mut self, resource_type: &str) -> u16 {
        self.kind(resource_type).unwrap_or_else(|| {
            if self.kinds.len() < usize::from(u16::MAX) {
                self.kinds.push(resource_type.into());
            }
            u16::try_from(self.kinds.len().saturating_sub(1)).unwrap_or(u16::MAX)
        })
    }

    pub(super) fn held(&self, key: &Key) -> Option<&Held> {
        let kind = self.kind(&key.resource_type)?;
        let rule = self.rules.get(&key.rule)?;
        rule.held.get(rule.find(kind, &key.resource_id).ok()?)
    }

    pub(super) fn holds(&self, key: &Key) -> bool {
        self.held(key).is_some()
    }

    /// Whether a change of it waits for its answer.
    pub(super) fn is_pending(&self, key: &Key) -> bool {
        self.pending.contains_key(key)
    }

    fn view(&self, key: &Key) -> Option<View<'_>> {
        if let Some((_, _, next)) = self.pending.get(key).and_then(|pending| pending.last()) {
            let Next { state, at_ms, told, ref history, .. } = *next;
            return Some(View { state, at_ms, told, history: history.as_ref() });
        }
        let held = self.held(key)?;
        Some(View { state: held.state, at_ms: held.at_ms, told: held.told, history: held.history.as_deref() })
    }

    /// What a change means.
    pub(super) fn judge(&self, fact: &Fact<'_>, now_ms: i64) -> Judged {
        let key = Key::of(fact.rule, fact.resource_type, fact.resource_id);
        let known_ms = self.rules.get(fact.rule).filter(|rule| !rule.is_gone()).map_or(now_ms, |rule| rule.known_ms);
        let view = self.view(&key);
        let (story, next) = tell(view, fact, known_ms);
        match view {
            Some(view) if view.state == fact.state && view.told && view.at_ms == fact.at_ms => Judged::Known,
            // The event of what a reading found gone: it says when, and nothing that was not told.
            Some(view) if fact.state == ComplianceState::Left && view.state == fact.state && !view.told => Judged::Known,
            Some(view) if fact.at_ms < view.at_ms && (view.told || view.state != fact.state) => {
                Judged::Late(Story { notifiable: false, ..story })
            }
            _ => Judged::Change(story, next),
        }
    }

    pub(super) fn pend(&mut self, key: Key, number: u64, arn: &str, next: Next) {
        self.pending.entry(key).or_default().push((number, arn.into(), next));
    }

    pub(super) fn forget(&mut self, key: &Key, number: u64) {
        drop(self.unpend(key, number));
    }

    fn unpend(&mut self, key: &Key, number: u64) -> Option<(Box<str>, Next)> {
        let pending = self.pending.get_mut(key)?;
        let at = pending.iter().position(|(other, _, _)| *other == number)?;
        let (_, arn, next) = pending.remove(at);
        if pending.is_empty() {
            self.pending.remove(key);
        }
        Some((arn, next))
    }

    /// Makes a pending change part of the state. Returns how many results there are more.
    pub(super) fn commit(&mut self, key: &Key, number: u64) -> usize {
        let Some((arn, next)) = self.unpend(key, number) else { return 0 };
        self.dirty = true;
        self.put(key, &arn, next)
    }

    /// Sets a result, unless something newer is there. Returns how many results there are more.
    ///
    /// It alone does not ask for a writing: a first reading is written when it is whole, before that it would be read anew all the
    /// same, and it takes a while.
    pub(super) fn put(&mut self, key: &Key, arn: &str, next: Next) -> usize {
        let Next { state, at_ms, mut history, known_ms, told } = next;
        let kind = self.kind_of(&key.resource_type);
        let resource_id = self.texts.share(&key.resource_id);
        if let Some(annotation) = history.as_mut().and_then(|history| history.annotation.as_mut()) {
            *annotation = self.texts.share(annotation);
        }
        let rule = self.rule(&key.rule, arn, known_ms);
        if rule.is_gone() {
            // It is back, deployed anew.
            rule.known_ms = known_ms;
        }
        let history = history.map(Box::new);
        match rule.find(kind, &key.resource_id) {
            Ok(at) => {
                if let Some(held) = rule.held.get_mut(at) {
                    // The event that says when the state began which the API told.
                    let confirms = held.state == state && !held.told;
                    // It was not gone after all, and AWS's time is older than the reading that did not find it.
                    if confirms || held.left_by_reading() || held.at_ms <= at_ms {
                        (held.state, held.at_ms, held.history, held.told) = (state, at_ms, history, told);
                    }
                }
                0
            }
            Err(at) => {
                rule.held.insert(at, Held { resource_id, history, at_ms, kind, state, told });
                1
            }
        }
    }

    pub(super) fn rule(&mut self, name: &str, arn: &str, known_ms: i64) -> &mut RuleState {
        if !self.rules.contains_key(name) {
            self.rules.insert(name.into(), RuleState { known_ms, ..RuleState::default() });
        }
        let rule = self.rules.entry(name.into()).or_default();
        if !arn.is_empty() && *rule.arn != *arn {
            rule.arn = arn.into();
        }
        rule
    }
}

impl RuleState {
    /// Whether all that it judged has left: the rule was deleted, as far as anybody can tell.
    pub(super) fn is_gone(&self) -> bool {
        !self.held.is_empty() && self.held.iter().all(|held| held.state == ComplianceState::Left)
    }

    pub(super) fn find(&self, kind: u16, resource_id: &str) -> Result<usize, usize> {
        self.held.binary_search_by(|held| (held.kind, &*held.resource_id).cmp(&(kind, resource_id)))
    }
}

/// A state that is one: what left, and what has no data, was judged by nobody.
fn judged(state: Option<ComplianceState>) -> Option<ComplianceState> {
    state.filter(|state| !matches!(state, ComplianceState::Left | ComplianceState::InsufficientData))
}

/// Whether a violation stands behind a state: without data it goes on, nobody said that it ended.
pub(super) fn stands_behind(state: Option<ComplianceState>, history: Option<&History>) -> bool {
    state == Some(ComplianceState::InsufficientData) && history.is_some_and(|history| history.since_ms > 0)
}

/// What a change means, given what is known of its key; `known_ms`: since when its rule is known.
fn tell(view: Option<View<'_>>, fact: &Fact<'_>, known_ms: i64) -> (Story, Next) {
    let (shown, now) = (view.map(|view| view.state), fact.state);
    let (before, known) = (judged(fact.previous), judged(shown));
    let is_first = before.is_none() && known.is_none();
    let mut history = view.and_then(|view| view.history).cloned();
    let has_no_data = shown == Some(ComplianceState::InsufficientData);
    let stands = before.is_none() && stands_behind(shown, history.as_ref());
    // The API was read before its event came: the event tells how the state that is known began.
    let confirms = view.is_some_and(|view| !view.told && view.state == now);
    // Both must say that it was none: what is told twice, or was missed in between, is no new violation.
    let begins = violates(Some(now)) && (confirms || !(violates(known) || stands));
    let mut resolved_after_ms = None;
    if violates(Some(now)) {
        let annotation = fact.annotation.map(Arc::from);
        match &mut history {
            None => {
                history = Some(History { first_seen_ms: fact.at_ms, since_ms: fact.at_ms, reopen_count: 0, annotation });
            }
            Some(history) => {
                if confirms {
                    history.since_ms = fact.at_ms;
                    history.first_seen_ms = history.first_seen_ms.min(fact.at_ms);
                } else if begins {
                    let was_mended = [before, known].contains(&Some(ComplianceState::Compliant));
                    history.reopen_count = history.reopen_count.saturating_add(u32::from(was_mended));
                    history.since_ms = fact.at_ms;
                }
                history.annotation = annotation.or(history.annotation.take());
            }
        }
    } else if let Some(history) = &mut history {
        let is_judged_well = matches!(now, ComplianceState::Compliant | ComplianceState::NotApplicable);
        if is_judged_well && (violates(known) || stands) {
            let lasted = fact.at_ms.saturating_sub(history.since_ms);
            resolved_after_ms = Some(lasted).filter(|lasted| history.since_ms > 0 && *lasted >= 0);
        }
        if now == ComplianceState::InsufficientData && !violates(shown) && !has_no_data {
            history.since_ms = 0;
        }
    }
    let rule_is_new = known_ms > 0 && fact.at_ms < known_ms.saturating_add(NEW_RULE_MS);
    let was_violation = violates(before) || stands || (!confirms && violates(known));
    let notifiable = begins && !was_violation && !(is_first && rule_is_new);
    let previous = fact.previous.or(shown);
    let told = history.as_ref().filter(|_| violates(Some(now)) || violates(previous) || stands);
    let story = Story {
        previous,
        since_ms: told.map(|history| history.since_ms).filter(|ms| *ms > 0),
        first_seen_ms: history.as_ref().map(|history| history.first_seen_ms).filter(|ms| *ms > 0),
        reopen_count: history.as_ref().map_or(0, |history| history.reopen_count),
        resolved_after_ms,
        notifiable,
    };
    (story, Next { state: now, at_ms: fact.at_ms, history, known_ms, told: true })
}
