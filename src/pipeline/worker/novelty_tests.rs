//! What is new about a record, through the stages: what is learned of, and which events say it. S1-23.

use std::time::Duration;

use serde_json::{Value, json};

use super::tests::{of_type, run, stages, stopped_by_root};
use super::*;
use crate::config::Novelty;

/// Stages that remember, and have watched the account since ten days before the records of the tests.
fn remembering() -> Stages {
    let novelty = NoveltyMemory::live(Novelty { memory: 1 << 20, learning: Duration::from_hours(24) });
    let stages = Stages { novelty, ..stages("") };
    let mut before = stopped_by_root(1_000);
    before["eventTime"] = json!("2026-11-11T20:00:00Z");
    before["eventName"] = json!("DescribeTrails");
    before["userIdentity"] = json!({ "type": "IAMUser", "principalId": "AIDA9" });
    run(&stages, &before);
    stages
}

fn of_root(id: u64, name: &str, address: &str) -> Value {
    let mut record = stopped_by_root(id);
    record["eventName"] = json!(name);
    record["userIdentity"]["principalId"] = json!("111122223333");
    record["sourceIPAddress"] = json!(address);
    record
}

/// `novelty.api` and `novelty.address` of every event of a type.
fn said(stages: &Stages, record: &Value, event_type: &str) -> Vec<[Option<String>; 2]> {
    let (items, _) = run(stages, record);
    let text = |event: &Value, name: &str| event[name].as_str().map(str::to_owned);
    of_type(&items, event_type).iter().map(|event| ["novelty.api", "novelty.address"].map(|name| text(event, name))).collect()
}

fn both(api: &str, address: &str) -> [Option<String>; 2] {
    [Some(api.to_owned()), Some(address.to_owned())]
}

#[test]
fn detections_and_the_notice_of_a_record_say_what_is_new_about_it() {
    let stages = remembering();
    let first = of_root(1, "StopLogging", "198.51.100.7");
    let (items, _) = run(&stages, &first);
    for (event_type, events) in [("AwsSecurityEvent", 2), ("AwsSecurityNotice", 1)] {
        let of_type = of_type(&items, event_type);
        assert_eq!(of_type.len(), events);
        for event in of_type {
            assert_eq!([&event["novelty.api"], &event["novelty.address"]], ["true", "true"], "{event_type}");
        }
    }
    let second = of_root(2, "StopLogging", "203.0.113.9");
    assert_eq!(said(&stages, &second, "AwsSecurityNotice"), [both("false", "true")]);
}

/// Only reading, and met by no rule: it is learned all the same, or everything would be new.
#[test]
fn what_no_rule_meets_is_learned() {
    let stages = remembering();
    let mut quiet = of_root(1, "StopLogging", "198.51.100.7");
    quiet["userIdentity"] = json!({ "type": "IAMUser", "principalId": "AIDA1" });
    (quiet["readOnly"], quiet["eventName"]) = (json!(true), json!("DescribeTrails"));
    let (items, counts) = run(&stages, &quiet);
    assert_eq!((items.len(), counts.ended(Outcome::Ignored)), (0, 1));
    let mut loud = of_root(2, "StopLogging", "198.51.100.7");
    loud["userIdentity"] = quiet["userIdentity"].clone();
    assert_eq!(said(&stages, &loud, "AwsSecurityNotice"), [both("true", "false")]);
}

/// A record that was handed back comes again: the duplicate window does not hold it, the memory does.
#[test]
fn a_record_that_comes_again_says_the_same() {
    let mut stages = remembering();
    let (first, second) = (of_root(1, "StopLogging", "198.51.100.7"), of_root(2, "StopLogging", "198.51.100.7"));
    let mut answers = Vec::new();
    for _ in 0..2 {
        answers.push([&first, &second].map(|record| said(&stages, record, "AwsSecurityNotice")));
        stages.seen = Seen::new(100);
    }
    assert_eq!(answers[0], [vec![both("true", "true")], vec![both("false", "false")]]);
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn without_memory_nothing_is_said() {
    assert_eq!(said(&stages(""), &of_root(1, "StopLogging", "198.51.100.7"), "AwsSecurityNotice"), [[None, None]]);
}
