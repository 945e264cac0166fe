//! One change of state: an AWS Config rule judged a resource, and not as before.
//!
//! In: the raw JSON text of a `ComplianceChangeNotification`, which is the `detail` of EventBridge's `Config Rules Compliance
//! Change`. Out: its fields, borrowed; and [`StateChange`], the same change in plain fields, whoever told it. What always holds:
//! it has a rule, a resource and a time; an unknown state never fails; a notification without a new result is a resource or rule
//! that left; a change has one id, whether an event or the API told it. [AWS Config: sample events, checked 2026-11]

use serde::Deserialize;

use super::id::digest_id;
use super::text::Text;
use super::time;

/// The state of what is judged no more: the resource or the rule was deleted.
pub const LEFT: &str = "LEFT";

/// The state before the first result.
pub const NONE: &str = "NONE";

/// The state that violates.
pub const NON_COMPLIANT: &str = "NON_COMPLIANT";

/// A change of state of one resource under one rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComplianceChange<'a> {
    /// The resource's account; not the envelope's, which may be a delegated administrator's.
    #[serde(borrow, default)]
    pub aws_account_id: Text<'a>,
    /// Region of the rule.
    #[serde(borrow, default)]
    pub aws_region: Text<'a>,
    /// Name of the rule as deployed: a conformance pack and Security Hub add to it.
    #[serde(borrow, default)]
    pub config_rule_name: Text<'a>,
    /// Names the deployed rule exactly.
    #[serde(rename = "configRuleARN", borrow, default)]
    pub config_rule_arn: Text<'a>,
    /// `AWS::S3::Bucket`
    #[serde(borrow, default)]
    pub resource_type: Text<'a>,
    /// As Config names it: a name, an id or an ARN, by type.
    #[serde(borrow, default)]
    pub resource_id: Text<'a>,
    #[serde(borrow, default)]
    message_type: Text<'a>,
    #[serde(borrow, default)]
    notification_creation_time: Text<'a>,
    #[serde(borrow, default)]
    new_evaluation_result: Option<Evaluation<'a>>,
    #[serde(borrow, default)]
    old_evaluation_result: Option<Evaluation<'a>>,
    /// When the result was recorded, milliseconds since the epoch; of one that left, when that was told.
    #[serde(skip)]
    pub time_ms: i64,
}

/// A result.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Evaluation<'a> {
    #[serde(borrow, default)]
    compliance_type: Text<'a>,
    #[serde(borrow, default)]
    result_recorded_time: Text<'a>,
    #[serde(borrow, default)]
    annotation: Text<'a>,
}

/// A change of state in plain fields: what an event told, or what reading the API found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateChange<'a> {
    /// The resource's account.
    pub account: &'a str,
    /// Region of the rule; empty where nobody says.
    pub region: &'a str,
    /// Deployed name of the rule.
    pub rule: &'a str,
    /// Its ARN; empty where nobody says.
    pub rule_arn: &'a str,
    /// As `AWS::S3::Bucket`.
    pub resource_type: &'a str,
    /// As AWS Config names it.
    pub resource_id: &'a str,
    /// The state now: a word of AWS Config's, or [`LEFT`].
    pub state: &'a str,
    /// The state before, where AWS says it.
    pub previous: Option<&'a str>,
    /// When it was recorded, milliseconds since the epoch; of what left, when that was told.
    pub at_ms: i64,
    /// Why, in the rule's words.
    pub annotation: Option<&'a str>,
}

impl StateChange<'_> {
    /// `event.id`: rule, resource, time and state, so that what is told twice, by an event and by reading the API, has one.
    #[must_use]
    pub fn event_id(&self) -> String {
        let rule = if self.rule_arn.is_empty() { self.rule } else { self.rule_arn };
        let at_ms = self.at_ms.to_string();
        let parts = [self.account, self.region, rule, self.resource_type, self.resource_id, &at_ms, self.state];
        digest_id(&parts.map(str::as_bytes))
    }

    /// The resource's ARN, where Config names it by one.
    #[must_use]
    pub fn resource_arn(&self) -> Option<&str> {
        self.resource_id.starts_with("arn:").then_some(self.resource_id)
    }
}

/// Why a text is no change of state.
#[derive(Debug, thiserror::Error)]
pub enum ComplianceError {
    /// Bytes that are no text.
    #[error("not UTF-8: {0}")]
    Encoding(#[from] std::str::Utf8Error),
    /// Not JSON, or a field of the wrong shape.
    #[error("not a compliance change of AWS Config: {0}")]
    Json(#[from] serde_json::Error),
    /// Another message of AWS Config.
    #[error("messageType is \"{0}\" (ComplianceChangeNotification is needed)")]
    Kind(String),
    /// A change of nothing.
    #[error("not a compliance change of AWS Config: {0} is missing")]
    Missing(&'static str),
    /// Neither the result nor the notification has a time.
    #[error(
        "no usable time: resultRecordedTime is \"{result}\", notificationCreationTime is \"{told}\" (an ISO 8601 time is needed)"
    )]
    Time {
        /// As written.
        result: String,
        /// As written.
        told: String,
    },
}

impl<'a> ComplianceChange<'a> {
    /// Reads one notification.
    ///
    /// # Errors
    /// [`ComplianceError`] says what is wrong; the record is then unreadable, alone.
    pub fn parse(raw: &'a [u8]) -> Result<Self, ComplianceError> {
        let mut change: Self = serde_json::from_str(std::str::from_utf8(raw)?)?;
        if let Some(kind) = change.message_type.get().filter(|kind| *kind != "ComplianceChangeNotification") {
            return Err(ComplianceError::Kind(kind.to_owned()));
        }
        for (name, field) in [
            ("configRuleName", &change.config_rule_name),
            ("resourceType", &change.resource_type),
            ("resourceId", &change.resource_id),
        ] {
            if field.is_empty() {
                return Err(ComplianceError::Missing(name));
            }
        }
        let told = change.notification_creation_time.or_empty();
        let result = change.new_evaluation_result.as_ref().map_or("", |new| new.result_recorded_time.or_empty());
        change.time_ms = time::parse_ms(result)
            .or_else(|| time::parse_ms(told))
            .ok_or_else(|| ComplianceError::Time { result: result.to_owned(), told: told.to_owned() })?;
        Ok(change)
    }

    /// The state it is in now: a word of AWS Config's, or [`LEFT`].
    #[must_use]
    pub fn state(&self) -> &str {
        state_of(self.new_evaluation_result.as_ref()).unwrap_or(LEFT)
    }

    /// The state it was in before: a word of AWS Config's, or [`NONE`].
    #[must_use]
    pub fn previous_state(&self) -> &str {
        state_of(self.old_evaluation_result.as_ref()).unwrap_or(NONE)
    }

    /// Why, in the rule's words.
    #[must_use]
    pub fn annotation(&self) -> Option<&str> {
        self.new_evaluation_result.as_ref()?.annotation.get()
    }

    /// The change in plain fields, of a resource in this account.
    #[must_use]
    pub fn plain<'c>(&'c self, account: &'c str) -> StateChange<'c> {
        StateChange {
            account,
            region: self.aws_region.or_empty(),
            rule: self.config_rule_name.or_empty(),
            rule_arn: self.config_rule_arn.or_empty(),
            resource_type: self.resource_type.or_empty(),
            resource_id: self.resource_id.or_empty(),
            state: self.state(),
            previous: state_of(self.old_evaluation_result.as_ref()),
            at_ms: self.time_ms,
            annotation: self.annotation(),
        }
    }
}

fn state_of<'e>(result: Option<&'e Evaluation<'_>>) -> Option<&'e str> {
    result?.compliance_type.get().filter(|state| !state.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGE: &str = include_str!("../../tests/fixtures/eventbridge/config-compliance-change.json");

    fn detail() -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(CHANGE).expect("JSON")["detail"].clone()
    }

    #[test]
    fn a_notification_is_read_with_its_states_and_the_time_of_its_result() {
        let raw = detail().to_string();
        let change = ComplianceChange::parse(raw.as_bytes()).expect("a change");
        assert_eq!(change.config_rule_name.get(), Some("s3-bucket-public-read-prohibited"));
        assert_eq!((change.previous_state(), change.state()), ("COMPLIANT", NON_COMPLIANT));
        assert_eq!(change.annotation(), Some("public ACL"));
        assert_eq!(change.time_ms, 1_795_293_001_000, "when the result was recorded");
        assert_eq!(change.plain("111122223333").resource_arn(), None);
    }

    #[test]
    fn what_is_missing_is_said_in_the_states() {
        let state = |edit: fn(&mut serde_json::Value)| {
            let mut detail = detail();
            edit(&mut detail);
            let raw = detail.to_string();
            let change = ComplianceChange::parse(raw.as_bytes()).expect("a change");
            (change.previous_state().to_owned(), change.state().to_owned(), change.time_ms)
        };
        let words = |previous: &str, now: &str| (previous.to_owned(), now.to_owned(), 1_795_293_001_000);
        assert_eq!(state(|detail| detail["oldEvaluationResult"] = serde_json::Value::Null), words(NONE, NON_COMPLIANT));
        assert_eq!(
            state(|detail| drop(detail.as_object_mut().and_then(|map| map.remove("oldEvaluationResult")))),
            words(NONE, NON_COMPLIANT)
        );
        let left = state(|detail| detail["newEvaluationResult"] = serde_json::Value::Null);
        assert_eq!(left, ("COMPLIANT".to_owned(), LEFT.to_owned(), 1_795_293_002_120), "told at the notification's time");
        assert_eq!(
            state(|detail| detail["oldEvaluationResult"]["complianceType"] = NON_COMPLIANT.into()),
            words(NON_COMPLIANT, NON_COMPLIANT)
        );
        assert_eq!(
            state(|detail| detail["newEvaluationResult"]["complianceType"] = "SOMETHING_NEW".into()),
            words("COMPLIANT", "SOMETHING_NEW")
        );
    }

    #[test]
    fn what_is_no_change_says_why() {
        for (edit, why) in [
            (
                (|detail| detail["messageType"] = "ConfigRulesEvaluationStarted".into()) as fn(&mut serde_json::Value),
                "messageType is \"ConfigRulesEvaluationStarted\" (ComplianceChangeNotification is needed)",
            ),
            (|detail| detail["configRuleName"] = "".into(), "not a compliance change of AWS Config: configRuleName is missing"),
            (
                |detail| detail["resourceId"] = serde_json::Value::Null,
                "not a compliance change of AWS Config: resourceId is missing",
            ),
            (
                |detail| {
                    detail["newEvaluationResult"]["resultRecordedTime"] = "soon".into();
                    detail["notificationCreationTime"] = "later".into();
                },
                "no usable time: resultRecordedTime is \"soon\", notificationCreationTime is \"later\" (an ISO 8601 time is needed)",
            ),
        ] {
            let mut detail = detail();
            edit(&mut detail);
            let raw = detail.to_string();
            assert_eq!(ComplianceChange::parse(raw.as_bytes()).map(|_| ()).expect_err("an error").to_string(), why);
        }
        assert!(ComplianceChange::parse(b"{\"configRuleName\":").is_err());
        assert!(ComplianceChange::parse(b"{\"configRuleName\":\"\xff\"}").is_err());
    }

    #[test]
    fn an_id_names_rule_resource_time_and_state() {
        let raw = detail().to_string();
        let id = |raw: &str| ComplianceChange::parse(raw.as_bytes()).expect("a change").plain("111122223333").event_id();
        assert_eq!(id(&raw), id(&raw));
        for (name, other) in [
            ("rule", raw.replace("config-rule-abc123", "config-rule-abc124")),
            ("resource", raw.replace("\"resourceId\":\"ledger\"", "\"resourceId\":\"ledger2\"")),
            ("time", raw.replace("20:30:01.000Z", "20:30:01.001Z")),
            ("Region", raw.replace("\"awsRegion\":\"eu-west-1\"", "\"awsRegion\":\"eu-west-2\"")),
        ] {
            assert_ne!(other, raw, "{name}");
            assert_ne!(id(&raw), id(&other), "{name}");
        }
        assert_ne!(id(&raw), ComplianceChange::parse(raw.as_bytes()).expect("a change").plain("444455556666").event_id());
    }
}
