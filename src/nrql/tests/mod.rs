//! Reader and printer together: what is read, printed and read again, and what is refused where.

#![expect(clippy::string_slice, reason = "positions come from the same text")]

mod broken;
mod corpus;
mod order;
mod precedence;
mod random;
mod reading;
mod templates;

use super::ast::{Expr, Query, Selected, Statement};
use super::{SyntaxError, parse};

/// The tree of a query that is one.
fn query(text: &str) -> Query {
    match parse(text) {
        Ok(Statement::Select(query)) => *query,
        Ok(other) => panic!("{text}: {other:?}"),
        Err(error) => panic!("{text}: {error}"),
    }
}

/// The tree of a value.
fn value(text: &str) -> Expr {
    let whole = format!("SELECT {text} FROM E");
    let item = query(&whole).select.remove(0).value;
    let Selected::Value(value) = item else { panic!("{text}: {item:?}") };
    value
}

/// Why a text is refused.
fn refused(text: &str) -> SyntaxError {
    parse(text).expect_err(text)
}

/// A text that is read, printed and read again gives the same tree and the same text; gives the text.
fn printed(text: &str) -> String {
    let read = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let printed = read.to_string();
    let again = parse(&printed).unwrap_or_else(|error| panic!("{text}, printed {printed}: {error}"));
    assert_eq!(again, read, "{text}, printed {printed}");
    assert_eq!(again.to_string(), printed, "{text}");
    printed
}
