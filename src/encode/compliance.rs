//! Changes of state of AWS Config → items for the Event API.
//!
//! In: a change with its names, the control behind its rule, and what is known of it. Out: an `AwsComplianceChange`, and for a
//! violation that begins an `AwsSecurityNotice`, which New Relic stamps on arrival. What always holds: a rule that no table
//! knows is sent as `|unmapped|`, never left out; what nobody knows (since when, how often) is left out, never guessed; a change
//! that reading the API found has the same attributes as one that an event told.

use super::dictionary::{COMPLIANCE_CHANGE, NOTICE};
use super::event::{self, Arrival, VERSION};
use super::mask;
use super::writer::EventWriter;
use crate::classify::{ClassifiedChange, List, PreventiveControl};
use crate::posture::{Correction, Story};
use crate::record::compliance::{LEFT, NONE};
use crate::record::{AccountRegion, ComplianceState, StateChange};

/// `event.category` of what AWS Config says.
const CATEGORY: &str = "Compliance";

/// What stands for the frameworks of a rule that no table knows, and for its severity and pillar.
pub(super) const UNMAPPED: &str = "|unmapped|";
pub(super) const UNKNOWN: &str = "unknown";

/// Who told a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// An event of AWS Config's.
    Stream,
    /// Reading its API: the event was missed.
    Reconcile,
}

impl Origin {
    /// The word in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Reconcile => "reconcile",
        }
    }
}

/// How a change was told, and what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// What the state knows.
    pub story: Story,
    /// Who told it.
    pub origin: Origin,
    /// Something newer was known already.
    pub out_of_order: bool,
    /// When AWS recorded the result, where that is not the time of the change, milliseconds since the epoch; 0: unknown.
    pub evaluated_ms: Option<i64>,
}

impl Told {
    /// Told by an event, and nothing is known of the time before.
    #[cfg(test)]
    const ALONE: Self = Self {
        story: Story {
            previous: None,
            since_ms: None,
            first_seen_ms: None,
            reopen_count: 0,
            resolved_after_ms: None,
            notifiable: false,
        },
        origin: Origin::Stream,
        out_of_order: false,
        evaluated_ms: None,
    };

    /// Found by reading the API.
    #[must_use]
    pub fn correction(correction: &Correction) -> Self {
        let Correction { story, evaluated_ms, .. } = *correction;
        Self { story, origin: Origin::Reconcile, out_of_order: false, evaluated_ms }
    }
}

/// A correction in plain fields, as an event would have told it.
#[must_use]
pub fn plain<'a>(correction: &'a Correction, place: &'a AccountRegion) -> StateChange<'a> {
    StateChange {
        account: &place.account,
        region: &place.region,
        rule: &correction.rule,
        rule_arn: &correction.rule_arn,
        resource_type: &correction.resource_type,
        resource_id: &correction.resource_id,
        state: correction.state.as_str(),
        previous: correction.story.previous.map(ComplianceState::as_str),
        at_ms: correction.at_ms,
        annotation: correction.annotation.as_deref(),
    }
}

/// Writes the `AwsComplianceChange`. Returns the number of values cut.
pub fn push_change(out: &mut Vec<u8>, classified: &ClassifiedChange<'_>, told: &Told, arrival: Arrival, source: &str) -> u64 {
    let mut event = EventWriter::begin(out, COMPLIANCE_CHANGE, Some(arrival.timestamp_ms));
    write(&mut event, classified, told, arrival, source);
    event.end()
}

/// Writes the `AwsSecurityNotice`. Returns the number of values cut.
pub fn push_notice(out: &mut Vec<u8>, classified: &ClassifiedChange<'_>, told: &Told, arrival: Arrival, source: &str) -> u64 {
    let mut event = EventWriter::begin(out, NOTICE, None);
    write(&mut event, classified, told, arrival, source);
    event.text("control.ids", &format!("|{}|", classified.control_id()));
    event.end()
}

/// The same of so many violations that no exception covers any more, of which this is the first. Returns the number of values cut.
pub fn push_uncovered(
    out: &mut Vec<u8>,
    (classified, violations): (&ClassifiedChange<'_>, u64),
    told: &Told,
    arrival: Arrival,
    source: &str,
) -> u64 {
    let mut event = EventWriter::begin(out, NOTICE, None);
    write(&mut event, classified, told, arrival, source);
    event.text("control.ids", &format!("|{}|", classified.control_id()));
    event.number("exception.uncovered", i64::try_from(violations).unwrap_or(i64::MAX));
    event.end()
}

fn write(event: &mut EventWriter<'_>, classified: &ClassifiedChange<'_>, told: &Told, arrival: Arrival, source: &str) {
    let ClassifiedChange { change, event_id, enriched, control: control_behind, .. } = *classified;
    event.flag("relay.late", arrival.late);
    control(event, classified.control_id(), control_behind);
    event.text("control.frameworks", frameworks(classified));
    event.text("compliance.state", classified.state());
    exception(event, classified);
    states(event, &change, told);
    let evaluated_ms = told.evaluated_ms.unwrap_or(if change.state == LEFT { 0 } else { change.at_ms });
    freshness(event, evaluated_ms, change.at_ms.saturating_add(arrival.lag_ms));
    event.text("event.id", event_id);
    event.text("event.category", CATEGORY);
    event::moment(event, change.at_ms, &enriched.day);
    event::place(event, &enriched.account, enriched.region, enriched.partition, &enriched.service);
    resource(event, &change);
    event.text("relay.version", VERSION);
    event.text("relay.source", source);
    event.number("relay.lagMs", arrival.lag_ms);
}

/// The state now and before, who told it, and what is known of it. A resource that never violated its rule has no count of how
/// often it did so again.
fn states(event: &mut EventWriter<'_>, change: &StateChange<'_>, told: &Told) {
    let Told { story, origin, out_of_order, .. } = *told;
    // AWS's own word, where it says one: it may be one that this version does not know.
    let known = story.previous.map(ComplianceState::as_str);
    event.text("compliance.previousState", change.previous.or(known).unwrap_or(NONE));
    event.maybe("compliance.annotation", change.annotation.map(mask::masked).as_deref());
    event.text("compliance.ruleName", change.rule);
    event.text("compliance.ruleArn", change.rule_arn);
    for (name, value) in [
        ("compliance.since", story.since_ms),
        ("compliance.firstSeen", story.first_seen_ms),
        ("compliance.reopenCount", story.first_seen_ms.map(|_| i64::from(story.reopen_count))),
        ("compliance.resolvedAfterMs", story.resolved_after_ms),
    ] {
        if let Some(value) = value {
            event.number(name, value);
        }
    }
    event.text("compliance.origin", origin.as_str());
    event.flag("compliance.outOfOrder", out_of_order);
}

/// When AWS judged, and when this agent knew it to be so last; 0: unknown.
pub(super) fn freshness(event: &mut EventWriter<'_>, evaluated_ms: i64, observed_ms: i64) {
    for (name, ms) in [("compliance.evaluatedAt", evaluated_ms), ("compliance.observedAt", observed_ms)] {
        if ms > 0 {
            event.number(name, ms);
        }
    }
}

/// The control behind a rule.
pub(super) fn control(event: &mut EventWriter<'_>, id: &str, control: Option<&PreventiveControl>) {
    event.text("control.id", id);
    event.text("control.title", id);
    event.text("control.kind", "preventive");
    severity(event, control);
    event.text("control.pillar", control.map_or(UNKNOWN, |control| control.pillar.as_str()));
    event.maybe("control.securityHubIds", control.and_then(PreventiveControl::security_hub_ids).as_deref());
}

/// Its severity.
pub(super) fn severity(event: &mut EventWriter<'_>, control: Option<&PreventiveControl>) {
    match control.and_then(|control| control.severity) {
        Some(severity) => {
            event.text("control.severity", severity.as_str());
            event.number("control.severityScore", i64::from(severity.default_score()));
        }
        None => event.text("control.severity", UNKNOWN),
    }
}

/// Its framework numbers.
pub(super) fn frameworks<'a>(classified: &ClassifiedChange<'a>) -> &'a str {
    classified.frameworks.and_then(List::joined).unwrap_or(UNMAPPED)
}

/// Whom it is excepted for, why and how long.
pub(super) fn exception(event: &mut EventWriter<'_>, classified: &ClassifiedChange<'_>) {
    if let Some(exception) = classified.excepted() {
        event.text("compliance.exception.owner", &exception.owner);
        event.text("compliance.exception.reason", &exception.reason);
        event.text("compliance.exception.expires", &exception.expires);
    }
}

/// What is judged.
pub(super) fn resource(event: &mut EventWriter<'_>, change: &StateChange<'_>) {
    event.text("resource.type", change.resource_type);
    event.text("resource.id", change.resource_id);
    event.maybe("resource.arn", change.resource_arn());
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const CHANGE: StateChange<'_> = StateChange {
        account: "111122223333",
        region: "eu-west-1",
        rule: "our-own-rule",
        rule_arn: "",
        resource_type: "AWS::S3::Bucket",
        resource_id: "arn:aws:s3:::ledger",
        state: "COMPLIANT",
        previous: None,
        at_ms: 1_795_293_001_000,
        annotation: None,
    };

    fn written(change: StateChange<'_>, told: &Told) -> Value {
        let mut out = Vec::new();
        let mut event = EventWriter::begin(&mut out, COMPLIANCE_CHANGE, None);
        states(&mut event, &change, told);
        resource(&mut event, &change);
        assert_eq!(event.end(), 0);
        serde_json::from_slice(&out).expect("JSON")
    }

    /// S1-10: open, mended, open again can be told apart.
    #[test]
    fn what_is_known_of_a_change_is_sent() {
        let story = Story {
            previous: Some(ComplianceState::NonCompliant),
            since_ms: Some(10),
            first_seen_ms: Some(5),
            reopen_count: 2,
            resolved_after_ms: Some(20),
            notifiable: false,
        };
        let told = Told { story, origin: Origin::Reconcile, out_of_order: true, evaluated_ms: None };
        assert_eq!(
            written(CHANGE, &told),
            json!({
                "eventType": "AwsComplianceChange",
                "compliance.previousState": "NON_COMPLIANT",
                "compliance.ruleName": "our-own-rule", "compliance.since": 10, "compliance.firstSeen": 5,
                "compliance.reopenCount": 2, "compliance.resolvedAfterMs": 20, "compliance.origin": "reconcile",
                "compliance.outOfOrder": "true", "resource.type": "AWS::S3::Bucket",
                "resource.id": "arn:aws:s3:::ledger", "resource.arn": "arn:aws:s3:::ledger",
            })
        );
    }

    #[test]
    fn what_nobody_knows_is_left_out_and_the_word_of_aws_goes_first() {
        let alone = written(CHANGE, &Told::ALONE);
        for name in ["compliance.since", "compliance.firstSeen", "compliance.reopenCount", "compliance.resolvedAfterMs"] {
            assert_eq!(alone.get(name), None, "{name}");
        }
        assert_eq!((&alone["compliance.previousState"], &alone["compliance.origin"]), (&json!("NONE"), &json!("stream")));
        let story = Story { previous: Some(ComplianceState::Other), ..Told::ALONE.story };
        let change = StateChange { previous: Some("SOMETHING_NEW"), ..CHANGE };
        assert_eq!(written(change, &Told { story, ..Told::ALONE })["compliance.previousState"], "SOMETHING_NEW");
    }
}
