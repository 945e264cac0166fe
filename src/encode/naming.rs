//! What names a row.
//!
//! In: an item as our encoders wrote it. Out: those of its attributes that make it this row and no other; nothing where it has
//! no id of its own. What always holds: they are the same whenever, by whichever agent, source and version the row is told, and
//! under whichever time it is filed: what differs then (`timestamp`, `relay.lagMs`, what an account is called today) is none of
//! them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Lane;

/// A row that has none of these has no name: heartbeats and snapshots are told once, under their own time.
const IDS: [&str; 2] = ["event.id", "gap.id"];

/// What tells rows of one id apart: type and place, the detections of a record, what became of a finding or of a resource, the
/// results of an insight, the notices that exceptions are over, and the two ways in which a change is told.
const APART: [&str; 10] = [
    "eventType",
    "aws.accountId",
    "aws.region",
    "detection.id",
    "control.ids",
    "compliance.state",
    "finding.transition",
    "exception.uncovered",
    "insight.result",
    "change.origin",
];

/// Attributes as they were written, in the order of their names.
type Attributes<'i> = BTreeMap<String, &'i RawValue>;

/// A log's own attributes; its message is the record.
#[derive(Deserialize)]
struct Log<'i> {
    #[serde(borrow)]
    attributes: Attributes<'i>,
}

/// What names the row that this item becomes, as a JSON object; `None`: nothing but all of it.
pub(super) fn name(lane: Lane, item: &[u8]) -> Option<Vec<u8>> {
    let mut attributes: Attributes<'_> = match lane {
        Lane::Events => serde_json::from_slice(item).ok()?,
        Lane::Logs => serde_json::from_slice::<Log<'_>>(item).ok()?.attributes,
        Lane::Metrics => return None,
    };
    let is_id = |value: &&RawValue| !["\"\"", "null"].contains(&value.get());
    if !IDS.iter().any(|id| attributes.get(*id).is_some_and(is_id)) {
        return None;
    }
    attributes.retain(|name, _| IDS.contains(&name.as_str()) || APART.contains(&name.as_str()));
    serde_json::to_vec(&attributes).ok()
}

#[cfg(test)]
mod tests {
    use super::super::dictionary::{self, GAP};
    use super::*;

    fn named(lane: Lane, item: &str) -> Option<String> {
        name(lane, item.as_bytes()).map(|name| String::from_utf8(name).unwrap())
    }

    #[test]
    fn a_row_is_named_by_its_ids_and_by_what_tells_it_from_others_of_them() {
        let event = r#"{"eventType":"AwsSecurityEvent","timestamp":5,"relay.late":"false","detection.id":"e:r","event.id":"e","aws.accountId":"1","relay.lagMs":7}"#;
        let log =
            r#"{"timestamp":5,"attributes":{"relay.late":"false","event.id":"e","aws.accountId":"1"},"message":{"eventID":"e"}}"#;
        for (lane, item, want) in [
            (
                Lane::Events,
                event,
                Some(r#"{"aws.accountId":"1","detection.id":"e:r","event.id":"e","eventType":"AwsSecurityEvent"}"#),
            ),
            (Lane::Logs, log, Some(r#"{"aws.accountId":"1","event.id":"e"}"#)),
            (Lane::Events, r#"{"timestamp":5,"gap.id":"g","relay.agent":"a"}"#, Some(r#"{"gap.id":"g"}"#)),
            (Lane::Events, r#"{"eventType":"AwsPostureSummary","snapshot.id":"s"}"#, None),
            (Lane::Events, r#"{"event.id":""}"#, None),
            (Lane::Events, r#"{"event.id":null}"#, None),
            (Lane::Events, log, None),
            (Lane::Logs, event, None),
            (Lane::Metrics, event, None),
            (Lane::Events, r#"[{"event.id":"e"}]"#, None),
            (Lane::Events, r#"{"event.id":"e""#, None),
            (Lane::Events, "", None),
        ] {
            assert_eq!(named(lane, item).as_deref(), want, "{lane:?} {item}");
        }
    }

    /// A type whose rows are offered again has an id; the names are those that are sent.
    #[test]
    fn every_type_that_says_how_late_it_came_has_an_id() {
        for name in IDS.into_iter().chain(APART).filter(|name| *name != "eventType") {
            assert!(dictionary::knows(name), "{name}");
        }
        let types = |name: &str| dictionary::ATTRIBUTES.iter().find(|row| row.name == name).unwrap().events;
        assert_eq!(types("event.id"), types("relay.lagMs"));
        assert_eq!(types("gap.id"), [GAP]);
    }
}
