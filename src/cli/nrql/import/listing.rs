//! Which queries can be read whole, window by window.
//!
//! In: a query. Out: the same query for any part of its window, and the one that counts its rows. What always holds: the rows of two
//! windows side by side are those of the window that both make up; so nothing is let in that looks at the window as a whole.

use std::collections::BTreeSet;

use crate::lab::engine::time::{Context, Role, resolve, zone};
use crate::nrql;
use crate::nrql::ast::{ExprKind, Limit, Moment, Name, Query, Selected, Source, Statement};
use crate::nrql::walk::{self, Part};
use crate::record::time::HOUR_MS;

/// What can be read.
pub(super) const HINT: &str =
    "rows are read by `SELECT * FROM Type WHERE … SINCE … UNTIL …`; attributes may stand in place of `*`";

/// A query that lists rows.
#[derive(Debug)]
pub(super) struct Listing {
    query: Query,
    types: Vec<String>,
    begin_ms: i64,
    end_ms: i64,
}

impl Listing {
    /// The query as a listing; `now_ms`: when it is, for `SINCE 1 day ago`.
    ///
    /// # Errors
    /// What of it cannot be read window by window.
    pub(super) fn of(text: &str, now_ms: i64) -> Result<Self, String> {
        let statement = nrql::parse(text).map_err(|fault| fault.to_string())?;
        let Statement::Select(query) = statement else { return Err("SHOW EVENT TYPES gives no rows to keep".to_owned()) };
        refused(&query)?;
        let types = query.from.iter().filter_map(|source| match source {
            Source::Type(name) => Some(name.text.clone()),
            _ => None,
        });
        let types: BTreeSet<String> = types.collect();
        let zone = match &query.timezone {
            Some(name) => Some(zone(&name.text).ok_or_else(|| format!("unknown time zone '{}'", name.text))?),
            None => None,
        };
        let utc = Context::utc(now_ms);
        let context = Context { zone: zone.unwrap_or_else(|| utc.zone.clone()), ..utc };
        let at = |moment: Option<&Moment>, role, without| {
            moment.map_or(Ok(without), |moment| resolve(moment, &context, role).map_err(|error| error.to_string()))
        };
        // New Relic's window where nothing is said: the last hour.
        let begin_ms = at(query.since.as_ref(), Role::Since, now_ms.saturating_sub(HOUR_MS))?;
        let end_ms = at(query.until.as_ref(), Role::Until, now_ms)?;
        if begin_ms >= end_ms {
            return Err("SINCE is not before UNTIL".to_owned());
        }
        Ok(Self { query: *query, types: types.into_iter().collect(), begin_ms, end_ms })
    }

    /// The event types, each once.
    pub(super) fn types(&self) -> &[String] {
        &self.types
    }

    /// Begin and end, milliseconds since 1970; the end is not included.
    pub(super) fn window(&self) -> (i64, i64) {
        (self.begin_ms, self.end_ms)
    }

    /// The rows of one type in a window, as many as New Relic gives.
    pub(super) fn rows(&self, event_type: &str, begin_ms: i64, end_ms: i64) -> String {
        let query = Query { limit: Some(Limit::Max), ..self.part(event_type, begin_ms, end_ms) };
        query.to_string()
    }

    /// How many there are.
    pub(super) fn count(&self, event_type: &str, begin_ms: i64, end_ms: i64) -> String {
        let counting = nrql::parse("SELECT count(*) FROM T");
        let select = match counting {
            Ok(Statement::Select(query)) => query.select,
            _ => Vec::new(),
        };
        let query = Query { select, ..self.part(event_type, begin_ms, end_ms) };
        query.to_string()
    }

    /// The zone stays: what WHERE says of hours and days is said in it.
    fn part(&self, event_type: &str, begin_ms: i64, end_ms: i64) -> Query {
        Query {
            from: vec![Source::Type(Name { text: event_type.to_owned(), ..Name::default() })],
            since: Some(Moment::Epoch(begin_ms)),
            until: Some(Moment::Epoch(end_ms)),
            ..self.query.clone()
        }
    }
}

/// The first clause that is about more than single rows.
fn refused(query: &Query) -> Result<(), String> {
    let clauses = [
        (!query.joins.is_empty(), "JOIN makes other rows"),
        (query.facet.is_some(), "FACET makes groups, no rows"),
        (query.timeseries.is_some(), "TIMESERIES makes buckets, no rows"),
        (query.compare.is_some(), "COMPARE WITH is of two windows"),
        (query.limit.is_some(), "LIMIT would leave rows out"),
        (query.offset.is_some(), "OFFSET would leave rows out"),
        (!query.order_by.is_empty(), "ORDER BY: rows are kept in the order of their time"),
        (!query.variables.is_empty(), "WITH … AS makes other rows"),
        (query.predict.is_some(), "PREDICT makes other rows"),
        (query.metric_format.is_some(), "WITH METRIC_FORMAT makes other rows"),
        (query.from.is_empty(), "there is no FROM"),
        (query.from.iter().any(|source| !matches!(source, Source::Type(_))), "FROM names event types only"),
    ];
    if let Some((_, why)) = clauses.iter().find(|(is_there, _)| *is_there) {
        return Err((*why).to_owned());
    }
    let is_plain = |value: &Selected| match value {
        Selected::All(_) => true,
        Selected::Value(value) => matches!(&value.kind, ExprKind::Name(_)),
    };
    if query.select.iter().any(|item| !is_plain(&item.value) || !item.alias.is_empty()) {
        return Err("SELECT names attributes or `*` only: what is computed is no row".to_owned());
    }
    let mut nested = false;
    for condition in &query.conditions {
        walk::expr(condition, &mut |part| {
            nested |= matches!(part, Part::Query(_));
        });
    }
    if nested { Err("a query in WHERE would be asked of each part of the window: write its value".to_owned()) } else { Ok(()) }
}
