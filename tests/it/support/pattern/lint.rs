//! What a pattern of ours may not have although `EventBridge` takes it.
//!
//! In: the text of a pattern. Out: its traps, each with its path. What always holds: what it passes means to every reader and
//! every matcher what it means to `EventBridge`.

use serde_json::Value;

use super::Pattern;

/// Most characters of a pattern, unless the account's quota was raised. [`EventBridge` quotas, checked 2026-11]
const MAX_CHARACTERS: usize = 2_048;

/// What an event has at the top, always. A pattern that asks for anything else selects nothing, and nobody is told.
const ENVELOPE: [&str; 9] = ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"];

/// Everything that is wrong with a pattern or will be misread.
pub(crate) fn traps(text: &str) -> Vec<String> {
    let mut traps: Vec<String> = Pattern::parse(text).err().into_iter().collect();
    let characters = text.chars().count();
    if characters > MAX_CHARACTERS {
        traps.push(format!("{characters} characters; EventBridge takes {MAX_CHARACTERS}"));
    }
    let pattern: Value = serde_json::from_str(text).unwrap_or_default();
    for key in pattern.as_object().into_iter().flat_map(|fields| fields.keys()) {
        // A dotted one is told about below.
        if !ENVELOPE.contains(&key.as_str()) && !key.contains('.') {
            traps.push(format!("`{key}` is not at the top of an event"));
        }
    }
    for key in ["source", "detail-type"] {
        if pattern.get(key).is_none() {
            traps.push(format!("without `{key}` it selects what anybody may put on the bus, or more than one kind of event"));
        }
    }
    look(&pattern, "", &mut traps);
    traps
}

fn look(value: &Value, path: &str, traps: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if key.contains('.') {
                    traps.push(format!("`{key}`{}: nest the keys", inside(path)));
                }
                look(value, key, traps);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| look(value, path, traps)),
        Value::String(text) if text.contains(',') => {
            traps.push(format!("\"{text}\"{} is one text: give each value quotes of its own", inside(path)));
        }
        _ => {}
    }
}

fn inside(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" in `{path}`") }
}
