//! Records that are counted instead of being sent: how many, and never more than once.

use serde_json::json;

use super::tests::{now, run, so_far, stages, stopped_by_root};
use super::*;

/// P49: what is counted instead of being sent is counted to the one, also when the object comes twice.
#[test]
fn a_thinned_record_is_counted_like_one_that_is_sent() {
    let read = |id: u64, read_only: bool| {
        let mut record = stopped_by_root(id);
        record["eventName"] = json!("DescribeTrails");
        record["userIdentity"] = json!({ "type": "IAMUser", "userName": "ada", "accountId": "111122223333" });
        record["readOnly"] = json!(read_only);
        record
    };
    let records = json!({ "Records": [stopped_by_root(1), read(2, true), read(3, false), read(4, true), read(5, true)] });
    let mut counted = Vec::new();
    for (thin, logs, ignored) in [(false, 5, 0), (true, 2, 3)] {
        let mut stages = stages("");
        stages.outputs.logs.records = LogRecords::All;
        stages.outputs.logs.thin = thin;
        let (items, counts) = run(&stages, &records);
        assert_eq!(items.iter().filter(|(lane, _)| *lane == Lane::Logs).count(), logs, "thin {thin}");
        assert_eq!(counts.ended(Outcome::Ignored), ignored, "thin {thin}");
        run(&stages, &records);
        let name = |taken: &crate::ack::Taken| taken.series().attributes().map(|(_, value)| value).collect::<Vec<_>>().join("|");
        let taken = stages.rollups.take(now());
        let mut series: Vec<(String, u64)> = taken.iter().map(|taken| (name(taken), taken.amount())).collect();
        series.sort();
        counted.push(series);
    }
    assert_eq!(counted[0], counted[1]);
    // What a replay refuses as too old is not counted as of today either.
    let mut late = Stages { refuse_late: true, clock: Clock::fixed(now() + 48 * 3_600_000), ..stages("") };
    (late.outputs.logs.records, late.outputs.logs.thin) = (LogRecords::All, true);
    let (_, counts) = so_far(&late, &records);
    assert_eq!((counts.ended(Outcome::Ignored), late.rollups.take(now()).len()), (0, 0));
    assert!(counted[0].iter().any(|(_, amount)| *amount == 5), "{counted:?}");
}
