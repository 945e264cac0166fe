//! What a plan is made of.

use super::super::settings::Switches;
use super::super::time::Context;
use super::*;
use crate::nrql::Statement;

fn planned(text: &str) -> Plan {
    let Ok(Statement::Select(query)) = crate::nrql::parse(text) else { panic!("{text}") };
    let scalars = Scalars { context: Context::utc(0), switches: Switches::default() };
    let subqueries = |_: &Query| Ok(Answer::default());
    let cost = Cost::default();
    let ground = Ground {
        scalars: &scalars,
        account_id: 1,
        account_attribute: None,
        default_rate_ms: 1_000.0,
        subqueries: &subqueries,
        cost: &cost,
        rows_default: 100,
    };
    plan(&query, &ground).expect("a plan")
}

fn condition(text: &str) -> Node {
    planned(&format!("SELECT count(*) FROM E WHERE {text}")).condition.expect("a condition")
}

#[test]
fn constants_are_computed_once() {
    for text in ["1 < 2", "lower('A') = 'a'", "'x' IN ('x', 'y')", "concat('a', 'b') LIKE 'A%'", "NOT 1 = 2"] {
        assert!(matches!(condition(text), Node::Constant(Value::Bool(true))), "{text}: {:?}", condition(text));
    }
}

#[test]
fn what_reads_one_column_is_remembered_as_a_whole() {
    for text in ["a = 'x'", "lower(a) LIKE '%x%' OR a IS NULL", "if(a = 'x', 1, 2) > 1", "NOT a IN ('x', 'y')"] {
        assert!(matches!(condition(text), Node::Memo { .. }), "{text}");
    }
    let Node::And(one, two) = condition("a = 'x' AND b = 'y'") else { panic!("two columns are two conditions") };
    assert!(matches!((*one, *two), (Node::Memo { .. }, Node::Memo { .. })));
    assert!(matches!(condition("concat(a, b) = 'xy'"), Node::Memo { columns, .. } if columns.len() == 2));
    assert!(matches!(condition("timestamp > 5"), Node::Compare(..)));
}

#[test]
fn every_where_must_hold_and_names_are_columns_once() {
    let plan = planned("SELECT max(a), min(b.c) FROM E WHERE a > 1 WHERE d = 'x' FACET a, timestamp");
    assert_eq!(plan.columns, ["a", "d", "b.c"]);
    assert!(matches!(plan.condition, Some(Node::And(..))));
    let Kind::Values(values) = plan.kind else { panic!("aggregates") };
    assert_eq!((values.aggregates.len(), values.items.len(), values.facets.len()), (2, 2, 2));
    assert!(matches!(values.facets[1].node, Node::Timestamp));
}

#[test]
fn limits_have_defaults_and_ends() {
    for (text, limit) in [
        ("SELECT count(*) FROM E FACET a", 10),
        ("SELECT a FROM E", 100),
        ("SELECT count(*) FROM E FACET a LIMIT MAX", 5_000),
        ("SELECT count(*) FROM E FACET a LIMIT 7", 7),
        ("SELECT a FROM E LIMIT 99999", 5_000),
        ("SELECT a FROM lookup(t) LIMIT MAX", 20_000),
    ] {
        assert_eq!(planned(text).limit, limit, "{text}");
    }
}

#[test]
fn filters_inside_filters_must_all_hold() {
    let plan = planned("SELECT filter(filter(count(*), WHERE a = 'x') / count(*), WHERE b = 'y') FROM E");
    let Kind::Values(values) = plan.kind else { panic!("aggregates") };
    let filters: Vec<bool> = values.aggregates.iter().map(|it| matches!(it.filter, Some(Node::And(..)))).collect();
    assert_eq!(filters, [true, false]);
}
