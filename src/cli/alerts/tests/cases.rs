//! The cases of the shipped conditions, in the lab: what each would have told people, and when.

use std::path::Path;

use super::super::cases::{found, is};
use super::*;

/// Where the files of the conditions are: whoever changes one need not build it in to judge it.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/nrql/conditions");

/// The files as they stand now.
pub(super) fn definition() -> Definition {
    let definition = super::super::definition(Some(Path::new(FOLDER))).expect("files");
    assert!(definition.unreadable.is_empty(), "{:?}", definition.unreadable);
    definition
}

/// P37, S3-14: what must wake somebody opens an incident in time, what must not opens none, and what is over closes.
#[test]
fn every_case_gives_the_incidents_that_it_names() {
    let mut wrong = Vec::new();
    let mut judged = 0;
    for (policy, source) in definition().conditions() {
        let condition = source.model(Language::English);
        for case in &source.cases {
            judged += 1;
            let found = match found(&condition, case) {
                Ok(found) => found,
                Err(error) => {
                    wrong.push(format!("{}/{}, {}: {error}", policy.key, source.id, case.name));
                    continue;
                }
            };
            let mut left = found.clone();
            let mut missed = false;
            for wanted in &case.incidents {
                match left.iter().position(|told| is(wanted, told)) {
                    Some(at) => drop(left.remove(at)),
                    None => missed = true,
                }
            }
            if missed || !left.is_empty() {
                let found: Vec<String> = found.iter().map(|told| format!("    {told}")).collect();
                wrong.push(format!("{}/{}, {}: found\n{}", policy.key, source.id, case.name, found.join("\n")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged > 250, "{judged} cases");
}

/// A case that does not say when is no proof of window, timer and silence.
#[test]
fn every_incident_of_a_case_says_when() {
    for (policy, condition) in definition().conditions() {
        for case in &condition.cases {
            let says = case.incidents.iter().all(|incident| incident.opens.is_some());
            assert!(says, "{}/{}, {}: say `opens`", policy.key, condition.id, case.name);
        }
    }
}

/// What closes by itself is shown closing in one of its cases.
#[test]
fn every_condition_shows_an_incident_that_closes() {
    let never: Vec<String> = definition()
        .conditions()
        .filter(|(_, condition)| !condition.cases.iter().flat_map(|case| &case.incidents).any(|one| one.closes.is_some()))
        .map(|(policy, condition)| format!("{}/{}", policy.key, condition.id))
        .collect();
    assert!(never.is_empty(), "no case in which an incident closes: {}", never.join(", "));
}
