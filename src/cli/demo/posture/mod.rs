//! Five weeks of posture for the demo: what AWS Config and the finding services would have told over EventBridge.
//!
//! In: the present. Out: events as `EventBridge` sends them, in the order of their times, none later than the present. What
//! always holds: the same present gives the same bytes; accounts are those of the bundled trail; no event repeats another one, so
//! that each becomes one row; times are whole seconds, so that the state is in the order in which it was told.

pub(super) mod changes;
mod findings;
mod insights;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::enrich::AccountRow;
use crate::record::AccountRegion;
use crate::record::time;
use crate::record::time::{DAY_MS, HOUR_MS};

/// Makes the same weeks every time.
const SEED: u64 = 7;

/// How many days it spans: the month that New Relic keeps events, and what came before it.
const DAYS: i64 = 35;

/// How long ago it begins, milliseconds.
pub(super) const SPAN_MS: i64 = DAYS * DAY_MS;

/// The day on which one event of AWS Config is lost on its way: a reading finds what it would have told.
const LOST_DAY: i64 = 12;

/// Resources of each type in each account, about.
const RESOURCES: usize = 10;

/// An account of the bundled trail.
struct Account {
    id: &'static str,
    name: &'static str,
    /// Nobody has said of all.
    owner: Option<&'static str>,
    unit: &'static str,
    environment: &'static str,
    /// Where its resources are.
    region: &'static str,
    /// How much of it is as it should be at first.
    tidy: f64,
}

#[rustfmt::skip]
const ACCOUNTS: [Account; 4] = [
    Account { id: "111111111111", name: "shared-services", owner: Some("platform"), unit: "Infrastructure", environment: "production", region: "us-west-2", tidy: 0.93 },
    Account { id: "111122223333", name: "shop-production", owner: Some("shop"), unit: "Workloads/Production", environment: "production", region: "us-east-1", tidy: 0.9 },
    Account { id: "444455556666", name: "shop-staging", owner: Some("shop"), unit: "Workloads/Staging", environment: "staging", region: "eu-west-1", tidy: 0.82 },
    Account { id: "777788889999", name: "sandbox", owner: None, unit: "Sandbox", environment: "development", region: "eu-west-1", tidy: 0.7 },
];

/// A managed rule of AWS Config, and the control of Security Hub that looks at the same.
struct Rule {
    name: &'static str,
    resource_type: &'static str,
    control: &'static str,
    severity: &'static str,
    /// Why something violates it.
    note: &'static str,
}

#[rustfmt::skip]
const RULES: [Rule; 15] = [
    Rule { name: "s3-bucket-level-public-access-prohibited", resource_type: "AWS::S3::Bucket", control: "S3.8", severity: "HIGH", note: "Block Public Access is off" },
    Rule { name: "s3-bucket-ssl-requests-only", resource_type: "AWS::S3::Bucket", control: "S3.5", severity: "MEDIUM", note: "the policy admits plain HTTP" },
    Rule { name: "s3-bucket-versioning-enabled", resource_type: "AWS::S3::Bucket", control: "S3.14", severity: "LOW", note: "versioning is off" },
    Rule { name: "restricted-ssh", resource_type: "AWS::EC2::SecurityGroup", control: "EC2.13", severity: "HIGH", note: "port 22 is open to 0.0.0.0/0" },
    Rule { name: "encrypted-volumes", resource_type: "AWS::EC2::Volume", control: "EC2.3", severity: "MEDIUM", note: "the volume is not encrypted" },
    Rule { name: "ec2-imdsv2-check", resource_type: "AWS::EC2::Instance", control: "EC2.8", severity: "HIGH", note: "IMDSv1 is allowed" },
    Rule { name: "ec2-instance-no-public-ip", resource_type: "AWS::EC2::Instance", control: "EC2.9", severity: "HIGH", note: "the instance has a public address" },
    Rule { name: "rds-storage-encrypted", resource_type: "AWS::RDS::DBInstance", control: "RDS.3", severity: "MEDIUM", note: "the storage is not encrypted" },
    Rule { name: "rds-instance-public-access-check", resource_type: "AWS::RDS::DBInstance", control: "RDS.2", severity: "CRITICAL", note: "PubliclyAccessible is true" },
    Rule { name: "iam-user-mfa-enabled", resource_type: "AWS::IAM::User", control: "IAM.19", severity: "MEDIUM", note: "no MFA device" },
    Rule { name: "access-keys-rotated", resource_type: "AWS::IAM::User", control: "IAM.3", severity: "MEDIUM", note: "a key is older than 90 days" },
    Rule { name: "iam-user-no-policies-check", resource_type: "AWS::IAM::User", control: "IAM.2", severity: "LOW", note: "a policy is attached to the user" },
    Rule { name: "lambda-function-public-access-prohibited", resource_type: "AWS::Lambda::Function", control: "Lambda.1", severity: "CRITICAL", note: "the policy admits everybody" },
    Rule { name: "lambda-function-settings-check", resource_type: "AWS::Lambda::Function", control: "Lambda.2", severity: "MEDIUM", note: "the runtime is no longer supported" },
    Rule { name: "kms-cmk-not-scheduled-for-deletion", resource_type: "AWS::KMS::Key", control: "KMS.3", severity: "CRITICAL", note: "the key is scheduled for deletion" },
];

pub(super) const COMPLIANT: &str = "COMPLIANT";
pub(super) const VIOLATING: &str = "NON_COMPLIANT";
const GONE: &str = "NOT_APPLICABLE";

/// One event.
#[derive(Debug, PartialEq)]
pub(super) struct Event {
    /// When it is sent, milliseconds since the epoch.
    pub(super) at_ms: i64,
    /// As `EventBridge` sends it.
    pub(super) envelope: Value,
    /// It never arrives: AWS Config knows of it, and nobody was told.
    pub(super) is_lost: bool,
}

/// Names of the accounts, as an accounts file would say them.
pub(super) fn account_names() -> Vec<AccountRow> {
    let row = |account: &Account| AccountRow {
        id: account.id.to_owned(),
        name: Some(account.name.to_owned()),
        organizational_unit: Some(account.unit.to_owned()),
        environment: Some(account.environment.to_owned()),
        owner: account.owner.map(str::to_owned),
    };
    ACCOUNTS.iter().map(row).collect()
}

/// The weeks before `now_ms`, in the order of time.
pub(super) fn weeks(now_ms: i64) -> Vec<Event> {
    let mut maker =
        Maker { rng: fastrand::Rng::with_seed(SEED), start_ms: (now_ms - SPAN_MS) / 1_000 * 1_000, events: Vec::new() };
    let mut results = maker.first_results();
    let mut counted = Vec::new();
    for day in 1..DAYS {
        maker.day(day, &mut results);
        // The last day of each week.
        if day % 7 == 6 {
            counted.push(insights::Counted::of(day, &results));
        }
    }
    maker.other_findings();
    maker.insights(counted);
    let mut events = maker.events;
    // Whole seconds, as all the others.
    events.push(changes::unseen((now_ms - 5 * HOUR_MS) / 1_000 * 1_000));
    events.sort_by_key(|event| event.at_ms);
    lose_one(&mut events, (now_ms - SPAN_MS) + LOST_DAY * DAY_MS);
    events
}

/// Loses the first violation that begins after `from_ms`.
fn lose_one(events: &mut [Event], from_ms: i64) {
    let begins = |event: &&mut Event| {
        let detail = event.envelope.get("detail");
        let state = |name: &str| detail?.get(name)?.get("complianceType")?.as_str();
        event.at_ms > from_ms
            && state("newEvaluationResult") == Some(VIOLATING)
            && state("oldEvaluationResult") == Some(COMPLIANT)
    };
    if let Some(event) = events.iter_mut().find(begins) {
        event.is_lost = true;
    }
}

/// A resource under a rule.
struct Standing {
    account: &'static Account,
    rule: &'static Rule,
    resource: Resource,
    state: &'static str,
    since_ms: i64,
    /// It violated before.
    relapses: bool,
    /// When its finding was first seen, milliseconds since the epoch; 0: there is none.
    found_ms: i64,
    /// Ends the id of that finding.
    finding: String,
}

#[derive(Clone)]
struct Resource {
    id: String,
    arn: String,
}

struct Maker {
    rng: fastrand::Rng,
    start_ms: i64,
    events: Vec<Event>,
}

impl Maker {
    /// How everything stands when AWS Config is switched on: the first two hours.
    fn first_results(&mut self) -> Vec<Standing> {
        let mut results = Vec::new();
        for account in &ACCOUNTS {
            let mut pools: Vec<(&str, Vec<Resource>)> = Vec::new();
            for rule in &RULES {
                if !pools.iter().any(|(kind, _)| *kind == rule.resource_type) {
                    pools.push((rule.resource_type, self.resources(account, rule.resource_type)));
                }
                let pool = pools.iter().filter(|(kind, _)| *kind == rule.resource_type).flat_map(|(_, pool)| pool);
                for resource in pool {
                    let state = if self.rng.f64() < account.tidy { COMPLIANT } else { VIOLATING };
                    let at_ms = self.start_ms + self.rng.i64(60..7_200) * 1_000;
                    let finding = self.uuid();
                    let resource = resource.clone();
                    let (relapses, found_ms) = (false, 0);
                    let mut standing = Standing { account, rule, resource, state: "", since_ms: 0, relapses, found_ms, finding };
                    self.moves(&mut standing, state, at_ms);
                    results.push(standing);
                }
            }
        }
        results
    }

    /// What changes on a day: violations begin and are mended; once a week each account deletes a resource.
    fn day(&mut self, day: i64, results: &mut [Standing]) {
        let start_ms = self.start_ms + day * DAY_MS;
        let mut deleted: Vec<(&str, String, i64)> = Vec::new();
        if day % 7 == 3 {
            for account in &ACCOUNTS {
                let of_account: Vec<&Standing> =
                    results.iter().filter(|standing| standing.account.id == account.id && standing.state == VIOLATING).collect();
                if let Some(standing) = self.rng.choice(of_account) {
                    deleted.push((account.id, standing.resource.id.clone(), start_ms + self.rng.i64(0..80_000) * 1_000));
                }
            }
        }
        for standing in results {
            let at_ms = start_ms + self.rng.i64(0..80_000) * 1_000;
            let chance = self.rng.f64();
            let gone = deleted.iter().find(|(account, id, _)| *account == standing.account.id && *id == standing.resource.id);
            if let Some((_, _, gone_ms)) = gone {
                self.moves(standing, GONE, *gone_ms);
                continue;
            }
            match standing.state {
                COMPLIANT if chance < if standing.relapses { 0.03 } else { 0.004 } => self.moves(standing, VIOLATING, at_ms),
                VIOLATING if chance < 0.06 => self.moves(standing, COMPLIANT, at_ms),
                _ => {}
            }
        }
    }

    /// A result has another state: the rule tells it, and Security Hub a little later.
    fn moves(&mut self, standing: &mut Standing, state: &'static str, at_ms: i64) {
        let (was, since_ms) = (standing.state, standing.since_ms);
        standing.state = state;
        standing.since_ms = at_ms;
        standing.relapses |= was == VIOLATING;
        let detail = compliance_detail(standing, was, since_ms);
        self.push(at_ms, standing.account, "Config Rules Compliance Change", "aws.config", detail);
        if was != VIOLATING && state != VIOLATING {
            return;
        }
        let told_ms = at_ms + self.rng.i64(60..300) * 1_000;
        if standing.found_ms == 0 {
            standing.found_ms = told_ms;
        }
        let finding = findings::control_finding(standing, told_ms);
        self.push(
            told_ms,
            standing.account,
            "Security Hub Findings - Imported",
            "aws.securityhub",
            json!({ "findings": [finding] }),
        );
    }

    fn push(&mut self, at_ms: i64, account: &Account, detail_type: &str, source: &str, detail: Value) {
        let id = self.uuid();
        self.events.push(Event {
            at_ms,
            envelope: envelope(&id, at_ms, (account.id, account.region), detail_type, source, detail),
            is_lost: false,
        });
    }

    /// Some resources of a type, as AWS Config names them.
    fn resources(&mut self, account: &Account, resource_type: &str) -> Vec<Resource> {
        let count = RESOURCES - 2 + self.rng.usize(0..5);
        (0..count).map(|_| self.resource(account, resource_type)).collect()
    }

    fn resource(&mut self, account: &Account, resource_type: &str) -> Resource {
        let Account { id: account, region, .. } = account;
        let regional = |service: &str, what: &str| format!("arn:aws:{service}:{region}:{account}:{what}");
        let (id, arn) = match resource_type {
            "AWS::S3::Bucket" => {
                let id = format!("{}-{}", self.word(), self.hex(8));
                (id.clone(), format!("arn:aws:s3:::{id}"))
            }
            "AWS::EC2::SecurityGroup" => self.named("sg-0", 16, |id| regional("ec2", &format!("security-group/{id}"))),
            "AWS::EC2::Volume" => self.named("vol-0", 16, |id| regional("ec2", &format!("volume/{id}"))),
            "AWS::EC2::Instance" => self.named("i-0", 16, |id| regional("ec2", &format!("instance/{id}"))),
            "AWS::RDS::DBInstance" => self.named("db-", 26, |id| regional("rds", &format!("db:{id}"))),
            "AWS::IAM::User" => self.named("AIDA", 16, |id| format!("arn:aws:iam::{account}:user/{id}")),
            "AWS::KMS::Key" => {
                let id = self.uuid();
                (id.clone(), regional("kms", &format!("key/{id}")))
            }
            _ => {
                let id = format!("{}-{}", self.word(), self.hex(4));
                (id.clone(), regional("lambda", &format!("function:{id}")))
            }
        };
        Resource { id, arn }
    }

    fn named(&mut self, begins: &str, digits: usize, arn: impl Fn(&str) -> String) -> (String, String) {
        let hex = self.hex(digits);
        let id = format!("{begins}{}", if begins == "AIDA" { hex.to_uppercase() } else { hex });
        let arn = arn(&id);
        (id, arn)
    }

    fn word(&mut self) -> &'static str {
        self.rng.choice(["orders", "billing", "media", "exports", "search", "site", "events", "reports"]).unwrap_or("data")
    }

    fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| self.rng.digit(16)).collect()
    }

    fn uuid(&mut self) -> String {
        [8, 4, 4, 4, 12].map(|digits| self.hex(digits)).join("-")
    }
}

/// An event as `EventBridge` sends it; `place`: account and Region.
fn envelope(id: &str, at_ms: i64, place: (&str, &str), detail_type: &str, source: &str, detail: Value) -> Value {
    json!({
        "version": "0", "id": id, "detail-type": detail_type, "source": source, "account": place.0,
        "time": time::format_ms(at_ms), "region": place.1, "resources": [], "detail": detail,
    })
}

/// What AWS Config tells of a result; `was`: the state before, empty when there was none.
fn compliance_detail(standing: &Standing, was: &str, since_ms: i64) -> Value {
    let Standing { account, rule, resource, state, since_ms: at_ms, .. } = standing;
    let result = |state: &str, at_ms: i64| {
        json!({
            "evaluationResultIdentifier": {
                "evaluationResultQualifier": {
                    "configRuleName": rule.name, "resourceType": rule.resource_type, "resourceId": resource.id,
                    "evaluationMode": "DETECTIVE",
                },
                "orderingTimestamp": time::format_ms(at_ms - 30_000),
            },
            "complianceType": state,
            "resultRecordedTime": time::format_ms(at_ms),
            "configRuleInvokedTime": time::format_ms(at_ms - 1_000),
            "annotation": (state == VIOLATING).then_some(rule.note),
        })
    };
    json!({
        "recordVersion": "1.0", "messageType": "ComplianceChangeNotification",
        "notificationCreationTime": time::format_ms(*at_ms),
        "awsAccountId": account.id, "awsRegion": account.region, "configRuleName": rule.name,
        "configRuleARN": arn(account.region, account.id, rule),
        "resourceType": rule.resource_type, "resourceId": resource.id,
        "newEvaluationResult": result(state, *at_ms),
        "oldEvaluationResult": (!was.is_empty()).then(|| result(was, since_ms)),
    })
}

/// A rule's ARN.
fn arn(region: &str, account: &str, rule: &Rule) -> String {
    format!("arn:aws:config:{region}:{account}:config-rule/config-rule-{}", rule.control.to_lowercase().replace('.', ""))
}

/// The ARN of a rule in an account and Region; empty where there is none of that name.
pub(super) fn rule_arn(place: &AccountRegion, name: &str) -> String {
    RULES.iter().find(|rule| rule.name == name).map(|rule| arn(&place.region, &place.account, rule)).unwrap_or_default()
}

/// What AWS calls the managed rule.
pub(super) fn identifier(name: &str) -> String {
    // The one whose identifier is another word.
    let name = if name == "restricted-ssh" { "incoming-ssh-disabled" } else { name };
    name.to_uppercase().replace('-', "_")
}
