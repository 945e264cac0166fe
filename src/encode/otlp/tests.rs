//! What is written is what OTLP says.

use super::*;

const AT: i64 = 1_767_225_660_123;

fn count() -> Point<'static> {
    Point { metric: "cspm.records", from_ms: AT - 60_000, to_ms: AT, value: Value::Count(300) }
}

fn written(point: &Point<'_>, attributes: &[(&str, &str)]) -> Vec<u8> {
    let mut out = b"what was there before".to_vec();
    push_point(&mut out, point, attributes.iter().copied());
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

const COUNT: &str = include_str!("../../../tests/golden/otlp_count.hex");
const GAUGE: &str = include_str!("../../../tests/golden/otlp_gauge.hex");

/// The golden bytes were read by `opentelemetry-proto` 0.33.1, which found one point of this name, time, value and attributes,
/// under this resource and scope.
#[test]
fn a_point_is_written_as_the_schema_says() {
    let attributes = [("aws.accountId", "111122223333"), ("aws.accountName", "本番"), ("aws.environment", "")];
    assert_eq!(hex(&written(&count(), &attributes)), COUNT.trim());
    let gauge = Point { metric: "cspm.compliance", value: Value::Gauge(0), ..count() };
    assert_eq!(hex(&written(&gauge, &[("compliance.state", "NON_COMPLIANT")])), GAUGE.trim());
}

/// A length of more than 127 takes two bytes.
#[test]
fn long_texts_have_long_lengths() {
    let long = "x".repeat(300);
    let item = written(&count(), &[("a", &long)]);
    let at = item.windows(300).position(|window| window == long.as_bytes()).expect("the text");
    assert_eq!(item[at - 3..at], [tag(1, Kind::Long), 0xac, 0x02], "300 is 0b10_0101100");
}

fn tag(field: u8, kind: Kind) -> u8 {
    wire::tag_byte(field, kind)
}

/// The present time in place of both times, everything else as it was.
#[test]
fn an_item_gets_the_present_time_without_being_read() {
    let now = AT + 90_000_000;
    let expected = written(&Point { from_ms: now, to_ms: now, ..count() }, &[("a", "b")]);
    assert_eq!(hex(&restamp(&written(&count(), &[("a", "b")]), now)), hex(&expected));
    let gauge = written(&Point { value: Value::Gauge(7), ..count() }, &[("a", "b")]);
    assert_eq!(hex(&restamp(&gauge, now)), hex(&gauge), "it was so then, not now");
    for strange in [b"".as_slice(), b"short", b"something longer than both of its times would be"] {
        assert_eq!(restamp(strange, AT), strange);
    }
}
