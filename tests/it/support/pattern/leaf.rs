//! An event as a list of its leaves.
//!
//! In: JSON. Out: every text, number, boolean and null with its path. What always holds: arrays leave no trace in the path, only
//! in the places of the leaf; an empty object or array has no leaf, so nobody can tell it from one that is missing.

use serde_json::Value;

/// A value that is neither object nor array.
#[derive(Debug)]
pub(super) struct Leaf<'e> {
    /// The keys on the way, joined with dots: a key that has a dot looks like two.
    pub(super) path: String,
    pub(super) value: &'e Value,
    /// The arrays that it is in, by number, and in which element of each.
    pub(super) places: Vec<(usize, usize)>,
}

impl Leaf<'_> {
    /// Whether it is in no other element of an array than what was chosen so far.
    pub(super) fn fits_beside(&self, chosen: &[(usize, usize)]) -> bool {
        self.places.iter().all(|(array, at)| chosen.iter().all(|(other, chosen)| other != array || chosen == at))
    }
}

/// Every leaf of an event.
pub(super) fn leaves(event: &Value) -> Vec<Leaf<'_>> {
    let mut found = Vec::new();
    let mut arrays = 0;
    walk(event, "", &[], &mut arrays, &mut found);
    found
}

fn walk<'e>(value: &'e Value, path: &str, places: &[(usize, usize)], arrays: &mut usize, found: &mut Vec<Leaf<'e>>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                walk(value, &path, places, arrays, found);
            }
        }
        Value::Array(elements) => {
            *arrays += 1;
            let array = *arrays;
            for (at, element) in elements.iter().enumerate() {
                walk(element, path, &[places, &[(array, at)]].concat(), arrays, found);
            }
        }
        _ => found.push(Leaf { path: path.to_owned(), value, places: places.to_vec() }),
    }
}
