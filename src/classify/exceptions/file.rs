//! The exceptions file.
//!
//! In: its text. Out: exceptions, and doubts about them, or every fault. What always holds: owner, reason, expiry and control
//! are there; an unknown key is a fault, so that a mistyped scope never mutes more than was meant.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::file_error::FileFault;
use super::super::yaml::{self, Node, Value};
use super::super::{preventive, security_hub};
use super::{Address, Exception, Glob, RuleSet, Scope, arn};
use crate::config::nearest::nearest;
use crate::config::queue_url;
use crate::record::id::digest_id;
use crate::record::time;

const KEYS: [&str; 5] = ["control", "scope", "owner", "reason", "expires"];
const SCOPE_KEYS: [&str; 7] = ["accounts", "organizationalUnits", "environments", "regions", "resources", "actors", "addresses"];
const EXPIRES: &str = "the last day it mutes, as 2027-01-31, or a time, as 2027-01-31T12:00:00Z";
const SHAPE: &str = "a list of maps with the keys control, scope, owner, reason, expires; [] for none";

/// Reads the whole file.
pub(super) fn read(text: &str, time_zone: &str, rules: &RuleSet) -> Result<(Vec<Exception>, Vec<FileFault>), Vec<FileFault>> {
    let documents = yaml::parse(text)
        .map_err(|error| vec![FileFault::new(error.line, "", format!("not YAML: {}", error.message)).allowed(SHAPE)])?;
    let zone = TimeZone::get(time_zone)
        .map_err(|error| vec![FileFault::new(0, "", format!("time zone \"{time_zone}\" is not known: {error}"))])?;
    let mut reader = Reader { zone, known: Known::of(rules), faults: Vec::new(), doubts: Vec::new() };
    let mut list = Vec::new();
    let items = match documents.as_slice() {
        [Node { value: Value::List(items), .. }] => items.as_slice(),
        // An empty file is a failed copy more often than a wish, and would end every exception unseen.
        [] => return Err(vec![FileFault::new(0, "", "the file is empty").allowed(SHAPE)]),
        [only] => return Err(vec![FileFault::new(only.line, "", format!("{} found", only.value.describe())).allowed(SHAPE)]),
        [_, second, ..] => return Err(vec![FileFault::new(second.line, "", "a second document").allowed(SHAPE)]),
    };
    for (number, item) in items.iter().enumerate() {
        list.extend(reader.exception(number, item));
    }
    reader.same_twice(&list);
    if reader.faults.is_empty() { Ok((list, reader.doubts)) } else { Err(reader.faults) }
}

/// What a control may be called, in lower case, and its id.
struct Known {
    ids: HashMap<String, String>,
    /// Rules on trail records: the only ones that have an actor.
    detective: Vec<String>,
}

impl Known {
    fn of(rules: &RuleSet) -> Self {
        let mut known = Self { ids: HashMap::new(), detective: Vec::new() };
        for control in preventive::all() {
            known.add(control.id, control.id);
        }
        for control in security_hub::all() {
            known.add(&control.id, &control.id);
        }
        for rule in rules.rules().iter().chain(rules.disabled()) {
            known.add(&rule.id, &rule.id);
            if let Some(sigma) = &rule.sigma_id {
                known.add(sigma, &rule.id);
            }
            known.detective.push(rule.id.clone());
        }
        known
    }

    fn add(&mut self, name: &str, id: &str) {
        self.ids.insert(name.to_ascii_lowercase(), id.to_owned());
    }

    /// Its id; `None`: nobody knows it.
    fn resolve(&self, written: &str) -> Option<String> {
        let by_name = self.ids.get(&written.to_ascii_lowercase()).cloned();
        by_name.or_else(|| preventive::control(written).map(|control| control.id.to_owned()))
    }
}

struct Reader {
    zone: TimeZone,
    known: Known,
    faults: Vec<FileFault>,
    doubts: Vec<FileFault>,
}

impl Reader {
    fn exception(&mut self, number: usize, item: &Node) -> Option<Exception> {
        let path = |key: &str| format!("[{number}].{key}");
        let Value::Map(entries) = &item.value else {
            let what = format!("{} where an exception is needed", item.value.describe());
            self.faults.push(FileFault::new(item.line, format!("[{number}]"), what).allowed(SHAPE));
            return None;
        };
        let before = self.faults.len();
        self.keys(entries, &format!("[{number}]"), &KEYS);
        let mut text = |key: &str, allowed: &str| self.required(item, key, &path(key), allowed);
        let control = text("control", "the id of one control");
        let owner = text("owner", "who answers for it");
        let reason = text("reason", "why it is there");
        let expires = text("expires", EXPIRES);
        let expires_ms = expires.as_ref().and_then(|(line, text)| self.moment(*line, &path("expires"), text));
        let scope = item.get("scope").map_or_else(Scope::default, |node| self.scope(node, &path("scope")));
        let control = control.and_then(|(line, text)| self.control(line, &path("control"), &text, &scope));
        let ((_, owner), (_, reason), (_, expires)) = (owner?, reason?, expires?);
        let (control, expires_ms) = (control?, expires_ms?);
        self.arns(item.get("scope").map_or(item.line, |node| node.line), &path("scope.resources"), &control, &scope);
        if self.faults.len() > before {
            return None;
        }
        let id = digest_id(&[control.as_bytes(), scope.text().as_bytes(), owner.as_bytes(), expires.as_bytes()]);
        Some(Exception { id, control, owner, reason, expires, expires_ms, scope, line: item.line })
    }

    /// Faults for keys that nobody reads.
    fn keys(&mut self, entries: &[yaml::Entry], path: &str, allowed: &[&str]) {
        for entry in entries.iter().filter(|entry| !allowed.contains(&entry.key.as_str())) {
            let fault = FileFault::new(entry.line, format!("{path}.{}", entry.key), "unknown key").allowed(allowed.join(", "));
            self.faults.push(match nearest(&entry.key, allowed.iter().copied()) {
                Some(meant) => fault.hint(format!("did you mean `{meant}`?")),
                None => fault,
            });
        }
    }

    /// A text that must be there, with its line.
    fn required(&mut self, item: &Node, key: &str, path: &str, allowed: &str) -> Option<(u64, String)> {
        let (line, what) = match item.get(key) {
            Some(Node { line, value }) => match scalar(value).filter(|text| !text.is_empty()) {
                Some(text) => return Some((*line, text)),
                None => (*line, format!("{} found", value.describe())),
            },
            None => (item.line, "missing".to_owned()),
        };
        self.faults.push(FileFault::new(line, path, what).allowed(allowed));
        None
    }

    /// The first moment in which it mutes nothing: a day counts to its end in the configured zone.
    fn moment(&mut self, line: u64, path: &str, text: &str) -> Option<i64> {
        let end_of = |day: Date| Some(day.tomorrow().ok()?.to_zoned(self.zone.clone()).ok()?.timestamp().as_millisecond());
        // The date's own reader would take a time, too, and forget its hours.
        let is_day = text.len() == "2027-01-31".len();
        let ms = if is_day { text.parse::<Date>().ok().and_then(end_of) } else { time::parse_ms(text) };
        if ms.is_none() {
            self.faults.push(FileFault::new(line, path, format!("\"{text}\" is no day and no time")).allowed(EXPIRES));
        }
        ms
    }

    fn control(&mut self, line: u64, path: &str, written: &str, scope: &Scope) -> Option<String> {
        if written.contains(['*', '?', '|']) {
            let fault = FileFault::new(line, path, format!("\"{written}\" is no id")).allowed("the id of one control");
            self.faults.push(fault.hint("write one exception for each control"));
            return None;
        }
        let called_by = [("actors", scope.actors.is_empty()), ("addresses", scope.addresses.is_empty())];
        let called_by = called_by.into_iter().find(|(_, is_empty)| !is_empty).map(|(key, _)| key);
        if is_type(written) && called_by.is_none() {
            return Some(written.to_owned());
        }
        let Some(id) = self.known.resolve(written) else {
            let doubt = FileFault::new(
                line,
                path,
                format!("no control is called \"{written}\" yet: nothing in an account is muted by it"),
            );
            let near = nearest(written, self.known.ids.values().map(String::as_str));
            self.doubts.push(match near {
                Some(meant) => doubt.hint(format!("did you mean `{meant}`?")),
                None => doubt.hint("right only for a rule of your own or of a scanner of code; `cspm-relay rules list` shows the detective controls"),
            });
            return Some(written.to_owned());
        };
        if let Some(key) = called_by.filter(|_| !self.known.detective.contains(&id)) {
            let fault = FileFault::new(line, path, format!("\"{id}\" is a preventive control: nobody did what it says"));
            let hint = format!("remove scope.{key}, or name a detective control (`cspm-relay rules list`)");
            self.faults.push(fault.hint(hint));
            return None;
        }
        Some(id)
    }

    /// Doubts for resources that AWS Config does not name so: its results are then not muted.
    fn arns(&mut self, line: u64, path: &str, control: &str, scope: &Scope) {
        if preventive::control(control).is_none() {
            return;
        }
        for pattern in scope.resources.iter().map(ToString::to_string) {
            if let Some(how) = arn::named_otherwise(&pattern) {
                let what =
                    format!("AWS Config names what \"{pattern}\" means by {how}: no result of it is muted, only findings are");
                let hint = "name it also as `resource.id` has it in AwsComplianceChange";
                self.doubts.push(FileFault::new(line, path, what).hint(hint));
            }
        }
    }

    fn scope(&mut self, node: &Node, path: &str) -> Scope {
        let Value::Map(entries) = &node.value else {
            let what = format!("{} where a map is needed", node.value.describe());
            let fault = FileFault::new(node.line, path, what).allowed(SCOPE_KEYS.join(", "));
            self.faults.push(fault.hint("without scope the control is muted everywhere"));
            return Scope::default();
        };
        self.keys(entries, path, &SCOPE_KEYS);
        let mut texts = |key: &str, allowed: &str, is_good: fn(&str) -> bool| -> Vec<String> {
            node.get(key).map_or_else(Vec::new, |list| self.texts(list, &format!("{path}.{key}"), allowed, is_good))
        };
        let any = |text: &str| !text.is_empty();
        let accounts = texts("accounts", "12 digits", is_account);
        let units = texts("organizationalUnits", "paths of organizational units, as Workloads/Sandbox/*", any);
        let environments = texts("environments", "environments as the accounts have them", any);
        let regions = texts("regions", "AWS Regions, as eu-west-1", queue_url::is_region);
        let resources = texts("resources", "ids or ARNs of resources, with * and ?", any);
        let actors = texts("actors", "names or ARNs of actors, or of the roles they use, with * and ?", any);
        let addresses =
            texts("addresses", "addresses, ranges as 203.0.113.0/24, or services as cloudformation.amazonaws.com", |text| {
                Address::parse(text).is_some()
            });
        let addresses = addresses.iter().filter_map(|text| Address::parse(text)).collect();
        let [organizational_units, resources, actors] =
            [units, resources, actors].map(|list| list.iter().map(|text| Glob::new(text)).collect());
        Scope { accounts, organizational_units, environments, regions, resources, actors, addresses }
    }

    /// One text or a list of them. An empty list is a fault: it would read as "everything".
    fn texts(&mut self, node: &Node, path: &str, allowed: &str, is_good: fn(&str) -> bool) -> Vec<String> {
        let one = std::slice::from_ref(node);
        let items = if let Value::List(items) = &node.value { items.as_slice() } else { one };
        if items.is_empty() {
            let fault = FileFault::new(node.line, path, "an empty list").allowed(allowed);
            self.faults.push(fault.hint("remove the key to leave it open, or name at least one"));
        }
        let mut found = Vec::new();
        for (number, item) in items.iter().enumerate() {
            if let Some(text) = scalar(&item.value).filter(|text| is_good(text)) {
                found.push(text);
            } else {
                let path = if items.len() == 1 { path.to_owned() } else { format!("{path}[{number}]") };
                self.faults.push(FileFault::new(item.line, path, format!("{} found", item.value.describe())).allowed(allowed));
            }
        }
        found
    }

    /// Faults for exceptions that are there twice: which of the two should end?
    fn same_twice(&mut self, list: &[Exception]) {
        let mut seen: HashMap<&str, u64> = HashMap::new();
        for exception in list {
            if let Some(first) = seen.insert(&exception.id, exception.line) {
                let what = format!("the same control, scope, owner and expiry as on line {first}");
                self.faults.push(FileFault::new(exception.line, "", what).hint("keep one of them"));
            }
        }
    }
}

/// Whether it is what a product calls a sort of findings, as `Recon:EC2/PortProbeUnprotectedPort`.
fn is_type(written: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && !word.contains([':', '/', ' ']);
    let parts = written.split_once(':').and_then(|(purpose, rest)| Some((purpose, rest.split_once('/')?)));
    parts.is_some_and(|(purpose, (resource, what))| is_word(purpose) && is_word(resource) && !what.is_empty())
}

/// What stands there as text: ids may be written as numbers.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.trim().to_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => None,
    }
}

fn is_account(text: &str) -> bool {
    crate::record::trail::is_account_id(text)
}
