//! Whether a trail record may be the one behind an item.
//!
//! In: a fact and an item. Out: yes or no. What always holds: names are compared whole, never by how they begin or end; a name
//! that is no ARN counts only for a resource of the type that the record speaks of.

use super::{ItemFact, Name, SKEW_MS, TrailFact, WINDOW_MS};

/// Services whose records come from one Region whatever Region the resource is filed under.
const GLOBAL: [&str; 10] =
    ["iam", "sts", "organizations", "cloudfront", "route53", "route53domains", "globalaccelerator", "shield", "waf", "sso"];

/// Services that are called otherwise in the trail than in the types of AWS Config.
const CALLED: [(&str, &str); 8] = [
    ("monitoring", "cloudwatch"),
    ("elasticloadbalancing", "elasticloadbalancingv2"),
    ("elasticfilesystem", "efs"),
    ("es", "elasticsearch"),
    ("es", "opensearch"),
    ("states", "stepfunctions"),
    ("acm", "certificatemanager"),
    ("kafka", "msk"),
];

/// Beginnings of ids that AWS makes and that no two resources share, whatever their type.
const UNIQUE: [&str; 18] = [
    "i-",
    "sg-",
    "vpc-",
    "subnet-",
    "vol-",
    "snap-",
    "ami-",
    "eni-",
    "rtb-",
    "acl-",
    "igw-",
    "nat-",
    "vpce-",
    "eipalloc-",
    "lt-",
    "pcx-",
    "tgw-",
    "sgr-",
];

/// Whether the record is a candidate.
pub(super) fn fits(fact: &TrailFact, item: &ItemFact) -> bool {
    let before = item.time_ms.saturating_sub(fact.time_ms);
    fact.account == item.account
        && (-SKEW_MS..=WINDOW_MS).contains(&before)
        && (fact.region == item.region || item.region == "global" || GLOBAL.contains(&fact.service.as_str()))
        && fact.names.iter().any(|name| names(name, fact, item))
}

fn names(name: &Name, fact: &TrailFact, item: &ItemFact) -> bool {
    match name {
        Name::Arn(arn) => is_arn(arn, item),
        Name::Typed(kind, text) => is_named(text, item) && (is_kind(kind, fact, item) || is_unique(text)),
        Name::Asked(attribute, text) => is_named(text, item) && (speaks_of(attribute, fact, item) || is_unique(text)),
    }
}

/// Whether an ARN is the item's. Config names some types by the ARN itself.
fn is_arn(arn: &str, item: &ItemFact) -> bool {
    item.arn.as_deref() == Some(arn) || item.resource_id == arn
}

/// Whether a name is one of the item's: its id, its name, or the last part of its ARN.
fn is_named(text: &str, item: &ItemFact) -> bool {
    let tail = item.arn.as_deref().and_then(|arn| arn.rsplit([':', '/']).next());
    !text.is_empty() && (item.resource_id == text || item.resource_name.as_deref() == Some(text) || tail == Some(text))
}

/// Whether a record about a resource of this type may be about the item's.
fn is_kind(kind: &str, fact: &TrailFact, item: &ItemFact) -> bool {
    if kind.starts_with("AWS::") { kind == item.resource_type } else { is_service(&fact.service, &item.resource_type) }
}

/// Whether what the request calls so is of the item's type: `policyArn` of a call to IAM is an `AWS::IAM::Policy`.
fn speaks_of(attribute: &str, fact: &TrailFact, item: &ItemFact) -> bool {
    let lower = attribute.to_ascii_lowercase();
    let stem = ["identifiers", "identifier", "names", "name", "arns", "arn", "ids", "id"]
        .iter()
        .find_map(|ending| lower.strip_suffix(ending))
        .filter(|stem| !stem.is_empty());
    let last = item.resource_type.rsplit("::").next().unwrap_or_default().to_ascii_lowercase();
    is_service(&fact.service, &item.resource_type) && stem.is_some_and(|stem| last == stem || last.ends_with(stem))
}

/// Whether a service of the trail is the one of a type.
fn is_service(service: &str, resource_type: &str) -> bool {
    let of_type = resource_type.split("::").nth(1).unwrap_or_default().to_ascii_lowercase();
    !of_type.is_empty() && (service == of_type || CALLED.contains(&(service, of_type.as_str())))
}

fn is_unique(text: &str) -> bool {
    UNIQUE
        .iter()
        .filter_map(|prefix| text.strip_prefix(prefix))
        .any(|rest| matches!(rest.len(), 8 | 17) && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
