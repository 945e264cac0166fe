//! Points of metrics → items for OTLP, in protobuf.
//!
//! In: a metric's name, its time, its value and its attributes. Out: an item: one `resource_metrics` of an
//! `ExportMetricsServiceRequest` that holds one point, so that any number of items, one after the other, are a request, and a batch
//! of them can be halved. What always holds: the item of a count ends with its two times, each eight bytes, so that one that waited
//! too long can get the present time without being read; a gauge keeps its time, for what it says was true then only. [OTLP 1.4, `opentelemetry/proto/metrics/v1/metrics.proto`]
//!
//! Written by hand: five small messages. The crate that has them all brings the SDK with it, and features of crates that the lean
//! agent has. What is written here was read by that crate: the golden bytes in the tests are those it read.

mod wire;

#[cfg(test)]
mod tests;

use wire::{Kind, Message};

/// Who counts, in every point (`service.name`), and the name of the scope.
pub const SERVICE: &str = "cspm-relay";

/// A point's length in bytes beyond its texts, at most: tags, lengths, times.
const BESIDE: usize = 256;

/// Bytes of the two times at the end of a count's item: tag and eight bytes, twice.
const TIMES: usize = 2 * (1 + 8);

const NANOS_OF_MS: u64 = 1_000_000;

/// What a point says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// This many more: a sum of delta temporality that only grows, which New Relic keeps as a count.
    Count(u64),
    /// This many now.
    Gauge(u64),
}

/// One point of one metric.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a> {
    /// Name of the metric.
    pub metric: &'a str,
    /// Begin of the time in which a count was counted, milliseconds since the epoch; a gauge has none.
    pub from_ms: i64,
    /// End of that time, or the time of a gauge.
    pub to_ms: i64,
    /// What it says.
    pub value: Value,
}

/// Writes the item of a point; `out` is emptied first. An attribute without a value is left out.
pub fn push_point<'t>(out: &mut Vec<u8>, point: &Point<'_>, attributes: impl IntoIterator<Item = (&'t str, &'t str)>) {
    // From the inside out: a message is written with its length before it. The times come last in each of them.
    let mut data = Message::with_capacity(BESIDE);
    for (name, value) in attributes.into_iter().filter(|(_, value)| !value.is_empty()) {
        data.message(7, attribute(name, value));
    }
    let (Value::Count(number) | Value::Gauge(number)) = point.value;
    data.fixed(6, number);
    if let Value::Count(_) = point.value {
        data.fixed(2, nanos(point.from_ms));
    }
    data.fixed(3, nanos(point.to_ms));
    let mut values = Message::with_capacity(BESIDE);
    let field = match point.value {
        Value::Count(_) => {
            // AGGREGATION_TEMPORALITY_DELTA; is_monotonic.
            values.whole(2, 1);
            values.whole(3, 1);
            7
        }
        Value::Gauge(_) => 5,
    };
    values.message(1, data);
    let mut metric = Message::with_capacity(BESIDE);
    metric.text(1, point.metric);
    metric.text(3, "1");
    metric.message(field, values);
    let mut scope = Message::with_capacity(BESIDE);
    let mut name = Message::with_capacity(SERVICE.len() + 2);
    name.text(1, SERVICE);
    scope.message(1, name);
    scope.message(2, metric);
    let mut resource = Message::with_capacity(BESIDE);
    let mut service = Message::with_capacity(BESIDE);
    service.message(1, attribute("service.name", SERVICE));
    resource.message(1, service);
    resource.message(2, scope);
    let mut item = Message::with_capacity(resource.len() + BESIDE);
    item.message(1, resource);
    out.clear();
    out.extend_from_slice(item.bytes());
}

/// The item of a count under the present: it is counted now. One of another shape comes back as it was.
#[must_use]
pub fn restamp(item: &[u8], now_ms: i64) -> Vec<u8> {
    let mut item = item.to_vec();
    let at = item.len().saturating_sub(TIMES);
    let now = nanos(now_ms).to_le_bytes();
    if let Some(&mut [from_tag, ref mut from @ .., _, _, _, _, _, _, _, _, _]) = item.get_mut(at..)
        && from_tag == wire::tag_byte(2, Kind::Fixed)
        && from.len() == now.len()
    {
        from.copy_from_slice(&now);
    } else {
        return item;
    }
    if let Some(to) = item.last_chunk_mut() {
        *to = now;
    }
    item
}

fn attribute(name: &str, value: &str) -> Message {
    let mut any = Message::with_capacity(value.len() + 8);
    any.text(1, value);
    let mut pair = Message::with_capacity(name.len() + value.len() + 16);
    pair.text(1, name);
    pair.message(2, any);
    pair
}

/// Nanoseconds of a time; before 1970 is 1970.
fn nanos(time_ms: i64) -> u64 {
    u64::try_from(time_ms).unwrap_or(0).saturating_mul(NANOS_OF_MS)
}
