//! The findings of a text that may be no NRQL at all, with lines and columns.

use super::super::error::line_and_column;
use super::{Finding, Names, Purpose, lint, rule};
use crate::nrql;

/// A finding and where it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What.
    pub finding: Finding,
}

/// Everything that is wrong with a text: that it is no NRQL, or what is wrong with the query.
#[must_use]
pub fn report(text: &str, names: &Names, purpose: &Purpose) -> Vec<Reported> {
    let findings = match nrql::parse_with_warnings(text) {
        Err(error) => {
            let rule = &rule::SYNTAX;
            let (message, hint) = (error.message(), String::new());
            vec![Finding { span: error.span, rule: rule.id, severity: rule.severity, message, hint }]
        }
        Ok((statement, warnings)) => {
            let rule = &rule::UNDOCUMENTED;
            let mut findings = lint(text, &statement, names, purpose);
            findings.extend(warnings.iter().map(|warning| Finding {
                span: warning.span,
                rule: rule.id,
                severity: rule.severity,
                message: warning.to_string(),
                hint: String::new(),
            }));
            findings.sort_by_key(|finding| (finding.span.start, finding.span.end));
            findings
        }
    };
    let place = |finding: Finding| {
        let (line, column) = line_and_column(text, finding.span.start);
        Reported { line, column, finding }
    };
    findings.into_iter().map(place).collect()
}
