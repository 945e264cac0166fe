//! `NerdGraph`, as far as queries go.
//!
//! In: `POST /graphql` with a query and variables. Out: `actor { user { … } account(id: …) { id name nrql(query: …) { results … } }
//! accounts { … } }`, any part of it, in New Relic's shape: HTTP 200 with `errors` beside `data` for business errors. Fields it
//! does not know are GraphQL errors. Mutations, fragments and directives are refused.

use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::server::{Answer, header_text};
use super::settings::Account;
use super::store::Store;
use crate::lab::engine::{Engine, Settings};

/// Deepest nesting of fields that is read.
const DEEPEST: usize = 16;

/// The account whose user key the request carries.
///
/// # Errors
///
/// 401 with `BAD_API_KEY`. That it is a 401 is from memory; the error code is what New Relic's own client looks at.
pub(super) fn find_account<'a>(accounts: &'a [Account], headers: &HeaderMap) -> Result<&'a Account, Answer> {
    header_text(headers, "api-key").and_then(|key| accounts.iter().find(|account| account.user_key.expose() == key)).ok_or_else(
        || {
            let error = json!({ "message": "The API key provided is invalid", "extensions": { "error_code": "BAD_API_KEY" } });
            Answer::new(StatusCode::UNAUTHORIZED, json!({ "errors": [error] }))
        },
    )
}

#[derive(Debug, Deserialize)]
struct Posted {
    query: String,
    variables: Option<Map<String, Value>>,
}

/// Answers one query at `now_ms` for the user of `account`.
pub(super) fn answer(accounts: &[Account], account: &Account, store: &Store, now_ms: i64, body: &[u8]) -> Answer {
    let posted: Posted = match serde_json::from_slice(body) {
        Ok(posted) => posted,
        Err(error) => return Answer::new(StatusCode::BAD_REQUEST, json!({ "errors": [{ "message": error.to_string() }] })),
    };
    let variables = posted.variables.unwrap_or_default();
    let fields = match Parser::new(&posted.query, &variables).and_then(Parser::document) {
        Ok(fields) => fields,
        Err(message) => return Answer::new(StatusCode::OK, json!({ "errors": [{ "message": message }] })),
    };
    let mut run = Run { accounts, user: account, store, now_ms, errors: Vec::new() };
    let data = run.select(&fields, &mut vec![], Run::root);
    let answer = if run.errors.is_empty() { json!({ "data": data }) } else { json!({ "data": data, "errors": run.errors }) };
    Answer::new(StatusCode::OK, answer)
}

/// One selected field.
#[derive(Debug, PartialEq)]
struct Field {
    name: String,
    arguments: Map<String, Value>,
    fields: Vec<Field>,
}

struct Run<'a> {
    accounts: &'a [Account],
    user: &'a Account,
    store: &'a Store,
    now_ms: i64,
    errors: Vec<Value>,
}

type Path = Vec<String>;

impl Run<'_> {
    fn select(&mut self, fields: &[Field], path: &mut Path, resolve: impl Fn(&mut Self, &Field, &mut Path) -> Value) -> Value {
        let mut object = Map::new();
        for field in fields {
            path.push(field.name.clone());
            let value = resolve(self, field, path);
            path.pop();
            object.insert(field.name.clone(), value);
        }
        Value::Object(object)
    }

    fn fail(&mut self, path: &Path, class: &str, message: &str) -> Value {
        self.errors.push(json!({ "message": message, "path": path, "extensions": { "errorClass": class } }));
        Value::Null
    }

    fn unknown(&mut self, field: &Field, path: &Path) -> Value {
        let message = format!("Cannot query field \"{}\" on this stand-in", field.name);
        self.fail(path, "VALIDATION_ERROR", &message)
    }

    fn root(&mut self, field: &Field, path: &mut Path) -> Value {
        match field.name.as_str() {
            "actor" => self.select(&field.fields, path, Self::actor),
            _ => self.unknown(field, path),
        }
    }

    fn actor(&mut self, field: &Field, path: &mut Path) -> Value {
        match field.name.as_str() {
            "user" => self.select(&field.fields, path, |run, field, path| match field.name.as_str() {
                "name" => json!("Stand-in user"),
                "email" => json!("user@stand-in.invalid"),
                "id" => json!(1),
                _ => run.unknown(field, path),
            }),
            "accounts" => {
                let user = self.user;
                json!([self.select(&field.fields, path, |run, field, path| run.account_field(user, field, path))])
            }
            "account" => {
                // A key opens its own account only; another one that exists is refused like one that does not.
                let id = field.arguments.get("id").and_then(Value::as_u64);
                let user_key = &self.user.user_key;
                let Some(account) = self.accounts.iter().find(|account| Some(account.id) == id && account.user_key == *user_key)
                else {
                    return self.fail(path, "ACCESS_DENIED", "Access denied: no such account, or no right to it");
                };
                self.select(&field.fields, path, |run, field, path| run.account_field(account, field, path))
            }
            _ => self.unknown(field, path),
        }
    }

    fn account_field(&mut self, account: &Account, field: &Field, path: &mut Path) -> Value {
        match field.name.as_str() {
            "id" => json!(account.id),
            "name" => json!("Stand-in account"),
            "nrql" => {
                let Some(text) = field.arguments.get("query").and_then(Value::as_str) else {
                    return self.fail(path, "VALIDATION_ERROR", "nrql needs the argument query");
                };
                match self.nrql(account, text) {
                    Ok(answer) => self.select(&field.fields, path, |run, field, path| run.part(&answer, field, path)),
                    Err(error) => self.fail(path, "NRQL_SYNTAX_ERROR", &error),
                }
            }
            _ => self.unknown(field, path),
        }
    }

    /// The whole answer to a query.
    fn nrql(&self, account: &Account, text: &str) -> Result<Value, String> {
        let statement = crate::nrql::parse(text).map_err(|fault| fault.to_string())?;
        let settings = Settings { account_id: account.id, ..Settings::default() };
        // The end of a window is not included, and a clock that stands must not hide what came just now.
        let answer = Engine::new(self.store.columns().snapshot(), settings).run(&statement, self.now_ms.saturating_add(1));
        let mut answer = answer.map_err(|fault| format!("NRQL Syntax Error: {fault}"))?.json();
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("nrql".to_owned(), text.into());
        }
        Ok(answer)
    }

    /// What a field selects of a value that is there whole.
    fn part(&mut self, whole: &Value, field: &Field, path: &mut Path) -> Value {
        match whole.get(&field.name) {
            None => self.unknown(field, path),
            Some(value) if field.fields.is_empty() || value.is_null() => value.clone(),
            Some(value) => self.select(&field.fields, path, |run, field, path| run.part(value, field, path)),
        }
    }
}

/// Reads the part of GraphQL that queries without aliases, fragments and directives use.
struct Parser<'a> {
    rest: &'a str,
    variables: &'a Map<String, Value>,
}

impl<'a> Parser<'a> {
    #[expect(clippy::unnecessary_wraps, reason = "starts a chain of fallible steps")]
    fn new(text: &'a str, variables: &'a Map<String, Value>) -> Result<Self, String> {
        Ok(Self { rest: text, variables })
    }

    fn document(mut self) -> Result<Vec<Field>, String> {
        if let Some(word) = self.take_name() {
            if word != "query" {
                return Err(format!("this stand-in answers queries only, not \"{word}\""));
            }
            self.take_name();
            if self.take('(') {
                // Variable definitions: types are not checked.
                let (_, rest) = self.rest.split_once(')').ok_or("expected ) after the variables")?;
                self.rest = rest;
            }
        }
        let fields = self.selection(0)?;
        self.skip();
        if self.rest.is_empty() { Ok(fields) } else { Err(self.expected("the end")) }
    }

    fn selection(&mut self, depth: usize) -> Result<Vec<Field>, String> {
        if !self.take('{') {
            return Err(self.expected("{"));
        }
        if depth >= DEEPEST {
            return Err(format!("fields are nested deeper than {DEEPEST}"));
        }
        let mut fields = Vec::new();
        while !self.take('}') {
            let name = self.take_name().ok_or_else(|| self.expected("a field"))?.to_owned();
            let mut arguments = Map::new();
            if self.take('(') {
                while !self.take(')') {
                    let argument = self.take_name().ok_or_else(|| self.expected("an argument"))?.to_owned();
                    if !self.take(':') {
                        return Err(self.expected(":"));
                    }
                    arguments.insert(argument, self.value()?);
                }
            }
            self.skip();
            let fields_of_it = if self.rest.starts_with('{') { self.selection(depth + 1)? } else { Vec::new() };
            fields.push(Field { name, arguments, fields: fields_of_it });
        }
        Ok(fields)
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.take('$') {
            let name = self.take_name().ok_or_else(|| self.expected("a variable"))?;
            return self.variables.get(name).cloned().ok_or_else(|| format!("variable ${name} has no value"));
        }
        self.skip();
        // GraphQL writes texts, numbers and true, false, null as JSON does. Only a text may hold a sign that ends the others.
        let length = if self.rest.starts_with('"') {
            let mut texts = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
            texts.next().map_or(0, |_| texts.byte_offset())
        } else {
            self.rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.')).unwrap_or(self.rest.len())
        };
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        let Ok(value) = serde_json::from_str(text) else {
            return Err(self.expected("a text, a number, a variable, true, false or null"));
        };
        self.rest = rest;
        Ok(value)
    }

    /// Skips white space and commas, which mean nothing.
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    }

    fn take(&mut self, sign: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_name(&mut self) -> Option<&'a str> {
        self.skip();
        let length = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }

    fn expected(&self, expected: &str) -> String {
        let found: String = self.rest.chars().take(20).collect();
        format!("Syntax Error: expected {expected}, found \"{found}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::{ACCOUNT_ID, USER_KEY};
    use super::super::store::Retain;
    use super::*;
    use crate::secret::Secret;

    fn ask(query: &str, variables: &Value) -> Value {
        let other = Account { id: 7, user_key: Secret::new("NRAK-OTHER"), ..Account::default() };
        let accounts = [Account::default(), other];
        let body = json!({ "query": query, "variables": variables }).to_string();
        let answer = answer(&accounts, &accounts[0], &Store::new(Retain::Rows), 0, body.as_bytes());
        assert_eq!(answer.status, StatusCode::OK);
        answer.body
    }

    #[test]
    fn user_account_and_nrql_are_answered() {
        assert_eq!(
            ask("{ actor { user { name } } }", &Value::Null),
            json!({ "data": { "actor": { "user": { "name": "Stand-in user" } } } })
        );
        let query = "query Ask($id: Int!, $q: Nrql!) {\n actor { account(id: $id) { id, name nrql(query: $q, timeout: 5) { results } } } }";
        assert_eq!(
            ask(query, &json!({ "id": ACCOUNT_ID, "q": "SELECT count(*) FROM T" })),
            json!({ "data": { "actor": { "account":
                { "id": ACCOUNT_ID, "name": "Stand-in account", "nrql": { "results": [{ "count": 0 }] } } } } })
        );
        assert_eq!(
            ask(
                "{ actor { accounts { id } account(id: 1234567) { nrql(query: \"SELECT count(*) FROM T\") { results } } } }",
                &json!({})
            ),
            json!({ "data": { "actor": { "accounts": [{ "id": ACCOUNT_ID }], "account": { "nrql": { "results": [{ "count": 0 }] } } } } })
        );
    }

    #[test]
    fn what_is_refused_is_named() {
        for (label, query, message) in [
            ("no such account", "{ actor { account(id: 8) { id } } }", "Access denied"),
            ("account of another key", "{ actor { account(id: 7) { id } } }", "Access denied"),
            ("unknown field", "{ actor { user { shoeSize } } }", "Cannot query field \"shoeSize\""),
            ("unknown root", "{ docs { time } }", "Cannot query field \"docs\""),
            ("NRQL", "{ actor { account(id: 1234567) { nrql(query: \"SELECT 1\") { results } } } }", "NRQL Syntax Error"),
            ("no NRQL", "{ actor { account(id: 1234567) { nrql { results } } } }", "needs the argument query"),
            ("mutation", "mutation { x }", "queries only, not \"mutation\""),
            ("missing variable", "query($id: Int!) { actor { account(id: $id) { id } } }", "$id has no value"),
            ("cut", "{ actor {", "expected a field"),
            ("tail", "{ actor { user { name } } } }", "expected the end"),
            ("alias", "{ actor { a: user { name } } }", "expected a field"),
            ("too deep", &"{a".repeat(DEEPEST + 1), "nested deeper"),
            ("value", "{ actor { account(id: @) { id } } }", "expected a text"),
        ] {
            let answer = ask(query, &json!({}));
            let found = answer["errors"][0]["message"].as_str().unwrap_or_default();
            assert!(found.contains(message), "{label}: {answer}");
        }
    }

    #[test]
    fn only_a_user_key_opens_it() {
        let accounts = [Account::default()];
        let with = |key: Option<&str>| {
            let headers = key.map(|key| (axum::http::HeaderName::from_static("api-key"), key.parse().unwrap()));
            find_account(&accounts, &headers.into_iter().collect()).map(|account| account.id).map_err(|answer| answer.body)
        };
        assert_eq!(with(Some(USER_KEY)), Ok(ACCOUNT_ID));
        for key in [None, Some(accounts[0].license_key.expose()), Some("")] {
            assert_eq!(with(key).unwrap_err()["errors"][0]["extensions"]["error_code"], "BAD_API_KEY");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered_or_refused(text in r#"(query|actor|account|\{|\}|[a-z:$(),"0-9-]| |\\|\PC){0,30}"#) {
            let answer = ask(&text, &json!({}));
            proptest::prop_assert!(answer.get("data").is_some() || answer.get("errors").is_some());
        }
    }
}
