//! The rows of labelled attacks.
//!
//! In: snapshots, and which events belong to which attack. Out: for each attack a store with its rows alone. What always holds: a row
//! is an attack's if its `event.id` is; a row may be of several attacks; an attack without a row is told, not left out.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::store::{Snapshot, Store, TableView};

/// The attribute that joins rows with the record they are of.
const EVENT: &str = "event.id";

/// One attack.
#[derive(Debug)]
pub struct Attack {
    /// Its name, as labelled.
    pub name: String,
    /// Its rows; none: no rule wanted its records.
    pub rows: Snapshot,
}

/// The rows of every attack: names and the ids of their events.
#[must_use]
pub fn attacks(snapshots: &[Snapshot], labels: &BTreeMap<String, BTreeSet<String>>) -> Vec<Attack> {
    let mut of_event: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, events) in labels.values().enumerate() {
        for event in events {
            of_event.entry(event).or_default().push(number);
        }
    }
    let stores: Vec<Store> = labels.keys().map(|_| Store::in_memory()).collect();
    for table in snapshots.iter().flat_map(Snapshot::tables) {
        copy(table, &of_event, &stores);
    }
    let of = |(name, store): (&String, &Store)| Attack { name: name.clone(), rows: store.snapshot() };
    labels.keys().zip(&stores).map(of).collect()
}

fn copy(table: &TableView, of_event: &BTreeMap<&str, Vec<usize>>, stores: &[Store]) {
    let Some(position) = table.position(EVENT) else { return };
    for segment in table.segments() {
        for (row, (timestamp_ms, received_ms)) in segment.timestamps().iter().zip(segment.received()).enumerate() {
            let event = table.value(segment, position, row);
            let Some(attacks) = event.as_text().and_then(|event| of_event.get(event)) else { continue };
            for store in attacks.iter().filter_map(|attack| stores.get(*attack)) {
                store.append(table.name(), |rows| {
                    rows.begin(*timestamp_ms, *received_ms);
                    for (at, column) in table.columns().iter().enumerate() {
                        rows.value(&column.name, &table.value(segment, at, row));
                    }
                });
            }
        }
    }
}
