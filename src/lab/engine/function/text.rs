//! Text: joining, cutting, finding, encoding.
//!
//! What always holds: lengths and positions count characters, not bytes, from 0.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{ARGUMENTS_MAX, Named, RowFunction, count, list, maybe_text, text_at, whole_at};
use crate::lab::engine::{
    time::{Context, whole},
    value::Value,
};

/// Most characters `concat` gives: New Relic's page on it.
const CONCAT_MAX: usize = 4_096;
/// Most arguments of `concat`: the same page.
const CONCAT_ARGUMENTS_MAX: usize = 20;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction::new("concat", 0, CONCAT_ARGUMENTS_MAX, concat).named(&["precision"]),
    RowFunction::new("substring", 2, 3, substring),
    RowFunction::new("position", 2, 3, position).aliases(&["indexOf"]),
    RowFunction::new("length", 1, 1, length),
    RowFunction::new("lower", 1, 1, |_, args, _| maybe_text(text_at(args, 0).map(str::to_lowercase))),
    RowFunction::new("upper", 1, 1, |_, args, _| maybe_text(text_at(args, 0).map(str::to_uppercase))),
    RowFunction::new("encode", 2, 2, encode),
    RowFunction::new("decode", 2, 2, decode),
    RowFunction::new("blob", 1, 1, |_, args, _| maybe_text(text_at(args, 0).map(|text| STANDARD.encode(text)))),
    RowFunction::new("tuple", 1, ARGUMENTS_MAX, |_, args, _| list(args.iter().cloned())),
    RowFunction::new("getField", 2, 2, |_, args, _| match args {
        [value, key] => field(value, key),
        _ => Value::Null,
    })
    .word(1),
    RowFunction::new("contains", 2, 2, contains),
];

/// Nulls are skipped, everything else is written.
fn concat(_: &Context, args: &[Value], named: &Named<'_>) -> Value {
    let precision = precision(named);
    let mut joined = String::new();
    for value in args.iter().filter(|value| !value.is_null()) {
        write(&mut joined, value, precision);
    }
    if let Some((end, _)) = joined.char_indices().nth(CONCAT_MAX) {
        joined.truncate(end);
    }
    Value::text(joined)
}

/// Most decimal places, if `precision:` says so.
pub(super) fn precision(named: &Named<'_>) -> Option<usize> {
    named.get("precision").and_then(Value::as_number).and_then(whole).and_then(|places| usize::try_from(places).ok())
}

/// A value as text: `string()`, `concat()`. A list stands in brackets, separated by a comma and a blank.
#[must_use]
pub fn display(value: &Value, precision: Option<usize>) -> String {
    let mut text = String::new();
    write(&mut text, value, precision);
    text
}

fn write(text: &mut String, value: &Value, precision: Option<usize>) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => write_number(text, *number, precision),
        Value::Text(inner) => text.push_str(inner),
        Value::List(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                write(text, value, precision);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            text.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                text.push_str(name);
                text.push('=');
                write(text, value, precision);
            }
            text.push('}');
        }
    }
}

/// As short as says the same; with a precision rounded to so many decimals, without zeros at the end.
fn write_number(text: &mut String, number: f64, precision: Option<usize>) {
    // More places than a double has would only print noise.
    const PLACES_MAX: usize = 17;
    let number = if number == 0.0 { 0.0 } else { number };
    let start = text.len();
    text.push_str(&match precision {
        None => number.to_string(),
        Some(places) => format!("{number:.*}", places.min(PLACES_MAX)),
    });
    if precision.is_some() && text.bytes().skip(start).any(|byte| byte == b'.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    if text.get(start..) == Some("-0") {
        text.replace_range(start.., "0");
    }
}

/// From `start` on, from the end if negative; so many characters if given. Past the end there is nothing, before the start all.
fn substring(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    let (Some(text), Some(start)) = (text_at(args, 0), whole_at(args, 1)) else { return Value::Null };
    let take = match args.get(2) {
        None => usize::MAX,
        Some(Value::Number(take)) => whole(take.max(0.0)).map_or(0, as_usize),
        Some(_) => return Value::Null,
    };
    let skip = if start < 0 { text.chars().count().saturating_sub(as_usize(start)) } else { as_usize(start) };
    Value::text(text.chars().skip(skip).take(take).collect::<String>())
}

/// How far a number is from 0.
fn as_usize(number: i64) -> usize {
    usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX)
}

/// Where a text stands in another: the `nth` time from the start (from 0), from the end if negative (-1 is the last). Places may
/// overlap. Null if it does not stand there.
fn position(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    let (Some(text), Some(part)) = (text_at(args, 0), text_at(args, 1)) else { return Value::Null };
    let nth = match args.get(2) {
        None => 0,
        Some(Value::Number(nth)) => match whole(*nth) {
            Some(nth) => nth,
            None => return Value::Null,
        },
        Some(_) => return Value::Null,
    };
    let mut places = text
        .char_indices()
        .map(|(byte, _)| byte)
        .chain(std::iter::once(text.len()))
        .enumerate()
        .filter(|(_, byte)| text.get(*byte..).is_some_and(|rest| rest.starts_with(part)))
        .map(|(place, _)| place);
    let found = if nth < 0 {
        let places: Vec<usize> = places.collect();
        places.len().checked_sub(as_usize(nth)).and_then(|index| places.get(index).copied())
    } else {
        places.nth(as_usize(nth))
    };
    found.map_or(Value::Null, count)
}

fn length(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    match args.first() {
        Some(Value::Text(text)) => count(text.chars().count()),
        Some(Value::List(values)) => count(values.len()),
        _ => Value::Null,
    }
}

/// Whether a list holds a value of the same type.
fn contains(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    match args {
        [Value::List(values), wanted] if !wanted.is_null() => Value::Bool(values.contains(wanted)),
        _ => Value::Null,
    }
}

/// A part of a value: `getField(x, f)` and `x[f]`. A list is asked by position from 0, an object by name; a percentile is found by
/// its rank however that is written (`95`, `'95'`, `'95.0'`). Null if there is no such part.
#[must_use]
pub fn field(value: &Value, key: &Value) -> Value {
    let found = match (value, key) {
        (Value::List(values), Value::Number(index)) if *index >= 0.0 => {
            whole(*index).and_then(|index| values.get(as_usize(index)))
        }
        (Value::Object(fields), Value::Text(name)) => {
            named_field(fields, name).or_else(|| name.parse().ok().and_then(|rank| ranked_field(fields, rank)))
        }
        (Value::Object(fields), Value::Number(rank)) => ranked_field(fields, *rank),
        _ => None,
    };
    found.cloned().unwrap_or_default()
}

type Fields = [(std::sync::Arc<str>, Value)];

fn named_field<'a>(fields: &'a Fields, name: &str) -> Option<&'a Value> {
    fields.iter().find(|(field, _)| **field == *name).map(|(_, value)| value)
}

fn ranked_field(fields: &Fields, rank: f64) -> Option<&Value> {
    fields.iter().find(|(field, _)| field.parse() == Ok(rank)).map(|(_, value)| value)
}

/// Padding is written, and read with or without.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
/// Characters of a line in MIME: RFC 2045.
const MIME_LINE: usize = 76;

/// Most bytes that are encoded, far above any attribute's: encoded in each other, texts would grow by a third every time.
const ENCODED_MAX_BYTES: usize = 1 << 20;

/// Null for no such encoding, and for a text that is too long.
fn encode(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    let (Some(text), Some(kind)) = (text_at(args, 0), text_at(args, 1)) else { return Value::Null };
    if text.len() > ENCODED_MAX_BYTES {
        return Value::Null;
    }
    maybe_text(match kind {
        "base64" => Some(STANDARD.encode(text)),
        "base64url" => Some(URL_SAFE.encode(text)),
        "base64mime" => {
            let whole = STANDARD.encode(text);
            let mut lines = String::with_capacity(whole.len() + whole.len() / MIME_LINE * 2);
            for (index, letter) in whole.chars().enumerate() {
                lines.push_str(if index > 0 && index % MIME_LINE == 0 { "\r\n" } else { "" });
                lines.push(letter);
            }
            Some(lines)
        }
        _ => None,
    })
}

/// Null for what is no such encoding, or not of a text.
fn decode(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    let (Some(text), Some(kind)) = (text_at(args, 0), text_at(args, 1)) else { return Value::Null };
    let bytes = match kind {
        "base64" => STANDARD.decode(text).ok(),
        "base64url" => URL_SAFE.decode(text).ok(),
        // RFC 2045: characters outside the alphabet are skipped.
        "base64mime" => {
            let letters = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
            STANDARD.decode(text.bytes().filter(letters).collect::<Vec<u8>>()).ok()
        }
        _ => None,
    };
    maybe_text(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}
