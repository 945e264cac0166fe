//! AWS Config as the demo's accounts have it: what a reading finds.
//!
//! In: the events of `posture`, the lost one too, and the demo's clock. Out: rules, results and packs as they are by then. What always
//! holds: what it says is what the newest event of each result by now says, whether that event arrived or not.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::posture::{self, Event};
use crate::clock::Clock;
use crate::record::{AccountRegion, ComplianceState, DeployedRule, Evaluation};
use crate::source::config_api::{Calls, ConfigApi, ConfigApiError, Each, FailingRule, Pack, PackRules};

/// What every account's pack is called.
const PACK: &str = "Operational-Best-Practices-for-AWS-Foundations";

/// A result since a time.
#[derive(Debug)]
struct Told {
    at_ms: i64,
    state: ComplianceState,
    annotation: Option<Box<str>>,
}

/// By rule, and by type and id of the resource: its results in the order of time.
type Results = BTreeMap<Box<str>, BTreeMap<(Box<str>, Box<str>), Vec<Told>>>;

/// AWS Config of all places.
#[derive(Debug)]
pub(super) struct Aws {
    clock: Clock,
    places: BTreeMap<AccountRegion, Results>,
}

impl Aws {
    /// As these events, in the order of time, say.
    pub(super) fn of(events: &[Event], clock: &Clock) -> Self {
        let mut places: BTreeMap<AccountRegion, Results> = BTreeMap::new();
        for event in events {
            let Some(detail) = event.envelope.get("detail") else { continue };
            let text = |name: &str| detail.get(name).and_then(|value| value.as_str()).unwrap_or_default();
            let Some(result) = detail.get("newEvaluationResult") else { continue };
            let of = |name: &str| result.get(name).and_then(|value| value.as_str());
            let place = AccountRegion::new(text("awsAccountId"), text("awsRegion"));
            let resource = (text("resourceType").into(), text("resourceId").into());
            let results =
                places.entry(place).or_default().entry(text("configRuleName").into()).or_default().entry(resource).or_default();
            results.push(Told {
                at_ms: event.at_ms,
                state: ComplianceState::of(of("complianceType").unwrap_or_default()),
                annotation: of("annotation").map(Into::into),
            });
        }
        Self { clock: clock.clone(), places }
    }

    /// Accounts and Regions that it has.
    pub(super) fn places(&self) -> Vec<AccountRegion> {
        self.places.keys().cloned().collect()
    }

    /// What a rule says now.
    fn now(&self, place: &AccountRegion, rule: &str) -> Vec<Evaluation> {
        let now_ms = self.clock.now_ms();
        let results = self.places.get(place).and_then(|rules| rules.get(rule)).into_iter().flatten();
        let now = results.filter_map(|((resource_type, resource_id), told)| {
            let last = told.iter().rev().find(|result| result.at_ms <= now_ms)?;
            Some(Evaluation {
                resource_type: resource_type.clone(),
                resource_id: resource_id.clone(),
                state: last.state,
                recorded_ms: last.at_ms,
                annotation: last.annotation.clone(),
            })
        });
        now.collect()
    }

    fn pack(&self, place: &AccountRegion) -> Pack {
        let mut counts = PackRules::default();
        for rule in self.places.get(place).into_iter().flat_map(BTreeMap::keys) {
            let results = self.now(place, rule);
            let has = |state| results.iter().any(|result| result.state == state);
            match (has(ComplianceState::NonCompliant), has(ComplianceState::Compliant)) {
                (true, _) => counts.non_compliant += 1,
                (false, true) => counts.compliant += 1,
                (false, false) => counts.no_data += 1,
            }
        }
        let state = match counts {
            PackRules { non_compliant: 1.., .. } => ComplianceState::NonCompliant,
            PackRules { compliant: 1.., .. } => ComplianceState::Compliant,
            _ => ComplianceState::InsufficientData,
        };
        Pack { name: PACK.into(), state, rules: Some(counts) }
    }
}

impl ConfigApi for Aws {
    fn rules<'a>(&'a self, place: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<DeployedRule>, ConfigApiError>> {
        let rules = self.places.get(place).into_iter().flat_map(BTreeMap::keys);
        let rules = rules.map(|rule| DeployedRule {
            name: rule.clone(),
            arn: posture::rule_arn(place, rule).into(),
            identifier: Some(posture::identifier(rule).into()),
        });
        std::future::ready(Ok(rules.collect())).boxed()
    }

    fn evaluations<'a>(
        &'a self,
        place: &'a AccountRegion,
        rule: &'a str,
        each: Each<'a, Evaluation>,
    ) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        each(self.now(place, rule));
        std::future::ready(Ok(())).boxed()
    }

    fn failing_rules<'a>(&'a self, _: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<FailingRule>, ConfigApiError>> {
        std::future::ready(Ok(Vec::new())).boxed()
    }

    fn packs<'a>(&'a self, place: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<Pack>, ConfigApiError>> {
        std::future::ready(Ok(vec![self.pack(place)])).boxed()
    }

    fn calls(&self) -> Vec<(AccountRegion, Calls)> {
        Vec::new()
    }
}
