//! A muting rule, as New Relic takes it.
//!
//! In: what a file says. Out: plain data for whoever evaluates it, and everything by which New Relic would refuse it. What always
//! holds: names and words are New Relic's (`alertsMutingRuleCreate`); times are local, with their zone.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

/// What a muting rule can ask about, beside `tags.<NAME>`. `alertsMutingRuleCreate`.
pub const ATTRIBUTES: [&str; 13] = [
    "accountId",
    "conditionId",
    "conditionName",
    "conditionRunbookUrl",
    "conditionType",
    "entity.guid",
    "nrqlEventType",
    "nrqlQuery",
    "policyId",
    "policyName",
    "product",
    "targetId",
    "targetName",
];

/// A muting rule.
#[derive(Debug, Clone)]
pub struct MutingRule {
    /// Its name.
    pub name: String,
    /// Whether it is on.
    pub enabled: bool,
    /// `condition.operator`: all conditions must hold, else one.
    pub all: bool,
    /// `condition.conditions`.
    pub conditions: Vec<Test>,
    /// When; none: always.
    pub schedule: Option<Schedule>,
    /// `actionOnMutingRuleWindowEnded` is `CLOSE_ISSUES_ON_INACTIVE`.
    pub closes: bool,
}

/// One condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// One of [`ATTRIBUTES`], or `tags.<NAME>`.
    pub attribute: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what: several for `IN`, none for `ANY` and `IS_BLANK`, else one.
    pub values: Vec<String>,
}

/// How an attribute is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "New Relic's own words")]
pub enum Operator {
    Any,
    Contains,
    EndsWith,
    Equals,
    In,
    IsBlank,
    IsNotBlank,
    NotContains,
    NotEndsWith,
    NotEquals,
    NotIn,
    NotStartsWith,
    StartsWith,
}

impl Operator {
    /// All, with the word that `NerdGraph` has for each.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Any, "ANY"),
        (Self::Contains, "CONTAINS"),
        (Self::EndsWith, "ENDS_WITH"),
        (Self::Equals, "EQUALS"),
        (Self::In, "IN"),
        (Self::IsBlank, "IS_BLANK"),
        (Self::IsNotBlank, "IS_NOT_BLANK"),
        (Self::NotContains, "NOT_CONTAINS"),
        (Self::NotEndsWith, "NOT_ENDS_WITH"),
        (Self::NotEquals, "NOT_EQUALS"),
        (Self::NotIn, "NOT_IN"),
        (Self::NotStartsWith, "NOT_STARTS_WITH"),
        (Self::StartsWith, "STARTS_WITH"),
    ];

    /// What a word of `NerdGraph` says.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
    }
}

impl MutingRule {
    /// What New Relic would refuse.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.conditions.is_empty() {
            faults.push("condition.conditions: none; at least one".to_owned());
        }
        faults.extend(self.conditions.iter().flat_map(Test::faults));
        faults.extend(self.schedule.iter().flat_map(Schedule::faults).map(|fault| format!("schedule: {fault}")));
        faults
    }
}

impl Test {
    /// What New Relic would refuse.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !is_attribute(&self.attribute) {
            faults.push(format!("attribute {}; allowed: {}, tags.<NAME>", self.attribute, ATTRIBUTES.join(", ")));
        }
        let (allowed, word) = match self.operator {
            Operator::Any | Operator::IsBlank | Operator::IsNotBlank => (0..=0, "none"),
            Operator::In | Operator::NotIn => (1..=usize::MAX, "1 or more"),
            _ => (1..=1, "1"),
        };
        if !allowed.contains(&self.values.len()) {
            faults.push(format!("values of {}: {}; allowed: {word}", self.attribute, self.values.len()));
        }
        faults
    }
}

/// Whether a muting rule can ask for it.
#[must_use]
pub fn is_attribute(name: &str) -> bool {
    ATTRIBUTES.contains(&name) || name.strip_prefix("tags.").is_some_and(|tag| !tag.is_empty())
}

/// Longest occurrence that is looked for, days.
pub(crate) const DAYS_MAX: i64 = 366;

/// `schedule` of a muting rule.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// `startTime`; none: always was.
    pub start: Option<DateTime>,
    /// `endTime`; none: for ever.
    pub end: Option<DateTime>,
    /// `timeZone`.
    pub zone: TimeZone,
    /// `repeat`.
    pub repeat: Option<Repeat>,
    /// `repeatCount`: so many occurrences.
    pub count: Option<u32>,
    /// `endRepeat`: none begins after it.
    pub end_repeat: Option<DateTime>,
}

/// `repeat`, with `weeklyRepeatDays`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeat {
    /// Every day.
    Daily,
    /// Every week on these days; empty: on the day of the start.
    Weekly(Vec<Weekday>),
    /// Every month on the day of the start.
    Monthly,
}

impl Schedule {
    /// What makes no sense in it.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        match (self.start, self.end) {
            (Some(start), Some(end)) if end <= start => {
                faults.push(format!("endTime {end} is not after startTime {start}"));
            }
            (Some(start), Some(end)) if self.repeat.is_some() && days(start.date(), end.date()) > DAYS_MAX => {
                faults.push(format!("an occurrence is longer than {DAYS_MAX} days"));
            }
            (Some(_), Some(_)) => {}
            _ if self.repeat.is_some() => faults.push("repeat needs startTime and endTime".to_owned()),
            _ => {}
        }
        if self.repeat.is_none() && (self.count.is_some() || self.end_repeat.is_some()) {
            faults.push("repeatCount and endRepeat need repeat".to_owned());
        }
        if self.count.is_some() && self.end_repeat.is_some() {
            faults.push("either repeatCount or endRepeat".to_owned());
        }
        faults
    }
}

/// Whole days from one date to another.
pub(crate) fn days(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}
