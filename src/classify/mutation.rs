//! Whether the samples of a rule prove each of its conditions.
//!
//! In: rules with their conditions and samples. Out: every part of a condition that can be taken out while all samples still end as
//! the file says: nothing would tell if it were wrong. Parts are tests of fields, alternatives and whole selections; the values of
//! one test are one part. A rule without samples has nothing to prove and is told elsewhere.

use std::fmt::Write as _;

use crate::record::trail::Trail;

use super::expr::Expr;
use super::load::Loaded;
use super::matcher::{Matcher, Program};
use super::predicate::Spec;
use super::rule::Rule;
use super::sigma::Item;

/// Values of a list that are written out in a message.
const VALUES: usize = 3;

/// A part of a rule's condition that no sample proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproven {
    /// The rule's id.
    pub rule: String,
    /// The rule's file.
    pub file: String,
    /// Line of the rule, from 1.
    pub line: u64,
    /// The part, as `requestParameters.userName: bob`.
    pub condition: String,
}

/// The unproven parts of all rules, in their order.
pub(super) fn unproven(loaded: &Loaded) -> Vec<Unproven> {
    let mut found = Vec::new();
    for read in loaded.rules.iter().filter(|read| !read.lent && read.correlation.is_none() && !read.rule.samples.is_empty()) {
        for (part, rest) in without(&read.condition) {
            if all_as_said(&read.rule, rest) {
                let Rule { id, file, line, .. } = &read.rule;
                found.push(Unproven { rule: id.clone(), file: file.clone(), line: *line, condition: words(&part) });
            }
        }
    }
    found
}

/// Whether every sample ends as the file says when the rule has this condition.
fn all_as_said(rule: &Rule, condition: Expr<Item>) -> bool {
    let program = Program::new(&[condition]);
    let mut matcher = Matcher::new(std::slice::from_ref(rule), &program);
    rule.samples.iter().all(|sample| {
        sample
            .records
            .iter()
            .all(|record| Trail::parse(record.as_bytes()).is_ok_and(|trail| matcher.matches(&trail).is_empty() != sample.matches))
    })
}

/// Each part, and the condition without it.
fn without(condition: &Expr<Item>) -> Vec<(Expr<Item>, Expr<Item>)> {
    // Without its only part a rule matches everything.
    let whole = (condition.clone(), Expr::Const(true));
    std::iter::once(whole).chain(inside(condition)).collect()
}

/// The same for what stands in a condition.
fn inside(condition: &Expr<Item>) -> Vec<(Expr<Item>, Expr<Item>)> {
    match condition {
        Expr::Const(_) | Expr::Leaf(_) => Vec::new(),
        Expr::Not(inner) => inside(inner).into_iter().map(|(part, rest)| (part, rest.negate())).collect(),
        Expr::All(parts) => of_parts(parts, &Expr::all),
        Expr::Any(parts) => of_parts(parts, &Expr::any),
    }
}

fn of_parts(parts: &[Expr<Item>], join: &dyn Fn(Vec<Expr<Item>>) -> Expr<Item>) -> Vec<(Expr<Item>, Expr<Item>)> {
    let mut found = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let with = |replaced: Option<Expr<Item>>| {
            let before = parts.iter().take(at).cloned();
            join(before.chain(replaced).chain(parts.iter().skip(at + 1).cloned()).collect())
        };
        found.push((part.clone(), with(None)));
        found.extend(inside(part).into_iter().map(|(removed, rest)| (removed, with(Some(rest)))));
    }
    found
}

/// A part as a person would write it.
fn words(part: &Expr<Item>) -> String {
    let all = |parts: &[Expr<Item>], between: &str| parts.iter().map(words).collect::<Vec<_>>().join(between);
    match part {
        Expr::Const(value) => value.to_string(),
        Expr::Leaf(item) => of_item(item),
        Expr::Not(inner) => format!("not ({})", words(inner)),
        Expr::All(parts) => all(parts, " and "),
        Expr::Any(parts) => format!("({})", all(parts, " or ")),
    }
}

fn of_item(item: &Item) -> String {
    let mut text = if item.field.is_empty() { "keyword".to_owned() } else { item.field.clone() };
    match &item.spec {
        Spec::Present => text += " exists",
        Spec::Text { patterns, .. } => {
            text += ": ";
            for (at, pattern) in patterns.iter().take(VALUES).enumerate() {
                text += if at > 0 { ", " } else { "" };
                text += &pattern.written();
            }
            if patterns.len() > VALUES {
                // Writing to a text never fails.
                let _written = write!(text, ", … ({})", patterns.len());
            }
        }
        other => {
            let _written = write!(text, ": {other:?}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::{read, sigma::Placeholders};
    use super::*;

    fn of(detection: &str, samples: &str) -> Vec<String> {
        let text = format!(
            "title: t\nname: t\nlogsource: {{product: aws, service: cloudtrail}}\nlevel: low\ndetection:\n{detection}cspm:\n  samples:\n{samples}"
        );
        let read::FileRead { rules, faults, .. } = read::file("t.yml", &text, false, &Placeholders::new());
        assert_eq!(faults, [], "{text}");
        unproven(&Loaded::of(rules)).into_iter().map(|unproven| unproven.condition).collect()
    }

    const DETECTION: &str = "  selection: {eventSource: s, eventName: [A, B]}\n  refused: {errorCode|exists: true}\n  condition: selection and not refused\n";

    #[test]
    fn a_part_that_no_sample_needs_is_told() {
        let samples = "    match: [{name: a, record: {eventSource: s, eventName: A}}]\n    noMatch: [{name: b, record: {eventSource: s, eventName: C}}]\n";
        assert_eq!(of(DETECTION, samples), ["eventSource: s", "not (errorCode exists)"]);
    }

    #[test]
    fn a_near_miss_for_each_part_proves_all() {
        let samples = "    match: [{name: a, record: {eventSource: s, eventName: A}}]
    noMatch:
      - {name: other name, record: {eventSource: s, eventName: C}}
      - {name: other service, record: {eventSource: t, eventName: A}}
      - {name: refused, record: {eventSource: s, eventName: A, errorCode: AccessDenied}}
";
        assert_eq!(of(DETECTION, samples), [""; 0]);
    }

    #[test]
    fn an_alternative_needs_a_record_of_its_own() {
        let detection = "  one: {eventName: A}\n  other: {sourceIPAddress: x}\n  condition: one or other\n";
        let samples = "    match: [{name: a, record: {eventSource: s, eventName: A}}]\n    noMatch: [{name: b, record: {eventSource: s, eventName: C}}]\n";
        assert_eq!(of(detection, samples), ["sourceIPAddress: x"]);
    }
}
