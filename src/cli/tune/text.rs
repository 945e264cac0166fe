//! What tuning found, on a terminal.
//!
//! In: a report. Out: text: pages by period, the steps, conditions, attacks, rules with a bar for each day, the diff. What always
//! holds: what is cut is said.

use super::diff::Diff;
use super::report::{Line, Period, Report};
use crate::cli::table::table;
use crate::cli::{bars, count};
use crate::lab::tune::{Contribution, Contributor, Step};
use crate::record::time;

/// What stands above the diff.
fn review(diff: &Diff) -> String {
    let within = diff.folder.as_ref().map(|folder| format!(", in {folder}")).unwrap_or_default();
    let mut text = format!(
        "To review, then `git apply` or `patch -p1`{within}. The reasons in the files are those of before. What it gives: `backtest PATH \
         --conditions FOLDER`, with the file of exceptions in CSPM_RELAY_EXCEPTIONS.\n"
    );
    if !diff.stale.is_empty() {
        text += "The cases of these files name incidents that no longer come so: write them anew, or leave the edit out.\n";
        text.extend(diff.stale.iter().map(|file| format!("  {file}\n")));
    }
    text
}

/// Rules that are shown: those of most rows.
const RULES: usize = 30;

pub(super) fn text(report: &Report, diff: &Diff, is_shown: bool) -> String {
    let mut text = periods(report);
    text += &steps(report);
    text += &conditions(report);
    text += &attacks(report);
    text += &rules(report);
    for (id, why) in &report.refused {
        text += &format!("\nREFUSED  {id}: {why}\n");
    }
    if !report.untested.is_empty() {
        text += &format!("\nnot judged, there are no rows for them: {}\n", report.untested.join(", "));
    }
    if !report.unclosed.is_empty() {
        text += &format!("\nnot judged to the end, the rows end before their last windows do: {}\n", report.unclosed.join(", "));
    }
    if diff.text.is_empty() {
        text += "\nnothing to change\n";
    } else {
        text += &format!("\n{}", review(diff));
        text += &if is_shown { format!("\n{}", diff.text) } else { String::new() };
    }
    text
}

fn periods(report: &Report) -> String {
    let row = |period: &Period| {
        let over = if period.after > report.budget.most { "EXCEEDED" } else { "" };
        vec![time::format_ms(period.begin_ms), period.before.to_string(), period.after.to_string(), over.to_owned()]
    };
    let quiet = |period: &&Period| period.before + period.after == 0;
    let rows: Vec<Vec<String>> = report.periods.iter().filter(|period| !quiet(period)).map(row).collect();
    let quiet = report.periods.iter().filter(quiet).count();
    let period = report.budget.period.as_str();
    let after = if report.is_estimate { "after (estimated)" } else { "after" };
    let verdict = match (report.holds(), report.is_estimate) {
        (true, false) => "holds",
        (true, true) => "holds, as far as rows tell,",
        (false, _) => "EXCEEDED",
    };
    let mut text = format!(
        "budget {}: {verdict} after {}\n\n{}",
        report.budget,
        count(report.found.steps.len(), "change"),
        table(&[&format!("{period} from"), "pages", after, ""], &rows)
    );
    if quiet > 0 {
        text += &format!("  … {} without a page\n", count(quiet, period));
    }
    text
}

fn steps(report: &Report) -> String {
    if report.found.steps.is_empty() {
        return String::new();
    }
    let row =
        |step: &Step| vec![step.change.to_string(), step.before.to_string(), step.after.to_string(), step.missed.join(", ")];
    let rows: Vec<Vec<String>> = report.found.steps.iter().map(row).collect();
    format!("\n{}", table(&["change", "pages", "after", "attacks missed"], &rows))
}

fn conditions(report: &Report) -> String {
    if report.lines.is_empty() {
        return "\nno condition pages anybody\n".to_owned();
    }
    let row = |line: &Line| vec![line.id.clone(), line.before.to_string(), line.after.to_string()];
    let rows: Vec<Vec<String>> = report.lines.iter().map(row).collect();
    let mut text = format!("\n{}", table(&["condition", "critical incidents", "after"], &rows));
    let muted = report.muted_for_everybody();
    if !muted.is_empty() {
        text += &format!("tell nobody of anybody any more: {}\n", Vec::from_iter(muted).join(", "));
    }
    let silenced = report.silenced();
    if !silenced.is_empty() {
        text += &format!("page nobody any more, whatever comes: {}\n", Vec::from_iter(silenced).join(", "));
    }
    text
}

fn attacks(report: &Report) -> String {
    if report.labelled.is_empty() {
        return "\nno attacks are labelled (--labels): what would be missed is not known\n".to_owned();
    }
    let told = |number: usize| format!("{number} of {}", count(report.labelled.len(), "labelled attack"));
    let mut text =
        format!("\n{} paged before, {} after\n", told(report.found.paged_before.len()), report.found.paged_after.len());
    for (what, names) in [
        ("missed then", report.missed()),
        ("no page even before", report.unpaged()),
        ("without a detection, or no such record", report.found.undetected.iter().collect()),
    ] {
        for name in names {
            text += &format!("  {what}: {name}\n");
        }
    }
    text
}

fn rules(report: &Report) -> String {
    let width = bars::width(report.days.len());
    let days = |made: &Contribution| -> Vec<u64> {
        let days: Vec<u64> = report.days.iter().map(|day| made.by_day.get(day).copied().unwrap_or(0)).collect();
        days.chunks(width).map(|days| days.iter().sum()).collect()
    };
    let most = report.found.made.iter().flat_map(days).max().unwrap_or(0);
    let row = |made: &Contribution| {
        vec![
            made.control.clone(),
            made.rows.to_string(),
            bars::text(&days(made), most),
            named(&made.actors),
            named(&made.accounts),
            named(&made.sources),
        ]
    };
    let rows: Vec<Vec<String>> = report.found.made.iter().take(RULES).map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["rule", "detections", "by day", "actors", "accounts", "sources"];
    let mut text = format!("\n{}", table(&header, &rows));
    if let (Some(first), Some(last)) = (report.days.first(), report.days.last()) {
        text += &format!("{first} to {last}: a bar is {}, the highest {most}\n", count(width, "day"));
    }
    if report.found.made.len() > RULES {
        text += &format!("  … {} more: --format json has all\n", report.found.made.len() - RULES);
    }
    text
}

/// The first two of those that most came from.
fn named(all: &[Contributor]) -> String {
    all.iter().take(2).map(|one| format!("{} {}", one.rows, short(&one.name))).collect::<Vec<_>>().join(", ")
}

/// A name that fits a column.
fn short(name: &str) -> String {
    const WIDEST: usize = 40;
    if name.chars().count() <= WIDEST { name.to_owned() } else { name.chars().take(WIDEST - 1).chain(['…']).collect() }
}
