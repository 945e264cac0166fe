//! `LIKE`: a text with `%` for any run of characters.
//!
//! In: a pattern. Out: a matcher. What always holds: the whole value must match; case is ignored, by Unicode's simple folding; only `%`
//! is special (`_` is itself); time grows with the length of the value times that of one piece at worst, never exponentially.

use std::borrow::Cow;

use memchr::memchr2;

/// A pattern made ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Like {
    /// What stands between the `%`, folded; one piece alone must be the whole value.
    pieces: Vec<String>,
}

impl Like {
    /// Makes a pattern ready.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self { pieces: pattern.split('%').map(|piece| fold(piece).into_owned()).collect() }
    }

    /// Whether the pattern has no `%`: it then is an equality without case.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.pieces.len() == 1
    }

    /// Whether the whole value matches.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        // An ASCII value is compared as it is: folding is only upper to lower there. Any other is folded first.
        if value.is_ascii() { self.find(value.as_bytes()) } else { self.find(fold(value).as_bytes()) }
    }

    fn find(&self, value: &[u8]) -> bool {
        let Some((first, rest)) = self.pieces.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else { return value.eq_ignore_ascii_case(first.as_bytes()) };
        let Some(mut value) = strip_start(value, first.as_bytes()) else { return false };
        for piece in middle {
            match after(value, piece.as_bytes()) {
                Some(rest) => value = rest,
                None => return false,
            }
        }
        value
            .len()
            .checked_sub(last.len())
            .and_then(|start| value.get(start..))
            .is_some_and(|end| end.eq_ignore_ascii_case(last.as_bytes()))
    }
}

fn strip_start<'a>(value: &'a [u8], piece: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = value.split_at_checked(piece.len())?;
    start.eq_ignore_ascii_case(piece).then_some(rest)
}

/// What follows the first place of a piece.
fn after<'a>(value: &'a [u8], piece: &[u8]) -> Option<&'a [u8]> {
    let Some(&first) = piece.first() else { return Some(value) };
    let mut rest = value;
    loop {
        let at = memchr2(first, first.to_ascii_uppercase(), rest)?;
        let candidate = rest.get(at..)?;
        if let Some(after) = strip_start(candidate, piece) {
            return Some(after);
        }
        rest = candidate.get(1..)?;
    }
}

/// A text in which letters that differ only in case are the same.
fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(fold_letter).collect())
}

/// Simple folding of one letter: its capital's small letter, where each is a single letter. The Turkish i without a dot and I with
/// one stand for themselves, as in Unicode's table.
fn fold_letter(letter: char) -> char {
    match letter {
        _ if letter.is_ascii() => letter.to_ascii_lowercase(),
        '\u{130}' | '\u{131}' => letter,
        _ => single(single(letter, char::to_uppercase), char::to_lowercase),
    }
}

fn single<I: Iterator<Item = char>>(letter: char, change: fn(char) -> I) -> char {
    let mut changed = change(letter);
    match (changed.next(), changed.next()) {
        (Some(only), None) => only,
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::{Like, fold_letter};

    /// Regular expressions fold by Unicode's own table. Scripts old enough to be in every version of it.
    #[test]
    fn folding_is_unicodes() {
        for letter in (0..=0x2_fff).chain(0xff00..=0xffef).filter_map(char::from_u32) {
            let folded = fold_letter(letter);
            if folded != letter {
                let same = regex::Regex::new(&format!("(?i)^{}$", regex::escape(&folded.to_string()))).unwrap();
                assert!(same.is_match(&letter.to_string()), "{letter:?} and {folded:?}");
            }
        }
    }

    #[test]
    fn a_pattern_without_percent_is_an_equality() {
        assert!(Like::new("a_c").is_exact());
        assert!(!Like::new("a%").is_exact());
    }
}
