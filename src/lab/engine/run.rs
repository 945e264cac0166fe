//! One run of one query: windows, sources, subqueries.
//!
//! In: a query and the scope it stands in. Out: its answer. What always holds: a subquery is answered once, before the query that
//! holds it; nested levels share the window of the outermost; nothing is read that the snapshot does not hold.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use super::aggregation::{Aggregated, Aggregation, Frame};
use super::cost::Cost;
use super::error::QueryError;
use super::expression::{Evaluator, Scalars};
use super::join::{self, Sides};
use super::listing;
use super::plan::{self, Ground, Kind, Plan};
use super::relation::{Member, Relation, TIMESTAMP};
use super::result::{Answer, Metadata, ResultRow, Window};
use super::scan::scan;
use super::settings::{PreviousTimes, Settings};
use super::time::{Context, Role, Series, resolve, series, shift_ms, zone};
use super::value::Value;
use crate::lab::store::{METRIC, Snapshot, TableView};
use crate::nrql::ast::{Join, Moment, Query, Selected, Source, Timeseries};
use crate::nrql::template;

/// Ms in a day.
const DAY_MS: i64 = 86_400_000;
/// Ms in the window of a query that names none.
const WINDOW_DEFAULT_MS: i64 = 3_600_000;
/// Most subqueries of a query. New Relic's page on subqueries.
const SUBQUERIES_MAX: u32 = 3;

/// Where a query stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Outermost,
    /// In an expression.
    Subquery,
    /// The right side of a join.
    Joined,
    /// In `FROM`.
    Nested,
}

/// What a query takes from what it stands in.
#[derive(Clone)]
struct Scope<'q> {
    level: Level,
    window: (i64, i64),
    context: Context,
    /// The buckets of the level above, which a nested query without its own follows.
    series: Option<&'q Timeseries>,
}

/// A query made ready for one window.
struct Ready {
    relation: Relation,
    plan: Plan,
    evaluator: Evaluator,
    series: Option<Series>,
    window: (i64, i64),
    event_types: Vec<Arc<str>>,
}

/// One run.
pub(super) struct Run<'e> {
    pub(super) snapshots: &'e [Snapshot],
    pub(super) settings: &'e Settings,
    cost: Rc<Cost>,
    subqueries: Cell<u32>,
}

/// The answer to a part of a query.
struct Part {
    answer: Answer,
    /// What its rows hold, whether or not there are any.
    names: Vec<Arc<str>>,
    /// Its rows were made for the buckets of the level above, each for one.
    follows: bool,
}

impl<'e> Run<'e> {
    pub(super) fn new(snapshots: &'e [Snapshot], settings: &'e Settings) -> Self {
        Self { snapshots, settings, cost: Rc::new(Cost::new(settings)), subqueries: Cell::new(0) }
    }

    /// The answer to a whole query.
    pub(super) fn outermost(&self, query: &Query, now_ms: i64) -> Result<Answer, QueryError> {
        let window = (now_ms.saturating_sub(WINDOW_DEFAULT_MS), now_ms);
        let scope = Scope { level: Level::Outermost, window, context: Context::utc(now_ms), series: None };
        let mut answer = self.query(query, &scope)?.answer;
        for event_type in self.cost.hidden.borrow().iter() {
            let days = self.retention_days(event_type);
            answer
                .metadata
                .messages
                .push(format!("`{event_type}` has rows older than {days} days: they are hidden, as New Relic drops them"));
        }
        Ok(answer)
    }

    /// The event types in a window.
    pub(super) fn event_types(&self, since: Option<&Moment>, until: Option<&Moment>, now_ms: i64) -> Result<Answer, QueryError> {
        let context = Context::utc(now_ms);
        let window = (now_ms.saturating_sub(WINDOW_DEFAULT_MS), now_ms);
        let (begin_ms, end_ms) = moments(since, until, window, &context)?;
        let names = self.snapshots.iter().flat_map(|snapshot| snapshot.event_types(begin_ms, end_ms));
        let names: BTreeSet<Arc<str>> = names.collect();
        let results = names
            .into_iter()
            .filter(|name| {
                let begin_ms = self.visible_from(name, now_ms).max(begin_ms);
                self.tables(name).any(|table| table.any_between(begin_ms, end_ms))
            })
            .map(|name| ResultRow { values: vec![("eventType".into(), Value::Text(name))], ..ResultRow::default() })
            .collect();
        let metadata = Metadata { begin_ms, end_ms, ..written(since, until) };
        Ok(Answer { results, metadata, ..Answer::default() })
    }

    fn query(&self, query: &Query, scope: &Scope<'_>) -> Result<Part, QueryError> {
        let mut scope = scope.clone();
        if let Some(name) = &query.timezone {
            scope.context.zone = zone(&name.text).ok_or_else(|| {
                QueryError::at(name.span, format!("unknown time zone '{}': use one such as 'Asia/Tokyo'", name.text))
            })?;
        }
        allowed(query, scope.level)?;
        scope.window = moments(query.since.as_ref(), query.until.as_ref(), scope.window, &scope.context)?;
        scope.window = self.snapped(query, scope.window);
        let ready = self.ready(query, &scope)?;
        let shift = query.compare.as_ref().map(|moment| shift_ms(moment, &scope.context)).transpose()?;
        let mut answer = self.answer(&ready, None)?;
        if let Some(shift) = shift {
            self.compare(query, &scope, shift, &ready, &mut answer)?;
        }
        answer.metadata = Metadata {
            event_types: ready.event_types.clone(),
            facets: facet_names(&ready.plan),
            messages: ready.plan.messages.clone(),
            begin_ms: ready.series.map_or(ready.window.0, |series| series.begin_ms),
            end_ms: ready.series.map_or(ready.window.1, |series| series.end_ms()),
            compare_ms: shift,
            bucket_ms: ready.series.map(|series| series.width_ms),
            ..written(query.since.as_ref(), query.until.as_ref())
        };
        answer.inspected_count = self.cost.inspected.get();
        answer.match_count = self.cost.matched.get();
        let follows = match ready.plan.kind {
            Kind::Values(_) => query.timeseries.is_none() && scope.series.is_some(),
            Kind::Rows(_) => ready.relation.members.iter().all(|member| member.follows),
        };
        Ok(Part { answer, names: ready.plan.names(), follows })
    }

    /// A window on `Metric` with its ends where roll-ups end, if the switch says so.
    fn snapped(&self, query: &Query, (begin, end): (i64, i64)) -> (i64, i64) {
        let reads_metrics = query.from.iter().any(|source| matches!(source, Source::Type(name) if name.text == METRIC));
        let width = self.settings.switches.metric_snap_ms.map_or(0, i64::from);
        if !reads_metrics || query.raw || width == 0 {
            return (begin, end);
        }
        let snap = |ms: i64| ms - ms.rem_euclid(width);
        if snap(begin) < snap(end) { (snap(begin), snap(end)) } else { (begin, end) }
    }

    /// Makes a query ready: sources, subqueries, plan.
    fn ready(&self, query: &Query, scope: &Scope<'_>) -> Result<Ready, QueryError> {
        let scalars = Scalars { context: scope.context.clone(), switches: self.settings.switches };
        let evaluator = Evaluator::new(scalars).charged(&self.cost);
        let (mut relation, event_types) = self.sources(query, scope)?;
        let inner = Scope { level: Level::Subquery, series: None, ..scope.clone() };
        // What is planned twice, such as the aggregate inside `percentage`, asks a subquery twice: it is answered and counted once.
        let known: RefCell<Vec<(usize, Answer)>> = RefCell::default();
        let subqueries = |query: &Query| {
            if let Some((_, answer)) = known.borrow().iter().find(|(start, _)| *start == query.span.start) {
                return Ok(answer.clone());
            }
            self.subqueries.set(self.subqueries.get() + 1);
            if self.subqueries.get() > SUBQUERIES_MAX {
                return Err(QueryError::at(query.span, format!("a query has at most {SUBQUERIES_MAX} subqueries")));
            }
            let answer = self.query(query, &inner)?.answer;
            known.borrow_mut().push((query.span.start, answer.clone()));
            Ok(answer)
        };
        let ground = Ground {
            scalars: evaluator.scalars(),
            account_id: self.settings.account_id,
            account_attribute: self.settings.account_attribute.as_deref(),
            default_rate_ms: f64::from(self.settings.switches.default_rate_ms),
            subqueries: &subqueries,
            cost: &self.cost,
            rows_default: if scope.level == Level::Joined { plan::GROUPS_DEFAULT } else { plan::ROWS_DEFAULT },
        };
        let plan = plan::plan(query, &ground)?;
        relation = self.joined(query, relation, &plan, scope, &ground)?;
        relation.resolve(&plan.columns);
        let series = buckets(query, scope, &plan)?;
        Ok(Ready { relation, plan, evaluator, series, window: scope.window, event_types })
    }

    /// The tables of an event type, one of each snapshot that has it.
    fn tables(&self, event_type: &str) -> impl Iterator<Item = &'e Arc<TableView>> {
        self.snapshots.iter().filter_map(move |snapshot| snapshot.table(event_type))
    }

    /// The tables a query reads.
    fn sources(&self, query: &Query, scope: &Scope<'_>) -> Result<(Relation, Vec<Arc<str>>), QueryError> {
        let mut relation = Relation::default();
        let mut event_types = Vec::new();
        let mut seen: Vec<&Source> = Vec::new();
        for source in &query.from {
            match source {
                // A type, or a table, that is named twice is read once: FROM is a union of types.
                Source::Type(_) | Source::Lookup(_) if seen.iter().any(|known| same_source(known, source)) => {}
                Source::Type(name) => {
                    let mut views: Vec<Arc<TableView>> = self.tables(&name.text).cloned().collect();
                    if views.is_empty() {
                        views.push(TableView::build(&name.text, |_| {}));
                    }
                    let visible_from_ms = self.visible_from(&name.text, scope.context.now_ms);
                    let member = |view| Member { windowed: true, visible_from_ms, ..Member::whole(view, true) };
                    relation.members.extend(views.into_iter().map(member));
                    event_types.push(Arc::from(name.text.as_str()));
                }
                Source::Template(name) => {
                    return Err(QueryError::at(
                        name.span,
                        format!("the variable {{{{{}}}}} has no value: an event type is needed", name.text),
                    ));
                }
                Source::Lookup(name) => {
                    let view = self.settings.lookups.get(&name.text).ok_or_else(|| {
                        let known: Vec<&str> = self.settings.lookups.keys().map(String::as_str).collect();
                        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                        QueryError::at(name.span, format!("unknown lookup table `{}`: there is {known}", name.text))
                    })?;
                    relation.members.push(Member::whole(Arc::clone(view), false));
                }
                Source::Query(inner) => {
                    let series = query.timeseries.as_ref().or(scope.series);
                    let Part { answer, follows, .. } =
                        self.query(inner, &Scope { level: Level::Nested, series, ..scope.clone() })?;
                    let timed = answer.results.iter().any(|row| row.timestamp_ms.is_some() || row.bucket_ms.is_some());
                    let view = join::table("", &answer.results, scope.window.0);
                    relation.members.push(Member { follows, ..Member::whole(view, timed) });
                    for name in answer.metadata.event_types {
                        if !event_types.contains(&name) {
                            event_types.push(name);
                        }
                    }
                }
            }
            seen.push(source);
        }
        Ok((relation, event_types))
    }

    /// The relation with what its joins add.
    fn joined(
        &self,
        query: &Query,
        mut relation: Relation,
        plan: &Plan,
        scope: &Scope<'_>,
        ground: &Ground<'_>,
    ) -> Result<Relation, QueryError> {
        // All keys first: what an earlier join keeps, a later one may need.
        let mut names = plan.columns.clone();
        let mut keys = Vec::new();
        for join in &query.joins {
            let (key, more) = plan::key(&join.key, query, &names, ground)?;
            names = more;
            keys.push(key);
        }
        for (join, key) in query.joins.iter().zip(&keys) {
            let right = self.right_side(join, scope)?;
            let column = match (&join.column, plan::bare_name(&join.key)) {
                (Some(column), _) => &column.text,
                (None, Some(name)) => name,
                (None, None) => {
                    return Err(QueryError::at(join.key.span, "a computed key needs the right side's column: ON key = column"));
                }
            };
            let same_name = plan::bare_name(&join.key).is_some_and(|name| name == column);
            // Memories are of one relation: each join reads another.
            let evaluator = Evaluator::new(ground.scalars.clone()).charged(&self.cost);
            if plan.reads_all() {
                let left = relation.members.iter().flat_map(|member| member.view.columns()).map(|column| &column.name);
                for name in left.chain(&right.names) {
                    if **name != *TIMESTAMP && !names.iter().any(|known| **known == **name) {
                        names.push(name.to_string());
                    }
                }
            }
            relation.resolve(&names);
            let matched = scan(&relation, scope.window, None, &evaluator, &self.cost)?;
            let rows = &right.answer.results;
            let sides = Sides { left: &matched, key, right: rows, names: &right.names, column, same_name, keep: join.left };
            relation = join::join(&sides, &relation, &names, &evaluator, &self.cost)?;
        }
        Ok(relation)
    }

    fn right_side(&self, join: &Join, scope: &Scope<'_>) -> Result<Part, QueryError> {
        if join.query.select.iter().any(|item| matches!(item.value, Selected::All(_))) {
            return Err(QueryError::at(join.query.span, "the right side of a JOIN names its columns: `*` is not allowed"));
        }
        let values = join.query.select.iter().filter_map(|item| match &item.value {
            Selected::Value(value) => Some(value),
            Selected::All(_) => None,
        });
        if let Some(value) = values.into_iter().find(|value| plan::calls(value, "uniques")) {
            return Err(QueryError::at(value.span, "the right side of a JOIN does not select uniques()"));
        }
        self.query(&join.query, &Scope { level: Level::Joined, series: None, ..scope.clone() })
    }

    fn answer(&self, ready: &Ready, given: Option<&[Vec<Value>]>) -> Result<Answer, QueryError> {
        let window = ready.series.map_or(ready.window, |series| (series.begin_ms, series.end_ms()));
        let Ready { relation, plan, evaluator, .. } = ready;
        let matched = scan(relation, window, plan.condition.as_ref(), evaluator, &self.cost)?;
        match &plan.kind {
            Kind::Rows(rows) => {
                let results = listing::list(rows, plan.limit, &matched, evaluator, &self.cost)?;
                Ok(Answer { results, ..Answer::default() })
            }
            Kind::Values(values) => {
                let frame = Frame { window, series: ready.series, limit: plan.limit };
                let aggregation = Aggregation { plan: values, relation, evaluator, frame, cost: &self.cost };
                let aggregated = aggregation.run(&matched, given)?;
                let Aggregated { results, total, other } = aggregated;
                Ok(Answer { results, total, other, ..Answer::default() })
            }
        }
    }

    /// Adds the rows of the earlier window; its groups are those of the current one.
    fn compare(
        &self,
        query: &Query,
        scope: &Scope<'_>,
        shift: i64,
        current: &Ready,
        answer: &mut Answer,
    ) -> Result<(), QueryError> {
        let groups: Vec<Vec<Value>> = {
            let mut groups: Vec<Vec<Value>> = Vec::new();
            for row in &answer.results {
                let values: Vec<Value> = row.facets.iter().map(|(_, value)| value.clone()).collect();
                if groups.last() != Some(&values) {
                    groups.push(values);
                }
            }
            groups
        };
        let counted = self.subqueries.replace(0);
        let earlier = Scope { window: (scope.window.0 - shift, scope.window.1 - shift), ..scope.clone() };
        self.cost.check()?;
        let ready = self.ready(query, &earlier)?;
        self.subqueries.set(counted);
        let given = (!facet_names(&current.plan).is_empty()).then_some(&*groups);
        let mut previous = self.answer(&ready, given)?;
        for row in &mut answer.results {
            row.window = Some(Window::Current);
        }
        for row in &mut previous.results {
            row.window = Some(Window::Previous);
            if self.settings.switches.previous_times == PreviousTimes::Current {
                row.bucket_ms = row.bucket_ms.map(|(begin, end)| (begin + shift, end + shift));
            }
        }
        answer.results.append(&mut previous.results);
        Ok(())
    }

    /// Rows of a type before this are hidden, ms.
    fn visible_from(&self, event_type: &str, now_ms: i64) -> i64 {
        now_ms.saturating_sub(i64::from(self.retention_days(event_type)) * DAY_MS)
    }

    fn retention_days(&self, event_type: &str) -> u32 {
        if event_type == METRIC { self.settings.metric_retention_days } else { self.settings.event_retention_days }
    }
}

/// Whether both are the same event type, or the same table.
fn same_source(one: &Source, two: &Source) -> bool {
    match (one, two) {
        (Source::Type(one), Source::Type(two)) | (Source::Lookup(one), Source::Lookup(two)) => one.text == two.text,
        _ => false,
    }
}

/// What may not stand at a level.
fn allowed(query: &Query, level: Level) -> Result<(), QueryError> {
    if let Some((name, needed)) = template::unfilled(query) {
        return Err(QueryError::at(name.span, format!("the variable {{{{{}}}}} has no value: {needed} needed", name.text)));
    }
    let refuse = |clause: &str, why: &str| Err(QueryError::at(query.span, format!("{clause} {why}")));
    if let Some(predict) = &query.predict {
        return Err(QueryError::elsewhere(predict.span, "PREDICT"));
    }
    if query.from.iter().any(|source| matches!(source, Source::Lookup(_))) {
        let clauses = [
            (query.timeseries.is_some(), "TIMESERIES"),
            (query.compare.is_some(), "COMPARE WITH"),
            (query.extrapolate, "EXTRAPOLATE"),
        ];
        if let Some((_, clause)) = clauses.into_iter().find(|(stands, _)| *stands) {
            return refuse(clause, "does not stand on a lookup table: its rows have no time");
        }
    }
    match level {
        Level::Outermost => Ok(()),
        Level::Nested if query.since.is_some() || query.until.is_some() => {
            refuse("SINCE and UNTIL", "stand at the outermost level alone, for all levels")
        }
        Level::Nested if query.compare.is_some() => refuse("COMPARE WITH", "stands at the outermost level alone"),
        Level::Subquery | Level::Joined if query.compare.is_some() => refuse("COMPARE WITH", "does not stand in a subquery"),
        Level::Subquery | Level::Joined if query.timeseries.is_some() => refuse("TIMESERIES", "does not stand in a subquery"),
        Level::Nested | Level::Subquery | Level::Joined => Ok(()),
    }
}

/// The buckets of a query: its own, or those of the level above.
fn buckets(query: &Query, scope: &Scope<'_>, plan: &Plan) -> Result<Option<Series>, QueryError> {
    if !matches!(plan.kind, Kind::Values(_)) {
        return Ok(None);
    }
    let wanted = query.timeseries.as_ref().or(scope.series);
    Ok(wanted.map(|wanted| series(wanted, scope.window.0, scope.window.1)).transpose()?)
}

/// The window two clauses describe; what one leaves out is taken from `window`. `SINCE` alone means until the window's end.
fn moments(
    since: Option<&Moment>,
    until: Option<&Moment>,
    window: (i64, i64),
    context: &Context,
) -> Result<(i64, i64), QueryError> {
    let begin = since.map(|moment| resolve(moment, context, Role::Since)).transpose()?;
    let end = until.map(|moment| resolve(moment, context, Role::Until)).transpose()?;
    let (begin, end) = match (begin, end) {
        (None, None) => window,
        (Some(begin), None) => (begin, context.now_ms),
        // The begin is that of a query without SINCE, unless UNTIL lies before it.
        (None, Some(end)) if end > window.0 => (window.0, end),
        (None, Some(end)) => (end.saturating_sub(WINDOW_DEFAULT_MS), end),
        (Some(begin), Some(end)) => (begin, end),
    };
    if begin >= end {
        return Err(QueryError::whole("the window is empty: SINCE must lie before UNTIL"));
    }
    Ok((begin, end))
}

/// The clauses of a window, as written.
fn written(since: Option<&Moment>, until: Option<&Moment>) -> Metadata {
    Metadata { since: since.map(ToString::to_string), until: until.map(ToString::to_string), ..Metadata::default() }
}

fn facet_names(plan: &Plan) -> Vec<Arc<str>> {
    match &plan.kind {
        Kind::Rows(_) => Vec::new(),
        Kind::Values(values) => values.facets.iter().map(|facet| Arc::clone(&facet.name)).collect(),
    }
}
