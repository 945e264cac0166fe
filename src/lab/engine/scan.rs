//! Which rows a query is about.
//!
//! In: a relation, a window, a condition. Out: the matching rows of every segment, in order of arrival. What always holds: a segment
//! that lies outside the window is not looked at; rows past their retention are as good as gone.

use std::sync::Arc;

use super::cost::Cost;
use super::error::QueryError;
use super::expression::{Batch, Evaluator, Node};
use super::relation::Relation;

/// The matching rows of one segment.
pub(super) struct Matched<'b> {
    pub(super) batch: Batch<'b>,
    pub(super) rows: Vec<u32>,
}

/// The rows at or after `begin_ms` and before `end_ms` that satisfy the condition.
pub(super) fn scan<'b>(
    relation: &'b Relation,
    (begin_ms, end_ms): (i64, i64),
    condition: Option<&Node>,
    evaluator: &Evaluator,
    cost: &Cost,
) -> Result<Vec<Matched<'b>>, QueryError> {
    let mut all = Vec::new();
    for (table, member) in relation.members.iter().enumerate() {
        let (asked, end) = if member.windowed { (begin_ms, end_ms) } else { (i64::MIN, i64::MAX) };
        let begin = asked.max(member.visible_from_ms);
        for segment in member.view.segments() {
            cost.check()?;
            if segment.first_ms() >= end || segment.last_ms() < asked {
                continue;
            }
            if begin > asked && !rows_between(segment, asked, begin.min(end)).is_empty() {
                cost.hidden.borrow_mut().insert(Arc::clone(member.view.name()));
            }
            let rows = rows_between(segment, begin, end);
            cost.look(rows.len())?;
            let batch = Batch { relation, table, segment };
            let rows = match condition {
                None => rows,
                Some(condition) => {
                    let holds = evaluator.select(condition, &batch, &rows);
                    holds.iter().filter_map(|position| rows.get(*position as usize).copied()).collect()
                }
            };
            cost.matched(rows.len());
            // Each row's position, and later the number of its group.
            cost.hold(8 * rows.len() as u64);
            if !rows.is_empty() {
                all.push(Matched { batch, rows });
            }
        }
    }
    cost.check()?;
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
