//! What stands behind an identity (`actor.kind`): a person, a program, a pipeline, an AWS service.
//!
//! In: the evidence a record holds. Out: the kind of the first rule of [`RULES`] that holds, `unknown` when none does: no
//! evidence, no guess. The rules are data, in order of strength: what AWS asserts (the type, the calling service, the
//! console flag, reserved role paths, MFA, the identity provider) before what the caller chose (session names, user agents).
//! A session name or user agent describes, it does not prove: controls must not trust `actor.kind` to let someone through.
//!
//! | rule | evidence | kind | source |
//! | --- | --- | --- | --- |
//! | service-as-root | type `Root` with `invokedBy`, no console flag | awsService | userIdentity page, `invokedBy` |
//! | root | type `Root` | root | userIdentity page |
//! | service | type `AWSService` | awsService | userIdentity page |
//! | console-session | `sessionCredentialFromConsole` is `"true"` | human | record contents page |
//! | sign-in | an event of a person at the console's sign-in page | human | console sign-in events page |
//! | access-portal | an event of the Identity Center access portal | human | Identity Center, `CloudTrail` use cases |
//! | sign-in-service | `invokedBy` is the sign-in service: a console page calls for its user | human | as above |
//! | pipeline-service | a role session used by `CodePipeline` or `CodeBuild` | ci | `CodePipeline`, `CodeBuild` logging pages |
//! | invoked-by | any other `invokedBy`: the request was made by a service | awsService | userIdentity page, `invokedBy` |
//! | service-linked-role | role path `/aws-service-role/`, reserved | awsService | IAM, service-linked roles |
//! | identity-center-user | type `IdentityCenterUser` | human | userIdentity page |
//! | permission-set | role `AWSReservedSSO_…` under `/aws-reserved/sso.amazonaws.com/` | human | Identity Center, permission sets |
//! | pipeline-provider | web identity of a pipeline's OIDC provider | ci | each provider's OIDC page |
//! | pipeline-session | session name a pipeline's own tool sets | ci | each tool's page |
//! | mfa | session with MFA | human | userIdentity page, `mfaAuthenticated` |
//! | instance | EC2 role delivery; session named after an instance | workload | IAM, roles for EC2; SSM hybrid nodes |
//! | pod | EKS's OIDC provider; Pod Identity's session name | workload | EKS, IRSA and Pod Identity |
//! | task | session named by an ECS task id, 32 hexadecimal digits | workload | ECS task IAM role |
//! | cloud-shell | user agent `exec-env/CloudShell` | human | `CloudShell` page |
//! | runtime | user agent `exec-env/…` of Lambda, ECS, App Runner, EC2 | workload | SDK setting `AWS_EXECUTION_ENV` |
//! | function | role `<session>-role-…`, as the Lambda console names a function's role | workload | Lambda execution role |
//! | service-session | session name an AWS service sets for a customer's job | workload | Glue, `SageMaker`, Lambda pages |
//! | app-user | session name Cognito's credentials provider sets | federated | Cognito identity pools |
//! | person-name | session, user or source identity is an e-mail address | human | IAM, role session name |
//! | console-agent | user agent of a browser or of a console page | human | what consoles send |
//! | sdk-session | session name an SDK makes up, and not from the AWS CLI | workload | SDK source code |
//! | sdk-key | IAM user's long-term key used by an SDK | workload | IAM, access keys are for programs |
//! | federated | types `SAMLUser`, `WebIdentityUser`, `FederatedUser`; any other web identity | federated | userIdentity page |
//! | service-event | `AwsServiceEvent` without a caller | awsService | non-API events page |
//!
//! The AWS CLI and Terraform are run by people and by programs alike: neither says anything.

use super::principal::Identity;
use crate::record::ActorKind;
use crate::record::actor::{is_eks_issuer, is_pipeline_provider};

/// What a rule may look at. Absent texts are empty.
#[derive(Debug)]
pub(super) struct Evidence<'e> {
    pub(super) identity: &'e Identity<'e>,
    /// Role session name.
    pub(super) session: &'e str,
    /// Role name.
    pub(super) role: &'e str,
    /// Without the bracket some services put before it.
    pub(super) user_agent: &'e str,
    pub(super) event_source: &'e str,
    pub(super) event_name: &'e str,
    pub(super) event_type: &'e str,
    pub(super) from_console: bool,
}

/// One row of the table above.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) kind: ActorKind,
    holds: fn(&Evidence<'_>) -> bool,
}

/// The table above, first match wins.
pub(super) static RULES: [Rule; 29] = [
    rule("service-as-root", ActorKind::AwsService, |e| e.is("Root") && invoked_by_service(e) && !e.from_console),
    rule("root", ActorKind::Root, |e| e.is("Root")),
    rule("service", ActorKind::AwsService, |e| e.is("AWSService")),
    rule("console-session", ActorKind::Human, |e| e.from_console),
    rule("sign-in", ActorKind::Human, |e| e.event_source == SIGN_IN && SIGN_IN_EVENTS.contains(&e.event_name)),
    rule("access-portal", ActorKind::Human, |e| {
        e.event_source == "sso.amazonaws.com"
            && (e.is("Unknown") || e.is("IdentityCenterUser"))
            && PORTAL_EVENTS.contains(&e.event_name)
    }),
    rule("sign-in-service", ActorKind::Human, |e| e.invoked_by() == SIGN_IN),
    rule("pipeline-service", ActorKind::Ci, |e| e.is("AssumedRole") && PIPELINE_SERVICES.contains(&e.invoked_by())),
    rule("invoked-by", ActorKind::AwsService, invoked_by_service),
    rule("service-linked-role", ActorKind::AwsService, |e| {
        [&e.identity.issuer_arn, &e.identity.arn].into_iter().flatten().any(|arn| arn.contains(":role/aws-service-role/"))
    }),
    rule("identity-center-user", ActorKind::Human, |e| e.is("IdentityCenterUser")),
    rule("permission-set", ActorKind::Human, has_permission_set),
    rule("pipeline-provider", ActorKind::Ci, |e| e.provider_host().is_some_and(is_pipeline_provider)),
    rule("pipeline-session", ActorKind::Ci, |e| starts_with_one_of(e.session, &PIPELINE_SESSIONS)),
    rule("mfa", ActorKind::Human, |e| e.identity.mfa.as_deref() == Some("true")),
    rule("instance", ActorKind::Workload, |e| e.identity.ec2_role_delivery.is_some() || is_instance_id(e.session)),
    rule("pod", ActorKind::Workload, |e| e.provider_host().is_some_and(is_eks_issuer) || is_pod_session(e.session)),
    rule("task", ActorKind::Workload, |e| e.session.len() == 32 && is_hex(e.session)),
    rule("cloud-shell", ActorKind::Human, |e| e.user_agent.contains("exec-env/CloudShell")),
    rule("runtime", ActorKind::Workload, |e| RUNTIMES.iter().any(|runtime| e.user_agent.contains(runtime))),
    rule("function", ActorKind::Workload, |e| {
        !e.session.is_empty() && e.role.strip_prefix(e.session).is_some_and(|rest| rest.starts_with("-role-"))
    }),
    rule("service-session", ActorKind::Workload, |e| starts_with_one_of(e.session, &SERVICE_SESSIONS)),
    rule("app-user", ActorKind::Federated, |e| e.session == "CognitoIdentityCredentials"),
    rule("person-name", ActorKind::Human, |e| {
        let names = [&e.identity.user_name, &e.identity.source_identity].into_iter().flatten();
        is_email(e.session) || names.into_iter().any(|name| is_email(name))
    }),
    rule("console-agent", ActorKind::Human, |e| {
        starts_with_one_of(e.user_agent, &CONSOLE_AGENTS) || e.user_agent.contains(" Console, aws-internal/")
    }),
    rule("sdk-session", ActorKind::Workload, |e| {
        !e.user_agent.starts_with("aws-cli/")
            && SDK_SESSIONS.iter().any(|prefix| e.session.strip_prefix(prefix).is_some_and(is_digits))
    }),
    rule("sdk-key", ActorKind::Workload, |e| {
        e.is("IAMUser")
            && e.identity.access_key_id.as_deref().is_some_and(|key| key.starts_with("AKIA"))
            && starts_with_one_of(e.user_agent, &SDK_AGENTS)
    }),
    rule("federated", ActorKind::Federated, |e| {
        e.is("SAMLUser") || e.is("WebIdentityUser") || e.is("FederatedUser") || e.identity.provider.is_some()
    }),
    rule("service-event", ActorKind::AwsService, |e| {
        e.event_type == "AwsServiceEvent" && e.identity.type_.is_none() && e.identity.arn.is_none()
    }),
];

const fn rule(name: &'static str, kind: ActorKind, holds: fn(&Evidence<'_>) -> bool) -> Rule {
    Rule { name, kind, holds }
}

const SIGN_IN: &str = "signin.amazonaws.com";

/// Events of the sign-in service that a person at its pages causes; `GetSigninToken` is a program's call.
const SIGN_IN_EVENTS: [&str; 14] = [
    "ConsoleLogin",
    "CheckMfa",
    "SwitchRole",
    "RenewRole",
    "ExitRole",
    "PasswordUpdated",
    "PasswordRecoveryRequested",
    "PasswordRecoveryCompleted",
    "EmailUpdated",
    "UserAuthentication",
    "CredentialChallenge",
    "CredentialVerification",
    "Logout",
    "RegionalConsoleLogin",
];

/// Events of the Identity Center access portal, made by signed-in people.
const PORTAL_EVENTS: [&str; 8] = [
    "Authenticate",
    "Federate",
    "Logout",
    "GetRoleCredentials",
    "ListAccounts",
    "ListAccountRoles",
    "ListApplications",
    "ListProfilesForApplication",
];

/// AWS services that run a customer's pipelines.
const PIPELINE_SERVICES: [&str; 2] = ["codepipeline.amazonaws.com", "codebuild.amazonaws.com"];

/// Session names that pipelines' own tools set: GitHub's credentials action, `CodeBuild`, GitLab's and Buildkite's examples.
const PIPELINE_SESSIONS: [&str; 4] = ["GitHubActions", "AWSCodeBuild-", "GitLabRunner-", "buildkite-job-"];

/// `AWS_EXECUTION_ENV` of runtimes without a keyboard, as SDKs put it in the user agent.
const RUNTIMES: [&str; 5] =
    ["exec-env/AWS_Lambda_", "exec-env/AWS_ECS_FARGATE", "exec-env/AWS_ECS_EC2", "exec-env/AppRunner", "exec-env/EC2"];

/// Session names AWS services set for a customer's jobs.
const SERVICE_SESSIONS: [&str; 3] = ["GlueJobRunnerSession", "SageMaker", "awslambda_"];

/// What SDKs name a session when nobody names it, before the digits of a time.
const SDK_SESSIONS: [&str; 6] =
    ["botocore-session-", "aws-go-sdk-", "aws-sdk-java-", "aws-sdk-js-", "aws-sdk-php-", "aws-sdk-rust-"];

/// User agents of SDKs used by a program of the customer's.
const SDK_AGENTS: [&str; 9] = [
    "Boto3/",
    "Boto/",
    "Botocore/",
    "aws-sdk-go",
    "aws-sdk-java/",
    "aws-sdk-js/",
    "aws-sdk-nodejs/",
    "aws-sdk-dotnet",
    "aws-sdk-rust/",
];

/// User agents of browsers and console pages.
const CONSOLE_AGENTS: [&str; 6] =
    ["Mozilla/", "S3Console/", "signin.amazonaws.com", "console.amazonaws.com", "AWS-Console", "aws-console"];

/// The first rule that holds.
pub(super) fn decide(evidence: &Evidence<'_>) -> Option<&'static Rule> {
    RULES.iter().find(|rule| (rule.holds)(evidence))
}

impl Evidence<'_> {
    fn is(&self, identity_type: &str) -> bool {
        self.identity.type_.as_deref() == Some(identity_type)
    }

    fn invoked_by(&self) -> &str {
        self.identity.invoked_by.as_deref().unwrap_or_default()
    }

    /// Host and path of the web identity provider: its ARN ends `oidc-provider/<host>/<path>`, else it is the host itself.
    fn provider_host(&self) -> Option<&str> {
        let provider = self.identity.provider.as_deref()?;
        Some(provider.split_once(":oidc-provider/").map_or(provider, |(_, host)| host))
    }
}

fn invoked_by_service(e: &Evidence<'_>) -> bool {
    !e.invoked_by().is_empty() && e.invoked_by() != SIGN_IN
}

/// The name's prefix is a convention, the role's path is reserved by IAM: where the record has the role's ARN, both must hold.
fn has_permission_set(e: &Evidence<'_>) -> bool {
    let named = |role: &str| role.starts_with("AWSReservedSSO_");
    if let Some(arn) = e.identity.issuer_arn.as_deref() {
        return arn.contains(":role/aws-reserved/sso.amazonaws.com/") && named(e.role);
    }
    let of_arn = e.identity.arn.as_deref().and_then(|arn| arn.split_once(":assumed-role/"));
    of_arn.is_some_and(|(_, tail)| named(tail))
}

fn starts_with_one_of(text: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| text.starts_with(prefix))
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `i-` and 8 or 17 hexadecimal digits, `mi-` and 17.
fn is_instance_id(text: &str) -> bool {
    let of_length = |prefix: &str, lengths: &[usize]| {
        text.strip_prefix(prefix).is_some_and(|digits| lengths.contains(&digits.len()) && is_hex(digits))
    };
    of_length("i-", &[8, 17]) || of_length("mi-", &[17])
}

/// `eks-<cluster>-<pod>-<UUID>`, as EKS Pod Identity names sessions.
fn is_pod_session(text: &str) -> bool {
    const UUID: usize = 36;
    let Some((head, uuid)) = text.len().checked_sub(UUID).and_then(|at| text.split_at_checked(at)) else {
        return false;
    };
    head.starts_with("eks-")
        && head.ends_with('-')
        && uuid.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// One `@` with a name before and a domain after it.
fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |text: &str| !text.is_empty() && !text.contains(|c: char| c == '@' || c.is_whitespace());
    plain(name) && plain(domain) && domain.contains('.')
}
