//! NRQL, New Relic's query language: text in, tree out, and back.
//!
//! In: the text of a query. Out: its tree ([`ast::Query`]), the tree as text, faults with their position. What always holds: a
//! printed tree reads back as the same tree; nothing here runs a query or knows what data exist. Built without the lab: the
//! agent itself checks the queries it ships.

pub mod ast;
pub mod condition;
pub mod date_pattern;

mod error;
pub mod form;
pub mod function;
mod lexer;
pub mod lint;
pub mod muting;
mod operator;
mod parser;
pub mod pattern;
mod print;
pub mod template;
pub mod time;
pub mod unit;
pub mod walk;
mod warnings;
mod words;

#[cfg(test)]
mod tests;

pub use ast::Statement;
pub use error::{PREFIX, SyntaxError, line_and_column};
pub use parser::{MAX_BYTES, MAX_DEPTH, MAX_OPERATORS};
pub use warnings::{Warning, WarningKind};

/// The tree of a text.
///
/// # Errors
/// The first fault: the text is no NRQL, longer than [`MAX_BYTES`], or nested deeper than [`MAX_DEPTH`].
pub fn parse(text: &str) -> Result<Statement, SyntaxError> {
    parse_with_warnings(text).map(|(statement, _)| statement)
}

/// The tree of a text, and what in it is read, but in no way that New Relic documents.
///
/// # Errors
/// As [`parse`].
pub fn parse_with_warnings(text: &str) -> Result<(Statement, Vec<Warning>), SyntaxError> {
    parser::statement(text)
}
