//! What only the command can know: which controls there are, and what New Relic's stand-in says.

use std::collections::BTreeSet;

use super::*;

#[cfg(feature = "lab")]
mod cases;
#[cfg(feature = "lab")]
mod lab;
#[cfg(feature = "lab")]
mod pages;

/// Everything that is shipped keeps every rule.
#[test]
fn the_shipped_conditions_have_no_findings() {
    let findings = Linter::new().expect("names").findings(&Definition::shipped());
    assert!(findings.is_empty(), "{}", findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
}

/// Rules whose notices a condition tells that is off, with a reason.
const OFF: [&str; 1] = ["vpc-peering-accepted"];

/// S0-08: no notice of a built-in rule is told by nobody.
#[test]
fn every_notice_of_a_rule_has_its_condition() {
    let rules = RuleSet::builtin();
    let notify: BTreeSet<&str> = rules.rules().iter().filter(|rule| rule.notify).map(|rule| rule.id.as_str()).collect();
    let definition = Definition::shipped();
    for id in &notify {
        let named = format!("control.ids LIKE '%|{id}|%'");
        let told: Vec<&ConditionSource> = definition
            .conditions()
            .map(|(_, condition)| condition)
            .filter(|condition| condition.query.contains(&named))
            .collect();
        let [condition] = told.as_slice() else {
            panic!("{id}: {} conditions tell its notices, not one", told.len());
        };
        assert_eq!(condition.enabled, !OFF.contains(id), "{id}: {}", condition.id);
    }
}

/// Techniques of whoever destroys data, or what would bring it back.
const DESTRUCTION: [&str; 2] = ["T1485", "T1490"];

/// S1-25, P28: a series of deletions is told whatever it deletes.
#[test]
fn every_rule_about_destruction_counts_for_mass_deletion() {
    let definition = Definition::shipped();
    let (_, condition) = definition.conditions().find(|(_, condition)| condition.id == "mass-deletion").expect("a condition");
    let is_destruction = |rule: &&crate::classify::Rule| {
        rule.techniques.items().iter().any(|technique| DESTRUCTION.iter().any(|known| technique.starts_with(known)))
    };
    let rules = RuleSet::builtin();
    let left_out: Vec<&str> = rules
        .rules()
        .iter()
        .filter(is_destruction)
        .map(|rule| rule.id.as_str())
        .filter(|id| !condition.query.contains(&format!("'{id}'")))
        .collect();
    assert!(left_out.is_empty(), "{left_out:?}");
}

/// S2-43: what New Relic throws away of the relay pages, whatever type it is of; what others send does not.
#[test]
fn lost_events_are_told_of_every_type_of_the_relay() {
    let definition = Definition::shipped();
    let (_, condition) =
        definition.conditions().find(|(_, condition)| condition.id == "integration-errors").expect("a condition");
    let list = condition.query.split_once(" IN (").and_then(|(_, rest)| rest.split_once(')')).expect("a list").0;
    let named: BTreeSet<&str> = list.split(", ").map(|name| name.trim_matches('\'')).collect();
    assert_eq!(named, crate::encode::dictionary::EVENTS.iter().copied().collect());
}
