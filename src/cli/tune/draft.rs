//! The files as they would be: the exceptions and the conditions with all changes.
//!
//! In: the files as they are, changes. Out: the files as they would be, and what differs as a unified diff that `git apply` and
//! `patch -p1` take. What always holds: only what a change names is touched, comments stay; an edit that cannot be made in the text
//! is told, to be made by hand, and is no part of the diff.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use similar::TextDiff;

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
    /// Of the folder.
    pub(super) conditions: String,
}

/// The files, as they are and as they would be.
#[derive(Debug)]
pub(super) struct Draft {
    conditions: BTreeMap<String, String>,
    edited: BTreeMap<String, String>,
    /// None: there is no file.
    written: Option<String>,
    /// What would stand in it.
    exceptions: Option<String>,
    excluded: BTreeSet<Exclusion>,
    by_hand: Vec<String>,
    signature: Signature,
}

impl Draft {
    pub(super) fn new(files: Vec<(String, String)>, written: Option<String>, signature: Signature) -> Self {
        let conditions: BTreeMap<String, String> = files.into_iter().collect();
        Self {
            edited: conditions.clone(),
            conditions,
            exceptions: written.clone(),
            written,
            excluded: BTreeSet::new(),
            by_hand: Vec::new(),
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

    /// Edits that could not be made in the text.
    pub(super) fn by_hand(&self) -> &[String] {
        &self.by_hand
    }

    /// Makes changes, in their order.
    ///
    /// # Errors
    /// When a change names a condition that is not there.
    pub(super) fn take<'c>(&mut self, changes: impl IntoIterator<Item = &'c Change>) -> Result<(), Stop> {
        for change in changes {
            match change {
                Change::Exclude(exclusion) => self.exclude(exclusion),
                Change::Edit { condition, edit } => self.edit(condition, *edit)?,
            }
        }
        Ok(())
    }

    fn exclude(&mut self, exclusion: &Exclusion) {
        if !self.excluded.insert(exclusion.clone()) {
            return;
        }
        let before = self.exceptions.take().filter(|text| text.trim() != "[]").unwrap_or_default();
        let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
        self.exceptions = Some(format!("{before}{gap}{}", self.entry(exclusion)));
    }

    fn entry(&self, exclusion: &Exclusion) -> String {
        let Signature { owner, expires, budget } = &self.signature;
        let reason = format!("noise: told {} too often for {budget}; reviewed by its owner", exclusion.muted);
        let (owner, reason, control) = (quoted(owner), quoted(&reason), quoted(&exclusion.control));
        let mut entry = format!("- control: {control}\n  owner: {owner}\n  reason: {reason}\n  expires: {expires}\n");
        let scope = match &exclusion.muted {
            Muted::Actor(name) => Some(("actors", name)),
            Muted::Address(address) => Some(("addresses", address)),
            Muted::Account(id) => Some(("accounts", id)),
            Muted::Everybody => None,
        };
        if let Some((key, value)) = scope {
            entry += &format!("  scope: {{{key}: [{}]}}\n", quoted(value));
        }
        entry
    }

    fn edit(&mut self, condition: &str, edit: Edit) -> Result<(), Stop> {
        let definition = self.definition();
        let found = definition.conditions().find(|(_, source)| source.id == condition);
        let (policy, source) = found.ok_or_else(|| Stop::failed(format!("condition {condition} is not in the files"), None))?;
        let critical = source.terms.iter().position(|term| term.priority == Priority::Critical).unwrap_or_default();
        let (path, from, to) = match edit {
            Edit::Threshold { from, to } => (format!("terms.{critical}.threshold"), from.to_string(), to.to_string()),
            Edit::Duration { from, to } => (format!("terms.{critical}.duration"), from.to_string(), to.to_string()),
            Edit::Join { from, to } => ("expiration.after".to_owned(), from.to_string(), to.to_string()),
            Edit::Warn => (format!("terms.{critical}.priority"), "CRITICAL".to_owned(), "WARNING".to_owned()),
            Edit::Off => ("enabled".to_owned(), "true".to_owned(), "false".to_owned()),
        };
        let file = format!("{}/{condition}.yml", policy.key);
        let text = self.edited.get(&file).map(String::as_str).unwrap_or_default();
        let because = format!("was {from}: tuned for {}", self.signature.budget);
        match edited(text, &path, &to, &because) {
            Some(text) => drop(self.edited.insert(file, text)),
            None => self.by_hand.push(format!("{file}: {path}: {from} → {to}")),
        }
        Ok(())
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
                diff += &one(&format!("{}/{file}", names.conditions.trim_end_matches('/')), old, text);
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

/// A text in quotes, as YAML and JSON both have them.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
