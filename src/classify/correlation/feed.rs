//! What a record feeds to correlations.
//!
//! In: a record, the rules that it matched, and a matcher that has just read it. Out: for each correlation that names one of them,
//! its group and the values looked at, as digests; and, for correlations of correlations, what it will feed if it completes the inner one. A
//! record without a value that is asked for feeds nothing.

use crate::record::id::digest_words;
use crate::record::trail::Trail;

use super::super::matcher::Matcher;
use super::super::predicate::Kind as ValueKind;
use super::compiled::{Correlations, Source};
use super::spec::Kind;

/// Most values of one record that are counted.
const VALUES: usize = 100;

/// Stands for a text, whatever its length: no two texts have the same.
pub(super) type Digest = [u64; 2];

/// A record's part in one correlation, by one of its rules.
#[derive(Debug, Clone)]
pub(in crate::classify) struct Feed {
    /// Position of the correlation.
    pub(super) correlation: usize,
    /// Position of the rule in the correlation.
    pub(super) slot: usize,
    /// The rule's number.
    pub(super) source: u32,
    /// The record matched the rule; else the rule is a correlation that it may complete.
    pub(super) certain: bool,
    /// Of the values that must be the same.
    pub(super) group: Digest,
    /// Of the values that are counted.
    pub(super) values: Vec<u64>,
    pub(super) number: f64,
}

/// What a record that matched these rules feeds, correlation by correlation, children first.
pub(in crate::classify) fn feeds(
    correlations: &Correlations,
    matcher: &mut Matcher<'_>,
    trail: &Trail<'_>,
    matched: &[u32],
) -> Vec<Feed> {
    let mut feeds = Vec::new();
    // Correlations that the record may complete.
    let mut possible: Vec<u32> = Vec::new();
    for (at, correlation) in correlations.list.iter().enumerate() {
        let before = feeds.len();
        for (slot, source) in correlation.sources.iter().enumerate() {
            let certain = matched.contains(&source.rule);
            if !certain && !possible.contains(&source.rule) {
                continue;
            }
            let Some(group) = digest(matcher, trail, &source.group) else { continue };
            let Some((values, number)) = values(matcher, trail, source, correlation.kind) else { continue };
            feeds.push(Feed { correlation: at, slot, source: source.rule, certain, group, values, number });
        }
        if feeds.len() > before {
            possible.push(correlation.rule);
        }
    }
    feeds
}

/// Stands for a record's account and event id.
pub(super) fn record_digest(id: &str) -> Digest {
    digest_words(&[id.as_bytes()])
}

/// The first values of these fields, each with its length, so that no two lists look alike; `None`: one of them has none.
fn digest(matcher: &mut Matcher<'_>, trail: &Trail<'_>, fields: &[u32]) -> Option<Digest> {
    let values: Option<Vec<String>> = fields.iter().map(|field| first(matcher, trail, *field)).collect();
    let values = values?;
    let parts: Vec<&[u8]> = values.iter().map(String::as_bytes).collect();
    Some(digest_words(&parts))
}

fn values(matcher: &mut Matcher<'_>, trail: &Trail<'_>, source: &Source, kind: Kind) -> Option<(Vec<u64>, f64)> {
    match (kind, source.values.as_slice()) {
        (Kind::ValueCount, [field]) => {
            let mut values: Vec<u64> = Vec::new();
            matcher.each_value(*field, trail, |kind, value| {
                if kind != ValueKind::Composite {
                    let [value, _] = digest_words(&[value]);
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                values.len() >= VALUES
            });
            (!values.is_empty()).then_some((values, 0.0))
        }
        (Kind::ValueCount, fields) => {
            let [all, _] = digest(matcher, trail, fields)?;
            Some((vec![all], 0.0))
        }
        (kind, [field]) if kind.is_numeric() => {
            let number: f64 = first(matcher, trail, *field)?.parse().ok()?;
            number.is_finite().then_some((Vec::new(), number))
        }
        _ => Some((Vec::new(), 0.0)),
    }
}

/// The first single value of a field.
fn first(matcher: &mut Matcher<'_>, trail: &Trail<'_>, field: u32) -> Option<String> {
    let mut found = None;
    matcher.each_value(field, trail, |kind, value| {
        if kind != ValueKind::Composite {
            found = Some(String::from_utf8_lossy(value).into_owned());
        }
        found.is_some()
    });
    found
}
