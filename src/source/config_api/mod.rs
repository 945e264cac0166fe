//! AWS Config's API: which rules are deployed in an account and Region, and how they judge.
//!
//! In: an account and Region, or the name of an aggregator. Out: rules, evaluations, rules that fail, packs, page by page. What
//! always holds: every page is read or there is an error; an unknown word of AWS's is no error; every request to AWS waits for
//! its place's share of the rate and is counted. It keeps no result and compares nothing. `DESIGN.md` says what a full read costs.

pub mod aggregator;
pub(super) mod ask;
pub mod clients;
mod facts;
pub(super) mod faults;
mod http;
pub(super) mod rate;
pub mod sdk;
pub mod sdk_aggregator;

#[cfg(test)]
mod tests;

use std::fmt;

use futures_util::future::BoxFuture;

use crate::record::{AccountRegion, ComplianceState, DeployedRule, Evaluation};

/// Takes what one page held. Called once for each page that held something, in the order of the pages.
pub type Each<'a, T> = &'a mut (dyn FnMut(Vec<T>) + Send + 'a);

/// What is asked of AWS Config in one account and Region.
///
/// The contract:
/// - An error means that the answer is not whole. What [`Each`] was given before it is true, but nobody may conclude that what
///   was not given does not exist.
/// - Passing faults have been tried again inside; whoever hears of one waits for its next turn.
/// - Calls for different places do not wait for each other; calls for one place share its rate.
pub trait ConfigApi: fmt::Debug + Send + Sync + 'static {
    /// The rules that are deployed; those being deleted are left out, those whose results are being deleted are not.
    fn rules<'a>(&'a self, place: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<DeployedRule>, ConfigApiError>>;

    /// How a rule judges each resource that it has judged. [`ConfigApiError::NoSuchRule`]: it has been deleted meanwhile.
    fn evaluations<'a>(
        &'a self,
        place: &'a AccountRegion,
        rule: &'a str,
        each: Each<'a, Evaluation>,
    ) -> BoxFuture<'a, Result<(), ConfigApiError>>;

    /// The rules that failed the last time they ran: their evaluations are as old as the last time they did not.
    fn failing_rules<'a>(&'a self, place: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<FailingRule>, ConfigApiError>>;

    /// The conformance packs and how they stand. A pack whose rules cannot be read is told without them.
    fn packs<'a>(&'a self, place: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<Pack>, ConfigApiError>>;

    /// How much was asked so far, of every place that was asked at all, sorted.
    fn calls(&self) -> Vec<(AccountRegion, Calls)>;
}

/// A rule that AWS Config could not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingRule {
    /// `ConfigRuleName`
    pub rule: Box<str>,
    /// `LastErrorCode`
    pub code: Option<Box<str>>,
    /// `LastErrorMessage`
    pub message: Option<Box<str>>,
    /// When it failed last, milliseconds since the epoch; 0 where the API does not say.
    pub failed_ms: i64,
}

/// A conformance pack and the states of its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// `ConformancePackName`
    pub name: Box<str>,
    /// The pack as a whole, as AWS Config sums it up; [`ComplianceState::InsufficientData`] where it says nothing.
    pub state: ComplianceState,
    /// The states of its rules; `None`: they could not be read.
    pub rules: Option<PackRules>,
}

/// How many rules of a pack are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackRules {
    /// Rules that no resource breaks.
    pub compliant: u32,
    /// Rules that a resource breaks.
    pub non_compliant: u32,
    /// Rules in any other state: no result yet, or a word that this version does not know.
    pub no_data: u32,
}

/// Requests to AWS Config. Each request that went out counts, the repeated ones too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// Requests sent.
    pub calls: u64,
    /// Those that were answered "too many".
    pub throttled: u64,
    /// Those that repeat one that was throttled or went wrong.
    pub retried: u64,
}

/// Why AWS Config did not answer as wished.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigApiError {
    /// AWS refuses; only a person can mend it.
    #[error("{why}; missing: {missing}")]
    Denied {
        /// What AWS said: code and message.
        why: String,
        /// What is missing: `config:DescribeConfigRules`, `sts:AssumeRole on …`.
        missing: String,
    },
    /// Nobody could be asked, for want of the agent's own credentials; usually only a person can mend it.
    #[error("{why}; missing: {}", super::aws::credentials::MISSING)]
    NoCredentials {
        /// What was tried.
        why: String,
    },
    /// AWS Config, the Region or the aggregator is not there. Ask again tomorrow, not in a minute.
    #[error("{why}; {what}")]
    NotEnabled {
        /// What AWS said: code and message.
        why: String,
        /// What is not there, and what to do.
        what: &'static str,
    },
    /// There is no such rule: it was deleted after it was listed.
    #[error("{why}")]
    NoSuchRule {
        /// What AWS said.
        why: String,
    },
    /// AWS does not take this request, and will not take it again: a name that one operation gives and another is too narrow for.
    #[error("{why}")]
    Refused {
        /// What AWS said: code and message.
        why: String,
    },
    /// Anything that may pass.
    #[error("{why}")]
    Passing {
        /// What went wrong.
        why: String,
    },
}
