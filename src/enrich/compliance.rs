//! Names and meaning for a change of state of AWS Config.
//!
//! In: a change in plain fields. Out: an [`EnrichedChange`] that borrows from both and from the account names. Always: what
//! dashboards filter on is never empty.

use std::borrow::Cow;

use super::accounts::AccountName;
use super::calendar::Day;
use super::{Enricher, UNKNOWN, partition};
use crate::record::StateChange;

/// What enrichment adds to a change of state.
#[derive(Debug, Clone)]
pub struct EnrichedChange<'a> {
    /// The resource's account.
    pub account: AccountName<'a>,
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// Region of the rule, or `unknown`.
    pub region: &'a str,
    /// `s3` of `AWS::S3::Bucket`.
    pub service: Cow<'a, str>,
    /// The day of the result in the configured zone.
    pub day: Day,
}

impl Enricher {
    /// Adds names and meaning to a change of state, or to a state that lasts.
    #[must_use]
    pub fn enrich_change<'a>(&'a self, change: &StateChange<'a>) -> EnrichedChange<'a> {
        let arn = Some(Cow::Borrowed(change.rule_arn)).filter(|arn| !arn.is_empty());
        let region = Some(change.region).filter(|region| !region.is_empty());
        EnrichedChange {
            account: self.account(change.account),
            partition: partition::of([arn.as_ref(), None], region),
            region: region.unwrap_or(UNKNOWN),
            service: service(change.resource_type),
            day: self.calendar.day(change.at_ms),
        }
    }
}

/// The service in a resource's type; of `AWS::::Account` what it is.
pub(super) fn service(resource_type: &str) -> Cow<'_, str> {
    let mut parts = resource_type.split("::").skip(1).filter(|part| !part.is_empty());
    parts.next().map_or(Cow::Borrowed(UNKNOWN), |part| Cow::Owned(part.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_the_second_part_of_a_type() {
        for (kind, want) in [
            ("AWS::S3::Bucket", "s3"),
            ("AWS::::Account", "account"),
            ("AWS::ElasticLoadBalancingV2::LoadBalancer", "elasticloadbalancingv2"),
            ("Custom", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(service(kind), want, "{kind}");
        }
    }
}
