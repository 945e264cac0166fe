//! Variables of a dashboard: `{{name}}` in the text of a query.
//!
//! In: the text of a query and what its variables stand for. Out: the text with values in their places, or the names of its
//! variables. What always holds: only whole variables are replaced, and a value given as text cannot end the text it is put
//! into. Variables without a value stay as they are, for the parser takes them.

use super::ast::{Limit, Name, Offset, Query};
use super::lexer::{self, Symbol, Token, TokenKind};
use super::{print, words};

/// How values are written (New Relic's dashboards, `replacementStrategy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// As texts: `'a'`, several as `'a', 'b'`.
    Text,
    /// As numbers.
    Number,
    /// As they are: an event type, an attribute, a whole condition.
    Identifier,
    /// As New Relic guesses. How is not documented; here: as it is for an item of the lists behind `FROM` and `FACET`, for the name
    /// of a function and where a clause may start; as numbers if all are; else as texts.
    #[default]
    Default,
}

/// What a variable stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replacement {
    /// One value, or several of a variable with several choices.
    pub values: Vec<String>,
    /// How they are written.
    pub strategy: Strategy,
}

/// A value does not fit its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// A variable that stands for nothing.
    #[error("variable `{name}` at byte {at} has no value, expected at least one")]
    NoValue {
        /// Which variable.
        name: String,
        /// Where, in bytes.
        at: usize,
    },
    /// A value of a number that is none.
    #[error("variable `{name}` at byte {at} is `{value}`, expected a number")]
    NotANumber {
        /// Which variable.
        name: String,
        /// Where, in bytes.
        at: usize,
        /// Its value.
        value: String,
    },
    /// Several values inside one text or name.
    #[error("variable `{name}` at byte {at} has {count} values, expected one inside quotes")]
    Several {
        /// Which variable.
        name: String,
        /// Where, in bytes.
        at: usize,
        /// How many values.
        count: usize,
    },
    /// A value that would end the name or raw text it is put into.
    #[error("variable `{name}` at byte {at} is `{value}`, expected no quote where none can be escaped")]
    Quote {
        /// Which variable.
        name: String,
        /// Where, in bytes.
        at: usize,
        /// Its value.
        value: String,
    },
}

/// Where a variable stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// By itself.
    Alone,
    /// An item of `FROM` or `FACET`, the name of a function, or clauses.
    Named,
    /// Inside a text, between these quotes.
    Text(char),
    /// Inside a raw text or back-ticks, which end with this.
    Unescaped(char),
}

/// A variable in a text.
pub(super) struct Use<'t> {
    /// Its name.
    pub(super) name: &'t str,
    /// Where `{{` stands, in bytes.
    pub(super) start: usize,
    /// The byte behind `}}`.
    pub(super) end: usize,
    place: Place,
}

/// The names of the variables in a text, each once, in the order in which they stand.
#[must_use]
pub fn variables(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for one in uses(text) {
        if !names.contains(&one.name) {
            names.push(one.name);
        }
    }
    names
}

/// Puts values in the places of variables.
///
/// # Errors
/// The first value that does not fit its place.
pub fn fill(text: &str, replacements: &[(&str, Replacement)]) -> Result<String, FillError> {
    let mut filled = String::with_capacity(text.len());
    let mut copied = 0;
    for one in uses(text) {
        let Some((_, replacement)) = replacements.iter().find(|(name, _)| *name == one.name) else { continue };
        let before = text.get(copied..one.start).unwrap_or_default();
        filled += before;
        filled += &written(&one, replacement, before)?;
        copied = one.end;
    }
    Ok(filled + text.get(copied..).unwrap_or_default())
}

/// Every variable of a text, in order. Behind what is no token nothing is found: the text is no query, whatever is filled in.
pub(super) fn uses(text: &str) -> Vec<Use<'_>> {
    let mut uses = Vec::new();
    let tokens = lexer::tokens(text);
    let mut reader = Places::default();
    for (at, token) in tokens.iter().enumerate() {
        let written = text.get(token.span.range()).unwrap_or_default();
        let next = tokens.get(at + 1);
        let is_name = reader.next(token, written, next, next.and_then(|next| text.get(next.span.range())).unwrap_or_default());
        let place = match token.kind {
            TokenKind::Template(_) if is_name => Place::Named,
            TokenKind::Text { double, .. } => Place::Text(if double { '"' } else { '\'' }),
            TokenKind::Raw(_) => Place::Unescaped('\''),
            TokenKind::Quoted(_) => Place::Unescaped('`'),
            _ => Place::Alone,
        };
        let mut rest = written;
        while let Some((before, after)) = rest.split_once("{{")
            && let Some((name, _)) = after.split_once("}}")
        {
            let start = token.span.end - rest.len() + before.len();
            let end = start + name.len() + "{{}}".len();
            uses.push(Use { name: name.trim(), start, end, place });
            rest = after.get(name.len() + "}}".len()..).unwrap_or_default();
        }
    }
    uses
}

/// What is known of the tokens before one.
#[derive(Default)]
struct Places {
    /// Parentheses that are open: whether each stands in a list of names.
    lists: Vec<bool>,
    /// The list behind `FROM` or `FACET` goes on.
    in_list: bool,
    /// An item of that list begins.
    begins: bool,
    /// A value, or all that a clause needs, ended: what follows is an operator or a clause.
    ended: bool,
}

impl Places {
    /// Passes a token; whether a variable in its place stands for a name or for clauses.
    fn next(&mut self, token: &Token, written: &str, next: Option<&Token>, behind: &str) -> bool {
        let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(written));
        let (begins, ended) = (std::mem::take(&mut self.begins), std::mem::take(&mut self.ended));
        match token.kind {
            TokenKind::Symbol(Symbol::Open) => self.lists.push(std::mem::take(&mut self.in_list)),
            TokenKind::Symbol(Symbol::Close) => {
                self.in_list = self.lists.pop().unwrap_or_default();
                self.ended = true;
            }
            TokenKind::Symbol(Symbol::Comma) => self.begins = self.in_list,
            TokenKind::Symbol(Symbol::CloseBracket) => self.ended = true,
            TokenKind::Symbol(_) | TokenKind::Bad(_) | TokenKind::End => {}
            // Behind a value the word of a clause is that clause; where a value must stand it may be a name.
            TokenKind::Word if words::starts_clause(written) && (ended || !is_name(written, next, behind)) => {
                self.in_list = is(&["FROM", "FACET"]);
                self.begins = self.in_list;
                self.ended = is(&["EXTRAPOLATE", "RAW"]);
            }
            TokenKind::Word if is(&["TIMEZONE", "METRIC_FORMAT", "BY", "ON", "AT"]) => {}
            TokenKind::Word => self.ended = is(&["NULL", "TRUE", "FALSE"]) || !words::is_operator(written),
            TokenKind::Quoted(_) | TokenKind::Text { .. } | TokenKind::Raw(_) | TokenKind::Number(_) => self.ended = true,
            TokenKind::Template(_) => {
                self.ended = true;
                let is_called = next.is_some_and(|next| next.kind == TokenKind::Symbol(Symbol::Open));
                return begins || ended || is_called;
            }
        }
        false
    }
}

fn is_name(word: &str, next: Option<&Token>, behind: &str) -> bool {
    next.is_some_and(|next| words::is_name(word, &next.kind, behind))
}

/// The first variable of a query, not of those in it, that stands for clauses or a number of rows, and what is needed in its place.
#[must_use]
pub fn unfilled(query: &Query) -> Option<(&Name, &'static str)> {
    let limit = match &query.limit {
        Some(Limit::Template(name)) => Some(name),
        _ => None,
    };
    let offset = match &query.offset {
        Some(Offset::Template(name)) => Some(name),
        _ => None,
    };
    let clauses = query.templates.first().map(|name| (name, "clauses are"));
    clauses.or_else(|| limit.or(offset).map(|name| (name, "a whole number is")))
}

/// The values of a variable as text of its place, behind what stands before it.
fn written(one: &Use<'_>, replacement: &Replacement, before: &str) -> Result<String, FillError> {
    let (name, at, values) = (one.name.to_owned(), one.start, &replacement.values);
    let Some(first) = values.first() else { return Err(FillError::NoValue { name, at }) };
    if let Place::Text(_) | Place::Unescaped(_) = one.place
        && values.len() > 1
    {
        return Err(FillError::Several { name, at, count: values.len() });
    }
    let not_a_number = || values.iter().find(|value| !is_number(value));
    match (one.place, replacement.strategy) {
        // The back-slash before it would take the meaning off the one that is put here.
        (Place::Text(quote), _) if before.ends_with('\\') && first.starts_with(['\\', quote]) => {
            Err(FillError::Quote { name, at, value: first.clone() })
        }
        (Place::Text(quote), _) => Ok(print::escaped(first, quote)),
        (Place::Unescaped(end), _) if first.contains(end) => Err(FillError::Quote { name, at, value: first.clone() }),
        (Place::Unescaped(_), _) => Ok(first.clone()),
        (_, Strategy::Identifier) | (Place::Named, Strategy::Default) => Ok(values.join(", ")),
        (_, Strategy::Number) => match not_a_number() {
            Some(value) => Err(FillError::NotANumber { name, at, value: value.clone() }),
            None => Ok(values.join(", ")),
        },
        (_, Strategy::Default) if not_a_number().is_none() => Ok(values.join(", ")),
        (_, Strategy::Text | Strategy::Default) => {
            let texts: Vec<String> = values.iter().map(|value| print::text(value)).collect();
            // Not `r'…'`, nor one text with that before it.
            let apart = if before.ends_with(['r', 'R', '\'']) { " " } else { "" };
            Ok(apart.to_owned() + &texts.join(", "))
        }
    }
}

/// Whether a value is a number as the language writes it, perhaps with a sign.
fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    matches!(&*lexer::tokens(digits), [token, _] if matches!(token.kind, TokenKind::Number(_)) && token.span.range() == (0..digits.len()))
}
