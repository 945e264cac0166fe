//! The files as they would be: the exceptions and the conditions with all changes.
//!
//! In: the files as they are, changes. Out: the files as they would be, and what differs as a unified diff that `git apply` and
//! `patch -p1` take. What always holds: only what a change names is touched, comments stay; what cannot be written so that it reads
//! back is not proposed ([`Draft::can`]).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use similar::TextDiff;

use crate::classify::{Exceptions, RuleSet};
use crate::cli::exit::Stop;
use crate::lab::backtest::Budget;
use crate::lab::tune::{Change, Edit, Exclusion, Muted};
use crate::nrql::condition::Priority;
use crate::publish::alert::{Definition, edited};

/// What new exceptions say beside what they mute.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    pub(super) owner: String,
    pub(super) expires: Date,
    pub(super) budget: Budget,
}

/// How the files are called in the diff.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) exceptions: String,
    /// Where the conditions were read; none: those that are built in.
    pub(super) conditions: Option<PathBuf>,
}

impl Names {
    /// The path of a condition's file, `<policy>/<file>`.
    fn condition(&self, file: &str) -> String {
        let name = file.split_once('/').map_or(file, |(_, name)| name);
        let path = match &self.conditions {
            None => Path::new("nrql/conditions").join(file),
            Some(path) if path.is_file() => path.clone(),
            Some(path) if path.join("policy.yml").is_file() => path.join(name),
            Some(path) => path.join(file),
        };
        path.display().to_string()
    }
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
}

impl Draft {
    pub(super) fn new(files: Vec<(String, String)>, written: Option<String>, signature: Signature, rules: RuleSet) -> Self {
        let conditions: BTreeMap<String, String> = files.into_iter().collect();
        Self {
            rules,
            edited: conditions.clone(),
            conditions,
            exceptions: written.clone(),
            written,
            excluded: BTreeSet::new(),
            signature,
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
            Change::Edit { condition, edit } => self.edited(condition, *edit).is_some(),
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
                    let (file, text) = made.ok_or_else(|| Stop::failed(format!("cannot be written: {change}"), None))?;
                    self.edited.insert(file, text);
                }
            }
        }
        Ok(())
    }

    /// The exceptions file with one more.
    fn with(&self, exclusion: &Exclusion) -> String {
        let is_empty_list = |line: &&str| line.trim_start().starts_with("[]");
        let before = self.exceptions.as_deref().unwrap_or_default();
        let mut text: String = before.split_inclusive('\n').filter(|line| !is_empty_list(line)).collect();
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

    /// Name and text of a condition's file with an edit; none where it cannot be made in the text.
    fn edited(&self, condition: &str, edit: Edit) -> Option<(String, String)> {
        let definition = self.definition();
        let (policy, source) = definition.conditions().find(|(_, source)| source.id == condition)?;
        let critical = source.terms.iter().position(|term| term.priority == Priority::Critical)?;
        let (path, from, to) = match edit {
            Edit::Threshold { from, to } => (format!("terms.{critical}.threshold"), from.to_string(), to.to_string()),
            Edit::Duration { from, to } => (format!("terms.{critical}.duration"), from.to_string(), to.to_string()),
            Edit::Join { from, to } => ("expiration.after".to_owned(), from.to_string(), to.to_string()),
            Edit::Warn => (format!("terms.{critical}.priority"), "CRITICAL".to_owned(), "WARNING".to_owned()),
            Edit::Off => ("enabled".to_owned(), "true".to_owned(), "false".to_owned()),
        };
        let file = format!("{}/{condition}.yml", policy.key);
        let because = format!("was {from}: tuned for {}", self.signature.budget);
        let text = edited(self.edited.get(&file)?, &path, &to, &because)?;
        Some((file, text))
    }

    /// Everything that differs.
    pub(super) fn diff(&self, names: &Names) -> String {
        let mut diff = String::new();
        if self.exceptions != self.written {
            let old = self.written.as_deref();
            diff += &one(&names.exceptions, old, self.exceptions.as_deref().unwrap_or_default());
        }
        for (file, text) in &self.edited {
            let old = self.conditions.get(file).map(String::as_str);
            if old != Some(text.as_str()) {
                diff += &one(&names.condition(file), old, text);
            }
        }
        diff
    }
}

/// One file's part of a diff.
fn one(name: &str, old: Option<&str>, new: &str) -> String {
    // `a/` and `b/` before an absolute path would be no path that is there.
    let name = name.trim_start_matches('/').trim_start_matches("./");
    let from = old.map_or_else(|| "/dev/null".to_owned(), |_| format!("a/{name}"));
    let text = TextDiff::from_lines(old.unwrap_or_default(), new);
    text.unified_diff().context_radius(3).header(&from, &format!("b/{name}")).to_string()
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
