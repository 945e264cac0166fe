//! Calls of functions and their arguments.

use super::{Parsed, Parser, braced};
use crate::nrql::ast::{Argument, Call, Duration, Expr, ExprKind, Name, NamedValue, Span};
use crate::nrql::lexer::{Symbol, TokenKind};
use crate::nrql::words;

impl Parser<'_> {
    /// `name(arguments)`, `{{name}}(arguments)`.
    pub(super) fn call(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let name = match self.eat_template() {
            Some(Name { text, span }) => Name { text: braced(&text), span },
            None => self.need_name("a function")?,
        };
        let arguments = self.arguments()?;
        Ok(Expr { kind: ExprKind::Call(Call { name, arguments }), span: self.since(start) })
    }

    /// `(arguments)`.
    pub(super) fn arguments(&mut self) -> Parsed<Vec<Argument>> {
        self.need(Symbol::Open)?;
        if self.eat(Symbol::Close) {
            return Ok(Vec::new());
        }
        let arguments = self.list(Self::argument)?;
        self.need(Symbol::Close)?;
        Ok(arguments)
    }

    fn argument(&mut self) -> Parsed<Argument> {
        let span = self.token().span;
        if self.is(Symbol::Star) {
            self.advance();
            return Ok(Argument::All(span));
        }
        if self.is_word("WHERE") {
            self.advance();
            return Ok(Argument::Where { condition: self.value()?, alias: self.alias()? });
        }
        if self.ahead(1).kind == TokenKind::Symbol(Symbol::Colon)
            && let Some(name) = self.eat_name("")
        {
            self.need(Symbol::Colon)?;
            return Ok(Argument::Named { name, value: self.named_value()? });
        }
        if let Some((duration, span)) = self.length()? {
            return Ok(Argument::Duration(duration, span));
        }
        if self.at_query() {
            let (query, span) = self.spanned(Self::query)?;
            return Ok(Argument::Value(Expr { kind: ExprKind::Query(Box::new(query)), span }));
        }
        let value = self.value()?;
        self.useless_alias()?;
        Ok(Argument::Value(value))
    }

    /// What stands behind `name:`.
    pub(super) fn named_value(&mut self) -> Parsed<NamedValue> {
        if self.eat(Symbol::OpenBrace) {
            let names = self.list(|parser| parser.need_name("a name"))?;
            self.need(Symbol::CloseBrace)?;
            return Ok(NamedValue::Names(names));
        }
        if let Some((duration, span)) = self.length()? {
            return Ok(NamedValue::Duration(duration, span));
        }
        Ok(NamedValue::Value(self.value()?))
    }

    /// A number with its unit, if they stand here: the unit says that it is no plain number.
    fn length(&mut self) -> Parsed<Option<(Duration, Span)>> {
        let is_number = matches!(self.token().kind, TokenKind::Number(_));
        if is_number && words::unit(self.word(1)).is_some() {
            return self.spanned(Self::duration).map(Some);
        }
        Ok(None)
    }

    /// `AS name`, if it stands here. A name may be bare, in back-ticks or in quotes.
    pub(super) fn alias(&mut self) -> Parsed<Option<Name>> {
        if self.eat_word("AS") { self.new_name().map(Some) } else { Ok(None) }
    }

    /// The name behind `AS`.
    pub(super) fn new_name(&mut self) -> Parsed<Name> {
        if let Some(text) = self.eat_text("a name") {
            return Ok(Name { text: text.text, span: text.span });
        }
        self.need_name("a name")
    }

    /// `AS name` or `AS (name, name)`: no name if neither stands here.
    pub(super) fn aliases(&mut self) -> Parsed<Vec<Name>> {
        if !self.eat_word("AS") {
            return Ok(Vec::new());
        }
        if self.eat(Symbol::Open) {
            let names = self.list(Self::new_name)?;
            self.need(Symbol::Close)?;
            return Ok(names);
        }
        Ok(vec![self.new_name()?])
    }
}
