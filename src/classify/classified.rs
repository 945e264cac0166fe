//! What the encoders get: a record, what it is called and what it means, and the rules it matched.

use super::Rule;
use crate::enrich::Enriched;
use crate::record::Trail;

/// A record with its detections.
#[derive(Debug, Clone, Copy)]
pub struct Classified<'a> {
    /// The record.
    pub trail: &'a Trail<'a>,
    /// Its deterministic id.
    pub event_id: &'a str,
    /// Names and meaning.
    pub enriched: &'a Enriched<'a>,
    /// Rules it matched, most severe first.
    pub hits: &'a [&'a Rule],
}
