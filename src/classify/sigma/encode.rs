//! Other ways to write a text: dashes, UTF-16, Base64.
//!
//! In: a text of a rule. Out: the texts that records may hold in its place. Knows neither fields nor modifiers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::pattern::{Part, Pattern};

/// What `windash` takes for one another: minus, slash, en dash, em dash, horizontal bar (Sigma modifiers appendix 2.1).
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// Most flags of one value under `windash`: each has five ways to write it.
const FLAGS: usize = 5;

/// How a text is written in bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::classify) enum Bytes {
    #[default]
    Utf8,
    /// Little-endian, without a mark.
    Utf16Le,
    /// Big-endian, without a mark.
    Utf16Be,
    /// Little-endian behind a byte order mark.
    Utf16,
}

/// How bytes are written as text.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::classify) enum Base64 {
    /// As they are.
    #[default]
    Not,
    Whole,
    /// At any of the three positions inside a longer encoding.
    Offset,
}

/// Every way to write a pattern when each flag may stand behind any dash. A flag is a dash with a letter, digit or `_` behind it and
/// none before.
pub(super) fn windash(pattern: &Pattern) -> Result<Vec<Pattern>, String> {
    let mut flags = 0;
    let mut found = vec![Pattern(Vec::new())];
    for part in &pattern.0 {
        let Part::Text(text) = part else {
            for pattern in &mut found {
                pattern.0.push(part.clone());
            }
            continue;
        };
        let mut texts = vec![String::new()];
        let (mut before, mut letters) = (None, text.chars().peekable());
        while let Some(letter) = letters.next() {
            let is_flag =
                DASHES.contains(&letter) && !before.is_some_and(is_word) && letters.peek().copied().is_some_and(is_word);
            if is_flag {
                flags += 1;
                if flags > FLAGS {
                    return Err(format!("more than {FLAGS} flags under windash"));
                }
                texts = texts.iter().flat_map(|text| DASHES.map(|dash| format!("{text}{dash}"))).collect();
            } else {
                for text in &mut texts {
                    text.push(letter);
                }
            }
            before = Some(letter);
        }
        let with =
            |pattern: &Pattern, text: &String| Pattern(pattern.0.iter().cloned().chain([Part::Text(text.clone())]).collect());
        found = found.iter().flat_map(|pattern| texts.iter().map(move |text| with(pattern, text))).collect();
    }
    Ok(found)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The texts that a record may hold for `text` written so.
pub(super) fn texts(text: &str, bytes: Bytes, base64: Base64) -> Result<Vec<String>, String> {
    let raw: Vec<u8> = match bytes {
        Bytes::Utf8 => text.into(),
        Bytes::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Bytes::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Bytes::Utf16 => [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
    };
    match base64 {
        Base64::Whole => Ok(vec![STANDARD.encode(raw)]),
        Base64::Offset => Ok([(0, 0), (1, 2), (2, 3)].map(|(shift, skip)| inside(&raw, shift, skip)).into()),
        Base64::Not => String::from_utf8(raw).map(|text| vec![text]).map_err(|_bytes| {
            format!("\"{text}\" in UTF-16 is no text that JSON can hold; add base64 or base64offset behind it")
        }),
    }
}

/// The part of the encoding that does not depend on the bytes around, with `shift` bytes before it.
fn inside(raw: &[u8], shift: usize, skip: usize) -> String {
    let padded = [" ".repeat(shift).as_bytes(), raw].concat();
    let encoded = STANDARD.encode(&padded);
    let cut = match padded.len() % 3 {
        0 => 0,
        1 => 3,
        _ => 2,
    };
    encoded.get(skip..encoded.len().saturating_sub(cut)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_may_stand_behind_any_dash() {
        let written =
            |value: &str| -> Vec<String> { windash(&Pattern::parse(value)).expect(value).iter().map(Pattern::written).collect() };
        assert_eq!(written("x -f"), ["x -f", "x /f", "x \u{2013}f", "x \u{2014}f", "x \u{2015}f"]);
        assert_eq!(written("*/e*").len(), 5);
        assert_eq!(written("-a /b"), written("/a -b"), "whatever dash the rule writes");
        assert_eq!(written("-a /b").len(), 25);
        for same in ["a-b", "2026-11", "- x", "x -", "a/b", "plain"] {
            assert_eq!(written(same), [same], "{same} holds no flag");
        }
        let many = windash(&Pattern::parse("-a -b -c -d -e -f")).expect_err("too many");
        assert_eq!(many, "more than 5 flags under windash");
    }

    /// The examples of the modifiers appendix.
    #[test]
    fn utf_16_is_written_as_sigma_says() {
        let base64 = |bytes: &[u8]| vec![STANDARD.encode(bytes)];
        for (bytes, want) in [
            (Bytes::Utf16Le, &b"c\0m\0d\0"[..]),
            (Bytes::Utf16Be, b"\0c\0m\0d"),
            (Bytes::Utf16, b"\xFF\xFEc\0m\0d\0"),
            (Bytes::Utf8, b"cmd"),
        ] {
            assert_eq!(texts("cmd", bytes, Base64::Whole), Ok(base64(want)), "{bytes:?}");
        }
        assert_eq!(texts("cmd", Bytes::Utf16Le, Base64::Not), Ok(vec!["c\0m\0d\0".to_owned()]));
        assert!(texts("cmd", Bytes::Utf16, Base64::Not).expect_err("bytes").contains("add base64"));
    }

    #[test]
    fn an_offset_finds_what_it_stands_for_wherever_it_begins() {
        for before in 0..3 {
            for text in ["cmd", "curl evil", "äöü", "x y z w"] {
                let whole = STANDARD.encode(["_".repeat(before), text.to_owned(), "!?".to_owned()].concat());
                let found = texts(text, Bytes::Utf8, Base64::Offset).expect("texts");
                assert!(found.iter().any(|part| whole.contains(part)), "{text} behind {before} in {whole}: {found:?}");
            }
        }
    }
}
