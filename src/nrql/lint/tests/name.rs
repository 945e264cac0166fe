//! Names that do not exist.

use super::For::{Alert, Picked, Saved};
use super::{Case, check};

pub(super) const CASES: &[Case] = &[
    ("no NRQL", Saved, "SELECT ¦FROM Event", &["syntax"]),
    ("half of a query", Saved, "SELECT count(*¦", &["syntax"]),
    ("double quotes", Picked, "SELECT count(*) FROM Event WHERE flag = ¦\"a\"", &["undocumented"]),
    ("a name inside parentheses", Picked, "SELECT sum(score ¦AS 'x') FROM Event", &["undocumented"]),
    ("an unknown type", Picked, "SELECT count(*) FROM ¦Evnt WHERE anything = 1", &["unknown-event-type"]),
    ("a type in another case", Picked, "SELECT count(*) FROM ¦event", &["unknown-event-type"]),
    ("an unknown type beside a known one", Picked, "SELECT count(*) FROM Event, ¦Events", &["unknown-event-type"]),
    (
        "an unknown type in a subquery",
        Picked,
        "SELECT count(*) FROM Event WHERE event.id = (SELECT latest(event.id) FROM ¦Oter)",
        &["unknown-event-type"],
    ),
    ("an unknown attribute in SELECT", Picked, "SELECT ¦control.name FROM Event", &["unknown-attribute"]),
    ("an unknown attribute in WHERE", Picked, "SELECT count(*) FROM Event WHERE ¦Flag = 'a'", &["unknown-attribute"]),
    ("an unknown attribute in FACET", Picked, "SELECT count(*) FROM Event FACET ¦control.ids LIMIT 5", &["unknown-attribute"]),
    (
        "an unknown attribute in a function",
        Picked,
        "SELECT sum(¦scores), latest(lower(¦controlId)) FROM Event",
        &["unknown-attribute", "unknown-attribute"],
    ),
    (
        "an unknown attribute in a filter",
        Picked,
        "SELECT filter(count(*), WHERE ¦state = 'a') FROM Event",
        &["unknown-attribute"],
    ),
    (
        "an unknown attribute in cases",
        Picked,
        "SELECT count(*) FROM Event FACET CASES(WHERE ¦state = 'a' AS 'A')",
        &["unknown-attribute"],
    ),
    ("an unknown attribute in ORDER BY", Picked, "SELECT flag FROM Event ORDER BY ¦flagg LIMIT 5", &["unknown-attribute"]),
    (
        "an unknown attribute in WITH",
        Picked,
        "WITH lower(¦flg) AS f SELECT count(*) FROM Event WHERE f = 'a'",
        &["unknown-attribute"],
    ),
    ("an attribute of another type", Picked, "SELECT sum(¦finding.open) FROM Event", &["unknown-attribute"]),
    (
        "an attribute of the outer query",
        Picked,
        "SELECT count(*) FROM Event WHERE event.id IN (SELECT uniques(event.id, 10000) FROM Other WHERE ¦flag = 'a')",
        &["unknown-attribute"],
    ),
    (
        "no column of the query in FROM",
        Picked,
        "SELECT max(¦flag) FROM (SELECT count(*) AS x FROM Event FACET control.id LIMIT MAX)",
        &["unknown-attribute"],
    ),
    (
        "no column of the joined query",
        Picked,
        "SELECT count(*) FROM Event JOIN (SELECT event.id AS id FROM Other LIMIT MAX) ON event.id = ¦ids",
        &["unknown-attribute"],
    ),
    (
        "no key of the joined query",
        Picked,
        "SELECT count(*) FROM Event JOIN (SELECT event.id AS id FROM Other LIMIT MAX) ON ¦event.id",
        &["unknown-attribute"],
    ),
    (
        "a name of WITH misspelt",
        Picked,
        "WITH lower(flag) AS low SELECT count(*) FROM Event WHERE ¦lov = 'a'",
        &["unknown-attribute"],
    ),
    ("a name of AS in WHERE", Picked, "SELECT control.id AS c FROM Event WHERE ¦c = 'a' LIMIT 5", &["name-too-early"]),
    ("a name of AS in FACET", Picked, "SELECT count(*) AS n FROM Event FACET ¦n LIMIT 5", &["name-too-early"]),
    ("a reserved name", Picked, "SELECT count(*) FROM Event FACET ¦accountId LIMIT 5", &["reserved-name"]),
    ("a reserved beginning", Picked, "SELECT count(*) FROM Event WHERE ¦entity.guid = 'a'", &["reserved-name"]),
    ("an unknown metric", Picked, "SELECT sum(¦cspm.recrods) FROM Metric", &["unknown-attribute"]),
    ("an unknown metric by name", Picked, "SELECT count(*) FROM Metric WHERE metricName = ¦'cspm.records2'", &["unknown-metric"]),
    (
        "an unknown metric by name, the other way round",
        Picked,
        "SELECT count(*) FROM Metric WHERE ¦'cspm' = metricName",
        &["unknown-metric"],
    ),
    (
        "an attribute of another metric",
        Picked,
        "SELECT sum(cspm.records) FROM Metric FACET ¦compliance.state LIMIT 5",
        &["unknown-attribute"],
    ),
    ("an unknown variable", Picked, "SELECT count(*) FROM Event WHERE control.id LIKE ¦{{acount}}", &["unknown-variable"]),
    (
        "an unknown variable within a text",
        Picked,
        "SELECT count(*) FROM Event WHERE control.id LIKE '%¦{{ region }}%'",
        &["unknown-variable"],
    ),
    ("a variable in a condition", Alert, "SELECT count(*) FROM Event WHERE control.id LIKE ¦{{account}}", &["condition-clause"]),
    (
        "a later name of WITH hides no fault of an earlier",
        Picked,
        "WITH ¦a AS x, 1 AS a SELECT count(*) FROM Event WHERE x = a",
        &["name-too-early"],
    ),
    ("a name of WITH in its own value", Picked, "WITH ¦m + 1 AS m SELECT m FROM Event", &["name-too-early"]),
    ("a type that is not read", Picked, "SELECT count(*) FROM Event WHERE eventType() = ¦'Evnt'", &["unknown-event-type"]),
    (
        "a type that is not read among others",
        Picked,
        "SELECT count(*) FROM Event, Other FACET CASES(WHERE eventType() IN ('Other', ¦'Log') AS 'a')",
        &["unknown-event-type"],
    ),
    (
        "types that may be read",
        Picked,
        "SELECT count(*) FROM {{account}}, Event WHERE eventType() = 'a' OR eventType() = '{{account}}'",
        &[],
    ),
    ("a name of WITH made of the attribute of that name", Picked, "WITH lower(flag) AS flag SELECT flag FROM Event", &[]),
];

#[test]
fn names_that_do_not_exist_are_told() {
    check(CASES);
}

/// Who says nothing is asked nothing.
#[test]
fn without_names_none_are_judged() {
    use crate::nrql::lint::{Names, Purpose, report};
    let text = "SELECT count(*) FROM A WHERE b != 'c' AND d = 1 AND metricName = 'x' AND e LIKE {{f}}";
    assert_eq!(report(text, &Names::default(), &Purpose::Widget { own_window: false }), []);
}
