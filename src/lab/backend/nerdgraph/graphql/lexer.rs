//! Text of GraphQL as tokens.
//!
//! In: a text. Out: tokens with their places, one after another. What always holds: a token's place is where it begins, counted
//! from 1 in lines and characters; what is no token is a fault and never a panic.

use super::Place;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or keyword.
    Name(String),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A text, what stands for other signs replaced.
    Text(String),
    /// One of `! $ & ( ) : = @ [ ] { | }`, or `…` for the three dots of a spread.
    Sign(char),
    /// Nothing more.
    End,
}

impl Token {
    /// As it is named in an answer.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Name(text) | Self::Text(text) => text.chars().take(40).collect(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Sign('…') => "...".to_owned(),
            Self::Sign(sign) => sign.to_string(),
            Self::End => String::new(),
        }
    }
}

/// Reads tokens.
pub(super) struct Lexer<'t> {
    rest: &'t str,
    place: Place,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text, place: Place { line: 1, column: 1 } }
    }

    fn take(&mut self) -> Option<char> {
        let mut signs = self.rest.chars();
        let sign = signs.next()?;
        self.rest = signs.as_str();
        if sign == '\n' {
            self.place = Place { line: self.place.line.saturating_add(1), column: 1 };
        } else {
            self.place.column = self.place.column.saturating_add(1);
        }
        Some(sign)
    }

    fn take_while(&mut self, mut goes_on: impl FnMut(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(sign) = self.rest.chars().next().filter(|sign| goes_on(*sign)) {
            taken.push(sign);
            self.take();
        }
        taken
    }

    fn skip(&mut self) {
        loop {
            self.take_while(|sign| sign.is_whitespace() || sign == ',' || sign == '\u{feff}');
            if !self.rest.starts_with('#') {
                return;
            }
            self.take_while(|sign| sign != '\n');
        }
    }

    /// The next token and where it begins.
    ///
    /// # Errors
    /// Where no token begins, and what stands there.
    pub(super) fn next(&mut self) -> Result<(Place, Token), (Place, String)> {
        self.skip();
        let place = self.place;
        let Some(sign) = self.rest.chars().next() else { return Ok((place, Token::End)) };
        let token = match sign {
            'a'..='z' | 'A'..='Z' | '_' => Token::Name(self.take_while(|sign| sign.is_ascii_alphanumeric() || sign == '_')),
            '-' | '0'..='9' => {
                let text = self.take_while(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '+' | '.'));
                let whole = text.parse().ok().map(Token::Int);
                let other = || text.parse().ok().filter(|number: &f64| number.is_finite()).map(Token::Float);
                whole.or_else(other).ok_or((place, text))?
            }
            '"' => Token::Text(self.text().ok_or_else(|| (place, "\"".to_owned()))?),
            '.' if self.rest.starts_with("...") => {
                for _ in 0..3 {
                    self.take();
                }
                Token::Sign('…')
            }
            '!' | '$' | '&' | '(' | ')' | ':' | '=' | '@' | '[' | ']' | '{' | '|' | '}' => {
                self.take();
                Token::Sign(sign)
            }
            other => return Err((place, other.to_string())),
        };
        Ok((place, token))
    }

    /// The text that begins here; none if it never ends or holds what no text may hold.
    fn text(&mut self) -> Option<String> {
        if self.rest.starts_with("\"\"\"") {
            return self.block();
        }
        self.take();
        let mut text = String::new();
        loop {
            match self.take()? {
                '"' => return Some(text),
                '\n' => return None,
                '\\' => text.push(self.escaped()?),
                sign => text.push(sign),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        Some(match self.take()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let high = self.hex()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high);
                }
                // A pair stands for one sign.
                if self.take()? != '\\' || self.take()? != 'u' {
                    return None;
                }
                let low = self.hex().filter(|low| (0xdc00..0xe000).contains(low))?;
                return char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
            sign @ ('"' | '\\' | '/') => sign,
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let mut number = 0;
        for _ in 0..4 {
            number = number * 16 + self.take()?.to_digit(16)?;
        }
        Some(number)
    }

    /// A text between triple quotes, without the indentation that all its lines but the first share.
    fn block(&mut self) -> Option<String> {
        let (raw, _) = self.rest.get(3..)?.split_once("\"\"\"")?;
        for _ in 0..raw.chars().count().saturating_add(6) {
            self.take();
        }
        let lines: Vec<&str> = raw.lines().collect();
        let indent = |line: &&str| line.len() - line.trim_start_matches([' ', '\t']).len();
        let shared = lines.iter().skip(1).filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
        let cut =
            |(at, line): (usize, &&str)| if at == 0 { (*line).to_owned() } else { line.get(shared..).unwrap_or("").to_owned() };
        let cut: Vec<String> = lines.iter().enumerate().map(cut).collect();
        let first = cut.iter().position(|line| !line.trim().is_empty()).unwrap_or(cut.len());
        let last = cut.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |at| at + 1);
        Some(cut.get(first..last).unwrap_or_default().join("\n"))
    }
}
