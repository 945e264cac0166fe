//! Operators on values.
//!
//! What always holds: values of different kinds are never equal and have no order, but one percentile counts as its number; null
//! makes the truth unknown; lists are not compared.

use std::cmp::Ordering;

use super::super::settings::DivisionByZero;
use super::super::value::Value;

/// What a condition says of a row. Only `True` lets it through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Truth {
    True,
    False,
    Unknown,
}

impl Truth {
    pub(super) const fn of(is: bool) -> Self {
        if is { Self::True } else { Self::False }
    }

    pub(super) const fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }

    pub(super) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            _ => Self::Unknown,
        }
    }

    pub(super) const fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    pub(super) const fn value(self) -> Value {
        match self {
            Self::True => Value::Bool(true),
            Self::False => Value::Bool(false),
            Self::Unknown => Value::Null,
        }
    }

    /// A value as a condition: only a truth value is one.
    pub(super) const fn from_value(value: &Value) -> Self {
        if let Value::Bool(is) = value { Self::of(*is) } else { Self::Unknown }
    }
}

/// `= != < <= > >=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    const fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// For two numbers; NaN stands for nothing and satisfies none.
    pub(super) fn numbers(self, one: f64, two: f64) -> Truth {
        one.partial_cmp(&two).map_or(Truth::Unknown, |order| Truth::of(self.holds(order)))
    }

    /// For two values.
    pub(super) fn values(self, one: &Value, two: &Value, null_satisfies: bool) -> Truth {
        match (one, two) {
            (Value::Null, _) | (_, Value::Null) if self == Self::NotEqual && null_satisfies => {
                Truth::of(!(one.is_null() && two.is_null()))
            }
            (Value::Null, _) | (_, Value::Null) => Truth::Unknown,
            (Value::Number(one), Value::Number(two)) => self.numbers(*one, *two),
            (Value::Text(one), Value::Text(two)) => Truth::of(self.holds(one.cmp(two))),
            (Value::Bool(one), Value::Bool(two)) => Truth::of(self.holds(one.cmp(two))),
            (one @ Value::Object(_), Value::Number(two)) => self.numbers(number_of(one), *two),
            (Value::Number(one), two @ Value::Object(_)) => self.numbers(*one, number_of(two)),
            _ => Truth::of(self == Self::NotEqual),
        }
    }
}

/// `+ - * /`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Operation {
    /// For two numbers; NaN stands for nothing, in and out.
    pub(super) fn numbers(self, one: f64, two: f64, by_zero: DivisionByZero) -> f64 {
        let result = match self {
            Self::Add => one + two,
            Self::Subtract => one - two,
            Self::Multiply => one * two,
            Self::Divide if two == 0.0 => match by_zero {
                DivisionByZero::Null => f64::NAN,
                DivisionByZero::Zero if one.is_nan() => f64::NAN,
                DivisionByZero::Zero => 0.0,
            },
            Self::Divide => one / two,
        };
        if result.is_infinite() { f64::NAN } else { result }
    }
}

/// The number a value counts as in arithmetic: itself; the one percentile of an object with one; the score of an apdex; the latest
/// value of a metric. NaN if there is none.
pub(in super::super) fn number_of(value: &Value) -> f64 {
    match value {
        Value::Number(number) => *number,
        Value::Object(fields) => {
            let named = |name: &str| fields.iter().find(|(field, _)| &**field == name).and_then(|(_, value)| value.as_number());
            let only = if let [(_, Value::Number(only))] = &**fields { Some(*only) } else { None };
            only.or_else(|| named("score")).or_else(|| named("latest")).or_else(|| named("count")).unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

/// A number as a value; NaN is nothing.
pub(super) fn number(number: f64) -> Value {
    if number.is_finite() { Value::Number(number) } else { Value::Null }
}
