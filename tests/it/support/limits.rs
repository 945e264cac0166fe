//! New Relic's limits, typed a second time from New Relic's pages and used by nothing but tests: a mistake in
//! `encode::limits`, which the agent and the stand-in share, shows here.

/// Body of one POST to the Event API, bytes. "1MB (10^6 bytes) maximum per POST" (Event API page).
pub(crate) const EVENT_BODY_BYTES: usize = 1_000_000;

/// Body of one POST to the Log API, bytes. "1MB (10^6 bytes) maximum per POST" (Log API page).
pub(crate) const LOG_BODY_BYTES: usize = 1_000_000;

/// Events in one POST. Named in an older copy of the Event API page only.
pub(crate) const EVENTS_PER_BODY: usize = 2_000;

/// Attributes of one event (Event API page; the limits page says 254 beside the default ones).
pub(crate) const EVENT_ATTRIBUTES: usize = 255;

/// Attributes of one log (Log API page).
pub(crate) const LOG_ATTRIBUTES: usize = 255;

/// Attribute name, bytes (page on the requirements of custom events).
pub(crate) const EVENT_NAME_BYTES: usize = 255;

/// Attribute value of an event, characters; one more and the event is rejected (Event API page).
pub(crate) const EVENT_VALUE_CHARS: usize = 4_096;

/// Part of a log attribute that can be searched, characters (page on long logs).
pub(crate) const LOG_VALUE_CHARS_SEARCHABLE: usize = 4_094;

/// Part of a log attribute kept as a blob after that, bytes of UTF-8 (page on long logs).
pub(crate) const LOG_VALUE_BLOB_BYTES: usize = 128_000;

/// How far an event's timestamp may be from the server's time, milliseconds: 24 hours either side.
pub(crate) const EVENT_WINDOW_MS: i64 = 86_400_000;

/// Age after which a log may be dropped, milliseconds: 48 hours.
pub(crate) const LOG_WINDOW_MS: i64 = 172_800_000;

/// Body of one OTLP request, bytes: "1MB (10^6 bytes)" (OTLP page).
pub(crate) const OTLP_BODY_BYTES: usize = 1_000_000;

/// Age after which a metric's point is dropped, and how far before the server's time it may be, milliseconds: 48 and 24 hours
/// (page on the Metric API's limits).
pub(crate) const METRIC_WINDOW_MS: [i64; 2] = [172_800_000, 86_400_000];

/// Series of one metric in a day (page on the Metric API's limits).
pub(crate) const METRIC_SERIES: usize = 100_000;

/// Attributes of a point: 150 (page on the Metric API's limits), 100 in an older copy.
pub(crate) const METRIC_ATTRIBUTES: usize = 100;

/// Text and list of an OTLP attribute: characters, entries (OTLP page).
pub(crate) const OTLP_ATTRIBUTE: [usize; 2] = [4_095, 64];

/// Time the server takes for one Event API call, milliseconds: 10 seconds.
pub(crate) const SERVER_TIMEOUT_MS: u64 = 10_000;

/// Attribute names that the Event API drops (`appId` unless it is an integer).
pub(crate) const EVENT_NAMES_DROPPED: [&str; 2] = ["accountId", "appId"];

/// Attribute names that the Log API drops.
pub(crate) const LOG_NAMES_DROPPED: [&str; 2] = ["accountId", "eventType"];

/// Names of New Relic's own.
pub(crate) const RESERVED_PREFIX: &str = "entity.";
