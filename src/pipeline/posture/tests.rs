//! Readings of a made-up AWS Config, by itself and through an aggregator: what is asked, told, kept and forgotten.

#[path = "identity_tests.rs"]
mod identity;

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::rows::RowKind;
use super::*;
use crate::ack::Settled;
use crate::config::{Accountable, Config, Watched};
use crate::posture::store::{Expected, Memory, StoreError, Version};
use crate::record::{ComplianceState, DeployedRule, Evaluation};
use crate::source::config_api::aggregator::{AggregateRule, JudgedResource};
use crate::source::config_api::{Calls, Each, FailingRule};

pub(super) const NOW: i64 = 1_795_292_071_000;
pub(super) const HOUR: i64 = 3_600_000;
pub(super) const BAD: ComplianceState = ComplianceState::NonCompliant;
const GOOD: ComplianceState = ComplianceState::Compliant;

pub(super) fn place(account: &str, region: &str) -> AccountRegion {
    AccountRegion::new(account, region)
}

pub(super) const ONE: &str = "111122223333";
pub(super) const OTHER: &str = "444455556666";

/// By rule: the state of one bucket, and since when.
type Judged = BTreeMap<String, (ComplianceState, i64)>;

/// AWS Config as it is made up.
#[derive(Debug, Default)]
pub(super) struct Aws {
    rules: std::sync::Mutex<BTreeMap<AccountRegion, Judged>>,
    /// By place, account, or `everything`.
    faults: std::sync::Mutex<BTreeMap<String, ConfigApiError>>,
    asked: std::sync::Mutex<Vec<String>>,
}

impl Aws {
    pub(super) fn put(&self, place: &AccountRegion, rule: &str, state: ComplianceState, at_ms: i64) {
        self.rules.lock().unwrap().entry(place.clone()).or_default().insert(rule.to_owned(), (state, at_ms));
    }

    pub(super) fn fail(&self, what: &str, error: ConfigApiError) {
        self.faults.lock().unwrap().insert(what.to_owned(), error);
    }

    /// Nothing fails any more.
    pub(super) fn mended(&self) {
        self.faults.lock().unwrap().clear();
    }

    fn ask(&self, what: &str) -> Result<(), ConfigApiError> {
        self.asked.lock().unwrap().push(what.to_owned());
        self.fault(what)
    }

    fn fault(&self, what: &str) -> Result<(), ConfigApiError> {
        self.faults.lock().unwrap().get(what).map_or(Ok(()), |error| Err(error.clone()))
    }

    fn asked(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.asked.lock().unwrap()).into_iter().collect()
    }

    fn evaluation(&self, place: &AccountRegion, rule: &str) -> Result<Evaluation, ConfigApiError> {
        let rules = self.rules.lock().unwrap();
        let judged = rules.get(place).and_then(|rules| rules.get(rule));
        let (state, recorded_ms) = *judged.ok_or_else(|| ConfigApiError::NoSuchRule { why: rule.to_owned() })?;
        Ok(Evaluation {
            resource_type: "AWS::S3::Bucket".into(),
            // That of a pack looks at another one.
            resource_id: if rule.contains("conformance-pack") { "vault" } else { "ledger" }.into(),
            state,
            recorded_ms,
            annotation: None,
        })
    }
}

impl ConfigApi for Aws {
    fn rules<'a>(&'a self, place: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<DeployedRule>, ConfigApiError>> {
        async move {
            self.ask(&place.to_string())?;
            let rules = self.rules.lock().unwrap();
            let rule = |name: &String| DeployedRule { name: name.as_str().into(), arn: "arn:r".into(), identifier: None };
            Ok(rules.get(place).map(|rules| rules.keys().map(rule).collect()).unwrap_or_default())
        }
        .boxed()
    }

    fn evaluations<'a>(
        &'a self,
        place: &'a AccountRegion,
        rule: &'a str,
        each: Each<'a, Evaluation>,
    ) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        async move {
            self.fault(&format!("{place} {rule}"))?;
            each(vec![self.evaluation(place, rule)?]);
            Ok(())
        }
        .boxed()
    }

    fn failing_rules<'a>(&'a self, _: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<FailingRule>, ConfigApiError>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn packs<'a>(&'a self, _: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<Pack>, ConfigApiError>> {
        async { Ok(vec![pack()]) }.boxed()
    }

    fn calls(&self) -> Vec<(AccountRegion, Calls)> {
        Vec::new()
    }
}

impl AggregatorApi for Aws {
    fn rules<'a>(&'a self, account: Option<&'a str>, each: Each<'a, AggregateRule>) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        async move {
            self.ask(account.unwrap_or("everything"))?;
            for (place, rules) in &*self.rules.lock().unwrap() {
                let is_asked = account.is_none_or(|account| *place.account == *account);
                let rules = rules.iter().filter(|_| is_asked);
                let rules = rules.map(|(rule, (state, _))| AggregateRule {
                    place: place.clone(),
                    rule: rule.as_str().into(),
                    state: *state,
                });
                each(rules.collect());
            }
            Ok(())
        }
        .boxed()
    }

    fn resources<'a>(&'a self, _: Option<&'a str>, _: Each<'a, JudgedResource>) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        async { Ok(()) }.boxed()
    }

    fn evaluations<'a>(
        &'a self,
        place: &'a AccountRegion,
        rule: &'a str,
        each: Each<'a, Evaluation>,
    ) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        ConfigApi::evaluations(self, place, rule, each)
    }

    fn packs<'a>(&'a self, each: Each<'a, (AccountRegion, Pack)>) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        async move {
            self.ask("packs")?;
            each(self.rules.lock().unwrap().keys().map(|place| (place.clone(), pack())).collect());
            Ok(())
        }
        .boxed()
    }
}

/// An agent that leads, the AWS Config that it reads, and what New Relic was sent.
pub(super) struct Scene {
    pub(super) aws: Arc<Aws>,
    pub(super) lead: Lead,
    pub(super) sent: Arc<std::sync::Mutex<Vec<Value>>>,
    /// New Relic refuses changes.
    refuses: Arc<AtomicBool>,
}

impl Scene {
    /// An agent that reads these places one by one, or whatever the aggregator has.
    pub(super) fn new(places: Option<&[AccountRegion]>, watched: Watched) -> Self {
        let aws = Arc::new(Aws::default());
        let reader = match places {
            Some(places) => Reader::Places { api: Arc::clone(&aws) as _, places: places.to_vec(), concurrency: 2 },
            None => Reader::Aggregator {
                api: Arc::clone(&aws) as _,
                calls: Arc::clone(&aws) as _,
                accounts: BTreeSet::new(),
                regions: BTreeSet::new(),
            },
        };
        let config = Config::stand_in("http://127.0.0.1:9", 1, crate::secret::Secret::new("key"));
        let clock = Clock::fixed(NOW);
        let stages = Stages { watched, ..crate::pipeline::tests::stages(&config, &clock) };
        let posture = Posture {
            counts: Arc::new(Counts::new("posture")),
            trouble: Arc::default(),
            standing: Arc::default(),
            kept: None,
            reader: Some(reader),
            reading: Duration::from_hours(6),
            summary: Duration::from_hours(1),
            identities: None,
            pace: Arc::default(),
            begun: None,
        };
        let (batches, mut taken) = mpsc::channel::<Batch>(2);
        let (sent, refuses) = (Arc::<std::sync::Mutex<Vec<Value>>>::default(), Arc::<AtomicBool>::default());
        let (keeps, refusing) = (Arc::clone(&sent), Arc::clone(&refuses));
        tokio::spawn(async move {
            while let Some(batch) = taken.recv().await {
                for (item, piece) in batch.into_items().expect("a batch") {
                    let row: Value = serde_json::from_slice(&item).expect("JSON");
                    if row["eventType"] == "AwsComplianceChange" && refusing.load(Ordering::Relaxed) {
                        piece.settle(Settled::Rejected);
                    } else {
                        keeps.lock().unwrap().push(row);
                        piece.settle(Settled::Delivered);
                    }
                }
            }
        });
        let lead = Lead {
            gauges: None,
            counts: Arc::clone(&posture.counts),
            trouble: Arc::clone(&posture.trouble),
            posture,
            stages: Arc::new(stages),
            limits: config.limits,
            clock,
            batches,
            leading: watch::Sender::new(true),
            phase: watch::channel(Phase::Running).1,
            finished: watch::channel(false).1,
            known: std::sync::Mutex::default(),
        };
        Self { aws, lead, sent, refuses }
    }

    /// Reads, so many hours from the first time on, and gives the row that says how it went.
    pub(super) async fn reads(&self, hours: i64, only: Option<&BTreeSet<Failed>>) -> Value {
        self.lead.clock.advance_to(NOW + hours * HOUR);
        let reader = self.lead.posture.reader.as_ref().expect("a reader");
        let gone = reading::read(&self.lead, reader, only).await;
        keeper::forget(&*self.lead.stages.compliance, &gone, None).await;
        self.rows("AwsPostureRun").pop().expect("a run")
    }

    /// Sends, and gives the rows and the run.
    pub(super) async fn sends(&self, kind: RowKind, event_type: &str) -> (Vec<Value>, Value) {
        self.sent.lock().unwrap().clear();
        sending::send(&self.lead, kind, self.lead.clock.now_ms()).await;
        (self.rows(event_type), self.rows("AwsPostureRun").pop().expect("a run"))
    }

    pub(super) fn rows(&self, event_type: &str) -> Vec<Value> {
        self.sent.lock().unwrap().iter().filter(|row| row["eventType"] == event_type).cloned().collect()
    }

    fn knows(&self) -> Vec<AccountRegion> {
        self.lead.stages.compliance.places()
    }
}

fn pack() -> Pack {
    Pack { name: "baseline".into(), state: BAD, rules: None }
}

fn without(account: &str) -> Watched {
    Watched { exclude: vec![Accountable::Id(account.to_owned())], ..Watched::default() }
}

pub(super) fn denied() -> ConfigApiError {
    ConfigApiError::Denied { why: "AccessDenied".to_owned(), missing: "config:DescribeConfigRules".to_owned() }
}

pub(super) fn run_of(run: &Value) -> (&str, &Value, &Value, &str, &str) {
    let text = |name: &str| run[name].as_str().unwrap_or_default();
    (text("run.kind"), &run["run.places"], &run["run.placesFailed"], text("run.complete"), text("run.accepted"))
}

/// S2-12: who is not watched is not asked, one by one or through an aggregator; what was known of it is forgotten, and is no repair.
#[tokio::test]
async fn who_is_not_watched_is_not_asked_and_what_was_known_of_it_is_forgotten() {
    let all = [place(ONE, "eu-west-1"), place(OTHER, "eu-west-1")];
    for places in [None, Some(&all[..])] {
        let scene = Scene::new(places, without(OTHER));
        // An agent of before read it.
        let reading = crate::posture::compliance::reconcile::Reading::of_place(NOW, Duration::ZERO);
        scene.lead.stages.compliance.reconcile_rules(&all[1], &std::collections::HashSet::new(), reading);
        for place in &all {
            scene.aws.put(place, "r", BAD, NOW - HOUR);
        }
        let run = scene.reads(0, None).await;
        assert_eq!(run_of(&run), ("baseline", &json!(1), &json!(0), "true", "true"));
        assert!(!scene.aws.asked().iter().any(|asked| asked.starts_with(OTHER)), "{places:?}");
        assert_eq!(scene.knows(), all[..1], "{places:?}");
        scene.aws.put(&all[1], "r", GOOD, NOW);
        assert_eq!(scene.reads(7, None).await["run.repairs"], 0);
        let (rows, run) = scene.sends(RowKind::Summary, "AwsPostureSummary").await;
        assert_eq!((rows.len(), run_of(&run).3), (1, "true"));
        assert_eq!(rows[0]["aws.accountId"], ONE);
    }
}

/// S2-13: a Region in which no rule is any more has left, and is then forgotten; an account that nobody lists any more is no change.
#[tokio::test]
async fn what_an_aggregator_no_longer_has_is_closed() {
    let scene = Scene::new(None, Watched::default());
    let [kept, closed, gone] = [place(ONE, "eu-west-1"), place(ONE, "us-east-1"), place(OTHER, "eu-west-1")];
    for place in [&kept, &closed, &gone] {
        scene.aws.put(place, "r", BAD, NOW - 10 * HOUR);
    }
    assert_eq!(run_of(&scene.reads(0, None).await), ("baseline", &json!(3), &json!(0), "true", "true"));
    scene.aws.rules.lock().unwrap().retain(|place, _| *place == kept);
    let run = scene.reads(7, None).await;
    // One answer may be thin.
    assert_eq!((run_of(&run), &run["run.repairs"]), (("reconcile", &json!(1), &json!(2), "false", "true"), &json!(0)));
    assert_eq!(scene.knows(), [kept.clone(), closed.clone(), gone]);
    let run = scene.reads(14, None).await;
    assert_eq!((run_of(&run), &run["run.repairs"]), (("reconcile", &json!(2), &json!(0), "true", "true"), &json!(1)));
    let changes = scene.rows("AwsComplianceChange");
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!((&changes[0]["aws.region"], &changes[0]["compliance.state"]), (&json!("us-east-1"), &json!("LEFT")));
    assert_eq!(scene.rows("AwsSecurityNotice").len(), 0);
    assert_eq!(scene.knows(), [kept.clone(), closed.clone()]);
    let (rows, _) = scene.sends(RowKind::Violations, "AwsComplianceViolation").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    scene.reads(21, None).await;
    assert_eq!(scene.knows(), [kept]);
    let (rows, run) = scene.sends(RowKind::Summary, "AwsPostureSummary").await;
    assert_eq!((rows.len(), &rows[0]["posture.regions"], &rows[0]["posture.regionsRead"]), (1, &json!(1), &json!(1)));
    assert_eq!(rows[0]["posture.observedAt"], NOW + 21 * HOUR);
    assert_eq!(run_of(&run), ("summary", &json!(1), &json!(0), "true", "true"));
    // An aggregator that is empty all at once was made anew.
    scene.aws.rules.lock().unwrap().clear();
    let run = scene.reads(28, None).await;
    assert_eq!((run_of(&run), scene.knows().len()), (("reconcile", &json!(0), &json!(1), "false", "true"), 1));
}

/// S2-13: a Region that an aggregator misses once, and lists again, was never gone: no change, no notice, nothing closed.
#[tokio::test]
async fn a_region_that_an_aggregator_misses_once_stays_as_it_is() {
    let scene = Scene::new(None, Watched::default());
    let [kept, missed] = [place(ONE, "eu-west-1"), place(ONE, "us-east-1")];
    scene.aws.put(&kept, "r", BAD, NOW - 10 * HOUR);
    for hours in [0, 14, 28] {
        scene.aws.put(&missed, "r", BAD, NOW - 10 * HOUR);
        scene.reads(hours, None).await;
        scene.aws.rules.lock().unwrap().remove(&missed);
        let run = scene.reads(hours + 7, None).await;
        assert_eq!((run_of(&run), &run["run.repairs"]), (("reconcile", &json!(1), &json!(1), "false", "true"), &json!(0)));
    }
    assert_eq!((scene.rows("AwsComplianceChange").len(), scene.knows().len()), (0, 2));
    let (rows, _) = scene.sends(RowKind::Violations, "AwsComplianceViolation").await;
    assert_eq!(rows.len(), 2);
    // Two in a row: it has left; and listed again, it comes back as it was.
    scene.reads(42, None).await;
    assert_eq!(scene.rows("AwsComplianceChange").len(), 1);
    scene.aws.put(&missed, "r", BAD, NOW - 10 * HOUR);
    scene.reads(49, None).await;
    let changes = scene.rows("AwsComplianceChange");
    let back = &changes[1];
    assert_eq!((&back["compliance.state"], &back["compliance.previousState"]), (&json!("NON_COMPLIANT"), &json!("LEFT")));
    assert_eq!((&back["event.time"], &back["compliance.evaluatedAt"]), (&json!(NOW + 49 * HOUR), &json!(NOW - 10 * HOUR)));
    assert_eq!((changes.len(), scene.rows("AwsSecurityNotice").len()), (2, 0));
    let (rows, _) = scene.sends(RowKind::Violations, "AwsComplianceViolation").await;
    assert_eq!((rows.len(), &rows[1]["compliance.since"]), (2, &json!(NOW - 10 * HOUR)));
}

/// S2-13: an aggregator that was made anew fills for hours, however often it is asked meanwhile: no account is forgotten, no Region
/// closed, and nothing counts as new or less when it is listed again.
#[tokio::test]
async fn what_an_aggregator_misses_is_believed_only_after_six_hours() {
    let scene = Scene::new(None, Watched::default());
    let [kept, region, account] = [place(ONE, "eu-west-1"), place(ONE, "us-east-1"), place(OTHER, "eu-west-1")];
    let all = || [&kept, &region, &account].map(|place| scene.aws.put(place, "r", BAD, NOW - 10 * HOUR));
    all();
    scene.reads(0, None).await;
    scene.aws.rules.lock().unwrap().retain(|place, _| *place == kept);
    let again = BTreeSet::from([Failed::Account(ONE.into())]);
    for (hours, only, failed) in [(6, None, 2), (7, Some(&again), 1), (8, None, 2), (11, None, 2)] {
        let run = scene.reads(hours, only).await;
        assert_eq!((run_of(&run).2, &run["run.repairs"], scene.knows().len()), (&json!(failed), &json!(0), 3), "{hours}");
        let (rows, _) = scene.sends(RowKind::Violations, "AwsComplianceViolation").await;
        assert_eq!(rows.len(), 3, "{hours}");
    }
    let (rows, run) = scene.sends(RowKind::Packs, "AwsConformancePackSnapshot").await;
    assert_eq!((rows.len(), run_of(&run)), (1, ("packs", &json!(1), &json!(2), "false", "true")));
    all();
    let run = scene.reads(12, None).await;
    assert_eq!((run_of(&run), &run["run.repairs"]), (("reconcile", &json!(3), &json!(0), "true", "true"), &json!(0)));
    let (rows, _) = scene.sends(RowKind::Violations, "AwsComplianceViolation").await;
    let since: Vec<_> = rows.iter().map(|row| row["compliance.since"].clone()).collect();
    assert_eq!(since, vec![json!(NOW - 10 * HOUR); 3]);
    // Missed for as long as two readings are apart: it is gone.
    scene.aws.rules.lock().unwrap().retain(|place, _| *place == kept);
    scene.reads(18, None).await;
    let run = scene.reads(24, None).await;
    assert_eq!((run_of(&run), &run["run.repairs"]), (("reconcile", &json!(2), &json!(0), "true", "true"), &json!(1)));
    assert_eq!(scene.knows(), [kept, region]);
}

/// S2-13: what could not be read closes nothing.
#[tokio::test]
async fn an_account_that_cannot_be_read_keeps_what_is_known() {
    let scene = Scene::new(None, Watched::default());
    let places = [place(ONE, "eu-west-1"), place(OTHER, "eu-west-1")];
    for place in &places {
        scene.aws.put(place, "r", BAD, NOW - 10 * HOUR);
    }
    scene.reads(0, None).await;
    scene.aws.fail(OTHER, denied());
    let run = scene.reads(7, None).await;
    assert_eq!((run_of(&run), &run["run.repairs"]), (("reconcile", &json!(1), &json!(1), "false", "true"), &json!(0)));
    assert_eq!(scene.knows(), places);
    let standing = &scene.lead.posture.standing;
    assert_eq!((standing.faults().len(), standing.notes().len()), (0, 1), "one of two: it is told, and nobody is stopped");
    assert!(standing.notes()[0].contains(&format!("{OTHER}: AccessDenied; missing: config:DescribeConfigRules")));
    scene.aws.fail(ONE, denied());
    scene.reads(14, None).await;
    assert_eq!((standing.faults().len(), standing.notes().len()), (1, 0), "nothing can be read");
}

/// S2-01: a snapshot of a state that could not be read whole is not complete, and says what is missing.
#[tokio::test]
async fn a_snapshot_is_complete_only_if_everything_was_read() {
    let places = [place(ONE, "eu-west-1"), place(OTHER, "eu-west-1")];
    let scene = Scene::new(Some(&places), Watched::default());
    scene.aws.put(&places[0], "r", GOOD, NOW - HOUR);
    scene.aws.fail(&places[1].to_string(), denied());
    assert_eq!(run_of(&scene.reads(0, None).await), ("baseline", &json!(1), &json!(1), "false", "true"));
    for (kind, event_type, want) in [
        (RowKind::Summary, "AwsPostureSummary", 2),
        (RowKind::Snapshot, "AwsComplianceSnapshot", 1),
        (RowKind::Violations, "AwsComplianceViolation", 0),
    ] {
        let (rows, run) = scene.sends(kind, event_type).await;
        assert_eq!((rows.len(), run_of(&run)), (want, (kind.run().as_str(), &json!(1), &json!(1), "false", "true")));
    }
    let (rows, _) = scene.sends(RowKind::Summary, "AwsPostureSummary").await;
    assert_eq!((&rows[1]["posture.regionsRead"], rows[1].get("posture.violatingRules")), (&json!(0), None));
    // A day later the other is read: it was not there yesterday, and nothing became worse.
    scene.aws.faults.lock().unwrap().clear();
    scene.aws.put(&places[1], "r", BAD, NOW - HOUR);
    scene.reads(24, None).await;
    let (rows, run) = scene.sends(RowKind::Summary, "AwsPostureSummary").await;
    assert_eq!(run_of(&run), ("summary", &json!(2), &json!(0), "true", "true"));
    assert_eq!(rows[0]["posture.violatingRulesDelta1d"], 0);
    assert_eq!((rows[1].get("posture.violatingRulesDelta1d"), &rows[1]["posture.violatingRules"]), (None, &json!(1)));
    // Nobody reads any more.
    scene.lead.clock.advance_to(NOW + 37 * HOUR);
    let (rows, run) = scene.sends(RowKind::Summary, "AwsPostureSummary").await;
    assert_eq!((&rows[0]["posture.regionsRead"], &rows[0]["posture.observedAt"]), (&json!(0), &json!(NOW + 24 * HOUR)));
    assert_eq!(run_of(&run), ("summary", &json!(0), &json!(2), "false", "true"));
}

/// S2-13: a repair that New Relic refused is in no row.
#[tokio::test]
async fn a_reading_with_a_refused_repair_is_not_complete() {
    let places = [place(ONE, "eu-west-1")];
    let scene = Scene::new(Some(&places), Watched::default());
    scene.aws.put(&places[0], "r", GOOD, NOW - HOUR);
    scene.reads(0, None).await;
    scene.aws.put(&places[0], "r", BAD, NOW + HOUR);
    scene.refuses.store(true, Ordering::Relaxed);
    let run = scene.reads(7, None).await;
    assert_eq!((run_of(&run), &run["run.repairs"]), (("reconcile", &json!(1), &json!(0), "false", "false"), &json!(1)));
}

/// S2-12: a list that could not be read is read whole again; an account that could not be read, alone, and that is no reading.
#[tokio::test]
async fn what_failed_is_read_again_as_it_failed() {
    let scene = Scene::new(None, Watched::default());
    let places = [place(ONE, "eu-west-1"), place(OTHER, "eu-west-1")];
    for place in &places {
        scene.aws.put(place, "r", BAD, NOW - 10 * HOUR);
    }
    scene.aws.fail("everything", denied());
    assert_eq!(run_of(&scene.reads(0, None).await), ("reconcile", &json!(0), &json!(1), "false", "true"));
    assert_eq!(scene.lead.posture.standing.faults().len(), 1);
    let due = |minutes: i64| scene.lead.known().readings.due(NOW + minutes * 60_000);
    assert_eq!((due(9), due(10)), (BTreeSet::new(), BTreeSet::from([Failed::Everything])));
    scene.aws.faults.lock().unwrap().clear();
    scene.aws.fail(OTHER, denied());
    assert_eq!(run_of(&scene.reads(1, None).await), ("baseline", &json!(1), &json!(1), "false", "true"));
    let again = due(70);
    assert_eq!(again, BTreeSet::from([Failed::Account(OTHER.into())]));
    scene.aws.faults.lock().unwrap().clear();
    scene.aws.asked();
    assert_eq!(run_of(&scene.reads(2, Some(&again)).await), ("retry", &json!(1), &json!(0), "true", "true"));
    assert_eq!(scene.aws.asked(), BTreeSet::from([OTHER.to_owned()]));
    assert_eq!(scene.knows(), places, "what was not asked is as it was");
    assert_eq!((due(i64::MAX / 60_001).len(), scene.lead.posture.standing.notes().len()), (0, 0));
}

/// S0-10: rows of a state of which nothing was ever read would say for hours that there is nothing.
#[tokio::test]
async fn no_snapshot_is_sent_before_anything_was_read() {
    let places = [place(ONE, "eu-west-1")];
    let scene = Scene::new(Some(&places), Watched::default());
    scene.aws.fail(&places[0].to_string(), denied());
    let mut schedule = Schedule::default();
    let run = async |schedule: &mut Schedule, kind: &str| {
        let sent = async {
            while !scene.rows("AwsPostureRun").iter().any(|row| row["run.kind"] == kind) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let clockwork = Clockwork::new(schedule, None);
        tokio::select! {
            never = schedule::run(&scene.lead, &clockwork) => match never {},
            sent = tokio::time::timeout(Duration::from_secs(20), sent) => sent.expect("a run"),
        }
    };
    run(&mut schedule, "controls").await;
    assert_eq!(scene.rows("AwsPostureSummary").len(), 1, "that it could not be read is told");
    assert!(!scene.rows("AwsPostureRun").iter().any(|row| row["run.kind"] == "violations"));
    scene.aws.faults.lock().unwrap().clear();
    scene.aws.put(&places[0], "r", BAD, NOW - HOUR);
    scene.lead.clock.advance_to(NOW + HOUR);
    run(&mut schedule, "frameworks").await;
    assert_eq!(scene.rows("AwsComplianceViolation").len(), 1);
}

/// S2-20: before names are there that decide what is excepted nothing is read, and nothing told.
#[tokio::test]
async fn nothing_is_read_before_it_has_begun() {
    let places = [place(ONE, "eu-west-1")];
    let mut scene = Scene::new(Some(&places), Watched::default());
    let (phase, begun) = (watch::Sender::new(Phase::Running), watch::Sender::new(false));
    scene.lead.phase = phase.subscribe();
    scene.lead.posture.begun = Some(begun.subscribe());
    let mut schedule = Schedule::default();
    let mut runs = Box::pin(scene.lead.runs(&mut schedule, None));
    assert!((&mut runs).now_or_never().is_none() && scene.aws.asked().is_empty());
    begun.send_replace(true);
    let mut asked = BTreeSet::new();
    for _ in 0..1_000 {
        assert!((&mut runs).now_or_never().is_none(), "it goes on until the agent stops");
        tokio::task::yield_now().await;
        asked.append(&mut scene.aws.asked());
    }
    assert_eq!(asked, BTreeSet::from([places[0].to_string()]));
}

/// A store that denies everything, or never answers.
#[derive(Debug)]
struct Closed {
    memory: Memory,
    open: AtomicBool,
}

impl Store for Closed {
    fn place(&self) -> String {
        self.memory.place()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<(bytes::Bytes, Version)>, StoreError>> {
        if self.open.load(Ordering::Relaxed) {
            return self.memory.get(name);
        }
        async { Err(StoreError::Denied { why: "AccessDenied".to_owned(), missing: "s3:GetObject".to_owned() }) }.boxed()
    }

    fn put<'a>(&'a self, _: &'a str, _: bytes::Bytes, _: Expected) -> BoxFuture<'a, Result<Version, StoreError>> {
        std::future::pending().boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        self.memory.list(prefix)
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.memory.delete(name)
    }
}

/// S2-12: a state that cannot be read or written keeps the agent from its work, and the health check says so until it can.
#[tokio::test(start_paused = true)]
async fn a_state_that_cannot_be_read_or_written_is_told_to_the_health_check() {
    let standing = Arc::<Standing>::default();
    let closed = Arc::new(Closed { memory: Memory::default(), open: AtomicBool::new(false) });
    let told = Told::new(Arc::clone(&closed) as _, Arc::clone(&standing));
    assert!(told.get("runs.json").await.is_err());
    assert_eq!(standing.faults(), ["reading the state in memory: AccessDenied; missing: s3:GetObject"]);
    closed.open.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(told.get("runs.json").await.is_ok());
    assert_eq!(standing.faults(), Vec::<String>::new());
    let put = told.put("runs.json", bytes::Bytes::new(), Expected::Any);
    assert!(tokio::time::timeout(Duration::from_secs(5), put).await.is_err());
    assert_eq!(standing.faults(), ["writing the state in memory: no answer in 5000 ms"]);
}
