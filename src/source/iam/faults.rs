//! What IAM's refusals mean to us.
//!
//! In: an error of the SDK, what was asked, the role that was taken. Out: whether to slow down, to ask again, or the error that the
//! caller hears. What always holds: an answer that is no proper AWS answer may pass; no request, header or key is quoted. What goes
//! wrong on the way there, as taking the role, is judged as for AWS Config.

use std::error::Error;

use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};

use super::IamError;
use crate::source::aws;
use crate::source::config_api::{ask, faults};

/// What to make of a request to IAM that went wrong.
type Verdict = ask::Verdict<IamError>;

/// `action`: what was asked, as `iam:GetCredentialReport`. `role`: the ARN of the role that was taken, if one was.
pub(super) fn judge<E>(error: &SdkError<E, HttpResponse>, action: &str, role: Option<&str>) -> Verdict
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Some(code) = error.as_service_error().and_then(ProvideErrorMetadata::code) else {
        return match faults::judge(error, action, role) {
            ask::Verdict::TooMany(why) => Verdict::TooMany(why),
            ask::Verdict::Again(why) => Verdict::Again(why),
            ask::Verdict::Ended(error) => Verdict::Ended(error.into()),
        };
    };
    let why = aws::said(error);
    match code {
        code if aws::throttled(code) || matches!(code, "TooManyRequestsException" | "RequestLimitExceeded" | "LimitExceeded") => {
            Verdict::TooMany(why)
        }
        "ReportNotPresent" | "ReportInProgress" | "ReportExpired" | "NoSuchEntity" => Verdict::Ended(IamError::Gone { why }),
        code if aws::denied(code) || matches!(code, "OptInRequired" | "AuthFailure" | "MissingAuthenticationToken") => {
            Verdict::Ended(IamError::Denied { why, missing: action.to_owned() })
        }
        "InvalidInput" | "ValidationError" | "InvalidParameterValue" | "InvalidAction" => {
            Verdict::Ended(IamError::Refused { why: format!("{action}: {why}") })
        }
        _ => Verdict::Again(why),
    }
}
