//! IAM's API: who there is in an account, what they may do, and which credentials they have.
//!
//! In: an account. Out: its credential report, its users, roles, groups and policies page by page, and on demand the services that
//! one of them used. What always holds: every page is read or there is an error; a report that is cut short is an error; nothing
//! is changed in the account but that IAM makes its own report anew; every request waits for its account's share of the rate and
//! is counted. It judges nothing and keeps nothing.
//!
//! One chain of `GetAccountAuthorizationDetails` takes the place of `ListUsers`, `ListRoles`, `GetRole` for each role (`ListRoles`
//! does not say when a role was used last), `ListAttachedRolePolicies`, `GetRolePolicy`, … for each: an account of 1,000 roles is
//! 10 requests of 100 entries and not some 5,000. It is asked twice, first for policies and groups, then for users and roles: AWS
//! promises no order, and whoever is judged needs the policies judged before.
//!
//! IAM has one place per partition, so an account is read once, whatever its Regions.

mod facts;
mod faults;
mod report;
pub mod sdk;

#[cfg(test)]
mod tests;

use std::fmt;

use futures_util::future::BoxFuture;

use super::config_api::ConfigApiError;
pub use super::config_api::Each;
use crate::record::identity::{Credentials, Detail, ServiceUse};

/// What a page of an account's authorization details holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Customer managed policies and groups.
    Policies,
    /// Users and roles.
    Principals,
}

/// What is asked of IAM in one account.
///
/// The contract is that of [`super::config_api::ConfigApi`]: an error means that the answer is not whole; passing faults have been
/// tried again inside; accounts do not wait for each other.
pub trait IamApi: fmt::Debug + Send + Sync + 'static {
    /// The credential report, made anew where AWS's is older than it keeps one (four hours).
    fn report<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Vec<Credentials>, IamError>>;

    /// Authorization details, page by page.
    fn details<'a>(&'a self, account: &'a str, which: Which, each: Each<'a, Detail>) -> BoxFuture<'a, Result<(), IamError>>;

    /// The services that a user or role may use and did use: a job of IAM's, which takes seconds. [`IamError::Gone`]: it has been
    /// deleted meanwhile.
    fn services<'a>(&'a self, account: &'a str, arn: &'a str) -> BoxFuture<'a, Result<ServiceUse, IamError>>;

    /// Requests sent so far, to all accounts.
    fn calls(&self) -> u64;
}

/// Why IAM did not answer as wished.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IamError {
    /// AWS refuses; only a person can mend it.
    #[error("{why}; missing: {missing}")]
    Denied {
        /// What AWS said: code and message.
        why: String,
        /// What is missing: `iam:GetCredentialReport`, `sts:AssumeRole on …`.
        missing: String,
    },
    /// Nobody could be asked, for want of the agent's own credentials; usually only a person can mend it.
    #[error("{why}; missing: {}", super::aws::credentials::MISSING)]
    NoCredentials {
        /// What was tried.
        why: String,
    },
    /// There is no such thing: deleted after it was listed, or a report that is not made yet.
    #[error("{why}")]
    Gone {
        /// What AWS said.
        why: String,
    },
    /// AWS does not take this request, or gave an answer that is none, and will again.
    #[error("{why}")]
    Refused {
        /// What was found.
        why: String,
    },
    /// Anything that may pass.
    #[error("{why}")]
    Passing {
        /// What went wrong.
        why: String,
    },
}

impl IamError {
    /// Whether the account could be read another time without anybody's help. What AWS refuses it refuses again.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Passing { .. } | Self::Gone { .. })
    }

    /// Whether the account may not be read, as far as AWS or the want of credentials says.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        matches!(self, Self::Denied { .. } | Self::NoCredentials { .. })
    }
}

impl From<ConfigApiError> for IamError {
    fn from(error: ConfigApiError) -> Self {
        match error {
            ConfigApiError::Denied { why, missing } => Self::Denied { why, missing },
            ConfigApiError::NoCredentials { why } => Self::NoCredentials { why },
            ConfigApiError::NotEnabled { why, what } => Self::Denied { why, missing: what.to_owned() },
            ConfigApiError::NoSuchRule { why } => Self::Gone { why },
            ConfigApiError::Refused { why } => Self::Refused { why },
            ConfigApiError::Passing { why } => Self::Passing { why },
        }
    }
}
