//! `cspm-relay demo`: bundled AWS records through the real agent to a local New Relic stand-in, over HTTP.
//!
//! What is shown comes from the stand-in, not from the agent: what New Relic would hold. No account, no key, no network.

mod bundle;
mod view;

use std::io::IsTerminal as _;
use std::time::Duration;

use super::assemble::{self, Manner};
use super::exit::{Exit, Stop};
use super::{print, runtime, stop_signal, summary};
use crate::ack::{Outcome, Verdict};
use crate::clock::Clock;
use crate::config::{Config, LogRecords, Telemetry};
use crate::deliver::park::Target;
use crate::deliver::{Endpoint, Patience};
use crate::health;
use crate::lab::backend::{ACCOUNT_ID, Backend, BackendSettings, LICENSE_KEY};
use crate::pipeline::{Relay, Running, To};
use crate::secret::Secret;

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Send at full speed and end when everything has arrived
    #[arg(long)]
    once: bool,
}

/// Time between two files when somebody watches.
const PACE: Duration = Duration::from_millis(250);

/// Runs the demo.
pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    health::log::start(&Telemetry { log_level: "warn".to_owned(), ..Telemetry::default() })?;
    runtime()?.block_on(demo(args.once))
}

async fn demo(once: bool) -> anyhow::Result<Exit> {
    let clock = Clock::system();
    let settings = BackendSettings { clock: clock.clone(), ..BackendSettings::default() };
    let backend = Backend::start(settings).await.map_err(|error| Stop::failed(error.to_string(), None))?;
    let url = backend.url();
    let mut config = Config::stand_in(&url, ACCOUNT_ID, Secret::new(LICENSE_KEY));
    config.outputs.logs.records = LogRecords::All;
    let endpoint = Endpoint::new(&config.new_relic, config.limits.request_timeout)?;
    let relay = Relay {
        stages: assemble::stages(&config, clock.clone(), Manner { notices: true, ..Manner::default() })?,
        limits: config.limits.clone(),
        to: To::NewRelic { endpoint: Box::new(endpoint), patience: Patience::GiveUp },
        dead_letters: Target::Nowhere,
        heartbeat: Some(Duration::from_secs(5)),
        clock: clock.clone(),
    };
    print(&format!(
        "New Relic stand-in on {url}\n{} detective controls; real CloudTrail records, moved to the last twenty hours\n\n",
        relay.stages.rules.rules().len()
    ))?;
    let pace = if once { Duration::ZERO } else { PACE };
    let source = Running::new("demo", bundle::Bundle { now_ms: clock.now_ms(), pace });
    let live = tokio::spawn(view::live(backend.store(), std::io::stdout().is_terminal()));
    let ended = relay.run(vec![source], stop_signal(), |_| {}).await;
    live.abort();
    // Cancelled on purpose; a panic in it would be said by the runtime.
    let _cancelled = live.await.is_err();
    print(&view::summary(&backend.store()))?;
    print(&summary::text(&ended))?;
    let whole = ended.sources.iter().all(|(_, counts)| {
        counts.adds_up() && counts.ended(Outcome::Returned) == 0 && counts.objects_ended(Verdict::Returned) == 0
    });
    if !once && whole {
        print(&format!("\nThe stand-in still answers on {url}/stand-in/summary; Ctrl-C ends it.\n"))?;
        stop_signal().await;
    }
    backend.stop().await;
    Ok(if whole { Exit::Good } else { Exit::Failed })
}
