//! What a record feeds to correlations.
//!
//! In: a record, the rules that it matched, and a matcher that has just read it. Out: for each correlation that names one of them,
//! its group and the values looked at; and, for correlations of correlations, what it will feed if it completes the inner one. A
//! record without a value that is asked for feeds nothing.

use crate::record::trail::Trail;

use super::super::matcher::Matcher;
use super::super::predicate::Kind as ValueKind;
use super::compiled::{Correlations, Source};
use super::spec::Kind;

/// Most values of one record that are counted.
const VALUES: usize = 100;

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
    pub(super) key: Box<str>,
    pub(super) values: Vec<Box<str>>,
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
            let Some(key) = key(matcher, trail, source) else { continue };
            let Some((values, number)) = values(matcher, trail, source, correlation.kind) else { continue };
            feeds.push(Feed { correlation: at, slot, source: source.rule, certain, key, values, number });
        }
        if feeds.len() > before {
            possible.push(correlation.rule);
        }
    }
    feeds
}

/// The group: every value with its length, so that no two lists look alike.
fn key(matcher: &mut Matcher<'_>, trail: &Trail<'_>, source: &Source) -> Option<Box<str>> {
    let mut key = String::new();
    for field in &source.group {
        let value = first(matcher, trail, *field)?;
        key.push_str(&format!("{}:{value}", value.len()));
    }
    Some(key.into_boxed_str())
}

fn values(matcher: &mut Matcher<'_>, trail: &Trail<'_>, source: &Source, kind: Kind) -> Option<(Vec<Box<str>>, f64)> {
    match (kind, source.values.as_slice()) {
        (Kind::ValueCount, [field]) => {
            let mut values: Vec<Box<str>> = Vec::new();
            matcher.each_value(*field, trail, |kind, value| {
                if kind != ValueKind::Composite {
                    let value = String::from_utf8_lossy(value);
                    if !values.iter().any(|known| **known == *value) {
                        values.push(value.into());
                    }
                }
                values.len() >= VALUES
            });
            (!values.is_empty()).then_some((values, 0.0))
        }
        (Kind::ValueCount, fields) => {
            let all: Option<String> = fields
                .iter()
                .map(|field| first(matcher, trail, *field).map(|value| format!("{}:{value}", value.len())))
                .collect();
            Some((vec![all?.into_boxed_str()], 0.0))
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
