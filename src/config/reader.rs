//! Typed access to what was written.
//!
//! In: a key path. Out: its value in the type and range of its row in the option table, or the default. A value that does
//! not fit becomes a fault here, with the text found, what is allowed and a hint; reading goes on. It knows no relations
//! between keys; those are `valid`'s part.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::env::{self, Environment};
use super::fault::{Fault, Place};
use super::file::{Given, Named, Setting, Written};
use super::nearest::nearest;
use super::options::{self, Absent, Key, Kind};
use super::queue_url::{self, QueueUrl};
use super::secret_ref::{SecretError, SecretRef};
use super::value;
use crate::secret::Secret;

/// Reads keys and gathers faults.
pub(super) struct Reader<'a> {
    pub(super) written: &'a Written,
    pub(super) env: &'a dyn Environment,
    pub(super) faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    fn setting(&self, path: &str) -> Option<&'a Setting> {
        self.written.settings.get(path)
    }

    /// Where a key was written.
    pub(super) fn place(&self, path: &str) -> Place {
        self.setting(path).map_or(Place::Nowhere, |setting| setting.place.clone())
    }

    /// Whether a key was written.
    pub(super) fn has(&self, path: &str) -> bool {
        self.setting(path).is_some()
    }

    /// A single text, as written.
    pub(super) fn raw(&self, path: &str) -> Option<&'a str> {
        match &self.setting(path)?.given {
            Given::One(text) => Some(text.trim()),
            Given::Many(_) | Given::Named(_) => None,
        }
    }

    /// Adds a fault about the value at a key.
    pub(super) fn wrong(&mut self, path: &str, what: &str, hint: Option<String>) {
        let place = self.place(path);
        let mut fault = Fault::new(path, place, what).maybe_hint(hint);
        if let Some(row) = row(path) {
            fault = fault.allowed(row.kind.allowed());
            if row.kind == Kind::Secret {
                fault = fault.was_secret();
            } else if let Some(text) = self.raw(path) {
                fault = fault.was(text);
            }
        }
        self.faults.push(fault);
    }

    /// Adds a fault for a key that must be there, unless a fault already speaks of it.
    pub(super) fn missing(&mut self, path: &str) {
        if self.written.is_unreadable() || self.written.is_broken(path) {
            return;
        }
        let mut fault = Fault::new(path, self.item(path), "missing");
        if let Some(row) = row(path) {
            fault = fault.allowed(row.kind.allowed());
            if !row.variable.is_empty() {
                let mistaken = env::mistaken(self.env, row.variable);
                fault = fault.hint(format!("write it in the file or set {}", row.variable)).maybe_hint(mistaken);
            }
        }
        self.faults.push(fault);
    }

    /// Where the source was written whose key this is.
    fn item(&self, path: &str) -> Place {
        let number =
            path.strip_prefix("sources[").and_then(|rest| rest.split(']').next()).and_then(|number| number.parse::<usize>().ok());
        number.and_then(|number| self.written.sources.get(number)).cloned().unwrap_or(Place::Nowhere)
    }

    /// A single text as `parse` understands it; what it refuses is a fault.
    pub(super) fn parse<T>(&mut self, path: &str, what: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.raw(path)?;
        let value = parse(text);
        if value.is_none() {
            self.wrong(path, what, None);
        }
        value
    }

    /// One of the words of the key's row, in the row's own writing.
    pub(super) fn word(&mut self, path: &str) -> Option<&'static str> {
        let text = self.raw(path)?;
        let Some(Key { kind: Kind::Word(words), .. }) = row(path) else { return None };
        let found = words.iter().copied().find(|word| *word == text);
        if found.is_none() {
            let hint = nearest(text, words.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
            self.wrong(path, "not one of its values", hint);
        }
        found
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, path: &str, default: bool) -> bool {
        match self.raw(path) {
            None => default,
            Some("true") => true,
            Some("false") => false,
            Some(other) => {
                let hint = match &*other.to_ascii_lowercase() {
                    "yes" | "y" | "on" | "1" | "true" => Some("write true".to_owned()),
                    "no" | "n" | "off" | "0" | "false" => Some("write false".to_owned()),
                    _ => None,
                };
                self.wrong(path, "not true or false", hint);
                default
            }
        }
    }

    /// A whole number in the row's range.
    pub(super) fn whole(&mut self, path: &str, default: u64) -> u64 {
        let Some(Key { kind: Kind::Whole(least, most), .. }) = row(path) else { return default };
        let value = self.parse(path, "not a whole number", value::whole);
        self.in_range(path, value, *least, *most).unwrap_or(default)
    }

    /// A number of bytes in the row's range.
    pub(super) fn bytes(&mut self, path: &str, default: u64) -> u64 {
        let Some(Key { kind: Kind::Bytes(least, most), .. }) = row(path) else { return default };
        let Some(text) = self.raw(path) else { return default };
        let Some(value) = value::bytes(text) else {
            self.wrong(
                path,
                "not a number of bytes",
                Some("write a whole number, with kB, MB, GB, KiB, MiB or GiB if you like".to_owned()),
            );
            return default;
        };
        self.in_range(path, Some(value), *least, *most).unwrap_or(default)
    }

    /// A time in the row's range.
    pub(super) fn time(&mut self, path: &str, default: Duration) -> Duration {
        let Some(Key { kind: Kind::Time(least, most) | Kind::TimeOrOff(least, most), .. }) = row(path) else { return default };
        let Some(text) = self.raw(path) else { return default };
        let Some(value) = value::time(text) else {
            let hint = match value::whole(text) {
                Some(number) => format!("add the unit: {number}ms, {number}s or {number}m"),
                None => "write a whole number and ms, s, m or h".to_owned(),
            };
            self.wrong(path, "not a time", Some(hint));
            return default;
        };
        let milliseconds = u64::try_from(value.as_millis()).ok();
        self.in_range(path, milliseconds, *least, *most).map_or(default, Duration::from_millis)
    }

    /// A time in the row's range, or `off`.
    pub(super) fn time_or_off(&mut self, path: &str, default: Option<Duration>) -> Option<Duration> {
        match self.raw(path) {
            None => default,
            Some("off") => None,
            Some(_) => Some(self.time(path, Duration::ZERO)),
        }
    }

    fn in_range(&mut self, path: &str, value: Option<u64>, least: u64, most: u64) -> Option<u64> {
        let value = value?;
        let fits = (least..=most).contains(&value);
        if !fits {
            self.wrong(path, "out of range", None);
        }
        Some(value).filter(|_| fits)
    }

    /// A path.
    pub(super) fn path(&mut self, path: &str) -> Option<PathBuf> {
        self.parse(path, "not a path", |text| (!text.is_empty() && !text.contains('\0')).then(|| PathBuf::from(text)))
    }

    /// A list; every item that `item` refuses is a fault of its own.
    pub(super) fn list<T>(&mut self, path: &str, what: &str, item: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let Some(Setting { given: Given::Many(texts), .. }) = self.setting(path) else { return Vec::new() };
        let mut found = Vec::new();
        for (number, (place, text)) in texts.iter().enumerate() {
            if let Some(value) = item(text.trim()) {
                found.push(value);
                continue;
            }
            let fault = Fault::new(format!("{path}[{number}]"), place.clone(), what).was(text);
            self.faults.push(match row(path) {
                Some(row) => fault.allowed(row.kind.allowed()),
                None => fault,
            });
        }
        found
    }

    /// Names of the user's own with their lists; every name that `name` refuses and every empty text is a fault of its own.
    pub(super) fn named_texts(&mut self, path: &str, name: impl Fn(&str) -> bool) -> BTreeMap<String, Vec<String>> {
        let Some(Setting { given: Given::Named(lists), .. }) = self.setting(path) else { return BTreeMap::new() };
        let allowed = row(path).map(|row| row.kind.allowed()).unwrap_or_default();
        let mut found = BTreeMap::new();
        for Named { place, name: key, texts } in lists {
            if !name(key) {
                self.faults.push(Fault::new(path, place.clone(), "not a name").was(key).allowed(allowed.clone()));
                continue;
            }
            for (number, (place, _)) in texts.iter().enumerate().filter(|(_, (_, text))| text.is_empty()) {
                self.faults.push(Fault::new(format!("{path}.{key}[{number}]"), place.clone(), "empty").allowed(allowed.clone()));
            }
            found.insert(key.clone(), texts.iter().map(|(_, text)| text.clone()).collect());
        }
        found
    }

    /// A queue's URL, as written and taken apart.
    pub(super) fn queue(&mut self, path: &str) -> Option<(String, QueueUrl)> {
        let text = self.raw(path)?;
        if let Some(parts) = QueueUrl::parse(text) {
            return Some((text.to_owned(), parts));
        }
        let hint = match text.strip_prefix("arn:").map(|arn| arn.split(':').collect::<Vec<_>>()).as_deref() {
            Some([_, "sqs", region, account, name]) => {
                format!("for this ARN it is https://sqs.{region}.amazonaws.com/{account}/{name}")
            }
            _ => super::file::EXAMPLE.to_owned(),
        };
        self.wrong(path, "not an SQS queue URL", Some(hint));
        None
    }

    /// A base URL without a path; New Relic's own client writes some with the API's path, which is taken off.
    pub(super) fn base_url(&mut self, path: &str, api_path: &str) -> Option<String> {
        self.parse(path, "not a base URL", |text| base_url(text, api_path))
    }

    /// A key, fetched from where it is.
    pub(super) fn secret(&mut self, path: &str) -> Option<Secret> {
        match SecretRef::parse(self.raw(path)?).and_then(|found| found.read(self.env)) {
            Ok(secret) => Some(secret),
            Err(error) => {
                let hint = match &error {
                    SecretError::Later(_) => {
                        Some("in an ECS task definition, `secrets` puts such a value into a variable".to_owned())
                    }
                    _ => None,
                };
                match error {
                    // What was found is a name or a path, and the message has it.
                    SecretError::File { .. } | SecretError::Variable(_) => {
                        let allowed = row(path).map(|row| row.kind.allowed()).unwrap_or_default();
                        self.faults.push(Fault::new(path, self.place(path), error.to_string()).allowed(allowed));
                    }
                    SecretError::Later(_) | SecretError::Empty => self.wrong(path, &error.to_string(), hint),
                }
                None
            }
        }
    }

    /// Whether a required key is there; a fault if not.
    pub(super) fn require(&mut self, path: &str) {
        debug_assert!(row(path).is_some_and(|row| row.default == Absent::Required), "{path} is not a required key");
        if !self.has(path) {
            self.missing(path);
        }
    }
}

/// The row of a path with numbers.
fn row(path: &str) -> Option<&'static Key> {
    let mut schema = String::new();
    let mut inside = false;
    for letter in path.chars() {
        inside = (inside || letter == '[') && letter != ']';
        if !inside || letter == '[' {
            schema.push(letter);
        }
    }
    options::find(&schema)
}

/// A base URL, without its last slash.
pub(super) fn base_url(text: &str, api_path: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    let text = text.strip_suffix(api_path).unwrap_or(text);
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?;
    let scheme_fits = url.scheme() == "https" || (url.scheme() == "http" && queue_url::is_loopback(host));
    // What the parser had to mend is not what was meant; `url` has a slash at its end, so query, path, user and fragment are refused too.
    let bare = url.as_str().strip_suffix('/') == Some(text)
        && url.path() == "/"
        && url.username().is_empty()
        && url.password().is_none();
    (scheme_fits && bare).then(|| text.to_owned())
}
