//! How often rules matched on past records.
//!
//! In: a file of figures. Out: figures by rule. What always holds: figures that cannot be, or of a rule that is not there, are refused
//! with the rule and what is wrong.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::super::unknown;
use crate::classify::Rule;
use crate::cli::exit::Stop;

/// What one rule did on past records.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Figures {
    /// Records that were looked at.
    pub(super) records: u64,
    /// Those that the rule matched.
    pub(super) matches: u64,
    /// Different actors of those.
    pub(super) actors: u64,
    /// Days that the records are of.
    pub(super) days: u64,
    /// What the records are.
    pub(super) source: String,
}

/// A file of figures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rules: BTreeMap<String, Figures>,
}

/// How such a file looks.
const FORM: &str = r#"{"rules": {"<control.id>": {"records": 100000, "matches": 3, "actors": 2, "days": 30, "source": "what the records are"}}}"#;

/// Reads a file of figures.
///
/// # Errors
/// It is not there or no such file; a rule is not there; figures contradict each other.
pub(super) fn read(path: &Path, rules: &[&Rule]) -> anyhow::Result<BTreeMap<String, Figures>> {
    let text = std::fs::read_to_string(path).map_err(|error| Stop::usage(format!("{}: {error}", path.display()), None))?;
    let form = || Some(format!("the form is {FORM}"));
    let file: File = serde_json::from_str(&text).map_err(|error| Stop::usage(format!("{}: {error}", path.display()), form()))?;
    for (id, figures) in &file.rules {
        if !rules.iter().any(|rule| rule.id == *id) {
            return Err(unknown(&format!("{}: reading the figures of", path.display()), id, rules.iter().copied()).into());
        }
        if let Some(wrong) = contradiction(figures) {
            return Err(Stop::usage(format!("{}: rule {id:?}: {wrong}", path.display()), form()).into());
        }
    }
    Ok(file.rules)
}

/// What cannot be.
fn contradiction(figures: &Figures) -> Option<String> {
    let Figures { records, matches, actors, days, source } = figures;
    let most =
        [("matches", matches, "records", records), ("actors", actors, "matches", matches), ("days", days, "records", records)];
    let too_many = most.into_iter().find(|(_, part, _, whole)| part > whole);
    let too_many = too_many.map(|(part, number, whole, most)| format!("{number} {part} of {most} {whole}: more than there are"));
    let is_unnamed = source.trim().is_empty();
    too_many.or_else(|| is_unnamed.then(|| "source is empty: it must say what the records are".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::RuleSet;

    fn refused(text: &str) -> String {
        let set = RuleSet::builtin();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("figures.json");
        std::fs::write(&path, text).expect("a file");
        let rules: Vec<&Rule> = set.rules().iter().collect();
        match read(&path, &rules) {
            Ok(figures) => panic!("{figures:?}"),
            Err(error) => format!("{error:#}").replace(&path.display().to_string(), "FILE"),
        }
    }

    #[test]
    fn figures_that_cannot_be_are_refused_with_what_is_wrong() {
        let of = |figures: &str| format!("{{\"rules\": {{\"iam-user-created\": {{{figures}}}}}}}");
        for (text, want) in [
            ("[]".to_owned(), "FILE: invalid"),
            (of("\"records\": 1"), "FILE: missing field `matches` at line 1"),
            (of("\"records\": -1"), "FILE: invalid value: integer `-1`"),
            (
                of(r#""records": 9, "matches": 10, "actors": 1, "days": 1, "source": "s""#),
                "FILE: rule \"iam-user-created\": 10 matches of 9 records",
            ),
            (of(r#""records": 9, "matches": 2, "actors": 3, "days": 1, "source": "s""#), "3 actors of 2 matches"),
            (of(r#""records": 9, "matches": 2, "actors": 1, "days": 1, "source": " ""#), "source is empty"),
            (of(r#""records": 9, "matches": 2, "actors": 1, "days": 1, "source": "s", "more": 1"#), "unknown field `more`"),
            (
                r#"{"rules": {"iam-user": {"records": 1, "matches": 1, "actors": 1, "days": 1, "source": "s"}}}"#.to_owned(),
                "rule \"iam-user\": no rule",
            ),
        ] {
            let found = refused(&text);
            assert!(found.contains(want), "{text}\n{found}");
        }
    }
}
