//! One flat event, written straight as JSON and inside every limit.
//!
//! In: attribute names from the dictionary with text, numbers (whole, or in hundredths) and flags. Out: one JSON object in the caller's buffer. What
//! always holds: no value is longer than [`limits::VALUE_SENT`] in characters and bytes, cut at a character boundary and marked
//! with `…`; the names of cut values are in `relay.truncated`; no more than [`limits::ATTRIBUTES_SENT`] attributes; booleans
//! are the words `true` and `false`.

use super::limits;

/// Ends a cut value.
const MARK: &str = "…";

/// Writes one event.
#[derive(Debug)]
pub struct EventWriter<'o> {
    out: &'o mut Vec<u8>,
    attributes: usize,
    cut: Vec<&'static str>,
}

/// What is known of an event that is not finished, beside its bytes.
#[derive(Debug, Clone, Default)]
pub struct Suspended {
    attributes: usize,
    cut: Vec<&'static str>,
}

impl<'o> EventWriter<'o> {
    /// Begins an event of this type. `timestamp_ms`: `None` lets New Relic stamp it on arrival.
    ///
    /// The layout of this head is fixed: [`super::restamp`] moves the time of a batch that waited long.
    #[must_use]
    pub fn begin(out: &'o mut Vec<u8>, event_type: &str, timestamp_ms: Option<i64>) -> Self {
        out.clear();
        out.extend_from_slice(b"{\"eventType\":\"");
        out.extend_from_slice(event_type.as_bytes());
        out.push(b'"');
        if let Some(ms) = timestamp_ms {
            out.extend_from_slice(b",\"timestamp\":");
            push_number(out, ms);
        }
        Self { out, attributes: 2, cut: Vec::new() }
    }

    /// Text; an empty one is left out (New Relic does not store it).
    pub fn text(&mut self, name: &'static str, value: &str) {
        if value.is_empty() || !self.name(name) {
            return;
        }
        let kept = cut_at(value, limits::VALUE_SENT);
        self.out.push(b'"');
        push_escaped(self.out, kept);
        if kept.len() < value.len() {
            self.out.extend_from_slice(MARK.as_bytes());
            self.cut.push(name);
        }
        self.out.push(b'"');
    }

    /// Text that may be absent.
    pub fn maybe(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// A whole number.
    pub fn number(&mut self, name: &'static str, value: i64) {
        if self.name(name) {
            push_number(self.out, value);
        }
    }

    /// A decimal number, given in hundredths: 6667 is sent as `66.67`.
    pub fn hundredths(&mut self, name: &'static str, value: i64) {
        if self.name(name) {
            if value < 0 {
                self.out.push(b'-');
            }
            let (whole, part) = (value.unsigned_abs() / 100, value.unsigned_abs() % 100);
            push_number(self.out, i64::try_from(whole).unwrap_or(i64::MAX));
            if part > 0 {
                self.out.extend_from_slice(if part < 10 { b".0" } else { b"." });
                push_number(self.out, i64::try_from(if part % 10 == 0 { part / 10 } else { part }).unwrap_or(0));
            }
        }
    }

    /// A number with decimals; one that is none is left out.
    pub fn decimal(&mut self, name: &'static str, value: f64) {
        if value.is_finite() && self.name(name) {
            self.out.extend_from_slice(value.to_string().as_bytes());
        }
    }

    /// A flag, as the word `true` or `false`.
    pub fn flag(&mut self, name: &'static str, value: bool) {
        self.text(name, if value { "true" } else { "false" });
    }

    /// What is known of a value that came here cut already.
    pub fn came_cut(&mut self, name: &'static str) {
        if !self.cut.contains(&name) {
            self.cut.push(name);
        }
    }

    /// Leaves the event unfinished in its buffer, to be gone on with later.
    #[must_use]
    pub fn suspend(self) -> Suspended {
        Suspended { attributes: self.attributes, cut: self.cut }
    }

    /// Goes on with an event whose bytes are in `out`.
    #[must_use]
    pub fn resume(out: &'o mut Vec<u8>, suspended: Suspended) -> Self {
        Self { out, attributes: suspended.attributes, cut: suspended.cut }
    }

    /// Ends the event. Returns how many values were cut.
    #[must_use]
    pub fn end(mut self) -> u64 {
        let cut = std::mem::take(&mut self.cut);
        if !cut.is_empty() {
            let names = cut.join("|");
            self.attributes = self.attributes.min(limits::ATTRIBUTES_SENT - 1);
            self.text("relay.truncated", &format!("|{names}|"));
        }
        self.out.push(b'}');
        cut.len() as u64
    }

    fn name(&mut self, name: &'static str) -> bool {
        debug_assert!(super::dictionary::knows(name), "{name} is not in the dictionary");
        if self.attributes >= limits::ATTRIBUTES_SENT {
            self.cut.push(name);
            return false;
        }
        self.attributes += 1;
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        true
    }
}

/// The longest beginning of `text` that, with the mark, stays within `max` characters and bytes; all of it if it fits.
#[must_use]
pub fn cut_at(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max - MARK.len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Appends text as the inside of a JSON string.
pub fn push_escaped(out: &mut Vec<u8>, text: &str) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(text.as_bytes().get(plain..at).unwrap_or_default());
        plain = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => {
                out.extend_from_slice(b"\\u00");
                for nibble in [other >> 4, other & 15] {
                    out.push(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
                }
            }
        }
    }
    out.extend_from_slice(text.as_bytes().get(plain..).unwrap_or_default());
}

/// Appends a decimal number.
pub fn push_number(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut left = value.unsigned_abs();
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            // A digit is below ten.
            *digit = b'0' + u8::try_from(left % 10).unwrap_or(0);
        }
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(out: &[u8]) -> serde_json::Value {
        serde_json::from_slice(out).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(out)))
    }

    #[test]
    fn an_event_is_flat_json() {
        let mut out = Vec::new();
        let mut event = EventWriter::begin(&mut out, "AwsSecurityEvent", Some(1_795_292_071_000));
        event.text("event.name", "a\"b\\c\n\u{1}日本");
        event.number("relay.lagMs", -5);
        event.flag("relay.late", false);
        event.decimal("finding.cvss", 9.8);
        event.decimal("finding.epss", f64::NAN);
        event.maybe("resource.arn", None);
        event.text("resource.id", "");
        assert_eq!(event.end(), 0);
        assert_eq!(
            parse(&out),
            serde_json::json!({"eventType": "AwsSecurityEvent", "timestamp": 1_795_292_071_000_i64,
                "event.name": "a\"b\\c\n\u{1}日本", "relay.lagMs": -5, "relay.late": "false",
                "finding.cvss": 9.8})
        );
    }

    /// P13, P14, P15: a long value is cut at a character boundary, under the limit in bytes and characters, and marked.
    #[test]
    fn long_values_are_cut_and_named() {
        for (name, long) in [("ascii", "x".repeat(5_000)), ("japanese", "監査".repeat(3_000)), ("emoji", "🔥".repeat(2_000))]
        {
            let mut out = Vec::new();
            let mut event = EventWriter::begin(&mut out, "T", None);
            event.text("event.name", &long);
            event.text("event.id", &"y".repeat(limits::VALUE_SENT));
            assert_eq!(event.end(), 1, "{name}");
            let event = parse(&out);
            let value = event["event.name"].as_str().unwrap();
            assert!(value.len() <= limits::VALUE_SENT && value.ends_with('…'), "{name}: {} bytes", value.len());
            assert!(long.starts_with(value.trim_end_matches('…')), "{name}");
            assert_eq!(event["relay.truncated"], "|event.name|", "{name}");
            assert_eq!(event["event.id"].as_str().map(str::len), Some(limits::VALUE_SENT), "{name}");
        }
    }

    #[test]
    fn hundredths_are_decimal_numbers() {
        for (value, want) in [
            (6_667, "66.67"),
            (10_000, "100"),
            (9_990, "99.9"),
            (7, "0.07"),
            (70, "0.7"),
            (0, "0"),
            (-1, "-0.01"),
            (-250, "-2.5"),
            (i64::MIN, "-92233720368547758.08"),
        ] {
            let mut out = Vec::new();
            let mut event = EventWriter::begin(&mut out, "T", None);
            event.hundredths("posture.percentRules", value);
            assert_eq!(event.end(), 0);
            let want = format!(r#"{{"eventType":"T","posture.percentRules":{want}}}"#);
            assert_eq!(String::from_utf8_lossy(&out), want);
            assert!(parse(&out)["posture.percentRules"].is_number(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_text_survives(text in ".{0,200}", number in any::<i64>()) {
            let mut out = Vec::new();
            let mut event = EventWriter::begin(&mut out, "T", None);
            event.text("event.name", &text);
            event.number("relay.lagMs", number);
            let _cut = event.end();
            let event = parse(&out);
            prop_assert_eq!(event["event.name"].as_str().unwrap_or_default(), text);
            prop_assert_eq!(event["relay.lagMs"].as_i64(), Some(number));
        }
    }
}
