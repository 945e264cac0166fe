//! Queries that others wrote run on rows that have what they name.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::{MINUTE, NOW};
use crate::lab::engine::{Answer, Engine, QueryError, Settings};
use crate::lab::store::Store;
use crate::nrql::ast::{ExprKind, Source, Statement};
use crate::nrql::form::Usage;
use crate::nrql::function::Tier;
use crate::nrql::template::{Replacement, Strategy, fill, variables};
use crate::nrql::walk::{self, Part};

/// What a variable may stand for: the first that makes a query is taken.
const VALUES: [&str; 5] = ["1", "name", "1 hour", "count(*)", "FACET name"];

/// A word that its writer's readers put a number in the place of; as an attribute it stands outside an aggregate.
const A_NUMBER: &str = "CONVERSION_VALUE";

/// The queries of a file, if it is there.
fn queries(file: &str) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).ok()?;
    Some(text.lines().map(|line| line.split('\t').next().unwrap_or_default().replace("\\n", "\n")).collect())
}

/// The query with something in the place of its variables.
fn filled(query: &str) -> Option<Statement> {
    let query = &query.replace(A_NUMBER, "1.5");
    let names = variables(query);
    let try_with = |value: &&str| {
        let one = Replacement { values: vec![(*value).to_owned()], strategy: Strategy::Default };
        let all: Vec<_> = names.iter().map(|name| (*name, one.clone())).collect();
        crate::nrql::parse(&fill(query, &all).ok()?).ok()
    };
    VALUES.iter().find_map(try_with)
}

/// Six rows of every type that a query names, with every attribute that it names: numbers, texts and nothing at all.
fn store(statement: &Statement) -> Store {
    let (mut types, mut names) = (BTreeSet::new(), BTreeSet::new());
    walk::statement(statement, &mut |part| match part {
        Part::Query(query) => types.extend(query.from.iter().filter_map(|source| match source {
            Source::Type(name) => Some(name.text.clone()),
            _ => None,
        })),
        Part::Expr(value) => {
            if let ExprKind::Name(name) = &value.kind {
                names.insert(name.clone());
            }
        }
    });
    let store = Store::in_memory();
    for event_type in &types {
        for number in 0..6_i64 {
            let at = NOW - number * 10 * MINUTE - 1;
            let values = names.iter().enumerate().filter_map(|(column, name)| {
                let kind = (usize::try_from(number).unwrap_or(0) + column) % 3;
                let value: Json = match kind {
                    0 => json!(number + 1),
                    1 => json!(format!("text-{number}.example")),
                    _ => return None,
                };
                Some((name.clone(), value))
            });
            let mut row: Map<String, Json> = values.collect();
            row.insert("timestamp".to_owned(), at.into());
            store.append_json(event_type, &row, at);
        }
    }
    store
}

fn run(statement: &Statement) -> Result<Answer, QueryError> {
    Engine::new(store(statement).snapshot(), Settings::default()).run(statement, NOW)
}

/// All of them: how many ran, and what those say that did not.
fn check(queries: &[String]) -> (usize, Vec<String>) {
    let (mut ran, mut faults) = (0, Vec::new());
    for query in queries {
        let Some(statement) = filled(query) else {
            faults.push(format!("no value of a variable fits: {query}"));
            continue;
        };
        let tier = Usage::of(&statement).tier();
        match run(&statement) {
            Ok(_) => ran += 1,
            // Beyond the common language it is enough to be told so.
            Err(_) if matches!(tier, Tier::T3 | Tier::Beyond) => {}
            Err(error) => faults.push(format!("{error}: {query}")),
        }
    }
    (ran, faults)
}

/// Everything of the common tiers plans and runs; of the rest, what the engine says it can.
#[test]
fn what_others_wrote_runs_on_rows_that_have_what_it_names() {
    let queries = queries("tests/fixtures/nrql/queries.tsv").expect("the corpus");
    let (ran, faults) = check(&queries);
    assert_eq!(faults, Vec::<String>::new());
    assert!(ran >= 290, "{ran} of {} ran", queries.len());
}

/// A larger set of the same kind, where it lies beside the repository.
#[test]
fn the_larger_set_runs() {
    let queries = queries("../shared/data/nrql/queries.tsv").unwrap_or_default();
    let (ran, faults) = check(&queries);
    assert_eq!(faults, Vec::<String>::new());
    assert!(ran * 100 >= queries.len() * 97, "{ran} of {} ran", queries.len());
}
