//! Names of columns and the whole answer.

use serde_json::json;

use super::super::aggregates;
use super::{NOW, check, run_with, settings};
use crate::nrql::function::{FUNCTIONS, Kind, Support};

#[test]
fn names_of_columns() {
    check(&[
        (
            "SELECT count(*), count(ms), average(ms), percentage(count(*), WHERE ok = 'true'), rate(count(*), 1 hour) FROM E",
            json!([{"count": 8, "count.ms": 7, "average.ms": 115.0 / 6.0, "percentage": 75, "rate": 8}]),
        ),
        (
            "SELECT count(*) + 1, count(*) + 2, Sum(ms) AS 'all of it' FROM E",
            json!([{"result": 9, "result 2": 10, "all of it": 115}]),
        ),
        ("SELECT AVG(ms) AS m, uniquecount(name) FROM E", json!([{"m": 115.0 / 6.0, "uniqueCount.name": 4}])),
        ("SELECT funnel(account, WHERE ok = 'true', WHERE ok = 'false') FROM E", json!([{"steps": [3, 2]}])),
        ("SELECT percentile(ms, 50) FROM E", json!([{"percentile.ms": {"50": 10}}])),
        ("SELECT histogram(ms, 60, 2) FROM E", json!([{"histogram.ms": [4, 2]}])),
        (
            "SELECT capture(ip, r'(?P<a>\\d+)[.](?P<b>\\d+)[.].*') AS (a, b) FROM E WHERE ip IS NOT NULL LIMIT 1",
            json!([{"timestamp": NOW - 60_000, "a": "10", "b": "0"}]),
        ),
    ]);
}

#[test]
fn an_engine_is_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<super::super::Engine>();
    shared::<crate::lab::store::Store>();
    let engine = super::super::Engine::new(super::store().snapshot(), settings());
    let query = crate::nrql::parse("SELECT count(*) FROM E").expect("NRQL");
    let run = || engine.run(&query, NOW).expect("an answer").results[0].values[0].1.as_number();
    let counts = std::thread::scope(|scope| [scope.spawn(run), scope.spawn(run)].map(|thread| thread.join().expect("no panic")));
    assert_eq!(counts, [Some(8.0), Some(8.0)]);
}

#[test]
fn the_whole_answer() {
    let answer =
        run_with(settings(), "SELECT count(*) FROM E, Owner SINCE 1 hour ago LIMIT 6000 EXTRAPOLATE").expect("an answer");
    assert_eq!(
        answer.json(),
        json!({
            "results": [{"count": 10}], "totalResult": null, "otherResult": null, "currentResults": null, "previousResults": null,
            "metadata": {
                "eventTypes": ["E", "Owner"], "facets": null, "messages": ["LIMIT 6000 is more than 5000: 5000 is used"],
                "timeWindow": {"begin": NOW - 3_600_000, "end": NOW, "since": "1 hour AGO", "until": null, "compareWith": null},
            },
        })
    );
}

#[test]
fn every_function_that_runs_is_known_here() {
    let known = |name: &str| {
        let aggregate =
            aggregates().any(|(known, aliases)| known == name || aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name)));
        let own = ["if", "conditional", "cases", "eventType", "accountId"].contains(&name);
        aggregate || own || super::super::function::row(name).is_some()
    };
    let missing: Vec<&str> = FUNCTIONS
        .iter()
        .filter(|function| function.support != Support::Parsed)
        .filter(|function| matches!(function.kind, Kind::Aggregate | Kind::Row) && !known(function.name))
        .map(|function| function.name)
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
    let unlisted: Vec<&str> =
        aggregates().map(|(name, _)| name).filter(|name| crate::nrql::function::function(name).is_none()).collect();
    assert_eq!(unlisted, Vec::<&str>::new());
}
