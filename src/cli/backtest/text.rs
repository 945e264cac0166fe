//! A back-test on a terminal: a table by condition with a bar for each day, incidents and issues below.
//!
//! In: a report. Out: text. What always holds: bars of all conditions have one scale; what was cut, not tested or is not sure is said.

use super::report::{Line, PAGES, Report, Told, Verdict};
use crate::cli::table::table;
use crate::cli::{bars, count};
use crate::nrql::condition::Priority;
use crate::record::time;

/// Incidents, and issues, that are written out.
const WRITTEN: usize = 50;

pub(super) fn text(report: &Report) -> String {
    let mut text = format!(
        "{} that arrived from {} to {}\n\n",
        count(report.rows, "row"),
        time::format_ms(report.first_ms),
        time::format_ms(report.last_ms)
    );
    let (width, most) = (report.bar_days(), report.highest());
    let rows: Vec<Vec<String>> = report.lines.iter().map(|line| row(line, &line.bars(width), most)).collect();
    text += &table(&["policy", "condition", "", "critical", "warning", "signals", "late rows", "incidents"], &rows);
    if let (Some(first), Some(last)) = (report.days.first(), report.days.last()) {
        let of = count(width, "day");
        text += &format!("\n{first} to {last} ({}): a bar is {of}, the highest {most}; * approximate\n", report.zone);
    }
    for line in &report.lines {
        for (word, what) in doubts(line) {
            text += &format!("{word:9}{}: {what}\n", line.id);
        }
    }
    for (rule, asked) in &report.muting_notes {
        text += &format!("{:9}{rule}: asks for {asked}: New Relic alone knows, blank here\n", "muting");
    }
    text += &incidents(report);
    text += &issues(report);
    let muted = report.incidents().filter(|told| told.muted.is_some()).count();
    text += &format!(
        "\n{} from {} and {} of conditions that are on, {muted} of them muted\n{PAGES}\n",
        count(report.pages, "page"),
        count(report.number(Priority::Critical), "critical incident"),
        count(report.number(Priority::Warning), "warning")
    );
    text += &report.budget.as_ref().map(budget).unwrap_or_default();
    let untested = report.lines.iter().filter(|line| line.enabled && line.untested.is_some()).count();
    if report.budget.is_some() && untested > 0 {
        let (are, they) = if untested == 1 { ("is", "it") } else { ("are", "they") };
        let untested = count(untested, "condition");
        text += &format!("  {untested} that {are} on had no rows: what {they} would have told is not in this\n");
    }
    text
}

fn row(line: &Line, bars: &[u64], most: u64) -> Vec<String> {
    let mark = if line.approximate { "*" } else { "" };
    let known = line.refused.is_none() && line.untested.is_none();
    let number = |number: String| if known { number } else { "-".to_owned() };
    let bars: String = match (&line.refused, &line.untested) {
        (Some(_), _) => "refused".to_owned(),
        (None, Some(why)) => format!("not tested: {why}"),
        (None, None) => bars::text(bars, most),
    };
    vec![
        line.policy.clone(),
        format!("{}{mark}", line.id),
        if line.enabled { "on" } else { "off" }.to_owned(),
        number(line.number(Priority::Critical).to_string()),
        number(line.number(Priority::Warning).to_string()),
        number(line.signals.to_string()),
        number(line.late.to_string()),
        bars,
    ]
}

/// What to know before the numbers of a condition are believed.
fn doubts(line: &Line) -> Vec<(&'static str, String)> {
    let mut doubts: Vec<(&str, String)> = line.refused.iter().map(|why| ("REFUSED", why.clone())).collect();
    if line.late > 0 {
        doubts.push(("late", format!("{} too late for their windows: lost to it", count(line.late, "row"))));
    }
    if line.unclosed > 0 {
        doubts.push(("waiting", format!("{} with rows that nothing closed: never judged", count(line.unclosed, "window"))));
    }
    if line.still_open() > 0 {
        doubts.push(("open", format!("{} still open when the rows end", count(line.still_open(), "incident"))));
    }
    doubts.extend(line.notes.iter().map(|note| ("note", note.clone())));
    doubts
}

fn incidents(report: &Report) -> String {
    let mut all: Vec<(&Line, &Told)> =
        report.lines.iter().flat_map(|line| line.incidents.iter().map(move |told| (line, told))).collect();
    all.sort_by_key(|(_, told)| told.incident.opened_ms);
    if all.is_empty() {
        return "\nno incident\n".to_owned();
    }
    let row = |(line, told): &(&Line, &Told)| {
        let closed = told.closed().map_or("still open".to_owned(), |(ms, why)| format!("{} {why}", time::format_ms(ms)));
        let muted = told.muted.as_ref().map(|rule| format!(" (muted: {rule})")).unwrap_or_default();
        vec![
            time::format_ms(told.incident.opened_ms),
            closed,
            format!("{}{muted}", told.incident.priority.word()),
            format!("#{}", told.issue),
            format!("{}/{}", line.policy, line.id),
            told.cause(),
            signal(&told.facets),
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().take(WRITTEN).map(row).collect();
    let header = ["incident opened", "closed", "priority", "issue", "condition", "cause", "signal"];
    format!("\n{}{}", table(&header, &rows), more(all.len()))
}

fn issues(report: &Report) -> String {
    let rows = report.issues.iter().take(WRITTEN).map(|issue| {
        let page = match (issue.paged_ms, &issue.muted, issue.enabled) {
            (Some(ms), ..) => time::format_ms(ms),
            (None, Some(rule), _) => format!("muted: {rule}"),
            (None, None, false) => "off".to_owned(),
            (None, None, true) => "no".to_owned(),
        };
        vec![
            format!("#{}", issue.number),
            time::format_ms(issue.opened_ms),
            issue.closed_ms.map_or("still open".to_owned(), time::format_ms),
            page,
            issue.incidents.to_string(),
            issue.policy.clone(),
            issue.conditions.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
            issue.cause.clone(),
            signal(&issue.facets),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["issue", "opened", "closed", "page", "incidents", "policy", "conditions", "first cause", "first signal"];
    format!("\n{}{}", table(&header, &rows), more(report.issues.len()))
}

fn more(number: usize) -> String {
    let more = number.saturating_sub(WRITTEN);
    if more > 0 { format!("  … {more} more: --format json has all\n") } else { String::new() }
}

fn signal(facets: &[(String, String)]) -> String {
    facets.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

fn budget(verdict: &Verdict) -> String {
    let worst = verdict.periods.iter().map(|(_, number)| *number).max().unwrap_or(0);
    let period = verdict.budget.period.as_str();
    let word = if verdict.exceeded.is_empty() { "holds" } else { "EXCEEDED" };
    let mut text = format!("budget {}: at most {worst} a {period}: {word}\n", verdict.budget);
    for (begin, number) in &verdict.exceeded {
        text += &format!("  {period} from {}: {number}\n", time::format_ms(*begin));
    }
    text
}
