//! Queries in queries, clauses that need others.

use super::For::{Own, Picked};
use super::{Case, check};

pub(super) const CASES: &[Case] = &[
    (
        "a window inside FROM",
        Picked,
        "SELECT max(n) FROM (SELECT count(*) AS n FROM Event FACET flag LIMIT MAX ¦SINCE 1 day ago ¦UNTIL 1 hour ago)",
        &["clause-in-nested", "clause-in-nested"],
    ),
    (
        "a comparison inside FROM",
        Own,
        "SELECT max(n) FROM (SELECT count(*) AS n FROM Event ¦COMPARE WITH 1 day ago) SINCE 1 day ago",
        &["clause-in-nested"],
    ),
    (
        "a series in a join",
        Picked,
        "SELECT count(*) FROM Event JOIN (SELECT count(*) AS n FROM Other FACET event.id LIMIT MAX ¦TIMESERIES) ON event.id",
        &["clause-in-nested"],
    ),
    (
        "all in a join",
        Picked,
        "SELECT count(*) FROM Event JOIN (SELECT ¦* FROM Other LIMIT MAX) ON event.id",
        &["clause-in-nested"],
    ),
    (
        "a list in a join",
        Picked,
        "SELECT count(*) FROM Event JOIN (SELECT ¦uniques(event.id, 10) AS ids FROM Other FACET aws.accountId LIMIT MAX) ON aws.accountId",
        &["clause-in-nested"],
    ),
    (
        "a series in a subquery",
        Picked,
        "SELECT count(*) FROM Event WHERE score > (SELECT average(score) FROM Event ¦TIMESERIES)",
        &["clause-in-nested"],
    ),
    (
        "a comparison in a subquery",
        Picked,
        "SELECT count(*) FROM Event WHERE score > (SELECT average(score) FROM Event SINCE 1 day ago ¦COMPARE WITH 1 day ago)",
        &["clause-in-nested"],
    ),
    ("a series of a table", Picked, "SELECT count(*) FROM lookup(t) ¦TIMESERIES", &["clause-in-nested"]),
    ("extrapolation of a table", Picked, "SELECT count(*) FROM lookup(t) ¦EXTRAPOLATE", &["clause-in-nested"]),
    (
        "two columns as a value",
        Picked,
        "SELECT count(*) FROM Event WHERE score > (¦SELECT max(score), min(score) FROM Event)",
        &["one-column"],
    ),
    ("all as a value", Picked, "SELECT count(*) FROM Event WHERE score > (SELECT ¦* FROM Event LIMIT 1)", &["one-column"]),
    ("many rows as a value", Picked, "SELECT count(*) FROM Event WHERE score > (¦SELECT score FROM Event)", &["one-column"]),
    (
        "groups as a value",
        Picked,
        "SELECT count(*) FROM Event WHERE score > (¦SELECT max(score) FROM Event FACET flag LIMIT 2)",
        &["one-column"],
    ),
    (
        "two columns after IN",
        Picked,
        "SELECT count(*) FROM Event WHERE flag IN (¦SELECT flag, control.id FROM Event LIMIT MAX)",
        &["one-column"],
    ),
    ("all after IN", Picked, "SELECT count(*) FROM Event WHERE flag IN (SELECT ¦* FROM Event LIMIT MAX)", &["one-column"]),
    (
        "four subqueries",
        Picked,
        "SELECT (SELECT count(*) FROM Event), (SELECT count(*) FROM Event), (SELECT count(*) FROM Event), (¦SELECT count(*) FROM Event), count(*) FROM Event",
        &["too-many-subqueries"],
    ),
    (
        "four subqueries, deep",
        Picked,
        "SELECT count(*) FROM Event WHERE score > (SELECT max(score) FROM Event WHERE score < (SELECT min(score) FROM Event WHERE score > (SELECT max(score) FROM Event WHERE score < (¦SELECT min(score) FROM Event))))",
        &["too-many-subqueries"],
    ),
    (
        "groups inside FROM without LIMIT",
        Picked,
        "SELECT max(n) FROM (¦SELECT count(*) AS n FROM Event FACET flag)",
        &["nested-without-limit"],
    ),
    ("rows inside FROM without LIMIT", Picked, "SELECT count(*) FROM (¦SELECT flag FROM Event)", &["nested-without-limit"]),
    (
        "a join without LIMIT",
        Picked,
        "SELECT count(*) FROM Event JOIN (¦SELECT event.id FROM Other) ON event.id",
        &["nested-without-limit"],
    ),
    (
        "rows after IN without LIMIT",
        Picked,
        "SELECT count(*) FROM Event WHERE event.id IN (¦SELECT event.id FROM Other)",
        &["nested-without-limit"],
    ),
    (
        "a list after IN without its length",
        Picked,
        "SELECT count(*) FROM Event WHERE event.id IN (SELECT ¦uniques(event.id) FROM Other)",
        &["uniques-cut"],
    ),
    ("slices of no width", Picked, "SELECT count(*) FROM Event TIMESERIES AUTO ¦SLIDE BY 1 minute", &["clause-alone"]),
    ("a prediction of no series", Picked, "SELECT count(*) FROM Event ¦PREDICT BY 1 hour", &["clause-alone"]),
    ("a prediction of no series and no length", Picked, "SELECT count(*) FROM Event ¦PREDICT", &["clause-alone"]),
    (
        "a prediction beside a comparison",
        Own,
        "SELECT count(*) FROM Event SINCE 1 day ago TIMESERIES COMPARE WITH 1 day ago ¦PREDICT BY 1 hour",
        &["clause-alone"],
    ),
    (
        "a computed key without a column",
        Picked,
        "SELECT count(*) FROM Event JOIN (SELECT event.id FROM Other LIMIT MAX) ON ¦lower(event.id)",
        &["join-key"],
    ),
    (
        "a computed key with a column",
        Picked,
        "SELECT count(*) FROM Event JOIN (SELECT event.id FROM Other LIMIT MAX) ON lower(event.id) = event.id",
        &[],
    ),
];

#[test]
fn what_stands_in_another_query_is_judged_there() {
    check(CASES);
}
