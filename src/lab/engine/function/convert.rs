//! From one type, or one unit, to another: the only places where anything converts.

use super::{Named, RowFunction, number, number_at, text::display, text::precision, text_at};
use crate::{
    lab::engine::{time::Context, value::Value},
    nrql::unit,
};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction::new("numeric", 1, 1, numeric),
    RowFunction::new("boolean", 1, 1, boolean),
    RowFunction::new("string", 1, 1, string).named(&["precision"]),
    RowFunction::new("convert", 3, 3, convert),
];

/// The number a text holds, blanks around it aside; a number as it is; null for a text that is no decimal number.
fn numeric(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    match args.first() {
        Some(Value::Number(x)) => number(*x),
        // A letter other than an exponent's would let `inf` and `nan` in.
        Some(Value::Text(text)) if text.bytes().any(|byte| byte.is_ascii_digit()) => {
            text.trim().parse().map_or(Value::Null, number)
        }
        _ => Value::Null,
    }
}

/// `'true'` and `'false'` in any case.
fn boolean(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    match args.first() {
        Some(Value::Bool(flag)) => Value::Bool(*flag),
        Some(Value::Text(text)) if text.eq_ignore_ascii_case("true") => Value::Bool(true),
        Some(Value::Text(text)) if text.eq_ignore_ascii_case("false") => Value::Bool(false),
        _ => Value::Null,
    }
}

fn string(_: &Context, args: &[Value], named: &Named<'_>) -> Value {
    match args.first() {
        None | Some(Value::Null) => Value::Null,
        Some(Value::Text(text)) => Value::Text(text.clone()),
        Some(value) => Value::text(display(value, precision(named))),
    }
}

/// Null if a unit is unknown or the two measure different things.
fn convert(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    let (Some(x), Some(from), Some(to)) = (number_at(args, 0), text_at(args, 1), text_at(args, 2)) else { return Value::Null };
    match (unit::find(from), unit::find(to)) {
        (Some(from), Some(to)) if from.measures == to.measures => number(from.ratio(to, x)),
        _ => Value::Null,
    }
}
