//! What can be told without a tree, or with next to none: length, variables, `SHOW EVENT TYPES`.

use super::super::ast::{Moment, Name, Query, Source, Span};
use super::super::template;
use super::nearest::did_you_mean;
use super::{Lint, Window, rule};

/// A query must be shorter, bytes (docs: "less than 4 KB").
pub const QUERY_BYTES: usize = 4096;

impl Lint<'_> {
    pub(super) fn text(&mut self, text: &str) {
        if text.len() >= QUERY_BYTES {
            let message = format!("{} bytes; New Relic takes less than {QUERY_BYTES}", text.len());
            self.tell(&rule::TOO_LONG, Span { start: 0, end: text.len() }, message, "");
        }
        for one in template::uses(text) {
            let span = Span { start: one.start, end: one.end };
            if self.is_condition() {
                let message = format!("`{{{{{}}}}}`: variables are replaced in dashboards alone", one.name);
                self.tell(&rule::CONDITION_CLAUSE, span, message, "");
            } else if let Some(known) = self.names.known_variables().filter(|known| !known.contains(one.name)) {
                let names: Vec<&str> = known.iter().map(String::as_str).collect();
                let mut hint = did_you_mean(one.name, names.iter().copied());
                if hint.is_empty() && !names.is_empty() {
                    hint = format!("there are {}", names.join(", "));
                }
                self.tell(&rule::UNKNOWN_VARIABLE, span, format!("no variable `{}`", one.name), hint);
            }
        }
    }

    /// `SHOW EVENT TYPES`: its window is judged as that of a query of events.
    pub(super) fn show(&mut self, text: &str, since: Option<&Moment>, until: Option<&Moment>) {
        let span = Span { start: 0, end: text.len() };
        since.into_iter().chain(until).for_each(|moment| self.moment(moment));
        let from = vec![Source::Template(Name::default())];
        let query = Query { span, from, since: since.cloned(), until: until.cloned(), ..Query::default() };
        self.order(&query);
        self.retention(&query, Window { of: Some(&query), compared: None });
        if self.is_condition() {
            self.tell(&rule::CONDITION_VALUE, span, "SHOW EVENT TYPES gives no number", "");
        }
    }
}
