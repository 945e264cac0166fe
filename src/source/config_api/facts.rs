//! AWS Config's facts, out of the SDK's types.
//!
//! In: what an answer holds. Out: rules, evaluations, rules that fail, in our words. What always holds: what lacks its name is left
//! out only where nobody could ask about it; an evaluation is never left out.

use aws_sdk_config::primitives::DateTime;
use aws_sdk_config::types::{ConfigRule, ConfigRuleEvaluationStatus, ConfigRuleState, EvaluationResultIdentifier, Owner};

use super::{ConfigApiError, FailingRule};
use crate::record::{ComplianceState, DeployedRule, Evaluation};

/// The rule, unless it is being deleted. One without a name could not be asked about; one whose results are being deleted stays,
/// and is run again.
pub(super) fn deployed(rule: ConfigRule) -> Option<DeployedRule> {
    if rule.config_rule_state == Some(ConfigRuleState::Deleting) {
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
pub(super) fn failed(status: ConfigRuleEvaluationStatus) -> Option<FailingRule> {
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
    // AWS sends seconds with a fraction: what stands between two milliseconds is the nearer one, as its events write it.
    let millis = i64::from(time.subsec_nanos().saturating_add(500_000) / 1_000_000);
    time.secs().checked_mul(1_000)?.checked_add(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its events write 858.999… ms as 859, and both must give one id.
    #[test]
    fn a_time_is_the_millisecond_that_is_nearest() {
        for ms_of in [1_795_782_785_859_i64, 1_795_782_785_858, 1_795_782_786_000, 999, 0] {
            #[expect(clippy::cast_precision_loss, reason = "as it comes over the wire")]
            let wire = DateTime::from_secs_f64(ms_of as f64 / 1_000.0);
            assert_eq!(ms(wire), Some(ms_of));
        }
    }

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
