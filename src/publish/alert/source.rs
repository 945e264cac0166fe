//! The files of the conditions as they are written.
//!
//! In: YAML files: `<policy>/policy.yml` and one file a condition, `<policy>/<id>.yml`. Out: a [`Definition`]. What always holds: an
//! unknown key is a fault with file and line; what the keys *say* is judged by [`lint`](super::lint) alone; a file that cannot be read
//! keeps no other from being read, so that all faults of a folder are told at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};

use super::cases::Case;
use super::files::SHIPPED;
use crate::nrql::condition::{
    self, Comparison, Condition, Direction, Expiration, Fill, Kind, Method, Occurrences, Priority, Seasonality, Signal, Term,
};
use crate::publish::dashboard::{Both, DefinitionError, Language, read};

/// Name of the file that says what a policy is.
pub(super) const POLICY: &str = "policy.yml";

/// Most that `aggregationTimer` may be, s. New Relic's.
pub(super) const TIMER_S: u32 = 1_200;

/// What the conditions of a folder have in common: `policy.yml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PolicySource {
    /// Of the policy.
    pub name: Both,
    /// What becomes one issue: `PER_POLICY`, `PER_CONDITION` or `PER_CONDITION_AND_TARGET`.
    pub incident_preference: String,
    /// Why that.
    pub reason: String,
    /// The page of the dashboard that shows the same, by the name of its file in `dashboards/source`.
    pub view: String,
}

/// Who looks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Responder {
    /// Whoever is on duty, at any hour.
    First,
    /// Who knows the matter, in working hours.
    Second,
}

impl Responder {
    /// As the tag of the condition says.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
        }
    }
}

/// One condition.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ConditionSource {
    /// Names it for ever: the name of its file, the tag of the condition.
    pub id: String,
    /// In New Relic; 1 to 128 characters.
    pub name: Both,
    /// Whether it is on when it is made.
    pub enabled: bool,
    /// Why on or off.
    pub because: String,
    /// What it answers.
    pub question: Both,
    /// Requirements that ask for it.
    pub answers: Vec<String>,
    /// Who looks first.
    pub responder: Responder,
    /// NRQL with one number.
    pub query: String,
    /// What the number is, for the sentence about the threshold.
    pub value: Both,
    /// Whether it says how things are, not how much there was in a window: sentences leave the window out then.
    #[serde(default)]
    pub moment: bool,
    /// How rows become values.
    pub signal: SignalSource,
    /// How late rows are.
    pub lateness: Lateness,
    /// A condition of type baseline; absent: static.
    #[serde(default)]
    pub baseline: Option<BaselineSource>,
    /// When an incident opens.
    pub terms: Vec<TermSource>,
    /// What happens when the signal goes silent.
    pub expiration: ExpirationSource,
    /// `violationTimeLimitSeconds`, s.
    pub time_limit: u32,
    /// Where the steps are.
    pub runbook: String,
    /// Handlebars with `[[words]]` of the values.
    pub title_template: Both,
    /// Handlebars with `[[words]]` of the values: what it means.
    pub description: Both,
    /// What to do first.
    pub response: Both,
    /// How to make it quieter.
    pub tuning: Both,
    /// Its proof.
    pub cases: Vec<Case>,
}

/// How rows become values, in `NerdGraph`'s words.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SignalSource {
    /// `aggregationWindow`, s.
    pub window: u32,
    /// `slideBy`, s.
    #[serde(default)]
    pub slide: Option<u32>,
    /// `aggregationMethod`.
    pub method: MethodWord,
    /// `aggregationTimer`, s: of `EVENT_TIMER`.
    #[serde(default)]
    pub timer: Option<u32>,
    /// `aggregationDelay`, s: of the others.
    #[serde(default)]
    pub delay: Option<u32>,
    /// `fillOption`.
    pub fill: FillWord,
    /// `fillValue`: of `STATIC`.
    #[serde(default)]
    pub fill_value: Option<f64>,
    /// `evaluationDelay`, s.
    #[serde(default)]
    pub evaluation_delay: u32,
}

/// `aggregationMethod`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MethodWord {
    EventFlow,
    EventTimer,
    Cadence,
}

impl MethodWord {
    /// `NerdGraph`'s word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::EventFlow => "EVENT_FLOW",
            Self::EventTimer => "EVENT_TIMER",
            Self::Cadence => "CADENCE",
        }
    }
}

/// `fillOption`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FillWord {
    None,
    Static,
    LastValue,
}

impl FillWord {
    /// `NerdGraph`'s word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Static => "STATIC",
            Self::LastValue => "LAST_VALUE",
        }
    }
}

/// How late rows are: the number that timer and delay have to be above.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lateness {
    /// How long after its `timestamp` the last row of a window may come, s.
    pub seconds: u32,
    /// Where the number comes from.
    pub why: String,
}

/// A condition of type baseline.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineSource {
    /// `baselineDirection`.
    #[serde(deserialize_with = "direction")]
    pub direction: Direction,
    /// `signalSeasonality`.
    #[serde(deserialize_with = "seasonality")]
    pub seasonality: Seasonality,
    /// Why these.
    pub reason: String,
}

/// When an incident opens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermSource {
    /// Whom it concerns.
    #[serde(deserialize_with = "priority")]
    pub priority: Priority,
    /// How the value is compared.
    #[serde(deserialize_with = "comparison")]
    pub operator: Comparison,
    /// With what.
    pub threshold: f64,
    /// `thresholdDuration`, s.
    pub duration: u32,
    /// Of how many values in that time.
    #[serde(deserialize_with = "occurrences")]
    pub occurrences: Occurrences,
    /// Why this number.
    pub reason: String,
}

/// What happens when the signal goes silent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExpirationSource {
    /// `expirationDuration`, s; absent: nothing happens.
    #[serde(default)]
    pub after: Option<u32>,
    /// `openViolationOnExpiration`.
    #[serde(default)]
    pub opens: bool,
    /// `closeViolationsOnExpiration`.
    #[serde(default)]
    pub closes: bool,
    /// `ignoreOnExpectedTermination`.
    #[serde(default)]
    pub ignores_expected: bool,
    /// Why that.
    pub reason: String,
}

/// A policy and its conditions.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Name of its folder.
    pub key: String,
    /// What it is; `None`: its file cannot be read.
    pub source: Option<PolicySource>,
    /// Its conditions, by name of file without `.yml`.
    pub conditions: BTreeMap<String, ConditionSource>,
}

/// The conditions.
#[derive(Debug, Clone)]
pub struct Definition {
    /// By name of folder.
    pub policies: Vec<Policy>,
    /// Files that cannot be read, or that are not there.
    pub unreadable: Vec<DefinitionError>,
    /// Text of every file, to tell lines.
    pub(super) texts: BTreeMap<String, String>,
}

impl Definition {
    /// Those that are built in.
    #[must_use]
    pub fn shipped() -> Self {
        Self::read(SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())))
    }

    /// Reads files: name, `<policy>/<file>`, and text of each.
    #[must_use]
    pub fn read(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let texts: BTreeMap<String, String> = files.into_iter().collect();
        let mut unreadable = Vec::new();
        let mut policies: BTreeMap<String, Policy> = BTreeMap::new();
        for file in texts.keys() {
            let (key, name) = file.split_once('/').unwrap_or(("", file));
            let policy = policies.entry(key.to_owned()).or_insert_with(|| Policy {
                key: key.to_owned(),
                source: None,
                conditions: BTreeMap::new(),
            });
            let result = if name == POLICY {
                read(&texts, file).map(|source| policy.source = Some(source))
            } else {
                let id = name.trim_end_matches(".yml").to_owned();
                read(&texts, file).map(|condition| drop(policy.conditions.insert(id, condition)))
            };
            unreadable.extend(result.err());
        }
        for key in policies.keys() {
            let file = format!("{key}/{POLICY}");
            if !texts.contains_key(&file) {
                unreadable.push(DefinitionError::Missing { file });
            }
        }
        Self { policies: policies.into_values().collect(), unreadable, texts }
    }

    /// Every condition with its policy, by policy and id.
    pub fn conditions(&self) -> impl Iterator<Item = (&Policy, &ConditionSource)> {
        self.policies.iter().flat_map(|policy| policy.conditions.values().map(move |condition| (policy, condition)))
    }
}

impl ConditionSource {
    /// What New Relic decides by. A timer or delay that is not said is 0: [`lint`](super::lint) tells that it is missing.
    #[must_use]
    pub fn model(&self, language: Language) -> Condition {
        let kind =
            self.baseline.as_ref().map_or(Kind::Static, |baseline| Kind::Baseline(baseline.direction, baseline.seasonality));
        let term = |term: &TermSource| Term {
            priority: term.priority,
            comparison: term.operator,
            threshold: term.threshold,
            duration_s: term.duration,
            occurrences: term.occurrences,
        };
        Condition {
            name: self.name.get(language).to_owned(),
            query: self.query.clone(),
            kind,
            signal: self.signal.model(),
            terms: self.terms.iter().map(term).collect(),
            expiration: self.expiration.model(),
            time_limit_s: self.time_limit,
        }
    }

    /// The term of a priority.
    #[must_use]
    pub fn term(&self, priority: Priority) -> Option<&TermSource> {
        self.terms.iter().find(|term| term.priority == priority)
    }
}

impl SignalSource {
    fn model(&self) -> Signal {
        let (timer_s, delay_s) = (self.timer.unwrap_or_default(), self.delay.unwrap_or_default());
        Signal {
            window_s: self.window,
            slide_s: self.slide,
            method: match self.method {
                MethodWord::EventFlow => Method::EventFlow { delay_s },
                MethodWord::EventTimer => Method::EventTimer { timer_s },
                MethodWord::Cadence => Method::Cadence { delay_s },
            },
            fill: match self.fill {
                FillWord::None => Fill::None,
                FillWord::Static => Fill::Static(self.fill_value.unwrap_or_default()),
                FillWord::LastValue => Fill::LastValue,
            },
            evaluation_delay_s: self.evaluation_delay,
        }
    }
}

impl ExpirationSource {
    fn model(&self) -> Option<Expiration> {
        let after_s = self.after?;
        Some(Expiration { after_s, opens: self.opens, closes: self.closes, ignores_expected: self.ignores_expected })
    }
}

/// One of New Relic's words.
pub(super) fn of_words<'de, D: Deserializer<'de>, T: Copy>(deserializer: D, words: &[(T, &str)]) -> Result<T, D::Error> {
    let word = String::deserialize(deserializer)?;
    let found = words.iter().find(|(_, known)| *known == word).map(|(value, _)| *value);
    found.ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(_, known)| *known).collect();
        de::Error::custom(format!("`{word}`; allowed: {}", known.join(", ")))
    })
}

macro_rules! words {
    ($($function:ident: $type:ident),+ $(,)?) => {$(
        fn $function<'de, D: Deserializer<'de>>(deserializer: D) -> Result<condition::$type, D::Error> {
            of_words(deserializer, condition::$type::WORDS)
        }
    )+};
}

words!(direction: Direction, seasonality: Seasonality, priority: Priority, comparison: Comparison, occurrences: Occurrences);
