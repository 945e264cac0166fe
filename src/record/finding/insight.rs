//! The results of a Security Hub insight that a person sent on: how many findings each resource, account or control has.
//!
//! In: the whole event `Security Hub Insight Results`, because only the envelope has a time and an id. Out: [`InsightResults`]. A
//! result is a map of one entry.

use std::borrow::Cow;

use serde::Deserialize;

use super::lenient::{Items, Pairs, Part, Word};
use super::moment;

/// The results of one insight.
#[derive(Debug, Clone)]
pub struct InsightResults<'a> {
    /// Id of the event.
    pub event_id: Cow<'a, str>,
    /// When it was sent, milliseconds since the epoch.
    pub time_ms: i64,
    /// The account that has the insight.
    pub account: Cow<'a, str>,
    /// Its Region.
    pub region: Option<Cow<'a, str>>,
    /// Name of the insight.
    pub name: Cow<'a, str>,
    /// Its ARN.
    pub arn: Cow<'a, str>,
    /// What is counted by: `ResourceId`, `AwsAccountId`, …
    pub result_type: Cow<'a, str>,
    /// Each value and how many findings it has.
    pub results: Vec<(Cow<'a, str>, i64)>,
}

/// Why an event tells of no insight.
#[derive(Debug, thiserror::Error)]
pub enum InsightError {
    /// Bytes that are no text.
    #[error("not UTF-8: {0}")]
    Encoding(#[from] std::str::Utf8Error),
    /// Not JSON.
    #[error("not results of an insight: {0}")]
    Json(#[from] serde_json::Error),
    /// Something that must be there.
    #[error("not results of an insight: {0} is missing or not usable")]
    Missing(&'static str),
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(borrow, default)]
    time: Word<'a>,
    #[serde(borrow, default)]
    account: Word<'a>,
    #[serde(borrow, default)]
    region: Word<'a>,
    #[serde(borrow, default)]
    detail: Part<Detail<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    #[serde(borrow, default)]
    insight_arn: Word<'a>,
    #[serde(borrow, default)]
    insight_name: Word<'a>,
    #[serde(borrow, default)]
    result_type: Word<'a>,
    #[serde(borrow, default)]
    insight_results: Items<Pairs<'a>>,
}

impl<'a> InsightResults<'a> {
    /// Reads one event.
    ///
    /// # Errors
    /// [`InsightError`] says what is wrong; the record is then unreadable, alone.
    pub fn parse(raw: &'a [u8]) -> Result<Self, InsightError> {
        let event: Event<'a> = serde_json::from_str(std::str::from_utf8(raw)?)?;
        let detail = event.detail.0.ok_or(InsightError::Missing("detail"))?;
        let time_ms = event.time.get().and_then(moment).ok_or(InsightError::Missing("time"))?;
        let results = detail.insight_results.0.into_iter().flat_map(|pairs| pairs.0).map(|(value, counts)| {
            let count = counts.0.first().and_then(|count| count.parse().ok());
            count.map(|count| (value, count)).ok_or(InsightError::Missing("a count in detail.insightResults"))
        });
        let results = results.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            event_id: event.id.take().ok_or(InsightError::Missing("id"))?,
            time_ms,
            account: event.account.take().ok_or(InsightError::Missing("account"))?,
            region: event.region.take(),
            arn: detail.insight_arn.take().ok_or(InsightError::Missing("detail.insightArn"))?,
            name: detail.insight_name.take().unwrap_or_default(),
            result_type: detail.result_type.take().unwrap_or_default(),
            results,
        })
    }
}
