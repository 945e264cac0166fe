//! Queries within queries: nested aggregation, subqueries, joins, lookup tables.

use serde_json::json;

use super::{check, check_values};

#[test]
fn nested_aggregation() {
    check_values(&[
        ("SELECT max(n) FROM (SELECT count(*) AS n FROM E FACET account)", json!(5)),
        ("SELECT average(count) FROM (SELECT count(*) FROM E FACET account) WHERE count < 5", json!(1.5)),
        ("SELECT max(n) FROM (SELECT count(*) AS n FROM E TIMESERIES 10 minutes)", json!(3)),
        // The inner query has ten groups if it does not say otherwise.
        ("SELECT count(*) FROM (SELECT count(*) FROM E FACET account LIMIT 2)", json!(2)),
        ("SELECT sum(n) FROM (SELECT n FROM (SELECT count(*) AS n FROM E FACET name, account LIMIT MAX))", json!(7)),
        ("SELECT percentage(count(*), WHERE n = 1) FROM (SELECT count(*) AS n FROM E FACET account)", json!(100.0 / 3.0)),
        ("SELECT max(getField(p, '50')) FROM (SELECT percentile(ms, 50) AS p FROM E FACET account)", json!(30)),
        ("SELECT count(*) FROM (SELECT percentile(ms, 50) AS p FROM E FACET account) WHERE p > 20", json!(1)),
        ("SELECT max(p) FROM (SELECT percentile(ms, 50) AS p FROM E FACET account)", json!(30)),
    ]);
    check(&[
        (
            "SELECT count(*) FROM (SELECT latest(ok) AS last FROM E FACET account) FACET last",
            json!([{"facet": "true", "last": "true", "count": 2}, {"facet": "false", "last": "false", "count": 1}]),
        ),
        // Without buckets of its own the inner query follows those of the outer one.
        (
            "SELECT max(n) FROM (SELECT count(*) AS n FROM E FACET account) TIMESERIES 30 minutes",
            json!([
                {"beginTimeSeconds": 1_702_897_200, "endTimeSeconds": 1_702_899_000, "max.n": 2},
                {"beginTimeSeconds": 1_702_899_000, "endTimeSeconds": 1_702_900_800, "max.n": 3},
            ]),
        ),
        (
            "SELECT max(n) FROM (SELECT count(*) AS n FROM E FACET account) COMPARE WITH 1 day ago",
            json!([{"comparison": "current", "max.n": 5}, {"comparison": "previous", "max.n": 1}]),
        ),
    ]);
}

#[test]
fn subqueries() {
    check_values(&[
        ("SELECT count(*) FROM E WHERE ms > (SELECT average(ms) FROM E)", json!(3)),
        ("SELECT count(*) FROM E WHERE account IN (SELECT uniques(account) FROM Owner)", json!(7)),
        ("SELECT count(*) FROM E WHERE account NOT IN (SELECT account FROM Owner)", json!(1)),
        ("SELECT count(*) FROM E WHERE account = (SELECT latest(account) FROM Owner WHERE owner = 'Bob')", json!(2)),
        ("SELECT count(*) / (SELECT count(*) FROM E SINCE 2 days ago) FROM E", json!(8.0 / 9.0)),
        ("SELECT filter(count(*), WHERE ms > (SELECT median(ms) FROM E)) FROM E", json!(3)),
        ("WITH (SELECT max(ms) FROM E) AS most SELECT count(*) FROM E WHERE ms = most", json!(1)),
        ("WITH 1 AS one SELECT one + 1", json!(2)),
    ]);
}

#[test]
fn joins() {
    check(&[
        (
            "FROM E JOIN (FROM Owner SELECT latest(owner) AS owner FACET account) ON account SELECT count(*) FACET owner",
            json!([{"facet": "Ann", "owner": "Ann", "count": 5}, {"facet": "Bob", "owner": "Bob", "count": 2}]),
        ),
        (
            "FROM E LEFT JOIN (FROM Owner SELECT latest(owner) AS owner FACET account) ON account \
             SELECT count(*) WHERE owner IS NULL FACET account",
            json!([{"facet": "c", "account": "c", "count": 1}]),
        ),
        (
            "FROM E JOIN (FROM lookup(names) SELECT id, title LIMIT 100) ON account = id SELECT count(*) FACET title",
            json!([{"facet": "Alpha", "title": "Alpha", "count": 5}, {"facet": "Beta", "title": "Beta", "count": 2}]),
        ),
        (
            "FROM E JOIN (FROM Owner SELECT count(*) FACET account AS id) ON lower(account) = id \
             SELECT count(*) TIMESERIES 1 hour",
            json!([{"beginTimeSeconds": 1_702_897_200, "endTimeSeconds": 1_702_900_800, "count": 7}]),
        ),
    ]);
}

#[test]
fn lookup_tables() {
    check(&[
        (
            "FROM lookup(names) SELECT title, rank ORDER BY rank DESC",
            json!([{"title": "Beta", "rank": 2}, {"title": "Alpha", "rank": 1}]),
        ),
        ("FROM lookup(names) SELECT count(*), max(rank)", json!([{"count": 2, "max.rank": 2}])),
    ]);
    check_values(&[("SELECT count(*) FROM E WHERE account IN (FROM lookup(names) SELECT uniques(id) WHERE rank = 2)", json!(2))]);
}
