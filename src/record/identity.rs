//! What IAM says of the identities of an account: users, roles, groups, policies, credentials.
//!
//! In: nothing. Out: plain types, as AWS tells them and before anybody judges them. What always holds: documents are JSON text,
//! no longer percent-encoded where they were; what AWS does not tell is absent, never false; no access key id is among them.

use std::borrow::Cow;

/// A customer managed policy in its default version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// Its ARN.
    pub arn: Box<str>,
    /// The default version; empty where AWS gave none.
    pub document: Box<str>,
}

/// A group and what it grants to its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: Box<str>,
    /// ARNs of managed policies.
    pub attached: Vec<Box<str>>,
    /// Documents of inline policies.
    pub inline: Vec<Box<str>>,
}

/// A user or a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// What only one of the two has.
    pub kind: PrincipalKind,
    /// Its name.
    pub name: Box<str>,
    /// Its ARN.
    pub arn: Box<str>,
    /// As `/` or `/aws-service-role/…/`.
    pub path: Box<str>,
    /// When it was made, milliseconds since the epoch.
    pub created_ms: Option<i64>,
    /// ARNs of managed policies.
    pub attached: Vec<Box<str>>,
    /// Documents of inline policies.
    pub inline: Vec<Box<str>>,
    /// ARN of the policy that limits it.
    pub boundary: Option<Box<str>>,
    /// Keys and values.
    pub tags: Vec<(Box<str>, Box<str>)>,
}

/// What only users or only roles have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A user.
    User {
        /// Names of its groups.
        groups: Vec<Box<str>>,
    },
    /// A role.
    Role {
        /// The document that says who may take it; empty where AWS gave none.
        trust: Box<str>,
        /// When it was used last, milliseconds since the epoch; `None`: not within IAM's tracking period.
        used_ms: Option<i64>,
        /// Region of that use.
        used_region: Option<Box<str>>,
    },
}

/// One thing out of an account's authorization details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// A policy.
    Policy(ManagedPolicy),
    /// A group.
    Group(Group),
    /// A user or role.
    Principal(Principal),
}

/// When a credential was used last, as the credential report tells it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LastUse {
    /// Then, milliseconds since the epoch.
    At(i64),
    /// `N/A`: there is no such credential, or a key of which IAM knows no use.
    NotApplicable,
    /// `no_information`: there is a password, and IAM knows no use of it.
    NoInformation,
    /// `not_supported`, a column that is not there, or a word that this version does not know.
    #[default]
    Unknown,
}

/// A line of the credential report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Name, or [`ROOT`].
    pub user: Box<str>,
    /// Its ARN.
    pub arn: Box<str>,
    /// When it was made, milliseconds since the epoch.
    pub created_ms: Option<i64>,
    /// Whether it may sign in to the console.
    pub password: Option<bool>,
    /// When it last signed in.
    pub password_used: LastUse,
    /// When the password was set, milliseconds since the epoch.
    pub password_changed_ms: Option<i64>,
    /// Whether it has an MFA device.
    pub mfa: Option<bool>,
    /// The two places for access keys.
    pub keys: [AccessKey; 2],
}

/// What the credential report calls the root user.
pub const ROOT: &str = "<root_account>";

/// A place for an access key. The report names no key id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessKey {
    /// Whether it works; `Some(false)` of an empty place, too.
    pub active: Option<bool>,
    /// When it was made or changed, milliseconds since the epoch; `None` of an empty place.
    pub changed_ms: Option<i64>,
    /// When it was used last.
    pub used: LastUse,
    /// With which service.
    pub service: Option<Box<str>>,
    /// In which Region.
    pub region: Option<Box<str>>,
}

impl AccessKey {
    /// Whether there is a key.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.active == Some(true) || self.changed_ms.is_some()
    }
}

/// Services that an identity may use, and those of them that it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceUse {
    /// Services that its policies allow anything of.
    pub granted: u64,
    /// Those that it used within IAM's tracking period.
    pub used: u64,
}

/// A text without its percent-encoding, as IAM writes documents; one that begins as JSON is given as it is. `None`: neither.
#[must_use]
pub fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if text.trim_start().starts_with('{') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digit = |at: usize| digits.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        bytes.push(u8::try_from(digit(0)? * 16 + digit(1)?).ok()?);
        rest = after;
    }
    let text = String::from_utf8(bytes).ok()?;
    text.trim_start().starts_with('{').then_some(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_encoded_or_not() {
        for (text, want) in [
            ("%7B%22Version%22%3A%222012-10-17%22%7D", Some("{\"Version\":\"2012-10-17\"}")),
            ("%7b%22a%22%3a%22b+c%22%7d", Some("{\"a\":\"b+c\"}")),
            ("{\"a\":\"100%\"}", Some("{\"a\":\"100%\"}")),
            (" %7B%22a%22%3A%22%E5%BD%B9%22%7D", Some(" {\"a\":\"役\"}")),
            ("%7B%2", None),
            ("%7B%G1%7D", None),
            ("%7B%FF%7D", None),
            ("plain", None),
            ("", None),
        ] {
            assert_eq!(decoded(text).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn an_empty_place_is_no_key() {
        let key = |active, changed_ms| AccessKey { active, changed_ms, ..AccessKey::default() };
        assert!(!key(Some(false), None).exists() && !key(None, None).exists());
        assert!(key(Some(false), Some(1)).exists() && key(Some(true), None).exists() && key(None, Some(1)).exists());
    }
}
