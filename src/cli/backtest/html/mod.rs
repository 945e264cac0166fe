//! A back-test as one page: a chart of every condition by day, issues, incidents, the budget.
//!
//! In: a report. Out: HTML that loads nothing. What always holds: what comes from records is escaped; columns of all conditions have
//! one scale; colour is never the only sign; what was not tested has no number.

mod words;

use super::report::{IssueLine, Line, Report, Told, Verdict};
use crate::cli::rules::junit::escaped;
use crate::lab::backtest::Period;
use crate::nrql::condition::Priority;
use crate::publish::dashboard::Language;
use crate::record::time;
use words::Words;

/// Most width of a chart, widest column, and height, pixels.
const WIDTH: usize = 480;
const COLUMN: usize = 12;
const HEIGHT: u64 = 32;
/// Height of a column that can be seen, pixels.
const LEAST: u64 = 3;
/// Incidents of a condition, and issues, that are written out.
const WRITTEN: usize = 200;

const STYLE: &str = "body{font:14px/1.5 system-ui,'Noto Sans CJK JP',sans-serif;margin:24px auto;padding:0 24px;max-width:1360px;color:#1d252c;background:#fff}\
h1{font-size:20px;margin:0 0 4px}h2{font-size:16px;margin:24px 0 4px}h2:first-letter{text-transform:uppercase}p{margin:4px 0}table{border-collapse:collapse;margin:4px 0 16px;width:100%}\
th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid #e3e4e4;vertical-align:middle}\
th{white-space:nowrap;color:#535e65;font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums}.t{white-space:nowrap;font-variant-numeric:tabular-nums}\
.s{overflow-wrap:anywhere}svg{display:block}.c{fill:#b3263b}.bad{color:#b3263b;font-weight:600}.good{color:#0b7a4b;font-weight:600}\
.big{font-size:18px;margin:12px 0 0}details{margin:4px 0}summary{cursor:pointer}small{color:#535e65}tr.off td{color:#535e65}td.z,tr.off td.z{color:#9fa5a9}\
@media(prefers-color-scheme:dark){body{color:#e3e4e4;background:#1d252c}th,td{border-color:#3a444b}small,th,tr.off td{color:#9fa5a9}.c{fill:#f5727f}.bad{color:#f5727f}.good{color:#5fd39a}}";

pub(super) fn page(report: &Report) -> String {
    let words = Words(report.language);
    let lang = if report.language == Language::Japanese { "ja" } else { "en" };
    let title = words.get("Back-test of alert conditions");
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n<p>{}: {} – {} · {} {} · {}</p>\n",
        words.get("rows arrived"),
        time::format_ms(report.first_ms),
        time::format_ms(report.last_ms),
        report.rows,
        words.get("rows"),
        escaped(&report.zone)
    );
    page += &sums(report, &words);
    page += &report.budget.as_ref().map(|verdict| budget(verdict, &words)).unwrap_or_default();
    page += &conditions(report, &words);
    page += &issues(report, &words);
    if report.lines.iter().any(|line| !line.incidents.is_empty()) {
        page += &format!("<h2>{}</h2>\n", words.get("incidents"));
    }
    for line in report.lines.iter().filter(|line| !line.incidents.is_empty()) {
        page += &incidents(line, &words);
    }
    page + "</body></html>\n"
}

fn sums(report: &Report, words: &Words) -> String {
    let muted = report.incidents().filter(|told| told.muted.is_some()).count();
    let mut text = format!(
        "<p class=\"big\"><b>{}</b> · {} ({} {}, {} {}{})</p>\n",
        words.pages(report.pages as u64),
        words.get("incidents"),
        words.get("critical"),
        report.number(Priority::Critical),
        words.get("warning"),
        report.number(Priority::Warning),
        if muted > 0 { format!(", {} {muted}", words.get("muted")) } else { String::new() }
    );
    let explained = "Pages are issues that became critical, of conditions that are on, not muted. What happens after the last row is unknown.";
    text += &format!("<p><small>{}</small></p>\n", words.get(explained));
    for (rule, asked) in &report.muting_notes {
        let says = words.get("asks for what New Relic alone knows, blank here:");
        text += &format!("<p><small>{}: “{}” {says} {}</small></p>\n", words.get("muting"), escaped(rule), escaped(asked));
    }
    text
}

fn budget(verdict: &Verdict, words: &Words) -> String {
    let (class, mark, word) =
        if verdict.exceeded.is_empty() { ("good", "✓", words.get("holds")) } else { ("bad", "✗", words.get("exceeded")) };
    let time = |(begin, number): &(i64, u64)| {
        let end = begin.saturating_add(verdict.budget.period.ms());
        let (begin, end) = (time::format_ms(*begin), time::format_ms(end));
        format!("<li class=\"bad\">{begin} – {end} · {}</li>", words.pages(*number))
    };
    let times: String = verdict.exceeded.iter().take(WRITTEN).map(time).collect();
    let most = verdict.periods.iter().map(|(_, number)| *number).max().unwrap_or(0);
    format!(
        "<p class=\"big\">{}: {} <span class=\"{class}\">{mark} {word}</span> <small>({}: {most})</small></p>{}\n",
        words.get("Budget"),
        escaped(&verdict.budget.to_string()),
        words.get(match verdict.budget.period {
            Period::Day => "most in a day",
            Period::Week => "most in a week",
            Period::Month => "most in a month",
        }),
        if times.is_empty() { times } else { format!("<ul>{times}</ul>{}", more(verdict.exceeded.len(), words)) }
    )
}

fn conditions(report: &Report, words: &Words) -> String {
    let by_day = match report.bar_days() {
        1 => words.get("incidents by day").to_owned(),
        days => format!("{} {days};", words.get("incidents, days a column:")),
    };
    let ends = report.days.first().zip(report.days.last()).map(|(first, last)| format!("{first} – {last}")).unwrap_or_default();
    let numbers: String = ["critical", "warning", "late rows", "never judged", "still open"]
        .map(|word| format!("<th class=\"n\">{}</th>", words.get(word)))
        .concat();
    let rows: String = report.lines.iter().map(|line| row(line, report, words)).collect();
    let mut text = format!(
        "<h2>{}</h2>\n<table><thead><tr><th>{}</th><th></th>{numbers}<th>{} <small>{ends}</small></th></tr></thead><tbody>\n{rows}</tbody></table>\n",
        words.get("conditions"),
        words.get("condition"),
        by_day
    );
    for (stands, legend) in [
        (
            report.lines.iter().any(|line| line.late > 0),
            "late rows: came after their window was closed, so the condition never saw them",
        ),
        (
            report.lines.iter().any(|line| line.unclosed > 0),
            "never judged: windows with rows that nothing closed before the rows end",
        ),
        (report.lines.iter().any(|line| line.approximate), "approximate: New Relic's baseline is not published"),
    ] {
        if stands {
            text += &format!("<p><small>{}</small></p>\n", words.get(legend));
        }
    }
    text
}

fn row(line: &Line, report: &Report, words: &Words) -> String {
    let chart = match (&line.refused, &line.untested) {
        (Some(why), _) => format!("<span class=\"bad\">✗ {}: {}</span>", words.get("refused"), escaped(why)),
        (None, Some(why)) => format!("<small>{}: {}</small>", words.get("not tested"), escaped(&words.phrase(why))),
        (None, None) => chart(line, report),
    };
    let known = line.refused.is_none() && line.untested.is_none();
    let number = |number: u64| match (known, number) {
        (false, _) => "<td class=\"n z\">–</td>".to_owned(),
        (true, 0) => "<td class=\"n z\">0</td>".to_owned(),
        (true, _) => format!("<td class=\"n\">{number}</td>"),
    };
    let numbers = [
        line.number(Priority::Critical) as u64,
        line.number(Priority::Warning) as u64,
        line.late,
        line.unclosed,
        line.still_open() as u64,
    ];
    let approximate = if line.approximate { format!(" <small>({})</small>", words.get("approximate")) } else { String::new() };
    let notes: Vec<String> = line.notes.iter().map(|note| format!("<br><small>{}</small>", escaped(note))).collect();
    let (class, switch) = if line.enabled { ("", "on") } else { (" class=\"off\"", "off") };
    format!(
        "<tr{class}><td class=\"s\">{}{approximate}<br><small>{}/{}</small>{}</td><td class=\"t\">{}</td>{}<td>{chart}</td></tr>\n",
        escaped(&line.name),
        escaped(&line.policy),
        escaped(&line.id),
        notes.concat(),
        words.get(switch),
        numbers.map(number).concat()
    )
}

/// A column for each day, or so many days; its height is the number, over the most of any condition.
fn chart(line: &Line, report: &Report) -> String {
    let (days, most) = (report.bar_days(), report.highest());
    let bars = line.bars(days);
    let column = (WIDTH / bars.len().max(1)).clamp(2, COLUMN);
    let width = bars.len() * column;
    let columns: Vec<String> = bars
        .iter()
        .enumerate()
        .zip(report.days.chunks(days))
        .filter(|((_, number), _)| **number > 0)
        .map(|((at, number), days)| {
            let height = (number * HEIGHT).div_ceil(most.max(1)).max(LEAST);
            let day = days.first().map(ToString::to_string).unwrap_or_default();
            format!(
                "<rect class=\"c\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{height}\"><title>{day}: {number}</title></rect>",
                at * column,
                HEIGHT - height,
                column - 1
            )
        })
        .collect();
    format!(
        "<svg width=\"{width}\" height=\"{}\" role=\"img\"><line x1=\"0\" x2=\"{width}\" y1=\"{HEIGHT}.5\" y2=\"{HEIGHT}.5\" stroke=\"#9fa5a9\"/>{}</svg>",
        HEIGHT + 1,
        columns.concat()
    )
}

fn issues(report: &Report, words: &Words) -> String {
    if report.issues.is_empty() {
        return format!("<p>{}</p>\n", words.get("no incident"));
    }
    let rows: String = report.issues.iter().take(WRITTEN).map(|of| issue(of, words)).collect();
    format!(
        "<h2>{} ({})</h2>\n<table>{}<tbody>{rows}</tbody></table>{}\n",
        words.get("issues"),
        report.issues.len(),
        header(&["issue", "opened", "closed", "page", "policy", "condition", "incidents", "cause", "signal"], words),
        more(report.issues.len(), words)
    )
}

fn issue(issue: &IssueLine, words: &Words) -> String {
    let page = match (issue.paged_ms, &issue.muted, issue.enabled) {
        (Some(ms), ..) => format!("<b>{}</b>", time::format_ms(ms)),
        (None, Some(rule), _) => format!("{}: {}", words.get("muted"), escaped(rule)),
        (None, None, false) => words.get("off").to_owned(),
        (None, None, true) => words.get("no").to_owned(),
    };
    let conditions: Vec<&str> = issue.conditions.iter().map(String::as_str).collect();
    format!(
        "<tr><td>#{}</td><td class=\"t\">{}</td><td class=\"t\">{}</td><td class=\"t\">{page}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td>{}</td><td class=\"s\">{}</td></tr>\n",
        issue.number,
        time::format_ms(issue.opened_ms),
        issue.closed_ms.map_or_else(|| words.get("still open").to_owned(), time::format_ms),
        escaped(&issue.policy),
        escaped(&conditions.join(", ")),
        issue.incidents,
        escaped(&words.phrase(&issue.cause)),
        signal(&issue.facets)
    )
}

fn incidents(line: &Line, words: &Words) -> String {
    let rows: String = line.incidents.iter().take(WRITTEN).map(|told| incident(told, words)).collect();
    format!(
        "<details><summary>{} ({})</summary><table>{}<tbody>{rows}</tbody></table>{}</details>\n",
        escaped(&line.name),
        line.incidents.len(),
        header(&["opened", "closed", "priority", "issue", "cause", "signal"], words),
        more(line.incidents.len(), words)
    )
}

fn incident(told: &Told, words: &Words) -> String {
    let closed = told.closed().map_or_else(
        || words.get("still open").to_owned(),
        |(ms, why)| format!("{} <small>{}</small>", time::format_ms(ms), words.get(why)),
    );
    let muted = told.muted.as_ref().map(|rule| format!(" <small>{}: {}</small>", words.get("muted"), escaped(rule)));
    format!(
        "<tr><td class=\"t\">{}</td><td class=\"t\">{closed}</td><td class=\"t\">{}{}</td><td>#{}</td><td>{}</td><td class=\"s\">{}</td></tr>\n",
        time::format_ms(told.incident.opened_ms),
        words.get(told.incident.priority.word()),
        muted.unwrap_or_default(),
        told.issue,
        escaped(&words.phrase(&told.cause())),
        signal(&told.facets)
    )
}

fn header(names: &[&str], words: &Words) -> String {
    let cell = |name: &&str| {
        let class = if *name == "incidents" { " class=\"n\"" } else { "" };
        format!("<th{class}>{}</th>", words.get(name))
    };
    format!("<thead><tr>{}</tr></thead>", names.iter().map(cell).collect::<String>())
}

fn more(number: usize, words: &Words) -> String {
    let more = number.saturating_sub(WRITTEN);
    if more > 0 { format!("<p>… {more} {}</p>", words.get("more: --format json has all")) } else { String::new() }
}

fn signal(facets: &[(String, String)]) -> String {
    escaped(&facets.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", "))
}
