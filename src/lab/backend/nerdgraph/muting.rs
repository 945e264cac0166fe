//! Muting rules of alerts.
//!
//! In: conditions on incidents and a schedule. Out: rules with their status of the moment. What always holds: attributes and the
//! number of values are those that New Relic documents; what is not given at an update stays. Whether a rule with a schedule is on
//! is not worked out: it is `SCHEDULED` while it is enabled.

use serde_json::{Map, Value as Json, json};

use super::graphql::Fault;
use super::policy::{Wrong, id_of, invalid, length, not_found};
use super::{Arguments, MOST, Session, date_time, input, text};
use crate::nrql::muting::{ATTRIBUTES, is_attribute};

/// Longest name, characters: that of policies; New Relic documents none.
const NAME: usize = 128;

/// One rule.
#[derive(Debug, Clone)]
pub(super) struct MutingRule {
    account: u64,
    created_ms: i64,
    updated_ms: i64,
    fields: Map<String, Json>,
}

impl MutingRule {
    fn is_enabled(&self) -> bool {
        self.fields.get("enabled") == Some(&Json::Bool(true))
    }

    fn json(&self, id: u64) -> Json {
        let mut rule = self.fields.clone();
        let has_schedule = rule.get("schedule").is_some_and(Json::is_object);
        let status = match (self.is_enabled(), has_schedule) {
            (false, _) => "INACTIVE",
            (true, true) => "SCHEDULED",
            (true, false) => "ACTIVE",
        };
        for (field, value) in [
            ("accountId", self.account.into()),
            ("createdAt", date_time(self.created_ms).into()),
            ("id", id.to_string().into()),
            ("status", status.into()),
            ("updatedAt", date_time(self.updated_ms).into()),
        ] {
            rule.insert(field.to_owned(), value);
        }
        Json::Object(rule)
    }
}

impl Session<'_> {
    /// `mutingRule` of an account.
    pub(super) fn muting_rule(&self, account: u64, arguments: &Arguments) -> Result<Json, Fault> {
        let state = self.state.lock();
        let id = id_of(arguments, "id").unwrap_or_default();
        let found = state.muting_rules.get(&id).filter(|rule| rule.account == account);
        found.map(|rule| rule.json(id)).ok_or_else(|| not_found("muting rule", arguments, "id"))
    }

    /// `mutingRules` of an account.
    pub(super) fn muting_rules(&self, account: u64, arguments: &Arguments) -> Json {
        let enabled = input(arguments, "filter").get("enabled").and_then(Json::as_bool);
        let state = self.state.lock();
        let rules = state.muting_rules.iter().filter(|(_, rule)| rule.account == account);
        rules
            .filter(|(_, rule)| enabled.is_none_or(|enabled| enabled == rule.is_enabled()))
            .map(|(id, rule)| rule.json(*id))
            .collect()
    }

    /// `alertsMutingRuleCreate`.
    pub(super) fn create_muting_rule(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let fields = input(arguments, "rule");
        let mut state = self.state.lock();
        let mut wrong = wrong(&fields);
        if state.muting_rules.len() >= MOST {
            wrong.push(("rule".to_owned(), format!("there are {MOST} rules already")));
        }
        if !wrong.is_empty() {
            return Err(invalid("mutingRuleCreate", &wrong));
        }
        let id = state.next_id();
        let rule = MutingRule { account, created_ms: self.now_ms, updated_ms: self.now_ms, fields };
        let told = rule.json(id);
        state.muting_rules.insert(id, rule);
        Ok(told)
    }

    /// `alertsMutingRuleUpdate`: only what is given changes.
    pub(super) fn update_muting_rule(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let mut state = self.state.lock();
        let id = id_of(arguments, "id").unwrap_or_default();
        let found = state.muting_rules.get(&id).filter(|rule| rule.account == account).cloned();
        let mut rule = found.ok_or_else(|| not_found("muting rule", arguments, "id"))?;
        rule.fields.extend(input(arguments, "rule"));
        let wrong = wrong(&rule.fields);
        if !wrong.is_empty() {
            return Err(invalid("mutingRuleUpdate", &wrong));
        }
        rule.updated_ms = self.now_ms;
        let told = rule.json(id);
        state.muting_rules.insert(id, rule);
        Ok(told)
    }

    /// `alertsMutingRuleDelete`.
    pub(super) fn delete_muting_rule(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let mut state = self.state.lock();
        let id = id_of(arguments, "id").unwrap_or_default();
        if state.muting_rules.get(&id).is_none_or(|rule| rule.account != account) {
            return Err(not_found("muting rule", arguments, "id"));
        }
        state.muting_rules.remove(&id);
        Ok(json!({ "id": id.to_string() }))
    }
}

fn wrong(fields: &Arguments) -> Vec<Wrong> {
    let mut wrong: Vec<Wrong> = length("name", text(fields, "name"), 1, NAME).into_iter().collect();
    let condition = input(fields, "condition");
    let conditions = condition.get("conditions").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    if conditions.is_empty() {
        wrong.push(("condition.conditions".to_owned(), "must hold at least one condition".to_owned()));
    }
    for condition in conditions.iter().filter_map(Json::as_object) {
        let attribute = text(condition, "attribute");
        if !is_attribute(attribute) {
            let reason = format!("{attribute:?} must be tags.<name> or one of {}", ATTRIBUTES.join(", "));
            wrong.push(("condition.conditions[].attribute".to_owned(), reason));
        }
        let values = condition.get("values").and_then(Json::as_array).map_or(0, Vec::len);
        let reason = match (text(condition, "operator"), values) {
            ("ANY" | "IS_BLANK" | "IS_NOT_BLANK", 0) | ("IN" | "NOT_IN", 1..) => continue,
            ("ANY" | "IS_BLANK" | "IS_NOT_BLANK", _) => "must be empty for this operator",
            ("IN" | "NOT_IN", _) => "must hold at least one value",
            (_, 1) => continue,
            (_, _) => "must hold exactly one value",
        };
        wrong.push(("condition.conditions[].values".to_owned(), reason.to_owned()));
    }
    let schedule = input(fields, "schedule");
    let (repeats, times) = (schedule.get("repeatCount"), schedule.get("endRepeat"));
    if repeats.is_some_and(|count| !count.is_null()) && times.is_some_and(|end| !end.is_null()) {
        wrong.push(("schedule".to_owned(), "must hold repeatCount or endRepeat, not both".to_owned()));
    }
    if text(&schedule, "repeat") != "WEEKLY" && schedule.get("weeklyRepeatDays").is_some_and(|days| !days.is_null()) {
        wrong.push(("schedule.weeklyRepeatDays".to_owned(), "must only be set when repeat is WEEKLY".to_owned()));
    }
    wrong
}
