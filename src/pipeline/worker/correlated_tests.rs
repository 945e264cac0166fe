//! Rules through the stages: whose detection a correlation is, and what events and notices say of the rules.

use serde_json::{Value, json};

use super::super::Stages;
use super::super::tests::{of_type, run, stages, stopped_by_root};
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

/// S0-08: a notice names the company's rules that ask for it, apart from those that came with the relay; what asks for none is not named.
#[test]
fn a_notice_names_the_rules_of_the_company_that_ask_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let rule = |name: &str, notify: bool| {
        format!(
            "title: {name}\nname: {name}\nlogsource: {{product: aws, service: cloudtrail}}\nlevel: low\n\
             detection:\n  s: {{eventName: StopLogging}}\n  condition: s\ncspm: {{notify: {notify}}}\n"
        )
    };
    for (name, notify) in [("acme-trail", true), ("acme-quiet", false)] {
        std::fs::write(folder.path().join(format!("{name}.yml")), rule(name, notify)).expect("a file");
    }
    for (folders, want) in [(vec![folder.path().to_owned()], json!("|acme-trail|")), (Vec::new(), Value::Null)] {
        let (rules, faults) = RuleSet::load(&crate::config::Rules { folders, ..Default::default() });
        assert_eq!(faults, []);
        let (items, _) = run(&Stages { rules, ..stages("") }, &json!({ "Records": [stopped_by_root(1)] }));
        let [notice] = of_type(&items, "AwsSecurityNotice").try_into().expect("one notice");
        assert_eq!(notice["control.customIds"], want);
        assert!(notice["control.ids"].as_str().is_some_and(|ids| ids.contains("|trail-logging-stopped|")), "{notice}");
        assert!(of_type(&items, "AwsSecurityEvent").iter().all(|event| event["control.customIds"].is_null()));
    }
}
