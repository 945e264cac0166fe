//! `check`: is the configuration good, and what will it do?
//!
//! In: a configuration, as the agent would read it. Out: everything that is wrong with it, or what it does: sources, outputs,
//! rules, names of accounts, dead letters, hosts, and how much New Relic will count in a month. What always holds: it opens no
//! connection, changes nothing, and no key is printed. Whether keys and permissions work is for `doctor`.
//!
//! Its exit code is 2 when `run` would refuse to start, 1 when `run` would start and leave rules out.

mod accounts;
mod examined;
mod known;

use std::path::Path;

use serde_json::{Value, json};

use super::args::{AgentFile, Format};
use super::count;
use super::exit::Exit;
use crate::config::estimate::{Estimate, FREE_BYTES, Fleet, Inventory, RECORDS_PER_ACCOUNT_DAY, Volume, estimate};
use crate::config::queue_url::QueueUrl;
use crate::config::{
    Config, DeadLetters, Fault, Faults, Files, Health, LogRecords, Need, NewRelic, Place, Source, SourceKind, env, example,
    options,
};
use crate::deliver::http::base_url;
use crate::encode::Lane;
use crate::health::probe::place;
use examined::Examined;

/// Above this a drain may not end before ECS kills the task: 30 s by default, less the time to hand back.
const DRAIN_SECONDS: u64 = 28;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    file: AgentFile,
    /// Print a complete, commented configuration file
    #[arg(long, conflicts_with_all = ["path", "config", "options", "format", "records_per_day"])]
    example: bool,
    /// Print the table of all options, as Markdown
    #[arg(long, conflicts_with_all = ["path", "config", "format", "records_per_day"])]
    options: bool,
    #[arg(
        long,
        value_name = "N",
        help = "CloudTrail records a day, all accounts together, for the estimate [default: 500000 for each account in the accounts file]"
    )]
    records_per_day: Option<u64>,
    /// How the result looks
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    if args.example || args.options {
        super::print(&if args.example { example::example() } else { options::markdown() })?;
        return Ok(Exit::Good);
    }
    let (config, files) = Config::examine(Need::RUN, args.file.path().as_deref(), &env::Process);
    let (text, exit) = match config {
        Err(faults) => (refusal(&faults, &files, args.format)?, Exit::Usage),
        Ok(config) => {
            let report = Report::of(&config, &files, args.records_per_day);
            let text = match args.format {
                Format::Text => report.text(&config),
                Format::Json => pretty(&report.json(&config))?,
            };
            (text, report.exit())
        }
    };
    super::print(&text)?;
    Ok(exit)
}

fn pretty(value: &Value) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// The faults of a configuration that is not one, and those of the files that it names.
fn refusal(faults: &Faults, files: &Files, format: Format) -> Result<String, serde_json::Error> {
    let found = Examined::of(files, "UTC");
    match format {
        Format::Text => Ok(format!("{faults}\n{}", found.text())),
        Format::Json => {
            let list: Vec<Value> = faults.list().iter().map(fault).chain(found.faults()).collect();
            pretty(&json!({ "valid": false, "faults": list, "rules": { "faults": found.rule_faults() } }))
        }
    }
}

fn fault(fault: &Fault) -> Value {
    let (line, variable) = match &fault.place {
        Place::Line(line) => (Some(line), None),
        Place::Variable(name) => (None, Some(name)),
        Place::Nowhere => (None, None),
    };
    json!({
        "path": fault.path, "line": line, "variable": variable,
        "what": fault.what, "was": fault.was, "allowed": fault.allowed, "hint": fault.hint,
    })
}

/// What a good configuration does.
struct Report {
    found: Examined,
    warnings: Vec<String>,
    estimate: Estimate,
    /// What the estimate is for, when nobody counted.
    assumed: Option<String>,
    /// Where AWS Config is read.
    fleet: Option<Fleet>,
}

impl Report {
    fn of(config: &Config, files: &Files, records_per_day: Option<u64>) -> Self {
        let mut found = Examined::of(files, &config.telemetry.time_zone);
        let mut warnings = warnings(config);
        warnings.append(&mut found.doubts);
        // What is read of AWS Config has heartbeats of its own.
        let sources = config.sources.len() as u64 + u64::from(config.posture.is_some());
        let reads_trail = config.sources.iter().any(|source| matches!(source.kind, SourceKind::TrailBucket { .. }));
        // Whoever says how many records there are, and no names, says with it about how many accounts an aggregator has.
        let of_records = || records_per_day.map_or(1, |records| records.div_ceil(RECORDS_PER_ACCOUNT_DAY).max(1));
        let named = found.accounts.as_ref().and_then(|names| names.as_ref().ok());
        let named = named.map_or_else(of_records, |names| (*names as u64).max(1));
        let fleet = config.posture.as_ref().map(|posture| Fleet::of(posture, named));
        let inventory = config.identity.as_ref().map(|identity| Inventory::of(identity, named));
        let guess = |accounts: String| format!("{accounts} at {RECORDS_PER_ACCOUNT_DAY} records a day each, a guess");
        let (volume, assumed) = match (records_per_day, &found.accounts) {
            (Some(records_per_day), _) => (Volume { records_per_day, sources, fleet, inventory }, None),
            (None, _) if !reads_trail => (
                Volume::of_accounts(0, sources),
                Some("a configuration without a trail, and records that come as events are not counted".to_owned()),
            ),
            (None, Some(Ok(names @ 1..))) => {
                let accounts = *names as u64;
                let assumed = guess(format!("{} of the accounts file", count(*names, "account")));
                (Volume::of_accounts(accounts, sources), Some(assumed))
            }
            (None, _) => (Volume::of_accounts(1, sources), Some(guess("one account".to_owned()))),
        };
        let volume = Volume { fleet, inventory, ..volume };
        Self { found, warnings, estimate: estimate(volume, &config.outputs, config.telemetry.heartbeat), assumed, fleet }
    }

    /// What stops the agent is a fault of the configuration; a broken rule stops nothing, but is found.
    fn exit(&self) -> Exit {
        if self.found.stop_the_agent() {
            Exit::Usage
        } else if self.found.rule_faults.is_empty() {
            Exit::Good
        } else {
            Exit::Found
        }
    }

    fn text(&self, config: &Config) -> String {
        let new_relic = &config.new_relic;
        let region = new_relic.region.as_str().to_ascii_lowercase();
        let mut rows = vec![("new relic", format!("account {}, region {region}", new_relic.account_id))];
        rows.push(("events to", host(new_relic, Lane::Events).to_owned()));
        rows.push(("logs to", host(new_relic, Lane::Logs).to_owned()));
        if config.outputs.metrics {
            rows.push(("metrics to", host(new_relic, Lane::Metrics).to_owned()));
        }
        rows.extend(config.sources.iter().map(|source| ("source", describe(source))));
        rows.push(("raw logs", logs(config)));
        rows.push(("notices", if config.outputs.notices { "sent" } else { "not sent" }.to_owned()));
        rows.push(("metrics", if config.outputs.metrics { "sent" } else { "not sent" }.to_owned()));
        let disabled = config.rules.disable.len();
        let mut rules = format!(
            "{} built in, {} from {}",
            self.found.builtin,
            self.found.company,
            count(config.rules.folders.len(), "folder")
        );
        if disabled > 0 {
            rules += &format!("; {disabled} disabled");
        }
        rows.push(("rules", rules));
        rows.push((
            "accounts",
            match (&config.accounts.file, &self.found.accounts, config.accounts.organizations) {
                (Some(file), Some(Ok(names)), false) => format!("{} from {}", count(*names, "name"), file.display()),
                (Some(file), Some(Ok(names)), true) => {
                    format!("{} from {}, others from AWS Organizations", count(*names, "name"), file.display())
                }
                (Some(file), ..) => format!("{} cannot be used", file.display()),
                (None, _, true) => "names from AWS Organizations".to_owned(),
                (None, _, false) => "no names: ids are shown".to_owned(),
            },
        ));
        if let Some(watched) = accounts::watched(&config.accounts.watched) {
            rows.push(("watched", watched));
        }
        for (name, noun, file, found) in [
            ("exceptions", "exception", &config.exceptions, &self.found.exceptions),
            ("frameworks", "control", &config.frameworks, &self.found.frameworks),
        ] {
            let Some(file) = file.as_ref().map(|file| file.display()) else { continue };
            rows.push((
                name,
                match found {
                    Some(Ok(number)) => format!("{} from {file}", count(*number, noun)),
                    _ => format!("{file} cannot be used"),
                },
            ));
        }
        rows.push(("dead letters", config.dead_letters.as_ref().map_or_else(|| "nowhere".to_owned(), dead_letters)));
        rows.push(("posture", known::posture(config)));
        rows.push(("identity", known::identity(config)));
        rows.push(("state", known::state(config)));
        rows.push(("novelty", known::novelty(config)));
        rows.push(("health", place(&config.health)));

        let wrong = self.exit() != Exit::Good;
        let mut text = if wrong { "configuration has problems\n" } else { "configuration is valid\n" }.to_owned();
        for (name, value) in rows {
            text += &format!("  {name:<13}{value}\n");
        }
        text += &self.found.text();
        for warning in &self.warnings {
            text += &format!("\nwarning: {warning}");
        }
        text += if self.warnings.is_empty() { "\n" } else { "\n\n" };
        text += &format!("{}\n", self.estimate);
        if let Some(Fleet { accounts, regions, .. }) = self.fleet {
            let (accounts, regions) = (count(accounts, "account"), count(regions, "Region"));
            text += &format!("posture is counted for {accounts} with {regions} each; each more sends as much again\n");
        }
        if let Some(assumed) = &self.assumed {
            text += &format!("this is for {assumed}; give your own count with `--records-per-day N`\n");
        }
        text
    }

    fn json(&self, config: &Config) -> Value {
        let new_relic = &config.new_relic;
        let sources: Vec<Value> = config.sources.iter().map(source).collect();
        let accounts = match &self.found.accounts {
            Some(Ok(count)) => json!({ "file": config.accounts.file, "names": count, "fault": null }),
            Some(Err(error)) => json!({ "file": config.accounts.file, "names": 0, "fault": error }),
            None => Value::Null,
        };
        json!({
            "valid": self.exit() == Exit::Good,
            "faults": self.found.faults(),
            "warnings": self.warnings,
            "newRelic": {
                "accountId": new_relic.account_id, "region": new_relic.region.as_str().to_ascii_lowercase(),
                "hosts": {
                    "events": host(new_relic, Lane::Events), "logs": host(new_relic, Lane::Logs),
                    "otlp": host(new_relic, Lane::Metrics),
                },
            },
            "sources": sources,
            "outputs": {
                "logs": {
                    "records": records(config.outputs.logs.records), "readOnly": config.outputs.logs.read_only,
                    "mask": config.outputs.logs.mask,
                },
                "notices": config.outputs.notices,
                "metrics": config.outputs.metrics,
            },
            "rules": {
                "builtin": self.found.builtin, "company": self.found.company, "disabled": config.rules.disable,
                "faults": self.found.rule_faults(),
            },
            "accounts": accounts,
            "organizations": config.accounts.organizations,
            "watched": accounts::watched(&config.accounts.watched),
            "exceptions": file_read("exceptions", config.exceptions.as_deref(), self.found.exceptions.as_ref()),
            "frameworks": file_read("controls", config.frameworks.as_deref(), self.found.frameworks.as_ref()),
            "deadLetters": config.dead_letters.as_ref().map(dead_letters),
            "posture": known::posture_json(config),
            "identity": known::identity_json(config),
            "state": known::state_json(config),
            "novelty": known::novelty_json(config),
            "health": place(&config.health),
            "estimate": {
                "recordsPerDay": self.estimate.records_per_day, "assumed": self.assumed,
                "posture": self.fleet.map(|fleet| json!({ "accounts": fleet.accounts, "regions": fleet.regions })),
                "bytesPerMonth": {
                    "detections": self.estimate.detections, "notices": self.estimate.notices, "logs": self.estimate.logs,
                    "metrics": self.estimate.metrics, "heartbeats": self.estimate.heartbeats, "posture": self.estimate.posture,
                    "identities": self.estimate.identities, "total": self.estimate.total(),
                },
                "freeBytes": FREE_BYTES, "isFree": self.estimate.is_free(),
            },
        })
    }
}

/// A file that is read at start, with how many of what it holds; null: none is configured.
fn file_read(holds: &str, file: Option<&Path>, found: Option<&Result<usize, String>>) -> Value {
    let Some(file) = file else { return Value::Null };
    let number = found.and_then(|found| found.as_ref().ok()).copied().unwrap_or_default();
    json!({ "file": file, holds: number, "fault": found.and_then(|found| found.as_ref().err()) })
}

/// What is allowed, but seldom meant.
fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = config.new_relic.key_doubts();
    let hosts = &config.new_relic.hosts;
    if config.outputs.metrics && hosts.otlp.is_none() && (hosts.events.is_some() || hosts.logs.is_some()) {
        warnings.push(format!(
            "newrelic.hosts names other hosts for events or logs, and none for metrics: they go to {}. Set newrelic.hosts.otlp, or \
             outputs.metrics to false",
            base_url(config.new_relic.region, Lane::Metrics)
        ));
    }
    if config.dead_letters.is_none() {
        warnings.push(
            "no dead letters: what cannot be read and what New Relic refuses goes back to its queue, whose redrive policy \
             decides. Set one of deadLetters.folder, s3, queue, or CSPM_RELAY_DEAD_LETTERS"
                .to_owned(),
        );
    }
    for source in &config.sources {
        let (queue_url, region) = match &source.kind {
            SourceKind::TrailBucket { queue_url, region, buckets } => {
                if buckets.is_empty() {
                    warnings.push(format!(
                        "source {}: reads any bucket that a message of the queue names. Name the trail's own in `sources[].buckets`, \
                         which only a file can set",
                        source.name
                    ));
                }
                (queue_url, region)
            }
            SourceKind::EventQueue { queue_url, region } => (queue_url, region),
        };
        if QueueUrl::parse(queue_url).is_none_or(|parts| parts.region.is_none()) {
            warnings.push(format!(
                "source {}: the queue's URL names no Region; {} is used",
                source.name,
                region.as_deref().unwrap_or("that of the SDK")
            ));
        }
    }
    warnings.extend(known::warnings(config));
    warnings.extend(accounts::warnings(&config.accounts));
    if config.outputs.logs.records != LogRecords::None && !config.outputs.logs.mask {
        warnings.push("outputs.logs.mask is off: secrets in raw records are sent as they are".to_owned());
    }
    if config.health == Health::Off {
        warnings.push("health.off is set: `cspm-relay health` fails, so a container's health check must not use it".to_owned());
    }
    if config.telemetry.heartbeat.is_none() {
        warnings.push(
            "telemetry.heartbeat is off: nobody in New Relic sees when the agent falls silent or loses anything".to_owned(),
        );
    }
    if config.limits.drain.as_secs() > DRAIN_SECONDS {
        warnings.push(format!(
            "limits.drain is above {DRAIN_SECONDS} s: ECS ends a task 30 s after the stop signal, unless its stopTimeout is longer"
        ));
    }
    warnings
}

/// Where an API's requests go.
fn host(new_relic: &NewRelic, lane: Lane) -> &str {
    let written = match lane {
        Lane::Events => &new_relic.hosts.events,
        Lane::Logs => &new_relic.hosts.logs,
        Lane::Metrics => &new_relic.hosts.otlp,
    };
    written.as_deref().unwrap_or_else(|| base_url(new_relic.region, lane))
}

fn describe(source: &Source) -> String {
    match &source.kind {
        SourceKind::TrailBucket { queue_url, buckets, .. } => {
            let buckets = if buckets.is_empty() { "any bucket".to_owned() } else { buckets.join(", ") };
            format!("{}: trailBucket {queue_url} ({buckets})", source.name)
        }
        SourceKind::EventQueue { queue_url, .. } => format!("{}: eventQueue {queue_url}", source.name),
    }
}

fn source(source: &Source) -> Value {
    match &source.kind {
        SourceKind::TrailBucket { queue_url, region, buckets } => {
            json!({ "name": source.name, "kind": "trailBucket", "queueUrl": queue_url, "region": region, "buckets": buckets })
        }
        SourceKind::EventQueue { queue_url, region } => {
            json!({ "name": source.name, "kind": "eventQueue", "queueUrl": queue_url, "region": region })
        }
    }
}

fn records(records: LogRecords) -> &'static str {
    match records {
        LogRecords::Matched => "matched",
        LogRecords::All => "all",
        LogRecords::None => "none",
    }
}

fn logs(config: &Config) -> String {
    let logs = config.outputs.logs;
    let which = match logs.records {
        LogRecords::Matched => "records with a detection",
        LogRecords::All => "all records",
        LogRecords::None => return "none".to_owned(),
    };
    let only = if logs.read_only { "" } else { " that changed something" };
    format!("{which}{only}{}", if logs.mask { ", secrets masked" } else { "" })
}

fn dead_letters(target: &DeadLetters) -> String {
    match target {
        DeadLetters::Folder(folder) => folder.display().to_string(),
        DeadLetters::S3 { bucket, prefix } => format!("s3://{bucket}/{prefix}"),
        DeadLetters::Queue { url } => url.clone(),
    }
}
