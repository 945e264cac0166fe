//! `cspm-relay stand-in`: the local New Relic stand-in on its own.

use super::exit::{Exit, Stop};
use super::{FREE_PORT, print, runtime, stop_signal};
use crate::clock::Clock;
use crate::config::Telemetry;
use crate::health;
use crate::lab::backend::{ACCOUNT_ID, Backend, BackendArgs, LICENSE_KEY};

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
        let backend = backend.await.map_err(|error| Stop::usage(error.to_string(), Some(FREE_PORT.to_owned())))?;
        let url = backend.url();
        print(&greeting(&url, &args.backend))?;
        stop_signal().await;
        backend.stop().await;
        Ok(Exit::Good)
    })
}

/// Where it is, what it holds, and how to use it, as lines to be copied.
fn greeting(url: &str, stand_in: &BackendArgs) -> String {
    let BackendArgs { account_id, license_key, user_key, .. } = stand_in;
    // `replay --to URL` has the account and key of a stand-in that was told nothing else.
    let known = *account_id == ACCOUNT_ID && license_key == LICENSE_KEY;
    let replay = if known {
        format!(
            "To send it past records, those too that are older than New Relic takes:\n  cspm-relay replay --to {url} --restamp PATH\n\n"
        )
    } else {
        String::new()
    };
    let commands = if known { "`run` and `doctor newrelic`" } else { "`run`, `doctor newrelic` and `replay --to newrelic`" };
    format!(
        "New Relic stand-in on {url}\n  account {account_id}, licence key {license_key}\n  \
         what it holds: {url}/stand-in/summary  {url}/stand-in/ids?type=AwsSecurityEvent\n\n\
         {replay}For {commands}:\n  \
         export NEW_RELIC_INSIGHTS_BASE_URL={url}\n  export NEW_RELIC_LOGS_BASE_URL={url}\n  \
         export NEW_RELIC_OTLP_BASE_URL={url}\n  export NEW_RELIC_NERDGRAPH_BASE_URL={url}\n  export NEW_RELIC_ACCOUNT_ID={account_id}\n  \
         export NEW_RELIC_LICENSE_KEY={license_key}\n  export NEW_RELIC_API_KEY={user_key}\n"
    )
}
