//! Windows and buckets.

use super::For::{Own, Picked, Saved};
use super::{Case, check};

pub(super) const CASES: &[Case] = &[
    ("no window of its own", Own, "¦SELECT count(*) FROM Event", &["no-window"]),
    ("an end without a beginning", Own, "¦SELECT count(*) FROM Event UNTIL 1 hour ago", &["no-window"]),
    ("a saved query of the last hour", Saved, "¦SELECT count(*) FROM Event", &["last-hour"]),
    ("a fixed date in a widget", Own, "SELECT count(*) FROM Event ¦SINCE '2026-11-01' UNTIL now", &["fixed-window"]),
    (
        "a fixed time in a widget",
        Own,
        "SELECT count(*) FROM Event ¦SINCE 1795292071000 ¦UNTIL 1795292072000",
        &["fixed-window", "fixed-window"],
    ),
    ("an end before the beginning", Saved, "SELECT count(*) FROM Event ¦SINCE 1 hour ago UNTIL 1 day ago", &["empty-window"]),
    ("an end at the beginning", Saved, "SELECT count(*) FROM Event ¦SINCE 1 hour ago UNTIL 60 minutes ago", &["empty-window"]),
    (
        "a fixed end before the beginning",
        Saved,
        "SELECT count(*) FROM Event ¦SINCE 1795292072000 UNTIL 1795292071000",
        &["empty-window"],
    ),
    ("today until the day before", Saved, "SELECT count(*) FROM Event ¦SINCE today UNTIL 2 days ago", &["empty-window"]),
    (
        "an empty window of a subquery",
        Picked,
        "SELECT count(*) FROM Event WHERE score > (SELECT max(score) FROM Event ¦SINCE 1 day ago UNTIL 2 days ago)",
        &["empty-window"],
    ),
    ("events of 31 days", Own, "SELECT count(*) FROM Event ¦SINCE 31 days ago", &["beyond-retention"]),
    ("events of the month before", Own, "SELECT count(*) FROM Event ¦SINCE last month", &["beyond-retention"]),
    (
        "events compared with the month before",
        Own,
        "SELECT count(*) FROM Event SINCE 1 week ago ¦COMPARE WITH 1 month ago",
        &["beyond-retention"],
    ),
    ("logs of a year", Own, "SELECT count(*) FROM Log ¦SINCE 1 year ago", &["beyond-retention"]),
    ("metrics of 14 months", Own, "SELECT sum(cspm.records) FROM Metric ¦SINCE 14 months ago", &["beyond-retention"]),
    ("metrics beside events of a year", Own, "SELECT count(*) FROM Metric, Event ¦SINCE 1 year ago", &["beyond-retention"]),
    (
        "events in FROM of a query of a year",
        Own,
        "SELECT max(n) FROM (¦SELECT count(*) AS n FROM Event FACET flag LIMIT MAX) SINCE 1 year ago",
        &["beyond-retention"],
    ),
    (
        "events of a subquery in a query of a year",
        Own,
        "SELECT sum(cspm.records) FROM Metric WHERE aws.service IN (¦SELECT uniques(control.id, 10000) FROM Event) SINCE 1 year ago",
        &["beyond-retention"],
    ),
    (
        "a subquery's own year",
        Own,
        "SELECT count(*) FROM Event WHERE score > (SELECT max(score) FROM Event ¦SINCE 1 year ago) SINCE 1 day ago",
        &["beyond-retention"],
    ),
    (
        "a comparison with the hour before",
        Picked,
        "SELECT count(*) FROM Event ¦COMPARE WITH 1 day ago",
        &["compare-without-window"],
    ),
    ("367 buckets", Own, "SELECT count(*) FROM Event SINCE 367 minutes ago ¦TIMESERIES 1 minute", &["too-many-buckets"]),
    ("hours of a month", Own, "SELECT count(*) FROM Event SINCE 30 days ago ¦TIMESERIES 1 hour", &["too-many-buckets"]),
    (
        "buckets that slide",
        Own,
        "SELECT count(*) FROM Event SINCE 1 day ago ¦TIMESERIES 1 hour SLIDE BY 1 minute",
        &["too-many-buckets"],
    ),
    ("buckets of no width", Own, "SELECT count(*) FROM Event SINCE 1 day ago ¦TIMESERIES 0", &["too-many-buckets"]),
    (
        "a bucket wider than the window",
        Own,
        "SELECT count(*) FROM Event SINCE 1 hour ago ¦TIMESERIES 1 day",
        &["too-many-buckets"],
    ),
    ("buckets of the last hour", Saved, "¦SELECT count(*) FROM Event ¦TIMESERIES 5 seconds", &["last-hour", "too-many-buckets"]),
    (
        "buckets of the outer window",
        Own,
        "SELECT max(n) FROM (SELECT count(*) AS n FROM Event ¦TIMESERIES 1 minute) SINCE 1 day ago",
        &["too-many-buckets"],
    ),
    ("events of this month", Own, "SELECT count(*) FROM Event ¦SINCE this month", &["nearly-beyond-retention"]),
    ("events of this quarter", Own, "SELECT count(*) FROM Event ¦SINCE this quarter", &["beyond-retention"]),
    ("events since 1970", Saved, "SELECT count(*) FROM Event ¦SINCE 0", &["beyond-retention"]),
    ("events since a date long past", Saved, "SELECT count(*) FROM Event ¦SINCE '2020-01-01'", &["beyond-retention"]),
    ("metrics since a date long past", Saved, "SELECT sum(cspm.records) FROM Metric ¦SINCE '2020-01-01'", &["beyond-retention"]),
    ("metrics since a year before", Saved, "SELECT sum(cspm.records) FROM Metric SINCE '2025-01-01'", &[]),
    ("events since a date that may be near", Saved, "SELECT count(*) FROM Event SINCE '2025-12-20'", &[]),
    (
        "a date before the beginning",
        Saved,
        "SELECT count(*) FROM Event ¦SINCE '2026-02-01' UNTIL '2026-01-31'",
        &["empty-window"],
    ),
    (
        "an hour that its zone makes late",
        Saved,
        "SELECT count(*) FROM Event ¦SINCE '2026-02-01T10:00' UNTIL '2026-02-01T11:00+0900' WITH TIMEZONE 'Europe/Paris'",
        &["empty-window"],
    ),
    ("a comparison with now", Picked, "SELECT count(*) FROM Event SINCE 1 day ago ¦COMPARE WITH now", &["compare-with-itself"]),
    (
        "a comparison with no days before",
        Picked,
        "SELECT count(*) FROM Event SINCE 1 day ago ¦COMPARE WITH 0 days ago",
        &["compare-with-itself"],
    ),
];

#[test]
fn windows_end_where_data_do() {
    check(CASES);
}

/// The last that is allowed, beside the first that is not.
#[test]
fn limits_of_time_are_exact() {
    for (name, query) in [
        ("30 days of events", "SELECT count(*) FROM Event SINCE 30 days ago"),
        ("a month of events", "SELECT count(*) FROM Event SINCE 1 month ago"),
        ("13 months of metrics", "SELECT sum(cspm.records) FROM Metric SINCE 395 days ago"),
        ("366 buckets", "SELECT count(*) FROM Event SINCE 366 minutes ago TIMESERIES 1 minute"),
        ("366 buckets that slide", "SELECT count(*) FROM Event SINCE 425 minutes ago TIMESERIES 1 hour SLIDE BY 1 minute"),
        ("two weeks and two before", "SELECT count(*) FROM Event SINCE 2 weeks ago COMPARE WITH 2 weeks ago"),
    ] {
        assert_eq!(super::told(query, Own), [], "{name}");
    }
}
