//! What is wrong with a text that is no query.
//!
//! In: a text and a place in it. Out: a fault that says where, what stands there and what is allowed. What always holds: the
//! message begins with [`PREFIX`], as New Relic's own does; lines and columns count from 1, columns in characters.

use std::fmt;

use super::ast::Span;

/// How every message begins; programs that ask New Relic look for it (`actor.account.nrql`, errors).
pub const PREFIX: &str = "NRQL Syntax Error";

/// A text is not NRQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{PREFIX} at line {line}, column {column}: {}", self.message())]
pub struct SyntaxError {
    /// What cannot be there, in bytes; empty at the end of the text.
    pub span: Span,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What stands there, in words.
    pub found: String,
    /// What may stand there, in words; never empty, each once.
    pub expected: Vec<String>,
}

impl SyntaxError {
    pub(super) fn new(text: &str, span: Span, found: String, expected: Vec<String>) -> Self {
        let (line, column) = line_and_column(text, span.start);
        Self { span, line, column, found, expected }
    }

    /// The message without position.
    #[must_use]
    pub fn message(&self) -> String {
        format!("found {}, expected {}", self.found, Choice(&self.expected))
    }
}

/// `a, b or c`.
struct Choice<'a>(&'a [String]);

impl fmt::Display for Choice<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, choice) in self.0.iter().enumerate() {
            let before = match place {
                0 => "",
                _ if place + 1 == self.0.len() => " or ",
                _ => ", ",
            };
            write!(out, "{before}{choice}")?;
        }
        Ok(())
    }
}

/// Line and column of a byte, both from 1; a column is a character.
#[must_use]
pub fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before: Vec<char> = text.char_indices().take_while(|(start, _)| *start < at).map(|(_, c)| c).collect();
    let lines = before.iter().filter(|c| **c == '\n').count();
    let column = before.iter().rev().take_while(|c| **c != '\n').count();
    (lines + 1, column + 1)
}
