//! The conditions as a table for people.
//!
//! In: a definition. Out: Markdown: one table a policy: condition, on or off and why, ladder, question, requirements. What always
//! holds: every condition has a row, in the order of the ids.

use super::render::priorities;
use super::source::{ConditionSource, Definition};
use super::text::number;
use crate::nrql::condition::{Comparison, Priority};
use crate::publish::dashboard::Language;

/// The tables in one language.
#[must_use]
pub fn table(definition: &Definition, language: Language) -> String {
    let mut out = String::new();
    let (header, on, off) = match language {
        Language::English => ("| condition | | opens | question | responder | why on or off | requirements |", "on", "off"),
        Language::Japanese => ("| 条件 | | しきい値 | 問い | 一次対応 | 有効・無効の理由 | 要件 |", "有効", "無効"),
    };
    for policy in &definition.policies {
        let Some(source) = &policy.source else { continue };
        if !out.is_empty() {
            out.push('\n');
        }
        out += &format!("### {}\n\n", source.name.get(language));
        out += &format!("`{}`, {}: {}\n\n", policy.key, source.incident_preference, source.reason);
        out += &format!("{header}\n| --- | --- | --- | --- | --- | --- | --- |\n");
        for condition in policy.conditions.values() {
            let cells = [
                format!("`{}`", condition.id),
                if condition.enabled { on } else { off }.to_owned(),
                ladder(condition).join(", "),
                condition.question.get(language).to_owned(),
                condition.responder.as_str().to_owned(),
                condition.because.clone(),
                condition.answers.join(", "),
            ];
            out += &format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
        }
    }
    out
}

/// What opens which priority, short: `CRITICAL ≥ 5`.
#[must_use]
pub fn ladder(condition: &ConditionSource) -> Vec<String> {
    let mut ladder = Vec::new();
    for priority in priorities(condition) {
        if priority == Priority::Critical && condition.expiration.opens {
            ladder.push(format!("{} at silence", priority.word()));
        } else if let Some(term) = condition.term(priority) {
            let unit = if condition.baseline.is_some() { " σ" } else { "" };
            ladder.push(format!("{} {} {}{unit}", priority.word(), sign(term.operator), number(term.threshold)));
        }
    }
    ladder
}

fn sign(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Above => ">",
        Comparison::AboveOrEquals => "≥",
        Comparison::Below => "<",
        Comparison::BelowOrEquals => "≤",
        Comparison::Equals => "=",
        Comparison::NotEquals => "≠",
    }
}
