//! What is in the store after each writing, and who is told what.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{BoxFuture, FutureExt as _};

use super::*;
use crate::ack::{Counts, ObjectEntry, Outcome, RecordEntry, Settled};
use crate::posture::store::Memory;
use crate::posture::{Compliance, Fact, Findings, Judgement, Verdict};
use crate::record::finding::Around;
use crate::record::{ComplianceState, Finding, FindingForm};

const GUARD_DUTY: &str = include_str!("../../../tests/fixtures/eventbridge/guardduty-finding-high.json");

/// A store that can lose an answer, or fail.
#[derive(Debug, Default)]
struct Doubtful {
    memory: Memory,
    /// The next put happens, and its answer is lost.
    loses: AtomicBool,
    /// Puts fail.
    fails: AtomicBool,
    /// Gets fail.
    mute: AtomicBool,
}

impl Store for Doubtful {
    fn place(&self) -> String {
        self.memory.place()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<(Bytes, Version)>, StoreError>> {
        let broken = || StoreError::Passing { why: "the line broke".to_owned() };
        if self.mute.load(Ordering::Relaxed) { async move { Err(broken()) }.boxed() } else { self.memory.get(name) }
    }

    fn put<'a>(&'a self, name: &'a str, bytes: Bytes, expected: Expected) -> BoxFuture<'a, Result<Version, StoreError>> {
        let broken = || StoreError::Passing { why: "the line broke".to_owned() };
        async move {
            if self.fails.load(Ordering::Relaxed) {
                return Err(broken());
            }
            let put = self.memory.put(name, bytes, expected).await;
            if self.loses.swap(false, Ordering::Relaxed) { Err(broken()) } else { put }
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        self.memory.list(prefix)
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.memory.delete(name)
    }
}

/// One agent and its tenure.
struct Agent {
    compliance: Compliance,
    findings: Findings,
    keeper: Keeper,
}

impl Agent {
    async fn leads(store: &Arc<Doubtful>) -> Self {
        let (compliance, findings) = (Compliance::kept(), Findings::kept(crate::config::Findings::default()));
        let store: Arc<dyn Store> = Arc::clone(store) as _;
        let keeper = Keeper::load(store, &[&compliance, &findings]).await.expect("it can be read");
        compliance.open();
        findings.open();
        Self { compliance, findings, keeper }
    }

    async fn write(&mut self) -> Result<(), Deposed> {
        self.keeper.write(&[&self.compliance, &self.findings], false).await
    }

    /// Resource `n` begins to violate a rule. How its record ends is in the counts.
    fn violates(&self, n: i64) -> Arc<Counts> {
        let resource = format!("bucket-{n}");
        let fact = Fact {
            rule: "r",
            rule_arn: "arn:r",
            resource_type: "AWS::S3::Bucket",
            resource_id: &resource,
            state: ComplianceState::NonCompliant,
            previous: None,
            at_ms: n,
            annotation: None,
        };
        let (counts, record) = record();
        let Judgement::Change(_, ticket) = self.compliance.judge(&here(), &fact, n) else { panic!("a change") };
        self.compliance.conclude(ticket, Settled::Delivered, record.piece());
        counts
    }

    /// Finding `n` is found. How its record ends is in the counts.
    fn finds(&self, n: i64) -> Arc<Counts> {
        let (counts, record) = record();
        let Verdict::Tell(tell) = self.judge(n, &record) else { panic!("a new finding") };
        self.findings.conclude(tell.token, Settled::Delivered, record.piece());
        counts
    }

    fn judge(&self, n: i64, record: &Arc<RecordEntry>) -> Verdict {
        let mut event: serde_json::Value = serde_json::from_str(GUARD_DUTY).expect("JSON");
        let detail = &mut event["detail"];
        detail["id"] = format!("finding-{n}").into();
        detail["arn"] = format!("arn:aws:guardduty:us-east-1:222233334444:detector/0000/finding/finding-{n}").into();
        let raw = detail.to_string();
        let finding = Finding::parse(FindingForm::GuardDuty, raw.as_bytes(), Around::default()).expect("a finding");
        self.findings.judge(&finding, finding.severity, &finding.event_id(), 0, || record.piece())
    }

    fn knows(&self) -> (usize, u64) {
        (self.compliance.results(), self.findings.tallies().known)
    }
}

fn here() -> AccountRegion {
    AccountRegion::new("111122223333", "eu-west-1")
}

fn record() -> (Arc<Counts>, Arc<RecordEntry>) {
    let counts = Arc::new(Counts::new("events"));
    let object = ObjectEntry::enter(Arc::clone(&counts), 1, None);
    let record = object.record();
    record.ends_as(Outcome::Delivered);
    object.decoded();
    (counts, record)
}

/// Delivered and returned.
fn ended(counts: &Counts) -> (u64, u64) {
    let counted = counts.snapshot();
    (counted.ended(Outcome::Delivered), counted.ended(Outcome::Returned))
}

#[test]
fn a_name_is_that_of_its_place() {
    let (compliance, findings) = (Compliance::in_memory(), Findings::in_memory(crate::config::Findings::default()));
    for (state, want) in [
        (&compliance as &dyn Kept, "compliance/111122223333/eu-west-1.json.gz"),
        (&findings, "findings/111122223333/eu-west-1.json.gz"),
    ] {
        assert_eq!(name(state, &here()), want);
        assert_eq!(place(state, want), Some(here()));
        assert_eq!(place(state, "compliance/x"), None);
    }
    assert_eq!(place(&compliance, "findings/111122223333/eu-west-1.json.gz"), None);
}

#[tokio::test]
async fn what_one_agent_wrote_the_next_one_knows() {
    let store = Arc::new(Doubtful::default());
    let mut first = Agent::leads(&store).await;
    let told = [first.violates(1), first.finds(1)];
    assert_eq!(told.each_ref().map(|counts| ended(counts)), [(0, 0), (0, 0)]);
    first.write().await.expect("it leads");
    assert_eq!(told.each_ref().map(|counts| ended(counts)), [(1, 0), (1, 0)]);
    let names = ["compliance/111122223333/eu-west-1.json.gz", "findings/222233334444/us-east-1.json.gz"];
    assert_eq!(store.list("").await.expect("names"), names);
    let mut next = Agent::leads(&store).await;
    assert_eq!(next.knows(), (1, 1));
    assert_eq!(next.judge(1, &record().1), Verdict::Copy);
    // It writes over the versions that it read.
    next.violates(2);
    next.finds(2);
    next.write().await.expect("it leads");
    assert_eq!(Agent::leads(&store).await.knows(), (2, 2));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_looked_up_and_a_failure_is_tried_again() {
    let store = Arc::new(Doubtful::default());
    let mut agent = Agent::leads(&store).await;
    for (loses, fails, want) in [(true, false, (1, 0)), (false, true, (0, 0)), (false, false, (1, 0))] {
        let told = [
            agent.violates(1 + i64::from(fails) * 2 + i64::from(loses)),
            agent.finds(1 + i64::from(fails) * 2 + i64::from(loses)),
        ];
        for _ in 0..2 {
            store.loses.store(loses, Ordering::Relaxed);
            store.fails.store(fails, Ordering::Relaxed);
            agent.write().await.expect("it leads");
        }
        assert_eq!(told.each_ref().map(|counts| ended(counts)), [want, want], "loses {loses}, fails {fails}");
        store.fails.store(false, Ordering::Relaxed);
        store.loses.store(false, Ordering::Relaxed);
    }
    agent.write().await.expect("it leads");
    assert_eq!(Agent::leads(&store).await.knows(), (3, 3), "what failed was written in the end");
}

#[tokio::test]
async fn who_finds_that_another_agent_wrote_leads_no_more_and_writes_nothing_over() {
    for of_findings in [false, true] {
        let store = Arc::new(Doubtful::default());
        let mut old = Agent::leads(&store).await;
        let mut new = Agent::leads(&store).await;
        let moves = |agent: &Agent, n| if of_findings { agent.finds(n) } else { agent.violates(n) };
        moves(&new, 1);
        new.write().await.expect("it leads");
        let told = moves(&old, 2);
        assert!(old.write().await.is_err(), "findings: {of_findings}");
        assert_eq!(ended(&told), (0, 0));
        old.compliance.clear();
        old.findings.clear();
        assert_eq!(ended(&told), (0, 1), "findings: {of_findings}");
        let known = Agent::leads(&store).await.knows();
        assert_eq!(known, if of_findings { (0, 1) } else { (1, 0) }, "only what the new one wrote");
    }
}

#[tokio::test]
async fn a_newer_object_stops_the_loading_and_a_damaged_one_is_begun_anew() {
    for (name, damaged) in [
        ("compliance/111122223333/eu-west-1.json.gz", false),
        ("findings/222233334444/us-east-1.json.gz", false),
        ("compliance/111122223333/eu-west-1.json.gz", true),
        ("findings/222233334444/us-east-1.json.gz", true),
    ] {
        let store = Arc::new(Doubtful::default());
        let mut bytes = Vec::new();
        let mut out = flate2::write::GzEncoder::new(&mut bytes, flate2::Compression::fast());
        std::io::Write::write_all(&mut out, b"{\"version\":2}\n").expect("memory");
        out.finish().expect("memory");
        if damaged {
            bytes.truncate(12);
        }
        store.put(name, bytes.into(), Expected::Absent).await.expect("it is put");
        if damaged {
            let mut agent = Agent::leads(&store).await;
            let told = [agent.violates(1), agent.finds(1)];
            agent.write().await.expect("it leads");
            assert_eq!(told.each_ref().map(|counts| ended(counts)), [(1, 0), (1, 0)], "{name}");
            continue;
        }
        let (compliance, findings) = (Compliance::kept(), Findings::kept(crate::config::Findings::default()));
        let error = Keeper::load(Arc::clone(&store) as _, &[&compliance, &findings]).await.expect_err("it is newer").to_string();
        assert!(error.starts_with(&format!("{name}: its version is 2, this agent reads up to 1")), "{error}");
    }
}

/// S2-12: who cannot read what was done last does not begin anew, and who finds another version of it writes over that.
#[tokio::test]
async fn what_is_kept_beside_the_state_is_read_or_waited_for_and_written_over_whatever_is_there() {
    let store = Arc::new(Doubtful::default());
    let mut agent = Agent::leads(&store).await;
    store.put("runs.json", Bytes::from_static(br#"{"done":{"summary":5}}"#), Expected::Absent).await.expect("it is put");
    store.mute.store(true, Ordering::Relaxed);
    assert!(agent.keeper.schedule().await.is_err() && agent.keeper.trend().await.is_err());
    assert!(agent.keeper.readings().await.is_err());
    store.mute.store(false, Ordering::Relaxed);
    // The version is not known: nothing is expected there.
    let bytes = Bytes::from_static(br#"{"done":{"summary":7}}"#);
    agent.keeper.put_over("runs.json", bytes.clone()).await.expect("it is written over");
    let there = async || store.get("runs.json").await.expect("it can be read").map(|(bytes, _)| bytes);
    assert_eq!(there().await, Some(bytes));
    store.delete("runs.json").await.expect("it is taken away");
    agent.keeper.put_over("runs.json", Bytes::from_static(b"{}")).await.expect("it is written anew");
    assert_eq!(there().await, Some(Bytes::from_static(b"{}")));
    assert_eq!(agent.keeper.schedule().await.expect("it can be read"), Schedule::default());
}

#[tokio::test]
async fn a_place_that_is_forgotten_is_gone_from_the_store_but_not_while_something_of_it_waits() {
    let store = Arc::new(Doubtful::default());
    let mut agent = Agent::leads(&store).await;
    let told = agent.violates(1);
    assert!(!agent.compliance.forget(&here()), "its record waits for the writing");
    agent.write().await.expect("it leads");
    assert_eq!(ended(&told), (1, 0));
    assert!(agent.compliance.forget(&here()));
    agent.keeper.take_away(&agent.compliance, &here()).await;
    assert_eq!((agent.knows().0, store.list("compliance/").await.expect("names")), (0, Vec::new()));
    // It may come back.
    agent.violates(2);
    agent.write().await.expect("it leads");
    assert_eq!(Agent::leads(&store).await.knows().0, 1);
}
