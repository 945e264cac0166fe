//! What is found in the files that a configuration names: rules, names of accounts, the folders of dead letters and
//! of state.
//!
//! In: their names, from a good configuration or from what could be read of a faulty one. Out: all that is wrong with them.
//! What always holds: nothing is changed.

use serde_json::{Value, json};

use super::super::{count, writable};
use crate::classify::{Exceptions, FileFault, Frameworks, RuleFault, RuleSet};
use crate::clock::Clock;
use crate::config::Files;
use crate::enrich::AccountNames;
use crate::record::time::format_ms;

/// What to know of correlations: an agent sees only its own part of a queue.
fn correlations(rules: &RuleSet) -> Option<String> {
    let ids: Vec<&str> = rules.rules().iter().filter(|rule| rule.correlation.is_some()).map(|rule| rule.id.as_str()).collect();
    (!ids.is_empty()).then(|| {
        format!(
            "rules that count several records ({}): each agent counts what it has read itself since it started, in memory: after a \
             restart counting begins anew, and a record that comes again then is counted without those before it. Where several agents \
             share a queue, give the rules they name `generate: true` and let an alert condition count their events, as SELECT \
             count(*) FROM AwsSecurityEvent WHERE control.id = 'the rule' FACET source.ip, over a sliding window of the timespan",
            ids.join(", ")
        )
    })
}

/// What is found beyond the configuration itself.
pub(super) struct Examined {
    pub(super) builtin: usize,
    pub(super) company: usize,
    pub(super) rule_faults: Vec<RuleFault>,
    /// Accounts in the file, or what is wrong with it; `None`: no file.
    pub(super) accounts: Option<Result<usize, String>>,
    /// Exceptions in the file, or what is wrong with it; `None`: no file.
    pub(super) exceptions: Option<Result<usize, String>>,
    /// Controls in the file of framework numbers, or what is wrong with it; `None`: no file.
    pub(super) frameworks: Option<Result<usize, String>>,
    /// What is doubtful in a file, though it can be used.
    pub(super) doubts: Vec<String>,
    /// Why dead letters cannot be written.
    dead_letters: Option<String>,
    /// Why state cannot be written.
    state: Option<String>,
}

impl Examined {
    /// `time_zone`: the configured one, in which days end.
    pub(super) fn of(files: &Files, time_zone: &str) -> Self {
        let (rules, rule_faults) = RuleSet::load(&files.rules);
        let builtin = rules.rules().iter().filter(|rule| rule.builtin).count();
        let accounts = files.accounts.file.as_ref().map(|file| {
            let names = AccountNames::from_file(file);
            names.map(|names| names.len()).map_err(|error| error.to_string())
        });
        let mut doubts = Vec::new();
        doubts.extend(correlations(&rules));
        let exceptions = files.exceptions.as_ref().map(|file| {
            let read = Exceptions::from_file(file, time_zone, &rules).map_err(|error| error.to_string());
            read.map(|(exceptions, doubtful)| {
                doubts.extend(doubtful.iter().map(|doubt: &FileFault| doubt.in_file(file)));
                let now_ms = Clock::system().now_ms();
                doubts.extend(exceptions.expired(None, now_ms).map(|exception| {
                    let (file, line) = (file.display(), exception.line);
                    let (control, ended) = (&exception.control, format_ms(exception.expires_ms));
                    format!("{file}:{line}: the exception of {control} expired at {ended} and mutes nothing: renew or remove it")
                }));
                exceptions.list().len()
            })
        });
        let frameworks = files.frameworks.as_ref().map(|file| {
            let read = Frameworks::from_file(file).map_err(|error| error.to_string());
            read.map(|(frameworks, doubtful)| {
                doubts.extend(doubtful.iter().map(|doubt| doubt.in_file(file)));
                frameworks.len()
            })
        });
        let dead_letters = writable::fault(files.dead_letters.as_ref());
        let state = writable::state_fault(files.state.as_ref());
        Self {
            builtin,
            company: rules.rules().len() - builtin,
            rule_faults,
            accounts,
            exceptions,
            frameworks,
            doubts,
            dead_letters,
            state,
        }
    }

    /// Whether `run` would refuse to start; a broken rule stops nothing.
    pub(super) fn stop_the_agent(&self) -> bool {
        let read = [&self.accounts, &self.exceptions, &self.frameworks];
        read.iter().any(|found| matches!(found, Some(Err(_)))) || self.dead_letters.is_some() || self.state.is_some()
    }

    /// Everything that is wrong, one part after the other, each after an empty line.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if !self.rule_faults.is_empty() {
            text += &format!("\n{} with rules; the other rules run\n", count(self.rule_faults.len(), "problem"));
            for fault in &self.rule_faults {
                text += &format!("  {fault}\n");
                text += &fault.hint.map(|hint| format!("    hint: {hint}\n")).unwrap_or_default();
            }
        }
        for found in [&self.accounts, &self.exceptions, &self.frameworks] {
            if let Some(Err(error)) = found {
                text += &format!("\n{error}\n");
            }
        }
        if let Some(error) = &self.dead_letters {
            text += &format!("\n{error}\n  hint: {}\n", writable::HINT);
        }
        if let Some(error) = &self.state {
            text += &format!("\n{error}\n  hint: {}\n", writable::STATE_HINT);
        }
        text
    }

    /// What makes `run` refuse to start, in the form of the configuration's own faults.
    pub(super) fn faults(&self) -> Vec<Value> {
        let fault = |path: &str, what: &str, hint: Option<&str>| {
            json!({
                "path": path, "line": null, "variable": null, "what": what, "was": null, "allowed": null, "hint": hint,
            })
        };
        let wrong = [("accounts.file", &self.accounts), ("exceptions", &self.exceptions), ("frameworks.file", &self.frameworks)];
        let wrong = wrong.into_iter().filter_map(|(path, found)| Some((path, found.as_ref()?.as_ref().err()?)));
        let wrong = wrong.map(|(path, error)| fault(path, error, None));
        let dead_letters = self.dead_letters.iter().map(|error| fault("deadLetters.folder", error, Some(writable::HINT)));
        let state = self.state.iter().map(|error| fault("state.folder", error, Some(writable::STATE_HINT)));
        wrong.chain(dead_letters).chain(state).collect()
    }

    /// What is wrong with rules.
    pub(super) fn rule_faults(&self) -> Vec<Value> {
        let faults = self.rule_faults.iter();
        faults.map(|fault| json!({ "file": fault.file, "line": fault.line, "what": fault.problem, "hint": fault.hint })).collect()
    }
}
