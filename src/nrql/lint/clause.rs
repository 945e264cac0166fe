//! Where in the text a clause, an operator or a parenthesis stands: the tree does not keep that.
//!
//! In: the text. Out: positions. What always holds: a clause of a query is found by its word at the level of that query, not in
//! its parentheses; a word that is a name there is passed over, as the parser does.

use super::super::ast::{Query, Span};
use super::super::lexer::{self, Symbol, Token, TokenKind};
use super::super::words;

/// The text as tokens.
#[derive(Debug)]
pub(super) struct Clauses<'a> {
    text: &'a str,
    tokens: Vec<Token>,
}

impl<'a> Clauses<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, tokens: lexer::tokens(text) }
    }

    fn written(&self, token: &Token) -> &'a str {
        self.text.get(token.span.range()).unwrap_or_default()
    }

    /// What stands in the text there.
    pub(super) fn at(&self, span: Span) -> &'a str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// The last place where a clause of a query begins; the whole query if its word is not there.
    pub(super) fn find(&self, query: &Query, word: &str) -> Span {
        let mut depth = 0_usize;
        let mut found = None;
        let inside = self.tokens.iter().enumerate().skip_while(|(_, token)| token.span.start < query.span.start);
        for (place, token) in inside.take_while(|(_, token)| token.span.end <= query.span.end) {
            match token.kind {
                TokenKind::Symbol(Symbol::Open) => depth += 1,
                TokenKind::Symbol(Symbol::Close) => depth = depth.saturating_sub(1),
                TokenKind::Word if depth == 0 && self.written(token).eq_ignore_ascii_case(word) && !self.is_name(place) => {
                    found = Some(token.span);
                }
                _ => {}
            }
        }
        found.unwrap_or(query.span)
    }

    fn is_name(&self, place: usize) -> bool {
        let (Some(token), Some(next)) = (self.tokens.get(place), self.tokens.get(place + 1)) else { return false };
        words::is_name(self.written(token), &next.kind, self.written(next))
    }

    /// Whether exactly this stands in parentheses.
    pub(super) fn in_parentheses(&self, span: Span) -> bool {
        let first = self.tokens.partition_point(|token| token.span.start < span.start);
        let behind = self.tokens.partition_point(|token| token.span.start < span.end);
        let is = |place: Option<usize>, symbol: Symbol| {
            place.and_then(|place| self.tokens.get(place)).is_some_and(|token| token.kind == TokenKind::Symbol(symbol))
        };
        is(first.checked_sub(1), Symbol::Open) && is(Some(behind), Symbol::Close)
    }

    /// The next word behind an expression and the parentheses that close behind it, if it is this one.
    pub(super) fn word_behind(&self, span: Span, word: &str) -> Option<Span> {
        let mut behind = self.tokens.iter().skip_while(|token| token.span.start < span.end);
        let next = behind.find(|token| token.kind != TokenKind::Symbol(Symbol::Close))?;
        self.written(next).eq_ignore_ascii_case(word).then_some(next.span)
    }

    /// The word of an operator between two operands.
    pub(super) fn between(&self, left: Span, right: Span, word: &str) -> Span {
        let inside = self.tokens.iter().skip_while(|token| token.span.start < left.end);
        let mut words = inside.take_while(|token| token.span.end <= right.start);
        words.find(|token| self.written(token).eq_ignore_ascii_case(word)).map_or(left, |token| token.span)
    }
}
