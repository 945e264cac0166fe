//! What the stand-in accepted, and what tests and people may ask of it.
//!
//! In: intakes and the end of every request. Out: rows by type, how often each id came, violations, integration errors,
//! counts per answer. A row is kept as compact JSON text, which tests compare, and as columns of its account for the engine, which
//! reads snapshots of them while more is accepted; or it is only counted, as [`Retain`] says. Nothing is ever removed: memory grows
//! with what is accepted, so a bench keeps counts only.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::fault::Api;
use super::intake::{Intake, Loss, Row, Violation};
use crate::lab::store::Store as Columns;

/// Type of the rows that report losses.
pub(super) const INTEGRATION_ERROR: &str = "NrIntegrationError";

/// Why rows are lost that break no rule.
const SCRIPTED: &str = "scripted by the stand-in";

/// Integration errors kept; later ones are only counted.
const ERRORS_KEPT: usize = 10_000;

/// What is kept of an accepted body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retain {
    /// Every row.
    #[default]
    Rows,
    /// The ids of rows and their number, not the rows.
    Ids,
    /// Requests and bytes. Bodies are neither unpacked nor read, so nothing in them is checked: for benches.
    Counts,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// Answered with this HTTP status.
    Status(u16),
    /// The stand-in cut the connection.
    Cut,
    /// The client left before the answer.
    Abandoned,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "{code}"),
            Self::Cut => f.write_str("cut"),
            Self::Abandoned => f.write_str("abandoned"),
        }
    }
}

impl Serialize for Ending {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Counts of one API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiCounts {
    /// Requests that arrived.
    pub requests: u64,
    /// Bytes of bodies as received.
    pub packed_bytes: u64,
    /// Bytes of accepted bodies after unpacking; 0 when only counts are kept.
    pub unpacked_bytes: u64,
    /// Bodies accepted.
    pub accepted: u64,
    /// Bodies accepted whose answer the stand-in never sent.
    pub accepted_unanswered: u64,
    /// Rows of those bodies: a sender that loses none sends each of them again.
    pub rows_unanswered: u64,
    /// Requests by their end; the difference to `requests` is still under way.
    pub endings: BTreeMap<Ending, u64>,
}

impl ApiCounts {
    /// Requests that ended so.
    #[must_use]
    pub fn ended(&self, ending: Ending) -> u64 {
        self.endings.get(&ending).copied().unwrap_or(0)
    }
}

/// Counts of one event type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeCounts {
    /// Rows accepted.
    pub rows: u64,
    /// Different `event.id`s among them.
    pub distinct_ids: u64,
    /// Rows that repeat an earlier one: same `detection.id`, or same `event.id` where there is none.
    pub repeated: u64,
    /// Rows without `event.id`.
    pub without_id: u64,
    /// Bytes of the rows as compact JSON, which is what is paid for; 0 when only counts are kept.
    pub bytes: u64,
}

/// Everything at a glance; `GET /stand-in/summary` prints it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// By event type; logs are `Log`, points of metrics `Metric`.
    pub types: BTreeMap<String, TypeCounts>,
    /// By API.
    pub apis: BTreeMap<Api, ApiCounts>,
    /// Requests to no known path or with a wrong method.
    pub elsewhere: u64,
    /// Broken rules; empty when the sender kept them all.
    pub violations: BTreeMap<Violation, u64>,
    /// Integration errors raised.
    pub integration_errors: u64,
}

/// One `NrIntegrationError`: rows lost after their batch was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IntegrationError {
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// `Event API`, `Logs` or `Metrics`.
    pub new_relic_feature: &'static str,
    /// `EventApiException`, `LogApiException`, `MetricApiException` or, for a broken number, `ApiLimit`.
    pub category: &'static str,
    /// `EventValidationException`, `LogValidationException` or `MetricValidationException`.
    pub name: &'static str,
    /// Why and how many.
    pub message: String,
    /// How many, for those who count; New Relic has it in the message only.
    #[serde(skip)]
    pub rows: u64,
    /// `uuid` or `requestId` of the answer.
    pub request_id: String,
    /// First six characters of the key.
    pub api_key_prefix: String,
    /// Type of the first lost row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type_sample: Option<String>,
    /// The limit that was passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_name: Option<&'static str>,
    /// Its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_value: Option<u64>,
}

impl IntegrationError {
    fn row(&self) -> Option<Map<String, Value>> {
        match json!(self) {
            Value::Object(row) => Some(row),
            _ => None,
        }
    }
}

/// Times each id was accepted.
type Times = HashMap<Box<str>, u32>;

#[derive(Debug, Default)]
struct TypeRows {
    rows: u64,
    repeated: u64,
    without_id: u64,
    bytes: u64,
    /// By `event.id`.
    ids: Times,
    /// By `detection.id`: an event has one row per rule it matched.
    detections: Times,
    /// As compact JSON.
    kept: Vec<Box<str>>,
}

impl TypeRows {
    fn add(&mut self, row: Row, retain: Retain) {
        self.rows = self.rows.saturating_add(1);
        let seen = |times: &mut Times, id: &str| {
            let times = times.entry(id.into()).or_default();
            *times = times.saturating_add(1);
            *times > 1
        };
        let text = |name| row.attributes.get(name).and_then(Value::as_str);
        let event = text("event.id").map(|id| seen(&mut self.ids, id));
        let detection = text("detection.id").map(|id| seen(&mut self.detections, id));
        if event.is_none() {
            self.without_id = self.without_id.saturating_add(1);
        }
        if detection.or(event) == Some(true) {
            self.repeated = self.repeated.saturating_add(1);
        }
        let compact = Value::Object(row.attributes).to_string();
        // The type was taken out.
        add(&mut self.bytes, compact.len() + row.event_type.len() + r#""eventType":"","#.len());
        if retain == Retain::Rows {
            self.kept.push(compact.into_boxed_str());
        }
    }

    fn counts(&self) -> TypeCounts {
        TypeCounts {
            rows: self.rows,
            distinct_ids: u64::try_from(self.ids.len()).unwrap_or(u64::MAX),
            repeated: self.repeated,
            without_id: self.without_id,
            bytes: self.bytes,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    types: BTreeMap<String, TypeRows>,
    apis: BTreeMap<Api, ApiCounts>,
    elsewhere: u64,
    violations: BTreeMap<Violation, u64>,
    errors: Vec<IntegrationError>,
    errors_raised: u64,
}

#[derive(Debug)]
struct Inner {
    retain: Retain,
    state: Mutex<State>,
    /// The rows of each account, as the engine reads them.
    columns: BTreeMap<u64, Columns>,
    changes: watch::Sender<()>,
}

/// What the stand-in accepted. Clones share one store; it outlives its server.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

/// Where an intake came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) api: Api,
    pub(super) account: u64,
    pub(super) request_id: &'a str,
    pub(super) key_prefix: &'a str,
    pub(super) now_ms: i64,
}

impl Store {
    pub(super) fn new(retain: Retain, accounts: impl IntoIterator<Item = u64>) -> Self {
        let columns = accounts.into_iter().map(|account| (account, Columns::in_memory())).collect();
        Self(Arc::new(Inner { retain, state: Mutex::default(), columns, changes: watch::Sender::new(()) }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let result = act(&mut self.state());
        self.0.changes.send_replace(());
        result
    }

    /// What is kept of a body.
    pub(super) fn retain(&self) -> Retain {
        self.0.retain
    }

    /// Counts a request that arrived; the returned guard counts how it ends.
    pub(super) fn arrived(&self, api: Api) -> Arrival {
        self.change(|state| state.api(api).requests += 1);
        Arrival { store: self.clone(), api, ending: Ending::Abandoned }
    }

    /// Counts the bytes of a body as received.
    pub(super) fn received(&self, api: Api, bytes: usize) {
        self.change(|state| add(&mut state.api(api).packed_bytes, bytes));
    }

    /// Counts a request outside the known paths.
    pub(super) fn arrived_elsewhere(&self) {
        self.change(|state| state.elsewhere += 1);
    }

    /// Counts a rule broken by a request that was refused.
    pub(super) fn refused(&self, violation: Violation) {
        self.change(|state| *state.violations.entry(violation).or_default() += 1);
    }

    /// Counts an accepted body that is not looked into.
    pub(super) fn accept_unread(&self, api: Api) {
        self.change(|state| state.api(api).accepted += 1);
    }

    /// Stores what came out of an accepted body.
    pub(super) fn accept(&self, origin: Origin<'_>, unpacked_bytes: usize, intake: Intake) {
        let retain = self.0.retain;
        let columns = self.columns_of(origin.account);
        if retain == Retain::Rows {
            for row in &intake.rows {
                columns.append_json(&row.event_type, &row.attributes, origin.now_ms);
            }
        }
        self.change(|state| {
            let counts = state.api(origin.api);
            counts.accepted += 1;
            add(&mut counts.unpacked_bytes, unpacked_bytes);
            for row in intake.rows {
                if !state.types.contains_key(&row.event_type) {
                    state.types.insert(row.event_type.clone(), TypeRows::default());
                }
                if let Some(rows) = state.types.get_mut(&row.event_type) {
                    rows.add(row, retain);
                }
            }
            for (violation, times) in intake.violations {
                *state.violations.entry(violation).or_default() += times;
            }
            let of_rules = intake.losses.into_iter().map(|(violation, loss)| (violation.message(), violation.limit(), loss));
            for (why, limit, loss) in of_rules.chain(intake.scripted.map(|loss| (SCRIPTED, None, loss))) {
                state.errors_raised += 1;
                if state.errors.len() < ERRORS_KEPT {
                    let error = integration_error(origin, why, limit, loss);
                    if let Some(row) = error.row() {
                        columns.append_json(INTEGRATION_ERROR, &row, origin.now_ms);
                    }
                    state.errors.push(error);
                }
            }
        });
    }

    /// Counts an accepted body whose answer will not be sent.
    pub(super) fn unanswered(&self, api: Api, rows: u64) {
        self.change(|state| {
            let counts = state.api(api);
            counts.accepted_unanswered += 1;
            counts.rows_unanswered = counts.rows_unanswered.saturating_add(rows);
        });
    }

    /// Counts of everything.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let state = self.state();
        Summary {
            types: state.types.iter().map(|(name, rows)| (name.clone(), rows.counts())).collect(),
            apis: state.apis.clone(),
            elsewhere: state.elsewhere,
            violations: state.violations.clone(),
            integration_errors: state.errors_raised,
        }
    }

    /// Counts of one API.
    #[must_use]
    pub fn api(&self, api: Api) -> ApiCounts {
        self.state().apis.get(&api).cloned().unwrap_or_default()
    }

    /// Counts of one event type; logs are `Log`.
    #[must_use]
    pub fn counts(&self, event_type: &str) -> TypeCounts {
        self.state().types.get(event_type).map(TypeRows::counts).unwrap_or_default()
    }

    /// Times each `event.id` was accepted, in rows of `event_type` (`Log` for logs).
    #[must_use]
    pub fn ids(&self, event_type: &str) -> BTreeMap<String, u32> {
        self.times(event_type, |rows| &rows.ids)
    }

    /// Times each `detection.id` was accepted.
    #[must_use]
    pub fn detection_ids(&self, event_type: &str) -> BTreeMap<String, u32> {
        self.times(event_type, |rows| &rows.detections)
    }

    fn times(&self, event_type: &str, of: impl FnOnce(&TypeRows) -> &Times) -> BTreeMap<String, u32> {
        let state = self.state();
        let Some(rows) = state.types.get(event_type) else { return BTreeMap::new() };
        of(rows).iter().map(|(id, times)| (id.to_string(), *times)).collect()
    }

    /// Rows of one type in order of acceptance: `Log` for logs, `NrIntegrationError` for losses. Empty for events and logs
    /// when rows are not kept.
    #[must_use]
    pub fn rows(&self, event_type: &str) -> Vec<Map<String, Value>> {
        let state = self.state();
        if event_type == INTEGRATION_ERROR {
            return state.errors.iter().filter_map(IntegrationError::row).collect();
        }
        let Some(rows) = state.types.get(event_type) else { return Vec::new() };
        rows.kept.iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
    }

    /// The rows of the only account, as the engine reads them; of the one with the lowest id, if there are several.
    #[must_use]
    pub fn columns(&self) -> Columns {
        self.0.columns.values().next().cloned().unwrap_or_default()
    }

    /// The rows of one account, as the engine reads them. Of an account that is not there: none, and what is added is lost.
    pub(super) fn columns_of(&self, account: u64) -> Columns {
        self.0.columns.get(&account).cloned().unwrap_or_default()
    }

    /// Broken rules and how often; empty when the sender kept them all.
    #[must_use]
    pub fn violations(&self) -> BTreeMap<Violation, u64> {
        self.state().violations.clone()
    }

    /// Losses reported, oldest first, at most 10,000.
    #[must_use]
    pub fn integration_errors(&self) -> Vec<IntegrationError> {
        self.state().errors.clone()
    }

    /// Waits until `reached` holds; asked now and after each change. Bound it with a time-out.
    pub async fn wait_until(&self, mut reached: impl FnMut(&Self) -> bool) {
        let mut changes = self.0.changes.subscribe();
        while !reached(self) {
            if changes.changed().await.is_err() {
                return; // Not reached: this store holds the sender.
            }
        }
    }
}

impl State {
    fn api(&mut self, api: Api) -> &mut ApiCounts {
        self.apis.entry(api).or_default()
    }
}

fn add(sum: &mut u64, bytes: usize) {
    *sum = sum.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
}

fn integration_error(origin: Origin<'_>, why: &str, limit: Option<(&'static str, u64)>, loss: Loss) -> IntegrationError {
    let Loss { rows, sample } = loss;
    let (new_relic_feature, category, name) = match origin.api {
        Api::Logs => ("Logs", "LogApiException", "LogValidationException"),
        Api::Metrics => ("Metrics", "MetricApiException", "MetricValidationException"),
        Api::Events | Api::NerdGraph => ("Event API", "EventApiException", "EventValidationException"),
    };
    IntegrationError {
        timestamp: origin.now_ms,
        new_relic_feature,
        category: if limit.is_some() { "ApiLimit" } else { category },
        name,
        message: match origin.api {
            Api::Metrics => format!("One or more OTLP data point(s) was dropped: {why}: {rows}"),
            Api::Events | Api::Logs | Api::NerdGraph => format!("{why}: {rows} event(s) lost"),
        },
        rows,
        request_id: origin.request_id.to_owned(),
        api_key_prefix: origin.key_prefix.to_owned(),
        event_type_sample: sample,
        limit_name: limit.map(|(name, _)| name),
        limit_value: limit.map(|(_, value)| value),
    }
}

/// A request under way: counts its end when it is dropped, so a client that leaves is counted, too.
#[derive(Debug)]
pub(super) struct Arrival {
    store: Store,
    api: Api,
    ending: Ending,
}

impl Arrival {
    /// Sets how it ends.
    pub(super) fn ends(mut self, ending: Ending) {
        self.ending = ending;
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let (api, ending) = (self.api, self.ending);
        self.store.change(|state| *state.api(api).endings.entry(ending).or_default() += 1);
    }
}
