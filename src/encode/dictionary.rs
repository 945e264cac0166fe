//! The attribute dictionary: every name that is ever sent.
//!
//! In: nothing. Out: one table that the encoders, `cspm-relay schema` and every check of a query read. What always holds: no
//! name is reserved by New Relic, every name is in one row, an encoder that writes an unknown name fails its test.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Event types. [design: what is sent]
pub const SECURITY_EVENT: &str = "AwsSecurityEvent";
/// One per notifiable record, stamped on arrival.
pub const NOTICE: &str = "AwsSecurityNotice";
/// One per change of state of a resource under an AWS Config rule.
pub const COMPLIANCE_CHANGE: &str = "AwsComplianceChange";
/// One per transition of a finding.
pub const FINDING: &str = "AwsSecurityFinding";
/// Open findings, counted.
pub const FINDING_SNAPSHOT: &str = "AwsFindingSnapshot";
/// One per account, Region and rule.
pub const COMPLIANCE_SNAPSHOT: &str = "AwsComplianceSnapshot";
/// One per rule and violating resource.
pub const VIOLATION: &str = "AwsComplianceViolation";
/// One per account.
pub const POSTURE_SUMMARY: &str = "AwsPostureSummary";
/// One per account, framework and requirement.
pub const FRAMEWORK_SNAPSHOT: &str = "AwsFrameworkSnapshot";
/// A run whose rows were all accepted.
pub const POSTURE_RUN: &str = "AwsPostureRun";
/// One per change of a resource.
pub const RESOURCE_CHANGE: &str = "AwsResourceChange";
/// One per IAM user, role and key.
pub const IDENTITY_POSTURE: &str = "AwsIdentityPosture";
/// One per control.
pub const CONTROL: &str = "CspmRelayControl";
/// Counts per agent, minute and source.
pub const HEARTBEAT: &str = "CspmRelayHeartbeat";
/// What could not be read.
pub const GAP: &str = "CspmRelayGap";
/// An exception that mutes nothing any more.
pub const EXCEPTION: &str = "CspmRelayException";
/// The test event of `cspm-relay doctor newrelic`: a type of its own, which no dashboard and no condition reads, so that a
/// test never counts as data.
pub const DOCTOR: &str = "CspmRelayDoctor";

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text; flags are the words `true` and `false`, lists are `|a|b|`.
    Text,
    /// A whole number.
    Number,
}

/// One attribute.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// Name as sent.
    pub name: &'static str,
    /// What the value is.
    pub kind: Kind,
    /// Unit or form; empty for plain text.
    pub unit: &'static str,
    /// An example value.
    pub example: &'static str,
    /// Event types that carry it.
    pub events: &'static [&'static str],
    /// What it says.
    pub meaning: &'static str,
}

const fn attribute(
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    example: &'static str,
    events: &'static [&'static str],
    meaning: &'static str,
) -> Attribute {
    Attribute { name, kind, unit, example, events, meaning }
}

use Kind::{Number, Text};

const S: &[&str] = &[SECURITY_EVENT];
const N: &[&str] = &[NOTICE];
const H: &[&str] = &[HEARTBEAT];
const G: &[&str] = &[GAP];
const D: &[&str] = &[DOCTOR];
const E: &[&str] = &[EXCEPTION];
const C: &[&str] = &[COMPLIANCE_CHANGE];
const K: &[&str] = &[CONTROL];
const SNK: &[&str] = &[SECURITY_EVENT, NOTICE, CONTROL];
const SNCK: &[&str] = &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, CONTROL];
const SNCEK: &[&str] = &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, EXCEPTION, CONTROL];
const HGEK: &[&str] = &[HEARTBEAT, GAP, EXCEPTION, CONTROL];
const SN: &[&str] = &[SECURITY_EVENT, NOTICE];
const NC: &[&str] = &[NOTICE, COMPLIANCE_CHANGE];
const SNC: &[&str] = &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE];
const SNCG: &[&str] = &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, GAP];
const SNCHG: &[&str] = &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, HEARTBEAT, GAP];
const SNCHGEK: &[&str] = &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, HEARTBEAT, GAP, EXCEPTION, CONTROL];
const ALL: &[&str] = &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, HEARTBEAT, GAP, EXCEPTION, CONTROL, DOCTOR];

/// All attributes, in the order in which people look for them.
#[rustfmt::skip]
pub const ATTRIBUTES: &[Attribute] = &[
    attribute("event.id", Text, "", "6d2d5e0a-8a5b-4d0c-9a46-1f0000000001", SNC, "Names the AWS record: eventID, else eventId, else a hash; of a change of state a hash of rule, resource and time. Joins events, notices, logs and the console."),
    attribute("event.sharedId", Text, "", "49bfae88-c9c9-4f39-857c-558a60f14b5d", SN, "The same in every copy of one action that AWS delivered to several accounts, and in both ends of an Insights event: sharedEventID."),
    attribute("event.name", Text, "", "StopLogging", SN, "The API call."),
    attribute("event.category", Text, "", "Management", SNC, "Management, Data, NetworkActivity, Insight or Aggregated; Compliance of what AWS Config says."),
    attribute("event.outcome", Text, "", "success", SN, "success, failure or unknown."),
    attribute("event.errorCode", Text, "", "AccessDenied", SN, "AWS error code of a refused or failed call."),
    attribute("event.errorMessage", Text, "", "User is not authorized", SN, "AWS error message."),
    attribute("event.readOnly", Text, "", "false", SN, "Whether the call changed nothing; 'unknown' when the record does not say."),
    attribute("event.addendum", Text, "", "DELIVERY_DELAY", SN, "Why AWS delivered the record late or again."),
    attribute("event.time", Number, "ms since epoch", "1795292071000", SNC, "When it happened, as AWS wrote it."),
    attribute("event.date", Text, "", "2026-11-21", SNC, "Day of event.time in the configured zone."),
    attribute("event.week", Text, "", "2026-W47", SNC, "ISO week of event.time in the configured zone."),
    attribute("event.month", Text, "", "2026-11", SNC, "Month of event.time in the configured zone."),
    attribute("aws.accountId", Text, "", "111122223333", SNCG, "Account the record belongs to."),
    attribute("aws.accountName", Text, "", "prod-payments", SNC, "Its name; the id when no name is known."),
    attribute("aws.organizationalUnit", Text, "", "Workloads/Prod", SNC, "Its organizational unit path; 'unknown' when none is known."),
    attribute("aws.environment", Text, "", "prod", SNC, "Environment, from the accounts file or the account's tags."),
    attribute("aws.owner", Text, "", "payments-team", SNC, "Owner, from the accounts file or the account's tags."),
    attribute("aws.region", Text, "", "ap-northeast-1", SNC, "Region of the call."),
    attribute("aws.partition", Text, "", "aws", SNC, "AWS partition."),
    attribute("aws.service", Text, "", "cloudtrail", SNC, "Service of the call."),
    attribute("actor.kind", Text, "", "human", SN, "root, human, workload, awsService, federated, ci or unknown."),
    attribute("actor.type", Text, "", "AssumedRole", SN, "userIdentity.type; 'None' when the record has none."),
    attribute("actor.name", Text, "", "Ops/ada", SN, "One name for the actor, never empty."),
    attribute("actor.arn", Text, "", "arn:aws:sts::111122223333:assumed-role/Ops/ada", SN, "ARN of the caller."),
    attribute("actor.accountId", Text, "", "111122223333", SN, "Account of the caller."),
    attribute("actor.sessionIssuer", Text, "", "arn:aws:iam::111122223333:role/Ops", SN, "Role or user that issued the session."),
    attribute("actor.sourceIdentity", Text, "", "ada", SN, "sourceIdentity set when the role was assumed."),
    attribute("actor.mfa", Text, "", "true", SN, "Whether MFA was used, when the record says."),
    attribute("source.ip", Text, "", "203.0.113.7", SN, "Source address, service name or AWS Internal."),
    attribute("source.userAgent", Text, "", "aws-cli/2.31.0", SN, "User agent."),
    attribute("resource.type", Text, "", "AWS::S3::Bucket", SNC, "Type of the resource acted on; 'unknown' when the record does not tell."),
    attribute("resource.id", Text, "", "ledger", SNC, "Its id or name; 'unknown' when the record does not tell."),
    attribute("resource.arn", Text, "", "arn:aws:s3:::ledger", SNC, "Its ARN."),
    attribute("control.id", Text, "", "cloudtrail-logging-stopped", SNCEK, "The rule."),
    attribute("control.ids", Text, "list", "|root-used|root-console-login|", N, "All rules that matched the record."),
    attribute("control.title", Text, "", "CloudTrail logging stopped", SNCK, "The rule's title."),
    attribute("control.kind", Text, "", "detective", SNCK, "detective or preventive."),
    attribute("control.severity", Text, "", "CRITICAL", SNCK, "INFORMATIONAL, LOW, MEDIUM, HIGH or CRITICAL; unknown of an AWS Config rule that no table knows."),
    attribute("control.severityScore", Number, "0 to 100", "95", SNCK, "Severity as a number."),
    attribute("control.pillar", Text, "", "CSPM", SNCK, "CSPM, CIEM, CWPP, DSPM or IaC."),
    attribute("control.frameworks", Text, "list", "|CIS-AWS-5.0:4.5|", SNCK, "Framework controls; |unmapped| of an AWS Config rule that no table knows."),
    attribute("control.enabled", Text, "", "true", K, "Whether a detective control runs: false when rules.disable names it."),
    attribute("control.evaluated", Text, "", "false", K, "Whether AWS Config evaluates a preventive control anywhere; unknown when nobody knows what is deployed."),
    attribute("control.remediation", Text, "", "Start logging again.", SN, "What to do."),
    attribute("control.runbookUrl", Text, "", "https://example.com/runbook", SN, "Where the steps are."),
    attribute("attack.tactic", Text, "", "defense-evasion", SNK, "Primary ATT&CK tactic, to facet on."),
    attribute("attack.technique", Text, "", "T1562.008", SNK, "Primary ATT&CK technique, to facet on."),
    attribute("attack.tactics", Text, "list", "|defense-evasion|", SNK, "All tactics."),
    attribute("attack.techniques", Text, "list", "|T1562.008|", SNK, "All techniques."),
    attribute("compliance.state", Text, "", "NON_COMPLIANT", NC, "COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE or INSUFFICIENT_DATA, as AWS Config says; LEFT when the resource or the rule was deleted; EXCEPTED instead of NON_COMPLIANT while an exception covers it."),
    attribute("compliance.previousState", Text, "", "COMPLIANT", NC, "The state before; NONE when there was none."),
    attribute("compliance.annotation", Text, "", "public ACL", NC, "Why, in the rule's words."),
    attribute("compliance.exception.owner", Text, "", "web-team", C, "Who answers for the exception that covers the violation."),
    attribute("compliance.exception.reason", Text, "", "public web site", C, "Why it is excepted."),
    attribute("compliance.exception.expires", Text, "", "2027-01-31", C, "When the exception ends, as its file says."),
    attribute("compliance.ruleName", Text, "", "securityhub-restricted-ssh-1a2b3c4d", NC, "The rule as it was deployed; control.id is the managed rule behind it."),
    attribute("compliance.ruleArn", Text, "", "arn:aws:config:eu-west-1:111122223333:config-rule/config-rule-abc123", NC, "Names the deployed rule exactly."),
    attribute("detection.id", Text, "", "6d2d5e0a-8a5b-4d0c-9a46-1f0000000001:root-used", SN, "event.id and rule."),
    attribute("detection.primary", Text, "", "true", S, "true on the most severe detection of a record: count these to count records."),
    attribute("relay.version", Text, "", "0.1.0", ALL, "Version of the agent."),
    attribute("relay.source", Text, "", "trail", SNCHG, "Name of the source that the record came through."),
    attribute("relay.agent", Text, "", "i-0abc-1", HGEK, "Which agent: host name and a number made at start."),
    attribute("relay.lagMs", Number, "ms", "42000", SNC, "Arrival at the agent minus event.time."),
    attribute("relay.late", Text, "", "false", SNC, "true when timestamp is the time of sending because the record was outside the ingest window."),
    attribute("relay.truncated", Text, "list", "|event.errorMessage|", SNCHGEK, "Names of values that were cut to fit."),
    attribute("gap.id", Text, "", "1f0c6d2d5e0a8a5b4d0c9a461f000000", G, "A hash of object, version, kind and records read: the same when the gap is told again."),
    attribute("gap.object", Text, "", "s3://org-trail/AWSLogs/a.json.gz", G, "What could not be read."),
    attribute("gap.kind", Text, "", "gone", G, "gone, corrupt, tooLarge or unpacksTooLarge."),
    attribute("gap.reason", Text, "", "truncated or corrupt: ends in the middle of a record", G, "Why."),
    attribute("gap.recordsRead", Number, "", "12", G, "Records delivered before the gap."),
    attribute("exception.id", Text, "", "1f0c6d2d5e0a8a5b4d0c9a461f000000", E, "A hash of control, scope, owner and expiry: the same from every agent, each time it is told."),
    attribute("exception.state", Text, "", "expired", E, "expired: it mutes nothing any more."),
    attribute("exception.owner", Text, "", "web-team", E, "Who answers for it."),
    attribute("exception.reason", Text, "", "public web site", E, "Why it was there."),
    attribute("exception.scope", Text, "", "accounts: 111122223333; regions: eu-west-1", E, "What the control was muted for; absent: everything."),
    attribute("exception.expires", Text, "", "2027-01-31", E, "Its end, as its file says."),
    attribute("exception.expiresTime", Number, "ms since epoch", "1801440000000", E, "Its end."),
    attribute("doctor.id", Text, "", "0f1e2d3c4b5a69788796a5b4c3d2e1f0", D, "Names the test event of `doctor newrelic`, so that it can be found again."),
    attribute("heartbeat.recordsReceived", Number, "count", "1", H, "Records taken in this minute."),
    attribute("heartbeat.recordsDelivered", Number, "count", "1", H, "Records that New Relic accepted."),
    attribute("heartbeat.recordsIgnored", Number, "count", "1", H, "Records that no rule and no output wanted."),
    attribute("heartbeat.recordsSuppressed", Number, "count", "1", H, "Records muted by an exception."),
    attribute("heartbeat.recordsDuplicate", Number, "count", "1", H, "Copies of records that ended well."),
    attribute("heartbeat.recordsUnreadable", Number, "count", "1", H, "Broken records, in the dead letters."),
    attribute("heartbeat.recordsRejected", Number, "count", "1", H, "Records with a refused piece, in the dead letters."),
    attribute("heartbeat.recordsReturned", Number, "count", "1", H, "Records the source will offer again."),
    attribute("heartbeat.objectsReceived", Number, "count", "1", H, "Objects taken."),
    attribute("heartbeat.objectsReleased", Number, "count", "1", H, "Objects let go."),
    attribute("heartbeat.objectsParked", Number, "count", "1", H, "Objects named in the dead letters."),
    attribute("heartbeat.objectsReturned", Number, "count", "1", H, "Objects the source will offer again."),
    attribute("heartbeat.bytesPacked", Number, "bytes", "1", H, "Bytes fetched."),
    attribute("heartbeat.bytesUnpacked", Number, "bytes", "1", H, "Bytes of record JSON."),
    attribute("heartbeat.detections", Number, "count", "1", H, "Detections made."),
    attribute("heartbeat.truncated", Number, "count", "1", H, "Values cut to fit a limit."),
    attribute("heartbeat.skipped", Number, "count", "1", H, "Messages and objects that hold no records."),
    attribute("heartbeat.redelivered", Number, "count", "1", H, "Messages that had been received before."),
    attribute("heartbeat.lagMsMax", Number, "ms", "1", H, "Largest lag in this minute."),
    attribute("heartbeat.queueAgeMs", Number, "ms", "1", H, "Age of the oldest message of the last poll."),
    attribute("heartbeat.newestEventTime", Number, "ms since epoch", "1", H, "Time of the newest record."),
    attribute("heartbeat.retries", Number, "count", "1", H, "Requests sent again in this minute, all sources."),
    attribute("heartbeat.requests", Number, "count", "1", H, "Requests answered in this minute, all sources."),
    attribute("heartbeat.id", Text, "", "agent:trail:1795292071000", H, "Names the heartbeat, so that a repeated one can be told."),
];

/// Names of request parameters that pass the allow-list begin with this; each is text.
pub const REQUEST_PREFIX: &str = "request.";

static NAMES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| ATTRIBUTES.iter().map(|attribute| attribute.name).collect());

/// Whether a name may be sent.
#[must_use]
pub fn knows(name: &str) -> bool {
    NAMES.contains(name) || name.starts_with(REQUEST_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::super::limits;
    use super::*;

    /// S3-12: no emitted attribute is a reserved name.
    #[test]
    fn names_are_unique_legal_and_not_reserved() {
        assert_eq!(NAMES.len(), ATTRIBUTES.len(), "a name stands twice");
        for attribute in ATTRIBUTES {
            let name = attribute.name;
            assert!(!limits::RESERVED_NAMES.contains(&name) && !name.starts_with(limits::RESERVED_PREFIX), "{name} is reserved");
            assert!(name.len() <= limits::NAME_BYTES, "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'), "{name}");
            assert!(!attribute.meaning.is_empty() && !attribute.example.is_empty() && !attribute.events.is_empty(), "{name}");
            if attribute.kind == Number {
                assert!(attribute.example.parse::<i64>().is_ok(), "{name}: {}", attribute.example);
            }
        }
        assert!(ATTRIBUTES.len() < limits::ATTRIBUTES_SENT);
    }
}
