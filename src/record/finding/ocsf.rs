//! Security Hub V2's findings, in the Open Cybersecurity Schema Framework.
//!
//! [OCSF 1.5: detection, compliance and vulnerability finding, checked 2026-11] `severity_id` 1 to 5 are the five words, 6 (fatal)
//! is critical, 0 and 99 leave it to the word, and that to the vendor's own. Where it stands is `status_id`: 3 suppressed, 4
//! resolved, 5 archived, 6 deleted.

use std::borrow::Cow;

use serde::Deserialize;

use super::asff::named;
use super::key::{arn_part, native, product_of};
use super::lenient::{Items, Part, Tags, Texts, Word};
use super::{
    Affected, Around, Finding, FindingError, FindingForm, FindingStatus, More, json, moment, needed, needed_time, product,
};
use crate::record::Severity;

const FORM: FindingForm = FindingForm::Ocsf;

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Ocsf<'a> {
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
    #[serde(borrow, default)]
    cloud: Part<Cloud<'a>>,
    #[serde(borrow, default)]
    finding_info: Part<Info<'a>>,
    #[serde(borrow, default)]
    time: Word<'a>,
    #[serde(borrow, default)]
    severity_id: Word<'a>,
    #[serde(borrow, default)]
    severity: Word<'a>,
    #[serde(borrow, default)]
    vendor_attributes: Part<Vendor<'a>>,
    #[serde(borrow, default)]
    status_id: Word<'a>,
    #[serde(borrow, default)]
    status: Word<'a>,
    #[serde(borrow, default)]
    activity_id: Word<'a>,
    #[serde(borrow, default)]
    resources: Items<Resource<'a>>,
    #[serde(borrow, default)]
    compliance: Part<Compliance<'a>>,
    #[serde(borrow, default)]
    vulnerabilities: Items<Vulnerability<'a>>,
    #[serde(borrow, default)]
    count: Word<'a>,
}

#[derive(Deserialize, Default)]
struct Metadata<'a> {
    #[serde(borrow, default)]
    product: Part<Product<'a>>,
    #[serde(borrow, default)]
    uid: Word<'a>,
}

#[derive(Deserialize, Default)]
struct Product<'a> {
    #[serde(borrow, default)]
    name: Word<'a>,
    #[serde(borrow, default)]
    uid: Word<'a>,
}

#[derive(Deserialize, Default)]
struct Cloud<'a> {
    #[serde(borrow, default)]
    account: Part<Account<'a>>,
    #[serde(borrow, default)]
    region: Word<'a>,
}

#[derive(Deserialize)]
struct Account<'a> {
    #[serde(borrow, default)]
    uid: Word<'a>,
}

#[derive(Deserialize, Default)]
struct Info<'a> {
    #[serde(borrow, default)]
    uid: Word<'a>,
    #[serde(borrow, default)]
    title: Word<'a>,
    #[serde(borrow, default)]
    types: Texts<'a>,
    #[serde(borrow, default)]
    created_time: Word<'a>,
    #[serde(borrow, default)]
    first_seen_time: Word<'a>,
    #[serde(borrow, default)]
    modified_time: Word<'a>,
    #[serde(borrow, default)]
    attacks: Items<Attack<'a>>,
}

#[derive(Deserialize)]
struct Attack<'a> {
    #[serde(borrow, default)]
    technique: Part<Technique<'a>>,
    #[serde(borrow, default)]
    sub_technique: Part<Technique<'a>>,
}

#[derive(Deserialize)]
struct Technique<'a> {
    #[serde(borrow, default)]
    uid: Word<'a>,
}

#[derive(Deserialize)]
struct Vendor<'a> {
    #[serde(borrow, default)]
    severity: Word<'a>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow, default)]
    r#type: Word<'a>,
    #[serde(borrow, default)]
    uid: Word<'a>,
    #[serde(borrow, default)]
    name: Word<'a>,
    #[serde(borrow, default)]
    region: Word<'a>,
    #[serde(borrow, default)]
    tags: Tags<'a>,
}

#[derive(Deserialize, Default)]
struct Compliance<'a> {
    #[serde(borrow, default)]
    status: Word<'a>,
    #[serde(borrow, default)]
    status_id: Word<'a>,
    #[serde(borrow, default)]
    control: Word<'a>,
    #[serde(borrow, default)]
    standards: Texts<'a>,
    #[serde(borrow, default)]
    requirements: Texts<'a>,
}

#[derive(Deserialize)]
struct Vulnerability<'a> {
    #[serde(borrow, default)]
    cve: Part<Cve<'a>>,
    #[serde(borrow, default)]
    is_fix_available: Word<'a>,
    #[serde(borrow, default)]
    is_exploit_available: Word<'a>,
    #[serde(borrow, default)]
    affected_packages: Items<Package<'a>>,
}

#[derive(Deserialize)]
struct Cve<'a> {
    #[serde(borrow, default)]
    uid: Word<'a>,
    #[serde(borrow, default)]
    cvss: Items<Cvss<'a>>,
    #[serde(borrow, default)]
    epss: Part<Epss<'a>>,
}

#[derive(Deserialize)]
struct Cvss<'a> {
    #[serde(borrow, default)]
    base_score: Word<'a>,
}

#[derive(Deserialize)]
struct Epss<'a> {
    #[serde(borrow, default)]
    score: Word<'a>,
}

#[derive(Deserialize)]
struct Package<'a> {
    #[serde(borrow, default)]
    name: Word<'a>,
    #[serde(borrow, default)]
    version: Word<'a>,
    #[serde(borrow, default)]
    fixed_in_version: Word<'a>,
}

pub(super) fn parse<'a>(text: &'a str, around: Around<'a>) -> Result<Finding<'a>, FindingError> {
    let ocsf: Ocsf<'a> = serde_json::from_str(text).map_err(json(FORM))?;
    let info = ocsf.finding_info.0.unwrap_or_default();
    let metadata = ocsf.metadata.0.unwrap_or_default();
    let cloud = ocsf.cloud.0.unwrap_or_default();
    let id = needed(FORM, "finding_info.uid", info.uid.take().or(metadata.uid.take()))?;
    let product = metadata.product.0.unwrap_or_default();
    let product_arn = product.uid.take();
    let product = needed(FORM, "metadata.product", product_of(product_arn.as_ref(), product.name.take()))?;
    let account = cloud.account.0.and_then(|account| account.uid.take()).or_else(|| arn_part(&id, 4));
    let account = needed(FORM, "cloud.account.uid", account.or_else(|| around.account.map(Cow::Borrowed)))?;
    let changed = if info.modified_time.get().is_some() {
        ("finding_info.modified_time", &info.modified_time)
    } else {
        ("time", &ocsf.time)
    };
    let updated_ms = needed_time(FORM, changed.0, changed.1.get())?;
    let mut finding = Finding::of(FORM, product, id, account, updated_ms);

    let Items(mut resources) = ocsf.resources;
    finding.tags = resources.first_mut().map(|resource| std::mem::take(&mut resource.tags.0)).unwrap_or_default();
    let of_resource = resources.first().and_then(|resource| resource.region.clone().take()).filter(|region| region != "global");
    let of_product = || arn_part(product_arn.as_ref()?, 3);
    finding.region = cloud.region.take().or_else(|| arn_part(&finding.id, 3)).or_else(of_product).or(of_resource);
    finding.resources = resources.into_iter().filter_map(affected).collect();
    if [product::GUARD_DUTY, product::INSPECTOR, product::MACIE].contains(&&*finding.product) {
        finding.native_id = native(&finding.id);
    }
    let first_seen = info.first_seen_time.get().and_then(moment);
    finding.first_seen_ms = first_seen.or_else(|| info.created_time.get().and_then(moment));

    let vendor = ocsf.vendor_attributes.0.and_then(|vendor| vendor.severity.get().and_then(|word| word.parse().ok()));
    let word = ocsf.severity.get().and_then(|word| word.parse().ok());
    finding.severity = severity(ocsf.severity_id.whole()).or(word).or(vendor).unwrap_or(Severity::Informational);
    finding.severity_original = ocsf.severity.take().unwrap_or_default();
    finding.title = info.title.take().unwrap_or_default();
    finding.types = info.types.0;
    for attack in info.attacks.0 {
        let technique = attack.sub_technique.0.and_then(|technique| technique.uid.take());
        finding.techniques.extend(technique.or_else(|| attack.technique.0.and_then(|technique| technique.uid.take())));
    }

    let compliance = ocsf.compliance.0.unwrap_or_default();
    finding.compliance = state(&compliance);
    finding.control_id = compliance.control.take().filter(|control| is_control(control));
    finding.standards = compliance.standards.0;
    finding.requirements = compliance.requirements.0;
    finding.workflow = workflow(ocsf.status_id.whole(), ocsf.status.get()).map(Cow::Owned);
    let ended = matches!(finding.workflow.as_deref(), Some("RESOLVED" | "ARCHIVED" | "DELETED"));
    finding.status = if ended || finding.compliance.as_deref() == Some("PASSED") || ocsf.activity_id.whole() == Some(3) {
        FindingStatus::Resolved
    } else if finding.workflow.as_deref() == Some("SUPPRESSED") {
        FindingStatus::Suppressed
    } else {
        FindingStatus::Open
    };
    finding.more = more(ocsf.vulnerabilities.0);
    finding.more.count = ocsf.count.whole();
    if finding.product == product::GUARD_DUTY && finding.types.iter().any(|kind| kind.starts_with("AttackSequence:")) {
        finding.more.attack_sequence = Some(finding.id.clone());
    }
    Ok(finding)
}

fn severity(id: Option<i64>) -> Option<Severity> {
    Some(match id? {
        1 => Severity::Informational,
        2 => Severity::Low,
        3 => Severity::Medium,
        4 => Severity::High,
        5 | 6 => Severity::Critical,
        _ => return None,
    })
}

/// The status in the words of ASFF, where it has them; another word as it is.
fn workflow(id: Option<i64>, word: Option<&str>) -> Option<String> {
    let known = match id {
        Some(1) => "NEW",
        Some(2) => "IN_PROGRESS",
        Some(3) => "SUPPRESSED",
        Some(4) => "RESOLVED",
        Some(5) => "ARCHIVED",
        Some(6) => "DELETED",
        _ => return word.map(|word| word.to_ascii_uppercase().replace(' ', "_")),
    };
    Some(known.to_owned())
}

/// What a control says, in the words of ASFF.
fn state<'a>(compliance: &Compliance<'a>) -> Option<Cow<'a, str>> {
    let word = compliance.status.get().map(str::to_ascii_uppercase);
    Some(match (compliance.status_id.whole(), word.as_deref()) {
        (Some(1), _) | (_, Some("PASS" | "PASSED")) => Cow::Borrowed("PASSED"),
        (Some(2), _) | (_, Some("WARNING")) => Cow::Borrowed("WARNING"),
        (Some(3), _) | (_, Some("FAIL" | "FAILED")) => Cow::Borrowed("FAILED"),
        (_, Some(other)) => Cow::Owned(other.to_owned()),
        (_, None) => return None,
    })
}

/// `S3.8`, not a sentence.
fn is_control(text: &str) -> bool {
    text.split_once('.').is_some_and(|(service, number)| {
        service.starts_with(|c: char| c.is_ascii_alphabetic())
            && service.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn affected(resource: Resource<'_>) -> Option<Affected<'_>> {
    let id = resource.uid.take().or(resource.name.take())?;
    Some(Affected { kind: resource.r#type.take().unwrap_or_default(), id })
}

fn more(vulnerabilities: Vec<Vulnerability<'_>>) -> More<'_> {
    let Some(first) = vulnerabilities.into_iter().next() else { return More::default() };
    let yes_no = |word: &Word<'_>| word.get().is_some().then(|| Cow::Borrowed(if word.is_true() { "YES" } else { "NO" }));
    let mut more = More {
        fix_available: yes_no(&first.is_fix_available),
        exploit_available: yes_no(&first.is_exploit_available),
        packages: first.affected_packages.0.iter().filter_map(|package| named(&package.name, &package.version)).collect(),
        fixed_in: first.affected_packages.0.into_iter().find_map(|package| package.fixed_in_version.take()),
        ..More::default()
    };
    if let Some(cve) = first.cve.0 {
        let scores = cve.cvss.0.iter().filter_map(|cvss| cvss.base_score.number());
        more.cvss = scores.fold(None, |most: Option<f64>, score| Some(most.map_or(score, |most| most.max(score))));
        more.epss = cve.epss.0.and_then(|epss| epss.score.number());
        more.cve = cve.uid.take();
    }
    more
}
