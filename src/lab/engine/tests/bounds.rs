//! What a query may cost: no text and no rows make the engine panic, run on or fill the memory.

use serde_json::{Map, Value as Json, json};

use super::super::{Engine, Limits, Settings, Stop};
use super::NOW;
use crate::lab::store::Store;

/// Rows of one type, a minute before now.
pub(super) fn store_of(rows: impl IntoIterator<Item = Json>) -> Store {
    let store = Store::in_memory();
    for row in rows {
        let mut row: Map<String, Json> = row.as_object().expect("an object").clone();
        row.insert("timestamp".into(), json!(NOW - super::MINUTE));
        store.append_json("X", &row, NOW);
    }
    store
}

pub(super) fn ask(store: &Store, settings: Settings, query: &str) -> Result<Json, String> {
    let statement = crate::nrql::parse(query).map_err(|error| error.to_string())?;
    let answer = Engine::new(store.snapshot(), settings).run(&statement, NOW).map_err(|error| error.to_string())?;
    Ok(answer.json()["results"].clone())
}

#[test]
fn more_than_255_facets_of_nothing_are_no_group() {
    let facets: Vec<String> = (0..300).map(|number| format!("none{number}")).collect();
    let query = format!("SELECT count(*) FROM X FACET {}", facets.join(", "));
    assert_eq!(ask(&store_of([json!({"a": 1})]), Settings::default(), &query), Ok(json!([])));
}

#[test]
fn two_thousand_items_of_one_name_have_names_of_their_own() {
    let query = format!("SELECT {} FROM X", vec!["count(*)"; 2_000].join(", "));
    let rows = ask(&store_of([json!({"a": 1})]), Settings::default(), &query).expect("an answer");
    assert_eq!(rows[0].as_object().map(Map::len), Some(2_000));
    assert_eq!(rows[0]["count 2000"], json!(1));
}

fn limited(limits: Limits) -> Settings {
    Settings { limits, ..Settings::default() }
}

#[test]
fn variables_that_double_each_other_are_refused_before_they_are_put_in() {
    let doubled = |times: usize| {
        let more: Vec<String> = (1..=times).map(|number| format!("v{}+v{} AS v{number}", number - 1, number - 1)).collect();
        format!("WITH n AS v0, {} FROM X SELECT max(v{times})", more.join(", "))
    };
    let store = store_of([json!({"n": 1})]);
    assert_eq!(ask(&store, Settings::default(), &doubled(10)), Ok(json!([{"max.v10": 1_024}])));
    let error = ask(&store, Settings::default(), &doubled(30)).expect_err("a thousand million parts");
    assert!(error.contains("have more than the 20000 parts allowed: use fewer of them, or simpler ones"), "{error}");
}

#[test]
fn variables_that_stand_in_each_other_have_a_greatest_depth() {
    let nested = |times: usize| {
        let more: Vec<String> = (1..=times).map(|number| format!("abs(v{}) AS v{number}", number - 1)).collect();
        format!("WITH n AS v0, {} FROM X SELECT max(v{times})", more.join(", "))
    };
    let limits = Limits { parts: usize::MAX, ..Limits::default() };
    let store = store_of([json!({"n": -1})]);
    assert_eq!(ask(&store, limited(limits), &nested(100)), Ok(json!([{"max.v100": 1}])));
    let error = ask(&store, limited(limits), &nested(3_000)).expect_err("three thousand levels");
    assert!(error.starts_with("the expression is too deep: with its variables put in it has more than 1128 levels"), "{error}");
}

#[test]
fn regular_expressions_have_one_budget_and_equal_ones_count_once() {
    let of = |patterns: &[&str]| {
        let tests: Vec<String> = patterns.iter().map(|pattern| format!("s RLIKE r'{pattern}'")).collect();
        format!("SELECT count(*) FROM X WHERE {}", tests.join(" OR "))
    };
    let store = store_of([json!({"s": "ab"})]);
    // Two small ones fit.
    let limits = Limits { pattern_bytes: 128 << 10, ..Limits::default() };
    assert_eq!(ask(&store, limited(limits), &of(&["a.", "b.", "a.", "b.", "a."])), Ok(json!([{"count": 1}])));
    let error = ask(&store, limited(limits), &of(&["a.", "b.", "c."])).expect_err("a third");
    assert_eq!(
        error,
        "the query's regular expressions need more than the 131072 bytes allowed: use fewer, or simpler ones at 71"
    );
}

#[test]
fn a_pattern_of_a_column_is_refused() {
    let store = store_of([json!({"s": "ab", "p": "(a)b"})]);
    let error = ask(&store, Settings::default(), "SELECT latest(capture(s, p)) FROM X").expect_err("no constant");
    assert_eq!(error, "the pattern of capture is a constant text at 14");
}

#[test]
fn what_a_join_a_series_or_groups_would_hold_is_bounded() {
    let store = store_of((0..200).map(|number| json!({"n": number, "k": 1})));
    let limits = Limits { bytes: 200_000, ..Limits::default() };
    for query in [
        "SELECT count(*) FROM X JOIN (FROM X SELECT n AS m, k LIMIT 100) ON k",
        "SELECT histogram(n, 10, 500) FROM X FACET n TIMESERIES 1 minute LIMIT MAX",
        "SELECT count(*) FROM X FACET n TIMESERIES 1 minute LIMIT MAX",
    ] {
        let error = ask(&store, limited(limits), query).expect_err(query);
        assert_eq!(
            error, "the query would hold more than the 200000 bytes allowed: narrow its window, lower its LIMIT or group by less",
            "{query}"
        );
        assert!(ask(&store, Settings::default(), query).is_ok(), "{query}");
    }
}

/// Stopped at the hundredth question: planning and the first look at rows are past then.
#[test]
fn a_stop_ends_a_join_and_an_aggregation_that_have_begun() {
    let store = store_of((0..3_000).map(|number| json!({"n": number, "k": 1})));
    for query in [
        "SELECT count(*) FROM X JOIN (FROM X SELECT n AS m, k LIMIT 100) ON k",
        "SELECT count(*) FROM X FACET n LIMIT MAX",
        "SELECT n FROM X LIMIT MAX",
    ] {
        let asked = std::sync::atomic::AtomicU32::new(0);
        let stop = Stop::new(move || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 100);
        let settings = Settings { stop: Some(stop), ..Settings::default() };
        assert_eq!(ask(&store, settings, query), Err("the query was stopped: it took longer than allowed".to_owned()), "{query}");
    }
}

#[test]
fn queries_of_others_have_narrow_limits() {
    let settings = Settings::served(7, Stop::new(|| false));
    assert_eq!(settings.limits.rows, Some(20_000_000));
    assert_eq!(ask(&store_of([json!({"n": 1})]), settings, "SELECT latest(accountId()) AS a FROM X"), Ok(json!([{"a": 7}])));
}

/// 2,000 rows with 2,000 names would be four million places.
#[test]
fn rows_that_each_bring_a_name_of_their_own_take_no_square_of_memory() {
    let store = store_of((0..2_000).map(|number| json!({ format!("own{number}"): number })));
    let snapshot = store.snapshot();
    let segments = snapshot.table("X").expect("rows").segments();
    assert!(segments.len() > 2, "{} segments", segments.len());
    let places: usize =
        segments.iter().map(|one| one.rows() * (0..2_000).filter(|column| one.part(*column).is_some()).count()).sum();
    assert!(places < 2_000_000, "{places} places");
    assert_eq!(ask(&store, Settings::default(), "SELECT sum(own0) + sum(own1999) AS n FROM X"), Ok(json!([{"n": 1_999}])));
}

#[test]
fn a_text_encoded_in_itself_again_and_again_ends_in_nothing() {
    let encoded = |times: usize| format!("{}s{}", "encode(".repeat(times), ", 'base64')".repeat(times));
    let store = store_of([json!({"s": "a".repeat(4_000)})]);
    let length = |times| ask(&store, Settings::default(), &format!("SELECT latest(length({})) AS n FROM X", encoded(times)));
    assert_eq!(length(1), Ok(json!([{"n": 5_336}])));
    assert_eq!(length(60), Ok(json!([{"n": null}])));
}

/// 366 buckets hold every row: more copies than are made at once.
#[test]
fn rows_in_many_overlapping_buckets_are_all_counted() {
    let store = store_of((0..4_000).map(|number| json!({"n": number % 2})));
    let query = "SELECT count(*) FROM X SINCE 731 minutes ago TIMESERIES 366 minutes SLIDE BY 1 minute FACET n";
    let rows = ask(&store, Settings::default(), query).expect("an answer");
    let rows = rows.as_array().expect("rows");
    let last: Vec<&Json> =
        rows.iter().filter(|row| row["endTimeSeconds"] == json!(NOW / 1_000)).map(|row| &row["count"]).collect();
    assert_eq!(last, [&json!(2_000), &json!(2_000)]);
}
