//! The windows of a signal in their order: values, and what stands in the gaps between.
//!
//! In: the windows with rows, the [`Clock`] that closes windows, and the silences of the signal. Out: [`Step`]s, one for each window
//! that was closed. What always holds: only an active signal is filled: not before its first row, not after `memory_ms` without one,
//! not after its signal was lost until a window with rows is there again; windows without a value that nothing fills are one step
//! however many they are; a signal that was silent longer than `memory_ms` begins anew.

use super::loss::Silence;
use super::result::Point;
use super::window::{Clock, Windows};
use crate::nrql::condition::Fill;

/// One window, or a run of gaps, as terms see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) point: Point,
    /// `evaluationDelay` is over.
    pub(super) judged: bool,
    /// Everything before is forgotten.
    pub(super) anew: bool,
}

/// How windows are filled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filling {
    pub(super) windows: Windows,
    pub(super) fill: Fill,
    /// How long a signal without rows is remembered, ms.
    pub(super) memory_ms: i64,
    /// How long a new signal is not judged, ms.
    pub(super) delay_ms: i64,
}

impl Filling {
    /// The steps of a signal. `cells` are its windows with rows by their ends, in order.
    pub(super) fn steps(&self, cells: &[(i64, Option<f64>)], clock: &Clock, silences: &[Silence]) -> Vec<Step> {
        let mut walk = Walk { filling: self, clock, silences, steps: Vec::new(), last: None, begun_ms: 0 };
        let mut before: Option<i64> = None;
        for (end_ms, value) in cells {
            let Some(closed_ms) = clock.closed_ms(*end_ms) else { break };
            let anew = before.is_none_or(|before| end_ms - before > self.memory_ms);
            if let Some(before) = before {
                walk.gaps(before, end_ms - self.windows.step_ms);
            }
            if anew {
                walk.last = None;
                walk.begun_ms = end_ms - self.windows.width_ms;
            }
            walk.window(*end_ms, closed_ms, *value, anew);
            before = Some(*end_ms);
        }
        if let Some(before) = before {
            walk.gaps(before, clock.closed_until());
        }
        walk.steps
    }
}

/// On its way through the windows.
struct Walk<'s> {
    filling: &'s Filling,
    clock: &'s Clock,
    silences: &'s [Silence],
    steps: Vec<Step>,
    /// The last value.
    last: Option<f64>,
    /// Begin of the signal's first window.
    begun_ms: i64,
}

impl Walk<'_> {
    /// The closed windows after `before`, the last with rows, up to `until`.
    fn gaps(&mut self, before: i64, until: i64) {
        let step = self.filling.windows.step_ms;
        let until = self.filling.windows.floor(until.min(before.saturating_add(self.filling.memory_ms)));
        if until <= before {
            return;
        }
        if self.filling.fill == Fill::None {
            self.gap(before + step, until);
            return;
        }
        // In order of their last windows: a signal that is silent every night has many.
        let at = self.silences.partition_point(|silence| silence.last_end_ms < before);
        let lost = self.silences.get(at).filter(|silence| silence.last_end_ms == before).map(|silence| silence.lost_ms);
        let mut end_ms = before + step;
        while end_ms <= until {
            let Some(closed_ms) = self.clock.closed_ms(end_ms) else { return };
            // What a row closes is closed after what is due at that instant.
            if lost.is_some_and(|lost| lost < closed_ms || lost == closed_ms && self.clock.by_rows()) {
                self.last = None;
                self.gap(end_ms, until);
                return;
            }
            self.window(end_ms, closed_ms, None, false);
            end_ms += step;
        }
    }

    /// One closed window.
    fn window(&mut self, end_ms: i64, closed_ms: i64, value: Option<f64>, anew: bool) {
        let filled = value.is_none();
        let value = value.or(match self.filling.fill {
            Fill::None => None,
            Fill::Static(value) => Some(value),
            Fill::LastValue => self.last,
        });
        if value.is_none() {
            self.push(end_ms, end_ms, closed_ms, anew);
            return;
        }
        self.last = value;
        let begin_ms = end_ms - self.filling.windows.width_ms;
        let point = Point { begin_ms, end_ms, closed_ms, value, filled, deviation: None };
        self.steps.push(Step { point, judged: self.is_judged(begin_ms), anew });
    }

    /// Windows without a value.
    fn gap(&mut self, first_ms: i64, last_ms: i64) {
        if let Some(closed_ms) = self.clock.closed_ms(first_ms) {
            self.push(first_ms, last_ms, closed_ms, false);
        }
    }

    fn push(&mut self, first_ms: i64, last_ms: i64, closed_ms: i64, anew: bool) {
        let (width, step) = (self.filling.windows.width_ms, self.filling.windows.step_ms);
        if let Some(run) = self.steps.last_mut().map(|step| &mut step.point)
            && run.value.is_none()
            && run.end_ms + step == first_ms
            && !anew
        {
            run.end_ms = last_ms;
            return;
        }
        let begin_ms = first_ms - width;
        let point = Point { begin_ms, end_ms: last_ms, closed_ms, value: None, filled: false, deviation: None };
        self.steps.push(Step { point, judged: self.is_judged(begin_ms), anew });
    }

    fn is_judged(&self, begin_ms: i64) -> bool {
        begin_ms >= self.begun_ms + self.filling.delay_ms
    }
}
