//! `alerts`: what New Relic tells people: list, show, lint, render.
//!
//! In: the conditions that are built in, or files of some in a folder. Out: a table, one condition whole, everything that is wrong
//! with them, the inputs of `NerdGraph` or Terraform's resources. What always holds: nothing is sent and no key is read.

#[cfg(feature = "lab")]
pub(super) mod cases;
mod files;
mod show;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::args::{Format, Lang};
use super::count;
use super::exit::{Exit, Stop};
use super::nrql::names::names;
use super::table::table;
use crate::classify::{CatalogueRow, Frameworks, RuleSet};
use crate::nrql::lint::Names;
use crate::publish::alert::{self, ConditionSource, Definition, Policy, Request, ladder, lint};
use crate::publish::dashboard::Language;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every condition: policy, on or off, what opens it, what it answers
    List {
        /// In which language
        #[arg(long, value_enum, default_value_t = Lang::En)]
        lang: Lang,
        /// How the list looks
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
    /// One condition whole: query, thresholds and why, what people are told, how to make it quieter
    Show {
        /// Its id in `alerts list`
        #[arg(value_name = "ID")]
        id: String,
        /// In which language
        #[arg(long, value_enum, default_value_t = Lang::En)]
        lang: Lang,
    },
    /// Tell everything that is wrong with the conditions; exit code 1 when something is
    Lint {
        /// Folder of policies, folder of one policy, or file of one condition, instead of those that are built in
        #[arg(value_name = "PATH")]
        path: Option<PathBuf>,
        /// How the findings look
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Print the policies and conditions as New Relic takes them: inputs of `NerdGraph`, or Terraform
    ///
    /// The JSON has the mutations and the variables of each: send a policy, then its conditions with the id that comes back. The
    /// Terraform is of the provider `newrelic`. Nothing is sent.
    Render {
        /// For whom
        #[arg(long, value_enum)]
        format: RenderFormat,
        /// New Relic account that has the data and gets the conditions
        #[arg(long, value_name = "N")]
        account: u64,
        /// This policy alone, by its name in `alerts list`
        #[arg(long, value_name = "NAME")]
        policy: Option<String>,
        /// Language of names and texts
        #[arg(long, value_enum, default_value_t = Lang::En)]
        lang: Lang,
        /// Address of the dashboard, for the texts
        #[arg(long, value_name = "URL", value_parser = address)]
        dashboard_url: Option<String>,
        /// Folder of policies, instead of those that are built in
        #[arg(long, value_name = "PATH")]
        from: Option<PathBuf>,
        /// File to write, instead of standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ListFormat {
    /// For people
    #[value(alias = "table")]
    Text,
    /// For machines
    Json,
    /// For nrql/README.md
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RenderFormat {
    /// Mutations and inputs, JSON
    #[value(name = "nerdgraph")]
    NerdGraph,
    /// Resources, HCL
    Terraform,
}

/// An address that people can follow.
fn address(text: &str) -> Result<String, String> {
    let is_one = text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()) && !text.contains(char::is_whitespace);
    is_one.then(|| text.to_owned()).ok_or_else(|| "an address that begins with https:// is needed".to_owned())
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    match args.command {
        Command::List { lang, format } => list(lang.into(), format),
        Command::Show { id, lang } => show(&id, lang.into()),
        Command::Lint { path, format } => check(path.as_deref(), format),
        Command::Render { format, account, policy, lang, dashboard_url, from, out } => {
            let definition = definition(from.as_deref())?;
            let request =
                Request { account, policy: policy.as_deref(), language: lang.into(), dashboard_url: dashboard_url.as_deref() };
            let text = match format {
                RenderFormat::NerdGraph => alert::nerdgraph(&definition, request),
                RenderFormat::Terraform => alert::terraform(&definition, request),
            };
            let hint = from.map(|_| "`cspm-relay alerts lint PATH` tells everything that is wrong".to_owned());
            let text = text.map_err(|error| Stop::usage(error.to_string(), hint))?;
            match out {
                None => super::print(&text)?,
                Some(path) => std::fs::write(&path, text)
                    .map_err(|error| Stop::usage(format!("writing {}: {error}", path.display()), None))?,
            }
            Ok(Exit::Good)
        }
    }
}

/// Those in a folder, or those that are built in.
pub(super) fn definition(path: Option<&Path>) -> anyhow::Result<Definition> {
    Ok(Definition::read(texts(path)?))
}

/// Name, `<policy>/<file>`, and text of the files in a folder, or of those that are built in.
pub(super) fn texts(path: Option<&Path>) -> anyhow::Result<Vec<(String, String)>> {
    Ok(match path {
        None => alert::SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        Some(path) => files::read(path)?,
    })
}

/// What definitions are judged by.
#[derive(Debug)]
pub(super) struct Linter {
    names: Names,
    controls: BTreeSet<String>,
}

impl Linter {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self { names: names()?, controls: controls() })
    }

    /// Everything that is wrong.
    pub(super) fn findings(&self, definition: &Definition) -> Vec<lint::Finding> {
        lint::lint(definition, lint::Known { names: &self.names, controls: &self.controls })
    }
}

/// `control.id` of every control that the relay knows: those of the built-in rules and of the tables of AWS Config's.
fn controls() -> BTreeSet<String> {
    let (rules, frameworks) = (RuleSet::builtin(), Frameworks::default());
    CatalogueRow::rows(&rules, &frameworks, None).iter().map(|row| row.id.to_owned()).collect()
}

fn list(language: Language, format: ListFormat) -> anyhow::Result<Exit> {
    let definition = Definition::shipped();
    let conditions = definition.conditions();
    let text = match format {
        ListFormat::Text => {
            let row = |(policy, condition): (&Policy, &ConditionSource)| {
                vec![
                    policy.key.clone(),
                    condition.id.clone(),
                    switch(condition).to_owned(),
                    ladder(condition).join(", "),
                    condition.question.get(language).to_owned(),
                ]
            };
            table(&["policy", "condition", "", "opens", "question"], &conditions.map(row).collect::<Vec<_>>())
        }
        ListFormat::Json => {
            let object = |(policy, condition): (&Policy, &ConditionSource)| {
                json!({
                    "policy": policy.key, "id": condition.id, "name": condition.name.get(language),
                    "enabled": condition.enabled, "because": condition.because,
                    "opens": alert::opening(condition, language), "question": condition.question.get(language),
                    "responder": condition.responder.as_str(), "requirements": condition.answers,
                    "query": condition.query, "runbook": condition.runbook,
                })
            };
            serde_json::to_string_pretty(&conditions.map(object).collect::<Vec<Value>>())? + "\n"
        }
        ListFormat::Markdown => alert::table(&definition, language),
    };
    super::print(&text)?;
    Ok(Exit::Good)
}

/// On or off, in a word.
fn switch(condition: &ConditionSource) -> &'static str {
    if condition.enabled { "on" } else { "off" }
}

fn show(id: &str, language: Language) -> anyhow::Result<Exit> {
    let definition = Definition::shipped();
    let Some((policy, condition)) = definition.conditions().find(|(_, condition)| condition.id == id) else {
        let hint = Some("`cspm-relay alerts list` has all of them".to_owned());
        return Err(Stop::usage(format!("no condition `{id}`"), hint).into());
    };
    super::print(&show::text(policy, condition, language)?)?;
    Ok(Exit::Good)
}

fn check(path: Option<&Path>, format: Format) -> anyhow::Result<Exit> {
    let definition = definition(path)?;
    let findings = Linter::new()?.findings(&definition);
    let text = match format {
        Format::Text => {
            let mut lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
            let policies = definition.policies.len() as u64;
            lines.push(format!(
                "{policies} {}, {}: {}\n",
                if policies == 1 { "policy" } else { "policies" },
                count(definition.conditions().count() as u64, "condition"),
                count(findings.len() as u64, "finding")
            ));
            lines.join("\n")
        }
        Format::Json => {
            let object = |finding: &lint::Finding| json!({ "file": finding.file, "line": finding.line, "key": finding.key, "message": finding.message });
            serde_json::to_string_pretty(&findings.iter().map(object).collect::<Vec<Value>>())? + "\n"
        }
    };
    super::print(&text)?;
    Ok(if findings.is_empty() { Exit::Good } else { Exit::Found })
}
