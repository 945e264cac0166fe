//! Where to look in the event of a rule: its attributes, and the query that shows them.
//!
//! In: a rule. Out: the attributes that its detections have, with what they mean and what the rule's samples have there, and a query
//! for them. What always holds: the values are those of the events that the agent writes for the samples, none is thought up; what is
//! `unknown` there is left out.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::classify::{Classified, Rule};
use crate::cli::schema;
use crate::encode::dictionary::SECURITY_EVENT;
use crate::encode::event::{Arrival, push_security_event};
use crate::enrich::{AccountNames, Enricher};
use crate::record::Trail;

/// What to look at, in this order, and whether also where no sample of the rule has it; then every `request.…` that one has.
const LOOK_AT: [(&str, bool); 15] = [
    ("aws.accountId", true),
    ("aws.accountName", true),
    ("aws.region", true),
    ("event.name", true),
    ("event.outcome", true),
    ("event.errorCode", false),
    ("actor.name", true),
    ("actor.kind", true),
    ("actor.sessionIssuer", false),
    ("actor.mfa", false),
    ("source.ip", true),
    ("source.userAgent", true),
    ("resource.type", false),
    ("resource.id", true),
    ("resource.arn", false),
];

/// Request parameters, as the allow-list passes them.
const REQUEST: &str = "request.";

/// What an attribute says when the record does not tell.
const UNKNOWN: &str = "unknown";

/// Values shown of an attribute, and the characters of one.
const VALUES: usize = 3;
const VALUE_CHARS: usize = 100;

/// An attribute to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) meaning: &'static str,
    /// What the samples have there, each value once, as far as it is shown.
    pub(super) values: Vec<String>,
}

/// Writes events as the agent does, to look at them.
pub(super) struct Evidence {
    enricher: Enricher,
    meanings: BTreeMap<&'static str, &'static str>,
}

impl Evidence {
    /// # Errors
    /// None that a test has not seen: the built-in dictionary is read.
    pub(super) fn new() -> anyhow::Result<Self> {
        let meanings = schema::rows()?.iter().map(|row| (row.name, row.meaning)).collect();
        Ok(Self { enricher: Enricher::new(AccountNames::default(), "UTC")?, meanings })
    }

    /// The attributes of a rule's detections.
    pub(super) fn fields(&self, rule: &Rule) -> Vec<Field> {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for record in rule.samples.iter().filter(|sample| sample.matches).flat_map(|sample| &sample.records) {
            for (name, value) in self.event(rule, record) {
                let values = found.entry(name).or_default();
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
        let looked_at = LOOK_AT.into_iter().filter(|(name, always)| *always || found.contains_key(*name)).map(|(name, _)| name);
        let requests = found.keys().map(String::as_str).filter(|name| name.starts_with(REQUEST));
        let field = |name: &str| {
            let values = found.get(name).into_iter().flatten().take(VALUES).map(|value| shortened(value)).collect();
            Field { name: name.to_owned(), meaning: self.meanings.get(name).copied().unwrap_or_default(), values }
        };
        looked_at.chain(requests).map(field).collect()
    }

    /// The attributes that the event of a record has, with their values as text.
    fn event(&self, rule: &Rule, record: &str) -> Vec<(String, String)> {
        // A sample that is no record is what `rules test` tells.
        let Ok(trail) = Trail::parse(record.as_bytes()) else { return Vec::new() };
        let enriched = self.enricher.enrich(&trail, trail.account().unwrap_or_default());
        let hits = [rule];
        let classified =
            Classified { trail: &trail, event_id: trail.event_id.or_empty(), enriched: &enriched, hits: &hits, novelty: None };
        let arrival = Arrival::of(trail.time_ms, trail.time_ms);
        let mut out = Vec::new();
        // What is cut is marked in the value.
        let _cut = push_security_event(&mut out, &classified, 0, arrival, "rules");
        let event: BTreeMap<String, Value> = serde_json::from_slice(&out).unwrap_or_default();
        let text = |value: Value| if let Value::String(text) = value { text } else { value.to_string() };
        let looked_at = |name: &str| name.starts_with(REQUEST) || LOOK_AT.iter().any(|(known, _)| *known == name);
        let attributes = event.into_iter().filter(|(name, _)| looked_at(name)).map(|(name, value)| (name, text(value)));
        attributes.filter(|(_, value)| value != UNKNOWN).collect()
    }
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(VALUE_CHARS) {
        Some((end, _)) => value.get(..end).unwrap_or_default().to_owned() + "…",
        None => value.to_owned(),
    }
}

/// The query that shows the detections of a rule.
pub(super) fn query(rule: &Rule, fields: &[Field]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    format!(
        "SELECT timestamp, {} FROM {SECURITY_EVENT} WHERE control.id = '{}' SINCE 1 day ago LIMIT MAX",
        names.join(", "),
        rule.id
    )
}
