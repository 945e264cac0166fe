//! Times written and read by a pattern.
//!
//! In: a [`DatePattern`], which the language reads. Out: a time as text, or the time that a text names.

mod format;
mod parse;

pub use crate::nrql::date_pattern::{DatePattern, DatePatternError};
use crate::nrql::date_pattern::{Field, Item};
