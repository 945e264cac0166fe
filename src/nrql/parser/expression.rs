//! Values and conditions: one grammar for both, by the strength of operators.
//!
//! Tightest first: `[ ]` and calls; signs; `* /`; `+ -`; comparisons, `LIKE`, `RLIKE`, `IN`, `IS`; `NOT`; `AND`; `OR`. Operators of
//! equal strength are read from left to right.

use super::{Parsed, Parser};
use crate::nrql::ast::{Among, BinaryOp, Case, Cases, Expr, ExprKind, IsWhat, Key, Span, UnaryOp};
use crate::nrql::lexer::{Symbol, TokenKind};
use crate::nrql::operator::{self, Strength};
use crate::nrql::warnings::WarningKind;

/// Operators between two values that are signs.
const SIGNS: [(Symbol, BinaryOp); 10] = [
    (Symbol::Equal, BinaryOp::Equal),
    (Symbol::NotEqual, BinaryOp::NotEqual),
    (Symbol::Less, BinaryOp::Less),
    (Symbol::LessOrEqual, BinaryOp::LessOrEqual),
    (Symbol::Greater, BinaryOp::Greater),
    (Symbol::GreaterOrEqual, BinaryOp::GreaterOrEqual),
    (Symbol::Plus, BinaryOp::Add),
    (Symbol::Minus, BinaryOp::Subtract),
    (Symbol::Star, BinaryOp::Multiply),
    (Symbol::Slash, BinaryOp::Divide),
];

/// Operators between two values that are words.
const WORDS: [(&str, BinaryOp); 2] = [("OR", BinaryOp::Or), ("AND", BinaryOp::And)];

/// What `IS` asks.
const IS: [(&str, IsWhat); 3] = [("NULL", IsWhat::Null), ("TRUE", IsWhat::True), ("FALSE", IsWhat::False)];

impl Parser<'_> {
    /// A value or condition.
    pub(super) fn value(&mut self) -> Parsed<Expr> {
        self.deeper(|parser| parser.at_least(Strength::Or))
    }

    /// An expression of operators at least so strong.
    pub(super) fn at_least(&mut self, weakest: Strength) -> Parsed<Expr> {
        let start = self.start();
        let starts_with_cases = self.at_cases();
        let mut left = self.prefixed(weakest)?;
        loop {
            // `CASES(…) OR value` is one thing, whatever the value.
            if starts_with_cases && weakest == Strength::Or && self.is_word("OR") && is_open(&left) {
                self.advance();
                let otherwise = Box::new(self.value()?);
                let span = self.since(start);
                if let ExprKind::Cases(cases) = left.kind {
                    left = Expr { kind: ExprKind::Cases(Cases { otherwise: Some(otherwise), ..cases }), span };
                }
                return Ok(left);
            }
            if let Some(op) = self.binary_op(weakest) {
                self.operator()?;
                self.advance();
                let right = self.at_least(operator::strength_of_binary(op).tighter())?;
                left = Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), span: self.since(start) };
            } else if weakest <= Strength::Comparison && self.at_test() {
                self.operator()?;
                let kind = self.test(left)?;
                left = Expr { kind, span: self.since(start) };
            } else {
                self.note("an operator");
                return Ok(left);
            }
        }
    }

    /// The operator here, if it is at least so strong.
    fn binary_op(&self, weakest: Strength) -> Option<BinaryOp> {
        let sign = SIGNS.iter().find(|(sign, _)| self.is(*sign)).map(|(_, op)| *op);
        let op = sign.or_else(|| WORDS.iter().find(|(word, _)| self.is_word(word)).map(|(_, op)| *op));
        op.filter(|op| operator::strength_of_binary(*op) >= weakest)
    }

    /// Whether a test of one value follows. `NOT` behind a value can be nothing else.
    fn at_test(&self) -> bool {
        ["IS", "IN", "LIKE", "RLIKE", "NOT"].iter().any(|word| self.is_word(word))
    }

    /// What is asked about a value.
    fn test(&mut self, value: Expr) -> Parsed<ExprKind> {
        let value = Box::new(value);
        if self.eat_word("IS") {
            let negated = self.eat_word("NOT");
            for (word, what) in IS {
                if self.eat_word(word) {
                    return Ok(ExprKind::Is { value, negated, what });
                }
            }
            return Err(self.fault());
        }
        let negated = self.eat_word("NOT");
        if self.eat_word("IN") {
            return Ok(ExprKind::In { value, negated, among: self.among()? });
        }
        if self.eat_word("LIKE") {
            return Ok(ExprKind::Like { value, negated, pattern: Box::new(self.at_least(Strength::Sum)?) });
        }
        if self.eat_word("RLIKE") {
            return Ok(ExprKind::Rlike { value, negated, pattern: Box::new(self.at_least(Strength::Sum)?) });
        }
        Err(self.fault())
    }

    /// What `IN` looks through.
    fn among(&mut self) -> Parsed<Among> {
        if let Some(template) = self.eat_template() {
            return Ok(Among::Template(template));
        }
        self.need(Symbol::Open)?;
        if self.at_query() {
            let query = Box::new(self.query()?);
            self.need(Symbol::Close)?;
            return Ok(Among::Query(query));
        }
        if self.eat(Symbol::Close) {
            return Ok(Among::Values(Vec::new()));
        }
        let values = self.list(Self::value)?;
        self.need(Symbol::Close)?;
        Ok(Among::Values(values))
    }

    /// A value with what stands before it: `NOT` only where something so weak may stand, or signs.
    fn prefixed(&mut self, weakest: Strength) -> Parsed<Expr> {
        let mut before = Vec::new();
        while weakest <= Strength::Not && self.is_word("NOT") {
            self.operator()?;
            before.push((self.start(), UnaryOp::Not));
            self.advance();
        }
        let value = if before.is_empty() { self.signed()? } else { self.at_least(Strength::Comparison)? };
        Ok(self.under(before, value))
    }

    fn signed(&mut self) -> Parsed<Expr> {
        let mut before = Vec::new();
        loop {
            let sign = match self.token().kind {
                TokenKind::Symbol(Symbol::Minus) => UnaryOp::Minus,
                TokenKind::Symbol(Symbol::Plus) => UnaryOp::Plus,
                _ => break,
            };
            self.operator()?;
            before.push((self.start(), sign));
            self.advance();
        }
        let value = self.postfixed()?;
        Ok(self.under(before, value))
    }

    /// Puts a value under what stands before it.
    fn under(&self, before: Vec<(usize, UnaryOp)>, value: Expr) -> Expr {
        before.into_iter().rev().fold(value, |value, (start, op)| {
            let span = self.since(start);
            Expr { kind: ExprKind::Unary(op, Box::new(value)), span }
        })
    }

    /// A value and the keys behind it.
    fn postfixed(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let mut value = self.primary()?;
        while self.eat(Symbol::OpenBracket) {
            self.operator()?;
            let key = self.key()?;
            self.need(Symbol::CloseBracket)?;
            value = Expr { kind: ExprKind::Index { value: Box::new(value), key }, span: self.since(start) };
        }
        Ok(value)
    }

    /// What stands in `[ ]`. Any word is a field there.
    fn key(&mut self) -> Parsed<Key> {
        let sign = if self.eat(Symbol::Minus) { "-" } else { "" };
        let position = format!("{sign}{}", self.written(self.token())).parse::<i64>();
        let field = match &self.token().kind {
            TokenKind::Number(_) if position.is_ok() => None,
            TokenKind::Word if sign.is_empty() => Some(self.word(0).to_owned()),
            TokenKind::Quoted(text) | TokenKind::Text { text, .. } if sign.is_empty() => Some(text.clone()),
            _ => {
                self.note("a whole number");
                if sign.is_empty() {
                    self.note("a field");
                }
                return Err(self.fault());
            }
        };
        if let TokenKind::Text { double: true, .. } = self.token().kind {
            self.warn(self.token().span, WarningKind::DoubleQuotes);
        }
        self.advance();
        Ok(field.map_or(Key::Position(position.unwrap_or_default()), Key::Field))
    }

    /// One value without operators.
    fn primary(&mut self) -> Parsed<Expr> {
        let span = self.token().span;
        let kind = match &self.token().kind {
            TokenKind::Number(number) => ExprKind::Number(*number),
            TokenKind::Text { text, double } => {
                let (text, double) = (text.clone(), *double);
                if double {
                    self.warn(span, WarningKind::DoubleQuotes);
                }
                ExprKind::Text(text)
            }
            TokenKind::Raw(text) => ExprKind::Raw(text.clone()),
            TokenKind::Template(_) if self.ahead(1).kind == TokenKind::Symbol(Symbol::Open) => return self.call(),
            TokenKind::Template(name) => ExprKind::Template(name.clone()),
            TokenKind::Quoted(name) => ExprKind::Name(name.clone()),
            TokenKind::Symbol(Symbol::Open) => return self.parenthesised(),
            TokenKind::Word if self.at_cases() => return self.cases(),
            TokenKind::Word if self.at_name() => {
                if self.ahead(1).kind == TokenKind::Symbol(Symbol::Open) {
                    return self.call();
                }
                ExprKind::Name(self.word(0).to_owned())
            }
            TokenKind::Word if self.is_word("NULL") => ExprKind::Null,
            TokenKind::Word if self.is_word("TRUE") => ExprKind::Bool(true),
            TokenKind::Word if self.is_word("FALSE") => ExprKind::Bool(false),
            _ => {
                self.note("a value");
                return Err(self.fault());
            }
        };
        self.advance();
        Ok(Expr { kind, span })
    }

    /// `(value)`, `(value AS name)`, `(query)`.
    fn parenthesised(&mut self) -> Parsed<Expr> {
        self.need(Symbol::Open)?;
        let start = self.start();
        if self.at_query() {
            let query = self.query()?;
            let span = self.since(start);
            self.need(Symbol::Close)?;
            return Ok(Expr { kind: ExprKind::Query(Box::new(query)), span });
        }
        let value = self.value()?;
        self.useless_alias()?;
        self.need(Symbol::Close)?;
        Ok(value)
    }

    /// A name that names nothing: dashboards in use have some.
    pub(super) fn useless_alias(&mut self) -> Parsed<()> {
        let start = self.start();
        if self.alias()?.is_some() {
            self.warn(self.since(start), WarningKind::UselessName);
        }
        Ok(())
    }

    fn at_cases(&self) -> bool {
        self.is_word("CASES") && self.ahead(1).kind == TokenKind::Symbol(Symbol::Open)
    }

    /// `CASES(…)`, without what follows.
    fn cases(&mut self) -> Parsed<Expr> {
        let start = self.start();
        self.need_word("CASES")?;
        self.need(Symbol::Open)?;
        let mut cases = vec![self.case()?];
        loop {
            let comma = self.token().span;
            if !self.eat(Symbol::Comma) {
                break;
            }
            if self.is(Symbol::Close) {
                self.warn(comma, WarningKind::TrailingComma);
                break;
            }
            cases.push(self.case()?);
        }
        self.need(Symbol::Close)?;
        Ok(Expr { kind: ExprKind::Cases(Cases { cases, otherwise: None }), span: self.since(start) })
    }

    /// One case. `WHERE` is left out in some dashboards.
    fn case(&mut self) -> Parsed<Case> {
        self.eat_word("WHERE");
        Ok(Case { condition: self.value()?, alias: self.alias()? })
    }

    /// A span that starts where another does and ends here.
    pub(super) fn spanned<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<(T, Span)> {
        let start = self.start();
        let read = read(self)?;
        Ok((read, self.since(start)))
    }
}

/// Whether an expression is `CASES(…)` that can still take its `OR`.
fn is_open(value: &Expr) -> bool {
    matches!(&value.kind, ExprKind::Cases(Cases { otherwise: None, .. }))
}
