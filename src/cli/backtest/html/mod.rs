//! A back-test as one page: a chart of every condition by day, its incidents, the budget.
//!
//! In: a report. Out: HTML that loads nothing. What always holds: what comes from records is escaped; columns of all conditions have
//! one scale; colour is never the only sign.

use super::report::{Line, Report, Told};
use crate::cli::rules::junit::escaped;
use crate::nrql::condition::Priority;
use crate::publish::dashboard::Language;
use crate::record::time;

/// Width and height of a day's column, pixels.
const COLUMN: u64 = 12;
const HEIGHT: u64 = 40;
/// Incidents of a condition that are written out.
const INCIDENTS: usize = 200;

/// Words of the page: English, Japanese.
struct Words(Language);

impl Words {
    fn get(&self, word: &'static str) -> &'static str {
        const JA: &[(&str, &str)] = &[
            ("Back-test of alert conditions", "アラート条件のバックテスト"),
            ("condition", "条件"),
            ("on", "有効"),
            ("off", "無効"),
            ("critical", "重大"),
            ("warning", "警告"),
            ("incidents by day", "日別インシデント数"),
            ("late rows", "遅れて届いた行"),
            ("opened", "発生"),
            ("closed", "終了"),
            ("priority", "優先度"),
            ("cause", "原因"),
            ("signal", "シグナル"),
            ("open", "継続中"),
            ("Budget", "通知数の上限"),
            ("holds", "上限内"),
            ("exceeded", "超過"),
            ("pages", "件"),
            ("refused", "New Relic が拒否"),
            ("approximate", "近似"),
            ("no incident", "インシデントなし"),
            ("more: --format json has all", "件を省略 (--format json で全件)"),
        ];
        match self.0 {
            Language::English => word,
            Language::Japanese => JA.iter().find(|(en, _)| *en == word).map_or(word, |(_, ja)| ja),
        }
    }
}

const STYLE: &str = "body{font:14px/1.5 system-ui,'Noto Sans CJK JP',sans-serif;margin:24px;color:#1d252c;background:#fff}\
h1{font-size:20px}table{border-collapse:collapse;margin:8px 0 24px}th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid #e3e4e4;vertical-align:bottom}\
td.n{text-align:right}svg{display:block}.c{fill:#b3263b}.w{fill:#e09b00}.bad{color:#b3263b;font-weight:600}.good{color:#0b7a4b;font-weight:600}\
details{margin:4px 0}small{color:#535e65}@media(prefers-color-scheme:dark){body{color:#e3e4e4;background:#1d252c}th,td{border-color:#3a444b}small{color:#9fa5a9}}";

pub(super) fn page(report: &Report) -> String {
    let words = Words(report.language);
    let most = report.lines.iter().flat_map(|line| &line.by_day).copied().max().unwrap_or(0);
    let lang = if report.language == Language::Japanese { "ja" } else { "en" };
    let title = words.get("Back-test of alert conditions");
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n<p>{} – {} ({})</p>\n",
        time::format_ms(report.begin_ms),
        time::format_ms(report.end_ms),
        escaped(&report.zone)
    );
    page += &budget(report, &words);
    page += &format!(
        "<table><thead><tr><th>{}</th><th></th><th>{}</th><th>{}</th><th>{}</th><th>{}</th></tr></thead><tbody>\n",
        words.get("condition"),
        words.get("critical"),
        words.get("warning"),
        words.get("late rows"),
        words.get("incidents by day")
    );
    for line in &report.lines {
        page += &row(line, report, most, &words);
    }
    page += "</tbody></table>\n";
    for line in report.lines.iter().filter(|line| !line.incidents.is_empty()) {
        page += &incidents(line, &words);
    }
    page + "</body></html>\n"
}

fn budget(report: &Report, words: &Words) -> String {
    let Some(verdict) = &report.budget else { return String::new() };
    let (class, word) = if verdict.exceeded.is_empty() { ("good", words.get("holds")) } else { ("bad", words.get("exceeded")) };
    let mark = if verdict.exceeded.is_empty() { "✓" } else { "✗" };
    let times: Vec<String> = verdict
        .periods
        .iter()
        .map(|(begin, number)| {
            let over = if *number > verdict.budget.most { " class=\"bad\"" } else { "" };
            format!("<li{over}>{} · {number} {}</li>", time::format_ms(*begin), words.get("pages"))
        })
        .collect();
    format!(
        "<p>{}: {} <span class=\"{class}\">{mark} {word}</span></p><ul>{}</ul>\n",
        words.get("Budget"),
        escaped(&verdict.budget.to_string()),
        times.concat()
    )
}

fn row(line: &Line, report: &Report, most: u64, words: &Words) -> String {
    let of = |priority| line.incidents.iter().filter(|told| told.priority == priority).count();
    let chart = match &line.refused {
        Some(why) => format!("<span class=\"bad\">✗ {}: {}</span>", words.get("refused"), escaped(why)),
        None => chart(line, report, most),
    };
    let approximate = if line.approximate { format!(" <small>({})</small>", words.get("approximate")) } else { String::new() };
    format!(
        "<tr><td>{}{approximate}<br><small>{}/{}</small></td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{chart}</td></tr>\n",
        escaped(&line.name),
        escaped(&line.policy),
        escaped(&line.id),
        words.get(if line.enabled { "on" } else { "off" }),
        of(Priority::Critical),
        of(Priority::Warning),
        line.late
    )
}

/// A column for each day; its height is the number, over the most of any condition and day.
fn chart(line: &Line, report: &Report, most: u64) -> String {
    let width = report.days.len() as u64 * COLUMN;
    let columns: Vec<String> = (0_u64..)
        .zip(report.days.iter().zip(&line.by_day))
        .filter(|(_, (_, number))| **number > 0)
        .map(|(at, (day, number))| {
            let height = (number * HEIGHT).div_ceil(most.max(1));
            format!(
                "<rect class=\"c\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{height}\"><title>{day}: {number}</title></rect>",
                at * COLUMN + 1,
                HEIGHT - height,
                COLUMN - 2
            )
        })
        .collect();
    format!(
        "<svg width=\"{width}\" height=\"{HEIGHT}\" role=\"img\"><line x1=\"0\" x2=\"{width}\" y1=\"{HEIGHT}\" y2=\"{HEIGHT}\" stroke=\"#9fa5a9\"/>{}</svg>",
        columns.concat()
    )
}

fn incidents(line: &Line, words: &Words) -> String {
    let rows: String = line.incidents.iter().take(INCIDENTS).map(|told| incident(told, words)).collect();
    let left = line.incidents.len().saturating_sub(INCIDENTS);
    let more = if left > 0 { format!("<p>… {left} {}</p>", words.get("more: --format json has all")) } else { String::new() };
    format!(
        "<details><summary>{} ({})</summary><table><thead><tr><th>{}</th><th>{}</th><th>{}</th><th>{}</th><th>{}</th></tr></thead><tbody>{rows}</tbody></table>{more}</details>\n",
        escaped(&line.name),
        line.incidents.len(),
        words.get("opened"),
        words.get("closed"),
        words.get("priority"),
        words.get("cause"),
        words.get("signal")
    )
}

fn incident(told: &Told, words: &Words) -> String {
    let facets: Vec<String> = told.facets.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let closed = told.closed.map_or_else(
        || words.get("open").to_owned(),
        |(ms, why)| format!("{} <small>{}</small>", time::format_ms(ms), escaped(why)),
    );
    format!(
        "<tr><td>{}</td><td>{closed}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        time::format_ms(told.opened_ms),
        told.priority.word(),
        escaped(&told.cause),
        escaped(&facets.join(", "))
    )
}
