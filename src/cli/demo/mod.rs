//! `cspm-relay demo`: AWS records through the real agent to a local New Relic stand-in, over HTTP.
//!
//! What is shown comes from the stand-in, not from the agent: what New Relic would hold; in the browser from the first record on,
//! and as tables at the end. No account, no key, no network. Agent and stand-in share a clock that follows the records, so that
//! weeks pass in seconds and nothing is late.

mod alerts;
mod aws;
mod bundle;
mod files;
mod iam;
mod posture;
mod preventive;
mod trouble;
mod view;

use std::cell::Cell;
use std::convert::Infallible;
use std::io::IsTerminal as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::assemble::{self, Manner};
use super::exit::{Exit, Stop};
use super::{print, runtime, stop_signal, summary};
use crate::ack::{Counts, Outcome, Verdict};
use crate::clock::Clock;
use crate::config::{self, Config, Environment as _, LogRecords, Telemetry, env};
use crate::deliver::park::Target;
use crate::deliver::{Endpoint, Patience};
use crate::enrich::AccountNames;
use crate::health;
use crate::lab::backend::{ACCOUNT_ID, Backend, BackendSettings, LICENSE_KEY};
use crate::lab::engine;
use crate::lab::preview::alerts::Arrived;
use crate::lab::preview::{self, Answers, Arrival, FromStore, Language, Preview, StartError};
use crate::pipeline::posture::identity::Identities;
use crate::pipeline::posture::{Pace, Posture, Reader};
use crate::pipeline::{Relay, Running, To};
use crate::posture::Terms;
use crate::secret::Secret;
pub(super) use bundle::records as bundled_records;

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Send at full speed and end when everything has arrived, instead of pausing between files and staying to be asked
    #[arg(long)]
    once: bool,
}

/// What the source of the records is called.
const SOURCE: &str = "demo";

/// Time between two files when somebody watches.
const PACE: Duration = Duration::from_millis(250);

/// Time between two looks of those who work by the clock: it jumps from turn to turn.
const LOOK: Duration = Duration::from_millis(1);

/// Time between two heartbeats: five weeks have some hundred.
const BEAT: Duration = Duration::from_millis(250);

/// Time between two sendings of counts, and two looks for exceptions that have ended: about a turn of the clock, so that each is of
/// the day on which it was counted.
const TURN: Duration = Duration::from_millis(20);

/// Where the dashboards are, when the port is free: an address that can be kept.
const PORT: u16 = 8480;

/// What the agent says of itself. The exception that ends is told every day of five weeks; the summary tells it once.
const LOG: &str = "warn,cspm_relay::pipeline::expiry=error";

/// Time between two steps of the clock at the end.
const TICK: Duration = Duration::from_secs(1);

/// Oldest age of an event that waits for its batch to fill.
const FLUSH_AFTER: Duration = Duration::from_millis(100);

/// Runs the demo.
pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    health::log::start(&Telemetry { log_level: LOG.to_owned(), ..Telemetry::default() })?;
    runtime()?.block_on(demo(args.once))
}

async fn demo(once: bool) -> anyhow::Result<Exit> {
    let now_ms = Clock::system().now_ms();
    let clock = Clock::fixed(now_ms - posture::SPAN_MS);
    let settings = BackendSettings { clock: clock.clone(), ..BackendSettings::default() };
    let backend = Backend::start(settings).await.map_err(|error| Stop::usage(error.to_string(), None))?;
    trouble::plan(&backend);
    let url = backend.url();
    let pace = Arc::new(Pace::of(LOOK));
    let relay = relay(&url, &clock, now_ms, &pace)?;
    let stages = Arc::clone(&relay.stages);
    let arrival = Arrival::default();
    let preview = if once { None } else { Some(dashboards(&backend, &clock, arrival.clone()).await?) };
    let shown = preview.as_ref().map(|preview| format!("Dashboards on {}\n", preview.url())).unwrap_or_default();
    print(&format!(
        "New Relic stand-in on {url}\n{shown}{} detective controls; real CloudTrail records, moved to the last twenty hours\n\
         Before them five weeks of copies, and of AWS Config, Security Hub, GuardDuty, Inspector, Macie, Access Analyzer and IAM, \
         made for the demo\n\
         One file is cut off, one event never comes, one exception ends and one log is lost after New Relic's yes: that is how it \
         looks when it happens\n\n\
         Detections of severity CRITICAL and HIGH, as the stand-in accepts them:\n",
        relay.stages.rules.rules().len()
    ))?;
    let between = if once { Duration::ZERO } else { PACE };
    let turns = bundle::Turns { clock: clock.clone(), pace };
    let bundle = bundle::Bundle::new(now_ms, between, turns).map_err(|error| Stop::failed(error.to_string(), None))?;
    let (delays, objects) = (bundle.delays(), bundle.len());
    let source = Running::new(SOURCE, bundle);
    let mut feed = view::Feed::new(backend.store(), std::io::stdout().is_terminal());
    // One signal ends the demo wherever it is, so it is listened to from here to the end.
    let mut stop = std::pin::pin!(stop_signal());
    let stopped = Cell::new(false);
    let stopping = async {
        stop.as_mut().await;
        stopped.set(true);
    };
    let ended = tokio::select! {
        ended = relay.run(vec![source], stopping, |_| {}) => ended,
        Err(error) = feed.run() => return Err(error),
    };
    arrival.whole();
    // What was accepted after the feed's last look.
    print(&feed.news())?;
    // A reading that a stop cuts short is made again by whoever reads next: only what came in must be whole then.
    let counted = ended.sources.iter().filter(|(name, _)| !stopped.get() || name == SOURCE);
    let whole = counted
        .map(|(_, counts)| counts)
        .all(|counts| counts.adds_up() && counts.ended(Outcome::Returned) == 0 && counts.objects_ended(Verdict::Returned) == 0);
    let sent = ended.sources.iter().filter(|(name, _)| name == SOURCE).map(|(_, counts)| counts.objects_received).sum();
    let cut_short = stopped.get().then(|| cut_short(sent, objects as u64, whole)).flatten();
    if let Some(what) = &cut_short {
        print(&format!("\n{what}\n"))?;
    }
    print(&view::summary(&backend.store(), &stages.compliance, &delays.sorted()))?;
    print(&summary::text(&ended, summary::adds_up(&ended)))?;
    if let Some(what) = &cut_short {
        print(&format!("\n{what}\n"))?;
    }
    if !once && whole && !stopped.get() {
        print(&format!("\n{shown}The stand-in still answers on {url}/stand-in/summary; Ctrl-C ends both.\n"))?;
        tokio::select! {
            () = stop => {}
            never = goes_on(&clock) => match never {},
        }
    }
    drop(preview);
    backend.stop().await;
    Ok(if whole { Exit::Good } else { Exit::Failed })
}

/// The dashboards in the browser, on what the stand-in accepts.
async fn dashboards(backend: &Backend, clock: &Clock, arrival: Arrival) -> anyhow::Result<Preview> {
    let is_japanese =
        ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| env::Process.get(name).filter(|text| !text.is_empty()));
    let is_japanese = is_japanese.is_some_and(|text| text.to_string_lossy().starts_with("ja"));
    let (rows, engine) = (backend.store().columns(), engine::Settings::default());
    let mut alerts = super::preview::alerts_on(None, rows.clone(), Arrived::AsStored, engine.clone())?;
    alerts::remark(&mut alerts);
    let settings = preview::Settings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
        dashboards: super::preview::shipped(None)?,
        language: if is_japanese { Language::Japanese } else { Language::English },
        zones: super::preview::zones()?,
        clock: clock.clone(),
        live: Some(arrival),
        mask: None,
        alerts: Some(alerts),
    };
    let answers: Arc<dyn Answers> = Arc::new(FromStore::new(rows, engine));
    let started = match Preview::start(settings.clone(), Arc::clone(&answers)).await {
        // Another demo is running.
        Err(StartError::Listen { .. }) => {
            let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            Preview::start(preview::Settings { listen, ..settings }, answers).await
        }
        started => started,
    };
    Ok(started.map_err(|error| Stop::usage(error.to_string(), None))?)
}

/// Time goes on as it does elsewhere, for as long as somebody looks.
async fn goes_on(clock: &Clock) -> Infallible {
    loop {
        clock.advance_to(Clock::system().now_ms());
        tokio::time::sleep(TICK).await;
    }
}

/// The agent, as it sends to a stand-in, on a clock that follows the records.
fn relay(url: &str, clock: &Clock, now_ms: i64, pace: &Arc<Pace>) -> anyhow::Result<Relay> {
    let mut config = Config::stand_in(url, ACCOUNT_ID, Secret::new(LICENSE_KEY));
    config.outputs.logs.records = LogRecords::All;
    // One worker keeps the order; each half day of the past waits for its answers.
    config.limits.workers = 1;
    config.limits.flush_after = FLUSH_AFTER;
    let endpoint = Endpoint::new(&config.new_relic, config.limits.request_timeout)?;
    let manner = Manner { notices: true, follow: true, ..Manner::default() };
    let mut stages = assemble::stages(&config, clock.clone(), manner)?;
    stages.exceptions = files::exceptions(now_ms, &config.telemetry.time_zone, &stages.rules)?;
    stages.frameworks = files::frameworks(now_ms)?;
    stages.enricher.rename(AccountNames::default().with(posture::account_names()));
    Ok(Relay {
        stages: Arc::new(stages),
        limits: config.limits.clone(),
        to: To::NewRelic { endpoint: Box::new(endpoint), patience: Patience::GiveUp },
        // What is cut off is bundled whole: nothing is lost with its letter.
        dead_letters: Target::Discard,
        heartbeat: Some(BEAT),
        rollups: TURN,
        expiry: Some(TURN),
        posture: Some(leads(now_ms, clock, pace)),
        clock: clock.clone(),
    })
}

/// What the agent reads beside the events: AWS Config and IAM.
fn leads(now_ms: i64, clock: &Clock, pace: &Arc<Pace>) -> Posture {
    let aws = Arc::new(aws::Aws::of(&posture::weeks(now_ms), clock));
    let places = aws.places();
    let settings = config::Posture::of_region("us-east-1");
    let identity = config::Identity::of_region("us-east-1");
    Posture {
        counts: Arc::new(Counts::new("posture")),
        trouble: Arc::default(),
        standing: Arc::default(),
        kept: None,
        identities: Some(Identities {
            api: Arc::new(iam::Iam(clock.clone())),
            accounts: places.iter().map(|place| place.account.clone()).collect(),
            aggregator: None,
            interval: identity.interval,
            terms: Terms {
                unused_days: identity.unused_days,
                key_max_age_days: identity.key_max_age_days,
                owner_tags: vec!["owner".to_owned()],
            },
            last_accessed: true,
        }),
        reader: Some(Reader::Places { api: aws, places, concurrency: 1 }),
        reading: settings.interval,
        // As often as the clock of the past stops.
        summary: Duration::from_millis(bundle::PAST_MS.unsigned_abs()),
        pace: Arc::clone(pace),
        begun: None,
    }
}

/// What a stop left out, said before and after the numbers; `None`: nothing.
fn cut_short(sent: u64, objects: u64, whole: bool) -> Option<String> {
    let arrived = if whole { "all of which has arrived" } else { "not all of which has arrived" };
    (sent < objects)
        .then(|| format!("Stopped after {sent} of {objects} objects: these are the numbers of what was sent, {arrived}"))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;
    use crate::encode::dictionary::{COMPLIANCE_CHANGE, FINDING, RESOURCE_CHANGE};

    const NOW_MS: i64 = 1_795_292_071_000;

    /// The compliant and the violating ones of rules and of resources, counted from the events alone.
    fn expected() -> [(u64, u64); 2] {
        let mut last: BTreeMap<[String; 4], String> = BTreeMap::new();
        for event in posture::weeks(NOW_MS) {
            let detail = &event.envelope["detail"];
            let text = |name: &str| detail[name].as_str().unwrap().to_owned();
            if event.envelope["detail-type"] == "Config Rules Compliance Change" {
                let key = ["awsAccountId", "configRuleName", "resourceType", "resourceId"].map(text);
                last.insert(key, detail["newEvaluationResult"]["complianceType"].as_str().unwrap().to_owned());
            }
        }
        let count = |parts: [usize; 3]| {
            let of = |wanted: &str| -> BTreeSet<[&str; 3]> {
                let held = last.iter().filter(|(_, state)| *state == wanted);
                held.map(|(key, _)| parts.map(|part| key[part].as_str())).collect()
            };
            let violating = of("NON_COMPLIANT");
            (of("COMPLIANT").difference(&violating).count() as u64, violating.len() as u64)
        };
        [count([0, 1, 1]), count([0, 2, 3])]
    }

    /// The findings that are open at the end, counted from the events alone.
    fn expected_open() -> u64 {
        let mut open: BTreeMap<String, bool> = BTreeMap::new();
        for event in posture::weeks(NOW_MS) {
            let detail = &event.envelope["detail"];
            let (id, is_open) = match &detail["findings"][0] {
                Value::Null
                    if ["configRuleName", "configurationItem", "insightArn"].iter().any(|name| detail.get(*name).is_some()) =>
                {
                    continue;
                }
                Value::Null => (detail.get("findingArn").unwrap_or(&detail["id"]), detail["status"] != "CLOSED"),
                finding => (&finding["Id"], finding["Compliance"]["Status"] == "FAILED"),
            };
            open.insert(id.as_str().unwrap().to_owned(), is_open);
        }
        open.values().filter(|is_open| **is_open).count() as u64
    }

    /// S2: the preventive view says what AWS said, whole, in order and never late.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_the_stand_in_holds_at_the_end_is_what_the_events_say() {
        let clock = Clock::fixed(NOW_MS - posture::SPAN_MS);
        let settings = BackendSettings { clock: clock.clone(), ..BackendSettings::default() };
        let backend = Backend::start(settings).await.unwrap();
        trouble::plan(&backend);
        let pace = Arc::new(Pace::of(LOOK));
        let relay = relay(&backend.url(), &clock, NOW_MS, &pace).unwrap();
        let stages = Arc::clone(&relay.stages);
        let turns = bundle::Turns { clock, pace };
        let bundle = bundle::Bundle::new(NOW_MS, Duration::ZERO, turns).unwrap();
        let told = bundle.count("ConfigurationItemChangeNotification");
        let source = Running::new(SOURCE, bundle);
        let ended = relay.run(vec![source], std::future::pending(), |_| {}).await;
        let (_, counts) = &ended.sources[0];
        assert_eq!(counts.records_received, counts.ended(Outcome::Delivered), "{counts:?}");
        let store = backend.store();
        assert!(store.violations().is_empty(), "{:?}", store.violations());
        let standing = preventive::Standing::of(&store.rows(COMPLIANCE_CHANGE));
        let seen = [standing.rules, standing.resources].map(|tally| (tally.compliant, tally.violating));
        assert_eq!(seen, expected());
        assert!(preventive::summary(&store, &stages.compliance).contains("The agent's own state says the same\n"));
        let open = preventive::open_findings(&store.rows(FINDING));
        assert_eq!(open.values().flatten().sum::<u64>(), expected_open());
        assert_eq!(open.len(), 5, "{open:?}");
        for kind in [COMPLIANCE_CHANGE, FINDING, RESOURCE_CHANGE, "Log"] {
            assert!(store.rows(kind).iter().all(|row| row["relay.late"] == "false"), "{kind}");
        }
        assert_eq!(trouble::lost(&store, &["Log"]), 1, "what was to be lost");
        let changes = store.rows(RESOURCE_CHANGE);
        assert_eq!(changes.len(), told);
        let days: BTreeSet<_> =
            changes.iter().map(|row| row["event.time"].as_i64().unwrap() / crate::record::time::DAY_MS).collect();
        assert!(days.len() > 7, "changes on more days than one: {days:?}");
        for row in &changes {
            let (confidence, is_unseen) = (&row["change.actorConfidence"], row["aws.accountId"] == "444455556666");
            assert_eq!(confidence == "none", is_unseen, "{row:?}");
            assert!(is_unseen || confidence == "certain" || confidence == "likely", "{row:?}");
        }
        backend.stop().await;
    }
}
