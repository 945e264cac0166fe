//! What is wrong with the queries of the definition.

use super::super::source::{PageSource, Window};
use super::{DASHBOARD, Language, Lint, Place, Subject, VariableSource, WidgetSource, labels, written};
use crate::nrql::ast::ExprKind;
use crate::nrql::lint::{self, Purpose, QUERY_BYTES};
use crate::nrql::walk::{self, Part};
use crate::nrql::{self, Statement};

/// Characters of a query that a finding shows.
const SHOWN: usize = 24;

impl Lint<'_> {
    /// The queries of a widget, in both languages.
    pub(super) fn queries(&mut self, subject: Subject<'_>, widget: &WidgetSource, page: &PageSource) {
        for (number, query) in (1..).zip(&widget.queries) {
            for label in labels(query) {
                self.label(subject, label);
            }
            let before = self.findings.len();
            for language in Language::ALL {
                // What is wrong in English is wrong in Japanese, too, some bytes further on.
                if self.findings.len() > before {
                    break;
                }
                match written(self.definition, query, language, None) {
                    Ok(text) => {
                        self.text(subject, number, &text, page.variables);
                        let purpose = Purpose::Widget { own_window: widget.window == Window::Own };
                        self.judged(subject, number, &text, &purpose);
                    }
                    Err(error) => {
                        self.tell_at(subject, place(number, error.at(), query), error.to_string());
                    }
                }
            }
        }
    }

    /// The query that gives the values of a variable.
    pub(super) fn variable_query(&mut self, subject: Subject<'_>, query: &str) {
        match written(self.definition, query, Language::English, None) {
            Ok(text) => {
                self.text(subject, 1, &text, false);
                let purpose = Purpose::Widget { own_window: true };
                if let Some(statement) = self.judged(subject, 1, &text, &purpose)
                    && !gives_list(&statement)
                {
                    self.tell_at(subject, place(1, 0, &text), "the query of a variable selects uniques(…)");
                }
            }
            Err(error) => self.tell_at(subject, place(1, error.at(), query), error.to_string()),
        }
    }

    /// What can be told without a tree: length and variables.
    fn text(&mut self, subject: Subject<'_>, number: usize, text: &str, variables: bool) {
        let mut rest = text;
        let mut filled = text.len();
        while let Some((before, after)) = rest.split_once("{{") {
            let at = text.len() - after.len() - 2;
            let Some((name, next)) = after.split_once("}}") else { break };
            self.used.insert(format!("{{{{{}}}}}", name.trim()));
            let known = &self.definition.shared.variables;
            match known.iter().find(|variable| variable.name == name.trim()) {
                Some(_) if !variables => {
                    self.tell_at(
                        subject,
                        place(number, at, text),
                        "no variables here: the page prints to PDF, or a list would change itself",
                    );
                }
                Some(variable) => {
                    // Each value in quotes, with a comma and a blank between.
                    let value = variable.default.iter().map(|value| value.len() + 4).sum::<usize>();
                    filled = (filled + value).saturating_sub(name.len() + 4);
                    let (asked, end) = if variable.multiple { ("IN (", ")") } else { ("LIKE ", "") };
                    if !before.ends_with(asked) {
                        let message = format!("`{{{{{name}}}}}` is asked with `{asked}{{{{{name}}}}}{end}`");
                        self.tell_at(subject, place(number, at, text), message);
                    }
                }
                None => {
                    let names: Vec<&str> = known.iter().map(|variable: &VariableSource| variable.name.as_str()).collect();
                    let message = format!("no variable `{name}` in {DASHBOARD}; there are {}", names.join(", "));
                    self.tell_at(subject, place(number, at, text), message);
                }
            }
            rest = next;
        }
        // One that is too long by itself is told with all else that it says.
        if filled >= QUERY_BYTES && text.len() < QUERY_BYTES {
            let message = format!("{filled} bytes with the default values put in; New Relic takes less than {QUERY_BYTES}");
            self.tell_at(subject, place(number, 0, text), message);
        }
    }

    /// The tree, with everything told that is wrong with it.
    fn judged(&mut self, subject: Subject<'_>, number: usize, text: &str, purpose: &Purpose) -> Option<Statement> {
        let statement = match nrql::parse(text) {
            Ok(statement) => statement,
            Err(error) => {
                self.tell_at(subject, place(number, error.span.start, text), error.message());
                return None;
            }
        };
        if let Statement::ShowEventTypes { .. } = statement {
            self.tell_at(subject, place(number, 0, text), "a widget selects something");
        }
        for finding in lint::lint(text, &statement, self.names, purpose) {
            self.tell_at(subject, place(number, finding.span.start, text), finding.to_string());
        }
        Some(statement)
    }
}

/// Where in a query: its number, from 1, and the byte.
fn place(query: usize, byte: usize, text: &str) -> Place {
    let text: String = text.get(byte..).unwrap_or_default().chars().take(SHOWN).collect();
    Place { query, byte, text }
}

/// Whether a query gives a list of values: calls `uniques`.
fn gives_list(statement: &Statement) -> bool {
    let mut gives = false;
    walk::statement(statement, &mut |part| {
        gives |= matches!(part, Part::Expr(value) if matches!(&value.kind, ExprKind::Call(call) if call.name.text.eq_ignore_ascii_case("uniques")));
    });
    gives
}
