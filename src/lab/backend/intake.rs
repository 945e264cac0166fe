//! What one accepted body turned into, and every rule it broke.
//!
//! In: what `event_api`, `log_api` and `otlp` found. Out: rows to store, losses as New Relic reports them, and a count per
//! [`Violation`]. Counts are kept also for what New Relic drops without a word, so a test can assert that none was sent.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::encode::limits;

/// Values from here on are milliseconds, below seconds: the year 5138 as seconds, March 1973 as milliseconds.
const FIRST_MILLISECOND: i64 = 100_000_000_000;

/// One stored row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Event type; `Log` for logs, `Metric` for points of metrics.
    pub(super) event_type: String,
    /// Flat attributes, `timestamp` in milliseconds always among them.
    pub(super) attributes: Map<String, Value>,
}

/// A documented rule that a request broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Violation {
    /// Body over [`limits::BODY_BYTES`], packed or unpacked: refused with 413.
    BodyTooLarge,
    /// No ingest key, an unknown one, one of another kind or of another account: refused with 403.
    Key,
    /// Empty body, or one that does not unpack: refused with 400.
    Body,
    /// A content type or encoding that is not accepted: refused with 415.
    ContentType,
    /// Body (or one item of it) that is not the documented JSON: lost.
    Json,
    /// More than [`limits::EVENTS_PER_BODY`] events in a body: all lost. What New Relic does is not documented; this is the
    /// outcome a sender has to fear.
    TooManyEvents,
    /// Event without `eventType`, or with one that is no text: lost.
    EventTypeMissing,
    /// `eventType` with a character other than letters, digits, `_` and `:`, or a reserved one: lost.
    EventTypeIllegal,
    /// `timestamp` outside [`limits::EVENT_WINDOW_MS`] or older than [`limits::LOG_WINDOW_MS`]: lost. For events, whether
    /// New Relic drops or restamps is not documented; dropping is the outcome a sender has to fear.
    TimestampWindow,
    /// `timestamp` that is not an integer: the time of ingest is taken.
    TimestampKind,
    /// More than [`limits::ATTRIBUTES`]: an event is lost, a log loses the surplus.
    TooManyAttributes,
    /// Attribute name over [`limits::NAME_BYTES`]: an event is lost, a log loses the attribute.
    NameTooLong,
    /// Attribute name that is empty or, in an event, has a character other than letters, digits, `:`, `.` and `_`: an event
    /// is lost, a log loses the attribute.
    NameIllegal,
    /// Event value over [`limits::EVENT_VALUE_CHARS`]: the event is lost.
    ValueTooLong,
    /// Event value that is neither text nor number: the event is lost. Booleans are not documented as accepted.
    ValueKind,
    /// An attribute name that New Relic reserves: the attribute is lost.
    ReservedName,
    /// A log's `message` that is JSON as text and too long to be parsed: it stays dead text.
    DeadMessage,
    /// Log value over [`limits::LOG_VALUE_BYTES`]: the end is lost. A shorter one over [`limits::LOG_VALUE_CHARS`] goes to a
    /// blob and breaks no rule.
    LogValueLost,
    /// OTLP body that is no `ExportMetricsServiceRequest`: lost.
    Protobuf,
    /// OTLP point of a kind that New Relic does not support (a delta sum that falls), or that is not imitated: lost.
    MetricKind,
    /// OTLP text over [`limits::OTLP_VALUE_CHARS`]: cut and kept.
    OtlpValueCut,
    /// OTLP list over [`limits::OTLP_LIST`]: the attribute is lost.
    ListTooLong,
    /// More than [`limits::METRIC_SERIES`] series of a metric on one day: points are kept, their long-lived roll-ups are not.
    TooManySeries,
}

impl Violation {
    /// What New Relic's `NrIntegrationError` says.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "payload is too large",
            Self::Key => "key is missing or not valid for ingest",
            Self::Body => "body is empty or does not unpack",
            Self::ContentType => "content type or encoding is not accepted",
            Self::Json => "error parsing JSON payload",
            Self::TooManyEvents => "too many events in one payload",
            Self::EventTypeMissing => "missing eventType",
            Self::EventTypeIllegal => "eventType has illegal characters or is reserved",
            Self::TimestampWindow => "timestamp is outside the ingest window",
            Self::TimestampKind => "timestamp is not an integer",
            Self::TooManyAttributes => "too many attributes",
            Self::NameTooLong => "attribute name is too long",
            Self::NameIllegal => "missing attribute name, or illegal characters in it",
            Self::ValueTooLong => "attribute value is too long",
            Self::ValueKind => "attribute value is neither text nor number",
            Self::ReservedName => "reserved attribute name",
            Self::DeadMessage => "JSON message as text is too long to be parsed",
            Self::LogValueLost => "attribute value is longer than what is kept",
            Self::Protobuf => "error parsing OTLP payload",
            Self::MetricKind => "metric of a kind that is not supported",
            Self::OtlpValueCut => "OTLP attribute value was cut",
            Self::ListTooLong => "OTLP list is too long",
            Self::TooManySeries => "too many series of one metric in a day",
        }
    }

    /// `limitName` and `limitValue`, for violations of a number.
    pub(super) fn limit(self) -> Option<(&'static str, u64)> {
        let (name, value) = match self {
            Self::TooManySeries => ("MetricCardinality", limits::METRIC_SERIES),
            Self::TooManyEvents => ("EventsPerPayload", limits::EVENTS_PER_BODY),
            Self::TooManyAttributes => ("AttributesPerEvent", limits::ATTRIBUTES),
            Self::NameTooLong => ("AttributeNameLength", limits::NAME_BYTES),
            Self::ValueTooLong => ("AttributeValueLength", limits::EVENT_VALUE_CHARS),
            Self::LogValueLost => ("LogAttributeValueLength", limits::LOG_VALUE_BYTES),
            _ => return None,
        };
        Some((name, u64::try_from(value).unwrap_or(u64::MAX)))
    }
}

/// Rows lost for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loss {
    /// How many.
    pub(super) rows: u64,
    /// Event type of the first one, when it had any.
    pub(super) sample: Option<String>,
}

/// Everything that came out of one body.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Intake {
    pub(super) rows: Vec<Row>,
    pub(super) losses: BTreeMap<Violation, Loss>,
    pub(super) violations: BTreeMap<Violation, u64>,
    /// Rows lost though they break no rule, because a script says so.
    pub(super) scripted: Option<Loss>,
}

impl Intake {
    /// Counts a broken rule that loses no row.
    pub(super) fn note(&mut self, violation: Violation) {
        self.count(violation, 1);
    }

    /// Counts `rows` rows lost to `violation`.
    pub(super) fn lose(&mut self, violation: Violation, rows: u64, sample: Option<&str>) {
        self.count(violation, rows);
        let loss = self.losses.entry(violation).or_insert_with(|| Loss { rows: 0, sample: sample.map(str::to_owned) });
        loss.rows = loss.rows.saturating_add(rows);
    }

    /// Loses the first row of this `event.id`, which breaks no rule. Whether there is one.
    pub(super) fn lose_row(&mut self, event_id: &str) -> bool {
        let is_lost = |row: &Row| row.attributes.get("event.id").and_then(Value::as_str) == Some(event_id);
        let Some(at) = self.rows.iter().position(is_lost) else { return false };
        let row = self.rows.remove(at);
        self.scripted = Some(Loss { rows: 1, sample: Some(row.event_type) });
        true
    }

    fn count(&mut self, violation: Violation, times: u64) {
        let count = self.violations.entry(violation).or_default();
        *count = count.saturating_add(times);
    }
}

/// Milliseconds since the epoch of a documented timestamp (integer, seconds or milliseconds).
pub(super) fn timestamp_ms(value: &Value) -> Option<i64> {
    let number = value.as_i64()?;
    if number.unsigned_abs() < FIRST_MILLISECOND.unsigned_abs() { number.checked_mul(1_000) } else { Some(number) }
}

/// Whether New Relic keeps this attribute name for itself.
pub(super) fn is_reserved(name: &str) -> bool {
    limits::RESERVED_NAMES.contains(&name) || name.starts_with(limits::RESERVED_PREFIX)
}

/// Whether `value` has more than `most` characters; counts no further than needed.
pub(super) fn is_longer(value: &str, most: usize) -> bool {
    value.len() > most && value.chars().nth(most).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn timestamps_are_seconds_or_milliseconds() {
        for (name, value, expected) in [
            ("seconds", json!(1_767_225_600), Some(1_767_225_600_000)),
            ("milliseconds", json!(1_767_225_600_123_i64), Some(1_767_225_600_123)),
            ("a decimal is ignored", json!(1_767_225_600.5), None),
            ("text is ignored", json!("1767225600"), None),
            ("more than 64 bits", json!(u64::MAX), None),
            ("least", json!(i64::MIN), Some(i64::MIN)),
        ] {
            assert_eq!(timestamp_ms(&value), expected, "{name}");
        }
    }

    #[test]
    fn length_counts_characters() {
        assert!(!is_longer("日本語", 3));
        assert!(is_longer("日本語", 2));
        assert!(!is_longer("", 0));
    }
}
