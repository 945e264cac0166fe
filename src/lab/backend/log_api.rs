//! The Log API's asynchronous half: from a body that already has its 202 to rows of type `Log`.
//!
//! In: an unpacked body and the time. Out: an [`Intake`]. Nested objects are flattened with dots, arrays become JSON text, a
//! `message` that holds JSON becomes attributes and stays as text, long values are cut to the searchable part and a blob.
//! On a clash of names the message's own keys win, then the log, then what is common. Account-side parsing rules,
//! partitions, obfuscation and drop rules are not imitated.

use serde_json::{Map, Value};

use super::intake::{Intake, Row, Violation, is_longer, is_reserved, timestamp_ms};
use crate::encode::limits;
use crate::lab::store::{LOG, flatten_log, log_fields};

/// What New Relic puts before the name of a value's blob.
const BLOB_PREFIX: &str = "newrelic.ext.";

/// Reads one body at `now_ms`.
pub(super) fn read(body: &[u8], now_ms: i64) -> Intake {
    let mut intake = Intake::default();
    match serde_json::from_slice(body) {
        Ok(Value::Array(blocks)) => {
            for block in blocks {
                read_block(block, now_ms, &mut intake);
            }
        }
        // The simplified form is one log; a detailed block must stand in an array.
        Ok(Value::Object(log)) if !log.contains_key("logs") => read_log(&Map::new(), log, now_ms, &mut intake),
        Ok(_) | Err(_) => intake.lose(Violation::Json, 1, None),
    }
    intake
}

fn read_block(block: Value, now_ms: i64, intake: &mut Intake) {
    let Value::Object(mut block) = block else { return intake.lose(Violation::Json, 1, Some(LOG)) };
    let Some(Value::Array(logs)) = block.remove("logs") else { return intake.lose(Violation::Json, 1, Some(LOG)) };
    let common = match block.remove("common") {
        Some(Value::Object(common)) => common,
        None | Some(Value::Null) => Map::new(),
        Some(_) => {
            return intake.lose(Violation::Json, u64::try_from(logs.len()).unwrap_or(u64::MAX), Some(LOG));
        }
    };
    for log in logs {
        match log {
            Value::Object(log) => read_log(&common, log, now_ms, intake),
            _ => intake.lose(Violation::Json, 1, Some(LOG)),
        }
    }
}

fn read_log(common: &Map<String, Value>, mut log: Map<String, Value>, now_ms: i64, intake: &mut Intake) {
    let mut row = LogRow { attributes: Map::new(), is_full: false, intake };
    let mut timestamp = row.take_level(common.clone());
    let message = ["message", "MESSAGE", "log", "LOG"].iter().find_map(|name| log.remove(*name));
    timestamp = row.take_level(log).or(timestamp);
    if let Some(message) = message {
        row.take_message(message);
    }
    let LogRow { mut attributes, is_full, intake } = row;
    if is_full {
        intake.note(Violation::TooManyAttributes);
    }
    let timestamp = timestamp.unwrap_or(now_ms);
    if now_ms.saturating_sub(timestamp) > limits::LOG_WINDOW_MS {
        return intake.lose(Violation::TimestampWindow, 1, Some(LOG));
    }
    attributes.insert("timestamp".to_owned(), timestamp.into());
    cut_long_values(&mut attributes, intake);
    intake.rows.push(Row { event_type: LOG.to_owned(), attributes });
}

/// A log while its attributes come together. `timestamp` is added last and always counts as one.
struct LogRow<'a> {
    attributes: Map<String, Value>,
    is_full: bool,
    intake: &'a mut Intake,
}

impl LogRow<'_> {
    /// Takes one level (`common` or the log itself) with its `attributes`; returns its timestamp.
    fn take_level(&mut self, mut level: Map<String, Value>) -> Option<i64> {
        let mut timestamp = None;
        let attributes = level.remove("attributes");
        for map in [attributes, Some(Value::Object(level))].into_iter().flatten() {
            let Value::Object(mut map) = map else {
                self.intake.note(Violation::Json);
                continue;
            };
            if let Some(value) = map.remove("timestamp").filter(|value| !value.is_null()) {
                let read = timestamp_ms(&value);
                if read.is_none() {
                    self.intake.note(Violation::TimestampKind);
                }
                timestamp = read.or(timestamp);
            }
            for (name, value) in map {
                let name = if matches!(name.as_str(), "logType" | "LOGTYPE") { "logtype".to_owned() } else { name };
                self.flatten(&name, value);
            }
        }
        timestamp
    }

    fn take_message(&mut self, message: Value) {
        let text = match &message {
            Value::Null => return,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let parsed = match message {
            Value::Object(parsed) => Some(parsed),
            Value::String(_) => serde_json::from_str(&text).ok().filter(|_| {
                let dead = is_longer(&text, limits::LOG_VALUE_CHARS);
                if dead {
                    self.intake.note(Violation::DeadMessage);
                }
                !dead
            }),
            _ => None,
        };
        self.set("message", Value::String(text));
        if let Some(parsed) = parsed {
            self.take_parsed(parsed);
        }
    }

    fn take_parsed(&mut self, parsed: Map<String, Value>) {
        for (name, value) in log_fields(parsed) {
            self.flatten(&name, value);
        }
    }

    fn flatten(&mut self, name: &str, value: Value) {
        flatten_log(name, value, &mut |name, value| self.set(name, value));
    }

    fn set(&mut self, name: &str, value: Value) {
        if is_reserved(name) {
            self.intake.note(Violation::ReservedName);
        } else if name.is_empty() {
            self.intake.note(Violation::NameIllegal);
        } else if name.len() > limits::NAME_BYTES {
            self.intake.note(Violation::NameTooLong);
        } else if let Some(known) = self.attributes.get_mut(name) {
            *known = value;
        } else if self.attributes.len() + 1 < limits::ATTRIBUTES {
            self.attributes.insert(name.to_owned(), value);
        } else {
            self.is_full = true;
        }
    }
}

fn cut_long_values(attributes: &mut Map<String, Value>, intake: &mut Intake) {
    let mut blobs = Vec::new();
    for (name, value) in attributes.iter_mut() {
        let Value::String(text) = value else { continue };
        if !is_longer(text, limits::LOG_VALUE_CHARS) {
            continue;
        }
        let searchable = text.char_indices().nth(limits::LOG_VALUE_CHARS).map_or(text.len(), |(at, _)| at);
        let mut blob = text.split_off(searchable);
        let kept = blob.floor_char_boundary(limits::LOG_VALUE_BYTES - limits::LOG_VALUE_CHARS);
        if kept < blob.len() {
            blob.truncate(kept);
            intake.note(Violation::LogValueLost);
        }
        blobs.push((format!("{BLOB_PREFIX}{name}"), Value::String(blob)));
    }
    attributes.extend(blobs);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_767_225_600_000;

    fn read_value(body: &Value) -> Intake {
        read(&serde_json::to_vec(body).unwrap(), NOW)
    }

    fn one(log: &Value) -> (Map<String, Value>, Intake) {
        let mut intake = read_value(&json!([{ "logs": [log] }]));
        assert_eq!(intake.rows.len(), 1, "{intake:?}");
        (intake.rows.remove(0).attributes, intake)
    }

    #[test]
    fn common_attributes_messages_and_attributes_meet_in_one_flat_row() {
        let intake = read_value(&json!([{
            "common": { "timestamp": NOW - 9_000, "attributes": { "logType": "aws.cloudtrail", "a": "common", "gone": null } },
            "logs": [
                { "timestamp": NOW / 1_000 - 1, "attributes": { "a": "log", "b": { "c": true, "d": [1, { "e": 2 }] } },
                  "message": { "eventName": "StopLogging", "userIdentity": { "type": "Root" }, "a": "message" } },
                { "MESSAGE": "plain" },
            ],
        }]));
        assert_eq!(intake.violations.len(), 0, "{:?}", intake.violations);
        let rows: Vec<_> = intake.rows.into_iter().map(|row| (row.event_type, Value::from(row.attributes))).collect();
        let text = r#"{"a":"message","eventName":"StopLogging","userIdentity":{"type":"Root"}}"#;
        assert_eq!(
            rows,
            [
                (
                    "Log".to_owned(),
                    json!({ "timestamp": NOW - 1_000, "logtype": "aws.cloudtrail", "a": "message", "b.c": true,
                            "b.d": r#"[1,{"e":2}]"#, "eventName": "StopLogging", "userIdentity.type": "Root", "message": text })
                ),
                (
                    "Log".to_owned(),
                    json!({ "timestamp": NOW - 9_000, "logtype": "aws.cloudtrail", "a": "common", "message": "plain" })
                ),
            ]
        );
    }

    #[test]
    fn the_simplified_form_is_one_log() {
        let intake = read_value(&json!({ "message": "hello", "service": "s" }));
        assert_eq!(
            Value::from(intake.rows[0].attributes.clone()),
            json!({ "timestamp": NOW, "message": "hello", "service": "s" })
        );
    }

    #[test]
    fn escaped_json_is_parsed_up_to_the_searchable_part_and_dead_beyond() {
        let message = |chars: usize| format!("{{\"k\":\"{}\"}}", "x".repeat(chars - 8));
        let (kept, intake) = one(&json!({ "message": message(limits::LOG_VALUE_CHARS) }));
        assert_eq!((kept["k"].as_str().unwrap().len(), intake.violations.len()), (limits::LOG_VALUE_CHARS - 8, 0));
        let (dead, intake) = one(&json!({ "message": message(limits::LOG_VALUE_CHARS + 1) }));
        assert_eq!((dead.get("k"), intake.violations), (None, [(Violation::DeadMessage, 1)].into()));
        let (object, intake) = one(&json!({ "message": { "k": "x".repeat(limits::LOG_VALUE_CHARS) } }));
        assert_eq!(
            (object["k"].as_str().unwrap().len(), intake.violations.len()),
            (limits::LOG_VALUE_CHARS, 0),
            "an object of any length"
        );
    }

    #[test]
    fn long_values_are_cut_and_go_to_a_blob() {
        let blob = limits::LOG_VALUE_BYTES - limits::LOG_VALUE_CHARS;
        for (label, chars, in_blob, violations) in [
            ("limit", limits::LOG_VALUE_CHARS, None, 0),
            ("limit and 1", limits::LOG_VALUE_CHARS + 1, Some(1), 0),
            ("blob limit", limits::LOG_VALUE_BYTES, Some(blob), 0),
            ("blob limit and 1", limits::LOG_VALUE_BYTES + 1, Some(blob), 1),
        ] {
            let (row, intake) = one(&json!({ "message": "x".repeat(chars) }));
            assert_eq!(row["message"].as_str().unwrap().len(), chars.min(limits::LOG_VALUE_CHARS), "{label}");
            assert_eq!(row.get("newrelic.ext.message").map(|blob| blob.as_str().unwrap().len()), in_blob, "{label}");
            assert_eq!(intake.violations.get(&Violation::LogValueLost).copied().unwrap_or(0), violations, "{label}");
        }
        let (row, _) = one(&json!({ "message": "語".repeat(limits::LOG_VALUE_CHARS + 50_000) }));
        assert_eq!(row["message"].as_str().unwrap().chars().count(), limits::LOG_VALUE_CHARS);
        assert_eq!(row["newrelic.ext.message"].as_str().unwrap().len(), blob - blob % 3, "cut between characters");
    }

    #[test]
    fn what_is_dropped_without_a_word_is_counted() {
        let long = "n".repeat(limits::NAME_BYTES + 1);
        for (label, log, violation) in [
            ("eventType in the message", json!({ "message": { "eventType": "AwsApiCall", "k": 1 } }), Violation::ReservedName),
            ("accountId as attribute", json!({ "attributes": { "accountId": "1", "k": 1 } }), Violation::ReservedName),
            ("entity", json!({ "entity.guid": "1", "k": 1 }), Violation::ReservedName),
            ("entity, nested", json!({ "entity": { "guid": "1" }, "k": 1 }), Violation::ReservedName),
            ("name too long", json!({ "attributes": { long: 1, "k": 1 } }), Violation::NameTooLong),
            ("no name", json!({ "attributes": { "": 1, "k": 1 } }), Violation::NameIllegal),
            ("text as timestamp", json!({ "timestamp": "2026-01-01T00:00:00Z", "k": 1 }), Violation::TimestampKind),
            ("attributes are no object", json!({ "attributes": 7, "k": 1 }), Violation::Json),
        ] {
            let (mut row, intake) = one(&log);
            row.remove("message");
            assert_eq!(intake.violations, [(violation, 1)].into(), "{label}");
            assert_eq!(Value::from(row), json!({ "timestamp": NOW, "k": 1 }), "{label}");
        }
        let nested = one(&json!({ "message": { "trail": { "eventType": "AwsApiCall", "accountId": "1" } } }));
        assert_eq!(
            (nested.0["trail.accountId"].as_str(), nested.1.violations.len()),
            (Some("1"), 0),
            "only top-level names are reserved"
        );
    }

    #[test]
    fn old_logs_are_lost_at_limit_plus_one() {
        let log = |age: i64| json!([{ "logs": [{ "timestamp": NOW - age, "message": "m" }] }]);
        assert_eq!(read_value(&log(limits::LOG_WINDOW_MS)).rows.len(), 1);
        let intake = read_value(&log(limits::LOG_WINDOW_MS + 1));
        assert_eq!((intake.rows.len(), intake.losses[&Violation::TimestampWindow].rows), (0, 1));
    }

    #[test]
    fn a_log_over_the_attribute_limit_loses_the_surplus_of_its_message() {
        // `message` and `timestamp` are attributes, too.
        let log = |keys: usize| {
            let keys: Map<_, _> = (0..keys).map(|index| (format!("k{index:03}"), json!(index))).collect();
            json!({ "message": keys })
        };
        let (row, intake) = one(&log(limits::ATTRIBUTES - 2));
        assert_eq!((row.len(), intake.violations.len()), (limits::ATTRIBUTES, 0));
        let (row, intake) = one(&log(limits::ATTRIBUTES - 1));
        assert_eq!(row.len(), limits::ATTRIBUTES);
        assert_eq!(intake.violations, [(Violation::TooManyAttributes, 1)].into());
    }

    #[test]
    fn malformed_bodies_and_blocks_are_lost() {
        for (label, body) in [
            ("cut text", "[{".to_owned()),
            ("number", "7".to_owned()),
            ("block outside an array", json!({ "logs": [] }).to_string()),
            ("block without logs", json!([{ "message": "m" }]).to_string()),
            ("log is no object", json!([{ "logs": [7] }]).to_string()),
            ("common is no object", json!([{ "common": 7, "logs": [{ "message": "m" }] }]).to_string()),
        ] {
            let intake = read(body.as_bytes(), NOW);
            assert_eq!((intake.rows.len(), intake.violations), (0, [(Violation::Json, 1)].into()), "{label}");
        }
    }
}
