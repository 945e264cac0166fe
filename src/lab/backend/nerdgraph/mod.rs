//! `NerdGraph`, as far as this product uses it: NRQL, dashboards, entities and their tags, alerts.
//!
//! In: `POST /graphql` with a document and variables. Out: New Relic's answers: HTTP 200 with `errors` beside `data` for what cannot
//! be, and inside the answer of a mutation for what New Relic reports there. What always holds: the schema in `schema/` says what
//! can be asked, and everything in it is answered; a key opens the accounts that have it as their user key, and no other account is
//! read or changed; everything is in memory and bounded, by [`MOST`] or a limit of New Relic's; equal requests in equal order give equal ids.
//!
//! | file | answers |
//! | --- | --- |
//! | `graphql/` | GraphQL as such: reads, checks, runs |
//! | `nrql` | NRQL over one account or several, at once or later |
//! | `entity`, `search`, `tag` | what exists, who finds it, how it is marked |
//! | `dashboard`, `widget` | dashboards, and what is refused in them |
//! | `policy`, `condition`, `condition_input`, `muting` | alerts, and what is refused in them |
//! | `notification`, `workflow` | destinations, channels, and which issues go there |
//!
//! Where New Relic's documentation is silent, [`NerdGraphSettings`] decides; what is from memory says so.

mod condition;
mod condition_input;
mod dashboard;
mod entity;
mod graphql;
mod muting;
mod notification;
mod nrql;
mod page;
mod policy;
mod search;
mod settings;
mod tag;
mod widget;
mod workflow;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value as Json, json};

use super::server::{Answer, header_text};
use super::settings::Account;
use super::store::Store;
use graphql::{Fault, Resolve, Schema};
use page::{cursor, page};
pub use settings::{NerdGraphSettings, TooMany};

/// What may be asked.
const SCHEMA: &str = concat!(
    include_str!("schema/query.graphql"),
    include_str!("schema/entities.graphql"),
    include_str!("schema/alerts.graphql"),
    include_str!("schema/notifications.graphql")
);

/// Read once; a fault in it is found by a test.
static READ: LazyLock<Schema> = LazyLock::new(|| Schema::read(SCHEMA).unwrap_or_default());

/// Most objects of one kind that are kept. New Relic's own limit is 10,000 policies an account.
const MOST: usize = 10_000;

/// The account whose user key the request carries.
///
/// # Errors
///
/// 401 with `BAD_API_KEY`. That it is a 401 is from memory; the error code is what New Relic's own client looks at.
pub(super) fn find_account<'a>(accounts: &'a [Account], headers: &HeaderMap) -> Result<&'a Account, Answer> {
    header_text(headers, "api-key").and_then(|key| accounts.iter().find(|account| account.user_key.expose() == key)).ok_or_else(
        || {
            let error = json!({ "message": "The API key provided is invalid", "extensions": { "error_code": "BAD_API_KEY" } });
            Answer::new(StatusCode::UNAUTHORIZED, json!({ "errors": [error] }))
        },
    )
}

/// What is kept between requests.
#[derive(Debug, Default)]
pub(super) struct State {
    kept: Mutex<Kept>,
    /// Requests under way, by user key.
    running: Arc<Mutex<BTreeMap<String, usize>>>,
}

#[derive(Debug, Default)]
struct Kept {
    entities: entity::Entities,
    policies: BTreeMap<u64, policy::Policy>,
    conditions: BTreeMap<u64, condition::Condition>,
    muting_rules: BTreeMap<u64, muting::MutingRule>,
    destinations: notification::Records,
    channels: notification::Records,
    workflows: notification::Records,
    queries: nrql::Queries,
    rates: nrql::Rates,
    ids: u64,
}

impl Kept {
    /// An id that nothing has yet.
    fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics with it in its hand.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request that begins; what is given counts its end.
    ///
    /// # Errors
    ///
    /// The refusal of a user who has too many under way.
    pub(super) fn begin(&self, user: &Account, settings: &NerdGraphSettings) -> Result<Running, Answer> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.entry(user.user_key.expose().to_owned()).or_default();
        if *count >= settings.concurrent_requests {
            let message = format!("Too many requests: more than {} at once by one user", settings.concurrent_requests);
            let error = json!({ "message": message, "extensions": { "errorClass": "TOO_MANY_REQUESTS" } });
            let status = match settings.too_many {
                TooMany::Status => StatusCode::TOO_MANY_REQUESTS,
                TooMany::Body => StatusCode::OK,
            };
            return Err(Answer::new(status, json!({ "errors": [error] })));
        }
        *count += 1;
        Ok(Running { running: Arc::clone(&self.running), key: user.user_key.expose().to_owned() })
    }
}

/// A request under way.
pub(super) struct Running {
    running: Arc<Mutex<BTreeMap<String, usize>>>,
    key: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(count) = self.running.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&self.key) {
            *count = count.saturating_sub(1);
        }
    }
}

/// Who asks, and what there is to ask about.
pub(super) struct Asked<'a> {
    pub(super) accounts: &'a [Account],
    pub(super) user: &'a Account,
    pub(super) settings: &'a NerdGraphSettings,
    pub(super) store: &'a Store,
    pub(super) now_ms: i64,
    /// How long queries take, milliseconds of the stand-in's clock.
    pub(super) slow_ms: i64,
}

/// Answers one request.
pub(super) fn answer(asked: Asked<'_>, state: &State, body: &[u8]) -> Answer {
    match serde_json::from_slice(body) {
        Ok(posted) => {
            let Asked { accounts, user, settings, store, now_ms, slow_ms } = asked;
            let mut session = Session { accounts, user, settings, store, now_ms, slow_ms, state, spent: nrql::Spent::nothing() };
            Answer::new(StatusCode::OK, graphql::answer(&READ, posted, &mut session))
        }
        Err(error) => Answer::new(StatusCode::BAD_REQUEST, json!({ "errors": [{ "message": error.to_string() }] })),
    }
}

/// One request on its way through its fields.
struct Session<'a> {
    accounts: &'a [Account],
    user: &'a Account,
    settings: &'a NerdGraphSettings,
    store: &'a Store,
    now_ms: i64,
    slow_ms: i64,
    state: &'a State,
    spent: nrql::Spent,
}

type Arguments = Map<String, Json>;

impl Resolve for Session<'_> {
    fn field(&mut self, on: &str, parent: &Json, name: &str, arguments: &Arguments) -> Result<Option<Json>, Fault> {
        match on {
            "RootQueryType" => Ok(Some(json!({}))),
            "Actor" => self.of_actor(name, arguments).map(Some),
            "Account" => self.of_account(parent, name, arguments),
            "AiNotificationsAccountStitchedFields" => self.notifications(account_of(parent), name, arguments).map(Some),
            "AiWorkflowsAccountStitchedFields" => self.workflows(account_of(parent), arguments).map(Some),
            "AlertsAccountStitchedFields" => self.of_alerts(parent, name, arguments).map(Some),
            "DashboardWidget" if name == "linkedEntities" => Ok(Some(self.linked(parent))),
            "EntitySearch" => search::of_search(parent, name, arguments),
            "RootMutationType" => self.change(name, arguments).map(Some),
            _ => Ok(None),
        }
    }
}

impl Session<'_> {
    fn of_actor(&mut self, name: &str, arguments: &Arguments) -> Result<Json, Fault> {
        match name {
            "user" => Ok(user()),
            "accounts" => Ok(self.opened().map(|account| outline(account.id)).collect()),
            "account" => {
                let id = self.account(arguments)?;
                Ok(outline(id))
            }
            "nrql" => {
                let accounts = self.several(arguments)?;
                self.nrql(&accounts, arguments)
            }
            "nrqlQueryProgress" => {
                let accounts = self.several(arguments)?;
                self.progress(&accounts, arguments)
            }
            "entity" => Ok(self.entity(text(arguments, "guid"))),
            "entities" => {
                let guids = arguments.get("guids").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
                Ok(guids.iter().map(|guid| self.entity(guid.as_str().unwrap_or_default())).collect())
            }
            _ => self.entity_search(arguments),
        }
    }

    fn of_account(&mut self, account: &Json, name: &str, arguments: &Arguments) -> Result<Option<Json>, Fault> {
        let id = account.get("id").and_then(Json::as_u64).unwrap_or_default();
        match name {
            "nrql" => self.nrql(&[id], arguments).map(Some),
            "nrqlQueryProgress" => self.progress(&[id], arguments).map(Some),
            "alerts" | "aiNotifications" | "aiWorkflows" => Ok(Some(json!({ "accountId": id }))),
            _ => Ok(None),
        }
    }

    fn of_alerts(&mut self, alerts: &Json, name: &str, arguments: &Arguments) -> Result<Json, Fault> {
        let account = account_of(alerts);
        match name {
            "policy" => self.policy(account, arguments),
            "policiesSearch" => self.policies(account, arguments),
            "nrqlCondition" => self.condition(account, arguments),
            "nrqlConditionsSearch" => self.conditions(account, arguments),
            "mutingRule" => self.muting_rule(account, arguments),
            _ => Ok(self.muting_rules(account, arguments)),
        }
    }

    /// A mutation.
    fn change(&mut self, name: &str, arguments: &Arguments) -> Result<Json, Fault> {
        match name {
            "dashboardCreate" => self.create_dashboard(arguments),
            "dashboardUpdate" => Ok(self.update_dashboard(arguments)),
            "dashboardDelete" => Ok(self.delete_dashboard(arguments)),
            "dashboardUndelete" => Ok(self.undelete_dashboard(arguments)),
            "taggingAddTagsToEntity" => Ok(self.change_tags(arguments, tag::Change::Add)),
            "taggingReplaceTagsOnEntity" => Ok(self.change_tags(arguments, tag::Change::Replace)),
            "taggingDeleteTagFromEntity" => Ok(self.change_tags(arguments, tag::Change::DeleteKeys)),
            "taggingDeleteTagValuesFromEntity" => Ok(self.change_tags(arguments, tag::Change::DeleteValues)),
            "alertsPolicyCreate" => self.create_policy(arguments),
            "alertsPolicyUpdate" => self.update_policy(arguments),
            "alertsPolicyDelete" => self.delete_policy(arguments),
            "alertsNrqlConditionStaticCreate" => self.create_condition(arguments, condition::Kind::Static),
            "alertsNrqlConditionStaticUpdate" => self.update_condition(arguments, condition::Kind::Static),
            "alertsNrqlConditionBaselineCreate" => self.create_condition(arguments, condition::Kind::Baseline),
            "alertsNrqlConditionBaselineUpdate" => self.update_condition(arguments, condition::Kind::Baseline),
            "alertsConditionDelete" => self.delete_condition(arguments),
            "alertsMutingRuleCreate" => self.create_muting_rule(arguments),
            "alertsMutingRuleUpdate" => self.update_muting_rule(arguments),
            "alertsMutingRuleDelete" => self.delete_muting_rule(arguments),
            "aiNotificationsCreateDestination" => self.create_destination(arguments),
            "aiNotificationsUpdateDestination" => self.update_destination(arguments),
            "aiNotificationsDeleteDestination" => self.delete_destination(arguments),
            "aiNotificationsCreateChannel" => self.create_channel(arguments),
            "aiNotificationsUpdateChannel" => self.update_channel(arguments),
            "aiNotificationsDeleteChannel" => self.delete_channel(arguments),
            "aiWorkflowsCreateWorkflow" => self.create_workflow(arguments),
            "aiWorkflowsUpdateWorkflow" => self.update_workflow(arguments),
            _ => self.delete_workflow(arguments),
        }
    }

    /// The accounts that the key opens.
    fn opened(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter(|account| account.user_key == self.user.user_key)
    }

    fn is_opened(&self, id: u64) -> bool {
        self.opened().any(|account| account.id == id)
    }

    /// The account that `id` or `accountId` names. One that exists is refused like one that does not.
    fn account(&self, arguments: &Arguments) -> Result<u64, Fault> {
        let id = ["id", "accountId"].iter().rev().find_map(|name| arguments.get(*name)).and_then(Json::as_u64);
        id.filter(|id| self.is_opened(*id)).ok_or_else(no_account)
    }

    /// The accounts that `accounts` names, each once.
    fn several(&self, arguments: &Arguments) -> Result<Vec<u64>, Fault> {
        let named = arguments.get("accounts").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let most = self.settings.accounts_per_query;
        if named.is_empty() || named.len() > most {
            return Err(Fault::of("VALIDATION_ERROR", format!("accounts names {} accounts, expected 1 to {most}", named.len())));
        }
        let mut accounts = Vec::new();
        for id in named {
            let id = id.as_u64().filter(|id| self.is_opened(*id)).ok_or_else(no_account)?;
            if !accounts.contains(&id) {
                accounts.push(id);
            }
        }
        Ok(accounts)
    }
}

/// The account whose part this is.
fn account_of(part: &Json) -> u64 {
    part.get("accountId").and_then(Json::as_u64).unwrap_or_default()
}

fn no_account() -> Fault {
    Fault::of("ACCESS_DENIED", "Access denied: no such account, or no right to it")
}

fn user() -> Json {
    json!({ "name": "Stand-in user", "email": "user@stand-in.invalid", "id": 1 })
}

fn outline(account: u64) -> Json {
    json!({ "id": account, "name": "Stand-in account" })
}

/// A text among arguments or fields; empty if there is none.
fn text<'a>(of: &'a Arguments, name: &str) -> &'a str {
    of.get(name).and_then(Json::as_str).unwrap_or_default()
}

fn number(of: &Arguments, name: &str) -> Option<i64> {
    of.get(name).and_then(Json::as_i64)
}

/// An input among arguments; empty if there is none.
fn input(arguments: &Arguments, name: &str) -> Arguments {
    arguments.get(name).and_then(Json::as_object).cloned().unwrap_or_default()
}

/// A moment, as New Relic writes it.
fn date_time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|moment| moment.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::settings::{ACCOUNT_ID, USER_KEY};
    use super::*;

    #[test]
    fn the_schema_reads_whole() {
        let read = Schema::read(SCHEMA).map(drop);
        assert_eq!(read, Ok(()));
    }

    #[test]
    fn only_a_user_key_opens_it() {
        let accounts = [Account::default()];
        let with = |key: Option<&str>| {
            let headers = key.map(|key| (axum::http::HeaderName::from_static("api-key"), key.parse().unwrap()));
            find_account(&accounts, &headers.into_iter().collect()).map(|account| account.id).map_err(|answer| answer.body)
        };
        assert_eq!(with(Some(USER_KEY)), Ok(ACCOUNT_ID));
        for key in [None, Some(accounts[0].license_key.expose()), Some("")] {
            assert_eq!(with(key).unwrap_err()["errors"][0]["extensions"]["error_code"], "BAD_API_KEY");
        }
    }
}
