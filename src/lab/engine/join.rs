//! `JOIN`: rows of the left side, each with the row of the right side that has its key.
//!
//! In: a relation, the rows of the right side, the columns the query reads. Out: another relation that holds those columns, all of them
//! if the query reads whole rows.
//! What always holds: keys are equal as they are, without conversion; a row without a partner is dropped, or kept under `LEFT`; at
//! most [`PARTNERS_MAX`] rows of the right side have one key; a column of the right side hides one of the left.

use std::sync::Arc;

use super::cost::Cost;
use super::error::QueryError;
use super::expression::{Evaluator, Node};
use super::relation::{Member, Relation, TIMESTAMP};
use super::result::ResultRow;
use super::scan::Matched;
use super::time::whole;
use super::value::{Key, Value};
use crate::lab::store::TableView;
use crate::lab::store::hash::QuickMap;

/// Most rows of the right side with one key. New Relic's page on joins.
const PARTNERS_MAX: usize = 100;

/// What is joined.
pub(super) struct Sides<'j> {
    pub(super) left: &'j [Matched<'j>],
    pub(super) key: &'j Node,
    pub(super) right: &'j [ResultRow],
    /// What the right side has, whether or not there are rows.
    pub(super) names: &'j [Arc<str>],
    /// Name of the key on the right.
    pub(super) column: &'j str,
    /// The key has that name on the left too.
    pub(super) same_name: bool,
    /// Rows of the left side without a partner stay.
    pub(super) keep: bool,
}

/// The joined rows, with the columns of these names.
pub(super) fn join(
    sides: &Sides<'_>,
    relation: &Relation,
    names: &[String],
    evaluator: &Evaluator,
    cost: &Cost,
) -> Result<Relation, QueryError> {
    let mut partners: QuickMap<Key, Vec<usize>> = QuickMap::default();
    let rows: Vec<Vec<super::result::Field>> = sides.right.iter().map(named).collect();
    for (at, row) in rows.iter().enumerate() {
        let key = row.iter().find(|(name, _)| &**name == sides.column).map(|(_, value)| value.clone());
        if let Some(key) = key.filter(|key| !key.is_null()) {
            let known = partners.entry(Key(key)).or_default();
            if known.len() < PARTNERS_MAX {
                known.push(at);
            }
        }
    }
    // A key of one name on both sides is the left side's: it is there without a partner too.
    let shared = |name: &str| name == sides.column && sides.same_name;
    let is_right = |name: &String| !shared(name) && sides.names.iter().any(|right| **right == **name);
    let of_right: Vec<bool> = names.iter().map(is_right).collect();
    let row_bytes = 32 + 16 * names.len() as u64;
    let mut joined = Relation::default();
    for (table, member) in relation.members.iter().enumerate() {
        let view = TableView::build(member.view.name(), |pen| {
            for matched in sides.left.iter().filter(|matched| matched.batch.table == table) {
                let keys = evaluator.vector(sides.key, &matched.batch, &matched.rows);
                for row in &matched.rows {
                    let ms = matched.batch.segment.timestamps().get(*row as usize).copied().unwrap_or_default();
                    let found = partners.get(&Key(keys.value(*row)));
                    let own_time = matched.batch.own_timestamp().map(|_| evaluator.value(&Node::Timestamp, &matched.batch, *row));
                    let mut write = |right: Option<&Vec<super::result::Field>>| {
                        if !cost.hold(row_bytes) || !cost.step() {
                            return;
                        }
                        pen.begin(ms, ms);
                        if let Some(time) = &own_time {
                            pen.plain(TIMESTAMP, time);
                        }
                        for (column, (name, of_right)) in names.iter().zip(&of_right).enumerate() {
                            let value = if *of_right {
                                right
                                    .and_then(|row| row.iter().find(|(right, _)| **right == **name))
                                    .map(|(_, value)| value.clone())
                            } else {
                                Some(matched.batch.value(column, *row))
                            };
                            pen.plain(name, &value.unwrap_or(Value::Null));
                        }
                    };
                    match found {
                        Some(found) => found.iter().for_each(|at| write(rows.get(*at))),
                        None if sides.keep => write(None),
                        None => {}
                    }
                }
            }
        });
        joined.members.push(Member { follows: member.follows, ..Member::whole(view, member.timed) });
        cost.check()?;
    }
    joined.resolve(names);
    Ok(joined)
}

/// What a row of a result has, for another query to read: its facets, its times, its values.
fn named(row: &ResultRow) -> Vec<super::result::Field> {
    let mut fields: Vec<super::result::Field> = row.facets.clone();
    if let Some((begin, end)) = row.bucket_ms {
        fields.push(("beginTimeSeconds".into(), Value::Number(begin as f64 / 1_000.0)));
        fields.push(("endTimeSeconds".into(), Value::Number(end as f64 / 1_000.0)));
    }
    fields.extend(row.values.iter().cloned());
    fields
}

/// Rows of a result as a table. Those without a time get `at_ms`.
pub(super) fn table(name: &str, rows: &[ResultRow], at_ms: i64) -> Arc<TableView> {
    TableView::build(name, |pen| {
        for row in rows {
            // A query of rows that selects `timestamp` has its rows' times there.
            let selected = || row.values.iter().find(|(name, _)| &**name == TIMESTAMP).and_then(|(_, value)| value.as_number());
            let ms = row.timestamp_ms.or(row.bucket_ms.map(|(begin, _)| begin)).or_else(|| selected().and_then(whole));
            let ms = ms.unwrap_or(at_ms);
            pen.begin(ms, ms);
            for (name, value) in named(row) {
                pen.plain(&name, &value);
            }
        }
    })
}
