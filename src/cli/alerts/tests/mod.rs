//! What only the command can know: which controls there are, and what New Relic's stand-in says.

use std::collections::BTreeSet;

use super::*;

#[cfg(feature = "lab")]
mod lab;

/// Everything that is shipped keeps every rule.
#[test]
fn the_shipped_conditions_have_no_findings() {
    let (names, controls) = (names().expect("names"), controls());
    let findings = lint::lint(&Definition::shipped(), lint::Known { names: &names, controls: &controls });
    assert!(findings.is_empty(), "{}", findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
}

/// Rules whose notices a condition tells that is off, with a reason.
const OFF: [&str; 1] = ["vpc-peering-accepted"];

/// S0-08: no notice of a built-in rule is told by nobody; and the condition for rules of one's own leaves out these and no others.
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
    let own = definition.conditions().find(|(_, condition)| condition.id == "company-rules").expect("a condition").1;
    let list = own.query.split_once("[|](").and_then(|(_, rest)| rest.split_once(")[|]")).expect("a list").0;
    assert_eq!(list.split('|').collect::<BTreeSet<_>>(), notify, "the rules that `company-rules` leaves out");
}
