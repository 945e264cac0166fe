//! Numbers.
//!
//! What always holds: what has no value (a logarithm of zero, a root of a negative number, a division by zero) is null, never an
//! infinity.

use super::{Named, RowFunction, number, number_at};
use crate::lab::engine::{time::Context, value::Value};

/// Ranges `buckets` makes without a third argument.
const BUCKETS_DEFAULT: f64 = 10.0;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction::new("abs", 1, 1, |_, args, _| one(args, f64::abs)),
    RowFunction::new("ceil", 1, 1, |_, args, _| one(args, f64::ceil)).aliases(&["ceiling"]),
    RowFunction::new("floor", 1, 1, |_, args, _| one(args, f64::floor)),
    RowFunction::new("sqrt", 1, 1, |_, args, _| one(args, f64::sqrt)),
    RowFunction::new("exp", 1, 1, |_, args, _| one(args, f64::exp)),
    RowFunction::new("ln", 1, 1, |_, args, _| one(args, f64::ln)),
    RowFunction::new("log2", 1, 1, |_, args, _| one(args, f64::log2)),
    RowFunction::new("log10", 1, 1, |_, args, _| one(args, f64::log10)),
    RowFunction::new("log", 2, 2, |_, args, _| two(args, logarithm)),
    RowFunction::new("pow", 2, 2, |_, args, _| two(args, f64::powf)),
    RowFunction::new("mod", 2, 2, |_, args, _| two(args, floor_modulus)),
    RowFunction::new("round", 1, 2, round),
    RowFunction::new("clamp_max", 2, 2, |_, args, _| two(args, f64::min)),
    RowFunction::new("clamp_min", 2, 2, |_, args, _| two(args, f64::max)),
    RowFunction::new("buckets", 2, 3, buckets),
    RowFunction::new("getCdfCount", 2, 2, get_cdf_count),
];

fn one(args: &[Value], compute: fn(f64) -> f64) -> Value {
    number_at(args, 0).map_or(Value::Null, |x| number(compute(x)))
}

fn two(args: &[Value], compute: fn(f64, f64) -> f64) -> Value {
    match (number_at(args, 0), number_at(args, 1)) {
        (Some(x), Some(y)) => number(compute(x, y)),
        _ => Value::Null,
    }
}

/// Exact where the base is one of the two that have functions of their own.
#[expect(clippy::float_cmp, reason = "the bases are whole numbers")]
fn logarithm(x: f64, base: f64) -> f64 {
    match base {
        _ if base == 2.0 => x.log2(),
        _ if base == 10.0 => x.log10(),
        _ => x.ln() / base.ln(),
    }
}

/// The remainder has the sign of the divisor.
fn floor_modulus(x: f64, divisor: f64) -> f64 {
    let rest = x % divisor;
    if rest != 0.0 && (rest < 0.0) != (divisor < 0.0) { rest + divisor } else { rest }
}

/// To a whole number, or to the closest multiple of the second argument; halves go up.
fn round(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    let Some(x) = number_at(args, 0) else { return Value::Null };
    match args.get(1) {
        None => number(half_up(x)),
        Some(Value::Number(nearest)) => {
            let nearest = nearest.abs();
            // A multiple of 0.1 is a division by ten: exact, where the product would not be.
            let parts = half_up(1.0 / nearest);
            let is_fraction = nearest < 1.0 && (parts * nearest - 1.0).abs() < 1e-12;
            number(if is_fraction { half_up(x * parts) / parts } else { half_up(x / nearest) * nearest })
        }
        Some(_) => Value::Null,
    }
}

fn half_up(x: f64) -> f64 {
    let floor = x.floor();
    if x - floor >= 0.5 { floor + 1.0 } else { floor }
}

/// The range a number lies in, as a label: `0.0-4.0`, the last one open: `>=36.0`. What lies below 0 is in the first.
fn buckets(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    let (Some(x), Some(ceiling)) = (number_at(args, 0), number_at(args, 1)) else { return Value::Null };
    let ranges = match args.get(2) {
        None => BUCKETS_DEFAULT,
        Some(Value::Number(ranges)) => ranges.floor(),
        Some(_) => return Value::Null,
    };
    if ceiling <= 0.0 || ranges < 1.0 || !ranges.is_finite() {
        return Value::Null;
    }
    let edge = |index: f64| ceiling * index / ranges;
    // Ends that no double can tell apart, or hold, are no ranges.
    if !edge(ranges).is_finite() {
        return Value::Null;
    }
    let index = (x * ranges / ceiling).floor().clamp(0.0, ranges - 1.0);
    Value::text(match index {
        _ if index >= ranges - 1.0 => format!(">={:?}", edge(index)),
        _ => format!("{:?}-{:?}", edge(index), edge(index + 1.0)),
    })
}

/// 1 for a number not above the threshold, else 0, also for what is no number.
fn get_cdf_count(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    match args {
        [Value::Null, _] => Value::Null,
        [Value::Number(x), Value::Number(threshold)] => number(f64::from(u8::from(x <= threshold))),
        [_, Value::Number(_)] => number(0.0),
        _ => Value::Null,
    }
}
