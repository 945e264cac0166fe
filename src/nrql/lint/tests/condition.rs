//! What a condition of an alert may not hold.

use super::For::{Alert, Term};
use super::{Case, check};
use crate::nrql::lint::Comparison::{AboveOrEquals, Below, BelowOrEquals, Equals};

pub(super) const CASES: &[Case] = &[
    (
        "SINCE in a condition",
        Alert,
        "SELECT count(*) FROM Event ¦SINCE 1 hour ago ¦UNTIL now",
        &["condition-clause", "condition-clause"],
    ),
    ("a series in a condition", Alert, "SELECT count(*) FROM Event ¦TIMESERIES 1 minute", &["condition-clause"]),
    ("a limit in a condition", Alert, "SELECT count(*) FROM Event FACET flag ¦LIMIT 10", &["condition-clause"]),
    ("a comparison in a condition", Alert, "SELECT count(*) FROM Event ¦COMPARE WITH 1 week ago", &["condition-clause"]),
    ("survivors in a condition", Alert, "SELECT count(*) FROM Event FACET flag ¦ORDER BY max(score)", &["condition-clause"]),
    (
        "a subquery in a condition",
        Alert,
        "SELECT count(*) FROM Event WHERE score > (¦SELECT max(score) FROM Event)",
        &["condition-clause"],
    ),
    (
        "a join in a condition",
        Alert,
        "SELECT count(*) FROM Event ¦JOIN (SELECT event.id FROM Other) ON event.id",
        &["condition-clause"],
    ),
    ("a table in a condition", Alert, "SELECT count(*) FROM lookup(¦t)", &["condition-clause"]),
    ("a histogram in a condition", Alert, "SELECT ¦histogram(score) FROM Event", &["condition-clause"]),
    ("bytes in a condition", Alert, "SELECT ¦bytecountestimate() FROM Event", &["condition-clause"]),
    (
        "a prediction of no length in a condition",
        Alert,
        "SELECT count(*) FROM Event ¦TIMESERIES ¦PREDICT",
        &["condition-clause", "condition-clause"],
    ),
    (
        "a prediction in a condition",
        Alert,
        "SELECT count(*) FROM Event ¦TIMESERIES ¦PREDICT BY 1 hour",
        &["condition-clause", "condition-clause"],
    ),
    (
        "a query without groups in a condition",
        Alert,
        "SELECT max(n) FROM (¦SELECT count(*) AS n FROM Event)",
        &["condition-clause"],
    ),
    (
        "a limit of the groups in a condition",
        Alert,
        "SELECT max(n) FROM (SELECT count(*) AS n FROM Event FACET flag ¦LIMIT 5)",
        &["condition-clause"],
    ),
    ("two numbers in a condition", Alert, "SELECT count(*), ¦max(score) FROM Event", &["condition-value"]),
    ("all in a condition", Alert, "SELECT ¦* FROM Event", &["condition-value"]),
    ("a row in a condition", Alert, "SELECT ¦score FROM Event", &["condition-value"]),
    ("a text in a condition", Alert, "SELECT ¦latest(flag) FROM Event", &["condition-value"]),
    ("two percents in a condition", Alert, "SELECT ¦percentile(score, 50, 95) FROM Event", &["condition-value"]),
    ("event types in a condition", Alert, "¦SHOW EVENT TYPES", &["condition-value"]),
    ("a dotted facet of a condition", Alert, "SELECT count(*) FROM Event FACET ¦aws.accountId", &["condition-facet"]),
    ("a dotted name of a facet", Alert, "SELECT count(*) FROM Event FACET flag AS ¦'the.flag'", &["condition-facet"]),
    ("an unnamed facet of a condition", Alert, "SELECT count(*) FROM Event FACET flag, ¦lower(control.id)", &["condition-facet"]),
    ("a count below one", Term(Below, 1.0), "SELECT ¦count(*) FROM Event WHERE flag = 'a'", &["count-never-zero"]),
    ("a count at most zero", Term(BelowOrEquals, 0.0), "SELECT ¦count(*) FROM Event", &["count-never-zero"]),
    ("a count of zero", Term(Equals, 0.0), "SELECT ¦count(*) FROM Event FACET flag", &["count-never-zero"]),
    (
        "different values below one",
        Term(Below, 0.5),
        "SELECT ¦uniqueCount(flag, precision: 256) FROM Event",
        &["count-never-zero"],
    ),
    ("a count below five", Term(Below, 5.0), "SELECT ¦count(*) FROM Event", &["count-blind-to-silence"]),
    ("a count at most one", Term(BelowOrEquals, 1.0), "SELECT ¦count(*) FROM Event", &["count-blind-to-silence"]),
    ("two percents inside in a condition", Alert, "SELECT round(¦percentile(score, 50, 90)) FROM Event", &["condition-value"]),
    ("one percent inside in a condition", Alert, "SELECT round(percentile(score, 50)) FROM Event", &[]),
    ("one of two percents in a condition", Alert, "SELECT getField(percentile(score, 50, 90), '50') FROM Event", &[]),
    ("two thresholds in a condition", Alert, "SELECT ¦cdfPercentage(score, 1, 2) FROM Event", &["condition-value"]),
    ("a truth in a condition", Alert, "SELECT ¦count(*) > 5 FROM Event", &["condition-value"]),
];

#[test]
fn a_condition_holds_what_new_relic_takes() {
    check(CASES);
}

#[test]
fn a_count_that_is_always_high_enough_is_no_matter() {
    for (comparison, threshold) in [(AboveOrEquals, 0.0), (AboveOrEquals, 1.0), (Below, 0.0), (Equals, 3.0)] {
        let told = super::told("SELECT count(*) FROM Event", Term(comparison, threshold));
        assert_eq!(told, [], "{comparison:?} {threshold}");
    }
}
