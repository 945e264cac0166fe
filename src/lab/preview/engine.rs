//! Answers from the lab's engine.
//!
//! In: a question, and a store that may still grow. Out: `NerdGraph`'s JSON with the names of a row in the order of `SELECT`.
//! What always holds: a query sees the rows of one moment; one that runs longer than New Relic lets it is refused.

use std::time::Duration;

use tokio::time::Instant;

use super::tree::Tree;
use super::{Answers, Asked, Position, Refusal};
use crate::lab::engine::{self, Answer, Engine, QueryError, ResultRow, Stop, Window};
use crate::lab::store::Store;

/// How long a query may run, as in New Relic without Data Plus (NRQL reference, limits).
const TIME_LIMIT: Duration = Duration::from_mins(1);

/// The rows of a store, through the engine.
#[derive(Debug, Clone)]
pub struct FromStore {
    store: Store,
    settings: engine::Settings,
}

impl FromStore {
    /// Answers from this store, run with these settings.
    #[must_use]
    pub fn new(store: Store, settings: engine::Settings) -> Self {
        Self { store, settings }
    }
}

impl Answers for FromStore {
    fn answer(&self, asked: &Asked) -> Result<String, Refusal> {
        let end = Instant::now() + TIME_LIMIT;
        let stop = Some(Stop::new(move || Instant::now() > end));
        let engine = Engine::new(self.store.snapshot(), engine::Settings { stop, ..self.settings.clone() });
        let answer = engine.run(&asked.statement, asked.now_ms).map_err(refusal)?;
        serde_json::to_string(&tree(&answer)).map_err(|error| Refusal { message: error.to_string(), position: None })
    }

    fn knows(&self, event_type: &str, attribute: &str) -> bool {
        self.store.snapshot().attributes(event_type).iter().any(|known| **known == *attribute)
    }
}

fn refusal(error: QueryError) -> Refusal {
    // What the page put into the query stands nowhere in its text.
    let position = error.span.filter(|span| span.end > span.start).map(|span| Position { start: span.start, end: span.end });
    Refusal { message: error.message, position }
}

/// [`Answer::json`] in order.
fn tree(answer: &Answer) -> Tree {
    let about = &answer.metadata;
    let rows = |rows: &[ResultRow]| Tree::List(rows.iter().map(row).collect());
    let aside = |list: &[ResultRow]| match (about.facets.is_empty(), about.bucket_ms) {
        (true, _) => Tree::Null,
        (false, Some(_)) => rows(list),
        (false, None) => list.first().map_or(Tree::Null, row),
    };
    let window =
        |window: Window| -> Vec<ResultRow> { answer.results.iter().filter(|row| row.window == Some(window)).cloned().collect() };
    let mut whole =
        vec![("results", rows(&answer.results)), ("totalResult", aside(&answer.total)), ("otherResult", aside(&answer.other))];
    if about.compare_ms.is_some() {
        whole.push(("currentResults", rows(&window(Window::Current))));
        whole.push(("previousResults", rows(&window(Window::Previous))));
    }
    let texts = |list: &[std::sync::Arc<str>]| Tree::List(list.iter().map(|text| Tree::from(&**text)).collect());
    let time = object([("begin", Tree::Number(about.begin_ms.into())), ("end", Tree::Number(about.end_ms.into()))]);
    let messages = about.messages.iter().map(|message| Tree::from(message.as_str())).collect();
    whole.push((
        "metadata",
        object([
            ("eventTypes", texts(&about.event_types)),
            ("facets", texts(&about.facets)),
            ("messages", Tree::List(messages)),
            ("timeWindow", time),
        ]),
    ));
    object(whole)
}

fn object<'n>(fields: impl IntoIterator<Item = (&'n str, Tree)>) -> Tree {
    Tree::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A row; a value takes the place of a facet of the same name.
fn row(row: &ResultRow) -> Tree {
    let mut fields: Vec<(String, Tree)> = Vec::new();
    for (name, value) in row.fields() {
        let value = leaf(engine::json(&value));
        match fields.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, known)) => *known = value,
            None => fields.push((name.to_string(), value)),
        }
    }
    Tree::Object(fields)
}

fn leaf(value: serde_json::Value) -> Tree {
    match value {
        serde_json::Value::Null => Tree::Null,
        serde_json::Value::Bool(flag) => Tree::Bool(flag),
        serde_json::Value::Number(number) => Tree::Number(number),
        serde_json::Value::String(text) => Tree::Text(text),
        serde_json::Value::Array(items) => Tree::List(items.into_iter().map(leaf).collect()),
        serde_json::Value::Object(fields) => Tree::Object(fields.into_iter().map(|(name, value)| (name, leaf(value))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nrql;

    const BEGIN_MS: i64 = 1_700_000_000_000;

    fn answered(query: &str) -> Result<String, Refusal> {
        let store = Store::in_memory();
        for (at, kind, number) in [(1, "b", 2), (2, "a", 3), (3, "b", 4)] {
            let serde_json::Value::Object(row) =
                serde_json::json!({ "timestamp": BEGIN_MS + at, "z.kind": kind, "a.number": number })
            else {
                panic!("an object");
            };
            store.append_json("T", &row, at);
        }
        let statement = nrql::parse(query).unwrap();
        let asked = Asked { text: query.to_owned(), statement, accounts: vec![], now_ms: BEGIN_MS + 10 };
        FromStore::new(store, engine::Settings::default()).answer(&asked)
    }

    #[test]
    fn rows_keep_the_order_of_select() {
        let rows = |query| {
            let answer: Tree = serde_json::from_str(&answered(query).unwrap()).unwrap();
            serde_json::to_string(answer.get("results").unwrap()).unwrap()
        };
        for (name, query, expected) in [
            (
                "groups",
                "SELECT sum(a.number) AS 'z', count(*) FROM T FACET z.kind SINCE 1 minute ago",
                r#"[{"facet":"b","z.kind":"b","z":6,"count":2},{"facet":"a","z.kind":"a","z":3,"count":1}]"#,
            ),
            (
                "rows",
                "SELECT z.kind, a.number FROM T SINCE 1 minute ago LIMIT 1",
                r#"[{"timestamp":1700000000003,"z.kind":"b","a.number":4}]"#,
            ),
        ] {
            assert_eq!(rows(query), expected, "{name}");
        }
    }

    #[test]
    fn attributes_are_those_of_the_rows() {
        let store = Store::in_memory();
        store.append_json("T", &serde_json::Map::from_iter([("a.b".to_owned(), 1.into())]), 5);
        let answers = FromStore::new(store, engine::Settings::default());
        let known = [("T", "a.b"), ("T", "a"), ("U", "a.b")].map(|(event_type, attribute)| answers.knows(event_type, attribute));
        assert_eq!(known, [true, false, false]);
    }

    #[test]
    fn a_refusal_has_its_place() {
        let refusal = answered("SELECT nonsense(x) FROM T").unwrap_err();
        assert_eq!(refusal.position.map(|position| position.start), Some(7), "{refusal}");
        for (query, message, start) in [
            ("SELECT count(*) FROM T TIMESERIES PREDICT", "PREDICT: New Relic runs it; the lab does not", 34),
            ("SELECT cardinality(a) FROM Metric", "cardinality: New Relic runs it; the lab does not", 7),
        ] {
            let refusal = answered(query).unwrap_err();
            assert_eq!((&*refusal.message, refusal.position.map(|position| position.start)), (message, Some(start)));
        }
    }
}
