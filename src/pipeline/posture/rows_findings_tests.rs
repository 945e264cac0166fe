//! Which open findings are counted.

use serde_json::{Value, json};

use super::*;
use crate::ack::{Counts, ObjectEntry, Outcome, Settled};
use crate::config::Accountable;
use crate::enrich::AccountNames;
use crate::posture::Verdict;
use crate::record::finding::Around;
use crate::record::{Finding, FindingForm};

const ASFF: &str = include_str!("../../../tests/fixtures/eventbridge/securityhub-asff-high.json");

/// Findings of one control in these accounts and Regions, loaded as if an agent with other settings had told them.
fn findings(settings: crate::config::Findings, places: &[(&str, &str)]) -> Findings {
    let findings = Findings::in_memory(settings);
    let event: Value = serde_json::from_str(ASFF).expect("JSON");
    for (account, region) in places {
        let mut one = event["detail"]["findings"][0].clone();
        one["AwsAccountId"] = json!(account);
        one["Region"] = json!(region);
        let raw = one.to_string();
        let finding = Finding::parse(FindingForm::Asff, raw.as_bytes(), Around::default()).expect("a finding");
        let record = ObjectEntry::enter(std::sync::Arc::new(Counts::new("test")), 1, None).record();
        record.ends_as(Outcome::Delivered);
        let verdict = findings.judge(&finding, finding.severity, &finding.event_id(), 0, || record.piece());
        let Verdict::Tell(tell) = verdict else { panic!("it is new: {verdict:?}") };
        findings.conclude(tell.token, Settled::Delivered, record.piece());
    }
    findings
}

/// S1-11: an account, a Region or a product that is not read any more is in no count, whatever is still known of it.
#[test]
fn only_what_is_watched_and_read_is_counted() {
    let places = [("111122223333", "eu-west-1"), ("111122223333", "us-east-1"), ("444455556666", "eu-west-1")];
    let (all, guard_duty) = (Vec::new(), vec!["GuardDuty".to_owned()]);
    let everything = Watched::default();
    let without = Watched { exclude: vec![Accountable::Id("444455556666".to_owned())], ..Watched::default() };
    let europe = Watched { regions: vec!["eu-west-1".to_owned()], ..Watched::default() };
    for (name, watched, products, want) in [
        ("everything", &everything, &all, vec![0, 1, 2]),
        ("without an account", &without, &all, vec![0, 1]),
        ("of one Region", &europe, &all, vec![0, 2]),
        ("of another product", &everything, &guard_duty, vec![]),
    ] {
        let settings = crate::config::Findings { products: products.clone(), ..crate::config::Findings::default() };
        let state = Compliance::in_memory();
        let rows = Rows {
            state: &state,
            findings: &findings(settings, &places),
            rules: &RuleSet::builtin(),
            enricher: &Enricher::new(AccountNames::default(), "UTC").expect("a zone"),
            watched,
            freshness: &Freshness::new(BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), 0, Duration::from_hours(6)),
            frameworks: &Frameworks::default(),
            exceptions: &Exceptions::default(),
            trend: &Trend::default(),
            beside: &BTreeMap::new(),
            packs: &Packs::new(),
            snapshot: Snapshot { id: "run-1", now_ms: 0 },
            source: "posture",
            agent: "agent-1",
        };
        let mut told: Vec<Value> = Vec::new();
        rows.each(RowKind::Findings, &mut |item| told.push(serde_json::from_slice(item).expect("JSON")));
        let told: Vec<_> =
            told.iter().map(|row| [&row["aws.accountId"], &row["aws.region"]].map(|word| word.as_str().unwrap_or("-"))).collect();
        let want: Vec<_> = want.iter().map(|at: &usize| [places[*at].0, places[*at].1]).collect();
        assert_eq!(told, want, "{name}");
    }
}
