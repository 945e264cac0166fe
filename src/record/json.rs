//! Reading raw JSON bytes in place.
//!
//! In: the text of a JSON value and a position. Out: where values end, their text, unescaped or compact. The input was
//! checked by the decoder; on anything else the functions give `None`, they never panic and never loop. No recursion.

/// The position of the next byte that is not white space.
#[must_use]
pub fn skip_space(json: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = json.get(at) {
        at += 1;
    }
    at
}

/// The end of a string whose opening quote stands before `start`: the position of its closing quote, and whether it holds a
/// backslash.
#[must_use]
pub fn string_end(json: &[u8], start: usize) -> Option<(usize, bool)> {
    let mut escaped = false;
    let mut at = start;
    loop {
        let found = at + quote_or_backslash(json.get(at..)?)?;
        if json.get(found) == Some(&b'"') {
            return Some((found, escaped));
        }
        escaped = true;
        at = found + 2;
    }
}

/// The first quote or backslash. Most strings of a record are shorter than a search is worth: four words go first.
fn quote_or_backslash(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for word in text.as_chunks::<8>().0.iter().take(4) {
        let word = u64::from_le_bytes(*word);
        let hits = zero_bytes(word ^ u64::from_ne_bytes([b'"'; 8])) | zero_bytes(word ^ u64::from_ne_bytes([b'\\'; 8]));
        if hits != 0 {
            return Some(at + hits.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    Some(at + memchr::memchr2(b'"', b'\\', text.get(at..)?)?)
}

/// The high bit of every byte that is zero; bytes above the first one may be marked wrongly.
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(u64::from_ne_bytes([1; 8])) & !word & u64::from_ne_bytes([0x80; 8])
}

/// The position behind the value that starts at `at`.
#[must_use]
pub fn skip_value(json: &[u8], at: usize) -> Option<usize> {
    match json.get(at)? {
        b'"' => Some(string_end(json, at + 1)?.0 + 1),
        b'{' | b'[' => skip_nested(json, at),
        _ => Some(scalar_end(json, at)),
    }
}

/// The position behind a number, `true`, `false` or `null`; at least one byte further, so that no caller can loop.
#[must_use]
pub fn scalar_end(json: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(byte) = json.get(end) {
        if matches!(byte, b',' | b'}' | b']' | b':' | b'"' | b'{' | b'[' | b' ' | b'\n' | b'\r' | b'\t') {
            break;
        }
        end += 1;
    }
    end
}

fn skip_nested(json: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match json.get(at)? {
            b'"' => at = string_end(json, at + 1)?.0,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Appends the text of a string's inside, escapes resolved. A half of a surrogate pair becomes U+FFFD.
pub fn unescape(inside: &[u8], out: &mut Vec<u8>) {
    let mut rest = inside;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        rest = match tail {
            [_, b'u', hex @ ..] => unicode(hex, out),
            [_, escape, after @ ..] => {
                out.push(match escape {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'b' => 8,
                    b'f' => 12,
                    other => *other,
                });
                after
            }
            _ => &[],
        };
    }
    out.extend_from_slice(rest);
}

/// Appends the character of four hexadecimal digits, or of a pair of them joined by `\u`; gives what follows.
fn unicode<'j>(hex: &'j [u8], out: &mut Vec<u8>) -> &'j [u8] {
    let Some((first, mut rest)) = four_digits(hex) else { return hex };
    let mut code = first;
    if (0xD800..0xDC00).contains(&first)
        && let [b'\\', b'u', low @ ..] = rest
        && let Some((second, after)) = four_digits(low)
        && (0xDC00..0xE000).contains(&second)
    {
        code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        rest = after;
    }
    let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    rest
}

fn four_digits(hex: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = hex.split_first_chunk::<4>()?;
    let mut code = 0;
    for digit in digits {
        code = code << 4 | char::from(*digit).to_digit(16)?;
    }
    Some((code, rest))
}

/// Appends a JSON text without the white space between its tokens.
pub fn compact(json: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        let end = match byte {
            b'"' => string_end(json, at + 1).map_or(json.len(), |(quote, _)| quote + 1),
            b' ' | b'\n' | b'\r' | b'\t' => {
                at += 1;
                continue;
            }
            _ => at + 1,
        };
        out.extend_from_slice(json.get(at..end).unwrap_or_default());
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_end_where_they_end() {
        for (json, want) in [
            (r#""a\"b",1"#, Some(6)),
            (r#"{"a":[1,{"b":"]}"}]}x"#, Some(20)),
            ("12.5,", Some(4)),
            ("true}", Some(4)),
            ("{\"a\":1", None),
            ("\"open", None),
            ("", None),
        ] {
            assert_eq!(skip_value(json.as_bytes(), 0), want, "{json}");
        }
    }

    proptest! {
        #[test]
        fn a_string_ends_at_its_first_bare_quote(text in r#"[a-z"\\\\é]{0,90}"#) {
            let json = serde_json::to_string(&text).expect("JSON") + ",\"x\"";
            let want = json.len() - 5;
            prop_assert_eq!(string_end(json.as_bytes(), 1), Some((want, json.as_bytes()[..want].contains(&b'\\'))));
        }

        #[test]
        fn unescaping_agrees_with_serde_json(text: String) {
            let json = serde_json::to_string(&text).expect("JSON");
            let mut out = Vec::new();
            unescape(&json.as_bytes()[1..json.len() - 1], &mut out);
            prop_assert_eq!(out, text.clone().into_bytes());
            let ascii = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
            let mut out = Vec::new();
            unescape(ascii.as_bytes(), &mut out);
            prop_assert_eq!(out, text.into_bytes());
        }

        #[test]
        fn nothing_panics_on_any_bytes(bytes: Vec<u8>, at in 0_usize..40) {
            let mut out = Vec::new();
            unescape(&bytes, &mut out);
            compact(&bytes, &mut out);
            let end = skip_value(&bytes, at);
            prop_assert!(end.is_none_or(|end| end > at && end <= bytes.len()));
        }
    }
}
