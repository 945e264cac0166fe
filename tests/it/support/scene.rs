//! A trail, an agent's settings and New Relic, ready for a test to begin.
//!
//! In: an emulator. Out: what the agent did with what was put, as New Relic, the queue and the dead letters show it. Every
//! record is sent as a log here, so that "the set that arrived" is the set of the logs' ids.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cspm_relay::clock::Clock;
use cspm_relay::lab::backend::{Account, Backend, BackendSettings, Retain};
use cspm_relay::secret::Secret;
use serde_json::{Map, Value};
use tempfile::TempDir;

use super::agent::{ACCOUNT_ID, Agent, Finished, LICENSE_KEY, Running};
use super::aws::{Aws, Depth, QueueSettings, Trail};
use super::data::{self, TrailObject};
use super::within;

/// How long an agent may take to stop (P25).
pub(crate) const STOP: Duration = Duration::from_secs(20);

/// How long things may take that take seconds when the machine is idle.
const PATIENCE: Duration = Duration::from_mins(1);

/// A trail and a New Relic, and what lies between.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) aws: Aws,
    pub(crate) trail: Trail,
    pub(crate) new_relic: Backend,
    letters: TempDir,
}

impl Scene {
    /// A trail with a usual queue.
    pub(crate) async fn new(aws: Aws) -> Self {
        Self::with(aws, QueueSettings::default()).await
    }

    /// A trail whose queue has these settings.
    pub(crate) async fn with(aws: Aws, settings: QueueSettings) -> Self {
        let trail = aws.trail(settings).await;
        let letters = TempDir::new().expect("a temporary folder");
        Self { aws, trail, new_relic: new_relic(Retain::Rows).await, letters }
    }

    /// An agent between them.
    pub(crate) fn agent(&self) -> Agent {
        self.agent_through(&self.aws.endpoint, &self.new_relic.url())
    }

    /// An agent that sees them through something else.
    pub(crate) fn agent_through(&self, aws: &str, new_relic: &str) -> Agent {
        self.dressed(Agent::run(aws, new_relic, &self.trail.queue.url))
    }

    /// An agent that reads the queue as one of events.
    pub(crate) fn event_agent(&self) -> Agent {
        let agent = Agent::new(["run"]).aws(&self.aws.endpoint).new_relic(&self.new_relic.url());
        self.dressed(agent.env("CSPM_RELAY_EVENT_QUEUE_URL", &self.trail.queue.url))
    }

    fn dressed(&self, agent: Agent) -> Agent {
        agent
            .env("CSPM_RELAY_DEAD_LETTERS", self.letters.path().to_string_lossy())
            .env("CSPM_RELAY_LOGS_RECORDS", "all")
            .env("CSPM_RELAY_HEARTBEAT", "1s")
    }

    /// Delivers objects, as `CloudTrail` does. Returns the ids in them.
    pub(crate) async fn deliver(&self, objects: &[TrailObject]) -> BTreeSet<String> {
        for object in objects {
            self.trail.deliver(object).await;
        }
        ids(objects)
    }

    /// The ids that New Relic has.
    pub(crate) fn arrived(&self) -> BTreeSet<String> {
        self.new_relic.store().ids("Log").into_keys().collect()
    }

    /// Waits until New Relic has these ids and no others.
    pub(crate) async fn has(&self, ids: &BTreeSet<String>) {
        self.has_within(PATIENCE, ids).await;
    }

    /// The same for what takes longer.
    pub(crate) async fn has_within(&self, limit: Duration, ids: &BTreeSet<String>) {
        let store = self.new_relic.store();
        let enough = store.wait_until(|store| store.counts("Log").distinct_ids >= ids.len() as u64);
        let waited = tokio::time::timeout(limit, enough).await;
        let arrived = self.arrived();
        let missing: Vec<_> = ids.difference(&arrived).take(5).collect();
        let alien: Vec<_> = arrived.difference(ids).take(5).collect();
        assert!(
            waited.is_ok() && missing.is_empty() && alien.is_empty(),
            "after {limit:?} at most New Relic has {} ids of {}; missing {missing:?}, alien {alien:?}; {:?}",
            arrived.len(),
            ids.len(),
            store.summary()
        );
    }

    /// Waits until the queue and its dead-letter queue hold nothing at all.
    pub(crate) async fn empty(&self) {
        self.empty_within(PATIENCE).await;
    }

    /// The same for what takes longer.
    pub(crate) async fn empty_within(&self, limit: Duration) {
        within(limit, "the queue is empty", async || self.trail.queue.depth().await == Depth::EMPTY).await;
        assert_eq!(self.trail.queue.dead_letters().await, Depth::EMPTY, "the queue's dead letters");
    }

    /// Messages in the queue, hidden or not.
    pub(crate) async fn left(&self) -> u64 {
        let depth = self.trail.queue.depth().await;
        depth.visible + depth.in_flight
    }

    /// The agent's dead letters, by time.
    pub(crate) fn letters(&self) -> Vec<Value> {
        let files = std::fs::read_dir(self.letters.path()).expect("a folder").map(|file| file.expect("a file").path());
        let mut letters: Vec<Value> = files
            .filter(|path| path.extension().is_some_and(|extension| extension == "ndjson"))
            .flat_map(|path| {
                let text = std::fs::read_to_string(path).expect("a letter");
                text.lines().map(|line| serde_json::from_str(line).expect("a letter is JSON")).collect::<Vec<_>>()
            })
            .collect();
        letters.sort_by_key(|letter: &Value| (letter["timeMs"].as_i64(), letter["origin"].to_string(), letter["index"].as_u64()));
        letters
    }

    /// The gaps by object: kind and records read.
    pub(crate) fn gaps(&self) -> BTreeMap<String, (String, i64)> {
        let text = |row: &Map<String, Value>, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let rows = self.new_relic.store().rows("CspmRelayGap");
        let gap = |row| (text(&row, "gap.object"), (text(&row, "gap.kind"), row["gap.recordsRead"].as_i64().unwrap_or(-1)));
        rows.into_iter().map(gap).collect()
    }

    /// A count, added up over the heartbeats of all agents that have stopped in order.
    pub(crate) fn counted(&self, name: &str) -> i64 {
        let name = format!("heartbeat.{name}");
        let mut rows = self.new_relic.store().rows("CspmRelayHeartbeat");
        // Rows that say how things stand are counted, too, and are no records of AWS.
        rows.retain(|row| row["relay.source"] != "posture");
        rows.iter().map(|row| row.get(&name).and_then(Value::as_i64).unwrap_or_else(|| panic!("{name} in {row:?}"))).sum()
    }

    /// Waits until a count has come to a number.
    pub(crate) async fn counts(&self, name: &str, least: i64) {
        self.counts_within(PATIENCE, name, least).await;
    }

    /// The same for what takes longer.
    pub(crate) async fn counts_within(&self, limit: Duration, name: &str, least: i64) {
        within(limit, &format!("{least} {name}"), async || self.counted(name) >= least).await;
    }

    /// Asserts that the stand-in found nothing to object to.
    pub(crate) fn no_violations(&self) {
        let violations = self.new_relic.store().violations();
        assert!(violations.is_empty(), "{violations:?}");
    }
}

/// Stops an agent in order: exit code 0, in time (P25).
pub(crate) async fn stopped(mut agent: Running) -> Finished {
    // A signal that comes before there is a handler simply ends the process.
    agent.says("Started with").await;
    agent.terminate();
    let ended = agent.exited(STOP).await;
    assert_eq!(ended.status.code(), Some(0), "{}\n{}", ended.stdout, ended.stderr);
    ended
}

/// A stand-in that knows the agents' key.
pub(crate) async fn new_relic(retain: Retain) -> Backend {
    Backend::start(BackendSettings { accounts: vec![account(LICENSE_KEY)], retain, ..BackendSettings::default() })
        .await
        .expect("a free port")
}

/// The agents' account, opened by this key.
pub(crate) fn account(license_key: &str) -> Account {
    let id = ACCOUNT_ID.parse().expect("an account id");
    Account { id, license_key: Secret::new(license_key), ..Account::default() }
}

/// A minute ago, milliseconds.
pub(crate) fn recently() -> i64 {
    Clock::system().now_ms() - 60_000
}

/// `count` objects of `records` mixed records each, numbered from `first`.
pub(crate) fn objects(first: u64, count: u64, records: u64) -> Vec<TrailObject> {
    let time = recently();
    (0..count).map(|nth| data::object(first + nth, time, &data::mixed((first + nth) * 10_000, records, time))).collect()
}

/// The ids in objects.
pub(crate) fn ids(objects: &[TrailObject]) -> BTreeSet<String> {
    objects.iter().flat_map(|object| object.ids.iter().cloned()).collect()
}
