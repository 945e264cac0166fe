//! What the calls of the bundled trail did to resources, as AWS Config would have told it.
//!
//! In: the text of a trail file whose times were moved. Out: configuration items of resources that its records changed, a little
//! later than the call. What always holds: who did it is not in them; the agent must find it in the trail.

use serde_json::{Value, json};

use super::Event;
use super::envelope;
use crate::record::time;

/// Time between a call and the item that shows what it did, milliseconds.
const AFTER_MS: i64 = 90_000;

/// A change, and the call that made it.
struct Change {
    /// `eventID` of the call.
    call: &'static str,
    account: &'static str,
    region: &'static str,
    resource_type: &'static str,
    id: &'static str,
    /// Where it is another one than the id.
    name: Option<&'static str>,
    arn: &'static str,
    /// What became of the resource.
    kind: &'static str,
    path: &'static str,
}

#[rustfmt::skip]
const CHANGES: [Change; 12] = [
    Change { call: "8750c8bf-356a-4bda-bb78-1265a90b32a7", account: "111111111111", region: "global", resource_type: "AWS::IAM::SAMLProvider", id: "arn:aws:iam::111111111111:saml-provider/AWSSSO_bafa1a00e8e55555_DO_NOT_DELETE", name: Some("AWSSSO_bafa1a00e8e55555_DO_NOT_DELETE"), arn: "arn:aws:iam::111111111111:saml-provider/AWSSSO_bafa1a00e8e55555_DO_NOT_DELETE", kind: "UPDATE", path: "Configuration.SamlMetadataDocument" },
    Change { call: "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", account: "111111111111", region: "us-east-1", resource_type: "AWS::RDS::DBInstance", id: "db-EXAMPLEEXAMPLEEXAMPLEDB01", name: Some("database-instance"), arn: "arn:aws:rds:us-east-1:111111111111:db:database-instance", kind: "UPDATE", path: "Configuration.pendingModifiedValues.masterUserPassword" },
    Change { call: "68c99c97-c191-4329-b210-82ca8631066d", account: "111122223333", region: "us-east-1", resource_type: "AWS::S3::Bucket", id: "stratus-red-team-ctlr-bucket-zqfsvooxqj", name: None, arn: "arn:aws:s3:::stratus-red-team-ctlr-bucket-zqfsvooxqj", kind: "CREATE", path: "Configuration" },
    Change { call: "7e96f0e7-4d78-423d-b3f5-391370685b30", account: "111122223333", region: "us-east-1", resource_type: "AWS::EC2::SecurityGroup", id: "sg-04cfb7a4712d75b00", name: None, arn: "arn:aws:ec2:us-east-1:111122223333:security-group/sg-04cfb7a4712d75b00", kind: "UPDATE", path: "Configuration.IpPermissions.0" },
    Change { call: "b1f37249-bb39-4b9c-a302-e6d0f807d70c", account: "111122223333", region: "us-east-1", resource_type: "AWS::Lambda::Function", id: "stratus-red-team-backdoor-f-func", name: None, arn: "arn:aws:lambda:us-east-1:111122223333:function:stratus-red-team-backdoor-f-func", kind: "UPDATE", path: "SupplementaryConfiguration.Policy" },
    Change { call: "d58cf935-0194-41d0-baa0-9efc030ce2e6", account: "111122223333", region: "us-east-1", resource_type: "AWS::S3::Bucket", id: "stratus-red-team-bdbp-lhfzvgcamn", name: None, arn: "arn:aws:s3:::stratus-red-team-bdbp-lhfzvgcamn", kind: "UPDATE", path: "SupplementaryConfiguration.BucketPolicy" },
    Change { call: "d96d75c7-e715-44ff-9735-9dc51afbd774", account: "111122223333", region: "global", resource_type: "AWS::IAM::Role", id: "AROAEXAMPLEBACKDOORRL", name: Some("stratus-red-team-backdoor-r-role"), arn: "arn:aws:iam::111122223333:role/stratus-red-team-backdoor-r-role", kind: "UPDATE", path: "Configuration.assumeRolePolicyDocument" },
    Change { call: "3346344c-5a3e-429e-8405-420f98f75d6e", account: "777788889999", region: "global", resource_type: "AWS::IAM::User", id: "AIDAEXAMPLEMALICIOUSU", name: Some("malicious-iam-user"), arn: "arn:aws:iam::777788889999:user/malicious-iam-user", kind: "CREATE", path: "Configuration" },
    Change { call: "da929d96-8e20-475c-a810-973addd64769", account: "777788889999", region: "eu-west-1", resource_type: "AWS::Lambda::Function", id: "stratus-red-team-lambda-layer-simpleLambda", name: None, arn: "arn:aws:lambda:eu-west-1:777788889999:function:stratus-red-team-lambda-layer-simpleLambda", kind: "UPDATE", path: "Configuration.layers.0" },
    Change { call: "9fd68588-ecbf-4528-a345-199fa6bb0821", account: "777788889999", region: "eu-west-1", resource_type: "AWS::EC2::SecurityGroup", id: "sg-003dc7f1f1c686164", name: None, arn: "arn:aws:ec2:eu-west-1:777788889999:security-group/sg-003dc7f1f1c686164", kind: "UPDATE", path: "Configuration.IpPermissions.0" },
    Change { call: "ee73c230-44bc-4492-8542-cfb189eae287", account: "777788889999", region: "us-east-1", resource_type: "AWS::CloudTrail::Trail", id: "stratus-red-team-cloudtraild-trail-kvrwohmiai", name: None, arn: "arn:aws:cloudtrail:us-east-1:777788889999:trail/stratus-red-team-cloudtraild-trail-kvrwohmiai", kind: "DELETE", path: "Configuration" },
    Change { call: "55e470c0-611d-4549-ad87-a7c830a75063", account: "777788889999", region: "us-west-2", resource_type: "AWS::EC2::Instance", id: "i-DDd6c7B0e18F0E35f", name: None, arn: "arn:aws:ec2:us-west-2:777788889999:instance/i-DDd6c7B0e18F0E35f", kind: "UPDATE", path: "Configuration.state.name" },
];

/// A change that no call of the bundled trail made: its record went to another trail.
#[rustfmt::skip]
const UNSEEN: Change = Change { call: "c0000000-0000-4000-8000-000000000001", account: "444455556666", region: "eu-west-1", resource_type: "AWS::EC2::Volume", id: "vol-0c1d2e3f4a5b6c7d8", name: None, arn: "arn:aws:ec2:eu-west-1:444455556666:volume/vol-0c1d2e3f4a5b6c7d8", kind: "DELETE", path: "Configuration" };

/// The change that nobody is seen to have made.
pub(super) fn unseen(at_ms: i64) -> Event {
    item(&UNSEEN, at_ms)
}

/// What the calls of a trail file did, in the order of time.
pub(in crate::cli::demo) fn of_trail(trail: &str) -> Vec<Event> {
    calls(trail).into_iter().map(|(change, at_ms)| item(change, at_ms)).collect()
}

/// What the calls of a copy of a file did, whose records have other ids. What is there already is not made again, and what is gone
/// later is there still: only updates are told.
pub(in crate::cli::demo) fn of_copy(original: &str) -> Vec<Event> {
    calls(original).into_iter().filter(|(change, _)| change.kind == "UPDATE").map(|(change, at_ms)| item(change, at_ms)).collect()
}

/// The calls of a trail file that changed something, and when that is told, in the order of time.
fn calls(trail: &str) -> Vec<(&'static Change, i64)> {
    if !CHANGES.iter().any(|change| trail.contains(change.call)) {
        return Vec::new();
    }
    let Ok(trail) = serde_json::from_str::<Value>(trail) else { return Vec::new() };
    let records = trail.get("Records").and_then(Value::as_array).into_iter().flatten();
    let text = |record: &'_ Value, name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut calls: Vec<(&Change, i64)> = records
        .filter_map(|record| {
            let id = text(record, "eventID");
            let change = CHANGES.iter().find(|change| change.call == id)?;
            Some((change, time::parse_ms(&text(record, "eventTime"))? + AFTER_MS))
        })
        .collect();
    calls.sort_by_key(|(_, at_ms)| *at_ms);
    calls
}

fn item(change: &Change, at_ms: i64) -> Event {
    let Change { call, account, region, resource_type, id, name, arn, kind, path } = change;
    let at = time::format_ms(at_ms);
    let (before, after) = match *kind {
        "CREATE" => (Value::Null, json!({ "name": id })),
        "DELETE" => (json!({ "name": id }), Value::Null),
        _ => (json!("as it was"), json!("as the call made it")),
    };
    let status = match *kind {
        "CREATE" => "ResourceDiscovered",
        "DELETE" => "ResourceDeleted",
        _ => "OK",
    };
    let detail = json!({
        "recordVersion": "1.3", "messageType": "ConfigurationItemChangeNotification", "notificationCreationTime": at,
        "configurationItemDiff": {
            "changedProperties": { *path: { "previousValue": before, "updatedValue": after, "changeType": kind } },
            "changeType": kind,
        },
        "configurationItem": {
            "configurationItemVersion": "1.3", "configurationItemCaptureTime": at, "configurationItemStatus": status,
            "configurationStateId": at_ms, "awsAccountId": account, "awsRegion": region, "resourceType": resource_type,
            "resourceId": id, "resourceName": name.unwrap_or(id), "ARN": arn, "tags": {}, "relatedEvents": [], "relationships": [],
            "configuration": {}, "supplementaryConfiguration": {},
        },
    });
    // IAM is recorded in one Region.
    let told_in = if *region == "global" { "us-east-1" } else { region };
    let envelope =
        envelope(&format!("{call}-{at_ms}"), at_ms, (account, told_in), "Config Configuration Item Change", "aws.config", detail);
    Event { at_ms, envelope, is_lost: false }
}
