//! Queries whose variables are not filled in.

use super::For::{Own, Picked, Saved};
use super::{Case, check};

pub(super) const CASES: &[Case] = &[
    ("a variable for clauses may say SINCE", Own, "SELECT count(*) FROM Event {{account}}", &[]),
    ("a variable for clauses may say SINCE of a saved query", Saved, "SELECT count(*) FROM Event {{account}}", &[]),
    ("a variable for clauses may say LIMIT", Picked, "SELECT count(*) FROM Event FACET flag {{account}}", &[]),
    ("a variable for clauses may say WITH", Picked, "SELECT sum(anything) FROM Event {{account}}", &[]),
    (
        "a variable for clauses may say LIMIT of a subquery",
        Picked,
        "SELECT count(*) FROM Event WHERE event.id = (SELECT event.id FROM Other {{account}})",
        &[],
    ),
    ("a variable for a number of groups", Picked, "SELECT count(*) FROM Event FACET flag LIMIT {{account}}", &[]),
    (
        "a variable for a number of rows of a subquery",
        Picked,
        "SELECT count(*) FROM Event WHERE event.id = (SELECT event.id FROM Other LIMIT {{account}})",
        &[],
    ),
    (
        "a variable for a number of hours",
        Own,
        "SELECT count(*) FROM Event SINCE {{account}} hours ago TIMESERIES {{severity}} minutes",
        &[],
    ),
    ("a variable for a zone", Picked, "SELECT count(*) FROM Event WITH TIMEZONE {{account}}", &[]),
    ("a variable for a function", Picked, "SELECT count(*), {{account}}(score) FROM Event FACET flag LIMIT 5", &[]),
    ("a variable for a function of a filter", Picked, "SELECT filter({{account}}(score), WHERE flag = 'a') FROM Event", &[]),
    ("an unknown variable for clauses", Picked, "SELECT count(*) FROM Event ¦{{more}}", &["unknown-variable"]),
    ("an unknown name in a function from a variable", Picked, "SELECT {{account}}(¦scoer) FROM Event", &["unknown-attribute"]),
];

#[test]
fn what_a_variable_may_say_is_not_told() {
    check(CASES);
}
