//! The Event API's asynchronous half: from a body that already has its 200 to rows.
//!
//! In: an unpacked body and the time. Out: an [`Intake`]. A bad event is lost alone; malformed JSON loses the body. Every
//! number comes from `encode::limits`. Does not look at headers, keys or body size: `server` did.

use serde_json::{Map, Value};

use super::intake::{Intake, Row, Violation, is_longer, is_reserved, timestamp_ms};
use crate::encode::limits;

/// Reads one body at `now_ms`.
pub(super) fn read(body: &[u8], now_ms: i64) -> Intake {
    let mut intake = Intake::default();
    let events = match serde_json::from_slice(body) {
        Ok(Value::Array(events)) => events,
        Ok(event @ Value::Object(_)) => vec![event],
        // How many events the text was meant to hold cannot be known; at least one.
        Ok(_) | Err(_) => {
            intake.lose(Violation::Json, 1, None);
            return intake;
        }
    };
    if events.len() > limits::EVENTS_PER_BODY {
        let sample = events.first().and_then(|event| event.get("eventType")).and_then(Value::as_str);
        intake.lose(Violation::TooManyEvents, u64::try_from(events.len()).unwrap_or(u64::MAX), sample);
        return intake;
    }
    intake.rows.reserve(events.len());
    for event in events {
        match event {
            Value::Object(attributes) => read_event(attributes, now_ms, &mut intake),
            _ => intake.lose(Violation::Json, 1, None),
        }
    }
    intake
}

fn read_event(mut attributes: Map<String, Value>, now_ms: i64, intake: &mut Intake) {
    let Some(Value::String(event_type)) = attributes.remove("eventType") else {
        return intake.lose(Violation::EventTypeMissing, 1, None);
    };
    if let Err(violation) = check(&event_type, &attributes) {
        return intake.lose(violation, 1, Some(&event_type));
    }
    let timestamp = match attributes.remove("timestamp") {
        None | Some(Value::Null) => now_ms,
        Some(value) => {
            let read = timestamp_ms(&value);
            if read.is_none() {
                intake.note(Violation::TimestampKind);
            }
            read.unwrap_or(now_ms)
        }
    };
    if now_ms.abs_diff(timestamp) > limits::EVENT_WINDOW_MS.unsigned_abs() {
        return intake.lose(Violation::TimestampWindow, 1, Some(&event_type));
    }
    attributes.retain(|name, value| {
        let reserved = is_reserved(name);
        if reserved {
            intake.note(Violation::ReservedName);
        }
        !reserved && !value.is_null()
    });
    attributes.insert("timestamp".to_owned(), timestamp.into());
    intake.rows.push(Row { event_type, attributes });
}

fn check(event_type: &str, attributes: &Map<String, Value>) -> Result<(), Violation> {
    if is_longer(event_type, limits::EVENT_VALUE_CHARS) {
        return Err(Violation::ValueTooLong);
    }
    if !is_legal_type(event_type) {
        return Err(Violation::EventTypeIllegal);
    }
    // `eventType`, taken out by now, counts as one.
    let count = attributes.values().filter(|value| !value.is_null()).count().saturating_add(1);
    if count > limits::ATTRIBUTES {
        return Err(Violation::TooManyAttributes);
    }
    for (name, value) in attributes {
        if name.len() > limits::NAME_BYTES {
            return Err(Violation::NameTooLong);
        }
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_')) {
            return Err(Violation::NameIllegal);
        }
        match value {
            Value::String(text) if is_longer(text, limits::EVENT_VALUE_CHARS) => return Err(Violation::ValueTooLong),
            Value::String(_) | Value::Number(_) | Value::Null => {}
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err(Violation::ValueKind),
        }
    }
    Ok(())
}

fn is_legal_type(name: &str) -> bool {
    let reserved = match name.strip_prefix("Metric") {
        Some(rest) => rest.is_empty() || rest == "Raw" || rest.starts_with(|c: char| c.is_ascii_digit()),
        None => name.starts_with("Public_"),
    };
    !name.is_empty() && !reserved && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_767_225_600_000;

    fn read_value(body: &Value) -> Intake {
        read(&serde_json::to_vec(body).unwrap(), NOW)
    }

    fn event(name: &str, value: Value) -> Value {
        let mut event = json!({ "eventType": "T" });
        event[name] = value;
        event
    }

    fn with_attributes(count: usize) -> Value {
        // `eventType` is one of them.
        let mut event = json!({ "eventType": "T" });
        for index in 1..count {
            event[format!("a{index}")] = json!(index);
        }
        event
    }

    #[test]
    fn good_events_become_flat_rows() {
        let intake = read_value(&json!([
            { "eventType": "AwsSecurityEvent", "timestamp": NOW / 1_000 - 5, "event.id": "e1", "n": 1.5, "gone": null },
            { "eventType": "a:B_9" },
        ]));
        assert_eq!(intake.violations.len(), 0);
        let [first, second] = intake.rows.as_slice() else { panic!("{:?}", intake.rows) };
        assert_eq!(first.event_type, "AwsSecurityEvent");
        assert_eq!(Value::from(first.attributes.clone()), json!({ "timestamp": NOW - 5_000, "event.id": "e1", "n": 1.5 }));
        assert_eq!(Value::from(second.attributes.clone()), json!({ "timestamp": NOW }), "no timestamp: time of ingest");
        assert_eq!(read_value(&json!({ "eventType": "T" })).rows.len(), 1, "one object without an array");
    }

    #[test]
    fn each_limit_holds_and_limit_plus_one_is_lost() {
        let text = |chars: usize| json!("語".repeat(chars));
        let name = |bytes: usize| event(&"n".repeat(bytes), json!(1));
        let window = limits::EVENT_WINDOW_MS;
        for (label, kept, lost, violation) in [
            (
                "value characters (P14, P15)",
                event("v", text(limits::EVENT_VALUE_CHARS)),
                event("v", text(limits::EVENT_VALUE_CHARS + 1)),
                Violation::ValueTooLong,
            ),
            ("name bytes", name(limits::NAME_BYTES), name(limits::NAME_BYTES + 1), Violation::NameTooLong),
            (
                "attributes (P16)",
                with_attributes(limits::ATTRIBUTES),
                with_attributes(limits::ATTRIBUTES + 1),
                Violation::TooManyAttributes,
            ),
            (
                "oldest (P17)",
                event("timestamp", json!(NOW - window)),
                event("timestamp", json!(NOW - window - 1)),
                Violation::TimestampWindow,
            ),
            (
                "newest",
                event("timestamp", json!(NOW + window)),
                event("timestamp", json!(NOW + window + 1)),
                Violation::TimestampWindow,
            ),
        ] {
            assert_eq!(read_value(&kept).violations.len(), 0, "{label}: the limit itself");
            let intake = read_value(&json!([lost, { "eventType": "Other" }]));
            assert_eq!(intake.rows.len(), 1, "{label}: the other event stays");
            assert_eq!(intake.losses.len(), 1, "{label}");
            let loss = &intake.losses[&violation];
            assert_eq!((loss.rows, loss.sample.as_deref()), (1, Some("T")), "{label}");
        }
    }

    #[test]
    fn too_many_events_lose_the_body() {
        let body = |count: usize| Value::from(vec![json!({ "eventType": "T" }); count]);
        assert_eq!(read_value(&body(limits::EVENTS_PER_BODY)).rows.len(), limits::EVENTS_PER_BODY);
        let intake = read_value(&body(limits::EVENTS_PER_BODY + 1));
        assert_eq!(intake.rows.len(), 0);
        assert_eq!(intake.losses[&Violation::TooManyEvents].rows, limits::EVENTS_PER_BODY as u64 + 1);
    }

    #[test]
    fn what_is_not_documented_as_accepted_is_lost() {
        for (label, lost, violation) in [
            ("boolean", event("v", json!(true)), Violation::ValueKind),
            ("array", event("v", json!(["a"])), Violation::ValueKind),
            ("nested", event("v", json!({ "a": 1 })), Violation::ValueKind),
            ("name with a dash", event("a-b", json!(1)), Violation::NameIllegal),
            ("no name", event("", json!(1)), Violation::NameIllegal),
            ("no type", json!({ "a": 1 }), Violation::EventTypeMissing),
            ("type is a number", json!({ "eventType": 1 }), Violation::EventTypeMissing),
            ("type with a dot", json!({ "eventType": "A.b" }), Violation::EventTypeIllegal),
            ("empty type", json!({ "eventType": "" }), Violation::EventTypeIllegal),
            ("Metric", json!({ "eventType": "Metric" }), Violation::EventTypeIllegal),
            ("MetricRaw", json!({ "eventType": "MetricRaw" }), Violation::EventTypeIllegal),
            ("Metric and a digit", json!({ "eventType": "Metric2x" }), Violation::EventTypeIllegal),
            ("Public_", json!({ "eventType": "Public_x" }), Violation::EventTypeIllegal),
            ("not an object", json!(7), Violation::Json),
        ] {
            let intake = read_value(&json!([lost]));
            assert_eq!(intake.rows.len(), 0, "{label}");
            assert_eq!(intake.violations, [(violation, 1)].into(), "{label}");
        }
        assert_eq!(read_value(&json!({ "eventType": "MetricsOfOurs" })).rows.len(), 1);
    }

    #[test]
    fn reserved_names_and_odd_timestamps_lose_the_attribute_only() {
        let intake = read_value(&json!({ "eventType": "T", "accountId": 1, "appId": 2, "entity.guid": "g", "timestamp": 1.5 }));
        assert_eq!(intake.violations, [(Violation::TimestampKind, 1), (Violation::ReservedName, 3)].into());
        assert_eq!(Value::from(intake.rows[0].attributes.clone()), json!({ "timestamp": NOW }));
    }

    #[test]
    fn malformed_json_loses_the_body() {
        for body in ["[{\"eventType\":\"T\"},", "7", "\"text\"", "\u{fffd}"] {
            let intake = read(body.as_bytes(), NOW);
            assert_eq!((intake.rows.len(), intake.violations), (0, [(Violation::Json, 1)].into()), "{body}");
        }
    }
}
