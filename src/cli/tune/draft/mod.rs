//! The files as they would be: the exceptions and the conditions with all changes.
//!
//! In: the files as they are, changes. Out: the files as they would be, and what differs. What always holds: only what a change names is
//! touched, and in the cases of a condition the times that follow from it; comments stay; what cannot be written so that it reads back,
//! or so that the linter finds nothing new, is not proposed ([`Draft::can`]).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::diff::{self, Diff, Names};
use super::proof;
use crate::classify::{Exceptions, RuleSet};
use crate::cli::alerts::Linter;
use crate::cli::exit::Stop;
use crate::lab::backtest::Budget;
use crate::lab::tune::{Change, Edit, Exclusion, Muted};
use crate::nrql::condition::Priority;
use crate::publish::alert::{ConditionSource, Definition, edited};

/// What new exceptions say beside what they mute.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    pub(super) owner: String,
    pub(super) expires: Date,
    pub(super) budget: Budget,
}

/// The files, as they are and as they would be.
#[derive(Debug)]
pub(super) struct Draft {
    rules: RuleSet,
    conditions: BTreeMap<String, String>,
    edited: BTreeMap<String, String>,
    /// None: there is no file.
    written: Option<String>,
    /// What would stand in it.
    exceptions: Option<String>,
    excluded: BTreeSet<Exclusion>,
    signature: Signature,
    /// File and content of each condition by its id; none where two files have it.
    sources: BTreeMap<String, Option<(String, ConditionSource)>>,
    /// What was edited of each file: by path of keys the value before and after.
    values: BTreeMap<String, Values>,
    /// Files whose cases no longer say what comes, and a person has to.
    stale: BTreeSet<String>,
    linter: Linter,
}

type Values = BTreeMap<String, (String, String)>;

/// A file with an edit.
struct Edited {
    file: String,
    values: Values,
    text: String,
}

impl Draft {
    pub(super) fn new(
        files: Vec<(String, String)>,
        written: Option<String>,
        signature: Signature,
        rules: RuleSet,
        linter: Linter,
    ) -> Self {
        let conditions: BTreeMap<String, String> = files.into_iter().collect();
        Self {
            rules,
            sources: sources(&conditions),
            edited: conditions.clone(),
            conditions,
            exceptions: written.clone(),
            written,
            excluded: BTreeSet::new(),
            signature,
            values: BTreeMap::new(),
            stale: BTreeSet::new(),
            linter,
        }
    }

    /// The conditions as they would be.
    pub(super) fn definition(&self) -> Definition {
        Definition::read(self.edited.clone())
    }

    /// Text of the exceptions file as it would be.
    pub(super) fn exceptions(&self) -> Option<&str> {
        self.exceptions.as_deref()
    }

    /// Whether a change can be written down so that it reads back.
    pub(super) fn can(&self, change: &Change) -> bool {
        match change {
            Change::Edit { condition, edit } => self.edited(condition, *edit).is_some_and(|edited| !self.spoils(&edited)),
            Change::Exclude(exclusion) => {
                let text = self.with(exclusion);
                let read = Exceptions::from_text(&text, Path::new("exceptions.yml"), "UTC", &self.rules);
                let before = self.exceptions.as_deref().map_or(0, entries);
                !self.excluded.contains(exclusion) && read.is_ok_and(|(read, _)| read.list().len() == before + 1)
            }
        }
    }

    /// Makes changes, in their order.
    ///
    /// # Errors
    /// When a change cannot be made.
    pub(super) fn take<'c>(&mut self, changes: impl IntoIterator<Item = &'c Change>) -> Result<(), Stop> {
        for change in changes {
            match change {
                Change::Exclude(exclusion) => {
                    self.exceptions = Some(self.with(exclusion));
                    self.excluded.insert(exclusion.clone());
                }
                Change::Edit { condition, edit } => {
                    let made = self.edited(condition, *edit);
                    let Edited { file, values, text } =
                        made.ok_or_else(|| Stop::failed(format!("cannot be written: {change}"), None))?;
                    self.values.insert(file.clone(), values);
                    self.edited.insert(file, text);
                }
            }
        }
        for (file, text) in &mut self.edited {
            let holds = self.conditions.get(file) == Some(text) || proof::follow(file, text);
            if holds {
                self.stale.remove(file)
            } else {
                self.stale.insert(file.clone())
            };
        }
        Ok(())
    }

    /// The exceptions file with one more.
    fn with(&self, exclusion: &Exclusion) -> String {
        let before = self.exceptions.as_deref().unwrap_or_default();
        // An empty list is written as one; a comment behind it stays.
        let is_empty = entries(before) == 0;
        let is_list = |line: &str| is_empty && line.trim_start().starts_with("[]");
        let without =
            |line: &str| if is_list(line) { line.replacen("[]", "", 1).trim_start().to_owned() } else { line.to_owned() };
        let mut text: String = before.split_inclusive('\n').map(without).collect();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let first = text.lines().find(|line| line.trim_start().starts_with("- "));
        let indent = first.map_or(0, |line| line.len() - line.trim_start().len());
        for line in self.entry(exclusion).lines() {
            text += &format!("{:indent$}{line}\n", "");
        }
        text
    }

    fn entry(&self, exclusion: &Exclusion) -> String {
        let Signature { owner, expires, budget } = &self.signature;
        let reason = format!("told {} more often than {budget} bears; to be reviewed by its owner", exclusion.muted);
        let (owner, reason, control) = (quoted(owner), quoted(&reason), quoted(&exclusion.control));
        let mut entry = format!("- control: {control}\n  owner: {owner}\n  reason: {reason}\n  expires: {expires}\n");
        let scope = match &exclusion.muted {
            Muted::Actor(arn) | Muted::Role(arn) => Some(("actors", arn)),
            Muted::Address(address) => Some(("addresses", address)),
            Muted::Account(id) => Some(("accounts", id)),
            Muted::Everybody => None,
        };
        if let Some((key, value)) = scope {
            entry += &format!("  scope: {{{key}: [{}]}}\n", quoted(value));
        }
        entry
    }

    /// A condition's file with an edit beside those that it has; none where that cannot be written in the text.
    fn edited(&self, condition: &str, edit: Edit) -> Option<Edited> {
        let (file, source) = self.sources.get(condition)?.as_ref()?;
        let number = source.terms.iter().position(|term| term.priority == Priority::Critical)?;
        let critical = source.terms.get(number)?;
        // A step may stand on another that was not needed in the end: what a value was is what the file says.
        let (path, from, to) = match edit {
            Edit::Threshold { to, .. } => (format!("terms.{number}.threshold"), critical.threshold.to_string(), to.to_string()),
            Edit::Duration { to, .. } => (format!("terms.{number}.duration"), critical.duration.to_string(), to.to_string()),
            Edit::Join { to, .. } => ("expiration.after".to_owned(), source.expiration.after?.to_string(), to.to_string()),
            Edit::Warn => (format!("terms.{number}.priority"), critical.priority.word().to_owned(), "WARNING".to_owned()),
            Edit::Off => ("enabled".to_owned(), source.enabled.to_string(), "false".to_owned()),
        };
        let mut values = self.values.get(file).cloned().unwrap_or_default();
        values.insert(path, (from, to));
        values.retain(|_, (from, to)| from != to);
        let write = |text: String, (path, (from, to)): (&String, &(String, String))| {
            edited(&text, path, to, &format!("was {from}: tuned for {}", self.signature.budget))
        };
        let text = values.iter().try_fold(self.conditions.get(file)?.clone(), write)?;
        Some(Edited { file: file.clone(), values, text })
    }

    /// Whether something is wrong with a condition's file that was not before.
    fn spoils(&self, edited: &Edited) -> bool {
        let policy = edited.file.split_once('/').map(|(policy, _)| format!("{policy}/policy.yml"));
        let findings = |text: &str| -> BTreeSet<(String, String)> {
            let policy = policy.iter().filter_map(|file| Some((file.clone(), self.conditions.get(file)?.clone())));
            let definition = Definition::read(policy.chain([(edited.file.clone(), text.to_owned())]));
            self.linter.findings(&definition).into_iter().map(|finding| (finding.key, finding.message)).collect()
        };
        let before = self.conditions.get(&edited.file).map(|text| findings(text)).unwrap_or_default();
        !findings(&edited.text).is_subset(&before)
    }

    /// Everything that differs.
    pub(super) fn diff(&self, names: &Names) -> Diff {
        let mut files: Vec<(PathBuf, Option<&str>, &str)> = Vec::new();
        if self.exceptions != self.written {
            files.push((names.exceptions(), self.written.as_deref(), self.exceptions.as_deref().unwrap_or_default()));
        }
        let mut stale = Vec::new();
        for (file, text) in &self.edited {
            let old = self.conditions.get(file).map(String::as_str);
            if old != Some(text.as_str()) {
                if self.stale.contains(file) {
                    stale.push(names.condition(file));
                }
                files.push((names.condition(file), old, text));
            }
        }
        diff::of(&names.here, &files, &stale)
    }
}

/// Where each condition is, whatever its file is called.
fn sources(texts: &BTreeMap<String, String>) -> BTreeMap<String, Option<(String, ConditionSource)>> {
    let mut sources: BTreeMap<String, Option<(String, ConditionSource)>> = BTreeMap::new();
    for policy in Definition::read(texts.clone()).policies {
        for (name, source) in policy.conditions {
            let file = format!("{}/{name}.yml", policy.key);
            let place = sources.entry(source.id.clone());
            place.and_modify(|known| *known = None).or_insert(Some((file, source)));
        }
    }
    sources
}

/// How many exceptions a text has.
fn entries(text: &str) -> usize {
    let indent = text.lines().find(|line| line.trim_start().starts_with("- ")).map(|line| line.len() - line.trim_start().len());
    text.lines()
        .filter(|line| line.trim_start().starts_with("- ") && Some(line.len() - line.trim_start().len()) == indent)
        .count()
}

/// A text in quotes, as YAML and JSON both have them.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
