//! Rows and aggregates, and how many of them.

use super::For::{Own, Picked};
use super::{Case, check};

pub(super) const CASES: &[Case] = &[
    ("a row beside an aggregate", Picked, "SELECT count(*), ¦flag FROM Event", &["mixed-select"]),
    ("all beside an aggregate", Picked, "SELECT ¦*, count(*) FROM Event", &["mixed-select"]),
    ("a row in an item of an aggregate", Picked, "SELECT count(*) * ¦score FROM Event", &["mixed-select"]),
    ("a row in a branch", Picked, "SELECT if(count(*) > 1, ¦flag, 'b') FROM Event", &["mixed-select"]),
    ("a row of WITH beside an aggregate", Picked, "WITH lower(flag) AS low SELECT count(*), ¦low FROM Event", &["mixed-select"]),
    ("an aggregate in WHERE", Picked, "SELECT count(*) FROM Event WHERE score > ¦average(score)", &["aggregate-in-where"]),
    ("an aggregate in FACET", Picked, "SELECT count(*) FROM Event FACET ¦max(score) LIMIT 5", &["aggregate-in-where"]),
    ("an aggregate in WITH", Picked, "WITH ¦max(score) AS most SELECT count(*) FROM Event", &["aggregate-in-where"]),
    (
        "an aggregate in a filter's condition",
        Picked,
        "SELECT filter(count(*), WHERE score = ¦max(score)) FROM Event",
        &["aggregate-in-where"],
    ),
    ("a facet of rows", Picked, "SELECT flag FROM Event ¦FACET control.id LIMIT 5", &["clause-of-aggregates"]),
    ("a series of rows", Picked, "SELECT flag FROM Event ¦TIMESERIES", &["clause-of-aggregates"]),
    ("a series of all", Picked, "SELECT * FROM Event ¦TIMESERIES 1 hour SINCE 1 day ago", &["clause-of-aggregates"]),
    ("a comparison of rows", Own, "SELECT flag FROM Event SINCE 1 day ago ¦COMPARE WITH 1 day ago", &["clause-of-aggregates"]),
    ("an order of aggregates", Picked, "SELECT count(*) FROM Event FACET flag LIMIT 5 ¦ORDER BY flag", &["clause-of-rows"]),
    ("an offset of aggregates", Picked, "SELECT count(*) FROM Event FACET flag LIMIT 5 ¦OFFSET 5", &["clause-of-rows"]),
    ("a number as a facet", Picked, "SELECT count(*) FROM Event FACET ¦score LIMIT 5", &["numeric-facet"]),
    (
        "a computed number as a facet",
        Picked,
        "SELECT count(*) FROM Event FACET flag, ¦score / 2 AS half LIMIT 5",
        &["numeric-facet"],
    ),
    ("a facet of tenths", Picked, "SELECT count(*) FROM Event FACET ¦round(score / 1000, .1) LIMIT 5", &["numeric-facet"]),
    ("a facet of logarithms", Picked, "SELECT count(*) FROM Event FACET ¦log10(score) LIMIT 5", &["numeric-facet"]),
    (
        "facets of whole numbers",
        Picked,
        "SELECT count(*) FROM Event FACET round(score), round(score, 10), floor(score), hourOf(timestamp, numeric) LIMIT 5",
        &[],
    ),
    ("a long text as a facet", Picked, "SELECT count(*) FROM Log FACET ¦blob(message) LIMIT 5", &["blob-of-rows"]),
    ("a long text in a condition", Picked, "SELECT blob(message) FROM Log WHERE ¦blob(message) = 'a' LIMIT 5", &["blob-of-rows"]),
    (
        "the least groups",
        Picked,
        "SELECT count(*) FROM Event FACET flag ORDER BY (max(score)) ¦ASC LIMIT 5",
        &["facet-ascending"],
    ),
    ("the greatest groups", Picked, "SELECT count(*) FROM Event FACET flag ORDER BY max(score) DESC LIMIT 5", &[]),
    ("groups without LIMIT", Picked, "SELECT count(*) FROM Event ¦FACET flag", &["facet-without-limit"]),
    ("groups of a series without LIMIT", Picked, "SELECT count(*) FROM Event ¦FACET flag TIMESERIES", &["facet-without-limit"]),
    (
        "the rest of cases without LIMIT",
        Picked,
        "SELECT count(*) FROM Event ¦FACET CASES(WHERE score > 1 AS 'a') OR flag",
        &["facet-without-limit"],
    ),
    (
        "cases and more without LIMIT",
        Picked,
        "SELECT count(*) FROM Event ¦FACET CASES(WHERE score > 1 AS 'a'), flag",
        &["facet-without-limit"],
    ),
    ("too many rows", Picked, "SELECT flag FROM Event ¦LIMIT 5001", &["over-limit"]),
    ("too many groups", Picked, "SELECT count(*) FROM Event FACET flag ¦LIMIT 10000", &["over-limit"]),
    ("too many rows of a table", Picked, "SELECT a FROM lookup(t) ¦LIMIT 20001", &["over-limit"]),
    ("too many long texts", Picked, "SELECT blob(message) FROM Log ¦LIMIT 21", &["over-limit"]),
    (
        "a name before a clause of the same word",
        Picked,
        "SELECT `limit`, limit FROM Log WHERE limit = 3 ¦LIMIT 5001",
        &["over-limit"],
    ),
    ("a score beside a count", Picked, "SELECT count(*), ¦apdex(score) FROM Event", &["name-twice"]),
    ("a score beside a count with a name", Picked, "SELECT count(*) AS n, apdex(score) FROM Event", &[]),
    ("two items of one name", Picked, "SELECT max(score) AS 'x', min(score) AS ¦'x' FROM Event", &["name-twice"]),
    ("two percents without names", Picked, "SELECT percentile(score, 50), ¦percentile(score, 95) FROM Event", &["name-twice"]),
    (
        "cases twice",
        Picked,
        "SELECT count(*) FROM Event FACET CASES(WHERE score > 1), ¦CASES(WHERE score > 2) LIMIT 20",
        &["name-twice"],
    ),
    ("two sums", Picked, "SELECT score + 1, score + 1 FROM Event", &[]),
    ("a type twice", Picked, "SELECT count(*) FROM Event, Other, ¦Event", &["type-twice"]),
    ("all of a join", Picked, "SELECT ¦* FROM Event JOIN (SELECT event.id FROM Other LIMIT MAX) ON event.id", &["undocumented"]),
    ("rows by an aggregate", Picked, "SELECT flag FROM Event ORDER BY ¦count(*)", &["aggregate-in-where"]),
    ("no rows", Picked, "SELECT flag FROM Event ¦LIMIT 0", &["over-limit"]),
];

#[test]
fn rows_and_aggregates_are_kept_apart() {
    check(CASES);
}

#[test]
fn a_query_fits_into_four_kilobytes() {
    let start = "SELECT count(*) FROM Event WHERE flag = '";
    let text = |bytes: usize| format!("{start}{}'", "x".repeat(bytes - start.len() - 1));
    assert_eq!(super::told(&text(4095), Picked), []);
    let told = super::told(&text(4096), Picked);
    let said: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["error[too-long]: 4096 bytes; New Relic takes less than 4096"]);
}
