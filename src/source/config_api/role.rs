//! Which role the agent takes in another account.
//!
//! In: a role's name or its ARN with `{account}` in it, as somebody wrote it. Out: the role's ARN in an account. What always
//! holds: the partition comes from the Region where an ARN does not say it. Its `Debug` form shows no external id.

use std::fmt;

/// Where the account goes in an ARN.
const ACCOUNT: &str = "{account}";

/// Most characters of a role's path and name.
const LONGEST: usize = 512 + 64;

/// Lengths of an external id. [STS API, `AssumeRole`]
const EXTERNAL_ID: std::ops::RangeInclusive<usize> = 2..=1_224;

/// A role that every account of an organization has.
#[derive(Clone, PartialEq, Eq)]
pub struct Role {
    /// `None`: the Region's.
    partition: Option<String>,
    /// Path and name.
    name: String,
    /// Asked for by the role's trust policy.
    external_id: Option<String>,
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role").field("partition", &self.partition).field("name", &self.name).finish_non_exhaustive()
    }
}

/// What is wrong with a role as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// Neither a name nor an ARN with a place for the account.
    #[error(
        "`{found}` is no role: write its name (`cspm-relay-reader`) or its ARN with {ACCOUNT} for the account \
         (`arn:aws:iam::{ACCOUNT}:role/cspm-relay-reader`)"
    )]
    NoRole {
        /// What was written.
        found: String,
    },
    /// Of a length that STS does not take.
    #[error("an external id has 2 to 1,224 characters, this one has {characters}")]
    ExternalId {
        /// Its length.
        characters: usize,
    },
}

impl Role {
    /// The role of a name or ARN.
    ///
    /// # Errors
    /// When it is neither, or the external id is of a length that STS does not take.
    pub fn new(role: &str, external_id: Option<&str>) -> Result<Self, RoleError> {
        let no_role = || RoleError::NoRole { found: role.chars().take(LONGEST).collect() };
        let (partition, name) = match role.strip_prefix("arn:") {
            Some(rest) => {
                let (partition, rest) = rest.split_once(":iam::").ok_or_else(no_role)?;
                let name = rest.strip_prefix(ACCOUNT).and_then(|rest| rest.strip_prefix(":role/")).ok_or_else(no_role)?;
                (Some(partition.to_owned()), name)
            }
            None => (None, role),
        };
        let is_name = |name: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c);
            !name.is_empty()
                && name.len() <= LONGEST
                && name.chars().all(allowed)
                && !name.starts_with('/')
                && !name.ends_with('/')
        };
        let is_partition = |word: &str| word.starts_with("aws") && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        if !is_name(name) || !partition.as_deref().is_none_or(is_partition) {
            return Err(no_role());
        }
        if let Some(characters) = external_id.map(|id| id.chars().count()).filter(|length| !EXTERNAL_ID.contains(length)) {
            return Err(RoleError::ExternalId { characters });
        }
        Ok(Self { partition, name: name.to_owned(), external_id: external_id.map(str::to_owned) })
    }

    /// Its ARN in an account; `region`: one of the partition's Regions.
    #[must_use]
    pub fn arn(&self, account: &str, region: &str) -> String {
        let partition = self.partition.as_deref().unwrap_or_else(|| partition_of(region));
        format!("arn:{partition}:iam::{account}:role/{}", self.name)
    }

    /// What the role's trust policy asks for.
    pub(super) fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref()
    }
}

/// The partition of a Region. [AWS SDK partition data, checked 2026-11]
fn partition_of(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_a_name_or_an_arn_with_a_place_for_the_account() {
        for (role, region, expected) in [
            ("reader", "eu-west-1", "arn:aws:iam::111122223333:role/reader"),
            ("security/reader", "us-east-1", "arn:aws:iam::111122223333:role/security/reader"),
            ("reader", "cn-north-1", "arn:aws-cn:iam::111122223333:role/reader"),
            ("reader", "us-gov-west-1", "arn:aws-us-gov:iam::111122223333:role/reader"),
            ("reader", "us-isob-east-1", "arn:aws-iso-b:iam::111122223333:role/reader"),
            ("reader", "eusc-de-east-1", "arn:aws-eusc:iam::111122223333:role/reader"),
            ("arn:aws-cn:iam::{account}:role/reader", "eu-west-1", "arn:aws-cn:iam::111122223333:role/reader"),
        ] {
            assert_eq!(Role::new(role, None).unwrap().arn("111122223333", region), expected, "{role}");
        }
    }

    #[test]
    fn what_is_no_role_is_refused_and_says_what_to_write() {
        for role in [
            "",
            "/",
            "/reader",
            "a role",
            "arn:aws:iam::111122223333:role/reader",
            "arn:aws:iam::{account}:user/reader",
            "arn:AWS:iam::{account}:role/reader",
            "arn:aws:sts::{account}:role/reader",
            "arn:aws:iam::{account}:role/",
            "{account}",
        ] {
            let error = Role::new(role, None).unwrap_err().to_string();
            assert!(error.contains("arn:aws:iam::{account}:role/cspm-relay-reader"), "{error}");
        }
        let long = "x".repeat(1_225);
        for (id, length) in [("x", 1), ("", 0), (long.as_str(), 1_225)] {
            assert_eq!(Role::new("reader", Some(id)), Err(RoleError::ExternalId { characters: length }));
        }
    }

    #[test]
    fn an_external_id_is_not_shown() {
        let role = Role::new("reader", Some("only-we-know")).unwrap();
        assert_eq!(role.external_id(), Some("only-we-know"));
        assert!(!format!("{role:?}").contains("only-we-know"));
    }
}
