//! How many are compliant, and which are not.
//!
//! In: the state. Out: counts per rule and per account, and every violation. What always holds: a percent counts only what is
//! COMPLIANT or `NON_COMPLIANT` and is absent when that is nothing; a rule or resource is compliant only if nothing of it violates.

use std::collections::{BTreeMap, HashMap};

use super::Compliance;
use super::place::Place;
use crate::record::{AccountRegion, ComplianceState};

/// Results by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Results {
    /// COMPLIANT
    pub compliant: u64,
    /// `NON_COMPLIANT`
    pub violating: u64,
    /// `NOT_APPLICABLE`
    pub not_applicable: u64,
    /// Anything else that is there.
    pub unknown: u64,
}

impl Results {
    fn count(&mut self, state: ComplianceState) {
        match state {
            ComplianceState::Compliant => self.compliant += 1,
            ComplianceState::NonCompliant => self.violating += 1,
            ComplianceState::NotApplicable => self.not_applicable += 1,
            ComplianceState::InsufficientData | ComplianceState::Other => self.unknown += 1,
            ComplianceState::Left => {}
        }
    }

    /// The state of the whole: one that violates makes it violate.
    #[must_use]
    pub fn state(&self) -> ComplianceState {
        match self {
            Self { violating: 1.., .. } => ComplianceState::NonCompliant,
            Self { compliant: 1.., .. } => ComplianceState::Compliant,
            Self { not_applicable: 1.., .. } => ComplianceState::NotApplicable,
            _ => ComplianceState::InsufficientData,
        }
    }
}

/// Compliant parts of all that are compliant or violate, in hundredths of a percent; `None`: there are none.
#[must_use]
pub fn percent(compliant: u64, violating: u64) -> Option<u64> {
    let all = compliant + violating;
    // Rounded down: 100 % is said only when nothing violates.
    (all > 0).then(|| compliant * 10_000 / all)
}

/// One rule in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleCounts {
    /// Deployed name.
    pub rule: Box<str>,
    /// Its ARN; empty where nobody says.
    pub arn: Box<str>,
    /// The managed rule that AWS names as its source; `None`: a rule of the customer's own, or nobody said.
    pub identifier: Option<Box<str>>,
    /// Its results.
    pub results: Results,
}

/// One account, all its Regions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountCounts {
    /// Rules, each counted once per Region.
    pub rules: Results,
    /// Resources, each counted once, whatever number of rules judge it.
    pub resources: Results,
    /// Regions that are known.
    pub regions: u64,
}

/// One resource that violates one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Deployed name of the rule.
    pub rule: Box<str>,
    /// Its ARN; empty where nobody says.
    pub arn: Box<str>,
    /// The managed rule that AWS names as its source; `None`: a rule of the customer's own, or nobody said.
    pub identifier: Option<Box<str>>,
    /// As `AWS::S3::Bucket`.
    pub resource_type: Box<str>,
    /// As AWS Config names it.
    pub resource_id: Box<str>,
    /// When it began, milliseconds since the epoch; 0: unknown.
    pub since_ms: i64,
    /// When it was first seen to violate this rule; 0: unknown.
    pub first_seen_ms: i64,
    /// How often it violated again after it was mended.
    pub reopen_count: u32,
    /// When AWS recorded this result, milliseconds since the epoch; 0: unknown.
    pub evaluated_ms: i64,
    /// When it was last known to be so, by an event or by reading the API; 0: unknown.
    pub observed_ms: i64,
    /// Why, in the rule's words.
    pub annotation: Option<Box<str>>,
}

impl Compliance {
    /// Every place that is known, sorted.
    #[must_use]
    pub fn places(&self) -> Vec<AccountRegion> {
        self.lock().places.keys().cloned().collect()
    }

    /// Counts by account, sorted.
    #[must_use]
    pub fn accounts(&self) -> BTreeMap<Box<str>, AccountCounts> {
        self.accounts_where(|_| true)
    }

    /// The same of some places only.
    #[must_use]
    pub fn accounts_where(&self, is_counted: impl Fn(&AccountRegion) -> bool) -> BTreeMap<Box<str>, AccountCounts> {
        let inner = self.lock();
        let mut accounts: BTreeMap<Box<str>, AccountCounts> = BTreeMap::new();
        for (name, place) in inner.places.iter().filter(|(name, _)| is_counted(name)) {
            let counts = accounts.entry(name.account.clone()).or_default();
            counts.regions += 1;
            for rule in place.rules.values() {
                let mut results = Results::default();
                rule.held.iter().for_each(|held| results.count(held.state));
                if rule.held.iter().any(|held| held.state != ComplianceState::Left) || rule.held.is_empty() {
                    counts.rules.count(results.state());
                }
            }
            for results in resources(place).values() {
                counts.resources.count(results.state());
            }
        }
        accounts
    }

    /// Counts by rule of one place, sorted by rule; rules that have left are not there.
    #[must_use]
    pub fn rules(&self, place: &AccountRegion) -> Vec<RuleCounts> {
        let inner = self.lock();
        let Some(place) = inner.places.get(place) else { return Vec::new() };
        let rules = place
            .rules
            .iter()
            .filter(|(_, rule)| rule.held.is_empty() || rule.held.iter().any(|held| held.state != ComplianceState::Left));
        rules
            .map(|(name, rule)| {
                let mut results = Results::default();
                rule.held.iter().for_each(|held| results.count(held.state));
                RuleCounts { rule: name.clone(), arn: rule.arn.clone(), identifier: rule.identifier.clone(), results }
            })
            .collect()
    }

    /// Violations of one place, sorted by rule.
    #[must_use]
    pub fn violations(&self, place: &AccountRegion) -> Vec<Violation> {
        let inner = self.lock();
        let Some(place) = inner.places.get(place) else { return Vec::new() };
        let mut violations = Vec::new();
        for (name, rule) in &place.rules {
            for held in rule.held.iter().filter(|held| held.state == ComplianceState::NonCompliant) {
                let history = held.history.as_deref();
                violations.push(Violation {
                    rule: name.clone(),
                    arn: rule.arn.clone(),
                    identifier: rule.identifier.clone(),
                    resource_type: place.kinds.get(usize::from(held.kind)).cloned().unwrap_or_default(),
                    resource_id: (&*held.resource_id).into(),
                    since_ms: history.map_or(held.at_ms, |history| history.since_ms),
                    first_seen_ms: history.map_or(held.at_ms, |history| history.first_seen_ms),
                    reopen_count: history.map_or(0, |history| history.reopen_count),
                    evaluated_ms: held.at_ms,
                    observed_ms: held.at_ms.max(rule.read_ms),
                    annotation: history.and_then(|history| history.annotation.as_deref()).map(Box::from),
                });
            }
        }
        violations
    }
}

/// Results by resource.
fn resources(place: &Place) -> HashMap<(u16, &str), Results> {
    let mut resources: HashMap<(u16, &str), Results> = HashMap::new();
    for held in place.rules.values().flat_map(|rule| &rule.held).filter(|held| held.state != ComplianceState::Left) {
        resources.entry((held.kind, &held.resource_id)).or_default().count(held.state);
    }
    resources
}
