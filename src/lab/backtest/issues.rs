//! The incidents of all conditions become issues: what somebody is told of.
//!
//! In: what every condition did, and muting rules. Out: [`IssueOf`]s, by the time they opened. What always holds: every incident is in
//! one issue; conditions of a policy that are on share issues as the policy says, one that is off makes its own as if it were on
//! alone; what is muted tells nobody.

use std::collections::BTreeMap;

use super::{Outcome, Tested};
use crate::lab::streaming::issue::{Issue, Origin, issues, origins};
use crate::lab::streaming::muting::{facts, muted};
use crate::lab::streaming::{Incident, SignalRun};
use crate::nrql::condition::Priority;
use crate::nrql::muting::MutingRule;

/// An issue and what is in it.
#[derive(Debug, Clone, PartialEq)]
pub struct IssueOf {
    /// Key of the policy.
    pub policy: String,
    /// Whether it is of conditions that are on: only those page.
    pub enabled: bool,
    /// When it opened and closed.
    pub issue: Issue,
    /// Its incidents in the order they opened; `condition` is the position of the outcome.
    pub origins: Vec<Origin>,
}

impl IssueOf {
    /// When it told somebody of an incident of this priority or above; none: never.
    #[must_use]
    pub fn reached_ms(&self, least: Priority) -> Option<i64> {
        let loud = self.origins.iter().filter(|origin| origin.muted.is_none() && origin.incident.priority >= least);
        loud.map(|origin| origin.incident.opened_ms).min()
    }
}

/// The issues of policies, oldest first.
pub(super) fn grouped(outcomes: &[Outcome], rules: &[MutingRule], is_asked: impl Fn(&str) -> bool) -> Vec<IssueOf> {
    // Conditions that are on by policy; each that is off by itself.
    let mut groups: BTreeMap<(&str, Option<usize>), Vec<usize>> = BTreeMap::new();
    for (place, outcome) in outcomes.iter().enumerate().filter(|(_, outcome)| is_asked(&outcome.tested.policy)) {
        let alone = (!outcome.tested.enabled).then_some(place);
        groups.entry((&outcome.tested.policy, alone)).or_default().push(place);
    }
    let mut all: Vec<IssueOf> = Vec::new();
    for ((policy, alone), places) in groups {
        let of_group = places.iter().filter_map(|place| outcomes.get(*place).map(|outcome| (*place, outcome)));
        let mut incidents: Vec<Origin> = Vec::new();
        let mut preference = None;
        for (place, outcome) in of_group {
            preference = preference.or(Some(outcome.tested.preference));
            incidents.extend(outcome.origins(place, rules));
        }
        let Some(preference) = preference else { continue };
        let made = issues(preference, &incidents).into_iter().map(|issue| IssueOf {
            policy: policy.to_owned(),
            enabled: alone.is_none(),
            origins: issue.incidents.iter().filter_map(|place| incidents.get(*place).copied()).collect(),
            issue,
        });
        all.extend(made);
    }
    sort(&mut all);
    all
}

/// Oldest first; of one moment by policy, those that are on before those that are off, these by the position of their condition.
pub(super) fn sort(issues: &mut [IssueOf]) {
    fn key(issue: &IssueOf) -> (i64, &str, bool, usize) {
        let place = issue.origins.first().filter(|_| !issue.enabled).map_or(0, |origin| origin.condition);
        (issue.issue.opened_ms, &issue.policy, !issue.enabled, place)
    }
    issues.sort_by(|one, other| key(one).cmp(&key(other)));
}

impl Outcome {
    fn origins(&self, place: usize, rules: &[MutingRule]) -> Vec<Origin> {
        let Ok(evaluation) = &self.result else { return Vec::new() };
        let event_type = self.event_types.first().map_or("", String::as_str);
        let more = self.tested.facts();
        origins(place, evaluation, |signal: &SignalRun, incident: &Incident| {
            if rules.is_empty() {
                return None;
            }
            let facts = facts(&self.tested.condition, event_type, &signal.facets, &more);
            muted(rules, &facts, incident.opened_ms)
        })
    }
}

impl Tested {
    /// What muting rules can ask of it beside what the condition itself says.
    fn facts(&self) -> [(&'static str, &str); 3] {
        [("policyName", &self.policy_name), ("conditionRunbookUrl", &self.runbook), ("product", "NRQL")]
    }

    /// What a muting rule may ask that is known only where New Relic gave ids: blank here.
    pub const UNKNOWN: [&'static str; 6] = ["accountId", "conditionId", "entity.guid", "policyId", "targetId", "targetName"];
}
