//! The words of the language that could also be names.
//!
//! In: a word and what follows it. Out: whether it is a name there. What always holds: a word printed bare is read as the same
//! name wherever a name may stand; what could be read otherwise is printed in back-ticks.
//!
//! NRQL reserves no word: `name`, `event`, `count`, `limit` are attributes of somebody. Where a clause may start, the word of a
//! clause is that clause. Where a value must stand, it is a name only if what follows could not follow the clause's word.

use super::ast::{Day, Unit};
use super::lexer::{Symbol, TokenKind};

/// Words that are never names, in any place where a value may stand.
const OPERATORS: [&str; 11] = ["AND", "OR", "NOT", "AS", "IN", "IS", "LIKE", "RLIKE", "NULL", "TRUE", "FALSE"];

/// When the word of a clause, where a value must stand, is no name.
#[derive(Debug, Clone, Copy)]
enum Unless {
    /// It is one only before a sign or word that continues a value.
    Continued,
    /// The same, but not before `)` and `,` either: these clauses may stand alone.
    Alone,
    /// It is none before one of these words.
    Word(&'static [&'static str]),
    /// It is none before a number, `{{x}}` or one of these words.
    Amount(&'static [&'static str]),
    /// It is none before a moment.
    Moment,
    /// It is none before `(`.
    Opening,
}

/// Words with which clauses start.
const CLAUSES: [(&str, Unless); 19] = [
    ("SELECT", Unless::Continued),
    ("FROM", Unless::Continued),
    ("WHERE", Unless::Continued),
    ("FACET", Unless::Continued),
    ("WITH", Unless::Continued),
    ("TIMESERIES", Unless::Alone),
    ("EXTRAPOLATE", Unless::Alone),
    ("SINCE", Unless::Moment),
    ("UNTIL", Unless::Moment),
    ("LIMIT", Unless::Amount(&["MAX"])),
    ("OFFSET", Unless::Amount(&[])),
    ("ORDER", Unless::Word(&["BY"])),
    ("COMPARE", Unless::Word(&["WITH"])),
    ("SLIDE", Unless::Word(&["BY"])),
    ("INNER", Unless::Word(&["JOIN"])),
    ("LEFT", Unless::Word(&["JOIN"])),
    ("PREDICT", Unless::Word(&["BY", "USING", "HOLTWINTERS"])),
    ("JOIN", Unless::Opening),
    ("RAW", Unless::Word(&[])),
];

/// More words that are printed in back-ticks: some place would read them otherwise, or a reader stumble.
const ODD: [&str; 8] = ["CASES", "LOOKUP", "ON", "BY", "ASC", "DESC", "TIMEZONE", "METRIC_FORMAT"];

/// Days by their words.
pub(super) const DAYS: [(&str, Day); 9] = [
    ("TODAY", Day::Today),
    ("YESTERDAY", Day::Yesterday),
    ("MONDAY", Day::Monday),
    ("TUESDAY", Day::Tuesday),
    ("WEDNESDAY", Day::Wednesday),
    ("THURSDAY", Day::Thursday),
    ("FRIDAY", Day::Friday),
    ("SATURDAY", Day::Saturday),
    ("SUNDAY", Day::Sunday),
];

/// Units of time by their words, without the `S` they may end in.
pub(super) const UNITS: [(&str, Unit); 9] = [
    ("MILLISECOND", Unit::Millisecond),
    ("SECOND", Unit::Second),
    ("MINUTE", Unit::Minute),
    ("HOUR", Unit::Hour),
    ("DAY", Unit::Day),
    ("WEEK", Unit::Week),
    ("MONTH", Unit::Month),
    ("QUARTER", Unit::Quarter),
    ("YEAR", Unit::Year),
];

/// The unit a word names.
#[must_use]
pub(super) fn unit(word: &str) -> Option<Unit> {
    let single = word.strip_suffix(['s', 'S']).unwrap_or(word);
    UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(single)).map(|(_, unit)| *unit)
}

/// The day a word names.
#[must_use]
pub(super) fn day(word: &str) -> Option<Day> {
    DAYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, day)| *day)
}

/// Whether the word means something in some place, so that it is printed in back-ticks.
#[must_use]
pub(super) fn has_meaning(word: &str) -> bool {
    is_operator(word) || starts_clause(word) || ODD.iter().any(|name| name.eq_ignore_ascii_case(word))
}

/// Whether clauses start with the word.
#[must_use]
pub(super) fn starts_clause(word: &str) -> bool {
    CLAUSES.iter().any(|(name, _)| name.eq_ignore_ascii_case(word))
}

/// Whether the word is one of an operator, or `NULL`, `TRUE`, `FALSE`.
#[must_use]
pub(super) fn is_operator(word: &str) -> bool {
    OPERATORS.iter().any(|name| name.eq_ignore_ascii_case(word))
}

/// Whether a word is a name, where a value must stand: `next` is what follows it, `text` what that says.
#[must_use]
pub(super) fn is_name(word: &str, next: &TokenKind, text: &str) -> bool {
    if is_operator(word) {
        return false;
    }
    let Some((_, unless)) = CLAUSES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) else { return true };
    let is_one_of = |words: &[&str]| *next == TokenKind::Word && words.iter().any(|one| one.eq_ignore_ascii_case(text));
    match unless {
        Unless::Continued => continues(next, text) || matches!(next, TokenKind::Symbol(Symbol::Close | Symbol::Comma)),
        Unless::Alone => continues(next, text),
        Unless::Word(words) => !is_one_of(words),
        Unless::Amount(words) => !matches!(next, TokenKind::Number(_) | TokenKind::Template(_)) && !is_one_of(words),
        Unless::Moment => !starts_moment(next, text),
        Unless::Opening => *next != TokenKind::Symbol(Symbol::Open),
    }
}

/// Whether a token can only stand behind a value.
fn continues(next: &TokenKind, text: &str) -> bool {
    match next {
        TokenKind::Symbol(symbol) => matches!(
            symbol,
            Symbol::Equal
                | Symbol::NotEqual
                | Symbol::Less
                | Symbol::LessOrEqual
                | Symbol::Greater
                | Symbol::GreaterOrEqual
                | Symbol::Slash
                | Symbol::CloseBracket
        ),
        TokenKind::Word => ["AND", "OR", "AS", "IN", "IS", "LIKE", "RLIKE"].iter().any(|word| word.eq_ignore_ascii_case(text)),
        _ => false,
    }
}

/// Whether a moment can start with a token.
fn starts_moment(next: &TokenKind, text: &str) -> bool {
    match next {
        TokenKind::Number(_) | TokenKind::Text { .. } | TokenKind::Template(_) => true,
        TokenKind::Word => day(text).is_some() || ["NOW", "THIS", "LAST"].iter().any(|word| word.eq_ignore_ascii_case(text)),
        _ => false,
    }
}
