//! `cspm-relay run`: the agent.

use tokio::task::JoinSet;

use std::cell::RefCell;
use std::sync::Arc;

use super::accounts;
use super::args::AgentFile;
use super::assemble::{self, Manner};
use super::exit::{Exit, Stop};
use super::{block_on, count, stop_signal, summary, writable};
use crate::ack::counts::Snapshot;
use crate::ack::{Counts, Outcome, Verdict};
use crate::clock::Clock;
use crate::config::{Config, Health, env};
use crate::deliver::{Endpoint, Patience};
use crate::health;
use crate::health::probe::{Probe, Waits, Watched};
use crate::pipeline::changes::Rest;
use crate::pipeline::{EXPIRY_LOOK, Relay, To};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    file: AgentFile,
}

/// Runs the agent until it is asked to stop.
pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let config = args.file.load(&env::Process)?;
    writable::check(config.dead_letters.as_ref())?;
    health::log::start(&config.telemetry)?;
    block_on(agent(config))
}

async fn agent(config: Config) -> anyhow::Result<Exit> {
    let clock = Clock::system();
    let endpoint = Endpoint::new(&config.new_relic, config.limits.request_timeout)?;
    let stages = assemble::stages(
        &config,
        clock.clone(),
        Manner { notices: true, kept: assemble::is_kept(&config), rest: Rest::Back, ..Manner::default() },
    )?;
    let need = accounts::Need::of(&config.accounts, &stages);
    let begin = accounts::Begin::new(need);
    // Without a need nothing waits, and nobody is told of it.
    let begun = (!need.is_nothing()).then(|| begin.watch());
    let mut posture = assemble::posture(&config, &stages.agent).await?;
    if let Some(posture) = &mut posture {
        posture.begun.clone_from(&begun);
    }
    let relay = Relay {
        stages: Arc::new(stages),
        limits: config.limits.clone(),
        to: To::NewRelic { endpoint: Box::new(endpoint), patience: Patience::Endless },
        dead_letters: assemble::target(config.dead_letters.as_ref()).await,
        heartbeat: config.telemetry.heartbeat,
        rollups: crate::pipeline::rollups::EVERY,
        expiry: Some(EXPIRY_LOOK),
        posture,
        clock: clock.clone(),
    };
    for doubt in config.new_relic.key_doubts() {
        tracing::warn!("{doubt}");
    }
    if config.dead_letters.is_none() {
        tracing::warn!(
            "No deadLetters target: broken and refused records go back to the queue until its redrive policy takes them; \
             CSPM_RELAY_DEAD_LETTERS names a place for them"
        );
    }
    let (mut sources, troubles) = assemble::sources(&config, &clock).await;
    if let Some(begun) = &begun {
        sources = sources.into_iter().map(|source| source.once(begun.clone())).collect();
    }
    let probe = Probe::bind(&config.health).await.map_err(|error| Stop::usage(error.to_string(), elsewhere(&config.health)))?;
    let counts: Vec<Arc<Counts>> = sources.iter().map(|source| Arc::clone(source.counts())).collect();
    let at_stop = RefCell::new(Vec::new());
    let stop = stop_signal();
    let stopping = async {
        stop.await;
        at_stop.replace(counts.iter().map(|counts| counts.snapshot()).collect::<Vec<Snapshot>>());
    };
    tracing::info!(
        version = crate::encode::event::VERSION,
        agent = relay.stages.agent,
        rules = relay.stages.rules.rules().len(),
        sources = sources.len(),
        "Started with {} and {}",
        count(relay.stages.rules.rules().len(), "rule"),
        count(sources.len(), "source")
    );
    let mut probing = JoinSet::new();
    let mut naming = JoinSet::new();
    if config.accounts.organizations {
        let settings = config.accounts.clone();
        naming.spawn(accounts::follow(Arc::clone(&relay.stages), settings, accounts::region(&config), begin));
    }
    let waits = begun.map(|begun| Waits { begun, why: need.why() });
    let ended = relay
        .run(sources, stopping, |watch| {
            if let Some(probe) = probe {
                probing.spawn(probe.serve(Watched { watch, troubles, waits }));
            }
        })
        .await;
    probing.abort_all();
    naming.abort_all();
    summary::log(&ended);
    for ((name, after), before) in ended.sources.iter().zip(at_stop.take()) {
        if let Some(what) = went_back(name, &before, after) {
            tracing::warn!(source = name, "{what}");
        }
    }
    Ok(if ended.faults.is_empty() { Exit::Good } else { Exit::Failed })
}

/// What to do when the place of the health checks cannot be had.
fn elsewhere(health: &Health) -> Option<String> {
    let (key, variable, what) = match health {
        Health::Off => return None,
        Health::Port(_) => ("health.port", "CSPM_RELAY_HEALTH_PORT", "port"),
        Health::Socket(_) => ("health.socket", "CSPM_RELAY_HEALTH_SOCKET", "socket"),
    };
    Some(format!("each agent on a machine needs a {what} of its own: {key} or {variable} names another"))
}

/// What was not sent when the agent was stopped, between these two moments; `None`: everything was.
fn went_back(source: &str, before: &Snapshot, after: &Snapshot) -> Option<String> {
    let records = after.ended(Outcome::Returned).saturating_sub(before.ended(Outcome::Returned));
    let objects = after.objects_ended(Verdict::Returned).saturating_sub(before.objects_ended(Verdict::Returned));
    if records == 0 && objects == 0 {
        return None;
    }
    let [records, objects] = [(records, "record"), (objects, "object")].map(|(number, noun)| count(number, noun));
    Some(format!(
        "Stopped before everything was sent: {records} in {objects} went back to source {source}, which offers them again; \
         nothing is lost"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_back_since_the_stop_is_told_and_nothing_else() {
        let snapshot = |records: u64, objects: u64| {
            let mut snapshot = Counts::new("trail").snapshot();
            if let Some(returned) = Outcome::ALL.iter().position(|outcome| *outcome == Outcome::Returned) {
                snapshot.records[returned] = records;
            }
            if let Some(returned) = Verdict::ALL.iter().position(|verdict| *verdict == Verdict::Returned) {
                snapshot.objects[returned] = objects;
            }
            snapshot
        };
        assert_eq!(went_back("trail", &snapshot(5, 2), &snapshot(5, 2)), None, "what went back before is no news");
        let told = went_back("trail", &snapshot(5, 2), &snapshot(6, 5)).expect("something went back");
        assert!(told.contains(": 1 record in 3 objects went back to source trail,"), "{told}");
    }
}
