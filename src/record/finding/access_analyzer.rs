//! IAM Access Analyzer's own findings.
//!
//! [Access Analyzer user guide: EventBridge events, checked 2026-11] They have no severity, so it follows from who has access: all
//! the world HIGH, someone outside MEDIUM, someone inside MEDIUM (such an analyzer watches only what matters), nobody that uses it
//! LOW. Unused access says `findingId` in place of `id` and no Region; internal access no Region either: as the id is unique in the
//! world, the Region is not part of its identity. A deleted resource keeps status and time, so `isDeleted` decides.

use std::borrow::Cow;

use serde::Deserialize;

use super::lenient::{Pairs, Part, Word};
use super::{Affected, Around, Finding, FindingError, FindingForm, FindingStatus, json, moment, needed, needed_time, product};
use crate::record::Severity;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(expecting = "an object")]
struct Detail<'a> {
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(borrow, default)]
    finding_id: Word<'a>,
    #[serde(borrow, default)]
    finding_type: Word<'a>,
    #[serde(borrow, default)]
    account_id: Word<'a>,
    #[serde(borrow, default)]
    region: Word<'a>,
    #[serde(borrow, default)]
    created_at: Word<'a>,
    #[serde(borrow, default)]
    updated_at: Word<'a>,
    #[serde(borrow, default)]
    status: Word<'a>,
    #[serde(borrow, default)]
    is_deleted: Word<'a>,
    #[serde(borrow, default)]
    is_public: Word<'a>,
    #[serde(borrow, default)]
    resource: Word<'a>,
    #[serde(borrow, default)]
    resource_type: Word<'a>,
    #[serde(borrow, default)]
    principal: Part<Pairs<'a>>,
    #[serde(borrow, default)]
    access_type: Word<'a>,
}

pub(super) fn parse<'a>(form: FindingForm, text: &'a str, around: Around<'a>) -> Result<Finding<'a>, FindingError> {
    let detail: Detail<'a> = serde_json::from_str(text).map_err(json(form))?;
    let field = if form == FindingForm::UnusedAccess { "findingId" } else { "id" };
    let id = needed(form, field, detail.id.take().or(detail.finding_id.take()))?;
    let account = needed(form, "accountId", detail.account_id.take().or_else(|| around.account.map(Cow::Borrowed)))?;
    let updated_ms = needed_time(form, "updatedAt", detail.updated_at.get())?;
    let mut finding = Finding::of(form, Cow::Borrowed(product::ACCESS_ANALYZER), id, account, updated_ms);
    finding.region = detail.region.take();
    finding.first_seen_ms = detail.created_at.get().and_then(moment);

    let public = detail.is_public.get().is_some().then(|| detail.is_public.is_true());
    let (usual, severity) = match form {
        FindingForm::UnusedAccess => ("UnusedAccess", Severity::Low),
        FindingForm::InternalAccess => ("InternalAccess", Severity::Medium),
        _ if public == Some(true) => ("ExternalAccess", Severity::High),
        _ => ("ExternalAccess", Severity::Medium),
    };
    finding.severity = severity;
    let kind = detail.finding_type.take().unwrap_or(Cow::Borrowed(usual));
    let resource = detail.resource.take();
    finding.title = Cow::Owned(match (&resource, public) {
        (Some(resource), Some(true)) => format!("{kind}: everybody has access to {resource}"),
        (Some(resource), _) => format!("{kind}: {resource}"),
        (None, _) => kind.clone().into_owned(),
    });
    let kind_of_resource = detail.resource_type.take().unwrap_or_default();
    finding.resources.extend(resource.map(|id| Affected { kind: kind_of_resource, id }));
    let deleted = detail.is_deleted.is_true();
    finding.status = match detail.status.get() {
        _ if deleted => FindingStatus::Resolved,
        Some("RESOLVED") => FindingStatus::Resolved,
        Some("ARCHIVED") => FindingStatus::Suppressed,
        _ => FindingStatus::Open,
    };
    finding.record_state = detail.status.take();
    finding.more.public = public;
    finding.more.deleted = deleted;
    finding.more.access_type = detail.access_type.take().or_else(|| Some(kind.clone()));
    let principals: Vec<String> = detail
        .principal
        .0
        .into_iter()
        .flat_map(|pairs| pairs.0)
        .flat_map(|(kind, who)| {
            let kind = kind.into_owned();
            who.0.into_iter().map(move |who| if kind.is_empty() { who.into_owned() } else { format!("{kind}:{who}") })
        })
        .collect();
    finding.more.principal = (!principals.is_empty()).then(|| principals.join(" "));
    finding.types = vec![kind];
    Ok(finding)
}
