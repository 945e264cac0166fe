//! What is refused in a condition, and what is taken for granted.
//!
//! In: the input of a condition, as the schema lets it through. Out: the whole condition, and everything that is wrong with it. What
//! always holds: every range is one of New Relic's documentation, schema or Terraform provider; where two say different things the
//! wider one is taken here, because a stand-in that refuses what New Relic takes helps nobody; the linter warns above the narrower.

use serde_json::{Map, Value as Json, json};

use super::condition::Kind;
use super::policy::{Wrong, length};
use super::{Arguments, input, number, text};
use crate::nrql::lint::{Names, Purpose, Severity, lint};

const NAME: usize = 128;
const DESCRIPTION: usize = 4_000;
const TITLE: usize = 256;

/// The rules of the linter that are New Relic's own: it refuses a condition, or any query, that breaks one.
const RULES: [&str; 7] = [
    "condition-clause",
    "condition-value",
    "mixed-select",
    "too-long",
    "unknown-argument",
    "unknown-function",
    "wrong-arguments",
];

/// Sets what was not given to what New Relic takes then.
pub(super) fn complete(fields: &mut Map<String, Json>, kind: Kind) {
    let default = |fields: &mut Map<String, Json>, name: &str, value: Json| {
        let field = fields.entry(name).or_insert(Json::Null);
        if field.is_null() {
            *field = value;
        }
    };
    default(fields, "violationTimeLimitSeconds", json!(259_200));
    if kind == Kind::Baseline {
        default(fields, "signalSeasonality", json!("NEW_RELIC_CALCULATION"));
    }
    let mut expiration = input(fields, "expiration");
    for flag in ["closeViolationsOnExpiration", "ignoreOnExpectedTermination", "openViolationOnExpiration"] {
        default(&mut expiration, flag, json!(false));
    }
    fields.insert("expiration".to_owned(), expiration.into());
    let mut signal = input(fields, "signal");
    default(&mut signal, "aggregationWindow", json!(60));
    default(&mut signal, "aggregationMethod", json!("EVENT_FLOW"));
    default(&mut signal, "fillOption", json!("NONE"));
    match text(&signal, "aggregationMethod") {
        "EVENT_TIMER" => default(&mut signal, "aggregationTimer", json!(60)),
        _ => default(&mut signal, "aggregationDelay", json!(120)),
    }
    fields.insert("signal".to_owned(), signal.into());
    let terms = fields.get_mut("terms").and_then(Json::as_array_mut);
    for term in terms.into_iter().flatten().filter_map(Json::as_object_mut) {
        default(term, "disableHealthStatusReporting", json!(false));
    }
}

/// Everything that is wrong with a whole condition.
pub(super) fn wrong(fields: &Arguments, kind: Kind) -> Vec<Wrong> {
    let mut wrong: Vec<Wrong> = [
        length("name", text(fields, "name"), 1, NAME),
        length("description", text(fields, "description"), 0, DESCRIPTION),
        length("titleTemplate", text(fields, "titleTemplate"), 0, TITLE),
        range("violationTimeLimitSeconds", number(fields, "violationTimeLimitSeconds"), 300, 2_592_000),
    ]
    .into_iter()
    .flatten()
    .collect();
    let runbook = text(fields, "runbookUrl");
    if !runbook.is_empty() && !runbook.starts_with("https://") && !runbook.starts_with("http://") {
        wrong.push(("runbookUrl".to_owned(), "must be a valid URL".to_owned()));
    }
    if !fields.get("enabled").is_some_and(Json::is_boolean) {
        wrong.push(("enabled".to_owned(), "is required".to_owned()));
    }
    wrong.extend(nrql(&input(fields, "nrql")));
    let signal = input(fields, "signal");
    wrong.extend(of_signal(&signal));
    wrong.extend(of_terms(fields, number(&signal, "aggregationWindow").unwrap_or(60), kind));
    wrong.extend(of_expiration(&input(fields, "expiration")));
    wrong
}

fn range(name: &str, value: Option<i64>, least: i64, most: i64) -> Option<Wrong> {
    let is_outside = value.is_some_and(|value| !(least..=most).contains(&value));
    is_outside.then(|| (name.to_owned(), format!("must be between {least} and {most}")))
}

fn told(name: &str, reason: &str) -> Wrong {
    (name.to_owned(), reason.to_owned())
}

fn nrql(nrql: &Arguments) -> Vec<Wrong> {
    let query = text(nrql, "query");
    let statement = match crate::nrql::parse(query) {
        Ok(statement) => statement,
        Err(fault) => return vec![told("nrql.query", &fault.to_string())],
    };
    let purpose = Purpose::Condition { terms: Vec::new(), fills_gaps: true };
    let findings = lint(query, &statement, &Names::default(), &purpose);
    let refused = findings.into_iter().filter(|finding| finding.severity == Severity::Error && RULES.contains(&finding.rule));
    refused.map(|finding| told("nrql.query", &finding.message)).collect()
}

fn of_signal(signal: &Arguments) -> Vec<Wrong> {
    let of = |name: &str| number(signal, name);
    let mut wrong: Vec<Wrong> = [
        range("signal.aggregationWindow", of("aggregationWindow"), 30, 21_600),
        range("signal.evaluationDelay", of("evaluationDelay"), 0, 7_200),
    ]
    .into_iter()
    .flatten()
    .collect();
    match text(signal, "aggregationMethod") {
        "EVENT_TIMER" => {
            wrong.extend(range("signal.aggregationTimer", of("aggregationTimer"), 0, 1_200));
            if of("aggregationDelay").is_some() {
                wrong.push(told("signal.aggregationDelay", "must not be set when aggregationMethod is EVENT_TIMER"));
            }
        }
        method => {
            let most = if method == "CADENCE" { 3_600 } else { 1_200 };
            wrong.extend(range("signal.aggregationDelay", of("aggregationDelay"), 0, most));
            if of("aggregationTimer").is_some() {
                wrong.push(told("signal.aggregationTimer", "must only be set when aggregationMethod is EVENT_TIMER"));
            }
        }
    }
    let fills = text(signal, "fillOption") == "STATIC";
    if fills != signal.get("fillValue").is_some_and(Json::is_number) {
        let reason = if fills { "is required when fillOption is STATIC" } else { "must only be set when fillOption is STATIC" };
        wrong.push(told("signal.fillValue", reason));
    }
    let window = of("aggregationWindow").unwrap_or(60).max(1);
    if let Some(slide) = of("slideBy") {
        let least = match window {
            ..=3_600 => 30,
            3_601..=7_200 => window / 120,
            _ => window / 24,
        };
        if slide < least || slide >= window {
            wrong.push(told("signal.slideBy", &format!("must be at least {least} and less than aggregationWindow")));
        } else if window % slide != 0 {
            wrong.push(told("signal.slideBy", "must be a factor of aggregationWindow"));
        }
    }
    wrong
}

fn of_terms(fields: &Arguments, window: i64, kind: Kind) -> Vec<Wrong> {
    let terms: Vec<&Arguments> =
        fields.get("terms").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_object).collect();
    if !(1..=2).contains(&terms.len()) {
        return vec![told("terms", "must hold one or two terms")];
    }
    let mut wrong = Vec::new();
    if let [one, other] = terms.as_slice()
        && text(one, "priority") == text(other, "priority")
    {
        wrong.push(told("terms[].priority", "must be CRITICAL for one and WARNING for the other"));
    }
    let shortest = match kind {
        Kind::Static => 60,
        Kind::Baseline => 120,
    };
    for term in terms {
        let duration = number(term, "thresholdDuration").unwrap_or_default();
        wrong.extend(range("terms[].thresholdDuration", Some(duration), shortest, 86_400));
        if window > 0 && duration % window != 0 {
            wrong.push(told("terms[].thresholdDuration", "must be a multiple of aggregationWindow"));
        }
        let threshold = term.get("threshold").and_then(Json::as_f64).unwrap_or_default();
        if kind == Kind::Baseline && !(1.0..=1_000.0).contains(&threshold) {
            wrong.push(told("terms[].threshold", "must be between 1 and 1000"));
        }
    }
    wrong
}

fn of_expiration(expiration: &Arguments) -> Vec<Wrong> {
    let duration = number(expiration, "expirationDuration");
    let mut wrong: Vec<Wrong> = range("expiration.expirationDuration", duration, 30, 172_800).into_iter().collect();
    let acts = ["closeViolationsOnExpiration", "openViolationOnExpiration"];
    if duration.is_none() && acts.iter().any(|flag| expiration.get(*flag) == Some(&Json::Bool(true))) {
        wrong.push(told("expiration.expirationDuration", "is required when violations are opened or closed on expiration"));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nrql::lint;

    /// What cannot be read is refused before any rule is asked.
    #[test]
    fn every_rule_that_new_relic_refuses_a_query_by_is_asked() {
        let documented = lint::RULES.iter().filter(|rule| rule.why.starts_with("docs: New Relic refuses it"));
        let documented: Vec<_> = documented.filter(|rule| rule.id != "syntax").collect();
        assert!(documented.len() > RULES.len() / 2, "{} of {}", documented.len(), RULES.len());
        for rule in documented {
            assert!(RULES.contains(&rule.id), "{}", rule.id);
        }
        for name in RULES {
            assert!(lint::RULES.iter().any(|rule| rule.id == name && rule.severity == Severity::Error), "{name}");
        }
    }
}
