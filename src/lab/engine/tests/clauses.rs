//! Conditions, groups, limits, orders.

use serde_json::json;

use super::super::{DivisionByZero, FacetOrder, Settings, Switches};
use super::{check, check_values, rows_with, run_with, settings};

#[test]
fn conditions() {
    check_values(&[
        ("SELECT count(*) FROM E WHERE name = 'login'", json!(2)),
        ("SELECT count(*) FROM E WHERE name LIKE 'login'", json!(3)),
        ("SELECT count(*) FROM E WHERE name LIKE '%O%'", json!(3)),
        ("SELECT count(*) FROM E WHERE name NOT LIKE 'l%'", json!(2)),
        ("SELECT count(*) FROM E WHERE name RLIKE r'l.*'", json!(4)),
        ("SELECT count(*) FROM E WHERE name NOT RLIKE r'l.*'", json!(3)),
        ("SELECT count(*) FROM E WHERE name != 'login'", json!(5)),
        ("SELECT count(*) FROM E WHERE NOT name = 'login'", json!(5)),
        ("SELECT count(*) FROM E WHERE name IN ('login', 'list')", json!(4)),
        ("SELECT count(*) FROM E WHERE name NOT IN ('login', 'list')", json!(3)),
        ("SELECT count(*) FROM E WHERE name IS NULL", json!(1)),
        ("SELECT count(*) FROM E WHERE name IS NOT NULL AND ms IS NULL", json!(1)),
        ("SELECT count(*) FROM E WHERE ms > 10", json!(3)),
        ("SELECT count(*) FROM E WHERE ms >= 10 AND ms < 50", json!(3)),
        ("SELECT count(*) FROM E WHERE 10 < ms", json!(3)),
        ("SELECT count(*) FROM E WHERE ms = '10'", json!(0)),
        ("SELECT count(*) FROM E WHERE ms != 10", json!(6)),
        ("SELECT count(*) FROM E WHERE ms = 'slow'", json!(1)),
        ("SELECT count(*) FROM E WHERE ms * 2 > 40", json!(2)),
        ("SELECT count(*) FROM E WHERE ms / 0 = 0 OR account = 'b'", json!(2)),
        ("SELECT count(*) FROM E WHERE flag IS TRUE", json!(1)),
        ("SELECT count(*) FROM E WHERE flag IS NOT TRUE", json!(7)),
        ("SELECT count(*) FROM E WHERE flag = false", json!(1)),
        ("SELECT count(*) FROM E WHERE flag", json!(1)),
        ("SELECT count(*) FROM E WHERE ok IS TRUE", json!(0)),
        ("SELECT count(*) FROM E WHERE account = 'b' OR account = 'a' AND ok = 'false'", json!(3)),
        ("SELECT count(*) FROM E WHERE account = 'b' OR ms > 10 AND ok = 'true'", json!(3)),
        ("SELECT count(*) FROM E WHERE (error OR name) = 'delete'", json!(1)),
        ("SELECT count(*) FROM E WHERE account = 'a' WHERE ok = 'true'", json!(4)),
        ("SELECT count(*) FROM E WHERE contains(tags, 'x')", json!(1)),
        ("SELECT count(*) FROM E WHERE lower(name) = 'login'", json!(3)),
        ("SELECT count(*) FROM E WHERE concat(account, name) = 'alist'", json!(1)),
        ("SELECT count(*) FROM E WHERE timestamp >= 1702900680000", json!(2)),
        ("SELECT count(*) FROM E WHERE cidrAddress(ip, 24) = '10.0.0.0/24'", json!(2)),
        ("SELECT count(*) FROM E, Owner WHERE eventType() = 'Owner'", json!(2)),
        ("SELECT count(*) FROM E WHERE nowhere = 'x'", json!(0)),
        ("SELECT count(*) FROM E WHERE nowhere != 'x'", json!(0)),
        ("WITH lower(name) AS low, numeric('15') AS bound SELECT count(*) FROM E WHERE low = 'login' AND ms > bound", json!(2)),
        ("WITH capture(name, r'l(?P<x>.*)n') AS middle SELECT uniques(middle) FROM E", json!(["ogi"])),
        ("WITH aparse(ip, '10.0.*.*') AS (c, d) SELECT uniques(tuple(c, d)) FROM E", json!([["0", "2"], ["0", "1"]])),
    ]);
}

#[test]
fn switches_decide_what_is_undecided() {
    let with = |change: fn(&mut Switches)| {
        let mut switches = Switches::default();
        change(&mut switches);
        Settings { switches, ..settings() }
    };
    let null = with(|switches| switches.null_satisfies_negation = true);
    for (query, count) in [
        ("SELECT count(*) AS n FROM E WHERE name != 'login'", 6),
        ("SELECT count(*) AS n FROM E WHERE name NOT IN ('login')", 6),
        ("SELECT count(*) AS n FROM E WHERE name NOT LIKE 'log%'", 5),
        ("SELECT count(*) AS n FROM E WHERE ms != 10", 7),
        ("SELECT count(*) AS n FROM E WHERE name = 'login'", 2),
    ] {
        assert_eq!(rows_with(null.clone(), query), json!([{"n": count}]), "{query}");
    }
    let zero = with(|switches| switches.division_by_zero = DivisionByZero::Zero);
    assert_eq!(rows_with(zero, "SELECT count(*) / sum(nowhere) AS n FROM E"), json!([{"n": 0}]));
    let documented = with(|switches| switches.facet_order = FacetOrder::Documented);
    let query = "SELECT sum(ms) FROM E FACET name LIMIT 2";
    let names =
        |rows: serde_json::Value| rows.as_array().expect("rows").iter().map(|row| row["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(rows_with(settings(), query)), ["delete", "login"]);
    assert_eq!(names(rows_with(documented, query)), ["delete", "list"]);
    let hourly = with(|switches| switches.default_rate_ms = 3_600_000);
    assert_eq!(rows_with(hourly, "SELECT rate(count(*)) AS n FROM E"), json!([{"n": 8}]));
    let keep = with(|switches| switches.facet_keeps_null = true);
    let query = "SELECT count(*) FROM E WHERE ok = 'false' FACET name, error";
    assert_eq!(
        rows_with(keep, query),
        json!([
            {"facet": ["delete", "Denied"], "name": "delete", "error": "Denied", "count": 1},
            {"facet": ["login", null], "name": "login", "error": null, "count": 1},
        ])
    );
}

#[test]
fn groups() {
    check(&[
        (
            "SELECT count(*) FROM E FACET account",
            json!([
                {"facet": "a", "account": "a", "count": 5}, {"facet": "b", "account": "b", "count": 2},
                {"facet": "c", "account": "c", "count": 1},
            ]),
        ),
        (
            "SELECT count(*), max(ms) AS most FROM E FACET name AS what LIMIT 2",
            json!([
                {"facet": "delete", "what": "delete", "count": 2, "most": 50},
                {"facet": "list", "what": "list", "count": 2, "most": 5},
            ]),
        ),
        // A group needs a value of the first aggregate.
        (
            "SELECT average(ms) FROM E FACET account",
            json!([
                {"facet": "b", "account": "b", "average.ms": 30}, {"facet": "a", "account": "a", "average.ms": 17},
            ]),
        ),
        (
            "SELECT filter(count(*), WHERE ok = 'false') AS n FROM E FACET account",
            json!([
                {"facet": "a", "account": "a", "n": 1}, {"facet": "b", "account": "b", "n": 1},
                {"facet": "c", "account": "c", "n": 0},
            ]),
        ),
        (
            "SELECT count(*) FROM E WHERE name IN ('login', 'delete') FACET name, account",
            json!([
                {"facet": ["delete", "a"], "name": "delete", "account": "a", "count": 1},
                {"facet": ["delete", "c"], "name": "delete", "account": "c", "count": 1},
                {"facet": ["login", "a"], "name": "login", "account": "a", "count": 1},
                {"facet": ["login", "b"], "name": "login", "account": "b", "count": 1},
            ]),
        ),
        ("SELECT count(*) FROM E FACET lower(name) LIMIT 1", json!([{"facet": "login", "lower(name)": "login", "count": 3}])),
        (
            "SELECT count(*) FROM E FACET concat(account, '/', ok) AS both LIMIT 2",
            json!([
                {"facet": "a/true", "both": "a/true", "count": 4}, {"facet": "a/false", "both": "a/false", "count": 1},
            ]),
        ),
        (
            "SELECT count(*) FROM E FACET CASES (WHERE ms > 20 AS 'slow', WHERE account = 'a' AS 'ours') AS kind",
            json!([
                {"facet": "ours", "kind": "ours", "count": 4}, {"facet": "slow", "kind": "slow", "count": 2},
            ]),
        ),
        (
            "SELECT count(*) FROM E FACET CASES (WHERE ms > 20 AS 'slow') OR account AS kind",
            json!([
                {"facet": "a", "kind": "a", "count": 4}, {"facet": "slow", "kind": "slow", "count": 2},
                {"facet": "b", "kind": "b", "count": 1}, {"facet": "c", "kind": "c", "count": 1},
            ]),
        ),
        (
            "SELECT count(*) FROM E FACET CASES (WHERE ok = 'true', WHERE ok = 'false')",
            json!([
                {"facet": "ok = 'true'", "cases": "ok = 'true'", "count": 6},
                {"facet": "ok = 'false'", "cases": "ok = 'false'", "count": 2},
            ]),
        ),
        (
            "SELECT count(*) FROM E WHERE ms < 20 FACET ms",
            json!([
                {"facet": "0", "ms": 0, "count": 1}, {"facet": "5", "ms": 5, "count": 1}, {"facet": "10", "ms": 10, "count": 1},
            ]),
        ),
        ("SELECT count(*) FROM E FACET tags", json!([{"facet": "[x, y]", "tags": ["x", "y"], "count": 1}])),
        (
            "SELECT count(*) FROM E FACET flag",
            json!([{"facet": "false", "flag": false, "count": 1}, {"facet": "true", "flag": true, "count": 1}]),
        ),
        (
            "SELECT count(*) FROM E FACET hourOf(timestamp), weekdayOf(timestamp, numeric) AS day",
            json!([{"facet": ["11:00", "1"], "hourOf(timestamp)": "11:00", "day": 1, "count": 8}]),
        ),
        (
            "SELECT count(*) FROM E FACET hourOf(timestamp) AS hour WITH TIMEZONE 'Asia/Tokyo'",
            json!([{"facet": "20:00", "hour": "20:00", "count": 8}]),
        ),
        // Which survive is said by ORDER BY, in what order by the first value.
        (
            "SELECT count(*) FROM E FACET account ORDER BY max(ms) LIMIT 2",
            json!([{"facet": "a", "account": "a", "count": 5}, {"facet": "b", "account": "b", "count": 2}]),
        ),
        (
            "SELECT min(ms) AS least FROM E FACET account ORDER BY count(*) LIMIT 1",
            json!([{"facet": "a", "account": "a", "least": 0}]),
        ),
        ("SELECT uniqueCount(account) FROM E FACET nowhere", json!([])),
        (
            "SELECT count(*) FROM E, Owner FACET eventType() AS type",
            json!([{"facet": "E", "type": "E", "count": 8}, {"facet": "Owner", "type": "Owner", "count": 2}]),
        ),
    ]);
}

#[test]
fn the_rest_and_the_total() {
    let answer =
        run_with(settings(), "SELECT count(*), uniqueCount(name), max(ms) FROM E FACET account LIMIT 1").expect("an answer");
    let found = answer.json();
    assert_eq!(found["totalResult"], json!({"count": 8, "uniqueCount.name": 4, "max.ms": 50}));
    assert_eq!(found["otherResult"], json!({"count": 3, "uniqueCount.name": 3, "max.ms": 30}));
    assert_eq!(found["metadata"]["facets"], json!(["account"]));
    // Rows without a group are in the total alone.
    let found = run_with(settings(), "SELECT count(*), latest(account) FROM E FACET name LIMIT 3").expect("an answer").json();
    assert_eq!(found["totalResult"], json!({"count": 8, "latest.account": "a"}));
    assert_eq!(found["otherResult"], json!({"count": 1, "latest.account": "a"}));
    let found =
        run_with(settings(), "SELECT count(*) FROM E FACET account LIMIT 1 TIMESERIES 30 minutes").expect("an answer").json();
    let counts =
        |rows: &serde_json::Value| rows.as_array().expect("rows").iter().map(|row| row["count"].clone()).collect::<Vec<_>>();
    assert_eq!(
        (counts(&found["totalResult"]), counts(&found["otherResult"])),
        (vec![json!(2), json!(6)], vec![json!(0), json!(3)])
    );
    let found = run_with(settings(), "SELECT count(*) FROM E").expect("an answer").json();
    assert_eq!((&found["totalResult"], &found["otherResult"]), (&json!(null), &json!(null)));
}

#[test]
fn rows_of_events() {
    check(&[
        (
            "SELECT name, ms FROM E LIMIT 2",
            json!([
                {"timestamp": 1_702_900_740_000_i64, "name": "login", "ms": 10},
                {"timestamp": 1_702_900_680_000_i64, "name": "login", "ms": 30},
            ]),
        ),
        (
            "SELECT name, error FROM E WHERE name = 'delete' LIMIT 1 OFFSET 1",
            json!([{"timestamp": 1_702_900_080_000_i64, "name": "delete", "error": null}]),
        ),
        (
            "SELECT * FROM E WHERE tags IS NOT NULL",
            json!([{
                "timestamp": 1_702_898_940_000_i64, "account": "a", "ms": 5, "name": "list", "ok": "true", "tags": ["x", "y"],
            }]),
        ),
        (
            "SELECT timestamp AS at, ms * 2 AS twice, upper(name) FROM E WHERE ms > 20 ORDER BY twice DESC",
            json!([
                {"timestamp": 1_702_900_140_000_i64, "at": 1_702_900_140_000_i64, "twice": 100, "upper.name": "DELETE"},
                {"timestamp": 1_702_900_680_000_i64, "at": 1_702_900_680_000_i64, "twice": 60, "upper.name": "LOGIN"},
            ]),
        ),
        (
            "SELECT name FROM E WHERE account != 'a' ORDER BY name DESC, ms",
            json!([
                {"timestamp": 1_702_900_680_000_i64, "name": "login"}, {"timestamp": 1_702_900_020_000_i64, "name": "list"},
                {"timestamp": 1_702_900_080_000_i64, "name": "delete"},
            ]),
        ),
        ("SELECT tags[1] AS second FROM E WHERE tags[0] = 'x'", json!([{"timestamp": 1_702_898_940_000_i64, "second": "y"}])),
        ("SHOW EVENT TYPES", json!([{"eventType": "E"}, {"eventType": "Metric"}, {"eventType": "Owner"}])),
        ("SHOW EVENT TYPES SINCE 2 days ago UNTIL 1 day ago", json!([{"eventType": "E"}])),
    ]);
}
