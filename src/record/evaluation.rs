//! What AWS Config's API says: which rules are deployed, and how each of them judged each resource.
//!
//! In: an answer of AWS Config. Out: its facts, owned, as small as they can be: a customer has hundreds of thousands. What always
//! holds: an unknown word of AWS's is [`ComplianceState::Other`], never an error. [AWS Config API, checked 2026-11]

use std::fmt;

use super::trail::is_account_id;

/// Where AWS Config judges: one account in one Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountRegion {
    /// Twelve digits.
    pub account: Box<str>,
    /// As `eu-west-1`.
    pub region: Box<str>,
}

impl AccountRegion {
    /// The account or Region of a record that does not say it.
    pub const UNKNOWN: &'static str = "unknown";

    /// This account in this Region.
    #[must_use]
    pub fn new(account: &str, region: &str) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// What a record calls its account and Region, and `unknown` for what is neither: the state of a place is written under these
    /// names, and a record whose place has none would wait for that for ever.
    #[must_use]
    pub fn as_told(account: &str, region: &str) -> Self {
        let is_region =
            !region.is_empty() && region.len() <= 32 && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        Self::new(if is_account_id(account) { account } else { Self::UNKNOWN }, if is_region { region } else { Self::UNKNOWN })
    }
}

impl fmt::Display for AccountRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

/// How a rule judges a resource, or a rule as a whole stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ComplianceState {
    /// The resource is as the rule wants it.
    Compliant,
    /// It is not.
    NonCompliant,
    /// The rule does not concern it.
    NotApplicable,
    /// The rule has no result yet.
    InsufficientData,
    /// The resource or the rule was deleted.
    Left,
    /// A word that this version does not know.
    Other,
}

impl ComplianceState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Compliant, Self::NonCompliant, Self::NotApplicable, Self::InsufficientData, Self::Left, Self::Other];

    /// The word of AWS Config's, `LEFT`, or `OTHER`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Compliant => "COMPLIANT",
            Self::NonCompliant => "NON_COMPLIANT",
            Self::NotApplicable => "NOT_APPLICABLE",
            Self::InsufficientData => "INSUFFICIENT_DATA",
            Self::Left => "LEFT",
            Self::Other => "OTHER",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == word).unwrap_or(Self::Other)
    }
}

/// A rule as it is deployed in one account and Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedRule {
    /// `ConfigRuleName`
    pub name: Box<str>,
    /// `ConfigRuleArn`; empty where the API does not say (aggregators).
    pub arn: Box<str>,
    /// `Source.SourceIdentifier` of a managed rule, as `S3_BUCKET_PUBLIC_READ_PROHIBITED`; `None`: a rule of the customer's own.
    pub identifier: Option<Box<str>>,
}

/// How one rule judged one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// As `AWS::S3::Bucket`.
    pub resource_type: Box<str>,
    /// As AWS Config names it.
    pub resource_id: Box<str>,
    /// The judgement.
    pub state: ComplianceState,
    /// When it was recorded, milliseconds since the epoch; 0 where the API does not say.
    pub recorded_ms: i64,
    /// Why, in the rule's words, at most 256 characters.
    pub annotation: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_called_by_names_that_can_be_written() {
        for (account, region, want) in [
            ("111122223333", "eu-west-1", "111122223333/eu-west-1"),
            ("111122223333", "", "111122223333/unknown"),
            ("unknown", "us-gov-west-1", "unknown/us-gov-west-1"),
            ("me", "../x", "unknown/unknown"),
            ("", ".", "unknown/unknown"),
        ] {
            assert_eq!(AccountRegion::as_told(account, region).to_string(), want, "{account} {region}");
        }
    }
}
