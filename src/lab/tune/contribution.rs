//! Who and what made the detections.
//!
//! In: snapshots with their arrival, a time zone. Out: for each control how many there were on each day, and by whom, where and from
//! which address most were. What always holds: rows count on the day they arrived; detections are counted, or notices where there are
//! no detections; names are kept for as many as are told, bounded by what the rows hold; ties go by name.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::lab::backtest::day;
use crate::lab::engine::json;
use crate::lab::store::{Snapshot, TableView};
use crate::lab::streaming::Range;

/// Contributors that are told of each kind.
const TOP: usize = 5;

/// One control.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contribution {
    /// `control.id`.
    pub control: String,
    /// How many in all.
    pub rows: u64,
    /// On each day with any.
    pub by_day: BTreeMap<Date, u64>,
    /// Those who did most.
    pub actors: Vec<Contributor>,
    /// Accounts with most.
    pub accounts: Vec<Contributor>,
    /// Addresses, or services, that most came from.
    pub sources: Vec<Contributor>,
}

/// One of those that most came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contributor {
    /// Its name, id or address.
    pub name: String,
    /// How many.
    pub rows: u64,
}

/// The attributes of the three kinds.
const KINDS: [&str; 3] = ["actor.name", "aws.accountId", "source.ip"];

#[derive(Default)]
struct Tally {
    rows: u64,
    by_day: BTreeMap<Date, u64>,
    kinds: [BTreeMap<String, u64>; 3],
}

/// All controls with rows that arrived in the range: those with most first.
#[must_use]
pub fn contributions(snapshots: &[Snapshot], range: Range, zone: &TimeZone) -> Vec<Contribution> {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for event_type in ["AwsSecurityEvent", "AwsSecurityNotice"] {
        for table in snapshots.iter().filter_map(|snapshot| snapshot.table(event_type)) {
            count(table, range, zone, &mut tallies);
        }
        if !tallies.is_empty() {
            break;
        }
    }
    let mut all: Vec<Contribution> = tallies.into_iter().map(|(control, tally)| contribution(control, tally)).collect();
    all.sort_by(|one, other| other.rows.cmp(&one.rows).then_with(|| one.control.cmp(&other.control)));
    all
}

fn count(table: &TableView, range: Range, zone: &TimeZone, tallies: &mut BTreeMap<String, Tally>) {
    let position = table.position("control.ids").or_else(|| table.position("control.id"));
    let Some(position) = position else { return };
    let kinds = KINDS.map(|name| table.position(name));
    for segment in table.segments() {
        for (row, received_ms) in segment.received().iter().enumerate() {
            let control = table.value(segment, position, row);
            let Some(controls) = control.as_text().filter(|_| (range.begin_ms..range.end_ms).contains(received_ms)) else {
                continue;
            };
            for control in controls.split('|').filter(|control| !control.is_empty()) {
                if !tallies.contains_key(control) {
                    tallies.insert(control.to_owned(), Tally::default());
                }
                let Some(tally) = tallies.get_mut(control) else { continue };
                tally.rows += 1;
                if let Some(day) = day(*received_ms, zone) {
                    *tally.by_day.entry(day).or_insert(0) += 1;
                }
                for (position, names) in kinds.iter().zip(&mut tally.kinds) {
                    let value = position.map(|position| table.value(segment, position, row));
                    let Some(value) = value.filter(|value| !value.is_null()) else { continue };
                    let name = value.as_text().map_or_else(|| json(&value).to_string(), str::to_owned);
                    *names.entry(name).or_insert(0) += 1;
                }
            }
        }
    }
}

fn contribution(control: String, tally: Tally) -> Contribution {
    let [actors, accounts, sources] = tally.kinds.map(top);
    Contribution { control, rows: tally.rows, by_day: tally.by_day, actors, accounts, sources }
}

fn top(names: BTreeMap<String, u64>) -> Vec<Contributor> {
    let mut all: Vec<Contributor> = names.into_iter().map(|(name, rows)| Contributor { name, rows }).collect();
    all.sort_by(|one, other| other.rows.cmp(&one.rows).then_with(|| one.name.cmp(&other.name)));
    all.truncate(TOP);
    all
}
