//! The files that a customer would write for the demo's accounts: exceptions, and what no rule judges.
//!
//! In: the present. Out: the text of each file, read as `run` reads a customer's. What always holds: one exception ends within the
//! weeks, early enough to mute something before it and late enough to be on the dashboard; attestations lie in the past.

use std::path::Path;

use super::super::exit::Stop;
use super::posture;
use crate::classify::{Exceptions, Frameworks, RuleSet};
use crate::record::time::{self, DAY_MS};

/// How long ago the exception ended, milliseconds.
const ENDED_MS: i64 = 10 * DAY_MS;

/// How long ago people attested what no rule judges, milliseconds.
const ATTESTED_MS: i64 = posture::SPAN_MS + 20 * DAY_MS;

/// The exceptions of the demo: days end in this time zone.
pub(super) fn exceptions(now_ms: i64, time_zone: &str, rules: &RuleSet) -> Result<Exceptions, Stop> {
    let text = format!(
        "- control: restricted-ssh\n  \
           owner: platform\n  \
           reason: SSH from home until the session manager is rolled out\n  \
           expires: {}\n  \
           scope: {{accounts: [777788889999]}}\n",
        time::format_ms((now_ms - ENDED_MS) / 1_000 * 1_000)
    );
    let read = Exceptions::from_text(&text, Path::new("demo/exceptions.yml"), time_zone, rules);
    read.map(|(exceptions, _)| exceptions).map_err(|error| Stop::failed(error.to_string(), None))
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
        let frameworks = frameworks(NOW_MS).expect("frameworks");
        let of = |at_ms: i64| -> Vec<(String, bool)> {
            let custom = frameworks.custom();
            custom.into_iter().map(|(id, _, duty)| (id.to_owned(), duty.is_attested(at_ms))).collect()
        };
        let want = [("data-centre-entry", true), ("incident-response-exercise", false), ("security-awareness-training", true)];
        assert_eq!(of(NOW_MS - posture::SPAN_MS), want.map(|(id, attested)| (id.to_owned(), attested)));
    }
}
