//! New Relic's limits, in one place.
//!
//! Every number carries its unit and where it is written. The stand-in refuses by the same constants; a test holds its own
//! literal copy and sends limit and limit + 1, so that a shared mistake shows.

/// Largest body of one POST to the Event or Log API, bytes. Whether before or after packing is not documented, so both are
/// held. Event API and Log API pages, "1MB (10^6 bytes)", checked 2026-11.
pub const BODY_BYTES: usize = 1_000_000;

/// What we send at most, packed and unpacked: a margin under [`BODY_BYTES`].
pub const BODY_BYTES_SENT: usize = 950_000;

/// Most events in one POST. An older copy of the Event API page says 2,000, the current one names no number.
pub const EVENTS_PER_BODY: usize = 2_000;

/// Most attributes of one event that New Relic takes. Event API page: 255; the limits page says 254 with the defaults.
pub const ATTRIBUTES: usize = 254;

/// Most attributes of one event that we send.
pub const ATTRIBUTES_SENT: usize = 250;

/// Longest attribute name, bytes. Data requirements page: 255 bytes.
pub const NAME_BYTES: usize = 255;

/// Longest attribute value of an event, characters; a longer one has the whole event rejected. Event API page.
pub const EVENT_VALUE_CHARS: usize = 4_096;

/// Longest attribute value that we send, characters and also bytes of UTF-8: under the event, OTLP and log limits alike.
pub const VALUE_SENT: usize = 4_094;

/// Searchable part of a log attribute, characters; what follows goes to a blob. Long logs page.
pub const LOG_VALUE_CHARS: usize = 4_094;

/// What of a log attribute is kept at all, bytes: the searchable part and a blob of 128,000. Long logs page.
pub const LOG_VALUE_BYTES: usize = 4_094 + 128_000;

/// Oldest and newest `timestamp` of an event, milliseconds before and after the server's time. Data requirements page: 24 h.
pub const EVENT_WINDOW_MS: i64 = 24 * 3_600_000;

/// Oldest `timestamp` of a log, milliseconds before the server's time. Log API page: older than 48 h may be dropped.
pub const LOG_WINDOW_MS: i64 = 48 * 3_600_000;

/// Oldest `timestamp` of a metric's point, milliseconds before the server's time. Metric API limits page: older than 48 h is
/// dropped. OTLP points are of the same type.
pub const METRIC_WINDOW_MS: i64 = 48 * 3_600_000;

/// Newest `timestamp` of a metric's point, milliseconds after the server's time. Metric API limits page: 24 h.
pub const METRIC_FUTURE_MS: i64 = 24 * 3_600_000;

/// Most attributes of a metric's point. Metric API limits page: 150, an older copy 100.
pub const METRIC_ATTRIBUTES: usize = 100;

/// Most series of one metric in a day and account. Metric API limits page: 100,000.
pub const METRIC_SERIES: usize = 100_000;

/// Longest text of an OTLP attribute, characters; a longer one is cut and kept. OTLP page: 4,095.
pub const OTLP_VALUE_CHARS: usize = 4_095;

/// Longest list in an OTLP attribute; a longer one is left out. OTLP page: 64.
pub const OTLP_LIST: usize = 64;

/// Older records than this are sent with the present time and marked late, milliseconds: an hour inside the event window.
pub const LATE_MS: i64 = 23 * 3_600_000;

/// Beyond this age a batch that waits to be sent gets the present time, milliseconds: half of what is left of the window.
pub const RESTAMP_MS: i64 = LATE_MS + 30 * 60_000;

/// Time New Relic allows for one Event API call, milliseconds. Event API page: 10 s.
pub const SERVER_TIMEOUT_MS: u64 = 10_000;

/// Attribute names that the Event and Log APIs drop without a word.
pub const RESERVED_NAMES: [&str; 3] = ["accountId", "appId", "eventType"];

/// Largest CSV file of a lookup table, bytes. Lookup tables page, "4 MB"; taken as 10^6 bytes each, so that what passes here passes there.
pub const LOOKUP_BYTES: u64 = 4_000_000;

/// Fewest columns of a lookup table. Lookup tables page.
pub const LOOKUP_COLUMNS_LEAST: usize = 2;

/// Most lookup tables of an account. Lookup tables page.
pub const LOOKUP_TABLES: usize = 20;

/// Prefix of names reserved for New Relic's own use.
pub const RESERVED_PREFIX: &str = "entity.";
