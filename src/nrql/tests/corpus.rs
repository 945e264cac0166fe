//! Queries that others wrote.

use std::collections::BTreeSet;
use std::path::Path;

use super::{parse, printed};
use crate::nrql::form::Usage;
use crate::nrql::function::Tier;

/// The queries of a file, if it is there.
fn queries(file: &str) -> Option<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.lines().map(|line| line.split('\t').next().unwrap_or_default().replace("\\n", "\n")).collect())
}

#[test]
fn what_others_wrote_reads_back_as_printed() {
    let queries = queries("tests/fixtures/nrql/queries.tsv").expect("the corpus");
    assert_eq!(queries.len(), 300);
    for query in &queries {
        printed(query);
    }
}

/// The corpus is worth its place: it uses the language widely.
#[test]
fn the_corpus_uses_most_of_the_common_forms() {
    let queries = queries("tests/fixtures/nrql/queries.tsv").expect("the corpus");
    let mut forms = BTreeSet::new();
    let mut tiers = [0; 4];
    for query in &queries {
        let usage = Usage::of(&parse(query).expect(query));
        assert_eq!(usage.unknown, BTreeSet::new(), "{query}");
        tiers[usage.tier() as usize] += 1;
        forms.extend(usage.forms);
    }
    assert!(forms.len() >= 60, "{} forms", forms.len());
    assert!(tiers.iter().all(|queries| *queries >= 5), "{tiers:?} of {:?}", [Tier::T1, Tier::T2, Tier::T3, Tier::Beyond]);
}

/// A larger set of the same kind, where it lies beside the repository.
#[test]
fn the_larger_set_reads_back_as_printed() {
    for query in queries("../shared/data/nrql/queries.tsv").unwrap_or_default() {
        printed(&query);
    }
}
