//! How severe a SARIF result is.
//!
//! In: properties of the result and of its rule, and levels. Out: a severity on the one scale, and the words it came from. What
//! always holds: what cannot be read is passed over, so that the next source speaks; without any, SARIF's own default does.

use super::super::lenient::Pairs;
use crate::record::Severity;

/// A severity, and the words it came from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Graded {
    pub(super) severity: Severity,
    pub(super) original: String,
    /// The score, where it is one: 0 to 10.
    pub(super) score: Option<f64>,
}

/// What a result without a level has. [SARIF 2.1.0, 3.27.10]
const DEFAULT_LEVEL: &str = "warning";

/// Properties that name a severity in a word, the first that is there.
const WORDS: [&str; 4] = ["severity", "problem.severity", "issue_severity", "issueSeverity"];

/// What properties say: a score first, then a word.
pub(super) fn of_properties(properties: &Pairs<'_>) -> Option<Graded> {
    let named = |name: &str| {
        let found = properties.0.iter().find(|(own, _)| own == name);
        found.and_then(|(_, texts)| texts.0.first()).map(AsRef::as_ref)
    };
    if let Some((text, score)) = named("security-severity").and_then(|text| Some((text, score(text)?))) {
        return Some(Graded { severity: band(score), original: text.to_owned(), score: Some(score) });
    }
    let mut words = WORDS.iter().filter_map(|name| named(name));
    words.find_map(|text| Some(Graded { severity: word(text)?, original: text.to_owned(), score: None }))
}

/// The first level that there is, result's before rule's.
pub(super) fn of_levels(result: Option<&str>, rule: Option<&str>) -> Graded {
    let level = [result, rule].into_iter().flatten().find_map(|level| Some((level, of_level(level)?)));
    let (level, severity) = level.unwrap_or((DEFAULT_LEVEL, Severity::Medium));
    Graded { severity, original: level.to_owned(), score: None }
}

fn of_level(level: &str) -> Option<Severity> {
    Some(match level.to_ascii_lowercase().as_str() {
        "error" => Severity::High,
        "warning" => Severity::Medium,
        "note" => Severity::Low,
        "none" => Severity::Informational,
        _ => return None,
    })
}

fn score(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|score| (0.0..=10.0).contains(score))
}

/// The qualitative bands of CVSS 3.1.
fn band(score: f64) -> Severity {
    match score {
        9.0.. => Severity::Critical,
        7.0.. => Severity::High,
        4.0.. => Severity::Medium,
        score if score > 0.0 => Severity::Low,
        _ => Severity::Informational,
    }
}

/// Words of scanners.
fn word(text: &str) -> Option<Severity> {
    let text = text.trim().to_ascii_lowercase();
    if let Ok(severity) = text.parse() {
        return Some(severity);
    }
    Some(match text.as_str() {
        "moderate" => Severity::Medium,
        "recommendation" | "minor" => Severity::Low,
        "info" | "trace" | "negligible" => Severity::Informational,
        level => return of_level(level),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graded(properties: &str) -> Option<(Severity, String)> {
        let properties: Pairs<'_> = serde_json::from_str(properties).expect(properties);
        of_properties(&properties).map(|graded| (graded.severity, graded.original))
    }

    #[test]
    fn a_score_comes_before_a_word_and_what_cannot_be_read_is_passed_over() {
        use Severity::{Critical, High, Informational, Low, Medium};
        for (properties, want) in [
            (r#"{"security-severity":"9.0","severity":"LOW"}"#, Some((Critical, "9.0"))),
            (r#"{"security-severity":8.9}"#, Some((High, "8.9"))),
            (r#"{"security-severity":"7"}"#, Some((High, "7"))),
            (r#"{"security-severity":"6.99"}"#, Some((Medium, "6.99"))),
            (r#"{"security-severity":"0.1"}"#, Some((Low, "0.1"))),
            (r#"{"security-severity":"0.0"}"#, Some((Informational, "0.0"))),
            (r#"{"security-severity":"11","severity":"Moderate"}"#, Some((Medium, "Moderate"))),
            (r#"{"security-severity":"NaN","problem.severity":"recommendation"}"#, Some((Low, "recommendation"))),
            (r#"{"security-severity":{},"severity":["x"],"problem.severity":"error"}"#, Some((High, "error"))),
            (r#"{"severity":"INFO"}"#, Some((Informational, "INFO"))),
            (r#"{"severity":"purple"}"#, None),
            ("{}", None),
        ] {
            assert_eq!(graded(properties), want.map(|(severity, text)| (severity, text.to_owned())), "{properties}");
        }
    }

    #[test]
    fn without_a_word_the_levels_speak_and_without_those_the_default() {
        for (result, rule, want) in [
            (Some("error"), Some("note"), (Severity::High, "error")),
            (None, Some("note"), (Severity::Low, "note")),
            (Some("loud"), Some("none"), (Severity::Informational, "none")),
            (None, None, (Severity::Medium, "warning")),
        ] {
            let graded = of_levels(result, rule);
            assert_eq!((graded.severity, graded.original.as_str()), want, "{result:?} {rule:?}");
        }
    }
}
