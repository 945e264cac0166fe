//! Controls of Security Hub: which frameworks a finding's control speaks to.
//!
//! In: a control's id, `EC2.13`. Out: the rule of AWS Config behind it, with severity, pillar and framework numbers. What always
//! holds: a number is a control's own. A managed rule that serves several controls, each with other parameters, says nothing of
//! any single one of them, so these keep only what names them.
//!
//! Derived from `config_rules.csv` (its sources: `preventive.rs`). `monitoring_controls.csv` has the CIS numbers of
//! `CloudWatch.1` to `.14`, which no managed rule serves: numbers of AWS's Security Hub user guide (CC BY-SA 4.0), those of CIS
//! 4.0 after Prowler (Apache-2.0).

use std::collections::HashMap;
use std::sync::LazyLock;

use super::preventive::{self, PreventiveControl};
use super::rule::{List, Pillar};
use crate::record::severity::Severity;

const MONITORING: &str = include_str!("monitoring_controls.csv");

/// The frameworks of the columns behind the first.
const FRAMEWORKS: [&str; 4] = ["CIS-AWS-1.4", "CIS-AWS-3.0", "CIS-AWS-4.0", "CIS-AWS-5.0"];

/// One control of Security Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityHubControl {
    /// `EC2.13`
    pub id: String,
    /// The managed rules that check it; empty: none is known.
    pub rules: Vec<&'static PreventiveControl>,
    /// Its severity; `None`: not known here, a finding says its own.
    pub severity: Option<Severity>,
    /// The part of cloud security it belongs to.
    pub pillar: Pillar,
    /// Framework numbers, `CIS-AWS-5.0:1.13`.
    pub frameworks: List,
}

/// Every control that a table knows, in the order of the tables.
#[must_use]
pub fn all() -> &'static [SecurityHubControl] {
    static ALL: LazyLock<Vec<SecurityHubControl>> = LazyLock::new(|| {
        let mut controls: Vec<SecurityHubControl> = Vec::new();
        let mut at: HashMap<&str, usize> = HashMap::new();
        for rule in preventive::all() {
            for id in &rule.hub_controls {
                if let Some(control) = at.get(id).and_then(|at| controls.get_mut(*at)) {
                    // Two rules for one control: its numbers are those of both.
                    add(control, rule);
                } else {
                    at.insert(id, controls.len());
                    controls.push(of_rule(id, rule));
                }
            }
        }
        controls.extend(MONITORING.lines().skip(1).filter_map(monitoring));
        controls
    });
    &ALL
}

/// A control by its id, in any case; `None`: unmapped.
#[must_use]
pub fn control(id: &str) -> Option<&'static SecurityHubControl> {
    static BY_ID: LazyLock<HashMap<String, &SecurityHubControl>> =
        LazyLock::new(|| all().iter().map(|control| (control.id.to_ascii_lowercase(), control)).collect());
    BY_ID.get(&id.to_ascii_lowercase()).copied()
}

fn of_rule(id: &str, rule: &'static PreventiveControl) -> SecurityHubControl {
    let is_own = rule.hub_controls.len() == 1;
    let frameworks = if is_own { rule.frameworks.clone() } else { List::default() };
    // The rule's severity is the highest of its controls.
    let severity = rule.severity.filter(|_| is_own);
    SecurityHubControl { id: id.to_owned(), rules: vec![rule], severity, pillar: rule.pillar, frameworks }
}

fn add(control: &mut SecurityHubControl, rule: &'static PreventiveControl) {
    let other = of_rule(&control.id, rule);
    control.rules.push(rule);
    control.severity = control.severity.max(other.severity);
    control.frameworks = List::new(control.frameworks.items().iter().chain(other.frameworks.items()).cloned());
}

fn monitoring(line: &str) -> Option<SecurityHubControl> {
    let mut cells = line.split(',');
    let id = cells.next().filter(|id| !id.is_empty())?.to_owned();
    let numbers = FRAMEWORKS.iter().zip(cells).filter(|(_, number)| !number.is_empty());
    let frameworks = List::new(numbers.map(|(framework, number)| format!("{framework}:{number}")));
    Some(SecurityHubControl { id, rules: Vec::new(), severity: None, pillar: Pillar::default(), frameworks })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S2-21: every control of the tables is found by its id, with numbers of its own.
    #[test]
    fn a_control_has_the_numbers_of_its_rule() {
        let ssh = control("ec2.13").expect("a known control");
        let rules: Vec<_> = ssh.rules.iter().map(|rule| rule.id).collect();
        assert_eq!((ssh.id.as_str(), ssh.severity, rules.as_slice()), ("EC2.13", Some(Severity::High), &["restricted-ssh"][..]));
        assert!(ssh.frameworks.items().iter().any(|number| number == "FSBP:EC2.13"));
        assert_eq!(Some(&ssh.frameworks), preventive::control("restricted-ssh").map(|rule| &rule.frameworks));
        let changed = control("CloudWatch.12").expect("a known control");
        assert_eq!(
            changed.frameworks.joined(),
            Some("|CIS-AWS-1.4:4.12|CIS-AWS-3.0:4.12|CIS-AWS-4.0:4.12|CIS-AWS-5.0:4.12|"),
            "no 12 that is another's 1"
        );
        assert_eq!((control("EC2.1300"), control(""), control("restricted-ssh")), (None, None, None));
        assert_eq!(all().len(), 225 + 14, "controls of rules, and those of monitoring");
    }

    /// A number of one control is never given to another that the same rule serves.
    #[test]
    fn a_rule_with_several_controls_gives_its_numbers_to_none() {
        let several: Vec<_> =
            all().iter().filter(|control| control.rules.iter().any(|rule| rule.hub_controls.len() > 1)).collect();
        assert_eq!(several.len(), 13);
        for control in several {
            assert_eq!((control.frameworks.joined(), control.severity), (None, None), "{}", control.id);
        }
    }
}
