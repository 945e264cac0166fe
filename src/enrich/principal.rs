//! Who did it: `userIdentity` as an [`Actor`].
//!
//! In: a record. Out: one actor, whatever is missing. `actor.kind` is decided by the rules of [`super::kind`]. The name a
//! dashboard shows: `root` for the root user; the user name of an IAM user; `<role>/<session>` of an assumed role; the service of
//! an AWS service; the user id of an Identity Center user; else the ARN, the user name, the principal id, the calling service;
//! never empty, at last `unknown`. Masked names (`HIDDEN_DUE_TO_SECURITY_REASONS`) stay as AWS wrote them. Never fails: a field
//! of another shape than documented counts as absent.

use std::borrow::Cow;

use super::fields;
use super::kind;
use crate::record::{Actor, ActorKind, Trail};

/// What is read of `userIdentity`; fields of the `CloudTrail` userIdentity page.
#[derive(Debug, Default)]
#[expect(clippy::struct_field_names, reason = "the names are AWS's")]
pub(super) struct Identity<'a> {
    pub(super) type_: Option<Cow<'a, str>>,
    pub(super) principal_id: Option<Cow<'a, str>>,
    pub(super) arn: Option<Cow<'a, str>>,
    pub(super) account_id: Option<Cow<'a, str>>,
    pub(super) access_key_id: Option<Cow<'a, str>>,
    pub(super) user_name: Option<Cow<'a, str>>,
    pub(super) invoked_by: Option<Cow<'a, str>>,
    /// Of an `AssumeRoleWith…` call itself, else of the session's web identity.
    pub(super) provider: Option<Cow<'a, str>>,
    pub(super) on_behalf_of: Option<Cow<'a, str>>,
    pub(super) issuer_arn: Option<Cow<'a, str>>,
    pub(super) issuer_name: Option<Cow<'a, str>>,
    pub(super) source_identity: Option<Cow<'a, str>>,
    pub(super) mfa: Option<Cow<'a, str>>,
    pub(super) ec2_role_delivery: Option<Cow<'a, str>>,
}

/// Paths in `userIdentity`, in the order of the `match` in [`Identity::read`].
const PATHS: [&[&str]; 15] = [
    &["type"],
    &["principalId"],
    &["arn"],
    &["accountId"],
    &["accessKeyId"],
    &["userName"],
    &["invokedBy"],
    &["identityProvider"],
    &["sessionContext", "webIdFederationData", "federatedProvider"],
    &["onBehalfOf", "userId"],
    &["sessionContext", "sessionIssuer", "arn"],
    &["sessionContext", "sessionIssuer", "userName"],
    &["sessionContext", "sourceIdentity"],
    &["sessionContext", "attributes", "mfaAuthenticated"],
    &["sessionContext", "ec2RoleDelivery"],
];

impl<'a> Identity<'a> {
    pub(super) fn read(trail: &Trail<'a>) -> Self {
        let mut identity = Self::default();
        let Some(raw) = trail.user_identity else {
            return identity;
        };
        fields::read(raw, &PATHS, |path, value| {
            let field = match path {
                0 => &mut identity.type_,
                1 => &mut identity.principal_id,
                2 => &mut identity.arn,
                3 => &mut identity.account_id,
                4 => &mut identity.access_key_id,
                5 => &mut identity.user_name,
                6 => &mut identity.invoked_by,
                7 | 8 => &mut identity.provider,
                9 => &mut identity.on_behalf_of,
                10 => &mut identity.issuer_arn,
                11 => &mut identity.issuer_name,
                12 => &mut identity.source_identity,
                13 => &mut identity.mfa,
                _ => &mut identity.ec2_role_delivery,
            };
            // AWS writes "" for what it does not know; of several values the first counts.
            if field.is_none() && !value.is_empty() {
                *field = Some(value);
            }
        });
        identity
    }

    /// `<role>/<session>` as the caller's ARN has it.
    fn role_and_session(&self) -> Option<&str> {
        let (_, tail) = self.arn.as_deref()?.split_once(":assumed-role/")?;
        tail.contains('/').then_some(tail)
    }

    /// Name of the assumed role.
    pub(super) fn role(&self) -> Option<&str> {
        let of_arn = || self.role_and_session().and_then(|tail| tail.split('/').next());
        self.issuer_name.as_deref().or_else(of_arn)
    }

    /// Name of the role session: what follows the role in the ARN, or the colon in the principal id.
    pub(super) fn session(&self) -> Option<&str> {
        let of_principal = || self.principal_id.as_deref().and_then(|id| id.split_once(':')).map(|(_, session)| session);
        self.role_and_session().and_then(|tail| tail.split_once('/')).map(|(_, session)| session).or_else(of_principal)
    }

    fn name(&self) -> Cow<'a, str> {
        let by_type = match self.type_.as_deref() {
            Some("Root") => Some(Cow::Borrowed("root")),
            Some("IAMUser") => self.user_name.clone(),
            Some("AssumedRole" | "Role") => self.role_name(),
            Some("AWSService") => self.invoked_by.clone(),
            Some("IdentityCenterUser") => self.on_behalf_of.clone(),
            _ => None,
        };
        by_type
            .or_else(|| self.arn.clone())
            .or_else(|| self.user_name.clone())
            .or_else(|| self.principal_id.clone())
            .or_else(|| self.invoked_by.clone())
            .unwrap_or(Cow::Borrowed("unknown"))
    }

    fn role_name(&self) -> Option<Cow<'a, str>> {
        if let Some(tail) = self.role_and_session() {
            return Some(match &self.arn {
                Some(Cow::Borrowed(arn)) => Cow::Borrowed(arn.split_once(":assumed-role/").map_or(*arn, |(_, tail)| tail)),
                _ => Cow::Owned(tail.to_owned()),
            });
        }
        match (self.role(), self.session()) {
            (Some(role), Some(session)) => Some(Cow::Owned(format!("{role}/{session}"))),
            _ => None,
        }
    }
}

/// The actor of a record, and the name of the rule that decided its kind.
pub(super) fn actor<'a>(trail: &Trail<'a>) -> (Actor<'a>, Option<&'static str>) {
    let identity = Identity::read(trail);
    let evidence = kind::Evidence {
        identity: &identity,
        session: identity.session().unwrap_or_default(),
        role: identity.role().unwrap_or_default(),
        user_agent: trail.user_agent.or_empty().trim_start_matches('['),
        event_source: trail.event_source.or_empty(),
        event_name: trail.event_name.or_empty(),
        event_type: trail.event_type.or_empty(),
        from_console: trail.session_credential_from_console.is_some_and(|text| text.get() == "\"true\""),
    };
    let rule = kind::decide(&evidence);
    let actor = Actor {
        kind: rule.map_or(ActorKind::Unknown, |rule| rule.kind),
        name: identity.name(),
        mfa: mfa(trail, &identity),
        identity_type: identity.type_.unwrap_or(Cow::Borrowed("None")),
        arn: identity.arn,
        account_id: identity.account_id,
        session_issuer: identity.issuer_arn,
        source_identity: identity.source_identity,
    };
    (actor, rule.map(|rule| rule.name))
}

/// Whether the session or sign-in used MFA: of a sign-in `additionalEventData.MFAUsed`, else the session's own word.
fn mfa(trail: &Trail<'_>, identity: &Identity<'_>) -> Option<bool> {
    let mut used = None;
    if let Some(raw) = trail.additional_event_data.filter(|_| trail.event_source.get() == Some("signin.amazonaws.com")) {
        fields::read(raw, &[["MFAUsed"]], |_, answer| used = used.or(yes_or_no(&answer)));
    }
    used.or_else(|| identity.mfa.as_deref().and_then(yes_or_no))
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "Yes" | "true" => Some(true),
        "No" | "false" => Some(false),
        _ => None,
    }
}
