//! Which records belong to which attack.
//!
//! In: a CSV file under the header `attack,event.id`. Out: the ids of each attack's events. What always holds: an empty cell, or a file
//! without these columns, is told with its name; nothing is guessed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::cli::exit::Stop;
use crate::lab::engine;
use crate::lab::engine::value::Value;
use crate::lab::lookup;

/// The columns.
const COLUMNS: [&str; 2] = ["attack", "event.id"];

/// The attacks.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// Ids of events by name of attack.
    pub(super) events: BTreeMap<String, BTreeSet<String>>,
}

impl Labels {
    /// Of a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(path: &Path) -> Result<Self, Stop> {
        let stop = |what: String| Stop::usage(what, Some("a labels file is CSV under the header attack,event.id".to_owned()));
        let table = lookup::read("labels", path).map_err(|error| stop(error.to_string()))?;
        let mut positions = COLUMNS.iter().map(|column| table.position(column));
        let (Some(Some(attack)), Some(Some(event))) = (positions.next(), positions.next()) else {
            return Err(stop(format!("{}: a column is missing; needed: attack and event.id", path.display())));
        };
        let mut labels = Self::default();
        let mut line = 1;
        for segment in table.segments() {
            for row in 0..segment.rows() {
                line += 1;
                let [attack, event] = [attack, event].map(|column| text(&table.value(segment, column, row)));
                let (Some(attack), Some(event)) = (attack, event) else {
                    return Err(stop(format!("{}: record {line}: an empty cell", path.display())));
                };
                labels.events.entry(attack).or_default().insert(event);
            }
        }
        Ok(labels)
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Text(text) if text.trim().is_empty() => None,
        Value::Text(text) => Some(text.trim().to_owned()),
        other => Some(engine::json(other).to_string()),
    }
}
