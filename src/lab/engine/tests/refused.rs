//! What New Relic refuses, or the lab does not run, and where it says so.

use super::super::{Limits, Settings, Stop};
use super::{refusal, run_with, settings};

#[test]
fn faults_with_their_place() {
    let cases = [
        ("SELECT count(*) FROM E TIMESERIES PREDICT", "PREDICT: New Relic runs it; the lab does not at 34"),
        ("SELECT foo(*) FROM E", "unknown function `foo` at 7"),
        (
            "SELECT count(*) FROM E WHERE count(*) > 1",
            "the aggregate count stands in WHERE, which is computed for each row at 29",
        ),
        ("SELECT count(*) FROM E FACET max(ms)", "the aggregate max stands in FACET, which is computed for each row at 29"),
        ("SELECT max(count(*)) FROM E", "the aggregate count stands in an aggregate, which is computed for each row at 11"),
        (
            "SELECT count(*), name FROM E",
            "`name` stands outside an aggregate: select either rows or aggregates, or write latest(name) at 17",
        ),
        ("SELECT count(*), * FROM E", "`*` stands beside an aggregate: select either rows or aggregates at 17"),
        ("SELECT name FROM E TIMESERIES", "TIMESERIES needs an aggregate in SELECT, such as count(*) at 0"),
        ("SELECT name FROM E FACET ok", "FACET needs an aggregate in SELECT, such as count(*) at 25"),
        ("SELECT name FROM E COMPARE WITH 1 day ago", "COMPARE WITH needs an aggregate in SELECT, such as count(*) at 0"),
        ("SELECT count(*) FROM E OFFSET 1", "OFFSET is for queries of rows alone, not of aggregates at 0"),
        ("SELECT count(*) FROM E SINCE 1 hour ago UNTIL 2 hours ago", "the window is empty: SINCE must lie before UNTIL"),
        ("SELECT count(*) FROM E TIMESERIES 1 second", "the series would have 3600 buckets: at most 366 are allowed"),
        ("SELECT count(*) FROM E TIMESERIES 2 hours", "a bucket of 7200000 ms is wider than the window of 3600000 ms"),
        ("SELECT count(*) FROM E WHERE name = {{x}}", "the variable {{x}} has no value at 36"),
        ("SELECT count(*) FROM E WHERE name RLIKE r'('", ""),
        ("SELECT count(*) FROM E WHERE name RLIKE ok", "RLIKE needs a constant text, such as r'a.*' at 40"),
        ("SELECT lower(name, ok) FROM E", "lower takes 1 arguments, not 2 at 7"),
        ("SELECT percentile(ms, 101) FROM E", "percentile takes percentages from 0 to 100 at 7"),
        ("SELECT percentile(ms, ok) FROM E", "a constant number is needed here at 22"),
        ("SELECT histogram(ms, 10, 501) FROM E", "histogram takes a width above 0 and 1 to 500 buckets at 7"),
        ("SELECT uniques(ms, 20000) FROM E", "uniques gives 1 to 10000 values at 7"),
        ("SELECT filter(ms, WHERE ok = 'true') FROM E", "filter takes an aggregate first at 7"),
        ("SELECT percentage(count(*), 5) FROM E", "percentage takes a condition: WHERE … at 7"),
        ("SELECT cardinality(x) FROM Metric", "cardinality: New Relic runs it; the lab does not at 7"),
        ("SELECT count(*) FROM lookup(none)", "unknown lookup table `none`: there is names at 28"),
        (
            "SELECT count(*) FROM lookup(names) TIMESERIES",
            "TIMESERIES does not stand on a lookup table: its rows have no time at 0",
        ),
        ("SELECT count(*) FROM E WITH TIMEZONE 'Mars'", "unknown time zone 'Mars': use one such as 'Asia/Tokyo' at 37"),
        (
            "SELECT max(n) FROM (SELECT count(*) AS n FROM E SINCE 1 day ago)",
            "SINCE and UNTIL stand at the outermost level alone, for all levels at 20",
        ),
        (
            "SELECT count(*) FROM E WHERE ms > (SELECT ms FROM E)",
            "a subquery used as a value gives one row, this one gives 8: add LIMIT 1 at 35",
        ),
        (
            "SELECT count(*) FROM E WHERE ms > (SELECT max(ms), min(ms) FROM E)",
            "a subquery used as a value gives one column, this one gives 2 at 35",
        ),
        ("SELECT count(*) FROM E WHERE ms > (SELECT max(ms) FROM E TIMESERIES)", "TIMESERIES does not stand in a subquery at 35"),
        (
            "SELECT count(*) FROM E WHERE ms IN ((SELECT min(ms) FROM E), (SELECT max(ms) FROM E), (SELECT sum(ms) FROM E), (SELECT count(*) FROM E))",
            "a query has at most 3 subqueries at 112",
        ),
        (
            "FROM E JOIN (FROM Owner SELECT *) ON account SELECT count(*)",
            "the right side of a JOIN names its columns: `*` is not allowed at 13",
        ),
    ];
    let found: Vec<(&str, String)> = cases.iter().map(|(query, _)| (*query, refusal(query))).collect();
    let wrong: Vec<String> = found
        .iter()
        .zip(&cases)
        .filter(|((_, found), (_, expected))| found != expected && !(expected.is_empty() && found.ends_with(" at 40")))
        .map(|((query, found), (_, expected))| format!("{query}\n  expected {expected}\n  found    {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_budget_of_rows_holds() {
    let with = |budget| Settings { limits: Limits { rows: Some(budget), ..Limits::default() }, ..settings() };
    assert!(run_with(with(8), "SELECT count(*) FROM E").is_ok());
    let error = run_with(with(7), "SELECT count(*) FROM E").expect_err("more than seven");
    assert_eq!(error.to_string(), "the query looks at more than the 7 rows allowed: narrow its window");
}

#[test]
fn a_query_stops_when_it_is_told_to() {
    let stopped = Settings { stop: Some(Stop::new(|| true)), ..settings() };
    let error = run_with(stopped, "SELECT count(*) FROM E").expect_err("stopped");
    assert_eq!(error.to_string(), "the query was stopped: it took longer than allowed");
}
