//! `quickstart`: from five questions to what a first run needs.
//!
//! In: answers, by flags or from a person at a terminal. Out: a commented configuration, the dashboards in both languages, the IAM
//! policy, and the next commands. What always holds: nothing is connected to; no key is asked for or written, only where it is; what
//! is written has been read back as the agent reads it, wherever it runs; no file is replaced or removed without `--force`; what could
//! not be finished is taken back.

mod answers;
mod ask;
mod questions;
mod words;
mod write;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::exit::{Exit, Stop};
use super::print;
use crate::config::{Config, Environment, Need, env};
use crate::publish::dashboard::{Definition, Language, Request, render};
use crate::publish::iam;
use answers::Answers;
use ask::Asking;
use words::Say;

/// Name of the configuration.
const CONFIG: &str = "cspm-relay.yml";

/// Arguments.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Folder to write into; it is made where it is not there
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Language of the questions [default: that of `LC_ALL` or `LANG`]
    #[arg(long, value_enum)]
    lang: Option<Lang>,
    /// New Relic data centre: us, eu, jp
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// New Relic account id; the dashboards ask all that are named, with commas between, and the first one gets the data
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Where the licence key is, never the key itself: `env:NAME` or `file:PATH` [default: `env:NEW_RELIC_LICENSE_KEY`]
    #[arg(long, value_name = "WHERE")]
    license_key: Option<String>,
    /// URL of the SQS queue with notifications of the trail's bucket, or none [default: none]
    #[arg(long, value_name = "URL")]
    trail_queue: Option<String>,
    /// Bucket of the trail, several with commas between, or any that a notification names [default: any]
    #[arg(long, value_name = "BUCKET")]
    trail_bucket: Option<String>,
    /// URL of the SQS queue with `EventBridge` events, or none [default: none]
    #[arg(long, value_name = "URL")]
    event_queue: Option<String>,
    /// Whose AWS Config is read: off, own, aggregator:NAME, or account ids with commas between [default: off]
    #[arg(long, value_name = "WHOSE")]
    posture: Option<String>,
    /// Regions whose AWS Config is read, with commas between [default: the queue's]
    #[arg(long, value_name = "REGIONS")]
    posture_regions: Option<String>,
    /// Region where the aggregator of --posture is [default: the event queue's, else the trail queue's, else that of `AWS_REGION`]
    #[arg(long, value_name = "REGION")]
    aggregator_region: Option<String>,
    /// Role that the agent takes in each account of --posture [default: cspm-relay-read]
    #[arg(long, value_name = "ROLE")]
    posture_role: Option<String>,
    /// Where dead letters go: `s3://bucket/prefix`, the URL of an SQS queue, or none; not asked [default: none]
    #[arg(long, value_name = "WHERE")]
    dead_letters: Option<String>,
    /// IANA time zone of days, weeks and months [default: UTC, in Japanese Asia/Tokyo]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Ask nothing: take the default of every question that has no flag
    #[arg(long)]
    yes: bool,
    /// Replace files that are there, and remove policies of an earlier run that are no longer needed
    #[arg(long)]
    force: bool,
}

/// A language as it is asked for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Lang {
    /// English
    En,
    /// Japanese
    Ja,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let environment = env::Process;
    let language = language(args.lang, &environment);
    let is_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stderr());
    let asking = Asking::new(language, &mut input, &mut output, is_terminal && !args.yes, args.yes);
    let answers = questions::all(&args, &environment, asking)?;
    let files = files(&answers)?;
    let paths: Vec<(PathBuf, &str)> = files.iter().map(|(name, text)| (args.dir.join(name), text.as_str())).collect();
    let stale = stale(&args.dir, &files);
    write::all(&paths, &stale, args.force, language)?;
    print(&ending(&args.dir, &files, &stale, &answers))?;
    std::io::stderr().flush()?;
    Ok(Exit::Good)
}

/// The language that was asked for, else that of the environment.
fn language(asked: Option<Lang>, environment: &dyn Environment) -> Language {
    let of_environment = || {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().filter_map(|name| environment.get(name));
        let set = set.filter_map(|text| text.into_string().ok()).find(|text| !text.is_empty());
        if set.is_some_and(|text| text.starts_with("ja")) { Language::Japanese } else { Language::English }
    };
    match asked {
        Some(Lang::En) => Language::English,
        Some(Lang::Ja) => Language::Japanese,
        None => of_environment(),
    }
}

/// Names and texts of everything that is written.
fn files(answers: &Answers) -> anyhow::Result<Vec<(String, String)>> {
    let text = yaml::text(answers);
    let config = read_back(&text)?;
    let definition = Definition::shipped()?;
    let mut files = vec![(CONFIG.to_owned(), text)];
    for (name, language) in [("dashboards/cspm.json", Language::English), ("dashboards/cspm.ja.json", Language::Japanese)] {
        let request = Request { language, accounts: &answers.accounts, page: None, timezone: Some(&answers.timezone) };
        let document = render(&definition, request).map_err(|error| Stop::usage(error.to_string(), None))?;
        files.push((name.to_owned(), serde_json::to_string_pretty(&document)? + "\n"));
    }
    for policy in iam::policies(&config) {
        let text = serde_json::to_string_pretty(&policy.json())? + "\n";
        files.push((policy.file, text));
    }
    Ok(files)
}

/// Policies of an earlier run that these answers do not need: whoever attached all files would grant too much. Only what is named and
/// reads as one that was written here.
fn stale(folder: &Path, files: &[(String, String)]) -> Vec<PathBuf> {
    let is_policy = |name: &str| {
        let stem = name.strip_suffix(".json")?;
        let number = iam::FILES.iter().find_map(|(policy, _)| stem.strip_prefix(policy))?;
        // As it is written: `-2` and on.
        let is_number = |text: &str| text.parse().is_ok_and(|number: u32| number > 1 && number.to_string() == text);
        (number.is_empty() || number.strip_prefix('-').is_some_and(is_number)).then_some(())
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let entries = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let old = names.filter(|name| is_policy(name).is_some() && !files.iter().any(|(kept, _)| kept == name));
    let mut stale: Vec<PathBuf> = old.map(|name| folder.join(name)).filter(|path| is_ours(path)).collect();
    stale.sort();
    stale
}

/// Whether every statement of a policy has a name of the table's; one that was too long has a number behind.
fn is_ours(path: &Path) -> bool {
    let Ok(text) = std::fs::read(path) else { return false };
    let policy: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let is_row = |sid: &str| iam::ROWS.iter().any(|row| row.sid == sid.trim_end_matches(|c: char| c.is_ascii_digit()));
    let statements = policy.get("Statement").and_then(serde_json::Value::as_array);
    statements.is_some_and(|all| {
        all.iter().all(|statement| statement.get("Sid").and_then(serde_json::Value::as_str).is_some_and(is_row))
    })
}

/// The configuration as the agent will read it, but for the key, which may not be there yet. Nothing of this machine's environment
/// counts: the agent's machine may have another Region, and the policy is made of what is read here.
fn read_back(text: &str) -> Result<Config, Stop> {
    const KEY: &str = "0000000000000000000000000000000000000000";
    let variables = BTreeMap::from([("NEW_RELIC_LICENSE_KEY".to_owned(), KEY.to_owned())]);
    let config = Config::of_text(Need::RUN, text.as_bytes(), &variables);
    config.map_err(|faults| Stop::usage(format!("these answers do not go together\n{faults}"), None))
}

/// What was written, what is left to a person, and the next commands.
fn ending(folder: &Path, files: &[(String, String)], stale: &[PathBuf], answers: &Answers) -> String {
    let language = answers.language;
    let mut text = format!("{}\n", words::WRITTEN.get(language));
    for (name, _) in files {
        let about = words::file(name);
        text += &format!("  {}  {}\n", folder.join(name).display(), about.get(language));
    }
    if !stale.is_empty() {
        text += &format!("{}\n", words::REMOVED.get(language));
        for path in stale {
            text += &format!("  {}\n", path.display());
        }
    }
    let is_any_bucket = answers.trail_queue.is_some() && answers.trail_buckets.is_empty();
    let notes: [(bool, Say); 3] = [
        (is_any_bucket, words::ANY_BUCKET),
        (answers.event_queue.is_some(), words::ANY_CONFIG_BUCKET),
        (answers.event_queue.is_some() || answers.posture.is_on(), words::NO_STATE),
    ];
    for (_, note) in notes.iter().filter(|(holds, _)| *holds) {
        text += &format!("{}\n", note.get(language));
    }
    let config = quoted(&folder.join(CONFIG).display().to_string());
    text += &format!("\n{}\n", words::NEXT.get(language));
    if let Some(variable) = answers.license_key.strip_prefix("env:") {
        text += &format!("  export {variable}=…  # {}\n", words::EXPORT.get(language));
    }
    for (command, about) in [
        (format!("cspm-relay check {config}"), words::CHECK),
        (format!("cspm-relay doctor newrelic --config {config}"), words::DOCTOR),
        (format!("cspm-relay run {config}"), words::RUN),
    ] {
        text += &format!("  {command}  # {}\n", about.get(language));
    }
    text
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
