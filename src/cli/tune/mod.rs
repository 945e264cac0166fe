//! `cspm-relay tune`: makes alert conditions fit what a team can bear, and says what would then go untold.
//!
//! In: past records (files, folders, S3 prefixes) or rows; conditions, exceptions, a budget of pages, labelled attacks. Out: who and what
//! makes the pages, the changes that bring them within the budget, pages before and after, attacks that would be missed; the changes
//! as a diff of the exceptions file and the conditions. What always holds: no file is changed, a person reviews the diff; with records
//! the numbers after come from replaying them with the changed files; the same input gives the same output; nothing is sent.

mod diff;
mod draft;
mod labels;
mod proof;
mod report;
mod text;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::args::{self, Format, Lang};
use super::exit::{Exit, Stop};
use super::past::{self, Past};
use super::replay::signals::Signals;
use super::{alerts, backtest, block_on, count, print, replay};
use crate::classify::RuleSet;
use crate::config::{Config, Need, env};
use crate::health;
use crate::lab::backtest::{Budget, Tested, arrivals};
use crate::lab::store::Snapshot;
use crate::lab::streaming::{Range, Settings};
use crate::lab::tune::{Attack, Change, Plan, Step, Tuning, attacks, contributions};
use crate::nrql::muting::MutingRule;
use crate::pipeline::worker::lateness::Lateness;
use crate::source::replay::Input;
use diff::{Diff, Names};
use draft::{Draft, Signature};
use labels::Labels;
use report::{Found, Report};

/// Times that a plan is replayed and mended at most.
const ROUNDS: usize = 5;
/// How long a new exception mutes where nothing else is said, days.
const EXPIRES_DAYS: i64 = 90;

/// Arguments of `tune`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Past records: files, folders, `s3://bucket/prefix`
    #[arg(value_name = "PATH", required_unless_present = "data", conflicts_with = "data")]
    inputs: Vec<OsString>,
    /// Rows instead of records, as `nrql --save` writes them: what exceptions do is then estimated
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Most pages (issues that became critical, not muted), as 5/week: of every day, week or month (30 days) from the first arrival on
    #[arg(long, value_name = "BUDGET")]
    budget: Budget,
    /// Attacks that should go on being told: a CSV file under the header `attack,event.id`, a line for each record of each
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Conditions to tune instead of the shipped ones: a folder of policies
    #[arg(long, value_name = "PATH")]
    conditions: Option<PathBuf>,
    /// Muting rules, as `backtest` takes them
    #[arg(long, value_name = "PATH")]
    muting: Option<PathBuf>,
    /// How late records came: `trail` as their files tell, else about five minutes; or a time as 90s, 5m
    #[arg(long, value_name = "LATENESS", default_value = "trail", value_parser = backtest::lateness, conflicts_with = "data")]
    lateness: Lateness,
    /// Configuration file: rules, exceptions, names of accounts, time zone; environment variables win over it
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Owner of new exceptions: who answers for them
    #[arg(long, value_name = "NAME", default_value = "TODO: who answers for it")]
    owner: String,
    /// Last day of new exceptions [default: 90 days after the last arrival or, if later, after today]
    #[arg(long, value_name = "DATE")]
    expires: Option<Date>,
    /// Where to write the diff; without it the report ends with it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How the report looks
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// In which language conditions are named
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let config = Config::load_for(Need::LOCAL, args.config.as_deref(), &env::Process)
        .map_err(|faults| Stop::usage(faults.to_string(), None))?;
    let files = alerts::texts(args.conditions.as_deref())?;
    let muting = args.muting.as_deref().map_or_else(|| Ok(Vec::new()), backtest::muting::read)?;
    let labels = args.labels.as_deref().map(Labels::read).transpose()?.unwrap_or_default();
    let zone = TimeZone::get(&config.telemetry.time_zone).map_err(|error| Stop::usage(error.to_string(), None))?;
    let folder = args.out.as_deref().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Stop::usage(format!("--out: {} is no folder", folder.display()), None).into());
    }
    health::log::start(&config.telemetry)?;
    let past = match &args.data {
        Some(path) => Source::Rows(backtest::rows(path)?),
        None => Source::records(&args.inputs)?,
    };
    block_on(async {
        let signals = Signals::listen()?;
        let run = Run { config: &config, args: &args, signals: &signals, muting: &muting, zone: &zone };
        Box::pin(run.tune(past, files, &labels)).await
    })
}

/// Where rows come from.
enum Source {
    /// Records: replayed again with every plan.
    Records(Vec<Input>),
    /// Rows that stay as they are.
    Rows(Vec<Snapshot>),
}

impl Source {
    fn records(named: &[OsString]) -> Result<Self, Stop> {
        let inputs = args::inputs(named)?;
        if inputs.iter().any(Input::is_stream) {
            let hint = "save the records in a file";
            return Err(Stop::usage(
                "standard input and pipes can be read once, tune reads several times",
                Some(hint.to_owned()),
            ));
        }
        Ok(Self::Records(inputs))
    }
}

/// What stays the same in all rounds.
struct Run<'a> {
    config: &'a Config,
    args: &'a Args,
    signals: &'a Signals,
    muting: &'a [MutingRule],
    zone: &'a TimeZone,
}

impl Run<'_> {
    async fn tune(&self, source: Source, files: Vec<(String, String)>, labels: &Labels) -> anyhow::Result<Exit> {
        let written = self.config.exceptions.as_deref().map(std::fs::read_to_string).transpose();
        let written = written.map_err(|error| Stop::usage(format!("reading the exceptions: {error}"), None))?;
        let is_asked_to_stop = self.signals.one_more();
        let (mut rows, ended) = self.rows(&source, None).await?;
        if is_asked_to_stop() {
            return Err(stopped().into());
        }
        let Some((first, last)) = arrivals(&rows) else {
            let hint = "without detections there is nothing that a condition could tell";
            return Err(Stop::usage("no rows to tune conditions on".to_owned(), Some(hint.to_owned())).into());
        };
        let range = Range { begin_ms: first, end_ms: last.saturating_add(1) };
        let signature = self.signature(last)?;
        let settings = past::settings_until(is_asked_to_stop.clone());
        let rules = RuleSet::load(&self.config.rules).0.without_samples();
        let mut draft = Draft::new(files, written, signature, rules, alerts::Linter::new()?);
        let mut tested = self.tested(&draft)?;
        let mut labelled: Vec<Attack> = attacks(&rows, &labels.events);
        let undetected = labelled.iter().filter(|attack| attack.rows.rows() == 0).map(|attack| attack.name.clone()).collect();
        let before = self.tuning(&rows, range, &settings, &labelled).backtest(tested.clone());
        let paged_before = self.tuning(&rows, range, &settings, &labelled).told(&before);
        let made = contributions(&rows, range, self.zone);
        let (mut steps, mut after, mut paged_after) = (Vec::new(), None, paged_before.clone());
        for _ in 0..ROUNDS {
            let tuning = self.tuning(&rows, range, &settings, &labelled);
            let plan: Plan = tuning.search(tested, &|change| draft.can(change), &mut say);
            if is_asked_to_stop() {
                return Err(stopped().into());
            }
            if plan.steps.is_empty() {
                after.get_or_insert(plan.after);
                break;
            }
            draft.take(plan.steps.iter().map(|step| &step.change))?;
            tested = self.tested(&draft)?;
            steps.extend(plan.steps);
            let excludes = steps.iter().any(|step: &Step| matches!(step.change, Change::Exclude(_)));
            if let Source::Rows(_) = source {
                paged_after = tuning.told(&plan.after);
                after = Some(plan.after);
                break;
            }
            if excludes {
                let again;
                (rows, again) = self.rows(&source, draft.exceptions()).await?;
                whole(ended.as_ref(), again.as_ref(), self.signals)?;
                labelled = attacks(&rows, &labels.events);
            }
            let tuning = self.tuning(&rows, range, &settings, &labelled);
            let result = tuning.backtest(tested.clone());
            paged_after = tuning.told(&result);
            let holds = result.keeps(self.args.budget);
            after = Some(result);
            if holds {
                break;
            }
        }
        if is_asked_to_stop() {
            return Err(stopped().into());
        }
        let after = after.unwrap_or_else(|| self.tuning(&rows, range, &settings, &labelled).backtest(Vec::new()));
        let diff = draft.diff(&self.names()?);
        let found = Found { before, after, steps, paged_before, paged_after, undetected, made };
        let is_estimate = matches!(source, Source::Rows(_));
        let report = Report::new(found, self.args.budget, self.zone, labels, is_estimate);
        self.print(&report, &diff)?;
        if let Some(ended) = ended {
            replay::told(&ended.text(), "stdout", ended.stops())?;
        }
        Ok(if report.is_good() { Exit::Good } else { Exit::Found })
    }

    async fn rows(
        &self,
        source: &Source,
        exceptions: Option<&str>,
    ) -> anyhow::Result<(Vec<Snapshot>, Option<replay::report::Report>)> {
        match source {
            Source::Rows(snapshots) => Ok((snapshots.clone(), None)),
            Source::Records(inputs) => {
                let past: Past = past::read(self.config, inputs, self.args.lateness, exceptions, self.signals).await?;
                Ok((vec![past.store.snapshot()], Some(past.report)))
            }
        }
    }

    fn tuning<'r>(
        &'r self,
        snapshots: &'r [Snapshot],
        range: Range,
        settings: &'r Settings,
        attacks: &'r [Attack],
    ) -> Tuning<'r> {
        Tuning { snapshots, range, settings, muting: self.muting, budget: self.args.budget, attacks }
    }

    /// The conditions that are on, as the draft has them.
    fn tested(&self, draft: &Draft) -> anyhow::Result<Vec<Tested>> {
        let all = backtest::checked(&draft.definition(), self.args.lang.into())?;
        Ok(all.into_iter().filter(|tested| tested.enabled).collect())
    }

    fn signature(&self, last_ms: i64) -> Result<Signature, Stop> {
        let day = |moment: Timestamp| moment.to_zoned(self.zone.clone()).date();
        let last = Timestamp::from_millisecond(last_ms).map(day).unwrap_or_default();
        let from = last.max(day(Timestamp::now()));
        let expires = self.args.expires.or_else(|| from.checked_add(Span::new().days(EXPIRES_DAYS)).ok()).unwrap_or(from);
        if expires < last {
            let what =
                format!("--expires {expires}: exceptions would be over before the last arrival, on {last}, and spare nothing");
            return Err(Stop::usage(what, Some(format!("a day from {last} on; without it: {EXPIRES_DAYS} days"))));
        }
        Ok(Signature { owner: self.args.owner.clone(), expires, budget: self.args.budget })
    }

    fn names(&self) -> Result<Names, Stop> {
        let here = std::env::current_dir().and_then(std::fs::canonicalize);
        let here = here.map_err(|error| Stop::failed(format!("the folder of now: {error}"), None))?;
        let exceptions = self.config.exceptions.clone().unwrap_or_else(|| PathBuf::from("exceptions.yml"));
        Ok(Names { exceptions, conditions: self.args.conditions.clone(), here })
    }

    fn print(&self, report: &Report, diff: &Diff) -> anyhow::Result<()> {
        if let Some(path) = &self.args.out {
            let told = |error| Stop::usage(format!("writing {}: {error}", path.display()), None);
            std::fs::write(path, &diff.text).map_err(told)?;
        }
        print(&match self.args.format {
            Format::Text => text::text(report, diff, self.args.out.is_none()),
            Format::Json => serde_json::to_string_pretty(&report.json(diff))? + "\n",
        })?;
        Ok(())
    }
}

/// A step, while the search goes on. Names are for the report alone: the log may go elsewhere.
fn say(step: &Step) {
    tracing::info!("tune: a step from {} to {}", count(step.before, "page"), step.after);
}

/// Somebody asked it to stop while it searched.
fn stopped() -> Stop {
    Stop::failed("stopped before the search ended: nothing is written", None)
}

/// Whether a later look at the records saw all that the first one saw.
fn whole(first: Option<&replay::report::Report>, again: Option<&replay::report::Report>, signals: &Signals) -> Result<(), Stop> {
    let stops = |report: Option<&replay::report::Report>| report.map_or(0, |report| report.stops().len());
    if signals.came() || stops(again) > stops(first) {
        return Err(Stop::failed("the records could not be read again as they were: nothing can be said of the changes", None));
    }
    Ok(())
}
