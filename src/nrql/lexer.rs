//! Text to tokens.
//!
//! In: the text of a query. Out: its tokens, each with the bytes it was read from, the last of them [`TokenKind::End`]. What
//! always holds: spans rise and stand at the borders of characters; blanks and comments leave nothing; what is no token ends the
//! list as [`TokenKind::Bad`], so that the parser tells it only if nothing is wrong before it.

use super::ast::Span;
use super::words;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// What.
    pub(super) kind: TokenKind,
    /// Where.
    pub(super) span: Span,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A bare word: a key word or a name. The text says which.
    Word,
    /// A name in back-ticks, without them.
    Quoted(String),
    /// A text, without quotes and escapes.
    Text {
        /// What it says.
        text: String,
        /// In `"`.
        double: bool,
    },
    /// `r'…'`, as it stands between the quotes.
    Raw(String),
    /// A number, never negative.
    Number(f64),
    /// `{{name}}`: the name.
    Template(String),
    /// A sign.
    Symbol(Symbol),
    /// What is no token.
    Bad(Bad),
    /// The end of the text.
    End,
}

/// Signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    Comma,
    Colon,
    Semicolon,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Equal,
    Less,
    Greater,
    Plus,
    Minus,
    Star,
    Slash,
}

/// How signs are written; the longer before the shorter.
pub(super) const SYMBOLS: [(&str, Symbol); 19] = [
    ("!=", Symbol::NotEqual),
    ("<=", Symbol::LessOrEqual),
    (">=", Symbol::GreaterOrEqual),
    ("(", Symbol::Open),
    (")", Symbol::Close),
    ("[", Symbol::OpenBracket),
    ("]", Symbol::CloseBracket),
    ("{", Symbol::OpenBrace),
    ("}", Symbol::CloseBrace),
    (",", Symbol::Comma),
    (":", Symbol::Colon),
    (";", Symbol::Semicolon),
    ("=", Symbol::Equal),
    ("<", Symbol::Less),
    (">", Symbol::Greater),
    ("+", Symbol::Plus),
    ("-", Symbol::Minus),
    ("*", Symbol::Star),
    ("/", Symbol::Slash),
];

/// Why something is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bad {
    /// A quote, back-tick, `/*` or `{{` without its end: which end.
    Open(&'static str),
    /// Back-ticks with nothing between.
    NoName,
    /// `{{}}`, or something between that is no name.
    NoTemplate,
    /// A number no computer holds.
    TooLarge,
    /// A character that starts nothing.
    Character,
}

/// The tokens of a text.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next();
        let ends = matches!(token.kind, TokenKind::Bad(_) | TokenKind::End);
        tokens.push(token);
        if ends {
            return tokens;
        }
    }
}

/// Whether a text, printed as it is, reads as one name. Back-ticks are needed for all others; New Relic documents them for names
/// that begin with a digit, and nothing about letters that are not ASCII.
pub(super) fn is_bare(text: &str) -> bool {
    let usual = text.is_ascii() && !text.starts_with(|c: char| c.is_ascii_digit());
    usual && matches!(&*tokens(text), [Token { kind: TokenKind::Word, span }, _] if span.range() == (0..text.len()))
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

/// What was read, or why nothing can be.
type Lexed = Result<TokenKind, Bad>;

impl Lexer<'_> {
    fn next(&mut self) -> Token {
        let blank = self.skip_blank();
        let start = self.at;
        let kind = blank.and_then(|()| self.token()).unwrap_or_else(TokenKind::Bad);
        if let TokenKind::Bad(bad) = kind {
            // What has no end is shown by its beginning.
            let from = self.text.get(start..).unwrap_or_default();
            let first = from.chars().next().map_or(0, char::len_utf8);
            let opening =
                ["/*", "{{", "r'", "R'"].iter().find(|opening| from.starts_with(**opening)).map_or(first, |it| it.len());
            self.at = match bad {
                Bad::NoName | Bad::NoTemplate | Bad::TooLarge => self.at,
                Bad::Open(_) => start + opening,
                Bad::Character => start + first,
            };
        }
        Token { kind, span: Span { start, end: self.at } }
    }

    /// What is left.
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes on if the text does so.
    fn eat(&mut self, what: &str) -> bool {
        let eaten = self.rest().starts_with(what);
        if eaten {
            self.at += what.len();
        }
        eaten
    }

    /// Goes on while characters are such; gives what was passed.
    fn eat_while(&mut self, is: impl Fn(char) -> bool) -> &str {
        let rest = self.rest();
        let length = rest.find(|c| !is(c)).unwrap_or(rest.len());
        let start = self.at;
        self.at += length;
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Goes on behind the next `end` and gives what stands before it.
    fn eat_to(&mut self, end: &'static str) -> Result<&str, Bad> {
        let start = self.at;
        let length = self.rest().find(end).ok_or(Bad::Open(end))?;
        self.at += length + end.len();
        Ok(self.text.get(start..start + length).unwrap_or_default())
    }

    /// Skips blanks and comments.
    fn skip_blank(&mut self) -> Result<(), Bad> {
        loop {
            self.eat_while(char::is_whitespace);
            if self.eat("--") || self.eat("//") {
                self.eat_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                let start = self.at;
                self.at += 2;
                if let Err(bad) = self.eat_to("*/").map(drop) {
                    self.at = start;
                    return Err(bad);
                }
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Lexed {
        let Some(first) = self.peek() else { return Ok(TokenKind::End) };
        let second = self.rest().chars().nth(1);
        match first {
            '\'' => self.quoted("'", "\\'").map(|text| TokenKind::Text { text, double: false }),
            '"' => self.quoted("\"", "\\\"").map(|text| TokenKind::Text { text, double: true }),
            '`' => self.name_in_ticks(),
            'r' | 'R' if second == Some('\'') => {
                self.at += 2;
                Ok(TokenKind::Raw(self.eat_to("'")?.to_owned()))
            }
            '{' if second == Some('{') => self.template(),
            '0'..='9' => self.number_or_name(),
            '.' if second.is_some_and(|c| c.is_ascii_digit()) => self.number(),
            _ if is_part(first) => Ok(self.word()),
            _ => self.symbol(),
        }
    }

    fn symbol(&mut self) -> Lexed {
        let symbol = SYMBOLS.iter().find(|(sign, _)| self.eat(sign));
        symbol.map(|(_, symbol)| TokenKind::Symbol(*symbol)).ok_or(Bad::Character)
    }

    /// A text: `\` before a quote or another `\` takes the meaning off it, so does a quote before a quote; any other `\` is one.
    fn quoted(&mut self, quote: &'static str, escaped: &str) -> Result<String, Bad> {
        self.at += quote.len();
        let mut text = String::new();
        loop {
            if self.eat("\\\\") {
                text.push('\\');
            } else if self.eat(escaped) {
                text += quote;
            } else if self.eat(quote) {
                if !self.eat(quote) {
                    return Ok(text);
                }
                text += quote;
            } else {
                let next = self.peek().ok_or(Bad::Open(quote))?;
                self.at += next.len_utf8();
                text.push(next);
            }
        }
    }

    fn name_in_ticks(&mut self) -> Lexed {
        self.at += 1;
        match self.eat_to("`")? {
            "" => Err(Bad::NoName),
            name => Ok(TokenKind::Quoted(name.to_owned())),
        }
    }

    fn template(&mut self) -> Lexed {
        self.at += 2;
        let name = self.eat_to("}}")?.trim();
        if name.is_empty() || name.contains(['{', '}', '\'', '\n']) {
            return Err(Bad::NoTemplate);
        }
        Ok(TokenKind::Template(name.to_owned()))
    }

    /// A bare word: parts joined by `.` or `:`. A part behind `:` begins with no digit, so that `t:0.5` is a name and its value.
    fn word(&mut self) -> TokenKind {
        loop {
            self.eat_while(is_part);
            let mut rest = self.rest().chars();
            let joined = match (rest.next(), rest.next()) {
                (Some('.'), Some(next)) => is_part(next),
                (Some(':'), Some(next)) => is_part(next) && !next.is_ascii_digit(),
                _ => false,
            };
            if !joined {
                return TokenKind::Word;
            }
            self.at += 1;
        }
    }

    /// `5`, `5 minutes` written `5minutes`, or a name such as `5xx`.
    fn number_or_name(&mut self) -> Lexed {
        let start = self.at;
        let number = self.number();
        if self.peek().is_none_or(|c| !is_part(c)) {
            return number;
        }
        let end = self.at;
        let letters = self.eat_while(is_part);
        if words::unit(letters).is_some() {
            self.at = end;
            return number;
        }
        self.at = start;
        Ok(self.word())
    }

    /// Digits, a fraction, an exponent.
    fn number(&mut self) -> Lexed {
        let start = self.at;
        self.eat_while(|c| c.is_ascii_digit());
        let mut rest = self.rest().chars();
        if rest.next() == Some('.') && rest.next().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            self.eat_while(|c| c.is_ascii_digit());
        }
        let exponent = self.rest().strip_prefix(['e', 'E']);
        let digits = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
        if let Some(digits) = digits.filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit())) {
            self.at += self.rest().len() - digits.len();
            self.eat_while(|c| c.is_ascii_digit());
        }
        let number = self.text.get(start..self.at).and_then(|digits| digits.parse::<f64>().ok());
        number.filter(|number| number.is_finite()).map(TokenKind::Number).ok_or(Bad::TooLarge)
    }
}

/// Whether a character may stand in a bare name; `%` is the wild card of metric names.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '%'
}
