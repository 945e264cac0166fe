//! Inventories of a made-up IAM: who is asked, what is accepted, and when it is made again.

use super::*;
use crate::pipeline::posture::identity::{Held, Identities, look};
use crate::posture::Terms;
use crate::record::identity::{Credentials, Detail, ROOT, ServiceUse};
use crate::source::iam::{IamApi, IamError, Which};

const THIRD: &str = "777788889999";
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * HOUR;

/// IAM as it is made up: root in each account.
#[derive(Debug, Default)]
struct Iam {
    faults: std::sync::Mutex<BTreeMap<String, IamError>>,
    asked: std::sync::Mutex<Vec<String>>,
}

impl IamApi for Iam {
    fn report<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Vec<Credentials>, IamError>> {
        self.asked.lock().unwrap().push(account.to_owned());
        let fault = self.faults.lock().unwrap().get(account).cloned();
        let root =
            Credentials { user: ROOT.into(), arn: format!("arn:aws:iam::{account}:root").into(), ..Credentials::default() };
        async move { fault.map_or(Ok(vec![root]), Err) }.boxed()
    }

    fn details<'a>(&'a self, _: &'a str, _: Which, _: Each<'a, Detail>) -> BoxFuture<'a, Result<(), IamError>> {
        async { Ok(()) }.boxed()
    }

    fn services<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<ServiceUse, IamError>> {
        async { Err(IamError::Gone { why: "nobody".to_owned() }) }.boxed()
    }

    fn calls(&self) -> u64 {
        0
    }
}

/// An agent that leads, and its IAM.
struct Inventories {
    scene: Scene,
    iam: Arc<Iam>,
    identities: Identities,
    schedule: Schedule,
    held: Held,
}

impl Inventories {
    /// Of these accounts; `None`: of those that the aggregator has, which are the same.
    fn new(named: bool, watched: Watched) -> Self {
        let scene = Scene::new(None, watched);
        let accounts = [ONE, OTHER, THIRD];
        for account in accounts {
            scene.aws.put(&place(account, "eu-west-1"), "r", GOOD, NOW);
        }
        let iam = Arc::new(Iam::default());
        let identities = Identities {
            api: Arc::clone(&iam) as _,
            accounts: if named { accounts.map(Into::into).into() } else { Vec::new() },
            aggregator: Some(Arc::clone(&scene.aws) as _),
            interval: Duration::from_hours(24),
            terms: Terms { unused_days: 90, key_max_age_days: 90, owner_tags: Vec::new() },
            last_accessed: false,
        };
        Self { scene, iam, identities, schedule: Schedule::default(), held: Held::default() }
    }

    fn fail(&self, account: &str, error: IamError) {
        self.iam.faults.lock().unwrap().insert(account.to_owned(), error);
    }

    /// Looks, so long after the first time, and gives the run if there was one, and whose rows it had.
    async fn looks(&mut self, after_ms: i64) -> Option<(Value, BTreeSet<String>)> {
        self.scene.lead.clock.advance_to(NOW + after_ms);
        self.scene.sent.lock().unwrap().clear();
        look(&self.scene.lead, &self.identities, &Clockwork::new(&mut self.schedule, None), &mut self.held).await;
        let run = self.scene.rows("AwsPostureRun").pop()?;
        let rows = self.scene.rows("AwsIdentityPosture");
        assert!(rows.iter().all(|row| row["snapshot.id"] == run["snapshot.id"]));
        let of = |row: &Value| row["aws.accountId"].as_str().unwrap_or_default().to_owned();
        Some((run, rows.iter().map(of).collect()))
    }
}

fn passing() -> IamError {
    IamError::Passing { why: "no answer in 30 s".to_owned() }
}

fn all() -> BTreeSet<String> {
    [ONE, OTHER, THIRD].map(str::to_owned).into()
}

/// S2-38: without a list of accounts nobody is told to be gone: the run is not accepted, and is made again soon.
#[tokio::test(start_paused = true)]
async fn an_inventory_without_a_list_of_accounts_is_not_accepted_and_is_made_again() {
    let mut inventories = Inventories::new(false, Watched::default());
    let gone = ConfigApiError::Passing { why: "no answer".to_owned() };
    inventories.scene.aws.fail("everything", gone);
    let mut at_ms = 0;
    for wait in [10, 20, 40, 80] {
        let (run, rows) = inventories.looks(at_ms).await.expect("a run");
        assert_eq!(run_of(&run), ("identity", &json!(0), &json!(0), "false", "false"));
        assert_eq!((rows.len(), &run["run.rows"]), (0, &json!(0)));
        assert_eq!(inventories.schedule, Schedule::default(), "the next agent makes it at once");
        at_ms += wait * MINUTE;
        assert!(inventories.looks(at_ms - 1).await.is_none(), "{wait} minutes");
    }
    inventories.scene.aws.faults.lock().unwrap().clear();
    let (run, rows) = inventories.looks(at_ms).await.expect("a run");
    assert_eq!((run_of(&run), rows), (("identity", &json!(3), &json!(0), "true", "true"), all()));
    assert!(inventories.looks(at_ms + DAY - 1).await.is_none());
    assert!(inventories.looks(at_ms + DAY).await.is_some());
}

/// S2-38: an account that something passing stops does not vanish for a day; who may not be read holds nobody up.
#[tokio::test(start_paused = true)]
async fn an_account_that_something_passing_stops_holds_the_inventory_up() {
    let mut inventories = Inventories::new(true, Watched::default());
    inventories.fail(OTHER, passing());
    let denied = IamError::Denied { why: "AccessDenied".to_owned(), missing: "iam:GetCredentialReport".to_owned() };
    inventories.fail(THIRD, denied);
    let (run, rows) = inventories.looks(0).await.expect("a run");
    assert_eq!((run_of(&run), rows.len()), (("identity", &json!(1), &json!(2), "false", "false"), 1));
    let asked = |account: &str, asked: &[String]| asked.iter().filter(|other| *other == account).count();
    let first = std::mem::take(&mut *inventories.iam.asked.lock().unwrap());
    assert_eq!([ONE, OTHER, THIRD].map(|account| asked(account, &first)), [1, 2, 1]);
    assert!(inventories.looks(10 * MINUTE - 1).await.is_none());
    inventories.iam.faults.lock().unwrap().remove(OTHER);
    let (run, rows) = inventories.looks(10 * MINUTE).await.expect("a run");
    assert_eq!(run_of(&run), ("identity", &json!(2), &json!(1), "true", "true"));
    assert_eq!(rows, [ONE, OTHER].map(str::to_owned).into(), "whole again, not only what was missing");
    assert!(inventories.looks(10 * MINUTE + DAY - 1).await.is_none());
}

/// What never passes must not keep the news of all others from whoever asks.
#[tokio::test(start_paused = true)]
async fn a_fault_that_lasts_an_interval_holds_nobody_up() {
    let mut inventories = Inventories::new(true, Watched::default());
    inventories.fail(OTHER, passing());
    let (mut accepted, mut runs) = (Vec::new(), 0);
    for minutes in (0..4 * 24 * 60).step_by(10) {
        if let Some((run, _)) = inventories.looks(minutes * MINUTE).await {
            runs += 1;
            assert_eq!(run["run.complete"], "false");
            if run["run.accepted"] == "true" {
                accepted.push(minutes / 60);
            }
        }
    }
    assert_eq!((accepted, runs), (vec![24, 48, 72], 11), "then once a day, as ever");
    inventories.fail(ONE, passing());
    let (run, _) = inventories.looks(5 * DAY).await.expect("a run");
    assert_eq!(run["run.accepted"], "false", "another account has a bad hour");
}

/// S2-38: what holds the inventory up does so for an interval and no longer, be it one account after the other, and though the lead
/// changes more often than that.
#[tokio::test(start_paused = true)]
async fn an_inventory_is_held_up_no_longer_than_an_interval() {
    for (name, next_lead, stopped, want) in [
        ("one after the other", i64::MAX, &[ONE, OTHER, THIRD][..], vec![24, 72]),
        ("one, and the lead changes", 5 * 60, &[OTHER], vec![24, 48, 72]),
    ] {
        let mut inventories = Inventories::new(true, Watched::default());
        let (mut accepted, mut runs) = (Vec::new(), 0);
        for minutes in (0..4 * 24 * 60).step_by(10) {
            if minutes % next_lead == 0 {
                inventories.held = Held::default();
                inventories.schedule = Schedule::read(&inventories.schedule.bytes());
            }
            inventories.iam.faults.lock().unwrap().clear();
            inventories.fail(stopped[runs % stopped.len()], passing());
            if let Some((run, rows)) = inventories.looks(minutes * MINUTE).await {
                runs += 1;
                assert_eq!((rows.len(), &run["run.complete"]), (2, &json!("false")), "{name}");
                if run["run.accepted"] == "true" {
                    accepted.push(minutes / 60);
                }
            }
        }
        assert_eq!(accepted, want, "{name}");
    }
}

/// S2-38: what AWS refuses, and refuses again at the end of the run, nobody waits for; the run is not complete.
#[tokio::test(start_paused = true)]
async fn an_account_that_is_refused_holds_nobody_up_and_is_missing() {
    let mut inventories = Inventories::new(true, Watched::default());
    inventories.fail(OTHER, IamError::Refused { why: "no report".to_owned() });
    for day in 0..2 {
        let (run, rows) = inventories.looks(day * DAY).await.expect("a run");
        assert_eq!((run_of(&run), rows.len()), (("identity", &json!(2), &json!(1), "false", "true"), 2));
        assert!(inventories.looks((day + 1) * DAY - 1).await.is_none());
    }
    let asked = std::mem::take(&mut *inventories.iam.asked.lock().unwrap());
    assert_eq!(asked.iter().filter(|account| *account == OTHER).count(), 4, "twice a run");
}

/// S2-12, S2-38: who is not watched is not asked, whether the settings or an aggregator name the accounts.
#[tokio::test(start_paused = true)]
async fn who_is_not_watched_is_not_inventoried() {
    for named in [true, false] {
        let mut inventories = Inventories::new(named, without(OTHER));
        let (run, rows) = inventories.looks(0).await.expect("a run");
        assert_eq!(run_of(&run), ("identity", &json!(2), &json!(0), "true", "true"), "named: {named}");
        assert_eq!(rows, [ONE, THIRD].map(str::to_owned).into(), "named: {named}");
        assert!(!inventories.iam.asked.lock().unwrap().iter().any(|account| account == OTHER), "named: {named}");
    }
}

/// S2-13: what of IAM cannot be read is told to the health check until it can be, and stops nobody.
#[tokio::test(start_paused = true)]
async fn what_of_iam_cannot_be_read_is_told_to_the_health_check() {
    let mut inventories = Inventories::new(false, Watched::default());
    let standing = Arc::clone(&inventories.scene.lead.posture.standing);
    inventories.scene.aws.fail("everything", denied());
    inventories.looks(0).await.expect("a run");
    let missing = "AccessDenied; missing: config:DescribeConfigRules";
    assert_eq!(standing.notes(), [format!("IAM could not be read: accounts: {missing}")]);
    inventories.scene.aws.faults.lock().unwrap().clear();
    inventories.fail(OTHER, passing());
    inventories.looks(10 * MINUTE).await.expect("a run");
    assert_eq!(standing.notes(), [format!("IAM could not be read: {OTHER}: no answer in 30 s")]);
    assert_eq!(standing.faults(), Vec::<String>::new());
    // A reading of AWS Config that went well says nothing of IAM.
    inventories.scene.reads(1, None).await;
    assert_eq!(standing.notes().len(), 1);
    inventories.iam.faults.lock().unwrap().clear();
    inventories.looks(HOUR).await.expect("a run");
    assert_eq!(standing.notes(), Vec::<String>::new());
}
