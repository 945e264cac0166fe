//! The few NRQL queries that `doctor` asks, on the rows the stand-in keeps.
//!
//! In: `SELECT count(*) | * | names FROM Type [WHERE name = 'value' AND …] [SINCE n units ago] [LIMIT n | MAX]`, `SELECT` and
//! `FROM` in any order. Out: results as `NerdGraph` gives them. Window and limit default as in New Relic: one hour, 100 rows,
//! newest first. Everything else is refused with the place where it stopped; the NRQL engine will take this over.

use serde_json::{Value, json};

use super::store::Store;

const DEFAULT_WINDOW_MS: i64 = 3_600_000;
const DEFAULT_ROWS: usize = 100;
/// `LIMIT MAX`, rows.
const MOST_ROWS: usize = 5_000;

/// What is selected.
#[derive(Debug, PartialEq)]
enum Selection {
    Count,
    All,
    Names(Vec<String>),
}

/// One query that the stand-in can answer.
#[derive(Debug, PartialEq)]
struct Query {
    selection: Selection,
    event_type: String,
    filters: Vec<(String, Value)>,
    window_ms: i64,
    rows: usize,
}

/// Why a query is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "NRQL Syntax Error: at {found}: expected {expected}; this stand-in knows SELECT count(*), * or names, FROM one type, \
     WHERE name = value AND …, SINCE n units ago, LIMIT"
)]
pub(super) struct QueryError {
    found: String,
    expected: &'static str,
}

/// Answers one query at `now_ms`.
pub(super) fn run(text: &str, store: &Store, now_ms: i64) -> Result<Value, QueryError> {
    let query = parse(text)?;
    let from_ms = now_ms.saturating_sub(query.window_ms);
    let mut rows = store.rows(&query.event_type);
    rows.retain(|row| {
        row.get("timestamp").and_then(Value::as_i64).is_some_and(|at| (from_ms..=now_ms).contains(&at))
            && query.filters.iter().all(|(name, value)| row.get(name).is_some_and(|found| is_equal(found, value)))
    });
    let names = match query.selection {
        Selection::Count => return Ok(json!([{ "count": rows.len() }])),
        Selection::All => None,
        Selection::Names(names) => Some(names),
    };
    rows.sort_by_key(|row| std::cmp::Reverse(row.get("timestamp").and_then(Value::as_i64)));
    rows.truncate(query.rows);
    if let Some(names) = names {
        for row in &mut rows {
            row.retain(|name, _| name == "timestamp" || names.contains(name));
        }
    }
    Ok(rows.into_iter().map(Value::Object).collect::<Vec<_>>().into())
}

fn is_equal(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Number(found), Value::Number(wanted)) if found.as_i64().is_none() || wanted.as_i64().is_none() => {
            found.as_f64() == wanted.as_f64()
        }
        _ => found == wanted,
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    /// A word in backticks: never a keyword.
    Name(String),
    Text(String),
    Number(serde_json::Number),
    Sign(char),
}

impl Token {
    fn is_word(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn show(&self) -> String {
        match self {
            Self::Word(text) | Self::Name(text) | Self::Text(text) => format!("\"{text}\""),
            Self::Number(number) => number.to_string(),
            Self::Sign(sign) => format!("\"{sign}\""),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let failed = |expected| QueryError { found: "the end".to_owned(), expected };
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(first) = chars.next() {
        match first {
            ' ' | '\t' | '\r' | '\n' => {}
            '\'' | '"' | '`' => {
                let mut quoted = String::new();
                loop {
                    match chars.next() {
                        None => return Err(failed("a closing quote")),
                        Some('\\') if first != '`' => quoted.push(chars.next().ok_or_else(|| failed("an escaped character"))?),
                        Some(c) if c == first => break,
                        Some(c) => quoted.push(c),
                    }
                }
                tokens.push(if first == '`' { Token::Name(quoted) } else { Token::Text(quoted) });
            }
            c if c.is_ascii_digit() || c == '-' || c.is_alphabetic() || c == '_' => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':')) {
                    word.push(c);
                }
                tokens.push(match word.parse() {
                    Ok(number) => Token::Number(number),
                    Err(_) => Token::Word(word),
                });
            }
            sign => tokens.push(Token::Sign(sign)),
        }
    }
    Ok(tokens)
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

fn parse(text: &str) -> Result<Query, QueryError> {
    let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable() };
    let (mut selection, mut event_type) = (None, None);
    while selection.is_none() || event_type.is_none() {
        if selection.is_none() && parser.take_word("SELECT") {
            selection = Some(parser.selection()?);
        } else if event_type.is_none() && parser.take_word("FROM") {
            event_type = Some(parser.name("an event type")?);
        } else {
            return Err(parser.expected("SELECT … FROM …"));
        }
    }
    let (Some(selection), Some(event_type)) = (selection, event_type) else { return Err(parser.expected("SELECT … FROM …")) };
    let mut query = Query { selection, event_type, filters: Vec::new(), window_ms: DEFAULT_WINDOW_MS, rows: DEFAULT_ROWS };
    while parser.tokens.peek().is_some() {
        if parser.take_word("WHERE") {
            query.filters.push(parser.filter()?);
            while parser.take_word("AND") {
                query.filters.push(parser.filter()?);
            }
        } else if parser.take_word("SINCE") {
            query.window_ms = parser.window_ms()?;
        } else if parser.take_word("LIMIT") {
            query.rows = if parser.take_word("MAX") { MOST_ROWS } else { parser.rows()? };
        } else {
            return Err(parser.expected("WHERE, SINCE, LIMIT or the end"));
        }
    }
    Ok(query)
}

impl Parser {
    fn expected(&mut self, expected: &'static str) -> QueryError {
        QueryError { found: self.tokens.peek().map_or_else(|| "the end".to_owned(), Token::show), expected }
    }

    fn take_word(&mut self, keyword: &str) -> bool {
        self.tokens.next_if(|token| token.is_word(keyword)).is_some()
    }

    fn take_sign(&mut self, sign: char) -> bool {
        self.tokens.next_if_eq(&Token::Sign(sign)).is_some()
    }

    fn name(&mut self, expected: &'static str) -> Result<String, QueryError> {
        match self.tokens.next_if(|token| matches!(token, Token::Word(_) | Token::Name(_))) {
            Some(Token::Word(name) | Token::Name(name)) => Ok(name),
            _ => Err(self.expected(expected)),
        }
    }

    fn selection(&mut self) -> Result<Selection, QueryError> {
        if self.take_sign('*') {
            return Ok(Selection::All);
        }
        let first = self.name("count(*), * or an attribute")?;
        if first.eq_ignore_ascii_case("count") && self.take_sign('(') {
            return if self.take_sign('*') && self.take_sign(')') { Ok(Selection::Count) } else { Err(self.expected("*)")) };
        }
        let mut names = vec![first];
        while self.take_sign(',') {
            names.push(self.name("an attribute")?);
        }
        Ok(Selection::Names(names))
    }

    fn filter(&mut self) -> Result<(String, Value), QueryError> {
        let name = self.name("an attribute")?;
        if !self.take_sign('=') {
            return Err(self.expected("="));
        }
        match self.tokens.next_if(|token| matches!(token, Token::Text(_) | Token::Number(_))) {
            Some(Token::Text(text)) => Ok((name, Value::String(text))),
            Some(Token::Number(number)) => Ok((name, Value::Number(number))),
            _ => Err(self.expected("a text in quotes or a number")),
        }
    }

    fn whole_number(&mut self) -> Result<u32, QueryError> {
        let expected = "a whole number";
        match self.tokens.peek() {
            Some(Token::Number(number)) => {
                let number = number.as_u64().and_then(|number| u32::try_from(number).ok());
                let Some(number) = number else { return Err(self.expected(expected)) };
                self.tokens.next();
                Ok(number)
            }
            _ => Err(self.expected(expected)),
        }
    }

    fn window_ms(&mut self) -> Result<i64, QueryError> {
        let count = i64::from(self.whole_number()?);
        let units = [("second", 1_000), ("minute", 60_000), ("hour", 3_600_000), ("day", 86_400_000), ("week", 7 * 86_400_000)];
        for (unit, milliseconds) in units {
            if self.take_word(unit) || self.take_word(&format!("{unit}s")) {
                return if self.take_word("AGO") { Ok(count.saturating_mul(milliseconds)) } else { Err(self.expected("ago")) };
            }
        }
        Err(self.expected("seconds, minutes, hours, days or weeks"))
    }

    fn rows(&mut self) -> Result<usize, QueryError> {
        Ok(usize::try_from(self.whole_number()?).unwrap_or(MOST_ROWS).min(MOST_ROWS))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::Api;
    use super::super::intake::{Intake, Row, Violation};
    use super::super::store::{Origin, Retain};
    use super::*;

    const NOW: i64 = 1_767_225_600_000;

    fn store() -> Store {
        let row = |value: Value| match value {
            Value::Object(attributes) => Row { event_type: "T".to_owned(), attributes },
            _ => panic!("{value}"),
        };
        let mut intake = Intake::default();
        intake.rows.extend([
            row(json!({ "timestamp": NOW - 1_000, "event.id": "a", "n": 1 })),
            row(json!({ "timestamp": NOW - 2_000, "event.id": "b", "n": 1.5 })),
            row(json!({ "timestamp": NOW - 7_200_000, "event.id": "a", "from": "it's" })),
        ]);
        intake.lose(Violation::ValueTooLong, 2, Some("T"));
        let store = Store::new(Retain::Rows);
        store.accept(Origin { api: Api::Events, request_id: "r", key_prefix: "000000", now_ms: NOW }, 1, intake);
        store
    }

    #[test]
    fn the_known_queries_are_answered() {
        let store = store();
        for (query, expected) in [
            ("SELECT count(*) FROM T", json!([{ "count": 2 }])),
            ("from T select COUNT(*) since 1 day ago", json!([{ "count": 3 }])),
            ("SELECT count(*) FROM T WHERE event.id = 'a' SINCE 3 hours ago", json!([{ "count": 2 }])),
            ("SELECT count(*) FROM T WHERE `event.id` = \"a\" AND n = 1", json!([{ "count": 1 }])),
            ("SELECT count(*) FROM T WHERE n = 1.5", json!([{ "count": 1 }])),
            ("SELECT count(*) FROM T WHERE n = '1'", json!([{ "count": 0 }])),
            ("SELECT count(*) FROM T WHERE `from` = 'it\\'s' SINCE 1 week ago", json!([{ "count": 1 }])),
            ("SELECT count(*) FROM Nothing", json!([{ "count": 0 }])),
            ("SELECT n, event.id FROM T LIMIT 1", json!([{ "timestamp": NOW - 1_000, "n": 1, "event.id": "a" }])),
            (
                "SELECT event.id FROM T LIMIT MAX",
                json!([
                    { "timestamp": NOW - 1_000, "event.id": "a" }, { "timestamp": NOW - 2_000, "event.id": "b" },
                ]),
            ),
            (
                "FROM NrIntegrationError SELECT * WHERE newRelicFeature = 'Event API'",
                json!([{
                    "timestamp": NOW, "newRelicFeature": "Event API", "category": "ApiLimit", "name": "EventValidationException",
                    "message": "attribute value is too long: 2 event(s) lost", "requestId": "r", "apiKeyPrefix": "000000",
                    "eventTypeSample": "T", "limitName": "AttributeValueLength", "limitValue": 4_096,
                }]),
            ),
        ] {
            assert_eq!(run(query, &store, NOW), Ok(expected), "{query}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_place() {
        let store = store();
        for (query, found, expected) in [
            ("", "the end", "SELECT … FROM …"),
            ("SELECT count(*)", "the end", "SELECT … FROM …"),
            ("SELECT sum(n) FROM T", "\"(\"", "SELECT … FROM …"),
            ("SELECT count(n) FROM T", "\"n\"", "*)"),
            ("SELECT count(*) FROM T FACET n", "\"FACET\"", "WHERE, SINCE, LIMIT or the end"),
            ("SELECT count(*) FROM T WHERE n > 1", "\">\"", "="),
            ("SELECT count(*) FROM T WHERE n = 1 OR n = 2", "\"OR\"", "WHERE, SINCE, LIMIT or the end"),
            ("SELECT count(*) FROM T WHERE n = m", "\"m\"", "a text in quotes or a number"),
            ("SELECT count(*) FROM T SINCE yesterday", "\"yesterday\"", "a whole number"),
            ("SELECT count(*) FROM T SINCE 2 moons ago", "\"moons\"", "seconds, minutes, hours, days or weeks"),
            ("SELECT count(*) FROM T LIMIT -1", "-1", "a whole number"),
            ("SELECT count(*) FROM T WHERE n = 'x", "the end", "a closing quote"),
        ] {
            assert_eq!(run(query, &store, NOW), Err(QueryError { found: found.to_owned(), expected }), "{query}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered_or_refused(text in r"(SELECT|FROM|WHERE|LIMIT|SINCE|count|[a-z.=*(),'`0-9-]| |\\|\PC){0,30}") {
            let refused = run(&text, &Store::new(Retain::Rows), NOW).err().map(|error| error.to_string());
            proptest::prop_assert!(refused.is_none_or(|error| error.starts_with("NRQL Syntax Error: at ")));
        }
    }
}
