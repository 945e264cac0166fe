//! The query of a condition: the rows that pass it, and a value for each group and window of theirs.
//!
//! In: a query, a range of arrival, and somebody who says in which windows a row counts ([`Place`]). Out: a [`Cell`] for each group
//! and window with rows. What always holds: `FROM`, then `WHERE`, then `SELECT`: a window in which no row passed `WHERE` has no cell,
//! never 0; rows are told in the order they arrived; groups are not limited, and a row without a group is of none; what New Relic
//! does not allow in a condition is refused with its place. When windows begin and are closed is not known here.

use std::rc::Rc;
use std::sync::Arc;

use super::aggregation::{Accumulators, Aggregation, Frame};
use super::cost::Cost;
use super::error::QueryError;
use super::expression::{Batch, Evaluator, Scalars, number_of};
use super::join;
use super::key::Keys;
use super::plan::{self, Ground, Kind, ValuePlan};
use super::relation::{Member, Relation};
use super::result::{Field, ResultRow};
use super::scan::Matched;
use super::settings::Settings;
use super::time::{Context, zone};
use super::value::Value;
use crate::lab::store::hash::QuickMap;
use crate::lab::store::{Segment, Snapshot, TableView};
use crate::nrql::ast::{Query, Selected, Source, Span};
use crate::nrql::template;

/// A row that passed `WHERE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lab) struct Arrival {
    /// When it came, ms since 1970.
    pub(in crate::lab) received_ms: i64,
    /// When it happened, ms since 1970.
    pub(in crate::lab) timestamp_ms: i64,
    /// Its group, numbered by the first row of each. All rows that feed a nested query are of one.
    pub(in crate::lab) group: u32,
    /// Whether it bears the mark that was asked for.
    pub(in crate::lab) marked: bool,
}

/// Says in which windows rows count: pairs of a row's position and the end of a window, ms, in the order of the rows.
pub(in crate::lab) type Place<'p> = &'p mut dyn FnMut(&[Arrival]) -> Vec<(u32, i64)>;

/// What is asked beside the query.
#[derive(Debug, Clone, Copy)]
pub(in crate::lab) struct Asked<'a> {
    /// How long a window is, ms.
    pub(in crate::lab) window_ms: i64,
    /// Rows that arrived at or after the first and before the second, ms since 1970.
    pub(in crate::lab) received_ms: (i64, i64),
    /// A row is marked if one of these attributes has this text.
    pub(in crate::lab) mark: Option<(&'a [&'a str], &'a str)>,
}

/// The value of a group in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::lab) struct Cell {
    /// Position in [`Windowed::groups`].
    pub(in crate::lab) group: u32,
    /// End of the window, ms since 1970.
    pub(in crate::lab) end_ms: i64,
    /// None: rows passed, and what was computed of them is no number.
    pub(in crate::lab) value: Option<f64>,
}

/// All values of a query.
#[derive(Debug, Default)]
pub(in crate::lab) struct Windowed {
    /// What each group is of: the facets, in the order written; of a query without, one group of nothing.
    pub(in crate::lab) groups: Vec<Vec<Field>>,
    /// By group, then by time.
    pub(in crate::lab) cells: Vec<Cell>,
}

/// Whether a query reads another.
pub(in crate::lab) fn is_nested(query: &Query) -> bool {
    query.from.iter().any(|source| matches!(source, Source::Query(_)))
}

/// Runs a condition's query.
pub(in crate::lab) fn run(
    snapshots: &[Snapshot],
    settings: &Settings,
    query: &Query,
    asked: &Asked<'_>,
    place: Place<'_>,
) -> Result<Windowed, QueryError> {
    if let [_, second, ..] = &*query.select {
        return Err(QueryError::at(span(&second.value), "a condition selects one value: make a condition of each"));
    }
    let stream = Stream { snapshots, settings, asked, cost: Rc::new(Cost::new(settings)) };
    let level = stream.level(query, 0, place)?;
    let groups = level.groups.into_iter().map(|values| level.facets.iter().cloned().zip(values).collect()).collect();
    let number = |values: &[Value]| values.first().map(number_of).filter(|number| number.is_finite());
    let cells = level.cells.iter();
    let cells = cells.map(|cell| Cell { group: cell.group, end_ms: cell.end_ms, value: number(&cell.values) }).collect();
    Ok(Windowed { groups, cells })
}

struct Stream<'e> {
    snapshots: &'e [Snapshot],
    settings: &'e Settings,
    asked: &'e Asked<'e>,
    cost: Rc<Cost>,
}

/// What one `SELECT` gives.
struct Level {
    facets: Vec<Arc<str>>,
    items: Vec<Arc<str>>,
    groups: Vec<Vec<Value>>,
    cells: Vec<LevelCell>,
}

struct LevelCell {
    group: u32,
    end_ms: i64,
    values: Vec<Value>,
}

/// Rows of a level that passed its `WHERE` and have a group.
struct Rows<'m, 'b> {
    matched: &'m [Matched<'b>],
    /// Position among `matched`, position in its rows, and group: in the order of arrival.
    order: Vec<(u32, u32, u32)>,
    groups: Vec<Vec<Value>>,
}

impl Stream<'_> {
    fn level(&self, query: &Query, depth: usize, place: Place<'_>) -> Result<Level, QueryError> {
        refuse(query, depth)?;
        let mut context = Context::utc(self.asked.received_ms.1);
        if let Some(name) = &query.timezone {
            let unknown = || QueryError::at(name.span, format!("unknown time zone '{}'", name.text));
            context.zone = zone(&name.text).ok_or_else(unknown)?;
        }
        let scalars = Scalars { context, switches: self.settings.switches };
        let subqueries = |inner: &Query| Err(QueryError::at(inner.span, "a condition has no subquery: write its value"));
        let ground = Ground {
            scalars: &scalars,
            account_id: self.settings.account_id,
            account_attribute: self.settings.account_attribute.as_deref(),
            default_rate_ms: f64::from(self.settings.switches.default_rate_ms),
            subqueries: &subqueries,
            cost: &self.cost,
            rows_default: plan::ROWS_DEFAULT,
        };
        let plan = plan::plan(query, &ground)?;
        let Kind::Values(values) = &plan.kind else {
            let at = query.select.first().map_or(query.span, |item| span(&item.value));
            return Err(QueryError::at(at, "a condition selects an aggregate, such as count(*)"));
        };
        let evaluator = Evaluator::new(scalars.clone()).charged(&self.cost);
        let inner = match &*query.from {
            [Source::Query(inner)] => Some(self.level(inner, depth + 1, &mut *place)?),
            _ => None,
        };
        let mut relation = match &inner {
            Some(inner) => self.table_of(inner),
            None => self.tables(query),
        };
        relation.resolve(&plan.columns);
        let matched = self.passing(&relation, plan.condition.as_ref(), &evaluator, inner.is_some())?;
        let rows = self.grouped(values, &relation, &matched, &evaluator)?;
        let pairs = match &inner {
            None => place(&self.arrivals(&rows, depth > 0)),
            Some(inner) => rows.window_of_each(&inner.cells),
        };
        self.cells(values, (&relation, &evaluator), rows, &pairs)
    }

    /// The tables of all event types, each once.
    fn tables(&self, query: &Query) -> Relation {
        let mut names: Vec<&str> = Vec::new();
        let mut relation = Relation::default();
        for source in &query.from {
            let Source::Type(name) = source else { continue };
            if names.contains(&&*name.text) {
                continue;
            }
            names.push(&name.text);
            let views: Vec<Arc<TableView>> =
                self.snapshots.iter().filter_map(|snapshot| snapshot.table(&name.text)).cloned().collect();
            relation.members.extend(views.into_iter().map(|view| Member { windowed: true, ..Member::whole(view, true) }));
        }
        relation
    }

    /// The cells of an inner query as rows.
    fn table_of(&self, inner: &Level) -> Relation {
        let row = |cell: &LevelCell| {
            let group = inner.groups.get(cell.group as usize).into_iter().flatten();
            ResultRow {
                facets: inner.facets.iter().cloned().zip(group.cloned()).collect(),
                bucket_ms: Some((cell.end_ms - self.asked.window_ms, cell.end_ms)),
                values: inner.items.iter().cloned().zip(cell.values.iter().cloned()).collect(),
                ..ResultRow::default()
            }
        };
        let rows: Vec<ResultRow> = inner.cells.iter().map(row).collect();
        Relation { members: vec![Member::whole(join::table("", &rows, 0), true)] }
    }

    /// The rows that arrived in time and satisfy the condition.
    fn passing<'b>(
        &self,
        relation: &'b Relation,
        condition: Option<&super::expression::Node>,
        evaluator: &Evaluator,
        all: bool,
    ) -> Result<Vec<Matched<'b>>, QueryError> {
        let mut passing = Vec::new();
        for (table, member) in relation.members.iter().enumerate() {
            for segment in member.view.segments() {
                let range = if all { (i64::MIN, i64::MAX) } else { self.asked.received_ms };
                let rows = arrived(segment, range);
                self.cost.look(rows.len())?;
                let batch = Batch { relation, table, segment };
                let rows: Vec<u32> = match condition {
                    Some(condition) if !rows.is_empty() => {
                        let holds = evaluator.select(condition, &batch, &rows);
                        holds.iter().filter_map(|position| rows.get(*position as usize).copied()).collect()
                    }
                    _ => rows,
                };
                self.cost.matched(rows.len());
                self.cost.hold(48 * rows.len() as u64);
                self.cost.check()?;
                passing.push(Matched { batch, rows });
            }
        }
        Ok(passing)
    }

    /// Rows in order of arrival with their groups, which are numbered by their first rows.
    fn grouped<'m, 'b>(
        &self,
        plan: &ValuePlan,
        relation: &Relation,
        matched: &'m [Matched<'b>],
        evaluator: &Evaluator,
    ) -> Result<Rows<'m, 'b>, QueryError> {
        let nodes: Vec<_> = plan.facets.iter().map(|facet| facet.node.clone()).collect();
        let mut keys = (!nodes.is_empty()).then(|| Keys::new(&nodes, relation));
        let keep = evaluator.scalars().switches.facet_keeps_null;
        let mut order: Vec<(u32, u32, u32)> = Vec::with_capacity(matched.iter().map(|matched| matched.rows.len()).sum());
        for (batch, matched) in (0_u32..).zip(matched) {
            let positions = 0..u32::try_from(matched.rows.len()).unwrap_or(u32::MAX);
            match &mut keys {
                None => order.extend(positions.map(|position| (batch, position, 0))),
                Some(keys) => {
                    let numbers = keys.number(evaluator, &matched.batch, &matched.rows, keep);
                    let rows = positions.zip(numbers).map(|(position, number)| (batch, position, number));
                    order.extend(rows.filter(|(.., number)| *number != u32::MAX));
                }
            }
            self.cost.check()?;
        }
        let received = |(batch, position, _): &(u32, u32, u32)| {
            let matched = matched.get(*batch as usize);
            let row = matched.and_then(|matched| matched.rows.get(*position as usize));
            row.zip(matched).and_then(|(row, matched)| matched.batch.segment.received().get(*row as usize).copied())
        };
        if !order.is_sorted_by_key(received) {
            order.sort_by_key(received);
        }
        let Some(keys) = keys else {
            return Ok(Rows { matched, order, groups: vec![Vec::new()] });
        };
        self.cost.hold(keys.held());
        let mut dense: QuickMap<u32, u32> = QuickMap::default();
        let mut groups = Vec::new();
        for (.., number) in &mut order {
            *number = *dense.entry(*number).or_insert_with(|| {
                groups.push(keys.values(*number));
                u32::try_from(groups.len() - 1).unwrap_or(u32::MAX)
            });
        }
        Ok(Rows { matched, order, groups })
    }

    fn arrivals(&self, rows: &Rows<'_, '_>, as_one: bool) -> Vec<Arrival> {
        let marks: Vec<Vec<usize>> = rows.matched.iter().map(|matched| self.mark_columns(&matched.batch)).collect();
        let arrival = |(batch, position, group): &(u32, u32, u32)| {
            let matched = rows.matched.get(*batch as usize)?;
            let row = *matched.rows.get(*position as usize)?;
            let segment = matched.batch.segment;
            let marked = marks.get(*batch as usize).is_some_and(|columns| self.is_marked(&matched.batch, columns, row));
            Some(Arrival {
                received_ms: *segment.received().get(row as usize)?,
                timestamp_ms: *segment.timestamps().get(row as usize)?,
                group: if as_one { 0 } else { *group },
                marked,
            })
        };
        rows.order.iter().filter_map(arrival).collect()
    }

    fn mark_columns(&self, batch: &Batch<'_>) -> Vec<usize> {
        let names = self.asked.mark.iter().flat_map(|(names, _)| names.iter());
        names.filter_map(|name| batch.table().and_then(|member| member.view.position(name))).collect()
    }

    fn is_marked(&self, batch: &Batch<'_>, columns: &[usize], row: u32) -> bool {
        let value = |column: &usize| batch.table().map(|member| member.view.value(batch.segment, *column, row as usize));
        columns.iter().filter_map(value).any(|value| self.asked.mark.is_some_and(|(_, text)| value.as_text() == Some(text)))
    }

    /// The values of every group and window that a pair names.
    fn cells(
        &self,
        plan: &ValuePlan,
        (relation, evaluator): (&Relation, &Evaluator),
        rows: Rows<'_, '_>,
        pairs: &[(u32, i64)],
    ) -> Result<Level, QueryError> {
        let mut slots: QuickMap<(u32, i64), u32> = QuickMap::default();
        let mut cells: Vec<LevelCell> = Vec::new();
        let mut added: Vec<(Vec<u32>, Vec<u32>)> = rows.matched.iter().map(|_| Default::default()).collect();
        self.cost.hold(24 * pairs.len() as u64);
        self.cost.check()?;
        let mut last = None;
        for (arrival, end_ms) in pairs {
            let Some((batch, position, group)) = rows.order.get(*arrival as usize).copied() else { continue };
            let key = (group, *end_ms);
            let slot = match last {
                Some((known, slot)) if known == key => slot,
                _ => *slots.entry(key).or_insert_with(|| {
                    cells.push(LevelCell { group, end_ms: *end_ms, values: Vec::new() });
                    u32::try_from(cells.len() - 1).unwrap_or(u32::MAX)
                }),
            };
            last = Some((key, slot));
            let row = rows.matched.get(batch as usize).and_then(|matched| matched.rows.get(position as usize));
            if let Some((row, (batch_rows, batch_slots))) = row.zip(added.get_mut(batch as usize)) {
                batch_rows.push(*row);
                batch_slots.push(slot);
            }
        }
        let frame = Frame { window: (0, self.asked.window_ms), series: None, limit: 0 };
        let aggregation = Aggregation { plan, relation, evaluator, frame, cost: &self.cost };
        let count = u32::try_from(cells.len()).unwrap_or(u32::MAX);
        let mut accumulators: Accumulators = aggregation.empty(count, pairs.len(), |_| true)?;
        for (matched, (batch_rows, batch_slots)) in rows.matched.iter().zip(&added) {
            if !batch_rows.is_empty() {
                aggregation.add(&mut accumulators, &matched.batch, batch_rows, batch_slots);
            }
            self.cost.check()?;
        }
        for (slot, cell) in (0_u32..).zip(&mut cells) {
            let edges = (cell.end_ms - self.asked.window_ms, cell.end_ms);
            let items = plan.items.iter();
            cell.values = items.map(|item| aggregation.value(&item.node, &accumulators, slot, edges)).collect();
        }
        cells.sort_by_key(|cell| (cell.group, cell.end_ms));
        Ok(Level {
            facets: plan.facets.iter().map(|facet| Arc::clone(&facet.name)).collect(),
            items: plan.items.iter().map(|item| Arc::clone(&item.name)).collect(),
            groups: rows.groups,
            cells,
        })
    }
}

impl Rows<'_, '_> {
    /// Rows that an inner query made belong to the window they were made for.
    fn window_of_each(&self, cells: &[LevelCell]) -> Vec<(u32, i64)> {
        let sizes = self.matched.iter().map(|matched| matched.batch.segment.rows());
        let begins: Vec<usize> = sizes
            .scan(0, |begin, size| {
                let own = *begin;
                *begin += size;
                Some(own)
            })
            .collect();
        let end = |(batch, position, _): &(u32, u32, u32)| {
            let matched = self.matched.get(*batch as usize)?;
            let row = *matched.rows.get(*position as usize)? as usize;
            cells.get(begins.get(*batch as usize)? + row).map(|cell| cell.end_ms)
        };
        (0_u32..).zip(&self.order).filter_map(|(arrival, row)| Some((arrival, end(row)?))).collect()
    }
}

fn span(selected: &Selected) -> Span {
    match selected {
        Selected::All(span) => *span,
        Selected::Value(value) => value.span,
    }
}

/// The rows of a segment that arrived in a range.
fn arrived(segment: &Segment, (begin_ms, end_ms): (i64, i64)) -> Vec<u32> {
    let received = segment.received();
    let all = 0..u32::try_from(segment.rows()).unwrap_or(u32::MAX);
    let first = received.iter().min().is_some_and(|ms| *ms >= begin_ms);
    if first && received.iter().max().is_some_and(|ms| *ms < end_ms) {
        return all.collect();
    }
    all.zip(received).filter(|(_, ms)| (begin_ms..end_ms).contains(*ms)).map(|(row, _)| row).collect()
}

/// What a condition may not hold. New Relic's page on NRQL alert conditions. `SINCE` and `UNTIL` of the whole are not applicable: they
/// are passed over, as where New Relic makes a condition of a chart.
fn refuse(query: &Query, depth: usize) -> Result<(), QueryError> {
    if let Some((name, needed)) = template::unfilled(query) {
        return Err(QueryError::at(name.span, format!("the variable {{{{{}}}}} has no value: {needed} needed", name.text)));
    }
    let first_join = query.joins.first().map(|join| join.key.span);
    let lookup = query.from.iter().find_map(|source| match source {
        Source::Lookup(name) => Some(name.span),
        _ => None,
    });
    let survivors = query.facet.as_ref().and_then(|facet| facet.order_by.as_ref()).map(|order| order.value.span);
    let whole = |stands: bool| stands.then_some(query.span);
    let clauses: [(Option<Span>, &str); 9] = [
        (first_join, "JOIN does not stand in a condition"),
        (lookup, "lookup() does not stand in a condition"),
        (survivors, "FACET … ORDER BY does not stand in a condition: all groups are evaluated"),
        (whole(query.compare.is_some()), "COMPARE WITH does not stand in a condition: a baseline condition compares"),
        (whole(query.timeseries.is_some()), "TIMESERIES does not stand in a condition: aggregationWindow and slideBy say it"),
        (whole(query.limit.is_some()), "LIMIT does not stand in a condition: all groups are evaluated"),
        (whole(query.predict.is_some()), "PREDICT does not stand in a condition's query"),
        (whole(depth > 0 && (query.since.is_some() || query.until.is_some())), "SINCE and UNTIL do not stand in a nested query"),
        (whole(depth > 0 && query.facet.is_none()), "the inner query of a condition needs FACET"),
    ];
    if let Some((span, message)) = clauses.into_iter().find_map(|(span, message)| Some((span?, message))) {
        return Err(QueryError::at(span, message));
    }
    if is_nested(query) && query.from.len() > 1 {
        return Err(QueryError::at(query.span, "a condition reads either one nested query or event types"));
    }
    for item in &query.select {
        let Selected::Value(value) = &item.value else { continue };
        if let Some(name) = ["histogram", "bytecountestimate", "cardinality"].iter().find(|name| plan::calls(value, name)) {
            return Err(QueryError::at(value.span, format!("{name}() does not stand in a condition")));
        }
    }
    Ok(())
}
