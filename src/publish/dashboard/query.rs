//! A query as it is sent: words put in, labels in the language.
//!
//! In: a query of the definition. Out: NRQL. What always holds: only what stands in `[[ ]]` and the labels after `AS` change; a
//! text in quotes that is no label is left alone.

use super::source::{Definition, Language};

/// The word that stands for `WITH TIMEZONE '…'`.
const TIMEZONE: &str = "timezone";

/// Words within words: deeper is a circle.
const DEEPEST: usize = 8;

/// A word that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum WordError {
    /// It is not in `dashboard.yml`.
    #[error("no word `{word}`; the words are {}", known.join(", "))]
    Unknown {
        /// As written.
        word: String,
        /// Where it begins, bytes of the query as it is written in the file.
        at: usize,
        /// All there are.
        known: Vec<String>,
    },
    /// It stands for itself.
    #[error("the word `{word}` stands for itself")]
    Circle {
        /// Which.
        word: String,
        /// Where, as above.
        at: usize,
    },
    /// `[[` without `]]`.
    #[error("`[[` without `]]`")]
    Open {
        /// Where, as above.
        at: usize,
    },
}

impl WordError {
    /// Where it begins, bytes of the query as it is written in the file.
    pub(super) fn at(&self) -> usize {
        match self {
            Self::Unknown { at, .. } | Self::Circle { at, .. } | Self::Open { at } => *at,
        }
    }
}

/// The query in a language.
pub(super) fn written(
    definition: &Definition,
    query: &str,
    language: Language,
    timezone: Option<&str>,
) -> Result<String, WordError> {
    let zone = timezone.unwrap_or_else(|| definition.shared.timezone.get(language));
    let filled = fill(definition, query, zone)?;
    Ok(translated(&filled, |label| definition.label(label, language).to_owned()))
}

/// With every word put in.
pub(super) fn fill(definition: &Definition, query: &str, timezone: &str) -> Result<String, WordError> {
    let mut out = String::new();
    let mut rest = query;
    while let Some((before, after)) = rest.split_once("[[") {
        let at = query.len() - after.len() - 2;
        let (word, next) = after.split_once("]]").ok_or(WordError::Open { at })?;
        out.push_str(before);
        out.push_str(&meaning(definition, word.trim(), timezone, at, DEEPEST)?);
        rest = next;
    }
    out.push_str(rest);
    Ok(out)
}

fn meaning(definition: &Definition, word: &str, timezone: &str, at: usize, deepest: usize) -> Result<String, WordError> {
    if word == TIMEZONE {
        return Ok(format!("WITH TIMEZONE '{timezone}'"));
    }
    let words = &definition.shared.words;
    let Some(text) = words.get(word) else {
        let known = words.keys().cloned().chain([TIMEZONE.to_owned()]).collect();
        return Err(WordError::Unknown { word: word.to_owned(), at, known });
    };
    let Some(deeper) = deepest.checked_sub(1) else { return Err(WordError::Circle { word: word.to_owned(), at }) };
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("[[") {
        let (inner, next) = after.split_once("]]").ok_or(WordError::Open { at })?;
        out.push_str(before);
        out.push_str(&meaning(definition, inner.trim(), timezone, at, deeper)?);
        rest = next;
    }
    out.push_str(rest);
    Ok(out)
}

/// With every label after `AS` as `label` says it.
pub(super) fn translated(query: &str, label: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(query.len());
    for part in parts(query) {
        match part {
            Part::Label(text) => {
                out.push('\'');
                out.push_str(&label(text).replace('\'', "\\'"));
                out.push('\'');
            }
            Part::Other(text) => out.push_str(text),
        }
    }
    out
}

/// The labels of a query.
pub(super) fn labels(query: &str) -> Vec<&str> {
    parts(query)
        .into_iter()
        .filter_map(|part| match part {
            Part::Label(text) => Some(text),
            Part::Other(_) => None,
        })
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    /// A text in quotes after `AS`, without its quotes.
    Label(&'a str),
    /// Anything else.
    Other(&'a str),
}

/// A query cut at its quotes. No query of ours has a quote within a text; one that had would not parse, which lint tells.
fn parts(query: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = query;
    while let Some((before, after)) = rest.split_once('\'') {
        parts.push(Part::Other(before));
        let Some((text, next)) = after.split_once('\'') else {
            parts.push(Part::Other(rest.get(before.len()..).unwrap_or_default()));
            return parts;
        };
        let is_label = before.trim_end().rsplit(|c: char| c.is_whitespace()).next().is_some_and(|word| word == "AS");
        parts.push(if is_label {
            Part::Label(text)
        } else {
            let from = before.len();
            Part::Other(rest.get(from..from + text.len() + 2).unwrap_or_default())
        });
        rest = next;
    }
    parts.push(Part::Other(rest));
    parts
}
