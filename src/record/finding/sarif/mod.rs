//! A result of a scanner of code, as SARIF 2.1.0 tells it.
//!
//! In: the raw JSON text of one result, its run and what the caller says of the scan. Out: what is to be done with it
//! ([`SarifResult`]): a [`Finding`] that borrows from all three, or why there is none. What always holds: a result without a rule is
//! an error; only a result that fails is a finding; what someone accepted is set aside; the same result of the same scan has the
//! same `event.id`, and the same fault in another scan of the same code the same `finding.key`.
//!
//! Identity: tool, repository, rule, path and resource (else the line), and fingerprints (else the message). Fingerprints alone are
//! not enough: those that are partial name a line's text, which another file has too, and Semgrep writes the same words of excuse
//! into all of them when nobody is logged in. [SARIF 2.1.0, 3.27; Semgrep's output, checked 2026-11]

mod budget;
mod grade;
mod place;
mod run;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::Deserialize;

pub use self::budget::{Budget, TooMuch};
pub use self::run::{RunPart, SarifRun};

use self::run::{RuleRef, SarifRule, tags, words};
use super::lenient::{Items, Pairs, Part, Word};
use super::{Affected, Finding, FindingError, FindingForm, FindingStatus, json};
use crate::record::id::digest_id;
use crate::record::time;

const FORM: FindingForm = FindingForm::Sarif;

/// What the caller says of a scan; it wins over what the file says.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// Account that the code is deployed to.
    pub account: Option<String>,
    /// Its environment.
    pub environment: Option<String>,
    /// Where the code comes from.
    pub repository: Option<String>,
    /// Which state of it was scanned.
    pub revision: Option<String>,
    /// Branch.
    pub branch: Option<String>,
    /// Folders that paths are shown relative to.
    pub roots: Vec<String>,
}

impl Scan {
    /// The same with an address that names nobody.
    #[must_use]
    pub fn without_user(mut self) -> Self {
        self.repository = self.repository.as_deref().map(run::anonymous);
        self
    }
}

/// What is to be done with a result.
#[derive(Debug)]
pub enum SarifResult<'a> {
    /// It fails.
    Failing(Box<Finding<'a>>, Baseline),
    /// It does not fail: passed, not applicable, for review, for information.
    NotFailing,
    /// Someone accepted it, in code or in the tool.
    Suppressed,
    /// It was there in the scan that this one is compared with.
    Unchanged,
}

/// How a result stands to the scan that this one is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// It is new, or there is no other scan.
    New,
    /// It was there, and is not the same.
    Updated,
    /// It was there and is gone.
    Absent,
}

/// What only findings in code have.
#[derive(Debug, Clone, Default)]
pub struct Code<'a> {
    /// Version of the tool.
    pub tool_version: &'a str,
    /// What the tool says of this place.
    pub message: Cow<'a, str>,
    /// Path of the file, relative to the code.
    pub file: String,
    /// First line, from 1.
    pub line: Option<i64>,
    /// Last line.
    pub end_line: Option<i64>,
    /// First column, from 1.
    pub column: Option<i64>,
    /// Terraform address, logical id, …
    pub logical: Cow<'a, str>,
    /// Where the code comes from.
    pub repository: Option<&'a str>,
    /// Which state of it was scanned.
    pub revision: Option<&'a str>,
    /// Branch.
    pub branch: Option<&'a str>,
    /// The scan, as the file names it.
    pub scan: &'a str,
    /// What tells this scan from another one, as far as file and caller do.
    pub of_scan: String,
    /// `new`, `updated` or `absent`, where there is another scan.
    pub baseline: Option<Cow<'a, str>>,
    /// What to do.
    pub remediation: Cow<'a, str>,
    /// Where the steps are.
    pub help_uri: &'a str,
    /// Words of rule and result that may name controls of AWS, or requirements.
    pub names: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct Told<'a> {
    #[serde(borrow, default)]
    rule_id: Word<'a>,
    #[serde(borrow, default)]
    rule_index: Word<'a>,
    #[serde(borrow, default)]
    rule: Part<RawRef<'a>>,
    #[serde(borrow, default)]
    kind: Word<'a>,
    #[serde(borrow, default)]
    level: Word<'a>,
    #[serde(borrow, default)]
    message: Part<Message<'a>>,
    #[serde(borrow, default)]
    locations: Items<Location<'a>>,
    #[serde(borrow, default)]
    fingerprints: Part<Pairs<'a>>,
    #[serde(borrow, default)]
    partial_fingerprints: Part<Pairs<'a>>,
    #[serde(borrow, default)]
    suppressions: Items<Suppression<'a>>,
    #[serde(borrow, default)]
    baseline_state: Word<'a>,
    #[serde(borrow, default)]
    provenance: Part<Provenance<'a>>,
    #[serde(borrow, default)]
    fixes: Items<Fix<'a>>,
    #[serde(borrow, default)]
    properties: Part<Pairs<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRef<'a> {
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(borrow, default)]
    index: Word<'a>,
    #[serde(borrow, default)]
    tool_component: Part<ComponentRef<'a>>,
}

#[derive(Deserialize)]
struct ComponentRef<'a> {
    #[serde(borrow, default)]
    index: Word<'a>,
    #[serde(borrow, default)]
    name: Word<'a>,
    #[serde(borrow, default)]
    guid: Word<'a>,
}

#[derive(Deserialize, Default)]
struct Message<'a> {
    #[serde(borrow, default)]
    text: Word<'a>,
    #[serde(borrow, default)]
    markdown: Word<'a>,
    #[serde(borrow, default)]
    id: Word<'a>,
    #[serde(borrow, default)]
    arguments: super::lenient::Texts<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    #[serde(borrow, default)]
    physical_location: Part<Physical<'a>>,
    #[serde(borrow, default)]
    logical_locations: Items<Logical<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Physical<'a> {
    #[serde(borrow, default)]
    artifact_location: Part<Artifact<'a>>,
    #[serde(borrow, default)]
    region: Part<Region<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Artifact<'a> {
    #[serde(borrow, default)]
    uri: Word<'a>,
    #[serde(borrow, default)]
    uri_base_id: Word<'a>,
    #[serde(borrow, default)]
    index: Word<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Region<'a> {
    #[serde(borrow, default)]
    start_line: Word<'a>,
    #[serde(borrow, default)]
    start_column: Word<'a>,
    #[serde(borrow, default)]
    end_line: Word<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Logical<'a> {
    #[serde(borrow, default)]
    fully_qualified_name: Word<'a>,
    #[serde(borrow, default)]
    name: Word<'a>,
}

#[derive(Deserialize)]
struct Suppression<'a> {
    #[serde(borrow, default)]
    kind: Word<'a>,
    #[serde(borrow, default)]
    status: Word<'a>,
}

impl Suppression<'_> {
    /// Without a status it is accepted; what has neither kind nor status is no suppression. [SARIF 2.1.0, 3.35.3]
    fn is_accepted(&self) -> bool {
        self.status.get().map_or(self.kind.get().is_some(), |status| status == "accepted")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provenance<'a> {
    #[serde(borrow, default)]
    first_detection_time_utc: Word<'a>,
}

#[derive(Deserialize)]
struct Fix<'a> {
    #[serde(borrow, default)]
    description: Part<Message<'a>>,
}

/// Properties in which scanners name the resource, where they have no logical location.
const RESOURCE: [&str; 6] = ["resource", "resourceName", "resource_name", "resourceAddress", "resource_address", "resourceId"];

impl<'a> SarifResult<'a> {
    /// Reads one result. `now_ms`: its time, where the run does not say when it ended.
    ///
    /// # Errors
    /// [`FindingError`] says what is wrong; the result is then unreadable, alone.
    pub fn parse(raw: &'a [u8], run: &'a SarifRun, scan: &'a Scan, now_ms: i64) -> Result<Self, FindingError> {
        let text = std::str::from_utf8(raw)?;
        // A list would pass for the fields in their order.
        let text = if text.starts_with('[') { "0" } else { text };
        let told: Told<'a> = serde_json::from_str(text).map_err(json(FORM))?;
        let reference = told.rule.0.as_ref();
        let id = told.rule_id.get().or_else(|| reference.and_then(|rule| rule.id.get()));
        let of_run = run.rule_of(named(&told, id));
        let Some(id) = id.or_else(|| of_run.map(|rule| rule.id.as_str())).filter(|id| !id.is_empty()) else {
            let field = "ruleId (or rule.id, or a ruleIndex that the rules of the tool have)";
            return Err(FindingError::Missing { form: FORM.as_str(), field });
        };
        match told.kind.get() {
            None | Some("fail") => {}
            Some("pass" | "notApplicable" | "informational" | "review" | "open") => return Ok(Self::NotFailing),
            Some(other) => return Err(unknown("kind", other, "fail, pass, notApplicable, informational, review and open")),
        }
        let Items(suppressions) = &told.suppressions;
        if !suppressions.is_empty() && suppressions.iter().all(Suppression::is_accepted) {
            return Ok(Self::Suppressed);
        }
        let baseline = match told.baseline_state.get() {
            None | Some("new") => Baseline::New,
            Some("updated") => Baseline::Updated,
            Some("absent") => Baseline::Absent,
            Some("unchanged") => return Ok(Self::Unchanged),
            Some(other) => return Err(unknown("baselineState", other, "new, updated, unchanged and absent")),
        };
        let id = id.to_owned();
        Ok(Self::Failing(Box::new(finding(told, id, of_run, baseline, (run, scan), now_ms)), baseline))
    }
}

fn unknown(field: &'static str, found: &str, allowed: &'static str) -> FindingError {
    FindingError::Word { form: FORM.as_str(), field, found: found.to_owned(), allowed }
}

/// How a result names its rule.
fn named<'t>(told: &'t Told<'_>, id: Option<&'t str>) -> RuleRef<'t> {
    let index = |word: &Word<'_>| word.whole().and_then(|index| usize::try_from(index).ok());
    let reference = told.rule.0.as_ref();
    let component = reference.and_then(|rule| rule.tool_component.0.as_ref());
    RuleRef {
        id,
        index: index(&told.rule_index).or_else(|| reference.and_then(|rule| index(&rule.index))),
        extension: component.and_then(|component| index(&component.index)),
        component: component.and_then(|component| component.guid.get().or(component.name.get())),
    }
}

/// A failing result as a finding.
fn finding<'a>(
    told: Told<'a>,
    id: String,
    rule: Option<&'a SarifRule>,
    baseline: Baseline,
    (run, scan): (&'a SarifRun, &'a Scan),
    now_ms: i64,
) -> Finding<'a> {
    let properties = told.properties.0.unwrap_or_default();
    let of_rule = rule.into_iter().flat_map(|rule| rule.tags.iter().chain(&rule.words)).map(|word| Cow::Borrowed(word.as_str()));
    let own = tags(&properties).chain(words(&properties)).map(|word| Cow::Owned(word.to_owned()));
    let names: Vec<Cow<'a, str>> = of_rule.chain(own).collect();
    let of_rule = rule.into_iter().flat_map(|rule| &rule.tags).map(|tag| Cow::Borrowed(tag.as_str()));
    let types: Vec<Cow<'a, str>> = of_rule.chain(tags(&properties).map(|tag| Cow::Owned(tag.to_owned()))).collect();
    let graded = grade::of_properties(&properties)
        .or_else(|| rule.and_then(|rule| rule.grade.clone()))
        .unwrap_or_else(|| grade::of_levels(told.level.get(), rule.map(|rule| rule.level.as_str())));
    let message = message(told.message.0.unwrap_or_default(), rule);
    let first = told.provenance.0.and_then(|provenance| provenance.first_detection_time_utc.get().and_then(time::parse_ms));

    let location = told.locations.0.into_iter().next().unwrap_or_default();
    let physical = location.physical_location.0.unwrap_or_default();
    let region = physical.region.0.unwrap_or_default();
    let logical =
        location.logical_locations.0.into_iter().find_map(|logical| logical.fully_qualified_name.take().or(logical.name.take()));
    let resource = || {
        let found = RESOURCE.iter().find_map(|name| properties.0.iter().find(|(own, _)| own == name));
        found.and_then(|(_, texts)| texts.0.first().cloned())
    };
    let logical = logical.or_else(resource).unwrap_or_default();
    let file = file(physical.artifact_location.0.unwrap_or_default(), run, scan);
    let positive = |word: &Word<'_>| word.whole().filter(|number| *number > 0);
    let (line, end_line, column) = (positive(&region.start_line), positive(&region.end_line), positive(&region.start_column));
    let repository = scan.repository.as_deref().or(run.repository.as_deref());
    let revision = scan.revision.as_deref().or(run.revision.as_deref());
    let fix = told.fixes.0.into_iter().find_map(|fix| fix.description.0?.text.take());

    let prints = fingerprints(&[told.fingerprints.0, told.partial_fingerprints.0]);
    let at_line = if logical.is_empty() && prints.is_empty() { line.unwrap_or_default().to_string() } else { String::new() };
    let what = if prints.is_empty() { &*message } else { prints.as_str() };
    let native =
        digest_id(&[run.tool(), repository.unwrap_or_default(), &id, &file, &logical, &at_line, what].map(str::as_bytes));

    let account = scan.account.as_deref().unwrap_or("unknown");
    let updated_ms = run.ended_ms.unwrap_or(now_ms);
    let mut finding = Finding::of(FORM, Cow::Borrowed(run.tool()), Cow::Owned(native), Cow::Borrowed(account), updated_ms);
    finding.first_seen_ms = first;
    finding.severity = graded.severity;
    finding.severity_original = Cow::Owned(graded.original);
    finding.title = title(rule, &message, &id);
    finding.types = types;
    if baseline == Baseline::Absent {
        finding.status = FindingStatus::Resolved;
    }
    finding.techniques.clone_from(&names);
    let shown = if logical.is_empty() { Cow::Owned(file.clone()) } else { logical.clone() };
    if !shown.is_empty() {
        finding.resources.push(Affected { kind: place::kind_of(&logical), id: shown });
    }
    if id.starts_with("CVE-") {
        finding.more.cve = Some(Cow::Owned(id.clone()));
        finding.more.cvss = graded.score;
    }
    finding.more.code = Some(Box::new(Code {
        tool_version: &run.version,
        message,
        file,
        line,
        end_line,
        column,
        logical,
        repository,
        revision,
        branch: scan.branch.as_deref().or(run.branch.as_deref()),
        scan: &run.scan,
        of_scan: digest_id(&[&run.scan, &run.ended, revision.unwrap_or_default()].map(|text: &str| text.as_bytes())),
        baseline: told.baseline_state.take(),
        remediation: fix.or_else(|| rule.map(|rule| Cow::Borrowed(rule.help.as_str()))).unwrap_or_default(),
        help_uri: rule.map_or("", |rule| &rule.help_uri),
        names,
    }));
    finding.control_id = Some(Cow::Owned(id));
    finding
}

/// What the control is called: by its description, its name, the first line of the message; in the end by its id.
fn title<'a>(rule: Option<&'a SarifRule>, message: &str, id: &str) -> Cow<'a, str> {
    let of_rule = rule.map(|rule| if rule.title.is_empty() { rule.name.as_str() } else { rule.title.as_str() });
    if let Some(title) = of_rule.filter(|title| !title.is_empty()) {
        return Cow::Borrowed(title);
    }
    let first = message.lines().map(str::trim).find(|line| !line.is_empty());
    Cow::Owned(first.unwrap_or(id).to_owned())
}

/// The text of a message, its own or that of the rule with the arguments put in.
fn message<'a>(told: Message<'a>, rule: Option<&SarifRule>) -> Cow<'a, str> {
    if let Some(text) = told.text.take().or_else(|| told.markdown.take()) {
        return text;
    }
    let text = told.id.get().zip(rule).and_then(|(id, rule)| rule.message(id)).unwrap_or_default();
    let mut text = text.to_owned();
    for (number, argument) in told.arguments.0.iter().enumerate().take(20) {
        text = text.replace(&format!("{{{number}}}"), argument);
    }
    Cow::Owned(text)
}

fn file(artifact: Artifact<'_>, run: &SarifRun, scan: &Scan) -> String {
    let listed = || {
        let index = artifact.index.whole().and_then(|index| usize::try_from(index).ok())?;
        run.files.get(index).map(String::as_str)
    };
    let uri = artifact.uri.get().or_else(listed).unwrap_or_default();
    place::path(uri, artifact.uri_base_id.get(), run, &scan.roots)
}

/// Fingerprints that tell something, in order of name: words of excuse have blanks in them.
fn fingerprints(lists: &[Option<Pairs<'_>>]) -> String {
    let mut prints: Vec<String> = Vec::new();
    for (name, texts) in lists.iter().flatten().flat_map(|list| &list.0) {
        let told = texts.0.iter().filter(|text| !text.contains(char::is_whitespace));
        prints.extend(told.map(|text| format!("{name}={text}")));
    }
    prints.sort_unstable();
    prints.join("|")
}

impl Code<'_> {
    /// What tells this version of a finding from another one.
    pub(super) fn version(&self) -> String {
        let number = |number: Option<i64>| number.unwrap_or_default().to_string();
        let (line, column) = (number(self.line), number(self.column));
        let baseline = self.baseline.as_deref().unwrap_or_default();
        digest_id(&[self.of_scan.as_str(), &line, &column, &self.message, baseline].map(str::as_bytes))
    }
}
