//! The identities of an account → items for the Event API.
//!
//! In: an identity that was judged, its account's names. Out: one `AwsIdentityPosture`. What always holds: rows of one run share
//! `timestamp` and `snapshot.id`; a yes or no that nobody knows is `unknown`, a time or number that nobody knows is absent; no
//! access key id is in a row, as none is read.

use super::dictionary::IDENTITY_POSTURE;
use super::event::{self, VERSION};
use super::posture::Snapshot;
use super::writer::EventWriter;
use crate::classify::AccountName;
use crate::posture::{Breadth, Identity, KeyFacts, RoleFacts, SignIn, TrustKind};
use crate::record::time::DAY_MS;

/// One identity.
#[derive(Debug, Clone, Copy)]
pub struct IdentityRow<'a> {
    /// Its account's names.
    pub account: AccountName<'a>,
    /// Itself.
    pub identity: &'a Identity,
}

/// Writes the `AwsIdentityPosture`. Returns the number of values cut.
pub fn push_identity(out: &mut Vec<u8>, row: &IdentityRow<'_>, snapshot: Snapshot<'_>) -> u64 {
    let identity = row.identity;
    let days = |since_ms: i64| snapshot.now_ms.saturating_sub(since_ms).max(0) / DAY_MS;
    let mut event = snapshot.begin(out, IDENTITY_POSTURE);
    match &identity.key {
        Some(key) => event.text("identity.id", &format!("{}/accessKey/{}", identity.arn, key.slot)),
        None => event.text("identity.id", &identity.arn),
    }
    event.text("identity.kind", identity.kind.as_str());
    event.text("identity.name", &identity.name);
    event.text("identity.arn", &identity.arn);
    event.maybe("identity.path", identity.path.as_deref());
    event.maybe("identity.owner", identity.owner.as_deref());
    if let Some(created_ms) = identity.created_ms {
        event.number("identity.createdAt", created_ms);
        event.number("identity.ageDays", days(created_ms));
    }
    event.text("actor.kind", identity.actor.as_str());
    if let Some(sign_in) = &identity.sign_in {
        push_sign_in(&mut event, sign_in, days);
    }
    if let Some(key) = &identity.key {
        push_key(&mut event, key, days);
    }
    if let Some(role) = &identity.role {
        push_role(&mut event, role);
    }
    known(&mut event, "identity.overBroad", identity.is_over_broad());
    let reasons = identity.breadth.map_or_else(|| vec!["root"], Breadth::words);
    list(&mut event, "identity.overBroadReasons", reasons.into_iter());
    if let Some(boundary) = &identity.boundary {
        event.text("identity.boundary", boundary);
        known(&mut event, "identity.boundaryLimits", identity.boundary_limits);
    }
    known(&mut event, "identity.unused", identity.usage.is_unused);
    event.maybe("identity.unusedReason", identity.usage.reason);
    maybe_number(&mut event, "identity.lastUsed", identity.usage.last_ms);
    maybe_number(&mut event, "identity.idleDays", identity.usage.idle_days);
    if let Some(services) = identity.services {
        event.number("identity.grantedServices", event::whole(services.granted));
        event.number("identity.usedServices", event::whole(services.used));
        if let Some(hundredths) = services.used.saturating_mul(10_000).checked_div(services.granted) {
            event.hundredths("identity.usedServicesPercent", event::whole(hundredths));
        }
    }
    event.text("identity.risk", identity.risk.as_str());
    list(&mut event, "identity.riskReasons", identity.risk_reasons.iter().copied());
    event::names(&mut event, &row.account);
    event.text("aws.partition", partition(&identity.arn));
    event.text("relay.version", VERSION);
    event.end()
}

fn push_sign_in(event: &mut EventWriter<'_>, sign_in: &SignIn, days: impl Fn(i64) -> i64) {
    known(event, "identity.passwordEnabled", sign_in.password);
    maybe_number(event, "identity.passwordLastUsed", sign_in.used_ms);
    maybe_number(event, "identity.passwordAgeDays", sign_in.changed_ms.map(days));
    known(event, "identity.mfaActive", sign_in.mfa);
    maybe_number(event, "identity.activeKeys", sign_in.active_keys.map(i64::from));
}

fn push_key(event: &mut EventWriter<'_>, key: &KeyFacts, days: impl Fn(i64) -> i64) {
    event.number("identity.keySlot", i64::from(key.slot));
    known(event, "identity.keyActive", key.active);
    maybe_number(event, "identity.keyAgeDays", key.changed_ms.map(days));
    maybe_number(event, "identity.keyLastUsed", key.used_ms);
    event.maybe("identity.keyLastUsedService", key.service.as_deref());
    event.maybe("identity.keyLastUsedRegion", key.region.as_deref());
    known(event, "identity.keyRotationDue", key.rotation_due);
}

fn push_role(event: &mut EventWriter<'_>, role: &RoleFacts) {
    maybe_number(event, "identity.roleLastUsed", role.used_ms);
    event.maybe("identity.roleLastUsedRegion", role.used_region.as_deref());
    event.flag("identity.isServiceLinked", role.is_service_linked);
    let trust = &role.trust;
    event.text("identity.trust", trust.kinds.first().map_or("nobody", |kind| kind.as_str()));
    list(event, "identity.trusts", trust.kinds.iter().copied().map(TrustKind::as_str));
    list(event, "identity.trustedAccounts", trust.accounts.iter().map(|account| &**account));
}

/// A yes or no that somebody may not know.
fn known(event: &mut EventWriter<'_>, name: &'static str, value: Option<bool>) {
    match value {
        Some(value) => event.flag(name, value),
        None => event.text(name, "unknown"),
    }
}

fn maybe_number(event: &mut EventWriter<'_>, name: &'static str, value: Option<i64>) {
    if let Some(value) = value {
        event.number(name, value);
    }
}

/// `|a|b|`; nothing where there is nothing.
fn list<'a>(event: &mut EventWriter<'_>, name: &'static str, items: impl Iterator<Item = &'a str>) {
    let mut text = String::new();
    for item in items {
        text.push('|');
        text.push_str(item);
    }
    if !text.is_empty() {
        text.push('|');
        event.text(name, &text);
    }
}

fn partition(arn: &str) -> &str {
    arn.strip_prefix("arn:").and_then(|rest| rest.split(':').next()).filter(|word| !word.is_empty()).unwrap_or("unknown")
}
