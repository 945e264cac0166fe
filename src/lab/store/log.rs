//! Logs, as New Relic keeps them.
//!
//! In: attributes and the `message` of a log. Out: one row. What always holds: the keys of a `message` that is JSON are attributes
//! beside it, nested ones with dotted names; lists in it stay JSON text; on a clash the message's own keys win, but for the names
//! `message` and `timestamp`; the names that the Log API drops are not there (Log API: parsing of `message`, reserved attributes).

use serde_json::{Map, Value as Json};

use super::Rows;

/// Event type of logs.
pub const LOG: &str = "Log";

/// Names that the Log API drops.
const DROPPED: [&str; 2] = ["eventType", "accountId"];

/// What a value of a log becomes: fields of objects with dotted names, a list as JSON text, anything plain as it is, null nothing.
pub fn flatten(name: &str, value: Json, each: &mut dyn FnMut(&str, Json)) {
    match value {
        Json::Null => {}
        Json::Object(fields) => {
            for (field, value) in fields {
                flatten(&format!("{name}.{field}"), value, each);
            }
        }
        Json::Array(_) => each(name, value.to_string().into()),
        plain => each(name, plain),
    }
}

/// The fields that a message which is JSON adds to its log: the names `message` and `timestamp` stay the log's own.
pub fn fields(message: Map<String, Json>) -> impl Iterator<Item = (String, Json)> {
    message.into_iter().filter(|(name, _)| name != "message" && name != "timestamp")
}

impl Rows<'_> {
    /// One log: opens a row and writes all of it. `attributes` may hold `timestamp`; without it the log is of the time it was
    /// received.
    pub fn log(&mut self, attributes: &Map<String, Json>, message: &Json, received_ms: i64) {
        let mut row = Map::new();
        let parsed = match message {
            Json::String(text) => serde_json::from_str::<Json>(text).ok(),
            other => Some(other.clone()),
        };
        let parsed = if let Some(Json::Object(parsed)) = parsed { parsed } else { Map::new() };
        for (name, value) in attributes.clone().into_iter().chain(fields(parsed)) {
            flatten(&name, value, &mut |name, value| drop(row.insert(name.to_owned(), value)));
        }
        match message {
            Json::Null => {}
            Json::String(text) => drop(row.insert("message".to_owned(), text.clone().into())),
            other => drop(row.insert("message".to_owned(), other.to_string().into())),
        }
        row.retain(|name, _| !DROPPED.contains(&name.as_str()));
        self.json(&row, received_ms);
    }
}
