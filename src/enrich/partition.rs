//! The AWS partition a record comes from (`aws.partition`).
//!
//! In: the caller's ARNs and the Region. Out: `aws`, `aws-cn`, `aws-us-gov`, …: from an ARN, because it names even a partition
//! this build does not know; else by the Region's prefix; `unknown` when the record has neither.

use std::borrow::Cow;

use crate::record::partition_of;

/// The partition; the first of `arns` that names one decides. An ARN that had to be unescaped, which AWS never writes, is left
/// to the Region.
pub(super) fn of<'a>(arns: [Option<&Cow<'a, str>>; 2], region: Option<&str>) -> &'a str {
    let from_arn = arns.into_iter().flatten().find_map(|arn| {
        let Cow::Borrowed(arn) = arn else {
            return None;
        };
        let partition = arn.strip_prefix("arn:")?.split(':').next()?;
        let known_shape = partition == "aws" || partition.starts_with("aws-");
        known_shape.then_some(partition)
    });
    from_arn.unwrap_or_else(|| match region.filter(|region| !region.is_empty()) {
        None => "unknown",
        Some(region) => partition_of(region),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_comes_from_an_arn_else_from_the_region() {
        for (arns, region, want) in [
            ([Some("arn:aws-cn:iam::1:user/a"), None], Some("cn-north-1"), "aws-cn"),
            ([None, Some("arn:aws-new:iam::1:role/a")], Some("xx-west-1"), "aws-new"),
            ([Some("arn:evil:x"), None], Some("eu-west-1"), "aws"),
            ([Some("not an arn"), None], Some("us-gov-west-1"), "aws-us-gov"),
            ([None, None], Some("cn-northwest-1"), "aws-cn"),
            ([None, None], Some("us-iso-east-1"), "aws-iso"),
            ([None, None], Some("us-isob-east-1"), "aws-iso-b"),
            ([None, None], Some("us-isof-south-1"), "aws-iso-f"),
            ([None, None], Some("eu-isoe-west-1"), "aws-iso-e"),
            ([None, None], Some("eusc-de-east-1"), "aws-eusc"),
            ([None, None], Some("ap-northeast-1"), "aws"),
            ([None, None], Some(""), "unknown"),
            ([None, None], None, "unknown"),
        ] {
            let cows = arns.map(|arn| arn.map(Cow::Borrowed));
            let [caller, issuer] = &cows;
            assert_eq!(of([caller.as_ref(), issuer.as_ref()], region), want, "{arns:?} {region:?}");
        }
    }
}
