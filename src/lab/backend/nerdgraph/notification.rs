//! Where notifications go: destinations and their channels.
//!
//! In: destinations and channels, as New Relic's API takes them. Out: them again without secrets, or the error of the answer. What
//! always holds: credentials are looked at and never kept; a channel fits its destination; a destination that a channel uses stays.
//!
//! Which properties a type needs is a table, from New Relic's Go client and Terraform provider. Not documented and decided here:
//! the wordings, and that every refusal of an input is an `AiNotificationsDataValidationError`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::dashboard::list;
use super::graphql::Fault;
use super::policy::id_of;
use super::{Arguments, MOST, Session, cursor, date_time, input, page, text};

/// E-mail addresses of one destination, paid.
const ADDRESSES: usize = 150;

/// How a destination shows who it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Auth {
    /// Nothing is asked for.
    Any,
    Basic,
    Token,
    Headers,
    /// Made in a browser only.
    Browser,
}

/// What a type of destination needs: properties, credentials, and the channels that may use it.
const DESTINATIONS: [(&str, &[&str], Auth, &[&str]); 14] = [
    ("EMAIL", &["email"], Auth::Any, &["EMAIL"]),
    ("EVENT_BRIDGE", &["AWSAccountId", "AWSRegion"], Auth::Any, &["EVENT_BRIDGE"]),
    ("JIRA", &["url"], Auth::Basic, &["JIRA_CLASSIC", "JIRA_NEXTGEN"]),
    ("MICROSOFT_TEAMS", &["securityCode"], Auth::Any, &["MICROSOFT_TEAMS"]),
    ("MOBILE_PUSH", &["userId"], Auth::Any, &["MOBILE_PUSH"]),
    ("PAGERDUTY_ACCOUNT_INTEGRATION", &[], Auth::Token, &["PAGERDUTY_ACCOUNT_INTEGRATION"]),
    ("PAGERDUTY_SERVICE_INTEGRATION", &[], Auth::Token, &["PAGERDUTY_SERVICE_INTEGRATION"]),
    ("SERVICE_NOW", &["url"], Auth::Basic, &["SERVICENOW_INCIDENTS", "SERVICENOW_EVENTS"]),
    ("SERVICE_NOW_APP", &["url"], Auth::Basic, &["SERVICE_NOW_APP"]),
    ("SLACK", &[], Auth::Browser, &["SLACK"]),
    ("SLACK_COLLABORATION", &[], Auth::Browser, &["SLACK_COLLABORATION"]),
    ("SLACK_LEGACY", &["url"], Auth::Any, &["SLACK_LEGACY"]),
    ("WEBHOOK", &["url"], Auth::Any, &["WEBHOOK"]),
    ("WORKFLOW_AUTOMATION", &[], Auth::Headers, &["WORKFLOW_AUTOMATION"]),
];

/// Most destinations of a type in an account (limits of alerts).
fn most_of(kind: &str) -> usize {
    match kind {
        "EMAIL" | "SLACK" | "SLACK_COLLABORATION" | "SLACK_LEGACY" | "WEBHOOK" => 10_000,
        "PAGERDUTY_SERVICE_INTEGRATION" => 20_000,
        _ => 5_000,
    }
}

/// What a type of channel needs.
const CHANNELS: [(&str, &[&str]); 9] = [
    ("JIRA_CLASSIC", &["project", "issuetype", "summary"]),
    ("JIRA_NEXTGEN", &["project", "issuetype", "summary"]),
    ("MICROSOFT_TEAMS", &["teamId", "channelId"]),
    ("PAGERDUTY_ACCOUNT_INTEGRATION", &["summary", "service", "email"]),
    ("PAGERDUTY_SERVICE_INTEGRATION", &["summary"]),
    ("SLACK", &["channelId"]),
    ("SLACK_COLLABORATION", &["channelId"]),
    ("WEBHOOK", &["payload"]),
    ("WORKFLOW_AUTOMATION", &["workflowAutomation"]),
];

/// One destination, channel or workflow.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) account: u64,
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
    pub(super) fields: Map<String, Json>,
}

impl Record {
    /// With what every record has.
    pub(super) fn json(&self, id: u64) -> Json {
        let mut record = self.fields.clone();
        for (field, value) in [
            ("accountId", self.account.into()),
            ("createdAt", date_time(self.created_ms).into()),
            ("id", id.to_string().into()),
            ("updatedAt", date_time(self.updated_ms).into()),
        ] {
            record.insert(field.to_owned(), value);
        }
        Json::Object(record)
    }
}

/// Records by id.
pub(super) type Records = BTreeMap<u64, Record>;

/// The records of an account that have what `wanted` names, page by page.
pub(super) fn found(
    records: &Records,
    account: u64,
    wanted: &[(&str, Option<&Json>)],
    ids: &[Json],
    arguments: &Arguments,
    size: usize,
) -> Result<Json, Fault> {
    let fits = |record: &Json| {
        let has = |(field, value): &(&str, Option<&Json>)| {
            value.is_none_or(|value| value.is_null() || record.get(*field) == Some(value))
        };
        wanted.iter().all(has) && (ids.is_empty() || record.get("id").is_some_and(|id| ids.contains(id)))
    };
    let of_it = records.iter().filter(|(_, record)| record.account == account);
    let found: Vec<Json> = of_it.map(|(id, record)| record.json(*id)).filter(fits).collect();
    let count = found.len();
    let (entities, next) = page(found, cursor(arguments), size)?;
    Ok(json!({ "entities": entities, "nextCursor": next, "totalCount": count, "error": null }))
}

/// Field and message of what is wrong with an input.
type Wrong = (String, String);

fn told(field: &str, message: impl Into<String>) -> Wrong {
    (field.to_owned(), message.into())
}

fn refused(wrong: &[Wrong]) -> Json {
    let fields: Vec<Json> = wrong.iter().map(|(field, message)| json!({ "field": field, "message": message })).collect();
    json!({ "error": { "__typename": "AiNotificationsDataValidationError", "details": "Invalid input", "fields": fields } })
}

fn error(kind: &str, description: &str) -> Json {
    json!({ "error": { "__typename": "AiNotificationsResponseError", "description": description, "details": description, "type": kind } })
}

/// The value of a property.
fn property<'a>(fields: &'a Arguments, key: &str) -> Option<&'a str> {
    let found = list(fields, "properties").iter().find(|property| property.get("key").is_some_and(|found| found == key));
    found.and_then(|property| property.get("value")).and_then(Json::as_str).filter(|value| !value.is_empty())
}

fn missing(fields: &Arguments, needed: &[&str]) -> Vec<Wrong> {
    let missing = needed.iter().filter(|key| property(fields, key).is_none());
    missing.map(|key| told("properties", format!("the property {key} is missing"))).collect()
}

/// Where it is remembered that a destination has a secret URL, which is not kept; no field of the schema has such a name.
const SECURE: &str = "#secureUrl";

fn wrong_destination(fields: &Arguments, has_credentials: bool) -> Vec<Wrong> {
    let kind = text(fields, "type");
    let Some((_, needed, auth, _)) = DESTINATIONS.iter().find(|(name, ..)| *name == kind) else { return Vec::new() };
    let secure = has_secure_url(fields);
    // The secret end of a URL stands apart.
    let mut wrong = if secure && kind == "WEBHOOK" { Vec::new() } else { missing(fields, needed) };
    if text(fields, "name").is_empty() {
        wrong.push(told("name", "must not be empty"));
    }
    let addresses = property(fields, "email").map_or(0, |email| email.split(',').count());
    if kind == "EMAIL" && addresses > ADDRESSES {
        wrong.push(told("properties", format!("{addresses} e-mail addresses, at most {ADDRESSES}")));
    }
    let given = input(fields, "auth");
    let has = match auth {
        Auth::Any | Auth::Browser => true,
        Auth::Basic => {
            text(&given, "type") != "TOKEN" && (has_credentials || given.get("basic").is_some() || given.get("oauth2").is_some())
        }
        Auth::Token => has_credentials || given.get("token").is_some(),
        Auth::Headers => has_credentials || given.get("customHeaders").is_some(),
    };
    if !has {
        wrong.push(told("auth", format!("a destination of type {kind} needs other credentials")));
    }
    wrong
}

/// Whether a part of its URL is secret: now, or since it was made.
fn has_secure_url(fields: &Arguments) -> bool {
    fields.get("secureUrl").is_some_and(Json::is_object) || fields.contains_key(SECURE)
}

/// A destination as it is kept: without its secrets.
fn kept(mut fields: Map<String, Json>) -> Map<String, Json> {
    if has_secure_url(&fields) {
        fields.insert(SECURE.to_owned(), true.into());
    }
    fields.retain(|field, _| !matches!(field.as_str(), "auth" | "secureUrl" | "disableAuth"));
    let active = fields.entry("active").or_insert(true.into());
    if active.is_null() {
        *active = true.into();
    }
    fields.insert("status".to_owned(), "DEFAULT".into());
    fields
}

impl Session<'_> {
    /// `destinations` and `channels` of an account.
    pub(super) fn notifications(&self, account: u64, name: &str, arguments: &Arguments) -> Result<Json, Fault> {
        let filters = input(arguments, "filters");
        let of = |field: &str| filters.get(field);
        let state = self.state.lock();
        let (records, wanted) = match name {
            "destinations" => (
                &state.destinations,
                vec![("active", of("active")), ("type", of("type")), ("name", of("exactName").or(of("name"))), ("id", of("id"))],
            ),
            _ => (
                &state.channels,
                ["active", "type", "name", "id", "destinationId", "product"].map(|field| (field, of(field))).to_vec(),
            ),
        };
        found(records, account, &wanted, list(&filters, "ids"), arguments, self.settings.alerts_page)
    }

    /// `aiNotificationsCreateDestination`.
    pub(super) fn create_destination(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let fields = input(arguments, "destination");
        let kind = text(&fields, "type");
        if DESTINATIONS.iter().any(|(name, _, auth, _)| *name == kind && *auth == Auth::Browser) {
            return Ok(error("OAUTH_NOT_SUPPORTED", &format!("a destination of type {kind} is made in a browser only")));
        }
        let wrong = wrong_destination(&fields, false);
        if !wrong.is_empty() {
            return Ok(refused(&wrong));
        }
        let mut state = self.state.lock();
        let same = |record: &&Record| record.account == account && text(&record.fields, "type") == kind;
        let most = most_of(kind);
        if state.destinations.values().filter(same).count() >= most {
            return Ok(error("LIMIT_REACHED", &format!("an account has at most {most} destinations of type {kind}")));
        }
        let id = state.next_id();
        let guid = super::entity::Guid::alerts(account, "DESTINATION", id).text();
        let mut fields = kept(fields);
        fields.insert("guid".to_owned(), guid.into());
        let record = Record { account, created_ms: self.now_ms, updated_ms: self.now_ms, fields };
        let told = json!({ "destination": record.json(id), "error": null });
        state.destinations.insert(id, record);
        Ok(told)
    }

    /// `aiNotificationsUpdateDestination`: only what is given changes.
    pub(super) fn update_destination(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let mut state = self.state.lock();
        let id = id_of(arguments, "destinationId").unwrap_or_default();
        let Some(mut record) = state.destinations.get(&id).filter(|record| record.account == account).cloned() else {
            return Ok(no("destination", arguments, "destinationId"));
        };
        let given = input(arguments, "destination");
        let is_bare = given.get("disableAuth") == Some(&Json::Bool(true));
        record.fields.extend(given.into_iter().filter(|(_, value)| !value.is_null()));
        let wrong = wrong_destination(&record.fields, !is_bare);
        if !wrong.is_empty() {
            return Ok(refused(&wrong));
        }
        record = Record { updated_ms: self.now_ms, fields: kept(record.fields), ..record };
        let told = json!({ "destination": record.json(id), "error": null });
        state.destinations.insert(id, record);
        Ok(told)
    }

    /// `aiNotificationsDeleteDestination`.
    pub(super) fn delete_destination(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let mut state = self.state.lock();
        let id = id_of(arguments, "destinationId").unwrap_or_default();
        if state.destinations.get(&id).is_none_or(|record| record.account != account) {
            return Ok(no("destination", arguments, "destinationId"));
        }
        if state.channels.values().any(|channel| text(&channel.fields, "destinationId") == id.to_string()) {
            return Ok(error("ENTITY_IN_USE", &format!("the destination {id} is used by a channel")));
        }
        state.destinations.remove(&id);
        Ok(json!({ "ids": [id.to_string()], "error": null }))
    }

    /// `aiNotificationsCreateChannel`.
    pub(super) fn create_channel(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let fields = input(arguments, "channel");
        let mut state = self.state.lock();
        let destination = id_of(&fields, "destinationId").and_then(|id| state.destinations.get(&id));
        let Some(destination) = destination.filter(|destination| destination.account == account) else {
            return Ok(no("destination", &fields, "destinationId"));
        };
        let (kind, of) = (text(&fields, "type"), text(&destination.fields, "type"));
        let mut wrong = wrong_channel(&fields);
        if !DESTINATIONS.iter().any(|(name, _, _, channels)| *name == of && channels.contains(&kind)) {
            wrong.push(told("type", format!("a channel of type {kind} does not fit a destination of type {of}")));
        }
        if !wrong.is_empty() {
            return Ok(refused(&wrong));
        }
        if state.channels.len() >= MOST {
            return Ok(error("LIMIT_REACHED", &format!("at most {MOST} channels")));
        }
        let id = state.next_id();
        let record = Record { account, created_ms: self.now_ms, updated_ms: self.now_ms, fields: kept(fields) };
        let told = json!({ "channel": record.json(id), "error": null });
        state.channels.insert(id, record);
        Ok(told)
    }

    /// `aiNotificationsUpdateChannel`: only what is given changes.
    pub(super) fn update_channel(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let mut state = self.state.lock();
        let id = id_of(arguments, "channelId").unwrap_or_default();
        let Some(mut record) = state.channels.get(&id).filter(|record| record.account == account).cloned() else {
            return Ok(no("channel", arguments, "channelId"));
        };
        record.fields.extend(input(arguments, "channel").into_iter().filter(|(_, value)| !value.is_null()));
        let wrong = wrong_channel(&record.fields);
        if !wrong.is_empty() {
            return Ok(refused(&wrong));
        }
        record.updated_ms = self.now_ms;
        let told = json!({ "channel": record.json(id), "error": null });
        state.channels.insert(id, record);
        Ok(told)
    }

    /// `aiNotificationsDeleteChannel`.
    pub(super) fn delete_channel(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let mut state = self.state.lock();
        let id = id_of(arguments, "channelId").unwrap_or_default();
        if state.channels.get(&id).is_none_or(|record| record.account != account) {
            return Ok(no("channel", arguments, "channelId"));
        }
        let uses = |workflow: &Record| super::workflow::channels(&workflow.fields).contains(&id);
        if state.workflows.values().any(uses) {
            return Ok(error("ENTITY_IN_USE", &format!("the channel {id} is used by a workflow")));
        }
        state.channels.remove(&id);
        Ok(json!({ "ids": [id.to_string()], "error": null }))
    }
}

fn wrong_channel(fields: &Arguments) -> Vec<Wrong> {
    let kind = text(fields, "type");
    let needed = CHANNELS.iter().find(|(name, _)| *name == kind).map_or(&[] as &[&str], |(_, needed)| needed);
    let mut wrong = missing(fields, needed);
    if text(fields, "name").is_empty() {
        wrong.push(told("name", "must not be empty"));
    }
    wrong
}

fn no(what: &str, arguments: &Arguments, name: &str) -> Json {
    error("INVALID_PARAMETER", &format!("no {what} with id {:?} in this account", text(arguments, name)))
}
