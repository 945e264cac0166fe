//! One run of one query: windows, sources, subqueries.
//!
//! In: a query and the scope it stands in. Out: its answer. What always holds: a subquery is answered once, before the query that
//! holds it; nested levels share the window of the outermost; nothing is read that the snapshot does not hold.

use std::cell::Cell;
use std::sync::Arc;

use super::aggregation::{Aggregated, Aggregation, Frame};
use super::error::QueryError;
use super::expression::{Evaluator, Scalars};
use super::join::{self, Sides};
use super::listing;
use super::plan::{self, Ground, Kind, Plan};
use super::relation::{Member, Relation};
use super::result::{Answer, Metadata, ResultRow, Window};
use super::scan::{Counters, scan};
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
    /// In an expression, or the right side of a join.
    Subquery,
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
    pub(super) snapshot: &'e Snapshot,
    pub(super) settings: &'e Settings,
    counters: Counters,
    subqueries: Cell<u32>,
}

impl<'e> Run<'e> {
    pub(super) fn new(snapshot: &'e Snapshot, settings: &'e Settings) -> Self {
        Self { snapshot, settings, counters: Counters::default(), subqueries: Cell::new(0) }
    }

    /// The answer to a whole query.
    pub(super) fn outermost(&self, query: &Query, now_ms: i64) -> Result<Answer, QueryError> {
        let window = (now_ms.saturating_sub(WINDOW_DEFAULT_MS), now_ms);
        self.query(query, &Scope { level: Level::Outermost, window, context: Context::utc(now_ms), series: None })
    }

    /// The event types in a window.
    pub(super) fn event_types(&self, since: Option<&Moment>, until: Option<&Moment>, now_ms: i64) -> Result<Answer, QueryError> {
        let context = Context::utc(now_ms);
        let window = (now_ms.saturating_sub(WINDOW_DEFAULT_MS), now_ms);
        let (begin_ms, end_ms) = moments(since, until, window, &context)?;
        let names = self.snapshot.event_types(begin_ms, end_ms);
        let results = names
            .into_iter()
            .filter(|name| {
                self.snapshot
                    .table(name)
                    .is_some_and(|table| table.any_between(self.visible_from(name, now_ms).max(begin_ms), end_ms))
            })
            .map(|name| ResultRow { values: vec![("eventType".into(), Value::Text(name))], ..ResultRow::default() })
            .collect();
        let metadata = Metadata { begin_ms, end_ms, ..written(since, until) };
        Ok(Answer { results, metadata, ..Answer::default() })
    }

    fn query(&self, query: &Query, scope: &Scope<'_>) -> Result<Answer, QueryError> {
        let mut scope = scope.clone();
        if let Some(name) = &query.timezone {
            scope.context.zone = zone(&name.text).ok_or_else(|| {
                QueryError::at(name.span, format!("unknown time zone '{}': use one such as 'Asia/Tokyo'", name.text))
            })?;
        }
        allowed(query, scope.level)?;
        scope.window = moments(query.since.as_ref(), query.until.as_ref(), scope.window, &scope.context)?;
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
        answer.inspected_count = self.counters.inspected.get();
        answer.match_count = self.counters.matched.get();
        Ok(answer)
    }

    /// Makes a query ready: sources, subqueries, plan.
    fn ready(&self, query: &Query, scope: &Scope<'_>) -> Result<Ready, QueryError> {
        let scalars = Scalars { context: scope.context.clone(), switches: self.settings.switches };
        let evaluator = Evaluator::new(scalars);
        let (mut relation, event_types) = self.sources(query, scope)?;
        let inner = Scope { level: Level::Subquery, series: None, ..scope.clone() };
        let subqueries = |query: &Query| {
            self.subqueries.set(self.subqueries.get() + 1);
            if self.subqueries.get() > SUBQUERIES_MAX {
                return Err(QueryError::at(query.span, format!("a query has at most {SUBQUERIES_MAX} subqueries")));
            }
            self.query(query, &inner)
        };
        let ground = Ground {
            scalars: evaluator.scalars(),
            account_id: self.settings.account_id,
            default_rate_ms: f64::from(self.settings.switches.default_rate_ms),
            subqueries: &subqueries,
        };
        let plan = plan::plan(query, &ground)?;
        relation = self.joined(query, relation, &plan.columns, scope, &ground)?;
        relation.resolve(&plan.columns);
        let series = buckets(query, scope, &plan)?;
        Ok(Ready { relation, plan, evaluator, series, window: scope.window, event_types })
    }

    /// The tables a query reads.
    fn sources(&self, query: &Query, scope: &Scope<'_>) -> Result<(Relation, Vec<Arc<str>>), QueryError> {
        let mut relation = Relation::default();
        let mut event_types = Vec::new();
        for source in &query.from {
            match source {
                Source::Type(name) => {
                    let view = self.snapshot.table(&name.text).cloned();
                    let view = view.unwrap_or_else(|| TableView::build(&name.text, |_| {}));
                    let visible_from_ms = self.visible_from(&name.text, scope.context.now_ms);
                    relation.members.push(Member { view, positions: Vec::new(), windowed: true, timed: true, visible_from_ms });
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
                    let answer = self.query(inner, &Scope { level: Level::Nested, series, ..scope.clone() })?;
                    let timed = answer.results.iter().any(|row| row.timestamp_ms.is_some() || row.bucket_ms.is_some());
                    let view = join::table("", &answer.results, scope.window.0);
                    relation.members.push(Member::whole(view, timed));
                    for name in answer.metadata.event_types {
                        if !event_types.contains(&name) {
                            event_types.push(name);
                        }
                    }
                }
            }
        }
        Ok((relation, event_types))
    }

    /// The relation with what its joins add.
    fn joined(
        &self,
        query: &Query,
        mut relation: Relation,
        columns: &[String],
        scope: &Scope<'_>,
        ground: &Ground<'_>,
    ) -> Result<Relation, QueryError> {
        // All keys first: what an earlier join keeps, a later one may need.
        let mut names = columns.to_vec();
        let mut keys = Vec::new();
        for join in &query.joins {
            let (key, more) = plan::key(&join.key, &names, ground)?;
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
            let evaluator = Evaluator::new(ground.scalars.clone());
            relation.resolve(&names);
            let matched = scan(&relation, scope.window, None, &evaluator, self.settings, &self.counters)?;
            let sides = Sides { left: &matched, key, right: &right.results, column, same_name, keep: join.left };
            relation = join::join(&sides, &relation, &names, &evaluator);
        }
        Ok(relation)
    }

    fn right_side(&self, join: &Join, scope: &Scope<'_>) -> Result<Answer, QueryError> {
        if join.query.select.iter().any(|item| matches!(item.value, Selected::All(_))) {
            return Err(QueryError::at(join.query.span, "the right side of a JOIN names its columns: `*` is not allowed"));
        }
        self.query(&join.query, &Scope { level: Level::Subquery, series: None, ..scope.clone() })
    }

    fn answer(&self, ready: &Ready, given: Option<&[Vec<Value>]>) -> Result<Answer, QueryError> {
        let window = ready.series.map_or(ready.window, |series| (series.begin_ms, series.end_ms()));
        let Ready { relation, plan, evaluator, .. } = ready;
        let matched = scan(relation, window, plan.condition.as_ref(), evaluator, self.settings, &self.counters)?;
        match &plan.kind {
            Kind::Rows(rows) => {
                let results = listing::list(rows, plan.limit, &matched, evaluator);
                Ok(Answer { results, ..Answer::default() })
            }
            Kind::Values(values) => {
                let frame = Frame { window, series: ready.series, limit: plan.limit };
                let aggregation = Aggregation { plan: values, relation, evaluator, frame };
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
        let days = if event_type == METRIC { self.settings.metric_retention_days } else { self.settings.event_retention_days };
        now_ms.saturating_sub(i64::from(days) * DAY_MS)
    }
}

/// What may not stand at a level.
fn allowed(query: &Query, level: Level) -> Result<(), QueryError> {
    if let Some((name, needed)) = template::unfilled(query) {
        return Err(QueryError::at(name.span, format!("the variable {{{{{}}}}} has no value: {needed} needed", name.text)));
    }
    let refuse = |clause: &str, why: &str| Err(QueryError::at(query.span, format!("{clause} {why}")));
    match level {
        _ if query.predict.is_some() => refuse("PREDICT", "is not run here: its model is not published"),
        Level::Outermost => Ok(()),
        Level::Nested if query.since.is_some() || query.until.is_some() => {
            refuse("SINCE and UNTIL", "stand at the outermost level alone, for all levels")
        }
        Level::Nested if query.compare.is_some() => refuse("COMPARE WITH", "stands at the outermost level alone"),
        Level::Subquery if query.compare.is_some() => refuse("COMPARE WITH", "does not stand in a subquery"),
        Level::Subquery if query.timeseries.is_some() => refuse("TIMESERIES", "does not stand in a subquery"),
        Level::Nested | Level::Subquery => Ok(()),
    }
}

/// The buckets of a query: its own, or those of the level above.
fn buckets(query: &Query, scope: &Scope<'_>, plan: &Plan) -> Result<Option<Series>, QueryError> {
    if !matches!(plan.kind, Kind::Values(_)) {
        return Ok(None);
    }
    if query.timeseries.is_some() && query.from.iter().any(|source| matches!(source, Source::Lookup(_))) {
        return Err(QueryError::at(query.span, "TIMESERIES does not stand on a lookup table: its rows have no time"));
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
