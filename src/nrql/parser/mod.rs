//! Tokens to a tree, by recursive descent.
//!
//! In: the text of a query. Out: its tree and warnings, or the first fault. What always holds: the fault is at the first token
//! after which nothing could make the text a query, and names all that could stand there; texts longer than [`MAX_BYTES`] or
//! nested deeper than [`MAX_DEPTH`] are refused, so no text can exhaust the stack.
//!
//! What may stand at a place is not written down twice: every question a parser asks about the token it stands before
//! ([`Parser::eat`], [`Parser::eat_word`]) is remembered until one is answered with yes, and told if none is.

mod call;
mod clauses;
mod expression;
mod moment;
mod source;

use super::ast::{Name, Span, Statement, Text};
use super::error::SyntaxError;
use super::lexer::{self, Bad, SYMBOLS, Symbol, Token, TokenKind};
use super::warnings::{Warning, WarningKind};
use super::words;

/// Longest text, bytes. New Relic takes less than 4 KB (NRQL reference, limits); queries of dashboards in use have up to 6 KB.
pub const MAX_BYTES: usize = 1 << 20;

/// How deep parentheses, calls and queries may stand in each other.
pub const MAX_DEPTH: usize = 64;

/// How many operators a text may have: a chain of them is a tree as deep. 4 KB hold no thousand comparisons.
pub const MAX_OPERATORS: usize = 1_000;

/// What went right, or the first fault.
type Parsed<T> = Result<T, SyntaxError>;

/// The tree of a text.
pub(super) fn statement(text: &str) -> Result<(Statement, Vec<Warning>), SyntaxError> {
    if text.len() > MAX_BYTES {
        let found = format!("{} bytes", text.len());
        return Err(SyntaxError::new(text, Span::default(), found, vec![format!("at most {MAX_BYTES}")]));
    }
    let mut parser = Parser::new(text);
    let statement = parser.statement()?;
    Ok((statement, parser.warnings))
}

/// Where the parser stands, and what it saw.
struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    /// What was asked about this token, in vain.
    expected: Vec<String>,
    depth: usize,
    operators: usize,
    warnings: Vec<Warning>,
}

/// What stands behind the last token, whoever asks.
const END: Token = Token { kind: TokenKind::End, span: Span { start: 0, end: 0 } };

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        let tokens = lexer::tokens(text);
        Self { text, tokens, at: 0, expected: Vec::new(), depth: 0, operators: 0, warnings: Vec::new() }
    }

    /// The token so many behind this one.
    fn ahead(&self, by: usize) -> &Token {
        self.tokens.get(self.at + by).or(self.tokens.last()).unwrap_or(&END)
    }

    fn token(&self) -> &Token {
        self.ahead(0)
    }

    /// What a token says, as written.
    fn written(&self, token: &Token) -> &'t str {
        self.text.get(token.span.range()).unwrap_or_default()
    }

    /// The bare word so many tokens ahead; empty if something else stands there.
    fn word(&self, by: usize) -> &'t str {
        let token = self.ahead(by);
        if token.kind == TokenKind::Word { self.written(token) } else { "" }
    }

    /// Where the parser stands, in bytes.
    fn start(&self) -> usize {
        self.token().span.start
    }

    /// From there to the end of the last token passed.
    fn since(&self, start: usize) -> Span {
        let last = self.at.checked_sub(1).and_then(|last| self.tokens.get(last));
        Span { start, end: last.map_or(start, |last| last.span.end.max(start)) }
    }

    fn advance(&mut self) {
        self.expected.clear();
        self.at += 1;
    }

    /// Remembers what could stand here.
    fn note(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.expected.contains(&what) {
            self.expected.push(what);
        }
    }

    fn is(&self, symbol: Symbol) -> bool {
        self.token().kind == TokenKind::Symbol(symbol)
    }

    /// Passes a sign, if it stands here.
    fn eat(&mut self, symbol: Symbol) -> bool {
        let is = self.is(symbol);
        if is {
            self.advance();
        } else {
            let sign = SYMBOLS.iter().find(|(_, one)| *one == symbol).map_or("", |(sign, _)| sign);
            self.note(ticked(sign));
        }
        is
    }

    /// Passes a sign that must stand here.
    fn need(&mut self, symbol: Symbol) -> Parsed<()> {
        if self.eat(symbol) { Ok(()) } else { Err(self.fault()) }
    }

    fn is_word(&self, word: &str) -> bool {
        self.word(0).eq_ignore_ascii_case(word)
    }

    /// Passes a key word, if it stands here.
    fn eat_word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        if is {
            self.advance();
        } else {
            self.note(ticked(word));
        }
        is
    }

    /// Passes a key word that must stand here.
    fn need_word(&mut self, word: &str) -> Parsed<()> {
        if self.eat_word(word) { Ok(()) } else { Err(self.fault()) }
    }

    /// Whether the word here is a name; one is before which a value stands.
    fn at_name(&self) -> bool {
        let next = self.ahead(1);
        self.token().kind == TokenKind::Word && words::is_name(self.word(0), &next.kind, self.written(next))
    }

    /// Passes a name, bare or in back-ticks, if one stands here.
    fn eat_name(&mut self, what: &str) -> Option<Name> {
        let span = self.token().span;
        let text = match &self.token().kind {
            TokenKind::Quoted(text) => text.clone(),
            TokenKind::Word if self.at_name() => self.word(0).to_owned(),
            _ => {
                self.note(what);
                return None;
            }
        };
        self.advance();
        Some(Name { text, span })
    }

    fn need_name(&mut self, what: &str) -> Parsed<Name> {
        self.eat_name(what).ok_or_else(|| self.fault())
    }

    /// Passes `{{name}}`, if it stands here.
    fn eat_template(&mut self) -> Option<Name> {
        let span = self.token().span;
        let TokenKind::Template(text) = &self.token().kind else {
            // Everything may come from a variable: nobody is helped by being told so.
            return None;
        };
        let text = text.clone();
        self.advance();
        Some(Name { text, span })
    }

    /// Passes a text in quotes, if one stands here, or a variable in its place.
    fn eat_text(&mut self, what: &str) -> Option<Text> {
        let span = self.token().span;
        if let Some(Name { text, span }) = self.eat_template() {
            return Some(Text { text: braced(&text), template: true, span });
        }
        let TokenKind::Text { text, double } = &self.token().kind else {
            self.note(what);
            return None;
        };
        let (text, double) = (text.clone(), *double);
        if double {
            self.warn(span, WarningKind::DoubleQuotes);
        }
        self.advance();
        Some(Text { text, template: false, span })
    }

    fn need_text(&mut self, what: &str) -> Parsed<Text> {
        self.eat_text(what).ok_or_else(|| self.fault())
    }

    /// A list without end: one, and another behind each comma.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut list = vec![one(self)?];
        while self.eat(Symbol::Comma) {
            list.push(one(self)?);
        }
        Ok(list)
    }

    fn warn(&mut self, span: Span, kind: WarningKind) {
        self.warnings.push(Warning { span, kind });
    }

    /// Goes one level deeper.
    fn deeper<T>(&mut self, inside: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return Err(self.too_much("nesting deeper than", MAX_DEPTH, "levels"));
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }

    /// Counts an operator.
    fn operator(&mut self) -> Parsed<()> {
        if self.operators == MAX_OPERATORS {
            return Err(self.too_much("more than", MAX_OPERATORS, "operators"));
        }
        self.operators += 1;
        Ok(())
    }

    fn too_much(&self, how: &str, most: usize, of: &str) -> SyntaxError {
        let found = format!("{how} {most} {of}");
        SyntaxError::new(self.text, self.token().span, found, vec![format!("at most {most}")])
    }

    /// Nothing that was asked for stands here.
    fn fault(&self) -> SyntaxError {
        let token = self.token();
        let expected = match token.kind {
            TokenKind::Bad(bad) => allowed(bad),
            _ => self.expected.clone(),
        };
        SyntaxError::new(self.text, token.span, self.found(token), expected)
    }

    /// This stands here, where only others may.
    fn fault_at(&self, token: &Token, found: &str, expected: &str) -> SyntaxError {
        SyntaxError::new(self.text, token.span, format!("{found} {}", self.found(token)), vec![expected.to_owned()])
    }

    /// A token in words.
    fn found(&self, token: &Token) -> String {
        let written = self.written(token);
        match token.kind {
            TokenKind::End => "the end".to_owned(),
            TokenKind::Bad(Bad::Open(_)) => format!("an open {}", ticked(written)),
            TokenKind::Text { .. } | TokenKind::Raw(_) | TokenKind::Template(_) | TokenKind::Quoted(_) => shortened(written),
            _ => ticked(&shortened(written)),
        }
    }
}

/// What may stand instead of what is no token.
fn allowed(bad: Bad) -> Vec<String> {
    vec![match bad {
        Bad::Open(end) => format!("{} behind it", ticked(end)),
        Bad::NoName => "a name between the back-ticks".to_owned(),
        Bad::NoTemplate => "the name of a variable between `{{` and `}}`".to_owned(),
        Bad::TooLarge => "a number below 1e308".to_owned(),
        Bad::Character => "a sign of NRQL; names with other characters stand in back-ticks".to_owned(),
    }]
}

/// A variable as it is written.
fn braced(name: &str) -> String {
    format!("{{{{{name}}}}}")
}

/// What stands in a query, inside a message.
fn ticked(text: &str) -> String {
    if text == "`" { "back-tick".to_owned() } else { format!("`{text}`") }
}

/// The beginning of a text, for a message.
fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    let mut chars = text.chars();
    let beginning: String = chars.by_ref().take(MOST).collect();
    if chars.next().is_some() { beginning + "…" } else { beginning }
}
