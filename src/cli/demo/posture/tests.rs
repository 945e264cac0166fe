//! What must hold of the made weeks: it is the same every time, in order, whole, and has something of everything.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::record::Severity;

const NOW_MS: i64 = 1_795_292_071_123;

/// Every state that a rule told of a resource, in the order in which it was told.
fn stories() -> BTreeMap<String, Vec<String>> {
    let mut stories: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in weeks(NOW_MS).iter().filter(|event| event.envelope["detail-type"] == "Config Rules Compliance Change") {
        let detail = &event.envelope["detail"];
        let key = ["awsAccountId", "configRuleName", "resourceId"].map(|name| detail[name].as_str().unwrap()).join(" ");
        let story = stories.entry(key).or_default();
        let was = detail["oldEvaluationResult"]["complianceType"].as_str();
        assert_eq!(was, story.last().map(String::as_str), "it begins where the one before ended");
        story.push(detail["newEvaluationResult"]["complianceType"].as_str().unwrap().to_owned());
    }
    stories
}

#[test]
fn the_same_present_gives_the_same_weeks() {
    let weeks_of = |now_ms| weeks(now_ms).into_iter().map(|event| event.envelope.to_string()).collect::<Vec<_>>();
    assert_eq!(weeks_of(NOW_MS), weeks_of(NOW_MS));
    assert_ne!(weeks_of(NOW_MS), weeks_of(NOW_MS + 60_000));
}

#[test]
fn all_of_it_lies_in_the_weeks_in_the_order_of_time_and_reaches_the_last_day() {
    let weeks = weeks(NOW_MS);
    assert!(weeks.is_sorted_by_key(|event| event.at_ms));
    assert!(weeks.iter().all(|event| event.at_ms > NOW_MS - SPAN_MS && event.at_ms < NOW_MS));
    assert!(weeks.iter().all(|event| event.envelope["time"] == time::format_ms(event.at_ms)));
    let of_last_day = weeks.iter().filter(|event| event.at_ms > NOW_MS - DAY_MS && event.envelope["source"] == "aws.config");
    assert!(of_last_day.count() > 5);
}

#[test]
fn violations_begin_are_mended_and_come_back_and_resources_are_deleted() {
    let stories = stories();
    let told = |wanted: &[&str]| stories.values().filter(|story| story.windows(wanted.len()).any(|part| part == wanted)).count();
    assert!(stories.len() > 500);
    assert_eq!(weeks(NOW_MS).iter().filter(|event| event.is_lost).count(), 1, "one that a reading must find");
    assert!(told(&[COMPLIANT, VIOLATING]) > 10);
    assert!(told(&[VIOLATING, COMPLIANT]) > 10);
    assert!(told(&[VIOLATING, COMPLIANT, VIOLATING]) > 1, "reopened");
    assert!(stories.values().filter(|story| story.last().unwrap() == GONE).count() >= ACCOUNTS.len());
    assert_eq!(told(&[GONE, COMPLIANT]) + told(&[GONE, VIOLATING]), 0, "what is deleted stays so");
}

/// S1-11: what an insight counts is what violates at that time.
#[test]
fn an_insight_counts_the_failed_controls_of_each_account_once_a_week() {
    let weeks = weeks(NOW_MS);
    let insights: Vec<_> = weeks.iter().filter(|event| event.envelope["detail-type"] == "Security Hub Insight Results").collect();
    assert_eq!(insights.len(), 5);
    for insight in insights {
        let mut last: BTreeMap<String, (&str, &str)> = BTreeMap::new();
        for event in weeks.iter().take_while(|event| event.at_ms < insight.at_ms) {
            let detail = &event.envelope["detail"];
            if let Some(state) = detail["newEvaluationResult"]["complianceType"].as_str() {
                let key = ["awsAccountId", "configRuleName", "resourceId"].map(|name| detail[name].as_str().unwrap()).join(" ");
                last.insert(key, (detail["awsAccountId"].as_str().unwrap(), state));
            }
        }
        let mut failed: BTreeMap<&str, u64> = BTreeMap::new();
        for (account, _) in last.values().filter(|(_, state)| *state == VIOLATING) {
            *failed.entry(account).or_default() += 1;
        }
        let results = insight.envelope["detail"]["insightResults"].as_array().unwrap();
        let told: BTreeMap<&str, u64> = results
            .iter()
            .flat_map(|result| result.as_object().unwrap())
            .map(|(account, count)| (account.as_str(), count.as_u64().unwrap()))
            .collect();
        assert_eq!(told, failed);
    }
}

#[test]
fn every_service_tells_something_of_accounts_that_have_names() {
    let weeks = weeks(NOW_MS);
    let sources: BTreeSet<&str> = weeks.iter().map(|event| event.envelope["source"].as_str().unwrap()).collect();
    let all = ["aws.access-analyzer", "aws.config", "aws.guardduty", "aws.inspector2", "aws.macie", "aws.securityhub"];
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), all);
    let named: BTreeSet<String> = account_names().into_iter().map(|row| row.id).collect();
    let seen: BTreeSet<String> = weeks.iter().map(|event| event.envelope["account"].as_str().unwrap().to_owned()).collect();
    assert_eq!(seen, named);
    let ids: BTreeSet<&str> = weeks.iter().map(|event| event.envelope["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), weeks.len(), "no event is another one's copy");
}

#[test]
fn rules_have_the_severity_that_the_catalogue_gives_them() {
    for rule in &RULES {
        let control = crate::classify::preventive_control(rule.name).expect("a managed rule");
        assert_eq!(control.severity.map(Severity::as_str), Some(rule.severity), "{}", rule.name);
    }
}

#[test]
fn a_text_that_is_no_trail_has_changed_nothing() {
    assert_eq!(changes::of_trail(""), []);
    assert_eq!(changes::of_trail("{\"Records\":[{\"eventID\":\"68c99c97-c191-4329-b210-82ca8631066d\"}]}"), [], "no time");
    assert_eq!(changes::of_trail("68c99c97-c191-4329-b210-82ca8631066d {"), []);
}
