//! Values as JSON and back.
//!
//! What always holds: a value that is written and read is the same value; whole numbers are written without a fraction.

use serde_json::{Map, Number, Value as Json};

use crate::lab::engine::value::Value;

/// Up to here every whole number is a double of its own.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// A value as JSON. Numbers that JSON has no word for are null.
#[must_use]
pub fn value_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => number_json(*number),
        Value::Text(text) => text.to_string().into(),
        Value::List(items) => items.iter().map(value_json).collect(),
        Value::Object(fields) => {
            Json::Object(fields.iter().map(|(name, value)| (name.to_string(), value_json(value))).collect::<Map<_, _>>())
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only whole numbers that fit are cast")]
fn number_json(number: f64) -> Json {
    if number.fract() == 0.0 && number.abs() <= WHOLE {
        return (number as i64).into();
    }
    Number::from_f64(number).map_or(Json::Null, Json::Number)
}

/// JSON as a value.
#[must_use]
pub fn json_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => number.as_f64().map_or(Value::Null, Value::Number),
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => Value::List(items.iter().map(json_value).collect()),
        Json::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.as_str().into(), json_value(value))).collect())
        }
    }
}
