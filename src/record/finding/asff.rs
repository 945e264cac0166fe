//! Security Hub's findings in the AWS Security Finding Format.
//!
//! [Security Hub user guide: ASFF, checked 2026-11] `Severity.Label` decides; `Normalized` only where there is no label.

use std::borrow::Cow;

use serde::Deserialize;

use super::key::{arn_part, native, product_of};
use super::lenient::{Items, Pairs, Part, Tags, Texts, Word};
use super::{
    Affected, Around, Finding, FindingError, FindingForm, FindingStatus, More, json, moment, needed, needed_time, product, slice,
};
use crate::record::Severity;

const FORM: FindingForm = FindingForm::Asff;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[serde(expecting = "an object")]
struct Asff<'a> {
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(borrow, default)]
    product_arn: Word<'a>,
    #[serde(borrow, default)]
    product_name: Word<'a>,
    #[serde(borrow, default)]
    aws_account_id: Word<'a>,
    #[serde(borrow, default)]
    region: Word<'a>,
    #[serde(borrow, default)]
    generator_id: Word<'a>,
    #[serde(borrow, default)]
    types: Texts<'a>,
    #[serde(borrow, default)]
    created_at: Word<'a>,
    #[serde(borrow, default)]
    first_observed_at: Word<'a>,
    #[serde(borrow, default)]
    updated_at: Word<'a>,
    #[serde(borrow, default)]
    severity: Part<Rank<'a>>,
    #[serde(borrow, default)]
    finding_provider_fields: Part<Provider<'a>>,
    #[serde(borrow, default)]
    title: Word<'a>,
    #[serde(borrow, default)]
    resources: Items<Resource<'a>>,
    #[serde(borrow, default)]
    compliance: Part<Compliance<'a>>,
    #[serde(borrow, default)]
    workflow: Part<Workflow<'a>>,
    #[serde(borrow, default)]
    record_state: Word<'a>,
    #[serde(borrow, default)]
    product_fields: Part<Fields<'a>>,
    #[serde(borrow, default)]
    vulnerabilities: Items<Vulnerability<'a>>,
    #[serde(borrow, default)]
    user_defined_fields: Pairs<'a>,
    #[serde(borrow, default)]
    sample: Word<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Rank<'a> {
    #[serde(borrow, default)]
    label: Word<'a>,
    #[serde(borrow, default)]
    normalized: Word<'a>,
    #[serde(borrow, default)]
    original: Word<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Provider<'a> {
    #[serde(borrow, default)]
    severity: Part<Rank<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource<'a> {
    #[serde(borrow, default)]
    r#type: Word<'a>,
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(borrow, default)]
    region: Word<'a>,
    #[serde(borrow, default)]
    tags: Tags<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Compliance<'a> {
    #[serde(borrow, default)]
    status: Word<'a>,
    #[serde(borrow, default)]
    security_control_id: Word<'a>,
    #[serde(borrow, default)]
    associated_standards: Items<Standard<'a>>,
    #[serde(borrow, default)]
    related_requirements: Texts<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Standard<'a> {
    #[serde(borrow, default)]
    standards_id: Word<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Workflow<'a> {
    #[serde(borrow, default)]
    status: Word<'a>,
}

#[derive(Deserialize, Default)]
struct Fields<'a> {
    #[serde(rename = "aws/guardduty/service/count", borrow, default)]
    count: Word<'a>,
    #[serde(rename = "aws/guardduty/service/featureName", borrow, default)]
    feature: Word<'a>,
    #[serde(rename = "RelatedAWSResources:0/name", borrow, default)]
    related: Word<'a>,
    #[serde(rename = "RelatedAWSResources:0/type", borrow, default)]
    related_type: Word<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vulnerability<'a> {
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(borrow, default)]
    cvss: Items<Cvss<'a>>,
    #[serde(borrow, default)]
    epss_score: Word<'a>,
    #[serde(borrow, default)]
    fix_available: Word<'a>,
    #[serde(borrow, default)]
    exploit_available: Word<'a>,
    #[serde(borrow, default)]
    vulnerable_packages: Items<Package<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cvss<'a> {
    #[serde(borrow, default)]
    base_score: Word<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Package<'a> {
    #[serde(borrow, default)]
    name: Word<'a>,
    #[serde(borrow, default)]
    version: Word<'a>,
    #[serde(borrow, default)]
    fixed_in_version: Word<'a>,
}

pub(super) fn parse<'a>(text: &'a str, around: Around<'a>) -> Result<Finding<'a>, FindingError> {
    let asff: Asff<'a> = serde_json::from_str(text).map_err(json(FORM))?;
    let id = needed(FORM, "Id", asff.id.take())?;
    let product_arn = asff.product_arn.take();
    let product = needed(FORM, "ProductArn", product_of(product_arn.as_ref(), asff.product_name.take()))?;
    let own_arn = id.starts_with("arn:").then(|| id.clone());
    let account = asff.aws_account_id.take().or_else(|| arn_part(own_arn.as_ref()?, 4));
    let account = needed(FORM, "AwsAccountId", account.or_else(|| around.account.map(Cow::Borrowed)))?;
    let updated_ms = needed_time(FORM, "UpdatedAt", asff.updated_at.get())?;
    let mut finding = Finding::of(FORM, product, id, account, updated_ms);

    let Items(mut resources) = asff.resources;
    finding.tags = resources.first_mut().map(|resource| std::mem::take(&mut resource.tags.0)).unwrap_or_default();
    let of_resource = resources.first().and_then(|resource| resource.region.clone().take()).filter(|region| region != "global");
    finding.region = asff
        .region
        .take()
        .or_else(|| arn_part(own_arn.as_ref()?, 3))
        .or_else(|| arn_part(product_arn.as_ref()?, 3))
        .or(of_resource);
    finding.resources = resources.into_iter().filter_map(affected).collect();
    // Access Analyzer's names the resource and not the finding, another vendor's may be anything.
    let is_shared = [product::GUARD_DUTY, product::INSPECTOR, product::MACIE].contains(&&*finding.product);
    if is_shared {
        finding.native_id = native(&finding.id);
    }
    let first_seen = asff.first_observed_at.get().and_then(moment);
    finding.first_seen_ms = first_seen.or_else(|| asff.created_at.get().and_then(moment));

    let label = asff.severity.0.unwrap_or_default();
    let provided = asff.finding_provider_fields.0.and_then(|provider| provider.severity.0).unwrap_or_default();
    finding.severity = severity(&label).or_else(|| severity(&provided)).unwrap_or(Severity::Informational);
    finding.severity_original = label.original.take().or(label.label.take()).or(provided.original.take()).unwrap_or_default();
    finding.title = asff.title.take().unwrap_or_default();
    finding.types = types(asff.types.0);
    if finding.types.is_empty() {
        finding.types.extend(asff.generator_id.take());
    }

    let compliance = asff.compliance.0.unwrap_or_default();
    finding.compliance = compliance.status.take();
    finding.control_id = compliance.security_control_id.take();
    finding.standards =
        compliance.associated_standards.0.into_iter().filter_map(|standard| standard.standards_id.take()).collect();
    finding.requirements = compliance.related_requirements.0;
    if finding.product == product::SECURITY_HUB {
        finding.part = standard_of(&finding.id).unwrap_or_default();
        if finding.standards.is_empty() && !finding.part.is_empty() {
            finding.standards.push(finding.part.clone());
        }
    }
    finding.workflow = asff.workflow.0.and_then(|workflow| workflow.status.take());
    finding.record_state = asff.record_state.take();
    finding.status = status(finding.workflow.as_deref(), finding.record_state.as_deref(), finding.compliance.as_deref());

    let fields = asff.product_fields.0.unwrap_or_default();
    finding.more = more(asff.vulnerabilities.0);
    finding.more.count = fields.count.whole();
    finding.more.feature = fields.feature.take();
    let is_rule = fields.related_type.get() == Some("AWS::Config::ConfigRule");
    finding.more.config_rule = fields.related.take().filter(|_| is_rule);
    finding.more.sample = asff.sample.is_true();
    let fields = asff.user_defined_fields.0.iter();
    finding.more.user_fields =
        fields.flat_map(|(name, values)| values.0.iter().map(move |value| format!("{name}:{value}"))).collect();
    if finding.product == product::GUARD_DUTY && finding.types.iter().any(|kind| kind.starts_with("AttackSequence:")) {
        finding.more.attack_sequence = Some(finding.id.clone());
    }
    Ok(finding)
}

/// Where it stands. What people said wins over what the provider says, and ended over set aside.
fn status(workflow: Option<&str>, record_state: Option<&str>, compliance: Option<&str>) -> FindingStatus {
    if workflow == Some("RESOLVED") || record_state == Some("ARCHIVED") || compliance == Some("PASSED") {
        FindingStatus::Resolved
    } else if workflow == Some("SUPPRESSED") {
        FindingStatus::Suppressed
    } else {
        FindingStatus::Open
    }
}

fn severity(label: &Rank<'_>) -> Option<Severity> {
    let word = label.label.get().and_then(|word| word.parse().ok());
    word.or_else(|| {
        label.normalized.number().map(|number| match number {
            ..1.0 => Severity::Informational,
            ..40.0 => Severity::Low,
            ..70.0 => Severity::Medium,
            ..90.0 => Severity::High,
            _ => Severity::Critical,
        })
    })
}

/// `GuardDuty` puts its own type behind a path of two names: `TTPs/Initial Access/UnauthorizedAccess:IAMUser-…`, with the slash of
/// its own written as a dash.
fn types(all: Vec<Cow<'_, str>>) -> Vec<Cow<'_, str>> {
    let mut found: Vec<Cow<'_, str>> = Vec::with_capacity(all.len());
    for kind in &all {
        let own = slice(kind, |kind| kind.rsplit_once('/').map(|(_, own)| own).filter(|own| own.contains(':')));
        if let Some(own) = own {
            found.push(match own.split_once('-') {
                Some((family, artifact)) if !own.contains('/') => Cow::Owned(format!("{family}/{artifact}")),
                _ => own,
            });
        }
    }
    found.extend(all);
    found
}

/// The standard in the id of a control that is not consolidated: `…:subscription/<standard>/v/<version>/<control>/finding/…`.
fn standard_of<'a>(id: &Cow<'a, str>) -> Option<Cow<'a, str>> {
    slice(id, |id| {
        let (_, rest) = id.split_once(":subscription/")?;
        let (standard, _) = rest.split_once("/finding/")?;
        standard.rsplit_once('/').map(|(standard, _control)| standard)
    })
}

fn affected(resource: Resource<'_>) -> Option<Affected<'_>> {
    Some(Affected { kind: resource.r#type.take().unwrap_or_default(), id: resource.id.take()? })
}

fn more(vulnerabilities: Vec<Vulnerability<'_>>) -> More<'_> {
    let Some(first) = vulnerabilities.into_iter().next() else { return More::default() };
    let scores = first.cvss.0.iter().filter_map(|cvss| cvss.base_score.number());
    let cvss = scores.fold(None, |most: Option<f64>, score| Some(most.map_or(score, |most| most.max(score))));
    let Items(packages) = first.vulnerable_packages;
    More {
        cve: first.id.take(),
        cvss,
        epss: first.epss_score.number(),
        fix_available: first.fix_available.take(),
        exploit_available: first.exploit_available.take(),
        packages: packages.iter().filter_map(|package| named(&package.name, &package.version)).collect(),
        fixed_in: packages.into_iter().find_map(|package| package.fixed_in_version.take()),
        ..More::default()
    }
}

/// `name@version`
pub(super) fn named(name: &Word<'_>, version: &Word<'_>) -> Option<String> {
    Some(match (name.get()?, version.get()) {
        (name, Some(version)) => format!("{name}@{version}"),
        (name, None) => name.to_owned(),
    })
}
