//! Macie's own findings.
//!
//! [Macie user guide: EventBridge event schema, checked 2026-11] What Macie found is told by kind and count, never by value.

use std::borrow::Cow;

use serde::Deserialize;

use super::key::native;
use super::lenient::{Items, Part, Tags, Word};
use super::{Affected, Around, Finding, FindingError, FindingForm, FindingStatus, json, moment, needed, needed_time, product};
use crate::record::Severity;

const FORM: FindingForm = FindingForm::Macie;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(expecting = "an object")]
struct Detail<'a> {
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(borrow, default)]
    account_id: Word<'a>,
    #[serde(borrow, default)]
    region: Word<'a>,
    #[serde(borrow, default)]
    r#type: Word<'a>,
    #[serde(borrow, default)]
    title: Word<'a>,
    #[serde(borrow, default)]
    severity: Part<Level<'a>>,
    #[serde(borrow, default)]
    created_at: Word<'a>,
    #[serde(borrow, default)]
    updated_at: Word<'a>,
    #[serde(borrow, default)]
    count: Word<'a>,
    #[serde(borrow, default)]
    category: Word<'a>,
    #[serde(borrow, default)]
    archived: Word<'a>,
    #[serde(borrow, default)]
    sample: Word<'a>,
    #[serde(borrow, default)]
    resources_affected: Part<Resources<'a>>,
    #[serde(borrow, default)]
    classification_details: Part<Classification<'a>>,
}

#[derive(Deserialize, Default)]
struct Level<'a> {
    #[serde(borrow, default)]
    score: Word<'a>,
    #[serde(borrow, default)]
    description: Word<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resources<'a> {
    #[serde(borrow, default)]
    s3_bucket: Part<Bucket<'a>>,
    #[serde(borrow, default)]
    s3_object: Part<Object<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bucket<'a> {
    #[serde(borrow, default)]
    arn: Word<'a>,
    #[serde(borrow, default)]
    name: Word<'a>,
    #[serde(borrow, default)]
    public_access: Part<Public<'a>>,
    #[serde(borrow, default)]
    tags: Tags<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Public<'a> {
    #[serde(borrow, default)]
    effective_permission: Word<'a>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow, default)]
    key: Word<'a>,
}

#[derive(Deserialize)]
struct Classification<'a> {
    #[serde(borrow, default)]
    result: Part<Outcome<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    #[serde(borrow, default)]
    sensitive_data: Items<Sensitive<'a>>,
    #[serde(borrow, default)]
    custom_data_identifiers: Part<Sensitive<'a>>,
}

#[derive(Deserialize)]
struct Sensitive<'a> {
    #[serde(borrow, default)]
    detections: Items<Found<'a>>,
}

#[derive(Deserialize)]
struct Found<'a> {
    #[serde(borrow, default)]
    r#type: Word<'a>,
    #[serde(borrow, default)]
    name: Word<'a>,
    #[serde(borrow, default)]
    count: Word<'a>,
}

pub(super) fn parse<'a>(text: &'a str, around: Around<'a>) -> Result<Finding<'a>, FindingError> {
    let detail: Detail<'a> = serde_json::from_str(text).map_err(json(FORM))?;
    let id = needed(FORM, "id", detail.id.take())?;
    let account = needed(FORM, "accountId", detail.account_id.take().or_else(|| around.account.map(Cow::Borrowed)))?;
    let updated_ms = needed_time(FORM, "updatedAt", detail.updated_at.get())?;
    let mut finding = Finding::of(FORM, Cow::Borrowed(product::MACIE), id, account, updated_ms);
    finding.native_id = native(&finding.id);
    finding.region = detail.region.take();
    finding.first_seen_ms = detail.created_at.get().and_then(moment);

    let level = detail.severity.0.unwrap_or_default();
    finding.severity = severity(&level);
    finding.severity_original = level.description.take().or(level.score.take()).unwrap_or_default();
    finding.title = detail.title.take().unwrap_or_default();
    finding.types = detail.r#type.take().into_iter().collect();
    let archived = detail.archived.is_true();
    finding.record_state = Some(Cow::Borrowed(if archived { "ARCHIVED" } else { "ACTIVE" }));
    finding.status = if archived { FindingStatus::Resolved } else { FindingStatus::Open };

    let more = &mut finding.more;
    more.count = detail.count.whole();
    more.category = detail.category.take();
    more.sample = detail.sample.is_true();
    if let Some(resources) = detail.resources_affected.0 {
        if let Some(bucket) = resources.s3_bucket.0 {
            let name = bucket.name.take();
            let id = bucket.arn.take().or_else(|| name.clone());
            finding.resources.extend(id.map(|id| Affected { kind: Cow::Borrowed("AWS::S3::Bucket"), id }));
            more.bucket = name;
            finding.tags = bucket.tags.0;
            let permission = bucket.public_access.0.and_then(|access| access.effective_permission.take());
            more.public = permission.filter(|word| word != "UNKNOWN").map(|word| word == "PUBLIC");
        }
        more.object_key = resources.s3_object.0.and_then(|object| object.key.take());
    }
    if let Some(outcome) = detail.classification_details.0.and_then(|details| details.result.0) {
        for found in
            outcome.sensitive_data.0.into_iter().chain(outcome.custom_data_identifiers.0).flat_map(|all| all.detections.0)
        {
            let count = found.count.whole().unwrap_or_default();
            more.data_types.extend(found.r#type.take().or(found.name.take()).map(|kind| (kind, count)));
        }
    }
    Ok(finding)
}

fn severity(level: &Level<'_>) -> Severity {
    let word = level.description.get().and_then(|word| word.parse().ok());
    word.unwrap_or_else(|| match level.score.whole() {
        Some(3..) => Severity::High,
        Some(2) => Severity::Medium,
        Some(1) => Severity::Low,
        _ => Severity::Informational,
    })
}
