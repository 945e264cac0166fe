//! Every form of Sigma that the reader knows, in rules of our own: `tests/fixtures/sigma-forms`.

use super::*;
use crate::config::Rules;

/// With values for the placeholders of the folder.
fn settings() -> Rules {
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let placeholders = [
        ("Hosts".to_owned(), list(&["a.example", "b.example"])),
        ("Users".to_owned(), list(&["ann", "bob"])),
        ("Nobody".to_owned(), list(&[])),
    ];
    Rules { placeholders: placeholders.into(), ..Rules::default() }
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sigma-forms")
}

#[test]
fn every_rule_passes_its_samples() {
    let import = Import::of(&[folder()], &settings());
    assert_eq!(import.unsupported, []);
    assert!(import.imported.len() >= 40, "{} documents", import.imported.len());
    let failed: Vec<_> = test_rules(&RuleSet::alone(&[folder()], &settings()).0)
        .into_iter()
        .filter(|result| result.verdict != Verdict::Passed)
        .collect();
    assert_eq!(failed, []);
}

/// Which sample matches which rules: of its own file and of every other.
#[test]
fn samples_match_the_rules_of_the_golden_file() {
    let (set, faults) = RuleSet::alone(&[folder()], &settings());
    assert_eq!(faults, []);
    let mut lines = Vec::new();
    for rule in set.rules().iter().chain(set.silent()) {
        for sample in &rule.samples {
            let correlator = Correlator::live();
            let mut matcher = Matcher::new(&set.rules, &set.program).correlating(&set.correlations, &correlator);
            let mut hits = BTreeSet::new();
            for record in &sample.records {
                let trail = Trail::parse(record.as_bytes()).expect("a record");
                let found = matcher.detections(&trail, "111122223333", trail.event_id.or_empty(), trail.time_ms);
                hits.extend(found.iter().map(|hit| hit.id.as_str()));
            }
            let hits: Vec<&str> = hits.into_iter().collect();
            let kind = if sample.matches { "match" } else { "noMatch" };
            lines.push(format!("{}, {kind} {}: {}\n", rule.id, sample.name, hits.join(" ")));
        }
    }
    lines.sort();
    let found = lines.concat();
    let golden = std::fs::read_to_string(folder().join("matches.txt")).unwrap_or_default();
    assert!(found == golden, "tests/fixtures/sigma-forms/matches.txt must be:\n{found}");
}

/// The test above is worth what the folder holds: a form that no rule uses is not tested.
#[test]
fn every_form_that_the_reader_knows_is_used() {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder()).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "yml") {
            text += &std::fs::read_to_string(path).expect("a file");
        }
    }
    for (modifier, _) in sigma::MODIFIERS {
        let used = [":", "|", "'"].iter().any(|end| text.contains(&format!("|{modifier}{end}")));
        assert!(used, "no rule uses |{modifier}");
    }
    for (kind, _) in correlation::KINDS {
        assert!(text.contains(&format!("  type: {kind}\n")), "no correlation is a {kind}");
    }
    for (operator, _) in correlation::OPERATORS {
        assert!(
            text.contains(&format!(" {operator}: ")) || text.contains(&format!("{{{operator}: ")),
            "nothing compares with {operator}"
        );
    }
    for (form, written) in [
        ("an alias", "  aliases:\n"),
        ("a rule that its correlation leaves loud", "generate: true"),
        ("a correlation of a correlation", "rules: [forms-many-refused, "),
        ("a quantity of a pattern", "1 of selection_*"),
        ("all of a pattern", "all of selection_*"),
        ("one of all", "1 of them"),
        ("any of all", "any of them"),
        ("all of all", "all of them"),
        ("negation", "not "),
        ("parentheses", "(a or b) and not (c and not b)"),
        ("several conditions", "condition:\n    - a\n"),
        ("keywords", "  keywords: ["),
        ("all keywords", "'|all':"),
        ("a list of maps", "selection:\n    - event"),
        ("no value", ": null"),
        ("an empty text", ": ''"),
        ("wildcards", "'in*side?'"),
        ("escapes", "'literal\\*star'"),
        ("a placeholder in a text", "user-%Users%-x"),
        ("shared keys", "action: global"),
        ("a repeated rule", "action: repeat"),
        ("nothing shared any more", "action: reset"),
        ("a filter of a rule", "rules: [filtered]"),
        ("a filter of every rule", "rules: any"),
    ] {
        assert!(text.contains(written), "no rule uses {form}: {written}");
    }
}
