//! Failures to get AWS credentials, in words that help.
//!
//! In: an error of the SDK. Out: `None` when it is about something else; otherwise one line that says that no credentials
//! were found, what was tried and what came of it. What always holds: nothing but the SDK's own descriptions of causes is
//! quoted, no answer of a credentials server and no key.

use std::error::Error;

/// What a person can do, whatever was tried.
pub(in crate::source) const MISSING: &str = "an IAM role of the ECS task (taskRoleArn) or EC2 instance, or AWS_PROFILE, \
     or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

/// How the SDK describes a credentials fault (`CredentialsError`, whose type it does not re-export). A test asks the SDK itself.
const FAULTS: [&str; 5] = [
    NONE_SET_UP,
    "an error occurred while loading credentials",
    "credentials provider timed out",
    "the credentials provider was not properly configured",
    "unexpected credentials error",
];

/// No place that may hold credentials does.
const NONE_SET_UP: &str = "the credential provider was not enabled";

/// Most characters of the causes that are quoted.
const QUOTED: usize = 200;

/// What happened, if it was that no credentials could be had.
pub(in crate::source) fn none_found(error: &(dyn Error + 'static)) -> Option<String> {
    let mut causes = std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string);
    let fault = causes.find(|text| FAULTS.iter().any(|fault| text.starts_with(fault)))?;
    let came = if fault == NONE_SET_UP {
        "none of them is set up".to_owned()
    } else {
        let causes: Vec<String> = std::iter::once(fault).chain(causes).collect();
        let one_line = causes.join(": ").split_whitespace().collect::<Vec<_>>().join(" ");
        one_line.chars().take(QUOTED).collect()
    };
    Some(format!(
        "no AWS credentials (tried the environment, the AWS profile, a web identity token, the ECS task role and the EC2 \
         instance role: {came})"
    ))
}
