//! `nrql`: New Relic's query language: check queries, list its functions, run a query.
//!
//! In: queries in a file, or one as an argument. Out: what is wrong with them and where; the functions; the rows of one. What
//! always holds: checking and listing need no account, no data and no lab.

mod check;
mod functions;

use std::path::PathBuf;

use super::args::Format;
use super::exit::{Exit, Stop};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["query", "parse_only", "functions"])))]
pub(super) struct Args {
    /// The query to run on local data; needs the lab
    #[arg(value_name = "QUERY")]
    query: Option<String>,
    /// Only read the queries in a file, one a line, and tell what is wrong with them; - for standard input
    ///
    /// What follows a tab is passed over, so are blank lines; the characters `\n` stand for a line break. Exit code 1 when one
    /// is no NRQL.
    #[arg(long, value_name = "FILE")]
    parse_only: Option<PathBuf>,
    /// List every function: arguments, what it gives, whether the lab runs it as New Relic does
    #[arg(long)]
    functions: bool,
    /// How the result looks
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    match (args.parse_only, args.query) {
        (Some(file), _) => check::run(&file, args.format),
        (None, Some(query)) => ask(&query),
        (None, None) => functions::run(args.format),
    }
}

/// Runs one query.
fn ask(query: &str) -> anyhow::Result<Exit> {
    crate::nrql::parse(query).map_err(|fault| Stop::usage(fault.to_string(), None))?;
    let hint = "`--parse-only FILE` and `--functions` work without it".to_owned();
    Err(Stop::usage("running a query needs the engine of the lab, which this build is without", Some(hint)).into())
}
