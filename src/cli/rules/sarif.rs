//! A test of rules as SARIF 2.1.0, which code-scanning pages show beside the line.
//!
//! In: a test. Out: one run; a result for all that failed or is broken. Passed samples are not results. What always holds: a
//! result that has a file has its URI, and one that has a line has its region, counted from 1.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::outcome::{Tested, Weight, sentence, weigh};
use crate::classify::Verdict;

/// Id, name and what is wrong, of every kind of result.
const KINDS: [(&str, &str); 6] = [
    ("broken-rule", "A rule file or rule cannot be used."),
    ("missed-match", "A rule does not match a record that it must match."),
    ("false-match", "A rule matches a record that it must not match."),
    ("unproven-condition", "A part of the condition can be taken out and no sample notices."),
    ("unreadable-sample", "A sample is not a record."),
    ("missing-sample", "A rule has no sample of one kind."),
];

/// The report.
pub(super) fn report(tested: &Tested) -> Value {
    let mut results = Vec::new();
    for fault in &tested.faults {
        let hint = fault.hint.map(|hint| format!(" Hint: {hint}.")).unwrap_or_default();
        results.push(result("broken-rule", "error", &format!("{}{hint}", fault.problem), &fault.file, fault.line));
    }
    for found in &tested.results {
        let level = match weigh(found) {
            Weight::Passed => continue,
            Weight::Warning => "warning",
            Weight::Failed => "error",
        };
        let kind = match found.verdict {
            Verdict::ShouldMatch => "missed-match",
            Verdict::ShouldNotMatch => "false-match",
            Verdict::Unreadable(_) => "unreadable-sample",
            Verdict::Unproven(_) => "unproven-condition",
            Verdict::Missing { .. } | Verdict::Passed => "missing-sample",
        };
        results.push(result(kind, level, &sentence(found), &found.file, found.line));
    }
    let used: BTreeSet<&str> = results.iter().filter_map(|result| result.get("ruleId")?.as_str()).collect();
    let rules: Vec<Value> = KINDS
        .iter()
        .filter(|(id, _)| used.contains(id))
        .map(|(id, what)| json!({ "id": id, "shortDescription": { "text": what } }))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "cspm-relay", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": results,
        }],
    })
}

fn result(kind: &str, level: &str, message: &str, file: &str, line: u64) -> Value {
    // A fault of the settings is in no file of the rules.
    if file.starts_with("rules.") && line == 0 {
        return json!({ "ruleId": kind, "level": level, "message": { "text": format!("{file}: {message}") } });
    }
    let mut place = json!({ "artifactLocation": { "uri": uri(file) } });
    if let (1.., Some(place)) = (line, place.as_object_mut()) {
        place.insert("region".to_owned(), json!({ "startLine": line }));
    }
    json!({ "ruleId": kind, "level": level, "message": { "text": message }, "locations": [{ "physicalLocation": place }] })
}

/// Where the built-in rules are in the repository: only there can a built-in rule fail.
const BUILTIN: (&str, &str) = ("builtin:", "src/classify/rules/");

/// A path as a URI reference: what may not stand in one is written as `%XX`.
fn uri(path: &str) -> String {
    let builtin = path.strip_prefix(BUILTIN.0).map(|path| format!("{}{path}", BUILTIN.1));
    let path = builtin.as_deref().unwrap_or(path);
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.strip_prefix("./").unwrap_or(path).bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri += &format!("%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        for (path, expected) in [
            ("rules/a.yml", "rules/a.yml"),
            ("./rules/a.yml", "rules/a.yml"),
            ("builtin:iam/a.yml", "src/classify/rules/iam/a.yml"),
            ("/etc/my rules/ä%.yml", "file:///etc/my%20rules/%C3%A4%25.yml"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }

    #[test]
    fn a_line_of_none_has_no_region() {
        let place = |line| result("broken-rule", "error", "x", "a.yml", line)["locations"][0]["physicalLocation"].clone();
        assert_eq!(place(0), json!({"artifactLocation": {"uri": "a.yml"}}));
        assert_eq!(place(7), json!({"artifactLocation": {"uri": "a.yml"}, "region": {"startLine": 7}}));
    }
}
