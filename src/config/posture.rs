//! Settings of what is known between two records: where it is kept, and what is read of AWS Config and of IAM.
//!
//! In: nothing. Out: [`State`], [`Posture`] and [`Identity`] with their defaults. What always holds: what is on can be read: there
//! is a Region to ask, and a role where there is more than one account. It reads nothing.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::record::partition_of;
use crate::secret::Secret;

/// Where state is kept, and how agents agree on who leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// `None`: in memory, forgotten at a restart.
    pub place: Option<StatePlace>,
    /// How long a leader that falls silent keeps the lead.
    pub lease: Duration,
}

/// A place that outlives the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatePlace {
    /// A folder, for the agents of one machine.
    Folder(PathBuf),
    /// A bucket and a key prefix, for any number of agents.
    S3 {
        /// Bucket name.
        bucket: String,
        /// Key prefix, without a leading slash.
        prefix: String,
    },
}

impl fmt::Display for StatePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// What is read of AWS Config, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posture {
    /// The Region where the aggregator is, and whose partition all others are in.
    pub home: String,
    /// Regions that are read, each once. Empty only with an aggregator: all that it has.
    pub regions: Vec<String>,
    /// Accounts that are read, each once. Empty: the agent's own, or with an aggregator all that it has.
    pub accounts: Vec<String>,
    /// Name of the aggregator that is asked in place of each account; never together with a role.
    pub aggregator: Option<String>,
    /// The role that is taken in each account; never missing when there are several and no aggregator.
    pub role: Option<Role>,
    /// What those who trust the role may ask for.
    pub external_id: Option<Secret>,
    /// Time between two readings of everything.
    pub interval: Duration,
    /// Time between two summaries.
    pub summary_interval: Duration,
    /// Calls to AWS Config in a second, for each account and Region.
    pub calls_per_second: u32,
    /// Accounts × Regions that are read at once.
    pub concurrency: usize,
}

impl Posture {
    /// Defaults, on for one Region and the agent's own account.
    #[must_use]
    pub fn of_region(region: &str) -> Self {
        Self {
            home: region.to_owned(),
            regions: vec![region.to_owned()],
            accounts: Vec::new(),
            aggregator: None,
            role: None,
            external_id: None,
            interval: Duration::from_hours(6),
            summary_interval: Duration::from_hours(1),
            calls_per_second: 2,
            concurrency: 16,
        }
    }
}

/// What is read of IAM, and how often. It stands alone: AWS Config need not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// A Region of the partition, where roles are taken and the aggregator is.
    pub home: String,
    /// Accounts that are read, each once. Empty: the agent's own, or with an aggregator and a role all that it has.
    pub accounts: Vec<String>,
    /// Name of the aggregator that knows the accounts. It knows nothing of IAM: each account is read with the role.
    pub aggregator: Option<String>,
    /// The role that is taken in each account; without it only the agent's own account can be read.
    pub role: Option<Role>,
    /// What those who trust the role may ask for.
    pub external_id: Option<Secret>,
    /// Time between two inventories.
    pub interval: Duration,
    /// Days without a use after which an identity is unused.
    pub unused_days: u32,
    /// Days after which a key is to be changed.
    pub key_max_age_days: u32,
    /// Whether the services are asked for that each user and role used.
    pub last_accessed: bool,
    /// Calls to IAM in a second, for each account.
    pub calls_per_second: u32,
}

impl Identity {
    /// Defaults, on for the agent's own account.
    #[must_use]
    pub fn of_region(region: &str) -> Self {
        Self {
            home: region.to_owned(),
            accounts: Vec::new(),
            aggregator: None,
            role: None,
            external_id: None,
            interval: Duration::from_hours(24),
            unused_days: 90,
            key_max_age_days: 90,
            last_accessed: false,
            calls_per_second: Posture::of_region(region).calls_per_second,
        }
    }
}

/// A role that is there in every account under the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// `None`: the Region's.
    partition: Option<String>,
    /// With its path, if it has one.
    name: String,
}

/// What stands for the account's id in a role's ARN.
const ACCOUNT: &str = "{account}";

/// Longest path and name of a role together: IAM allows 512 and 64 characters.
const ROLE_BYTES: usize = 576;

impl Role {
    /// A role's name, or an ARN with `{account}` in the place of the account's id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (partition, name) = match text.strip_prefix("arn:") {
            Some(rest) => {
                let (partition, rest) = rest.split_once(':')?;
                let partition_fits =
                    partition.starts_with("aws") && partition.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
                let name = rest.strip_prefix("iam::")?.strip_prefix(ACCOUNT)?.strip_prefix(":role/");
                (Some(partition.to_owned()), name.filter(|_| partition_fits)?)
            }
            None => (None, text),
        };
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        let fits = name.len() <= ROLE_BYTES && name.split('/').all(|part| !part.is_empty() && part.bytes().all(letter));
        let last = name.rsplit('/').next().unwrap_or(name);
        (fits && last.len() <= 64).then(|| Self { partition, name: name.to_owned() })
    }

    /// Its ARN in an account; `region`: one of the partition's Regions.
    #[must_use]
    pub fn arn(&self, account: &str, region: &str) -> String {
        let partition = self.partition.as_deref().unwrap_or_else(|| partition_of(region));
        format!("arn:{partition}:iam::{account}:role/{}", self.name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.partition {
            Some(partition) => write!(f, "arn:{partition}:iam::{ACCOUNT}:role/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self { place: None, lease: Duration::from_secs(30) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_a_name_or_an_arn_for_every_account() {
        for (written, arn) in [
            ("cspm-read", Some("arn:aws-cn:iam::111122223333:role/cspm-read")),
            ("team/cspm+read@x", Some("arn:aws-cn:iam::111122223333:role/team/cspm+read@x")),
            ("arn:aws:iam::{account}:role/cspm-read", Some("arn:aws:iam::111122223333:role/cspm-read")),
            ("arn:aws-us-gov:iam::{account}:role/a/b", Some("arn:aws-us-gov:iam::111122223333:role/a/b")),
            ("arn:aws:iam::111122223333:role/cspm-read", None),
            ("arn:aws:iam::{account}:user/x", None),
            ("arn:AWS:iam::{account}:role/x", None),
            ("arn:aws:sts::{account}:role/x", None),
            ("arn:aws:iam::{account}:role/", None),
            ("arn:", None),
            ("{account}", None),
            ("reader/", None),
            ("", None),
            ("/x", None),
            ("a b", None),
            ("役割", None),
            (&"x".repeat(65), None),
        ] {
            let role = Role::parse(written);
            let found = role.as_ref().map(|role| role.arn("111122223333", "cn-north-1"));
            assert_eq!(found.as_deref(), arn, "{written}");
            assert!(role.is_none_or(|role| role.to_string() == written), "{written} is shown as it was written");
        }
    }

    #[test]
    fn a_role_by_its_name_is_in_the_partition_of_the_region() {
        for (region, partition) in [
            ("eu-west-1", "aws"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            let arn = Role::parse("reader").map(|role| role.arn("111122223333", region));
            assert_eq!(arn, Some(format!("arn:{partition}:iam::111122223333:role/reader")), "{region}");
        }
    }
}
