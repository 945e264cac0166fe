//! Whose habits a record belongs to: the user or role, whatever its sessions are called.
//!
//! In: `userIdentity` as raw JSON. Out: the texts that name the principal, borrowed as they are written. What always holds: the
//! session name, which callers choose, is no part of it; nothing is allocated; reading ends where the principal is known, which
//! is behind the second member in what AWS writes. What a dashboard calls the actor is for `enrich` to say.

use super::Trail;
use super::json;

/// Whom AWS does not name.
const HIDDEN: &[u8] = b"HIDDEN_DUE_TO_SECURITY_REASONS";

/// What begins the unique id of a role, which a session's name follows behind a colon.
const ROLE_ID: &[u8] = b"AROA";

/// What names a principal within the account of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal<'a> {
    /// The unique id of the user or role, of an AWS service its name, else the first of ARN and user name that is there.
    pub id: &'a [u8],
    /// The user's name, where the id is only that of the account.
    pub name: &'a [u8],
}

impl Trail<'_> {
    /// Who did it; `None`: the record does not name anybody.
    #[must_use]
    pub fn principal(&self) -> Option<Principal<'_>> {
        let raw = self.user_identity?.get().as_bytes();
        at_once(raw).or_else(|| Identity::read(raw).principal())
    }
}

/// How nearly every record begins, as AWS writes it.
const BEGINNINGS: [&[u8]; 2] = [br#"{"type":"AssumedRole","principalId":""#, br#"{"type":"IAMUser","principalId":""#];

/// The same as by reading the members, where these two come first: half of the time that a record costs.
fn at_once(raw: &[u8]) -> Option<Principal<'_>> {
    let rest = BEGINNINGS.iter().find_map(|beginning| raw.strip_prefix(*beginning))?;
    let (end, _) = json::string_end(rest, 0)?;
    let id = without_session(rest.get(..end)?);
    (!id.is_empty() && id != HIDDEN).then_some(Principal { id, name: b"" })
}

/// The members of `userIdentity` that are asked for, without their quotes; empty: absent.
#[derive(Debug, Default)]
struct Identity<'a> {
    type_: &'a [u8],
    principal_id: &'a [u8],
    arn: &'a [u8],
    user_name: &'a [u8],
    invoked_by: &'a [u8],
    /// Of an Identity Center user.
    user_id: &'a [u8],
}

impl<'a> Identity<'a> {
    fn read(raw: &'a [u8]) -> Self {
        let mut identity = Self::default();
        // A text that breaks off has the members found until then.
        members(raw, |name, value| {
            let field = match name {
                b"type" => &mut identity.type_,
                b"principalId" => &mut identity.principal_id,
                b"arn" => &mut identity.arn,
                b"userName" => &mut identity.user_name,
                b"invokedBy" => &mut identity.invoked_by,
                b"onBehalfOf" => {
                    members(value, |name, value| {
                        if name == b"userId" {
                            identity.user_id = inside(value);
                        }
                        false
                    });
                    return false;
                }
                _ => return false,
            };
            // Of several values the first counts, as everywhere.
            if field.is_empty() {
                *field = inside(value);
            }
            identity.is_known()
        });
        identity
    }

    /// Whether what else there is changes nothing.
    fn is_known(&self) -> bool {
        !self.principal_id.is_empty() && matches!(self.type_, b"AssumedRole" | b"IAMUser" | b"Root" | b"AWSAccount")
    }

    fn principal(&self) -> Option<Principal<'a>> {
        let first = |choices: [&'a [u8]; 5]| choices.into_iter().find(|text| !text.is_empty() && *text != HIDDEN);
        let role_or_user = without_session(self.principal_id);
        let arn = role_of(self.arn);
        let (id, name): (_, &[u8]) = match self.type_ {
            b"AWSService" => (first([self.invoked_by, role_or_user, arn, self.user_name, b""]), b""),
            // Its principal id, where it has one, is that of the account.
            b"IdentityCenterUser" => (first([self.user_id, self.user_name, role_or_user, arn, b""]), b""),
            b"Unknown" => (first([role_or_user, arn, self.user_name, self.user_id, self.invoked_by]), self.user_name),
            _ => (first([role_or_user, arn, self.user_name, self.user_id, self.invoked_by]), b""),
        };
        id.filter(|_| name != HIDDEN).map(|id| Principal { id, name })
    }
}

/// `AROA…` of `AROA…:session`; any other id as it is.
fn without_session(id: &[u8]) -> &[u8] {
    if !id.starts_with(ROLE_ID) {
        return id;
    }
    memchr::memchr(b':', id).and_then(|colon| id.get(..colon)).unwrap_or(id)
}

/// An assumed role's ARN without the session.
fn role_of(arn: &[u8]) -> &[u8] {
    if memchr::memmem::find(arn, b":assumed-role/").is_none() {
        return arn;
    }
    memchr::memrchr(b'/', arn).and_then(|slash| arn.get(..slash)).unwrap_or(arn)
}

/// What stands between the quotes of a text; empty for any other value.
fn inside(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or_default()
}

/// Calls `take(name, value)` for the members of an object, as written, until it says that it has enough.
fn members<'a>(object: &'a [u8], mut take: impl FnMut(&'a [u8], &'a [u8]) -> bool) -> Option<()> {
    let mut at = json::skip_space(object, 0);
    if *object.get(at)? != b'{' {
        return None;
    }
    at += 1;
    loop {
        at = json::skip_space(object, at);
        match object.get(at)? {
            b',' => {
                at += 1;
                continue;
            }
            b'"' => {}
            _ => return None,
        }
        let (end, _) = json::string_end(object, at + 1)?;
        let name = object.get(at + 1..end)?;
        at = json::skip_space(object, end + 1);
        if *object.get(at)? != b':' {
            return None;
        }
        at = json::skip_space(object, at + 1);
        let end = json::skip_value(object, at)?;
        if take(name, object.get(at..end)?) {
            return Some(());
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Id and name of the principal of this `userIdentity`.
    fn of(identity: &str) -> Option<(String, String)> {
        let raw = format!(r#"{{"eventTime":"2026-01-01T00:00:00Z","eventID":"1","userIdentity":{identity}}}"#);
        let trail = Trail::parse(raw.as_bytes()).expect(identity);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        trail.principal().map(|principal| (text(principal.id), text(principal.name)))
    }

    #[test]
    fn a_principal_is_the_user_or_role_and_not_the_session() {
        for (case, identity, want) in [
            ("role", r#"{"type":"AssumedRole","principalId":"AROA1:ada","arn":"arn:aws:sts::1:assumed-role/Ops/ada"}"#, "AROA1"),
            (
                "session",
                r#"{"type":"AssumedRole","principalId":"AROA1:bob","arn":"arn:aws:sts::1:assumed-role/Ops/bob"}"#,
                "AROA1",
            ),
            (
                "issuer first",
                r#"{"sessionContext":{"sessionIssuer":{"principalId":"AIDA9"}},"principalId":"AROA1:b","type":"AssumedRole"}"#,
                "AROA1",
            ),
            (
                "no id",
                r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/p/Ops/ada"}"#,
                "arn:aws:sts::1:assumed-role/p/Ops",
            ),
            ("user", r#"{"type":"IAMUser","principalId":"AIDA1","userName":"ada"}"#, "AIDA1"),
            ("root", r#"{ "type" : "Root" , "principalId" : "111122223333" }"#, "111122223333"),
            ("service", r#"{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}"#, "ec2.amazonaws.com"),
            (
                "person",
                r#"{"type":"IdentityCenterUser","accountId":"1","onBehalfOf":{"userId":"u-1","identityStoreArn":"a"},"credentialId":"c"}"#,
                "u-1",
            ),
            (
                "person of an account",
                r#"{"type":"IdentityCenterUser","principalId":"111122223333","onBehalfOf":{"userId":"u-1"}}"#,
                "u-1",
            ),
            ("other account", r#"{"type":"AWSAccount","principalId":"AROA2:x","accountId":"444455556666"}"#, "AROA2"),
            ("federated", r#"{"type":"FederatedUser","principalId":"111122223333:ada"}"#, "111122223333:ada"),
            ("saml", r#"{"type":"SAMLUser","principalId":"q=:ada@example.com","userName":"ada"}"#, "q=:ada@example.com"),
            ("empty id", r#"{"type":"IAMUser","principalId":"","userName":"ada"}"#, "ada"),
            ("twice", r#"{"type":"IAMUser","userName":"x","principalId":"AIDA1","principalId":"AIDA2"}"#, "AIDA1"),
        ] {
            assert_eq!(of(identity), Some((want.to_owned(), String::new())), "{case}");
        }
        let portal = |name: &str| of(&format!(r#"{{"type":"Unknown","principalId":"111122223333","userName":"{name}"}}"#));
        assert_eq!(portal("ada"), Some(("111122223333".to_owned(), "ada".to_owned())));
        assert_ne!(portal("ada"), portal("bob"), "people of one account");
    }

    #[test]
    fn whom_nobody_names_is_nobody() {
        for identity in [
            "null",
            "{}",
            "[]",
            "\"x\"",
            r#"{"type":"IAMUser"}"#,
            r#"{"type":"IAMUser","principalId":null,"userName":{"a":"b"}}"#,
            r#"{"type":"IAMUser","userName":"HIDDEN_DUE_TO_SECURITY_REASONS","accountId":"1"}"#,
            r#"{"type":"Unknown","principalId":"111122223333","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
        ] {
            assert_eq!(of(identity), None, "{identity}");
        }
    }

    proptest::proptest! {
        /// Whatever follows, and wherever it ends.
        #[test]
        fn the_short_way_leads_where_the_long_one_does(
            type_ in "AssumedRole|IAMUser|AWSService|Unknown",
            id in r#"|AROA1:s|AROA1|AIDA1|AROA\\"x:y|HIDDEN_DUE_TO_SECURITY_REASONS|[a-z:\\]{0,4}"#,
            rest in r#"(,"arn":"a")?(,"userName":"u")?\}?"#,
        ) {
            let raw = format!(r#"{{"type":"{type_}","principalId":"{id}"{rest}"#);
            if let Some(short) = at_once(raw.as_bytes()) {
                proptest::prop_assert_eq!(Some(short), Identity::read(raw.as_bytes()).principal(), "{}", raw);
            }
        }

        #[test]
        fn nothing_panics_on_any_bytes(bytes: Vec<u8>, tail in r#"[\{\}\[\]":,a-z\\ ]{0,60}"#) {
            let _any = Identity::read(&bytes).principal();
            let _any = Identity::read(format!("{{{tail}").as_bytes()).principal();
        }
    }
}
