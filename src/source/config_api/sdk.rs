//! The AWS SDK behind [`ConfigApi`].
//!
//! In: the SDK's configuration, a role, a rate. Out: answers, whole or an error. What always holds: each request waits for its
//! turn, the repeated ones too; passing faults are tried again with growing delays; every page is asked for with the
//! largest size that AWS allows; a token that comes back unchanged is a fault and no endless loop.

use std::error::Error;

use aws_config::SdkConfig;
use aws_sdk_config::Client;
use aws_sdk_config::config::http::HttpResponse;
use aws_sdk_config::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_config::types::{ComplianceType, EvaluationResult};
use futures_util::future::BoxFuture;

use super::ask::ask;
use super::clients::{Access, Clients};
use super::facts::{deployed, evaluation, failed};
use super::faults::judge;
use super::rate::Rates;
use super::{Calls, ConfigApi, ConfigApiError, Each, FailingRule, Pack, PackRules};
use crate::record::{AccountRegion, ComplianceState, DeployedRule, Evaluation};

/// Most pages of one answer: more than any quota of AWS's lets there be, and an end for tokens that go round.
const PAGES: usize = 100_000;

/// Page sizes: the largest allowed. [AWS Config API, checked 2026-11]
mod page {
    pub(super) const EVALUATIONS: i32 = 100;
    pub(super) const STATUSES: i32 = 50;
    pub(super) const PACKS: i32 = 20;
    pub(super) const PACK_RULES: i32 = 1_000;
    /// Most packs that one summary may name.
    pub(super) const SUMMARIZED: usize = 5;
}

/// AWS Config, asked through the SDK.
#[derive(Debug)]
pub struct SdkConfigApi {
    clients: Clients,
    rates: Rates,
}

impl SdkConfigApi {
    /// AWS Config with these credentials and endpoints, in the accounts and at the rate of `access`.
    pub async fn new(base: &SdkConfig, access: Access) -> Self {
        let rates = Rates::new(access.per_second);
        Self { clients: Clients::new(base, access).await, rates }
    }

    /// One request, when its turn comes, and again while its fault may pass.
    async fn ask<T, E, F>(
        &self,
        place: &AccountRegion,
        action: &'static str,
        send: impl Fn() -> F + Sync,
    ) -> Result<T, ConfigApiError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        T: Send,
    {
        let role = self.clients.role_in(place);
        let judge = |error: &SdkError<E, HttpResponse>| judge(error, action, role.as_deref());
        ask(&self.rates.of(place), (place, action), send, judge, |why| ConfigApiError::Passing { why }).await
    }

    /// Every page of an answer: `send` asks for the page of a token, `take` takes it in and gives the next token.
    pub(super) async fn pages<T, E, F>(
        &self,
        place: &AccountRegion,
        action: &'static str,
        send: impl Fn(&Client, Option<String>) -> F + Sync,
        mut take: impl FnMut(T) -> Result<Option<String>, ConfigApiError> + Send,
    ) -> Result<(), ConfigApiError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        T: Send,
    {
        let mut token = None;
        for _ in 0..PAGES {
            // Asked for anew each time: a long answer keeps its client from being idle.
            let client = self.clients.of(place).await?;
            let answer = self.ask(place, action, || send(&client, token.clone())).await?;
            let Some(next) = take(answer)?.filter(|next| !next.is_empty()) else { return Ok(()) };
            if token.as_ref() == Some(&next) {
                return Err(ConfigApiError::Passing { why: format!("{action}: the next page has the token of this one") });
            }
            token = Some(next);
        }
        Err(ConfigApiError::Passing { why: format!("{action}: no end after {PAGES} pages") })
    }

    async fn read_rules(&self, place: &AccountRegion) -> Result<Vec<DeployedRule>, ConfigApiError> {
        let mut rules = Vec::new();
        self.pages(
            place,
            "config:DescribeConfigRules",
            |client, token| client.describe_config_rules().set_next_token(token).send(),
            |page| {
                rules.extend(page.config_rules.unwrap_or_default().into_iter().filter_map(deployed));
                Ok(page.next_token)
            },
        )
        .await?;
        Ok(rules)
    }

    async fn read_evaluations(
        &self,
        place: &AccountRegion,
        rule: &str,
        each: Each<'_, Evaluation>,
    ) -> Result<(), ConfigApiError> {
        self.pages(
            place,
            "config:GetComplianceDetailsByConfigRule",
            |client, token| {
                let asked = client.get_compliance_details_by_config_rule().config_rule_name(rule);
                asked.limit(page::EVALUATIONS).set_next_token(token).send()
            },
            |page| {
                let results = page.evaluation_results.unwrap_or_default().into_iter();
                let evaluations = results.map(|result| {
                    let EvaluationResult {
                        evaluation_result_identifier, compliance_type, result_recorded_time, annotation, ..
                    } = result;
                    let state = compliance_type.as_ref().map(ComplianceType::as_str);
                    evaluation(evaluation_result_identifier, state, result_recorded_time, annotation)
                });
                give(each, evaluations.collect::<Result<_, _>>()?);
                Ok(page.next_token)
            },
        )
        .await
    }

    async fn read_failing(&self, place: &AccountRegion) -> Result<Vec<FailingRule>, ConfigApiError> {
        let mut failing = Vec::new();
        self.pages(
            place,
            "config:DescribeConfigRuleEvaluationStatus",
            |client, token| client.describe_config_rule_evaluation_status().limit(page::STATUSES).set_next_token(token).send(),
            |page| {
                failing.extend(page.config_rules_evaluation_status.unwrap_or_default().into_iter().filter_map(failed));
                Ok(page.next_token)
            },
        )
        .await?;
        Ok(failing)
    }

    async fn read_packs(&self, place: &AccountRegion) -> Result<Vec<Pack>, ConfigApiError> {
        let mut names = Vec::new();
        self.pages(
            place,
            "config:DescribeConformancePacks",
            |client, token| client.describe_conformance_packs().limit(page::PACKS).set_next_token(token).send(),
            |page| {
                names
                    .extend(page.conformance_pack_details.unwrap_or_default().into_iter().map(|pack| pack.conformance_pack_name));
                Ok(page.next_token)
            },
        )
        .await?;
        let mut packs = Vec::new();
        for names in names.chunks(page::SUMMARIZED) {
            packs.extend(self.pack_states(place, names).await?);
        }
        let mut told = Vec::with_capacity(packs.len());
        // What refuses one name may answer to the next; what refuses the caller, or is out of order, does not.
        let mut goes_on = true;
        for mut pack in packs {
            if goes_on {
                match self.pack_rules(place, &pack.name).await {
                    Ok(rules) => pack.rules = Some(rules),
                    Err(ConfigApiError::NoSuchRule { .. }) => continue,
                    Err(error) => {
                        goes_on = matches!(error, ConfigApiError::Refused { .. });
                        let others = if goes_on { "" } else { ", and those after it" };
                        tracing::warn!(%place, pack = &*pack.name, %error, "The rules of a conformance pack{others} are not known: {error}");
                    }
                }
            }
            told.push(pack);
        }
        Ok(told)
    }

    /// How packs stand as a whole; those that were deleted meanwhile are left out.
    async fn pack_states(&self, place: &AccountRegion, names: &[String]) -> Result<Vec<Pack>, ConfigApiError> {
        let mut packs: Vec<Pack> = Vec::new();
        let read = self
            .pages(
                place,
                "config:GetConformancePackComplianceSummary",
                |client, token| {
                    let asked = client.get_conformance_pack_compliance_summary();
                    let asked = asked.set_conformance_pack_names(Some(names.to_vec())).limit(page::PACKS);
                    asked.set_next_token(token).send()
                },
                |page| {
                    let summaries = page.conformance_pack_compliance_summary_list.unwrap_or_default().into_iter();
                    packs.extend(summaries.map(|summary| Pack {
                        state: ComplianceState::of(summary.conformance_pack_compliance_status.as_str()),
                        ..unknown(&summary.conformance_pack_name)
                    }));
                    Ok(page.next_token)
                },
            )
            .await;
        match (read, names) {
            (Ok(()), _) => {}
            (Err(ConfigApiError::NoSuchRule { .. }), [_]) => return Ok(Vec::new()),
            // One of several is gone, and the answer does not say which.
            (Err(ConfigApiError::NoSuchRule { .. }), several) => {
                packs.clear();
                for name in several {
                    packs.extend(Box::pin(self.pack_states(place, std::slice::from_ref(name))).await?);
                }
                return Ok(packs);
            }
            (Err(error), _) => return Err(error),
        }
        for name in names {
            if !packs.iter().any(|pack| *pack.name == **name) {
                packs.push(unknown(name));
            }
        }
        Ok(packs)
    }

    async fn pack_rules(&self, place: &AccountRegion, name: &str) -> Result<PackRules, ConfigApiError> {
        let mut rules = PackRules::default();
        self.pages(
            place,
            "config:DescribeConformancePackCompliance",
            |client, token| {
                let asked = client.describe_conformance_pack_compliance().conformance_pack_name(name);
                asked.limit(page::PACK_RULES).set_next_token(token).send()
            },
            |page| {
                for rule in page.conformance_pack_rule_compliance_list {
                    match rule.compliance_type.map(|state| ComplianceState::of(state.as_str())) {
                        Some(ComplianceState::Compliant) => rules.compliant += 1,
                        Some(ComplianceState::NonCompliant) => rules.non_compliant += 1,
                        _ => rules.no_data += 1,
                    }
                }
                Ok(page.next_token)
            },
        )
        .await?;
        Ok(rules)
    }
}

impl ConfigApi for SdkConfigApi {
    fn rules<'a>(&'a self, place: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<DeployedRule>, ConfigApiError>> {
        Box::pin(self.read_rules(place))
    }

    fn evaluations<'a>(
        &'a self,
        place: &'a AccountRegion,
        rule: &'a str,
        each: Each<'a, Evaluation>,
    ) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        Box::pin(self.read_evaluations(place, rule, each))
    }

    fn failing_rules<'a>(&'a self, place: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<FailingRule>, ConfigApiError>> {
        Box::pin(self.read_failing(place))
    }

    fn packs<'a>(&'a self, place: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<Pack>, ConfigApiError>> {
        Box::pin(self.read_packs(place))
    }

    fn calls(&self) -> Vec<(AccountRegion, Calls)> {
        self.rates.calls()
    }
}

/// A page that held nothing is not worth a call.
pub(super) fn give<T>(each: &mut (dyn FnMut(Vec<T>) + Send + '_), page: Vec<T>) {
    if !page.is_empty() {
        each(page);
    }
}

fn unknown(pack: &str) -> Pack {
    Pack { name: pack.into(), state: ComplianceState::InsufficientData, rules: None }
}
