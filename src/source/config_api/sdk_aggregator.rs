//! The AWS SDK behind [`AggregatorApi`].
//!
//! In: an aggregator's name and where it is. Out: its answers, whole or an error; requests share the rate of the place where the
//! aggregator is. What always holds: only twelve digits get into a query. [resource type `AWS::Config::ResourceCompliance` of
//! awslabs/aws-config-resource-schema, checked 2026-11]

use std::borrow::Cow;
use std::sync::Arc;

use aws_sdk_config::types::{
    AggregateComplianceByConfigRule, AggregateComplianceByConformancePack, AggregateEvaluationResult, ComplianceType,
    ConfigRuleComplianceFilters,
};
use futures_util::future::BoxFuture;
use serde::Deserialize;

use super::aggregator::{AggregateRule, AggregatorApi, JudgedResource};
use super::facts::evaluation;
use super::sdk::{SdkConfigApi, give};
use super::{ConfigApiError, Each, Pack, PackRules};
use crate::record::time::parse_ms;
use crate::record::trail::is_account_id;
use crate::record::{AccountRegion, ComplianceState, Evaluation};

/// Page sizes: the largest allowed. [AWS Config API, checked 2026-11]
mod page {
    pub(super) const RULES: i32 = 1_000;
    pub(super) const EVALUATIONS: i32 = 100;
    pub(super) const ROWS: i32 = 100;
    pub(super) const PACKS: i32 = 100;
}

/// Every resource that rules judged, with those rules.
const QUERY: &str = "SELECT accountId, awsRegion, configurationItemCaptureTime, configuration.targetResourceType, \
                     configuration.targetResourceId, configuration.configRuleList.configRuleName, \
                     configuration.configRuleList.complianceType WHERE resourceType = 'AWS::Config::ResourceCompliance'";

/// An aggregator, asked through the SDK.
#[derive(Debug)]
pub struct SdkAggregator {
    api: Arc<SdkConfigApi>,
    /// `ConfigurationAggregatorName`
    name: String,
    home: AccountRegion,
}

impl SdkAggregator {
    /// The aggregator of this name in the account and Region of `home`.
    #[must_use]
    pub fn new(api: Arc<SdkConfigApi>, name: &str, home: AccountRegion) -> Self {
        Self { api, name: name.to_owned(), home }
    }

    async fn read_rules(&self, account: Option<&str>, each: Each<'_, AggregateRule>) -> Result<(), ConfigApiError> {
        let filters = account.map(|account| ConfigRuleComplianceFilters::builder().account_id(account).build());
        self.api
            .pages(
                &self.home,
                "config:DescribeAggregateComplianceByConfigRules",
                |client, token| {
                    let asked = client.describe_aggregate_compliance_by_config_rules().configuration_aggregator_name(&self.name);
                    asked.set_filters(filters.clone()).limit(page::RULES).set_next_token(token).send()
                },
                |page| {
                    let rules = page.aggregate_compliance_by_config_rules.unwrap_or_default().into_iter();
                    give(each, rules.filter_map(rule).collect());
                    Ok(page.next_token)
                },
            )
            .await
    }

    async fn read_resources(&self, account: Option<&str>, each: Each<'_, JudgedResource>) -> Result<(), ConfigApiError> {
        let query = match account {
            None => QUERY.to_owned(),
            Some(account) if is_account_id(account) => {
                format!("{QUERY} AND accountId = '{account}'")
            }
            Some(account) => {
                return Err(ConfigApiError::Refused { why: format!("`{account}` is no account id: twelve digits") });
            }
        };
        self.api
            .pages(
                &self.home,
                "config:SelectAggregateResourceConfig",
                |client, token| {
                    let asked = client.select_aggregate_resource_config().configuration_aggregator_name(&self.name);
                    asked.expression(&query).limit(page::ROWS).set_next_token(token).send()
                },
                |page| {
                    let rows = page.results.unwrap_or_default();
                    give(each, rows.iter().map(|row| resource(row)).collect::<Result<_, _>>()?);
                    Ok(page.next_token)
                },
            )
            .await
    }

    async fn read_evaluations(
        &self,
        place: &AccountRegion,
        rule: &str,
        each: Each<'_, Evaluation>,
    ) -> Result<(), ConfigApiError> {
        self.api
            .pages(
                &self.home,
                "config:GetAggregateComplianceDetailsByConfigRule",
                |client, token| {
                    let asked = client.get_aggregate_compliance_details_by_config_rule();
                    let asked = asked.configuration_aggregator_name(&self.name).config_rule_name(rule);
                    let asked = asked.account_id(&*place.account).aws_region(&*place.region);
                    asked.limit(page::EVALUATIONS).set_next_token(token).send()
                },
                |page| {
                    let results = page.aggregate_evaluation_results.unwrap_or_default().into_iter();
                    let evaluations = results.map(|result| {
                        let AggregateEvaluationResult {
                            evaluation_result_identifier,
                            compliance_type,
                            result_recorded_time,
                            annotation,
                            ..
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
}

impl SdkAggregator {
    async fn read_packs(&self, each: Each<'_, (AccountRegion, Pack)>) -> Result<(), ConfigApiError> {
        self.api
            .pages(
                &self.home,
                "config:DescribeAggregateComplianceByConformancePacks",
                |client, token| {
                    let asked = client.describe_aggregate_compliance_by_conformance_packs();
                    let asked = asked.configuration_aggregator_name(&self.name);
                    asked.limit(page::PACKS).set_next_token(token).send()
                },
                |page| {
                    let packs = page.aggregate_compliance_by_conformance_packs.unwrap_or_default().into_iter();
                    give(each, packs.filter_map(pack).collect());
                    Ok(page.next_token)
                },
            )
            .await
    }
}

impl AggregatorApi for SdkAggregator {
    fn rules<'a>(&'a self, account: Option<&'a str>, each: Each<'a, AggregateRule>) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        Box::pin(self.read_rules(account, each))
    }

    fn resources<'a>(
        &'a self,
        account: Option<&'a str>,
        each: Each<'a, JudgedResource>,
    ) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        Box::pin(self.read_resources(account, each))
    }

    fn evaluations<'a>(
        &'a self,
        place: &'a AccountRegion,
        rule: &'a str,
        each: Each<'a, Evaluation>,
    ) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        Box::pin(self.read_evaluations(place, rule, each))
    }

    fn packs<'a>(&'a self, each: Each<'a, (AccountRegion, Pack)>) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        Box::pin(self.read_packs(each))
    }
}

/// One that does not say where it is could not be asked about.
fn rule(rule: AggregateComplianceByConfigRule) -> Option<AggregateRule> {
    let state = rule.compliance.and_then(|compliance| compliance.compliance_type);
    Some(AggregateRule {
        place: AccountRegion::new(&rule.account_id?, &rule.aws_region?),
        rule: rule.config_rule_name?.into(),
        state: state.map_or(ComplianceState::InsufficientData, |state| ComplianceState::of(state.as_str())),
    })
}

/// One that does not say where it is belongs nowhere. The aggregator counts all rules of a pack, and those that have a result.
fn pack(pack: AggregateComplianceByConformancePack) -> Option<(AccountRegion, Pack)> {
    let place = AccountRegion::new(&pack.account_id?, &pack.aws_region?);
    let compliance = pack.compliance?;
    let [compliant, non_compliant, all] =
        [compliance.compliant_rule_count, compliance.non_compliant_rule_count, compliance.total_rule_count]
            .map(|count| u32::try_from(count).unwrap_or_default());
    let no_data = all.saturating_sub(compliant).saturating_sub(non_compliant);
    let state = compliance.compliance_type.map_or(ComplianceState::InsufficientData, |state| ComplianceState::of(state.as_str()));
    Some((
        place,
        Pack { name: pack.conformance_pack_name?.into(), state, rules: Some(PackRules { compliant, non_compliant, no_data }) },
    ))
}

/// A row of the query's answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    #[serde(borrow)]
    account_id: Cow<'a, str>,
    #[serde(borrow)]
    aws_region: Cow<'a, str>,
    #[serde(borrow, default)]
    configuration_item_capture_time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    configuration: Configuration<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration<'a> {
    #[serde(borrow)]
    target_resource_type: Cow<'a, str>,
    #[serde(borrow)]
    target_resource_id: Cow<'a, str>,
    /// Missing or empty where no rule concerns the resource any more.
    #[serde(borrow, default)]
    config_rule_list: Option<Vec<Judgement<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Judgement<'a> {
    #[serde(borrow)]
    config_rule_name: Cow<'a, str>,
    #[serde(borrow, default)]
    compliance_type: Option<Cow<'a, str>>,
}

fn resource(row: &str) -> Result<JudgedResource, ConfigApiError> {
    let unread = |error| ConfigApiError::Passing { why: format!("a row of the query cannot be read: {error}") };
    let Row { account_id, aws_region, configuration_item_capture_time: captured, configuration } =
        serde_json::from_str(row).map_err(unread)?;
    let judgements = configuration.config_rule_list.unwrap_or_default().into_iter();
    Ok(JudgedResource {
        place: AccountRegion::new(&account_id, &aws_region),
        resource_type: configuration.target_resource_type.into(),
        resource_id: configuration.target_resource_id.into(),
        captured_ms: captured.and_then(|time| parse_ms(&time)).unwrap_or_default(),
        rules: judgements
            .map(|judgement| {
                let state = judgement.compliance_type.map_or(ComplianceState::Other, |word| ComplianceState::of(&word));
                (judgement.config_rule_name.into(), state)
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_the_query() {
        let row = r#"{"accountId":"111122223333","awsRegion":"eu-west-1","configurationItemCaptureTime":"2026-11-21T20:00:01.500Z",
            "configuration":{"targetResourceType":"AWS::S3::Bucket","targetResourceId":"a \"ledger\"","more":1,"configRuleList":[
            {"configRuleName":"one","complianceType":"COMPLIANT"},{"configRuleName":"two","complianceType":"NEW"},{"configRuleName":"three"}]}}"#;
        let expected = JudgedResource {
            place: AccountRegion::new("111122223333", "eu-west-1"),
            resource_type: "AWS::S3::Bucket".into(),
            resource_id: r#"a "ledger""#.into(),
            captured_ms: 1_795_291_201_500,
            rules: vec![
                ("one".into(), ComplianceState::Compliant),
                ("two".into(), ComplianceState::Other),
                ("three".into(), ComplianceState::Other),
            ],
        };
        assert_eq!(resource(row), Ok(expected));
    }

    #[test]
    fn rows_that_lack_something() {
        let target = r#""targetResourceType":"t","targetResourceId":"i""#;
        for (row, read) in [
            (format!(r#"{{"accountId":"1","awsRegion":"r","configuration":{{{target}}}}}"#), true),
            (format!(r#"{{"accountId":"1","awsRegion":"r","configuration":{{{target},"configRuleList":null}}}}"#), true),
            (format!(r#"{{"accountId":"1","awsRegion":"r","configuration":{{{target},"configRuleList":[{{}}]}}}}"#), false),
            (format!(r#"{{"awsRegion":"r","configuration":{{{target}}}}}"#), false),
            (r#"{"accountId":"1","awsRegion":"r","configuration":{"targetResourceId":"i"}}"#.to_owned(), false),
            (r#"{"accountId":"1","awsRegion":"r"}"#.to_owned(), false),
            ("[]".to_owned(), false),
            ("{".to_owned(), false),
            (String::new(), false),
        ] {
            match resource(&row) {
                Ok(resource) => assert!(read && resource.rules.is_empty() && resource.captured_ms == 0, "{row}"),
                Err(error) => {
                    let error = error.to_string();
                    assert!(!read && error.starts_with("a row of the query cannot be read"), "{row}: {error}");
                }
            }
        }
    }
}
