//! `dashboards`: what New Relic shows: list, render, lint.
//!
//! In: the definition that is built in, or files of one in a folder. Out: its widgets with their questions, the JSON that New Relic
//! imports, or everything that is wrong with it. What always holds: nothing is sent and no key is read.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::args::{Format, Lang};
use super::count;
use super::exit::{Exit, Stop};
use super::nrql::names::names;
use super::table::table;
use crate::publish::dashboard::{Definition, Language, Request, lint::lint, questions, render};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every widget and the question it answers
    List {
        /// In which language
        #[arg(long, value_enum, default_value_t = Lang::En)]
        lang: Lang,
        /// How the list looks
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
    /// Print the dashboard as New Relic imports it, with your account ids filled in
    ///
    /// Paste what it prints into "Import dashboard", or give it to `NerdGraph` or Terraform (`newrelic_one_dashboard_json`).
    Render {
        /// New Relic account whose data the widgets ask for; several with commas between
        #[arg(long, required = true, value_delimiter = ',', value_name = "N")]
        account: Vec<u64>,
        /// Language of titles and labels
        #[arg(long, value_enum, default_value_t = Lang::En)]
        lang: Lang,
        /// This page alone, by its name in `dashboards list`
        #[arg(long, value_name = "NAME")]
        page: Option<String>,
        /// IANA zone of hours, weekdays and months [default: UTC, with `--lang ja` Asia/Tokyo]
        #[arg(long, value_name = "ZONE", value_parser = zone)]
        timezone: Option<String>,
    },
    /// Tell everything that is wrong with the dashboard's definition; exit code 1 when something is
    Lint {
        /// Folder with the files of a definition, instead of the one that is built in
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
        /// How the findings look
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ListFormat {
    /// For people
    #[value(alias = "table")]
    Text,
    /// For machines
    Json,
    /// For dashboards/README.md
    Markdown,
}

/// A zone by its IANA name.
fn zone(name: &str) -> Result<String, String> {
    let is_known = jiff::tz::TimeZone::get(name).is_ok();
    is_known.then(|| name.to_owned()).ok_or_else(|| "an IANA name is needed, such as Asia/Tokyo or UTC".to_owned())
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    match args.command {
        Command::List { lang, format } => list(lang.into(), format),
        Command::Render { account, lang, page, timezone } => {
            let request =
                Request { language: lang.into(), accounts: &account, page: page.as_deref(), timezone: timezone.as_deref() };
            let document = render(&Definition::shipped()?, request).map_err(|error| Stop::usage(error.to_string(), None))?;
            super::print(&(serde_json::to_string_pretty(&document)? + "\n"))?;
            Ok(Exit::Good)
        }
        Command::Lint { folder, format } => check(folder.as_deref(), format),
    }
}

fn list(language: Language, format: ListFormat) -> anyhow::Result<Exit> {
    let definition = Definition::shipped()?;
    let widgets = definition.widgets();
    let text = match format {
        ListFormat::Text => {
            let rows: Vec<Vec<String>> = widgets
                .map(|(page, widget)| {
                    let drawn = widget.visualization.trim_start_matches("viz.");
                    [page, &widget.id, drawn, widget.question.get(language)].map(str::to_owned).to_vec()
                })
                .collect();
            table(&["page", "widget", "drawn as", "question"], &rows)
        }
        ListFormat::Json => {
            let widgets: Vec<Value> = widgets
                .map(|(page, widget)| {
                    json!({
                        "page": page, "id": widget.id, "title": widget.title.get(language),
                        "question": widget.question.get(language), "visualization": widget.visualization,
                        "requirements": widget.answers,
                    })
                })
                .collect();
            serde_json::to_string_pretty(&widgets)? + "\n"
        }
        ListFormat::Markdown => questions(&definition, language),
    };
    super::print(&text)?;
    Ok(Exit::Good)
}

fn check(folder: Option<&Path>, format: Format) -> anyhow::Result<Exit> {
    let definition = match folder {
        None => Definition::shipped()?,
        Some(folder) => Definition::read(files(folder)?).map_err(|error| Stop {
            exit: Exit::Found,
            what: error.to_string(),
            hint: Some("dashboards/source is a folder to begin from".to_owned()),
        })?,
    };
    let findings = lint(&definition, &names()?);
    let text = match format {
        Format::Text => {
            let mut lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
            lines.push(format!(
                "{}, {}: {}\n",
                count(definition.pages.len() as u64, "page"),
                count(definition.widgets().count() as u64, "widget"),
                count(findings.len() as u64, "finding")
            ));
            lines.join("\n")
        }
        Format::Json => {
            let findings: Vec<Value> = findings
                .iter()
                .map(|finding| {
                    let place = finding.place.as_ref();
                    json!({
                        "file": finding.file, "line": finding.line, "about": finding.about, "message": finding.message,
                        "query": place.map(|place| place.query), "byte": place.map(|place| place.byte),
                    })
                })
                .collect();
            serde_json::to_string_pretty(&findings)? + "\n"
        }
    };
    super::print(&text)?;
    Ok(if findings.is_empty() { Exit::Good } else { Exit::Found })
}

/// Name and text of every YAML file in a folder.
fn files(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let told = |error: std::io::Error| Stop::usage(format!("{}: {error}", folder.display()), None);
    if folder.is_file() {
        let what = format!("{}: a file, and a definition is a folder of YAML files", folder.display());
        return Err(Stop::usage(
            what,
            Some("dashboards/source is one; what `render` prints has no definition any more".to_owned()),
        )
        .into());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.extension().is_some_and(|extension| extension == "yml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, std::fs::read_to_string(&path).map_err(told)?));
        }
    }
    Ok(files)
}
