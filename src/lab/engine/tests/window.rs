//! Windows, buckets, comparisons, retention.

use serde_json::{Value as Json, json};

use super::super::{Engine, PreviousTimes, Settings, Switches};
use super::{MINUTE, NOW, check, check_values, rows, rows_with, run_with, settings};
use crate::lab::store::Store;

/// One field of every row.
fn field(query: &str, name: &str) -> Vec<Json> {
    rows(query).as_array().expect("rows").iter().map(|row| row[name].clone()).collect()
}

#[test]
fn windows() {
    check_values(&[
        ("SELECT count(*) FROM E SINCE 30 minutes ago", json!(6)),
        ("SELECT count(*) FROM E SINCE 2 days ago", json!(9)),
        ("SELECT count(*) FROM E SINCE 1 hour ago UNTIL 11 minutes ago", json!(4)),
        ("SELECT count(*) FROM E UNTIL 10 minutes ago", json!(5)),
        ("SELECT count(*) FROM E UNTIL 24 hours ago", json!(1)),
        // The begin is in the window, the end is not.
        ("SELECT count(*) FROM E SINCE 2 minutes ago UNTIL 1 minute ago", json!(1)),
        ("SELECT count(*) FROM E SINCE today", json!(8)),
        ("SELECT count(*) FROM E SINCE yesterday UNTIL today", json!(1)),
        ("SELECT count(*) FROM E SINCE 1702900680000 UNTIL 1702900740000", json!(1)),
    ]);
}

#[test]
fn buckets_end_where_the_window_ends() {
    check(&[(
        "SELECT count(*), max(ms) FROM E SINCE 25 minutes ago TIMESERIES 10 minutes",
        json!([
            {"beginTimeSeconds": 1_702_899_600, "endTimeSeconds": 1_702_900_200, "count": 3, "max.ms": 50},
            {"beginTimeSeconds": 1_702_900_200, "endTimeSeconds": 1_702_900_800, "count": 3, "max.ms": 30},
        ]),
    )]);
    assert_eq!(field("SELECT count(*) FROM E TIMESERIES 20 minutes", "count"), [json!(0), json!(2), json!(6)]);
    assert_eq!(field("SELECT latest(error) AS e FROM E TIMESERIES 20 minutes", "e"), [json!(null), json!(null), json!("Denied")]);
    assert_eq!(field("SELECT rate(count(*), 1 minute) AS r FROM E TIMESERIES 30 minutes", "r"), [json!(2.0 / 30.0), json!(0.2)]);
    assert_eq!(
        field("SELECT aggregationendtime() AS e FROM E TIMESERIES 30 minutes", "e"),
        [json!(NOW - 30 * MINUTE), json!(NOW)]
    );
    assert_eq!(field("SELECT count(*) FROM E TIMESERIES", "count").len(), 60);
    assert_eq!(field("SELECT count(*) FROM E TIMESERIES MAX", "count").len(), 360);
    // Windows begin 60, 50, 40, 30 and 20 minutes ago.
    assert_eq!(
        field("SELECT count(*) FROM E TIMESERIES 20 minutes SLIDE BY 10 minutes", "count"),
        [json!(0), json!(2), json!(2), json!(3), json!(6)]
    );
    assert_eq!(
        field("SELECT sum(ms) FROM E TIMESERIES 10 minutes SLIDE BY 25 minutes", "sum.ms"),
        [json!(0), json!(5), json!(60)]
    );
}

#[test]
fn groups_are_chosen_over_the_whole_window() {
    check(&[(
        "SELECT sum(ms) FROM E FACET account LIMIT 1 TIMESERIES 30 minutes",
        json!([
            {"facet": "a", "account": "a", "beginTimeSeconds": 1_702_897_200, "endTimeSeconds": 1_702_899_000, "sum.ms": 5},
            {"facet": "a", "account": "a", "beginTimeSeconds": 1_702_899_000, "endTimeSeconds": 1_702_900_800, "sum.ms": 80},
        ]),
    )]);
}

#[test]
fn comparisons() {
    check(&[
        (
            "SELECT count(*) FROM E COMPARE WITH 1 day ago",
            json!([{"comparison": "current", "count": 8}, {"comparison": "previous", "count": 1}]),
        ),
        // The groups are those of the current window.
        (
            "SELECT count(*) FROM E WHERE account != 'a' FACET account COMPARE WITH 1 day ago",
            json!([
                {"comparison": "current", "facet": "b", "account": "b", "count": 2},
                {"comparison": "current", "facet": "c", "account": "c", "count": 1},
                {"comparison": "previous", "facet": "b", "account": "b", "count": 1},
                {"comparison": "previous", "facet": "c", "account": "c", "count": 0},
            ]),
        ),
        (
            "SELECT count(*) FROM E TIMESERIES 1 hour COMPARE WITH 1 day ago",
            json!([
                {"comparison": "current", "beginTimeSeconds": 1_702_897_200, "endTimeSeconds": 1_702_900_800, "count": 8},
                {"comparison": "previous", "beginTimeSeconds": 1_702_810_800, "endTimeSeconds": 1_702_814_400, "count": 1},
            ]),
        ),
    ]);
    let switches = Switches { previous_times: PreviousTimes::Current, ..Switches::default() };
    let found = rows_with(Settings { switches, ..settings() }, "SELECT count(*) FROM E TIMESERIES 1 hour COMPARE WITH 1 day ago");
    assert_eq!(found[1]["beginTimeSeconds"], json!(1_702_897_200));
    let answer = run_with(settings(), "SELECT count(*) FROM E COMPARE WITH 1 day ago").expect("an answer").json();
    assert_eq!(answer["currentResults"], json!([{"comparison": "current", "count": 8}]));
    assert_eq!(answer["previousResults"], json!([{"comparison": "previous", "count": 1}]));
    assert_eq!(answer["metadata"]["timeWindow"]["compareWith"], json!(86_400_000));
}

#[test]
fn rows_past_their_retention_are_hidden() {
    let store = Store::in_memory();
    let day = 24 * 60 * MINUTE;
    for (event_type, days) in [("E", 29), ("E", 31), ("Metric", 31), ("Metric", 394), ("Metric", 396), ("Old", 31)] {
        store.append(event_type, |rows| rows.begin(NOW - days * day, NOW));
    }
    let engine = Engine::new(store.snapshot(), Settings::default());
    let run =
        |query: &str| engine.run(&crate::nrql::parse(query).expect("NRQL"), NOW).expect("an answer").json()["results"].clone();
    assert_eq!(run("SELECT count(*) FROM E SINCE 2 years ago"), json!([{"count": 1}]));
    assert_eq!(run("SELECT count(*) FROM Metric SINCE 2 years ago"), json!([{"count": 2}]));
    assert_eq!(run("SHOW EVENT TYPES SINCE 2 years ago"), json!([{"eventType": "E"}, {"eventType": "Metric"}]));
}

#[test]
fn counts_of_rows_are_told() {
    let answer = run_with(settings(), "SELECT count(*) FROM E WHERE ok = 'false'").expect("an answer");
    assert_eq!((answer.inspected_count, answer.match_count), (8, 2));
    let window = &answer.metadata;
    assert_eq!((window.begin_ms, window.end_ms, window.since.clone()), (NOW - 60 * MINUTE, NOW, None));
}

/// The example of New Relic's page on time ranges.
#[test]
fn windows_on_metrics_end_where_roll_ups_end_if_the_switch_says_so() {
    const SPAN: &str = "SINCE '2023-12-16T00:04Z' UNTIL '2023-12-18T00:03Z'";
    let snapping = Switches { metric_snap_ms: Some(300_000), ..Switches::default() };
    let window = |switches: Switches, query: &str| {
        let metadata = run_with(Settings { switches, ..settings() }, query).expect("an answer").metadata;
        (metadata.begin_ms, metadata.end_ms)
    };
    // 2023-12-16T00:00Z and 2023-12-18T00:00Z.
    let (begin, end) = (1_702_684_800_000, 1_702_857_600_000);
    let (as_said, moved) = ((begin + 4 * MINUTE, end + 3 * MINUTE), (begin, end));
    for (switches, query, expected) in [
        (snapping, format!("FROM Metric SELECT sum(cspm.records) {SPAN}"), moved),
        (snapping, format!("FROM Metric SELECT sum(cspm.records) {SPAN} TIMESERIES 1 day"), moved),
        (snapping, format!("FROM Metric SELECT * {SPAN} RAW"), as_said),
        (snapping, format!("FROM E SELECT count(*) {SPAN}"), as_said),
        (Switches::default(), format!("FROM Metric SELECT sum(cspm.records) {SPAN}"), as_said),
        // Within one roll-up there is no other window.
        (
            snapping,
            "FROM Metric SELECT count(*) SINCE 2 minutes ago UNTIL 1 minute ago".to_owned(),
            (NOW - 2 * MINUTE, NOW - MINUTE),
        ),
    ] {
        assert_eq!(window(switches, &query), expected, "{query}");
    }
    // What lies before the moved end alone counts.
    let count = rows_with(
        Settings { switches: snapping, ..settings() },
        "FROM Metric SELECT sum(cspm.records) AS s SINCE 7 minutes ago UNTIL 1 second ago",
    );
    assert_eq!(count, json!([{"s": 0}]));
}
