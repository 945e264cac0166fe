//! What is wrong with the definition of the dashboard.
//!
//! In: a [`Definition`], and the names that exist in the data. Out: [`Finding`]s, each with file, line, widget and, in a query, the
//! byte. What always holds: everything is told at once, in the order of the pages; a definition without findings renders, in both
//! languages, to what New Relic imports. What a query says is judged by [`crate::nrql::lint`]; a warning counts here as an error does,
//! for everybody reads these queries.
//!
//! Facts: limits and shapes are those of New Relic's documentation and of newrelic-client-go, checked 2026-11.

mod layout;
mod options;
mod query;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use super::files::{DASHBOARD, LABELS};
use super::query::{labels, written};
use super::source::{Both, Definition, Language, PageSource, VariableKind, VariableSource, WidgetSource};
use crate::nrql::lint::Names;

/// Most widgets on a page. Ours: a page that answers more questions is read by nobody. New Relic's is 100.
const PAGE_WIDGETS: usize = 12;
/// Most pages. New Relic's.
const PAGES: usize = 20;
/// Longest name or title, characters. New Relic's.
const NAME_CHARS: usize = 255;
/// Longest description, characters. New Relic's.
const DESCRIPTION_CHARS: usize = 1024;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// File of the definition.
    pub file: String,
    /// Line in it, from 1.
    pub line: usize,
    /// Widget, variable or other thing it is about.
    pub about: String,
    /// Where in a query.
    pub place: Option<Place>,
    /// What, and what is allowed.
    pub message: String,
}

/// Where in a query, with all words put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which query of the widget, from 1.
    pub query: usize,
    /// Byte, from 0.
    pub byte: usize,
    /// The text from there on, a few characters.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}: ", self.file, self.line, self.about)?;
        if let Some(Place { query, byte, text }) = &self.place {
            write!(out, "query {query}, byte {byte}, at `{text}`: ")?;
        }
        out.write_str(&self.message)
    }
}

/// Everything that is wrong. Names in queries are judged by `names`.
#[must_use]
pub fn lint(definition: &Definition, names: &Names) -> Vec<Finding> {
    let mut lint = Lint { definition, names, findings: Vec::new(), used: BTreeSet::new() };
    lint.shared();
    for (name, page) in &definition.pages {
        lint.page(&format!("{name}.yml"), page);
    }
    lint.unused();
    lint.findings
}

struct Lint<'a> {
    definition: &'a Definition,
    names: &'a Names,
    findings: Vec<Finding>,
    /// Labels and variables that something names: `'label'`, `{{variable}}`.
    used: BTreeSet<String>,
}

/// One thing that findings are about.
#[derive(Clone, Copy)]
struct Subject<'a> {
    file: &'a str,
    about: &'a str,
    line: usize,
}

impl Lint<'_> {
    fn tell(&mut self, subject: Subject<'_>, message: impl Into<String>) {
        let Subject { file, about, line } = subject;
        let (file, about, message) = (file.to_owned(), about.to_owned(), message.into());
        self.findings.push(Finding { file, line, about, place: None, message });
    }

    fn tell_at(&mut self, subject: Subject<'_>, place: Place, message: impl Into<String>) {
        let Subject { file, about, line } = subject;
        let (file, about, message) = (file.to_owned(), about.to_owned(), message.into());
        self.findings.push(Finding { file, line, about, place: Some(place), message });
    }

    /// The line where `key: value` stands in a file, with or without a dash before it.
    fn line(&self, file: &str, key: &str, value: &str) -> usize {
        let (plain, quoted) = (format!("{key}: {value}"), format!("{key}: \"{value}\""));
        let text = self.definition.texts.get(file).map_or("", String::as_str);
        let stands = |line: &str| {
            let line = line.trim_start().trim_start_matches("- ").trim_end();
            line == plain || line == quoted
        };
        text.lines().position(stands).map_or(1, |line| line + 1)
    }

    fn shared(&mut self) {
        let shared = &self.definition.shared;
        let subject = Subject { file: DASHBOARD, about: "dashboard", line: 1 };
        self.both(subject, "name", &shared.name, NAME_CHARS);
        self.both(subject, "description", &shared.description, DESCRIPTION_CHARS);
        self.both(subject, "timezone", &shared.timezone, NAME_CHARS);
        if shared.pages.is_empty() || shared.pages.len() > PAGES {
            self.tell(subject, format!("{} pages; 1 to {PAGES} are allowed", shared.pages.len()));
        }
        let mut names = BTreeSet::new();
        for variable in &shared.variables {
            let subject = Subject { file: DASHBOARD, about: &variable.name, line: self.line(DASHBOARD, "name", &variable.name) };
            if !names.insert(&variable.name) {
                self.tell(subject, "a second variable of this name");
            }
            self.variable(subject, variable);
        }
        for (palette, colors) in &shared.palettes {
            for (series, color) in colors {
                let digits = color.strip_prefix('#').unwrap_or_default();
                if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    let line = self.line(DASHBOARD, series, color);
                    let subject = Subject { file: DASHBOARD, about: palette, line };
                    self.tell(subject, format!("`{color}` is no colour; write #RRGGBB"));
                }
            }
        }
    }

    fn variable(&mut self, subject: Subject<'_>, variable: &VariableSource) {
        self.both(subject, "title", &variable.title, NAME_CHARS);
        let mut letters = variable.name.chars();
        let is_name = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|next| next.is_ascii_alphanumeric() || next == '_');
        if !is_name {
            self.tell(subject, "the name of a variable is a letter, then letters, digits and _");
        }
        if variable.default.is_empty() || (variable.default.len() > 1 && !variable.multiple) {
            self.tell(subject, "a variable has one default value; one that is `multiple` one or more");
        }
        let (has_query, has_items) = (variable.query.is_some(), !variable.items.is_empty());
        if (has_query, has_items) != (variable.kind == VariableKind::Nrql, variable.kind == VariableKind::Enum) {
            self.tell(subject, "a variable of type NRQL has a query, one of type ENUM has items, one of type STRING neither");
        }
        if let Some(stranger) = variable.default.iter().find(|value| has_items && !variable.items.contains(value)) {
            self.tell(subject, format!("the default `{stranger}` is none of the items"));
        }
        if let Some(query) = &variable.query {
            self.variable_query(subject, query);
        }
    }

    fn page(&mut self, file: &str, page: &PageSource) {
        let subject = Subject { file, about: "page", line: 1 };
        self.both(subject, "name", &page.name, NAME_CHARS);
        self.both(subject, "description", &page.description, DESCRIPTION_CHARS);
        if page.widgets.is_empty() || page.widgets.len() > PAGE_WIDGETS {
            self.tell(subject, format!("{} widgets; 1 to {PAGE_WIDGETS} are allowed", page.widgets.len()));
        }
        for (place, widget) in page.widgets.iter().enumerate() {
            let subject = Subject { file, about: &widget.id, line: self.line(file, "id", &widget.id) };
            self.widget(subject, widget, page);
            let before = page.widgets.get(..place).unwrap_or_default();
            self.layout(subject, widget, before);
        }
    }

    fn widget(&mut self, subject: Subject<'_>, widget: &WidgetSource, page: &PageSource) {
        if self.definition.widgets().filter(|(_, other)| other.id == widget.id).count() > 1 {
            self.tell(subject, "a second widget of this id");
        }
        self.both(subject, "title", &widget.title, NAME_CHARS);
        self.both(subject, "question", &widget.question, DESCRIPTION_CHARS);
        if widget.answers.is_empty() {
            self.tell(subject, "`answers` names no requirement; name the rows that ask for this widget");
        }
        self.options(subject, widget);
        self.queries(subject, widget, page);
    }

    /// Present in both languages, and short enough.
    fn both(&mut self, subject: Subject<'_>, key: &str, text: &Both, most: usize) {
        for (language, code) in [(Language::English, "en"), (Language::Japanese, "ja")] {
            let length = text.get(language).trim().chars().count();
            if length == 0 {
                self.tell(subject, format!("`{key}` has no `{code}`"));
            } else if length > most {
                self.tell(subject, format!("`{key}.{code}` has {length} characters; at most {most} are allowed"));
            }
        }
    }

    /// What nothing names any more.
    fn unused(&mut self) {
        let variables = self.definition.shared.variables.iter().map(|variable| {
            let line = self.line(DASHBOARD, "name", &variable.name);
            (DASHBOARD, &variable.name, line, format!("{{{{{}}}}}", variable.name))
        });
        let labels = self.definition.labels.iter().map(|(label, japanese)| {
            let quoted = format!("\"{label}\"");
            let line = self.line(LABELS, label, japanese).max(self.line(LABELS, &quoted, japanese));
            (LABELS, label, line, format!("'{label}'"))
        });
        let unused: Vec<_> = variables.chain(labels).filter(|(_, _, _, name)| !self.used.contains(name)).collect();
        for (file, about, line, _) in unused {
            self.tell(Subject { file, about, line }, "no query uses it");
        }
    }
}
