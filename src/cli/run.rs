//! `cspm-relay run`: the agent.

use std::path::PathBuf;

use tokio::task::JoinSet;

use super::assemble::{self, Manner};
use super::exit::{Exit, Stop};
use super::{block_on, count, stop_signal, summary};
use crate::clock::Clock;
use crate::config::{Config, env};
use crate::deliver::{Endpoint, Patience};
use crate::health;
use crate::health::probe::{Probe, Watched};
use crate::pipeline::{Relay, To};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Configuration file; environment variables win over it
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the agent until it is asked to stop.
pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let config = Config::load(args.config.as_deref(), &env::Process)
        .map_err(|faults| Stop::usage(faults.to_string(), Some("`cspm-relay check` repeats this, and more".to_owned())))?;
    health::log::start(&config.telemetry)?;
    block_on(agent(config))
}

async fn agent(config: Config) -> anyhow::Result<Exit> {
    let clock = Clock::system();
    let endpoint = Endpoint::new(&config.new_relic, config.limits.request_timeout)?;
    let relay = Relay {
        stages: assemble::stages(&config, clock.clone(), Manner { notices: true, ..Manner::default() })?,
        limits: config.limits.clone(),
        to: To::NewRelic { endpoint: Box::new(endpoint), patience: Patience::Endless },
        dead_letters: assemble::target(config.dead_letters.as_ref()).await,
        heartbeat: config.telemetry.heartbeat,
        clock: clock.clone(),
    };
    if let Some(doubt) = config.new_relic.key_doubt() {
        tracing::warn!("{doubt}");
    }
    if config.dead_letters.is_none() {
        tracing::warn!(
            "No deadLetters target: broken and refused records go back to the queue until its redrive policy takes them"
        );
    }
    let (sources, troubles) = assemble::sources(&config, &clock).await;
    let probe = Probe::bind(&config.health).await?;
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
    let ended = relay
        .run(sources, stop_signal(), |watch| {
            if let Some(probe) = probe {
                probing.spawn(probe.serve(Watched { watch, troubles }));
            }
        })
        .await;
    probing.abort_all();
    summary::log(&ended);
    Ok(if ended.faults.is_empty() { Exit::Good } else { Exit::Failed })
}
