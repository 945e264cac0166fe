//! The windows of a signal as a line that a chart can show.
//!
//! In: points, the shown time. Out: at most [`MOST`] points, each one of those that went in. What always holds: a value that
//! breaches is never thinned away by one that does not: of several windows the one nearest to breaching stays.

use crate::lab::streaming::Point;
use crate::nrql::condition::{Comparison, Condition, Kind};

/// Points of a line: a chart has about two pixels for each.
pub(super) const MOST: usize = 600;

/// A line, and how far two neighbours may be apart and still be joined, ms.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) points: Vec<Point>,
    pub(super) joins_ms: i64,
    /// Windows that have a value, and are shown or stand behind one that is.
    pub(super) windows: usize,
}

/// What terms are compared with: of a baseline the deviation.
pub(super) fn judged(condition: &Condition, point: &Point) -> Option<f64> {
    if matches!(condition.kind, Kind::Baseline(..)) { point.deviation } else { point.value }
}

/// Whether small values breach.
fn less_is_worse(condition: &Condition) -> bool {
    let below = |comparison| matches!(comparison, Comparison::Below | Comparison::BelowOrEquals);
    condition.terms.first().is_some_and(|term| below(term.comparison))
}

/// The line of these windows.
pub(super) fn line(condition: &Condition, points: &[Point], since_ms: i64, until_ms: i64) -> Line {
    let step_ms = i64::from(condition.signal.step_s()) * 1_000;
    let is_shown = |point: &&Point| point.end_ms > since_ms && point.begin_ms < until_ms && judged(condition, point).is_some();
    let shown: Vec<Point> = points.iter().filter(is_shown).copied().collect();
    let windows = shown.len();
    if windows <= MOST {
        return Line { points: shown, joins_ms: step_ms, windows };
    }
    let most = i64::try_from(MOST).unwrap_or(i64::MAX);
    // One more, so that the last moment falls into the last.
    let width_ms = ((until_ms - since_ms) / most + 1).max(step_ms);
    let less = less_is_worse(condition);
    let value = |point: &Point| judged(condition, point).unwrap_or_default();
    let mut thinned: Vec<(i64, Point)> = Vec::with_capacity(MOST);
    for point in shown {
        let place = (point.end_ms - 1 - since_ms).max(0) / width_ms;
        match thinned.last_mut() {
            Some((last, kept)) if *last == place || place >= most => {
                let is_worse = if less { value(&point) < value(kept) } else { value(&point) > value(kept) };
                if is_worse {
                    *kept = point;
                }
            }
            _ => thinned.push((place, point)),
        }
    }
    Line { points: thinned.into_iter().map(|(_, point)| point).collect(), joins_ms: 2 * width_ms, windows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::preview::alerts::tests::condition;

    fn point(minute: i64, value: Option<f64>) -> Point {
        let begin_ms = minute * 60_000;
        Point { begin_ms, end_ms: begin_ms + 60_000, closed_ms: begin_ms + 60_000, value, filled: false, deviation: None }
    }

    #[test]
    fn few_windows_stay_as_they_are() {
        let condition = condition("SELECT count(*) FROM T");
        let points = [point(0, Some(1.0)), point(1, None), point(2, Some(3.0)), point(9, Some(9.0))];
        let line = line(&condition, &points, 60_000, 300_000);
        assert_eq!(line, Line { points: vec![points[2]], joins_ms: 60_000, windows: 1 });
    }

    #[test]
    fn of_many_windows_the_worst_stay() {
        for (comparison, worst) in [(Comparison::Above, 9.0), (Comparison::BelowOrEquals, -9.0)] {
            let mut condition = condition("SELECT count(*) FROM T");
            condition.terms[0].comparison = comparison;
            let value = |minute| if minute == 4_321 { worst } else { 0.0 };
            let points: Vec<Point> = (0..10_000).map(|minute| point(minute, Some(value(minute)))).collect();
            let line = line(&condition, &points, 0, 10_000 * 60_000);
            assert_eq!((line.windows, line.points.len() <= MOST, line.points.len() > MOST / 2), (10_000, true, true));
            assert!(line.points.iter().any(|point| point.value == Some(worst)), "{comparison:?}");
            let apart = line.points.windows(2).map(|pair| pair[1].end_ms - pair[0].end_ms).max();
            assert!(apart.is_some_and(|apart| apart <= line.joins_ms), "{apart:?} {}", line.joins_ms);
        }
    }
}
