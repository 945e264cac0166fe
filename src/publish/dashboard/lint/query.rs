//! What is wrong with the queries of the definition.

use super::super::source::{PageSource, Window};
use super::walk::{Listener, walk};
use super::window::{back_days, kept_days};
use super::{DASHBOARD, Language, Lint, Place, Statement, Subject, VariableSource, WidgetSource, labels, nrql, written};
use crate::nrql::ast::{Argument, Call, Query};

/// A query must be shorter, bytes. New Relic: "less than 4 KB".
const QUERY_BYTES: usize = 4096;
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
                        if let Some(Statement::Select(query)) = self.parsed(subject, number, &text)
                            && widget.window == Window::Own
                            && query.since.is_none()
                        {
                            let place = place(number, 0, &text);
                            self.tell_at(subject, place, "the window is the query's own, and it has no SINCE");
                        }
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
                let gives_list = |query: &Query| {
                    let mut uniques = Uniques(false);
                    walk(query, &mut uniques);
                    uniques.0
                };
                if let Some(Statement::Select(query)) = self.parsed(subject, 1, &text)
                    && !gives_list(&query)
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
        if filled >= QUERY_BYTES {
            let message = format!("{filled} bytes with the default values put in; New Relic takes less than {QUERY_BYTES}");
            self.tell_at(subject, place(number, 0, text), message);
        }
    }

    /// The tree, with everything told that it says.
    fn parsed(&mut self, subject: Subject<'_>, number: usize, text: &str) -> Option<Statement> {
        let statement = match nrql::parse(text) {
            Ok(statement) => statement,
            Err(error) => {
                self.tell_at(subject, place(number, error.span.start, text), error.message());
                return None;
            }
        };
        let mut rules = Rules::default();
        match &statement {
            Statement::Select(query) => walk(query, &mut rules),
            Statement::ShowEventTypes { .. } => rules.found.push((0, "a widget selects something".to_owned())),
        }
        rules.found.extend((self.ask)(&statement));
        for (byte, message) in rules.found {
            self.tell_at(subject, place(number, byte, text), message);
        }
        Some(statement)
    }
}

/// Where in a query: its number, from 1, and the byte.
fn place(query: usize, byte: usize, text: &str) -> Place {
    let text: String = text.get(byte..).unwrap_or_default().chars().take(SHOWN).collect();
    Place { query, byte, text }
}

/// Rules for the queries of dashboards.
#[derive(Default)]
struct Rules<'a> {
    found: Vec<(usize, String)>,
    /// Windows of queries that others stand in: the query, and the days back to its beginning.
    windows: Vec<(&'a Query, f64)>,
}

impl<'a> Listener<'a> for Rules<'a> {
    fn query(&mut self, query: &'a Query, outer: Option<&'a Query>) {
        let at = query.span.start;
        let inherited = outer.and_then(|outer| self.windows.iter().find(|(known, _)| std::ptr::eq(*known, outer)));
        let since = match &query.since {
            Some(moment) => back_days(moment),
            // An hour is New Relic's window without SINCE.
            None => Some(inherited.map_or(1.0 / 24.0, |(_, days)| *days)),
        };
        let compared = query.compare.as_ref().map_or(Some(0.0), back_days);
        if let (Some(since), Some(compared)) = (since, compared) {
            self.windows.push((query, since));
            if let Some(kept) = kept_days(query).filter(|kept| since + compared > *kept) {
                let back = since + compared;
                self.found.push((at, format!("looks {back:.0} days back; New Relic keeps this {kept:.0} days")));
            }
        } else {
            self.found.push((at, "SINCE and COMPARE WITH of a dashboard are relative to now".to_owned()));
        }
        if let Some(facet) = query.facet.as_ref().filter(|_| query.limit.is_none()) {
            let at = facet.items.first().map_or(at, |item| item.value.span.start);
            self.found.push((at, "FACET without LIMIT shows 10 groups and hides the rest; say how many".to_owned()));
        }
    }

    fn call(&mut self, call: &'a Call) {
        let is_precision =
            |argument: &Argument| matches!(argument, Argument::Named { name, .. } if name.text.eq_ignore_ascii_case("precision"));
        if call.name.text.eq_ignore_ascii_case("uniqueCount") && !call.arguments.iter().any(is_precision) {
            let message = "uniqueCount is exact to 256 only; say `precision: 50000`, or count rows";
            self.found.push((call.name.span.start, message.to_owned()));
        }
    }
}

/// Whether `uniques` is called.
struct Uniques(bool);

impl<'a> Listener<'a> for Uniques {
    fn query(&mut self, _: &'a Query, _: Option<&'a Query>) {}

    fn call(&mut self, call: &'a Call) {
        self.0 |= call.name.text.eq_ignore_ascii_case("uniques");
    }
}
