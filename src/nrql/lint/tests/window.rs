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
    (
        "half hours of a week of the calendar",
        Own,
        "SELECT count(*) FROM Event SINCE last week UNTIL this week TIMESERIES 30 minutes",
        &[],
    ),
    (
        "minutes of two hours of yesterday",
        Own,
        "SELECT count(*) FROM Event SINCE yesterday AT '10:00' UNTIL yesterday AT '12:00' TIMESERIES 1 minute",
        &[],
    ),
    ("four minutes of yesterday", Own, "SELECT count(*) FROM Event SINCE yesterday UNTIL today TIMESERIES 4 minutes", &[]),
    (
        "quarters of a minute of an hour",
        Own,
        "SELECT count(*) FROM Event SINCE last hour UNTIL this hour TIMESERIES 15 seconds",
        &[],
    ),
    ("five minutes of a day", Own, "SELECT count(*) FROM Event SINCE last day UNTIL this day TIMESERIES 5 minutes", &[]),
    (
        "too many of yesterday",
        Own,
        "SELECT count(*) FROM Event SINCE yesterday UNTIL today ¦TIMESERIES 3 minutes",
        &["too-many-buckets"],
    ),
    (
        "too many of a weekday and the next",
        Own,
        "SELECT count(*) FROM Event SINCE tuesday AT '00:00' UNTIL tuesday AT '08:00' ¦TIMESERIES 1 minute",
        &["too-many-buckets"],
    ),
    ("as many as today has", Own, "SELECT count(*) FROM Event SINCE today TIMESERIES 1 minute", &[]),
    (
        "as many as this month has had days",
        Own,
        "SELECT sum(cspm.records) FROM Metric SINCE last month UNTIL today ¦TIMESERIES 1 hour",
        &["too-many-buckets"],
    ),
    (
        "a day that summer time may shorten",
        Own,
        "SELECT count(*) FROM Event SINCE yesterday UNTIL today TIMESERIES 230 seconds WITH TIMEZONE 'Europe/Paris'",
        &[],
    ),
    (
        "a day that no summer time shortens",
        Own,
        "SELECT count(*) FROM Event SINCE yesterday UNTIL today ¦TIMESERIES 230 seconds WITH TIMEZONE 'Asia/Tokyo'",
        &["too-many-buckets"],
    ),
    (
        "minutes of a fixed day",
        Saved,
        "SELECT count(*) FROM Event SINCE '2026-11-20' UNTIL '2026-11-21' ¦TIMESERIES 1 minute",
        &["too-many-buckets"],
    ),
    (
        "four minutes of a fixed day",
        Saved,
        "SELECT count(*) FROM Event SINCE '2026-11-20' UNTIL '2026-11-21' TIMESERIES 4 minutes",
        &[],
    ),
    (
        "days since long ago",
        Saved,
        "SELECT sum(cspm.records) FROM Metric SINCE '2025-01-01' UNTIL yesterday ¦TIMESERIES 12 hours",
        &["too-many-buckets"],
    ),
    ("an end that is long past", Saved, "SELECT count(*) FROM Event ¦SINCE 1 day ago UNTIL '2020-01-01'", &["empty-window"]),
    (
        "an end that comes before its day's beginning",
        Saved,
        "SELECT count(*) FROM Event ¦SINCE yesterday AT '12:00' UNTIL yesterday AT '10:00'",
        &["empty-window"],
    ),
    (
        "a bucket wider than an hour of the calendar",
        Own,
        "SELECT count(*) FROM Event SINCE last hour UNTIL this hour ¦TIMESERIES 61 minutes",
        &["too-many-buckets"],
    ),
    (
        "a prediction too far",
        Own,
        "SELECT count(*) FROM Event SINCE 1 day ago TIMESERIES 10 minutes ¦PREDICT BY 3 days USING 7 days",
        &["over-limit"],
    ),
    (
        "a prediction as far as may be",
        Own,
        "SELECT count(*) FROM Event SINCE 1 day ago TIMESERIES 10 minutes PREDICT BY 60 hours",
        &[],
    ),
    ("event types of 40 days", Saved, "SHOW EVENT TYPES ¦SINCE 40 days ago", &["beyond-retention"]),
    ("event types of no time", Saved, "SHOW EVENT TYPES ¦SINCE 1 hour ago UNTIL 2 hours ago", &["empty-window"]),
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
