//! Correlations over streams: what completes them, what does not, and that the order in which a replay reads changes nothing.

mod bounds;
mod faults;
mod naive;

use super::super::read::FileRead;
use super::super::{RuleFault, RuleSet, load, read, sigma::Placeholders};
use crate::record::time;
use crate::record::trail::Trail;

/// 2026-11-21T12:00:00Z.
const START_MS: i64 = 1_795_262_400_000;

/// A record so many seconds after the start.
fn record(id: &str, name: &str, second: i64, more: &str) -> String {
    let time = time::format_ms(START_MS + second * 1_000);
    let comma = if more.is_empty() { "" } else { "," };
    format!(r#"{{"eventID":"{id}","eventSource":"s","eventName":"{name}","eventTime":"{time}"{comma}{more}}}"#)
}

fn base(name: &str, event: &str) -> String {
    format!(
        "title: {name}\nname: {name}\nlogsource: {{product: aws, service: cloudtrail}}\nlevel: low\ndetection:\n  s: {{eventName: {event}}}\n  condition: s\n"
    )
}

fn correlation(name: &str, inside: &str) -> String {
    format!("title: {name}\nname: {name}\nlevel: high\ncorrelation: {inside}\n")
}

/// The rules of files, and what is wrong with them.
fn read_all(files: &[(&str, &[String])]) -> (RuleSet, Vec<RuleFault>) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, documents) in files {
        std::fs::write(folder.path().join(name), documents.join("---\n")).expect("a file");
    }
    let (set, mut faults) = RuleSet::new(load::alone(&[folder.path().to_owned()], &Placeholders::new()));
    for fault in &mut faults {
        fault.file = fault.file.rsplit('/').next().unwrap_or_default().to_owned();
    }
    (set, faults)
}

fn set_of(documents: &[String]) -> RuleSet {
    let (set, faults) = read_all(&[("rules.yml", documents)]);
    assert_eq!(faults, []);
    set
}

/// The detections of each record, as it comes.
fn detections(set: &RuleSet, records: &[String]) -> Vec<Vec<String>> {
    let mut matcher = set.matcher();
    records
        .iter()
        .map(|raw| {
            let trail = Trail::parse(raw.as_bytes()).expect(raw);
            let hits = matcher.detections(&trail, "111122223333", trail.event_id.or_empty(), i64::MAX);
            hits.iter().map(|rule| rule.id.clone()).collect()
        })
        .collect()
}

const FAILED: &str = "{type: event_count, rules: [failed], group-by: [sourceIPAddress], timespan: 10s, condition: {gte: 3}}";

/// The example of the specification: many failures, then a success of the same user.
#[test]
fn failures_followed_by_a_success_are_told_with_the_success() {
    let outer = "{type: temporal_ordered, rules: [many-failed, worked], group-by: [userIdentity.userName], timespan: 60s}";
    let set = set_of(&[
        base("failed", "Fail"),
        base("worked", "Work"),
        correlation("many-failed", FAILED),
        correlation("broken-in", outer),
    ]);
    let from = |ip: &str, user: &str| format!(r#""sourceIPAddress":"{ip}","userIdentity":{{"userName":"{user}"}}"#);
    let found = detections(
        &set,
        &[
            record("w0", "Work", 0, &from("1.1.1.1", "ann")),
            record("f1", "Fail", 1, &from("1.1.1.1", "ann")),
            record("f2", "Fail", 2, &from("1.1.1.1", "ann")),
            record("f2", "Fail", 2, &from("1.1.1.1", "ann")),
            record("f3", "Fail", 3, &from("2.2.2.2", "ann")),
            record("f4", "Fail", 4, &from("1.1.1.1", "ann")),
            record("w5", "Work", 5, &from("3.3.3.3", "bob")),
            record("w6", "Work", 6, &from("3.3.3.3", "ann")),
            record("w6", "Work", 6, &from("3.3.3.3", "ann")),
            record("w7", "Work", 7, &from("3.3.3.3", "ann")),
        ],
    );
    // `many-failed` itself only feeds the other: it stands in the same file.
    let none: [&str; 0] = [];
    let told = ["broken-in"];
    let want: [&[&str]; 10] = [&none, &none, &none, &none, &none, &none, &none, &told, &told, &none];
    assert_eq!(found, want);
}

/// Of equal times none is first.
#[test]
fn records_of_one_second_are_in_any_order() {
    let set = set_of(&[
        base("first", "A"),
        base("second", "B"),
        correlation("both", "{type: temporal_ordered, rules: [first, second], timespan: 5s}"),
    ]);
    let found = detections(&set, &[record("b", "B", 3, ""), record("a", "A", 3, ""), record("c", "B", 9, "")]);
    assert_eq!(found, [vec![], vec!["both".to_owned()], vec![]]);
    let found = detections(&set, &[record("d", "B", 100, ""), record("e", "A", 101, "")]);
    assert_eq!(found, [Vec::<String>::new(), vec![]], "the second came first");
}

/// Only rules of the correlation's own file become silent, and none with `generate`.
#[test]
fn nobody_elses_rule_is_muted() {
    let by = |rules: &str, more: &str| {
        correlation("many", &format!("{{type: event_count, rules: [{rules}], timespan: 10s, condition: {{gte: 2}}}}")) + more
    };
    let two = [record("1", "X", 0, ""), record("2", "X", 1, "")];
    for (name, files, want) in [
        ("same file", vec![("a.yml", vec![base("own", "X"), by("own", "")])], [vec![], vec!["many"]]),
        ("generate", vec![("a.yml", vec![base("own", "X"), by("own", "generate: true\n")])], [vec!["own"], vec!["many", "own"]]),
        (
            "other file",
            vec![("a.yml", vec![base("own", "X")]), ("b.yml", vec![by("own", "")])],
            [vec!["own"], vec!["many", "own"]],
        ),
    ] {
        let files: Vec<(&str, &[String])> = files.iter().map(|(name, documents)| (*name, documents.as_slice())).collect();
        let (set, faults) = read_all(&files);
        assert_eq!(faults, []);
        assert_eq!(detections(&set, &two), want, "{name}");
    }
}

/// A field that is called otherwise in the records of each rule.
#[test]
fn an_alias_is_another_field_for_each_rule() {
    let set = set_of(&[
        base("made", "Make"),
        base("used", "Use"),
        correlation(
            "made-and-used",
            "{type: temporal, rules: [made, used], group-by: [user], timespan: 10s, \
             aliases: {user: {made: requestParameters.userName, used: userIdentity.userName}}}",
        ),
    ]);
    let made = |id: &str, second, user: &str| {
        record(
            id,
            "Make",
            second,
            &format!(r#""requestParameters":{{"userName":"{user}"}},"userIdentity":{{"userName":"root"}}"#),
        )
    };
    let used = |id: &str, second, user: &str| record(id, "Use", second, &format!(r#""userIdentity":{{"userName":"{user}"}}"#));
    let found = detections(&set, &[made("1", 0, "eve"), used("2", 1, "root"), used("3", 2, "eve"), made("4", 3, "root")]);
    assert_eq!(found, [vec![], vec![], vec!["made-and-used".to_owned()], vec!["made-and-used".to_owned()]]);
}

/// `rules: [a, b]` and a condition in words.
#[test]
fn a_condition_may_name_rules() {
    let set = set_of(&[
        base("a", "A"),
        base("b", "B"),
        base("c", "C"),
        correlation("some", "{type: temporal, rules: [a, b, c], timespan: 10s, condition: a and (b or c)}"),
        correlation("two", "{type: temporal, rules: [a, b, c], timespan: 10s, condition: {gte: 2}}"),
    ]);
    let found = detections(&set, &[record("1", "B", 0, ""), record("2", "C", 1, ""), record("3", "A", 2, "")]);
    assert_eq!(found, [vec![], vec!["two".to_owned()], vec!["some".to_owned()]]);
}

/// A rule and a correlation as Sigma writes them, in one text.
fn one_file(text: &str) -> (Vec<read::Read>, Vec<RuleFault>) {
    let FileRead { rules, faults, .. } = read::file("r.yml", text, false, &Placeholders::new());
    (rules, faults)
}
