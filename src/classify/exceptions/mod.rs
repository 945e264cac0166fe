//! Exceptions: a control muted for someone, with owner, reason and expiry.
//!
//! In: a YAML file, read once at start; then a control and what it speaks of. Out: the exception that mutes it now, if one does.
//! What always holds: an exception mutes only what meets every part of its scope, and nothing after it expired; which ones
//! have expired can be asked, so that it is told. A control without an exception costs one look into a map, and without a file
//! nothing. Changes no record and sends nothing.

mod arn;
mod file;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use super::file_error::{self, FileError, FileFault};
use super::predicate::Network;
use super::{AccountName, RuleSet};
use crate::enrich::{Enriched, EnrichedChange, EnrichedFinding};
use crate::record::id::digest_words;
use crate::record::{Actor, Finding, Glob, StateChange};

/// What the file holds, in messages.
const HOLDS: &str = "exceptions";

/// All exceptions. Immutable: threads share it.
#[derive(Debug, Clone, Default)]
pub struct Exceptions {
    list: Vec<Exception>,
    /// Of each of them.
    marks: Vec<Mark>,
    by_control: HashMap<String, Vec<usize>>,
}

/// An exception in short, for what remembers that it covered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Its control, as a hash.
    pub control: u64,
    /// Its scope, as a hash: owner, reason and end may change.
    pub scope: u64,
}

/// One control muted for someone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// A hash of control, scope, owner and expiry: the same on every agent and after every start.
    pub id: String,
    /// `control.id` of what it mutes.
    pub control: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is there.
    pub reason: String,
    /// Its end as written: a day, or a time.
    pub expires: String,
    /// The first moment in which it mutes nothing, milliseconds since the epoch.
    pub expires_ms: i64,
    /// What it mutes the control for.
    pub scope: Scope,
    /// Line in its file, from 1.
    pub line: u64,
}

/// What a control is muted for: what meets every part that is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Account ids.
    pub accounts: Vec<String>,
    /// Paths of organizational units.
    pub organizational_units: Vec<Glob>,
    /// Environments of accounts, in any case.
    pub environments: Vec<String>,
    /// Regions.
    pub regions: Vec<String>,
    /// Ids or ARNs of resources.
    pub resources: Vec<Glob>,
    /// ARNs, names or session issuers of actors; what has no actor is not meant.
    pub actors: Vec<Glob>,
    /// Where calls come from; what is no call is not meant.
    pub addresses: Vec<Address>,
}

/// Where a call comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An address, or a range of them.
    Network(Network),
    /// A service, as `cloudformation.amazonaws.com`.
    Service(String),
}

/// What a control speaks of.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Whose it is.
    pub account: AccountName<'a>,
    /// Its Region.
    pub region: &'a str,
    /// Id of the resource; several as `|a|b|`.
    pub resource_id: &'a str,
    /// Its ARN, if known.
    pub resource_arn: Option<Cow<'a, str>>,
    /// Who did it; `None`: what says that something is so, not that someone did it.
    pub actor: Option<&'a Actor<'a>>,
    /// Where it was called from, if that is known: an address or a service.
    pub address: Option<&'a str>,
}

impl Exception {
    /// The mark of it.
    #[must_use]
    pub fn mark(&self) -> Mark {
        let hash = |text: &str| {
            let [hash, _] = digest_words(&[text.as_bytes()]);
            hash
        };
        Mark { control: hash(&self.control), scope: hash(&self.scope.text()) }
    }
}

impl<'a> Facts<'a> {
    /// Of a trail record that came from this address.
    #[must_use]
    pub fn of_trail(enriched: &'a Enriched<'a>, address: Option<&'a str>) -> Self {
        Self {
            account: enriched.account,
            region: enriched.region,
            resource_id: &enriched.resource.id,
            resource_arn: enriched.resource.arn.as_deref().map(Cow::Borrowed),
            actor: Some(&enriched.actor),
            address,
        }
    }

    /// Of a change of state. Its resource has AWS Config's name, which of some types is an ARN; of others one can be built from it.
    #[must_use]
    pub fn of_change(change: &StateChange<'a>, enriched: &'a EnrichedChange<'a>) -> Self {
        let resource_id = change.resource_id;
        let arn = arn::of_config(change.resource_type, enriched.partition, enriched.region, enriched.account.id, resource_id);
        let resource_arn = arn.map(Cow::Owned);
        Self { account: enriched.account, region: enriched.region, resource_id, resource_arn, actor: None, address: None }
    }

    /// Of a finding, one for each of its resources. They are ARNs, mostly; what AWS Config calls one is its id.
    #[must_use]
    pub fn of_finding(finding: &'a Finding<'a>, enriched: &'a EnrichedFinding<'a>) -> Vec<Self> {
        let of = |id: &'a str| Self {
            account: enriched.account,
            region: enriched.region,
            resource_id: arn::id_in_config(id).unwrap_or(id),
            resource_arn: Some(id).filter(|id| id.starts_with("arn:")).map(Cow::Borrowed),
            actor: None,
            address: None,
        };
        if finding.resources.is_empty() {
            return vec![of(enriched.resource_id)];
        }
        finding.resources.iter().map(|resource| of(&resource.id)).collect()
    }
}

impl Exceptions {
    /// Reads a file, and tells what in it is doubtful: a control that nobody knows yet may be a rule to come. A day ends in this
    /// time zone (IANA). An exception that has expired is no fault: [`Self::expired`] tells it.
    ///
    /// # Errors
    /// [`FileError`] lists everything that is wrong.
    pub fn from_file(path: &Path, time_zone: &str, rules: &RuleSet) -> Result<(Self, Vec<FileFault>), FileError> {
        Self::from_text(&file_error::read(HOLDS, path)?, path, time_zone, rules)
    }

    /// The same of the text of a file; `path` names it in what is told.
    ///
    /// # Errors
    /// [`FileError`] lists everything that is wrong.
    pub fn from_text(text: &str, path: &Path, time_zone: &str, rules: &RuleSet) -> Result<(Self, Vec<FileFault>), FileError> {
        let (list, doubts) = file::read(text, time_zone, rules).map_err(|faults| FileError::new(HOLDS, path, faults))?;
        Ok((Self::new(list), doubts))
    }

    fn new(list: Vec<Exception>) -> Self {
        let mut by_control: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, exception) in list.iter().enumerate() {
            by_control.entry(exception.control.clone()).or_default().push(at);
        }
        let marks = list.iter().map(Exception::mark).collect();
        Self { list, marks, by_control }
    }

    /// Whether there is none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them, in the order of the file.
    #[must_use]
    pub fn list(&self) -> &[Exception] {
        &self.list
    }

    /// Whether the control has an exception, for whatever and until whenever.
    #[must_use]
    pub fn concerns(&self, control: &str) -> bool {
        !self.list.is_empty() && self.by_control.contains_key(control)
    }

    /// The exception that mutes the control at `now_ms`: of several the one that holds longest, so that its end is the end.
    #[must_use]
    pub fn find(&self, control: &str, facts: &Facts<'_>, now_ms: i64) -> Option<&Exception> {
        self.find_for_all(control, std::slice::from_ref(facts), now_ms)
    }

    /// The same for several resources at once: one exception must mean them all.
    #[must_use]
    pub fn find_for_all(&self, control: &str, facts: &[Facts<'_>], now_ms: i64) -> Option<&Exception> {
        let valid = self.valid(control, now_ms);
        longest(valid.filter(|exception| facts.iter().all(|facts| exception.scope.holds(facts) == Some(true))))
    }

    /// The same, counting those that depend on what is not known of the account yet.
    #[must_use]
    pub fn may_find_for_all(&self, control: &str, facts: &[Facts<'_>], now_ms: i64) -> Option<&Exception> {
        let valid = self.valid(control, now_ms);
        longest(valid.filter(|exception| facts.iter().all(|facts| exception.scope.holds(facts) != Some(false))))
    }

    /// Whether what an exception of this mark covered is still covered, as far as control, account and Region tell: by one of the
    /// same scope, whatever its end, or by another one that means all that it meant; where the file has none of its mark, because it
    /// was taken out or means something else now, by any that may mean this. `control`: that of what was covered; the exception may
    /// be one of the rule behind it.
    #[must_use]
    pub fn still_covers(&self, mark: Mark, control: &str, account: &AccountName<'_>, region: &str, now_ms: i64) -> bool {
        let all = || self.list.iter().zip(&self.marks);
        let listed = all().find(|(_, own)| **own == mark).map(|(exception, _)| &exception.scope);
        all().any(|(exception, own)| {
            let scope = &exception.scope;
            let is_same_control = own.control == mark.control || exception.control == control;
            let is_alike = *own == mark || is_same_control && listed.is_none_or(|listed| scope.holds_resources_of(listed));
            // What has no actor is not meant by one that names some.
            is_alike
                && now_ms < exception.expires_ms
                && scope.actors.is_empty()
                && scope.addresses.is_empty()
                && scope.holds_account(account, region) != Some(false)
        })
    }

    fn valid(&self, control: &str, now_ms: i64) -> impl Iterator<Item = &Exception> {
        let those = if self.list.is_empty() { None } else { self.by_control.get(control) };
        let those = those.into_iter().flatten().filter_map(|at| self.list.get(*at));
        those.filter(move |exception| now_ms < exception.expires_ms)
    }

    /// Those that expired after `since_ms` (`None`: ever) and not later than `now_ms`.
    pub fn expired(&self, since_ms: Option<i64>, now_ms: i64) -> impl Iterator<Item = &Exception> {
        let is_news = move |expires_ms: i64| expires_ms <= now_ms && since_ms.is_none_or(|since_ms| since_ms < expires_ms);
        self.list.iter().filter(move |exception| is_news(exception.expires_ms))
    }
}

/// What any one of these mutes is muted until this one ends; of several that end together it is the first.
pub(super) fn longest<'e>(any_of: impl IntoIterator<Item = &'e Exception>) -> Option<&'e Exception> {
    any_of.into_iter().reduce(|last, one| if one.expires_ms > last.expires_ms { one } else { last })
}

/// What needs each of these to be muted is muted until this one ends; of several that end together it is the first.
pub(super) fn shortest<'e>(all_of: impl IntoIterator<Item = &'e Exception>) -> Option<&'e Exception> {
    all_of.into_iter().reduce(|first, one| if one.expires_ms < first.expires_ms { one } else { first })
}

impl Scope {
    /// Whether it means this; `None`: as far as is known, but it depends on what may still be told of the account.
    fn holds(&self, facts: &Facts<'_>) -> Option<bool> {
        let is_meant = self.holds_resource(facts)
            && one_of(&self.actors, |pattern| facts.actor.is_some_and(|actor| is_actor(pattern, actor)))
            && one_of(&self.addresses, |own| facts.address.is_some_and(|address| own.holds(address)));
        if is_meant { self.holds_account(&facts.account, facts.region) } else { Some(false) }
    }

    /// The same of what it says of account and Region.
    fn holds_account(&self, account: &AccountName<'_>, region: &str) -> Option<bool> {
        let is_here = one_of(&self.accounts, |id| id == account.id) && one_of(&self.regions, |own| own == region);
        let unit = one_of(&self.organizational_units, |unit| unit.matches_path(account.organizational_unit));
        let environment = one_of(&self.environments, |name| account.environment.is_some_and(|is| is.eq_ignore_ascii_case(name)));
        let told = |holds: bool, is_told: bool| (holds || is_told || !account.is_awaited).then_some(holds);
        let (unit, environment) = (told(unit, account.unit().is_some()), told(environment, account.environment.is_some()));
        match [Some(is_here), unit, environment] {
            all if all.contains(&Some(false)) => Some(false),
            all if all.contains(&None) => None,
            _ => Some(true),
        }
    }

    /// Of several resources all must be meant: what was done to another one is not muted.
    fn holds_resource(&self, facts: &Facts<'_>) -> bool {
        let is_meant = |id: &str| one_of(&self.resources, |pattern| pattern.matches(id));
        let several = facts.resource_id.strip_prefix('|').and_then(|rest| rest.strip_suffix('|'));
        match several {
            Some(ids) => ids.split('|').all(is_meant),
            None => is_meant(facts.resource_id) || facts.resource_arn.as_deref().is_some_and(is_meant),
        }
    }

    /// Whether every resource that the other one means is meant here, as far as their patterns tell.
    fn holds_resources_of(&self, other: &Self) -> bool {
        // What a `*` there stands for is no one character here.
        let holds = |own: &Glob, pattern: &Glob| own == pattern || !own.as_str().contains('?') && own.matches(pattern.as_str());
        let is_meant = |pattern: &Glob| one_of(&self.resources, |own| holds(own, pattern));
        self.resources.is_empty() || !other.resources.is_empty() && other.resources.iter().all(is_meant)
    }

    /// In words, for events and messages; empty when nothing is left out.
    #[must_use]
    pub fn text(&self) -> String {
        let globs = |globs: &[Glob]| globs.iter().map(ToString::to_string).collect::<Vec<_>>();
        let parts = [
            ("accounts", self.accounts.clone()),
            ("organizationalUnits", globs(&self.organizational_units)),
            ("environments", self.environments.clone()),
            ("regions", self.regions.clone()),
            ("resources", globs(&self.resources)),
            ("actors", globs(&self.actors)),
            ("addresses", self.addresses.iter().map(ToString::to_string).collect()),
        ];
        let parts = parts.into_iter().filter(|(_, items)| !items.is_empty());
        parts.map(|(name, items)| format!("{name}: {}", items.join(", "))).collect::<Vec<_>>().join("; ")
    }
}

/// Whether an item holds; without items everything does.
fn one_of<T>(items: &[T], holds: impl FnMut(&T) -> bool) -> bool {
    items.is_empty() || items.iter().any(holds)
}

impl Address {
    /// From an address, a range in CIDR notation, or the name of a service.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_service = text.contains('.') && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
        let is_number = text.chars().all(|c| c.is_ascii_digit() || c == '.');
        let network = Network::parse(text).map(Self::Network);
        network.or_else(|| (is_service && !is_number).then(|| Self::Service(text.to_owned())))
    }

    fn holds(&self, address: &str) -> bool {
        match self {
            Self::Network(network) => address.parse().is_ok_and(|ip| network.holds(ip)),
            Self::Service(name) => name.eq_ignore_ascii_case(address),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(out),
            Self::Service(name) => out.write_str(name),
        }
    }
}

fn is_actor(pattern: &Glob, actor: &Actor<'_>) -> bool {
    let names = [Some(&actor.name), actor.arn.as_ref(), actor.session_issuer.as_ref()];
    names.into_iter().flatten().any(|name| pattern.matches(name))
}
