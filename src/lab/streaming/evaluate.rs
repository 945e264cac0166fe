//! A condition on stored rows.
//!
//! In: snapshots, a condition, a range of arrival. Out: an [`Evaluation`]. What always holds: rows are taken in the order they
//! arrived; the same rows give the same answer; what New Relic refuses is refused.

use super::super::engine::windowed::{self, Asked, Cell};
use super::super::engine::{Field, QueryError};
use super::super::store::Snapshot;
use super::baseline::Baseline;
use super::fill::{Filling, Step};
use super::incident::Desk;
use super::much::asks_for_much;
use super::result::{Evaluation, SignalRun};
use super::settings::{Settings, Settles};
use super::window::{Clock, Placed, Placing, SECOND_MS, TIMES_MS, Windows};
use crate::nrql::ast::Query;
use crate::nrql::condition::{Condition, Expiration, Kind, Method};
use crate::nrql::{self, Statement};

/// Signals that New Relic evaluates for a condition at most: its pages say 5,000 and 20,000.
const SIGNALS_MAX: usize = 5_000;
/// How long a signal without rows is remembered at least, ms.
const MEMORY_MS: i64 = 2 * 3_600 * SECOND_MS;
/// Rows further apart than this are not for `EVENT_FLOW`, ms. New Relic's page on NRQL conditions.
const FLOW_APART_MS: i64 = 65 * 60 * SECOND_MS;
/// Where a row says that its signal ends as expected, and how.
const EXPECTED: (&[&str], &str) = (&["termination", "tags.termination"], "expected");

/// Rows that arrived at or after `begin_ms` and before `end_ms`, ms since 1970. The condition is created when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First moment.
    pub begin_ms: i64,
    /// The moment after the last.
    pub end_ms: i64,
}

/// What a condition would have done in a range.
///
/// # Errors
/// When New Relic would refuse the condition or its query, when the range is empty, or when it passes the limits of the settings.
pub fn evaluate(
    snapshots: &[Snapshot],
    condition: &Condition,
    range: Range,
    settings: &Settings,
) -> Result<Evaluation, QueryError> {
    let query = query(condition)?;
    let (begin_ms, end_ms) = (range.begin_ms.max(*TIMES_MS.start()), range.end_ms.min(*TIMES_MS.end()));
    if begin_ms >= end_ms {
        return Err(QueryError::whole("the range is empty: its begin must lie before its end"));
    }
    let is_nested = windowed::is_nested(&query);
    let windows = Windows::new(&condition.signal, begin_ms, settings.switches.alignment);
    let expiration = condition.expiration.filter(|expiration| !is_nested && (expiration.opens || expiration.closes));
    let placing = Placing {
        signal: &condition.signal,
        windows,
        switches: settings.switches,
        expires_ms: expiration.map(|expiration| i64::from(expiration.after_s) * SECOND_MS),
        end_ms,
        settles: match settings.settles {
            Settles::No => false,
            Settles::Sure => asks_for_much(condition, &query),
            Settles::All => true,
        },
    };
    let mark = expiration.filter(|expiration| expiration.ignores_expected).map(|_| EXPECTED);
    let asked = Asked { window_ms: windows.width_ms, received_ms: (begin_ms, end_ms), mark };
    let mut placed = Placed::default();
    let answer = windowed::run(snapshots, &settings.engine, &query, &asked, &mut |arrivals| {
        let (pairs, made) = placing.place(arrivals);
        placed = if is_nested { Placing::shared(made) } else { made };
        pairs
    })?;
    let judge = Judge { condition, settings, windows, expiration, end_ms };
    let mut evaluation = Evaluation { late: placed.late, ..Evaluation::default() };
    if matches!(condition.kind, Kind::Baseline(..)) {
        evaluation.approximate = true;
        evaluation.notes.push(
            "a baseline as near as it can be: New Relic's own is not published and has learnt from up to four weeks before"
                .to_owned(),
        );
    }
    if answer.groups.len() > SIGNALS_MAX {
        evaluation.notes.push(format!(
            "{} signals: New Relic evaluates at most 5,000 or 20,000 of a condition, its pages differ; here all are",
            answer.groups.len()
        ));
    }
    let (mut cells, mut far_apart) = (&*answer.cells, 0_u64);
    for (group, facets) in (0_u32..).zip(answer.groups) {
        let (own, rest) = cells.split_at(cells.partition_point(|cell| cell.group <= group));
        cells = rest;
        let Some(clock) = placed.clock(group) else { continue };
        evaluation.unclosed += own.iter().map(|cell| u64::from(clock.closed_ms(cell.end_ms).is_none())).sum::<u64>();
        let far = |pair: &[Cell]| matches!(pair, [one, two] if two.end_ms - one.end_ms > FLOW_APART_MS);
        far_apart += u64::from(own.windows(2).any(far));
        let signal = judge.signal(group, facets, own, clock, &placed);
        if !signal.points.is_empty() || !signal.incidents.is_empty() {
            evaluation.signals.push(signal);
        }
    }
    if far_apart > 0 && matches!(condition.signal.method, Method::EventFlow { .. }) {
        evaluation.notes.push(format!(
            "rows of {far_apart} signals are more than 65 minutes apart: EVENT_FLOW judges the earlier when the later come, if ever; \
             New Relic advises EVENT_TIMER"
        ));
    }
    Ok(evaluation)
}

/// The query of a condition that New Relic would take.
fn query(condition: &Condition) -> Result<Query, QueryError> {
    let faults: Vec<String> = condition.faults().into_iter().map(|(key, problem)| format!("{key}: {problem}")).collect();
    if !faults.is_empty() {
        return Err(QueryError::whole(format!("condition '{}': {}", condition.name, faults.join("; "))));
    }
    match nrql::parse(&condition.query) {
        Ok(Statement::Select(query)) => Ok(*query),
        Ok(Statement::ShowEventTypes { .. }) => Err(QueryError::whole("a condition's query begins with SELECT or FROM")),
        Err(error) => Err(QueryError::at(error.span, error.to_string())),
    }
}

/// What judges every signal.
struct Judge<'c> {
    condition: &'c Condition,
    settings: &'c Settings,
    windows: Windows,
    expiration: Option<Expiration>,
    end_ms: i64,
}

impl Judge<'_> {
    fn signal(&self, group: u32, facets: Vec<Field>, cells: &[Cell], clock: &Clock, placed: &Placed) -> SignalRun {
        let silences = placed.silences.get(group as usize).filter(|_| self.expiration.is_some());
        let silences = silences.map_or(&[][..], Vec::as_slice);
        let longest = self.condition.terms.iter().map(|term| i64::from(term.duration_s) * SECOND_MS).max().unwrap_or(0);
        let filling = Filling {
            windows: self.windows,
            fill: self.condition.signal.fill,
            memory_ms: MEMORY_MS.max(longest),
            delay_ms: i64::from(self.condition.signal.evaluation_delay_s) * SECOND_MS,
        };
        let cells: Vec<(i64, Option<f64>)> = cells.iter().map(|cell| (cell.end_ms, cell.value)).collect();
        let mut baseline = Baseline::new(self.condition);
        let judged = |mut step: Step| {
            let value = match &mut baseline {
                None => step.point.value,
                Some(baseline) => {
                    step.point.deviation = baseline.take(&mut step.point);
                    step.point.deviation
                }
            };
            (step, value)
        };
        let steps: Vec<(Step, Option<f64>)> = filling.steps(&cells, clock, silences).into_iter().map(judged).collect();
        let desk = Desk::new(self.condition, self.settings.switches);
        let incidents = desk.run(&steps, silences, clock.by_rows(), self.end_ms);
        SignalRun { facets, points: steps.into_iter().map(|(step, _)| step.point).collect(), incidents }
    }
}
