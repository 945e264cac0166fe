//! JSON in a text.
//!
//! What always holds: fields keep the order of the text; of two fields with one name the last counts.

use std::{fmt, sync::Arc};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{JsonPath, Named, Prepared, RowFunction, list, text_at};
use crate::lab::engine::{time::Context, value::Value};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction::new("jparse", 1, 2, jparse).prepare(|path| Ok(Prepared::Path(JsonPath::compile(path)?))),
    RowFunction::new("mapKeys", 1, 1, map_keys),
    RowFunction::new("mapValues", 1, 1, map_values),
];

/// Null for a text that is no JSON, and for a path that is none or leads nowhere.
fn jparse(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    let Some(json) = text_at(args, 0).and_then(parse) else { return Value::Null };
    match args.get(1) {
        None => json,
        Some(Value::Text(path)) => JsonPath::compile(path).map_or(Value::Null, |path| path.apply(&json)),
        Some(_) => Value::Null,
    }
}

fn map_keys(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    match args.first() {
        Some(Value::Object(fields)) => list(fields.iter().map(|(name, _)| Value::Text(name.clone()))),
        _ => Value::Null,
    }
}

fn map_values(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    match args.first() {
        Some(Value::Object(fields)) => list(fields.iter().map(|(_, value)| value.clone())),
        _ => Value::Null,
    }
}

/// The value of a JSON text (RFC 8259); none if it is no JSON, or nested deeper than 128.
#[must_use]
pub fn parse(text: &str) -> Option<Value> {
    serde_json::from_str::<Parsed>(text).ok().map(|parsed| parsed.0)
}

/// A value read from JSON.
struct Parsed(Value);

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor).map(Self)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Parsed(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields: Vec<(Arc<str>, Value)> = Vec::new();
        // Where each name stands, so that an object of many fields costs no more than its length.
        let mut places = std::collections::HashMap::<Arc<str>, usize>::new();
        while let Some((name, Parsed(value))) = entries.next_entry::<String, Parsed>()? {
            let name: Arc<str> = name.into();
            if let Some(field) = places.get(&name).and_then(|place| fields.get_mut(*place)) {
                field.1 = value;
            } else {
                places.insert(name.clone(), fields.len());
                fields.push((name, value));
            }
        }
        Ok(Value::Object(fields.into()))
    }
}
