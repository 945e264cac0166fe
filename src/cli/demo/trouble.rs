//! What goes wrong in the demo, on purpose: a file that is cut off, a row that New Relic loses after its yes, a change of compliance
//! whose event never comes, an exception that ends.
//!
//! In: the stand-in, which is told what to lose; at the end its store. Out: the lines of the summary that name all of it. What
//! always holds: the lines are of rows that the stand-in holds, as the page Relay health shows them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::count;
use super::super::table::table;
use super::view::{number, text};
use crate::encode::dictionary::{COMPLIANCE_CHANGE, EXCEPTION, GAP};
use crate::lab::backend::{Api, Backend, Store};

/// `eventID` of the record whose log is lost: somebody looks at instances, on the last day.
const LOST: &str = "bed3162f-6f64-4f6f-b08b-78d3ac9b9066";

/// Tells the stand-in what to lose.
pub(super) fn plan(backend: &Backend) {
    backend.lose(Api::Logs, LOST);
}

/// How many rows of these types New Relic lost after its yes.
pub(super) fn lost(store: &Store, types: &[&str]) -> u64 {
    let errors = store.integration_errors();
    let of_types = errors.iter().filter(|error| error.event_type_sample.as_deref().is_some_and(|name| types.contains(&name)));
    of_types.map(|error| error.rows).sum()
}

/// All of it, as far as it has happened; empty when nothing has.
pub(super) fn summary(store: &Store) -> String {
    let gaps = store.rows(GAP);
    let gaps = gaps.iter().map(|row| {
        let what = format!("gap ({}, {} read)", text(row, "gap.kind"), records(row));
        [what, file_name(text(row, "gap.object")).to_owned(), text(row, "gap.reason").to_owned()]
    });
    let losses = store.integration_errors();
    let losses = losses.iter().map(|error| {
        let sample = error.event_type_sample.clone().unwrap_or_else(|| "-".to_owned());
        ["lost after the yes".to_owned(), sample, error.message.clone()]
    });
    let changes = store.rows(COMPLIANCE_CHANGE);
    let repairs = changes.iter().filter(|row| text(row, "compliance.origin") == "reconcile").map(|row| {
        let which = format!("{} ({})", text(row, "compliance.ruleName"), text(row, "resource.id"));
        [
            "event never came".to_owned(),
            which,
            "a reading of AWS Config found the change, which is not among the records in".to_owned(),
        ]
    });
    // An exception that stands expired is told of again each day.
    let told = store.rows(EXCEPTION);
    let ended: BTreeSet<[String; 3]> = told
        .iter()
        .map(|row| {
            let which = format!("{} ({})", text(row, "control.id"), text(row, "exception.scope"));
            let who = format!("{}: {}", text(row, "exception.owner"), text(row, "exception.reason"));
            ["exception expired".to_owned(), which, who]
        })
        .collect();
    let lines: Vec<Vec<String>> = gaps.chain(losses).chain(repairs).chain(ended).map(Vec::from).collect();
    if lines.is_empty() {
        return String::new();
    }
    let note = "  The demo keeps no dead letters: what follows a gap would be one, and stays in its object\n";
    "\nWhat went wrong, as the page Relay health shows it\n".to_owned() + &table(&["what", "of", "why"], &lines) + note + "\n"
}

/// How far an object was read.
fn records(row: &Map<String, Value>) -> String {
    count(u64::try_from(number(row, "gap.recordsRead")).unwrap_or(0), "record")
}

/// The last part of an object's name.
fn file_name(object: &str) -> &str {
    object.rsplit('/').next().unwrap_or(object)
}
