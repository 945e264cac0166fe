//! Text borrowed from a record.
//!
//! In: a JSON scalar. Out: its text, borrowed from the input when it holds no escape. A number or boolean where AWS usually
//! writes text is kept as its text, so an odd record is still a record.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A text field: absent, or borrowed from the record, or unescaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text<'a>(Option<Cow<'a, str>>);

impl<'a> Text<'a> {
    /// The text, if the field is there and not `null`.
    #[must_use]
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text, or the empty text.
    #[must_use]
    pub fn or_empty(&self) -> &str {
        self.get().unwrap_or_default()
    }

    /// Whether the field is absent, `null` or empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.or_empty().is_empty()
    }

    /// The text with the input's life where it could be borrowed.
    #[must_use]
    pub fn into_cow(self) -> Option<Cow<'a, str>> {
        self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Some(Cow::Borrowed(text)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Borrowed(if value { "true" } else { "false" }))))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(value.to_string()))))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(value.to_string()))))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(value.to_string()))))
    }
}

/// The same JSON with each half of a surrogate pair that stands alone, as what is cut between two UTF-16 units leaves it,
/// replaced by U+FFFD: parsers disagree about it, and New Relic must not refuse a whole request for one letter. Borrowed, and
/// one look, where there is none. `mended` is a buffer.
#[must_use]
pub fn without_half_pairs<'a>(json: &'a [u8], mended: &'a mut Vec<u8>) -> &'a [u8] {
    static SURROGATES: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| ["\\ud", "\\uD"].map(Finder::new));
    if SURROGATES.iter().all(|escape| escape.find(json).is_none()) {
        return json;
    }
    mended.clear();
    mended.extend_from_slice(json);
    let mut at = 0;
    while let Some(step) = memchr::memchr(b'\\', json.get(at..).unwrap_or_default()) {
        at += step;
        let pair = (surrogate(json, at), surrogate(json, at + ESCAPE));
        at += match pair {
            (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => 2 * ESCAPE,
            (Some(_), _) => {
                if let Some(digits) = mended.get_mut(at + 2..at + ESCAPE) {
                    digits.copy_from_slice(b"fffd");
                }
                ESCAPE
            }
            (None, _) => 2,
        };
    }
    mended
}

/// Length of an escaped UTF-16 unit: backslash, `u`, four digits.
const ESCAPE: usize = 6;

/// The half of a pair that is escaped here.
fn surrogate(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + ESCAPE)?.strip_prefix(b"\\u")?;
    let unit = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    (0xD800..0xE000).contains(&unit).then_some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_borrows_unescapes_and_keeps_odd_scalars() {
        for (json, want) in [
            (r#""plain""#, Some("plain")),
            (r#""a\"b""#, Some("a\"b")),
            ("null", None),
            ("true", Some("true")),
            ("-7", Some("-7")),
        ] {
            let text: Text<'_> = serde_json::from_str(json).expect(json);
            assert_eq!(text.get(), want, "{json}");
        }
        assert!(serde_json::from_str::<Text<'_>>("[1]").is_err());
    }

    #[test]
    fn half_a_pair_is_replaced_and_a_whole_one_stays() {
        for (name, json, want) in [
            ("none", r#"{"a":"x\u00e9"}"#, r#"{"a":"x\u00e9"}"#),
            ("a pair", r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"\ud83d\ude00"}"#),
            ("a first half, at the end", r#"{"a":"x\ud83d"}"#, r#"{"a":"x\ufffd"}"#),
            ("a first half, then a pair", r#"{"a":"\uD83D\uD83D\uDE00"}"#, r#"{"a":"\ufffd\uD83D\uDE00"}"#),
            ("a second half", r#"{"a":"\ude00x"}"#, r#"{"a":"\ufffdx"}"#),
            ("halves the wrong way round", r#"{"a":"\ude00\ud83d"}"#, r#"{"a":"\ufffd\ufffd"}"#),
            ("an escaped backslash before it", r#"{"a":"\\ud83d"}"#, r#"{"a":"\\ud83d"}"#),
            ("another letter than d", r#"{"a":"\ud7ff"}"#, r#"{"a":"\ud7ff"}"#),
            ("cut", r#"{"a":"\ud8"#, r#"{"a":"\ud8"#),
        ] {
            let mut mended = vec![b'?'; 3];
            let got = without_half_pairs(json.as_bytes(), &mut mended);
            assert_eq!(std::str::from_utf8(got).expect("text"), want, "{name}");
        }
    }

    proptest::proptest! {
        /// Whatever units are escaped, the result is JSON that every parser reads, and pairs stay.
        #[test]
        fn any_units_become_text(units: Vec<u16>) {
            let inside = units.iter().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
            let json = format!("\"{inside}\"");
            let mut mended = Vec::new();
            let text: String = serde_json::from_slice(without_half_pairs(json.as_bytes(), &mut mended)).expect("JSON");
            proptest::prop_assert_eq!(text, String::from_utf16_lossy(&units));
        }
    }
}
