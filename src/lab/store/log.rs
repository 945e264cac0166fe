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

impl Rows<'_> {
    /// One log: opens a row and writes all of it. `attributes` may hold `timestamp`; without it the log is of the time it was
    /// received.
    pub fn log(&mut self, attributes: &Map<String, Json>, message: &Json, received_ms: i64) {
        let mut row = Map::new();
        flat("", attributes, &mut row);
        let parsed = match message {
            Json::String(text) => serde_json::from_str::<Json>(text).ok(),
            other => Some(other.clone()),
        };
        if let Some(Json::Object(mut fields)) = parsed {
            fields.retain(|name, _| name != "message" && name != "timestamp");
            flat("", &fields, &mut row);
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

fn flat(before: &str, fields: &Map<String, Json>, row: &mut Map<String, Json>) {
    for (name, value) in fields {
        let name = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        match value {
            Json::Object(fields) => flat(&name, fields, row),
            Json::Array(_) => drop(row.insert(name, value.to_string().into())),
            Json::Null => {}
            plain => drop(row.insert(name, plain.clone())),
        }
    }
}
