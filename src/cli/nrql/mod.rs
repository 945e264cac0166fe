//! `nrql`: New Relic's query language: check queries, list its functions, run a query.
//!
//! In: queries in a file, one as an argument or some that a person types; rows of this machine, or New Relic's. Out: what is wrong
//! with them and where; the functions; rows, printed or in a folder. What always holds: checking and listing need no account, no
//! data and no lab; asking New Relic needs no lab.

#[cfg(feature = "lab")]
mod advice;
mod check;
mod file;
mod functions;
#[cfg(feature = "lab")]
mod import;
mod lint;
#[cfg(feature = "lab")]
mod local;
pub(super) mod names;
mod newrelic;
mod rows;

use std::path::PathBuf;

use super::args;
use super::exit::{Exit, Stop};
#[cfg(feature = "lab")]
use super::lookup;
#[cfg(feature = "lab")]
use super::replay::moment;
use crate::nrql;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").args(["query", "parse_only", "lint", "functions", "rules"])))]
pub(super) struct Args {
    /// The query to run; without it queries are read from standard input, one a line
    #[arg(value_name = "QUERY")]
    query: Option<String>,
    /// Rows to ask: a file or folder of Parquet or of lines as `replay` prints them
    #[cfg(feature = "lab")]
    #[arg(long, value_name = "PATH", conflicts_with_all = ["parse_only", "lint", "functions", "rules", "on"])]
    data: Option<PathBuf>,
    /// What is now, as 2026-11-21T20:14:31Z [default: just after the newest row]
    #[cfg(feature = "lab")]
    #[arg(long, value_name = "TIME", requires = "data")]
    now: Option<String>,
    /// Read rows of any age; without it those older than 30 days, metrics 395, are hidden, as New Relic drops them
    #[cfg(feature = "lab")]
    #[arg(long, requires = "data")]
    no_retention: bool,
    /// A table for lookup(NAME): a CSV file whose first line names the columns; may be given more than once
    ///
    /// A cell is a truth, a number or a text, as in New Relic, where an account id becomes a number: string(id) is its text.
    #[cfg(feature = "lab")]
    #[arg(long, value_name = "NAME=FILE", value_parser = lookup::asked, requires = "data", conflicts_with = "save")]
    lookup: Vec<lookup::Asked>,
    /// Write rows into this folder as Parquet, one file for each event type: those of --data, or all that a query lists --on newrelic
    ///
    /// On New Relic the query is `SELECT * FROM Type WHERE … SINCE … UNTIL …`; it is read in parts of its window, so that no limit
    /// leaves rows out. Either all rows are written or none.
    #[cfg(feature = "lab")]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["parse_only", "lint", "functions", "rules"])]
    save: Option<PathBuf>,
    /// Ask New Relic instead, with a user key and the account in the environment
    #[arg(long, value_enum, requires = "query")]
    on: Option<On>,
    /// Only read the queries in a file, one a line, and tell what is wrong with them; - for standard input
    ///
    /// What follows a tab is passed over, so are blank lines; the characters `\n` stand for a line break. Exit code 1 when one
    /// is no NRQL.
    #[arg(long, value_name = "FILE")]
    parse_only: Option<PathBuf>,
    /// Tell all that is wrong with the queries in a file, one a line, or one in a file named *.nrql; - for standard input
    ///
    /// Names are those of `cspm-relay schema`. Exit code 1 when one has an error; warnings alone are none.
    #[arg(long, value_name = "FILE")]
    lint: Option<PathBuf>,
    /// What the queries of --lint are for
    #[arg(long, value_enum, value_name = "PURPOSE", requires = "lint", default_value_t = lint::For::Saved)]
    purpose: lint::For,
    /// List every function: arguments, what it gives, whether the lab runs it as New Relic does
    #[arg(long)]
    functions: bool,
    /// List every rule of --lint: what it says and why
    #[arg(long)]
    rules: bool,
    /// How the result looks
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Whom to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum On {
    /// New Relic's own database
    Newrelic,
}

/// How a result looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people
    #[value(alias = "text")]
    Table,
    /// For machines
    Json,
    /// For spreadsheets
    Csv,
}

impl Format {
    /// Of what is no rows.
    fn plain(self) -> Result<args::Format, Stop> {
        match self {
            Self::Table => Ok(args::Format::Text),
            Self::Json => Ok(args::Format::Json),
            Self::Csv => Err(Stop::usage("--format csv is for the rows of a query", Some("use table or json".to_owned()))),
        }
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    if let Some(file) = &args.parse_only {
        return check::run(file, args.format.plain()?);
    }
    if let Some(file) = &args.lint {
        return lint::run(file, args.purpose, args.format.plain()?);
    }
    if args.rules {
        return lint::rules(args.format.plain()?);
    }
    if args.functions {
        return functions::run(args.format.plain()?);
    }
    match &args.query {
        Some(query) if args.on.is_some() => {
            nrql::parse(query).map_err(|fault| Stop::usage(fault.to_string(), None))?;
            let account = newrelic::Account::of_environment()?;
            #[cfg(feature = "lab")]
            if let Some(to) = &args.save {
                return import::run(&account, query, to);
            }
            account.ask(query, args.format)
        }
        _ => local(&args),
    }
}

/// Asks the rows of this machine.
#[cfg(feature = "lab")]
fn local(args: &Args) -> anyhow::Result<Exit> {
    let hint = "`--data PATH` names rows of this machine, `--on newrelic` asks New Relic";
    let data = args.data.as_ref().ok_or_else(|| Stop::usage("nothing to ask", Some(hint.to_owned())))?;
    if args.save.is_some() && args.query.is_some() {
        let hint = "leave the query out to save all rows, or ask New Relic with `--on newrelic`".to_owned();
        return Err(Stop::usage("--save writes all rows of --data, and a query has other ones", Some(hint)).into());
    }
    // A query that is none is said before the rows are read.
    if let Some(query) = &args.query {
        nrql::parse(query).map_err(|fault| Stop::usage(fault.to_string(), None))?;
    }
    let lookups = lookup::tables(&args.lookup)?;
    let local = local::Local::open(data, lookups, moment(args.now.as_deref())?, args.no_retention)?;
    match (&args.save, &args.query) {
        (Some(to), _) => local.save(to),
        (None, Some(query)) => local.ask(query, args.format),
        (None, None) => local.talk(args.format),
    }
}

/// Asks the rows of this machine, which needs the lab.
#[cfg(not(feature = "lab"))]
fn local(args: &Args) -> anyhow::Result<Exit> {
    if let Some(query) = &args.query {
        nrql::parse(query).map_err(|fault| Stop::usage(fault.to_string(), None))?;
    }
    let hint = "`--on newrelic`, `--parse-only FILE`, `--lint FILE` and `--functions` work without it".to_owned();
    Err(Stop::usage("running a query on local rows needs the lab, which this build is without", Some(hint)).into())
}

/// Where a byte of a query stands, for people.
#[cfg(feature = "lab")]
fn place(query: &str, byte: usize) -> String {
    let before = query.get(..byte).unwrap_or(query);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
    if query.contains('\n') { format!("at line {line}, column {column}") } else { format!("at column {column}") }
}
