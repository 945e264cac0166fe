//! Date patterns in Java's letters: `yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]`.
//!
//! In: a pattern. Out: a time as text, or the time a text names. What always holds: a letter that is no field is refused when the pattern
//! is read, never later; texts are English and in their own case; what a text does not say is 0 for a time, 1 for a date, and a field
//! without the greater ones above it (a day without its month) names no time. The engine writes and reads times by it.

/// Why a text is no date pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{pattern}' is no date pattern at its byte {at}: {allowed}")]
pub struct DatePatternError {
    /// The text.
    pub pattern: String,
    /// The byte of the text where reading stopped.
    pub at: usize,
    /// What may stand there.
    pub allowed: &'static str,
}

/// A pattern, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatePattern {
    pub(crate) items: Vec<Item>,
}

/// One part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// Itself.
    Literal(String),
    /// A field, and how often its letter stands.
    Field(Field, usize),
    /// `[…]`: may be absent.
    Optional(Vec<Self>),
}

/// What a letter stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Year,
    Quarter,
    Month,
    DayOfYear,
    DayOfMonth,
    Weekday,
    Half,
    /// `H`: 0 to 23.
    Hour,
    /// `k`: 1 to 24.
    HourFrom1,
    /// `h`: 1 to 12.
    HalfHourFrom1,
    /// `K`: 0 to 11.
    HalfHour,
    Minute,
    Second,
    /// Digits after the point of a second.
    Fraction,
    MilliOfDay,
    ZoneId,
    ZoneName,
    /// `O`: `GMT+8`.
    GmtOffset,
    /// `X`: `Z` or an offset.
    OffsetOrZ,
    /// `x` and `Z`: an offset.
    Offset,
    /// `Z` four times: `GMT+08:00`, and five times: as `XXX`.
    LongOffset,
}

/// Letter, fewest and most of it in a row, and what it stands for.
const LETTERS: [(char, usize, usize, Field); 26] = [
    ('y', 1, 9, Field::Year),
    ('u', 1, 9, Field::Year),
    ('Q', 1, 4, Field::Quarter),
    ('q', 1, 4, Field::Quarter),
    ('M', 1, 5, Field::Month),
    ('L', 1, 5, Field::Month),
    ('D', 1, 3, Field::DayOfYear),
    ('d', 1, 2, Field::DayOfMonth),
    ('E', 1, 5, Field::Weekday),
    ('a', 1, 1, Field::Half),
    ('H', 1, 2, Field::Hour),
    ('k', 1, 2, Field::HourFrom1),
    ('h', 1, 2, Field::HalfHourFrom1),
    ('K', 1, 2, Field::HalfHour),
    ('m', 1, 2, Field::Minute),
    ('s', 1, 2, Field::Second),
    ('S', 1, 9, Field::Fraction),
    ('A', 1, 8, Field::MilliOfDay),
    ('V', 2, 2, Field::ZoneId),
    ('z', 1, 3, Field::ZoneName),
    ('O', 1, 1, Field::GmtOffset),
    ('O', 4, 4, Field::LongOffset),
    ('X', 1, 3, Field::OffsetOrZ),
    ('x', 1, 3, Field::Offset),
    ('Z', 1, 3, Field::Offset),
    ('Z', 4, 5, Field::LongOffset),
];

impl DatePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When a letter is no field, or a bracket or quote is left open.
    pub fn compile(pattern: &str) -> Result<Self, DatePatternError> {
        // What is open: the items of each bracket around the place.
        let mut open: Vec<Vec<Item>> = Vec::new();
        let mut items: Vec<Item> = Vec::new();
        let mut rest = pattern;
        let error =
            |rest: &str, allowed| DatePatternError { pattern: pattern.to_owned(), at: pattern.len() - rest.len(), allowed };
        while let Some(letter) = rest.chars().next() {
            let run = rest.chars().take_while(|other| *other == letter).count();
            let mut length = letter.len_utf8();
            match letter {
                '[' => open.push(std::mem::take(&mut items)),
                ']' => {
                    let outer = open.pop().ok_or_else(|| error(rest, "a '[' before it"))?;
                    let inner = std::mem::replace(&mut items, outer);
                    items.push(Item::Optional(inner));
                }
                '\'' => {
                    let (text, quoted) = quoted(rest).ok_or_else(|| error(rest, "a closing quote"))?;
                    push_literal(&mut items, &text);
                    length = quoted;
                }
                _ if letter.is_ascii_alphabetic() => {
                    let field =
                        LETTERS.iter().find(|(known, least, most, _)| *known == letter && (*least..=*most).contains(&run));
                    let (.., field) =
                        field.ok_or_else(|| error(rest, "letters y u Q q M L D d E a H k h K m s S A V z O X x Z"))?;
                    items.push(match (letter, run) {
                        ('Z', 5) => Item::Field(Field::OffsetOrZ, 3),
                        ('Z', 4) => Item::Field(Field::LongOffset, 4),
                        ('Z', _) => Item::Field(Field::Offset, 2),
                        _ => Item::Field(*field, run),
                    });
                    length = run;
                }
                '#' | '{' | '}' => return Err(error(rest, "quotes around '#', '{' and '}'")),
                _ => push_literal(&mut items, &letter.to_string()),
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        if open.is_empty() { Ok(Self { items }) } else { Err(error(rest, "']'")) }
    }
}

fn push_literal(items: &mut Vec<Item>, text: &str) {
    match items.last_mut() {
        Some(Item::Literal(literal)) => literal.push_str(text),
        _ => items.push(Item::Literal(text.to_owned())),
    }
}

/// The text in quotes at the start, and how long it is with them. Two quotes are one, in quotes and outside.
fn quoted(text: &str) -> Option<(String, usize)> {
    if text.starts_with("''") {
        return Some(("'".to_owned(), 2));
    }
    let mut inner = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != '\'' {
            inner.push(letter);
        } else if letters.next_if(|(_, next)| *next == '\'').is_some() {
            inner.push('\'');
        } else {
            return Some((inner, at + 1));
        }
    }
    None
}
