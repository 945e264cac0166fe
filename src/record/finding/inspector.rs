//! Inspector's own findings.
//!
//! [Inspector user guide: EventBridge schema, checked 2026-11] The Region is in the ARN only. `UNTRIAGED` means that nobody has a
//! score yet: INFORMATIONAL, as Security Hub has it, until there is one, which then is a finding that worsened.

use std::borrow::Cow;

use serde::Deserialize;

use super::asff::named;
use super::key::{arn_part, native};
use super::lenient::{Items, Part, Tags, Word};
use super::{Affected, Around, Finding, FindingError, FindingForm, FindingStatus, json, moment, needed, needed_time, product};
use crate::record::Severity;

const FORM: FindingForm = FindingForm::Inspector;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(expecting = "an object")]
struct Detail<'a> {
    #[serde(borrow, default)]
    aws_account_id: Word<'a>,
    #[serde(borrow, default)]
    finding_arn: Word<'a>,
    #[serde(borrow, default)]
    first_observed_at: Word<'a>,
    #[serde(borrow, default)]
    last_observed_at: Word<'a>,
    #[serde(borrow, default)]
    updated_at: Word<'a>,
    #[serde(borrow, default)]
    severity: Word<'a>,
    #[serde(borrow, default)]
    status: Word<'a>,
    #[serde(borrow, default)]
    r#type: Word<'a>,
    #[serde(borrow, default)]
    title: Word<'a>,
    #[serde(borrow, default)]
    inspector_score: Word<'a>,
    #[serde(borrow, default)]
    epss: Part<Epss<'a>>,
    #[serde(borrow, default)]
    exploit_available: Word<'a>,
    #[serde(borrow, default)]
    fix_available: Word<'a>,
    #[serde(borrow, default)]
    package_vulnerability_details: Part<Flaw<'a>>,
    #[serde(borrow, default)]
    resources: Items<Resource<'a>>,
}

#[derive(Deserialize)]
struct Epss<'a> {
    #[serde(borrow, default)]
    score: Word<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Flaw<'a> {
    #[serde(borrow, default)]
    vulnerability_id: Word<'a>,
    #[serde(borrow, default)]
    cvss: Items<Cvss<'a>>,
    #[serde(borrow, default)]
    vulnerable_packages: Items<Package<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cvss<'a> {
    #[serde(borrow, default)]
    base_score: Word<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package<'a> {
    #[serde(borrow, default)]
    name: Word<'a>,
    #[serde(borrow, default)]
    version: Word<'a>,
    #[serde(borrow, default)]
    fixed_in_version: Word<'a>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(borrow, default)]
    r#type: Word<'a>,
    #[serde(borrow, default)]
    region: Word<'a>,
    #[serde(borrow, default)]
    details: Part<Details<'a>>,
    #[serde(borrow, default)]
    tags: Tags<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    #[serde(borrow, default)]
    aws_ecr_container_image: Part<Image<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image<'a> {
    #[serde(borrow, default)]
    repository_name: Word<'a>,
    #[serde(borrow, default)]
    image_hash: Word<'a>,
}

pub(super) fn parse<'a>(text: &'a str, around: Around<'a>) -> Result<Finding<'a>, FindingError> {
    let detail: Detail<'a> = serde_json::from_str(text).map_err(json(FORM))?;
    let id = needed(FORM, "findingArn", detail.finding_arn.take())?;
    let account = detail.aws_account_id.take().or_else(|| arn_part(&id, 4));
    let account = needed(FORM, "awsAccountId", account.or_else(|| around.account.map(Cow::Borrowed)))?;
    let changed = if detail.updated_at.get().is_some() { &detail.updated_at } else { &detail.last_observed_at };
    let updated_ms = needed_time(FORM, "updatedAt", changed.get())?;
    let mut finding = Finding::of(FORM, Cow::Borrowed(product::INSPECTOR), id, account, updated_ms);
    finding.native_id = native(&finding.id);

    let Items(mut resources) = detail.resources;
    finding.tags = resources.first_mut().map(|resource| std::mem::take(&mut resource.tags.0)).unwrap_or_default();
    let of_resource = resources.first().and_then(|resource| resource.region.clone().take());
    finding.region = arn_part(&finding.id, 3).or(of_resource);
    finding.first_seen_ms = detail.first_observed_at.get().and_then(moment);
    finding.severity = detail.severity.get().and_then(|word| word.parse().ok()).unwrap_or(Severity::Informational);
    finding.severity_original = detail.severity.take().unwrap_or_default();
    finding.title = detail.title.take().unwrap_or_default();
    finding.types = detail.r#type.take().into_iter().collect();
    finding.status = match detail.status.get() {
        Some("CLOSED") => FindingStatus::Resolved,
        Some("SUPPRESSED") => FindingStatus::Suppressed,
        _ => FindingStatus::Open,
    };
    finding.record_state = detail.status.take();

    let more = &mut finding.more;
    if let Some(image) = resources.iter_mut().find_map(|resource| resource.details.0.take()?.aws_ecr_container_image.0) {
        more.repository = image.repository_name.take();
        more.image_digest = image.image_hash.take();
    }
    let vulnerability = detail.package_vulnerability_details.0.unwrap_or_default();
    let scores = vulnerability.cvss.0.iter().filter_map(|cvss| cvss.base_score.number());
    let highest = scores.fold(None, |most: Option<f64>, score| Some(most.map_or(score, |most| most.max(score))));
    more.cve = vulnerability.vulnerability_id.take();
    more.cvss = detail.inspector_score.number().or(highest);
    more.epss = detail.epss.0.and_then(|epss| epss.score.number());
    more.fix_available = detail.fix_available.take();
    more.exploit_available = detail.exploit_available.take();
    let Items(packages) = vulnerability.vulnerable_packages;
    more.packages = packages.iter().filter_map(|package| named(&package.name, &package.version)).collect();
    more.fixed_in = packages.into_iter().find_map(|package| package.fixed_in_version.take());
    finding.resources = resources
        .into_iter()
        .filter_map(|resource| Some(Affected { kind: resource.r#type.take().unwrap_or_default(), id: resource.id.take()? }))
        .collect();
    Ok(finding)
}
