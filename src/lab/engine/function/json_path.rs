//! Paths into JSON: `users[*].id`, `a[0:2]`, `["k"]`.
//!
//! In: a path as New Relic's page on `jparse` writes it. Out: the value it leads to. What always holds: a path that leads nowhere is null;
//! after a part that picks several values (`[*]`, `[0,2]`, `[1:]`, `[k1, k2]`) the rest of the path is followed from each, and those
//! from which it leads nowhere are null in their place.

use super::list;
use crate::lab::engine::{function::text::field, value::Value};

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{path}' is no JSON path at its byte {at}: {allowed}")]
pub struct JsonPathError {
    /// The text.
    pub path: String,
    /// The byte of the text where reading stopped.
    pub at: usize,
    /// What may stand there.
    pub allowed: &'static str,
}

/// A path, read.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath(Vec<Step>);

/// One part of a path.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(Value),
    Keys(Vec<Value>),
    Position(i64),
    Positions(Vec<i64>),
    /// From, included; to, not included.
    Slice(Option<i64>, Option<i64>),
    All,
}

impl JsonPath {
    /// Reads a path; the empty one leads to the whole value.
    ///
    /// # Errors
    /// When the text is no path.
    pub fn compile(path: &str) -> Result<Self, JsonPathError> {
        let mut steps = Vec::new();
        let mut rest = path;
        let error = |rest: &str, allowed| JsonPathError { path: path.to_owned(), at: path.len() - rest.len(), allowed };
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (step, after) = selector(inner).map_err(|(rest, allowed)| error(rest, allowed))?;
                steps.push(step);
                rest = after;
                continue;
            }
            let name = match rest.strip_prefix('.') {
                Some(name) if !steps.is_empty() => name,
                None if steps.is_empty() => rest,
                _ => return Err(error(rest, "a name, '.name' or '[…]'")),
            };
            let end = name.find(['.', '[', ']']).unwrap_or(name.len());
            let (name, after) = name.split_at_checked(end).unwrap_or((name, ""));
            if name.is_empty() || after.starts_with(']') {
                return Err(error(after, "a name, '.name' or '[…]'"));
            }
            steps.push(Step::Key(Value::text(name)));
            rest = after;
        }
        Ok(Self(steps))
    }

    /// The value the path leads to.
    #[must_use]
    pub fn apply(&self, value: &Value) -> Value {
        follow(&self.0, value)
    }
}

fn follow(steps: &[Step], value: &Value) -> Value {
    let Some((step, rest)) = steps.split_first() else { return value.clone() };
    match step {
        Step::Key(key) => follow_part(rest, &field(value, key)),
        Step::Keys(keys) if matches!(value, Value::Object(_)) => {
            list(keys.iter().map(|key| follow_part(rest, &field(value, key))))
        }
        Step::Keys(_) => Value::Null,
        step => match value {
            Value::List(values) => follow_list(step, rest, values),
            _ => Value::Null,
        },
    }
}

/// Nothing is part of null.
fn follow_part(rest: &[Step], part: &Value) -> Value {
    if part.is_null() { Value::Null } else { follow(rest, part) }
}

fn follow_list(step: &Step, rest: &[Step], values: &[Value]) -> Value {
    let at = |position: &i64| {
        let position = place(*position, values.len(), None);
        position.and_then(|place| values.get(place)).map_or(Value::Null, |value| follow(rest, value))
    };
    match step {
        Step::Position(position) => at(position),
        Step::Positions(positions) => list(positions.iter().map(at)),
        Step::Slice(from, to) => {
            let bound = |position: Option<i64>, otherwise| {
                position.and_then(|position| place(position, values.len(), Some(()))).unwrap_or(otherwise)
            };
            let (from, to) = (bound(*from, 0), bound(*to, values.len()));
            list(values.iter().take(to).skip(from).map(|value| follow(rest, value)))
        }
        _ => list(values.iter().map(|value| follow(rest, value))),
    }
}

/// A position from the start, from the end if negative. Beyond the start there is no position, but the bound of a slice is the start.
fn place(position: i64, length: usize, bound: Option<()>) -> Option<usize> {
    let distance = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
    match position {
        0.. => Some(distance),
        _ => length.checked_sub(distance).or(bound.map(|()| 0)),
    }
}

/// The rest of the text where reading stopped, and what may stand there.
type Stop<'a> = (&'a str, &'static str);

/// What stands between brackets, and the text after them.
fn selector(inner: &str) -> Result<(Step, &str), Stop<'_>> {
    const FORM: &str = "'*', positions, a slice or names, and ']'";
    let mut items = Vec::new();
    let mut rest = inner;
    loop {
        rest = rest.trim_start();
        let (item, after) = item(rest)?;
        items.push((item, rest));
        let after = after.trim_start();
        if let Some(end) = after.strip_prefix(']') {
            rest = end;
            break;
        }
        rest = after.strip_prefix(',').ok_or((after, "',' or ']'"))?;
    }
    let mut keys = Vec::new();
    let mut positions = Vec::new();
    let several = items.len() > 1;
    for (item, at) in items {
        match item {
            Item::Name(name) if positions.is_empty() => keys.push(Value::text(name)),
            Item::Position(position) if keys.is_empty() => positions.push(position),
            Item::All if !several => return Ok((Step::All, rest)),
            Item::Slice(from, to) if !several => return Ok((Step::Slice(from, to), rest)),
            _ => return Err((at, FORM)),
        }
    }
    let step = match (keys.as_slice(), positions.as_slice()) {
        ([key], _) => Step::Key(key.clone()),
        (_, [position]) => Step::Position(*position),
        (_, []) => Step::Keys(keys),
        _ => Step::Positions(positions),
    };
    Ok((step, rest))
}

/// One item between brackets.
enum Item {
    All,
    Name(String),
    Position(i64),
    Slice(Option<i64>, Option<i64>),
}

fn item(text: &str) -> Result<(Item, &str), Stop<'_>> {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return quoted(inner, quote).ok_or((text, "a name in quotes, closed"));
        }
    }
    let end = text.find([',', ']']).ok_or((text, "',' or ']'"))?;
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let word = word.trim();
    let position = |text: &str| text.trim().parse::<i64>().ok();
    let item = match word.split_once(':') {
        _ if word.is_empty() => return Err((text, "'*', a position, a slice or a name")),
        _ if word == "*" => Item::All,
        Some((from, to)) => {
            let bound = |side: &str| if side.trim().is_empty() { Some(None) } else { position(side).map(Some) };
            match (bound(from), bound(to)) {
                (Some(from), Some(to)) => Item::Slice(from, to),
                _ => return Err((text, "a slice as 0:2, :2 or -1:")),
            }
        }
        None => position(word).map_or_else(|| Item::Name(word.to_owned()), Item::Position),
    };
    Ok((item, rest))
}

/// A name up to its closing quote; a backslash takes the next character as it is.
fn quoted(inner: &str, quote: char) -> Option<(Item, &str)> {
    let mut name = String::new();
    let mut letters = inner.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => name.push(letters.next()?.1),
            _ if letter == quote => return inner.get(at + letter.len_utf8()..).map(|rest| (Item::Name(name), rest)),
            _ => name.push(letter),
        }
    }
    None
}
