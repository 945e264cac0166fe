//! Queries that others wrote.

use std::collections::BTreeMap;
use std::path::Path;

use crate::nrql::lint::{Names, Purpose, report};

/// How often each rule is told of the queries of a file, if it is there.
fn told(file: &str) -> Option<BTreeMap<&'static str, usize>> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).ok()?;
    let mut told = BTreeMap::new();
    for line in text.lines() {
        let mut columns = line.split('\t');
        let query = columns.next().unwrap_or_default().replace("\\n", "\n");
        let purpose = match columns.nth(1) {
            Some("alert") => Purpose::Condition { terms: Vec::new(), fills_gaps: false },
            _ => Purpose::Widget { own_window: false },
        };
        for names in [Names::default(), super::names()] {
            let knows = !names.know_nothing();
            for reported in report(&query, &names, &purpose) {
                assert!(reported.finding.span.end <= query.len(), "{query}");
                if !knows {
                    *told.entry(reported.finding.rule).or_default() += 1;
                }
            }
        }
    }
    Some(told)
}

/// What runs in New Relic is seldom wrong: these rules are told of hardly any query, and of the rest it is known why.
#[test]
fn queries_in_use_break_few_rules() {
    let told = told("tests/fixtures/nrql/queries.tsv").expect("the corpus");
    let wrong =
        ["syntax", "unknown-function", "wrong-arguments", "nested-aggregate", "aggregate-in-where", "clause-of-aggregates"];
    for rule in wrong {
        assert_eq!(told.get(rule), None, "{rule} of {told:?}");
    }
}

/// A larger set of the same kind, where it lies beside the repository.
#[test]
fn the_larger_set_breaks_few_rules() {
    let told = told("../shared/data/nrql/queries.tsv").unwrap_or_default();
    for rule in ["syntax", "unknown-function", "wrong-arguments", "nested-aggregate", "aggregate-in-where"] {
        assert_eq!(told.get(rule), None, "{rule} of {told:?}");
    }
}
