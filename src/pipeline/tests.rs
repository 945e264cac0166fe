//! How a run ends when something in it dies, or takes longer than a stop may.

use super::*;
use crate::ack::{Piece, Seen, Verdict};
use crate::classify::{Exceptions, Frameworks, RuleSet};
use crate::config::{Config, LogRecords, Watched};
use crate::decode::Bounds;
use crate::deliver::letter::LetterKind;
use crate::enrich::{AccountNames, Enricher};
use crate::posture::Compliance;
use crate::record::{AccountRegion, DeployedRule, Evaluation};
use crate::source::config_api::{Calls, ConfigApi, ConfigApiError, Each, FailingRule, Pack};
use crate::source::{Body, Origin, Sight, Source};
use futures_util::future::BoxFuture;

const NOW: i64 = 1_780_000_000_000;
const RECORD: &str = r#"{"eventVersion":"1.08","eventTime":"2026-05-28T20:00:00Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser","eventID":"1","recipientAccountId":"111122223333"}"#;

/// Stages without rules, and a state in memory.
pub(super) fn stages(config: &Config, clock: &Clock) -> Stages {
    Stages {
        rules: RuleSet::default(),
        exceptions: Exceptions::default(),
        frameworks: Frameworks::default(),
        enricher: Enricher::new(AccountNames::default(), "UTC").unwrap().into(),
        watched: Watched::default(),
        findings: Arc::new(crate::posture::Findings::in_memory(crate::config::Findings::default())),
        outputs: config.outputs,
        bounds: Bounds { inflated: 1 << 20, record: 1 << 16 },
        rollups: Rollups::new(config.outputs.metrics),
        seen: Seen::new(100),
        compliance: Arc::new(Compliance::in_memory()),
        clock: clock.clone(),
        agent: "test".to_owned(),
        refuse_late: false,
        follow: false,
        lateness: None,
        changes: None,
        novelty: None,
        quiet: false,
        scans: None,
    }
}

fn relay(outlet: impl Outlet + 'static) -> Relay {
    let mut config = Config::stand_in("http://127.0.0.1:9", 1, crate::secret::Secret::new("key"));
    config.outputs.logs.records = LogRecords::All;
    config.outputs.logs.read_only = true;
    let clock = Clock::fixed(NOW);
    Relay {
        stages: Arc::new(stages(&config, &clock)),
        limits: config.limits,
        to: To::Outlet(Box::new(outlet)),
        dead_letters: Target::Nowhere,
        heartbeat: None,
        rollups: rollups::EVERY,
        expiry: None,
        posture: None,
        clock,
    }
}

/// Gives one object, then waits as a queue does: for news and for the end.
struct Waits {
    /// What is in the object.
    body: &'static str,
    /// Ends in a fault at once after its object, instead of waiting.
    faulty: bool,
    /// Hears nothing: neither news nor phases.
    deaf: bool,
}

impl Source for Waits {
    async fn run(self, intake: Intake) -> Result<(), SourceError> {
        let Intake { objects, mut released, mut phase, .. } = intake;
        let origin = Origin { name: "test".to_owned(), account: None, sight: Sight::Message };
        let body = Body::Held(bytes::Bytes::from_static(self.body.as_bytes()));
        let _sent = objects.send(Object { number: 0, origin, body, room: None, again: false }).await.is_ok();
        if self.faulty {
            return Err(SourceError { what: "no such queue".to_owned(), hint: None });
        }
        if self.deaf {
            return std::future::pending().await;
        }
        let told = released.recv().await;
        assert!(told.is_some(), "an object that is not settled is told to be back");
        let _over = phase.wait_for(|phase| *phase >= Phase::Draining).await.is_ok();
        Ok(())
    }
}

struct Panics;

impl Outlet for Panics {
    fn put(&mut self, _: Lane, _: &[u8], _: i64, _: Piece) {
        panic!("an outlet that dies");
    }
    fn item_max(&self, _: Lane) -> usize {
        usize::MAX
    }
    fn flush(&mut self) {}
}

/// Keeps every piece for ever: a New Relic that does not answer.
struct Keeps(Vec<Piece>);

impl Outlet for Keeps {
    fn put(&mut self, _: Lane, _: &[u8], _: i64, piece: Piece) {
        self.0.push(piece);
    }
    fn item_max(&self, _: Lane) -> usize {
        usize::MAX
    }
    fn flush(&mut self) {}
}

fn waits(body: &'static str) -> Waits {
    Waits { body, faulty: false, deaf: false }
}

fn source(faulty: bool, deaf: bool) -> Vec<Running> {
    vec![Running::new("queue", Waits { body: RECORD, faulty, deaf })]
}

/// A dead worker does not leave an agent behind that lives and does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_death_of_a_worker_ends_the_run_with_a_fault() {
    let run = relay(Panics).run(source(false, false), std::future::pending(), |_| {});
    let summary = tokio::time::timeout(Duration::from_secs(10), run).await.expect("it ends by itself");
    let faults: Vec<_> = summary.faults.iter().map(|(name, fault)| format!("{name}: {fault}")).collect();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults.iter().all(|fault| fault.starts_with("pipeline: a worker ended in a panic")), "{faults:?}");
    let (_, counts) = summary.sources.first().unwrap();
    assert!(counts.adds_up());
    assert_eq!((counts.records_received, counts.ended(crate::ack::Outcome::Returned)), (1, 1));
}

/// S2-20: a source takes nothing before it may; a stop meanwhile ends it, and so that none waits for ever it begins when nobody can
/// say any more.
#[tokio::test]
async fn a_source_begins_when_it_is_told_so_and_stops_before_that() {
    let limits = Config::stand_in("http://127.0.0.1:9", 1, crate::secret::Secret::new("key")).limits;
    for (case, phase, said, taken) in [
        ("told so", Phase::Running, Some(true), true),
        ("told while New Relic refuses", Phase::Paused, Some(true), true),
        ("nobody says", Phase::Running, None, true),
        ("not yet", Phase::Paused, Some(false), false),
        ("stopped", Phase::Draining, Some(false), false),
        ("stopped at once", Phase::Returning, Some(false), false),
    ] {
        let (intake, mut ends) = source::memory::pipeline(4, &limits);
        let begun = watch::Sender::new(false);
        let source = Running::new("queue", waits(RECORD)).led().once(begun.subscribe());
        assert!(source.led && source.counts.name() == "queue", "{case}: it is the same otherwise");
        let mut at_work = (source.run)(intake);
        assert!((&mut at_work).now_or_never().is_none() && ends.objects.try_recv().is_err(), "{case}: it waits");
        ends.phase.send_replace(phase);
        match said {
            Some(said) => {
                begun.send_replace(said);
            }
            None => drop(begun),
        }
        let ended = (&mut at_work).now_or_never();
        assert_eq!(ends.objects.try_recv().is_ok(), taken, "{case}");
        assert_eq!(ended.is_some_and(|ended| ended.is_ok()), phase >= Phase::Draining, "{case}");
    }
}

/// Panics at the first log line of one part of the code: a fault in the middle of its work.
struct DiesIn(&'static str);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for DiesIn {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        assert_ne!(event.metadata().target(), self.0, "a part that dies");
    }
}

/// What stands behind the workers dies: nothing is acknowledged, the run ends by itself and says why.
#[tokio::test]
async fn the_death_of_a_sender_or_the_parker_ends_the_run_with_a_fault() {
    use tracing_subscriber::layer::SubscriberExt as _;

    const NOBODY: &str = "http://127.0.0.1:9";
    let settings = Config::stand_in(NOBODY, 1, crate::secret::Secret::new("key")).new_relic;
    let endpoint = Endpoint::new(&settings, Duration::from_secs(1)).unwrap();
    for (part, dies_in, body, says) in [
        ("sender", "cspm_relay::deliver::sender", RECORD, "pipeline: a sender ended in a panic"),
        ("parker", "cspm_relay::deliver::park", "{\"no\":\"record\"}", "pipeline: a dead-letter writer ended in a panic"),
    ] {
        let mut relay = relay(Keeps(Vec::new()));
        relay.to = To::NewRelic { endpoint: Box::new(endpoint.clone()), patience: Patience::Endless };
        let _dies = tracing::subscriber::set_default(tracing_subscriber::registry().with(DiesIn(dies_in)));
        let run = relay.run(vec![Running::new("queue", waits(body))], std::future::pending(), |_| {});
        let summary = tokio::time::timeout(Duration::from_secs(10), run).await.expect("it ends by itself");
        let faults: Vec<_> = summary.faults.iter().map(|(name, fault)| format!("{name}: {fault}")).collect();
        assert!(faults.len() == 1 && faults.iter().all(|fault| fault.starts_with(says)), "{part}: {faults:?}");
        let (_, counts) = summary.sources.first().unwrap();
        let ends =
            (counts.records_received, counts.ended(crate::ack::Outcome::Returned), counts.objects_ended(Verdict::Returned));
        assert_eq!(ends, (1, 1, 1), "{part}: {counts:?}");
    }
}

/// A part that ends while others still want something of it is as dead as one that panics: every batch would come back, for
/// ever. One that ends because its channel has closed is not.
#[tokio::test]
async fn an_end_before_its_time_is_a_death() {
    for (name, wanted, want) in [("early", true, Some("a sender ended before its time")), ("in order", false, None)] {
        let (to, _from) = mpsc::channel::<()>(1);
        let mut tasks = JoinSet::new();
        tasks.spawn(reads(&to, std::future::ready(())));
        let _still_wanted = wanted.then_some(to);
        let told = tokio::time::timeout(Duration::from_millis(100), first_death("sender", &mut tasks)).await.ok();
        let what = told.map(|fault| fault.what);
        assert_eq!(what.as_deref().map(|what| what.split(';').next().unwrap()), want, "{name}");
    }
}

/// Panics at once.
struct Bursts;

impl Source for Bursts {
    async fn run(self, _: Intake) -> Result<(), SourceError> {
        panic!("a source that dies");
    }
}

/// A source that panics takes the agent along: the others would go on, and nobody would see that one is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_death_of_a_source_ends_the_run_with_a_fault() {
    let mut relay = relay(Keeps(Vec::new()));
    relay.limits.drain = Duration::from_millis(100);
    let sources = vec![Running::new("dying", Bursts), Running::new("queue", waits(RECORD))];
    let run = relay.run(sources, std::future::pending(), |_| {});
    let summary = tokio::time::timeout(Duration::from_secs(10), run).await.expect("it ends by itself");
    let faults: Vec<_> = summary.faults.iter().map(|(name, fault)| format!("{name}: {fault}")).collect();
    assert!(
        faults.len() == 1 && faults.iter().all(|fault| fault.starts_with("pipeline: a source ended in a panic")),
        "{faults:?}"
    );
    let counts = &summary.sources.last().unwrap().1;
    assert_eq!((counts.adds_up(), counts.objects_ended(Verdict::Returned)), (true, 1), "{counts:?}");
}

/// A stop has one deadline: drain and hand-back together, whatever the sources and the way out do. In real time, because
/// paused time stands still while a worker thread runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_is_over_in_its_time() {
    const DRAIN: Duration = Duration::from_secs(1);
    let case = async |name: &str, faulty: bool, deaf: bool, stop: bool| {
        let mut relay = relay(Keeps(Vec::new()));
        relay.limits.drain = DRAIN;
        let began = Instant::now();
        let stopping = async move {
            if !stop {
                std::future::pending::<()>().await;
            }
        };
        let summary = relay.run(source(faulty, deaf), stopping, |_| {}).await;
        let took = began.elapsed();
        assert!(took <= DRAIN + HAND_BACK + LET_GO, "{name}: {took:?}");
        let (_, counts) = summary.sources.first().unwrap();
        assert!(counts.adds_up(), "{name}: {counts:?}");
        assert_eq!(summary.faults.len(), usize::from(faulty), "{name}");
    };
    tokio::join!(
        case("nothing settles", false, false, true),
        case("a source hears nothing", false, true, true),
        case("a source died in a fault", true, false, false),
    );
}

/// Gives one object that ends early, in the version that a message named.
struct Cut;

impl Source for Cut {
    async fn run(self, intake: Intake) -> Result<(), SourceError> {
        let Intake { objects, mut released, .. } = intake;
        let sight = Sight::Version("v1".to_owned());
        let origin = Origin { name: "s3://b/k".to_owned(), account: None, sight };
        let body = Body::Held(bytes::Bytes::from_static(b"{\"Records\":[{\"no\":1},{"));
        let _sent = objects.send(Object { number: 0, origin, body, room: None, again: false }).await.is_ok();
        let _told = released.recv().await;
        Ok(())
    }
}

/// A letter leads back to the version that was read, not to the newest one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_names_the_version_of_its_object() {
    let (told, mut letters) = mpsc::channel(8);
    let mut relay = relay(Keeps(Vec::new()));
    relay.dead_letters = Target::Told(told);
    relay.limits.drain = Duration::from_secs(1);
    let _summary = relay.run(vec![Running::new("queue", Cut)], std::future::ready(()), |_| {}).await;
    let mut found = Vec::new();
    while let Some(letter) = letters.recv().await {
        found.push((letter.kind, letter.index, letter.version_id));
    }
    let v1 = || Some("v1".to_owned());
    assert_eq!(found, [(LetterKind::Record, Some(0), v1()), (LetterKind::Object, Some(1), v1())]);
}

/// Gives one object read as a stream.
struct Streams(std::path::PathBuf);

impl Source for Streams {
    async fn run(self, intake: Intake) -> Result<(), SourceError> {
        let Intake { objects, mut released, .. } = intake;
        let origin = Origin { name: "stdin".to_owned(), account: None, sight: Sight::Named };
        let _sent = objects.send(Object { number: 0, origin, body: Body::Pipe(self.0), room: None, again: false }).await.is_ok();
        let _told = released.recv().await;
        Ok(())
    }
}

/// A day passes after every item; notes what time each bears.
struct Ages(Clock, Arc<std::sync::Mutex<Vec<i64>>>);

impl Outlet for Ages {
    fn put(&mut self, _: Lane, _: &[u8], time_ms: i64, piece: Piece) {
        self.1.lock().unwrap().push(time_ms);
        self.0.advance_to(self.0.now_ms() + 24 * 3_600_000);
        piece.settle(crate::ack::Settled::Delivered);
    }
    fn item_max(&self, _: Lane) -> usize {
        usize::MAX
    }
    fn flush(&mut self) {}
}

/// A stream may last for days: its records are as old as they are when they come, not when its first byte did.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_of_a_stream_is_judged_by_the_time_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stream");
    let days = ["2026-05-28T20:26:40Z", "2026-05-29T20:26:40Z", "2026-05-30T20:26:40Z"];
    let lines = days.iter().enumerate().map(|(at, day)| {
        RECORD.replace("2026-05-28T20:00:00Z", day).replace("\"eventID\":\"1\"", &format!("\"eventID\":\"{at}\"")) + "\n"
    });
    std::fs::write(&path, lines.collect::<String>()).unwrap();
    let seen = Arc::default();
    let mut relay = relay(Keeps(Vec::new()));
    relay.to = To::Outlet(Box::new(Ages(relay.clock.clone(), Arc::clone(&seen))));
    Arc::get_mut(&mut relay.stages).unwrap().refuse_late = true;
    let summary = relay.run(vec![Running::new("replay", Streams(path))], std::future::pending(), |_| {}).await;
    let (_, counts) = summary.sources.first().unwrap();
    assert_eq!((counts.ended(crate::ack::Outcome::Delivered), counts.refused_late), (3, 0), "{counts:?}");
    let times = seen.lock().unwrap().clone();
    assert_eq!(times, [0, 1, 2].map(|day| NOW + day * 24 * 3_600_000));
}

/// Says nothing, ever.
#[derive(Debug)]
struct Silent;

impl ConfigApi for Silent {
    fn rules<'a>(&'a self, _: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<DeployedRule>, ConfigApiError>> {
        Box::pin(std::future::pending())
    }

    fn evaluations<'a>(
        &'a self,
        _: &'a AccountRegion,
        _: &'a str,
        _: Each<'a, Evaluation>,
    ) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        Box::pin(std::future::pending())
    }

    fn failing_rules<'a>(&'a self, _: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<FailingRule>, ConfigApiError>> {
        Box::pin(std::future::pending())
    }

    fn packs<'a>(&'a self, _: &'a AccountRegion) -> BoxFuture<'a, Result<Vec<Pack>, ConfigApiError>> {
        Box::pin(std::future::pending())
    }

    fn calls(&self) -> Vec<(AccountRegion, Calls)> {
        Vec::new()
    }
}

/// S2-12: an agent that only reads AWS Config has no source whose end could be waited for.
#[tokio::test]
async fn without_sources_the_agent_that_reads_aws_config_runs_until_it_is_stopped() {
    let config = Config::stand_in("http://127.0.0.1:9", 1, crate::secret::Secret::new("key"));
    let endpoint = Endpoint::new(&config.new_relic, Duration::from_secs(1)).unwrap();
    let places = vec![AccountRegion::new("111122223333", "eu-west-1")];
    let mut relay = relay(Keeps(Vec::new()));
    relay.to = To::NewRelic { endpoint: Box::new(endpoint), patience: Patience::Endless };
    relay.posture = Some(Posture {
        counts: Arc::new(Counts::new("posture")),
        trouble: Arc::default(),
        standing: Arc::default(),
        kept: None,
        reader: Some(posture::Reader::Places { api: Arc::new(Silent), places, concurrency: 1 }),
        identities: None,
        reading: Duration::from_hours(1),
        summary: Duration::from_hours(1),
        pace: Arc::default(),
        begun: None,
    });
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut run = std::pin::pin!(relay.run(Vec::new(), async { drop(stopped.await) }, |_| {}));
    let early = tokio::time::timeout(Duration::from_millis(300), &mut run).await;
    assert!(early.is_err(), "it ended by itself: {early:?}");
    drop(stop);
    let ended = tokio::time::timeout(Duration::from_secs(20), run).await.expect("an end");
    assert!(ended.faults.is_empty(), "{:?}", ended.faults);
    assert_eq!(ended.sources.len(), 1, "the rows' own counters");
}
