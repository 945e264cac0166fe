//! Patterns: `RLIKE`, `capture`, `aparse`.
//!
//! In: a pattern. Out: a matcher, made once for a query. What always holds: the whole value must match; regular expressions are RE2's, so
//! they take time linear in the value, and a pattern that needs too much memory is refused; what is captured is text.

use regex::{Captures, Error, Regex, RegexBuilder};

use super::{Named, Prepared, RowFunction, list, maybe_text, text_at};
use crate::lab::engine::{time::Context, value::Value};
use crate::nrql::pattern;
pub use crate::nrql::pattern::{CAPTURE_GROUPS_MAX, PatternError};

/// Most bytes a compiled expression may take, the last one far above any that a person writes. Each is tried in turn, which tells
/// about how many bytes an expression needs.
const COMPILED_BYTES: [usize; 3] = [64 << 10, 1 << 20, 8 << 20];

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

/// A compiled expression, and the most bytes it takes.
#[derive(Debug, Clone)]
struct Compiled {
    regex: Regex,
    bytes: usize,
}

fn build(pattern: &str, written: &str, ignore_case: bool) -> Result<Compiled, PatternError> {
    let mut builder = RegexBuilder::new(pattern);
    builder.case_insensitive(ignore_case).dot_matches_new_line(ignore_case);
    let mut fault = Error::CompiledTooBig(0);
    for bytes in COMPILED_BYTES {
        match builder.size_limit(bytes).build() {
            Ok(regex) => return Ok(Compiled { regex, bytes }),
            Err(error @ Error::CompiledTooBig(_)) => fault = error,
            Err(error) => return Err(PatternError::of(written, &error)),
        }
    }
    Err(PatternError::of(written, &fault))
}

/// An expression for the whole value.
fn anchored(pattern: &str) -> Result<Compiled, PatternError> {
    // By itself first: a pattern that closes a group it never opened would break out of ours.
    pattern::rlike(pattern)?;
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
        let groups = pattern::groups(pattern, &compiled.regex)?;
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
        pattern::aparse(pattern)?;
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
        Ok(Self { compiled: build(&expression, pattern, true)?, groups: (1..=pattern.matches('*').count()).collect() })
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
