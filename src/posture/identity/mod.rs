//! The identities of an account, judged: root, users, roles and access keys.
//!
//! In: the credential report, then policies and groups, then users and roles, as IAM tells them. Out: an [`Identity`] for each,
//! with how much it may do, whether it is used, who may take it, and a risk with its reasons. What always holds: a document is let
//! go of as soon as it was judged, a policy is judged once; what nobody knows is unknown; nobody is counted twice. It asks nobody.
//!
//! Memory: some 700 bytes for each user, role and key, until the account's rows are sent; 60 bytes for each policy and group. An
//! account at its quotas (5,000 users with two keys each, 5,000 roles) takes 14 MB, and no more than a few are read at once.

mod document;
mod policy;
mod risk;
mod trust;
mod usage;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use self::policy::Breadth;
pub use self::risk::Risk;
pub use self::trust::{Trust, TrustKind};
pub use self::usage::Usage;
use crate::record::ActorKind;
use crate::record::identity::{AccessKey, Credentials, Detail, Group, LastUse, Principal, PrincipalKind, ROOT, ServiceUse};
use crate::record::time::DAY_MS;

/// Path of roles that belong to a service of AWS's. IAM reserves it.
const SERVICE_LINKED: &str = "/aws-service-role/";
/// Path and beginning of the name of roles that Identity Center makes of permission sets. IAM reserves the path.
const PERMISSION_SET: (&str, &str) = ("/aws-reserved/sso.amazonaws.com/", "AWSReservedSSO_");

/// What makes an identity unused and a key old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Days without a use after which something is unused.
    pub unused_days: u32,
    /// Days after which a key is to be changed.
    pub key_max_age_days: u32,
    /// Keys of the tag that names an owner; the first that is there counts.
    pub owner_tags: Vec<String>,
}

/// What an identity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityKind {
    /// The account's root user.
    Root,
    /// An IAM user.
    User,
    /// A role.
    Role,
    /// An access key of a user or of root.
    AccessKey,
}

impl IdentityKind {
    /// The word in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::User => "user",
            Self::Role => "role",
            Self::AccessKey => "accessKey",
        }
    }
}

/// How somebody signs in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignIn {
    /// Whether there is a password for the console.
    pub password: Option<bool>,
    /// When it was used last, milliseconds since the epoch.
    pub used_ms: Option<i64>,
    /// When it was set, milliseconds since the epoch.
    pub changed_ms: Option<i64>,
    /// Whether there is an MFA device.
    pub mfa: Option<bool>,
    /// Access keys that work; `None`: nobody knows.
    pub active_keys: Option<u8>,
    /// Whether one of them works at least; `None`: nobody knows.
    pub has_key: Option<bool>,
}

/// What is known of a key. It has no id: the report names none, and none is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// 1 or 2.
    pub slot: u8,
    /// Whether it works.
    pub active: Option<bool>,
    /// When it was made or changed, milliseconds since the epoch.
    pub changed_ms: Option<i64>,
    /// When it was used last, milliseconds since the epoch.
    pub used_ms: Option<i64>,
    /// With which service.
    pub service: Option<Box<str>>,
    /// In which Region.
    pub region: Option<Box<str>>,
    /// Whether it works and is older than allowed.
    pub rotation_due: Option<bool>,
}

/// What is known of a role only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFacts {
    /// When it was used last, milliseconds since the epoch.
    pub used_ms: Option<i64>,
    /// In which Region.
    pub used_region: Option<Box<str>>,
    /// Who may take it.
    pub trust: Trust,
    /// Whether it belongs to a service of AWS's.
    pub is_service_linked: bool,
}

/// One identity, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What it is.
    pub kind: IdentityKind,
    /// Its name; of a key the user's.
    pub name: Box<str>,
    /// Its ARN; of a key the user's.
    pub arn: Box<str>,
    /// Its path, where it has one.
    pub path: Option<Box<str>>,
    /// When it was made, milliseconds since the epoch.
    pub created_ms: Option<i64>,
    /// Who answers for it, as its tags say.
    pub owner: Option<Box<str>>,
    /// What stands behind it.
    pub actor: ActorKind,
    /// Of root and users.
    pub sign_in: Option<SignIn>,
    /// Of keys.
    pub key: Option<KeyFacts>,
    /// Of roles.
    pub role: Option<RoleFacts>,
    /// What its policies allow; of a key what the user may do. `None`: root, whom no policy limits.
    pub breadth: Option<Breadth>,
    /// ARN of the policy that limits it.
    pub boundary: Option<Box<str>>,
    /// Whether that policy is narrower than over-broad; `None`: nobody knows.
    pub boundary_limits: Option<bool>,
    /// Whether it is used.
    pub usage: Usage,
    /// Services that it may use and did; `None`: nobody asked.
    pub services: Option<ServiceUse>,
    /// How urgent it is.
    pub risk: Risk,
    /// Why, in words.
    pub risk_reasons: Vec<&'static str>,
}

impl Identity {
    /// Whether it may do too much; `None`: nobody knows.
    #[must_use]
    pub fn is_over_broad(&self) -> Option<bool> {
        self.breadth.map_or(Some(true), Breadth::is_over_broad)
    }
}

/// Gathers the identities of one account.
#[derive(Debug)]
pub struct Inventory<'t> {
    account: &'t str,
    now_ms: i64,
    terms: &'t Terms,
    /// By name.
    credentials: HashMap<Box<str>, Credentials>,
    /// Customer managed policies by ARN.
    policies: HashMap<Box<str>, Breadth>,
    /// Groups by name: ARNs that are attached, and the breadth of what is inline.
    groups: HashMap<Box<str>, (Vec<Box<str>>, Breadth)>,
    identities: Vec<Identity>,
}

impl<'t> Inventory<'t> {
    /// Nobody yet, but who is in the report: root is only there.
    #[must_use]
    pub fn new(account: &'t str, report: Vec<Credentials>, now_ms: i64, terms: &'t Terms) -> Self {
        let mut inventory = Self {
            account,
            now_ms,
            terms,
            credentials: HashMap::with_capacity(report.len()),
            policies: HashMap::new(),
            groups: HashMap::new(),
            identities: Vec::new(),
        };
        for row in report {
            if &*row.user == ROOT {
                inventory.root(&row);
            } else {
                inventory.credentials.insert(row.user.clone(), row);
            }
        }
        inventory
    }

    /// Takes in what IAM told; policies and groups come before users and roles.
    pub fn add(&mut self, detail: Detail) {
        match detail {
            Detail::Policy(policy) => {
                let breadth = policy::of_document(&policy.document, self.account);
                self.policies.insert(policy.arn, breadth);
            }
            Detail::Group(Group { name, attached, inline }) => {
                let inline = self.of_documents(&inline);
                self.groups.insert(name, (attached, inline));
            }
            Detail::Principal(principal) => self.principal(principal),
        }
    }

    /// Everybody.
    #[must_use]
    pub fn identities(self) -> Vec<Identity> {
        self.identities
    }

    fn of_documents(&self, documents: &[Box<str>]) -> Breadth {
        let mut breadth = Breadth::default();
        for document in documents {
            breadth |= policy::of_document(document, self.account);
        }
        breadth
    }

    /// A policy that is attached. One that was made after the policies were read is unknown.
    fn of_attached(&self, arn: &str) -> Breadth {
        policy::of_aws(arn).or_else(|| self.policies.get(arn).copied()).unwrap_or(Breadth::UNKNOWN)
    }

    fn principal(&mut self, principal: Principal) {
        let Principal { kind, name, arn, path, created_ms, attached, inline, boundary, tags } = principal;
        let mut breadth = self.of_documents(&inline);
        for policy in &attached {
            breadth |= self.of_attached(policy);
        }
        if let PrincipalKind::User { groups } = &kind {
            for group in groups {
                let Some((attached, inline)) = self.groups.get(group) else {
                    breadth |= Breadth::UNKNOWN;
                    continue;
                };
                breadth |= *inline;
                for policy in attached {
                    breadth |= self.of_attached(policy);
                }
            }
        }
        let boundary_limits = boundary.as_deref().and_then(|arn| self.of_attached(arn).is_over_broad()).map(|broad| !broad);
        let owner = self.terms.owner_tags.iter().find_map(|key| tags.iter().find(|(tag, _)| **tag == **key));
        let identity = Identity {
            kind: IdentityKind::Role,
            name,
            arn,
            path: Some(path).filter(|path| !path.is_empty()),
            created_ms,
            owner: owner.map(|(_, value)| value.clone()).filter(|value| !value.trim().is_empty()),
            actor: ActorKind::Unknown,
            sign_in: None,
            key: None,
            role: None,
            breadth: Some(breadth),
            boundary,
            boundary_limits,
            usage: Usage::default(),
            services: None,
            risk: Risk::None,
            risk_reasons: Vec::new(),
        };
        match kind {
            PrincipalKind::User { .. } => self.user(identity),
            PrincipalKind::Role { trust, used_ms, used_region } => self.role(identity, &trust, used_ms, used_region),
        }
    }

    fn role(&mut self, mut role: Identity, trust: &str, used_ms: Option<i64>, used_region: Option<Box<str>>) {
        let trust = trust::of_document(trust, self.account);
        let path = role.path.as_deref().unwrap_or_default();
        let is_service_linked = path.starts_with(SERVICE_LINKED);
        role.actor = if is_service_linked {
            ActorKind::AwsService
        } else if path.starts_with(PERMISSION_SET.0) && role.name.starts_with(PERMISSION_SET.1) {
            ActorKind::Human
        } else {
            trust.actor()
        };
        role.usage = usage::role(used_ms, role.created_ms, self.now_ms, self.terms.unused_days);
        role.role = Some(RoleFacts { used_ms, used_region, trust, is_service_linked });
        self.push(role);
    }

    fn user(&mut self, mut user: Identity) {
        user.kind = IdentityKind::User;
        let Some(row) = self.credentials.remove(&user.name) else {
            // Made after the report was: nothing is known of what it signs in with.
            user.sign_in = Some(SignIn::default());
            user.usage = usage::judge(&[usage::Use::Unknown], user.created_ms, self.now_ms, self.terms.unused_days);
            return self.push(user);
        };
        let sign_in = sign_in(&row);
        user.actor = match (sign_in.password, sign_in.has_key) {
            (Some(true), _) => ActorKind::Human,
            (Some(false), Some(true)) => ActorKind::Workload,
            _ => ActorKind::Unknown,
        };
        user.sign_in = Some(sign_in);
        user.usage = self.usage_of(&row, user.created_ms);
        for (slot, key) in (1..).zip(&row.keys).filter(|(_, key)| key.exists()) {
            self.key(&user, slot, key);
        }
        self.push(user);
    }

    fn root(&mut self, row: &Credentials) {
        let root = Identity {
            kind: IdentityKind::Root,
            name: "root".into(),
            arn: row.arn.clone(),
            path: None,
            created_ms: row.created_ms,
            owner: None,
            actor: ActorKind::Root,
            sign_in: Some(sign_in(row)),
            key: None,
            role: None,
            breadth: None,
            boundary: None,
            boundary_limits: None,
            usage: self.usage_of(row, row.created_ms),
            services: None,
            risk: Risk::None,
            risk_reasons: Vec::new(),
        };
        for (slot, key) in (1..).zip(&row.keys).filter(|(_, key)| key.exists()) {
            self.key(&root, slot, key);
        }
        self.push(root);
    }

    fn key(&mut self, of: &Identity, slot: u8, key: &AccessKey) {
        let used = usage::key(key);
        let age_ms = key.changed_ms.map(|changed_ms| self.now_ms.saturating_sub(changed_ms));
        let oldest_ms = i64::from(self.terms.key_max_age_days) * DAY_MS;
        let rotation_due = match key.active {
            Some(false) => Some(false),
            active => age_ms.map(|age_ms| age_ms > oldest_ms).filter(|due| active.is_some() || !due),
        };
        let facts = KeyFacts {
            slot,
            active: key.active,
            changed_ms: key.changed_ms,
            used_ms: if let usage::Use::At(ms) = used { Some(ms) } else { None },
            service: key.service.clone(),
            region: key.region.clone(),
            rotation_due,
        };
        let identity = Identity {
            kind: IdentityKind::AccessKey,
            created_ms: key.changed_ms,
            sign_in: None,
            key: Some(facts),
            usage: usage::judge(&[used], key.changed_ms, self.now_ms, self.terms.unused_days),
            risk: Risk::None,
            risk_reasons: Vec::new(),
            ..of.clone()
        };
        self.push(identity);
    }

    /// Whether one of its credentials is used. Of somebody who has none, as a user with SSH keys only, the report tells nothing.
    fn usage_of(&self, row: &Credentials, created_ms: Option<i64>) -> Usage {
        let mut uses = Vec::with_capacity(3);
        let password = usage::password(row.password_used, row.password_changed_ms, row.created_ms);
        // A use tells, even where the password is gone or the report does not say whether there is one.
        if row.password == Some(true) || matches!(password, usage::Use::At(_)) || &*row.user == ROOT {
            uses.push(password);
        }
        uses.extend(row.keys.iter().filter(|key| key.exists()).map(usage::key));
        if row.password.is_none() && &*row.user != ROOT {
            uses.push(usage::Use::Unknown);
        }
        let mut usage = usage::judge(&uses, created_ms, self.now_ms, self.terms.unused_days);
        if uses.is_empty() && usage.is_unused.is_none() {
            usage.reason = Some("noCredentials");
        }
        usage
    }

    fn push(&mut self, mut identity: Identity) {
        (identity.risk, identity.risk_reasons) = risk::of(&identity);
        self.identities.push(identity);
    }
}

fn sign_in(row: &Credentials) -> SignIn {
    let active = row.keys.iter().map(|key| key.active).try_fold(0_u8, |active, key| key.map(|key| active + u8::from(key)));
    let works = row.keys.iter().any(|key| key.active == Some(true));
    SignIn {
        password: row.password,
        used_ms: if let LastUse::At(ms) = row.password_used { Some(ms) } else { None },
        changed_ms: row.password_changed_ms,
        mfa: row.mfa,
        active_keys: active,
        has_key: if works { Some(true) } else { active.map(|_| false) },
    }
}
