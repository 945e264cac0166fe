//! Which exceptions have ended and still stand in the file.
//!
//! In: the exceptions and the present, again and again. Out: a `CspmRelayException` for each that has expired, and a line in the
//! log: at start, when another expires, and all of them again every day, so that a dashboard that looks two days back shows those
//! that stand now and no others. What always holds: of agents of which one leads only that one tells, and one that takes over tells
//! again what ended before; it depends on nothing else that is told from time to time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::outlet::batcher;
use super::worker::Stages;
use crate::ack::{Counts, ObjectEntry, Outcome};
use crate::classify::Exceptions;
use crate::clock::Clock;
use crate::config::Limits;
use crate::encode::exception::push_expired;
use crate::encode::{Batch, Lane};
use crate::record::time::DAY_MS;

/// Time after which all of them are told again, milliseconds.
const AGAIN_MS: i64 = DAY_MS;

/// Time between two looks at the clock.
const LOOK: Duration = Duration::from_secs(10);

/// Tells the ends, as long as this agent leads or nobody does.
pub(super) struct Ends {
    pub(super) stages: Arc<Stages>,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) batches: mpsc::Sender<Batch>,
    /// Whether it is this agent that tells.
    pub(super) leading: watch::Receiver<bool>,
    /// Set when everything else has ended.
    pub(super) finished: watch::Receiver<bool>,
}

impl Ends {
    pub(super) async fn run(self) {
        let Self { stages, clock, limits, batches, mut leading, mut finished } = self;
        let mut expiry = Expiry::default();
        let tell = async {
            // Nobody who could say so is left: it is the end.
            while leading.wait_for(|leads| *leads).await.is_ok() {
                for batch in told(&mut expiry, &stages, &clock, &limits) {
                    if batches.send(batch).await.is_err() {
                        tracing::debug!("The end of an exception was not sent: the sender has gone");
                    }
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            () = tell => {}
            heard = finished.wait_for(|finished| *finished) => { let _gone = heard.is_err(); }
        }
    }
}

/// What has ended since the last look, as batches.
fn told(expiry: &mut Expiry, stages: &Stages, clock: &Clock, limits: &Limits) -> Vec<Batch> {
    let now_ms = clock.now_ms();
    let items = expiry.items(&stages.exceptions, now_ms, &stages.agent);
    if items.is_empty() {
        return Vec::new();
    }
    let entry = ObjectEntry::enter(Arc::new(Counts::new("relay")), 0, None);
    let mut batcher = batcher(Lane::Events, limits);
    let mut closed = Vec::new();
    for item in items {
        let record = entry.record();
        record.ends_as(Outcome::Delivered);
        closed.extend(batcher.push(&item, now_ms, record.piece()));
    }
    entry.decoded();
    closed.extend(batcher.close());
    closed
}

/// Tells each end when it comes, and all of them every day.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    told_until_ms: Option<i64>,
    /// When all of them were told last.
    all_told_ms: Option<i64>,
}

impl Expiry {
    /// The items to send now, as events.
    pub(super) fn items(&mut self, exceptions: &Exceptions, now_ms: i64, agent: &str) -> Vec<Vec<u8>> {
        if self.all_told_ms.is_none_or(|told_ms| now_ms >= told_ms.saturating_add(AGAIN_MS)) {
            (self.told_until_ms, self.all_told_ms) = (None, Some(now_ms));
        }
        let since_ms = self.told_until_ms;
        // A clock that was set back tells nothing twice.
        self.told_until_ms = Some(since_ms.map_or(now_ms, |since_ms| since_ms.max(now_ms)));
        let ended = exceptions.expired(since_ms, now_ms);
        ended
            .map(|exception| {
                tracing::warn!(
                    control = exception.control,
                    owner = exception.owner,
                    expires = exception.expires,
                    "An exception has expired and mutes nothing any more"
                );
                let mut item = Vec::new();
                // Its longest text is cut by the writer; nothing depends on it.
                let _cut = push_expired(&mut item, exception, now_ms, agent);
                item
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::RuleSet;

    /// S2-20: an exception expires loudly: at start, when it does, and every day as long as it stands in the file.
    #[test]
    fn an_end_is_told_when_it_comes_and_every_day() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("exceptions.yml");
        let text = "- {control: restricted-ssh, owner: net, reason: old, expires: 2026-01-01}\n\
                    - {control: restricted-ssh, owner: web, reason: new, expires: 2026-06-01T12:00:00Z, scope: {regions: eu-west-1}}\n";
        std::fs::write(&path, text).expect("a file");
        let (exceptions, _) = Exceptions::from_file(&path, "UTC", &RuleSet::default()).expect("exceptions");
        let at = |time: &str| crate::record::time::parse_ms(time).expect("a time");
        let mut expiry = Expiry::default();
        let mut told = |time: &str| {
            let items = expiry.items(&exceptions, at(time), "agent-1");
            let items = items.iter().map(|item| serde_json::from_slice::<serde_json::Value>(item).expect("JSON"));
            items.map(|item| item["exception.owner"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(told("2026-03-01T00:00:00Z"), ["net"], "at start");
        assert_eq!(told("2026-03-01T23:59:59Z"), Vec::<String>::new());
        assert_eq!(told("2026-03-02T00:00:00Z"), ["net"], "a day later");
        assert_eq!(told("2026-05-31T20:00:00Z"), ["net"], "nobody looked for months");
        assert_eq!(told("2026-06-01T11:59:59Z"), Vec::<String>::new());
        assert_eq!(told("2026-06-01T12:00:00Z"), ["web"]);
        assert_eq!(told("2026-03-01T00:00:00Z"), Vec::<String>::new(), "the clock was set back");
        assert_eq!(told("2026-06-01T12:00:01Z"), Vec::<String>::new());
        assert_eq!(told("2026-06-01T20:00:00Z"), ["net", "web"], "all of them, a day after all were told last");
        let item = Expiry::default().items(&exceptions, at("2026-07-01T00:00:00Z"), "agent-1").pop().expect("an item");
        let item: serde_json::Value = serde_json::from_slice(&item).expect("JSON");
        assert_eq!(item["eventType"], "CspmRelayException");
        assert_eq!(item["control.id"], "restricted-ssh");
        assert_eq!(item["exception.scope"], "regions: eu-west-1");
        assert_eq!(item["exception.expiresTime"], at("2026-06-01T12:00:00Z"));
    }

    /// S2-20: of several agents only the one that leads tells; it needs no heartbeat to do so.
    #[tokio::test(start_paused = true)]
    async fn only_who_leads_tells_the_end_of_an_exception() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("exceptions.yml");
        let text = "- {control: restricted-ssh, owner: net, reason: x, expires: 2026-01-31, scope: {regions: eu-west-1}}\n\
                    - {control: restricted-ssh, owner: web, reason: x, expires: 2026-06-01T12:00:00Z, scope: {regions: eu-west-1}}\n";
        std::fs::write(&path, text).expect("a file");
        let config = crate::config::Config::stand_in("http://127.0.0.1:9", 1, crate::secret::Secret::new("key"));
        let at = |time: &str| crate::record::time::parse_ms(time).expect("a time");
        let clock = Clock::fixed(at("2026-03-01T00:00:00Z"));
        let mut stages = crate::pipeline::tests::stages(&config, &clock);
        (stages.exceptions, _) = Exceptions::from_file(&path, "UTC", &RuleSet::default()).expect("exceptions");
        let (leading, finished) = (watch::Sender::new(false), watch::Sender::new(false));
        let (batches, mut told) = mpsc::channel(4);
        let ends = Ends {
            stages: Arc::new(stages),
            clock: clock.clone(),
            limits: config.limits,
            batches,
            leading: leading.subscribe(),
            finished: finished.subscribe(),
        };
        let running = tokio::spawn(ends.run());
        let mut wait = async || tokio::time::timeout(LOOK * 3, told.recv()).await.ok().flatten().map(|batch: Batch| batch.len());
        assert_eq!(wait().await, None, "another agent leads");
        leading.send_replace(true);
        assert_eq!((wait().await, wait().await), (Some(1), None));
        clock.advance_to(at("2026-06-01T12:00:00Z"));
        leading.send_replace(false);
        assert_eq!(wait().await, None);
        leading.send_replace(true);
        assert_eq!(wait().await, Some(2), "what ended since it led last, and what a day ago was told");
        finished.send_replace(true);
        running.await.expect("an end");
    }
}
