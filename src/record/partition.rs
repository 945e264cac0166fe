//! The partitions of AWS, by their Regions.
//!
//! In: a Region's name. Out: `aws`, `aws-cn`, `aws-us-gov`, …. What always holds: a Region that no prefix fits is one of `aws`.

/// Region prefixes of the partitions beside `aws`. Source: `partitions.json` of the AWS SDKs, 2026-11.
const REGION_PREFIXES: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
];

/// The partition of a Region.
#[must_use]
pub fn partition_of(region: &str) -> &'static str {
    REGION_PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}
