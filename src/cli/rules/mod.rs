//! `rules`: the detective controls: list, show, test, import, to-nrql, catalogue.
//!
//! In: the built-in rules and those of folders. Out: what they are, or how their samples ended. What always holds: a broken
//! rule file is told with file, line and what is allowed, and stops no other; nothing is sent and no key is read.

mod catalogue;
mod import;
pub(super) mod junit;
mod outcome;
mod sarif;
mod show;
mod to_nrql;

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::args::{ConfigFile, Format};
use super::exit::{Exit, Stop};
use super::table::table;
use crate::classify::{Rule, RuleFault, RuleSet};
use crate::config::nearest::nearest;
use crate::config::{self, Need, env};
use outcome::Tested;

/// Most ids that are offered for one that is not there.
const MEANT: usize = 5;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every rule that runs, most severe first
    List {
        #[command(flatten)]
        from: From,
        /// How the list looks
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Everything about one rule
    Show {
        /// Its id, as `rules list` shows it, or its Sigma id
        name: String,
        #[command(flatten)]
        from: From,
    },
    /// Write a page for each rule and a page of all, in Markdown
    Catalogue(catalogue::Args),
    /// Rules as NRQL over raw records, for alert conditions without the relay's detections
    ToNrql {
        /// A rule's id or Sigma id [default: all rules]
        name: Option<String>,
        #[command(flatten)]
        from: From,
        /// How the result looks
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Which rules of other people run here, and why the others do not
    #[command(subcommand)]
    Import(import::Form),
    /// Run the samples in the rule files; exit code 1 when one fails or a file is broken
    Test {
        /// Rule files or folders to test alone, without the built-in rules and those of the configuration; its placeholders hold
        #[arg(value_name = "PATH", conflicts_with = "folder")]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        from: From,
        /// Also take out each part of each condition: exit code 1 when the samples do not notice
        #[arg(long)]
        mutations: bool,
        /// How the result looks
        #[arg(long, value_enum, default_value_t = TestFormat::Text)]
        format: TestFormat,
    },
}

/// Where rules come from: the configuration's `rules.folders` less `rules.disable`, and more folders.
#[derive(Debug, clap::Args)]
struct From {
    #[command(flatten)]
    file: ConfigFile,
    /// One more folder with rules; may be repeated
    #[arg(long, value_name = "PATH")]
    folder: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum TestFormat {
    /// For people
    Text,
    /// For machines
    Json,
    #[value(help = "JUnit XML, for CI")]
    Junit,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

impl From {
    fn load(self) -> anyhow::Result<(RuleSet, Vec<RuleFault>)> {
        Ok(RuleSet::load(&self.settings()?))
    }

    fn settings(self) -> anyhow::Result<config::Rules> {
        there(&self.folder)?;
        let mut rules = self.file.load(Need::LOCAL, &env::Process)?.rules;
        rules.folders.extend(self.folder);
        Ok(rules)
    }
}

/// Whether what the command line names is there: it is told as wrong usage, as a typing mistake is.
fn there(paths: &[PathBuf]) -> Result<(), Stop> {
    // What is there and may not be looked at is told by whoever reads it.
    let gone = paths.iter().find(|path| matches!(path.try_exists(), Ok(false)));
    gone.map_or(Ok(()), |path| Err(Stop::usage(format!("{}: no such file or folder", path.display()), None)))
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    match args.command {
        Command::List { from, format } => list(from, format),
        Command::Show { name, from } => show(&name, from),
        Command::Catalogue(args) => catalogue::run(args),
        Command::ToNrql { name, from, format } => to_nrql(name.as_deref(), from, format),
        Command::Import(form) => import::run(form),
        Command::Test { paths, from, mutations, format } => {
            there(&paths)?;
            test(&paths, &from.settings()?, mutations, format)
        }
    }
}

fn list(from: From, format: Format) -> anyhow::Result<Exit> {
    let (set, faults) = from.load()?;
    warn(&faults);
    let text = match format {
        Format::Text => {
            let rows: Vec<Vec<String>> = set.rules().iter().map(row).collect();
            table(&["severity", "score", "id", "pillar", "tactic", "origin", "title"], &rows)
        }
        Format::Json => {
            let rules: Vec<Value> = set.rules().iter().map(object).collect();
            serde_json::to_string_pretty(&rules)? + "\n"
        }
    };
    super::print(&text)?;
    Ok(Exit::Good)
}

fn row(rule: &Rule) -> Vec<String> {
    let origin = if rule.builtin { "built in" } else { &*rule.file };
    let tactic = rule.tactics.first().unwrap_or_default();
    let score = rule.score.to_string();
    [rule.severity.as_str(), &*score, &*rule.id, rule.pillar.as_str(), tactic, origin, &*rule.title].map(str::to_owned).to_vec()
}

fn object(rule: &Rule) -> Value {
    json!({
        "id": rule.id, "sigmaId": rule.sigma_id, "title": rule.title, "description": rule.description, "author": rule.author,
        "severity": rule.severity.as_str(), "score": rule.score, "pillar": rule.pillar.as_str(), "notify": rule.notify,
        "tactics": rule.tactics.items(), "techniques": rule.techniques.items(), "frameworks": rule.frameworks.items(),
        "remediation": rule.remediation, "runbook": rule.runbook, "falsePositives": rule.false_positives,
        "references": rule.references, "correlation": rule.correlation, "builtin": rule.builtin, "file": rule.file, "line": rule.line,
        "samples": rule.samples.len(),
    })
}

fn show(name: &str, from: From) -> anyhow::Result<Exit> {
    let (set, faults) = from.load()?;
    let Some(rule) = set.rules().iter().find(|rule| is_named(rule, name)) else {
        warn(&faults);
        return Err(unknown("showing", name, set.rules()).into());
    };
    super::print(&show::page(rule))?;
    Ok(Exit::Good)
}

fn is_named(rule: &Rule, name: &str) -> bool {
    [Some(&rule.id), rule.sigma_id.as_ref()].into_iter().flatten().any(|id| id.eq_ignore_ascii_case(name))
}

/// No rule has this name.
fn unknown<'r>(doing: &str, name: &str, rules: impl IntoIterator<Item = &'r Rule>) -> Stop {
    let ids: Vec<&str> = rules.into_iter().map(|rule| rule.id.as_str()).collect();
    let hint = match &*meant(name, ids.into_iter()) {
        [] => "`cspm-relay rules list` shows the ids".to_owned(),
        near => format!("did you mean one of: {}?", near.join(", ")),
    };
    Stop::usage(format!("{doing} rule {name:?}: no rule that runs has this id"), Some(hint))
}

fn to_nrql(name: Option<&str>, from: From, format: Format) -> anyhow::Result<Exit> {
    let rules = from.settings()?;
    let mut all: Vec<to_nrql::Said> = RuleSet::to_nrql(&rules).into_iter().map(to_nrql::Said::new).collect();
    if let Some(name) = name {
        let Some(at) = all.iter().position(|said| is_named(&said.rule, name)) else {
            warn(&RuleSet::load(&rules).1);
            return Err(unknown("translating", name, all.iter().map(|said| &said.rule)).into());
        };
        all = vec![all.swap_remove(at)];
    }
    let text = match (format, &*all) {
        (Format::Json, all) => serde_json::to_string_pretty(&to_nrql::objects(all))? + "\n",
        (Format::Text, [said]) if name.is_some() => to_nrql::page(said),
        (Format::Text, all) => to_nrql::list(all),
    };
    super::print(&text)?;
    let is_said = name.is_none() || all.iter().all(|said| said.query.is_ok());
    Ok(if is_said { Exit::Good } else { Exit::Found })
}

/// Ids that were probably meant: those with this part, else the one that is nearly the same, else those with words like these.
fn meant<'a>(name: &str, ids: impl Iterator<Item = &'a str> + Clone) -> Vec<&'a str> {
    let part = name.to_ascii_lowercase();
    let with_part: Vec<&str> = ids.clone().filter(|id| id.contains(&*part)).take(MEANT).collect();
    if !with_part.is_empty() {
        return with_part;
    }
    if let Some(near) = nearest(name, ids.clone()) {
        return vec![near];
    }
    let has_words = |id: &&str| name.split('-').all(|word| !word.is_empty() && nearest(word, id.split('-')).is_some());
    ids.filter(has_words).take(MEANT).collect()
}

fn test(paths: &[PathBuf], rules: &config::Rules, mutations: bool, format: TestFormat) -> anyhow::Result<Exit> {
    let ((set, faults), unproven) = if paths.is_empty() {
        (RuleSet::load(rules), if mutations { RuleSet::unproven(rules) } else { Vec::new() })
    } else {
        let unproven = if mutations { RuleSet::unproven_alone(paths, rules) } else { Vec::new() };
        (RuleSet::alone(paths, rules), unproven)
    };
    let tested = Tested::run(&set, faults, unproven);
    super::print(&match format {
        TestFormat::Text => tested.text(),
        TestFormat::Json => serde_json::to_string_pretty(&tested.json())? + "\n",
        TestFormat::Junit => junit::report(&tested),
        TestFormat::Sarif => serde_json::to_string_pretty(&sarif::report(&tested))? + "\n",
    })?;
    Ok(if tested.is_good() { Exit::Good } else { Exit::Found })
}

/// Tells of broken rules beside the output.
fn warn(faults: &[RuleFault]) {
    use std::io::Write as _;
    for fault in faults {
        let hint = fault.hint.map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
        // Nobody is left to be told that a warning could not be said.
        let _said = std::io::stderr().write_all(format!("warning: {fault}{hint}\n").as_bytes()).is_ok();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Placeholders of the configuration hold for the rules of a path, too.
    #[test]
    fn rules_of_a_path_are_tested_with_the_placeholders_of_the_configuration() {
        let folder = tempfile::tempdir().expect("a folder");
        let rule = "title: One\nname: one\nlogsource: {product: aws, service: cloudtrail}\nlevel: low\ndetection:\n  s: {eventName|expand: '%Calls%'}\n  condition: s\n\
                    cspm: {samples: {match: [{name: it, record: {eventName: Go}}], noMatch: [{name: other, record: {eventName: Stay}}]}}\n";
        let (path, config) = (folder.path().join("one.yml"), folder.path().join("config.yml"));
        std::fs::write(&path, rule).expect("a file");
        std::fs::write(&config, "version: 1\nrules: {placeholders: {Calls: [Go]}}\n").expect("a file");
        // The environment of whoever runs the tests says nothing.
        let empty = BTreeMap::<String, String>::new();
        let with = |config: Option<PathBuf>| ConfigFile { config }.load(Need::LOCAL, &empty).expect("a configuration").rules;
        let ended = |rules: config::Rules| test(std::slice::from_ref(&path), &rules, true, TestFormat::Text).expect("an end");
        assert_eq!((ended(with(None)), ended(with(Some(config)))), (Exit::Found, Exit::Good));
    }

    #[test]
    fn what_was_meant_is_offered() {
        let ids = ["root-user-activity", "iam-user-created", "s3-bucket-deleted", "s3-bucket-policy-changed"];
        for (name, expected) in [
            ("iam-user", &["iam-user-created"][..]),
            ("S3-Bucket", &["s3-bucket-deleted", "s3-bucket-policy-changed"]),
            ("iam-user-craeted", &["iam-user-created"]),
            ("rot-user", &["root-user-activity"]),
            ("bukcet-policy", &["s3-bucket-policy-changed"]),
            ("kubernetes", &[]),
            ("rot-nothing", &[]),
        ] {
            assert_eq!(meant(name, ids.into_iter()), expected, "{name}");
        }
    }
}
