//! Workflows: which issues go to which channels.
//!
//! In: filters and channels. Out: workflows, or the errors of the answer. What always holds: a channel belongs to one workflow; a
//! workflow tells at least that an issue began; a workflow that goes takes its channels with it, if it is not told otherwise.
//!
//! Facts: New Relic's Go client and Terraform provider, limits of alerts. That two workflows of an account have different names is
//! from memory; the error type `DUPLICATE` is New Relic's.

use serde_json::{Map, Value as Json, json};

use super::dashboard::list;
use super::entity::Guid;
use super::graphql::Fault;
use super::notification::{Record, found};
use super::policy::id_of;
use super::{Arguments, Kept, Session, input, text};

/// Workflows of an account, text of a filter, enrichments of a workflow (limits of alerts).
const WORKFLOWS: usize = 1_000;
const FILTER: usize = 4_096;
const ENRICHMENTS: usize = 2;

/// Type and description of what is wrong.
type Wrong = (&'static str, String);

/// The channels that a workflow names.
pub(super) fn channels(fields: &Arguments) -> Vec<u64> {
    let configurations = list(fields, "destinationConfigurations").iter().filter_map(Json::as_object);
    configurations.filter_map(|configuration| id_of(configuration, "channelId")).collect()
}

impl Session<'_> {
    /// `workflows` of an account.
    pub(super) fn workflows(&self, account: u64, arguments: &Arguments) -> Result<Json, Fault> {
        let filters = input(arguments, "filters");
        let state = self.state.lock();
        let wanted = ["id", "name", "workflowEnabled"].map(|field| (field, filters.get(field)));
        let channel = id_of(&filters, "channelId");
        let like = text(&filters, "nameLike").to_lowercase();
        let fits = |record: &&Record| {
            channel.is_none_or(|id| channels(&record.fields).contains(&id))
                && text(&record.fields, "name").to_lowercase().contains(&like)
        };
        let some = state.workflows.iter().filter(|(_, record)| fits(record)).map(|(id, record)| (*id, record.clone())).collect();
        found(&some, account, &wanted, &[], arguments, self.settings.alerts_page)
    }

    /// `aiWorkflowsCreateWorkflow`.
    pub(super) fn create_workflow(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let mut fields = input(arguments, "createWorkflowData");
        let mut state = self.state.lock();
        let mut wrong = wrong(&state, account, None, &fields);
        if state.workflows.values().filter(|workflow| workflow.account == account).count() >= WORKFLOWS {
            wrong.push(("LIMIT_REACHED", format!("an account has at most {WORKFLOWS} workflows")));
        }
        if !wrong.is_empty() {
            return Ok(refused(wrong));
        }
        fields.remove("enrichments");
        for flag in ["destinationsEnabled", "enrichmentsEnabled", "workflowEnabled"] {
            if fields.get(flag).is_none_or(Json::is_null) {
                fields.insert(flag.to_owned(), true.into());
            }
        }
        let id = state.next_id();
        let filter = state.next_id();
        complete(&state, &mut fields, account, filter);
        fields.insert("guid".to_owned(), Guid::alerts(account, "WORKFLOW", id).text().into());
        let record = Record { account, created_ms: self.now_ms, updated_ms: self.now_ms, fields };
        let told = json!({ "workflow": record.json(id), "errors": [] });
        state.workflows.insert(id, record);
        Ok(told)
    }

    /// `aiWorkflowsUpdateWorkflow`: only what is given changes.
    pub(super) fn update_workflow(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let mut given = input(arguments, "updateWorkflowData");
        let mut state = self.state.lock();
        let id = id_of(&given, "id").unwrap_or_default();
        let Some(mut record) = state.workflows.get(&id).filter(|record| record.account == account).cloned() else {
            return Ok(refused(vec![(
                "INVALID_PARAMETER",
                format!("no workflow with id {:?} in this account", text(&given, "id")),
            )]));
        };
        given.remove("id");
        let before = channels(&record.fields);
        for (field, value) in given.into_iter().filter(|(_, value)| !value.is_null()) {
            let value = match field.as_str() {
                "issuesFilter" => value.get("filterInput").cloned().unwrap_or_default(),
                _ => value,
            };
            record.fields.insert(field, value);
        }
        let wrong = wrong(&state, account, Some(id), &record.fields);
        if !wrong.is_empty() {
            return Ok(refused(wrong));
        }
        let filter = state.next_id();
        complete(&state, &mut record.fields, account, filter);
        record.updated_ms = self.now_ms;
        if arguments.get("deleteUnusedChannels") == Some(&Json::Bool(true)) {
            let after = channels(&record.fields);
            state.channels.retain(|id, _| !before.contains(id) || after.contains(id));
        }
        let told = json!({ "workflow": record.json(id), "errors": [] });
        state.workflows.insert(id, record);
        Ok(told)
    }

    /// `aiWorkflowsDeleteWorkflow`.
    pub(super) fn delete_workflow(&mut self, arguments: &Arguments) -> Result<Json, Fault> {
        let account = self.account(arguments)?;
        let mut state = self.state.lock();
        let id = id_of(arguments, "id").unwrap_or_default();
        let Some(workflow) = state.workflows.get(&id).filter(|record| record.account == account).cloned() else {
            let error = json!({ "type": "INVALID_PARAMETER", "description": format!("no workflow with id {:?} in this account", text(arguments, "id")) });
            return Ok(json!({ "id": null, "errors": [error] }));
        };
        if arguments.get("deleteChannels") == Some(&Json::Bool(true)) {
            let of_it = channels(&workflow.fields);
            state.channels.retain(|id, _| !of_it.contains(id));
        }
        state.workflows.remove(&id);
        Ok(json!({ "id": id.to_string(), "errors": [] }))
    }
}

fn refused(wrong: Vec<Wrong>) -> Json {
    let errors: Vec<Json> = wrong.into_iter().map(|(kind, text)| json!({ "type": kind, "description": text })).collect();
    json!({ "workflow": null, "errors": errors })
}

/// What New Relic adds to a workflow: names and types of its channels, ids of its filter.
fn complete(state: &Kept, fields: &mut Map<String, Json>, account: u64, filter_id: u64) {
    let configurations = fields.get_mut("destinationConfigurations").and_then(Json::as_array_mut);
    for configuration in configurations.into_iter().flatten().filter_map(Json::as_object_mut) {
        let channel = id_of(configuration, "channelId").and_then(|id| state.channels.get(&id));
        for field in ["name", "type"] {
            let value = channel.and_then(|channel| channel.fields.get(field)).cloned().unwrap_or_default();
            configuration.insert(field.to_owned(), value);
        }
        if configuration.get("notificationTriggers").is_none_or(Json::is_null) {
            configuration.insert("notificationTriggers".to_owned(), json!(["ACTIVATED", "CLOSED"]));
        }
    }
    if let Some(filter) = fields.get_mut("issuesFilter").and_then(Json::as_object_mut) {
        filter.insert("accountId".to_owned(), account.into());
        filter.entry("id").or_insert(filter_id.to_string().into());
        if text(filter, "name").is_empty() {
            filter.insert("name".to_owned(), format!("filter {filter_id}").into());
        }
    }
}

fn wrong(state: &Kept, account: u64, own: Option<u64>, fields: &Arguments) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let name = text(fields, "name");
    if name.is_empty() {
        wrong.push(("INVALID_PARAMETER", "the name is empty".to_owned()));
    }
    let mut others = state.workflows.iter().filter(|(id, workflow)| Some(**id) != own && workflow.account == account);
    if others.any(|(_, workflow)| text(&workflow.fields, "name") == name) {
        wrong.push(("DUPLICATE", format!("there is a workflow named {name:?}")));
    }
    let filter = input(fields, "issuesFilter");
    if list(&filter, "predicates").is_empty() {
        wrong.push(("INVALID_PARAMETER", "issuesFilter has no predicate".to_owned()));
    }
    let length = Json::from(list(&filter, "predicates").to_vec()).to_string().chars().count();
    if length > FILTER {
        wrong.push(("LIMIT_REACHED", format!("the filter has {length} characters, at most {FILTER}")));
    }
    let enrichments = list(&input(fields, "enrichments"), "nrql").len();
    if enrichments > ENRICHMENTS {
        wrong.push(("LIMIT_REACHED", format!("{enrichments} enrichments, at most {ENRICHMENTS}")));
    }
    let named = list(fields, "destinationConfigurations");
    if named.is_empty() {
        wrong.push(("INVALID_PARAMETER", "destinationConfigurations is empty".to_owned()));
    }
    for configuration in named.iter().filter_map(Json::as_object) {
        let id = text(configuration, "channelId");
        let channel = id_of(configuration, "channelId").and_then(|id| Some((id, state.channels.get(&id)?)));
        match channel.filter(|(_, channel)| channel.account == account) {
            None => wrong.push(("CHANNEL_NOT_FOUND", format!("no channel with id {id:?} in this account"))),
            Some((_, channel)) if text(&channel.fields, "product") != "IINT" => {
                wrong.push(("UNSUPPORTED_CHANNEL_TYPE", format!("the channel {id} is not of the product IINT")));
            }
            Some((id, _)) => {
                let used = |(other, workflow): (&u64, &Record)| Some(*other) != own && channels(&workflow.fields).contains(&id);
                if state.workflows.iter().any(used) {
                    wrong.push(("VALIDATION_ERROR", format!("the channel {id} belongs to another workflow")));
                }
            }
        }
        let triggers = configuration.get("notificationTriggers").and_then(Json::as_array);
        if triggers.is_some_and(|triggers| !triggers.contains(&json!("ACTIVATED"))) {
            wrong.push(("INVALID_PARAMETER", format!("the notificationTriggers of channel {id} lack ACTIVATED")));
        }
    }
    wrong
}
