//! Why a query is not answered.

use super::function::PrepareError;
use super::time::{MomentError, WidthError};
use crate::nrql::ast::Span;

/// A query that cannot be run, and where in its text the reason stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// Lowercase; says what is allowed.
    pub message: String,
    /// The bytes of the query that are at fault; none if it is the whole.
    pub span: Option<Span>,
}

impl QueryError {
    /// A fault at a place.
    pub(in crate::lab) fn at(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), span: Some(span) }
    }

    /// What New Relic has and the lab has not.
    pub(super) fn elsewhere(span: Span, what: &str) -> Self {
        Self::at(span, format!("{what}: New Relic runs it; the lab does not"))
    }

    /// A fault of the whole query.
    pub(in crate::lab) fn whole(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None }
    }
}

impl std::fmt::Display for QueryError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.span {
            Some(span) => write!(out, "{} at {}", self.message, span.start),
            None => out.write_str(&self.message),
        }
    }
}

impl std::error::Error for QueryError {}

impl From<MomentError> for QueryError {
    fn from(error: MomentError) -> Self {
        let span = error.at().map(|at| Span { start: at, end: at });
        Self { message: error.to_string(), span }
    }
}

impl From<WidthError> for QueryError {
    fn from(error: WidthError) -> Self {
        Self::whole(error.to_string())
    }
}

impl QueryError {
    pub(super) fn prepare(span: Span, error: &PrepareError) -> Self {
        Self::at(span, error.to_string())
    }
}
