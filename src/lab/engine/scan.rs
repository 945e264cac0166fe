//! Which rows a query is about.
//!
//! In: a relation, a window, a condition. Out: the matching rows of every segment, in order of arrival. What always holds: a segment
//! that lies outside the window is not looked at; rows past their retention are as good as gone.

use std::cell::Cell;

use super::error::QueryError;
use super::expression::{Batch, Evaluator, Node};
use super::relation::Relation;
use super::settings::Settings;

/// The matching rows of one segment.
pub(super) struct Matched<'b> {
    pub(super) batch: Batch<'b>,
    pub(super) rows: Vec<u32>,
}

/// Rows looked at so far, by all parts of a query.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) inspected: Cell<u64>,
    pub(super) matched: Cell<u64>,
}

/// Adds to a count.
fn add(count: &Cell<u64>, more: usize) {
    count.set(count.get() + u64::try_from(more).unwrap_or(u64::MAX));
}

/// The rows at or after `begin_ms` and before `end_ms` that satisfy the condition.
pub(super) fn scan<'b>(
    relation: &'b Relation,
    (begin_ms, end_ms): (i64, i64),
    condition: Option<&Node>,
    evaluator: &Evaluator,
    settings: &Settings,
    counters: &Counters,
) -> Result<Vec<Matched<'b>>, QueryError> {
    let mut all = Vec::new();
    for (table, member) in relation.members.iter().enumerate() {
        let (begin, end) = if member.windowed { (begin_ms.max(member.visible_from_ms), end_ms) } else { (i64::MIN, i64::MAX) };
        for segment in member.view.segments() {
            if settings.stop.as_ref().is_some_and(super::settings::Stop::now) {
                return Err(QueryError::whole("the query was stopped: it took longer than allowed"));
            }
            if segment.first_ms() >= end || segment.last_ms() < begin {
                continue;
            }
            let rows = rows_between(segment, begin, end);
            add(&counters.inspected, rows.len());
            if settings.row_budget.is_some_and(|budget| counters.inspected.get() > budget) {
                let budget = settings.row_budget.unwrap_or_default();
                return Err(QueryError::whole(format!(
                    "the query looks at more than the {budget} rows allowed: narrow its window"
                )));
            }
            let batch = Batch { relation, table, segment };
            let rows = match condition {
                None => rows,
                Some(condition) => {
                    let holds = evaluator.select(condition, &batch, &rows);
                    holds.iter().filter_map(|position| rows.get(*position as usize).copied()).collect()
                }
            };
            add(&counters.matched, rows.len());
            if !rows.is_empty() {
                all.push(Matched { batch, rows });
            }
        }
    }
    Ok(all)
}

fn rows_between(segment: &crate::lab::store::Segment, begin_ms: i64, end_ms: i64) -> Vec<u32> {
    let all = 0..u32::try_from(segment.rows()).unwrap_or(u32::MAX);
    if segment.first_ms() >= begin_ms && segment.last_ms() < end_ms {
        return all.collect();
    }
    let times = all.zip(segment.timestamps());
    times.filter(|(_, ms)| (begin_ms..end_ms).contains(ms)).map(|(row, _)| row).collect()
}
