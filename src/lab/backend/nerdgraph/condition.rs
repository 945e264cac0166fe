//! NRQL conditions of alerts.
//!
//! In: inputs of static and baseline conditions. Out: conditions as they are read back. What always holds: what is not given at a
//! creation has New Relic's default, what is not given at an update stays, and the whole is judged each time; a condition stays in
//! its policy and of its kind.

use serde_json::{Map, Value as Json, json};

use super::condition_input;
use super::entity::{Guid, Version, own_tags};
use super::graphql::Fault;
use super::policy::{Wrong, id_of, invalid, is_found, not_found};
use super::{Arguments, Session, cursor, input, page, text};

/// Most conditions of a policy and of an account (limits of alerts, copy of 2024; an older one says 500 and 3,700).
const OF_POLICY: usize = 1_000;
const OF_ACCOUNT: usize = 4_000;

/// What kind a condition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Static,
    Baseline,
}

impl Kind {
    fn type_name(self) -> &'static str {
        match self {
            Self::Static => "AlertsNrqlStaticCondition",
            Self::Baseline => "AlertsNrqlBaselineCondition",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::Baseline => "BASELINE",
        }
    }

    fn operation(self, verb: &str) -> String {
        let kind = match self {
            Self::Static => "Static",
            Self::Baseline => "Baseline",
        };
        format!("nrqlCondition{kind}{verb}")
    }
}

/// One condition.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    account: u64,
    pub(super) policy: u64,
    kind: Kind,
    created_ms: i64,
    updated_ms: i64,
    /// The input, whole.
    fields: Map<String, Json>,
}

impl Condition {
    fn json(&self, id: u64) -> Json {
        let mut condition = self.fields.clone();
        let terms = condition.get_mut("terms").and_then(Json::as_array_mut);
        for term in terms.into_iter().flatten().filter_map(Json::as_object_mut) {
            term.insert("__typename".to_owned(), "AlertsNrqlConditionTerms".into());
        }
        for (field, value) in [
            ("__typename", self.kind.type_name().into()),
            ("createdAt", self.created_ms.into()),
            ("entityGuid", Guid::alerts(self.account, "CONDITION", id).text().into()),
            ("id", id.to_string().into()),
            ("policyId", self.policy.to_string().into()),
            ("type", self.kind.word().into()),
            ("updatedAt", self.updated_ms.into()),
        ] {
            condition.insert(field.to_owned(), value);
        }
        Json::Object(condition)
    }

    fn nrql(&self) -> &str {
        self.fields.get("nrql").and_then(|nrql| nrql.get("query")).and_then(Json::as_str).unwrap_or_default()
    }

    fn has_operator(&self, operator: &Json) -> bool {
        let terms = self.fields.get("terms").and_then(Json::as_array);
        terms.into_iter().flatten().any(|term| term.get("operator") == Some(operator))
    }
}

impl Session<'_> {
    /// `nrqlCondition` of an account.
    pub(super) fn condition(&self, account: u64, arguments: &Arguments) -> Result<Json, Fault> {
        let state = self.state.lock();
        let id = id_of(arguments, "id").unwrap_or_default();
        let found = state.conditions.get(&id).filter(|condition| condition.account == account);
        found.map(|condition| condition.json(id)).ok_or_else(|| not_found("condition", arguments, "id"))
    }

    /// `nrqlConditionsSearch` of an account.
    pub(super) fn conditions(&self, account: u64, arguments: &Arguments) -> Result<Json, Fault> {
        let criteria = input(arguments, "searchCriteria");
        let has_policy = criteria.get("policyId").is_some_and(|policy| !policy.is_null());
        let policy = id_of(&criteria, "policyId");
        let operator = criteria.get("termsOperator").filter(|operator| !operator.is_null());
        let state = self.state.lock();
        let found: Vec<Json> = state
            .conditions
            .iter()
            .filter(|(_, condition)| condition.account == account)
            .filter(|(_, condition)| !has_policy || policy == Some(condition.policy))
            .filter(|(_, condition)| operator.is_none_or(|operator| condition.has_operator(operator)))
            .filter(|(_, condition)| is_found(&criteria, "name", "nameLike", text(&condition.fields, "name")))
            .filter(|(_, condition)| is_found(&criteria, "query", "queryLike", condition.nrql()))
            .map(|(id, condition)| condition.json(*id))
            .collect();
        let count = found.len();
        let (conditions, next) = page(found, cursor(arguments), self.settings.alerts_page)?;
        Ok(json!({ "nrqlConditions": conditions, "nextCursor": next, "totalCount": count }))
    }

    /// `alertsNrqlCondition…Create`.
    pub(super) fn create_condition(&mut self, arguments: &Arguments, kind: Kind) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let mut state = self.state.lock();
        let policy = id_of(arguments, "policyId").unwrap_or_default();
        if state.policies.get(&policy).is_none_or(|found| found.account != account) {
            return Err(not_found("policy", arguments, "policyId"));
        }
        let mut fields = input(arguments, "condition");
        condition_input::complete(&mut fields, kind);
        let mut wrong = self.wrong_in(&fields, kind);
        for (most, of, place) in [
            (OF_POLICY, state.conditions.values().filter(|other| other.policy == policy).count(), "a policy"),
            (OF_ACCOUNT, state.conditions.values().filter(|other| other.account == account).count(), "an account"),
        ] {
            if of >= most {
                wrong.push(("condition".to_owned(), format!("{place} has at most {most} conditions")));
            }
        }
        if !wrong.is_empty() {
            return Err(invalid(&kind.operation("Create"), &wrong));
        }
        let id = state.next_id();
        let version = Version { name: text(&fields, "name").to_owned(), tags: own_tags(account), more: Map::new() };
        state.entities.put(&Guid::alerts(account, "CONDITION", id), version, self.now_ms, self.settings.entity_delay_ms);
        let condition = Condition { account, policy, kind, created_ms: self.now_ms, updated_ms: self.now_ms, fields };
        let told = condition.json(id);
        state.conditions.insert(id, condition);
        Ok(told)
    }

    /// `alertsNrqlCondition…Update`: only what is given changes, an input within the input as a whole.
    pub(super) fn update_condition(&mut self, arguments: &Arguments, kind: Kind) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let mut state = self.state.lock();
        let id = id_of(arguments, "id").unwrap_or_default();
        let found = state.conditions.get(&id).filter(|condition| condition.account == account && condition.kind == kind);
        let mut condition = found.cloned().ok_or_else(|| not_found(&format!("{} condition", kind.word()), arguments, "id"))?;
        for (field, value) in input(arguments, "condition") {
            match (condition.fields.get_mut(&field).filter(|_| field == "nrql"), value) {
                // A query without its account keeps it, and the other way round.
                (Some(Json::Object(before)), Json::Object(given)) => before.extend(given),
                (_, value) => drop(condition.fields.insert(field, value)),
            }
        }
        condition_input::complete(&mut condition.fields, kind);
        let wrong = self.wrong_in(&condition.fields, kind);
        if !wrong.is_empty() {
            return Err(invalid(&kind.operation("Update"), &wrong));
        }
        condition.updated_ms = self.now_ms;
        let guid = Guid::alerts(account, "CONDITION", id).text();
        if let Some(version) = state.entities.all.get(&guid).and_then(|entity| entity.newest()) {
            let version = Version { name: text(&condition.fields, "name").to_owned(), ..version.clone() };
            state.entities.change(&guid, version, self.now_ms, self.settings.entity_delay_ms);
        }
        let told = condition.json(id);
        state.conditions.insert(id, condition);
        Ok(told)
    }

    /// `alertsConditionDelete`.
    pub(super) fn delete_condition(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let mut state = self.state.lock();
        let id = id_of(arguments, "id").unwrap_or_default();
        if state.conditions.get(&id).is_none_or(|condition| condition.account != account) {
            return Err(not_found("condition", arguments, "id"));
        }
        state.conditions.remove(&id);
        state.entities.forget(&Guid::alerts(account, "CONDITION", id).text());
        Ok(json!({ "id": id.to_string() }))
    }

    fn wrong_in(&self, fields: &Arguments, kind: Kind) -> Vec<Wrong> {
        let mut wrong = condition_input::wrong(fields, kind);
        let data_account = fields.get("nrql").and_then(|nrql| nrql.get("dataAccountId")).and_then(Json::as_u64);
        if data_account.is_some_and(|account| !self.is_opened(account)) {
            wrong.push(("nrql.dataAccountId".to_owned(), "no such account, or no right to it".to_owned()));
        }
        wrong
    }
}
