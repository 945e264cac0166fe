//! `cspm-relay ingest`: what others found, as findings.
//!
//! In: files of scan results, and what the caller knows of the scan. Out: findings in New Relic, a summary in which every result
//! has an outcome, and an exit code that is 0 only when everything was read and accepted. The path is that of `replay`; nobody
//! is woken, and nothing is remembered between two scans.

mod report;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use self::report::Ingested;
use super::accounts;
use super::args::ConfigFile;
use super::assemble::{self, Manner};
use super::block_on;
use super::exit::{Exit, Stop};
use super::replay::signals::Signals;
use super::replay::{Going, SummaryFormat, Target, aim, moment, told};
use crate::clock::Clock;
use crate::config::{Need, env};
use crate::health;
use crate::pipeline::worker::Stages;
use crate::pipeline::worker::sarif::Scans;
use crate::record::finding::sarif::Scan;
use crate::record::trail::is_account_id;
use crate::source::replay::Input;

/// Name of the source, in events and in the summary.
const NAME: &str = "ingest";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, clap::Subcommand)]
enum Form {
    /// Results of scanners of code, SARIF 2.1.0: Checkov, Trivy, KICS, cfn-guard, Semgrep and others
    ///
    /// Each result that fails becomes an `AwsSecurityFinding` with `control.pillar = 'IaC'`. It sends no `AwsSecurityNotice`, so no
    /// alert on notices fires: a scan wakes nobody. Results that pass, that someone accepted (suppressions) or that are unchanged
    /// since the scan they are compared with are counted, not sent; absent ones are told as resolved. What an exception covers is
    /// sent as `EXCEPTED` and counted as suppressed. The exit code is 0 when every result was read and accepted, whatever was
    /// found; 2 for wrong usage, 3 when something could not be read or was not sent.
    Sarif(SarifArgs),
}

#[derive(Debug, clap::Args)]
struct SarifArgs {
    /// Files, packed with gzip or not, or `-` for standard input, which is held whole
    #[arg(required = true, value_name = "FILE")]
    files: Vec<OsString>,
    /// newrelic, stdout, or a base URL that stands for every New Relic host
    #[arg(long, default_value = "newrelic", value_name = "TARGET")]
    to: String,
    /// Where the code comes from [default: what the file says, else `unknown`]
    #[arg(long, value_name = "ADDRESS")]
    repository: Option<String>,
    /// Commit that was scanned [default: what the file says]
    #[arg(long, value_name = "COMMIT")]
    revision: Option<String>,
    /// Branch [default: what the file says, else `unknown`]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Account that the code is deployed to, 12 digits [default: `unknown`, a scan is of code]
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Environment that the code is deployed to [default: that of the account, if it is known]
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Folder that the scan ran in, beside the present one and those that the file names: paths are shown relative to it
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
    /// The moment at which standard output is made, ISO 8601 [default: the present]
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    #[command(flatten)]
    config: ConfigFile,
    /// Form of the summary
    #[arg(long, value_enum, default_value_t = SummaryFormat::Text)]
    summary: SummaryFormat,
}

/// Ingests.
pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let Form::Sarif(args) = args.form;
    sarif(args)
}

fn sarif(args: SarifArgs) -> anyhow::Result<Exit> {
    let target = Target::parse(&args.to)?;
    let inputs = args.files.iter().map(file).collect::<Result<Vec<_>, _>>()?;
    let now_ms = moment(args.now.as_deref())?;
    let (scan, is_of_an_account) = (scan(&args)?, args.account.is_some());
    let need = if matches!(target, Target::NewRelic) { Need::SEND } else { Need::LOCAL };
    let mut config = args.config.load(need, &env::Process)?;
    super::writable::check(config.dead_letters.as_ref())?;
    if let Target::Url(url) = &target {
        aim(&mut config, url);
    }
    health::log::start(&config.telemetry)?;
    block_on(async {
        let signals = Signals::listen()?;
        let clock = match (&target, now_ms) {
            (Target::Stdout, Some(now_ms)) => Clock::fixed(now_ms),
            (Target::Stdout, None) => Clock::fixed(Clock::system().now_ms()),
            _ => Clock::system(),
        };
        let scans = Some(Scans::new(scan, config.limits.object_bytes));
        let stages = Arc::new(Stages { scans, ..assemble::stages(&config, clock.clone(), Manner::default())? });
        // A scan of code without an account has no name to be asked for.
        if !matches!(target, Target::Stdout) && is_of_an_account {
            accounts::once(&stages, &config, signals.first()).await?;
        }
        let mut going = Going::new(NAME, &config, &inputs, Arc::clone(&stages), clock, &signals);
        going.hushed = true;
        let gone = match target {
            Target::Stdout => going.printed().await?,
            Target::NewRelic | Target::Url(_) => going.sent().await?,
        };
        let unread = stages.scans.as_ref().map(Scans::unread).unwrap_or_default();
        let ended = Ingested { gone, unread };
        let text = match args.summary {
            SummaryFormat::Text => ended.text(),
            SummaryFormat::Json => format!("{}\n", ended.json()),
        };
        told(&text, &args.to, ended.stops())
    })
}

/// One file, which must be there.
fn file(name: &OsString) -> Result<Input, Stop> {
    let hint = || Some("name files, or - for standard input".to_owned());
    let input = Input::parse(name).map_err(|error| Stop::usage(error.what, hint()))?;
    input.exists().map_err(|error| Stop::usage(error.what, hint()))?;
    match &input {
        Input::S3 { .. } => Err(Stop::usage(format!("reading {}: not a file", name.display()), hint())),
        Input::Path(path) if path.is_dir() => Err(Stop::usage(format!("reading {}: a folder", path.display()), hint())),
        Input::Path(_) | Input::Stdin => Ok(input),
    }
}

/// What the caller says of the scan. An empty word is none: a variable of a CI that is not set.
fn scan(args: &SarifArgs) -> Result<Scan, Stop> {
    let word = |word: &Option<String>| word.as_deref().map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned);
    let account = word(&args.account);
    if let Some(account) = account.as_deref().filter(|id| !is_account_id(id)) {
        return Err(Stop::usage(format!("--account \"{account}\": not an account"), Some("12 digits are needed".to_owned())));
    }
    let present = std::path::absolute(".").ok();
    let roots = args.root.iter().chain(&present).map(|root| root.to_string_lossy().into_owned()).collect();
    let scan = Scan {
        account,
        environment: word(&args.environment),
        repository: word(&args.repository),
        revision: word(&args.revision),
        branch: word(&args.branch),
        roots,
    };
    Ok(scan.without_user())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Only {
        #[command(flatten)]
        args: SarifArgs,
    }

    fn args(arguments: &[&str]) -> SarifArgs {
        let all = ["ingest", "-"].iter().chain(arguments).copied();
        Only::try_parse_from(all).expect("arguments").args
    }

    #[test]
    fn an_empty_word_is_none_and_an_address_names_nobody() {
        let given = args(&["--account", "111122223333", "--branch", "", "--repository", "https://ci:token@git.example.com/a"]);
        let read = scan(&given).expect("a scan");
        assert_eq!((read.account.as_deref(), read.branch.as_deref()), (Some("111122223333"), None));
        assert_eq!(read.repository.as_deref(), Some("https://git.example.com/a"));
        let stop = scan(&args(&["--account", "prod"])).expect_err("no account");
        assert_eq!((stop.to_string(), stop.exit), ("--account \"prod\": not an account".to_owned(), Exit::Usage));
        assert!(scan(&args(&["--account", " "])).expect("a scan").account.is_none());
    }

    #[test]
    fn only_files_are_taken() {
        for (name, want) in [
            ("s3://bucket/key", "reading s3://bucket/key: not a file"),
            ("s3:///key", "reading s3:///key: it names no bucket"),
            ("/", "reading /: a folder"),
            ("no such file", "reading no such file: No such file or directory (os error 2)"),
        ] {
            let stop = file(&OsString::from(name)).expect_err(name);
            assert_eq!((stop.to_string(), stop.exit), (want.to_owned(), Exit::Usage));
        }
        assert_eq!(file(&OsString::from("-")).expect("standard input"), Input::Stdin);
    }
}
