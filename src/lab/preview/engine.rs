//! Answers from the lab's engine.
//!
//! In: a question, and a store that may still grow. Out: `NerdGraph`'s JSON with the names of a row in the order of `SELECT`.
//! What always holds: a query sees the rows of one moment; one that runs longer than New Relic lets it is refused.

use std::time::Duration;

use tokio::time::Instant;

use super::{Answers, Asked, Position, Refusal};
use crate::lab::engine::{self, Engine, QueryError, Stop};
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
        serde_json::to_string(&answer).map_err(|error| Refusal { message: error.to_string(), position: None })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::preview::tree::Tree;
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
