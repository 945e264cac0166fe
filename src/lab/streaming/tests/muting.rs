//! Which incidents muting rules mute, and when.

use jiff::civil::{DateTime, Weekday};

use super::super::muting::{Facts, Muted, facts, muted};
use super::super::schedule::Until;
use super::condition;
use crate::lab::engine::time::zone;
use crate::lab::engine::value::Value;
use crate::nrql::muting::{MutingRule, Operator, Repeat, Schedule, Test};

fn test(attribute: &str, operator: &str, values: &[&str]) -> Test {
    let operator = Operator::of_word(operator).expect("an operator");
    Test { attribute: attribute.to_owned(), operator, values: values.iter().map(ToString::to_string).collect() }
}

fn rule(all: bool, conditions: Vec<Test>) -> MutingRule {
    MutingRule { name: "Nights".to_owned(), enabled: true, all, conditions, schedule: None, closes: false }
}

fn about() -> Facts {
    let mut condition = condition("SELECT count(*) FROM AwsSecurityNotice FACET account");
    condition.name = "Root used".to_owned();
    let facets = [("account".into(), Value::text("111122223333")), ("severity".into(), Value::Number(8.0))];
    facts(&condition, "AwsSecurityNotice", &facets, &[("policyName", "Detective"), ("targetName", "")])
}

fn mutes(rule: &MutingRule) -> bool {
    muted(std::slice::from_ref(rule), &about(), 0).is_some()
}

#[test]
fn every_operator() {
    let rows: [(&str, &str, &[&str], bool); 27] = [
        ("conditionName", "ANY", &[], true),
        ("conditionName", "EQUALS", &["Root used"], true),
        ("conditionName", "EQUALS", &["Root"], false),
        ("conditionName", "NOT_EQUALS", &["Root used"], false),
        ("conditionName", "NOT_EQUALS", &["Root"], true),
        ("conditionName", "IN", &["x", "Root used"], true),
        ("conditionName", "IN", &["x"], false),
        ("conditionName", "NOT_IN", &["x", "Root used"], false),
        ("conditionName", "NOT_IN", &["x"], true),
        ("conditionName", "CONTAINS", &["ot us"], true),
        ("conditionName", "CONTAINS", &["ot  us"], false),
        ("conditionName", "NOT_CONTAINS", &["ot us"], false),
        ("conditionName", "NOT_CONTAINS", &["ot  us"], true),
        ("conditionName", "STARTS_WITH", &["Root"], true),
        ("conditionName", "STARTS_WITH", &["used"], false),
        ("conditionName", "NOT_STARTS_WITH", &["Root"], false),
        ("conditionName", "ENDS_WITH", &["used"], true),
        ("conditionName", "ENDS_WITH", &["Root"], false),
        ("conditionName", "NOT_ENDS_WITH", &["used"], false),
        ("conditionName", "NOT_ENDS_WITH", &["Root"], true),
        ("conditionName", "IS_BLANK", &[], false),
        ("conditionName", "IS_NOT_BLANK", &[], true),
        ("targetName", "IS_BLANK", &[], true),
        ("entity.guid", "IS_BLANK", &[], true),
        ("entity.guid", "IS_NOT_BLANK", &[], false),
        ("entity.guid", "EQUALS", &[""], false),
        ("entity.guid", "NOT_EQUALS", &["x"], true),
    ];
    for (attribute, operator, values, expected) in rows {
        let rule = rule(true, vec![test(attribute, operator, values)]);
        assert_eq!(rule.faults(), Vec::<String>::new());
        assert_eq!(mutes(&rule), expected, "{attribute} {operator} {values:?}");
    }
    for (_, word) in Operator::WORDS {
        assert!(Operator::of_word(word).is_some());
    }
}

#[test]
fn facets_are_tags_and_other_attributes_are_the_conditions() {
    for (attribute, value) in [
        ("tags.account", "111122223333"),
        ("tags.severity", "8"),
        ("policyName", "Detective"),
        ("nrqlEventType", "AwsSecurityNotice"),
        ("conditionType", "Static"),
        ("nrqlQuery", "SELECT count(*) FROM AwsSecurityNotice FACET account"),
    ] {
        assert_eq!(about().get(attribute).map(String::as_str), Some(value), "{attribute}");
    }
}

#[test]
fn and_needs_all_or_needs_one() {
    let (yes, no) = (test("policyName", "EQUALS", &["Detective"]), test("policyName", "EQUALS", &["Other"]));
    assert!(!mutes(&rule(true, vec![yes.clone(), no.clone()])));
    assert!(mutes(&rule(false, vec![yes.clone(), no.clone()])));
    assert!(!mutes(&rule(false, vec![no])));
    assert!(mutes(&rule(true, vec![yes.clone()])));
    assert!(!mutes(&MutingRule { enabled: false, ..rule(true, vec![yes]) }));
    // A rule that asks nothing mutes nothing, rather than all.
    assert!(!mutes(&rule(true, Vec::new())));
}

#[test]
fn the_first_rule_that_holds_is_named() {
    let rules = [rule(true, vec![test("policyName", "EQUALS", &["Other"])]), rule(true, vec![test("policyName", "ANY", &[])])];
    assert_eq!(muted(&rules, &about(), 0), Some(Muted { rule: 1, until_ms: None, closes: false }));
}

#[test]
fn what_new_relic_refuses_is_told() {
    let faults = |tests: Vec<Test>| rule(true, tests).faults();
    assert_eq!(faults(Vec::new()), ["condition.conditions: none; at least one"]);
    assert!(faults(vec![test("colour", "EQUALS", &["red"])])[0].starts_with("attribute colour; allowed: accountId, "));
    assert!(faults(vec![test("tags.", "EQUALS", &["red"])])[0].starts_with("attribute tags.; allowed: "));
    assert_eq!(faults(vec![test("product", "EQUALS", &[])]), ["values of product: 0; allowed: 1"]);
    assert_eq!(faults(vec![test("product", "ANY", &["x"])]), ["values of product: 1; allowed: none"]);
    let mut schedule = nights("UTC", None);
    (schedule.start, schedule.end) = (schedule.end, schedule.start);
    assert!(schedule.faults()[0].starts_with("endTime"));
    let endless = Schedule { end: None, ..nights("UTC", Some(Repeat::Daily)) };
    assert_eq!(endless.faults(), ["repeat needs startTime and endTime"]);
    let counted = Schedule { count: Some(2), ..nights("UTC", None) };
    assert_eq!(counted.faults(), ["repeatCount and endRepeat need repeat"]);
}

fn local(text: &str) -> DateTime {
    text.parse().expect("a local time")
}

/// From 22:00 on Monday, 2 March 2026, to 06:00.
fn nights(name: &str, repeat: Option<Repeat>) -> Schedule {
    Schedule {
        start: Some(local("2026-03-02T22:00:00")),
        end: Some(local("2026-03-03T06:00:00")),
        zone: zone(name).expect("a zone"),
        repeat,
        count: None,
        end_repeat: None,
    }
}

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().expect("a moment").as_millisecond()
}

/// Until when it holds at a moment.
fn until(schedule: &Schedule, moment: &str) -> Option<String> {
    Some(match schedule.at(at(moment))? {
        Until::Moment(ms) => jiff::Timestamp::from_millisecond(ms).expect("a moment").to_string(),
        Until::Forever => "for ever".to_owned(),
    })
}

#[test]
fn a_schedule_without_repeat_holds_once() {
    let once = nights("UTC", None);
    assert_eq!(until(&once, "2026-03-02T21:59:59Z"), None);
    assert_eq!(until(&once, "2026-03-02T22:00:00Z").as_deref(), Some("2026-03-03T06:00:00Z"));
    assert_eq!(until(&once, "2026-03-03T06:00:00Z"), None);
    assert_eq!(until(&once, "2026-03-03T22:00:00Z"), None);
    let open = Schedule { start: None, end: None, ..once.clone() };
    assert_eq!(until(&open, "2020-01-01T00:00:00Z").as_deref(), Some("for ever"));
    let from = Schedule { end: None, ..once };
    assert_eq!(until(&from, "2026-03-02T21:59:59Z"), None);
    assert_eq!(until(&from, "2030-01-01T00:00:00Z").as_deref(), Some("for ever"));
}

#[test]
fn its_times_are_those_of_its_zone() {
    let tokyo = nights("Asia/Tokyo", None);
    assert_eq!(until(&tokyo, "2026-03-02T12:59:59Z"), None);
    assert_eq!(until(&tokyo, "2026-03-02T13:00:00Z").as_deref(), Some("2026-03-02T21:00:00Z"));
}

#[test]
fn daily_it_follows_the_clock_on_the_wall_through_summer_time() {
    // New York's clocks went forward on 8 March 2026.
    let daily = nights("America/New_York", Some(Repeat::Daily));
    assert_eq!(until(&daily, "2026-03-07T03:00:00Z").as_deref(), Some("2026-03-07T11:00:00Z"));
    assert_eq!(until(&daily, "2026-03-10T02:00:00Z").as_deref(), Some("2026-03-10T10:00:00Z"));
    assert_eq!(until(&daily, "2026-03-10T01:59:59Z"), None);
    assert_eq!(until(&daily, "2026-03-02T02:00:00Z"), None, "before the first");
}

#[test]
fn weekly_it_holds_on_its_days() {
    let weekly = nights("UTC", Some(Repeat::Weekly(vec![Weekday::Monday, Weekday::Friday])));
    assert!(until(&weekly, "2026-03-06T23:00:00Z").is_some());
    assert!(until(&weekly, "2026-03-07T05:00:00Z").is_some());
    assert!(until(&weekly, "2026-03-05T23:00:00Z").is_none());
    assert!(until(&weekly, "2026-03-09T23:00:00Z").is_some());
    let own_day = nights("UTC", Some(Repeat::Weekly(Vec::new())));
    assert!(until(&own_day, "2026-03-09T23:00:00Z").is_some());
    assert!(until(&own_day, "2026-03-06T23:00:00Z").is_none());
    // Monday, Friday, Monday.
    let three = Schedule { count: Some(3), ..weekly };
    assert!(until(&three, "2026-03-09T23:00:00Z").is_some());
    assert!(until(&three, "2026-03-13T23:00:00Z").is_none());
}

#[test]
fn monthly_it_holds_on_the_day_of_the_month() {
    let on_31st = Schedule {
        start: Some(local("2026-01-31T00:00:00")),
        end: Some(local("2026-01-31T12:00:00")),
        ..nights("UTC", Some(Repeat::Monthly))
    };
    assert!(until(&on_31st, "2026-03-31T06:00:00Z").is_some());
    assert!(until(&on_31st, "2026-02-28T06:00:00Z").is_none());
    assert!(until(&on_31st, "2026-04-30T06:00:00Z").is_none());
    // January, March: February has no such day.
    let two = Schedule { count: Some(2), ..on_31st };
    assert!(until(&two, "2026-03-31T06:00:00Z").is_some());
    assert!(until(&two, "2026-05-31T06:00:00Z").is_none());
}

#[test]
fn it_ends_after_so_many_or_with_a_day() {
    let two = Schedule { count: Some(2), ..nights("UTC", Some(Repeat::Daily)) };
    assert!(until(&two, "2026-03-04T05:00:00Z").is_some());
    assert!(until(&two, "2026-03-04T23:00:00Z").is_none());
    let to = Schedule { end_repeat: Some(local("2026-03-04T00:00:00")), ..nights("UTC", Some(Repeat::Daily)) };
    assert!(until(&to, "2026-03-04T05:00:00Z").is_some());
    assert!(until(&to, "2026-03-04T23:00:00Z").is_none());
}

#[test]
fn an_incident_is_muted_by_the_moment_it_opens() {
    let rule = MutingRule {
        schedule: Some(nights("UTC", Some(Repeat::Daily))),
        closes: true,
        ..rule(true, vec![test("tags.account", "EQUALS", &["111122223333"])])
    };
    let expected = Muted { rule: 0, until_ms: Some(at("2026-03-06T06:00:00Z")), closes: true };
    assert_eq!(muted(std::slice::from_ref(&rule), &about(), at("2026-03-06T01:00:00Z")), Some(expected));
    assert_eq!(muted(&[rule], &about(), at("2026-03-06T12:00:00Z")), None);
}
