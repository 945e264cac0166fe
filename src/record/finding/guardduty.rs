//! GuardDuty's own findings.
//!
//! [GuardDuty user guide: finding details and severity levels, checked 2026-11] The severity is a number: below 4 low, below 7
//! medium, below 9 high, else critical. Repeats of one finding carry its id and a higher count.

use std::borrow::Cow;

use serde::Deserialize;

use super::key::{arn_part, native};
use super::lenient::{Items, Part, Texts, Word};
use super::{Affected, Around, Finding, FindingError, FindingForm, FindingStatus, json, moment, needed, needed_time, product};
use crate::record::Severity;

const FORM: FindingForm = FindingForm::GuardDuty;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(expecting = "an object")]
struct Detail<'a> {
    #[serde(borrow, default)]
    account_id: Word<'a>,
    #[serde(borrow, default)]
    region: Word<'a>,
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(borrow, default)]
    arn: Word<'a>,
    #[serde(borrow, default)]
    r#type: Word<'a>,
    #[serde(borrow, default)]
    resource: Part<Subject<'a>>,
    #[serde(borrow, default)]
    service: Part<Service<'a>>,
    #[serde(borrow, default)]
    severity: Word<'a>,
    #[serde(borrow, default)]
    created_at: Word<'a>,
    #[serde(borrow, default)]
    updated_at: Word<'a>,
    #[serde(borrow, default)]
    title: Word<'a>,
    #[serde(borrow, default)]
    associated_attack_sequence_arn: Word<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Service<'a> {
    #[serde(borrow, default)]
    count: Word<'a>,
    #[serde(borrow, default)]
    archived: Word<'a>,
    #[serde(borrow, default)]
    event_first_seen: Word<'a>,
    #[serde(borrow, default)]
    feature_name: Word<'a>,
    #[serde(borrow, default)]
    additional_info: Part<Info<'a>>,
    #[serde(borrow, default)]
    detection: Part<Detection<'a>>,
}

#[derive(Deserialize)]
struct Info<'a> {
    #[serde(borrow, default)]
    sample: Word<'a>,
}

#[derive(Deserialize)]
struct Detection<'a> {
    #[serde(borrow, default)]
    sequence: Part<Sequence<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sequence<'a> {
    #[serde(borrow, default, alias = "indicators")]
    sequence_indicators: Items<Indicator<'a>>,
    #[serde(borrow, default)]
    resources: Items<SequenceResource<'a>>,
}

#[derive(Deserialize)]
struct Indicator<'a> {
    #[serde(borrow, default)]
    key: Word<'a>,
    #[serde(borrow, default)]
    values: Texts<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SequenceResource<'a> {
    #[serde(borrow, default)]
    uid: Word<'a>,
    #[serde(borrow, default)]
    resource_type: Word<'a>,
}

/// The resources of the kinds of finding. One is there, beside what says where it runs.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Subject<'a> {
    #[serde(borrow, default)]
    resource_type: Word<'a>,
    #[serde(borrow, default)]
    access_key_details: Part<Caller<'a>>,
    #[serde(borrow, default)]
    instance_details: Part<Named<'a>>,
    #[serde(borrow, default)]
    s3_bucket_details: Items<Named<'a>>,
    #[serde(borrow, default)]
    eks_cluster_details: Part<Named<'a>>,
    #[serde(borrow, default)]
    ecs_cluster_details: Part<Named<'a>>,
    #[serde(borrow, default)]
    container_details: Part<Named<'a>>,
    #[serde(borrow, default)]
    lambda_details: Part<Named<'a>>,
    #[serde(borrow, default)]
    rds_db_instance_details: Part<Named<'a>>,
    #[serde(borrow, default)]
    rds_limitless_db_details: Part<Named<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Caller<'a> {
    #[serde(borrow, default)]
    access_key_id: Word<'a>,
    #[serde(borrow, default)]
    user_name: Word<'a>,
    #[serde(borrow, default)]
    principal_id: Word<'a>,
}

/// Whatever names it best comes first in [`Named::id`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named<'a> {
    #[serde(borrow, default)]
    arn: Word<'a>,
    #[serde(borrow, default)]
    function_arn: Word<'a>,
    #[serde(borrow, default)]
    db_instance_arn: Word<'a>,
    #[serde(borrow, default)]
    db_shard_group_arn: Word<'a>,
    #[serde(borrow, default)]
    instance_id: Word<'a>,
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(borrow, default)]
    name: Word<'a>,
}

impl<'a> Named<'a> {
    fn id(self) -> Option<Cow<'a, str>> {
        let all =
            [self.arn, self.function_arn, self.db_instance_arn, self.db_shard_group_arn, self.instance_id, self.id, self.name];
        all.into_iter().find_map(Word::take)
    }
}

pub(super) fn parse<'a>(text: &'a str, around: Around<'a>) -> Result<Finding<'a>, FindingError> {
    let detail: Detail<'a> = serde_json::from_str(text).map_err(json(FORM))?;
    let (arn, plain) = (detail.arn.take(), detail.id.take());
    let id = needed(FORM, "id", arn.clone().or_else(|| plain.clone()))?;
    let account = detail.account_id.take().or_else(|| arn_part(&id, 4));
    let account = needed(FORM, "accountId", account.or_else(|| around.account.map(Cow::Borrowed)))?;
    let updated_ms = needed_time(FORM, "updatedAt", detail.updated_at.get())?;
    let mut finding = Finding::of(FORM, Cow::Borrowed(product::GUARD_DUTY), id, account, updated_ms);
    finding.native_id = native(&finding.id);
    finding.region = detail.region.take().or_else(|| arn_part(&finding.id, 3));

    let service = detail.service.0.unwrap_or_default();
    let first_seen = service.event_first_seen.get().and_then(moment);
    finding.first_seen_ms = first_seen.or_else(|| detail.created_at.get().and_then(moment));
    finding.severity = severity(detail.severity.number());
    finding.severity_original = detail.severity.take().unwrap_or_default();
    finding.title = detail.title.take().unwrap_or_default();
    finding.types = detail.r#type.take().into_iter().collect();
    let archived = service.archived.is_true();
    finding.record_state = Some(Cow::Borrowed(if archived { "ARCHIVED" } else { "ACTIVE" }));
    finding.status = if archived { FindingStatus::Resolved } else { FindingStatus::Open };
    finding.resources = affected(detail.resource.0.unwrap_or_default());

    finding.more.count = service.count.whole();
    finding.more.feature = service.feature_name.take();
    finding.more.sample = service.additional_info.0.is_some_and(|info| info.sample.is_true());
    finding.more.attack_sequence = detail.associated_attack_sequence_arn.take();
    if finding.types.iter().any(|kind| kind.starts_with("AttackSequence:")) {
        finding.more.attack_sequence = Some(finding.id.clone());
    }
    if let Some(sequence) = service.detection.0.and_then(|detection| detection.sequence.0) {
        for indicator in sequence.sequence_indicators.0 {
            if indicator.key.get() == Some("ATTACK_TECHNIQUE") {
                finding.techniques.extend(indicator.values.0);
            }
        }
        for resource in sequence.resources.0 {
            let kind = resource.resource_type.take().unwrap_or_default();
            finding.resources.extend(resource.uid.take().map(|id| Affected { kind, id }));
        }
    }
    Ok(finding)
}

fn severity(number: Option<f64>) -> Severity {
    match number {
        Some(9.0..) => Severity::Critical,
        Some(7.0..) => Severity::High,
        Some(4.0..) => Severity::Medium,
        Some(1.0..) => Severity::Low,
        _ => Severity::Informational,
    }
}

/// What it is about, the resource of its type first.
fn affected(resource: Subject<'_>) -> Vec<Affected<'_>> {
    let key = resource.access_key_details.0;
    let key = key.and_then(|key| key.access_key_id.take().or(key.user_name.take()).or(key.principal_id.take()));
    let mut found: Vec<Affected<'_>> = Vec::new();
    let affected = |kind: &'static str| move |id| Affected { kind: Cow::Borrowed(kind), id };
    found.extend(key.map(affected("AWS::IAM::AccessKey")));
    found.extend(resource.s3_bucket_details.0.into_iter().filter_map(Named::id).map(affected("AWS::S3::Bucket")));
    for (kind, part) in [
        ("AWS::EC2::Instance", resource.instance_details),
        ("AWS::EKS::Cluster", resource.eks_cluster_details),
        ("AWS::ECS::Cluster", resource.ecs_cluster_details),
        ("Container", resource.container_details),
        ("AWS::Lambda::Function", resource.lambda_details),
        ("AWS::RDS::DBInstance", resource.rds_db_instance_details),
        ("AWS::RDS::DBShardGroup", resource.rds_limitless_db_details),
    ] {
        found.extend(part.0.and_then(Named::id).map(affected(kind)));
    }
    let first = match resource.resource_type.get().unwrap_or_default() {
        "AccessKey" => "AWS::IAM::AccessKey",
        "S3Bucket" | "S3Object" => "AWS::S3::Bucket",
        "Instance" => "AWS::EC2::Instance",
        "EKSCluster" | "KubernetesCluster" => "AWS::EKS::Cluster",
        "ECSCluster" => "AWS::ECS::Cluster",
        "Container" => "Container",
        "Lambda" => "AWS::Lambda::Function",
        "RDSDBInstance" => "AWS::RDS::DBInstance",
        "RDSLimitlessDB" => "AWS::RDS::DBShardGroup",
        _ => "",
    };
    found.sort_by_key(|resource| resource.kind != first);
    found
}
