//! What a run of a SARIF file says once for all of its results.
//!
//! In: the parts of the run, each as raw JSON text, in whatever order the file has them; the room that the file has left. Out: a
//! [`SarifRun`], which is owned and bounded: texts for which there is no room are not kept. What always holds: what is not kept, or
//! has an odd shape, costs a title, never a result nor how severe it is; of two components, the tool's own driver speaks first.

use std::collections::HashMap;

use serde::Deserialize;

use super::super::lenient::{Pairs, Part, Word};
use super::budget::{Budget, TooMuch};
use super::grade::{self, Graded};
use crate::record::time;

/// Longest of these texts, bytes: more than an event holds, so that what is cut is marked as cut.
const LONGEST: usize = 4_200;

/// What the run says.
#[derive(Debug, Clone, Default)]
pub struct SarifRun {
    /// Name of the tool.
    pub(super) tool: String,
    /// Its version.
    pub(super) version: String,
    driver: Component,
    extensions: Vec<Component>,
    /// What is told now is of the last extension.
    in_extension: bool,
    /// When the scan ended, milliseconds since the epoch.
    pub(super) ended_ms: Option<i64>,
    /// Names the scan, as far as the file does.
    pub(super) scan: String,
    /// As the scan ended, to tell it from another one.
    pub(super) ended: String,
    /// Where the code comes from, without whoever fetched it.
    pub(super) repository: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) branch: Option<String>,
    /// Names of folders, and the addresses behind them.
    pub(super) bases: Vec<Base>,
    /// Files by number.
    pub(super) files: Vec<String>,
    /// One was left out: no more are kept, their numbers count.
    files_end: bool,
}

/// A folder that paths are relative to.
#[derive(Debug, Clone, Default)]
pub(super) struct Base {
    pub(super) name: String,
    pub(super) uri: String,
    /// The one that it is relative to itself.
    pub(super) within: String,
}

/// A part of the tool that has rules.
#[derive(Debug, Clone, Default)]
struct Component {
    name: String,
    guid: String,
    rules: Vec<SarifRule>,
    by_id: HashMap<String, usize>,
}

/// One rule.
#[derive(Debug, Clone, Default)]
pub(super) struct SarifRule {
    pub(super) id: String,
    pub(super) name: String,
    /// What it is about, in a line.
    pub(super) title: String,
    pub(super) help: String,
    pub(super) help_uri: String,
    pub(super) level: String,
    /// What its properties say of its severity.
    pub(super) grade: Option<Graded>,
    pub(super) tags: Vec<String>,
    /// Texts of its properties: names of controls, perhaps.
    pub(super) words: Vec<String>,
    /// Texts of messages by their id.
    pub(super) messages: Vec<(String, String)>,
}

/// How a result names its rule.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RuleRef<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) index: Option<usize>,
    /// The component: its place among the extensions, its name, its guid.
    pub(super) extension: Option<usize>,
    pub(super) component: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRule<'a> {
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(borrow, default)]
    name: Word<'a>,
    #[serde(borrow, default)]
    short_description: Part<RawText<'a>>,
    #[serde(borrow, default)]
    full_description: Part<RawText<'a>>,
    #[serde(borrow, default)]
    help: Part<RawText<'a>>,
    #[serde(borrow, default)]
    help_uri: Word<'a>,
    #[serde(borrow, default)]
    default_configuration: Part<RawLevel<'a>>,
    #[serde(borrow, default)]
    properties: Part<Pairs<'a>>,
    #[serde(borrow, default)]
    message_strings: Part<HashMap<String, Part<RawText<'a>>>>,
}

#[derive(Deserialize)]
struct RawText<'a> {
    #[serde(borrow, default)]
    text: Word<'a>,
}

#[derive(Deserialize)]
struct RawLevel<'a> {
    #[serde(borrow, default)]
    level: Word<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOrigin<'a> {
    #[serde(borrow, default)]
    repository_uri: Word<'a>,
    #[serde(borrow, default)]
    revision_id: Word<'a>,
    #[serde(borrow, default)]
    branch: Word<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAutomation<'a> {
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(borrow, default)]
    guid: Word<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBase<'a> {
    #[serde(borrow, default)]
    uri: Word<'a>,
    #[serde(borrow, default)]
    uri_base_id: Word<'a>,
}

/// What of the run a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunPart<'k> {
    /// The tool's own part begins.
    Driver,
    /// An extension begins.
    Extension,
    /// `name` of the component.
    Name,
    /// `semanticVersion` or `version` of the component.
    Version,
    /// `guid` of the component.
    Guid,
    /// One of the component's rules.
    Rule,
    /// `endTimeUtc` of an invocation.
    EndTime,
    /// One of `versionControlProvenance`.
    Origin,
    /// `automationDetails`
    Automation,
    /// One of `originalUriBaseIds`, by its name.
    Base(&'k str),
    /// `location` of one of the artifacts.
    File,
}

impl SarifRun {
    /// Takes in a part of the run. `raw`: `None` where it is too long to be read.
    ///
    /// # Errors
    /// [`TooMuch`] where the file has no room for what says which finding a result is.
    pub fn hear(&mut self, part: RunPart<'_>, raw: Option<&[u8]>, budget: &mut Budget) -> Result<(), TooMuch> {
        let text = raw.and_then(|raw| std::str::from_utf8(raw).ok()).unwrap_or("null");
        match part {
            RunPart::Driver => self.in_extension = false,
            RunPart::Extension => {
                budget.extension()?;
                self.in_extension = true;
                self.extensions.push(Component::default());
            }
            RunPart::Name | RunPart::Version | RunPart::Guid => {
                let text = clipped(&word(text));
                // A tool's name is kept twice.
                budget.words([&*text, &text])?;
                self.named(part, text);
            }
            RunPart::Rule => self.rule(text, budget)?,
            RunPart::EndTime => {
                let text = word(text);
                if let Some(ms) = time::parse_ms(&text).filter(|ms| self.ended_ms.is_none_or(|ended| *ms > ended)) {
                    budget.words([&*text])?;
                    self.ended_ms = Some(ms);
                    self.ended = text;
                }
            }
            RunPart::Origin => {
                if let (None, Ok(origin)) = (&self.revision, serde_json::from_str::<RawOrigin<'_>>(text)) {
                    let owned = |word: Word<'_>| word.get().map(clipped);
                    self.repository = self.repository.take().or(origin.repository_uri.get().map(anonymous));
                    self.revision = owned(origin.revision_id);
                    self.branch = self.branch.take().or(owned(origin.branch));
                    budget.words([&self.repository, &self.revision, &self.branch].into_iter().flatten().map(String::as_str))?;
                }
            }
            RunPart::Automation => {
                if let Ok(automation) = serde_json::from_str::<RawAutomation<'_>>(text) {
                    let words = [automation.id.get(), automation.guid.get()].map(Option::unwrap_or_default);
                    self.scan = clipped(words.into_iter().find(|word| !word.is_empty()).unwrap_or_default());
                    budget.words([&*self.scan])?;
                }
            }
            RunPart::Base(name) if self.bases.len() < 100 => {
                if let Ok(base) = serde_json::from_str::<RawBase<'_>>(text) {
                    let text = |word: &Word<'_>| clipped(word.get().unwrap_or_default());
                    let base = Base { name: clipped(name), uri: text(&base.uri), within: text(&base.uri_base_id) };
                    budget.words([&*base.name, &base.uri, &base.within])?;
                    self.bases.push(base);
                }
            }
            RunPart::Base(_) => {}
            RunPart::File => {
                let uri = serde_json::from_str::<RawBase<'_>>(text).ok().and_then(|file| file.uri.get().map(clipped));
                let uri = uri.unwrap_or_default();
                // Their numbers count: nothing is left out before the end.
                self.files_end = self.files_end || !budget.file(&uri);
                if !self.files_end {
                    self.files.push(uri);
                }
            }
        }
        Ok(())
    }

    /// The same in a file that says nothing else.
    #[cfg(test)]
    pub(super) fn hears(&mut self, part: RunPart<'_>, raw: Option<&[u8]>) {
        self.hear(part, raw, &mut Budget::default()).expect("room");
    }

    /// Name of the tool: never empty.
    #[must_use]
    pub fn tool(&self) -> &str {
        if self.tool.is_empty() { "unknown" } else { &self.tool }
    }

    fn named(&mut self, part: RunPart<'_>, text: String) {
        match (part, self.in_extension) {
            (RunPart::Name, false) => self.tool.clone_from(&text),
            (RunPart::Version, false) if self.version.is_empty() => self.version.clone_from(&text),
            _ => {}
        }
        let component = self.open();
        match part {
            RunPart::Name => component.name = text,
            RunPart::Guid => component.guid = text,
            _ => {}
        }
    }

    /// The component that is told now.
    fn open(&mut self) -> &mut Component {
        match self.extensions.last_mut() {
            Some(last) if self.in_extension => last,
            _ => &mut self.driver,
        }
    }

    fn rule(&mut self, text: &str, budget: &mut Budget) -> Result<(), TooMuch> {
        // One that cannot be read keeps its place: results count.
        let raw = text.starts_with('{').then(|| serde_json::from_str::<RawRule<'_>>(text).ok()).flatten();
        let mut rule = raw.map_or_else(SarifRule::default, SarifRule::of);
        let original = rule.grade.as_ref().map_or("", |grade| &grade.original);
        // An id is kept twice.
        budget.words([&*rule.id, &rule.id, &rule.level, original])?;
        if !budget.rule(size_of::<SarifRule>())? || !budget.texts(rule.texts()) {
            rule = SarifRule { id: rule.id, level: rule.level, grade: rule.grade, ..SarifRule::default() };
        }
        let component = self.open();
        component.by_id.entry(rule.id.clone()).or_insert(component.rules.len());
        component.rules.push(rule);
        Ok(())
    }

    /// The rule that a result means: by its number where the id there does not speak against it, else by its id, of which what is
    /// behind a slash may be the result's own.
    pub(super) fn rule_of(&self, named: RuleRef<'_>) -> Option<&SarifRule> {
        let own = self.component(named);
        let fits = |rule: &&SarifRule| named.id.is_none_or(|id| is_rule_or_below(id, &rule.id));
        let counted = own.zip(named.index).and_then(|(component, index)| component.rules.get(index)).filter(fits);
        counted.or_else(|| {
            let id = named.id?;
            own.into_iter().chain([&self.driver]).chain(&self.extensions).find_map(|component| component.rule(id))
        })
    }

    fn component(&self, named: RuleRef<'_>) -> Option<&Component> {
        if let Some(index) = named.extension {
            return self.extensions.get(index);
        }
        let is_named =
            |component: &&Component| named.component.is_some_and(|name| component.guid == name || component.name == name);
        Some(self.extensions.iter().find(is_named).unwrap_or(&self.driver))
    }
}

impl Component {
    fn rule(&self, id: &str) -> Option<&SarifRule> {
        let mut id = id;
        loop {
            if let Some(rule) = self.by_id.get(id).and_then(|at| self.rules.get(*at)) {
                return Some(rule);
            }
            id = id.rsplit_once('/')?.0;
        }
    }
}

impl SarifRule {
    fn of(raw: RawRule<'_>) -> Self {
        let text = |part: Part<RawText<'_>>| part.0.and_then(|text| text.text.get().map(clipped)).unwrap_or_default();
        let own = |word: &Word<'_>| clipped(word.get().unwrap_or_default());
        let properties = raw.properties.0.unwrap_or_default();
        let (short, full) = (text(raw.short_description), text(raw.full_description));
        let messages = raw.message_strings.0.unwrap_or_default();
        let messages = messages.into_iter().take(100).map(|(id, message)| (clipped(&id), text(message)));
        Self {
            id: own(&raw.id),
            name: own(&raw.name),
            title: if short.is_empty() { first_line(&full) } else { short },
            help: without_resource(&text(raw.help)),
            help_uri: own(&raw.help_uri),
            level: raw.default_configuration.0.and_then(|level| level.level.get().map(clipped)).unwrap_or_default(),
            grade: grade::of_properties(&properties),
            tags: tags(&properties).take(100).map(clipped).collect(),
            words: words(&properties).take(100).map(clipped).collect(),
            messages: messages.collect(),
        }
    }

    /// What is left out of it first.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let own = [&self.name, &self.title, &self.help, &self.help_uri].into_iter();
        let messages = self.messages.iter().flat_map(|(id, text)| [id, text]);
        own.chain(&self.tags).chain(&self.words).chain(messages).map(String::as_str)
    }

    /// The text of a message by its id.
    pub(super) fn message(&self, id: &str) -> Option<&str> {
        self.messages.iter().find(|(own, _)| own == id).map(|(_, text)| text.as_str())
    }
}

/// The tags among properties.
pub(super) fn tags<'p>(properties: &'p Pairs<'_>) -> impl Iterator<Item = &'p str> {
    properties.0.iter().filter(|(name, _)| name == "tags").flat_map(|(_, texts)| texts.0.iter().map(AsRef::as_ref))
}

/// The other texts among properties.
pub(super) fn words<'p>(properties: &'p Pairs<'_>) -> impl Iterator<Item = &'p str> {
    properties.0.iter().filter(|(name, _)| name != "tags").flat_map(|(_, texts)| texts.0.iter().map(AsRef::as_ref))
}

/// Whether `id` is the rule's, or the rule's and something of the result's own behind a slash.
fn is_rule_or_below(id: &str, rule: &str) -> bool {
    id.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A scalar's text.
fn word(text: &str) -> String {
    serde_json::from_str::<Word<'_>>(text).ok().and_then(|word| word.get().map(str::to_owned)).unwrap_or_default()
}

/// Checkov writes the resource of a rule's first result into the rule's help, where it would be said of all of them.
/// [Checkov's output, checked 2026-11]
fn without_resource(help: &str) -> String {
    let lines: Vec<&str> = help.lines().filter(|line| !line.starts_with("Resource: ")).collect();
    lines.join("\n")
}

fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

fn clipped(text: &str) -> String {
    text.get(..text.floor_char_boundary(LONGEST)).unwrap_or_default().to_owned()
}

/// An address without user and password: CI writes its token there.
pub(super) fn anonymous(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return clipped(uri) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    clipped(&format!("{scheme}://{host}{path}"))
}
