//! Enrichment as a whole: the identity fixtures, whole records, and arbitrary JSON.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::*;
use crate::record::ActorKind;

const ACCOUNT: &str = "111122223333";

fn enricher() -> Enricher {
    Enricher::new(AccountNames::default(), "Asia/Tokyo").expect("a zone")
}

fn with<T>(json: &str, look: impl FnOnce(Enriched<'_>) -> T) -> T {
    let trail = Trail::parse(json.as_bytes()).expect(json);
    let enricher = enricher();
    look(enricher.enrich(&trail, ACCOUNT))
}

/// A record of one call, with more fields put in.
fn call(source: &str, name: &str, more: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.11","eventTime":"2026-11-21T20:14:31Z","eventSource":"{source}.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","eventID":"e1","eventType":"AwsApiCall","eventCategory":"Management"{more}}}"#
    )
}

#[derive(Deserialize)]
struct Fixture<'a> {
    name: String,
    source: String,
    #[serde(borrow)]
    record: &'a RawValue,
    expect: Expected,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Expected {
    kind: String,
    name: String,
    #[serde(rename = "type")]
    identity_type: String,
    rule: Option<String>,
    mfa: Option<bool>,
}

const IDENTITIES: &str = include_str!("../../tests/fixtures/identity/identity.ndjson");

fn identities() -> Vec<Fixture<'static>> {
    IDENTITIES.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn s2_36_every_identity_fixture_gives_the_actor_it_names() {
    let fixtures = identities();
    assert!(fixtures.len() >= 40, "{} identity fixtures; at least 40 are needed", fixtures.len());
    assert!(fixtures.iter().filter(|fixture| fixture.source.starts_with("real: ")).count() >= 20);
    let mut wrong = String::new();
    let mut names = HashSet::new();
    for Fixture { name, source, record, expect } in &fixtures {
        assert!(names.insert(name), "two fixtures are called {name}");
        assert!(source.starts_with("real: ") || source.starts_with("made up: "), "{name}: {source}");
        let found = with(record.get(), |enriched| Expected {
            kind: enriched.actor.kind.as_str().to_owned(),
            name: enriched.actor.name.into_owned(),
            identity_type: enriched.actor.identity_type.into_owned(),
            rule: enriched.actor_rule.map(str::to_owned),
            mfa: enriched.actor.mfa,
        });
        if found != *expect {
            writeln!(wrong, "{name}:\n  found    {found:?}\n  expected {expect:?}").expect("text");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn s2_36_every_rule_and_every_kind_has_a_fixture() {
    let fixtures = identities();
    let proven: BTreeSet<&str> = fixtures.iter().filter_map(|fixture| fixture.expect.rule.as_deref()).collect();
    let missing: Vec<&str> = kind::RULES.iter().map(|rule| rule.name).filter(|name| !proven.contains(name)).collect();
    assert_eq!(missing, [""; 0]);
    let kinds: BTreeSet<&str> = fixtures.iter().map(|fixture| fixture.expect.kind.as_str()).collect();
    assert_eq!(kinds.len(), 7, "{kinds:?}");
}

#[test]
fn the_table_in_the_documentation_is_the_table_of_rules() {
    let documented: Vec<&str> = include_str!("kind.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! | ")?.split(" | ").next())
        .filter(|name| !matches!(*name, "rule" | "---"))
        .collect();
    let rules: Vec<&str> = kind::RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(documented, rules);
}

#[test]
fn the_parts_of_an_actor_come_from_their_fields() {
    let json = call(
        "s3",
        "PutBucketPolicy",
        r#","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:ada","arn":"arn:aws-cn:sts::444455556666:assumed-role/Ops/ada","accountId":"444455556666","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws-cn:iam::444455556666:role/team/Ops","userName":"Ops"},"attributes":{"mfaAuthenticated":"false"},"sourceIdentity":"ada"}}"#,
    );
    with(&json, |enriched| {
        let actor = enriched.actor;
        assert_eq!(actor.kind, ActorKind::Unknown);
        assert!(matches!(actor.name, Cow::Borrowed("Ops/ada")), "borrowed from the ARN: {:?}", actor.name);
        assert_eq!(actor.arn.as_deref(), Some("arn:aws-cn:sts::444455556666:assumed-role/Ops/ada"));
        assert_eq!(actor.account_id.as_deref(), Some("444455556666"));
        assert_eq!(actor.session_issuer.as_deref(), Some("arn:aws-cn:iam::444455556666:role/team/Ops"));
        assert_eq!(actor.source_identity.as_deref(), Some("ada"));
        assert_eq!(actor.mfa, Some(false));
        assert_eq!(enriched.partition, "aws-cn");
    });
}

#[test]
fn outcome_is_read_from_error_code_sign_in_answer_and_kind_of_record() {
    let sign_in = |answer: &str| {
        call("signin", "ConsoleLogin", &format!(r#","responseElements":{{"ConsoleLogin":"{answer}"}}"#))
            .replace("AwsApiCall", "AwsConsoleSignIn")
    };
    for (name, json, want) in [
        ("no error code", call("iam", "GetUser", ""), EventOutcome::Success),
        ("an error code", call("iam", "GetUser", r#","errorCode":"AccessDenied""#), EventOutcome::Failure),
        ("an empty error code", call("iam", "GetUser", r#","errorCode":"""#), EventOutcome::Success),
        ("only a message", call("signin", "CheckMfa", r#","errorMessage":"Failed authentication""#), EventOutcome::Failure),
        ("sign-in", sign_in("Success"), EventOutcome::Success),
        ("failed sign-in, without a code", sign_in("Failure"), EventOutcome::Failure),
        ("another service may answer Failure", call("x", "Y", r#","responseElements":{"Y":"Failure"}"#), EventOutcome::Success),
        ("Insights", call("x", "Y", "").replace("Management", "Insight"), EventOutcome::Unknown),
        ("summary", call("x", "Y", "").replace("Management", "Aggregated"), EventOutcome::Unknown),
    ] {
        assert_eq!(with(&json, |enriched| enriched.outcome), want, "{name}");
    }
}

#[test]
fn insights_and_summaries_have_names_too() {
    let insight = r#"{"eventVersion":"1.08","eventTime":"2026-11-21T20:10:00Z","awsRegion":"us-east-1","eventID":"i1","eventType":"AwsCloudTrailInsight","insightDetails":{"state":"Start","eventSource":"iam.amazonaws.com","eventName":"CreateAccessKey"}}"#;
    with(insight, |enriched| {
        assert_eq!((&*enriched.service, &*enriched.event_name, enriched.category), ("iam", "CreateAccessKey", "Insight"));
        assert_eq!(enriched.actor.name, "unknown");
    });
    let summary = r#"{"eventVersion":"1.0","accountId":"111122223333","eventId":"a1","eventType":"AwsAggregatedEvent","eventSource":"s3.amazonaws.com","timeWindow":{"windowStart":"2026-11-21T20:10:00Z"},"summary":{}}"#;
    with(summary, |enriched| {
        assert_eq!((&*enriched.service, &*enriched.event_name, enriched.category), ("s3", "AggregatedEvent", "Aggregated"));
        assert_eq!((enriched.region, enriched.partition), ("unknown", "unknown"));
    });
}

#[test]
fn what_dashboards_filter_on_is_never_empty() {
    let json = r#"{"eventTime":"2026-11-21T15:00:00Z","eventID":"e1","eventSource":"","eventName":"","awsRegion":""}"#;
    with(json, |enriched| {
        assert_eq!((&*enriched.service, enriched.region, &*enriched.event_name), ("unknown", "unknown", "unknown"));
        assert_eq!((enriched.category, enriched.partition), ("unknown", "unknown"));
        assert_eq!((enriched.account.name, enriched.account.organizational_unit), (ACCOUNT, "unknown"));
        assert_eq!((&*enriched.resource.kind, &*enriched.resource.id), ("unknown", "unknown"));
        assert_eq!((&*enriched.actor.name, &*enriched.actor.identity_type), ("unknown", "None"));
        assert_eq!(enriched.day.date(), "2026-11-22", "the day of Tokyo");
    });
}

#[test]
fn the_resource_is_the_listed_one_that_the_call_is_about() {
    let caller = r#","userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/Ops"}}}"#;
    let listed = |source: &str, items: &str| call(source, "X", &format!(r#"{caller},"resources":[{items}]"#));
    let bucket = r#"{"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::ledger","accountId":"111122223333"}"#;
    let object = r#"{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::ledger/a"}"#;
    let own_role = r#"{"ARN":"arn:aws:iam::111122223333:role/Ops","accountId":"111122223333"}"#;
    let foreign_key = r#"{"ARN":"arn:aws:kms:eu-west-1:444455556666:key/far","accountId":"444455556666"}"#;
    let own_key = r#"{"ARN":"arn:aws:kms:eu-west-1:111122223333:key/near"}"#;
    for (name, json, kind, id) in [
        ("one", listed("s3", bucket), "AWS::S3::Bucket", "ledger"),
        ("first of equals", listed("s3", &format!("{object},{bucket}")), "AWS::S3::Object", "ledger/a"),
        ("own service", listed("s3", &format!("{own_key},{bucket}")), "AWS::S3::Bucket", "ledger"),
        ("own account", listed("kms", &format!("{foreign_key},{own_key}")), "AWS::KMS::Key", "near"),
        ("not the caller's role", listed("ec2", &format!("{own_role},{foreign_key}")), "AWS::KMS::Key", "far"),
        ("only the caller's role", listed("ec2", own_role), "unknown", "unknown"),
        ("a call about roles", listed("iam", own_role), "AWS::IAM::Role", "Ops"),
        ("ARN missing", listed("s3", r#"{"type":"AWS::S3::Object","ARNPrefix":"arn:aws:s3:::l/"}"#), "unknown", "unknown"),
        ("another shape", listed("s3", "1"), "unknown", "unknown"),
    ] {
        let found = with(&json, |enriched| (enriched.resource.kind.into_owned(), enriched.resource.id.into_owned()));
        assert_eq!(found, (kind.to_owned(), id.to_owned()), "{name}");
    }
}

/// Event source, call, request, answer; then type and id of the resource, and the attributes as `name=value` lines.
type CallCase = (&'static str, &'static str, &'static str, &'static str, (&'static str, &'static str), &'static str);

const CALLS: [CallCase; 22] = [
    (
        "ec2",
        "AuthorizeSecurityGroupIngress",
        r#"{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0","description":"from home"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#,
        "null",
        ("AWS::EC2::SecurityGroup", "sg-1"),
        "request.cidr=0.0.0.0/0 request.fromPort=22 request.toPort=22 request.protocol=tcp",
    ),
    (
        "ec2",
        "AuthorizeSecurityGroupIngress",
        r#"{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipRanges":{"items":[{"cidrIp":"10.0.0.0/8"}]}},{"ipProtocol":"tcp","fromPort":3389,"toPort":3389,"ipv6Ranges":{"items":[{"cidrIpv6":"::/0"}]}}]}}"#,
        "null",
        ("AWS::EC2::SecurityGroup", "sg-1"),
        "request.cidr=|10.0.0.0/8|::/0| request.fromPort=|22|3389| request.toPort=|22|3389| request.protocol=tcp",
    ),
    (
        "ec2",
        "RevokeSecurityGroupIngress",
        r#"{"groupId":"sg-1","ipPermissions":{},"ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIp":"0.0.0.0/0"}"#,
        "null",
        ("AWS::EC2::SecurityGroup", "sg-1"),
        "request.cidr=0.0.0.0/0 request.fromPort=22 request.toPort=22 request.protocol=tcp",
    ),
    (
        "iam",
        "AttachUserPolicy",
        r#"{"policyArn":"arn:aws:iam::aws:policy/AdministratorAccess","userName":"eve"}"#,
        "null",
        ("AWS::IAM::User", "eve"),
        "request.policyArn=arn:aws:iam::aws:policy/AdministratorAccess",
    ),
    (
        "iam",
        "PutRolePolicy",
        r#"{"roleName":"r","policyName":"p","policyDocument":"{\"Statement\":[]}"}"#,
        "null",
        ("AWS::IAM::Role", "r"),
        "request.policyName=p",
    ),
    (
        "iam",
        "CreateAccessKey",
        "null",
        r#"{"accessKey":{"accessKeyId":"AKIAEXAMPLE","status":"Active","userName":"eve"}}"#,
        ("AWS::IAM::User", "eve"),
        "request.accessKeyId=AKIAEXAMPLE",
    ),
    (
        "iam",
        "AddUserToGroup",
        r#"{"userName":"eve","groupName":"admins"}"#,
        "null",
        ("AWS::IAM::Group", "admins"),
        "request.userName=eve",
    ),
    ("iam", "DeletePolicy", r#"{"policyArn":"arn:aws:iam::111122223333:policy/team/p"}"#, "null", ("AWS::IAM::Policy", "p"), ""),
    (
        "s3",
        "PutBucketPolicy",
        r#"{"bucketName":"ledger","bucketPolicy":{"Statement":[{"Principal":"*","Sid":"s"}]},"Host":"x"}"#,
        "null",
        ("AWS::S3::Bucket", "ledger"),
        "",
    ),
    (
        "rds",
        "ModifyDBInstance",
        r#"{"dBInstanceIdentifier":"db1","masterUserPassword":"HIDDEN_DUE_TO_SECURITY_REASONS","publiclyAccessible":true}"#,
        "null",
        ("AWS::RDS::DBInstance", "db1"),
        "request.publiclyAccessible=true",
    ),
    (
        "lambda",
        "UpdateFunctionConfiguration20150331v2",
        r#"{"functionName":"arn:aws:lambda:eu-west-1:111122223333:function:f","layers":["l1","l2"],"environment":{"K":"secret"}}"#,
        "null",
        ("AWS::Lambda::Function", "f"),
        "request.layers=|l1|l2|",
    ),
    (
        "ec2",
        "TerminateInstances",
        r#"{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}}"#,
        "null",
        ("AWS::EC2::Instance", "|i-1|i-2|"),
        "",
    ),
    (
        "ec2",
        "RunInstances",
        r#"{"instancesSet":{"items":[{"imageId":"ami-1","maxCount":10}]},"instanceType":"p2.xlarge","userData":"<sensitiveDataRemoved>"}"#,
        r#"{"instancesSet":{"items":[{"instanceId":"i-9"}]}}"#,
        ("AWS::EC2::Instance", "i-9"),
        "request.instanceType=p2.xlarge request.imageId=ami-1 request.maxCount=10",
    ),
    (
        "ec2",
        "ModifySnapshotAttribute",
        r#"{"snapshotId":"snap-1","createVolumePermission":{"add":{"items":[{"userId":"012345678912"}]}},"attributeType":"CREATE_VOLUME_PERMISSION"}"#,
        "null",
        ("AWS::EC2::Snapshot", "snap-1"),
        "request.addedAccount=012345678912 request.attribute=CREATE_VOLUME_PERMISSION",
    ),
    ("cloudtrail", "StopLogging", r#"{"name":"org"}"#, "null", ("AWS::CloudTrail::Trail", "org"), ""),
    (
        "kms",
        "ScheduleKeyDeletion",
        r#"{"keyId":"k-1","pendingWindowInDays":7}"#,
        "null",
        ("AWS::KMS::Key", "k-1"),
        "request.pendingWindowDays=7",
    ),
    (
        "ssm",
        "SendCommand",
        r#"{"documentName":"AWS-RunShellScript","instanceIds":["i-1"],"parameters":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
        "null",
        ("AWS::EC2::Instance", "i-1"),
        "request.documentName=AWS-RunShellScript",
    ),
    (
        "ssm",
        "PutParameter",
        r#"{"name":"/db/password","value":"HIDDEN_DUE_TO_SECURITY_REASONS","type":"SecureString"}"#,
        "null",
        ("AWS::SSM::Parameter", "/db/password"),
        "request.parameterType=SecureString",
    ),
    (
        "secretsmanager",
        "DeleteSecret",
        r#"{"secretId":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf","forceDeleteWithoutRecovery":true}"#,
        "null",
        ("AWS::SecretsManager::Secret", "db-AbCdEf"),
        "request.forceDelete=true",
    ),
    ("guardduty", "DeleteDetector", r#"{"detectorId":"d1"}"#, "null", ("AWS::GuardDuty::Detector", "d1"), ""),
    (
        "sts",
        "AssumeRole",
        r#"{"roleArn":"arn:aws:iam::444455556666:role/x/Far","roleSessionName":"HIDDEN_DUE_TO_SECURITY_REASONS","externalId":"x"}"#,
        r#"{"credentials":{"sessionToken":"tok"}}"#,
        ("AWS::IAM::Role", "Far"),
        "request.roleSessionName=HIDDEN_DUE_TO_SECURITY_REASONS",
    ),
    ("newservice", "DoThings", r#"{"name":"x","secretValue":"y"}"#, r#"{"id":"1"}"#, ("unknown", "unknown"), ""),
];

#[test]
fn calls_give_their_resource_and_only_what_the_table_allows() {
    for (source, name, request, answer, (kind, id), want) in CALLS {
        let json = call(source, name, &format!(r#","requestParameters":{request},"responseElements":{answer}"#));
        with(&json, |enriched| {
            assert_eq!((&*enriched.resource.kind, &*enriched.resource.id), (kind, id), "{name}");
            let found: Vec<String> = enriched.request.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(found.join(" "), want, "{name}");
        });
    }
}

#[test]
fn lists_hold_each_value_once_and_no_foreign_bars() {
    let json = call("monitoring", "DeleteAlarms", r#","requestParameters":{"alarmNames":["a|b","a|b","c",""]}"#);
    assert_eq!(with(&json, |enriched| enriched.resource.id.into_owned()), "|a¦b|c|");
    let many = (0..100_000).fold(String::new(), |mut text, n| {
        write!(text, "{}\"name{n}\"", if n == 0 { "" } else { "," }).expect("text");
        text
    });
    let json = call("monitoring", "DeleteAlarms", &format!(r#","requestParameters":{{"alarmNames":[{many}]}}"#));
    let length = with(&json, |enriched| enriched.resource.id.len());
    assert!(
        (8_192..8_300).contains(&length),
        "{length}: longer than an attribute may be, so that the cut is marked, and bounded"
    );
}

#[test]
fn request_attributes_are_known_beforehand() {
    let names = enricher().request_attributes();
    assert!(names.contains(&"request.cidr") && names.contains(&"request.policyArn"), "{names:?}");
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "sorted, each once");
    for name in names {
        let rest = name.strip_prefix("request.").expect(name);
        assert!(rest.chars().all(|c| c.is_ascii_alphanumeric()) && rest.starts_with(char::is_lowercase), "{name}");
    }
}

/// Any JSON, with the keys enrichment reads among its keys.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
        prop::sample::select(vec![
            "AssumedRole",
            "Root",
            "IAMUser",
            "WebIdentityUser",
            "arn:aws:sts::1:assumed-role/é/ü",
            "arn:",
            "arn:aws:iam::1:role/",
            "a:b",
            "i-0é",
            "eks-é",
            "|",
            "true",
            "Failure",
            "signin.amazonaws.com",
        ])
        .prop_map(Into::into),
    ];
    let key = prop_oneof![
        ".{0,6}",
        prop::sample::select(vec![
            "type",
            "arn",
            "ARN",
            "principalId",
            "userName",
            "invokedBy",
            "accountId",
            "accessKeyId",
            "identityProvider",
            "sessionContext",
            "sessionIssuer",
            "attributes",
            "mfaAuthenticated",
            "webIdFederationData",
            "federatedProvider",
            "onBehalfOf",
            "userId",
            "ConsoleLogin",
            "MFAUsed",
            "eventSource",
            "eventName",
            "ipPermissions",
            "items",
            "ipRanges",
            "cidrIp",
            "groupId",
            "bucketName",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|map: BTreeMap<String, _>| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_in_the_nested_parts_is_enriched(
        identity in any_json(), request in any_json(), answer in any_json(), more in any_json(), resources in any_json(),
        insight in any_json(),
        (source, name) in prop::sample::select(vec![
            ("ec2.amazonaws.com", "AuthorizeSecurityGroupIngress"), ("signin.amazonaws.com", "ConsoleLogin"), ("s3.amazonaws.com", "X"), ("", ""),
        ]),
        agent in ".{0,20}",
        account in ".{0,14}",
    ) {
        let json = serde_json::json!({
            "eventTime": "2026-11-21T20:14:31Z", "eventID": "e1", "eventSource": source, "eventName": name, "userAgent": agent,
            "userIdentity": identity, "requestParameters": request, "responseElements": answer, "additionalEventData": more,
            "serviceEventDetails": more, "resources": resources, "insightDetails": insight, "addendum": more,
            "sessionCredentialFromConsole": identity,
        })
        .to_string();
        let Ok(trail) = Trail::parse(json.as_bytes()) else {
            return Err(TestCaseError::fail("a record"));
        };
        let enricher = enricher();
        let enriched = enricher.enrich(&trail, &account);
        for text in [&*enriched.service, &*enriched.event_name, enriched.region, enriched.category, enriched.partition, enriched.account.name] {
            prop_assert!(!text.is_empty());
        }
        prop_assert!(!enriched.actor.name.is_empty() && !enriched.actor.identity_type.is_empty());
        prop_assert!(!enriched.resource.kind.is_empty() && !enriched.resource.id.is_empty());
        prop_assert!(enriched.request.iter().all(|(name, value)| name.starts_with("request.") && !value.is_empty()));
    }
}

/// S0-07: of a change of a resource and of a finding the owner is whom the account's tag names, else the resource's, else the file;
/// of several keys the first that is there counts.
#[test]
fn a_tag_of_the_resource_names_the_owner_where_the_account_has_none() {
    const ITEM: &str = include_str!("../../tests/fixtures/eventbridge/config-item-change.json");
    const FINDING: &str = include_str!("../../tests/fixtures/eventbridge/inspector2-finding-high.json");
    let detail = |event: &str| serde_json::from_str::<serde_json::Value>(event).expect("JSON")["detail"].clone();
    let names = |owner: Option<&str>| {
        let row = |id: &str| AccountRow { id: id.to_owned(), owner: owner.map(str::to_owned), ..AccountRow::default() };
        AccountNames::default().with(vec![row("111122223333"), row("222233334444")])
    };
    for (keys, of_account, item_tags, want) in [
        (vec!["owner"], None, serde_json::json!({ "owner": " billing " }), Some("billing")),
        (vec!["owner"], Some("platform"), serde_json::json!({ "owner": "billing" }), Some("platform")),
        (vec!["team", "owner"], None, serde_json::json!({ "owner": "billing", "team": "web" }), Some("web")),
        (vec!["team", "owner"], None, serde_json::json!({ "owner": "billing", "team": " " }), Some("billing")),
        (vec!["Owner"], None, serde_json::json!({ "owner": "billing" }), None),
        (vec![], None, serde_json::json!({ "owner": "billing" }), None),
    ] {
        let enricher = Enricher::new(names(of_account), "UTC").expect("a zone");
        // Names change while the agent runs, keys do not.
        let enricher =
            enricher.with_owner_tags(keys.iter().map(|key| (*key).to_owned()).collect()).with_accounts(names(of_account));
        let mut item = detail(ITEM);
        item["configurationItem"]["tags"] = item_tags.clone();
        let raw = item.to_string();
        let item = crate::record::ConfigItem::parse(raw.as_bytes()).expect("an item");
        assert_eq!(enricher.enrich_item(&item, "111122223333").account.owner, want, "an item: {keys:?} {item_tags}");
        let mut finding = detail(FINDING);
        finding["resources"][0]["tags"] = item_tags.clone();
        let raw = finding.to_string();
        let around = crate::record::finding::Around::default();
        let form = crate::record::FindingForm::Inspector;
        let finding = crate::record::Finding::parse(form, raw.as_bytes(), around).expect("a finding");
        assert_eq!(enricher.enrich_finding(&finding).account.owner, want, "a finding: {keys:?} {item_tags}");
    }
    let defaults = Enricher::new(AccountNames::default(), "UTC").expect("a zone");
    let raw = detail(ITEM).to_string();
    let item = crate::record::ConfigItem::parse(raw.as_bytes()).expect("an item");
    assert_eq!(defaults.enrich_item(&item, "111122223333").account.owner, Some("billing"), "keys that nobody set");
}
