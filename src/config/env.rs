//! The environment, read in one place.
//!
//! In: variables, from the process or from a test's map. Out: their values laid over what the file says (the environment
//! wins), and a fault for every `CSPM_RELAY_` variable nobody reads. An empty variable counts as unset, since task
//! definitions and compose files write them so. It judges no values.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::fault::{Fault, Place};
use super::file::{Given, OPTIONS_COMMAND, Setting, Written};
use super::nearest::nearest;
use super::options::{self, OPTIONS};

/// What begins the names of our own variables.
const PREFIX: &str = "CSPM_RELAY_";

/// Where variables come from.
pub trait Environment {
    /// The value of a variable, if it is set.
    fn get(&self, name: &str) -> Option<OsString>;

    /// The names of all variables that are UTF-8.
    fn names(&self) -> Vec<String>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process;

impl Environment for Process {
    #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
    fn get(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn names(&self) -> Vec<String> {
        std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
    }
}

impl Environment for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<OsString> {
        BTreeMap::get(self, name).map(OsString::from)
    }

    fn names(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }
}

/// The value of a variable; `None` when it is unset or empty.
///
/// # Errors
/// A fault when the value is not UTF-8.
pub(super) fn text(env: &dyn Environment, name: &str) -> Result<Option<String>, Fault> {
    match env.get(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        Some(Err(_)) => Err(Fault::new("", Place::Variable(name.into()), "not UTF-8")),
    }
}

/// The value of a variable; what is wrong with it is gathered.
fn read(env: &dyn Environment, name: &str, faults: &mut Vec<Fault>) -> Option<String> {
    text(env, name).unwrap_or_else(|fault| {
        faults.push(fault);
        None
    })
}

/// Lays the environment over the file.
pub(super) fn overlay(env: &dyn Environment, written: &mut Written, faults: &mut Vec<Fault>) {
    let mut found: Vec<(String, &'static str, Given)> = Vec::new();
    for key in OPTIONS.iter().filter(|key| !key.variable.is_empty()) {
        if let Some(value) = read(env, key.variable, faults) {
            let given = if key.kind.is_list() { Given::Many(split(key.variable, &value)) } else { Given::One(value) };
            found.push((key.path.to_owned(), key.variable, given));
        }
    }
    if let Some(value) = read(env, DEAD_LETTERS, faults) {
        let path = match &*value {
            text if text.starts_with("s3://") => "deadLetters.s3",
            text if text.starts_with("https://") || text.starts_with("http://") => "deadLetters.queue",
            _ => "deadLetters.folder",
        };
        found.push((path.to_owned(), DEAD_LETTERS, Given::One(value)));
    }
    if let Some(value) = read(env, STATE, faults) {
        let path = if value.starts_with("s3://") { "state.s3" } else { "state.folder" };
        found.push((path.to_owned(), STATE, Given::One(value)));
    }
    // Where keys mean "one of", the environment's choice replaces the file's.
    for keys in ONE_OF {
        let is_key = |path: &str| keys.contains(&path);
        if found.iter().any(|(path, ..)| is_key(path)) {
            written.settings.retain(|path, _| !is_key(path));
        }
    }
    for (path, variable, given) in found {
        written.settings.insert(path, Setting { place: Place::Variable(variable.into()), given });
    }
    for (variable, kind) in [("CSPM_RELAY_TRAIL_QUEUE_URL", "trailBucket"), ("CSPM_RELAY_EVENT_QUEUE_URL", "eventQueue")] {
        if let Some(url) = read(env, variable, faults)
            && let Err(fault) = queue(written, variable, kind, url)
        {
            faults.push(fault);
        }
    }
    unknown(env, faults);
}

const DEAD_LETTERS: &str = "CSPM_RELAY_DEAD_LETTERS";
const STATE: &str = "CSPM_RELAY_STATE";

/// Keys of which one at most may be written.
const ONE_OF: [&[&str]; 3] = [
    &["health.port", "health.socket", "health.off"],
    &["deadLetters.folder", "deadLetters.s3", "deadLetters.queue"],
    &["state.folder", "state.s3"],
];

/// Sets the queue of the file's only source of a kind, or adds a source.
fn queue(written: &mut Written, variable: &'static str, kind: &str, url: String) -> Result<(), Fault> {
    let place = Place::Variable(variable.into());
    let is_kind = |number: &usize| {
        let setting = written.settings.get(&format!("sources[{number}].kind"));
        matches!(setting, Some(Setting { given: Given::One(found), .. }) if found == kind)
    };
    let same: Vec<usize> = (0..written.sources.len()).filter(is_kind).collect();
    let number = match *same {
        [] => {
            let number = written.sources.len();
            written.sources.push(place.clone());
            let given = Given::One(kind.to_owned());
            written.settings.insert(format!("sources[{number}].kind"), Setting { place: place.clone(), given });
            number
        }
        [only] => only,
        [_, ..] => {
            let what = format!("the file has {} sources of kind {kind}", same.len());
            return Err(Fault::new("", place, what)
                .allowed("one at most")
                .hint("unset the variable, or name the queues in the file only"));
        }
    };
    written.settings.insert(format!("sources[{number}].queueUrl"), Setting { place, given: Given::One(url) });
    Ok(())
}

fn split(variable: &str, value: &str) -> Vec<(Place, String)> {
    let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| (Place::Variable(variable.into()), item.to_owned())).collect()
}

fn unknown(env: &dyn Environment, faults: &mut Vec<Fault>) {
    let mut names = env.names();
    names.sort();
    for name in names.into_iter().filter(|name| name.starts_with(PREFIX)) {
        if !options::variables().any(|known| known == name) {
            let stem = name.strip_prefix(PREFIX).unwrap_or_default();
            let stems = || options::variables().filter_map(|known| known.strip_prefix(PREFIX));
            // Some leave out the first word, as in `QUEUE_URL`.
            let meant: Vec<String> = match nearest(stem, stems()) {
                Some(near) => vec![near],
                None => stems().filter(|known| known.strip_suffix(stem).is_some_and(|rest| rest.ends_with('_'))).collect(),
            }
            .into_iter()
            .map(|meant| format!("`{PREFIX}{meant}`"))
            .collect();
            let hint = if meant.is_empty() {
                format!("{OPTIONS_COMMAND} lists every variable")
            } else {
                format!("did you mean {}?", meant.join(" or "))
            };
            faults.push(Fault::new("", Place::Variable(name.escape_debug().to_string().into()), "unknown variable").hint(hint));
        }
    }
}

/// A variable of another name that was probably meant to be this one.
pub(super) fn mistaken(env: &dyn Environment, variable: &str) -> Option<String> {
    let names = env.names();
    let others = names
        .iter()
        .map(String::as_str)
        .filter(|name| name.starts_with("NEW") && !options::variables().any(|known| known == *name));
    nearest(variable, others).map(|name| format!("`{name}` is set: the name is `{variable}`"))
}
