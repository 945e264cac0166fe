//! The AWS SDK behind [`ConfigApi`].
//!
//! In: the SDK's configuration, a role, a rate. Out: answers, whole or an error. What always holds: each request waits for its
//! turn, the repeated ones too; passing faults are tried [`TRIES`] times with growing delays; every page is asked for with the
//! largest size that AWS allows; a token that comes back unchanged is a fault and no endless loop.

use std::error::Error;

use aws_config::SdkConfig;
use aws_sdk_config::Client;
use aws_sdk_config::config::http::HttpResponse;
use aws_sdk_config::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_config::primitives::DateTime;
use aws_sdk_config::types::{
    ConfigRule, ConfigRuleEvaluationStatus, ConfigRuleState, EvaluationResult, EvaluationResultIdentifier, Owner,
};
use futures_util::future::BoxFuture;

use super::clients::{Access, Clients};
use super::faults::{Verdict, judge};
use super::rate::Rates;
use super::{Calls, ConfigApi, ConfigApiError, Each, FailingRule, Pack};
use crate::record::{AccountRegion, ComplianceState, DeployedRule, Evaluation};
use crate::source::backoff::Backoff;

/// Tries of one request before a passing fault is told.
const TRIES: u32 = 5;

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
        let rate = self.rates.of(place);
        let mut backoff = Backoff::new();
        loop {
            rate.turn(backoff.failures() > 0).await;
            let error = match send().await {
                Ok(answer) => {
                    rate.answered();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let why = match judge(&error, action, self.clients.role_in(place).as_deref()) {
                Verdict::Ended(error) => return Err(error),
                Verdict::TooMany(why) => {
                    rate.throttled();
                    why
                }
                Verdict::Again(why) => why,
            };
            let delay = backoff.next();
            if backoff.failures() >= TRIES {
                return Err(ConfigApiError::Passing { why: format!("{action}: {why}") });
            }
            tracing::debug!("{place}: {action} again: {why}");
            tokio::time::sleep(delay).await;
        }
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
                    let state = compliance_type.as_ref().map(|state| state.as_str());
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
        let mut whole = Vec::new();
        for pack in packs {
            match self.pack_rules(place, pack).await {
                Ok(pack) => whole.push(pack),
                Err(ConfigApiError::NoSuchRule { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(whole)
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

    async fn pack_rules(&self, place: &AccountRegion, mut pack: Pack) -> Result<Pack, ConfigApiError> {
        let name = pack.name.to_string();
        self.pages(
            place,
            "config:DescribeConformancePackCompliance",
            |client, token| {
                let asked = client.describe_conformance_pack_compliance().conformance_pack_name(&name);
                asked.limit(page::PACK_RULES).set_next_token(token).send()
            },
            |page| {
                for rule in page.conformance_pack_rule_compliance_list {
                    match rule.compliance_type.map(|state| ComplianceState::of(state.as_str())) {
                        Some(ComplianceState::Compliant) => pack.compliant += 1,
                        Some(ComplianceState::NonCompliant) => pack.non_compliant += 1,
                        _ => pack.no_data += 1,
                    }
                }
                Ok(page.next_token)
            },
        )
        .await?;
        Ok(pack)
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
    Pack { name: pack.into(), state: ComplianceState::InsufficientData, compliant: 0, non_compliant: 0, no_data: 0 }
}

/// The rule, unless it is being deleted. One without a name could not be asked about.
fn deployed(rule: ConfigRule) -> Option<DeployedRule> {
    if matches!(rule.config_rule_state, Some(ConfigRuleState::Deleting | ConfigRuleState::DeletingResults)) {
        return None;
    }
    let managed = rule.source.filter(|source| source.owner == Owner::Aws);
    Some(DeployedRule {
        name: rule.config_rule_name?.into(),
        arn: rule.config_rule_arn.unwrap_or_default().into(),
        identifier: managed.and_then(|source| source.source_identifier).map(Into::into),
    })
}

/// An evaluation out of what both kinds of answer hold. One that names no resource cannot be kept, nor passed over: what is
/// missing from a whole answer counts as gone.
pub(super) fn evaluation(
    identifier: Option<EvaluationResultIdentifier>,
    state: Option<&str>,
    recorded: Option<DateTime>,
    annotation: Option<String>,
) -> Result<Evaluation, ConfigApiError> {
    let qualifier = identifier.and_then(|identifier| identifier.evaluation_result_qualifier);
    let resource = qualifier.and_then(|qualifier| Some((qualifier.resource_type?, qualifier.resource_id?)));
    let nameless = || ConfigApiError::Passing { why: "an evaluation does not name its resource".to_owned() };
    let (resource_type, resource_id) = resource.ok_or_else(nameless)?;
    Ok(Evaluation {
        resource_type: resource_type.into(),
        resource_id: resource_id.into(),
        state: state.map_or(ComplianceState::Other, ComplianceState::of),
        recorded_ms: recorded.and_then(ms).unwrap_or_default(),
        annotation: annotation.filter(|text| !text.is_empty()).map(Into::into),
    })
}

/// The rule, if its last run failed: AWS keeps the code of a failure when later runs do well, so the times decide.
fn failed(status: ConfigRuleEvaluationStatus) -> Option<FailingRule> {
    let runs = [
        (status.last_failed_invocation_time, status.last_successful_invocation_time),
        (status.last_failed_evaluation_time, status.last_successful_evaluation_time),
    ];
    let runs = runs.map(|(failed, well)| (failed.and_then(ms), well.and_then(ms)));
    // `None` is before every time.
    let fails = runs.iter().any(|(failed, well)| failed.is_some() && failed >= well);
    // A rule that never ran at all and has a code says no time.
    let never = runs.iter().all(|(failed, well)| failed.is_none() && well.is_none()) && status.last_error_code.is_some();
    (fails || never).then_some(())?;
    Some(FailingRule {
        rule: status.config_rule_name?.into(),
        code: status.last_error_code.map(Into::into),
        message: status.last_error_message.map(Into::into),
        failed_ms: runs.iter().filter_map(|(failed, _)| *failed).max().unwrap_or_default(),
    })
}

fn ms(time: DateTime) -> Option<i64> {
    time.to_millis().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times of the last failed and the last good invocation and evaluation, and whether that is a failing rule.
    #[test]
    fn a_rule_fails_when_its_last_run_did() {
        let time = |seconds: i64| (seconds > 0).then(|| DateTime::from_secs(seconds));
        for (name, [failed_call, good_call, failed_run, good_run], code, expected) in [
            ("never ran", [0, 0, 0, 0], None, None),
            ("never ran, with a code", [0, 0, 0, 0], Some("AccessDenied"), Some(0)),
            ("well", [0, 9, 0, 9], None, None),
            ("well again, the code stays", [5, 9, 5, 9], Some("AccessDenied"), None),
            ("well, with a code of no time", [0, 9, 0, 9], Some("AccessDenied"), None),
            ("called in vain", [10, 9, 0, 9], Some("AccessDenied"), Some(10_000)),
            ("called well, ran in vain", [0, 10, 10, 9], Some("InternalError"), Some(10_000)),
            ("never ran well", [0, 10, 10, 0], Some("InternalError"), Some(10_000)),
            ("both in the same second", [9, 9, 0, 0], None, Some(9_000)),
        ] {
            let status = ConfigRuleEvaluationStatus::builder()
                .config_rule_name("rule")
                .set_last_failed_invocation_time(time(failed_call))
                .set_last_successful_invocation_time(time(good_call))
                .set_last_failed_evaluation_time(time(failed_run))
                .set_last_successful_evaluation_time(time(good_run))
                .set_last_error_code(code.map(str::to_owned))
                .build();
            assert_eq!(failed(status).map(|rule| rule.failed_ms), expected, "{name}");
        }
    }

    #[test]
    fn an_evaluation_without_a_resource_is_a_fault() {
        assert!(matches!(evaluation(None, Some("COMPLIANT"), None, None), Err(ConfigApiError::Passing { .. })));
        let nameless = EvaluationResultIdentifier::builder().build();
        assert!(matches!(evaluation(Some(nameless), None, None, None), Err(ConfigApiError::Passing { .. })));
    }
}
