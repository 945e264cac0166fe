//! One document → what it is: an EventBridge envelope, a bare record, a digest, or nothing we know.
//!
//! In: the raw JSON text of a document that stands in no array of records. Out: [`Decoded`]. What always holds: it is only a
//! look at marks and names; the record's own parser decides.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Decoded;
use crate::record::trail::is_account_id;
use crate::record::{RecordKind, Text};

/// How the names of EventBridge's detail types end that carry a CloudTrail record in `detail`: `AWS API Call via CloudTrail`,
/// sign-ins (spelt in two ways), console actions, service events, network activity, Insights. [EventBridge: events delivered
/// via AWS CloudTrail, checked 2026-11] The record's own parser decides what a new kind is.
const VIA_TRAIL: &str = " via CloudTrail";

/// The detail types of other records. [EventBridge: events from AWS services, checked 2026-11]
const KINDS: [(&str, RecordKind); 2] = [
    ("Config Rules Compliance Change", RecordKind::ComplianceChange),
    ("Config Configuration Item Change", RecordKind::ConfigItem),
];

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "detail-type", borrow, default)]
    detail_type: Text<'a>,
    #[serde(borrow, default)]
    source: Text<'a>,
    #[serde(borrow, default)]
    account: Text<'a>,
    #[serde(borrow, default)]
    detail: Option<&'a RawValue>,
}

/// A whole document.
pub(super) fn document(raw: &[u8]) -> Decoded<'_> {
    // Looking for the words first spares the bare records of an NDJSON file a second parse.
    if has(raw, "\"detail-type\"") {
        match serde_json::from_slice::<Envelope<'_>>(raw) {
            Ok(Envelope { detail_type, source, account, detail: Some(detail) }) if detail_type.get().is_some() => {
                let Some(kind) = kind(detail_type.or_empty()) else {
                    let why = format!(
                        "EventBridge event of detail type \"{}\" from {}: this version reads CloudTrail's and \"{}\"",
                        detail_type.or_empty(),
                        source.get().unwrap_or("an unnamed source"),
                        KINDS.map(|(name, _)| name).join("\", \"")
                    );
                    return Decoded::Broken { raw, why };
                };
                let account = match account.into_cow() {
                    // Digits are never escaped.
                    Some(Cow::Borrowed(id)) if is_account_id(id) => Some(id),
                    _ => None,
                };
                return Decoded::Record { kind, raw: detail.get().as_bytes(), account };
            }
            Ok(_) => {}
            Err(error) => return Decoded::Broken { raw, why: format!("not JSON: {error}") },
        }
    }
    // Before the trail's marks: what a resource is set to may hold any names.
    if is_config_item(raw) {
        return Decoded::Record { kind: RecordKind::ConfigItem, raw, account: None };
    }
    if is_trail(raw) {
        return Decoded::trail(raw);
    }
    if is_compliance_change(raw) {
        return Decoded::Record { kind: RecordKind::ComplianceChange, raw, account: None };
    }
    if has(raw, "\"digestStartTime\"") && has(raw, "\"logFiles\"") {
        return Decoded::Empty;
    }
    let why = "neither a CloudTrail file, a CloudTrail record nor an EventBridge event".to_owned();
    Decoded::Foreign { raw, why }
}

fn kind(detail_type: &str) -> Option<RecordKind> {
    if detail_type.ends_with(VIA_TRAIL) {
        return Some(RecordKind::Trail);
    }
    KINDS.iter().find(|(name, _)| *name == detail_type).map(|(_, kind)| *kind)
}

fn has(raw: &[u8], mark: &str) -> bool {
    memmem::find(raw, mark.as_bytes()).is_some()
}

/// Whether bytes that are no whole document carry the marks of a record, or of the envelope around one.
pub(super) fn has_marks(raw: &[u8]) -> bool {
    has(raw, "\"detail-type\"") || is_trail(raw) || is_compliance_change(raw) || is_config_item(raw)
}

/// As AWS Config's own topic carries it, and as a dead letter keeps it: without an envelope.
fn is_compliance_change(raw: &[u8]) -> bool {
    has(raw, "\"ComplianceChangeNotification\"") && has(raw, "\"configRuleName\"")
}

/// The same of a configuration item, and one out of a history file that stands in a line of its own. The whole file, an array of
/// them, is none. A trail record may hold the name of the message, as a rule's trigger, but no item.
fn is_config_item(raw: &[u8]) -> bool {
    has(raw, "\"configurationItem")
        && !has(raw, "\"configurationItems\"")
        && (has(raw, "ConfigurationItemChangeNotification\"") || has(raw, "\"configurationItemCaptureTime\""))
}

/// Whether a document carries the marks of a trail record. Only a look: the record's own parser decides.
pub(super) fn is_trail(raw: &[u8]) -> bool {
    has(raw, "\"eventVersion\"") || (has(raw, "\"eventSource\"") && has(raw, "\"eventName\""))
}
