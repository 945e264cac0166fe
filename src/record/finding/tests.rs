//! What makes findings the same, in every form; what each form says; what is no finding.

#![expect(clippy::redundant_closure_for_method_calls, reason = "the methods are not general enough in their lifetime")]

use serde_json::{Value, json};

use super::*;

macro_rules! event {
    ($path:literal) => {
        include_str!(concat!("../../../tests/fixtures/", $path, ".json"))
    };
}

/// What is parsed of an event: its `detail`, or the first of its findings.
fn subject(event: &str) -> Value {
    let event: Value = serde_json::from_str(event).expect("JSON");
    event["detail"]["findings"].get(0).unwrap_or(&event["detail"]).clone()
}

/// Reads a finding and asks it something.
fn ask<T>(form: FindingForm, value: &Value, question: impl FnOnce(&Finding<'_>) -> T) -> T {
    let raw = value.to_string();
    let around = Around { account: Some("111122223333"), region: Some("us-east-1"), time: None };
    question(&Finding::parse(form, raw.as_bytes(), around).unwrap_or_else(|error| panic!("{error}: {value}")))
}

fn key(form: FindingForm, value: &Value) -> FindingKey {
    ask(form, value, |finding| finding.key())
}

/// S3-01, S3-02: what GuardDuty, Inspector and Macie tell themselves, and what Security Hub tells of it in both formats, is one.
#[test]
fn a_finding_has_one_key_in_every_form() {
    let mut guard_duty = subject(event!("eventbridge/guardduty-finding-high"));
    guard_duty["region"] = json!("eu-west-1");
    let inspector = subject(event!("eventbridge/inspector2-finding-high"));
    let macie = subject(event!("eventbridge/macie-finding-policy"));
    for (name, native, asff, ocsf) in [
        (
            "GuardDuty",
            key(FindingForm::GuardDuty, &guard_duty),
            subject(event!("findings/asff-of-guardduty")),
            Some(subject(event!("eventbridge/securityhub-ocsf-high"))),
        ),
        (
            "Inspector",
            key(FindingForm::Inspector, &inspector),
            subject(event!("findings/asff-of-inspector")),
            Some(subject(event!("findings/ocsf-vulnerability"))),
        ),
        ("Macie", key(FindingForm::Macie, &macie), subject(event!("findings/asff-of-macie")), None),
        (
            "a control",
            key(FindingForm::Asff, &subject(event!("findings/asff-unconsolidated-control"))),
            subject(event!("eventbridge/securityhub-asff-high")),
            Some(subject(event!("findings/ocsf-control"))),
        ),
    ] {
        assert_eq!(key(FindingForm::Asff, &asff), native, "{name}, ASFF");
        if let Some(ocsf) = ocsf {
            assert_eq!(key(FindingForm::Ocsf, &ocsf), native, "{name}, OCSF");
        }
    }
}

/// S3-06: Region and account of the event around it are in no key and no id.
#[test]
fn what_is_around_a_finding_is_no_part_of_it() {
    let raw = subject(event!("eventbridge/securityhub-asff-high")).to_string();
    let identity = |account, region| {
        let around = Around { account: Some(account), region: Some(region), time: None };
        let finding = Finding::parse(FindingForm::Asff, raw.as_bytes(), around).expect("a finding");
        (finding.key(), finding.event_id(), finding.shown())
    };
    assert_eq!(identity("222233334444", "eu-west-1"), identity("111122223333", "us-east-1"));
    for (name, from, to) in [
        ("account", "\"AwsAccountId\":\"222233334444\"", "\"AwsAccountId\":\"444455556666\""),
        ("Region", "\"Region\":\"eu-west-1\",\"Resources\"", "\"Region\":\"eu-west-2\",\"Resources\""),
        ("control", "\"SecurityControlId\":\"S3.8\"", "\"SecurityControlId\":\"S3.9\""),
        ("resource", "arn:aws:s3:::ledger", "arn:aws:s3:::other"),
    ] {
        let other = raw.replace(from, to);
        assert_ne!(raw, other, "{name}");
        let [one, other] = [&raw, &other].map(|raw| key(FindingForm::Asff, &serde_json::from_str(raw).expect("JSON")));
        assert_ne!(one, other, "{name}");
    }
}

/// An id names a version: its time, where it stands and how severe it is; the words of a form are no part of it.
#[test]
fn an_event_id_names_one_version() {
    let finding = subject(event!("eventbridge/securityhub-asff-high"));
    let id = |edit: fn(&mut Value)| {
        let mut finding = finding.clone();
        edit(&mut finding);
        ask(FindingForm::Asff, &finding, |finding| finding.event_id())
    };
    let as_it_is = id(|_| ());
    assert_eq!(as_it_is.len(), 32);
    assert_eq!(as_it_is, id(|finding| finding["Title"] = json!("another")));
    for (name, other) in [
        ("time", id(|finding| finding["UpdatedAt"] = json!("2026-11-21T20:21:41.000Z"))),
        ("set aside", id(|finding| finding["Workflow"]["Status"] = json!("SUPPRESSED"))),
        ("handled", id(|finding| finding["Workflow"]["Status"] = json!("NOTIFIED"))),
        ("severity", id(|finding| finding["Severity"]["Label"] = json!("LOW"))),
    ] {
        assert_ne!(as_it_is, other, "{name}");
    }
    let mut guard_duty = subject(event!("eventbridge/guardduty-finding-high"));
    guard_duty["region"] = json!("eu-west-1");
    guard_duty["updatedAt"] = json!("2026-11-21T20:44:00.000Z");
    let ocsf = subject(event!("eventbridge/securityhub-ocsf-high"));
    assert_eq!(
        ask(FindingForm::GuardDuty, &guard_duty, |finding| finding.event_id()),
        ask(FindingForm::Ocsf, &ocsf, |finding| finding.event_id())
    );
}

/// Tags are those of the resource that is shown, in whatever shape a form has them; odd ones are none, and cost no finding.
#[test]
fn tags_are_those_of_the_first_resource() {
    let tags = |form, value: &Value| {
        ask(form, value, |finding| finding.tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>())
    };
    let other = json!({ "Type": "AwsS3Bucket", "Id": "arn:aws:s3:::other", "Tags": { "owner": "another" } });
    let mut asff = subject(event!("eventbridge/securityhub-asff-high"));
    let mut ocsf = subject(event!("eventbridge/securityhub-ocsf-high"));
    let mut macie = subject(event!("eventbridge/macie-finding-policy"));
    assert_eq!(tags(FindingForm::Asff, &asff), [""; 0]);
    asff["Resources"].as_array_mut().expect("a list").push(other);
    assert_eq!(tags(FindingForm::Asff, &asff), [""; 0], "tags of another resource");
    asff["Resources"][0]["Tags"] = json!({ "team": "", "owner": "web" });
    assert_eq!(tags(FindingForm::Asff, &asff), ["owner=web"]);
    for (shape, want) in [
        (json!([{ "name": "owner", "value": "web" }, { "name": "x" }]), vec!["owner=web"]),
        (json!([{ "key": "owner", "value": "web" }, 7]), vec!["owner=web"]),
        (json!(["owner:web"]), vec![]),
        (json!("owner"), vec![]),
        (json!(null), vec![]),
    ] {
        ocsf["resources"][0]["tags"] = shape.clone();
        assert_eq!(tags(FindingForm::Ocsf, &ocsf), want, "{shape}");
    }
    macie["resourcesAffected"]["s3Bucket"]["tags"] = json!([{ "key": "owner", "value": "web" }]);
    assert_eq!(tags(FindingForm::Macie, &macie), ["owner=web"]);
    assert_eq!(tags(FindingForm::Inspector, &subject(event!("eventbridge/inspector2-finding-high"))), ["owner=billing"]);
}

#[test]
fn every_scale_of_severity_ends_in_one() {
    use Severity::{Critical, High, Informational, Low, Medium};
    let guard_duty = subject(event!("eventbridge/guardduty-finding-high"));
    for (number, want) in [
        (json!(1), Low),
        (json!(3.9), Low),
        (json!(4), Medium),
        (json!(6.9), Medium),
        (json!(7), High),
        (json!(8.9), High),
        (json!(9), Critical),
        (json!(10.0), Critical),
        (json!("8"), High),
        (json!(null), Informational),
    ] {
        let mut finding = guard_duty.clone();
        finding["severity"] = number.clone();
        assert_eq!(ask(FindingForm::GuardDuty, &finding, |finding| finding.severity), want, "GuardDuty {number}");
    }
    let ocsf = subject(event!("eventbridge/securityhub-ocsf-high"));
    for (id, word, want) in [
        (0, "High", High),
        (1, "", Informational),
        (2, "", Low),
        (3, "Critical", Medium),
        (4, "", High),
        (5, "", Critical),
        (6, "Fatal", Critical),
        (99, "Weird", High),
    ] {
        let mut finding = ocsf.clone();
        finding["severity_id"] = json!(id);
        finding["severity"] = json!(word);
        assert_eq!(ask(FindingForm::Ocsf, &finding, |finding| finding.severity), want, "OCSF {id} {word}");
    }
    let asff = subject(event!("eventbridge/securityhub-asff-high"));
    for (severity, want) in [
        (json!({ "Label": "CRITICAL", "Normalized": 1 }), Critical),
        (json!({ "Normalized": 0 }), Informational),
        (json!({ "Normalized": 1 }), Low),
        (json!({ "Normalized": 39 }), Low),
        (json!({ "Normalized": 40 }), Medium),
        (json!({ "Normalized": 70 }), High),
        (json!({ "Normalized": 90 }), Critical),
        (json!({ "Label": "SOMETHING" }), Informational),
        (json!(7), Informational),
    ] {
        let mut finding = asff.clone();
        finding["Severity"] = severity.clone();
        assert_eq!(ask(FindingForm::Asff, &finding, |finding| finding.severity), want, "ASFF {severity}");
    }
    let inspector = subject(event!("eventbridge/inspector2-finding-untriaged"));
    assert_eq!(ask(FindingForm::Inspector, &inspector, |finding| finding.severity), Informational);
}

/// S1-15: external access as it goes by, and the forms that lack what the others have.
#[test]
fn access_analyzer_says_who_has_access_and_when_it_is_over() {
    for (form, event, severity, status) in [
        (FindingForm::ExternalAccess, event!("eventbridge/access-analyzer-external"), Severity::High, FindingStatus::Open),
        (FindingForm::ExternalAccess, event!("findings/access-analyzer-archived"), Severity::High, FindingStatus::Suppressed),
        (FindingForm::ExternalAccess, event!("findings/access-analyzer-resolved"), Severity::Medium, FindingStatus::Resolved),
        (
            FindingForm::ExternalAccess,
            event!("eventbridge/access-analyzer-external-deleted"),
            Severity::High,
            FindingStatus::Resolved,
        ),
        (FindingForm::UnusedAccess, event!("eventbridge/access-analyzer-unused"), Severity::Low, FindingStatus::Open),
        (FindingForm::InternalAccess, event!("eventbridge/access-analyzer-internal"), Severity::Medium, FindingStatus::Open),
    ] {
        let got = ask(form, &subject(event), |finding| {
            assert_eq!(finding.account, "222233334444");
            let own = if form == FindingForm::ExternalAccess { "eu-west-1" } else { "us-east-1" };
            assert_eq!(finding.shown_region(), Some(own), "its own, else the event's");
            (finding.severity, finding.status)
        });
        assert_eq!(got, (severity, status), "{event}");
    }
    let deleted = subject(event!("eventbridge/access-analyzer-external-deleted"));
    let open = subject(event!("eventbridge/access-analyzer-external"));
    assert_eq!(key(FindingForm::ExternalAccess, &deleted), key(FindingForm::ExternalAccess, &open));
    let id = |value| ask(FindingForm::ExternalAccess, value, |finding| finding.event_id());
    assert_ne!(id(&deleted), id(&open), "the time is the same");
}

#[test]
fn every_time_that_the_services_write_is_read() {
    let ms = 1_795_293_062_000;
    for text in [
        "2026-11-21T20:31:02Z",
        "2026-11-21T20:31:02.000Z",
        "Nov 21, 2026, 8:31:02 PM",
        "Nov 21, 2026, 8:31:02\u{202f}PM",
        "1795293062000",
    ] {
        assert_eq!(moment(text), Some(ms), "{text}");
    }
    for text in ["", "soon", "-5", "Nov 31, 2026, 8:31:02 PM"] {
        assert_eq!(moment(text), None, "{text}");
    }
}

/// What only likelihood moves is no change; what is counted is.
#[test]
fn a_likelihood_alone_is_no_change() {
    let inspector = subject(event!("findings/inspector-container-image"));
    let shown = |edit: fn(&mut Value)| {
        let mut finding = inspector.clone();
        edit(&mut finding);
        ask(FindingForm::Inspector, &finding, |finding| finding.shown())
    };
    assert_eq!(shown(|_| ()), shown(|finding| finding["epss"]["score"] = json!(0.9)));
    assert_ne!(shown(|_| ()), shown(|finding| finding["fixAvailable"] = json!("YES")));
}

#[test]
fn a_key_is_read_as_it_was_written() {
    let key = FindingKey([1, u64::MAX]);
    assert_eq!(FindingKey::of_text(&key.text()), Some(key));
    for text in ["", "12", "zz000000000000000000000000000000"] {
        assert_eq!(FindingKey::of_text(text), None, "{text}");
    }
}

#[test]
fn what_is_no_finding_says_which_field_and_why() {
    for (form, text, why) in [
        (FindingForm::Asff, "[]", "not a finding (asff): Id is missing"),
        (FindingForm::Asff, "{}", "not a finding (asff): Id is missing"),
        (FindingForm::Asff, r#"{"Id":"1"}"#, "not a finding (asff): ProductArn is missing"),
        (FindingForm::Asff, r#"{"Id":"1","ProductName":"x","AwsAccountId":"1"}"#, "not a finding (asff): UpdatedAt is missing"),
        (
            FindingForm::Asff,
            r#"{"Id":"1","ProductName":"x","AwsAccountId":"1","UpdatedAt":"soon"}"#,
            "not a finding (asff): UpdatedAt is \"soon\" (an ISO 8601 time or milliseconds since 1970 are needed)",
        ),
        (FindingForm::Ocsf, "{}", "not a finding (ocsf): finding_info.uid is missing"),
        (FindingForm::Ocsf, r#"{"finding_info":{"uid":"1"}}"#, "not a finding (ocsf): metadata.product is missing"),
        (FindingForm::GuardDuty, r#"{"id":["1"]}"#, "not a finding (guardduty): id is missing"),
        (FindingForm::Inspector, "{}", "not a finding (inspector): findingArn is missing"),
        (FindingForm::Macie, r#"{"id":""}"#, "not a finding (macie): id is missing"),
        (FindingForm::UnusedAccess, "{}", "not a finding (accessAnalyzer): findingId is missing"),
        (FindingForm::InternalAccess, "{}", "not a finding (accessAnalyzer): id is missing"),
    ] {
        let error = Finding::parse(form, text.as_bytes(), Around::default()).map(|_| ()).expect_err(text).to_string();
        assert_eq!(error, why, "{text}");
    }
    assert!(Finding::parse(FindingForm::Asff, b"\"text\"", Around::default()).is_err());
    assert!(Finding::parse(FindingForm::Asff, b"{\"Id\":", Around::default()).is_err());
    assert!(Finding::parse(FindingForm::Asff, b"\"\xff\"", Around::default()).is_err());
}

proptest::proptest! {
    /// Whatever stands at a field, nothing panics, and what can be told apart stays a finding.
    #[test]
    fn odd_values_never_cost_the_finding(at: proptest::sample::Index, odd in 0_usize..6) {
        let values = [json!(null), json!([]), json!({ "x": [1] }), json!(1.5), json!(true), json!("\u{1F525}|")];
        let mut finding = subject(event!("findings/asff-of-inspector"));
        let map = finding.as_object_mut().expect("a map");
        let needed = ["Id", "UpdatedAt", "ProductArn", "AwsAccountId"];
        let names: Vec<String> = map.keys().filter(|name| !needed.contains(&name.as_str())).cloned().collect();
        map.insert(at.get(&names).clone(), values[odd].clone());
        let id = ask(FindingForm::Asff, &finding, |finding| (finding.shown(), finding.event_id()));
        proptest::prop_assert_eq!(id.1.len(), 32);
    }
}
