//! Items on the scales.
//!
//! In: finished items, those of a record one after the other: its events, its notice, its log. Out: rows and bytes by type, account and
//! rule, and how many points roll-up metrics would have. What always holds: a row weighs what it is as compact JSON, a log with its
//! message as text and again as attributes, as New Relic keeps it; memory does not grow with the records.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ack::{Piece, Settled};
use crate::encode::dictionary::{NOTICE, SECURITY_EVENT};
use crate::encode::event::VERSION;
use crate::encode::{Lane, Outlet};

/// A row's time, where New Relic sets it: `"timestamp":1795292071000,`.
const TIMESTAMP: u64 = 26;
/// What a row of the type `Log` has beside what was sent.
const LOG: u64 =
    r#"{"eventType":"Log","logtype":"aws.cloudtrail","relay.version":"","message":""}"#.len() as u64 + VERSION.len() as u64;
/// Ms in a minute: a metric has one point for each series and minute.
const MINUTE_MS: i64 = 60_000;
/// Series and minutes that are told apart exactly; beyond, one in two, four, … is looked at.
const POINTS: usize = 1 << 20;

/// How much of something.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

impl Used {
    pub(super) fn add(&mut self, bytes: u64) {
        self.rows += 1;
        self.bytes += bytes;
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, bytes: self.bytes + other.bytes }
    }
}

/// Which settings send a record as a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LogClass {
    /// It has a detection.
    Matched,
    /// It has none and may have changed something.
    Changed,
    /// It has none and changed nothing.
    Read,
}

/// What an account or a rule brings.
#[derive(Debug, Default, Clone)]
pub(super) struct Share {
    pub(super) events: Used,
    pub(super) notices: Used,
    /// Of a rule: logs of records that no other rule met.
    pub(super) logs: BTreeMap<LogClass, Used>,
}

/// All that was weighed.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// Events by type.
    pub(super) types: BTreeMap<String, Used>,
    pub(super) logs: BTreeMap<LogClass, Used>,
    pub(super) accounts: BTreeMap<String, Share>,
    pub(super) rules: BTreeMap<String, Share>,
    /// Points of `cspm.detections`, and of `cspm.records` for records with a detection and for all.
    pub(super) detection_points: Points,
    pub(super) matched_points: Points,
    pub(super) record_points: Points,
    /// Time of the oldest and newest record, ms.
    pub(super) span: Option<(i64, i64)>,
}

/// Counts what is different, exactly up to [`POINTS`], then by a sample.
#[derive(Debug, Default)]
pub(super) struct Points {
    seen: HashSet<u64>,
    /// Only hashes that end in so many zeros are kept.
    thinned: u32,
}

impl Points {
    fn add(&mut self, values: &[&str], time_ms: i64) {
        let mut hasher = DefaultHasher::new();
        (values, time_ms.div_euclid(MINUTE_MS)).hash(&mut hasher);
        let hash = hasher.finish();
        if hash.trailing_zeros() >= self.thinned && self.seen.insert(hash) && self.seen.len() > POINTS {
            self.thinned += 1;
            let thinned = self.thinned;
            self.seen.retain(|hash| hash.trailing_zeros() >= thinned);
        }
    }

    pub(super) fn count(&self) -> u64 {
        (self.seen.len() as u64) << self.thinned
    }
}

/// What was weighed, shared with whoever asks at the end.
#[derive(Debug, Default, Clone)]
pub(super) struct Shared(Arc<Mutex<Usage>>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Usage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes items and keeps none.
#[derive(Debug, Default)]
pub(super) struct Meter {
    usage: Shared,
    /// Of the record whose items come: its event id and the rules it met.
    record: String,
    rules: Vec<String>,
}

/// What is read of an event.
#[derive(Deserialize)]
struct Event<'e> {
    #[serde(rename = "eventType")]
    kind: &'e str,
    timestamp: Option<i64>,
    #[serde(rename = "event.id", default)]
    id: &'e str,
    #[serde(rename = "event.time")]
    time: Option<i64>,
    #[serde(rename = "control.id", default)]
    control: &'e str,
    #[serde(rename = "control.severity", default)]
    severity: &'e str,
    #[serde(rename = "aws.accountId", default)]
    account: &'e str,
    #[serde(rename = "aws.region", default)]
    region: &'e str,
    #[serde(rename = "aws.service", default)]
    service: &'e str,
}

/// What is read of a log.
#[derive(Deserialize)]
struct Log<'l> {
    timestamp: i64,
    #[serde(borrow)]
    attributes: &'l RawValue,
    #[serde(borrow)]
    message: &'l RawValue,
}

#[derive(Deserialize)]
struct LogAttributes<'l> {
    #[serde(rename = "event.id", default)]
    id: &'l str,
    #[serde(rename = "aws.accountId", default)]
    account: &'l str,
}

#[derive(Deserialize)]
struct Message<'l> {
    #[serde(rename = "readOnly")]
    read_only: Option<bool>,
    #[serde(rename = "awsRegion", default)]
    region: &'l str,
    #[serde(rename = "eventSource", default)]
    service: &'l str,
}

impl Meter {
    /// What it weighed, when it is done.
    pub(super) fn usage(&self) -> Shared {
        self.usage.clone()
    }

    fn event(&mut self, item: &[u8]) -> Option<()> {
        let event: Event<'_> = serde_json::from_slice(item).ok()?;
        let time_ms = event.time.or(event.timestamp)?;
        let bytes = item.len() as u64 + if event.timestamp.is_none() { TIMESTAMP } else { 0 };
        if event.id != self.record {
            event.id.clone_into(&mut self.record);
            self.rules.clear();
        }
        let mut usage = self.usage.lock();
        usage.at(time_ms);
        usage.types.entry(event.kind.to_owned()).or_default().add(bytes);
        let of_account = usage.accounts.entry(event.account.to_owned()).or_default();
        if event.kind == NOTICE {
            of_account.notices.add(bytes);
            if let [rule] = self.rules.as_slice() {
                usage.rules.entry(rule.clone()).or_default().notices.add(bytes);
            }
            return Some(());
        }
        of_account.events.add(bytes);
        if event.kind == SECURITY_EVENT {
            usage.rules.entry(event.control.to_owned()).or_default().events.add(bytes);
            let series = [event.account, event.region, event.service];
            usage.matched_points.add(&series, time_ms);
            usage.record_points.add(&series, time_ms);
            usage.detection_points.add(&[event.account, event.region, event.service, event.severity, event.control], time_ms);
            self.rules.push(event.control.to_owned());
        }
        Some(())
    }

    fn log(&mut self, item: &[u8]) -> Option<()> {
        let log: Log<'_> = serde_json::from_slice(item).ok()?;
        let attributes: LogAttributes<'_> = serde_json::from_str(log.attributes.get()).ok()?;
        let message: Message<'_> = serde_json::from_str(log.message.get()).ok()?;
        // Without its two braces, with a comma.
        let own = log.attributes.get().len() as u64 - 1;
        let bytes = LOG + TIMESTAMP + own + escaped(log.message.get()) + leaves(log.message.get(), 0);
        let is_matched = attributes.id == self.record && !self.rules.is_empty();
        let class = match (is_matched, message.read_only) {
            (true, _) => LogClass::Matched,
            (false, Some(true)) => LogClass::Read,
            (false, _) => LogClass::Changed,
        };
        let mut usage = self.usage.lock();
        usage.at(log.timestamp);
        usage.logs.entry(class).or_default().add(bytes);
        usage.accounts.entry(attributes.account.to_owned()).or_default().logs.entry(class).or_default().add(bytes);
        if let (true, [rule]) = (is_matched, self.rules.as_slice()) {
            usage.rules.entry(rule.clone()).or_default().logs.entry(class).or_default().add(bytes);
        }
        // As `aws.service` is written: a record with a detection is the same point as its event.
        let service = message.service.strip_suffix(".amazonaws.com").unwrap_or(message.service);
        usage.record_points.add(&[attributes.account, message.region, service], log.timestamp);
        Some(())
    }
}

impl Usage {
    fn at(&mut self, time_ms: i64) {
        let (oldest, newest) = self.span.unwrap_or((time_ms, time_ms));
        self.span = Some((oldest.min(time_ms), newest.max(time_ms)));
    }
}

impl Outlet for Meter {
    fn put(&mut self, lane: Lane, item: &[u8], _time_ms: i64, piece: Piece) {
        piece.settle(Settled::Delivered);
        // What our own encoder wrote can be read.
        let _read = match lane {
            Lane::Events => self.event(item),
            Lane::Logs => self.log(item),
            Lane::Metrics => None,
        };
    }

    fn item_max(&self, lane: Lane) -> usize {
        if lane == Lane::Metrics { usize::MAX } else { crate::encode::limits::BODY_BYTES }
    }

    fn flush(&mut self) {}
}

/// Bytes of a text as a JSON string, without its quotes.
fn escaped(text: &str) -> u64 {
    text.len() as u64 + memchr::memchr2_iter(b'"', b'\\', text.as_bytes()).count() as u64
}

/// Bytes of the attributes that an object becomes: `"a.b":value,` for each value that is none; a list is text. `prefix`: bytes of the
/// names around it.
fn leaves(object: &str, prefix: u64) -> u64 {
    let Ok(fields) = serde_json::from_str::<BTreeMap<&str, &RawValue>>(object) else {
        // Names with escapes are not borrowed; they are rare enough to be weighed as they stand.
        return object.len() as u64;
    };
    fields
        .iter()
        .map(|(name, value)| {
            let (name, value) = (prefix + name.len() as u64, value.get());
            match value.as_bytes().first() {
                Some(b'{') => leaves(value, name + 1),
                // Quotes around the name and around the text, a colon, a comma.
                Some(b'[') => name + 6 + escaped(value),
                Some(b'n') => 0,
                _ => name + 4 + value.len() as u64,
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_weighs_what_its_attributes_weigh() {
        for (object, attributes) in [
            ("{}", ""),
            (r#"{"a":1,"b":null}"#, r#""a":1,"#),
            (r#"{"a":{"b":"x","c":{"d":true}}}"#, r#""a.b":"x","a.c.d":true,"#),
            (r#"{"a":["x"]}"#, r#""a":"[\"x\"]","#),
        ] {
            assert_eq!(leaves(object, 0), attributes.len() as u64, "{object}");
        }
    }

    #[test]
    fn points_are_exact_until_there_are_many() {
        let mut points = Points::default();
        for round in 0..2 {
            for number in 0..1_000 {
                points.add(&["a", "b"], number * MINUTE_MS + round);
            }
        }
        assert_eq!(points.count(), 1_000);
        for number in 0..3_000_000 {
            points.add(&["a", "b"], number * MINUTE_MS);
        }
        let error = points.count().abs_diff(3_000_000);
        assert!(points.thinned > 0 && error < 30_000, "{error}");
    }
}
