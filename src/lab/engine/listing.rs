//! Queries of rows: which rows are shown, and what of them.
//!
//! In: a plan and the matching rows. Out: result rows. What always holds: without `ORDER BY` the newest row comes first, of rows of
//! one time the one that arrived last; memory grows with `LIMIT`, not with the rows, unless `ORDER BY` is given.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::cost::Cost;
use super::error::QueryError;
use super::expression::{Batch, Evaluator};
use super::plan::RowPlan;
use super::result::{Field, ResultRow};
use super::scan::Matched;
use super::value::{Value, order};

/// The rows of a plan.
pub(super) fn list(
    plan: &RowPlan,
    limit: usize,
    matched: &[Matched<'_>],
    evaluator: &Evaluator,
    cost: &Cost,
) -> Result<Vec<ResultRow>, QueryError> {
    let most = plan.offset.saturating_add(limit);
    let rows: usize = matched.iter().map(|matched| matched.rows.len()).sum();
    let held = if plan.order.is_empty() { 24 * rows.min(most) } else { (64 + 24 * plan.order.len()) * rows };
    cost.hold(held as u64);
    cost.check()?;
    let chosen = if plan.order.is_empty() { newest(most, matched, cost) } else { ordered(plan, most, matched, evaluator) };
    cost.check()?;
    let shown = chosen.into_iter().skip(plan.offset);
    let shown = shown.filter_map(|(at, row)| matched.get(at).map(|matched| (&matched.batch, row)));
    let mut results = Vec::new();
    for (batch, row) in shown {
        let result = result(plan, batch, row, evaluator);
        cost.hold(64 + 40 * result.values.len() as u64);
        results.push(result);
        cost.check()?;
    }
    Ok(results)
}

/// Positions of the newest rows, newest first.
fn newest(most: usize, matched: &[Matched<'_>], cost: &Cost) -> Vec<(usize, u32)> {
    let mut best: BinaryHeap<Reverse<(i64, usize, u32)>> = BinaryHeap::new();
    // What arrived last is newest in most stores: from behind, few rows ever replace another.
    for (at, Matched { batch, rows }) in matched.iter().enumerate().rev() {
        let oldest = best.peek().map_or(i64::MIN, |oldest| oldest.0.0);
        if best.len() >= most && batch.segment.last_ms() < oldest {
            continue;
        }
        if cost.check().is_err() {
            break;
        }
        for row in rows.iter().rev() {
            let Some(ms) = batch.segment.timestamps().get(*row as usize) else { continue };
            if best.len() < most {
                best.push(Reverse((*ms, at, *row)));
            } else if let Some(mut oldest) = best.peek_mut()
                && (*ms, at, *row) > oldest.0
            {
                *oldest = Reverse((*ms, at, *row));
            }
        }
    }
    best.into_sorted_vec().into_iter().map(|Reverse((_, at, row))| (at, row)).collect()
}

/// Positions of the first rows in the order of `ORDER BY`; what has no value comes last; equals stand newest first.
fn ordered(plan: &RowPlan, most: usize, matched: &[Matched<'_>], evaluator: &Evaluator) -> Vec<(usize, u32)> {
    let mut all: Vec<(Vec<Value>, i64, usize, u32)> = Vec::new();
    for (at, Matched { batch, rows }) in matched.iter().enumerate() {
        let vectors: Vec<_> = plan.order.iter().map(|(node, _)| evaluator.vector(node, batch, rows)).collect();
        for row in rows {
            let values = vectors.iter().map(|vector| vector.value(*row)).collect();
            let ms = batch.segment.timestamps().get(*row as usize).copied().unwrap_or(i64::MIN);
            all.push((values, ms, at, *row));
        }
    }
    all.sort_by(|one, two| {
        let by = one.0.iter().zip(&two.0).zip(&plan.order).map(|((one, two), (_, descending))| {
            let missing = one.is_null().cmp(&two.is_null());
            missing.then_with(|| if *descending { order(two, one) } else { order(one, two) })
        });
        by.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
            .then_with(|| (two.1, two.2, two.3).cmp(&(one.1, one.2, one.3)))
    });
    all.truncate(most);
    all.into_iter().map(|(_, _, at, row)| (at, row)).collect()
}

fn result(plan: &RowPlan, batch: &Batch<'_>, row: u32, evaluator: &Evaluator) -> ResultRow {
    let member = batch.table();
    let mut values: Vec<Field> = Vec::new();
    for item in &plan.items {
        values.push((Arc::clone(&item.name), evaluator.value(&item.node, batch, row)));
    }
    if plan.all
        && let Some(member) = member
    {
        let mut every: Vec<Field> = Vec::new();
        for (position, column) in member.view.columns().iter().enumerate() {
            let value = member.view.value(batch.segment, position, row as usize);
            if !value.is_null() {
                every.push((Arc::clone(&column.name), value));
            }
        }
        every.sort_by(|one, two| one.0.cmp(&two.0));
        values.extend(every);
    }
    let timed = member.is_some_and(|member| member.timed) && plan.items.iter().all(|item| &*item.name != "timestamp");
    let timestamp_ms = batch.segment.timestamps().get(row as usize).copied().filter(|_| timed);
    ResultRow { timestamp_ms, values, ..ResultRow::default() }
}
