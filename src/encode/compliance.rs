//! Changes of state of AWS Config → items for the Event API.
//!
//! In: a change with its names and the control behind its rule. Out: an `AwsComplianceChange`, and for a violation that begins an
//! `AwsSecurityNotice`, which New Relic stamps on arrival. What always holds: a rule that no table knows is sent as
//! `|unmapped|`, never left out.

use super::dictionary::{COMPLIANCE_CHANGE, NOTICE};
use super::event::{self, Arrival, VERSION};
use super::mask;
use super::writer::EventWriter;
use crate::classify::{ClassifiedChange, List};

/// `event.category` of what AWS Config says.
const CATEGORY: &str = "Compliance";

/// What stands for the frameworks of a rule that no table knows, and for its severity and pillar.
pub(super) const UNMAPPED: &str = "|unmapped|";
pub(super) const UNKNOWN: &str = "unknown";

/// Writes the `AwsComplianceChange`. Returns the number of values cut.
pub fn push_change(out: &mut Vec<u8>, classified: &ClassifiedChange<'_>, arrival: Arrival, source: &str) -> u64 {
    let mut event = EventWriter::begin(out, COMPLIANCE_CHANGE, Some(arrival.timestamp_ms));
    write(&mut event, classified, arrival, source);
    event.end()
}

/// Writes the `AwsSecurityNotice`. Returns the number of values cut.
pub fn push_notice(out: &mut Vec<u8>, classified: &ClassifiedChange<'_>, arrival: Arrival, source: &str) -> u64 {
    let mut event = EventWriter::begin(out, NOTICE, None);
    write(&mut event, classified, arrival, source);
    event.text("control.ids", &format!("|{}|", classified.control_id()));
    event.end()
}

fn write(event: &mut EventWriter<'_>, classified: &ClassifiedChange<'_>, arrival: Arrival, source: &str) {
    let ClassifiedChange { change, event_id, enriched, control, .. } = *classified;
    event.flag("relay.late", arrival.late);
    event.text("control.id", classified.control_id());
    event.text("control.title", classified.control_id());
    event.text("control.kind", "preventive");
    match control.and_then(|control| control.severity) {
        Some(severity) => {
            event.text("control.severity", severity.as_str());
            event.number("control.severityScore", i64::from(severity.default_score()));
        }
        None => event.text("control.severity", UNKNOWN),
    }
    event.text("control.pillar", control.map_or(UNKNOWN, |control| control.pillar.as_str()));
    event.text("control.frameworks", classified.frameworks.and_then(List::joined).unwrap_or(UNMAPPED));
    event.text("compliance.state", classified.state());
    event.text("compliance.previousState", change.previous_state());
    event.maybe("compliance.annotation", change.annotation().map(mask::masked).as_deref());
    if let Some(exception) = classified.excepted() {
        event.text("compliance.exception.owner", &exception.owner);
        event.text("compliance.exception.reason", &exception.reason);
        event.text("compliance.exception.expires", &exception.expires);
    }
    event.text("compliance.ruleName", change.config_rule_name.or_empty());
    event.maybe("compliance.ruleArn", change.config_rule_arn.get());
    event.text("event.id", event_id);
    event.text("event.category", CATEGORY);
    event::moment(event, change.time_ms, &enriched.day);
    event::place(event, &enriched.account, enriched.region, enriched.partition, &enriched.service);
    event.text("resource.type", change.resource_type.or_empty());
    event.text("resource.id", change.resource_id.or_empty());
    event.maybe("resource.arn", change.resource_arn().as_deref());
    event.text("relay.version", VERSION);
    event.text("relay.source", source);
    event.number("relay.lagMs", arrival.lag_ms);
}
