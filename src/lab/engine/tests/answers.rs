//! Answers that were wrong once.

use serde_json::json;

use super::{check, check_values, refusal};

#[test]
fn a_pattern_with_a_group_a_hash_and_an_x_matches_what_it_says() {
    check_values(&[
        ("SELECT count(*) FROM E WHERE 'hex#12' RLIKE r'(?:hex)#[0-9]+'", json!(8)),
        ("SELECT latest(capture('hex#12', r'(?:hex)#(?P<n>[0-9]+)')) FROM E", json!("12")),
        // A comment at the end of a verbose pattern hides nothing.
        ("SELECT count(*) FROM E WHERE 'hex12' RLIKE r'(?x) hex [0-9]+ # digits'", json!(8)),
        ("SELECT count(*) FROM E WHERE 'hex12b' RLIKE r'(?x) hex [0-9]+ # digits'", json!(0)),
    ]);
}

#[test]
fn a_type_named_twice_is_read_once() {
    check_values(&[
        ("SELECT count(*) FROM E, E", json!(8)),
        ("SELECT count(*) FROM E, Owner, E", json!(10)),
        ("SELECT count(*) FROM lookup(names), lookup(names)", json!(2)),
    ]);
}

#[test]
fn fields_that_stand_in_the_row_take_no_other_items_name() {
    check(&[
        (
            "SELECT count(*), apdex(ms, t: 10) FROM E",
            json!([{"count": 8, "apdex.ms": {"score": 4.0 / 6.0, "s": 3, "t": 2, "f": 1, "count": 6}}]),
        ),
        (
            "SELECT apdex(ms, t: 10), count(*) AS n FROM E",
            json!([{"score": 4.0 / 6.0, "s": 3, "t": 2, "f": 1, "count": 6, "n": 8}]),
        ),
        (
            "SELECT apdex(ms, t: 10), apdex(ms, t: 100) FROM E",
            json!([{
                "score": 4.0 / 6.0, "s": 3, "t": 2, "f": 1, "count": 6,
                "apdex.ms": {"score": 1, "s": 6, "t": 0, "f": 0, "count": 6},
            }]),
        ),
    ]);
}

#[test]
fn two_facets_of_one_name_are_told_apart() {
    check(&[(
        "SELECT count(*) FROM E FACET CASES(WHERE ms > 20 AS 'slow' , WHERE ms <= 20 AS 'fast'), CASES(WHERE account = 'a')",
        json!([
            {"facet": ["fast", "account = 'a'"], "cases": "fast", "cases 2": "account = 'a'", "count": 4},
            {"facet": ["slow", "account = 'a'"], "cases": "slow", "cases 2": "account = 'a'", "count": 1},
        ]),
    )]);
}

#[test]
fn a_percentage_is_not_of_a_percentage() {
    assert_eq!(
        refusal("SELECT percentage(percentage(count(*), WHERE ms > 1), WHERE ms > 2) FROM E"),
        "percentage takes an aggregate, not another percentage at 18"
    );
    check_values(&[("SELECT filter(percentage(count(*), WHERE ms > 20), WHERE account = 'a') FROM E", json!(20))]);
}

#[test]
fn a_funnel_counts_each_value_once_for_each_group_and_in_all() {
    check(&[(
        "SELECT funnel(account, WHERE name = 'login', WHERE name = 'delete', WHERE name = 'list') FROM E FACET ok",
        json!([
            {"facet": "true", "ok": "true", "steps": [1, 0, 0]},
            {"facet": "false", "ok": "false", "steps": [1, 0, 0]},
        ]),
    )]);
    check_values(&[
        ("SELECT funnel(account, WHERE name = 'login', WHERE name = 'delete', WHERE name = 'list') FROM E", json!([2, 1, 1])),
        ("SELECT funnel(account, WHERE name = 'login', WHERE name = 'delete') FROM E WHERE name = 'none'", json!([0, 0])),
    ]);
}

#[test]
fn under_overlapping_buckets_a_row_of_an_inner_query_belongs_to_its_own() {
    // Seven events with a name: two logins, one Login in the last ten minutes; two deletes and a list in those before.
    let series =
        |inner: &str| format!("SELECT sum(c) FROM ({inner}) SINCE 20 minutes ago TIMESERIES 10 minutes SLIDE BY 5 minutes");
    let of = |begin: i64, sum: i64| json!({"beginTimeSeconds": begin, "endTimeSeconds": begin + 600, "sum.c": sum});
    let expected = json!([of(1_702_899_600, 3), of(1_702_899_900, 3), of(1_702_900_200, 3)]);
    check(&[
        (&series("SELECT count(*) AS c FROM E FACET name"), expected.clone()),
        // The same through a query of rows.
        (&series("SELECT c FROM (SELECT count(*) AS c FROM E FACET name)"), expected),
    ]);
}

#[test]
fn a_key_of_a_join_may_be_a_variable() {
    check_values(&[
        ("WITH account AS k FROM E JOIN (FROM Owner SELECT owner, account AS k) ON k SELECT count(*)", json!(7)),
        (
            "WITH upper(account) AS k FROM E JOIN (FROM Owner SELECT owner, upper(account) AS j) ON k = j SELECT count(*)",
            json!(7),
        ),
    ]);
}

#[test]
fn a_query_of_whole_rows_sees_both_sides_of_a_join() {
    check(&[(
        "FROM E JOIN (FROM Owner SELECT owner, account) ON account SELECT * WHERE ip = '10.0.0.2'",
        json!([{
            "timestamp": super::NOW - 2 * super::MINUTE, "name": "login", "account": "b", "ms": 30, "ok": "false", "ip": "10.0.0.2",
            "owner": "Bob",
        }]),
    )]);
    check_values(&[(
        "FROM E JOIN (FROM Owner SELECT owner, account) ON account SELECT getField(keyset(), stringKeys) WHERE ip = '10.0.0.2'",
        json!(["account", "ip", "name", "ok", "owner"]),
    )]);
}

#[test]
fn a_column_of_an_empty_right_side_is_not_the_left_sides() {
    check_values(&[
        ("FROM E LEFT JOIN (FROM None SELECT max(x) AS ms FACET account) ON account SELECT count(ms)", json!(0)),
        ("FROM E LEFT JOIN (FROM None SELECT ms, account) ON account SELECT sum(ms)", json!(0)),
        // The key is there without a partner.
        ("FROM E LEFT JOIN (FROM None SELECT ms, account) ON account SELECT count(account)", json!(8)),
    ]);
}

#[test]
fn the_right_side_of_a_join_has_ten_rows_and_no_uniques() {
    let eleven = (0..11).map(|number| json!({"n": number}));
    let store = super::bounds::store_of(eleven);
    let ask = |query| super::bounds::ask(&store, super::Settings::default(), query);
    assert_eq!(ask("FROM X JOIN (FROM X SELECT n) ON n SELECT count(*)"), Ok(json!([{"count": 10}])));
    assert_eq!(ask("FROM X JOIN (FROM X SELECT n LIMIT 20) ON n SELECT count(*)"), Ok(json!([{"count": 11}])));
    assert_eq!(
        refusal("FROM E JOIN (FROM Owner SELECT uniques(account) AS account) ON account SELECT count(*)"),
        "the right side of a JOIN does not select uniques() at 31"
    );
}

#[test]
fn an_item_named_timestamp_is_a_value_like_any_other() {
    check_values(&[
        ("SELECT max(timestamp) FROM (SELECT max(ms) AS timestamp FROM E FACET account)", json!(50)),
        ("SELECT count(timestamp) FROM (SELECT max(ms) AS timestamp FROM E FACET account)", json!(2)),
        ("SELECT max(timestamp + 1) FROM (SELECT max(ms) AS timestamp FROM E FACET account)", json!(51)),
        ("SELECT count(*) FROM (SELECT max(ms) AS timestamp FROM E FACET account) WHERE timestamp < 40", json!(1)),
        ("SELECT max(timestamp) FROM (SELECT timestamp, ms FROM E)", json!(super::NOW - super::MINUTE)),
    ]);
}

#[test]
fn a_subquery_inside_a_percentage_counts_once() {
    let part = "percentage(count(cases(WHERE ms > (SELECT average(ms) FROM E))), WHERE account = 'a')";
    check(&[(
        &format!("SELECT {part} AS a, {part} AS b, {part} AS c FROM E"),
        json!([{"a": 200.0 / 3.0, "b": 200.0 / 3.0, "c": 200.0 / 3.0}]),
    )]);
}

#[test]
fn groups_of_lists_go_by_their_rows() {
    check(&[(
        "SELECT uniques(ms) FROM E WHERE account IS NOT NULL FACET account",
        json!([
            {"facet": "a", "account": "a", "uniques.ms": [0, 5, 50, 20, 10]},
            {"facet": "b", "account": "b", "uniques.ms": ["slow", 30]},
        ]),
    )]);
}
