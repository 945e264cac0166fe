//! How far a value is from what was to be expected: an approximation.
//!
//! In: the values of a signal in order. Out: each one's distance from its prediction, in standard deviations of the errors of the last
//! seven days. What always holds: a prediction is made before the value is seen; nothing is judged before [`ERRORS_MIN`] errors are
//! known. New Relic does not publish its way; it documents the family (Holt-Winters), more weight on the recent, seasons up to a week.
//! It also trains on stored weeks, which here is what the range holds.

use std::collections::VecDeque;

use super::result::Point;
use crate::nrql::condition::{Condition, Direction, Fill, Kind, Seasonality};

/// Ms in an hour.
const HOUR_MS: i64 = 3_600_000;
/// Errors older than this no longer count, ms.
const ERRORS_MS: i64 = 7 * 24 * HOUR_MS;
/// Nothing is judged before so many errors are known.
pub(super) const ERRORS_MIN: usize = 30;
/// Weight of a new value in the level and in its part of the season.
const LEVEL_WEIGHT: f64 = 0.1;
const SEASON_WEIGHT: f64 = 0.3;
/// Seasons: length and parts.
const HOURLY: Season = Season { length_ms: HOUR_MS, parts: 60 };
const DAILY: Season = Season { length_ms: 24 * HOUR_MS, parts: 96 };
const WEEKLY: Season = Season { length_ms: 7 * 24 * HOUR_MS, parts: 168 };

#[derive(Debug, Clone, Copy)]
struct Season {
    length_ms: i64,
    parts: usize,
}

/// A level and, by season, what each part of it adds.
#[derive(Debug, Clone)]
struct Model {
    season: Option<Season>,
    level: Option<f64>,
    parts: Vec<Option<f64>>,
    /// Mean square of its errors, the recent weighing more.
    error: f64,
}

impl Model {
    fn new(season: Option<Season>) -> Self {
        let parts = season.map_or(0, |season| season.parts);
        Self { season, level: None, parts: vec![None; parts], error: 0.0 }
    }

    fn part(&self, at_ms: i64) -> usize {
        self.season.map_or(0, |season| {
            let into = at_ms.rem_euclid(season.length_ms);
            let length = (season.length_ms / i64::try_from(season.parts).unwrap_or(1).max(1)).max(1);
            usize::try_from(into / length).unwrap_or(0)
        })
    }

    fn prediction(&self, at_ms: i64) -> Option<f64> {
        self.level.map(|level| level + self.parts.get(self.part(at_ms)).copied().flatten().unwrap_or(0.0))
    }

    fn learn(&mut self, at_ms: i64, value: f64) {
        if let Some(predicted) = self.prediction(at_ms) {
            self.error += LEVEL_WEIGHT * ((value - predicted).powi(2) - self.error);
        }
        let place = self.part(at_ms);
        let season = self.parts.get(place).copied().flatten();
        let level = self.level.map_or(value, |level| level + LEVEL_WEIGHT * (value - season.unwrap_or(0.0) - level));
        self.level = Some(level);
        if let Some(part) = self.parts.get_mut(place) {
            *part = Some(season.map_or(value - level, |season| season + SEASON_WEIGHT * (value - level - season)));
        }
    }
}

/// A signal's expectation.
#[derive(Debug)]
pub(super) struct Baseline {
    direction: Direction,
    /// A static fill is so many standard deviations from the last value.
    fill: Fill,
    models: Vec<Model>,
    /// When, and the error: of the last seven days.
    errors: VecDeque<(i64, f64)>,
    /// Their sum and the sum of their squares.
    sums: (f64, f64),
    last: Option<f64>,
}

impl Baseline {
    /// None if the condition has none.
    pub(super) fn new(condition: &Condition) -> Option<Self> {
        let Kind::Baseline(direction, seasonality) = condition.kind else { return None };
        let seasons: &[Option<Season>] = match seasonality {
            Seasonality::None => &[None],
            Seasonality::Hourly => &[Some(HOURLY)],
            Seasonality::Daily => &[Some(DAILY)],
            Seasonality::Weekly => &[Some(WEEKLY)],
            // The one that errs least so far.
            Seasonality::NewRelicCalculation => &[None, Some(HOURLY), Some(DAILY), Some(WEEKLY)],
        };
        let models = seasons.iter().map(|season| Model::new(*season)).collect();
        Some(Self { direction, fill: condition.signal.fill, models, errors: VecDeque::new(), sums: (0.0, 0.0), last: None })
    }

    /// The deviation of a window's value, and learns it. A window that a static value fills gets the value that stands for.
    pub(super) fn take(&mut self, point: &mut Point) -> Option<f64> {
        let at_ms = point.begin_ms;
        if point.filled
            && let Fill::Static(deviations) = self.fill
        {
            point.value = self.last.map(|last| last + deviations * self.deviation_unit(last));
        }
        let value = point.value?;
        let best = self.models.iter().min_by(|one, two| one.error.total_cmp(&two.error));
        let predicted = best.and_then(|model| model.prediction(at_ms));
        let unit = predicted.map(|predicted| self.deviation_unit(predicted));
        let known = self.errors.len() >= ERRORS_MIN;
        let error = predicted.map(|predicted| value - predicted);
        if let Some(error) = error {
            self.errors.push_back((at_ms, error));
            self.sums = (self.sums.0 + error, self.sums.1 + error * error);
        }
        while let Some((_, error)) = self.errors.pop_front_if(|(ms, _)| *ms < at_ms - ERRORS_MS) {
            self.sums = (self.sums.0 - error, self.sums.1 - error * error);
        }
        self.models.iter_mut().for_each(|model| model.learn(at_ms, value));
        self.last = Some(value);
        let distance = error.zip(unit).filter(|_| known).map(|(error, unit)| error / unit)?;
        Some(match self.direction {
            Direction::UpperOnly => distance,
            Direction::LowerOnly => -distance,
            Direction::UpperAndLower => distance.abs(),
        })
    }

    /// One standard deviation; never 0, so that a value that never changed has one.
    fn deviation_unit(&self, near: f64) -> f64 {
        let count = self.errors.len().max(1) as f64;
        let mean = self.sums.0 / count;
        // What rounding leaves of nothing may be less than nothing.
        let variance = (self.sums.1 / count - mean * mean).max(0.0);
        variance.sqrt().max(near.abs() * 1e-9).max(1e-9)
    }
}
