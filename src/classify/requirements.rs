//! Requirements of frameworks, judged by the rules that are deployed.
//!
//! In: deployed rules with their states, and the customer's own numbers. Out: a [`FrameworkRow`] for every requirement that the
//! table of preventive controls or the customer's file names, also of frameworks nobody deployed a rule of. What always holds: a
//! requirement without a rule that judged something, or an attestation, is unknown, never passed; it passes only when every rule of
//! it is deployed, each that concerns something is compliant, and everything of it that no rule judges is attested; where something
//! of that is missing, and nothing is violated, it is partial. What rules judge, what people attest and what is inherited from AWS
//! are counted apart.
//!
//! A rule that is deployed more than once (in several Regions, by several packs) counts once: it fails where it fails anywhere,
//! and one place where it judged something is enough to know it. A rule that concerns nothing (`NOT_APPLICABLE`) says nothing of
//! its requirement; one without a result (`INSUFFICIENT_DATA`) leaves it unknown. A control of Security Hub that no rule of its own
//! stands for counts as a rule that is not deployed: its findings judge it, not AWS Config.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::duty::{Automation, Duty};
use super::frameworks::{Frameworks, key};
use super::preventive;
use crate::record::ComplianceState;

/// A rule as it is deployed, and how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeployedState<'a> {
    /// Deployed name.
    pub rule: &'a str,
    /// The managed rule that AWS names as its source; `None`: a rule of the customer's own, or nobody said.
    pub identifier: Option<&'a str>,
    /// All its results together.
    pub state: ComplianceState,
}

/// One requirement of one framework.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FrameworkRow<'a> {
    /// As `CIS-AWS-5.0`.
    pub framework: &'a str,
    /// Its number, as `4.5`.
    pub requirement: &'a str,
    /// Rules of it that are compliant.
    pub passed: u64,
    /// Rules of it that are violated.
    pub failed: u64,
    /// Rules of it that are deployed and have no result.
    pub unknown: u64,
    /// Rules of it that are deployed and concern nothing.
    pub not_applicable: u64,
    /// Rules of it that are not deployed.
    pub not_deployed: u64,
    /// What people see to.
    pub manual: Attested,
    /// What AWS sees to.
    pub inherited: Attested,
}

/// Controls of a requirement that no rule judges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attested {
    /// All of them.
    pub items: u64,
    /// Those that somebody answers for.
    pub attested: u64,
}

/// How a requirement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameworkState {
    /// Every rule of it is deployed, each that concerns something is compliant, and everything else of it is attested.
    Passed,
    /// As passed, but rules of it are not deployed, or not everything else of it is attested.
    Partial,
    /// A rule of it is violated.
    Failed,
    /// Nothing judged it and nobody attested anything of it, or a deployed rule of it has no result.
    Unknown,
}

impl FrameworkState {
    /// The word in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl FrameworkRow<'_> {
    /// How it stands.
    #[must_use]
    pub fn state(&self) -> FrameworkState {
        let Self { passed, failed, unknown, not_deployed, manual, inherited, .. } = *self;
        let attested = manual.attested + inherited.attested;
        let missing = not_deployed + manual.items + inherited.items - attested;
        match (failed, unknown, passed + attested, missing) {
            (1.., ..) => FrameworkState::Failed,
            (_, 1.., ..) | (_, _, 0, _) => FrameworkState::Unknown,
            (_, _, _, 0) => FrameworkState::Passed,
            _ => FrameworkState::Partial,
        }
    }
}

/// All requirements of all frameworks, each with the names of the rules that judge it. Made once for all accounts.
#[derive(Debug)]
pub struct Requirements<'f> {
    rules: BTreeMap<(&'f str, &'f str), Vec<&'f str>>,
    own: &'f Frameworks,
}

impl<'f> Requirements<'f> {
    /// Those of the table, and those of the customer's file.
    #[must_use]
    pub fn of(frameworks: &'f Frameworks) -> Self {
        let mut requirements: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        let of_table = preventive::all().iter();
        let of_table =
            of_table.flat_map(|control| control.frameworks.items().iter().map(|item| (item.as_str(), vec![control.id])));
        for (number, rules) in of_table.chain(frameworks.own_numbers()) {
            let Some(name) = number.split_once(':') else { continue };
            let known = requirements.entry(name).or_default();
            for rule in rules {
                if !known.contains(&rule) {
                    known.push(rule);
                }
            }
        }
        Self { rules: requirements, own: frameworks }
    }

    /// Every requirement of every framework, judged by these rules. Sorted by framework and number.
    pub fn rows<'a>(
        &self,
        deployed: impl IntoIterator<Item = DeployedState<'a>>,
        now_ms: i64,
    ) -> impl Iterator<Item = FrameworkRow<'f>> {
        let mut states: HashMap<Cow<'_, str>, ComplianceState> = HashMap::new();
        let mut judged = |name, state| {
            let known = states.entry(name).or_insert(state);
            if weight(state) > weight(*known) {
                *known = state;
            }
        };
        for DeployedState { rule, identifier, state } in deployed {
            if state == ComplianceState::Left {
                continue;
            }
            if let Some(control) = preventive::behind(rule, identifier) {
                judged(Cow::Borrowed(control.id), state);
            }
            // The customer's file may know it by its own name.
            if preventive::control(rule).is_none() {
                judged(Cow::Owned(key(rule)), state);
            }
        }
        self.rules.iter().map(move |((framework, requirement), rules)| {
            let mut row = FrameworkRow { framework, requirement, ..FrameworkRow::default() };
            for rule in rules {
                let duty = || self.own.duty_of_key(rule).unwrap_or(&Duty::USUAL);
                let count = match states.get(*rule) {
                    None => match duty().automation {
                        Automation::Automated => &mut row.not_deployed,
                        Automation::Manual => row.manual.item(duty(), now_ms),
                        Automation::Inherited => row.inherited.item(duty(), now_ms),
                    },
                    Some(ComplianceState::Compliant) => &mut row.passed,
                    Some(ComplianceState::NonCompliant) => &mut row.failed,
                    Some(ComplianceState::NotApplicable) => &mut row.not_applicable,
                    Some(_) => &mut row.unknown,
                };
                *count += 1;
            }
            row
        })
    }
}

impl Attested {
    /// Counts an item, and gives the count of all.
    fn item(&mut self, duty: &Duty, now_ms: i64) -> &mut u64 {
        self.attested += u64::from(duty.is_attested(now_ms));
        &mut self.items
    }
}

/// Which of two states of one rule says more.
fn weight(state: ComplianceState) -> u8 {
    match state {
        ComplianceState::NonCompliant => 3,
        ComplianceState::Compliant => 2,
        ComplianceState::NotApplicable => 1,
        ComplianceState::InsufficientData | ComplianceState::Left | ComplianceState::Other => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::LazyLock;

    use ComplianceState::{Compliant, InsufficientData, Left, NonCompliant, NotApplicable};

    use super::*;

    static NONE: LazyLock<Frameworks> = LazyLock::new(Frameworks::default);

    fn rows_at<'f>(frameworks: &'f Frameworks, deployed: &[(&str, ComplianceState)], now_ms: i64) -> Vec<FrameworkRow<'f>> {
        let deployed = deployed.iter().map(|(rule, state)| DeployedState { rule, identifier: None, state: *state });
        Requirements::of(frameworks).rows(deployed, now_ms).collect()
    }

    fn rows<'f>(frameworks: &'f Frameworks, deployed: &[(&str, ComplianceState)]) -> Vec<FrameworkRow<'f>> {
        rows_at(frameworks, deployed, 0)
    }

    fn row(deployed: &[(&str, ComplianceState)], framework: &str, requirement: &str) -> FrameworkRow<'static> {
        let mut rows = rows(&NONE, deployed).into_iter();
        rows.find(|row| (row.framework, row.requirement) == (framework, requirement)).expect("a requirement of the table")
    }

    /// S2-21: what nobody evaluates is unknown, never passed, and it is there.
    #[test]
    fn without_rules_every_requirement_is_there_and_unknown() {
        let all = rows(&NONE, &[]);
        assert_eq!(all.len(), 832, "requirements of the table");
        let frameworks: HashSet<_> = all.iter().map(|row| row.framework).collect();
        assert_eq!(frameworks.len(), 10, "{frameworks:?}");
        assert!(all.iter().all(|row| row.state() == FrameworkState::Unknown && row.not_deployed > 0));
        assert!(all.is_sorted_by_key(|row| (row.framework, row.requirement)));
        let unmapped = rows(&NONE, &[("our-own-rule", NonCompliant)]);
        assert_eq!(unmapped, all, "a rule that no table knows judges no requirement");
    }

    #[test]
    fn a_requirement_passes_only_by_rules_that_judged_something() {
        // Two rules of one requirement, and how many it has beside them.
        let one = "s3-bucket-public-read-prohibited";
        let two = "s3-bucket-public-write-prohibited";
        let all = row(&[], "PCI-DSS-4.0", "1.2.8");
        assert!(all.not_deployed > 2, "{all:?}");
        for (states, want) in [
            (vec![Compliant], FrameworkState::Partial),
            (vec![Compliant, Compliant], FrameworkState::Partial),
            (vec![Compliant, NotApplicable], FrameworkState::Partial),
            (vec![Compliant, InsufficientData], FrameworkState::Unknown),
            (vec![NotApplicable, NotApplicable], FrameworkState::Unknown),
            (vec![InsufficientData], FrameworkState::Unknown),
            (vec![Left], FrameworkState::Unknown),
            (vec![Compliant, NonCompliant], FrameworkState::Failed),
            (vec![InsufficientData, NonCompliant], FrameworkState::Failed),
        ] {
            let deployed: Vec<_> = [one, two].into_iter().zip(states.iter().copied()).collect();
            let found = row(&deployed, "PCI-DSS-4.0", "1.2.8");
            assert_eq!(found.state(), want, "{states:?}: {found:?}");
            let sum = found.passed + found.failed + found.unknown + found.not_applicable + found.not_deployed;
            assert_eq!(sum, all.not_deployed, "every rule is counted once");
        }
    }

    /// An auditor reads "passed" as "all of it was looked at".
    #[test]
    fn a_requirement_passes_only_when_every_rule_of_it_is_deployed() {
        let requirements = Requirements::of(&NONE);
        let rules = &requirements.rules[&("PCI-DSS-4.0", "1.2.8")];
        let (last, others) = rules.split_last().expect("rules");
        let with = |of_last: Option<ComplianceState>| {
            let others = others.iter().map(|rule| (*rule, Compliant));
            row(&others.chain(of_last.map(|state| (*last, state))).collect::<Vec<_>>(), "PCI-DSS-4.0", "1.2.8")
        };
        for (state, want) in [
            (None, FrameworkState::Partial),
            (Some(Compliant), FrameworkState::Passed),
            (Some(NotApplicable), FrameworkState::Passed),
            (Some(InsufficientData), FrameworkState::Unknown),
            (Some(NonCompliant), FrameworkState::Failed),
        ] {
            assert_eq!(with(state).state(), want, "{state:?}");
        }
    }

    #[test]
    fn a_rule_deployed_more_than_once_counts_once_by_its_worst() {
        let names = ["restricted-ssh", "securityhub-restricted-ssh-1a2b3c4d", "restricted-ssh-conformance-pack-abc123def"];
        for (states, counts) in [
            ([Compliant, InsufficientData, NotApplicable], (1, 0, 0)),
            ([Compliant, NonCompliant, Compliant], (0, 1, 0)),
            ([InsufficientData, InsufficientData, Left], (0, 0, 1)),
        ] {
            let deployed: Vec<_> = names.into_iter().zip(states).collect();
            let found = row(&deployed, "FSBP", "EC2.13");
            assert_eq!((found.passed, found.failed, found.unknown), counts, "{states:?}");
        }
    }

    const NOW: i64 = 1_795_292_071_000;

    fn own(text: &str) -> Frameworks {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("own.csv");
        std::fs::write(&path, text).expect("a file");
        Frameworks::from_file(&path).expect("a table").0
    }

    fn of<'f>(own: &'f Frameworks, deployed: &[(&str, ComplianceState)], framework: &str, requirement: &str) -> FrameworkRow<'f> {
        let mut rows = rows_at(own, deployed, NOW).into_iter();
        rows.find(|row| (row.framework, row.requirement) == (framework, requirement)).expect("a requirement")
    }

    /// S4-09: each kind of item is counted apart; what people or AWS see to is neither passed nor failed until it is attested.
    #[test]
    fn manual_and_inherited_items_count_apart_and_only_when_attested() {
        let own = own("control,framework,requirement,automation,reason,attestedBy,attestedOn\n\
                       pen-test,ACME,1,manual,people do it,ada,2026-11-20\n\
                       board-review,ACME,2,manual,people do it,,\n\
                       data-centre,ACME,3,inherited,AWS does it,bob,2026-11-20\n\
                       data-centre,ACME,4,,,,\n\
                       board-review,ACME,4,,,,\n\
                       restricted-ssh,ACME,5,,,,\n\
                       pen-test,ACME,5,,,,\n\
                       soon,ACME,6,manual,people do it,ada,2026-11-22\n\
                       our-own-rule,ACME,7,,,,\n");
        let attested = |items, attested| Attested { items, attested };
        let rules = [("restricted-ssh", Compliant), ("OrgConfigRule-our-own-rule-ab12cd34", NonCompliant)];
        for (requirement, passed, manual, inherited, want) in [
            ("1", 0, attested(1, 1), attested(0, 0), FrameworkState::Passed),
            ("2", 0, attested(1, 0), attested(0, 0), FrameworkState::Unknown),
            ("3", 0, attested(0, 0), attested(1, 1), FrameworkState::Passed),
            ("4", 0, attested(1, 0), attested(1, 1), FrameworkState::Partial),
            ("5", 1, attested(1, 1), attested(0, 0), FrameworkState::Passed),
            ("6", 0, attested(1, 0), attested(0, 0), FrameworkState::Unknown),
            ("7", 0, attested(0, 0), attested(0, 0), FrameworkState::Failed),
        ] {
            let row = of(&own, &rules, "ACME", requirement);
            assert_eq!((row.passed, row.manual, row.inherited, row.state()), (passed, manual, inherited, want), "{requirement}");
        }
        let broken = of(&own, &[("restricted-ssh", NonCompliant)], "ACME", "5");
        assert_eq!(
            (broken.state(), broken.failed, broken.manual.attested),
            (FrameworkState::Failed, 1, 1),
            "an attestation heals nothing"
        );
    }

    /// S4-18: a rule that is not deployed for a reason is no rule that somebody forgot; once it is deployed it judges.
    #[test]
    fn a_rule_that_people_stand_in_for_counts_as_manual_until_it_is_deployed() {
        let own = own("control,framework,requirement,automation,reason\nrestricted-ssh,ACME,1,manual,a jump host\n");
        let table = row(&[], "FSBP", "EC2.13");
        let stood_in = of(&own, &[], "FSBP", "EC2.13");
        assert_eq!((stood_in.not_deployed + 1, stood_in.manual.items), (table.not_deployed, 1));
        let deployed = of(&own, &[("restricted-ssh", Compliant)], "FSBP", "EC2.13");
        assert_eq!((deployed.passed, deployed.manual.items), (1, 0));
        let rows = rows(&own, &[]).len();
        assert_eq!(rows, 832 + 1, "the file's requirement beside those of the table");
    }

    #[test]
    fn a_managed_rule_under_a_name_of_the_customers_judges_its_requirements() {
        let of = |identifier| {
            let mine = DeployedState { rule: "my-ssh", identifier, state: Compliant };
            let requirements = Requirements::of(&NONE);
            let mut rows = requirements.rows([mine], 0);
            rows.find(|row| (row.framework, row.requirement) == ("FSBP", "EC2.13")).expect("a requirement").state()
        };
        assert_eq!((of(Some("INCOMING_SSH_DISABLED")), of(None)), (FrameworkState::Passed, FrameworkState::Unknown));
    }

    /// The customer's own frameworks have rows like those of the tables.
    #[test]
    fn requirements_of_the_customers_file_are_judged_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("own.csv");
        let text = "control,framework,requirement\nrestricted-ssh,ACME,1\nOur-own-rule,ACME,1\nOur-own-rule,CIS-AWS-5.0,9.9\n\
                    ec2.13,ACME,2\nCloudWatch.1,ACME,3\nrestricted-ssh,ACME,3\n";
        std::fs::write(&path, text).expect("a file");
        let (own, _) = Frameworks::from_file(&path).expect("a table");
        let states = |deployed: &[(&str, ComplianceState)]| {
            let all = rows(&own, deployed);
            assert_eq!(all.len(), 832 + 4);
            [("ACME", "1"), ("ACME", "2"), ("ACME", "3"), ("CIS-AWS-5.0", "9.9")].map(|name| {
                all.iter().find(|row| (row.framework, row.requirement) == name).expect("a requirement").state().as_str()
            })
        };
        assert_eq!(states(&[]), ["unknown"; 4]);
        assert_eq!(states(&[("our_own_rule", Compliant)]), ["partial", "unknown", "unknown", "passed"]);
        let both = [("restricted-ssh", Compliant), ("our-own-rule-conformance-pack-abc123def", Compliant)];
        assert_eq!(states(&both), ["passed", "passed", "partial", "passed"], "AWS Config judges no CloudWatch.1");
        let bad = [("restricted-ssh", Compliant), ("our-own-rule", NonCompliant)];
        assert_eq!(states(&bad), ["failed", "passed", "partial", "failed"]);
    }
}
