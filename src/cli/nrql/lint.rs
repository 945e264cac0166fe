//! `nrql --lint`: what is wrong with the queries of a file.
//!
//! In: queries of a file, what they are for. Out: one line for each finding, as compilers write it, and how many there are. What
//! always holds: positions are those of the file; every query is judged, whatever is wrong with the others.

use std::path::Path;

use serde_json::{Value, json};

use super::file::{self, NO_UTF8, Query};
use super::names::names;
use crate::cli::args::Format;
use crate::cli::count;
use crate::cli::exit::Exit;
use crate::cli::table::table;
use crate::nrql::lint::{Names, Purpose, RULES, Severity, report};

/// What queries are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum For {
    /// To be run as they are
    Saved,
    /// Widgets of a dashboard
    Widget,
    /// Conditions of alerts
    Condition,
}

impl For {
    fn purpose(self) -> Purpose {
        match self {
            Self::Saved => Purpose::Saved,
            Self::Widget => Purpose::Widget { own_window: false },
            Self::Condition => Purpose::Condition { terms: Vec::new(), fills_gaps: false },
        }
    }
}

/// A finding at its place in the file.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    line: usize,
    column: usize,
    severity: Severity,
    rule: &'static str,
    message: String,
    hint: String,
}

pub(super) fn run(file: &Path, purpose: For, format: Format) -> anyhow::Result<Exit> {
    let queries = file::queries(file)?;
    let told = told(&queries, &names()?, &purpose.purpose());
    let shown = file.display();
    let of = |severity: Severity| told.iter().filter(|one| one.severity == severity).count();
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let text = match format {
        Format::Text => {
            let lines = told.iter().map(|one| {
                let Told { line, column, severity, rule, message, hint } = one;
                let hint = if hint.is_empty() { String::new() } else { format!("; {hint}") };
                format!("{shown}:{line}:{column}: {}[{rule}]: {message}{hint}\n", severity.as_str())
            });
            let [queries, errors, warnings] =
                [(queries.len(), "query"), (errors, "error"), (warnings, "warning")].map(|(number, of)| counted(number, of));
            lines.collect::<String>() + &format!("{queries}: {errors}, {warnings}\n")
        }
        Format::Json => {
            let findings: Vec<Value> = told
                .iter()
                .map(|one| {
                    json!({
                        "line": one.line, "column": one.column, "severity": one.severity.as_str(), "rule": one.rule,
                        "message": one.message, "hint": one.hint,
                    })
                })
                .collect();
            let report = json!({
                "file": file.to_string_lossy(), "queries": queries.len(), "errors": errors, "warnings": warnings,
                "findings": findings,
            });
            serde_json::to_string_pretty(&report)? + "\n"
        }
    };
    crate::cli::print(&text)?;
    Ok(if errors == 0 { Exit::Good } else { Exit::Found })
}

/// `nrql --rules`: every rule.
pub(super) fn rules(format: Format) -> anyhow::Result<Exit> {
    let text = match format {
        Format::Text => {
            let rows: Vec<Vec<String>> = RULES
                .iter()
                .map(|rule| [rule.id, rule.severity.as_str(), rule.says, rule.why].map(str::to_owned).to_vec())
                .collect();
            table(&["rule", "severity", "says", "why"], &rows)
        }
        Format::Json => {
            let rows: Vec<Value> = RULES
                .iter()
                .map(|rule| json!({"rule": rule.id, "severity": rule.severity.as_str(), "says": rule.says, "why": rule.why}))
                .collect();
            serde_json::to_string_pretty(&rows)? + "\n"
        }
    };
    crate::cli::print(&text)?;
    Ok(Exit::Good)
}

fn counted(number: usize, of: &str) -> String {
    if of == "query" && number != 1 { format!("{number} queries") } else { count(number as u64, of) }
}

/// Judges every query.
fn told(queries: &[Query], names: &Names, purpose: &Purpose) -> Vec<Told> {
    let mut told = Vec::new();
    for query in queries {
        let Ok(text) = &query.text else {
            let (line, column) = query.place(0);
            let (severity, rule) = (Severity::Error, "syntax");
            told.push(Told { line, column, severity, rule, message: NO_UTF8.to_owned(), hint: String::new() });
            continue;
        };
        told.extend(report(text, names, purpose).into_iter().map(|reported| {
            let finding = reported.finding;
            let (line, column) = query.place(finding.span.start);
            let (severity, rule, message, mut hint) = (finding.severity, finding.rule, finding.message, finding.hint);
            if rule == "syntax" {
                hint.push_str(query.hint(finding.span.start));
            }
            Told { line, column, severity, rule, message, hint }
        }));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_stand_at_their_place_in_the_file() {
        let file = b"SELECT count(*) FROM AwsSecurityEvent SINCE 1 day ago\n\n\
                     SELECT count(*)\\nFROM AwsSecurityEvents\tbehind a tab\nSELECT \xff\nSELECT 'x' FRM";
        let told = told(&file::lines(file), &names().unwrap(), &Purpose::Saved);
        let places: Vec<_> = told.iter().map(|one| (one.line, one.column, one.rule)).collect();
        assert_eq!(places, [(3, 1, "last-hour"), (3, 23, "unknown-event-type"), (4, 8, "syntax"), (5, 12, "syntax")]);
        assert_eq!(told[1].hint, "did you mean `AwsSecurityEvent`?");
    }
}
