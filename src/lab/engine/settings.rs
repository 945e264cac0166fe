//! What a query is run with.
//!
//! What always holds: what New Relic's documentation leaves open has a switch here, with the choice made and why; no other place of
//! the engine decides it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::lab::store::TableView;

/// Everything a run needs beside rows, query and moment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is undecided.
    pub switches: Switches,
    /// Rows of events and logs older than so many days are hidden, as New Relic has dropped them.
    pub event_retention_days: u32,
    /// The same for metrics, which New Relic keeps for 13 months.
    pub metric_retention_days: u32,
    /// Tables for `lookup(name)`, by name.
    pub lookups: BTreeMap<String, Arc<TableView>>,
    /// What `accountId()` gives.
    pub account_id: u64,
    /// The attribute that `accountId()` gives instead, when rows of several accounts are asked together.
    pub account_attribute: Option<Arc<str>>,
    /// What one query may cost.
    pub limits: Limits,
    /// Asked now and then: a query stops when it says so.
    pub stop: Option<Stop>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            switches: Switches::default(),
            event_retention_days: 30,
            metric_retention_days: 395,
            lookups: BTreeMap::new(),
            account_id: 0,
            account_attribute: None,
            limits: Limits::default(),
            stop: None,
        }
    }
}

impl Settings {
    /// For queries that others send over a network: narrow limits, and `stop` says when a query has taken too long. A query's text is
    /// for the caller to measure: [`crate::nrql::lint::QUERY_BYTES`].
    #[must_use]
    pub fn served(account_id: u64, stop: Stop) -> Self {
        Self { account_id, limits: Limits::SERVED, stop: Some(stop), ..Self::default() }
    }
}

/// What one query may cost, all its parts together: its subqueries, its joins, both windows of `COMPARE WITH`. Beyond, it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most rows looked at; none for no end.
    pub rows: Option<u64>,
    /// Most bytes held for matching rows, groups, buckets, distinct values, joined rows and the answer, about.
    pub bytes: u64,
    /// Most bytes of compiled regular expressions.
    pub pattern_bytes: u64,
    /// Most parts of expressions copied to where they are used: variables of `WITH`, conditions of `filter`.
    pub parts: usize,
}

impl Limits {
    /// For a query that somebody else asks.
    pub const SERVED: Self = Self { rows: Some(20_000_000), bytes: 512 << 20, pattern_bytes: 24 << 20, parts: 5_000 };
}

impl Default for Limits {
    /// For a query on one's own machine.
    fn default() -> Self {
        Self { rows: None, bytes: 4 << 30, pattern_bytes: 64 << 20, parts: 20_000 }
    }
}

/// Says when to give up: a time limit, a person who left.
#[derive(Clone)]
pub struct Stop(Arc<dyn Fn() -> bool + Send + Sync>);

impl Stop {
    /// Stops when `when` is true.
    #[must_use]
    pub fn new(when: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(when))
    }

    /// Whether to stop.
    #[must_use]
    pub fn now(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Stop")
    }
}

/// What New Relic's documentation does not say, or says twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// Whether a missing value satisfies `!=`, `NOT LIKE`, `NOT IN` and `NOT RLIKE`. No: as in SQL.
    pub null_satisfies_negation: bool,
    /// What `x / 0` is.
    pub division_by_zero: DivisionByZero,
    /// The span `rate(x)` and `derivative(x)` are given for when the query names none, ms. One second.
    pub default_rate_ms: u32,
    /// How `stddev` and `stdvar` divide.
    pub deviation: Deviation,
    /// By what groups are chosen and ordered.
    pub facet_order: FacetOrder,
    /// Whether a row without one of several facets' attributes still has a group. No: as with one facet.
    pub facet_keeps_null: bool,
    /// The width of the roll-ups, ms, to whose boundaries the ends of a window on `Metric` are moved back, unless the query is `RAW`.
    /// None: the ends stay. New Relic moves them; its page on time ranges shows one example (5 minutes for 48 hours) and says neither
    /// which width holds for which window and age, nor what becomes of a window within one roll-up, which stays as it is here.
    pub metric_snap_ms: Option<u32>,
    /// The times that rows of the earlier window carry under `COMPARE WITH` and `TIMESERIES`.
    pub previous_times: PreviousTimes,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            null_satisfies_negation: false,
            division_by_zero: DivisionByZero::Null,
            default_rate_ms: 1_000,
            deviation: Deviation::Population,
            facet_order: FacetOrder::FirstValue,
            facet_keeps_null: false,
            metric_snap_ms: None,
            previous_times: PreviousTimes::Own,
        }
    }
}

/// What `x / 0` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DivisionByZero {
    /// No value.
    Null,
    /// 0.
    Zero,
}

/// How a variance divides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deviation {
    /// By n.
    Population,
    /// By n - 1.
    Sample,
}

/// By what groups are chosen and ordered, always the greatest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FacetOrder {
    /// By the first item of `SELECT`, whatever it is.
    FirstValue,
    /// By it for count, min, max, average and percentile, else by the number of rows, as the documentation has it.
    Documented,
}

/// The times of the earlier window's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviousTimes {
    /// When they happened.
    Own,
    /// Of the row they are compared with.
    Current,
}
