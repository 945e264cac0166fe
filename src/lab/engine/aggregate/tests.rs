//! Moving slots gives what adding to the other slots at once would have given.

use super::super::expression::{Batch, Evaluator, Scalars};
use super::super::relation::{Member, Relation};
use super::super::time::Context;
use super::*;
use crate::lab::store::TableView;

/// Twelve rows with a number, a text and a list.
fn relation() -> Relation {
    let view = TableView::build("E", |pen| {
        for number in 0..12_u32 {
            pen.begin(i64::from(number) * 1_000, 0);
            pen.number("n", f64::from((number * 7) % 12));
            pen.text("t", ["a", "b", "c"][number as usize % 3]);
            if number % 4 == 0 {
                pen.value("l", &list([Value::text("x"), Value::Number(f64::from(number))]));
            }
        }
    });
    let mut relation = Relation { members: vec![Member::whole(view, true)] };
    relation.resolve(&["n".to_owned(), "t".to_owned(), "l".to_owned()]);
    relation
}

fn functions() -> Vec<(&'static str, Function)> {
    let (n, t, l) = (Node::Column(0), Node::Column(1), Node::Column(2));
    let is = |text: &str| {
        let text = Box::new(Node::Constant(Value::text(text)));
        Node::Compare(super::super::expression::Comparison::Equal, Box::new(Node::Column(1)), text)
    };
    vec![
        ("count(*)", Function::CountAll),
        ("count", Function::Count(l.clone())),
        ("sum", Function::Sum(n.clone())),
        ("average", Function::Average(n.clone())),
        ("min", Function::Min(n.clone())),
        ("max", Function::Max(n.clone())),
        ("latest", Function::Latest(t.clone())),
        ("earliest", Function::Earliest(l.clone())),
        ("stddev", Function::Deviation(n.clone())),
        ("stdvar", Function::Variance(n.clone())),
        ("percentile", Function::Percentile(n.clone(), vec![0.0, 50.0, 90.0, 100.0])),
        ("cdfPercentage", Function::Share(n.clone(), vec![3.0, 6.0])),
        ("apdex", Function::Apdex(n.clone(), 2.0)),
        ("histogram", Function::Histogram { value: n.clone(), width: 10.0, buckets: 5, start: 1.0 }),
        ("derivative", Function::Slope(n.clone(), 1_000.0)),
        ("predictLinear", Function::Predict(n.clone(), 5_000.0)),
        ("latestrate", Function::LatestRate(n.clone(), 1_000.0)),
        ("uniqueCount", Function::UniqueCount(vec![t.clone(), l])),
        ("uniques", Function::Uniques(t, 2)),
        ("funnel", Function::Funnel(n, vec![is("a"), is("a")])),
        ("keyset", Function::Keyset),
        ("bytecountestimate", Function::Bytes),
    ]
}

/// Adds every row to the slot that `slot` says.
fn added(function: &Function, relation: &Relation, slots: usize, slot: impl Fn(u32) -> u32) -> Box<dyn Accumulator> {
    let evaluator = Evaluator::new(Scalars { context: Context::utc(0), switches: Switches::default() });
    let segment = &relation.members[0].view.segments()[0];
    let batch = Batch { relation, table: 0, segment };
    let rows: Vec<u32> = (0..12).collect();
    let slots_of_rows: Vec<u32> = rows.iter().map(|row| slot(*row)).collect();
    let mut accumulator = function.start(slots, relation, Switches::default());
    accumulator.add(&Input { evaluator: &evaluator, batch: &batch, rows: &rows, slots: &slots_of_rows });
    accumulator
}

/// Numbers may differ in their last digits when they are added in another order.
fn near(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Number(one), Value::Number(two)) => (one - two).abs() < 1e-9,
        (Value::List(one), Value::List(two)) => {
            one.len() == two.len() && one.iter().zip(two.iter()).all(|(one, two)| near(one, two))
        }
        (Value::Object(one), Value::Object(two)) => {
            one.iter().zip(two.iter()).all(|(one, two)| one.0 == two.0 && near(&one.1, &two.1))
        }
        (one, two) => one == two,
    }
}

#[test]
fn moved_slots_are_as_if_added_there() {
    let relation = relation();
    for (name, function) in functions() {
        // Six slots go to two; the last goes nowhere.
        let apart = added(&function, &relation, 6, |row| row % 6);
        let moved = apart.regroup(&[0, 1, 0, 1, 0, u32::MAX], 2);
        let at_once = added(&function, &relation, 2, |row| if row % 6 == 5 { u32::MAX } else { row % 6 % 2 });
        for slot in 0..2 {
            let (moved, at_once) = (moved.value(slot, 20_000), at_once.value(slot, 20_000));
            assert!(near(&moved, &at_once), "{name}, slot {slot}: {moved:?} moved, {at_once:?} at once");
        }
        assert!(moved.has(0), "{name}");
    }
}

#[test]
fn a_slot_without_rows_counts_nothing_and_has_no_value() {
    let relation = relation();
    for (name, function) in functions() {
        let accumulator = added(&function, &relation, 2, |_| 0);
        assert!(accumulator.has(0) && !accumulator.has(1), "{name}");
        let empty = accumulator.value(1, 0);
        let expected = match name {
            "count(*)" | "count" | "sum" | "uniqueCount" | "bytecountestimate" => Some(Value::Number(0.0)),
            "uniques" => Some(list([])),
            "funnel" => Some(list([Value::Number(0.0), Value::Number(0.0)])),
            "histogram" => Some(list(vec![Value::Number(0.0); 5])),
            "percentile" | "apdex" | "keyset" => None,
            _ => Some(Value::Null),
        };
        assert!(expected.is_none_or(|expected| expected == empty), "{name}: {empty:?}");
    }
}

#[test]
fn many_values_are_kept_apart_whether_as_bits_or_as_pairs() {
    let mut seen = seen::Seen::new(3);
    for number in [0, 1, 63, 64, 1_000, 1 << 20, 1 << 31] {
        for slot in 0..3 {
            assert!(seen.insert(slot, number), "{slot} {number}");
            assert!(!seen.insert(slot, number), "{slot} {number} again");
        }
    }
    let mut all = Vec::new();
    seen.each(|slot, number| all.push((slot, number)));
    assert_eq!(all.len(), 21);
}
