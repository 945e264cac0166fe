//! What AWS Config's refusals, and those of the role on the way there, mean to us.
//!
//! In: an error of the SDK, what was asked, the role that was taken. Out: whether to slow down, to ask again, or the error that the
//! caller hears. What always holds: an answer that is no proper AWS answer may pass; no request, header or key is quoted.

use std::error::Error;

use aws_sdk_config::config::http::HttpResponse;
use aws_sdk_config::error::{ProvideErrorMetadata, SdkError};

use super::ConfigApiError;
use crate::source::aws;

/// What to make of a request to AWS Config that went wrong.
type Verdict = super::ask::Verdict<ConfigApiError>;

/// Where the Region is to be enabled, or the keys to be looked at: AWS says the same of both.
const REGION: &str = "the Region may not be enabled for this account (AWS says the same of keys that do not exist): enable it, or \
                      leave it out";

const AGGREGATOR: &str =
    "there is no such aggregator in this account and Region: check its name, or read the accounts one by one";

const RECORDER: &str = "AWS Config records nothing here: set up a configuration recorder, or leave the Region out";

/// `action`: what was asked, as `config:DescribeConfigRules`. `role`: the ARN of the role that was taken, if one was.
pub(in crate::source) fn judge<E>(error: &SdkError<E, HttpResponse>, action: &str, role: Option<&str>) -> Verdict
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Some(code) = error.as_service_error().and_then(ProvideErrorMetadata::code) else {
        return on_the_way(error, role);
    };
    let why = aws::said(error);
    match code {
        code if aws::throttled(code) || matches!(code, "TooManyRequestsException" | "RequestLimitExceeded") => {
            Verdict::TooMany(why)
        }
        "NoSuchConfigRuleException" | "NoSuchConformancePackException" | "NoSuchConfigRuleInConformancePackException" => {
            Verdict::Ended(ConfigApiError::NoSuchRule { why })
        }
        "NoSuchConfigurationAggregatorException" => Verdict::Ended(ConfigApiError::NotEnabled { why, what: AGGREGATOR }),
        "NoAvailableConfigurationRecorderException" | "NoRunningConfigurationRecorderException" => {
            Verdict::Ended(ConfigApiError::NotEnabled { why, what: RECORDER })
        }
        "UnrecognizedClientException" | "InvalidClientTokenId" | "AuthFailure" | "OptInRequired" => {
            Verdict::Ended(ConfigApiError::NotEnabled { why, what: REGION })
        }
        code if aws::denied(code) => Verdict::Ended(ConfigApiError::Denied { why, missing: action.to_owned() }),
        "ValidationException"
        | "ValidationError"
        | "InvalidParameterValueException"
        | "InvalidLimitException"
        | "InvalidExpressionException" => Verdict::Ended(ConfigApiError::Refused { why }),
        // The pages are begun anew at the next turn; asked for with the same token they would not come.
        "InvalidNextTokenException" => Verdict::Ended(ConfigApiError::Passing { why }),
        _ => Verdict::Again(why),
    }
}

/// No answer of AWS Config's: credentials that could not be had, or the way there.
fn on_the_way<E: Error + 'static>(error: &SdkError<E, HttpResponse>, role: Option<&str>) -> Verdict {
    let Some(none) = aws::credentials::none_found(error) else {
        return Verdict::Again(aws::root(error));
    };
    // STS's own words are somewhere among the causes: "service error: unhandled error (AccessDenied): …".
    let causes: Vec<String> = std::iter::successors(error.source(), |&cause| cause.source()).map(ToString::to_string).collect();
    let says = |words: &[&str]| causes.iter().any(|cause| words.iter().any(|word| cause.contains(word)));
    let Some(role) = role.filter(|_| says(&["service error"])) else {
        return match role {
            // STS could not be reached, or answered no words: nothing is known of the agent's own credentials.
            Some(role) if !says(&["not enabled", "not properly configured"]) => {
                Verdict::Again(format!("taking {role}: {}", crate::cause::innermost(error)))
            }
            _ => Verdict::Ended(ConfigApiError::NoCredentials { why: none }),
        };
    };
    let why = format!("taking {role}: {}", causes.last().map_or("", String::as_str));
    if says(&["RegionDisabled"]) {
        Verdict::Ended(ConfigApiError::NotEnabled { why, what: REGION })
    } else if says(&["AccessDenied", "ValidationError", "InvalidClientTokenId", "SignatureDoesNotMatch"]) {
        let missing = format!(
            "sts:AssumeRole on {role} in the agent's role, and the agent's role (with the external id, if one is asked for) in the \
             trust policy of that role"
        );
        Verdict::Ended(ConfigApiError::Denied { why, missing })
    } else {
        Verdict::Again(why)
    }
}
