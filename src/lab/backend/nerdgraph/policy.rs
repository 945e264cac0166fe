//! Policies of alerts.
//!
//! In: names and incident preferences. Out: policies, page by page. What always holds: ids are never used again; a policy that goes
//! takes its conditions with it; each is an entity of the domain AIOPS, so that it can carry tags.
//!
//! How New Relic says what is wrong with an input is known from reports of its Terraform provider: `A downstream error occurred.`
//! with `downstreamResponse[].extensions.validationErrors[]`, each a `name` and a `reason`. The reasons are ours.

use serde_json::{Map, Value as Json, json};

use super::entity::{Guid, Version, own_tags};
use super::graphql::Fault;
use super::{Arguments, MOST, Session, cursor, input, page, text};

/// Longest name, characters.
const NAME: usize = 128;

/// One policy.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    pub(super) account: u64,
    name: String,
    preference: String,
}

impl Policy {
    fn json(&self, id: u64) -> Json {
        json!({ "accountId": self.account, "id": id.to_string(), "incidentPreference": self.preference, "name": self.name })
    }
}

/// What is wrong with a field of an input: its name, and why.
pub(super) type Wrong = (String, String);

/// The refusal of an input.
pub(super) fn invalid(operation: &str, wrong: &[Wrong]) -> Fault {
    let errors: Vec<Json> = wrong.iter().map(|(name, reason)| json!({ "name": name, "reason": reason })).collect();
    let said = json!([{
        "extensions": { "code": "BAD_USER_INPUT", "validationErrors": errors },
        "message": "Validation Error",
        "path": [operation],
    }]);
    Fault::with("A downstream error occurred.", Map::from_iter([("downstreamResponse".to_owned(), said)]))
}

/// Whether a text has a length; else what is wrong with it.
pub(super) fn length(name: &str, text: &str, least: usize, most: usize) -> Option<Wrong> {
    let has = text.chars().count();
    let reason = || format!("length must be between {least} and {most}");
    (has < least || has > most).then(|| (name.to_owned(), reason()))
}

/// An id among arguments or fields; none if it is no id that was ever given.
pub(super) fn id_of(arguments: &Arguments, name: &str) -> Option<u64> {
    text(arguments, name).parse().ok()
}

pub(super) fn not_found(what: &str, arguments: &Arguments, name: &str) -> Fault {
    Fault::of("NOT_FOUND", format!("Not Found: no {what} with id {:?} in this account", text(arguments, name)))
}

/// Whether a text is what a search asks for: exactly, or, whatever the case, in part.
pub(super) fn is_found(criteria: &Arguments, exact: &str, like: &str, value: &str) -> bool {
    let exactly = criteria.get(exact).and_then(Json::as_str).is_none_or(|wanted| wanted == value);
    let part = criteria.get(like).and_then(Json::as_str);
    exactly && part.is_none_or(|part| value.to_lowercase().contains(&part.trim_matches('%').to_lowercase()))
}

impl Session<'_> {
    /// `policy` of an account.
    pub(super) fn policy(&self, account: u64, arguments: &Arguments) -> Result<Json, Fault> {
        let state = self.state.lock();
        let id = id_of(arguments, "id").unwrap_or_default();
        let found = state.policies.get(&id).filter(|policy| policy.account == account);
        found.map(|policy| policy.json(id)).ok_or_else(|| not_found("policy", arguments, "id"))
    }

    /// `policiesSearch` of an account.
    pub(super) fn policies(&self, account: u64, arguments: &Arguments) -> Result<Json, Fault> {
        let criteria = input(arguments, "searchCriteria");
        let ids = criteria.get("ids").and_then(Json::as_array);
        let state = self.state.lock();
        let found: Vec<Json> = state
            .policies
            .iter()
            .filter(|(_, policy)| policy.account == account && is_found(&criteria, "name", "nameLike", &policy.name))
            .map(|(id, policy)| policy.json(*id))
            .filter(|policy| ids.is_none_or(|ids| policy.get("id").is_some_and(|id| ids.contains(id))))
            .collect();
        let count = found.len();
        let (policies, next) = page(found, cursor(arguments), self.settings.alerts_page)?;
        Ok(json!({ "policies": policies, "nextCursor": next, "totalCount": count }))
    }

    /// `alertsPolicyCreate`.
    pub(super) fn create_policy(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let policy = input(arguments, "policy");
        let policy = Policy {
            account,
            name: text(&policy, "name").to_owned(),
            preference: text(&policy, "incidentPreference").to_owned(),
        };
        let mut state = self.state.lock();
        let mut wrong: Vec<Wrong> = length("name", &policy.name, 1, NAME).into_iter().collect();
        if state.policies.values().filter(|other| other.account == account).count() >= MOST {
            wrong.push(("policy".to_owned(), format!("an account has at most {MOST} policies")));
        }
        if !wrong.is_empty() {
            return Err(invalid("policyCreate", &wrong));
        }
        let id = state.next_id();
        let version = Version { name: policy.name.clone(), tags: own_tags(account), more: Map::new() };
        state.entities.put(&Guid::alerts(account, "POLICY", id), version, self.now_ms, self.settings.entity_delay_ms);
        let told = policy.json(id);
        state.policies.insert(id, policy);
        Ok(told)
    }

    /// `alertsPolicyUpdate`: only what is given changes.
    pub(super) fn update_policy(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let given = input(arguments, "policy");
        let mut state = self.state.lock();
        let id = id_of(arguments, "id").unwrap_or_default();
        let found = state.policies.get(&id).filter(|policy| policy.account == account).cloned();
        let mut policy = found.ok_or_else(|| not_found("policy", arguments, "id"))?;
        if let Some(name) = given.get("name").and_then(Json::as_str) {
            if let Some(wrong) = length("name", name, 1, NAME) {
                return Err(invalid("policyUpdate", &[wrong]));
            }
            name.clone_into(&mut policy.name);
        }
        if let Some(preference) = given.get("incidentPreference").and_then(Json::as_str) {
            preference.clone_into(&mut policy.preference);
        }
        let guid = Guid::alerts(account, "POLICY", id).text();
        if let Some(version) = state.entities.all.get(&guid).and_then(|entity| entity.newest()) {
            let version = Version { name: policy.name.clone(), ..version.clone() };
            state.entities.change(&guid, version, self.now_ms, self.settings.entity_delay_ms);
        }
        let told = policy.json(id);
        state.policies.insert(id, policy);
        Ok(told)
    }

    /// `alertsPolicyDelete`.
    pub(super) fn delete_policy(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let mut state = self.state.lock();
        let id = id_of(arguments, "id").unwrap_or_default();
        if state.policies.get(&id).is_none_or(|policy| policy.account != account) {
            return Err(not_found("policy", arguments, "id"));
        }
        state.policies.remove(&id);
        state.entities.forget(&Guid::alerts(account, "POLICY", id).text());
        let of_it = state.conditions.iter().filter(|(_, condition)| condition.policy == id).map(|(id, _)| *id);
        for condition in of_it.collect::<Vec<_>>() {
            state.conditions.remove(&condition);
            state.entities.forget(&Guid::alerts(account, "CONDITION", condition).text());
        }
        Ok(json!({ "id": id.to_string() }))
    }
}
