//! What the pages say about the built-in rules: how many there are. The list of them is `cspm-relay rules catalogue`'s.

use std::path::Path;

use super::*;

fn page(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// A page that counts the rules counts those that are there.
#[test]
fn every_page_states_the_number_of_builtin_rules() {
    let count = RuleSet::builtin().rules().len();
    for (path, sentence) in [
        ("README.md", format!("** {count} built-in controls (")),
        ("README.ja.md", format!("** {count} 個の組み込み統制")),
        ("CHANGELOG.md", format!("- {count} detective controls as Sigma rules")),
    ] {
        assert!(page(path).contains(&sentence), "{path} must say {sentence:?}");
    }
}
