//! `cspm-relay stand-in`: the local New Relic stand-in on its own.

use super::exit::{Exit, Stop};
use super::{print, runtime, stop_signal};
use crate::clock::Clock;
use crate::config::Telemetry;
use crate::health;
use crate::lab::backend::{Backend, BackendArgs};

/// Arguments of `stand-in`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    backend: BackendArgs,
}

/// Serves until it is asked to stop.
pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    health::log::start(&Telemetry::default())?;
    runtime()?.block_on(async {
        let backend = Backend::start(args.backend.settings(Clock::system()));
        let backend = backend.await.map_err(|error| Stop::usage(error.to_string(), None))?;
        let url = backend.url();
        print(&format!(
            "New Relic stand-in on {url}\n  account {}, licence key {}\n  what it holds: {url}/stand-in/summary  {url}/stand-in/ids?type=AwsSecurityEvent\n",
            args.backend.account_id, args.backend.license_key
        ))?;
        stop_signal().await;
        backend.stop().await;
        Ok(Exit::Good)
    })
}
