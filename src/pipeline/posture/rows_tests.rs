//! Rows of each kind, exact, complete and small.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use super::super::freshness::{Failed, Kind as Left};
use super::*;

use crate::config::Accountable;
use crate::encode::compliance::{Origin, Told, plain, push_change, push_notice};
use crate::encode::dictionary::{ATTRIBUTES, Kind, REQUEST_PREFIX};
use crate::encode::event::Arrival;
use crate::encode::posture::{Run, push_run};
use crate::enrich::AccountNames;
use crate::posture::Correction;
use crate::posture::compliance::reconcile::Reading;
use crate::record::{ComplianceChange, DeployedRule, Evaluation, Glob};
use crate::source::config_api::PackRules;

use ComplianceState::{Compliant, InsufficientData, NonCompliant, NotApplicable};

const HOUR: i64 = 3_600_000;
const NOW: i64 = 1_795_292_071_000;
/// Time between two readings.
const EVERY: Duration = Duration::from_hours(6);

/// The shape of a secret, in two halves so that no scanner takes it for one.
const TOKEN: &str = concat!("xoxb", "-123456789012-abcdefghijklmnop");

/// One evaluation: resource, state, when it was recorded.
type Judged<'a> = (&'a str, ComplianceState, i64);

/// Reads the rules of a place, as a baseline or again.
fn read(state: &Compliance, place: &AccountRegion, rules: &[(&str, &[Judged<'_>])], now_ms: i64) -> Vec<Correction> {
    let reading = Reading::of_place(now_ms, EVERY);
    let mut found = Vec::new();
    for (name, judged) in rules {
        let arn = format!("arn:aws:config:{}:{}:config-rule/config-rule-abc123", place.region, place.account);
        let rule = DeployedRule { name: (*name).into(), arn: arn.into(), identifier: None };
        let evaluations = judged.iter().map(|(resource, state, recorded_ms)| Evaluation {
            resource_type: "AWS::S3::Bucket".into(),
            resource_id: (*resource).into(),
            state: *state,
            recorded_ms: *recorded_ms,
            annotation: Some(format!("public ACL, {TOKEN}").into()),
        });
        found.extend(state.reconcile_rule(place, &rule, evaluations.collect(), reading));
    }
    let names: HashSet<Box<str>> = rules.iter().map(|(name, _)| Box::from(*name)).collect();
    found.extend(state.reconcile_rules(place, &names, reading));
    found
}

fn here() -> AccountRegion {
    AccountRegion::new("111122223333", "eu-west-1")
}

/// Two Regions of one account, and an account without rules.
fn posture() -> Compliance {
    let state = Compliance::in_memory();
    let rules: [(&str, &[Judged<'_>]); 4] = [
        ("our-own-rule-conformance-pack-abc123def", &[("ledger", NotApplicable, NOW - HOUR)]),
        ("s3-bucket-versioning-enabled", &[]),
        ("securityhub-restricted-ssh-1a2b3c4d", &[("sg-1", Compliant, NOW - HOUR), ("sg-2", Compliant, NOW - HOUR)]),
        (
            "securityhub-s3-bucket-public-read-prohibited-1a2b3c4d",
            &[("arn:aws:s3:::ledger", NonCompliant, NOW - 50 * HOUR), ("open", NonCompliant, 0), ("sg-1", Compliant, NOW)],
        ),
    ];
    read(&state, &here(), &rules, NOW);
    let other: [(&str, &[Judged<'_>]); 1] = [("restricted-ssh", &[("sg-3", InsufficientData, NOW - HOUR)])];
    read(&state, &AccountRegion::new("111122223333", "us-east-1"), &other, NOW);
    read(&state, &AccountRegion::new("444455556666", "eu-west-1"), &[], NOW);
    state
}

fn enricher() -> Enricher {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("accounts.csv");
    std::fs::write(
        &file,
        "accountId,name,organizationalUnit,environment,owner\n111122223333,prod-payments,Workloads/Prod,prod,payments-team\n",
    )
    .unwrap();
    Enricher::new(AccountNames::from_file(&file).unwrap(), "UTC").unwrap()
}

/// The rule `r` is muted in one account.
fn exceptions() -> Exceptions {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exceptions.yml");
    let text =
        "- control: r\n  scope: {accounts: ['111122223333']}\n  owner: payments\n  reason: a test\n  expires: 2099-01-01\n";
    std::fs::write(&file, text).unwrap();
    let rules = RuleSet::load(&crate::config::Rules::default()).0;
    Exceptions::from_file(&file, "UTC", &rules).unwrap().0
}

/// A pack with rules in every state, one that judges nothing, one whose rules could not be read; and a place that tells of none.
fn packs() -> Packs {
    let pack = |name: &str, state, rules| Pack { name: name.into(), state, rules };
    let here_are = vec![
        pack("pci", NonCompliant, Some(PackRules { compliant: 2, non_compliant: 1, no_data: 4 })),
        pack("idle", InsufficientData, Some(PackRules { compliant: 0, non_compliant: 0, no_data: 3 })),
        pack("unread", Compliant, None),
    ];
    Packs::from([(here(), Some(here_are)), (AccountRegion::new("444455556666", "eu-west-1"), None)])
}

/// Every place of which there is a baseline was read an hour ago, where everything is read every six hours.
fn fresh(state: &Compliance) -> Freshness {
    let places = state.places().into_iter().filter(|place| state.has_baseline(place));
    freshness(places.map(|place| (place, Some(NOW - HOUR))).collect(), &[])
}

fn freshness(asked: BTreeMap<AccountRegion, Option<i64>>, failed: &[Failed]) -> Freshness {
    let failed = failed.iter().map(|what| (what.clone(), Left::Unread)).collect();
    Freshness::new(asked, BTreeMap::new(), failed, NOW, Duration::from_hours(6))
}

/// All rows of one kind, as they are and read.
fn rows_with(state: &Compliance, trend: &Trend, beside: &BTreeMap<Box<str>, Beside>, kind: RowKind) -> Vec<Value> {
    rows_of(state, trend, beside, (&fresh(state), &Watched::default()), kind)
}

fn rows_of(
    state: &Compliance,
    trend: &Trend,
    beside: &BTreeMap<Box<str>, Beside>,
    (freshness, watched): (&Freshness, &Watched),
    kind: RowKind,
) -> Vec<Value> {
    let enricher = enricher();
    let rows = Rows {
        state,
        findings: &Findings::in_memory(crate::config::Findings::default()),
        rules: &RuleSet::builtin(),
        enricher: &enricher,
        watched,
        freshness,
        frameworks: &Frameworks::default(),
        exceptions: &exceptions(),
        trend,
        beside,
        packs: &packs(),
        snapshot: Snapshot { id: "run-1", now_ms: NOW },
        source: "posture",
        agent: "agent-1",
    };
    let mut all = Vec::new();
    let written = rows.each(kind, &mut |item| all.push(serde_json::from_slice(item).unwrap()));
    assert_eq!(written, Written { rows: all.len() as u64, cut: 0 });
    all
}

fn rows(state: &Compliance, kind: RowKind) -> Vec<Value> {
    rows_with(state, &Trend::default(), &BTreeMap::new(), kind)
}

/// Every attribute is in the dictionary for this type, with this kind.
fn in_dictionary(row: &Value) {
    let event_type = row["eventType"].as_str().unwrap();
    for (name, value) in row.as_object().unwrap().iter().filter(|(name, _)| !["eventType", "timestamp"].contains(&name.as_str()))
    {
        assert!(!name.starts_with(REQUEST_PREFIX));
        let known = ATTRIBUTES.iter().find(|attribute| attribute.name == name).unwrap_or_else(|| panic!("{name}"));
        assert!(known.events.contains(&event_type), "{name} of {event_type}");
        assert_eq!(value.is_number(), known.kind == Kind::Number, "{name}: {value}");
    }
}

fn run() -> Value {
    let run = Run {
        kind: RowKind::Summary.run(),
        rows: 2,
        repairs: 1,
        places: 3,
        places_failed: 0,
        places_not_enabled: Some(1),
        calls: 12,
        began_ms: NOW,
        ended_ms: NOW + 2_000,
        accepted: true,
        complete: true,
        agent: "host-1",
    };
    let mut item = Vec::new();
    assert_eq!(push_run(&mut item, &run, Snapshot { id: "run-1", now_ms: NOW }), 0);
    serde_json::from_slice(&item).unwrap()
}

/// S0-10, S0-13: one row of each kind, exact.
#[test]
fn rows_of_every_kind_are_exact() {
    let state = posture();
    let mut text = String::new();
    let mut times = HashSet::new();
    for kind in RowKind::ALL.into_iter().filter(|kind| kind.needs_reader()) {
        let all = rows(&state, kind);
        all.iter().for_each(in_dictionary);
        times.extend(all.iter().map(|row| (row["timestamp"].to_string(), row["snapshot.id"].to_string())));
        assert_eq!(all, rows(&state, kind), "the same rows in the same order");
        let shown = if kind == RowKind::Frameworks { 1 } else { all.len() };
        for row in all.iter().take(shown) {
            text += &format!("{}\n", serde_json::to_string_pretty(row).unwrap());
        }
    }
    in_dictionary(&run());
    text += &format!("{}\n", serde_json::to_string_pretty(&run()).unwrap());
    assert_eq!(times.len(), 1, "rows of a run share time and id");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../tests/golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r#""relay.version": "[^"]*""#, r#""relay.version": "VERSION""#);
    settings.bind(|| insta::assert_snapshot!("posture_rows", text));
}

/// S0-10: three states are kept apart; a percent of nothing, and counts that nobody read, are not said.
#[test]
fn a_pack_says_what_is_known_of_it_and_no_more() {
    let all = rows(&posture(), RowKind::Packs);
    let of = |name: &str| all.iter().find(|row| row["pack.name"] == name).unwrap();
    let counts = |row: &Value| {
        ["compliantRules", "violatingRules", "unknownRules", "percentRules"].map(|name| row.get(format!("pack.{name}")).cloned())
    };
    assert_eq!(counts(of("pci")), [Some(json!(2)), Some(json!(1)), Some(json!(4)), Some(json!(66.66))]);
    assert_eq!(counts(of("idle")), [Some(json!(0)), Some(json!(0)), Some(json!(3)), None]);
    assert_eq!(counts(of("unread")), [None, None, None, None]);
    assert_eq!((&of("unread")["pack.state"], all.len()), (&json!("COMPLIANT"), 3));
}

/// S2-21: "nobody evaluates it" is said only when every place was read.
#[test]
fn a_control_is_not_evaluated_only_if_every_place_was_read() {
    let of = |state: &Compliance, id: &str| {
        let all = rows(state, RowKind::Controls);
        all.iter().for_each(in_dictionary);
        let ids: HashSet<&str> = all.iter().filter_map(|row| row["control.id"].as_str()).collect();
        assert_eq!(ids.len(), all.len(), "a control has one row");
        all.into_iter().find(|row| row["control.id"] == id).unwrap()
    };
    let evaluated = |state: &Compliance, id: &str| of(state, id)["control.evaluated"].clone();
    let read_whole = posture();
    assert_eq!(evaluated(&read_whole, "restricted-ssh"), "true");
    assert_eq!(evaluated(&read_whole, "alb-tagged"), "false");
    assert_eq!(of(&read_whole, "root-user-activity")["control.enabled"], "true");
    // One place of which only an event has told.
    let partly = posture();
    let reading = Reading::of_place(NOW, EVERY);
    let told = DeployedRule { name: "restricted-ssh".into(), arn: "arn:r".into(), identifier: None };
    partly.reconcile_rule(&AccountRegion::new("777788889999", "eu-west-1"), &told, Vec::new(), reading);
    assert_eq!(evaluated(&partly, "restricted-ssh"), "true");
    assert_eq!(evaluated(&partly, "alb-tagged"), "unknown");
    assert_eq!(evaluated(&Compliance::in_memory(), "restricted-ssh"), "unknown");
}

/// S0-20, S2-21: a managed rule under another name is what AWS says it is, in every kind of row.
#[test]
fn a_rule_under_another_name_is_the_managed_rule_behind_it() {
    let state = Compliance::in_memory();
    let identifier = Some("INCOMING_SSH_DISABLED".into());
    let mine = DeployedRule { name: "my-ssh".into(), arn: "arn:r".into(), identifier };
    let bad = Evaluation {
        resource_type: "AWS::EC2::SecurityGroup".into(),
        resource_id: "sg-1".into(),
        state: NonCompliant,
        recorded_ms: NOW - HOUR,
        annotation: None,
    };
    let reading = Reading::of_place(NOW, EVERY);
    assert!(state.reconcile_rule(&here(), &mine, vec![bad], reading).is_empty());
    assert!(state.reconcile_rules(&here(), &HashSet::from(["my-ssh".into()]), reading).is_empty());
    for kind in [RowKind::Snapshot, RowKind::Violations] {
        let all = rows(&state, kind);
        in_dictionary(&all[0]);
        let of = |name: &str| all[0][name].as_str().unwrap().to_owned();
        assert_eq!(
            (of("compliance.ruleName"), of("control.id"), of("control.severity")),
            ("my-ssh".into(), "restricted-ssh".into(), "HIGH".into())
        );
    }
    let violation = rows(&state, RowKind::Violations).remove(0);
    assert_eq!(violation["control.securityHubIds"], "|EC2.13|");
    assert_eq!((&violation["compliance.evaluatedAt"], &violation["compliance.observedAt"]), (&json!(NOW - HOUR), &json!(NOW)));
    let requirement = rows(&state, RowKind::Frameworks).into_iter().find(|row| row["framework.id"] == "FSBP:EC2.13").unwrap();
    assert_eq!((&requirement["framework.state"], &requirement["framework.failedRules"]), (&json!("failed"), &json!(1)));
    let control = rows(&state, RowKind::Controls).into_iter().find(|row| row["control.id"] == "restricted-ssh").unwrap();
    assert_eq!(control["control.evaluated"], "true");
}

/// S0-11: a percent of nothing is not there, and never 100.
#[test]
fn a_percent_of_nothing_is_absent() {
    let all = rows(&posture(), RowKind::Summary);
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0]["posture.percentRules"], &all[0]["posture.percentResources"]), (&json!(50), &json!(50)));
    assert_eq!(all[1]["aws.accountName"], "444455556666", "no name: the id");
    for name in ["posture.percentRules", "posture.percentResources", "posture.percentRulesDelta1d", "posture.failingRules"] {
        assert_eq!(all[1].get(name), None, "{name}");
    }
    assert_eq!((&all[1]["posture.compliantRules"], &all[1]["posture.regionsRead"]), (&json!(0), &json!(1)));
}

/// S0-12: what became better; and what only the caller knows.
#[test]
fn deltas_and_exceptions_stand_beside_the_percents_and_move_none() {
    let state = Compliance::in_memory();
    let judged: [Judged<'_>; 3] = [("a", Compliant, NOW), ("b", Compliant, NOW), ("c", NonCompliant, NOW)];
    let rules: [(&str, &[Judged<'_>]); 3] = [("r", &judged), ("s", &judged[..1]), ("t", &judged[..2])];
    read(&state, &here(), &rules, NOW);
    let mut worse = state.accounts();
    for counts in worse.values_mut() {
        (counts.rules.compliant, counts.rules.violating) = (0, 3);
    }
    let mut trend = Trend::default();
    trend.note(NOW - 24 * HOUR, &worse);
    let beside = Beside { failing_rules: Some(2) };
    let all = rows_with(&state, &trend, &BTreeMap::from([("111122223333".into(), beside)]), RowKind::Summary);
    in_dictionary(&all[0]);
    for (name, want) in [
        ("posture.percentRules", json!(66.66)),
        ("posture.percentResources", json!(66.66)),
        ("posture.percentRulesDelta1d", json!(66.66)),
        ("posture.percentResourcesDelta1d", json!(0)),
        ("posture.violatingRulesDelta1d", json!(-2)),
        ("posture.violatingResourcesDelta1d", json!(0)),
        ("posture.exceptedRules", json!(1)),
        ("posture.exceptedResources", json!(1)),
        ("posture.failingRules", json!(2)),
    ] {
        assert_eq!(all[0][name], want, "{name}");
    }
    assert_eq!(all[0].get("posture.percentRulesDelta7d"), None, "nobody knows how it was a week ago");
}

/// S2-01: who was never read has a row that says so, and no numbers; who was read long ago says when, and is compared with nothing.
#[test]
fn what_was_not_read_lately_is_told_as_that() {
    let state = posture();
    let mut trend = Trend::default();
    trend.note(NOW - 24 * HOUR, &state.accounts());
    let there = AccountRegion::new("111122223333", "us-east-1");
    let never = AccountRegion::new("777788889999", "eu-west-1");
    let asked = BTreeMap::from([(here(), Some(NOW - HOUR)), (there, Some(NOW - 13 * HOUR)), (never.clone(), None)]);
    let freshness = freshness(asked, &[Failed::Place(never)]);
    let of = (&freshness, &Watched::default());
    let all = rows_of(&state, &trend, &BTreeMap::new(), of, RowKind::Summary);
    all.iter().for_each(in_dictionary);
    let [partly, unasked, never] = &all[..] else { panic!("{all:?}") };
    assert_eq!((&partly["posture.regions"], &partly["posture.regionsRead"]), (&json!(2), &json!(1)));
    assert_eq!((&partly["posture.observedAt"], partly.get("posture.percentRulesDelta1d")), (&json!(NOW - 13 * HOUR), None));
    assert_eq!((&unasked["aws.accountId"], unasked.get("posture.observedAt")), (&json!("444455556666"), None));
    assert_eq!(never["aws.accountId"], "777788889999");
    assert_eq!((&never["posture.regions"], &never["posture.regionsRead"]), (&json!(1), &json!(0)));
    let numbers = ["compliantRules", "violatingResources", "percentRules", "percentResources", "exceptedRules", "observedAt"];
    assert!(numbers.iter().all(|name| never.get(format!("posture.{name}")).is_none()), "{never}");
    let whole = rows_with(&state, &trend, &BTreeMap::new(), RowKind::Summary);
    assert_eq!(whole[0]["posture.percentRulesDelta1d"], 0, "where all of it is fresh");
    let rules = rows_of(&state, &trend, &BTreeMap::new(), of, RowKind::Snapshot);
    rules.iter().for_each(in_dictionary);
    assert!(rules.iter().any(|row| row["aws.region"] == "us-east-1" && row["posture.observedAt"] == NOW - 13 * HOUR));
    let controls = rows_of(&state, &trend, &BTreeMap::new(), of, RowKind::Controls);
    let tagged = controls.iter().find(|row| row["control.id"] == "alb-tagged").unwrap();
    assert_eq!(tagged["control.evaluated"], "unknown", "it may run where nobody could read");
}

/// S2-12: who is not watched has no rows and is counted nowhere.
#[test]
fn who_is_not_watched_has_no_rows() {
    let state = posture();
    let fresh = fresh(&state);
    for (watched, want) in [
        (Watched { exclude: vec![Accountable::Id("111122223333".to_owned())], ..Watched::default() }, ["444455556666"]),
        (Watched { exclude: vec![Accountable::Unit(Glob::new("Workloads/*"))], ..Watched::default() }, ["444455556666"]),
    ] {
        for kind in [RowKind::Summary, RowKind::Snapshot, RowKind::Violations, RowKind::Frameworks, RowKind::Packs] {
            let all = rows_of(&state, &Trend::default(), &BTreeMap::new(), (&fresh, &watched), kind);
            assert!(all.iter().all(|row| want.contains(&row["aws.accountId"].as_str().unwrap())), "{kind:?}: {all:?}");
        }
    }
    let watched = Watched { regions: vec!["us-east-1".to_owned()], ..Watched::default() };
    let all = rows_of(&state, &Trend::default(), &BTreeMap::new(), (&fresh, &watched), RowKind::Summary);
    assert_eq!(all[0]["posture.violatingRules"], 0, "the Region in which something violates is not watched");
}

/// S2-21: all requirements are there, and those nobody evaluates are unknown.
#[test]
fn every_requirement_has_a_row_in_every_account() {
    let all = rows(&posture(), RowKind::Frameworks);
    let (one, other): (Vec<_>, Vec<_>) = all.iter().partition(|row| row["aws.accountId"] == "111122223333");
    assert_eq!(one.len(), other.len());
    let states =
        |rows: &[&Value], id: &str| rows.iter().find(|row| row["framework.id"] == id).map(|row| row["framework.state"].clone());
    assert_eq!(states(&one, "FSBP:S3.2"), Some(json!("failed")));
    assert_eq!(states(&one, "FSBP:EC2.13"), Some(json!("passed")), "compliant in one Region, without a result in the other");
    assert_eq!(states(&one, "FSBP:IAM.3"), Some(json!("unknown")), "its rule is not deployed");
    assert!(other.iter().all(|row| row["framework.state"] == "unknown"), "an account without rules passes nothing");
    let ids: HashSet<_> = one.iter().map(|row| row["framework.id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), one.len(), "each once");
}

/// S1-10: how long, how often, how bad, and what is not known.
#[test]
fn a_violation_says_since_when_and_what_it_means() {
    let all = rows(&posture(), RowKind::Violations);
    assert_eq!(all.len(), 2);
    let [known, unknown] = [&all[0], &all[1]];
    assert_eq!(known["compliance.since"], NOW - 50 * HOUR);
    assert_eq!((&known["compliance.ageDays"], &known["compliance.reopenCount"]), (&json!(2), &json!(0)));
    assert_eq!((&known["control.pillar"], &known["compliance.exposure"]), (&json!("DSPM"), &json!("public")));
    assert_eq!(known["resource.arn"], "arn:aws:s3:::ledger");
    assert_eq!(known["compliance.annotation"], "public ACL, ****");
    for name in ["compliance.since", "compliance.firstSeen", "compliance.ageDays", "resource.arn"] {
        assert_eq!(unknown.get(name), None, "{name}");
    }
}

/// S2-05: a bucket that is public by one rule is so in the row of every rule it violates; its neighbour and what is mended are not.
#[test]
fn what_one_rule_calls_public_is_public_whatever_else_it_violates() {
    let state = Compliance::in_memory();
    let public: [Judged<'_>; 2] = [("open", NonCompliant, NOW), ("mended", Compliant, NOW)];
    let both: [Judged<'_>; 3] = [("open", NonCompliant, NOW), ("mended", NonCompliant, NOW), ("other", NonCompliant, NOW)];
    read(&state, &here(), &[("s3-bucket-public-read-prohibited", &public), ("s3-bucket-logging-enabled", &both)], NOW);
    let all = rows(&state, RowKind::Violations);
    let mut exposed: Vec<_> = all
        .iter()
        .map(|row| {
            (row["control.id"].as_str().unwrap(), row["resource.id"].as_str().unwrap(), row.get("compliance.exposure").is_some())
        })
        .collect();
    exposed.sort_unstable();
    assert_eq!(
        exposed,
        [
            ("s3-bucket-logging-enabled", "mended", false),
            ("s3-bucket-logging-enabled", "open", true),
            ("s3-bucket-logging-enabled", "other", false),
            ("s3-bucket-public-read-prohibited", "open", true),
        ]
    );
}

#[test]
fn a_rule_that_no_table_knows_is_unmapped_and_has_its_rows() {
    let state = Compliance::in_memory();
    read(&state, &here(), &[("our-own-rule-conformance-pack-abc123def", &[("a", NonCompliant, NOW)])], NOW);
    let row = &rows(&state, RowKind::Violations)[0];
    assert_eq!((&row["control.id"], &row["control.severity"]), (&json!("our-own-rule"), &json!("unknown")));
    assert_eq!((&row["control.pillar"], &row["control.frameworks"]), (&json!("unknown"), &json!("|unmapped|")));
    assert_eq!((row.get("compliance.exposure"), row.get("control.runbookUrl")), (None, None));
    let row = &rows(&state, RowKind::Snapshot)[0];
    assert_eq!((&row["control.id"], &row["control.severity"]), (&json!("our-own-rule"), &json!("unknown")));
    assert_eq!(row["compliance.state"], "NON_COMPLIANT");
}

/// A row stays within New Relic's limits whatever a resource is called; what was cut is counted.
#[test]
fn a_long_name_is_cut_and_counted() {
    let state = Compliance::in_memory();
    let long = "監".repeat(4_000);
    read(&state, &here(), &[("r", &[(&long, NonCompliant, NOW)])], NOW);
    let (enricher, trend, beside) = (enricher(), Trend::default(), BTreeMap::new());
    let snapshot = Snapshot { id: "run-1", now_ms: NOW };
    let rows = Rows {
        state: &state,
        findings: &Findings::in_memory(crate::config::Findings::default()),
        rules: &RuleSet::builtin(),
        enricher: &enricher,
        watched: &Watched::default(),
        freshness: &fresh(&state),
        frameworks: &Frameworks::default(),
        exceptions: &Exceptions::default(),
        trend: &trend,
        beside: &beside,
        packs: &Packs::new(),
        snapshot,
        source: "posture",
        agent: "agent-1",
    };
    let mut all: Vec<Value> = Vec::new();
    let written = rows.each(RowKind::Violations, &mut |item| all.push(serde_json::from_slice(item).unwrap()));
    assert_eq!(written, Written { rows: 1, cut: 1 });
    assert_eq!(all[0]["relay.truncated"], "|resource.id|");
}

/// One id, whether an event or the reading told a change; the same attributes, but for who told it.
#[test]
fn a_correction_is_told_as_its_event_would_have_been() {
    let state = Compliance::in_memory();
    let rule = "s3-bucket-public-read-prohibited";
    read(&state, &here(), &[(rule, &[("ledger", Compliant, NOW - 3 * HOUR)])], NOW - 2 * HOUR);
    let place = here();
    let found = read(&state, &place, &[(rule, &[("ledger", NonCompliant, NOW - HOUR)])], NOW);
    assert_eq!(found.len(), 1);
    let change = plain(&found[0], &place);
    let time = "2026-11-21T19:14:31.000Z";
    assert_eq!(crate::record::time::parse_ms(time), Some(NOW - HOUR));
    let event = json!({
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "configRuleName": rule,
        "configRuleARN": "arn:aws:config:eu-west-1:111122223333:config-rule/config-rule-abc123",
        "resourceType": "AWS::S3::Bucket", "resourceId": "ledger", "messageType": "ComplianceChangeNotification",
        "newEvaluationResult": {"complianceType": "NON_COMPLIANT", "resultRecordedTime": time, "annotation": change.annotation},
        "oldEvaluationResult": {"complianceType": "COMPLIANT"},
    })
    .to_string();
    let streamed = ComplianceChange::parse(event.as_bytes()).unwrap();
    let streamed = streamed.plain("111122223333");
    assert_eq!(streamed, change);
    let event_id = change.event_id();
    assert_eq!(streamed.event_id(), event_id);

    let enricher = enricher();
    let enriched = enricher.enrich_change(&change);
    let classified = ClassifiedChange {
        change,
        event_id: &event_id,
        enriched: &enriched,
        control: preventive_control(change.rule),
        frameworks: preventive_control(change.rule).map(|control| &control.frameworks),
        exception: None,
    };
    let told = Told::correction(&found[0]);
    assert_eq!(told.origin, Origin::Reconcile);
    let mut item = Vec::new();
    assert_eq!(push_change(&mut item, &classified, &told, Arrival::of(change.at_ms, NOW), "config"), 0);
    let row: Value = serde_json::from_slice(&item).unwrap();
    in_dictionary(&row);
    assert_eq!((&row["event.id"], &row["compliance.origin"]), (&json!(event_id), &json!("reconcile")));
    assert_eq!((&row["compliance.previousState"], &row["compliance.since"]), (&json!("COMPLIANT"), &json!(NOW - HOUR)));
    assert_eq!(push_notice(&mut item, &classified, &told, Arrival::of(change.at_ms, NOW), "config"), 0);
    let notice: Value = serde_json::from_slice(&item).unwrap();
    in_dictionary(&notice);
    assert_eq!((notice.get("timestamp"), &notice["control.ids"]), (None, &json!(format!("|{rule}|"))));
}

/// 200 accounts in 3 Regions with 150 rules each, 10 results a rule, one of them violating: what a month of it takes.
#[test]
fn a_month_of_rows_of_a_large_customer_is_small() {
    let table = include_str!("../../classify/config_rules.csv");
    let names: Vec<String> = table
        .lines()
        .skip(1)
        .filter(|line| !line.split(',').nth(3).unwrap_or_default().is_empty())
        .filter_map(|line| line.split(',').next())
        .map(|name| format!("securityhub-{name}-1a2b3c4d"))
        .take(150)
        .collect();
    assert_eq!(names.len(), 150);
    let ids: Vec<String> = (0..10).map(|at| format!("arn:aws:s3:::payments-ledger-archive-{at:04}")).collect();
    let judged: Vec<Judged<'_>> = ids
        .iter()
        .enumerate()
        .map(|(at, id)| (id.as_str(), if at == 0 { NonCompliant } else { Compliant }, NOW - 100 * HOUR))
        .collect();
    let state = Compliance::in_memory();
    let rules: Vec<(&str, &[Judged<'_>])> = names.iter().map(|name| (name.as_str(), &*judged)).collect();
    for region in ["ap-northeast-1", "eu-west-1", "us-east-1"] {
        read(&state, &AccountRegion::new("111122223333", region), &rules, NOW);
    }
    let mut trend = Trend::default();
    for days in [7, 1] {
        trend.note(NOW - days * 24 * HOUR, &state.accounts());
    }
    let (enricher, beside) = (enricher(), BTreeMap::new());
    let pack = |at: u64| Pack {
        name: format!("Operational-Best-Practices-for-PCI-DSS-{at}").into(),
        state: NonCompliant,
        rules: Some(PackRules { compliant: 45, non_compliant: 3, no_data: 2 }),
    };
    let packs: Packs = state.places().into_iter().map(|place| (place, Some((0..5).map(pack).collect()))).collect();
    let snapshot = Snapshot { id: "violations-1795292071000", now_ms: NOW };
    let rows = Rows {
        state: &state,
        findings: &Findings::in_memory(crate::config::Findings::default()),
        rules: &RuleSet::builtin(),
        enricher: &enricher,
        watched: &Watched::default(),
        freshness: &fresh(&state),
        frameworks: &Frameworks::default(),
        exceptions: &Exceptions::default(),
        trend: &trend,
        beside: &beside,
        packs: &packs,
        snapshot,
        source: "posture",
        agent: "agent-1",
    };
    let mut month = 0;
    let mut parts = Vec::new();
    for (kind, runs) in [
        (RowKind::Summary, 30 * 24),
        (RowKind::Snapshot, 30 * 4),
        (RowKind::Violations, 30),
        (RowKind::Frameworks, 30),
        (RowKind::Packs, 30 * 4),
    ] {
        let mut bytes = 0;
        let written = rows.each(kind, &mut |item| bytes += item.len());
        month += 200 * bytes * runs;
        let mb = 200 * bytes * runs / 1_000_000;
        parts.push(format!("{kind:?} {mb} MB ({} rows of {} bytes a run)", 200 * written.rows, 200 * bytes));
    }
    assert!(month <= 15_000_000_000, "a month: {} MB: {}", month / 1_000_000, parts.join(", "));
}
