//! Lines through points in time: `derivative`, `predictLinear`, `latestrate`.
//!
//! What always holds: times are kept relative to the first point seen, so that no digit is lost.

use super::super::value::Value;
use super::measure::Measure;

/// Least squares: sums over all points.
#[derive(Debug, Clone, Default)]
pub(super) struct Points {
    base_ms: i64,
    count: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

impl Points {
    fn add(&mut self, number: f64, ms: i64) {
        if self.count == 0.0 {
            self.base_ms = ms;
        }
        let x = (ms - self.base_ms) as f64;
        self.count += 1.0;
        self.x += x;
        self.y += number;
        self.xx += x * x;
        self.xy += x * number;
    }

    fn merge(&mut self, other: &Self) {
        if self.count == 0.0 {
            *self = other.clone();
            return;
        }
        // The other's points, seen from this one's base.
        let by = (other.base_ms - self.base_ms) as f64;
        self.xx += other.xx + 2.0 * by * other.x + by * by * other.count;
        self.xy += other.xy + by * other.y;
        self.x += other.x + by * other.count;
        self.y += other.y;
        self.count += other.count;
    }

    /// Slope for one ms and value at the base; none without two different times.
    fn line(&self) -> Option<(f64, f64)> {
        let spread = self.count * self.xx - self.x * self.x;
        if self.count < 2.0 || spread <= 0.0 {
            return None;
        }
        let slope = (self.count * self.xy - self.x * self.y) / spread;
        Some((slope, (self.y - slope * self.x) / self.count))
    }
}

/// What is asked of the line through all points.
#[derive(Debug, Clone)]
pub(super) enum Line {
    /// `derivative`: its slope, for so many ms.
    Slope(f64),
    /// `predictLinear`: its value so many ms after the end.
    Ahead(f64),
}

impl Measure for Line {
    type State = Points;

    fn add(&self, state: &mut Points, number: f64, ms: i64) {
        state.add(number, ms);
    }

    fn merge(&self, state: &mut Points, other: &Points) {
        state.merge(other);
    }

    fn value(&self, state: &Points, end_ms: i64) -> Value {
        state.line().map_or(Value::Null, |(slope, start)| match self {
            Self::Slope(per_ms) => Value::Number(slope * per_ms),
            Self::Ahead(after_ms) => Value::Number(start + slope * ((end_ms - state.base_ms) as f64 + after_ms)),
        })
    }
}

/// `latestrate`.
#[derive(Debug, Clone)]
pub(super) struct LatestRate {
    pub(super) per_ms: f64,
}

impl Measure for LatestRate {
    /// The last two points, the latest first.
    type State = [Option<(i64, f64)>; 2];

    fn add(&self, [latest, before]: &mut Self::State, number: f64, ms: i64) {
        if latest.is_none_or(|(at, _)| ms >= at) {
            *before = latest.replace((ms, number));
        } else if before.is_none_or(|(at, _)| ms >= at) {
            *before = Some((ms, number));
        }
    }

    fn merge(&self, state: &mut Self::State, other: &Self::State) {
        other.iter().rev().flatten().for_each(|(ms, number)| self.add(state, *number, *ms));
    }

    fn value(&self, state: &Self::State, _: i64) -> Value {
        match state {
            [Some((last, end)), Some((first, start))] if last > first => {
                Value::Number((end - start) / (last - first) as f64 * self.per_ms)
            }
            _ => Value::Null,
        }
    }
}
