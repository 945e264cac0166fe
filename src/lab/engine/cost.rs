//! What a query has cost so far, and whether it may go on.
//!
//! In: what its parts look at and hold. Out: an error once a limit is passed or somebody said stop. What always holds: all parts of a
//! query, its subqueries included, share one [`Cost`]; what is given back is not taken off, so that a sum is never too small.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use super::error::QueryError;
use super::function::{PatternError, PrepareError, Prepared, Rlike, RowFunction};
use super::settings::{Limits, Settings, Stop};
use crate::lab::store::hash::QuickMap;
use crate::nrql::ast::Span;

/// How often a loop asks whether to stop: each time so many steps were taken.
const STEPS: u32 = 256;

/// Why a query ends before it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Stopped,
    Rows,
    Bytes,
}

/// What was made ready, by function and text.
type PreparedTexts = QuickMap<(&'static str, Box<str>), Rc<Prepared>>;

/// What one query has cost.
#[derive(Debug, Default)]
pub(super) struct Cost {
    limits: Limits,
    stop: Option<Stop>,
    end: Cell<Option<End>>,
    steps: Cell<u32>,
    bytes: Cell<u64>,
    copied: Cell<usize>,
    pattern_bytes: Cell<u64>,
    rlikes: RefCell<QuickMap<Box<str>, Rc<Rlike>>>,
    prepared: RefCell<PreparedTexts>,
    /// Rows in windows.
    pub(super) inspected: Cell<u64>,
    /// Rows that satisfied `WHERE`.
    pub(super) matched: Cell<u64>,
    /// Event types with rows in the window that are hidden as too old.
    pub(super) hidden: RefCell<BTreeSet<Arc<str>>>,
}

impl Cost {
    /// Of nothing yet.
    pub(super) fn new(settings: &Settings) -> Self {
        Self { limits: settings.limits, stop: settings.stop.clone(), ..Self::default() }
    }

    /// Whether to go on, asked of whoever may stop the query.
    ///
    /// # Errors
    /// What ended it.
    pub(super) fn check(&self) -> Result<(), QueryError> {
        if self.end.get().is_none() && self.stop.as_ref().is_some_and(Stop::now) {
            self.end.set(Some(End::Stopped));
        }
        match self.end.get() {
            None => Ok(()),
            Some(End::Stopped) => Err(QueryError::whole("the query was stopped: it took longer than allowed")),
            Some(End::Rows) => {
                let most = self.limits.rows.unwrap_or(u64::MAX);
                Err(QueryError::whole(format!("the query looks at more than the {most} rows allowed: narrow its window")))
            }
            Some(End::Bytes) => Err(QueryError::whole(format!(
                "the query would hold more than the {} bytes allowed: narrow its window, lower its LIMIT or group by less",
                self.limits.bytes
            ))),
        }
    }

    /// One step of a long loop; false once the query is to end. What ended it says [`Self::check`].
    pub(super) fn step(&self) -> bool {
        let steps = self.steps.get().wrapping_add(1);
        self.steps.set(steps);
        if steps.is_multiple_of(STEPS) { self.check().is_ok() } else { self.end.get().is_none() }
    }

    /// So many more rows are looked at.
    ///
    /// # Errors
    /// When those are more than allowed.
    pub(super) fn look(&self, rows: usize) -> Result<(), QueryError> {
        add(&self.inspected, rows);
        if self.limits.rows.is_some_and(|most| self.inspected.get() > most) {
            self.end.set(Some(End::Rows));
        }
        self.check()
    }

    /// So many rows matched.
    pub(super) fn matched(&self, rows: usize) {
        add(&self.matched, rows);
    }

    /// So many more bytes are held, about; false once they are more than allowed.
    pub(super) fn hold(&self, bytes: u64) -> bool {
        self.bytes.set(self.bytes.get().saturating_add(bytes));
        if self.bytes.get() > self.limits.bytes {
            self.end.set(Some(End::Bytes));
        }
        self.end.get().is_none()
    }

    /// So many parts of expressions were copied to where they are used.
    ///
    /// # Errors
    /// When those are more than allowed.
    pub(super) fn copy(&self, parts: usize, span: Span) -> Result<(), QueryError> {
        self.copied.set(self.copied.get().saturating_add(parts));
        if self.copied.get() > self.limits.parts {
            return Err(QueryError::at(
                span,
                format!(
                    "the expressions of WITH and filter, put in where they are used, have more than the {} parts allowed: use fewer \
                     of them, or simpler ones",
                    self.limits.parts
                ),
            ));
        }
        Ok(())
    }

    /// The expression of `RLIKE`, compiled once for a query.
    ///
    /// # Errors
    /// When it is none, or takes the query's expressions beyond what is allowed.
    pub(super) fn rlike(&self, pattern: &str, span: Span) -> Result<Rc<Rlike>, QueryError> {
        if let Some(known) = self.rlikes.borrow().get(pattern) {
            return Ok(Rc::clone(known));
        }
        let made = Rlike::new(pattern).map_err(|error: PatternError| QueryError::at(span, error.to_string()))?;
        self.pattern(made.bytes(), span)?;
        let made = Rc::new(made);
        self.rlikes.borrow_mut().insert(pattern.into(), Rc::clone(&made));
        Ok(made)
    }

    /// The constant argument of a function, made ready once for a query; none if the function needs nothing made ready.
    ///
    /// # Errors
    /// As [`Self::rlike`].
    pub(super) fn prepared(
        &self,
        function: &'static RowFunction,
        text: &str,
        span: Span,
    ) -> Result<Option<Rc<Prepared>>, QueryError> {
        let Some(prepare) = function.prepare else { return Ok(None) };
        let key = (function.name, Box::from(text));
        if let Some(known) = self.prepared.borrow().get(&key) {
            return Ok(Some(Rc::clone(known)));
        }
        let made = prepare(text).map_err(|error: PrepareError| QueryError::prepare(span, &error))?;
        self.pattern(made.bytes(), span)?;
        let made = Rc::new(made);
        self.prepared.borrow_mut().insert(key, Rc::clone(&made));
        Ok(Some(made))
    }

    fn pattern(&self, bytes: usize, span: Span) -> Result<(), QueryError> {
        add(&self.pattern_bytes, bytes);
        self.check()?;
        if self.pattern_bytes.get() > self.limits.pattern_bytes {
            return Err(QueryError::at(
                span,
                format!(
                    "the query's regular expressions need more than the {} bytes allowed: use fewer, or simpler ones",
                    self.limits.pattern_bytes
                ),
            ));
        }
        Ok(())
    }
}

/// Adds to a count.
fn add(count: &Cell<u64>, more: usize) {
    count.set(count.get().saturating_add(u64::try_from(more).unwrap_or(u64::MAX)));
}
