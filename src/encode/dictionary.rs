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
/// One per account, Region and conformance pack. A type of its own: a pack's rules are rules of the place too, and counted together
/// with them they would count twice.
pub const PACK_SNAPSHOT: &str = "AwsConformancePackSnapshot";
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
/// The test event of `cspm-relay doctor newrelic`: a type of its own, which no dashboard and no condition reads, so that a
/// test never counts as data.
pub const DOCTOR: &str = "CspmRelayDoctor";
/// Results of a Security Hub insight that a person sent on.
pub const FINDING_INSIGHT: &str = "AwsFindingInsight";
/// An exception that mutes nothing any more.
pub const EXCEPTION: &str = "CspmRelayException";

/// All of them that are sent.
pub const EVENTS: &[&str] = &[
    SECURITY_EVENT,
    NOTICE,
    COMPLIANCE_CHANGE,
    FINDING,
    FINDING_SNAPSHOT,
    COMPLIANCE_SNAPSHOT,
    VIOLATION,
    POSTURE_SUMMARY,
    FRAMEWORK_SNAPSHOT,
    PACK_SNAPSHOT,
    POSTURE_RUN,
    RESOURCE_CHANGE,
    IDENTITY_POSTURE,
    CONTROL,
    HEARTBEAT,
    GAP,
    DOCTOR,
    FINDING_INSIGHT,
    EXCEPTION,
];

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text; flags are the words `true` and `false`, lists are `|a|b|`.
    Text,
    /// A number: whole, unless it is a percent or a score.
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
const F: &[&str] = &[FINDING];
const R: &[&str] = &[RESOURCE_CHANGE];
const V: &[&str] = &[VIOLATION];
const K: &[&str] = &[COMPLIANCE_SNAPSHOT];
const P: &[&str] = &[POSTURE_SUMMARY];
const KP: &[&str] = &[COMPLIANCE_SNAPSHOT, POSTURE_SUMMARY];
const W: &[&str] = &[FRAMEWORK_SNAPSHOT];
const B: &[&str] = &[PACK_SNAPSHOT];
const N: &[&str] = &[NOTICE];
const O: &[&str] = &[FINDING_SNAPSHOT];
const I: &[&str] = &[FINDING_INSIGHT];
const U: &[&str] = &[POSTURE_RUN];
const T: &[&str] = &[CONTROL];
const E: &[&str] = &[EXCEPTION];
const H: &[&str] = &[HEARTBEAT];
const G: &[&str] = &[GAP];
const D: &[&str] = &[DOCTOR];
const Y: &[&str] = &[IDENTITY_POSTURE];
const SN: &[&str] = &[SECURITY_EVENT, NOTICE];
const SNT: &[&str] = &[SECURITY_EVENT, NOTICE, CONTROL];
const NC: &[&str] = &[NOTICE, COMPLIANCE_CHANGE];
const NF: &[&str] = &[NOTICE, FINDING];
const CF: &[&str] = &[COMPLIANCE_CHANGE, FINDING];
const SNR: &[&str] = &[SECURITY_EVENT, NOTICE, RESOURCE_CHANGE];
const SNRY: &[&str] = &[SECURITY_EVENT, NOTICE, RESOURCE_CHANGE, IDENTITY_POSTURE];
const SNF: &[&str] = &[SECURITY_EVENT, NOTICE, FINDING];
const SNFV: &[&str] = &[SECURITY_EVENT, NOTICE, FINDING, VIOLATION];
const VO: &[&str] = &[VIOLATION, FINDING_SNAPSHOT];
const NCV: &[&str] = &[NOTICE, COMPLIANCE_CHANGE, VIOLATION];
const NFO: &[&str] = &[NOTICE, FINDING, FINDING_SNAPSHOT];
const SNFT: &[&str] = &[SECURITY_EVENT, NOTICE, FINDING, CONTROL];
const NCVK: &[&str] = &[NOTICE, COMPLIANCE_CHANGE, VIOLATION, COMPLIANCE_SNAPSHOT];
const NCFVK: &[&str] = &[NOTICE, COMPLIANCE_CHANGE, FINDING, VIOLATION, COMPLIANCE_SNAPSHOT];
const UTEHG: &[&str] = &[POSTURE_RUN, CONTROL, EXCEPTION, HEARTBEAT, GAP];
const SNCFRV: &[&str] = &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, FINDING, RESOURCE_CHANGE, VIOLATION];
const SNCFRVY: &[&str] = &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, FINDING, RESOURCE_CHANGE, VIOLATION, IDENTITY_POSTURE];
const SNCFRI: &[&str] = &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, FINDING, RESOURCE_CHANGE, FINDING_INSIGHT];
const SNCFVT: &[&str] = &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, FINDING, VIOLATION, CONTROL];
const VKPWBOUY: &[&str] = &[
    VIOLATION,
    COMPLIANCE_SNAPSHOT,
    POSTURE_SUMMARY,
    FRAMEWORK_SNAPSHOT,
    PACK_SNAPSHOT,
    FINDING_SNAPSHOT,
    POSTURE_RUN,
    IDENTITY_POSTURE,
];
const SNCFVOT: &[&str] = &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, FINDING, VIOLATION, FINDING_SNAPSHOT, CONTROL];
const SNCFVKOT: &[&str] =
    &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, FINDING, VIOLATION, COMPLIANCE_SNAPSHOT, FINDING_SNAPSHOT, CONTROL];
const SNCFRVKBOI: &[&str] = &[
    SECURITY_EVENT,
    NOTICE,
    COMPLIANCE_CHANGE,
    FINDING,
    RESOURCE_CHANGE,
    VIOLATION,
    COMPLIANCE_SNAPSHOT,
    PACK_SNAPSHOT,
    FINDING_SNAPSHOT,
    FINDING_INSIGHT,
];
const SNCFROIHG: &[&str] =
    &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, FINDING, RESOURCE_CHANGE, FINDING_SNAPSHOT, FINDING_INSIGHT, HEARTBEAT, GAP];
const SNCFVKOTE: &[&str] =
    &[SECURITY_EVENT, NOTICE, COMPLIANCE_CHANGE, FINDING, VIOLATION, COMPLIANCE_SNAPSHOT, FINDING_SNAPSHOT, CONTROL, EXCEPTION];
const SNCFRVPWBOIY: &[&str] = &[
    SECURITY_EVENT,
    NOTICE,
    COMPLIANCE_CHANGE,
    FINDING,
    RESOURCE_CHANGE,
    VIOLATION,
    POSTURE_SUMMARY,
    FRAMEWORK_SNAPSHOT,
    PACK_SNAPSHOT,
    FINDING_SNAPSHOT,
    FINDING_INSIGHT,
    IDENTITY_POSTURE,
];
const SNCFRVKPWBOIGY: &[&str] = &[
    SECURITY_EVENT,
    NOTICE,
    COMPLIANCE_CHANGE,
    FINDING,
    RESOURCE_CHANGE,
    VIOLATION,
    COMPLIANCE_SNAPSHOT,
    POSTURE_SUMMARY,
    FRAMEWORK_SNAPSHOT,
    PACK_SNAPSHOT,
    FINDING_SNAPSHOT,
    FINDING_INSIGHT,
    GAP,
    IDENTITY_POSTURE,
];
const SNCFRVOITEHGY: &[&str] = &[
    SECURITY_EVENT,
    NOTICE,
    COMPLIANCE_CHANGE,
    FINDING,
    RESOURCE_CHANGE,
    VIOLATION,
    FINDING_SNAPSHOT,
    FINDING_INSIGHT,
    CONTROL,
    EXCEPTION,
    HEARTBEAT,
    GAP,
    IDENTITY_POSTURE,
];
const SNCFRVPOIUTEHGDY: &[&str] = &[
    SECURITY_EVENT,
    NOTICE,
    COMPLIANCE_CHANGE,
    FINDING,
    RESOURCE_CHANGE,
    VIOLATION,
    POSTURE_SUMMARY,
    FINDING_SNAPSHOT,
    FINDING_INSIGHT,
    POSTURE_RUN,
    CONTROL,
    EXCEPTION,
    HEARTBEAT,
    GAP,
    DOCTOR,
    IDENTITY_POSTURE,
];

/// All attributes, in the order in which people look for them.
#[rustfmt::skip]
pub const ATTRIBUTES: &[Attribute] = &[
    attribute("event.id", Text, "", "6d2d5e0a-8a5b-4d0c-9a46-1f0000000001", SNCFRI, "Names the AWS record: eventID, else eventId, else a hash; of a change of state a hash of rule, resource and time, of a change of a resource one of resource, time and state, of a finding one of the finding, its time, status and severity, of one in code with the scan in place of the time. Joins events, notices, logs and the console."),
    attribute("event.sharedId", Text, "", "49bfae88-c9c9-4f39-857c-558a60f14b5d", SN, "The same in every copy of one action that AWS delivered to several accounts, and in both ends of an Insights event: sharedEventID."),
    attribute("event.name", Text, "", "StopLogging", SN, "The API call."),
    attribute("event.category", Text, "", "Management", SNCFRI, "Management, Data, NetworkActivity, Insight or Aggregated; Compliance of what AWS Config judges; Configuration of what it records; Finding of what Security Hub and its like say."),
    attribute("event.outcome", Text, "", "success", SN, "success, failure or unknown."),
    attribute("event.errorCode", Text, "", "AccessDenied", SN, "AWS error code of a refused or failed call."),
    attribute("event.errorMessage", Text, "", "User is not authorized", SN, "AWS error message."),
    attribute("event.readOnly", Text, "", "false", SN, "Whether the call changed nothing; 'unknown' when the record does not say."),
    attribute("event.addendum", Text, "", "DELIVERY_DELAY", SN, "Why AWS delivered the record late or again."),
    attribute("event.time", Number, "ms since epoch", "1795292071000", SNCFRI, "When it happened, as AWS wrote it."),
    attribute("event.date", Text, "", "2026-11-21", SNCFRI, "Day of event.time in the configured zone."),
    attribute("event.week", Text, "", "2026-W47", SNCFRI, "ISO week of event.time in the configured zone."),
    attribute("event.month", Text, "", "2026-11", SNCFRI, "Month of event.time in the configured zone."),
    attribute("aws.accountId", Text, "", "111122223333", SNCFRVKPWBOIGY, "Account the record belongs to."),
    attribute("aws.accountName", Text, "", "prod-payments", SNCFRVPWBOIY, "Its name; the id when no name is known."),
    attribute("aws.organizationalUnit", Text, "", "Workloads/Prod", SNCFRVPWBOIY, "Its organizational unit path; 'unknown' when none is known."),
    attribute("aws.environment", Text, "", "prod", SNCFRVPWBOIY, "Environment, from the accounts file or the account's tags; 'unknown' when none is known."),
    attribute("aws.owner", Text, "", "payments-team", SNCFRVPWBOIY, "Owner: a tag of the account, else of the resource (changes of resources and findings), else the accounts file."),
    attribute("aws.region", Text, "", "ap-northeast-1", SNCFRVKBOI, "Region of the call."),
    attribute("aws.partition", Text, "", "aws", SNCFRVY, "AWS partition."),
    attribute("aws.service", Text, "", "cloudtrail", SNCFRV, "Service of the call."),
    attribute("actor.kind", Text, "", "human", SNRY, "root, human, workload, awsService, federated, ci or unknown; of an identity what stands behind it, as far as its credentials or those who may take it tell."),
    attribute("actor.type", Text, "", "AssumedRole", SN, "userIdentity.type; 'None' when the record has none."),
    attribute("actor.name", Text, "", "Ops/ada", SNR, "One name for the actor, never empty."),
    attribute("actor.arn", Text, "", "arn:aws:sts::111122223333:assumed-role/Ops/ada", SNR, "ARN of the caller."),
    attribute("actor.accountId", Text, "", "111122223333", SN, "Account of the caller."),
    attribute("actor.sessionIssuer", Text, "", "arn:aws:iam::111122223333:role/Ops", SNR, "Role or user that issued the session."),
    attribute("actor.sourceIdentity", Text, "", "ada", SN, "sourceIdentity set when the role was assumed."),
    attribute("actor.mfa", Text, "", "true", SN, "Whether MFA was used, when the record says."),
    attribute("source.ip", Text, "", "203.0.113.7", SNR, "Source address, service name or AWS Internal."),
    attribute("source.userAgent", Text, "", "aws-cli/2.31.0", SNR, "User agent."),
    attribute("novelty.api", Text, "", "true", SN, "Whether the user or role, whatever the session, made this call in this account for the first time, refused calls included: true, false, or unknown while the agent still learns, where it may have forgotten, or where the record names nobody. Absent with novelty.memory 0. Each agent knows what it has read itself."),
    attribute("novelty.address", Text, "", "false", SN, "The same of the user or role and source.ip."),
    attribute("resource.type", Text, "", "AWS::S3::Bucket", SNCFRV, "Type of the resource acted on; 'unknown' when the record does not tell."),
    attribute("resource.id", Text, "", "ledger", SNCFRV, "Its id or name; 'unknown' when the record does not tell."),
    attribute("resource.name", Text, "", "deploy", R, "Its name, of a type that has names beside ids."),
    attribute("resource.arn", Text, "", "arn:aws:s3:::ledger", SNCFRV, "Its ARN."),
    attribute("control.id", Text, "", "cloudtrail-logging-stopped", SNCFVKOTE, "The rule; of a finding Security Hub's control, else its type."),
    attribute("control.ids", Text, "list", "|root-used|root-console-login|", NF, "All rules that matched the record; of a finding its control and the rules of AWS Config behind that, which are control.id of compliance rows; of a finding in code the scanner's rule and the controls of AWS that ask for the same."),
    attribute("control.configRule", Text, "", "restricted-ssh", NF, "The rule of AWS Config behind a finding's control, where there is one: joins it to control.id of compliance rows."),
    attribute("control.securityHubIds", Text, "list", "|EC2.13|", NCV, "Security Hub controls that ask for what the AWS Config rule does, to join findings by their control.id; absent when there are none."),
    attribute("control.title", Text, "", "CloudTrail logging stopped", SNCFVT, "The rule's title; of a finding the control's, else its type."),
    attribute("control.author", Text, "", "Ada Lovelace", SNT, "Who wrote the rule, where it did not come with the relay and its file says so."),
    attribute("control.kind", Text, "", "detective", SNCFVOT, "detective, preventive, or finding; manual or inherited of a control that no rule judges."),
    attribute("control.severity", Text, "", "CRITICAL", SNCFVKOT, "INFORMATIONAL, LOW, MEDIUM, HIGH or CRITICAL; unknown of an AWS Config rule that no table knows. Of a finding after findings.severity."),
    attribute("control.severityScore", Number, "0 to 100", "95", SNCFVKOT, "Severity as a number."),
    attribute("control.pillar", Text, "", "CSPM", SNCFVOT, "CSPM, CIEM, CWPP, DSPM or IaC."),
    attribute("control.frameworks", Text, "list", "|CIS-AWS-5.0:4.5|", SNCFVT, "Framework controls; |unmapped| of an AWS Config rule or a finding that no table knows."),
    attribute("control.enabled", Text, "", "true", T, "Whether a detective control runs: false when rules.disable names it."),
    attribute("control.evaluated", Text, "", "false", T, "Whether AWS Config evaluates a preventive control anywhere; unknown when nobody knows what is deployed."),
    attribute("control.responsibility", Text, "", "customer", T, "Whose part of the shared responsibility it is: aws, customer or shared; customer unless frameworks.file says otherwise."),
    attribute("control.automation", Text, "", "automated", T, "automated: a rule judges it; manual: people see to it; inherited: AWS does. The last two as frameworks.file says."),
    attribute("control.automationReason", Text, "", "people test it once a year", T, "Why it is not automated."),
    attribute("control.attestedBy", Text, "", "ada", T, "Who attests that it holds, where no rule judges it."),
    attribute("control.attestedOn", Text, "", "2026-11-21", T, "The day of the attestation."),
    attribute("control.remediation", Text, "", "Start logging again.", SNF, "What to do."),
    attribute("control.runbookUrl", Text, "", "https://example.com/runbook", SNFV, "Where the steps are."),
    attribute("attack.tactic", Text, "", "defense-evasion", SNFT, "Primary ATT&CK tactic, to facet on."),
    attribute("attack.technique", Text, "", "T1562.008", SNFT, "Primary ATT&CK technique, to facet on."),
    attribute("attack.tactics", Text, "list", "|defense-evasion|", SNFT, "All tactics."),
    attribute("attack.techniques", Text, "list", "|T1562.008|", SNFT, "All techniques."),
    attribute("compliance.state", Text, "", "NON_COMPLIANT", NCVK, "COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE or INSUFFICIENT_DATA, as AWS Config says; LEFT when the resource or the rule was deleted; EXCEPTED instead of NON_COMPLIANT while an exception covers it."),
    attribute("compliance.previousState", Text, "", "COMPLIANT", NC, "The state before; NONE when there was none, LEFT when it had left."),
    attribute("compliance.annotation", Text, "", "public ACL", NCV, "Why, in the rule's words."),
    attribute("compliance.exception.owner", Text, "", "web-team", CF, "Who answers for the exception that covers the violation or the finding."),
    attribute("compliance.exception.reason", Text, "", "public web site", CF, "Why it is excepted."),
    attribute("compliance.exception.expires", Text, "", "2027-01-31", CF, "When the exception ends, as its file says."),
    attribute("compliance.ruleName", Text, "", "securityhub-restricted-ssh-1a2b3c4d", NCFVK, "The rule as it was deployed; control.id is the managed rule behind it."),
    attribute("compliance.ruleArn", Text, "", "arn:aws:config:eu-west-1:111122223333:config-rule/config-rule-abc123", NCV, "Names the deployed rule exactly."),
    attribute("finding.transition", Text, "", "new", NF, "new, worsened, reopened, resolved or updated. Unchanged imports are counted in the heartbeat, not sent."),
    attribute("finding.status", Text, "", "OPEN", NF, "OPEN, SUPPRESSED or RESOLVED, after the transition: one scale for every product. EXCEPTED instead of OPEN while an exception covers it."),
    attribute("finding.previousStatus", Text, "", "RESOLVED", NF, "The status before; absent when nobody knew the finding."),
    attribute("finding.previousSeverity", Text, "", "MEDIUM", NF, "The severity before; absent when nobody knew the finding."),
    attribute("finding.key", Text, "", "1f0c6d2d5e0a8a5b4d0c9a461f000000", NF, "Names the finding: the same in every form, Region and account that AWS copies it to. Facet on it for the latest row of each."),
    attribute("finding.id", Text, "", "arn:aws:securityhub:eu-west-1:111122223333:security-control/S3.8/finding/0001", NF, "Its id as the product has it."),
    attribute("finding.product", Text, "", "Security Hub", NFO, "Who found it: Security Hub, GuardDuty, Inspector, Macie, IAM Access Analyzer, or another product's own name, as that of a scanner of code."),
    attribute("finding.form", Text, "", "asff", NF, "The form it came in: asff, ocsf, guardduty, inspector, macie, accessAnalyzer or sarif."),
    attribute("finding.title", Text, "", "S3 bucket does not block public access", NF, "Its title."),
    attribute("finding.types", Text, "list", "|UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B|", NF, "What sort it is, most specific first."),
    attribute("finding.severityOriginal", Text, "", "7.5", NF, "The severity as the product has it."),
    attribute("finding.workflow", Text, "", "NEW", NF, "What people made of it in Security Hub: NEW, NOTIFIED, SUPPRESSED, RESOLVED, IN_PROGRESS, …"),
    attribute("finding.recordState", Text, "", "ACTIVE", NF, "What the provider says: ACTIVE, ARCHIVED, CLOSED, …"),
    attribute("finding.complianceStatus", Text, "", "FAILED", NF, "What a control says: PASSED, FAILED, WARNING or NOT_AVAILABLE."),
    attribute("finding.firstSeen", Number, "ms since epoch", "1795292071000", NF, "When it was first seen."),
    attribute("finding.openMs", Number, "ms", "3600000", NF, "event.time minus finding.firstSeen: on a resolved one, how long it took."),
    attribute("finding.reopened", Number, "count", "0", NF, "How often it was reopened."),
    attribute("finding.standards", Text, "list", "|standards/aws-foundational-security-best-practices/v/1.0.0|", NF, "Security Hub's standards that ask for the control."),
    attribute("finding.resources", Number, "count", "1", NF, "Resources that it is about; resource.id is the first."),
    attribute("finding.resourceIds", Text, "list", "|arn:aws:s3:::ledger|arn:aws:s3:::exports|", NF, "All of them, when there is more than one."),
    attribute("finding.toldIn", Text, "", "eu-west-1", NF, "Region of the event it came in; aws.region is the finding's own."),
    attribute("finding.count", Number, "count", "2", NF, "How often it was seen."),
    attribute("finding.attackSequence", Text, "", "arn:aws:guardduty:us-east-1:111122223333:detector/0000/finding/00c1", NF, "GuardDuty attack sequence that it is, or is part of."),
    attribute("finding.feature", Text, "", "RuntimeMonitoring", NF, "GuardDuty feature that saw it."),
    attribute("finding.cve", Text, "", "CVE-2026-0001", NF, "Vulnerability."),
    attribute("finding.cvss", Number, "0 to 10", "9.8", NF, "Its CVSS score, Inspector's own where there is one."),
    attribute("finding.epss", Number, "0 to 1", "0.42", NF, "How likely it is used within 30 days (EPSS). A change of this alone is not told."),
    attribute("finding.fixAvailable", Text, "", "YES", NF, "YES, NO or PARTIAL."),
    attribute("finding.exploitAvailable", Text, "", "NO", NF, "YES or NO."),
    attribute("finding.packages", Text, "list", "|openssl@3.0.2|", NF, "Packages that have it, name@version."),
    attribute("finding.fixedIn", Text, "", "3.0.13", NF, "The version that mends the first of them."),
    attribute("finding.repository", Text, "", "payments/api", NF, "ECR repository of the container image."),
    attribute("finding.imageDigest", Text, "", "sha256:0f1e", NF, "Digest of the container image."),
    attribute("finding.category", Text, "", "CLASSIFICATION", NF, "Macie: POLICY or CLASSIFICATION."),
    attribute("finding.bucket", Text, "", "ledger", NF, "Bucket that Macie looked at."),
    attribute("finding.objectKey", Text, "", "2026/11.csv", NF, "Object that Macie looked at."),
    attribute("finding.dataTypes", Text, "list", "|CREDIT_CARD_NUMBER|NAME|", NF, "Kinds of sensitive data that Macie found, never their values."),
    attribute("finding.dataCount", Number, "count", "12", NF, "Occurrences of sensitive data, all kinds."),
    attribute("finding.public", Text, "", "true", NF, "Whether everybody has access, where Macie or Access Analyzer says."),
    attribute("finding.principal", Text, "", "AWS:*", NF, "Who has access, as Access Analyzer says."),
    attribute("finding.accessType", Text, "", "UnusedPermission", NF, "Kind of access that Access Analyzer found."),
    attribute("finding.userFields", Text, "list", "|team:blue|", NF, "What people wrote to it in Security Hub: UserDefinedFields, name:value."),
    attribute("finding.deleted", Text, "", "true", NF, "true when the resource was deleted."),
    attribute("finding.sample", Text, "", "true", NF, "true when a person made it to try things out."),
    attribute("finding.open", Number, "count", "3", O, "Open findings of this control and severity in this account and Region, but for those that are excepted."),
    attribute("finding.excepted", Number, "count", "1", O, "Open ones that an exception covered when they were told last, and that is not over."),
    attribute("finding.suppressed", Number, "count", "1", O, "Those set aside."),
    attribute("code.message", Text, "", "Bucket has no access log", F, "What the scanner says of this place; secrets masked."),
    attribute("code.file", Text, "", "infra/storage.tf", F, "File, relative to the code where anything says what it is in."),
    attribute("code.line", Number, "", "12", F, "First line, from 1."),
    attribute("code.endLine", Number, "", "18", F, "Last line."),
    attribute("code.column", Number, "", "3", F, "First column, from 1."),
    attribute("code.logicalLocation", Text, "", "module.data.aws_s3_bucket.ledger", F, "Terraform address or logical id, where the scanner names one."),
    attribute("code.repository", Text, "", "https://git.example.com/payments/infra", F, "Where the code comes from, without user and password; 'unknown' when neither the file nor --repository says."),
    attribute("code.branch", Text, "", "main", F, "Branch; 'unknown' when nobody says."),
    attribute("code.revision", Text, "", "4b1d0c9a46", F, "Commit that was scanned."),
    attribute("code.scan", Text, "", "infra/nightly/2026-11-21", F, "The scan, as the file names it."),
    attribute("code.toolVersion", Text, "", "3.2.0", F, "Version of the scanner; finding.product is its name."),
    attribute("code.baselineState", Text, "", "new", F, "new, updated or absent, where the scanner compared the scan with another one."),
    attribute("change.type", Text, "", "UPDATE", R, "CREATE, UPDATE or DELETE, as AWS Config says; unknown when only the new state is known."),
    attribute("change.status", Text, "", "OK", R, "Status of the configuration item: OK, ResourceDiscovered, ResourceDeleted and others."),
    attribute("change.paths", Text, "list", "|Configuration.IpPermissions.0|", R, "Properties that changed, the first 50."),
    attribute("change.pathCount", Number, "count", "1", R, "How many properties changed."),
    attribute("change.before", Text, "JSON", "{\"Tags.owner\":\"a\"}", R, "What they were, by path; secrets masked."),
    attribute("change.after", Text, "JSON", "{\"Tags.owner\":\"b\"}", R, "What they are."),
    attribute("change.summary", Text, "", "UPDATE AWS::S3::Bucket ledger: Tags.owner: \"a\" → \"b\"", R, "The same in one line, for people."),
    attribute("change.tagsOnly", Text, "", "false", R, "true when nothing but tags changed."),
    attribute("change.origin", Text, "", "stream", R, "stream: its notification told it; history: a history file of AWS Config, which does not say what was before, and whose changes mostly have no actor. Told in both ways a change has one event.id: count with uniqueCount(event.id)."),
    attribute("change.oversized", Text, "", "false", R, "true when the item was too long for its notification and could not be fetched: what changed is not known."),
    attribute("change.actorConfidence", Text, "", "certain", R, "certain: AWS names the trail record, or exactly one fits and this agent alone has read the trail since before; likely: several fit, all by the same actor, or one does and another agent may have read more; ambiguous: several by different actors; none: none was seen."),
    attribute("change.viaPipeline", Text, "", "false", R, "true when a delivery pipeline made the change; absent when nothing tells."),
    attribute("change.eventId", Text, "", "6d2d5e0a-8a5b-4d0c-9a46-1f0000000001", R, "event.id of the trail record that made the change."),
    attribute("change.eventName", Text, "", "PutBucketPolicy", R, "The call that made the change."),
    attribute("change.candidates", Text, "list", "|6d2d5e0a-8a5b-4d0c-9a46-1f0000000001|6d2d5e0a-8a5b-4d0c-9a46-1f0000000002|", R, "event.id of the trail records that fit, when they are by different actors; the first 20."),
    attribute("iac.tool", Text, "", "cloudformation", R, "cloudformation, cdk, terraform, opentofu or pulumi, as the tags of the resource say."),
    attribute("iac.stack", Text, "", "web-prod", R, "Stack or workspace, as the tags say."),
    attribute("iac.path", Text, "", "PaymentsBucket", R, "Where in it: logical id, module, project or file, as the tags say."),
    attribute("compliance.since", Number, "ms since epoch", "1795292071000", NCV, "When the violation that is now, or has just ended, began; absent when nobody knows."),
    attribute("compliance.firstSeen", Number, "ms since epoch", "1795292071000", NCV, "When the resource was first seen to violate this rule."),
    attribute("compliance.reopenCount", Number, "count", "1", NCV, "How often it violated again after it was mended; absent of what never violated."),
    attribute("compliance.resolvedAfterMs", Number, "ms", "7200000", NC, "How long the violation lasted that has just ended."),
    attribute("compliance.origin", Text, "", "stream", NC, "stream: an event told the change; reconcile: reading AWS Config found it, its event was missed."),
    attribute("compliance.outOfOrder", Text, "", "false", NC, "true when something newer of this rule and resource was known already."),
    attribute("compliance.evaluatedAt", Number, "ms since epoch", "1795292071000", NCV, "When AWS Config recorded this result; absent when nobody knows, and of what left."),
    attribute("compliance.observedAt", Number, "ms since epoch", "1795292071000", NCV, "When this was last known to be so: an event told it, or AWS Config was read; an aggregator is six hours behind."),
    attribute("compliance.ageDays", Number, "days", "12", V, "Whole days since compliance.since; absent when nobody knows since when."),
    attribute("compliance.exposure", Text, "", "public", VO, "public when a rule that watches just that says that the internet, or every AWS account, reaches the resource: of a violation that or another rule which the resource violates, of open findings their control; else absent: nothing says it."),
    attribute("compliance.compliantResources", Number, "count", "3", K, "Resources that are compliant under this rule."),
    attribute("compliance.violatingResources", Number, "count", "3", K, "Resources that violate this rule."),
    attribute("compliance.notApplicableResources", Number, "count", "3", K, "Resources that this rule does not concern."),
    attribute("compliance.unknownResources", Number, "count", "3", K, "Resources without a result of this rule."),
    attribute("snapshot.id", Text, "", "summary-1795292071000", VKPWBOUY, "Names the run: the same in all its rows. Those of the newest AwsPostureRun of the kind with run.accepted = 'true' are what is known now; with run.complete = 'true', of all that is asked."),
    attribute("insight.arn", Text, "", "arn:aws:securityhub:::insight/securityhub/default/10", I, "The insight."),
    attribute("insight.name", Text, "", "Buckets with public access", I, "Its name."),
    attribute("insight.resultType", Text, "", "ResourceId", I, "What it counts by."),
    attribute("insight.result", Text, "", "arn:aws:s3:::ledger", I, "One value."),
    attribute("insight.count", Number, "count", "5", I, "Findings that have it."),
    attribute("posture.compliantRules", Number, "count", "3", P, "Rules, each counted once per Region, of which nothing violates and something is compliant."),
    attribute("posture.violatingRules", Number, "count", "3", P, "Rules, each counted once per Region, that violate."),
    attribute("posture.notApplicableRules", Number, "count", "3", P, "Rules, each counted once per Region, that nothing concerns."),
    attribute("posture.unknownRules", Number, "count", "3", P, "Rules, each counted once per Region, without a result."),
    attribute("posture.percentRules", Number, "percent", "66.67", P, "Compliant rules of those compliant or violating, rounded down; absent when there are none. Exceptions do not raise it."),
    attribute("posture.percentRulesDelta1d", Number, "percent", "-1.5", P, "Difference of posture.percentRules to a day ago, in percentage points; absent when that is not known."),
    attribute("posture.percentRulesDelta7d", Number, "percent", "-1.5", P, "Difference of posture.percentRules to a week ago, in percentage points; absent when that is not known."),
    attribute("posture.violatingRulesDelta1d", Number, "count", "-2", P, "Difference of posture.violatingRules to a day ago; absent when that is not known."),
    attribute("posture.violatingRulesDelta7d", Number, "count", "-2", P, "Difference of posture.violatingRules to a week ago; absent when that is not known."),
    attribute("posture.exceptedRules", Number, "count", "1", P, "Violating rules that an exception mutes; they are counted as violating, too."),
    attribute("posture.compliantResources", Number, "count", "3", P, "Resources, each counted once, of which nothing violates and something is compliant."),
    attribute("posture.violatingResources", Number, "count", "3", P, "Resources, each counted once, that violate."),
    attribute("posture.notApplicableResources", Number, "count", "3", P, "Resources, each counted once, that nothing concerns."),
    attribute("posture.unknownResources", Number, "count", "3", P, "Resources, each counted once, without a result."),
    attribute("posture.percentResources", Number, "percent", "66.67", P, "Compliant resources of those compliant or violating, rounded down; absent when there are none. Exceptions do not raise it."),
    attribute("posture.percentResourcesDelta1d", Number, "percent", "-1.5", P, "Difference of posture.percentResources to a day ago, in percentage points; absent when that is not known."),
    attribute("posture.percentResourcesDelta7d", Number, "percent", "-1.5", P, "Difference of posture.percentResources to a week ago, in percentage points; absent when that is not known."),
    attribute("posture.violatingResourcesDelta1d", Number, "count", "-2", P, "Difference of posture.violatingResources to a day ago; absent when that is not known."),
    attribute("posture.violatingResourcesDelta7d", Number, "count", "-2", P, "Difference of posture.violatingResources to a week ago; absent when that is not known."),
    attribute("posture.exceptedResources", Number, "count", "1", P, "Violating resources that an exception mutes; they are counted as violating, too."),
    attribute("posture.failingRules", Number, "count", "1", P, "Rules that AWS Config fails to run; absent when nobody asked."),
    attribute("posture.regions", Number, "count", "3", P, "Regions of the account that are known or to be read."),
    attribute("posture.regionsRead", Number, "count", "3", P, "Those of them that were read whole in the last two intervals; of the others what was read last is counted, and what events told. Without any that ever was, there are no counts."),
    attribute("posture.regionsNotEnabled", Number, "count", "0", P, "Regions that are asked and where AWS Config was never there: not among posture.regions, and missing in nothing."),
    attribute("posture.observedAt", Number, "ms since epoch", "1795292071000", KP, "When AWS Config was last read whole there; of an account, in the Region where that is longest ago. Absent when it never was."),
    attribute("framework.name", Text, "", "CIS-AWS-5.0", W, "Framework and version."),
    attribute("framework.requirement", Text, "", "4.5", W, "Its number."),
    attribute("framework.id", Text, "", "CIS-AWS-5.0:4.5", W, "Both, as an item of control.frameworks."),
    attribute("framework.state", Text, "", "passed", W, "failed: a rule of it is violated; passed: every rule of it is deployed, each that concerns something is compliant, and what no rule judges is attested; partial: as passed, but rules of it are not deployed or not everything is attested; unknown: nothing judged it, or not every deployed rule has a result."),
    attribute("framework.passedRules", Number, "count", "2", W, "Rules of it that are compliant, each counted once for all Regions."),
    attribute("framework.failedRules", Number, "count", "2", W, "Rules of it that are violated in a Region at least."),
    attribute("framework.unknownRules", Number, "count", "2", W, "Rules of it that are deployed and have no result."),
    attribute("framework.notApplicableRules", Number, "count", "2", W, "Rules of it that are deployed and concern nothing."),
    attribute("framework.notDeployedRules", Number, "count", "2", W, "Rules of it that are not deployed in the account; also a Security Hub control of your own file that AWS Config judges by no rule of its own."),
    attribute("framework.manualItems", Number, "count", "2", W, "Controls of it that people see to; absent when there are none. They are in no other count."),
    attribute("framework.manualAttested", Number, "count", "1", W, "Those of them that somebody has attested, with a day that has come."),
    attribute("framework.inheritedItems", Number, "count", "2", W, "Controls of it that AWS sees to; absent when there are none. They are in no other count."),
    attribute("framework.inheritedAttested", Number, "count", "1", W, "Those of them that somebody has attested, with a day that has come."),
    attribute("pack.name", Text, "", "Operational-Best-Practices-for-PCI-DSS", B, "Conformance pack, as it is deployed."),
    attribute("pack.state", Text, "", "NON_COMPLIANT", B, "COMPLIANT, NON_COMPLIANT or INSUFFICIENT_DATA, as AWS Config sums the pack up."),
    attribute("pack.compliantRules", Number, "count", "40", B, "Rules of it that no resource violates; absent, as the other counts, when its rules could not be read."),
    attribute("pack.violatingRules", Number, "count", "2", B, "Rules of it that a resource violates."),
    attribute("pack.unknownRules", Number, "count", "3", B, "Rules of it without a result."),
    attribute("pack.percentRules", Number, "percent", "95.23", B, "Compliant rules of those compliant or violating, rounded down; absent when there are none."),
    attribute("identity.id", Text, "", "arn:aws:iam::111122223333:user/ada", Y, "Names the identity: its ARN, of a key that of its user with /accessKey/1 or /accessKey/2 behind it."),
    attribute("identity.kind", Text, "", "user", Y, "root, user, role or accessKey."),
    attribute("identity.name", Text, "", "ada", Y, "Its name; of a key the user's."),
    attribute("identity.arn", Text, "", "arn:aws:iam::111122223333:user/ada", Y, "Its ARN; of a key the user's."),
    attribute("identity.path", Text, "", "/teams/", Y, "Its path in IAM; of a key the user's."),
    attribute("identity.owner", Text, "", "payments-team", Y, "Who answers for it, as its own tags say (accounts.tags.owner); of a key the user's."),
    attribute("identity.createdAt", Number, "ms since epoch", "1795292071000", Y, "When it was made; of a key when it was made or changed."),
    attribute("identity.ageDays", Number, "days", "12", Y, "Whole days since then."),
    attribute("identity.passwordEnabled", Text, "", "true", Y, "Of root and users: whether there is a password for the console; unknown when the credential report does not say."),
    attribute("identity.passwordLastUsed", Number, "ms since epoch", "1795292071000", Y, "When it last signed in to the console; absent when IAM knows of no time."),
    attribute("identity.passwordAgeDays", Number, "days", "12", Y, "Whole days since the password was set."),
    attribute("identity.mfaActive", Text, "", "true", Y, "Of root and users: whether there is an MFA device; unknown when the credential report does not say."),
    attribute("identity.activeKeys", Number, "count", "1", Y, "Of root and users: access keys that work; absent when nobody knows."),
    attribute("identity.keySlot", Number, "1 or 2", "1", Y, "Of a key: its place in the credential report. Key ids are never read."),
    attribute("identity.keyActive", Text, "", "true", Y, "Of a key: whether it works."),
    attribute("identity.keyAgeDays", Number, "days", "12", Y, "Of a key: whole days since it was made or changed."),
    attribute("identity.keyLastUsed", Number, "ms since epoch", "1795292071000", Y, "Of a key: when it was used last; absent when IAM knows of no use."),
    attribute("identity.keyLastUsedService", Text, "", "s3", Y, "Of a key: with which service."),
    attribute("identity.keyLastUsedRegion", Text, "", "eu-west-1", Y, "Of a key: in which Region."),
    attribute("identity.keyRotationDue", Text, "", "false", Y, "Of a key: whether it works and is older than posture.identity.keyMaxAgeDays."),
    attribute("identity.roleLastUsed", Number, "ms since epoch", "1795292071000", Y, "Of a role: when it was used last; absent when not within the 400 days that IAM keeps."),
    attribute("identity.roleLastUsedRegion", Text, "", "eu-west-1", Y, "Of a role: in which Region."),
    attribute("identity.isServiceLinked", Text, "", "false", Y, "Of a role: whether it belongs to a service of AWS's, which alone changes it."),
    attribute("identity.trust", Text, "", "otherAccount", Y, "Of a role: the widest of identity.trusts; nobody when none may take it."),
    attribute("identity.trusts", Text, "list", "|otherAccount|awsService|", Y, "Of a role, who may take it: anyone, anyoneUnderCondition, otherAccount, oidc, saml, sameAccount, awsService, unknown; the widest first."),
    attribute("identity.trustedAccounts", Text, "list", "|444455556666|", Y, "Of a role: other accounts that may take it."),
    attribute("identity.overBroad", Text, "", "true", Y, "Whether its policies allow everything, everything but some, or all of IAM; unknown when not every policy could be read. Of a key, what its user may do."),
    attribute("identity.overBroadReasons", Text, "list", "|administratorAccess|", Y, "Why: administratorAccess, powerUserAccess, iamFullAccess, allActions, allButActions, allButResources, iamFull; with UnderCondition behind it where a condition limits it; root."),
    attribute("identity.boundary", Text, "", "arn:aws:iam::111122223333:policy/limit", Y, "Policy that is its permissions boundary."),
    attribute("identity.boundaryLimits", Text, "", "true", Y, "Whether the boundary is itself not over-broad; unknown when it could not be read."),
    attribute("identity.unused", Text, "", "true", Y, "Whether it was not used for posture.identity.unusedDays; unknown when IAM does not tell enough."),
    attribute("identity.unusedReason", Text, "", "notUsed", Y, "notUsed: not within the days; neverUsed: never, and older than the days; notUsedWhileTracked: a role, not for the 400 days that IAM keeps; noCredentials: a user without password and key, of whom IAM tells nothing."),
    attribute("identity.lastUsed", Number, "ms since epoch", "1795292071000", Y, "The last use of any kind that is known."),
    attribute("identity.idleDays", Number, "days", "120", Y, "Whole days since then; of what was never used since it was made, or since IAM began to note uses. At least so many where IAM keeps no more."),
    attribute("identity.grantedServices", Number, "count", "40", Y, "Services of which its policies allow anything; absent unless posture.identity.lastAccessed is on and it was its turn."),
    attribute("identity.usedServices", Number, "count", "4", Y, "Those of them that it used within the 400 days that IAM keeps."),
    attribute("identity.usedServicesPercent", Number, "percent", "10", Y, "Used of granted services, rounded down; absent when none is granted."),
    attribute("identity.risk", Text, "", "high", Y, "critical, high, medium, low or none: the highest of its reasons."),
    attribute("identity.riskReasons", Text, "list", "|unused|overBroad|", Y, "Why, the most urgent first: rootWithoutMfa, rootAccessKey, trustsAnyone, unusedOverBroad, overBroadWithoutMfa (critical); overBroad, unused, consoleWithoutMfa, oidcWithoutCondition, unusedKey, keyOfOverBroad (high); overBroadLimited, trustsAnyoneUnderCondition, keyTooOld, rootUsed (medium); trustsOtherAccount, trustsUnknown, keyAndPassword, noCredentials, inactiveKey (low)."),
    attribute("run.kind", Text, "", "summary", U, "baseline, reconcile, retry, summary, snapshot, violations, frameworks, packs, findings, controls or identity. A retry reads only what could not be read before, and says how that went."),
    attribute("run.rows", Number, "count", "200", U, "Rows that were sent; with run.accepted = 'true', all of them are in New Relic."),
    attribute("run.repairs", Number, "count", "0", U, "Changes that no event told and this run found."),
    attribute("run.places", Number, "count", "600", U, "Accounts in a Region that were read; of kind identity, accounts."),
    attribute("run.placesFailed", Number, "count", "0", U, "Accounts and Regions that could not be read whole, or not in the last two intervals, or that an aggregator did not list for the first time; an account of an aggregator counts once."),
    attribute("run.placesNotEnabled", Number, "count", "0", U, "Accounts in a Region where AWS Config is not there and was never read: not among the failed. Absent of identity."),
    attribute("run.calls", Number, "count", "9000", U, "Calls of AWS's API."),
    attribute("run.began", Number, "ms since epoch", "1795292071000", U, "When it began."),
    attribute("run.ended", Number, "ms since epoch", "1795292131000", U, "When it ended."),
    attribute("run.accepted", Text, "", "true", U, "Whether every row was accepted: what is known is all there, also where not every place could be read. Of kind identity also false while an account is stopped by something passing: such a run is made again soon."),
    attribute("run.complete", Text, "", "true", U, "Whether every place was read, in the last two intervals and without a fault since, and every row accepted; of identity but for accounts that may not be read."),
    attribute("detection.id", Text, "", "6d2d5e0a-8a5b-4d0c-9a46-1f0000000001:root-used", SN, "event.id and rule."),
    attribute("detection.correlated", Text, "", "true", SN, "true where several records together met the rule, as far as this agent saw them; absent where one did."),
    attribute("detection.primary", Text, "", "true", S, "true on the most severe detection of a record: count these to count records."),
    attribute("relay.version", Text, "", "0.1.0", SNCFRVPOIUTEHGDY, "Version of the agent."),
    attribute("relay.source", Text, "", "trail", SNCFROIHG, "Name of the source that the record came through."),
    attribute("relay.agent", Text, "", "i-0abc-1", UTEHG, "Which agent: host name and a number made at start."),
    attribute("relay.lagMs", Number, "ms", "42000", SNCFRI, "Arrival at the agent minus event.time."),
    attribute("relay.late", Text, "", "false", SNCFRI, "true when timestamp is the time of sending because the record was outside the ingest window."),
    attribute("relay.truncated", Text, "list", "|event.errorMessage|", SNCFRVOITEHGY, "Names of values that were cut to fit."),
    attribute("gap.id", Text, "", "1f0c6d2d5e0a8a5b4d0c9a461f000000", G, "A hash of object, version, kind and records read: the same when the gap is told again."),
    attribute("gap.object", Text, "", "s3://org-trail/AWSLogs/a.json.gz", G, "What could not be read."),
    attribute("gap.kind", Text, "", "gone", G, "gone, corrupt, tooLarge or unpacksTooLarge."),
    attribute("gap.reason", Text, "", "truncated or corrupt: ends in the middle of a record", G, "Why."),
    attribute("gap.recordsRead", Number, "", "12", G, "Records delivered before the gap."),
    attribute("exception.uncovered", Number, "count", "3", N, "On a notice that exceptions are over: how many open findings, or violations, of the control in this account and Region they covered."),
    attribute("exception.id", Text, "", "1f0c6d2d5e0a8a5b4d0c9a461f000000", E, "A hash of control, scope, owner and expiry: the same from every agent, each time it is told."),
    attribute("exception.state", Text, "", "expired", E, "expired: it mutes nothing any more."),
    attribute("exception.owner", Text, "", "web-team", E, "Who answers for it."),
    attribute("exception.reason", Text, "", "public web site", E, "Why it was there."),
    attribute("exception.scope", Text, "", "accounts: 111122223333; regions: eu-west-1", E, "What the control was muted for; absent: everything."),
    attribute("exception.expires", Text, "", "2027-01-31", E, "Its end, as its file says."),
    attribute("exception.expiresTime", Number, "ms since epoch", "1801440000000", E, "Its end."),
    attribute("doctor.id", Text, "", "0f1e2d3c4b5a69788796a5b4c3d2e1f0", D, "Names the test event of `doctor newrelic`, so that it can be found again."),
    attribute("heartbeat.recordsWaitingBefore", Number, "count", "1", H, "Records on their way as this minute began. With recordsReceived it is the sum of those that ended and of recordsWaiting."),
    attribute("heartbeat.recordsReceived", Number, "count", "1", H, "Records taken in this minute."),
    attribute("heartbeat.recordsDelivered", Number, "count", "1", H, "Records that New Relic accepted."),
    attribute("heartbeat.recordsIgnored", Number, "count", "1", H, "Records that no rule and no output wanted."),
    attribute("heartbeat.recordsSuppressed", Number, "count", "1", H, "Records muted by an exception."),
    attribute("heartbeat.recordsDuplicate", Number, "count", "1", H, "Copies of records that ended well."),
    attribute("heartbeat.recordsUnreadable", Number, "count", "1", H, "Broken records, in the dead letters."),
    attribute("heartbeat.recordsRejected", Number, "count", "1", H, "Records with a refused piece, in the dead letters."),
    attribute("heartbeat.recordsReturned", Number, "count", "1", H, "Records the source will offer again."),
    attribute("heartbeat.recordsWaiting", Number, "count", "1", H, "Records taken whose end is not known yet, at the end of this minute."),
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
    attribute("heartbeat.findingsUnchanged", Number, "count", "1", H, "Findings imported again without a change, which are ignored."),
    attribute("heartbeat.findingsCopied", Number, "count", "1", H, "Copies of findings from another Region, account or form, which are duplicates."),
    attribute("heartbeat.findingsExcepted", Number, "count", "1", H, "Changes of open findings that an exception covers: sent without a notice."),
    attribute("heartbeat.noticesHeld", Number, "count", "1", H, "Notices of findings held back: of those that were there before the relay, and of samples."),
    attribute("heartbeat.findingsKnown", Number, "count", "1", H, "Findings known to the agent; in the row of one of its sources, as the four that follow."),
    attribute("heartbeat.findingsForgotten", Number, "count", "1", H, "Findings forgotten 30 days after they were resolved."),
    attribute("heartbeat.findingsUnheard", Number, "count", "1", H, "Findings that nobody told for 90 days, after which AWS deletes them: not counted as open any more."),
    attribute("heartbeat.findingsEvicted", Number, "count", "1", H, "Findings let go because there were more than findings.known."),
    attribute("heartbeat.findingsEvictedOpen", Number, "count", "1", H, "Of these, those that were not resolved: new once more when they come again, without a notice."),
    attribute("heartbeat.rollupSeries", Number, "count", "1", H, "Series today of the roll-up metric that has most; in the row of one source, as the three that follow."),
    attribute("heartbeat.rollupOverflow", Number, "count", "1", H, "Counts that went into the series overflow, for there were 50,000 others that day."),
    attribute("heartbeat.rollupRefused", Number, "count", "1", H, "Counts that New Relic refused for good: missing in the roll-up metrics."),
    attribute("heartbeat.rollupWaiting", Number, "count", "1", H, "Counts that have not been accepted yet."),
    attribute("heartbeat.noveltyPairs", Number, "count", "1", H, "Pairs of a user or role and what it called, or where it came from, that the agent remembers; in the row of one source, as the one that follows."),
    attribute("heartbeat.noveltyForgotten", Number, "count", "1", H, "Pairs forgotten sooner than novelty.learning, for novelty.memory was full: pairs that are not remembered are then unknown, not new."),
    attribute("heartbeat.lagMsMax", Number, "ms", "1", H, "Largest lag in this minute."),
    attribute("heartbeat.queueAgeMs", Number, "ms", "1", H, "Age of the oldest message of the last poll."),
    attribute("heartbeat.newestEventTime", Number, "ms since epoch", "1", H, "Time of the newest record."),
    attribute("heartbeat.retries", Number, "count", "1", H, "Requests sent again in this minute, all sources."),
    attribute("heartbeat.requests", Number, "count", "1", H, "Requests answered in this minute, all sources."),
    attribute("heartbeat.date", Text, "", "2026-11-21", H, "Day of the heartbeat in the configured zone: event.date of what happens today. `event.date = (SELECT latest(heartbeat.date) FROM CspmRelayHeartbeat)` is today."),
    attribute("heartbeat.week", Text, "", "2026-W47", H, "ISO week of the heartbeat in the configured zone."),
    attribute("heartbeat.month", Text, "", "2026-11", H, "Month of the heartbeat in the configured zone."),
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
#[path = "dictionary_tests.rs"]
mod tests;
