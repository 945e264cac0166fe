//! Files of muting rules: which incidents page nobody, in a YAML form of `alertsMutingRuleCreate`'s input.
//!
//! In: YAML files, each a list of rules. Out: [`MutingRule`]s in the order of the files, or everything that is wrong with them. What
//! always holds: keys and words are New Relic's; an unknown one is a fault with file, line and what is allowed; a file that cannot be
//! read keeps no other from being read.

use std::collections::BTreeMap;

use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use super::lint::{Finding, unreadable};
use super::source::of_words;
use crate::nrql::muting::{ATTRIBUTES, MutingRule, Operator, Repeat, Schedule, Test, is_attribute};
use crate::publish::dashboard::read;

/// Longest name, characters: that of policies; New Relic documents none.
const NAME_MAX: usize = 128;

/// Reads files: name and text of each.
///
/// # Errors
/// Everything that is wrong.
pub fn muting_rules(files: impl IntoIterator<Item = (String, String)>) -> Result<Vec<MutingRule>, Vec<Finding>> {
    let texts: BTreeMap<String, String> = files.into_iter().collect();
    let (mut rules, mut findings) = (Vec::new(), Vec::new());
    for file in texts.keys() {
        match read::<Vec<Spanned<RuleSource>>>(&texts, file) {
            Err(error) => findings.push(unreadable(&error)),
            Ok(sources) => {
                for source in sources {
                    findings.extend(faults(&source, file));
                    rules.push(source.value.model());
                }
            }
        }
    }
    if findings.is_empty() { Ok(rules) } else { Err(findings) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RuleSource {
    name: String,
    enabled: bool,
    #[serde(default, rename = "description")]
    _description: Option<IgnoredAny>,
    condition: ConditionSource,
    #[serde(default)]
    schedule: Option<Spanned<ScheduleSource>>,
    /// `actionOnMutingRuleWindowEnded`.
    #[serde(default, rename = "actionOnMutingRuleWindowEnded", deserialize_with = "closes")]
    closes: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionSource {
    #[serde(rename = "operator", deserialize_with = "all")]
    all: bool,
    conditions: Vec<Spanned<TestSource>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestSource {
    #[serde(deserialize_with = "attribute")]
    attribute: String,
    #[serde(deserialize_with = "operator")]
    operator: Operator,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ScheduleSource {
    #[serde(default)]
    start_time: Option<Local>,
    #[serde(default)]
    end_time: Option<Local>,
    #[serde(deserialize_with = "zone")]
    time_zone: TimeZone,
    #[serde(default)]
    repeat: Option<RepeatWord>,
    #[serde(default)]
    repeat_count: Option<u32>,
    #[serde(default)]
    end_repeat: Option<Local>,
    #[serde(default)]
    weekly_repeat_days: Option<Vec<Day>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RepeatWord {
    Daily,
    Weekly,
    Monthly,
}

/// A time on the wall.
struct Local(DateTime);

struct Day(Weekday);

/// What is wrong with a rule whose every word can be read.
fn faults(rule: &Spanned<RuleSource>, file: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tell = |line: u64, key: &str, message: String| {
        let line = usize::try_from(line).unwrap_or_default();
        findings.push(Finding { file: file.to_owned(), line, key: key.to_owned(), message });
    };
    let line = rule.referenced.line();
    let length = rule.value.name.chars().count();
    if !(1..=NAME_MAX).contains(&length) {
        tell(line, "name", format!("{length} characters; allowed: 1 to {NAME_MAX}"));
    }
    if rule.value.condition.conditions.is_empty() {
        tell(line, "condition.conditions", "none; at least one".to_owned());
    }
    for test in &rule.value.condition.conditions {
        for fault in test.value.model().faults() {
            tell(test.referenced.line(), "condition.conditions", fault);
        }
    }
    if let Some(schedule) = &rule.value.schedule {
        let line = schedule.referenced.line();
        for fault in schedule.value.model().faults() {
            tell(line, "schedule", fault);
        }
        if schedule.value.weekly_repeat_days.is_some() && schedule.value.repeat != Some(RepeatWord::Weekly) {
            tell(line, "schedule", "weeklyRepeatDays needs repeat: WEEKLY".to_owned());
        }
    }
    findings
}

impl RuleSource {
    fn model(self) -> MutingRule {
        MutingRule {
            name: self.name,
            enabled: self.enabled,
            all: self.condition.all,
            conditions: self.condition.conditions.iter().map(|test| test.value.model()).collect(),
            schedule: self.schedule.map(|schedule| schedule.value.model()),
            closes: self.closes,
        }
    }
}

impl TestSource {
    fn model(&self) -> Test {
        Test { attribute: self.attribute.clone(), operator: self.operator, values: self.values.clone() }
    }
}

impl ScheduleSource {
    fn model(&self) -> Schedule {
        let days = || self.weekly_repeat_days.iter().flatten().map(|Day(day)| *day).collect();
        let local = |local: &Option<Local>| local.as_ref().map(|Local(local)| *local);
        Schedule {
            start: local(&self.start_time),
            end: local(&self.end_time),
            zone: self.time_zone.clone(),
            repeat: self.repeat.map(|repeat| match repeat {
                RepeatWord::Daily => Repeat::Daily,
                RepeatWord::Weekly => Repeat::Weekly(days()),
                RepeatWord::Monthly => Repeat::Monthly,
            }),
            count: self.repeat_count,
            end_repeat: local(&self.end_repeat),
        }
    }
}

fn all<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    of_words(deserializer, &[(true, "AND"), (false, "OR")])
}

fn closes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    of_words(deserializer, &[(true, "CLOSE_ISSUES_ON_INACTIVE"), (false, "DO_NOTHING")])
}

fn operator<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Operator, D::Error> {
    of_words(deserializer, Operator::WORDS)
}

fn attribute<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if is_attribute(&name) {
        return Ok(name);
    }
    Err(D::Error::custom(format!("attribute `{name}`; allowed: {}, tags.<NAME>", ATTRIBUTES.join(", "))))
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(deserializer)?;
    let wrong = |_| D::Error::custom(format!("timeZone `{name}`; allowed: a name of the IANA database, as Asia/Tokyo"));
    TimeZone::get(&name).map_err(wrong)
}

impl<'de> Deserialize<'de> for Local {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format!("`{text}`; allowed: a local time without offset, as 2026-03-02T22:00:00"));
        // An offset would be read over in silence.
        let has_offset =
            text.ends_with(['Z', 'z']) || text.contains('+') || text.get(10..).is_some_and(|time| time.contains('-'));
        if has_offset {
            return Err(wrong());
        }
        text.parse().map(Self).map_err(|_| wrong())
    }
}

impl<'de> Deserialize<'de> for RepeatWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        of_words(deserializer, &[(Self::Daily, "DAILY"), (Self::Weekly, "WEEKLY"), (Self::Monthly, "MONTHLY")])
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WORDS: &[(Weekday, &str)] = &[
            (Weekday::Monday, "MONDAY"),
            (Weekday::Tuesday, "TUESDAY"),
            (Weekday::Wednesday, "WEDNESDAY"),
            (Weekday::Thursday, "THURSDAY"),
            (Weekday::Friday, "FRIDAY"),
            (Weekday::Saturday, "SATURDAY"),
            (Weekday::Sunday, "SUNDAY"),
        ];
        of_words(deserializer, WORDS).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIGHTS: &str = "\
- name: Nights in dev
  description: Nobody is up.
  enabled: true
  condition:
    operator: AND
    conditions:
      - { attribute: tags.account, operator: IN, values: [dev, test] }
      - { attribute: policyName, operator: IS_NOT_BLANK }
  schedule:
    startTime: 2026-03-02T22:00:00
    endTime: 2026-03-03T06:00:00
    timeZone: Asia/Tokyo
    repeat: WEEKLY
    repeatCount: 3
    weeklyRepeatDays: [MONDAY, FRIDAY]
  actionOnMutingRuleWindowEnded: CLOSE_ISSUES_ON_INACTIVE
- name: Never
  enabled: false
  condition: { operator: OR, conditions: [{ attribute: conditionName, operator: EQUALS, values: [Root used] }] }
";

    fn rules(text: &str) -> Result<Vec<MutingRule>, String> {
        let told = |findings: Vec<Finding>| findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        muting_rules([("quiet.yml".to_owned(), text.to_owned())]).map_err(told)
    }

    #[test]
    fn rules_are_read_in_new_relics_words() {
        let rules = rules(NIGHTS).expect("rules");
        assert_eq!(rules.len(), 2);
        assert!(rules[0].enabled && rules[0].all && rules[0].closes);
        assert!(!rules[1].enabled && !rules[1].all && !rules[1].closes && rules[1].schedule.is_none());
        assert_eq!(
            (rules[0].conditions[0].operator, &*rules[0].conditions[0].values),
            (Operator::In, &["dev".to_owned(), "test".to_owned()][..])
        );
        assert_eq!(rules[0].conditions[1].values, [] as [String; 0]);
        let schedule = rules[0].schedule.as_ref().expect("a schedule");
        assert_eq!(schedule.zone.iana_name(), Some("Asia/Tokyo"));
        assert_eq!(schedule.start.map(|start| start.to_string()).as_deref(), Some("2026-03-02T22:00:00"));
        assert_eq!(schedule.repeat, Some(Repeat::Weekly(vec![Weekday::Monday, Weekday::Friday])));
        assert_eq!(schedule.count, Some(3));
    }

    /// A wrong file says where, what, and what is allowed.
    #[test]
    fn a_fault_has_its_line_and_what_is_allowed() {
        for (right, wrong, says) in [
            ("enabled: true", "enable: true", "quiet.yml:3: yaml: "),
            ("operator: AND", "operator: XOR", "quiet.yml:5: yaml: `XOR`; allowed: AND, OR"),
            ("operator: IN,", "operator: LIKE,", "quiet.yml:7: yaml: `LIKE`; allowed: ANY, CONTAINS, "),
            ("tags.account", "account", "quiet.yml:7: yaml: attribute `account`; allowed: accountId, "),
            ("values: [dev, test]", "values: []", "quiet.yml:7: condition.conditions: values of tags.account: 0; allowed: 1"),
            ("IS_NOT_BLANK", "EQUALS", "quiet.yml:8: condition.conditions: values of policyName: 0; allowed: 1"),
            ("2026-03-02T22:00:00", "2026-03-02T22:00:00Z", "quiet.yml:10: yaml: `2026-03-02T22:00:00Z`; allowed: a local time"),
            ("endTime: 2026-03-03", "endTime: 2026-03-01", "quiet.yml:10: schedule: endTime "),
            ("Asia/Tokyo", "Tokyo", "quiet.yml:12: yaml: timeZone `Tokyo`; allowed: a name of the IANA database"),
            ("repeat: WEEKLY", "repeat: YEARLY", "quiet.yml:13: yaml: `YEARLY`; allowed: DAILY, WEEKLY, MONTHLY"),
            ("repeat: WEEKLY", "repeat: DAILY", "quiet.yml:10: schedule: weeklyRepeatDays needs repeat: WEEKLY"),
            ("[MONDAY, FRIDAY]", "[MON]", "quiet.yml:15: yaml: `MON`; allowed: MONDAY, "),
            ("CLOSE_ISSUES_ON_INACTIVE", "CLOSE", "quiet.yml:16: yaml: `CLOSE`; allowed: CLOSE_ISSUES_ON_INACTIVE, DO_NOTHING"),
            ("name: Never", "name: ''", "quiet.yml:17: name: 0 characters; allowed: 1 to 128"),
        ] {
            let text = NIGHTS.replacen(right, wrong, 1);
            let told = rules(&text).expect_err(wrong);
            assert!(told.starts_with(says), "{wrong}:\n{told}\nnot\n{says}");
        }
    }

    #[test]
    fn all_files_are_told_at_once() {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let found = muting_rules([file("a.yml", "name: x"), file("b.yml", NIGHTS), file("c.yml", "- { name: x }")]);
        let files: Vec<String> = found.expect_err("two files").into_iter().map(|finding| finding.file).collect();
        assert_eq!(files, ["a.yml", "c.yml"]);
    }
}
