//! One condition without a finding, and what is told of it after one change.

use std::collections::BTreeSet;

use super::super::source::Definition;
use super::{Known, lint};
use crate::nrql::lint::{Kind, Names};

const POLICY: &str = "\
name: { en: Own, ja: 自社 }
incidentPreference: PER_CONDITION
reason: One matter.
view: detective
";

const CONDITION: &str = "\
id: stopped
name: { en: Trail stopped, ja: 証跡の停止 }
enabled: true
because: It is rare.
question: { en: Was it stopped?, ja: 停止されたか。 }
answers: [S0-08]
responder: first
query: >-
  SELECT count(*) FROM AwsSecurityNotice WHERE control.ids LIKE '%|trail-logging-stopped|%'
  FACET aws.accountName AS account
value: { en: notices, ja: 通知の件数 }
signal: { window: 60, method: EVENT_TIMER, timer: 60, fill: NONE }
lateness: { seconds: 0, why: Stamped at arrival. }
terms:
  - priority: CRITICAL
    operator: ABOVE
    threshold: 0
    duration: 60
    occurrences: AT_LEAST_ONCE
    reason: One is enough.
expiration:
  after: 3600
  closes: true
  reason: It has no end.
timeLimit: 86400
runbook: https://example.com/runbook
titleTemplate: { en: \"Stopped in {{tag.account}}\", ja: \"{{tag.account}} で停止\" }
description: { en: \"Stopped in {{tag.account}}.\", ja: \"{{tag.account}} で停止。\" }
response: { en: Start it., ja: 再開します。 }
tuning: { en: Mute it for 30 days., ja: 例外に登録します。 }
cases:
  - name: one
    rows:
      - event: AwsSecurityNotice
        at: 5
        with: { control.ids: \"|trail-logging-stopped|\", aws.accountName: prod }
    incidents:
      - { priority: CRITICAL, facet: { account: prod } }
  - name: another
    rows:
      - event: AwsSecurityNotice
        at: 5
        with: { control.ids: \"|vpc-changed|\", aws.accountName: prod }
    incidents: []
";

fn names() -> Names {
    let mut names = Names::default();
    for event_type in ["AwsSecurityNotice", "AwsSecurityEvent"] {
        for name in ["aws.accountName", "control.id", "actor.name"] {
            names.attribute(event_type, name, Kind::Text);
        }
        names.attribute(event_type, "control.ids", Kind::List);
    }
    names
}

fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let definition = Definition::read(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    let controls: BTreeSet<String> = ["trail-logging-stopped", "trail-deleted", "vpc-changed"].map(str::to_owned).into();
    let names = names();
    lint(&definition, Known { names: &names, controls: &controls }).iter().map(ToString::to_string).collect()
}

/// What is told of the two files with this changed.
fn told(from: &str, to: &str) -> Vec<String> {
    let found = POLICY.matches(from).count() + CONDITION.matches(from).count();
    assert!(from.is_empty() || found == 1, "{found} places with `{from}`");
    let changed = |text: &str| if from.is_empty() { text.to_owned() } else { text.replacen(from, to, 1) };
    findings(&[("own/policy.yml", &changed(POLICY)), ("own/stopped.yml", &changed(CONDITION))])
}

#[test]
fn nothing_is_told_of_a_sound_condition() {
    assert_eq!(told("", ""), Vec::<String>::new());
}

/// Each fault alone, at its place.
#[test]
fn every_fault_is_told_at_its_place() {
    #[rustfmt::skip]
    let cases = [
        ("PER_CONDITION", "PER_TARGET", "own/policy.yml:2: incidentPreference: `PER_TARGET`; allowed: PER_POLICY, PER_CONDITION, PER_CONDITION_AND_TARGET"),
        ("reason: One matter.", "reason: \"\"", "own/policy.yml:3: reason: is empty; say why"),
        ("view: detective", "view: detectiv", "own/policy.yml:4: view: no page `detectiv` of the dashboard; the pages are overview, detective, preventive, findings, attack, frameworks, resources, identity, health"),
        ("id: stopped", "id: stoped", "own/stopped.yml:1: id: `stoped` in a file called stopped.yml; both are the same"),
        ("en: Trail stopped, ja: 証跡の停止", "en: Trail stopped", "own/stopped.yml:2: name: has no `ja`"),
        ("because: It is rare.", "because: \" \"", "own/stopped.yml:4: because: is empty; say why"),
        ("[S0-08]", "[]", "own/stopped.yml:6: answers: names no requirement; name the rows that ask for this condition"),
        ("FACET aws.accountName AS account", "FACET aws.accountNme AS account", "own/stopped.yml:8: query: byte 96, at `aws.accountNme AS accoun`: error[unknown-attribute]: `aws.accountNme` is no attribute of AwsSecurityNotice; did you mean `aws.accountName`?"),
        ("'%|trail-logging-stopped|%'\n", "'%|trail-logging-stoped|%'\n", "own/stopped.yml:8: query: no control `trail-logging-stoped`; did you mean `trail-logging-stopped`?"),
        ("control.ids LIKE '%|trail-logging-stopped|%'\n", "control.id = 'trail-deleted'\n", "own/stopped.yml:8: query: `control.id` of AwsSecurityNotice: a notice names its most severe control there; say `control.ids LIKE '%|id|%'`, which has all of them"),
        ("window: 60,", "window: 25,", "own/stopped.yml:12: signal.window: 25; allowed: 30 to 21600"),
        ("window: 60, method: EVENT_TIMER, timer: 60", "window: 60, method: EVENT_TIMER", "own/stopped.yml:12: signal: `timer` is missing: EVENT_TIMER says how many seconds, also if it is New Relic's default"),
        ("timer: 60,", "timer: 30,", "own/stopped.yml:12: signal.timer: 30: a pause between two rows would close the window; allowed: at least the window, 60"),
        ("method: EVENT_TIMER, timer: 60,", "method: CADENCE, delay: 60, timer: 60,", "own/stopped.yml:12: signal.timer: CADENCE has no timer; it has a delay"),
        ("timer: 60, fill: NONE", "timer: 60, fill: STATIC", "own/stopped.yml:12: signal.fill: STATIC: `fillValue` stands with STATIC and with nothing else"),
        ("seconds: 0,", "seconds: 90,", "own/stopped.yml:12: signal.timer: 60, and rows are up to 90 s late (`lateness`): what comes after that is lost to the condition"),
        ("why: Stamped at arrival.", "why: \"\"", "own/stopped.yml:13: lateness.why: is empty; say why"),
        ("duration: 60", "duration: 90", "own/stopped.yml:18: terms.duration: 90; allowed: a multiple of aggregationWindow (60)"),
        ("reason: One is enough.", "reason: \"\"", "own/stopped.yml:20: terms.0.reason: is empty; say why"),
        ("after: 3600\n  closes", "closes", "own/stopped.yml:21: expiration: `after` is missing: after how many seconds does it open or close?"),
        ("closes: true", "closes: false", "own/stopped.yml:22: expiration.after: neither `opens` nor `closes`: nothing would happen; leave `after` out"),
        ("timeLimit: 86400", "timeLimit: 60", "own/stopped.yml:25: timeLimit: 60; allowed: 300 to 2592000"),
        ("after: 3600", "after: 120", "own/stopped.yml:22: expiration.after: 120, and a window is judged up to 120 s after its rows: its incident would stay open"),
        ("closes: true", "opens: true", "own/stopped.yml:25: timeLimit: 86400: what is still silent then would look mended; of one that opens at silence it is 2592000"),
        ("https://example", "http://example", "own/stopped.yml:26: runbook: `http://example.com/runbook`; allowed: an address that begins with https://"),
        ("titleTemplate: {", "# {", "own/stopped.yml:1: titleTemplate: is missing; say what the incident is called"),
        ("en: \"Stopped in {{tag.account}}\"", "en: \"Stopped in {{tag.region}}\"", "own/stopped.yml:27: titleTemplate.en: `{{tag.region}}`: the query has no facet `region`; there are account"),
        ("en: \"Stopped in {{tag.account}}\"", "en: \"Stopped {{#if x}}\"", "own/stopped.yml:27: titleTemplate.en: `{{#if x}}`; allowed: {{tag.<facet>}}, {{conditionName}}"),
        ("en: \"Stopped in {{tag.account}}.\"", "en: \"More than 5 times.\"", "own/stopped.yml:28: description.en: the number 5 is written by hand; `[[critical]]` and its like are what the condition has"),
        ("en: \"Stopped in {{tag.account}}.\"", "en: \"[[warning]] times.\"", "own/stopped.yml:28: description.en: `[[warning]]` stands for the threshold of the WARNING term, and the condition has none"),
        ("en: \"Stopped in {{tag.account}}.\"", "en: \"[[often]].\"", "own/stopped.yml:28: description.en: no word `[[often]]`; the words are [[critical]], [[warning]], [[criticalFor]], [[warningFor]], [[window]], [[silence]], [[limit]]"),
        ("incidents: []", "incidents: [{ priority: CRITICAL, facet: { account: prod } }]", "own/stopped.yml:31: cases: at least one case opens an incident and one opens none"),
        ("priority: CRITICAL, facet: { account: prod }", "priority: WARNING, facet: { account: prod }", "own/stopped.yml:32: cases.0: an incident of priority `WARNING`, and no term has it; of silence it is CRITICAL"),
        ("priority: CRITICAL, facet: { account: prod }", "priority: CRITICAL, silence: true, facet: { account: prod }", "own/stopped.yml:32: cases.0: an incident of silence, and `expiration` does not open one"),
        ("facet: { account: prod }", "facet: { acount: prod }", "own/stopped.yml:32: cases.0: an incident of facets (acount); the query has (account)"),
        ("name: another", "name: one", "own/stopped.yml:39: cases.1.name: a second case called `one`"),
        ("\"|vpc-changed|\", aws.accountName: prod", "\"|vpc-changed|\", aws.account: prod", "own/stopped.yml:41: cases.1.rows.0: error[unknown-attribute]: `aws.account` is no attribute of AwsSecurityNotice"),
    ];
    for (from, to, want) in cases {
        let found = told(from, to);
        assert!(found.iter().any(|line| line == want || line.starts_with(want)), "{from} → {to}\n{want}\n{found:#?}");
    }
}

/// New Relic names an incident of a lost signal itself.
#[test]
fn what_opens_at_silence_alone_has_no_title() {
    let text = CONDITION
        .replace("operator: ABOVE\n    threshold: 0", "operator: BELOW\n    threshold: 1")
        .replace("closes: true", "opens: true")
        .replace("timeLimit: 86400", "timeLimit: 2592000");
    let found = findings(&[("own/policy.yml", POLICY), ("own/stopped.yml", &text)]);
    let want = "own/stopped.yml:27: titleTemplate: New Relic does not use it for a signal that is lost; `name` and `description` say what it is";
    assert!(found.contains(&want.to_owned()), "{found:#?}");
}

/// P28: a condition on single records does not read what may come after its window is closed.
#[test]
fn a_single_record_is_told_by_its_notice() {
    let found = told(
        "FROM AwsSecurityNotice WHERE control.ids LIKE '%|trail-logging-stopped|%'",
        "FROM AwsSecurityEvent WHERE control.id = 'trail-deleted'",
    );
    let want = "own/stopped.yml:8: query: it opens at a single row of AwsSecurityEvent, which may come after its window is closed; read AwsSecurityNotice, which is filed under the time of sending";
    assert!(found.contains(&want.to_owned()), "{found:#?}");
}

#[test]
fn a_window_that_no_timer_covers_is_closed_by_the_clock() {
    let text = CONDITION
        .replace("window: 60, method: EVENT_TIMER, timer: 60", "window: 3600, method: EVENT_TIMER, timer: 1200")
        .replace("duration: 60", "duration: 3600")
        .replace("after: 3600", "after: 7200");
    let found = findings(&[("own/policy.yml", POLICY), ("own/stopped.yml", &text)]);
    assert_eq!(
        found,
        [
            "own/stopped.yml:12: signal.timer: 1200: a pause between two rows would close the window; allowed: at least the window, 3600; none is longer than 1200, so say CADENCE with a delay"
        ]
    );
}

#[test]
fn names_and_ids_are_unique() {
    let found = findings(&[
        ("own/policy.yml", POLICY),
        ("own/stopped.yml", CONDITION),
        ("two/policy.yml", POLICY),
        ("two/stopped.yml", CONDITION),
    ]);
    assert_eq!(
        found,
        [
            "two/stopped.yml:2: name: `Trail stopped` is the name of own/stopped.yml, too; names are unique",
            "two/stopped.yml:2: name: `証跡の停止` is the name of own/stopped.yml, too; names are unique",
            "two/stopped.yml:1: id: `stopped` is an id of policy own, too; ids are unique",
        ]
        .map(str::to_owned)
        .into_iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
    );
}

/// All files are told of, also those that no YAML reader gets through.
#[test]
fn what_cannot_be_read_is_told_with_the_rest() {
    let wrong = CONDITION.replace("operator: ABOVE", "operator: OVER");
    let found = findings(&[
        ("own/one.yml", "id: one\nquerry: x\n"),
        ("own/stopped.yml", &wrong),
        ("two/policy.yml", &POLICY.replace("PER_CONDITION", "x")),
    ]);
    let files: Vec<&str> = found.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(files, ["own/one.yml:2", "own/policy.yml:0", "own/stopped.yml:16", "two/policy.yml:2"], "{found:#?}");
    assert!(found[2].contains("`OVER`; allowed: ABOVE, ABOVE_OR_EQUALS, BELOW"), "{}", found[2]);
    assert_eq!(findings(&[]), [".:0: conditions: no conditions; a folder holds <policy>/policy.yml and <policy>/<id>.yml"]);
}
