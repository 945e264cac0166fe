//! `cspm-relay backtest`: what alert conditions would have told people in the past.
//!
//! In: past records (files, folders, S3 prefixes), or rows of a folder; the shipped conditions or those of a folder; muting rules. Out:
//! incidents and issues by condition and day as a table with a chart, one page of HTML, JSON or `JUnit`; with a budget, exit code 1
//! when it was exceeded. What always holds: rows count when they arrived, not when they happened; nothing is sent; a condition that
//! New Relic would refuse is told and fails the test.

mod html;
mod json;
mod junit;
pub(super) mod muting;
mod report;
mod text;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::args::Lang;
use super::exit::{Exit, Stop};
use super::past::{self, Past};
use super::replay::signals::Signals;
use super::{alerts, args, block_on, print, replay};
use crate::config::{Config, Need, env};
use crate::health;
use crate::lab::backtest::{Budget, Tested, arrivals, backtest};
use crate::lab::store::{Snapshot, open};
use crate::lab::streaming::Range;
use crate::lab::streaming::issue::Preference;
use crate::nrql::muting::MutingRule;
use crate::pipeline::worker::lateness::Lateness;
use crate::publish::alert::{ConditionSource, Definition, Policy, PolicySource};
use crate::publish::dashboard::Language;
use report::{Manner, Report};

/// Arguments of `backtest`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Past records: files, folders, `s3://bucket/prefix`, or `-` for standard input
    #[arg(value_name = "PATH", required_unless_present = "data", conflicts_with = "data")]
    inputs: Vec<OsString>,
    /// Rows instead of records: a file or folder of Parquet or of lines, as `nrql --save` writes them. `replay` prints such lines, too,
    /// but no notices: conditions on them are then not tested
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Conditions to test instead of the shipped ones: a folder of policies, one policy's folder, or one file
    #[arg(long, value_name = "PATH")]
    conditions: Option<PathBuf>,
    /// Test this condition alone, by its id; may be given more than once
    #[arg(long, value_name = "ID")]
    condition: Vec<String>,
    /// Also conditions that are off when they are made; they never count for the budget
    #[arg(long)]
    all: bool,
    /// Muting rules: a YAML file, or a folder of them, each a list of rules in the words of `alertsMutingRuleCreate`
    #[arg(long, value_name = "PATH")]
    muting: Option<PathBuf>,
    /// Most pages (issues that became critical, not muted), as 5/week: exit code 1 when any day, week or month (30 days, from the
    /// first arrival on) had more
    #[arg(long, value_name = "BUDGET")]
    budget: Option<Budget>,
    /// How late records came: `trail` as their files tell, else about five minutes; or a time as 90s, 5m
    #[arg(long, value_name = "LATENESS", default_value = "trail", value_parser = lateness, conflicts_with = "data")]
    lateness: Lateness,
    /// Configuration file: rules, exceptions, names of accounts, time zone; environment variables win over it
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How the result looks
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// In which language names and headings are
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// Where to write it instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[value(alias = "table")]
    Text,
    #[value(help = "One page with charts, without anything from elsewhere")]
    Html,
    /// For machines
    Json,
    #[value(help = "JUnit XML, for CI")]
    Junit,
}

/// Reads a lateness.
pub(super) fn lateness(text: &str) -> Result<Lateness, String> {
    if text == "trail" {
        return Ok(Lateness::OfTrail);
    }
    let wrong = || format!("{text:?} is no lateness; allowed: trail, or a time as 90s, 5m");
    let time = crate::config::duration(text).ok_or_else(wrong)?;
    Ok(Lateness::Fixed(i64::try_from(time.as_millis()).map_err(|_| wrong())?))
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let config = Config::load_for(Need::LOCAL, args.config.as_deref(), &env::Process)
        .map_err(|faults| Stop::usage(faults.to_string(), None))?;
    let tested = conditions(args.conditions.as_deref(), &args.condition, args.all, args.lang.into())?;
    let rules = args.muting.as_deref().map_or_else(|| Ok(Vec::new()), muting::read)?;
    health::log::start(&config.telemetry)?;
    block_on(async {
        let signals = Signals::listen()?;
        let (snapshots, ended) = if let Some(path) = &args.data {
            (rows(path)?, None)
        } else {
            let inputs = args::inputs(&args.inputs)?;
            let past: Past = past::read(&config, &inputs, args.lateness, None, &signals).await?;
            (vec![past.store.snapshot()], Some(past.report))
        };
        tell(&config, &args, &rules, tested, &snapshots, ended, signals.one_more())
    })
}

/// Tests the conditions and tells the result, unless it is asked to stop before.
fn tell(
    config: &Config,
    args: &Args,
    rules: &[MutingRule],
    tested: Vec<Tested>,
    snapshots: &[Snapshot],
    ended: Option<replay::report::Report>,
    is_stopped: impl Fn() -> bool + Clone + Send + Sync + 'static,
) -> anyhow::Result<Exit> {
    let Some((first, last)) = arrivals(snapshots) else {
        let hint = "without detections there is nothing that a condition could tell";
        return Err(Stop::usage("no rows to test conditions on".to_owned(), Some(hint.to_owned())).into());
    };
    let range = Range { begin_ms: first, end_ms: last.saturating_add(1) };
    let result = backtest(snapshots, tested, range, &past::settings_until(is_stopped.clone())).muted_by(rules);
    if is_stopped() {
        return Err(Stop::failed("stopped before all conditions were tested: nothing is told", None).into());
    }
    let zone = TimeZone::get(&config.telemetry.time_zone).map_err(|error| Stop::usage(error.to_string(), None))?;
    let rows = snapshots.iter().map(Snapshot::rows).sum();
    let report = Report::new(&result, rows, &Manner { zone: &zone, budget: args.budget, rules, language: args.lang.into() });
    let text = match args.format {
        Format::Text => text::text(&report),
        Format::Html => html::page(&report),
        Format::Json => json::text(&report)?,
        Format::Junit => junit::report(&report),
    };
    match &args.out {
        None => print(&text)?,
        Some(path) => {
            let told = |error| Stop::usage(format!("writing {}: {error}", path.display()), None);
            std::fs::write(path, text).map_err(told)?;
        }
    }
    if let Some(ended) = ended {
        replay::told(&ended.text(), "stdout", ended.stops())?;
    }
    Ok(if report.is_good() { Exit::Good } else { Exit::Found })
}

/// Rows of a folder or file, received when they say.
pub(super) fn rows(path: &Path) -> anyhow::Result<Vec<Snapshot>> {
    let opened = open(path, 0).map_err(|error| Stop::usage(error.to_string(), None))?;
    Ok(vec![opened.store.snapshot().received_as_told()])
}

/// The conditions that are asked for.
fn conditions(path: Option<&Path>, ids: &[String], all: bool, language: Language) -> anyhow::Result<Vec<Tested>> {
    let definition = alerts::definition(path)?;
    let all_of_them = checked(&definition, language)?;
    let known = |id: &str| definition.conditions().any(|(_, condition)| condition.id == id);
    if let Some(unknown) = ids.iter().find(|id| !known(id)) {
        let hint = "`cspm-relay alerts list` shows the ids";
        return Err(Stop::usage(format!("--condition {unknown:?}: there is no such condition"), Some(hint.to_owned())).into());
    }
    let is_asked = |id: &str, enabled: bool| if ids.is_empty() { enabled || all } else { ids.iter().any(|asked| asked == id) };
    Ok(all_of_them.into_iter().filter(|tested| is_asked(&tested.id, tested.enabled)).collect())
}

/// All conditions of a definition, if every file of it can be read and every policy says which incidents share an issue.
pub(super) fn checked(definition: &Definition, language: Language) -> anyhow::Result<Vec<Tested>> {
    if let Some(fault) = definition.unreadable.first() {
        let hint = "`cspm-relay alerts lint PATH` tells everything that is wrong";
        return Err(Stop::usage(fault.to_string(), Some(hint.to_owned())).into());
    }
    let wrong = |policy: &&Policy| policy.source.as_ref().is_some_and(|source| preference(source).is_none());
    if let Some(policy) = definition.policies.iter().find(wrong) {
        let allowed: Vec<&str> = Preference::WORDS.iter().map(|(_, word)| *word).collect();
        let what = format!("{}/policy.yml: incidentPreference; allowed: {}", policy.key, allowed.join(", "));
        return Err(Stop::usage(what, None).into());
    }
    Ok(tested(definition, language))
}

/// Which incidents of a policy share an issue.
fn preference(policy: &PolicySource) -> Option<Preference> {
    Preference::of_word(&policy.incident_preference)
}

/// All conditions of a definition.
pub(super) fn tested(definition: &Definition, language: Language) -> Vec<Tested> {
    let one = |(policy, condition): (&Policy, &ConditionSource)| {
        let source = policy.source.as_ref();
        Tested {
            policy: policy.key.clone(),
            policy_name: source.map(|source| source.name.get(language).to_owned()).unwrap_or_default(),
            // New Relic's own default stands for a word that is none; `conditions` refuses it.
            preference: source.and_then(preference).unwrap_or(Preference::Policy),
            id: condition.id.clone(),
            enabled: condition.enabled,
            runbook: condition.runbook.clone(),
            condition: condition.model(language),
        }
    };
    definition.conditions().map(one).collect()
}
