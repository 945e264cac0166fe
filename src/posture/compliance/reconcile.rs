//! What AWS Config's API says against what is known.
//!
//! In: the rules of a place, and all results of one rule at a time. Out: a [`Correction`] for each result that is not as the
//! events told: those were missed. What always holds: the first reading of a place corrects nothing, it is the baseline; what was
//! recorded after the reading began, or so shortly before that its event may be on its way, is left alone until the next one; a
//! rule or resource that is gone is closed, never compliant; what an aggregator does not list is closed only if it would list it;
//! what a reading closed and a later one lists again was never gone: it is taken back as AWS has it, with its history.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::place::{Held, History, Judged, Key, NO_VIOLATION_MS, Next, stands_behind};
use super::{Compliance, Fact, Inner, Story, Ticket, violates};
use crate::record::time::{DAY_MS, millis};
use crate::record::{AccountRegion, ComplianceState, DeployedRule, Evaluation};

/// How long what has left is remembered: a late event of it is then known as late, and a return as one.
const LEFT_KEPT_MS: i64 = 7 * DAY_MS;

/// How long an event may be on its way: EventBridge and SQS take seconds, but a backlog, a restart or a take-over of the lead takes
/// minutes, and what is repaired before its event was handled counts as missed. Readings that are nearer to each other wait no
/// longer than to the next one.
const EVENT_LAG: Duration = Duration::from_mins(15);

/// A change that no event told.
#[derive(Debug)]
pub struct Correction {
    /// Deployed name of the rule.
    pub rule: Box<str>,
    /// Its ARN; empty where nobody says.
    pub rule_arn: Box<str>,
    /// The managed rule that AWS names as its source; `None`: a rule of the customer's own, or nobody said.
    pub rule_identifier: Option<Box<str>>,
    /// As `AWS::S3::Bucket`.
    pub resource_type: Box<str>,
    /// As AWS Config names it.
    pub resource_id: Box<str>,
    /// The state now.
    pub state: ComplianceState,
    /// When it was recorded; of what is gone, or was not gone after all, when that was seen.
    pub at_ms: i64,
    /// Of what was not gone after all: when AWS recorded its state, milliseconds since the epoch; 0: the API did not say.
    pub evaluated_ms: Option<i64>,
    /// Why, in the rule's words.
    pub annotation: Option<Box<str>>,
    /// What was known of it.
    pub story: Story,
    /// To be concluded.
    pub ticket: Ticket,
}

/// When and how a place is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// When it began, milliseconds since the epoch.
    pub began_ms: i64,
    /// Results without a time (an aggregator's) may be as old as this: what changed since then is left alone.
    pub as_of_ms: i64,
    /// What was recorded at this time or later is left alone: its event may be on its way.
    settled_ms: i64,
    /// Only what is COMPLIANT and what is not is listed.
    is_aggregated: bool,
}

impl Reading {
    /// A place is asked itself, every `interval`.
    #[must_use]
    pub fn of_place(began_ms: i64, interval: Duration) -> Self {
        let lag_ms = millis(EVENT_LAG.min(interval));
        Self { began_ms, as_of_ms: began_ms, settled_ms: began_ms.saturating_sub(lag_ms), is_aggregated: false }
    }

    /// An aggregator is asked, every `interval`, whose answers may be as old as `as_of_ms`.
    #[must_use]
    pub fn of_aggregator(began_ms: i64, as_of_ms: i64, interval: Duration) -> Self {
        Self { as_of_ms, is_aggregated: true, ..Self::of_place(began_ms, interval) }
    }

    /// Whether a result that the answer does not have is gone.
    fn misses(&self, held: &Held) -> bool {
        let would_list = !self.is_aggregated || matches!(held.state, ComplianceState::Compliant | ComplianceState::NonCompliant);
        would_list && held.at_ms < self.settled_ms.min(self.as_of_ms)
    }
}

impl Compliance {
    /// All results of one rule, as the API says. The first reading of a place is taken over; a later one is compared.
    pub fn reconcile_rule(
        &self,
        place: &AccountRegion,
        rule: &DeployedRule,
        evaluations: Vec<Evaluation>,
        reading: Reading,
    ) -> Vec<Correction> {
        let mut inner = self.lock();
        let first = !inner.place(place).baseline;
        let mut found = Vec::new();
        let mut seen = HashSet::with_capacity(evaluations.len());
        let mut grown = 0;
        let known_ms = if first { 0 } else { reading.began_ms };
        let room = inner.results_max.saturating_sub(inner.results);
        let known = inner.place(place).rule(&rule.name, &rule.arn, known_ms);
        if rule.identifier.is_some() || !reading.is_aggregated {
            known.identifier.clone_from(&rule.identifier);
        }
        known.read_ms = reading.as_of_ms;
        if first {
            // A list that grows one by one takes up to twice its room, for hundreds of thousands of results.
            known.held.reserve_exact(evaluations.len().min(room));
        }
        // An aggregator says none, an event may have.
        let arn = known.arn.clone();
        for evaluation in evaluations {
            let key = Key::of(&rule.name, &evaluation.resource_type, &evaluation.resource_id);
            let at_ms = if evaluation.recorded_ms > 0 { evaluation.recorded_ms } else { reading.as_of_ms };
            let full = inner.is_full(grown);
            let state = inner.place(place);
            if at_ms < reading.settled_ms && !state.is_pending(&key) && state.left_by_reading(&key) {
                found.push(inner.take_back(place, key, &arn, &evaluation, at_ms, reading));
                seen.insert((evaluation.resource_type, evaluation.resource_id));
                continue;
            }
            let change = match state.known(&key) {
                _ if state.is_pending(&key) => None,
                None if full => {
                    inner.say_full();
                    None
                }
                None if first => {
                    let next = baseline(&evaluation, known_ms);
                    grown += state.put(&key, &arn, next);
                    None
                }
                _ if at_ms >= reading.settled_ms => None,
                None => Some(at_ms),
                Some((known, known_ms)) if known != evaluation.state && at_ms >= known_ms => Some(at_ms),
                Some(_) => None,
            };
            if let Some(at_ms) = change {
                let fact = Fact {
                    rule: &rule.name,
                    rule_arn: &arn,
                    resource_type: &evaluation.resource_type,
                    resource_id: &evaluation.resource_id,
                    state: evaluation.state,
                    previous: None,
                    at_ms,
                    annotation: evaluation.annotation.as_deref(),
                };
                found.extend(inner.correct(place, &fact, reading.began_ms));
            }
            seen.insert((evaluation.resource_type, evaluation.resource_id));
        }
        inner.results += grown;
        let gone = inner.place(place).keys_of(&rule.name, |kind, held| {
            reading.misses(held) && !seen.contains(&(Box::from(kind), Box::from(&*held.resource_id)))
        });
        inner.left(place, gone, reading, &mut found);
        found
    }

    /// The rules of a place, as the API says, after all of them were read: what is known of others has left.
    pub fn reconcile_rules(&self, place: &AccountRegion, rules: &HashSet<Box<str>>, reading: Reading) -> Vec<Correction> {
        let mut inner = self.lock();
        let mut found = Vec::new();
        let state = inner.place(place);
        state.baseline = true;
        state.dirty = true;
        let gone: Vec<Box<str>> = state.rules.keys().filter(|name| !rules.contains(*name)).cloned().collect();
        for rule in gone {
            let keys = inner.place(place).keys_of(&rule, |_, held| reading.misses(held));
            inner.left(place, keys, reading, &mut found);
        }
        inner.forget_left(place, rules, reading.began_ms - LEFT_KEPT_MS);
        found
    }

    /// Whether a place has been read whole, now or by an agent before.
    #[must_use]
    pub fn has_baseline(&self, place: &AccountRegion) -> bool {
        self.lock().places.get(place).is_some_and(|place| place.baseline)
    }
}

impl super::place::Place {
    /// What is settled of a key.
    fn known(&self, key: &Key) -> Option<(ComplianceState, i64)> {
        let kind = self.kinds.iter().position(|kind| *kind == key.resource_type)?;
        let rule = self.rules.get(&key.rule)?;
        let held = rule.held.get(rule.find(u16::try_from(kind).ok()?, &key.resource_id).ok()?)?;
        Some((held.state, held.at_ms))
    }

    /// Whether a result has left only by what a reading did not list.
    fn left_by_reading(&self, key: &Key) -> bool {
        self.held(key).is_some_and(Held::left_by_reading)
    }

    /// What a result becomes that was not gone after all: the violation that stood goes on, another state is as AWS says. One that
    /// begins is one that nobody has told.
    fn back(&self, key: &Key, evaluation: &Evaluation, at_ms: i64, now_ms: i64) -> (Story, Next) {
        let held = self.held(key);
        let left_ms = held.map_or(0, |held| held.at_ms);
        // A rule of which everything had left, and that has judged since, was deployed anew.
        let is_known = |rule: &&super::place::RuleState| !rule.is_gone() || at_ms < left_ms;
        let known_ms = self.rules.get(&key.rule).filter(is_known).map_or(now_ms, |rule| rule.known_ms);
        let mut history = held.and_then(|held| held.history.as_deref()).cloned();
        let violates = evaluation.state == ComplianceState::NonCompliant;
        let begins = violates && history.as_ref().is_none_or(|history| history.since_ms == NO_VIOLATION_MS);
        if violates {
            let history =
                history.get_or_insert(History { first_seen_ms: at_ms, since_ms: at_ms, reopen_count: 0, annotation: None });
            if begins {
                history.since_ms = at_ms;
            }
            history.annotation = evaluation.annotation.as_deref().map(Arc::from).or(history.annotation.take());
        }
        let rule_is_new = known_ms > 0 && at_ms < known_ms.saturating_add(super::NEW_RULE_MS);
        let story = Story {
            previous: Some(ComplianceState::Left),
            since_ms: history.as_ref().filter(|_| violates).map(|history| history.since_ms).filter(|ms| *ms > 0),
            first_seen_ms: history.as_ref().map(|history| history.first_seen_ms).filter(|ms| *ms > 0),
            reopen_count: history.as_ref().map_or(0, |history| history.reopen_count),
            // Nobody can say when it ended.
            resolved_after_ms: None,
            notifiable: begins && !rule_is_new,
        };
        (story, Next { state: evaluation.state, at_ms, history, known_ms, told: true })
    }

    fn keys_of(&self, rule: &str, gone: impl Fn(&str, &Held) -> bool) -> Vec<Key> {
        let Some(state) = self.rules.get(rule) else { return Vec::new() };
        let all = state.held.iter().filter(|held| held.state != ComplianceState::Left);
        all.filter_map(|held| {
            let kind = self.kinds.get(usize::from(held.kind))?;
            gone(kind, held).then(|| Key::of(rule, kind, &held.resource_id))
        })
        .filter(|key| !self.is_pending(key))
        .collect()
    }
}

impl Inner {
    /// A change that the API tells, as a correction.
    fn correct(&mut self, place: &AccountRegion, fact: &Fact<'_>, now_ms: i64) -> Option<Correction> {
        self.tickets += 1;
        let (number, tenure) = (self.tickets, self.tenure);
        let state = self.place(place);
        let Judged::Change(story, mut next) = state.judge(fact, now_ms) else { return None };
        next.told = fact.state != ComplianceState::Left;
        let stood = violates(story.previous) || stands_behind(story.previous, next.history.as_ref());
        if !next.told
            && !stood
            && let Some(history) = &mut next.history
        {
            // Should it come back violating, that is another violation.
            history.since_ms = NO_VIOLATION_MS;
        }
        let key = Key::of(fact.rule, fact.resource_type, fact.resource_id);
        let rule_identifier = state.rules.get(fact.rule).and_then(|rule| rule.identifier.clone());
        state.pend(key.clone(), number, fact.rule_arn, next);
        Some(Correction {
            rule: fact.rule.into(),
            rule_arn: fact.rule_arn.into(),
            rule_identifier,
            resource_type: fact.resource_type.into(),
            resource_id: fact.resource_id.into(),
            state: fact.state,
            at_ms: fact.at_ms,
            evaluated_ms: None,
            annotation: fact.annotation.map(Box::from),
            story,
            ticket: Ticket { tenure, place: place.clone(), key, number },
        })
    }

    /// What a reading closed is listed again: told under the time of this reading, because what AWS recorded then was told before.
    fn take_back(
        &mut self,
        place: &AccountRegion,
        key: Key,
        arn: &str,
        evaluation: &Evaluation,
        at_ms: i64,
        reading: Reading,
    ) -> Correction {
        self.tickets += 1;
        let (number, tenure) = (self.tickets, self.tenure);
        let state = self.place(place);
        let (story, next) = state.back(&key, evaluation, at_ms, reading.began_ms);
        let rule_identifier = state.rules.get(&key.rule).and_then(|rule| rule.identifier.clone());
        state.pend(key.clone(), number, arn, next);
        Correction {
            rule: key.rule.clone(),
            rule_arn: arn.into(),
            rule_identifier,
            resource_type: key.resource_type.clone(),
            resource_id: key.resource_id.clone(),
            state: evaluation.state,
            at_ms: reading.began_ms,
            evaluated_ms: Some(evaluation.recorded_ms),
            annotation: evaluation.annotation.clone(),
            story,
            ticket: Ticket { tenure, place: place.clone(), key, number },
        }
    }

    fn left(&mut self, place: &AccountRegion, gone: Vec<Key>, reading: Reading, found: &mut Vec<Correction>) {
        for key in gone {
            let arn = self.place(place).rules.get(&key.rule).map(|rule| rule.arn.clone()).unwrap_or_default();
            let fact = Fact {
                rule: &key.rule,
                rule_arn: &arn,
                resource_type: &key.resource_type,
                resource_id: &key.resource_id,
                state: ComplianceState::Left,
                previous: None,
                at_ms: reading.began_ms,
                annotation: None,
            };
            found.extend(self.correct(place, &fact, reading.began_ms));
        }
    }

    /// Forgets what left before `before_ms`, and rules without results that left with them.
    fn forget_left(&mut self, place: &AccountRegion, rules: &HashSet<Box<str>>, before_ms: i64) {
        let state = self.place(place);
        let mut fewer = 0;
        for rule in state.rules.values_mut() {
            let all = rule.held.len();
            rule.held.retain(|held| held.state != ComplianceState::Left || held.at_ms >= before_ms);
            fewer += all - rule.held.len();
        }
        state.rules.retain(|name, rule| !rule.held.is_empty() || rules.contains(name));
        state.texts.forget_unused();
        self.results = self.results.saturating_sub(fewer);
    }
}

/// A result of the baseline: nobody told when its state began.
fn baseline(evaluation: &Evaluation, known_ms: i64) -> Next {
    let at_ms = evaluation.recorded_ms;
    let violates = evaluation.state == ComplianceState::NonCompliant;
    let history = violates.then(|| History {
        first_seen_ms: at_ms,
        since_ms: at_ms,
        reopen_count: 0,
        annotation: evaluation.annotation.as_deref().map(Arc::from),
    });
    Next { state: evaluation.state, at_ms, history, known_ms, told: false }
}
