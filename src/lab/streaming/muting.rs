//! Muting rules: which incidents page nobody.
//!
//! In: rules, and what an incident is about ([`facts`]). Out: the rule that mutes it. What always holds: facets are tags
//! (`tags.<facet>`); a rule that is off, out of its schedule, or whose conditions do not hold mutes nothing; the `NOT_` forms are the
//! opposite of what they negate, also where an attribute is absent. An incident is muted or not by the moment it opens.

use std::collections::BTreeMap;

use super::super::engine::{self, Field};
use super::schedule::Until;
use crate::nrql::condition::{Condition, Kind};
use crate::nrql::muting::{MutingRule, Operator, Test};

/// What an incident is about: an attribute's text.
pub type Facts = BTreeMap<String, String>;

/// Muted by what, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Muted {
    /// Position of the rule.
    pub rule: usize,
    /// When the rule's time ends, ms since 1970; none: never.
    pub until_ms: Option<i64>,
    /// Issues are closed then.
    pub closes: bool,
}

/// What an incident of a condition's signal is about, with what the caller knows beside: `policyName`, `accountId` and the like.
#[must_use]
pub fn facts(condition: &Condition, event_type: &str, facets: &[Field], more: &[(&str, &str)]) -> Facts {
    let kind = if matches!(condition.kind, Kind::Static) { "Static" } else { "Baseline" };
    let known = [
        ("conditionName", condition.name.as_str()),
        ("nrqlQuery", condition.query.as_str()),
        ("nrqlEventType", event_type),
        ("conditionType", kind),
    ];
    let mut facts: Facts = known.iter().chain(more).map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    for (name, value) in facets {
        let text = match engine::json(value) {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        facts.insert(format!("tags.{name}"), text);
    }
    facts
}

/// The first rule that mutes an incident that opens at `at_ms`.
#[must_use]
pub fn muted(rules: &[MutingRule], facts: &Facts, at_ms: i64) -> Option<Muted> {
    let of = |(place, rule): (usize, &MutingRule)| {
        let until_ms = match rule.mutes(facts, at_ms)? {
            Until::Moment(ms) => Some(ms),
            Until::Forever => None,
        };
        Some(Muted { rule: place, until_ms, closes: rule.closes })
    };
    rules.iter().enumerate().find_map(of)
}

impl MutingRule {
    /// Whether it mutes what opens at a moment, and until when its time goes on.
    fn mutes(&self, facts: &Facts, at_ms: i64) -> Option<Until> {
        let holds = |test: &Test| test.holds(facts);
        let applies = if self.all { self.conditions.iter().all(holds) } else { self.conditions.iter().any(holds) };
        if !self.enabled || self.conditions.is_empty() || !applies {
            return None;
        }
        self.schedule.as_ref().map_or(Some(Until::Forever), |schedule| schedule.at(at_ms))
    }
}

impl Test {
    fn holds(&self, facts: &Facts) -> bool {
        let text = facts.get(&self.attribute).map(String::as_str);
        let some = |is: fn(&str, &str) -> bool| text.is_some_and(|text| self.values.iter().any(|value| is(text, value)));
        let equals = || some(|text, value| text == value);
        let contains = || some(|text, value| text.contains(value));
        let starts = || some(|text, value| text.starts_with(value));
        let ends = || some(|text, value| text.ends_with(value));
        let is_blank = || text.is_none_or(|text| text.trim().is_empty());
        match self.operator {
            Operator::Any => true,
            Operator::Equals | Operator::In => equals(),
            Operator::NotEquals | Operator::NotIn => !equals(),
            Operator::Contains => contains(),
            Operator::NotContains => !contains(),
            Operator::StartsWith => starts(),
            Operator::NotStartsWith => !starts(),
            Operator::EndsWith => ends(),
            Operator::NotEndsWith => !ends(),
            Operator::IsBlank => is_blank(),
            Operator::IsNotBlank => !is_blank(),
        }
    }
}
