//! What an evaluation gives.
//!
//! What always holds: all times are milliseconds since 1970; signals stand in the order their first rows arrived, points in the order
//! of their windows, incidents in the order they opened.

use super::super::engine::Field;
use crate::nrql::condition::Priority;

/// What a condition would have done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluation {
    /// Those with at least one window that was closed, or an incident.
    pub signals: Vec<SignalRun>,
    /// Rows that came after a window of theirs was closed: lost to the condition, though queries see them.
    pub late: u64,
    /// Windows with rows that nothing had closed when the range ended: never judged, at least not in the range. Under `EVENT_FLOW` the
    /// last rows of every signal are in such windows.
    pub unclosed: u64,
    /// What New Relic computes here is not published: this is near it, never the same.
    pub approximate: bool,
    /// What the reader should know.
    pub notes: Vec<String>,
}

impl Evaluation {
    /// All incidents with their signals.
    pub fn incidents(&self) -> impl Iterator<Item = (&SignalRun, &Incident)> {
        self.signals.iter().flat_map(|signal| signal.incidents.iter().map(move |incident| (signal, incident)))
    }
}

/// One signal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SignalRun {
    /// What it is of: the facets in the order written; empty without `FACET`.
    pub facets: Vec<Field>,
    /// Its windows that were closed in the range.
    pub points: Vec<Point>,
    /// Those opened in the range.
    pub incidents: Vec<Incident>,
}

/// One window, or a run of windows without a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Begin of the window; of a run, of the first.
    pub begin_ms: i64,
    /// End of the window; of a run, of the last.
    pub end_ms: i64,
    /// When it was closed; of a run, the first.
    pub closed_ms: i64,
    /// None: a gap that nothing filled.
    pub value: Option<f64>,
    /// The value comes from `fillOption`.
    pub filled: bool,
    /// Of a baseline condition: what the terms were compared with, in standard deviations; none while too little is known.
    pub deviation: Option<f64>,
}

/// Why an incident was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A term.
    Threshold,
    /// Loss of signal.
    SignalLost,
}

/// Why an incident was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Good values for as long as the term's duration.
    Recovered,
    /// `violationTimeLimitSeconds`.
    TimeLimit,
    /// `closeViolationsOnExpiration`.
    SignalLost,
    /// Of an incident about a lost signal.
    DataReturned,
}

/// The end of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// Its closing time, which a recovery sets back to its first good value.
    pub at_ms: i64,
    /// When that was known.
    pub known_ms: i64,
    /// Why.
    pub reason: Reason,
}

/// One incident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Incident {
    /// Of the term, or of lost signals.
    pub priority: Priority,
    /// What opened it.
    pub cause: Cause,
    /// When.
    pub opened_ms: i64,
    /// End of the window whose value opened it; none if it is about a lost signal.
    pub window_end_ms: Option<i64>,
    /// That value, of a baseline in standard deviations.
    pub value: Option<f64>,
    /// None: open at the end of the range.
    pub closed: Option<Closed>,
}
