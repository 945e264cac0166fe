//! What is wrong with the texts of a condition: missing, too long, a tag that no facet has, a number that could go stale.

use super::super::render::{Request, description, facets};
use super::super::source::ConditionSource;
use super::super::text::written;
use super::Lint;
use crate::publish::dashboard::{Both, Language};

/// Longest name, characters. New Relic's.
pub(super) const NAME: usize = 128;
/// Longest title template. New Relic's.
const TITLE: usize = 256;
/// Longest description with all that is added to it. New Relic's.
const DESCRIPTION: usize = 4_000;
/// Longest sentence of ours.
const SENTENCE: usize = 600;

/// What Handlebars of a condition may name, beside `tag.<facet>` (docs, title template).
const NAMES: [&str; 1] = ["conditionName"];

/// The longest address of a dashboard that the description leaves room for, characters.
const URL: usize = 300;

impl Lint<'_> {
    pub(super) fn texts(&mut self, condition: &ConditionSource) {
        let tags = facets(&condition.query);
        match &condition.title_template {
            None if !condition.is_silence_alone() => self.tell("titleTemplate", "is missing; say what the incident is called"),
            Some(_) if condition.is_silence_alone() => {
                self.tell(
                    "titleTemplate",
                    "New Relic does not use it for a signal that is lost; `name` and `description` say what it is",
                );
            }
            _ => {}
        }
        let title = condition.title_template.as_ref().map(|title| ("titleTemplate", title, TITLE));
        let texts = [
            ("name", &condition.name, NAME),
            ("question", &condition.question, SENTENCE),
            ("value", &condition.value, NAME),
            ("description", &condition.description, SENTENCE),
            ("response", &condition.response, SENTENCE),
            ("tuning", &condition.tuning, SENTENCE),
        ];
        for (path, both, most) in texts.into_iter().chain(title) {
            self.both(path, both, most);
            for (language, code) in CODES {
                let text = both.get(language);
                let path = format!("{path}.{code}");
                match written(text, condition, language) {
                    Ok(text) if text.chars().count() > most => {
                        self.tell(&path, format!("{} characters with its words put in; at most {most}", text.chars().count()));
                    }
                    Ok(_) => {}
                    Err(error) => self.tell(&path, error.to_string()),
                }
                self.tags(&path, text, &tags);
                // What to try to make it quieter is a number that the condition does not have.
                if !path.starts_with("tuning") {
                    self.numbers(&path, text);
                }
            }
        }
        self.whole(condition);
        let host = condition.runbook.strip_prefix("https://").unwrap_or_default();
        if host.is_empty() || host.starts_with('/') || condition.runbook.contains(char::is_whitespace) {
            self.tell("runbook", format!("`{}`; allowed: an address that begins with https://", condition.runbook));
        }
    }

    /// The description as it is sent.
    fn whole(&mut self, condition: &ConditionSource) {
        let url = format!("https://{}", "x".repeat(URL));
        for (language, code) in CODES {
            let request = Request { account: 0, policy: None, language, dashboard_url: Some(&url) };
            if let Ok(text) = description(condition, "", request)
                && text.chars().count() > DESCRIPTION
            {
                let length = text.chars().count();
                self.tell(
                    &format!("description.{code}"),
                    format!("{length} characters with all that is added; at most {DESCRIPTION}"),
                );
            }
        }
    }

    /// What stands in `{{ }}`.
    fn tags(&mut self, path: &str, text: &str, facets: &[String]) {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once("{{") {
            let Some((inner, next)) = after.split_once("}}") else {
                self.tell(path, "`{{` without `}}`");
                return;
            };
            match inner.strip_prefix("tag.") {
                Some(facet) if facets.iter().any(|known| known == facet) => {}
                Some(facet) => {
                    let known = if facets.is_empty() { "none".to_owned() } else { facets.join(", ") };
                    self.tell(path, format!("`{{{{tag.{facet}}}}}`: the query has no facet `{facet}`; there are {known}"));
                }
                None if NAMES.contains(&inner) => {}
                None => {
                    let message = format!("`{{{{{inner}}}}}`; allowed: {{{{tag.<facet>}}}}, {{{{{}}}}}", NAMES.join("}}, {{"));
                    self.tell(path, message);
                }
            }
            rest = next;
        }
    }

    /// Numbers that nobody changes when a threshold changes.
    fn numbers(&mut self, path: &str, text: &str) {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/');
        let words = text.split(|letter: char| !is_word(letter)).map(|word| word.trim_matches(['.', '-', '/']));
        let is_number = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if let Some(number) = words.into_iter().find(is_number) {
            let message =
                format!("the number {number} is written by hand; `[[critical]]` and its like are what the condition has");
            self.tell(path, message);
        }
    }

    /// Present in both languages, and short enough.
    pub(super) fn both(&mut self, path: &str, text: &Both, most: usize) {
        for (language, code) in CODES {
            let length = text.get(language).trim().chars().count();
            if length == 0 {
                self.tell(path, format!("has no `{code}`"));
            } else if length > most {
                self.tell(&format!("{path}.{code}"), format!("{length} characters; at most {most}"));
            }
        }
    }

    /// A reason is there.
    pub(super) fn said(&mut self, path: &str, text: &str) {
        if text.trim().is_empty() {
            self.tell(path, "is empty; say why");
        }
    }
}

const CODES: [(Language, &str); 2] = [(Language::English, "en"), (Language::Japanese, "ja")];
