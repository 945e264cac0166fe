//! When rows of unknown arrival came, from what they say of themselves.
//!
//! In: rows that were read from a file or asked of New Relic: nobody wrote down when they arrived there. Out: the same rows, received
//! when the agent says that it had the record (`event.time` and `relay.lagMs`), never before their `timestamp`; a row that says nothing
//! of it at its `timestamp`. What always holds: nothing else of a row changes, and columns are shared, not copied.

use std::sync::Arc;

use arrow_array::Array as _;

use super::Snapshot;
use super::segment::Segment;
use super::table::TableView;

/// When a record happened, ms since 1970, and how much later the agent had it, ms.
const EVENT: &str = "event.time";
const LAG: &str = "relay.lagMs";

impl Snapshot {
    /// The same rows, received when they say.
    #[must_use]
    pub fn received_as_told(&self) -> Self {
        let told = |(name, table): (&Arc<str>, &Arc<TableView>)| {
            let (event, lag) = (table.position(EVENT), table.position(LAG));
            let with = |segment: &Arc<Segment>| Arc::new(segment.with_received(received(segment, event, lag)));
            (Arc::clone(name), table.with_segments(table.segments().iter().map(with).collect()))
        };
        Self { tables: Arc::new(self.tables.iter().map(told).collect()) }
    }
}

fn received(segment: &Segment, event: Option<usize>, lag: Option<usize>) -> Vec<i64> {
    let column = |column: Option<usize>| column.and_then(|column| segment.part(column)).and_then(|part| part.number.as_ref());
    let (event, lag) = (column(event), column(lag));
    let value = |numbers: Option<&arrow_array::Float64Array>, row: usize| {
        numbers.filter(|numbers| row < numbers.len() && numbers.is_valid(row)).map(|numbers| numbers.value(row))
    };
    let told = |(row, timestamp): (usize, &i64)| {
        let came = value(event, row).zip(value(lag, row)).map(|(event, lag)| event + lag.max(0.0));
        #[expect(clippy::cast_possible_truncation, reason = "saturates; the engine bounds times")]
        came.map_or(*timestamp, |came| (came as i64).max(*timestamp))
    };
    segment.timestamps().iter().enumerate().map(told).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Store;

    /// P28: an event is filed under its own time and comes minutes later; a notice is filed when it is sent.
    #[test]
    fn rows_come_when_they_say_and_never_before_their_time() {
        let store = Store::in_memory();
        for row in [
            json!({ "timestamp": 1_700_000_000_000_i64, "event.time": 1_700_000_000_000_i64, "relay.lagMs": 240_000 }),
            json!({ "timestamp": 1_700_000_300_000_i64, "event.time": 1_700_000_000_000_i64, "relay.lagMs": 240_000 }),
            json!({ "timestamp": 1_700_000_000_000_i64, "event.time": 1_700_000_000_000_i64, "relay.lagMs": -5 }),
            json!({ "timestamp": 1_700_000_000_000_i64, "event.time": 1_700_000_000_000_i64 }),
            json!({ "timestamp": 1_700_000_000_000_i64 }),
        ] {
            store.append_json("A", row.as_object().expect("an object"), 5);
        }
        let told = store.snapshot().received_as_told();
        let received: Vec<i64> =
            told.table("A").expect("rows").segments().iter().flat_map(|segment| segment.received().to_vec()).collect();
        let after = |seconds: i64| 1_700_000_000_000 + seconds * 1_000;
        assert_eq!(received, [after(240), after(300), after(0), after(0), after(0)]);
    }
}
