//! A trail record → one item for the Log API.
//!
//! In: a record. Out: `{"timestamp", "attributes", "message": {the record}}`. The record travels as an object, never as an
//! escaped string (a string is cut at about 4,094 characters and is then no JSON any more). The Log API drops the attribute
//! names `eventType` and `accountId`, so at the record's top level they travel as `trail.eventType` and `trail.accountId`.
//! Well-known secrets are masked wherever they stand. A record that New Relic would not keep whole (longer than a log may be, more
//! attributes, reserved names) is taken apart by [`super::trim`], so that nothing is lost there without a mark.

use std::sync::LazyLock;

use memchr::memmem;
use serde_json::value::RawValue;

use super::mask::{self, Secret};
use super::writer::{cut_at, push_escaped, push_number};
use super::{limits, trim};
use crate::record::Trail;

/// Attributes of a log besides its message.
#[derive(Debug, Clone, Copy)]
pub struct LogAttributes<'a> {
    /// What New Relic files it under, milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Whether `timestamp_ms` is not the record's own time.
    pub late: bool,
    /// `event.id`.
    pub event_id: &'a str,
    /// The record's account.
    pub account_id: &'a str,
    /// Its name, or its id.
    pub account_name: &'a str,
    /// The source's name.
    pub source: &'a str,
}

/// Longest message that New Relic keeps whole, bytes: the searchable part and the blob, less what its own way of writing numbers
/// may add.
const MESSAGE: usize = limits::LOG_VALUE_BYTES - 2_000;
/// Bytes around a message: braces, timestamp and the log's own attributes when they are as long as they may be.
const AROUND: usize = 20_000;
/// A record with fewer colons than this cannot have too many attributes.
const COLONS: usize = trim::LEAVES;

/// Writes the item into `out`, of at most `item_max` bytes. Returns the number of values cut to keep the record inside New
/// Relic's limits.
pub fn push_log(out: &mut Vec<u8>, trail: &Trail<'_>, attributes: &LogAttributes<'_>, mask: bool, item_max: usize) -> u64 {
    out.clear();
    if let Some(edits) = Edits::of(trail, mask) {
        push_head(out, attributes, false);
        let head = out.len();
        edits.apply(out, trail.raw.as_bytes());
        if out.len() - head <= MESSAGE && out.len() < item_max {
            out.push(b'}');
            return 0;
        }
        out.clear();
    }
    let (message, cut) = trim::message(trail.raw, mask, MESSAGE.min(item_max.saturating_sub(AROUND)));
    push_head(out, attributes, cut > 0);
    out.extend_from_slice(&message);
    out.push(b'}');
    cut
}

/// Writes everything before the message.
fn push_head(out: &mut Vec<u8>, attributes: &LogAttributes<'_>, truncated: bool) {
    out.extend_from_slice(b"{\"timestamp\":");
    push_number(out, attributes.timestamp_ms);
    out.extend_from_slice(b",\"attributes\":{\"relay.late\":\"");
    out.extend_from_slice(if attributes.late { b"true" } else { b"false" });
    for (name, value) in [
        ("event.id", attributes.event_id),
        ("aws.accountId", attributes.account_id),
        ("aws.accountName", attributes.account_name),
        ("relay.source", attributes.source),
    ] {
        out.extend_from_slice(b"\",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":\"");
        push_escaped(out, cut_at(value, limits::VALUE_SENT));
    }
    if truncated {
        out.extend_from_slice(b"\",\"relay.truncated\":\"|message|");
    }
    out.extend_from_slice(b"\"},\"message\":");
}

/// Whether a record may have more attributes, or other names, than New Relic takes. Quick: it is asked of every record.
fn needs_care(raw: &[u8]) -> bool {
    static NAMES: LazyLock<[memmem::Finder<'static>; 2]> = LazyLock::new(|| ["\"appId\"", "\"entity"].map(memmem::Finder::new));
    (memchr::memchr_iter(b':', raw).count() > COLONS && trim::leaves(raw) > trim::LEAVES)
        || NAMES.iter().any(|name| name.find(raw).is_some())
}

/// Secrets and renamed keys; no allocation when there are no secrets.
#[derive(Default)]
struct Edits {
    /// Renamed keys: where they begin and end, and the new name.
    names: [Option<(usize, usize, &'static str)>; 2],
    used: usize,
    secrets: Vec<Secret>,
}

impl Edits {
    /// What is done to a record that is sent as it is but for names and secrets; `None` when it has to be taken apart.
    fn of(trail: &Trail<'_>, mask: bool) -> Option<Self> {
        let raw = trail.raw.as_bytes();
        if needs_care(raw) {
            return None;
        }
        let mut edits = Self::default();
        let renamed = edits.rename(raw, trail.event_type.get(), b"\"eventType\"", "\"trail.eventType\"")
            && edits.rename(raw, trail.account_id.get(), b"\"accountId\"", "\"trail.accountId\"");
        if mask {
            // The whole record: parts that this version does not know, and texts such as an error's message, may hold one.
            let parts = [
                trail.request_parameters,
                trail.response_elements,
                trail.additional_event_data,
                trail.service_event_details,
                trail.insight_details,
                trail.event_context,
                trail.resources,
            ];
            // The look costs by the byte, so it is at the parts that hold what callers and services wrote, mostly `null`.
            let texts = parts.into_iter().flatten().map(RawValue::get).chain(trail.error_message.get());
            edits.secrets = mask::secrets_of(trail.raw, texts);
        }
        renamed.then_some(edits)
    }

    /// Renames the key of a top-level value that was borrowed from `raw`; `false`: it is there and could not be.
    fn rename(&mut self, raw: &[u8], value: Option<&str>, key: &[u8], new: &'static str) -> bool {
        let Some(value) = value else { return true };
        let Some(value) = offset(raw, value.as_bytes()) else { return false };
        // Backwards from the value: its quote, white space, the colon, white space, the key.
        let before = raw.get(..value).unwrap_or_default();
        let before = before.strip_suffix(b"\"").unwrap_or(before).trim_ascii_end();
        let Some(before) = before.strip_suffix(b":").map(<[u8]>::trim_ascii_end) else { return false };
        if !before.ends_with(key) {
            return false;
        }
        if let Some(place) = self.names.get_mut(self.used) {
            *place = Some((before.len() - key.len(), before.len(), new));
            self.used += 1;
        }
        true
    }

    fn apply(mut self, out: &mut Vec<u8>, raw: &[u8]) {
        self.names.sort_unstable_by_key(|name| name.map_or(usize::MAX, |(from, ..)| from));
        let mut names = self.names.into_iter().flatten().peekable();
        let mut secrets = self.secrets.iter().map(|secret| (secret.from, secret.to, secret.instead.as_ref())).peekable();
        let mut at = 0;
        // Keys and values never overlap.
        while let Some((from, to, new)) = match (names.peek(), secrets.peek()) {
            (Some(name), Some(secret)) if secret.0 < name.0 => secrets.next(),
            (None, _) => secrets.next(),
            _ => names.next(),
        } {
            out.extend_from_slice(raw.get(at..from).unwrap_or_default());
            out.extend_from_slice(new.as_bytes());
            at = to;
        }
        out.extend_from_slice(raw.get(at..).unwrap_or_default());
    }
}

/// Where a slice borrowed from `raw` begins in it; `None` for one that was not.
fn offset(raw: &[u8], part: &[u8]) -> Option<usize> {
    let at = (part.as_ptr() as usize).checked_sub(raw.as_ptr() as usize)?;
    (at + part.len() <= raw.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = r#"{"eventVersion":"1.08","eventTime":"2026-11-21T20:14:31Z","eventSource":"rds.amazonaws.com","eventName":"ModifyDBInstance","requestParameters":{"masterUserPassword":"hunter2","eventType":"AwsApiCall","list":[1,{"a":null}]},"responseElements":null,"eventID":"e1", "eventType" : "AwsApiCall","recipientAccountId":"111122223333","tlsDetails":{"tlsVersion":"TLSv1.3"}}"#;

    fn attributes(event_id: &str) -> LogAttributes<'_> {
        LogAttributes {
            timestamp_ms: 5,
            late: false,
            event_id,
            account_id: "111122223333",
            account_name: "prod",
            source: "trail",
        }
    }

    fn log(raw: &str, mask: bool, item_max: usize) -> (serde_json::Value, u64, usize) {
        let trail = Trail::parse(raw.as_bytes()).unwrap();
        let mut out = Vec::new();
        let cut = push_log(&mut out, &trail, &attributes("e1"), mask, item_max);
        let len = out.len();
        (serde_json::from_slice(&out).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&out))), cut, len)
    }

    /// X2: nested parts and arrays arrive whole; S3-12: no reserved name at the top of the message.
    #[test]
    fn a_record_travels_whole_as_an_object() {
        let (item, cut, _) = log(RAW, true, usize::MAX);
        let mut want: serde_json::Value = serde_json::from_str(RAW).unwrap();
        let kind = want.as_object_mut().unwrap().remove("eventType").unwrap();
        want["trail.eventType"] = kind;
        want["requestParameters"]["masterUserPassword"] = "****".into();
        assert_eq!(item["message"], want);
        assert_eq!(cut, 0);
        assert_eq!(
            item["attributes"],
            serde_json::json!({"relay.late": "false", "event.id": "e1", "aws.accountId": "111122223333", "aws.accountName": "prod", "relay.source": "trail"})
        );
        let (item, _, _) = log(RAW, false, usize::MAX);
        assert_eq!(item["message"]["requestParameters"]["masterUserPassword"], "hunter2");
    }

    #[test]
    fn an_aggregated_record_keeps_its_account_under_another_name() {
        let raw = r#"{"accountId":"111122223333","eventId":"a","eventType":"AwsAggregatedEvent","timeWindow":{"windowStart":"2026-11-21T20:10:00Z"}}"#;
        let (item, _, _) = log(raw, true, usize::MAX);
        assert_eq!(item["message"]["trail.accountId"], "111122223333");
        assert!(item["message"].get("accountId").is_none());
    }

    /// P12, X4: a record larger than a request is trimmed with a mark, not split for ever and not dropped.
    #[test]
    fn a_record_too_large_for_a_request_is_trimmed_and_marked() {
        let secret = r#""password":"hunter2""#;
        let raw = RAW.replace(r#""list":[1,{"a":null}]"#, &format!(r#"{secret},"list":["{}"]"#, "あ".repeat(400_000)));
        let (item, cut, len) = log(&raw, true, 950_000);
        assert!(len < 20_000, "{len} bytes");
        assert_eq!(cut, 1);
        assert_eq!(item["attributes"]["relay.truncated"], "|message|");
        let kept = item["message"]["requestParameters"].as_str().unwrap();
        assert!(kept.ends_with('…') && kept.contains("****") && !kept.contains("hunter2"));
        assert_eq!(item["message"]["eventName"], "ModifyDBInstance");
    }

    /// Texts, and parts that are not known beside a suspicious one, are masked, in a record sent as it is and in one taken apart.
    #[test]
    fn secrets_are_masked_anywhere_in_a_record() {
        let more = r#""errorMessage":"{\"Password\":\"hunter3\"}","newPart":{"API_KEY":"hunter4"},"tlsDetails""#; // found because another part is suspicious
        let raw = RAW.replace(r#""tlsDetails""#, more);
        let apart = raw.replace(r#""a":null"#, r#""a":null,"appId":1"#);
        for (name, raw) in [("as it is", raw), ("taken apart", apart)] {
            let (item, _, _) = log(&raw, true, usize::MAX);
            assert_eq!(item["message"]["errorMessage"], r#"{"Password":"****"}"#, "{name}");
            assert_eq!(item["message"]["newPart"]["API_KEY"], "****", "{name}");
            assert_eq!(item["message"]["requestParameters"]["masterUserPassword"], "****", "{name}");
            assert_eq!(item["message"]["trail.eventType"], "AwsApiCall", "{name}");
        }
    }
}
