//! A Sigma text value: literal parts and wildcards.
//!
//! In: the value as written. Out: its parts, `*` any text, `?` any one character; `\*`, `\?` and `\\` are the characters
//! themselves, any other backslash is a backslash. The modifiers `contains`, `startswith` and `endswith` add a `*`.

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    /// `*`
    Many,
    /// `?`
    One,
}

/// A text value with its wildcards; no two texts and no two `*` stand side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(pub(super) Vec<Part>);

impl Pattern {
    /// Reads a value as Sigma writes it.
    pub(super) fn parse(value: &str) -> Self {
        let mut pattern = Self(Vec::new());
        let mut chars = value.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '*' => pattern.push(Part::Many),
                '?' => pattern.push(Part::One),
                '\\' => match chars.next_if(|next| matches!(next, '*' | '?' | '\\')) {
                    Some(escaped) => pattern.push_char(escaped),
                    None => pattern.push_char('\\'),
                },
                other => pattern.push_char(other),
            }
        }
        pattern
    }

    /// A value without wildcards.
    pub(super) fn literal(text: &str) -> Self {
        Self(if text.is_empty() { Vec::new() } else { vec![Part::Text(text.to_owned())] })
    }

    fn push_char(&mut self, c: char) {
        if let Some(Part::Text(text)) = self.0.last_mut() {
            text.push(c);
        } else {
            self.0.push(Part::Text(c.to_string()));
        }
    }

    fn push(&mut self, part: Part) {
        if part != Part::Many || self.0.last() != Some(&Part::Many) {
            self.0.push(part);
        }
    }

    /// The pattern with any text before it, after it, or both.
    pub(super) fn open(mut self, before: bool, after: bool) -> Self {
        if before && self.0.first() != Some(&Part::Many) {
            self.0.insert(0, Part::Many);
        }
        if after {
            self.push(Part::Many);
        }
        self
    }

    /// The text, if there is no wildcard.
    pub(super) fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The pattern as Sigma writes it; `*`, `?` and `\` that stand for themselves are not told apart.
    pub(super) fn written(&self) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Many => "*".to_owned(),
            Part::One => "?".to_owned(),
        };
        self.0.iter().map(part).collect()
    }

    /// The same pattern in lower case, for comparing with a value in lower case. Letter by letter, as a value is: `str` knows
    /// that a sigma at the end of a word is another one, and a value's words need not end where the pattern's do.
    pub(super) fn to_lowercase(&self) -> Self {
        Self(
            self.0
                .iter()
                .map(|part| match part {
                    Part::Text(text) => Part::Text(text.chars().flat_map(char::to_lowercase).collect()),
                    other => other.clone(),
                })
                .collect(),
        )
    }

    /// Whether a letter outside ASCII has an upper and a lower case.
    pub(super) fn has_wide_case(&self) -> bool {
        self.0.iter().any(|part| match part {
            Part::Text(text) => text.chars().any(|c| !c.is_ascii() && (c.is_lowercase() || c.is_uppercase())),
            Part::Many | Part::One => false,
        })
    }

    /// The longest text that every match holds.
    pub(super) fn longest_text(&self) -> &str {
        let texts = self.0.iter().filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None });
        texts.max_by_key(|text| text.len()).unwrap_or_default()
    }
}

/// A pattern with inner wildcards, ready to match bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    tokens: Vec<Token>,
    cased: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Byte(u8),
    Many,
    One,
}

impl Glob {
    /// Prepares a pattern.
    pub(super) fn new(pattern: &Pattern, cased: bool) -> Self {
        let mut tokens = Vec::new();
        for part in &pattern.0 {
            match part {
                Part::Text(text) => tokens.extend(text.bytes().map(Token::Byte)),
                Part::Many => tokens.push(Token::Many),
                Part::One => tokens.push(Token::One),
            }
        }
        Self { tokens, cased }
    }

    /// Whether the whole of `text` fits.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        let (mut token, mut at) = (0, 0);
        // Where to go on after the last `*`: the token behind it, and the first byte it has not swallowed yet.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let step = match (self.tokens.get(token), text.get(at)) {
                (Some(Token::Many), _) => {
                    retry = Some((token + 1, at));
                    Some(0)
                }
                (Some(Token::Byte(want)), Some(found)) => self.same(*want, *found).then_some(1),
                (Some(Token::One), Some(found)) => char_width(*found),
                (None, None) => return true,
                _ => None,
            };
            if let Some(width) = step {
                token += 1;
                at += width;
            } else if let Some((behind, swallowed)) = retry.filter(|(_, swallowed)| *swallowed < text.len()) {
                retry = Some((behind, swallowed + 1));
                (token, at) = (behind, swallowed + 1);
            } else {
                return false;
            }
        }
    }

    fn same(&self, want: u8, found: u8) -> bool {
        if self.cased { want == found } else { want.eq_ignore_ascii_case(&found) }
    }
}

/// Bytes of the character that starts with this byte; `None` inside a character.
fn char_width(first: u8) -> Option<usize> {
    match first {
        0..0x80 => Some(1),
        0x80..0xC0 => None,
        0xC0..0xE0 => Some(2),
        0xE0..0xF0 => Some(3),
        0xF0.. => Some(4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_escapes_are_read_as_sigma_writes_them() {
        let text = |text: &str| Part::Text(text.to_owned());
        for (value, want) in [
            ("plain", vec![text("plain")]),
            ("a*b?c", vec![text("a"), Part::Many, text("b"), Part::One, text("c")]),
            (r"\*", vec![text("*")]),
            (r"a\?b", vec![text("a?b")]),
            (r"a\\b", vec![text(r"a\b")]),
            (r"a\b", vec![text(r"a\b")]),
            (r"a\\*", vec![text(r"a\"), Part::Many]),
            (r"end\", vec![text(r"end\")]),
            ("**", vec![Part::Many]),
            ("", vec![]),
        ] {
            assert_eq!(Pattern::parse(value).0, want, "{value}");
        }
    }

    #[test]
    fn a_glob_matches_whole_values_by_character() {
        for (pattern, text, want) in [
            ("a*c", "abbc", true),
            ("a*c", "ABBC", true),
            ("a*c", "abbcd", false),
            ("*a*b", "xaxxb", true),
            ("*ab*ab", "abab", true),
            ("*ab*ab", "xaba", false),
            ("?", "é", true),
            ("??", "é", false),
            ("*??", "日", false),
            ("*??", "日本", true),
            ("a?", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(Glob::new(&Pattern::parse(pattern), false).matches(text.as_bytes()), want, "{pattern} {text}");
        }
        assert!(!Glob::new(&Pattern::parse("A?"), true).matches(b"ab"));
    }
}
