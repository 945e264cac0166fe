//! Aggregate queries: rows in, a row for each group and bucket out.
//!
//! In: a plan and the matching rows. Out: result rows. What always holds: every row is added to the slot of its group and bucket
//! once (with `SLIDE BY`, once for each bucket that holds it); groups are chosen before buckets are filled, so that memory grows
//! with what is shown; the total is the sum of all slots, never a second reading.

use super::aggregate::{Accumulator, Input};
use super::cost::Cost;
use super::error::QueryError;
use super::expression::{Batch, Evaluator, Node, Row, value};
use super::group::Groups;
use super::key::Keys;
use super::plan::ValuePlan;
use super::relation::Relation;
use super::result::ResultRow;
use super::scan::Matched;
use super::settings::FacetOrder;
use super::time::Series;
use super::value::Value;

/// What a query asks beside its plan.
pub(super) struct Frame {
    /// The window, ms: under `TIMESERIES` that of its buckets.
    pub(super) window: (i64, i64),
    pub(super) series: Option<Series>,
    pub(super) limit: usize,
}

impl Frame {
    /// Buckets in a group.
    fn buckets(&self) -> u32 {
        self.series.map_or(1, |series| u32::try_from(series.count).unwrap_or(1))
    }

    fn edges(&self, bucket: u32) -> (i64, i64) {
        self.series.map_or(self.window, |series| series.edges(i64::from(bucket)))
    }
}

/// The rows of an answer.
#[derive(Debug, Default)]
pub(super) struct Aggregated {
    pub(super) results: Vec<ResultRow>,
    pub(super) total: Vec<ResultRow>,
    pub(super) other: Vec<ResultRow>,
}

/// Matching rows with the numbers of their groups.
struct Numbered<'m, 'b> {
    matched: &'m Matched<'b>,
    numbers: Vec<u32>,
}

/// One of each aggregate of a plan; none where it is not wanted.
pub(super) type Accumulators = Vec<Option<Box<dyn Accumulator>>>;

/// Computes a plan over one window.
pub(super) struct Aggregation<'p> {
    pub(super) plan: &'p ValuePlan,
    pub(super) relation: &'p Relation,
    pub(super) evaluator: &'p Evaluator,
    pub(super) frame: Frame,
    pub(super) cost: &'p Cost,
}

impl Aggregation<'_> {
    /// The rows of the answer. `given` are groups that were chosen before.
    pub(super) fn run(&self, matched: &[Matched<'_>], given: Option<&[Vec<Value>]>) -> Result<Aggregated, QueryError> {
        let mut keys = (!self.plan.facets.is_empty())
            .then(|| Keys::new(&self.plan.facets.iter().map(|facet| facet.node.clone()).collect::<Vec<_>>(), self.relation));
        let rows: usize = matched.iter().map(|matched| matched.rows.len()).sum();
        let mut numbered: Vec<Numbered<'_, '_>> = Vec::with_capacity(matched.len());
        let mut held = 0;
        for matched in matched {
            let keep = self.evaluator.scalars().switches.facet_keeps_null;
            let numbers = keys.as_mut().map(|keys| keys.number(self.evaluator, &matched.batch, &matched.rows, keep));
            numbered.push(Numbered { matched, numbers: numbers.unwrap_or_default() });
            let now = keys.as_ref().map_or(0, Keys::held);
            self.cost.hold(now - held);
            held = now;
            self.cost.check()?;
        }
        let Some(keys) = keys else {
            let accumulators = self.fill(&numbered, None, self.empty(self.frame.buckets(), rows, |_| true)?)?;
            let results = (0..self.frame.buckets()).map(|bucket| self.row(&accumulators, bucket, bucket, Vec::new())).collect();
            return Ok(Aggregated { results, ..Aggregated::default() });
        };
        let numbers = numbered.iter().flat_map(|rows| &rows.numbers).filter(|number| **number != u32::MAX).max();
        let numbers = numbers.map_or(0, |number| *number as usize + 1);
        let (groups, ranking) = if let Some(shown) = given {
            (Groups::given(shown, &keys, numbers), None)
        } else {
            let (groups, ranking) = self.choose(&numbered, &keys, numbers, rows)?;
            (groups, Some(ranking))
        };
        self.shown(&numbered, &groups, ranking, (numbers, rows))
    }

    /// Fills the slots of the groups that are shown and makes their rows.
    fn shown(
        &self,
        numbered: &[Numbered<'_, '_>],
        groups: &Groups,
        ranking: Option<Accumulators>,
        (numbers, rows): (usize, usize),
    ) -> Result<Aggregated, QueryError> {
        let (shown, buckets) = (groups.len(), self.frame.buckets());
        let slots = (shown + 2) * buckets;
        let mut accumulators: Accumulators = match (self.frame.series, ranking) {
            // Without buckets what ranked the groups is their value: it only moves to where they are shown.
            (None, Some(ranking)) => {
                let numbers = u32::try_from(numbers).unwrap_or(u32::MAX);
                let to: Vec<u32> = (0..numbers).map(|number| groups.place(number)).chain([shown + 1]).collect();
                let moved = ranking.into_iter().map(|ranked| ranked.map(|ranked| ranked.regroup(&to, slots as usize)));
                moved.collect()
            }
            _ => self.plan.aggregates.iter().map(|_| None).collect(),
        };
        self.cost.check()?;
        let missing = self.empty(slots, rows, |index| accumulators.get(index).is_some_and(Option::is_none))?;
        let filled = self.fill(numbered, Some(groups), missing)?;
        for (place, filled) in accumulators.iter_mut().zip(filled) {
            if filled.is_some() {
                *place = filled;
            }
        }
        let names = self.plan.facets.iter().map(|facet| &facet.name);
        let mut results = Vec::with_capacity(groups.shown.len() * buckets as usize);
        for (group, values) in (0_u32..).zip(&groups.shown) {
            for bucket in 0..buckets {
                let facets = names.clone().cloned().zip(values.iter().cloned()).collect();
                let row = self.row(&accumulators, group * buckets + bucket, bucket, facets);
                self.cost.hold(96 + 40 * (row.facets.len() + row.values.len()) as u64);
                results.push(row);
            }
            self.cost.check()?;
        }
        let other = (0..buckets).map(|bucket| self.row(&accumulators, shown * buckets + bucket, bucket, Vec::new())).collect();
        let to: Vec<u32> = (0..slots).map(|slot| slot % buckets).collect();
        self.cost.check()?;
        let total: Accumulators =
            accumulators.iter().map(|each| each.as_ref().map(|each| each.regroup(&to, buckets as usize))).collect();
        let total = (0..buckets).map(|bucket| self.row(&total, bucket, bucket, Vec::new())).collect();
        Ok(Aggregated { results, total, other })
    }

    /// Ranks all groups over the whole window.
    fn choose(
        &self,
        numbered: &[Numbered<'_, '_>],
        keys: &Keys,
        numbers: usize,
        all_rows: usize,
    ) -> Result<(Groups, Accumulators), QueryError> {
        let first = self.plan.items.first();
        let ranks = |index: usize| {
            let reads = |node: &Node| node.any(&|node| matches!(node, Node::Aggregate { index: read, .. } if *read == index));
            first.is_some_and(|item| reads(&item.node)) || self.plan.survivors.as_ref().is_some_and(reads)
        };
        let slots = u32::try_from(numbers + 1).map_err(|_| QueryError::whole("too many groups"))?;
        let mut accumulators = self.empty(slots, all_rows, ranks)?;
        self.cost.hold(16 * u64::from(slots));
        let mut held = 0;
        let mut rows = vec![0_u64; numbers];
        for Numbered { matched, numbers: of_rows } in numbered {
            // Rows without a group are counted together, after all groups.
            let places: Vec<u32> = of_rows.iter().map(|number| if *number == u32::MAX { slots - 1 } else { *number }).collect();
            for place in &places {
                if let Some(count) = rows.get_mut(*place as usize) {
                    *count += 1;
                }
            }
            self.add(&mut accumulators, &matched.batch, &matched.rows, &places);
            self.charge(&accumulators, &mut held)?;
        }
        let needed = first.and_then(|item| self.needed(&item.node));
        let exists = |number: &u32| {
            let value = needed.and_then(|index| accumulators.get(index)).and_then(Option::as_ref);
            rows.get(*number as usize).is_some_and(|rows| *rows > 0) && value.is_none_or(|value| value.has(*number as usize))
        };
        let candidates: Vec<u32> = (0..slots - 1).filter(exists).collect();
        let of = |node: Option<&Node>, number: u32| {
            node.map_or(Value::Null, |node| self.value(node, &accumulators, number, self.frame.window))
        };
        let documented = self.evaluator.scalars().switches.facet_order == FacetOrder::Documented;
        let by_rows = first.is_some_and(|item| self.is_list(&item.node))
            || documented && !first.is_some_and(|item| self.orders(&item.node));
        let rank = |number: u32| {
            if by_rows {
                Value::Number(rows.get(number as usize).copied().unwrap_or(0) as f64)
            } else {
                of(first.map(|item| &item.node), number)
            }
        };
        let survival = |number: u32| of(self.plan.survivors.as_ref(), number);
        let survival: Option<&dyn Fn(u32) -> Value> = self.plan.survivors.as_ref().map(|_| &survival as &dyn Fn(u32) -> Value);
        let groups = Groups::chosen(candidates, self.frame.limit, keys, rank, survival);
        self.cost.check()?;
        Ok((groups, accumulators))
    }

    /// The aggregate whose value a group must have to exist: the first item's, if it is one of an attribute.
    fn needed(&self, node: &Node) -> Option<usize> {
        let Node::Aggregate { index, .. } = node else { return None };
        self.plan.aggregates.get(*index).filter(|it| it.filter.is_none() && it.function.needs_value()).map(|_| *index)
    }

    /// A list is neither great nor small: groups go by their rows then.
    fn is_list(&self, node: &Node) -> bool {
        let Node::Aggregate { index, .. } = node else { return false };
        self.plan.aggregates.get(*index).is_some_and(|aggregate| aggregate.function.is_list())
    }

    fn orders(&self, node: &Node) -> bool {
        let Node::Aggregate { index, .. } = node else { return false };
        self.plan.aggregates.get(*index).is_some_and(|aggregate| aggregate.function.orders_facets())
    }

    /// Accumulators with nothing in them, for the aggregates that are wanted, which `rows` rows will be added to.
    pub(super) fn empty(&self, slots: u32, rows: usize, wanted: impl Fn(usize) -> bool) -> Result<Accumulators, QueryError> {
        let wanted_ones = self.plan.aggregates.iter().enumerate().filter(|(index, _)| wanted(*index));
        for (_, aggregate) in wanted_ones {
            self.cost.hold(aggregate.function.bytes(u64::from(slots), rows as u64));
            self.cost.check()?;
        }
        let start = |(index, aggregate): (usize, &super::aggregate::Aggregate)| {
            wanted(index).then(|| aggregate.function.start(slots as usize, self.relation, self.evaluator.scalars().switches))
        };
        Ok(self.plan.aggregates.iter().enumerate().map(start).collect())
    }

    /// Adds all rows, each to the slot of its group and bucket.
    fn fill(
        &self,
        numbered: &[Numbered<'_, '_>],
        groups: Option<&Groups>,
        mut accumulators: Accumulators,
    ) -> Result<Accumulators, QueryError> {
        if accumulators.iter().all(Option::is_none) {
            return Ok(accumulators);
        }
        let mut held = 0;
        let buckets = self.frame.buckets();
        for Numbered { matched, numbers } in numbered {
            let group = |at: usize| groups.map_or(0, |groups| groups.place(numbers.get(at).copied().unwrap_or(u32::MAX)));
            match self.frame.series {
                None => {
                    let slots: Vec<u32> = (0..matched.rows.len()).map(group).collect();
                    self.add(&mut accumulators, &matched.batch, &matched.rows, &slots);
                }
                Some(series) => {
                    // A row stands once for each bucket that holds it: some rows at a time, so that they do not fill the memory.
                    let most = usize::try_from(series.overlap()).map_or(1, |overlap| (REPEATED_ROWS / overlap).max(1));
                    for (part, rows) in matched.rows.chunks(most).enumerate() {
                        let group = |at: usize| group(part * most + at);
                        let (rows, slots) = bucketed(&matched.batch, rows, &series, buckets, group);
                        self.add(&mut accumulators, &matched.batch, &rows, &slots);
                        self.cost.check()?;
                    }
                }
            }
            self.charge(&accumulators, &mut held)?;
        }
        Ok(accumulators)
    }

    /// What accumulators hold beyond `held`, which they held before.
    fn charge(&self, accumulators: &Accumulators, held: &mut u64) -> Result<(), QueryError> {
        let now: u64 = accumulators.iter().flatten().map(|accumulator| accumulator.held()).sum();
        self.cost.hold(now.saturating_sub(*held));
        *held = now;
        self.cost.check()
    }

    /// Adds rows to every accumulator whose condition they satisfy.
    pub(super) fn add(&self, accumulators: &mut Accumulators, batch: &Batch<'_>, rows: &[u32], slots: &[u32]) {
        let evaluator = self.evaluator;
        for (accumulator, aggregate) in accumulators.iter_mut().zip(&self.plan.aggregates) {
            let Some(accumulator) = accumulator else { continue };
            if self.cost.check().is_err() {
                return;
            }
            match &aggregate.filter {
                None => accumulator.add(&Input { evaluator, batch, rows, slots }),
                Some(filter) => {
                    let holds = evaluator.select(filter, batch, rows);
                    let at = |from: &[u32]| -> Vec<u32> {
                        holds.iter().filter_map(|position| from.get(*position as usize).copied()).collect()
                    };
                    accumulator.add(&Input { evaluator, batch, rows: &at(rows), slots: &at(slots) });
                }
            }
        }
    }

    /// The result row of a slot.
    fn row(&self, accumulators: &Accumulators, slot: u32, bucket: u32, facets: Vec<super::result::Field>) -> ResultRow {
        let edges = self.frame.edges(bucket);
        let mut values = Vec::with_capacity(self.plan.items.len());
        for item in &self.plan.items {
            match self.value(&item.node, accumulators, slot, edges) {
                Value::Object(fields) if item.spread => values.extend(fields.iter().cloned()),
                value => values.push((std::sync::Arc::clone(&item.name), value)),
            }
        }
        ResultRow { facets, bucket_ms: self.frame.series.map(|_| edges), values, ..ResultRow::default() }
    }

    /// The value of an expression in a slot, whose window has these edges, ms.
    pub(super) fn value(&self, node: &Node, accumulators: &Accumulators, slot: u32, edges: (i64, i64)) -> Value {
        value(self.evaluator.scalars(), node, &Slot { accumulators, at: slot as usize, edges })
    }
}

/// Most rows that are repeated at once, for the buckets that hold them.
const REPEATED_ROWS: usize = 1 << 20;

/// Every row once for each bucket that holds it, and the slots.
fn bucketed(
    batch: &Batch<'_>,
    chosen: &[u32],
    series: &Series,
    buckets: u32,
    group: impl Fn(usize) -> u32,
) -> (Vec<u32>, Vec<u32>) {
    let times = batch.segment.timestamps();
    let follows = batch.table().is_some_and(|member| member.follows);
    let mut rows = Vec::with_capacity(chosen.len());
    let mut slots = Vec::with_capacity(chosen.len());
    for (at, row) in chosen.iter().enumerate() {
        let Some(ms) = times.get(*row as usize) else { continue };
        let held_by = if follows { series.begins(*ms) } else { series.buckets(*ms) };
        for bucket in held_by {
            rows.push(*row);
            slots.push(group(at) * buckets + u32::try_from(bucket).unwrap_or(0));
        }
    }
    (rows, slots)
}

/// One slot as a row: only aggregates and the window can be read.
struct Slot<'s> {
    accumulators: &'s Accumulators,
    at: usize,
    edges: (i64, i64),
}

impl Row for Slot<'_> {
    fn column(&self, _: usize) -> Value {
        Value::Null
    }

    fn timestamp(&self) -> Value {
        Value::Null
    }

    fn event_type(&self) -> Value {
        Value::Null
    }

    fn aggregate(&self, index: usize) -> Value {
        let accumulator = self.accumulators.get(index).and_then(Option::as_ref);
        accumulator.map_or(Value::Null, |accumulator| accumulator.value(self.at, self.edges.1))
    }

    fn window(&self) -> (f64, f64) {
        (self.edges.1 as f64, (self.edges.1 - self.edges.0) as f64)
    }
}
