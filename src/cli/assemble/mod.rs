//! Configuration → stages, targets and sources, the same for every command that moves records.

mod posture;

use std::sync::Arc;

pub(in crate::cli) use posture::{is_kept, posture};

use crate::ack::{Rollups, Seen};
use crate::classify::{Exceptions, Frameworks, RuleFault, RuleSet};
use crate::cli::exit::Stop;
use crate::clock::Clock;
use crate::config::{self, Config, SourceKind, StatePlace};
use crate::decode::Bounds;
use crate::deliver::park::Target;
use crate::enrich::{AccountNames, Enricher};
use crate::pipeline::Running;
use crate::pipeline::changes::{Changes, Rest};
use crate::pipeline::worker::Stages;
use crate::pipeline::worker::lateness::Lateness;
use crate::posture::{Compliance, Findings, NoveltyMemory};
use crate::source::aws;
use crate::source::event_queue::EventQueue;
use crate::source::trail_bucket::TrailBucket;
use crate::source::trouble::Trouble;

/// What differs between the commands.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own, made once per command")]
pub(in crate::cli) struct Manner {
    /// Notices are for the present only: the agent sends them, a replay does not.
    pub(in crate::cli) notices: bool,
    /// Records outside the ingest window go back instead of being filed under the present.
    pub(in crate::cli) refuse_late: bool,
    /// The state is written down: this agent may have to lead first.
    pub(in crate::cli) kept: bool,
    /// What becomes of configuration items that still wait when nothing more comes to read.
    pub(in crate::cli) rest: Rest,
    /// The clock follows the records: standard input has no newest record until it ends.
    pub(in crate::cli) follow: bool,
    /// Records come when they would have come in their time.
    pub(in crate::cli) lateness: Option<Lateness>,
}

/// The stages of a configuration.
pub(in crate::cli) fn stages(config: &Config, clock: Clock, manner: Manner) -> Result<Stages, Stop> {
    let (rules, faults) = RuleSet::load(&config.rules);
    let rules = rules.without_samples();
    say_rule_faults(&faults);
    let exceptions = exceptions(config, &rules)?;
    let accounts = match &config.accounts.file {
        None => AccountNames::default(),
        Some(path) => AccountNames::from_file(path).map_err(|error| Stop::usage(error.to_string(), None))?,
    };
    let accounts = accounts.awaited(config.accounts.organizations);
    let enricher = Enricher::new(accounts, &config.telemetry.time_zone).map_err(|error| Stop::usage(error.to_string(), None))?;
    let now_ms = clock.now_ms();
    let enricher = enricher.with_owner_tags(config.accounts.tags.owner.clone());
    let mut outputs = config.outputs;
    outputs.notices &= manner.notices;
    Ok(Stages {
        rules,
        exceptions,
        frameworks: frameworks(config)?,
        enricher: enricher.into(),
        watched: config.accounts.watched.clone(),
        findings: Arc::new(if manner.kept {
            Findings::kept(config.findings.clone())
        } else {
            Findings::in_memory(config.findings.clone())
        }),
        outputs,
        rollups: Rollups::new(outputs.metrics),
        bounds: Bounds { inflated: config.limits.inflated_bytes, record: config.limits.record_bytes },
        seen: Seen::new(config.limits.seen_records),
        compliance: Arc::new(
            if manner.kept { Compliance::kept() } else { Compliance::in_memory() }.notify(config.compliance_notify),
        ),
        clock,
        agent: agent_name(),
        refuse_late: manner.refuse_late,
        follow: manner.follow,
        lateness: manner.lateness,
        changes: changes(config, manner, now_ms),
        novelty: NoveltyMemory::live(config.novelty),
        quiet: false,
        scans: None,
    })
}

/// The agent looks for who changed what only where configuration items may come: nothing is kept of a trail alone.
fn changes(config: &Config, manner: Manner, now_ms: i64) -> Option<Arc<Changes>> {
    let wait = config.changes.wait?;
    let may_come = config.sources.iter().any(|source| matches!(source.kind, SourceKind::EventQueue { .. }));
    // What came before the start was another's to read; where state is shared, agents share the trail as long as they run.
    let known_since_ms = match (manner.rest, &config.state.place) {
        (Rest::Sent, _) => None,
        (Rest::Back, Some(StatePlace::S3 { .. })) => Some(i64::MAX),
        (Rest::Back, _) => Some(now_ms),
    };
    (may_come || manner.rest == Rest::Sent).then(|| Changes::new(wait, manner.rest, known_since_ms))
}

/// The exceptions of the configured file; what is doubtful in it is said.
fn exceptions(config: &Config, rules: &RuleSet) -> Result<Exceptions, Stop> {
    let Some(file) = &config.exceptions else { return Ok(Exceptions::default()) };
    let read = Exceptions::from_file(file, &config.telemetry.time_zone, rules);
    let (exceptions, doubts) = read.map_err(|error| Stop::usage(error.to_string(), None))?;
    for doubt in doubts {
        tracing::warn!("{}", doubt.in_file(file));
    }
    Ok(exceptions)
}

/// The framework numbers of the configured file; what is doubtful in it is said.
fn frameworks(config: &Config) -> Result<Frameworks, Stop> {
    let Some(file) = &config.frameworks else { return Ok(Frameworks::default()) };
    let (frameworks, doubts) = Frameworks::from_file(file).map_err(|error| Stop::usage(error.to_string(), None))?;
    for doubt in doubts {
        tracing::warn!("{}", doubt.in_file(file));
    }
    Ok(frameworks)
}

/// A bad company rule never stops the others; it is said, with its place.
fn say_rule_faults(faults: &[RuleFault]) {
    for fault in faults {
        tracing::error!("Rule left out: {fault}");
    }
}

/// Where dead letters go.
pub(in crate::cli) async fn target(settings: Option<&config::DeadLetters>) -> Target {
    match settings {
        None => Target::Nowhere,
        Some(config::DeadLetters::Folder(path)) => Target::Folder(path.clone()),
        Some(config::DeadLetters::S3 { bucket, prefix }) => {
            Target::S3 { client: aws::s3_client(&aws::load(None).await), bucket: bucket.clone(), prefix: prefix.clone() }
        }
        Some(config::DeadLetters::Queue { url }) => {
            let client = aws_sdk_sqs::Client::new(&aws::load(aws::region_of(url)).await);
            Target::Queue { client, url: url.clone() }
        }
    }
}

/// What is wrong with a source now, by its name.
type Troubles = Vec<(String, Arc<Trouble>)>;

/// The configured sources, ready to run, and where each tells what is wrong.
pub(in crate::cli) async fn sources(config: &Config, clock: &Clock) -> (Vec<Running>, Troubles) {
    let mut running = Vec::new();
    let mut troubles = Vec::new();
    for source in &config.sources {
        running.push(match &source.kind {
            SourceKind::TrailBucket { queue_url, region, buckets } => {
                let queue = aws::queue(queue_url, region.as_deref()).await;
                let bucket = aws::bucket(region.as_deref()).await;
                let trail = TrailBucket::new(queue, bucket, buckets.clone(), &config.limits, clock.clone());
                troubles.push((source.name.clone(), trail.trouble()));
                Running::new(&source.name, trail)
            }
            SourceKind::EventQueue { queue_url, region } => {
                let queue = aws::queue(queue_url, region.as_deref()).await;
                let bucket = aws::bucket(region.as_deref()).await;
                let events = EventQueue::new(queue, bucket, &config.limits, clock.clone());
                troubles.push((source.name.clone(), events.trouble()));
                Running::new(&source.name, events).led()
            }
        });
    }
    (running, troubles)
}

/// Host and a number made at start: two agents never share it.
fn agent_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "agent" } else { host.trim() };
    format!("{host}-{:06x}", fastrand::u32(..1 << 24))
}
