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
use crate::record::{FindingForm, RecordKind, Text};

/// How the names of EventBridge's detail types end that carry a CloudTrail record in `detail`: `AWS API Call via CloudTrail`,
/// sign-ins (spelt in two ways), console actions, service events, network activity, Insights. [EventBridge: events delivered
/// via AWS CloudTrail, checked 2026-11] The record's own parser decides what a new kind is.
const VIA_TRAIL: &str = " via CloudTrail";

/// The detail types of other records. [EventBridge: events from AWS services, checked 2026-11]
const KINDS: [(&str, RecordKind); 12] = [
    ("Config Rules Compliance Change", RecordKind::ComplianceChange),
    ("Config Configuration Item Change", RecordKind::ConfigItem),
    ("Security Hub Findings - Imported", RecordKind::Finding(FindingForm::Asff)),
    ("Security Hub Findings - Custom Action", RecordKind::Finding(FindingForm::Asff)),
    ("Findings Imported V2", RecordKind::Finding(FindingForm::Ocsf)),
    ("Security Hub Insight Results", RecordKind::Insight),
    ("GuardDuty Finding", RecordKind::Finding(FindingForm::GuardDuty)),
    ("Inspector2 Finding", RecordKind::Finding(FindingForm::Inspector)),
    ("Macie Finding", RecordKind::Finding(FindingForm::Macie)),
    ("Access Analyzer Finding", RecordKind::Finding(FindingForm::ExternalAccess)),
    ("Unused Access Finding for IAM entities", RecordKind::Finding(FindingForm::UnusedAccess)),
    ("Internal Access Finding", RecordKind::Finding(FindingForm::InternalAccess)),
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
    region: Text<'a>,
    #[serde(borrow, default)]
    time: Text<'a>,
    #[serde(borrow, default)]
    detail: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Detail<'a> {
    #[serde(borrow, default)]
    findings: Option<Vec<&'a RawValue>>,
}

/// A whole document.
pub(super) fn document(raw: &[u8]) -> Decoded<'_> {
    // Looking for the words first spares the bare records of an NDJSON file a second parse.
    if has(raw, "\"detail-type\"") {
        match serde_json::from_slice::<Envelope<'_>>(raw) {
            Ok(Envelope { detail_type, source, account, region, time, detail: Some(detail) }) if detail_type.get().is_some() => {
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
                // No Region has a letter that needs an escape.
                let region = match region.into_cow() {
                    Some(Cow::Borrowed(region)) if !region.is_empty() => Some(region),
                    _ => None,
                };
                let time = match time.into_cow() {
                    Some(Cow::Borrowed(time)) => Some(time),
                    _ => None,
                };
                return match kind {
                    RecordKind::Finding(form @ (FindingForm::Asff | FindingForm::Ocsf)) => {
                        findings(form, detail, (account, region, time), raw)
                    }
                    // Its time and id stand in the envelope only.
                    RecordKind::Insight => Decoded::Record { kind, raw, account, region, time },
                    _ => Decoded::Record { kind, raw: detail.get().as_bytes(), account, region, time },
                };
            }
            Ok(_) => {}
            Err(error) => return Decoded::Broken { raw, why: format!("not JSON: {error}") },
        }
    }
    // Before the trail's marks: what a resource is set to may hold any names.
    if is_config_item(raw) {
        return Decoded::Record { kind: RecordKind::ConfigItem, raw, account: None, region: None, time: None };
    }
    if is_trail(raw) {
        return Decoded::trail(raw);
    }
    if is_compliance_change(raw) {
        return Decoded::Record { kind: RecordKind::ComplianceChange, raw, account: None, region: None, time: None };
    }
    if let Some(form) = bare_finding(raw) {
        return Decoded::Record { kind: RecordKind::Finding(form), raw, account: None, region: None, time: None };
    }
    if has(raw, "\"digestStartTime\"") && has(raw, "\"logFiles\"") {
        return Decoded::Empty;
    }
    let why = "neither a CloudTrail file, a CloudTrail record nor an EventBridge event".to_owned();
    Decoded::Foreign { raw, why }
}

/// The findings of an event of Security Hub's: each is a record of its own.
fn findings<'a>(
    form: FindingForm,
    detail: &'a RawValue,
    (account, region, time): (Option<&'a str>, Option<&'a str>, Option<&'a str>),
    raw: &'a [u8],
) -> Decoded<'a> {
    let raws = serde_json::from_str::<Detail<'a>>(detail.get()).ok().and_then(|detail| detail.findings).unwrap_or_default();
    if raws.is_empty() {
        let why = "an event of Security Hub without findings: a list in detail.findings is needed".to_owned();
        return Decoded::Broken { raw, why };
    }
    let raws = raws.into_iter().map(|raw| raw.get().as_bytes()).collect();
    Decoded::Findings { form, raws, account, region, time }
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
    has(raw, "\"detail-type\"")
        || is_trail(raw)
        || is_compliance_change(raw)
        || is_config_item(raw)
        || bare_finding(raw).is_some()
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

/// As a dead letter keeps one of an event's findings: without an envelope.
fn bare_finding(raw: &[u8]) -> Option<FindingForm> {
    if has(raw, "\"ProductArn\"") && has(raw, "\"AwsAccountId\"") {
        return Some(FindingForm::Asff);
    }
    (has(raw, "\"finding_info\"") && has(raw, "\"metadata\"")).then_some(FindingForm::Ocsf)
}

/// Whether a document carries the marks of a trail record. Only a look: the record's own parser decides.
pub(super) fn is_trail(raw: &[u8]) -> bool {
    has(raw, "\"eventVersion\"") || (has(raw, "\"eventSource\"") && has(raw, "\"eventName\""))
}
