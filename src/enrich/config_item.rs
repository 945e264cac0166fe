//! Names and meaning for a configuration item of AWS Config.
//!
//! In: an item and its account. Out: an [`EnrichedItem`] that borrows from both and from the account names. Always: what
//! dashboards filter on is never empty.

use std::borrow::Cow;

use super::accounts::AccountName;
use super::calendar::Day;
use super::compliance::service;
use super::iac::{self, Iac};
use super::{Enricher, UNKNOWN, partition, present};
use crate::record::ConfigItem;

/// What enrichment adds to a configuration item.
#[derive(Debug, Clone)]
pub struct EnrichedItem<'a> {
    /// The resource's account.
    pub account: AccountName<'a>,
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// Region of the resource, `global`, or `unknown`.
    pub region: &'a str,
    /// `s3` of `AWS::S3::Bucket`.
    pub service: Cow<'a, str>,
    /// The day of the capture in the configured zone.
    pub day: Day,
    /// Where it was written down as code.
    pub iac: Iac<'a>,
}

impl Enricher {
    /// Adds names and meaning to a configuration item in this account.
    #[must_use]
    pub fn enrich_item<'a>(&'a self, item: &'a ConfigItem<'a>, account_id: &'a str) -> EnrichedItem<'a> {
        let arn = item.arn.get().map(Cow::Borrowed);
        EnrichedItem {
            account: self.account_of(account_id, &item.tags),
            partition: partition::of([arn.as_ref(), None], item.region.get()),
            region: present(&item.region).unwrap_or(UNKNOWN),
            service: service(item.resource_type.or_empty()),
            day: self.calendar.day(item.time_ms),
            iac: iac::of(&item.tags),
        }
    }
}
