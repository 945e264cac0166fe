//! Real attacks, each recorded while it was carried out: every one meets the control that means it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;

/// Where the records were made, and the techniques' names there; for each the control whose title says what was done.
const SCENARIOS: &str = "
credential-access.ec2-get-password-data windows-password-read-refused
credential-access.ec2-steal-instance-credentials instance-identity-asked-from-outside
credential-access.secretsmanager-batch-retrieve-secrets secrets-read-in-bulk
credential-access.secretsmanager-retrieve-secrets secret-read-with-access-key
credential-access.ssm-retrieve-securestring-parameters secure-parameters-read-in-bulk
defense-evasion.cloudtrail-delete trail-deleted
defense-evasion.cloudtrail-event-selectors trail-event-selectors-reduced
defense-evasion.cloudtrail-stop trail-logging-stopped
defense-evasion.dns-delete-logs dns-query-logging-removed
defense-evasion.organizations-leave organization-leave-attempted
defense-evasion.vpc-remove-flow-logs flow-logs-deleted
discovery.ec2-download-user-data instance-user-data-read-refused
execution.ec2-launch-unusual-instances gpu-instance-launched
execution.ec2-user-data instance-user-data-changed
execution.ssm-send-command ssm-command-run
execution.ssm-start-session ssm-session-started
exfiltration.ec2-security-group-open-port-22-ingress security-group-admin-port-open
exfiltration.ec2-share-ami ami-shared
exfiltration.ec2-share-ebs-snapshot ebs-snapshot-shared
exfiltration.rds-share-snapshot rds-snapshot-shared
impact.bedrock-invoke-model bedrock-model-access-granted
initial-access.console-login-without-mfa console-login-without-mfa
lateral-movement.ec2-instance-connect instance-connect-key-pushed
lateral-movement.ec2-serial-console-send-ssh-public-key serial-console-key-pushed
persistence.iam-backdoor-role role-trusts-other-account
persistence.iam-backdoor-user access-key-created-for-other-user
persistence.iam-create-admin-user admin-policy-attached
persistence.iam-create-backdoor-role admin-policy-attached
persistence.iam-create-user-login-profile console-password-set-for-other-user
persistence.lambda-backdoor-function lambda-function-public
persistence.lambda-layer-extension lambda-layer-attached
persistence.lambda-overwrite-code lambda-code-changed-by-user
persistence.rolesanywhere-create-trust-anchor roles-anywhere-trust-added
persistence.sts-federation-token federation-token-issued-to-user
privilege-escalation.iam-update-user-login-profile console-password-set-for-other-user
";

/// S1-01: where the records lie beside the repository.
#[test]
fn every_recorded_attack_meets_the_control_that_means_it() {
    let rules = RuleSet::builtin();
    let expected: BTreeMap<&str, &str> = SCENARIOS.lines().filter_map(|line| line.split_once(' ')).collect();
    for control in expected.values() {
        assert!(rules.rules().iter().any(|rule| rule.id == *control), "{control} is no control");
    }
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/cloudtrail");
    let Ok(index) = std::fs::read_to_string(shared.join("index.csv")) else { return };
    let mut matcher = rules.matcher();
    let mut seen = BTreeSet::new();
    for line in index.lines().filter(|line| line.starts_with("DataDog/stratus-red-team,")) {
        let [_, origin, path, ..] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let scenario = origin.trim_start_matches("aws.").trim_end_matches(".json");
        let control = expected.get(scenario).unwrap_or_else(|| panic!("{scenario}: which control means it?"));
        let mut met = BTreeSet::new();
        for raw in records_of(&shared.join(path)) {
            let trail = Trail::parse(raw.as_bytes()).expect("a record");
            met.extend(matcher.matches(&trail).iter().map(|rule| rule.id.clone()));
        }
        assert!(met.contains(*control), "{scenario}: {met:?}");
        seen.insert(scenario);
    }
    assert_eq!(seen, expected.keys().copied().collect());
}
