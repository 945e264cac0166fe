//! What a result says, what becomes of it, and what makes two of them the same.

use serde_json::{Value, json};

use super::*;
use crate::record::Severity;

const NOW: i64 = 1_795_292_071_000;

/// A run with these rules of its driver.
fn run(rules: &[Value]) -> SarifRun {
    let mut run = SarifRun::default();
    run.hears(RunPart::Driver, None);
    run.hears(RunPart::Name, Some(b"\"Scanner\""));
    for rule in rules {
        run.hears(RunPart::Rule, Some(rule.to_string().as_bytes()));
    }
    run
}

fn ask<T>(value: &Value, run: &SarifRun, question: impl FnOnce(&Finding<'_>) -> T) -> T {
    let (raw, scan) = (value.to_string(), Scan::default());
    match SarifResult::parse(raw.as_bytes(), run, &scan, NOW).unwrap_or_else(|error| panic!("{error}: {value}")) {
        SarifResult::Failing(finding, _) => question(&finding),
        other => panic!("{other:?}: {value}"),
    }
}

fn ends(value: &Value) -> String {
    let (raw, run, scan) = (value.to_string(), run(&[]), Scan::default());
    match SarifResult::parse(raw.as_bytes(), &run, &scan, NOW) {
        Ok(SarifResult::Failing(finding, baseline)) => format!("{baseline:?} {}", finding.status.as_str()),
        Ok(other) => format!("{other:?}"),
        Err(error) => error.to_string(),
    }
}

fn at(file: &str, line: i64) -> Value {
    json!([{ "physicalLocation": { "artifactLocation": { "uri": file }, "region": { "startLine": line } } }])
}

/// S1-20: only what fails, is new and is not accepted is a finding.
#[test]
fn what_becomes_of_a_result() {
    let missing = "not a finding (sarif): ruleId (or rule.id, or a ruleIndex that the rules of the tool have) is missing";
    for (result, want) in [
        (json!({ "ruleId": "R" }), "New OPEN"),
        (json!({ "rule": { "id": "R" }, "kind": "fail" }), "New OPEN"),
        (json!({ "ruleId": "R", "kind": null, "level": "none" }), "New OPEN"),
        (json!({ "ruleId": "R", "kind": "pass" }), "NotFailing"),
        (json!({ "ruleId": "R", "kind": "notApplicable" }), "NotFailing"),
        (json!({ "ruleId": "R", "kind": "informational" }), "NotFailing"),
        (json!({ "ruleId": "R", "kind": "review" }), "NotFailing"),
        (json!({ "ruleId": "R", "kind": "open" }), "NotFailing"),
        (json!({ "ruleId": "R", "baselineState": "new" }), "New OPEN"),
        (json!({ "ruleId": "R", "baselineState": "updated" }), "Updated OPEN"),
        (json!({ "ruleId": "R", "baselineState": "unchanged" }), "Unchanged"),
        (json!({ "ruleId": "R", "baselineState": "absent" }), "Absent RESOLVED"),
        (json!({ "ruleId": "R", "suppressions": [{ "kind": "inSource" }] }), "Suppressed"),
        (json!({ "ruleId": "R", "suppressions": [{ "status": "accepted" }] }), "Suppressed"),
        (json!({ "ruleId": "R", "suppressions": [{ "status": "accepted" }, { "status": "rejected" }] }), "New OPEN"),
        (json!({ "ruleId": "R", "suppressions": [{ "status": "underReview" }] }), "New OPEN"),
        (json!({ "ruleId": "R", "suppressions": [] }), "New OPEN"),
        (json!({ "ruleId": "R", "suppressions": [7] }), "New OPEN"),
        (json!({ "ruleId": "R", "suppressions": [{}] }), "New OPEN"),
        // What decides and is not known is no finding, and never a silent one.
        (
            json!({ "ruleId": "R", "kind": "failed" }),
            "not a finding (sarif): kind is \"failed\"; known are fail, pass, notApplicable, informational, review and open",
        ),
        (
            json!({ "ruleId": "R", "baselineState": "same" }),
            "not a finding (sarif): baselineState is \"same\"; known are new, updated, unchanged and absent",
        ),
        (json!({}), missing),
        (json!({ "ruleId": "", "ruleIndex": 3 }), missing),
        (json!({ "ruleId": {}, "rule": "R", "ruleIndex": -1 }), missing),
    ] {
        assert_eq!(ends(&result), want, "{result}");
    }
    for result in [json!(7), json!("R"), json!([["R"]]), json!(null)] {
        assert!(ends(&result).starts_with("not a finding (sarif): invalid type"), "{result}: {}", ends(&result));
    }
}

#[test]
fn odd_shapes_cost_what_is_shown_and_never_the_result() {
    let odd = json!({
        "ruleId": 7, "level": [], "message": "text", "locations": { "physicalLocation": 1 }, "properties": [1],
        "fingerprints": "x", "suppressions": {}, "fixes": 1, "provenance": [], "baselineState": {},
    });
    ask(&odd, &run(&[]), |finding| {
        let code = finding.more.code.as_ref().expect("code");
        assert_eq!((finding.control(), finding.severity, finding.title.as_ref()), ("7", Severity::Medium, "7"));
        assert_eq!((code.file.as_str(), code.line, finding.resources.len()), ("", None, 0));
    });
}

#[test]
fn a_rule_is_found_by_number_by_id_and_by_the_beginning_of_an_id() {
    let mut run =
        run(&[json!({ "id": "A", "name": "first" }), json!({ "id": "A", "name": "second" }), json!({ "id": "B", "name": "b" })]);
    run.hears(RunPart::Extension, None);
    run.hears(RunPart::Name, Some(b"\"pack\""));
    run.hears(RunPart::Guid, Some(b"\"0f\""));
    run.hears(RunPart::Rule, Some(br#"{"id":"A","name":"of the pack"}"#));
    run.hears(RunPart::Rule, Some(br#"{"id":"P","name":"only there"}"#));
    for (result, want) in [
        (json!({ "ruleId": "A" }), ("A", "first")),
        (json!({ "ruleId": "A", "ruleIndex": 1 }), ("A", "second")),
        (json!({ "ruleId": "A/x/1", "ruleIndex": 1 }), ("A/x/1", "second")),
        (json!({ "ruleId": "B/x/1" }), ("B/x/1", "b")),
        (json!({ "ruleIndex": 2 }), ("B", "b")),
        (json!({ "ruleId": "B", "ruleIndex": 0 }), ("B", "b")),
        (json!({ "ruleId": "A", "ruleIndex": 99 }), ("A", "first")),
        (json!({ "ruleId": "A", "rule": { "toolComponent": { "index": 0 } } }), ("A", "of the pack")),
        (json!({ "rule": { "index": 1, "toolComponent": { "name": "pack" } } }), ("P", "only there")),
        (json!({ "rule": { "id": "A", "toolComponent": { "guid": "0f" } } }), ("A", "of the pack")),
        (json!({ "ruleId": "P" }), ("P", "only there")),
        (json!({ "ruleId": "Bx", "message": { "text": "\n own words \nmore" } }), ("Bx", "own words")),
    ] {
        let found = ask(&result, &run, |finding| (finding.control().to_owned(), finding.title.clone().into_owned()));
        assert_eq!((found.0.as_str(), found.1.as_str()), want, "{result}");
    }
}

#[test]
fn the_severity_is_that_of_the_first_that_says_one() {
    let rule = |properties: Value, level: &str| json!({ "id": "R", "properties": properties, "defaultConfiguration": { "level": level } });
    for (rule, result, want) in [
        (rule(json!({ "security-severity": "9.1" }), "note"), json!({ "ruleId": "R", "level": "note" }), Severity::Critical),
        (
            rule(json!({ "security-severity": "9.1" }), "note"),
            json!({ "ruleId": "R", "properties": { "security-severity": 1.0 } }),
            Severity::Low,
        ),
        (rule(json!({}), "note"), json!({ "ruleId": "R" }), Severity::Low),
        (rule(json!({}), "note"), json!({ "ruleId": "R", "level": "error" }), Severity::High),
        (json!({ "id": "R" }), json!({ "ruleId": "R" }), Severity::Medium),
    ] {
        assert_eq!(ask(&result, &run(&[rule]), |finding| finding.severity), want, "{result}");
    }
}

#[test]
fn the_same_fault_has_the_same_key_and_another_one_has_another() {
    let of = |result: &Value| ask(result, &run(&[]), |finding| (finding.key(), finding.event_id()));
    let first = json!({ "ruleId": "R", "message": { "text": "m" }, "locations": at("a.tf", 1) });
    assert_eq!(of(&first), of(&first.clone()));
    let with = |name: &str, value: Value| {
        let mut other = first.clone();
        other[name] = value;
        of(&other)
    };
    for (name, value) in
        [("ruleId", json!("S")), ("message", json!({ "text": "n" })), ("locations", at("b.tf", 1)), ("locations", at("a.tf", 2))]
    {
        let other = with(name, value.clone());
        assert!(other.0 != of(&first).0 && other.1 != of(&first).1, "{name} {value}");
    }
    // What is graded anew, or moves under its fingerprint, is the same fault in another version.
    let graded = with("level", json!("error"));
    assert!(graded.0 == of(&first).0 && graded.1 != of(&first).1);
    let printed = |line: i64, print: &str, file: &str| {
        of(
            &json!({ "ruleId": "R", "message": { "text": "m" }, "locations": at(file, line), "partialFingerprints": { "hash/v1": print } }),
        )
    };
    assert!(printed(1, "0f", "a.tf").0 == printed(2, "0f", "a.tf").0 && printed(1, "0f", "a.tf").1 != printed(2, "0f", "a.tf").1);
    assert_ne!(printed(1, "0f", "a.tf").0, printed(1, "1f", "a.tf").0);
    assert_ne!(printed(1, "0f", "a.tf").0, printed(1, "0f", "b.tf").0, "the same line in another file");
    assert_ne!(
        printed(1, "requires login", "a.tf").0,
        printed(2, "requires login", "a.tf").0,
        "words of excuse are no fingerprint"
    );
}

/// The time of the file is part of the scan, the present is not.
#[test]
fn a_file_without_a_time_has_the_same_ids_whenever_it_is_read() {
    let (raw, scan) = (r#"{"ruleId":"R"}"#, Scan::default());
    let id = |run: &SarifRun, scan: &Scan, now: i64| match SarifResult::parse(raw.as_bytes(), run, scan, now).expect("a result") {
        SarifResult::Failing(finding, _) => (finding.event_id(), finding.updated_ms),
        other => panic!("{other:?}"),
    };
    let mut timed = run(&[]);
    let (one, two) = (id(&timed, &scan, NOW), id(&timed, &scan, NOW + 5));
    assert!(one.0 == two.0 && one.1 + 5 == two.1);
    for text in ["\"2026-11-21T20:00:00Z\"", "\"yesterday\"", "\"2026-11-21T21:00:00Z\"", "7"] {
        timed.hears(RunPart::EndTime, Some(text.as_bytes()));
    }
    let ended = id(&timed, &scan, NOW);
    assert!(ended.0 != one.0 && Some(ended.1) == time::parse_ms("2026-11-21T21:00:00Z"), "the last of them");
    let other = Scan { revision: Some("other".to_owned()), ..Scan::default() };
    assert_ne!(id(&timed, &other, NOW).0, ended.0, "another commit is another scan");
}

#[test]
fn a_message_may_stand_with_the_rule() {
    let rule = json!({ "id": "R", "messageStrings": { "default": { "text": "{0} is open to {1}, {0}" }, "odd": 7 } });
    let run = run(&[rule]);
    for (message, want) in [
        (json!({ "id": "default", "arguments": ["sg", "all"] }), "sg is open to all, sg"),
        (json!({ "id": "default" }), "{0} is open to {1}, {0}"),
        (json!({ "id": "none" }), ""),
        (json!({ "markdown": "*m*" }), "*m*"),
        (json!({ "text": "t", "id": "default" }), "t"),
    ] {
        let result = json!({ "ruleId": "R", "message": message });
        let found = ask(&result, &run, |finding| finding.more.code.as_ref().map(|code| code.message.clone().into_owned()));
        assert_eq!(found.as_deref(), Some(want), "{message}");
    }
}

#[test]
fn what_the_caller_says_wins_and_an_address_names_nobody() {
    let mut run = run(&[]);
    run.hears(
        RunPart::Origin,
        Some(br#"{"repositoryUri":"https://u:p@git.example.com/a?x=1","revisionId":"1","branch":"main"}"#),
    );
    run.hears(RunPart::Origin, Some(br#"{"repositoryUri":"https://git.example.com/sub","revisionId":"2"}"#));
    let of = |scan: &Scan| match SarifResult::parse(br#"{"ruleId":"R"}"#, &run, scan, NOW).expect("a result") {
        SarifResult::Failing(finding, _) => {
            let code = finding.more.code.as_ref().expect("code");
            [Some(&*finding.account), code.repository, code.revision, code.branch].map(|word| word.map(str::to_owned))
        }
        other => panic!("{other:?}"),
    };
    let words = |words: [&str; 4]| words.map(|word| Some(word.to_owned()));
    assert_eq!(of(&Scan::default()), words(["unknown", "https://git.example.com/a?x=1", "1", "main"]));
    let word = |word: &str| Some(word.to_owned());
    let scan =
        Scan { account: word("111122223333"), repository: word("r"), revision: word("v"), branch: word("b"), ..Scan::default() };
    assert_eq!(of(&scan), words(["111122223333", "r", "v", "b"]));
}

#[test]
fn rules_beyond_the_bound_cost_a_title_and_no_result() {
    let (mut run, mut budget) = (run(&[]), Budget::default());
    let long = "x".repeat(4_000);
    for number in 0..10_000 {
        let rule = json!({ "id": format!("R{number}"), "fullDescription": { "text": long }, "help": { "text": long }, "defaultConfiguration": { "level": "error" } });
        run.hear(RunPart::Rule, Some(rule.to_string().as_bytes()), &mut budget).expect("room for its id");
    }
    let last = json!({ "ruleId": "R9999", "ruleIndex": 9999, "message": { "text": "m" } });
    let found = ask(&last, &run, |finding| (finding.title.clone().into_owned(), finding.severity));
    assert_eq!(found, ("m".to_owned(), Severity::High), "its level is kept");
    run.hears(RunPart::Rule, None);
    run.hears(RunPart::Rule, Some(b"7"));
    run.hears(RunPart::Rule, Some(br#"{"id":"Z","name":"after two that cannot be read"}"#));
    let counted = ask(&json!({ "ruleIndex": 10_002 }), &run, |finding| finding.control().to_owned());
    assert_eq!(counted, "Z");
}

/// S1-20: of how ever many rules a result finds its own, and how severe it is; a file with more than that is not read.
#[test]
fn rules_beyond_the_bound_keep_what_says_which_finding_a_result_is() {
    let (mut run, mut budget) = (run(&[]), Budget::default());
    let rule = |number: usize| format!(r#"{{"id":"R{number}","name":"n","defaultConfiguration":{{"level":"error"}}}}"#);
    let mut hear = |number: usize| run.hear(RunPart::Rule, Some(rule(number).as_bytes()), &mut budget);
    (0..60_000).try_for_each(&mut hear).expect("room for their ids");
    let much = (60_000..200_000).try_for_each(&mut hear).expect_err("no room for their ids");
    assert_eq!(much.to_string(), "more than 16777216 bytes of names in all runs together; give fewer runs in one file");
    for (number, title) in [(49_999, "n"), (50_000, "m"), (59_999, "m")] {
        for result in [json!({ "ruleIndex": number }), json!({ "ruleId": format!("R{number}") })] {
            let mut result = result;
            result["message"] = json!({ "text": "m" });
            let of = |finding: &Finding<'_>| (finding.control().to_owned(), finding.title.to_string(), finding.severity);
            assert_eq!(ask(&result, &run, of), (format!("R{number}"), title.to_owned(), Severity::High), "{result}");
        }
    }
}
