//! Patterns as people write them: `*` is any text, also none, `?` one character.
//!
//! In: a pattern, a text. Out: whether the whole text is like it. What always holds: case counts; `/` is a character like any
//! other, so that `*` spans folders and units; the time grows with the product of the lengths at most, whoever wrote the pattern.

use std::fmt;

/// One pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: Box<str>,
}

impl Glob {
    /// This pattern.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.into() }
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole text is like the pattern.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        matches(&self.text, text)
    }

    /// Whether the path is like the pattern, or the folder itself that a closing `/*` means the inside of: `Workloads/*` is
    /// `Workloads` and all below.
    #[must_use]
    pub fn matches_path(&self, path: &str) -> bool {
        self.matches(path) || self.text.strip_suffix("/*").is_some_and(|folder| matches(folder, path))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Goes on behind the last `*` when what follows it does not fit: an earlier one never needs to be tried again.
fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut last_star = None;
    loop {
        let text_before = text.clone();
        match (pattern.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                last_star = Some((pattern.clone(), text_before.clone()));
                text = text_before;
                if pattern.as_str().is_empty() {
                    return true;
                }
            }
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            (_, found) => {
                let Some((after_star, mut from)) = last_star.take() else { return false };
                if found.is_none() || from.next().is_none() {
                    return false;
                }
                (pattern, text) = (after_star.clone(), from.clone());
                last_star = Some((after_star, from));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_about_the_whole_text() {
        for (pattern, text, want) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "aba", true),
            ("*ab*", "xaab", true),
            ("a*b*c", "a--b--b-c", true),
            ("a*b*c", "a--b--b-", false),
            ("?", "監", true),
            ("?", "", false),
            ("a?c", "abc", true),
            ("A", "a", false),
            ("arn:*:s3:::public-*", "arn:aws:s3:::public-site", true),
            ("arn:*:s3:::public-*", "arn:aws:s3:::private", false),
            ("*監*", "東監京", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), want, "{pattern} {text}");
        }
    }

    #[test]
    fn a_closing_star_means_the_unit_itself_too() {
        for (pattern, path, want) in [
            ("Workloads/*", "Workloads", true),
            ("Workloads/*", "Workloads/Prod/Payments", true),
            ("Workloads/*", "Workloads2", false),
            ("Workloads", "Workloads/Prod", false),
            ("*/Prod/*", "Workloads/Prod", true),
        ] {
            assert_eq!(Glob::new(pattern).matches_path(path), want, "{pattern} {path}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let text = "a".repeat(2_000);
        assert!(!Glob::new(&("*a".repeat(30) + "b")).matches(&text));
    }

    proptest::proptest! {
        #[test]
        fn it_says_what_a_plain_reading_says(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            fn plain(pattern: &[u8], text: &[u8]) -> bool {
                match (pattern.split_first(), text.split_first()) {
                    (None, None) => true,
                    (Some((b'*', rest)), _) => (0..=text.len()).any(|skipped| plain(rest, &text[skipped..])),
                    (Some((b'?', rest)), Some((_, text))) => plain(rest, text),
                    (Some((wanted, rest)), Some((found, text))) => wanted == found && plain(rest, text),
                    _ => false,
                }
            }
            proptest::prop_assert_eq!(Glob::new(&pattern).matches(&text), plain(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
