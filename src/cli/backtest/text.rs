//! A back-test on a terminal: a table by condition with a bar for each day, and the incidents below.
//!
//! In: a report. Out: text. What always holds: bars of all conditions have one scale; what was cut is said.

use super::report::{Line, Report};
use crate::cli::count;
use crate::cli::table::table;
use crate::nrql::condition::Priority;
use crate::record::time;

/// From nothing to the most of any day.
const BARS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Bars in a row; where there are more days one bar is several.
const BARS_MAX: usize = 60;
/// Incidents that are written out.
const INCIDENTS: usize = 50;

pub(super) fn text(report: &Report) -> String {
    let mut text = format!(
        "{} from {} to {}\n\n",
        count(report.rows as u64, "row"),
        time::format_ms(report.begin_ms),
        time::format_ms(report.end_ms)
    );
    let width = report.days.len().div_ceil(BARS_MAX).max(1);
    let bars = |line: &Line| -> Vec<u64> { line.by_day.chunks(width).map(|days| days.iter().sum()).collect() };
    let most = report.lines.iter().flat_map(bars).max().unwrap_or(0);
    let rows: Vec<Vec<String>> = report.lines.iter().map(|line| row(line, &bars(line), most)).collect();
    text += &table(&["policy", "condition", "", "critical", "warning", "signals", "late rows", "incidents"], &rows);
    if let (Some(first), Some(last)) = (report.days.first(), report.days.last()) {
        let of = count(width as u64, "day");
        text += &format!("\n{first} to {last} ({}): a bar is {of}, the highest {most}; * approximate\n", report.zone);
    }
    for line in &report.lines {
        if let Some(why) = &line.refused {
            text += &format!("REFUSED  {}: {why}\n", line.id);
        }
        for note in &line.notes {
            text += &format!("note     {}: {note}\n", line.id);
        }
    }
    text += &incidents(report);
    text += &format!(
        "\n{} and {} of conditions that are on\n",
        count(report.pages(Priority::Critical) as u64, "critical incident"),
        count(report.pages(Priority::Warning) as u64, "warning")
    );
    if let Some(verdict) = &report.budget {
        let worst = verdict.periods.iter().map(|(_, number)| *number).max().unwrap_or(0);
        let period = verdict.budget.period.as_str();
        text += &format!(
            "budget {}: at most {worst} a {period}: {}\n",
            verdict.budget,
            if verdict.exceeded.is_empty() { "holds" } else { "EXCEEDED" }
        );
        for (begin, number) in &verdict.exceeded {
            text += &format!("  {period} from {}: {number}\n", time::format_ms(*begin));
        }
    }
    text
}

fn row(line: &Line, bars: &[u64], most: u64) -> Vec<String> {
    let of = |priority| line.incidents.iter().filter(|told| told.priority == priority).count().to_string();
    let bars: String = bars.iter().map(|number| bar(*number, most)).collect();
    let mark = if line.approximate { "*" } else { "" };
    vec![
        line.policy.clone(),
        format!("{}{mark}", line.id),
        if line.enabled { "on" } else { "off" }.to_owned(),
        of(Priority::Critical),
        of(Priority::Warning),
        line.signals.to_string(),
        line.late.to_string(),
        bars,
    ]
}

fn bar(number: u64, most: u64) -> char {
    let step = if number == 0 { 0 } else { (number * 8).div_ceil(most.max(1)).clamp(1, 8) };
    usize::try_from(step).ok().and_then(|step| BARS.get(step)).copied().unwrap_or('?')
}

fn incidents(report: &Report) -> String {
    let mut all: Vec<(&Line, &super::report::Told)> =
        report.lines.iter().flat_map(|line| line.incidents.iter().map(move |told| (line, told))).collect();
    all.sort_by_key(|(_, told)| told.opened_ms);
    if all.is_empty() {
        return "\nno incident\n".to_owned();
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .take(INCIDENTS)
        .map(|(line, told)| {
            let facets: Vec<String> = told.facets.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let closed = told.closed.map_or("open".to_owned(), |(ms, why)| format!("{} {why}", time::format_ms(ms)));
            vec![
                time::format_ms(told.opened_ms),
                closed,
                told.priority.word().to_owned(),
                line.id.clone(),
                told.cause.clone(),
                facets.join(" "),
            ]
        })
        .collect();
    let mut text = String::from("\n") + &table(&["opened", "closed", "priority", "condition", "cause", "signal"], &rows);
    if all.len() > INCIDENTS {
        text += &format!("  … {} more: --format json has all\n", all.len() - INCIDENTS);
    }
    text
}
