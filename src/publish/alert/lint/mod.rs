//! What is wrong with the files of the conditions.
//!
//! In: a [`Definition`], the names that exist in the data, the controls that exist. Out: [`Finding`]s, each with file and line. What
//! always holds: everything is told at once, in the order of the files; a definition without findings renders, in both languages, to
//! what New Relic takes. What a query says is judged by [`crate::nrql::lint`], a warning as an error; ranges by
//! [`Condition::faults`](crate::nrql::condition::Condition::faults). Beside New Relic's own limits these are ours:
//!
//! - a condition on single records reads notices, which are never late (P28);
//! - a timer or delay is as long as rows are late, and the file says where that number comes from (P28);
//! - no text writes a number of its own: `[[words]]` stand for the values (P37);
//! - every threshold, switch and time says why, and every condition proves what opens it and what does not.

mod cases;
pub(super) mod place;
mod query;
mod texts;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::source::{ConditionSource, Definition, FillWord, MethodWord, POLICY, Policy, SignalSource, TIMER_S};
use crate::nrql::lint::Names;
use crate::publish::dashboard::{self, DefinitionError, Language};

/// What becomes one issue. New Relic's words.
const PREFERENCES: [&str; 3] = ["PER_POLICY", "PER_CONDITION", "PER_CONDITION_AND_TARGET"];

/// What a definition may name.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Event types and attributes.
    pub names: &'a Names,
    /// `control.id` of every control that is known.
    pub controls: &'a BTreeSet<String>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// File: `<policy>/<name>.yml`.
    pub file: String,
    /// Line in it, from 1; 0: the file as a whole.
    pub line: usize,
    /// The key it is about.
    pub key: String,
    /// What was found, and what is allowed.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}: {}", self.file, self.line, self.key, self.message)
    }
}

/// Everything that is wrong.
#[must_use]
pub fn lint(definition: &Definition, known: Known<'_>) -> Vec<Finding> {
    let mut lint = Lint { definition, known, file: String::new(), findings: Vec::new() };
    for error in &definition.unreadable {
        lint.findings.push(unreadable(error));
    }
    if definition.conditions().next().is_none() && definition.unreadable.is_empty() {
        let message = "no conditions; a folder holds <policy>/policy.yml and <policy>/<id>.yml".to_owned();
        lint.findings.push(Finding { file: ".".to_owned(), line: 0, key: "conditions".to_owned(), message });
    }
    let views = dashboard::Definition::shipped().map(|definition| definition.shared.pages).unwrap_or_default();
    for policy in &definition.policies {
        lint.file = format!("{}/{POLICY}", policy.key);
        lint.policy(policy, &views);
        for (stem, condition) in &policy.conditions {
            lint.file = format!("{}/{stem}.yml", policy.key);
            lint.condition(stem, condition);
        }
    }
    lint.names();
    lint.findings.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    lint.findings
}

pub(super) fn unreadable(error: &DefinitionError) -> Finding {
    let (file, line, key, message) = match error {
        DefinitionError::Missing { file } => (file, 0, "file", "no such file; a policy has one".to_owned()),
        DefinitionError::Unreadable { file, line, message } => {
            (file, usize::try_from(*line).unwrap_or_default(), "yaml", message.clone())
        }
    };
    Finding { file: file.clone(), line, key: key.to_owned(), message }
}

struct Lint<'a> {
    definition: &'a Definition,
    known: Known<'a>,
    /// The file that is being judged.
    file: String,
    findings: Vec<Finding>,
}

impl Lint<'_> {
    /// Tells something of the value at a path of keys: `terms.1.threshold`.
    fn tell(&mut self, path: &str, message: impl Into<String>) {
        let text = self.definition.texts.get(&self.file).map_or("", String::as_str);
        let line = place::line(text, path);
        self.findings.push(Finding { file: self.file.clone(), line, key: path.to_owned(), message: message.into() });
    }

    fn policy(&mut self, policy: &Policy, views: &[String]) {
        let Some(source) = &policy.source else { return };
        if !is_plain(&policy.key) {
            self.tell("name", format!("folder `{}`; a policy's is lower-case words with `-` between", policy.key));
        }
        self.both("name", &source.name, texts::NAME);
        if !PREFERENCES.contains(&source.incident_preference.as_str()) {
            let message = format!("`{}`; allowed: {}", source.incident_preference, PREFERENCES.join(", "));
            self.tell("incidentPreference", message);
        }
        self.said("reason", &source.reason);
        if !views.contains(&source.view) {
            self.tell("view", format!("no page `{}` of the dashboard; the pages are {}", source.view, views.join(", ")));
        }
    }

    fn condition(&mut self, stem: &str, condition: &ConditionSource) {
        if condition.id != stem {
            self.tell("id", format!("`{}` in a file called {stem}.yml; both are the same", condition.id));
        }
        if !is_plain(&condition.id) {
            self.tell("id", format!("`{}`; an id is lower-case words with `-` between", condition.id));
        }
        self.said("because", &condition.because);
        if condition.answers.is_empty() {
            self.tell("answers", "names no requirement; name the rows that ask for this condition");
        }
        self.query(condition);
        self.signal(condition);
        self.model(condition);
        self.texts(condition);
        self.cases(condition);
    }

    /// By New Relic's limits.
    fn model(&mut self, condition: &ConditionSource) {
        let model = condition.model(Language::English);
        for (key, message) in model.faults() {
            let path = match key {
                "name" => continue, // told by its texts, in both languages
                "violationTimeLimitSeconds" => "timeLimit",
                "signal.aggregationWindow" => "signal.window",
                "signal.aggregationTimer" => "signal.timer",
                "signal.aggregationDelay" => "signal.delay",
                "signal.slideBy" => "signal.slide",
                "signal.fillValue" => "signal.fillValue",
                "signal.evaluationDelay" => "signal.evaluationDelay",
                "expiration.expirationDuration" => "expiration.after",
                "terms.thresholdDuration" => "terms.duration",
                other => other,
            };
            self.tell(path, message);
        }
        for (at, term) in condition.terms.iter().enumerate() {
            self.said(&format!("terms.{at}.reason"), &term.reason);
        }
        if let Some(baseline) = &condition.baseline {
            self.said("baseline.reason", &baseline.reason);
        }
        let expiration = &condition.expiration;
        self.said("expiration.reason", &expiration.reason);
        match expiration.after {
            None if expiration.opens || expiration.closes => {
                self.tell("expiration", "`after` is missing: after how many seconds does it open or close?");
            }
            Some(_) if !expiration.opens && !expiration.closes => {
                self.tell("expiration.after", "neither `opens` nor `closes`: nothing would happen; leave `after` out");
            }
            _ => {}
        }
    }

    /// Method, delay and timer: always said, only those that belong together, and as long as rows are late.
    fn signal(&mut self, condition: &ConditionSource) {
        let SignalSource { window, method, timer, delay, fill, fill_value, .. } = condition.signal;
        let word = method.word();
        let (wanted, waits, stranger) = match method {
            MethodWord::EventTimer => ("timer", timer, delay.map(|_| "delay")),
            MethodWord::EventFlow | MethodWord::Cadence => ("delay", delay, timer.map(|_| "timer")),
        };
        if let Some(stranger) = stranger {
            self.tell(&format!("signal.{stranger}"), format!("{word} has no {stranger}; it has a {wanted}"));
        }
        match waits {
            None => self.tell(
                "signal",
                format!("`{wanted}` is missing: {word} says how many seconds, also if it is New Relic's default"),
            ),
            Some(waits) if waits < condition.lateness.seconds => {
                let message = format!(
                    "{waits}, and rows are up to {} s late (`lateness`): what comes after that is lost to the condition",
                    condition.lateness.seconds
                );
                self.tell(&format!("signal.{wanted}"), message);
            }
            Some(waits) if method == MethodWord::EventTimer && waits < window => {
                let hint = if window <= TIMER_S {
                    format!("at least the window, {window}")
                } else {
                    format!("at least the window, {window}; none is longer than {TIMER_S}, so say CADENCE with a delay")
                };
                self.tell("signal.timer", format!("{waits}: a pause between two rows would close the window; allowed: {hint}"));
            }
            Some(_) => {}
        }
        if (fill == FillWord::Static) != fill_value.is_some() {
            self.tell("signal.fill", format!("{}: `fillValue` stands with STATIC and with nothing else", fill.word()));
        }
        self.said("lateness.why", &condition.lateness.why);
    }

    /// No two things in New Relic have the same name.
    fn names(&mut self) {
        for language in Language::ALL {
            let mut seen: BTreeMap<&str, String> = BTreeMap::new();
            for (policy, condition) in self.definition.conditions() {
                let name = condition.name.get(language);
                let here = format!("{}/{}.yml", policy.key, condition.id);
                if let Some(other) = seen.get(name).filter(|_| !name.is_empty()) {
                    let message = format!("`{name}` is the name of {other}, too; names are unique");
                    self.file = here;
                    self.tell("name", message);
                } else {
                    seen.insert(name, here);
                }
            }
        }
        let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
        for (policy, condition) in self.definition.conditions() {
            if let Some(other) = ids.insert(&condition.id, &policy.key) {
                self.file = format!("{}/{}.yml", policy.key, condition.id);
                self.tell("id", format!("`{}` is an id of policy {other}, too; ids are unique", condition.id));
            }
        }
    }
}

/// Words of small letters and digits, `-` between.
fn is_plain(name: &str) -> bool {
    name.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}
