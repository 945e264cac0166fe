//! JSON as values. The other way is `engine::json`.

use serde_json::Value as Json;

use crate::lab::engine::value::Value;

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
