//! Dead letters: what is in them, and once more.
//!
//! In: the configured target, or the one named. Out: lists, and letters sent again. It shows what is in a letter only when
//! asked, and takes one away only after everything of it has settled well.

mod counts;
mod list;
mod replay;
mod resend;

use std::io::Write as _;
use std::path::PathBuf;

use clap::Subcommand;

use super::args::Format;
use super::assemble;
use super::exit::{Exit, Stop};
use crate::config::queue_url::QueueUrl;
use crate::config::{Config, DeadLetters, Environment, Need, shown};
use crate::deliver::park::Target;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the letters and count their reasons; nothing is changed, what is in them is not shown
    ///
    /// Messages of a queue are received, hidden for two minutes at most and shown again at the end; that counts as one receive.
    List(list::Args),
    /// Send letters again and take away those that went well
    ///
    /// A record is read again by this version and these rules. An object is fetched again by its name and read whole: copies
    /// of its records that were delivered before come again with the same event.id, and their notices with the same
    /// detection.id. A refused event or log is sent again as it is, with the present time if its own has left New Relic's
    /// window. Letters that fail stay as they are; run this after mending the cause, and as often as needed.
    Replay(replay::Args),
}

/// Where letters are.
#[derive(Debug, clap::Args)]
struct Where {
    /// Configuration file; environment variables win over it [default: `CSPM_RELAY_CONFIG`, else the environment alone]
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Letters in another place than the configured one
    #[arg(long, value_name = "FOLDER|s3://BUCKET/PREFIX|QUEUE_URL")]
    from: Option<String>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let runtime = super::runtime()?;
    match args.command {
        Command::List(args) => runtime.block_on(list::run(args)),
        Command::Replay(args) => runtime.block_on(replay::run(args)),
    }
}

impl Where {
    fn load(&self, need: Need, env: &dyn Environment) -> Result<Config, Stop> {
        Config::load_for(need, self.config.as_deref(), env).map_err(|faults| Stop::usage(faults.to_string(), None))
    }

    async fn target(&self, config: &Config) -> Result<Target, Stop> {
        let letters = match &self.from {
            Some(from) => parse(from)?,
            None => config.dead_letters.clone().ok_or_else(|| {
                let hint = "name the place with --from or CSPM_RELAY_DEAD_LETTERS, or write deadLetters into the configuration";
                Stop::usage("no place of dead letters is configured", Some(hint.to_owned()))
            })?,
        };
        Ok(assemble::target(Some(&letters)).await)
    }
}

/// A place as it is written after `--from`.
fn parse(from: &str) -> Result<DeadLetters, Stop> {
    let wrong = |what: &str| {
        let hint = "write a folder, s3://bucket/prefix, or the URL of an SQS queue";
        Err(Stop::usage(format!("--from {}: {what}", shown(from)), Some(hint.to_owned())))
    };
    if let Some(address) = from.strip_prefix("s3://") {
        let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
        return match bucket {
            "" => wrong("it names no bucket"),
            bucket => Ok(DeadLetters::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() }),
        };
    }
    if from.starts_with("http://") || from.starts_with("https://") {
        return match QueueUrl::parse(from) {
            Some(_) => Ok(DeadLetters::Queue { url: from.to_owned() }),
            None => wrong("not the URL of an SQS queue"),
        };
    }
    match std::fs::metadata(from) {
        Ok(found) if found.is_dir() => Ok(DeadLetters::Folder(from.into())),
        Ok(_) => wrong("not a folder"),
        Err(error) => wrong(&error.to_string()),
    }
}

/// Writes about the data to standard error.
fn say(text: &str) {
    // Nobody is left to be told when it is closed.
    let _said = writeln!(std::io::stderr().lock(), "{text}").is_ok();
}

/// Text from a letter on a terminal: what would steer the terminal is shown, not done.
fn harmless(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        assert_eq!(parse(path).unwrap(), DeadLetters::Folder(path.into()));
        let s3 = |prefix: &str| DeadLetters::S3 { bucket: "b".to_owned(), prefix: prefix.to_owned() };
        assert_eq!(parse("s3://b/deep/er").unwrap(), s3("deep/er"));
        assert_eq!(parse("s3://b").unwrap(), s3(""));
        let url = "https://sqs.eu-west-1.amazonaws.com/111122223333/dead";
        assert_eq!(parse(url).unwrap(), DeadLetters::Queue { url: url.to_owned() });
        for (from, says) in [
            ("s3:///x", "names no bucket"),
            ("https://example.com/x", "not the URL of an SQS queue"),
            ("/no/such/folder", "No such file"),
        ] {
            let stop = parse(from).unwrap_err();
            assert!(stop.what.contains(says), "{from}: {}", stop.what);
            assert_eq!(stop.exit, Exit::Usage, "{from}");
        }
    }

    #[test]
    fn a_letter_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\n監査"), "a\\u{1b}[2Jb\\n監査");
    }
}
