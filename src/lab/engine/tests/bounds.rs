//! What a query may cost: no text and no rows make the engine panic, run on or fill the memory.

use serde_json::{Map, Value as Json, json};

use super::super::{Engine, Settings};
use super::NOW;
use crate::lab::store::Store;

/// Rows of one type, a minute before now.
fn store_of(rows: impl IntoIterator<Item = Json>) -> Store {
    let store = Store::in_memory();
    for row in rows {
        let mut row: Map<String, Json> = row.as_object().expect("an object").clone();
        row.insert("timestamp".into(), json!(NOW - super::MINUTE));
        store.append_json("X", &row, NOW);
    }
    store
}

fn ask(store: &Store, settings: Settings, query: &str) -> Result<Json, String> {
    let statement = crate::nrql::parse(query).map_err(|error| error.to_string())?;
    let answer = Engine::new(store.snapshot(), settings).run(&statement, NOW).map_err(|error| error.to_string())?;
    Ok(answer.json()["results"].clone())
}

#[test]
fn more_than_255_facets_of_nothing_are_no_group() {
    let facets: Vec<String> = (0..300).map(|number| format!("none{number}")).collect();
    let query = format!("SELECT count(*) FROM X FACET {}", facets.join(", "));
    assert_eq!(ask(&store_of([json!({"a": 1})]), Settings::default(), &query), Ok(json!([])));
}

#[test]
fn two_thousand_items_of_one_name_have_names_of_their_own() {
    let query = format!("SELECT {} FROM X", vec!["count(*)"; 2_000].join(", "));
    let rows = ask(&store_of([json!({"a": 1})]), Settings::default(), &query).expect("an answer");
    assert_eq!(rows[0].as_object().map(Map::len), Some(2_000));
    assert_eq!(rows[0]["count 2000"], json!(1));
}
