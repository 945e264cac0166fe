//! Who did it, as a dashboard names them.

use std::borrow::Cow;

/// What stands behind an identity (`actor.kind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ActorKind {
    /// The account's root user.
    Root,
    /// A person: IAM user with a console session, Identity Center, a role session named after a person.
    Human,
    /// A program with a role or key of its own.
    Workload,
    /// An AWS service acting for the account.
    AwsService,
    /// A federated user whose nature the record does not tell.
    Federated,
    /// A delivery pipeline (GitHub Actions, GitLab, Terraform Cloud, CodeBuild, …).
    Ci,
    /// Nothing in the record tells.
    Unknown,
}

impl ActorKind {
    /// The word in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Human => "human",
            Self::Workload => "workload",
            Self::AwsService => "awsService",
            Self::Federated => "federated",
            Self::Ci => "ci",
            Self::Unknown => "unknown",
        }
    }
}

/// The actor of a record, from `userIdentity`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor<'a> {
    /// What stands behind the identity.
    pub kind: ActorKind,
    /// `userIdentity.type`, or `None` when the record has none.
    pub identity_type: Cow<'a, str>,
    /// One string a dashboard shows: user name, `role/session`, service, … never empty.
    pub name: Cow<'a, str>,
    /// The caller's ARN, if there is one.
    pub arn: Option<Cow<'a, str>>,
    /// The caller's account, if there is one.
    pub account_id: Option<Cow<'a, str>>,
    /// ARN of the role or user that issued the session.
    pub session_issuer: Option<Cow<'a, str>>,
    /// `sourceIdentity` set when the role was assumed.
    pub source_identity: Option<Cow<'a, str>>,
    /// Whether the session or sign-in used MFA, when the record says.
    pub mfa: Option<bool>,
}

/// Hosts of OIDC providers of pipelines, exact or, with a leading dot, as a suffix.
const PIPELINE_PROVIDERS: [&str; 11] = [
    "token.actions.githubusercontent.com",
    ".actions.githubusercontent.com",
    "gitlab.com",
    "app.terraform.io",
    "oidc.circleci.com",
    "agent.buildkite.com",
    "api.bitbucket.org",
    "vstoken.dev.azure.com",
    ".app.spacelift.io",
    "oidc.codefresh.io",
    "api.pulumi.com",
];

/// Whether an OIDC provider, its host and maybe a path, is one of pipelines.
#[must_use]
pub fn is_pipeline_provider(provider: &str) -> bool {
    let host = provider.split('/').next().unwrap_or_default();
    PIPELINE_PROVIDERS.iter().any(|known| host == *known || known.starts_with('.') && host.ends_with(known))
}

/// `oidc.eks.<region>.amazonaws.com/id/…`, in China `….amazonaws.com.cn/id/…`.
#[must_use]
pub fn is_eks_issuer(provider: &str) -> bool {
    provider.starts_with("oidc.eks.") && provider.contains(".amazonaws.com") && provider.contains("/id/")
}
