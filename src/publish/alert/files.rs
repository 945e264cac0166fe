//! The files that are built in.

macro_rules! shipped {
    ($($policy:literal: [$($id:literal),+ $(,)?]),+ $(,)?) => {
        /// Name, `<policy>/<file>`, and text of every file that is built in.
        pub const SHIPPED: &[(&str, &str)] = &[$(
            (
                concat!($policy, "/policy.yml"),
                include_str!(concat!("../../../nrql/conditions/", $policy, "/policy.yml")),
            ),
            $((
                concat!($policy, "/", $id, ".yml"),
                include_str!(concat!("../../../nrql/conditions/", $policy, "/", $id, ".yml")),
            ),)+
        )+];
    };
}

shipped! {
    "detective": [
        "backup-weakened",
        "cloudtrail-stopped",
        "cloudtrail-weakened",
        "company-rules",
        "compute-exposed",
        "config-off",
        "data-copied-out",
        "data-made-public",
        "failed-logins",
        "guardduty-off",
        "instance-tampered",
        "kms-deletion",
        "login-without-mfa",
        "logs-removed",
        "many-controls",
        "mass-deletion",
        "network-joined",
        "organization-weakened",
        "refused-breadth",
        "refused-calls",
        "region-enabled",
        "root-login-failed",
        "root-used",
        "s3-public",
        "scanners-off",
        "security-group-open",
        "security-hub-off",
        "several-tactics",
        "unusual-detections",
    ],
    "findings": [
        "critical-open",
        "finding-critical",
        "finding-high",
        "finding-reopened",
        "findings-burst",
        "guardduty-threat",
    ],
    "identity": [
        "admin-granted",
        "escalation-set",
        "keys-for-others",
        "keys-too-old",
        "mfa-deactivated",
        "mfa-missing",
        "password-policy-weakened",
        "rights-taken",
        "role-trusts-anyone",
        "root-credentials",
        "root-has-key",
        "unused-admin",
    ],
    "preventive": [
        "account-silent",
        "critical-violation",
        "exception-over",
        "high-violation",
        "many-violations",
        "percent-fell",
        "percent-low",
        "regions-unread",
        "rules-failing",
        "violation-reopened",
        "violations-grew",
    ],
    "relay-health": [
        "agent-silent",
        "dead-letters",
        "findings-forgotten",
        "gaps",
        "integration-errors",
        "lag",
        "queue-age",
        "records-returned",
        "relay-silent",
        "retries",
        "rollup-doubt",
        "run-incomplete",
        "source-dry",
    ],
}
