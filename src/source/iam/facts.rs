//! The SDK's types → ours.
//!
//! In: a page of authorization details. Out: what is in it, documents decoded. What always holds: an entry without a name or an ARN,
//! which AWS never gives, is left out; a document that cannot be decoded stays as it is, and whoever judges it says that it cannot.

use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types::{
    AttachedPermissionsBoundary, AttachedPolicy, GroupDetail, ManagedPolicyDetail, PolicyDetail, RoleDetail, Tag, UserDetail,
};

use crate::record::identity::{Detail, Group, ManagedPolicy, Principal, PrincipalKind, decoded};

pub(super) fn policy(policy: ManagedPolicyDetail) -> Option<Detail> {
    let versions = policy.policy_version_list.unwrap_or_default();
    let by_id = |id: &str| versions.iter().find(|version| version.version_id.as_deref() == Some(id));
    let default = policy.default_version_id.as_deref().and_then(by_id);
    let default = default.or_else(|| versions.iter().find(|version| version.is_default_version));
    let document = default.and_then(|version| version.document.as_deref());
    Some(Detail::Policy(ManagedPolicy { arn: policy.arn?.into(), document: text(document) }))
}

pub(super) fn group(group: GroupDetail) -> Option<Detail> {
    Some(Detail::Group(Group {
        name: group.group_name?.into(),
        attached: attached(group.attached_managed_policies),
        inline: inline(group.group_policy_list),
    }))
}

pub(super) fn user(user: UserDetail) -> Option<Detail> {
    Some(Detail::Principal(Principal {
        kind: PrincipalKind::User { groups: user.group_list.unwrap_or_default().into_iter().map(Into::into).collect() },
        name: user.user_name?.into(),
        arn: user.arn?.into(),
        path: user.path.unwrap_or_default().into(),
        created_ms: time(user.create_date.as_ref()),
        attached: attached(user.attached_managed_policies),
        inline: inline(user.user_policy_list),
        boundary: boundary(user.permissions_boundary),
        tags: tags(user.tags),
    }))
}

pub(super) fn role(role: RoleDetail) -> Option<Detail> {
    let used = role.role_last_used;
    let used_ms = time(used.as_ref().and_then(|used| used.last_used_date.as_ref()));
    let used_region = used.and_then(|used| used.region).filter(|region| !region.is_empty());
    Some(Detail::Principal(Principal {
        kind: PrincipalKind::Role {
            trust: text(role.assume_role_policy_document.as_deref()),
            used_ms,
            used_region: used_region.map(Into::into),
        },
        name: role.role_name?.into(),
        arn: role.arn?.into(),
        path: role.path.unwrap_or_default().into(),
        created_ms: time(role.create_date.as_ref()),
        attached: attached(role.attached_managed_policies),
        inline: inline(role.role_policy_list),
        boundary: boundary(role.permissions_boundary),
        tags: tags(role.tags),
    }))
}

fn text(document: Option<&str>) -> Box<str> {
    let document = document.unwrap_or_default();
    decoded(document).map_or_else(|| document.into(), Into::into)
}

fn time(time: Option<&DateTime>) -> Option<i64> {
    time.and_then(|time| time.to_millis().ok())
}

fn attached(policies: Option<Vec<AttachedPolicy>>) -> Vec<Box<str>> {
    policies.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn).map(Into::into).collect()
}

fn inline(policies: Option<Vec<PolicyDetail>>) -> Vec<Box<str>> {
    policies.unwrap_or_default().iter().map(|policy| text(policy.policy_document.as_deref())).collect()
}

fn boundary(boundary: Option<AttachedPermissionsBoundary>) -> Option<Box<str>> {
    boundary.and_then(|boundary| boundary.permissions_boundary_arn).filter(|arn| !arn.is_empty()).map(Into::into)
}

fn tags(tags: Option<Vec<Tag>>) -> Vec<(Box<str>, Box<str>)> {
    tags.unwrap_or_default().into_iter().map(|tag| (tag.key.into(), tag.value.into())).collect()
}
