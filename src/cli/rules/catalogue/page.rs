//! The page of one rule.
//!
//! In: a rule and what is known of it. Out: Markdown. What always holds: everything on the page comes from the rule's file, from the
//! event that its samples make, or from records that were counted; what a rule does not say has no section.

use std::collections::BTreeMap;

use super::backtest::Figures;
use super::evidence::{self, Field};
use super::markdown::{self, block, code, list, prose, table};
use super::{INDEX, INDEX_JA, Subject};
use crate::classify::{Rule, technique_name, technique_url};
use crate::cli::rules::to_nrql;

/// How the first line of every page begins: what has it was written by this command, and may be replaced by it.
pub(super) const MARK: &str = "<!-- Written by `cspm-relay rules catalogue`";

/// How the reader gets figures of more worth.
const OWN_RECORDS: &str = "`cspm-relay replay PATH --to stdout` shows what it finds in your own records, and sends nothing.";

/// The page.
pub(super) fn page(subject: &Subject) -> String {
    let rule = &subject.rule;
    let text = |text: &Option<String>| text.as_deref().map(prose).unwrap_or_default();
    let sections = [
        ("Why it matters", prose(&rule.description)),
        ("What the relay looks for", looked_for(subject)),
        ("Evidence", evidence(rule, &subject.fields)),
        ("Severity", severity(rule)),
        ("Good reasons (false positives)", list(rule.false_positives.iter().map(|reason| prose(reason)))),
        ("Tuning", text(&rule.tuning)),
        ("What to do", to_do(rule)),
        ("ATT&CK", attack(rule)),
        ("Framework controls", list(frameworks(rule))),
        ("NRQL over raw records", over_raw_records(subject)),
        ("Back-test", back_test(&subject.figures)),
        ("Samples", samples(rule)),
        ("References", list(rule.references.iter().map(|url| link(url)))),
    ];
    let mut page = format!("{MARK} from the rule's file: change that one. -->\n\n# {}\n\n", prose(&rule.title));
    if let Some(title) = &rule.title_ja {
        page += &format!("{}\n\n", prose(title));
    }
    page += &format!("{}\n{}", facts(rule), links(subject));
    for (heading, text) in sections.iter().filter(|(_, text)| !text.is_empty()) {
        page += &format!("\n## {heading}\n\n{}\n", text.trim_end());
    }
    page
}

/// What a list of rules shows of it.
fn facts(rule: &Rule) -> String {
    let notice = if rule.notify { "yes: each match can page someone" } else { "no" };
    let mut rows = vec![
        ["control.id", &*code(&rule.id)].map(str::to_owned),
        ["severity", &*format!("{}, score {}", rule.severity, rule.score)].map(str::to_owned),
        ["pillar", rule.pillar.as_str()].map(str::to_owned),
        ["notice", notice].map(str::to_owned),
    ];
    if let Some(id) = &rule.sigma_id {
        rows.insert(1, ["Sigma id".to_owned(), code(id)]);
    }
    if let Some(author) = &rule.author {
        rows.push(["author".to_owned(), prose(author)]);
    }
    table(["", ""], rows)
}

fn links(subject: &Subject) -> String {
    let up = "../".repeat(subject.place.matches('/').count());
    let file = subject.file.as_ref().map(|file| markdown::link("rule file", file) + " · ").unwrap_or_default();
    format!("{file}[all rules]({up}{INDEX}) · [ルール一覧]({up}{INDEX_JA})\n")
}

fn looked_for(subject: &Subject) -> String {
    subject.detection.as_ref().map_or_else(
        || "The `detection` of the rule's file, which is not written in lines of its own.".to_owned(),
        |detection| format!("CloudTrail records that meet this Sigma detection:\n\n{}", block("yaml", detection)),
    )
}

fn evidence(rule: &Rule, fields: &[Field]) -> String {
    let shown = |field: &Field| {
        let values: Vec<String> = field.values.iter().map(|value| code(value)).collect();
        [code(&field.name), prose(field.meaning), values.join(" ")]
    };
    let query = block("sql", &evidence::query(rule, fields));
    let rows = table(["attribute", "meaning", "in the samples"], fields.iter().map(shown));
    format!("The detections of the last day, with what to look at:\n\n{query}\n{rows}")
}

fn severity(rule: &Rule) -> String {
    let reason = rule.severity_reason.as_deref().map(|reason| format!(" {}", prose(reason))).unwrap_or_default();
    format!("**{}**, score {} of 100.{reason}", rule.severity, rule.score)
}

fn to_do(rule: &Rule) -> String {
    let runbook = rule.runbook.as_ref().map(|url| format!("Runbook: {}", link(url)));
    let parts: Vec<String> = rule.remediation.as_deref().map(prose).into_iter().chain(runbook).collect();
    parts.join("\n\n")
}

fn attack(rule: &Rule) -> String {
    let tactics = rule.tactics.items().join(", ");
    let tactics = if tactics.is_empty() { String::new() } else { format!("Tactics: {tactics}.\n\n") };
    let technique = |id: &String| {
        let name = technique_name(id).map(|name| format!(" {}", prose(&name))).unwrap_or_default();
        format!("[{id}]({}){name}", technique_url(id))
    };
    tactics + &list(rule.techniques.items().iter().map(technique))
}

/// The numbers of each framework, frameworks by name.
fn frameworks(rule: &Rule) -> impl Iterator<Item = String> {
    by_framework(rule.frameworks.items()).into_iter().map(|(name, numbers)| format!("{}: {}", prose(name), prose(&numbers)))
}

/// `CIS-AWS-5.0` and `4.3, 1.4`.
pub(super) fn by_framework(ids: &[String]) -> BTreeMap<&str, String> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for id in ids {
        let (name, number) = id.split_once(':').unwrap_or((id, ""));
        found.entry(name).or_default().push(number);
    }
    found.into_iter().map(|(name, numbers)| (name, numbers.join(", "))).collect()
}

fn over_raw_records(subject: &Subject) -> String {
    match &subject.nrql {
        Ok(query) => format!("{}\n\n{}", to_nrql::NEEDS, block("sql", query)),
        Err(reasons) => {
            let reasons = list(reasons.iter().map(|reason| prose(reason)));
            format!("NRQL cannot say this rule over raw records; ask for its detections, as above.\n\n{reasons}")
        }
    }
}

fn back_test(figures: &[Figures]) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let row = |of: &Figures| {
        let [records, matches, actors, days] = [of.records, of.matches, of.actors, of.days].map(|number| number.to_string());
        [prose(&of.source), records, days, matches, actors]
    };
    let rows = table(["records", "number", "days", "matches", "actors"], figures.iter().map(row));
    format!("{rows}\n{OWN_RECORDS}\n")
}

fn samples(rule: &Rule) -> String {
    let row = |matches: bool, name: &str| [if matches { "match" } else { "no match" }.to_owned(), prose(name)];
    let rows: Vec<[String; 2]> = rule.samples.iter().map(|sample| row(sample.matches, &sample.name)).collect();
    if rows.is_empty() {
        return String::new();
    }
    let example = rule.samples.iter().find(|sample| sample.matches).map(|sample| {
        let (name, records) = (html(&sample.name), sample.records.join("\n"));
        format!("\n<details>\n<summary>Record: {name}</summary>\n\n{}\n</details>\n", block("json", &records))
    });
    table(["", "record"], rows) + &example.unwrap_or_default()
}

/// A text between tags.
fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An address, or a text that is none.
fn link(text: &str) -> String {
    let is_address = text.starts_with("https://") && !text.contains([' ', '<', '>', '\n']);
    if is_address { format!("<{text}>") } else { prose(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_beside_their_framework() {
        let ids = ["CIS-AWS-5.0:4.3", "NIST-800-53-r5:AC-2(1)", "CIS-AWS-5.0:1.4", "OWN"].map(str::to_owned);
        let found: Vec<(&str, String)> = by_framework(&ids).into_iter().collect();
        let want = [("CIS-AWS-5.0", "4.3, 1.4"), ("NIST-800-53-r5", "AC-2(1)"), ("OWN", "")];
        assert_eq!(found, want.map(|(name, numbers)| (name, numbers.to_owned())));
    }

    #[test]
    fn what_is_no_address_is_no_link() {
        assert_eq!(link("https://example.com/a_b"), "<https://example.com/a_b>");
        assert_eq!(link("javascript:alert(1)"), "javascript:alert(1)");
        assert_eq!(link("a book <b>"), "a book \\<b>");
    }
}
