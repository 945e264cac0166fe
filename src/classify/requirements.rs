//! Requirements of frameworks, judged by the rules that are deployed.
//!
//! In: deployed rules with their states, and the customer's own numbers. Out: a [`FrameworkRow`] for every requirement that the table
//! of preventive controls or the customer's file names, also of frameworks nobody deployed a rule of. What always holds: a
//! requirement without a rule that judged something, or an attestation, is unknown, never passed; it passes only when every deployed
//! rule of it that concerns something is compliant and everything of it that no rule judges is attested; what rules judge, what
//! people attest and what is inherited from AWS are counted apart.
//!
//! A rule that is deployed more than once (in several Regions, by several packs) counts once: it fails where it fails anywhere,
//! and one place where it judged something is enough to know it. A rule that concerns nothing (`NOT_APPLICABLE`) says nothing of
//! its requirement; one without a result (`INSUFFICIENT_DATA`) leaves it unknown.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use super::duty::{Automation, Duty};
use super::frameworks::{self, Frameworks, Named};
use super::preventive;
use crate::record::ComplianceState;

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
    /// Every rule of it that concerns something is compliant, and everything else of it is attested.
    Passed,
    /// A rule of it is violated.
    Failed,
    /// Nothing judged it, or not everything that should.
    Unknown,
}

impl FrameworkState {
    /// The word in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl FrameworkRow<'_> {
    /// How it stands.
    #[must_use]
    pub fn state(&self) -> FrameworkState {
        let Self { passed, failed, unknown, manual, inherited, .. } = *self;
        let attested = manual.attested + inherited.attested;
        let is_all_attested = attested == manual.items + inherited.items;
        if failed > 0 {
            FrameworkState::Failed
        } else if passed + attested > 0 && unknown == 0 && is_all_attested {
            FrameworkState::Passed
        } else {
            FrameworkState::Unknown
        }
    }
}

/// A requirement, and the rules that judge it by their `control.id`.
type Requirement = ((&'static str, &'static str), Vec<&'static str>);

/// All requirements of all frameworks of the table, sorted.
static REQUIREMENTS: LazyLock<Vec<Requirement>> = LazyLock::new(|| {
    let mut requirements: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for control in preventive::all() {
        for name in control.frameworks.items().iter().filter_map(|item| item.split_once(':')) {
            requirements.entry(name).or_default().push(control.id);
        }
    }
    requirements.into_iter().collect()
});

/// Every requirement of every framework, judged by these rules: deployed name and state. Sorted by framework and number.
pub fn framework_rows<'f, 'a>(
    own: &'f Frameworks,
    deployed: impl IntoIterator<Item = (&'a str, ComplianceState)>,
    now_ms: i64,
) -> impl Iterator<Item = FrameworkRow<'f>> {
    let mut states: HashMap<Cow<'static, str>, ComplianceState> = HashMap::new();
    for (rule, state) in deployed {
        let key = match preventive::control(rule) {
            Some(control) => Cow::Borrowed(control.id),
            None if own.is_empty() => continue,
            None => Cow::Owned(frameworks::key(rule)),
        };
        if state != ComplianceState::Left {
            let known = states.entry(key).or_insert(state);
            if weight(state) > weight(*known) {
                *known = state;
            }
        }
    }
    let of_table = REQUIREMENTS.iter().map(|(name, rules)| (*name, rules.clone()));
    let mut requirements: BTreeMap<(&'f str, &'f str), Vec<&'f str>> = of_table.collect();
    for Named { framework, requirement, key } in own.named() {
        let rules = requirements.entry((framework, requirement)).or_default();
        // The file may repeat what the table says.
        if !rules.contains(&key) {
            rules.push(key);
        }
    }
    requirements.into_iter().map(move |((framework, requirement), rules)| {
        let mut row = FrameworkRow { framework, requirement, ..FrameworkRow::default() };
        for rule in rules {
            let duty = || own.duty_of_key(&frameworks::key(rule)).unwrap_or(&Duty::USUAL);
            let count = match states.get(rule) {
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

    use ComplianceState::{Compliant, InsufficientData, Left, NonCompliant, NotApplicable};

    use super::*;

    static NONE: LazyLock<Frameworks> = LazyLock::new(Frameworks::default);

    fn row(deployed: &[(&str, ComplianceState)], framework: &str, requirement: &str) -> FrameworkRow<'static> {
        let mut rows = framework_rows(&NONE, deployed.iter().copied(), 0);
        rows.find(|row| (row.framework, row.requirement) == (framework, requirement)).expect("a requirement of the table")
    }

    /// S2-21: what nobody evaluates is unknown, never passed, and it is there.
    #[test]
    fn without_rules_every_requirement_is_there_and_unknown() {
        let rows: Vec<_> = framework_rows(&NONE, [], 0).collect();
        assert_eq!(rows.len(), 832, "requirements of the table");
        let frameworks: HashSet<_> = rows.iter().map(|row| row.framework).collect();
        assert_eq!(frameworks.len(), 10, "{frameworks:?}");
        assert!(rows.iter().all(|row| row.state() == FrameworkState::Unknown && row.not_deployed > 0));
        assert!(rows.is_sorted_by_key(|row| (row.framework, row.requirement)));
        let unmapped: Vec<_> = framework_rows(&NONE, [("our-own-rule", NonCompliant)], 0).collect();
        assert_eq!(unmapped, rows, "a rule that no table knows judges no requirement");
    }

    #[test]
    fn a_requirement_passes_only_by_rules_that_judged_something() {
        // Two rules of one requirement, and how many it has beside them.
        let one = "s3-bucket-public-read-prohibited";
        let two = "s3-bucket-public-write-prohibited";
        let all = row(&[], "PCI-DSS-4.0", "1.2.8");
        assert!(all.not_deployed > 2, "{all:?}");
        for (states, want) in [
            (vec![Compliant], FrameworkState::Passed),
            (vec![Compliant, Compliant], FrameworkState::Passed),
            (vec![Compliant, NotApplicable], FrameworkState::Passed),
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
        let mut rows = framework_rows(own, deployed.iter().copied(), NOW);
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
            ("4", 0, attested(1, 0), attested(1, 1), FrameworkState::Unknown),
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
        let rows = framework_rows(&own, [], NOW).count();
        assert_eq!(rows, 832 + 1, "the file's requirement beside those of the table");
    }
}
