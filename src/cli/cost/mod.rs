//! `cspm-relay cost`: what past records would have cost in New Relic, and what each setting saves.
//!
//! In: past records, a configuration, a price. Out: bytes and rows by type, account and rule, for a month and in money, and what they
//! would be with other settings. What always holds: rows are made by the same pipeline as the agent's and counted as New Relic bills
//! them, as JSON (usage plan: billed bytes); nothing is sent; what the records do not tell (posture, heartbeats) is left to `check`.

mod meter;
mod report;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use super::args::{self, Format};
use super::assemble::{self, Manner};
use super::exit::{Exit, Stop};
use super::replay::Going;
use super::replay::look::{For, look};
use super::replay::signals::Signals;
use super::{block_on, print};
use crate::clock::Clock;
use crate::config::{Config, LogRecords, Need, Price, env};
use crate::health;
use crate::pipeline::worker::Stages;
use crate::pipeline::worker::lateness::Lateness;
use crate::source::replay::Input;
use meter::Meter;
use report::Cost;

/// Arguments of `cost`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files, folders, `s3://bucket/prefix`, or `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    inputs: Vec<OsString>,
    /// Configuration file; environment variables win over it
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What New Relic takes for a GB, as "0.40 USD" [default: cost.pricePerGb of the configuration]
    #[arg(long, value_name = "PRICE")]
    price: Option<String>,
    /// Accounts and rules that are shown, those that cost most
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    top: usize,
    /// How the result looks
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Name of the source.
const NAME: &str = "cost";

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let inputs = args::inputs(&args.inputs)?;
    let mut config = Config::load_for(Need::LOCAL, args.config.as_deref(), &env::Process)
        .map_err(|faults| Stop::usage(faults.to_string(), None))?;
    if let Some(text) = &args.price {
        let wrong = || Stop::usage(format!("--price {text:?}: not a price"), Some("write it as \"0.40 USD\"".to_owned()));
        config.price = Some(Price::parse(text).ok_or_else(wrong)?);
    }
    health::log::start(&config.telemetry)?;
    block_on(async {
        let signals = Signals::listen()?;
        let meter = Meter::default();
        let usage = meter.usage();
        let ended = measure(&config, &inputs, meter, &signals).await?;
        let cost = Cost::new(&usage.lock(), &config, args.top);
        print(&match args.format {
            Format::Text => cost.text(),
            Format::Json => serde_json::to_string_pretty(&cost.json())? + "\n",
        })?;
        super::replay::told(&ended.text(), "stdout", ended.stops())
    })
}

/// Puts the records through the pipeline into the meter. Every record is weighed as a log too, whatever the settings say: what other
/// settings would cost is part of the answer.
async fn measure(
    config: &Config,
    inputs: &[Input],
    meter: Meter,
    signals: &Signals,
) -> anyhow::Result<super::replay::report::Report> {
    let mut config = config.clone();
    config.dead_letters = None;
    config.outputs.metrics = false;
    config.outputs.notices = true;
    config.outputs.logs.records = LogRecords::All;
    config.outputs.logs.read_only = true;
    config.outputs.logs.thin = false;
    let clock = Clock::fixed(0);
    // Each record is of its own time: whatever is late is weighed as if it had come in time.
    let manner = Manner { notices: true, lateness: Some(Lateness::Fixed(0)), ..Manner::default() };
    let stages = Stages { agent: NAME.to_owned(), ..assemble::stages(&config, clock.clone(), manner)? };
    look(NAME, &stages, &config, inputs, (For::Correlations, None), signals).await?;
    Going::new(NAME, &config, inputs, Arc::new(stages), clock, signals).kept(Box::new(meter)).await
}

#[cfg(test)]
#[cfg(feature = "lab")]
mod tests {
    use super::super::past::tests::{config, folder};
    use super::*;

    /// A rule on several records is weighed, whatever the order of files.
    #[tokio::test]
    async fn correlations_are_weighed_whatever_the_order_of_files() {
        let folder = folder();
        let inputs = [Input::Path(folder.path().join("records"))];
        let signals = Signals::listen().expect("signals");
        let meter = Meter::default();
        let usage = meter.usage();
        measure(&config(folder.path()), &inputs, meter, &signals).await.expect("an end");
        let usage = usage.lock();
        let rows: Vec<(&str, u64)> = usage.rules.iter().map(|(rule, share)| (rule.as_str(), share.events.rows)).collect();
        assert_eq!(rows, [("many-refused", 1)]);
    }
}
