//! A record that New Relic would not keep as it is → a message that it keeps.
//!
//! In: a raw record that is too long, has too many attributes or uses names that are not ours to use. Out: a JSON object of the
//! same top-level fields. Reserved names get the prefix `trail.`; of a record with more attributes than New Relic takes, the
//! parts with most of them become JSON text; of one too long, the longest parts become their own beginning, marked with `…`.
//! What always holds: every field is there in some form; what is cut is counted; secrets are masked before anything is cut.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::limits;
use super::mask::push_masked;
use super::writer::{cut_at, push_escaped};

/// Most attributes that a message may become, flattened: the rest of the limit is for the log's own.
pub(super) const LEAVES: usize = 220;
/// Most top-level fields; those after them go into one of their own, as text.
const FIELDS: usize = 150;
/// What stays of a long part, bytes: first of the longest ones, then, if that is not enough, of all.
const KEPT: [usize; 2] = [4_000, 400];
/// Longest name of a field, bytes.
const NAME: usize = 200;

/// A record's message, and how many values were cut.
pub(super) fn message(raw: &str, mask: bool, max: usize) -> (Vec<u8>, u64) {
    let mut masked = Vec::new();
    let raw = if mask {
        // The whole record, as it is done to one that is sent as it is: the two ways agree.
        push_masked(&mut masked, raw);
        masked.as_slice()
    } else {
        raw.as_bytes()
    };
    let mut fields = match serde_json::from_slice::<Top<'_>>(raw) {
        Ok(top) => top.0.into_iter().map(|(name, value)| Field::new(&name, value)).collect::<Vec<_>>(),
        // The record's parser has read it, so it is an object. Were it none, it would be left out, and counted.
        Err(_) => return (b"{}".to_vec(), 1),
    };
    if fields.len() > FIELDS {
        let rest = object(&fields.split_off(FIELDS));
        let mut more = Field { name: "trail.more".to_owned(), json: rest, leaves: 1, cuts: 0 };
        more.make_text();
        fields.push(more);
    }
    while fields.iter().map(|field| field.leaves).sum::<usize>() > LEAVES {
        let Some(largest) = fields.iter_mut().max_by_key(|field| field.leaves).filter(|field| field.leaves > 1) else { break };
        largest.make_text();
    }
    let mut cut = 0;
    let mut length = object(&fields).len();
    while length > max {
        let whole = fields.iter_mut().filter(|field| KEPT.get(field.cuts).is_some_and(|kept| field.json.len() > kept + 16));
        let Some(longest) = whole.max_by_key(|field| (usize::MAX - field.cuts, field.json.len())) else { break };
        let before = longest.json.len();
        cut += u64::from(longest.cuts == 0);
        longest.shorten();
        length = length + longest.json.len() - before;
    }
    (object(&fields), cut)
}

/// How many attributes a JSON value becomes when it is flattened.
pub(super) fn leaves(json: &[u8]) -> usize {
    fn count(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Object(inner) => inner.values().map(count).sum(),
            _ => 1,
        }
    }
    serde_json::from_slice(json).as_ref().map_or(1, count)
}

/// Whether New Relic keeps a top-level name, or what it flattens to, for itself.
fn is_reserved(name: &str) -> bool {
    let prefix = limits::RESERVED_PREFIX;
    limits::RESERVED_NAMES.contains(&name) || name.starts_with(prefix) || Some(name) == prefix.strip_suffix('.')
}

struct Field {
    name: String,
    /// Its value, masked.
    json: Vec<u8>,
    leaves: usize,
    /// Times it was cut.
    cuts: usize,
}

impl Field {
    fn new(name: &str, value: &RawValue) -> Self {
        let name = if name.is_empty() || is_reserved(name) { format!("trail.{name}") } else { cut_at(name, NAME).to_owned() };
        let text = value.get();
        let json = text.as_bytes().to_vec();
        let nested = text.starts_with(['{', '[']);
        Self { name, leaves: if nested { leaves(&json) } else { 1 }, json, cuts: 0 }
    }

    /// The value as text: a text itself, of anything else its JSON.
    fn text(&self) -> String {
        serde_json::from_slice::<String>(&self.json).unwrap_or_else(|_| String::from_utf8_lossy(&self.json).into_owned())
    }

    fn make_text(&mut self) {
        self.set(&self.text(), "");
    }

    fn shorten(&mut self) {
        let kept = KEPT.get(self.cuts).copied().unwrap_or_default();
        let text = self.text();
        let text = text.strip_suffix('…').unwrap_or(&text);
        // Half: escaping may double it.
        self.set(cut_at(text, kept / 2), "…");
        self.cuts += 1;
    }

    fn set(&mut self, text: &str, mark: &str) {
        self.json.clear();
        self.json.push(b'"');
        push_escaped(&mut self.json, text);
        self.json.extend_from_slice(mark.as_bytes());
        self.json.push(b'"');
        self.leaves = 1;
    }
}

fn object(fields: &[Field]) -> Vec<u8> {
    let mut out = vec![b'{'];
    for (at, field) in fields.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b"\"" } else { b",\"" });
        push_escaped(&mut out, &field.name);
        out.extend_from_slice(b"\":");
        out.extend_from_slice(&field.json);
    }
    out.push(b'}');
    out
}

/// The top-level fields in their order; a name that comes twice stays twice.
struct Top<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Top<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Top<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Top<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(name) = map.next_key::<Name<'de>>()? {
                    fields.push((name.0, map.next_value::<&'de RawValue>()?));
                }
                Ok(Top(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A field's name, borrowed unless it has escapes in it.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn trimmed(raw: &serde_json::Value, max: usize) -> (serde_json::Value, u64, usize) {
        let (out, cut) = message(&raw.to_string(), true, max);
        (serde_json::from_slice(&out).unwrap(), cut, out.len())
    }

    #[test]
    fn reserved_names_get_a_prefix() {
        let raw = serde_json::json!({"accountId": "1", "appId": "x", "eventType": "e\n", "entity": {"guid": "g"}, "entity.name": 1, "": 2, "eventName": "n"});
        let want = serde_json::json!({"trail.accountId": "1", "trail.appId": "x", "trail.eventType": "e\n", "trail.entity": {"guid": "g"}, "trail.entity.name": 1, "trail.": 2, "eventName": "n"});
        assert_eq!(trimmed(&raw, usize::MAX).0, want);
    }

    /// P16: more attributes than New Relic takes; nothing is lost, the largest part is text.
    #[test]
    fn the_part_with_most_attributes_becomes_text() {
        let many: serde_json::Map<_, _> = (0..300).map(|at| (format!("p{at}"), at.into())).collect();
        let raw = serde_json::json!({"requestParameters": many, "responseElements": {"a": 1, "password": "x"}});
        let (message, cut, _) = trimmed(&raw, usize::MAX);
        let text = message["requestParameters"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(text).unwrap(), raw["requestParameters"]);
        assert_eq!((&message["responseElements"], cut), (&serde_json::json!({"a": 1, "password": "****"}), 0));
        let top: serde_json::Map<_, _> = (0..9_000).map(|at| (format!("p{at}"), at.into())).collect();
        let (message, cut, _) = trimmed(&top.clone().into(), usize::MAX);
        assert_eq!((message.as_object().unwrap().len(), cut), (FIELDS + 1, 0));
        assert!(message["trail.more"].as_str().unwrap().contains("\"p999\":999"));
    }

    #[test]
    fn the_longest_parts_are_cut_until_it_fits() {
        let part = |length: usize| serde_json::json!({"password": "secret", "x": "\"".repeat(length)});
        let raw = serde_json::json!({"a": part(90_000), "b": part(50_000), "c": "あ".repeat(30_000), "eventName": "n"});
        for (max, cuts) in [(600_000, 0), (250_000, 1), (120_000, 2), (20_000, 3), (4_000, 3)] {
            let (message, cut, length) = trimmed(&raw, max);
            assert!(length <= max, "{length} of {max}");
            assert_eq!((cut, &message["eventName"]), (cuts, &"n".into()), "{max}");
            assert!(!message.to_string().contains("secret"));
        }
        let wide: serde_json::Map<_, _> = (0..FIELDS).map(|at| (format!("p{at}"), "x".repeat(7_000).into())).collect();
        let (_, cut, length) = trimmed(&wide.into(), 100_000);
        assert!(length <= 100_000 && cut == FIELDS as u64, "{length} bytes, {cut} cut");
    }
}
