//! The fast ways give what the slow one gives, on every kind of column.

use proptest::prelude::*;

use super::super::cost::Cost;
use super::super::relation::{Member, Relation};
use super::super::scan::scan;
use super::super::settings::Switches;
use super::super::time::Context;
use super::super::{plan, value::order};
use super::*;
use crate::lab::store::TableView;
use crate::nrql::Statement;

/// Conditions and values over columns of texts (`t`, `u`), numbers (`n`), both (`m`), lists (`l`), truths (`f`) and nothing (`z`).
const EXPRESSIONS: &[&str] = &[
    "t = 'a'",
    "t != 'a'",
    "t < 'b'",
    "t = u",
    "t != u",
    "t LIKE 'A%'",
    "t NOT LIKE '%b'",
    "t RLIKE r'[ab]'",
    "t IN ('a', 'c')",
    "t NOT IN ('a')",
    "t IS NULL",
    "n IS NULL",
    "m IS NOT NULL",
    "n > 1",
    "n >= m",
    "n = 1",
    "NOT n = 1",
    "m = 1",
    "m = 'a'",
    "m > 0",
    "m IN (1, 'a')",
    "f IS TRUE",
    "f = false",
    "NOT f",
    "f",
    "z = 'a'",
    "z IS NULL",
    "t = 'a' AND n > 0",
    "t = 'a' OR n > 0",
    "NOT (t = 'a' OR n > 0)",
    "t = 'a' OR u = 'b' AND m > 1",
    "(t OR u) = 'a'",
    "(n OR 5) > 1",
    "(z OR t) = 'b'",
    "n + m > 2",
    "n / 0 = 1",
    "-n < 0",
    "lower(t) = 'a'",
    "concat(t, u) = 'ab'",
    "concat(t, u, z) LIKE '%b%'",
    "length(l) > 1",
    "contains(l, 'a')",
    "if(t = 'a', n, 2) > 1",
    "if(n > 1, t, u) = 'a'",
    "if(f, 1, 0) = 1",
    "hourOf(n) = '0:00'",
    "eventType() = 'E'",
    "timestamp > 3",
    "t LIKE u",
    "n IN (m, 2)",
    "abs(n) = 1",
    "numeric(t) IS NULL",
    "t = 'a' AND NOT n = 2",
    "cases(WHERE t = 'a' AS 'one', WHERE n > 1 AS 'two') = 'one'",
    "cases(WHERE n > 1 AS 'b') = 'b'",
    "n = n",
    "t IS NOT TRUE",
];

#[derive(Debug, Clone)]
enum Cell {
    Nothing,
    Text(&'static str),
    Number(f64),
    Flag(bool),
    List(Vec<&'static str>),
}

fn cells() -> impl Strategy<Value = Vec<Cell>> {
    let text = || prop_oneof![Just(Cell::Nothing), prop::sample::select(vec!["a", "b", "A", ""]).prop_map(Cell::Text)];
    let number = || prop_oneof![Just(Cell::Nothing), (-1_i8..3).prop_map(|number| Cell::Number(f64::from(number)))];
    let list =
        prop_oneof![Just(Cell::Nothing), prop::collection::vec(prop::sample::select(vec!["a", "b"]), 0..3).prop_map(Cell::List)];
    let flag = prop_oneof![Just(Cell::Nothing), any::<bool>().prop_map(Cell::Flag)];
    (text(), text(), number(), prop_oneof![text(), number()], list, flag).prop_map(|(t, u, n, m, l, f)| vec![t, u, n, m, l, f])
}

fn table(rows: &[Vec<Cell>]) -> Relation {
    let view = TableView::build("E", |pen| {
        for (ms, row) in (0_i64..).zip(rows) {
            pen.begin(ms, ms);
            for (name, cell) in ["t", "u", "n", "m", "l", "f"].iter().zip(row) {
                match cell {
                    Cell::Nothing => {}
                    Cell::Text(text) => pen.text(name, text),
                    Cell::Number(number) => pen.number(name, *number),
                    Cell::Flag(flag) => pen.flag(name, *flag),
                    Cell::List(items) => pen.value(name, &Value::List(items.iter().map(|item| Value::text(*item)).collect())),
                }
            }
        }
    });
    Relation { members: vec![Member::whole(view, true)] }
}

/// An expression as the plan makes it, and the same without anything remembered.
fn nodes(text: &str, relation: &mut Relation, scalars: &Scalars) -> Node {
    let Ok(Statement::Select(query)) = crate::nrql::parse(&format!("SELECT count(*) FROM E WHERE {text}")) else {
        panic!("{text}")
    };
    let subqueries = |_: &crate::nrql::ast::Query| Ok(super::super::Answer::default());
    let cost = Cost::default();
    let ground = plan::Ground {
        scalars,
        account_id: 1,
        account_attribute: None,
        default_rate_ms: 1_000.0,
        subqueries: &subqueries,
        cost: &cost,
        rows_default: 100,
    };
    let plan = plan::plan(&query, &ground).unwrap_or_else(|error| panic!("{text}: {error}"));
    relation.resolve(&plan.columns);
    plan.condition.expect("a condition")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn many_rows_at_once_give_what_each_row_gives(
        rows in prop::collection::vec(cells(), 1..12),
        chosen in prop::collection::vec(any::<bool>(), 12),
        null_satisfies_negation in any::<bool>(),
    ) {
        let scalars = Scalars { context: Context::utc(0), switches: Switches { null_satisfies_negation, ..Switches::default() } };
        let mut relation = table(&rows);
        let wanted: Vec<u32> = (0_u32..).zip(&rows).zip(&chosen).filter(|(_, chosen)| **chosen).map(|((row, _), _)| row).collect();
        for text in EXPRESSIONS {
            let node = nodes(text, &mut relation, &scalars);
            let evaluator = Evaluator::new(scalars.clone());
            let matched = scan(&relation, (0, 99), None, &evaluator, &Cost::default()).expect("rows");
            let batch = &matched[0].batch;
            let slow: Vec<Value> = wanted.iter().map(|row| evaluator.value(&node, batch, *row)).collect();
            let vector = evaluator.vector(&node, batch, &wanted);
            for (row, slow) in wanted.iter().zip(&slow) {
                let fast = vector.value(*row);
                prop_assert!(order(&fast, slow).is_eq(), "{}: row {}: {:?} at once, {:?} alone", text, row, fast, slow);
                prop_assert_eq!(vector.is_null(*row), slow.is_null(), "{}", text);
            }
            let holds: Vec<u32> = (0_u32..).zip(&slow).filter(|(_, slow)| **slow == Value::Bool(true)).map(|(at, _)| at).collect();
            prop_assert_eq!(evaluator.select(&node, batch, &wanted), holds, "{}", text);
        }
    }
}
