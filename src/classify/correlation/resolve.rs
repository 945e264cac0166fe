//! Which rules a correlation means.
//!
//! In: all documents that were read, and the ids of those that are switched off. Out: the correlations whose rules all run; the others
//! as faults.

use super::super::fault::RuleFault;
use super::super::read::Read;

/// Leaves out correlations that cannot work. Returns why each was left out.
pub(in crate::classify) fn resolve(rules: &mut Vec<Read>, is_off: impl Fn(&str) -> bool) -> Vec<RuleFault> {
    let mut faults = Vec::new();
    // One that goes may take others with it.
    loop {
        let gone: Vec<(String, RuleFault)> = rules.iter().filter_map(|read| wrong(read, rules, &is_off)).collect();
        if gone.is_empty() {
            break;
        }
        for (id, fault) in gone {
            rules.retain(|read| read.rule.id != id);
            faults.push(fault);
        }
    }
    faults
}

/// Leaves out lent rules that no correlation of the others needs.
pub(in crate::classify) fn keep_needed(rules: &mut Vec<Read>) {
    let mut needed: Vec<String> = Vec::new();
    for read in rules.iter().filter(|read| !read.lent) {
        let mut seen = Vec::new();
        // No correlation reaches a rule without an id: all that it names, and they name, are seen.
        let _in_circle = reaches(rules, read, "", &mut seen);
        needed.extend(seen.into_iter().map(str::to_owned));
    }
    rules.retain(|read| !read.lent || needed.contains(&read.rule.id));
}

/// What is wrong with a correlation, with its id.
fn wrong(read: &Read, rules: &[Read], is_off: &impl Fn(&str) -> bool) -> Option<(String, RuleFault)> {
    let spec = read.correlation.as_ref()?;
    let fault = |line, problem: String, hint| {
        Some((read.rule.id.clone(), RuleFault { file: read.rule.file.clone(), line, problem, hint }))
    };
    for (line, name) in &spec.rules {
        if !rules.iter().any(|other| other.rule.is_called(name)) {
            if is_off(name) {
                let hint = "take it out of rules.disable, or disable the correlation too";
                return fault(*line, format!("correlation.rules: \"{name}\" is switched off by rules.disable"), Some(hint));
            }
            let problem = format!("correlation.rules: \"{name}\" is the id or name of no rule that runs");
            return fault(*line, problem, Some("`cspm-relay rules list` shows the ids"));
        }
    }
    for alias in &spec.aliases {
        for (_, name) in &spec.rules {
            let is_there = alias.fields.iter().any(|(rule, _)| is_same(rules, rule, name));
            if !is_there {
                let problem = format!("correlation.aliases.{}: no field for rule \"{name}\"", alias.name);
                return fault(alias.line, problem, None);
            }
        }
    }
    if reaches(rules, read, &read.rule.id, &mut Vec::new()) {
        return fault(spec.line, "correlation.rules: it names itself, directly or through others".to_owned(), None);
    }
    None
}

/// Whether two names are of one rule.
pub(super) fn is_same(rules: &[Read], one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || rules.iter().any(|read| read.rule.is_called(one) && read.rule.is_called(other))
}

/// Whether the rule of this id is among those that `from` names, or those name.
fn reaches<'r>(rules: &'r [Read], from: &'r Read, id: &str, seen: &mut Vec<&'r str>) -> bool {
    let Some(spec) = &from.correlation else { return false };
    spec.rules.iter().any(|(_, name)| {
        rules.iter().filter(|read| read.rule.is_called(name)).any(|read| {
            if read.rule.id == id {
                return true;
            }
            if seen.contains(&read.rule.id.as_str()) {
                return false;
            }
            seen.push(&read.rule.id);
            reaches(rules, read, id, seen)
        })
    })
}
