//! Every control there is, whether anything came of it or not: so that "never fired" and "nobody evaluates it" can be asked.
//!
//! In: the rules, the customer's framework numbers, and the names of the rules that AWS Config evaluates somewhere. Out: a row for
//! each detective rule, those that are switched off included, and for each preventive control of the tables and of the customer's
//! file, also of what no rule judges. What always holds: a control has one row; as long as nobody says what is deployed, no control
//! counts as evaluated and none as not evaluated.

use std::collections::HashSet;

use super::duty::{Automation, Duty};
use super::preventive;
use super::rule::{List, Pillar, Rule};
use super::{Frameworks, RuleSet};
use crate::record::severity::Severity;

/// One control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueRow<'a> {
    /// `control.id`
    pub id: &'a str,
    /// `control.title`
    pub title: &'a str,
    /// Who wrote it, if others than we did.
    pub author: Option<&'a str>,
    /// What sort of control it is.
    pub kind: CatalogueKind<'a>,
    /// How bad a hit or a violation is; `None`: not known.
    pub severity: Option<Severity>,
    /// The same as a number, 0 to 100.
    pub score: Option<u8>,
    /// The part of cloud security it belongs to; `None`: not known.
    pub pillar: Option<Pillar>,
    /// Framework numbers.
    pub frameworks: &'a List,
    /// Who sees to it and how.
    pub duty: &'a Duty,
}

/// What sort of control a row is, with what only that sort has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogueKind<'a> {
    /// A rule on trail records.
    Detective {
        /// Whether it runs.
        enabled: bool,
        /// ATT&CK tactics.
        tactics: &'a List,
        /// ATT&CK techniques.
        techniques: &'a List,
    },
    /// A rule of AWS Config.
    Preventive {
        /// Whether it is deployed anywhere; `None`: not known.
        evaluated: Option<bool>,
    },
    /// What no rule judges: people or AWS see to it.
    Unautomated,
}

impl<'a> CatalogueRow<'a> {
    /// The rows: detective rules as they run, then those switched off, then preventive controls in the order of the tables, then the
    /// customer's own. `deployed`: names or identifiers of the rules that AWS Config evaluates, as deployed; `None`: not known.
    #[must_use]
    pub fn rows(rules: &'a RuleSet, frameworks: &'a Frameworks, deployed: Option<&HashSet<String>>) -> Vec<CatalogueRow<'a>> {
        let running = rules.rules().iter().map(|rule| detective(rule, true));
        let disabled = rules.disabled().iter().map(|rule| detective(rule, false));
        let evaluated: Option<HashSet<String>> = deployed.map(|names| names.iter().map(|name| key(name)).collect());
        let is_evaluated = |id: &str| evaluated.as_ref().map(|ids| ids.contains(&key(id)));
        let of_tables = preventive::all().iter().map(|control| CatalogueRow {
            id: control.id,
            title: control.id,
            author: None,
            kind: CatalogueKind::Preventive { evaluated: is_evaluated(control.id) },
            severity: control.severity,
            score: control.severity.map(Severity::default_score),
            pillar: Some(control.pillar),
            frameworks: frameworks.of_control(control),
            duty: frameworks.duty(control.id),
        });
        let own = frameworks.custom().into_iter().map(|(id, numbers, duty)| CatalogueRow {
            id,
            title: id,
            author: None,
            kind: match duty.automation {
                Automation::Automated => CatalogueKind::Preventive { evaluated: is_evaluated(id) },
                Automation::Manual | Automation::Inherited => CatalogueKind::Unautomated,
            },
            severity: None,
            score: None,
            pillar: None,
            frameworks: numbers,
            duty,
        });
        running.chain(disabled).chain(of_tables).chain(own).collect()
    }
}

fn detective(rule: &Rule, enabled: bool) -> CatalogueRow<'_> {
    CatalogueRow {
        id: &rule.id,
        title: &rule.title,
        author: rule.foreign_author(),
        kind: CatalogueKind::Detective { enabled, tactics: &rule.tactics, techniques: &rule.techniques },
        severity: Some(rule.severity),
        score: Some(rule.score),
        pillar: Some(rule.pillar),
        frameworks: &rule.frameworks,
        duty: &Duty::USUAL,
    }
}

/// What a control is compared by: the managed rule behind it, else its own plain name.
fn key(name: &str) -> String {
    let own = || preventive::plain(&preventive::dashed(name)).to_owned();
    preventive::control(name).map_or_else(own, |control| control.id.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::Rules;

    fn own_numbers() -> Frameworks {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("own.csv");
        let text = "control,framework,requirement\nour-own-rule,ACME,1\nrestricted-ssh,ACME,2\n";
        std::fs::write(&path, text).expect("a file");
        Frameworks::from_file(&path).expect("a table").0
    }

    /// Every control has one row, whatever it is and whether it runs.
    #[test]
    fn every_control_has_one_row() {
        let disable = vec!["trail-logging-stopped".to_owned()];
        let (rules, faults) = RuleSet::load(&Rules { disable, ..Rules::default() });
        assert_eq!(faults, []);
        let frameworks = own_numbers();
        let rows = CatalogueRow::rows(&rules, &frameworks, None);
        let ids: HashSet<&str> = rows.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), rows.len(), "an id stands twice");
        assert_eq!(rows.len(), RuleSet::builtin().rules().len() + preventive::all().len() + 1);
        let is_enabled = |id: &str| match rows.iter().find(|row| row.id == id).expect(id).kind {
            CatalogueKind::Detective { enabled, .. } => enabled,
            CatalogueKind::Preventive { .. } | CatalogueKind::Unautomated => panic!("{id} is a detective control"),
        };
        assert_eq!((is_enabled("root-user-activity"), is_enabled("trail-logging-stopped")), (true, false));
        let row = |id: &str| rows.iter().find(|row| row.id == id).expect(id);
        assert!(row("restricted-ssh").frameworks.items().ends_with(&["ACME:2".to_owned()]));
        assert_eq!((row("our-own-rule").frameworks.joined(), row("our-own-rule").pillar), (Some("|ACME:1|"), None));
    }

    /// S2-21: a control nobody evaluates is told apart from one of which nobody knows.
    #[test]
    fn a_control_is_evaluated_when_a_rule_of_it_is_deployed_under_any_name() {
        let (rules, frameworks) = (RuleSet::alone(&[PathBuf::from("/no/rules")], &Rules::default()).0, own_numbers());
        let evaluated = |deployed: Option<&[&str]>, id: &str| {
            let deployed: Option<HashSet<String>> = deployed.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            let rows = CatalogueRow::rows(&rules, &frameworks, deployed.as_ref());
            let row = rows.into_iter().find(|row| row.id == id).expect("a row");
            match row.kind {
                CatalogueKind::Preventive { evaluated } => evaluated,
                CatalogueKind::Detective { .. } | CatalogueKind::Unautomated => panic!("{id} is a preventive control"),
            }
        };
        for (deployed, id, want) in [
            (None, "restricted-ssh", None),
            (Some(&[][..]), "restricted-ssh", Some(false)),
            (Some(&["restricted-ssh"]), "restricted-ssh", Some(true)),
            (Some(&["INCOMING_SSH_DISABLED"]), "restricted-ssh", Some(true)),
            (Some(&["securityhub-restricted-ssh-1a2b3c4d"]), "restricted-ssh", Some(true)),
            (Some(&["restricted-ssh-of-ours"]), "restricted-ssh", Some(false)),
            (Some(&["OrgConfigRule-our-own-rule-ab12cd34"]), "our-own-rule", Some(true)),
            (None, "our-own-rule", None),
        ] {
            assert_eq!(evaluated(deployed, id), want, "{deployed:?} {id}");
        }
    }
}
