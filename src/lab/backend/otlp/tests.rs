//! What other software writes is read as it was meant; what New Relic would not keep is not kept.

use serde_json::json;

use super::*;

/// The time of the points in the fixture, milliseconds.
const AT: i64 = 1_767_225_660_123;

const FOREIGN: &[u8] = include_bytes!("../../../../tests/fixtures/otlp/metrics.pb");

fn row(name: &str, value: &Value, more: &Value) -> Value {
    let mut row = json!({
        "metricName": name, "timestamp": AT - 60_000, "endTimestamp": AT, "unit": "1", "service.name": "other", "zone": "resource",
        "otel.library.name": "lib", "otel.library.version": "1.2", name: value,
    });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

#[test]
fn a_request_of_another_writer_is_read_as_it_was_meant() {
    let intake = read(FOREIGN, AT + 1_000);
    let rows: Vec<Value> = intake.rows.into_iter().map(|row| row.attributes.into()).collect();
    let attributes = json!({ "zone": "東京", "ok": true, "n": -5, "f": 1.5, "list": ["a", -2] });
    let gauge =
        |number: Value| json!({ "type": "gauge", "count": 1, "total": number, "min": number, "max": number, "latest": number });
    let expected = [
        row("made.count", &json!({ "type": "count", "count": 300 }), &attributes),
        row("made.count", &json!({ "type": "count", "count": 2.5 }), &json!({})),
        row("made.total", &json!({ "type": "cumulativeCount", "count": 9 }), &json!({})),
        row("made.level", &gauge(json!(-9)), &json!({})),
        row("made.gauge", &gauge(json!(0.5)), &json!({ "timestamp": AT })),
    ];
    assert_eq!(rows, expected);
    // A map among the attributes; a delta sum that falls, and a histogram.
    assert_eq!(intake.violations, [(Violation::ValueKind, 1), (Violation::MetricKind, 2)].into());
    assert_eq!(intake.losses[&Violation::MetricKind].rows, 2);
}

fn long(field: u8, bytes: &[u8]) -> Vec<u8> {
    let seven = |shift: u32| u8::try_from(bytes.len() >> shift & 0x7f).unwrap();
    [&[field << 3 | 2, seven(0) | 0x80, seven(7) | 0x80, seven(14)][..], bytes].concat()
}

fn pair(name: &str, any: &[u8]) -> Vec<u8> {
    long(7, &[long(1, name.as_bytes()), long(2, any)].concat())
}

/// A request of one count of 1 with these attributes.
fn request(name: &str, from_ms: i64, to_ms: i64, attributes: &[Vec<u8>]) -> Vec<u8> {
    let nanos = |ms: i64| (ms.unsigned_abs() * NANOS_OF_MS).to_le_bytes();
    let times = [&[0x11][..], &nanos(from_ms), &[0x19], &nanos(to_ms), &[0x31, 1, 0, 0, 0, 0, 0, 0, 0]].concat();
    let point = long(1, &[times, attributes.concat()].concat());
    let metric = [long(1, name.as_bytes()), long(7, &[point, vec![0x10, 1, 0x18, 1]].concat())].concat();
    long(1, &long(2, &long(2, &metric)))
}

#[test]
fn each_limit_holds_and_limit_plus_one_does_not() {
    let text = |chars: usize| long(1, "語".repeat(chars).as_bytes());
    let list = |items: usize| long(5, &long(1, &long(1, b"a")).repeat(items));
    let one = |attribute: Vec<u8>| request("m", AT, AT, &[attribute]);
    let many = |count: usize| {
        let attributes: Vec<Vec<u8>> = (0..count).map(|nth| pair(&format!("a{nth}"), &text(1))).collect();
        request("m", AT, AT, &attributes)
    };
    // Name and both times are attributes, too.
    let most = limits::METRIC_ATTRIBUTES - 3;
    let (window, future) = (limits::METRIC_WINDOW_MS, limits::METRIC_FUTURE_MS);
    let name = |bytes: usize| request(&"n".repeat(bytes), AT, AT, &[]);
    for (label, kept, over, violation, is_lost) in [
        ("oldest", request("m", AT - window, AT, &[]), request("m", AT - window - 1, AT, &[]), Violation::TimestampWindow, true),
        ("newest", request("m", AT, AT + future, &[]), request("m", AT, AT + future + 1, &[]), Violation::TimestampWindow, true),
        ("name of a metric", name(limits::NAME_BYTES), name(limits::NAME_BYTES + 1), Violation::NameTooLong, true),
        ("attributes", many(most), many(most + 1), Violation::TooManyAttributes, true),
        (
            "name of an attribute",
            one(pair(&"n".repeat(limits::NAME_BYTES), &text(1))),
            one(pair(&"n".repeat(limits::NAME_BYTES + 1), &text(1))),
            Violation::NameTooLong,
            false,
        ),
        (
            "text",
            one(pair("a", &text(limits::OTLP_VALUE_CHARS))),
            one(pair("a", &text(limits::OTLP_VALUE_CHARS + 1))),
            Violation::OtlpValueCut,
            false,
        ),
        (
            "list",
            one(pair("a", &list(limits::OTLP_LIST))),
            one(pair("a", &list(limits::OTLP_LIST + 1))),
            Violation::ListTooLong,
            false,
        ),
    ] {
        let (kept, over) = (read(&kept, AT), read(&over, AT));
        assert_eq!((kept.rows.len(), kept.violations.len()), (1, 0), "{label}: the limit itself");
        assert_eq!(over.violations, [(violation, 1)].into(), "{label}");
        assert_eq!((over.rows.len(), over.losses.len()), if is_lost { (0, 1) } else { (1, 0) }, "{label}");
    }
    let cut = read(&one(pair("a", &text(limits::OTLP_VALUE_CHARS + 1))), AT);
    assert_eq!(cut.rows[0].attributes["a"].as_str().unwrap().chars().count(), limits::OTLP_VALUE_CHARS);
}

#[test]
fn reserved_names_are_dropped_and_a_broken_body_is_lost_whole() {
    let text = long(1, b"x");
    let intake = read(&request("m", AT, AT, &[pair("accountId", &text), pair("entity.guid", &text), pair("kept", &text)]), AT);
    assert_eq!(intake.violations, [(Violation::ReservedName, 2)].into());
    let names: Vec<&str> = intake.rows[0].attributes.keys().map(String::as_str).collect();
    assert_eq!(names, ["endTimestamp", "kept", "m", "metricName", "timestamp"]);
    let whole = request("m", AT, AT, &[]);
    let two = [whole.clone(), whole[..whole.len() - 1].to_vec()].concat();
    for broken in [&two[..], b"[]", &FOREIGN[..500]] {
        let intake = read(broken, AT);
        assert_eq!((intake.rows.len(), intake.violations), (0, [(Violation::Protobuf, 1)].into()));
    }
    assert_eq!(read(b"", AT), Intake::default(), "no metrics");
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_lost(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let intake = read(&bytes, AT);
        proptest::prop_assert!(intake.rows.is_empty() || !intake.violations.contains_key(&Violation::Protobuf));
    }
}
