//! One configuration item: AWS Config saw a resource that is not as before.
//!
//! In: the raw JSON text of a notification (`ConfigurationItemChangeNotification`, or the oversized one, which carries a summary
//! and where the rest is), or of a bare item as Config's history files hold it. Out: its fields, borrowed. What always holds: it
//! has a resource and a time; an unknown status or type never fails; what changed stays raw JSON text until somebody asks.
//! [AWS Config: example notifications, components of a configuration item, checked 2026-11]

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::id::digest_id;
use super::text::Text;
use super::time;

/// Notification with the whole item.
const WHOLE: &str = "ConfigurationItemChangeNotification";

/// Notification with a summary of an item that is too long for it.
const OVERSIZED: &str = "OversizedConfigurationItemChangeNotification";

/// Type of the items in which Config keeps the results of its own rules.
const COMPLIANCE: &str = "AWS::Config::ResourceCompliance";

/// What a resource went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeType {
    /// It is new, or new to AWS Config.
    Create,
    /// It is not as before.
    Update,
    /// It is no more.
    Delete,
    /// A bare item does not tell whether it is the first of its resource.
    Unknown,
}

impl ChangeType {
    /// As it is sent: AWS Config's word, or `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Unknown => "unknown",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Delete].into_iter().find(|change| change.as_str() == word)
    }
}

/// A configuration item and what changed in it.
#[derive(Debug, Clone)]
pub struct ConfigItem<'a> {
    /// The resource's account; not the envelope's.
    pub account: Text<'a>,
    /// Region of the resource, or `global`.
    pub region: Text<'a>,
    /// `AWS::S3::Bucket`
    pub resource_type: Text<'a>,
    /// As Config names it: a name, an id or an ARN, by type.
    pub resource_id: Text<'a>,
    /// The name, of a type that has names beside ids.
    pub resource_name: Text<'a>,
    /// The ARN, if there is one.
    pub arn: Text<'a>,
    /// `OK`, `ResourceDiscovered`, `ResourceDeleted`, `ResourceNotRecorded`, …
    pub status: Text<'a>,
    /// Tells items of one moment apart.
    pub state_id: Text<'a>,
    /// The resource's tags; a summary has none.
    pub tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Event ids of the trail records behind it, where AWS Config names them.
    pub related_events: Vec<Cow<'a, str>>,
    /// What changed; `None`: the item does not tell.
    pub changed: Option<Vec<Property<'a>>>,
    /// What it went through.
    pub change: ChangeType,
    /// Only the summary of an oversized item is known.
    pub is_summary: bool,
    /// No notification stands around it, as in a history file.
    pub is_bare: bool,
    /// When AWS Config captured it, milliseconds since the epoch.
    pub time_ms: i64,
}

/// One changed property.
#[derive(Debug, Clone)]
pub struct Property<'a> {
    /// `Configuration.IpPermissions.0`
    pub path: Cow<'a, str>,
    /// What it was; `None`: nothing.
    pub before: Option<&'a RawValue>,
    /// What it is; `None`: nothing.
    pub after: Option<&'a RawValue>,
}

/// Why a text is no configuration item.
#[derive(Debug, thiserror::Error)]
pub enum ConfigItemError {
    /// Bytes that are no text.
    #[error("not UTF-8: {0}")]
    Encoding(#[from] std::str::Utf8Error),
    /// Not JSON, or a field of the wrong shape.
    #[error("not a configuration item of AWS Config: {0}")]
    Json(#[from] serde_json::Error),
    /// Another message of AWS Config.
    #[error("messageType is \"{0}\" ({WHOLE} or {OVERSIZED} is needed)")]
    Kind(String),
    /// An item of nothing.
    #[error("not a configuration item of AWS Config: {0} is missing")]
    Missing(&'static str),
    /// Neither the item nor the notification has a time.
    #[error(
        "no usable time: configurationItemCaptureTime is \"{captured}\", notificationCreationTime is \"{told}\" (an ISO 8601 time is \
         needed)"
    )]
    Time {
        /// As written.
        captured: String,
        /// As written.
        told: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification<'a> {
    #[serde(borrow, default)]
    message_type: Text<'a>,
    #[serde(rename = "notificationCreationTime", borrow, default)]
    told: Text<'a>,
    #[serde(borrow, default)]
    configuration_item: Option<Item<'a>>,
    #[serde(borrow, default)]
    configuration_item_summary: Option<Item<'a>>,
    #[serde(borrow, default)]
    configuration_item_diff: Option<Diff<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(borrow, default)]
    change_type: Text<'a>,
    #[serde(rename = "awsAccountId", alias = "accountId", borrow, default)]
    account: Text<'a>,
    #[serde(borrow, default)]
    aws_region: Text<'a>,
    #[serde(borrow, default)]
    resource_type: Text<'a>,
    #[serde(borrow, default)]
    resource_id: Text<'a>,
    #[serde(borrow, default)]
    resource_name: Text<'a>,
    #[serde(rename = "ARN", alias = "arn", borrow, default)]
    arn: Text<'a>,
    #[serde(borrow, default)]
    configuration_item_status: Text<'a>,
    #[serde(rename = "configurationStateId", alias = "configurationStateID", borrow, default)]
    state_id: Text<'a>,
    #[serde(borrow, default)]
    configuration_item_capture_time: Text<'a>,
    #[serde(borrow, default)]
    tags: Option<&'a RawValue>,
    #[serde(borrow, default)]
    related_events: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Diff<'a> {
    #[serde(borrow, default)]
    change_type: Text<'a>,
    #[serde(borrow, default)]
    changed_properties: Option<Pairs<'a, Values<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Values<'a> {
    #[serde(borrow, default)]
    previous_value: Option<&'a RawValue>,
    #[serde(borrow, default)]
    updated_value: Option<&'a RawValue>,
}

impl<'a> ConfigItem<'a> {
    /// Reads one notification or one bare item.
    ///
    /// # Errors
    /// [`ConfigItemError`] says what is wrong; the record is then unreadable, alone.
    pub fn parse(raw: &'a [u8]) -> Result<Self, ConfigItemError> {
        let raw = std::str::from_utf8(raw)?;
        let notification: Notification<'a> = serde_json::from_str(raw)?;
        if let Some(kind) = notification.message_type.get().filter(|kind| *kind != WHOLE && *kind != OVERSIZED) {
            return Err(ConfigItemError::Kind(kind.to_owned()));
        }
        let is_told = !notification.message_type.is_empty();
        let (item, is_summary) = match (notification.configuration_item, notification.configuration_item_summary) {
            (Some(item), _) => (item, false),
            (None, Some(summary)) => (summary, true),
            (None, None) if is_told => return Err(ConfigItemError::Missing("configurationItem")),
            (None, None) => (serde_json::from_str(raw)?, false),
        };
        for (name, field) in [("resourceType", &item.resource_type), ("resourceId", &item.resource_id)] {
            if field.is_empty() {
                return Err(ConfigItemError::Missing(name));
            }
        }
        let (captured, told) = (item.configuration_item_capture_time.or_empty(), notification.told.or_empty());
        let time_ms = time::parse_ms(captured)
            .or_else(|| time::parse_ms(told))
            .ok_or_else(|| ConfigItemError::Time { captured: captured.to_owned(), told: told.to_owned() })?;
        let (diff_says, changed) = match notification.configuration_item_diff {
            Some(diff) => {
                let properties = diff.changed_properties.map(|Pairs(pairs)| pairs.into_iter().map(Property::of).collect());
                (diff.change_type, properties)
            }
            None => (Text::default(), None),
        };
        let change = ChangeType::of(diff_says.or_empty())
            .or_else(|| ChangeType::of(item.change_type.or_empty()))
            .unwrap_or_else(|| by_status(item.configuration_item_status.or_empty()));
        Ok(Self {
            account: item.account,
            region: item.aws_region,
            resource_type: item.resource_type,
            resource_id: item.resource_id,
            resource_name: item.resource_name,
            arn: item.arn,
            status: item.configuration_item_status,
            state_id: item.state_id,
            tags: item.tags.map(tags).unwrap_or_default(),
            related_events: item
                .related_events
                .and_then(|raw| serde_json::from_str(raw.get()).ok())
                .map(texts)
                .unwrap_or_default(),
            changed,
            change,
            is_summary,
            is_bare: !is_told,
            time_ms,
        })
    }

    /// `event.id`: resource, time and state, so that what is told twice has one, as have an oversized item and its summary.
    #[must_use]
    pub fn event_id(&self, account: &str) -> String {
        let parts = [
            account,
            self.region.or_empty(),
            self.resource_type.or_empty(),
            self.resource_id.or_empty(),
            &self.time_ms.to_string(),
            self.state_id.or_empty(),
        ];
        digest_id(&parts.map(str::as_bytes))
    }

    /// Whether it is the result of a rule, which also comes as a change of compliance.
    #[must_use]
    pub fn is_compliance(&self) -> bool {
        self.resource_type.get() == Some(COMPLIANCE)
    }
}

impl<'a> Property<'a> {
    fn of((path, values): (Cow<'a, str>, Values<'a>)) -> Self {
        Self { path, before: values.previous_value, after: values.updated_value }
    }
}

fn by_status(status: &str) -> ChangeType {
    match status {
        "ResourceDiscovered" => ChangeType::Create,
        "ResourceDeleted" | "ResourceDeletedNotRecorded" => ChangeType::Delete,
        _ => ChangeType::Unknown,
    }
}

fn texts(list: Vec<Text<'_>>) -> Vec<Cow<'_, str>> {
    list.into_iter().filter_map(Text::into_cow).filter(|text| !text.is_empty()).collect()
}

/// A map of names and values, or a list of `{key, value}`; tags of another shape are none.
fn tags(raw: &RawValue) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    #[derive(Deserialize)]
    struct Tag<'a> {
        #[serde(alias = "Key", borrow, default)]
        key: Text<'a>,
        #[serde(alias = "Value", borrow, default)]
        value: Text<'a>,
    }
    if let Ok(Pairs(pairs)) = serde_json::from_str::<Pairs<'_, Text<'_>>>(raw.get()) {
        return pairs.into_iter().map(|(key, value)| (key, value.into_cow().unwrap_or_default())).collect();
    }
    let list: Vec<Tag<'_>> = serde_json::from_str(raw.get()).unwrap_or_default();
    let tag = |Tag { key, value }| Some((Text::into_cow(key)?, Text::into_cow(value).unwrap_or_default()));
    list.into_iter().filter_map(tag).collect()
}

/// A map in the order in which it is written.
struct Pairs<'a, T>(Vec<(Cow<'a, str>, T)>);

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Pairs<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<'a, T>(std::marker::PhantomData<(&'a (), T)>);
        impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for InOrder<'a, T> {
            type Value = Pairs<'a, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut pairs = Vec::new();
                while let Some((key, value)) = map.next_entry::<Text<'a>, T>()? {
                    pairs.push((key.into_cow().unwrap_or_default(), value));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(InOrder(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGE: &str = include_str!("../../tests/fixtures/eventbridge/config-item-change.json");
    const SUMMARY: &str = include_str!("../../tests/fixtures/eventbridge/config-item-change-oversized.json");

    fn detail(event: &str) -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(event).expect("JSON")["detail"].clone()
    }

    #[test]
    fn a_notification_is_read_with_what_changed() {
        let raw = detail(CHANGE).to_string();
        let item = ConfigItem::parse(raw.as_bytes()).expect("an item");
        assert_eq!((item.resource_type.get(), item.resource_id.get()), (Some("AWS::S3::Bucket"), Some("ledger")));
        assert_eq!((item.change, item.is_summary, item.time_ms), (ChangeType::Update, false, 1_795_292_910_114));
        assert_eq!(item.tags, [("owner".into(), "billing".into())]);
        let changed = item.changed.expect("a diff");
        assert_eq!(changed[0].path, "SupplementaryConfiguration.PublicAccessBlockConfiguration");
        assert_eq!(changed[0].before.map(RawValue::get), Some(r#"{"blockPublicAcls":true}"#));
        assert!(changed[0].after.is_none());
    }

    #[test]
    fn an_oversized_notification_is_read_from_its_summary() {
        let raw = detail(SUMMARY).to_string();
        let item = ConfigItem::parse(raw.as_bytes()).expect("an item");
        assert_eq!((item.resource_name.get(), item.change, item.is_summary), (Some("deploy"), ChangeType::Update, true));
        assert!(item.changed.is_none() && item.tags.is_empty());
    }

    #[test]
    fn a_bare_item_of_a_history_file_is_read() {
        let mut bare = detail(CHANGE)["configurationItem"].clone();
        let change = |bare: &serde_json::Value| {
            let raw = bare.to_string();
            let item = ConfigItem::parse(raw.as_bytes()).expect("an item");
            (item.change, item.changed.is_none())
        };
        assert_eq!(change(&bare), (ChangeType::Unknown, true));
        bare["configurationItemStatus"] = "ResourceDiscovered".into();
        assert_eq!(change(&bare), (ChangeType::Create, true));
        bare["configurationItemStatus"] = "ResourceDeleted".into();
        bare["tags"] = serde_json::json!([{"key": "a", "value": "b"}, {"Key": "c"}]);
        bare["relatedEvents"] = serde_json::json!(["e1", ""]);
        assert_eq!(change(&bare), (ChangeType::Delete, true));
        let raw = bare.to_string();
        let item = ConfigItem::parse(raw.as_bytes()).expect("an item");
        assert_eq!(item.tags, [("a".into(), "b".into()), ("c".into(), "".into())]);
        assert_eq!(item.related_events, ["e1"]);
    }

    #[test]
    fn what_is_no_item_says_why() {
        for (edit, why) in [
            (
                (|detail| detail["messageType"] = "ConfigurationHistoryDeliveryCompleted".into()) as fn(&mut serde_json::Value),
                "messageType is \"ConfigurationHistoryDeliveryCompleted\" (ConfigurationItemChangeNotification or \
                 OversizedConfigurationItemChangeNotification is needed)",
            ),
            (
                |detail| detail["configurationItem"] = serde_json::Value::Null,
                "not a configuration item of AWS Config: configurationItem is missing",
            ),
            (
                |detail| detail["configurationItem"]["resourceId"] = "".into(),
                "not a configuration item of AWS Config: resourceId is missing",
            ),
            (
                |detail| {
                    detail["configurationItem"]["configurationItemCaptureTime"] = "soon".into();
                    detail["notificationCreationTime"] = "later".into();
                },
                "no usable time: configurationItemCaptureTime is \"soon\", notificationCreationTime is \"later\" (an ISO 8601 time \
                 is needed)",
            ),
        ] {
            let mut detail = detail(CHANGE);
            edit(&mut detail);
            let raw = detail.to_string();
            assert_eq!(ConfigItem::parse(raw.as_bytes()).map(|_| ()).expect_err("an error").to_string(), why);
        }
        assert!(ConfigItem::parse(b"{\"configurationItem\":").is_err());
        assert!(ConfigItem::parse(b"{\"resourceId\":\"\xff\"}").is_err());
        assert!(ConfigItem::parse(b"[]").is_err());
    }

    #[test]
    fn an_id_names_resource_time_and_state() {
        let raw = detail(CHANGE).to_string();
        let id = |raw: &str| ConfigItem::parse(raw.as_bytes()).expect("an item").event_id("111122223333");
        assert_eq!(id(&raw), id(&raw));
        for (name, from, to) in [
            ("resource", "\"resourceId\":\"ledger\"", "\"resourceId\":\"ledger2\""),
            ("time", "20:28:30.114Z", "20:28:30.115Z"),
            ("state", "1795292910114", "1795292910115"),
            ("Region", "\"awsRegion\":\"eu-west-1\"", "\"awsRegion\":\"eu-west-2\""),
        ] {
            let other = raw.replace(from, to);
            assert_ne!(other, raw, "{name}");
            assert_ne!(id(&raw), id(&other), "{name}");
        }
    }
}
