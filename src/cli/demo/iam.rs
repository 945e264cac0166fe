//! IAM as the demo's accounts have it: some people, roles and keys, good and bad.
//!
//! In: an account, and the demo's clock. Out: its credential report and authorization details. What always holds: ages are counted
//! from the clock, so that whoever is unused stays unused; no name is a person's.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::clock::Clock;
use crate::record::identity::{AccessKey, Credentials, Detail, Group, LastUse, Principal, PrincipalKind, ROOT, ServiceUse};
use crate::record::time::DAY_MS;
use crate::source::iam::{Each, IamApi, IamError, Which};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const OF_LAMBDA: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const OF_ANYBODY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
const OF_PARTNER: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"sts:AssumeRole"}]}"#;
const PASSES_ROLES: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:PassRole","lambda:CreateFunction","lambda:InvokeFunction"],"Resource":"*"}]}"#;
const READS_A_BUCKET: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/*"}]}"#;

/// A user.
struct User {
    name: &'static str,
    owner: &'static str,
    group: Option<&'static str>,
    /// Days since the last sign-in; `None`: no password.
    signed_in: Option<i64>,
    mfa: bool,
    /// Age of the key and days since its last use; `None`: no key.
    key: Option<(i64, i64)>,
}

#[rustfmt::skip]
const USERS: [User; 5] = [
    User { name: "alice", owner: "platform", group: Some("administrators"), signed_in: Some(1), mfa: true, key: None },
    User { name: "bob", owner: "data", group: Some("readers"), signed_in: Some(160), mfa: false, key: Some((410, 200)) },
    User { name: "carol", owner: "platform", group: Some("administrators"), signed_in: Some(12), mfa: false, key: Some((75, 2)) },
    User { name: "deploy", owner: "delivery", group: None, signed_in: None, mfa: false, key: Some((230, 0)) },
    User { name: "backup", owner: "data", group: Some("readers"), signed_in: None, mfa: false, key: Some((45, 1)) },
];

/// A role.
struct Role {
    name: &'static str,
    owner: &'static str,
    trust: &'static str,
    attached: Option<&'static str>,
    inline: Option<&'static str>,
    /// Days since the last use; `None`: never.
    used: Option<i64>,
}

#[rustfmt::skip]
const ROLES: [Role; 5] = [
    Role { name: "orders-function", owner: "shop", trust: OF_LAMBDA, attached: None, inline: Some(READS_A_BUCKET), used: Some(0) },
    Role { name: "report-builder", owner: "data", trust: OF_LAMBDA, attached: None, inline: Some(PASSES_ROLES), used: Some(3) },
    Role { name: "partner-read", owner: "platform", trust: OF_PARTNER, attached: Some(READ_ONLY), inline: None, used: Some(20) },
    Role { name: "old-migration", owner: "platform", trust: OF_LAMBDA, attached: Some(ADMINISTRATOR), inline: None, used: Some(190) },
    Role { name: "open-to-all", owner: "sandbox", trust: OF_ANYBODY, attached: None, inline: Some(READS_A_BUCKET), used: None },
];

/// The account in which root has no MFA and everybody may take a role.
const CARELESS: &str = "777788889999";

/// A key that is not there, as a credential report tells it.
fn no_key() -> AccessKey {
    AccessKey { active: Some(false), used: LastUse::NotApplicable, ..AccessKey::default() }
}

/// IAM of all accounts.
#[derive(Debug)]
pub(super) struct Iam(pub(super) Clock);

impl Iam {
    fn ago(&self, days: i64) -> i64 {
        self.0.now_ms() - days * DAY_MS
    }

    fn root(&self, account: &str) -> Credentials {
        let is_careless = account == CARELESS;
        Credentials {
            user: ROOT.into(),
            arn: format!("arn:aws:iam::{account}:root").into(),
            created_ms: Some(self.ago(900)),
            password: Some(true),
            password_used: LastUse::At(self.ago(if is_careless { 4 } else { 300 })),
            password_changed_ms: None,
            mfa: Some(!is_careless),
            keys: [no_key(), no_key()],
        }
    }

    fn credentials(&self, account: &str, user: &User) -> Credentials {
        let key = user.key.map_or_else(no_key, |(age, used)| AccessKey {
            active: Some(true),
            changed_ms: Some(self.ago(age)),
            used: LastUse::At(self.ago(used)),
            service: Some("s3".into()),
            region: Some("us-east-1".into()),
        });
        Credentials {
            user: user.name.into(),
            arn: arn(account, "user", user.name),
            created_ms: Some(self.ago(500)),
            password: Some(user.signed_in.is_some()),
            password_used: user.signed_in.map_or(LastUse::NotApplicable, |days| LastUse::At(self.ago(days))),
            password_changed_ms: user.signed_in.map(|_| self.ago(400)),
            mfa: Some(user.mfa),
            keys: [key, no_key()],
        }
    }

    fn user(&self, account: &str, user: &User) -> Detail {
        let groups = user.group.into_iter().map(Into::into).collect();
        let inline = if user.group.is_none() { vec![PASSES_ROLES.into()] } else { Vec::new() };
        self.principal(account, (user.name, user.owner, "user"), PrincipalKind::User { groups }, Vec::new(), inline)
    }

    fn role(&self, account: &str, role: &Role) -> Detail {
        let kind = PrincipalKind::Role {
            trust: role.trust.into(),
            used_ms: role.used.map(|days| self.ago(days)),
            used_region: role.used.map(|_| "us-east-1".into()),
        };
        let attached = role.attached.into_iter().map(Into::into).collect();
        self.principal(
            account,
            (role.name, role.owner, "role"),
            kind,
            attached,
            role.inline.into_iter().map(Into::into).collect(),
        )
    }

    fn principal(
        &self,
        account: &str,
        (name, owner, what): (&str, &str, &str),
        kind: PrincipalKind,
        attached: Vec<Box<str>>,
        inline: Vec<Box<str>>,
    ) -> Detail {
        Detail::Principal(Principal {
            kind,
            name: name.into(),
            arn: arn(account, what, name),
            path: "/".into(),
            created_ms: Some(self.ago(500)),
            attached,
            inline,
            boundary: None,
            tags: vec![("owner".into(), owner.into())],
        })
    }
}

fn arn(account: &str, what: &str, name: &str) -> Box<str> {
    format!("arn:aws:iam::{account}:{what}/{name}").into()
}

fn group(name: &str, policy: &str) -> Detail {
    Detail::Group(Group { name: name.into(), attached: vec![policy.into()], inline: Vec::new() })
}

impl IamApi for Iam {
    fn report<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Vec<Credentials>, IamError>> {
        let users = USERS.iter().map(|user| self.credentials(account, user));
        std::future::ready(Ok(std::iter::once(self.root(account)).chain(users).collect())).boxed()
    }

    fn details<'a>(&'a self, account: &'a str, which: Which, each: Each<'a, Detail>) -> BoxFuture<'a, Result<(), IamError>> {
        each(match which {
            Which::Policies => vec![group("administrators", ADMINISTRATOR), group("readers", READ_ONLY)],
            Which::Principals => {
                let roles = ROLES.iter().filter(|role| role.trust != OF_ANYBODY || account == CARELESS);
                let users = USERS.iter().map(|user| self.user(account, user));
                users.chain(roles.map(|role| self.role(account, role))).collect()
            }
        });
        std::future::ready(Ok(())).boxed()
    }

    fn services<'a>(&'a self, _: &'a str, arn: &'a str) -> BoxFuture<'a, Result<ServiceUse, IamError>> {
        // Whoever may do everything uses little of it.
        let granted =
            if arn.ends_with("/alice") || arn.ends_with("/carol") || arn.ends_with("/old-migration") { 390 } else { 12 };
        std::future::ready(Ok(ServiceUse { granted, used: granted.min(9) })).boxed()
    }

    fn calls(&self) -> u64 {
        0
    }
}
