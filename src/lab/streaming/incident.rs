//! The incidents of one signal.
//!
//! In: its steps, its silences, the condition. Out: [`Incident`]s. What always holds: things happen in the order of the wall clock; of
//! what happens at one instant first windows that a clock closes, then time limits, then loss, then data that return, then windows
//! that a row closes; each term has at most one open incident, and the lost signal has one.

use super::fill::Step;
use super::loss::Silence;
use super::result::{Cause, Closed, Incident, Reason};
use super::settings::Switches;
use super::term::{Change, Watch};
use crate::nrql::condition::{Condition, Priority};

/// What happens next, in the order of one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    WindowByClock,
    TimeLimit,
    Lost,
    Returned,
    WindowByRow,
}

/// Where incidents of a signal are kept.
pub(super) struct Desk<'c> {
    condition: &'c Condition,
    switches: Switches,
    /// Each term with its open incident.
    terms: Vec<(Watch, Priority, Option<usize>)>,
    lost: Option<usize>,
    incidents: Vec<Incident>,
    limit_ms: i64,
}

impl<'c> Desk<'c> {
    pub(super) fn new(condition: &'c Condition, switches: Switches) -> Self {
        let step_s = condition.signal.step_s();
        let terms = condition.terms.iter().map(|term| (Watch::new(term, step_s), term.priority, None)).collect();
        let limit_ms = i64::from(condition.time_limit_s) * 1_000;
        Self { condition, switches, terms, lost: None, incidents: Vec::new(), limit_ms }
    }

    /// All incidents. `judge` gives what terms compare of a step; `by_rows`: rows close windows; the range ends at `end_ms`.
    pub(super) fn run(
        mut self,
        steps: &[(Step, Option<f64>)],
        silences: &[Silence],
        by_rows: bool,
        end_ms: i64,
    ) -> Vec<Incident> {
        let window = if by_rows { Next::WindowByRow } else { Next::WindowByClock };
        let losses = silences.iter().flat_map(|silence| {
            let back = silence.returned_ms.map(|ms| (ms, Next::Returned, silence.expected));
            std::iter::once((silence.lost_ms, Next::Lost, silence.expected)).chain(back)
        });
        let (mut steps, mut losses) = (steps.iter().peekable(), losses.peekable());
        loop {
            let step = steps.peek().map(|(step, _)| (step.point.closed_ms, window));
            let loss = losses.peek().map(|(ms, next, _)| (*ms, *next));
            let limit = self.next_limit().filter(|ms| *ms < end_ms).map(|ms| (ms, Next::TimeLimit));
            let Some((at_ms, next)) = [step, loss, limit].into_iter().flatten().min() else { break };
            match next {
                Next::TimeLimit => self.close_at_limit(at_ms),
                Next::Lost => {
                    let expected = losses.next().is_some_and(|(.., expected)| expected);
                    self.lose(at_ms, expected);
                }
                Next::Returned => {
                    losses.next();
                    if let Some(open) = self.lost.take() {
                        self.close(open, at_ms, at_ms, Reason::DataReturned);
                    }
                }
                Next::WindowByClock | Next::WindowByRow => {
                    if let Some((step, judged)) = steps.next() {
                        self.step(step, *judged);
                    }
                }
            }
        }
        self.incidents
    }

    fn step(&mut self, step: &Step, value: Option<f64>) {
        let at_ms = step.point.closed_ms;
        for place in 0..self.terms.len() {
            let Some((watch, priority, open)) = self.terms.get_mut(place) else { continue };
            if step.anew {
                watch.forget();
            }
            if !step.judged {
                continue;
            }
            let Some(value) = value else {
                watch.gap(self.switches.gap_restarts_recovery);
                continue;
            };
            match (watch.value(value, at_ms), *open) {
                (Change::Met, None) => {
                    *open = Some(self.incidents.len());
                    self.incidents.push(Incident {
                        priority: *priority,
                        cause: Cause::Threshold,
                        opened_ms: at_ms,
                        window_end_ms: Some(step.point.end_ms),
                        value: Some(value),
                        closed: None,
                    });
                }
                (Change::Recovered { since_ms }, Some(incident)) => {
                    *open = None;
                    self.close(incident, since_ms, at_ms, Reason::Recovered);
                }
                _ => {}
            }
        }
    }

    /// First closes, then opens.
    fn lose(&mut self, at_ms: i64, expected: bool) {
        let Some(expiration) = self.condition.expiration else { return };
        if expiration.closes {
            for place in 0..self.terms.len() {
                if let Some(open) = self.terms.get_mut(place).and_then(|(.., open)| open.take()) {
                    self.close(open, at_ms, at_ms, Reason::SignalLost);
                }
            }
        }
        if expiration.opens && !(expected && expiration.ignores_expected) {
            self.lost = Some(self.incidents.len());
            self.incidents.push(Incident {
                priority: self.switches.lost_priority,
                cause: Cause::SignalLost,
                opened_ms: at_ms,
                window_end_ms: None,
                value: None,
                closed: None,
            });
        }
    }

    fn open(&self) -> impl Iterator<Item = (usize, &Incident)> {
        let open = self.terms.iter().filter_map(|(.., open)| *open).chain(self.lost);
        open.filter_map(|place| self.incidents.get(place).map(|incident| (place, incident)))
    }

    fn next_limit(&self) -> Option<i64> {
        self.open().map(|(_, incident)| incident.opened_ms + self.limit_ms).min()
    }

    fn close_at_limit(&mut self, at_ms: i64) {
        let over = self.open().filter(|(_, incident)| incident.opened_ms + self.limit_ms <= at_ms).map(|(place, _)| place);
        let over: Vec<usize> = over.collect();
        for (.., open) in &mut self.terms {
            *open = open.filter(|place| !over.contains(place));
        }
        self.lost = self.lost.filter(|place| !over.contains(place));
        for place in over {
            self.close(place, at_ms, at_ms, Reason::TimeLimit);
        }
    }

    fn close(&mut self, place: usize, at_ms: i64, known_ms: i64, reason: Reason) {
        if let Some(incident) = self.incidents.get_mut(place) {
            incident.closed = Some(Closed { at_ms, known_ms, reason });
        }
    }
}
