//! Every aggregate.

use serde_json::json;

use super::super::{Deviation, Settings, Switches};
use super::{check, check_values, rows_with, settings};

#[test]
fn aggregates_of_all_rows() {
    check_values(&[
        ("SELECT count(*) FROM E", json!(8)),
        ("SELECT count(name) FROM E", json!(7)),
        ("SELECT count('name') FROM E", json!(8)),
        ("SELECT count(1) FROM E", json!(8)),
        ("SELECT count(ms) FROM E", json!(7)),
        ("SELECT datapointCount() FROM E", json!(8)),
        ("SELECT sum(ms) FROM E", json!(115)),
        ("SELECT sum(name) FROM E", json!(0)),
        ("SELECT average(ms) FROM E WHERE name = 'login'", json!(20)),
        ("SELECT average(name) FROM E", json!(null)),
        ("SELECT average(1 + ms) FROM E WHERE name = 'login'", json!(21)),
        ("SELECT average(ms OR 5) FROM E WHERE name = 'delete'", json!(27.5)),
        ("SELECT min(ms) FROM E", json!(0)),
        ("SELECT max(ms) FROM E", json!(50)),
        ("SELECT max(nowhere) FROM E", json!(null)),
        ("SELECT latest(name) FROM E", json!("login")),
        ("SELECT latest(ms) FROM E", json!(10)),
        ("SELECT latest(tags) FROM E", json!(["x", "y"])),
        ("SELECT latest(flag) FROM E", json!(true)),
        ("SELECT earliest(name) FROM E", json!("list")),
        ("SELECT earliest(error) FROM E", json!("Denied")),
        ("SELECT latest(timestamp) FROM E", json!(1_702_900_740_000_i64)),
        ("SELECT uniqueCount(name) FROM E", json!(4)),
        ("SELECT uniqueCount(name, precision: 50000) FROM E", json!(4)),
        ("SELECT uniqueCount(name, account) FROM E", json!(7)),
        ("SELECT uniqueCount(ms) FROM E", json!(7)),
        ("SELECT uniqueCount(*) FROM E", json!(8)),
        ("SELECT uniqueCount(lower(name)) FROM E", json!(3)),
        ("SELECT uniqueCount(nowhere) FROM E", json!(0)),
        ("SELECT uniques(account) FROM E", json!(["a", "b", "c"])),
        ("SELECT uniques(account, 2) FROM E", json!(["a", "b"])),
        ("SELECT uniques(tuple(account, ok)) FROM E WHERE name LIKE 'login'", json!([["a", "true"], ["b", "false"]])),
        ("SELECT percentage(count(*), WHERE ok = 'true') FROM E", json!(75)),
        ("SELECT percentage(count(*), WHERE ok = 'true') FROM E WHERE name = 'none'", json!(null)),
        ("SELECT percentage(uniqueCount(account), WHERE ok = 'false') FROM E", json!(200.0 / 3.0)),
        ("SELECT filter(count(*), WHERE ok = 'false') FROM E", json!(2)),
        ("SELECT filter(count(*), WHERE ok = 'none') FROM E", json!(0)),
        ("SELECT filter(average(ms), WHERE ok = 'none') FROM E", json!(null)),
        ("SELECT filter(filter(count(*), WHERE ok = 'true'), WHERE account = 'a') FROM E", json!(4)),
        ("SELECT filter(rate(count(*), 1 hour), WHERE account = 'a') FROM E", json!(5)),
        ("SELECT 100 * filter(count(*), WHERE ok = 'false') / count(*) FROM E", json!(25)),
        ("SELECT rate(count(*), 1 minute) FROM E", json!(8.0 / 60.0)),
        ("SELECT rate(count(*)) FROM E SINCE 8 seconds ago", json!(0)),
        ("SELECT rate(sum(ms), 30 minutes) FROM E", json!(57.5)),
        ("SELECT percentile(ms) FROM E", json!({"95": 50})),
        ("SELECT percentile(ms, 50, 90) FROM E", json!({"50": 10, "90": 50})),
        ("SELECT percentile(ms, 99.5) AS p FROM E", json!({"99.5": 50})),
        ("SELECT percentile(ms, 50) / 2 FROM E", json!(5)),
        ("SELECT median(ms) FROM E", json!({"50": 10})),
        ("SELECT median(nowhere) FROM E", json!({"50": null})),
        ("SELECT stdvar(ms) FROM E WHERE name = 'login'", json!(100)),
        ("SELECT stddev(ms) FROM E WHERE name = 'login'", json!(10)),
        ("SELECT cdfPercentage(ms, 5, 20) FROM E", json!({"5": 100.0 / 3.0, "20": 200.0 / 3.0})),
        ("SELECT histogram(ms, 60, 6) FROM E", json!([2, 1, 1, 1, 0, 1])),
        ("SELECT histogram(ms, width: 20, buckets: 2, start: 10) FROM E", json!([3, 3])),
        ("SELECT funnel(account, WHERE name = 'login', WHERE name = 'delete', WHERE ok = 'nowhere') FROM E", json!([2, 1, 0])),
        ("SELECT derivative(ms, 1 minute) FROM E WHERE name = 'login'", json!(-20)),
        ("SELECT derivative(ms, 1 minute) FROM E WHERE name = 'delete'", json!(null)),
        ("SELECT predictLinear(ms, 1 minute) FROM E WHERE name = 'login'", json!(-30)),
        ("SELECT predictLinear(ms) FROM E WHERE name = 'login'", json!(-10)),
        ("SELECT latestrate(ms, 1 minute) FROM E WHERE account = 'a' AND name LIKE 'login'", json!(-5)),
        ("SELECT bytecountestimate() FROM Owner", json!(150)),
        ("SELECT aggregationendtime() FROM E", json!(1_702_900_800_000_i64)),
        ("SELECT round(average(ms)) FROM E", json!(19)),
        ("SELECT if(latest(name) = 'login', 'in', 'out') FROM E", json!("in")),
        ("SELECT latest(nowhere) OR latest(name) FROM E", json!("login")),
        ("SELECT count(*) > 1 FROM E", json!(true)),
        ("SELECT clamp_max(sum(ms), 10) FROM E", json!(10)),
        ("SELECT count(cases(WHERE ok = 'true', WHERE account = 'b')) FROM E", json!(7)),
        ("SELECT uniqueCount(if(account = 'a' OR ok = 'true', name, 'x')) FROM E", json!(5)),
        ("SELECT sum(if(ok = 'true', 1, 0)) FROM E", json!(6)),
        ("SELECT average(numeric(string(ms))) FROM E WHERE name = 'login'", json!(20)),
        ("SELECT count(conditional(WHERE ok = 'false', ms)) FROM E", json!(2)),
        ("SELECT latest(accountId()) FROM E", json!(7)),
        ("SELECT latest(eventType()) FROM E", json!("E")),
        ("SELECT count(*) FROM E, Owner", json!(10)),
        ("SELECT uniques(eventType()) FROM E, Owner", json!(["E", "Owner"])),
        ("SELECT uniqueCount(account) FROM E, Owner", json!(3)),
        ("SELECT count(*) FROM Nowhere", json!(0)),
        ("SELECT sum(x) FROM Nowhere", json!(0)),
    ]);
}

#[test]
fn aggregates_of_metrics() {
    check_values(&[
        ("SELECT sum(cspm.records) FROM Metric", json!(12)),
        ("SELECT rate(sum(cspm.records), 1 minute) FROM Metric", json!(0.2)),
        ("SELECT count(cspm.compliance) FROM Metric", json!(3)),
        ("SELECT latest(cspm.compliance) FROM Metric WHERE region = 'eu'", json!(80)),
        ("SELECT average(cspm.compliance) FROM Metric", json!(220.0 / 3.0)),
        ("SELECT max(cspm.compliance) FROM Metric", json!(90)),
        ("SELECT average(cspm.lag) FROM Metric", json!(5)),
        ("SELECT min(cspm.lag) FROM Metric", json!(1)),
        ("SELECT max(cspm.lag) FROM Metric", json!(9)),
        ("SELECT sum(cspm.lag) FROM Metric", json!(20)),
        ("SELECT count(cspm.lag) FROM Metric", json!(4)),
        ("SELECT sum(getField(cspm.records, count)) FROM Metric", json!(12)),
        ("SELECT max(cspm.lag[total]) FROM Metric", json!(20)),
        ("SELECT uniques(metricName) FROM Metric", json!(["cspm.records", "cspm.compliance", "cspm.lag"])),
        ("SELECT count(*) FROM Metric WHERE metricName = 'cspm.records'", json!(3)),
    ]);
}

#[test]
fn apdex_and_keyset_spread_into_the_row() {
    check(&[
        ("SELECT apdex(ms, t: 5) FROM E", json!([{"score": 3.0 / 6.0, "s": 2, "t": 2, "f": 2, "count": 6}])),
        ("SELECT apdex(ms, 5) AS a FROM E", json!([{"a": {"score": 3.0 / 6.0, "s": 2, "t": 2, "f": 2, "count": 6}}])),
        ("SELECT apdex(ms, 5) * 100 AS a FROM E", json!([{"a": 50}])),
        (
            "SELECT keyset() FROM Owner",
            json!([{
                "allKeys": ["account", "owner", "timestamp"], "stringKeys": ["account", "owner"],
                "numericKeys": ["timestamp"], "booleanKeys": [],
            }]),
        ),
    ]);
}

#[test]
fn a_sample_divides_by_one_less() {
    let switches = Switches { deviation: Deviation::Sample, ..Switches::default() };
    let settings = Settings { switches, ..settings() };
    assert_eq!(rows_with(settings, "SELECT stdvar(ms) AS v FROM E WHERE name = 'login'"), json!([{"v": 200}]));
}

/// What `nrql --functions` says of an aggregate is what the engine does with it.
#[test]
fn the_table_of_functions_says_which_aggregates_run_here() {
    use crate::lab::engine::Engine;
    use crate::lab::store::Store;
    use crate::nrql::function::{FUNCTIONS, Kind, Support};
    let runs = |name: &str| {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        crate::lab::engine::aggregates().any(|(known, aliases)| is(known) || aliases.iter().any(|alias| is(alias)))
    };
    let engine = Engine::new(Store::in_memory().snapshot(), Settings::default());
    let refused = |name: &str| {
        let query = format!("SELECT {name}(a) FROM T");
        crate::nrql::parse(&query).is_ok_and(|statement| engine.run(&statement, 0).is_err())
    };
    let wrong: Vec<&str> = FUNCTIONS
        .iter()
        .filter(|function| function.kind == Kind::Aggregate)
        .filter(|function| match function.support {
            Support::Parsed => !refused(function.name),
            Support::Exact | Support::Approximate => !runs(function.name),
        })
        .map(|function| function.name)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
