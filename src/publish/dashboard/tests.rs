//! What the definition that is built in holds.

use super::*;

#[test]
fn the_shipped_definition_has_no_findings() {
    let definition = Definition::shipped().expect("a definition");
    let findings: Vec<String> = lint::lint(&definition, &|_| Vec::new()).iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
