//! Patterns: `RLIKE`, `capture`, `aparse`.
//!
//! In: a pattern. Out: a matcher, made once for a query. What always holds: the whole value must match; regular expressions are RE2's, so
//! they take time linear in the value, and a pattern that needs too much memory is refused; what is captured is text.

use regex::{Captures, Regex, RegexBuilder};

use super::{Named, Prepared, RowFunction, list, maybe_text, text_at};
use crate::lab::engine::{time::Context, value::Value};

/// Most bytes a compiled expression may take: far above any that a person writes.
const COMPILED_MAX_BYTES: usize = 8 << 20;
/// Most groups of `capture`: New Relic's page on it.
pub const CAPTURE_GROUPS_MAX: usize = 16;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction::new("capture", 2, 2, |_: &Context, args, _: &Named<'_>| match (text_at(args, 0), text_at(args, 1)) {
        (Some(text), Some(pattern)) => Capture::compile(pattern).map_or(Value::Null, |capture| capture.apply(text)),
        _ => Value::Null,
    })
    .prepare(|pattern| Ok(Prepared::Capture(Capture::compile(pattern)?))),
    RowFunction::new("aparse", 2, 2, |_: &Context, args, _: &Named<'_>| match (text_at(args, 0), text_at(args, 1)) {
        (Some(text), Some(pattern)) => Aparse::compile(pattern).map_or(Value::Null, |aparse| aparse.apply(text)),
        _ => Value::Null,
    })
    .prepare(|pattern| Ok(Prepared::Aparse(Aparse::compile(pattern)?))),
];

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// No regular expression, or too large a one.
    #[error("r'{pattern}' is no regular expression: {reason}")]
    Expression {
        /// The pattern.
        pattern: String,
        /// What the compiler of expressions says, on one line.
        reason: String,
    },
    /// `capture` without a group, or with too many.
    #[error("r'{pattern}' has {groups} groups: 1 to {CAPTURE_GROUPS_MAX} as (?P<name>…) are allowed")]
    Groups {
        /// The pattern.
        pattern: String,
        /// How many.
        groups: usize,
    },
    /// `aparse` without a `*`.
    #[error("'{pattern}' captures nothing: a * stands for what to take")]
    NoStar {
        /// The pattern.
        pattern: String,
    },
}

fn build(pattern: &str, written: &str, ignore_case: bool) -> Result<Regex, PatternError> {
    RegexBuilder::new(pattern)
        .size_limit(COMPILED_MAX_BYTES)
        .case_insensitive(ignore_case)
        .dot_matches_new_line(ignore_case)
        .build()
        .map_err(|error| {
            // The text shows the pattern over several lines; its last says what is wrong.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            PatternError::Expression { pattern: written.to_owned(), reason }
        })
}

/// An expression for the whole value.
fn anchored(pattern: &str) -> Result<Regex, PatternError> {
    // By itself first: a pattern that closes a group it never opened would break out of ours.
    build(pattern, pattern, false)?;
    // Where the pattern ends in a comment (`(?x)`), that hides the end of our group: then, and only then, the group is not closed. A
    // line break in any other pattern would be a part of what must match.
    build(&format!(r"\A(?:{pattern})\z"), pattern, false).or_else(|_| build(&format!("\\A(?:{pattern}\n)\\z"), pattern, false))
}

/// `RLIKE`: a regular expression for the whole value, in its case.
#[derive(Debug, Clone)]
pub struct Rlike(Regex);

impl Rlike {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it is no regular expression of RE2's kind, or too large.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        anchored(pattern).map(Self)
    }

    /// Whether the whole value matches.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        self.0.is_match(value)
    }
}

/// `capture`: the groups of a regular expression for the whole value.
#[derive(Debug, Clone)]
pub struct Capture {
    regex: Regex,
    /// The named groups; all, where none has a name.
    groups: Vec<usize>,
}

impl Capture {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it is no regular expression, or has no group or too many.
    pub fn compile(pattern: &str) -> Result<Self, PatternError> {
        let regex = anchored(pattern)?;
        let named: Vec<usize> = regex.capture_names().enumerate().filter_map(|(group, name)| name.map(|_| group)).collect();
        let groups = if named.is_empty() { (1..regex.captures_len()).collect() } else { named };
        if groups.is_empty() || groups.len() > CAPTURE_GROUPS_MAX {
            return Err(PatternError::Groups { pattern: pattern.to_owned(), groups: groups.len() });
        }
        Ok(Self { regex, groups })
    }

    /// How many values come out.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.groups.len()
    }

    /// The text of the group; a list, one for each, if there are several. Null where the value does not match, and for a group that
    /// took no part.
    #[must_use]
    pub fn apply(&self, text: &str) -> Value {
        pick(self.regex.captures(text).as_ref(), &self.groups)
    }
}

/// `aparse`: what stands between anchors.
#[derive(Debug, Clone)]
pub struct Aparse {
    regex: Regex,
    groups: Vec<usize>,
}

impl Aparse {
    /// Compiles a pattern: `*` takes, `%` skips, each as little as it can; everything else stands for itself, in any case.
    ///
    /// # Errors
    /// When nothing is taken, or the pattern is too large.
    pub fn compile(pattern: &str) -> Result<Self, PatternError> {
        let stars = pattern.matches('*').count();
        if stars == 0 {
            return Err(PatternError::NoStar { pattern: pattern.to_owned() });
        }
        let mut expression = String::from(r"\A");
        for piece in pattern.split_inclusive(['*', '%']) {
            let (anchor, wildcard) = match piece.strip_suffix('*') {
                Some(anchor) => (anchor, "(.*?)"),
                None => piece.strip_suffix('%').map_or((piece, ""), |anchor| (anchor, ".*?")),
            };
            expression.push_str(&regex::escape(anchor));
            expression.push_str(wildcard);
        }
        expression.push_str(r"\z");
        Ok(Self { regex: build(&expression, pattern, true)?, groups: (1..=stars).collect() })
    }

    /// How many values come out.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.groups.len()
    }

    /// As [`Capture::apply`].
    #[must_use]
    pub fn apply(&self, text: &str) -> Value {
        pick(self.regex.captures(text).as_ref(), &self.groups)
    }
}

fn pick(captures: Option<&Captures<'_>>, groups: &[usize]) -> Value {
    let Some(captures) = captures else { return Value::Null };
    let taken = |group: &usize| maybe_text(captures.get(*group).map(|taken| taken.as_str()));
    match groups {
        [only] => taken(only),
        several => list(several.iter().map(taken)),
    }
}
