//! Findings of the weeks: those of Security Hub's controls, and some of every other service.
//!
//! In: results of rules, and the weeks. Out: details as each service writes them. What always holds: a finding keeps its id, and is
//! newer each time.

use serde_json::{Value, json};

use super::{ACCOUNTS, Account, DAY_MS, DAYS, GONE, HOUR_MS, Maker, Standing, VIOLATING};
use crate::record::time;

/// What `GuardDuty` saw, and how bad it is.
const SEEN: [(&str, f64); 6] = [
    ("UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", 8.0),
    ("CredentialAccess:IAMUser/AnomalousBehavior", 5.0),
    ("Recon:IAMUser/MaliciousIPCaller", 5.0),
    ("Stealth:IAMUser/CloudTrailLoggingDisabled", 2.0),
    ("Persistence:IAMUser/AnomalousBehavior", 5.0),
    ("AttackSequence:IAM/CompromisedCredentials", 9.5),
];

/// What Inspector found: vulnerability, package, score, severity.
const VULNERABLE: [(&str, &str, f64, &str); 4] = [
    ("CVE-2024-3094", "xz-utils", 10.0, "CRITICAL"),
    ("CVE-2023-44487", "nghttp2", 7.5, "HIGH"),
    ("CVE-2024-6387", "openssh-server", 8.1, "HIGH"),
    ("CVE-2023-5678", "openssl", 5.3, "MEDIUM"),
];

/// The finding of Security Hub's control about a result, as it stands, in ASFF.
pub(super) fn control_finding(standing: &Standing, at_ms: i64) -> Value {
    let Standing { account, rule, resource, state, found_ms, finding, .. } = standing;
    let fails = *state == VIOLATING;
    let label = if fails { rule.severity } else { "INFORMATIONAL" };
    let at = time::format_ms(at_ms);
    json!({
        "SchemaVersion": "2018-10-08",
        "Id": format!("arn:aws:securityhub:{}:{}:security-control/{}/finding/{finding}", account.region, account.id, rule.control),
        "ProductArn": format!("arn:aws:securityhub:{}::product/aws/securityhub", account.region),
        "ProductName": "Security Hub", "CompanyName": "AWS", "Region": account.region,
        "GeneratorId": format!("security-control/{}", rule.control), "AwsAccountId": account.id,
        "Types": ["Software and Configuration Checks/Industry and Regulatory Standards"],
        "FirstObservedAt": time::format_ms(*found_ms), "LastObservedAt": at, "CreatedAt": time::format_ms(*found_ms), "UpdatedAt": at,
        "Severity": { "Label": label, "Original": label },
        "Title": format!("{} ({})", rule.control, rule.name), "Description": format!("Security Hub's control over {}", rule.name),
        "ProductFields": { "RelatedAWSResources:0/name": rule.name, "RelatedAWSResources:0/type": "AWS::Config::ConfigRule" },
        "Resources": [{
            "Type": rule.resource_type.replace("::", "").replacen("AWS", "Aws", 1), "Id": resource.arn, "Partition": "aws", "Region": account.region,
        }],
        "Compliance": { "Status": if fails { "FAILED" } else { "PASSED" }, "SecurityControlId": rule.control },
        "Workflow": { "Status": if fails { "NEW" } else { "RESOLVED" } },
        "RecordState": if *state == GONE { "ARCHIVED" } else { "ACTIVE" },
    })
}

impl Maker {
    /// What the other services found, each week anew.
    pub(super) fn other_findings(&mut self) {
        for week in 0..DAYS / 7 {
            self.findings_of(week);
        }
    }

    fn findings_of(&mut self, week: i64) {
        for (kind, severity) in SEEN {
            let (account, at_ms) = self.somewhere(week);
            let detail = self.guard_duty(account, at_ms, kind, severity);
            self.push(at_ms, account, "GuardDuty Finding", "aws.guardduty", detail);
        }
        for (nth, vulnerable) in VULNERABLE.iter().enumerate() {
            let (account, at_ms) = self.somewhere(week);
            let open = self.inspector(account, at_ms, vulnerable);
            // The first is mended before its week is over.
            if nth == 0 {
                let closed_ms = at_ms + 9 * HOUR_MS;
                let mut closed = open.clone();
                for (name, value) in [("status", "CLOSED"), ("updatedAt", &time::format_ms(closed_ms))] {
                    if let Some(member) = closed.get_mut(name) {
                        *member = Value::from(value);
                    }
                }
                self.push(closed_ms, account, "Inspector2 Finding", "aws.inspector2", closed);
            }
            self.push(at_ms, account, "Inspector2 Finding", "aws.inspector2", open);
        }
        for (kind, severity, score) in [
            ("SensitiveData:S3Object/Personal", "High", 3),
            ("Policy:IAMUser/S3BucketPublic", "High", 3),
            ("SensitiveData:S3Object/Credentials", "Medium", 2),
        ] {
            let (account, at_ms) = self.somewhere(week);
            let detail = self.macie(account, at_ms, kind, (severity, score));
            self.push(at_ms, account, "Macie Finding", "aws.macie", detail);
        }
        for is_public in [true, false, false] {
            let (account, at_ms) = self.somewhere(week);
            let detail = self.access_analyzer(account, at_ms, is_public);
            self.push(at_ms, account, "Access Analyzer Finding", "aws.access-analyzer", detail);
        }
    }

    /// An account and a time of the week with a day left.
    fn somewhere(&mut self, week: i64) -> (&'static Account, i64) {
        let account = self.rng.choice(&ACCOUNTS).unwrap_or(&ACCOUNTS[0]);
        (account, self.start_ms + 7 * week * DAY_MS + self.rng.i64(2 * 3_600..6 * 86_400) * 1_000)
    }

    fn guard_duty(&mut self, account: &Account, at_ms: i64, kind: &str, severity: f64) -> Value {
        let (id, detector, at) = (self.hex(32), self.hex(32), time::format_ms(at_ms));
        let key = format!("AKIA{}", self.hex(16).to_uppercase());
        // A sequence of attacks is about no one resource and no one call.
        let (resource, last) = if kind.starts_with("AttackSequence") {
            (json!({ "resourceType": "AttackSequence" }), json!({}))
        } else {
            (
                json!({ "resourceType": "AccessKey", "accessKeyDetails": { "accessKeyId": key, "userName": "deploy", "userType": "IAMUser" } }),
                json!({ "actionType": "AWS_API_CALL", "awsApiCallAction": { "api": "GetCallerIdentity", "serviceName": "sts.amazonaws.com" } }),
            )
        };
        json!({
            "schemaVersion": "2.0", "accountId": account.id, "region": account.region, "partition": "aws", "id": id,
            "arn": format!("arn:aws:guardduty:{}:{}:detector/{detector}/finding/{id}", account.region, account.id),
            "type": kind, "resource": resource, "severity": severity, "createdAt": at, "updatedAt": at,
            "title": format!("GuardDuty saw {kind}"), "description": "Made for the demo",
            "service": {
                "serviceName": "guardduty", "detectorId": detector, "action": last, "resourceRole": "TARGET",
                "eventFirstSeen": at, "eventLastSeen": at, "archived": false, "count": 1,
            },
        })
    }

    fn inspector(&mut self, account: &Account, at_ms: i64, (cve, package, score, severity): &(&str, &str, f64, &str)) -> Value {
        let at = time::format_ms(at_ms);
        json!({
            "awsAccountId": account.id, "findingArn": format!("arn:aws:inspector2:{}:{}:finding/{}", account.region, account.id, self.hex(32)),
            "type": "PACKAGE_VULNERABILITY", "severity": severity, "status": "ACTIVE", "title": format!("{cve} - {package}"),
            "description": "Made for the demo", "firstObservedAt": at, "lastObservedAt": at, "updatedAt": at,
            "inspectorScore": score, "fixAvailable": "YES", "exploitAvailable": "NO",
            "packageVulnerabilityDetails": {
                "vulnerabilityId": cve, "source": "NVD", "vulnerablePackages": [{ "name": package, "version": "1.0", "fixedInVersion": "1.1" }],
            },
            "resources": [{ "type": "AWS_EC2_INSTANCE", "id": format!("i-0{}", self.hex(16)), "partition": "aws", "region": account.region }],
        })
    }

    fn macie(&mut self, account: &Account, at_ms: i64, kind: &str, (severity, score): (&str, u8)) -> Value {
        let (bucket, at) = (format!("{}-{}", self.word(), self.hex(8)), time::format_ms(at_ms));
        json!({
            "schemaVersion": "1.0", "id": self.hex(32), "accountId": account.id, "partition": "aws", "region": account.region,
            "type": kind, "title": format!("Macie found {kind}"), "description": "Made for the demo",
            "severity": { "score": score, "description": severity }, "createdAt": at, "updatedAt": at, "count": 1,
            "resourcesAffected": { "s3Bucket": { "arn": format!("arn:aws:s3:::{bucket}"), "name": bucket } },
            "category": if kind.starts_with("Policy") { "POLICY" } else { "CLASSIFICATION" }, "sample": false, "archived": false,
        })
    }

    fn access_analyzer(&mut self, account: &Account, at_ms: i64, is_public: bool) -> Value {
        let (bucket, at) = (format!("{}-{}", self.word(), self.hex(8)), time::format_ms(at_ms));
        let principal = if is_public { "*" } else { "999988887777" };
        json!({
            "version": "1.0", "id": self.uuid(), "status": "ACTIVE", "resourceType": "AWS::S3::Bucket",
            "resource": format!("arn:aws:s3:::{bucket}"), "createdAt": at, "analyzedAt": at, "updatedAt": at,
            "accountId": account.id, "region": account.region, "principal": { "AWS": principal }, "action": ["s3:GetObject"],
            "condition": {}, "isDeleted": false, "isPublic": is_public,
        })
    }
}
