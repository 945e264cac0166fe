//! Buckets of a series.

use super::*;
use crate::nrql::ast::{Name, Span};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn exact(ms: i64) -> Width {
    Width::Exact(Duration { count: ms as f64, unit: Unit::Millisecond })
}

fn tumbling(width: Width) -> Timeseries {
    Timeseries { width, slide: None }
}

fn sliding(width: Width, step: Width) -> Timeseries {
    Timeseries { width, slide: Some(step) }
}

#[test]
fn units_have_fixed_lengths() {
    for (unit, expected) in [
        (Unit::Millisecond, 1),
        (Unit::Second, SECOND),
        (Unit::Minute, MINUTE),
        (Unit::Hour, HOUR),
        (Unit::Day, DAY),
        (Unit::Week, 7 * DAY),
        (Unit::Month, 30 * DAY),
        (Unit::Quarter, 91 * DAY),
        (Unit::Year, 365 * DAY),
    ] {
        assert_eq!(unit_ms(unit), expected, "{unit:?}");
    }
}

#[test]
fn auto_and_max_by_the_length_of_the_window() {
    for (name, window, auto, max) in [
        ("10 minutes", 10 * MINUTE, 30 * SECOND, 2 * SECOND),
        ("30 minutes", 30 * MINUTE, 30 * SECOND, 5 * SECOND),
        ("1 hour", HOUR, MINUTE, 10 * SECOND),
        ("3 hours", 3 * HOUR, 5 * MINUTE, 30 * SECOND),
        ("6 hours", 6 * HOUR, 15 * MINUTE, MINUTE),
        ("1 day", DAY, 30 * MINUTE, 4 * MINUTE),
        ("3 days", 3 * DAY, HOUR, 15 * MINUTE),
        ("1 week", 7 * DAY, 6 * HOUR, 30 * MINUTE),
        ("1 month", 30 * DAY, DAY, 2 * HOUR),
        ("1 year", 365 * DAY, 7 * DAY, DAY),
        ("366 days", 366 * DAY, 7 * DAY, DAY),
        ("2 years", 730 * DAY, 14 * DAY, 2 * DAY),
    ] {
        assert_eq!((auto_width_ms(window), max_width_ms(window)), (auto, max), "{name}");
    }
}

#[test]
fn the_pages_example_snaps_the_start() {
    let (since, until) = (ms("2023-12-20T00:04:59Z"), ms("2023-12-21T00:03:12Z"));
    let five = series(&tumbling(Width::Exact(Duration { count: 5.0, unit: Unit::Minute })), since, until).unwrap();
    assert_eq!((shown(five.begin_ms).as_str(), five.end_ms()), ("2023-12-20T00:08:12Z", until));
    assert_eq!((five.count, five.width_ms, five.step_ms), (287, 5 * MINUTE, 5 * MINUTE));
}

#[test]
fn buckets_of_a_window() {
    for (name, clause, window, expected) in [
        ("auto over an hour", tumbling(Width::Auto), HOUR, (0, MINUTE, MINUTE, 60)),
        ("auto over 6 hours", tumbling(Width::Auto), 6 * HOUR, (0, 15 * MINUTE, 15 * MINUTE, 24)),
        ("auto over a day", tumbling(Width::Auto), DAY, (0, 30 * MINUTE, 30 * MINUTE, 48)),
        ("auto over a week", tumbling(Width::Auto), 7 * DAY, (0, 6 * HOUR, 6 * HOUR, 28)),
        ("auto over ten seconds", tumbling(Width::Auto), 10 * SECOND, (0, 10 * SECOND, 10 * SECOND, 1)),
        ("max over a day", tumbling(Width::Max), DAY, (0, 4 * MINUTE, 4 * MINUTE, 360)),
        ("366 buckets", tumbling(exact(1_000)), 366_000, (0, 1_000, 1_000, 366)),
        ("a rest before the first", tumbling(exact(300)), 1_000, (100, 300, 300, 3)),
        ("one bucket", tumbling(exact(1_000)), 1_000, (0, 1_000, 1_000, 1)),
        ("overlapping", sliding(exact(300), exact(100)), 1_000, (100, 300, 100, 7)),
        ("with gaps", sliding(exact(100), exact(400)), 1_000, (0, 100, 400, 3)),
        ("slide by auto", sliding(exact(5 * MINUTE), Width::Auto), HOUR, (0, 5 * MINUTE, MINUTE, 56)),
        ("slide by max", sliding(exact(5 * MINUTE), Width::Max), HOUR, (0, 5 * MINUTE, 10 * SECOND, 331)),
    ] {
        let (begin_ms, width_ms, step_ms, count) = expected;
        assert_eq!(series(&clause, 0, window), Ok(Series { begin_ms, width_ms, step_ms, count }), "{name}");
    }
}

#[test]
fn impossible_series_are_refused() {
    let variable = Width::Template(Name { text: "w".into(), span: Span { start: 12, end: 17 } });
    for (name, clause, window, expected) in [
        ("367 buckets", tumbling(exact(1_000)), 367_000, WidthError::TooMany { buckets: 367 }),
        ("too small a step", sliding(exact(100_000), exact(100)), 200_000, WidthError::TooMany { buckets: 1_001 }),
        ("no width", tumbling(exact(0)), 1_000, WidthError::TooNarrow),
        ("negative", tumbling(exact(-5)), 1_000, WidthError::TooNarrow),
        ("wider than the window", tumbling(exact(1_001)), 1_000, WidthError::TooWide { width_ms: 1_001, window_ms: 1_000 }),
        ("auto sliding", sliding(Width::Auto, exact(100)), 1_000, WidthError::SlideWithoutWidth),
        ("max sliding", sliding(Width::Max, Width::Max), 1_000, WidthError::SlideWithoutWidth),
        ("a variable", tumbling(variable), 1_000, WidthError::Template { name: "w".into(), at: 12 }),
        ("no window", tumbling(Width::Auto), 0, WidthError::TooWide { width_ms: 1, window_ms: 0 }),
    ] {
        assert_eq!(series(&clause, 0, window), Err(expected), "{name}");
    }
}

#[test]
fn a_moment_is_in_its_buckets() {
    let plain = Series { begin_ms: 100, width_ms: 300, step_ms: 300, count: 3 };
    let overlapping = Series { begin_ms: 100, width_ms: 300, step_ms: 100, count: 7 };
    let gaps = Series { begin_ms: 0, width_ms: 100, step_ms: 400, count: 3 };
    for (name, series, at, expected) in [
        ("before the first", plain, 99, 0..0),
        ("first millisecond", plain, 100, 0..1),
        ("last millisecond", plain, 399, 0..1),
        ("next", plain, 400, 1..2),
        ("last", plain, 999, 2..3),
        ("in three", overlapping, 450, 1..4),
        ("at a start", overlapping, 400, 1..4),
        ("in one at the start", overlapping, 150, 0..1),
        ("in one at the end", overlapping, 999, 6..7),
        ("before a gap", gaps, 99, 0..1),
    ] {
        assert_eq!(series.buckets(at), expected, "{name}");
    }
    for (name, series, at) in [("after the last", plain, 1_000), ("in a gap", gaps, 100), ("late in a gap", gaps, 399)] {
        assert!(series.buckets(at).is_empty(), "{name}");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn buckets_lie_in_the_window_and_hold_what_they_say(since in 0_i64..1_000_000, window in 1_i64..100_000, width in 1_i64..20_000, step in 1_i64..20_000, at in 0_i64..1_200_000) {
            let clause = sliding(exact(width), exact(step));
            if let Ok(series) = series(&clause, since, since + window) {
                prop_assert!(series.begin_ms >= since && series.end_ms() <= since + window);
                let held: Vec<i64> = (0..series.count).filter(|bucket| {
                    let (start, end) = series.edges(*bucket);
                    (start..end).contains(&at)
                }).collect();
                prop_assert_eq!(series.buckets(at).collect::<Vec<i64>>(), held);
            }
        }
    }
}
