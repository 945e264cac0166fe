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

#[test]
fn a_list_of_nothing_is_a_group_and_a_tuple_of_nothing_is_none() {
    let store = super::bounds::store_of([json!({"l": [null]}), json!({"l": ["x"]}), json!({"n": 1})]);
    let ask = |query| super::bounds::ask(&store, super::Settings::default(), query);
    assert_eq!(ask("SELECT count(l) FROM X"), Ok(json!([{"count.l": 2}])));
    let groups = ask("SELECT count(*) FROM X FACET l").expect("an answer");
    assert_eq!(groups.as_array().map(Vec::len), Some(2), "{groups}");
    let groups = ask("SELECT count(*) FROM X FACET tuple(l, n)").expect("an answer");
    assert_eq!(groups.as_array().map(Vec::len), Some(3), "{groups}");
    assert_eq!(ask("SELECT count(*) FROM X FACET tuple(x, y)"), Ok(json!([])));
}

#[test]
fn the_calendar_follows_clocks_that_do_not_stand_at_a_quarter_of_an_hour() {
    // 1970-01-01T00:00Z + 7 minutes is an hour's begin at -00:07; each row has its own hour.
    let store = crate::lab::store::Store::in_memory();
    for minutes in [5, 8] {
        let row = json!({"timestamp": super::NOW - 3_600_000 + minutes * 60_000});
        store.append_json("X", row.as_object().expect("an object"), super::NOW);
    }
    let ask = |zone: &str| {
        let query = format!("SELECT count(*) FROM X FACET hourOf(timestamp) SINCE 2 hours ago WITH TIMEZONE '{zone}'");
        super::bounds::ask(&store, super::Settings::default(), &query)
    };
    let group = |hour: &str, count: i64| json!({"facet": hour, "hourOf(timestamp)": hour, "count": count});
    assert_eq!(ask("-00:07"), Ok(json!([group("10:00", 1), group("11:00", 1)])));
    assert_eq!(ask("UTC"), Ok(json!([group("11:00", 2)])));
    // A quarter of an hour in which a clock changes at one minute past: St. John's, 2006-10-29T02:31Z.
    let store = crate::lab::store::Store::in_memory();
    for seconds in [1_162_089_030, 1_162_089_090] {
        let row = json!({"timestamp": seconds * 1_000_i64});
        store.append_json("X", row.as_object().expect("an object"), 0);
    }
    let settings = super::Settings { event_retention_days: u32::MAX, ..super::Settings::default() };
    let query = "SELECT count(*) FROM X FACET hourOf(timestamp) SINCE 1162080000000 WITH TIMEZONE 'America/St_Johns'";
    assert_eq!(super::bounds::ask(&store, settings, query), Ok(json!([group("0:00", 1), group("23:00", 1)])));
}

#[test]
fn what_is_hidden_as_too_old_is_told() {
    let store = crate::lab::store::Store::in_memory();
    let row = json!({"timestamp": super::NOW - 40 * 86_400_000});
    store.append_json("X", row.as_object().expect("an object"), super::NOW);
    let told = |query: &str, days| {
        let settings = super::Settings { event_retention_days: days, ..super::Settings::default() };
        let statement = crate::nrql::parse(query).expect("a query");
        let answer = super::Engine::new(store.snapshot(), settings).run(&statement, super::NOW).expect("an answer");
        (answer.metadata.messages.clone(), answer.json()["results"][0]["count"].clone())
    };
    let query = "SELECT count(*) FROM X SINCE 50 days ago";
    let message = "`X` has rows older than 30 days: they are hidden, as New Relic drops them".to_owned();
    assert_eq!(told(query, 30), (vec![message], json!(0)));
    assert_eq!(told(query, u32::MAX), (Vec::new(), json!(1)));
    assert_eq!(told("SELECT count(*) FROM X SINCE 35 days ago", 30), (Vec::new(), json!(0)));
}

#[test]
fn numbers_beyond_what_can_be_counted_are_no_ranges_and_no_narrow_buckets() {
    check_values(&[("SELECT latest(buckets(ms, 1e308, 1e308)) FROM E", json!(null))]);
    assert_eq!(
        refusal("SELECT count(*) FROM E TIMESERIES 1e300 years"),
        "a bucket of 9223372036854775807 ms is wider than the window of 3600000 ms"
    );
}

#[test]
fn the_average_of_great_numbers_is_one_of_them() {
    let store = super::bounds::store_of((0..3).map(|_| json!({"n": 1e308})));
    let answer = super::bounds::ask(&store, super::Settings::default(), "SELECT average(n) AS a FROM X");
    assert_eq!(answer, Ok(json!([{"a": 1e308}])));
    check_values(&[("SELECT average(ms) FROM E", json!(115.0 / 6.0))]);
}
