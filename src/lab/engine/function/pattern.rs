//! Patterns: `RLIKE`, `capture`, `aparse`.
//!
//! In: a pattern. Out: a matcher, made once for a query. What always holds: the whole value must match; regular expressions are RE2's, so
//! they take time linear in the value, and a pattern that needs too much memory is refused; what is captured is text.

use regex::{Captures, Error, Regex, RegexBuilder};

use super::{Named, Prepared, RowFunction, list, maybe_text, text_at};
use crate::lab::engine::{time::Context, value::Value};

/// Most bytes a compiled expression may take, the last one far above any that a person writes. Each is tried in turn, which tells
/// about how many bytes an expression needs.
const COMPILED_BYTES: [usize; 3] = [64 << 10, 1 << 20, 8 << 20];
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

/// A compiled expression, and the most bytes it takes.
#[derive(Debug, Clone)]
struct Compiled {
    regex: Regex,
    bytes: usize,
}

fn build(pattern: &str, written: &str, ignore_case: bool) -> Result<Compiled, PatternError> {
    let mut builder = RegexBuilder::new(pattern);
    builder.case_insensitive(ignore_case).dot_matches_new_line(ignore_case);
    let mut fault = None;
    for bytes in COMPILED_BYTES {
        match builder.size_limit(bytes).build() {
            Ok(regex) => return Ok(Compiled { regex, bytes }),
            Err(error @ Error::CompiledTooBig(_)) => fault = Some(error),
            Err(error) => return Err(expression_fault(written, &error)),
        }
    }
    Err(fault.map_or_else(|| expression_fault(written, &Error::CompiledTooBig(0)), |error| expression_fault(written, &error)))
}

fn expression_fault(written: &str, error: &Error) -> PatternError {
    // The text shows the pattern over several lines; its last says what is wrong.
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    PatternError::Expression { pattern: written.to_owned(), reason }
}

/// Whether a pattern is well-formed by itself, however large: it is read, not compiled.
fn well_formed(pattern: &str) -> Result<(), PatternError> {
    match RegexBuilder::new(pattern).size_limit(0).build() {
        Err(error @ Error::Syntax(_)) => Err(expression_fault(pattern, &error)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// An expression for the whole value.
fn anchored(pattern: &str) -> Result<Compiled, PatternError> {
    // By itself first: a pattern that closes a group it never opened would break out of ours.
    well_formed(pattern)?;
    // Where the pattern ends in a comment (`(?x)`), that hides the end of our group: then, and only then, the group is not closed. A
    // line break in any other pattern would be a part of what must match.
    build(&format!(r"\A(?:{pattern})\z"), pattern, false).or_else(|_| build(&format!("\\A(?:{pattern}\n)\\z"), pattern, false))
}

/// `RLIKE`: a regular expression for the whole value, in its case.
#[derive(Debug, Clone)]
pub struct Rlike(Compiled);

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
        self.0.regex.is_match(value)
    }

    /// The most bytes it takes, compiled.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }
}

/// `capture`: the groups of a regular expression for the whole value.
#[derive(Debug, Clone)]
pub struct Capture {
    compiled: Compiled,
    /// The named groups; all, where none has a name.
    groups: Vec<usize>,
}

impl Capture {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it is no regular expression, or has no group or too many.
    pub fn compile(pattern: &str) -> Result<Self, PatternError> {
        let compiled = anchored(pattern)?;
        let regex = &compiled.regex;
        let named: Vec<usize> = regex.capture_names().enumerate().filter_map(|(group, name)| name.map(|_| group)).collect();
        let groups = if named.is_empty() { (1..regex.captures_len()).collect() } else { named };
        if groups.is_empty() || groups.len() > CAPTURE_GROUPS_MAX {
            return Err(PatternError::Groups { pattern: pattern.to_owned(), groups: groups.len() });
        }
        Ok(Self { compiled, groups })
    }

    /// The most bytes it takes, compiled.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.compiled.bytes
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
        pick(self.compiled.regex.captures(text).as_ref(), &self.groups)
    }
}

/// `aparse`: what stands between anchors.
#[derive(Debug, Clone)]
pub struct Aparse {
    compiled: Compiled,
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
        Ok(Self { compiled: build(&expression, pattern, true)?, groups: (1..=stars).collect() })
    }

    /// The most bytes it takes, compiled.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.compiled.bytes
    }

    /// How many values come out.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.groups.len()
    }

    /// As [`Capture::apply`].
    #[must_use]
    pub fn apply(&self, text: &str) -> Value {
        pick(self.compiled.regex.captures(text).as_ref(), &self.groups)
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
