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
            {"facet": "false", "ok": "false", "steps": [1, 0, 0]},
            {"facet": "true", "ok": "true", "steps": [1, 0, 0]},
        ]),
    )]);
    check_values(&[
        ("SELECT funnel(account, WHERE name = 'login', WHERE name = 'delete', WHERE name = 'list') FROM E", json!([2, 1, 1])),
        ("SELECT funnel(account, WHERE name = 'login', WHERE name = 'delete') FROM E WHERE name = 'none'", json!([0, 0])),
    ]);
}
