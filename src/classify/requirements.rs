//! Requirements of frameworks, judged by the rules that are deployed.
//!
//! In: deployed rules with their states. Out: a [`FrameworkRow`] for every requirement that the table of preventive controls
//! names, also of frameworks nobody deployed a rule of. What always holds: a requirement without a rule that judged something is
//! unknown, never passed; it passes only when every deployed rule of it that concerns something is compliant.
//!
//! A rule that is deployed more than once (in several Regions, by several packs) counts once: it fails where it fails anywhere,
//! and one place where it judged something is enough to know it. A rule that concerns nothing (`NOT_APPLICABLE`) says nothing of
//! its requirement; one without a result (`INSUFFICIENT_DATA`) leaves it unknown.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use super::preventive;
use crate::record::ComplianceState;

/// One requirement of one framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameworkRow {
    /// As `CIS-AWS-5.0`.
    pub framework: &'static str,
    /// Its number, as `4.5`.
    pub requirement: &'static str,
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
}

/// How a requirement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameworkState {
    /// Every rule of it that concerns something is compliant.
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

impl FrameworkRow {
    /// How it stands.
    #[must_use]
    pub fn state(&self) -> FrameworkState {
        match self {
            Self { failed: 1.., .. } => FrameworkState::Failed,
            Self { passed: 1.., unknown: 0, .. } => FrameworkState::Passed,
            _ => FrameworkState::Unknown,
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
pub fn framework_rows<'a>(deployed: impl IntoIterator<Item = (&'a str, ComplianceState)>) -> impl Iterator<Item = FrameworkRow> {
    let mut states: HashMap<&str, ComplianceState> = HashMap::new();
    for (rule, state) in deployed {
        let Some(control) = preventive::control(rule) else { continue };
        if state != ComplianceState::Left {
            let known = states.entry(control.id).or_insert(state);
            if weight(state) > weight(*known) {
                *known = state;
            }
        }
    }
    REQUIREMENTS.iter().map(move |((framework, requirement), rules)| {
        let mut row =
            FrameworkRow { framework, requirement, passed: 0, failed: 0, unknown: 0, not_applicable: 0, not_deployed: 0 };
        for rule in rules {
            let count = match states.get(rule) {
                None => &mut row.not_deployed,
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

    fn row(deployed: &[(&str, ComplianceState)], framework: &str, requirement: &str) -> FrameworkRow {
        let mut rows = framework_rows(deployed.iter().copied());
        rows.find(|row| (row.framework, row.requirement) == (framework, requirement)).expect("a requirement of the table")
    }

    /// S2-21: what nobody evaluates is unknown, never passed, and it is there.
    #[test]
    fn without_rules_every_requirement_is_there_and_unknown() {
        let rows: Vec<_> = framework_rows([]).collect();
        assert_eq!(rows.len(), 832, "requirements of the table");
        let frameworks: HashSet<_> = rows.iter().map(|row| row.framework).collect();
        assert_eq!(frameworks.len(), 10, "{frameworks:?}");
        assert!(rows.iter().all(|row| row.state() == FrameworkState::Unknown && row.not_deployed > 0));
        assert!(rows.is_sorted_by_key(|row| (row.framework, row.requirement)));
        let unmapped: Vec<_> = framework_rows([("our-own-rule", NonCompliant)]).collect();
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
}
