//! Rules through the stages: whose detection a correlation is, and what events and notices say of the rules.

use serde_json::{Value, json};

use super::super::Stages;
use super::super::tests::{of_type, run, stages, stopped_by_root};
use crate::ack::Outcome;
use crate::classify::RuleSet;
use crate::encode::Lane;

const RULES: &str = "title: Refused\nname: refused\nlogsource: {product: aws, service: cloudtrail}\nlevel: low\ndetection:\n  s: {errorCode: AccessDenied}\n  condition: s\n\
                ---\ntitle: Many refused\nname: many-refused\nauthor: Ada\nlevel: high\ncorrelation: {type: event_count, rules: [refused], group-by: [sourceIPAddress], timespan: 5m, condition: {gte: 2}}\n";

/// The rules of the text alone.
fn rules() -> RuleSet {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("many.yml");
    std::fs::write(&file, RULES).expect("a file");
    let (rules, faults) = RuleSet::alone(&[file], &crate::config::Rules::default());
    assert_eq!(faults, []);
    rules
}

/// A correlation is a detection of the record that completes it: one event, one notice, with who wrote it; what comes again adds none.
#[test]
fn a_correlation_is_a_detection_of_the_record_that_completes_it() {
    let stages = Stages { rules: rules(), ..stages("") };
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

/// A refusal of this user, so many seconds after the first.
fn refused_of(id: &str, user: &str, second: u32) -> Value {
    json!({ "Records": [{
        "eventID": id, "eventVersion": "1.11", "eventTime": format!("2026-11-21T20:14:{second:02}Z"),
        "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "awsRegion": "eu-west-1",
        "recipientAccountId": "111122223333", "errorCode": "AccessDenied", "sourceIPAddress": "198.51.100.7",
        "userIdentity": {"type": "IAMUser", "userName": user, "arn": format!("arn:aws:iam::111122223333:user/{user}")},
    }]})
}

/// An exception for one leaves the group to the others: as records come, and in a replay that reads them in another order.
#[test]
fn a_muted_detection_does_not_use_up_its_group() {
    let exceptions = "- {control: many-refused, owner: o, reason: r, expires: 2027-01-31, scope: {actors: [ann]}}\n";
    let with = |rules: RuleSet| Stages { rules, ..stages(exceptions) };
    let records = [refused_of("1", "ann", 0), refused_of("2", "ann", 1), refused_of("3", "eve", 2), refused_of("4", "eve", 3)];
    let told = |stages: &Stages, order: [usize; 4]| -> Vec<String> {
        let items = order.iter().flat_map(|at| run(stages, &records[*at]).0);
        let events = items.filter(|(lane, item)| *lane == Lane::Events && item["eventType"] == "AwsSecurityEvent");
        events.map(|(_, item)| item["event.id"].as_str().expect("an id").to_owned()).collect()
    };
    let live = with(rules());
    assert_eq!(told(&live, [0, 1, 2, 3]), ["3"], "the second is muted, the third is another's");
    let (muted, counts) = run(&live, &records[1]);
    assert!(muted.iter().all(|(lane, _)| *lane != Lane::Events), "{muted:?}");
    assert_eq!((counts.ended(Outcome::Suppressed), counts.ended(Outcome::Delivered)), (0, 0), "a copy of what has settled");
    for moment_ms in [Some(live.clock.now_ms()), None] {
        let (looking, answering) = (with(rules().gathering()), with(rules()));
        assert_eq!(told(&looking, [3, 2, 1, 0]), [""; 0]);
        answering.rules.answer_from(&looking.rules, moment_ms);
        assert_eq!(told(&answering, [3, 0, 2, 1]), ["3"]);
    }
    let (looking, expired) = (with(rules().gathering()), with(rules()));
    told(&looking, [0, 1, 2, 3]);
    expired.rules.answer_from(&looking.rules, Some(i64::MAX));
    assert_eq!(told(&expired, [0, 1, 2, 3]), [""; 0], "an exception that has ended leaves nothing to others");
}
