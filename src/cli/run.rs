//! `cspm-relay run`: the agent.

use tokio::task::JoinSet;

use super::args::ConfigFile;
use super::assemble::{self, Manner};
use super::exit::Exit;
use super::{block_on, count, stop_signal, summary};
use crate::clock::Clock;
use crate::config::{Config, Need, env};
use crate::deliver::{Endpoint, Patience};
use crate::health;
use crate::health::probe::{Probe, Watched};
use crate::pipeline::{Relay, To};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    file: ConfigFile,
}

/// Runs the agent until it is asked to stop.
pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let config = args.file.load(Need::RUN, &env::Process)?;
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
            "No deadLetters target: broken and refused records go back to the queue until its redrive policy takes them; \
             CSPM_RELAY_DEAD_LETTERS names a place for them"
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
