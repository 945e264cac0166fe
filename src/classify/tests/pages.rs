//! What the pages say about the built-in rules: how many there are, and the index.

use std::collections::BTreeMap;
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
        ("src/classify/rules/README.md", format!("\n{count} rules. ")),
    ] {
        assert!(page(path).contains(&sentence), "{path} must say {sentence:?}");
    }
}

/// The index names every rule with what its file says.
#[test]
fn the_index_of_the_rules_is_that_of_the_files() {
    let head = "| folder | name | severity | notice | CIS | ATT&CK |\n| --- | --- | --- | --- | --- | --- |\n";
    let set = RuleSet::builtin();
    let lines: BTreeMap<&str, String> = set.rules().iter().map(|rule| (rule.file.as_str(), line(rule))).collect();
    let index = head.to_owned() + &lines.into_values().collect::<String>();
    let readme = page("src/classify/rules/README.md");
    let (_, found) = readme.split_once(head).expect("the index has its head");
    assert!(head.to_owned() + found == index, "the index at the end of src/classify/rules/README.md must be:\n{index}");
}

/// The line of a rule: `builtin:<folder>/<name>.yml`, and the CIS numbers by version.
fn line(rule: &Rule) -> String {
    let folder = rule.file.trim_start_matches("builtin:").split('/').next().unwrap_or_default();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for id in rule.frameworks.items() {
        if let Some((version, number)) = id.strip_prefix("CIS-AWS-").and_then(|id| id.split_once(':')) {
            versions.entry(version).or_default().push(number);
        }
    }
    let cis: Vec<_> = versions.iter().map(|(version, numbers)| format!("{version}: {}", numbers.join(", "))).collect();
    let (severity, notice) = (rule.severity.as_str().to_lowercase(), if rule.notify { "yes" } else { "" });
    let techniques = rule.techniques.items().join(", ");
    format!("| {folder} | `{}` | {severity} | {notice} | {} | {techniques} |\n", rule.id, cis.join("; "))
}
