//! What must not matter: how rows are stored, times that are none, ranges without an end.

use super::super::{Alignment, Evaluation, Range, Settings, Switches, evaluate};
use super::condition;
use crate::lab::store::{Snapshot, Store};
use crate::nrql::condition::{
    Comparison, Condition, Direction, Expiration, Fill, Kind, Method, Occurrences, Priority, Seasonality, Term,
};

/// Signal, timestamp and arrival, ms.
type Row = (&'static str, i64, i64);

fn snapshot(rows: &[Row]) -> Snapshot {
    let store = Store::in_memory();
    store.append("T", |pen| {
        for (who, timestamp_ms, received_ms) in rows {
            pen.begin(*timestamp_ms, *received_ms);
            pen.text("who", who);
        }
    });
    store.snapshot()
}

fn watched(method: Method) -> Condition {
    let mut condition = condition("SELECT count(*) FROM T FACET who");
    condition.signal.method = method;
    condition.terms.push(Term {
        priority: Priority::Critical,
        comparison: Comparison::Above,
        threshold: 1.0,
        duration_s: 60,
        occurrences: Occurrences::AtLeastOnce,
    });
    condition.expiration = Some(Expiration { after_s: 300, opens: true, closes: true, ignores_expected: false });
    condition
}

const METHODS: [Method; 3] =
    [Method::EventFlow { delay_s: 60 }, Method::EventTimer { timer_s: 60 }, Method::Cadence { delay_s: 60 }];

fn rows() -> Vec<Row> {
    let mut chance = fastrand::Rng::with_seed(7);
    let row = |at: i64, chance: &mut fastrand::Rng| {
        let arrival = at * 7_000;
        (*chance.choice(["a", "b", "c"].iter()).unwrap_or(&"a"), arrival - chance.i64(0..90_000), arrival)
    };
    (0..500).map(|at| row(at, &mut chance)).collect()
}

fn of(snapshots: &[Snapshot], condition: &Condition) -> Evaluation {
    let range = Range { begin_ms: 0, end_ms: 10_000_000 };
    evaluate(snapshots, condition, range, &Settings::default()).expect("a condition")
}

#[test]
fn how_rows_are_stored_does_not_matter() {
    let rows = rows();
    let mut shuffled = rows.clone();
    fastrand::Rng::with_seed(8).shuffle(&mut shuffled);
    let (first, second) = shuffled.split_at(200);
    for method in METHODS {
        let condition = watched(method);
        let expected = of(&[snapshot(&rows)], &condition);
        assert!(expected.signals.len() == 3 && expected.incidents().count() > 3, "too little happens: {expected:?}");
        assert_eq!(of(&[snapshot(&shuffled)], &condition), expected, "{method:?}");
        assert_eq!(of(&[snapshot(first), snapshot(second)], &condition), expected, "{method:?}");
    }
}

#[test]
fn times_that_are_none_harm_nothing() {
    let ends = [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX];
    let mut rows: Vec<Row> = ends.iter().flat_map(|at| ends.map(|other| ("a", *at, other))).collect();
    rows.extend([("a", 10_000, 10_000), ("a", 20_000, 20_000), ("a", 999_999_999_999_999, 30_000), ("a", 40_000, 40_000)]);
    let snapshot = snapshot(&rows);
    for method in METHODS {
        for fill in [Fill::None, Fill::Static(2.0), Fill::LastValue] {
            for (slide_s, alignment) in [(None, Alignment::Epoch), (Some(30), Alignment::Creation)] {
                let mut condition = watched(method);
                (condition.signal.fill, condition.signal.slide_s) = (fill, slide_s);
                for range in [(i64::MIN, i64::MAX), (0, 100_000), (i64::MAX - 1, i64::MAX), (i64::MIN, i64::MIN + 1)] {
                    let range = Range { begin_ms: range.0, end_ms: range.1 };
                    let settings = Settings { switches: Switches { alignment, ..Switches::default() }, ..Settings::default() };
                    let result = evaluate(std::slice::from_ref(&snapshot), &condition, range, &settings);
                    assert_eq!(result.is_ok(), range.begin_ms < 1_000_000 && range.end_ms > 0, "{range:?}");
                }
            }
        }
    }
}

#[test]
fn an_empty_range_is_refused() {
    let range = Range { begin_ms: 5, end_ms: 5 };
    let error = evaluate(&[], &watched(METHODS[0]), range, &Settings::default()).expect_err("no range");
    assert_eq!(error.to_string(), "the range is empty: its begin must lie before its end");
}

#[test]
fn a_long_silence_costs_nothing() {
    // Thirty years by the minute would be sixteen million windows.
    let snapshot = snapshot(&[("a", 10_000, 10_000), ("a", 1_000_000_000_000, 1_000_000_000_000)]);
    for method in METHODS {
        let condition = Condition { expiration: None, ..watched(method) };
        let range = Range { begin_ms: 0, end_ms: 1_100_000_000_000 };
        let found = evaluate(std::slice::from_ref(&snapshot), &condition, range, &Settings::default()).expect("a condition");
        assert!(found.signals.iter().map(|signal| signal.points.len()).sum::<usize>() <= 4, "{found:?}");
    }
}

#[test]
fn an_approximation_says_so() {
    let mut condition = watched(METHODS[0]);
    assert!(!of(&[snapshot(&rows())], &condition).approximate);
    condition.kind = Kind::Baseline(Direction::UpperOnly, Seasonality::None);
    condition.terms.iter_mut().for_each(|term| term.duration_s = 120);
    let found = of(&[snapshot(&rows())], &condition);
    assert!(found.approximate && found.notes.iter().any(|note| note.starts_with("a baseline as near as it can be")));
    assert!(found.signals.iter().flat_map(|signal| &signal.points).any(|point| point.deviation.is_some()));
}

#[test]
fn more_signals_than_new_relic_allows_are_told() {
    let names: Vec<String> = (0..5_001).map(|number| format!("s{number}")).collect();
    let store = Store::in_memory();
    store.append("T", |pen| {
        for (at, name) in (0..).zip(&names) {
            pen.begin(at, at);
            pen.text("who", name);
        }
    });
    let found = of(&[store.snapshot()], &watched(METHODS[1]));
    assert_eq!(found.signals.len(), 5_001);
    assert!(found.notes.iter().any(|note| note.starts_with("5001 signals: New Relic evaluates at most")), "{:?}", found.notes);
}
