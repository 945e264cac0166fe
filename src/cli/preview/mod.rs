//! `cspm-relay preview`: the dashboards in the browser as New Relic draws them, on rows of this machine.
//!
//! In: rows in files, dashboards and conditions (those that are shipped, or files of one's own). Out: a page on 127.0.0.1, or a picture
//! of every page. No account, no key, no network.

mod alerts;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

pub(super) use alerts::shown as alerts_on;

use super::args::Lang;
use super::exit::{Exit, Stop};
use super::replay::moment;
use super::{FREE_PORT, count, lookup, print, runtime, stop_signal};
use crate::classify::{Rule, RuleSet, preventive_controls, security_hub_controls};
use crate::clock::Clock;
use crate::config::{Environment as _, Telemetry, env};
use crate::health;
use crate::lab::engine;
use crate::lab::preview::alerts::Arrived;
use crate::lab::preview::export::{self, Theme};
use crate::lab::preview::{FromStore, Language, Mask, Preview, Settings, StartError};
use crate::lab::store::open;
use crate::publish::dashboard::{self, Definition, Request};

/// Arguments of `preview`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rows to show: a file or folder of Parquet, or of lines of JSON as `replay --to stdout` prints them
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// A table for lookup(NAME): a CSV file whose first line names the columns; may be given more than once
    #[arg(long, value_name = "NAME=FILE", value_parser = lookup::asked)]
    lookup: Vec<lookup::Asked>,
    /// Address of this machine to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// Replace account ids, ARNs, IP addresses, e-mails, names, and texts that are not ours as a whole (titles, annotations, reasons,
    /// messages) by pseudonyms, the same one for the same value; names of rules, controls and packs stay
    #[arg(long)]
    mask: bool,
    /// Write a picture (PNG) of every page into this folder and end; needs Chromium on PATH
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// Language that the page begins with; with --export the one of the pictures, both without it
    #[arg(long, value_enum)]
    lang: Option<Lang>,
    /// Dashboard to show instead of the shipped one, in New Relic's import format; may be given more than once
    #[arg(long, value_name = "FILE")]
    dashboard: Vec<PathBuf>,
    /// Alert conditions to show instead of the shipped ones: a folder of policies, one policy's folder, or one file
    #[arg(long, value_name = "PATH")]
    conditions: Option<PathBuf>,
    /// What is now, as 2026-11-21T20:14:31Z [default: the time of the newest row]
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::En => Self::English,
            Lang::Ja => Self::Japanese,
        }
    }
}

/// Serves until it is asked to stop, or writes the pictures.
pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    health::log::start(&Telemetry { log_level: "warn".to_owned(), ..Telemetry::default() })?;
    let asked_now = moment(args.now.as_deref())?;
    // Before the rows are read: who has no browser is told at once.
    let browser = match &args.export {
        None => None,
        Some(_) => Some(export::browser(&env::Process.get("PATH").unwrap_or_default()).map_err(|error| {
            Stop::usage(error.to_string(), Some("without --export the page opens in any browser".to_owned()))
        })?),
    };
    let language = args.lang.map(Language::from);
    let only = if args.export.is_some() { language } else { None };
    let dashboards = dashboards(&args.dashboard, only)?;
    let lookups = lookup::tables(&args.lookup)?;
    let present_ms = asked_now.unwrap_or_else(|| Clock::system().now_ms());
    let read = open(&args.data, present_ms).map_err(|error| {
        let hint = "`cspm-relay replay PATH --to stdout > rows.ndjson` makes rows of your own records";
        Stop::usage(error.to_string(), Some(hint.to_owned()))
    })?;
    // The end of a window is not included.
    let now_ms = asked_now.or(read.newest_ms.map(|ms| ms.saturating_add(1))).unwrap_or(present_ms);
    let engine = engine::Settings { lookups, ..engine::Settings::default() };
    let alerts = alerts::shown(args.conditions.as_deref(), read.store.clone(), Arrived::AsTold, engine.clone())?;
    let settings = Settings {
        listen: if args.export.is_some() { SocketAddr::from(([127, 0, 0, 1], 0)) } else { args.listen },
        dashboards,
        language: language.unwrap_or_default(),
        zones: zones()?,
        clock: Clock::fixed(now_ms),
        live: None,
        mask: args.mask.then(|| Arc::new(Mask::new().keeping(ours()))),
        alerts: Some(alerts),
    };
    let answers = Arc::new(FromStore::new(read.store, engine));
    runtime()?.block_on(async {
        let preview = Preview::start(settings, answers).await.map_err(|error| {
            let hint = matches!(error, StartError::Listen { .. }).then(|| FREE_PORT.to_owned());
            Stop::usage(error.to_string(), hint)
        })?;
        if let (Some(folder), Some(browser)) = (args.export, browser) {
            let made = tokio::task::spawn_blocking(move || {
                export::export(&preview, &browser, &folder, Theme::Light, &mut |file| {
                    // One line a picture; a reader that has gone is no reason to stop.
                    let _told = print(&format!("{}\n", file.display())).is_ok();
                })
            });
            made.await?.map_err(|error| Stop::failed(error.to_string(), None))?;
        } else {
            print(&format!("{}\nDashboards on {}\nCtrl-C ends it.\n", count(read.rows as u64, "row"), preview.url()))?;
            stop_signal().await;
        }
        Ok(Exit::Good)
    })
}

/// Texts of the rules that come with the program: everybody can read them.
fn ours() -> impl Iterator<Item = String> {
    let rules = RuleSet::builtin();
    let texts = |rule: &Rule| [Some(rule.title.clone()), rule.remediation.clone(), rule.runbook.clone()];
    let of_rules: Vec<String> = rules.rules().iter().flat_map(texts).flatten().collect();
    // A control without a title is called by its id.
    let ids = preventive_controls().iter().flat_map(|control| [control.id, control.identifier]).map(str::to_owned);
    let controls = security_hub_controls().iter().map(|control| control.id.clone());
    of_rules.into_iter().chain(ids).chain(controls)
}

/// The files, or what is shipped, in one language or in both.
fn dashboards(files: &[PathBuf], only: Option<Language>) -> anyhow::Result<Vec<(Language, String)>> {
    let mut dashboards = Vec::new();
    for file in files {
        let text =
            std::fs::read_to_string(file).map_err(|error| Stop::usage(format!("reading {}: {error}", file.display()), None))?;
        dashboards.push((only.unwrap_or_default(), text));
    }
    if files.is_empty() { shipped(only) } else { Ok(dashboards) }
}

/// The languages of the page and of the definition.
const LANGUAGES: [(Language, dashboard::Language); 2] =
    [(Language::English, dashboard::Language::English), (Language::Japanese, dashboard::Language::Japanese)];

/// The zone of this machine. UTC is what a machine has whom nobody told where it is: then the language says.
fn zone(definition: &Definition, language: dashboard::Language) -> String {
    let system = jiff::tz::TimeZone::system();
    let told = system.iana_name().filter(|name| !matches!(*name, "UTC" | "Etc/UTC" | "Etc/Unknown"));
    told.unwrap_or_else(|| definition.shared.timezone.get(language)).to_owned()
}

/// The zone of each language's times: that of the dashboard's own hours and days.
pub(super) fn zones() -> anyhow::Result<BTreeMap<Language, String>> {
    let definition = Definition::shipped()?;
    Ok(LANGUAGES.into_iter().map(|(language, of_definition)| (language, zone(&definition, of_definition))).collect())
}

/// What is shipped, in one language or in both.
pub(super) fn shipped(only: Option<Language>) -> anyhow::Result<Vec<(Language, String)>> {
    let mut dashboards = Vec::new();
    let definition = Definition::shipped()?;
    for (language, of_definition) in LANGUAGES.into_iter().filter(|(language, _)| only.is_none_or(|only| only == *language)) {
        let accounts = [dashboard::PLACEHOLDER_ACCOUNT];
        let zone = zone(&definition, of_definition);
        let request = Request { language: of_definition, accounts: &accounts, page: None, timezone: Some(&zone) };
        let document = dashboard::render(&definition, request).map_err(|error| Stop::failed(error.to_string(), None))?;
        dashboards.push((language, serde_json::to_string(&document)?));
    }
    Ok(dashboards)
}
