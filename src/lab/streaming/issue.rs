//! Incidents become issues: what pages somebody.
//!
//! In: the incidents of a policy's conditions and which of them are muted. Out: [`Issue`]s in the order they opened. What always
//! holds: every incident is in one issue; an issue is open as long as one of its incidents is, by what was known at that moment: a
//! recovery that was set back closes it when it was known; at one instant incidents close before others open; an issue whose
//! incidents are all muted pages nobody.

use super::muting::Muted;
use super::result::{Evaluation, Incident, SignalRun};
use crate::lab::store::hash::QuickMap;
use crate::nrql::condition::Priority;

/// Most incidents of an issue: the next opens another. New Relic's page on limits of alerts, 2024-10-30.
pub const INCIDENTS_MAX: usize = 10_000;

/// `incidentPreference` of a policy: which incidents share an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// `PER_POLICY`: all.
    Policy,
    /// `PER_CONDITION`: those of a condition.
    Condition,
    /// `PER_CONDITION_AND_TARGET`: those of a signal of a condition.
    ConditionAndTarget,
}

impl Preference {
    /// All, with the word that `NerdGraph` has for each.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Policy, "PER_POLICY"),
        (Self::Condition, "PER_CONDITION"),
        (Self::ConditionAndTarget, "PER_CONDITION_AND_TARGET"),
    ];

    /// What a word of `NerdGraph` says.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
    }
}

/// An incident of a policy and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Origin {
    /// Position of its condition in the policy.
    pub condition: usize,
    /// Position of its signal in the condition's evaluation.
    pub signal: usize,
    /// The incident.
    pub incident: Incident,
    /// The rule that muted it when it opened.
    pub muted: Option<Muted>,
}

/// The incidents of a policy's condition, `mute` saying which rule mutes each: [`super::muting::muted`].
pub fn origins(condition: usize, evaluation: &Evaluation, mute: impl Fn(&SignalRun, &Incident) -> Option<Muted>) -> Vec<Origin> {
    let of = |(place, signal): (usize, &SignalRun)| -> Vec<Origin> {
        let origin =
            |incident: &Incident| Origin { condition, signal: place, incident: *incident, muted: mute(signal, incident) };
        signal.incidents.iter().map(origin).collect()
    };
    evaluation.signals.iter().enumerate().flat_map(of).collect()
}

/// What is opened, paged and closed as one.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// When its first incident opened, ms since 1970.
    pub opened_ms: i64,
    /// When its first incident that was not muted opened: somebody was told. None: nobody was.
    pub told_ms: Option<i64>,
    /// When its last incident was known to be closed; none: still open.
    pub closed_ms: Option<i64>,
    /// The highest of its incidents that were not muted; of all if they were.
    pub priority: Priority,
    /// Positions among the incidents given, in the order they opened.
    pub incidents: Vec<usize>,
}

/// When an incident is over for its issue: closed, or muted by a rule that closes when its time ends.
fn over_ms(origin: &Origin) -> Option<i64> {
    let closed = origin.incident.closed.map(|closed| closed.known_ms);
    let unmuted = origin.muted.filter(|muted| muted.closes).and_then(|muted| muted.until_ms);
    closed.into_iter().chain(unmuted).min()
}

/// The issues of one policy.
#[must_use]
pub fn issues(preference: Preference, incidents: &[Origin]) -> Vec<Issue> {
    let mut order: Vec<(usize, &Origin)> = incidents.iter().enumerate().collect();
    // Of one instant the conditions in the policy's order: the same incidents always give the same issues.
    order.sort_by_key(|(place, origin)| (origin.incident.opened_ms, origin.condition, origin.signal, *place));
    let mut issues: Vec<Issue> = Vec::new();
    // The latest issue of each key, and until when its incidents keep it open; none: to the end.
    let mut latest: QuickMap<(usize, usize), (usize, Option<i64>)> = QuickMap::default();
    for (place, origin) in order {
        let key = match preference {
            Preference::Policy => (0, 0),
            Preference::Condition => (origin.condition, 0),
            Preference::ConditionAndTarget => (origin.condition, origin.signal),
        };
        let opened_ms = origin.incident.opened_ms;
        let open = latest.get(&key).filter(|(_, until)| until.is_none_or(|until| until > opened_ms)).copied();
        let open = open.filter(|(at, _)| issues.get(*at).is_some_and(|issue| issue.incidents.len() < INCIDENTS_MAX));
        let (at, until) = open.unwrap_or_else(|| {
            issues.push(Issue {
                opened_ms,
                told_ms: None,
                closed_ms: None,
                priority: origin.incident.priority,
                incidents: Vec::new(),
            });
            (issues.len() - 1, Some(opened_ms))
        });
        let until = until.zip(over_ms(origin)).map(|(until, over)| until.max(over));
        latest.insert(key, (at, until));
        if let Some(issue) = issues.get_mut(at) {
            issue.add(place, origin, until);
        }
    }
    issues
}

impl Issue {
    fn add(&mut self, place: usize, origin: &Origin, until: Option<i64>) {
        let is_loud = origin.muted.is_none();
        if is_loud && self.told_ms.is_none() {
            (self.told_ms, self.priority) = (Some(origin.incident.opened_ms), origin.incident.priority);
        } else if is_loud || self.told_ms.is_none() {
            self.priority = self.priority.max(origin.incident.priority);
        }
        self.closed_ms = until;
        self.incidents.push(place);
    }
}
