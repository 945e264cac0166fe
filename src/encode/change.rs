//! Configuration items of AWS Config → items for the Event API.
//!
//! In: an item with its names, later who made the change. Out: an `AwsResourceChange`. What always holds: everything but the actor
//! is written when the item comes, so that what waits for the trail is small and masked; no actor stands beside `ambiguous` or
//! `none`.

use super::dictionary::RESOURCE_CHANGE;
use super::event::{self, Arrival, VERSION};
use super::writer::{EventWriter, Suspended};
use super::{diff, mask};
use crate::classify::ClassifiedItem;
use crate::posture::Who;

/// `event.category` of what AWS Config records.
const CATEGORY: &str = "Configuration";

/// How a change was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeOrigin {
    /// By its notification.
    Stream,
    /// By a history file of AWS Config, which tells what is and not what was.
    History,
}

impl ChangeOrigin {
    /// The word in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::History => "history",
        }
    }
}

/// An event without its actor.
#[derive(Debug, Clone)]
pub struct Draft {
    written: Vec<u8>,
    rest: Suspended,
    /// What New Relic files it under, milliseconds since the epoch.
    pub timestamp_ms: i64,
}

impl Draft {
    /// Writes all that is known of the item itself.
    #[must_use]
    pub fn of(classified: &ClassifiedItem<'_>, origin: ChangeOrigin, arrival: Arrival, source: &str) -> Self {
        let mut written = Vec::new();
        let mut event = EventWriter::begin(&mut written, RESOURCE_CHANGE, Some(arrival.timestamp_ms));
        write(&mut event, classified, arrival, source);
        event.text("change.origin", origin.as_str());
        let rest = event.suspend();
        written.shrink_to_fit();
        Self { written, rest, timestamp_ms: arrival.timestamp_ms }
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.written.len()
    }

    /// Writes the whole `AwsResourceChange`. Returns the number of values cut.
    pub fn push(&self, out: &mut Vec<u8>, who: &Who) -> u64 {
        out.clear();
        out.extend_from_slice(&self.written);
        let mut event = EventWriter::resume(out, self.rest.clone());
        event.text("change.actorConfidence", who.confidence());
        if let Some(fact) = who.fact() {
            event.text("actor.kind", fact.actor.kind.as_str());
            event.text("actor.name", &fact.actor.name);
            event.maybe("actor.arn", fact.actor.arn.as_deref());
            event.maybe("actor.sessionIssuer", fact.actor.session_issuer.as_deref());
            event.maybe("source.ip", fact.source_ip.as_deref());
            event.maybe("source.userAgent", fact.user_agent.as_deref().map(mask::masked).as_deref());
            if let Some(is_pipeline) = fact.actor.is_pipeline() {
                event.flag("change.viaPipeline", is_pipeline);
            }
            event.text("change.eventId", &fact.event_id);
            event.text("change.eventName", &fact.event_name);
        }
        if let Who::Ambiguous(ids, count) = who {
            event.text("change.candidates", &format!("|{}|", ids.join("|")));
            if *count > ids.len() {
                event.came_cut("change.candidates");
            }
        }
        event.end()
    }
}

fn write(event: &mut EventWriter<'_>, classified: &ClassifiedItem<'_>, arrival: Arrival, source: &str) {
    let ClassifiedItem { item, event_id, enriched } = *classified;
    event.flag("relay.late", arrival.late);
    event.text("event.id", event_id);
    event.text("event.category", CATEGORY);
    event::moment(event, item.time_ms, &enriched.day);
    event::place(event, &enriched.account, enriched.region, enriched.partition, &enriched.service);
    event.text("resource.type", item.resource_type.or_empty());
    event.text("resource.id", item.resource_id.or_empty());
    event.maybe("resource.name", item.resource_name.get());
    event.maybe("resource.arn", item.arn.get());
    event.text("change.type", item.change.as_str());
    event.maybe("change.status", item.status.get());
    event.flag("change.oversized", item.is_summary);
    let mut line = format!("{} {} {}", item.change.as_str(), item.resource_type.or_empty(), item.resource_id.or_empty());
    if let Some(changed) = &item.changed {
        let texts = diff::texts(changed);
        event.number("change.pathCount", i64::try_from(texts.count).unwrap_or(i64::MAX));
        event.flag("change.tagsOnly", texts.is_tags_only);
        event.text("change.paths", &texts.paths);
        event.text("change.before", &texts.before);
        event.text("change.after", &texts.after);
        if texts.is_cut {
            event.came_cut("change.paths");
        }
        if !texts.line.is_empty() {
            line = format!("{line}: {}", texts.line);
        }
    }
    event.text("change.summary", &line);
    event.maybe("iac.tool", enriched.iac.tool);
    event.maybe("iac.stack", enriched.iac.stack.map(mask::masked).as_deref());
    event.maybe("iac.path", enriched.iac.path.map(mask::masked).as_deref());
    event.text("relay.version", VERSION);
    event.text("relay.source", source);
    event.number("relay.lagMs", arrival.lag_ms);
}
