//! Of what kind a value is: text, number, truth.
//!
//! In: an expression and the names its query sees. Out: its kind, if it is known. What always holds: where two kinds are possible
//! none is given, so that no rule tells what may be right; a subquery is looked into one level deep, so the work is linear.
//!
//! [`FUNCTIONS`] says what functions give and take beside what the catalogue says (NRQL reference, aggregate and row functions).

use std::ops::RangeInclusive;

use super::super::ast::{Argument, BinaryOp, Call, Expr, ExprKind, NamedValue, UnaryOp};
use super::super::function::{self, Function};
use super::scope::{Form, Scope};
use super::{plain_arguments, values};

/// Of what kind a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Number,
    /// What a condition gives, and `TRUE`.
    Truth,
    /// An object with a number for each percent, and its like.
    Keyed,
    List,
}

impl Type {
    /// In a message.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Truth => "a truth value",
            Self::Keyed => "an object",
            Self::List => "a list",
        }
    }
}

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gives {
    Is(Type),
    /// What its first argument is.
    First,
    /// What its second argument is.
    Second,
    /// What its last arguments are, if they are the same.
    Branches,
    /// A text, unless the second argument says `numeric`.
    Calendar,
    Unknown,
}

/// Of what kind the first argument is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Any,
    Numbers,
    Texts,
    Lists,
}

use Gives::{Branches, Calendar, First, Is, Second, Unknown};
use Takes::{Any, Lists, Numbers, Texts};

/// What functions give and take; each of the catalogue once.
const FUNCTIONS: &[(&[&str], Gives, Takes)] = &[
    (&["count", "uniqueCount", "bytecountestimate", "aggregationendtime", "nativesizeestimate"], Is(Type::Number), Any),
    (&["cardinality", "datapointCount", "length", "accountId", "rate", "percentage", "irate", "deriv"], Is(Type::Number), Any),
    (
        &["sum", "average", "min", "max", "stddev", "stdvar", "derivative", "predictLinear", "latestrate"],
        Is(Type::Number),
        Numbers,
    ),
    (&["round", "floor", "ceil", "abs", "clamp_max", "clamp_min", "sqrt", "exp", "ln"], Is(Type::Number), Numbers),
    (&["log2", "log10", "log", "pow", "mod", "convert", "getCdfCount"], Is(Type::Number), Numbers),
    (&["numeric"], Is(Type::Number), Any),
    (&["position", "toTimestamp"], Is(Type::Number), Texts),
    (&["percentile", "median", "apdex", "histogram", "cdfPercentage"], Is(Type::Keyed), Numbers),
    (&["bucketPercentile", "histogramPercentile", "funnel", "keyset"], Is(Type::Keyed), Any),
    (&["uniques", "tuple", "mapKeys", "mapValues", "dimensions"], Is(Type::List), Any),
    (&["latest", "earliest", "filter"], First, Any),
    (&["if"], Branches, Any),
    (&["ifThen", "conditional"], Second, Any),
    (&["concat", "string", "eventType", "blob"], Is(Type::Text), Any),
    (&["substring", "lower", "upper", "capture", "aparse", "encode", "decode", "cidrAddress"], Is(Type::Text), Texts),
    (&["toDatetime", "buckets", "weekOf", "dateOf"], Is(Type::Text), Numbers),
    (&["yearOf", "quarterOf", "monthOf", "weekdayOf", "dayOfMonthOf", "daysInMonthOf", "hourOf", "minuteOf"], Calendar, Numbers),
    (&["boolean"], Is(Type::Truth), Any),
    (&["contains"], Is(Type::Truth), Lists),
    (&["jparse", "getField"], Unknown, Any),
];

/// What functions take behind the first argument, from place to place.
const FURTHER: &[(&[&str], RangeInclusive<usize>, Takes)] = &[
    (&["round", "clamp_max", "clamp_min", "log", "pow", "mod", "apdex", "uniques", "getCdfCount"], 1..=1, Numbers),
    (&["substring", "buckets"], 1..=2, Numbers),
    (&["histogram"], 1..=3, Numbers),
    (&["percentile", "cdfPercentage", "bucketPercentile"], 1..=usize::MAX, Numbers),
    (&["position"], 1..=1, Texts),
    (&["position"], 2..=2, Numbers),
    (&["capture", "aparse", "encode", "decode", "toDatetime", "toTimestamp", "jparse", "mapKeys", "mapValues"], 1..=1, Texts),
    (&["convert"], 1..=2, Texts),
];

/// Functions whose arguments behind the first are words of theirs, not attributes: `numeric`, a field.
const WORDS: [&str; 12] = [
    "yearOf",
    "quarterOf",
    "monthOf",
    "weekOf",
    "weekdayOf",
    "dateOf",
    "dayOfMonthOf",
    "daysInMonthOf",
    "hourOf",
    "minuteOf",
    "getField",
    "cidrAddress",
];

fn row(function: &Function) -> Option<(Gives, Takes)> {
    FUNCTIONS.iter().find(|(names, ..)| names.contains(&function.name)).map(|(_, gives, takes)| (*gives, *takes))
}

/// Of what kind the first argument of a function is to be.
fn takes(function: &Function) -> Takes {
    row(function).map_or(Any, |(_, takes)| takes)
}

/// Of what kind the argument in a place, counted from 0, is to be.
pub(super) fn takes_at(function: &Function, place: usize) -> Takes {
    let further =
        || FURTHER.iter().find(|(names, places, _)| names.contains(&function.name) && places.contains(&place)).map(|row| row.2);
    if place == 0 { takes(function) } else { further().unwrap_or(Any) }
}

/// Whether the arguments of a function behind the first are words of its own.
pub(super) fn takes_words(name: &str) -> bool {
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(name))
}

/// Of what kind an expression is.
pub(super) fn of(value: &Expr, scope: &Scope<'_>) -> Option<Type> {
    match &value.kind {
        ExprKind::Number(_) | ExprKind::Unary(UnaryOp::Minus | UnaryOp::Plus, _) => Some(Type::Number),
        ExprKind::Text(text) | ExprKind::Raw(text) => (!text.contains("{{")).then_some(Type::Text),
        ExprKind::Cases(_) => Some(Type::Text),
        ExprKind::Bool(_) | ExprKind::Is { .. } | ExprKind::In { .. } | ExprKind::Like { .. } | ExprKind::Rlike { .. } => {
            Some(Type::Truth)
        }
        ExprKind::Unary(UnaryOp::Not, _) => Some(Type::Truth),
        ExprKind::Null | ExprKind::Template(_) | ExprKind::Index { .. } => None,
        ExprKind::Name(name) => scope.kind(name),
        ExprKind::Binary(BinaryOp::Or, left, right) if !value.is_condition() => same(of(left, scope), of(right, scope)),
        ExprKind::Binary(BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide, ..) => Some(Type::Number),
        ExprKind::Binary(..) => Some(Type::Truth),
        ExprKind::Call(call) => of_call(call, scope),
        ExprKind::Query(query) => {
            let inside = scope.one_level_in(query)?;
            let mut values = values(query);
            match (values.next(), values.next()) {
                (Some(one), None) => of(one, &inside),
                _ => None,
            }
        }
    }
}

/// Of what kind the items are that a query after `IN` lists: those of `uniques(x)`, or the rows themselves.
pub(super) fn of_items(value: &Expr, scope: &Scope<'_>) -> Option<Type> {
    match &value.kind {
        ExprKind::Call(call) if call.name.text.eq_ignore_ascii_case("uniques") => match call.arguments.first() {
            Some(Argument::Value(listed)) => of(listed, scope),
            _ => None,
        },
        _ => of(value, scope),
    }
}

/// How the texts of an expression are written.
pub(super) fn form(value: &Expr, scope: &Scope<'_>) -> Form {
    match &value.kind {
        ExprKind::Name(name) => scope.form(name),
        ExprKind::Binary(BinaryOp::Or, left, right) if !value.is_condition() => {
            let form = form(left, scope);
            if form == self::form(right, scope) { form } else { Form::Any }
        }
        ExprKind::Call(call) => {
            let Some(Argument::Value(value)) = call.arguments.first() else { return Form::Any };
            let known = function::function(&call.name.text);
            match (known.map(|function| function.name), known.and_then(row)) {
                (Some("lower" | "upper"), _) if form(value, scope) == Form::List => Form::List,
                (_, Some((First, _))) => form(value, scope),
                _ => Form::Any,
            }
        }
        _ => Form::Any,
    }
}

fn same(one: Option<Type>, other: Option<Type>) -> Option<Type> {
    one.filter(|one| Some(*one) == other)
}

fn of_call(call: &Call, scope: &Scope<'_>) -> Option<Type> {
    let (gives, _) = row(function::function(&call.name.text)?)?;
    let argument = |place: usize| match plain_arguments(&call.arguments).nth(place) {
        Some(Argument::Value(value)) => of(value, scope),
        _ => None,
    };
    match gives {
        Is(kind) => Some(kind),
        First => argument(0),
        Second => argument(1),
        Branches if call.arguments.len() == 2 => argument(1),
        Branches => same(argument(1), argument(2)),
        Calendar => match plain_arguments(&call.arguments).nth(1) {
            None => Some(Type::Text),
            Some(Argument::Value(Expr { kind: ExprKind::Name(word) | ExprKind::Text(word), .. })) => {
                Some(if word.eq_ignore_ascii_case("numeric") { Type::Number } else { Type::Text })
            }
            Some(_) => None,
        },
        Unknown => None,
    }
}

/// Numbers that are written as they are: `precision: 256`, `LIMIT 10`, `-1`.
pub(super) fn number(value: &Expr) -> Option<f64> {
    match &value.kind {
        ExprKind::Number(number) => Some(*number),
        ExprKind::Unary(UnaryOp::Minus, inner) => number(inner).map(|number| -number),
        ExprKind::Unary(UnaryOp::Plus, inner) => number(inner),
        _ => None,
    }
}

/// The number given to an argument by its name or its place.
pub(super) fn argument_number(call: &Call, name: &str, place: usize) -> Option<(f64, super::Span)> {
    let named = call.arguments.iter().find_map(|argument| match argument {
        Argument::Named { name: given, value: NamedValue::Value(value) } if given.text.eq_ignore_ascii_case(name) => Some(value),
        _ => None,
    });
    let placed = plain_arguments(&call.arguments).nth(place).and_then(|argument| match argument {
        Argument::Value(value) => Some(value),
        _ => None,
    });
    let value = named.or(placed)?;
    number(value).map(|number| (number, value.span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_catalogue_has_one_row() {
        let mut rows: Vec<&str> = FUNCTIONS.iter().flat_map(|(names, ..)| *names).copied().collect();
        let mut known: Vec<&str> = function::FUNCTIONS.iter().map(|function| function.name).collect();
        rows.sort_unstable();
        known.sort_unstable();
        assert_eq!(rows, known);
        assert!(WORDS.iter().all(|word| known.contains(word)));
        assert!(FURTHER.iter().flat_map(|(names, ..)| *names).all(|name| known.contains(name)));
    }
}
