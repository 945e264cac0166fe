//! Documents, times and combinations, and what is made of them.

use super::trust::TrustKind::{Anyone, AnyoneUnderCondition, AwsService, Oidc, OtherAccount, SameAccount, Saml, Unknown};
use super::usage::{Use, judge};
use super::*;
use crate::record::identity::{LastUse, ManagedPolicy};

const ACCOUNT: &str = "111122223333";
/// 2026-11-27.
const NOW: i64 = 1_795_737_600_000;
const ADMIN: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const NARROW: &str = r#"{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#;
const SERVICE: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;

/// S2-35: what is over-broad, and what only looks like it. `None`: unknown.
#[test]
fn policies_are_judged_by_what_they_allow() {
    let cases: &[(&str, &str, Option<&[&str]>)] = &[
        ("everything", ADMIN, Some(&["allActions"])),
        (
            "lists",
            r#"{"Statement":[{"Effect":"Allow","Action":["s3:*","*"],"Resource":["arn:aws:s3:::b","*"]}]}"#,
            Some(&["allActions"]),
        ),
        ("one statement, no list", r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#, Some(&["allActions"])),
        ("elements in another case", r#"{"statement":{"effect":"Allow","ACTION":"*","resource":"*"}}"#, Some(&["allActions"])),
        ("a star on each side", r#"{"Statement":{"Effect":"Allow","Action":"*:*","Resource":"*"}}"#, Some(&["allActions"])),
        ("many stars", r#"{"Statement":{"Effect":"Allow","Action":"**","Resource":"**"}}"#, Some(&["allActions"])),
        ("all ARNs", r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:*:*:*:*"}}"#, Some(&["allActions"])),
        (
            "all ARNs of China",
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws-cn:*"}}"#,
            Some(&["allActions"]),
        ),
        (
            "the second statement",
            r#"{"Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
            Some(&["allActions"]),
        ),
        (
            "under a condition",
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}}"#,
            Some(&["allActionsUnderCondition"]),
        ),
        (
            "an empty condition",
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}}"#,
            Some(&["allActions"]),
        ),
        (
            "with and without a condition",
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":"b"}}},{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
            Some(&["allActions"]),
        ),
        (
            "all but some actions",
            r#"{"Statement":{"Effect":"Allow","NotAction":["iam:*","organizations:*"],"Resource":"*"}}"#,
            Some(&["allButActions"]),
        ),
        ("all but all actions", r#"{"Statement":{"Effect":"Allow","NotAction":"*","Resource":"*"}}"#, Some(&[])),
        (
            "all but some actions, here",
            r#"{"Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"arn:aws:s3:::b"}}"#,
            Some(&[]),
        ),
        (
            "all but some resources",
            r#"{"Statement":{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b"}}"#,
            Some(&["allButResources"]),
        ),
        ("all but all resources", r#"{"Statement":{"Effect":"Allow","Action":"*","NotResource":"*"}}"#, Some(&[])),
        (
            "all but some of both",
            r#"{"Statement":{"Effect":"Allow","NotAction":"s3:*","NotResource":"arn:aws:s3:::b"}}"#,
            Some(&["allButActions", "allButResources"]),
        ),
        ("all of IAM", r#"{"Statement":{"Effect":"Allow","Action":"IAM:*","Resource":"*"}}"#, Some(&["iamFull"])),
        (
            "all of IAM, in its account",
            r#"{"Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::111122223333:*"}}"#,
            Some(&["iamFull"]),
        ),
        (
            "all of IAM, in any account",
            r#"{"Statement":{"Effect":"Allow","Action":"i*","Resource":"arn:aws:iam::*:*"}}"#,
            Some(&["iamFull"]),
        ),
        (
            "all of IAM, elsewhere",
            r#"{"Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::444455556666:*"}}"#,
            Some(&[]),
        ),
        ("some of IAM", r#"{"Statement":{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}}"#, Some(&[])),
        ("one service", r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#, Some(&[])),
        ("one letter", r#"{"Statement":{"Effect":"Allow","Action":"?","Resource":"?"}}"#, Some(&[])),
        (
            "everything, of one bucket",
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/*"}}"#,
            Some(&[]),
        ),
        (
            "everything denied",
            r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
            Some(&[]),
        ),
        (
            "old sessions denied",
            r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-01-01T00:00:00Z"}}},{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
            Some(&["allActions"]),
        ),
        (
            "IAM denied",
            r#"{"Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
            Some(&["allActions"]),
        ),
        (
            "all but some denied",
            r#"{"Statement":[{"Effect":"Deny","NotAction":"s3:*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
            Some(&["allActions"]),
        ),
        ("narrow", NARROW, Some(&[])),
        ("no statement in the list", r#"{"Statement":[]}"#, Some(&[])),
        ("no JSON", "{", None),
        ("empty", "", None),
        ("a list", "[]", None),
        ("encoded twice", "%257B%257D", None),
        ("no statements", r#"{"Version":"2012-10-17"}"#, None),
        ("an unknown effect", r#"{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#, None),
        ("no effect", r#"{"Statement":{"Action":"*","Resource":"*"}}"#, None),
        ("no action", r#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#, None),
        ("no resource", r#"{"Statement":{"Effect":"Allow","Action":"*"}}"#, None),
        ("actions and all others", r#"{"Statement":{"Effect":"Allow","Action":"*","NotAction":"s3:*","Resource":"*"}}"#, None),
        ("an effect twice", r#"{"Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}"#, None),
        ("statements twice", r#"{"Statement":[],"Statement":[]}"#, None),
        ("a number for an action", r#"{"Statement":{"Effect":"Allow","Action":7,"Resource":"*"}}"#, None),
        ("a condition that is none", r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":"x"}}"#, None),
        ("more behind it", r#"{"Statement":[]} x"#, None),
    ];
    for (name, document, want) in cases {
        let breadth = policy::of_document(document, ACCOUNT);
        assert_eq!(breadth.is_over_broad(), want.map(|words| !words.is_empty()), "{name}");
        assert_eq!(breadth.words(), want.unwrap_or_default(), "{name}");
    }
    let deep = format!("{{\"Statement\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(policy::of_document(&deep, ACCOUNT).is_over_broad(), None, "no stack is deep enough");
}

#[test]
fn policies_of_aws_are_known_by_name() {
    for (arn, want) in [
        ("arn:aws:iam::aws:policy/AdministratorAccess", Some(Some("administratorAccess"))),
        ("arn:aws-cn:iam::aws:policy/PowerUserAccess", Some(Some("powerUserAccess"))),
        ("arn:aws:iam::aws:policy/IAMFullAccess", Some(Some("iamFullAccess"))),
        ("arn:aws:iam::aws:policy/job-function/SystemAdministrator", Some(None)),
        ("arn:aws:iam::aws:policy/AdministratorAccess-Amplify", Some(None)),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", Some(None)),
        ("arn:aws:iam::111122223333:policy/AdministratorAccess", None),
        ("", None),
    ] {
        let found = policy::of_aws(arn).map(|breadth| breadth.words().first().copied());
        assert_eq!(found, want, "{arn}");
    }
    let mut both = policy::of_aws("arn:aws:iam::aws:policy/AdministratorAccess").expect("it is AWS's");
    both |= policy::of_aws("arn:aws:iam::aws:policy/AWSDenyAll").expect("it is AWS's");
    assert_eq!((both.is_over_broad(), both.words().len()), (Some(false), 0), "whoever may nothing at all is not over-broad");
}

#[test]
fn trust_tells_who_may_take_a_role_and_what_they_are() {
    let allow = |principal: &str, more: &str| {
        format!(r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"{more}}}]}}"#)
    };
    let condition = r#","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#;
    let cases: Vec<(String, &[TrustKind], ActorKind)> = vec![
        (allow(r#""*""#, ""), &[Anyone], ActorKind::Unknown),
        (allow(r#"{"AWS":"*"}"#, ""), &[Anyone], ActorKind::Unknown),
        (allow(r#"{"AWS":["*"]}"#, condition), &[AnyoneUnderCondition], ActorKind::Unknown),
        (allow(r#"{"AWS":"111122223333"}"#, ""), &[SameAccount], ActorKind::Unknown),
        (allow(r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, ""), &[SameAccount], ActorKind::Unknown),
        (allow(r#"{"AWS":["arn:aws:iam::111122223333:user/a","arn:aws-cn:sts::444455556666:assumed-role/r/s"]}"#, ""), &[OtherAccount, SameAccount], ActorKind::Unknown),
        (allow(r#"{"AWS":"AROAEXAMPLE0000000000"}"#, ""), &[Unknown], ActorKind::Unknown),
        (allow(r#"{"AWS":"arn:aws:s3:::444455556666"}"#, ""), &[Unknown], ActorKind::Unknown),
        (allow(r#"{"Service":"ec2.amazonaws.com.cn"}"#, ""), &[AwsService], ActorKind::Workload),
        (allow(r#"{"Service":["lambda.amazonaws.com","ecs-tasks.amazonaws.com"]}"#, ""), &[AwsService], ActorKind::Workload),
        (allow(r#"{"Service":["lambda.amazonaws.com","config.amazonaws.com"]}"#, ""), &[AwsService], ActorKind::Unknown),
        (allow(r#"{"Service":"config.amazonaws.com"}"#, ""), &[AwsService], ActorKind::AwsService),
        (allow(r#"{"Service":"codebuild.amazonaws.com"}"#, ""), &[AwsService], ActorKind::Ci),
        (allow(r#"{"Service":"lambda.amazonaws.com","AWS":"444455556666"}"#, ""), &[OtherAccount, AwsService], ActorKind::Unknown),
        (allow(r#"{"CanonicalUser":"79a5"}"#, ""), &[Unknown], ActorKind::Unknown),
        (r#"{"Statement":{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::1:saml-provider/x"},"Action":"sts:AssumeRoleWithSAML"}}"#.into(), &[Saml], ActorKind::Federated),
        (r#"{"Statement":{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"a":"b"}}}}"#.into(), &[Oidc], ActorKind::Ci),
        (r#"{"Statement":{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::1:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"a":"b"}}}}"#.into(), &[Oidc], ActorKind::Workload),
        (r#"{"Statement":{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity"}}"#.into(), &[Oidc], ActorKind::Federated),
        (r#"{"Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"444455556666"},"Action":"sts:*"}}"#.into(), &[Anyone], ActorKind::Unknown),
        (r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}}"#.into(), &[], ActorKind::Unknown),
        (r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:TagSession"}}"#.into(), &[], ActorKind::Unknown),
        (r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}"#.into(), &[Unknown], ActorKind::Unknown),
        ("{".into(), &[Unknown], ActorKind::Unknown),
        (String::new(), &[Unknown], ActorKind::Unknown),
    ];
    for (document, kinds, actor) in cases {
        let trust = trust::of_document(&document, ACCOUNT);
        assert_eq!(trust.kinds.iter().copied().collect::<Vec<_>>(), kinds, "{document}");
        assert_eq!(trust.actor(), actor, "{document}");
        let outsiders = trust.accounts.iter().map(|account| &**account).collect::<Vec<_>>();
        assert_eq!(outsiders, if kinds.contains(&OtherAccount) { &["444455556666"][..] } else { &[] }, "{document}");
        assert_eq!(trust.oidc_without_condition, document.contains("cognito"), "{document}");
    }
}

/// S1-18: at the day itself it is unused, a moment before it is not; what is not known is neither.
#[test]
fn unused_begins_at_the_day() {
    let days = |days: i64| NOW - days * DAY_MS;
    let (old, limit) = (Some(days(1_000)), 90);
    for (name, uses, made, want) in [
        ("used 90 days ago", vec![Use::At(days(90))], old, (Some(true), Some(90), Some("notUsed"))),
        ("a moment later", vec![Use::At(days(90) + 1)], old, (Some(false), Some(89), None)),
        ("a moment from now, by a clock that is ahead", vec![Use::At(NOW + 5)], old, (Some(false), Some(0), None)),
        ("the last use counts", vec![Use::At(days(200)), Use::At(days(3))], old, (Some(false), Some(3), None)),
        ("never, and 90 days old", vec![Use::NoneSince(days(90))], Some(days(90)), (Some(true), Some(90), Some("neverUsed"))),
        ("never, and a moment younger", vec![Use::NoneSince(days(90) + 1)], Some(days(90) + 1), (Some(false), Some(89), None)),
        (
            "an old use and a new key",
            vec![Use::At(days(200)), Use::NoneSince(days(2))],
            old,
            (Some(true), Some(200), Some("notUsed")),
        ),
        ("only a new key", vec![Use::NoneSince(days(2))], old, (Some(false), Some(2), None)),
        ("unknown", vec![Use::Unknown], old, (None, None, None)),
        ("unknown and an old use", vec![Use::Unknown, Use::At(days(200))], old, (None, None, None)),
        ("unknown and a new use", vec![Use::Unknown, Use::At(days(2))], old, (Some(false), Some(2), None)),
        ("unknown, and too young", vec![Use::Unknown], Some(days(89)), (Some(false), None, None)),
        ("nothing that could be used", vec![], old, (None, None, None)),
        ("nobody knows since when", vec![Use::Unknown], None, (None, None, None)),
    ] {
        let usage = judge(&uses, made, NOW, limit);
        assert_eq!((usage.is_unused, usage.idle_days, usage.reason), want, "{name}");
    }
}

#[test]
fn a_role_is_unused_as_far_as_iam_remembers() {
    let days = |days: i64| NOW - days * DAY_MS;
    for (name, used, made, limit, want) in [
        ("used lately", Some(days(5)), Some(days(900)), 90, (Some(false), Some(5), None)),
        ("used long ago", Some(days(91)), Some(days(900)), 90, (Some(true), Some(91), Some("notUsed"))),
        ("never, and young", None, Some(days(89)), 90, (Some(false), Some(89), None)),
        ("never", None, Some(days(400)), 90, (Some(true), Some(400), Some("neverUsed"))),
        ("not within 400 days", None, Some(days(401)), 90, (Some(true), Some(400), Some("notUsedWhileTracked"))),
        ("not within 400 of 400 days", None, Some(days(5_000)), 400, (Some(true), Some(400), Some("notUsedWhileTracked"))),
        ("not within 400 of 500 days", None, Some(days(5_000)), 500, (None, None, None)),
        ("made nobody knows when", None, None, 90, (None, None, None)),
    ] {
        let usage = usage::role(used, made, NOW, limit);
        assert_eq!((usage.is_unused, usage.idle_days, usage.reason), want, "{name}");
    }
}

#[test]
fn silence_of_iam_counts_from_when_it_began_to_note() {
    let ms = |text: &str| crate::record::time::parse_ms(text).expect("a time");
    let (old, noted, young) = (ms("2012-01-01T00:00:00Z"), ms("2015-04-22T00:00:00Z"), ms("2020-01-01T00:00:00Z"));
    let key = |used, changed_ms| usage::key(&AccessKey { active: Some(true), changed_ms, used, ..AccessKey::default() });
    assert_eq!(key(LastUse::NotApplicable, Some(young)), Use::NoneSince(young));
    assert_eq!(key(LastUse::NotApplicable, Some(old)), Use::NoneSince(noted));
    assert_eq!(key(LastUse::NotApplicable, None), Use::Unknown);
    assert_eq!(key(LastUse::Unknown, Some(young)), Use::Unknown);
    assert_eq!(key(LastUse::NoInformation, Some(young)), Use::Unknown, "a word that is not said of keys");
    let signed_in = ms("2014-10-20T00:00:00Z");
    assert_eq!(usage::password(LastUse::NoInformation, Some(old), None), Use::NoneSince(signed_in));
    assert_eq!(usage::password(LastUse::NoInformation, Some(young), Some(old)), Use::NoneSince(young));
    assert_eq!(
        usage::password(LastUse::NotApplicable, Some(young), None),
        Use::Unknown,
        "there is a password, and it says there is none"
    );
    assert_eq!(usage::password(LastUse::At(7), None, None), Use::At(7));
}

fn terms() -> Terms {
    Terms { unused_days: 90, key_max_age_days: 90, owner_tags: vec!["owner".to_owned(), "Owner".to_owned()] }
}

fn principal(name: &str, kind: PrincipalKind) -> Principal {
    Principal {
        kind,
        name: name.into(),
        arn: format!("arn:aws:iam::{ACCOUNT}:x/{name}").into(),
        path: "/".into(),
        created_ms: Some(NOW - 500 * DAY_MS),
        attached: Vec::new(),
        inline: Vec::new(),
        boundary: None,
        tags: Vec::new(),
    }
}

fn user(name: &str) -> Principal {
    principal(name, PrincipalKind::User { groups: Vec::new() })
}

fn role(name: &str, trust: &str, used_ms: Option<i64>) -> Principal {
    principal(name, PrincipalKind::Role { trust: trust.into(), used_ms, used_region: None })
}

/// A user with a password of long ago, used yesterday.
fn credentials(name: &str) -> Credentials {
    Credentials {
        user: name.into(),
        arn: format!("arn:aws:iam::{ACCOUNT}:x/{name}").into(),
        created_ms: Some(NOW - 500 * DAY_MS),
        password: Some(true),
        password_used: LastUse::At(NOW - DAY_MS),
        password_changed_ms: Some(NOW - 100 * DAY_MS),
        mfa: Some(true),
        ..Credentials::default()
    }
}

fn key(active: bool, age_days: i64, used: LastUse) -> AccessKey {
    AccessKey { active: Some(active), changed_ms: Some(NOW - age_days * DAY_MS), used, ..AccessKey::default() }
}

fn judged(report: Vec<Credentials>, details: Vec<Detail>) -> Vec<Identity> {
    let terms = terms();
    let mut inventory = Inventory::new(ACCOUNT, report, NOW, &terms);
    for detail in details {
        inventory.add(detail);
    }
    inventory.identities()
}

fn one(report: Vec<Credentials>, principal: Principal) -> Identity {
    judged(report, vec![Detail::Principal(principal)]).pop().expect("one identity")
}

/// A group's policies count for its members, wherever they stand; a policy that was not read is unknown.
#[test]
fn what_groups_and_attached_policies_grant_adds_up() {
    let policy = |name: &str, document: &str| {
        Detail::Policy(ManagedPolicy { arn: format!("arn:aws:iam::{ACCOUNT}:policy/{name}").into(), document: document.into() })
    };
    let arn = |name: &str| Box::<str>::from(format!("arn:aws:iam::{ACCOUNT}:policy/{name}"));
    let group = |name: &str, attached: Vec<Box<str>>, inline: &str| {
        Detail::Group(Group { name: name.into(), attached, inline: vec![inline.into()] })
    };
    let details = |principal| {
        vec![
            // The group stands before the policy that it has.
            group("admins", vec![arn("all")], NARROW),
            group("readers", Vec::new(), NARROW),
            group("broken", Vec::new(), "{"),
            policy("all", ADMIN),
            policy("few", NARROW),
            Detail::Principal(principal),
        ]
    };
    let member =
        |groups: &[&str]| principal("ada", PrincipalKind::User { groups: groups.iter().map(|name| (*name).into()).collect() });
    let breadth = |principal| judged(Vec::new(), details(principal)).pop().expect("one").is_over_broad();
    assert_eq!(breadth(member(&["readers", "admins"])), Some(true));
    assert_eq!(breadth(member(&["readers"])), Some(false));
    assert_eq!(breadth(member(&["readers", "broken"])), None);
    assert_eq!(breadth(member(&["broken", "admins"])), Some(true), "what is known is enough");
    assert_eq!(breadth(member(&["made since"])), None);
    for (attached, want) in [("few", Some(false)), ("all", Some(true)), ("made-since", None)] {
        assert_eq!(breadth(Principal { attached: vec![arn(attached)], ..user("ada") }), want, "{attached}");
    }
    // A boundary limits when it is narrower; what could not be read, nobody knows.
    for (boundary, want) in [("few", Some(true)), ("all", Some(false)), ("made-since", None)] {
        let bounded = Principal { attached: vec![arn("all")], boundary: Some(arn(boundary)), ..role("r", SERVICE, Some(NOW)) };
        let found = judged(Vec::new(), details(bounded)).pop().expect("one");
        assert_eq!(found.boundary_limits, want, "{boundary}");
        let reason = if want == Some(true) { "overBroadLimited" } else { "overBroad" };
        assert_eq!(found.risk_reasons, [reason], "{boundary}");
    }
}

/// 5,000 users with two keys each and 5,000 roles stay within what the module says.
#[test]
fn an_identity_takes_little_room() {
    let size = size_of::<Identity>();
    assert!(size <= 512, "{size}");
}

/// S2-35, S2-36, S4-16: who is urgent, and why.
#[test]
fn risk_has_reasons() {
    let with = |change: &dyn Fn(&mut Credentials)| {
        let mut row = credentials("ada");
        change(&mut row);
        vec![row]
    };
    let admin = || Principal { inline: vec![ADMIN.into()], ..user("ada") };
    let used = LastUse::At(NOW - DAY_MS);
    let unused = LastUse::At(NOW - 90 * DAY_MS);
    let cases: Vec<Case> = vec![
        ("all is well", one(with(&|_| {}), user("ada")), Risk::None, &[], ActorKind::Human),
        ("no MFA", one(with(&|row| row.mfa = Some(false)), user("ada")), Risk::High, &["consoleWithoutMfa"], ActorKind::Human),
        ("MFA unknown", one(with(&|row| row.mfa = None), user("ada")), Risk::None, &[], ActorKind::Human),
        ("over-broad", one(with(&|_| {}), admin()), Risk::High, &["overBroad"], ActorKind::Human),
        (
            "over-broad without MFA",
            one(with(&|row| row.mfa = Some(false)), admin()),
            Risk::Critical,
            &["overBroadWithoutMfa", "overBroad", "consoleWithoutMfa"],
            ActorKind::Human,
        ),
        ("unused", one(with(&|row| row.password_used = unused), user("ada")), Risk::High, &["unused"], ActorKind::Human),
        (
            "unused and over-broad",
            one(with(&|row| row.password_used = unused), admin()),
            Risk::Critical,
            &["unusedOverBroad", "overBroad", "unused"],
            ActorKind::Human,
        ),
        (
            "a key and a password",
            one(with(&|row| row.keys[0] = key(true, 1, used)), user("ada")),
            Risk::Low,
            &["keyAndPassword"],
            ActorKind::Human,
        ),
        (
            "a key only",
            one(
                with(&|row| {
                    row.password = Some(false);
                    row.password_used = LastUse::NotApplicable;
                    row.keys[0] = key(true, 10, used);
                }),
                user("ada"),
            ),
            Risk::None,
            &[],
            ActorKind::Workload,
        ),
        (
            "nothing to sign in with",
            one(
                with(&|row| {
                    row.password = Some(false);
                    row.password_used = LastUse::NotApplicable;
                }),
                user("ada"),
            ),
            Risk::Low,
            &["noCredentials"],
            ActorKind::Unknown,
        ),
        ("not in the report", one(Vec::new(), user("ada")), Risk::None, &[], ActorKind::Unknown),
    ];
    assert_risks(cases);
}

type Case = (&'static str, Identity, Risk, &'static [&'static str], ActorKind);

fn assert_risks(cases: Vec<Case>) {
    for (name, identity, risk, reasons, actor) in cases {
        assert_eq!((identity.risk, &*identity.risk_reasons, identity.actor), (risk, reasons, actor), "{name}");
    }
}

/// S2-35, S2-36: the same of roles; what belongs to a service of AWS's is nobody's to tidy up.
#[test]
fn risk_of_roles_has_reasons() {
    let cases: Vec<Case> = vec![
        ("a role", one(Vec::new(), role("r", SERVICE, Some(NOW))), Risk::None, &[], ActorKind::Workload),
        ("a role, unused", one(Vec::new(), role("r", SERVICE, None)), Risk::High, &["unused"], ActorKind::Workload),
        (
            "a role for anyone",
            one(
                Vec::new(),
                role("r", r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}"#, Some(NOW)),
            ),
            Risk::Critical,
            &["trustsAnyone"],
            ActorKind::Unknown,
        ),
        (
            "a service's own role",
            one(
                Vec::new(),
                Principal {
                    path: "/aws-service-role/config.amazonaws.com/".into(),
                    inline: vec![ADMIN.into()],
                    ..role("AWSServiceRoleForConfig", SERVICE, None)
                },
            ),
            Risk::None,
            &[],
            ActorKind::AwsService,
        ),
        (
            "a permission set",
            one(
                Vec::new(),
                Principal {
                    path: "/aws-reserved/sso.amazonaws.com/eu-west-1/".into(),
                    attached: vec!["arn:aws:iam::aws:policy/AdministratorAccess".into()],
                    ..role("AWSReservedSSO_Admin_0123", SERVICE, Some(NOW))
                },
            ),
            Risk::High,
            &["overBroad"],
            ActorKind::Human,
        ),
    ];
    assert_risks(cases);
}

#[test]
fn root_and_its_keys_are_judged() {
    let root = |change: &dyn Fn(&mut Credentials)| {
        let mut row =
            Credentials { user: ROOT.into(), password: None, password_used: LastUse::NoInformation, ..credentials("root") };
        change(&mut row);
        judged(vec![row], Vec::new())
    };
    let reasons = |found: &[Identity]| found.iter().map(|it| (it.kind.as_str(), it.risk_reasons.clone())).collect::<Vec<_>>();
    assert_eq!(reasons(&root(&|_| {})), [("root", vec![])]);
    assert_eq!(reasons(&root(&|row| row.mfa = Some(false))), [("root", vec!["rootWithoutMfa"])]);
    let without = root(&|row| {
        row.mfa = Some(false);
        row.password = Some(false);
    });
    assert_eq!(reasons(&without), [("root", vec![])], "a member account whose root has no credentials");
    assert_eq!(reasons(&root(&|row| row.password_used = LastUse::At(NOW - DAY_MS))), [("root", vec!["rootUsed"])]);
    let keyed = root(&|row| row.keys[1] = key(true, 91, LastUse::NotApplicable));
    assert_eq!(
        reasons(&keyed),
        [("accessKey", vec!["rootAccessKey", "unusedKey", "keyTooOld"]), ("root", vec!["rootAccessKey"])]
    );
    assert_eq!(
        (&*keyed[0].name, keyed[0].key.as_ref().map(|key| key.slot), keyed[0].is_over_broad()),
        ("root", Some(2), Some(true))
    );
    let young = root(&|row| {
        row.created_ms = Some(NOW - DAY_MS);
        row.password_changed_ms = None;
    });
    assert_eq!(reasons(&young), [("root", vec![])], "young is not used");
}

/// S4-16: a key is to be changed when it is older than the days, to the moment.
#[test]
fn keys_have_rows_of_their_own() {
    let used = LastUse::At(NOW - DAY_MS);
    let of = |keys: [AccessKey; 2], principal: Principal| {
        let row = Credentials { keys, mfa: Some(true), ..credentials("ada") };
        let found = judged(vec![row], vec![Detail::Principal(principal)]);
        let keys = found.into_iter().filter(|it| it.kind == IdentityKind::AccessKey);
        keys.map(|it| (it.key.expect("facts").rotation_due, it.risk_reasons)).collect::<Vec<_>>()
    };
    let at_the_day = key(true, 90, used);
    let beyond = AccessKey { changed_ms: Some(NOW - 90 * DAY_MS - 1), ..at_the_day.clone() };
    assert_eq!(of([at_the_day.clone(), beyond], user("ada")), [(Some(false), vec![]), (Some(true), vec!["keyTooOld"])]);
    assert_eq!(
        of([key(false, 900, LastUse::NotApplicable), AccessKey { active: Some(false), ..AccessKey::default() }], user("ada")),
        [(Some(false), vec!["inactiveKey"])]
    );
    let admin = Principal { inline: vec![ADMIN.into()], ..user("ada") };
    assert_eq!(
        of([key(true, 91, LastUse::NotApplicable), at_the_day.clone()], admin),
        [(Some(true), vec!["unusedKey", "keyOfOverBroad", "keyTooOld"]), (Some(false), vec!["keyOfOverBroad"])]
    );
    let odd = AccessKey { active: None, ..key(true, 91, used) };
    assert_eq!(of([odd, AccessKey { changed_ms: None, ..at_the_day }], user("ada")), [(None, vec![]), (None, vec![])]);
}

#[test]
fn an_owner_is_the_first_of_the_tags_that_is_there() {
    let tagged = |tags: &[(&str, &str)]| {
        let tags = tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        one(Vec::new(), Principal { tags, ..user("ada") }).owner
    };
    assert_eq!(tagged(&[("Owner", "b"), ("owner", "a")]).as_deref(), Some("a"));
    assert_eq!(tagged(&[("Owner", "b"), ("OWNER", "c")]).as_deref(), Some("b"));
    assert_eq!(tagged(&[("owner", " ")]), None);
    assert_eq!(tagged(&[]), None);
}
