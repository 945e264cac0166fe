//! Patterns in texts: of `RLIKE`, `capture`, `aparse`.
//!
//! In: a pattern. Out: whether it is one, and how much it takes. What always holds: nothing is matched here; regular expressions are
//! RE2's; one that would need too much memory is refused.

use regex::{Regex, RegexBuilder};

/// Most bytes a compiled expression may take: far above any that a person writes.
const COMPILED_MAX_BYTES: usize = 8 << 20;
/// Most groups of `capture`: New Relic's page on it.
const CAPTURE_GROUPS_MAX: usize = 16;

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// No regular expression, or too large a one.
    #[error("`r'{pattern}'` is no regular expression: {reason}")]
    Expression {
        /// The text.
        pattern: String,
        /// What the compiler of expressions says, on one line.
        reason: String,
    },
    /// `capture` without a group, or with too many.
    #[error("`r'{pattern}'` has {groups} groups; 1 to {CAPTURE_GROUPS_MAX} are allowed")]
    Groups {
        /// The text.
        pattern: String,
        /// How many.
        groups: usize,
    },
    /// `aparse` without a `*`.
    #[error("`'{pattern}'` takes nothing: it has no `*`")]
    NoStar {
        /// The text.
        pattern: String,
    },
}

/// Reads the pattern of `RLIKE`.
///
/// # Errors
/// When it is no regular expression, or too large a one.
pub fn rlike(pattern: &str) -> Result<(), PatternError> {
    expression(pattern).map(drop)
}

/// Reads the pattern of `capture`; gives how many values it takes: the named groups, or all where none has a name.
///
/// # Errors
/// When it is no regular expression, or has no group or more than 16.
pub fn capture(pattern: &str) -> Result<usize, PatternError> {
    let expression = expression(pattern)?;
    let named = expression.capture_names().flatten().count();
    let groups = if named == 0 { expression.captures_len().saturating_sub(1) } else { named };
    if (1..=CAPTURE_GROUPS_MAX).contains(&groups) {
        Ok(groups)
    } else {
        Err(PatternError::Groups { pattern: pattern.to_owned(), groups })
    }
}

/// Reads the pattern of `aparse`; gives how many values it takes: one for each `*`.
///
/// # Errors
/// When it has no `*`.
pub fn aparse(pattern: &str) -> Result<usize, PatternError> {
    match pattern.matches('*').count() {
        0 => Err(PatternError::NoStar { pattern: pattern.to_owned() }),
        stars => Ok(stars),
    }
}

fn expression(pattern: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(pattern).size_limit(COMPILED_MAX_BYTES).build().map_err(|error| {
        // The text shows the pattern over several lines; its last says what is wrong.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        PatternError::Expression { pattern: pattern.to_owned(), reason }
    })
}
