//! One thing that is wrong.

use std::fmt;

use super::super::ast::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The answer depends on what is not documented, or shows less than it seems to.
    Warning,
    /// New Relic refuses it, or its answer is not what is asked for.
    Error,
}

impl Severity {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where, in bytes.
    pub span: Span,
    /// Which rule: an id of [`super::RULES`].
    pub rule: &'static str,
    /// How bad; that of the rule.
    pub severity: Severity,
    /// What was found and what is allowed.
    pub message: String,
    /// What to do; empty if the message says it.
    pub hint: String,
}

impl Finding {
    /// Whether two findings say the same of the same place.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.span.range() == other.span.range() && self == other
    }
}

impl fmt::Display for Finding {
    /// `error[rule]: message; hint`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}[{}]: {}", self.severity.as_str(), self.rule, self.message)?;
        if self.hint.is_empty() { Ok(()) } else { write!(out, "; {}", self.hint) }
    }
}
