//! One CloudTrail record, read without building a tree.
//!
//! In: the raw JSON text of a record. Out: its top-level fields, borrowed; nested parts stay raw JSON text until a rule or an
//! output asks. Field names and their versions: CloudTrail record contents, `eventVersion` 1.11. Unknown fields are kept in
//! [`Trail::raw`]; an unknown version, category or type never fails.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::text::Text;
use super::time;

/// A trail record: typed top level, raw nested parts.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trail<'a> {
    /// The whole record as it came, compact or not.
    #[serde(skip)]
    pub raw: &'a str,
    /// When the call happened, milliseconds since the epoch; start of the window for aggregated records.
    #[serde(skip)]
    pub time_ms: i64,
    /// `eventTime` as written.
    #[serde(borrow, default)]
    pub event_time: Text<'a>,
    /// Record version, `1.11`.
    #[serde(borrow, default)]
    pub event_version: Text<'a>,
    /// `iam.amazonaws.com`; absent on Insights.
    #[serde(borrow, default)]
    pub event_source: Text<'a>,
    /// `CreateUser`; absent on Insights and aggregated records.
    #[serde(borrow, default)]
    pub event_name: Text<'a>,
    /// Region of the call.
    #[serde(borrow, default)]
    pub aws_region: Text<'a>,
    /// Address, service name or `AWS Internal`: never assume an address.
    #[serde(rename = "sourceIPAddress", borrow, default)]
    pub source_ip_address: Text<'a>,
    /// Up to 1 KB.
    #[serde(borrow, default)]
    pub user_agent: Text<'a>,
    /// Only on failure.
    #[serde(borrow, default)]
    pub error_code: Text<'a>,
    /// Only on failure; also on a failed sign-in, which has no code.
    #[serde(borrow, default)]
    pub error_message: Text<'a>,
    /// The record's id; `eventId` on aggregated records.
    #[serde(rename = "eventID", alias = "eventId", borrow, default)]
    pub event_id: Text<'a>,
    /// The same in every copy of one action that went to several accounts (each copy has its own `eventID`), and in both ends of
    /// an Insights event.
    #[serde(rename = "sharedEventID", borrow, default)]
    pub shared_event_id: Text<'a>,
    /// `AwsApiCall`, `AwsConsoleSignIn`, …
    #[serde(borrow, default)]
    pub event_type: Text<'a>,
    /// `Management`, `Data`, `NetworkActivity`, `Insight`, `Aggregated`.
    #[serde(borrow, default)]
    pub event_category: Text<'a>,
    /// The account the record belongs to.
    #[serde(borrow, default)]
    pub recipient_account_id: Text<'a>,
    /// Account of aggregated records only.
    #[serde(borrow, default)]
    pub account_id: Text<'a>,
    /// `true` or `false`; absent on some.
    #[serde(borrow, default)]
    pub read_only: Text<'a>,
    /// The text `"true"` when the call came with a console session's credentials.
    #[serde(borrow, default)]
    pub session_credential_from_console: Option<&'a RawValue>,
    /// Who: see `enrich::principal`.
    #[serde(borrow, default)]
    pub user_identity: Option<&'a RawValue>,
    /// What was asked; `null` is common.
    #[serde(borrow, default)]
    pub request_parameters: Option<&'a RawValue>,
    /// What came back, for changes only.
    #[serde(borrow, default)]
    pub response_elements: Option<&'a RawValue>,
    /// `MFAUsed` of a sign-in, among others.
    #[serde(borrow, default)]
    pub additional_event_data: Option<&'a RawValue>,
    /// Details of a service event.
    #[serde(borrow, default)]
    pub service_event_details: Option<&'a RawValue>,
    /// Tags and condition keys of the request, since version 1.11.
    #[serde(borrow, default)]
    pub event_context: Option<&'a RawValue>,
    /// What an Insights event is about.
    #[serde(borrow, default)]
    pub insight_details: Option<&'a RawValue>,
    /// `[{type, ARN, accountId}]`.
    #[serde(borrow, default)]
    pub resources: Option<&'a RawValue>,
    /// Why a record came late or again.
    #[serde(borrow, default)]
    pub addendum: Option<&'a RawValue>,
    /// Window of an aggregated record.
    #[serde(borrow, default)]
    time_window: Option<&'a RawValue>,
    /// `userIdentity.accountId`, read only when the record names no account of its own.
    #[serde(skip)]
    identity_account: Text<'a>,
}

/// Why a text is not a trail record.
#[derive(Debug, thiserror::Error)]
pub enum TrailError {
    /// Bytes that are no text.
    #[error("not UTF-8: {0}")]
    Encoding(#[from] std::str::Utf8Error),
    /// Not JSON, or a field of the wrong shape.
    #[error("not a CloudTrail record: {0}")]
    Json(#[from] serde_json::Error),
    /// Neither `eventTime` nor `timeWindow.windowStart`, or not a time.
    #[error("no usable time: eventTime is \"{0}\" (an ISO 8601 time is needed)")]
    Time(String),
    /// None of the fields that make a trail record.
    #[error("not a CloudTrail record: no eventID, eventName, eventSource or eventType")]
    Foreign,
    /// Fields of the same names, written by another service: an S3 notification, among others.
    #[error(
        "not a CloudTrail record: eventSource \"{source_name}\", eventVersion \"{version}\" (a record has an eventID or an \
         eventVersion of 1.x, and no eventSource of aws:…)"
    )]
    Notification {
        /// `eventSource` as written.
        source_name: String,
        /// `eventVersion` as written.
        version: String,
    },
}

/// `addendum`: why a record came late, or repeats an earlier one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Addendum<'a> {
    /// `DELIVERY_DELAY`, `UPDATED_DATA` or `SERVICE_OUTAGE`.
    #[serde(borrow, default)]
    pub reason: Text<'a>,
    /// The record that an `UPDATED_DATA` record repeats.
    #[serde(rename = "originalEventID", borrow, default)]
    pub original_event_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    #[serde(borrow, default)]
    account_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TimeWindow<'a> {
    #[serde(borrow, default)]
    window_start: Text<'a>,
}

impl<'a> Trail<'a> {
    /// Reads one record.
    ///
    /// # Errors
    /// [`TrailError`] says what is wrong; the record is then unreadable, alone.
    pub fn parse(raw: &'a [u8]) -> Result<Self, TrailError> {
        // Checked whole, unknown fields too: the raw record travels on, and one bad byte would cost a whole request.
        let raw = std::str::from_utf8(raw)?;
        let mut trail: Self = serde_json::from_str(raw)?;
        trail.raw = raw;
        if trail.event_id.is_empty()
            && trail.event_name.is_empty()
            && trail.event_source.is_empty()
            && trail.event_type.is_empty()
        {
            return Err(TrailError::Foreign);
        }
        let is_unversioned = !trail.event_version.or_empty().starts_with("1.");
        if trail.event_source.or_empty().starts_with("aws:") || (trail.event_id.is_empty() && is_unversioned) {
            return Err(TrailError::Notification {
                source_name: trail.event_source.or_empty().to_owned(),
                version: trail.event_version.or_empty().to_owned(),
            });
        }
        trail.time_ms = match trail.event_time.get() {
            Some(text) => time::parse_ms(text).ok_or_else(|| TrailError::Time(text.to_owned()))?,
            None => trail.window_start_ms().ok_or_else(|| TrailError::Time(String::new()))?,
        };
        if trail.recipient_account_id.is_empty() && trail.account_id.is_empty() {
            let identity = trail.user_identity.and_then(|raw| serde_json::from_str::<Identity<'_>>(raw.get()).ok());
            // Words stand here too, `ANONYMOUS_PRINCIPAL` among them.
            trail.identity_account =
                identity.map(|identity| identity.account_id).filter(|id| is_account_id(id.or_empty())).unwrap_or_default();
        }
        Ok(trail)
    }

    /// The account the record belongs to: `recipientAccountId`, else the aggregated record's own, else the caller's.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        let named = [&self.recipient_account_id, &self.account_id, &self.identity_account];
        named.into_iter().filter_map(Text::get).find(|id| !id.is_empty())
    }

    /// Whether AWS says the call changed nothing. Absent counts as a change: better one record too many.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only.get() == Some("true")
    }

    /// Why the record came late or again, if it says.
    #[must_use]
    pub fn addendum(&self) -> Option<Addendum<'a>> {
        self.addendum.and_then(|raw| serde_json::from_str(raw.get()).ok())
    }

    fn window_start_ms(&self) -> Option<i64> {
        let window: TimeWindow<'_> = serde_json::from_str(self.time_window?.get()).ok()?;
        time::parse_ms(window.window_start.get()?)
    }
}

/// Whether a text is an account's id: twelve digits.
#[must_use]
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_with_its_nested_parts_raw() {
        let raw = br#"{"eventVersion":"1.11","userIdentity":{"type":"Root"},"eventTime":"2026-11-21T20:14:31Z","eventSource":"s3.amazonaws.com","eventName":"PutBucketPolicy","awsRegion":"eu-west-1","requestParameters":null,"eventID":"e1","readOnly":false,"recipientAccountId":"111122223333","somethingNew":{"a":[1]}}"#;
        let trail = Trail::parse(raw).expect("a record");
        assert_eq!(trail.event_name.get(), Some("PutBucketPolicy"));
        assert_eq!(trail.user_identity.map(RawValue::get), Some(r#"{"type":"Root"}"#));
        assert!(trail.request_parameters.is_none());
        assert_eq!(trail.account(), Some("111122223333"));
        assert!(!trail.is_read_only());
        assert_eq!(trail.time_ms, 1_795_292_071_000);
    }

    #[test]
    fn aggregated_and_insight_records_are_records() {
        let aggregated = br#"{"eventVersion":"1.0","accountId":"111122223333","eventId":"a1","eventCategory":"Aggregated","eventType":"AwsAggregatedEvent","timeWindow":{"windowStart":"2026-11-21T20:10:00Z"},"summary":{}}"#;
        let trail = Trail::parse(aggregated).expect("aggregated");
        assert_eq!((trail.event_id.get(), trail.account()), (Some("a1"), Some("111122223333")));
        let insight = br#"{"eventVersion":"1.08","eventTime":"2026-11-21T20:10:00Z","eventID":"i1","eventType":"AwsCloudTrailInsight","insightDetails":{"state":"Start"}}"#;
        assert!(Trail::parse(insight).expect("insight").insight_details.is_some());
    }

    #[test]
    fn the_account_is_the_records_own_or_else_the_callers() {
        for (name, fields, want) in [
            ("own", r#""recipientAccountId":"111122223333","userIdentity":{"accountId":"444455556666"}"#, Some("111122223333")),
            ("caller's", r#""userIdentity":{"type":"Root","accountId":"444455556666"}"#, Some("444455556666")),
            ("own is empty", r#""recipientAccountId":"","userIdentity":{"accountId":"444455556666"}"#, Some("444455556666")),
            ("a word", r#""userIdentity":{"type":"AWSAccount","accountId":"ANONYMOUS_PRINCIPAL"}"#, None),
            ("no identity", r#""userIdentity":null"#, None),
            ("odd identity", r#""userIdentity":["444455556666",{}]"#, None),
            ("a service", r#""userIdentity":{"invokedBy":"kms.amazonaws.com"}"#, None),
        ] {
            let raw = format!(r#"{{"eventVersion":"1.08","eventID":"e","eventTime":"2026-11-21T20:14:31Z",{fields}}}"#);
            assert_eq!(Trail::parse(raw.as_bytes()).unwrap().account(), want, "{name}");
        }
    }

    #[test]
    fn what_is_no_record_says_why() {
        let why = |raw: &[u8]| Trail::parse(raw).map(|_| ()).expect_err("an error").to_string();
        assert!(why(b"{\"eventID\":\"x\"").starts_with("not a CloudTrail record: EOF"));
        assert_eq!(
            why(br#"{"eventID":"x","eventTime":"soon"}"#),
            "no usable time: eventTime is \"soon\" (an ISO 8601 time is needed)"
        );
        assert!(why(br#"{"a":1}"#).contains("no eventID"));
        let notification = r#""eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put","eventTime":"2026-11-21T20:20:05.118Z""#;
        for (name, raw) in [
            ("an S3 notification", format!("{{{notification}}}")),
            ("one with an id", format!(r#"{{{notification},"eventID":"x"}}"#)),
            ("neither id nor version", r#"{"eventName":"Put","eventTime":"2026-11-21T20:20:05Z"}"#.to_owned()),
        ] {
            assert!(why(raw.as_bytes()).starts_with("not a CloudTrail record: eventSource \""), "{name}");
        }
        let old = br#"{"eventVersion":"1.0","eventName":"Put","eventTime":"2013-11-21T20:20:05Z"}"#;
        assert!(Trail::parse(old).is_ok(), "eventID is there since 1.01 only");
        assert!(why(b"{\"eventID\":\"x\",\"other\":\"\xff\"}").starts_with("not UTF-8"));
    }
}
