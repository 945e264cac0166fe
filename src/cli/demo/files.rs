//! The files that a customer would write for the demo's accounts: exceptions, and what no rule judges.
//!
//! In: the present, and the weeks of posture. Out: the text of each file, read as `run` reads a customer's. What always holds: one
//! exception ends within the weeks, late enough to be on the dashboard; what it covered was mended while it held, so that the last
//! word on everything is what AWS Config says; attestations lie in the past.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::super::exit::Stop;
use super::posture::{self, COMPLIANT, VIOLATING};
use crate::classify::{Exceptions, Frameworks, RuleSet};
use crate::record::time::{self, DAY_MS};

/// The rule that has an exception.
const EXCEPTED: &str = "restricted-ssh";

/// How long ago the exception ended, milliseconds.
const ENDED_MS: i64 = 10 * DAY_MS;

/// How long ago people attested what no rule judges, milliseconds.
const ATTESTED_MS: i64 = posture::SPAN_MS + 20 * DAY_MS;

/// The exceptions of the demo: days end in this time zone.
pub(super) fn exceptions(now_ms: i64, time_zone: &str, rules: &RuleSet) -> Result<Exceptions, Stop> {
    let Some([account, group]) = mended(now_ms) else { return Ok(Exceptions::default()) };
    let text = format!(
        "- control: {EXCEPTED}\n  \
           owner: platform\n  \
           reason: SSH from home until the session manager is rolled out\n  \
           expires: {}\n  \
           scope: {{accounts: [\"{account}\"], resources: [\"{group}\"]}}\n",
        time::format_ms((now_ms - ENDED_MS) / 1_000 * 1_000)
    );
    let read = Exceptions::from_text(&text, Path::new("demo/exceptions.yml"), time_zone, rules);
    read.map(|(exceptions, _)| exceptions).map_err(|error| Stop::failed(error.to_string(), None))
}

/// Account and id of a resource that violated the rule, and did so no more when the exception ended.
fn mended(now_ms: i64) -> Option<[String; 2]> {
    let mut stories: BTreeMap<[String; 2], Vec<String>> = BTreeMap::new();
    let until_ms = now_ms - ENDED_MS;
    for event in posture::weeks(now_ms).iter().filter(|event| event.at_ms < until_ms && !event.is_lost) {
        let of = |pointer: &str| event.envelope.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let state = of("/detail/newEvaluationResult/complianceType");
        if of("/detail/configRuleName") == EXCEPTED && !state.is_empty() {
            stories.entry([of("/account"), of("/detail/resourceId")]).or_default().push(state);
        }
    }
    let is_mended =
        |story: &[String]| story.iter().any(|state| state == VIOLATING) && story.last().is_some_and(|state| state == COMPLIANT);
    stories.into_iter().find(|(_, story)| is_mended(story)).map(|(resource, _)| resource)
}

/// The framework numbers of the demo: two controls that people see to, one of them not attested yet, and one of AWS.
pub(super) fn frameworks(now_ms: i64) -> Result<Frameworks, Stop> {
    let instant = time::format_ms(now_ms - ATTESTED_MS);
    let day = instant.split('T').next().unwrap_or_default();
    let text = format!(
        "control,framework,requirement,automation,responsibility,reason,attestedBy,attestedOn\n\
         security-awareness-training,ISO-27001-2022,A.6.3,manual,,AWS does not see who was trained,security officer,{day}\n\
         incident-response-exercise,SOC2,CC7.4,manual,,an exercise leaves no trace in AWS,,\n\
         data-centre-entry,ISO-27001-2022,A.7.2,inherited,,AWS guards its data centres: see its reports in AWS Artifact,\
         compliance officer,{day}\n"
    );
    let read = Frameworks::from_text(&text, Path::new("demo/frameworks.csv"));
    read.map(|(frameworks, _)| frameworks).map_err(|error| Stop::failed(error.to_string(), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_292_071_123;

    /// S2-20, S4-18: the files are good, and say of the weeks what the dashboard asks.
    #[test]
    fn one_exception_ends_within_the_weeks_and_what_no_rule_judges_is_named() {
        let exceptions = exceptions(NOW_MS, "UTC", &RuleSet::default()).expect("exceptions");
        let [exception] = exceptions.list() else { panic!("{exceptions:?}") };
        assert_eq!(exception.expires_ms, (NOW_MS - ENDED_MS) / 1_000 * 1_000);
        assert_eq!(exceptions.expired(Some(NOW_MS - posture::SPAN_MS), NOW_MS).count(), 1);
        assert!(exception.scope.text().starts_with("accounts: "), "what it covered was mended: {}", exception.scope.text());
        let frameworks = frameworks(NOW_MS).expect("frameworks");
        let of = |at_ms: i64| -> Vec<(String, bool)> {
            let custom = frameworks.custom();
            custom.into_iter().map(|(id, _, duty)| (id.to_owned(), duty.is_attested(at_ms))).collect()
        };
        let want = [("data-centre-entry", true), ("incident-response-exercise", false), ("security-awareness-training", true)];
        assert_eq!(of(NOW_MS - posture::SPAN_MS), want.map(|(id, attested)| (id.to_owned(), attested)));
    }
}
