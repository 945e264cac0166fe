//! Correlations through the stages: whose detection they are, and what their events say.

use serde_json::{Value, json};

use super::super::Stages;
use super::super::tests::{run, stages};
use crate::classify::RuleSet;
use crate::encode::Lane;

/// A correlation is a detection of the record that completes it: one event, one notice, with who wrote it; what comes again adds none.
#[test]
fn a_correlation_is_a_detection_of_the_record_that_completes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("many.yml");
    let text = "title: Refused\nname: refused\nlogsource: {product: aws, service: cloudtrail}\nlevel: low\ndetection:\n  s: {errorCode: AccessDenied}\n  condition: s\n\
                ---\ntitle: Many refused\nname: many-refused\nauthor: Ada\nlevel: high\ncorrelation: {type: event_count, rules: [refused], group-by: [sourceIPAddress], timespan: 5m, condition: {gte: 2}}\n";
    std::fs::write(&file, text).expect("a file");
    let (rules, faults) = RuleSet::alone(&[file]);
    assert_eq!(faults, []);
    let stages = Stages { rules, ..stages("") };
    let refused = |id: &str| {
        json!({
            "eventID": id, "eventVersion": "1.11", "eventTime": "2026-11-21T20:14:00Z", "eventSource": "s3.amazonaws.com",
            "eventName": "GetObject", "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "errorCode": "AccessDenied",
            "sourceIPAddress": "198.51.100.7",
        })
    };
    let first = run(&stages, &json!({ "Records": [refused("1")] })).0;
    assert!(first.is_empty(), "{first:?}");
    let (items, counts) = run(&stages, &json!({ "Records": [refused("2")] }));
    let events: Vec<&Value> = items.iter().filter(|(lane, _)| *lane == Lane::Events).map(|(_, item)| item).collect();
    let said = |event: &Value| {
        ["eventType", "event.id", "control.id", "control.author", "detection.correlated"]
            .map(|name| event[name].as_str().unwrap_or("-").to_owned())
    };
    let found: Vec<_> = events.iter().map(|event| said(event)).collect();
    assert_eq!(
        found,
        [["AwsSecurityEvent", "2", "many-refused", "Ada", "true"], ["AwsSecurityNotice", "2", "many-refused", "Ada", "true"],]
    );
    assert_eq!((counts.records_received, counts.detections), (1, 1));
}
