//! The rows of one run of one kind, one after the other.
//!
//! In: the state of compliance and findings, the controls, names, and how it was before. Out: each row as an item for the Event
//! API, through a callback. What always holds: the same state gives the same rows in the same order; beside the state, one row and
//! the counts of one account or place are held, whatever the number of accounts; every account that is known has its rows, also one
//! without rules, and one that is asked and could never be read has a summary without counts; who is not watched has none.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use super::freshness::Freshness;
use super::leaving;
use crate::classify::{
    CatalogueKind, CatalogueRow, ClassifiedChange, DeployedState, Exceptions, Frameworks, PreventiveControl, Requirements,
    RuleSet, preventive_control, preventive_control_behind, preventive_control_id,
};
use crate::config::Watched;
use crate::encode::catalogue::push_control;
use crate::encode::finding::{FindingRun, push_open};
use crate::encode::posture::{
    Beside, Excepted, PackRow, RuleRow, RunKind, Snapshot, Summary, ViolationRow, push_framework, push_pack, push_rule,
    push_summary, push_violation,
};
use crate::enrich::Enricher;
use crate::posture::compliance::counts::percent;
use crate::posture::{Compliance, Findings, OpenFindings, Trend, Violation};
use crate::record::{AccountRegion, ComplianceState, StateChange};
use crate::source::config_api::Pack;

/// What a rule judges that looks at an account as a whole: no resource that somebody reaches.
const ACCOUNT: &str = "AWS::::Account";

/// Conformance packs of each place that was read; `None`: they could not be read there.
pub type Packs = BTreeMap<AccountRegion, Option<Vec<Pack>>>;

/// What rows are made of.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// What is.
    pub state: &'a Compliance,
    /// What security products hold against resources.
    pub findings: &'a Findings,
    /// Detective controls.
    pub rules: &'a RuleSet,
    /// Names of accounts.
    pub enricher: &'a Enricher,
    /// Whose rows there are.
    pub watched: &'a Watched,
    /// When what was read.
    pub freshness: &'a Freshness,
    /// Framework numbers of the customer's own.
    pub frameworks: &'a Frameworks,
    /// Controls that are muted for someone.
    pub exceptions: &'a Exceptions,
    /// How it was.
    pub trend: &'a Trend,
    /// What the state does not know, by account.
    pub beside: &'a BTreeMap<Box<str>, Beside>,
    /// Conformance packs, as the last reading found them.
    pub packs: &'a Packs,
    /// What all rows share.
    pub snapshot: Snapshot<'a>,
    /// `relay.source`
    pub source: &'a str,
    /// `relay.agent`
    pub agent: &'a str,
}

/// A kind of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// One per account.
    Summary,
    /// One per account, Region and rule.
    Snapshot,
    /// One per violation.
    Violations,
    /// One per account, framework and requirement.
    Frameworks,
    /// One per account, Region and conformance pack.
    Packs,
    /// One per account, Region, control and severity that has findings which are not resolved.
    Findings,
    /// One per control.
    Controls,
}

impl RowKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Summary, Self::Snapshot, Self::Violations, Self::Frameworks, Self::Packs, Self::Findings, Self::Controls];

    /// Whether nothing is known of it as long as nobody reads AWS Config.
    #[must_use]
    pub fn needs_reader(self) -> bool {
        !matches!(self, Self::Findings | Self::Controls)
    }

    /// Whether there is nothing to say before anything was read: a summary says at least that.
    #[must_use]
    pub fn needs_baseline(self) -> bool {
        matches!(self, Self::Snapshot | Self::Violations | Self::Frameworks)
    }

    /// Whether they are sent after each reading of everything, and at no other time: nothing is known of them but what a reading
    /// found.
    #[must_use]
    pub fn follows_reading(self) -> bool {
        self == Self::Packs
    }

    /// Time between two times that they are sent, where summaries are sent and AWS Config is read this often.
    #[must_use]
    pub fn every(self, summary: Duration, reading: Duration) -> Duration {
        match self {
            Self::Packs => reading,
            Self::Summary | Self::Findings => summary,
            Self::Snapshot => Duration::from_hours(6),
            Self::Violations | Self::Frameworks | Self::Controls => Duration::from_hours(24),
        }
    }

    /// The run that sends them.
    #[must_use]
    pub fn run(self) -> RunKind {
        match self {
            Self::Summary => RunKind::Summary,
            Self::Snapshot => RunKind::Snapshot,
            Self::Violations => RunKind::Violations,
            Self::Frameworks => RunKind::Frameworks,
            Self::Packs => RunKind::Packs,
            Self::Findings => RunKind::Findings,
            Self::Controls => RunKind::Controls,
        }
    }
}

/// How many rows there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows.
    pub rows: u64,
    /// Values that were cut to fit.
    pub cut: u64,
}

impl Rows<'_> {
    /// Gives every row of this kind to `take`.
    pub fn each(&self, kind: RowKind, take: &mut dyn FnMut(&[u8])) -> Written {
        let mut rows = Writer { item: Vec::new(), take, written: Written::default() };
        match kind {
            RowKind::Summary => self.summaries(&mut rows),
            RowKind::Snapshot => self.places().iter().for_each(|place| self.rules(place, &mut rows)),
            RowKind::Violations => self.places().iter().for_each(|place| self.violations(place, &mut rows)),
            RowKind::Frameworks => self.frameworks(&mut rows),
            RowKind::Packs => self.packs(&mut rows),
            RowKind::Findings => self.findings(&mut rows),
            RowKind::Controls => self.controls(&mut rows),
        }
        rows.written
    }

    fn summaries(&self, rows: &mut Writer<'_>) {
        let now_ms = self.snapshot.now_ms;
        let mut regions: BTreeMap<Box<str>, BTreeSet<Box<str>>> = BTreeMap::new();
        let mut read: BTreeSet<Box<str>> = BTreeSet::new();
        for place in self.places() {
            if self.state.has_baseline(&place) {
                read.insert(place.account.clone());
            }
            regions.entry(place.account).or_default().insert(place.region);
        }
        for place in self.freshness.places().filter(|place| self.watches(place)) {
            regions.entry(place.account.clone()).or_default().insert(place.region.clone());
        }
        let excepted = self.excepted();
        let all = self.state.accounts_where(|place| self.watches(place));
        let asked = self.freshness.accounts().iter().filter(|account| self.watches_in(account, None));
        let accounts: BTreeSet<&Box<str>> = all.keys().chain(asked).collect();
        for account in accounts {
            // What events told of an account that is never read is all there is to know of it; one that should be read is unknown.
            let was_read = read.contains(account);
            let counts = all.get(account).filter(|_| was_read || !self.freshness.accounts().contains(account));
            let whole = counts.filter(|_| self.freshness.is_whole(account));
            let of_read = counts.filter(|_| was_read);
            let fresh = self.freshness.of_account(account);
            let row = Summary {
                account: self.enricher.account(account),
                counts,
                regions: regions.get(account).map_or(0, |regions| regions.len() as u64),
                regions_read: fresh.fresh,
                regions_not_enabled: fresh.not_enabled,
                observed_ms: fresh.oldest_ms,
                percent_rules: of_read.and_then(|counts| percent(counts.rules.compliant, counts.rules.violating)),
                percent_resources: of_read.and_then(|counts| percent(counts.resources.compliant, counts.resources.violating)),
                day: whole.and_then(|counts| self.trend.delta(account, counts, now_ms, 1)),
                week: whole.and_then(|counts| self.trend.delta(account, counts, now_ms, 7)),
                excepted: excepted.get(account).copied().unwrap_or_default(),
                beside: self.beside.get(account).copied().unwrap_or_default(),
            };
            rows.put(|item| push_summary(item, &row, self.snapshot));
        }
    }

    /// Every place that is known and watched, sorted.
    fn places(&self) -> Vec<AccountRegion> {
        let mut places = self.state.places();
        places.retain(|place| self.watches(place));
        places
    }

    fn watches(&self, place: &AccountRegion) -> bool {
        self.watches_in(&place.account, Some(&place.region))
    }

    fn watches_in(&self, account: &str, region: Option<&str>) -> bool {
        self.watched.holds(account, self.enricher.accounts().unit(account), region)
    }

    /// Violating rules and resources of each account that are excepted: a rule, and a resource, only if every violation of it is.
    fn excepted(&self) -> BTreeMap<Box<str>, Excepted> {
        let mut excepted: BTreeMap<Box<str>, Excepted> = BTreeMap::new();
        if self.exceptions.is_empty() {
            return excepted;
        }
        for place in self.places() {
            let (mut rules, mut resources) = (BTreeMap::new(), BTreeMap::new());
            for violation in self.state.violations(&place) {
                let is_excepted = self.classified(&place, &violation, |classified| classified.excepted().is_some());
                *rules.entry(violation.rule).or_insert(true) &= is_excepted;
                *resources.entry((violation.resource_type, violation.resource_id)).or_insert(true) &= is_excepted;
            }
            let of_account = excepted.entry(place.account).or_default();
            of_account.rules += rules.values().filter(|all| **all).count() as u64;
            of_account.resources += resources.values().filter(|all| **all).count() as u64;
        }
        excepted
    }

    fn rules(&self, place: &AccountRegion, rows: &mut Writer<'_>) {
        for counts in self.state.rules(place) {
            let control = preventive_control_behind(&counts.rule, counts.identifier.as_deref());
            let row = RuleRow {
                account: &place.account,
                region: &place.region,
                rule: &counts.rule,
                control_id: preventive_control_id(&counts.rule, control),
                control,
                results: counts.results,
                observed_ms: self.freshness.observed_ms(place),
            };
            rows.put(|item| push_rule(item, &row, self.snapshot));
        }
    }

    fn violations(&self, place: &AccountRegion, rows: &mut Writer<'_>) {
        let violations = self.state.violations(place);
        // A resource that one rule calls public is so whichever rule the row is of. Of an account as a resource that is not so.
        let exposing =
            violations.iter().filter(|violation| &*violation.resource_type != ACCOUNT && watches_public_access(violation));
        let exposed: HashSet<(&str, &str)> =
            exposing.map(|violation| (&*violation.resource_type, &*violation.resource_id)).collect();
        for violation in &violations {
            let is_exposed =
                watches_public_access(violation) || exposed.contains(&(&*violation.resource_type, &*violation.resource_id));
            self.classified(place, violation, |classified| {
                let row = ViolationRow {
                    violation: *classified,
                    is_exposed,
                    first_seen_ms: violation.first_seen_ms,
                    reopen_count: violation.reopen_count,
                    evaluated_ms: violation.evaluated_ms,
                    observed_ms: violation.observed_ms,
                };
                rows.put(|item| push_violation(item, &row, self.snapshot));
            });
        }
    }

    /// A violation as the change that began it.
    fn classified<T>(&self, place: &AccountRegion, violation: &Violation, then: impl FnOnce(&ClassifiedChange<'_>) -> T) -> T {
        let change = StateChange {
            account: &place.account,
            region: &place.region,
            rule: &violation.rule,
            rule_arn: &violation.arn,
            resource_type: &violation.resource_type,
            resource_id: &violation.resource_id,
            state: ComplianceState::NonCompliant.as_str(),
            previous: None,
            at_ms: violation.since_ms,
            annotation: violation.annotation.as_deref(),
        };
        let enriched = self.enricher.enrich_change(&change);
        let control = preventive_control_behind(&violation.rule, violation.identifier.as_deref());
        let frameworks = self.frameworks.of_rule(&violation.rule, control);
        let frameworks = frameworks.as_deref();
        let mut classified = ClassifiedChange { change, event_id: "", enriched: &enriched, control, frameworks, exception: None };
        classified.exception = classified.find_exception(self.exceptions, self.snapshot.now_ms);
        then(&classified)
    }

    fn frameworks(&self, rows: &mut Writer<'_>) {
        let requirements = Requirements::of(self.frameworks);
        let places = self.places();
        // Sorted: the places of an account stand together.
        for places in places.chunk_by(|one, other| one.account == other.account) {
            let Some(account) = places.first().map(|place| self.enricher.account(&place.account)) else { continue };
            let rules: Vec<_> = places.iter().flat_map(|place| self.state.rules(place)).collect();
            let deployed = rules.iter().map(|rule| DeployedState {
                rule: &rule.rule,
                identifier: rule.identifier.as_deref(),
                state: rule.results.state(),
            });
            for row in requirements.rows(deployed, self.snapshot.now_ms) {
                rows.put(|item| push_framework(item, &account, &row, self.snapshot));
            }
        }
    }
}

impl Rows<'_> {
    fn packs(&self, rows: &mut Writer<'_>) {
        for (place, packs) in self.packs.iter().filter(|(place, _)| self.watches(place)) {
            for pack in packs.iter().flatten() {
                let counts = pack.rules.map(|rules| [rules.compliant, rules.non_compliant, rules.no_data].map(u64::from));
                let row = PackRow {
                    account: self.enricher.account(&place.account),
                    region: &place.region,
                    name: &pack.name,
                    state: pack.state,
                    rules: counts,
                    percent: counts.and_then(|[compliant, violating, _]| percent(compliant, violating)),
                };
                rows.put(|item| push_pack(item, &row, self.snapshot));
            }
        }
    }

    fn findings(&self, rows: &mut Writer<'_>) {
        let run = FindingRun { id: self.snapshot.id, now_ms: self.snapshot.now_ms, source: self.source };
        // As a record of it would be kept now.
        let is_kept = |open: &OpenFindings| {
            self.findings.reads(&open.product) && self.watches_in(&open.account, leaving::known(&open.region))
        };
        for open in self.findings.open_counts().into_iter().filter(is_kept) {
            let account = self.enricher.account(&open.account);
            rows.put(|item| push_open(item, &open, &account, run));
        }
    }

    fn controls(&self, rows: &mut Writer<'_>) {
        let places = self.places();
        let mut deployed: HashSet<String> = HashSet::new();
        for rule in places.iter().flat_map(|place| self.state.rules(place)) {
            deployed
                .extend(preventive_control_behind(&rule.rule, rule.identifier.as_deref()).map(|control| control.id.to_owned()));
            // The customer's file may know it by its own name.
            if preventive_control(&rule.rule).is_none() {
                deployed.insert(rule.rule.into());
            }
        }
        // A rule that nobody has told of may run in a place that was never read whole, or not for a long time.
        let is_all =
            !places.is_empty() && places.iter().all(|place| self.state.has_baseline(place)) && self.freshness.missing() == 0;
        for mut row in CatalogueRow::rows(self.rules, self.frameworks, Some(&deployed)) {
            if row.kind == (CatalogueKind::Preventive { evaluated: Some(false) }) && !is_all {
                row.kind = CatalogueKind::Preventive { evaluated: None };
            }
            rows.put(|item| push_control(item, &row, self.snapshot.now_ms, self.agent));
        }
    }
}

/// Writes a row, and passes it on.
struct Writer<'t> {
    item: Vec<u8>,
    take: &'t mut dyn FnMut(&[u8]),
    written: Written,
}

impl Writer<'_> {
    fn put(&mut self, write: impl FnOnce(&mut Vec<u8>) -> u64) {
        self.written.cut += write(&mut self.item);
        self.written.rows += 1;
        (self.take)(&self.item);
    }
}

/// Whether it means that the internet, or every AWS account, reaches the resource.
fn watches_public_access(violation: &Violation) -> bool {
    preventive_control_behind(&violation.rule, violation.identifier.as_deref())
        .is_some_and(PreventiveControl::watches_public_access)
}

#[cfg(test)]
#[path = "rows_findings_tests.rs"]
mod findings_tests;

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
