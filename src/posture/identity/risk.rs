//! How urgent an identity is, and why.
//!
//! In: an identity, judged. Out: the highest level of all reasons that hold, and the reasons. What always holds: what is unknown is
//! no reason; a role that belongs to a service of AWS's, which nobody can change, has none but who may take it.
//!
//! | reason | of | level | holds when |
//! | --- | --- | --- | --- |
//! | `rootWithoutMfa` | root | critical | it can sign in or has a key, and has no MFA device |
//! | `rootAccessKey` | root, its key | critical | a key of root works |
//! | `trustsAnyone` | role | critical | every AWS account may take it, without a condition |
//! | `unusedOverBroad` | user, role | critical | it is unused and over-broad |
//! | `overBroadWithoutMfa` | user | critical | it is over-broad, has a password and no MFA device |
//! | `overBroad` | user, role | high | it is over-broad, and neither a condition nor a boundary limits that |
//! | `unused` | user, role | high | it is unused (S2-35) |
//! | `consoleWithoutMfa` | user | high | it has a password and no MFA device |
//! | `oidcWithoutCondition` | role | high | it trusts an OIDC provider whomever that speaks for |
//! | `unusedKey` | key | high | it works and is unused |
//! | `keyOfOverBroad` | key | high | it works, and its user is over-broad |
//! | `overBroadLimited` | user, role | medium | it is over-broad under a condition or within a narrower boundary |
//! | `trustsAnyoneUnderCondition` | role | medium | every AWS account may take it that meets a condition |
//! | `keyTooOld` | key | medium | it works and is older than allowed |
//! | `rootUsed` | root | medium | it was used within the days of `unusedDays` |
//! | `trustsOtherAccount` | role | low | another account may take it |
//! | `trustsUnknown` | role | low | it trusts somebody who was deleted, or in a form that is not known |
//! | `keyAndPassword` | user | low | it has a password and a key that works |
//! | `noCredentials` | user | low | it has neither password nor key |
//! | `inactiveKey` | key | low | it is there and does not work |

use super::{Breadth, Identity, IdentityKind, TrustKind};

/// A level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// No reason holds.
    #[default]
    None,
    /// To be tidied up.
    Low,
    /// To be planned.
    Medium,
    /// To be mended soon.
    High,
    /// To be mended now.
    Critical,
}

impl Risk {
    /// The word in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

type Holds = fn(&Identity) -> bool;

/// The table above: word, level, whether it holds.
const REASONS: [(&str, Risk, Holds); 20] = [
    ("rootWithoutMfa", Risk::Critical, root_without_mfa),
    ("rootAccessKey", Risk::Critical, root_access_key),
    ("trustsAnyone", Risk::Critical, |it| trusts(it, TrustKind::Anyone)),
    ("unusedOverBroad", Risk::Critical, |it| is_unused(it) && is_over_broad(it)),
    ("overBroadWithoutMfa", Risk::Critical, |it| console_without_mfa(it) && is_over_broad(it)),
    ("overBroad", Risk::High, is_over_broad),
    ("unused", Risk::High, is_unused),
    ("consoleWithoutMfa", Risk::High, console_without_mfa),
    ("oidcWithoutCondition", Risk::High, |it| it.role.as_ref().is_some_and(|role| role.trust.oidc_without_condition)),
    ("unusedKey", Risk::High, |it| is_active_key(it) && it.usage.is_unused == Some(true)),
    ("keyOfOverBroad", Risk::High, |it| is_active_key(it) && it.breadth.is_some() && grants_too_much(it)),
    ("overBroadLimited", Risk::Medium, over_broad_limited),
    ("trustsAnyoneUnderCondition", Risk::Medium, |it| trusts(it, TrustKind::AnyoneUnderCondition)),
    ("keyTooOld", Risk::Medium, |it| it.key.as_ref().is_some_and(|key| key.rotation_due == Some(true))),
    ("rootUsed", Risk::Medium, |it| it.kind == IdentityKind::Root && was_used(it)),
    ("trustsOtherAccount", Risk::Low, |it| trusts(it, TrustKind::OtherAccount)),
    ("trustsUnknown", Risk::Low, |it| trusts(it, TrustKind::Unknown)),
    ("keyAndPassword", Risk::Low, key_and_password),
    ("noCredentials", Risk::Low, |it| it.kind == IdentityKind::User && it.usage.reason == Some("noCredentials")),
    ("inactiveKey", Risk::Low, |it| it.key.as_ref().is_some_and(|key| key.active == Some(false))),
];

/// The level of an identity and its reasons, in the order of the table.
pub(super) fn of(identity: &Identity) -> (Risk, Vec<&'static str>) {
    let holding = REASONS.iter().filter(|(_, _, holds)| holds(identity));
    holding.fold((Risk::None, Vec::new()), |(risk, mut words), (word, level, _)| {
        words.push(*word);
        (risk.max(*level), words)
    })
}

/// A user, or a role that is the customer's to change.
fn is_ours(it: &Identity) -> bool {
    match it.kind {
        IdentityKind::User => true,
        IdentityKind::Role => !it.role.as_ref().is_some_and(|role| role.is_service_linked),
        IdentityKind::Root | IdentityKind::AccessKey => false,
    }
}

/// Over-broad, and nothing known limits it.
fn grants_too_much(it: &Identity) -> bool {
    it.is_over_broad() == Some(true) && !is_limited(it)
}

fn is_limited(it: &Identity) -> bool {
    it.boundary_limits == Some(true) || it.breadth.is_some_and(Breadth::is_only_conditional)
}

fn is_over_broad(it: &Identity) -> bool {
    is_ours(it) && grants_too_much(it)
}

fn over_broad_limited(it: &Identity) -> bool {
    is_ours(it) && it.is_over_broad() == Some(true) && is_limited(it)
}

fn is_unused(it: &Identity) -> bool {
    is_ours(it) && it.usage.is_unused == Some(true)
}

fn was_used(it: &Identity) -> bool {
    it.usage.last_ms.is_some() && it.usage.is_unused == Some(false)
}

fn console_without_mfa(it: &Identity) -> bool {
    it.kind == IdentityKind::User
        && it.sign_in.is_some_and(|sign_in| sign_in.password == Some(true) && sign_in.mfa == Some(false))
}

fn root_without_mfa(it: &Identity) -> bool {
    // A member account's root may have neither password nor key, and then needs no MFA.
    it.kind == IdentityKind::Root
        && it.sign_in.is_some_and(|sign_in| {
            sign_in.mfa == Some(false) && (sign_in.password != Some(false) || sign_in.has_key == Some(true))
        })
}

fn root_access_key(it: &Identity) -> bool {
    let is_key_of_root = it.breadth.is_none() && is_active_key(it);
    is_key_of_root || it.kind == IdentityKind::Root && it.sign_in.is_some_and(|sign_in| sign_in.has_key == Some(true))
}

fn is_active_key(it: &Identity) -> bool {
    it.key.as_ref().is_some_and(|key| key.active == Some(true))
}

fn key_and_password(it: &Identity) -> bool {
    it.kind == IdentityKind::User
        && it.sign_in.is_some_and(|sign_in| sign_in.password == Some(true) && sign_in.has_key == Some(true))
}

fn trusts(it: &Identity, kind: TrustKind) -> bool {
    it.role.as_ref().is_some_and(|role| role.trust.kinds.contains(&kind))
}
