//! What is wrong with the query of a condition.

use super::super::render::facets;
use super::super::source::{ConditionSource, FillWord};
use super::Lint;
use crate::nrql::ast::{Among, BinaryOp, Expr, ExprKind, Query, Selected, Source};
use crate::nrql::condition::Comparison;
use crate::nrql::lint::{Purpose, Term, report};
use crate::nrql::walk::{self, Part};
use crate::nrql::{self, Statement};

/// Of a single record: sent when the record is, filed under that moment.
const NOTICE: &str = "AwsSecurityNotice";

/// Filed under the time when it happened, which may be a window ago that is closed.
const LATE: [&str; 4] = ["AwsSecurityEvent", "AwsComplianceChange", "AwsSecurityFinding", "AwsResourceChange"];

/// Letters of a query that are shown, to find the place.
const SHOWN: usize = 24;

impl Lint<'_> {
    pub(super) fn query(&mut self, condition: &ConditionSource) {
        let terms: Vec<Term> =
            condition.terms.iter().map(|term| Term { comparison: term.operator, threshold: term.threshold }).collect();
        let fills_gaps = condition.expiration.opens || condition.signal.fill == FillWord::Static;
        let text = &condition.query;
        for reported in report(text, self.known.names, &Purpose::Condition { terms, fills_gaps }) {
            let shown: String = text.get(reported.finding.span.start..).unwrap_or_default().chars().take(SHOWN).collect();
            self.tell("query", format!("byte {}, at `{shown}`: {}", reported.finding.span.start, reported.finding));
        }
        let Ok(Statement::Select(query)) = nrql::parse(text) else { return };
        self.single_records(condition, &query);
        self.controls(&query);
        for name in facets(text).into_iter().collect::<std::collections::BTreeSet<_>>() {
            if name == "condition" || name == "tag" {
                self.tell("query", format!("a facet called `{name}`; say what it is"));
            }
        }
    }

    /// A condition that opens at the first record reads notices.
    fn single_records(&mut self, condition: &ConditionSource, query: &Query) {
        let counts = query.select.iter().any(|item| match &item.value {
            Selected::Value(Expr { kind: ExprKind::Call(call), .. }) => call.name.text.eq_ignore_ascii_case("count"),
            _ => false,
        });
        let at_first = condition.terms.iter().any(|term| match term.operator {
            Comparison::Above => term.threshold < 1.0,
            Comparison::AboveOrEquals => term.threshold <= 1.0,
            _ => false,
        });
        if !counts || !at_first || condition.baseline.is_some() {
            return;
        }
        for source in &query.from {
            if let Source::Type(name) = source
                && LATE.contains(&name.text.as_str())
            {
                let message = format!(
                    "it opens at a single row of {}, which may come after its window is closed; read {NOTICE}, which is filed under the time of sending",
                    name.text
                );
                self.tell("query", message);
            }
        }
    }

    /// Controls that are named exist; of a notice, all controls are asked for, not the most severe alone.
    fn controls(&mut self, query: &Query) {
        let reads_notices = query.from.iter().any(|source| matches!(source, Source::Type(name) if name.text == NOTICE));
        let mut named: Vec<String> = Vec::new();
        let mut only_first = false;
        walk::query(query, &mut |part| {
            let Part::Expr(value) = part else { return };
            match &value.kind {
                ExprKind::Binary(BinaryOp::Equal, one, other) => {
                    if let (true, Some(id)) = (is_name(one, "control.id"), text_of(other)) {
                        named.push(id.to_owned());
                        only_first = true;
                    }
                }
                ExprKind::In { value, negated, among: Among::Values(ids) } if is_name(value, "control.id") => {
                    named.extend(ids.iter().filter_map(text_of).map(str::to_owned));
                    only_first |= !negated;
                }
                ExprKind::Like { value, pattern, .. } if is_name(value, "control.ids") => {
                    named.extend(text_of(pattern).map(|pattern| pattern.trim_matches(['%', '|']).to_owned()));
                }
                _ => {}
            }
        });
        if reads_notices && only_first {
            let hint = "a notice names its most severe control there; say `control.ids LIKE '%|id|%'`, which has all of them";
            self.tell("query", format!("`control.id` of {NOTICE}: {hint}"));
        }
        for id in named {
            if !self.known.controls.contains(&id) {
                let near = nearest(&id, self.known.controls);
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                self.tell("query", format!("no control `{id}`{hint}"));
            }
        }
    }
}

fn is_name(value: &Expr, name: &str) -> bool {
    matches!(&value.kind, ExprKind::Name(found) if found == name)
}

fn text_of(value: &Expr) -> Option<&str> {
    match &value.kind {
        ExprKind::Text(text) => Some(text),
        _ => None,
    }
}

/// The control whose name has most words in common, two at least.
fn nearest<'a>(id: &str, controls: &'a std::collections::BTreeSet<String>) -> Option<&'a str> {
    let words: Vec<&str> = id.split('-').collect();
    let common = |other: &str| other.split('-').filter(|word| words.contains(word)).count();
    let best = controls.iter().map(|control| (common(control), control)).max_by_key(|(count, _)| *count)?;
    (best.0 >= 2).then_some(best.1.as_str())
}
