//! The command line: one file per command.
//!
//! In: arguments. Out: an [`Exit`]. Commands read the configuration, build what they need and call the stages through
//! [`pipeline`](crate::pipeline); they hold no logic of the path itself. Data goes to standard output, everything about it to
//! standard error.

mod accounts;
mod alerts;
mod args;
mod assemble;
#[cfg(feature = "lab")]
mod backtest;
#[cfg(feature = "lab")]
mod bars;
mod check;
mod cost;
mod dashboards;
#[cfg(feature = "lab")]
mod demo;
mod dlq;
mod doctor;
pub mod exit;
mod health;
mod iam;
mod ingest;
#[cfg(feature = "lab")]
mod lookup;
mod nrql;
#[cfg(feature = "lab")]
mod past;
#[cfg(feature = "lab")]
mod preview;
mod quickstart;
mod replay;
mod rules;
mod run;
mod schema;
#[cfg(feature = "lab")]
mod stand_in;
mod summary;
mod table;
#[cfg(feature = "lab")]
mod tune;
mod writable;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write as _;

use clap::{Parser, Subcommand};

use exit::Exit;

/// Streams AWS CloudTrail security events, AWS Config compliance and security findings into New Relic, and can prove that nothing was
/// lost.
#[derive(Debug, Parser)]
#[command(name = "cspm-relay", bin_name = "cspm-relay", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask five questions; write a configuration, the dashboards for your account, and the IAM policy
    ///
    /// Every question has a flag, so that it runs without a terminal too. The licence key is never asked for, only where it is. No
    /// file is replaced without `--force`.
    Quickstart(quickstart::Args),
    /// Run the agent
    ///
    /// It needs a New Relic account (`NEW_RELIC_ACCOUNT_ID`), an ingest licence key (`NEW_RELIC_LICENSE_KEY`), something to
    /// read (a queue in `CSPM_RELAY_TRAIL_QUEUE_URL` or `CSPM_RELAY_EVENT_QUEUE_URL`, AWS Config in
    /// `CSPM_RELAY_POSTURE_REGIONS`), in the environment or in a file, and AWS credentials: the environment's, a profile's or
    /// those of a role. `cspm-relay check` tells what is missing. SIGTERM or Ctrl-C ends it.
    Run(run::Args),
    /// Send past records through the same pipeline: files, folders, an S3 prefix or standard input
    Replay(replay::Args),
    /// Send what others found as findings: results of scanners of code
    Ingest(ingest::Args),
    /// Tell everything that is wrong with the configuration, or what it does; or print a complete example
    Check(check::Args),
    /// Prove access to New Relic: key, region and account, with one test event found again
    Doctor(doctor::Args),
    /// The detective controls: list, show, test, write their pages
    Rules(rules::Args),
    /// The dashboard for New Relic: list its questions, render it for an account, lint it
    Dashboards(dashboards::Args),
    /// The alert conditions for New Relic: list, show, lint, render for NerdGraph or Terraform
    Alerts(alerts::Args),
    /// Print every attribute that is ever sent: type, unit, event types, meaning
    Schema(schema::Args),
    /// Weigh what past records would cost in New Relic, by type, account and rule, and what each setting saves
    Cost(cost::Args),
    /// Check NRQL queries, list its functions, run a query
    Nrql(nrql::Args),
    /// Dead letters: list, replay
    Dlq(dlq::Args),
    /// Print the least-privilege IAM policies of this configuration, and whose each is
    ///
    /// One for the agent's role; with `posture.role` one for that role in each account; with dead letters one for who replays them.
    /// What is too long for one policy is several. Environment variables count, `AWS_REGION` too: give those that the agent has.
    Iam(iam::Args),
    /// Ask the agent on this machine whether it works: exit code 0 or 1, for a container health check
    Health(health::Args),
    /// Stream bundled AWS records through the agent to a local New Relic stand-in: no account, no key
    #[cfg(feature = "lab")]
    Demo(demo::Args),
    /// Show the dashboards in the browser as New Relic draws them, on rows of this machine
    ///
    /// `cspm-relay replay PATH --to stdout > rows.ndjson` makes rows of your own records. The page is served on this machine only and
    /// loads nothing from elsewhere.
    #[cfg(feature = "lab")]
    Preview(preview::Args),
    /// Tell what the alert conditions would have opened on past records, before they page anybody
    ///
    /// Records go through the same pipeline as the agent's, conditions through a copy of New Relic's streaming evaluation, in the order
    /// of arrival. `--budget 5/week` ends with 1 when a week had more pages than that.
    #[cfg(feature = "lab")]
    Backtest(backtest::Args),
    /// Make the alert conditions fit a budget of pages, and tell which attacks would then be missed
    ///
    /// Shows who and what makes the pages, finds exceptions, thresholds and windows, the narrow before the broad, and writes them as a
    /// diff to review: no file is changed. With records the numbers after come from replaying them with the changes. Ends with 1 when
    /// the budget cannot be met.
    #[cfg(feature = "lab")]
    Tune(tune::Args),
    /// Run the local New Relic stand-in on its own, to try settings against it
    #[cfg(feature = "lab")]
    StandIn(stand_in::Args),
}

/// Runs one command.
///
/// # Errors
/// What ended the command; [`exit::explain`] prints it.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Exit> {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => {
            let exit = if usage.use_stderr() { Exit::Usage } else { Exit::Good };
            unless_closed(usage.print())?;
            return Ok(exit);
        }
    };
    match cli.command {
        Command::Quickstart(args) => quickstart::run(args),
        Command::Run(args) => run::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Ingest(args) => ingest::run(args),
        Command::Check(args) => check::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Dashboards(args) => dashboards::run(args),
        Command::Alerts(args) => alerts::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Cost(args) => cost::run(args),
        Command::Nrql(args) => nrql::run(args),
        Command::Dlq(args) => dlq::run(args),
        Command::Iam(args) => iam::run(args),
        Command::Health(args) => health::run(args),
        #[cfg(feature = "lab")]
        Command::Demo(args) => demo::run(args),
        #[cfg(feature = "lab")]
        Command::Preview(args) => preview::run(args),
        #[cfg(feature = "lab")]
        Command::Backtest(args) => backtest::run(args),
        #[cfg(feature = "lab")]
        Command::Tune(args) => tune::run(args),
        #[cfg(feature = "lab")]
        Command::StandIn(args) => stand_in::run(args),
    }
}

/// A runtime for a command; commands are synchronous outside of it.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).thread_name("relay").build()?)
}

/// Runs a command that moves records. A thread that is stuck in a read, of standard input or a dead file system, does not
/// keep the process from ending.
fn block_on<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = runtime()?;
    let ended = runtime.block_on(command);
    runtime.shutdown_background();
    ended
}

/// What to do when an address is taken.
#[cfg(feature = "lab")]
const FREE_PORT: &str = "`--listen 127.0.0.1:0` takes a free port and says which";

/// Writes text to standard output.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    unless_closed(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// A reader that has gone (`| head`) is no error.
fn unless_closed(written: std::io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A number with its noun.
fn count<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let end = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{end}")
}

/// Ends when the process is asked to stop: SIGTERM, or Ctrl-C. Listened to from the call on, not only once somebody waits: whoever
/// says that it has started must not be killed by the first signal.
fn stop_signal() -> impl Future<Output = ()> + Send {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn heard(listener: std::io::Result<Signal>) {
        match listener {
            Ok(mut listener) => drop(listener.recv().await),
            // Without the handler the default ends the process, as it should.
            Err(_) => std::future::pending().await,
        }
    }
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async move {
        tokio::select! {
            () = heard(terminate) => {}
            () = heard(interrupt) => {}
        }
    }
}
