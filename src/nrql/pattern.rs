//! Patterns in texts: of `RLIKE`, `capture`, `aparse`.
//!
//! In: a pattern. Out: whether it is one. What always holds: nothing is matched here, and of a pattern no more is compiled than is needed
//! to read it, so that the work is small; how large an expression may be is not judged: New Relic does not say.

use regex::{Error, Regex, RegexBuilder};

/// Most bytes an expression may take, compiled, for its groups to be counted: far above any that a person writes.
const COUNTED_BYTES: usize = 1 << 20;
/// Most groups of `capture`: New Relic's page on it.
pub const CAPTURE_GROUPS_MAX: usize = 16;

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// No regular expression.
    #[error("r'{pattern}' is no regular expression: {reason}")]
    Expression {
        /// The text.
        pattern: String,
        /// What the compiler of expressions says, on one line.
        reason: String,
    },
    /// `capture` without a group, or with too many.
    #[error("r'{pattern}' has {groups} groups: 1 to {CAPTURE_GROUPS_MAX} as (?P<name>…) are allowed")]
    Groups {
        /// The text.
        pattern: String,
        /// How many.
        groups: usize,
    },
    /// `aparse` without a `*`.
    #[error("'{pattern}' captures nothing: a * stands for what to take")]
    NoStar {
        /// The text.
        pattern: String,
    },
}

impl PatternError {
    /// What the compiler of expressions found wrong with a pattern.
    #[must_use]
    pub fn of(pattern: &str, error: &Error) -> Self {
        // The text shows the pattern over several lines; its last says what is wrong.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Self::Expression { pattern: pattern.to_owned(), reason }
    }
}

/// Reads the pattern of `RLIKE`.
///
/// # Errors
/// When it is no regular expression.
pub fn rlike(pattern: &str) -> Result<(), PatternError> {
    expression(pattern, 0).map(drop)
}

/// Reads the pattern of `capture`, which takes the named groups, or all where none has a name.
///
/// # Errors
/// When it is no regular expression, or has no group or more than 16.
pub fn capture(pattern: &str) -> Result<(), PatternError> {
    let Some(expression) = expression(pattern, COUNTED_BYTES)? else { return Ok(()) };
    groups(pattern, &expression).map(drop)
}

/// The numbers of the groups that `capture` takes.
///
/// # Errors
/// When there is none, or more than 16.
pub fn groups(pattern: &str, expression: &Regex) -> Result<Vec<usize>, PatternError> {
    let named: Vec<usize> = expression.capture_names().enumerate().filter_map(|(group, name)| name.map(|_| group)).collect();
    let groups = if named.is_empty() { (1..expression.captures_len()).collect() } else { named };
    if (1..=CAPTURE_GROUPS_MAX).contains(&groups.len()) {
        Ok(groups)
    } else {
        Err(PatternError::Groups { pattern: pattern.to_owned(), groups: groups.len() })
    }
}

/// Reads the pattern of `aparse`, which takes a value for each `*`.
///
/// # Errors
/// When it has no `*`.
pub fn aparse(pattern: &str) -> Result<(), PatternError> {
    if pattern.contains('*') { Ok(()) } else { Err(PatternError::NoStar { pattern: pattern.to_owned() }) }
}

/// The expression of a pattern; `None`: it is one that takes more than so many bytes.
fn expression(pattern: &str, most_bytes: usize) -> Result<Option<Regex>, PatternError> {
    match RegexBuilder::new(pattern).size_limit(most_bytes).build() {
        Ok(expression) => Ok(Some(expression)),
        Err(Error::CompiledTooBig(_)) => Ok(None),
        Err(error) => Err(PatternError::of(pattern, &error)),
    }
}
