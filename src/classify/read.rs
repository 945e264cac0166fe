//! Rule files to rules.
//!
//! In: the text of a file. Out: its rules, each with its condition, its filters, and every fault found. Sigma's own keys are read as
//! Sigma defines them, ours under `cspm`; an unknown key under `cspm` is a fault, unknown keys beside Sigma's are left to others.

use serde_json::json;

use crate::record::severity::Severity;
use crate::record::time;

use super::attack::{self, Tag};
use super::collection;
use super::correlation;
use super::expr::Expr;
use super::fault::{Faults, RuleFault};
use super::filter::Filter;
use super::rule::{List, Pillar, Rule, Sample};
use super::sigma::{self, Item, Placeholders};
use super::yaml::{self, Node, Value};

/// Our keys.
const KEYS: [&str; 10] =
    ["titleJa", "pillar", "score", "severityReason", "notify", "frameworks", "tuning", "remediation", "runbook", "samples"];

/// When the first record of a sample happens that does not say: 2026-11-21T12:00:00Z.
const SAMPLE_MS: i64 = 1_795_262_400_000;

/// A rule and what it looks for.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) rule: Rule,
    pub(super) condition: Expr<Item>,
    /// Placeholders that have no values and match nothing.
    pub(super) unfilled: Vec<String>,
    /// What it correlates; its condition then matches nothing.
    pub(super) correlation: Option<correlation::Spec>,
    /// It only feeds correlations of its file.
    pub(super) silent: bool,
    /// A built-in rule that only feeds correlations of rules that are looked at alone.
    pub(super) lent: bool,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct FileRead {
    pub(super) rules: Vec<Read>,
    pub(super) filters: Vec<Filter>,
    pub(super) faults: Vec<RuleFault>,
}

/// Marks the rules that only feed correlations of their own file. They stay silent where the correlation is switched off or has a fault:
/// nobody meant them to be told one by one. Rules of other files, built-in ones above all, go on detecting.
fn silence(rules: &mut [Read], feeders: &[String]) {
    for read in rules.iter_mut().filter(|read| !read.rule.builtin) {
        read.silent = feeders.iter().any(|name| read.rule.is_called(name));
    }
}

/// Reads a file. A document with a fault is left out, the others stay.
pub(super) fn file(name: &str, text: &str, builtin: bool, placeholders: &Placeholders) -> FileRead {
    let mut faults = Faults::new(name);
    let documents = match yaml::parse(text) {
        Ok(documents) => documents,
        Err(error) => {
            faults.add(error.line, format!("not YAML: {}", error.message));
            return FileRead { faults: faults.found, ..FileRead::default() };
        }
    };
    if documents.is_empty() {
        faults.add(0, "no rule in the file");
    }
    let mut read = FileRead::default();
    let mut feeders = Vec::new();
    for document in &collection::written_out(documents, &mut faults) {
        let mut reader = Reader { file: name, builtin, document, faults: &mut faults };
        if !matches!(document.value, Value::Map(_)) {
            reader.faults.add(document.line, format!("{} where a rule is needed", document.value.describe()));
        } else if let Some(node) = document.get("correlation") {
            feeders.extend(correlation::feeders(document, node));
            read.rules.extend(reader.correlation(node));
        } else if let Some(filter) = document.get("filter") {
            read.filters.extend(reader.filter(filter, placeholders));
        } else {
            read.rules.extend(reader.rule(placeholders));
        }
    }
    silence(&mut read.rules, &feeders);
    read.faults = faults.found;
    read
}

struct Reader<'r> {
    file: &'r str,
    builtin: bool,
    document: &'r Node,
    faults: &'r mut Faults,
}

impl Reader<'_> {
    /// A rule on single records. Of another log source nothing but that is told: nobody means it to run here.
    fn rule(&mut self, placeholders: &Placeholders) -> Option<Read> {
        let root = self.document;
        let before = self.faults.found.len();
        self.log_source(true);
        if self.faults.found.len() > before {
            return None;
        }
        let rule = self.about(None);
        let condition = if let Some(detection) = root.get("detection") {
            sigma::parse(detection, placeholders, self.faults)
        } else {
            self.faults.add(root.line, "detection is missing");
            None
        };
        let unfilled = self.faults.take_unfilled();
        let condition = condition?;
        (self.faults.found.len() == before).then_some(Read {
            rule,
            condition,
            unfilled,
            correlation: None,
            silent: false,
            lent: false,
        })
    }

    /// A rule on several records. It has no log source of its own, and need not say how severe it is.
    fn correlation(&mut self, node: &Node) -> Option<Read> {
        let before = self.faults.found.len();
        let mut rule = self.about(Some(Severity::Medium));
        let correlation = correlation::parse(self.document, node, self.faults)?;
        rule.correlation = Some(correlation.words().to_owned());
        let whole = self.faults.found.len() == before;
        let (condition, unfilled) = (Expr::Const(false), Vec::new());
        whole.then_some(Read { rule, condition, unfilled, correlation: Some(correlation), silent: false, lent: false })
    }

    /// A filter.
    fn filter(&mut self, filter: &Node, placeholders: &Placeholders) -> Option<Filter> {
        let root = self.document;
        let before = self.faults.found.len();
        self.log_source(false);
        if self.faults.found.len() > before {
            return None;
        }
        let title = self.required(root, "title").unwrap_or_default();
        let (id, author) = (self.text(root, "id"), self.text(root, "author"));
        let rules = self.text_nodes(filter, "rules");
        if rules.is_empty() {
            self.faults.add(filter.line, "filter.rules is missing; needed: names or ids of rules, or any");
        }
        let condition = sigma::parse_filter(filter, placeholders, self.faults);
        let unfilled = self.faults.take_unfilled();
        let (file, line) = (self.file.to_owned(), root.line);
        let condition = condition?;
        let whole = self.faults.found.len() == before;
        whole.then_some(Filter { title, id, author, file, line, rules, condition, unfilled })
    }

    /// What a rule says about itself. `level`: its severity when it names none; without, it must name one.
    fn about(&mut self, level: Option<Severity>) -> Rule {
        let root = self.document;
        let title = self.required(root, "title");
        let severity = match level {
            Some(level) if root.get("level").is_none() => Some(level),
            _ => self.severity(),
        };
        let (id, sigma_id) = self.ids();
        let (tactics, techniques) = self.attack();
        let own = root.get("cspm");
        self.own_keys(own);
        let severity = severity.unwrap_or(Severity::Medium);
        Rule {
            id,
            sigma_id,
            title: title.unwrap_or_default(),
            description: self.text(root, "description").unwrap_or_default().trim().to_owned(),
            author: self.text(root, "author"),
            severity,
            score: self.score(own).unwrap_or_else(|| severity.default_score()),
            pillar: self.pillar(own),
            notify: self.flag(own, "notify").unwrap_or(severity >= Severity::High),
            tactics,
            techniques,
            frameworks: List::new(self.frameworks(own)),
            title_ja: self.own_text(own, "titleJa"),
            severity_reason: self.own_text(own, "severityReason"),
            tuning: self.own_text(own, "tuning"),
            remediation: self.own_text(own, "remediation"),
            runbook: self.runbook(own),
            false_positives: self.texts(root, "falsepositives"),
            references: self.texts(root, "references"),
            samples: self.samples(own),
            correlation: None,
            file: self.file.to_owned(),
            line: root.line,
            builtin: self.builtin,
        }
    }

    /// A text; anything else is a fault.
    fn text(&mut self, map: &Node, key: &str) -> Option<String> {
        let node = map.get(key)?;
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            Value::Null => None,
            other => {
                self.faults.add(node.line, format!("{key} is {}; a text is needed", other.describe()));
                None
            }
        }
    }

    /// A text under our own key.
    fn own_text(&mut self, own: Option<&Node>, key: &str) -> Option<String> {
        own.and_then(|own| self.text(own, key)).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn required(&mut self, map: &Node, key: &str) -> Option<String> {
        match self.text(map, key) {
            Some(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Some(_) => {
                self.faults.add(map.get(key).map_or(0, |node| node.line), format!("{key} is empty"));
                None
            }
            None => {
                if map.get(key).is_none_or(|node| node.value == Value::Null) {
                    self.faults.add(map.line, format!("{key} is missing"));
                }
                None
            }
        }
    }

    /// A list of texts, or one text.
    fn texts(&mut self, map: &Node, key: &str) -> Vec<String> {
        self.text_nodes(map, key).into_iter().map(|(_, text)| text).collect()
    }

    fn text_nodes(&mut self, map: &Node, key: &str) -> Vec<(u64, String)> {
        let Some(node) = map.get(key) else { return Vec::new() };
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            Value::Null => &[],
            _ => std::slice::from_ref(node),
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(text) => texts.push((item.line, text.clone())),
                other => self.faults.add(item.line, format!("{key}: {}; a text is needed", other.describe())),
            }
        }
        texts
    }

    fn severity(&mut self) -> Option<Severity> {
        let text = self.required(self.document, "level")?;
        let severity = text.parse().ok();
        if severity.is_none() {
            let line = self.document.get("level").map_or(0, |node| node.line);
            self.faults.add(line, format!("level is \"{text}\"; allowed: informational, low, medium, high, critical"));
        }
        severity
    }

    /// A rule is for one log source; a filter may be for all of a product.
    fn log_source(&mut self, whole: bool) {
        let Some(source) = self.document.get("logsource") else {
            return self.faults.add(self.document.line, "logsource is missing; needed: {product: aws, service: cloudtrail}");
        };
        for (key, want, is_needed) in [("product", "aws", true), ("service", "cloudtrail", whole)] {
            match source.get(key).map(|node| (&node.value, node.line)) {
                Some((Value::Text(text), _)) if text.eq_ignore_ascii_case(want) => {}
                Some((other, line)) => {
                    self.faults.add(line, format!("logsource.{key} is {}; allowed: {want}", other.describe()));
                }
                None if is_needed => self.faults.add(source.line, format!("logsource.{key} is missing; allowed: {want}")),
                None => {}
            }
        }
    }

    fn ids(&mut self) -> (String, Option<String>) {
        let root = self.document;
        let sigma_id = self.text(root, "id");
        if let (Some(id), Some(node)) = (&sigma_id, root.get("id"))
            && !is_uuid(id)
        {
            self.faults.add(node.line, format!("id is \"{id}\"; a UUID is needed"));
        }
        let name = self.text(root, "name");
        if let (Some(name), Some(node)) = (&name, root.get("name"))
            && !(if self.builtin { is_kebab(name) } else { is_name(name) })
        {
            let allowed = if self.builtin {
                "small letters and digits, joined by single dashes"
            } else {
                "at most 128 letters of a to z, digits, `-`, `_` and `.`"
            };
            self.faults.add(node.line, format!("name is \"{name}\"; allowed: {allowed}"));
        }
        if sigma_id.is_none() && name.is_none() {
            self.faults.add(root.line, "neither name nor id; one is needed to tell the rule from others");
        }
        (name.or_else(|| sigma_id.clone()).unwrap_or_default(), sigma_id)
    }

    /// Tactics and techniques from the tags. Without a tactic, those of the first technique.
    fn attack(&mut self) -> (List, List) {
        let (mut tactics, mut techniques) = (Vec::new(), Vec::new());
        for (line, text) in self.text_nodes(self.document, "tags") {
            let Some(rest) = text.to_ascii_lowercase().strip_prefix("attack.").map(str::to_owned) else { continue };
            match attack::tag(&rest) {
                Some(Tag::Tactic(tactic)) => tactics.push(tactic.to_owned()),
                Some(Tag::Technique(technique)) => techniques.push(technique),
                Some(Tag::Other) => {}
                None => {
                    let tactics: Vec<_> = attack::tactics().collect();
                    let problem = format!(
                        "tag \"{text}\": no such ATT&CK id; allowed: a tactic ({}) or a technique of ATT&CK 17 or 19 like t1078.004",
                        tactics.join(", ")
                    );
                    self.faults.add(line, problem);
                }
            }
        }
        if let (true, Some(technique)) = (tactics.is_empty(), techniques.first()) {
            tactics.extend(attack::tactics_of(technique).map(str::to_owned));
        }
        (List::new(tactics), List::new(techniques))
    }

    fn own_keys(&mut self, own: Option<&Node>) {
        let Some(own) = own else { return };
        let Value::Map(entries) = &own.value else {
            return self.faults.add(own.line, format!("cspm is {}; a map is needed", own.value.describe()));
        };
        for entry in entries.iter().filter(|entry| !KEYS.contains(&entry.key.as_str())) {
            self.faults.add(entry.line, format!("cspm.{} is unknown; allowed: {}", entry.key, KEYS.join(", ")));
        }
    }

    fn score(&mut self, own: Option<&Node>) -> Option<u8> {
        let node = own?.get("score")?;
        let score = match &node.value {
            Value::Int(score) => u8::try_from(*score).ok().filter(|score| *score <= 100),
            _ => None,
        };
        if score.is_none() {
            self.faults.add(node.line, format!("cspm.score is {}; allowed: 0 to 100", node.value.describe()));
        }
        score
    }

    fn pillar(&mut self, own: Option<&Node>) -> Pillar {
        let Some(node) = own.and_then(|own| own.get("pillar")) else { return Pillar::default() };
        let found = match &node.value {
            Value::Text(text) => Pillar::ALL.into_iter().find(|pillar| pillar.as_str().eq_ignore_ascii_case(text)),
            _ => None,
        };
        found.unwrap_or_else(|| {
            let words = Pillar::ALL.map(Pillar::as_str).join(", ");
            self.faults.add(node.line, format!("cspm.pillar is {}; allowed: {words}", node.value.describe()));
            Pillar::default()
        })
    }

    fn flag(&mut self, own: Option<&Node>, key: &str) -> Option<bool> {
        let node = own?.get(key)?;
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        self.faults.add(node.line, format!("cspm.{key} is {}; allowed: true, false", node.value.describe()));
        None
    }

    fn frameworks(&mut self, own: Option<&Node>) -> Vec<String> {
        let Some(own) = own else { return Vec::new() };
        let mut controls = Vec::new();
        for (line, text) in self.text_nodes(own, "frameworks") {
            let valid = text.split_once(':').is_some_and(|(name, number)| !name.is_empty() && !number.is_empty());
            if valid && !text.contains('|') {
                controls.push(text);
            } else {
                self.faults.add(line, format!("cspm.frameworks: \"{text}\"; needed: NAME-VERSION:NUMBER, without |"));
            }
        }
        controls
    }

    fn runbook(&mut self, own: Option<&Node>) -> Option<String> {
        let own = own?;
        let text = self.text(own, "runbook")?;
        if !text.starts_with("https://") {
            let line = own.get("runbook").map_or(0, |node| node.line);
            self.faults.add(line, format!("cspm.runbook is \"{text}\"; an https:// address is needed"));
        }
        Some(text)
    }

    fn samples(&mut self, own: Option<&Node>) -> Vec<Sample> {
        let Some(samples) = own.and_then(|own| own.get("samples")) else { return Vec::new() };
        let Value::Map(lists) = &samples.value else {
            self.faults.add(samples.line, "cspm.samples: a map with match and noMatch is needed");
            return Vec::new();
        };
        let mut found = Vec::new();
        for list in lists {
            let matches = match list.key.as_str() {
                "match" => true,
                "noMatch" => false,
                other => {
                    self.faults.add(list.line, format!("cspm.samples.{other} is unknown; allowed: match, noMatch"));
                    continue;
                }
            };
            let Value::List(items) = &list.node.value else {
                self.faults.add(list.line, format!("cspm.samples.{}: a list is needed", list.key));
                continue;
            };
            for item in items {
                match (self.text(item, "name"), self.records(item)) {
                    (Some(name), Some(records)) => found.push(Sample { name, records, matches, line: item.line }),
                    _ if self.document.get("correlation").is_some() => {
                        self.faults.add(item.line, format!("cspm.samples.{}: name and records, a list, are needed", list.key));
                    }
                    _ => self.faults.add(item.line, format!("cspm.samples.{}: name and record are needed", list.key)),
                }
            }
        }
        found
    }

    /// The records of a sample: one of a rule, several of a correlation.
    fn records(&self, sample: &Node) -> Option<Vec<String>> {
        let records =
            match (self.document.get("correlation"), sample.get("record"), sample.get("records").map(|node| &node.value)) {
                (None, Some(record), None) => std::slice::from_ref(record),
                (Some(_), None, Some(Value::List(records))) if !records.is_empty() => records.as_slice(),
                _ => return None,
            };
        let is_whole = records.iter().all(|record| matches!(record.value, Value::Map(_)));
        is_whole.then(|| records.iter().enumerate().map(|(number, record)| complete(number, record)).collect())
    }
}

/// A sample record as JSON, with what every record has; those of a list are other records, a second apart.
fn complete(number: usize, record: &Node) -> String {
    let mut json = record.to_json();
    let time_ms = SAMPLE_MS.saturating_add(i64::try_from(number).unwrap_or(0).saturating_mul(1_000));
    if let Some(fields) = json.as_object_mut() {
        for (key, value) in [
            ("eventVersion", "1.11"),
            ("eventTime", &*time::format_ms(time_ms)),
            ("awsRegion", "us-east-1"),
            ("eventType", "AwsApiCall"),
            ("recipientAccountId", "111122223333"),
        ] {
            fields.entry(key).or_insert(json!(value));
        }
        if !fields.contains_key("eventId") {
            fields.entry("eventID").or_insert(json!(format!("00000000-0000-4000-8000-{number:012}")));
        }
    }
    json.to_string()
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_kebab(text: &str) -> bool {
    text.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

/// A name that others gave: what no separator of ours and no pattern is written with.
fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
