//! What a text says that is read, but in no way that is documented.
//!
//! In: what the parser met. Out: warnings with their place. What always holds: a text with warnings has a tree, and that tree
//! printed has none.

use std::fmt;

use super::ast::Span;

/// One thing worth a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// Where, in bytes.
    pub span: Span,
    /// What.
    pub kind: WarningKind,
}

/// What is worth a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarningKind {
    /// `"text"`: NRQL's texts stand in single quotes.
    DoubleQuotes,
    /// A name given inside parentheses or arguments, which names nothing.
    UselessName,
    /// A comma with nothing behind it.
    TrailingComma,
    /// `SLIDE BY` without `TIMESERIES`.
    SlideAlone,
}

impl fmt::Display for WarningKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::DoubleQuotes => "a text in double quotes: New Relic documents single quotes only",
            Self::UselessName => "`AS` inside parentheses or arguments names nothing",
            Self::TrailingComma => "a comma with nothing behind it",
            Self::SlideAlone => "`SLIDE BY` without `TIMESERIES`: read as `TIMESERIES AUTO`",
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(out)
    }
}
