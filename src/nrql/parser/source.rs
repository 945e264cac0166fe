//! Where rows come from: `FROM`, `JOIN`.

use super::{Parsed, Parser};
use crate::nrql::ast::{Join, Query, Source};
use crate::nrql::lexer::{Symbol, TokenKind};
use crate::nrql::operator::Strength;

impl Parser<'_> {
    /// What stands behind `FROM`.
    pub(super) fn sources(&mut self) -> Parsed<Vec<Source>> {
        self.list(Self::source)
    }

    fn source(&mut self) -> Parsed<Source> {
        if let Some(template) = self.eat_template() {
            return Ok(Source::Template(template));
        }
        if self.is(Symbol::Open) {
            return Ok(Source::Query(Box::new(self.nested()?)));
        }
        if self.is_word("LOOKUP") && self.ahead(1).kind == TokenKind::Symbol(Symbol::Open) {
            self.advance();
            self.need(Symbol::Open)?;
            let table = self.need_name("the name of a table")?;
            self.need(Symbol::Close)?;
            return Ok(Source::Lookup(table));
        }
        if let Some(name) = self.eat_name("an event type") {
            return Ok(Source::Type(name));
        }
        self.note("`(`");
        Err(self.fault())
    }

    /// `(query)`.
    pub(super) fn nested(&mut self) -> Parsed<Query> {
        self.need(Symbol::Open)?;
        let query = self.query()?;
        self.need(Symbol::Close)?;
        Ok(query)
    }

    /// All that is joined, directly behind the sources.
    pub(super) fn joins(&mut self) -> Parsed<Vec<Join>> {
        let mut joins = Vec::new();
        loop {
            let left = self.eat_word("LEFT");
            if left || self.eat_word("INNER") {
                self.need_word("JOIN")?;
            } else if !self.eat_word("JOIN") {
                return Ok(joins);
            }
            joins.push(self.join(left)?);
        }
    }

    fn join(&mut self, left: bool) -> Parsed<Join> {
        let query = Box::new(self.nested()?);
        self.need_word("ON")?;
        // A key is no comparison: `=` leads to the column of the other side.
        let key = self.deeper(|parser| parser.at_least(Strength::Sum))?;
        let column = if self.eat(Symbol::Equal) { Some(self.need_name("a column of the query")?) } else { None };
        Ok(Join { left, query, key, column })
    }
}
