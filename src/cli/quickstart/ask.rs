//! One answer after the other: from a flag, a person, or the default.
//!
//! In: a question. Out: its answer, valid. What always holds: a wrong answer is told with what is allowed, of a person it is asked
//! again, of flags all that is wrong or missing is told at once; what was typed is never shown where it may be a key.

use std::io::{BufRead, Write};

use super::words::{self, Say};
use crate::cli::exit::Stop;
use crate::publish::dashboard::Language;

/// Reads an answer, or says what is allowed.
pub(super) type Parse<'a, T> = &'a dyn Fn(&str) -> Result<T, String>;

/// A question.
pub(super) struct Question<'a, T> {
    /// Its flag, with dashes.
    pub(super) flag: &'static str,
    /// What was given by the flag.
    pub(super) given: Option<&'a str>,
    /// In a line.
    pub(super) asks: Say,
    /// What holds when nothing is said; `None`: something must be.
    pub(super) default: Option<String>,
    /// Reads an answer.
    pub(super) parse: Parse<'a, T>,
}

/// Whoever answers.
pub(super) struct Asking<'a> {
    pub(super) language: Language,
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
    is_person: bool,
    takes_defaults: bool,
    wrong: Vec<String>,
    missing: Vec<&'static str>,
    open: Vec<&'static str>,
}

impl<'a> Asking<'a> {
    /// `is_person`: somebody sits there; `takes_defaults`: what has no flag has its default.
    pub(super) fn new(
        language: Language,
        input: &'a mut dyn BufRead,
        output: &'a mut dyn Write,
        is_person: bool,
        takes_defaults: bool,
    ) -> Self {
        Self { language, input, output, is_person, takes_defaults, wrong: vec![], missing: vec![], open: vec![] }
    }

    /// Tells a person what comes next and why it is asked.
    pub(super) fn explain(&mut self, number: usize, title: Say, why: Say) -> Result<(), Stop> {
        if self.is_person {
            let (title, why) = (title.get(self.language), why.get(self.language));
            self.say(&format!("\n[{number}/{}] {title}\n  {why}\n", words::QUESTIONS))?;
        }
        Ok(())
    }

    /// The answer; `None`: it is wrong or missing, which [`Asking::end`] tells.
    pub(super) fn ask<T>(&mut self, question: &Question<'_, T>) -> Result<Option<T>, Stop> {
        if let Some(given) = question.given {
            return Ok(self.of_flag(question, given));
        }
        if self.is_person {
            return self.of_person(question).map(Some);
        }
        match &question.default {
            Some(default) if self.takes_defaults => return Ok(self.of_flag(question, default)),
            Some(_) => self.open.push(question.flag),
            None => self.missing.push(question.flag),
        }
        Ok(None)
    }

    /// Adds something that is wrong with answers together.
    pub(super) fn wrong(&mut self, flag: &str, why: &str) {
        self.wrong.push(format!("{flag}: {why}"));
    }

    /// Whether something is wrong or missing already.
    pub(super) fn is_in_doubt(&self) -> bool {
        !(self.wrong.is_empty() && self.missing.is_empty() && self.open.is_empty())
    }

    /// Whether somebody sits there.
    pub(super) fn is_person(&self) -> bool {
        self.is_person
    }

    /// Tells a person something.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Stop> {
        let said = self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush());
        said.map_err(|error| Stop::usage(format!("asking: {error}"), None))
    }

    /// All that is wrong or missing, as the end of the command.
    pub(super) fn end(self) -> Result<(), Stop> {
        let language = self.language;
        let mut told = self.wrong;
        if !self.missing.is_empty() {
            told.push(format!("{}: {}", self.missing.join(", "), words::MISSING.get(language)));
        }
        if !self.open.is_empty() {
            told.push(format!("{}: {}", self.open.join(", "), words::OPEN.get(language)));
        }
        if told.is_empty() {
            return Ok(());
        }
        Err(Stop::usage(told.join("\n  "), Some(words::HELP.get(language).to_owned())))
    }

    fn of_flag<T>(&mut self, question: &Question<'_, T>, text: &str) -> Option<T> {
        match (question.parse)(text.trim()) {
            Ok(answer) => Some(answer),
            Err(why) => {
                self.wrong(question.flag, &why);
                None
            }
        }
    }

    fn of_person<T>(&mut self, question: &Question<'_, T>) -> Result<T, Stop> {
        loop {
            let default = question.default.as_ref().map(|default| format!(" [{default}]")).unwrap_or_default();
            self.say(&format!("  {}{default}: ", question.asks.get(self.language)))?;
            let mut line = Vec::new();
            let read = self.input.read_until(b'\n', &mut line);
            if read.map_err(|error| Stop::usage(format!("reading standard input: {error}"), None))? == 0 {
                self.say("\n")?;
                return Err(Stop::usage(words::ENDED.get(self.language), Some(words::HELP.get(self.language).to_owned())));
            }
            let line = String::from_utf8_lossy(&line);
            let text = match (line.trim(), &question.default) {
                ("", Some(default)) => default.as_str(),
                ("", None) => continue,
                (text, _) => text,
            };
            match (question.parse)(text) {
                Ok(answer) => return Ok(answer),
                Err(why) => self.say(&format!("  ! {why}\n"))?,
            }
        }
    }
}
