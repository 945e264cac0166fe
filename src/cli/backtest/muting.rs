//! The files of muting rules.
//!
//! In: a file, or a folder of them. Out: their rules, in the order of the files' names. What always holds: a folder without any is an
//! error that says what is expected; everything that is wrong with the files is told at once.

use std::path::{Path, PathBuf};

use crate::cli::exit::Stop;
use crate::nrql::muting::MutingRule;
use crate::publish::alert::muting_rules;

/// Endings of the files of a folder.
const ENDINGS: [&str; 2] = ["yml", "yaml"];

pub(in crate::cli) fn read(path: &Path) -> Result<Vec<MutingRule>, Stop> {
    let hint = || {
        let what = "a file is a YAML list of rules, each with name, enabled, condition {operator, conditions: [{attribute, operator, \
             values}]} and, if it is not for ever, schedule {startTime, endTime, timeZone, repeat}";
        Some(what.to_owned())
    };
    let told = |path: &Path, error: std::io::Error| Stop::usage(format!("--muting {}: {error}", path.display()), None);
    let mut paths = vec![path.to_owned()];
    if path.is_dir() {
        let entries = std::fs::read_dir(path).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
        let entries: Vec<PathBuf> = entries.map_err(|error| told(path, error))?;
        let is_file = |path: &PathBuf| path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
        paths = entries.into_iter().filter(is_file).collect();
    }
    if paths.is_empty() {
        return Err(Stop::usage(format!("--muting {}: no .yml file there", path.display()), hint()));
    }
    let text = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).map_err(|error| told(path, error))?;
        Ok((path.display().to_string(), text))
    };
    let files = paths.iter().map(text).collect::<Result<Vec<_>, Stop>>()?;
    muting_rules(files).map_err(|findings| {
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        Stop::usage(lines.join("\n"), hint())
    })
}
