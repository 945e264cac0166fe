//! What a security finding stands for.
//!
//! In: a finding. Out: its control, the rules of AWS Config behind that, pillar, framework numbers, ATT&CK ids, and what mutes it.
//! What always holds: exactly one pillar; a requirement that no rule here can read stays as Security Hub wrote it; a control
//! without any is unmapped.
//!
//! | product | pillar |
//! | --- | --- |
//! | Security Hub's controls | that of the control's rule in `config_rules.csv`, else CSPM |
//! | `GuardDuty`, types of `IAMUser` and `IAM` | CIEM |
//! | `GuardDuty`, types of `S3` | DSPM |
//! | `GuardDuty`, all others; Inspector | CWPP |
//! | Macie | DSPM |
//! | Access Analyzer | CIEM |
//! | a scanner of code | `IaC` |
//! | all others | CSPM |

use super::exceptions::{longest, shortest};
use super::rule::{List, Pillar};
use super::security_hub::{self, SecurityHubControl};
use super::{Exception, Exceptions, Facts, Frameworks, attack, code, preventive};
use crate::enrich::EnrichedFinding;
use crate::record::Finding;
use crate::record::finding::product;

/// A finding with the control behind it.
#[derive(Debug, Clone)]
pub struct ClassifiedFinding<'a> {
    /// The finding.
    pub finding: &'a Finding<'a>,
    /// Its deterministic id.
    pub event_id: &'a str,
    /// Names and meaning.
    pub enriched: &'a EnrichedFinding<'a>,
    /// `control.title`
    pub title: &'a str,
    /// `control.pillar`
    pub pillar: Pillar,
    /// Rules of AWS Config behind its control: the one that the finding names, else those of the table.
    pub config_rules: Vec<&'a str>,
    /// Framework numbers of the finding, the tables and the customer's file; empty: unmapped.
    pub frameworks: List,
    /// ATT&CK tactics.
    pub tactics: List,
    /// ATT&CK techniques.
    pub techniques: List,
    /// What mutes it, if anything does.
    pub exception: Option<&'a Exception>,
    /// `control.ids` of a finding in code: its rule, and the controls of AWS that ask for the same; else empty.
    pub related: List,
}

impl<'a> ClassifiedFinding<'a> {
    /// Looks up what a finding stands for.
    #[must_use]
    pub fn new(finding: &'a Finding<'a>, event_id: &'a str, enriched: &'a EnrichedFinding<'a>, numbers: &'a Frameworks) -> Self {
        let is_control = finding.control_id.is_some();
        let known = finding.control_id.as_deref().and_then(security_hub::control);
        let own = finding.requirements.iter().map(|requirement| number(requirement));
        let of_control = finding.control_id.as_deref().map(|id| of_control(numbers, id, known)).unwrap_or_default();
        let named = finding.techniques.iter().filter_map(|technique| match attack::tag(technique) {
            Some(attack::Tag::Technique(id)) => Some(id),
            _ => None,
        });
        let kind = finding.types.first().map_or("", AsRef::as_ref);
        let (tactic, technique) = if finding.product == product::GUARD_DUTY { of_guard_duty(kind) } else { (None, None) };
        Self {
            finding,
            event_id,
            enriched,
            title: if is_control && !finding.title.is_empty() { &finding.title } else { finding.control() },
            pillar: pillar(&finding.product, finding.control(), known),
            config_rules: config_rules(finding, known, None),
            frameworks: List::new(own.chain(of_control)),
            tactics: List::new(tactic.map(str::to_owned)),
            techniques: List::new(named.chain(technique.map(str::to_owned))),
            exception: None,
            related: List::default(),
        }
    }

    /// Where AWS Config's API named the managed rule that is the source of the finding's rule: that one is behind it.
    #[must_use]
    pub fn of_managed_rule(mut self, identifier: Option<&str>) -> Self {
        if identifier.is_some() {
            let known = self.finding.control_id.as_deref().and_then(security_hub::control);
            self.config_rules = config_rules(self.finding, known, identifier);
        }
        self
    }

    /// The exception that mutes a finding now, if one does: one of its control, or one for each of the rules behind that; of a
    /// finding in code also one for each control of AWS that it is `related` to. `identifier`: the managed rule that AWS Config names
    /// as the source of the finding's rule, where that is known.
    #[must_use]
    pub fn find_exception<'e>(
        finding: &Finding<'_>,
        enriched: &EnrichedFinding<'_>,
        identifier: Option<&str>,
        related: &[String],
        exceptions: &'e Exceptions,
        now_ms: i64,
    ) -> Option<&'e Exception> {
        let find = |control: &str, facts: &[Facts<'_>]| exceptions.find_for_all(control, facts, now_ms);
        Self::look_up(finding, enriched, identifier, related, exceptions, find)
    }

    /// The exception that may mute it, for all that is known, while something may still be told of its account.
    #[must_use]
    pub fn may_find_exception<'e>(
        finding: &Finding<'_>,
        enriched: &EnrichedFinding<'_>,
        identifier: Option<&str>,
        related: &[String],
        exceptions: &'e Exceptions,
        now_ms: i64,
    ) -> Option<&'e Exception> {
        if !enriched.account.is_awaited {
            return None;
        }
        let find = |control: &str, facts: &[Facts<'_>]| exceptions.may_find_for_all(control, facts, now_ms);
        Self::look_up(finding, enriched, identifier, related, exceptions, find)
    }

    fn look_up<'e>(
        finding: &Finding<'_>,
        enriched: &EnrichedFinding<'_>,
        identifier: Option<&str>,
        related: &[String],
        exceptions: &Exceptions,
        find: impl Fn(&str, &[Facts<'_>]) -> Option<&'e Exception>,
    ) -> Option<&'e Exception> {
        // Asked of every import, also of those that change nothing.
        if exceptions.is_empty() {
            return None;
        }
        let known = finding.control_id.as_deref().and_then(security_hub::control);
        let control = known.map_or(finding.control(), |control| &control.id);
        let rules = config_rules(finding, known, identifier);
        let mut others = rules.iter().copied().chain(related.iter().map(String::as_str));
        if !exceptions.concerns(control) && !others.any(|other| exceptions.concerns(other)) {
            return None;
        }
        let facts = Facts::of_finding(finding, enriched);
        let find = |control: &str| find(control, &facts);
        let of_rules = || shortest(rules.iter().map(|rule| find(rule)).collect::<Option<Vec<_>>>()?);
        // A control of Security Hub and the rules behind it ask for the same: one of the two sides is enough.
        let of_one = |id: &String| {
            let same = related.iter().filter(|other| asks_for_the_same(id, other)).map(|other| find(other));
            longest(find(id).into_iter().chain(same.collect::<Option<Vec<_>>>().and_then(shortest)))
        };
        let of_related = || shortest(related.iter().map(of_one).collect::<Option<Vec<_>>>()?);
        longest([find(control), of_rules(), of_related()].into_iter().flatten())
    }

    /// The same for a finding in code, with the customer's own framework numbers.
    #[must_use]
    pub fn in_code(finding: &'a Finding<'a>, event_id: &'a str, enriched: &'a EnrichedFinding<'a>, own: &'a Frameworks) -> Self {
        let names = finding.more.code.as_ref().map(|code| code.names.as_slice()).unwrap_or_default();
        let (related, frameworks) = code::related(finding.control(), names, own);
        let requirements = names.iter().filter_map(|name| requirement(name));
        let frameworks = List::new(frameworks.into_iter().chain(requirements));
        Self { pillar: Pillar::Iac, frameworks, related: List::new(related), ..Self::new(finding, event_id, enriched, own) }
    }

    /// The numbers of a product's control or type, where nothing else is known of a finding.
    #[must_use]
    pub fn frameworks_of(control: &str, numbers: &Frameworks) -> List {
        List::new(of_control(numbers, control, security_hub::control(control)))
    }

    /// The pillar of a product's control or type, for rows that count findings.
    #[must_use]
    pub fn pillar_of(product: &str, control: &str) -> Pillar {
        pillar(product, control, security_hub::control(control))
    }

    /// Whether an open finding of a control means that the internet, or every AWS account, reaches the resource: every rule behind
    /// it watches just that.
    #[must_use]
    pub fn means_public(control: &str) -> bool {
        security_hub::control(control)
            .is_some_and(|known| !known.rules.is_empty() && known.rules.iter().all(|rule| rule.watches_public_access()))
    }
}

/// The numbers of a control: those of the tables, and of the customer for it or for a rule that serves it alone.
fn of_control(numbers: &Frameworks, id: &str, known: Option<&'static SecurityHubControl>) -> Vec<String> {
    let own = numbers.of_security_hub(id, known).map(List::items).unwrap_or_default();
    let rules = known.map(|control| control.rules.as_slice()).unwrap_or_default();
    let rules = rules.iter().filter(|rule| rule.hub_controls.len() == 1);
    let of_rules = rules.filter_map(|rule| numbers.of_rule(rule.id, Some(rule)));
    own.iter().cloned().chain(of_rules.flat_map(|list| list.items().to_vec())).collect()
}

/// Whether one of the two is a control of Security Hub, and the other one a rule behind it.
fn asks_for_the_same(one: &str, other: &str) -> bool {
    let is_behind = |rule: &str, control: &str| {
        security_hub::control(control).is_some_and(|control| control.rules.iter().any(|behind| behind.id == rule))
    };
    is_behind(one, other) || is_behind(other, one)
}

/// The rules of AWS Config behind a control, as `control.id` of its results has them.
fn config_rules<'a>(
    finding: &'a Finding<'_>,
    known: Option<&'static SecurityHubControl>,
    identifier: Option<&str>,
) -> Vec<&'a str> {
    match finding.more.config_rule.as_deref() {
        Some(deployed) => vec![preventive::control_id(deployed, preventive::behind(deployed, identifier))],
        None => known.map(|control| control.rules.iter().map(|rule| rule.id).collect()).unwrap_or_default(),
    }
}

fn pillar(product: &str, control: &str, known: Option<&SecurityHubControl>) -> Pillar {
    match product {
        product::GUARD_DUTY if control.contains(":IAMUser/") || control.contains(":IAM/") => Pillar::Ciem,
        product::GUARD_DUTY if control.contains(":S3/") => Pillar::Dspm,
        product::GUARD_DUTY | product::INSPECTOR => Pillar::Cwpp,
        product::MACIE => Pillar::Dspm,
        product::ACCESS_ANALYZER => Pillar::Ciem,
        _ => known.map_or(Pillar::Cspm, |control| control.pillar),
    }
}

/// How Security Hub begins the numbers of a framework, and its name in events. [Security Hub user guide: standards, checked
/// 2026-11]
const REQUIREMENTS: [(&str, &str); 10] = [
    ("NIST.800-53.r5 ", "NIST-800-53-r5"),
    ("NIST.800-171.r2 ", "NIST-800-171-r2"),
    ("CIS AWS Foundations Benchmark v5.0.0/", "CIS-AWS-5.0"),
    ("CIS AWS Foundations Benchmark v3.0.0/", "CIS-AWS-3.0"),
    ("CIS AWS Foundations Benchmark v1.4.0/", "CIS-AWS-1.4"),
    ("CIS AWS Foundations Benchmark v1.2.0/", "CIS-AWS-1.2"),
    ("CIS AWS Foundations ", "CIS-AWS-1.2"),
    ("PCI DSS v4.0.1/", "PCI-DSS-4.0"),
    ("PCI DSS v3.2.1/", "PCI-DSS-3.2.1"),
    ("PCI DSS ", "PCI-DSS-3.2.1"),
];

/// A word that is a requirement of a framework which the tables know, in Security Hub's spelling or in that of events.
fn requirement(word: &str) -> Option<String> {
    let known = REQUIREMENTS.iter().any(|(begins, name)| word.starts_with(begins) || is_number_of(word, name));
    let other = || super::frameworks::known_frameworks().any(|name| is_number_of(word, name));
    (known || other()).then(|| number(word))
}

fn is_number_of(word: &str, framework: &str) -> bool {
    word.strip_prefix(framework).is_some_and(|rest| rest.len() > 1 && rest.starts_with(':'))
}

/// A requirement as events name it: `CIS-AWS-5.0:1.13`.
fn number(requirement: &str) -> String {
    let known = REQUIREMENTS.iter().find_map(|(begins, name)| Some((name, requirement.strip_prefix(begins)?)));
    known.map_or_else(|| requirement.replace('|', "/"), |(name, number)| format!("{name}:{}", number.replace('|', "/")))
}

/// What the first word of a `GuardDuty` type says in ATT&CK; the words are its tactics, or close to them.
/// [GuardDuty user guide: finding format, checked 2026-11]
const PURPOSES: [(&str, &str); 16] = [
    ("Backdoor", "command-and-control"),
    ("CredentialAccess", "credential-access"),
    ("CryptoCurrency", "impact"),
    ("DefenseEvasion", "defense-evasion"),
    ("Discovery", "discovery"),
    ("Execution", "execution"),
    ("Exfiltration", "exfiltration"),
    ("Impact", "impact"),
    ("InitialAccess", "initial-access"),
    ("LateralMovement", "lateral-movement"),
    ("Persistence", "persistence"),
    ("PrivilegeEscalation", "privilege-escalation"),
    ("Recon", "reconnaissance"),
    ("Stealth", "defense-evasion"),
    ("Trojan", "command-and-control"),
    ("UnauthorizedAccess", "initial-access"),
];

/// Techniques that a `GuardDuty` type stands for, by a part of its name; the first that fits. This project's own opinion, and only
/// where the type says it outright.
const TECHNIQUES: [(&str, &str); 34] = [
    ("CloudTrailLoggingDisabled", "T1562.008"),
    ("ServerAccessLoggingDisabled", "T1562.008"),
    ("PasswordPolicyChange", "T1556"),
    ("RootCredentialUsage", "T1078.004"),
    ("ConsoleLogin", "T1078.004"),
    ("CompromisedCredentials", "T1078.004"),
    ("InstanceCredentialExfiltration", "T1552.005"),
    ("MetadataDNSRebind", "T1552.005"),
    ("SSHBruteForce", "T1110"),
    ("RDPBruteForce", "T1110"),
    ("SuccessfulBruteForce", "T1110"),
    ("FailedLogin", "T1110"),
    ("PortProbe", "T1595.001"),
    ("Portscan", "T1046"),
    ("TorIPCaller", "T1090.003"),
    ("TorClient", "T1090.003"),
    ("TorRelay", "T1090.003"),
    ("DNSDataExfiltration", "T1048"),
    ("C&CActivity.B!DNS", "T1071.004"),
    ("C&CActivity", "T1071"),
    ("DenialOfService", "T1498"),
    ("BitcoinTool", "T1496"),
    ("CryptoMiner", "T1496"),
    ("Exfiltration:S3/", "T1530"),
    ("CompromisedData", "T1530"),
    ("Discovery:S3/", "T1619"),
    ("Impact:S3/AnomalousBehavior.Delete", "T1485"),
    ("Persistence:IAMUser/", "T1098"),
    ("PrivilegedContainer", "T1611"),
    ("ContainerMountsHostDirectory", "T1611"),
    ("ExecInKubeSystemPod", "T1609"),
    ("ReverseShell", "T1059.004"),
    ("ProcessInjection", "T1055"),
    ("FilelessExecution", "T1620"),
];

/// Tactic and technique of a `GuardDuty` type.
fn of_guard_duty(kind: &str) -> (Option<&'static str>, Option<&'static str>) {
    let purpose = kind.split(':').next().unwrap_or_default();
    let tactic = PURPOSES.iter().find(|(word, _)| *word == purpose).map(|(_, tactic)| *tactic);
    (tactic, TECHNIQUES.iter().find(|(part, _)| kind.contains(part)).map(|(_, technique)| *technique))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S1-14: every tactic and technique of the tables exists.
    #[test]
    fn the_tables_name_only_what_exists() {
        for (purpose, tactic) in PURPOSES {
            assert_eq!(attack::tag(tactic), Some(attack::Tag::Tactic(tactic)), "{purpose}");
        }
        for (part, technique) in TECHNIQUES {
            assert_eq!(attack::tag(technique), Some(attack::Tag::Technique(technique.to_owned())), "{part}");
        }
    }

    #[test]
    fn a_type_of_guardduty_gives_tactic_and_technique() {
        for (kind, want) in [
            ("UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", (Some("initial-access"), Some("T1078.004"))),
            ("Backdoor:EC2/C&CActivity.B!DNS", (Some("command-and-control"), Some("T1071.004"))),
            ("AttackSequence:S3/CompromisedData", (None, Some("T1530"))),
            ("Policy:S3/BucketBlockPublicAccessDisabled", (None, None)),
            ("", (None, None)),
        ] {
            assert_eq!(of_guard_duty(kind), want, "{kind}");
        }
    }

    #[test]
    fn each_product_has_one_pillar() {
        for (product, control, want) in [
            ("Security Hub", "IAM.3", Pillar::Ciem),
            ("Security Hub", "Nothing.1", Pillar::Cspm),
            ("GuardDuty", "Stealth:IAMUser/CloudTrailLoggingDisabled", Pillar::Ciem),
            ("GuardDuty", "AttackSequence:IAM/CompromisedCredentials", Pillar::Ciem),
            ("GuardDuty", "Discovery:S3/TorIPCaller", Pillar::Dspm),
            ("GuardDuty", "CryptoCurrency:EC2/BitcoinTool.B!DNS", Pillar::Cwpp),
            ("Inspector", "PACKAGE_VULNERABILITY", Pillar::Cwpp),
            ("Macie", "Policy:IAMUser/S3BucketPublic", Pillar::Dspm),
            ("IAM Access Analyzer", "ExternalAccess", Pillar::Ciem),
            ("Example Scanner", "anything", Pillar::Cspm),
        ] {
            assert_eq!(ClassifiedFinding::pillar_of(product, control), want, "{product} {control}");
        }
    }

    #[test]
    fn requirements_are_named_as_everywhere_else() {
        for (requirement, want) in [
            ("NIST.800-53.r5 AC-3(7)", "NIST-800-53-r5:AC-3(7)"),
            ("CIS AWS Foundations Benchmark v5.0.0/1.13", "CIS-AWS-5.0:1.13"),
            ("PCI DSS v4.0.1/8.3.9", "PCI-DSS-4.0:8.3.9"),
            ("Something new 1|2", "Something new 1/2"),
        ] {
            assert_eq!(number(requirement), want);
        }
    }

    #[test]
    fn of_the_words_of_a_scanner_only_requirements_are_taken() {
        for (word, want) in [
            ("PCI DSS v4.0.1/8.3.9", Some("PCI-DSS-4.0:8.3.9")),
            ("PCI-DSS-4.0:8.3.9", Some("PCI-DSS-4.0:8.3.9")),
            ("SOC2:CC6.6", Some("SOC2:CC6.6")),
            ("SOC2:", None),
            ("soc2", None),
            ("security", None),
            ("external/cwe/cwe-79", None),
            ("Something: new", None),
        ] {
            assert_eq!(requirement(word).as_deref(), want, "{word}");
        }
    }
}
