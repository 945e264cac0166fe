//! `cspm-relay replay`: the same pipeline over past records.
//!
//! To standard output it runs on a fixed clock, the newest record unless `--now` says otherwise, with one worker and
//! one heartbeat at the end: the same input gives the same bytes. Where no record is, the clock is at the present. To New Relic it runs on the present and
//! refuses records that New Relic would not take with their own time, unless `--restamp`. The first signal lets what is under way
//! settle, the second ends it at once; either way the summary says what was not read or sent.

pub(super) mod look;
pub(super) mod report;
pub(super) mod signals;

use std::ffi::OsString;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::ValueEnum;
use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::look::{For, look};
use self::report::Report;
use self::signals::Signals;
use super::assemble::{self, Manner};
use super::exit::{Exit, Stop};
use super::{accounts, args};
use super::{block_on, print, summary};
use crate::clock::Clock;
use crate::config::{Config, Hosts, LogRecords, Need, env};
use crate::deliver::retry::Backoff;
use crate::deliver::{Endpoint, Patience};
use crate::encode::{Lane, Outlet};
use crate::health;
use crate::pipeline::heartbeat;
use crate::pipeline::outlet::{Lines, write_line};
use crate::pipeline::worker::Stages;
use crate::pipeline::{Relay, Running, To, Watch};
use crate::record::time;
use crate::source::aws;
use crate::source::replay::{Input, Progress, Replay};

/// Arguments of `replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files, folders, `s3://bucket/prefix`, or `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    inputs: Vec<OsString>,
    /// stdout, newrelic, or a base URL that stands for every New Relic host
    #[arg(long, default_value = "stdout", value_name = "TARGET")]
    to: String,
    /// Form of standard output: one JSON object per line
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// Which raw records go out as logs
    #[arg(long, value_enum)]
    logs: Option<LogsArg>,
    /// Send records older than 23 hours too, under the present time and marked late
    ///
    /// New Relic takes a record under its own time for 24 hours; one hour is kept for the way.
    #[arg(long)]
    restamp: bool,
    /// The moment at which standard output is made, ISO 8601 [default: the newest record]
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    /// Configuration file; environment variables win over it
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Form of the summary
    #[arg(long, value_enum, default_value_t = SummaryFormat::Text)]
    summary: SummaryFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Ndjson,
}

/// Form of the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SummaryFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogsArg {
    Matched,
    All,
    None,
}

/// Name of the source, in events and in the summary.
const NAME: &str = "replay";

/// Where a replay goes.
pub(super) enum Target {
    Stdout,
    NewRelic,
    Url(String),
}

impl Target {
    pub(super) fn parse(text: &str) -> Result<Self, Stop> {
        match text {
            "stdout" => Ok(Self::Stdout),
            "newrelic" => Ok(Self::NewRelic),
            url if url.starts_with("http://") || url.starts_with("https://") => Ok(Self::Url(url.to_owned())),
            other => {
                let what = format!("--to \"{other}\": not a target");
                Err(Stop::usage(what, Some("allowed: stdout, newrelic, or a base URL such as http://127.0.0.1:8080".to_owned())))
            }
        }
    }
}

/// Replays.
pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let target = Target::parse(&args.to)?;
    let inputs = args::inputs(&args.inputs)?;
    let now_ms = moment(args.now.as_deref())?;
    let need = if matches!(target, Target::NewRelic) { Need::SEND } else { Need::LOCAL };
    let mut config =
        Config::load_for(need, args.config.as_deref(), &env::Process).map_err(|faults| Stop::usage(faults.to_string(), None))?;
    super::writable::check(config.dead_letters.as_ref())?;
    if let Some(logs) = args.logs {
        config.outputs.logs.records = match logs {
            LogsArg::Matched => LogRecords::Matched,
            LogsArg::All => LogRecords::All,
            LogsArg::None => LogRecords::None,
        };
    }
    health::log::start(&config.telemetry)?;
    block_on(async {
        let signals = Signals::listen()?;
        let ended = match target {
            Target::Stdout => to_stdout(&config, &inputs, now_ms, &signals).await?,
            Target::NewRelic => to_new_relic(&config, &inputs, args.restamp, &signals).await?,
            Target::Url(url) => {
                aim(&mut config, &url);
                to_new_relic(&config, &inputs, args.restamp, &signals).await?
            }
        };
        finish(&ended, &args)
    })
}

/// The moment that `--now` names.
pub(super) fn moment(now: Option<&str>) -> Result<Option<i64>, Stop> {
    let read = |text| {
        time::parse_ms(text).ok_or_else(|| {
            Stop::usage(format!("--now \"{text}\": not a time"), Some("write it as 2026-11-21T20:14:31Z".to_owned()))
        })
    };
    now.map(read).transpose()
}

/// Points every New Relic host to `url`, which may be a stand-in of ours.
pub(super) fn aim(config: &mut Config, url: &str) {
    let host = Some(url.to_owned());
    config.new_relic.hosts = Hosts { events: host.clone(), logs: host.clone(), otlp: host.clone(), nerd_graph: host };
    lend_keys(config);
}

/// A stand-in of ours needs no key of the user's.
pub(super) fn lend_keys(config: &mut Config) {
    let (account, key) = stand_in_account();
    if config.new_relic.license_key.is_empty() {
        config.new_relic.license_key = key;
    }
    if config.new_relic.account_id == 0 {
        config.new_relic.account_id = account;
    }
}

/// The account of our stand-in. Repeated here because the lean build has no stand-in; a test holds the two together.
fn stand_in_account() -> (u64, crate::secret::Secret) {
    (1_234_567, crate::secret::Secret::new("0000000000000000000000000000000STANDNRAL"))
}

async fn to_stdout(config: &Config, inputs: &[Input], now_ms: Option<i64>, signals: &Signals) -> anyhow::Result<Report> {
    // What can be read only once has no newest record until it ends.
    let streams = inputs.iter().any(Input::is_stream);
    let clock = now_ms.map_or_else(Clock::until_moved, Clock::fixed);
    let manner = Manner { follow: streams && now_ms.is_none(), ..Manner::default() };
    // The name of an agent differs from run to run; what is printed must not (P27).
    let stages = Stages { agent: NAME.to_owned(), ..assemble::stages(config, clock.clone(), manner)? };
    let wanted = if now_ms.is_some() { For::Correlations } else { For::Newest };
    let newest_ms = Box::pin(look(NAME, &stages, config, inputs, (wanted, now_ms), signals)).await?;
    if !manner.follow {
        // It stands from now on.
        clock.advance_to(newest_ms.filter(|_| now_ms.is_none()).unwrap_or_else(|| clock.now_ms()));
    }
    let stages = Arc::new(stages);
    let mut ended = Going::new(NAME, config, inputs, Arc::clone(&stages), clock.clone(), signals).printed().await?;
    if !ended.unwanted {
        match beat(&ended, &stages, clock.now_ms()) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ended.unwanted = true,
            Err(error) => return Err(Stop::failed(format!("writing to standard output: {error}"), None).into()),
        }
    }
    Ok(ended)
}

/// Prints what a heartbeat at the end of it would tell: whoever asks these rows can tell silence from peace.
fn beat(ended: &Report, stages: &Stages, now_ms: i64) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for row in heartbeat::of_run(&ended.summary.sources, stages, now_ms) {
        write_line(&mut out, Lane::Events, &row)?;
    }
    out.flush()
}

/// Ends with the error that ended standard output; with none when there was none.
type Unwritten = futures_util::future::Shared<futures_util::future::BoxFuture<'static, Option<Arc<io::Error>>>>;

async fn to_new_relic(config: &Config, inputs: &[Input], restamp: bool, signals: &Signals) -> anyhow::Result<Report> {
    let manner = Manner { refuse_late: !restamp, ..Manner::default() };
    let clock = Clock::system();
    let stages = Arc::new(assemble::stages(config, clock.clone(), manner)?);
    // Who is watched and what is muted may depend on names: a look needs them, too.
    accounts::once(&stages, config, signals.first()).await?;
    Box::pin(look(NAME, &stages, config, inputs, (For::Correlations, Some(clock.now_ms())), signals)).await?;
    Going::new(NAME, config, inputs, stages, clock, signals).sent().await
}

/// Past objects on their way.
pub(super) struct Going<'a> {
    /// Name of the source.
    name: &'static str,
    config: &'a Config,
    inputs: &'a [Input],
    stages: Arc<Stages>,
    clock: Clock,
    signals: &'a Signals,
    /// Time between two looks at how far it has come.
    progress: Option<Duration>,
    /// The caller tells what was not read.
    pub(super) hushed: bool,
}

impl<'a> Going<'a> {
    /// Objects through these stages, shown on a terminal.
    pub(super) fn new(
        name: &'static str,
        config: &'a Config,
        inputs: &'a [Input],
        stages: Arc<Stages>,
        clock: Clock,
        signals: &'a Signals,
    ) -> Self {
        let progress = io::stderr().is_terminal().then_some(Duration::from_millis(250));
        Self { name, config, inputs, stages, clock, signals, progress, hushed: false }
    }

    /// To New Relic, or what stands under its addresses.
    pub(super) async fn sent(self) -> anyhow::Result<Report> {
        let endpoint = Endpoint::new(&self.config.new_relic, self.config.limits.request_timeout)?;
        self.relay(To::NewRelic { endpoint: Box::new(endpoint), patience: Patience::GiveUp }, None).await
    }

    /// As lines on standard output.
    pub(super) async fn printed(self) -> anyhow::Result<Report> {
        let (tell, failed) = oneshot::channel();
        let lines = Lines::new(BufWriter::with_capacity(256 << 10, io::stdout()), tell);
        // Nothing was promised to anybody and no source waits: when nobody takes the output any more, this ends at once.
        let failed: Unwritten = failed.map(|failed| failed.ok().map(Arc::new)).boxed().shared();
        let mut ended = self.relay(To::Outlet(Box::new(lines)), Some(failed.clone())).await?;
        match failed.now_or_never().flatten() {
            None => {}
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => ended.unwanted = true,
            Some(error) => return Err(Stop::failed(format!("writing to standard output: {error}"), None).into()),
        }
        Ok(ended)
    }

    /// Into an outlet of the caller's.
    pub(super) async fn kept(self, outlet: Box<dyn Outlet>) -> anyhow::Result<Report> {
        self.relay(To::Outlet(outlet), None).await
    }

    async fn relay(self, to: To, unwritten: Option<Unwritten>) -> anyhow::Result<Report> {
        let Self { name, config, inputs, stages, clock, signals, progress, hushed } = self;
        let bucket =
            if inputs.iter().any(|input| matches!(input, Input::S3 { .. })) { Some(aws::bucket(None).await) } else { None };
        let source = Replay::new(inputs.to_vec(), bucket, &config.limits);
        let quiet = stages.quiet;
        let source = if quiet || hushed { source.quiet() } else { source };
        let (reading, skipped, hushed) = (source.progress(), source.skipped(), source.hushed());
        let drawing = progress.map(|every| Drawing(tokio::spawn(draw(source.progress(), every))));
        let relay = Relay {
            stages: Arc::clone(&stages),
            limits: config.limits.clone(),
            to,
            dead_letters: if quiet {
                crate::deliver::park::Target::Discard
            } else {
                assemble::target(config.dead_letters.as_ref()).await
            },
            heartbeat: None,
            rollups: crate::pipeline::rollups::EVERY,
            expiry: None,
            posture: None,
            clock,
        };
        let mut watching = None;
        let source = Running::new(name, source).told_by_caller();
        let hurry = async {
            let unwritten = async {
                let failed = match unwritten {
                    Some(unwritten) => unwritten.await,
                    None => None,
                };
                if failed.is_none() {
                    std::future::pending::<()>().await;
                }
                hushed.store(true, Ordering::Relaxed);
            };
            tokio::select! {
                () = signals.second() => {}
                () = unwritten => {}
            }
        };
        let stop = async {
            signals.first().await;
            if !quiet {
                tracing::info!("A second Ctrl-C or SIGTERM ends it at once");
            }
        };
        let started = |watch| watching = Some(Watching(tokio::spawn(unreachable(watch))));
        let summary = relay.run_until(vec![source], stop, hurry, started).await;
        drop((drawing, watching));
        let reading = reading.read();
        let mut skipped = skipped.read();
        for (reason, few) in &summary.skipped {
            skipped.entry(reason).or_default().add(few);
        }
        let thrown = stages.rules.thrown();
        Ok(Report { summary, reading, skipped, thrown, unwanted: false })
    }
}

/// A task that ends with whoever started it.
struct Watching(JoinHandle<()>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The line that shows progress; gone when this is.
struct Drawing(JoinHandle<()>);

impl Drop for Drawing {
    fn drop(&mut self) {
        self.0.abort();
        summary::say("\r\x1b[K");
    }
}

/// Says, now and then, that nobody answers, as long as that is so: nothing is given up, and a person is waiting.
async fn unreachable(watch: Watch) {
    let mut silence = Silence::default();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let answers = watch.traffic.answers();
        let unanswered = answers.get(&0).copied().unwrap_or(0);
        let answered = answers.values().sum::<u64>() - unanswered;
        if silence.worth_a_word(unanswered, answered) {
            let waiting: u64 = watch.counts.iter().map(|counts| counts.snapshot().waiting()).sum();
            let most_s = Backoff::default().most.as_secs();
            tracing::warn!(
                unanswered,
                waiting,
                "No answer: the host cannot be reached. {} read so far, none given up; each batch is tried again \
                 within {most_s} seconds. Ctrl-C ends this and names what was not sent, a second one does so at once",
                super::count(waiting, "record")
            );
        }
    }
}

/// Seconds of silence before it is worth a word, and between two words.
const SILENCE_S: u64 = 5;
const SILENCE_AGAIN_S: u64 = 60;

/// How long nobody has answered; looked at once a second.
#[derive(Debug, Default)]
struct Silence {
    answered: u64,
    unanswered: u64,
    seconds: u64,
}

impl Silence {
    fn worth_a_word(&mut self, unanswered: u64, answered: u64) -> bool {
        if answered > self.answered || unanswered == 0 {
            *self = Self { answered, unanswered, seconds: 0 };
            return false;
        }
        if unanswered == self.unanswered && self.seconds == 0 {
            // It answered last, and is not asked.
            return false;
        }
        self.unanswered = unanswered;
        self.seconds += 1;
        self.seconds % SILENCE_AGAIN_S == SILENCE_S
    }
}

/// A line that shows how far a long replay has come.
async fn draw(progress: Arc<Progress>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let now = progress.read();
        let more = if now.complete { "" } else { "+" };
        let objects = if now.complete && now.found == 1 { "object" } else { "objects" };
        let megabytes = now.ended_bytes as f64 / 1e6;
        summary::say(&format!("\r\x1b[K{} of {}{more} {objects}, {megabytes:.1} MB", now.ended, now.found));
    }
}

/// Prints the summary and chooses the exit code.
fn finish(ended: &Report, args: &Args) -> anyhow::Result<Exit> {
    let text = match args.summary {
        SummaryFormat::Text => ended.text(),
        SummaryFormat::Json => format!("{}\n", ended.json()),
    };
    told(&text, &args.to, ended.stops())
}

/// Prints a summary where what was sent is not, and ends as the most telling of the faults says, which is the last.
pub(super) fn told(text: &str, to: &str, mut stops: Vec<Stop>) -> anyhow::Result<Exit> {
    if to == "stdout" {
        summary::say(text);
    } else {
        print(text)?;
    }
    let last = stops.pop();
    for stop in stops {
        summary::say(&format!("error: {stop}\n"));
        if let Some(hint) = stop.hint {
            summary::say(&format!("  hint: {hint}\n"));
        }
    }
    last.map_or(Ok(Exit::Good), |stop| Err(stop.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "lab")]
    #[test]
    fn the_account_of_the_stand_in_is_the_stand_ins() {
        let (account, key) = stand_in_account();
        assert_eq!(account, crate::lab::backend::ACCOUNT_ID);
        assert_eq!(key.expose(), crate::lab::backend::LICENSE_KEY);
    }

    #[test]
    fn silence_is_told_after_a_while_and_then_now_and_then() {
        let mut silence = Silence::default();
        let said = |silence: &mut Silence, seconds: u64, answered: u64| -> Vec<u64> {
            // A try every four seconds.
            (1..=seconds).filter(|second| silence.worth_a_word(second.div_ceil(4), answered)).collect()
        };
        assert_eq!(said(&mut silence, 130, 0), [5, 65, 125]);
        assert_eq!(said(&mut silence, 130, 7), [9, 69, 129], "an answer ends it, the next silent try begins it anew");
        let mut idle = Silence::default();
        assert!((0..100).all(|_| !idle.worth_a_word(0, 3)), "nobody is asked");
        assert!(!idle.worth_a_word(1, 4) && (0..100).all(|_| !idle.worth_a_word(1, 4)), "answered after all, and asked no more");
    }

    #[test]
    fn a_wrong_target_says_what_is_allowed() {
        let stop = Target::parse("nowhere").err().expect("a stop");
        assert_eq!(stop.to_string(), "--to \"nowhere\": not a target");
        assert!(stop.hint.is_some_and(|hint| hint.contains("newrelic")));
        for good in ["stdout", "newrelic", "http://127.0.0.1:1"] {
            assert!(Target::parse(good).is_ok(), "{good}");
        }
    }
}
