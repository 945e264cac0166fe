//! Preventive controls: what an AWS Config rule stands for.
//!
//! In: the name of a rule as it was deployed, and the managed rule's identifier where AWS told it. Out: the managed rule behind it,
//! with severity, pillar and framework numbers. What always holds: what AWS says goes before the name, which anybody may give; a
//! rule that the table does not know is unmapped, never mapped to something near.
//!
//! `config_rules.csv` holds identifiers, names and numbers of AWS's managed rules; severity and controls are Security Hub's (user
//! guide, CC BY-SA 4.0; current pages), identifiers and types the AWS Config developer guide's (Apache-2.0), NIST numbers also
//! cdk-nag's (Apache-2.0), CIS 4.0, PCI DSS 4.0, ISO 27001, SOC 2 and GDPR numbers those of Prowler and of
//! steampipe-mod-aws-compliance (both Apache-2.0): the mapping projects' opinions, not the standards' words. Pillars are this
//! project's own. Lists inside a cell are joined with `;`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::rule::{List, Pillar};
use crate::record::severity::Severity;

const TABLE: &str = include_str!("config_rules.csv");

/// The columns, in their order; those of frameworks with the framework's name in events.
const COLUMNS: [(&str, Option<&str>); 16] = [
    ("rule_name", None),
    ("identifier", None),
    ("resource_types", None),
    ("severity", None),
    ("pillar", None),
    ("securityhub_controls", None),
    ("in_fsbp", None),
    ("cis_aws_1_4", Some("CIS-AWS-1.4")),
    ("cis_aws_3_0", Some("CIS-AWS-3.0")),
    ("cis_aws_4_0", Some("CIS-AWS-4.0")),
    ("cis_aws_5_0", Some("CIS-AWS-5.0")),
    ("pci_dss_4_0", Some("PCI-DSS-4.0")),
    ("nist_800_53_r5", Some("NIST-800-53-r5")),
    ("iso_27001_2022", Some("ISO-27001-2022")),
    ("soc2", Some("SOC2")),
    ("gdpr", Some("GDPR")),
];

/// AWS Foundational Security Best Practices: its numbers are Security Hub's controls.
const FSBP: &str = "FSBP";

/// One preventive control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreventiveControl {
    /// `control.id`: the managed rule's name.
    pub id: &'static str,
    /// What `DescribeConfigRules` names as its source.
    pub identifier: &'static str,
    /// The highest of its Security Hub controls; `None`: it has none.
    pub severity: Option<Severity>,
    /// The part of cloud security it belongs to.
    pub pillar: Pillar,
    /// Framework numbers, `CIS-AWS-5.0:1.13`.
    pub frameworks: List,
    /// Security Hub's controls that ask for the same, as `IAM.3`.
    pub(super) hub_controls: Vec<&'static str>,
}

/// Every managed rule, in the order of the table.
#[must_use]
pub fn all() -> &'static [PreventiveControl] {
    static ALL: LazyLock<Vec<PreventiveControl>> = LazyLock::new(|| TABLE.lines().skip(1).filter_map(row).collect());
    &ALL
}

/// Rules whose violation means that the internet, or every AWS account, reaches the resource itself. Not here: rules on settings
/// that would only block or allow that.
const PUBLIC: [&str; 20] = [
    "cloudtrail-s3-bucket-public-access-prohibited",
    "dms-replication-not-public",
    "docdb-cluster-snapshot-public-prohibited",
    "ebs-snapshot-public-restorable-check",
    "ec2-instance-no-public-ip",
    "eks-endpoint-no-public-access",
    "emr-master-no-public-ip",
    "lambda-function-public-access-prohibited",
    "mq-no-public-access",
    "nacl-no-unrestricted-ssh-rdp",
    // AWS's name; its identifier says NEPTUNE_CLUSTER_SNAPSHOT_PUBLIC_PROHIBITED.
    "neptune-cluster-snapshot-public-encrypted",
    "rds-instance-public-access-check",
    "rds-snapshots-public-prohibited",
    "redshift-cluster-public-access-check",
    "restricted-common-ports",
    "restricted-ssh",
    "s3-bucket-public-read-prohibited",
    "s3-bucket-public-write-prohibited",
    "ssm-document-not-public",
    "vpc-sg-open-only-to-authorized-ports",
];

impl PreventiveControl {
    /// Whether a violation means that the internet, or every AWS account, reaches the resource.
    #[must_use]
    pub fn watches_public_access(&self) -> bool {
        PUBLIC.contains(&self.id)
    }

    /// Security Hub's controls that ask for the same, `|EC2.13|`; `None`: there is none.
    #[must_use]
    pub fn security_hub_ids(&self) -> Option<String> {
        (!self.hub_controls.is_empty()).then(|| format!("|{}|", self.hub_controls.join("|")))
    }

    /// The same as a list.
    #[must_use]
    pub fn security_hub_controls(&self) -> &[&'static str] {
        &self.hub_controls
    }

    /// Where AWS says how to mend it: the address that Security Hub puts into its own findings; `None`: it has no control of it.
    #[must_use]
    pub fn runbook_url(&self) -> Option<String> {
        let hub = self.hub_controls.first()?;
        Some(format!("https://docs.aws.amazon.com/console/securityhub/{hub}/remediation"))
    }
}

/// The managed rule behind a deployed one, by the deployed one's name; `None`: unmapped.
#[must_use]
pub fn control(deployed: &str) -> Option<&'static PreventiveControl> {
    static BY_NAME: LazyLock<HashMap<String, &PreventiveControl>> = LazyLock::new(|| {
        let mut controls: HashMap<String, &PreventiveControl> =
            all().iter().map(|control| (control.id.to_owned(), control)).collect();
        // A rule may be deployed under its identifier, which is not always its name.
        for control in all() {
            controls.entry(dashed(control.identifier)).or_insert(control);
        }
        controls
    });
    let deployed = dashed(deployed);
    BY_NAME.get(&deployed).or_else(|| BY_NAME.get(plain(&deployed))).copied()
}

/// The managed rule behind a deployed one: that of the identifier, where AWS named it as the rule's source, else by the deployed
/// one's name; `None`: unmapped.
#[must_use]
pub fn behind(deployed: &str, identifier: Option<&str>) -> Option<&'static PreventiveControl> {
    identifier.and_then(control).or_else(|| control(deployed))
}

/// `control.id` of a deployed rule: the managed rule's name, else its own without what its deployment added.
#[must_use]
pub fn control_id<'a>(deployed: &'a str, control: Option<&'a PreventiveControl>) -> &'a str {
    control.map_or_else(|| plain(deployed), |control| control.id)
}

/// Whether Security Hub deployed the rule: then its results are findings of Security Hub's, too.
#[must_use]
pub fn is_of_security_hub(deployed: &str) -> bool {
    deployed.starts_with(OF_SECURITY_HUB) && plain(deployed) != deployed
}

/// What the name of a rule that Security Hub deployed begins with.
const OF_SECURITY_HUB: &str = "securityhub-";

/// A rule's name without what those who deploy it add: Security Hub (`securityhub-<name>-<8 hexadecimal digits>`), a
/// conformance pack (`<name>-conformance-pack-<9 letters and digits>`), an organization (`OrgConfigRule-<name>-<8 letters and
/// digits>`).
pub(super) fn plain(deployed: &str) -> &str {
    if let Some((name, tail)) = deployed.rsplit_once("-conformance-pack-")
        && is_tail(tail, 9, char::is_ascii_alphanumeric)
    {
        return name;
    }
    for (prefix, is_of_tail) in [
        (OF_SECURITY_HUB, char::is_ascii_hexdigit as fn(&char) -> bool),
        ("OrgConfigRule-", char::is_ascii_alphanumeric),
        ("orgconfigrule-", char::is_ascii_alphanumeric),
    ] {
        if let Some(rest) = deployed.strip_prefix(prefix)
            && let Some((name, tail)) = rest.rsplit_once('-')
            && (is_tail(tail, 8, is_of_tail) || is_tail(tail, 6, is_of_tail))
        {
            return name;
        }
    }
    deployed
}

fn is_tail(tail: &str, length: usize, of: impl Fn(&char) -> bool) -> bool {
    tail.len() == length && tail.chars().all(|c| of(&c))
}

pub(super) fn dashed(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

fn row(line: &'static str) -> Option<PreventiveControl> {
    let mut cells = line.split(',');
    let [id, identifier, _types, severity, pillar, controls, in_fsbp] = [(); 7].map(|()| cells.next().unwrap_or_default());
    let numbers = COLUMNS.iter().filter_map(|(_, framework)| *framework).zip(cells);
    let frameworks = numbers.flat_map(|(framework, cell)| all_of(cell).map(move |number| format!("{framework}:{number}")));
    let fsbp = all_of(if in_fsbp == "yes" { controls } else { "" }).map(|number| format!("{FSBP}:{number}"));
    Some(PreventiveControl {
        id,
        identifier,
        severity: severity.parse().ok(),
        pillar: *Pillar::ALL.iter().find(|known| known.as_str() == pillar)?,
        frameworks: List::new(frameworks.chain(fsbp)),
        hub_controls: all_of(controls).collect(),
    })
}

fn all_of(cell: &'static str) -> impl Iterator<Item = &'static str> {
    cell.split(';').filter(|number| !number.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S2-21: every row is read whole, and what it says fits into an event.
    #[test]
    fn every_row_of_the_table_is_a_control() {
        let header: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
        assert_eq!(TABLE.lines().next(), Some(header.join(",").as_str()));
        let mut unmapped = 0;
        for line in TABLE.lines().skip(1) {
            let cells: Vec<_> = line.split(',').collect();
            assert_eq!(cells.len(), COLUMNS.len(), "{line}");
            let found = control(cells[0]).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((found.id, found.identifier), (cells[0], cells[1]));
            assert_eq!(control(cells[1]).map(|control| control.identifier), Some(cells[1]), "by its identifier");
            assert_eq!(found.severity.is_some(), !cells[3].is_empty(), "{line}");
            let numbers: usize = cells[7..].iter().map(|cell| cell.split(';').filter(|number| !number.is_empty()).count()).sum();
            let fsbp = if cells[6] == "yes" { cells[5].split(';').count() } else { 0 };
            assert_eq!(found.frameworks.items().len(), numbers + fsbp, "{line}");
            assert!(found.frameworks.joined().is_none_or(|joined| joined.len() < 4_000), "{line}");
            unmapped += usize::from(found.frameworks.items().is_empty());
        }
        assert_eq!((TABLE.lines().count() - 1, unmapped), (438, 199), "rules, and those without a framework's number");
    }

    #[test]
    fn public_rules_are_in_the_table_and_a_runbook_is_that_of_security_hub() {
        for id in PUBLIC {
            assert!(control(id).is_some_and(PreventiveControl::watches_public_access), "{id}");
        }
        assert_eq!(all().iter().filter(|control| control.watches_public_access()).count(), PUBLIC.len());
        assert_eq!((all().len(), all().iter().any(|control| control.id == "incoming-ssh-disabled")), (438, false), "no alias");
        let url = |id| control(id).and_then(PreventiveControl::runbook_url);
        let want = "https://docs.aws.amazon.com/console/securityhub/IAM.3/remediation";
        assert_eq!(url("access-keys-rotated").as_deref(), Some(want));
        assert_eq!(url("acm-certificate-rsa-check"), None);
    }

    #[test]
    fn a_deployed_rule_is_known_by_its_plain_name_and_never_by_a_near_one() {
        for (deployed, want) in [
            ("restricted-ssh", Some("restricted-ssh")),
            ("INCOMING_SSH_DISABLED", Some("restricted-ssh")),
            ("incoming-ssh-disabled", Some("restricted-ssh")),
            ("securityhub-restricted-ssh-1a2b3c4d", Some("restricted-ssh")),
            ("securityhub-restricted-ssh-1a2b3c", Some("restricted-ssh")),
            ("restricted-ssh-conformance-pack-abc123def", Some("restricted-ssh")),
            ("OrgConfigRule-restricted-ssh-ab12cd34", Some("restricted-ssh")),
            ("restricted-ssh-of-ours", None),
            ("securityhub-restricted-ssh", None),
            ("securityhub-restricted-ssh-nothexed", None),
            ("our-own-rule", None),
            ("", None),
        ] {
            assert_eq!(control(deployed).map(|control| control.id), want, "{deployed}");
        }
        for (deployed, identifier, want) in [
            ("AWSControlTower_AWS-GR_RESTRICTED_SSH", Some("INCOMING_SSH_DISABLED"), Some("restricted-ssh")),
            ("my-ssh", Some("INCOMING_SSH_DISABLED"), Some("restricted-ssh")),
            ("s3-bucket-versioning-enabled", Some("INCOMING_SSH_DISABLED"), Some("restricted-ssh")),
            ("restricted-ssh", Some("NEWER_THAN_THE_TABLE"), Some("restricted-ssh")),
            ("my-ssh", Some("NEWER_THAN_THE_TABLE"), None),
            ("my-ssh", None, None),
        ] {
            assert_eq!(behind(deployed, identifier).map(|control| control.id), want, "{deployed} {identifier:?}");
        }
        assert_eq!(plain("our-own-rule-conformance-pack-abc123def"), "our-own-rule");
        assert!(is_of_security_hub("securityhub-restricted-ssh-1a2b3c4d"));
        for other in ["restricted-ssh", "securityhub-restricted-ssh", "securityhub-of-ours", "our-securityhub-x-1a2b3c4d"] {
            assert!(!is_of_security_hub(other), "{other}");
        }
        let ssh = control("restricted-ssh").expect("a known rule");
        assert_eq!(ssh.security_hub_ids().as_deref(), Some("|EC2.13|"));
        assert_eq!(control("acm-certificate-rsa-check").and_then(PreventiveControl::security_hub_ids), None);
        assert_eq!((ssh.severity, ssh.pillar), (Some(Severity::High), Pillar::Cspm));
        let joined = ssh.frameworks.joined().unwrap_or_default();
        assert!(
            ["|NIST-800-53-r5:AC-4|", "|SOC2:CC6.6|", "|FSBP:EC2.13|"].iter().all(|number| joined.contains(number)),
            "{joined}"
        );
    }
}
